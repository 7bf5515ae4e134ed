/*
 * pgtab.c - page tables: walking, filling, sharing, tearing down.
 *
 * fork() copies no page tables: parent and child hang the same ones, with
 * PTE_W off in both directories.  i386 allows a write only if directory entry
 * and table entry both do (SDM 3A 4.6), so one bit makes 4 MiB copy-on-write.
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

#define NBATCH 128 /* pages unmapped between two flushes */
#define FEW    (64 * PGSIZE) /* so little is not worth a look at the table */

struct batch { /* pages and whole tables on their way out of a range */
	struct uvm *uvm;
	uint va[NBATCH];
	struct page *page[NBATCH];
	int n;
	int whole;           /* are there tables? */
	int shared;          /* were some in tables that others hang? */
	struct page *tables; /* for the caller to free */
};

static struct page *copytable(struct page *);
static void copyslots(pte_t *to, pte_t *from, struct page *old);
static void emptytable(struct page *);
static pte_t *filledslots(struct page *, uint *va, uint *end);
static void unmaptable(struct batch *, struct page *table, uint va, uint end);
static void batchflush(struct batch *);
static int isempty(const struct page *, uint va, uint end);
static void taketable(struct batch *, uint va);
static void addbatch(struct batch *, uint va, struct page *);
static void droppage(struct batch *, struct page *);
static int outside(struct uvm *, uint va, uint start, uint end);
static void letgo(struct uvm *, uint va);
static void puttable(struct page *);
static uint tablerss(struct uvm *, uint x);
static uint prottable(struct uvm *, uint va, uint end, int prot, uint *last);
static pte_t pteprot(pte_t, int prot);
static void moveslot(pte_t *from, pte_t *to);

/* Where the next directory entry's 4 MiB begin; user addresses only, so it
 * does not wrap. */
static inline uint
nextsuper(uint va)
{
	return (PDX(va) + 1) << 22;
}

/* The slot that translates va in pgdir.  0: there is no table; with alloc, no
 * memory for one.  A new table is owned (F1).  Called with u->lock held for a
 * user's directory, to read at least: siblings may be about to hang one too. */
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
		emptytable(pg);
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

/* Map [va, va+size) to physical memory from pa on, for the kernel: by 4 MiB
 * where both are aligned.  0 or -ENOMEM. */
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

/* owntable() when the table under va is hung read-only: the last sharer takes
 * it back, others get a copy.  Copying takes PTE_W off every slot, in both
 * copies: the pages are now shared where the table was.  u->lock held. */
int
unshare(struct uvm *u, uint va)
{
	pde_t *pde = &u->pgdir[PDX(va)];
	struct page *old, *new;

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
	puttable(old);
	return 0;
}

/* Own every table under [start, end): their vmas are going to change.  0, or
 * -ENOMEM with nothing changed that anyone could see. */
int
owntables(struct uvm *u, uint start, uint end)
{
	for (uint va = start; va < end; va = nextsuper(va))
		if (owntable(u, va) < 0)
			return -ENOMEM;
	return 0;
}

/* The same before [start, end) is unmapped: only tables that serve u outside
 * of it too.  The others unmappages() lets go of. */
int
ownedges(struct uvm *u, uint start, uint end)
{
	for (uint va = start; va < end; va = nextsuper(va))
		if ((u->pgdir[PDX(va)] & (PTE_P | PTE_W)) == PTE_P &&
			outside(u, va, start, end) && unshare(u, va) < 0)
			return -ENOMEM;
	return 0;
}

/* Does the table under va serve mappings outside [start, end) too? */
static int
outside(struct uvm *u, uint va, uint start, uint end)
{
	uint base = va & ~(SUPERSIZE - 1);

	return vmaoverlap(u, base, MAX(base, start)) ||
		vmaoverlap(u, MIN(end, base + SUPERSIZE), base + SUPERSIZE);
}

/* A copy of a table, all of whose slots lose PTE_W in both; or 0. */
static struct page *
copytable(struct page *old)
{
	struct page *new = allocpage(PG_TABLE);

	if (new == 0)
		return 0;
	emptytable(new);
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

/* Copy the filled slots.  old is locked. */
static void
copyslots(pte_t *to, pte_t *from, struct page *old)
{
	for (uint i = old->low; i < old->high; i++) {
		if (!ptefilled(from[i]))
			continue;
		from[i] &= ~PTE_W;
		to[i] = from[i];
		getpage(ptepage(from[i]));
	}
}

/* A new table has no slot filled. */
static void
emptytable(struct page *pg)
{
	initlock(&pg->lock, RANK_TABLE);
	pg->zeros = 0;
	pg->low = NPTENTRIES;
	pg->high = 0;
}

/* fork: hang all of from's tables into to as well, without PTE_W in either.
 * Called with from->lock held; to is visible to nobody; from's TLB entries are
 * the caller's to flush. */
void
sharetables(struct uvm *to, struct uvm *from)
{
	uint next = 0;
	pde_t *pde;

	for (int i = 0; i < from->nvma; i++)
		for (uint x = MAX(next, PDX(from->vmas[i]->start));
			x <= PDX(from->vmas[i]->end - 1); next = ++x) {
			pde = &from->pgdir[x];
			if (!(*pde & PTE_P))
				continue;
			tlbarmtable(from, x << 22, ptepage(*pde), PROT_WRITE);
			*pde &= ~PTE_W;
			getpage(ptepage(*pde));
			to->pgdir[x] = *pde;
			vmcount(VM_TABLESHARE);
		}
}

/* Empty the slots of [start, end), where ownedges() has been called and the vmas
 * are still there.  A table that serves nothing of u's outside the range goes
 * whole; those that nobody else hangs are put on the list *tables.  With tables 0
 * owned ones stay (mremap has filled them for a vma to come).  u->lock held to
 * write. */
void
unmappages(struct uvm *u, uint start, uint end, struct page **tables)
{
	struct batch b;
	uint va, next;
	pde_t pde;

	b.uvm = u;
	b.n = b.whole = b.shared = 0;
	b.tables = tables ? *tables : 0;
	for (va = start; va < end; va = next) {
		next = MIN(nextsuper(va), end);
		pde = u->pgdir[PDX(va)];
		if (!(pde & PTE_P) || isempty(ptepage(pde), va, next))
			continue;
		if ((pde & PTE_W) && (tables == 0 || next - va < FEW ||
					     outside(u, va, start, end)))
			unmaptable(&b, ptepage(pde), va, next);
		else
			taketable(&b, va);
	}
	if (b.n > 0)
		batchflush(&b);
	if (tables)
		*tables = b.tables;
}

/* Are the slots of [va, end) empty for certain, without a look at them? */
static int
isempty(const struct page *table, uint va, uint end)
{
	return PTX(end - 1) < table->low || PTX(va) >= table->high;
}

/* Unhang the table under va. */
static void
taketable(struct batch *b, uint va)
{
	pde_t *pde = &b->uvm->pgdir[PDX(va)];
	struct page *table = ptepage(*pde);

	notepeak(b->uvm);
	tlbarmtable(b->uvm, va, table, PROT_READ);
	*pde = 0;
	b->whole = 1;
	addbatch(b, va, table);
}

static void
addbatch(struct batch *b, uint va, struct page *pg)
{
	b->va[b->n] = va;
	b->page[b->n++] = pg;
	if (b->n == NBATCH)
		batchflush(b);
}

/* Empty the slots of [start, end), in tables that others hang too: the file
 * behind them has ended.  What they show now, they may not reach either.
 * u->lock held to write. */
void
clearpages(struct uvm *u, uint start, uint end)
{
	struct batch b;
	struct page *table;
	uint next;

	b.uvm = u;
	b.n = b.whole = b.shared = 0;
	for (uint va = start; va < end; va = next) {
		next = MIN(nextsuper(va), end);
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

/* The page in the slot of va, referenced, or 0.  u->lock held. */
struct page *
slotpage(struct uvm *u, uint va)
{
	pte_t *slot = findslot(u->pgdir, va);
	struct page *pg = 0;

	if (slot == 0)
		return 0;
	acquire(&tablepage(slot)->lock);
	if (ptefilled(*slot))
		pg = getpage(ptepage(*slot));
	release(&tablepage(slot)->lock);
	return pg;
}

/* The part of one table.  What is left of it is noted if it is ours alone. */
static void
unmaptable(struct batch *b, struct page *table, uint va, uint end)
{
	uint first = PTX(va), last = PTX(end - 1);
	pte_t *slot = filledslots(table, &va, &end);
	struct page *pg;

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

/* Narrow [*va, *end), which the table translates, to where slots are filled;
 * the first one's slot. */
static pte_t *
filledslots(struct page *table, uint *va, uint *end)
{
	uint base = *va & ~(SUPERSIZE - 1);

	*va = MAX(*va, base + table->low * PGSIZE);
	*end = MIN(*end, base + table->high * PGSIZE);
	return (pte_t *)pagekva(table) + PTX(*va);
}

/* Forget the translations, then drop the pages (T4). */
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

/* A page, or a table: the pages of one that is ours alone take long, and wait. */
static void
droppage(struct batch *b, struct page *pg)
{
	if (pg->state != PG_TABLE) {
		putpage(pg);
	} else if (pg->ref > 1) {
		puttable(pg);
	} else {
		pg->nexttable = b->tables;
		b->tables = pg;
	}
}

/* Free a list of tables with what they hold.  No lock needed. */
void
puttables(struct page *table)
{
	struct page *next;

	for (; table; table = next) {
		next = table->nexttable;
		puttable(table);
	}
}

/* Let go of the tables in the 4 MiB steps of [start, end) under which no vma is
 * left.  u->lock held. */
void
droptables(struct uvm *u, uint start, uint end)
{
	uint base;

	for (uint va = start; va < end; va = nextsuper(va)) {
		base = va & ~(SUPERSIZE - 1);
		if ((u->pgdir[PDX(va)] & PTE_P) &&
			!vmaoverlap(u, base, base + SUPERSIZE))
			letgo(u, va);
	}
}

/* Unhang the table under va. */
static void
letgo(struct uvm *u, uint va)
{
	pde_t *pde = &u->pgdir[PDX(va)];
	struct page *table = ptepage(*pde);

	notepeak(u);
	tlbarmtable(u, va, table, PROT_READ);
	*pde = 0;
	tlbshootall(u); /* before the table can be freed */
	tlbverifytable(u, va, table, PROT_READ);
	puttable(table);
}

/* Drop a directory's reference to a table; the last frees it and drops what
 * its slots hold.  No CPU can translate through it any more. */
static void
puttable(struct page *table)
{
	pte_t *slot = pagekva(table);

	if (!atomicdectest(&table->ref))
		return;
	for (uint i = table->low; i < table->high; i++)
		if (ptefilled(slot[i]))
			putpage(ptepage(slot[i]));
	freepage(table);
}

/* Let go of everything.  Nobody runs on u or holds its lock. */
void
freetables(struct uvm *u)
{
	uint next = 0;

	for (int i = 0; i < u->nvma; i++)
		for (uint x = MAX(next, PDX(u->vmas[i]->start));
			x <= PDX(u->vmas[i]->end - 1); next = ++x)
			if (u->pgdir[x] & PTE_P) {
				puttable(ptepage(u->pgdir[x]));
				u->pgdir[x] = 0;
			}
}

/* Pages present, the zero page not among them.  The mappings say which tables there
 * are, unless there are more mappings than tables.  u->lock held. */
uint
uvmrss(struct uvm *u)
{
	uint next = 0, rss = 0;

	if (u->nvma > (int)PDX(USERTOP)) {
		for (uint x = 0; x < PDX(USERTOP); x++)
			rss += tablerss(u, x);
		return rss;
	}
	for (int i = 0; i < u->nvma; i++)
		for (uint x = MAX(next, PDX(u->vmas[i]->start));
			x <= PDX(u->vmas[i]->end - 1); next = ++x)
			rss += tablerss(u, x);
	return rss;
}

static uint
tablerss(struct uvm *u, uint x)
{
	struct page *table;

	if ((u->pgdir[x] & PTE_P) == 0)
		return 0;
	table = ptepage(u->pgdir[x]);
	return table->inuse - table->zeros;
}

/* The first page in [start, end) that is present (anon: and is private memory's
 * own): its address, or end. */
uint
nextpage(struct uvm *u, uint start, uint end, int anon)
{
	pte_t *slot;
	uint a, e;

	for (uint va = start; va < end; va = nextsuper(va)) {
		if (!(u->pgdir[PDX(va)] & PTE_P))
			continue;
		a = va;
		e = MIN(nextsuper(va), end);
		slot = filledslots(ptepage(u->pgdir[PDX(va)]), &a, &e);
		for (; a < e; a += PGSIZE, slot++)
			if (ptefilled(*slot) && ptepage(*slot) != zeropage &&
				(!anon || ptepage(*slot)->state == PG_ANON))
				return a;
	}
	return end;
}

/* Note the peak before the resident size shrinks.  u->lock held. */
void
notepeak(struct uvm *u)
{
	u->peakrss = MAX(u->peakrss, uvmrss(u));
}

/* The vmas over [start, end) now have this protection: take away what it no
 * longer allows.  What it allows anew, faults give.  Tables owned, u->lock
 * held. */
void
protpages(struct uvm *u, uint start, uint end, int prot)
{
	uint changed = 0, last = 0;

	for (uint va = start; va < end; va = nextsuper(va))
		if (u->pgdir[PDX(va)] & PTE_P)
			changed += prottable(u, va, MIN(nextsuper(va), end),
				prot, &last);
	if (changed == 1)
		tlbshoot(u, last);
	else if (changed > 1)
		tlbshootall(u);
	for (uint va = start; !(prot & PROT_WRITE) && va < end; va += PGSIZE)
		tlbverify(u, va, prot == PROT_NONE ? PROT_READ : PROT_WRITE);
}

/* One table's part: how many translations were narrowed, and the last. */
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

/* A filled slot under a new protection. */
static pte_t
pteprot(pte_t pte, int prot)
{
	if (prot == PROT_NONE)
		return (pte & ~(PTE_P | PTE_W)) | PTE_HELD;
	pte = (pte & ~PTE_HELD) | PTE_P;
	return prot & PROT_WRITE ? pte : pte & ~PTE_W;
}

/* mremap: the slots of n bytes from from on move to to, where nothing is
 * mapped.  Tables of from are owned, u->lock held.  0, or -ENOMEM with nothing
 * moved. */
int
movepages(struct uvm *u, uint from, uint to, uint n)
{
	pte_t *slot;

	for (uint i = 0; i < n; i = nextsuper(to + i) - to)
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

/* The reference moves with the entry.  u->lock keeps faults away meanwhile. */
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
