/*
 * names.c - open, and the calls that make, move and remove names.
 *
 * Each call that changes a name finds the directory of the path's last
 * component, takes the lock of that file system's names (super->lock), looks
 * for the component, checks everything, and then lets the file system do the
 * change.  In xv6 create(), sys_link() and sys_unlink() do all of that
 * themselves, and the lock is that of the directory's inode.
 */
#include "kern/fs/inode.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/blk/blk.h"
#include "kern/dev/dev.h"
#include "kern/proc.h"
#include "kern/lib/string.h"

#define MAXLINKS 40
#define TMPFILE  (O_TMPFILE & ~O_DIRECTORY)

struct place { /* where a name is, or is to be */
	struct dentry *dir; /* referenced */
	const char *name;   /* len bytes, in the path */
	uint len;
	int slash;          /* a slash follows the name */
	int dots;           /* the name is empty (of "/"), "." or ".." */
	struct dentry *d;   /* what has that name, referenced; 0: nothing */
};

static const struct fileops pathops; /* of O_PATH files: no operations */

static int findopen(struct dentry *at, const char *path, uint flags, uint mode,
	struct dentry **dp);
static int opencreate(struct dentry *at, const char *path, uint flags,
	uint mode, struct dentry **dp);
static int opentmp(struct dentry *at, const char *path, uint flags, uint mode,
	struct dentry **dp);
static uint masked(struct inode *dir, uint mode);
static int createlast(struct place *pl, uint flags, uint mode,
	struct dentry **dp);
static int nextlink(struct place *pl, char **buf, struct dentry **dp);
static int mayopen(struct inode *ip, uint flags, int created);
static int openfile(struct file *f, struct dentry *d, uint flags);
static int openinode(struct file *f, struct inode *ip);
static int lockplace(struct place *pl, struct dentry *at, const char *path);
static int findplace(struct place *pl, struct dentry *at, const char *path);
static int findlast(struct place *pl);
static void unlockplace(struct place *pl);
static void dropplace(struct place *pl);
static int mayadd(struct place *pl);
static int mayremove(struct place *pl, int isdir);
static int newname(struct place *pl, struct dentry **dp);
static int newnode(struct place *pl, uint mode, uint rdev, struct dentry **dp);
static int removename(struct place *pl, int isdir);
static int renamelocked(struct place *from, struct place *to, uint flags);
static int exchangenames(struct place *from, struct place *to);
static int maymove(struct place *from, struct place *to);
static int mayrename(struct place *from, struct place *to);
static int isbelow(struct dentry *d, struct dentry *top);
static int makeroom(struct place *pl);

struct file *
openpath(struct dentry *at, const char *path, uint flags, uint mode, int *err)
{
	struct file *f;
	struct dentry *d;

	if (flags & O_PATH)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	*err = -EINVAL;
	if (flags & TMPFILE && ((flags & (O_TMPFILE | O_CREAT)) != O_TMPFILE ||
		(flags & O_ACCMODE) == O_RDONLY))
		return 0;
	*err = -ENFILE;
	if (!(f = filealloc()))
		return 0;
	*err = findopen(at, path, flags, mode, &d);
	if (*err >= 0) {
		*err = openfile(f, d, flags);
		dput(d);
	}
	if (*err >= 0)
		return f;
	fileclose(f);
	return 0;
}

/* Find or make the file that openpath() is to open, and check that it may be:
 * 0 or 1 (it is new) with *dp referenced, or -errno. */
static int
findopen(struct dentry *at, const char *path, uint flags, uint mode,
	struct dentry **dp)
{
	int how = (flags & O_NOFOLLOW ? WALK_NOFOLLOW : 0) |
		(flags & O_DIRECTORY ? WALK_DIR : 0);
	int err;

	if (flags & TMPFILE)
		return opentmp(at, path, flags, mode, dp);
	if (flags & O_CREAT)
		err = opencreate(at, path, flags, mode, dp);
	else
		err = walk(at, path, how, dp, 0);
	if (err < 0 || flags & O_PATH)
		return err;
	err = mayopen((*dp)->inode, flags, err);
	if (err < 0)
		dput(*dp);
	return err;
}

/* O_TMPFILE: make a file without a name in the directory of the path, and
 * store its dentry, referenced, in *dp: 0 or -errno. */
static int
opentmp(struct dentry *at, const char *path, uint flags, uint mode,
	struct dentry **dp)
{
	struct dentry *dir, *d = 0;
	struct inode *ip;
	int err = walk(at, path, WALK_DIR, &dir, 0);

	if (err < 0)
		return err;
	ip = dir->inode;
	acquiresleep(&ip->super->lock);
	if ((err = iaccess(ip, W_OK | X_OK, 0)) == 0)
		err = !ip->ops->tmpfile ? -EOPNOTSUPP :
			!(d = dentrynew(dir, "#", 1)) ? -ENOMEM : 0;
	if (err == 0)
		err = ip->ops->tmpfile(ip, d,
			S_IFREG | masked(ip, mode & 07777));
	if (err == 0) {
		d->unlinked = 1;
		d->inode->linkable = !(flags & O_EXCL);
	}
	releasesleep(&ip->super->lock);
	dput(dir);
	if (err < 0)
		dput(d);
	*dp = d;
	return err;
}

/* The mode of a new file in dir: the process's umask applies, and S_ISGID goes
 * if the process is not in the group that the file will have. */
static uint
masked(struct inode *dir, uint mode)
{
	struct proc *p = myproc();

	if (!p || !p->fs)
		return mode;
	if (dir->mode & S_ISGID && !S_ISDIR(mode) && mode & S_IXGRP &&
		p->fsuid && !igroup(dir->gid))
		mode &= ~S_ISGID;
	return mode & ~p->fs->umask;
}

struct file *
opendentry(struct dentry *d, uint flags, int *err)
{
	struct file *f;

	if ((*err = mayopen(d->inode, flags, 0)) < 0)
		return 0;
	*err = -ENFILE;
	if (!(f = filealloc()))
		return 0;
	if ((*err = openfile(f, d, flags)) == 0)
		return f;
	fileclose(f);
	return 0;
}

/* O_CREAT: find or make the file.  Returns 1 if *dp is new, 0 if it was there,
 * or -errno.  If the last component is a link, it is followed, and the name
 * that it holds is made. */
static int
opencreate(struct dentry *at, const char *path, uint flags, uint mode,
	struct dentry **dp)
{
	struct dentry *from = at ? dget(at) : 0;
	char *buf = 0;
	struct place pl;
	int err;

	for (int n = 0;; n++) {
		if ((err = lockplace(&pl, from, path)) < 0)
			break;
		err = -ELOOP;
		if (!pl.d || !S_ISLNK(pl.d->inode->mode) ||
			flags & (O_EXCL | O_NOFOLLOW))
			err = createlast(&pl, flags, mode, dp);
		else if (n < MAXLINKS)
			err = nextlink(&pl, &buf, dp);
		if (err != -EAGAIN) {
			unlockplace(&pl);
			break;
		}
		dput(from);
		from = dget(pl.dir);
		path = buf;
		unlockplace(&pl);
	}
	dput(from);
	putpath(buf);
	return err;
}

/* Find or make the last component: 1 if *dp is new, 0 if it was there, or
 * -errno.  Called with the lock of the names held. */
static int
createlast(struct place *pl, uint flags, uint mode, struct dentry **dp)
{
	struct dentry *d = pl->d;
	int err;

	lockassert(holdingsleep(&pl->dir->inode->super->lock));
	if (pl->dots || pl->slash)
		return -EISDIR;
	if (d && flags & O_EXCL)
		return -EEXIST;
	if (d) {
		acquire(&nameslock);
		while (d->mounted)
			d = d->mounted;
		*dp = dget(d);
		release(&nameslock);
		return 0;
	}
	err = newnode(pl, S_IFREG | (mode & 07777), 0, dp);
	return err < 0 ? err : 1;
}

/* Read the link pl->d into *buf, a page that is allocated here if *buf is 0.
 * Returns -EAGAIN: go on with the path in *buf; 0: a link of /proc that leads
 * to *dp; or another -errno. */
static int
nextlink(struct place *pl, char **buf, struct dentry **dp)
{
	struct inode *ip = pl->d->inode;
	int n = -ENOENT;

	if (ip->ops->follow) {
		*dp = ip->ops->follow(ip, &n);
		return *dp ? 0 : n;
	}
	if (!*buf && !(*buf = kalloc()))
		return -ENOMEM;
	n = ip->ops->readlink ? ip->ops->readlink(ip, *buf, PATH_MAX - 1)
			      : -EINVAL;
	if (n < 0)
		return n;
	(*buf)[n] = 0;
	return n ? -EAGAIN : -ENOENT;
}

/* May the process open the inode with these flags? 0 or -errno. created: it
 * has just made the file, so the mode does not matter. */
static int
mayopen(struct inode *ip, uint flags, int created)
{
	static const uint8_t wants[] = {R_OK, W_OK, R_OK | W_OK, R_OK | W_OK};
	int want = wants[flags & O_ACCMODE] | (flags & O_TRUNC ? W_OK : 0);

	if (S_ISLNK(ip->mode))
		return -ELOOP;
	if (flags & O_EXEC)
		return S_ISREG(ip->mode) ? iaccess(ip, X_OK, 0) : -EACCES;
	if (S_ISDIR(ip->mode) && (want & W_OK || flags & O_CREAT))
		return -EISDIR;
	if (flags & O_DIRECTORY && !S_ISDIR(ip->mode))
		return -ENOTDIR;
	if (S_ISSOCK(ip->mode))
		return -ENXIO;
	return created ? 0 : iaccess(ip, want, 0);
}

/* Make f an open file of d: 0 or -errno; the caller closes f in either case. */
static int
openfile(struct file *f, struct dentry *d, uint flags)
{
	struct inode *ip = d->inode;
	int err = 0;

	f->flags = flags & ~O_CLOEXEC;
	f->dentry = dget(d);
	f->inode = ip;
	if (flags & O_PATH) {
		f->ops = &pathops;
		return 0;
	}
	if (!(flags & (O_LARGEFILE | O_EXEC)) && S_ISREG(ip->mode) &&
		ip->pages && pcachesize(ip->pages) > INT32_MAX)
		return -EOVERFLOW;
	if ((err = openinode(f, ip)) < 0) {
		f->ops = 0;
		return err;
	}
	if (f->flags & O_ACCMODE && S_ISREG(ip->mode)) {
		if ((err = igetwriter(ip)) < 0)
			return err;
		f->counted = FILE_WRITER;
	}
	f->supererr = ip->super->nerr;
	if (ip->blkbits && ip->pages)
		(void)pcacheerror(ip->pages, &f->wberr); /* not of the past */
	f->flags &= ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC);
	if (flags & O_TRUNC && S_ISREG(ip->mode) && f->ops->truncate)
		err = filetruncate(f, 0, 0);
	return err;
}

/* Set what f can do, by the kind of inode, and let drivers and file systems
 * open it: 0 or -errno. */
static int
openinode(struct file *f, struct inode *ip)
{
	struct device *dev;

	f->ops = ip->fops;
	if (S_ISFIFO(ip->mode))
		return fifoopen(ip, f);
	if (S_ISCHR(ip->mode) || S_ISBLK(ip->mode)) {
		if (ip->super->flags & MS_NODEV)
			return -EACCES;
		if (S_ISBLK(ip->mode))
			return blkopen(f, ip->rdev);
		if (!(dev = devfind(ip->rdev)))
			return -ENXIO;
		f->ops = dev->ops;
		f->priv = dev->priv;
		f->off = ip->rdev - dev->rdev;
		return dev->open ? dev->open(f) : 0;
	}
	if (ip->ops && ip->ops->open)
		return ip->ops->open(ip, f);
	return f->ops ? 0 : -ENXIO;
}

/* Find the place that a path names, and take the lock of the names there;
 * unlockplace() undoes both.  Returns 0, or -errno with nothing held. */
static int
lockplace(struct place *pl, struct dentry *at, const char *path)
{
	int err = findplace(pl, at, path);

	if (err < 0)
		return err;
	acquiresleep(&pl->dir->inode->super->lock);
	if ((err = findlast(pl)) < 0)
		unlockplace(pl);
	return err;
}

/* Find the directory of the path's last component, and split off the
 * component: 0 with pl->dir referenced, or -errno.  Takes no lock. */
static int
findplace(struct place *pl, struct dentry *at, const char *path)
{
	int err = walk(at, path, WALK_PARENT, &pl->dir, &pl->name);
	const char *p;

	if (err < 0)
		return err;
	for (p = pl->name; *p && *p != '/'; p++)
		;
	pl->len = p - pl->name;
	pl->slash = *p == '/';
	pl->d = 0;
	pl->dots = pl->len == 0 || (pl->name[0] == '.' && (pl->len == 1 ||
		(pl->len == 2 && pl->name[1] == '.')));
	return 0;
}

/* Look for the component; pl->d is 0 if there is none.  Returns 0 or -errno.
 * Called with the lock of the names held. */
static int
findlast(struct place *pl)
{
	int err;

	lockassert(holdingsleep(&pl->dir->inode->super->lock));
	if (pl->dots)
		return 0;
	if (pl->len > NAME_MAX)
		return -ENAMETOOLONG;
	if (pl->dir->unlinked)
		return -ENOENT;
	if ((err = iaccess(pl->dir->inode, X_OK, 0)) < 0)
		return err;
	err = dlookup(pl->dir, pl->name, pl->len, namehash(pl->name, pl->len),
		&pl->d);
	return err == -ENOENT ? 0 : err;
}

/* Release the lock of the names, and the references of pl. */
static void
unlockplace(struct place *pl)
{
	releasesleep(&pl->dir->inode->super->lock);
	dropplace(pl);
}

/* Release the references of pl. */
static void
dropplace(struct place *pl)
{
	dput(pl->d);
	dput(pl->dir);
}

/* May a name be made there? 0 or -errno.  Called with the lock of the names
 * held. */
static int
mayadd(struct place *pl)
{
	lockassert(holdingsleep(&pl->dir->inode->super->lock));
	if (pl->dots || pl->d)
		return -EEXIST;
	return iaccess(pl->dir->inode, W_OK | X_OK, 0);
}

/* May the name be removed, with isdir as that of a directory, else of another
 * file? 0 or -errno.  Called with the lock of the names held. */
static int
mayremove(struct place *pl, int isdir)
{
	struct inode *dir = pl->dir->inode, *ip;
	struct proc *p = myproc();
	int err;

	lockassert(holdingsleep(&pl->dir->inode->super->lock));
	if (dir->super->flags & MS_RDONLY)
		return -EROFS;
	if (!pl->d)
		return -ENOENT;
	ip = pl->d->inode;
	if ((err = iaccess(dir, W_OK | X_OK, 0)) < 0)
		return err;
	if (dir->mode & S_ISVTX && p && p->fsuid && p->fsuid != ip->uid &&
		p->fsuid != dir->uid)
		return -EPERM;
	if (isdir && !S_ISDIR(ip->mode))
		return -ENOTDIR;
	if (!isdir && S_ISDIR(ip->mode))
		return -EISDIR;
	return pl->d->mounted ? -EBUSY : 0;
}

/* Make a dentry without an inode for a name that may be made: 0 with *dp, or
 * -errno.  Called with the lock of the names held. */
static int
newname(struct place *pl, struct dentry **dp)
{
	int err = mayadd(pl);

	lockassert(holdingsleep(&pl->dir->inode->super->lock));
	if (err < 0)
		return err;
	*dp = dentrynew(pl->dir, pl->name, pl->len);
	return *dp ? 0 : -ENOMEM;
}

/* Make a file of the type in mode, or a device file, and its name: 0 with *dp
 * referenced, or -errno.  Called with the lock of the names held. */
static int
newnode(struct place *pl, uint mode, uint rdev, struct dentry **dp)
{
	struct inode *dir = pl->dir->inode;
	int err = newname(pl, dp);

	lockassert(holdingsleep(&pl->dir->inode->super->lock));
	if (err < 0)
		return err;
	err = dir->ops->create ?
		dir->ops->create(dir, *dp, masked(dir, mode), rdev) : -EPERM;
	if (err < 0)
		dput(*dp);
	return err;
}

int
fsmake(struct dentry *at, const char *path, uint mode, uint rdev)
{
	struct place pl;
	struct dentry *d;
	int err = lockplace(&pl, at, path);

	if (err < 0)
		return err;
	if (pl.slash && !pl.d && !pl.dots && !S_ISDIR(mode))
		err = -ENOENT;
	else if ((err = newnode(&pl, mode, rdev, &d)) == 0)
		dput(d);
	unlockplace(&pl);
	return err;
}

int
fssymlink(const char *target, struct dentry *at, const char *path)
{
	struct place pl;
	struct dentry *d;
	struct inode *dir;
	int err;

	if (!*target)
		return -ENOENT;
	if ((err = lockplace(&pl, at, path)) < 0)
		return err;
	dir = pl.dir->inode;
	if (pl.slash && !pl.d && !pl.dots)
		err = -ENOENT;
	else if ((err = newname(&pl, &d)) == 0) {
		err = dir->ops->symlink ? dir->ops->symlink(dir, d, target) :
			-EPERM;
		dput(d);
	}
	unlockplace(&pl);
	return err;
}

int
fslink(struct dentry *old, struct dentry *at, const char *path)
{
	struct place pl;
	struct dentry *d;
	struct inode *dir;
	int err = lockplace(&pl, at, path);

	if (err < 0)
		return err;
	dir = pl.dir->inode;
	if (pl.slash && !pl.d && !pl.dots)
		err = -ENOENT;
	else if ((err = newname(&pl, &d)) == 0) {
		if (old->inode->super != dir->super)
			err = -EXDEV;
		else if (S_ISDIR(old->inode->mode) || !dir->ops->link)
			err = -EPERM;
		else if (old->inode->nlink == 0 && !old->inode->linkable)
			err = -ENOENT;
		else if ((err = dir->ops->link(dir, d, old->inode)) == 0)
			old->inode->linkable = 0;
		dput(d);
	}
	unlockplace(&pl);
	return err;
}

int
fsunlink(struct dentry *at, const char *path, int isdir)
{
	struct place pl;
	int err = lockplace(&pl, at, path);

	if (err < 0)
		return err;
	if (pl.dots && !isdir)
		err = -EISDIR;
	else if (pl.dots)
		err = pl.len == 0 ? -EBUSY : pl.len == 1 ? -EINVAL : -ENOTEMPTY;
	else if (pl.slash && pl.d && !isdir)
		err = S_ISDIR(pl.d->inode->mode) ? -EISDIR : -ENOTDIR;
	else
		err = removename(&pl, isdir);
	unlockplace(&pl);
	return err;
}

/* Remove the name if the process may: 0 or -errno.  Called with the lock of
 * the names held. */
static int
removename(struct place *pl, int isdir)
{
	struct inode *dir = pl->dir->inode;
	int err = mayremove(pl, isdir);

	lockassert(holdingsleep(&pl->dir->inode->super->lock));
	if (err < 0)
		return err;
	return dir->ops->unlink ? dir->ops->unlink(dir, pl->d) : -EPERM;
}

int
fsrename(struct dentry *oldat, const char *oldpath, struct dentry *newat,
	const char *newpath, uint flags)
{
	struct place from, to;
	struct super *super;
	int err;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE) ||
		flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if ((err = findplace(&from, oldat, oldpath)) < 0)
		return err;
	if ((err = findplace(&to, newat, newpath)) < 0) {
		dropplace(&from);
		return err;
	}
	super = from.dir->inode->super;
	if (to.dir->inode->super != super)
		err = -EXDEV;
	else if (from.dots || to.dots)
		err = to.dots && flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	else {
		acquiresleep(&super->lock);
		err = renamelocked(&from, &to, flags);
		releasesleep(&super->lock);
	}
	dropplace(&to);
	dropplace(&from);
	return err;
}

/* Rename from to to; both directories have been found.  Returns 0 or -errno.
 * Called with the lock of the names held. */
static int
renamelocked(struct place *from, struct place *to, uint flags)
{
	struct inode *dir = from->dir->inode;
	struct dentry *new;
	int err;

	lockassert(holdingsleep(&from->dir->inode->super->lock));
	if (dir->super->flags & MS_RDONLY)
		return -EROFS;
	if ((err = findlast(from)) < 0 || (err = findlast(to)) < 0)
		return err;
	if (!from->d)
		return -ENOENT;
	if (to->d && flags & RENAME_NOREPLACE)
		return -EEXIST;
	if (flags & RENAME_EXCHANGE)
		return exchangenames(from, to);
	if ((from->slash || to->slash) && !S_ISDIR(from->d->inode->mode))
		return -ENOTDIR;
	if ((err = mayrename(from, to)) < 0)
		return err;
	if (to->d && to->d->inode == from->d->inode)
		return 0;
	if (!dir->ops->rename)
		return -EPERM;
	if (to->d)
		new = dget(to->d);
	else if (!(new = dentrynew(to->dir, to->name, to->len)))
		return -ENOMEM;
	err = dir->ops->rename(dir, from->d, to->dir->inode, new);
	dput(new);
	return err;
}

/* RENAME_EXCHANGE: 0 or -errno.  Called with the lock of the names held. */
static int
exchangenames(struct place *from, struct place *to)
{
	struct inode *dir = from->dir->inode;
	int err;

	lockassert(holdingsleep(&from->dir->inode->super->lock));
	if (!to->d)
		return -ENOENT;
	if (isbelow(to->dir, from->d) || isbelow(from->dir, to->d))
		return -EINVAL;
	if ((err = mayremove(from, S_ISDIR(from->d->inode->mode))) < 0 ||
		(err = mayremove(to, S_ISDIR(to->d->inode->mode))) < 0 ||
		(err = maymove(from, to)) < 0 || (err = maymove(to, from)) < 0)
		return err;
	if (to->d->inode == from->d->inode)
		return 0;
	return dir->ops->exchange ? dir->ops->exchange(dir, from->d,
		to->dir->inode, to->d) : -EINVAL;
}

/* May a directory go to another place, where its ".." changes? 0 or -errno.
 * Called with the lock of the names held. */
static int
maymove(struct place *from, struct place *to)
{
	struct inode *ip = from->d->inode;

	lockassert(holdingsleep(&from->dir->inode->super->lock));
	return S_ISDIR(ip->mode) && from->dir != to->dir ?
		iaccess(ip, W_OK, 0) : 0;
}

/* May from be renamed to to, which may exist? 0 or -errno.  Called with the
 * lock of the names held. */
static int
mayrename(struct place *from, struct place *to)
{
	int isdir = S_ISDIR(from->d->inode->mode);
	int err;

	lockassert(holdingsleep(&from->dir->inode->super->lock));
	if (isbelow(to->dir, from->d))
		return -EINVAL;
	if (to->d && isbelow(from->dir, to->d))
		return -ENOTEMPTY;
	if ((err = mayremove(from, isdir)) < 0)
		return err;
	err = to->d ? mayremove(to, isdir) : mayadd(to);
	return err ? err : maymove(from, to);
}

/* Is d the dentry top, or below it? */
static int
isbelow(struct dentry *d, struct dentry *top)
{
	int yes;

	acquire(&nameslock);
	while (d != top && d->parent != d)
		d = d->parent;
	yes = d == top;
	release(&nameslock);
	return yes;
}

int
mkpath(const char *path, uint mode, uint rdev, uint uid, uint gid,
	int64_t mtime, struct dentry **out)
{
	struct place pl;
	struct inode *ip;
	struct dentry *d;
	int err = lockplace(&pl, 0, path);

	if (err < 0)
		return err;
	if (pl.dots)
		d = dget(pl.dir);
	else if (pl.d && S_ISDIR(pl.d->inode->mode) && S_ISDIR(mode))
		d = dget(pl.d);
	else if ((err = makeroom(&pl)) == 0)
		err = newnode(&pl, mode, rdev, &d);
	if (!err) {
		ip = d->inode;
		ip->mode = (ip->mode & S_IFMT) | (mode & ~S_IFMT);
		ip->uid = uid;
		ip->gid = gid;
		ip->atime = ip->mtime = ip->ctime = mtime;
		if (out)
			*out = d;
		else
			dput(d);
	}
	unlockplace(&pl);
	return err;
}

/* Remove what is at pl, if anything: 0 or -errno.  Called with the lock of the
 * names held. */
static int
makeroom(struct place *pl)
{
	int err;

	lockassert(holdingsleep(&pl->dir->inode->super->lock));
	if (!pl->d)
		return 0;
	if ((err = removename(pl, S_ISDIR(pl->d->inode->mode))) < 0)
		return err;
	dput(pl->d);
	pl->d = 0;
	return 0;
}

int
symlinkpath(const char *target, const char *path)
{
	int err = fssymlink(target, 0, path);

	if (err == -EEXIST && (err = fsunlink(0, path, 0)) == 0)
		err = fssymlink(target, 0, path);
	return err;
}

int
linkpath(struct dentry *old, const char *path)
{
	int err = fslink(old, 0, path);

	if (err == -EEXIST && (err = fsunlink(0, path, 0)) == 0)
		err = fslink(old, 0, path);
	return err;
}
