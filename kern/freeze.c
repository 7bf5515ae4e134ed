/*
 * freeze.c - hold everybody still, for a look at all of memory.
 *
 * vmcheck() can recount references only while nobody is between taking one and
 * storing it.  Threads get to such places from user mode, and leave them before
 * they return there or wait for something outside.  So all of them are told to
 * stop on their way to user mode (p->work), and the rest must be found asleep in
 * a sleep that a signal can end: those hold no reference to a page that is not
 * in a slot, a cache or a list.  Then the other CPUs are parked in an interrupt,
 * and if all are quiet still, the world is frozen.
 *
 * Invariant: uninterruptible sleeps (locks, disks) may hold anything; they end.
 */
#include "kern/freeze.h"

#include "arch/lapic.h"
#include "arch/xcall.h"
#include "mm/mm.h"
#include "kern/proc.h"
#include "kern/sched.h"

volatile int freezing;

static struct spinlock lock = {.rank = RANK_SLEEPQ};
static struct proc *freezer;  /* whose freeze it is, or 0 [lock] */
static struct waitq turn;     /* others who want one */
static struct waitq progress; /* the freezer waits */
static struct waitq frozen;   /* threads in freezehere() */

static struct xcall stopped; /* the other CPUs, in park() */
static volatile int nparked;
static volatile int parking, unfit;

static int begin(void);
static void end(void);
static void tellall(void);
static int quiet(void);
static int still(struct proc *);
static int stopcpus(void);
static void startcpus(void);
static void park(void *);

int
freeze(void)
{
	int64_t tick = 1000000000 / HZ;
	int err = begin();

	while (err == 0) {
		tellall();
		if (quiet() && stopcpus())
			return 0;
		acquire(&lock);
		err = sleepuntil(&progress, &lock, nowns() + tick, SLEEP_INT);
		release(&lock);
		if (err == -ETIMEDOUT)
			err = 0;
		if (err < 0)
			end();
	}
	return -ERESTARTSYS;
}

void
thaw(void)
{
	startcpus();
	end();
}

/* Wait for our turn. */
static int
begin(void)
{
	static int ready;
	int err = 0;

	acquire(&lock);
	if (!ready) {
		initwaitq(&turn);
		initwaitq(&progress);
		initwaitq(&frozen);
		ready = 1;
	}
	while (freezer && err == 0)
		err = sleepint(&turn, &lock);
	if (err == 0) {
		freezer = myproc();
		freezing = 1;
	}
	release(&lock);
	return err;
}

static void
end(void)
{
	acquire(&lock);
	freezing = 0;
	freezer = 0;
	wakeup(&frozen);
	wakeup(&turn);
	release(&lock);
}

/* From userret(). */
void
freezehere(void)
{
	struct proc *p = myproc();

	acquire(&lock);
	p->frozen = 1;
	while (freezer && freezer != p) {
		wakeup(&progress);
		sleep(&frozen, &lock);
	}
	p->frozen = 0;
	release(&lock);
}

/* Let everybody come by userret(). */
static void
tellall(void)
{
	struct tgroup *tg;
	struct proc *p;

	acquire(&proctree);
	listeach (tg, &allprocs, alllink)
		eachthread (p, tg)
			p->work = 1;
	release(&proctree);
	ipiothers(T_RESCHED); /* out of user mode */
}

/* Is everybody where we want him, but for us? */
static int
quiet(void)
{
	struct tgroup *tg;
	struct proc *p;
	int n = 0, i;

	acquire(&proctree);
	listeach (tg, &allprocs, alllink)
		eachthread (p, tg)
			n += p != myproc() && !still(p);
	for (i = 0; i < ncpu; i++) /* a thread that ends is in no list */
		n += cpus[i].proc != cpus[i].idle && cpus[i].proc != myproc();
	release(&proctree);
	return n == 0;
}

static int
still(struct proc *p)
{
	if (p->state == SLEEPING)
		return p->sleepflags || p->frozen || p->uvm == 0;
	return p->state == STOPPED || p->state == ZOMBIE;
}

/* Stop the other CPUs and look again: 1, or 0 and they run on.  Interrupts are
 * off from here to startcpus(). */
static int
stopcpus(void)
{
	pushcli();
	nparked = 0;
	unfit = 0;
	parking = 1;
	stopped.fn = park;
	xcallstart(&stopped, ~0u);
	while (nparked < ncpu - 1)
		cpurelax();
	if (!unfit && quiet())
		return 1;
	startcpus();
	return 0;
}

static void
startcpus(void)
{
	parking = 0;
	xcallwait(&stopped);
	popcli();
}

/* On each of the others.  Not where one waits for a spinlock: it may hold
 * another. */
static void
park(void *arg)
{
	(void)arg;
	if (mycpu()->ncli > 0)
		unfit = 1;
	atomicinc(&nparked);
	while (parking && !unfit)
		pause();
}
