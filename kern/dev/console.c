/*
 * console.c - the VGA text screen, 80 x 25, as a terminal that understands the
 * escape sequences of the Linux console.
 *
 * vt.c decodes bytes; this file keeps the screen.  The truth is in screen[];
 * the card's memory is a copy of it, or of older lines while somebody looks at
 * those.
 *
 * Invariants: 0 <= row < ROWS, 0 <= col < COLS, top < bottom < ROWS.  After a
 * character in the last column the cursor stays there with wrap set, and the
 * next one goes to a new line.  Everything is guarded by conlock, a leaf.
 */
#include "kern/dev/dev.h"
#include "kern/dev/tty.h"
#include "kern/dev/vt.h"
#include "arch/memlayout.h"
#include "arch/x86.h"
#include "arch/xcall.h"
#include "kern/panic.h"
#include "kern/lib/printf.h"
#include "kern/lib/string.h"

#define VGAMEM  0xb8000
#define CRTC    0x3d4
#define HISTORY 256 /* lines that can be looked at again */

#define BLANK(vt) ((vt)->attr << 8 | ' ')

static uint16_t *const vga = P2V(VGAMEM);
static uint16_t screen[ROWS][COLS];
static uint16_t other[ROWS][COLS];   /* the screen behind the alternate one */
static uint16_t history[HISTORY][COLS];
static uint nhistory;  /* lines ever put there */
static uint view;      /* lines above the screen that we look at */
static struct vt vt;
static struct spinlock conlock;
static struct tty contty;
static int present, muted;

static void consoleshow(uint lines);
static int vgaprobe(void);
static int lock(void);
static void consoleputc(int c);
static uint conroom(struct tty *);
static void conwrite(struct tty *, const char *, uint n);
static void putcursor(void);
static void redraw(int from, int to);
static void showline(int row, const uint16_t *line);
static void fill(int row, int from, int to);
static void remember(int lines);

static const struct ttyops conops = {
	.room = conroom,
	.write = conwrite,
};

/* Clear the screen and give it to printf. */
void
consoleearly(void)
{
	initlock(&conlock, RANK_LEAF);
	present = vgaprobe();
	if (!present)
		return;
	inb(0x3da); /* attribute bit 7: bright background, not blinking */
	outb(0x3c0, 0x30);
	outb(0x3c0, inb(0x3c1) & ~8);
	vtreset(&vt);
	printfto(consoleputc);
}

/* Is there video memory, which keeps what is written to it? */
static int
vgaprobe(void)
{
	volatile uint16_t *p = vga;
	uint16_t old = p[0];
	int ok;

	p[0] = 0x5aa5;
	ok = p[0] == 0x5aa5;
	p[0] = 0xa55a;
	ok = ok && p[0] == 0xa55a;
	p[0] = old;
	return ok;
}

struct tty *
consoleinit(int quiet)
{
	struct tty *t = &contty;

	if (!present)
		return 0;
	muted = quiet;
	t->ops = &conops;
	t->rdev = makedev(4, 1);
	t->winsize.ws_row = ROWS;
	t->winsize.ws_col = COLS;
	ttyinit(t);
	t->termios.c_iflag |= IUTF8;
	return t;
}

/* Write a byte of printf's output.  Any context; in a panic also while this
 * CPU is in here already. */
static void
consoleputc(int c)
{
	int locked;

	if (muted)
		return;
	locked = lock();
	if (c == '\n')
		vtput(&vt, '\r');
	vtput(&vt, c);
	vt.nreply = 0;
	if (c == '\n')
		putcursor();
	if (locked)
		release(&conlock);
}

/* Take conlock, a second leaf after printf's own lock: 1.  Returns 0 without
 * it if this CPU has it, or in a panic, when all other CPUs have stopped. */
static int
lock(void)
{
	if (holding(&conlock) || panicking)
		return 0;
	while (!tryacquire(&conlock))
		cpurelax();
	return 1;
}

/* See ttyops. */
static uint
conroom(struct tty *t)
{
	return t->stopped ? 0 : 256;
}

/* See ttyops.  Answers to questions in the output are input for the tty.  But
 * questions in the echo of an answer get none, or there might be no end. */
static void
conwrite(struct tty *t, const char *s, uint n)
{
	static int answering; /* [t's lock] */
	char reply[sizeof(vt.reply)];
	uint i, nreply;

	acquire(&conlock);
	if (view)
		consoleshow(0);
	for (i = 0; i < n; i++)
		vtput(&vt, s[i] & 0xff);
	putcursor();
	nreply = answering ? 0 : vt.nreply;
	memcpy(reply, vt.reply, sizeof(reply));
	vt.nreply = 0;
	release(&conlock);
	if (nreply == 0)
		return;
	answering = 1;
	for (i = 0; i < nreply; i++)
		ttyinput(t, reply[i]);
	answering = 0;
}

/* Show the screen as it was that many lines before.  Called with conlock held.
 */
static void
consoleshow(uint lines)
{
	lockassert(holding(&conlock));
	view = MIN(lines, MIN(nhistory, HISTORY));
	redraw(0, ROWS - 1);
	putcursor();
}

void
consolescroll(int n)
{
	acquire(&conlock);
	if (present)
		consoleshow((int)view + n > 0 ? view + n : 0);
	release(&conlock);
}

/* Move the hardware's cursor; beyond the screen if it is hidden. */
static void
putcursor(void)
{
	uint at = vt.row * COLS + vt.col;

	if (vt.hidden || view)
		at = ROWS * COLS;
	outb(CRTC, 14);
	outb(CRTC + 1, at >> 8);
	outb(CRTC, 15);
	outb(CRTC + 1, at);
}

/* Copy rows [from, to] to the card. */
static void
redraw(int from, int to)
{
	int r, above;

	for (r = from; r <= to; r++) {
		above = (int)view - r; /* lines above the screen, 0: none */
		if (above > 0)
			showline(r, history[(nhistory - above) % HISTORY]);
		else
			showline(r, screen[-above]);
	}
}

/* Copy a line to a row of the card. */
static void
showline(int row, const uint16_t *line)
{
	memcpy(vga + row * COLS, line, COLS * sizeof(*line));
}

void
conput(struct vt *v, int row, int col, int glyph)
{
	screen[row][col] = v->attr << 8 | glyph;
	if (view == 0)
		vga[row * COLS + col] = screen[row][col];
}

void
conerase(struct vt *v, int fromrow, int fromcol, int torow, int tocol)
{
	int r;

	(void)v;
	for (r = fromrow; r <= torow; r++) {
		fill(r, r == fromrow ? fromcol : 0,
			r == torow ? tocol : COLS - 1);
	}
	redraw(fromrow, torow);
}

/* Blank columns [from, to] of a row, in screen[] only. */
static void
fill(int row, int from, int to)
{
	int c;

	for (c = from; c <= to; c++)
		screen[row][c] = BLANK(&vt);
}

void
conscroll(struct vt *v, int top, int bottom, int n)
{
	int size = bottom - top + 1, r;

	n = MAX(MIN(n, size), -size);
	if (n > 0 && top == 0 && !v->alternate)
		remember(n);
	if (n > 0) {
		memmove(screen[top], screen[top + n],
			(size - n) * sizeof(screen[0]));
		for (r = bottom - n + 1; r <= bottom; r++)
			fill(r, 0, COLS - 1);
	} else {
		memmove(screen[top - n], screen[top],
			(size + n) * sizeof(screen[0]));
		for (r = top; r < top - n; r++)
			fill(r, 0, COLS - 1);
	}
	redraw(top, bottom);
}

/* Keep the first lines of the screen, which are about to leave it. */
static void
remember(int lines)
{
	int r;

	for (r = 0; r < lines; r++)
		memcpy(history[nhistory++ % HISTORY], screen[r],
			sizeof(screen[0]));
	if (nhistory >= 2 * HISTORY)
		nhistory -= HISTORY;
}

void
conshift(struct vt *v, int row, int col, int n)
{
	int left = COLS - col;

	(void)v;
	n = MAX(MIN(n, left), -left);
	if (n > 0) {
		memmove(&screen[row][col + n], &screen[row][col],
			(left - n) * sizeof(uint16_t));
		fill(row, col, col + n - 1);
	} else {
		memmove(&screen[row][col], &screen[row][col - n],
			(left + n) * sizeof(uint16_t));
		fill(row, COLS + n, COLS - 1);
	}
	redraw(row, row);
}

void
conalternate(struct vt *v, int on)
{
	if (v->alternate == on)
		return;
	v->alternate = on;
	if (on) {
		memcpy(other, screen, sizeof(screen));
		conerase(v, 0, 0, ROWS - 1, COLS - 1);
		return;
	}
	memcpy(screen, other, sizeof(screen));
	redraw(0, ROWS - 1);
}
