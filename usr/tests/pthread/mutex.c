/* mutex.c - mutexes: plain, recursive, errorcheck, with a time limit. */
#include "p.h"

#define ROUNDS 5000

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int counter;

static void *
count(void *arg)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&m);
		counter++;
		if (i % 100 == N_(arg))
			sched_yield(); /* let the others find it held */
		pthread_mutex_unlock(&m);
	}
	return 0;
}

static void *
trylock(void *arg)
{
	int e = pthread_mutex_trylock(arg);

	if (e == 0)
		pthread_mutex_unlock(arg);
	return (void *)(intptr_t)e;
}

static void *
unlock(void *arg)
{
	return (void *)(intptr_t)pthread_mutex_unlock(arg);
}

static const char *
elsewhere(void *(*fn)(void *), pthread_mutex_t *mutex)
{
	return err(N_(join(start(fn, mutex))));
}

static void
kind(pthread_mutex_t *mutex, int type)
{
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, type);
	pthread_mutex_init(mutex, &a);
	pthread_mutexattr_destroy(&a);
}

static void
recursive(void)
{
	pthread_mutex_t r;
	int i;

	kind(&r, PTHREAD_MUTEX_RECURSIVE);
	for (i = 0; i < 3; i++)
		say("recursive: lock %s", err(pthread_mutex_lock(&r)));
	say("recursive: unlock elsewhere %s", elsewhere(unlock, &r));
	for (i = 0; i < 3; i++) {
		say("recursive: trylock elsewhere %s", elsewhere(trylock, &r));
		say("recursive: unlock %s", err(pthread_mutex_unlock(&r)));
	}
	say("recursive: trylock elsewhere %s", elsewhere(trylock, &r));
	say("recursive: unlock once more %s", err(pthread_mutex_unlock(&r)));
	pthread_mutex_destroy(&r);
}

static void
errorcheck(void)
{
	pthread_mutex_t r;

	kind(&r, PTHREAD_MUTEX_ERRORCHECK);
	say("errorcheck: unlock free %s", err(pthread_mutex_unlock(&r)));
	say("errorcheck: lock %s", err(pthread_mutex_lock(&r)));
	say("errorcheck: again %s", err(pthread_mutex_lock(&r)));
	say("errorcheck: trylock %s", err(pthread_mutex_trylock(&r)));
	say("errorcheck: unlock elsewhere %s", elsewhere(unlock, &r));
	say("errorcheck: unlock %s", err(pthread_mutex_unlock(&r)));
	pthread_mutex_destroy(&r);
}

static void *
timed(void *arg)
{
	struct timespec t;
	long long begin = nowms();
	int e = pthread_mutex_timedlock(arg, after(&t, CLOCK_REALTIME, 50));

	say("timedlock of a held one %s, %s", err(e),
		nowms() - begin >= 49 ? "in time" : "too early");
	e = pthread_mutex_timedlock(arg, after(&t, CLOCK_REALTIME, 50000));
	say("timedlock %s", err(e));
	if (e == 0)
		pthread_mutex_unlock(arg);
	return 0;
}

void
mutexes(void)
{
	struct timespec past = {1, 0};
	pthread_t t;

	crowd(4, count);
	say("counted to %d", counter);
	say("lock %s", err(pthread_mutex_lock(&m)));
	say("trylock %s", err(pthread_mutex_trylock(&m)));
	say("trylock elsewhere %s", elsewhere(trylock, &m));
	t = start(timed, &m);
	nap(120);
	pthread_mutex_unlock(&m);
	join(t);
	say("trylock elsewhere %s", elsewhere(trylock, &m));
	say("timedlock, free, too late %s",
		err(pthread_mutex_timedlock(&m, &past)));
	say("destroy held: trylock %s", err(pthread_mutex_trylock(&m)));
	pthread_mutex_unlock(&m);
	recursive();
	errorcheck();
}
