/*
 * pcio.c - runs of pages on their way between a page cache and its disk.
 *
 * Invariant: the pages of a run are in the tree and PGF_BUSY (read) or
 * PGF_WRITEBACK (write), so they stay there, and their pcache lives; the run
 * holds no references.  pciodone() ends that, in any context, under the pcache's
 * lock.
 */
#include "mm/vm.h"
#include "kern/sched.h"

#define NQUEUE 64

static struct waitq queue[NQUEUE]; /* who waits for pages, by frame number */
static struct slabcache *iocache;

static struct spinlock sparelock;
static struct waitq sparefree;
static struct pcio spare; /* for writes when there is no memory */
static int spareused;     /* [sparelock] */

static struct pcio *takespare(void);
static struct waitq *queueof(struct page *);

void
pcioinit(void)
{
	iocache = slabcreate("pcio", sizeof(struct pcio), 4);
	for (int i = 0; i < NQUEUE; i++)
		initwaitq(&queue[i]);
	initlock(&sparelock, RANK_SLEEPQ);
	initwaitq(&sparefree);
}

/* An empty run from index on; 0: no memory.  To write, there always is one: more
 * memory may depend on that. */
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

static struct pcio *
takespare(void)
{
	acquire(&sparelock);
	while (spareused)
		sleep(&sparefree, &sparelock);
	spareused = 1;
	release(&sparelock);
	return &spare;
}

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

/* See mm.h.  What could not be read leaves the cache: those who wait for it try
 * it alone.  What could not be written is clean all the same, or it would fill
 * memory; fsync tells (pcacheerror). */
void
pciodone(struct pcio *io)
{
	struct pcache *pc = io->pc;
	struct page *pg, *drop[PCIOMAX];
	uint ndrop = 0;

	acquire(&pc->lock);
	if (io->write && io->err < 0) { /* no memory: told, too */
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
				pagedirty(pc, pg); /* try again */
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
	release(&pc->lock); /* it may be gone now */
	if (io->write)
		dirtywake();
	while (ndrop > 0)
		putpage(drop[--ndrop]);
	pciofree(io);
}

static struct waitq *
queueof(struct page *pg)
{
	return &queue[(pg - pages) % NQUEUE];
}

/* Sleep until one of the page's flags BUSY and WRITEBACK may have gone, or for
 * nothing.  pc is locked, and unlocked meanwhile: the page may be gone. */
void
pagesleep(struct pcache *pc, struct page *pg)
{
	pg->flags |= PGF_WAITED;
	sleep(queueof(pg), &pc->lock);
}

/* Wait until the page, referenced, has none of the flags. */
void
pagewait(struct pcache *pc, struct page *pg, uint flags)
{
	acquire(&pc->lock);
	while (pg->flags & flags)
		pagesleep(pc, pg);
	release(&pc->lock);
}
