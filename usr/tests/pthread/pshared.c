/* pshared.c - mutexes, conditions, barriers between processes. */
#include "p.h"

#define PROCS 4

static struct mem {
	pthread_mutex_t m;
	pthread_cond_t c;
	pthread_barrier_t b;
	pthread_rwlock_t rw;
	int counter, turn, serial, early, torn, one, two, phase[PROCS];
} *s;

static void
init(void)
{
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;
	pthread_barrierattr_t ba;
	pthread_rwlockattr_t ra;

	s = sharedmem(sizeof(*s));
	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&s->m, &ma);
	pthread_condattr_init(&ca);
	pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&s->c, &ca);
	pthread_barrierattr_init(&ba);
	pthread_barrierattr_setpshared(&ba, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&s->b, &ba, PROCS);
	pthread_rwlockattr_init(&ra);
	pthread_rwlockattr_setpshared(&ra, PTHREAD_PROCESS_SHARED);
	pthread_rwlock_init(&s->rw, &ra);
}

static void
count(int me)
{
	int i;

	for (i = 0; i < 2000; i++) {
		pthread_mutex_lock(&s->m);
		s->counter++;
		if (i % 100 == me)
			sched_yield();
		pthread_mutex_unlock(&s->m);
	}
}

/* Each in its turn, round and round. */
static void
round_(int me)
{
	int i;

	pthread_mutex_lock(&s->m);
	for (i = 0; i < 200; i++) {
		while (s->turn % PROCS != me)
			pthread_cond_wait(&s->c, &s->m);
		s->turn++;
		pthread_cond_broadcast(&s->c);
	}
	pthread_mutex_unlock(&s->m);
}

static void
march(int me)
{
	int i, j;

	for (i = 0; i < 50; i++) {
		s->phase[me] = i;
		if (pthread_barrier_wait(&s->b) ==
			PTHREAD_BARRIER_SERIAL_THREAD)
			__sync_fetch_and_add(&s->serial, 1);
		for (j = 0; j < PROCS; j++)
			if (s->phase[j] != i)
				__sync_fetch_and_add(&s->early, 1);
		pthread_barrier_wait(&s->b);
	}
}

static void
readwrite(int me)
{
	int i;

	for (i = 0; i < 500; i++) {
		if (me == 0) {
			pthread_rwlock_wrlock(&s->rw);
			s->one++;
			if (i % 50 == 0)
				sched_yield();
			s->two++;
		} else {
			pthread_rwlock_rdlock(&s->rw);
			if (s->one != s->two)
				__sync_fetch_and_add(&s->torn, 1);
		}
		pthread_rwlock_unlock(&s->rw);
	}
}

static void
processes(void (*fn)(int))
{
	int i, st;

	for (i = 0; i < PROCS; i++)
		if (fork() == 0) {
			fn(i);
			_exit(0);
		}
	for (i = 0; i < PROCS; i++)
		if (wait(&st) < 0 || st)
			say("status %x", st);
}

void
pshared(void)
{
	init();
	processes(count);
	say("counted to %d", s->counter);
	processes(round_);
	say("turns %d", s->turn);
	processes(march);
	say("serial %d, early %d", s->serial, s->early);
	processes(readwrite);
	say("torn %d, %d = %d", s->torn, s->one, s->two);
}
