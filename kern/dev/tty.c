/*
 * tty.c - the line discipline: what happens between a key and read(), and
 * between write() and the screen.
 *
 *   ttyinput   literal byte -> flow control -> signals -> CR and NL -> editing
 *              (canonical mode) -> buffer, with echo on the way
 *   ttyread    complete lines, or in raw mode by VMIN and VTIME
 *   ttywrite   output processing, then the driver
 *
 * Invariants, all under the tty's lock:
 *   T1  tail <= canon <= head <= tail + TTYBUF; readers take bytes from
 *       [tail, canon).
 *   T2  In raw mode canon == head, and the marks mean nothing.
 *   T3  The lock is not held while user memory is touched, nor while a signal
 *       is sent: ttyunlock() releases it and sends the signals then.
 *
 * xv6 has this in consoleintr() and consoleread(): with t->tail as input.r,
 * t->canon as input.w, and t->head as input.e.
 *
 * Opening, job control and ioctls are in ttydev.c.
 */
#include "kern/dev/tty.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/poll.h"
#include "kern/panic.h"
#include "kern/random.h"
#include "kern/sched.h"
#include "kern/signal/signal.h"
#include "kern/lib/string.h"
#include "kern/uio.h"

#define MAXLINE  4095 /* most bytes of a line, without its end (MAX_CANON) */
#define MAXOUT   8    /* most bytes that one becomes on output: a tab */
#define NCOPY    256  /* bytes moved to or from a program at a time */
#define DECISEC  100000000ll /* ns in VTIME's unit */

static void ttyresume(struct tty *);
static int flowinput(struct tty *, int c);
static int signalinput(struct tty *, int c);
static int mapinput(struct tty *, int c);
static int editinput(struct tty *, int c);
static void plaininput(struct tty *, int c);
static void endline(struct tty *, int c);
static void append(struct tty *, int c, int marked);
static void literalnext(struct tty *);
static void reprint(struct tty *, int c);
static void erase(struct tty *, int c);
static void eraseword(struct tty *);
static void eraseline(struct tty *);
static int erasechar(struct tty *);
static void rubout(struct tty *, int c);
static uint linewidth(struct tty *);
static void echo(struct tty *, int c);
static void echoraw(struct tty *, int c);
static uint output(struct tty *, const char *, uint n);
static uint plainrun(struct tty *, const char *, uint n);
static void outputbyte(struct tty *, int c);
static int inputwait(struct tty *, const struct ttyfile *, uint done,
	int64_t *deadline);
static int beginwrite(struct tty *, const struct ttyfile *);
static void endwrite(struct tty *);
static int writeall(struct tty *, const struct ttyfile *, struct uio *);
static int writesome(struct tty *, const struct ttyfile *, const char *, uint);
static uint takeinput(struct tty *, char *, uint n, int *end);
static int marked(struct tty *, uint at);

/* Is c a control character, which echoes as ^X? */
static inline int
iscontrol(int c)
{
	return c < 32 || c == 127;
}

/* Is c that special character?  NUL means that there is none. */
static inline int
isspecial(struct tty *t, int c, int which)
{
	return c != 0 && c == t->termios.c_cc[which];
}

/* The bits of c_lflag that are set among these. */
static inline uint
lflag(struct tty *t, uint bits)
{
	return t->termios.c_lflag & bits;
}

/* The bits of c_iflag that are set among these. */
static inline uint
iflag(struct tty *t, uint bits)
{
	return t->termios.c_iflag & bits;
}

void
ttyinit(struct tty *t)
{
	initlock(&t->lock, RANK_TTY);
	initwaitq(&t->readq);
	initwaitq(&t->writeq);
	ttyreset(t);
}

void
ttyreset(struct tty *t)
{
	static const struct termios sane = {
		.c_iflag = ICRNL | IXON,
		.c_oflag = OPOST | ONLCR,
		.c_cflag = B38400 | CS8 | CREAD | HUPCL,
		.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL |
			ECHOKE | IEXTEN,
		.c_cc = {
			[VINTR] = 3, [VQUIT] = 28, [VERASE] = 127,
			[VKILL] = 21, [VEOF] = 4, [VMIN] = 1,
			[VSTART] = 17, [VSTOP] = 19, [VSUSP] = 26,
			[VREPRINT] = 18, [VDISCARD] = 15, [VWERASE] = 23,
			[VLNEXT] = 22,
		},
	};

	t->termios = sane;
	memset(&t->winsize, 0, sizeof(t->winsize));
	t->pgrp = t->stopped = t->literal = t->sentstop = 0;
	t->sigs = t->column = t->linecolumn = 0;
	t->tail = t->canon = t->head = 0;
}

void
ttyinput(struct tty *t, int c)
{
	lockassert(holding(&t->lock));
	randomstir();
	c &= iflag(t, ISTRIP) ? 0x7f : 0xff;
	if (t->literal) {
		t->literal = 0;
		plaininput(t, c);
		return;
	}
	if (flowinput(t, c) || signalinput(t, c))
		return;
	if (t->stopped == TTY_XOFF && iflag(t, IXON) && iflag(t, IXANY))
		ttystart(t);
	c = mapinput(t, c);
	if (c >= 0 && !(lflag(t, ICANON) && editinput(t, c)))
		plaininput(t, c);
}

/* Flow control: if c is ^S or ^Q, stop or start output and return 1; else 0.
 * Called with the tty's lock held, like all below up to ttyunlock(). */
static int
flowinput(struct tty *t, int c)
{
	lockassert(holding(&t->lock));
	if (!iflag(t, IXON))
		return 0;
	if (isspecial(t, c, VSTART)) {
		if (t->stopped == TTY_XOFF)
			ttystart(t);
		return 1;
	}
	if (isspecial(t, c, VSTOP)) {
		if (!t->stopped)
			t->stopped = TTY_XOFF;
		return 1;
	}
	return 0;
}

/* If c is ^C, ^\ or ^Z, note the signal for ttyunlock() and return 1; else 0.
 */
static int
signalinput(struct tty *t, int c)
{
	int sig;

	lockassert(holding(&t->lock));
	if (!lflag(t, ISIG))
		return 0;
	if (isspecial(t, c, VINTR))
		sig = SIGINT;
	else if (isspecial(t, c, VQUIT))
		sig = SIGQUIT;
	else if (isspecial(t, c, VSUSP))
		sig = SIGTSTP;
	else
		return 0;
	if (!lflag(t, NOFLSH)) {
		ttyflushin(t);
		ttyflushout(t);
	}
	if (t->stopped == TTY_XOFF && iflag(t, IXON))
		ttystart(t);
	if (lflag(t, ECHO))
		echo(t, c);
	t->sigs |= 1u << sig;
	return 1;
}

/* Map carriage returns and newlines: returns what c becomes, or -1 for
 * nothing. */
static int
mapinput(struct tty *t, int c)
{
	if (c == '\r' && iflag(t, IGNCR))
		return -1;
	if (c == '\r' && iflag(t, ICRNL))
		return '\n';
	if (c == '\n' && iflag(t, INLCR))
		return '\r';
	return c;
}

/* Canonical mode: if c edits or ends the line, do that and return 1; else 0. */
static int
editinput(struct tty *t, int c)
{
	int extended = lflag(t, IEXTEN);

	lockassert(holding(&t->lock));
	if (isspecial(t, c, VERASE) || isspecial(t, c, VKILL) ||
		(isspecial(t, c, VWERASE) && extended))
		erase(t, c);
	else if (isspecial(t, c, VLNEXT) && extended)
		literalnext(t);
	else if (isspecial(t, c, VREPRINT) && extended && lflag(t, ECHO))
		reprint(t, c);
	else if (c == '\n' || isspecial(t, c, VEOF) || isspecial(t, c, VEOL) ||
		(isspecial(t, c, VEOL2) && extended))
		endline(t, c);
	else
		return 0;
	return 1;
}

/* Take c as a character of the line.  If there is no room it is lost, with a
 * bell. */
static void
plaininput(struct tty *t, int c)
{
	uint limit = lflag(t, ICANON) ? TTYBUF - 1 : TTYBUF;

	lockassert(holding(&t->lock));
	if (t->head - t->tail >= limit || t->head - t->canon >= MAXLINE) {
		if (iflag(t, IMAXBEL))
			echoraw(t, '\a');
		return;
	}
	if (lflag(t, ECHO)) {
		if (t->head == t->canon)
			t->linecolumn = t->column;
		if (c == '\n')
			echoraw(t, c);
		else
			echo(t, c);
	}
	append(t, c, 0);
	if (!lflag(t, ICANON)) {
		t->canon = t->head;
		wakeup(&t->readq);
	}
}

/* Complete the line; c is the character that ended it. plaininput() leaves
 * room for it, unless nobody has read the lines before for long: then c is
 * lost. */
static void
endline(struct tty *t, int c)
{
	lockassert(holding(&t->lock));
	if (t->head - t->tail >= TTYBUF)
		return;
	if (c == '\n') {
		if (lflag(t, ECHO | ECHONL))
			echoraw(t, c);
	} else if (isspecial(t, c, VEOF)) {
		c = 0;
	} else if (lflag(t, ECHO)) {
		echo(t, c);
	}
	append(t, c, 1);
	t->canon = t->head;
	wakeup(&t->readq);
}

/* Append c to the buffer, mark it if it ends a line, and with IXOFF ask the
 * other side to stop when the buffer gets full. */
static void
append(struct tty *t, int c, int mark)
{
	uint i = t->head++ % TTYBUF;

	lockassert(holding(&t->lock));
	t->buf[i] = c;
	if (mark)
		t->mark[i / 8] |= 1 << i % 8;
	else
		t->mark[i / 8] &= ~(1 << i % 8);
	if (iflag(t, IXOFF) && !t->sentstop &&
		t->head - t->tail > TTYBUF / 4 * 3) {
		t->sentstop = 1;
		ttysend(t, t->termios.c_cc[VSTOP]);
	}
}

int
ttyroom(struct tty *t)
{
	lockassert(holding(&t->lock));
	if (lflag(t, ICANON) && t->canon == t->tail)
		return 1; /* nobody can read until this line ends */
	return t->head - t->tail < TTYBUF - 2;
}

/* ^V: the next byte is taken as it is.  Until it comes, a caret is shown. */
static void
literalnext(struct tty *t)
{
	lockassert(holding(&t->lock));
	t->literal = 1;
	if (!lflag(t, ECHO) || !lflag(t, ECHOCTL))
		return;
	if (t->head == t->canon)
		t->linecolumn = t->column;
	echoraw(t, '^');
	echoraw(t, '\b');
}

/* ^R: show the line again. */
static void
reprint(struct tty *t, int c)
{
	uint i;

	lockassert(holding(&t->lock));
	echo(t, c);
	echoraw(t, '\n');
	t->linecolumn = t->column;
	for (i = t->canon; i != t->head; i++)
		echo(t, t->buf[i % TTYBUF] & 0xff);
}

/* Erase a character (^?), a word (^W) or the line (^U). */
static void
erase(struct tty *t, int c)
{
	lockassert(holding(&t->lock));
	if (isspecial(t, c, VKILL)) {
		eraseline(t);
	} else if (isspecial(t, c, VWERASE)) {
		eraseword(t);
	} else if (t->head != t->canon) {
		if (lflag(t, ECHO) && !lflag(t, ECHOE)) {
			echo(t, c);
			t->termios.c_lflag &= ~ECHO;
			erasechar(t);
			t->termios.c_lflag |= ECHO;
		} else {
			erasechar(t);
		}
	}
}

/* Erase backwards over what is not of a word, then over the word before that.
 */
static void
eraseword(struct tty *t)
{
	int inword = 0, c, letter;

	lockassert(holding(&t->lock));
	while (t->head != t->canon) {
		c = t->buf[(t->head - 1) % TTYBUF] & 0xff;
		letter = (c >= '0' && c <= '9') || ((c | 32) >= 'a' &&
			(c | 32) <= 'z') || c == '_' || c >= 128;
		if (inword && !letter)
			break;
		inword |= letter;
		erasechar(t);
	}
}

/* Erase the line, on the screen too if the settings say so. */
static void
eraseline(struct tty *t)
{
	uint all = ECHOE | ECHOK | ECHOKE;

	lockassert(holding(&t->lock));
	if (lflag(t, ECHO) && lflag(t, all) == all) {
		while (t->head != t->canon)
			erasechar(t);
		return;
	}
	t->head = t->canon;
	if (lflag(t, ECHO))
		echo(t, t->termios.c_cc[VKILL]);
	if (lflag(t, ECHO) && lflag(t, ECHOK))
		echoraw(t, '\n');
}

/* Take the last character of the line back, which is there; returns its first
 * byte. */
static int
erasechar(struct tty *t)
{
	int c;

	lockassert(holding(&t->lock));
	do {
		t->head--;
		c = t->buf[t->head % TTYBUF] & 0xff;
	} while (iflag(t, IUTF8) && (c & 0xc0) == 0x80 && t->head != t->canon);
	if (lflag(t, ECHO))
		rubout(t, c);
	return c;
}

/* Remove the character, which was taken back, from the screen. */
static void
rubout(struct tty *t, int c)
{
	uint width = iscontrol(c) ? lflag(t, ECHOCTL) ? 2 : 0 : 1;
	uint to;

	lockassert(holding(&t->lock));
	if (c == '\t') { /* its width depends on the column */
		to = linewidth(t);
		width = t->column > to ? MIN(t->column - to, 8) : 0;
		while (width-- > 0)
			echoraw(t, '\b');
		return;
	}
	while (width-- > 0) {
		echoraw(t, '\b');
		echoraw(t, ' ');
		echoraw(t, '\b');
	}
}

/* The column where what is left of the line ends. */
static uint
linewidth(struct tty *t)
{
	uint col = t->linecolumn, i;
	int c;

	lockassert(holding(&t->lock));
	for (i = t->canon; i != t->head; i++) {
		c = t->buf[i % TTYBUF] & 0xff;
		if (c == '\t')
			col = (col | 7) + 1;
		else if (iscontrol(c))
			col += lflag(t, ECHOCTL) ? 2 : 0;
		else if (!iflag(t, IUTF8) || (c & 0xc0) != 0x80)
			col++;
	}
	return col;
}

/* Show a byte of input, control characters as ^X. */
static void
echo(struct tty *t, int c)
{
	lockassert(holding(&t->lock));
	if (iscontrol(c) && c != '\t' && lflag(t, ECHOCTL)) {
		echoraw(t, '^');
		c ^= 0x40;
	}
	echoraw(t, c);
}

/* Show a byte.  If the driver has no room it is not shown, though the input is
 * kept. */
static void
echoraw(struct tty *t, int c)
{
	lockassert(holding(&t->lock));
	if (t->ops->room(t) >= MAXOUT)
		outputbyte(t, c);
}

void
ttysend(struct tty *t, int c)
{
	char b = c;

	lockassert(holding(&t->lock));
	if (c != 0 && t->ops->room(t) > 0)
		t->ops->write(t, &b, 1);
}

/* Process bytes of s and hand them to the driver, as far as it has room: how
 * many bytes of s were used. */
static uint
output(struct tty *t, const char *s, uint n)
{
	uint i = 0, room, run;

	lockassert(holding(&t->lock));
	while (i < n && (room = t->ops->room(t)) >= MAXOUT) {
		run = plainrun(t, s + i, MIN(n - i, room));
		if (run > 0)
			t->ops->write(t, s + i, run);
		else
			outputbyte(t, s[i] & 0xff);
		i += run > 0 ? run : 1;
	}
	return i;
}

/* How many bytes from s on need no processing? Counts their columns. */
static uint
plainrun(struct tty *t, const char *s, uint n)
{
	uint i;

	lockassert(holding(&t->lock));
	if (!(t->termios.c_oflag & OPOST))
		return n;
	for (i = 0; i < n && (s[i] & 0xff) >= ' ' && s[i] != 127; i++) {
		if (!iflag(t, IUTF8) || (s[i] & 0xc0) != 0x80)
			t->column++;
	}
	return i;
}

/* Process one byte and hand it to the driver, which has room for MAXOUT. */
static void
outputbyte(struct tty *t, int c)
{
	static const char spaces[] = "        ";
	uint flags = t->termios.c_oflag;
	char b[2] = {'\r', c};
	uint n;

	lockassert(holding(&t->lock));
	if (!(flags & OPOST)) {
		t->ops->write(t, b + 1, 1);
		return;
	}
	if (c == '\r' && (flags & ONOCR) && t->column == 0)
		return;
	if (c == '\r' && (flags & OCRNL))
		b[1] = '\n';
	switch (c) {
	case '\n':
		if (flags & (ONLCR | ONLRET))
			t->column = 0;
		if (flags & ONLCR)
			t->ops->write(t, b, 2);
		else
			t->ops->write(t, b + 1, 1);
		return;
	case '\r':
		if (b[1] == '\r' || (flags & ONLRET))
			t->column = 0;
		break;
	case '\t':
		n = 8 - t->column % 8;
		t->column += n;
		if ((flags & TABDLY) == XTABS) {
			t->ops->write(t, spaces, n);
			return;
		}
		break;
	case '\b':
		t->column -= t->column > 0;
		break;
	default:
		t->column += !iscontrol(c) &&
			(!iflag(t, IUTF8) || (c & 0xc0) != 0x80);
	}
	t->ops->write(t, b + 1, 1);
}

void
ttystart(struct tty *t)
{
	lockassert(holding(&t->lock));
	t->stopped = 0;
	if (t->ops->start)
		t->ops->start(t);
	wakeup(&t->writeq);
}

void
ttyoutput(struct tty *t)
{
	lockassert(holding(&t->lock));
	wakeup(&t->writeq);
}

void
ttyflushin(struct tty *t)
{
	lockassert(holding(&t->lock));
	t->tail = t->canon = t->head;
	t->literal = 0;
	ttyresume(t);
}

void
ttyflushout(struct tty *t)
{
	lockassert(holding(&t->lock));
	if (t->ops->flush)
		t->ops->flush(t);
	wakeup(&t->writeq);
}

/* There is room for input again: tell the driver and, after ^S was sent, the
 * other side. */
static void
ttyresume(struct tty *t)
{
	lockassert(holding(&t->lock));
	if (t->sentstop && t->head - t->tail < TTYBUF / 4) {
		t->sentstop = 0;
		ttysend(t, t->termios.c_cc[VSTART]);
	}
	if (t->ops->start)
		t->ops->start(t);
}

void
ttyunlock(struct tty *t)
{
	uint sigs = t->sigs;
	int pgrp = t->pgrp, sig;

	lockassert(holding(&t->lock));
	t->sigs = 0;
	release(&t->lock);
	for (sig = 1; sigs && pgrp && sig < 32; sig++) {
		if (sigs & 1u << sig)
			sigsendgroup(pgrp, sig, 0);
	}
}

/* End-of-file marks are not counted. */
uint
ttyavail(struct tty *t)
{
	uint i, n = 0;

	lockassert(holding(&t->lock));
	for (i = t->tail; i != t->canon; i++)
		n += !(lflag(t, ICANON) && marked(t, i) &&
			t->buf[i % TTYBUF] == 0);
	return n;
}

/* Does the byte at that index end a line? */
static int
marked(struct tty *t, uint at)
{
	at %= TTYBUF;
	return t->mark[at / 8] >> at % 8 & 1;
}

/* A line or part of it; in raw mode by VMIN and VTIME. */
int
ttyread(struct tty *t, const struct ttyfile *f, struct uio *u)
{
	uint want = u->n, done = 0, n;
	int64_t deadline = 0;
	char buf[NCOPY];
	int err = 0, end = 0;

	while (done < want && !end) {
		acquire(&t->lock);
		n = 0;
		if (!ttydead(t, f))
			n = takeinput(t, buf, MIN(want - done, NCOPY), &end);
		else
			end = 1;
		if (n == 0 && !end) {
			err = inputwait(t, f, done, &deadline);
			release(&t->lock);
			if (err != 0)
				break;
			continue;
		}
		ttyresume(t);
		ttyunlock(t);
		if (n > 0 && uioput(u, buf, n) < 0)
			return done ? (int)done : -EFAULT;
		done += n;
	}
	return done || err > 0 ? (int)done : err;
}

/* Move up to n bytes that may be read to s: how many.  *end becomes 1 if the
 * last of them ended the line.  Called with the tty's lock held. */
static uint
takeinput(struct tty *t, char *s, uint n, int *end)
{
	uint i = 0;
	int c;

	lockassert(holding(&t->lock));
	if (!lflag(t, ICANON)) {
		while (i < n && t->tail != t->canon)
			s[i++] = t->buf[t->tail++ % TTYBUF];
		return i;
	}
	while (t->tail != t->canon && !*end) {
		c = t->buf[t->tail % TTYBUF];
		*end = marked(t, t->tail);
		if (*end && c == 0) { /* end of file: not read as a byte */
			t->tail++;
		} else if (i == n) {
			*end = 0;
			break;
		} else {
			s[i++] = c;
			t->tail++;
		}
	}
	return i;
}

/* Nothing can be read, and the call has read done bytes so far: sleep for
 * more.  Returns 0: look again; 1: the read is over; or -EAGAIN, -ERESTARTSYS.
 * *deadline is when VTIME with VMIN 0 ends, ns, 0 before it has begun.  Called
 * with the tty's lock held. */
static int
inputwait(struct tty *t, const struct ttyfile *f, uint done, int64_t *deadline)
{
	uint min = t->termios.c_cc[VMIN];
	int64_t time = t->termios.c_cc[VTIME] * DECISEC, until = NEVER;
	int err;

	lockassert(holding(&t->lock));
	if (lflag(t, ICANON)) {
		min = 1;
		time = 0;
	}
	if (min == 0 && time == 0)
		return 1;
	if (done > 0 && done >= min)
		return 1;
	if (f->nonblock)
		return done ? 1 : -EAGAIN;
	if (time > 0 && min == 0) {
		if (*deadline == 0)
			*deadline = nowns() + time;
		until = *deadline;
	} else if (time > 0 && done > 0) {
		until = nowns() + time;
	}
	err = sleepuntil(&t->readq, &t->lock, until, SLEEP_INT);
	if (err == -ETIMEDOUT)
		return t->tail != t->canon ? 0 : 1;
	return err == -EINTR ? -ERESTARTSYS : 0;
}

/* Waits for room.  The output of one call is not mixed with that of others. */
int
ttywrite(struct tty *t, const struct ttyfile *f, struct uio *u)
{
	int r = beginwrite(t, f);

	if (r < 0)
		return r;
	r = writeall(t, f, u);
	endwrite(t);
	return r;
}

/* Wait until no other call writes: 0, -EAGAIN or -ERESTARTSYS. */
static int
beginwrite(struct tty *t, const struct ttyfile *f)
{
	int err = 0;

	acquire(&t->lock);
	while (t->writing && err == 0) {
		if (f->nonblock)
			err = -EAGAIN;
		else if (sleepint(&t->writeq, &t->lock) == -EINTR)
			err = -ERESTARTSYS;
	}
	if (err == 0)
		t->writing = 1;
	release(&t->lock);
	return err;
}

/* Let the next call write. */
static void
endwrite(struct tty *t)
{
	acquire(&t->lock);
	t->writing = 0;
	release(&t->lock);
	wakeup(&t->writeq);
}

/* Write the caller's bytes: how many were written, or -errno if none. */
static int
writeall(struct tty *t, const struct ttyfile *f, struct uio *u)
{
	uint want = u->n, done = 0, n, m;
	char buf[NCOPY];
	int r = 0;

	while (done < want) {
		n = MIN(want - done, NCOPY);
		if (uioget(u, buf, n) < 0)
			return done ? (int)done : -EFAULT;
		for (m = 0; m < n; m += r) {
			r = writesome(t, f, buf + m, n - m);
			if (r < 0)
				return done + m ? (int)(done + m) : r;
		}
		done += n;
		if (done < want && sigpending())
			break;
	}
	return done;
}

/* Write at least one byte of n: how many, or -EIO, -EAGAIN, -ERESTARTSYS. */
static int
writesome(struct tty *t, const struct ttyfile *f, const char *s, uint n)
{
	int r = 0;

	acquire(&t->lock);
	while (r == 0) {
		if (ttydead(t, f))
			r = -EIO;
		else if (!t->stopped)
			r = output(t, s, n);
		if (r == 0 && f->nonblock)
			r = -EAGAIN;
		if (r == 0 && sleepint(&t->writeq, &t->lock) == -EINTR)
			r = -ERESTARTSYS;
	}
	ttyunlock(t);
	return r;
}

int
ttydrain(struct tty *t, const struct ttyfile *f)
{
	lockassert(holding(&t->lock));
	while (t->ops->unsent && t->ops->unsent(t) > 0) {
		if (ttydead(t, f))
			return -EIO;
		if (sleepint(&t->writeq, &t->lock) == -EINTR)
			return -ERESTARTSYS;
	}
	return 0;
}

int
ttydead(struct tty *t, const struct ttyfile *f)
{
	return f->gen >= 0 && f->gen != t->gen;
}

int
ttyevents(struct tty *t, const struct ttyfile *f)
{
	uint min = 1;
	int events = 0;

	lockassert(holding(&t->lock));
	if (ttydead(t, f))
		return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM | POLLHUP |
			POLLERR;
	if (!lflag(t, ICANON) && t->termios.c_cc[VTIME] == 0)
		min = MAX(t->termios.c_cc[VMIN], 1);
	if (t->canon - t->tail >= min)
		events |= POLLIN | POLLRDNORM;
	if (!t->stopped && t->ops->room(t) >= MAXOUT)
		events |= POLLOUT | POLLWRNORM;
	return events;
}

/* What was typed stays: an unfinished line can be read in raw mode, and in
 * canonical mode raw bytes become a line of their own. */
void
ttysettermios(struct tty *t, const struct termios *new)
{
	uint old = t->termios.c_lflag, last = (t->head - 1) % TTYBUF;
	int unstop = iflag(t, IXON) && !(new->c_iflag & IXON);

	lockassert(holding(&t->lock));
	t->termios = *new;
	if ((old ^ new->c_lflag) & ICANON) {
		memset(t->mark, 0, sizeof(t->mark));
		if (t->head != t->tail)
			t->mark[last / 8] |= 1 << last % 8;
		t->canon = t->head;
		t->literal = 0;
	}
	if (unstop && t->stopped == TTY_XOFF)
		ttystart(t);
	wakeup(&t->readq);
}
