/*
 * vma.c - which ranges of an address space are mapped, and how.
 *
 * The mappings are an array of pointers sorted by address.  Nothing here looks
 * at a page table, so all of it also runs on the host (ci/unit).
 *
 * Invariants, with u->lock held throughout:
 *   V1  Sorted, disjoint, page-aligned, not empty, below USERTOP.
 *   V2  Neighbours that could be one mapping are one.
 *   V3  STACKGAP bytes stay free below a stack when it grows.
 *   V4  u->size is the sum of their lengths in pages; u->locked and u->committed
 *       of those with the flag.
 */
#include "mm/vm.h"
#include "kern/file.h"

static struct slabcache *vmacache;

static int canmerge(const struct vma *, const struct vma *);
static void removeat(struct uvm *, int i);
static void insertat(struct uvm *, int i, struct vma *);
static inline uint gaptop(struct uvm *, int i, uint top, uint len);
static uint gapamongmany(struct uvm *, uint all, uint len);
static uint gapbelow(const struct vma *);

void
vmainit(void)
{
	vmacache = slabcreate("vma", sizeof(struct vma), 4);
}

/* Index of the first mapping that ends above va (nvma: none does).  Most often
 * it is the one that was looked for last. */
int
vmaindex(struct uvm *u, uint va)
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

/* Does any mapping have a page in [start, end)? */
int
vmaoverlap(struct uvm *u, uint start, uint end)
{
	int i;

	if (start >= end)
		return 0;
	i = vmaindex(u, start);
	return i < u->nvma && u->vmas[i]->start < end;
}

/* Make sure that n more mappings fit: 0 or -ENOMEM. */
int
vmaroom(struct uvm *u, int n)
{
	int max = u->maxvma ? u->maxvma : 8;
	struct vma **new;

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

/* Free a list of mappings that are in no address space any more.  Closing the
 * file of one may sleep and take an inode lock: u->lock is not held. */
void
vmadrop(struct vma *v)
{
	struct vma *next;

	for (; v; v = next) {
		next = v->next;
		if (v->obj)
			pcachefree(v->obj);
		if (v->file)
			fileclose(v->file);
		slabfree(vmacache, v);
	}
}

/* Add a mapping; vmaroom() has made room and nothing overlaps it.  It may become
 * part of a neighbour (V2): look it up again. */
void
vmainsert(struct uvm *u, struct vma *v)
{
	int i = vmaindex(u, v->start);
	struct vma *prev = i > 0 ? u->vmas[i - 1] : 0;
	struct vma *next = i < u->nvma ? u->vmas[i] : 0;

	assert(v->start < v->end && v->end <= USERTOP);
	assert(next == 0 || next->start >= v->end);
	vmaaccount(u, v, (v->end - v->start) >> PGSHIFT);
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

/* The mapping of which [start, end) is the beginning or the end, but not all of
 * it; or 0. */
struct vma *
vmaedge(struct uvm *u, uint start, uint end)
{
	struct vma *v = vmafind(u, start);

	if (v == 0 || end > v->end || (v->start == start) == (v->end == end))
		return 0;
	return v;
}

/* Take that part off. */
void
vmatrim(struct uvm *u, struct vma *v, uint start, uint end)
{
	if (v->end == end) {
		v->end = start;
	} else {
		if (v->obj)
			v->pgoff += (end - start) >> PGSHIFT;
		v->start = end;
	}
	vmaaccount(u, v, -(int)((end - start) >> PGSHIFT));
	u->gapall = 0;
}

/* Cut the mapping that crosses va in two there: 0, or -ENOMEM. */
int
vmasplit(struct uvm *u, uint va)
{
	struct vma *v = vmafind(u, va), *new;

	if (v == 0 || v->start == va)
		return 0;
	if (vmaroom(u, 1) < 0)
		return -ENOMEM;
	new = vmaclone(v);
	if (new == 0)
		return -ENOMEM;
	new->start = va;
	if (new->obj)
		new->pgoff += (va - v->start) >> PGSHIFT;
	v->end = va;
	insertat(u, vmaindex(u, va), new);
	return 0;
}

/* Cut so that no mapping crosses start or end: 0, or -ENOMEM with nothing
 * changed. */
int
vmacut(struct uvm *u, uint start, uint end)
{
	struct vma *v = vmafind(u, start);

	if (v && v->start == start && v->end == end)
		return 0;
	if (vmasplit(u, start) == 0 && vmasplit(u, end) == 0)
		return 0;
	vmamerge(u, start, end);
	return -ENOMEM;
}

/* Change the flags of [start, end), which is part of v: 0, or -ENOMEM with nothing
 * changed.  The caller merges. */
int
vmasetflags(struct uvm *u, struct vma *v, uint start, uint end, uint clear,
	uint set)
{
	int n = (end - start) >> PGSHIFT;

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

/* Join what can be joined from just below start to just above end (V2).  The
 * references of a mapping that is swallowed are dropped; its neighbour holds
 * the same file, so nothing is closed. */
void
vmamerge(struct uvm *u, uint start, uint end)
{
	int i = vmaindex(u, start ? start - 1 : 0);
	struct vma *v, *next;

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

static int
canmerge(const struct vma *a, const struct vma *b)
{
	if (a->end != b->start || a->prot != b->prot || a->flags != b->flags)
		return 0;
	if (a->obj != b->obj || a->file != b->file)
		return 0;
	return !a->obj ||
	       a->pgoff + ((a->end - a->start) >> PGSHIFT) == b->pgoff;
}

/* Take the mappings of [start, end) out; vmasplit() has been called at both.
 * Returns them as a list for vmadrop(). */
struct vma *
vmaremove(struct uvm *u, uint start, uint end)
{
	int i = vmaindex(u, start), n = 0;
	struct vma *list = 0, *v;

	for (; i + n < u->nvma && u->vmas[i + n]->start < end; n++) {
		v = u->vmas[i + n];
		assert(v->start >= start && v->end <= end);
		vmaaccount(u, v, -(int)((v->end - v->start) >> PGSHIFT));
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

/* The highest free range of len bytes below the stack's part of the address
 * space; 0: there is none. */
uint
vmagap(struct uvm *u, uint len)
{
	uint top = USERTOP - MIN(MAX(u->limit[UVM_STACK], 128u << 20),
			USERTOP / 6 * 5 & ~(PGSIZE - 1));

	top = PGROUNDDOWN(top) - u->args.mmapgap;
	if (u->nvma > MANYVMAS)
		return gapamongmany(u, top, len);
	top = gaptop(u, u->nvma, top, len);
	return top ? top - len : 0;
}

/* Where the highest free range of len bytes ends that is below top and the i-th
 * mapping; or 0. */
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

/* It is looked for where the last one was, if what is above that was too small for
 * that one, too. */
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

/* Where free room below a mapping ends: below a stack that may grow, its gap. */
static uint
gapbelow(const struct vma *v)
{
	uint gap = v->flags & VM_GROWSDOWN ? STACKGAP : 0;

	return v->start > gap ? v->start - gap : 0;
}

/* May a stack grow down to va?  It does, if the vma above is a stack, the limit
 * allows it, and the gap below stays: *v is then that vma, not yet changed.
 * 0 or -EFAULT. */
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
		((v->flags & VM_LOCKED) && locklimit(u, v->start - start) < 0) ||
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

/* The vma that vmamaygrow() found begins at start now.  Returns it, or what it has
 * become part of when it met one like it (V2). */
struct vma *
vmastretch(struct uvm *u, struct vma *v, uint start)
{
	int i = vmaindex(u, start);

	vmaaccount(u, v, (v->start - start) >> PGSHIFT);
	v->start = start;
	if (i > 0 && canmerge(u->vmas[i - 1], v)) {
		v = u->vmas[i - 1];
		vmamerge(u, start, start);
	}
	return v;
}

/* fork: to, which is empty, gets from's mappings: 0, or -ENOMEM with some in
 * it for the caller to drop.  from->lock held. */
int
vmacopy(struct uvm *to, struct uvm *from)
{
	struct vma *v;

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
		vmaaccount(to, v, (v->end - v->start) >> PGSHIFT);
	}
	return 0;
}

static void
insertat(struct uvm *u, int i, struct vma *v)
{
	assert(u->nvma < u->maxvma);
	memmove(u->vmas + i + 1, u->vmas + i,
		(u->nvma - i) * sizeof(u->vmas[0]));
	u->vmas[i] = v;
	u->nvma++;
	u->hint = i;
	if (v->obj)
		objlink(v, u);
}

static void
removeat(struct uvm *u, int i)
{
	u->nvma--;
	memmove(u->vmas + i, u->vmas + i + 1,
		(u->nvma - i) * sizeof(u->vmas[0]));
}
