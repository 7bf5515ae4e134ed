/*
 * runq.h - the run queues, as sched.c, sleep.c and userret.c share them and
 * nobody else sees them.  The invariants are those at the top of sched.c.
 */
#ifndef KERN_RUNQ_H
#define KERN_RUNQ_H

#include "arch/x86.h"
#include "kern/lib/list.h"
#include "kern/lock/lock.h"
#include "kern/proc.h"

struct runqueue {
	struct spinlock lock; /* RANK_SCHED */
	struct list ready;    /* RUNNABLE, by vtime [lock] */
	volatile int n;       /* how many [lock] */
	uint vtime;           /* the least of those that run; only grows [lock] */
	int woken;            /* one woke since the last tick [lock] */
	int balance;          /* ticks until the next look [its CPU] */
	struct list strays;   /* RUNNABLE, but not here [lock] */
} __attribute__((aligned(64)));

extern struct runqueue rq[NCPU]; /* by CPU */
extern volatile uint idlecpus;   /* bit per CPU that halts or is about to (S4) */

/* Release the lock of q and take that of the run queue on which p is now. */
struct runqueue *relockrq(struct runqueue *q, struct proc *p)
	__attribute__((noinline));

/* Take the lock of the run queue of p, which is what comes back.  Until then p
 * may be taken to another CPU. */
static inline struct runqueue *
lockrq(struct proc *p)
{
	struct runqueue *q = &rq[p->cpu];

	acquire(&q->lock);
	while (q != &rq[p->cpu])
		q = relockrq(q, p);
	return q;
}

/* Put p in its place on its queue q, behind its equals, or among the strays of
 * q.  q->lock held. */
void enqueue(struct runqueue *q, struct proc *p);

/* p is ready: wake a halted CPU that may take it, that of its queue q first.
 * There is no need to if that one is looking at the queue anyway.  q->lock
 * held. */
void kick(struct runqueue *q, struct proc *p);

/* p is on its queue q: let an idle CPU know.  q->lock held. */
static inline void
offer(struct runqueue *q, struct proc *p)
{
	fence(); /* S4 */
	if (idlecpus)
		kick(q, p);
}

/* Virtual time: VTICK a tick at nice 0.  It wraps: only differences count,
 * which are small (makeready). */
#define VTICK  4096
#define CREDIT (2 * VTICK) /* what a thread that sleeps can save up */
#define MAXLAG (1u << 20)  /* more than one that runs can be ahead */

/* Make p, whose queue is q and whose virtual time may be from long ago,
 * RUNNABLE, and tell an idle CPU.  q->lock held. */
static inline void
makeready(struct runqueue *q, struct proc *p)
{
	if (p->vtime - q->vtime + CREDIT > CREDIT + MAXLAG)
		p->vtime = q->vtime - CREDIT;
	p->state = RUNNABLE;
	enqueue(q, p);
	offer(q, p);
}

/* Run the next thread of this CPU's queue; the state of the running one says
 * why it stops.  Returns when that one runs again, perhaps on another CPU.  The
 * lock of its run queue is held, before and after, and no other spinlock. */
void sched(void);

#endif
