/*
 * kalloc.c - physical frames: a buddy allocator with a list per CPU in front.
 *
 * xv6 has one list of single frames (kmem.freelist).  Here free frames are in
 * blocks of 1, 2, 4, ... 1024.  A frame is found by splitting a block and given
 * back by joining buddies; each CPU keeps some single frames that it can take
 * and give without a lock.  kinit.c puts the frames here at boot.
 *
 *   allocpage -> takeframe -> this CPU's list   (interrupts off)
 *                               | empty: refill        ^ too long: drain
 *                               v                      |
 *                             lists of blocks, one for each order and zone
 *                               | split: takeblock     ^ join: freeblock,
 *                               v                      | joinsingles
 *                             larger blocks
 *
 * Invariants:
 *   K1  A free block of order n is aligned to its size; its first page says
 *       PG_FREE and n, the others PG_FREE and NOTHEAD.
 *   K2  Two free buddies of one order do not exist: they have been joined; but
 *       single frames are joined only when a larger block is wanted and there
 *       is none (joinsingles), since most are soon taken again.
 *   K3  Frames below DIRECTMAX and above it (zones) never share a block.
 *   K4  Debug builds: a freed frame holds junk until it is allocated.
 * Nothing here sleeps.  With interrupts on, an allocation may free cached pages
 * (reclaim.c), and so take their locks.  buddy.lock guards the lists of blocks,
 * and nothing but a leaf is taken below it; a CPU's own list needs only
 * interrupts off.
 */
#include "mm/vm.h"
#include "kern/lib/printf.h"

#define MAXORDER   (NORDER - 1) /* 4 MiB */
#define BATCHORDER 4
#define BATCH      (1 << BATCHORDER) /* frames moved to or from a CPU's list */
#define JUNK       0x5A5A5A5Au

enum { ZONE_LOW, ZONE_HIGH, NZONE };

static struct {
	struct spinlock lock;
	struct page *free[NZONE][MAXORDER + 1]; /* first blocks [lock] */
	uint nfree[NZONE];        /* frames in these lists [lock] */
	uint reserve;             /* low frames that user memory does not get */
	uint low;                 /* with fewer, kswapd0 shall free some */
	volatile int kick;        /* there are fewer, and it is not told yet */
	volatile int keep[NZONE]; /* frames a CPU may have on its list: none if
	                           * few are left, or user memory gets them */
	int singles[NZONE];       /* frames freed singly since joinsingles()
	                           * [lock] */
} buddy;

static struct pcpu { /* what a CPU changes without a lock, interrupts off */
	struct page *free[NZONE];  /* frames it can take */
	int n[NZONE];              /* how many */
	int count[NPGSTATE];       /* summed over CPUs: frames in each state */
} pcpu[NCPU];

static int anonzone; /* where processes' memory is looked for first */

static struct page *allocpages(int order, int state);
static struct page *allocscarce(struct page *, int state);
static void freepages(struct page *, int order);
static struct page *takeframe(struct pcpu *, int zone, int user);
static struct page *refill(struct pcpu *, int zone, int user);
static int splitblock(int zone);
static void drain(struct pcpu *, int zone, int n);
static void freeblock(struct page *, int order);
static void joinsingles(int zone);
static struct page *takeblock(int zone, int order);
static uint checklist(int zone, int order);
static void junkfill(struct page *, int order);
static void junkcheck(struct page *);

/* The zone that a frame is in: ZONE_LOW if it is direct-mapped. */
static inline int
zoneof(struct page *pg)
{
	return pg >= pages + (DIRECTMAX >> PGSHIFT) ? ZONE_HIGH : ZONE_LOW;
}

/* Put a free block on the list of its order; head: its zone's lists.  Called
 * with buddy.lock held. */
static inline void
insert(struct page **head, struct page *pg, int order)
{
	lockassert(holding(&buddy.lock));
	head += order;
	pg->order = order;
	pg->prev = 0;
	pg->next = *head;
	if (*head)
		(*head)->prev = pg;
	*head = pg;
}

/* Take a free block off the list of its order.  Called with buddy.lock held. */
static inline void
takeout(struct page **head, struct page *pg, int order)
{
	lockassert(holding(&buddy.lock));
	if (pg->prev)
		pg->prev->next = pg->next;
	else
		head[order] = pg->next;
	if (pg->next)
		pg->next->prev = pg->prev;
	pg->order = NOTHEAD;
}

/* Boot: the page array is there, no frame is free yet. */
void
kallocinit(void)
{
	initlock(&buddy.lock, RANK_PAGES);
	buddy.keep[ZONE_LOW] = buddy.keep[ZONE_HIGH] = 2 * BATCH;
	anonzone = npages > DIRECTMAX >> PGSHIFT ? ZONE_HIGH : ZONE_LOW;
}

/* Boot: all RAM has been given to us.  Decide how much user memory must
 * leave. */
void
kallocreserve(void)
{
	buddy.reserve = MIN(256, buddy.nfree[ZONE_LOW] / 64);
	buddy.low = buddy.reserve + MIN(256, buddy.nfree[ZONE_LOW] / 32);
}

/* Put the frames of physical addresses [start, last), whose state is PG_FREE
 * already, on the lists: cut into the largest blocks that are aligned. */
void
addfree(uint start, uint last)
{
	int order;

	acquire(&buddy.lock);
	for (; start < last; start += (uint)PGSIZE << order) {
		for (order = 0; order < MAXORDER; order++)
			if ((start & ((uint)PGSIZE << order)) ||
				last - start < (uint)PGSIZE << (order + 1))
				break;
		freeblock(papage(start), order);
	}
	release(&buddy.lock);
}

/* See mm.h. */
void *
kalloc(void)
{
	struct page *pg;

	if (pages == 0)
		return earlypage();
	pg = allocpage(PG_KMEM);
	return pg ? pagekva(pg) : 0;
}

/* See mm.h. */
void
kfree(void *kva)
{
	struct page *pg = kvapage(kva);

	assert(pg->state == PG_KMEM && ((uint)kva & (PGSIZE - 1)) == 0);
	putpage(pg);
}

/* See mm.h. */
void *
kallocs(int order)
{
	struct page *pg = allocpages(order, PG_KMEM);

	return pg ? pagekva(pg) : 0;
}

/* See mm.h. */
void
kfrees(void *kva, int order)
{
	struct page *pg = kvapage(kva);

	assert(pg->state == PG_KMEM && pg->order == order);
	pg->ref = 0;
	freepages(pg, order);
}

/* See vm.h. */
struct page *
allocpage(int state)
{
	int user = state == PG_ANON || state == PG_CACHED;
	struct page *pg;
	struct pcpu *c;

	pushcli();
	c = &pcpu[mycpu()->id];
	pg = takeframe(c, state == PG_ANON ? anonzone : ZONE_LOW, user);
	if (pg == 0 && state == PG_ANON)
		pg = takeframe(c, ZONE_LOW, user);
	if (pg) {
		c->count[PG_CPU]--;
		c->count[state]++;
		junkcheck(pg);
		pg->state = state;
		pg->order = 0;
		pg->inuse = 0;
		pg->ref = 1;
	}
	popcli();
	return pg && !buddy.kick ? pg : allocscarce(pg, state);
}

/* Memory is scarce: tell the thread that frees some.  Returns pg, or if that is
 * 0 a frame that reclaim() frees for us, or 0.  With interrupts off the caller
 * may hold a spinlock, and nothing is done. */
static __attribute__((noinline)) struct page *
allocscarce(struct page *pg, int state)
{
	if (!(readeflags() & FL_IF))
		return pg;
	if (buddy.kick) {
		buddy.kick = 0;
		reclaimkick();
		if (pg && buddy.nfree[ZONE_LOW] < buddy.reserve)
			reclaim(BATCH); /* for the batch that pg is of */
	}
	return pg || reclaim(BATCH) == 0 ? pg : allocpage(state);
}

/* See vm.h. */
int
toofew(void)
{
	lockassert(nospinlocks());
	return buddy.nfree[ZONE_LOW] < 2 * buddy.reserve &&
	       reclaim(BATCH) == 0;
}

/* See vm.h.  Twice what would be enough, or the thread would be called again at
 * once. */
uint
scarce(void)
{
	uint n = buddy.nfree[ZONE_LOW];

	return n < buddy.low ? 2 * buddy.low - n : 0;
}

/* Take the first frame of this CPU's list, which is refilled if it is empty; 0:
 * no memory, or none for a user.  Interrupts are off. */
static struct page *
takeframe(struct pcpu *c, int zone, int user)
{
	struct page *pg = c->free[zone];

	lockassert(!nospinlocks());
	if (pg == 0)
		pg = refill(c, zone, user);
	if (pg) {
		c->free[zone] = pg->next;
		c->n[zone]--;
	}
	return pg;
}

/* See vm.h.  The frame goes to this CPU's list, and a batch from there to the
 * lists of blocks if that has become too long. */
void
freepage(struct page *pg)
{
	int zone = zoneof(pg);
	struct pcpu *c;

	assert(pg->ref == 0 && pg->state >= PG_KMEM && pg->state != PG_ZERO);
	junkfill(pg, 0);
	pushcli();
	c = &pcpu[mycpu()->id];
	c->count[pg->state]--;
	c->count[PG_CPU]++;
	pg->state = PG_CPU;
	pg->next = c->free[zone];
	c->free[zone] = pg;
	if (++c->n[zone] > buddy.keep[zone])
		drain(c, zone, MIN(c->n[zone], BATCH));
	popcli();
}

/* 2^order contiguous direct-mapped frames in the given state, each with one
 * reference; or 0. */
static struct page *
allocpages(int order, int state)
{
	struct page *pg;

	if (order == 0)
		return allocpage(state);
	acquire(&buddy.lock);
	pg = takeblock(ZONE_LOW, order);
	release(&buddy.lock);
	if (pg == 0 && (readeflags() & FL_IF) && reclaim(BATCH << order)) {
		acquire(&buddy.lock);
		pg = takeblock(ZONE_LOW, order);
		release(&buddy.lock);
	}
	if (pg == 0)
		return 0;
	pushcli();
	countpages(PG_FREE, -(1 << order));
	countpages(state, 1 << order);
	popcli();
	for (int i = 0; i < 1 << order; i++) {
		junkcheck(&pg[i]);
		pg[i].state = state;
		pg[i].ref = 1;
	}
	pg->order = order;
	return pg;
}

/* Give back what allocpages() gave: 2^order frames.  Of more than one frame
 * nobody looks at the references any more. */
static void
freepages(struct page *pg, int order)
{
	if (order == 0) {
		freepage(pg);
		return;
	}
	junkfill(pg, order);
	pushcli();
	countpages(pg->state, -(1 << order));
	countpages(PG_FREE, 1 << order);
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

/* Move a batch of frames to this CPU's empty list and return the first; 0:
 * there are none.  User memory does not get the last ones (buddy.reserve): the
 * kernel needs some to end the process that ran out, and gets these one by one.
 * Interrupts are off. */
static struct page *
refill(struct pcpu *c, int zone, int user)
{
	struct page **head = buddy.free[zone], *pg;
	int n, most = BATCH;

	lockassert(!nospinlocks());
	acquire(&buddy.lock);
	if (zone == ZONE_LOW && buddy.nfree[zone] <= buddy.reserve)
		most = !user;
	for (n = 0; n < most && (head[0] || splitblock(zone)); n++) {
		pg = head[0];
		takeout(head, pg, 0);
		pg->state = PG_CPU;
		pg->next = c->free[zone];
		c->free[zone] = pg;
	}
	buddy.nfree[zone] -= n;
	if (buddy.nfree[ZONE_LOW] < buddy.low)
		buddy.kick = 1;
	if (buddy.nfree[ZONE_LOW] < buddy.reserve)
		buddy.keep[ZONE_LOW] = 0;
	release(&buddy.lock);
	c->count[PG_FREE] -= n;
	c->count[PG_CPU] += n;
	c->n[zone] = n;
	return c->free[zone];
}

/* Cut a small block (of at most BATCH frames if there is one) into single
 * frames, which are handed out lowest first: 1, or 0 if the zone has no block.
 * Called with buddy.lock held. */
static int
splitblock(int zone)
{
	struct page *pg;
	int order = BATCHORDER, n;

	lockassert(holding(&buddy.lock));
	for (pg = 0; order > 0 && pg == 0; order--)
		pg = takeblock(zone, order);
	n = 2 << order;
	if (pg == 0)
		return 0;
	buddy.nfree[zone] += n;
	while (n-- > 0)
		insert(buddy.free[zone], pg + n, 0);
	return 1;
}

/* Move n frames of this CPU's list to the lists of blocks, as single frames.
 * Interrupts are off. */
static void
drain(struct pcpu *c, int zone, int n)
{
	struct page *pg;

	lockassert(!nospinlocks());
	c->count[PG_CPU] -= n;
	c->count[PG_FREE] += n;
	c->n[zone] -= n;
	acquire(&buddy.lock);
	for (int i = 0; i < n; i++) {
		pg = c->free[zone];
		c->free[zone] = pg->next;
		pg->state = PG_FREE;
		insert(buddy.free[zone], pg, 0);
	}
	buddy.nfree[zone] += n;
	buddy.singles[zone] += n;
	if (buddy.nfree[ZONE_LOW] >= buddy.reserve)
		buddy.keep[ZONE_LOW] = 2 * BATCH;
	release(&buddy.lock);
}

/* Take a block of 2^order frames from the zone and return its first page, or 0.
 * Splits the smallest larger block if there is none of this order.  Called with
 * buddy.lock held. */
static struct page *
takeblock(int zone, int order)
{
	struct page **head = buddy.free[zone], *pg;
	int n;

	lockassert(holding(&buddy.lock));
	for (n = order; n <= MAXORDER && head[n] == 0; n++)
		;
	if (n > MAXORDER && buddy.singles[zone] > 0) {
		joinsingles(zone);
		return takeblock(zone, order);
	}
	if (n > MAXORDER)
		return 0;
	pg = head[n];
	takeout(head, pg, n);
	buddy.nfree[zone] -= 1u << order;
	while (n > order) {
		n--;
		insert(head, pg + (1 << n), n);
	}
	return pg;
}

/* Put a block on the lists, joined with its buddy, and that with its own, as
 * long as the buddy is free too.  Called with buddy.lock held. */
static void
freeblock(struct page *pg, int order)
{
	struct page **head = buddy.free[zoneof(pg)], *b;
	uint pfn = pg - pages;

	lockassert(holding(&buddy.lock));
	buddy.nfree[zoneof(pg)] += 1u << order;
	pg->state = PG_FREE;
	for (; order < MAXORDER; order++) {
		b = &pages[pfn ^ 1u << order];
		if (b + (1 << order) > pages + npages ||
			b->state != PG_FREE || b->order != order)
			break;
		takeout(head, b, order);
		pages[pfn].order = NOTHEAD;
		pfn &= ~(1u << order);
	}
	insert(head, &pages[pfn], order);
}

/* Join all single frames of the zone with their buddies where these are free
 * (K2).  Called with buddy.lock held. */
static void
joinsingles(int zone)
{
	struct page *list = buddy.free[zone][0], *pg;

	lockassert(holding(&buddy.lock));
	buddy.singles[zone] = 0;
	buddy.free[zone][0] = 0;
	for (pg = list; pg; pg = pg->next) {
		pg->order = NOTHEAD; /* not to be found before its turn */
		buddy.nfree[zone]--;
	}
	while ((pg = list) != 0) {
		list = pg->next;
		freeblock(pg, 0);
	}
}

/* See vm.h. */
void
countpages(int state, int n)
{
	pcpu[mycpu()->id].count[state] += n;
}

/* See vm.h. */
uint
pagecount(int state)
{
	int n = 0;

	for (int i = 0; i < NCPU; i++)
		n += pcpu[i].count[state];
	return n;
}

/* See vm.h.  Checks K1 and K3, and the number of free frames. */
uint
freecheck(void)
{
	uint n = 0;

	acquire(&buddy.lock);
	for (int z = 0; z < NZONE; z++)
		for (int o = 0; o <= MAXORDER; o++)
			n += checklist(z, o);
	assert(n == buddy.nfree[ZONE_LOW] + buddy.nfree[ZONE_HIGH]);
	release(&buddy.lock);
	return n;
}

/* Check the blocks on one list: how many frames they have.  Called with
 * buddy.lock held. */
static uint
checklist(int zone, int order)
{
	struct page *pg;
	uint n = 0;

	lockassert(holding(&buddy.lock));
	for (pg = buddy.free[zone][order]; pg; pg = pg->next) {
		assert(pg->state == PG_FREE && pg->order == order);
		assert(((uint)(pg - pages) & ((1u << order) - 1)) == 0);
		assert(pg->ref == 0 && zoneof(pg) == zone);
		n += 1u << order;
	}
	return n;
}

/* Debug builds: fill 2^order freed frames with junk, so that a stale pointer to
 * them is noticed. */
static void
junkfill(struct page *pg, int order)
{
#ifdef QUIRE_DEBUG
	for (int i = 0; i < 1 << order; i++) {
		void *kva = tempmap(&pg[i], 0);

		stosl(kva, JUNK, PGSIZE / 4);
		tempunmap(kva);
		pg[i].inuse = 1; /* holds junk; see junkcheck */
	}
#else
	(void)pg;
	(void)order;
#endif
}

/* Debug builds: a frame that is handed out must still be junk, or somebody
 * wrote to it after it was freed: panic.  Looks at every 31st word. */
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
	tempunmap(kva);
#else
	(void)pg;
#endif
}

/* See mm.h.  Frames are looked at with no lock: the numbers may be those of
 * different moments. */
int
zoneinfo(int i, struct zoneinfo *z)
{
	uint first = i == ZONE_LOW ? 0 : MIN(npages, DIRECTMAX >> PGSHIFT);
	uint last = i == ZONE_LOW ? MIN(npages, DIRECTMAX >> PGSHIFT) : npages;
	struct page *pg;

	if (i >= NZONE)
		return 0;
	memset(z, 0, sizeof(*z));
	for (pg = pages + first; pg < pages + last; pg++) {
		z->present += pg->state != PG_RESERVED;
		z->free += pg->state == PG_FREE || pg->state == PG_CPU;
		if (pg->state == PG_FREE && pg->order < NORDER)
			z->blocks[pg->order]++;
	}
	z->min = i == ZONE_LOW ? buddy.reserve : 0;
	return 1;
}
