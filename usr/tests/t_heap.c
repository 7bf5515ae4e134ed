/* t_heap.c - the heap and anonymous memory are there when touched. */
#include "t.h"

#include <sys/mman.h>

static char *
rawbrk(void *to)
{
	return (char *)int80(SYS_brk, (long)to, 0, 0);
}

static void
brk_returns_what_was_asked(void)
{
	char *start = rawbrk(0), *end = start + 12345;

	checkeq((uintptr_t)rawbrk(end), (uintptr_t)end);
	checkeq((uintptr_t)rawbrk(0), (uintptr_t)end);
	start[0] = 1;
	end[-1] = 2;
	checkeq((uintptr_t)rawbrk(start), (uintptr_t)start);
}

static void
brk_failure_returns_current(void)
{
	char *now = rawbrk(0);

	checkeq((uintptr_t)rawbrk((void *)1), (uintptr_t)now);
	checkeq((uintptr_t)rawbrk((void *)0xfffff000), (uintptr_t)now);
	checkeq((uintptr_t)rawbrk((void *)0xffffffff), (uintptr_t)now);
	checkeq((uintptr_t)rawbrk(0), (uintptr_t)now);
}

static void
brk_stops_at_mapping(void)
{
	char *now = (char *)(((uintptr_t)rawbrk(0) + PG - 1) & -PG);
	char *wall = now + 64 * PG;

	must(mmap(wall, PG, PROT_READ,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		     0) == wall);
	now = rawbrk(0);
	checkeq((uintptr_t)rawbrk(wall + PG), (uintptr_t)now);
	checkeq((uintptr_t)rawbrk(wall + 1), (uintptr_t)now);
}

static void
heap_untouched_costs_nothing(void)
{
	char *now = rawbrk(0);
	long faults, size;

	rss();
	minflt();
	size = rss();
	faults = minflt();
	must(rawbrk(now + (64 << 20)) == now + (64 << 20));
	checkcount(minflt() - faults, 0, 2);
	if (quire)
		checkeq(rss() - size, 0);
	must(rawbrk(now) == now);
}

/* Reads map a page of zeroes that is not ours; writes make it ours. */
static void
heap_read_then_write(void)
{
	volatile char *p = area(64);
	long faults, size;
	int i, sum = 0;

	must(mprotect((void *)p, 64 * PG, PROT_READ | PROT_WRITE) == 0);
	rss();
	size = rss();
	faults = minflt();
	for (i = 0; i < 64; i++)
		sum += p[i * PG + i];
	checkeq(sum, 0);
	checkcount(minflt() - faults, 64, 8);
	if (quire)
		checkeq(rss() - size, 0);
	faults = minflt();
	for (i = 0; i < 64; i++)
		p[i * PG] = i;
	checkcount(minflt() - faults, 64, 8);
	if (quire)
		checkeq(rss() - size, 64);
	for (i = 0; i < 64; i++)
		sum += p[i * PG] != i || p[i * PG + 1] != 0;
	checkeq(sum, 0);
}

static void
heap_write_faults_once_a_page(void)
{
	volatile char *p = area(100);
	long faults;
	int i;

	must(mprotect((void *)p, 100 * PG, PROT_READ | PROT_WRITE) == 0);
	faults = minflt();
	for (i = 0; i < 100 * PG; i += 64)
		p[i] = 1;
	checkcount(minflt() - faults, 100, 8);
}

static void
brk_regrow_reads_zero(void)
{
	char *start = (char *)(((uintptr_t)rawbrk(0) + PG - 1) & -PG);
	int i, sum = 0;

	must(rawbrk(start + 8 * PG) == start + 8 * PG);
	memset(start, 0xaa, 8 * PG);
	must(rawbrk(start + 2 * PG + 100) == start + 2 * PG + 100);
	checkeq(start[2 * PG + 99], (char)0xaa);
	must(rawbrk(start + 8 * PG) == start + 8 * PG);
	for (i = 3 * PG; i < 8 * PG; i++)
		sum |= start[i];
	checkeq(sum, 0);
	checkeq(start[2 * PG + 99], (char)0xaa);
	must(rawbrk(start) == start);
}

static void
touchbeyond(void)
{
	char *end = (char *)(((uintptr_t)rawbrk(0) + PG - 1) & -PG);

	*(volatile char *)end = 1;
}

static void
heap_beyond_end_segv(void)
{
	checkdeath(touchbeyond, SIGSEGV);
}

static void
fill(unsigned char *p, int n, int v)
{
	memset(p, v, n);
}

static int
holds(const unsigned char *p, int n, int v)
{
	int i;

	for (i = 0; i < n; i++)
		if (p[i] != (unsigned char)v)
			return 0;
	return 1;
}

/* malloc, realloc and free of all sizes keep every byte. */
static void
heap_malloc_stress(void)
{
	static unsigned char *p[256];
	static int size[256];
	int i, k, n, bad = 0;

	srnd(12345);
	for (i = 0; i < 6000; i++) {
		k = rnd() % 256;
		n = rnd() % 8 == 0 ? rnd() % 300000 : rnd() % 3000;
		if (p[k])
			bad += !holds(p[k], size[k], k);
		if (rnd() % 3 == 0) {
			p[k] = realloc(p[k], n + 1);
			if (n > size[k])
				n = size[k];
			must(p[k]);
			bad += !holds(p[k], n, k);
		} else {
			free(p[k]);
			p[k] = malloc(n + 1);
			must(p[k]);
		}
		size[k] = n + 1 < 1 ? 1 : n;
		fill(p[k], size[k], k);
	}
	checkeq(bad, 0);
	for (i = 0; i < 256; i++)
		free(p[i]);
}

/* Memory that is given back is gone, and new memory is zero. */
static void
heap_no_stale_data(void)
{
	int i, round, sum = 0;
	char *p;

	for (round = 0; round < 20; round++) {
		p = mmap(0, 64 * PG, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		must(p != MAP_FAILED);
		for (i = 0; i < 64 * PG; i++)
			sum |= p[i];
		memset(p, 0x5a, 64 * PG);
		must(munmap(p, 64 * PG) == 0);
	}
	checkeq(sum, 0);
}

/* Filling an empty slot flushes nothing, replacing a page flushes its one
 * translation; no fault reloads CR3. */
static void
heap_faults_flush_little(void)
{
	volatile char *p = area(64);
	long cr3, invlpg, flush;
	int i;

	must(mprotect((void *)p, 64 * PG, PROT_READ | PROT_WRITE) == 0);
	if (!quire)
		skip("nobody counts flushes here");
	vmstat("cr3");
	p[0] = 1;
	invlpg = vmstat("invlpg");
	flush = vmstat("flush");
	cr3 = vmstat("cr3");
	for (i = 1; i < 64; i++) {
		p[i * PG]; /* the zero page */
		p[i * PG] = 1;
	}
	checkeq(vmstat("invlpg") - invlpg, 63);
	checkeq(vmstat("flush") - flush, 0);
	checkrange(vmstat("cr3") - cr3, 0, 2); /* a tick may switch processes */
}

const struct test t_heap[] = {
	T(brk_returns_what_was_asked),
	T(brk_failure_returns_current),
	T(brk_stops_at_mapping),
	T(brk_regrow_reads_zero),
	T(heap_untouched_costs_nothing),
	T(heap_read_then_write),
	T(heap_write_faults_once_a_page),
	T(heap_faults_flush_little),
	T(heap_beyond_end_segv),
	T(heap_malloc_stress),
	T(heap_no_stale_data),
	{0},
};
