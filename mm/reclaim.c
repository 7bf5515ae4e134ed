/*
 * reclaim.c - memory that can be had back: clean pages of files on disks.
 *
 * Such pages are on two lists, oldest first: "inactive" has those used at most
 * once, "active" those that had been used again (PGF_REFERENCED) when their
 * turn came.  A thread (kswapd0) frees pages from them while little memory is
 * free.  A process whose allocation finds nothing frees some itself, where it
 * may.  Pages that are mapped, dirty or on their way stay until nothing else is
 * left.  Then the oldest are unmapped or written, by those that may wait.
 *
 * Invariants: a page is on a list (PGF_LRU) if and only if it is in the tree of
 * a backed file; both change with pc->lock held.  lrulock is taken inside
 * pc->lock; reclaim holds lrulock first, and therefore only tries to take
 * pc->lock.  While a page is on a list and lrulock is held, its pcache exists.
 */
#include "mm/vm.h"
#include "kern/proc.h"
#include "kern/sched.h"

#define NSHRINK 4
#define LOOK    32  /* pages looked at before lrulock is let go */
#define PASSES  32  /* fruitless rounds of reclaimwait() before it gives up */
#define BATCH   16  /* pages that reclaimwait() frees at once */
#define WRITE   256 /* pages written so that some can be freed */
#define UNMAP   32u /* pages around an old one that are unmapped with it */
#define MOST    8192 /* pages that oldest() looks at */

struct lrustat lrustat;

static struct spinlock lrulock;
static struct list active, inactive; /* [lrulock] */

static uint (*shrinkers[NSHRINK])(uint); /* set at boot */
static int nshrink;

static volatile uint freed; /* pages freed since boot, roughly */

static struct spinlock worklock;
static struct waitq work; /* where the thread sleeps */
static int wanted;        /* the thread shall free some [worklock] */

static void listleave(struct page *);
static struct page *nextunused(uint *look, int force);
static struct page *tryremove(struct page *, int force);
static void deactivate(void);
static uint reclaimlists(uint n, int force);
static uint shrinkothers(uint n);
static void reclaimer(void *);
static uint unmapold(void);
static int writeold(void);
static int waitold(void);
static int isdirty(struct page *);
static int isbusy(struct page *);
static int isclean(struct page *);
static struct pcache *oldest(int (*is)(struct page *), uint *index);
static struct pcache *holdpcache(struct pcache *);

/* Boot: the lists and locks. */
void
lruinit(void)
{
	initlock(&lrulock, RANK_LRU);
	listinit(&active);
	listinit(&inactive);
	initlock(&worklock, RANK_SLEEPQ);
	initwaitq(&work);
}

/* See mm.h. */
void
reclaiminit(void)
{
	kthread("kswapd0", reclaimer, 0);
}

/* See mm.h. */
void
shrinkregister(uint (*fn)(uint))
{
	assert(nshrink < NSHRINK);
	shrinkers[nshrink++] = fn;
}

/* See vm.h. */
void
lruadd(struct page *pg)
{
	lockassert(holding(&pg->pcache->lock));
	acquire(&lrulock);
	pg->flags |= PGF_LRU;
	listadd(&inactive, &pg->lru);
	lrustat.inactive++;
	lrustat.buffers += pg->pcache->ops->buffers;
	release(&lrulock);
}

/* See vm.h. */
void
lrudel(struct page *pg)
{
	lockassert(holding(&pg->pcache->lock));
	if (!(pg->flags & PGF_LRU))
		return;
	acquire(&lrulock);
	listleave(pg);
	release(&lrulock);
}

/* Take a page off its list.  Called with pc->lock and lrulock held. */
static void
listleave(struct page *pg)
{
	lockassert(holding(&lrulock) && holding(&pg->pcache->lock));
	if (pg->flags & PGF_ACTIVE)
		lrustat.active--;
	else
		lrustat.inactive--;
	lrustat.buffers -= pg->pcache->ops->buffers;
	pg->flags &= ~(PGF_LRU | PGF_ACTIVE);
	listdel(&pg->lru);
}

/* See vm.h. */
uint
reclaim(uint n)
{
	uint got;

	lockassert(nospinlocks());
	got = reclaimlists(n, 0);
	if (got < n)
		got += shrinkothers(n - got);
	return got;
}

/* Free up to n pages from the lists: how many.  force: also pages that were
 * used lately, and no limit to how many are looked at but twice their number.
 * Does not sleep. */
static uint
reclaimlists(uint n, int force)
{
	uint look = 2 * (lrustat.active + lrustat.inactive) + 1, got = 0;
	struct page *pg;

	if (!force)
		look = MIN(look, LOOK * MAX(n, LOOK));

	while (got < n && look > 0) {
		acquire(&lrulock);
		pg = nextunused(&look, force);
		release(&lrulock);
		if (pg) {
			putpage(pg);
			got++;
		}
	}
	freed += got;
	return got;
}

/* The oldest page that can be freed, removed from its tree and list; 0: none of
 * those looked at.  Looks at no more than LOOK or *look pages, and lowers *look
 * by how many these were.  Called with lrulock held. */
static struct page *
nextunused(uint *look, int force)
{
	struct page *pg = 0;

	lockassert(holding(&lrulock));
	for (int i = 0; i < LOOK && *look > 0 && pg == 0; i++) {
		--*look;
		if (lrustat.inactive <= lrustat.active)
			deactivate();
		if (!listempty(&inactive))
			pg = tryremove(listitem(inactive.next, struct page,
				lru), force);
	}
	return pg;
}

/* Remove pg from the cache and return it if nobody uses it; otherwise move it
 * to the tail of its list, or of the active one if it was used again, and
 * return 0.  Called with lrulock held. */
static struct page *
tryremove(struct page *pg, int force)
{
	struct pcache *pc = pg->pcache;
	struct list *to = &inactive;
	int free = 0;

	lockassert(holding(&lrulock));
	if (tryacquire(&pc->lock)) {
		free = pg->ref == 1 && !(pg->flags & (PGF_BUSY | PGF_DIRTY |
			PGF_WRITEBACK)) &&
			(force || !(pg->flags & PGF_REFERENCED));
		if (free) {
			listleave(pg);
			pageremove(pc, pg);
		} else if (pg->flags & PGF_REFERENCED) {
			pg->flags = (pg->flags & ~PGF_REFERENCED) | PGF_ACTIVE;
			lrustat.inactive--;
			lrustat.active++;
			to = &active;
		}
		release(&pc->lock);
	}
	if (free)
		return pg;
	listdel(&pg->lru);
	listadd(to, &pg->lru);
	return 0;
}

/* Move the oldest active page to the tail of the inactive list; or to the tail
 * of its own, if its pcache is locked by another CPU.  Called with lrulock
 * held. */
static void
deactivate(void)
{
	struct page *pg;

	lockassert(holding(&lrulock));
	if (listempty(&active))
		return;
	pg = listitem(active.next, struct page, lru);
	listdel(&pg->lru);
	if (tryacquire(&pg->pcache->lock)) {
		pg->flags &= ~PGF_ACTIVE;
		lrustat.active--;
		lrustat.inactive++;
		listadd(&inactive, &pg->lru);
		release(&pg->pcache->lock);
	} else {
		listadd(&active, &pg->lru);
	}
}

/* See vm.h. */
void
lrucheck(void)
{
	uint n[2] = {0}, buffers = 0;
	struct page *pg;

	for (int i = 0; i < 2; i++)
		listeach(pg, i ? &active : &inactive, lru) {
			assert(pg->state == PG_CACHED);
			assert((pg->flags & (PGF_LRU | PGF_ACTIVE)) ==
				(i ? PGF_LRU | PGF_ACTIVE : PGF_LRU));
			buffers += pg->pcache->ops->buffers;
			n[i]++;
		}
	assert(n[0] == lrustat.inactive && n[1] == lrustat.active &&
		buffers == lrustat.buffers);
}

/* Ask those that shrinkregister() knows to free up to n pages: how many that
 * were. */
static uint
shrinkothers(uint n)
{
	uint got = 0;

	for (int i = 0; i < nshrink && got < n; i++)
		got += shrinkers[i](n - got);
	return got;
}

/* See mm.h. */
void
dropcaches(int what)
{
	if (what & 2)
		while (shrinkothers(~0u) > 0)
			;
	if (what & 1)
		reclaimlists(~0u, 1);
}

/* See vm.h. */
void
reclaimkick(void)
{
	lockassert(nospinlocks());
	acquire(&worklock);
	wanted = 1;
	wakeup(&work);
	release(&worklock);
}

/* See vm.h.  From cheap to dear: pages that nobody uses, pages used lately,
 * pages that are mapped, dirty pages after they have been written, pages that
 * are being read.  The loop ends: after PASSES rounds in which neither we nor
 * others freed anything. */
int
reclaimwait(void)
{
	uint seen = freed;

	lockassert(nospinlocks());
	for (int i = 0; i < PASSES; i++) {
		if (reclaim(BATCH) > 0 || reclaimlists(BATCH, 1) > 0 ||
			unmapold() > 0)
			return 1;
		if (lrustat.active + lrustat.inactive == 0)
			return 0;
		if (!writeold())
			(void)waitold();
		if (freed != seen) { /* others were faster */
			seen = freed;
			i = 0;
		}
	}
	return 0;
}

/* See mm.h. */
int
memwait(void)
{
	return scarce() > 0 && reclaimwait();
}

/* The thread kswapd0: sleeps until reclaimkick(), then frees pages until memory
 * is no longer scarce or nothing is left to free. */
static void
reclaimer(void *arg)
{
	uint n;

	(void)arg;
	for (;;) {
		acquire(&worklock);
		while (!wanted)
			sleep(&work, &worklock);
		wanted = 0;
		release(&worklock);
		while ((n = scarce()) > 0)
			if (reclaim(n) == 0 && unmapold() == 0 && !writeold())
				break;
	}
}

/* Unmap clean pages that were not used for long, with UNMAP pages around each,
 * and free those that nobody uses then: how many.  Sleeps for the locks of
 * address spaces, which reclaimlists() never takes. */
static uint
unmapold(void)
{
	uint index, before, got = 0;
	struct pcache *pc;

	for (int i = 0; i < BATCH && got < BATCH; i++) {
		if ((pc = oldest(isclean, &index)) == 0)
			break;
		index &= ~(UNMAP - 1);
		objevict(pc, index, index + UNMAP);
		before = pc->npages;
		pcachedrop(pc, (uint64_t)index << PGSHIFT,
			(uint64_t)(index + UNMAP) << PGSHIFT);
		got += before > pc->npages ? before - pc->npages : 0;
		pcachefree(pc);
	}
	freed += got;
	return got;
}

/* Write the oldest dirty page and up to WRITE pages of its file from there on,
 * and wait until they have arrived.  1, or 0: no page is dirty. */
static int
writeold(void)
{
	uint index;
	struct pcache *pc = 0;

	if (ndirty + nwriteback > 0)
		pc = oldest(isdirty, &index);
	if (pc == 0)
		return 0;
	pcachewriteback(pc, (uint64_t)index << PGSHIFT,
		(uint64_t)(index + WRITE) << PGSHIFT, 1);
	pcachefree(pc);
	return 1;
}

/* Sleep until the oldest page that is being read may have arrived.  1, or 0:
 * none is being read. */
static int
waitold(void)
{
	uint index;
	struct pcache *pc = oldest(isbusy, &index);
	struct page *pg;

	if (pc == 0)
		return 0;
	acquire(&pc->lock);
	pg = treeget(pc, index);
	if (pg && isbusy(pg))
		pagesleep(pc, pg);
	release(&pc->lock);
	pcachefree(pc);
	return 1;
}

/* Has the page to be written, or is it being written? */
static int
isdirty(struct page *pg)
{
	return pg->flags & (PGF_DIRTY | PGF_WRITEBACK);
}

/* Is the page being read? */
static int
isbusy(struct page *pg)
{
	return pg->flags & PGF_BUSY;
}

/* Are its bytes those on the disk? */
static int
isclean(struct page *pg)
{
	return !isdirty(pg) && !isbusy(pg);
}

/* Find the oldest inactive page for which is() holds: returns its pcache, with
 * a reference for the caller, and *index becomes the page's index; 0: none
 * among the first MOST.  The page moves to the tail, so that the next call
 * finds another. */
static struct pcache *
oldest(int (*is)(struct page *), uint *index)
{
	struct pcache *pc = 0;
	struct page *pg;
	uint n = 0;

	acquire(&lrulock);
	listeach(pg, &inactive, lru) {
		if (is(pg) && (pc = holdpcache(pg->pcache))) {
			*index = pg->index;
			listdel(&pg->lru);
			listadd(&inactive, &pg->lru);
		}
		if (pc || ++n > MOST)
			break;
	}
	release(&lrulock);
	return pc;
}

/* Take a reference to a pcache whose last one may be gone already: pc, or 0 if
 * it is.  Called with lrulock held and a page of pc on a list, so that pc
 * exists. */
static struct pcache *
holdpcache(struct pcache *pc)
{
	uint n;

	lockassert(holding(&lrulock));
	do {
		n = pc->ref;
		if (n == 0)
			return 0;
	} while (!cas((volatile uint *)&pc->ref, n, n + 1));
	return pc;
}
