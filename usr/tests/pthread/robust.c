/* robust.c - mutexes whose owner dies: a thread, a process. */
#include "p.h"

#define LOCKS 4

static struct mem {
	pthread_mutex_t m[LOCKS];
	pthread_barrier_t b;
	int got;
} *s;

static void
robustinit(pthread_mutex_t *m)
{
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(m, &a);
	pthread_mutexattr_destroy(&a);
}

static void
takeall(void)
{
	int i;

	for (i = 0; i < LOCKS; i++)
		pthread_mutex_lock(&s->m[i]);
}

static void *
owner(void *arg)
{
	takeall();
	return arg;
}

/* What who comes after finds, lock by lock. */
static void
heir(const char *who)
{
	int i, e;

	for (i = 0; i < LOCKS; i++) {
		e = pthread_mutex_lock(&s->m[i]);
		say("%s: lock %s", who, err(e));
		if (e == EOWNERDEAD && i != 1)
			pthread_mutex_consistent(&s->m[i]);
		say("%s: unlock %s", who, err(pthread_mutex_unlock(&s->m[i])));
		e = pthread_mutex_trylock(&s->m[i]);
		say("%s: again %s", who, err(e));
		if (e == 0)
			pthread_mutex_unlock(&s->m[i]);
		else
			robustinit(&s->m[i]);
	}
}

static void
exits(void)
{
	takeall();
	_exit(0);
}

static void
iskilled(void)
{
	takeall();
	kill(getpid(), SIGKILL);
}

static void
execs(void)
{
	takeall();
	execl(program, program, "--execed", (char *)0);
}

static void *
ownerwaited(void *arg)
{
	pthread_mutex_lock(&s->m[0]);
	pthread_barrier_wait(&s->b);
	nap(30); /* others wait for it by now */
	return arg;
}

static void *
inherit(void *arg)
{
	int e;

	pthread_barrier_wait(&s->b);
	e = pthread_mutex_lock(&s->m[0]);
	if (e == EOWNERDEAD) {
		__sync_fetch_and_add(&s->got, 1);
		pthread_mutex_consistent(&s->m[0]);
	}
	pthread_mutex_unlock(&s->m[0]);
	return arg;
}

static void *
oneofmany(void *arg)
{
	return N_(arg) == 0 ? ownerwaited(arg) : inherit(arg);
}

static void
ownerprocess(void)
{
	pthread_mutex_lock(&s->m[0]);
	pthread_barrier_wait(&s->b);
	nap(30);
	kill(getpid(), SIGKILL);
}

static void
heirprocess(void)
{
	inherit(0);
}

static void
waiting(void)
{
	pthread_barrierattr_t a;
	int i, st;

	pthread_barrierattr_init(&a);
	pthread_barrierattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&s->b, &a, 6);
	crowd(6, oneofmany);
	say("threads: %d inherited", s->got);
	s->got = 0;
	for (i = 0; i < 6; i++)
		if (fork() == 0) {
			(i == 0 ? ownerprocess : heirprocess)();
			_exit(0);
		}
	for (i = 0; i < 6; i++)
		wait(&st);
	say("processes: %d inherited", s->got);
}

void
robust(void)
{
	int i;

	s = sharedmem(sizeof(*s));
	for (i = 0; i < LOCKS; i++)
		robustinit(&s->m[i]);
	join(start(owner, 0));
	heir("thread");
	process(exits);
	heir("exit");
	process(iskilled);
	heir("kill");
	say("exec: status %x", process(execs));
	heir("exec");
	waiting();
	say("consistent of none: %s", err(pthread_mutex_consistent(&s->m[2])));
}
