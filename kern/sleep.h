/* sleep.h - a thread waits until another one, or an interrupt, wakes it. */
#ifndef KERN_SLEEP_H
#define KERN_SLEEP_H

#include "kern/lock/lock.h"

struct proc;

/* Sleep until wakeup(q), a signal, or the time (ns of nowns(); NEVER).
 * Releases lk (when not 0) once nothing can be lost, takes it again before it
 * returns.  flags: 0, SLEEP_INT or SLEEP_KILL.
 * 0: woken (look again at the condition).  -EINTR: a signal is pending
 * (SLEEP_INT), SIGKILL is (SLEEP_KILL).  -ETIMEDOUT. */
#define NEVER      INT64_MAX
#define SLEEP_INT  1
#define SLEEP_KILL 2
#define SLEEP_REAL 4 /* with one of these: the time is one of realns() */
int sleepuntil(struct waitq *q, struct spinlock *lk, int64_t deadline, int flags);

/* The two usual forms. */
void sleep(struct waitq *q, struct spinlock *lk);
int sleepint(struct waitq *q, struct spinlock *lk);

/* Everybody who sleeps on q becomes runnable and looks again.  Any context. */
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
