/*
 * ptimer.c - POSIX timers: timer_create and its kin.
 *
 * A timer belongs to a process and has the entry of its one signal in it, so
 * that expiring needs no memory.  When it expires the entry is queued, and a
 * timer with an interval rests; when the signal is taken, the intervals that
 * have passed meanwhile are its overruns and it goes on.  So however short an
 * interval is, it costs no more than the program takes.
 *
 * What a timer counts is the time of its clock; what it waits for is a struct
 * timer.  For CPU clocks that has the earliest time it could be, and fire()
 * looks again.
 *
 * Invariants, under the lock of the process's sighand:
 *   T1  A timer with an armed struct timer, or queued, is in tg->ptimers.
 *   T2  armed: expiry is a time of the clock.  queued: the entry is pending.
 *   T3  fire() may run at any time and changes nothing before it has looked:
 *       the struct timer of a timer that is set anew or stopped is left alone.
 */
#include "kern/ptimer.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/signal/sigframe.h"
#include "kern/abi/resource.h"
#include "kern/cputime.h"
#include "kern/proc.h"
#include "kern/sys/syscall.h"
#include "kern/timeval.h"

#define MAXTIMERS 1024 /* of a process, whatever RLIMIT_SIGPENDING says */

struct ptimer {
	struct list link;     /* tg->ptimers [lock] */
	struct tgroup *tg;
	struct spinlock *lock; /* of the process's sighand */
	struct timer timer;
	struct sigqueue entry; /* its signal */
	int id;
	int clock;        /* CLOCK_REALTIME, CLOCK_MONOTONIC, or a CPUCLOCK */
	int notify;       /* SIGEV_* */
	int tid;          /* the thread of SIGEV_THREAD_ID, or 0 */
	int armed, queued; /* [lock] */
	int onreal;       /* expiry is real time [lock] */
	int64_t expiry;   /* [lock] */
	int64_t interval; /* ns, 0: once [lock] */
	uint64_t passed;  /* expiries since the one queued [lock] */
	int overrun;      /* what was told last [lock] */
};

static int checkclock(int clock, int *id);
static int checkevent(const struct sigevent *ev);
static int addtimer(struct ptimer *t, int numbered);
static struct ptimer *findtimer(struct tgroup *tg, int id);
static struct ptimer *gettimer(int id);
static void puttimer(struct ptimer *t);
static void removetimer(struct ptimer *t);
static int settime(const uint *a, int wide);
static int gettime(const uint *a, int wide);
static void settimer(struct ptimer *t, int abs, const struct setting *s);
static void looktimer(struct ptimer *t, struct setting *s);
static int64_t now(struct ptimer *t);
static void arm(struct ptimer *t, int64_t at);
static void fire(void *arg);
static void expire(struct ptimer *t, int64_t at);
static uint64_t forward(struct ptimer *t, int64_t at);

/* Clock, sigevent (0: SIGALRM with the timer's number), where that goes. */
int
sys_timer_create(const uint *a)
{
	struct sigevent ev = {.signo = SIGALRM};
	struct ptimer *t;
	int id, clock, err;

	if (a[1] && copyin(&ev, a[1], sizeof(ev)))
		return -EFAULT;
	if ((err = checkclock((int)a[0], &clock)) < 0 ||
		(err = checkevent(&ev)) < 0)
		return err;
	if ((t = kzalloc(sizeof(*t))) == 0)
		return -EAGAIN;
	t->clock = clock;
	t->notify = ev.notify;
	t->tid = ev.notify == SIGEV_THREAD_ID ? ev.tid : 0;
	t->entry.timer = t;
	t->entry.info.signo = ev.signo;
	t->entry.info.code = SI_TIMER;
	t->entry.info.value = ev.value;
	id = addtimer(t, a[1] == 0);
	if (id < 0) {
		kmfree(t);
		return id;
	}
	if (copyout(a[2], &id, sizeof(id)) == 0)
		return 0;
	if ((t = gettimer(id)) != 0) /* no other thread has deleted it */
		removetimer(t);
	return -EFAULT;
}

/* The clock as struct ptimer has it: 0, or -EINVAL, -EOPNOTSUPP. */
static int
checkclock(int clock, int *id)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_TAI:
		*id = CLOCK_REALTIME;
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
		*id = CLOCK_MONOTONIC;
		return 0;
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_REALTIME_ALARM: /* they would wake the machine */
	case CLOCK_BOOTTIME_ALARM:
		return -EOPNOTSUPP;
	}
	acquire(&proctree);
	*id = cpuclockid(clock);
	release(&proctree);
	return *id ? 0 : -EINVAL;
}

static int
checkevent(const struct sigevent *ev)
{
	struct proc *p;
	int ok = 1;

	if (ev->notify == SIGEV_NONE)
		return 0;
	if (ev->notify == SIGEV_THREAD_ID) {
		acquire(&proctree);
		p = findproc(ev->tid);
		ok = p && p->tg == myproc()->tg;
		release(&proctree);
	} else if (ev->notify != SIGEV_SIGNAL && ev->notify != SIGEV_THREAD) {
		ok = 0;
	}
	return ok && ev->signo >= 1 && ev->signo <= NSIG ? 0 : -EINVAL;
}

/* Give it a number, which with `numbered` is its signal's value too: it, or
 * -EAGAIN. */
static int
addtimer(struct ptimer *t, int numbered)
{
	struct tgroup *tg = myproc()->tg;
	uint64_t max = MIN(tg->rlimit[RLIMIT_SIGPENDING].cur, MAXTIMERS);
	int id = -EAGAIN;

	t->tg = tg;
	t->lock = &myproc()->tg->sighand->lock;
	acquire(t->lock);
	if ((uint)tg->ntimers < max) {
		do
			id = tg->nexttimer++ & INT32_MAX;
		while (findtimer(tg, id));
		t->id = t->entry.info.pid = id;
		if (numbered)
			t->entry.info.value = (uint)id;
		listadd(&tg->timers, &t->link);
		tg->ntimers++;
	}
	release(t->lock);
	return id;
}

/* Sighand lock held. */
static struct ptimer *
findtimer(struct tgroup *tg, int id)
{
	struct ptimer *t;

	listeach(t, &tg->timers, link)
		if (t->id == id)
			return t;
	return 0;
}

/* The running process's timer, with proctree and the sighand's lock held until
 * puttimer(); or 0. */
static struct ptimer *
gettimer(int id)
{
	struct proc *p = myproc();
	struct ptimer *t;

	acquire(&proctree);
	acquire(&p->tg->sighand->lock);
	if ((t = findtimer(p->tg, id)) != 0)
		return t;
	release(&p->tg->sighand->lock);
	release(&proctree);
	return 0;
}

static void
puttimer(struct ptimer *t)
{
	release(t->lock);
	release(&proctree);
}

/* Free a timer that gettimer() returned. */
static void
removetimer(struct ptimer *t)
{
	listdel(&t->link);
	t->tg->ntimers--;
	t->armed = 0;
	if (t->queued)
		sigunpost(t->tg, &t->entry);
	puttimer(t);
	timerdel(&t->timer);
	kmfree(t);
}

int
sys_timer_delete(const uint *a)
{
	struct ptimer *t = gettimer((int)a[0]);

	if (t == 0)
		return -EINVAL;
	removetimer(t);
	return 0;
}

void
ptimerexit(struct tgroup *tg)
{
	struct ptimer *t;

	while (!listempty(&tg->timers)) {
		t = listitem(tg->timers.next, struct ptimer, link);
		acquire(&proctree);
		acquire(t->lock);
		removetimer(t);
	}
}

int
sys_timer_getoverrun(const uint *a)
{
	struct ptimer *t = gettimer((int)a[0]);
	int overrun;

	if (t == 0)
		return -EINVAL;
	overrun = t->overrun;
	puttimer(t);
	return overrun;
}

int
sys_timer_settime(const uint *a)
{
	return settime(a, 0);
}

int
sys_timer_settime64(const uint *a)
{
	return settime(a, 1);
}

int
sys_timer_gettime(const uint *a)
{
	return gettime(a, 0);
}

int
sys_timer_gettime64(const uint *a)
{
	return gettime(a, 1);
}

/* Number, flags, new setting, where the old one goes (0: nowhere). */
static int
settime(const uint *a, int wide)
{
	struct setting new, old;
	struct ptimer *t;
	int err;

	if (a[2] == 0)
		return -EINVAL;
	if ((err = settingin(a[2], &new, wide)) < 0)
		return err;
	if ((t = gettimer((int)a[0])) == 0)
		return -EINVAL;
	looktimer(t, &old);
	settimer(t, (a[1] & TIMER_ABSTIME) != 0, &new);
	puttimer(t);
	return a[3] ? settingout(a[3], &old, wide) : 0;
}

static int
gettime(const uint *a, int wide)
{
	struct ptimer *t = gettimer((int)a[0]);
	struct setting s;

	if (t == 0)
		return -EINVAL;
	looktimer(t, &s);
	puttimer(t);
	return settingout(a[1], &s, wide);
}

/* Stop it, and with a value start it.  gettimer's locks held, as below. */
static void
settimer(struct ptimer *t, int abs, const struct setting *s)
{
	int64_t at;

	if (t->queued)
		sigunpost(t->tg, &t->entry);
	t->armed = t->queued = t->overrun = 0;
	t->interval = 0;
	if (s->value == 0)
		return;
	t->onreal = abs && t->clock == CLOCK_REALTIME;
	at = now(t);
	t->interval = s->interval;
	t->expiry = abs		 ? s->value
		: s->value < NEVER - at ? at + s->value
					: NEVER;
	t->armed = 1;
	if (t->notify != SIGEV_NONE)
		arm(t, at);
}

/* The interval, and how long it is until it expires. */
static void
looktimer(struct ptimer *t, struct setting *s)
{
	int64_t at = now(t), left = t->expiry - at;

	s->interval = t->interval;
	if (left <= 0 && t->interval)
		left = t->interval - (at - t->expiry) % t->interval;
	if (left <= 0) /* it is about to, or nobody has looked */
		left = t->notify != SIGEV_NONE;
	s->value = t->armed ? left : 0;
}

/* What its clock shows; 0 when that is of somebody who is gone. */
static int64_t
now(struct ptimer *t)
{
	if (t->clock < 0)
		return MAX(cpuclock(t->clock), 0);
	return t->onreal ? realns() : nowns();
}

/* Let fire() look when it could be time, given that the clock shows at. */
static void
arm(struct ptimer *t, int64_t at)
{
	int64_t left = MAX(t->expiry - at, 0);

	if (t->clock < 0 && (t->clock & CPUCLOCK_THREAD) == 0)
		left /= ncpu;
	t->timer.real = t->onreal;
	timerset(&t->timer, t->onreal ? t->expiry : deadlinein(left), fire, t);
}

/* Interrupt context. */
static void
fire(void *arg)
{
	struct ptimer *t = arg;
	int64_t at;

	acquire(&proctree);
	acquire(t->lock);
	if (t->armed && !t->queued) { /* T3 */
		at = now(t);
		if (at >= t->expiry)
			expire(t, at);
		else
			arm(t, at);
	}
	puttimer(t);
}

static void
expire(struct ptimer *t, int64_t at)
{
	struct proc *p = t->tid ? findproc(t->tid) : 0;

	t->passed = 1;
	if (t->interval)
		t->passed = forward(t, at);
	else
		t->armed = 0;
	if (t->tid && (!p || p->tg != t->tg))
		return;
	t->queued = 1;
	if (sigposttimer(t->tg, p, &t->entry))
		return;
	t->queued = 0;
	if (t->interval)
		arm(t, at);
}

/* Move the expiry past at: by how many intervals. */
static uint64_t
forward(struct ptimer *t, int64_t at)
{
	uint64_t n;

	if (at < t->expiry)
		return 0;
	n = (uint64_t)(at - t->expiry) / t->interval + 1;
	if (t->interval >= NEVER - at)
		t->expiry = NEVER;
	else
		t->expiry += n * t->interval;
	return n;
}

/* A CPU clock cannot be read here (it takes proctree): what has passed on it is
 * left to fire(), and told with the next signal. */
void
ptimertaken(struct ptimer *t, struct ksiginfo *info)
{
	int64_t at = t->clock < 0 ? t->expiry - 1 : now(t);

	t->queued = 0;
	if (t->armed && t->interval) {
		t->passed += forward(t, at);
		arm(t, at);
	}
	t->overrun = (int)MIN(t->passed - 1, (uint64_t)INT32_MAX);
	if (info)
		info->uid = (uint)t->overrun;
}
