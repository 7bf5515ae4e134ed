/*
 * mlock.c - memory that is brought in and stays.
 *
 * A lock is a flag of the vma: its pages are brought in, count for
 * RLIMIT_MEMLOCK, and are not given back, neither by madvise nor, if they are a
 * file's, by reclaim (forget() in objmap.c; private ones stay anyway).  Results
 * for odd arguments are Linux's.
 */
#include "mm/vm.h"
#include "kern/proc.h"

#define LOCKBITS (VM_LOCKED | VM_LOCKONFAULT)

static int lockrange(struct uvm *, uint start, uint end, uint set);
static uint lockedin(struct uvm *, uint start, uint end);
static uint popaccess(struct uvm *, uint *va, uint end);

/* How many pages of u may be locked for the running process: as RLIMIT_MEMLOCK
 * says, but root is not limited (~0u). */
uint
lockmax(struct uvm *u)
{
	if (u->limit[UVM_MEMLOCK] == ~0u || myproc()->euid == 0)
		return ~0u;
	return u->limit[UVM_MEMLOCK] >> PGSHIFT;
}

/* May so many bytes more be locked?  0 or -EAGAIN. */
int
locklimit(struct uvm *u, uint n)
{
	uint limit = lockmax(u);

	n = PGROUNDUP(n) >> PGSHIFT;
	return u->locked > limit || n > limit - u->locked ? -EAGAIN : 0;
}

/* See mm.h. */
int
mlock(struct uvm *u, uint addr, uint len, int flags)
{
	uint start = PGROUNDDOWN(addr), end, n, limit = lockmax(u);
	int err = 0;

	if (limit == 0)
		return -EPERM;
	if (addr > USERTOP || len > USERTOP - addr)
		return -ENOMEM;
	end = PGROUNDUP(addr + len);
	n = (end - start) >> PGSHIFT;
	acquirewrite(&u->lock);
	if (u->locked + n > limit)
		n -= lockedin(u, start, end);
	if (u->locked + n > limit)
		err = -ENOMEM;
	else
		err = lockrange(u, start, end,
			flags & MLOCK_ONFAULT ? LOCKBITS : VM_LOCKED);
	releasewrite(&u->lock);
	if (err < 0)
		return err;
	err = populate(u, start, end);
	return err == -ENOMEM ? -EAGAIN : err < 0 ? -ENOMEM : 0;
}

int
munlock(struct uvm *u, uint addr, uint len)
{
	int err;

	if (addr > USERTOP || len > USERTOP - addr)
		return -ENOMEM;
	acquirewrite(&u->lock);
	err = lockrange(u, PGROUNDDOWN(addr), PGROUNDUP(addr + len), 0);
	releasewrite(&u->lock);
	return err;
}

/* See mm.h. */
int
mlockall(struct uvm *u, int flags)
{
	uint set = flags & MCL_ONFAULT ? LOCKBITS : VM_LOCKED;
	uint limit = lockmax(u);
	int err = 0;

	if (flags && limit == 0)
		return -EPERM;
	acquirewrite(&u->lock);
	if ((flags & MCL_CURRENT) && u->size > limit) {
		err = -ENOMEM;
	} else {
		u->lockmode = flags & MCL_FUTURE ? set : 0;
		if (flags == 0 || (flags & MCL_CURRENT))
			for (uint i = 0; i < (uint)u->nvma; i++)
				vmasetflags(u, u->vmas[i], u->vmas[i]->start,
					u->vmas[i]->end, LOCKBITS,
					flags ? set : 0);
		vmamerge(u, 0, USERTOP);
	}
	releasewrite(&u->lock);
	if (err == 0 && (flags & MCL_CURRENT))
		populate(u, 0, USERTOP);
	return err;
}

/* Up to the first hole: 0 or -ENOMEM.  u->lock held to write. */
static int
lockrange(struct uvm *u, uint start, uint end, uint set)
{
	struct vma *v;
	uint next;
	int err = 0;

	for (uint va = start; err == 0 && va < end; va = next) {
		v = vmafind(u, va);
		if (v == 0) {
			err = -ENOMEM;
			break;
		}
		next = MIN(v->end, end);
		err = vmasetflags(u, v, va, next, LOCKBITS, set);
	}
	vmamerge(u, start, end);
	return err;
}

/* Pages of [start, end) that are locked already. */
static uint
lockedin(struct uvm *u, uint start, uint end)
{
	uint n = 0;

	for (int i = vmaindex(u, start);
		i < u->nvma && u->vmas[i]->start < end; i++)
		if (u->vmas[i]->flags & VM_LOCKED)
			n += (MIN(u->vmas[i]->end, end) -
				     MAX(u->vmas[i]->start, start)) >> PGSHIFT;
	return n;
}

/* Bring in what is mapped of [start, end): 0, or the first error.  Private memory
 * that may be written gets its copies now. */
int
populate(struct uvm *u, uint start, uint end)
{
	uint access;
	int err = 0;

	for (uint va = start; err >= 0; va += PGSIZE) {
		access = popaccess(u, &va, end);
		if (access == PROT_NONE)
			return 0;
		err = fault(u, va, access);
	}
	return err;
}

/* The next page of [*va, end) to bring in, and how; PROT_NONE: there is none. */
static uint
popaccess(struct uvm *u, uint *va, uint end)
{
	uint access = PROT_NONE;
	struct vma *v;

	acquireread(&u->lock);
	for (int i = vmaindex(u, *va); i < u->nvma; i++) {
		v = u->vmas[i];
		*va = MAX(*va, v->start);
		if (*va >= end)
			break;
		if (v->flags & VM_LOCKONFAULT)
			continue;
		access = (v->prot & PROT_WRITE) && !(v->flags & VM_SHARED)
				 ? PROT_WRITE : PROT_READ;
		break;
	}
	releaseread(&u->lock);
	return access;
}
