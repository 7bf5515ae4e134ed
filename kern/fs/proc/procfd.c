/*
 * procfd.c - /proc/PID: its open files and its links: fd, fdinfo, exe, cwd,
 * root.
 */
#include "kern/fs/proc/procfs.h"
#include "mm/mm.h"
#include "kern/abi/errno.h"
#include "kern/abi/fcntl.h"
#include "kern/flock.h"
#include "kern/fs/inode.h"
#include "kern/lib/printf.h"
#include "kern/proc.h"

static struct file *getfd(int pid, int fd, uint *flags);
static int filelink(struct file *, struct dentry **, char *buf, uint n);
static int kindtext(struct file *, char *buf, uint n);
static struct dentry *kindname(struct file *);

/*
 * The links.  With out: the dentry it leads to, referenced, in *out; else its
 * text in buf: the length.  Or -errno; -ENOENT if there is nothing to lead to.
 */
int
linkexe(int pid, int fd, struct dentry **out, char *buf, uint n)
{
	struct file *f = 0;
	struct proc *p;
	int err;

	(void)fd;
	acquire(&proctree);
	p = findproc(pid);
	if (p && p->tg->exe)
		f = filedup(p->tg->exe);
	release(&proctree);
	if (f == 0)
		return -ENOENT;
	err = filelink(f, out, buf, n);
	fileclose(f);
	return err;
}

/* The link of a descriptor; see linkexe(). */
static int
linkfd(int pid, int fd, struct dentry **out, char *buf, uint n)
{
	struct file *f = getfd(pid, fd, 0);
	int err;

	if (f == 0)
		return -ENOENT;
	err = filelink(f, out, buf, n);
	fileclose(f);
	return err;
}

/* The dentry of an open file, or its path; see linkexe(). */
static int
filelink(struct file *f, struct dentry **out, char *buf, uint n)
{
	if (out) {
		*out = f->dentry ? dget(f->dentry) : kindname(f);
		return *out ? 0 : -ENOMEM;
	}
	if (f->dentry)
		return dentrypath(f->dentry, buf, n);
	return kindtext(f, buf, n);
}

/* What stands for the path of a file that has none: its length. */
static int
kindtext(struct file *f, char *buf, uint n)
{
	if (f->ops->name)
		return snprintf(buf, n, "anon_inode:%s", f->ops->name);
	return snprintf(buf, n, "%s:[%u]",
		S_ISSOCK(f->inode->mode) ? "socket" : "pipe",
		(uint)f->inode->ino);
}

/* A dentry outside the tree for a file that has none, so that it can be
 * opened; 0: no memory. */
static struct dentry *
kindname(struct file *f)
{
	struct dentry *d;
	char name[40];
	int n = kindtext(f, name, sizeof(name));

	d = dentrynew(0, name, (uint)n);
	if (d)
		d->inode = iget(f->inode);
	return d;
}

/* The link of the process's root or current directory; see linkexe(). */
static int
linkdir(int pid, int root, struct dentry **out, char *buf, uint n)
{
	struct dentry *d = 0;
	struct proc *p;
	int err;

	acquire(&proctree);
	p = findproc(pid);
	if (p && p->fs) {
		acquire(&p->fs->lock);
		d = dget(root ? p->fs->root : p->fs->cwd);
		release(&p->fs->lock);
	}
	release(&proctree);
	if (d == 0)
		return -ENOENT;
	if (out) {
		*out = d;
		return 0;
	}
	err = dentrypath(d, buf, n);
	dput(d);
	return err;
}

int
linkcwd(int pid, int fd, struct dentry **out, char *buf, uint n)
{
	(void)fd;
	return linkdir(pid, 0, out, buf, n);
}

int
linkroot(int pid, int fd, struct dentry **out, char *buf, uint n)
{
	(void)fd;
	return linkdir(pid, 1, out, buf, n);
}

int
procnextfd(int pid, int fd, uint *mode)
{
	struct proc *p;
	int next = -1;

	acquire(&proctree);
	p = findproc(pid);
	if (p && p->files) {
		struct files *t = p->files;

		acquire(&t->lock);
		while (fd < t->max && t->file[fd] == 0)
			fd++;
		if (fd < t->max) {
			next = fd;
			if (mode)
				*mode = t->file[fd]->flags & 3;
		}
		release(&t->lock);
	}
	release(&proctree);
	if (next >= 0 && mode) /* O_RDONLY, O_WRONLY, O_RDWR */
		*mode = *mode == 0 ? 0500 : *mode == 1 ? 0300 : 0700;
	return next;
}

/* The process's open file, referenced, with *flags as open() would have them;
 * 0: it is not open. */
static struct file *
getfd(int pid, int fd, uint *flags)
{
	struct files *t;
	struct file *f = 0;
	struct proc *p;

	acquire(&proctree);
	p = findproc(pid);
	t = p ? p->files : 0;
	if (t) {
		acquire(&t->lock);
		if (fd < t->max && t->file[fd])
			f = filedup(t->file[fd]);
		if (f && flags)
			*flags = f->flags | (t->cloexec[fd / 32] >> fd % 32 & 1
						    ? O_CLOEXEC
						    : 0);
		release(&t->lock);
	}
	release(&proctree);
	return f;
}

/* /proc/PID/fdinfo/N: position, flags, and what the kind of file tells. */
static int
showfdinfo(struct text *t, int pid)
{
	uint flags;
	struct file *f = getfd(pid, t->fd, &flags);

	if (f == 0)
		return -ENOENT;
	putf(t, "pos:\t%lld\nflags:\t0%o\nmnt_id:\t%u\nino:\t%llu\n",
		(long long)f->off, flags,
		f->inode && f->inode->super ? f->inode->super->dev : 0,
		f->inode ? (unsigned long long)f->inode->ino : 0);
	if (f->ops->info)
		f->ops->info(f, t);
	if (f->inode)
		flockshow(t, "lock:\t", f->inode, pid);
	fileclose(f);
	return 0;
}

const struct procent procfdent = {
	.mode = S_IFLNK | 0700, .flags = PROC_INSPECT, .link = linkfd
};
const struct procent procfdinfoent = {
	.mode = S_IFREG | 0444, .flags = PROC_INSPECT, .show = showfdinfo
};
