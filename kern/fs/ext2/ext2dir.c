/*
 * ext2dir.c - the names of ext2.
 *
 * A directory is blocks of entries of different lengths (xv6's have 16 bytes).
 * The entries of a block fill it, each reaching to the next.  When a name is
 * removed, the entry in front of it becomes longer; the first entry of a block
 * loses its inode number instead.  So an entry stays where it is while it
 * exists, and its offset in bytes is the cookie of readdir.
 *
 * Names change with super->lock and the directory's lock held; the latter keeps
 * out lookups and readdir.  An index (dir_index) is not used: its blocks look
 * like empty entries.  A directory that is changed loses it.
 *
 * Files with the immutable or append-only flag cannot be unlinked or renamed.
 */
#include "kern/fs/ext2/ext2.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/panic.h"
#include "kern/sched.h"
#include "kern/lib/string.h"

struct slot { /* where an entry is */
	struct buf *b;    /* referenced */
	uint block, off;
	uint prev;        /* off of the entry before it; equal to off: none */
};

static int dirlookup(struct inode *, struct dentry *);
static int dircreate(struct inode *, struct dentry *, uint mode, uint rdev);
static int dirsymlink(struct inode *, struct dentry *, const char *target);
static int dirlink(struct inode *, struct dentry *, struct inode *old);
static int dirunlink(struct inode *, struct dentry *);
static int dirrename(struct inode *, struct dentry *, struct inode *,
	struct dentry *);
static int dirread(struct file *, struct dirsink *);
static int readblock(struct file *, struct dirsink *, uint block);
static struct ext2dirent *entryat(struct inode *, struct buf *, uint off);
static int findname(struct inode *, struct dentry *, struct slot *);
static int findin(struct inode *, struct buf *, struct dentry *, struct slot *);
static int addname(struct inode *, struct dentry *, struct inode *);
static int addin(struct inode *, struct buf *, struct dentry *, struct inode *);
static void putentry(struct inode *dir, struct ext2dirent *, struct dentry *,
	struct inode *);
static int delname(struct inode *, struct dentry *);
static void setino(struct inode *dir, struct slot *, struct inode *);
static int makedots(struct inode *dir, struct inode *parent);
static int setdots(struct inode *, struct inode *parent);
static int isemptydir(struct inode *);
static int onlydots(struct inode *, struct buf *);
static int makefile(struct inode *dir, struct dentry *, uint mode, uint rdev,
	const char *target);
static int filllink(struct inode *, const char *target);
static void dirchanged(struct inode *dir);
static int maychange(struct inode *dir);
static int mayunlink(struct inode *dir, struct inode *);
static void lostname(struct inode *dir, struct inode *);
static void lesslink(struct inode *dir);
static int movename(struct inode *, struct dentry *, struct inode *,
	struct dentry *);
static int maymovename(struct inode *from, struct inode *to, struct inode *ip,
	struct inode *victim);
static int repoint(struct inode *, struct dentry *, struct inode *);
static void lockboth(struct inode *, struct inode *);

const struct inodeops ext2dirops = {
	.lookup = dirlookup,
	.create = dircreate,
	.symlink = dirsymlink,
	.link = dirlink,
	.unlink = dirunlink,
	.rename = dirrename,
	.setattr = ext2setattr,
};

const struct fileops ext2dirfops = {
	.seek = dirseek,
	.readdir = dirread,
	.sync = syncfile,
};

struct word { /* at any address */
	uint n;
} __attribute__((packed));

/* The last bytes of a name of at least 4. */
static inline uint
lastfour(const char *name, uint len)
{
	return ((const struct word *)(name + len - 4))->n;
}

/* See inodeops. */
static int
dirlookup(struct inode *dir, struct dentry *d)
{
	struct slot at;
	uint ino;
	int err = findname(dir, d, &at);

	if (err == -ENOENT)
		return 0;
	if (err < 0)
		return err;
	ino = ((struct ext2dirent *)(at.b->data + at.off))->ino;
	brelse(at.b);
	if (ino == dir->ino)
		return ext2bad(EXT2(dir), "directory contains itself", ino);
	d->inode = ext2iget(dir->super, ino, &err);
	return err;
}

/* The entry at off of a block of the directory; 0: it is damaged. */
static struct ext2dirent *
entryat(struct inode *dir, struct buf *b, uint off)
{
	struct ext2 *fs = EXT2(dir);
	struct ext2dirent *e = (struct ext2dirent *)(b->data + off);

	if (off % 4 == 0 && off + EXT2_RECLEN(1) <= fs->bsize &&
		e->reclen % 4 == 0 && e->reclen >= EXT2_RECLEN(1) &&
		e->reclen >= EXT2_RECLEN(e->namelen) &&
		e->reclen <= fs->bsize - off && e->ino <= fs->ninodes)
		return e;
	(void)ext2bad(fs, "bad entry in directory", dir->ino);
	return 0;
}

/* Find the entry of d's name: 0 with *at, whose buffer is referenced; or
 * -ENOENT, -EIO.  The search begins where the last one ended, as names are
 * mostly asked for in the order that readdir gave them.  Called with dir->lock
 * held, or with super->lock, which keeps names from changing too. */
static int
findname(struct inode *dir, struct dentry *d, struct slot *at)
{
	struct ext2inode *xi = EXT2I(dir);
	uint n = dir->size >> EXT2(dir)->bits, block = xi->lastfound;
	int err;

	lockassert(holdingsleep(&dir->lock) || holdingsleep(&dir->super->lock));
	for (uint i = 0; i < n; i++, block++) {
		if (block >= n)
			block = 0;
		if (!(at->b = ext2block(dir, block, &err)))
			return err;
		at->block = block;
		if ((err = findin(dir, at->b, d, at)) == 0) {
			xi->lastfound = block;
			return 0;
		}
		brelse(at->b);
		if (err != -ENOENT)
			return err;
	}
	return -ENOENT;
}

/* findname() in one block, whose buffer stays referenced by the caller.  For a
 * name that does not exist all of a large directory is read here, so it is
 * made to be fast: the checks of an entry come first, that of its inode number
 * once the name is right, and names are compared from their ends, where those
 * of many files differ. */
static int
findin(struct inode *dir, struct buf *b, struct dentry *d, struct slot *at)
{
	uint size = b->of->size, len = d->len, reclen;
	uint tail = len < 4 ? 0 : lastfour(d->name, len);
	struct ext2dirent *e;

	at->prev = 0;
	for (uint off = 0; off < size; at->prev = off, off += reclen) {
		e = (struct ext2dirent *)(b->data + off);
		reclen = size - off < EXT2_RECLEN(1) ? 0 : e->reclen;
		if (reclen % 4 || reclen < EXT2_RECLEN(1) ||
			reclen < 8u + e->namelen || reclen > size - off)
			return ext2bad(EXT2(dir), "bad entry in directory",
				dir->ino);
		if (e->namelen != len ||
			(len >= 4 && lastfour(e->name, len) != tail) ||
			memcmp(e->name, d->name, len) || !e->ino)
			continue;
		at->off = off;
		return entryat(dir, b, off) ? 0 : -EIO;
	}
	return -ENOENT;
}

/* Make an entry with d's name for ip: 0, -ENOSPC or -EIO.  Blocks that had no
 * room for an entry that was no longer are not looked at again.  Called with
 * dir->lock held. */
static int
addname(struct inode *dir, struct dentry *d, struct inode *ip)
{
	struct ext2 *fs = EXT2(dir);
	struct ext2inode *xi = EXT2I(dir);
	uint n = dir->size >> fs->bits, need = EXT2_RECLEN(d->len), block;
	struct ext2dirent *e;
	struct buf *b;
	int err;

	lockassert(holdingsleep(&dir->lock));
	block = need >= xi->roomlen ? xi->room : 0;
	for (; block < n; block++) {
		if (!(b = ext2block(dir, block, &err)))
			return err;
		err = addin(dir, b, d, ip);
		brelse(b);
		if (err != -ENOSPC)
			goto done;
	}
	if (!(b = ext2extend(dir, block, &err)))
		return err;
	bhold(b);
	e = (struct ext2dirent *)b->data;
	e->reclen = fs->bsize;
	putentry(dir, e, d, ip);
	bdirty(b);
	brelse(b);
	dir->size = (uint64_t)(n + 1) << fs->bits;
done:
	if (block != xi->room || need < xi->roomlen) {
		xi->room = block;
		xi->roomlen = need;
	}
	return err;
}

/* addname() in one block, if there is room: 0, -ENOSPC or -EIO. */
static int
addin(struct inode *dir, struct buf *b, struct dentry *d, struct inode *ip)
{
	uint need = EXT2_RECLEN(d->len), used, size = b->of->size;
	struct ext2dirent *e, *new;

	for (uint off = 0; off < size; off += e->reclen) {
		if (!(e = entryat(dir, b, off)))
			return -EIO;
		used = e->ino ? EXT2_RECLEN(e->namelen) : 0;
		if (e->reclen < used + need)
			continue;
		bhold(b);
		new = (struct ext2dirent *)((char *)e + used);
		new->reclen = e->reclen - used;
		if (used)
			e->reclen = used;
		putentry(dir, new, d, ip);
		bdirty(b);
		return 0;
	}
	return -ENOSPC;
}

/* Fill in an entry, whose length is set already. */
static void
putentry(struct inode *dir, struct ext2dirent *e, struct dentry *d,
	struct inode *ip)
{
	static const uint8_t types[16] = {[S_IFREG >> 12] = 1,
		[S_IFDIR >> 12] = 2, [S_IFCHR >> 12] = 3, [S_IFBLK >> 12] = 4,
		[S_IFIFO >> 12] = 5, [S_IFSOCK >> 12] = 6, [S_IFLNK >> 12] = 7};

	e->ino = ip->ino;
	e->namelen = d->len;
	e->type = EXT2(dir)->filetype ? types[IFTODT(ip->mode)] : 0;
	memcpy(e->name, d->name, d->len);
}

/* Remove d's name: 0, -ENOENT (the disk is damaged) or -EIO.  Called with
 * dir->lock held. */
static int
delname(struct inode *dir, struct dentry *d)
{
	struct ext2inode *xi = EXT2I(dir);
	struct ext2dirent *e, *prev;
	struct slot at;
	int err = findname(dir, d, &at);

	lockassert(holdingsleep(&dir->lock));
	if (err < 0)
		return err;
	bhold(at.b);
	e = (struct ext2dirent *)(at.b->data + at.off);
	prev = (struct ext2dirent *)(at.b->data + at.prev);
	if (prev != e)
		prev->reclen += e->reclen;
	e->ino = 0;
	bdirty(at.b);
	brelse(at.b);
	xi->room = MIN(xi->room, at.block);
	return 0;
}

/* Make the entry a name of ip. */
static void
setino(struct inode *dir, struct slot *at, struct inode *ip)
{
	struct ext2dirent *e = (struct ext2dirent *)(at->b->data + at->off);
	struct dentry name = {.len = e->namelen, .name = e->name};

	bhold(at->b);
	putentry(dir, e, &name, ip);
	bdirty(at->b);
}

/* Make the first block of a new directory, with "." and "..": 0 or -errno. */
static int
makedots(struct inode *dir, struct inode *parent)
{
	struct dentry dot = {.len = 1, .name = "."};
	struct dentry dots = {.len = 2, .name = ".."};
	struct ext2dirent *e;
	struct buf *b;
	int err;

	if (!(b = ext2extend(dir, 0, &err)))
		return err;
	bhold(b);
	e = (struct ext2dirent *)b->data;
	e->reclen = EXT2_RECLEN(1);
	putentry(dir, e, &dot, dir);
	e = (struct ext2dirent *)(b->data + EXT2_RECLEN(1));
	e->reclen = b->of->size - EXT2_RECLEN(1);
	putentry(dir, e, &dots, parent);
	bdirty(b);
	brelse(b);
	dir->size = EXT2(dir)->bsize;
	return 0;
}

/* Let ".." of a directory that is moved lead to parent: 0 or -errno. */
static int
setdots(struct inode *dir, struct inode *parent)
{
	struct dentry dots = {.len = 2, .name = ".."};
	struct slot at;
	int err;

	EXT2I(dir)->lastfound = 0;
	if ((err = findname(dir, &dots, &at)) < 0)
		return err;
	setino(dir, &at, parent);
	brelse(at.b);
	return 0;
}

/* Has the directory no names but "." and ".."? 1, 0 or -EIO. */
static int
isemptydir(struct inode *dir)
{
	uint n = dir->size >> EXT2(dir)->bits;
	struct buf *b;
	int r = 1;

	for (uint block = 0; block < n && r == 1; block++) {
		if (!(b = ext2block(dir, block, &r)))
			return r;
		r = onlydots(dir, b);
		brelse(b);
	}
	return r;
}

/* isemptydir() for one block. */
static int
onlydots(struct inode *dir, struct buf *b)
{
	struct ext2dirent *e;

	for (uint off = 0; off < b->of->size; off += e->reclen) {
		if (!(e = entryat(dir, b, off)))
			return -EIO;
		if (e->ino && !(e->name[0] == '.' && (e->namelen == 1 ||
			(e->namelen == 2 && e->name[1] == '.'))))
			return 0;
	}
	return 1;
}

/* See inodeops. */
static int
dircreate(struct inode *dir, struct dentry *d, uint mode, uint rdev)
{
	return makefile(dir, d, mode, rdev, 0);
}

/* See inodeops. */
static int
dirsymlink(struct inode *dir, struct dentry *d, const char *target)
{
	return makefile(dir, d, S_IFLNK | 0777, 0, target);
}

/* Make a file of any type, with a target a link, and its name: 0 or -errno. */
static int
makefile(struct inode *dir, struct dentry *d, uint mode, uint rdev,
	const char *target)
{
	struct inode *ip;
	int err;

	if (target && strlen(target) >= EXT2(dir)->bsize)
		return -ENAMETOOLONG;
	if (S_ISDIR(mode) && dir->nlink >= EXT2_LINKMAX)
		return -EMLINK;
	acquiresleep(&dir->lock);
	if ((err = maychange(dir)) < 0 ||
		!(ip = ext2new(dir, mode, rdev, &err)))
		goto out;
	err = S_ISDIR(mode) ? makedots(ip, dir) : target ?
		filllink(ip, target) : 0;
	if (err < 0 || (err = ext2put(ip, 0)) < 0 ||
		(err = addname(dir, d, ip)) < 0) {
		ip->nlink = 0;
		iput(ip);
		goto out;
	}
	if (S_ISDIR(mode))
		dir->nlink++;
	dirchanged(dir);
	dname(d, ip);
out:
	releasesleep(&dir->lock);
	return err;
}

/* Store the target of a new link, in the inode if it fits, or else in a block:
 * 0 or -errno. */
static int
filllink(struct inode *ip, const char *target)
{
	uint n = strlen(target);
	struct buf *b;
	int err;

	ip->size = n;
	if (n < sizeof(EXT2I(ip)->block)) {
		memcpy(EXT2I(ip)->block, target, n);
		return 0;
	}
	if (!(b = ext2extend(ip, 0, &err)))
		return err;
	bhold(b);
	memcpy(b->data, target, n);
	bdirty(b);
	brelse(b);
	return 0;
}

/* Names in the directory have changed: set its times, and put its inode.
 * Called with dir->lock held. */
static void
dirchanged(struct inode *dir)
{
	lockassert(holdingsleep(&dir->lock));
	EXT2I(dir)->flags &= ~EXT2_INDEX_FL;
	dir->mtime = dir->ctime = realns();
	idirty(dir, IDIRTY_FIELDS);
	(void)ext2put(dir, 0);
}

/* May names be made in the directory? 0 or -EPERM, also for the superuser. */
static int
maychange(struct inode *dir)
{
	return EXT2I(dir)->flags & EXT2_IMMUTABLE_FL ? -EPERM : 0;
}

/* See inodeops. */
static int
dirlink(struct inode *dir, struct dentry *d, struct inode *old)
{
	int err;

	if (old->nlink >= EXT2_LINKMAX)
		return -EMLINK;
	if (EXT2I(old)->flags & (EXT2_IMMUTABLE_FL | EXT2_APPEND_FL))
		return -EPERM;
	acquiresleep(&dir->lock);
	if ((err = maychange(dir)) == 0 && (err = addname(dir, d, old)) == 0) {
		old->nlink++;
		dirchanged(dir);
		old->ctime = dir->ctime;
		idirty(old, IDIRTY_FIELDS);
		(void)ext2put(old, 0);
		dname(d, iget(old));
	}
	releasesleep(&dir->lock);
	return err;
}

/* See inodeops. */
static int
dirunlink(struct inode *dir, struct dentry *d)
{
	struct inode *ip = d->inode;
	int err;

	acquiresleep(&dir->lock);
	if ((err = mayunlink(dir, ip)) == 0 && (err = delname(dir, d)) == 0) {
		dirchanged(dir);
		lostname(dir, ip);
		dgone(d);
	}
	releasesleep(&dir->lock);
	return err;
}

/* May ip lose its name in dir? 0 or -errno. */
static int
mayunlink(struct inode *dir, struct inode *ip)
{
	int err;

	if ((EXT2I(dir)->flags | EXT2I(ip)->flags) &
		(EXT2_IMMUTABLE_FL | EXT2_APPEND_FL))
		return -EPERM;
	if (ip->nlink == 0)
		return ext2bad(EXT2(dir), "inode without links", ip->ino);
	if (!S_ISDIR(ip->mode))
		return 0;
	if ((err = isemptydir(ip)) < 0)
		return err;
	return err ? 0 : -ENOTEMPTY;
}

/* ip has lost a name in dir; a directory its only one.  Counts links and puts
 * the inodes. */
static void
lostname(struct inode *dir, struct inode *ip)
{
	if (S_ISDIR(ip->mode)) {
		ip->nlink = 0;
		lesslink(dir);
	} else {
		ip->nlink--;
	}
	ip->ctime = dir->ctime;
	idirty(ip, IDIRTY_FIELDS);
	(void)ext2put(ip, 0);
}

/* dir has lost a directory, whose ".." was a link to it. */
static void
lesslink(struct inode *dir)
{
	if (dir->nlink > 2) /* else the disk is damaged */
		dir->nlink--;
	(void)ext2put(dir, 0);
}

/* See inodeops. */
static int
dirrename(struct inode *from, struct dentry *old, struct inode *to,
	struct dentry *new)
{
	int err;

	lockboth(from, to);
	err = movename(from, old, to, new);
	if (err == 0) {
		acquire(&nameslock);
		dmove(old, new);
		release(&nameslock);
		treefree(new); /* negative dentries below it */
	}
	releasesleep(&from->lock);
	if (to != from)
		releasesleep(&to->lock);
	return err;
}

/* Lock one or two directories, the lower address first.  Only a holder of
 * super->lock locks two. */
static void
lockboth(struct inode *a, struct inode *b)
{
	lockassert(holdingsleep(&a->super->lock));
	acquiresleep(a < b ? &a->lock : &b->lock);
	if (a != b)
		acquiresleep(a < b ? &b->lock : &a->lock);
}

/* Rename; the locks of both directories are held.  0 or -errno. */
static int
movename(struct inode *from, struct dentry *old, struct inode *to,
	struct dentry *new)
{
	struct inode *ip = old->inode, *victim = new->inode;
	int moves = S_ISDIR(ip->mode) && from != to, err;

	lockassert(holdingsleep(&from->lock));
	lockassert(holdingsleep(&to->lock));
	if ((err = maymovename(from, to, ip, victim)) < 0)
		return err;
	err = victim ? repoint(to, new, ip) : addname(to, new, ip);
	if (err < 0 || (err = delname(from, old)) < 0)
		return err;
	if (moves && setdots(ip, to) == 0) {
		to->nlink++;
		lesslink(from);
	}
	dirchanged(to);
	dirchanged(from);
	if (victim)
		lostname(to, victim);
	ip->ctime = to->ctime;
	idirty(ip, IDIRTY_FIELDS);
	return 0;
}

/* May ip go from one directory to the other, in place of victim (or 0)? 0 or
 * -errno. */
static int
maymovename(struct inode *from, struct inode *to, struct inode *ip,
	struct inode *victim)
{
	int err;

	if ((EXT2I(from)->flags | EXT2I(ip)->flags) &
		(EXT2_IMMUTABLE_FL | EXT2_APPEND_FL))
		return -EPERM;
	if ((err = maychange(to)) < 0)
		return err;
	if (S_ISDIR(ip->mode) && from != to && !victim &&
		to->nlink >= EXT2_LINKMAX)
		return -EMLINK;
	return victim ? mayunlink(to, victim) : 0;
}

/* Make the entry of new's name a name of ip: 0 or -errno. */
static int
repoint(struct inode *dir, struct dentry *new, struct inode *ip)
{
	struct slot at;
	int err = findname(dir, new, &at);

	if (err < 0)
		return err;
	setino(dir, &at, ip);
	brelse(at.b);
	return 0;
}

/* See fileops. f->off is the offset of the next entry in bytes. */
static int
dirread(struct file *f, struct dirsink *s)
{
	struct inode *dir = f->inode;
	uint bits = EXT2(dir)->bits;
	int err = 0;

	acquiresleep(&dir->lock);
	while (err == 0 && (uint64_t)f->off < dir->size && dir->nlink)
		err = readblock(f, s, f->off >> bits);
	releasesleep(&dir->lock);
	iaccessed(dir);
	return MIN(err, 0);
}

/* Give s the entries of one block from f->off on: 0 (f->off is behind the
 * block), 1 (s is full) or -EIO.  No entry may begin at f->off any more, so
 * they are followed from the first one on. */
static int
readblock(struct file *f, struct dirsink *s, uint block)
{
	static const uint8_t types[8] = {DT_UNKNOWN, DT_REG, DT_DIR, DT_CHR,
		DT_BLK, DT_FIFO, DT_SOCK, DT_LNK};
	struct inode *dir = f->inode;
	int64_t start = (int64_t)block << EXT2(dir)->bits;
	struct ext2dirent *e;
	struct buf *b;
	int err;

	if (!(b = ext2block(dir, block, &err)))
		return err;
	for (uint off = 0; off < b->of->size; off += e->reclen) {
		if (!(e = entryat(dir, b, off))) {
			err = -EIO;
			break;
		}
		if (start + off < f->off)
			continue;
		if (e->ino && s->emit(s, e->name, e->namelen, e->ino,
			EXT2(dir)->filetype ? types[e->type % 8] : 0,
			start + off + e->reclen)) {
			err = 1;
			break;
		}
		f->off = start + off + e->reclen;
	}
	if (err == 0) /* the entry at f->off may have been swallowed */
		f->off = start + b->of->size;
	brelse(b);
	return err;
}
