/*
 * mmap.c - the memory calls: arguments are checked, then vma.c changes the
 * mappings and pgtab.c the tables.
 *
 * Invariants: all checks come before any change; the tables under a vma are
 * owned before it changes; after munmap no CPU can reach the pages.  Results
 * for odd arguments are Linux's (doc/system-calls.md).
 */
#include "mm/vm.h"
#include "kern/abi/fcntl.h"
#include "kern/file.h"

static int choose(struct uvm *, uint addr, uint len, int flags, uint *start);
static struct vma *describe(uint start, uint end, int prot, int flags,
	struct file *, uint64_t off, int *err);
static void populate(struct uvm *, uint start, uint end, int prot);
static int protectone(struct uvm *, struct vma *, uint start, uint end,
	int prot);
static uint lockaccess(const struct vma *);
static int advise(struct uvm *, struct vma *, uint start, uint end, int advice,
	struct page **tables);
static int advisable(int advice);
static int vmacovers(struct uvm *, uint start, uint end);

/* May n more bytes be mapped?  RLIMIT_AS; and if they are a commitment, never
 * more than there is RAM. */
int
vmalimit(struct uvm *u, uint n, int commit)
{
	n >>= PGSHIFT;
	if (u->size + n > u->limit[UVM_AS] >> PGSHIFT)
		return -ENOMEM;
	return commit && n > npages ? -ENOMEM : 0;
}

/* See mm.h. */
int
mmap(struct uvm *u, uint addr, uint len, int prot, int flags,
	struct file *file, uint64_t off)
{
	struct drop drop = {0, 0};
	struct vma *v;
	uint start;
	int err;

	if (len == 0 || off % PGSIZE)
		return -EINVAL;
	if (len > USERTOP)
		return -ENOMEM;
	len = PGROUNDUP(len);
	if ((off + len) >> PGSHIFT > MAXINDEX)
		return -EOVERFLOW;
	v = describe(0, len, prot, flags, file, off, &err);
	if (v == 0)
		return err;
	acquirewrite(&u->lock);
	err = choose(u, addr, len, flags, &start);
	if (err == 0)
		err = vmalimit(u, len, (prot & PROT_WRITE) &&
						!(flags & MAP_NORESERVE));
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
		if (flags & (MAP_POPULATE | MAP_LOCKED))
			populate(u, start, start + len, prot);
	}
	releasewrite(&u->lock);
	dropall(&drop);
	if (err < 0)
		vmadrop(v);
	return err < 0 ? err : (int)start;
}

/* A vma for the arguments, not yet placed; 0 and *err. */
static struct vma *
describe(uint start, uint end, int prot, int flags, struct file *file,
	uint64_t off, int *err)
{
	int shared = (flags & MAP_TYPE) != MAP_PRIVATE;
	struct vma *v = 0;

	*err = -EINVAL;
	if ((flags & MAP_TYPE) < MAP_SHARED ||
		(flags & MAP_TYPE) > MAP_SHARED_VALIDATE)
		return 0;
	if ((flags & MAP_GROWSDOWN) && (shared || file))
		return 0;
	*err = -EACCES;
	if (file && (file->flags & O_ACCMODE) == O_WRONLY)
		return 0;
	if (file && shared && (prot & PROT_WRITE) &&
		(file->flags & O_ACCMODE) != O_RDWR)
		return 0;
	*err = -ENODEV;
	if (file && filepcache(file) == 0)
		return 0;
	*err = -ENOMEM;
	v = vmanew(start, end, prot & (PROT_READ | PROT_WRITE | PROT_EXEC),
		flags & MAP_GROWSDOWN ? VM_GROWSDOWN : 0);
	if (v == 0)
		return 0;
	if (shared)
		v->flags |= VM_SHARED;
	if (!file && shared) {
		v->obj = shmnew((end - start) >> PGSHIFT);
		v->flags |= VM_MAYWRITE;
	} else if (file) {
		v->file = filedup(file);
		v->obj = pcacheref(filepcache(file));
		v->pgoff = off >> PGSHIFT;
		if ((file->flags & O_ACCMODE) == O_RDWR)
			v->flags |= VM_MAYWRITE;
	}
	if (shared && v->obj == 0) {
		vmadrop(v);
		return 0;
	}
	return v;
}

/* Where a new mapping goes. */
static int
choose(struct uvm *u, uint addr, uint len, int flags, uint *start)
{
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

/* MAP_POPULATE: fault everything in now; what fails is left for later. */
static void
populate(struct uvm *u, uint start, uint end, int prot)
{
	uint access = prot & PROT_WRITE ? PROT_WRITE : PROT_READ;

	for (uint va = start; prot != PROT_NONE && va < end; va += PGSIZE)
		if (faultlocked(u, va, access) < 0)
			return;
}

/* See mm.h. */
int
munmap(struct uvm *u, uint addr, uint len)
{
	struct drop drop = {0, 0};
	int err;

	if (len == 0 || addr % PGSIZE || addr > USERTOP || len > USERTOP - addr)
		return -EINVAL;
	acquirewrite(&u->lock);
	err = munmaplocked(u, addr, addr + PGROUNDUP(len), &drop);
	releasewrite(&u->lock);
	dropall(&drop);
	return err;
}

/* Give back what munmaplocked() has taken out.  May sleep; no lock held. */
void
dropall(struct drop *drop)
{
	if (drop->tables)
		puttables(drop->tables);
	if (drop->vmas)
		vmadrop(drop->vmas);
}

/* Unmap [start, end).  What was there is added to *drop, for dropall() when the
 * caller has released u->lock.  0, or -ENOMEM with nothing changed. */
int
munmaplocked(struct uvm *u, uint start, uint end, struct drop *drop)
{
	struct vma *edge;

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
	droptables(u, start, end);
	return 0;
}

/* Put a list of vmas in front of another. */
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

/* See mm.h.  Stops at the first hole: what is before it has changed then. */
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
	if (addr > USERTOP || len > USERTOP - addr)
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

/* The part of one mapping. */
static int
protectone(struct uvm *u, struct vma *v, uint start, uint end, int prot)
{
	if (v->prot == prot)
		return 0;
	if ((prot & PROT_WRITE) && (v->flags & VM_SHARED) &&
		!(v->flags & VM_MAYWRITE))
		return -EACCES;
	if (owntables(u, start, end) < 0)
		return -ENOMEM;
	if (vmacut(u, start, end) < 0)
		return -ENOMEM;
	v = vmafind(u, start);
	v->prot = prot;
	protpages(u, start, end, prot);
	return 0;
}

/* See mm.h.  Holes are skipped, and reported at the end. */
int
madvise(struct uvm *u, uint addr, uint len, int advice)
{
	struct drop drop = {0, 0};
	uint end, next;
	struct vma *v;
	int err = 0, hole = 0, i;

	if (addr % PGSIZE || addr > USERTOP || len > USERTOP - addr)
		return -EINVAL;
	if (!advisable(advice))
		return -EINVAL;
	end = addr + PGROUNDUP(len);
	acquirewrite(&u->lock);
	for (uint va = addr; err == 0 && va < end; va = next) {
		i = vmaindex(u, va);
		v = i < u->nvma ? u->vmas[i] : 0;
		if (v == 0 || v->start > va) {
			hole = 1;
			next = v ? MIN(v->start, end) : end;
			continue;
		}
		next = MIN(v->end, end);
		err = advise(u, v, va, next, advice, &drop.tables);
	}
	releasewrite(&u->lock);
	dropall(&drop);
	return err ? err : hole ? -ENOMEM : 0;
}

/* Advice that is known and true to ignore; the rest (huge pages, merging,
 * DONTFORK, WIPEONFORK, REMOVE) would promise what we do not do. */
static int
advisable(int advice)
{
	switch (advice) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_DONTNEED:
	case MADV_FREE:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case MADV_COLD:
	case MADV_PAGEOUT:
		return 1;
	}
	return 0;
}

/* The advice for one mapping: DONTNEED acts, the others may be ignored. */
static int
advise(struct uvm *u, struct vma *v, uint start, uint end, int advice,
	struct page **tables)
{
	if (advice == MADV_FREE && v->obj)
		return -EINVAL;
	if (advice != MADV_DONTNEED)
		return 0;
	if (ownedges(u, start, end) < 0)
		return -ENOMEM;
	unmappages(u, start, end, tables);
	return 0;
}

/* See mm.h.  Shared memory is its own backing store so far: nothing to write,
 * only the arguments count. */
int
msync(struct uvm *u, uint addr, uint len, int flags)
{
	uint end;
	int err = 0;

	if (addr % PGSIZE || (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) ||
		(flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	if (addr > USERTOP || len > USERTOP - addr)
		return -ENOMEM;
	end = addr + PGROUNDUP(len);
	acquireread(&u->lock);
	if (!vmacovers(u, addr, end))
		err = -ENOMEM;
	releaseread(&u->lock);
	return err;
}

/* Is [start, end) mapped without a hole? */
static int
vmacovers(struct uvm *u, uint start, uint end)
{
	int i = vmaindex(u, start);

	for (; start < end; start = u->vmas[i++]->end)
		if (i == u->nvma || u->vmas[i]->start > start)
			return 0;
	return 1;
}

/* See mm.h.  Nothing is ever paged out, so a page that is there is locked. */
int
mlock(struct uvm *u, uint addr, uint len, int lock)
{
	uint start = PGROUNDDOWN(addr), end;
	int err = 0;

	if (addr > USERTOP || len > USERTOP - addr)
		return -ENOMEM;
	end = PGROUNDUP(addr + len);
	acquirewrite(&u->lock);
	if (len > 0 && !vmacovers(u, start, end))
		err = -ENOMEM;
	for (uint va = start; lock && len > 0 && err >= 0 && va < end;
		va += PGSIZE)
		err = faultlocked(u, va, lockaccess(vmafind(u, va)));
	releasewrite(&u->lock);
	return err < 0 ? -ENOMEM : 0;
}

/* Write where that is allowed, so that no copy is left to be made later. */
static uint
lockaccess(const struct vma *v)
{
	return v->prot & PROT_WRITE && !v->obj ? PROT_WRITE : PROT_READ;
}

/* See mm.h: one byte a page, 1 where it is present. */
int
mincore(struct uvm *u, uint addr, uint len, uint uvec)
{
	char vec[128];
	uint n, va = addr, end;
	pte_t *slot;
	int covered;

	if (addr % PGSIZE)
		return -EINVAL;
	if (addr > USERTOP || len > USERTOP - addr)
		return -ENOMEM;
	for (end = addr + PGROUNDUP(len); va < end; uvec += n) {
		acquireread(&u->lock);
		covered = vmacovers(u, va, end);
		for (n = 0; n < sizeof(vec) && va < end; va += PGSIZE) {
			slot = findslot(u->pgdir, va);
			vec[n++] = slot && ptefilled(*slot) &&
				   ptepage(*slot) != zeropage;
		}
		releaseread(&u->lock);
		if (!covered)
			return -ENOMEM;
		if (copyout(uvec, vec, n))
			return -EFAULT;
	}
	return 0;
}
