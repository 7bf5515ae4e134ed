/*
 * main.c - run the tests, each in a process of its own, and print TAP.
 *   unit                      all
 *   unit [-s SEED] [-n STEPS] NAME...   these (a name or its beginning)
 */
#include "unit.h"
#include <stdlib.h>
#include <stdio.h>

uint steps;

static const struct test *const suites[] = {kalloctests, slabtests, vmatests,
	pcachetests, faulttests};
static uint64_t state = 1;
static uint failed, ran;

static int wanted(const char *name, char **names);
static void run(const struct test *, uint seed);

int
main(int argc, char **argv)
{
	uint seed = 0;

	for (argv++; argc > 2 && argv[0] && argv[1]; argv += 2)
		if (strcmp(argv[0], "-s") == 0)
			seed = strtoul(argv[1], 0, 0);
		else if (strcmp(argv[0], "-n") == 0)
			steps = strtoul(argv[1], 0, 0);
		else
			break;
	for (uint i = 0; i < NELEM(suites); i++)
		for (const struct test *t = suites[i]; t->fn; t++)
			if (wanted(t->name, argv))
				run(t, seed ? seed : ran + 1);
	printf("1..%u\n", ran);
	return failed || ran == 0;
}

/* Is its name, or its beginning, among names, or are there none? */
static int
wanted(const char *name, char **names)
{
	if (*names == 0)
		return 1;
	for (; *names; names++)
		if (strncmp(name, *names, strlen(*names)) == 0)
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
	printf("%sok %u - %s (seed %u)\n", ok ? "" : "not ", ran, t->name, seed);
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
