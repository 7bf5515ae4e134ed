/*
 * freeze.c - hold all threads and CPUs still, for a look at all of memory.
 *
 * vmcheck() can recount references only while no thread is between taking a
 * reference and storing it.  A thread gets to such a place from user mode, and
 * leaves it before it returns to user mode or waits for something outside the
 * kernel.  So every thread is told to stop on its way to user mode (p->work).
 * The others must be found in a sleep that a signal can end: a thread asleep so
 * holds no reference to a page that is not in a slot, a cache or a list.  Then
 * the other CPUs are parked in an interrupt, and if all threads are still
 * quiet, the world is frozen.
 *
 * A thread in an uninterruptible sleep (for a lock, a disk) may hold anything;
 * such a sleep ends by itself, so freeze() waits for that.
 */
#include "kern/freeze.h"

#include "arch/lapic.h"
#include "arch/xcall.h"
#include "mm/mm.h"
#include "kern/proc.h"
#include "kern/sched.h"

volatile int freezing;

static struct spinlock lock = {.rank = RANK_SLEEPQ};
static struct proc *freezer;  /* the thread that freezes, or 0 [lock] */
static struct waitq turn;     /* threads that want to freeze next */
static struct waitq progress; /* the freezer waits here */
static struct waitq frozen;   /* threads in freezehere() */

static struct xcall stopped; /* the call of park() on the other CPUs */
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

/* See freeze.h.  Looks again at each tick, and whenever a thread has
 * stopped. */
int
freeze(void)
{
	int64_t tick = 1000000000 / HZ;
	int err;

	lockassert(nospinlocks());
	err = begin();
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

/* Wait until no other thread freezes, and become the freezer: 0, or -errno: a
 * signal came first.  Called with no spinlock held. */
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

/* Stop being the freezer; the frozen threads and the next freezer go on.
 * Called by the freezer. */
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

/* See freeze.h. */
void
freezehere(void)
{
	struct proc *p = myproc();

	lockassert(nospinlocks());
	acquire(&lock);
	p->frozen = 1;
	while (freezer && freezer != p) {
		wakeup(&progress);
		sleep(&frozen, &lock);
	}
	p->frozen = 0;
	release(&lock);
}

/* Make every thread pass through userret() before it runs in user mode
 * again. */
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
	ipiothers(T_RESCHED); /* which brings them out of user mode */
}

/* Is every thread but the running one still, and every other CPU idle? */
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
	for (i = 0; i < ncpu; i++) /* a thread that ends may be in no list */
		n += cpus[i].proc != cpus[i].idle && cpus[i].proc != myproc();
	release(&proctree);
	return n == 0;
}

/* Is p in a state in which it holds no page reference that vmcheck() cannot
 * see: in an interruptible sleep, in freezehere(), a sleeping kernel thread,
 * stopped or dead?  Called with proctree held. */
static int
still(struct proc *p)
{
	lockassert(holding(&proctree));
	if (p->state == SLEEPING)
		return p->sleepflags || p->frozen || p->uvm == 0;
	return p->state == STOPPED || p->state == ZOMBIE;
}

/* Park the other CPUs and look again whether all is quiet: 1, or 0 and the CPUs
 * run on.  Interrupts are off from here to startcpus(). */
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

/* Let the parked CPUs go on, wait until they have left park(), and end what
 * stopcpus() began.  Called with interrupts off. */
static void
startcpus(void)
{
	lockassert(interruptsoff());
	parking = 0;
	xcallwait(&stopped);
	popcli();
}

/* Runs on each of the other CPUs and keeps it here until the freeze is over.  A
 * CPU that waits for a spinlock may hold another one, so it is unfit to be
 * parked, and then none of them stays. */
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
