/*
 * pipe.c - pipes and named pipes.
 *
 * A pipe is a ring of pages, each allocated when the first byte goes into it
 * and given back when the last has been read, so that an idle pipe costs no
 * page and a ping-pong of small messages one.  head and tail count bytes; byte
 * b lies in page[b / PGSIZE % npages], so whole rings may be taken off both.
 *
 * Invariants:
 *   P1  tail <= head <= tail + npages * PGSIZE; tail is in the first ring or
 *       at its end; npages is a power of two.
 *   P2  A page is there if and only if it holds bytes of [tail, head), except
 *       one that the next write goes on in, and the spare.
 *   P3  Whoever makes a condition true wakes the queue after it has released
 *       the lock; whoever waits is on the queue before it releases the lock.
 *
 * The lock is a sleep lock, held while bytes are copied, which may fault.
 */
#include "kern/file.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/poll.h"
#include "kern/abi/stat.h"
#include "kern/abi/termios.h"
#include "kern/fs/inode.h"
#include "kern/panic.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/signal/signal.h"
#include "kern/lib/string.h"

#define PIPEPAGES    16  /* capacity of a new pipe */
#define PIPEPAGESMAX 256 /* what F_SETPIPE_SZ may ask for */
#define PIPEATOMIC   4096 /* PIPE_BUF: no longer write is split */

struct pipe {
	struct sleeplock lock;
	uint head, tail;       /* bytes written, read [lock] */
	uint npages;           /* capacity [lock] */
	char **page;           /* npages of them, or 0 [lock] */
	char *spare;           /* a page to use next, or 0 [lock] */
	int readers, writers;  /* open files [lock] */
	uint ropens, wopens;   /* files ever opened, for fifoopen [lock] */
	int taken;             /* pipetake's caller alone may read [lock] */
	struct waitq readq;    /* for bytes, or a writer */
	struct waitq writeq;   /* for room, or a reader */
	struct inode *inode;   /* whose pipe this is [fifolock] */
	int users;             /* opens in progress and open files [fifolock] */
	char *inlinepage[PIPEPAGES];
};

/* The inodes of pipes without a name belong to a file system of their own. */
static struct super pipesuper = {.ref = 1, .type = "pipefs", .dev = 9};

static struct sleeplock fifolock; /* never with a pipe's lock */

static struct pipe *pipealloc(struct inode *);
static void pipefree(struct pipe *);
static void pipedrop(struct pipe *);
static struct file *pipefile(struct pipe *, struct inode *, uint flags);
static int piperead(struct file *, struct uio *, int64_t *off);
static int pipereadable(struct pipe *, int block);
static uint room(struct pipe *);
static int pipeget(struct pipe *, struct uio *, uint n);
static void pipeskip(struct pipe *, uint n);
static int pipewrite(struct file *, struct uio *, int64_t *off);
static int pipewriteall(struct pipe *, struct uio *, int block, uint *done);
static int pipeput(struct pipe *, struct uio *, uint n);
static int pipegrow(struct pipe *, uint n);
static int pipewait(struct pipe *, struct waitq *wait, struct waitq *wake);
static int pipepoll(struct file *, struct pollset *);
static int pipeioctl(struct file *, uint cmd, uint arg);
static void piperelease(struct file *);
static void pipeclose(struct pipe *, uint mode);
static int pipemove(struct pipe *, uint npages);
static int fifowait(struct pipe *, uint mode);
static struct pipe *fifoget(struct inode *);
static void fifoput(struct pipe *);

static const struct fileops pipeops = {
	.read = piperead,
	.write = pipewrite,
	.ioctl = pipeioctl,
	.poll = pipepoll,
	.release = piperelease,
};

void
pipeinit(void)
{
	initsleeplock(&fifolock, RANK_INODE);
}

int
pipenew(struct file **r, struct file **w, uint flags)
{
	struct inode *i = inodenew(&pipesuper, S_IFIFO | 0600);
	struct pipe *p = pipealloc(i);

	if (i == 0 || p == 0)
		goto bad;
	i->pipe = p;
	p->readers = p->writers = 1;
	p->wopens = 1;
	p->users = 2;
	*r = pipefile(p, i, O_RDONLY | flags);
	if (*r == 0)
		goto bad;
	*w = pipefile(p, iget(i), O_WRONLY | flags);
	if (*w == 0) {
		p->writers = 0;
		p->users = 1;
		iput(i);
		fileclose(*r); /* frees the pipe */
		return -ENOMEM;
	}
	return 0;
bad:
	if (i)
		iput(i);
	if (p)
		pipefree(p);
	return -ENOMEM;
}

/* An empty pipe for the inode i, which nobody has open; or 0. */
static struct pipe *
pipealloc(struct inode *i)
{
	struct pipe *p = kzalloc(sizeof(*p));

	if (p == 0)
		return 0;
	initsleeplock(&p->lock, RANK_PIPE);
	initwaitq(&p->readq);
	initwaitq(&p->writeq);
	p->inode = i;
	p->npages = PIPEPAGES;
	p->page = p->inlinepage;
	return p;
}

/* Free a pipe that nobody has open any more. */
static void
pipefree(struct pipe *p)
{
	pipedrop(p);
	kmfree(p);
}

/* Free all pages of the ring, and the array of pointers to them. */
static void
pipedrop(struct pipe *p)
{
	uint i;

	for (i = 0; i < p->npages; i++) {
		if (p->page[i])
			kfree(p->page[i]);
	}
	if (p->spare)
		kfree(p->spare);
	if (p->page != p->inlinepage)
		kmfree(p->page);
}

/* A new open file on the pipe, which takes over the caller's reference to its
 * inode i; or 0. */
static struct file *
pipefile(struct pipe *p, struct inode *i, uint flags)
{
	struct file *f = filealloc();

	if (f == 0)
		return 0;
	f->flags = flags;
	f->inode = i;
	f->ops = &pipeops;
	f->priv = p;
	return f;
}

/* fileops.read: read what there is, or wait for the first byte.  Bytes, 0 when
 * there are none and no writer, or -errno. */
static int
piperead(struct file *f, struct uio *u, int64_t *off)
{
	struct pipe *p = f->priv;
	int r = 0, full = 0;

	(void)off;
	if (u->n == 0)
		return 0;
	acquiresleep(&p->lock);
	r = pipereadable(p, !(f->flags & O_NONBLOCK));
	if (r == 0 && p->head != p->tail) {
		full = room(p) < PIPEATOMIC;
		r = pipeget(p, u, MIN(u->n, p->head - p->tail));
		full = full && room(p) >= PIPEATOMIC; /* and no more */
	}
	releasesleep(&p->lock);
	if (full)
		wakeup(&p->writeq);
	return r;
}

/* Wait until there are bytes and nobody has taken them, or neither bytes nor a
 * writer: 0; or -EAGAIN (unless block is set), -ERESTARTSYS.  p->lock held. */
static int
pipereadable(struct pipe *p, int block)
{
	int r = 0;

	lockassert(holdingsleep(&p->lock));
	while (r == 0 && ((p->head == p->tail && p->writers > 0) || p->taken))
		r = block ? pipewait(p, &p->readq, 0) : -EAGAIN;
	return r;
}

/* How many bytes there is room for.  A writer waits only when they are fewer
 * than PIPEATOMIC; with that many a pipe is writable for poll(2).  p->lock
 * held. */
static uint
room(struct pipe *p)
{
	return p->npages * PGSIZE - (p->head - p->tail);
}

/* Move the next n bytes, which the pipe holds, to *u: how many were moved, or
 * -EFAULT. p->lock held. */
static int
pipeget(struct pipe *p, struct uio *u, uint n)
{
	uint done = 0, at, m;

	while (done < n) {
		at = p->tail % PGSIZE;
		m = MIN(n - done, PGSIZE - at);
		if (uioput(u, p->page[p->tail / PGSIZE % p->npages] + at, m) < 0)
			return done ? (int)done : -EFAULT;
		pipeskip(p, m);
		done += m;
	}
	return done;
}

/* The n bytes at tail, all in one page, have been read.  A pipe that is empty
 * by then begins again at the start of its page; a page that is finished
 * becomes the spare, or is freed if there is one.  p->lock held. */
static void
pipeskip(struct pipe *p, uint n)
{
	uint i, ring = p->npages * PGSIZE;
	char **pg;

	if (p->tail >= ring) {
		p->tail -= ring;
		p->head -= ring;
	}
	i = p->tail / PGSIZE;
	pg = &p->page[i];
	p->tail += n;
	if (p->tail == p->head) {
		p->tail = p->head = i * PGSIZE;
		return;
	}
	if (p->tail % PGSIZE != 0 || (p->head - 1) / PGSIZE == i + p->npages)
		return; /* more to read there, or the ring's other end */
	if (p->spare)
		kfree(*pg);
	else
		p->spare = *pg;
	*pg = 0;
}

/* fileops.write: write all of *u, or what there is room for when the file does
 * not block.  Bytes, or -errno; without a reader SIGPIPE is sent, and -EPIPE
 * returned. */
static int
pipewrite(struct file *f, struct uio *u, int64_t *off)
{
	struct pipe *p = f->priv;
	uint done = 0;
	int err;

	(void)off;
	if (u->n == 0)
		return 0;
	acquiresleep(&p->lock);
	err = pipewriteall(p, u, !(f->flags & O_NONBLOCK), &done);
	releasesleep(&p->lock);
	if (done > 0)
		wakeup(&p->readq);
	if (err == -EPIPE)
		sigsend(myproc(), SIGPIPE, 0);
	return done ? (int)done : err;
}

/* Write all of *u, with block set after waiting for room: 0, or -errno after
 * *done bytes.  p->lock held, but not while this waits. */
static int
pipewriteall(struct pipe *p, struct uio *u, int block, uint *done)
{
	uint want = u->n, left, n;
	int err = 0;

	while (err == 0 && *done < want) {
		if (p->readers == 0)
			return -EPIPE;
		left = room(p);
		n = MIN(want - *done, PIPEATOMIC);
		if (left == 0 || (want <= PIPEATOMIC && left < n)) {
			if (!block)
				return -EAGAIN;
			err = pipewait(p, &p->writeq, &p->readq);
			continue;
		}
		n = MIN(n, left);
		err = pipeput(p, u, n);
		if (err == 0)
			*done += n;
	}
	return err;
}

/* Append n <= PIPEATOMIC bytes of *u, for which there is room, all of them or
 * none.  0, -EFAULT or -ENOMEM.  p->lock held, or p is nobody else's. */
static int
pipeput(struct pipe *p, struct uio *u, uint n)
{
	uint head = p->head, end = head + n, at, m;

	if (pipegrow(p, n) < 0)
		return -ENOMEM;
	while (head != end) {
		at = head % PGSIZE;
		m = MIN(end - head, PGSIZE - at);
		if (uioget(u, p->page[head / PGSIZE % p->npages] + at, m) < 0)
			return -EFAULT;
		head += m;
	}
	p->head = end;
	return 0;
}

/* See that there are pages for the next n > 0 bytes: 0 or -ENOMEM. */
static int
pipegrow(struct pipe *p, uint n)
{
	uint i, last = (p->head + n - 1) / PGSIZE;
	char **pg;

	for (i = p->head / PGSIZE; i <= last; i++) {
		pg = &p->page[i % p->npages];
		if (*pg)
			continue;
		*pg = p->spare ? p->spare : kalloc();
		if (*pg == 0)
			return -ENOMEM;
		p->spare = 0;
	}
	return 0;
}

/* Sleep on the queue wait, after waking the queue wake (0: none).  p->lock is
 * held, but not while asleep.  0: look again; -ERESTARTSYS: a signal came. */
static int
pipewait(struct pipe *p, struct waitq *wait, struct waitq *wake)
{
	struct waiter w;
	int err;

	preparesleep();
	waiteradd(wait, &w);
	releasesleep(&p->lock);
	if (wake)
		wakeup(wake);
	err = pollsleep(NEVER);
	waiterdel(&w);
	acquiresleep(&p->lock);
	return err == -EINTR ? -ERESTARTSYS : 0;
}

/* fileops.poll: POLL* that hold now.  A reader sees POLLHUP when the writers
 * that it has seen are gone, a writer sees POLLERR when there is no reader. */
static int
pipepoll(struct file *f, struct pollset *ps)
{
	struct pipe *p = f->priv;
	uint mode = f->flags & O_ACCMODE, n;
	int events = 0;

	if (mode != O_WRONLY)
		pollwaitfor(ps, &p->readq, POLLIN | POLLRDNORM | POLLHUP);
	if (mode != O_RDONLY)
		pollwaitfor(ps, &p->writeq, POLLOUT | POLLWRNORM | POLLERR);
	acquiresleep(&p->lock); /* a reader moves both ends back by a ring */
	n = p->head - p->tail;
	if (mode != O_WRONLY) {
		if (n > 0)
			events |= POLLIN | POLLRDNORM;
		if (p->writers == 0 && p->wopens != (uint)f->off)
			events |= POLLHUP;
	}
	if (mode != O_RDONLY) {
		if (room(p) >= PIPEATOMIC)
			events |= POLLOUT | POLLWRNORM;
		if (p->readers == 0)
			events |= POLLERR;
	}
	releasesleep(&p->lock);
	return events;
}

/* fileops.ioctl: FIONREAD only, how many bytes the pipe holds. */
static int
pipeioctl(struct file *f, uint cmd, uint arg)
{
	struct pipe *p = f->priv;
	int n;

	if (cmd != FIONREAD)
		return -ENOTTY;
	acquiresleep(&p->lock);
	n = p->head - p->tail;
	releasesleep(&p->lock);
	return copyout(arg, &n, sizeof(n)) ? -EFAULT : 0;
}

/* fileops.release: an open file on the pipe is gone. */
static void
piperelease(struct file *f)
{
	pipeclose(f->priv, f->flags & O_ACCMODE);
	if (f->dentry == 0)
		iput(f->inode);
}

/* The pipe has one open file less, with this O_ACCMODE. */
static void
pipeclose(struct pipe *p, uint mode)
{
	acquiresleep(&p->lock);
	if (mode != O_WRONLY)
		p->readers--;
	if (mode != O_RDONLY)
		p->writers--;
	releasesleep(&p->lock);
	wakeup(&p->readq);
	wakeup(&p->writeq);
	fifoput(p);
}

/* Is f an end of a pipe?  The inode then says which pipe. */
int
ispipe(struct file *f)
{
	return f->ops == &pipeops;
}

int
pipetake(struct file *f, char *buf, uint n, int block)
{
	struct pipe *p = f->priv;
	uint at, m, done;
	int r;

	acquiresleep(&p->lock);
	r = pipereadable(p, block);
	n = MIN(n, p->head - p->tail);
	for (done = 0; r == 0 && done < n; done += m) {
		at = (p->tail + done) % PGSIZE;
		m = MIN(n - done, PGSIZE - at);
		memcpy(buf + done,
			p->page[(p->tail + done) / PGSIZE % p->npages] + at, m);
	}
	if (r == 0 && n > 0) {
		p->taken = 1;
		r = n;
	}
	releasesleep(&p->lock);
	return r;
}

void
pipegive(struct file *f, uint n)
{
	struct pipe *p = f->priv;
	uint m;

	acquiresleep(&p->lock);
	p->taken = 0;
	for (; n > 0; n -= m) {
		m = MIN(n, PGSIZE - p->tail % PGSIZE);
		pipeskip(p, m);
	}
	releasesleep(&p->lock);
	wakeup(&p->readq);
	wakeup(&p->writeq);
}

int
pipeoffer(struct file *f, char *buf, uint n, int block)
{
	struct pipe *p = f->priv;
	struct uio u = {(uint)buf, n, 1};
	uint done = 0;
	int err = 0;

	acquiresleep(&p->lock);
	while (err == 0 && p->readers > 0 && room(p) == 0)
		err = block ? pipewait(p, &p->writeq, &p->readq) : -EAGAIN;
	if (err == 0) {
		u.n = MIN(n, MAX(room(p), 1u));
		err = pipewriteall(p, &u, 0, &done);
	}
	releasesleep(&p->lock);
	if (done > 0)
		wakeup(&p->readq);
	if (err == -EPIPE)
		sigsend(myproc(), SIGPIPE, 0);
	return done ? (int)done : err;
}

int
pipegetsize(struct file *f)
{
	struct pipe *p = f->priv;

	return f->ops == &pipeops ? (int)(p->npages * PGSIZE) : -EBADF;
}

int
pipesetsize(struct file *f, uint bytes)
{
	struct pipe *p = f->priv;
	uint npages = 1;
	int r;

	if (f->ops != &pipeops)
		return -EBADF;
	if (bytes == 0 || bytes > 1u << 31)
		return -EINVAL;
	if (bytes > PIPEPAGESMAX * PGSIZE)
		return -EPERM;
	while (npages * PGSIZE < bytes)
		npages *= 2;
	acquiresleep(&p->lock);
	r = pipemove(p, npages);
	releasesleep(&p->lock);
	if (r < 0)
		return r;
	wakeup(&p->writeq);
	return npages * PGSIZE;
}

/* Copy what the pipe holds into a new ring of npages, which takes the place of
 * the old one: 0, -EBUSY or -ENOMEM.  p->lock held. */
static int
pipemove(struct pipe *p, uint npages)
{
	struct pipe new = {.npages = npages};
	struct uio u = {.kernel = 1};
	uint b, n;

	if (p->head - p->tail > npages * PGSIZE)
		return -EBUSY;
	new.page = kzalloc(npages * sizeof(char *));
	if (new.page == 0)
		return -ENOMEM;
	for (b = p->tail; b != p->head; b += n) {
		n = MIN(p->head - b, PGSIZE - b % PGSIZE);
		u.addr = (uint)p->page[b / PGSIZE % p->npages] + b % PGSIZE;
		u.n = n;
		if (pipeput(&new, &u, n) < 0)
			goto bad;
	}
	pipedrop(p);
	p->page = new.page;
	p->npages = npages;
	p->tail = 0;
	p->head = new.head;
	p->spare = 0;
	return 0;
bad:
	pipedrop(&new);
	return -ENOMEM;
}

int
fifoopen(struct inode *i, struct file *f)
{
	uint mode = f->flags & O_ACCMODE;
	int named = i->super != &pipesuper;
	struct pipe *p = fifoget(i);
	int err = 0;

	if (p == 0)
		return -ENOMEM;
	acquiresleep(&p->lock);
	if (named && mode == O_WRONLY && (f->flags & O_NONBLOCK) &&
		p->readers == 0) {
		releasesleep(&p->lock);
		fifoput(p);
		return -ENXIO;
	}
	p->readers += mode != O_WRONLY;
	p->ropens += mode != O_WRONLY;
	p->writers += mode != O_RDONLY;
	p->wopens += mode != O_RDONLY;
	f->off = p->writers == 0 ? p->wopens : 0; /* see pipepoll */
	if (mode != O_RDONLY)
		wakeup(&p->readq);
	if (mode != O_WRONLY)
		wakeup(&p->writeq);
	if (named && !(f->flags & O_NONBLOCK))
		err = fifowait(p, mode);
	releasesleep(&p->lock);
	if (err < 0) {
		pipeclose(p, mode);
		return err;
	}
	f->ops = &pipeops;
	f->priv = p;
	return 0;
}

/* Wait until the other side has been opened, if only for a moment: 0 or
 * -ERESTARTSYS.  p->lock held, but not while this waits. */
static int
fifowait(struct pipe *p, uint mode)
{
	uint ropens = p->ropens, wopens = p->wopens;
	int err = 0;

	if (mode == O_RDONLY && p->writers == 0) {
		while (err == 0 && p->wopens == wopens)
			err = pipewait(p, &p->readq, 0);
	} else if (mode == O_WRONLY && p->readers == 0) {
		while (err == 0 && p->ropens == ropens)
			err = pipewait(p, &p->writeq, 0);
	}
	return err;
}

/* The pipe of the inode i, made if nobody has it open; or 0.  fifoput() gives
 * it back. The dentry of the opener keeps the inode alive as long. */
static struct pipe *
fifoget(struct inode *i)
{
	struct pipe *p;

	acquiresleep(&fifolock);
	if (i->pipe == 0)
		i->pipe = pipealloc(i);
	p = i->pipe;
	if (p)
		p->users++;
	releasesleep(&fifolock);
	return p;
}

/* One user of the pipe less; the last one frees it.  Takes fifolock. */
static void
fifoput(struct pipe *p)
{
	int last;

	acquiresleep(&fifolock);
	last = --p->users == 0;
	if (last)
		p->inode->pipe = 0;
	releasesleep(&fifolock);
	if (last)
		pipefree(p);
}
