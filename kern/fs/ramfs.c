/*
 * ramfs.c - files that live in the page cache, names that live in the dcache.
 *
 * A directory is its dentry's children, pinned while their names exist; a
 * regular file is its pcache, which also has its size; a link's target is a
 * string.  Nothing is ever read from elsewhere, so there is no lookup.  Changes
 * of names happen under super->lock, their last step under nameslock, which
 * makes them atomic for walks and readdir.
 *
 * Files may grow to half of the memory, in the root of what the initramfs left,
 * and names be as many as there are pages, so that a full file system leaves room
 * for who empties it.
 */
#include "kern/fs/inode.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/resource.h"
#include "kern/panic.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/string.h"

#define MAXSIZE ((uint64_t)0xfffff000) /* of a file: page numbers of 20 bits */

static int ramcreate(struct inode *, struct dentry *, uint mode, uint rdev);
static int ramsymlink(struct inode *, struct dentry *, const char *target);
static int ramlink(struct inode *, struct dentry *, struct inode *old);
static int ramunlink(struct inode *, struct dentry *);
static int ramrename(struct inode *, struct dentry *, struct inode *,
	struct dentry *);
static int ramreadlink(struct inode *, char *buf, uint n);
static int ramread(struct file *, struct uio *, int64_t *off);
static int ramwrite(struct file *, struct uio *, int64_t *off);
static int writelocked(struct file *, struct uio *, int64_t *off);
static int64_t ramseek(struct file *, int64_t off, int whence);
static int ramtruncate(struct file *, uint64_t size);
static int ramsync(struct file *);
static int64_t dirseek(struct file *, int64_t off, int whence);
static int dirread(struct file *, struct dirsink *);
static struct inode *newinode(struct inode *dir, uint mode);
static void enter(struct inode *dir, struct dentry *d, struct inode *ip);
static void touch(struct inode *ip);
static int sizelimit(uint64_t pos, uint *n);
static int full(struct super *);
static void unprivilege(struct inode *ip);
static void ramdrop(struct inode *);
static uint ramlinksize(struct inode *);
static int replace(struct inode *dir, struct dentry *new, int isdir);

static const struct pcacheops nobacking;

static struct spinlock uses = {.rank = RANK_LEAF};

static const struct inodeops ramops = {
	.create = ramcreate,
	.symlink = ramsymlink,
	.link = ramlink,
	.unlink = ramunlink,
	.rename = ramrename,
	.readlink = ramreadlink,
};

static const struct fileops fileops = {
	.read = ramread,
	.write = ramwrite,
	.seek = ramseek,
	.truncate = ramtruncate,
	.sync = ramsync,
};

static const struct fileops dirops = {
	.seek = dirseek,
	.readdir = dirread,
	.sync = ramsync,
};

/* An empty file system with its root, or 0.  Its type, which is not copied, is
 * what Linux would call it. */
struct super *
ramfsmount(const char *type, const char *source)
{
	struct super *s = kzalloc(sizeof(*s));
	int tmp = !strcmp(type, "tmpfs");
	struct meminfo m;

	if (!s)
		return 0;
	s->ref = 1;
	meminfo(&m);
	s->maxpages = m.total / 2;
	s->maxnames = m.total;
	s->type = type;
	s->magic = strcmp(type, "ramfs") ? TMPFS_MAGIC : RAMFS_MAGIC;
	s->drop = ramdrop;
	s->linksize = ramlinksize;
	strlcpy(s->source, source, sizeof(s->source));
	if (!(s->root = dentrynew(0, "", 0)))
		goto bad;
	s->root->inode = inodenew(s, S_IFDIR | (tmp ? 01777 : 0755));
	if (!s->root->inode)
		goto bad;
	s->root->inode->nlink = 2;
	s->root->inode->ops = &ramops;
	s->root->inode->fops = &dirops;
	return s;
bad:
	dput(s->root);
	superput(s);
	return 0;
}

/* The last reference is gone: a link's target goes too. */
static void
ramdrop(struct inode *ip)
{
	acquire(&uses);
	ip->super->npages -= ip->npages;
	release(&uses);
	kmfree(ip->priv);
}

static uint
ramlinksize(struct inode *ip)
{
	return strlen(ip->priv);
}

static int
ramcreate(struct inode *dir, struct dentry *d, uint mode, uint rdev)
{
	struct inode *ip = full(dir->super) ? 0 : newinode(dir, mode);

	if (!ip)
		return -ENOSPC;
	ip->rdev = rdev;
	if (S_ISREG(mode)) {
		ip->fops = &fileops;
		ip->pages = pcachenew(ip, &nobacking);
		if (!ip->pages) {
			iput(ip);
			return -ENOSPC;
		}
	} else if (S_ISDIR(mode)) {
		ip->fops = &dirops;
		ip->nlink = 2;
		dir->nlink++;
	}
	enter(dir, d, ip);
	return 0;
}

/* A new inode, to be named in dir. */
static struct inode *
newinode(struct inode *dir, uint mode)
{
	struct inode *ip = inodenew(dir->super, mode);

	if (!ip)
		return 0;
	ip->ops = &ramops;
	if (dir->mode & S_ISGID) {
		ip->gid = dir->gid;
		if (S_ISDIR(mode))
			ip->mode |= S_ISGID;
	}
	return ip;
}

/* Are there too many names?  What the machine boots with may be more. */
static int
full(struct super *s)
{
	struct proc *p = myproc();

	return p && p->uvm && s->nnames >= s->maxnames;
}

/* Make d a name of ip in dir.  The reference to ip is taken. */
static void
enter(struct inode *dir, struct dentry *d, struct inode *ip)
{
	d->inode = ip;
	dir->super->nnames++;
	touch(dir);
	acquire(&nameslock);
	dattach(d);
	release(&nameslock);
}

static void
touch(struct inode *ip)
{
	ip->mtime = ip->ctime = realns();
}

static int
ramsymlink(struct inode *dir, struct dentry *d, const char *target)
{
	uint n = strlen(target) + 1;
	struct inode *ip = full(dir->super) ? 0 :
		newinode(dir, S_IFLNK | 0777);

	if (!ip)
		return -ENOSPC;
	if (!(ip->priv = kmalloc(n))) {
		iput(ip);
		return -ENOSPC;
	}
	memcpy(ip->priv, target, n);
	enter(dir, d, ip);
	return 0;
}

static int
ramreadlink(struct inode *ip, char *buf, uint n)
{
	uint len = strlen(ip->priv);

	len = MIN(len, n);
	memcpy(buf, ip->priv, len);
	return len;
}

static int
ramlink(struct inode *dir, struct dentry *d, struct inode *old)
{
	if (full(dir->super))
		return -ENOSPC;
	old->nlink++;
	old->ctime = realns();
	enter(dir, d, iget(old));
	return 0;
}

static int
ramunlink(struct inode *dir, struct dentry *d)
{
	struct inode *ip = d->inode;
	int err = 0;

	acquire(&nameslock);
	if (d->mounted)
		err = -EBUSY;
	else if (!listempty(&d->children))
		err = -ENOTEMPTY;
	else
		ddetach(d);
	release(&nameslock);
	if (err)
		return err;
	dir->super->nnames--;
	if (S_ISDIR(ip->mode)) {
		ip->nlink = 0;
		dir->nlink--;
	} else {
		ip->nlink--;
	}
	touch(dir);
	ip->ctime = dir->ctime;
	return 0;
}

static int
ramrename(struct inode *olddir, struct dentry *old, struct inode *newdir,
	struct dentry *new)
{
	int isdir = S_ISDIR(old->inode->mode), err;

	acquire(&nameslock);
	err = old->mounted || new->mounted ? -EBUSY :
		replace(newdir, new, isdir);
	if (err == 0)
		dmove(old, new);
	release(&nameslock);
	if (err < 0)
		return err;
	if (isdir) {
		olddir->nlink--;
		newdir->nlink++;
	}
	touch(olddir);
	touch(newdir);
	old->inode->ctime = newdir->ctime;
	return 0;
}

/* What new names, if anything, loses that name.  nameslock held. */
static int
replace(struct inode *dir, struct dentry *new, int isdir)
{
	if (new->unlinked || new->parent->unlinked)
		return -ENOENT;
	if (!new->inode)
		return 0;
	if (!listempty(&new->children))
		return -ENOTEMPTY;
	dir->super->nnames--;
	if (isdir) {
		new->inode->nlink = 0;
		dir->nlink--;
	} else {
		new->inode->nlink--;
	}
	return 0;
}

/* Access times are kept as relatime does: one read after each write. */
static int
ramread(struct file *f, struct uio *u, int64_t *off)
{
	struct inode *ip = f->inode;
	int n = pcacheread(ip->pages, u, *off);

	if (n > 0) {
		*off += n;
		if (ip->atime <= ip->mtime && !(f->flags & O_NOATIME))
			ip->atime = realns();
	}
	return n;
}

/* One at a time writes to a file, or changes its size. */
static int
ramwrite(struct file *f, struct uio *u, int64_t *off)
{
	int r;

	acquiresleep(&f->inode->lock);
	r = writelocked(f, u, off);
	releasesleep(&f->inode->lock);
	return r;
}

static int
writelocked(struct file *f, struct uio *u, int64_t *off)
{
	struct inode *ip = f->inode;
	uint64_t pos = f->flags & O_APPEND ? pcachesize(ip->pages) :
		(uint64_t)*off;
	uint n = u->n, rest, room = ramfscharge(ip);
	int r;

	if (n == 0)
		return 0;
	if ((r = sizelimit(pos, &n)) < 0)
		return r;
	if (room < n / PGSIZE + 2 && /* and not all of it is there */
		pcacheseek(ip->pages, pos, 1) < (int64_t)(pos + n)) {
		if (room == 0)
			return -ENOSPC;
		n = MIN(n, room * PGSIZE);
	}
	rest = u->n - n;
	u->n = n;
	r = pcachewrite(ip->pages, u, pos);
	u->n += rest;
	ramfscharge(ip);
	if (r == -ENOMEM)
		return -ENOSPC;
	if (r > 0) {
		*off = pos + r;
		touch(ip);
		unprivilege(ip);
	}
	return r;
}

/* See inode.h. */
uint
ramfscharge(struct inode *ip)
{
	struct super *s = ip->super;
	uint now = pcachepages(ip->pages), room;

	acquire(&uses);
	s->npages += now - ip->npages;
	ip->npages = now;
	room = s->npages < s->maxpages ? s->maxpages - s->npages : 0;
	release(&uses);
	return room;
}

/* May n bytes be written at pos?  Lowers *n to what may; -EFBIG: none. */
static int
sizelimit(uint64_t pos, uint *n)
{
	struct proc *p = myproc();
	uint64_t limit = p ? p->tg->rlimit[RLIMIT_FSIZE].cur : MAXSIZE;

	if (p && pos >= limit) {
		sigsend(p, SIGXFSZ, 0);
		return -EFBIG;
	}
	limit = MIN(limit, MAXSIZE);
	if (pos >= limit)
		return -EFBIG;
	if (*n > limit - pos)
		*n = limit - pos;
	return 0;
}

/* Somebody changed the file: it does not run with its owner's rights then. */
static void
unprivilege(struct inode *ip)
{
	struct proc *p = myproc();

	if (!(ip->mode & (S_ISUID | S_ISGID)) || !p || p->fsuid == 0)
		return;
	ip->mode &= ~S_ISUID;
	if (ip->mode & S_IXGRP)
		ip->mode &= ~S_ISGID;
}

static int64_t
ramseek(struct file *f, int64_t off, int whence)
{
	if (whence == SEEK_CUR)
		off += f->off;
	else if (whence == SEEK_END)
		off += pcachesize(f->inode->pages);
	else if (whence == SEEK_DATA || whence == SEEK_HOLE) {
		if (off < 0)
			return -ENXIO;
		off = pcacheseek(f->inode->pages, off, whence == SEEK_HOLE);
		if (off < 0)
			return off;
	} else if (whence != SEEK_SET)
		return -EINVAL;
	if (off < 0)
		return -EINVAL;
	return f->off = off;
}

static int
ramtruncate(struct file *f, uint64_t size)
{
	struct inode *ip = f->inode;
	uint one = 1;
	int err;

	if (size > pcachesize(ip->pages) &&
		(err = sizelimit(size - 1, &one)) < 0)
		return err;
	err = pcachetruncate(ip->pages, size);
	ramfscharge(ip);
	if (!err) {
		touch(ip);
		unprivilege(ip);
	}
	return err;
}

/* There is nothing it could be written to. */
static int
ramsync(struct file *f)
{
	(void)f;
	return 0;
}

static int64_t
dirseek(struct file *f, int64_t off, int whence)
{
	if (whence == SEEK_CUR)
		off += f->off;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (off < 0)
		return -EINVAL;
	return f->off = off;
}

/* Cookies rise along the list of children; 0 and 1 are . and .. */
static int
dirread(struct file *f, struct dirsink *s)
{
	struct dentry *dir = f->dentry, *d;
	struct inode *ip;

	acquire(&nameslock);
	if (f->off == 0 && !s->emit(s, ".", 1, dir->inode->ino, DT_DIR, 1))
		f->off = 1;
	if (f->off == 1 && !s->emit(s, "..", 2, dir->parent->inode->ino, DT_DIR,
		2))
		f->off = 2;
	if (f->off < 2)
		goto out;
	listeach(d, &dir->children, sibling) {
		if (d->cookie < (uint64_t)f->off)
			continue;
		ip = d->inode;
		if (s->emit(s, d->name, d->len, ip->ino, IFTODT(ip->mode),
			d->cookie + 1))
			break;
		f->off = d->cookie + 1;
	}
out:
	release(&nameslock);
	return 0;
}
