/* sleep.h - a thread waits until another one, or an interrupt, wakes it. */
#ifndef KERN_SLEEP_H
#define KERN_SLEEP_H

#include "kern/lock/lock.h"

struct proc;

/* Sleep until wakeup(q), until the deadline in ns of nowns() (NEVER: none), or
 * until a signal comes, if flags has SLEEP_INT, or SIGKILL, if it has
 * SLEEP_KILL.  lk, held by the caller (0: none), is released once no wakeup can
 * be lost, and taken again before this returns; no other spinlock is held.  0:
 * woken, and the caller looks at its condition again; -EINTR: such a signal is
 * pending; -ETIMEDOUT. */
#define NEVER      INT64_MAX
#define SLEEP_INT  1
#define SLEEP_KILL 2
#define SLEEP_REAL 4 /* with one of these: the time is one of realns() */
int sleepuntil(struct waitq *q, struct spinlock *lk, int64_t deadline, int flags);

/* sleepuntil() without a deadline: sleep() goes on whatever signal comes,
 * sleepint() returns 0 or -EINTR.  xv6's sleep(), but for the queue in place of
 * a channel. */
void sleep(struct waitq *q, struct spinlock *lk);
int sleepint(struct waitq *q, struct spinlock *lk);

/* Make all threads that sleep on q ready; each looks at its condition again.
 * Any context. */
void wakeup(struct waitq *q);

/* Waiting on many queues at once (poll): register a waiter with each, check the
 * conditions, then pollsleep(); a wakeup since preparesleep() makes it return
 * at once.  Remove every waiter afterwards. */
struct waiter {
	struct list link;
	struct waitq *q;
	struct proc *p;             /* waiteradd: who made it */
	void (*fn)(struct waiter *); /* wakeup() calls it instead, with the
	                             * queue's lock held; 0: it makes p run */
};
void preparesleep(void);
void waiteradd(struct waitq *q, struct waiter *w);
void waiteraddfn(struct waitq *q, struct waiter *w, void (*fn)(struct waiter *));
void waiterdel(struct waiter *w);
int pollsleep(int64_t deadline); /* 0, -EINTR, -ETIMEDOUT */

/* For such a function: make the process that made w run after all. */
void waiterwake(struct waiter *w);

/* Wake p if it sleeps with SLEEP_INT or SLEEP_KILL (a signal came); if it runs
 * on another CPU, make that look at p->work.  Any context. */
void interrupt(struct proc *p);

#endif
