/*
 * sleeplock.c - locks whose holders may sleep.
 *
 * The state word is 0 free, 1 held, 2 held and perhaps waited for.  Taking a
 * free lock and giving back one that nobody waits for is one atomic
 * instruction each.
 *
 * Why no wakeup is lost: a waiter writes 2 while it holds the inner spinlock,
 * and is in the queue before it releases that.  A holder that finds 2 takes
 * the spinlock before it wakes the queue, so it finds the waiter there.  A
 * process that got the lock after waiting leaves 2 in it, since others may
 * still wait.
 *
 * Debug builds keep a list of the sleep locks that a process holds, newest
 * first, and check their ranks: a lock is not taken while its process holds one
 * of a higher rank.  Rank 0 is not checked.  Locks of one rank have an order of
 * their own, which is not checked either (two directories).
 */
#include "kern/lock/lock.h"

#include "arch/cpu.h"
#include "arch/x86.h"
#include "kern/panic.h"
#include "kern/proc.h"
#include "kern/sched.h"

#ifdef QUIRE_DEBUG
static void checkorder(struct sleeplock *lk);
static void noteheld(struct sleeplock *lk, uint fp);
#endif

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
	checkorder(lk);
	if (cas(&lk->state, 0, 1))
		sleepcount(lk->rank, 0);
	else
		acquiresleepbusy(lk);
	noteheld(lk, (uint)__builtin_frame_address(0));
}

/* Panic if the running process may not take lk now: with a spinlock held, for
 * the second time, or with a lock of a higher rank held. */
static void
checkorder(struct sleeplock *lk)
{
	struct proc *p = myproc();
	struct sleeplock *held;

	if (!ncliszero())
		panic("a sleep lock taken with a spinlock held");
	for (held = p ? p->sleeplocks : 0; held; held = held->below)
		if (held == lk)
			panic("acquiresleep: held here already");
		else if (lk->rank && held->rank > lk->rank)
			panic("lock order: sleep lock of rank %u taken with "
			      "rank %u held", lk->rank, held->rank);
}

/* Note that the running process holds lk, and who took it: fp is the frame
 * pointer of acquiresleep().  Called with lk held. */
static void
noteheld(struct sleeplock *lk, uint fp)
{
	struct proc *p = myproc();

	lk->owner = p;
	callers(fp, lk->at);
	if (p) {
		lk->below = p->sleeplocks;
		p->sleeplocks = lk;
	}
}

void
releasesleep(struct sleeplock *lk)
{
	struct proc *p = myproc();
	struct sleeplock **at = p ? &p->sleeplocks : 0;

	assert(holdingsleep(lk));
	while (at && *at != lk)
		at = &(*at)->below;
	if (at)
		*at = lk->below;
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
	int64_t start = nowns();

	acquire(&lk->lock);
	while (xchg(&lk->state, 2) != 0)
		sleep(&lk->queue, &lk->lock);
	release(&lk->lock);
	sleepcount(lk->rank, nowns() - start + 1);
}

void
releasesleepbusy(struct sleeplock *lk)
{
	acquire(&lk->lock);
	wakeup(&lk->queue);
	release(&lk->lock);
}
