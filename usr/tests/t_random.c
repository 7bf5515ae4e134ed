/*
 * t_random.c - random operations on memory, against a model.
 *
 * The model holds, for each page of an area, whether it is mapped, what may be
 * done to it, and the number that was last written to its first and last word.
 * The operations are those that can cut and join mappings; a child that fork
 * makes finds what the model says, overwrites all it may, and is not noticed.
 */
#include "t.h"

#include <sys/mman.h>

#define N     64 /* pages */
#define STEPS 5000

static struct {
	int mapped, prot;
	unsigned value;
} model[N];

static char *base;
static int pipefd[2];
static int step;

static volatile unsigned *
word(int i, int last)
{
	return (unsigned *)(base + i * PG + (last ? PG - 4 : 0));
}

static void
complain(const char *what, int i, unsigned got)
{
	failed(__FILE__, __LINE__, "step %d: page %d: %s: %#x, not %#x", step,
		i, what, got, model[i].value);
	finish();
}

/* Compare one page with the model. */
static void
look(int i)
{
	char c;
	int can;

	can = write(pipefd[1], base + i * PG, 1) == 1;
	if (can)
		must(read(pipefd[0], &c, 1) == 1);
	if (can != (model[i].mapped && model[i].prot & PROT_READ))
		complain(can ? "is readable" : "is not readable", i, 0);
	if (can && *word(i, 0) != model[i].value)
		complain("first word", i, *word(i, 0));
	if (can && *word(i, 1) != model[i].value)
		complain("last word", i, *word(i, 1));
	must(write(pipefd[1], "x", 1) == 1);
	can = read(pipefd[0], base + i * PG + 8, 1) == 1;
	if (!can)
		must(read(pipefd[0], &c, 1) == 1);
	if (can != (model[i].mapped && model[i].prot & PROT_WRITE))
		complain(can ? "is writable" : "is not writable", i, 0);
}

static void
lookall(void)
{
	int i;

	for (i = 0; i < N; i++)
		look(i);
}

static void
put(int i, unsigned v)
{
	*word(i, 0) = *word(i, 1) = v;
	model[i].value = v;
}

static int
somerange(int *n)
{
	int i = rnd() % N;

	*n = 1 + rnd() % 12;
	if (*n > N - i)
		*n = N - i;
	return i;
}

static int
someprot(void)
{
	static const int prots[] = {PROT_NONE, PROT_READ,
		PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE};

	return prots[rnd() % NUM(prots)];
}

static void
opmmap(void)
{
	int n, i = somerange(&n), prot = someprot();

	must(mmap(base + i * PG, n * PG, prot,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		     0) == base + i * PG);
	for (; n--; i++) {
		model[i].mapped = 1;
		model[i].prot = prot;
		model[i].value = 0;
	}
}

static void
opmunmap(void)
{
	int n, i = somerange(&n);

	must(munmap(base + i * PG, n * PG) == 0);
	for (; n--; i++)
		model[i].mapped = 0;
}

static void
opmprotect(void)
{
	int n, i = somerange(&n), prot = someprot(), r;

	r = mprotect(base + i * PG, n * PG, prot);
	for (; n > 0 && model[i].mapped; n--, i++)
		model[i].prot = prot;
	if (r != (n > 0 ? -1 : 0))
		complain("mprotect", i, r);
}

/* Move one page, perhaps growing it to two. */
static void
opmremap(void)
{
	int from = rnd() % N, to = rnd() % (N - 1), n = 1 + rnd() % 2, i;
	char *p;

	if (!model[from].mapped || (from >= to && from < to + n))
		return;
	p = mremap(base + from * PG, PG, n * PG, MREMAP_MAYMOVE | MREMAP_FIXED,
		base + to * PG);
	if (p != base + to * PG)
		complain("mremap", from, (uintptr_t)p);
	for (i = 0; i < n; i++) {
		model[to + i] = model[from];
		if (i > 0)
			model[to + i].value = 0;
	}
	model[from].mapped = 0;
}

static void
opdontneed(void)
{
	int n, i = somerange(&n);

	madvise(base + i * PG, n * PG, MADV_DONTNEED);
	for (; n--; i++)
		model[i].value = 0;
}

static void
opwrite(void)
{
	int i = rnd() % N, k;

	for (k = 0; k < 8; k++, i = (i + 1) % N)
		if (model[i].mapped && model[i].prot & PROT_WRITE)
			put(i, rnd());
}

static void
opread(void)
{
	int i;

	for (i = 0; i < 4; i++)
		look(rnd() % N);
}

static void
opfork(void)
{
	int i, pid;

	if (rnd() % 8)
		return;
	pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		lookall();
		for (i = 0; i < N; i++)
			if (model[i].mapped && model[i].prot & PROT_WRITE)
				put(i, rnd());
		lookall();
		finish();
	}
	if (rnd() % 2)
		opwrite(); /* while the child runs, perhaps */
	reaped(pid);
	lookall();
}

static void
run(unsigned seed)
{
	static void (*const ops[])(void) = {opmmap, opmunmap, opmprotect,
		opmprotect, opmremap, opdontneed, opwrite, opwrite, opwrite,
		opread, opread, opfork};

	must(pipe(pipefd) == 0);
	base = area(N + 2);
	base += PG;
	must(munmap(base, N * PG) == 0);
	memset(model, 0, sizeof model);
	srnd(seed);
	for (step = 0; step < STEPS; step++)
		ops[rnd() % NUM(ops)]();
	lookall();
	close(pipefd[0]);
	close(pipefd[1]);
}

static void
random_operations_1(void)
{
	run(20261120);
}

static void
random_operations_2(void)
{
	run(0x5eed);
}

const struct test t_random[] = {
	T(random_operations_1),
	T(random_operations_2),
	{0},
};
