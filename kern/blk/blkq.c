/*
 * blkq.c - queues of requests for disks.
 *
 * A bio waits in its queue, sorted by sector, until the driver can start one
 * more request; that is made of the bio that comes next on the disk and of
 * those that continue it.  The disk's arm moves one way, then starts over; a
 * bio that has waited too long goes first.  When a request fails, each of its
 * bios is tried alone.  Time-outs, and errors for which the hardware wants a
 * reset, are seen to by a thread of the queue.
 *
 *  1. A bio is in sorted and fifo, or in urgent, or in one request that runs,
 *  or
 *     in over.
 *  2. Between blkfail() and the end of the reset no request is started.
 */
#include "kern/blk/blkq.h"

#include "arch/multiboot.h"
#include "mm/mm.h"
#include "kern/panic.h"
#include "kern/lib/printf.h"
#include "kern/proc.h"
#include "kern/lib/string.h"

#define MS      1000000ll
#define LATE    (500 * MS)   /* a bio that waited so long goes first */
#define TIMEOUT 10           /* seconds for a request, a third of a flush's */
#define MAXSAY  10           /* lines about errors in a second */

static int64_t patience(void);
static void stamp(struct blkdev *dev, int64_t now, int more);
static void insert(struct blkq *q, struct bio *b);
static int before(struct bio *b, struct blkdev *disk, uint64_t sector);
static void start(struct blkq *q);
static struct bio *choose(struct blkq *q);
static struct blkreq *makereq(struct blkq *q, struct bio *b);
static void takeout(struct blkq *q, struct bio *b);
static int continues(struct blkq *q, struct blkreq *r, struct list *at);
static void over(struct blkq *q, struct bio *b, int err, int alone);
static void settle(struct blkdev *dev, struct bio *b, int64_t now);
static void complain(struct bio *b);
static void timeout(void *arg);
static void thread(void *arg);
static void recover(struct blkq *q);

int
blkqinit(struct blkq *q)
{
	uint i;

	q->reqs = kzalloc(q->depth * sizeof(*q->reqs));
	if (q->reqs == 0)
		return -ENOMEM;
	listinit(&q->free);
	listinit(&q->flight);
	listinit(&q->sorted);
	listinit(&q->fifo);
	listinit(&q->urgent);
	listinit(&q->over);
	q->next = &q->sorted;
	q->patience = patience();
	initwaitq(&q->wait);
	for (i = 0; i < q->depth; i++) {
		q->reqs[i].tag = i;
		listinit(&q->reqs[i].bios);
		listadd(&q->free, &q->reqs[i].link);
	}
	if (kthread(q->name, thread, q))
		return 0;
	kmfree(q->reqs);
	return -ENOMEM;
}

/* How long a request may take, ns: disktimeout=SECONDS, 0: for ever. */
static int64_t
patience(void)
{
	char buf[16];
	uint s = TIMEOUT;

	if (bootarg("disktimeout", buf, sizeof(buf)) > 0)
		s = strtoul(buf, 0, 10);
	return (int64_t)s * 1000 * MS;
}

void
biosubmit(struct bio *b)
{
	struct blkdev *disk = blkdisk(b->dev);
	struct blkq *q = disk->q;
	uint64_t n = b->bytes >> SECTORBITS;
	int err = 0;

	if (b->op == BIO_READ && myproc())
		myproc()->io.diskread += b->bytes;
	if (b->sector > b->dev->sectors || n > b->dev->sectors - b->sector ||
		disk->gone || (b->op == BIO_WRITE && b->dev->readonly))
		err = -EIO;
	else if (q == 0)
		err = disk->rw(disk, b);
	if (err < 0)
		complain(b);
	if (err < 0 || q == 0) {
		b->done(b, err);
		return;
	}
	b->since = nowns();
	acquire(&q->lock);
	stamp(b->dev, b->since, 1);
	if (b->dev != disk)
		stamp(disk, b->since, 1);
	insert(q, b);
	blkrelease(q);
}

/* There is one more bio, or one less, on its way.  The queue is locked. */
static void
stamp(struct blkdev *dev, int64_t now, int more)
{
	struct blkstats *st = &dev->stats;
	uint64_t ns = (uint64_t)(now - st->since);

	if (st->inflight > 0)
		st->busy += ns;
	st->queued += ns * st->inflight;
	st->inflight += (uint)more;
	st->since = now;
}

void
blkstats(struct blkdev *dev, struct blkstats *st)
{
	struct blkq *q = blkdisk(dev)->q;

	if (q == 0) {
		*st = dev->stats;
		return;
	}
	acquire(&q->lock);
	stamp(dev, nowns(), 0);
	*st = dev->stats;
	release(&q->lock);
}

/* Where the bio begins on its disk. */
static inline uint64_t
place(const struct bio *b)
{
	return b->sector + b->dev->start;
}

/* Let it wait: flushes first, as what was written before them is over. */
static void
insert(struct blkq *q, struct bio *b)
{
	struct list *at;

	if (b->op == BIO_FLUSH || b->tries > 0) {
		listadd(&q->urgent, &b->link);
		return;
	}
	for (at = q->sorted.prev; at != &q->sorted; at = at->prev) {
		if (!before(b, blkdisk(listitem(at, struct bio, link)->dev),
			    place(listitem(at, struct bio, link))))
			break;
	}
	listpush(at, &b->link);
	listadd(&q->fifo, &b->fifo);
	if (b->link.next == q->next && !before(b, q->disk, q->end))
		q->next = &b->link;
}

/* Does the bio come before that sector of that disk? */
static int
before(struct bio *b, struct blkdev *disk, uint64_t sector)
{
	if (blkdisk(b->dev) != disk)
		return blkdisk(b->dev) < disk;
	return place(b) < sector;
}

void
blkrelease(struct blkq *q)
{
	struct list list;
	struct bio *b;

	start(q);
	listinit(&list);
	if (!listempty(&q->over)) {
		listadd(&q->over, &list);
		listdel(&q->over);
	}
	release(&q->lock);
	while (!listempty(&list)) {
		b = listitem(list.next, struct bio, link);
		listdel(&b->link);
		if (b->err < 0)
			complain(b);
		b->done(b, b->err);
	}
}

/* Start as many requests as may run. */
static void
start(struct blkq *q)
{
	struct blkreq *r;
	struct bio *b;
	int any = 0;

	while (!q->resetting && q->running < q->depth && (b = choose(q))) {
		if (blkdisk(b->dev)->gone) {
			takeout(q, b);
			over(q, b, -EIO, 1);
			continue;
		}
		r = makereq(q, b);
		r->since = nowns();
		q->ops->start(q, r);
		any = 1;
	}
	if (any && q->ops->kick)
		q->ops->kick(q);
	if (any && !q->timing && q->patience) {
		q->timing = 1;
		timerset(&q->timer, nowns() + 1000 * MS, timeout, q);
	}
}

/* The bio to begin with, or 0. */
static struct bio *
choose(struct blkq *q)
{
	struct bio *b;

	if (!listempty(&q->urgent))
		return listitem(q->urgent.next, struct bio, link);
	if (listempty(&q->fifo))
		return 0;
	b = listitem(q->fifo.next, struct bio, fifo);
	if (nowns() - b->since > LATE)
		return b;
	if (q->next == &q->sorted)
		q->next = q->sorted.next;
	return listitem(q->next, struct bio, link);
}

/* Make a request of the waiting bio and those that continue it. */
static struct blkreq *
makereq(struct blkq *q, struct bio *b)
{
	struct blkreq *r = listitem(q->free.next, struct blkreq, link);
	struct list *at;

	listdel(&r->link);
	listadd(&q->flight, &r->link);
	q->running++;
	listinit(&r->bios);
	r->disk = blkdisk(b->dev);
	r->op = b->op;
	r->sector = place(b);
	r->sectors = r->nvec = r->nbio = 0;
	r->failed = 0;
	do {
		at = b->link.next;
		takeout(q, b);
		listadd(&r->bios, &b->link);
		r->sectors += b->bytes >> SECTORBITS;
		r->nvec += b->nvec;
		if (r->nbio++ > 0)
			b->dev->stats.merges[b->op]++;
		b = listitem(at, struct bio, link);
	} while (continues(q, r, at));
	if (r->op != BIO_FLUSH) {
		q->disk = r->disk;
		q->end = r->sector + r->sectors;
	}
	return r;
}

/* It waits no more. */
static void
takeout(struct blkq *q, struct bio *b)
{
	if (q->next == &b->link)
		q->next = b->link.next;
	listdel(&b->link);
	listdel(&b->fifo);
}

/* Can the waiting bio at that place be part of r too? */
static int
continues(struct blkq *q, struct blkreq *r, struct list *at)
{
	struct bio *b = listitem(at, struct bio, link);

	if (at == &q->sorted || at == &q->urgent)
		return 0;
	return b->tries == 0 && b->op == r->op && r->op != BIO_FLUSH &&
		blkdisk(b->dev) == r->disk &&
		place(b) == r->sector + r->sectors &&
		r->nvec + b->nvec <= q->maxvec &&
		r->sectors + (b->bytes >> SECTORBITS) <= q->maxsectors;
}

struct blkreq *
blkrunning(struct blkq *q, uint tag)
{
	struct blkreq *r = &q->reqs[tag];

	return tag < q->depth && !listempty(&r->bios) ? r : 0;
}

void
blkdone(struct blkq *q, struct blkreq *r, int err)
{
	struct bio *b;

	listeach(b, &r->bios, link) {
		listdel(&b->link);
		over(q, b, err, r->nbio == 1);
	}
	listdel(&r->link);
	listadd(&q->free, &r->link);
	q->running--;
}

/* The bio is over, or is to be tried again, alone.  -EAGAIN: another request
 * was the cause. */
static void
over(struct blkq *q, struct bio *b, int err, int alone)
{
	int tries = err == -ETIMEDOUT ? 2 : q->tries;
	struct blkdev *disk = blkdisk(b->dev);
	int64_t now;

	b->tries += err != -EAGAIN;
	if (err < 0 && !disk->gone &&
		(err == -EAGAIN || b->tries < tries || !alone)) {
		listadd(&q->urgent, &b->link);
		return;
	}
	now = nowns();
	b->err = err < 0 ? -EIO : 0;
	listadd(&q->over, &b->link);
	settle(b->dev, b, now);
	if (b->dev != disk)
		settle(disk, b, now);
}

/* Count it. */
static void
settle(struct blkdev *dev, struct bio *b, int64_t now)
{
	stamp(dev, now, -1);
	dev->stats.ios[b->op]++;
	dev->stats.sectors[b->op] += b->bytes >> SECTORBITS;
	dev->stats.ns[b->op] += (uint64_t)(now - b->since);
}

/* Tell where an error was; not every time when there are many. */
static void
complain(struct bio *b)
{
	static const char *const what[] = {"read", "write", "flush"};

	if (!blkquiet(0))
		printf("%s: I/O error: %s of %u sectors at %llu%s\n",
			b->dev->name, what[b->op], b->bytes >> SECTORBITS,
			b->sector, blkdisk(b->dev)->gone ?
			": the disk does not answer" : "");
}

int
blkquiet(int detail)
{
	static volatile int64_t second;
	static volatile uint said[2];
	int64_t now = nowns();

	if (now - second > 1000 * MS) {
		second = now;
		said[0] = said[1] = 0;
	}
	return xadd(&said[detail], 1) >= (detail ? MAXSAY / 3 : MAXSAY);
}

void
blkfail(struct blkq *q, struct blkreq *r, int err)
{
	if (r)
		r->failed = err;
	q->resetting = 1;
	wakeup(&q->wait);
}

/* Once a second while requests run: has one taken too long? */
static void
timeout(void *arg)
{
	struct blkq *q = arg;
	struct blkreq *r;
	int64_t now = nowns();

	acquire(&q->lock);
	listeach(r, &q->flight, link) {
		if (now - r->since > q->patience * (r->op == BIO_FLUSH ? 3 : 1) &&
			!q->resetting) {
			printf("%s: no answer for a request at sector %llu\n",
				r->disk->name, r->sector);
			blkfail(q, r, -ETIMEDOUT);
		}
	}
	q->timing = !listempty(&q->flight) || q->resetting;
	if (q->timing)
		timerset(&q->timer, now + 1000 * MS, timeout, q);
	release(&q->lock);
}

/* The queue's thread: resets. */
static void
thread(void *arg)
{
	struct blkq *q = arg;

	for (;;) {
		acquire(&q->lock);
		while (!q->resetting)
			sleep(&q->wait, &q->lock);
		release(&q->lock);
		recover(q);
	}
}

/* Reset, and try again what was running. */
static void
recover(struct blkq *q)
{
	struct blkreq *r;

	q->ops->reset(q);
	acquire(&q->lock);
	listeach(r, &q->flight, link)
		blkdone(q, r, r->failed ? r->failed : -EAGAIN);
	q->resetting = 0;
	blkrelease(q);
}

void
blkpause(uint ms)
{
	struct waitq q;

	initwaitq(&q);
	sleepuntil(&q, 0, nowns() + (int64_t)ms * MS, 0);
}
