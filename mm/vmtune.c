/*
 * vmtune.c - how much memory may be promised, and the numbers an administrator
 * sets (/proc/sys/vm).
 *
 * Private writable memory, unless it is mapped with MAP_NORESERVE, is a
 * promise: all its pages may be written, and then need frames.  What has been
 * promised is always counted.  overcommit_memory says what is refused: with 0 a
 * single mapping that is larger than RAM, with 1 nothing, with 2 whatever makes
 * the sum of all promises larger than a limit.
 */
#include "mm/vm.h"
#include "kern/proc.h"

struct vmtune vmtune = {
	.overcommit = 0,
	.ratio = 50,
	.maxmaps = NVMA,
	.adminreserve = 8192,
	.userreserve = 131072,
	.dirtybackground = 20,
	.dirtyratio = 40,
	.dirtyevery = 100,
	.dirtyold = 500,
};

volatile int committed; /* pages */

/* See mm.h. */
uint
vmcommitlimit(void)
{
	uint total = npages - pagecount(PG_RESERVED);

	if (vmtune.kbytes)
		return vmtune.kbytes / (PGSIZE / 1024);
	return (uint64_t)total * vmtune.ratio / 100;
}

/* See mm.h. */
uint
vmcommitted(void)
{
	return MAX(committed, 0);
}

/* See vm.h.  Some memory is kept back: for root, and in proportion to what u
 * has mapped for other processes. */
int
commitstrict(struct uvm *u, uint n)
{
	uint keep;

	lockassert(holdingeither(&u->lock));
	keep = myproc()->euid ? vmtune.adminreserve / (PGSIZE / 1024) : 0;
	keep += MIN(u->size / 32, vmtune.userreserve / (PGSIZE / 1024));
	return vmcommitted() + n + keep > vmcommitlimit() ? -ENOMEM : 0;
}
