/*
 * smp.c - start the other processors (SDM 3A 9.4; MultiProcessor Specification
 * appendix B.4).
 *
 * Each is reset, so that it waits, and gets a startup IPI with the address of
 * entryother.asm's code, which brings it to mpenter() on a stack of its own.
 * One at a time: they share apstack and the struct cpu cpus[ncpu].  A CPU that
 * does not come in time is reset again, and cannot come late.
 */
#include "arch/smp.h"

#include "arch/cpu.h"
#include "arch/lapic.h"
#include "arch/machine.h"
#include "arch/memlayout.h"
#include "arch/multiboot.h"
#include "arch/trap.h"
#include "mm/mm.h"
#include "kern/printf.h"
#include "kern/sched.h"
#include "kern/string.h"

#define PATIENCE 1000000 /* microseconds for a CPU to come up */

extern char entryother[], eentryother[];

char *apstack; /* the top, for entryother.asm */

static volatile int started; /* it runs: [0 set by the boot CPU, 1 by it] */

void mpenter(void);

static int maxcpus(void);
static int startcpu(uint apicid);
static int waitstarted(uint us);
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
		if (startcpu(machine.apicid[i]))
			ncpu++;
		else
			printf("CPU with APIC %u does not start\n",
				machine.apicid[i]);
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
	started = 0;
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
	while (!started && us > 0) {
		delay(10);
		us -= 10;
	}
	return started;
}

static void
delay(uint us)
{
	uint64_t start = rdtsc();

	while (rdtsc() - start < (uint64_t)us * tsckhz / 1000)
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
	started = 1;
	scheduler();
}
