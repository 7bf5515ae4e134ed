/*
 * mlock.c - memory that is brought in and stays.
 *
 * A lock is a flag of the vma, VM_LOCKED: the vma's pages are brought in, count
 * for RLIMIT_MEMLOCK, and are not given back, neither by madvise nor, if they
 * are a file's, by reclaim (objforget() in objmap.c).  Private pages stay in
 * memory anyway, since there is no swap.  Results for odd arguments are
 * Linux's.
 */
#include "mm/vm.h"
#include "kern/proc.h"

#define LOCKBITS (VM_LOCKED | VM_LOCKONFAULT)

static int lockrange(struct uvm *, uint start, uint end, uint set);
static uint lockedin(struct uvm *, uint start, uint end);
static uint popaccess(struct uvm *, uint *va, uint end);

/* See vm.h.  The limit is that of RLIMIT_MEMLOCK, but root has none: that is
 * asked last, since a process may become root or stop being it at any time. */
uint
lockmax(struct uvm *u)
{
	if (u->limit[UVM_MEMLOCK] == ~0u || myproc()->euid == 0)
		return ~0u;
	return u->limit[UVM_MEMLOCK] >> PGSHIFT;
}

/* See vm.h. */
int
locklimit(struct uvm *u, uint n)
{
	uint limit = lockmax(u);

	lockassert(holdingeither(&u->lock));
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
	if (!inuser(addr, len))
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

/* See mm.h. */
int
munlock(struct uvm *u, uint addr, uint len)
{
	int err;

	if (!inuser(addr, len))
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

/* Give the mappings of [start, end), up to the first hole, the flags set in
 * place of LOCKBITS: 0, or -ENOMEM if there was a hole or no memory.  Called
 * with u->lock held to write. */
static int
lockrange(struct uvm *u, uint start, uint end, uint set)
{
	struct vma *v;
	uint next;
	int err = 0;

	lockassert(holdingwrite(&u->lock));
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

/* How many pages of [start, end) are locked already.  Called with u->lock
 * held. */
static uint
lockedin(struct uvm *u, uint start, uint end)
{
	uint n = 0;

	lockassert(holdingeither(&u->lock));
	for (int i = vmaindex(u, start);
		i < u->nvma && u->vmas[i]->start < end; i++)
		if (u->vmas[i]->flags & VM_LOCKED)
			n += (MIN(u->vmas[i]->end, end) -
				     MAX(u->vmas[i]->start, start)) >> PGSHIFT;
	return n;
}

/* See vm.h. */
int
populate(struct uvm *u, uint start, uint end)
{
	uint access;
	int err = 0;

	lockassert(nospinlocks());
	for (uint va = start; err >= 0; va += PGSIZE) {
		access = popaccess(u, &va, end);
		if (access == PROT_NONE)
			return 0;
		err = fault(u, va, access);
	}
	return err;
}

/* Move *va to the next page of [*va, end) that populate() is to bring in, and
 * return the access to fault it in for; PROT_NONE: there is none. */
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
