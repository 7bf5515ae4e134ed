/*
 * uart.c - the serial port COM1: a 16550 at 0x3f8, IRQ 4.
 *
 * printf's output is polled and synchronous, so that a panic is seen.  The
 * terminal's output goes through a ring that the transmit interrupt empties.
 * When the terminal's input buffer is full, the receive interrupt is turned off
 * and RTS dropped: the bytes wait in the FIFO and at the sender.
 *
 * Invariants: every wait for the chip is bounded.  The transmit interrupt is on
 * exactly while the ring is not empty and output is not stopped.  The
 * terminal's lock guards all state.  uartputc() works without it, and only
 * touches the chip: it adds a byte when the FIFO is empty, perhaps while
 * another CPU fills it.
 */
#include "kern/dev/dev.h"
#include "kern/dev/tty.h"
#include "arch/trap.h"
#include "arch/x86.h"
#include "kern/lib/printf.h"
#include "kern/lib/string.h"

#define COM1    0x3f8
#define UARTIRQ 4
#define TXBUF   4096 /* a power of two */
#define TXFIFO  15 /* of 16: a byte of printf's may come in between */
#define PATIENCE 100000 /* port reads before we give up on the chip */

enum { /* registers, as offsets */
	DATA, IER, FCR, LCR, MCR, LSR, MSR,
	IIR = FCR, DIVLO = DATA, DIVHI = IER,
};

#define IER_RX    0x01
#define IER_TX    0x02
#define IIR_NONE  0x01
#define FCR_ON    0x07 /* on, both FIFOs cleared, interrupt at one byte */
#define LCR_8N1   0x03
#define LCR_DLAB  0x80
#define MCR_DTR   0x01
#define MCR_RTS   0x02
#define MCR_OUT2  0x08 /* the gate of the interrupt line */
#define MCR_LOOP  0x10
#define LSR_DR    0x01
#define LSR_BREAK 0x10
#define LSR_THRE  0x20

static int present;   /* the loopback test passed */
static int muted;     /* printf goes elsewhere */
static int ier;       /* what IER holds [tty lock] */
static char txbuf[TXBUF];
static uint txhead, txtail; /* [txtail, txhead) is unsent [tty lock] */
static struct tty uarttty;

static int uartprobe(void);
static int waitlsr(int bit);
static void uartputc(int c);
static void setier(int v);
static void uartintr(struct trapframe *);
static void uartrecv(void);
static void uartsend(struct tty *);
static uint uartroom(struct tty *);
static void uartwrite(struct tty *, const char *, uint n);
static uint uartunsent(struct tty *);
static void uartflush(struct tty *);
static void uartstart(struct tty *);

static const struct ttyops uartops = {
	.room = uartroom,
	.write = uartwrite,
	.unsent = uartunsent,
	.flush = uartflush,
	.start = uartstart,
};

/* Set the port up for polled output, and give it to printf. */
void
uartearly(void)
{
	outb(COM1 + IER, 0);
	outb(COM1 + LCR, LCR_DLAB);
	outb(COM1 + DIVLO, 1); /* 115200 */
	outb(COM1 + DIVHI, 0);
	outb(COM1 + LCR, LCR_8N1);
	outb(COM1 + FCR, FCR_ON);
	present = uartprobe();
	outb(COM1 + MCR, MCR_DTR | MCR_RTS | MCR_OUT2);
	if (present)
		printfto(uartputc);
}

/* Does a byte come back when the chip is looped to itself? */
static int
uartprobe(void)
{
	int ok;

	outb(COM1 + MCR, MCR_LOOP | MCR_RTS | MCR_OUT2);
	outb(COM1 + DATA, 0xae);
	ok = waitlsr(LSR_DR) && inb(COM1 + DATA) == 0xae;
	outb(COM1 + FCR, FCR_ON);
	return ok;
}

/* Wait for a bit of the line status: 1; 0: it did not come within PATIENCE
 * reads. */
static int
waitlsr(int bit)
{
	int i;

	for (i = 0; i < PATIENCE; i++) {
		if (inb(COM1 + LSR) & bit)
			return 1;
	}
	return 0;
}

/* Write a byte of printf's output; any context. */
static void
uartputc(int c)
{
	if (muted)
		return;
	if (c == '\n')
		uartputc('\r');
	if (waitlsr(LSR_THRE))
		outb(COM1 + DATA, c);
}

struct tty *
uartinit(int quiet)
{
	struct tty *t = &uarttty;

	if (!present)
		return 0;
	muted = quiet;
	t->ops = &uartops;
	t->rdev = makedev(4, 64);
	ttyinit(t);
	t->termios.c_cflag = B115200 | CS8 | CREAD | HUPCL | CLOCAL;
	irqset(UARTIRQ, "ttyS0", uartintr);
	acquire(&t->lock);
	setier(IER_RX);
	ttyunlock(t);
	return t;
}

/* Set the interrupts that the chip may raise.  Called with the tty's lock
 * held. */
static void
setier(int v)
{
	lockassert(holding(&uarttty.lock));
	ier = v;
	outb(COM1 + IER, v);
}

/* The line is edge-triggered: go on until the chip asks for nothing, or the
 * next interrupt would never come. */
static void
uartintr(struct trapframe *tf)
{
	struct tty *t = &uarttty;
	int i;

	(void)tf;
	acquire(&t->lock);
	for (i = 0; i < 256 && !(inb(COM1 + IIR) & IIR_NONE); i++) {
		uartrecv();
		uartsend(t);
		inb(COM1 + MSR);
	}
	if (i == 256) { /* make a new edge */
		outb(COM1 + IER, 0);
		outb(COM1 + IER, ier);
	}
	ttyunlock(t);
}

/* Take the bytes that have come, as long as the tty has room.  Called with the
 * tty's lock held. */
static void
uartrecv(void)
{
	struct tty *t = &uarttty;
	int i, c, lsr;

	lockassert(holding(&uarttty.lock));
	for (i = 0; i < 4096; i++) {
		lsr = inb(COM1 + LSR);
		if (!(lsr & LSR_DR))
			return;
		if (!ttyroom(t)) {
			setier(ier & ~IER_RX);
			outb(COM1 + MCR, MCR_DTR | MCR_OUT2);
			return;
		}
		c = inb(COM1 + DATA);
		if (!(lsr & LSR_BREAK))
			ttyinput(t, c);
	}
}

/* Move bytes from the ring to the chip while the chip takes them.  Called with
 * the tty's lock held. */
static void
uartsend(struct tty *t)
{
	uint had = txhead - txtail;
	int i;

	lockassert(holding(&t->lock));
	while (txhead != txtail && !t->stopped) {
		if (!(inb(COM1 + LSR) & LSR_THRE))
			break;
		for (i = 0; i < TXFIFO && txhead != txtail; i++)
			outb(COM1 + DATA, txbuf[txtail++ % TXBUF]);
	}
	if (txhead != txtail && !t->stopped) {
		if (!(ier & IER_TX))
			setier(ier | IER_TX);
	} else if (ier & IER_TX) {
		setier(ier & ~IER_TX);
	}
	if (txhead - txtail < had && txhead - txtail < TXBUF / 2)
		ttyoutput(t);
}

/* See ttyops. */
static uint
uartroom(struct tty *t)
{
	(void)t;
	return TXBUF - (txhead - txtail);
}

/* See ttyops. */
static void
uartwrite(struct tty *t, const char *s, uint n)
{
	while (n--)
		txbuf[txhead++ % TXBUF] = *s++;
	uartsend(t);
}

/* See ttyops. */
static uint
uartunsent(struct tty *t)
{
	(void)t;
	return txhead - txtail;
}

/* See ttyops. */
static void
uartflush(struct tty *t)
{
	txtail = txhead;
	uartsend(t);
	ttyoutput(t);
}

/* See ttyops: go on with output if it is no longer stopped, with input if
 * there is room. */
static void
uartstart(struct tty *t)
{
	if (!(ier & IER_RX) && ttyroom(t)) {
		outb(COM1 + MCR, MCR_DTR | MCR_RTS | MCR_OUT2);
		setier(ier | IER_RX);
	}
	uartsend(t);
}
