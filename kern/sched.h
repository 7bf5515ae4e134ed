/* sched.h - who runs, sleep and wakeup, timers. */
#ifndef KERN_SCHED_H
#define KERN_SCHED_H

#include "kern/lock/lock.h"
#include "arch/trap.h"

struct proc;

#define SLICE 4 /* ticks that two of equal niceness run in turn */

/* Make the run queues; before the first process. */
void schedinit(void);

/* The thread that a CPU came up with becomes its idle process here and runs
 * others for ever; halts the CPU when there is nothing to run.  Interrupts
 * off. */
void scheduler(void) __attribute__((noreturn));

/* Make p, new, asleep or stopped, run when its turn comes; nothing if it does
 * already.  Any context. */
void setrunnable(struct proc *p);

/* Give up the CPU, staying runnable; before the next one in line, unless
 * somebody wanted it (resched).  No spinlock held. */
void yield(void);

/* At the end of an interrupt of kernel mode that found interrupts on, with them
 * off: yield if somebody wants the CPU and no spinlock is held. */
void preempt(void);

/* p may run on the CPUs of the mask, some of which run: it has left the others
 * before it gets to user mode, or there again.  p does not go away. */
void setaffinity(struct proc *p, uint mask);

/* Give the running process this state (SLEEPING, STOPPED, ZOMBIE), release lk
 * (when not 0), and run others.  Returns after setrunnable(); a setrunnable()
 * by somebody who took lk after us is not lost.  A zombie does not return. */
void block(int state, struct spinlock *lk);

/* Is p stopped, and off its kernel stack?  p does not go away. */
int isstopped(struct proc *p);

/* Return when p, a zombie, is off its kernel stack.  proctree not needed. */
void schedgone(struct proc *p);

/* What every return to user mode does when there is work: deliver signals,
 * yield when the slice is over, stop.  Called by trapentry.asm with interrupts
 * off when userwork(p) is true; returns with them off. */
void userret(struct trapframe *);

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
 * conditions, then pollsleep(); a wakeup since preparesleep() makes it return at
 * once.  Remove every waiter afterwards. */
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

/* time.c */
void timeinit(void);        /* after pitinit: reads the RTC */
int64_t nowns(void);        /* monotonic ns since boot */
int64_t realns(void);       /* ns since 1970 */
void setreal(int64_t ns);   /* clock_settime */

/* Call fn(arg) in interrupt context at the first tick at or after deadline (ns;
 * of realns() if real is set).  A timer is embedded in its user's struct, zero
 * before its first use. */
struct timer {
	int real;            /* set by the user, before timerset() */
	int on;              /* in a heap, from here on [timer lock] */
	struct timer *child; /* the first one below it */
	struct timer *next;  /* beside it */
	struct timer **at;   /* what points to it */
	int64_t deadline;
	void (*fn)(void *);
	void *arg;
};
void timerset(struct timer *, int64_t deadline, void (*fn)(void *), void *arg);

/* When it returns, fn does not run and is not going to; so the caller holds no
 * lock that fn takes. */
void timerdel(struct timer *);

/* A new process's first context returns into it; then it returns to trapret. */
void forkret(void);

/* From tick(): the running process's turn may be over.  Interrupts off. */
void schedtick(void);

/* How many processes run or could run now, but for the idle ones. */
int nrunnable(void);

/* The timer interrupt: time accounting, timers, slices. */
void tick(struct trapframe *);

#endif
