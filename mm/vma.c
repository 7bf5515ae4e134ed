/*
 * vma.c - which ranges of an address space are mapped, and how.
 *
 * A mapping is a struct vma ("virtual memory area"): a range of pages with one
 * protection, and what is behind them.  An address space has an array of
 * pointers to its mappings, sorted by address.  Nothing here looks at a page
 * table, so all of this file also runs on the host (ci/unit).
 *
 * Invariants, whenever u->lock is free:
 *   V1  The mappings are sorted, disjoint, page-aligned, not empty, and below
 *       USERTOP.
 *   V2  Neighbours that could be one mapping are one.
 *   V3  STACKGAP bytes stay free below a stack when it grows.
 *   V4  u->size is the sum of the mappings' lengths in pages; u->locked and
 *       u->committed are the sums over those with VM_LOCKED and VM_ACCOUNT.
 */
#include "mm/vm.h"
#include "kern/file.h"

static struct slabcache *vmacache;

static inline int findindex(struct uvm *, uint va);
static int canmerge(const struct vma *, const struct vma *);
static void removeat(struct uvm *, int i);
static void insertat(struct uvm *, int i, struct vma *);
static inline uint gaptop(struct uvm *, int i, uint top, uint len);
static uint gapamongmany(struct uvm *, uint all, uint len);
static uint gapbelow(const struct vma *);

/* See vm.h. */
void
vmainit(void)
{
	vmacache = slabcreate("vma", sizeof(struct vma), 4);
}

/* See vm.h. */
int
vmaindex(struct uvm *u, uint va)
{
	lockassert(holdingeither(&u->lock));
	return findindex(u, va);
}

/* See vm.h. */
struct vma *
vmafind(struct uvm *u, uint va)
{
	struct vma *v = vmahint(u, va);
	int i;

	if (v)
		return v;
	i = vmaindex(u, va);
	return i < u->nvma && u->vmas[i]->start <= va ? u->vmas[i] : 0;
}

/* See vm.h. */
int
vmaoverlap(struct uvm *u, uint start, uint end)
{
	int i;

	if (start >= end)
		return 0;
	i = findindex(u, start);
	return i < u->nvma && u->vmas[i]->start < end;
}

/* vmaindex() for vmcheck too, which holds no lock but has frozen the world.
 * Most often the mapping is the one that was looked for last. */
static inline int
findindex(struct uvm *u, uint va)
{
	int lo = 0, hi = u->nvma, mid = u->hint;

	if (mid < hi && u->vmas[mid]->end > va &&
		(mid == 0 || u->vmas[mid - 1]->end <= va))
		return mid;
	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (u->vmas[mid]->end > va)
			hi = mid;
		else
			lo = mid + 1;
	}
	u->hint = lo;
	return lo;
}

/* See vm.h. */
int
vmaroom(struct uvm *u, int n)
{
	int max = u->maxvma ? u->maxvma : 8;
	struct vma **new;

	lockassert(holdingwrite(&u->lock));
	if (u->nvma + n > (int)MIN(vmtune.maxmaps, 1u << 20))
		return -ENOMEM;
	while (max < u->nvma + n)
		max *= 2;
	if (max == u->maxvma)
		return 0;
	new = kmalloc(max * sizeof(new[0]));
	if (new == 0)
		return -ENOMEM;
	memcpy(new, u->vmas, u->nvma * sizeof(new[0]));
	kmfree(u->vmas);
	u->vmas = new;
	u->maxvma = max;
	return 0;
}

/* See vm.h. */
struct vma *
vmanew(uint start, uint end, int prot, int flags)
{
	struct vma *v = slaballoc(vmacache);

	if (v == 0)
		return 0;
	*v = (struct vma){
		.start = start, .end = end, .prot = prot, .flags = flags};
	return v;
}

/* See vm.h. */
struct vma *
vmaclone(const struct vma *v)
{
	struct vma *new = slaballoc(vmacache);

	if (new == 0)
		return 0;
	*new = *v;
	new->next = 0;
	new->uvm = 0;
	if (new->obj)
		pcacheref(new->obj);
	if (new->file)
		filedup(new->file);
	return new;
}

/* See vm.h. */
void
vmadrop(struct vma *v)
{
	struct vma *next;

	lockassert(nospinlocks());
	for (; v; v = next) {
		next = v->next;
		if (v->obj)
			pcachefree(v->obj);
		if (v->file)
			fileclose(v->file);
		slabfree(vmacache, v);
	}
}

/* See vm.h.  The neighbour that v becomes part of holds the same file, so
 * vmadrop() closes nothing. */
void
vmainsert(struct uvm *u, struct vma *v)
{
	int i = vmaindex(u, v->start);
	struct vma *prev = i > 0 ? u->vmas[i - 1] : 0;
	struct vma *next = i < u->nvma ? u->vmas[i] : 0;

	assert(v->start < v->end && v->end <= USERTOP);
	assert(next == 0 || next->start >= v->end);
	vmaaccount(u, v, vmapages(v));
	if (prev && canmerge(prev, v)) {
		prev->end = v->end;
		vmadrop(v);
		vmamerge(u, prev->end, prev->end);
	} else if (next && canmerge(v, next)) {
		next->start = v->start;
		next->pgoff = v->pgoff;
		vmadrop(v);
	} else {
		insertat(u, i, v);
	}
}

/* See vm.h. */
struct vma *
vmaedge(struct uvm *u, uint start, uint end)
{
	struct vma *v = vmafind(u, start);

	if (v == 0 || end > v->end || (v->start == start) == (v->end == end))
		return 0;
	return v;
}

/* See vm.h. */
void
vmatrim(struct uvm *u, struct vma *v, uint start, uint end)
{
	lockassert(holdingwrite(&u->lock));
	if (v->end == end) {
		v->end = start;
	} else {
		if (v->obj)
			v->pgoff = objindex(v, end);
		v->start = end;
	}
	vmaaccount(u, v, -(int)((end - start) >> PGSHIFT));
	u->gapall = 0;
}

/* See vm.h. */
int
vmasplit(struct uvm *u, uint va)
{
	struct vma *v = vmafind(u, va), *new;

	lockassert(holdingwrite(&u->lock));
	if (v == 0 || v->start == va)
		return 0;
	if (vmaroom(u, 1) < 0)
		return -ENOMEM;
	new = vmaclone(v);
	if (new == 0)
		return -ENOMEM;
	new->start = va;
	if (new->obj)
		new->pgoff = objindex(v, va);
	v->end = va;
	insertat(u, vmaindex(u, va), new);
	return 0;
}

/* See vm.h. */
int
vmacut(struct uvm *u, uint start, uint end)
{
	struct vma *v = vmafind(u, start);

	lockassert(holdingwrite(&u->lock));
	if (v && v->start == start && v->end == end)
		return 0;
	if (vmasplit(u, start) == 0 && vmasplit(u, end) == 0)
		return 0;
	vmamerge(u, start, end);
	return -ENOMEM;
}

/* See vm.h. */
int
vmasetflags(struct uvm *u, struct vma *v, uint start, uint end, uint clear,
	uint set)
{
	int n = (end - start) >> PGSHIFT;

	lockassert(holdingwrite(&u->lock));
	if (((v->flags & ~clear) | set) == v->flags)
		return 0;
	if (vmacut(u, start, end) < 0)
		return -ENOMEM;
	v = vmafind(u, start);
	vmaaccount(u, v, -n);
	v->flags = (v->flags & ~clear) | set;
	vmaaccount(u, v, n);
	return 0;
}

/* See vm.h.  The references of a mapping that is swallowed are dropped; its
 * neighbour holds the same file, so nothing is closed. */
void
vmamerge(struct uvm *u, uint start, uint end)
{
	int i = vmaindex(u, start ? start - 1 : 0);
	struct vma *v, *next;

	lockassert(holdingwrite(&u->lock));
	while (i + 1 < u->nvma && u->vmas[i]->start <= end) {
		v = u->vmas[i];
		next = u->vmas[i + 1];
		if (!canmerge(v, next)) {
			i++;
			continue;
		}
		v->end = next->end;
		removeat(u, i + 1);
		if (next->obj)
			objunlink(next);
		vmadrop(next);
	}
}

/* Could b, if it is just above a, be one mapping with it?  1 or 0. */
static int
canmerge(const struct vma *a, const struct vma *b)
{
	if (a->end != b->start || a->prot != b->prot || a->flags != b->flags)
		return 0;
	if (a->obj != b->obj || a->file != b->file)
		return 0;
	return !a->obj ||
	       objindex(a, a->end) == b->pgoff;
}

/* See vm.h. */
struct vma *
vmaremove(struct uvm *u, uint start, uint end)
{
	int i = vmaindex(u, start), n = 0;
	struct vma *list = 0, *v;

	lockassert(holdingwrite(&u->lock));
	for (; i + n < u->nvma && u->vmas[i + n]->start < end; n++) {
		v = u->vmas[i + n];
		assert(v->start >= start && v->end <= end);
		vmaaccount(u, v, -(int)vmapages(v));
		v->next = list;
		list = v;
		if (v->obj)
			objunlink(v);
	}
	memmove(u->vmas + i, u->vmas + i + n,
		(u->nvma - i - n) * sizeof(u->vmas[0]));
	u->nvma -= n;
	u->gapall = 0;
	return list;
}

/* See vm.h.  The range is below the part of the address space that is left to
 * the stack: its limit, but at least 128 MiB and at most 5/6 of all. */
uint
vmagap(struct uvm *u, uint len)
{
	uint top = USERTOP - MIN(MAX(u->limit[UVM_STACK], 128u << 20),
			USERTOP / 6 * 5 & ~(PGSIZE - 1));

	lockassert(holdingeither(&u->lock));
	top = PGROUNDDOWN(top) - u->args.mmapgap;
	if (u->nvma > MANYVMAS)
		return gapamongmany(u, top, len);
	top = gaptop(u, u->nvma, top, len);
	return top ? top - len : 0;
}

/* The end of the highest free range of len bytes that is below top and below
 * the i-th mapping (u->nvma: below none), an address; 0: there is none. */
static inline uint
gaptop(struct uvm *u, int i, uint top, uint len)
{
	struct vma *v;

	if (i < u->nvma)
		top = MIN(top, gapbelow(u->vmas[i]));
	for (; i > 0; i--) {
		v = u->vmas[i - 1];
		if (top >= len && top - len >= MAX(v->end, MMAPMIN))
			return top;
		top = MIN(top, gapbelow(v));
	}
	return top >= len && top - len >= MMAPMIN ? top : 0;
}

/* vmagap() where there are many mappings: all is the top, an address.  The
 * search begins at the range that was found last, if that one was not longer
 * than this one: what is above it was too short for it.  (Whatever unmaps sets
 * gapall to 0.) */
static uint
gapamongmany(struct uvm *u, uint all, uint len)
{
	uint top = all;
	int i = u->nvma;

	if (u->gapall == all && len >= u->gaplen) {
		top = u->gaptop;
		i = vmaindex(u, top);
		if (i < u->nvma && u->vmas[i]->start < top)
			i++;
	}
	top = gaptop(u, i, top, len);
	if (top == 0)
		return 0;
	u->gapall = all;
	u->gaptop = top;
	u->gaplen = len;
	return top - len;
}

/* The end, an address, of the room below v that mmap may use: below a stack
 * that may grow STACKGAP is left. */
static uint
gapbelow(const struct vma *v)
{
	uint gap = v->flags & VM_GROWSDOWN ? STACKGAP : 0;

	return v->start > gap ? v->start - gap : 0;
}

/* See vm.h. */
int
vmamaygrow(struct uvm *u, uint va, struct vma **vp)
{
	int i = vmaindex(u, va);
	struct vma *v = i < u->nvma ? u->vmas[i] : 0;
	uint start = PGROUNDDOWN(va), pagesup;

	if (v == 0 || !(v->flags & VM_GROWSDOWN) || v->start <= va)
		return -EFAULT;
	if (start < MMAPMIN || v->end - start > u->limit[UVM_STACK])
		return -EFAULT;
	pagesup = (v->start - start) >> PGSHIFT;
	if (u->size + pagesup > u->limit[UVM_AS] >> PGSHIFT ||
		((v->flags & VM_LOCKED) &&
			locklimit(u, v->start - start) < 0) ||
		(vmtune.overcommit == OVERCOMMIT_NEVER &&
			commitlimit(u, pagesup) < 0))
		return -EFAULT;
	if (i > 0 && u->vmas[i - 1]->prot != PROT_NONE &&
		start - u->vmas[i - 1]->end < STACKGAP)
		return -EFAULT;
	if (i > 0 && u->vmas[i - 1]->end > start)
		return -EFAULT;
	*vp = v;
	return 0;
}

/* See vm.h. */
struct vma *
vmastretch(struct uvm *u, struct vma *v, uint start)
{
	int i = vmaindex(u, start);

	lockassert(holdingwrite(&u->lock));
	vmaaccount(u, v, (v->start - start) >> PGSHIFT);
	v->start = start;
	if (i > 0 && canmerge(u->vmas[i - 1], v)) {
		v = u->vmas[i - 1];
		vmamerge(u, start, start);
	}
	return v;
}

/* See vm.h.  Locks are not inherited. */
int
vmacopy(struct uvm *to, struct uvm *from)
{
	struct vma *v;

	lockassert(holdingwrite(&from->lock) && holdingwrite(&to->lock));
	if (vmaroom(to, from->nvma) < 0)
		return -ENOMEM;
	if (vmtune.overcommit == OVERCOMMIT_NEVER &&
		commitlimit(to, from->committed) < 0)
		return -ENOMEM;
	for (int i = 0; i < from->nvma; i++) {
		if (from->vmas[i]->flags & VM_DONTFORK)
			continue;
		v = vmaclone(from->vmas[i]);
		if (v == 0)
			return -ENOMEM;
		v->flags &= ~(VM_LOCKED | VM_LOCKONFAULT);
		to->vmas[to->nvma++] = v;
		vmaaccount(to, v, vmapages(v));
	}
	return 0;
}

/* Make v the i-th mapping.  Called with u->lock held to write. */
static void
insertat(struct uvm *u, int i, struct vma *v)
{
	lockassert(holdingwrite(&u->lock));
	assert(u->nvma < u->maxvma);
	memmove(u->vmas + i + 1, u->vmas + i,
		(u->nvma - i) * sizeof(u->vmas[0]));
	u->vmas[i] = v;
	u->nvma++;
	u->hint = i;
	if (v->obj)
		objlink(v, u);
}

/* Take the i-th mapping out of the array.  Called with u->lock held to
 * write. */
static void
removeat(struct uvm *u, int i)
{
	lockassert(holdingwrite(&u->lock));
	u->nvma--;
	memmove(u->vmas + i, u->vmas + i + 1,
		(u->nvma - i) * sizeof(u->vmas[0]));
}
