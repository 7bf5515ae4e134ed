/*
 * devpts.c - /dev/pts: a file system of the slaves of pseudo-terminals.
 *
 * A name is the number of a slave whose master is open; kern/dev/pty.c knows
 * which there are and who owns them.  The inode number of a slave is its number
 * plus FIRST, the root's is 1.
 */
#include "kern/fs/inode.h"
#include "mm/mm.h"
#include "kern/abi/errno.h"
#include "kern/dev/dev.h"
#include "kern/lib/printf.h"
#include "kern/lib/string.h"

#define FIRST 3 /* inode number of slave 0, and its place in the directory */

static int ptsmount(const struct fstype *, const char *source, uint flags,
	const char *data, struct super **);
static int ptslookup(struct inode *, struct dentry *);
static int ptsvalid(struct dentry *);
static int ptssetattr(struct inode *);
static int ptsreaddir(struct file *, struct dirsink *);

struct fstype devptstype = {
	.name = "devpts", .mount = ptsmount, .single = 1
};

static const struct inodeops ptsrootops = {.lookup = ptslookup};
static const struct inodeops ptsops = {
	.valid = ptsvalid,
	.setattr = ptssetattr,
};
static const struct fileops ptsdirops = {
	.seek = dirseek,
	.readdir = ptsreaddir,
};

/* Mount /dev/pts: 0 with *sp, or -ENOMEM. */
static int
ptsmount(const struct fstype *type, const char *source, uint flags,
	const char *data, struct super **sp)
{
	struct super *s = supernew(type, source, 0, 0x1cd1); /* its magic */
	struct inode *ip;

	(void)flags;
	(void)data;
	if (s == 0)
		return -ENOMEM;
	if ((ip = inodenew(s, S_IFDIR | 0755))) {
		ip->ino = 1;
		ip->nlink = 2;
		ip->ops = &ptsrootops;
		ip->fops = &ptsdirops;
	}
	*sp = s;
	return superroot(s, ip);
}

/* The number that a name is, without zeroes in front; -1: it is none. */
static int
numberof(const char *s)
{
	int n = 0;

	if (*s == '0' && s[1])
		return -1;
	for (; *s >= '0' && *s <= '9' && n < 10000; s++)
		n = n * 10 + (*s - '0');
	return *s ? -1 : n;
}

/* See inodeops: an inode for the slave of that number, if there is one. */
static int
ptslookup(struct inode *dir, struct dentry *d)
{
	int n = numberof(d->name);
	struct ptsattr a;
	struct inode *ip;

	if (n < 0 || ptsattr(n, &a, 0) < 0)
		return 0;
	if (!(ip = inodenew(dir->super, a.mode)))
		return -ENOMEM;
	ip->ino = n + FIRST;
	ip->rdev = ptsrdev(n);
	ip->nlink = 1;
	ip->uid = a.uid;
	ip->gid = a.gid;
	ip->atime = ip->mtime = ip->ctime = a.time;
	ip->ops = &ptsops;
	d->inode = ip;
	return 0;
}

/* See inodeops: is the slave still the one that the inode was made for? */
static int
ptsvalid(struct dentry *d)
{
	struct ptsattr a;

	return ptsattr((uint)d->inode->ino - FIRST, &a, 0) == 0 &&
		a.time == d->inode->ctime;
}

/* See inodeops: the slave keeps a new owner or mode until its master is
 * closed. */
static int
ptssetattr(struct inode *ip)
{
	struct ptsattr a = {ip->mode, ip->uid, ip->gid, ip->ctime};

	return ptsattr((uint)ip->ino - FIRST, 0, &a);
}

/* See fileops.  The cookie is the number of the next slave plus FIRST; those
 * below are of "." and "..". */
static int
ptsreaddir(struct file *f, struct dirsink *s)
{
	char name[12];
	int n;

	if (f->off == 0) {
		if (s->emit(s, ".", 1, 1, DT_DIR, 1))
			return 0;
		f->off = 1;
	}
	if (f->off < FIRST) {
		if (s->emit(s, "..", 2, 1, DT_DIR, FIRST))
			return 0;
		f->off = FIRST;
	}
	for (; (n = ptsnext((int)f->off - FIRST)) >= 0;
		f->off = n + 1 + FIRST) {
		snprintf(name, sizeof(name), "%d", n);
		if (s->emit(s, name, strlen(name), n + FIRST, DT_CHR,
			n + 1 + FIRST))
			return 0;
	}
	return 0;
}
