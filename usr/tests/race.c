/* race.c - two threads that meet, and accesses that may fail: see race.h. */
#include "race.h"

#include <sys/mman.h>
#include <ucontext.h>

int rounds;
volatile int over;
word *p;
__thread unsigned state = 1;
__thread siginfo_t why;

static struct meeting meeting;
static const struct race *current;

extern char loads[], stores[], fails[];

__asm__(".text\n"
	".globl store, load\n"
	"store:\n\tmov 4(%esp), %edx\n\tmov 8(%esp), %ecx\n"
	"stores:\n\tmov %ecx, (%edx)\n\tmov $1, %eax\n\tret\n"
	"load:\n\tmov 4(%esp), %edx\n\tmov 8(%esp), %ecx\n"
	"loads:\n\tmov (%edx), %eax\n\tmov %eax, (%ecx)\n"
	"\tmov $1, %eax\n\tret\n"
	"fails:\n\txor %eax, %eax\n\tret\n");

void
onsegv(int sig, siginfo_t *si, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)sig;
	why = *si;
	if (regs[REG_EIP] != (greg_t)stores && regs[REG_EIP] != (greg_t)loads) {
		failed(__FILE__, __LINE__, "SIGSEGV at %#x, address %p",
			regs[REG_EIP], si->si_addr);
		finish();
	}
	regs[REG_EIP] = (greg_t)fails;
}

void
begin(void)
{
	struct sigaction sa = {.sa_sigaction = onsegv, .sa_flags = SA_SIGINFO};

	must(sigaction(SIGSEGV, &sa, 0) == 0);
	rounds = number("RACES", 10000);
	state = number("SEED", 1) * 2654435761u + 1;
	over = -1;
}

void
rest(int *n)
{
	if (++*n % 64 == 0)
		sched_yield();
	__asm__ volatile("pause");
}

void
turn(void)
{
	static __thread unsigned n;

	if (++n % 16 == 0)
		__asm__ volatile("pause");
}

int
isover(int i)
{
	turn();
	return over == i;
}

void
meet(struct meeting *m)
{
	int n = 0, round = m->round;

	if (__sync_add_and_fetch(&m->here, 1) == 2) {
		m->here = 0;
		__sync_synchronize();
		m->round = round + 1;
	}
	while (m->round == round)
		rest(&n);
}

unsigned
dice(void)
{
	state = state * 1664525 + 1013904223;
	return state >> 12;
}

/* Take some time: mostly none, sometimes that of a page fault, or more. */
void
jitter(void)
{
	unsigned n = dice() % 4 ? dice() % 64 : dice() % 1024;

	while (n--)
		__asm__ volatile("");
}

static void *
sidetwo(void *seed)
{
	int i;

	state = (uintptr_t)seed;
	for (i = 0; i < rounds; i++) {
		meet(&meeting);
		jitter();
		current->two(i);
		meet(&meeting);
	}
	return 0;
}

pthread_t
thread(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	must(pthread_create(&t, 0, fn, arg) == 0);
	return t;
}

void
join(pthread_t t)
{
	must(pthread_join(t, 0) == 0);
}

void
race(const struct race *r)
{
	pthread_t t;
	int i;

	current = r;
	t = thread(sidetwo, (void *)(uintptr_t)(state ^ 0x5bd1e995));
	for (i = 0; i < rounds; i++) {
		r->prepare(i);
		meet(&meeting);
		jitter();
		r->one(i);
		meet(&meeting);
		r->look(i);
	}
	join(t);
}

void
nothing(int i)
{
	(void)i;
}

void
newpage(int i)
{
	(void)i;
	must(mmap((void *)p, 2 * PG, RW, ANON | MAP_FIXED, -1, 0) == p);
}

word *
place(int pages)
{
	return (word *)((char *)area(pages + 2) + PG);
}

word *
sharedpages(int pages)
{
	void *m = mmap(0, pages * PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(m != MAP_FAILED);
	return m;
}
