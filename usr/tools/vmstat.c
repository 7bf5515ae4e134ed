/*
 * vmstat.c - the kernel's memory counters.
 *
 *   vmstat              all of /proc/vmstat, and free memory
 *   vmstat SECONDS      what changed, every so often
 *   vmstat COMMAND ...  what changed while the command ran
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX 256

struct counters {
	int n;
	struct {
		char name[40];
		long value;
	} c[MAX];
};

static void load(struct counters *);
static void add(struct counters *, const char *file, const char *only);
static void changes(const struct counters *, const struct counters *);
static int run(char **argv);

int
main(int argc, char **argv)
{
	static struct counters before, after;
	int i, status;

	load(&before);
	if (argc == 1) {
		for (i = 0; i < before.n; i++)
			printf("%-28s %12ld\n", before.c[i].name,
				before.c[i].value);
		return before.n == 0;
	}
	while (isdigit((unsigned char)argv[1][0])) {
		sleep(atoi(argv[1]) ? atoi(argv[1]) : 1);
		load(&after);
		changes(&before, &after);
		printf("\n");
		fflush(stdout);
		before = after;
	}
	status = run(argv + 1);
	load(&after);
	changes(&before, &after);
	return status;
}

static void
load(struct counters *c)
{
	c->n = 0;
	add(c, "/proc/vmstat", "");
	add(c, "/proc/meminfo", "MemFree");
}

/* The lines of a file whose name begins so. */
static void
add(struct counters *c, const char *file, const char *only)
{
	FILE *f = fopen(file, "r");
	char line[128];

	if (f == 0) {
		perror(file);
		return;
	}
	while (c->n < MAX && fgets(line, sizeof line, f))
		if (sscanf(line, "%39[^ :]%*[ :]%ld", c->c[c->n].name,
			    &c->c[c->n].value) == 2 &&
			strncmp(line, only, strlen(only)) == 0)
			c->n++;
	fclose(f);
}

static void
changes(const struct counters *a, const struct counters *b)
{
	int i;

	for (i = 0; i < a->n && i < b->n; i++)
		if (a->c[i].value != b->c[i].value)
			printf("%-28s %12ld %+10ld\n", b->c[i].name,
				b->c[i].value, b->c[i].value - a->c[i].value);
}

static int
run(char **argv)
{
	int st = 0, pid = fork();

	if (pid == 0) {
		execvp(argv[0], argv);
		fprintf(stderr, "vmstat: %s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &st, 0) < 0)
		return 126;
	return WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
}
