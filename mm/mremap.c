/*
 * mremap.c - make a mapping longer or shorter, or move it.
 *
 * A move takes the slots along, not the pages' contents: nothing is copied, and
 * a page that was shared stays shared.
 *
 * Invariant: what can fail (vmas, page tables) is made before the first slot
 * moves; on failure the old mapping is as it was.
 */
#include "mm/vm.h"

static int resize(struct uvm *, struct vma *, uint addr, uint oldlen,
	uint newlen);
static int moveto(struct uvm *, struct vma *, uint addr, uint oldlen,
	uint newlen, uint to, struct vma **drop);
static int toofar(const struct vma *, uint addr, uint newlen);

/* See mm.h. */
int
mremap(struct uvm *u, uint addr, uint oldlen, uint newlen, int flags,
	uint newaddr)
{
	struct vma *v, *drop = 0;
	int err;

	oldlen = PGROUNDUP(oldlen);
	if (addr % PGSIZE || (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED)) ||
		newlen == 0 || newlen > USERTOP)
		return -EINVAL;
	newlen = PGROUNDUP(newlen);
	if (flags & MREMAP_FIXED) {
		if (!(flags & MREMAP_MAYMOVE) || newaddr % PGSIZE ||
			newaddr < USERBASE || newaddr > USERTOP - newlen)
			return -EINVAL;
		if (addr < newaddr + newlen && newaddr < addr + oldlen)
			return -EINVAL;
	}
	acquiresleep(&u->lock);
	v = vmafind(u, addr);
	if (v == 0 || oldlen > v->end - addr)
		err = -EFAULT;
	else if (oldlen == 0 && !(v->flags & VM_SHARED))
		err = -EINVAL;
	else if (!(flags & MREMAP_FIXED) && newlen <= oldlen)
		err = munmaplocked(u, addr + newlen, addr + oldlen, &drop);
	else if (!(flags & MREMAP_FIXED) && oldlen &&
		 (err = resize(u, v, addr, oldlen, newlen)) != -EAGAIN)
		;
	else if (!(flags & MREMAP_MAYMOVE))
		err = -ENOMEM;
	else {
		if (!(flags & MREMAP_FIXED))
			newaddr = vmagap(u, newlen);
		err = newaddr ? moveto(u, v, addr, oldlen, newlen, newaddr,
					&drop)
			      : -ENOMEM;
		addr = newaddr;
	}
	releasesleep(&u->lock);
	vmadrop(drop);
	return err < 0 ? err : (int)addr;
}

/* Grow a mapping where it is: 0, -ENOMEM, or -EAGAIN when it can't and has to
 * move. */
static int
resize(struct uvm *u, struct vma *v, uint addr, uint oldlen, uint newlen)
{
	struct vma *more;
	uint end = addr + oldlen;

	if (v->end != end || newlen > USERTOP - addr ||
		vmaoverlap(u, end, addr + newlen))
		return -EAGAIN;
	if (toofar(v, addr, newlen))
		return -EINVAL;
	if (vmalimit(u, newlen - oldlen, 1) < 0 || vmaroom(u, 1) < 0 ||
		owntables(u, end, addr + newlen) < 0)
		return -ENOMEM;
	more = vmaclone(v);
	if (more == 0)
		return -ENOMEM;
	more->start = end;
	more->end = addr + newlen;
	if (more->obj) {
		more->pgoff += (end - v->start) >> PGSHIFT;
		shmgrow(more->obj, more->pgoff + ((newlen - oldlen) >> PGSHIFT));
	}
	vmainsert(u, more); /* merges with v */
	return 0;
}

/* Move [addr, addr+oldlen) of v to to, as newlen bytes.  oldlen 0 makes a
 * second view of shared memory. */
static int
moveto(struct uvm *u, struct vma *v, uint addr, uint oldlen, uint newlen,
	uint to, struct vma **drop)
{
	struct vma *new;
	uint n = MIN(oldlen, newlen);
	int err;

	if (toofar(v, addr, newlen))
		return -EINVAL;
	if (newlen > oldlen && vmalimit(u, newlen - oldlen, 1) < 0)
		return -ENOMEM;
	new = vmaclone(v);
	if (new == 0)
		return -ENOMEM;
	if (new->obj)
		new->pgoff += (addr - v->start) >> PGSHIFT;
	new->flags &= ~(VM_HEAP | VM_STACK);
	new->start = to;
	new->end = to + newlen;
	if (new->obj)
		shmgrow(new->obj, new->pgoff + (newlen >> PGSHIFT));
	err = munmaplocked(u, to, to + newlen, drop);
	if (err == 0)
		err = vmaroom(u, 3); /* new, and two cuts around the old */
	if (err == 0 && oldlen > 0)
		err = vmacut(u, addr, addr + oldlen);
	if (err == 0)
		err = owntables(u, addr, addr + oldlen);
	if (err == 0)
		err = owntables(u, to, to + newlen);
	if (err == 0 && n > 0)
		err = movepages(u, addr, to, n);
	if (err < 0) {
		new->next = *drop;
		*drop = new;
		vmamerge(u, addr, addr + oldlen);
		droptables(u, to, to + newlen);
		return err;
	}
	/* cut and owned above: from here on nothing can fail */
	if (oldlen > 0) {
		unmappages(u, addr, addr + oldlen);
		vmachain(drop, vmaremove(u, addr, addr + oldlen));
	}
	vmainsert(u, new);
	droptables(u, addr, addr + oldlen); /* not before new is there */
	return 0;
}

/* Would a view of v from addr on, newlen bytes long, leave the object? */
static int
toofar(const struct vma *v, uint addr, uint newlen)
{
	uint n = (addr - v->start + newlen) >> PGSHIFT;

	return v->obj && (v->pgoff > MAXINDEX || v->pgoff + n > MAXINDEX);
}
