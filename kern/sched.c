/*
 * sched.c - who runs: run queues, sleep and wakeup.
 *
 * Each CPU has a run queue and takes turns through it; the switch goes from
 * one process straight to the next, with no scheduler thread in between.  A
 * process that wakes with slice left goes to the front, so that one that waits
 * a lot is served at once; its slice is not renewed before it is used up, so
 * that two which keep waking each other cannot shut out the rest.
 *
 * Invariants:
 *   S1  p->state, p->wakeflag and p->runlink change only with the lock of
 *       p's run queue (rq[p->cpu]) held; but p clears its own wakeflag
 *       without (preparesleep).
 *   S2  A process is on the queue exactly while RUNNABLE.
 *   S3  The run queue lock is held across swtch(): taken by the process that
 *       leaves, released by the one that arrives.  So nobody else sees a
 *       process asleep, runnable or dead before it is off its stack.
 *
 * Why no wakeup is lost.  A sleeper clears its wakeflag, enters the wait
 * queue, and only then releases the lock that guards its condition.  Whoever
 * changes the condition takes that lock: before the sleeper, and it sees the
 * change; or after, and then the waiter is on the queue, wakeup() finds it and
 * sets its wakeflag.  The sleeper looks at its wakeflag and becomes SLEEPING
 * under the same run queue lock (S1): a wakeup before that is seen in the flag,
 * one after it finds SLEEPING.  Signals take the same way: sigsend() marks
 * the signal pending and then calls interrupt(), the sleeper looks for pending
 * signals after it has cleared its wakeflag.
 */
#include "kern/sched.h"

#include "arch/cpu.h"
#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/panic.h"
#include "kern/proc.h"

enum { WAKE_UP = 1, WAKE_TIME = 2, WAKE_SIGNAL = 4 }; /* wakeflag */

#define SLICE 5 /* ticks: 20 ms */

struct runqueue {
	struct spinlock lock; /* RANK_SCHED */
	struct list ready;    /* RUNNABLE processes [lock] */
	int n;                /* how many [lock] */
	int woken;            /* one woke since the last tick [lock] */
};

static struct runqueue rq[NCPU];
static struct proc idleproc[NCPU];

static struct proc *picknext(struct runqueue *q, struct cpu *c);
static void switchto(struct cpu *c, struct proc *p, struct proc *next);
static void makeready(struct runqueue *q, struct proc *p);
static void wakeproc(struct proc *p, int flag);
static int dosleep(int64_t deadline, int flags);
static int signalled(struct proc *p, int flags);
static void timeout(void *arg);
static void sched(void);

/* Make the run queues.  Before the first process is made. */
void
schedinit(void)
{
	int i;

	for (i = 0; i < NCPU; i++) {
		initlock(&rq[i].lock, RANK_SCHED);
		listinit(&rq[i].ready);
	}
}

void
scheduler(void)
{
	struct cpu *c = mycpu();
	struct runqueue *q = &rq[c->id];
	struct proc *p = &idleproc[c->id];

	listinit(&p->runlink);
	p->cpu = c->id;
	p->state = RUNNING;
	c->idle = p;
	c->proc = p;
	for (;;) {
		cli(); /* from the test to hlt: a wakeup must end the halt */
		if (listempty(&q->ready)) {
			stihlt();
			continue;
		}
		acquire(&q->lock);
		sched();
		release(&q->lock);
	}
}

/* Where a new process begins, with the run queue lock that the one before it
 * took.  Returns to trapret. */
void
forkret(void)
{
	struct proc *p = myproc();

	mycpu()->intena = 1;
	release(&rq[p->cpu].lock);
	if (p->kfn) {
		p->kfn(p->karg);
		if (p->uvm == 0) /* else it has become a program */
			doexit(0);
		return;
	}
	if (p->settid)
		copyout(p->settid, &p->pid, sizeof(p->pid));
}

void
setrunnable(struct proc *p)
{
	struct runqueue *q = &rq[p->cpu];

	acquire(&q->lock);
	if (p->state != RUNNABLE && p->state != RUNNING && p->state != ZOMBIE)
		makeready(q, p);
	release(&q->lock);
}

void
yield(void)
{
	struct proc *p = myproc();
	struct runqueue *q = &rq[p->cpu];

	acquire(&q->lock);
	if (mycpu()->resched)
		p->nivcsw++;
	else
		p->nvcsw++;
	if (p->slice <= 0)
		p->slice = slicelen(p->nice);
	p->state = RUNNABLE;
	listadd(&q->ready, &p->runlink);
	q->n++;
	sched();
	release(&q->lock);
}

void
block(int state, struct spinlock *lk)
{
	struct proc *p = myproc();
	struct runqueue *q = &rq[p->cpu];

	acquire(&q->lock);
	p->state = state;
	if (lk)
		release(lk);
	p->nvcsw++;
	sched();
	release(&q->lock);
}

void
schedgone(struct proc *p)
{
	struct runqueue *q = &rq[p->cpu];

	acquire(&q->lock); /* S3: it had the lock until it was gone */
	assert(p->state == ZOMBIE);
	release(&q->lock);
}

int
slicelen(int nice)
{
	return MAX(1, (20 - nice) * SLICE / 20);
}

/* Let the next process run; the running one's state says why it leaves.  Run
 * queue lock held, and no other spinlock. */
static void
sched(void)
{
	struct cpu *c = mycpu();
	struct runqueue *q = &rq[c->id];
	struct proc *p = c->proc, *next;

#ifdef QUIRE_DEBUG
	assert(holding(&q->lock));
#endif
	assert(c->ncli == 1); /* no other spinlock */
	next = picknext(q, c);
	c->resched = 0;
	if (next != p)
		switchto(c, p, next);
	else
		p->state = RUNNING;
}

/* Take the next process off the queue; the idle one if there is none. */
static struct proc *
picknext(struct runqueue *q, struct cpu *c)
{
	struct proc *p;

	if (listempty(&q->ready))
		return c->idle;
	p = listitem(q->ready.next, struct proc, runlink);
	listdel(&p->runlink);
	q->n--;
	return p;
}

/* Change from p to next.  %gs is in the trap frames: the way out to user mode
 * loads it, after the descriptors here.  A kernel thread runs in whatever
 * address space is loaded. */
static void
switchto(struct cpu *c, struct proc *p, struct proc *next)
{
	int intena = c->intena;

	if (p->fpuloaded)
		fpusave(p->fpu);
	c->proc = next;
	next->state = RUNNING;
	if (next->uvm) {
		tssload((uint)next->kstack + KSTACKPAGES * PGSIZE);
		if (next->uvm != c->uvm)
			switchuvm(next->uvm);
		tlsload(next->tls);
	}
	swtch(&p->context, next->context);
	mycpu()->intena = intena;
}

/* Put p on the queue.  q->lock held. */
static void
makeready(struct runqueue *q, struct proc *p)
{
	p->state = RUNNABLE;
	if (p->slice > 0) {
		listpush(&q->ready, &p->runlink);
	} else {
		p->slice = slicelen(p->nice);
		listadd(&q->ready, &p->runlink);
	}
	q->n++;
	q->woken = 1;
}

/* A tick of the running process: is its turn over?  From tick(). */
void
schedtick(void)
{
	struct cpu *c = mycpu();
	struct runqueue *q = &rq[c->id];
	struct proc *p = c->proc;

	if (p == 0 || p == c->idle)
		return;
	acquire(&q->lock);
	p->slice--;
	if (q->n > 0 && (p->slice <= 0 || q->woken))
		c->resched = 1;
	if (q->n == 0 && p->slice <= 0)
		p->slice = slicelen(p->nice);
	q->woken = 0;
	release(&q->lock);
}

int
nrunnable(void)
{
	int i, n = 0;

	for (i = 0; i < ncpu; i++)
		n += rq[i].n + (cpus[i].proc != cpus[i].idle);
	return n;
}

void
userret(struct trapframe *tf)
{
	struct proc *p = myproc();

	for (;;) {
		if (p->work) {
			p->work = 0; /* what comes from here on sets it again */
			sti();
			sigdeliver(tf);
		} else if (mycpu()->resched) {
			yield();
		} else {
			return;
		}
		cli(); /* what comes from here on interrupts user mode */
	}
}

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
	waiteradd(q, &w);
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

void
wakeup(struct waitq *q)
{
	struct waiter *w;

	/* No lock for this look: a waiter that must not be missed entered the
	 * queue before it released the lock that the caller has had since. */
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

/* Note the cause, and make p run if it sleeps and the cause counts for it. */
static void
wakeproc(struct proc *p, int flag)
{
	struct runqueue *q = &rq[p->cpu];

	acquire(&q->lock);
	p->wakeflag |= flag;
	if (p->state == SLEEPING && (flag != WAKE_SIGNAL || p->sleepflags))
		makeready(q, p);
	release(&q->lock);
}

/* Sleep unless something has come since preparesleep(). */
static int
dosleep(int64_t deadline, int flags)
{
	struct proc *p = myproc();
	struct runqueue *q = &rq[p->cpu];
	struct timer t;
	int came;

	if (flags && signalled(p, flags))
		return -EINTR;
	t.on = 0;
	if (deadline != NEVER)
		timerset(&t, deadline, timeout, p);
	acquire(&q->lock);
	if ((p->wakeflag & (flags ? ~0 : ~WAKE_SIGNAL)) == 0) {
		p->sleepflags = flags;
		p->state = SLEEPING;
		p->nvcsw++;
		sched();
	}
	came = p->wakeflag;
	release(&q->lock);
	if (deadline != NEVER)
		timerdel(&t);
	if (came & WAKE_UP)
		return 0;
	if (came & WAKE_TIME)
		return -ETIMEDOUT;
	return signalled(p, flags) ? -EINTR : 0;
}

/* Is a signal pending that ends such a sleep? */
static int
signalled(struct proc *p, int flags)
{
	if (flags & SLEEP_INT)
		return sigpending();
	if (flags & SLEEP_KILL)
		return (p->sig.pending & 1 << (SIGKILL - 1)) != 0;
	return 0;
}

/* A sleep's time is over. */
static void
timeout(void *arg)
{
	wakeproc(arg, WAKE_TIME);
}
