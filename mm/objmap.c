/*
 * objmap.c - which vmas map a file: from its pages to the slots that show them.
 *
 *   pcache->maps --> mark ---> vma -------> vma -------> vma
 *   (maplock)        (a walk)   | uvm        | uvm        | uvm
 *                               v            v            v
 *                              uvm 1        uvm 1        uvm 2
 *                               | pgdir                   | pgdir
 *                              tables: slots             tables: slots
 *
 * Pages have no list of their slots.  A walk goes through the vmas that map the
 * object, computes the address of each page in each of them, and looks at that
 * slot.  It holds the lock of one address space at a time, so the others may
 * change before and after it visits them, but:
 *
 *   M1  A vma with an object is on that object's list as long as it is in an
 *       address space that others can see.  It enters the list at the end.
 *   M2  Slots of a file spread only by fork and mremap, which hold the lock of
 *       the address space that the slots come from to write.  An address space
 *       that has not been visited gives them to vmas that are still ahead of
 *       the walk; one that has been visited has none left to give.
 *   M3  A fault looks at the file's size with the table locked (truncated() in
 *       fault.c).  The size was lowered before the walk, so no slot is filled
 *       behind it.
 *   M4  Fork shares tables, and a walk changes shared tables in place.  A CPU
 *       may know a page through another directory that hangs the table, so
 *       every CPU is flushed (batchflush() in pgtab.c).  Where a walk only
 *       takes the right to write away, a table that is hung twice needs no
 *       flush: its slots are writable in no TLB (F2).
 *
 * An address space that a walk looks at is pinned (u->pins), not referenced: to
 * drop the last reference closes files, which takes inode locks, and the walker
 * holds one.  Instead freeuvm() waits until nobody has the address space
 * pinned.
 */
#include "mm/vm.h"
#include "kern/sched.h"

struct walk {
	struct pcache *pc;
	uint from, to; /* indices of pages: [from, to) */
	uint flags;    /* VM_SHARED: only shared mappings; 0: all */
	/* What to do to the addresses [start, end) of a vma, which show such
	 * pages.  Called with u->lock held to write. */
	void (*fn)(struct uvm *, uint start, uint end, struct vma *);
};

static struct spinlock pinlock;
static struct waitq unpinned; /* freeuvm() waits here for walkers */
static volatile uint lastwalk; /* number of the newest walk */

static struct pcache *lockmaps(struct pcache *old, struct pcache *new);
static void objwait(struct uvm *);
static void walkmaps(struct walk *);
static struct uvm *nextuvm(struct walk *, struct vma *mark);
static void visit(struct walk *, struct uvm *);
static void unpin(struct uvm *);
static void clearrange(struct uvm *, uint start, uint end, struct vma *);
static void protectrange(struct uvm *, uint start, uint end, struct vma *);
static void clearunlocked(struct uvm *, uint start, uint end, struct vma *);
static void clearcached(struct uvm *, uint start, uint end, struct vma *);

/* Boot. */
void
objmapinit(void)
{
	initlock(&pinlock, RANK_SLEEPQ);
	initwaitq(&unpinned);
}

/* See vm.h. */
void
objlink(struct vma *v, struct uvm *u)
{
	acquire(&v->obj->maplock);
	v->uvm = u;
	listadd(&v->obj->maps, &v->maplink);
	release(&v->obj->maplock);
}

/* See vm.h. */
void
objunlink(struct vma *v)
{
	acquire(&v->obj->maplock);
	if (v->uvm)
		listdel(&v->maplink);
	v->uvm = 0;
	release(&v->obj->maplock);
}

/* See vm.h.  Neighbours often map one object, so its lock is kept from one vma
 * to the next. */
void
objlinkall(struct uvm *u)
{
	struct pcache *pc = 0;
	struct vma *v;

	for (int i = 0; i < u->nvma; i++) {
		v = u->vmas[i];
		if (v->obj == 0)
			continue;
		pc = lockmaps(pc, v->obj);
		v->uvm = u;
		listadd(&pc->maps, &v->maplink);
	}
	lockmaps(pc, 0);
}

/* See vm.h. */
void
objunlinkall(struct uvm *u)
{
	struct pcache *pc = 0;
	struct vma *v;

	for (int i = 0; i < u->nvma; i++) {
		v = u->vmas[i];
		if (v->obj == 0 || v->uvm == 0)
			continue;
		pc = lockmaps(pc, v->obj);
		listdel(&v->maplink);
		v->uvm = 0;
	}
	lockmaps(pc, 0);
	if (u->pins)
		objwait(u);
}

/* Let go of old's maplock and take new's; 0: no pcache.  Returns new. */
static inline struct pcache *
lockmaps(struct pcache *old, struct pcache *new)
{
	if (old != new && old)
		release(&old->maplock);
	if (old != new && new)
		acquire(&new->maplock);
	return new;
}

/* Sleep until no walker has u pinned.  u has no vma on any list, so no new
 * walker comes. */
static void
objwait(struct uvm *u)
{
	acquire(&pinlock);
	while (u->pins)
		sleep(&unpinned, &pinlock);
	release(&pinlock);
}

/* See mm.h. */
uint
pcachemaps(struct pcache *pc)
{
	struct vma *v;
	uint n = 0;

	acquire(&pc->maplock);
	listeach(v, &pc->maps, maplink)
		n += v->uvm != 0;
	release(&pc->maplock);
	return n;
}

/* See vm.h. */
void
objunmap(struct pcache *pc, uint from)
{
	struct walk w = {pc, from, ~0u, 0, clearrange};

	walkmaps(&w);
}

/* See vm.h. */
void
objclean(struct pcache *pc, uint from, uint to)
{
	struct walk w = {pc, from, to, VM_SHARED, protectrange};

	walkmaps(&w);
}

/* See vm.h. */
void
objevict(struct pcache *pc, uint from, uint to)
{
	struct walk w = {pc, from, to, 0, clearunlocked};

	walkmaps(&w);
}

/* See vm.h.  Two walks: a fault that had found the page before it left the
 * cache may fill a slot of a shared table behind the first walk.  That fault
 * holds a u->lock, which the second walk waits for. */
void
objpunch(struct pcache *pc, uint from, uint to)
{
	struct walk w = {pc, from, to, 0, clearcached};

	walkmaps(&w);
	walkmaps(&w);
}

/* Visit each address space that maps the object once, with its lock held to
 * write.  An empty vma on the list marks how far the walk has come. */
static void
walkmaps(struct walk *w)
{
	struct vma mark = {.uvm = 0};
	uint id = xadd(&lastwalk, 1) + 1;
	struct uvm *u;

	lockassert(nospinlocks());
	acquire(&w->pc->maplock);
	listpush(&w->pc->maps, &mark.maplink);
	while ((u = nextuvm(w, &mark)) != 0) {
		release(&w->pc->maplock);
		acquirewrite(&u->lock);
		if (u->walk != id)
			visit(w, u);
		u->walk = id;
		releasewrite(&u->lock);
		unpin(u);
		acquire(&w->pc->maplock);
	}
	listdel(&mark.maplink);
	release(&w->pc->maplock);
}

/* Move the mark behind the next vma that the walk is about, and return that
 * one's address space, pinned; 0 at the end.  Marks of other walks (uvm is 0)
 * are passed over.  Called with maplock held. */
static struct uvm *
nextuvm(struct walk *w, struct vma *mark)
{
	struct list *n;
	struct vma *v;

	lockassert(holding(&w->pc->maplock));
	for (n = mark->maplink.next; n != &w->pc->maps; n = n->next) {
		v = listitem(n, struct vma, maplink);
		if (v->uvm == 0 || (v->flags & w->flags) != w->flags)
			continue;
		listdel(&mark->maplink);
		listpush(n, &mark->maplink);
		atomicinc(&v->uvm->pins);
		return v->uvm;
	}
	return 0;
}

/* Call fn for each vma of u that shows pages of the walk.  Called with u->lock
 * held to write. */
static void
visit(struct walk *w, struct uvm *u)
{
	uint first, last, n;
	struct vma *v;

	lockassert(holdingwrite(&u->lock));
	for (int i = 0; i < u->nvma; i++) {
		v = u->vmas[i];
		if (v->obj != w->pc || (v->flags & w->flags) != w->flags)
			continue;
		n = (v->end - v->start) >> PGSHIFT;
		first = MAX(w->from, v->pgoff) - v->pgoff;
		last = w->to > v->pgoff ? MIN(w->to - v->pgoff, n) : 0;
		if (first < last)
			w->fn(u, v->start + (first << PGSHIFT),
				v->start + (last << PGSHIFT), v);
	}
}

/* The walker has done with u: wake its owner if that waits in objwait(). */
static void
unpin(struct uvm *u)
{
	acquire(&pinlock);
	if (atomicdectest(&u->pins))
		wakeup(&unpinned);
	release(&pinlock);
}

/* For objunmap(): empty all slots, private copies included. */
static void
clearrange(struct uvm *u, uint start, uint end, struct vma *v)
{
	(void)v;
	clearpages(u, start, end);
}

/* For objclean(): write-protect the slots, if v may write at all. */
static void
protectrange(struct uvm *u, uint start, uint end, struct vma *v)
{
	if (v->prot & PROT_WRITE)
		protpages(u, start, end, PROT_READ);
}

/* For objevict(): clearcached(), but not in a mapping that is locked. */
static void
clearunlocked(struct uvm *u, uint start, uint end, struct vma *v)
{
	if (!(v->flags & VM_LOCKED))
		clearcached(u, start, end, v);
}

/* For objpunch(): empty the slots that show pages of the file; private copies
 * of them stay. */
static void
clearcached(struct uvm *u, uint start, uint end, struct vma *v)
{
	struct page *pg;

	(void)v;
	for (uint va = start; va < end; va += PGSIZE) {
		pg = slotpage(u, va);
		if (pg && pg->state == PG_CACHED)
			clearpages(u, va, va + PGSIZE);
		if (pg)
			putpage(pg);
	}
}

/* See vm.h.  Marks of walks are on the list too, with uvm 0. */
void
objcheck(struct pcache *pc, uint *n)
{
	struct vma *v;

	listeach(v, &pc->maps, maplink) {
		assert(v->uvm == 0 || v->obj == pc);
		*n += v->uvm != 0;
	}
}
