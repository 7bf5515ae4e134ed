/*
 * scale.c - what two do in a second, at the same time.
 *
 * Prints `name work-per-second` lines: page faults of two processes, of two
 * threads of one process, fork+exec of two processes.  On one CPU the two share
 * it; how much more they do on two is what ci/bench --scaling prints.  Runs as
 * the first process of Linux, too, and ends that machine when it is done.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PG    4096
#define CHUNK (16 << 20)    /* bytes touched between looks at the clock */
#define LONG  1000000000ll  /* ns for which it is measured */

static struct shared {
	volatile int ready;
	double rate[2];         /* work per second of each */
} *shared;

static double (*work)(void); /* does some: how much */

static long long
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

/* Map, touch each page, unmap. */
static double
faults(void)
{
	volatile char *p;
	int i;

	p = mmap(0, CHUNK, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		die("mmap");
	for (i = 0; i < CHUNK; i += PG)
		p[i] = 1;
	munmap((void *)p, CHUNK);
	return CHUNK / PG;
}

static double
forkexecs(void)
{
	char *argv[] = {"/bin/bench", "--exit", 0}, *envp[] = {0};
	int i, st, pid;

	for (i = 0; i < 10; i++) {
		pid = fork();
		if (pid == 0) {
			execve(argv[0], argv, envp);
			_exit(1);
		}
		if (pid < 0 || waitpid(pid, &st, 0) != pid || st != 0)
			die("fork and exec");
	}
	return i;
}

/* One of two: begin with the other, after a first time that does not count. */
static void *
half(void *arg)
{
	long long start, t;
	double done = 0;

	work();
	__sync_fetch_and_add(&shared->ready, 1);
	while (shared->ready < 2)
		__asm__ volatile("pause");
	start = now();
	do {
		done += work();
		t = now() - start;
	} while (t < LONG);
	shared->rate[arg != 0] = done * 1e9 / t;
	return 0;
}

static void
processes(void)
{
	int i, st;

	for (i = 0; i < 2; i++)
		if (fork() == 0) {
			half((void *)i);
			_exit(0);
		}
	for (i = 0; i < 2; i++)
		if (wait(&st) < 0 || st != 0)
			die("a process");
}

static void
threads(void)
{
	pthread_t t;

	if (pthread_create(&t, 0, half, shared) != 0)
		die("pthread_create");
	half(0);
	pthread_join(t, 0);
}

static void
measure(const char *name, void (*two)(void), double (*fn)(void))
{
	shared->ready = 0;
	work = fn;
	two();
	printf("%s %.0f\n", name, shared->rate[0] + shared->rate[1]);
	fflush(stdout);
}

int
main(void)
{
	shared = mmap(0, PG, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		die("mmap");
	measure("fault_procs", processes, faults);
	measure("fault_threads", threads, faults);
	measure("forkexec_procs", processes, forkexecs);
	printf("scale: done\n");
	fflush(stdout);
	if (getpid() == 1)
		reboot(RB_POWER_OFF); /* of the two kernels Linux needs it */
	return 0;
}
