/*
 * kbd.c - the PS/2 keyboard behind the 8042: scancodes of set 1 (IRQ 1), US
 * layout, to what the Linux console sends.
 *
 * All state belongs to the interrupt handler, which runs on one CPU.  Every
 * wait for the chip is bounded; a machine without one has no keyboard here.
 */
#include "kern/dev/dev.h"
#include "kern/dev/tty.h"
#include "arch/trap.h"
#include "arch/x86.h"
#include "kern/proc.h"
#include "kern/signal/signal.h"
#include "kern/lib/string.h"

#define KBDIRQ    1
#define KBDDATA   0x60
#define KBDSTATUS 0x64 /* read */
#define KBDCMD    0x64 /* written */
#define PATIENCE  100000

#define ST_OUTPUT 0x01 /* a byte to be read */
#define ST_INPUT  0x02 /* the chip has not taken the last one */
#define ST_MOUSE  0x20 /* the byte is the mouse's */

#define CFG_IRQ       0x01
#define CFG_OFF       0x10 /* keyboard clock stopped */
#define CFG_TRANSLATE 0x40 /* set 2 to set 1 */

enum { /* scancodes that are not characters */
	K_CTRL = 0x1d, K_LSHIFT = 0x2a, K_RSHIFT = 0x36, K_ALT = 0x38,
	K_CAPS = 0x3a, K_NUM = 0x45, K_PAD = 0x47, K_DEL = 0x53,
	K_PGUP = 0x49, K_PGDN = 0x51,
	K_E0 = 0xe0, K_E1 = 0xe1, K_RELEASE = 0x80,
};

/* By scancode: alone and with shift; NUL: not a character. */
static const char plain[0x3a] =
	"\0\0331234567890-=\177\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./"
	"\0*\0 ";
static const char shifted[0x3a] =
	"\0\033!@#$%^&*()_+\177\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?"
	"\0*\0 ";

/* The keypad from K_PAD on: digits with num lock, else as the keys of the same
 * scancodes after E0. */
static const char padchars[] = "789-456+1230.";
static const char *const padkeys[] = {
	"\033[1~", "\033[A", "\033[5~", "-", "\033[D", "\033[G", "\033[C", "+",
	"\033[4~", "\033[B", "\033[6~", "\033[2~", "\033[3~",
};

static const char *const fnkeys[] = { /* F1 to F12 */
	"\033[[A", "\033[[B", "\033[[C", "\033[[D", "\033[[E", "\033[17~",
	"\033[18~", "\033[19~", "\033[20~", "\033[21~", "\033[23~", "\033[24~",
};

static struct tty *kbdtty;
static int shift, ctrl, alt; /* bit masks: left, right */
static int caps, num = 1;
static int prefix;           /* E0 came before */
static int ignore;           /* bytes of a Pause still to come */

static int waitinput(void);
static int readbyte(void);
static void kbdintr(struct trapframe *);
static void scancode(int c);
static int modifier(int c, int down);
static void keydown(int c);
static void padkey(int c);
static void character(int c);
static int control(int c);
static void reboot(void);
static void emit(const char *s, uint n);

/* Let the keyboard type into t (0: nothing to type into). */
void
kbdinit(struct tty *t)
{
	int i, cfg;

	if (t == 0 || inb(KBDSTATUS) == 0xff)
		return;
	for (i = 0; i < 64 && (inb(KBDSTATUS) & ST_OUTPUT); i++)
		inb(KBDDATA);
	if (!waitinput())
		return;
	outb(KBDCMD, 0x20); /* read the configuration */
	cfg = readbyte();
	if (cfg < 0 || !waitinput())
		return;
	outb(KBDCMD, 0x60); /* write it */
	if (!waitinput())
		return;
	outb(KBDDATA, (cfg & ~CFG_OFF) | CFG_IRQ | CFG_TRANSLATE);
	kbdtty = t;
	irqset(KBDIRQ, "i8042", kbdintr);
}

/* Wait until the chip can be written to: 1, or 0 if that does not come. */
static int
waitinput(void)
{
	int i;

	for (i = 0; i < PATIENCE; i++) {
		if (!(inb(KBDSTATUS) & ST_INPUT))
			return 1;
	}
	return 0;
}

/* The chip's answer, or -1. */
static int
readbyte(void)
{
	int i;

	for (i = 0; i < PATIENCE; i++) {
		if (inb(KBDSTATUS) & ST_OUTPUT)
			return inb(KBDDATA);
	}
	return -1;
}

/* An interrupt: read the scan codes that the controller has. */
static void
kbdintr(struct trapframe *tf)
{
	int i, st, c;

	(void)tf;
	for (i = 0; i < 64; i++) {
		st = inb(KBDSTATUS);
		if (!(st & ST_OUTPUT))
			return;
		c = inb(KBDDATA);
		if (!(st & ST_MOUSE))
			scancode(c);
	}
}

/* A byte of a scan code has come. */
static void
scancode(int c)
{
	int down = !(c & K_RELEASE);

	if (ignore > 0) {
		ignore--;
		return;
	}
	if (c == K_E0) {
		prefix = 1;
		return;
	}
	if (c == K_E1) {
		ignore = 2;
		return;
	}
	c &= ~K_RELEASE;
	if (!modifier(c, down) && down)
		keydown(c);
	prefix = 0;
}

/* If the key is shift, control, alt or a lock, note its state and return 1;
 * else 0. */
static int
modifier(int c, int down)
{
	int *held, bit = prefix ? 2 : 1;

	switch (c) {
	case K_LSHIFT:
	case K_RSHIFT:
		if (prefix)
			return 1; /* sent around other keys: means nothing */
		held = &shift;
		bit = c == K_LSHIFT ? 1 : 2;
		break;
	case K_CTRL:
		held = &ctrl;
		break;
	case K_ALT:
		held = &alt;
		break;
	case K_CAPS:
		caps ^= down;
		return 1;
	case K_NUM:
		num ^= down;
		return 1;
	default:
		return 0;
	}
	*held = down ? *held | bit : *held & ~bit;
	return 1;
}

/* A key was pressed: its characters are input. */
static void
keydown(int c)
{
	const char *s = 0;

	if (c >= 0x3b && c <= 0x44)
		s = fnkeys[c - 0x3b];
	else if (c == 0x57 || c == 0x58)
		s = fnkeys[c - 0x57 + 10];
	if (s)
		emit(s, strlen(s));
	else if (c >= K_PAD && c <= K_DEL)
		padkey(c);
	else if (prefix && c == 0x35)
		character('/');
	else if (c == 0x0f && shift)
		emit("\033[Z", 3);
	else if (c == 0x39 && ctrl)
		character(0);
	else if (c < (int)sizeof(plain) && plain[c])
		character(shift ? shifted[c] : plain[c]);
}

/* A key of the keypad, or one of those beside it, was pressed. */
static void
padkey(int c)
{
	const char *s = padkeys[c - K_PAD];

	if (c == K_DEL && ctrl && alt)
		reboot();
	else if (shift && (c == K_PGUP || c == K_PGDN))
		consolescroll(c == K_PGUP ? 12 : -12);
	else if (!prefix && num)
		character(padchars[c - K_PAD]);
	else
		emit(s, strlen(s));
}

/* Make c input, as caps lock, control and alt change it. */
static void
character(int c)
{
	char s[2] = {27};
	int letter = (c | 32) >= 'a' && (c | 32) <= 'z';

	if (caps && letter)
		c ^= 32;
	if (ctrl)
		c = control(c);
	s[1] = c;
	if (alt)
		emit(s, 2);
	else
		emit(s + 1, 1);
}

/* What the control key makes of c. */
static int
control(int c)
{
	static const char digits[] = "\0\033\034\035\036\037\177"; /* 2 to 8 */

	if (c >= '@' && c <= 127)
		return c == 127 ? c : c & 0x1f;
	if (c >= '2' && c <= '8')
		return digits[c - '2'];
	if (c == '/' || c == '-')
		return 0x1f;
	if (c == '?')
		return 127;
	return c;
}

/* Ctrl-Alt-Del: tell init, by SIGINT. */
static void
reboot(void)
{
	acquire(&proctree);
	if (initgroup)
		sigsendproc(initgroup, SIGINT, 0);
	release(&proctree);
}

/* Give n bytes to the terminal. */
static void
emit(const char *s, uint n)
{
	acquire(&kbdtty->lock);
	while (n-- > 0)
		ttyinput(kbdtty, *s++ & 0xff);
	ttyunlock(kbdtty);
}
