/*
 * pit.c - the 8254 timer: HZ interrupts a second where there are no APICs, and
 * the yardstick for the time-stamp counter (TSC).
 *
 * Counter 0 counts down from PERIOD once a tick and raises IRQ 0.  Counter 2,
 * whose gate is a bit of port 61h, measures the TSC at boot.
 */
#include "arch/cpu.h"

#include "arch/x86.h"
#include "kern/lock/lock.h"

#define PITHZ  1193182 /* the 8254's input clock, in Hz */
#define PERIOD ((PITHZ + HZ / 2) / HZ) /* its counts in a tick of 1/HZ s */

#define COUNT0  0x40
#define COUNT2  0x42
#define PITMODE 0x43
#define GATE    0x61 /* bit 0: counter 2 runs; 1: loudspeaker; 5: its output */

#define CALIBRATE 3 /* milliseconds */
#define LOOKS     8 /* at both clocks; the shortest counts */

struct look { /* at the TSC and counter 2 */
	uint64_t tsc, width; /* at tsc, give or take width / 2, the counter */
	uint count;          /* was at this count */
};

uint tsckhz;

static volatile uint ticks; /* interrupts of the timer since pitinit() */

static uint calibrate(void);
static struct look look(int n);
static uint pitcount(int *pending);

void
pitinit(void)
{
	lockassert(interruptsoff());
	if (cpuinfo.features & CPU_TSC)
		tsckhz = calibrate();
	outb(PITMODE, 0x34); /* counter 0, low byte then high, mode 2 */
	outb(COUNT0, PERIOD & 0xFF);
	outb(COUNT0, PERIOD >> 8);
}

/* TSC ticks per millisecond, from two looks at counter 2 about CALIBRATE ms
 * apart; 0 if the counter does not count.  When a hypervisor takes this CPU
 * away both clocks go on, so only a counter that has run out meanwhile spoils
 * the measurement, and then it is tried again. */
static uint
calibrate(void)
{
	uint n = PITHZ * CALIBRATE / 1000, tries = 4;
	struct look a, b;

	outb(GATE, (inb(GATE) & ~2) | 1);
	do {
		outb(PITMODE, 0xB0); /* counter 2, low byte then high, mode 0 */
		outb(COUNT2, 0xFF);
		outb(COUNT2, 0xFF);
		inb(GATE); /* takes the microsecond in which it is loaded */
		a = look(LOOKS);
		do
			b = look(1);
		while (a.count - b.count < n && b.tsc - a.tsc < 1ull << 32);
		b = look(LOOKS);
	} while ((inb(GATE) & 0x20) && --tries > 0);
	outb(GATE, inb(GATE) & ~1);
	if (a.count <= b.count)
		return 0;
	return (uint)((b.tsc - a.tsc) * PITHZ / (a.count - b.count) / 1000);
}

/* What the TSC and counter 2 say at one time: the shortest of n looks. */
static struct look
look(int n)
{
	struct look l, best = {.width = ~0ull};

	while (n-- > 0) {
		l.tsc = rdtsc();
		outb(PITMODE, 0x80); /* latch counter 2 */
		l.width = rdtsc() - l.tsc;
		l.tsc += l.width / 2;
		l.count = inb(COUNT2);
		l.count |= inb(COUNT2) << 8;
		if (l.width <= best.width)
			best = l;
	}
	return best;
}

void
pittick(void)
{
	ticks++;
}

/* No lock: only one CPU runs where this is used, and interrupts are off. */
uint64_t
pitns(void)
{
	static uint64_t last;
	uint64_t now;
	uint count;
	int pending;

	pushcli();
	count = pitcount(&pending);
	now = (uint64_t)(ticks + pending) * PERIOD + (PERIOD - count);
	now = now / PITHZ * 1000000000 + now % PITHZ * 1000000000 / PITHZ;
	if (now < last)
		now = last; /* the counter started over meanwhile */
	last = now;
	popcli();
	return now;
}

/* What counter 0 has left of PERIOD.  *pending becomes 1 if it has started over
 * since the last tick that was counted (its interrupt is requested but has not
 * been taken), else 0.  Called with interrupts off. */
static uint
pitcount(int *pending)
{
	uint count;

	lockassert(interruptsoff());
	outb(PITMODE, 0); /* latch counter 0 */
	count = inb(COUNT0);
	count |= inb(COUNT0) << 8;
	outb(0x20, 0x0A); /* 8259: the next read gives the requests */
	*pending = (inb(0x20) & 1) && count > PERIOD / 2;
	return MIN(count, PERIOD);
}
