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

struct move {
	struct uvm *uvm;
	struct vma *vma;     /* that covers the old range */
	uint old, oldlen;    /* page aligned; oldlen 0: a second view of it */
	uint new, newlen;
	int keep;            /* MREMAP_DONTUNMAP: the old one stays, empty */
	int bringin;         /* it is locked */
	struct drop drop;    /* once the lock is released */
};

static int badrange(const struct move *, int flags);
static int remap(struct move *, int flags);
static int grow(struct move *);
static int move(struct move *);
static struct vma *newview(struct move *);
static int prepare(struct move *);
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

/* Shrink, grow in place, or move: m->new is where the mapping is then. */
static int
remap(struct move *m, int flags)
{
	int fixed = flags & MREMAP_FIXED, err;
	uint more;

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
	more = m->newlen - (m->keep ? 0 : MIN(m->oldlen, m->newlen));
	if (more && (err = vmalimit(m->uvm, more, m->vma->prot,
			     m->vma->flags)) < 0)
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

/* Would the new view leave the object? */
static int
toofar(const struct move *m)
{
	struct vma *v = m->vma;
	uint n = (m->old - v->start + m->newlen) >> PGSHIFT;

	return v->obj && (v->pgoff > MAXINDEX || v->pgoff + n > MAXINDEX);
}

/* Where it is: 0, -ENOMEM, or -EAGAIN when it has to move. */
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
		more->pgoff += m->oldlen >> PGSHIFT;
	vmainsert(m->uvm, more); /* merges with the old one */
	return 0;
}

/* A vma for the new range, not yet in place; or 0. */
static struct vma *
newview(struct move *m)
{
	struct vma *v = vmaclone(m->vma);

	if (v == 0)
		return 0;
	v->start = m->new;
	v->end = m->new + m->newlen;
	if (v->obj) {
		v->pgoff += (m->old - m->vma->start) >> PGSHIFT;
		shmgrow(v->obj, v->pgoff + (m->newlen >> PGSHIFT));
	}
	return v;
}

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
		droptables(m->uvm, m->new, newend);
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
	droptables(m->uvm, m->old, oldend); /* not before v is there */
	return 0;
}

/* All that can fail, and last the slots: 0, or -errno with the old mapping as it
 * was.  (What the new one replaces may be gone, as on Linux.) */
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
