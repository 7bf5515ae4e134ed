/*
 * main.c - run the tests, each in a process of its own, and print TAP.
 *   unit [-s SEED] [-n STEPS] [-f N] [NAME...]   all, or these (a name or its
 *                    beginning), numbered from N; the caller prints the plan
 *   unit -c 1 [NAME...]   how many that would be
 * With UNIT_HIGH the names begin with high_.
 */
#include "unit.h"
#include <stdlib.h>
#include <stdio.h>

#ifdef UNIT_HIGH
#define PREFIX "high_"
#else
#define PREFIX ""
#endif

uint steps;

static const struct test *const suites[] = {
#ifdef UNIT_HIGH
	kallochightests,
#else
	kalloctests, slabtests, vmatests, pcachetests, disktests, blkqtests,
	machinetests,
#endif
	spacetests, faulttests};
static uint64_t state = 1;
static uint failed, ran, first = 1;

static int wanted(const char *name, char **names);
static void run(const struct test *, uint seed);

int
main(int argc, char **argv)
{
	uint seed = 0, count = 0;

	for (argv++; argc > 2 && argv[0] && argv[1]; argv += 2)
		if (strcmp(argv[0], "-s") == 0)
			seed = strtoul(argv[1], 0, 0);
		else if (strcmp(argv[0], "-n") == 0)
			steps = strtoul(argv[1], 0, 0);
		else if (strcmp(argv[0], "-f") == 0)
			first = strtoul(argv[1], 0, 0);
		else if (strcmp(argv[0], "-c") == 0)
			count = 1;
		else
			break;
	for (uint i = 0; i < NELEM(suites); i++)
		for (const struct test *t = suites[i]; t->fn; t++)
			if (!wanted(t->name, argv))
				continue;
			else if (count)
				ran++;
			else
				run(t, seed ? seed : ran + 1);
	if (count)
		printf("%u\n", ran);
	return failed != 0;
}

/* Is its name, or its beginning, among names, or are there none? */
static int
wanted(const char *name, char **names)
{
	char full[80];

	snprintf(full, sizeof(full), PREFIX "%s", name);
	if (*names == 0)
		return 1;
	for (; *names; names++)
		if (strncmp(full, *names, strlen(*names)) == 0)
			return 1;
	return 0;
}

static void
run(const struct test *t, uint seed)
{
	int ok;

	state = seed;
	ok = hostrun(t->fn);
	ran++;
	failed += !ok;
	printf("%sok %u - " PREFIX "%s (seed %u)\n", ok ? "" : "not ",
		first + ran - 1, t->name, seed);
}

/* splitmix64 (Steele, Lea, Flood). */
uint
rnd(uint n)
{
	state += 0x9E3779B97F4A7C15ull;
	uint64_t z = state;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
	z = (z ^ z >> 27) * 0x94D049BB133111EBull;
	return n ? (uint)((z ^ z >> 31) >> 32) % n : 0;
}

int
oneof(uint n)
{
	return rnd(n) == 0;
}

void
fail(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	abort();
}
