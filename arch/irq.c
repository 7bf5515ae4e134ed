/*
 * irq.c - the interrupt lines of the ISA bus, through the I/O APICs where those
 * are used and the two 8259s where not.
 */
#include "arch/trap.h"

#include "arch/cpu.h"
#include "arch/ioapic.h"
#include "arch/lapic.h"
#include "arch/machine.h"
#include "arch/pic.h"
#include "kern/panic.h"

static struct {
	const char *name;
	void (*handler)(struct trapframe *);
} lines[NIRQ];

void
irqset(int irq, const char *name, void (*handler)(struct trapframe *))
{
	assert(irq >= 0 && irq < NIRQ && irq != PICCASCADE);
	lines[irq].name = name;
	lines[irq].handler = handler;
	if (apicused())
		ioapicroute(irq, T_IRQ0 + irq);
	else
		picunmask(irq);
}

const char *
irqname(int irq)
{
	return lines[irq].name;
}

/* Acknowledged first, because the handler of the timer may not return for a
 * while. */
void
irqtrap(struct trapframe *tf)
{
	int irq = (int)tf->trapno - T_IRQ0;

	if (apicused())
		lapiceoi();
	else if (!picack(irq))
		return;
	mycpu()->intr[irq]++;
	if (lines[irq].handler)
		lines[irq].handler(tf);
}
