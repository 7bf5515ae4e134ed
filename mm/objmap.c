/*
 * objmap.c - who maps a file: from its pages to the slots that show them.
 *
 * A pcache lists the vmas that map it.  A walk over the list takes each address
 * space's lock in turn, so what it finds may change before and after, but:
 *
 *   M1  A vma with an object is on that object's list as long as it is in an
 *       address space that others can see; it gets on at the end.
 *   M2  Slots of a file spread by fork and mremap only, with the lock of the
 *       address space they come from held to write.  One that has not been
 *       visited gives them to vmas that are still ahead, one that has been
 *       visited has none to give.
 *   M3  A fault looks at the file's size with the table locked (truncated() in
 *       fault.c), after the size was lowered: no slot fills behind a walk.
 *   M4  Fork shares tables, and a walk changes them in place.  So a TLB that
 *       learned a page through another address space's directory must forget
 *       it too: all CPUs flush (batchflush() in pgtab.c).  Slots of a table that
 *       is hung twice are writable in no TLB (F2), and need no flush for that.
 *
 * An address space that a walk looks at is pinned, not referenced: the last
 * reference closes files, which a walker, with an inode locked, may not.  Its
 * owner waits for walkers instead, before it frees it.
 */
#include "mm/vm.h"
#include "kern/sched.h"

struct walk {
	struct pcache *pc;
	uint from, to; /* pages */
	uint flags;    /* VM_SHARED: only such vmas */
	void (*fn)(struct uvm *, uint start, uint end, struct vma *);
};

static struct spinlock pinlock;
static struct waitq unpinned;
static volatile uint lastwalk;

static struct pcache *lockmaps(struct pcache *old, struct pcache *new);
static void objwait(struct uvm *);
static void walkmaps(struct walk *);
static struct uvm *nextuvm(struct walk *, struct vma *mark);
static void visit(struct walk *, struct uvm *);
static void unpin(struct uvm *);
static void clear(struct uvm *, uint start, uint end, struct vma *);
static void protect(struct uvm *, uint start, uint end, struct vma *);
static void forget(struct uvm *, uint start, uint end, struct vma *);
static void takeout(struct uvm *, uint start, uint end, struct vma *);

void
objmapinit(void)
{
	initlock(&pinlock, RANK_SLEEPQ);
	initwaitq(&unpinned);
}

void
objlink(struct vma *v, struct uvm *u)
{
	acquire(&v->obj->maplock);
	v->uvm = u;
	listadd(&v->obj->maps, &v->maplink);
	release(&v->obj->maplock);
}

void
objunlink(struct vma *v)
{
	acquire(&v->obj->maplock);
	if (v->uvm)
		listdel(&v->maplink);
	v->uvm = 0;
	release(&v->obj->maplock);
}

/* All of u's, most of which map one object. */
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

/* The list of new is locked afterwards, in place of old's; 0: none. */
static inline struct pcache *
lockmaps(struct pcache *old, struct pcache *new)
{
	if (old != new && old)
		release(&old->maplock);
	if (old != new && new)
		acquire(&new->maplock);
	return new;
}

/* u has no vma on any list: wait until no walker looks at it. */
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
	struct walk w = {pc, from, ~0u, 0, clear};

	walkmaps(&w);
}

/* See vm.h. */
void
objclean(struct pcache *pc, uint from, uint to)
{
	struct walk w = {pc, from, to, VM_SHARED, protect};

	walkmaps(&w);
}

/* See vm.h. */
void
objforget(struct pcache *pc, uint from, uint to)
{
	struct walk w = {pc, from, to, 0, forget};

	walkmaps(&w);
}

/* See vm.h.  Twice: a fault that had the page before it left the cache may fill a
 * shared table behind the first walk, and has ended before the second. */
void
objpunch(struct pcache *pc, uint from, uint to)
{
	struct walk w = {pc, from, to, 0, takeout};

	walkmaps(&w);
	walkmaps(&w);
}

/* Do it in each address space that maps the object, once in each. */
static void
walkmaps(struct walk *w)
{
	struct vma mark = {.uvm = 0};
	uint id = xadd(&lastwalk, 1) + 1;
	struct uvm *u;

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

/* Move the mark behind the next vma, whose address space comes back pinned; 0 at
 * the end.  Others may have marks in the list too.  The list is locked. */
static struct uvm *
nextuvm(struct walk *w, struct vma *mark)
{
	struct list *n;
	struct vma *v;

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

/* All the vmas of one address space.  u->lock held to write. */
static void
visit(struct walk *w, struct uvm *u)
{
	uint first, last, n;
	struct vma *v;

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

static void
unpin(struct uvm *u)
{
	acquire(&pinlock);
	if (atomicdectest(&u->pins))
		wakeup(&unpinned);
	release(&pinlock);
}

static void
clear(struct uvm *u, uint start, uint end, struct vma *v)
{
	(void)v;
	clearpages(u, start, end);
}

static void
protect(struct uvm *u, uint start, uint end, struct vma *v)
{
	if (v->prot & PROT_WRITE)
		protpages(u, start, end, PROT_READ);
}

/* The pages of the file, not private copies. */
static void
forget(struct uvm *u, uint start, uint end, struct vma *v)
{
	if (!(v->flags & VM_LOCKED))
		takeout(u, start, end, v);
}

/* The same, of locked mappings too. */
static void
takeout(struct uvm *u, uint start, uint end, struct vma *v)
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

/* See vm.h. */
void
objcheck(struct pcache *pc, uint *n)
{
	struct vma *v;

	listeach(v, &pc->maps, maplink) {
		assert(v->uvm == 0 || v->obj == pc);
		*n += v->uvm != 0;
	}
}
