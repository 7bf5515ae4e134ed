/*
 * timev.c - run a command, then say what it used: time, faults, memory.
 *
 *   timev COMMAND ...
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double
seconds(struct timeval t)
{
	return t.tv_sec + t.tv_usec / 1e6;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void
report(const struct rusage *ru, double elapsed, int st)
{
	fprintf(stderr, "elapsed seconds               %.3f\n", elapsed);
	fprintf(stderr, "user seconds                  %.3f\n",
		seconds(ru->ru_utime));
	fprintf(stderr, "system seconds                %.3f\n",
		seconds(ru->ru_stime));
	fprintf(stderr, "maximum resident KiB          %ld\n", ru->ru_maxrss);
	fprintf(stderr, "minor faults                  %ld\n", ru->ru_minflt);
	fprintf(stderr, "major faults                  %ld\n", ru->ru_majflt);
	fprintf(stderr, "voluntary context switches    %ld\n", ru->ru_nvcsw);
	fprintf(stderr, "involuntary context switches  %ld\n", ru->ru_nivcsw);
	if (WIFSIGNALED(st))
		fprintf(stderr, "killed by signal              %d\n",
			WTERMSIG(st));
	else
		fprintf(stderr, "exit status                   %d\n",
			WEXITSTATUS(st));
}

int
main(int argc, char **argv)
{
	double start = now();
	struct rusage ru;
	int st, pid;

	if (argc < 2) {
		fprintf(stderr, "usage: timev COMMAND ...\n");
		return 2;
	}
	pid = fork();
	if (pid == 0) {
		execvp(argv[1], argv + 1);
		fprintf(stderr, "timev: %s: %s\n", argv[1], strerror(errno));
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &st, 0, &ru) < 0) {
		perror("timev");
		return 126;
	}
	report(&ru, now() - start, st);
	return WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
}
