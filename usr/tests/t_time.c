/* t_time.c - clocks, sleeps and interval timers. */
#include "t.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

static void
time_sleep_is_long_enough(void)
{
	static const int lengths[] = {1, 5, 20, 100};
	struct timespec a, b, t;
	long long us;
	int i;

	for (i = 0; i < NUM(lengths); i++) {
		t = (struct timespec){0, lengths[i] * 1000000};
		clock_gettime(CLOCK_MONOTONIC, &a);
		checkeq(nanosleep(&t, 0), 0);
		clock_gettime(CLOCK_MONOTONIC, &b);
		us = (b.tv_sec - a.tv_sec) * 1000000LL +
			(b.tv_nsec - a.tv_nsec) / 1000;
		checkrange(us, lengths[i] * 1000, lengths[i] * 1000 + 1000000);
	}
}

static void
time_sleep_bad_arguments(void)
{
	struct timespec t = {0, 1000000000};

	checkerr(nanosleep(&t, 0), EINVAL);
	t = (struct timespec){-1, 0};
	checkerr(nanosleep(&t, 0), EINVAL);
	t = (struct timespec){0, 0};
	checkeq(nanosleep(&t, 0), 0);
	checkerr(clock_gettime(77, &t), EINVAL);
}

static void
time_monotonic(void)
{
	struct timespec a, b;
	int i, bad = 0;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < 100000; i++, a = b) {
		clock_gettime(CLOCK_MONOTONIC, &b);
		bad += b.tv_sec < a.tv_sec ||
			(b.tv_sec == a.tv_sec && b.tv_nsec < a.tv_nsec) ||
			b.tv_nsec < 0 || b.tv_nsec >= 1000000000;
	}
	checkeq(bad, 0);
}

/* From one CPU to the next: time goes on, and does not jump. */
static void
time_across_processors(void)
{
	struct timespec a, b;
	unsigned all[32] = {0}, one;
	long long ns;
	int i;

	check(syscall(SYS_sched_getaffinity, 0, sizeof(all), all) > 0);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < 320; i++) {
		one = 1u << i % 32 & all[0];
		if (one == 0)
			continue;
		checkeq(syscall(SYS_sched_setaffinity, 0, 4, &one), 0);
		clock_gettime(CLOCK_MONOTONIC, &b);
		ns = (b.tv_sec - a.tv_sec) * 1000000000LL + b.tv_nsec -
			a.tv_nsec;
		checkrange(ns, 0, 10000000000LL);
		a = b;
	}
	checkeq(syscall(SYS_sched_setaffinity, 0, sizeof(all), all), 0);
}

static void
time_clocks_agree(void)
{
	struct timespec real;
	struct timeval tv;
	time_t t = time(0);

	clock_gettime(CLOCK_REALTIME, &real);
	gettimeofday(&tv, 0);
	checkrange(real.tv_sec - t, 0, 1);
	checkrange(tv.tv_sec - real.tv_sec, 0, 1);
	check(t > 1600000000); /* the real time clock was read */
}

static void
time_sleep_until(void)
{
	struct timespec t;
	long long start = nowms();

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += 60000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	checkeq(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0), 0);
	checkrange(nowms() - start, 59, 2000);
	t.tv_sec = 0; /* past already */
	checkeq(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0), 0);
}

static volatile int ticks;

static void
tick(int sig)
{
	(void)sig;
	ticks++;
}

static void
time_interval_timer(void)
{
	struct itimerval it = {{0, 20000}, {0, 20000}}, left;
	long long start = nowms();

	signal(SIGALRM, tick);
	checkeq(setitimer(ITIMER_REAL, &it, 0), 0);
	while (ticks < 5)
		pause();
	checkrange(nowms() - start, 95, 3000);
	checkeq(getitimer(ITIMER_REAL, &left), 0);
	checkeq(left.it_interval.tv_usec, 20000);
	memset(&it, 0, sizeof it);
	checkeq(setitimer(ITIMER_REAL, &it, &left), 0);
	checkrange(left.it_value.tv_usec, 0, 20000);
	checkerr(setitimer(9, &it, 0), EINVAL);
	it.it_value.tv_usec = 1000000;
	checkerr(setitimer(ITIMER_REAL, &it, 0), EINVAL);
}

static long
usedms(void)
{
	struct rusage ru;

	must(getrusage(RUSAGE_SELF, &ru) == 0);
	return (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000 +
	       (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1000;
}

/* What a process uses grows while it runs, and no faster than the time does
 * (but for a tick at each end). */
static void
time_processor_time(void)
{
	long long start = nowms();
	long before = usedms(), used;
	struct tms tms;

	while ((used = usedms() - before) < 100)
		;
	checkrange(nowms() - start, used - 20, 60000);
	check(times(&tms) != -1);
	checkrange((tms.tms_utime + tms.tms_stime) * 10, used - 20,
		usedms() + 20);
	start = nowms();
	before = usedms();
	msleep(200);
	checkrange(usedms() - before, 0, 100);
}

const struct test t_time[] = {
	T(time_sleep_is_long_enough),
	T(time_sleep_bad_arguments),
	T(time_monotonic),
	T(time_across_processors),
	T(time_clocks_agree),
	T(time_sleep_until),
	T(time_interval_timer),
	T(time_processor_time),
	{0},
};
