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

/* commitlimit(), where the sum of all promises counts. */
int
commitstrict(struct uvm *u, uint n)
{
	uint keep;

	keep = myproc()->euid ? vmtune.adminreserve / (PGSIZE / 1024) : 0;
	keep += MIN(u->size / 32, vmtune.userreserve / (PGSIZE / 1024));
	return vmcommitted() + n + keep > vmcommitlimit() ? -ENOMEM : 0;
}
