/*
 * blkq.h - queues of requests, between blk.c and the drivers of disks.
 *
 * A driver makes a queue for what works on its own (a virtio device, a port, an
 * IDE channel with its two disks), and a struct blkdev for each disk.  It is
 * given requests, each of one or more bios that are contiguous on the disk.
 */
#ifndef KERN_BLKQ_H
#define KERN_BLKQ_H

#include "kern/blk/blk.h"
#include "kern/sched.h"

struct blkreq {
	struct blkdev *disk;
	int op;            /* BIO_* */
	uint64_t sector;   /* of the disk */
	uint sectors;
	uint nvec;         /* pieces of memory, in all bios */
	uint nbio;
	struct list bios;  /* by link, in order; none: it does not run */
	uint tag;          /* below q->depth, and nobody else's while it runs */
	int failed;        /* reset() was called because of it: -EIO, or
	                    * -ETIMEDOUT */
	int64_t since;     /* it was started */
	struct list link;
};

/* The driver's half. */
struct blkops {
	/* Begin r.  q->lock held; fewer than depth are running. */
	void (*start)(struct blkq *, struct blkreq *r);
	/* Null, or: those begun may go now, no more follow.  q->lock held. */
	void (*kick)(struct blkq *);
	/* An error or a time-out: make the hardware forget all requests, and
	 * ready for others.  Marks disks that do not answer as gone.  May
	 * sleep; none is started meanwhile, and none is given to blkdone()
	 * afterwards. */
	void (*reset)(struct blkq *);
};

struct blkq {
	struct spinlock lock;  /* RANK_DISK; the driver's state too */
	const char *name;
	const struct blkops *ops;
	void *priv;            /* the driver's own */
	uint depth;            /* requests that may run */
	uint maxvec;           /* pieces of memory in one, >= BIOVECS */
	uint maxsectors;       /* sectors of one, >= BIOMAX / SECTOR */
	int tries;             /* before a sector that fails is given up */

	/* blkq.c's [lock] */
	int resetting;         /* none is started */
	uint running;
	struct blkreq *reqs;   /* depth of them */
	struct list free;      /* those not in use */
	struct list flight;    /* those that run, oldest first */
	struct list sorted;    /* waiting bios by disk and sector */
	struct list fifo;      /* these bios again, by age */
	struct list urgent;    /* flushes, and those to try alone */
	struct list over;      /* done() is to be called */
	struct list *next;     /* of sorted: the first behind the last one begun */
	struct blkdev *disk;   /* where that ended: disk and sector */
	uint64_t end;
	struct timer timer;
	int timing;            /* the timer runs */
	int64_t patience;      /* ns that a request may take; 0: for ever */
	struct waitq wait;     /* its thread, for resetting */
};

/* Ready the queue, whose lock is initialised and whose fields down to tries are
 * set: 0 or -ENOMEM. */
int blkqinit(struct blkq *);

/* There is a new disk: name, rdev, sectors, q or rw, readonly and partitions
 * are set.  At boot. */
void blkregister(struct blkdev *);

/* The request is over: err is 0 or -EIO.  q->lock held. */
void blkdone(struct blkq *, struct blkreq *, int err);

/* The request (or the hardware) needs a reset: it comes soon, from a thread.
 * q->lock held. */
void blkfail(struct blkq *, struct blkreq *, int err);

/* The running request with that tag, or 0.  q->lock held. */
struct blkreq *blkrunning(struct blkq *, uint tag);

/* Start what can be started, release q->lock, call done() where due.  Any
 * context. */
void blkrelease(struct blkq *);

/* Have there been enough lines about errors for now?  detail: for a driver's
 * own lines, beside those that name sectors. */
int blkquiet(int detail);

/* Sleep for so many milliseconds: for hardware that does not interrupt. */
void blkpause(uint ms);

#endif
