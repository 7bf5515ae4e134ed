/*
 * smp.c - start the other processors (SDM 3A 8.4, "Multiple-Processor (MP)
 * Initialization"; MultiProcessor Specification appendix B.4).
 *
 * Each CPU is reset, so that it waits, and gets a startup IPI (an interrupt
 * sent from CPU to CPU) with the address of entryother.asm's code, which brings
 * it to mpenter() on a stack of its own.  CPUs are started one at a time: they
 * share apstack and cpus[ncpu].  A CPU that does not come in time is reset
 * again, so that it cannot come late.
 *
 * Most machines start the time-stamp counters (TSCs) of all CPUs at once.  On
 * others each CPU keeps in tscoff how far its TSC is behind the boot CPU's, as
 * exactly as two CPUs can find out by messages through memory.
 */
#include "arch/smp.h"

#include "arch/cpu.h"
#include "arch/lapic.h"
#include "arch/machine.h"
#include "arch/memlayout.h"
#include "arch/multiboot.h"
#include "arch/trap.h"
#include "mm/mm.h"
#include "kern/lib/printf.h"
#include "kern/lib/string.h"
#include "kern/lock/lock.h"
#include "kern/sched.h"

#define PATIENCE 1000000 /* microseconds for a CPU to come up */
#define LOOKS    8       /* at another CPU's TSC; the shortest counts */

/* What entry.asm and entryother.asm take for granted. */
_Static_assert(KERNBASE == 0x80000000, "KERNBASE");
_Static_assert(APSTART == 0x7000, "APSTART");
_Static_assert(KSTACKPAGES * PGSIZE == 8192, "KSTACKSIZE");

extern char entryother[], eentryother[]; /* entryother.asm: code to copy */

/* What entryother.asm loads on the CPU that is being started. */
char *apstack; /* esp: the top of its stack */
uint apcr3;    /* CR3: the kernel's page directory, physical */

int tscskewed;

/* How far the CPU that is being started has come.  It sets STARTED when it runs
 * and answers looks; the boot CPU sets GONE to send it to scheduler(). */
static volatile enum { ASLEEP, STARTED, GONE } stage;

/* The looks at the TSC of the CPU that is being started.  The boot CPU writes
 * the number of a look to ask; the other writes tsc, then that number to
 * answer. */
static struct {
	volatile uint ask, answer;
	volatile uint64_t tsc;
} look;

void mpenter(void);

static int maxcpus(void);
static int startcpu(uint apicid);
static int waitstarted(uint us);
static int64_t tscbehind(void);
static void answerlooks(void);
static int passed(uint64_t start, uint us);
static void delay(uint us);

void
startothers(void)
{
	int max = maxcpus(), i;

	if (!apicused())
		return;
	apcr3 = rcr3(); /* the kernel's own: no process runs yet */
	memmove(P2V(APSTART), entryother, (uint)(eentryother - entryother));
	for (i = 0; i < machine.ncpu && ncpu < max; i++) {
		if (machine.apicid[i] == cpus[0].apicid)
			continue;
		if (!startcpu(machine.apicid[i])) {
			printf("CPU with APIC %u does not start\n",
				machine.apicid[i]);
			continue;
		}
		cpus[ncpu].tscoff = tscbehind();
		tscskewed |= cpus[ncpu].tscoff != 0;
		ncpu++;
		stage = GONE;
	}
}

/* How many CPUs may run: the number of maxcpus= on the command line, from 1 to
 * NCPU; NCPU without a number there. */
static int
maxcpus(void)
{
	char buf[16], *end;
	uint n;

	if (bootarg("maxcpus", buf, sizeof(buf)) <= 0)
		return NCPU;
	n = strtoul(buf, &end, 10);
	return end == buf || *end ? NCPU : (int)MIN(MAX(n, 1u), (uint)NCPU);
}

/* Start the CPU whose local APIC has this number, as cpus[ncpu]: 1 if it runs,
 * and then it waits in answerlooks(); 0 if it did not come, or there is no
 * memory for its stack. */
static int
startcpu(uint apicid)
{
	char *stack = kstackalloc();
	int tries;

	if (stack == 0)
		return 0;
	apstack = stack + KSTACKPAGES * PGSIZE;
	look.ask = look.answer = 0;
	stage = ASLEEP;
	lapicreset(apicid);
	delay(10000);
	for (tries = 0; tries < 2; tries++) {
		lapicstart(apicid, APSTART);
		if (waitstarted(200))
			return 1;
	}
	if (waitstarted(PATIENCE))
		return 1;
	lapicreset(apicid);
	delay(10000);
	kstackfree(stack);
	return 0;
}

/* Wait for the CPU that is being started, at most us microseconds: 1 if it has
 * said STARTED. */
static int
waitstarted(uint us)
{
	uint64_t start = rdtsc();

	while (stage != STARTED && !passed(start, us))
		pause();
	return stage == STARTED;
}

/* Have more than us microseconds passed since the TSC was start? */
static int
passed(uint64_t start, uint us)
{
	return rdtsc() - start > (uint64_t)us * tsckhz / 1000;
}

/* How many ticks the new CPU's TSC is behind this one's; 0 if the difference is
 * within the error of the measurement.  A look notes this CPU's TSC before the
 * question and after the answer; the other's was read somewhere between the
 * two, so the middle is wrong by half of that time at most.  The shortest of
 * LOOKS looks counts. */
static int64_t
tscbehind(void)
{
	uint64_t start, width, best = ~0ull;
	int64_t behind = 0;
	uint n;

	for (n = 1; n <= LOOKS; n++) {
		start = rdtsc();
		look.ask = n;
		while (look.answer != n)
			pause();
		width = rdtsc() - start;
		if (width < best) {
			best = width;
			behind = (int64_t)(start + width / 2 - look.tsc);
		}
	}
	width = (uint64_t)(behind < 0 ? -behind : behind);
	return width > best / 2 ? behind : 0;
}

/* Spin for us microseconds. */
static void
delay(uint us)
{
	uint64_t start = rdtsc();

	while (!passed(start, us))
		pause();
}

/* Where a CPU comes from entryother.asm, on its own stack, with the kernel's
 * page directory loaded.  Interrupts are off until scheduler() turns them
 * on. */
void
mpenter(void)
{
	lockassert(interruptsoff());
	seginit(ncpu);
	idtload();
	cpusetup();
	fpuinit();
	dfinit();
	lapicinit();
	stage = STARTED;
	answerlooks();
	scheduler();
}

/* Tell the boot CPU this CPU's TSC whenever it asks, until it says GONE. */
static void
answerlooks(void)
{
	uint n;

	while (stage != GONE) {
		n = look.ask;
		if (n == look.answer) {
			pause();
			continue;
		}
		look.tsc = rdtsc();
		look.answer = n;
	}
}
