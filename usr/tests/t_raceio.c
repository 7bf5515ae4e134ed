/*
 * t_raceio.c - futexes, regions of an address space and copies by the kernel,
 * each used by several threads at once.
 */
#include "race.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <time.h>

/* Wake against wait. */

#define LOST 20 /* seconds after which a wake-up has been lost */

static int shift; /* FUTEX_PRIVATE_FLAG or 0 */

/* Sleep until the word is no longer v. */
static void
waitwhile(word *w, unsigned v)
{
	struct timespec t = {LOST, 0};

	while (*w == v)
		if (syscall(SYS_futex, w, FUTEX_WAIT | shift, v, &t, 0, 0) < 0)
			must(errno == EAGAIN || errno == EINTR);
}

static void
wake(word *w)
{
	must(syscall(SYS_futex, w, FUTEX_WAKE | shift, 1, 0, 0, 0) <= 1);
}

/* Count up the word from even to odd numbers (mine 0), or from odd to even. */
static void
pingpong(word *w, unsigned mine)
{
	int i;

	for (i = 0; i < rounds; i++) {
		waitwhile(w, 2 * i + mine - 1);
		must(*w == 2 * i + mine);
		jitter();
		*w = 2 * i + mine + 1;
		wake(w);
	}
}

static void *
pongs(void *arg)
{
	(void)arg;
	state++;
	pingpong(p, 1);
	return 0;
}

static void
futex_wake_against_wait(void)
{
	pthread_t t;

	begin();
	shift = FUTEX_PRIVATE_FLAG;
	p = place(2);
	newpage(0);
	t = thread(pongs, 0);
	pingpong(p, 0);
	join(t);
	checkeq(*p, 2 * rounds);
}

static void
futex_of_two_processes(void)
{
	int pid;

	begin();
	shift = 0;
	p = sharedpages(1);
	pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		pongs(0);
		finish();
	}
	pingpong(p, 0);
	reaped(pid);
	checkeq(*p, 2 * rounds);
}

/* Four threads and a lock of three states (0, held, held and wanted). */
static int counter; /* [p[0]] */

static void
locks(void)
{
	unsigned was = __sync_val_compare_and_swap(&p[0], 0, 1);

	if (was == 0)
		return;
	if (was == 1)
		was = __sync_lock_test_and_set(&p[0], 2);
	while (was != 0) {
		waitwhile(&p[0], 2);
		was = __sync_lock_test_and_set(&p[0], 2);
	}
}

static void
unlocks(void)
{
	if (__sync_fetch_and_sub(&p[0], 1) != 1) {
		p[0] = 0;
		wake(&p[0]);
	}
}

static void *
countslocked(void *seed)
{
	int i, was;

	state += (uintptr_t)seed;
	for (i = 0; i < rounds; i++) {
		locks();
		was = counter;
		jitter();
		counter = was + 1;
		unlocks();
	}
	return 0;
}

static void
fourthreads(void *(*fn)(void *))
{
	pthread_t t[4];
	int i;

	for (i = 0; i < NUM(t); i++)
		t[i] = thread(fn, (void *)(i + 1));
	for (i = 0; i < NUM(t); i++)
		join(t[i]);
}

static void
futex_lock_of_four_threads(void)
{
	begin();
	shift = FUTEX_PRIVATE_FLAG;
	p = place(2);
	newpage(0);
	counter = 0;
	fourthreads(countslocked);
	checkeq(counter, 4 * rounds);
	checkeq(p[0], 0);
}

/* Regions never overlap: each is stamped by who has it. */

static void
stamp(word *at, int pages, unsigned v)
{
	int k;

	for (k = 0; k < pages; k++) {
		must(at[k * PG / 4] == 0);
		at[k * PG / 4] = v;
	}
}

static void
stamped(word *at, int pages, unsigned v)
{
	int k;

	for (k = 0; k < pages; k++)
		must(at[k * PG / 4] == v);
}

static void
mapsregion(unsigned v)
{
	int pages = 1 + dice() % 8;
	word *at = mmap(0, pages * PG, RW, ANON, -1, 0);

	must(at != MAP_FAILED);
	stamp(at, pages, v);
	jitter();
	stamped(at, pages, v);
	must(munmap((void *)at, pages * PG) == 0);
}

/* Grown where it is or moved: what it had it keeps. */
static void
growsregion(unsigned v)
{
	word *at = mmap(0, 2 * PG, RW, ANON, -1, 0);

	must(at != MAP_FAILED);
	stamp(at, 2, v);
	at = mremap((void *)at, 2 * PG, 5 * PG, MREMAP_MAYMOVE);
	must(at != MAP_FAILED);
	stamped(at, 2, v);
	stamp(at + 2 * PG / 4, 3, v);
	jitter();
	stamped(at, 5, v);
	must(munmap((void *)at, 5 * PG) == 0);
}

/* The heap is one thread's alone, and grows between the others' mappings. */
static void
movesbreak(unsigned v)
{
	static uintptr_t begins;
	int pages = 1 + dice() % 8;
	uintptr_t end;

	if (begins == 0)
		begins = (syscall(SYS_brk, 0) + PG - 1) & -PG;
	end = begins + pages * PG;
	must((uintptr_t)syscall(SYS_brk, end) == end);
	stamp((word *)begins, pages, v);
	jitter();
	stamped((word *)begins, pages, v);
	must((uintptr_t)syscall(SYS_brk, begins) == begins);
}

static void *
takesregions(void *arg)
{
	unsigned i, who = (uintptr_t)arg;

	state += who;
	for (i = 0; i < (unsigned)rounds; i++) {
		if (who == 1)
			movesbreak(who << 24 | i);
		else if (i % 4)
			mapsregion(who << 24 | i);
		else
			growsregion(who << 24 | i);
	}
	return 0;
}

static void
regions_of_threads_never_overlap(void)
{
	begin();
	fourthreads(takesregions);
}

/* A pipe, a file: what was copied is what the call says was, and it is right,
 * though the buffer's second half comes and goes. */

#define HALF (4 * PG)

static char *buf; /* two halves */
static char copy[2 * HALF];
static int fds[2], file;
static int nread, nwritten, npread, npwritten;

static char
letter(int i, int k)
{
	return 'a' + (i + k / PG) % 26;
}

static void
fillbuffer(int i)
{
	int k;

	must(mmap(buf, 2 * HALF, RW, ANON | MAP_FIXED, -1, 0) == buf);
	for (k = 0; k < 2 * HALF; k += PG)
		memset(buf + k, letter(i, k), PG);
}

static void
unmapshalf(int i)
{
	(void)i;
	must(munmap(buf + HALF, HALF) == 0);
}

/* All, or what was copied before a page was gone. */
static int
transferred(int n)
{
	must(n >= HALF && n <= 2 * HALF);
	return n;
}

static void
writesall(int i)
{
	(void)i;
	nwritten = transferred(write(fds[1], buf, 2 * HALF));
	npwritten = transferred(pwrite(file, buf, 2 * HALF, 0));
}

static void
rightbytes(int i, const char *from, int n)
{
	int k;

	for (k = 0; k < n; k += 61)
		must(from[k] == letter(i, k));
	must(n <= 0 || from[n - 1] == letter(i, n - 1));
}

static void
allwaswritten(int i)
{
	int n = 0, k;

	while (n < nwritten) {
		k = read(fds[0], copy + n, sizeof copy - n);
		must(k > 0);
		n += k;
	}
	must(n == nwritten);
	rightbytes(i, copy, n);
	must(read(fds[0], copy, 1) < 0 && errno == EAGAIN);
	must(pread(file, copy, npwritten, 0) == npwritten);
	rightbytes(i, copy, npwritten);
}

static void
iobuffers(void)
{
	begin();
	buf = (char *)place(2 * HALF / PG);
	must(pipe(fds) == 0);
	must(fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0);
	file = open("t_race", O_RDWR | O_CREAT | O_TRUNC, 0600);
	must(file >= 0 && unlink("t_race") == 0);
}

static void
write_against_munmap(void)
{
	iobuffers();
	race(&(struct race){fillbuffer, unmapshalf, writesall, allwaswritten});
}

/* Both have 2 * HALF bytes to give; the buffer is empty. */
static void
fillsources(int i)
{
	fillbuffer(i);
	must(write(fds[1], buf, 2 * HALF) == 2 * HALF);
	must(pwrite(file, buf, 2 * HALF, 0) == 2 * HALF);
	must(mmap(buf, 2 * HALF, RW, ANON | MAP_FIXED, -1, 0) == buf);
}

static int
min(int a, int b)
{
	return a < b ? a : b;
}

static void
readsall(int i)
{
	nread = transferred(read(fds[0], buf, 2 * HALF));
	rightbytes(i, buf, min(nread, HALF));
	npread = transferred(pread(file, buf, 2 * HALF, 0));
	rightbytes(i, buf, min(npread, HALF));
}

/* What was not read is still in the pipe. */
static void
restisthere(int i)
{
	int k, left = 2 * HALF;

	(void)i;
	while ((k = read(fds[0], copy, sizeof copy)) > 0)
		left -= k;
	must(left == nread);
}

static void
read_against_munmap(void)
{
	iobuffers();
	race(&(struct race){fillsources, unmapshalf, readsall, restisthere});
}

const struct test t_raceio[] = {
	T(futex_wake_against_wait),
	T(futex_of_two_processes),
	T(futex_lock_of_four_threads),
	T(regions_of_threads_never_overlap),
	T(write_against_munmap),
	T(read_against_munmap),
	{0},
};
