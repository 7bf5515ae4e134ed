/*
 * ramfs.c - files that live in the page cache, names that live in the dcache.
 *
 * This is the smallest file system that can be written to: ramfs, and tmpfs,
 * which takes options.  A directory is the children of its dentry, pinned while
 * their names exist; a regular file is its pcache, which also has its size; a
 * link's target is a string.  All of it is in memory, so there is no lookup.
 * Names change under super->lock, in the last step also under nameslock, so
 * that walks and readdir see either all of a change or nothing.
 *
 * All files together may have half of the pages of memory, and there may be as
 * many names as there are pages, so that a full file system leaves memory for
 * the programs that empty it.
 */
#include "kern/fs/inode.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/panic.h"
#include "kern/lib/printf.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/lib/string.h"

#define BREATH 128 /* names readdir looks at per hold of nameslock */

struct options { /* of a mount */
	uint maxpages, maxnames, mode, uid, gid;
	uint given; /* bits: 1 maxpages, 2 maxnames were given; super->priv */
};

static int rammount(const struct fstype *, const char *source, uint flags,
	const char *data, struct super **);
static void setdefaults(struct options *o);
static int parseoptions(const char *data, struct options *o);
static int setoption(struct options *o, const char *name, const char *value);
static int quantity(const char *s, int base, uint max, uint *to);
static int amount(const char **s, int base, uint64_t *n);
static int ramremount(struct super *, uint flags, const char *data);
static int ramoptions(struct super *, char *buf, int n);
static int ramstatfs(struct super *, struct kstatfs *);
static int ramcreate(struct inode *, struct dentry *, uint mode, uint rdev);
static int ramsymlink(struct inode *, struct dentry *, const char *target);
static int ramlink(struct inode *, struct dentry *, struct inode *old);
static int ramunlink(struct inode *, struct dentry *);
static int ramrename(struct inode *, struct dentry *, struct inode *,
	struct dentry *);
static int ramexchange(struct inode *, struct dentry *, struct inode *,
	struct dentry *);
static int ramtmpfile(struct inode *, struct dentry *, uint mode);
static int ramtruncate(struct file *, uint64_t size);
static int ramallocate(struct file *, uint64_t off, uint64_t n, int keep);
static int zeropage(struct pcache *, uint64_t off, uint64_t end);
static int ramreadlink(struct inode *, char *buf, uint n);
static int ramwrite(struct file *, struct uio *, int64_t *off);
static int writelocked(struct file *, struct uio *, int64_t *off);
static int dirread(struct file *, struct dirsink *);
static int letothers(struct dentry **held, struct dentry *d);
static int makeregular(struct inode *ip);
static struct inode *newinode(struct inode *dir, uint mode);
static void addname(struct inode *dir, struct dentry *d, struct inode *ip);
static void touchdir(struct inode *ip);
static int isfull(struct super *);
static void ramdrop(struct inode *);
static int replace(struct inode *dir, struct dentry *new, int isdir);

struct fstype ramfstype = {.name = "ramfs", .mount = rammount};
struct fstype tmpfstype = {.name = "tmpfs", .mount = rammount};

static const struct superops superops = {
	.drop = ramdrop,
	.statfs = ramstatfs,
	.remount = ramremount,
	.options = ramoptions,
};

static const struct pcacheops nobacking;

static struct spinlock uses = {.rank = RANK_LEAF}; /* npages of supers */

static const struct inodeops ramops = {
	.create = ramcreate,
	.symlink = ramsymlink,
	.link = ramlink,
	.unlink = ramunlink,
	.rename = ramrename,
	.exchange = ramexchange,
	.tmpfile = ramtmpfile,
	.readlink = ramreadlink,
};

static const struct fileops fileops = {
	.read = fmread,
	.write = ramwrite,
	.seek = fmseek,
	.truncate = ramtruncate,
	.allocate = ramallocate,
	.sync = syncfile,
};

static const struct fileops dirops = {
	.seek = dirseek,
	.readdir = dirread,
	.sync = syncfile,
};

/* Make an empty file system with its root: 0 with *sp, or -errno. */
static int
rammount(const struct fstype *type, const char *source, uint flags,
	const char *data, struct super **sp)
{
	struct options o = {.mode = type == &tmpfstype ? 01777 : 0755};
	struct super *s = 0;
	struct inode *ip;
	int err;

	(void)flags;
	setdefaults(&o);
	if (type == &tmpfstype && (err = parseoptions(data, &o)) < 0)
		return err;
	s = supernew(type, source, &superops,
		type == &ramfstype ? RAMFS_MAGIC : TMPFS_MAGIC);
	if (!s)
		return -ENOMEM;
	s->maxpages = o.maxpages;
	s->maxnames = o.maxnames;
	s->nnames = 1;
	s->priv = (void *)o.given;
	if ((ip = inodenew(s, S_IFDIR | o.mode))) {
		ip->uid = o.uid;
		ip->gid = o.gid;
		ip->nlink = 2;
		ip->ops = &ramops;
		ip->fops = &dirops;
	}
	*sp = s;
	return superroot(s, ip);
}

/* All of these files are in one file system that is mounted nowhere. */
struct file *
shmfile(const char *name, uint mode)
{
	static struct super *super;
	struct super *s = super;
	struct inode *ip = 0;
	struct dentry *d = 0;
	struct file *f;

	if (!s) {
		if (rammount(&tmpfstype, "tmpfs", 0, "", &s) < 0)
			return 0;
		s->dev = 1;
		s->maxpages = ~0u;
		if (!cas((volatile uint *)&super, 0, (uint)s))
			s = super; /* a sibling was faster: lose one */
	}
	f = filealloc();
	if (f && (ip = newinode(s->root->inode, S_IFREG | mode)))
		ip->pages = pcachenew(ip, &nobacking);
	if (!ip || !ip->pages || !(d = dentrynew(s->root, name, strlen(name))))
		goto bad;
	ip->fops = f->ops = &fileops;
	ip->nlink = 0;
	d->inode = f->inode = ip;
	d->unlinked = 1;
	f->dentry = d;
	f->flags = O_RDWR;
	if (igetwriter(ip) == 0)
		f->counted = FILE_WRITER;
	return f;
bad:
	if (ip)
		iput(ip);
	if (f)
		fileclose(f);
	return 0;
}

/* Half of the memory, as many names as it has pages, and the ids of the
 * process that mounts. */
static void
setdefaults(struct options *o)
{
	struct proc *p = myproc();
	struct meminfo m;

	meminfo(&m);
	o->maxpages = m.total / 2;
	o->maxnames = m.total;
	o->uid = p ? p->fsuid : 0;
	o->gid = p ? p->fsgid : 0;
}

/* Read those options of tmpfs(5) that mean something here: 0 or -EINVAL. */
static int
parseoptions(const char *data, struct options *o)
{
	char word[48], *value;
	int r;

	while ((r = nextoption(&data, word, sizeof(word))) > 0) {
		if (!(value = strchr(word, '=')))
			return -EINVAL;
		*value++ = 0;
		if ((r = setoption(o, word, value)) < 0)
			break;
	}
	return r;
}

/* Set one option by its name: 0 or -EINVAL. */
static int
setoption(struct options *o, const char *name, const char *value)
{
	struct meminfo m;
	uint64_t n;

	if (!strcmp(name, "huge") || !strcmp(name, "mpol"))
		return 0;
	if (!strcmp(name, "mode"))
		return quantity(value, 8, 07777, &o->mode);
	if (!strcmp(name, "uid"))
		return quantity(value, 10, ~0u, &o->uid);
	if (!strcmp(name, "gid"))
		return quantity(value, 10, ~0u, &o->gid);
	if (!strcmp(name, "nr_blocks")) {
		o->given |= 1;
		return quantity(value, 0, ~0u, &o->maxpages);
	}
	if (!strcmp(name, "nr_inodes")) {
		o->given |= 2;
		return quantity(value, 0, ~0u, &o->maxnames);
	}
	if (strcmp(name, "size") || amount(&value, 0, &n) < 0)
		return -EINVAL;
	meminfo(&m);
	if (*value == '%') {
		n = n * m.total / 100 * PGSIZE;
		value++;
	}
	if (*value || n > (uint64_t)UINT32_MAX * PGSIZE)
		return -EINVAL;
	o->given |= 1;
	o->maxpages = (n + PGSIZE - 1) / PGSIZE;
	return 0;
}

/* Read a number, maybe with K, M or G behind it, that is all of the text, and
 * at most max: 0 or -EINVAL. */
static int
quantity(const char *s, int base, uint max, uint *to)
{
	uint64_t n;

	if (amount(&s, base, &n) < 0 || *s || n > max)
		return -EINVAL;
	*to = n;
	return 0;
}

/* Read a number, maybe with K, M or G behind it, at *s, and move *s behind it:
 * 0 or -EINVAL. */
static int
amount(const char **s, int base, uint64_t *n)
{
	static const char units[] = "kmg";
	const char *unit;
	char *end;

	*n = strtoul(*s, &end, base);
	if (end == *s)
		return -EINVAL;
	if (*end && (unit = strchr(units, *end | 0x20))) {
		*n <<= 10 * (unit - units + 1);
		end++;
	}
	*s = end;
	return 0;
}

/* See superops.  No limit may be lower than what is in use; the options of the
 * root directory stay as they are. */
static int
ramremount(struct super *s, uint flags, const char *data)
{
	struct options o = {.maxpages = s->maxpages, .maxnames = s->maxnames};
	int err = 0;

	(void)flags;
	if (s->fstype != &tmpfstype)
		return 0;
	if ((err = parseoptions(data, &o)) < 0)
		return err;
	acquire(&uses);
	if (o.maxpages < s->npages || o.maxnames < s->nnames) {
		err = -EINVAL;
	} else {
		s->maxpages = o.maxpages;
		s->maxnames = o.maxnames;
		s->priv = (void *)((uint)s->priv | o.given);
	}
	release(&uses);
	return err;
}

/* See superops. */
static int
ramoptions(struct super *s, char *buf, int n)
{
	struct inode *ip = s->root->inode;
	uint mode = ip->mode & 07777, given = (uint)s->priv;
	int len = 0;

	lockassert(holding(&nameslock));
	if (s->fstype != &tmpfstype)
		return 0;
	if (given & 1)
		len += snprintf(buf, n, ",size=%uk",
			s->maxpages * (PGSIZE / 1024));
	if (given & 2)
		len += snprintf(buf + len, n - len, ",nr_inodes=%u",
			s->maxnames);
	if (mode != 01777) /* in octal */
		len += snprintf(buf + len, n - len, ",mode=%03u",
			mode / 512 * 1000 + mode / 64 % 8 * 100 +
			mode / 8 % 8 * 10 + mode % 8);
	if (ip->uid)
		len += snprintf(buf + len, n - len, ",uid=%u", ip->uid);
	if (ip->gid)
		len += snprintf(buf + len, n - len, ",gid=%u", ip->gid);
	return len;
}

/* See superops. priv is a link's target. */
static void
ramdrop(struct inode *ip)
{
	acquire(&uses);
	ip->super->npages -= ip->npages;
	release(&uses);
	kmfree(ip->priv);
}

/* See superops.  A tmpfs is as large as it may grow; a ramfs tells nothing, as
 * on Linux. */
static int
ramstatfs(struct super *s, struct kstatfs *st)
{
	struct meminfo m;

	if (s->fstype == &ramfstype)
		return 0;
	meminfo(&m);
	st->blocks = s->maxpages;
	st->bfree = MIN(s->maxpages - MIN(s->npages, s->maxpages), m.free);
	st->bavail = st->bfree;
	st->files = s->maxnames;
	st->ffree = s->maxnames - MIN(s->nnames, s->maxnames);
	return 0;
}

/* See inodeops. */
static int
ramcreate(struct inode *dir, struct dentry *d, uint mode, uint rdev)
{
	struct inode *ip = isfull(dir->super) ? 0 : newinode(dir, mode);

	lockassert(holdingsleep(&dir->super->lock));
	if (!ip)
		return -ENOSPC;
	if (S_ISCHR(mode) || S_ISBLK(mode))
		ip->rdev = rdev;
	if (S_ISREG(mode)) {
		if (!makeregular(ip)) {
			iput(ip);
			return -ENOSPC;
		}
	} else if (S_ISDIR(mode)) {
		ip->fops = &dirops;
		ip->nlink = 2;
		dir->nlink++;
	}
	addname(dir, d, ip);
	return 0;
}

/* Make ip an empty regular file: 1; 0: no memory. */
static int
makeregular(struct inode *ip)
{
	ip->fops = &fileops;
	ip->pages = pcachenew(ip, &nobacking);
	return ip->pages != 0;
}

/* See inodeops. */
static int
ramtmpfile(struct inode *dir, struct dentry *d, uint mode)
{
	struct inode *ip = isfull(dir->super) ? 0 : newinode(dir, mode);

	lockassert(holdingsleep(&dir->super->lock));
	if (!ip)
		return -ENOSPC;
	ip->nlink = 0;
	if (!makeregular(ip)) {
		iput(ip);
		return -ENOSPC;
	}
	d->inode = ip;
	return 0;
}

/* A new inode that is to get a name in dir, whose group it has if dir has
 * S_ISGID; 0: no memory. */
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

/* Has the file system as many names as it may? What the machine boots with may
 * be more. */
static int
isfull(struct super *s)
{
	struct proc *p = myproc();

	return p && p->uvm && s->nnames >= s->maxnames;
}

/* Make d a name of ip in dir.  The reference to ip passes to d. */
static void
addname(struct inode *dir, struct dentry *d, struct inode *ip)
{
	lockassert(holdingsleep(&dir->super->lock));
	d->inode = ip;
	dir->super->nnames++;
	touchdir(dir);
	acquire(&nameslock);
	dattach(d);
	release(&nameslock);
}

/* The contents of the directory have changed. */
static void
touchdir(struct inode *ip)
{
	ip->mtime = ip->ctime = realns();
}

/* See inodeops. */
static int
ramsymlink(struct inode *dir, struct dentry *d, const char *target)
{
	uint n = strlen(target) + 1;
	struct inode *ip = isfull(dir->super) ? 0 :
		newinode(dir, S_IFLNK | 0777);

	lockassert(holdingsleep(&dir->super->lock));
	if (!ip)
		return -ENOSPC;
	if (!(ip->priv = kmalloc(n))) {
		iput(ip);
		return -ENOSPC;
	}
	memcpy(ip->priv, target, n);
	ip->size = n - 1;
	addname(dir, d, ip);
	return 0;
}

/* See inodeops. */
static int
ramreadlink(struct inode *ip, char *buf, uint n)
{
	uint len = MIN(ip->size, n);

	memcpy(buf, ip->priv, len);
	return len;
}

/* See inodeops. */
static int
ramlink(struct inode *dir, struct dentry *d, struct inode *old)
{
	lockassert(holdingsleep(&dir->super->lock));
	if (isfull(dir->super))
		return -ENOSPC;
	old->nlink++;
	old->ctime = realns();
	addname(dir, d, iget(old));
	return 0;
}

/* See inodeops. */
static int
ramunlink(struct inode *dir, struct dentry *d)
{
	struct inode *ip = d->inode;
	int err = 0;

	lockassert(holdingsleep(&dir->super->lock));
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
	touchdir(dir);
	ip->ctime = dir->ctime;
	return 0;
}

/* See inodeops. */
static int
ramrename(struct inode *olddir, struct dentry *old, struct inode *newdir,
	struct dentry *new)
{
	int isdir = S_ISDIR(old->inode->mode), err;

	lockassert(holdingsleep(&olddir->super->lock));
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
	touchdir(olddir);
	touchdir(newdir);
	old->inode->ctime = newdir->ctime;
	return 0;
}

/* See inodeops. */
static int
ramexchange(struct inode *dir1, struct dentry *d1, struct inode *dir2,
	struct dentry *d2)
{
	int n = S_ISDIR(d1->inode->mode) - S_ISDIR(d2->inode->mode);
	int err = 0;

	lockassert(holdingsleep(&dir1->super->lock));
	acquire(&nameslock);
	if (d1->mounted || d2->mounted)
		err = -EBUSY;
	else
		dswap(d1, d2);
	release(&nameslock);
	if (err < 0)
		return err;
	dir1->nlink -= n;
	dir2->nlink += n;
	touchdir(dir1);
	touchdir(dir2);
	d1->inode->ctime = d2->inode->ctime = dir2->ctime;
	return 0;
}

/* Take a link from what a rename puts another file in place of: 0 (also if
 * there is nothing), or -errno.  Called with nameslock held. */
static int
replace(struct inode *dir, struct dentry *new, int isdir)
{
	lockassert(holding(&nameslock));
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

/* Write to a regular file, within the limit of the whole file system.  Returns
 * bytes or -errno. */
static int
ramwrite(struct file *f, struct uio *u, int64_t *off)
{
	int r;

	acquiresleep(&f->inode->lock);
	r = writelocked(f, u, off);
	releasesleep(&f->inode->lock);
	return r;
}

/* Do the write.  Called with the inode's lock held. */
static int
writelocked(struct file *f, struct uio *u, int64_t *off)
{
	struct inode *ip = f->inode;
	uint64_t pos = f->flags & O_APPEND ? pcachesize(ip->pages) :
		(uint64_t)*off;
	uint n = u->n, room = ramfscharge(ip);
	int r;

	lockassert(holdingsleep(&f->inode->lock));
	if (room < n / PGSIZE + 2 && /* and not all of it is there */
		pcacheseek(ip->pages, pos, 1) < (int64_t)(pos + n)) {
		if (n && room == 0)
			return -ENOSPC;
		n = MIN(n, room * PGSIZE);
	}
	r = fmwritelocked(f, u, off, n);
	ramfscharge(ip);
	return r;
}

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

/* fallocate(2): pages of zeroes take the place of holes, as there can be none
 * beyond the end of the file.  0 or -errno. */
static int
ramallocate(struct file *f, uint64_t off, uint64_t n, int keep)
{
	struct pcache *pc = f->inode->pages;
	uint64_t size = pcachesize(pc), end = off + n;
	uint i, missing = 0, first = off / PGSIZE;
	int err = 0;

	if (!keep && end > size) {
		if ((err = fmtruncate(f, end)) < 0)
			return err;
	} else {
		end = MIN(end, size);
	}
	if (end > off && (end - off) / PGSIZE > f->inode->super->maxpages)
		err = -ENOSPC;
	for (i = first; !err && (uint64_t)i * PGSIZE < end; i++)
		missing += !pcachecached(pc, i);
	if (missing > ramfscharge(f->inode))
		err = -ENOSPC;
	for (i = first; !err && (uint64_t)i * PGSIZE < end; i++)
		if (!pcachecached(pc, i))
			err = zeropage(pc, (uint64_t)i * PGSIZE, end);
	if (err < 0 && pcachesize(pc) > size)
		(void)pcachetruncate(pc, size);
	ramfscharge(f->inode);
	return err;
}

/* Write zeroes at off, at most a page and not beyond end: 0 or -errno. */
static int
zeropage(struct pcache *pc, uint64_t off, uint64_t end)
{
	static const char zeroes[512];
	struct uio u = {0, 0, 1};
	int r;

	for (uint i = 0; i < PGSIZE && off + i < end; i += sizeof(zeroes)) {
		u.addr = (uint)zeroes;
		u.n = MIN(sizeof(zeroes), end - off - i);
		if ((r = pcachewrite(pc, &u, off + i)) < 0)
			return r == -ENOMEM ? -ENOSPC : r;
	}
	return 0;
}

/* Make the file size bytes long: 0 or -errno. */
static int
ramtruncate(struct file *f, uint64_t size)
{
	int err = fmtruncate(f, size);

	lockassert(holdingsleep(&f->inode->lock));
	ramfscharge(f->inode);
	return err;
}

/* See fileops.  Cookies rise along the list of children; 0 and 1 are those of
 * "." and "..". */
static int
dirread(struct file *f, struct dirsink *s)
{
	struct dentry *dir = f->dentry, *d, *held = 0;
	struct list *l;
	uint n = 0;

	acquire(&nameslock);
	if (f->off == 0 && !s->emit(s, ".", 1, dir->inode->ino, DT_DIR, 1))
		f->off = 1;
	if (f->off == 1 && !s->emit(s, "..", 2, dir->parent->inode->ino, DT_DIR,
		2))
		f->off = 2;
	for (l = dir->children.next; f->off >= 2 && l != &dir->children;
		l = l->next) {
		d = listitem(l, struct dentry, sibling);
		if (d->cookie >= (uint64_t)f->off) {
			if (s->emit(s, d->name, d->len, d->inode->ino,
				IFTODT(d->inode->mode), d->cookie + 1))
				break;
			f->off = d->cookie + 1;
		}
		if (++n % BREATH == 0 && !letothers(&held, d))
			l = &dir->children; /* d has moved: begin again */
	}
	release(&nameslock);
	dput(held);
	iaccessed(dir->inode);
	return 0;
}

/* Release nameslock for a moment, with a reference to d in *held instead of
 * the one that was there.  Returns 1 if d is still where it was.  Called with
 * nameslock held. */
static int
letothers(struct dentry **held, struct dentry *d)
{
	uint64_t cookie = d->cookie;
	struct dentry *dir = d->parent;

	lockassert(holding(&nameslock));
	dget(d);
	release(&nameslock);
	dput(*held);
	*held = d;
	acquire(&nameslock);
	return !d->unlinked && d->parent == dir && d->cookie == cookie;
}
