/*
 * t_race.c - faults of one thread against what another does to the mapping,
 * and copy on write by two at once.
 */
#include "race.h"

#include <fcntl.h>
#include <sys/mman.h>

#define SUPER (4 << 20) /* what a page table maps */
#define HOLD  100       /* rounds for which one fork's pages last */

static word *q;       /* where p's page goes */
static unsigned last; /* the last number that two() could store */

/* Faults against a change of the mapping. */

static void
doesunmap(int i)
{
	must(munmap((void *)p, 2 * PG) == 0);
	over = i;
}

static void
storesuntilunmapped(int i)
{
	int was, ok;

	do {
		was = isover(i);
		ok = store(p, i) + store(p + PG / 4, i);
		if (ok < 2)
			must(why.si_code == SEGV_MAPERR);
		must(!was || ok == 0);
	} while (!was);
	must(why.si_addr == p + PG / 4);
}

static void
isunmapped(int i)
{
	unsigned v;

	(void)i;
	must(!load(p, &v) && !load(p + PG / 4, &v));
}

static void
fault_against_munmap(void)
{
	begin();
	p = place(2);
	race(&(struct race){newpage, doesunmap, storesuntilunmapped,
		isunmapped});
}

/* A mapping in place of the old one: at no time is there none. */
static void
oldpage(int i)
{
	newpage(i);
	p[0] = p[1] = OLD + i;
}

static void
mapsover(int i)
{
	newpage(i);
	over = i;
}

static void
seesnewforever(int i)
{
	unsigned v;
	int was, isnew = 0;

	do {
		was = isover(i);
		must(load(p, &v));
		must(v == 0 || (v == OLD + i && !isnew && !was));
		isnew |= v == 0;
		must(store(p + 2, i));
	} while (!was);
	must(load(p + 2, &v) && v == (unsigned)i);
	must(load(p + 1, &v) && v == 0);
}

static void
fault_against_mmap_in_place(void)
{
	begin();
	p = place(2);
	race(&(struct race){oldpage, mapsover, seesnewforever, nothing});
}

static void
dropspage(int i)
{
	must(madvise((void *)p, 2 * PG, MADV_DONTNEED) == 0);
	over = i;
}

static void
fault_against_dontneed(void)
{
	begin();
	p = place(2);
	race(&(struct race){oldpage, dropspage, seesnewforever, nothing});
}

/* Rights go in even rounds and come in odd ones. */
static void
otherrights(int i)
{
	must(mprotect((void *)p, PG, i & 1 ? PROT_READ : RW) == 0);
}

static void
changesrights(int i)
{
	otherrights(i + 1);
	over = i;
}

static void
storesaspermitted(int i)
{
	int was, ok;

	do {
		was = isover(i);
		ok = store(p, last + 1);
		last += ok;
		if (!ok)
			must(why.si_code == SEGV_ACCERR && why.si_addr == p);
		must(!was || ok == (i & 1));
	} while (!was);
}

static void
lastisthere(int i)
{
	(void)i;
	must(*p == last);
}

static void
fault_against_mprotect(void)
{
	begin();
	p = place(2);
	newpage(0);
	last = 0;
	race(&(struct race){otherrights, changesrights, storesaspermitted,
		lastisthere});
}

static void
moves(int i)
{
	must(mremap((void *)p, 2 * PG, 2 * PG, MREMAP_MAYMOVE | MREMAP_FIXED,
		     q) == q);
	over = i;
}

static void
storesuntilmoved(int i)
{
	int was, ok;

	last = 0;
	do {
		was = isover(i);
		ok = store(p, last + 1);
		last += ok;
		must(!was || !ok);
	} while (!was);
}

static void
lastwasmoved(int i)
{
	unsigned v;

	(void)i;
	must(*q == last);
	must(!load(p, &v));
}

static void
fault_against_mremap(void)
{
	begin();
	p = place(2);
	q = place(2);
	race(&(struct race){newpage, moves, storesuntilmoved, lastwasmoved});
}

/* A page of a file that is cut off and grows again. */
static int fd;

static void
hasfilepage(int i)
{
	(void)i;
	must(ftruncate(fd, 2 * PG) == 0);
}

static void
cutsoff(int i)
{
	must(ftruncate(fd, 0) == 0);
	over = i;
}

static void
storesuntilcut(int i)
{
	int was, ok;

	do {
		was = isover(i);
		ok = store(p, i);
		must(ok || (why.si_code == BUS_ADRERR && why.si_addr == p));
	} while (!was);
}

/* Whatever a page that was mapped before shows: the file begins anew. */
static void
fileiszero(int i)
{
	unsigned v = i;

	must(ftruncate(fd, 2 * PG) == 0);
	must(pread(fd, &v, sizeof v, 0) == sizeof v && v == 0);
}

static void
fault_against_truncate(void)
{
	struct sigaction sa = {.sa_sigaction = onsegv, .sa_flags = SA_SIGINFO};

	begin();
	must(sigaction(SIGBUS, &sa, 0) == 0);
	fd = open("t_race", O_RDWR | O_CREAT | O_TRUNC, 0600);
	must(fd >= 0 && unlink("t_race") == 0);
	p = mmap(0, 2 * PG, RW, MAP_SHARED, fd, 0);
	must(p != MAP_FAILED);
	race(&(struct race){hasfilepage, cutsoff, storesuntilcut,
		fileiszero});
}

/* A thread goes on with a page whose frame becomes another process's. */
static word *shared; /* one page, of parent and children */

/* The other process: memory that comes and goes, filled and looked at. */
static void
owner(void)
{
	word *m;
	int i, k;

	while (!shared[0]) {
		m = mmap(0, 8 * PG, RW, ANON, -1, 0);
		must(m != MAP_FAILED);
		for (i = 0; i < 8 * PG / 4; i += PG / 16)
			m[i] = OLD;
		sched_yield();
		for (k = 0; k < 3; k++)
			for (i = 0; i < 8 * PG / 4; i += PG / 16)
				must(m[i] == OLD);
		must(munmap((void *)m, 8 * PG) == 0);
	}
}

static void
replaces(int i)
{
	unsigned v = 0;

	switch (i % 3) {
	case 0:
		must(munmap((void *)p, 2 * PG) == 0);
		break;
	case 1:
		must(madvise((void *)p, 2 * PG, MADV_DONTNEED) == 0);
		break;
	default:
		newpage(i);
	}
	over = i;
	jitter();
	must(!load(p, &v) || v != OLD);
}

static void
readsandwrites(int i)
{
	unsigned v;
	int k, n = dice() % 16;

	for (k = 0; k < n || !isover(i); k++) {
		store(p + k % 64 * 16, 0xbad00000 + i);
		if (load(p + k % 64 * 16, &v))
			must(v != OLD);
	}
}

static void
stale_translations_reach_no_other_process(void)
{
	int pid;

	begin();
	p = place(2);
	shared = sharedpages(1);
	pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		owner();
		finish();
	}
	race(&(struct race){newpage, replaces, readsandwrites, nothing});
	shared[0] = 1;
	reaped(pid);
}

/* Copy on write. */

static int holder;   /* a process that holds the pages of HOLD rounds */
static int holdpipe; /* closed to end it */

static void
letgo(void)
{
	if (holder == 0)
		return;
	close(holdpipe);
	reaped(holder);
	holder = 0;
}

/* Every page still has what it had when the holder began. */
static int
allold(unsigned i)
{
	int k;

	for (k = 0; k < HOLD; k++)
		if (p[k * PG / 4] != OLD + i || p[k * PG / 4 + 1] != OLD + i)
			return 0;
	return 1;
}

/* A new process, for which ok(i) must hold when it is let go. */
static void
hold(int (*ok)(unsigned), unsigned i)
{
	int fds[2];
	char c;

	must(pipe(fds) == 0);
	holder = fork();
	must(holder >= 0);
	if (holder == 0) {
		close(fds[1]);
		must(read(fds[0], &c, 1) == 0);
		_exit(!ok(i));
	}
	close(fds[0]);
	holdpipe = fds[1];
}

/* From time to time: pages of which a new process has the other half. */
static void
holdpages(int i)
{
	int k;

	if (i % HOLD)
		return;
	letgo();
	for (k = 0; k < HOLD; k++)
		p[k * PG / 4] = p[k * PG / 4 + 1] = p[k * PG / 4 + 2] = OLD + i;
	hold(allold, i);
}

static word *
heldpage(int i)
{
	return p + i % HOLD * PG / 4;
}

static void
writesfirst(int i)
{
	heldpage(i)[0] = i;
	must(heldpage(i)[0] == (unsigned)i);
}

static void
writessecond(int i)
{
	heldpage(i)[1] = ~i;
	must(heldpage(i)[1] == (unsigned)~i);
}

static void
bothwritten(int i)
{
	word *page = heldpage(i);

	must(page[0] == (unsigned)i && page[1] == (unsigned)~i);
	must(page[2] == OLD + i - i % HOLD);
}

static void
heldarea(void)
{
	begin();
	p = mmap(0, HOLD * PG, RW, ANON, -1, 0);
	must(p != MAP_FAILED);
}

static void
cow_broken_by_two_threads(void)
{
	heldarea();
	race(&(struct race){holdpages, writesfirst, writessecond, bothwritten});
	letgo();
}

/* The write goes to a copy before the flag is set: who reads the old page
 * after the flag has an old translation. */
static volatile int flag;

static void
writesandtells(int i)
{
	heldpage(i)[0] = i;
	flag = i + 1;
}

static void
readswhentold(int i)
{
	word *page = heldpage(i);

	while (flag != i + 1) {
		(void)page[0]; /* keeps the translation */
		turn();
	}
	must(page[0] == (unsigned)i);
}

static void
cow_write_is_seen_in_order(void)
{
	heldarea();
	race(&(struct race){holdpages, writesandtells, readswhentold, nothing});
	letgo();
}

/* A whole page table, which fork shares, goes from one of the two. */
static int
firstisold(unsigned i)
{
	return p[0] == OLD + i && p[1] == OLD + i;
}

static void
holdtable(int i)
{
	must(mmap((void *)p, SUPER, RW, ANON | MAP_FIXED, -1, 0) == p);
	p[0] = p[1] = OLD + i;
	hold(firstisold, i);
}

static void
unmapstable(int i)
{
	must(munmap((void *)p, SUPER) == 0);
	over = i;
}

static void
readsuntilunmapped(int i)
{
	unsigned v;
	int was, ok;

	do {
		was = isover(i);
		ok = load(p, &v);
		must(!ok || (v == OLD + i && !was));
	} while (!was);
}

static void
letgotable(int i)
{
	(void)i;
	letgo();
}

static void
fault_against_munmap_of_shared_table(void)
{
	begin();
	p = place(3 * SUPER / PG);
	p = (word *)(((uintptr_t)p + SUPER) & -SUPER);
	race(&(struct race){holdtable, unmapstable, readsuntilunmapped,
		letgotable});
}

/* Parent and child: w is the word of a page that is ours. */
static int
breaks(int w, unsigned first, struct meeting *m)
{
	word *page;
	int k;

	for (k = 0; k < HOLD; k++) {
		page = heldpage(k);
		meet(m);
		jitter();
		page[w] = w + k;
		if (page[w] != (unsigned)(w + k) || page[!w] != OLD + first ||
			page[2] != OLD + first)
			return 0;
	}
	return 1;
}

static void
cow_broken_by_two_processes(void)
{
	struct meeting *m;
	int i, k, pid;

	heldarea();
	m = (void *)sharedpages(1);
	for (i = 0; i < rounds; i += HOLD) {
		for (k = 0; k < HOLD; k++) {
			heldpage(k)[0] = heldpage(k)[1] = OLD + i;
			heldpage(k)[2] = OLD + i;
		}
		pid = fork();
		must(pid >= 0);
		state += pid == 0;
		if (pid == 0)
			_exit(!breaks(1, i, m));
		must(breaks(0, i, m));
		reaped(pid);
	}
}

const struct test t_race[] = {
	T(fault_against_munmap),
	T(fault_against_munmap_of_shared_table),
	T(fault_against_mmap_in_place),
	T(fault_against_dontneed),
	T(fault_against_mprotect),
	T(fault_against_mremap),
	T(fault_against_truncate),
	T(stale_translations_reach_no_other_process),
	T(cow_broken_by_two_threads),
	T(cow_broken_by_two_processes),
	T(cow_write_is_seen_in_order),
	{0},
};
