/*
 * sleeplock.c - locks whose holders may sleep.
 *
 * The state word is 0 free, 1 held, 2 held and perhaps waited for.  Taking a
 * free lock and giving back one that nobody waits for is one atomic
 * instruction each.
 *
 * Why no wakeup is lost: a waiter writes 2 while it holds the inner spinlock,
 * and is in the queue before it releases that.  A holder that finds 2 takes
 * the spinlock before it wakes the queue, so it finds the waiter there.  Who
 * got the lock after waiting leaves 2 in it, since others may wait still.
 */
#include "kern/lock.h"

#include "arch/cpu.h"
#include "arch/x86.h"
#include "kern/panic.h"
#include "kern/sched.h"

void
initsleeplock(struct sleeplock *lk, int rank)
{
	lk->state = 0;
	lk->rank = rank;
	lk->owner = 0;
	initlock(&lk->lock, RANK_SLEEPQ);
	initwaitq(&lk->queue);
}

#ifdef QUIRE_DEBUG
void
acquiresleep(struct sleeplock *lk)
{
	if (!cas(&lk->state, 0, 1))
		acquiresleepbusy(lk);
	lk->owner = myproc();
}

void
releasesleep(struct sleeplock *lk)
{
	assert(holdingsleep(lk));
	lk->owner = 0;
	if (xchg(&lk->state, 0) == 2)
		releasesleepbusy(lk);
}
#endif

int
holdingsleep(struct sleeplock *lk)
{
	return lk->state != 0 && lk->owner == myproc();
}

void
acquiresleepbusy(struct sleeplock *lk)
{
	assert(!holdingsleep(lk));
	acquire(&lk->lock);
	while (xchg(&lk->state, 2) != 0)
		sleep(&lk->queue, &lk->lock);
	release(&lk->lock);
}

void
releasesleepbusy(struct sleeplock *lk)
{
	acquire(&lk->lock);
	wakeup(&lk->queue);
	release(&lk->lock);
}
