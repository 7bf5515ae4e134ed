/*
 * signalfd.c - signals that are read: signalfd(2).
 *
 * A read of a signalfd takes those signals of its mask that are pending for the
 * thread that reads, or for its process; it need not be the process that made
 * the signalfd.  The readers sleep on one of a few queues, which are never
 * freed, since an epoll may still wait on one for a process that is gone.  The
 * process's id chooses the queue.  A reader that wakes for a signal of another
 * process looks, and sleeps again.
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
	uint64_t mask;        /* the signals that a read takes [lock] */
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

/* signalfd(2): a has the descriptor of a signalfd, or -1 for a new one, the
 * user address of the mask, and its size in bytes. */
int
sys_signalfd(const uint *a)
{
	return dosignalfd(a[0], a[1], a[2], 0);
}

/* signalfd4(2): signalfd(2) with SFD_* flags as the last argument. */
int
sys_signalfd4(const uint *a)
{
	return dosignalfd(a[0], a[1], a[2], a[3]);
}

/* signalfd4(2) with its arguments: the descriptor or -errno. */
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

/* Make a signalfd for the signals of mask, with the SFD_* flags, and a
 * descriptor for it: the descriptor or -errno. */
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

/* Let the signalfd whose descriptor is fd take the signals of mask from now on:
 * fd, -EBADF or -EINVAL. */
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
	lockassert(holding(&tg->sighand->lock));
	wakeup(queueof(tg));
}

/* The queue on which the readers of the process tg sleep. */
static struct waitq *
queueof(struct tgroup *tg)
{
	return &queues[(uint)tg->tgid % NQUEUE];
}

/* The mask of the signalfd f.  Takes its lock, since a store of 64 bits is
 * two. */
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

/* fileops.read: wait for a signal, unless f has O_NONBLOCK, and write a record
 * for each one that is pending, as many as there is room for.  The bytes
 * written, or -errno if there are none. */
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

/* Take a signal of f's mask that is pending for the running thread, and fill in
 * *info.  0, -EAGAIN if there is none and block is 0, or -ERESTARTSYS if
 * something that the thread does not block has ended the wait. */
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

/* Fill in *r, the record that a program reads, from what the kernel knows of
 * the signal. */
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

/* fileops.poll: readable when a signal of f's mask is pending for the running
 * thread or its process. */
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

/* fileops.release: free the signalfd, which is closed. */
static void
signalrelease(struct file *f)
{
	(void)atomicdectest(&nsignalfds);
	kmfree(f->priv);
}

/* fileops.info: write the mask, in hex, to t. */
static void
signalinfo(struct file *f, struct text *t)
{
	putf(t, "sigmask:\t%016llx\n", (unsigned long long)maskof(f));
}
