/*
 * pccut.c - pages leave the page cache because the file is cut short, or a part
 * of it is given back.
 *
 * Cutting a file short goes in this order: the size is lowered, then the pages
 * leave all mappings (objunmap), then they leave the tree (cutfrom).  A fault
 * looks at the size after it has locked its page table (truncated() in
 * fault.c), so it installs no page beyond the new end once its slot has been
 * visited.  A page on its way to or from the disk stays in the tree until it
 * has arrived.
 */
#include "mm/vm.h"

static void zeropart(struct pcache *, uint64_t from, uint64_t to);

/* See mm.h.  The rest of the last page becomes zeroes, so that a file that
 * grows again does not show its old bytes; a page that is still being read is
 * waited for, or the read would put them back. */
int
pcachetruncate(struct pcache *pc, uint64_t size)
{
	uint from = (size + PGSIZE - 1) >> PGSHIFT; /* <= MAXINDEX: no wrap */
	uint tail = size % PGSIZE;
	uint64_t old = pcachesize(pc);
	struct page *pg;
	int err;

	lockassert(nospinlocks());
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

/* See vm.h.  The lock is let go after each page, so that nobody waits long for
 * it. */
void
cutfrom(struct pcache *pc, uint from)
{
	struct page *pg;

	lockassert(nospinlocks());
	acquire(&pc->lock);
	while ((pg = treenext(pc, from, TREE_ANY))) {
		if (pg->flags & (PGF_BUSY | PGF_WRITEBACK)) {
			pagesleep(pc, pg);
			continue;
		}
		pageremove(pc, pg);
		release(&pc->lock);
		putpage(pg);
		acquire(&pc->lock);
	}
	release(&pc->lock);
}

/* See mm.h.  The tree holds one reference, so ref > 1 means that a slot or a
 * reader uses the page. */
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

/* See mm.h.  Such a file's pages are never on their way anywhere, so there is
 * nothing to wait for. */
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

/* Zero bytes [from, to), which are in one page, if that page is cached.
 * Nothing to do if from >= to. */
static void
zeropart(struct pcache *pc, uint64_t from, uint64_t to)
{
	struct page *pg = from < to ? pagefind(pc, from >> PGSHIFT) : 0;

	if (pg) {
		memset((char *)pagekva(pg) + from % PGSIZE, 0, to - from);
		putpage(pg);
	}
}
