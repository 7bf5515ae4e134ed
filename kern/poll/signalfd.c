/*
 * signalfd.c - signals that are read: signalfd(2).
 *
 * A signalfd takes the pending signals of its mask from whoever reads it, which
 * need not be who made it.  Its readers sleep on one of a few queues that are
 * there for ever, chosen by the process: an epoll may wait there for a process
 * that is gone.  Who wakes for a signal of another looks and sleeps again.
 */
#include "arch/cpu.h"
#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/signal/sigframe.h"
#include "kern/abi/event.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/poll.h"
#include "kern/file.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/lib/string.h"
#include "kern/sys/syscall.h"
#include "kern/lib/text.h"

#define NQUEUE 16

struct signalfd {
	struct spinlock lock; /* RANK_LEAF */
	uint64_t mask;        /* what it takes [lock] */
};

volatile int nsignalfds;
static struct waitq queues[NQUEUE];

static int dosignalfd(uint fd, uint umask, uint size, uint flags);
static int newsignalfd(uint64_t mask, uint flags);
static int changesignalfd(uint fd, uint64_t mask);
static struct waitq *queueof(struct tgroup *);
static uint64_t maskof(struct file *);
static int signalread(struct file *, struct uio *, int64_t *off);
static int nextsignal(struct file *, struct ksiginfo *, int block);
static void record(struct signalfdinfo *, const struct ksiginfo *);
static int signalpoll(struct file *, struct pollset *);
static void signalinfo(struct file *, struct text *);
static void signalrelease(struct file *);

static const struct fileops signalops = {
	.name = "[signalfd]",
	.read = signalread,
	.poll = signalpoll,
	.info = signalinfo,
	.release = signalrelease,
};

void
signalfdinit(void)
{
	int i;

	for (i = 0; i < NQUEUE; i++)
		initwaitq(&queues[i]);
}

/* Descriptor or -1, mask, its size. */
int
sys_signalfd(const uint *a)
{
	return dosignalfd(a[0], a[1], a[2], 0);
}

/* And flags. */
int
sys_signalfd4(const uint *a)
{
	return dosignalfd(a[0], a[1], a[2], a[3]);
}

static int
dosignalfd(uint fd, uint umask, uint size, uint flags)
{
	uint64_t mask;

	if (size != sizeof(mask))
		return -EINVAL;
	if (copyin(&mask, umask, sizeof(mask)))
		return -EFAULT;
	if (flags & ~(SFD_NONBLOCK | SFD_CLOEXEC))
		return -EINVAL;
	mask &= ~SIGNOMASK;
	return fd == ~0u ? newsignalfd(mask, flags) : changesignalfd(fd, mask);
}

static int
newsignalfd(uint64_t mask, uint flags)
{
	struct signalfd *s = kzalloc(sizeof(*s));
	int fd;

	if (s == 0)
		return -ENOMEM;
	initlock(&s->lock, RANK_LEAF);
	s->mask = mask;
	atomicinc(&nsignalfds);
	fd = fdanon(&signalops, s, flags);
	if (fd < 0) {
		(void)atomicdectest(&nsignalfds);
		kmfree(s);
	}
	return fd;
}

static int
changesignalfd(uint fd, uint64_t mask)
{
	struct signalfd *s;
	struct file *f;
	int err;

	f = fdgetkind(fd, &signalops, &err);
	if (f == 0)
		return err;
	s = f->priv;
	acquire(&s->lock);
	s->mask = mask;
	release(&s->lock);
	wakeup(queueof(myproc()->tg));
	fileclose(f);
	return (int)fd;
}

void
signalfdwake(struct tgroup *tg)
{
	wakeup(queueof(tg));
}

static struct waitq *
queueof(struct tgroup *tg)
{
	return &queues[(uint)tg->tgid % NQUEUE];
}

static uint64_t
maskof(struct file *f)
{
	struct signalfd *s = f->priv;
	uint64_t mask;

	acquire(&s->lock);
	mask = s->mask;
	release(&s->lock);
	return mask;
}

/* As many records as there are signals and room; waits for the first. */
static int
signalread(struct file *f, struct uio *u, int64_t *off)
{
	struct signalfdinfo rec;
	struct ksiginfo info;
	int err, done = 0;

	(void)off;
	if (u->n < sizeof(rec))
		return -EINVAL;
	while (u->n >= sizeof(rec)) {
		err = nextsignal(f, &info,
			done == 0 && (f->flags & O_NONBLOCK) == 0);
		if (err == 0) {
			record(&rec, &info);
			err = uioput(u, &rec, sizeof(rec));
		}
		if (err < 0)
			return done ? done : err;
		done += sizeof(rec);
	}
	return done;
}

/* Take a signal: 0, -EAGAIN or, having waited, -ERESTARTSYS. */
static int
nextsignal(struct file *f, struct ksiginfo *info, int block)
{
	struct proc *p = myproc();
	struct spinlock *lk = &p->tg->sighand->lock;
	int err = 0;

	acquire(lk);
	while (err == 0 && sigtake(p, maskof(f), info) == 0) {
		if (!block)
			err = -EAGAIN;
		else if (sleepint(queueof(p->tg), lk) < 0)
			err = -ERESTARTSYS;
	}
	release(lk);
	return err;
}

/* What programs get to know. */
static void
record(struct signalfdinfo *r, const struct ksiginfo *info)
{
	memset(r, 0, sizeof(*r));
	r->signo = info->signo;
	r->errno = info->errno;
	r->code = info->code;
	if (info->code == SI_TIMER) {
		r->tid = info->pid;
		r->overrun = info->uid;
	} else {
		r->pid = info->pid;
		r->uid = info->uid;
	}
	if (info->signo == SIGCHLD && info->code > 0) {
		r->status = info->status;
		r->utime = info->utime;
		r->stime = info->stime;
	} else if (info->code < 0 && info->code != SI_TKILL) {
		r->value = (int)info->value;
		r->ptr = (uint64_t)(int64_t)r->value;
	}
}

static int
signalpoll(struct file *f, struct pollset *ps)
{
	struct proc *p = myproc();
	uint64_t pending;

	pollwait(ps, queueof(p->tg));
	acquire(&p->tg->sighand->lock);
	pending = p->sig.pend.set | p->tg->pend.set;
	release(&p->tg->sighand->lock);
	return pending & maskof(f) ? POLLIN : 0;
}

static void
signalrelease(struct file *f)
{
	(void)atomicdectest(&nsignalfds);
	kmfree(f->priv);
}

static void
signalinfo(struct file *f, struct text *t)
{
	putf(t, "sigmask:\t%016llx\n", (unsigned long long)maskof(f));
}
