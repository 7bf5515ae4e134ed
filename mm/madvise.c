/*
 * madvise.c - what a program tells the kernel about its memory (madvise), and
 * what it asks (mincore).
 *
 * The kinds of advice are Linux's, and so is what is refused.  Huge pages and
 * merging of equal pages are refused as by a Linux built without them.
 */
#include "mm/vm.h"
#include "kern/file.h"

static int advisable(int advice);
static int adviserange(struct uvm *, uint start, uint end, int advice,
	struct page **tables);
static int advise(struct uvm *, struct vma *, uint start, uint end, int advice,
	struct page **tables);
static void willneed(struct vma *, uint start, uint end);
static int dontneed(struct uvm *, struct vma *, uint start, uint end,
	int advice, struct page **tables);
static int removeall(struct uvm *, uint start, uint end);
static int removable(struct uvm *, uint va, uint *n, struct file **,
	struct pcache **, uint64_t *off);
static int populatenow(struct uvm *, uint start, uint end, int advice);
static uint incore(struct uvm *, uint va, uint end, char *vec);
static int tells(const struct vma *);

/* See mm.h.  Holes are skipped; -ENOMEM tells of them at the end. */
int
madvise(struct uvm *u, uint addr, uint len, int advice)
{
	struct drop drop = {0, 0};
	uint end;
	int err;

	if (!advisable(advice) || addr % PGSIZE)
		return -EINVAL;
	if (len > PGROUNDDOWN(~0u) - addr)
		return -EINVAL;
	if (len == 0)
		return 0;
	if (!inuser(addr, len))
		return -ENOMEM;
	end = addr + PGROUNDUP(len);
	if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
		return populatenow(u, addr, end, advice);
	if (advice == MADV_REMOVE)
		return removeall(u, addr, end);
	acquirewrite(&u->lock);
	err = adviserange(u, addr, end, advice, &drop.tables);
	vmamerge(u, addr, end);
	releasewrite(&u->lock);
	dropall(&drop);
	return err;
}

/* Is it an advice that this kernel knows?  1 or 0. */
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
	case MADV_REMOVE:
	case MADV_DONTFORK:
	case MADV_DOFORK:
	case MADV_WIPEONFORK:
	case MADV_KEEPONFORK:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case MADV_COLD:
	case MADV_PAGEOUT:
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
	case MADV_DONTNEED_LOCKED:
		return 1;
	}
	return 0;
}

/* Give the advice to each mapping in [start, end).  Page tables that come free
 * go to the list *tables.  0, -ENOMEM if there was a hole, or another error of
 * advise().  Called with u->lock held to write. */
static int
adviserange(struct uvm *u, uint start, uint end, int advice,
	struct page **tables)
{
	int err = 0, hole = 0, i;
	struct vma *v;
	uint next;

	lockassert(holdingwrite(&u->lock));
	for (uint va = start; err == 0 && va < end; va = next) {
		i = vmaindex(u, va);
		v = i < u->nvma ? u->vmas[i] : 0;
		if (v == 0 || v->start > va) {
			hole = 1;
			next = v ? MIN(v->start, end) : end;
			continue;
		}
		next = MIN(v->end, end);
		err = advise(u, v, va, next, advice, tables);
	}
	return err ? err : hole ? -ENOMEM : 0;
}

/* Follow the advice for [start, end), which is part of v.  Page tables that
 * come free go to the list *tables.  0 or -errno.  Called with u->lock held to
 * write. */
static int
advise(struct uvm *u, struct vma *v, uint start, uint end, int advice,
	struct page **tables)
{
	uint reading = VM_RANDREAD | VM_SEQREAD, set = 0, clear = 0;

	switch (advice) {
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_FREE:
	case MADV_COLD:
	case MADV_PAGEOUT:
		return dontneed(u, v, start, end, advice, tables);
	case MADV_WILLNEED:
		willneed(v, start, end);
		return 0;
	case MADV_WIPEONFORK:
		if (v->obj)
			return -EINVAL;
		set = VM_WIPEONFORK;
		break;
	case MADV_NORMAL: clear = reading; break;
	case MADV_RANDOM: clear = reading, set = VM_RANDREAD; break;
	case MADV_SEQUENTIAL: clear = reading, set = VM_SEQREAD; break;
	case MADV_DONTFORK: set = VM_DONTFORK; break;
	case MADV_DOFORK: clear = VM_DONTFORK; break;
	case MADV_KEEPONFORK: clear = VM_WIPEONFORK; break;
	case MADV_DONTDUMP: set = VM_DONTDUMP; break;
	case MADV_DODUMP: clear = VM_DONTDUMP; break;
	}
	return vmasetflags(u, v, start, end, clear, set);
}

/* Start to read what the vma shows at addresses [start, end). */
static void
willneed(struct vma *v, uint start, uint end)
{
	if (v->obj)
		pcacheahead(v->obj, objoffset(v, start), objoffset(v, end));
}

/* Give the pages of [start, end), which is part of v, back at once if the
 * advice demands that (MADV_DONTNEED); for MADV_FREE any time would do, and
 * MADV_COLD and MADV_PAGEOUT would need somewhere to page out to, so nothing is
 * done.  0 or -errno.  Called with u->lock held to write. */
static int
dontneed(struct uvm *u, struct vma *v, uint start, uint end, int advice,
	struct page **tables)
{
	lockassert(holdingwrite(&u->lock));
	if ((v->flags & VM_LOCKED) && advice != MADV_DONTNEED_LOCKED)
		return -EINVAL;
	if (advice == MADV_FREE && v->obj)
		return -EINVAL;
	if (advice != MADV_DONTNEED && advice != MADV_DONTNEED_LOCKED)
		return 0;
	if (ownedges(u, start, end) < 0)
		return -ENOMEM;
	unmappages(u, start, end, tables);
	return 0;
}

/* MADV_REMOVE: make a hole in the object of each shared mapping in [start,
 * end), so that its pages are given back and read as zeroes.  0 or -errno;
 * -ENOMEM if nothing was mapped somewhere.  Called with no lock held. */
static int
removeall(struct uvm *u, uint start, uint end)
{
	int err = 0, hole = 0;
	struct file *file;
	struct pcache *pc;
	uint64_t off;
	uint n;

	lockassert(nospinlocks());
	for (uint va = start; err == 0 && va < end; va += n) {
		n = end - va;
		err = removable(u, va, &n, &file, &pc, &off);
		if (err == -ENOMEM) {
			hole = 1;
			err = 0;
		} else if (err == 0 && file) {
			err = filepunch(file, off, n);
			fileclose(file);
		} else if (err == 0) {
			pcachepunch(pc, off, off + n);
			pcachefree(pc);
		}
	}
	return err ? err : hole ? -ENOMEM : 0;
}

/* What MADV_REMOVE has to do at va, for at most *n bytes: 0 with a reference to
 * the file in *file, or else one to the memory without a name in *pc, the byte
 * of it that is at va in *off, and in *n how many bytes are mapped so.
 * -ENOMEM: nothing is mapped for *n bytes; -EINVAL, -EACCES: this must not be
 * removed. */
static int
removable(struct uvm *u, uint va, uint *n, struct file **file,
	struct pcache **pc, uint64_t *off)
{
	int err = 0, i;
	struct vma *v;

	acquireread(&u->lock);
	i = vmaindex(u, va);
	v = i < u->nvma ? u->vmas[i] : 0;
	if (v == 0 || v->start > va) {
		*n = v ? MIN(v->start - va, *n) : *n;
		err = -ENOMEM;
	} else if ((v->flags & VM_LOCKED) || v->obj == 0) {
		err = -EINVAL;
	} else if (!(v->flags & VM_SHARED) || !(v->prot & PROT_WRITE)) {
		err = -EACCES;
	} else {
		*n = MIN(v->end - va, *n);
		*off = objoffset(v, va);
		*file = v->file ? filedup(v->file) : 0;
		*pc = v->file ? 0 : pcacheref(v->obj);
	}
	releaseread(&u->lock);
	return err;
}

/* MADV_POPULATE_READ and MADV_POPULATE_WRITE: fault in each page of [start,
 * end).  0 or -errno.  Called with no lock held; may sleep. */
static int
populatenow(struct uvm *u, uint start, uint end, int advice)
{
	uint access = advice == MADV_POPULATE_WRITE ? PROT_WRITE : PROT_READ;
	int err;

	lockassert(nospinlocks());
	for (uint va = start; va < end; va += PGSIZE) {
		err = fault(u, va, access);
		if (err == -EFAULT)
			return -ENOMEM; /* nothing is mapped */
		if (err < 0)
			return err == -EACCES ? -EINVAL
			       : err == -EIO  ? -EFAULT
					      : err;
	}
	return 0;
}

/* See mm.h. */
int
mincore(struct uvm *u, uint addr, uint len, uint uvec)
{
	uint n, va = addr, end;
	char vec[128];

	if (addr % PGSIZE)
		return -EINVAL;
	if (!inuser(addr, len))
		return -ENOMEM;
	for (end = addr + PGROUNDUP(len); va < end; va += n << PGSHIFT) {
		acquireread(&u->lock);
		n = incore(u, va, MIN(end, va + (sizeof(vec) << PGSHIFT)), vec);
		releaseread(&u->lock);
		if (n == 0)
			return -ENOMEM;
		if (copyout(uvec, vec, n))
			return -EFAULT;
		uvec += n;
	}
	return 0;
}

/* Set vec[] for the pages of [va, end) up to the first that is not mapped, and
 * return how many they are: 1 for a page that is in memory, else 0.  A page of
 * a file is in memory if the cache has it.  Called with u->lock held. */
static uint
incore(struct uvm *u, uint va, uint end, char *vec)
{
	struct vma *v;
	pte_t *slot;
	uint n = 0;

	lockassert(holdingeither(&u->lock));
	for (; va < end && (v = vmafind(u, va)) != 0; va += PGSIZE) {
		slot = findslot(u->pgdir, va);
		if ((slot && ptefilled(*slot)) || !tells(v))
			vec[n++] = 1;
		else
			vec[n++] = v->obj &&
				   pcachecached(v->obj, objindex(v, va));
	}
	return n;
}

/* May the running process know what is cached of the mapped file?  It may if it
 * owns the file or may write to it; memory without a file is no secret.  1 or
 * 0. */
static int
tells(const struct vma *v)
{
	return v->file == 0 || filemine(v->file);
}
