/* hello.c - a small ordinary program; what it prints never varies. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N 20000

static uint32_t state = 12345;

static uint32_t
next(void)
{
	state = state * 1664525 + 1013904223;
	return state;
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint32_t
hash(const void *data, size_t n)
{
	const unsigned char *p = data;
	uint32_t h = 2166136261u;

	while (n--)
		h = (h ^ *p++) * 16777619;
	return h;
}

static void
sorting(void)
{
	uint32_t *v = malloc(N * sizeof *v);
	int i;

	if (v == 0)
		exit(1);
	for (i = 0; i < N; i++)
		v[i] = next();
	qsort(v, N, sizeof *v, compare);
	printf("qsort %08x %u %u\n", (unsigned)hash(v, N * sizeof *v),
		(unsigned)v[0], (unsigned)v[N - 1]);
	free(v);
}

static void
strings(void)
{
	char *p[100], *all = calloc(1, 100 * 1000);
	int i;

	if (all == 0)
		exit(1);
	for (i = 0; i < 100; i++) {
		p[i] = malloc(i * 10 + 1);
		memset(p[i], 'a' + i % 26, i * 10);
		p[i][i * 10] = 0;
		strcat(all, p[i]);
	}
	printf("strings %zu %08x %s\n", strlen(all),
		(unsigned)hash(all, strlen(all)), strchr(all, 'z') ? "z" : "-");
	for (i = 0; i < 100; i += 2)
		free(p[i]);
	all = realloc(all, 1000000);
	printf("realloc %08x\n", (unsigned)hash(all, strlen(all)));
}

int
main(int argc, char **argv)
{
	int i;

	printf("hello, world\n");
	for (i = 1; i < argc; i++)
		printf("argument %d: %s\n", i, argv[i]);
	sorting();
	strings();
	printf("%d %5.3f %e %s %lld\n", -7, 2.0 / 3, 12345.678, "end",
		1234567890123LL);
	return 0;
}
