/*
 * ttydev.c - terminals as files: /dev/tty, console, tty0, ttyS0; job control;
 * ioctls.
 *
 * An open file's priv is the struct tty, its off the generation it was opened
 * in (struct ttyfile).  A file opened as /dev/console is not subject to job
 * control of reads nor to hangups, and never becomes a controlling terminal.  The
 * master of a pseudo-terminal (pty.c) is like that for ioctls, which are about the
 * slave.
 *
 * session->tty and tty->session point to each other or are both 0 [proctree].
 */
#include "kern/dev/dev.h"
#include "kern/dev/tty.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/stat.h"
#include "kern/proc.h"
#include "kern/signal/signal.h"
#include "kern/lib/string.h"

static int opencurrent(struct file *);
static int openconsole(struct file *);
static int opentty0(struct file *);
static int opentty(struct file *);
static int readtty(struct file *, struct uio *, int64_t *off);
static int writetty(struct file *, struct uio *, int64_t *off);
static int polltty(struct file *, struct pollset *);
static void releasetty(struct file *);
static struct ttyfile ttyfileof(struct file *);
static int background(struct tty *, const struct ttyfile *, int sig);
static int iscontrolling(struct tty *);
static void control(struct tty *, struct session *, int pgrp);
static int settermios(struct tty *, const struct ttyfile *, uint cmd, uint arg);
static int drain(struct tty *, const struct ttyfile *);
static int setwinsize(struct tty *, uint arg);
static int flowctl(struct tty *, const struct ttyfile *, uint arg);
static int flushctl(struct tty *, const struct ttyfile *, uint arg);
static int whichtty(struct tty *, uint cmd, uint arg);
static int jobioctl(struct tty *, struct file *, uint cmd, uint arg);
static int setcontrolling(struct tty *, struct file *, uint force);
static int dropcontrolling(struct tty *);
static int getsid(struct tty *t, struct file *, uint arg);
static int setpgrp(struct tty *, struct file *, uint arg);
static int disown(struct tty *);
static int groupsession(int pgrp);
static int putint(uint uva, int v);

const struct fileops ttyfileops = {
	.read = readtty,
	.write = writetty,
	.ioctl = ttyioctl,
	.poll = polltty,
	.release = releasetty,
};

static struct device current = {
	.name = "tty", .rdev = makedev(5, 0), .mode = S_IFCHR | 0666,
	.ops = &ttyfileops, .open = opencurrent,
};
static struct device console = {
	.name = "console", .rdev = makedev(5, 1), .mode = S_IFCHR | 0600,
	.ops = &ttyfileops, .open = openconsole,
};
static struct device vgadevs[] = {
	{.name = "tty0", .rdev = makedev(4, 0), .mode = S_IFCHR | 0620,
		.ops = &ttyfileops, .open = opentty0},
	{.name = "tty1", .rdev = makedev(4, 1), .mode = S_IFCHR | 0620,
		.ops = &ttyfileops, .open = opentty},
};
static struct device serialdev = {
	.name = "ttyS0", .rdev = makedev(4, 64), .mode = S_IFCHR | 0660,
	.ops = &ttyfileops, .open = opentty,
};

void
ttydevices(struct tty *vga, struct tty *serial, struct tty *which)
{
	devregister(&current);
	if (vga) {
		vgadevs[0].priv = vgadevs[1].priv = vga;
		devregister(&vgadevs[0]);
		devregister(&vgadevs[1]);
	}
	if (serial) {
		serialdev.priv = serial;
		devregister(&serialdev);
	}
	console.priv = which ? which : serial ? serial : vga;
	if (console.priv)
		devregister(&console);
}

/* /dev/tty: the controlling terminal, whichever that is. */
static int
opencurrent(struct file *f)
{
	struct proc *p = myproc();
	struct tty *t;

	acquire(&proctree);
	t = p->tg->session ? p->tg->session->tty : 0;
	if (t) {
		f->priv = t;
		f->off = t->gen;
		if (t->ops->opened)
			t->ops->opened(t);
	}
	release(&proctree);
	return t ? 0 : -ENXIO;
}

static int
openconsole(struct file *f)
{
	f->priv = console.priv;
	f->off = TTY_CONSOLE;
	return 0;
}

static int
opentty0(struct file *f)
{
	struct tty *t = f->priv;

	f->off = t->gen;
	return 0;
}

static int
opentty(struct file *f)
{
	struct tty *t = f->priv;

	f->off = t->gen;
	ttycontrol(f);
	return 0;
}

/* A session leader without a controlling terminal gets this one, if it is free
 * and may be read. */
void
ttycontrol(struct file *f)
{
	struct proc *p = myproc();
	struct tty *t = f->priv;

	if ((f->flags & O_NOCTTY) || (f->flags & O_ACCMODE) == O_WRONLY)
		return;
	acquire(&proctree);
	if (p->tg->session && p->tg->session->sid == p->tg->tgid &&
		p->tg->session->tty == 0 && t->session == 0 &&
		t->gen == f->off)
		control(t, p->tg->session, p->tg->pgid);
	release(&proctree);
}

/* The last reference to an open file is gone. */
static void
releasetty(struct file *f)
{
	struct tty *t = f->priv;

	if (t->ops->closed)
		t->ops->closed(t);
}

/* t is s's controlling terminal from now on.  proctree held. */
static void
control(struct tty *t, struct session *s, int pgrp)
{
	if (t->session)
		t->session->tty = 0;
	t->session = s;
	s->tty = t;
	acquire(&t->lock);
	t->pgrp = pgrp;
	release(&t->lock);
}

void
ttyleft(struct tty *t, struct session *s)
{
	int pgrp = 0;

	if (!t->ops->closed) {
		ttyhangup(t);
		return;
	}
	acquire(&proctree);
	if (t->session == s)
		pgrp = disown(t);
	release(&proctree);
	if (pgrp)
		sigsendgroup(pgrp, SIGHUP, 0);
}

/* t is no session's any more: the group that was in the foreground, or 0.
 * proctree held. */
static int
disown(struct tty *t)
{
	int pgrp;

	if (t->session)
		t->session->tty = 0;
	t->session = 0;
	acquire(&t->lock);
	pgrp = t->pgrp;
	t->pgrp = 0;
	release(&t->lock);
	return pgrp;
}

/* The other side has gone: open files are dead. */
void
ttyhangup(struct tty *t)
{
	int pgrp, sid;

	acquire(&proctree);
	sid = t->session ? t->session->sid : 0;
	pgrp = disown(t);
	acquire(&t->lock);
	t->gen++;
	ttyflushin(t);
	ttyflushout(t);
	ttystart(t);
	wakeup(&t->readq);
	release(&t->lock);
	release(&proctree);
	if (sid && sid != pgrp && t->ops->closed) {
		sigsendgroup(sid, SIGHUP, 0);
		sigsendgroup(sid, SIGCONT, 0);
	}
	if (pgrp) {
		sigsendgroup(pgrp, SIGHUP, 0);
		sigsendgroup(pgrp, SIGCONT, 0);
	}
}

uint
ttydev(struct tty *t)
{
	return t->rdev;
}

int
ttypgrp(struct tty *t)
{
	return t->pgrp ? t->pgrp : -1;
}

static struct ttyfile
ttyfileof(struct file *f)
{
	return (struct ttyfile){f->off, (f->flags & O_NONBLOCK) != 0};
}

static int
readtty(struct file *f, struct uio *u, int64_t *off)
{
	struct ttyfile tf = ttyfileof(f);
	struct tty *t = f->priv;
	int err;

	(void)off;
	if (tf.gen != TTY_CONSOLE && !ttydead(t, &tf) &&
		(err = background(t, &tf, SIGTTIN)) < 0)
		return err;
	return ttyread(t, &tf, u);
}

static int
writetty(struct file *f, struct uio *u, int64_t *off)
{
	struct ttyfile tf = ttyfileof(f);
	struct tty *t = f->priv;
	int err;

	(void)off;
	if (tf.gen != TTY_CONSOLE && (t->termios.c_lflag & TOSTOP) &&
		(err = background(t, &tf, SIGTTOU)) < 0)
		return err;
	return ttywrite(t, &tf, u);
}

static int
polltty(struct file *f, struct pollset *ps)
{
	struct ttyfile tf = ttyfileof(f);
	struct tty *t = f->priv;
	int events;

	pollwait(ps, &t->readq);
	pollwait(ps, &t->writeq);
	acquire(&t->lock);
	events = ttyevents(t, &tf);
	release(&t->lock);
	return events;
}

/* Is t the running process's controlling terminal? */
static int
iscontrolling(struct tty *t)
{
	int is;

	acquire(&proctree); /* another thread may make a session */
	is = myproc()->tg->session->tty == t;
	release(&proctree);
	return is;
}

/* Job control: 0 if the running process may go on.  In a background group the
 * group is sent sig and the call is restarted, unless the signal would do
 * nothing: then a SIGTTIN is -EIO, and an orphaned group gets -EIO always. */
static int
background(struct tty *t, const struct ttyfile *tf, int sig)
{
	struct proc *p = myproc();
	int orphaned;

	if (tf->gen == TTY_MASTER || !iscontrolling(t) || t->pgrp == 0 ||
		t->pgrp == p->tg->pgid)
		return 0;
	if ((p->sig.mask >> (sig - 1) & 1) || sigignored(p, sig))
		return sig == SIGTTIN ? -EIO : 0;
	acquire(&proctree);
	orphaned = pgorphaned(p->tg->pgid, 0);
	release(&proctree);
	if (orphaned)
		return -EIO;
	sigsendgroup(p->tg->pgid, sig, 0);
	return -ERESTARTSYS;
}

int
ttyioctl(struct file *f, uint cmd, uint arg)
{
	struct ttyfile tf = ttyfileof(f);
	struct tty *t = f->priv;
	struct termios tio;
	struct winsize ws;

	if (ttydead(t, &tf))
		return -EIO;
	switch (cmd) {
	case TCGETS:
		acquire(&t->lock);
		tio = t->termios;
		release(&t->lock);
		return copyout(arg, &tio, sizeof(tio)) ? -EFAULT : 0;
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return settermios(t, &tf, cmd, arg);
	case TIOCGWINSZ:
		acquire(&t->lock);
		ws = t->winsize;
		release(&t->lock);
		return copyout(arg, &ws, sizeof(ws)) ? -EFAULT : 0;
	case TIOCSWINSZ:
		return setwinsize(t, arg);
	case TCSBRK:
	case TCSBRKP:
		return drain(t, &tf); /* a break means nothing here */
	case TCXONC:
		return flowctl(t, &tf, arg);
	case TCFLSH:
		return flushctl(t, &tf, arg);
	case FIONREAD:
		acquire(&t->lock);
		cmd = ttyavail(t);
		release(&t->lock);
		return putint(arg, cmd);
	case TIOCOUTQ:
		acquire(&t->lock);
		cmd = t->ops->unsent ? t->ops->unsent(t) : 0;
		release(&t->lock);
		return putint(arg, cmd);
	case TIOCGDEV:
		return putint(arg, t->rdev);
	case TIOCGSERIAL:
	case VT_GETSTATE:
		return whichtty(t, cmd, arg);
	}
	return jobioctl(t, f, cmd, arg);
}

static int
settermios(struct tty *t, const struct ttyfile *tf, uint cmd, uint arg)
{
	struct termios tio;
	int err = background(t, tf, SIGTTOU);

	if (err < 0)
		return err;
	if (copyin(&tio, arg, sizeof(tio)))
		return -EFAULT;
	acquire(&t->lock);
	if (cmd != TCSETS)
		err = ttydrain(t, tf);
	if (err == 0) {
		if (cmd == TCSETSF)
			ttyflushin(t);
		ttysettermios(t, &tio);
	}
	ttyunlock(t);
	return err;
}

/* Wait until all output is sent. */
static int
drain(struct tty *t, const struct ttyfile *tf)
{
	int err = background(t, tf, SIGTTOU);

	if (err < 0)
		return err;
	acquire(&t->lock);
	err = ttydrain(t, tf);
	ttyunlock(t);
	return err;
}

/* A window of another size: the foreground group gets SIGWINCH. */
static int
setwinsize(struct tty *t, uint arg)
{
	struct winsize ws;

	if (copyin(&ws, arg, sizeof(ws)))
		return -EFAULT;
	acquire(&t->lock);
	if (memcmp(&ws, &t->winsize, sizeof(ws)) != 0) {
		t->winsize = ws;
		t->sigs |= 1u << SIGWINCH;
	}
	ttyunlock(t);
	return 0;
}

/* TCXONC: hold output, or ask the other side to hold its. */
static int
flowctl(struct tty *t, const struct ttyfile *tf, uint arg)
{
	int err = background(t, tf, SIGTTOU);

	if (err < 0)
		return err;
	if (arg > TCION)
		return -EINVAL;
	acquire(&t->lock);
	if (arg == TCOOFF)
		t->stopped = TTY_HELD;
	else if (arg == TCOON && t->stopped == TTY_HELD)
		ttystart(t);
	else if (arg == TCIOFF)
		ttysend(t, t->termios.c_cc[VSTOP]);
	else if (arg == TCION)
		ttysend(t, t->termios.c_cc[VSTART]);
	ttyunlock(t);
	return 0;
}

static int
flushctl(struct tty *t, const struct ttyfile *tf, uint arg)
{
	int err = background(t, tf, SIGTTOU);

	if (err < 0)
		return err;
	if (arg > TCIOFLUSH)
		return -EINVAL;
	acquire(&t->lock);
	if (arg != TCOFLUSH)
		ttyflushin(t);
	if (arg != TCIFLUSH)
		ttyflushout(t);
	ttyunlock(t);
	return 0;
}

/* What programs ask to find out which terminal they have: the serial port's
 * numbers, or the one virtual terminal's. */
static int
whichtty(struct tty *t, uint cmd, uint arg)
{
	struct serial sr = {.type = PORT_16550A, .port = 0x3f8, .irq = 4};
	struct vtstat vt = {.v_active = 1, .v_state = 1 << 1};
	int serial = t->rdev == serialdev.rdev;

	if (serial != (cmd == TIOCGSERIAL) || t->ops->closed)
		return -ENOTTY;
	if (serial)
		return copyout(arg, &sr, sizeof(sr)) ? -EFAULT : 0;
	return copyout(arg, &vt, sizeof(vt)) ? -EFAULT : 0;
}

/* The ioctls that concern sessions and groups. */
static int
jobioctl(struct tty *t, struct file *f, uint cmd, uint arg)
{
	switch (cmd) {
	case TIOCSCTTY:
		return setcontrolling(t, f, arg);
	case TIOCNOTTY:
		return dropcontrolling(t);
	case TIOCGPGRP:
		return f->off == TTY_MASTER || iscontrolling(t) ?
			putint(arg, t->pgrp) : -ENOTTY;
	case TIOCGSID:
		return getsid(t, f, arg);
	case TIOCSPGRP:
		return setpgrp(t, f, arg);
	}
	return -ENOTTY;
}

/* TIOCSCTTY: the superuser may take it from another session by force. */
static int
setcontrolling(struct tty *t, struct file *f, uint force)
{
	struct proc *p = myproc();
	struct session *s;
	int err = -EPERM;

	acquire(&proctree);
	s = p->tg->session;
	if (f->off >= 0 && t->gen != f->off) {
		err = -EIO;
	} else if (s->sid == p->tg->tgid && s->tty == t) {
		err = 0;
	} else if (s->sid == p->tg->tgid && s->tty == 0 &&
		(t->session == 0 || (force == 1 && p->euid == 0)) &&
		((f->flags & O_ACCMODE) != O_WRONLY || p->euid == 0)) {
		control(t, s, p->tg->pgid);
		err = 0;
	}
	release(&proctree);
	return err;
}

/* TIOCNOTTY: the leader takes the terminal from its whole session.  For others
 * nothing changes: what we note is the session's terminal, not the process's. */
static int
dropcontrolling(struct tty *t)
{
	struct tgroup *tg = myproc()->tg;
	int ours, pgrp = 0;

	acquire(&proctree);
	ours = tg->session->tty == t;
	if (ours && tg->session->sid == tg->tgid)
		pgrp = disown(t);
	release(&proctree);
	if (pgrp) {
		sigsendgroup(pgrp, SIGHUP, 0);
		sigsendgroup(pgrp, SIGCONT, 0);
	}
	return ours ? 0 : -ENOTTY;
}

/* TIOCGSID: the session whose terminal it is, if that is ours, or the terminal
 * is. */
static int
getsid(struct tty *t, struct file *f, uint arg)
{
	struct session *s;
	int sid;

	acquire(&proctree);
	s = f->off == TTY_MASTER ? t->session : myproc()->tg->session;
	sid = s && s->tty == t ? s->sid : 0;
	release(&proctree);
	return sid ? putint(arg, sid) : -ENOTTY;
}

/* TIOCSPGRP: a group of our session comes to the foreground. */
static int
setpgrp(struct tty *t, struct file *f, uint arg)
{
	struct ttyfile tf = ttyfileof(f);
	int pgrp, sid, err = background(t, &tf, SIGTTOU);

	if (err == -EIO)
		return -ENOTTY;
	if (err < 0)
		return err;
	if (!iscontrolling(t))
		return -ENOTTY;
	if (copyin(&pgrp, arg, sizeof(pgrp)))
		return -EFAULT;
	if (pgrp < 0)
		return -EINVAL;
	acquire(&proctree);
	sid = groupsession(pgrp);
	if (sid == 0)
		err = -ESRCH;
	else if (sid != myproc()->tg->session->sid)
		err = -EPERM;
	if (err == 0) {
		acquire(&t->lock);
		t->pgrp = pgrp;
		release(&t->lock);
	}
	release(&proctree);
	return err;
}

/* The session of a process group, 0: there is none.  proctree held. */
static int
groupsession(int pgrp)
{
	struct tgroup *tg;

	listeach (tg, &allprocs, alllink) {
		if (tg->pgid == pgrp && tg->session)
			return tg->session->sid;
	}
	return 0;
}

static int
putint(uint uva, int v)
{
	return copyout(uva, &v, sizeof(v)) ? -EFAULT : 0;
}
