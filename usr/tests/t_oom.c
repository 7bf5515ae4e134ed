/*
 * t_oom.c - memory runs out.  Only for Quire, only when asked for: `t oom`.
 *
 * A child that takes all there is gets an error or is killed; the kernel and
 * its parent go on, and all memory comes back (run.c compares).
 */
#include "t.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

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

/* Take all memory there is, in pages that the kernel touches: read() does. */
static void
eatreading(void)
{
	int fd = open("/dev/zero", O_RDONLY);
	char *p;

	for (;;) {
		p = mmap(0, CHUNK, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			_exit(0);
		if (read(fd, p, CHUNK) != CHUNK)
			_exit(1); /* check() might be killed for its needs */
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

/* Files until the root is full. */
static void
eatfiles(void)
{
	static char buf[CHUNK / 4];
	char name[16];
	int i, fd, n = 1;

	for (i = 0; n > 0; i++) {
		sprintf(name, "oom%d", i);
		fd = open(name, O_WRONLY | O_CREAT, 0600);
		if (fd < 0)
			break;
		n = write(fd, buf, sizeof buf);
		close(fd);
	}
	check(errno == ENOSPC || errno == ENOMEM || errno == ENFILE);
	while (i >= 0) {
		sprintf(name, "oom%d", i--);
		unlink(name);
	}
}

/* Names until there is no room for one more. */
static void
eatnames(void)
{
	char name[200];
	int i, fd;

	must(mkdir("oomdir", 0700) == 0 && chdir("oomdir") == 0);
	for (i = 0;; i++) {
		sprintf(name, "%0180d", i);
		if (i % 3 == 0)
			fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		else
			fd = i % 3 == 1 ? mkdir(name, 0700) :
				symlink(name, name);
		if (fd < 0)
			break;
		if (i % 3 == 0)
			close(fd);
	}
	check(errno == ENOSPC || errno == ENOMEM || errno == ENFILE);
	while (i >= 0) {
		sprintf(name, "%0180d", i--);
		if (unlink(name) < 0)
			rmdir(name);
	}
	check(chdir("..") == 0);
	check(rmdir("oomdir") == 0);
}

/* Pipes, all full, in as many processes as there can be. */
static void
eatpipes(void)
{
	static char buf[65536];
	int fd[2], n;

	do {
		while (pipe2(fd, O_NONBLOCK) == 0)
			while ((n = write(fd[1], buf, sizeof buf)) > 0)
				;
		check(errno == EMFILE || errno == ENFILE || errno == ENOMEM);
	} while (int80(SYS_fork, 0, 0, 0) == 0 && close_range(3, ~0u, 0) == 0);
	while (wait(0) > 0)
		;
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
oom_reading(void)
{
	outcome(eatreading);
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

static void
oom_files(void)
{
	onlyquire();
	child(eatfiles);
}

static void
oom_names(void)
{
	onlyquire();
	child(eatnames);
}

static void
oom_pipes(void)
{
	outcome(eatpipes);
}

static void
deepfork(int depth)
{
	volatile char stack[100000];
	int i;

	for (i = 0; i < (int)sizeof stack; i += PG)
		stack[i] = i;
	if (depth > 0 && int80(SYS_fork, 0, 0, 0) == 0) {
		deepfork(depth - 1);
		int80(SYS_exit, stack[0], 0, 0);
	}
	while (wait(0) > 0)
		;
}

/* Processes with deep stacks, each the child of the one before. */
static void
eatstacks(void)
{
	deepfork(75); /* within the limit of 8 MB */
}

static void
oom_stacks(void)
{
	outcome(eatstacks);
}

const struct test t_oom[] = {
	T(oom_anonymous),
	T(oom_reading),
	T(oom_malloc),
	T(oom_forks),
	T(oom_files),
	T(oom_names),
	T(oom_pipes),
	T(oom_stacks),
	{0},
};
