/* t_timer.c - timers of timer_create, and that the old ones are the
 * process's. */
#include "t.h"

#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

#define SIG  SIGRTMIN
#define MSEC 1000000
#define HOUR 3600

static sigset_t sigs; /* SIG, SIGRTMIN + 1, SIGALRM: blocked */

static void
blocksigs(void)
{
	sigemptyset(&sigs);
	sigaddset(&sigs, SIG);
	sigaddset(&sigs, SIG + 1);
	sigaddset(&sigs, SIGALRM);
	must(sigprocmask(SIG_BLOCK, &sigs, 0) == 0);
}

/* The kernel's own number of a new timer, which sends sig with value. */
static int
newtimer(int clock, int sig, int value)
{
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = sig,
		.sigev_value = {.sival_int = value}};
	int id = -1;

	must(syscall(SYS_timer_create, clock, &ev, &id) == 0);
	return id;
}

static struct timespec
spec(long long ns)
{
	return (struct timespec){ns / 1000000000, ns % 1000000000};
}

static long long
nsec(struct timespec t)
{
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long
now(int clock)
{
	struct timespec t;

	must(clock_gettime(clock, &t) == 0);
	return nsec(t);
}

static void
set(int id, int flags, long long value, long long interval)
{
	struct itimerspec it = {spec(interval), spec(value)};

	must(syscall(SYS_timer_settime, id, flags, &it, 0) == 0);
}

static long long
left(int id)
{
	struct itimerspec it;

	must(syscall(SYS_timer_gettime, id, &it) == 0);
	return nsec(it.it_value);
}

/* The next of sigs within 5 s, or -1. */
static int
take(siginfo_t *si)
{
	struct timespec t = {5, 0};

	memset(si, 0, sizeof *si);
	return sigtimedwait(&sigs, si, &t);
}

static int
none(void)
{
	struct timespec t = {0, 0};

	return sigtimedwait(&sigs, 0, &t) == -1 && errno == EAGAIN;
}

static void
timer_tells_who_it_is(void)
{
	long long start = now(CLOCK_MONOTONIC);
	siginfo_t si;
	int id;

	blocksigs();
	newtimer(CLOCK_REALTIME, SIG, 1);
	id = newtimer(CLOCK_MONOTONIC, SIG, 77);
	set(id, 0, 20 * MSEC, 0);
	checkrange(left(id), 1, 20 * MSEC);
	checkeq(take(&si), SIG);
	checkrange(now(CLOCK_MONOTONIC) - start, 20 * MSEC, 2000LL * MSEC);
	checkeq(si.si_code, SI_TIMER);
	checkeq(si.si_timerid, id);
	checkeq(si.si_overrun, 0);
	checkeq(si.si_value.sival_int, 77);
	checkeq(left(id), 0);
	checkeq(syscall(SYS_timer_getoverrun, id), 0);
	check(none());
}

static void
timer_default_event(void)
{
	siginfo_t si;
	int id;

	blocksigs();
	newtimer(CLOCK_REALTIME, SIG, 1);
	must(syscall(SYS_timer_create, CLOCK_MONOTONIC, 0, &id) == 0);
	set(id, 0, 1, 0);
	checkeq(take(&si), SIGALRM);
	checkeq(si.si_value.sival_int, id);
	checkeq(si.si_timerid, id);
}

/* One signal is queued, however many times it expires; it counts them. */
static void
overruns(int clock, int sig)
{
	long long before, set1, taken, after;
	int id = newtimer(clock, sig, 0);
	siginfo_t si;

	before = now(clock);
	set(id, 0, MSEC, MSEC);
	set1 = now(clock);
	msleep(60);
	taken = now(clock);
	checkeq(take(&si), sig);
	after = now(clock);
	checkrange(si.si_overrun + 1, (taken - set1) / MSEC,
		(after - before) / MSEC);
	checkeq(syscall(SYS_timer_getoverrun, id), si.si_overrun);
	checkeq(take(&si), sig); /* it goes on */
	checkeq(syscall(SYS_timer_delete, id), 0);
}

static void
timer_counts_overruns(void)
{
	blocksigs();
	overruns(CLOCK_MONOTONIC, SIG);
	overruns(CLOCK_REALTIME, SIG);
	overruns(CLOCK_BOOTTIME, SIG);
	overruns(CLOCK_MONOTONIC, SIGALRM);
}

static volatile int count;
static int handled;

static void
onsignal(int sig, siginfo_t *si, void *uc)
{
	(void)sig, (void)uc;
	if (si->si_timerid == handled)
		count += 1 + si->si_overrun;
}

/* A handler gets every expiry too, as a signal or an overrun. */
static void
timer_interval_in_handler(void)
{
	struct sigaction sa = {.sa_sigaction = onsignal,
		.sa_flags = SA_SIGINFO};
	long long start, expired;

	sigaction(SIG, &sa, 0);
	handled = newtimer(CLOCK_MONOTONIC, SIG, 0);
	start = now(CLOCK_MONOTONIC);
	set(handled, 0, 5 * MSEC, 5 * MSEC);
	while (count < 20)
		pause();
	expired = (now(CLOCK_MONOTONIC) - start) / (5 * MSEC);
	checkrange(count, 20, expired);
}

static void
timer_absolute(void)
{
	static const int clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC,
		CLOCK_BOOTTIME};
	long long end;
	siginfo_t si;
	int i, id;

	blocksigs();
	for (i = 0; i < NUM(clocks); i++) {
		id = newtimer(clocks[i], SIG, i);
		set(id, TIMER_ABSTIME, 1, 0); /* long past */
		checkeq(take(&si), SIG);
		end = now(clocks[i]) + 30 * MSEC;
		set(id, TIMER_ABSTIME, end, 0);
		checkrange(left(id), 1, 30 * MSEC);
		checkeq(take(&si), SIG);
		checkeq(si.si_value.sival_int, i);
		check(now(clocks[i]) >= end);
	}
}

static void
timer_set_again_and_stopped(void)
{
	int id = newtimer(CLOCK_MONOTONIC, SIG, 0);
	struct itimerspec it = {spec(3), spec(HOUR * 1000000000LL)}, old;

	blocksigs();
	set(id, 0, 2 * HOUR * 1000000000LL, 7);
	must(syscall(SYS_timer_settime, id, 0, &it, &old) == 0);
	checkeq(nsec(old.it_interval), 7);
	checkrange(old.it_value.tv_sec, 2 * HOUR - 5, 2 * HOUR);
	checkrange(left(id) / 1000000000, HOUR - 5, HOUR);
	memset(&it, 0, sizeof it);
	it.it_interval.tv_nsec = 5; /* has no meaning then */
	must(syscall(SYS_timer_settime, id, 0, &it, &old) == 0);
	checkeq(nsec(old.it_interval), 3);
	must(syscall(SYS_timer_gettime, id, &it) == 0);
	checkeq(nsec(it.it_value), 0);
	check(none());
}

static void
timer_deleted_sends_nothing(void)
{
	int id = newtimer(CLOCK_MONOTONIC, SIG, 0);

	blocksigs();
	set(id, 0, 10 * MSEC, MSEC);
	checkeq(syscall(SYS_timer_delete, id), 0);
	checkerr(syscall(SYS_timer_delete, id), EINVAL);
	msleep(30);
	check(none());
}

/* What an ignored timer would have sent is gone, but it goes on. */
static void
timer_ignored(void)
{
	int id = newtimer(CLOCK_MONOTONIC, SIG, 0);
	siginfo_t si;

	signal(SIG, SIG_IGN);
	set(id, 0, MSEC, 20 * MSEC);
	msleep(10);
	blocksigs();
	signal(SIG, SIG_DFL);
	checkeq(take(&si), SIG);
}

static void
timer_without_signal(void)
{
	struct sigevent ev = {.sigev_notify = SIGEV_NONE};
	long long before, after, l;
	int id;

	must(syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &id) == 0);
	before = now(CLOCK_MONOTONIC);
	set(id, 0, 3 * MSEC, 0);
	while (left(id) > 0)
		;
	check(now(CLOCK_MONOTONIC) - before >= 3 * MSEC);
	before = now(CLOCK_MONOTONIC);
	set(id, 0, 3 * MSEC, 50 * MSEC);
	after = now(CLOCK_MONOTONIC);
	while (now(CLOCK_MONOTONIC) - after < 4 * MSEC)
		;
	l = left(id); /* of the second time */
	checkrange(l, 1, 50 * MSEC);
	check(now(CLOCK_MONOTONIC) - before >= 53 * MSEC - l);
}

static void
burn(int clock, long long ns)
{
	long long end = now(clock) + ns;

	while (now(clock) < end)
		;
}

/* CPU clocks run only while we do. */
static void
timer_of_processor_time(void)
{
	int clocks[] = {CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
		(int)(~(unsigned)getpid() << 3 | 2), ~0u << 3 | 2,
		~0u << 3 | 6};
	long long end;
	siginfo_t si;
	int i, id;

	blocksigs();
	for (i = 0; i < NUM(clocks); i++) {
		id = newtimer(clocks[i], SIG, 0);
		end = now(clocks[i]) + 40 * MSEC;
		set(id, 0, 40 * MSEC, 0);
		msleep(60);
		check(none());
		check(left(id) > 0);
		burn(clocks[i], 60 * MSEC);
		checkeq(take(&si), SIG);
		checkeq(si.si_timerid, id);
		check(now(clocks[i]) >= end);
		checkeq(left(id), 0);
	}
}

static void
timer_to_thread_id(void)
{
	struct sigevent ev = {.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = SIG};
	siginfo_t si;
	int id;

	blocksigs();
	ev._sigev_un._tid = syscall(SYS_gettid);
	must(syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &id) == 0);
	set(id, 0, 1, 0);
	checkeq(take(&si), SIG);
	ev._sigev_un._tid = getppid();
	checkerr(syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &id), EINVAL);
}

static void
timer_not_inherited(void)
{
	int id = newtimer(CLOCK_MONOTONIC, SIG, 0), pid;
	struct itimerspec it;
	char number[16];

	blocksigs();
	set(id, 0, HOUR * 1000000000LL, 0);
	alarm(100);
	pid = fork();
	if (pid == 0) {
		checkerr(syscall(SYS_timer_gettime, id, &it), EINVAL);
		checkeq(alarm(0), 0);
		finish();
	}
	reaped(pid);
	pid = fork();
	if (pid == 0) { /* exec ends these timers, not the old ones */
		must(newtimer(CLOCK_MONOTONIC, SIG, 0) == 0);
		set(0, 0, 1, 1);
		alarm(100);
		sprintf(number, "%d", 0);
		execl(exepath, "t", "--timers", number, (char *)0);
		failed(__FILE__, __LINE__, "exec");
		finish();
	}
	reaped(pid);
	checkrange(alarm(0), 99, 100);
}

static void
timer_bad_arguments(void)
{
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIG};
	struct itimerspec it = {{0, 0}, {1, 0}};
	int id;

	checkerr(syscall(SYS_timer_create, 77, &ev, &id), EINVAL);
	checkerr(syscall(SYS_timer_create, 10, &ev, &id), EINVAL);
	checkerr(syscall(SYS_timer_create, -1, &ev, &id), EINVAL);
	checkerr(syscall(SYS_timer_create, CLOCK_MONOTONIC_RAW, &ev, &id),
		EOPNOTSUPP);
	checkerr(syscall(SYS_timer_create, CLOCK_MONOTONIC_COARSE, &ev, &id),
		EOPNOTSUPP);
	checkerr(syscall(SYS_timer_create, CLOCK_MONOTONIC, 16, &id), EFAULT);
	checkerr(syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, 16), EFAULT);
	ev.sigev_signo = 0;
	checkerr(syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &id), EINVAL);
	ev.sigev_signo = 65;
	checkerr(syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &id), EINVAL);
	ev.sigev_signo = SIG;
	ev.sigev_notify = 99;
	checkerr(syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &id), EINVAL);
	id = newtimer(CLOCK_MONOTONIC, SIG, 0);
	checkerr(syscall(SYS_timer_settime, id, 0, 0, 0), EINVAL);
	checkerr(syscall(SYS_timer_settime, id, 0, 16, 0), EFAULT);
	checkerr(syscall(SYS_timer_settime, id + 100, 0, &it, 0), EINVAL);
	checkerr(syscall(SYS_timer_gettime, id + 100, &it), EINVAL);
	checkerr(syscall(SYS_timer_gettime, id, 16), EFAULT);
	checkerr(syscall(SYS_timer_getoverrun, id + 100), EINVAL);
	it.it_value.tv_nsec = 1000000000;
	checkerr(syscall(SYS_timer_settime, id, 0, &it, 0), EINVAL);
	it.it_value.tv_nsec = 0;
	it.it_interval.tv_sec = -1;
	checkerr(syscall(SYS_timer_settime, id, 0, &it, 0), EINVAL);
}

/* timer_settime64, timer_gettime64; the high half of tv_nsec is padding. */
static void
timer_wide_times(void)
{
	struct wide {
		long long isec;
		int insec, ijunk;
		long long sec;
		int nsec, junk;
	} it = {1LL << 31, 5, -1, 3LL << 30, 999999999, -1}, old;
	int id = newtimer(CLOCK_MONOTONIC, SIG, 0);

	must(syscall(409, id, 0, &it, 0) == 0);
	must(syscall(408, id, &old) == 0);
	checkeq(old.isec, 1LL << 31);
	checkeq(old.insec, 5);
	checkeq(old.ijunk, 0);
	checkrange(old.sec, (3LL << 30) - 5, 3LL << 30);
	it.sec = 0;
	it.nsec = 1;
	blocksigs();
	must(syscall(409, id, TIMER_ABSTIME, &it, &old) == 0);
	checkrange(old.sec, (3LL << 30) - 5, 3LL << 30);
	checkeq(sigwaitinfo(&sigs, 0), SIG);
}

static void
timer_limit(void)
{
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIG};
	struct rlimit lim = {sigqueued() + 10, sigqueued() + 10};
	int ids[11], n;

	must(setrlimit(RLIMIT_SIGPENDING, &lim) == 0);
	for (n = 0; n < NUM(ids); n++)
		if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev,
			&ids[n]) < 0)
			break;
	checkeq(errno, EAGAIN);
	checkrange(n, quire ? 10 : 1, 10); /* a host's are the user's */
	must(syscall(SYS_timer_delete, ids[0]) == 0);
	checkeq(syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &ids[0]), 0);
	check(ids[0] >= n);
}

/* Many at once, set and deleted in odd order: each comes once, on time. */
static void
timer_many(void)
{
	int id[500], got[500] = {0}, i;
	long long start = now(CLOCK_MONOTONIC);
	siginfo_t si;

	blocksigs();
	for (i = 0; i < NUM(id); i++)
		id[i] = newtimer(CLOCK_MONOTONIC, SIG, i);
	for (i = 0; i < NUM(id); i++)
		set(id[i], 0, (1 + i * 37 % 100) * MSEC, 0);
	for (i = 0; i < NUM(id); i += 3)
		must(syscall(SYS_timer_delete, id[i]) == 0);
	for (i = 1; i < NUM(id); i += 6)
		set(id[i], 0, 0, 0);
	for (i = 1; i < NUM(id); i += 6)
		set(id[i], 0, (1 + i * 37 % 100) * MSEC, 0);
	for (i = 0; i < NUM(id) * 2 / 3; i++) {
		must(take(&si) == SIG);
		got[si.si_value.sival_int]++;
		check(now(CLOCK_MONOTONIC) - start >=
			(1 + si.si_value.sival_int * 37 % 100) * MSEC);
	}
	for (i = 0; i < NUM(id); i++)
		checkeq(got[i], i % 3 != 0);
	check(none());
}

static void
onitimer(int sig)
{
	(void)sig;
	count++;
}

static void
timer_virtual_and_prof(void)
{
	struct itimerval it = {{0, 20000}, {0, 20000}}, got;
	long long start = now(CLOCK_PROCESS_CPUTIME_ID);

	signal(SIGVTALRM, onitimer);
	checkeq(setitimer(ITIMER_VIRTUAL, &it, 0), 0);
	while (count < 3)
		;
	check(now(CLOCK_PROCESS_CPUTIME_ID) - start >= 40 * MSEC);
	checkeq(getitimer(ITIMER_VIRTUAL, &got), 0);
	checkeq(got.it_interval.tv_usec, 20000);
	checkrange(got.it_value.tv_usec, 0, 20000 + 4000);
	memset(&it, 0, sizeof it);
	checkeq(setitimer(ITIMER_VIRTUAL, &it, 0), 0);
	signal(SIGPROF, onitimer);
	count = 0;
	it.it_value.tv_usec = 20000;
	checkeq(setitimer(ITIMER_PROF, &it, 0), 0);
	while (!count)
		;
	checkeq(getitimer(ITIMER_PROF, &got), 0);
	checkeq(got.it_value.tv_usec, 0);
	checkeq(got.it_value.tv_sec, 0);
}

const struct test t_timer[] = {
	T(timer_tells_who_it_is),
	T(timer_default_event),
	T(timer_counts_overruns),
	T(timer_interval_in_handler),
	T(timer_absolute),
	T(timer_set_again_and_stopped),
	T(timer_deleted_sends_nothing),
	T(timer_ignored),
	T(timer_without_signal),
	T(timer_of_processor_time),
	T(timer_to_thread_id),
	T(timer_not_inherited),
	T(timer_bad_arguments),
	T(timer_wide_times),
	T(timer_limit),
	T(timer_many),
	T(timer_virtual_and_prof),
	{0},
};
