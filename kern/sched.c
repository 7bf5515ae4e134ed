/*
 * sched.c - who runs: run queues, sleep and wakeup.
 *
 * Each CPU has a run queue; the switch goes from one process straight to the
 * next, with no scheduler thread in between.  The queue is ordered by virtual
 * time: each tick that a process runs adds to its own, the more the nicer it
 * is, and who has the least runs.  So each gets its share; one that has slept
 * begins a little before the others, so that it is served at the next tick, and
 * no more than a little, so that it cannot shut out the rest.
 *
 * A CPU with an empty queue takes from the others' (steal), or halts until
 * somebody who makes a process ready sends it an interrupt (kick).
 *
 * Invariants:
 *   S1  p->state, p->cpu and p->runlink change, and bits of p->wakeflag are
 *       set, only with the lock of p's run queue (rq[p->cpu]) held.  That may
 *       become another one until it is: lockrq().
 *   S2  A process is on its queue, or among the queue's strays if it may not
 *       run there (any more), exactly while RUNNABLE.
 *   S3  The run queue lock is held across swtch(): taken by the process that
 *       leaves, released by the one that arrives.  So nobody else sees a
 *       process asleep, runnable or dead before it is off its stack.
 *   S4  While a CPU halts, no process that may run on it waits in a queue.
 *       Who makes one ready looks at idlecpus after it has put it there; who
 *       is about to halt sets its bit there, and then looks at the queues; and
 *       there is a fence between the two on both sides.
 *   S5  The locks of two run queues: the second one by tryacquire() only.
 *
 * Why no wakeup is lost.  A sleeper clears its wakeflag, enters the wait
 * queue, and only then releases the lock that guards its condition.  Whoever
 * changes the condition takes that lock: before the sleeper, and it sees the
 * change; or after, and then the waiter is on the queue, wakeup() finds it and
 * sets its wakeflag.  The sleeper looks at its wakeflag and becomes SLEEPING
 * under the same run queue lock (S1): a wakeup before that is seen in the flag,
 * one after it finds SLEEPING.  Signals take the same way: sigsend() marks
 * the signal pending and then calls interrupt(), the sleeper looks for pending
 * signals after it has cleared its wakeflag.  For a condition that no lock guards
 * there is a fence in wakeup(), and must be one between waiteradd() and the look
 * at the condition (pollwait).
 */
#include "kern/sched.h"

#include "arch/cpu.h"
#include "arch/lapic.h"
#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/abi/sched.h"
#include "kern/exit.h"
#include "kern/freeze.h"
#include "kern/panic.h"
#include "kern/proc.h"
#include "kern/signal/ptrace.h"

enum { WAKE_UP = 1, WAKE_TIME = 2, WAKE_SIGNAL = 4 }; /* wakeflag */

/* Virtual time: 4096 a tick at nice 0.  It wraps: only differences count, which
 * are small (enqueue). */
#define VTICK  4096
#define AHEAD  (SLICE / 2)  /* ticks that one may be ahead of the next */
#define CREDIT (2 * VTICK)  /* what one that sleeps can save up */
#define MAXLAG (1u << 20)   /* more than one that runs can be ahead */

#define BALANCE 16 /* ticks between looks for a longer queue */

struct runqueue {
	struct spinlock lock; /* RANK_SCHED */
	struct list ready;    /* RUNNABLE, by vtime [lock] */
	volatile int n;       /* how many [lock] */
	uint vtime;           /* the least of those that run; only grows [lock] */
	int woken;            /* one woke since the last tick [lock] */
	int balance;          /* ticks until the next look [its CPU] */
	struct list strays;   /* RUNNABLE, but not here [lock] */
} __attribute__((aligned(64)));

static struct runqueue rq[NCPU];
static struct proc idleproc[NCPU];
static volatile uint idlecpus; /* bit per CPU that halts or is about to (S4) */

/* What a tick adds to the virtual time, by nice + 20: VTICK * 1024 / weight,
 * the weights being Linux's: a factor of 1.25 from one to the next. */
static const uint charge[40] = {
	47, 58, 74, 91, 116, 144, 180, 224, 281, 352, 439, 550, 688, 855, 1074,
	1344, 1677, 2107, 2653, 3287, 4096, 5115, 6404, 7974, 9915, 12520, 15420,
	19508, 24385, 30615, 38130, 48210, 59919, 74898, 93207, 116508, 144631,
	182361, 233017, 279620,
};

static int maytake(struct runqueue *q, int id);
static int sendaway(struct runqueue *q);
static int steal(struct runqueue *q, int id, int atleast);
static void move(struct runqueue *to, struct runqueue *from, struct proc *p);
static struct runqueue *relockrq(struct runqueue *q, struct proc *p)
	__attribute__((noinline));
static struct proc *picknext(struct runqueue *q, struct cpu *c);
static void switchto(struct cpu *c, struct proc *p, struct proc *next);
static void enqueue(struct runqueue *q, struct proc *p);
static void makeready(struct runqueue *q, struct proc *p);
static void offer(struct runqueue *q, struct proc *p);
static void kick(struct runqueue *q, struct proc *p);
static int unfair(struct runqueue *q, struct proc *p);
static uint cost(struct proc *p);
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
		listinit(&rq[i].strays);
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
		cli(); /* from the look to hlt: a kick must end the halt */
		atomicset(&idlecpus, c->id);
		if (!maytake(q, c->id))
			stihlt();
		atomicclear(&idlecpus, c->id);
		acquire(&q->lock);
		if (q->n > 0)
			sched();
		release(&q->lock);
		sti();
		pause(); /* interrupts come in here */
	}
}

/* Nothing runs on this CPU: see to it that its queue has something.  0 if there
 * is nothing that it may take; else look again.  Interrupts off. */
static int
maytake(struct runqueue *q, int id)
{
	int found;

	acquire(&q->lock);
	found = q->n > 0 || sendaway(q) || steal(q, id, 1);
	release(&q->lock);
	return found;
}

/* Let the strays go to CPUs where they may run; 1 if not all of them could be
 * sent.  q->lock held, by its CPU; all of them are off their stacks. */
static int
sendaway(struct runqueue *q)
{
	struct runqueue *to;
	struct proc *p;

	listeach (p, &q->strays, runlink) {
		to = &rq[__builtin_ctz(p->affinity)];
		if (!tryacquire(&to->lock))
			return 1;
		listdel(&p->runlink);
		move(to, q, p);
		release(&to->lock);
	}
	return 0;
}

/* Take a process that may run here from a queue with atleast that many.  0: there
 * is none; else there is one now, or a queue could not be locked.  q->lock held,
 * of this CPU. */
static int
steal(struct runqueue *q, int id, int atleast)
{
	struct runqueue *from;
	struct proc *p;
	int busy = 0;

	for (from = rq; from < &rq[ncpu]; from++) {
		if (from == q || from->n < atleast)
			continue;
		if (!tryacquire(&from->lock)) {
			busy = 1;
			continue;
		}
		listeach (p, &from->ready, runlink) {
			if (!(p->affinity & 1u << id))
				continue;
			listdel(&p->runlink);
			from->n--;
			move(q, from, p);
			release(&from->lock);
			return 1;
		}
		release(&from->lock);
	}
	return busy;
}

/* p is RUNNABLE, on no queue, and off its stack: from now on it is to's.  Both
 * locks held. */
static void
move(struct runqueue *to, struct runqueue *from, struct proc *p)
{
	p->cpu = to - rq;
	p->vtime += to->vtime - from->vtime;
	makeready(to, p);
}

/* Take the lock of p's run queue.  p may be taken to another CPU meanwhile. */
static inline struct runqueue *
lockrq(struct proc *p)
{
	struct runqueue *q = &rq[p->cpu];

	acquire(&q->lock);
	while (q != &rq[p->cpu])
		q = relockrq(q, p);
	return q;
}

/* It was not q: try where p is now. */
static struct runqueue *
relockrq(struct runqueue *q, struct proc *p)
{
	release(&q->lock);
	q = &rq[p->cpu];
	acquire(&q->lock);
	return q;
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
	struct runqueue *q = lockrq(p);

	if (p->state != RUNNABLE && p->state != RUNNING && p->state != ZOMBIE)
		makeready(q, p);
	release(&q->lock);
}

void
yield(void)
{
	struct proc *p = myproc(), *first;
	struct runqueue *q = lockrq(p);

	if (mycpu()->resched) {
		p->nivcsw++;
	} else {
		p->nvcsw++;
		first = listitem(q->ready.next, struct proc, runlink);
		if (q->n > 0 && (int)(first->vtime - p->vtime) > 0)
			p->vtime = first->vtime; /* so that it runs before us */
	}
	p->state = RUNNABLE;
	enqueue(q, p);
	if (q->n > 1)
		offer(q, p);
	sched();
	release(&rq[p->cpu].lock);
}

/* At the end of an interrupt of kernel mode, with interrupts off: yield if it
 * is time to, and the interrupted code does not mind. */
void
preempt(void)
{
	struct cpu *c = mycpu();

	if (c->resched && c->ncli == 0 && c->proc != c->idle)
		yield();
}

void
setaffinity(struct proc *p, uint mask)
{
	struct runqueue *q = lockrq(p);
	int id = q - rq, stray = !(p->affinity & 1u << id);

	p->affinity = mask;
	if (p->state == RUNNABLE) {
		listdel(&p->runlink);
		if (!stray)
			q->n--;
		enqueue(q, p);
		offer(q, p);
	} else if (p->state == RUNNING && !(mask & 1u << id)) {
		cpus[id].resched = 1;
		if (p != myproc())
			ipi(id, T_RESCHED);
	}
	release(&q->lock);
}

void
block(int state, struct spinlock *lk)
{
	struct proc *p = myproc();

	lockrq(p);
	p->state = state;
	if (lk)
		release(lk);
	p->nvcsw++;
	sched();
	release(&rq[p->cpu].lock);
}

int
isstopped(struct proc *p)
{
	struct runqueue *q = lockrq(p);
	int r = p->state == STOPPED;

	release(&q->lock);
	return r;
}

void
schedgone(struct proc *p)
{
	struct runqueue *q = lockrq(p); /* S3: it had it until it was gone */

	assert(p->state == ZOMBIE);
	release(&q->lock);
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
	if (c->ncli != 1)
		panic("sched: sleeps with a spinlock held");
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
	if ((int)(p->vtime - q->vtime) > 0)
		q->vtime = p->vtime;
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
	c->nswitch++;
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

/* p, whose virtual time may be from long ago, becomes RUNNABLE, and an idle CPU
 * hears of it.  q->lock held; p is q's. */
static void
makeready(struct runqueue *q, struct proc *p)
{
	if (p->vtime - q->vtime + CREDIT > CREDIT + MAXLAG)
		p->vtime = q->vtime - CREDIT;
	p->state = RUNNABLE;
	enqueue(q, p);
	offer(q, p);
}

/* Put p in its place on the queue, behind its equals, or among the strays.
 * q->lock held. */
static void
enqueue(struct runqueue *q, struct proc *p)
{
	struct list *at = q->ready.prev;

	if (!(p->affinity & 1u << (q - rq))) {
		listadd(&q->strays, &p->runlink);
		return;
	}
	while (at != &q->ready &&
		(int)(listitem(at, struct proc, runlink)->vtime - p->vtime) > 0)
		at = at->prev;
	listpush(at, &p->runlink);
	q->n++;
	q->woken = 1;
}

/* p is on the queue: let an idle CPU know.  q->lock held. */
static inline void
offer(struct runqueue *q, struct proc *p)
{
	fence(); /* S4 */
	if (idlecpus)
		kick(q, p);
}

/* p is ready: wake a halted CPU that may take it; q's own if that halts.  No
 * need to if q's own is looking at the queue anyway.  q->lock held. */
static void
kick(struct runqueue *q, struct proc *p)
{
	int own = q - rq, id;
	uint mask = p->affinity;

	if (cpus[own].proc == cpus[own].idle && q->n <= 1)
		mask = 1u << own;
	while ((mask &= idlecpus) != 0) {
		id = __builtin_ctz(mask);
		if (testandclear(&idlecpus, id)) {
			if (id != mycpu()->id)
				ipi(id, T_RESCHED);
			return;
		}
	}
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
	p->vtime += cost(p);
	if (unfair(q, p))
		c->resched = 1;
	q->woken = 0;
	sendaway(q);
	if (--q->balance <= 0) {
		q->balance = BALANCE + c->id; /* not all of them at once */
		steal(q, c->id, q->n + 1);
	}
	release(&q->lock);
}

/* Is the first of the queue so far behind the running p that it should run?
 * q->lock held. */
static int
unfair(struct runqueue *q, struct proc *p)
{
	struct proc *first = listitem(q->ready.next, struct proc, runlink);
	uint low = p->vtime;
	int lead = 0;

	if (q->n > 0) {
		lead = p->vtime - first->vtime;
		if (lead > 0)
			low = first->vtime;
	}
	if ((int)(low - q->vtime) > 0)
		q->vtime = low;
	if (lead <= 0 || q->woken)
		return lead > 0;
	return (uint)lead >=
		AHEAD * MIN(cost(p), cost(first));
}

/* What a tick adds to p's virtual time. */
static uint
cost(struct proc *p)
{
	if ((p->policy & ~SCHED_RESET_ON_FORK) == SCHED_IDLE)
		return charge[39];
	return charge[p->nice + 20];
}

int
nrunnable(void)
{
	struct proc *p;
	int i, n = 0;

	for (i = 0; i < ncpu; i++) {
		acquire(&rq[i].lock);
		n += rq[i].n + (cpus[i].proc != cpus[i].idle);
		listeach (p, &rq[i].strays, runlink)
			n++;
		release(&rq[i].lock);
	}
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
			if (freezing)
				freezehere();
		} else if (mycpu()->resched) {
			yield();
		} else {
			if (p->trace)
				traceload(p);
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

/* Note the cause, and make p run if it sleeps and the cause counts for it. */
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

/* Sleep unless something has come since preparesleep(). */
static int
dosleep(int64_t deadline, int flags)
{
	struct proc *p = myproc();
	struct timer t;
	int came;

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

/* Is a signal pending that ends such a sleep? */
static int
signalled(struct proc *p, int flags)
{
	if (flags & SLEEP_INT)
		return sigpending();
	if (flags & SLEEP_KILL)
		return (p->sig.pend.set & 1 << (SIGKILL - 1)) != 0;
	return 0;
}

/* A sleep's time is over. */
static void
timeout(void *arg)
{
	wakeproc(arg, WAKE_TIME);
}
