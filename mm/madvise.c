/*
 * madvise.c - what a program tells about its memory, and asks: madvise, mincore.
 *
 * Advice is Linux's, and so is what is refused.  Huge pages and merging are
 * refused as by a Linux built without them.
 */
#include "mm/vm.h"
#include "kern/file.h"

static int advisable(int advice);
static int adviserange(struct uvm *, uint start, uint end, int advice,
	struct page **tables);
static int advise(struct uvm *, struct vma *, uint start, uint end, int advice,
	struct page **tables);
static void willneed(struct vma *, uint start, uint end);
static int forget(struct uvm *, struct vma *, uint start, uint end, int advice,
	struct page **tables);
static int removeall(struct uvm *, uint start, uint end);
static int removable(struct uvm *, uint va, uint *n, struct file **,
	struct pcache **, uint64_t *off);
static int populatenow(struct uvm *, uint start, uint end, int advice);
static uint incore(struct uvm *, uint va, uint end, char *vec);
static int tells(const struct vma *);

/* See mm.h.  Holes are skipped, and reported at the end. */
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
	if (addr > USERTOP || len > USERTOP - addr)
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

/* u->lock held to write. */
static int
adviserange(struct uvm *u, uint start, uint end, int advice,
	struct page **tables)
{
	int err = 0, hole = 0, i;
	struct vma *v;
	uint next;

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

/* The advice for one mapping. */
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
		return forget(u, v, start, end, advice, tables);
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

/* Start to read what the vma shows from start to end. */
static void
willneed(struct vma *v, uint start, uint end)
{
	uint64_t off = (uint64_t)v->pgoff << PGSHIFT;

	if (v->obj)
		pcacheahead(v->obj, off + (start - v->start),
			off + (end - v->start));
}

/* Give the pages back.  MADV_FREE may do so at any time, COLD and PAGEOUT need
 * somewhere to page out to. */
static int
forget(struct uvm *u, struct vma *v, uint start, uint end, int advice,
	struct page **tables)
{
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

/* MADV_REMOVE: what is shared is given back, in the file too. */
static int
removeall(struct uvm *u, uint start, uint end)
{
	int err = 0, hole = 0;
	struct file *file;
	struct pcache *pc;
	uint64_t off;
	uint n;

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

/* What is mapped at va, for *n bytes: references to the file, or to the memory
 * without a name.  -ENOMEM: nothing is. */
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
		*off = ((uint64_t)v->pgoff << PGSHIFT) + (va - v->start);
		*file = v->file ? filedup(v->file) : 0;
		*pc = v->file ? 0 : pcacheref(v->obj);
	}
	releaseread(&u->lock);
	return err;
}

/* Bring in all of it, for this access, or say why not. */
static int
populatenow(struct uvm *u, uint start, uint end, int advice)
{
	uint access = advice == MADV_POPULATE_WRITE ? PROT_WRITE : PROT_READ;
	int err;

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

/* See mm.h: one byte a page, 1 where it is in memory. */
int
mincore(struct uvm *u, uint addr, uint len, uint uvec)
{
	uint n, va = addr, end;
	char vec[128];

	if (addr % PGSIZE)
		return -EINVAL;
	if (addr > USERTOP || len > USERTOP - addr)
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

/* As far as pages of [va, end) are mapped: how many, and of each whether it is
 * there.  A page of a file is, if the cache has it. */
static uint
incore(struct uvm *u, uint va, uint end, char *vec)
{
	struct vma *v;
	pte_t *slot;
	uint n = 0;

	for (; va < end && (v = vmafind(u, va)) != 0; va += PGSIZE) {
		slot = findslot(u->pgdir, va);
		if ((slot && ptefilled(*slot)) || !tells(v))
			vec[n++] = 1;
		else
			vec[n++] = v->obj && pcachecached(v->obj, v->pgoff +
						((va - v->start) >> PGSHIFT));
	}
	return n;
}

/* May the program know what is cached of the mapped file?  Its owner may, and
 * who may write to it. */
static int
tells(const struct vma *v)
{
	return v->file == 0 || filemine(v->file);
}
