/*
 * vfs.c - walking paths.
 *
 * A walk goes from dentry to dentry under nameslock, taking no references.
 * Where it must sleep (a directory's lookup, a link's target) it first takes a
 * reference to where it is, and remembers that in w->held:
 *
 *  1. w->held is referenced and is w->d, a descendant or a fellow of it that
 *     keeps it; w->d may be followed while nameslock is held.
 *  2. What is left of the path is in the caller's string or, once a link was
 *     followed, in the page w->buf: the link's target with the rest behind it.
 */
#include "kern/fs/inode.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/proc.h"
#include "kern/lib/string.h"

#define MAXLINKS 40

struct walk {
	struct dentry *root;  /* .. does not leave it */
	int rootheld;         /* it is referenced */
	struct dentry *held;  /* referenced, rule 1 */
	struct dentry *d;     /* where we are */
	char *buf;            /* rule 2, or 0 */
	int nlinks;           /* links followed */
};

static const char *lastpart(const char *path);
static void startwalk(struct walk *w, struct dentry *at, const char *path);
static int walkon(struct walk *w, const char *p, const char *stop, int flags);
static int walkdots(struct walk *w, const char *name, uint len);
static int step(struct walk *w, const char *name, uint len, uint hash,
	struct dentry **dp);
static int lookup(struct dentry *dir, const char *name, uint len,
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

/* Where the last component begins, slashes at the end not counting. */
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

static void
startwalk(struct walk *w, struct dentry *at, const char *path)
{
	struct fsinfo *fs = myproc() ? myproc()->fs : 0;

	w->rootheld = 1;
	if (fs && fs->ref == 1) { /* nobody else changes it */
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

/* Walk p, up to stop when that is not 0.  nameslock held, but not all the
 * time.  0, with w->d there, or -errno. */
static int
walkon(struct walk *w, const char *p, const char *stop, int flags)
{
	const char *name;
	struct dentry *d = 0;
	uint hash;
	int err;

	for (;;) {
		for (name = p; *p == '/'; p++)
			;
		if (!*p || p == stop)
			break;
		if (!S_ISDIR(w->d->inode->mode))
			return -ENOTDIR;
		if ((w->d->inode->mode & 0111) != 0111 && /* not all may */
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

/* If the name is . or .., go there: 1. */
static int
walkdots(struct walk *w, const char *name, uint len)
{
	struct dentry *d = w->d;

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

/* The dentry of a name in w->d, with what is mounted there, to *dp. */
static int
step(struct walk *w, const char *name, uint len, uint hash,
	struct dentry **dp)
{
	struct dentry *d;
	const struct inodeops *ops = w->d->inode->ops;
	int err;

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

/* Take a reference to d, which becomes what the walk holds, and release
 * nameslock. */
static void
hold(struct walk *w, struct dentry *d)
{
	dget(d);
	release(&nameslock);
	dput(w->held);
	w->held = d;
}

/* The name's dentry, referenced, in *dp, from the table or the file system; or
 * -errno (-ENOENT).  No spinlock held; may sleep. */
int
dlookup(struct dentry *dir, const char *name, uint len, uint hash,
	struct dentry **dp)
{
	const struct inodeops *ops = dir->inode->ops;
	struct dentry *d;
	int err = 0;

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
		err = ops && ops->lookup ? lookup(dir, name, len, &d) : -ENOENT;
	releasesleep(&dir->inode->lock);
	if (err)
		dput(d);
	*dp = err ? 0 : d;
	return err;
}

/* Ask the file system and remember the answer, in /proc while it is in use, of
 * a disk as long as there is room.  dir's inode is locked. */
static int
lookup(struct dentry *dir, const char *name, uint len, struct dentry **dp)
{
	struct dentry *d = dentrynew(dir, name, len);
	int err, keep = dir->inode->super->fstype->needsdev;

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

/* Go where the link d in w->d points; the rest of the path changes with it. */
static int
followlink(struct walk *w, struct dentry *d, const char **p, const char **stop)
{
	const struct inodeops *ops = d->inode->ops;
	struct dentry *dir, *to;
	int err = 0;

	if (++w->nlinks > MAXLINKS)
		return -ELOOP;
	dir = dget(w->d); /* the link may be moved elsewhere meanwhile */
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

/* Put a link's target in front of the rest of the path.  No lock held. */
static int
pastelink(struct walk *w, struct inode *ip, const char **p, const char **stop)
{
	uint rest = *stop ? (uint)(*stop - *p) : strlen(*p);
	char *buf = kalloc();
	int n;

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
