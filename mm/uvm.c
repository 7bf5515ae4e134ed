/*
 * uvm.c - address spaces: made, copied by fork, loaded, filled by exec, freed.
 *
 * Invariants: u->lock guards the vmas and the directory.  A uvm that exec is
 * building is visible to nobody but the list.  No CPU runs on a freed
 * directory: it is switched away from before the last reference is dropped.
 * The heap is the mapping from startbrk to brk, rounded up, flagged VM_HEAP.
 */
#include "mm/vm.h"
#include "kern/file.h"

#define STACKSTART (132 << 10) /* size of a new stack's mapping */

struct spinlock uvmlistlock;
struct list uvmlist;

static struct slabcache *uvmcache;

static int wipetables(struct uvm *new, struct uvm *);
static int mapfile(struct uvm *, uint start, uint end, struct file *, uint off,
	int prot);
static int mapzero(struct uvm *, uint start, uint end, int prot, int flags);
static int allocuvm(struct uvm *, uint oldend, uint newend);
static int deallocuvm(struct uvm *, uint newend, uint oldend, struct drop *);
static int uvmcopy(struct uvm *, uint va, void *buf, uint n, uint access);

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
	tlbshootall(u); /* who has it loaded still, lets it go */
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

/* fork: the child gets the same mappings and hangs the same page tables. */
struct uvm *
copyuvm(struct uvm *u)
{
	struct uvm *new = newuvm();
	int err;

	if (new == 0)
		return 0;
	acquirewrite(&u->lock);
	err = vmacopy(new, u);
	if (err == 0) {
		sharetables(new, u);
		err = wipetables(new, u);
	}
	new->startbrk = u->startbrk;
	new->brk = u->brk;
	memcpy(new->limit, u->limit, sizeof(u->limit));
	new->args = u->args;
	objlinkall(new); /* it is seen from here */
	tlbshootall(u); /* our tables are read-only now */
	for (uint x = 0; x < PDX(USERTOP); x++)
		if (u->pgdir[x] & PTE_P)
			tlbverifytable(u, x << 22, ptepage(u->pgdir[x]),
				PROT_WRITE);
	releasewrite(&u->lock);
	if (err == 0)
		return new;
	freeuvm(new);
	return 0;
}

/* What the child does not get, or gets empty: its share of the tables is copied,
 * and then without these pages.  0 or -ENOMEM. */
static int
wipetables(struct uvm *new, struct uvm *u)
{
	struct vma *v;

	for (int i = 0; i < u->nvma; i++) {
		v = u->vmas[i];
		if (!(v->flags & (VM_DONTFORK | VM_WIPEONFORK)))
			continue;
		if (owntables(new, v->start, v->end) < 0)
			return -ENOMEM;
		unmappages(new, v->start, v->end, 0);
		droptables(new, v->start, v->end);
	}
	return 0;
}

/* Load u, or with 0 the kernel's own address space.  Interrupts off. */
void
switchuvm(struct uvm *u)
{
	struct cpu *c = mycpu();
	struct uvm *old = c->uvm;

	if (u)
		atomicset(&u->cpus, c->id); /* before we cache anything */
	c->uvm = u;
	vmcount(VM_CR3);
	lcr3(V2P(u ? u->pgdir : kpgdir));
	if (old && old != u)
		atomicclear(&old->cpus, c->id); /* it may be freed now */
}

uint
uvmcpus(struct uvm *u)
{
	return u->cpus;
}

/* See mm.h: a new program's address space begins with its stack. */
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

/* Map pages of a file for exec, over what may be there.  u->lock held. */
static int
mapfile(struct uvm *u, uint start, uint end, struct file *f, uint off,
	int prot)
{
	struct drop drop = {0, 0};
	struct vma *v;
	int err;

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

/* Map private memory of zeroes, likewise. */
static int
mapzero(struct uvm *u, uint start, uint end, int prot, int flags)
{
	struct drop drop = {0, 0};
	struct vma *v;
	int err;

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
		err = deallocuvm(u, newend, oldend, &drop);
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

/* Extend the heap's mapping; nothing is allocated before it is touched. */
static int
allocuvm(struct uvm *u, uint oldend, uint newend)
{
	uint flags = VM_HEAP | VM_ACCOUNT | u->lockmode;
	struct vma *v;

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

/* Give the heap's end back. */
static int
deallocuvm(struct uvm *u, uint newend, uint oldend, struct drop *drop)
{
	return munmaplocked(u, newend, oldend, drop);
}

/* See mm.h. */
int
uvmwrite(struct uvm *u, uint va, const void *src, uint n)
{
	return uvmcopy(u, va, (void *)(uint)src, n, PROT_WRITE);
}

int
uvmread(struct uvm *u, uint va, void *dst, uint n)
{
	return uvmcopy(u, va, dst, n, PROT_READ);
}

int
uvmpoke(struct uvm *u, uint va, const void *src, uint n)
{
	return uvmcopy(u, va, (void *)(uint)src, n, PROT_WRITE | FORCE);
}

/* A page that a truncate takes out between the fault and the copy is made again,
 * if the file has it. */
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
		r = pcacheread(v->obj, &to, (uint64_t)(v->pgoff +
			((va - v->start) >> PGSHIFT)) << PGSHIFT, 0) > 0;
		memset((char *)page + PGSIZE - to.n, 0, to.n);
	}
	releasewrite(&u->lock);
	return r;
}

void
uvmlimit(struct uvm *u, int which, uint bytes)
{
	acquirewrite(&u->lock);
	u->limit[which] = bytes;
	releasewrite(&u->lock);
}

struct uvmargs *
uvmargs(struct uvm *u)
{
	return &u->args;
}

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
		n = (v->end - v->start) >> PGSHIFT;
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
		*index = v->pgoff + ((va - v->start) >> PGSHIFT);
		r = 1;
	}
	releaseread(&u->lock);
	return r;
}
