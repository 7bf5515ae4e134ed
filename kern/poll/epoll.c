/*
 * epoll.c - wait for many files without naming them each time: epoll(7).
 *
 * An epoll has a watch for each file added to it.  The watch waits on the
 * file's queues; when one of them is woken, the watch goes to the end of the
 * epoll's ready list, and epoll_wait looks at the watches there alone.
 * epoll_wait tells of those whose events hold; a level-triggered watch then
 * goes back to the end of the list, so that all have their turn.
 *
 * An epoll can be watched by other epolls.  Their watches do not wait on its
 * queue, but are in its list of outer watches, and become ready when one of its
 * own watches does.  The reason is that its queue is woken with readylock held:
 * a waiter there could not take readylock once more to make its watch ready.
 *
 * Invariants:
 *   E1  A watch refers to its file and its epoll but does not hold them: the
 *       last close of either frees the watch first.
 *   E2  A watch whose events hold, and have not been told since they came, is
 *       on the ready list, or the holder of the epoll's lock looks at it.
 *   E3  Epolls that watch epolls make no circle, and no chain of more than
 *       MAXCHAIN; of such watches there are MAXNESTED at most, so that passing
 *       one wakeup on is bounded.
 *
 * Locks, in this order: watchlock, to add and free watches; an epoll's lock, to
 * look at its watches (an outer one's before an inner one's), held while
 * events are copied out; readylock, taken under a wait queue's lock.
 */
#include "kern/poll/poll.h"
#include "arch/cpu.h"
#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/abi/event.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/poll.h"
#include "kern/fs/inode.h"
#include "kern/panic.h"
#include "kern/sched.h"
#include "kern/lib/string.h"
#include "kern/sys/syscall.h"
#include "kern/lib/text.h"

#define MAXCHAIN  5    /* epolls, each watching the next */
#define MAXNESTED 1000 /* watches of epolls by epolls, in the system */
#define ALWAYS    (POLLERR | POLLHUP)       /* told without being asked for */
#define EPOLLED   (POLLIN | POLLRDNORM)     /* of an epoll with ready watches */
#define FLAGS     (EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET)
#define EXCLUDES  (POLLIN | POLLOUT | ALWAYS | EPOLLWAKEUP | EPOLLET | \
		EPOLLEXCLUSIVE) /* what may stand beside EPOLLEXCLUSIVE */

struct epoll {
	struct sleeplock lock;
	struct waitq queue;   /* epoll_wait, and polls of it; RANK_EPOLLQ */
	struct list ready;    /* watches to look at [readylock] */
	struct list watches;  /* all of them [watchlock] */
	struct list outer;    /* watches of other epolls, which watch this one
	                       * [watchlock, readylock] */
	uint marked;          /* mark when it was woken last [readylock] */
	uint walked, chain;   /* walks when chain was found, and its length
	                       * in epolls [watchlock] */
};

struct watchwait {
	struct waiter w;
	struct watch *watch;
	uint events;          /* what the queue is woken for */
};

struct watch {
	struct epoll *ep;
	struct file *file;
	uint fd;
	uint events;          /* and flags [ep->lock, and readylock to change
	                       * them] */
	uint64_t data;        /* [ep->lock] */
	struct list link;     /* ep->watches [watchlock] */
	struct watch *next, **prev; /* file->watches [watchlock] */
	struct list readylink; /* ep->ready, or none [readylock] */
	struct list outerlink; /* the watched epoll's outer, or none
	                        * [watchlock, readylock] */
	uint nwait;
	struct watchwait wait[POLLQUEUES];
};

struct adding { /* a watch that is being added */
	struct pollset set;
	struct watch *watch;
};

static struct slabcache *watchcache;
static struct sleeplock watchlock;
static uint nwatches, maxwatches, nnested; /* [watchlock] */
static uint walks; /* number of the latest walk along a chain [watchlock] */
static struct spinlock readylock;
static uint mark;  /* number of the latest makeready() [readylock] */

static int newepoll(uint flags);
static int ctlcheck(struct file *f, struct file *target, uint op, uint events);
static int ctl(struct epoll *, struct file *, const uint *a,
	const struct epollevent *);
static struct watch *findwatch(struct epoll *, struct file *, uint fd);
static struct watch *newwatch(struct epoll *, struct file *, uint fd,
	const struct epollevent *);
static int watchadd(struct epoll *, struct file *, uint fd,
	const struct epollevent *);
static int nest(struct epoll *, struct epoll *inner);
static uint chainbelow(struct epoll *, struct epoll *not);
static uint chainabove(struct epoll *);
static void watchqueue(struct pollset *, struct waitq *, uint events);
static void watchwoken(struct waiter *);
static void look(struct watch *, struct pollset *);
static void makeready(struct watch *);
static void passon(struct watch *);
static int watchmod(struct watch *, const struct epollevent *);
static void watchdel(struct watch *);
static int epollwait(const uint *a, int64_t deadline);
static int scan(struct epoll *, uint uva, uint max);
static struct watch *takeready(struct epoll *);
static int tell(struct watch *, uint uva);
static int epollpoll(struct file *, struct pollset *);
static void epollinfo(struct file *, struct text *);
static void epollrelease(struct file *);

static const struct fileops epollops = {
	.name = "[eventpoll]",
	.poll = epollpoll,
	.info = epollinfo,
	.release = epollrelease,
};

void
epollinit(void)
{
	struct meminfo m;

	initsleeplock(&watchlock, RANK_NONE);
	initlock(&readylock, RANK_EPOLL);
	watchcache = slabcreate("epoll", sizeof(struct watch), 4);
	meminfo(&m);
	maxwatches = m.total / 25 * (PGSIZE / sizeof(struct watch));
}

int
sys_epoll_create(const uint *a)
{
	return (int)a[0] <= 0 ? -EINVAL : newepoll(0);
}

int
sys_epoll_create1(const uint *a)
{
	return a[0] & ~EPOLL_CLOEXEC ? -EINVAL : newepoll(a[0]);
}

/* Make an epoll and a descriptor for it, close-on-exec if flags has O_CLOEXEC:
 * the descriptor or -errno. */
static int
newepoll(uint flags)
{
	struct epoll *ep = kzalloc(sizeof(*ep));
	int fd;

	if (ep == 0)
		return -ENOMEM;
	initsleeplock(&ep->lock, RANK_NONE);
	initwaitq(&ep->queue);
	ep->queue.lock.rank = RANK_EPOLLQ;
	listinit(&ep->ready);
	listinit(&ep->watches);
	listinit(&ep->outer);
	fd = fdanon(&epollops, ep, flags);
	if (fd < 0)
		kmfree(ep);
	return fd;
}

/* epoll_ctl(2): a has the epoll's descriptor, the operation, the descriptor of
 * the file, and the user address of the event. */
int
sys_epoll_ctl(const uint *a)
{
	struct epollevent ev = {0, 0};
	struct file *f, *target;
	struct epoll *ep;
	int err;

	if (a[1] != EPOLL_CTL_DEL && copyin(&ev, a[3], sizeof(ev)))
		return -EFAULT;
	f = fdgetio(a[0]);
	target = fdgetio(a[2]);
	err = ctlcheck(f, target, a[1], ev.events);
	if (err == 0) {
		ep = f->priv;
		acquiresleep(&watchlock);
		acquiresleep(&ep->lock);
		err = ctl(ep, target, a, &ev);
		releasesleep(&ep->lock);
		releasesleep(&watchlock);
	}
	if (f)
		fileclose(f);
	if (target)
		fileclose(target);
	return err;
}

/* May the operation op of epoll_ctl(2), with these events, be tried on the
 * epoll f and the file target?  Either is 0 if its descriptor is not open.  0,
 * -EBADF, -EPERM when target has no poll(), or -EINVAL. */
static int
ctlcheck(struct file *f, struct file *target, uint op, uint events)
{
	if (f == 0 || target == 0)
		return -EBADF;
	if (target->ops->poll == 0)
		return -EPERM;
	if (f == target || f->ops != &epollops)
		return -EINVAL;
	if (op == EPOLL_CTL_DEL || (events & EPOLLEXCLUSIVE) == 0)
		return 0;
	if (op != EPOLL_CTL_ADD || target->ops == &epollops ||
		events & ~EXCLUDES)
		return -EINVAL;
	return 0;
}

/* Do epoll_ctl(2), whose arguments are in a, on ep about f: 0 or -errno.
 * Called with watchlock and ep->lock held. */
static int
ctl(struct epoll *ep, struct file *f, const uint *a,
	const struct epollevent *ev)
{
	struct watch *w = findwatch(ep, f, a[2]);

	lockassert(holdingsleep(&watchlock));
	lockassert(holdingsleep(&ep->lock));
	if (a[1] == EPOLL_CTL_ADD)
		return w ? -EEXIST : watchadd(ep, f, a[2], ev);
	if (a[1] != EPOLL_CTL_MOD && a[1] != EPOLL_CTL_DEL)
		return -EINVAL;
	if (w == 0)
		return -ENOENT;
	if (a[1] == EPOLL_CTL_MOD)
		return watchmod(w, ev);
	watchdel(w);
	return 0;
}

/* Find the watch of ep on f, opened as descriptor fd: the watch, or 0.  The
 * search goes along f's list, since a file has few watches and an epoll many.
 * Called with watchlock held. */
static struct watch *
findwatch(struct epoll *ep, struct file *f, uint fd)
{
	struct watch *w;

	lockassert(holdingsleep(&watchlock));
	for (w = f->watches; w; w = w->next) {
		if (w->ep == ep && w->fd == fd)
			break;
	}
	return w;
}

/* Let ep watch f, which is open as descriptor fd, for the events of *ev.  0,
 * -ELOOP, -ENOSPC or -ENOMEM.  Called with watchlock and ep->lock held. */
static int
watchadd(struct epoll *ep, struct file *f, uint fd,
	const struct epollevent *ev)
{
	struct epoll *inner = f->ops == &epollops ? f->priv : 0;
	struct adding add = {{watchqueue}, 0};
	struct watch *w;
	int err = inner ? nest(ep, inner) : 0;

	lockassert(holdingsleep(&watchlock) && holdingsleep(&ep->lock));
	if (err < 0)
		return err;
	if (nwatches >= maxwatches)
		return -ENOSPC;
	w = newwatch(ep, f, fd, ev);
	if (w == 0)
		return -ENOMEM;
	if (inner) {
		nnested++;
		acquire(&readylock);
		listadd(&inner->outer, &w->outerlink);
		release(&readylock);
	}
	add.watch = w;
	look(w, inner ? 0 : &add.set);
	return 0;
}

/* Make a watch, and enter it into the lists of ep and of f: the watch, or 0
 * when there is no memory.  Called with watchlock and ep->lock held. */
static struct watch *
newwatch(struct epoll *ep, struct file *f, uint fd,
	const struct epollevent *ev)
{
	struct watch *w = slaballoc(watchcache);

	lockassert(holdingsleep(&watchlock) && holdingsleep(&ep->lock));
	if (w == 0)
		return 0;
	memset(w, 0, sizeof(*w));
	w->ep = ep;
	w->file = f;
	w->fd = fd;
	w->events = ev->events | ALWAYS;
	w->data = ev->data;
	listinit(&w->readylink);
	listinit(&w->outerlink);
	listadd(&ep->watches, &w->link);
	w->next = f->watches;
	w->prev = &f->watches;
	if (w->next)
		w->next->prev = &w->next;
	f->watches = w;
	nwatches++;
	return w;
}

/* May ep watch the epoll inner (E3)?  0, -ELOOP when that makes a circle or too
 * long a chain, or -ENOSPC.  Called with watchlock held. */
static int
nest(struct epoll *ep, struct epoll *inner)
{
	uint n;

	lockassert(holdingsleep(&watchlock));
	walks++;
	n = chainbelow(inner, ep);
	walks++;
	if (n + chainabove(ep) > MAXCHAIN)
		return -ELOOP;
	return nnested >= MAXNESTED ? -ENOSPC : 0;
}

/* The length of the longest chain of epolls that begins with ep, each of which
 * watches the next; ep counts as one.  More than MAXCHAIN if a chain comes to
 * `not'.  Called with watchlock held. */
static uint
chainbelow(struct epoll *ep, struct epoll *not)
{
	struct watch *w;
	uint n = 0, m;

	lockassert(holdingsleep(&watchlock));
	if (ep == not)
		return MAXCHAIN + 1;
	if (ep->walked == walks)
		return ep->chain;
	listeach (w, &ep->watches, link) {
		if (w->file->ops != &epollops)
			continue;
		m = chainbelow(w->file->priv, not);
		n = MAX(n, m);
	}
	ep->walked = walks;
	ep->chain = n + 1;
	return n + 1;
}

/* The length of the longest chain of epolls that ends in ep, each of which
 * watches the next; ep counts as one.  Called with watchlock held. */
static uint
chainabove(struct epoll *ep)
{
	struct watch *w;
	uint n = 0, m;

	lockassert(holdingsleep(&watchlock));
	if (ep->walked == walks)
		return ep->chain;
	listeach (w, &ep->outer, outerlink) {
		m = chainabove(w->ep);
		n = MAX(n, m);
	}
	ep->walked = walks;
	ep->chain = n + 1;
	return n + 1;
}

/* pollset.add while a watch is added: let the watch wait on q, a queue of its
 * file, which is woken for these events. */
static void
watchqueue(struct pollset *ps, struct waitq *q, uint events)
{
	struct watch *w = container_of(ps, struct adding, set)->watch;
	struct watchwait *ww = &w->wait[w->nwait++];

	assert(w->nwait <= POLLQUEUES);
	ww->watch = w;
	ww->events = events;
	waiteraddfn(q, &ww->w, watchwoken);
}

/* A queue of a watched file is woken: if an event may have come that its
 * watch asks for, the watch becomes ready.  Called with the lock of that queue
 * held. */
static void
watchwoken(struct waiter *waiter)
{
	struct watchwait *ww = container_of(waiter, struct watchwait, w);

	lockassert(holding(&waiter->q->lock));
	acquire(&readylock);
	if (ww->events & ww->watch->events & ~FLAGS)
		makeready(ww->watch);
	release(&readylock);
}

/* Make the watch ready if its events hold now.  If ps is not 0, the file enters
 * into it the queues that are woken when the answer may change.  Called with
 * the epoll's lock held. */
static void
look(struct watch *w, struct pollset *ps)
{
	int events = w->file->ops->poll(w->file, ps);

	lockassert(holdingsleep(&w->ep->lock));
	if ((events & w->events) == 0)
		return;
	acquire(&readylock);
	makeready(w);
	release(&readylock);
}

/* Make the watch ready, and with it the outer watches of its epoll.  Called
 * with readylock held. */
static void
makeready(struct watch *w)
{
	lockassert(holding(&readylock));
	mark++;
	passon(w);
}

/* Put the watch on its epoll's ready list, wake those who wait for the epoll,
 * and go on with the outer watches of the epoll.  An epoll that has been woken
 * for this value of mark is not woken again.  Called with readylock held. */
static void
passon(struct watch *w)
{
	struct epoll *ep = w->ep;
	struct watch *outer;

	lockassert(holding(&readylock));
	if (listempty(&w->readylink))
		listadd(&ep->ready, &w->readylink);
	if (ep->marked == mark)
		return;
	ep->marked = mark;
	wakeup(&ep->queue);
	listeach (outer, &ep->outer, outerlink) {
		if (outer->events & EPOLLED)
			passon(outer);
	}
}

/* EPOLL_CTL_MOD: watch for the events of *ev from now on.  0, or -EINVAL for a
 * watch with EPOLLEXCLUSIVE.  Called with watchlock and the epoll's lock
 * held. */
static int
watchmod(struct watch *w, const struct epollevent *ev)
{
	lockassert(holdingsleep(&watchlock));
	lockassert(holdingsleep(&w->ep->lock));
	if (w->events & EPOLLEXCLUSIVE)
		return -EINVAL;
	acquire(&readylock);
	w->events = ev->events | ALWAYS;
	release(&readylock);
	w->data = ev->data;
	fence(); /* whoever makes an event after our look sees w->events */
	look(w, 0);
	return 0;
}

/* Free the watch, off all queues and lists.  Called with watchlock held; also
 * with the epoll's lock held, unless the epoll's last reference is gone. */
static void
watchdel(struct watch *w)
{
	uint i;

	lockassert(holdingsleep(&watchlock));
	for (i = 0; i < w->nwait; i++)
		waiterdel(&w->wait[i].w);
	if (w->file->ops == &epollops)
		nnested--;
	acquire(&readylock);
	listdel(&w->readylink);
	listdel(&w->outerlink);
	release(&readylock);
	listdel(&w->link);
	nwatches--;
	if (w->next)
		w->next->prev = w->prev;
	*w->prev = w->next; /* last: its file may be gone then (E1) */
	slabfree(watchcache, w);
}

void
epollforget(struct file *f)
{
	struct epoll *ep;

	acquiresleep(&watchlock);
	while (f->watches) {
		ep = f->watches->ep;
		acquiresleep(&ep->lock);
		watchdel(f->watches);
		releasesleep(&ep->lock);
	}
	releasesleep(&watchlock);
}

/* epoll_wait(2): a has the epoll's descriptor, the user address of an array of
 * events, its length, and the timeout in ms (negative: none). */
int
sys_epoll_wait(const uint *a)
{
	int ms = (int)a[3];

	return epollwait(a, ms < 0 ? NEVER : polldeadline(ms * 1000000ll));
}

/* epoll_pwait(2): epoll_wait(2) with the user address of a signal mask, and its
 * size in bytes, at the end of the arguments. */
int
sys_epoll_pwait(const uint *a)
{
	int err = pollmaskin(a[4], a[5]);

	return err < 0 ? err : sys_epoll_wait(a);
}

/* epoll_pwait2(2): epoll_pwait(2) with a timespec64 for the timeout. */
int
sys_epoll_pwait2(const uint *a)
{
	int64_t deadline;
	int err = polltimein(a[3], 1, &deadline);

	if (err == 0)
		err = pollmaskin(a[4], a[5]);
	return err < 0 ? err : epollwait(a, deadline);
}

/* epoll_wait(2) with the arguments a, until the deadline: how many events came,
 * 0 when the time is over, or -errno. */
static int
epollwait(const uint *a, int64_t deadline)
{
	int n, err = -EINVAL;
	struct epoll *ep;
	struct file *f;

	if (a[2] - 1 >= INT32_MAX / sizeof(struct epollevent))
		return -EINVAL;
	f = fdgetkind(a[0], &epollops, &err);
	if (f == 0)
		return err;
	ep = f->priv;
	err = deadline == NOWAIT ? -ETIMEDOUT : 0;
	while ((n = scan(ep, a[1], a[2])) == 0 && err == 0) {
		acquire(&readylock);
		if (listempty(&ep->ready))
			err = sleepuntil(&ep->queue, &readylock, deadline,
				SLEEP_INT);
		release(&readylock);
	}
	fileclose(f);
	return n == 0 && err == -EINTR ? -EINTR : n;
}

/* Look once at each watch that is on the ready list now, and write the events
 * of max of them at most to the array at the user address uva: how many were
 * written, or -EFAULT if none could be. */
static int
scan(struct epoll *ep, uint uva, uint max)
{
	struct list *last;
	struct watch *w;
	int r = 1;
	uint n = 0;

	acquiresleep(&ep->lock);
	acquire(&readylock);
	last = ep->ready.prev;
	while (r >= 0 && n < max && (w = takeready(ep)) != 0) {
		release(&readylock);
		r = tell(w, uva + n * sizeof(struct epollevent));
		acquire(&readylock);
		n += r > 0;
		if (r > 0 && w->events & EPOLLONESHOT)
			w->events &= FLAGS;
		if (listempty(&w->readylink)) {
			if (r < 0)
				listpush(&ep->ready, &w->readylink);
			else if (r > 0 && (w->events & ~FLAGS) &&
				!(w->events & EPOLLET))
				listadd(&ep->ready, &w->readylink);
		}
		if (&w->readylink == last)
			break;
	}
	if (n > 0 && !listempty(&ep->ready))
		wakeup(&ep->queue); /* there is something for others */
	release(&readylock);
	releasesleep(&ep->lock);
	return r < 0 && n == 0 ? r : (int)n;
}

/* Take the first watch off the ready list of ep: the watch, or 0 when the list
 * is empty.  Called with readylock held. */
static struct watch *
takeready(struct epoll *ep)
{
	struct watch *w;

	lockassert(holding(&readylock));
	if (listempty(&ep->ready))
		return 0;
	w = listitem(ep->ready.next, struct watch, readylink);
	listdel(&w->readylink);
	return w;
}

/* Write to the user address uva which of the watch's events hold: 1, 0 if none
 * does, or -EFAULT.  Called with the epoll's lock held. */
static int
tell(struct watch *w, uint uva)
{
	struct epollevent ev;

	lockassert(holdingsleep(&w->ep->lock));
	ev.events = w->file->ops->poll(w->file, 0) & w->events;
	ev.data = w->data;
	if (ev.events == 0)
		return 0;
	return copyout(uva, &ev, sizeof(ev)) ? -EFAULT : 1;
}

/* fileops.poll: the POLL* events that hold for the epoll f.  An epoll is
 * readable if epoll_wait would tell of something; 0 if it would not. */
static int
epollpoll(struct file *f, struct pollset *ps)
{
	struct epoll *ep = f->priv;
	int events = 0;
	struct watch *w;

	pollwaitfor(ps, &ep->queue, EPOLLED);
	acquiresleep(&ep->lock);
	acquire(&readylock);
	while (events == 0 && (w = takeready(ep)) != 0) {
		release(&readylock);
		if (w->file->ops->poll(w->file, 0) & w->events)
			events = EPOLLED;
		acquire(&readylock);
		if (events && listempty(&w->readylink))
			listpush(&ep->ready, &w->readylink);
	}
	release(&readylock);
	releasesleep(&ep->lock);
	return events;
}

/* fileops.release: free the epoll, which is closed, and its watches. */
static void
epollrelease(struct file *f)
{
	struct epoll *ep = f->priv;
	struct watch *w;

	acquiresleep(&watchlock);
	listeach (w, &ep->watches, link)
		watchdel(w);
	releasesleep(&watchlock);
	kmfree(ep);
}

/* fileops.info: write a line about each watch of the epoll f to t. */
static void
epollinfo(struct file *f, struct text *t)
{
	struct epoll *ep = f->priv;
	struct watch *w;
	struct inode *ip;

	acquiresleep(&watchlock);
	listeach (w, &ep->watches, link) {
		ip = w->file->inode;
		putf(t, "tfd: %8d events: %8x data: %16llx  pos:%lld ino:%llx "
			"sdev:%x\n",
			(int)w->fd, w->events, (unsigned long long)w->data,
			(long long)w->file->off,
			ip ? (unsigned long long)ip->ino : 0,
			ip && ip->super ? ip->super->dev : 0);
	}
	releasesleep(&watchlock);
}
