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
 * Each case prepares a page while holding no spinlock, so it may sleep and read
 * the disk; then installpage() puts the page into the slot under the table's
 * lock if the slot still holds what we saw, and fails with -EAGAIN if not.
 * Whoever changed the slot made progress, so the loop in faultonce() ends.
 *
 * Invariants:
 *   F1  A write fault owns its page table (owntable) before it reads the
 *       slot; so PTE_W is set only in tables that nobody else hangs.
 *   F2  Every table that is hung by two page directories is hung read-only.
 *   F3  Each slot holds one reference to its page.
 *   F4  installpage() allocates nothing and cannot fail half-way.
 *
 * Threads of one address space fault side by side, with u->lock held to read.
 * What changes vmas, or takes a table back from being shared, needs u->lock
 * held to write: faultonce() gives up with -EBUSY then, and fault() starts over
 * with the lock held to write (ALONE).
 *
 * The way of a fault, and what is held at each hop:
 *
 *   CPU, vector 14
 *        |                                  interrupts are off
 *   faultentry        arch/trapentry.asm
 *        |
 *   pagefault         arch/trap.c           reads CR2, turns interrupts on
 *        |
 *      fault                                no lock
 *        |
 *        +-- u->ref > 1 --+-- u->ref is 1,
 *        |                |   or -EBUSY
 *   faultshared           |
 *        |                |                 left: u->lock to read
 *        +-------+--------+                 right: u->lock to write, ALONE
 *                |
 *            faultonce <--- -EAGAIN: the slot has changed, look again
 *                |
 *            faultvma       which vma?      u->lock
 *            faultslot      which slot?     u->lock; cas() hangs a new table
 *            faultpage      which case?     u->lock
 *                |
 *     +----------+-+-----------+
 *     |            |           |            u->lock; pcache lock or table lock
 *  anonfault   filefault   cowfault         for moments, no spinlock while it
 *     |         around         |            gets memory or reads the disk
 *     |            |           |
 *     +----------+-+-----------+
 *                |
 *           installpage                     u->lock and table lock: look again,
 *                |                          flush, set the slot
 *              fault                        releases u->lock
 *                |
 *              again                        no lock; only if memory was short
 *                                           or too much is dirty
 */
#include "mm/vm.h"

#include "arch/x86.h"
#include "kern/file.h"

struct fault {
	struct uvm *uvm; /* whose address space */
	struct vma *vma; /* what covers the address */
	uint va;         /* address of the page that faulted */
	uint write;      /* PTE_W if the access was a write, else 0 */
	uint writable;   /* PTE_W if the slot shall have it, else 0 */
	uint access;     /* PROT_* as asked for, and ALONE, FORCE */
	int result;      /* MAJOR, DIRTIED: what faultonce() will return */
	struct page *table; /* the page table that translates va */
	pte_t *slot;     /* the PTE of va in that table */
	pte_t old;       /* the slot's value when we decided what to do */
};

_Static_assert(PROT_WRITE == PTE_W, "struct fault's write");

#define ALONE 0x100 /* with PROT_*: uvm->lock is held to write */

/* What faultonce() returns if there is no error, or 0. */
#define MAJOR   1 /* the fault waited for I/O */
#define DIRTIED 2 /* a page of a file on a disk may be written to now */

static int again(struct uvm *, uint va, uint access, int err);
static int faultshared(struct uvm *, uint va, uint access);
static int faultonce(struct uvm *, uint va, uint access);
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
static int installpage(struct fault *, struct page *, int write);
static int letwrite(struct fault *);
static int truncated(struct fault *);
static uint pagesleft(struct fault *, uint back);
static int sameslot(struct fault *);

/* See mm.h. */
int
fault(struct uvm *u, uint va, uint access)
{
	int err;

	lockassert(nospinlocks());
	if (u->ref > 1 && (err = faultshared(u, va, access)) != -EBUSY)
		return err & ~MAJOR ? again(u, va, access, err) : err;
	acquirewrite(&u->lock);
	err = faultonce(u, va, access | ALONE);
	releasewrite(&u->lock);
	return err & ~MAJOR ? again(u, va, access, err) : err;
}

/* Do what faultonce(), which returned err, could not do with u->lock held: free
 * memory and resolve the fault again, or wait since too much is dirty.  Returns
 * like fault().  Called with no lock held; may sleep. */
static __attribute__((noinline)) int
again(struct uvm *u, uint va, uint access, int err)
{
	while (err == -ENOMEM && reclaimwait()) {
		acquirewrite(&u->lock);
		err = faultonce(u, va, access | ALONE);
		releasewrite(&u->lock);
	}
	if (err > 0 && (err & DIRTIED))
		dirtythrottle(0);
	return err > 0 ? err & MAJOR : err;
}

/* Resolve the fault beside other threads of u, with u->lock held to read.
 * Returns like faultonce(). */
static __attribute__((noinline)) int
faultshared(struct uvm *u, uint va, uint access)
{
	int err;

	acquireread(&u->lock);
	err = faultonce(u, va, access);
	releaseread(&u->lock);
	return err;
}

/* See vm.h. */
int
faultlocked(struct uvm *u, uint va, uint access)
{
	int err = faultonce(u, va, access | ALONE);

	return err > 0 ? err & MAJOR : err;
}

/* Resolve the fault once.  Called with u->lock held, for writing if access has
 * ALONE, else for reading; -EBUSY asks to come back with ALONE.  Returns MAJOR
 * and DIRTIED as they apply, or an error of fault()'s. */
static int
faultonce(struct uvm *u, uint va, uint access)
{
	struct fault f;
	int err;

	lockassert(access & ALONE ? holdingwrite(&u->lock)
				  : holdingread(&u->lock));
	lockassert(nospinlocks());
	f.uvm = u;
	f.va = PGROUNDDOWN(va);
	f.write = access & PROT_WRITE; /* PROT_WRITE is PTE_W */
	f.access = access;
	f.result = 0;
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
	return err ? err : f.result;
}

/* Set f->vma to the vma that covers the address, and f->writable: 0, or an
 * error if there is none or it does not allow the access.  A vma that allows
 * anything allows reads, since i386 cannot refuse them.  Called with u->lock
 * held. */
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

/* Nothing is mapped at the address: if a stack is above it that may grow so
 * far, extend that to the address and set f->vma to it.  0, -EFAULT, -ENOMEM,
 * or -EBUSY if u->lock is not held to write.  The tables that the stack will
 * cover are owned before its vma changes (T2). */
static int
growstack(struct fault *f)
{
	int err = vmamaygrow(f->uvm, f->va, &f->vma);

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

/* Set f->table and f->slot to the page table and the slot of the address, and
 * f->old to what is in the slot.  0, -ENOMEM, or -EBUSY if u->lock is not held
 * to write. */
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

/* See to it that a table is under va: for a write one that u owns, for a read
 * any.  0, -ENOMEM, or -EBUSY if u->lock is not held to write.  Called with
 * u->lock held. */
static __attribute__((noinline)) int
faulttable(struct uvm *u, uint va, uint access)
{
	lockassert(holdingeither(&u->lock));
	if ((access & (PROT_WRITE | ALONE)) == PROT_WRITE &&
		(u->pgdir[PDX(va)] & PTE_P))
		return -EBUSY; /* siblings may be using the shared one */
	if ((access & PROT_WRITE) && owntable(u, va) < 0)
		return -ENOMEM;
	return walkpgdir(u->pgdir, va, 1) ? 0 : -ENOMEM;
}

/* Choose the case from what the slot held and from the access (the table at the
 * top of this file).  0, -EAGAIN if the slot has changed, or an error. */
static int
faultpage(struct fault *f)
{
	if (f->old & PTE_P) {
		if (!f->write || (f->old & PTE_W))
			return 0;
		return cowfault(f);
	}
	if (f->old != 0)
		return -EAGAIN; /* a sibling is exchanging the page in
				 * installpage(): this is its PTE_HELD */
	if (f->vma->obj == 0)
		return anonfault(f);
	if (!f->write && around(f))
		return 0;
	return filefault(f);
}

/* First touch of anonymous memory, or a write where the zero page is: map a new
 * page of zeroes for a write, for a read the zero page that all share.  Returns
 * like faultpage(). */
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
	return installpage(f, pg, f->writable);
}

/* A read of an object's memory: map what is cached of the window of NEAR pages
 * around the address, aligned to its size and so in one table, to save the
 * faults that would follow.  1 if the page of the address was cached, else
 * 0. */
static int
around(struct fault *f)
{
	struct vma *v = f->vma;
	uint start = MAX(f->va & ~(NEAR * PGSIZE - 1), v->start);
	uint end = MIN((f->va | (NEAR * PGSIZE - 1)) + 1, v->end);
	struct page *near[NEAR];
	uint n = (end - start) >> PGSHIFT;

	pcachenear(v->obj, objindex(v, start), n, near);
	return fillslots(f, near, n, (f->va - start) >> PGSHIFT);
}

/* Fill the empty ones of n slots with the pages near[], whose references are
 * taken over; entries that are 0 are skipped.  The slot of the address is
 * number back of them.  1 if near[] has a page for the address, else 0. */
static int
fillslots(struct fault *f, struct page *near[], uint n, uint back)
{
	struct page *table = f->table;
	pte_t *slot = f->slot - back;
	int found = near[back] != 0;
	uint room;

	acquire(&table->lock);
	room = pagesleft(f, back); /* as installpage() looks */
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

/* First touch of an object's memory: get the page from the page cache, which
 * may read it from the disk.  A write to a private mapping gets a copy.
 * Returns like faultpage(). */
static int
filefault(struct fault *f)
{
	struct page *pg;
	int err;

	err = pcacheget(f->vma->obj, objindex(f->vma, f->va), vmaahead(f->vma),
		&pg);
	if (err < 0)
		return err;
	f->result |= err; /* 1 is MAJOR */
	if (f->write && (f->vma->flags & VM_SHARED))
		return sharefault(f, pg);
	if (f->write) {
		pg = copypage(pg);
		if (pg == 0)
			return -ENOMEM;
	}
	return installpage(f, pg, f->writable);
}

/* A write to shared memory: let the slot show pg, writable, after pg has been
 * noted as dirty if it is a disk's.  Takes over the caller's reference to pg.
 * Returns like faultpage(). */
static int
sharefault(struct fault *f, struct page *pg)
{
	int err = pcachemkwrite(f->vma->obj, objindex(f->vma, f->va), pg);

	if (backed(f->vma->obj)) {
		f->result |= DIRTIED;
		if (err == 0 && f->vma->file)
			filemodified(f->vma->file);
	}
	if (err == 0 && !(f->old & PTE_P))
		return installpage(f, pg, 1);
	if (err == 0)
		err = letwrite(f);
	putpage(pg);
	return err == -ENOSPC ? -EIO : err;
}

/* Set PTE_W in the slot, whose page stays: 0, or -EAGAIN if the slot has
 * changed.  No flush is needed: the CPU dropped its read-only translation when
 * it faulted (SDM 3A 4.10.4.1), and others will fault once. */
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

/* A write to a read-only slot: make it writable with the page that it has, or
 * replace the page by a copy.  Returns like faultpage(). */
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
	return installpage(f, pg, f->writable);
}

/* If the page in the slot may be written to where it is, set PTE_W and *kept,
 * and return 0: that is shared memory without a disk, and a private page that
 * no other slot shows.  Otherwise return a new reference to the page.  0
 * without *kept: the slot has changed. */
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

/* Install pg in the slot, writable if write is set, if the slot is as we saw it
 * and the file still has the page: 0, else -EAGAIN.  Takes over the caller's
 * reference to pg: it becomes the slot's, or is dropped.  A page that was there
 * leaves all TLBs before the new one is seen: else one sibling could write to
 * the new page, and another one read the old page afterwards.  Meanwhile
 * PTE_HELD keeps the slot filled, and faults of siblings away. */
static int
installpage(struct fault *f, struct page *pg, int write)
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

/* Has the object become too short to have the page?  Called with the table's
 * lock held: either we see the new size, or objunmap(), which runs after the
 * size has changed, sees what we put into the slot. */
static int
truncated(struct fault *f)
{
	lockassert(holding(&f->table->lock));
	return f->vma->obj && pagesleft(f, 0) == 0;
}

/* How many pages the object has from that one on which is back pages before the
 * address's.  Called with the table's lock held, as truncated() is. */
static uint
pagesleft(struct fault *f, uint back)
{
	uint end = (pcachesize(f->vma->obj) + PGSIZE - 1) >> PGSHIFT;
	uint first = objindex(f->vma, f->va) - back;

	lockassert(holding(&f->table->lock));
	return end > first ? end - first : 0;
}

/* Does the slot still hold f->old, but for the bits that the CPU sets?  Called
 * with the table's lock held. */
static int
sameslot(struct fault *f)
{
	lockassert(holding(&f->table->lock));
	return ((*f->slot ^ f->old) & ~(PTE_A | PTE_D)) == 0;
}
