/* t_mapfile.c - mappings of files: what they show, and where a file ends. */
#include "race.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#define TOUCHED 0x5eed0000u

static int fd;

/* A file of so many pages, each of which begins with its number; it has no
 * name.  Accesses beyond its end may fail. */
static void
newfile(int pages)
{
	struct sigaction sa = {.sa_sigaction = onsegv, .sa_flags = SA_SIGINFO};
	unsigned v;
	int i;

	begin();
	must(sigaction(SIGBUS, &sa, 0) == 0);
	fd = open("t_mapfile", O_RDWR | O_CREAT | O_TRUNC, 0600);
	must(fd >= 0 && unlink("t_mapfile") == 0);
	must(ftruncate(fd, pages * PG) == 0);
	for (i = 0; i < pages; i++) {
		v = TOUCHED + i;
		must(pwrite(fd, &v, sizeof(v), i * PG) == sizeof(v));
	}
}

static word *
mapfile(int pages, int flags)
{
	word *at = mmap(0, pages * PG, RW, flags, fd, 0);

	must(at != MAP_FAILED);
	return at;
}

static word *
page(word *at, int i)
{
	return at + i * (PG / 4);
}

/* Is there nothing at all? */
static int
nothingat(word *at)
{
	unsigned v;

	return !load(at, &v) && why.si_signo == SIGBUS &&
	       why.si_code == BUS_ADRERR && why.si_addr == (void *)at;
}

/* What a load finds; ~0: a fault. */
static unsigned
seen(word *at)
{
	unsigned v;

	return load(at, &v) ? v : ~0u;
}

static void
truncate_shared_ends(void)
{
	word *m;

	newfile(4);
	m = mapfile(4, MAP_SHARED);
	*page(m, 1) = 1;
	*page(m, 2) = 2;
	m[PG / 4 + 100] = 3;
	checkeq(seen(page(m, 3)), TOUCHED + 3);
	checkeq(ftruncate(fd, PG + 200), 0);
	checkeq(seen(m), TOUCHED);
	checkeq(seen(page(m, 1)), 1);
	checkeq(seen(page(m, 1) + 100), 0); /* the rest of the last page */
	check(nothingat(page(m, 2)));
	check(nothingat(page(m, 3)));
	check(!store(page(m, 2), 1) && why.si_code == BUS_ADRERR);
	checkeq(ftruncate(fd, 4 * PG), 0);
	checkeq(seen(page(m, 2)), 0);
	checkeq(seen(page(m, 3)), 0);
}

/* Copies of pages that are no more go too; others stay. */
static void
truncate_private_copies_end(void)
{
	word *m;

	newfile(4);
	m = mapfile(4, MAP_PRIVATE);
	*page(m, 0) = 10;
	*page(m, 1) = 11;
	*page(m, 2) = 12;
	checkeq(seen(page(m, 3)), TOUCHED + 3);
	checkeq(ftruncate(fd, PG + 4), 0);
	checkeq(seen(page(m, 0)), 10);
	checkeq(seen(page(m, 1)), 11);
	check(nothingat(page(m, 2)));
	check(nothingat(page(m, 3)));
	checkeq(ftruncate(fd, 4 * PG), 0);
	checkeq(seen(page(m, 2)), 0);
	checkeq(seen(page(m, 0)), 10);
}

static word *m;

static void
seesnothing(void)
{
	checkeq(seen(m), 10);
	check(nothingat(page(m, 2)));
	check(nothingat(page(m, 3)));
	checkeq(ftruncate(fd, 4 * PG), 0);
}

/* Who forked shares page tables: both lose the pages at once. */
static void
truncate_after_fork(void)
{
	int flags[] = {MAP_SHARED, MAP_PRIVATE}, i, pid, go[2];
	char c;

	for (i = 0; i < 2; i++) {
		newfile(4);
		m = mapfile(4, flags[i]);
		*m = 10;
		*page(m, 2) = 12;
		must(pipe(go) == 0);
		pid = fork();
		must(pid >= 0);
		if (pid == 0) {
			must(read(go[0], &c, 1) == 1);
			seesnothing();
			finish();
		}
		checkeq(ftruncate(fd, 2 * PG), 0);
		check(nothingat(page(m, 2)));
		must(write(go[1], "", 1) == 1);
		reaped(pid);
		checkeq(seen(page(m, 2)), 0); /* the child made it longer */
		checkeq(seen(m), 10);
		must(munmap((void *)m, 4 * PG) == 0);
	}
}

static void
cutschild(void)
{
	*page(m, 2) = 20; /* a copy of its own, or everybody's */
	checkeq(ftruncate(fd, 2 * PG), 0);
	check(nothingat(page(m, 2)));
	checkeq(seen(page(m, 1)), 11);
	*page(m, 1) = 21;
}

/* A child cuts off what its parent shows. */
static void
truncate_by_a_child(void)
{
	newfile(4);
	m = mapfile(4, MAP_PRIVATE);
	*page(m, 1) = 11;
	*page(m, 3) = 13;
	child(cutschild);
	checkeq(seen(page(m, 1)), 11);
	check(nothingat(page(m, 2)));
	check(nothingat(page(m, 3)));
}

/* Each view of the file that one process has. */
static void
truncate_every_view(void)
{
	word *a, *b, *c;

	newfile(4);
	a = mapfile(4, MAP_SHARED);
	b = mapfile(4, MAP_PRIVATE);
	c = mmap(0, 2 * PG, PROT_READ, MAP_SHARED, fd, 2 * PG);
	must(c != MAP_FAILED);
	*page(b, 3) = 1;
	must(mprotect((void *)page(a, 1), 2 * PG, PROT_NONE) == 0);
	checkeq(seen(c), TOUCHED + 2);
	checkeq(ftruncate(fd, 3 * PG), 0);
	check(nothingat(page(a, 3)));
	check(nothingat(page(b, 3)));
	check(nothingat(page(c, 1)));
	checkeq(seen(c), TOUCHED + 2);
	checkeq(seen(page(a, 2)), ~0u); /* still no access */
	must(mprotect((void *)page(a, 1), 2 * PG, RW) == 0);
	checkeq(seen(page(a, 2)), TOUCHED + 2);
}

/* The kernel finds nothing there either. */
static void
truncate_kernel_sees_it(void)
{
	int p2[2];

	newfile(2);
	m = mapfile(2, MAP_SHARED);
	checkeq(seen(page(m, 1)), TOUCHED + 1);
	must(pipe(p2) == 0);
	checkeq(write(p2[1], (void *)page(m, 1), 4), 4);
	checkeq(ftruncate(fd, PG), 0);
	checkerr(write(p2[1], (void *)page(m, 1), 4), EFAULT);
	checkerr(read(p2[0], (void *)page(m, 1), 4), EFAULT);
	checkeq(open("t_mapfile", O_WRONLY | O_CREAT, 0600) >= 0, 1);
	checkeq(unlink("t_mapfile"), 0);
}

/* The page as the disk has it, if the file is on one. */
static unsigned
ondisk(int i)
{
	unsigned v = 0;

	must(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
	must(pread(fd, &v, sizeof(v), i * PG) == sizeof(v));
	return v;
}

/* Each store after a page was written makes it dirty again. */
static void
mapped_writes_are_written(void)
{
	int i;

	newfile(4);
	for (i = 0; i < 20; i++) {
		m = mapfile(4, MAP_SHARED);
		*page(m, 1) = 100 + i;
		checkeq(msync((void *)page(m, 1), PG, MS_SYNC), 0);
		*page(m, 1) = 200 + i;
		*page(m, 3) = 300 + i;
		checkeq(i % 3 ? msync((void *)m, 4 * PG, MS_SYNC) : fsync(fd),
			0);
		*page(m, 3) = 400 + i;
		if (i % 2)
			checkeq(fsync(fd), 0);
		must(munmap((void *)m, 4 * PG) == 0);
		checkeq(i % 2 ? 0 : fdatasync(fd), 0);
		checkeq(ondisk(1), 200 + i);
		checkeq(ondisk(3), 400 + i);
	}
}

static void
storesafter(void)
{
	*page(m, 2) = 8; /* a table that parent and child share */
	*page(m, 1) = 7;
}

static void
mapped_writes_of_children(void)
{
	newfile(4);
	m = mapfile(4, MAP_SHARED);
	*page(m, 1) = 1;
	*page(m, 2) = 2;
	checkeq(msync((void *)m, 4 * PG, MS_SYNC), 0);
	child(storesafter);
	checkeq(fsync(fd), 0);
	*page(m, 2) = 9;
	must(munmap((void *)m, 4 * PG) == 0);
	checkeq(fsync(fd), 0);
	checkeq(ondisk(1), 7);
	checkeq(ondisk(2), 9);
	checkeq(ondisk(3), TOUCHED + 3);
}

/* read and write see the pages that are mapped, and are seen there. */
static void
mapped_is_what_read_sees(void)
{
	unsigned v = 77;
	word *c;

	newfile(2);
	m = mapfile(2, MAP_SHARED);
	c = mapfile(2, MAP_PRIVATE);
	checkeq(seen(c), TOUCHED);
	must(pwrite(fd, &v, sizeof(v), 0) == sizeof(v));
	checkeq(seen(m), 77);
	checkeq(seen(c), 77); /* not copied yet */
	*c = 1;
	*m = 78;
	must(pread(fd, &v, sizeof(v), 0) == sizeof(v));
	checkeq(v, 78);
	checkeq(*c, 1);
	must(pwrite(fd, &v, sizeof(v), 2 * PG) == sizeof(v)); /* longer */
	m = mapfile(3, MAP_SHARED);
	checkeq(seen(page(m, 2)), 78);
	checkeq(seen(page(m, 2) + 1), 0);
}

static int
isext2(void)
{
	struct statfs s;

	return quire && fstatfs(fd, &s) == 0 && s.f_type == 0xef53;
}

/* A page that must be read from the disk is a major fault, any other is not. */
static void
fault_counts(void)
{
	struct rusage before, after;
	int major;

	newfile(1);
	must(fsync(fd) == 0);
	major = quire && isext2();
	m = mapfile(1, MAP_SHARED);
	must(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
	getrusage(RUSAGE_SELF, &before);
	getrusage(RUSAGE_SELF, &before);
	checkeq(*m, TOUCHED);
	getrusage(RUSAGE_SELF, &after);
	if (quire) {
		checkeq(after.ru_majflt - before.ru_majflt, major);
		checkeq(after.ru_minflt - before.ru_minflt, !major);
	}
	m = mapfile(1, MAP_SHARED);
	checkeq(*m, TOUCHED);
	getrusage(RUSAGE_SELF, &before);
	checkeq(before.ru_majflt, after.ru_majflt);
	checkcount(before.ru_minflt - after.ru_minflt, 1, 1);
}

/* One read fault maps what is cached around it: 16 pages of a file. */
static void
fault_around(void)
{
	long before;
	int i;

	newfile(64);
	m = mmap(0, 80 * PG, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(m != MAP_FAILED);
	m = (word *)(((uintptr_t)m + 16 * PG - 1) & -(16 * PG));
	must(mmap((void *)m, 64 * PG, PROT_READ, MAP_SHARED | MAP_FIXED, fd,
		     0) == (void *)m);
	before = minflt();
	for (i = 63; i >= 0; i--)
		checkeq(*page(m, i), TOUCHED + i);
	checkcount(minflt() - before, 4, 0);
	must(munmap((void *)m, 64 * PG) == 0);
	must(mmap((void *)m, 64 * PG, RW, MAP_SHARED | MAP_FIXED, fd, 0) ==
		(void *)m);
	before = rss();
	checkeq(*page(m, 20), TOUCHED + 20);
	if (quire)
		checkeq(rss() - before, 16);
	before = minflt();
	*page(m, 21) = 1; /* there, but only to be read */
	*page(m, 21) = 2;
	checkcount(minflt() - before, 1, 1);
}

/* Where there is no room on the disk a store to a hole gets SIGBUS. */
static void
mapped_hole_of_a_full_disk(void)
{
	static char buf[64 << 10];
	int full;

	newfile(1);
	if (!isext2())
		skip("the file is in memory");
	must(ftruncate(fd, 4 * PG) == 0);
	m = mapfile(4, MAP_SHARED);
	checkeq(seen(page(m, 2)), 0);
	full = open("t_full", O_RDWR | O_CREAT | O_TRUNC, 0600);
	must(full >= 0 && unlink("t_full") == 0);
	while (write(full, buf, sizeof(buf)) > 0)
		;
	checkeq(errno, ENOSPC);
	while (write(full, buf, 512) > 0)
		;
	check(!store(page(m, 2), 1) && why.si_signo == SIGBUS);
	check(!store(page(m, 3), 1) && why.si_signo == SIGBUS);
	checkeq(seen(page(m, 2)), 0);
	check(store(m, 5)); /* this page has its block */
	must(fsync(full) == 0 && close(full) == 0);
	check(store(page(m, 2), 6));
	checkeq(msync((void *)m, 4 * PG, MS_SYNC), 0);
	must(munmap((void *)m, 4 * PG) == 0);
	checkeq(ondisk(2), 6);
	checkeq(ondisk(0), 5);
}

/* A file on a disk is modified when a mapped page is first written to. */
static void
mapped_writes_modify(void)
{
	struct stat before, after;

	newfile(2);
	must(fsync(fd) == 0);
	m = mapfile(2, MAP_SHARED);
	checkeq(seen(m), TOUCHED);
	must(fstat(fd, &before) == 0);
	msleep(30);
	must(fstat(fd, &after) == 0);
	checkeq(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	*m = 1;
	checkeq(msync((void *)m, PG, MS_SYNC), 0);
	must(fstat(fd, &after) == 0);
	if (isext2() || !quire)
		check(after.st_mtim.tv_nsec != before.st_mtim.tv_nsec);
	check(after.st_ctim.tv_nsec == after.st_mtim.tv_nsec);
}

static void
mapped_zero_device(void)
{
	word *a, *b;
	int pid;

	fd = open("/dev/zero", O_RDONLY);
	must(fd >= 0);
	a = mmap(0, 2 * PG, RW, MAP_PRIVATE, fd, 0);
	must(a != MAP_FAILED);
	*a = 1;
	checkeq(*page(a, 1), 0);
	checkerr((long)mmap(0, PG, RW, MAP_SHARED, fd, 0), EACCES);
	fd = open("/dev/zero", O_RDWR);
	a = mmap(0, PG, RW, MAP_SHARED, fd, 0);
	b = mmap(0, PG, RW, MAP_SHARED, fd, 0);
	must(a != MAP_FAILED && b != MAP_FAILED);
	pid = fork();
	if (pid == 0) {
		*a = 5;
		_exit(0);
	}
	reaped(pid);
	checkeq(*a, 5);
	checkeq(*b, 0);
}

/* A page on each side of 2 and 4 GiB, in a file of one hole. */
static void
mapped_beyond_4_gib(void)
{
	static const long long edges[] = {1LL << 31, 1LL << 32};
	struct stat st;
	char c[4], *at;
	int i;

	newfile(0);
	must(ftruncate(fd, (1LL << 32) + 100) == 0);
	for (i = 0; i < NUM(edges); i++) {
		at = mmap(0, 2 * PG, RW, MAP_SHARED, fd, edges[i] - PG);
		must(at != MAP_FAILED);
		memcpy(at + PG - 2, "abcd", 4);
		checkeq(msync(at, 2 * PG, MS_SYNC), 0);
		must(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
		checkeq(pread(fd, c, 4, edges[i] - 2), 4);
		checkeq(memcmp(c, "abcd", 4), 0);
		checkeq(pwrite(fd, "efgh", 4, edges[i] - 2), 4);
		checkeq(memcmp(at + PG - 2, "efgh", 4), 0);
		checkeq(at[PG - 3] | at[PG + 2], 0);
		if (i == 1) /* the file ends in the second page */
			checkeq(at[PG + 100], 0);
		must(munmap(at, 2 * PG) == 0);
	}
	must(fstat(fd, &st) == 0);
	checkrange(st.st_blocks, 4 * PG / 512, 200);
	at = mmap(0, 2 * PG, RW, MAP_SHARED, fd, 1LL << 32);
	check(at != MAP_FAILED && nothingat(page((word *)at, 1)));
	must(ftruncate(fd, 1LL << 32) == 0);
	check(nothingat((word *)at));
}

const struct test t_mapfile[] = {
	T(mapped_writes_modify),
	T(mapped_zero_device),
	T(mapped_writes_are_written),
	T(mapped_writes_of_children),
	T(mapped_is_what_read_sees),
	T(fault_counts),
	T(fault_around),
	T(mapped_hole_of_a_full_disk),
	T(mapped_beyond_4_gib),
	T(truncate_shared_ends),
	T(truncate_private_copies_end),
	T(truncate_after_fork),
	T(truncate_by_a_child),
	T(truncate_every_view),
	T(truncate_kernel_sees_it),
	{0},
};
