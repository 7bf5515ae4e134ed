/*
 * lapic.c - the local APICs (SDM 3A chapter 10, "Advanced Programmable
 * Interrupt Controller (APIC)"; chapter 11 in the editions of 2022 and 2023).
 *
 * Each CPU has one.  Its registers lie at the same physical address on every
 * CPU, in the device window, which is mapped 1:1; each CPU sees its own.
 */
#include "arch/lapic.h"

#include "arch/cpu.h"
#include "arch/ioapic.h"
#include "arch/machine.h"
#include "arch/memlayout.h"
#include "arch/multiboot.h"
#include "arch/trap.h"
#include "arch/x86.h"
#include "kern/lock/lock.h"

/* Registers, as indices of words. */
#define ID      (0x020 / 4)
#define VERSION (0x030 / 4)
#define TPR     (0x080 / 4) /* priority below which nothing comes */
#define EOI     (0x0B0 / 4)
#define SVR     (0x0F0 / 4)
#define ESR     (0x280 / 4)
#define ICRLO   (0x300 / 4)
#define ICRHI   (0x310 / 4)
#define LTIMER  (0x320 / 4) /* local vector table */
#define LPERF   (0x340 / 4)
#define LINT0   (0x350 / 4)
#define LERROR  (0x370 / 4)
#define INITIAL (0x380 / 4) /* of the timer: where it starts to count down, */
#define CURRENT (0x390 / 4) /* where it is, */
#define DIVIDE  (0x3E0 / 4) /* how many ticks of the bus make a count */

#define SVR_ENABLE   0x100
#define LV_MASKED    0x10000
#define LV_PERIODIC  0x20000
#define DIVIDE16     3
#define ICR_INIT     0x0500
#define ICR_STARTUP  0x0600
#define ICR_PENDING  0x1000 /* the last one has not been accepted yet */
#define ICR_ASSERT   0x4000
#define ICR_LEVEL    0x8000
#define INTEGRATED   0x10 /* versions 1x: on the CPU's chip */

#define CALIBRATE 250 /* microseconds */
#define LOOKS     8   /* at both clocks; the shortest counts */

struct look { /* at the TSC and the timer */
	uint64_t tsc, width; /* between tsc and tsc + width, the timer */
	uint count;          /* was at this count */
};

static volatile uint *lapic; /* 0: there is none, or it is not used */
static uint period;          /* counts of the timer in a tick of 1/HZ */

static uint64_t began;       /* when CPU 0's timer started, a time of the TSC */

static uint calibrate(void);
static void skew(int cpu);
static struct look look(void);
static void command(uint apicid, uint what);

int
apicinit(void)
{
	if (bootflag("noapic") || !(cpuinfo.features & CPU_APIC) ||
		tsckhz == 0 || machine.lapic < DEVSPACE)
		return 0;
	lapic = (volatile uint *)machine.lapic;
	if ((lapic[VERSION] & 0xF0) == INTEGRATED && ioapicinit()) {
		lapic[SVR] = SVR_ENABLE | T_SPURIOUS;
		period = calibrate();
	}
	if (period == 0) {
		lapic = 0;
		return 0;
	}
	if (machine.imcr) {
		outb(0x22, 0x70); /* select the switch: */
		outb(0x23, 1);    /* the 8259s reach no CPU */
	}
	lapicinit();
	return 1;
}

int
apicused(void)
{
	return lapic != 0;
}

void
lapicinit(void)
{
	mycpu()->apicid = lapic[ID] >> 24;
	lapic[SVR] = SVR_ENABLE | T_SPURIOUS;
	lapic[LINT0] = LV_MASKED; /* the 8259s */
	if ((lapic[VERSION] >> 16 & 0xFF) >= 4)
		lapic[LPERF] = LV_MASKED;
	lapic[LERROR] = T_APICERR;
	lapic[ESR] = 0; /* a write shows the errors since the last: */
	lapic[ESR] = 0; /* now there are none */
	lapic[EOI] = 0;
	lapic[DIVIDE] = DIVIDE16;
	lapic[LTIMER] = LV_PERIODIC | T_TIMER;
	skew(mycpu()->id);
	lapic[INITIAL] = period;
	lapic[TPR] = 0;
}

/* Wait for this CPU's place between two ticks of CPU 0, before its timer
 * starts: if all CPUs ticked at once, they would meet at the same locks.  A
 * tick's time has NCPU parts, and CPU n ticks in part NCPU - n: with few CPUs
 * the ticks come late, and the longest time without one follows CPU 0's. */
static void
skew(int cpu)
{
	uint tick = tsckhz * (1000 / HZ), at = tick / NCPU * (uint)(NCPU - cpu);
	uint late;

	if (cpu == 0) {
		began = rdtsc();
		return;
	}
	do {
		pause();
		late = (uint)((rdtsc() - began) % tick);
	} while (late < at || late > at + tick / NCPU);
}

/* How many counts the timer makes in a tick of 1/HZ s, measured against the TSC
 * for CALIBRATE microseconds; 0 if it does not count. */
static uint
calibrate(void)
{
	struct look a, b;

	lapic[DIVIDE] = DIVIDE16;
	lapic[LTIMER] = LV_MASKED;
	lapic[INITIAL] = ~0u;
	a = look();
	do
		b = look();
	while (b.tsc - a.tsc < (uint64_t)tsckhz * CALIBRATE / 1000);
	return (uint)((uint64_t)(a.count - b.count) * tsckhz * (1000 / HZ) /
		(b.tsc - a.tsc));
}

/* What the TSC and the timer say at one time: the shortest of LOOKS looks,
 * since a hypervisor may take this CPU away in the middle of one. */
static struct look
look(void)
{
	struct look l, best = {.width = ~0ull};
	int i;

	for (i = 0; i < LOOKS; i++) {
		l.tsc = rdtsc();
		l.count = lapic[CURRENT];
		l.width = rdtsc() - l.tsc;
		if (l.width <= best.width)
			best = l;
	}
	return best;
}

void
lapiceoi(void)
{
	lockassert(interruptsoff());
	lapic[EOI] = 0;
}

void
ipi(int cpu, int vector)
{
	if (lapic)
		command(cpus[cpu].apicid, ICR_ASSERT | (uint)vector);
}

void
ipiothers(int vector)
{
	int me = pushcli()->id;
	int i;

	for (i = 0; i < ncpu; i++)
		if (i != me)
			ipi(i, vector);
	popcli();
}

void
lapicreset(uint apicid)
{
	command(apicid, ICR_INIT | ICR_LEVEL | ICR_ASSERT);
	command(apicid, ICR_INIT | ICR_LEVEL);
}

void
lapicstart(uint apicid, uint pa)
{
	command(apicid, ICR_STARTUP | ICR_ASSERT | pa >> PGSHIFT);
}

/* Send what (ICR_ bits and a vector, or a page number) to the CPU that has this
 * APIC, once the message before has left this CPU.  The two registers are
 * written with interrupts off, for a handler may send, too. */
static void
command(uint apicid, uint what)
{
	pushcli();
	while (lapic[ICRLO] & ICR_PENDING)
		pause();
	lapic[ICRHI] = apicid << 24;
	lapic[ICRLO] = what;
	popcli();
}
