/*
 * sleep.c - sleep and wakeup: a thread waits until what it needs may be there.
 *
 * xv6's sleep() and wakeup() meet at an address, the channel, and wakeup()
 * looks at every process; here they meet at a struct waitq, which lists its
 * sleepers.
 *
 * Why no wakeup is lost.  A sleeper clears its wakeflag, enters the wait
 * queue, and only then releases the lock that guards its condition.  Whoever
 * changes the condition takes that lock: before the sleeper, and it sees the
 * change; or after, and then the waiter is on the queue, wakeup() finds it and
 * sets its wakeflag.  The sleeper looks at its wakeflag and becomes SLEEPING
 * under the same run queue lock (S1): a wakeup before that is seen in the flag,
 * one after it finds SLEEPING.  Signals take the same way: sigsend() marks
 * the signal pending and then calls interrupt(), the sleeper looks for pending
 * signals after it has cleared its wakeflag.  For a condition that no lock
 * guards there is a fence in wakeup(), and must be one between waiteradd() and
 * the look at the condition (pollwait).
 */
#include "kern/sleep.h"
#include "arch/cpu.h"
#include "arch/lapic.h"
#include "arch/x86.h"
#include "kern/abi/errno.h"
#include "kern/runq.h"
#include "kern/sched.h"

enum { WAKE_UP = 1, WAKE_TIME = 2, WAKE_SIGNAL = 4 }; /* p->wakeflag */

static void wakeproc(struct proc *p, int flag);
static int dosleep(int64_t deadline, int flags);
static int signalled(struct proc *p, int flags);
static void timeout(void *arg);

void
initwaitq(struct waitq *q)
{
	initlock(&q->lock, RANK_WAITQ);
	listinit(&q->waiters);
}

int
sleepuntil(struct waitq *q, struct spinlock *lk, int64_t deadline, int flags)
{
	struct waiter w;
	int err;

	preparesleep();
	waiteraddfn(q, &w, 0);
	if (lk)
		release(lk);
	err = dosleep(deadline, flags);
	waiterdel(&w);
	if (lk)
		acquire(lk);
	return err;
}

void
sleep(struct waitq *q, struct spinlock *lk)
{
	sleepuntil(q, lk, NEVER, 0);
}

int
sleepint(struct waitq *q, struct spinlock *lk)
{
	return sleepuntil(q, lk, NEVER, SLEEP_INT);
}

void
preparesleep(void)
{
	/* No lock: what we could overwrite is the mark of a signal, and we look
	 * for signals after this.  An exchange, since a plain store may become
	 * visible after that look (SDM 3A 8.2.3.4). */
	xchg(&myproc()->wakeflag, 0);
}

void
waiteradd(struct waitq *q, struct waiter *w)
{
	waiteraddfn(q, w, 0);
}

void
waiteraddfn(struct waitq *q, struct waiter *w, void (*fn)(struct waiter *))
{
	w->q = q;
	w->p = myproc();
	w->fn = fn;
	acquire(&q->lock);
	listadd(&q->waiters, &w->link);
	release(&q->lock);
}

void
waiterdel(struct waiter *w)
{
	acquire(&w->q->lock);
	listdel(&w->link);
	release(&w->q->lock);
}

int
pollsleep(int64_t deadline)
{
	return dosleep(deadline, SLEEP_INT);
}

/* Sleep until the deadline, unless something has come since preparesleep().
 * flags as for sleepuntil(), and so what comes back: 0, -EINTR or
 * -ETIMEDOUT. */
static int
dosleep(int64_t deadline, int flags)
{
	struct proc *p = myproc();
	struct timer t;
	int came;

	lockassert(nospinlocks());
	if (flags && signalled(p, flags))
		return -EINTR;
	t.on = 0;
	t.real = (flags & SLEEP_REAL) != 0;
	if (deadline != NEVER)
		timerset(&t, deadline, timeout, p);
	lockrq(p);
	if ((p->wakeflag & (flags ? ~0 : ~WAKE_SIGNAL)) == 0) {
		p->sleepflags = flags;
		p->state = SLEEPING;
		p->nvcsw++;
		sched();
	}
	came = p->wakeflag;
	release(&rq[p->cpu].lock);
	if (deadline != NEVER)
		timerdel(&t);
	if (came & WAKE_UP)
		return 0;
	if (came & WAKE_TIME)
		return -ETIMEDOUT;
	return signalled(p, flags) ? -EINTR : 0;
}

/* Is a signal pending for p, which runs, that ends a sleep with these flags?  1
 * or 0. */
static int
signalled(struct proc *p, int flags)
{
	if (flags & SLEEP_INT)
		return sigpending();
	if (flags & SLEEP_KILL)
		return (p->sig.pend.set & 1 << (SIGKILL - 1)) != 0;
	return 0;
}

/* The timer of a sleep: the time of the thread arg is over.  Interrupt
 * context. */
static void
timeout(void *arg)
{
	wakeproc(arg, WAKE_TIME);
}

void
wakeup(struct waitq *q)
{
	struct waiter *w;

	/* No lock for this look: a waiter that comes later sees what the caller
	 * has changed, and does not sleep. */
	fence();
	if (listempty(&q->waiters))
		return;
	acquire(&q->lock);
	listeach (w, &q->waiters, link) {
		if (w->fn)
			w->fn(w);
		else
			wakeproc(w->p, WAKE_UP);
	}
	release(&q->lock);
}

void
waiterwake(struct waiter *w)
{
	wakeproc(w->p, WAKE_UP);
}

void
interrupt(struct proc *p)
{
	wakeproc(p, WAKE_SIGNAL);
}

/* Note in p->wakeflag why p is woken (one of WAKE_*), and make p run if it
 * sleeps and that cause ends its sleep. */
static void
wakeproc(struct proc *p, int flag)
{
	struct runqueue *q = lockrq(p);

	atomicor(&p->wakeflag, flag);
	if (p->state == SLEEPING && (flag != WAKE_SIGNAL || p->sleepflags))
		makeready(q, p);
	else if (p->state == RUNNING && flag == WAKE_SIGNAL && p != myproc())
		ipi(p->cpu, T_RESCHED); /* it looks at p->work on its way out */
	release(&q->lock);
}
