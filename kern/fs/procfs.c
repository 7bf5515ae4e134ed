/*
 * procfs.c - /proc: a file system whose files are made up when they are read.
 *
 * The tree comes from tables of struct procent.  An inode says which entry it
 * is (priv), of which process and descriptor (both in its number), and nothing
 * else: so nothing in the tree has to be told when a process goes away.  Each
 * use looks the process up again, and valid() lets the names of dead ones drop.
 *
 * Reading at offset 0 writes the whole text of the file into a buffer of the
 * open file; reads at other offsets copy from that text, so that a reader with
 * a small buffer sees one consistent state.
 *
 * Invariants:
 *   P1  An inode's number is pid << 16 | place: for a process the place is
 *       entry << 10, with OFTASK below task/TID, or FDPLACE | fd, else a number
 *       made from the path (see subplace).  It fits 31 bits and is not 0.
 *   P2  struct procfile.text is touched only under its lock.
 *   P3  Nothing here holds a spinlock while it copies to a user.
 */
#include "kern/fs/procfs.h"
#include "mm/mm.h"
#include "kern/abi/errno.h"
#include "kern/abi/fcntl.h"
#include "kern/fs/inode.h"
#include "kern/panic.h"
#include "kern/printf.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/string.h"

#define PIDCOOKIE 4096 /* directory offsets of pids begin behind the entries */
#define MAXFD     NOFILEMAX /* four entries of places (P1) */

/* Places (P1); entries of procpidents have the smaller ones. */
#define FDPLACE   (48u << 10)
#define PIDPLACE  (62u << 10)
#define TASKPLACE (61u << 10 | OFTASK)
#define OFTASK    1u /* and for TASKPLACE: every place in it is odd */
#define ROOTPLACE 1u

struct procfile { /* an open file of /proc */
	struct sleeplock lock;
	struct text text; /* what the file said at the last read at 0 [lock] */
};

static int proclookup(struct inode *, struct dentry *);
static int procvalid(struct dentry *);
static int procopen(struct inode *, struct file *);
static int procreadlink(struct inode *, char *, uint);
static struct dentry *procfollow(struct inode *, int *);
static int procread(struct file *, struct uio *, int64_t *);
static int procwrite(struct file *, struct uio *, int64_t *);
static int64_t procseek(struct file *, int64_t, int);
static int procreaddir(struct file *, struct dirsink *);
static void procrelease(struct file *);

static int procmount(const struct fstype *, const char *source, uint flags,
	const char *data, struct super **);

const struct fstype procfstype = {
	.name = "proc", .mount = procmount, .single = 1
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
	.seek = procseek,
	.release = procrelease,
};

static const struct fileops procdirops = {
	.seek = procseek,
	.readdir = procreaddir,
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

static struct inode *procinode(struct super *, const struct procent *, int pid,
	uint place);
static int fillname(struct dentry *, struct inode *dir, const struct procent *,
	int pid, uint place);
static int lookupfd(struct inode *dir, struct dentry *);
static int lookuppid(struct inode *dir, struct dentry *);
static int number(const char *);
static int fdof(struct inode *);
static int mayuse(struct inode *);
static int generate(struct inode *, struct text *);
static int emitdots(struct file *, struct dirsink *);
static int emitents(struct file *, struct dirsink *);
static void emitfds(struct file *, struct dirsink *);
static void emitpids(struct file *, struct dirsink *, int of);

/* Mount /proc. */
static int
procmount(const struct fstype *type, const char *source, uint flags,
	const char *data, struct super **sp)
{
	struct super *s = supernew(type, source, 0, PROC_MAGIC);

	(void)flags;
	(void)data;
	if (s == 0)
		return -ENOMEM;
	s->root = dentrynew(0, "", 0);
	if (s->root == 0)
		goto bad;
	s->root->inode = procinode(s, &rootent, 0, ROOTPLACE);
	if (s->root->inode == 0)
		goto bad;
	*sp = s;
	return 0;
bad:
	dput(s->root);
	superput(s);
	return -ENOMEM;
}

/* The inode of an entry at its place (P1), or 0. */
static struct inode *
procinode(struct super *s, const struct procent *e, int pid, uint place)
{
	struct inode *ip = inodenew(s, e->mode);

	if (ip == 0)
		return 0;
	ip->ino = (uint)pid << 16 | place;
	ip->priv = (void *)e;
	ip->nlink = S_ISDIR(e->mode) ? 2 : 1;
	ip->fops = S_ISDIR(e->mode) ? &procdirops : &procfileops;
	ip->ops = &procops;
	if (S_ISLNK(e->mode) && (e->flags & PROC_INSPECT))
		ip->ops = &procmagicops;
	ip->uid = ip->gid = 0;
	if (pid)
		procowner(pid, &ip->uid, &ip->gid);
	return ip;
}

static const struct procent *
entof(struct inode *ip)
{
	return ip->priv;
}

static int
pidof(struct inode *ip)
{
	return (int)((uint)ip->ino >> 16);
}

static uint
placeof(struct inode *ip)
{
	return (uint)ip->ino & 0xffff;
}

/* The place of the i-th entry of a directory's table. */
static uint
subplace(struct inode *dir, uint i)
{
	if (pidof(dir))
		return (uint)(&entof(dir)->sub[i] - procpidents) << 10 |
			(placeof(dir) & OFTASK);
	return (placeof(dir) - ROOTPLACE) * 32 + i + 1 + ROOTPLACE;
}

/* Find a name: in the table, then among descriptors or processes. */
static int
proclookup(struct inode *dir, struct dentry *d)
{
	const struct procent *e = entof(dir)->sub;

	for (uint i = 0; e && e[i].name; i++)
		if (strcmp(e[i].name, d->name) == 0)
			return fillname(d, dir, &e[i], pidof(dir),
				subplace(dir, i));
	if (entof(dir)->flags & PROC_FDS)
		return lookupfd(dir, d);
	if (entof(dir) == &rootent || (entof(dir)->flags & PROC_TASKS))
		return lookuppid(dir, d);
	return 0;
}

static int
fillname(struct dentry *d, struct inode *dir, const struct procent *e, int pid,
	uint place)
{
	d->inode = procinode(dir->super, e, pid, place);
	return d->inode ? 0 : -ENOMEM;
}

static int
lookupfd(struct inode *dir, struct dentry *d)
{
	int fd = number(d->name), pid = pidof(dir), err;
	uint mode;

	if (fd < 0 || fd >= MAXFD || procnextfd(pid, fd, &mode) != fd)
		return 0;
	err = fillname(d, dir, &procfdent, pid, FDPLACE | (uint)fd);
	if (err == 0)
		d->inode->mode = S_IFLNK | mode;
	return err;
}

static int
lookuppid(struct inode *dir, struct dentry *d)
{
	int task = (entof(dir)->flags & PROC_TASKS) != 0;
	int pid = number(d->name);

	if (pid <= 0 || (task ? procnexttask(pidof(dir), pid) != pid
			      : procinspect(pid) == -ESRCH))
		return 0;
	return fillname(d, dir, task ? &taskdir : &piddir, pid,
		task ? TASKPLACE : PIDPLACE);
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
	if (entof(ip) == &procfdent &&
		procnextfd(pidof(ip), fdof(ip), 0) != fdof(ip))
		return 0;
	return procowner(pidof(ip), &uid, &gid) == 0 && uid == ip->uid &&
		gid == ip->gid;
}

static int
fdof(struct inode *ip)
{
	return (int)(placeof(ip) & (MAXFD - 1));
}

/* The text of a link: its length or -errno. */
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

static struct dentry *
procfollow(struct inode *ip, int *err)
{
	struct dentry *d = 0;

	*err = mayuse(ip);
	if (*err == 0)
		*err = entof(ip)->link(pidof(ip), fdof(ip), &d, 0, 0);
	return d;
}

static int
procopen(struct inode *ip, struct file *f)
{
	struct procfile *pf;
	int err = mayuse(ip);

	if (err < 0)
		return err;
	f->ops = ip->fops;
	if (S_ISDIR(ip->mode))
		return 0;
	pf = kzalloc(sizeof(*pf));
	if (pf == 0)
		return -ENOMEM;
	initsleeplock(&pf->lock, RANK_NONE);
	f->priv = pf;
	return 0;
}

static void
procrelease(struct file *f)
{
	struct procfile *pf = f->priv;

	if (pf)
		kmfree(pf->text.s);
	kmfree(pf);
}

static int
procread(struct file *f, struct uio *u, int64_t *off)
{
	struct procfile *pf = f->priv;
	int n = 0, err = 0;

	acquiresleep(&pf->lock);
	if (*off == 0 || pf->text.s == 0)
		err = generate(f->inode, &pf->text);
	if (err == 0 && *off < pf->text.n) {
		n = (int)MIN(u->n, pf->text.n - (uint)*off);
		err = uioput(u, pf->text.s + *off, (uint)n);
	}
	releasesleep(&pf->lock);
	if (err < 0)
		return err;
	*off += n;
	return n;
}

/* Write the file's text anew. */
static int
generate(struct inode *ip, struct text *t)
{
	int err = mayuse(ip);

	t->n = 0;
	t->err = 0;
	t->thread = pidof(ip) && (placeof(ip) & OFTASK);
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

static int
procwrite(struct file *f, struct uio *u, int64_t *off)
{
	const struct procent *e = entof(f->inode);
	char s[128];
	uint n = u->n;
	int err;

	if (e->store == 0)
		return -EIO;
	if (n >= sizeof(s))
		return -EINVAL;
	err = uioget(u, s, n);
	if (err == 0)
		err = e->store(pidof(f->inode), s, n);
	if (err < 0)
		return err;
	*off += n;
	return (int)n;
}

static int64_t
procseek(struct file *f, int64_t off, int whence)
{
	if (whence == SEEK_CUR)
		off += f->off;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (off < 0)
		return -EINVAL;
	f->off = off;
	return off;
}

/* Offsets: 0 and 1 are the dots, from 2 the table or descriptors, from
 * PIDCOOKIE the processes. */
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
	else if ((entof(dir)->flags & PROC_TASKS) ||
		(emitents(f, sink) == 0 && entof(dir) == &rootent))
		emitpids(f, sink, pidof(dir));
	return 0;
}

/* One entry, and the offset behind it: 1 if it did not fit. */
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

static int
emitents(struct file *f, struct dirsink *sink)
{
	const struct procent *e = entof(f->inode)->sub;
	uint pid = (uint)pidof(f->inode) << 16, n = 0;

	while (e[n].name)
		n++;
	while (f->off - 2 < n) {
		uint i = (uint)f->off - 2;

		if (emit(f, sink, e[i].name, pid | subplace(f->inode, i),
			    e[i].mode, f->off + 1))
			return 1;
	}
	return 0;
}

static void
emitfds(struct file *f, struct dirsink *sink)
{
	int pid = pidof(f->inode), fd;
	char name[12];

	for (;;) {
		fd = procnextfd(pid, (int)f->off - 2, 0);
		if (fd < 0 || fd >= MAXFD)
			return;
		snprintf(name, sizeof(name), "%d", fd);
		if (emit(f, sink, name,
			    (uint)pid << 16 | FDPLACE | (uint)fd, S_IFLNK,
			    fd + 3))
			return;
	}
}

/* The threads of a process; of 0, all processes. */
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

void
putf(struct text *t, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	if (textroom(t, 80) == 0)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->s + t->n, t->cap - t->n, fmt, ap);
	va_end(ap);
	if ((uint)n >= t->cap - t->n) {
		s = textroom(t, (uint)n + 1);
		if (s == 0)
			return;
		va_start(ap, fmt);
		n = vsnprintf(s, (uint)n + 1, fmt, ap);
		va_end(ap);
	}
	t->n += (uint)n;
}

/* Doubling keeps what is copied below what is written. */
char *
textroom(struct text *t, uint n)
{
	uint cap = t->cap ? t->cap : 512;
	char *s;

	if (t->err < 0)
		return 0;
	while (cap - t->n < n && cap < TEXTMAX)
		cap *= 2;
	if (cap - t->n < n) {
		t->err = -EFBIG;
		return 0;
	}
	if (cap == t->cap)
		return t->s + t->n;
	s = kmalloc(cap);
	if (s == 0) {
		t->err = -ENOMEM;
		return 0;
	}
	if (t->n)
		memmove(s, t->s, t->n);
	kmfree(t->s);
	t->s = s;
	t->cap = cap;
	return s + t->n;
}
