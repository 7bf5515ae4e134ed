/*
 * pic.c - the two 8259A interrupt controllers.
 *
 * Lines 0 to 15 arrive as vectors T_IRQ0 to T_IRQ0 + 15; the second chip hangs
 * on line 2 of the first.  A line is masked until irqset gives it a handler.
 */
#include "arch/trap.h"

#include "arch/x86.h"
#include "kern/panic.h"

#define PIC1    0x20 /* command port of the first; data is the next port */
#define PIC2    0xA0
#define CASCADE 2

#define ICW1    0x11 /* edge triggered, cascaded, ICW4 follows */
#define ICW4    0x01 /* 8086 mode, ends of interrupt by command */
#define EOI     0x60 /* | line: that interrupt is served */
#define READISR 0x0B /* the next read gives the lines in service */

static uint16_t masked = 0xFFFF & ~(1 << CASCADE);
static void (*handlers[16])(struct trapframe *);

static void picsetup(int port, int vector, int cascade);
static int spurious(int irq);
static void acknowledge(int irq);

/* Set up both chips with every line masked.  Interrupts off. */
void
picinit(void)
{
	picsetup(PIC1, T_IRQ0, 1 << CASCADE);
	picsetup(PIC2, T_IRQ0 + 8, CASCADE);
	outb(PIC1 + 1, masked & 0xFF);
	outb(PIC2 + 1, masked >> 8);
}

/* The four initialisation words, in their order. */
static void
picsetup(int port, int vector, int cascade)
{
	outb(port, ICW1);
	outb(port + 1, vector);
	outb(port + 1, cascade);
	outb(port + 1, ICW4);
}

/* Call the handler at each interrupt of the line from now on. */
void
irqset(int irq, void (*handler)(struct trapframe *))
{
	assert(irq >= 0 && irq < 16 && irq != CASCADE);
	handlers[irq] = handler;
	masked &= ~(1 << irq);
	outb(PIC1 + 1, masked & 0xFF);
	outb(PIC2 + 1, masked >> 8);
}

/* An interrupt came.  Acknowledged first, because the handler of the timer may
 * not return for a while. */
void
irqtrap(struct trapframe *tf)
{
	int irq = tf->trapno - T_IRQ0;

	if (spurious(irq))
		return;
	acknowledge(irq);
	if (handlers[irq])
		handlers[irq](tf);
}

/* A line that fell before it was asked about shows up as the chip's last one,
 * but is not in service. */
static int
spurious(int irq)
{
	int port = irq < 8 ? PIC1 : PIC2;

	if (irq != 7 && irq != 15)
		return 0;
	outb(port, READISR);
	if (inb(port) & 0x80)
		return 0;
	if (irq == 15)
		outb(PIC1, EOI | CASCADE); /* the first chip believes it */
	return 1;
}

static void
acknowledge(int irq)
{
	if (irq >= 8) {
		outb(PIC2, EOI | (irq - 8));
		irq = CASCADE;
	}
	outb(PIC1, EOI | irq);
}
