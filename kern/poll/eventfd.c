/*
 * eventfd.c - a counter to wait on: eventfd(2).
 *
 * A write adds to the counter; a read takes all of it, or 1 if the eventfd was
 * made with EFD_SEMAPHORE.
 * The counter never reaches 2^64 - 1: a write that would get there waits.
 */
#include "mm/mm.h"
#include "kern/file.h"
#include "kern/abi/event.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/poll.h"
#include "kern/sched.h"
#include "kern/signal/signal.h"
#include "kern/sys/syscall.h"
#include "kern/lib/text.h"

struct eventfd {
	struct spinlock lock; /* RANK_PIPE */
	uint64_t count;       /* [lock] */
	int semaphore;        /* made with EFD_SEMAPHORE */
	struct waitq readq;   /* for count > 0 */
	struct waitq writeq;  /* for room */
};

static int neweventfd(uint count, uint flags);
static int eventread(struct file *, struct uio *, int64_t *off);
static int eventwrite(struct file *, struct uio *, int64_t *off);
static int eventwait(struct file *, struct waitq *);
static int eventpoll(struct file *, struct pollset *);
static void eventinfo(struct file *, struct text *);
static void eventrelease(struct file *);

static const struct fileops eventops = {
	.name = "[eventfd]",
	.read = eventread,
	.write = eventwrite,
	.poll = eventpoll,
	.info = eventinfo,
	.release = eventrelease,
};

int
sys_eventfd(const uint *a)
{
	return neweventfd(a[0], 0);
}

int
sys_eventfd2(const uint *a)
{
	return neweventfd(a[0], a[1]);
}

/* Make an eventfd whose counter begins at count, with the EFD_* flags, and a
 * descriptor for it: the descriptor, -EINVAL or another -errno. */
static int
neweventfd(uint count, uint flags)
{
	struct eventfd *e;
	int fd;

	if (flags & ~(EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC))
		return -EINVAL;
	e = kzalloc(sizeof(*e));
	if (e == 0)
		return -ENOMEM;
	initlock(&e->lock, RANK_PIPE);
	initwaitq(&e->readq);
	initwaitq(&e->writeq);
	e->count = count;
	e->semaphore = flags & EFD_SEMAPHORE;
	fd = fdanon(&eventops, e, flags & ~EFD_SEMAPHORE);
	if (fd < 0)
		kmfree(e);
	return fd;
}

/* fileops.read: wait until the counter is not 0, unless f has O_NONBLOCK, and
 * take its value, or 1 from a semaphore.  8, the bytes read, or -errno. */
static int
eventread(struct file *f, struct uio *u, int64_t *off)
{
	struct eventfd *e = f->priv;
	uint64_t value = 1;
	int err = 0;

	(void)off;
	if (u->n < sizeof(value))
		return -EINVAL;
	acquire(&e->lock);
	while (e->count == 0 && err == 0)
		err = eventwait(f, &e->readq);
	if (err == 0) {
		if (!e->semaphore)
			value = e->count;
		e->count -= value;
	}
	release(&e->lock);
	if (err < 0)
		return err;
	wakeup(&e->writeq);
	return uioput(u, &value, sizeof(value)) ? -EFAULT : 8;
}

/* fileops.write: wait until the value in u can be added to the counter, unless
 * f has O_NONBLOCK, and add it.  8, the bytes written, or -errno. */
static int
eventwrite(struct file *f, struct uio *u, int64_t *off)
{
	struct eventfd *e = f->priv;
	uint64_t value;
	int err = 0;

	(void)off;
	if (u->n != sizeof(value))
		return -EINVAL;
	if (uioget(u, &value, sizeof(value)) < 0)
		return -EFAULT;
	if (value == UINT64_MAX)
		return -EINVAL;
	acquire(&e->lock);
	while (UINT64_MAX - e->count <= value && err == 0)
		err = eventwait(f, &e->writeq);
	if (err == 0)
		e->count += value;
	release(&e->lock);
	if (err < 0)
		return err;
	wakeup(&e->readq);
	return sizeof(value);
}

/* Sleep until q is woken: 0, -EAGAIN if f has O_NONBLOCK, or -ERESTARTSYS when
 * a signal came.  Called with the eventfd's lock held, which is released during
 * the sleep. */
static int
eventwait(struct file *f, struct waitq *q)
{
	struct eventfd *e = f->priv;

	lockassert(holding(&e->lock));
	if (f->flags & O_NONBLOCK)
		return -EAGAIN;
	return sleepint(q, &e->lock) < 0 ? -ERESTARTSYS : 0;
}

/* fileops.poll: readable when the counter is not 0, writable when 1 can be
 * added to it. */
static int
eventpoll(struct file *f, struct pollset *ps)
{
	struct eventfd *e = f->priv;
	int events = 0;

	pollwaitfor(ps, &e->readq, POLLIN);
	pollwaitfor(ps, &e->writeq, POLLOUT);
	acquire(&e->lock);
	if (e->count > 0)
		events |= POLLIN;
	if (e->count < UINT64_MAX - 1)
		events |= POLLOUT;
	release(&e->lock);
	return events;
}

/* fileops.release: free the eventfd, which is closed. */
static void
eventrelease(struct file *f)
{
	kmfree(f->priv);
}

/* fileops.info: write the counter's value, in hex, to t. */
static void
eventinfo(struct file *f, struct text *t)
{
	struct eventfd *e = f->priv;
	uint64_t count;

	acquire(&e->lock);
	count = e->count;
	release(&e->lock);
	putf(t, "eventfd-count: %16llx\n", (unsigned long long)count);
}
