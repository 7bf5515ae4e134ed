/*
 * fault.c - resolve page faults.
 *
 * The slot (the one PTE that translates the address) and the vma decide:
 *
 *   slot       access  vma      what happens                      where
 *   --         any     none     grow the stack, or -EFAULT        faultvma
 *   --         denied  any      -EACCES                           faultvma
 *   empty      read    anon     map the zero page, read-only      anonfault
 *   empty      write   anon     map a new page of zeroes          anonfault
 *   empty      read    object   map what is cached around it,     around
 *                               or else the page, read-only       filefault
 *   empty      write   shared   map the cached page, writable     filefault
 *   empty      write   private  map a copy of the cached page     filefault
 *   read-only  write   shared   same page, now writable           sharefault
 *   read-only  write   private  sole owner keeps it, else a copy  cowfault
 *   good       any     any      someone got here first: nothing   faultpage
 *   held       any     any      someone is at it: look again      faultpage
 *
 * ("object" is a file, or shared memory without a name: vma->obj.)
 *
 * Each case prepares a page while holding no spinlock, so it may sleep and
 * read the disk; then commit() installs the page under the table's lock if
 * the slot still holds what we saw, and fails with -EAGAIN if not.  Whoever
 * changed the slot made progress, so going round again ends.
 *
 * Invariants:
 *   F1  A write fault owns its page table (owntable) before it reads the
 *       slot; so PTE_W is set only in tables that nobody else hangs.
 *   F2  Every table that is hung by two page directories is hung read-only.
 *   F3  Each slot holds one reference to its page.
 *   F4  commit() allocates nothing and cannot fail half-way.
 *
 * Threads fault side by side, with u->lock held to read.  What changes vmas or
 * takes a table back from being shared needs it to write: resolve() gives
 * up with -EBUSY then, and fault() starts over alone.
 *
 * Locks, in order: uvm->lock, pcache lock or table lock.
 */
#include "mm/vm.h"

#include "arch/x86.h"
#include "kern/file.h"

struct fault {
	struct uvm *uvm; /* whose address space */
	struct vma *vma; /* what covers the address */
	uint va;         /* page that faulted */
	uint write;      /* PTE_W if it was a write, else 0 */
	uint writable;   /* PTE_W if the slot shall have it */
	uint access;     /* as asked for, and ALONE, FORCE */
	int major;       /* MAJOR: we waited for I/O; DIRTIED: a file's page */
	struct page *table; /* the page table, and in it */
	pte_t *slot;     /* the PTE that translates va */
	pte_t old;       /* its value when we decided what to do */
};

_Static_assert(PROT_WRITE == PTE_W, "struct fault's write");

#define ALONE 0x100 /* with PROT_*: uvm->lock is held to write */

/* Which page of the vma's object it is. */
static inline uint
pageindex(const struct fault *f)
{
	return f->vma->pgoff + ((f->va - f->vma->start) >> PGSHIFT);
}

#define MAJOR   1 /* what resolve() returns, if not an error */
#define DIRTIED 2

static int again(struct uvm *, uint va, uint access, int err);
static int faultshared(struct uvm *, uint va, uint access);
static int resolve(struct uvm *, uint va, uint access);
static int faultvma(struct fault *);
static int growstack(struct fault *);
static int faultslot(struct fault *);
static int faulttable(struct uvm *, uint va, uint access);
static int faultpage(struct fault *);
static int anonfault(struct fault *);
static int around(struct fault *);
static int fillslots(struct fault *, struct page *near[], uint n, uint back);
static int filefault(struct fault *);
static int sharefault(struct fault *, struct page *);
static int cowfault(struct fault *);
static struct page *pinslot(struct fault *, int *kept);
static int commit(struct fault *, struct page *, int write);
static int letwrite(struct fault *);
static int truncated(struct fault *);
static uint pagesleft(struct fault *, uint back);
static int sameslot(struct fault *);

/* See mm.h. */
int
fault(struct uvm *u, uint va, uint access)
{
	int err;

	if (u->ref > 1 && (err = faultshared(u, va, access)) != -EBUSY)
		return err & ~MAJOR ? again(u, va, access, err) : err;
	acquirewrite(&u->lock);
	err = resolve(u, va, access | ALONE);
	releasewrite(&u->lock);
	return err & ~MAJOR ? again(u, va, access, err) : err;
}

/* What has to be done without the lock: get memory, and then it is tried again;
 * or wait, since too much is dirty. */
static __attribute__((noinline)) int
again(struct uvm *u, uint va, uint access, int err)
{
	while (err == -ENOMEM && reclaimwait()) {
		acquirewrite(&u->lock);
		err = resolve(u, va, access | ALONE);
		releasewrite(&u->lock);
	}
	if (err > 0 && (err & DIRTIED))
		dirtythrottle(0);
	return err > 0 ? err & MAJOR : err;
}

/* Threads of one address space fault side by side. */
static __attribute__((noinline)) int
faultshared(struct uvm *u, uint va, uint access)
{
	int err;

	acquireread(&u->lock);
	err = resolve(u, va, access);
	releaseread(&u->lock);
	return err;
}

/* The same with u->lock held to write. */
int
faultlocked(struct uvm *u, uint va, uint access)
{
	int err = resolve(u, va, access | ALONE);

	return err > 0 ? err & MAJOR : err;
}

/* The same with u->lock held: -EBUSY when it must be held to write. */
static int
resolve(struct uvm *u, uint va, uint access)
{
	struct fault f;
	int err;

	f.uvm = u;
	f.va = PGROUNDDOWN(va);
	f.write = access & PROT_WRITE; /* the same bit as PTE_W */
	f.access = access;
	f.major = 0;
	for (;;) {
		err = faultvma(&f);
		if (err == 0)
			err = faultslot(&f);
		if (err == 0)
			err = faultpage(&f);
		if (err != -EAGAIN)
			break;
		pause(); /* a sibling has it, perhaps on another CPU */
	}
	return err ? err : f.major;
}

/* Which vma covers the address, and does it allow the access?  i386 cannot
 * refuse reads where it allows anything. */
static int
faultvma(struct fault *f)
{
	f->vma = vmahint(f->uvm, f->va);
	if (f->vma == 0)
		f->vma = vmafind(f->uvm, f->va);
	if (f->vma == 0) {
		int err = growstack(f);

		if (err < 0)
			return err;
	}
	f->writable = f->write & f->vma->prot;
	if (f->writable)
		return 0;
	if (f->vma->prot == PROT_NONE || (f->write &&
		(!(f->access & FORCE) || (f->vma->flags & VM_SHARED))))
		return -EACCES;
	return 0;
}

/* Just below a stack: extend it to the address.  The vma changes, so the
 * tables that it will cover are owned first (T2). */
static int
growstack(struct fault *f)
{
	int err = vmagrow(f->uvm, f->va, &f->vma);

	if (err < 0)
		return err;
	if (!(f->access & ALONE))
		return -EBUSY;
	if (owntables(f->uvm, f->va, f->vma->start) < 0)
		return -ENOMEM;
	f->vma = vmastretch(f->uvm, f->vma, f->va);
	vmcount(VM_STACKGROW);
	return 0;
}

/* Find the slot, and note what is in it. */
static int
faultslot(struct fault *f)
{
	pde_t *pde = &f->uvm->pgdir[PDX(f->va)];
	uint want = PTE_P | f->write, table = *pde;
	int err;

	if ((table & want) != want) {
		err = faulttable(f->uvm, f->va, f->access);
		if (err < 0)
			return err;
		table = *pde;
	}
	f->table = ptepage(table);
	f->slot = (pte_t *)P2V(PTE_ADDR(table)) + PTX(f->va);
	f->old = *f->slot;
	return 0;
}

/* A table of our own under va, or for a read any. */
static __attribute__((noinline)) int
faulttable(struct uvm *u, uint va, uint access)
{
	if ((access & (PROT_WRITE | ALONE)) == PROT_WRITE &&
		(u->pgdir[PDX(va)] & PTE_P))
		return -EBUSY; /* siblings may be using the shared one */
	if ((access & PROT_WRITE) && owntable(u, va) < 0)
		return -ENOMEM;
	return walkpgdir(u->pgdir, va, 1) ? 0 : -ENOMEM;
}

/* One slot, one case. */
static int
faultpage(struct fault *f)
{
	if (f->old & PTE_P) {
		if (!f->write || (f->old & PTE_W))
			return 0;
		return cowfault(f);
	}
	if (f->old != 0)
		return -EAGAIN; /* a sibling is exchanging the page (commit) */
	if (f->vma->obj == 0)
		return anonfault(f);
	if (!f->write && around(f))
		return 0;
	return filefault(f);
}

/* First touch of anonymous memory: readers share one page of zeroes. */
static int
anonfault(struct fault *f)
{
	struct page *pg;

	if (f->write) {
		pg = allocanon();
	} else {
		pg = getpage(zeropage);
		vmcount(VM_ZEROMAP);
	}
	if (pg == 0)
		return -ENOMEM;
	return commit(f, pg, f->writable);
}

/* A read of an object's memory: map what is cached in the aligned window of
 * NEAR pages, all in one table, to save the faults that would follow.  1 if the
 * page that was asked for is there then. */
static int
around(struct fault *f)
{
	struct vma *v = f->vma;
	uint start = MAX(f->va & ~(NEAR * PGSIZE - 1), v->start);
	uint end = MIN((f->va | (NEAR * PGSIZE - 1)) + 1, v->end);
	struct page *near[NEAR];
	uint n = (end - start) >> PGSHIFT;

	pcachenear(v->obj, v->pgoff + ((start - v->start) >> PGSHIFT), n, near);
	return fillslots(f, near, n, (f->va - start) >> PGSHIFT);
}

/* Fill those of n slots that are empty with pages, which it takes over; the one
 * that is back slots in is the fault's own. */
static int
fillslots(struct fault *f, struct page *near[], uint n, uint back)
{
	struct page *table = f->table;
	pte_t *slot = f->slot - back;
	int found = near[back] != 0;
	uint room;

	acquire(&table->lock);
	room = pagesleft(f, back); /* as commit() does */
	for (uint i = 0; i < n; i++)
		if (near[i] && slot[i] == 0 && i < room) {
			setslot(&slot[i],
				pagepa(near[i]) | PTE_P | PTE_U | PTE_A);
			near[i] = 0;
		}
	release(&table->lock);
	for (uint i = 0; i < n; i++)
		if (near[i])
			putpage(near[i]);
	return found;
}

/* First touch of an object's memory: through the page cache. */
static int
filefault(struct fault *f)
{
	struct page *pg;
	int err;

	err = pcacheget(f->vma->obj, pageindex(f), vmaahead(f->vma), &pg);
	if (err < 0)
		return err;
	f->major |= err;
	if (f->write && (f->vma->flags & VM_SHARED))
		return sharefault(f, pg);
	if (f->write) {
		pg = copypage(pg);
		if (pg == 0)
			return -ENOMEM;
	}
	return commit(f, pg, f->writable);
}

/* A write to shared memory: the page, whose reference we take over, may have to
 * be noted as dirty first. */
static int
sharefault(struct fault *f, struct page *pg)
{
	int err = pcachemkwrite(f->vma->obj, pageindex(f), pg);

	if (backed(f->vma->obj)) {
		f->major |= DIRTIED;
		if (err == 0 && f->vma->file)
			filemodified(f->vma->file);
	}
	if (err == 0 && !(f->old & PTE_P))
		return commit(f, pg, 1);
	if (err == 0)
		err = letwrite(f);
	putpage(pg);
	return err == -ENOSPC ? -EIO : err;
}

/* The page stays where it is, and may be written from now on.  (The CPU dropped
 * its read-only translation when it faulted: SDM 3A 4.10.4.1; so no flush.) */
static int
letwrite(struct fault *f)
{
	int err = -EAGAIN;

	acquire(&f->table->lock);
	if (sameslot(f)) {
		*f->slot |= PTE_W | PTE_D | PTE_A;
		err = 0;
	}
	release(&f->table->lock);
	return err;
}

/* Write to a read-only slot: keep the page, or replace it by a copy. */
static int
cowfault(struct fault *f)
{
	struct page *pg;
	int kept = 0;

	if (ptepage(f->old) == zeropage)
		return anonfault(f);
	pg = pinslot(f, &kept);
	if (pg == 0)
		return kept ? 0 : -EAGAIN;
	if (f->vma->flags & VM_SHARED)
		return sharefault(f, pg);
	pg = copypage(pg);
	if (pg == 0)
		return -ENOMEM;
	return commit(f, pg, f->writable);
}

/* Shared memory without a disk, and a private page that no other slot refers to,
 * become writable where they are (*kept); else a reference to the page in the
 * slot.  0 and not kept: the slot has changed. */
static struct page *
pinslot(struct fault *f, int *kept)
{
	struct page *table = f->table;
	struct page *pg = 0;

	acquire(&table->lock);
	if (sameslot(f)) {
		pg = ptepage(f->old);
		*kept = pg->state == PG_ANON
				? pg->ref == 1
				: (f->vma->flags & VM_SHARED) &&
					!backed(f->vma->obj);
		if (*kept) {
			*f->slot |= f->writable | PTE_D | PTE_A;
			pg = 0;
			vmcount(VM_COWREUSE);
		} else {
			getpage(pg);
		}
	}
	release(&table->lock);
	return pg;
}

/* Install pg if the slot is as we saw it.  Takes over the caller's
 * reference: it becomes the slot's, or is dropped with -EAGAIN.  A page that
 * was there leaves all TLBs before the new one is seen: else a sibling could
 * write to the new one, and another read the old one afterwards. */
static int
commit(struct fault *f, struct page *pg, int write)
{
	struct page *table = f->table;
	struct page *drop = pg;
	int err = -EAGAIN;

	acquire(&table->lock);
	if (sameslot(f) && !truncated(f)) {
		if (f->old & PTE_P) {
			tlbarm(f->uvm, f->va, PROT_READ);
			*f->slot = (f->old & ~(PTE_P | PTE_W)) | PTE_HELD;
			tlbshoot(f->uvm, f->va);
			tlbverify(f->uvm, f->va, PROT_READ);
		}
		drop = setslot(f->slot, pagepa(pg) | PTE_P | PTE_U | PTE_A |
						(write ? PTE_W | PTE_D : 0));
		err = 0;
	}
	release(&table->lock);
	if (drop)
		putpage(drop);
	return err;
}

/* Has the file become shorter meanwhile?  The table is locked, so either we see
 * that, or objunmap() sees what we put into it. */
static int
truncated(struct fault *f)
{
	return f->vma->obj && pagesleft(f, 0) == 0;
}

/* Pages that the object has from the one on that is back pages before ours. */
static uint
pagesleft(struct fault *f, uint back)
{
	uint end = (pcachesize(f->vma->obj) + PGSIZE - 1) >> PGSHIFT;
	uint first = pageindex(f) - back;

	return end > first ? end - first : 0;
}

/* Does the slot hold what it did, but for the bits that the CPU sets? */
static int
sameslot(struct fault *f)
{
	return ((*f->slot ^ f->old) & ~(PTE_A | PTE_D)) == 0;
}
