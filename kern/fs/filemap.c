/*
 * filemap.c - read, write, seek and truncate of files whose bytes are in a page
 * cache, whether they are in memory only or on a disk.
 *
 * A write, or a change of the size, holds the inode's lock.  A read does not,
 * and sees what has been written so far.  idirty() tells flush.c what a file
 * system on disk has to write.
 */
#include "kern/fs/inode.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/resource.h"
#include "kern/proc.h"
#include "kern/sched.h"

#define MAXSIZE ((uint64_t)64 << 30) /* bytes a page cache can have */

static int sizelimit(uint64_t max, uint64_t pos, uint *n);
static void filechanged(struct inode *ip);

const struct fileops fmops = {
	.read = fmread,
	.write = fmwrite,
	.seek = fmseek,
	.truncate = fmtruncate,
	.sync = syncfile,
};

int
fmread(struct file *f, struct uio *u, int64_t *off)
{
	struct inode *ip = f->inode;
	int n = pcacheread(ip->pages, u, *off, &f->ra);

	if (n > 0) {
		*off += n;
		if (!(f->flags & O_NOATIME))
			iaccessed(ip);
	}
	return n;
}

int
fmwrite(struct file *f, struct uio *u, int64_t *off)
{
	int r, err;

	acquiresleep(&f->inode->lock);
	r = fmwritelocked(f, u, off, u->n);
	releasesleep(&f->inode->lock);
	if (r > 0 && (f->flags & O_DSYNC || f->inode->super->flags &
		MS_SYNCHRONOUS) && (err = syncfile(f, 0)) < 0)
		r = err;
	return r;
}

int
fmwritelocked(struct file *f, struct uio *u, int64_t *off, uint max)
{
	struct inode *ip = f->inode;
	uint64_t pos = f->flags & O_APPEND ? pcachesize(ip->pages) :
		(uint64_t)*off;
	uint n = MIN(u->n, max), rest;
	int r;

	lockassert(holdingsleep(&f->inode->lock));
	if (u->n == 0)
		return 0;
	if ((r = sizelimit(f->flags & O_LARGEFILE ? MAXSIZE : INT32_MAX, pos,
		&n)) < 0)
		return r;
	rest = u->n - n;
	u->n = n;
	r = pcachewrite(ip->pages, u, pos);
	u->n += rest;
	if (r == -ENOMEM)
		return -ENOSPC;
	if (r > 0) {
		*off = pos + r;
		filechanged(ip);
	}
	return r;
}

/* May n bytes be written at pos to a file of at most max bytes? Lowers *n to
 * the number that may: 0; or -EFBIG if none may, with a signal where the limit
 * is the process's (RLIMIT_FSIZE). */
static int
sizelimit(uint64_t max, uint64_t pos, uint *n)
{
	struct proc *p = myproc();
	uint64_t limit = p ? p->tg->rlimit[RLIMIT_FSIZE].cur : max;

	if (p && pos >= limit) {
		sigsend(p, SIGXFSZ, 0);
		return -EFBIG;
	}
	limit = MIN(limit, max);
	if (pos >= limit)
		return -EFBIG;
	if (*n > limit - pos)
		*n = limit - pos;
	return 0;
}

/* The process changed the file: set its times, and clear S_ISUID and S_ISGID,
 * so that it no longer runs with its owner's rights. */
static void
filechanged(struct inode *ip)
{
	struct proc *p = myproc();

	ip->mtime = ip->ctime = realns();
	if (ip->mode & (S_ISUID | S_ISGID) && p && p->fsuid != 0) {
		ip->mode &= ~S_ISUID;
		if (ip->mode & S_IXGRP)
			ip->mode &= ~S_ISGID;
	}
	idirty(ip, IDIRTY_FIELDS);
}

int64_t
fmseek(struct file *f, int64_t off, int whence)
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

int
fmtruncate(struct file *f, uint64_t size)
{
	struct inode *ip = f->inode;
	uint one = 1;
	int err;

	lockassert(holdingsleep(&f->inode->lock));
	if (size > pcachesize(ip->pages) &&
		(err = sizelimit(MAXSIZE, size - 1, &one)) < 0)
		return err;
	err = pcachetruncate(ip->pages, size);
	if (!err)
		filechanged(ip);
	return err;
}

int64_t
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
