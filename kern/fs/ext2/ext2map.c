/*
 * ext2map.c - where the blocks of a file are.
 *
 * An inode has the numbers of 12 blocks, as in xv6, and of a block of numbers
 * (indirect); also of a block of numbers of such blocks (double), and of one
 * with one level more (triple).  The number 0 is a hole, which reads as zeroes.
 *
 *  1. maplock of struct ext2inode guards all of it.
 *  2. Blocks are allocated when the page cache calls reserve(), before a page
 *     becomes dirty; those of one write are in a row.  A few more are put by
 *     for the next write (xi->put), so that the blocks of two files that grow
 *     do not alternate.  The bitmap has these as used, but no inode has them.
 *  3. A block that has been allocated and not yet written still has old data on
 *     the disk.  Those that the write() under way (xi->writer) allocated are
 *     "fresh": they read as the holes that they were.  When the write() ends,
 *     their pages are dirty, or the blocks are given back (ext2unfresh).  A
 *     page fault has read its page before it asks for blocks, and makes it
 *     dirty.
 *  4. Where blocks are smaller than a page, they are allocated for whole pages:
 *     a dirty page has all of its blocks up to the end of the file, so a later
 *     store to it needs no more; when the file grows, reserve() is called for
 *     its last page.  There are none beyond the end, or e2fsck would think that
 *     the file is longer.
 *  5. Freed blocks leave the inode first, then the bitmap.
 *  6. A damaged tree that is a loop is followed only to the first block that is
 *     freed twice.
 */
#include "kern/fs/ext2/ext2.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/blk/blk.h"
#include "kern/panic.h"
#include "kern/proc.h"
#include "kern/lib/string.h"

#define AHEAD   16 /* blocks put by for the next write */
#define DIRREAD 16 /* blocks of a directory that are read at a time */

struct path { /* the slots on the way from the inode to a block */
	int depth;       /* levels of indirect blocks */
	uint slot[4];    /* in the inode, then in each block */
};

struct cut { /* what a call that frees blocks has done so far */
	struct inode *ip;
	uint freed;      /* blocks, indirect ones included */
	int err;
	int stop;        /* a block could not be freed: rule 6 */
};

static void ext2io(struct pcio *);
static int mapwrite(struct pcache *, uint block, uint *disk, uint *run);
static int mapread(struct pcache *, uint block, uint *disk, uint *run);
static int reserve(struct pcache *, uint64_t from, uint64_t to);
static void dirtied(struct pcache *);
static int isfresh(struct ext2inode *, uint l);
static void setfresh(struct ext2inode *, uint l, int fresh);
static int reserveblocks(struct inode *, uint first, uint last, int mine);
static void unfresh(struct inode *, uint from);
static uint clearslot(struct ext2inode *, struct buf *, uint i);
static int findblock(struct inode *, uint l, uint *d, uint *run);
static int mapwalk(struct inode *, uint l, uint *d, uint *run);
static int findpath(struct ext2 *, uint l, struct path *);
static uint holelength(struct ext2 *, struct path *, int i);
static uint runlength(const uint *slot, uint n);
static int fillhole(struct inode *, uint l, uint n, int mine);
static void mapped(struct inode *, uint l, uint first, uint n);
static struct buf *leafblock(struct inode *, struct path *, int *err);
static struct buf *newindirect(struct inode *, int *err);
static uint allocrun(struct inode *, uint l, uint *n, int *err);
static uint goalof(struct inode *, uint l);
static void putbacklocked(struct inode *);
static void cutinode(struct cut *, uint from);
static void cuttree(struct cut *, uint block, int level, uint base, uint from);
static void cutslots(struct cut *, uint *slot, uint n, int level, uint base,
	uint from);
static void freeblocks(struct cut *, uint block, uint n);
static void addblocks(struct inode *, int blocks);

const struct pcacheops ext2pcops = {
	.io = ext2io,
	.reserve = reserve,
	.dirtied = dirtied,
	.charge = chargewrite,
	.failed = superfailed,
};

/* See pcacheops: read or write pages of the file. */
static void
ext2io(struct pcio *io)
{
	struct ext2 *fs = EXT2((struct inode *)pcachehost(io->pc));

	pageio(io, fs->dev, fs->bsize, io->write ? mapwrite : mapread);
}

/* For pageio(): where the block is on the disk, to write it.  0 or -EIO. */
static int
mapwrite(struct pcache *pc, uint block, uint *disk, uint *run)
{
	struct inode *ip = pcachehost(pc);
	int err;

	acquiresleep(&EXT2I(ip)->maplock);
	err = findblock(ip, block, disk, run);
	releasesleep(&EXT2I(ip)->maplock);
	return err;
}

/* For pageio(): where the block is on the disk, to read it; a fresh one is a
 * hole (*disk 0).  0 or -EIO. */
static int
mapread(struct pcache *pc, uint block, uint *disk, uint *run)
{
	struct inode *ip = pcachehost(pc);
	struct ext2inode *xi = EXT2I(ip);
	int err, is;
	uint n;

	acquiresleep(&xi->maplock);
	err = findblock(ip, block, disk, run);
	if (err == 0 && xi->writer) {
		is = isfresh(xi, block);
		for (n = 1; n < *run && isfresh(xi, block + n) == is; n++)
			;
		*run = n;
		if (is)
			*disk = 0;
	}
	releasesleep(&xi->maplock);
	return err;
}

/* Is block l of the file fresh? Called with maplock held. */
static int
isfresh(struct ext2inode *xi, uint l)
{
	lockassert(holdingsleep(&xi->maplock));
	l -= xi->freshbase;
	return l < EXT2_NFRESH && xi->fresh[l / 32] >> l % 32 & 1;
}

/* Note whether block l of the file is fresh.  Called with maplock held. */
static void
setfresh(struct ext2inode *xi, uint l, int fresh)
{
	lockassert(holdingsleep(&xi->maplock));
	l -= xi->freshbase;
	if (l >= EXT2_NFRESH)
		return;
	xi->fresh[l / 32] &= ~(1u << l % 32);
	xi->fresh[l / 32] |= (uint)fresh << l % 32;
}

/* See pcacheops: a page of the file has become dirty. */
static void
dirtied(struct pcache *pc)
{
	idirty(pcachehost(pc), IDIRTY_PAGES);
}

/* See pcacheops: allocate blocks for the bytes [from, to) of the file, in
 * whole pages up to the end of the file.  0 or -errno. */
static int
reserve(struct pcache *pc, uint64_t from, uint64_t to)
{
	struct inode *ip = pcachehost(pc);
	struct ext2 *fs = EXT2(ip);
	struct ext2inode *xi = EXT2I(ip);
	int mine = xi->writer == myproc(), err;
	uint64_t size = pcachesize(pc);
	uint first = from / PGSIZE << (PGSHIFT - fs->bits), last;

	if (from >= to)
		return 0;
	if (to > fs->maxsize)
		return -EFBIG;
	if (to < size)
		to = MIN(size, (to + PGSIZE - 1) / PGSIZE * PGSIZE);
	last = (to - 1) >> fs->bits;
	acquiresleep(&xi->maplock);
	if (mine) { /* the pages of what was fresh are dirty now */
		memset(xi->fresh, 0, sizeof(xi->fresh));
		xi->freshbase = first;
	}
	err = reserveblocks(ip, first, last, mine);
	if (err < 0 && mine)
		unfresh(ip, first);
	releasesleep(&xi->maplock);
	return err;
}

/* Allocate blocks for what is a hole from block first to last. mine: for the
 * running process's write().  0 or -errno, with some allocated.  Called with
 * maplock held. */
static int
reserveblocks(struct inode *ip, uint first, uint last, int mine)
{
	struct ext2inode *xi = EXT2I(ip);
	uint d, run, l, i;
	int err;

	lockassert(holdingsleep(&EXT2I(ip)->maplock));
	for (l = first; l <= last; l += run) {
		if ((err = findblock(ip, l, &d, &run)) < 0)
			return err;
		run = MIN(run, last - l + 1);
		if (d == 0 && (err = fillhole(ip, l, run, mine)) < 0)
			return err;
		if (!mine && xi->writer) /* the caller makes the page dirty */
			for (i = 0; i < run; i++)
				setfresh(xi, l + i, 0);
	}
	return 0;
}

void
ext2unfresh(struct inode *ip, uint from)
{
	acquiresleep(&EXT2I(ip)->maplock);
	unfresh(ip, from);
	releasesleep(&EXT2I(ip)->maplock);
}

/* Give back the fresh blocks from that one on: they are holes again.  Called
 * with maplock held. */
static void
unfresh(struct inode *ip, uint from)
{
	struct ext2inode *xi = EXT2I(ip);
	struct cut c = {.ip = ip};
	struct path p;
	struct buf *b;
	uint block;
	int err;

	lockassert(holdingsleep(&EXT2I(ip)->maplock));
	xi->run = 0;
	for (uint l = from; l < xi->freshbase + EXT2_NFRESH; l++) {
		if (!isfresh(xi, l) || findpath(EXT2(ip), l, &p) < 0)
			continue;
		if (!(b = leafblock(ip, &p, &err)) && err < 0)
			return;
		block = clearslot(xi, b, p.slot[p.depth]);
		brelse(b);
		freeblocks(&c, block, 1);
		setfresh(xi, l, 0);
	}
	addblocks(ip, -(int)c.freed);
	idirty(ip, IDIRTY_FIELDS);
}

/* Make slot i of the indirect block b (with b 0: of the inode) a hole.
 * Returns the block that it had.  Called with maplock held. */
static uint
clearslot(struct ext2inode *xi, struct buf *b, uint i)
{
	uint block;

	lockassert(holdingsleep(&xi->maplock));
	if (!b) {
		block = xi->block[i];
		xi->block[i] = 0;
		return block;
	}
	bhold(b);
	block = ((uint *)b->data)[i];
	((uint *)b->data)[i] = 0;
	bdirty(b);
	return block;
}

/* Block l of the file is block *d of the disk (0: a hole), and so on for *run
 * blocks, at least 1.  Looks at the last answer first.  0 or -EIO.  Called
 * with maplock held. */
static int
findblock(struct inode *ip, uint l, uint *d, uint *run)
{
	struct ext2inode *xi = EXT2I(ip);
	int err;

	lockassert(holdingsleep(&EXT2I(ip)->maplock));
	if (l - xi->lblock >= xi->run) {
		xi->run = 0;
		if ((err = mapwalk(ip, l, &xi->dblock, &xi->run)) < 0)
			return err;
		xi->lblock = l;
	}
	*run = xi->run - (l - xi->lblock);
	*d = xi->dblock ? xi->dblock + (l - xi->lblock) : 0;
	return 0;
}

/* findblock() by walking the tree, without the last answer.  Called with
 * maplock held. */
static int
mapwalk(struct inode *ip, uint l, uint *d, uint *run)
{
	struct ext2 *fs = EXT2(ip);
	uint *slot = EXT2I(ip)->block, left = EXT2_NDIR;
	struct path p;
	struct buf *b = 0, *next;
	int i, err = 0;

	lockassert(holdingsleep(&EXT2I(ip)->maplock));
	if (findpath(fs, l, &p) < 0)
		return -EIO;
	for (i = 0; i < p.depth && slot[p.slot[i]]; i++) {
		next = bread(fs->bufs, slot[p.slot[i]]);
		brelse(b);
		if (!(b = next))
			return ext2bad(fs, "bad indirect block of inode",
				ip->ino);
		slot = (uint *)b->data;
		left = fs->perblock;
	}
	*d = slot[p.slot[i]];
	if (i < p.depth)
		*run = holelength(fs, &p, i);
	else
		*run = runlength(slot + p.slot[i], left - p.slot[i]);
	if (*d && (*d <= fs->firstblock || *d >= fs->nblocks ||
		*run > fs->nblocks - *d))
		err = ext2bad(fs, "bad block number in inode", ip->ino);
	brelse(b);
	return err;
}

/* The slots that lead to block l: 0; -EIO: it is beyond what an inode can
 * have. */
static int
findpath(struct ext2 *fs, uint l, struct path *p)
{
	uint shift = fs->bits - 2, mask = fs->perblock - 1, span;

	if (l < EXT2_NDIR) {
		p->depth = 0;
		p->slot[0] = l;
		return 0;
	}
	l -= EXT2_NDIR;
	for (p->depth = 1; p->depth <= 3; p->depth++) {
		span = 1u << p->depth * shift;
		if (l < span)
			break;
		l -= span;
	}
	if (p->depth > 3)
		return -EIO;
	p->slot[0] = EXT2_NDIR + p->depth - 1;
	for (int i = p->depth; i > 0; i--, l >>= shift)
		p->slot[i] = l & mask;
	return 0;
}

/* The i-th block on the path is missing: how many blocks of the file are the
 * hole, from the one the path leads to? */
static uint
holelength(struct ext2 *fs, struct path *p, int i)
{
	uint off = 0;

	for (int j = i + 1; j <= p->depth; j++)
		off = off * fs->perblock + p->slot[j];
	return (1u << (p->depth - i) * (fs->bits - 2)) - off;
}

/* How many of n slots go on as the first begins: with block after block, or
 * with holes. */
static uint
runlength(const uint *slot, uint n)
{
	uint i, step = slot[0] != 0;

	for (i = 1; i < n && slot[i] == slot[0] + i * step; i++)
		;
	return i;
}

/* Allocate n blocks for a hole from l on.  0 or -errno, with some allocated.
 * Called with maplock held. */
static int
fillhole(struct inode *ip, uint l, uint n, int mine)
{
	struct ext2 *fs = EXT2(ip);
	struct ext2inode *xi = EXT2I(ip);
	uint got, first, *slot;
	struct path p;
	struct buf *b;
	int err;

	lockassert(holdingsleep(&EXT2I(ip)->maplock));
	xi->run = 0;
	for (; n > 0; n -= got, l += got) {
		if ((err = findpath(fs, l, &p)) < 0)
			return err;
		if (!(b = leafblock(ip, &p, &err)) && err < 0)
			return err;
		got = (b ? fs->perblock : EXT2_NDIR) - p.slot[p.depth];
		got = MIN(got, n);
		if (!(first = allocrun(ip, l, &got, &err))) {
			brelse(b);
			return err;
		}
		if (b)
			bhold(b);
		slot = (b ? (uint *)b->data : xi->block) + p.slot[p.depth];
		for (uint i = 0; i < got; i++)
			slot[i] = first + i;
		if (b)
			bdirty(b);
		brelse(b);
		mapped(ip, l, first, got);
		for (uint i = 0; mine && i < got; i++)
			setfresh(xi, l + i, 1);
	}
	return 0;
}

/* Blocks from l on are now n blocks from first on: remember that as the last
 * answer, and count them.  Called with maplock held. */
static void
mapped(struct inode *ip, uint l, uint first, uint n)
{
	struct ext2inode *xi = EXT2I(ip);

	lockassert(holdingsleep(&EXT2I(ip)->maplock));
	if (xi->run && xi->lblock + xi->run == l &&
		xi->dblock + xi->run == first) {
		xi->run += n;
	} else {
		xi->lblock = l;
		xi->dblock = first;
		xi->run = n;
	}
	xi->lastl = l + n - 1;
	xi->lastd = first + n - 1;
	xi->mapend = MAX(xi->mapend, l + n);
	addblocks(ip, n);
	idirty(ip, IDIRTY_FIELDS);
}

/* The indirect block with the last slot of the path, referenced; if it or one
 * above it is missing, it is allocated.  0 with *err 0: the inode itself has
 * the slot; 0 with *err: failure.  Called with maplock held. */
static struct buf *
leafblock(struct inode *ip, struct path *p, int *err)
{
	struct ext2 *fs = EXT2(ip);
	uint *slot = EXT2I(ip)->block, block;
	struct buf *b = 0, *next;

	lockassert(holdingsleep(&EXT2I(ip)->maplock));
	*err = 0;
	for (int i = 0; i < p->depth; i++) {
		if ((block = slot[p->slot[i]]))
			next = bread(fs->bufs, block);
		else
			next = newindirect(ip, err);
		if (!next && *err == 0)
			*err = ext2bad(fs, "bad indirect block of inode",
				ip->ino);
		if (next && !block && b) {
			bhold(b);
			slot[p->slot[i]] = next->block;
			bdirty(b);
		} else if (next) {
			slot[p->slot[i]] = next->block;
		}
		brelse(b);
		if (!(b = next))
			return 0;
		slot = (uint *)b->data;
	}
	return b;
}

/* Allocate an indirect block full of zeroes, referenced; or 0 with *err.
 * Called with maplock held. */
static struct buf *
newindirect(struct inode *ip, int *err)
{
	struct ext2 *fs = EXT2(ip);
	struct ext2inode *xi = EXT2I(ip);
	uint n = 1, block;
	struct buf *b;

	lockassert(holdingsleep(&EXT2I(ip)->maplock));
	if (xi->nput) {
		block = xi->put++;
		xi->nput--;
	} else if (!(block = ext2balloc(fs, goalof(ip, xi->lastl + 1), &n,
		err))) {
		return 0;
	}
	if (!(b = bget(fs->bufs, block))) {
		(void)ext2bfree(fs, block, 1);
		*err = -EIO;
		return 0;
	}
	if (xi->lastd) /* the next data block is best behind it */
		xi->lastd = block;
	addblocks(ip, 1);
	idirty(ip, IDIRTY_FIELDS);
	return b;
}

/* Allocate up to *n blocks in a row for block l and those behind it; *n is how
 * many.  Returns the first, or 0 with *err.  Called with maplock held. */
static uint
allocrun(struct inode *ip, uint l, uint *n, int *err)
{
	struct ext2 *fs = EXT2(ip);
	struct ext2inode *xi = EXT2I(ip);
	int goeson = xi->lastd && l == xi->lastl + 1;
	uint first = xi->put, want = *n;

	lockassert(holdingsleep(&EXT2I(ip)->maplock));
	if (xi->nput && goeson) {
		*n = MIN(want, xi->nput);
		xi->put += *n;
		xi->nput -= *n;
		return first;
	}
	putbacklocked(ip);
	if (goeson && S_ISREG(ip->mode) && fs->freeblocks > fs->nblocks / 16)
		*n += AHEAD;
	first = ext2balloc(fs, goalof(ip, l), n, err);
	if (first && *n > want) {
		xi->put = first + want;
		xi->nput = *n - want;
		*n = want;
	}
	return first;
}

/* Where block l would best be: behind the one before it, or in the group of
 * the inode.  Called with maplock held. */
static uint
goalof(struct inode *ip, uint l)
{
	struct ext2 *fs = EXT2(ip);
	struct ext2inode *xi = EXT2I(ip);
	uint d, run;

	lockassert(holdingsleep(&EXT2I(ip)->maplock));
	if (xi->lastd && l > xi->lastl)
		return xi->lastd + (l - xi->lastl);
	if (l > 0 && mapwalk(ip, l - 1, &d, &run) == 0 && d)
		return d + 1;
	return fs->firstblock + xi->group * fs->blockspergroup;
}

void
ext2putback(struct inode *ip)
{
	if (EXT2I(ip)->nput == 0)
		return;
	acquiresleep(&EXT2I(ip)->maplock);
	putbacklocked(ip);
	releasesleep(&EXT2I(ip)->maplock);
}

/* Free the blocks that were put by.  Called with maplock held. */
static void
putbacklocked(struct inode *ip)
{
	struct ext2inode *xi = EXT2I(ip);

	lockassert(holdingsleep(&EXT2I(ip)->maplock));
	if (xi->nput)
		(void)ext2bfree(EXT2(ip), xi->put, xi->nput);
	xi->nput = 0;
}

/* Count blocks, maybe negative, in the st_blocks of the inode. */
static void
addblocks(struct inode *ip, int blocks)
{
	int64_t n = ip->blocks + (int64_t)blocks * (EXT2(ip)->bsize / 512);

	ip->blocks = MAX(n, 0);
}

int
ext2cut(struct inode *ip, uint block)
{
	struct ext2inode *xi = EXT2I(ip);
	struct cut c = {.ip = ip};

	acquiresleep(&xi->maplock);
	putbacklocked(ip);
	xi->run = xi->lastd = 0;
	xi->mapend = MIN(xi->mapend, block);
	cutinode(&c, block);
	addblocks(ip, -(int)c.freed);
	if (ext2putlocked(ip, 0) < 0)
		c.err = -EIO;
	releasesleep(&xi->maplock);
	return c.err;
}

/* Take what is at or beyond block from out of the inode, put the inode, and
 * free the blocks then (rule 5).  Called with maplock held. */
static void
cutinode(struct cut *c, uint from)
{
	struct ext2 *fs = EXT2(c->ip);
	uint *slot = EXT2I(c->ip)->block, old[EXT2_NBLOCK];
	uint base = EXT2_NDIR;

	lockassert(holdingsleep(&EXT2I(c->ip)->maplock));
	memcpy(old, slot, sizeof(old));
	for (uint i = from; i < EXT2_NDIR; i++)
		slot[i] = 0;
	for (int i = 1; i <= 3; base += 1u << i++ * (fs->bits - 2))
		if (base >= from)
			slot[EXT2_NDIR + i - 1] = 0;
	if ((c->err = ext2putlocked(c->ip, 0)) < 0)
		return;
	cutslots(c, old, EXT2_NDIR, 0, 0, from);
	base = EXT2_NDIR;
	for (int i = 1; i <= 3; base += 1u << i++ * (fs->bits - 2))
		cuttree(c, old[EXT2_NDIR + i - 1], i, base, from);
}

/* Free what an indirect block of that level leads to, at or beyond from.  It
 * covers the blocks of the file from base on.  If all of them go, it is freed
 * too. */
static void
cuttree(struct cut *c, uint block, int level, uint base, uint from)
{
	struct ext2 *fs = EXT2(c->ip);
	uint below = 1u << (level - 1) * (fs->bits - 2), keep;
	struct buf *b;

	if (block == 0 || c->stop || base + fs->perblock * below <= from)
		return;
	if (!(b = bread(fs->bufs, block))) {
		c->err = ext2bad(fs, "bad indirect block of inode",
			c->ip->ino);
		return;
	}
	cutslots(c, (uint *)b->data, fs->perblock, level - 1, base, from);
	if (base < from) {
		keep = (from - base + below - 1) / below;
		bhold(b);
		memset((uint *)b->data + keep, 0,
			(fs->perblock - keep) * sizeof(uint));
		bdirty(b);
	}
	brelse(b);
	if (base >= from && !c->stop) {
		bforget(fs->bufs, block);
		freeblocks(c, block, 1);
	}
}

/* Free what n slots lead to, at or beyond from; each leads to a tree of that
 * level (0: to a block).  The first one covers the blocks of the file from
 * base on. */
static void
cutslots(struct cut *c, uint *slot, uint n, int level, uint base, uint from)
{
	uint span = 1u << level * (EXT2(c->ip)->bits - 2), run;

	for (uint i = 0; i < n && !c->stop; i += run) {
		run = 1;
		if (level > 0) {
			cuttree(c, slot[i], level, base + i * span, from);
		} else if (slot[i] && base + i >= from) {
			run = runlength(slot + i, n - i);
			freeblocks(c, slot[i], run);
		}
	}
}

/* Free n blocks from that one on, and count them; the buffers of a directory
 * are forgotten. */
static void
freeblocks(struct cut *c, uint block, uint n)
{
	struct ext2 *fs = EXT2(c->ip);

	for (uint i = 0; i < n && !S_ISREG(c->ip->mode); i++)
		bforget(fs->bufs, block + i);
	if (ext2bfree(fs, block, n) == 0) {
		c->freed += n;
		return;
	}
	c->err = -EIO;
	c->stop = 1;
}

int64_t
ext2seek(struct inode *ip, uint64_t off, int hole)
{
	uint64_t size = pcachesize(ip->pages);
	uint bits = EXT2(ip)->bits, l, d, run;
	int err = 0;

	if (off >= size)
		return -ENXIO;
	acquiresleep(&EXT2I(ip)->maplock);
	for (l = off >> bits; (uint64_t)l << bits < size; l += run)
		if ((err = findblock(ip, l, &d, &run)) < 0 || (d == 0) == hole)
			break;
	releasesleep(&EXT2I(ip)->maplock);
	if (err < 0)
		return err;
	if ((uint64_t)l << bits >= size)
		return hole ? (int64_t)size : -ENXIO;
	return MAX((uint64_t)l << bits, off);
}

struct buf *
ext2block(struct inode *ip, uint block, int *err)
{
	struct ext2 *fs = EXT2(ip);
	struct buf *b = 0;
	uint d, run;

	acquiresleep(&EXT2I(ip)->maplock);
	*err = findblock(ip, block, &d, &run);
	releasesleep(&EXT2I(ip)->maplock);
	if (*err < 0)
		return 0;
	if (d)
		b = breadn(fs->bufs, d, MIN(run, (uint)DIRREAD));
	if (!b)
		*err = ext2bad(fs, "cannot read block of inode", ip->ino);
	return b;
}

struct buf *
ext2extend(struct inode *ip, uint block, int *err)
{
	struct ext2 *fs = EXT2(ip);
	struct buf *b = 0;
	uint d = 0, run;

	acquiresleep(&EXT2I(ip)->maplock);
	*err = reserveblocks(ip, block, block, 0);
	if (*err == 0)
		*err = findblock(ip, block, &d, &run);
	if (*err == 0 && !(b = bget(fs->bufs, d)))
		*err = -EIO;
	releasesleep(&EXT2I(ip)->maplock);
	return b;
}
