/*
 * time.c - what time it is, and what happens when it has passed.
 *
 * Monotonic time is the time-stamp counter times a factor, fixed at boot so
 * that reading it takes two multiplications; real time is that plus an offset.
 *
 * Timers wait in two heaps, one for each of these clocks; so a timer of real
 * time comes early or late, as it should, when the clock is set.  They are
 * pairing heaps: trees in which no timer is due before the one above it, with
 * the next one at the root.  To set a timer is to compare two; to take one out
 * is to meld those below it, in pairs and then all, which costs O(log n) on
 * average over any sequence of these (Fredman et al., Algorithmica 1, 1986).
 *
 * CPU 0 alone runs timers, at its ticks, and keeps the load averages.  At one
 * tick it runs MAXRUN of each heap at most, the rest at the next: interrupts
 * are off meanwhile, and programs can have many timers that are always due.
 *
 * A timer's function runs without the timer lock, so that it may send signals
 * and set timers; `running` names it meanwhile, and timerdel() waits for it.
 */
#include "kern/time.h"
#include "arch/cpu.h"
#include "arch/lapic.h"
#include "arch/rtc.h"
#include "arch/trap.h"
#include "arch/x86.h"
#include "arch/xcall.h"
#include "kern/cputime.h"
#include "kern/panic.h"
#include "kern/proc.h"
#include "kern/sched.h"

#define SECOND    1000000000ll
#define TSCSHIFT  24 /* ns = ticks * tscmult >> TSCSHIFT */
#define LOADTICKS (5 * HZ)
#define LOADSHIFT 11 /* loadavg is scaled by 2^11 */
#define MAXRUN    500

static uint tscmult;
static uint64_t tscstart;

static struct spinlock reallock; /* RANK_LEAF */
static int64_t realbase;         /* real minus monotonic [reallock] */

static struct spinlock timerlock;          /* RANK_TIMER */
static struct timer *heaps[2];             /* monotonic, real [timerlock] */
static struct timer *running;              /* its fn runs now [timerlock] */

static uint load[3]; /* averages over 1, 5, 15 minutes */
static int loadleft = LOADTICKS;

static uint64_t bootcputsc(void);
static void account(struct proc *p, int user);
static struct timer *meld(struct timer *a, struct timer *b);
static struct timer *meldall(struct timer *first);
static void takeout(struct timer *t);
static void runtimers(struct timer **heap, int64_t now);
static void loadtick(void);

void
timeinit(void)
{
	initlock(&reallock, RANK_LEAF);
	initlock(&timerlock, RANK_TIMER);
	if (tsckhz) {
		tscmult = (1000000ull << TSCSHIFT) / tsckhz;
		tscstart = rdtsc();
	}
	realbase = rtcread() * SECOND - nowns();
	if (!apicused())
		irqset(0, "timer", tick);
}

int64_t
nowns(void)
{
	uint64_t t;

	if (tscmult == 0)
		return pitns();
	t = (tscskewed ? bootcputsc() : rdtsc()) - tscstart;
	return ((uint64_t)(uint)(t >> 32) * tscmult << (32 - TSCSHIFT)) +
		((uint64_t)(uint)t * tscmult >> TSCSHIFT);
}

/* The boot CPU's TSC, read on any. */
static uint64_t
bootcputsc(void)
{
	uint64_t t = (uint64_t)pushcli()->tscoff;

	t += rdtsc();
	popcli();
	return t;
}

int64_t
realns(void)
{
	int64_t base;

	acquire(&reallock);
	base = realbase;
	release(&reallock);
	return base + nowns();
}

void
setreal(int64_t ns)
{
	int64_t base = ns - nowns();

	acquire(&reallock);
	realbase = base;
	release(&reallock);
}

void
timerset(struct timer *t, int64_t deadline, void (*fn)(void *), void *arg)
{
	struct timer **heap = &heaps[t->real];

	acquire(&timerlock);
	if (t->on)
		takeout(t);
	t->deadline = deadline;
	t->fn = fn;
	t->arg = arg;
	t->on = 1;
	t->child = t->next = 0;
	*heap = *heap ? meld(*heap, t) : t;
	(*heap)->at = heap;
	release(&timerlock);
}

/* Make the one of two roots that is due later the first child of the other,
 * which keeps its place. */
static struct timer *
meld(struct timer *a, struct timer *b)
{
	struct timer *t = a;

	if (b->deadline < a->deadline) {
		a = b;
		b = t;
	}
	b->next = a->child;
	if (b->next)
		b->next->at = &b->next;
	b->at = &a->child;
	a->child = b;
	return a;
}

/* One root of several in a row, or 0 of none.  Its place is up to the
 * caller. */
static struct timer *
meldall(struct timer *first)
{
	struct timer *a, *b, *pairs = 0;

	while ((a = first) != 0) {
		b = a->next;
		first = b ? b->next : 0;
		if (b)
			a = meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	while ((a = pairs) != 0 && (b = a->next) != 0) {
		first = b->next;
		pairs = meld(a, b);
		pairs->next = first;
	}
	return pairs;
}

/* Those below t take its place.  timerlock held. */
static void
takeout(struct timer *t)
{
	struct timer *sub = meldall(t->child), *next = t->next;

	if (sub) {
		sub->next = next;
		if (next)
			next->at = &sub->next;
		next = sub;
	}
	if (next)
		next->at = t->at;
	*t->at = next;
	t->on = 0;
}

void
timerdel(struct timer *t)
{
	acquire(&timerlock);
	while (running == t && mycpu()->id != 0) { /* CPU 0: from its fn */
		release(&timerlock);
		cpurelax();
		acquire(&timerlock);
	}
	if (t->on)
		takeout(t);
	release(&timerlock);
}

/* This CPU's timer, HZ times a second, with interrupts off. */
void
tick(struct trapframe *tf)
{
	struct cpu *c = mycpu();

	if (c->proc && c->proc != c->idle)
		account(c->proc, usermode(tf));
	else
		c->ticks[TICK_IDLE]++;
	if (c->id == 0) {
		pittick();
		if (heaps[0])
			runtimers(&heaps[0], nowns());
		if (heaps[1])
			runtimers(&heaps[1], realns());
		if (--loadleft == 0)
			loadtick();
	}
	schedtick();
}

/* Charge one tick to p. */
static void
account(struct proc *p, int user)
{
	struct cpu *c = mycpu();

	if (user) {
		p->utime++;
		c->ticks[p->nice > 0 ? TICK_NICE : TICK_USER]++;
	} else {
		p->stime++;
		c->ticks[TICK_SYSTEM]++;
	}
	if (p->tg->itimer[0] | p->tg->itimer[1] | p->tg->cpuleft)
		itimertick(p->tg, user);
}

/* Call the functions of timers whose time has come. */
static void
runtimers(struct timer **heap, int64_t now)
{
	struct timer *t;
	void (*fn)(void *);
	void *arg;
	int n = MAXRUN;

	acquire(&timerlock);
	while ((t = *heap) != 0 && t->deadline <= now && n-- > 0) {
		takeout(t);
		fn = t->fn;
		arg = t->arg;
		running = t;
		release(&timerlock);
		fn(arg); /* may set t again; t may not be there any more */
		acquire(&timerlock);
		running = 0;
	}
	release(&timerlock);
}

/* Every 5 s: the load averages move towards the number of runnable processes
 * by 1 - exp(-5/60), 1 - exp(-5/300), 1 - exp(-5/900). */
static void
loadtick(void)
{
	static const uint keep[3] = {1884, 2014, 2037}; /* of 2048 */
	uint n = (uint)nrunnable() << LOADSHIFT;
	int i;

	loadleft = LOADTICKS;
	for (i = 0; i < 3; i++)
		load[i] = (load[i] * keep[i] + n * (2048 - keep[i])) >> 11;
}

void
loadavg(uint avg[3])
{
	int i;

	for (i = 0; i < 3; i++)
		avg[i] = load[i];
}
