/*
 * pcio.c - runs of pages on their way between a page cache and its disk.
 *
 * Invariant: the pages of a run are in the tree and PGF_BUSY (read) or
 * PGF_WRITEBACK (write), so they stay there, and their pcache lives; the run
 * itself holds no references.  pciodone() ends that, in any context, with
 * pc->lock held.
 *
 * Waiting for a page: PGF_WAITED is set and the process sleeps on a queue that
 * the page's frame number chooses; pciodone() wakes that queue.  Processes that
 * wait for other pages may be on it too, so each looks at its page again.
 */
#include "mm/vm.h"
#include "kern/sched.h"

#define NQUEUE 64

static struct waitq queue[NQUEUE]; /* processes that wait for pages */
static struct slabcache *iocache;

static struct spinlock sparelock;
static struct waitq sparefree; /* processes that wait for spare */
static struct pcio spare; /* for writes when there is no memory */
static int spareused;     /* [sparelock] */

static struct pcio *takespare(void);
static struct waitq *queueof(struct page *);

/* Boot: the cache that runs come from, and the queues. */
void
pcioinit(void)
{
	iocache = slabcreate("pcio", sizeof(struct pcio), 4);
	for (int i = 0; i < NQUEUE; i++)
		initwaitq(&queue[i]);
	initlock(&sparelock, RANK_SLEEPQ);
	initwaitq(&sparefree);
}

/* See vm.h.  A write always gets one, since memory may become free only when it
 * has been done. */
struct pcio *
pcioalloc(struct pcache *pc, uint index, int write)
{
	struct pcio *io = slaballoc(iocache);

	if (io == 0 && write)
		io = takespare();
	if (io) {
		memset(io, 0, offsetof(struct pcio, pa));
		io->pc = pc;
		io->index = index;
		io->write = write;
	}
	return io;
}

/* The run that is kept for writes when there is no memory.  Waits while another
 * process uses it. */
static struct pcio *
takespare(void)
{
	lockassert(nospinlocks());
	acquire(&sparelock);
	while (spareused)
		sleep(&sparefree, &sparelock);
	spareused = 1;
	release(&sparelock);
	return &spare;
}

/* See vm.h. */
void
pciofree(struct pcio *io)
{
	if (io != &spare) {
		slabfree(iocache, io);
		return;
	}
	acquire(&sparelock);
	spareused = 0;
	wakeup(&sparefree);
	release(&sparelock);
}

/* See mm.h.  A page that could not be read leaves the cache; those that wait
 * for it try to read it alone (pagebring).  A page that could not be written is
 * clean all the same, or such pages would fill memory; fsync() reports the
 * error (pcacheerror).  Only if the write found no memory the page becomes
 * dirty again, to be written later. */
void
pciodone(struct pcio *io)
{
	struct pcache *pc = io->pc;
	struct page *pg, *drop[PCIOMAX];
	uint ndrop = 0;

	acquire(&pc->lock);
	if (io->write && io->err < 0) { /* -ENOMEM is reported, too */
		pc->nerr++;
		pc->err = io->err;
		if (pc->ops->failed)
			pc->ops->failed(pc, io->err);
	}
	for (uint i = 0; i < io->n; i++) {
		pg = papage(io->pa[i]);
		if (io->write) {
			pagewritten(pc, pg);
			if (io->err == -ENOMEM)
				pagedirty(pc, pg);
		} else if (io->err == 0) {
			pg->flags = (pg->flags & ~PGF_BUSY) | PGF_UPTODATE;
		} else {
			pageremove(pc, pg);
			pg->flags &= ~PGF_BUSY;
			drop[ndrop++] = pg;
		}
		if (pg->flags & PGF_WAITED) {
			pg->flags &= ~PGF_WAITED;
			wakeup(queueof(pg));
		}
	}
	release(&pc->lock); /* pc may be gone now */
	if (io->write)
		dirtywake();
	while (ndrop > 0)
		putpage(drop[--ndrop]);
	pciofree(io);
}

/* The queue of those that wait for a page, and for some others. */
static struct waitq *
queueof(struct page *pg)
{
	return &queue[(pg - pages) % NQUEUE];
}

/* See vm.h. */
void
pagesleep(struct pcache *pc, struct page *pg)
{
	lockassert(holding(&pc->lock));
	pg->flags |= PGF_WAITED;
	sleep(queueof(pg), &pc->lock);
}

/* See vm.h. */
void
pagewait(struct pcache *pc, struct page *pg, uint flags)
{
	lockassert(nospinlocks());
	acquire(&pc->lock);
	while (pg->flags & flags)
		pagesleep(pc, pg);
	release(&pc->lock);
}
