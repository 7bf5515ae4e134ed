/* syspath.h - what system calls on files share: descriptors and paths among
 * their arguments. */
#ifndef KERN_SYSPATH_H
#define KERN_SYSPATH_H

#include "kern/fs/inode.h"

/* A path argument relative to a descriptor (AT_FDCWD: the cwd). */
struct pathat {
	char *path;        /* of getpath */
	struct dentry *at; /* 0: the cwd */
	struct file *f;    /* keeps at */
};

/* 0, with what putat() gives back; or -errno. */
int getat(struct pathat *, uint dirfd, uint upath);
void putat(struct pathat *);

/* Walk path: the dentry, referenced, in *dp.  atflags: AT_SYMLINK_NOFOLLOW,
 * AT_EMPTY_PATH. */
int walkat(uint dirfd, uint upath, uint atflags, struct dentry **dp);

/* The inode, referenced, of a path as in walkat; with AT_EMPTY_PATH and an
 * empty path, or upath 0, that of the descriptor. */
int inodeat(uint dirfd, uint upath, uint atflags, struct inode **ipp);

/* The inode, referenced, of an open file: or -EBADF. */
int inodefd(uint fd, struct inode **ipp);

/* sysfile.c: move bytes between an open file and u at *off (the file's own
 * position is &f->off): bytes or -errno. */
int readfile(struct file *f, struct uio *u, int64_t *off);
int writefile(struct file *f, struct uio *u, int64_t *off);

/* syslock.c: the lock commands of fcntl, on a struct flock or flock64. */
int fcntlgetlock(struct file *f, uint cmd, uint uva);
int fcntlsetlock(struct file *f, uint cmd, uint uva);

/* A 64-bit argument in two words. */
#define ARG64(lo, hi) ((uint64_t)(hi) << 32 | (lo))

#endif
