/* t_stack.c - the stack grows on demand, as far as its limit, no further. */
#include "t.h"

#include <sys/mman.h>
#include <sys/resource.h>

#define MIB (1 << 20)

static char altstack[64 << 10];
static uintptr_t top; /* of the stack */

/* The stack pointer, as a number that the compiler knows nothing about. */
static char *__attribute__((noinline))
sp(void)
{
	char *p;

	__asm__ volatile("mov %%esp, %0" : "=r"(p));
	return p;
}

/* Touch the page below the caller's frame, for calls that measure. */
static void __attribute__((noinline))
pretouch(void)
{
	volatile char page[PG] __attribute__((unused));

	page[0] = 1;
	page[PG - 1] = 1;
}

static void __attribute__((noinline))
toucheach16k(void)
{
	volatile int a[32768] __attribute__((unused));
	int i;

	for (i = 0; i < 32768; i += 4096)
		a[i] = i;
}

/* Go 64 KiB down first, below what the test program itself has used. */
static long __attribute__((noinline))
countfaults(void)
{
	volatile char unused[64 << 10] __attribute__((unused));
	long before;

	pretouch();
	unused[0] = 0;
	before = minflt();
	toucheach16k();
	return minflt() - before;
}

static void
stack_touch_each_16k(void)
{
	checkcount(countfaults(), 8, 4);
	checkcount(countfaults(), 0, 4);
}

static uintptr_t
stacktop(uintptr_t *low)
{
	uintptr_t start, end;
	char perms[5];

	must(mapline(sp(), &start, &end, perms));
	if (low)
		*low = start;
	return end;
}

static void
onsegv(int sig, siginfo_t *si, void *uc)
{
	(void)sig, (void)uc;
	checkeq(si->si_code, SEGV_MAPERR);
	checkeq((uintptr_t)si->si_addr / PG * PG, top - MIB - PG);
	finish();
}

static void
touchdown(void)
{
	stack_t ss = {.ss_sp = altstack, .ss_size = sizeof altstack};
	struct sigaction sa = {.sa_sigaction = onsegv,
		.sa_flags = SA_SIGINFO | SA_ONSTACK};
	volatile char *p;

	top = stacktop(0);
	must(sigaltstack(&ss, 0) == 0);
	must(sigaction(SIGSEGV, &sa, 0) == 0);
	for (p = sp();; p -= 512)
		*p = 1;
}

static void
stack_limit_segv(void)
{
	struct rlimit rl;

	must(getrlimit(RLIMIT_STACK, &rl) == 0);
	rl.rlim_cur = MIB;
	must(setrlimit(RLIMIT_STACK, &rl) == 0);
	child(touchdown);
}

static volatile int deepest = 1 << 30;

static int
recurse(int n)
{
	volatile char frame[1024];

	frame[0] = n;
	return n == deepest ? 0 : recurse(n + 1) + frame[0];
}

static void
overflow(void)
{
	exit(recurse(0));
}

static void
stack_overflow_kills(void)
{
	checkdeath(overflow, SIGSEGV);
}

/* The kernel's own accesses grow the stack as the program's do. */
static void
stack_grows_in_kernel_copy(void)
{
	char *below = sp() - 512 * 1024;
	int fd[2], i, sum = 0;

	must(pipe(fd) == 0);
	must(write(fd[1], exepath, 200) == 200);
	checkeq(read(fd[0], below, 200), 200);
	for (i = 0; i < 200; i++)
		sum += below[i] != exepath[i];
	checkeq(sum, 0);
	below -= 256 * 1024;
	checkeq(write(fd[1], below, 300), 300); /* read by the kernel: zeroes */
	checkeq(read(fd[0], below, 300), 300);
	checkeq(below[0] | below[299], 0);
}

/* There is no check against esp. */
static void
stack_far_below_esp(void)
{
	char *here = sp();
	volatile char *p = here - MIB;
	long before = minflt();

	*p = 7;
	checkcount(minflt() - before, 1, 2);
	p = here - 7 * MIB - MIB / 2;
	*p = 9;
	checkeq(*p, 9);
	checkeq(here[-MIB], 7);
}

static volatile char *toguard;

static void
touchguard(void)
{
	*toguard = 1;
}

/* 256 pages stay free between the stack and a mapping below it. */
static void
stack_keeps_guard_gap(void)
{
	uintptr_t low;
	char *neighbour;

	stacktop(&low);
	neighbour = (char *)low - 3 * MIB;
	must(mmap(neighbour, PG, PROT_READ,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		     0) == neighbour);
	toguard = neighbour + PG + 256 * PG;
	child(touchguard);
	toguard = neighbour + PG + 255 * PG;
	checkdeath(touchguard, SIGSEGV);
}

static void
stack_growsdown_mapping(void)
{
	char *a = area(1024), *p = a + 1000 * PG;

	must(munmap(a, 1024 * PG) == 0);
	must(mmap(p, PG, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED,
		     -1, 0) == p);
	p[-3 * PG] = 5;
	p[-200 * PG] = 6;
	checkeq(p[-3 * PG], 5);
	checkeq(p[-100 * PG], 0);
	toguard = p + PG; /* never up */
	if (mapcount((void *)toguard, 1) == 0)
		checkdeath(touchguard, SIGSEGV);
}

const struct test t_stack[] = {
	T(stack_touch_each_16k),
	T(stack_limit_segv),
	T(stack_overflow_kills),
	T(stack_grows_in_kernel_copy),
	T(stack_far_below_esp),
	T(stack_keeps_guard_gap),
	T(stack_growsdown_mapping),
	{0},
};
