/*
 * writeback.c - dirty pages, and their way to the disk.
 *
 * A page that was written to is dirty until somebody takes it to the disk: the
 * flusher (kern/fs/flush.c), fsync, or who writes while too much is dirty.  It
 * is not waited for, but by who wants that.
 *
 * Invariants: PGF_DIRTY and PGF_WRITEBACK, the tree's tags and the counts say
 * the same [pcache lock].  A run is marked PGF_WRITEBACK and clean first, then
 * write-protected wherever it is mapped (objclean), then written: a store that
 * comes later faults and makes its page dirty again.  Nobody waits here with a
 * uvm->lock held.
 */
#include "mm/vm.h"
#include "kern/sched.h"

#define MINDIRTY 64 /* pages: less is never too much */
#define CHUNK    64 /* that who writes too much takes to the disk first */

volatile uint ndirty, nwriteback;

static struct spinlock dirtylock;
static struct waitq flusher;   /* sleeps in dirtysleep() */
static struct waitq throttled; /* who writes too much */
static volatile int nthrottled; /* [dirtylock] */

static void start(struct pcache *, uint from, uint end, uint most, int wait);
static struct pcio *gather(struct pcache *, uint from, uint end, int wait);
static void markrun(struct pcio *, struct page *, uint end);
static void waitwritten(struct pcache *, uint from, uint end);
static uint dirtylimit(uint percent);

void
writebackinit(void)
{
	initlock(&dirtylock, RANK_SLEEPQ);
	initwaitq(&flusher);
	initwaitq(&throttled);
}

/* The page is dirty now: 1 if its file was clean.  pc is locked, as in the next
 * two. */
int
pagedirty(struct pcache *pc, struct page *pg)
{
	if (pg->flags & PGF_DIRTY)
		return 0;
	pg->flags |= PGF_DIRTY;
	treetag(pc, pg->index, TREE_DIRTY, 1);
	xadd(&ndirty, 1);
	return pc->ndirty++ == 0;
}

void
pageclean(struct pcache *pc, struct page *pg)
{
	if (!(pg->flags & PGF_DIRTY))
		return;
	pg->flags &= ~PGF_DIRTY;
	treetag(pc, pg->index, TREE_DIRTY, 0);
	xadd(&ndirty, -1);
	pc->ndirty--;
}

/* It is on the disk, or cannot get there. */
void
pagewritten(struct pcache *pc, struct page *pg)
{
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

	if (!backed(pc))
		return 0;
	end = MIN(to >> PGSHIFT, MAXINDEX - 1) + (to % PGSIZE != 0);
	if (to >> PGSHIFT >= MAXINDEX)
		end = MAXINDEX;
	acquire(&pc->lock);
	seen = pc->nerr;
	release(&pc->lock);
	start(pc, index, end, ~0u, wait);
	if (wait)
		waitwritten(pc, index, end);
	if (pc->ndirty > 0 && pc->ops->dirtied)
		pc->ops->dirtied(pc);
	return pcacheerror(pc, &seen);
}

/* Start writing the dirty pages of [from, end), but no more than most or a run
 * beyond that. */
static void
start(struct pcache *pc, uint from, uint end, uint most, int wait)
{
	struct pcio *io;
	uint n = 0;

	while (from < end && n < most && (io = gather(pc, from, end, wait))) {
		from = io->index + io->n;
		n += io->n;
		objclean(pc, io->index, from);
		pc->ops->io(io); /* it may be freed now */
	}
}

/* The first run of dirty pages in [from, end), now on its way; 0: there is none.
 * Those on their way already are waited for or left. */
static struct pcio *
gather(struct pcache *pc, uint from, uint end, int wait)
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

/* From the dirty page on, as far as dirty pages follow before end. */
static void
markrun(struct pcio *io, struct page *pg, uint end)
{
	struct pcache *pc = io->pc;

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

/* Wait for pages [from, end) that are on their way. */
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

/* pc is going to be written to; or 0: some mapped file has been.  With too much
 * dirty its pages go to the disk, and the writer waits while far too much is on
 * its way there.  No uvm->lock held. */
void
dirtythrottle(struct pcache *pc)
{
	uint limit;

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
		start(pc, 0, MAXINDEX, CHUNK, 0);
	acquire(&dirtylock);
	nthrottled++;
	while (nwriteback > 0 && ndirty + nwriteback > limit &&
		sleepuntil(&throttled, &dirtylock, NEVER, SLEEP_KILL) == 0)
		;
	nthrottled--;
	release(&dirtylock);
}

/* A part of what memory files could have, in pages. */
static uint
dirtylimit(uint percent)
{
	uint n = pagecount(PG_FREE) + pagecount(PG_CPU) + lrustat.active +
		lrustat.inactive;

	return MAX(n / 100 * percent, MINDIRTY);
}

/* Some pages have been written. */
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
