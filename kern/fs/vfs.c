/*
 * vfs.c - walking paths.
 *
 * xv6's namex() locks and reads one directory inode after the other.  Here a
 * name that was found before has a dentry, so most walks read no directory:
 * they go from dentry to dentry under nameslock and take no references.  Where
 * a walk must sleep (a directory's lookup, a link's target), it first takes a
 * reference to the dentry where it is, which w->held remembers:
 *
 *  1. The walk has a reference to w->held.  That dentry is an earlier stop of
 *     the walk, or w->d itself; w->d may be used without a reference of its own
 *     as long as nameslock is held.
 *  2. The rest of the path is in the caller's string or, once a link was
 *     followed, in the page w->buf: the link's target, then the rest.
 */
#include "kern/fs/inode.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/proc.h"
#include "kern/lib/string.h"

#define MAXLINKS 40 /* symbolic links in one walk, as on Linux */

struct walk {
	struct dentry *root;  /* the walk's "/": .. does not lead out of it */
	int rootheld;         /* the walk has a reference to root */
	struct dentry *held;  /* the walk has a reference, rule 1; or 0 */
	struct dentry *d;     /* where the walk is now */
	char *buf;            /* rule 2: a page; or 0 */
	int nlinks;           /* symbolic links followed so far */
};

static const char *lastpart(const char *path);
static void startwalk(struct walk *w, struct dentry *at, const char *path);
static int walkon(struct walk *w, const char *p, const char *stop, int flags);
static int walkdots(struct walk *w, const char *name, uint len);
static int step(struct walk *w, const char *name, uint len, uint hash,
	struct dentry **dp);
static int askfs(struct dentry *dir, const char *name, uint len,
	struct dentry **dp);
static int followlink(struct walk *w, struct dentry *d, const char **p,
	const char **stop);
static void hold(struct walk *w, struct dentry *d);
static int pastelink(struct walk *w, struct inode *ip, const char **p,
	const char **stop);

int
walk(struct dentry *at, const char *path, int flags, struct dentry **out,
	const char **last)
{
	struct walk w;
	const char *stop = 0;
	int err;

	if (!*path)
		return -ENOENT;
	if (flags & WALK_PARENT)
		*last = stop = lastpart(path);
	startwalk(&w, at, path);
	acquire(&nameslock);
	err = walkon(&w, path, stop, flags);
	if (!err)
		*out = dget(w.d);
	release(&nameslock);
	dput(w.held);
	if (w.rootheld)
		dput(w.root);
	putpath(w.buf);
	return err;
}

/* Return where the last component of the path begins; slashes at its end do not
 * count. For "/" and "" that is the end of the string. */
static const char *
lastpart(const char *path)
{
	const char *p = path + strlen(path), *end = p;

	while (p > path && p[-1] == '/')
		p--;
	if (p == path)
		return end;
	while (p > path && p[-1] != '/')
		p--;
	return p;
}

/* Begin a walk at the process's root (an absolute path), at the dentry at, or
 * (at is 0) at the process's current directory. Takes a reference to the start,
 * and one to the root unless no other thread can change that. */
static void
startwalk(struct walk *w, struct dentry *at, const char *path)
{
	struct fsinfo *fs = myproc() ? myproc()->fs : 0;

	w->rootheld = 1;
	if (fs && fs->ref == 1) { /* no other thread can change it */
		w->root = fs->root;
		w->rootheld = 0;
		w->d = dget(*path == '/' ? w->root : at ? at : fs->cwd);
	} else if (fs) {
		acquire(&fs->lock);
		w->root = dget(fs->root);
		w->d = dget(*path == '/' ? w->root : at ? at : fs->cwd);
		release(&fs->lock);
	} else {
		w->root = dget(rootdentry);
		w->d = dget(*path == '/' || !at ? w->root : at);
	}
	w->held = w->d;
	w->buf = 0;
	w->nlinks = 0;
}

/* Walk the path p, up to stop if that is not 0. Returns 0, with w->d where the
 * path leads, or -errno. Called with nameslock held; it is released and taken
 * again wherever the walk sleeps. */
static int
walkon(struct walk *w, const char *p, const char *stop, int flags)
{
	const char *name;
	struct dentry *d = 0;
	uint hash;
	int err;

	lockassert(holding(&nameslock));
	for (;;) {
		for (name = p; *p == '/'; p++)
			;
		if (!*p || p == stop)
			break;
		if (!S_ISDIR(w->d->inode->mode))
			return -ENOTDIR;
		if ((w->d->inode->mode & 0111) != 0111 && /* else anybody may */
			(err = iaccess(w->d->inode, X_OK, 0)) < 0)
			return err;
		for (name = p, hash = 0; *p && *p != '/'; p++)
			hash = HASHSTEP(hash, *p);
		if (*name == '.' && walkdots(w, name, p - name))
			continue;
		if ((err = step(w, name, p - name, hash, &d)) < 0)
			return err;
		if (!S_ISLNK(d->inode->mode) || (!*p && flags & WALK_NOFOLLOW))
			w->d = d;
		else if ((err = followlink(w, d, &p, &stop)) < 0)
			return err;
	}
	if ((p > name || flags & (WALK_DIR | WALK_PARENT)) &&
		!S_ISDIR(w->d->inode->mode))
		return -ENOTDIR;
	return 0;
}

/* If the name is "." or "..", go there and return 1; otherwise return 0. ".."
 * of the root of a mount leads to the parent of the directory it is mounted on.
 * Called with nameslock held. */
static int
walkdots(struct walk *w, const char *name, uint len)
{
	struct dentry *d = w->d;

	lockassert(holding(&nameslock));
	if (len == 1)
		return 1;
	if (len != 2 || name[1] != '.')
		return 0;
	while (d != w->root && d->covers)
		d = d->covers;
	if (d != w->root)
		d = d->parent;
	while (d->mounted && d != w->root)
		d = d->mounted;
	w->d = d;
	return 1;
}

/* Find the name in w->d and store its dentry in *dp, or the root of what is
 * mounted there. Returns 0 or -errno. Called with nameslock held, which is
 * released while the file system is asked. */
static int
step(struct walk *w, const char *name, uint len, uint hash,
	struct dentry **dp)
{
	struct dentry *d;
	const struct inodeops *ops = w->d->inode->ops;
	int err;

	lockassert(holding(&nameslock));
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	d = dfind(w->d, name, len, hash);
	if (d && !d->inode) {
		d->used = 1;
		return -ENOENT;
	}
	if (!d || (d->inode->ops && d->inode->ops->valid)) {
		if (!ops || !ops->lookup)
			return -ENOENT;
		hold(w, w->d);
		err = dlookup(w->d, name, len, hash, &d);
		if (!err) {
			dput(w->held);
			w->held = d;
		}
		acquire(&nameslock);
		if (err)
			return err;
	}
	d->used = 1;
	while (d->mounted)
		d = d->mounted;
	*dp = d;
	return 0;
}

/* Make d the dentry that the walk holds, so that the caller may sleep. Called
 * with nameslock held; releases it. */
static void
hold(struct walk *w, struct dentry *d)
{
	lockassert(holding(&nameslock));
	dget(d);
	release(&nameslock);
	dput(w->held);
	w->held = d;
}

int
dlookup(struct dentry *dir, const char *name, uint len, uint hash,
	struct dentry **dp)
{
	const struct inodeops *ops = dir->inode->ops;
	struct dentry *d;
	int err = 0;

	lockassert(nospinlocks());
	acquiresleep(&dir->inode->lock);
	acquire(&nameslock);
	if ((d = dfind(dir, name, len, hash)))
		dget(d);
	release(&nameslock);
	if (d && !d->inode)
		err = -ENOENT;
	else if (d && d->inode->ops && d->inode->ops->valid &&
		!d->inode->ops->valid(d)) {
		acquire(&nameslock);
		dunhash(d);
		release(&nameslock);
		dput(d);
		d = 0;
	}
	if (!d)
		err = ops && ops->lookup ? askfs(dir, name, len, &d) : -ENOENT;
	releasesleep(&dir->inode->lock);
	if (err)
		dput(d);
	*dp = err ? 0 : d;
	return err;
}

/* Ask the file system for a name that has no dentry yet, and store a new
 * dentry, referenced, in *dp: 0 or -errno. A dentry of a disk stays in the
 * cache while there is room; one of /proc lasts as long as it is used. Called
 * with dir->inode->lock held. */
static int
askfs(struct dentry *dir, const char *name, uint len, struct dentry **dp)
{
	struct dentry *d = dentrynew(dir, name, len);
	int err, keep = dir->inode->super->fstype->needsdev;

	lockassert(holdingsleep(&dir->inode->lock));
	if (!d)
		return -ENOMEM;
	err = dir->inode->ops->lookup(dir->inode, d);
	if (!err && keep)
		dname(d, d->inode);
	if (!err && !d->inode)
		err = -ENOENT;
	if (err) {
		dput(d);
		return err;
	}
	if (!keep) {
		acquire(&nameslock);
		dhash(d);
		release(&nameslock);
	}
	*dp = d;
	return 0;
}

/* Follow the symbolic link d, which is in w->d: w->d becomes the start of its
 * target, and *p and *stop the path to walk from there. Returns 0 or -errno.
 * Called with nameslock held, which is released while the link is read. */
static int
followlink(struct walk *w, struct dentry *d, const char **p, const char **stop)
{
	const struct inodeops *ops = d->inode->ops;
	struct dentry *dir, *to;
	int err = 0;

	lockassert(holding(&nameslock));
	if (++w->nlinks > MAXLINKS)
		return -ELOOP;
	dir = dget(w->d); /* d->parent changes if the link is renamed */
	hold(w, d);
	if (ops->follow) {
		if ((to = ops->follow(d->inode, &err))) {
			dput(dir);
			dir = w->d = to;
			err = 0;
		} else if (!err) {
			err = -ENOENT;
		}
	} else {
		err = pastelink(w, d->inode, p, stop);
	}
	dput(w->held);
	w->held = dir;
	acquire(&nameslock);
	return err;
}

/* Put the link's target in front of the rest of the path, *p up to *stop, in a
 * new buffer. Returns 0 or -errno. May sleep: no spinlock held. */
static int
pastelink(struct walk *w, struct inode *ip, const char **p, const char **stop)
{
	uint rest = *stop ? (uint)(*stop - *p) : strlen(*p);
	char *buf = kalloc();
	int n;

	lockassert(nospinlocks());
	if (!buf)
		return -ENOMEM;
	n = ip->ops->readlink ? ip->ops->readlink(ip, buf, PATH_MAX) : -EINVAL;
	if (n == 0)
		n = -ENOENT;
	else if (n > 0 && n + rest >= PATH_MAX)
		n = -ENAMETOOLONG;
	if (n < 0) {
		kfree(buf);
		return n;
	}
	memcpy(buf + n, *p, rest);
	buf[n + rest] = 0;
	putpath(w->buf);
	w->buf = buf;
	*p = buf;
	*stop = 0;
	if (*buf == '/')
		w->d = w->root;
	return 0;
}
