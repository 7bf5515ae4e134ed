/*
 * pit.c - the 8254 timer: HZ interrupts a second, and the yardstick for the
 * time-stamp counter.
 *
 * Counter 0 counts down from PERIOD once a tick and raises IRQ 0.  Counter 2,
 * whose gate is a bit of port 61h, measures the TSC at boot.
 */
#include "arch/cpu.h"

#include "arch/x86.h"

#define PITHZ  1193182 /* the 8254's input clock */
#define PERIOD ((PITHZ + HZ / 2) / HZ)

#define COUNT0  0x40
#define COUNT2  0x42
#define PITMODE 0x43
#define GATE    0x61 /* bit 0: counter 2 runs; 1: loudspeaker; 5: its output */

#define CALIBRATE 3 /* milliseconds */
#define LOOKS     8

struct look { /* at both clocks */
	uint64_t tsc, width; /* somewhere in these ticks the counter */
	uint count;          /* said this */
};

uint tsckhz;

static volatile uint ticks; /* since pitinit */

static uint calibrate(void);
static struct look look(int n);
static uint pitcount(int *pending);

/* Calibrate the TSC (few ms) and start IRQ 0; its handler is trap.c's.
 * Interrupts off. */
void
pitinit(void)
{
	if (cpuinfo.features & CPU_TSC)
		tsckhz = calibrate();
	outb(PITMODE, 0x34); /* counter 0, low byte then high, mode 2 */
	outb(COUNT0, PERIOD & 0xFF);
	outb(COUNT0, PERIOD >> 8);
}

/* TSC ticks per millisecond, from two looks at counter 2 about CALIBRATE ms
 * apart; 0 if it does not count.  When a hypervisor takes us off the CPU both
 * go on, so only a counter that has run out in between spoils it. */
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
		inb(GATE); /* a microsecond later it has been loaded */
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

/* What the TSC and counter 2 say at one time: the closest of n looks. */
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

/* Count a tick, for pitns; from the timer interrupt. */
void
pittick(void)
{
	ticks++;
}

/* Nanoseconds since pitinit, from ticks and the counter; monotonic. */
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
		now = last; /* the counter started over as we looked */
	last = now;
	popcli();
	return now;
}

/* What counter 0 has left; pending: it has started over since the last tick we
 * counted (the interrupt is requested but not served). */
static uint
pitcount(int *pending)
{
	uint count;

	outb(PITMODE, 0); /* latch counter 0 */
	count = inb(COUNT0);
	count |= inb(COUNT0) << 8;
	outb(0x20, 0x0A); /* 8259: the next read gives the requests */
	*pending = (inb(0x20) & 1) && count > PERIOD / 2;
	return MIN(count, PERIOD);
}
