/*
 * systime.c - the system calls about time: clocks, sleeping, interval timers.
 *
 * Inside the kernel a time is an int64_t of nanoseconds, and a wait has a
 * deadline on the monotonic clock.  A relative sleep that a stop interrupts
 * goes on by restart_syscall with the deadline it had; an absolute one simply
 * runs again.
 */
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/timeval.h"
#include "kern/abi/resource.h"
#include "kern/cputime.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/lib/string.h"
#include "kern/poll/timerfd.h"
#include "kern/sys/syscall.h"

#define USEC    1000      /* ns in a microsecond */
#define COARSE(clock) ((clock) == CLOCK_REALTIME_COARSE || \
		(clock) == CLOCK_MONOTONIC_COARSE)

static int64_t cputime(int clock);

/* What a clock shows, or -EINVAL. */
static int64_t
clockread(int clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_TAI:
		return realns();
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		return nowns();
	default:
		return cputime(clock);
	}
}

static int64_t
cputime(int clock)
{
	int64_t ns;

	acquire(&proctree);
	ns = cpuclock(cpuclockid(clock));
	release(&proctree);
	return ns < 0 ? -EINVAL : ns;
}

int
sys_clock_gettime(const uint *a)
{
	int64_t ns = clockread((int)a[0]);

	return ns < 0 ? -EINVAL : timespecout(a[1], ns);
}

int
sys_clock_gettime64(const uint *a)
{
	int64_t ns = clockread((int)a[0]);

	return ns < 0 ? -EINVAL : timespec64out(a[1], ns);
}

static int
clockres(int clock)
{
	if (COARSE(clock) || clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID ||
		clock == CLOCK_THREAD_CPUTIME_ID)
		return TICKNS;
	return 1;
}

int
sys_clock_getres(const uint *a)
{
	if (clockread((int)a[0]) < 0)
		return -EINVAL;
	return a[1] ? timespecout(a[1], clockres((int)a[0])) : 0;
}

int
sys_clock_getres_time64(const uint *a)
{
	if (clockread((int)a[0]) < 0)
		return -EINVAL;
	return a[1] ? timespec64out(a[1], clockres((int)a[0])) : 0;
}

/* Set the real time; ns may be an error to pass on. */
static int
settime(int64_t ns)
{
	if (ns < 0)
		return (int)ns;
	if (myproc()->euid != 0)
		return -EPERM;
	setreal(ns);
	timerfdclockset();
	return 0;
}

int
sys_clock_settime(const uint *a)
{
	return a[0] == CLOCK_REALTIME ? settime(timespecin(a[1])) : -EINVAL;
}

int
sys_clock_settime64(const uint *a)
{
	return a[0] == CLOCK_REALTIME ? settime(timespec64in(a[1])) : -EINVAL;
}

static int64_t timevalns(const struct timeval *tv);
static void nstimeval(struct timeval *tv, int64_t ns);

int
sys_gettimeofday(const uint *a)
{
	static const struct timezone utc;
	struct timeval tv;

	if (a[0]) {
		nstimeval(&tv, realns());
		if (copyout(a[0], &tv, sizeof(tv)))
			return -EFAULT;
	}
	return a[1] && copyout(a[1], &utc, sizeof(utc)) ? -EFAULT : 0;
}

int
sys_settimeofday(const uint *a)
{
	struct timeval tv;

	if (!a[0]) /* the time zone alone: we keep UTC */
		return myproc()->euid == 0 ? 0 : -EPERM;
	if (copyin(&tv, a[0], sizeof(tv)))
		return -EFAULT;
	return settime(timevalns(&tv));
}

/* ns, or -EINVAL. */
static int64_t
timevalns(const struct timeval *tv)
{
	if (tv->tv_sec < 0 || (uint)tv->tv_usec >= NSEC / USEC)
		return -EINVAL;
	return (int64_t)tv->tv_sec * NSEC + tv->tv_usec * USEC;
}

static void
nstimeval(struct timeval *tv, int64_t ns)
{
	uint nsec;

	tv->tv_sec = (int)splitns(ns, &nsec);
	tv->tv_usec = (int)(nsec / USEC);
}

int
sys_time(const uint *a)
{
	uint nsec;
	int sec = (int)splitns(realns(), &nsec);

	if (a[0] && copyout(a[0], &sec, sizeof(sec)))
		return -EFAULT;
	return sec;
}

int
sys_stime(const uint *a)
{
	int sec;

	if (copyin(&sec, a[0], sizeof(sec)))
		return -EFAULT;
	return sec < 0 ? -EINVAL : settime((int64_t)sec * NSEC);
}

static int sleeprestart(struct restart *r);

/* Sleep to a deadline; what is left goes to the user's rem (0: nowhere), a
 * timespec64 if wide. */
static int
sleepfor(int64_t deadline, uint rem, int wide)
{
	struct restart *r = &myproc()->restart;
	int64_t left;
	int err;

	if (sleepsignal(deadline, 0) != -EINTR)
		return 0;
	left = deadline - nowns();
	if (left <= 0)
		return 0;
	if (rem) {
		err = wide ? timespec64out(rem, left) : timespecout(rem, left);
		if (err < 0)
			return err;
	}
	r->fn = sleeprestart;
	r->deadline = deadline;
	r->arg[0] = rem;
	r->arg[1] = wide;
	return -ERESTARTBLOCK;
}

static int
sleeprestart(struct restart *r)
{
	return sleepfor(r->deadline, r->arg[0], r->arg[1]);
}

int
sys_restart_syscall(const uint *a)
{
	struct restart r = myproc()->restart;

	(void)a;
	myproc()->restart.fn = 0;
	return r.fn ? r.fn(&r) : -EINTR;
}

int
sys_nanosleep(const uint *a)
{
	int64_t ns = timespecin(a[0]);

	return ns < 0 ? (int)ns : sleepfor(deadlinein(ns), a[1], 0);
}

/* Sleep until the clock shows ns. */
static int
sleeptill(int clock, int64_t ns)
{
	int real = clock == CLOCK_REALTIME || clock == CLOCK_TAI ||
		clock == CLOCK_REALTIME_ALARM;

	if (clockread(clock) >= ns)
		return 0;
	return sleepsignal(ns, real ? SLEEP_REAL : 0) == -EINTR
		       ? -ERESTARTNOHAND : 0;
}

static int
clocksleep(int clock, uint flags, int64_t ns, uint rem, int wide)
{
	if (clockread(clock) < 0 || clock == CLOCK_THREAD_CPUTIME_ID)
		return -EINVAL;
	if (clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID || COARSE(clock) ||
		clock == CLOCK_MONOTONIC_RAW)
		return -EOPNOTSUPP;
	if (ns < 0)
		return (int)ns;
	if (flags & TIMER_ABSTIME)
		return sleeptill(clock, ns);
	return sleepfor(deadlinein(ns), rem, wide);
}

int
sys_clock_nanosleep(const uint *a)
{
	return clocksleep((int)a[0], a[1], timespecin(a[2]), a[3], 0);
}

int
sys_clock_nanosleep_time64(const uint *a)
{
	return clocksleep((int)a[0], a[1], timespec64in(a[2]), a[3], 1);
}

/* The interval timer of real time ran out: interrupt context. */
static void
realfire(void *arg)
{
	struct tgroup *tg = arg;
	int64_t next, now = nowns();

	acquire(&proctree); /* execve on another CPU may change tg's sighand */
	sigsendproc(tg, SIGALRM, 0);
	release(&proctree);
	if (tg->realinterval == 0)
		return;
	next = tg->realtimer.deadline + tg->realinterval;
	timerset(&tg->realtimer, MAX(next, now + 1), realfire, tg);
}

static int64_t
realleft(struct tgroup *tg)
{
	int64_t left;

	if (!tg->realtimer.on)
		return 0;
	left = tg->realtimer.deadline - nowns();
	return MAX(left, USEC);
}

/* Start it, or stop it with ns 0; what was left of the old one. */
static int64_t
realstart(int64_t ns, int64_t interval)
{
	struct tgroup *tg = myproc()->tg;
	int64_t left = realleft(tg);

	timerdel(&tg->realtimer);
	tg->realinterval = interval;
	if (ns > 0)
		timerset(&tg->realtimer, deadlinein(ns), realfire, tg);
	return left;
}

int
sys_alarm(const uint *a)
{
	int64_t left = realstart((int64_t)a[0] * NSEC, 0);
	uint nsec, sec = splitns(left, &nsec);

	if (nsec >= NSEC / 2 || (sec == 0 && nsec))
		sec++;
	return (int)sec;
}

/* Ticks that last at least tv. */
static uint
tvticks(const struct timeval *tv)
{
	uint usec = NSEC / USEC / HZ;

	if ((uint)tv->tv_sec >= ~0u / HZ - 1)
		return ~0u;
	return tv->tv_sec * HZ + (tv->tv_usec + usec - 1) / usec;
}

static void
getitimer(struct tgroup *tg, int which, struct itimerval *it)
{
	if (which == ITIMER_REAL) {
		nstimeval(&it->it_value, realleft(tg));
		nstimeval(&it->it_interval, tg->realinterval);
		return;
	}
	nstimeval(&it->it_value, (int64_t)tg->itimer[which - 1] * TICKNS);
	nstimeval(&it->it_interval, (int64_t)tg->itimerval[which - 1] * TICKNS);
}

int
sys_getitimer(const uint *a)
{
	struct itimerval it;

	if (a[0] > ITIMER_PROF)
		return -EINVAL;
	getitimer(myproc()->tg, a[0], &it);
	return copyout(a[1], &it, sizeof(it)) ? -EFAULT : 0;
}

int
sys_setitimer(const uint *a)
{
	struct tgroup *tg = myproc()->tg;
	struct itimerval it, old;
	int64_t value, interval;

	if (a[0] > ITIMER_PROF)
		return -EINVAL;
	memset(&it, 0, sizeof(it)); /* no new value: stop it */
	if (a[1] && copyin(&it, a[1], sizeof(it)))
		return -EFAULT;
	value = timevalns(&it.it_value);
	interval = timevalns(&it.it_interval);
	if (value < 0 || interval < 0)
		return -EINVAL;
	getitimer(tg, a[0], &old);
	if (a[0] == ITIMER_REAL)
		realstart(value, interval);
	else {
		tg->itimerval[a[0] - 1] = tvticks(&it.it_interval);
		tg->itimer[a[0] - 1] = tvticks(&it.it_value);
	}
	return a[2] && copyout(a[2], &old, sizeof(old)) ? -EFAULT : 0;
}
