/* cancel.c - cancellation: deferred, asynchronous, points, cleanup handlers. */
#include "p.h"

#include <semaphore.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static sem_t ready, never;
static int pipefd[2];
static char order[8];

static void
note(void *arg)
{
	size_t n = strlen(order);

	if (n < sizeof(order) - 1)
		order[n] = *(const char *)arg;
}

static void *
deferred(void *arg)
{
	pthread_cleanup_push(note, "1");
	pthread_cleanup_push(note, "2");
	pthread_cleanup_push(note, "3");
	sem_post(&ready);
	for (;;)
		pthread_testcancel();
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return arg;
}

static void *
asynchronous(void *arg)
{
	static volatile int i;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, 0);
	pthread_cleanup_push(note, "a");
	sem_post(&ready);
	for (;;)
		i++;
	pthread_cleanup_pop(0);
	return arg;
}

static void *
disabled(void *arg)
{
	int old;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	sem_post(&ready);
	sem_wait(&never); /* the cancellation has come when this returns */
	pthread_testcancel();
	note("d");
	pthread_setcancelstate(old, 0);
	pthread_testcancel();
	note("x");
	return arg;
}

static void *
inread(void *arg)
{
	char byte;

	pthread_cleanup_push(note, "r");
	sem_post(&ready);
	if (read(pipefd[0], &byte, 1) != 1)
		note("x");
	pthread_cleanup_pop(0);
	return arg;
}

static void *
insleep(void *arg)
{
	pthread_cleanup_push(note, "s");
	sem_post(&ready);
	sleep(1000);
	pthread_cleanup_pop(0);
	return arg;
}

static void *
inpause(void *arg)
{
	pthread_cleanup_push(note, "p");
	sem_post(&ready);
	pause();
	pthread_cleanup_pop(0);
	return arg;
}

static void *
insem(void *arg)
{
	pthread_cleanup_push(note, "e");
	sem_post(&ready);
	sem_wait(&never);
	pthread_cleanup_pop(0);
	return arg;
}

static void
held(void *arg)
{
	note(pthread_mutex_trylock(&m) == EBUSY ? "c" : "x");
	pthread_mutex_unlock(arg);
}

static void *
incond(void *arg)
{
	pthread_mutex_lock(&m);
	pthread_cleanup_push(held, &m);
	sem_post(&ready);
	for (;;)
		pthread_cond_wait(&c, &m);
	pthread_cleanup_pop(0);
	return arg;
}

static void *
asleep(void *arg)
{
	sem_wait(&never);
	return arg;
}

static void *
injoin(void *arg)
{
	pthread_t t = start(asleep, 0);

	pthread_cleanup_push(note, "j");
	sem_post(&ready);
	pthread_join(t, 0);
	pthread_cleanup_pop(0);
	return arg;
}

static void *
exits(void *arg)
{
	pthread_cleanup_push(note, "1");
	pthread_cleanup_push(note, "2");
	sem_post(&ready);
	pthread_exit(arg);
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return 0;
}

static const struct {
	const char *name;
	void *(*fn)(void *);
} rows[] = {
	{"deferred", deferred},
	{"asynchronous", asynchronous},
	{"disabled", disabled},
	{"read", inread},
	{"sleep", insleep},
	{"pause", inpause},
	{"sem_wait", insem},
	{"cond_wait", incond},
	{"join", injoin},
};

void
cancellation(void)
{
	pthread_t t;
	void *r;
	int i, e;

	sem_init(&ready, 0, 0);
	sem_init(&never, 0, 0);
	if (pipe(pipefd) < 0)
		exit(1);
	for (i = 0; i < NUM(rows); i++) {
		memset(order, 0, sizeof(order));
		t = start(rows[i].fn, 0);
		sem_wait(&ready);
		if (i % 2)
			nap(20); /* likely inside */
		e = pthread_cancel(t);
		if (rows[i].fn == disabled)
			sem_post(&never);
		r = join(t);
		say("%s: %s, %s, \"%s\"", rows[i].name, err(e),
			r == PTHREAD_CANCELED ? "cancelled" : "ended", order);
	}
	say("mutex %s", err(pthread_mutex_trylock(&m)));
	memset(order, 0, sizeof(order));
	r = join(start(exits, order));
	say("exits: %s, \"%s\"", r == order ? "ended" : "?", order);
}
