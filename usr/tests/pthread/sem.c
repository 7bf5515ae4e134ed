/* sem.c - semaphores, between threads and between processes. */
#include "p.h"

#include <semaphore.h>

static sem_t s, to, fro;
static int inside, most, taken;

static void *
enter(void *arg)
{
	int i, n;

	for (i = 0; i < 300; i++) {
		sem_wait(&s);
		n = __sync_add_and_fetch(&inside, 1);
		if (n > 3)
			most = n;
		__sync_fetch_and_add(&taken, 1);
		if (i % 10 == 0)
			sched_yield();
		__sync_fetch_and_sub(&inside, 1);
		sem_post(&s);
	}
	return arg;
}

static void *
echo(void *arg)
{
	int i;

	for (i = 0; i < 1000; i++) {
		sem_wait(&to);
		sem_post(&fro);
	}
	return arg;
}

static void
nothing(int sig)
{
	(void)sig;
}

static void *
interrupted(void *arg)
{
	sem_post(&to);
	errno = 0;
	while (sem_wait(&s) < 0)
		say("sem_wait %s", err(errno));
	say("sem_wait got it");
	return arg;
}

/* Signal the thread until it has gone on. */
static void
interrupt(void)
{
	struct sigaction sa = {.sa_handler = nothing};
	struct timespec t;
	pthread_t id;
	int e;

	sigaction(SIGUSR1, &sa, 0);
	id = start(interrupted, 0);
	sem_wait(&to);
	e = sem_timedwait(&fro, after(&t, CLOCK_REALTIME, 40));
	say("sem_timedwait %s", e < 0 ? err(errno) : "0");
	pthread_kill(id, SIGUSR1);
	sem_timedwait(&fro, after(&t, CLOCK_REALTIME, 40));
	sem_post(&s);
	join(id);
}

static sem_t *shared;

static void
processes(void)
{
	int i, st, value;

	shared = sharedmem(2 * sizeof(*shared));
	sem_init(&shared[0], 1, 0);
	sem_init(&shared[1], 1, 0);
	for (i = 0; i < 3; i++)
		if (fork() == 0) {
			for (i = 0; i < 200; i++) {
				sem_wait(&shared[0]);
				sem_post(&shared[1]);
			}
			_exit(0);
		}
	for (i = 0; i < 600; i++)
		sem_post(&shared[0]);
	for (i = 0; i < 600; i++)
		sem_wait(&shared[1]);
	for (i = 0; i < 3; i++)
		wait(&st);
	sem_getvalue(&shared[0], &value);
	say("processes: %d left, last status %d", value, st);
}

void
semaphores(void)
{
	struct timespec past = {1, 0};
	int i, value;
	pthread_t t;

	sem_init(&s, 0, 3);
	crowd(8, enter);
	sem_getvalue(&s, &value);
	say("taken %d, value %d, too many %d", taken, value, most);
	for (i = 0; i < 4; i++)
		say("trywait %s", sem_trywait(&s) < 0 ? err(errno) : "0");
	say("too late %s", sem_timedwait(&s, &past) < 0 ? err(errno) : "0");
	sem_init(&to, 0, 0);
	sem_init(&fro, 0, 0);
	t = start(echo, 0);
	for (i = 0; i < 1000; i++) {
		sem_post(&to);
		sem_wait(&fro);
	}
	join(t);
	say("echoed");
	interrupt();
	processes();
}
