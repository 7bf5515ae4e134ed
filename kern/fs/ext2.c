/*
 * ext2.c - the second extended file system: mounting, and inodes.
 *
 * Revisions 0 and 1; blocks of 1, 2 and 4 KiB; inodes of 128 bytes and more.
 * What of an inode must fit other metadata (links, blocks, size of directories)
 * is put in its buffer at once, times and the like by writeinode.  There is no
 * journal: fsync and sync write every dirty buffer.  While it is mounted
 * read-write its valid bit is clear, so that e2fsck looks at it after a crash.
 *
 * Flags: what is immutable or append-only cannot be unlinked, or opened for
 * other writes.  Extended attributes stay as they are, and go with the inode.
 */
#include "kern/fs/ext2.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/time.h"
#include "kern/blk.h"
#include "kern/panic.h"
#include "kern/printf.h"
#include "kern/proc.h"
#include "kern/random.h"
#include "kern/sched.h"
#include "kern/string.h"

#define MAXERRORS 10 /* lines that one file system prints */
#define SBSTART   1024
#define INODEREAD (32u << 10)/* bytes of an inode table that are read at once */
#define EXTRA     32         /* bytes of a new inode's extra fields */

static int mount(const struct fstype *, const char *source, uint flags,
	const char *data, struct super **);
static int readsuper(struct ext2 *, uint flags);
static int checksuper(struct ext2 *, struct ext2disksuper *, uint flags);
static const char *geometry(struct ext2 *, struct ext2disksuper *);
static int readgroups(struct ext2 *);
static int badgroup(struct ext2 *, struct ext2group *);
static void overhead(struct ext2 *);
static int hassuper(struct ext2 *, uint group);
static int begin(struct ext2 *);
static void putsuper(struct ext2 *, int valid);
static void freefs(struct ext2 *);
static int sync(struct super *, int wait);
static int statfs(struct super *, struct kstatfs *);
static int remount(struct super *, uint flags, const char *data);
static void umount(struct super *);
static struct buf *inodebuf(struct ext2 *, uint ino, uint *off);
static int fillinode(struct inode *);
static int fillkind(struct inode *, struct ext2diskinode *);
static void filltimes(struct inode *, struct ext2diskinode *);
static int64_t gettime(uint32_t sec, uint32_t extra);
static void puttime(int64_t ns, uint32_t *sec, uint32_t *extra);
static int setkind(struct inode *, uint rdev);
static struct ext2inode *newpriv(struct inode *);
static void putfields(struct inode *, struct ext2diskinode *);
static void inherit(struct inode *, struct inode *dir);
static void setdev(struct inode *, uint rdev);
static int blankinode(struct inode *);
static void drop(struct inode *);
static int delinode(struct inode *);
static void dropxattr(struct inode *);
static void largefile(struct inode *);
static int hasblocks(struct inode *);
static int readlink(struct inode *, char *buf, uint n);
static int openfile(struct inode *, struct file *);
static int writefile(struct file *, struct uio *, int64_t *off);
static int writelocked(struct file *, struct uio *, int64_t *off);
static int64_t seekfile(struct file *, int64_t off, int whence);
static int truncate(struct file *, uint64_t size);
static void releasefile(struct file *);
static int trim(struct inode *);

const struct fstype ext2type = {
	.name = "ext2",
	.needsdev = 1,
	.mount = mount,
};

static const struct superops superops = {
	.drop = drop,
	.writeinode = ext2put,
	.sync = sync,
	.statfs = statfs,
	.remount = remount,
	.umount = umount,
};

static const struct inodeops fileops = {
	.open = openfile,
	.setattr = ext2setattr,
};
static const struct inodeops nodeops = {.setattr = ext2setattr};
static const struct inodeops linkops = {
	.readlink = readlink,
	.setattr = ext2setattr,
};

static const struct fileops fops = {
	.read = fmread,
	.write = writefile,
	.seek = seekfile,
	.truncate = truncate,
	.sync = syncfile,
	.release = releasefile,
};

/* See struct fstype. */
static int
mount(const struct fstype *type, const char *source, uint flags,
	const char *data, struct super **sp)
{
	struct super *s = supernew(type, source, &superops, EXT2_MAGIC);
	struct ext2 *fs = kzalloc(sizeof(*fs));
	struct inode *root = 0;
	struct blkdev *dev;
	int err = -ENOMEM;

	(void)data; /* errors=, acl, noatime ...: ours are fixed */
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
	if (!(flags & MS_RDONLY) && (err = begin(fs)) < 0)
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

/* Read and check the superblock, and set up the buffers. */
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

static int
checksuper(struct ext2 *fs, struct ext2disksuper *sb, uint flags)
{
	const char *name = fs->dev->name, *what;

	if (sb->magic != EXT2_MAGIC)
		return -EINVAL; /* perhaps another file system */
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

/* What the numbers of the superblock say: 0, or which is wrong. */
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

/* Read and check the group descriptors; they stay. */
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
	overhead(fs);
	return 0;
}

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

/* Blocks that files can never have. */
static void
overhead(struct ext2 *fs)
{
	uint table = fs->inodespergroup * fs->isize >> fs->bits;

	fs->overhead = fs->firstblock + fs->ngroups * (2 + table);
	for (uint i = 0; i < fs->ngroups; i++)
		if (hassuper(fs, i))
			fs->overhead += 1 + fs->gdblocks;
}

/* Has the group a copy of the superblock?  Groups 0 and 1 and the powers of 3, 5
 * and 7 do, or all. */
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

static struct ext2disksuper *
disksuper(struct ext2 *fs)
{
	return (struct ext2disksuper *)(fs->sb->data + fs->sboff);
}

/* It is mounted read-write now, and not valid until it no longer is. */
static int
begin(struct ext2 *fs)
{
	fs->wasvalid = disksuper(fs)->state;
	bhold(fs->sb);
	disksuper(fs)->mounts++;
	disksuper(fs)->mtime = realns() / NSEC;
	bdirty(fs->sb);
	putsuper(fs, 0);
	return bsync(fs->bufs);
}

/* Bring the superblock up to date. */
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
sync(struct super *s, int wait)
{
	struct ext2 *fs = s->priv;
	int err, e;

	if (s->flags & MS_RDONLY)
		return 0;
	if (!wait && !listempty(&fs->bufs->dirty))
		putsuper(fs, 0); /* fsync does without: it only has counts */
	err = bsync(fs->bufs);
	e = wait ? blkflush(fs->dev) : 0;
	return err < 0 ? err : e;
}

static int
statfs(struct super *s, struct kstatfs *st)
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
remount(struct super *s, uint flags, const char *data)
{
	struct ext2 *fs = s->priv;
	int err;

	(void)data;
	if ((flags ^ s->flags) & MS_RDONLY) {
		if (!(flags & MS_RDONLY)) {
			if (fs->dev->readonly)
				return -EROFS;
			if (disksuper(fs)->rev &&
				disksuper(fs)->rocompat & ~EXT2_ROCOMPAT)
				return -EROFS;
			return begin(fs);
		}
		putsuper(fs, 1);
		err = bsync(fs->bufs);
		return err < 0 ? err : blkflush(fs->dev);
	}
	return 0;
}

static void
umount(struct super *s)
{
	struct ext2 *fs = s->priv;

	if (!(s->flags & MS_RDONLY)) {
		putsuper(fs, 1);
		if (bsync(fs->bufs) < 0 || blkflush(fs->dev) < 0)
			printf("ext2: %s: cannot write\n", fs->dev->name);
	}
	freefs(fs);
}

/* The buffer of an inode, referenced, and where in it that is; or 0. */
static struct buf *
inodebuf(struct ext2 *fs, uint ino, uint *off)
{
	uint group = (ino - 1) / fs->inodespergroup;
	uint byte = (ino - 1) % fs->inodespergroup * fs->isize;
	uint size = fs->inodespergroup * fs->isize - byte;
	struct buf *b;

	*off = byte % fs->bsize;
	b = breadn(fs->bufs, ext2group(fs, group).inodetable +
		(byte >> fs->bits), MIN(INODEREAD >> fs->bits,
		(size >> fs->bits) + 1));
	if (!b)
		(void)ext2bad(fs, "cannot read inode", ino);
	return b;
}

struct inode *
ext2iget(struct super *s, uint ino, int *err)
{
	struct ext2 *fs = s->priv;
	struct inode *ip;
	int isnew;

	*err = -EIO;
	if (ino > fs->ninodes || (ino < fs->firstino && ino != EXT2_ROOT)) {
		(void)ext2bad(fs, "bad inode number", ino);
		return 0;
	}
	*err = -ENOMEM;
	if (!(ip = inodeget(s, ino, &isnew)))
		return 0;
	*err = isnew ? fillinode(ip) : 0;
	if (*err == 0 && !isnew && ip->nlink == 0) {
		*err = ext2bad(fs, "deleted inode has a name:", ino);
		iput(ip);
		return 0;
	}
	if (*err < 0) {
		kmfree(ip->priv);
		ip->priv = 0;
	}
	if (isnew)
		inodeready(ip, *err);
	return *err ? 0 : ip;
}

/* Fill in an inode from the disk: 0 or -errno. */
static int
fillinode(struct inode *ip)
{
	struct ext2 *fs = EXT2(ip);
	struct ext2inode *xi = newpriv(ip);
	struct ext2diskinode *di;
	struct buf *b;
	uint off;
	int err;

	if (!xi)
		return -ENOMEM;
	if (!(b = inodebuf(fs, ip->ino, &off)))
		return -EIO;
	di = (struct ext2diskinode *)(b->data + off);
	ip->mode = di->mode;
	ip->nlink = di->links;
	ip->uid = di->uid | di->uidhi << 16;
	ip->gid = di->gid | di->gidhi << 16;
	ip->blocks = di->blocks;
	xi->flags = di->flags;
	xi->xattr = di->xattr;
	xi->generation = di->generation;
	if (fs->isize > EXT2_OLDINODE && di->extra % 4 == 0)
		xi->extra = MIN(di->extra, fs->isize - EXT2_OLDINODE);
	memcpy(xi->block, di->block, sizeof(xi->block));
	filltimes(ip, di);
	err = di->links ? fillkind(ip, di) :
		ext2bad(fs, "deleted inode has a name:", ip->ino);
	brelse(b);
	return err;
}

/* What depends on the type of file. */
static int
fillkind(struct inode *ip, struct ext2diskinode *di)
{
	struct ext2 *fs = EXT2(ip);
	uint64_t size = di->size;
	uint rdev = di->block[0] ? di->block[0] & 0xffff : di->block[1];

	if (S_ISREG(ip->mode))
		size |= (uint64_t)di->sizehi << 32;
	if (size > fs->maxsize || (S_ISDIR(ip->mode) &&
		(size % fs->bsize || size == 0 || size >> fs->bits >
		fs->nblocks)) || (S_ISLNK(ip->mode) && (size == 0 ||
		size >= fs->bsize || (!hasblocks(ip) &&
		size >= sizeof(di->block)))))
		return ext2bad(fs, "bad size of inode", ip->ino);
	ip->size = size;
	return setkind(ip, rdev);
}

/* Set what can be done with a file, by its type. */
static int
setkind(struct inode *ip, uint rdev)
{
	ip->blkbits = EXT2(ip)->bits;
	switch (ip->mode & S_IFMT) {
	case S_IFREG:
		ip->ops = &fileops;
		ip->fops = &fops;
		ip->pages = pcachenew(ip, &ext2pcops);
		if (!ip->pages)
			return -ENOMEM;
		return pcachetruncate(ip->pages, ip->size);
	case S_IFDIR:
		ip->ops = &ext2dirops;
		ip->fops = &ext2dirfops;
		return 0;
	case S_IFLNK:
		ip->ops = &linkops;
		return 0;
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		ip->ops = &nodeops;
		if (S_ISCHR(ip->mode) || S_ISBLK(ip->mode))
			ip->rdev = rdev;
		return 0;
	}
	return ext2bad(EXT2(ip), "bad type of inode", ip->ino);
}

static struct ext2inode *
newpriv(struct inode *ip)
{
	struct ext2inode *xi = kzalloc(sizeof(*xi));

	if (!xi)
		return 0;
	xi->ip = ip;
	xi->group = ((uint)ip->ino - 1) / EXT2(ip)->inodespergroup;
	initsleeplock(&xi->maplock, RANK_NONE);
	return ip->priv = xi;
}

#define HASFIELD(xi, field)                                                    \
	(offsetof(struct ext2diskinode, field) + 4 <=                          \
		EXT2_OLDINODE + (xi)->extra)

static void
filltimes(struct inode *ip, struct ext2diskinode *di)
{
	struct ext2inode *xi = EXT2I(ip);

	ip->atime = gettime(di->atime, HASFIELD(xi, atimex) ? di->atimex : 0);
	ip->mtime = gettime(di->mtime, HASFIELD(xi, mtimex) ? di->mtimex : 0);
	ip->ctime = gettime(di->ctime, HASFIELD(xi, ctimex) ? di->ctimex : 0);
}

/* Seconds are signed; two more bits make them reach to 2446. */
static int64_t
gettime(uint32_t sec, uint32_t extra)
{
	int64_t s = (int32_t)sec;
	uint ns = extra >> 2;

	s += (int64_t)(extra & 3) << 32;
	return s * NSEC + (ns < NSEC ? ns : 0);
}

static void
puttime(int64_t t, uint32_t *sec, uint32_t *extra)
{
	int64_t s = t / NSEC;
	int ns = t - s * NSEC;

	if (ns < 0) {
		s--;
		ns += NSEC;
	}
	*sec = s;
	if (extra)
		*extra = (uint)ns << 2 | ((uint)((s - (int32_t)s) >> 32) & 3);
}

int
ext2put(struct inode *ip)
{
	int err;

	acquiresleep(&EXT2I(ip)->maplock);
	err = ext2putlocked(ip);
	releasesleep(&EXT2I(ip)->maplock);
	return err;
}

int
ext2putlocked(struct inode *ip)
{
	struct buf *b;
	uint off;

	if (!(b = inodebuf(EXT2(ip), ip->ino, &off)))
		return -EIO;
	bhold(b);
	putfields(ip, (struct ext2diskinode *)(b->data + off));
	bdirty(b);
	brelse(b);
	return 0;
}

static void
putfields(struct inode *ip, struct ext2diskinode *di)
{
	struct ext2inode *xi = EXT2I(ip);
	uint64_t size = ip->pages ? pcachesize(ip->pages) : ip->size;

	di->mode = ip->mode;
	di->uid = ip->uid;
	di->uidhi = ip->uid >> 16;
	di->gid = ip->gid;
	di->gidhi = ip->gid >> 16;
	di->links = ip->nlink;
	di->size = size;
	if (S_ISREG(ip->mode))
		di->sizehi = size >> 32;
	di->blocks = ip->blocks;
	di->flags = xi->flags;
	di->xattr = xi->xattr;
	di->generation = xi->generation;
	memcpy(di->block, xi->block, sizeof(di->block));
	puttime(ip->atime, &di->atime, HASFIELD(xi, atimex) ? &di->atimex : 0);
	puttime(ip->mtime, &di->mtime, HASFIELD(xi, mtimex) ? &di->mtimex : 0);
	puttime(ip->ctime, &di->ctime, HASFIELD(xi, ctimex) ? &di->ctimex : 0);
	if (ip->nlink)
		di->dtime = 0;
}

struct inode *
ext2new(struct inode *dir, uint mode, uint rdev, int *err)
{
	struct ext2 *fs = EXT2(dir);
	struct inode *ip = inodenew(dir->super, mode);
	uint ino;

	*err = -ENOMEM;
	if (!ip)
		return 0;
	if (!(ino = ext2ialloc(dir, S_ISDIR(mode), err)))
		goto unused;
	ip->ino = ino;
	*err = -ENOMEM;
	if (!newpriv(ip)) {
		ext2ifree(fs, ino, S_ISDIR(mode));
		goto unused;
	}
	if (inodeenter(ip) < 0) {
		*err = ext2bad(fs, "inode in use marked as free:", ino);
		goto unused;
	}
	inherit(ip, dir);
	setdev(ip, rdev);
	if ((*err = setkind(ip, rdev)) == 0 && (*err = blankinode(ip)) == 0)
		return ip;
	ip->nlink = 0; /* drop() takes it back */
	iput(ip);
	return 0;
unused:
	kmfree(ip->priv);
	ip->mode = 0; /* it never was a file */
	iput(ip);
	return 0;
}

/* What a new inode has from its directory, and what it begins with. */
static void
inherit(struct inode *ip, struct inode *dir)
{
	struct ext2inode *xi = EXT2I(ip);

	if (dir->mode & S_ISGID) {
		ip->gid = dir->gid;
		if (S_ISDIR(ip->mode))
			ip->mode |= S_ISGID;
	}
	if (S_ISDIR(ip->mode))
		ip->nlink = 2;
	xi->flags = EXT2I(dir)->flags & (S_ISDIR(ip->mode) ? EXT2_INHERIT_DIR :
		S_ISREG(ip->mode) ? EXT2_INHERIT_REG : EXT2_INHERIT_OTHER);
	xi->extra = MIN(EXTRA, EXT2(ip)->isize - EXT2_OLDINODE);
	randombytes(&xi->generation, sizeof(xi->generation));
}

/* A device's number: Linux has two places, for old and for longer ones. */
static void
setdev(struct inode *ip, uint rdev)
{
	if (S_ISCHR(ip->mode) || S_ISBLK(ip->mode))
		EXT2I(ip)->block[rdev > 0xffff] = rdev;
}

/* Write a new inode over what is left of the last one. */
static int
blankinode(struct inode *ip)
{
	struct ext2inode *xi = EXT2I(ip);
	struct ext2diskinode *di;
	struct buf *b;
	uint off;

	if (!(b = inodebuf(EXT2(ip), ip->ino, &off)))
		return -EIO;
	bhold(b);
	di = (struct ext2diskinode *)(b->data + off);
	memset(di, 0, EXT2(ip)->isize);
	putfields(ip, di);
	if (xi->extra)
		di->extra = xi->extra;
	if (HASFIELD(xi, crtimex))
		puttime(ip->ctime, &di->crtime, &di->crtimex);
	bdirty(b);
	brelse(b);
	return 0;
}

/* See struct superops.  With names left all is on the disk already. */
static void
drop(struct inode *ip)
{
	struct ext2 *fs = EXT2(ip);

	if (ip->nlink == 0 && !(ip->super->flags & MS_RDONLY)) {
		ip->size = 0;
		if (hasblocks(ip))
			(void)ext2cut(ip, 0);
		if (EXT2I(ip)->xattr)
			dropxattr(ip);
		if (delinode(ip) == 0)
			ext2ifree(fs, ip->ino, S_ISDIR(ip->mode));
	}
	kmfree(ip->priv);
}

/* Does the inode have block numbers?  Short links, devices and the like do not.
 */
static int
hasblocks(struct inode *ip)
{
	uint xattr = EXT2I(ip)->xattr ? EXT2(ip)->bsize / 512 : 0;

	return S_ISREG(ip->mode) || S_ISDIR(ip->mode) ||
		(S_ISLNK(ip->mode) && ip->blocks > xattr);
}

/* The block of extended attributes has one inode less. */
static void
dropxattr(struct inode *ip)
{
	struct ext2 *fs = EXT2(ip);
	uint block = EXT2I(ip)->xattr;
	struct buf *b = bread(fs->bufs, block);
	struct ext2xattr *x;

	EXT2I(ip)->xattr = 0;
	if (!b || (x = (struct ext2xattr *)b->data)->magic !=
		EXT2_XATTR_MAGIC) {
		(void)ext2bad(fs, "bad attributes of inode", ip->ino);
		brelse(b);
		return;
	}
	bhold(b);
	if (x->refs > 1) {
		x->refs--;
		bdirty(b);
		brelse(b);
		return;
	}
	brelax(b);
	brelse(b);
	bforget(fs->bufs, block);
	(void)ext2bfree(fs, block, 1);
}

/* Write that the inode is no more. */
static int
delinode(struct inode *ip)
{
	struct ext2diskinode *di;
	struct buf *b;
	uint off;

	if (!(b = inodebuf(EXT2(ip), ip->ino, &off)))
		return -EIO;
	bhold(b);
	di = (struct ext2diskinode *)(b->data + off);
	ip->blocks = 0;
	putfields(ip, di);
	di->dtime = realns() / NSEC;
	bdirty(b);
	brelse(b);
	return 0;
}

static int
readlink(struct inode *ip, char *buf, uint n)
{
	struct buf *b;
	int err;

	n = MIN(n, (uint)ip->size);
	if (!hasblocks(ip)) {
		memcpy(buf, EXT2I(ip)->block, n);
		return n;
	}
	if (!(b = ext2block(ip, 0, &err)))
		return err;
	memcpy(buf, b->data, n);
	brelse(b);
	return n;
}

/* f->ops has been set. */
static int
openfile(struct inode *ip, struct file *f)
{
	uint flags = EXT2I(ip)->flags;

	if ((f->flags & O_ACCMODE) == O_RDONLY && !(f->flags & O_TRUNC))
		return 0;
	if (flags & EXT2_IMMUTABLE_FL || (flags & EXT2_APPEND_FL &&
		(!(f->flags & O_APPEND) || f->flags & O_TRUNC)))
		return -EPERM;
	return 0;
}

int
ext2setattr(struct inode *ip)
{
	idirty(ip, IDIRTY_FIELDS);
	return 0;
}

static int
writefile(struct file *f, struct uio *u, int64_t *off)
{
	struct inode *ip = f->inode;
	int r, err;

	acquiresleep(&ip->lock);
	r = writelocked(f, u, off);
	releasesleep(&ip->lock);
	if (r > 0 && (f->flags & O_DSYNC || ip->super->flags &
		MS_SYNCHRONOUS) && (err = syncfile(f)) < 0)
		r = err;
	return r;
}

static int
writelocked(struct file *f, struct uio *u, int64_t *off)
{
	struct inode *ip = f->inode;
	struct ext2inode *xi = EXT2I(ip);
	uint64_t end;
	int n = u->n, r;

	if (pcachesize(ip->pages) + EXT2(ip)->bsize <= (uint64_t)xi->mapend <<
		EXT2(ip)->bits)
		(void)trim(ip); /* a fault was late for a truncate */
	memset(xi->fresh, 0, sizeof(xi->fresh)); /* nobody looks without writer */
	xi->writer = myproc();
	r = fmwritelocked(f, u, off, n);
	if (r < n) { /* all of a page has been written, or nothing */
		end = r <= 0 && f->flags & O_APPEND ? pcachesize(ip->pages) :
			(uint64_t)*off;
		if (r > 0)
			end += PGSIZE - 1;
		ext2unfresh(ip, end / PGSIZE << (PGSHIFT - EXT2(ip)->bits));
		xi->writer = 0;
		(void)trim(ip);
	}
	xi->writer = 0;
	if (r > 0)
		largefile(ip);
	return r;
}

static int64_t
seekfile(struct file *f, int64_t off, int whence)
{
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return fmseek(f, off, whence);
	if (off < 0)
		return -ENXIO;
	off = ext2seek(f->inode, off, whence == SEEK_HOLE);
	if (off >= 0)
		f->off = off;
	return off;
}

/* Free what is reserved beyond the end.  ip is locked. */
static int
trim(struct inode *ip)
{
	struct ext2 *fs = EXT2(ip);
	uint end = (pcachesize(ip->pages) + fs->bsize - 1) >> fs->bits;

	if (EXT2I(ip)->mapend > end)
		return ext2cut(ip, end);
	ext2putback(ip);
	return 0;
}

/* The inode is locked. */
static int
truncate(struct file *f, uint64_t size)
{
	struct inode *ip = f->inode;
	struct ext2 *fs = EXT2(ip);
	int err, grows;

	if (size > fs->maxsize)
		return -EFBIG;
	grows = size > pcachesize(ip->pages);
	if (grows)
		(void)trim(ip);
	if ((err = fmtruncate(f, size)) < 0)
		return err;
	largefile(ip);
	return grows ? 0 : ext2cut(ip, (size + fs->bsize - 1) >> fs->bits);
}

/* A file of 2 GiB or more is a feature, which the superblock tells. */
static void
largefile(struct inode *ip)
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

static void
releasefile(struct file *f)
{
	struct inode *ip = f->inode;

	if ((f->flags & O_ACCMODE) == O_RDONLY)
		return;
	acquiresleep(&ip->lock);
	if (ip->nlink)
		(void)trim(ip);
	releasesleep(&ip->lock);
}
