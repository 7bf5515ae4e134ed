/*
 * reclaim.c - memory that can be had back: clean pages of files on disks.
 *
 * Such pages are on two lists, oldest first: those used once, and those found
 * in use when their turn came.  A thread takes from them while little memory is
 * free; who gets none at all takes himself, where he may.  Pages that are
 * mapped, dirty or on their way stay, until nothing else is left: then the oldest
 * are unmapped or written, by those who may wait.
 *
 * Invariants: a page is on a list (PGF_LRU) if and only if it is in the tree of a
 * backed file; both change with the pcache locked.  The lists' lock is taken
 * inside the pcache's; reclaim has it first and only tries the other.  While a
 * page is on a list and that is locked, its pcache exists.
 */
#include "mm/vm.h"
#include "kern/proc.h"
#include "kern/sched.h"

#define NSHRINK 4
#define LOOK    32  /* pages looked at with the lists locked */
#define PASSES  32  /* without success, by anybody: then there is none */
#define BATCH   16  /* pages that one who waits frees */
#define WRITE   256 /* pages written to be able to free some */
#define UNMAP   32u /* and unmapped */
#define MOST    8192 /* looked at for that */

struct lrustat lrustat;

static struct spinlock lrulock;
static struct list active, inactive; /* [lrulock] */

static uint (*shrinkers[NSHRINK])(uint); /* set at boot */
static int nshrink;

static volatile uint freed; /* changes when somebody has freed pages */

static struct spinlock lock;
static struct waitq work; /* the thread sleeps */
static int wanted;        /* it shall look [lock] */

static void unlink(struct page *);
static struct page *scan(uint *look, int force);
static struct page *try(struct page *, int force);
static void deactivate(void);
static uint take(uint n, int force);
static uint shrink(uint n);
static void reclaimer(void *);
static uint unmapold(void);
static int writeold(void);
static int readold(void);
static int isdirty(struct page *);
static int isbusy(struct page *);
static int isclean(struct page *);
static struct pcache *oldest(int (*is)(struct page *), uint *index);
static struct pcache *holdpcache(struct pcache *);

void
lruinit(void)
{
	initlock(&lrulock, RANK_LRU);
	listinit(&active);
	listinit(&inactive);
	initlock(&lock, RANK_SLEEPQ);
	initwaitq(&work);
}

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

/* The page has come into the tree of a backed file, which is locked. */
void
lruadd(struct page *pg)
{
	acquire(&lrulock);
	pg->flags |= PGF_LRU;
	listadd(&inactive, &pg->lru);
	lrustat.inactive++;
	lrustat.buffers += pg->pcache->ops->buffers;
	release(&lrulock);
}

/* It leaves the tree. */
void
lrudel(struct page *pg)
{
	if (!(pg->flags & PGF_LRU))
		return;
	acquire(&lrulock);
	unlink(pg);
	release(&lrulock);
}

/* Both locked. */
static void
unlink(struct page *pg)
{
	if (pg->flags & PGF_ACTIVE)
		lrustat.active--;
	else
		lrustat.inactive--;
	lrustat.buffers -= pg->pcache->ops->buffers;
	pg->flags &= ~(PGF_LRU | PGF_ACTIVE);
	listdel(&pg->lru);
}

/* Free up to n frames, without sleeping: how many.  No spinlock held. */
uint
reclaim(uint n)
{
	uint got = take(n, 0);

	if (got < n)
		got += shrink(n - got);
	return got;
}

/* From the lists; force: also what was used lately. */
static uint
take(uint n, int force)
{
	uint look = 2 * (lrustat.active + lrustat.inactive) + 1, got = 0;
	struct page *pg;

	if (!force)
		look = MIN(look, LOOK * MAX(n, LOOK));

	while (got < n && look > 0) {
		acquire(&lrulock);
		pg = scan(&look, force);
		release(&lrulock);
		if (pg) {
			putpage(pg);
			got++;
		}
	}
	freed += got;
	return got;
}

/* The next page to free, out of its tree and lists; 0: not among the first.
 * Lowers *look by the pages looked at.  lrulock. */
static struct page *
scan(uint *look, int force)
{
	struct page *pg = 0;

	for (int i = 0; i < LOOK && *look > 0 && pg == 0; i++) {
		--*look;
		if (lrustat.inactive <= lrustat.active)
			deactivate();
		if (!listempty(&inactive))
			pg = try(listitem(inactive.next, struct page, lru),
				force);
	}
	return pg;
}

/* Take the page, if it is of no use now; else 0 and it is the last of a list. */
static struct page *
try(struct page *pg, int force)
{
	struct pcache *pc = pg->pcache;
	struct list *to = &inactive;
	int free = 0;

	if (tryacquire(&pc->lock)) {
		free = pg->ref == 1 && !(pg->flags & (PGF_BUSY | PGF_DIRTY |
			PGF_WRITEBACK)) &&
			(force || !(pg->flags & PGF_REFERENCED));
		if (free) {
			unlink(pg);
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

/* The oldest of the active pages is one of the others again.  lrulock. */
static void
deactivate(void)
{
	struct page *pg;

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

/* vmcheck: are the counts those of the lists?  The world is frozen. */
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

/* What others keep. */
static uint
shrink(uint n)
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
		while (shrink(~0u) > 0)
			;
	if (what & 1)
		take(~0u, 1);
}

/* Little memory is free: the thread should run.  No spinlock held. */
void
reclaimkick(void)
{
	acquire(&lock);
	wanted = 1;
	wakeup(&work);
	release(&lock);
}

/* An allocation failed: free something, whoever has used it lately, with
 * unmapping, writing or waiting if it must be.  1, or 0: nothing is left to free
 * but what is pinned.  May sleep; no uvm->lock, no spinlock held. */
int
reclaimwait(void)
{
	uint seen = freed;

	for (int i = 0; i < PASSES; i++) {
		if (reclaim(BATCH) > 0 || take(BATCH, 1) > 0 || unmapold() > 0)
			return 1;
		if (lrustat.active + lrustat.inactive == 0)
			return 0;
		if (!writeold())
			(void)readold();
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

/* The thread. */
static void
reclaimer(void *arg)
{
	uint n;

	(void)arg;
	for (;;) {
		acquire(&lock);
		while (!wanted)
			sleep(&work, &lock);
		wanted = 0;
		release(&lock);
		while ((n = scarce()) > 0)
			if (reclaim(n) == 0 && unmapold() == 0 && !writeold())
				break;
	}
}

/* Unmap clean pages, of those that were long not used, with what is around them,
 * and free what has no other user then: how many.  Waits for locks that take()
 * only tries. */
static uint
unmapold(void)
{
	uint index, before, got = 0;
	struct pcache *pc;

	for (int i = 0; i < BATCH && got < BATCH; i++) {
		if ((pc = oldest(isclean, &index)) == 0)
			break;
		index &= ~(UNMAP - 1);
		objforget(pc, index, index + UNMAP);
		before = pc->npages;
		pcachedrop(pc, (uint64_t)index << PGSHIFT,
			(uint64_t)(index + UNMAP) << PGSHIFT);
		got += before > pc->npages ? before - pc->npages : 0;
		pcachefree(pc);
	}
	freed += got;
	return got;
}

/* Write the oldest page that is dirty and those behind it, and wait for them and
 * what is on its way there.  0: there is none. */
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

/* Wait for the oldest page that is being read.  0: there is none. */
static int
readold(void)
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

static int
isdirty(struct page *pg)
{
	return pg->flags & (PGF_DIRTY | PGF_WRITEBACK);
}

static int
isbusy(struct page *pg)
{
	return pg->flags & PGF_BUSY;
}

static int
isclean(struct page *pg)
{
	return !isdirty(pg) && !isbusy(pg);
}

/* A page that was long not used and is so; its index, and its pcache, referenced;
 * or 0.  Another one next time. */
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

/* A reference to a pcache that may be on its way out: it, or 0. */
static struct pcache *
holdpcache(struct pcache *pc)
{
	uint n;

	do {
		n = pc->ref;
		if (n == 0)
			return 0;
	} while (!cas((volatile uint *)&pc->ref, n, n + 1));
	return pc;
}
