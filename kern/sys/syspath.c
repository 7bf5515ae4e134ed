/*
 * syspath.c - what system calls on files share: a path that starts at a
 * descriptor, and the inode behind a path or a descriptor.
 */
#include "kern/sys/syspath.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/proc.h"

int
getat(struct pathat *pa, uint dirfd, uint upath)
{
	int err;

	pa->at = 0;
	pa->f = 0;
	if (!(pa->path = getpath(upath, &err)))
		return err;
	if (dirfd == (uint)AT_FDCWD || *pa->path == '/')
		return 0;
	err = -EBADF;
	if ((pa->f = fdget(dirfd))) {
		pa->at = pa->f->dentry;
		if (pa->at && (S_ISDIR(pa->at->inode->mode) || !*pa->path))
			return 0;
		err = -ENOTDIR;
	}
	putat(pa);
	return err;
}

void
putat(struct pathat *pa)
{
	if (pa->f)
		fileclose(pa->f);
	putpath(pa->path);
}

/* walkat(), inline so that inodeat(), and with it stat, saves a call. */
static inline __attribute__((always_inline)) int
walkinline(uint dirfd, uint upath, uint atflags, struct dentry **dp)
{
	int how = atflags & AT_SYMLINK_NOFOLLOW ? WALK_NOFOLLOW : 0;
	struct pathat pa;
	int err = getat(&pa, dirfd, upath);

	if (err < 0)
		return err;
	if (!*pa.path && atflags & AT_EMPTY_PATH)
		err = walk(pa.at, ".", 0, dp, 0);
	else
		err = walk(pa.at, pa.path, how, dp, 0);
	if (err == -ENOTDIR && !*pa.path && pa.at) {
		*dp = dget(pa.at); /* a file itself */
		err = 0;
	}
	putat(&pa);
	return err;
}

int
walkat(uint dirfd, uint upath, uint atflags, struct dentry **dp)
{
	return walkinline(dirfd, upath, atflags, dp);
}

int
inodeat(uint dirfd, uint upath, uint atflags, struct inode **ipp)
{
	char first;
	struct dentry *d;
	int err;

	if (dirfd != (uint)AT_FDCWD && (!upath || atflags & AT_EMPTY_PATH)) {
		if (upath && copyin(&first, upath, 1))
			return -EFAULT;
		if (!upath || !first)
			return inodefd(dirfd, ipp);
	}
	if ((err = walkinline(dirfd, upath, atflags, &d)) < 0)
		return err;
	*ipp = iget(d->inode);
	dput(d);
	return 0;
}

int
inodefd(uint fd, struct inode **ipp)
{
	struct file *f = fdget(fd);
	int err = -EBADF;

	if (!f)
		return err;
	if (f->inode) {
		*ipp = iget(f->inode);
		err = 0;
	}
	fileclose(f);
	return err;
}
