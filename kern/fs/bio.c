/*
 * bio.c - the buffer cache: metadata blocks of mounted disks.
 *
 *  1. A block has at most one buffer, found by its number in a hash table.
 *  2. B_BUSY is a lock of the contents against changes: who reads the block from
 *     the disk, writes it to the disk or changes it has it.  Who only looks at
 *     the data need not: the file system's own locks keep readers from
 *     writers, where that matters.
 *  3. So what goes to the disk is a block as it was between two changes.
 *  4. bsync() has many at once; everybody else one, and waits for nothing
 *     meanwhile: so they never wait for each other in a ring.
 *  5. Buffers that nobody refers to and that are clean are on the LRU list; the
 *     oldest go when there are too many, or memory is short.  But some stay for
 *     good (B_KEEP): where there is no memory, these go from block to block.  So
 *     a block that can be read is, and dirty pages, whose blocks must be found,
 *     reach the disk.
 */
#include "kern/fs/bio.h"
#include "arch/memlayout.h"
#include "mm/mm.h"
#include "kern/abi/time.h"
#include "kern/blk/blk.h"
#include "kern/panic.h"
#include "kern/sched.h"
#include "kern/lib/string.h"

#define KEEP 16 /* buffers of a disk that stay */

static struct slabcache *bufcache, *datacache[2]; /* of 1 and 2 KiB */
static struct list allbufs = {&allbufs, &allbufs};
static struct spinlock allbufslock;
static uint maxbytes; /* of one disk's buffers, before the oldest are reused */

static uint shrink(uint pages);
static struct buf *getbuf(struct bufs *, uint block, int must);
static struct buf *find(struct bufs *, uint block);
static struct buf *newbuf(struct bufs *, uint block, int must);
static struct buf *allocbuf(struct bufs *);
static char *newdata(struct bufs *);
static void freebuf(struct buf *);
static struct buf *evict(struct bufs *, uint flags);
static void waitfree(struct bufs *);
static void waitbusy(struct buf *);
static int fill(struct buf *);
static void readahead(struct bufs *, uint block, uint n);
static struct bio *addread(struct bufs *, struct bio *, struct buf *);
static void readdone(struct bio *, int err);
static int flush(struct bufs *, int tell);
static struct buf *takedirty(struct bufs *);
static struct buf *sorted(struct buf *);
static struct buf *merge(struct buf *a, struct buf *b);
static void writeall(struct bufs *, struct buf *);
static int take(struct buf *);
static void submit(struct bufs *, struct bio *);
static void writedone(struct bio *, int err);
static void unref(struct buf *);
static void settle(struct buf *);

void
binit(void)
{
	struct meminfo m;

	initlock(&allbufslock, RANK_FILES);
	bufcache = slabcreate("buf", sizeof(struct buf), 4);
	datacache[0] = slabcreate("buf-1024", 1024, 1024);
	datacache[1] = slabcreate("buf-2048", 2048, 2048);
	meminfo(&m);
	maxbytes = MIN(m.total / 8, 16384) * PGSIZE;
	shrinkregister(shrink);
}

struct bufs *
bopen(struct blkdev *dev, uint size, uint nblocks)
{
	struct bufs *bs = kzalloc(sizeof(*bs));
	struct buf *b;

	if (!bs)
		return 0;
	bs->dev = dev;
	bs->size = size;
	bs->bits = size == 1024 ? 10 : size == 2048 ? 11 : 12;
	bs->nblocks = nblocks;
	initlock(&bs->lock, RANK_PCACHE);
	initwaitq(&bs->waitq);
	initsleeplock(&bs->synclock, RANK_NONE);
	listinit(&bs->lru);
	listinit(&bs->dirty);
	for (uint i = 0; i < NBUFHASH; i++)
		listinit(&bs->hash[i]);
	acquire(&allbufslock);
	listadd(&allbufs, &bs->link);
	release(&allbufslock);
	while (bs->n < KEEP) {
		if (!(b = allocbuf(bs))) {
			bclose(bs);
			return 0;
		}
		acquire(&bs->lock);
		b->flags = B_KEEP;
		bs->n++;
		unref(b);
		release(&bs->lock);
	}
	return bs;
}

void
bclose(struct bufs *bs)
{
	struct buf *b;

	acquire(&allbufslock);
	listdel(&bs->link);
	release(&allbufslock);
	acquire(&bs->lock);
	for (uint i = 0; i < NBUFHASH; i++)
		listeach(b, &bs->hash[i], hashlink)
			while (b->flags & B_BUSY) /* a read ahead */
				sleep(&bs->waitq, &bs->lock);
	listeach(b, &bs->dirty, link) {
		listdel(&b->link);
		b->flags &= ~B_DIRTY;
		settle(b);
	}
	release(&bs->lock);
	while ((b = evict(bs, 0)))
		freebuf(b);
	assert(bs->n == 0);
	kmfree(bs);
}

/* Memory is short: give back so many pages, of all disks; how many it was. */
static uint
shrink(uint pages)
{
	struct bufs *bs;
	struct buf *b, *gone = 0;
	uint bytes = 0;

	acquire(&allbufslock);
	listeach(bs, &allbufs, link) {
		while (bytes < pages * PGSIZE && (b = evict(bs, B_KEEP))) {
			b->next = gone;
			gone = b;
			bytes += bs->size;
		}
	}
	release(&allbufslock);
	while ((b = gone)) {
		gone = b->next;
		freebuf(b);
	}
	return bytes / PGSIZE;
}

/* Take the oldest unused buffer out of the table that has none of the flags: it,
 * or 0. */
static struct buf *
evict(struct bufs *bs, uint flags)
{
	struct buf *b, *found = 0;

	acquire(&bs->lock);
	listeach(b, &bs->lru, link) {
		if (b->flags & flags)
			continue;
		listdel(&b->link);
		listdel(&b->hashlink);
		bs->n--;
		found = b;
		break;
	}
	release(&bs->lock);
	return found;
}

static void
freebuf(struct buf *b)
{
	uint size = b->of->size;

	if (size == PGSIZE)
		kfree(b->data);
	else
		slabfree(datacache[size / 2048], b->data);
	slabfree(bufcache, b);
}

struct buf *
bread(struct bufs *bs, uint block)
{
	struct buf *b = getbuf(bs, block, 1);

	if (!b || b->flags & B_VALID)
		return b;
	bhold(b);
	if (b->flags & B_VALID || fill(b) == 0) {
		brelax(b);
		return b;
	}
	brelax(b);
	brelse(b);
	return 0;
}

struct buf *
breadn(struct bufs *bs, uint block, uint n)
{
	struct buf *b = getbuf(bs, block, 1);

	if (!b || b->flags & B_VALID)
		return b;
	brelse(b);
	readahead(bs, block, n);
	return bread(bs, block);
}

/* Read the block.  It is busy by us. */
static int
fill(struct buf *b)
{
	struct bufs *bs = b->of;
	uint64_t sector = (uint64_t)b->block << (bs->bits - 9);
	int err = blkio(bs->dev, BIO_READ, sector, b->data, bs->size);

	if (err == 0) {
		acquire(&bs->lock);
		b->flags |= B_VALID;
		release(&bs->lock);
	}
	return err;
}

struct buf *
bget(struct bufs *bs, uint block)
{
	struct buf *b = getbuf(bs, block, 1);

	if (!b)
		return 0;
	bhold(b);
	memset(b->data, 0, bs->size);
	bdirty(b);
	return b;
}

/* The block's buffer, referenced, maybe not valid; 0: beyond the end, or without
 * must, no memory. */
static struct buf *
getbuf(struct bufs *bs, uint block, int must)
{
	struct buf *b, *new;

	if (block >= bs->nblocks)
		return 0;
	acquire(&bs->lock);
	b = find(bs, block);
	release(&bs->lock);
	if (b || !(new = newbuf(bs, block, must)))
		return b;
	acquire(&bs->lock);
	bs->n++;
	if ((b = find(bs, block))) {
		unref(new);
	} else {
		listpush(&bs->hash[block % NBUFHASH], &new->hashlink);
		b = new;
	}
	release(&bs->lock);
	return b;
}

/* The buffer in the table, with a reference, or 0.  bs is locked. */
static struct buf *
find(struct bufs *bs, uint block)
{
	struct buf *b;

	listeach(b, &bs->hash[block % NBUFHASH], hashlink) {
		if (b->block != block)
			continue;
		b->ref++;
		if (!(b->flags & B_DIRTY))
			listdel(&b->link);
		return b;
	}
	return 0;
}

/* A buffer for the block, in no list: a new one, or else the oldest that nobody
 * needs.  With must it waits for one, else 0. */
static struct buf *
newbuf(struct bufs *bs, uint block, int must)
{
	struct buf *b = 0;

	if (bs->n * bs->size >= maxbytes)
		b = evict(bs, 0);
	while (!b && !(b = allocbuf(bs)) && !(b = evict(bs, 0)) && must)
		waitfree(bs);
	if (b) {
		b->block = block;
		b->flags &= B_KEEP;
		b->ref = 1;
	}
	return b;
}

/* A buffer of no block, with a reference, in no list; or 0. */
static struct buf *
allocbuf(struct bufs *bs)
{
	struct buf *b = slaballoc(bufcache);

	if (!b)
		return 0;
	memset(b, 0, sizeof(*b));
	if (!(b->data = newdata(bs))) {
		slabfree(bufcache, b);
		return 0;
	}
	b->ref = 1;
	b->of = bs;
	listinit(&b->hashlink);
	listinit(&b->link);
	return b;
}

static char *
newdata(struct bufs *bs)
{
	if (bs->size == PGSIZE)
		return kalloc();
	return slaballoc(datacache[bs->size / 2048]);
}

/* All buffers are in use, and there is no memory: some may be free now.  Those
 * that are dirty are written.  Nobody says when there is memory. */
static void
waitfree(struct bufs *bs)
{
	(void)flush(bs, 0);
	acquire(&bs->lock);
	bs->nwait++;
	if (listempty(&bs->lru))
		(void)sleepuntil(&bs->waitq, &bs->lock, nowns() + NSEC / 100,
			0);
	bs->nwait--;
	release(&bs->lock);
}

void
bhold(struct buf *b)
{
	acquire(&b->of->lock);
	waitbusy(b);
	b->flags |= B_BUSY;
	release(&b->of->lock);
}

/* Wait until nobody has it.  bufs locked. */
static void
waitbusy(struct buf *b)
{
	while (b->flags & B_BUSY)
		sleep(&b->of->waitq, &b->of->lock);
}

void
bdirty(struct buf *b)
{
	struct bufs *bs = b->of;

	acquire(&bs->lock);
	assert(b->flags & B_BUSY);
	if (!(b->flags & B_DIRTY))
		listadd(&bs->dirty, &b->link);
	b->flags = (b->flags | B_DIRTY | B_VALID) & ~B_BUSY;
	release(&bs->lock);
	wakeup(&bs->waitq);
}

void
brelax(struct buf *b)
{
	acquire(&b->of->lock);
	b->flags &= ~B_BUSY;
	release(&b->of->lock);
	wakeup(&b->of->waitq);
}

void
brelse(struct buf *b)
{
	if (!b)
		return;
	acquire(&b->of->lock);
	unref(b);
	release(&b->of->lock);
}

/* Drop a reference.  bufs locked. */
static void
unref(struct buf *b)
{
	assert(b->ref > 0);
	b->ref--;
	settle(b);
}

/* If nobody needs it, it waits among the others to be found or freed; the sooner
 * freed if there is nothing in it.  bufs locked. */
static void
settle(struct buf *b)
{
	struct bufs *bs = b->of;

	if (b->ref || b->flags & (B_DIRTY | B_BUSY))
		return;
	if (b->flags & B_VALID)
		listadd(&bs->lru, &b->link);
	else
		listpush(&bs->lru, &b->link);
	if (bs->nwait)
		wakeup(&bs->waitq);
}

void
bforget(struct bufs *bs, uint block)
{
	struct buf *b;

	acquire(&bs->lock);
	if ((b = find(bs, block))) {
		waitbusy(b);
		if (b->flags & B_DIRTY)
			listdel(&b->link);
		b->flags &= ~(B_DIRTY | B_VALID);
		unref(b);
	}
	release(&bs->lock);
}

/* Start to read n blocks from block on, those that are not there. */
static void
readahead(struct bufs *bs, uint block, uint n)
{
	struct bio *io = 0;
	struct buf *b;
	int there;

	for (; n-- > 0 && (b = getbuf(bs, block, 0)); block++) {
		acquire(&bs->lock);
		there = b->flags & (B_VALID | B_BUSY);
		if (there)
			unref(b);
		else
			b->flags |= B_BUSY;
		release(&bs->lock);
		if (there && io)
			biosubmit(io);
		io = there ? 0 : addread(bs, io, b);
	}
	if (io)
		biosubmit(io);
}

/* Add a busy buffer to the read io, or begin one. */
static struct bio *
addread(struct bufs *bs, struct bio *io, struct buf *b)
{
	if (io && !bioadd(io, V2P(b->data), bs->size)) {
		biosubmit(io);
		io = 0;
	} else if (io) {
		b->next = io->priv;
		io->priv = b;
		return io;
	}
	io = bioalloc(bs->dev, BIO_READ, (uint64_t)b->block << (bs->bits - 9));
	io->done = readdone;
	io->priv = b;
	b->next = 0;
	bioadd(io, V2P(b->data), bs->size);
	return io;
}

/* Any context. */
static void
readdone(struct bio *io, int err)
{
	struct buf *b = io->priv, *next;
	struct bufs *bs = b->of;

	acquire(&bs->lock);
	for (; b; b = next) {
		next = b->next;
		b->flags = (b->flags & ~B_BUSY) | (err ? 0 : B_VALID);
		unref(b);
	}
	wakeup(&bs->waitq); /* locked: or bclose may free it */
	release(&bs->lock);
	biofree(io);
}

int
bsync(struct bufs *bs)
{
	return flush(bs, 1);
}

/* Write what is dirty, and wait for it.  An error is told to the next who wants
 * to know. */
static int
flush(struct bufs *bs, int tell)
{
	int err = 0;

	acquiresleep(&bs->synclock);
	writeall(bs, sorted(takedirty(bs)));
	acquire(&bs->lock);
	while (bs->flying > 0)
		sleep(&bs->waitq, &bs->lock);
	if (tell) {
		err = bs->err;
		bs->err = 0;
	}
	release(&bs->lock);
	releasesleep(&bs->synclock);
	return err;
}

/* A chain of all that is dirty, each with a reference. */
static struct buf *
takedirty(struct bufs *bs)
{
	struct buf *b, *chain = 0;

	acquire(&bs->lock);
	listeach(b, &bs->dirty, link) {
		b->ref++;
		b->next = chain;
		chain = b;
	}
	release(&bs->lock);
	return chain;
}

/* Sort a chain by block number: chains of 1, 2, 4 ... are merged as the bits of
 * a counter carry. */
static struct buf *
sorted(struct buf *b)
{
	struct buf *bin[32] = {0}, *next;
	uint i;

	for (; b; b = next) {
		next = b->next;
		b->next = 0;
		for (i = 0; bin[i]; i++) {
			b = merge(bin[i], b);
			bin[i] = 0;
		}
		bin[i] = b;
	}
	for (i = 0; i < NELEM(bin); i++)
		b = merge(bin[i], b);
	return b;
}

static struct buf *
merge(struct buf *a, struct buf *b)
{
	struct buf *first, **end = &first;

	while (a && b) {
		if (a->block < b->block) {
			*end = a;
			a = a->next;
		} else {
			*end = b;
			b = b->next;
		}
		end = &(*end)->next;
	}
	*end = a ? a : b;
	return first;
}

/* Start to write a sorted chain, neighbours together. */
static void
writeall(struct bufs *bs, struct buf *b)
{
	struct bio *io = 0;
	struct buf *next;
	uint last = 0;

	for (; b; b = next) {
		next = b->next;
		if (!take(b))
			continue;
		if (io && (b->block != last + 1 ||
			!bioadd(io, V2P(b->data), bs->size))) {
			submit(bs, io);
			io = 0;
		}
		if (!io) {
			io = bioalloc(bs->dev, BIO_WRITE,
				(uint64_t)b->block << (bs->bits - 9));
			io->done = writedone;
			io->priv = 0;
			bioadd(io, V2P(b->data), bs->size);
		}
		b->next = io->priv;
		io->priv = b;
		last = b->block;
	}
	if (io)
		submit(bs, io);
}

/* The buffer is ours to write: 1.  Or it has been forgotten: 0, and the
 * reference is gone. */
static int
take(struct buf *b)
{
	int dirty;

	acquire(&b->of->lock);
	waitbusy(b);
	dirty = b->flags & B_DIRTY;
	if (dirty) {
		listdel(&b->link);
		b->flags = (b->flags & ~B_DIRTY) | B_BUSY;
	} else {
		unref(b);
	}
	release(&b->of->lock);
	return dirty;
}

static void
submit(struct bufs *bs, struct bio *io)
{
	acquire(&bs->lock);
	bs->flying++;
	release(&bs->lock);
	biosubmit(io);
}

/* Any context. */
static void
writedone(struct bio *io, int err)
{
	struct buf *b = io->priv, *next;
	struct bufs *bs = b->of;

	acquire(&bs->lock);
	for (; b; b = next) {
		next = b->next;
		b->flags &= ~B_BUSY;
		unref(b);
	}
	if (err)
		bs->err = err;
	bs->flying--;
	wakeup(&bs->waitq);
	release(&bs->lock);
	biofree(io);
}
