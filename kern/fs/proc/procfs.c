/*
 * procfs.c - /proc and /sys: file systems whose files are made up when they are
 * read.
 *
 * The tree comes from tables of struct procent.  An inode says which entry it
 * is (priv), of which process and descriptor (both in its number), and nothing
 * else: so nothing in the tree has to be told when a process goes away.  Each
 * use looks the process up again, and valid() lets the names of dead ones drop.
 * In /sys the place of a process is taken by a CPU or a disk.
 *
 * Reading at offset 0 writes the text of the file into a buffer of the open
 * file; reads at other offsets copy from that text, so that a reader with a
 * small buffer sees one consistent state.  A long file is written in parts, one
 * of which is in the buffer: going back means to begin anew.
 *
 * Invariants:
 *   P1  An inode's number is id << 16 | place, below 2^31, where it belongs to a
 *       process, with its pid as id and for place entry << 10, with OFTASK below
 *       task/TID, or FDPLACE | fd; in /sys where it belongs to a thing of a kind
 *       (see subino).  Else it is the address of the entry, above 2^31; but that
 *       of a root is 1.
 *   P2  struct procfile but for its lock is touched only under that.
 *   P3  Nothing here holds a spinlock while it copies to a user.
 */
#include "kern/fs/proc/procfs.h"
#include "mm/mm.h"
#include "kern/abi/errno.h"
#include "kern/abi/fcntl.h"
#include "kern/fs/inode.h"
#include "kern/panic.h"
#include "kern/lib/printf.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/lib/string.h"

#define PIDCOOKIE 4096 /* directory offsets of pids begin behind the entries */
#define MAXFD     NOFILEMAX /* four entries of places (P1) */

/* Places (P1); entries of procpidents have the smaller ones. */
#define FDPLACE   (48u << 10)
#define INFOPLACE (52u << 10) /* fdinfo's */
#define PIDPLACE  (62u << 10)
#define TASKPLACE (61u << 10 | OFTASK)
#define OFTASK    1u /* and for TASKPLACE: every place in it is odd */
#define ROOTINO   1u

#define SYSMAGIC 0x62656572 /* statfs */

struct procfile { /* an open file of /proc */
	struct sleeplock lock;
	struct text text; /* a part of what the file said at the last read at 0 */
	int64_t base;     /* its offset in the file */
};

static int proclookup(struct inode *, struct dentry *);
static int procvalid(struct dentry *);
static int procopen(struct inode *, struct file *);
static int procreadlink(struct inode *, char *, uint);
static struct dentry *procfollow(struct inode *, int *);
static int procread(struct file *, struct uio *, int64_t *);
static int procwrite(struct file *, struct uio *, int64_t *);
static int procrawread(struct file *, struct uio *, int64_t *);
static int procreaddir(struct file *, struct dirsink *);
static void procrelease(struct file *);

static int procmount(const struct fstype *, const char *source, uint flags,
	const char *data, struct super **);
static int sysmount(const struct fstype *, const char *source, uint flags,
	const char *data, struct super **);

static struct fstype procfstype = {
	.name = "proc", .mount = procmount, .single = 1
};
static struct fstype sysfstype = {
	.name = "sysfs", .mount = sysmount, .single = 1
};

static const struct inodeops procops = {
	.lookup = proclookup,
	.readlink = procreadlink,
	.valid = procvalid,
	.open = procopen,
};

/* Links that lead somewhere even where their text does not: exe, fd/N. */
static const struct inodeops procmagicops = {
	.readlink = procreadlink,
	.follow = procfollow,
	.valid = procvalid,
};

static const struct fileops procfileops = {
	.read = procread,
	.write = procwrite,
	.seek = dirseek,
	.release = procrelease,
};

static const struct fileops procdirops = {
	.seek = dirseek,
	.readdir = procreaddir,
};

static const struct fileops procrawops = {
	.read = procrawread,
	.write = procwrite,
	.seek = dirseek,
};

static const struct procent piddir = {
	.mode = S_IFDIR | 0555, .sub = procpidents
};
static const struct procent taskdir = {
	.mode = S_IFDIR | 0555, .sub = procpidents + 1
};
static const struct procent rootent = {
	.mode = S_IFDIR | 0555, .sub = procsysents
};
static const struct procent sysrootent = {
	.mode = S_IFDIR | 0555, .sub = sysfsents
};

static int treemount(const struct fstype *, const char *source, uint magic,
	const struct procent *root, struct super **);
static struct inode *procinode(struct super *, const struct procent *, uint ino);
static int fillname(struct dentry *, struct inode *dir, const struct procent *,
	uint ino);
static int lookupfd(struct inode *dir, struct dentry *);
static int lookuppid(struct inode *dir, struct dentry *);
static const struct procent *fdentof(struct inode *dir);
static uint fdino(struct inode *dir, int fd);
static int lookupid(struct inode *dir, struct dentry *);
static uint idino(const struct procent *, int id);
static int number(const char *);
static int fdof(struct inode *);
static int mayuse(struct inode *);
static int seektext(struct inode *, struct procfile *, int64_t off);
static int generate(struct inode *, struct text *);
static int emitdots(struct file *, struct dirsink *);
static int emitents(struct file *, struct dirsink *);
static void emitfds(struct file *, struct dirsink *);
static void emitpids(struct file *, struct dirsink *, int of);
static void emitids(struct file *, struct dirsink *);

void
procfsinit(void)
{
	fsregister(&procfstype);
}

void
sysfsinit(void)
{
	fsregister(&sysfstype);
}

/* Mount /proc: a new super with its root.  0 or -ENOMEM. */
static int
procmount(const struct fstype *type, const char *source, uint flags,
	const char *data, struct super **sp)
{
	(void)flags;
	(void)data;
	return treemount(type, source, PROC_MAGIC, &rootent, sp);
}

/* Mount /sys: a new super with its root.  0 or -ENOMEM. */
static int
sysmount(const struct fstype *type, const char *source, uint flags,
	const char *data, struct super **sp)
{
	(void)flags;
	(void)data;
	return treemount(type, source, SYSMAGIC, &sysrootent, sp);
}

/* A new super with its root. */
static int
treemount(const struct fstype *type, const char *source, uint magic,
	const struct procent *root, struct super **sp)
{
	struct super *s = supernew(type, source, 0, magic);

	if (s == 0)
		return -ENOMEM;
	*sp = s;
	return superroot(s, procinode(s, root, ROOTINO));
}

/* Of an inode number (P1): which process, CPU or disk it belongs to, 0: none.
 */
static int
idof(uint ino)
{
	return ino >> 31 ? 0 : (int)(ino >> 16);
}

/* The inode of an entry, or 0. */
static struct inode *
procinode(struct super *s, const struct procent *e, uint ino)
{
	struct inode *ip = inodenew(s, e->mode);

	if (ip == 0)
		return 0;
	ip->ino = ino;
	ip->priv = (void *)e;
	ip->nlink = S_ISDIR(e->mode) ? 2 : 1;
	ip->fops = S_ISDIR(e->mode) ? &procdirops
		   : e->read	    ? &procrawops
				    : &procfileops;
	ip->ops = &procops;
	if (S_ISLNK(e->mode) && (e->flags & PROC_INSPECT))
		ip->ops = &procmagicops;
	ip->uid = ip->gid = 0;
	if (idof(ino) && s->magic == PROC_MAGIC)
		procowner(idof(ino), &ip->uid, &ip->gid);
	return ip;
}

/* The entry of a table that the inode shows. */
static const struct procent *
entof(struct inode *ip)
{
	return ip->priv;
}

/* The process, or the id in /sys, that the inode belongs to; 0: none. */
static int
pidof(struct inode *ip)
{
	return idof((uint)ip->ino);
}

/* What tells inodes of one process apart: the low half of the number. */
static uint
placeof(struct inode *ip)
{
	return (uint)ip->ino & 0xffff;
}

/* The inode number of an entry of a directory's table. */
static uint
subino(struct inode *dir, const struct procent *e)
{
	uint id = (uint)pidof(dir) << 16;

	if (id == 0)
		return (uint)e;
	if (dir->super->magic == SYSMAGIC)
		return id | ((uint)e >> 2 & 0xffff);
	return id | (uint)(e - procpidents) << 10 | (placeof(dir) & OFTASK);
}

/* Find a name: in the table, then among descriptors or processes. */
static int
proclookup(struct inode *dir, struct dentry *d)
{
	const struct procent *e = entof(dir)->sub;

	for (uint i = 0; e && e[i].name; i++)
		if (strcmp(e[i].name, d->name) == 0)
			return fillname(d, dir, &e[i], subino(dir, &e[i]));
	if (entof(dir)->flags & PROC_FDS)
		return lookupfd(dir, d);
	if (entof(dir) == &rootent || (entof(dir)->flags & PROC_TASKS))
		return lookuppid(dir, d);
	return entof(dir)->next ? lookupid(dir, d) : 0;
}

/* Give d a new inode of entry e: 0 or -ENOMEM. */
static int
fillname(struct dentry *d, struct inode *dir, const struct procent *e, uint ino)
{
	d->inode = procinode(dir->super, e, ino);
	return d->inode ? 0 : -ENOMEM;
}

/* Find a descriptor by its number: 0, with d->inode 0 if it is not open; or
 * -ENOMEM. */
static int
lookupfd(struct inode *dir, struct dentry *d)
{
	int fd = number(d->name), pid = pidof(dir), err;
	uint mode;

	if (fd < 0 || fd >= MAXFD || procnextfd(pid, fd, &mode) != fd)
		return 0;
	err = fillname(d, dir, fdentof(dir), fdino(dir, fd));
	if (err == 0 && S_ISLNK(d->inode->mode))
		d->inode->mode = S_IFLNK | mode;
	return err;
}

/* The entry of every name in this directory of descriptors. */
static const struct procent *
fdentof(struct inode *dir)
{
	return entof(dir)->flags & PROC_FDINFO ? &procfdinfoent : &procfdent;
}

/* The inode number of a descriptor in this directory. */
static uint
fdino(struct inode *dir, int fd)
{
	uint place = fdentof(dir) == &procfdent ? FDPLACE : INFOPLACE;

	return (uint)pidof(dir) << 16 | place | (uint)fd;
}

/* Find the CPU or the disk of that name: 0 or -ENOMEM. */
static int
lookupid(struct inode *dir, struct dentry *d)
{
	const struct procent *e = entof(dir)->each;
	char name[PROCNAME];
	int id;

	for (id = 0; (id = entof(dir)->next(pidof(dir), id + 1, name)) > 0;)
		if (strcmp(name, d->name) == 0)
			return fillname(d, dir, e, idino(e, id));
	return 0;
}

/* The inode number of the directory of a CPU or a disk. */
static uint
idino(const struct procent *e, int id)
{
	return (uint)id << 16 | ((uint)e >> 2 & 0xffff);
}

/* Find a process, or in a directory of threads one of these, by its number: 0
 * or -ENOMEM. */
static int
lookuppid(struct inode *dir, struct dentry *d)
{
	int task = (entof(dir)->flags & PROC_TASKS) != 0;
	int pid = number(d->name);

	if (pid <= 0 || (task ? procnexttask(pidof(dir), pid) != pid
			      : procinspect(pid) == -ESRCH))
		return 0;
	return fillname(d, dir, task ? &taskdir : &piddir,
		(uint)pid << 16 | (task ? TASKPLACE : PIDPLACE));
}

/* A decimal number without leading zeroes below 100,000, or -1. */
static int
number(const char *s)
{
	int n = 0;

	if (s[0] == '0' && s[1])
		return -1;
	for (const char *p = s; *p; p++) {
		if (*p < '0' || *p > '9' || p - s >= 5)
			return -1;
		n = n * 10 + (*p - '0');
	}
	return *s ? n : -1;
}

/* Names stay while their process and descriptor do, under the same owner;
 * an absence is never remembered. */
static int
procvalid(struct dentry *d)
{
	struct inode *ip = d->inode;
	uint uid, gid;

	if (ip == 0)
		return 0;
	if (pidof(ip) == 0)
		return 1;
	if (ip->super->magic == SYSMAGIC)
		return 1; /* CPUs and disks stay */
	if ((entof(ip) == &procfdent || entof(ip) == &procfdinfoent) &&
		procnextfd(pidof(ip), fdof(ip), 0) != fdof(ip))
		return 0;
	return procowner(pidof(ip), &uid, &gid) == 0 && uid == ip->uid &&
		gid == ip->gid;
}

/* The descriptor that the inode is about. */
static int
fdof(struct inode *ip)
{
	return (int)(placeof(ip) & (MAXFD - 1));
}

/* See inodeops. */
static int
procreadlink(struct inode *ip, char *buf, uint n)
{
	int err = mayuse(ip), len;

	if (err < 0)
		return err;
	len = entof(ip)->link(pidof(ip), fdof(ip), 0, buf, n);
	return MIN(len, (int)n);
}

/* May the running process see what is behind ip?  0 or -errno. */
static int
mayuse(struct inode *ip)
{
	if (entof(ip)->flags & PROC_INSPECT)
		return procinspect(pidof(ip));
	return 0;
}

/* See inodeops: the dentry that a link of a process leads to. */
static struct dentry *
procfollow(struct inode *ip, int *err)
{
	struct dentry *d = 0;

	*err = mayuse(ip);
	if (*err == 0)
		*err = entof(ip)->link(pidof(ip), fdof(ip), &d, 0, 0);
	return d;
}

/* See inodeops. */
static int
procopen(struct inode *ip, struct file *f)
{
	struct procfile *pf;
	int err = mayuse(ip);

	if (err < 0)
		return err;
	if ((f->flags & O_ACCMODE) && (entof(ip)->flags & PROC_CONST))
		return -EACCES;
	f->ops = ip->fops;
	if (f->ops != &procfileops)
		return 0;
	pf = kzalloc(sizeof(*pf));
	if (pf == 0)
		return -ENOMEM;
	initsleeplock(&pf->lock, RANK_NONE);
	f->priv = pf;
	return 0;
}

/* See fileops: free the text. */
static void
procrelease(struct file *f)
{
	struct procfile *pf = f->priv;

	if (pf)
		kmfree(pf->text.s);
	kmfree(pf);
}

/* See fileops.  Returns what is left of one part of the text and then a whole
 * part: so a read with room for it ends at the end of a line. */
static int
procread(struct file *f, struct uio *u, int64_t *off)
{
	struct procfile *pf = f->priv;
	int n = 0, part, err;
	uint from = 0;

	acquiresleep(&pf->lock);
	do {
		err = seektext(f->inode, pf, *off);
		part = 0;
		if (err == 0 && *off < pf->base + pf->text.n) {
			from = (uint)(*off - pf->base);
			part = (int)MIN(u->n, pf->text.n - from);
			err = uioput(u, pf->text.s + from, (uint)part);
		}
		if (err == 0) {
			*off += part;
			n += part;
		}
	} while (err == 0 && from > 0 && part > 0 && u->n > 0 &&
		pf->text.more);
	releasesleep(&pf->lock);
	return n ? n : err;
}

/* Make pf->text the part of the text that has offset off, if the text reaches
 * so far: 0; or -errno, and the next read begins anew.  Called with pf->lock
 * held. */
static int
seektext(struct inode *ip, struct procfile *pf, int64_t off)
{
	struct text *t = &pf->text;
	int err = 0;

	lockassert(holdingsleep(&pf->lock));
	if (off == 0 || off < pf->base || t->s == 0) {
		pf->base = 0;
		t->at = 0;
		err = generate(ip, t);
	}
	while (err == 0 && t->more && off >= pf->base + t->n) {
		pf->base += t->n;
		err = generate(ip, t);
	}
	if (err < 0)
		pf->base = INT64_MAX;
	return err;
}

/* Write the file's text, or its next part: 0 or -errno.  Called with the lock
 * of the procfile held. */
static int
generate(struct inode *ip, struct text *t)
{
	int err = mayuse(ip);

	t->n = 0;
	t->err = 0;
	t->more = 0;
	t->ent = entof(ip);
	t->thread = pidof(ip) && (placeof(ip) & OFTASK);
	t->fd = fdof(ip);
	if (err == 0 && entof(ip)->show == 0)
		err = -EINVAL;
	if (err == 0)
		err = entof(ip)->show(t, pidof(ip));
	if (err == 0)
		err = t->err;
	if (err == 0)
		err = mayuse(ip); /* not if it has meanwhile become secret */
	if (err < 0)
		t->n = 0;
	return err;
}

/* See fileops: files of which any piece is made on its own. */
static int
procrawread(struct file *f, struct uio *u, int64_t *off)
{
	int n = mayuse(f->inode);

	if (n == 0)
		n = entof(f->inode)->read(pidof(f->inode), u, *off);
	if (n > 0)
		*off += n;
	return n;
}

/* See fileops: bytes that were taken, or -errno. */
static int
procwrite(struct file *f, struct uio *u, int64_t *off)
{
	const struct procent *e = entof(f->inode);
	char s[128];
	uint n = u->n;
	int err;

	if (e->write) {
		err = mayuse(f->inode);
		if (err == 0)
			err = e->write(pidof(f->inode), u, *off);
		if (err > 0)
			*off += err;
		return err;
	}
	if (e->store == 0)
		return -EIO;
	if (n >= sizeof(s))
		return -EINVAL;
	err = uioget(u, s, n);
	s[n] = 0;
	if (err == 0)
		err = e->store(e, pidof(f->inode), s, n);
	if (err < 0)
		return err;
	*off += n;
	return (int)n;
}

/* See fileops.  Offsets 0 and 1 are those of "." and ".."; from 2 on come the
 * table or descriptors, from PIDCOOKIE on processes or ids. */
static int
procreaddir(struct file *f, struct dirsink *sink)
{
	struct inode *dir = f->inode;
	int full;

	full = f->off < 2 && emitdots(f, sink);
	if (full || f->off > INT32_MAX)
		return 0;
	if (entof(dir)->flags & PROC_FDS)
		emitfds(f, sink);
	else if (entof(dir)->flags & PROC_TASKS)
		emitpids(f, sink, pidof(dir));
	else if (emitents(f, sink) == 0 && entof(dir) == &rootent)
		emitpids(f, sink, 0);
	else if (entof(dir)->next)
		emitids(f, sink);
	return 0;
}

/* Emit one name, and move the offset behind it: 0; 1: it did not fit. */
static int
emit(struct file *f, struct dirsink *sink, const char *name, uint ino,
	uint mode, int64_t next)
{
	if (sink->emit(sink, name, (uint)strlen(name), ino,
		    (int)((mode & S_IFMT) >> 12), (uint64_t)next))
		return 1;
	f->off = next;
	return 0;
}

/* Emit "." and "..": 0; 1: they did not fit. */
static int
emitdots(struct file *f, struct dirsink *sink)
{
	struct dentry *up = f->dentry ? f->dentry->parent : 0;
	uint ino = (uint)f->inode->ino;

	if (f->off == 0 && emit(f, sink, ".", ino, S_IFDIR, 1))
		return 1;
	if (up && up->inode)
		ino = (uint)up->inode->ino;
	return emit(f, sink, "..", ino, S_IFDIR, 2);
}

/* Emit the directory's table: 0; 1: a name did not fit. */
static int
emitents(struct file *f, struct dirsink *sink)
{
	const struct procent *e = entof(f->inode)->sub;
	uint n = 0;

	while (e && e[n].name)
		n++;
	while (f->off - 2 < n) {
		uint i = (uint)f->off - 2;

		if (emit(f, sink, e[i].name, subino(f->inode, &e[i]),
			    e[i].mode, f->off + 1))
			return 1;
	}
	return 0;
}

/* Emit the open descriptors of the process. */
static void
emitfds(struct file *f, struct dirsink *sink)
{
	const struct procent *e = fdentof(f->inode);
	int pid = pidof(f->inode), fd;
	char name[12];

	for (;;) {
		fd = procnextfd(pid, (int)f->off - 2, 0);
		if (fd < 0 || fd >= MAXFD)
			return;
		snprintf(name, sizeof(name), "%d", fd);
		if (emit(f, sink, name, fdino(f->inode, fd), e->mode, fd + 3))
			return;
	}
}

/* Emit the threads of process of; with 0 all processes. */
static void
emitpids(struct file *f, struct dirsink *sink, int of)
{
	char name[12];
	int pid, from;

	for (;;) {
		from = MAX(1, (int)f->off - PIDCOOKIE);
		pid = of ? procnexttask(of, from) : procnextpid(from);
		if (pid < 0)
			return;
		snprintf(name, sizeof(name), "%d", pid);
		if (emit(f, sink, name,
			    (uint)pid << 16 | (of ? TASKPLACE : PIDPLACE),
			    S_IFDIR, pid + PIDCOOKIE + 1))
			return;
	}
}

/* The CPUs or disks of a directory of /sys. */
static void
emitids(struct file *f, struct dirsink *sink)
{
	const struct procent *e = entof(f->inode);
	char name[PROCNAME];
	int id;

	for (;;) {
		id = e->next(pidof(f->inode),
			MAX(1, (int)f->off - PIDCOOKIE), name);
		if (id <= 0)
			return;
		if (emit(f, sink, name, idino(e->each, id), e->each->mode,
			    id + PIDCOOKIE + 1))
			return;
	}
}
