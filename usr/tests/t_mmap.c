/* t_mmap.c - the rules of mmap and its family for anonymous memory. */
#include "t.h"

#include <sys/mman.h>

#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define OUTSIDE ((char *)0xfffff000) /* in no user's address space */

static char *
anon(int pages)
{
	char *p = mmap(0, pages * PG, RW, ANON, -1, 0);

	must(p != MAP_FAILED);
	return p;
}

/* Pages of a reservation, so that no neighbour can merge with them. */
static char *
fixed(char *at, int pages, int prot)
{
	must(mmap(at, pages * PG, prot, ANON | MAP_FIXED, -1, 0) == at);
	return at;
}

static int fds[2];

/* Does the kernel find the byte readable, writable? */
static int
canread(volatile char *p)
{
	char c;

	if (fds[1] == 0)
		must(pipe(fds) == 0);
	return write(fds[1], (char *)p, 1) == 1 && read(fds[0], &c, 1) == 1;
}

static int
canwrite(volatile char *p)
{
	char c = *p;

	if (fds[1] == 0)
		must(pipe(fds) == 0);
	must(write(fds[1], &c, 1) == 1);
	return read(fds[0], (char *)p, 1) == 1 || read(fds[0], &c, 1) != 1;
}

static void
mmap_bad_arguments(void)
{
	char *p = area(4);

	checkerr(mmap(0, 0, RW, ANON, -1, 0), EINVAL);
	checkerr(mmap(0, PG, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
	checkerr(mmap(p + 1, PG, RW, ANON | MAP_FIXED, -1, 0), EINVAL);
	checkerr(mmap(OUTSIDE, PG, RW, ANON | MAP_FIXED, -1, 0), ENOMEM);
	checkerr(mmap(0, 0xfffff000, RW, ANON, -1, 0), ENOMEM);
	checkerr(mmap(0, 0xffffffff, RW, ANON, -1, 0), ENOMEM);
	checkerr(mmap(0, PG, RW, MAP_PRIVATE, -1, 0), EBADF);
	checkerr(mmap(0, PG, RW, MAP_PRIVATE, 999, 0), EBADF);
	checkerr(mmap(p, PG, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
	checkeq(mapcount(p, 4), 1);
}

static void
mmap_hints(void)
{
	char *p = area(16), *q;

	must(munmap(p + 4 * PG, 4 * PG) == 0);
	q = mmap(p + 5 * PG, PG, RW, ANON, -1, 0); /* free: taken */
	checkeq((uintptr_t)q, (uintptr_t)p + 5 * PG);
	q = mmap(p + 5 * PG, PG, RW, ANON, -1, 0); /* taken: elsewhere */
	check(q != p + 5 * PG && q != MAP_FAILED);
	q = mmap(p + 6 * PG + 123, PG, RW, ANON, -1, 0); /* rounded or not */
	check(((uintptr_t)q & (PG - 1)) == 0);
	q = mmap(OUTSIDE, PG, RW, ANON, -1, 0);
	check(q != MAP_FAILED && q < OUTSIDE);
	q = mmap(p + 7 * PG, PG, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	check(q == p + 7 * PG || errno == EEXIST);
}

static void
mmap_fixed_replaces(void)
{
	char *p = anon(4);

	memset(p, 1, 4 * PG);
	fixed(p + PG, 2, RW);
	checkeq(p[0], 1);
	checkeq(p[PG], 0);
	checkeq(p[3 * PG - 1], 0);
	checkeq(p[3 * PG], 1);
}

static void
mmap_length_rounds_up(void)
{
	char *a = area(8), *p = a + 2 * PG;

	must(mmap(p, 1, RW, ANON | MAP_FIXED, -1, 0) == p);
	p[PG - 1] = 1;
	must(munmap(p, 1) == 0);
	checkeq(mapcount(p, 1), 0);
	checkeq(mapcount(a, 8), 2);
}

/* Unmap the middle, in all the ways in which mappings can be cut. */
static void
munmap_splits(void)
{
	char *a = area(16), *p = fixed(a + 4 * PG, 8, RW);

	memset(p, 9, 8 * PG);
	must(munmap(p + 2 * PG, 2 * PG) == 0); /* AA..AAAA */
	checkeq(mapcount(p, 8), 2);
	checkeq(p[2 * PG - 1], 9);
	checkeq(p[4 * PG], 9);
	check(!canread(p + 2 * PG));
	must(munmap(p, PG) == 0);          /* .A..AAAA */
	must(munmap(p + 7 * PG, PG) == 0); /* .A..AAA. */
	checkeq(mapcount(p, 8), 2);
	must(munmap(p, 8 * PG) == 0); /* over the holes */
	checkeq(mapcount(p, 8), 0);
	must(munmap(p, 8 * PG) == 0); /* and where there is nothing */
	checkeq(mapcount(a, 16), 2);
}

static void
munmap_bad_arguments(void)
{
	char *p = anon(1);

	checkerr(munmap(p, 0), EINVAL);
	checkerr(munmap(p + 1, PG), EINVAL);
	checkerr(munmap(OUTSIDE, PG * 2), EINVAL);
	checkerr(munmap(p, 0xfffff000), EINVAL);
	checkeq(mapcount(p, 1), 1);
}

/* What was cut and has become equal is one mapping again. */
static void
mappings_merge(void)
{
	char *a = area(16), *p = fixed(a + 4 * PG, 6, RW);

	checkeq(mapcount(p, 6), 1);
	must(mprotect(p + 2 * PG, 2 * PG, PROT_READ) == 0);
	checkeq(mapcount(p, 6), 3);
	must(mprotect(p + 2 * PG, 2 * PG, RW) == 0);
	checkeq(mapcount(p, 6), 1);
	must(mprotect(p, PG, PROT_READ) == 0);
	checkeq(mapcount(p, 6), 2);
	must(mprotect(p, PG, RW) == 0);
	checkeq(mapcount(p, 6), 1);
	must(munmap(p + 3 * PG, PG) == 0);
	checkeq(mapcount(p, 6), 2);
	fixed(p + 3 * PG, 1, RW);
	checkeq(mapcount(p, 6), 1);
	fixed(p + 6 * PG, 2, RW);
	checkeq(mapcount(p, 8), 1);
}

static void
maps_shows_permissions(void)
{
	char *p = area(8), perms[5];
	uintptr_t s, e;

	fixed(p + 2 * PG, 2, PROT_READ);
	fixed(p + 4 * PG, 1, RW | PROT_EXEC);
	must(mapline(p + 3 * PG, &s, &e, perms));
	checkeq(s, (uintptr_t)p + 2 * PG);
	checkeq(e, (uintptr_t)p + 4 * PG);
	checkeq(strcmp(perms, "r--p"), 0);
	must(mapline(p + 4 * PG, &s, &e, perms));
	checkeq(strcmp(perms, "rwxp"), 0);
	must(mapline(p, &s, &e, perms));
	checkeq(strcmp(perms, "---p"), 0);
	must(mmap(p, PG, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
		p);
	must(mapline(p, &s, &e, perms));
	checkeq(strcmp(perms, "rw-s"), 0);
}

static volatile char *victim;

static void
readvictim(void)
{
	(void)*victim;
}

static void
writevictim(void)
{
	*victim = 1;
}

static void
prot_none_keeps_contents(void)
{
	char *p = anon(2);

	memset(p, 6, 2 * PG);
	must(mprotect(p, PG, PROT_NONE) == 0);
	victim = p;
	checkdeath(readvictim, SIGSEGV);
	checkdeath(writevictim, SIGSEGV);
	must(mprotect(p, PG, PROT_READ) == 0);
	checkeq(p[5], 6);
	checkdeath(writevictim, SIGSEGV);
	must(mprotect(p, PG, RW) == 0);
	child(writevictim);
	*victim = 2;
	checkeq(p[1], 6);
}

static void
mprotect_rules(void)
{
	char *p = anon(6);

	checkeq(mprotect(p, 0, PROT_READ), 0);
	checkerr(mprotect(p + 1, PG, PROT_READ), EINVAL);
	checkeq(mprotect(p, 1, PROT_READ), 0); /* rounds up */
	check(!canwrite(p + PG - 1));
	check(canwrite(p + PG));
	must(munmap(p + 3 * PG, PG) == 0); /* RWW.WW */
	checkerr(mprotect(p, 6 * PG, PROT_READ), ENOMEM);
	check(!canwrite(p + 2 * PG)); /* before the hole: done */
	check(canwrite(p + 4 * PG));  /* behind it: not */
	checkerr(mprotect(p + 3 * PG, PG, PROT_READ), ENOMEM);
	checkerr(mprotect(p + 3 * PG, 2 * PG, PROT_READ), ENOMEM);
	check(canwrite(p + 4 * PG));
	checkerr(mprotect(OUTSIDE, PG, PROT_READ), ENOMEM);
	checkerr(mprotect(p, PG, 0x80), EINVAL);
}

/* Read-only and back, after fork and without: a page is still copied. */
static void
mprotect_then_cow(void)
{
	char *p = anon(1);

	victim = p;
	*p = 5;
	must(mprotect(p, PG, PROT_READ) == 0);
	checkdeath(writevictim, SIGSEGV);
	must(mprotect(p, PG, RW) == 0);
	child(writevictim);
	checkeq(*p, 5);
	*p = 6;
	checkeq(*p, 6);
}

static void
mprotect_write_only_reads(void)
{
	volatile char *p = anon(1);

	p[0] = 3;
	must(mprotect((void *)p, PG, PROT_WRITE) == 0);
	checkeq(p[0], 3);
	must(mprotect((void *)p, PG, PROT_EXEC) == 0);
	checkeq(p[0], 3);
}

static void
mremap_shrinks_and_grows(void)
{
	char *a = area(16), *p = fixed(a + 2 * PG, 4, RW), *q;

	memset(p, 4, 4 * PG);
	checkeq((uintptr_t)mremap(p, 4 * PG, 2 * PG, 0), (uintptr_t)p);
	checkeq(mapcount(p + 2 * PG, 2), 0);
	checkeq((uintptr_t)mremap(p, 2 * PG, 4 * PG, 0), (uintptr_t)p);
	checkeq(p[2 * PG - 1], 4);
	checkeq(p[2 * PG], 0);
	p[4 * PG - 1] = 8;
	checkerr(mremap(p, 4 * PG, 5 * PG, 0), ENOMEM);
	q = mremap(p, 4 * PG, 8 * PG, MREMAP_MAYMOVE);
	check(q != p && q != MAP_FAILED);
	checkeq(q[0], 4);
	checkeq(q[4 * PG - 1], 8);
	checkeq(q[8 * PG - 1], 0);
	checkeq(mapcount(p, 4), 0);
}

static void
mremap_fixed(void)
{
	char *a = area(32), *p = fixed(a + PG, 3, RW), *to = a + 20 * PG, *q;

	memset(p, 1, PG);
	memset(p + PG, 2, PG);
	q = mremap(p, 3 * PG, 3 * PG, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	checkeq((uintptr_t)q, (uintptr_t)to);
	checkeq(to[0] + to[PG] + to[2 * PG], 3);
	checkeq(mapcount(p, 3), 0);
	q = mremap(to, 3 * PG, PG, MREMAP_MAYMOVE | MREMAP_FIXED, p);
	checkeq((uintptr_t)q, (uintptr_t)p);
	checkeq(p[0], 1);
	checkeq(mapcount(to, 3), 0);
	checkeq(mapcount(p + PG, 2), 0);
}

/* It moves, shorter, to the 4 MiB where its end was, and nothing else is: the
 * pages of the end go, not those that have come. */
static void
mremap_beside_its_end(void)
{
	enum { SUPER = 1024, HEAD = 64, TAIL = 100 }; /* pages */
	char *a = area(4 * SUPER), *edge, *p, *q;

	edge = (char *)(((uintptr_t)a + 2 * SUPER * PG) & -(SUPER * PG));
	must(munmap(a, 4 * SUPER * PG) == 0);
	p = fixed(edge - HEAD * PG, HEAD + TAIL, RW);
	memset(p, 7, (HEAD + TAIL) * PG);
	q = mremap(p, (HEAD + TAIL) * PG, HEAD * PG,
		MREMAP_MAYMOVE | MREMAP_FIXED, edge + 2 * TAIL * PG);
	checkeq((uintptr_t)q, (uintptr_t)edge + 2 * TAIL * PG);
	for (int i = 0; i < HEAD; i++)
		checkeq(q[i * PG], 7);
	checkeq(mapcount(q, HEAD), 1);
}

static void
mremap_bad_arguments(void)
{
	char *a = area(16), *p = fixed(a + PG, 4, RW);

	checkerr(mremap(p, PG, 0, 0), EINVAL);
	checkerr(mremap(p + 1, PG, PG, 0), EINVAL);
	checkerr(mremap(p, 0, PG, MREMAP_MAYMOVE), EINVAL);
	checkerr(mremap(p, PG, PG, MREMAP_FIXED, a), EINVAL);
	checkerr(mremap(p, 2 * PG, 2 * PG, MREMAP_MAYMOVE | MREMAP_FIXED,
			 p + PG),
		EINVAL);
	checkerr(mremap(p, PG, PG, MREMAP_MAYMOVE | MREMAP_FIXED, a + 1),
		EINVAL);
	checkerr(mremap(p, PG, PG, 64), EINVAL);
	check(mremap(p, PG, 0xfffff000, MREMAP_MAYMOVE) == MAP_FAILED);
	must(munmap(a + 10 * PG, PG) == 0);
	checkerr(mremap(a + 10 * PG, PG, 2 * PG, MREMAP_MAYMOVE), EFAULT);
	must(mprotect(p + 2 * PG, 2 * PG, PROT_READ) == 0);
	checkerr(mremap(p, 4 * PG, 8 * PG, MREMAP_MAYMOVE), EFAULT);
	*p = 1;
	checkeq(mapcount(p, 4), 2);
}

/* Pages that fork shares keep being copied on write after they have moved. */
static void
mremap_after_fork(void)
{
	char *a = area(16), *p = fixed(a + PG, 2, RW), *to = a + 9 * PG;
	int pid;

	p[0] = 1;
	p[PG] = 2;
	pid = fork();
	if (pid == 0) {
		must(mremap(p, 2 * PG, 2 * PG, MREMAP_MAYMOVE | MREMAP_FIXED,
			     to) == to);
		checkeq(to[0] + to[PG], 3);
		to[0] = 50;
		finish();
	}
	reaped(pid);
	checkeq(p[0], 1);
	must(mremap(p, 2 * PG, 2 * PG, MREMAP_MAYMOVE | MREMAP_FIXED,
		to) == to);
	to[0]++;
	checkeq(to[0] + to[PG], 4);
}

static void
mremap_shared_duplicates(void)
{
	char *p = mmap(0, 2 * PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *q;

	must(p != MAP_FAILED);
	p[PG] = 5;
	q = mremap(p, 0, 2 * PG, MREMAP_MAYMOVE);
	must(q != MAP_FAILED);
	check(q != p);
	checkeq(q[PG], 5);
	q[0] = 6;
	checkeq(p[0], 6);
}

static void
madvise_dontneed(void)
{
	char *p = anon(6);

	memset(p, 7, 6 * PG);
	checkeq(madvise(p + PG, PG, MADV_DONTNEED), 0);
	checkeq(p[0] + p[PG] + p[2 * PG], 14);
	must(munmap(p + 3 * PG, PG) == 0);
	checkerr(madvise(p, 6 * PG, MADV_DONTNEED), ENOMEM);
	checkeq(p[0] + p[2 * PG] + p[4 * PG] + p[5 * PG], 0);
	checkeq(madvise(p, 0, MADV_DONTNEED), 0);
	checkerr(madvise(p + 1, PG, MADV_DONTNEED), EINVAL);
	checkerr(madvise(p, PG, 4711), EINVAL);
	checkeq(madvise(p, PG, MADV_NORMAL), 0);
	checkeq(madvise(p, PG, MADV_WILLNEED), 0);
}

static void
madvise_dontneed_gives_memory_back(void)
{
	char *p = anon(256);
	long before;

	memset(p, 1, 256 * PG);
	madvise(p, 256 * PG, MADV_DONTNEED);
	memfree();
	before = memfree();
	memset(p, 1, 256 * PG);
	if (quire)
		checkrange(before - memfree(), 1024, 1024 + 64);
	must(madvise(p, 256 * PG, MADV_DONTNEED) == 0);
	if (quire)
		checkeq(memfree(), before);
}

static void
mincore_msync_holes(void)
{
	unsigned char vec[4];
	char *p = anon(4);

	p[0] = 1;
	checkeq(mincore(p, 4 * PG, vec), 0);
	checkeq(vec[0] & 1, 1);
	checkerr(mincore(p + 1, PG, vec), EINVAL);
	checkeq(msync(p, 4 * PG, MS_SYNC), 0);
	checkerr(msync(p, PG, MS_SYNC | MS_ASYNC), EINVAL);
	checkerr(msync(p + 1, PG, MS_SYNC), EINVAL);
	must(munmap(p + 2 * PG, PG) == 0);
	checkerr(mincore(p, 4 * PG, vec), ENOMEM);
	checkerr(msync(p, 4 * PG, MS_SYNC), ENOMEM);
}

static void
mlock_holes(void)
{
	char *p = anon(4);

	checkeq(mlock(p, 2 * PG), 0);
	checkeq(munlock(p, PG), 0);
	must(munmap(p + 2 * PG, PG) == 0);
	checkerr(mlock(p, 4 * PG), ENOMEM);
	checkeq(munlock(p, 2 * PG), 0);
}

/* Thousands of mappings, none of which can merge with its neighbour. */
static void
mmap_many_mappings(void)
{
	char *p = area(4000);
	int i, sum = 0;

	for (i = 0; i < 4000; i += 2)
		must(mprotect(p + i * PG, PG, RW) == 0);
	checkeq(mapcount(p, 4000), 4000);
	for (i = 0; i < 4000; i += 2)
		p[i * PG] = i / 2;
	for (i = 0; i < 4000; i += 2)
		sum += p[i * PG] != (char)(i / 2);
	checkeq(sum, 0);
	must(munmap(p, 4000 * PG) == 0);
	checkeq(mapcount(p, 4000), 0);
}

static void
mmap_huge_untouched(void)
{
	char *p = mmap(0, 512 << 20, RW, ANON | MAP_NORESERVE, -1, 0);
	long before;

	must(p != MAP_FAILED);
	memfree();
	before = memfree();
	p[100 << 20] = 1;
	p[500 << 20] = 1;
	if (quire)
		checkrange(before - memfree(), 8, 20);
	must(munmap(p, 512 << 20) == 0);
}

/* /proc/self/smaps: the line of the mapping, then what of it is there. */
static void
smaps_tells_resident(void)
{
	char *p = mmap(0, 16 * PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned long start, end;
	char line[256];
	long kib = -1, found = 0;
	FILE *f;

	must(p != MAP_FAILED);
	p[0] = p[3 * PG] = p[15 * PG] = 1;
	f = fopen("/proc/self/smaps", "r");
	must(f != 0);
	while (kib < 0 && fgets(line, sizeof line, f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			found = start == (unsigned long)p;
		else if (found)
			sscanf(line, "Rss: %ld", &kib);
	}
	fclose(f);
	checkeq(kib, 3 * PG / 1024);
}

const struct test t_mmap[] = {
	T(mmap_bad_arguments),
	T(mmap_hints),
	T(mmap_fixed_replaces),
	T(mmap_length_rounds_up),
	T(munmap_splits),
	T(munmap_bad_arguments),
	T(mappings_merge),
	T(maps_shows_permissions),
	T(prot_none_keeps_contents),
	T(mprotect_rules),
	T(mprotect_then_cow),
	T(mprotect_write_only_reads),
	T(mremap_shrinks_and_grows),
	T(mremap_fixed),
	T(mremap_beside_its_end),
	T(mremap_bad_arguments),
	T(mremap_after_fork),
	T(mremap_shared_duplicates),
	T(madvise_dontneed),
	T(madvise_dontneed_gives_memory_back),
	T(mincore_msync_holes),
	T(mlock_holes),
	T(mmap_many_mappings),
	T(mmap_huge_untouched),
	T(smaps_tells_resident),
	{0},
};
