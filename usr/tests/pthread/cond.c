/* cond.c - condition variables: signal, broadcast, time limits, queues. */
#include "p.h"

#define ITEMS   1500
#define SLOTS   4
#define WAITERS 50

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t nonempty = PTHREAD_COND_INITIALIZER;
static pthread_cond_t nonfull = PTHREAD_COND_INITIALIZER;
static int queue[SLOTS], head, used, eaten, sum;

static void *
produce(void *arg)
{
	int i;

	for (i = 1; i <= ITEMS; i++) {
		pthread_mutex_lock(&m);
		while (used == SLOTS)
			pthread_cond_wait(&nonfull, &m);
		queue[(head + used++) % SLOTS] = i;
		pthread_cond_signal(&nonempty);
		pthread_mutex_unlock(&m);
	}
	return arg;
}

static void *
consume(void *arg)
{
	pthread_mutex_lock(&m);
	for (;;) {
		while (used == 0 && eaten < 2 * ITEMS)
			pthread_cond_wait(&nonempty, &m);
		if (used == 0)
			break;
		sum += queue[head];
		head = (head + 1) % SLOTS;
		used--;
		if (++eaten == 2 * ITEMS)
			pthread_cond_broadcast(&nonempty);
		pthread_cond_signal(&nonfull);
	}
	pthread_mutex_unlock(&m);
	return arg;
}

static void *
work(void *arg)
{
	return N_(arg) < 2 ? produce(arg) : consume(arg);
}

static pthread_cond_t go = PTHREAD_COND_INITIALIZER;
static pthread_cond_t arrived = PTHREAD_COND_INITIALIZER;
static int waiting, generation, left;

static void *
await(void *arg)
{
	int i, g;

	pthread_mutex_lock(&m);
	for (i = 0; i < 5; i++) {
		g = generation;
		if (++waiting == WAITERS)
			pthread_cond_signal(&arrived);
		while (g == generation)
			pthread_cond_wait(&go, &m);
		left++;
	}
	pthread_mutex_unlock(&m);
	return arg;
}

static void *
conduct(void *arg)
{
	int i;

	pthread_mutex_lock(&m);
	for (i = 0; i < 5; i++) {
		while (waiting < WAITERS)
			pthread_cond_wait(&arrived, &m);
		waiting = 0;
		generation++;
		pthread_cond_broadcast(&go);
	}
	pthread_mutex_unlock(&m);
	return arg;
}

static void *
orchestra(void *arg)
{
	return N_(arg) < WAITERS ? await(arg) : conduct(arg);
}

static void
timedwait(clockid_t clock)
{
	pthread_condattr_t a;
	pthread_cond_t c;
	struct timespec t;
	long long begin;
	int e;

	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, clock);
	pthread_cond_init(&c, &a);
	pthread_mutex_lock(&m);
	begin = nowms();
	e = pthread_cond_timedwait(&c, &m, after(&t, clock, 60));
	say("clock %d: timedwait %s, %s, mutex %s", (int)clock, err(e),
		nowms() - begin >= 59 ? "in time" : "too early",
		err(pthread_mutex_trylock(&m)));
	e = pthread_cond_timedwait(&c, &m, after(&t, clock, -1000));
	say("clock %d: too late %s", (int)clock, err(e));
	pthread_mutex_unlock(&m);
	pthread_cond_destroy(&c);
}

static int turn;

static void *
pingpong(void *arg)
{
	struct timespec t;
	int i, late = 0;

	pthread_mutex_lock(&m);
	for (i = 0; i < 1000; i++) {
		while (turn != N_(arg))
			late += pthread_cond_timedwait(&go, &m,
				after(&t, CLOCK_REALTIME, 50000)) != 0;
		turn = !turn;
		pthread_cond_signal(&go);
	}
	pthread_mutex_unlock(&m);
	if (late)
		say("ping-pong: late %d times", late);
	return 0;
}

void
conditions(void)
{
	crowd(5, work);
	say("ate %d items, sum %d", eaten, sum);
	crowd(WAITERS + 1, orchestra);
	say("broadcasts woke %d", left);
	timedwait(CLOCK_REALTIME);
	timedwait(CLOCK_MONOTONIC);
	crowd(2, pingpong);
	say("ping-pong over, turn %d", turn);
}
