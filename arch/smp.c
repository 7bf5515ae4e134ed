/*
 * smp.c - start the other processors (SDM 3A 9.4; MultiProcessor Specification
 * appendix B.4).
 *
 * Each is reset, so that it waits, and gets a startup IPI with the address of
 * entryother.asm's code, which brings it to mpenter() on a stack of its own.
 * One at a time: they share apstack and the struct cpu cpus[ncpu].  A CPU that
 * does not come in time is reset again, and cannot come late.
 *
 * Most machines start all their TSCs at once.  Where not, each CPU keeps what is
 * missing to the boot CPU's in tscoff, known as well as two CPUs can talk.
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
#include "kern/sched.h"
#include "kern/lib/string.h"

#define PATIENCE 1000000 /* microseconds for a CPU to come up */
#define LOOKS    8

extern char entryother[], eentryother[];

char *apstack; /* the top, for entryother.asm */

int tscskewed;

/* How far the CPU has come that is being started. */
static volatile enum { ASLEEP, STARTED, GONE } stage;

static struct { /* looks at its TSC */
	volatile uint ask, answer; /* number of the look */
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

/* The command line's, at least 1; without a number there, as many as we can. */
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

/* Start one as cpus[ncpu]: 1 if it runs. */
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

/* Has it started, in so many microseconds? */
static int
waitstarted(uint us)
{
	uint64_t start = rdtsc();

	while (stage != STARTED && !passed(start, us))
		pause();
	return stage == STARTED;
}

static int
passed(uint64_t start, uint us)
{
	return rdtsc() - start > (uint64_t)us * tsckhz / 1000;
}

/* How far the new CPU's TSC is behind ours: 0 if no further than the time it
 * takes to ask.  The shortest of a few looks counts. */
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

static void
delay(uint us)
{
	uint64_t start = rdtsc();

	while (!passed(start, us))
		pause();
}

/* From entryother.asm: interrupts off, kpgdir loaded. */
void
mpenter(void)
{
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

/* Tell the boot CPU our TSC whenever it asks, until it lets us go. */
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
