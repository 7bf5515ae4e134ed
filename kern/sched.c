/*
 * sched.c - which thread runs, and where: the run queues of the CPUs.
 *
 * Each CPU has a run queue.  A switch goes from one thread straight to the
 * next:  xv6's scheduler(), a loop on a stack of its own between any two
 * threads, has become the idle thread of a CPU.  The queue is ordered by
 * virtual time.  Each tick that a thread runs adds to its virtual time, the
 * more the nicer it is, and the thread with the least runs next.  So each gets
 * its share.  A thread that has slept begins a little before the others, so
 * that it is served at the next tick, and no more than a little, so that it
 * cannot shut out the rest.
 *
 * A CPU with an empty queue takes a thread from another queue (steal), or halts
 * until the CPU that makes a thread ready sends it an interrupt (kick).
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
 *       A CPU that makes one ready first puts it in a queue and then looks at
 *       idlecpus; a CPU that is about to halt first sets its bit in idlecpus
 *       and then looks at the queues; both have a fence between the two steps.
 *   S5  A CPU that holds the lock of one run queue takes that of a second one
 *       by tryacquire() only.
 */
#include "kern/sched.h"
#include "arch/cpu.h"
#include "arch/lapic.h"
#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/abi/sched.h"
#include "kern/panic.h"
#include "kern/runq.h"

#define AHEAD   (SLICE / 2) /* ticks that one may be ahead of the next */
#define BALANCE 16          /* ticks between looks for a longer queue */

struct runqueue rq[NCPU];
static struct proc idleproc[NCPU];
volatile uint idlecpus;

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
static struct proc *picknext(struct runqueue *q, struct cpu *c);
static void switchto(struct cpu *c, struct proc *p, struct proc *next);
static int unfair(struct runqueue *q, struct proc *p);
static uint cost(struct proc *p);

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

/* CPU id, whose queue is q, has nothing to run: fill the queue.  0 if there is
 * nothing that this CPU may take; else the caller looks again.  Called with
 * interrupts off, on that CPU. */
static int
maytake(struct runqueue *q, int id)
{
	int found;

	acquire(&q->lock);
	found = q->n > 0 || sendaway(q) || steal(q, id, 1);
	release(&q->lock);
	return found;
}

/* Send the strays of q to CPUs on which they may run: 1 if the lock of one of
 * these could not be had, else 0.  q->lock held, by the CPU of q; so all strays
 * are off their stacks. */
static int
sendaway(struct runqueue *q)
{
	struct runqueue *to;
	struct proc *p;

	lockassert(holding(&q->lock));
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

/* Take a process that may run here from a queue with atleast that many.  0:
 * there is none; else there is one now, or a queue could not be locked.
 * q->lock held, of this CPU. */
static int
steal(struct runqueue *q, int id, int atleast)
{
	struct runqueue *from;
	struct proc *p;
	int busy = 0;

	lockassert(holding(&q->lock));
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

/* Give p, which is RUNNABLE, on no queue and off its stack, from the run queue
 * `from` to the run queue `to`.  The locks of both are held. */
static void
move(struct runqueue *to, struct runqueue *from, struct proc *p)
{
	lockassert(holding(&to->lock) && holding(&from->lock));
	p->cpu = to - rq;
	p->vtime += to->vtime - from->vtime;
	makeready(to, p);
}

struct runqueue *
relockrq(struct runqueue *q, struct proc *p)
{
	release(&q->lock);
	q = &rq[p->cpu];
	acquire(&q->lock);
	return q;
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

void
sched(void)
{
	struct cpu *c = mycpu();
	struct runqueue *q = &rq[c->id];
	struct proc *p = c->proc, *next;

	lockassert(holding(&q->lock));
	if (c->ncli != 1)
		panic("sched: sleeps with a spinlock held");
	next = picknext(q, c);
	c->resched = 0;
	if (next != p)
		switchto(c, p, next);
	else
		p->state = RUNNING;
}

/* Take the next thread off q, the queue of c: that thread, or the idle one of c
 * if the queue is empty.  q->lock held. */
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

/* Switch this CPU, c, from the thread p to the thread next; returns when p runs
 * again.  %gs is in the trap frames: the way to user mode loads it, after the
 * descriptors here.  A kernel thread runs in whatever address space is loaded.
 * The lock of c's run queue is held. */
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

void
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

void
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

/* Is the first thread of q so far behind p, which runs, that it should run
 * instead?  1 or 0.  q->lock held. */
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

/* What a tick adds to the virtual time of p. */
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

