/*
 * ext2inode.c - the inodes of ext2: read, made, written, deleted.
 *
 *  1. Fields that must agree with other metadata (links, blocks, the size of a
 *     directory) are put in the inode's buffer at once; the flusher has times
 *     and the like put there later, by writeinode of struct superops.
 *  2. An inode without links is deleted when its last reference goes: its
 *     blocks first, then its number.
 *  3. Extended attributes are not looked at; they are freed with the inode.
 */
#include "kern/fs/ext2/ext2.h"
#include "mm/mm.h"
#include "kern/abi/time.h"
#include "kern/random.h"
#include "kern/sched.h"
#include "kern/lib/string.h"

#define INODEREAD (32u << 10) /* bytes of an inode table read at a time */
#define EXTRA     32          /* bytes of a new inode's extra fields */

static struct buf *inodebuf(struct ext2 *, uint ino, uint *off);
static int fillinode(struct inode *);
static int fillkind(struct inode *, struct ext2diskinode *);
static void filltimes(struct inode *, struct ext2diskinode *);
static int64_t gettime(uint32_t sec, uint32_t extra);
static void puttime(int64_t ns, uint32_t *sec, uint32_t *extra);
static int setkind(struct inode *, uint rdev);
static struct ext2inode *newpriv(struct inode *);
static int hasbytes(struct inode *, const struct ext2diskinode *);
static void putfields(struct inode *, struct ext2diskinode *);
static void inherit(struct inode *, struct inode *dir);
static void setdev(struct inode *, uint rdev);
static int writenew(struct inode *);
static int delinode(struct inode *);
static void dropxattr(struct inode *);
static int hasblocks(struct inode *);
static int readlink(struct inode *, char *buf, uint n);

static const struct inodeops nodeops = {.setattr = ext2setattr};
static const struct inodeops linkops = {
	.readlink = readlink,
	.setattr = ext2setattr,
};

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

/* Fill in a new inode from the disk: 0 or -errno. */
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

/* The buffer with an inode, referenced, and in *off where in it; 0: it cannot
 * be read. */
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

/* Fill in what depends on the type of file: 0 or -errno. */
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

/* Set the operations of a file by its type: 0 or -errno. */
static int
setkind(struct inode *ip, uint rdev)
{
	ip->blkbits = EXT2(ip)->bits;
	switch (ip->mode & S_IFMT) {
	case S_IFREG:
		ip->ops = &ext2fileops;
		ip->fops = &ext2filefops;
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

/* Give the inode its struct ext2inode; 0: no memory. */
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

/* Fill in the times, which have more bits on disks with large inodes. */
static void
filltimes(struct inode *ip, struct ext2diskinode *di)
{
	struct ext2inode *xi = EXT2I(ip);

	ip->atime = gettime(di->atime, HASFIELD(xi, atimex) ? di->atimex : 0);
	ip->mtime = gettime(di->mtime, HASFIELD(xi, mtimex) ? di->mtimex : 0);
	ip->ctime = gettime(di->ctime, HASFIELD(xi, ctimex) ? di->ctimex : 0);
}

/* Nanoseconds since 1970.  Seconds are signed; two bits of extra make them
 * reach to the year 2446, the others are nanoseconds. */
static int64_t
gettime(uint32_t sec, uint32_t extra)
{
	int64_t s = (int32_t)sec;
	uint ns = extra >> 2;

	s += (int64_t)(extra & 3) << 32;
	return s * NSEC + (ns < NSEC ? ns : 0);
}

/* The opposite of gettime(); extra may be 0. */
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
ext2put(struct inode *ip, int data)
{
	int err;

	acquiresleep(&EXT2I(ip)->maplock);
	err = ext2putlocked(ip, data);
	releasesleep(&EXT2I(ip)->maplock);
	return err;
}

int
ext2putlocked(struct inode *ip, int data)
{
	struct ext2diskinode *di;
	struct buf *b;
	uint off;

	lockassert(holdingsleep(&EXT2I(ip)->maplock));
	if (!(b = inodebuf(EXT2(ip), ip->ino, &off)))
		return -EIO;
	di = (struct ext2diskinode *)(b->data + off);
	if (!data || !hasbytes(ip, di)) {
		bhold(b);
		putfields(ip, di);
		bdirty(b);
	}
	brelse(b);
	return 0;
}

/* Has the disk's inode all that is needed to find the file's bytes? Called
 * with maplock held, so that nobody changes it. */
static int
hasbytes(struct inode *ip, const struct ext2diskinode *di)
{
	uint64_t size = ip->pages ? pcachesize(ip->pages) : ip->size;

	lockassert(holdingsleep(&EXT2I(ip)->maplock));
	return di->size == (uint)size &&
		(!S_ISREG(ip->mode) || di->sizehi == (uint)(size >> 32)) &&
		di->blocks == ip->blocks &&
		!memcmp(di->block, EXT2I(ip)->block, sizeof(di->block));
}

/* Copy the fields to the disk's inode, in a buffer that is busy. */
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
	if ((*err = setkind(ip, rdev)) == 0 && (*err = writenew(ip)) == 0)
		return ip;
	ip->nlink = 0; /* so that ext2drop() frees it */
	iput(ip);
	return 0;
unused:
	kmfree(ip->priv);
	ip->mode = 0; /* so that iput() does not call ext2drop() */
	iput(ip);
	return 0;
}

/* Set what a new inode takes from its directory, and what it begins with. */
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

/* Set a device's number, for which Linux has two places: one for 16 bits and
 * one for more. */
static void
setdev(struct inode *ip, uint rdev)
{
	if (S_ISCHR(ip->mode) || S_ISBLK(ip->mode))
		EXT2I(ip)->block[rdev > 0xffff] = rdev;
}

/* Write a new inode over what is left of the last one: 0 or -EIO. */
static int
writenew(struct inode *ip)
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

/* See struct superops.  An inode that has names is on the disk already. */
void
ext2drop(struct inode *ip)
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

/* Does the inode have block numbers? Short links and devices do not. */
static int
hasblocks(struct inode *ip)
{
	uint xattr = EXT2I(ip)->xattr ? EXT2(ip)->bsize / 512 : 0;

	return S_ISREG(ip->mode) || S_ISDIR(ip->mode) ||
		(S_ISLNK(ip->mode) && ip->blocks > xattr);
}

/* Drop the block of extended attributes; other inodes may share it. */
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

/* Write that the inode is deleted: 0 or -EIO. */
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

/* See inodeops. */
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

int
ext2setattr(struct inode *ip)
{
	idirty(ip, IDIRTY_FIELDS);
	return 0;
}
