/*
 * rwlock.c - the slow halves of reader/writer sleep locks, and their checks.
 *
 * The state word counts the readers above two bits: a process writes
 * (RW_WRITER); a process waits (RW_WAITERS).  Taking a free lock and giving
 * back one that nobody waits for is one atomic instruction each.
 *
 * Why no wakeup is lost: a waiter sets RW_WAITERS in the same instruction that
 * finds the lock held, with the inner spinlock held, and is in the queue before
 * it releases that.  The release by the last holder sees the bit, and takes
 * the spinlock before it wakes the queue.  All waiters look again; a waiter
 * that must go on waiting sets the bit again.
 */
#include "kern/lock/rwlock.h"

#include "arch/cpu.h"
#include "kern/panic.h"
#include "kern/sched.h"

static void getbusy(struct rwlock *, uint add);

void
initrwlock(struct rwlock *lk, int rank)
{
	lk->rank = rank;
	lk->state = 0;
	lk->owner = 0;
	initlock(&lk->lock, RANK_SLEEPQ);
	initwaitq(&lk->queue);
}

#ifdef QUIRE_DEBUG
void
acquirewrite(struct rwlock *lk)
{
	if (cas(&lk->state, 0, RW_WRITER))
		sleepcount(lk->rank, 0);
	else
		acquirewritebusy(lk);
	lk->owner = myproc();
}

void
releasewrite(struct rwlock *lk)
{
	assert(holdingwrite(lk));
	lk->owner = 0;
	if (xchg(&lk->state, 0) != RW_WRITER)
		releasewritebusy(lk);
}

int
holdingwrite(struct rwlock *lk)
{
	return (lk->state & RW_WRITER) && lk->owner == myproc();
}
#else
int
holdingwrite(struct rwlock *lk)
{
	(void)lk;
	return 1;
}
#endif

void
acquirereadbusy(struct rwlock *lk)
{
	getbusy(lk, RW_READER);
}

void
acquirewritebusy(struct rwlock *lk)
{
	assert(lk->owner == 0 || lk->owner != myproc());
	getbusy(lk, RW_WRITER);
}

/* Take the lock: add RW_READER or RW_WRITER to the state when that is allowed,
 * and sleep while it is not.  A writer must be alone.  Readers stay out while a
 * process writes, and while others read and a process waits.  Called with no
 * spinlock held. */
static void
getbusy(struct rwlock *lk, uint add)
{
	int64_t start = nowns();
	uint s, held;

	lockassert(nospinlocks());
	acquire(&lk->lock);
	for (;;) {
		s = lk->state;
		held = s & ~RW_WAITERS;
		if (held == 0 || (add == RW_READER &&
				!(s & (RW_WRITER | RW_WAITERS)))) {
			if (cas(&lk->state, s, s + add))
				break;
		} else if (cas(&lk->state, s, s | RW_WAITERS)) {
			sleep(&lk->queue, &lk->lock);
		}
	}
	release(&lk->lock);
	sleepcount(lk->rank, nowns() - start + 1);
}

/* The last reader has left, and a process waits: wake the queue.  If another
 * process has taken the lock meanwhile, its release will do that. */
void
releasereadbusy(struct rwlock *lk)
{
	acquire(&lk->lock);
	if (cas(&lk->state, RW_WAITERS, 0))
		wakeup(&lk->queue);
	release(&lk->lock);
}

/* The writer has set the state to 0 and has seen RW_WAITERS there: wake the
 * queue. */
void
releasewritebusy(struct rwlock *lk)
{
	acquire(&lk->lock);
	wakeup(&lk->queue);
	release(&lk->lock);
}
