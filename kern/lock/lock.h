/*
 * lock.h - spinlocks and sleep locks.
 *
 * A spinlock is held for a few dozen instructions with interrupts off; its
 * holder does not sleep and does not touch user memory.  A sleep lock may be
 * held across both.  Each lock has a rank, and locks are taken in rising rank;
 * the order is in mm/vm.h and doc/locks.md.
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
	RANK_EPOLLQ, /* the queue of an epoll */
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

/* acquire() takes the lock; interrupts are off until the matching release()
 * (pairs nest, see pushcli).  acquire() panics if this CPU holds the lock
 * already.  acquirebusy() is its slow half, for a lock that was not free. */
void acquirebusy(struct spinlock *);
#ifdef QUIRE_DEBUG
void acquire(struct spinlock *);
void release(struct spinlock *);
#else
/* Take the lock, as described above. */
static inline void
acquire(struct spinlock *lk)
{
	struct cpu *c = pushcli();

	if (!cas16(&lk->owner, 0, c->id + 1))
		acquirebusy(lk);
}

/* Give the lock back. */
static inline void
release(struct spinlock *lk)
{
	__asm__ volatile("" : : : "memory");
	lk->owner = 0;
	popcli();
}
#endif

/* Take the lock if it is free: 1, or 0 and nothing has changed.  Ranks do not
 * matter here. */
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

#define NCALLERS 4 /* functions that are noted with a held lock */

/* Return the name of the i-th spinlock that this CPU holds, with the functions
 * that took it in at[]; or 0 if it holds fewer, or in a release build.  Called
 * with interrupts off. */
const char *heldlock(int i, uint at[NCALLERS]);

/* Return the name of a rank (RANK_*). */
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

/* Store what class i of locks has cost: 1, or 0 if there are fewer classes. */
int lockstat(int i, struct lockstat *);

/* Count that a sleep lock of this rank was taken after waiting ns nanoseconds;
 * 0 if it was free. */
void sleepcount(int rank, int64_t ns);

/* Processes that wait for something; wakeup() makes each look at its condition
 * again. */
struct waitq {
	struct spinlock lock;
	struct list waiters; /* struct waiter [lock] */
};

void initwaitq(struct waitq *);

struct sleeplock {
	volatile uint state; /* 0 free, 1 held, 2 held and somebody waits */
	uint rank;
	struct proc *owner; /* its holder [debug builds] */
	struct spinlock lock;
	struct waitq queue;
#ifdef QUIRE_DEBUG
	struct sleeplock *below; /* the one its holder took before [holder] */
	uint at[NCALLERS];       /* functions that took it [holder] */
#endif
};

void initsleeplock(struct sleeplock *, int rank);

/* acquiresleep() may sleep, and no signal interrupts it; it is called with no
 * spinlock held.  Without contention it is one atomic instruction, as is
 * releasesleep().  These are their slow halves: wait for the lock; wake all
 * processes that wait for it. */
void acquiresleepbusy(struct sleeplock *);
void releasesleepbusy(struct sleeplock *);

/* Does the running process hold the lock?  Meaningful in debug builds only. */
int holdingsleep(struct sleeplock *);
#ifdef QUIRE_DEBUG
void acquiresleep(struct sleeplock *);
void releasesleep(struct sleeplock *);
#else
/* Take the lock.  Called with no spinlock held. */
static inline void
acquiresleep(struct sleeplock *lk)
{
	if (!cas(&lk->state, 0, 1))
		acquiresleepbusy(lk);
}

/* Give the lock back. */
static inline void
releasesleep(struct sleeplock *lk)
{
	if (xchg(&lk->state, 0) == 2)
		releasesleepbusy(lk);
}
#endif

#endif
