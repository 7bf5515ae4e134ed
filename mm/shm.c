/*
 * shm.c - memory objects without a name, behind MAP_SHARED|MAP_ANONYMOUS.
 *
 * The object's pages live in a page cache with no inode.  Each mapping of the
 * object, in whichever process, holds a reference; with the last one the object
 * and its pages go.
 */
#include "mm/vm.h"

/* See vm.h.  Nobody else sees the object yet, so its size needs no lock. */
struct pcache *
shmnew(uint n)
{
	struct pcache *pc = pcachenew(0, 0);

	if (pc)
		pc->size = (uint64_t)n << PGSHIFT;
	return pc;
}

/* See vm.h. */
void
shmgrow(struct pcache *pc, uint n)
{
	acquire(&pc->lock);
	if (pc->host == 0 && (uint64_t)n << PGSHIFT > pc->size)
		setsize(pc, (uint64_t)n << PGSHIFT);
	release(&pc->lock);
}
