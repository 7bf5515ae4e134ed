/*
 * vmtune.c - how much memory may be promised, and the numbers an administrator
 * sets (/proc/sys/vm).
 *
 * Private writable memory, unless mapped with MAP_NORESERVE, is a promise: its
 * pages may all be written.  What has been promised is counted always; only with
 * overcommit_memory 2 is the sum limited.  0 refuses single mappings that can
 * never be kept, 1 nothing.
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

volatile int committed;

/* See mm.h. */
uint
vmcommitlimit(void)
{
	uint total = npages - pagecount(PG_RESERVED);

	if (vmtune.kbytes)
		return vmtune.kbytes / (PGSIZE / 1024);
	return (uint64_t)total * vmtune.ratio / 100;
}

uint
vmcommitted(void)
{
	return MAX(committed, 0);
}

/* May n more pages be promised to u?  0 or -ENOMEM. */
int
commitlimit(struct uvm *u, uint n)
{
	uint limit, keep;

	if (vmtune.overcommit == OVERCOMMIT_ALWAYS || n == 0)
		return 0;
	if (vmtune.overcommit == OVERCOMMIT_GUESS)
		return n > npages ? -ENOMEM : 0;
	limit = vmcommitlimit();
	keep = myproc()->euid ? vmtune.adminreserve / (PGSIZE / 1024) : 0;
	keep += MIN(u->size / 32, vmtune.userreserve / (PGSIZE / 1024));
	return vmcommitted() + n + keep > limit ? -ENOMEM : 0;
}
