/*
 * pty.c - pseudo-terminals: a terminal whose other end is a program.
 *
 * Opening /dev/ptmx makes a pty, and gives its master.  The pty's number N is
 * the name of its slave, /dev/pts/N.  What is written to the master arrives at
 * the slave as if it had been typed; what the slave shows is read from the
 * master.
 *
 * The driver below the line discipline (tty.c) is a ring of output bytes.
 * f->off is TTY_MASTER in an open file of the master, and the generation in one
 * of the slave, as for any terminal.  A pty is used again when its master is
 * closed and no file of its slave is open.  Its memory is never freed, so that
 * an old pointer to its struct tty finds one of another generation.
 *
 * Invariants, all under the tty's lock:
 *   Y1  tail <= head <= tail + PTYBUF.
 *   Y2  master: the master is open; slaves: how many files of the slave are.
 *   Y3  ptys[i] changes once, from 0, under ptmxlock, which also guards the
 *       choice of a free one.
 */
#include "kern/dev/dev.h"
#include "kern/dev/tty.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/poll.h"
#include "kern/abi/stat.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/signal/signal.h"
#include "kern/lib/string.h"

#define NPTY     64
#define PTYBUF   4096 /* bytes of output that a master has not read */
#define NCOPY    256  /* bytes moved from or to a program at a time */
#define PTSMAJOR 136
#define PTSGROUP 5    /* tty, as distributions mount devpts */

#define TIOCGPTN     0x80045430
#define TIOCSPTLCK   0x40045431
#define TIOCGPTLCK   0x80045439

enum { OPEN = 1, CLOSING };

struct pty {
	struct tty tty; /* the slave; first: ptyof() */
	int master;     /* OPEN, CLOSING or 0 [tty.lock] */
	int slaves;     /* [tty.lock] */
	int opened;     /* the slave has been opened [tty.lock] */
	int locked;     /* it cannot be opened yet [tty.lock] */
	struct ptsattr attr; /* of /dev/pts/N [tty.lock] */
	uint tail, head; /* output is [tail, head) of a ring [tty.lock] */
	char out[PTYBUF];
	struct waitq masterq; /* processes that read or write the master */
};

static struct pty *ptys[NPTY];   /* Y3 */
static struct sleeplock ptmxlock;

static int openmaster(struct file *);
static int openslave(struct file *);
static int readmaster(struct file *, struct uio *, int64_t *off);
static int writemaster(struct file *, struct uio *, int64_t *off);
static int ioctlmaster(struct file *, uint cmd, uint arg);
static int pollmaster(struct file *, struct pollset *);
static void closemaster(struct file *);
static uint ptyroom(struct tty *);
static void ptywrite(struct tty *, const char *, uint n);
static void ptyflush(struct tty *);
static void ptystart(struct tty *);
static void ptyhold(struct tty *);
static void ptyclosed(struct tty *);

static const struct ttyops ptyops = {
	.room = ptyroom,
	.write = ptywrite,
	.flush = ptyflush,
	.start = ptystart,
	.opened = ptyhold,
	.closed = ptyclosed,
};

static const struct fileops masterops = {
	.read = readmaster,
	.write = writemaster,
	.ioctl = ioctlmaster,
	.poll = pollmaster,
	.release = closemaster,
};

static struct device ptmx = {
	.name = "ptmx", .rdev = makedev(5, 2), .mode = S_IFCHR | 0666,
	.ops = &masterops, .open = openmaster,
};
static struct device pts = {
	.name = "pts", .rdev = makedev(PTSMAJOR, 0), .more = NPTY - 1,
	.mode = S_IFCHR | 0620, .ops = &ttyfileops, .open = openslave,
};

void
ptyinit(void)
{
	initsleeplock(&ptmxlock, RANK_NONE);
	devregister(&ptmx);
	devregister(&pts);
}

/* The pty of a slave. */
static struct pty *
ptyof(struct tty *t)
{
	return (struct pty *)t;
}

/* A pty that nobody uses, made if there is none; 0: no memory, or too many.
 * Called with ptmxlock held. */
static struct pty *
ptyfree(void)
{
	struct pty *p;
	int busy;
	uint i;

	lockassert(holdingsleep(&ptmxlock));
	for (i = 0; i < NPTY && (p = ptys[i]); i++) {
		acquire(&p->tty.lock);
		busy = p->master || p->slaves;
		release(&p->tty.lock);
		if (!busy)
			return p;
	}
	if (i == NPTY || !(p = kzalloc(sizeof(*p))))
		return 0;
	p->tty.ops = &ptyops;
	p->tty.rdev = ptsrdev(i);
	ttyinit(&p->tty);
	initwaitq(&p->masterq);
	return ptys[i] = p;
}

/* open("/dev/ptmx").  The slave belongs to the process that opens the master.
 */
static int
openmaster(struct file *f)
{
	struct proc *me = myproc();
	struct pty *p;

	acquiresleep(&ptmxlock);
	if ((p = ptyfree())) {
		acquire(&p->tty.lock);
		ttyreset(&p->tty);
		p->tty.termios.c_cflag &= ~HUPCL;
		p->master = OPEN;
		p->locked = 1;
		p->opened = 0;
		p->tail = p->head = 0;
		p->attr = (struct ptsattr){.mode = S_IFCHR | 0620,
			.uid = me->fsuid, .gid = PTSGROUP, .time = realns()};
		release(&p->tty.lock);
	}
	releasesleep(&ptmxlock);
	if (p == 0)
		return -ENOSPC;
	f->priv = &p->tty;
	f->off = TTY_MASTER;
	return 0;
}

/* The pty of that number whose master is open, with its tty.lock held; or 0. */
static struct pty *
ptyget(uint n)
{
	struct pty *p = n < NPTY ? ptys[n] : 0;

	if (p == 0)
		return 0;
	acquire(&p->tty.lock);
	if (p->master == OPEN)
		return p;
	release(&p->tty.lock);
	return 0;
}

/* open("/dev/pts/N"); its close() ends in ptyclosed(). */
static int
openslave(struct file *f)
{
	struct pty *p = ptyget((uint)f->off);
	int locked;

	if (p == 0)
		return -EIO;
	locked = p->locked;
	if (!locked) {
		p->slaves++;
		p->opened = 1;
		f->priv = &p->tty;
		f->off = p->tty.gen;
	}
	release(&p->tty.lock);
	if (locked)
		return -EIO;
	ttycontrol(f);
	return 0;
}

/* See ttyops: the slave, which is in use, has one more open file (of
 * /dev/tty). */
static void
ptyhold(struct tty *t)
{
	acquire(&t->lock);
	ptyof(t)->slaves++;
	release(&t->lock);
}

/* See ttyops: an open file of the slave is closed. */
static void
ptyclosed(struct tty *t)
{
	struct pty *p = ptyof(t);

	acquire(&t->lock);
	p->slaves--;
	release(&t->lock);
	wakeup(&p->masterq);
}

/* Change the state of the master: OPEN, CLOSING or 0. */
static void
setmaster(struct pty *p, int state)
{
	acquire(&p->tty.lock);
	p->master = state;
	release(&p->tty.lock);
}

/* The master is closed.  From CLOSING on nobody can open the slave, and files
 * that have it open are dead. */
static void
closemaster(struct file *f)
{
	struct pty *p = f->priv;

	setmaster(p, CLOSING);
	ttyhangup(&p->tty);
	setmaster(p, 0);
}

/* Have all files of the slave been closed? Called with tty.lock held. */
static int
gone(struct pty *p)
{
	lockassert(holding(&p->tty.lock));
	return p->opened && p->slaves == 0;
}

/* See ttyops. */
static uint
ptyroom(struct tty *t)
{
	struct pty *p = ptyof(t);

	lockassert(holding(&t->lock));
	return PTYBUF - (p->head - p->tail);
}

/* See ttyops. */
static void
ptywrite(struct tty *t, const char *s, uint n)
{
	struct pty *p = ptyof(t);

	lockassert(holding(&t->lock));
	while (n-- > 0)
		p->out[p->head++ % PTYBUF] = *s++;
	wakeup(&p->masterq);
}

/* See ttyops. */
static void
ptyflush(struct tty *t)
{
	lockassert(holding(&t->lock));
	ptyof(t)->tail = ptyof(t)->head;
}

/* See ttyops: wake writers of the master, as there is room for input. */
static void
ptystart(struct tty *t)
{
	wakeup(&ptyof(t)->masterq);
}

/* See fileops: the bytes that are there; waits for the first one. */
static int
readmaster(struct file *f, struct uio *u, int64_t *off)
{
	struct pty *p = f->priv;
	char buf[NCOPY];
	uint n, done = 0;
	int err = 0;

	(void)off;
	while (u->n > 0) {
		acquire(&p->tty.lock);
		while (!err && p->head == p->tail && done == 0) {
			if (gone(p))
				err = -EIO;
			else if (f->flags & O_NONBLOCK)
				err = -EAGAIN;
			else if (sleepint(&p->masterq, &p->tty.lock) == -EINTR)
				err = -ERESTARTSYS;
		}
		for (n = 0; n < MIN(u->n, NCOPY) && p->tail != p->head; n++)
			buf[n] = p->out[p->tail++ % PTYBUF];
		if (n > 0)
			ttyoutput(&p->tty);
		ttyunlock(&p->tty);
		if (n == 0)
			break;
		if (uioput(u, buf, n) < 0)
			return done ? (int)done : -EFAULT;
		done += n;
	}
	return done ? (int)done : err;
}

/* Type n bytes into the slave: how many it had room for, at least 1.  Waits
 * for room; or -EAGAIN, -ERESTARTSYS. */
static int
type(struct pty *p, const char *s, uint n, int nonblock)
{
	uint i = 0;
	int err = 0;

	acquire(&p->tty.lock);
	while (!err && !ttyroom(&p->tty)) {
		if (nonblock)
			err = -EAGAIN;
		else if (sleepint(&p->masterq, &p->tty.lock) == -EINTR)
			err = -ERESTARTSYS;
	}
	while (!err && i < n && ttyroom(&p->tty))
		ttyinput(&p->tty, s[i++] & 0xff);
	ttyunlock(&p->tty);
	return err ? err : (int)i;
}

/* See fileops: type bytes into the slave. */
static int
writemaster(struct file *f, struct uio *u, int64_t *off)
{
	uint done = 0, n, m;
	char buf[NCOPY];
	int r;

	(void)off;
	while (u->n > 0) {
		n = MIN(u->n, NCOPY);
		if (uioget(u, buf, n) < 0)
			return done ? (int)done : -EFAULT;
		for (m = 0; m < n; m += r, done += r) {
			r = type(f->priv, buf + m, n - m,
				(f->flags & O_NONBLOCK) != 0);
			if (r < 0)
				return done ? (int)done : r;
		}
	}
	return done;
}

/* See fileops. */
static int
pollmaster(struct file *f, struct pollset *ps)
{
	struct pty *p = f->priv;
	int events = 0;

	pollwait(ps, &p->masterq);
	acquire(&p->tty.lock);
	if (p->head != p->tail)
		events |= POLLIN | POLLRDNORM;
	if (ttyroom(&p->tty))
		events |= POLLOUT | POLLWRNORM;
	if (gone(p))
		events |= POLLHUP;
	release(&p->tty.lock);
	return events;
}

/* Store a word in the program's memory: 0 or -EFAULT. */
static int
putword(uint uva, uint v)
{
	return copyout(uva, &v, sizeof(v)) ? -EFAULT : 0;
}

/* See fileops.  Those that are not for the master are done on the slave. */
static int
ioctlmaster(struct file *f, uint cmd, uint arg)
{
	struct pty *p = f->priv;
	uint lock;

	switch (cmd) {
	case TIOCGPTN:
		return putword(arg, minor(p->tty.rdev));
	case TIOCGPTLCK:
		return putword(arg, p->locked);
	case TIOCSPTLCK:
		if (copyin(&lock, arg, sizeof(lock)))
			return -EFAULT;
		acquire(&p->tty.lock);
		p->locked = lock != 0;
		release(&p->tty.lock);
		return 0;
	case FIONREAD:
		acquire(&p->tty.lock);
		lock = p->head - p->tail;
		release(&p->tty.lock);
		return putword(arg, lock);
	case TIOCNOTTY:
	case TCFLSH:
		return -ENOTTY;
	}
	return ttyioctl(f, cmd, arg);
}

uint
ptsrdev(uint n)
{
	return makedev(PTSMAJOR, n);
}

int
ptsnext(int n)
{
	struct pty *p;

	for (; n < NPTY; n++) {
		if ((p = ptyget(n))) {
			release(&p->tty.lock);
			return n;
		}
	}
	return -1;
}

int
ptsattr(uint n, struct ptsattr *get, const struct ptsattr *set)
{
	struct pty *p = ptyget(n);

	if (p == 0)
		return -ENOENT;
	if (set)
		p->attr = *set;
	if (get)
		*get = p->attr;
	release(&p->tty.lock);
	return 0;
}
