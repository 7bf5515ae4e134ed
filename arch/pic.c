/*
 * pic.c - the two 8259A interrupt controllers.
 *
 * Lines 0 to 15 arrive as vectors T_IRQ0 to T_IRQ0 + 15; the second chip hangs
 * on line 2 of the first.  A line is masked until irqset() gives it a handler;
 * where the APICs are used, all lines stay masked here.
 */
#include "arch/pic.h"

#include "arch/trap.h"
#include "arch/x86.h"

#define PIC1    0x20 /* command port of the first; data is the next port */
#define PIC2    0xA0

#define ICW1    0x11 /* edge triggered, cascaded, ICW4 follows */
#define ICW4    0x01 /* 8086 mode, ends of interrupt by command */
#define EOI     0x60 /* | line: end of interrupt, that line has been taken */
#define READISR 0x0B /* the next read gives the lines in service */

/* The lines that do not interrupt, a bit for each. */
static uint16_t masked = 0xFFFF & ~(1 << PICCASCADE);

static void picsetup(int port, int vector, int cascade);
static int spurious(int irq);

void
picinit(void)
{
	picsetup(PIC1, T_IRQ0, 1 << PICCASCADE);
	picsetup(PIC2, T_IRQ0 + 8, PICCASCADE);
	outb(PIC1 + 1, masked & 0xFF);
	outb(PIC2 + 1, masked >> 8);
}

/* Write the four initialisation words to the chip at port, in their order: its
 * lines come as vectors from vector on; cascade is what the chip has to know of
 * the other one (the first: a bit for the line, the second: the line's
 * number). */
static void
picsetup(int port, int vector, int cascade)
{
	outb(port, ICW1);
	outb(port + 1, vector);
	outb(port + 1, cascade);
	outb(port + 1, ICW4);
}

void
picunmask(int irq)
{
	masked &= ~(1 << irq);
	outb(PIC1 + 1, masked & 0xFF);
	outb(PIC2 + 1, masked >> 8);
}

int
picack(int irq)
{
	if (spurious(irq))
		return 0;
	if (irq >= 8) {
		outb(PIC2, EOI | (irq - 8));
		irq = PICCASCADE;
	}
	outb(PIC1, EOI | irq);
	return 1;
}

/* Is this no interrupt of the line irq?  A line that fell before the CPU asked
 * the chip for its number shows up as the chip's last line, 7 or 15, but is not
 * in service. */
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
		outb(PIC1, EOI | PICCASCADE); /* in service there, too */
	return 1;
}
