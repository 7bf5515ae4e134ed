/* t_mapfile.c - mappings of files: what they show, and where a file ends. */
#include "race.h"

#include <fcntl.h>
#include <sys/mman.h>

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

const struct test t_mapfile[] = {
	T(truncate_shared_ends),
	T(truncate_private_copies_end),
	T(truncate_after_fork),
	T(truncate_by_a_child),
	T(truncate_every_view),
	T(truncate_kernel_sees_it),
	{0},
};
