/* t_limit.c - RLIMIT_CPU: SIGXCPU each second, then SIGKILL. */
#include <sys/resource.h>
#include <time.h>

#include "t.h"

static volatile int xcpu;

static void
onxcpu(int sig)
{
	(void)sig;
	xcpu++;
}

static void
limit(rlim_t soft, rlim_t hard)
{
	struct rlimit r = {soft, hard};

	must(setrlimit(RLIMIT_CPU, &r) == 0);
}

static void
spins(void)
{
	for (;;)
		;
}

static void
softspins(void)
{
	limit(1, 3);
	spins();
}

static void
hardspins(void)
{
	limit(1, 1);
	spins();
}

/* A child has an account of its own, and the parent's limit. */
static void
childspins(void)
{
	limit(1, 3);
	checkdeath(spins, SIGXCPU);
	finish();
}

static void
soft(void)
{
	checkdeath(softspins, SIGXCPU);
}

static void
hard(void)
{
	checkdeath(hardspins, SIGKILL);
}

static void
inherited(void)
{
	child(childspins);
}

static void
handled(void)
{
	struct timespec ts;

	signal(SIGXCPU, onxcpu);
	limit(1, 10);
	while (xcpu == 0)
		;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	/* Linux judges by its ticks, which say more than there was. */
	checkrange(ts.tv_sec * 1000 + ts.tv_nsec / 1000000, 800, 1500);
}

/* What is over the limit already is told at once. */
static void
over(void)
{
	clock_t end = clock() + CLOCKS_PER_SEC * 11 / 10;

	signal(SIGXCPU, onxcpu);
	while (clock() < end)
		;
	limit(1, 10);
	end = clock() + CLOCKS_PER_SEC / 2;
	while (xcpu == 0 && clock() < end)
		;
	checkeq(xcpu, 1);
}

const struct test t_limit[] = {
	T(soft), T(hard), T(inherited), T(handled), T(over), {0},
};
