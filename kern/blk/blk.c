/*
 * blk.c - block devices by number and name, and bios.
 *
 * Invariants: the list of devices only grows, at boot; a bio that bioalloc()
 * gave out comes back by biofree().
 */
#include "kern/blk/blk.h"

#include "mm/mm.h"
#include "kern/blk/blkq.h"
#include "kern/blk/disk.h"
#include "kern/panic.h"
#include "kern/lib/string.h"

#define POOL 256 /* bios; at most BIOMAX each are on their way at once */

static struct list devices = {&devices, &devices};
static struct spinlock usedlock = {.rank = RANK_DISK};

static struct {
	struct spinlock lock;
	struct list free; /* [lock] */
	int made;         /* [lock] */
	struct waitq wait;
} pool = {.lock = {.rank = RANK_DISK}};

struct syncio { /* blkio() waits for it */
	struct spinlock lock;
	struct waitq wait;
	int over, err; /* [lock] */
};

static struct bio *trybio(void);
static void syncdone(struct bio *b, int err);
static int syncbio(struct bio *b);

void
blkinit(void)
{
	listinit(&pool.free);
	initwaitq(&pool.wait);
}

/* It appears in the list, behind its disk and that one's partitions. */
void
blkregister(struct blkdev *dev)
{
	struct list *where = &devices;

	if (dev->parent) {
		where = dev->parent->link.next;
		while (where != &devices && listitem(where, struct blkdev,
				link)->parent == dev->parent)
			where = where->next;
	}
	initsleeplock(&dev->lock, RANK_INODE);
	listadd(where, &dev->link);
}

struct blkdev *
blkfind(uint rdev)
{
	struct blkdev *dev;

	listeach(dev, &devices, link) {
		if (dev->rdev == rdev)
			return dev;
	}
	return 0;
}

struct blkdev *
blkfindname(const char *name)
{
	struct blkdev *dev;

	listeach(dev, &devices, link) {
		if (strcmp(dev->name, name) == 0)
			return dev;
	}
	return 0;
}

void
blkeach(int (*fn)(struct blkdev *, void *), void *arg)
{
	struct blkdev *dev;

	listeach(dev, &devices, link) {
		if (fn(dev, arg) < 0)
			return;
	}
}

int
blkget(struct blkdev *dev, int write)
{
	int err = 0;

	if (blkdisk(dev)->gone)
		return -ENXIO;
	if (write && dev->readonly)
		return -EACCES;
	acquire(&usedlock);
	if (dev->owner == 0)
		dev->users++;
	else
		err = -EBUSY;
	release(&usedlock);
	return err;
}

void
blkput(struct blkdev *dev)
{
	acquire(&usedlock);
	assert(dev->users > 0);
	dev->users--;
	release(&usedlock);
}

int
blkclaim(struct blkdev *dev, struct file *f)
{
	struct blkdev *other;
	int err = 0;

	acquire(&usedlock);
	listeach(other, &devices, link) {
		if ((other == dev || other == dev->parent ||
			    other->parent == dev) &&
			(other->owner || other->users))
			err = -EBUSY;
	}
	if (err == 0)
		dev->owner = f;
	release(&usedlock);
	return err;
}

void
blkunclaim(struct blkdev *dev, struct file *f)
{
	acquire(&usedlock);
	if (dev->owner == f)
		dev->owner = 0;
	release(&usedlock);
}

struct bio *
bioalloc(struct blkdev *dev, int op, uint64_t sector)
{
	struct bio *b;

	while ((b = trybio()) == 0) {
		acquire(&pool.lock);
		if (listempty(&pool.free))
			sleep(&pool.wait, &pool.lock);
		release(&pool.lock);
	}
	b->dev = dev;
	b->op = op;
	b->sector = sector;
	b->nvec = b->bytes = 0;
	b->tries = 0;
	b->priv = 0;
	return b;
}

/* One of the pool, which grows while there is memory; or 0. */
static struct bio *
trybio(void)
{
	struct bio *b = 0;
	int grow;

	acquire(&pool.lock);
	if (!listempty(&pool.free)) {
		b = listitem(pool.free.next, struct bio, link);
		listdel(&b->link);
	}
	grow = b == 0 && pool.made < POOL;
	if (grow)
		pool.made++;
	release(&pool.lock);
	if (!grow)
		return b;
	b = kmalloc(sizeof(*b));
	if (b) {
		listinit(&b->link);
		listinit(&b->fifo);
		return b;
	}
	acquire(&pool.lock);
	grow = --pool.made == 0;
	release(&pool.lock);
	if (grow)
		yield(); /* nobody can give one back: memory comes first */
	return 0;
}

void
biofree(struct bio *b)
{
	int first;

	acquire(&pool.lock);
	first = listempty(&pool.free);
	listpush(&pool.free, &b->link);
	release(&pool.lock);
	if (first)
		wakeup(&pool.wait);
}

int
bioadd(struct bio *b, uint pa, uint n)
{
	struct biovec *last = &b->vec[b->nvec - 1];

	assert(pa % 4 == 0 && n % SECTOR == 0);
	if (n > BIOMAX - b->bytes)
		return 0;
	if (b->nvec > 0 && last->pa + last->n == pa) {
		last->n += n;
	} else if (b->nvec < BIOVECS) {
		b->vec[b->nvec].pa = pa;
		b->vec[b->nvec++].n = n;
	} else {
		return 0;
	}
	b->bytes += n;
	return 1;
}

int
blkio(struct blkdev *dev, int op, uint64_t sector, void *kva, uint n)
{
	struct bio *b;
	uint some;
	int err = 0;

	for (; n > 0 && err == 0; n -= some) {
		some = MIN(n, BIOMAX);
		b = bioalloc(dev, op, sector);
		bioadd(b, V2P(kva), some);
		err = syncbio(b);
		sector += some >> SECTORBITS;
		kva = (char *)kva + some;
	}
	return err;
}

int
blkflush(struct blkdev *dev)
{
	return syncbio(bioalloc(dev, BIO_FLUSH, 0));
}

/* Submit it and wait: its result. */
static int
syncbio(struct bio *b)
{
	struct syncio s = {.lock = {.rank = RANK_DISK}};

	initwaitq(&s.wait);
	b->done = syncdone;
	b->priv = &s;
	biosubmit(b);
	acquire(&s.lock);
	while (!s.over)
		sleep(&s.wait, &s.lock);
	release(&s.lock);
	return s.err;
}

static void
syncdone(struct bio *b, int err)
{
	struct syncio *s = b->priv;

	biofree(b);
	acquire(&s->lock);
	s->over = 1;
	s->err = err;
	wakeup(&s->wait); /* locked: afterwards it may be gone */
	release(&s->lock);
}
