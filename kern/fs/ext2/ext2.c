/*
 * ext2.c - the second extended file system: mounting, and the superblock.
 *
 * Revisions 0 and 1; blocks of 1, 2 and 4 KiB; inodes of 128 bytes and more.
 * There is no journal: fsync and sync write every dirty buffer.  While a disk
 * is mounted read-write its valid bit (EXT2_VALID) is clear, so that e2fsck
 * checks it after a crash.
 */
#include "kern/fs/ext2/ext2.h"
#include "mm/mm.h"
#include "kern/abi/time.h"
#include "kern/blk/blk.h"
#include "kern/lib/printf.h"
#include "kern/sched.h"

#define MAXERRORS 10 /* lines that one file system prints */
#define SBSTART   1024

static int ext2mount(const struct fstype *, const char *source, uint flags,
	const char *data, struct super **);
static int readsuper(struct ext2 *, uint flags);
static int checksuper(struct ext2 *, struct ext2disksuper *, uint flags);
static const char *geometry(struct ext2 *, struct ext2disksuper *);
static int readgroups(struct ext2 *);
static int badgroup(struct ext2 *, struct ext2group *);
static void countmeta(struct ext2 *);
static int hassuper(struct ext2 *, uint group);
static int markmounted(struct ext2 *);
static void putsuper(struct ext2 *, int valid);
static void freefs(struct ext2 *);
static int ext2sync(struct super *, int wait);
static int ext2statfs(struct super *, struct kstatfs *);
static int ext2remount(struct super *, uint flags, const char *data);
static void ext2umount(struct super *);

static struct fstype ext2type = {
	.name = "ext2",
	.needsdev = 1,
	.mount = ext2mount,
};

static const struct superops superops = {
	.drop = ext2drop,
	.writeinode = ext2put,
	.sync = ext2sync,
	.statfs = ext2statfs,
	.remount = ext2remount,
	.umount = ext2umount,
};

void
ext2init(void)
{
	fsregister(&ext2type);
}

/* See struct fstype. */
static int
ext2mount(const struct fstype *type, const char *source, uint flags,
	const char *data, struct super **sp)
{
	struct super *s = supernew(type, source, &superops, EXT2_MAGIC);
	struct ext2 *fs = kzalloc(sizeof(*fs));
	struct inode *root = 0;
	struct blkdev *dev;
	int err = -ENOMEM;

	(void)data; /* errors=, acl, noatime ... change nothing here */
	if (!s || !fs)
		goto bad;
	fs->super = s;
	s->priv = fs;
	initlock(&fs->lock, RANK_LEAF);
	if ((err = mountdev(source, &dev)) < 0 ||
		(err = blkget(dev, !(flags & MS_RDONLY))) < 0)
		goto bad;
	fs->dev = dev;
	s->dev = fs->dev->rdev;
	if ((err = readsuper(fs, flags)) < 0 || (err = readgroups(fs)) < 0 ||
		!(root = ext2iget(s, EXT2_ROOT, &err)))
		goto bad;
	err = -EINVAL;
	if (!S_ISDIR(root->mode) || !root->nlink)
		goto bad;
	err = -ENOMEM;
	if (!(s->root = dentrynew(0, "", 0)))
		goto bad;
	if (!(flags & MS_RDONLY) && (err = markmounted(fs)) < 0)
		goto bad;
	s->root->inode = root;
	*sp = s;
	return 0;
bad:
	if (root)
		iput(root);
	if (s && s->root)
		dput(s->root);
	freefs(fs);
	if (s)
		superput(s);
	return err;
}

int
ext2bad(struct ext2 *fs, const char *what, uint number)
{
	uint n;

	acquire(&fs->lock);
	n = fs->errors++;
	release(&fs->lock);
	if (n < MAXERRORS)
		printf("ext2: %s: %s %u\n", fs->dev->name, what, number);
	return -EIO;
}

/* Read and check the superblock, and make the buffer cache: 0 or -errno. */
static int
readsuper(struct ext2 *fs, uint flags)
{
	struct ext2disksuper *sb = kmalloc(sizeof(*sb));
	int err;

	if (!sb)
		return -ENOMEM;
	err = blkio(fs->dev, BIO_READ, SBSTART / SECTOR, sb, sizeof(*sb));
	if (err == 0)
		err = checksuper(fs, sb, flags);
	kmfree(sb);
	if (err < 0)
		return err;
	fs->bufs = bopen(fs->dev, fs->bsize, fs->nblocks);
	if (!fs->bufs)
		return -ENOMEM;
	fs->sb = bread(fs->bufs, SBSTART / fs->bsize);
	fs->sboff = SBSTART % fs->bsize;
	return fs->sb ? 0 : -EIO;
}

/* Can this disk be mounted with these flags? 0 or -EINVAL, with a message. */
static int
checksuper(struct ext2 *fs, struct ext2disksuper *sb, uint flags)
{
	const char *name = fs->dev->name, *what;

	if (sb->magic != EXT2_MAGIC)
		return -EINVAL; /* another file system: no message */
	if (sb->rev == 0) {
		sb->compat = sb->incompat = sb->rocompat = 0;
		sb->firstino = 11;
		sb->inodesize = EXT2_OLDINODE;
	}
	if (sb->incompat & ~EXT2_INCOMPAT) {
		printf("ext2: %s: unknown features 0x%x\n", name,
			sb->incompat & ~EXT2_INCOMPAT);
		return -EINVAL;
	}
	if (sb->rocompat & ~EXT2_ROCOMPAT && !(flags & MS_RDONLY)) {
		printf("ext2: %s: features 0x%x: read-only\n", name,
			sb->rocompat & ~EXT2_ROCOMPAT);
		return -EINVAL;
	}
	if ((what = geometry(fs, sb))) {
		printf("ext2: %s: bad superblock: %s\n", name, what);
		return -EINVAL;
	}
	if (!(sb->state & EXT2_VALID) || sb->state & EXT2_ERRORS)
		printf("ext2: %s: was not unmounted cleanly\n", name);
	return 0;
}

/* Take over the numbers of the superblock: 0, or the name of one that is
 * wrong. */
static const char *
geometry(struct ext2 *fs, struct ext2disksuper *sb)
{
	uint groups;

	if (sb->logblock > 2)
		return "block size";
	fs->bits = 10 + sb->logblock;
	fs->bsize = 1 << fs->bits;
	fs->perblock = fs->bsize / sizeof(uint);
	fs->isize = sb->inodesize;
	if (fs->isize < EXT2_OLDINODE || fs->isize > fs->bsize ||
		(fs->isize & (fs->isize - 1)))
		return "inode size";
	fs->firstblock = sb->firstblock;
	fs->nblocks = sb->blocks;
	if (fs->firstblock != (fs->bsize == 1024) ||
		fs->nblocks <= fs->firstblock + 4 ||
		fs->nblocks > fs->dev->sectors >> (fs->bits - SECTORBITS))
		return "number of blocks";
	fs->blockspergroup = sb->blockspergroup;
	fs->inodespergroup = sb->inodespergroup;
	if (fs->blockspergroup < 8 || fs->blockspergroup > fs->bsize * 8 ||
		fs->inodespergroup > fs->bsize * 8 ||
		fs->inodespergroup < fs->bsize / fs->isize ||
		fs->inodespergroup % (fs->bsize / fs->isize))
		return "size of groups";
	groups = (fs->nblocks - fs->firstblock - 1) / fs->blockspergroup + 1;
	fs->ngroups = groups;
	fs->gdblocks = (groups * sizeof(struct ext2group) + fs->bsize - 1) >>
		fs->bits;
	fs->ninodes = sb->inodes;
	if (fs->ninodes / fs->inodespergroup != groups ||
		fs->ninodes % fs->inodespergroup)
		return "number of inodes";
	fs->firstino = sb->firstino;
	if (fs->firstino < 11 || fs->firstino >= fs->ninodes)
		return "first inode";
	fs->filetype = (sb->incompat & EXT2_FILETYPE) != 0;
	fs->reserved = sb->reserved;
	fs->resuid = sb->resuid;
	fs->resgid = sb->resgid;
	fs->sparse = sb->rev && sb->rocompat & EXT2_SPARSE;
	fs->maxsize = EXT2_NDIR + (uint64_t)fs->perblock +
		fs->perblock * fs->perblock +
		(uint64_t)fs->perblock * fs->perblock * fs->perblock;
	fs->maxsize <<= fs->bits;
	return 0;
}

/* Read and check the group descriptors, whose buffers stay: 0 or -errno. */
static int
readgroups(struct ext2 *fs)
{
	struct ext2group g;
	uint i;

	if (!(fs->gd = kzalloc(fs->gdblocks * sizeof(fs->gd[0]))))
		return -ENOMEM;
	for (i = 0; i < fs->gdblocks; i++)
		if (!(fs->gd[i] = breadn(fs->bufs, fs->sb->block + 1 + i,
			fs->gdblocks - i)))
			return -EIO;
	for (i = 0; i < fs->ngroups; i++) {
		g = ext2group(fs, i);
		if (badgroup(fs, &g)) {
			printf("ext2: %s: bad descriptor of group %u\n",
				fs->dev->name, i);
			return -EINVAL;
		}
		fs->freeblocks += g.freeblocks;
		fs->freeinodes += g.freeinodes;
	}
	countmeta(fs);
	return 0;
}

/* Does the descriptor of a group contradict the superblock? */
static int
badgroup(struct ext2 *fs, struct ext2group *g)
{
	uint table = fs->inodespergroup * fs->isize >> fs->bits;

	return g->blockmap <= fs->firstblock || g->blockmap >= fs->nblocks ||
		g->inodemap <= fs->firstblock || g->inodemap >= fs->nblocks ||
		g->inodetable <= fs->firstblock ||
		g->inodetable >= fs->nblocks ||
		table > fs->nblocks - g->inodetable ||
		g->freeblocks > fs->blockspergroup ||
		g->freeinodes > fs->inodespergroup;
}

/* Count the blocks that files can never have. */
static void
countmeta(struct ext2 *fs)
{
	uint table = fs->inodespergroup * fs->isize >> fs->bits;

	fs->overhead = fs->firstblock + fs->ngroups * (2 + table);
	for (uint i = 0; i < fs->ngroups; i++)
		if (hassuper(fs, i))
			fs->overhead += 1 + fs->gdblocks;
}

/* Has the group a copy of the superblock? All groups have, or with fs->sparse
 * the groups 0 and 1 and the powers of 3, 5 and 7. */
static int
hassuper(struct ext2 *fs, uint group)
{
	if (!fs->sparse || group <= 1)
		return 1;
	for (uint base = 3; base <= 7; base += 2) {
		uint g = group;

		while (g % base == 0)
			g /= base;
		if (g == 1)
			return 1;
	}
	return 0;
}

/* The superblock in its buffer. */
static struct ext2disksuper *
disksuper(struct ext2 *fs)
{
	return (struct ext2disksuper *)(fs->sb->data + fs->sboff);
}

/* The file system is read-write from now on: write a superblock that is not
 * valid.  0 or -EIO. */
static int
markmounted(struct ext2 *fs)
{
	fs->wasvalid = disksuper(fs)->state;
	bhold(fs->sb);
	disksuper(fs)->mounts++;
	disksuper(fs)->mtime = realns() / NSEC;
	bdirty(fs->sb);
	putsuper(fs, 0);
	return bsync(fs->bufs);
}

/* Put counts, time and state into the superblock's buffer. valid: the disk is
 * to be unmounted, or read-only. */
static void
putsuper(struct ext2 *fs, int valid)
{
	struct ext2disksuper *sb = disksuper(fs);

	bhold(fs->sb);
	sb->freeblocks = fs->freeblocks;
	sb->freeinodes = fs->freeinodes;
	sb->wtime = realns() / NSEC;
	sb->state = valid ? fs->wasvalid : fs->wasvalid & ~EXT2_VALID;
	if (fs->errors)
		sb->state |= EXT2_ERRORS;
	bdirty(fs->sb);
}

/* Free what mounting has made so far. */
static void
freefs(struct ext2 *fs)
{
	if (!fs)
		return;
	for (uint i = 0; fs->gd && i < fs->gdblocks; i++)
		brelse(fs->gd[i]);
	kmfree(fs->gd);
	brelse(fs->sb);
	if (fs->bufs)
		bclose(fs->bufs);
	if (fs->dev)
		blkput(fs->dev);
	kmfree(fs);
}

/* See struct superops. */
static int
ext2sync(struct super *s, int wait)
{
	struct ext2 *fs = s->priv;
	int err, e;

	if (s->flags & MS_RDONLY)
		return 0;
	if (!wait && !listempty(&fs->bufs->dirty))
		putsuper(fs, 0); /* fsync needs none: only counts change */
	err = bsync(fs->bufs);
	e = wait ? blkflush(fs->dev) : 0;
	return err < 0 ? err : e;
}

/* See struct superops. */
static int
ext2statfs(struct super *s, struct kstatfs *st)
{
	struct ext2 *fs = s->priv;

	st->bsize = fs->bsize;
	st->blocks = fs->nblocks - fs->overhead;
	st->bfree = fs->freeblocks;
	st->bavail = fs->freeblocks > fs->reserved ?
		fs->freeblocks - fs->reserved : 0;
	st->files = fs->ninodes;
	st->ffree = fs->freeinodes;
	return 0;
}

/* See struct superops. */
static int
ext2remount(struct super *s, uint flags, const char *data)
{
	struct ext2 *fs = s->priv;
	int err;

	(void)data;
	if ((flags ^ s->flags) & MS_RDONLY) {
		if (!(flags & MS_RDONLY)) {
			if (fs->dev->readonly)
				return -EACCES;
			if (disksuper(fs)->rev &&
				disksuper(fs)->rocompat & ~EXT2_ROCOMPAT)
				return -EROFS;
			return markmounted(fs);
		}
		putsuper(fs, 1);
		err = bsync(fs->bufs);
		return err < 0 ? err : blkflush(fs->dev);
	}
	return 0;
}

/* See struct superops. */
static void
ext2umount(struct super *s)
{
	struct ext2 *fs = s->priv;

	if (!(s->flags & MS_RDONLY)) {
		putsuper(fs, 1);
		if (bsync(fs->bufs) < 0 || blkflush(fs->dev) < 0)
			printf("ext2: %s: cannot write\n", fs->dev->name);
	}
	freefs(fs);
}

void
ext2largefile(struct inode *ip)
{
	struct ext2 *fs = EXT2(ip);
	struct ext2disksuper *sb = disksuper(fs);

	if (pcachesize(ip->pages) >> 31 == 0 || (sb->rev &&
		sb->rocompat & EXT2_LARGEFILE))
		return;
	bhold(fs->sb);
	if (sb->rev == 0) {
		sb->rev = 1;
		sb->compat = sb->incompat = sb->rocompat = 0;
		sb->firstino = fs->firstino;
		sb->inodesize = fs->isize;
	}
	sb->rocompat |= EXT2_LARGEFILE;
	bdirty(fs->sb);
}
