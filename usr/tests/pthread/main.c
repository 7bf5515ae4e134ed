/*
 * main.c - the pthread programs: one table of topics.
 *
 *   pthreads [TOPIC...]
 *
 * Each topic runs in a process of its own with a time limit.  Built upon glibc
 * and upon musl; ci/test compares what they print on Linux and on Quire.
 */
#include "p.h"

#include <stdarg.h>
#include <sys/mman.h>

#define LIMIT 100 /* seconds */
#define MOST  64  /* threads in a crowd */

static const struct topic {
	const char *name;
	void (*fn)(void);
} topics[] = {
	{"mutexes", mutexes},
	{"conditions", conditions},
	{"barriers", barriers},
	{"rwlocks", rwlocks},
	{"semaphores", semaphores},
	{"cancellation", cancellation},
	{"tls", tlsdata},
	{"threads", threads},
	{"endings", endings},
	{"forks", forks},
	{"robust", robust},
	{"pshared", pshared},
	{"signals", signals},
};

char *program;
static const char *topic;

static int
wanted(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return 1;
	return argc < 2;
}

static void
run(const struct topic *t)
{
	int pid = fork(), st = -1;

	if (pid == 0) {
		alarm(LIMIT);
		topic = t->name;
		t->fn();
		exit(0);
	}
	if (pid < 0 || waitpid(pid, &st, 0) != pid || st != 0)
		printf("%s: ended with %x\n", t->name, st);
}

int
main(int argc, char **argv)
{
	int i;

	setvbuf(stdout, 0, _IOLBF, 0);
	program = argv[0];
	if (argc == 2 && strcmp(argv[1], "--execed") == 0)
		return 42;
	if (argc == 2 && strcmp(argv[1], "--mainfirst") == 0) {
		topic = "endings";
		mainfirst();
	}
	for (i = 0; i < NUM(topics); i++)
		if (wanted(topics[i].name, argc, argv))
			run(&topics[i]);
	printf("pthreads: over\n");
	return 0;
}

void
say(const char *fmt, ...)
{
	char line[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	printf("%s: %s\n", topic, line);
}

const char *
err(int e)
{
	switch (e) {
#define E(name)                                                                \
	case name:                                                             \
		return #name;
		E(EAGAIN)
		E(EBUSY)
		E(EDEADLK)
		E(EINTR)
		E(EINVAL)
		E(EOWNERDEAD)
		E(ENOTRECOVERABLE)
		E(EPERM)
		E(ESRCH)
		E(ETIMEDOUT)
	case 0:
		return "0";
	default:
		return strerror(e);
	}
}

pthread_t
start(void *(*fn)(void *), void *arg)
{
	pthread_t t;
	int e = pthread_create(&t, 0, fn, arg);

	if (e) {
		say("pthread_create: %s", err(e));
		exit(1);
	}
	return t;
}

void *
join(pthread_t t)
{
	void *r;
	int e = pthread_join(t, &r);

	if (e)
		say("pthread_join: %s", err(e));
	return e ? 0 : r;
}

void
crowd(int n, void *(*fn)(void *))
{
	pthread_t t[MOST];
	int i;

	for (i = 0; i < n; i++)
		t[i] = start(fn, (void *)(intptr_t)i);
	for (i = 0; i < n; i++)
		join(t[i]);
}

int
process(void (*fn)(void))
{
	int pid, st = -1;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		alarm(LIMIT);
		fn();
		exit(0);
	}
	waitpid(pid, &st, 0);
	return st;
}

void *
sharedmem(size_t n)
{
	void *p = mmap(0, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		-1, 0);

	if (p == MAP_FAILED)
		exit(1);
	return p;
}

long long
nowms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

struct timespec *
after(struct timespec *t, clockid_t clock, int ms)
{
	clock_gettime(clock, t);
	t->tv_sec += ms / 1000;
	t->tv_nsec += ms % 1000 * 1000000L;
	if (t->tv_nsec >= 1000000000) {
		t->tv_sec++;
		t->tv_nsec -= 1000000000;
	}
	return t;
}

void
nap(int ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

	nanosleep(&t, 0);
}
