/* barrier.c - barriers, spin locks, pthread_once; reader-writer locks. */
#include "p.h"

#define THREADS 8
#define ROUNDS  100

static pthread_barrier_t b;
static pthread_spinlock_t spin;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int inits, serial, early, spun, phase[THREADS];

static void
init(void)
{
	nap(5); /* the others find it under way */
	inits++;
}

static void *
march(void *arg)
{
	int i, j;

	pthread_once(&once, init);
	if (inits != 1)
		__sync_fetch_and_add(&early, 1);
	for (i = 0; i < ROUNDS; i++) {
		phase[N_(arg)] = i;
		if (pthread_barrier_wait(&b) == PTHREAD_BARRIER_SERIAL_THREAD)
			__sync_fetch_and_add(&serial, 1);
		for (j = 0; j < THREADS; j++)
			if (phase[j] != i)
				__sync_fetch_and_add(&early, 1);
		pthread_spin_lock(&spin);
		spun++;
		pthread_spin_unlock(&spin);
		pthread_barrier_wait(&b);
	}
	return 0;
}

void
barriers(void)
{
	say("of none %s", err(pthread_barrier_init(&b, 0, 0)));
	pthread_barrier_init(&b, 0, THREADS);
	pthread_spin_init(&spin, 0);
	crowd(THREADS, march);
	say("once %d, serial %d, early %d, spun %d", inits, serial, early,
		spun);
	say("spin trylock %s", err(pthread_spin_trylock(&spin)));
	say("spin trylock %s", err(pthread_spin_trylock(&spin)));
	say("destroy %s", err(pthread_barrier_destroy(&b)));
}

static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static int one, two, torn, reads, writes;

static void *
readwrite(void *arg)
{
	int i;

	for (i = 0; i < 1000; i++) {
		if (N_(arg) < 2) {
			pthread_rwlock_wrlock(&rw);
			one++;
			if (i % 50 == 0)
				sched_yield();
			two++;
			writes++;
		} else {
			pthread_rwlock_rdlock(&rw);
			if (one != two)
				__sync_fetch_and_add(&torn, 1);
			__sync_fetch_and_add(&reads, 1);
		}
		pthread_rwlock_unlock(&rw);
	}
	return 0;
}

static void *
tryboth(void *arg)
{
	struct timespec t;
	int r = pthread_rwlock_tryrdlock(&rw), w;

	if (r == 0)
		pthread_rwlock_unlock(&rw);
	w = pthread_rwlock_trywrlock(&rw);
	if (w == 0)
		pthread_rwlock_unlock(&rw);
	say("%s: tryrdlock %s, trywrlock %s", (char *)arg, err(r), err(w));
	w = pthread_rwlock_timedwrlock(&rw, after(&t, CLOCK_REALTIME, 30));
	if (w == 0)
		pthread_rwlock_unlock(&rw);
	say("%s: timedwrlock %s", (char *)arg, err(w));
	return 0;
}

void
rwlocks(void)
{
	crowd(6, readwrite);
	say("reads %d, writes %d, torn %d, %d = %d", reads, writes, torn, one,
		two);
	pthread_rwlock_rdlock(&rw);
	join(start(tryboth, "read"));
	pthread_rwlock_unlock(&rw);
	pthread_rwlock_wrlock(&rw);
	join(start(tryboth, "written"));
	pthread_rwlock_unlock(&rw);
	join(start(tryboth, "free"));
}
