/*
 * tty.h - terminals: one line discipline between programs and drivers.
 *
 * A driver owns a struct tty, gives it its operations, hands each byte that
 * arrives to ttyinput() and calls ttyoutput() when it can take more.  Both are
 * called with the tty's lock, which the driver takes with acquire() and gives
 * back with ttyunlock(): that is where the signals that the input caused are
 * sent, since process groups are guarded by a lock of lower rank.
 */
#ifndef KERN_DEV_TTY_H
#define KERN_DEV_TTY_H

#include "kern/abi/termios.h"
#include "kern/lock/lock.h"

#define TTYBUF 8192 /* bytes of input a tty holds; a power of two */

struct file;
struct fileops;
struct session;
struct tty;
struct uio;

struct ttyops { /* of the driver; the tty's lock is held */
	uint (*room)(struct tty *); /* bytes that write takes now */
	void (*write)(struct tty *, const char *, uint n); /* n <= room */
	uint (*unsent)(struct tty *); /* bytes taken, not yet sent; null: 0 */
	void (*flush)(struct tty *);  /* forget those; null: none */
	void (*start)(struct tty *);  /* t->stopped was cleared, or input has
	                               * room again; null: nothing to do */
	/* Of pseudo-terminals, without the lock: one more file of it is open,
	 * of somebody whose session it belongs to (proctree held); one is
	 * closed. */
	void (*opened)(struct tty *);
	void (*closed)(struct tty *);
};

struct tty {
	struct spinlock lock;
	const struct ttyops *ops;
	uint rdev;               /* its device number */
	struct termios termios;  /* [lock] */
	struct winsize winsize;  /* [lock] */
	struct session *session; /* whose controlling terminal [proctree] */
	int pgrp;                /* foreground group, 0: none [lock] */
	int64_t gen;             /* hangups so far; an open file of an older
	                          * generation is dead [lock] */
	uint sigs;               /* signals ttyunlock will send [lock] */
	int writing;             /* somebody is in ttywrite [lock] */
	int stopped;             /* output held by ^S or TCOOFF [lock] */
	int literal;             /* the next byte is taken as it is [lock] */
	int sentstop;            /* we told the other side to stop [lock] */
	uint column;             /* of the cursor, for tabs [lock] */
	uint linecolumn;         /* where the line being edited began [lock] */

	/* Input: bytes [tail, head) of a ring, counted for ever.  In canonical
	 * mode [tail, canon) is complete lines and [canon, head) is still
	 * edited; a set bit in mark ends a line there, and a marked NUL is an
	 * end of file, which is not read as a byte. [lock] */
	uint tail, canon, head;
	uint8_t mark[TTYBUF / 8];
	char buf[TTYBUF];

	struct waitq readq, writeq;
};

/* Values of stopped: by ^S, which ^Q undoes, or by TCOOFF. */
#define TTY_XOFF 1
#define TTY_HELD 2

struct ttyfile { /* what the line discipline knows of an open file */
	int64_t gen;  /* t->gen when it was opened, or one of these */
	int nonblock;
};
#define TTY_CONSOLE (-1) /* opened as /dev/console: survives hangups */
#define TTY_MASTER  (-2) /* the other end: no job control, either */

/* tty.c */

/* Prepare a terminal; the driver has set ops, rdev and winsize. */
void ttyinit(struct tty *t);

/* Make settings and buffers those of a new terminal.  Called with t->lock held,
 * but by ttyinit(). */
void ttyreset(struct tty *t);

/* One byte has come from the keyboard or the line.  Called with t->lock held,
 * in any context. */
void ttyinput(struct tty *t, int c);

/* Will ttyinput() keep the next byte?  If not, the driver leaves it in the
 * hardware until ops->start is called.  Called with t->lock held. */
int ttyroom(struct tty *t);

/* The driver has room again: wake the writers.  Called with t->lock held. */
void ttyoutput(struct tty *t);

/* Release t->lock, and send the signals that the input has caused to the
 * foreground process group. */
void ttyunlock(struct tty *t);

/* read(2) and write(2): bytes or -errno.  They take t->lock. */
int ttyread(struct tty *, const struct ttyfile *, struct uio *);
int ttywrite(struct tty *, const struct ttyfile *, struct uio *);

/* Was the terminal hung up after the file was opened?  Without t->lock the
 * answer may be old already. */
int ttydead(struct tty *, const struct ttyfile *);

/* For ttydev.c and pty.c; all are called with t->lock held. */
int ttydrain(struct tty *, const struct ttyfile *); /* wait until all is sent:
                                  * 0, -EIO or -ERESTARTSYS */
int ttyevents(struct tty *, const struct ttyfile *); /* POLL* that hold now */
uint ttyavail(struct tty *);        /* bytes that can be read (FIONREAD) */
void ttysend(struct tty *, int c);  /* send c unprocessed, if there is room */
void ttystart(struct tty *);        /* let output go on after ^S or TCOOFF */
void ttyflushin(struct tty *);      /* forget input that was not read */
void ttyflushout(struct tty *);     /* forget output that was not sent */
void ttysettermios(struct tty *, const struct termios *); /* new settings */

/* ttydev.c */

/* Register /dev/tty, tty0, tty1, ttyS0 and console, for the terminals that
 * there are (0: none). */
void ttydevices(struct tty *vga, struct tty *serial, struct tty *console);

/* For pty.c: the operations of open terminals; one of them, of a file whose
 * priv is the tty and off its generation or TTY_MASTER; and what open() does
 * last: a session leader without a terminal gets this one. */
extern const struct fileops ttyfileops;
int ttyioctl(struct file *, uint cmd, uint arg);
void ttycontrol(struct file *);

/* pty.c */
void ptyinit(void);

/* uart.c, console.c, kbd.c: find the hardware; from then on it is a terminal
 * with interrupts.  0: there is none.  quiet: printf's output stops there. */
struct tty *uartinit(int quiet);
struct tty *consoleinit(int quiet);
void kbdinit(struct tty *t);

/* console.c: show older lines (n > 0) or newer ones. */
void consolescroll(int n);

/* mem.c */
void meminit(void);

#endif
