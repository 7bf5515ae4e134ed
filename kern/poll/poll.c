/*
 * poll.c - wait for any of several files: poll, select and their variants.
 *
 * pollloop() serves all of them.  Its first look at each file also registers a
 * waiter with each of the file's queues.  If no file is ready, it sleeps until
 * one of the queues is woken, and looks again, without registering once more.
 *
 * Invariant: while a waiter is on a queue, its file is referenced, whatever
 * other threads close.
 */
#include "kern/poll/poll.h"
#include "arch/cpu.h"
#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/poll.h"
#include "kern/abi/resource.h"
#include "kern/abi/time.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/signal/signal.h"
#include "kern/lib/string.h"
#include "kern/sys/syscall.h"
#include "kern/timeval.h"

#define NPOLLENT   8   /* waiters a pollset holds without allocating */
#define NPOLLMORE  70  /* in each block beyond */
#define NPOLLFD    32  /* pollfds kept on the stack */
#define FDWORDS(n) (((n) + 31) / 32) /* words of a bit map of n files */
#define SELWORDS   16  /* words of such a map kept on the stack */
#define ALWAYS     (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM)

struct pollent {
	struct waiter w;
	struct polling *by;
	struct file *file; /* referenced */
};

struct pollblock {
	struct pollblock *next;
	uint n;
	struct pollent ent[NPOLLMORE];
};

struct polling {
	struct pollset set;
	struct file *file;      /* the one being looked at */
	volatile int woken;     /* a queue was, since the last look began */
	int err;                /* -ENOMEM: a waiter is missing */
	struct pollblock *more; /* newest first */
	uint n;
	struct pollent ent[NPOLLENT];
};

struct scan { /* a call of poll or select */
	/* One look at everything: how many are ready, or -errno. */
	int (*look)(struct scan *, struct polling *);
	struct pollfd *fds;     /* poll's */
	uint *in[3], *out[3];   /* select's bit maps: read, write, except */
	uint n;                 /* pollfds, or files in the bit maps */
	int again;              /* select has looked once */
};

static const int selevents[3] = {
	POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR | POLLNVAL,
	POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR | POLLNVAL,
	POLLPRI | POLLNVAL,
};

static struct pollent *newent(struct polling *);
static void addqueue(struct pollset *, struct waitq *, uint events);
static void woken(struct waiter *);
static void pollsetfree(struct polling *);
static int pollloop(struct scan *, int64_t deadline);
static int pollfile(uint fd, struct polling *);
static int dopoll(uint ufds, uint n, int64_t deadline);
static int pollcopyout(uint ufds, struct pollfd *, uint n);
static int lookfds(struct scan *, struct polling *);
static int pollrestart(struct restart *);
static int timeout(uint uts, int wide, int64_t deadline, int r);
static int64_t timeleft(int64_t deadline);
static int doppoll(const uint *a, int wide);
static int doselect(uint n, const uint usets[3], int64_t deadline);
static int looksets(struct scan *, struct polling *);
static int lookfd(struct scan *, struct polling *, uint fd);
static int select(uint n, const uint usets[3], uint utv);
static int dopselect(const uint *a, int wide);

void
pollwaitfor(struct pollset *ps, struct waitq *q, uint events)
{
	if (ps == 0)
		return;
	ps->add(ps, q, events);
	fence(); /* the waiter is seen before the caller looks */
}

/* pollset.add: register a waiter with q, whatever q is woken for, and hold the
 * file that is being looked at.  Without memory, set po->err. */
static void
addqueue(struct pollset *ps, struct waitq *q, uint events)
{
	struct polling *po = container_of(ps, struct polling, set);
	struct pollent *e = newent(po);

	(void)events;
	if (e == 0) {
		po->err = -ENOMEM;
		return;
	}
	e->by = po;
	e->file = filedup(po->file);
	waiteraddfn(q, &e->w, woken);
}

/* A queue is woken: note it, and wake the thread that polls.  Called with the
 * lock of that queue held. */
static void
woken(struct waiter *w)
{
	lockassert(holding(&w->q->lock));
	container_of(w, struct pollent, w)->by->woken = 1;
	waiterwake(w);
}

/* A free entry of ps for one more queue, on the stack while there is room, then
 * from kmalloc(); or 0 when there is no memory. */
static struct pollent *
newent(struct polling *ps)
{
	struct pollblock *b = ps->more;

	if (ps->n < NPOLLENT)
		return &ps->ent[ps->n++];
	if (b == 0 || b->n == NPOLLMORE) {
		b = kmalloc(sizeof(*b));
		if (b == 0)
			return 0;
		b->n = 0;
		b->next = ps->more;
		ps->more = b;
	}
	return &b->ent[b->n++];
}

/* Take the waiters of ps off their queues, drop the references to their files,
 * and free the entries that were allocated. */
static void
pollsetfree(struct polling *ps)
{
	struct pollblock *b;
	uint i;

	for (i = 0; i < ps->n; i++) {
		waiterdel(&ps->ent[i].w);
		fileclose(ps->ent[i].file);
	}
	while ((b = ps->more) != 0) {
		ps->more = b->next;
		for (i = 0; i < b->n; i++) {
			waiterdel(&b->ent[i].w);
			fileclose(b->ent[i].file);
		}
		kmfree(b);
	}
}

/* Look at all files of s until one is ready, and sleep between the looks, until
 * the deadline.  Returns how many are ready, 0 when the time is over, -EINTR if
 * no file is ready and a signal is pending, whether or not the signal ended the
 * sleep, or an error of the look.  A look may itself sleep, for a lock, and be
 * woken there by one of our queues: so po.woken, not the sleep, notes what came
 * before preparesleep(). */
static int
pollloop(struct scan *s, int64_t deadline)
{
	struct polling po, *ps = &po;
	int r, err = 0;

	if (deadline == NOWAIT) {
		r = s->look(s, 0);
		return r == 0 && sigpending() ? -EINTR : r;
	}
	po.set.add = addqueue;
	po.n = 0;
	po.more = 0;
	po.err = 0;
	for (;;) {
		po.woken = 0;
		fence();
		r = s->look(s, ps);
		if (r == 0)
			r = po.err;
		if (r != 0 || err != 0)
			break;
		ps = 0;
		preparesleep();
		if (!po.woken)
			err = pollsleep(deadline);
	}
	pollsetfree(&po);
	return r == 0 && sigpending() ? -EINTR : r;
}

/* The POLL* events that hold now for the file of descriptor fd; or -EBADF if it
 * is not open, or with O_PATH.  If ps is not 0, register with the file's
 * queues. */
static int
pollfile(uint fd, struct polling *ps)
{
	struct file *f = fdget(fd);
	int events = ALWAYS;

	if (f == 0)
		return -EBADF;
	if (f->flags & O_PATH)
		events = -EBADF;
	else if (f->ops->poll) {
		if (ps)
			ps->file = f;
		events = f->ops->poll(f, ps ? &ps->set : 0);
	}
	fileclose(f);
	return events;
}

int
sys_poll(const uint *a)
{
	struct restart *re = &myproc()->restart;
	int ms = a[2];

	re->arg[0] = a[0];
	re->arg[1] = a[1];
	re->deadline = ms < 0 ? NEVER : polldeadline(ms * 1000000ll);
	return pollrestart(re);
}

/* poll(2) with the arguments and the deadline of re.  restart_syscall calls it
 * again after a stop that interrupted it.  The result, or -ERESTARTBLOCK when a
 * signal came. */
static int
pollrestart(struct restart *re)
{
	int r = dopoll(re->arg[0], re->arg[1], re->deadline);

	if (r != -EINTR)
		return r;
	re->fn = pollrestart;
	return -ERESTARTBLOCK;
}

/* poll(2), until the deadline, on the n struct pollfd at the user address ufds:
 * how many are ready, 0 when the time is over, or -errno. */
static int
dopoll(uint ufds, uint n, int64_t deadline)
{
	struct pollfd some[NPOLLFD], *fds = some;
	struct scan s = {.look = lookfds, .n = n};
	int r = -EFAULT;

	if (n > myproc()->tg->rlimit[RLIMIT_NOFILE].cur)
		return -EINVAL;
	if (n > NPOLLFD) {
		fds = n <= 1u << 17 ? kmalloc(n * sizeof(*fds)) : 0;
		if (fds == 0)
			return -ENOMEM;
	}
	s.fds = fds;
	if (copyin(fds, ufds, n * sizeof(*fds)) == 0) {
		r = pollloop(&s, deadline);
		if (pollcopyout(ufds, fds, n) < 0)
			r = -EFAULT;
	}
	if (fds != some)
		kmfree(fds);
	return r;
}

/* Write revents, and no other member, of the n pollfds to the user's array;
 * after a signal, too, when each is 0.  0 or -EFAULT. */
static int
pollcopyout(uint ufds, struct pollfd *fds, uint n)
{
	uint i, at;

	for (i = 0; i < n; i++) {
		at = ufds + i * sizeof(*fds) + offsetof(struct pollfd, revents);
		if (copyout(at, &fds[i].revents, sizeof(fds[i].revents)))
			return -EFAULT;
	}
	return 0;
}

/* Look at all descriptors of poll(2) once and set their revents: how many are
 * ready.  Until one is found ready, the queues of each file are entered into
 * ps, unless that is 0. */
static int
lookfds(struct scan *s, struct polling *ps)
{
	int ready = 0, events;
	struct pollfd *p;

	for (p = s->fds; p < s->fds + s->n; p++) {
		p->revents = 0;
		if (p->fd < 0)
			continue;
		events = pollfile(p->fd, ps);
		if (events == -EBADF)
			p->revents = POLLNVAL;
		else
			p->revents = events & (p->events | POLLERR | POLLHUP);
		if (p->revents) {
			ready++;
			ps = 0; /* nobody is going to sleep */
		}
	}
	return ready;
}

int64_t
polldeadline(int64_t ns)
{
	return ns == 0 ? NOWAIT : deadlinein(ns);
}

int
sys_ppoll(const uint *a)
{
	return doppoll(a, 0);
}

int
sys_ppoll_time64(const uint *a)
{
	return doppoll(a, 1);
}

/* ppoll(2) with the arguments a and a timespec, or with wide set a
 * timespec64. */
static int
doppoll(const uint *a, int wide)
{
	int64_t deadline;
	int err = polltimein(a[2], wide, &deadline);

	if (err == 0)
		err = pollmaskin(a[3], a[4]);
	if (err < 0)
		return err;
	return timeout(a[2], wide, deadline, dopoll(a[0], a[1], deadline));
}

int
polltimein(uint uts, int wide, int64_t *deadline)
{
	int64_t ns;

	*deadline = NEVER;
	if (uts == 0)
		return 0;
	ns = wide ? timespec64in(uts) : timespecin(uts);
	if (ns < 0)
		return (int)ns;
	*deadline = polldeadline(ns);
	return 0;
}

/* The end of a call whose result is r: write the time that is left to uts, the
 * user address of its timespec (timespec64 if wide is set; 0: it has none).
 * Returns r, but -ERESTARTNOHAND for -EINTR: the call runs again, with what is
 * left, if no handler runs.  If the time could not be written, -EINTR stays. */
static int
timeout(uint uts, int wide, int64_t deadline, int r)
{
	int64_t left;
	int bad = 0;

	if (uts && deadline != NOWAIT && deadline != NEVER) {
		left = timeleft(deadline);
		bad = wide ? timespec64out(uts, left) : timespecout(uts, left);
	}
	return r == -EINTR && bad == 0 ? -ERESTARTNOHAND : r;
}

/* How many ns there are until the deadline, 0 when it is over. */
static int64_t
timeleft(int64_t deadline)
{
	int64_t left = deadline - nowns();

	return MAX(left, 0);
}

int
pollmaskin(uint umask, uint size)
{
	uint64_t mask;

	if (umask == 0)
		return 0;
	if (size != sizeof(mask))
		return -EINVAL;
	if (copyin(&mask, umask, sizeof(mask)))
		return -EFAULT;
	sigsuspendmask(mask);
	return 0;
}

/* select(2) as old programs call it: its five arguments are in user memory, and
 * a has their address. */
int
sys_select(const uint *a)
{
	uint arg[5];

	if (copyin(arg, a[0], sizeof(arg)))
		return -EFAULT;
	return select(arg[0], &arg[1], arg[4]);
}

int
sys__newselect(const uint *a)
{
	return select(a[0], &a[1], a[4]);
}

/* select(2) on the bit maps at the user addresses usets, of n files.  utv is
 * the user address of a timeval (0: no limit), to which the time that is left
 * is written.  Returns what doselect() does, but -ERESTARTNOHAND for -EINTR if
 * that could be written; -EFAULT or -EINVAL if the timeval is no good. */
static int
select(uint n, const uint usets[3], uint utv)
{
	int64_t deadline = NEVER;
	struct timeval tv;
	uint nsec;
	int r;

	if (utv) {
		if (copyin(&tv, utv, sizeof(tv)))
			return -EFAULT;
		if (tv.tv_sec < 0 || tv.tv_usec < 0)
			return -EINVAL;
		deadline = polldeadline(tv.tv_sec * (int64_t)NSEC +
			tv.tv_usec * 1000ll);
	}
	r = doselect(n, usets, deadline);
	if (utv && deadline != NOWAIT && deadline != NEVER) {
		tv.tv_sec = splitns(timeleft(deadline), &nsec);
		tv.tv_usec = nsec / 1000;
		if (copyout(utv, &tv, sizeof(tv)))
			return r;
	}
	return r == -EINTR ? -ERESTARTNOHAND : r;
}

int
sys_pselect6(const uint *a)
{
	return dopselect(a, 0);
}

int
sys_pselect6_time64(const uint *a)
{
	return dopselect(a, 1);
}

/* pselect6(2) with the arguments a and a timespec, or with wide set a
 * timespec64. */
static int
dopselect(const uint *a, int wide)
{
	uint sig[2] = {0, 0}; /* address and size of the mask */
	int64_t deadline;
	int err;

	if (a[5] && copyin(sig, a[5], sizeof(sig)))
		return -EFAULT;
	err = polltimein(a[4], wide, &deadline);
	if (err == 0)
		err = pollmaskin(sig[0], sig[1]);
	if (err < 0)
		return err;
	return timeout(a[4], wide, deadline, doselect(a[0], &a[1], deadline));
}

/* select(2), until the deadline, on the bit maps of n files at the user
 * addresses usets (0: none): how many bits are set in them afterwards, or
 * -errno.  Nothing is written to the maps unless pollloop() succeeds. */
static int
doselect(uint n, const uint usets[3], int64_t deadline)
{
	uint some[6 * SELWORDS], *maps = some, words, i;
	struct scan s = {.look = looksets};
	int r = -EFAULT;

	if ((int)n < 0)
		return -EINVAL;
	s.n = MIN(n, (uint)myproc()->files->max);
	words = FDWORDS(s.n);
	if (words > SELWORDS)
		maps = kmalloc(6 * words * sizeof(uint));
	if (maps == 0)
		return -ENOMEM;
	for (i = 0; i < 3; i++) {
		s.in[i] = maps + i * words;
		s.out[i] = maps + (i + 3) * words;
		if (usets[i] == 0)
			memset(s.in[i], 0, words * 4);
		else if (copyin(s.in[i], usets[i], words * 4))
			goto bad;
	}
	r = pollloop(&s, deadline);
	for (i = 0; r >= 0 && i < 3; i++) {
		if (usets[i] && copyout(usets[i], s.out[i], words * 4))
			r = -EFAULT;
	}
bad:
	if (maps != some)
		kmfree(maps);
	return r;
}

/* Look at all descriptors of select(2) once and set the bits of s->out: how
 * many are set, or -EBADF.  Until one is, the queues of each file are entered
 * into ps, unless that is 0. */
static int
looksets(struct scan *s, struct polling *ps)
{
	uint words = FDWORDS(s->n), w, bits, fd;
	int ready = 0, r;

	for (w = 0; w < words; w++) {
		s->out[0][w] = s->out[1][w] = s->out[2][w] = 0;
		bits = s->in[0][w] | s->in[1][w] | s->in[2][w];
		for (fd = w * 32; bits && fd < s->n; fd++, bits >>= 1) {
			if (!(bits & 1))
				continue;
			r = lookfd(s, ready ? 0 : ps, fd);
			if (r < 0)
				return r;
			ready += r;
		}
	}
	s->again = 1;
	return ready;
}

/* Look at the file of descriptor fd, and set its bits in s->out for what is
 * asked and holds: how many, or -EBADF if it is not open at the first look.  At
 * a later look a descriptor that has been closed meanwhile is ready, as in
 * poll(2). */
static int
lookfd(struct scan *s, struct polling *ps, uint fd)
{
	uint w = fd / 32, bit = 1u << fd % 32;
	int events = pollfile(fd, ps), n = 0, i;

	if (events < 0) {
		if (!s->again)
			return events;
		events = POLLNVAL;
	}
	for (i = 0; i < 3; i++) {
		if ((s->in[i][w] & bit) && (events & selevents[i])) {
			s->out[i][w] |= bit;
			n++;
		}
	}
	return n;
}
