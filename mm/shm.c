/*
 * shm.c - memory objects without a name, behind MAP_SHARED|MAP_ANONYMOUS.
 *
 * The object's pages live in a page cache with no inode; each mapping of it,
 * in whichever process, holds a reference, and it dies with the last.
 */
#include "mm/vm.h"

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
	if (pc->host == 0 && (uint64_t)n << PGSHIFT > pc->size)
		setsize(pc, (uint64_t)n << PGSHIFT);
	release(&pc->lock);
}
