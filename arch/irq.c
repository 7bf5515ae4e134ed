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
	const char *name; /* 0: it may be shared */
	void (*handler)(struct trapframe *);
	struct irqshare *share; /* only grows */
	int level;              /* held until served */
} lines[NIRQ];

static void unmask(int irq);

void
irqset(int irq, const char *name, void (*handler)(struct trapframe *))
{
	assert(irq >= 0 && irq < NIRQ && irq != PICCASCADE);
	lines[irq].name = name;
	lines[irq].handler = handler;
	unmask(irq);
}

void
irqshare(int irq, struct irqshare *s, int pci)
{
	int isnew;

	assert(irq >= 0 && irq < NIRQ && irq != PICCASCADE);
	isnew = lines[irq].share == 0;
	s->next = lines[irq].share;
	lines[irq].level |= pci;
	__asm__ volatile("" : : : "memory"); /* interrupts come meanwhile */
	lines[irq].share = s;
	if (isnew && pci && machine.irq[irq].flags == 0)
		machine.irq[irq].flags = IRQ_LOW | IRQ_LEVEL;
	if (isnew && lines[irq].name == 0)
		unmask(irq);
}

static void
unmask(int irq)
{
	if (apicused())
		ioapicroute(irq, T_IRQ0 + irq);
	else
		picunmask(irq);
}

const char *
irqname(int irq, int n)
{
	struct irqshare *s = lines[irq].share;

	if (lines[irq].name && n-- == 0)
		return lines[irq].name;
	while (s && n-- > 0)
		s = s->next;
	return s ? s->name : 0;
}

/* Acknowledged first, because the handler of the timer may not return for a
 * while; but a line that is held would come again at once. */
void
irqtrap(struct trapframe *tf)
{
	int irq = (int)tf->trapno - T_IRQ0, level = lines[irq].level;
	struct irqshare *s;

	if (!apicused() && !picack(irq))
		return;
	if (apicused() && !level)
		lapiceoi();
	mycpu()->intr[irq]++;
	if (lines[irq].handler)
		lines[irq].handler(tf);
	for (s = lines[irq].share; s; s = s->next)
		s->handler(s->arg);
	if (apicused() && level)
		lapiceoi();
}
