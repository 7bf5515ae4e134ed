/*
 * ttydev.c - terminals as files: /dev/tty, console, tty0, ttyS0; job control;
 * ioctls.
 *
 * In an open file of a terminal, priv is the struct tty and off the generation
 * in which it was opened (struct ttyfile).  A file opened as /dev/console is
 * not subject to job control of reads nor to hangups, and does not become a
 * controlling terminal.  That holds for the master of a pseudo-terminal (pty.c)
 * too; its ioctls concern the slave.
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

/* open("/dev/tty"): the controlling terminal of the process's session. */
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

/* open("/dev/console"). */
static int
openconsole(struct file *f)
{
	f->priv = console.priv;
	f->off = TTY_CONSOLE;
	return 0;
}

/* open("/dev/tty0"), which does not become a controlling terminal. */
static int
opentty0(struct file *f)
{
	struct tty *t = f->priv;

	f->off = t->gen;
	return 0;
}

/* open() of a terminal by its own name. */
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

/* See fileops: the last reference to the open file is gone. */
static void
releasetty(struct file *f)
{
	struct tty *t = f->priv;

	if (t->ops->closed)
		t->ops->closed(t);
}

/* Make t the controlling terminal of s, with pgrp in the foreground.  Called
 * with proctree held. */
static void
control(struct tty *t, struct session *s, int pgrp)
{
	lockassert(holding(&proctree));
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

/* Take t from its session, if it has one.  Returns the foreground group that
 * it had, or 0.  Called with proctree held. */
static int
disown(struct tty *t)
{
	int pgrp;

	lockassert(holding(&proctree));
	if (t->session)
		t->session->tty = 0;
	t->session = 0;
	acquire(&t->lock);
	pgrp = t->pgrp;
	t->pgrp = 0;
	release(&t->lock);
	return pgrp;
}

/* Files that are open are dead from now on, as t->gen changes. */
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

/* What the line discipline needs to know of the open file. */
static struct ttyfile
ttyfileof(struct file *f)
{
	return (struct ttyfile){f->off, (f->flags & O_NONBLOCK) != 0};
}

/* See fileops. */
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

/* See fileops. */
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

/* See fileops. */
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

/* Job control: returns 0 if the running process may go on.  In a background
 * group, sends the group sig and returns -ERESTARTSYS.  Where the process
 * blocks or ignores the signal, SIGTTIN gives -EIO and SIGTTOU lets it go on;
 * an orphaned group gets -EIO. */
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
		return drain(t, &tf); /* no break is sent */
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

/* TCSETS and its kin: 0 or -errno. */
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

/* TCSBRK: wait until all output is sent.  0 or -errno. */
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

/* TIOCSWINSZ: the window has another size, and the foreground group gets
 * SIGWINCH. */
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

/* TCXONC: hold output, or ask the other side to hold its output.  0 or -errno.
 */
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

/* TCFLSH: forget input, output or both.  0 or -errno. */
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

/* What programs ask for to find out which terminal they have: the numbers of
 * the serial port (TIOCGSERIAL), or of the one virtual terminal (VT_GETSTATE).
 */
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

/* TIOCSCTTY: make t the controlling terminal of the session.  With force the
 * superuser takes it from another session. */
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

/* TIOCNOTTY: the session's leader gives up the terminal, for the whole
 * session.  For other processes nothing changes, as the terminal belongs to
 * the session, not to the process. */
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

/* TIOCGSID: the session whose controlling terminal this is, if it is the
 * caller's, or if the file is a master. */
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

/* TIOCSPGRP: a group of the session comes to the foreground. */
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

/* The session of a process group; 0: there is no such group.  Called with
 * proctree held. */
static int
groupsession(int pgrp)
{
	struct tgroup *tg;

	lockassert(holding(&proctree));
	listeach (tg, &allprocs, alllink) {
		if (tg->pgid == pgrp && tg->session)
			return tg->session->sid;
	}
	return 0;
}

/* Store an int in the program's memory: 0 or -EFAULT. */
static int
putint(uint uva, int v)
{
	return copyout(uva, &v, sizeof(v)) ? -EFAULT : 0;
}
