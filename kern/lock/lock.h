/*
 * lock.h - spinlocks and sleep locks.
 *
 * A spinlock is held for a few dozen instructions with interrupts off; its
 * holder never sleeps, never touches user memory.  A sleep lock may be held
 * across both.  Each lock has a rank; locks are taken in rising rank (the
 * order is in mm/vm.h and doc/locks.md).
 */
#ifndef KERN_LOCK_H
#define KERN_LOCK_H

#include "arch/cpu.h"
#include "kern/types.h"
#include "kern/lib/list.h"
#include "kern/panic.h"

enum { /* ranks: lower is taken first */
	RANK_NONE,
	RANK_TREE,   /* process tree, process groups, sessions */
	RANK_FILES,  /* a descriptor table */
	RANK_NAMES,  /* directory entries */
	RANK_INODE,  /* locks on files */
	RANK_TTY,    /* a terminal */
	RANK_PIPE,   /* an eventfd, a timerfd */
	RANK_SOCKET, /* a socket */
	RANK_SIGNAL, /* pending signals and handlers of a process */
	RANK_PCACHE, /* pages of one file or memory object */
	RANK_LRU,    /* pages that can be read again */
	RANK_UVMLIST, /* all address spaces */
	RANK_TABLE,  /* slots of one page table */
	RANK_DISK,   /* requests of a disk; free bios */
	RANK_SLEEPQ, /* inside a sleep lock */
	RANK_WAITQ,  /* a wait queue */
	RANK_EPOLL,  /* ready lists of epolls */
	RANK_EPOLLQ, /* who waits for them */
	RANK_TIMER,  /* timers */
	RANK_SCHED,  /* a run queue */
	RANK_SLAB,   /* a slab cache */
	RANK_PAGES,  /* free lists of pages */
	RANK_LEAF,   /* nothing is taken below this */
	NRANK
};

struct spinlock {
	volatile uint16_t owner; /* CPU id + 1 of the holder, or 0 */
	uint16_t rank;
};

void initlock(struct spinlock *, int rank);

/* Take the lock, with interrupts off until the matching release (they nest,
 * see pushcli).  Panics if this CPU holds it already. */
void acquirebusy(struct spinlock *); /* somebody has it: wait, or panic */
#ifdef QUIRE_DEBUG
void acquire(struct spinlock *);
void release(struct spinlock *);
#else
static inline void
acquire(struct spinlock *lk)
{
	struct cpu *c = pushcli();

	if (!cas16(&lk->owner, 0, c->id + 1))
		acquirebusy(lk);
}

static inline void
release(struct spinlock *lk)
{
	__asm__ volatile("" : : : "memory");
	lk->owner = 0;
	popcli();
}
#endif

/* Take the lock if it is free: 1, or 0 and nothing has changed. */
int tryacquire(struct spinlock *);

/* Does this CPU hold the lock? */
int holding(struct spinlock *);

/* A comment that claims a lock has one of these beside it, at the function's
 * start: e is made of holding(), holdingread(), holdingwrite(),
 * holdingeither(), holdingsleep(), nospinlocks().  Debug builds panic where e
 * is false; release builds do not evaluate it. */
#ifdef QUIRE_DEBUG
#define lockassert(e) assert(e)
#else
#define lockassert(e) ((void)sizeof(e))
#endif

/* May the caller sleep: does this CPU hold no spinlock, nor has it switched
 * interrupts off by pushcli()? */
static inline int
nospinlocks(void)
{
	return ncliszero();
}

#ifdef QUIRE_DEBUG
void locktest(int c); /* locktest.c: break a rule; '1' to '9' panic */
#endif

#define NCALLERS 4 /* that are noted with a held lock */

/* The i-th spinlock that this CPU holds: its name and who took it; 0 if it holds
 * fewer, or this is no debug build.  Interrupts off. */
const char *heldlock(int i, uint at[NCALLERS]);
const char *lockname(int rank);

/* For /proc/lockstat: what the locks of one rank, spinning or sleeping, have
 * cost since boot.  Release builds count in the slow halves only. */
struct lockstat {
	const char *name;
	int sleeps;
	uint taken;      /* counted by debug builds */
	uint contended;  /* those that were not free */
	uint64_t waited; /* looks while spinning; ns asleep */
};
int lockstat(int i, struct lockstat *); /* of class i: 1; 0: no more */
void sleepcount(int rank, int64_t ns);  /* taken, after waiting: 0 if not */

/* Processes that wait for something; wakeup() lets all of them look again. */
struct waitq {
	struct spinlock lock;
	struct list waiters; /* struct waiter [lock] */
};

void initwaitq(struct waitq *);

struct sleeplock {
	volatile uint state; /* 0 free, 1 held, 2 held and somebody waits */
	uint rank;
	struct proc *owner; /* who holds it [debug builds] */
	struct spinlock lock;
	struct waitq queue;
#ifdef QUIRE_DEBUG
	struct sleeplock *below; /* that its holder took before [holder] */
	uint at[NCALLERS];       /* who took it [holder] */
#endif
};

void initsleeplock(struct sleeplock *, int rank);

/* May sleep; not interruptible by signals.  No spinlock held.  Without
 * contention either is one atomic instruction. */
void acquiresleepbusy(struct sleeplock *); /* wait for it */
void releasesleepbusy(struct sleeplock *); /* wake who waits */
int holdingsleep(struct sleeplock *); /* meaningful in debug builds only */
#ifdef QUIRE_DEBUG
void acquiresleep(struct sleeplock *);
void releasesleep(struct sleeplock *);
#else
static inline void
acquiresleep(struct sleeplock *lk)
{
	if (!cas(&lk->state, 0, 1))
		acquiresleepbusy(lk);
}

static inline void
releasesleep(struct sleeplock *lk)
{
	if (xchg(&lk->state, 0) == 2)
		releasesleepbusy(lk);
}
#endif

#endif
