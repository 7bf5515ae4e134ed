/*
 * ioapic.c - the I/O APICs, which turn the lines of devices into messages to
 * local APICs (Intel 82093AA datasheet).
 *
 * All lines go to the boot CPU.  A line is masked until irqset() routes it.
 * The registers are behind a window of two words, so that two CPUs must not use
 * them at once; only the boot CPU does, before others run or in the first
 * process.
 */
#include "arch/ioapic.h"

#include "arch/cpu.h"
#include "arch/memlayout.h"
#include "arch/machine.h"

/* Words of the window: which register, and its value. */
#define SELECT 0
#define WINDOW 4

#define VERSION  1    /* register; bits 16 to 23: number of the last input */
#define INPUT(n) (0x10 + 2 * (n)) /* two registers: vector and IN_, to whom */

#define IN_LOW    0x02000 /* active low */
#define IN_LEVEL  0x08000 /* level triggered, else by edges */
#define IN_MASKED 0x10000

static uint regread(int i, uint reg);
static void regwrite(int i, uint reg, uint v);
static uint inputs(int i);

int
ioapicinit(void)
{
	uint n;
	int i;

	for (i = 0; i < machine.nioapic; i++)
		if (machine.ioapic[i].addr < DEVSPACE ||
			regread(i, VERSION) + 1 <= 1)
			return 0;
	for (i = 0; i < machine.nioapic; i++)
		for (n = 0; n < inputs(i); n++)
			regwrite(i, INPUT(n), IN_MASKED);
	return machine.nioapic > 0;
}

void
ioapicroute(int irq, int vector)
{
	uint gsi = machine.irq[irq].gsi, how = (uint)vector, n;
	int i;

	if (machine.irq[irq].flags & IRQ_LOW)
		how |= IN_LOW;
	if (machine.irq[irq].flags & IRQ_LEVEL)
		how |= IN_LEVEL;
	for (i = 0; i < machine.nioapic; i++) {
		n = gsi - machine.ioapic[i].gsi;
		if (n >= inputs(i))
			continue;
		regwrite(i, INPUT(n) + 1, cpus[0].apicid << 24);
		regwrite(i, INPUT(n), how);
	}
}

/* How many inputs the I/O APIC machine.ioapic[i] has. */
static uint
inputs(int i)
{
	return (regread(i, VERSION) >> 16 & 0xFF) + 1;
}

/* The value of a register of the I/O APIC machine.ioapic[i]. */
static uint
regread(int i, uint reg)
{
	volatile uint *r = (volatile uint *)machine.ioapic[i].addr;

	r[SELECT] = reg;
	return r[WINDOW];
}

/* Set a register of the I/O APIC machine.ioapic[i] to v. */
static void
regwrite(int i, uint reg, uint v)
{
	volatile uint *r = (volatile uint *)machine.ioapic[i].addr;

	r[SELECT] = reg;
	r[WINDOW] = v;
}
