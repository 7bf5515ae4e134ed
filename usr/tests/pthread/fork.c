/* fork.c - fork in a program that has threads; atfork handlers. */
#include "p.h"

static char order[16];
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static volatile int stop;
static int children, good;

static void
note(const char *s)
{
	strncat(order, s, sizeof(order) - strlen(order) - 1);
}

static void
prepare1(void)
{
	note("p");
	pthread_mutex_lock(&m);
}

static void
parent1(void)
{
	note("f");
	pthread_mutex_unlock(&m);
}

static void
child1(void)
{
	note("c");
	pthread_mutex_unlock(&m);
}

static void
prepare2(void)
{
	note("P");
}

static void
parent2(void)
{
	note("F");
}

static void
child2(void)
{
	note("C");
}

static void *
busy(void *arg)
{
	void *p;

	while (!stop) {
		p = malloc(100 + (size_t)N_(arg));
		pthread_mutex_lock(&m);
		memset(p, 1, 100);
		pthread_mutex_unlock(&m);
		free(p);
	}
	return 0;
}

static void *
inchild(void *arg)
{
	pthread_mutex_lock(&m);
	free(malloc(1000));
	pthread_mutex_unlock(&m);
	return arg;
}

/* In the child there is one thread, and it can start others. */
static void *
forker(void *arg)
{
	int i, st, pid;

	for (i = 0; i < 10; i++) {
		pid = fork();
		if (pid == 0)
			_exit(getpid() == syscall(SYS_gettid) &&
				join(start(inchild, &good)) == &good ? 9 : 1);
		__sync_fetch_and_add(&children, pid > 0);
		waitpid(pid, &st, 0);
		__sync_fetch_and_add(&good, st == 9 << 8);
	}
	return arg;
}

static void *
forkonce(void *arg)
{
	int pid, st;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		say("child: %s", order);
		exit(0);
	}
	waitpid(pid, &st, 0);
	say("parent: %s, status %x", order, st);
	return arg;
}

void
forks(void)
{
	pthread_t t[3];
	int i;

	pthread_atfork(prepare1, parent1, child1);
	pthread_atfork(prepare2, parent2, child2);
	forkonce(0);
	order[0] = 0;
	join(start(forkonce, 0));
	for (i = 0; i < 3; i++)
		t[i] = start(busy, (void *)(intptr_t)i);
	crowd(3, forker);
	stop = 1;
	for (i = 0; i < 3; i++)
		join(t[i]);
	say("children %d, good %d", children, good);
}
