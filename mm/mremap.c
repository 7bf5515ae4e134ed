/*
 * mremap.c - make a mapping longer or shorter, or move it.
 *
 * A move takes what is in the slots along, not the pages' contents: nothing is
 * copied, and a page that was shared stays shared.
 *
 * Invariant: what can fail for want of memory (vmas, page tables) is made
 * before the first slot moves; on failure the old mapping is as it was.
 */
#include "mm/vm.h"

struct move {
	struct uvm *uvm;
	struct vma *vma;     /* the vma that covers the old range */
	uint old, oldlen;    /* old range, bytes, page aligned; oldlen 0: the
	                      * new range will be a second view of the object */
	uint new, newlen;    /* new range, bytes, page aligned */
	int keep;            /* MREMAP_DONTUNMAP: the old vma stays, empty */
	int bringin;         /* the vma is locked: new pages are brought in */
	struct drop drop;    /* for dropall() */
};

static int badrange(const struct move *, int flags);
static int remap(struct move *, int flags);
static int grow(struct move *);
static int move(struct move *);
static struct vma *newview(struct move *);
static int prepare(struct move *);
static int mayadd(const struct move *);
static int toofar(const struct move *);

/* See mm.h. */
int
mremap(struct uvm *u, uint addr, uint oldlen, uint newlen, int flags,
	uint newaddr)
{
	struct move m = {
		.uvm = u,
		.old = addr,
		.oldlen = PGROUNDUP(oldlen),
		.new = newaddr,
		.newlen = PGROUNDUP(newlen),
		.keep = flags & MREMAP_DONTUNMAP,
	};
	int err;

	if (newlen == 0 || newlen > USERTOP || badrange(&m, flags))
		return -EINVAL;
	acquirewrite(&u->lock);
	err = remap(&m, flags);
	releasewrite(&u->lock);
	dropall(&m.drop);
	if (err == 0 && m.bringin && m.newlen > m.oldlen)
		populate(u, m.new + m.oldlen, m.new + m.newlen);
	return err < 0 ? err : (int)m.new;
}

/* Are the flags, addresses and lengths wrong in themselves?  1 or 0. */
static int
badrange(const struct move *m, int flags)
{
	if (m->old % PGSIZE || (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED |
					       MREMAP_DONTUNMAP)))
		return 1;
	if (m->keep && m->oldlen != m->newlen)
		return 1;
	if (!(flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)))
		return 0;
	if (!(flags & MREMAP_MAYMOVE) || m->new % PGSIZE)
		return 1;
	if (!(flags & MREMAP_FIXED))
		return 0;
	if (m->new < USERBASE || m->new > USERTOP - m->newlen)
		return 1;
	return m->old < m->new + m->newlen && m->new < m->old + m->oldlen;
}

/* Shrink, grow in place, or move: 0 with m->new where the mapping is then, or
 * -errno.  Called with m->uvm->lock held to write. */
static int
remap(struct move *m, int flags)
{
	int fixed = flags & MREMAP_FIXED, err;

	lockassert(holdingwrite(&m->uvm->lock));
	m->vma = vmafind(m->uvm, m->old);
	if (m->vma == 0 || m->oldlen > m->vma->end - m->old)
		return -EFAULT;
	if (m->oldlen == 0 && !(m->vma->flags & VM_SHARED))
		return -EINVAL;
	m->bringin = (m->vma->flags & (VM_LOCKED | VM_LOCKONFAULT)) ==
		     VM_LOCKED;
	if (!fixed && !m->keep && m->newlen <= m->oldlen) {
		m->new = m->old;
		return munmaplocked(m->uvm, m->old + m->newlen,
			m->old + m->oldlen, &m->drop);
	}
	if (toofar(m))
		return -EINVAL;
	err = mayadd(m);
	if (err < 0)
		return err;
	err = -EAGAIN;
	if (!fixed && !m->keep && m->oldlen > 0)
		err = grow(m);
	if (err != -EAGAIN)
		return err;
	if (!fixed)
		m->new = vmagap(m->uvm, m->newlen);
	if (!(flags & MREMAP_MAYMOVE) || m->new == 0)
		return -ENOMEM;
	return move(m);
}

/* May so much be mapped as the new range is more than the old one?  0, -ENOMEM
 * or -EAGAIN. */
static int
mayadd(const struct move *m)
{
	uint more = m->newlen - (m->keep ? 0 : MIN(m->oldlen, m->newlen));

	if (more == 0)
		return 0;
	return vmalimit(m->uvm, more, m->vma->prot, m->vma->flags);
}

/* Would the new range show pages beyond what an object may have?  1 or 0. */
static int
toofar(const struct move *m)
{
	struct vma *v = m->vma;

	return v->obj && (v->pgoff > MAXINDEX ||
			objindex(v, m->old + m->newlen) > MAXINDEX);
}

/* Grow the mapping where it is: 0 with m->new set, -ENOMEM, or -EAGAIN if there
 * is no room and it has to move. */
static int
grow(struct move *m)
{
	uint oldend = m->old + m->oldlen, newend = m->old + m->newlen;
	struct vma *more;

	if (m->vma->end != oldend || m->newlen > USERTOP - m->old ||
		vmaoverlap(m->uvm, oldend, newend))
		return -EAGAIN;
	if (vmaroom(m->uvm, 1) < 0 ||
		owntables(m->uvm, oldend, newend) < 0)
		return -ENOMEM;
	m->new = m->old;
	more = newview(m);
	if (more == 0)
		return -ENOMEM;
	more->start = oldend;
	if (more->obj)
		more->pgoff = objindex(m->vma, oldend);
	vmainsert(m->uvm, more); /* merges with the old one */
	return 0;
}

/* A vma for the new range, in no address space yet; 0: no memory. */
static struct vma *
newview(struct move *m)
{
	struct vma *v = vmaclone(m->vma);

	if (v == 0)
		return 0;
	v->start = m->new;
	v->end = m->new + m->newlen;
	if (v->obj) {
		v->pgoff = objindex(m->vma, m->old);
		shmgrow(v->obj, v->pgoff + (m->newlen >> PGSHIFT));
	}
	return v;
}

/* Move the mapping to m->new: 0, or -errno with the old mapping as it was. */
static int
move(struct move *m)
{
	uint oldend = m->old + m->oldlen, newend = m->new + m->newlen;
	struct vma *v;
	int err;

	v = newview(m);
	if (v == 0)
		return -ENOMEM;
	v->flags &= ~(VM_HEAP | VM_STACK);
	err = prepare(m);
	if (err < 0) {
		vmachain(&m->drop.vmas, v);
		vmamerge(m->uvm, m->old, oldend);
		trimtables(m->uvm, m->new, newend);
		return err;
	}
	if (m->keep) {
		vmasetflags(m->uvm, vmafind(m->uvm, m->old), m->old, oldend,
			VM_LOCKED | VM_LOCKONFAULT, 0);
		vmamerge(m->uvm, m->old, oldend);
	} else if (m->oldlen > 0) {
		unmappages(m->uvm, m->old, oldend, 0);
		vmachain(&m->drop.vmas, vmaremove(m->uvm, m->old, oldend));
	}
	vmainsert(m->uvm, v);
	trimtables(m->uvm, m->old, oldend); /* not before v is there */
	return 0;
}

/* Do all of a move that can fail, and at last move what is in the slots: 0, or
 * -errno with the old mapping as it was, perhaps cut in parts.  (What the new
 * mapping replaces may be gone then, as on Linux.) */
static int
prepare(struct move *m)
{
	uint oldend = m->old + m->oldlen, newend = m->new + m->newlen;
	int err;

	err = munmaplocked(m->uvm, m->new, newend, &m->drop);
	if (err == 0)
		err = vmaroom(m->uvm, 3); /* the new one, and two cuts */
	if (err == 0 && m->oldlen > 0)
		err = vmacut(m->uvm, m->old, oldend);
	if (err == 0)
		err = owntables(m->uvm, m->old, oldend);
	if (err == 0)
		err = owntables(m->uvm, m->new, newend);
	if (err == 0)
		err = movepages(m->uvm, m->old, m->new,
			MIN(m->oldlen, m->newlen));
	return err;
}
