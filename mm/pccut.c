/*
 * pccut.c - pages leave the page cache because the file is cut short, or a part
 * of it is given back.
 */
#include "mm/vm.h"

static void zeropart(struct pcache *, uint64_t from, uint64_t to);

/* See mm.h. */
int
pcachetruncate(struct pcache *pc, uint64_t size)
{
	uint from = (size + PGSIZE - 1) >> PGSHIFT; /* <= MAXINDEX: no wrap */
	uint tail = size % PGSIZE;
	uint64_t old = pcachesize(pc);
	struct page *pg;
	int err;

	if (size > MAXBYTES)
		return -EFBIG;
	if (size > old && (err = zerotail(pc, size)) < 0)
		return err;
	acquire(&pc->lock);
	setsize(pc, size);
	while (size < old && tail && (pg = treeget(pc, from - 1))) {
		if (!(pg->flags & PGF_BUSY)) {
			memset((char *)pagekva(pg) + tail, 0, PGSIZE - tail);
			break;
		}
		pagesleep(pc, pg);
	}
	release(&pc->lock);
	if (size < old) {
		objunmap(pc, from);
		cutfrom(pc, from);
	}
	return 0;
}

/* Drop the pages from index from on, those on their way when they arrive. */
void
cutfrom(struct pcache *pc, uint from)
{
	struct page *pg;

	acquire(&pc->lock);
	while ((pg = treenext(pc, from, TREE_ANY))) {
		if (pg->flags & (PGF_BUSY | PGF_WRITEBACK)) {
			pagesleep(pc, pg);
			continue;
		}
		pageremove(pc, pg);
		release(&pc->lock); /* one at a time: it is short */
		putpage(pg);
		acquire(&pc->lock);
	}
	release(&pc->lock);
}

/* See mm.h. */
void
pcachedrop(struct pcache *pc, uint64_t from, uint64_t to)
{
	uint index = (from + PGSIZE - 1) >> PGSHIFT;
	struct page *pg;

	while (backed(pc)) {
		acquire(&pc->lock);
		pg = treenext(pc, index, TREE_ANY);
		if (pg == 0 || ((uint64_t)pg->index + 1) << PGSHIFT > to) {
			release(&pc->lock);
			return;
		}
		index = pg->index + 1;
		if (pg->ref > 1 || (pg->flags & (PGF_BUSY | PGF_DIRTY |
				PGF_WRITEBACK)))
			pg = 0;
		else
			pageremove(pc, pg);
		release(&pc->lock);
		if (pg)
			putpage(pg);
	}
}

/* See mm.h. */
void
pcachepunch(struct pcache *pc, uint64_t from, uint64_t to)
{
	uint first = (from + PGSIZE - 1) >> PGSHIFT, last = to >> PGSHIFT;
	struct page *pg;

	if (from >= to)
		return;
	zeropart(pc, from, MIN(to, (uint64_t)first << PGSHIFT));
	zeropart(pc, MAX(from, (uint64_t)last << PGSHIFT), to);
	for (uint i = first; i < last; i++) {
		acquire(&pc->lock);
		pg = treenext(pc, i, TREE_ANY);
		if (pg && pg->index < last)
			pageremove(pc, pg);
		else
			pg = 0;
		release(&pc->lock);
		if (pg == 0)
			break;
		i = pg->index;
		putpage(pg);
	}
	if (first < last)
		objpunch(pc, first, last);
}

/* Zero bytes of one page, if there is one. */
static void
zeropart(struct pcache *pc, uint64_t from, uint64_t to)
{
	struct page *pg = from < to ? pagefind(pc, from >> PGSHIFT) : 0;

	if (pg) {
		memset((char *)pagekva(pg) + from % PGSIZE, 0, to - from);
		putpage(pg);
	}
}
