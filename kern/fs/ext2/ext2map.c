/*
 * ext2map.c - where the blocks of a file are.
 *
 * An inode has the numbers of 12 blocks, and of a block of numbers (indirect), of
 * a block of numbers of such blocks (double), and one level more (triple).  0 is
 * a hole.
 *
 *  1. All of it belongs to the inode's maplock.
 *  2. Blocks are allocated when reserve() says that they will be written, all of
 *     one write in a row; a few more are put by for the next one, so that two
 *     files that grow do not mix.  These are marked as used, but nobody's.
 *  3. A block that was allocated and not written yet would show what was on the
 *     disk.  Those of the write() under way (xi->writer) are fresh: they read as
 *     the holes that they were.  When it ends their pages are dirty, or else
 *     they are given back (ext2unfresh).  A fault has its page before it asks
 *     for blocks, and makes it dirty then.
 *  4. Blocks smaller than a page come by the page: a dirty page has all of its
 *     blocks up to the end of the file, so what is stored to it later need not
 *     ask again; and when the file grows its last page is asked for.  Beyond the
 *     end there are none: e2fsck would think that the file is longer.
 *  5. Freed blocks leave the inode first, then the bitmap.
 *  6. A tree of blocks that is a loop ends at the first block that is freed
 *     twice.
 */
#include "kern/fs/ext2/ext2.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/blk/blk.h"
#include "kern/panic.h"
#include "kern/proc.h"
#include "kern/lib/string.h"

#define AHEAD   16 /* blocks put by */
#define DIRREAD 16 /* blocks of a directory that are read at once */

struct path { /* the slots on the way to a block */
	int depth;       /* levels of indirect blocks */
	uint slot[4];    /* in the inode, then in each block */
};

struct cut { /* what ext2cut has done */
	struct inode *ip;
	uint freed;      /* blocks, with indirect ones */
	int err;
	int stop;        /* a block was free already */
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
static int find(struct inode *, uint l, uint *d, uint *run);
static int mapwalk(struct inode *, uint l, uint *d, uint *run);
static int findpath(struct ext2 *, uint l, struct path *);
static uint below(struct ext2 *, struct path *, int i);
static uint same(const uint *slot, uint n);
static int fill(struct inode *, uint l, uint n, int mine);
static void filled(struct inode *, uint l, uint first, uint n);
static struct buf *leaf(struct inode *, struct path *, int *err);
static struct buf *onemeta(struct inode *, int *err);
static uint take(struct inode *, uint l, uint *n, int *err);
static uint goalof(struct inode *, uint l);
static void putbacklocked(struct inode *);
static void cutinode(struct cut *, uint from);
static void cuttree(struct cut *, uint block, int level, uint base, uint from);
static void cutslots(struct cut *, uint *slot, uint n, int level, uint base,
	uint from);
static void freeblocks(struct cut *, uint block, uint n);
static void counted(struct inode *, int blocks);

const struct pcacheops ext2pcops = {
	.io = ext2io,
	.reserve = reserve,
	.dirtied = dirtied,
	.charge = chargewrite,
	.failed = superfailed,
};

static void
ext2io(struct pcio *io)
{
	struct ext2 *fs = EXT2((struct inode *)pcachehost(io->pc));

	pageio(io, fs->dev, fs->bsize, io->write ? mapwrite : mapread);
}

static int
mapwrite(struct pcache *pc, uint block, uint *disk, uint *run)
{
	struct inode *ip = pcachehost(pc);
	int err;

	acquiresleep(&EXT2I(ip)->maplock);
	err = find(ip, block, disk, run);
	releasesleep(&EXT2I(ip)->maplock);
	return err;
}

/* The same, but what is fresh is a hole. */
static int
mapread(struct pcache *pc, uint block, uint *disk, uint *run)
{
	struct inode *ip = pcachehost(pc);
	struct ext2inode *xi = EXT2I(ip);
	int err, is;
	uint n;

	acquiresleep(&xi->maplock);
	err = find(ip, block, disk, run);
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

static int
isfresh(struct ext2inode *xi, uint l)
{
	l -= xi->freshbase;
	return l < EXT2_NFRESH && xi->fresh[l / 32] >> l % 32 & 1;
}

static void
setfresh(struct ext2inode *xi, uint l, int fresh)
{
	l -= xi->freshbase;
	if (l >= EXT2_NFRESH)
		return;
	xi->fresh[l / 32] &= ~(1u << l % 32);
	xi->fresh[l / 32] |= (uint)fresh << l % 32;
}

static void
dirtied(struct pcache *pc)
{
	idirty(pcachehost(pc), IDIRTY_PAGES);
}

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
	if (mine) { /* what was fresh before has been written */
		memset(xi->fresh, 0, sizeof(xi->fresh));
		xi->freshbase = first;
	}
	err = reserveblocks(ip, first, last, mine);
	if (err < 0 && mine)
		unfresh(ip, first);
	releasesleep(&xi->maplock);
	return err;
}

/* Allocate what is a hole from first to last.  maplock held. */
static int
reserveblocks(struct inode *ip, uint first, uint last, int mine)
{
	struct ext2inode *xi = EXT2I(ip);
	uint d, run, l, i;
	int err;

	for (l = first; l <= last; l += run) {
		if ((err = find(ip, l, &d, &run)) < 0)
			return err;
		run = MIN(run, last - l + 1);
		if (d == 0 && (err = fill(ip, l, run, mine)) < 0)
			return err;
		if (!mine && xi->writer) /* whose page it is makes it dirty */
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

/* Give back the fresh blocks from that one on: they are holes again. */
static void
unfresh(struct inode *ip, uint from)
{
	struct ext2inode *xi = EXT2I(ip);
	struct cut c = {.ip = ip};
	struct path p;
	struct buf *b;
	uint block;
	int err;

	xi->run = 0;
	for (uint l = from; l < xi->freshbase + EXT2_NFRESH; l++) {
		if (!isfresh(xi, l) || findpath(EXT2(ip), l, &p) < 0)
			continue;
		if (!(b = leaf(ip, &p, &err)) && err < 0)
			return;
		block = clearslot(xi, b, p.slot[p.depth]);
		brelse(b);
		freeblocks(&c, block, 1);
		setfresh(xi, l, 0);
	}
	counted(ip, -(int)c.freed);
	idirty(ip, IDIRTY_FIELDS);
}

/* Clear the slot in the indirect block, or with b 0 in the inode: what it was.
 */
static uint
clearslot(struct ext2inode *xi, struct buf *b, uint i)
{
	uint block;

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

/* Block l of the file is *d on the disk (0: a hole), and so on for *run blocks,
 * at least 1.  0 or -EIO.  maplock held. */
static int
find(struct inode *ip, uint l, uint *d, uint *run)
{
	struct ext2inode *xi = EXT2I(ip);
	int err;

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

/* The same, not knowing the last answer. */
static int
mapwalk(struct inode *ip, uint l, uint *d, uint *run)
{
	struct ext2 *fs = EXT2(ip);
	uint *slot = EXT2I(ip)->block, left = EXT2_NDIR;
	struct path p;
	struct buf *b = 0, *next;
	int i, err = 0;

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
		*run = below(fs, &p, i);
	else
		*run = same(slot + p.slot[i], left - p.slot[i]);
	if (*d && (*d <= fs->firstblock || *d >= fs->nblocks ||
		*run > fs->nblocks - *d))
		err = ext2bad(fs, "bad block number in inode", ip->ino);
	brelse(b);
	return err;
}

/* The slots that lead to block l, or -EIO: too far. */
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

/* The i-th block on the path is not there: how long is the hole? */
static uint
below(struct ext2 *fs, struct path *p, int i)
{
	uint off = 0;

	for (int j = i + 1; j <= p->depth; j++)
		off = off * fs->perblock + p->slot[j];
	return (1u << (p->depth - i) * (fs->bits - 2)) - off;
}

/* How many of n slots go on as the first begins: block after block, or holes. */
static uint
same(const uint *slot, uint n)
{
	uint i, step = slot[0] != 0;

	for (i = 1; i < n && slot[i] == slot[0] + i * step; i++)
		;
	return i;
}

/* Give n blocks from l on, which are a hole, blocks.  0 or -errno, with some
 * done.  maplock held. */
static int
fill(struct inode *ip, uint l, uint n, int mine)
{
	struct ext2 *fs = EXT2(ip);
	struct ext2inode *xi = EXT2I(ip);
	uint got, first, *slot;
	struct path p;
	struct buf *b;
	int err;

	xi->run = 0;
	for (; n > 0; n -= got, l += got) {
		if ((err = findpath(fs, l, &p)) < 0)
			return err;
		if (!(b = leaf(ip, &p, &err)) && err < 0)
			return err;
		got = (b ? fs->perblock : EXT2_NDIR) - p.slot[p.depth];
		got = MIN(got, n);
		if (!(first = take(ip, l, &got, &err))) {
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
		filled(ip, l, first, got);
		for (uint i = 0; mine && i < got; i++)
			setfresh(xi, l + i, 1);
	}
	return 0;
}

/* Blocks from l on are now at first. */
static void
filled(struct inode *ip, uint l, uint first, uint n)
{
	struct ext2inode *xi = EXT2I(ip);

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
	counted(ip, n);
	idirty(ip, IDIRTY_FIELDS);
}

/* The block whose slots are the last of the path, made with those above it if it
 * is not there; 0 with *err 0: the inode has the slots. */
static struct buf *
leaf(struct inode *ip, struct path *p, int *err)
{
	struct ext2 *fs = EXT2(ip);
	uint *slot = EXT2I(ip)->block, block;
	struct buf *b = 0, *next;

	*err = 0;
	for (int i = 0; i < p->depth; i++) {
		if ((block = slot[p->slot[i]]))
			next = bread(fs->bufs, block);
		else
			next = onemeta(ip, err);
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

/* A new indirect block, zero; or 0 and *err. */
static struct buf *
onemeta(struct inode *ip, int *err)
{
	struct ext2 *fs = EXT2(ip);
	struct ext2inode *xi = EXT2I(ip);
	uint n = 1, block;
	struct buf *b;

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
	if (xi->lastd) /* the data goes on behind it */
		xi->lastd = block;
	counted(ip, 1);
	idirty(ip, IDIRTY_FIELDS);
	return b;
}

/* Up to *n new blocks in a row for block l and what follows: the first, or 0 and
 * *err. */
static uint
take(struct inode *ip, uint l, uint *n, int *err)
{
	struct ext2 *fs = EXT2(ip);
	struct ext2inode *xi = EXT2I(ip);
	int goeson = xi->lastd && l == xi->lastl + 1;
	uint first = xi->put, want = *n;

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

/* Where block l would best be: behind the one before it, or in the group of the
 * inode. */
static uint
goalof(struct inode *ip, uint l)
{
	struct ext2 *fs = EXT2(ip);
	struct ext2inode *xi = EXT2I(ip);
	uint d, run;

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

static void
putbacklocked(struct inode *ip)
{
	struct ext2inode *xi = EXT2I(ip);

	if (xi->nput)
		(void)ext2bfree(EXT2(ip), xi->put, xi->nput);
	xi->nput = 0;
}

static void
counted(struct inode *ip, int blocks)
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
	counted(ip, -(int)c.freed);
	if (ext2putlocked(ip, 0) < 0)
		c.err = -EIO;
	releasesleep(&xi->maplock);
	return c.err;
}

/* What begins beyond the end leaves the inode, and is freed then. */
static void
cutinode(struct cut *c, uint from)
{
	struct ext2 *fs = EXT2(c->ip);
	uint *slot = EXT2I(c->ip)->block, old[EXT2_NBLOCK];
	uint base = EXT2_NDIR;

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

/* Free what an indirect block of that level leads to, from on: it covers the
 * blocks of the file from base on. */
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

/* The same of n slots in a row, each of which leads to blocks of that level. */
static void
cutslots(struct cut *c, uint *slot, uint n, int level, uint base, uint from)
{
	uint span = 1u << level * (EXT2(c->ip)->bits - 2), run;

	for (uint i = 0; i < n && !c->stop; i += run) {
		run = 1;
		if (level > 0) {
			cuttree(c, slot[i], level, base + i * span, from);
		} else if (slot[i] && base + i >= from) {
			run = same(slot + i, n - i);
			freeblocks(c, slot[i], run);
		}
	}
}

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
		if ((err = find(ip, l, &d, &run)) < 0 || (d == 0) == hole)
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
	*err = find(ip, block, &d, &run);
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
		*err = find(ip, block, &d, &run);
	if (*err == 0 && !(b = bget(fs->bufs, d)))
		*err = -EIO;
	releasesleep(&EXT2I(ip)->maplock);
	return b;
}
