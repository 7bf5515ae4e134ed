/*
 * shm.c - memory objects without a name, behind MAP_SHARED|MAP_ANONYMOUS.
 *
 * The object's pages live in a page cache with no inode; each mapping of it,
 * in whichever process, holds a reference, and it dies with the last.
 */
#include "mm/vm.h"

static void zeropart(struct pcache *, uint64_t from, uint64_t to);

/* An object of so many pages, none of them allocated; or 0. */
struct pcache *
shmnew(uint n)
{
	struct pcache *pc = pcachenew(0, 0);

	if (pc)
		pc->size = (uint64_t)n << PGSHIFT;
	return pc;
}

/* mremap made a mapping longer: the object under it grows, a file does not. */
void
shmgrow(struct pcache *pc, uint n)
{
	acquire(&pc->lock);
	if (pc->host == 0)
		pc->size = MAX(pc->size, (uint64_t)n << PGSHIFT);
	release(&pc->lock);
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
