/*
 * irq.c - the interrupt lines of the ISA bus, through the I/O APICs where those
 * are used and the two 8259s where not.
 */
#include "arch/trap.h"

#include "arch/ioapic.h"
#include "arch/lapic.h"
#include "arch/machine.h"
#include "arch/pic.h"
#include "kern/panic.h"

static void (*handlers[NIRQ])(struct trapframe *);

void
irqset(int irq, void (*handler)(struct trapframe *))
{
	assert(irq >= 0 && irq < NIRQ && irq != PICCASCADE);
	handlers[irq] = handler;
	if (apicused())
		ioapicroute(irq, T_IRQ0 + irq);
	else
		picunmask(irq);
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
	if (handlers[irq])
		handlers[irq](tf);
}
