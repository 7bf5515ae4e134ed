/*
 * timerfd.c - timers to wait on: timerfd_create(2).
 *
 * A timer that expires adds 1 to its count of expiries.  If it has an interval,
 * it then rests until a program reads it or asks for its setting: then the
 * intervals that have passed are counted, too, and the timer is armed again.
 * So a short interval costs no more than the reads of the program.
 *
 * Invariants, under a timerfd's lock:
 *   T1  If armed is set, the expiry at `at', a time in ns of the timer's clock,
 *       has not been counted.  If rests is set, it has been, and the timer has
 *       an interval.  The two are never set at once.
 *   T2  fire() may run at any time, and counts nothing unless the timer is
 *       armed and `at' has come; so a timer that is stopped may leave its
 *       struct timer running.
 */
#include "kern/poll/timerfd.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/file.h"
#include "kern/abi/event.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/poll.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/signal/signal.h"
#include "kern/sys/syscall.h"
#include "kern/lib/text.h"
#include "kern/timeval.h"

enum { /* what becomes of a timer when the real time is set */
	CANCEL_NO,    /* nothing */
	CANCEL_ONSET, /* it is cancelled: TFD_TIMER_CANCEL_ON_SET */
	CANCELLED     /* it has been, and the program does not know yet */
};

struct timerfd {
	struct spinlock lock;  /* RANK_PIPE */
	struct list link;      /* reals, of CLOCK_REALTIME [reallist] */
	int clock;             /* CLOCK_REALTIME or CLOCK_MONOTONIC */
	int onreal;            /* at is of realns(), not of nowns() [lock] */
	int armed, rests;      /* see T1 [lock] */
	int cancel;            /* CANCEL_* [lock] */
	int64_t at;            /* the next expiry, in ns: see T1 [lock] */
	int64_t interval;      /* ns, 0: once [lock] */
	uint64_t ticks;        /* expiries not read [lock] */
	struct timer timer;
	struct waitq queue;    /* for ticks */
};

static struct sleeplock reallist;
static struct list reals = {&reals, &reals}; /* [reallist] */

static int checkclock(int clock);
static int settime(const uint *a, int wide);
static int gettime(const uint *a, int wide);
static void start(struct timerfd *, int flags, const struct setting *);
static void lookfd(struct timerfd *, struct setting *);
static int64_t now(struct timerfd *);
static void arm(struct timerfd *);
static void fire(void *arg);
static void expire(struct timerfd *);
static void forward(struct timerfd *);
static int cancelled(struct timerfd *);
static int timerread(struct file *, struct uio *, int64_t *off);
static int timerwait(struct file *);
static int timerpoll(struct file *, struct pollset *);
static void timerinfo(struct file *, struct text *);
static void timerrelease(struct file *);

static const struct fileops timerops = {
	.name = "[timerfd]",
	.read = timerread,
	.poll = timerpoll,
	.info = timerinfo,
	.release = timerrelease,
};

void
timerfdinit(void)
{
	initsleeplock(&reallist, RANK_NONE);
}

/* timerfd_create(2): a has the clock and the TFD_* flags. */
int
sys_timerfd_create(const uint *a)
{
	struct timerfd *t;
	int clock = checkclock((int)a[0]), fd;

	if (a[1] & ~(TFD_NONBLOCK | TFD_CLOEXEC))
		return -EINVAL;
	if (clock < 0)
		return clock;
	t = kzalloc(sizeof(*t));
	if (t == 0)
		return -ENOMEM;
	initlock(&t->lock, RANK_PIPE);
	initwaitq(&t->queue);
	listinit(&t->link);
	t->clock = clock;
	acquiresleep(&reallist);
	if (clock == CLOCK_REALTIME)
		listadd(&reals, &t->link);
	fd = fdanon(&timerops, t, a[1]);
	if (fd < 0) {
		listdel(&t->link);
		kmfree(t);
	}
	releasesleep(&reallist);
	return fd;
}

/* Which clock does a timer for this CLOCK_* of a program use?  CLOCK_REALTIME,
 * CLOCK_MONOTONIC, -EINVAL or -EPERM. */
static int
checkclock(int clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
		return clock;
	case CLOCK_BOOTTIME:
		return CLOCK_MONOTONIC;
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM: /* there is no sleep to wake from */
		if (myproc()->euid != 0)
			return -EPERM;
		return clock == CLOCK_REALTIME_ALARM ? CLOCK_REALTIME :
			CLOCK_MONOTONIC;
	}
	return -EINVAL;
}

int
sys_timerfd_settime(const uint *a)
{
	return settime(a, 0);
}

int
sys_timerfd_settime64(const uint *a)
{
	return settime(a, 1);
}

int
sys_timerfd_gettime(const uint *a)
{
	return gettime(a, 0);
}

int
sys_timerfd_gettime64(const uint *a)
{
	return gettime(a, 1);
}

/* timerfd_settime(2): a has the descriptor, the flags, and the user addresses
 * of the new setting and of the old one (0: nobody asks), each an itimerspec,
 * or that of 64 bits if wide is set.  0 or -errno. */
static int
settime(const uint *a, int wide)
{
	struct setting new, old;
	struct timerfd *t;
	struct file *f;
	int err = settingin(a[2], &new, wide);

	if (err < 0)
		return err;
	if (a[1] & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET))
		return -EINVAL;
	f = fdgetkind(a[0], &timerops, &err);
	if (f == 0)
		return err;
	t = f->priv;
	acquire(&t->lock);
	lookfd(t, &old);
	start(t, a[1], &new);
	if (new.value && cancelled(t))
		err = -ECANCELED;
	release(&t->lock);
	if (err == 0 && a[3])
		err = settingout(a[3], &old, wide);
	fileclose(f);
	return err;
}

/* timerfd_gettime(2): a has the descriptor, and the user address of the
 * setting, an itimerspec, or that of 64 bits if wide is set.  0 or -errno. */
static int
gettime(const uint *a, int wide)
{
	struct setting s;
	struct timerfd *t;
	struct file *f;
	int err;

	f = fdgetkind(a[0], &timerops, &err);
	if (f == 0)
		return err;
	t = f->priv;
	acquire(&t->lock);
	lookfd(t, &s);
	release(&t->lock);
	err = settingout(a[1], &s, wide);
	fileclose(f);
	return err;
}

/* Stop the timer, and start it again if the value of *s (ns until it expires,
 * or the time of it with TFD_TIMER_ABSTIME in flags) is not 0.  Called with
 * t->lock held. */
static void
start(struct timerfd *t, int flags, const struct setting *s)
{
	int abs = flags & TFD_TIMER_ABSTIME;
	int64_t at = 0;

	lockassert(holding(&t->lock));
	t->rests = 0;
	t->ticks = 0;
	t->interval = s->interval;
	t->onreal = abs && t->clock == CLOCK_REALTIME;
	if (!t->onreal || !(flags & TFD_TIMER_CANCEL_ON_SET))
		t->cancel = CANCEL_NO;
	else if (t->cancel == CANCEL_NO)
		t->cancel = CANCEL_ONSET;
	t->armed = s->value != 0;
	if (!t->armed)
		return;
	if (!abs)
		at = now(t);
	t->at = s->value < NEVER - at ? at + s->value : NEVER;
	arm(t);
}

/* Count what has expired, and write the timer's interval and the time until it
 * expires to *s, both in ns; the latter is 0 if the timer is not armed.  Called
 * with t->lock held. */
static void
lookfd(struct timerfd *t, struct setting *s)
{
	lockassert(holding(&t->lock));
	expire(t);
	forward(t);
	s->interval = t->interval;
	s->value = t->armed ? MAX(t->at - now(t), 0) : 0;
}

/* The time in ns of the clock that t->at is a time of.  Called with t->lock
 * held. */
static int64_t
now(struct timerfd *t)
{
	lockassert(holding(&t->lock));
	return t->onreal ? realns() : nowns();
}

/* Let fire() run at t->at.  Called with t->lock held. */
static void
arm(struct timerfd *t)
{
	lockassert(holding(&t->lock));
	t->timer.real = t->onreal;
	timerset(&t->timer, t->at, fire, t);
}

/* The time of the timer arg has come, or had before the timer was set anew:
 * count the expiry if there is one (T2), and wake the readers.  Runs in
 * interrupt context. */
static void
fire(void *arg)
{
	struct timerfd *t = arg;

	acquire(&t->lock);
	expire(t);
	release(&t->lock);
	wakeup(&t->queue);
}

/* If the timer is armed and t->at has come, count that expiry.  Called with
 * t->lock held. */
static void
expire(struct timerfd *t)
{
	lockassert(holding(&t->lock));
	if (!t->armed || now(t) < t->at)
		return;
	t->ticks++;
	t->armed = 0;
	t->rests = t->interval != 0;
}

/* If the timer rests, count the intervals that have passed since t->at, and arm
 * the timer for the next expiry.  Called with t->lock held. */
static void
forward(struct timerfd *t)
{
	int64_t past;
	uint64_t n;

	lockassert(holding(&t->lock));
	if (!t->rests)
		return;
	past = MAX(now(t) - t->at, 0);
	n = (uint64_t)past / t->interval;
	t->ticks += n;
	if (t->interval < NEVER - t->at - past)
		t->at += (n + 1) * t->interval;
	else
		t->at = NEVER;
	t->rests = 0;
	t->armed = 1;
	arm(t);
}

void
timerfdclockset(void)
{
	struct timerfd *t;

	lockassert(nospinlocks());
	acquiresleep(&reallist);
	listeach (t, &reals, link) {
		acquire(&t->lock);
		if (t->cancel != CANCEL_NO) {
			t->cancel = CANCELLED;
			t->ticks++;
		}
		release(&t->lock);
		wakeup(&t->queue);
	}
	releasesleep(&reallist);
}

/* Has the timer been cancelled because the real time was set?  1 or 0.  A timer
 * that has been tells of it once, and forgets its expiries.  Called with
 * t->lock held. */
static int
cancelled(struct timerfd *t)
{
	lockassert(holding(&t->lock));
	if (t->cancel != CANCELLED)
		return 0;
	t->cancel = CANCEL_ONSET;
	t->ticks = 0;
	return 1;
}

/* fileops.read: wait for an expiry, unless f has O_NONBLOCK, and read how many
 * there were since the last read.  8, the bytes read, -ECANCELED if the real
 * time was set, or another -errno. */
static int
timerread(struct file *f, struct uio *u, int64_t *off)
{
	struct timerfd *t = f->priv;
	uint64_t ticks;
	int err = 0;

	(void)off;
	if (u->n < sizeof(ticks))
		return -EINVAL;
	acquire(&t->lock);
	expire(t);
	while (t->ticks == 0 && err == 0) {
		err = timerwait(f);
		expire(t);
	}
	forward(t);
	if (cancelled(t))
		err = -ECANCELED;
	ticks = t->ticks;
	if (err == 0)
		t->ticks = 0;
	release(&t->lock);
	if (err < 0)
		return err;
	return uioput(u, &ticks, sizeof(ticks)) ? -EFAULT : 8;
}

/* Sleep until the timer may have expired: 0, -EAGAIN if f has O_NONBLOCK, or
 * -ERESTARTSYS when a signal came.  Called with the timer's lock held, which is
 * released during the sleep. */
static int
timerwait(struct file *f)
{
	struct timerfd *t = f->priv;

	lockassert(holding(&t->lock));
	if (f->flags & O_NONBLOCK)
		return -EAGAIN;
	return sleepint(&t->queue, &t->lock) < 0 ? -ERESTARTSYS : 0;
}

/* fileops.poll: readable when there are expiries that have not been read. */
static int
timerpoll(struct file *f, struct pollset *ps)
{
	struct timerfd *t = f->priv;
	int events;

	pollwait(ps, &t->queue);
	acquire(&t->lock);
	expire(t);
	events = t->ticks ? POLLIN : 0;
	release(&t->lock);
	return events;
}

/* fileops.release: stop and free the timer, which is closed. */
static void
timerrelease(struct file *f)
{
	struct timerfd *t = f->priv;

	acquiresleep(&reallist);
	listdel(&t->link);
	releasesleep(&reallist);
	timerdel(&t->timer);
	kmfree(t);
}

/* fileops.info: write the clock, the expiries and the setting of the timer to
 * t. */
static void
timerinfo(struct file *f, struct text *t)
{
	struct timerfd *tf = f->priv;
	struct setting now;
	uint64_t ticks;
	uint vns, ins;
	int64_t v, i;

	acquire(&tf->lock);
	lookfd(tf, &now);
	ticks = tf->ticks;
	release(&tf->lock);
	v = splitns(now.value, &vns);
	i = splitns(now.interval, &ins);
	putf(t, "clockid: %d\nticks: %llu\nsettime flags: 0%o\n"
		"it_value: (%lld, %u)\nit_interval: (%lld, %u)\n",
		tf->clock, (unsigned long long)ticks, 0u, (long long)v, vns,
		(long long)i, ins);
}
