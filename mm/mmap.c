/*
 * mmap.c - the memory calls mmap, munmap, mprotect, msync: arguments are
 * checked, then vma.c changes the mappings and pgtab.c the page tables.
 *
 * Invariants: all checks come before any change; the tables under a vma are
 * owned before the vma changes; after munmap no CPU can reach the pages.
 * Results for odd arguments are Linux's (doc/system-calls.md).
 */
#include "mm/vm.h"
#include "kern/abi/fcntl.h"
#include "kern/file.h"

/* The flags of mmap that mean something or once did; MAP_SYNC is not one. */
#define MAP_KNOWN                                                              \
	(MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_GROWSDOWN |                \
		MAP_DENYWRITE | MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE |  \
		MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | MAP_32BIT)

static int morelimit(struct uvm *, uint n, uint prot, uint flags);
static int overdata(struct uvm *, uint prot, uint flags, uint n);
static int isdata(uint prot, uint flags);
static uint countdata(struct uvm *);
static int checkflags(struct uvm *, int prot, int flags, struct file *);
static struct vma *describe(uint len, int prot, int flags, struct file *,
	uint64_t off);
static uint mapflags(int prot, int flags, int shared);
static int place(struct uvm *, struct vma *, uint addr, int flags);
static int choose(struct uvm *, uint addr, uint len, int flags, uint *start);
static int protectone(struct uvm *, struct vma *, uint start, uint end,
	int prot);
static int syncpart(struct uvm *, uint *addr, uint end, int flags,
	struct file **);

/* See vm.h. */
int
vmalimit(struct uvm *u, uint n, uint prot, uint flags)
{
	return morelimit(u, n, prot, flags);
}

/* vmalimit(), inline for mmap; n in bytes.  Called with u->lock held to
 * write. */
static inline int
morelimit(struct uvm *u, uint n, uint prot, uint flags)
{
	lockassert(holdingwrite(&u->lock));
	if ((flags & VM_LOCKED) && locklimit(u, n) < 0)
		return -EAGAIN;
	n >>= PGSHIFT;
	if (u->size + n > u->limit[UVM_AS] >> PGSHIFT ||
		overdata(u, prot, flags, n))
		return -ENOMEM;
	return flags & VM_ACCOUNT ? commitlimit(u, n) : 0;
}

/* Would n pages more with this protection and these flags be too much data
 * (RLIMIT_DATA)?  1 or 0. */
static inline int
overdata(struct uvm *u, uint prot, uint flags, uint n)
{
	return u->limit[UVM_DATA] != ~0u && isdata(prot, flags) &&
	       countdata(u) + n > u->limit[UVM_DATA] >> PGSHIFT;
}

/* Does such memory count as data?  Private memory that may be written does, but
 * for stacks.  1 or 0. */
static int
isdata(uint prot, uint flags)
{
	return (prot & PROT_WRITE) && !(flags & (VM_SHARED | VM_GROWSDOWN));
}

/* How many pages of data u has mapped. */
static uint
countdata(struct uvm *u)
{
	uint n = 0;

	for (int i = 0; i < u->nvma; i++)
		if (isdata(u->vmas[i]->prot, u->vmas[i]->flags))
			n += vmapages(u->vmas[i]);
	return n;
}

/* See mm.h. */
int
mmap(struct uvm *u, uint addr, uint len, int prot, int flags,
	struct file *file, uint64_t off)
{
	struct vma *v;
	int err;

	if (len == 0)
		return -EINVAL;
	if (len > USERTOP)
		return -ENOMEM;
	if (flags != (MAP_PRIVATE | MAP_ANONYMOUS)) { /* that is always fine */
		if (off % PGSIZE)
			return -EINVAL;
		if ((off + PGROUNDUP(len)) >> PGSHIFT > MAXINDEX)
			return -EOVERFLOW;
		err = checkflags(u, prot, flags, file);
		if (err < 0)
			return err;
	}
	v = describe(PGROUNDUP(len), prot, flags, file, off);
	return v ? place(u, v, addr, flags) : -ENOMEM;
}

/* May memory be mapped in u with this protection and these MAP_ flags, from
 * file if that is not 0?  0 or -errno. */
static int
checkflags(struct uvm *u, int prot, int flags, struct file *file)
{
	int type = flags & MAP_TYPE, shared = type != MAP_PRIVATE;

	if (type < MAP_SHARED || type > MAP_SHARED_VALIDATE ||
		(flags & MAP_HUGETLB) || (type == MAP_SHARED_VALIDATE && !file))
		return -EINVAL;
	if (type == MAP_SHARED_VALIDATE && (flags & ~MAP_KNOWN))
		return -EOPNOTSUPP;
	if ((flags & MAP_GROWSDOWN) && (shared || file))
		return -EINVAL;
	if ((flags & MAP_LOCKED) && lockmax(u) == 0)
		return -EPERM;
	if (file == 0)
		return 0;
	if ((file->flags & O_ACCMODE) == O_WRONLY)
		return -EACCES;
	if (shared && (prot & PROT_WRITE) &&
		(file->flags & O_ACCMODE) != O_RDWR)
		return -EACCES;
	return filepages(file) ? 0 : -ENODEV;
}

/* A vma of len bytes for mmap's arguments, which begins at 0 until place()
 * chooses; 0: no memory. */
static struct vma *
describe(uint len, int prot, int flags, struct file *file, uint64_t off)
{
	int shared = (flags & MAP_TYPE) != MAP_PRIVATE;
	struct vma *v = vmanew(0, len,
		prot & (PROT_READ | PROT_WRITE | PROT_EXEC),
		mapflags(prot, flags, shared));

	if (v == 0)
		return 0;
	if (!file && shared) {
		v->obj = shmnew(len >> PGSHIFT);
		v->flags |= VM_MAYWRITE;
	} else if (file) {
		v->file = filedup(file);
		v->obj = pcacheref(filepages(file));
		v->pgoff = off >> PGSHIFT;
		aheadmapped(file, prot);
		if ((file->flags & O_ACCMODE) == O_RDWR)
			v->flags |= VM_MAYWRITE;
	}
	if (shared && v->obj == 0) {
		vmadrop(v);
		return 0;
	}
	return v;
}

/* The VM_ flags for mmap's protection and MAP_ flags. */
static uint
mapflags(int prot, int flags, int shared)
{
	uint r = 0;

	if (flags & MAP_GROWSDOWN)
		r |= VM_GROWSDOWN;
	if (shared)
		r |= VM_SHARED;
	if (flags & MAP_LOCKED)
		r |= VM_LOCKED;
	if ((flags & MAP_NORESERVE) && vmtune.overcommit != OVERCOMMIT_NEVER)
		r |= VM_NORESERVE;
	else if ((prot & PROT_WRITE) && !shared)
		r |= VM_ACCOUNT;
	return r;
}

/* Put v, which the caller gives away, where the MAP_ flags and addr say, and
 * bring its pages in if the flags say so.  Its address or -errno.  Called with
 * no lock held. */
static int
place(struct uvm *u, struct vma *v, uint addr, int flags)
{
	int err, bringin = (flags & (MAP_POPULATE | MAP_NONBLOCK)) ==
			   MAP_POPULATE;
	struct drop drop = {0, 0};
	uint start, len = v->end;

	lockassert(nospinlocks());
	acquirewrite(&u->lock);
	v->flags |= u->lockmode;
	bringin |= (v->flags & (VM_LOCKED | VM_LOCKONFAULT)) == VM_LOCKED;
	err = choose(u, addr, len, flags, &start);
	if (err == 0)
		err = morelimit(u, len, v->prot, v->flags);
	if (err == 0 && v->obj && v->file == 0 && !(v->flags & VM_NORESERVE))
		err = commitlimit(u, len >> PGSHIFT);
	if (err == 0)
		err = vmaroom(u, 3); /* ours, and two cuts */
	if (err == 0)
		err = owntables(u, start, start + len);
	if (err == 0 && (flags & MAP_FIXED))
		err = munmaplocked(u, start, start + len, &drop);
	if (err == 0) {
		v->start = start;
		v->end = start + len;
		vmainsert(u, v);
	}
	releasewrite(&u->lock);
	dropall(&drop);
	if (err < 0)
		vmadrop(v);
	else if (bringin)
		populate(u, start, start + len);
	return err < 0 ? err : (int)start;
}

/* Set *start to the address where a new mapping of len bytes goes: addr, if the
 * MAP_ flags demand it or it is free, else the highest gap.  0 or -errno.
 * Called with u->lock held. */
static int
choose(struct uvm *u, uint addr, uint len, int flags, uint *start)
{
	lockassert(holdingeither(&u->lock));
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (addr % PGSIZE)
			return -EINVAL;
		if (addr > USERTOP - len)
			return -ENOMEM;
		if (addr < USERBASE)
			return -EPERM;
		if ((flags & MAP_FIXED_NOREPLACE) &&
			vmaoverlap(u, addr, addr + len))
			return -EEXIST;
		*start = addr;
		return 0;
	}
	addr = addr < USERTOP ? PGROUNDUP(addr) : 0;
	if (addr >= MMAPMIN && addr <= USERTOP - len &&
		!vmaoverlap(u, addr, addr + len)) {
		*start = addr;
		return 0;
	}
	*start = vmagap(u, len);
	return *start ? 0 : -ENOMEM;
}

/* See mm.h. */
int
munmap(struct uvm *u, uint addr, uint len)
{
	struct drop drop = {0, 0};
	int err;

	if (len == 0 || addr % PGSIZE || !inuser(addr, len))
		return -EINVAL;
	acquirewrite(&u->lock);
	err = munmaplocked(u, addr, addr + PGROUNDUP(len), &drop);
	releasewrite(&u->lock);
	dropall(&drop);
	return err;
}

/* See mm.h. */
int
unmapfile(struct uvm *u, uint addr, const struct fileops *ops)
{
	struct drop drop = {0, 0};
	struct file *file = 0;
	struct vma *v;
	int err = 0;

	acquirewrite(&u->lock);
	for (int i = vmaindex(u, addr); err == 0 && i < u->nvma; i++) {
		v = u->vmas[i];
		if (!v->file || v->file->ops != ops ||
			(file && file != v->file) ||
			(v->start - addr) >> PGSHIFT != v->pgoff)
			continue;
		file = v->file; /* drop holds it */
		err = munmaplocked(u, v->start, v->end, &drop);
		i = vmaindex(u, v->end) - 1;
	}
	releasewrite(&u->lock);
	dropall(&drop);
	return file ? err : -EINVAL;
}

/* See vm.h. */
void
dropall(struct drop *drop)
{
	lockassert(nospinlocks());
	if (drop->tables)
		putpgtabs(drop->tables);
	if (drop->vmas)
		vmadrop(drop->vmas);
}

/* See vm.h. */
int
munmaplocked(struct uvm *u, uint start, uint end, struct drop *drop)
{
	struct vma *edge;

	lockassert(holdingwrite(&u->lock));
	if (start >= end)
		return 0;
	if (ownedges(u, start, end) < 0)
		return -ENOMEM;
	edge = vmaedge(u, start, end);
	if (!edge && vmacut(u, start, end) < 0)
		return -ENOMEM;
	unmappages(u, start, end, &drop->tables);
	if (edge)
		vmatrim(u, edge, start, end);
	else
		vmachain(&drop->vmas, vmaremove(u, start, end));
	trimtables(u, start, end);
	return 0;
}

/* See vm.h. */
void
vmachain(struct vma **drop, struct vma *v)
{
	struct vma *next;

	for (; v; v = next) {
		next = v->next;
		v->next = *drop;
		*drop = v;
	}
}

/* See mm.h.  It stops at the first hole: what is before the hole has changed
 * then. */
int
mprotect(struct uvm *u, uint addr, uint len, int prot)
{
	uint va, end, next;
	struct vma *v;
	int err = 0;

	if (addr % PGSIZE || (prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC)))
		return -EINVAL;
	if (len == 0)
		return 0;
	if (!inuser(addr, len))
		return -ENOMEM;
	end = addr + PGROUNDUP(len);
	acquirewrite(&u->lock);
	for (va = addr; err == 0 && va < end; va = next) {
		v = vmafind(u, va);
		if (v == 0) {
			err = -ENOMEM;
			break;
		}
		next = MIN(v->end, end);
		err = protectone(u, v, va, next, prot);
	}
	vmamerge(u, addr, end);
	releasewrite(&u->lock);
	return err;
}

/* Give [start, end), which is part of v, the protection prot.  0 or -errno with
 * nothing changed.  The caller calls vmamerge() when it is done.  Called with
 * u->lock held to write. */
static int
protectone(struct uvm *u, struct vma *v, uint start, uint end, int prot)
{
	uint promise = 0, n = (end - start) >> PGSHIFT;

	lockassert(holdingwrite(&u->lock));
	if (v->prot == prot)
		return 0;
	if ((prot & PROT_WRITE) && (v->flags & VM_SHARED) &&
		!(v->flags & VM_MAYWRITE))
		return -EACCES;
	if ((prot & ~v->prot & PROT_WRITE) && !(v->flags & VM_SHARED)) {
		if (!(v->flags & (VM_ACCOUNT | VM_NORESERVE)))
			promise = VM_ACCOUNT;
		if (overdata(u, prot, v->flags, n) ||
			(promise && commitlimit(u, n) < 0))
			return -ENOMEM;
	}
	if (owntables(u, start, end) < 0)
		return -ENOMEM;
	if (vmacut(u, start, end) < 0)
		return -ENOMEM;
	v = vmafind(u, start);
	vmasetflags(u, v, start, end, 0, promise);
	v->prot = prot;
	protpages(u, start, end, prot);
	return 0;
}

/* See mm.h. */
int
remapfilepages(struct uvm *u, uint addr, uint len, int prot, uint pgoff,
	int flags)
{
	uint start = PGROUNDDOWN(addr), n = PGROUNDDOWN(len);
	struct vma *v, *new = 0;

	if (prot || start + n <= start || pgoff + (n >> PGSHIFT) < pgoff)
		return -EINVAL;
	acquirewrite(&u->lock);
	v = vmafind(u, start);
	if (v && (v->flags & VM_SHARED) && start + n <= v->end)
		new = vmaclone(v);
	releasewrite(&u->lock);
	if (v == 0 || new == 0)
		return -EINVAL;
	if (pgoff + (n >> PGSHIFT) > MAXINDEX) {
		vmadrop(new);
		return -EINVAL;
	}
	new->start = 0;
	new->end = n;
	new->pgoff = pgoff;
	flags = (flags & MAP_NONBLOCK) | MAP_FIXED | MAP_POPULATE;
	n = place(u, new, start, flags);
	return (int)n < 0 ? (int)n : 0;
}

/* See mm.h. */
int
msync(struct uvm *u, uint addr, uint len, int flags)
{
	int err = 0, hole = 0;
	struct file *f;
	uint end;

	if (addr % PGSIZE || (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) ||
		(flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	if (!inuser(addr, len))
		return -ENOMEM;
	end = addr + PGROUNDUP(len);
	while (err == 0 && addr < end) {
		err = syncpart(u, &addr, end, flags, &f);
		hole |= err == -ENOMEM;
		if (err == 0 && f) {
			err = f->ops->sync ? f->ops->sync(f, 0) : 0;
			fileclose(f);
		}
		if (err == -ENOMEM)
			err = 0;
	}
	return err ? err : hole ? -ENOMEM : 0;
}

/* Find out what msync has to do for the vma at *addr: *fp is the file to be
 * written, referenced, or 0.  *addr moves to the vma's end or to end, the lower
 * one.  0, -EBUSY if the vma is locked, or -ENOMEM if there is a hole, to whose
 * end *addr moves. */
static int
syncpart(struct uvm *u, uint *addr, uint end, int flags, struct file **fp)
{
	int err = 0, i;
	struct vma *v;

	*fp = 0;
	acquireread(&u->lock);
	i = vmaindex(u, *addr);
	v = i < u->nvma ? u->vmas[i] : 0;
	if (v == 0 || v->start > *addr) {
		err = -ENOMEM;
		*addr = v ? MIN(v->start, end) : end;
	} else if ((flags & MS_INVALIDATE) && (v->flags & VM_LOCKED)) {
		err = -EBUSY;
	} else {
		end = MIN(end, v->end);
		if ((flags & MS_SYNC) && (v->flags & VM_SHARED) && v->file)
			*fp = filedup(v->file);
		*addr = end;
	}
	releaseread(&u->lock);
	return err;
}
