/*
 * bio.c - the buffer cache: metadata blocks of mounted disks.
 *
 * xv6's buffer cache is a list of 30 buffers, which are locked from bread() to
 * brelse(), and holds files, too.  Here it grows and shrinks, bread() only
 * takes a reference, and what is in regular files is in the page cache.
 *
 *  1. A block has at most one buffer, found by its number in a hash table.
 *  2. B_BUSY locks the contents against changes.  A process sets it to read the
 *     block from the disk, to write it to the disk or to change it (bhold).  To
 *     look at the data it is not needed: the file system's own locks keep
 *     readers from writers, where that matters.
 *  3. So what goes to the disk is a block as it was between two changes.
 *  4. bsync() makes many buffers busy at once.  All others make one busy, and
 *     wait for nothing meanwhile, so they never wait for each other in a ring.
 *  5. Buffers that are clean and have no references are on the LRU list.  The
 *     oldest are freed when there are too many or memory is short.  But KEEP
 *     buffers of each disk stay for good (B_KEEP): where there is no memory,
 *     these are used for one block after the other.  So any block can be read,
 *     and dirty pages, whose blocks must be found, reach the disk.
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

static struct slabcache *bufcache, *datacache[2]; /* data of 1, 2 KiB */
static struct list allbufs = {&allbufs, &allbufs};
static struct spinlock allbufslock;
static uint maxbytes; /* of one disk's buffers, before the oldest are reused */

static uint bufshrink(uint pages);
static struct buf *getbuf(struct bufs *, uint block, int must);
static struct buf *findbuf(struct bufs *, uint block);
static struct buf *newbuf(struct bufs *, uint block, int must);
static struct buf *allocbuf(struct bufs *);
static char *newdata(struct bufs *);
static void freebuf(struct buf *);
static struct buf *evict(struct bufs *, uint flags);
static void waitfree(struct bufs *);
static void waitbusy(struct buf *);
static int readin(struct buf *);
static void readahead(struct bufs *, uint block, uint n);
static struct bio *addread(struct bufs *, struct bio *, struct buf *);
static void readdone(struct bio *, int err);
static int flushbufs(struct bufs *, int tell);
static struct buf *takedirty(struct bufs *);
static struct buf *sorted(struct buf *);
static struct buf *merge(struct buf *a, struct buf *b);
static void writeall(struct bufs *, struct buf *);
static int claimdirty(struct buf *);
static void submitwrite(struct bufs *, struct bio *);
static void writedone(struct bio *, int err);
static void putbuf(struct buf *);
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
	shrinkregister(bufshrink);
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
		putbuf(b);
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

/* For reclaim: free clean buffers of all disks, worth so many pages.  Returns
 * pages. */
static uint
bufshrink(uint pages)
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

/* Take the buffer that is unused for longest, and has none of the flags, out
 * of the table: it, or 0. */
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

/* Free a buffer that is in no list. */
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
	if (b->flags & B_VALID || readin(b) == 0) {
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

/* Read the block from the disk: 0 or -errno.  The caller has made b busy. */
static int
readin(struct buf *b)
{
	struct bufs *bs = b->of;
	uint64_t sector = (uint64_t)b->block << (bs->bits - 9);
	int err = blkio(bs->dev, BIO_READ, sector, b->data, bs->size);

	lockassert(b->flags & B_BUSY);
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

/* The block's buffer, referenced, maybe not valid; a new one if there is none.
 * 0: the block is beyond the end or, without must, no memory.  With must it
 * may sleep. */
static struct buf *
getbuf(struct bufs *bs, uint block, int must)
{
	struct buf *b, *new;

	if (block >= bs->nblocks)
		return 0;
	acquire(&bs->lock);
	b = findbuf(bs, block);
	release(&bs->lock);
	if (b || !(new = newbuf(bs, block, must)))
		return b;
	acquire(&bs->lock);
	bs->n++;
	if ((b = findbuf(bs, block))) {
		putbuf(new);
	} else {
		listpush(&bs->hash[block % NBUFHASH], &new->hashlink);
		b = new;
	}
	release(&bs->lock);
	return b;
}

/* The buffer in the table, with one more reference, or 0.  Called with
 * bs->lock held. */
static struct buf *
findbuf(struct bufs *bs, uint block)
{
	struct buf *b;

	lockassert(holding(&bs->lock));
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

/* A buffer for the block, referenced, in no list: a new one, or else the one
 * that is unused for longest.  Without either it waits if must is set; else 0.
 */
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

/* A buffer of no block, with a reference, in no list; 0: no memory. */
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

/* Memory for the data of one buffer; 0: none. */
static char *
newdata(struct bufs *bs)
{
	if (bs->size == PGSIZE)
		return kalloc();
	return slaballoc(datacache[bs->size / 2048]);
}

/* There is no memory, and all buffers are in use or dirty: write the dirty
 * ones, and wait until one is free, at most 10 ms, as nobody tells when there
 * is memory. */
static void
waitfree(struct bufs *bs)
{
	(void)flushbufs(bs, 0);
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

/* Wait until b is not busy.  Called with the lock of its bufs held, which is
 * released while it sleeps. */
static void
waitbusy(struct buf *b)
{
	lockassert(holding(&b->of->lock));
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
	putbuf(b);
	release(&b->of->lock);
}

/* Drop a reference.  Called with the lock of its bufs held. */
static void
putbuf(struct buf *b)
{
	lockassert(holding(&b->of->lock));
	assert(b->ref > 0);
	b->ref--;
	settle(b);
}

/* If b is clean and has no references, put it on the LRU list: at its end, or
 * at its beginning if it is not valid, so that it is freed soon.  Called with
 * the lock of its bufs held. */
static void
settle(struct buf *b)
{
	struct bufs *bs = b->of;

	lockassert(holding(&b->of->lock));
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
	if ((b = findbuf(bs, block))) {
		waitbusy(b);
		if (b->flags & B_DIRTY)
			listdel(&b->link);
		b->flags &= ~(B_DIRTY | B_VALID);
		putbuf(b);
	}
	release(&bs->lock);
}

/* Start to read n blocks from block on, but for those that are valid or busy.
 */
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
			putbuf(b);
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

/* Add a busy buffer to the read io, or to a new one if io is 0 or full.
 * Returns the bio that is still to be submitted. */
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

/* A read has ended.  Any context. */
static void
readdone(struct bio *io, int err)
{
	struct buf *b = io->priv, *next;
	struct bufs *bs = b->of;

	acquire(&bs->lock);
	for (; b; b = next) {
		next = b->next;
		b->flags = (b->flags & ~B_BUSY) | (err ? 0 : B_VALID);
		putbuf(b);
	}
	wakeup(&bs->waitq); /* with the lock, or bclose() may free bs */
	release(&bs->lock);
	biofree(io);
}

int
bsync(struct bufs *bs)
{
	return flushbufs(bs, 1);
}

/* Write what is dirty, and wait for it.  With tell, returns the error of a
 * write that failed since the last time, and forgets it; else 0. */
static int
flushbufs(struct bufs *bs, int tell)
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

/* A chain by b->next of all that is dirty, each with a reference. */
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

/* Sort a chain by block number: chains of 1, 2, 4 ... buffers are merged as
 * the bits of a counter carry. */
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

/* Merge two sorted chains. */
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

/* Start to write a sorted chain, neighbours in one bio. */
static void
writeall(struct bufs *bs, struct buf *b)
{
	struct bio *io = 0;
	struct buf *next;
	uint last = 0;

	for (; b; b = next) {
		next = b->next;
		if (!claimdirty(b))
			continue;
		if (io && (b->block != last + 1 ||
			!bioadd(io, V2P(b->data), bs->size))) {
			submitwrite(bs, io);
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
		submitwrite(bs, io);
}

/* Make a buffer of takedirty() busy and clean, to write it: 1.  If bforget()
 * was faster it is clean already: drop the reference, 0. */
static int
claimdirty(struct buf *b)
{
	int dirty;

	acquire(&b->of->lock);
	waitbusy(b);
	dirty = b->flags & B_DIRTY;
	if (dirty) {
		listdel(&b->link);
		b->flags = (b->flags & ~B_DIRTY) | B_BUSY;
	} else {
		putbuf(b);
	}
	release(&b->of->lock);
	return dirty;
}

/* Start one write, and count it in bs->flying. */
static void
submitwrite(struct bufs *bs, struct bio *io)
{
	acquire(&bs->lock);
	bs->flying++;
	release(&bs->lock);
	biosubmit(io);
}

/* A write has ended.  Any context. */
static void
writedone(struct bio *io, int err)
{
	struct buf *b = io->priv, *next;
	struct bufs *bs = b->of;

	acquire(&bs->lock);
	for (; b; b = next) {
		next = b->next;
		b->flags &= ~B_BUSY;
		putbuf(b);
	}
	if (err)
		bs->err = err;
	bs->flying--;
	wakeup(&bs->waitq);
	release(&bs->lock);
	biofree(io);
}
