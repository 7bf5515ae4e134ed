/*
 * rwlock.h - sleep locks that many may hold to read, or one to write.
 *
 * Taking one may sleep, and no signal interrupts that; it is called with no
 * spinlock held.  A waiting writer keeps new readers out.  A process that holds
 * the lock must not take it again, not even to read twice.
 */
#ifndef KERN_RWLOCK_H
#define KERN_RWLOCK_H

#include "arch/x86.h"
#include "kern/lock/lock.h"

struct rwlock {
	volatile uint state;   /* RW_WRITER, RW_WAITERS, RW_READER for each */
	int rank;              /* a class of /proc/lockstat: RANK_* */
	struct proc *owner;    /* the writer [debug builds] */
	struct spinlock lock;
	struct waitq queue;
};

#define RW_WRITER  1u
#define RW_WAITERS 2u
#define RW_READER  4u

void initrwlock(struct rwlock *, int rank);

/* Does the running process hold the lock to write?  Always true in release
 * builds. */
int holdingwrite(struct rwlock *);

/* For lockassert(): does any process hold the lock to read?  It need not be the
 * caller: which processes read is not noted. */
static inline int
holdingread(struct rwlock *lk)
{
	return lk->state >= RW_READER;
}

/* For lockassert(): does the running process hold the lock to write, or any
 * process hold it to read? */
static inline int
holdingeither(struct rwlock *lk)
{
	return holdingread(lk) || holdingwrite(lk);
}

/* The slow halves: wait for a lock that was not free; wake the processes that
 * wait. */
void acquirereadbusy(struct rwlock *);
void releasereadbusy(struct rwlock *);
void acquirewritebusy(struct rwlock *);
void releasewritebusy(struct rwlock *);

/* Take the lock to read.  Called with no spinlock held. */
static inline void
acquireread(struct rwlock *lk)
{
	uint s = lk->state;

	if ((s & (RW_WRITER | RW_WAITERS)) || !cas(&lk->state, s, s + RW_READER))
		acquirereadbusy(lk);
#ifdef QUIRE_DEBUG
	else
		sleepcount(lk->rank, 0);
#endif
}

/* Give back a lock that was taken to read. */
static inline void
releaseread(struct rwlock *lk)
{
	if (xadd(&lk->state, -RW_READER) == (RW_READER | RW_WAITERS))
		releasereadbusy(lk);
}

#ifdef QUIRE_DEBUG
void acquirewrite(struct rwlock *);
void releasewrite(struct rwlock *);
#else
/* Take the lock to write.  Called with no spinlock held. */
static inline void
acquirewrite(struct rwlock *lk)
{
	if (!cas(&lk->state, 0, RW_WRITER))
		acquirewritebusy(lk);
}

/* Give back a lock that was taken to write. */
static inline void
releasewrite(struct rwlock *lk)
{
	if (xchg(&lk->state, 0) != RW_WRITER)
		releasewritebusy(lk);
}
#endif

#endif
