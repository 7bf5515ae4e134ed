/*
 * ext2alloc.c - which blocks and inodes of ext2 are free: bitmaps, and the
 * counts in the group descriptors.
 *
 * bhold() of a bitmap's buffer is the lock of the bitmap: bits are searched and
 * set while it is busy.  The counts are changed after the bits.  Where a
 * damaged disk's counts contradict its bitmaps, the bitmaps are believed.
 */
#include "kern/fs/ext2/ext2.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/panic.h"
#include "kern/proc.h"
#include "kern/lib/string.h"

static int mayuse(struct ext2 *);
static uint groupblocks(struct ext2 *, uint group);
static uint takeblocks(struct ext2 *, uint group, uint from, uint *n, int *err);
static uint findfree(const uint8_t *map, uint from, uint end);
static uint nextzero(const uint8_t *map, uint from, uint end);
static int clearbits(struct ext2 *, uint mapblock, uint from, uint n);
static void count(struct ext2 *, uint group, int blocks, int inodes, int dirs);
static uint dirgroup(struct inode *dir);
static uint spread(struct ext2 *);
static uint takeinode(struct ext2 *, uint group, int isdir, int *err);

/* Is bit i set? */
static inline int
testbit(const uint8_t *map, uint i)
{
	return map[i / 8] >> i % 8 & 1;
}

/* A group's descriptor, and in *b its buffer, which fs->gd refers to. */
static struct ext2group *
descriptor(struct ext2 *fs, uint group, struct buf **b)
{
	uint per = fs->bsize / sizeof(struct ext2group);

	assert(group < fs->ngroups);
	*b = fs->gd[group / per];
	return (struct ext2group *)(*b)->data + group % per;
}

struct ext2group
ext2group(struct ext2 *fs, uint group)
{
	struct buf *b;

	return *descriptor(fs, group, &b);
}

/* Add to the counts of a group and of the whole file system. */
static void
count(struct ext2 *fs, uint group, int blocks, int inodes, int dirs)
{
	struct buf *b;
	struct ext2group *g = descriptor(fs, group, &b);

	bhold(b);
	g->freeblocks += blocks;
	g->freeinodes += inodes;
	g->dirs += dirs;
	bdirty(b);
	acquire(&fs->lock);
	fs->freeblocks += blocks;
	fs->freeinodes += inodes;
	release(&fs->lock);
}

uint
ext2balloc(struct ext2 *fs, uint goal, uint *n, int *err)
{
	uint want = *n, first, group, from;

	*err = -ENOSPC;
	if (!mayuse(fs))
		return 0;
	if (goal < fs->firstblock || goal >= fs->nblocks)
		goal = fs->firstblock;
	group = (goal - fs->firstblock) / fs->blockspergroup;
	from = (goal - fs->firstblock) % fs->blockspergroup;
	for (uint i = 0; i <= fs->ngroups; i++, from = 0) {
		*n = want;
		if ((first = takeblocks(fs, group, from, n, err)))
			return first;
		if (++group == fs->ngroups)
			group = 0;
	}
	return 0;
}

/* May the running process have one more block? The last ones are reserved. */
static int
mayuse(struct ext2 *fs)
{
	struct proc *p = myproc();

	return fs->freeblocks > fs->reserved || (fs->freeblocks > 0 &&
		(!p || p->fsuid == 0 || p->fsuid == fs->resuid ||
			(fs->resgid && igroup(fs->resgid))));
}

/* How many blocks the group has: the last one may have fewer than others. */
static uint
groupblocks(struct ext2 *fs, uint group)
{
	uint rest = fs->nblocks - fs->firstblock - group * fs->blockspergroup;

	return MIN(rest, fs->blockspergroup);
}

/* Allocate up to *n blocks in a row of a group, at or after its block from; *n
 * is how many.  Returns the first; 0: there is none, or a failure with *err. */
static uint
takeblocks(struct ext2 *fs, uint group, uint from, uint *n, int *err)
{
	uint first = fs->firstblock + group * fs->blockspergroup;
	uint end = groupblocks(fs, group), i, got;
	struct ext2group g = ext2group(fs, group);
	uint8_t *map;
	struct buf *b;

	if (g.freeblocks == 0)
		return 0;
	if (!(b = bread(fs->bufs, g.blockmap))) {
		*err = ext2bad(fs, "cannot read block bitmap", group);
		return 0;
	}
	map = (uint8_t *)b->data;
	bhold(b);
	i = findfree(map, from, end);
	for (got = 0; got < *n && i + got < end && !testbit(map, i + got);
		got++)
		map[(i + got) / 8] |= 1 << (i + got) % 8;
	if (got)
		bdirty(b);
	else
		brelax(b);
	brelse(b);
	if (got && ext2ismeta(fs, first + i, got)) { /* stay marked as used */
		*err = ext2bad(fs, "metadata marked as free", first + i);
		return 0;
	}
	if (got)
		count(fs, group, -(int)got, 0, 0);
	*n = got;
	return got ? first + i : 0;
}

/* Find a place for blocks in [from, end): from itself if it is free, else the
 * beginning of a free run that has a whole byte of the map, else any free
 * block; end: there is none. */
static uint
findfree(const uint8_t *map, uint from, uint end)
{
	if (from < end && !testbit(map, from))
		return from;
	for (uint i = from / 8 + 1; i < end / 8; i++) {
		if (map[i] != 0)
			continue;
		for (i *= 8; i > from && !testbit(map, i - 1); i--)
			;
		return i;
	}
	return nextzero(map, from, end);
}

/* The first clear bit in [from, end), or end. */
static uint
nextzero(const uint8_t *map, uint from, uint end)
{
	while (from < end && testbit(map, from))
		from += from % 8 == 0 && map[from / 8] == 0xff ? 8 : 1;
	return MIN(from, end);
}

int
ext2ismeta(struct ext2 *fs, uint block, uint n)
{
	uint group = (block - fs->firstblock) / fs->blockspergroup;
	uint table = fs->inodespergroup * fs->isize / fs->bsize;
	struct ext2group g = ext2group(fs, group);

	return (g.blockmap - block < n) || (g.inodemap - block < n) ||
		(block < g.inodetable + table && g.inodetable < block + n) ||
		(group == 0 && block <= fs->firstblock + fs->gdblocks);
}

int
ext2bfree(struct ext2 *fs, uint block, uint n)
{
	uint group, from, part;
	int err = 0;

	if (block <= fs->firstblock || block >= fs->nblocks ||
		n > fs->nblocks - block)
		return ext2bad(fs, "freed block does not exist", block);
	for (; n > 0 && !err; n -= part, block += part) {
		group = (block - fs->firstblock) / fs->blockspergroup;
		from = (block - fs->firstblock) % fs->blockspergroup;
		part = MIN(n, fs->blockspergroup - from);
		if (ext2ismeta(fs, block, part))
			return ext2bad(fs, "freed block is metadata", block);
		err = clearbits(fs, ext2group(fs, group).blockmap, from, part);
		if (err > 0)
			count(fs, group, err, 0, 0);
		err = err == (int)part ? 0 : ext2bad(fs,
			"freed block is free", block);
	}
	return err;
}

/* Clear n bits of the bitmap in that block, all of which should be set: how
 * many were, or -EIO. */
static int
clearbits(struct ext2 *fs, uint mapblock, uint from, uint n)
{
	struct buf *b = bread(fs->bufs, mapblock);
	uint8_t *map;
	int cleared = 0;

	if (!b)
		return ext2bad(fs, "cannot read bitmap", mapblock);
	map = (uint8_t *)b->data;
	bhold(b);
	for (uint i = from; i < from + n; i++) {
		cleared += testbit(map, i);
		map[i / 8] &= ~(1 << i % 8);
	}
	bdirty(b);
	brelse(b);
	return cleared;
}

uint
ext2ialloc(struct inode *dir, int isdir, int *err)
{
	struct ext2 *fs = EXT2(dir);
	uint group = isdir ? dirgroup(dir) : EXT2I(dir)->group, g = group, ino;

	*err = -ENOSPC;
	for (uint pass = 0; pass < 2; pass++) {
		do { /* pass 0: only groups that have free blocks too */
			if ((pass || ext2group(fs, g).freeblocks) &&
				(ino = takeinode(fs, g, isdir, err)))
				return ino;
			if (++g == fs->ngroups)
				g = 0;
		} while (g != group);
	}
	return 0;
}

/* The group for a new directory in dir: directories of the root are spread
 * over the groups, others stay with their parents while there is room. */
static uint
dirgroup(struct inode *dir)
{
	struct ext2 *fs = EXT2(dir);
	uint group = EXT2I(dir)->group;
	struct ext2group g = ext2group(fs, group);

	if (dir->ino == EXT2_ROOT)
		return spread(fs);
	if (g.freeinodes > fs->inodespergroup / 8 &&
		g.freeblocks > fs->blockspergroup / 8)
		return group;
	return spread(fs);
}

/* Of the groups with no fewer free inodes and blocks than the average, the one
 * with the fewest directories. */
static uint
spread(struct ext2 *fs)
{
	uint inodes = fs->freeinodes / fs->ngroups, best = fs->oldgroup;
	uint blocks = fs->freeblocks / fs->ngroups, least = ~0u, i;
	struct ext2group g;

	i = fs->oldgroup;
	for (uint n = 0; n < fs->ngroups; n++) {
		if (++i >= fs->ngroups)
			i = 0;
		g = ext2group(fs, i);
		if (g.freeinodes && g.freeinodes >= inodes &&
			g.freeblocks >= blocks && g.dirs < least) {
			least = g.dirs;
			best = i;
		}
	}
	return fs->oldgroup = best;
}

/* Allocate an inode of the group: its number; 0: there is none, or a failure
 * with *err. */
static uint
takeinode(struct ext2 *fs, uint group, int isdir, int *err)
{
	struct ext2group g = ext2group(fs, group);
	uint from = group == 0 ? fs->firstino - 1 : 0, i;
	struct buf *b;

	if (g.freeinodes == 0)
		return 0;
	if (!(b = bread(fs->bufs, g.inodemap))) {
		*err = ext2bad(fs, "cannot read inode bitmap", group);
		return 0;
	}
	bhold(b);
	i = nextzero((uint8_t *)b->data, from, fs->inodespergroup);
	if (i < fs->inodespergroup) {
		b->data[i / 8] |= 1 << i % 8;
		bdirty(b);
		count(fs, group, 0, -1, isdir != 0);
	} else {
		brelax(b);
	}
	brelse(b);
	return i < fs->inodespergroup ? group * fs->inodespergroup + i + 1 : 0;
}

void
ext2ifree(struct ext2 *fs, uint ino, int isdir)
{
	uint group = (ino - 1) / fs->inodespergroup;
	uint i = (ino - 1) % fs->inodespergroup;

	if (clearbits(fs, ext2group(fs, group).inodemap, i, 1) == 1)
		count(fs, group, 0, 1, isdir ? -1 : 0);
	else
		(void)ext2bad(fs, "freed inode is free", ino);
}
