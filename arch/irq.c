/*
 * irq.c - the 16 interrupt lines of the ISA bus, which arrive through the I/O
 * APICs where those are used, and through the two 8259s where not.
 *
 * No lock: handlers are added at boot and by the first process as it starts the
 * drivers, and are never taken away; interrupts of lines go to CPU 0 alone, and
 * may come while a handler is added.
 */
#include "arch/trap.h"

#include "arch/cpu.h"
#include "arch/ioapic.h"
#include "arch/lapic.h"
#include "arch/machine.h"
#include "arch/pic.h"
#include "kern/lock/lock.h"
#include "kern/panic.h"

static struct {
	const char *name;       /* of handler; 0: irqset() was not called */
	void (*handler)(struct trapframe *);
	struct irqshare *share; /* more handlers; the list only grows */
	int level;              /* devices hold the line until served */
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
	__asm__ volatile("" : : : "memory"); /* s is complete: an interrupt may
	                                      * see it at once */
	lines[irq].share = s;
	if (isnew && pci && machine.irq[irq].flags == 0)
		machine.irq[irq].flags = IRQ_LOW | IRQ_LEVEL;
	if (isnew && lines[irq].name == 0)
		unmask(irq);
}

/* Let the line irq interrupt, by whichever controller is used. */
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

/* The interrupt is acknowledged first, because the handler of the timer may
 * take long; but with an APIC, a line that devices still hold would interrupt
 * again at once, and is acknowledged last. */
void
irqtrap(struct trapframe *tf)
{
	int irq = (int)tf->trapno - T_IRQ0, level = lines[irq].level;
	struct irqshare *s;

	lockassert(interruptsoff());
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
