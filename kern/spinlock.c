/*
 * spinlock.c - locks held for a few dozen instructions, interrupts off.
 *
 * owner is the holder's CPU id + 1, so a CPU that finds its own number there
 * would wait for itself.  Debug builds check release() too, and keep a bit per
 * rank held on each CPU: a lock is taken only above all of them, so no two CPUs
 * can each wait for a lock of the other's.  Rank 0 is not checked.
 */
#include "kern/lock.h"

#include "arch/cpu.h"
#include "arch/x86.h"
#include "arch/xcall.h"
#include "kern/panic.h"

#define barrier() __asm__ volatile("" : : : "memory")

#ifdef QUIRE_DEBUG
static void checkorder(struct spinlock *lk);
static void notefree(struct spinlock *lk);
#endif
static void noteheld(struct spinlock *lk);

void
initlock(struct spinlock *lk, int rank)
{
	lk->owner = 0;
	lk->rank = rank;
}

#ifdef QUIRE_DEBUG
void
acquire(struct spinlock *lk)
{
	pushcli();
	checkorder(lk);
	if (!cas16(&lk->owner, 0, mycpu()->id + 1))
		acquirebusy(lk);
	noteheld(lk);
}

void
release(struct spinlock *lk)
{
	if (!holding(lk))
		panic("release: rank %d is not held here", lk->rank);
	notefree(lk);
	barrier();
	lk->owner = 0;
	popcli();
}
#endif

/* The slow half of acquire: wait until the lock is ours. */
void
acquirebusy(struct spinlock *lk)
{
	uint16_t me = mycpu()->id + 1;

	while (!cas16(&lk->owner, 0, me)) {
		if (lk->owner == me)
			panic("acquire: rank %d is held here already", lk->rank);
		while (lk->owner != 0)
			cpurelax();
	}
}

/* Take the lock if it is free: 1, or 0 and nothing has changed.  The order does
 * not matter to who does not wait. */
int
tryacquire(struct spinlock *lk)
{
	pushcli();
	if (!cas16(&lk->owner, 0, mycpu()->id + 1)) {
		popcli();
		return 0;
	}
	noteheld(lk);
	return 1;
}

/* Does this CPU hold the lock? */
int
holding(struct spinlock *lk)
{
	return lk->owner == mycpu()->id + 1;
}

#ifdef QUIRE_DEBUG
static void
checkorder(struct spinlock *lk)
{
	uint held = mycpu()->held;

	if (lk->rank && held >> lk->rank && !holding(lk))
		panic("lock order: rank %d taken with ranks %x held", lk->rank,
			held);
}

static void
noteheld(struct spinlock *lk)
{
	mycpu()->held |= 1u << lk->rank & ~1u;
}

static void
notefree(struct spinlock *lk)
{
	if (!holding(lk))
		panic("release: rank %d is not held here", lk->rank);
	mycpu()->held &= ~(1u << lk->rank);
}
#else
static void
noteheld(struct spinlock *lk)
{
	(void)lk;
}
#endif
