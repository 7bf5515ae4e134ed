/*
 * t_oom.c - memory runs out.  Only for Quire, only when asked for: `t oom`.
 *
 * A child that takes all there is gets an error or is killed; the kernel and
 * its parent go on, and all memory comes back (run.c compares).
 */
#include "t.h"

#include <sys/mman.h>

#define CHUNK (4 << 20)

static void
onlyquire(void)
{
	if (!quire)
		skip("it would take all the host's memory");
}

static void
eatanon(void)
{
	char *p;
	int i;

	for (;;) {
		p = mmap(0, CHUNK, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			_exit(0);
		for (i = 0; i < CHUNK; i += PG)
			p[i] = 1;
	}
}

static void
eatmalloc(void)
{
	char *p;

	while ((p = malloc(100000)))
		memset(p, 1, 100000);
	_exit(0);
}

static void
eatforks(void)
{
	int n = 0;
	long pid;
	int fd[2];
	char c;

	must(pipe(fd) == 0);
	for (;;) {
		pid = int80(SYS_fork, 0, 0, 0);
		if (pid == 0) {
			int80(SYS_close, fd[1], 0, 0);
			int80(SYS_read, fd[0], (long)&c, 1);
			int80(SYS_exit, 0, 0, 0);
		}
		if (pid < 0)
			break;
		n++;
	}
	close(fd[1]);
	while (wait(0) > 0)
		n--;
	checkeq(n, 0);
}

/* Ended by itself or killed, and nothing else. */
static void
outcome(void (*fn)(void))
{
	int st;

	onlyquire();
	st = status(fn);
	check(st == 0 || st == SIGKILL);
}

static void
oom_anonymous(void)
{
	outcome(eatanon);
}

static void
oom_malloc(void)
{
	outcome(eatmalloc);
}

static void
oom_forks(void)
{
	outcome(eatforks);
}

const struct test t_oom[] = {
	T(oom_anonymous),
	T(oom_malloc),
	T(oom_forks),
	{0},
};
