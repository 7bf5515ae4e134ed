/*
 * writeback.c - dirty pages, and their way to the disk.
 *
 * A page that was written to is dirty until somebody starts to write it to the
 * disk: the flusher (kern/fs/flush.c), fsync(), reclaim, or a process that
 * writes while too much is dirty (dirtythrottle).  Only callers that ask for it
 * wait for the end.
 *
 * Invariants: PGF_DIRTY and PGF_WRITEBACK, the tree's tags and the counts agree
 * [pcache lock].  A run is marked PGF_WRITEBACK and clean first, then
 * write-protected wherever it is mapped (objclean), then written: a store that
 * comes later faults and makes its page dirty again.  Nobody waits here with a
 * uvm->lock held.
 */
#include "mm/vm.h"
#include "kern/sched.h"

#define MINDIRTY 64 /* pages: less is never too much */
#define CHUNK    64 /* pages that a throttled process starts to write itself */

volatile uint ndirty, nwriteback;

static struct spinlock dirtylock;
static struct waitq flusher;   /* sleeps in dirtysleep() */
static struct waitq throttled; /* processes that wrote too much */
static volatile int nthrottled; /* how many sleep there [dirtylock] */

static void startwriting(struct pcache *, uint from, uint end, uint most,
	int wait);
static struct pcio *nextrun(struct pcache *, uint from, uint end, int wait);
static void markrun(struct pcio *, struct page *, uint end);
static void waitwritten(struct pcache *, uint from, uint end);
static uint dirtylimit(uint percent);

/* Boot. */
void
writebackinit(void)
{
	initlock(&dirtylock, RANK_SLEEPQ);
	initwaitq(&flusher);
	initwaitq(&throttled);
}

/* See vm.h. */
int
pagedirty(struct pcache *pc, struct page *pg)
{
	lockassert(holding(&pc->lock));
	if (pg->flags & PGF_DIRTY)
		return 0;
	pg->flags |= PGF_DIRTY;
	treetag(pc, pg->index, TREE_DIRTY, 1);
	xadd(&ndirty, 1);
	return pc->ndirty++ == 0;
}

/* See vm.h. */
void
pageclean(struct pcache *pc, struct page *pg)
{
	lockassert(holding(&pc->lock));
	if (!(pg->flags & PGF_DIRTY))
		return;
	pg->flags &= ~PGF_DIRTY;
	treetag(pc, pg->index, TREE_DIRTY, 0);
	xadd(&ndirty, -1);
	pc->ndirty--;
}

/* See vm.h. */
void
pagewritten(struct pcache *pc, struct page *pg)
{
	lockassert(holding(&pc->lock));
	pg->flags &= ~PGF_WRITEBACK;
	treetag(pc, pg->index, TREE_WRITEBACK, 0);
	xadd(&nwriteback, -1);
	pc->nwriteback--;
}

/* See mm.h. */
int
pcachewriteback(struct pcache *pc, uint64_t from, uint64_t to, int wait)
{
	uint index = MIN(from >> PGSHIFT, MAXINDEX), end, seen;

	lockassert(nospinlocks());
	if (!backed(pc))
		return 0;
	end = MIN(to >> PGSHIFT, MAXINDEX - 1) + (to % PGSIZE != 0);
	if (to >> PGSHIFT >= MAXINDEX)
		end = MAXINDEX;
	acquire(&pc->lock);
	seen = pc->nerr;
	release(&pc->lock);
	startwriting(pc, index, end, ~0u, wait);
	if (wait)
		waitwritten(pc, index, end);
	if (pc->ndirty > 0 && pc->ops->dirtied)
		pc->ops->dirtied(pc);
	return pcacheerror(pc, &seen);
}

/* Start writing the dirty pages with indices [from, end), run by run, until at
 * least `most` pages are on their way.  wait: as in nextrun(). */
static void
startwriting(struct pcache *pc, uint from, uint end, uint most, int wait)
{
	struct pcio *io;
	uint n = 0;

	while (from < end && n < most && (io = nextrun(pc, from, end, wait))) {
		from = io->index + io->n;
		n += io->n;
		objclean(pc, io->index, from);
		pc->ops->io(io); /* io may be freed now */
	}
}

/* The first run of dirty pages in [from, end), marked as on its way and to be
 * handed to the host; 0: there is none.  A page that is dirty and still being
 * written is waited for if wait is set, else left out. */
static struct pcio *
nextrun(struct pcache *pc, uint from, uint end, int wait)
{
	struct pcio *io;
	struct page *pg;

	if (pc->ndirty == 0)
		return 0;
	io = pcioalloc(pc, from, 1);
	acquire(&pc->lock);
	while ((pg = treenext(pc, from, TREE_DIRTY)) && pg->index < end &&
		(pg->flags & PGF_WRITEBACK)) {
		if (wait)
			pagesleep(pc, pg);
		else
			from = pg->index + 1;
	}
	if (pg)
		markrun(io, pg, end);
	release(&pc->lock);
	if (io->n > 0)
		return io;
	pciofree(io);
	return 0;
}

/* Fill the run with the dirty page pg and the dirty pages that follow without a
 * gap before index end, and mark each as clean and on its way.  Called with
 * pc->lock held. */
static void
markrun(struct pcio *io, struct page *pg, uint end)
{
	struct pcache *pc = io->pc;

	lockassert(holding(&pc->lock));
	io->index = pg->index;
	while (pg && pg->index < end && io->n < PCIOMAX &&
		(pg->flags & (PGF_DIRTY | PGF_WRITEBACK)) == PGF_DIRTY) {
		pageclean(pc, pg);
		pg->flags |= PGF_WRITEBACK;
		treetag(pc, pg->index, TREE_WRITEBACK, 1);
		xadd(&nwriteback, 1);
		pc->nwriteback++;
		io->pa[io->n++] = pagepa(pg);
		pg = treeget(pc, io->index + io->n);
	}
}

/* Sleep until none of the pages with indices [from, end) is being written. */
static void
waitwritten(struct pcache *pc, uint from, uint end)
{
	struct page *pg;

	acquire(&pc->lock);
	while ((pg = treenext(pc, from, TREE_WRITEBACK)) && pg->index < end) {
		from = pg->index;
		pagesleep(pc, pg);
	}
	release(&pc->lock);
}

/* See mm.h. */
int
pcacheerror(struct pcache *pc, uint *seen)
{
	int err = 0;

	acquire(&pc->lock);
	if (*seen != pc->nerr)
		err = pc->err;
	*seen = pc->nerr;
	release(&pc->lock);
	return err;
}

/* See vm.h. */
void
dirtythrottle(struct pcache *pc)
{
	uint limit;

	lockassert(nospinlocks());
	if (ndirty + nwriteback < MINDIRTY)
		return;
	limit = dirtylimit(vmtune.dirtybackground);
	if (ndirty + nwriteback <= limit)
		return;
	acquire(&dirtylock);
	wakeup(&flusher);
	release(&dirtylock);
	limit = dirtylimit(vmtune.dirtyratio);
	if (ndirty + nwriteback <= limit)
		return;
	if (pc)
		startwriting(pc, 0, MAXINDEX, CHUNK, 0);
	acquire(&dirtylock);
	nthrottled++;
	while (nwriteback > 0 && ndirty + nwriteback > limit &&
		sleepuntil(&throttled, &dirtylock, NEVER, SLEEP_KILL) == 0)
		;
	nthrottled--;
	release(&dirtylock);
}

/* So many percent of the memory that files could have (what is free, and what
 * reclaim could free), in pages. */
static uint
dirtylimit(uint percent)
{
	uint n = pagecount(PG_FREE) + pagecount(PG_CPU) + lrustat.active +
		lrustat.inactive;

	return MAX(n / 100 * percent, MINDIRTY);
}

/* See vm.h. */
void
dirtywake(void)
{
	if (nthrottled == 0)
		return;
	acquire(&dirtylock);
	wakeup(&throttled);
	release(&dirtylock);
}

/* See mm.h. */
int
dirtysleep(int64_t deadline)
{
	int err = 0;

	acquire(&dirtylock);
	while (ndirty <= dirtylimit(vmtune.dirtybackground) && err == 0)
		err = sleepuntil(&flusher, &dirtylock, deadline, 0);
	release(&dirtylock);
	return err == 0;
}
