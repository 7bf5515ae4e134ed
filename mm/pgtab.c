/*
 * pgtab.c - page tables: walking, filling, sharing, tearing down.
 *
 * The CPU translates an address in two steps (SDM 3A 4.3):
 *
 *      va  | 31      22 | 21      12 | 11       0 |
 *          |  PDX(va)   |  PTX(va)   |    byte    |
 *                |            |            |
 *          page directory  page table    frame
 *            +------+      +------+     +------+
 *            |      |      |      |     |      |
 *            |      |      |      |     |      |
 *   CR3 -->  | PDE -|----->| PTE -|---->| byte |
 *            |      |      |      |     |      |
 *            +------+      +------+     +------+
 *           1024 PDEs of  1024 PTEs of    4 KiB
 *            4 MiB each    4 KiB each
 *
 * A PTE is called a slot here.  A write needs PTE_W in both entries (SDM 3A
 * 4.6):
 *
 *   PDE.W  PTE.W   a write
 *     1      1     goes through
 *     1      0     faults: the page is shared, or may only be read (cowfault)
 *     0     any    faults: the table is shared since fork (owntable); then the
 *                  slot decides
 *
 * So one bit makes 4 MiB copy-on-write.  fork() copies no page tables.  Parent
 * and child hang the same tables, with PTE_W off in both directories; the slots
 * stay as they are:
 *
 *    parent's directory               child's directory
 *       +-------+                        +-------+
 *       | PDE - |-----.            .-----| PDE - |     W is off in both
 *       +-------+     |            |     +-------+
 *                     v            v
 *                   +----------------+
 *                   | PTE a: W       |-----> page a, ref 1
 *                   | PTE b: W       |-----> page b, ref 1
 *                   +----------------+
 *                     table, ref 2
 *
 * The child writes to page a.  unsharetable() gives it a copy of the table, in
 * which as in the old one no slot has PTE_W; then cowfault() gives it a copy of
 * the page:
 *
 *    parent's directory               child's directory
 *       +-------+                        +-------+
 *       | PDE - |                        | PDE W |
 *       +-------+                        +-------+
 *           |                                |
 *           v                                v
 *       +----------+                     +----------+
 *       | PTE a: - |--> page a, ref 1    | PTE a: W |--> its copy, ref 1
 *       | PTE b: - |--> page b, ref 2 <--| PTE b: - |
 *       +----------+                     +----------+
 *       table, ref 1                     table, ref 1
 *
 * When the parent writes to page a now, it is the last that hangs the old table
 * and shows the old page: it takes both back by setting PTE_W, and copies
 * nothing.
 *
 * Invariants (F1 to F3 are in fault.c):
 *   T1  A table's ref is the number of directories that hang it.
 *   T2  All sharers of a table have equal vmas over its 4 MiB.  So whoever
 *       changes a vma owns the tables under it first; but a range that covers
 *       all the vmas under a table may simply let go of it.
 *   T3  table->inuse is the number of its filled slots; the resident size of a
 *       process is the sum over the tables it hangs.
 *   T4  A page leaves its slot, then the TLBs, and is freed only then.
 */
#include "mm/vm.h"

#define NBATCH 128 /* pages and tables that leave between two flushes */
#define FEW    (64 * PGSIZE) /* bytes; the slots of a shorter range are emptied
                              * one by one, even if its table could go whole */

struct batch { /* pages and whole tables on their way out of a range */
	struct uvm *uvm;     /* whose range it is */
	uint va[NBATCH];     /* address of each that has left its slot */
	struct page *page[NBATCH]; /* what has left, with its reference */
	int n;               /* how many they are */
	int whole;           /* is a table among them? */
	int shared;          /* do others hang a table that pages came from? */
	struct page *tables; /* list of those that the caller is to free */
};

static struct page *copytable(struct page *);
static void copyslots(pte_t *to, pte_t *from, struct page *old);
static void inittable(struct page *);
static pte_t *filledslots(struct page *, uint *va, uint *end);
static void unmaptable(struct batch *, struct page *table, uint va, uint end);
static void batchflush(struct batch *);
static int isempty(const struct page *, uint va, uint end);
static void batchtable(struct batch *, uint va);
static void addbatch(struct batch *, uint va, struct page *);
static void droppage(struct batch *, struct page *);
static int outside(struct uvm *, uint va, uint start, uint end);
static void unhangtable(struct uvm *, uint va);
static void putpgtab(struct page *);
static inline uint sharetable(struct uvm *, uint x, struct uvm *to);
static inline uint freetable(struct uvm *, uint x, struct uvm *);
static inline uint tablerss(struct uvm *, uint x, struct uvm *);
static uint prottable(struct uvm *, uint va, uint end, int prot, uint *last);
static pte_t pteprot(pte_t, int prot);
static void moveslot(pte_t *from, pte_t *to);

/* The first address that the table under va translates. */
static inline uint
tablestart(uint va)
{
	return va & ~(SUPERSIZE - 1);
}

/* Where the range that begins at va and ends at end leaves the table under va:
 * an address, at most end.  User addresses only, so it does not wrap. */
static inline uint
tableend(uint va, uint end)
{
	return MIN(tablestart(va) + SUPERSIZE, end);
}

/* What eachtable() calls: for entry x of the directory of u. */
typedef uint tablefn(struct uvm *u, uint x, struct uvm *to);

/* Call fn for each directory entry x of u that hangs a table under a vma, and
 * hand to on.  Returns the sum of what fn returns.  Always inline, so that fn
 * costs no call. */
static inline __attribute__((always_inline)) uint
eachtable(struct uvm *u, tablefn *fn, struct uvm *to)
{
	uint next = 0, sum = 0;

	for (int i = 0; i < u->nvma; i++)
		for (uint x = MAX(next, PDX(u->vmas[i]->start));
			x <= PDX(u->vmas[i]->end - 1); next = ++x)
			if (u->pgdir[x] & PTE_P)
				sum += fn(u, x, to);
	return sum;
}

/* As in xv6, the slot that translates va in pgdir; but a new table is hung by
 * cas(), since other threads of the process may be about to hang one too, with
 * u->lock held to read.  0: there is no table; with alloc set: no memory for
 * one.  Nobody else hangs a new table (F1).  For a user's directory called with
 * u->lock held. */
pte_t *
walkpgdir(pde_t *pgdir, uint va, int alloc)
{
	pde_t *pde = &pgdir[PDX(va)];
	pte_t *table;

	if (*pde & PTE_P)
		return (pte_t *)P2V(PTE_ADDR(*pde)) + PTX(va);
	if (!alloc)
		return 0;
	if (pages) {
		struct page *pg = allocpage(PG_TABLE);

		if (pg == 0)
			return 0;
		inittable(pg);
		table = pagekva(pg);
		stosl(table, 0, NPTENTRIES);
	} else {
		table = kalloc(); /* kvmalloc: no page array yet, zeroed */
	}
	if (!cas(pde, 0, V2P(table) | PTE_P | PTE_W |
				  (va < KERNBASE ? PTE_U : 0)))
		putpage(kvapage(table)); /* a sibling was faster */
	return (pte_t *)P2V(PTE_ADDR(*pde)) + PTX(va);
}

/* Map [va, va+size) to physical memory from pa on.  Unlike xv6's, for the
 * kernel's half only (faults fill user memory), and by 4 MiB where both are
 * aligned.  0 or -ENOMEM. */
int
mappages(pde_t *pgdir, uint va, uint64_t size, uint pa, uint perm)
{
	uint64_t done = 0;
	pte_t *slot;

	while (done < size) {
		if (((va | pa) & (SUPERSIZE - 1)) == 0 &&
			size - done >= SUPERSIZE) {
			pgdir[PDX(va)] = pa | perm | PTE_P | PTE_PS;
			done += SUPERSIZE;
			va += SUPERSIZE;
			pa += SUPERSIZE;
			continue;
		}
		slot = walkpgdir(pgdir, va, 1);
		if (slot == 0)
			return -ENOMEM;
		assert(!(*slot & PTE_P));
		*slot = pa | perm | PTE_P;
		done += PGSIZE;
		va += PGSIZE;
		pa += PGSIZE;
	}
	return 0;
}

/* See vm.h.  Copying the table takes PTE_W off every slot, in both copies: the
 * pages are now shared where the table was. */
int
unsharetable(struct uvm *u, uint va)
{
	pde_t *pde = &u->pgdir[PDX(va)];
	struct page *old, *new;

	lockassert(holdingwrite(&u->lock));
	old = ptepage(*pde);
	if (old->ref == 1) {
		*pde |= PTE_W; /* the others have gone: no copying */
		vmcount(VM_TABLEREUSE);
		return 0;
	}
	new = copytable(old);
	if (new == 0)
		return -ENOMEM;
	*pde = pagepa(new) | PTE_P | PTE_W | PTE_U;
	tlbshootall(u); /* the CPU caches directory entries too */
	putpgtab(old);
	return 0;
}

/* See vm.h. */
int
owntables(struct uvm *u, uint start, uint end)
{
	lockassert(holdingwrite(&u->lock));
	for (uint va = start; va < end; va = tablestart(va) + SUPERSIZE)
		if (owntable(u, va) < 0)
			return -ENOMEM;
	return 0;
}

/* See vm.h. */
int
ownedges(struct uvm *u, uint start, uint end)
{
	lockassert(holdingwrite(&u->lock));
	for (uint va = start; va < end; va = tablestart(va) + SUPERSIZE)
		if ((u->pgdir[PDX(va)] & (PTE_P | PTE_W)) == PTE_P &&
			outside(u, va, start, end) && unsharetable(u, va) < 0)
			return -ENOMEM;
	return 0;
}

/* Does the table under va serve vmas of u outside [start, end) too?  Called
 * with u->lock held. */
static int
outside(struct uvm *u, uint va, uint start, uint end)
{
	uint base = tablestart(va);

	lockassert(holdingeither(&u->lock));
	return vmaoverlap(u, base, MAX(base, start)) ||
		vmaoverlap(u, MIN(end, base + SUPERSIZE), base + SUPERSIZE);
}

/* A new table with what old has in its slots, which lose PTE_W in both tables;
 * 0 if there is no memory. */
static struct page *
copytable(struct page *old)
{
	struct page *new = allocpage(PG_TABLE);

	if (new == 0)
		return 0;
	inittable(new);
	stosl(pagekva(new), 0, NPTENTRIES);
	acquire(&old->lock);
	copyslots(pagekva(new), pagekva(old), old);
	new->inuse = old->inuse;
	new->zeros = old->zeros;
	new->low = old->low;
	new->high = old->high;
	release(&old->lock);
	vmcount(VM_TABLECOPY);
	return new;
}

/* Copy the filled slots of the table old, from from[] to to[], without PTE_W;
 * each page gets a reference for its new slot.  Called with old->lock held. */
static void
copyslots(pte_t *to, pte_t *from, struct page *old)
{
	lockassert(holding(&old->lock));
	for (uint i = old->low; i < old->high; i++) {
		if (!ptefilled(from[i]))
			continue;
		from[i] &= ~PTE_W;
		to[i] = from[i];
		getpage(ptepage(from[i]));
	}
}

/* Prepare the struct page of a new table, none of whose slots is filled. */
static void
inittable(struct page *pg)
{
	initlock(&pg->lock, RANK_TABLE);
	pg->zeros = 0;
	pg->low = NPTENTRIES;
	pg->high = 0;
}

/* See vm.h. */
void
sharetables(struct uvm *to, struct uvm *from)
{
	lockassert(holdingwrite(&from->lock) && holdingwrite(&to->lock));
	eachtable(from, sharetable, to);
}

/* Hang the table in directory entry x of from into to as well, without PTE_W in
 * either directory.  Returns 0. */
static inline uint
sharetable(struct uvm *from, uint x, struct uvm *to)
{
	pde_t *pde = &from->pgdir[x];

	tlbarmtable(from, x << 22, ptepage(*pde), PROT_WRITE);
	*pde &= ~PTE_W;
	getpage(ptepage(*pde));
	to->pgdir[x] = *pde;
	vmcount(VM_TABLESHARE);
	return 0;
}

/* See vm.h.  A read-only table can only go whole: ownedges() has seen to it
 * that such a one serves nothing of u's outside the range. */
void
unmappages(struct uvm *u, uint start, uint end, struct page **tables)
{
	struct batch b;
	uint va, next;
	pde_t pde;

	lockassert(holdingwrite(&u->lock));
	b.uvm = u;
	b.n = b.whole = b.shared = 0;
	b.tables = tables ? *tables : 0;
	for (va = start; va < end; va = next) {
		next = tableend(va, end);
		pde = u->pgdir[PDX(va)];
		if (!(pde & PTE_P) || isempty(ptepage(pde), va, next))
			continue;
		if ((pde & PTE_W) && (tables == 0 || next - va < FEW ||
					     outside(u, va, start, end)))
			unmaptable(&b, ptepage(pde), va, next);
		else
			batchtable(&b, va);
	}
	if (b.n > 0)
		batchflush(&b);
	if (tables)
		*tables = b.tables;
}

/* Are the slots of [va, end), which the table translates, known to be empty
 * without a look at them?  1, or 0: some may be filled. */
static int
isempty(const struct page *table, uint va, uint end)
{
	return PTX(end - 1) < table->low || PTX(va) >= table->high;
}

/* Unhang the table under va from the batch's directory and put it into the
 * batch. */
static void
batchtable(struct batch *b, uint va)
{
	pde_t *pde = &b->uvm->pgdir[PDX(va)];
	struct page *table = ptepage(*pde);

	notepeak(b->uvm);
	tlbarmtable(b->uvm, va, table, PROT_READ);
	*pde = 0;
	b->whole = 1;
	addbatch(b, va, table);
}

/* Put pg, a page or a table that has left its place at va, into the batch, with
 * its reference; flush a batch that is full. */
static void
addbatch(struct batch *b, uint va, struct page *pg)
{
	b->va[b->n] = va;
	b->page[b->n++] = pg;
	if (b->n == NBATCH)
		batchflush(b);
}

/* See vm.h.  Slots are emptied in shared tables too.  The other directories
 * that hang such a table lose these pages too, so every CPU is flushed. */
void
clearpages(struct uvm *u, uint start, uint end)
{
	struct batch b;
	struct page *table;
	uint next;

	lockassert(holdingwrite(&u->lock));
	b.uvm = u;
	b.n = b.whole = b.shared = 0;
	for (uint va = start; va < end; va = next) {
		next = tableend(va, end);
		if (!(u->pgdir[PDX(va)] & PTE_P))
			continue;
		table = ptepage(u->pgdir[PDX(va)]);
		b.shared |= table->ref > 1;
		if (!isempty(table, va, next))
			unmaptable(&b, table, va, next);
	}
	if (b.n > 0)
		batchflush(&b);
}

/* See vm.h. */
struct page *
slotpage(struct uvm *u, uint va)
{
	pte_t *slot = findslot(u->pgdir, va);
	struct page *pg = 0;

	lockassert(holdingeither(&u->lock));
	if (slot == 0)
		return 0;
	acquire(&tablepage(slot)->lock);
	if (ptefilled(*slot))
		pg = getpage(ptepage(*slot));
	release(&tablepage(slot)->lock);
	return pg;
}

/* Empty the slots of [va, end), which this one table translates, and put their
 * pages into the batch.  Afterwards narrow the table's [low, high), where
 * filled slots are, but not if others hang the table: their faults may fill
 * slots meanwhile.  Called with u->lock held to write. */
static void
unmaptable(struct batch *b, struct page *table, uint va, uint end)
{
	uint first = PTX(va), last = PTX(end - 1);
	pte_t *slot = filledslots(table, &va, &end);
	struct page *pg;

	lockassert(holdingwrite(&b->uvm->lock));
	for (; va < end; va += PGSIZE, slot++) {
		if (!ptefilled(*slot))
			continue;
		if (b->n == 0)
			notepeak(b->uvm);
		tlbarm(b->uvm, va, PROT_READ);
		acquire(&table->lock);
		pg = setslot(slot, 0);
		release(&table->lock);
		if (pg)
			addbatch(b, va, pg);
	}
	if (b->shared)
		return;
	if (first <= table->low && last >= table->low)
		table->low = last + 1;
	if (last + 1 >= table->high && first < table->high)
		table->high = first;
	if (table->inuse == 0) {
		table->low = NPTENTRIES;
		table->high = 0;
	}
}

/* Narrow [*va, *end), which the table translates, to where slots may be filled.
 * Returns the slot of the new *va. */
static pte_t *
filledslots(struct page *table, uint *va, uint *end)
{
	uint base = tablestart(*va);

	*va = MAX(*va, base + table->low * PGSIZE);
	*end = MIN(*end, base + table->high * PGSIZE);
	return (pte_t *)pagekva(table) + PTX(*va);
}

/* Let the CPUs forget the batch's translations, then drop its references (T4).
 * The batch is empty afterwards. */
static void
batchflush(struct batch *b)
{
	if (b->shared)
		tlbshootevery();
	else if (b->whole)
		tlbshootall(b->uvm);
	else
		tlbshootmany(b->uvm, b->va, b->n);
	for (int i = 0; i < b->n; i++)
		tlbverifytable(b->uvm, b->va[i],
			b->page[i]->state == PG_TABLE ? b->page[i] : 0,
			PROT_READ);
	while (b->n > 0)
		droppage(b, b->page[--b->n]);
	b->whole = 0;
}

/* Drop the reference to a page or to a table that has left the TLBs.  A table
 * that nobody else hangs goes to the batch's list instead: to free its pages
 * takes long, and can wait until u->lock has been released. */
static void
droppage(struct batch *b, struct page *pg)
{
	if (pg->state != PG_TABLE) {
		putpage(pg);
	} else if (pg->ref > 1) {
		putpgtab(pg);
	} else {
		pg->nexttable = b->tables;
		b->tables = pg;
	}
}

/* See vm.h. */
void
putpgtabs(struct page *table)
{
	struct page *next;

	for (; table; table = next) {
		next = table->nexttable;
		putpgtab(table);
	}
}

/* See vm.h. */
void
trimtables(struct uvm *u, uint start, uint end)
{
	uint base;

	lockassert(holdingwrite(&u->lock));
	for (uint va = start; va < end; va = base + SUPERSIZE) {
		base = tablestart(va);
		if ((u->pgdir[PDX(va)] & PTE_P) &&
			!vmaoverlap(u, base, base + SUPERSIZE))
			unhangtable(u, va);
	}
}

/* Unhang the table under va from u's directory and drop its reference.  Called
 * with u->lock held to write. */
static void
unhangtable(struct uvm *u, uint va)
{
	pde_t *pde = &u->pgdir[PDX(va)];
	struct page *table = ptepage(*pde);

	lockassert(holdingwrite(&u->lock));
	notepeak(u);
	tlbarmtable(u, va, table, PROT_READ);
	*pde = 0;
	tlbshootall(u); /* before the table can be freed */
	tlbverifytable(u, va, table, PROT_READ);
	putpgtab(table);
}

/* Drop a directory's reference to a table; the last one frees the table and
 * drops the references of its slots.  No CPU translates through this directory
 * entry any more. */
static void
putpgtab(struct page *table)
{
	pte_t *slot = pagekva(table);

	if (!atomicdectest(&table->ref))
		return;
	for (uint i = table->low; i < table->high; i++)
		if (ptefilled(slot[i]))
			putpage(ptepage(slot[i]));
	freepage(table);
}

/* See vm.h. */
void
freetables(struct uvm *u)
{
	lockassert(u->ref == 0 && u->cpus == 0);
	eachtable(u, freetable, 0);
}

/* Let go of the table in directory entry x of u.  Returns 0. */
static inline uint
freetable(struct uvm *u, uint x, struct uvm *to)
{
	(void)to;
	putpgtab(ptepage(u->pgdir[x]));
	u->pgdir[x] = 0;
	return 0;
}

/* See vm.h.  The vmas say which tables there are, unless there are more vmas
 * than tables. */
uint
uvmrss(struct uvm *u)
{
	uint rss = 0;

	lockassert(holdingeither(&u->lock));
	if (u->nvma <= (int)PDX(USERTOP))
		return eachtable(u, tablerss, 0);
	for (uint x = 0; x < PDX(USERTOP); x++)
		if (u->pgdir[x] & PTE_P)
			rss += tablerss(u, x, 0);
	return rss;
}

/* How many pages the table in directory entry x of u shows, without the zero
 * page. */
static inline uint
tablerss(struct uvm *u, uint x, struct uvm *to)
{
	struct page *table = ptepage(u->pgdir[x]);

	(void)to;
	return table->inuse - table->zeros;
}

/* See vm.h.  No table is locked: faults may fill slots meanwhile, and each look
 * at a slot sees the old value or the new one. */
uint
nextpage(struct uvm *u, uint start, uint end, int anon)
{
	pte_t *slot;
	uint a, e;

	lockassert(holdingeither(&u->lock));
	for (uint va = start; va < end; va = tableend(va, end)) {
		if (!(u->pgdir[PDX(va)] & PTE_P))
			continue;
		a = va;
		e = tableend(va, end);
		slot = filledslots(ptepage(u->pgdir[PDX(va)]), &a, &e);
		for (; a < e; a += PGSIZE, slot++)
			if (ptefilled(*slot) && ptepage(*slot) != zeropage &&
				(!anon || ptepage(*slot)->state == PG_ANON))
				return a;
	}
	return end;
}

/* See vm.h. */
void
notepeak(struct uvm *u)
{
	lockassert(holdingwrite(&u->lock));
	u->peakrss = MAX(u->peakrss, uvmrss(u));
}

/* See vm.h. */
void
protpages(struct uvm *u, uint start, uint end, int prot)
{
	uint changed = 0, last = 0;

	lockassert(holdingwrite(&u->lock));
	for (uint va = start; va < end; va = tableend(va, end))
		if (u->pgdir[PDX(va)] & PTE_P)
			changed += prottable(u, va, tableend(va, end), prot,
				&last);
	if (changed == 1)
		tlbshoot(u, last);
	else if (changed > 1)
		tlbshootall(u);
	for (uint va = start; !(prot & PROT_WRITE) && va < end; va += PGSIZE)
		tlbverify(u, va, prot == PROT_NONE ? PROT_READ : PROT_WRITE);
}

/* protpages() for [va, end), which one table translates.  Returns how many
 * slots lost PTE_P or PTE_W, and in *last the address of the last of them. */
static uint
prottable(struct uvm *u, uint va, uint end, int prot, uint *last)
{
	struct page *table = ptepage(u->pgdir[PDX(va)]);
	pte_t *slot = filledslots(table, &va, &end), old;
	uint changed = 0;

	if (!(prot & PROT_WRITE))
		tlbarmtable(u, va, table, PROT_WRITE);
	acquire(&table->lock);
	for (; va < end; va += PGSIZE, slot++) {
		old = *slot;
		if (!ptefilled(old))
			continue;
		*slot = pteprot(old, prot);
		if (old & ~*slot & (PTE_P | PTE_W)) {
			*last = va;
			changed++;
		}
	}
	release(&table->lock);
	return changed;
}

/* What a filled slot that holds pte is to hold under the protection prot.
 * PTE_W is only taken away: a write fault gives it back. */
static pte_t
pteprot(pte_t pte, int prot)
{
	if (prot == PROT_NONE)
		return (pte & ~(PTE_P | PTE_W)) | PTE_HELD;
	pte = (pte & ~PTE_HELD) | PTE_P;
	return prot & PROT_WRITE ? pte : pte & ~PTE_W;
}

/* See vm.h. */
int
movepages(struct uvm *u, uint from, uint to, uint n)
{
	pte_t *slot;

	lockassert(holdingwrite(&u->lock));
	for (uint i = 0; i < n; i = tableend(to + i, to + n) - to)
		if (owntable(u, to + i) < 0 || !walkpgdir(u->pgdir, to + i, 1))
			return -ENOMEM;
	for (uint i = 0; i < n; i += PGSIZE) {
		slot = findslot(u->pgdir, from + i);
		if (slot && ptefilled(*slot)) {
			tlbarm(u, from + i, PROT_READ);
			moveslot(slot, findslot(u->pgdir, to + i));
		}
	}
	tlbshootall(u);
	for (uint i = 0; i < n; i += PGSIZE)
		tlbverify(u, from + i, PROT_READ);
	return 0;
}

/* Move what a filled slot holds to an empty one, with the page's reference.
 * movepages() holds u->lock to write, which keeps faults away between the
 * two. */
static void
moveslot(pte_t *from, pte_t *to)
{
	pte_t pte;

	acquire(&tablepage(from)->lock);
	pte = *from;
	setslot(from, 0);
	release(&tablepage(from)->lock);

	acquire(&tablepage(to)->lock);
	assert(!ptefilled(*to));
	setslot(to, pte);
	release(&tablepage(to)->lock);
}
