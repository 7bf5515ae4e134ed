/*
 * uvm.c - address spaces: made, copied by fork, loaded, filled by exec, freed.
 *
 * The functions have xv6's names, but for the u of "user", and most do less at
 * once: they map, and faults bring the pages (fault.c).
 *
 * Invariants: u->lock guards the vmas and the directory.  An address space that
 * exec is building is on the list uvmlist, but nobody else has a reference to
 * it.  No CPU uses a directory that is freed: all CPUs have loaded another one
 * before.  The heap is the mapping from startbrk to brk, rounded up to pages,
 * with the flag VM_HEAP.
 */
#include "mm/vm.h"
#include "kern/file.h"

#define STACKSTART (132 << 10) /* bytes of a new stack's mapping */

struct spinlock uvmlistlock;
struct list uvmlist;

static struct slabcache *uvmcache;

static int wipetables(struct uvm *new, struct uvm *);
static int mapfile(struct uvm *, uint start, uint end, struct file *, uint off,
	int prot);
static int mapzero(struct uvm *, uint start, uint end, int prot, int flags);
static int allocuvm(struct uvm *, uint oldend, uint newend);
static int deallocuvm(struct uvm *, uint oldend, uint newend, struct drop *);
static int uvmcopy(struct uvm *, uint va, void *buf, uint n, uint access);

/* See mm.h. */
void
uvminit(void)
{
	initlock(&uvmlistlock, RANK_UVMLIST);
	listinit(&uvmlist);
	uvmcache = slabcreate("uvm", sizeof(struct uvm), 8);
	vmainit();
	pcacheinit();
	objmapinit();
}

/* See mm.h. */
struct uvm *
newuvm(void)
{
	struct uvm *u = slaballoc(uvmcache);

	if (u == 0)
		return 0;
	memset(u, 0, sizeof(*u));
	initrwlock(&u->lock, RANK_UVMLIST);
	u->ref = 1;
	u->limit[UVM_STACK] = STACKLIMIT;
	u->limit[UVM_AS] = u->limit[UVM_DATA] = ~0u;
	u->limit[UVM_MEMLOCK] = ~0u;
	acquire(&uvmlistlock); /* kernelslot() reaches all on the list */
	u->pgdir = setupkvm();
	if (u->pgdir)
		listadd(&uvmlist, &u->link);
	release(&uvmlistlock);
	if (u->pgdir)
		return u;
	slabfree(uvmcache, u);
	return 0;
}

/* See mm.h. */
struct uvm *
uvmref(struct uvm *u)
{
	atomicinc(&u->ref);
	return u;
}

/* See mm.h. */
void
freeuvm(struct uvm *u)
{
	if (!atomicdectest(&u->ref))
		return;
	tlbshootall(u); /* CPUs that still have this directory loaded switch
			 * to the kernel's own */
	assert(u->cpus == 0);
	acquire(&uvmlistlock);
	listdel(&u->link);
	release(&uvmlistlock);
	objunlinkall(u);
	atomicadd(&committed, -(int)u->committed);
	freetables(u);
	for (int i = 0; i < u->nvma; i++)
		vmadrop(u->vmas[i]);
	kmfree(u->vmas);
	putpage(kvapage(u->pgdir));
	slabfree(uvmcache, u);
}

/* See mm.h.  Nobody else sees new before objlinkall(); its lock is held for
 * the functions that demand it. */
struct uvm *
copyuvm(struct uvm *u)
{
	struct uvm *new = newuvm();
	int err;

	if (new == 0)
		return 0;
	acquirewrite(&u->lock);
	acquirewrite(&new->lock);
	err = vmacopy(new, u);
	if (err == 0) {
		sharetables(new, u);
		err = wipetables(new, u);
	}
	new->startbrk = u->startbrk;
	new->brk = u->brk;
	memcpy(new->limit, u->limit, sizeof(u->limit));
	new->args = u->args;
	objlinkall(new); /* walkers of objmap.c see new from here on */
	tlbshootall(u); /* our tables are read-only now */
	for (uint x = 0; x < PDX(USERTOP); x++)
		if (u->pgdir[x] & PTE_P)
			tlbverifytable(u, x << 22, ptepage(u->pgdir[x]),
				PROT_WRITE);
	releasewrite(&new->lock);
	releasewrite(&u->lock);
	if (err == 0)
		return new;
	freeuvm(new);
	return 0;
}

/* Take out of the child's new address space what it does not get (VM_DONTFORK)
 * or gets empty (VM_WIPEONFORK) of u's pages: new owns the tables there, and
 * their slots are emptied.  0 or -ENOMEM.  Called with both locks held to
 * write. */
static int
wipetables(struct uvm *new, struct uvm *u)
{
	struct vma *v;

	lockassert(holdingwrite(&u->lock) && holdingwrite(&new->lock));
	for (int i = 0; i < u->nvma; i++) {
		v = u->vmas[i];
		if (!(v->flags & (VM_DONTFORK | VM_WIPEONFORK)))
			continue;
		if (owntables(new, v->start, v->end) < 0)
			return -ENOMEM;
		unmappages(new, v->start, v->end, 0);
		trimtables(new, v->start, v->end);
	}
	return 0;
}

/* See mm.h. */
void
switchuvm(struct uvm *u)
{
	struct cpu *c = mycpu();
	struct uvm *old = c->uvm;

	lockassert(!(readeflags() & FL_IF));
	if (u)
		atomicset(&u->cpus, c->id); /* before we cache anything */
	c->uvm = u;
	vmcount(VM_CR3);
	lcr3(V2P(u ? u->pgdir : kpgdir));
	if (old && old != u)
		atomicclear(&old->cpus, c->id); /* it may be freed now */
}

/* See mm.h. */
uint
uvmcpus(struct uvm *u)
{
	return u->cpus;
}

/* See mm.h. */
int
inituvm(struct uvm *u, uint top, uint stacklimit)
{
	int err;

	acquirewrite(&u->lock);
	u->limit[UVM_STACK] = stacklimit;
	err = mapzero(u, top - MAX(PGSIZE, MIN(STACKSTART,
				PGROUNDDOWN(stacklimit))),
		top, PROT_READ | PROT_WRITE, VM_GROWSDOWN | VM_STACK);
	releasewrite(&u->lock);
	return err;
}

/* See mm.h. */
int
loaduvm(struct uvm *u, uint va, struct file *f, uint off, uint filesz,
	uint memsz, int prot)
{
	uint start = PGROUNDDOWN(va), fileend, memend;
	static const char zeroes[256];
	int err = 0;

	if (filesz > memsz || start < USERBASE || va > USERTOP ||
		memsz > USERTOP - va)
		return -ENOEXEC;
	if (filesz && (va - off) % PGSIZE)
		return -ENOEXEC;
	fileend = filesz ? PGROUNDUP(va + filesz) : start;
	memend = PGROUNDUP(va + memsz);
	acquirewrite(&u->lock);
	if (filesz)
		err = mapfile(u, start, fileend, f, PGROUNDDOWN(off), prot);
	if (err == 0 && memend > fileend)
		err = mapzero(u, fileend, memend, prot, 0);
	releasewrite(&u->lock);
	if (filesz == 0 || memsz == filesz || !(prot & PROT_WRITE))
		return err;
	for (uint a = va + filesz, n; err == 0 && a < fileend; a += n) {
		n = MIN(sizeof(zeroes), fileend - a);
		err = uvmwrite(u, a, zeroes, n);
	}
	return err;
}

/* Map [start, end) for exec, over what may be there, to the file f from byte
 * off on, privately; all page aligned.  0 or -errno.  Called with u->lock held
 * to write. */
static int
mapfile(struct uvm *u, uint start, uint end, struct file *f, uint off,
	int prot)
{
	struct drop drop = {0, 0};
	struct vma *v;
	int err;

	lockassert(holdingwrite(&u->lock));
	if (filepcache(f) == 0)
		return -ENOEXEC;
	err = munmaplocked(u, start, end, &drop);
	dropall(&drop); /* f is open: this closes nothing */
	if (err < 0 || (err = vmaroom(u, 1)) < 0)
		return err;
	v = vmanew(start, end, prot, prot & PROT_WRITE ? VM_ACCOUNT : 0);
	if (v == 0)
		return -ENOMEM;
	v->file = filedup(f);
	v->obj = pcacheref(filepcache(f));
	v->pgoff = off >> PGSHIFT;
	aheadmapped(f, prot);
	vmainsert(u, v);
	return 0;
}

/* Map [start, end), page aligned, over what may be there, to private memory of
 * zeroes, with these VM_ flags.  0 or -ENOMEM.  Called with u->lock held to
 * write. */
static int
mapzero(struct uvm *u, uint start, uint end, int prot, int flags)
{
	struct drop drop = {0, 0};
	struct vma *v;
	int err;

	lockassert(holdingwrite(&u->lock));
	err = munmaplocked(u, start, end, &drop);
	dropall(&drop);
	if (err < 0 || (err = vmaroom(u, 1)) < 0)
		return err;
	v = vmanew(start, end, prot, flags | VM_ACCOUNT);
	if (v == 0)
		return -ENOMEM;
	vmainsert(u, v);
	return 0;
}

/* See mm.h. */
void
setheap(struct uvm *u, uint va)
{
	u->startbrk = u->brk = PGROUNDUP(va);
}

/* See mm.h. */
uint
growheap(struct uvm *u, uint brk)
{
	uint oldend, newend = PGROUNDUP(brk);
	struct drop drop = {0, 0};
	int err = 0, lock = 0;

	acquirewrite(&u->lock);
	oldend = PGROUNDUP(u->brk);
	if (brk < u->startbrk || brk >= USERTOP ||
		brk - u->startbrk > u->limit[UVM_DATA])
		err = -ENOMEM;
	else if (newend > oldend)
		err = allocuvm(u, oldend, newend);
	else if (newend < oldend)
		err = deallocuvm(u, oldend, newend, &drop);
	if (err == 0)
		u->brk = brk;
	brk = u->brk;
	lock = u->lockmode & VM_LOCKED;
	releasewrite(&u->lock);
	dropall(&drop);
	if (lock && err == 0 && newend > oldend)
		populate(u, oldend, newend);
	return brk;
}

/* Unlike xv6's, allocates no memory: it maps [oldend, newend) for the heap, and
 * faults bring the pages when they are touched.  The ends are page aligned.
 * Returns 0 or -ENOMEM, not the new size.  Called with u->lock held to
 * write. */
static int
allocuvm(struct uvm *u, uint oldend, uint newend)
{
	uint flags = VM_HEAP | VM_ACCOUNT | u->lockmode;
	struct vma *v;

	lockassert(holdingwrite(&u->lock));
	if (vmaoverlap(u, oldend, newend + PGSIZE))
		return -ENOMEM;
	if (vmalimit(u, newend - oldend, PROT_READ | PROT_WRITE, flags) < 0 ||
		vmaroom(u, 1) < 0)
		return -ENOMEM;
	if (owntables(u, oldend, newend) < 0)
		return -ENOMEM;
	v = vmanew(oldend, newend, PROT_READ | PROT_WRITE, flags);
	if (v == 0)
		return -ENOMEM;
	vmainsert(u, v);
	return 0;
}

/* Unmap [newend, oldend), the heap's end; the ends are page aligned.  Unlike
 * xv6's, the pages go to *drop, for dropall() once the lock is released, and
 * what returns is 0 or -ENOMEM, not the new size.  Called with u->lock held to
 * write. */
static int
deallocuvm(struct uvm *u, uint oldend, uint newend, struct drop *drop)
{
	lockassert(holdingwrite(&u->lock));
	return munmaplocked(u, newend, oldend, drop);
}

/* See mm.h. */
int
uvmwrite(struct uvm *u, uint va, const void *src, uint n)
{
	return uvmcopy(u, va, (void *)(uint)src, n, PROT_WRITE);
}

/* See mm.h. */
int
uvmread(struct uvm *u, uint va, void *dst, uint n)
{
	return uvmcopy(u, va, dst, n, PROT_READ);
}

/* See mm.h. */
int
uvmpoke(struct uvm *u, uint va, const void *src, uint n)
{
	return uvmcopy(u, va, (void *)(uint)src, n, PROT_WRITE | FORCE);
}

/* Copy n bytes between kernel memory at buf and u's memory at va: to u if
 * access has PROT_WRITE, else from it.  0, -EFAULT or -ENOMEM.  A page that a
 * truncate takes out of its slot between the fault and the copy is faulted in
 * again, if the file still has it. */
static int
uvmcopy(struct uvm *u, uint va, void *buf, uint n, uint access)
{
	char *p = buf, *kva;
	struct page *pg;
	uint len;
	int err = 0;

	if (va >= USERTOP || n > USERTOP - va)
		return -EFAULT;
	acquirewrite(&u->lock);
	for (; n > 0; n -= len, p += len, va += len) {
		len = MIN(n, PGSIZE - va % PGSIZE);
		do {
			err = faultlocked(u, va, access);
			pg = err < 0 ? 0 : slotpage(u, va);
		} while (err >= 0 && pg == 0);
		if (err < 0)
			break;
		kva = tempmap(pg, 0);
		if (access & PROT_WRITE)
			memcpy(kva + va % PGSIZE, p, len);
		else
			memcpy(p, kva + va % PGSIZE, len);
		tempunmap(kva);
		putpage(pg);
	}
	releasewrite(&u->lock);
	return err == -ENOMEM ? -ENOMEM : err < 0 ? -EFAULT : 0;
}

/* See mm.h. */
uint
uvmresident(struct uvm *u, uint va, uint end, int anon)
{
	acquireread(&u->lock);
	va = nextpage(u, va, end, anon);
	releaseread(&u->lock);
	return va;
}

/* See mm.h. */
int
uvmpeek(struct uvm *u, uint va, void *page)
{
	struct uio to = {(uint)page, PGSIZE, 1};
	struct page *pg;
	struct vma *v;
	char *kva;
	int r = 0;

	acquirewrite(&u->lock);
	v = vmafind(u, va);
	pg = slotpage(u, va);
	if (pg) {
		kva = tempmap(pg, 0);
		memcpy(page, kva, PGSIZE);
		tempunmap(kva);
		putpage(pg);
		r = 1;
	} else if (v && v->obj) {
		r = pcacheread(v->obj, &to, objoffset(v, va), 0) > 0;
		memset((char *)page + PGSIZE - to.n, 0, to.n);
	}
	releasewrite(&u->lock);
	return r;
}

/* See mm.h. */
void
uvmlimit(struct uvm *u, int which, uint bytes)
{
	acquirewrite(&u->lock);
	u->limit[which] = bytes;
	releasewrite(&u->lock);
}

/* See mm.h. */
struct uvmargs *
uvmargs(struct uvm *u)
{
	return &u->args;
}

/* See mm.h. */
void
uvmstat(struct uvm *u, struct uvmstat *st)
{
	struct vma *v;
	uint n;

	memset(st, 0, sizeof(*st));
	acquirewrite(&u->lock);
	notepeak(u);
	st->size = u->size;
	st->peaksize = u->peaksize;
	st->locked = u->locked;
	st->rss = uvmrss(u);
	st->peakrss = u->peakrss;
	for (int i = 0; i < u->nvma; i++) {
		v = u->vmas[i];
		n = vmapages(v);
		if (v->flags & VM_STACK)
			st->stack += n;
		else if (v->file && (v->prot & PROT_EXEC))
			st->text += n;
		else if ((v->prot & PROT_WRITE) && !(v->flags & VM_SHARED))
			st->data += n;
	}
	for (uint x = 0; x < PDX(KERNBASE); x++)
		st->tables += u->pgdir[x] & PTE_P;
	st->startcode = u->args.startcode;
	st->endcode = u->args.endcode;
	st->startstack = u->args.startstack;
	st->startbrk = u->startbrk;
	st->brk = u->brk;
	releasewrite(&u->lock);
}

/* See mm.h. */
uint
uvmpeak(struct uvm *u)
{
	uint n;

	acquirewrite(&u->lock);
	notepeak(u);
	n = u->peakrss;
	releasewrite(&u->lock);
	return n;
}

/* See mm.h. */
int
uvmvma(struct uvm *u, uint va, struct vmainfo *info)
{
	struct vma *v;
	int i, found;

	acquireread(&u->lock);
	i = vmaindex(u, va);
	found = i < u->nvma;
	if (found) {
		v = u->vmas[i];
		info->start = v->start;
		info->end = v->end;
		info->prot = v->prot;
		info->shared = (v->flags & VM_SHARED) != 0;
		info->kind = v->flags & VM_STACK  ? VMAINFO_STACK
			     : v->flags & VM_HEAP ? VMAINFO_HEAP
						  : VMAINFO_MAP;
		info->nodump = (v->flags & VM_DONTDUMP) != 0;
		info->flags = v->flags;
		info->offset = v->obj ? (uint64_t)v->pgoff << PGSHIFT : 0;
		info->file = v->file ? filedup(v->file) : 0;
	}
	releaseread(&u->lock);
	return found;
}

/* See mm.h. */
int
uvmobject(struct uvm *u, uint va, struct pcache **obj, uint *index)
{
	struct vma *v;
	int r = 0;

	acquireread(&u->lock);
	v = vmafind(u, va);
	if (v == 0) {
		r = -EFAULT;
	} else if (v->flags & VM_SHARED) {
		*obj = pcacheref(v->obj);
		*index = objindex(v, va);
		r = 1;
	}
	releaseread(&u->lock);
	return r;
}
