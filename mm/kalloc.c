/*
 * kalloc.c - physical frames: a buddy allocator with a list per CPU in front.
 *
 * Three lives, as RAM becomes known.  kinit1() threads the frames below 4 MiB
 * on a plain free list, all that entrypgdir maps; kvmalloc() takes its page
 * tables there.  kinit2(), with everything mapped, makes the page array and
 * puts the rest in the buddy lists.  From then on a frame is found by
 * splitting blocks and given back by joining buddies.
 *
 * Invariants:
 *   K1  A free block of order n is aligned to its size; its first page says
 *       PG_FREE and n, the others PG_FREE and NOTHEAD.
 *   K2  Two free buddies of one order do not exist: they have been joined.
 *   K3  Frames below DIRECTMAX and above it (zones) never share a block.
 *   K4  Debug builds: a freed frame holds junk until it is allocated.
 * Never sleeps.  Lock: buddy.lock, a leaf; the CPU's own list needs only
 * interrupts off.
 */
#include "mm/vm.h"
#include "arch/multiboot.h"
#include "kern/printf.h"

#define MAXORDER 10 /* 4 MiB */
#define BATCH    16 /* frames moved between a CPU's list and the buddy lists */
#define JUNK     0x5A5A5A5Au
#define MINRAM   (3u << 20) /* less than this free at boot: give up clearly */

enum { ZONE_LOW, ZONE_HIGH, NZONE };

struct run { /* a free frame before the page array exists */
	struct run *next;
};

static struct run *early; /* kinit1's list; 0 once kinit2 has run */

static struct {
	struct spinlock lock;
	struct page *free[NZONE][MAXORDER + 1]; /* [lock] */
	uint nfree;                             /* frames in them [lock] */
	uint reserve;                           /* kept from user memory */
} buddy;

static struct pcpu { /* frames this CPU can take without a lock */
	struct page *free[NZONE];
	int n[NZONE];
} pcpu[NCPU];

static int anonzone; /* where processes' memory is looked for first */
static int counts[NCPU][NPGSTATE]; /* sum: frames in each state */

extern char end[]; /* first address behind the kernel image (kernel.ld) */

static int usedatboot(uint pa);
static void *kearly(void);
static void makepages(void);
static uint findspace(uint n);
static uint topofram(void);
static void addrange(uint start, uint end);
static int zoneof(struct page *);
static void insert(struct page *, int order);
static void takeout(struct page *, int order);
static void freeblock(struct page *, int order);
static struct page *takeblock(int zone, int order);
static struct page *take(int zone, int user);
static struct page *refill(int zone, int user);
static void drain(struct pcpu *, int zone);
static void junkfill(struct page *, int order);
static void junkcheck(struct page *);
static void count(int state, int n);

/* Thread the frames below 4 MiB that nothing uses on the early list.  Boot
 * CPU, entrypgdir loaded. */
void
kinit1(void)
{
	struct run *r;

	for (uint pa = SUPERSIZE - PGSIZE; pa >= PGSIZE; pa -= PGSIZE) {
		if (usedatboot(pa))
			continue;
		r = P2V(pa);
		r->next = early;
		early = r;
	}
	if (early == 0)
		panic("no memory below 4 MiB for the first page tables");
}

/* Is the frame anything but free RAM: a hole, the kernel, a module? */
static int
usedatboot(uint pa)
{
	int ram = 0;

	if (pa < PGSIZE || (pa >= EXTMEM && pa < V2P(PGROUNDUP(end))))
		return 1;
	for (int i = 0; i < bootinfo.nmodule; i++)
		if (pa + PGSIZE > bootinfo.module[i].start &&
			pa < bootinfo.module[i].end)
			return 1;
	for (int i = 0; i < bootinfo.nram; i++)
		if (pa >= bootinfo.ram[i].start && pa < bootinfo.ram[i].end)
			ram = 1;
	return !ram;
}

/* One zeroed frame from the early list. */
static void *
kearly(void)
{
	struct run *r = early;

	if (r == 0)
		panic("out of memory for the kernel's page tables");
	early = r->next;
	memset(r, 0, PGSIZE);
	return r;
}

/* Make the page array and give the allocator all of RAM.  Boot CPU, once,
 * after kvmalloc(). */
void
kinit2(void)
{
	initlock(&buddy.lock, RANK_PAGES);
	makepages();
	for (int i = 0; i < bootinfo.nram; i++)
		addrange(bootinfo.ram[i].start, bootinfo.ram[i].end);
	for (int i = 0; i < bootinfo.nmodule; i++)
		claim(PGROUNDDOWN(bootinfo.module[i].start),
			PGROUNDUP(bootinfo.module[i].end), PG_MODULE);
	if (buddy.nfree + pagecount(PG_MODULE) < MINRAM >> PGSHIFT)
		panic("too little RAM: %u KiB free, Quire needs %u KiB",
			buddy.nfree * 4, MINRAM >> 10);
	buddy.reserve = MIN(64, buddy.nfree / 64);
	zeropage = allocpage(PG_ZERO);
	stosl(pagekva(zeropage), 0, PGSIZE / 4);
}

/* The page array, in the first range of direct-mapped RAM that has room. */
static void
makepages(void)
{
	uint n, pa;

	npages = topofram() >> PGSHIFT;
	anonzone = npages > DIRECTMAX >> PGSHIFT ? ZONE_HIGH : ZONE_LOW;
	n = PGROUNDUP(npages * sizeof(struct page));
	pa = findspace(n);
	pages = P2V(pa);
	stosl(pages, 0, n / 4);
	counts[0][PG_RESERVED] = npages;
	claim(pa, pa + n, PG_IMAGE);
	claim(EXTMEM, V2P(PGROUNDUP(end)), PG_IMAGE);
	kvmtables();
}

/* First byte above all RAM, below 4 GiB. */
static uint
topofram(void)
{
	uint64_t top = bootinfo.ram[bootinfo.nram - 1].end;

	return MIN(top, 0xFFFFF000ull);
}

/* Physical address of n contiguous free bytes, page aligned, direct-mapped. */
static uint
findspace(uint n)
{
	uint start, len;

	for (int i = 0; i < bootinfo.nram; i++) {
		len = 0;
		start = PGROUNDUP(MIN(bootinfo.ram[i].start, DIRECTMAX));
		for (uint pa = start;
			pa < MIN(bootinfo.ram[i].end, DIRECTMAX);
			pa += PGSIZE) {
			/* the early list owns frames below 4 MiB */
			if (pa < SUPERSIZE || usedatboot(pa)) {
				len = 0;
				start = pa + PGSIZE;
			} else if ((len += PGSIZE) >= n)
				return start;
		}
	}
	panic("too little RAM: no %u KiB in one piece for the page array",
		n >> 10);
}

/* Frames [start, last) are in use from boot on, in the given state. */
void
claim(uint start, uint last, int state)
{
	for (uint pa = start; pa < last; pa += PGSIZE) {
		count(papage(pa)->state, -1);
		count(state, 1);
		papage(pa)->state = state;
		papage(pa)->ref = 1;
	}
}

/* Free the frames of a range of RAM that are still PG_RESERVED and unused; of
 * those below 4 MiB, what is left on the early list. */
static void
addrange(uint start, uint last)
{
	struct run *r;

	while (early && start < SUPERSIZE) {
		r = early;
		early = r->next;
		kfreerange(V2P(r), V2P(r) + PGSIZE);
	}
	for (uint pa = MAX(start, SUPERSIZE); pa < last; pa += PGSIZE)
		if (papage(pa)->state == PG_RESERVED && !usedatboot(pa))
			kfreerange(pa, pa + PGSIZE);
}

/* Frames wholly inside [start, end) become free: boot memory whose use is
 * over. */
void
kfreerange(uint start, uint last)
{
	struct page *pg;

	for (uint pa = PGROUNDUP(start); pa + PGSIZE <= PGROUNDDOWN(last);
		pa += PGSIZE) {
		pg = papage(pa);
		assert(pg->state == PG_RESERVED || pg->state == PG_MODULE);
		count(pg->state, -1);
		count(PG_FREE, 1);
		pg->ref = 0;
		initlock(&pg->lock, RANK_TABLE);
		acquire(&buddy.lock);
		freeblock(pg, 0);
		release(&buddy.lock);
	}
}

/* See mm.h. */
void *
kalloc(void)
{
	struct page *pg;

	if (early)
		return kearly();
	pg = allocpage(PG_KMEM);
	return pg ? pagekva(pg) : 0;
}

void
kfree(void *kva)
{
	struct page *pg = kvapage(kva);

	assert(pg->state == PG_KMEM && ((uint)kva & (PGSIZE - 1)) == 0);
	putpage(pg);
}

void *
kallocs(int order)
{
	struct page *pg = allocpages(order, PG_KMEM);

	return pg ? pagekva(pg) : 0;
}

void
kfrees(void *kva, int order)
{
	struct page *pg = kvapage(kva);

	assert(pg->state == PG_KMEM && pg->order == order);
	pg->ref = 0;
	freepages(pg, order);
}

/* One frame in the given state with one reference, or 0. */
struct page *
allocpage(int state)
{
	int user = state == PG_ANON || state == PG_CACHED;
	struct page *pg;

	pushcli();
	pg = take(state == PG_ANON ? anonzone : ZONE_LOW, user);
	if (pg == 0 && state == PG_ANON)
		pg = take(ZONE_LOW, user);
	if (pg) {
		counts[mycpu()->id][PG_CPU]--;
		counts[mycpu()->id][state]++;
		junkcheck(pg);
		pg->state = state;
		pg->order = 0;
		pg->inuse = 0;
		pg->ref = 1;
	}
	popcli();
	return pg;
}

/* The first frame of this CPU's list, or 0.  Interrupts off. */
static struct page *
take(int zone, int user)
{
	struct pcpu *c = &pcpu[mycpu()->id];
	struct page *pg = c->free[zone];

	if (pg == 0)
		pg = refill(zone, user);
	if (pg) {
		c->free[zone] = pg->next;
		c->n[zone]--;
	}
	return pg;
}

/* Give back a frame whose last reference is gone. */
void
freepage(struct page *pg)
{
	int zone = zoneof(pg);
	struct pcpu *c;

	assert(pg->ref == 0 && pg->state >= PG_KMEM && pg->state != PG_ZERO);
	junkfill(pg, 0);
	pushcli();
	c = &pcpu[mycpu()->id];
	counts[mycpu()->id][pg->state]--;
	counts[mycpu()->id][PG_CPU]++;
	pg->state = PG_CPU;
	pg->next = c->free[zone];
	c->free[zone] = pg;
	if (++c->n[zone] > 2 * BATCH)
		drain(c, zone);
	popcli();
}

/* 2^order frames in one piece, direct-mapped, or 0. */
struct page *
allocpages(int order, int state)
{
	struct page *pg;

	if (order == 0)
		return allocpage(state);
	acquire(&buddy.lock);
	pg = takeblock(ZONE_LOW, order);
	release(&buddy.lock);
	if (pg == 0)
		return 0;
	pushcli();
	count(PG_FREE, -(1 << order));
	count(state, 1 << order);
	popcli();
	for (int i = 0; i < 1 << order; i++) {
		junkcheck(&pg[i]);
		pg[i].state = state;
		pg[i].ref = 1;
	}
	pg->order = order;
	return pg;
}

void
freepages(struct page *pg, int order)
{
	if (order == 0) {
		freepage(pg);
		return;
	}
	junkfill(pg, order);
	pushcli();
	count(pg->state, -(1 << order));
	count(PG_FREE, 1 << order);
	popcli();
	for (int i = 0; i < 1 << order; i++) {
		pg[i].state = PG_FREE;
		pg[i].order = NOTHEAD;
		pg[i].ref = 0;
	}
	acquire(&buddy.lock);
	freeblock(pg, order);
	release(&buddy.lock);
}

/* Move a batch of frames to this CPU's empty list; the first, or 0.  User
 * memory does not get the last frames: the kernel needs some to end the
 * process that ran out.  Interrupts off. */
static struct page *
refill(int zone, int user)
{
	struct pcpu *c = &pcpu[mycpu()->id];
	struct page *pg;

	acquire(&buddy.lock);
	while (c->n[zone] < BATCH) {
		if (user && buddy.nfree <= buddy.reserve)
			break;
		pg = takeblock(zone, 0);
		if (pg == 0)
			break;
		counts[mycpu()->id][PG_FREE]--;
		counts[mycpu()->id][PG_CPU]++;
		pg->state = PG_CPU;
		pg->next = c->free[zone];
		c->free[zone] = pg;
		c->n[zone]++;
	}
	release(&buddy.lock);
	return c->free[zone];
}

/* Give a batch of this CPU's frames back.  Interrupts off. */
static void
drain(struct pcpu *c, int zone)
{
	struct page *pg;

	acquire(&buddy.lock);
	for (int i = 0; i < BATCH; i++) {
		pg = c->free[zone];
		c->free[zone] = pg->next;
		c->n[zone]--;
		counts[mycpu()->id][PG_CPU]--;
		counts[mycpu()->id][PG_FREE]++;
		freeblock(pg, 0);
	}
	release(&buddy.lock);
}

/* Take a block of the order from the zone, splitting a larger one if need be;
 * its first page, or 0.  Prefers the smallest block that fits. */
static struct page *
takeblock(int zone, int order)
{
	struct page *pg;
	int n;

	for (n = order; n <= MAXORDER && buddy.free[zone][n] == 0; n++)
		;
	if (n > MAXORDER)
		return 0;
	pg = buddy.free[zone][n];
	takeout(pg, n);
	while (n > order) {
		n--;
		insert(pg + (1 << n), n);
	}
	return pg;
}

/* Free a block, joining it with its buddy as long as that is free too. */
static void
freeblock(struct page *pg, int order)
{
	struct page *b;
	uint pfn = pg - pages;

	pg->state = PG_FREE;
	for (; order < MAXORDER; order++) {
		b = &pages[pfn ^ 1u << order];
		if ((uint)(b - pages) + (1u << order) > npages)
			break;
		if (b->state != PG_FREE || b->order != order)
			break;
		takeout(b, order);
		pages[pfn].order = b->order = NOTHEAD;
		pfn &= ~(1u << order);
	}
	insert(&pages[pfn], order);
}

static void
insert(struct page *pg, int order)
{
	struct page **head = &buddy.free[zoneof(pg)][order];

	pg->state = PG_FREE;
	pg->order = order;
	pg->prev = 0;
	pg->next = *head;
	if (*head)
		(*head)->prev = pg;
	*head = pg;
	buddy.nfree += 1u << order;
}

static void
takeout(struct page *pg, int order)
{
	if (pg->prev)
		pg->prev->next = pg->next;
	else
		buddy.free[zoneof(pg)][order] = pg->next;
	if (pg->next)
		pg->next->prev = pg->prev;
	pg->order = NOTHEAD;
	buddy.nfree -= 1u << order;
}

static int
zoneof(struct page *pg)
{
	return (uint)(pg - pages) >= DIRECTMAX >> PGSHIFT ? ZONE_HIGH : ZONE_LOW;
}

static void
count(int state, int n)
{
	counts[mycpu()->id][state] += n;
}

/* Frames in a state.  The sum is exact when nothing runs meanwhile. */
uint
pagecount(int state)
{
	int n = 0;

	for (int i = 0; i < NCPU; i++)
		n += counts[i][state];
	return n;
}

/* Walk the buddy lists: K1 and K2 hold; returns the frames found. */
uint
freecheck(void)
{
	uint n = 0;

	acquire(&buddy.lock);
	for (int z = 0; z < NZONE; z++)
		for (int o = 0; o <= MAXORDER; o++)
			for (struct page *p = buddy.free[z][o]; p; p = p->next) {
				assert(p->state == PG_FREE && p->order == o);
				assert(((uint)(p - pages) & ((1u << o) - 1)) == 0);
				assert(p->ref == 0 && zoneof(p) == z);
				n += 1u << o;
			}
	assert(n == buddy.nfree);
	release(&buddy.lock);
	return n;
}

/* Fill freed frames with junk, so that whoever still uses them is caught. */
static void
junkfill(struct page *pg, int order)
{
#ifdef QUIRE_DEBUG
	for (int i = 0; i < 1 << order; i++) {
		void *kva = tempmap(&pg[i], 0);

		stosl(kva, JUNK, PGSIZE / 4);
		tempunmap(kva, 0);
		pg[i].inuse = 1; /* holds junk; see junkcheck */
	}
#else
	(void)pg;
	(void)order;
#endif
}

/* The frame was junk when it was freed: is it still? */
static void
junkcheck(struct page *pg)
{
#ifdef QUIRE_DEBUG
	uint *kva;

	if (pg->inuse == 0)
		return; /* never used since boot */
	kva = tempmap(pg, 0);
	for (int i = 0; i < PGSIZE / 4; i += 31)
		if (kva[i] != JUNK)
			panic("frame %x was written after it was freed: "
			      "%x at offset %x",
				pagepa(pg), kva[i], i * 4);
	tempunmap(kva, 0);
#else
	(void)pg;
#endif
}
