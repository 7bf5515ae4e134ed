/*
 * sysstat.c - system calls that tell what a file is: stat, statfs, access.
 */
#include "kern/sys/syspath.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/time.h"
#include "kern/dev/dev.h"
#include "kern/proc.h"
#include "kern/lib/string.h"
#include "kern/sys/syscall.h"

#define STATFLAGS (AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH)

typedef int statfn(struct inode *ip, uint uva);

static int statat(uint dirfd, uint upath, uint flags, uint uva, statfn *put);
static int statfd(uint fd, uint uva, statfn *put);
static int putstat(struct inode *ip, uint uva);
static int putstat64(struct inode *ip, uint uva);
static int putstatx(struct inode *ip, uint uva);
static void xtime(struct statxtime *t, int64_t ns);
static uint seconds(int64_t ns, uint *nsec);
static int putstatfs(struct inode *ip, uint uva);
static int putstatfs64(struct inode *ip, uint uva);
static int makestatfs(struct inode *ip, struct statfs64 *st);
static uint mountflags(uint ms);
static int accessat(uint dirfd, uint upath, uint mode, uint flags);

int
sys_stat(const uint *a)
{
	return statat(AT_FDCWD, a[0], 0, a[1], putstat);
}

int
sys_lstat(const uint *a)
{
	return statat(AT_FDCWD, a[0], AT_SYMLINK_NOFOLLOW, a[1], putstat);
}

int
sys_fstat(const uint *a)
{
	return statfd(a[0], a[1], putstat);
}

int
sys_stat64(const uint *a)
{
	return statat(AT_FDCWD, a[0], 0, a[1], putstat64);
}

int
sys_lstat64(const uint *a)
{
	return statat(AT_FDCWD, a[0], AT_SYMLINK_NOFOLLOW, a[1], putstat64);
}

int
sys_fstat64(const uint *a)
{
	return statfd(a[0], a[1], putstat64);
}

int
sys_fstatat64(const uint *a)
{
	if (a[3] & ~STATFLAGS)
		return -EINVAL;
	return statat(a[0], a[1], a[3], a[2], putstat64);
}

/* statx(dirfd, path, flags, mask, buffer) gives all that is known, whatever
 * mask asks for. */
int
sys_statx(const uint *a)
{
	if (a[3] & STATX_RESERVED || a[2] & ~(STATFLAGS | AT_STATX_SYNC_TYPE) ||
		(a[2] & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	return statat(a[0], a[1], a[2], a[4], putstatx);
}

/* Find the inode of the path at user address upath and have put write the facts
 * about that inode to user address uva.  flags are AT_* of inodeat().  Returns
 * 0 or -errno. */
static int
statat(uint dirfd, uint upath, uint flags, uint uva, statfn *put)
{
	struct inode *ip;
	int err;

	if (!upath)
		return -EFAULT;
	if ((err = inodeat(dirfd, upath, flags, &ip)) < 0)
		return err;
	err = put(ip, uva);
	iput(ip);
	return err;
}

/* Have put write the facts about the inode of descriptor fd to user address
 * uva.  Returns 0 or -errno. */
static int
statfd(uint fd, uint uva, statfn *put)
{
	struct inode *ip;
	int err = inodefd(fd, &ip);

	if (err < 0)
		return err;
	err = put(ip, uva);
	iput(ip);
	return err;
}

/* Write a struct stat of ip to user address uva.  Ids beyond 16 bits become
 * 65534.  Returns 0, -EOVERFLOW when the size does not fit in 31 bits, or
 * -EFAULT. */
static int
putstat(struct inode *ip, uint uva)
{
	struct kstat k;
	struct stat st;

	inodestat(ip, &k);
	if (k.size > INT32_MAX)
		return -EOVERFLOW;
	memset(&st, 0, sizeof(st));
	st.st_dev = k.dev;
	st.st_ino = k.ino;
	st.st_mode = k.mode;
	st.st_nlink = k.nlink;
	st.st_uid = k.uid > 0xffff ? 65534 : k.uid;
	st.st_gid = k.gid > 0xffff ? 65534 : k.gid;
	st.st_rdev = k.rdev;
	st.st_size = k.size;
	st.st_blksize = k.blksize;
	st.st_blocks = k.blocks;
	st.st_atime = seconds(k.atime, &st.st_atimensec);
	st.st_mtime = seconds(k.mtime, &st.st_mtimensec);
	st.st_ctime = seconds(k.ctime, &st.st_ctimensec);
	return copyout(uva, &st, sizeof(st)) ? -EFAULT : 0;
}

/* Write a struct stat64 of ip to user address uva.  Returns 0 or -EFAULT. */
static int
putstat64(struct inode *ip, uint uva)
{
	struct kstat k;
	struct stat64 st;

	inodestat(ip, &k);
	st.st_dev = k.dev;
	st.pad0 = st.pad3 = 0;
	st.st_ino32 = k.ino;
	st.st_mode = k.mode;
	st.st_nlink = k.nlink;
	st.st_uid = k.uid;
	st.st_gid = k.gid;
	st.st_rdev = k.rdev;
	st.st_size[0] = k.size;
	st.st_size[1] = k.size >> 32;
	st.st_blksize = k.blksize;
	st.st_blocks = k.blocks;
	st.st_atime = seconds(k.atime, &st.st_atimensec);
	st.st_mtime = seconds(k.mtime, &st.st_mtimensec);
	st.st_ctime = seconds(k.ctime, &st.st_ctimensec);
	st.st_ino = k.ino;
	return copyout(uva, &st, sizeof(st)) ? -EFAULT : 0;
}

/* Write a struct statx of ip to user address uva.  Returns 0 or -EFAULT. */
static int
putstatx(struct inode *ip, uint uva)
{
	struct kstat k;
	struct statx st;

	inodestat(ip, &k);
	memset(&st, 0, sizeof(st));
	st.stx_mask = STATX_BASIC_STATS | STATX_MNT_ID;
	st.stx_blksize = k.blksize;
	st.stx_nlink = k.nlink;
	st.stx_uid = k.uid;
	st.stx_gid = k.gid;
	st.stx_mode = k.mode;
	st.stx_ino = k.ino;
	st.stx_size = k.size;
	st.stx_blocks = k.blocks;
	xtime(&st.stx_atime, k.atime);
	xtime(&st.stx_mtime, k.mtime);
	xtime(&st.stx_ctime, k.ctime);
	st.stx_rdev_major = major(k.rdev);
	st.stx_rdev_minor = minor(k.rdev) | (k.rdev >> 12 & 0xfff00);
	st.stx_dev_minor = k.dev;
	st.stx_mnt_id = k.dev;
	return copyout(uva, &st, sizeof(st)) ? -EFAULT : 0;
}

/* Part ns, which may be negative, in whole seconds, rounded down, and the rest
 * in nanoseconds from 0 to NSEC - 1. */
static void
xtime(struct statxtime *t, int64_t ns)
{
	int64_t sec = ns / NSEC;
	int rest = ns - sec * NSEC;

	if (rest < 0) {
		rest += NSEC;
		sec--;
	}
	t->sec = sec;
	t->nsec = rest;
}

/* Return the whole seconds of ns, rounded down and cut off to 32 bits, with the
 * rest in nanoseconds in *nsec. */
static uint
seconds(int64_t ns, uint *nsec)
{
	struct statxtime t;

	xtime(&t, ns);
	*nsec = t.nsec;
	return t.sec;
}

int
sys_statfs(const uint *a)
{
	return statat(AT_FDCWD, a[0], 0, a[1], putstatfs);
}

int
sys_fstatfs(const uint *a)
{
	return statfd(a[0], a[1], putstatfs);
}

int
sys_statfs64(const uint *a)
{
	if (a[1] != sizeof(struct statfs64))
		return -EINVAL;
	return statat(AT_FDCWD, a[0], 0, a[2], putstatfs64);
}

int
sys_fstatfs64(const uint *a)
{
	if (a[1] != sizeof(struct statfs64))
		return -EINVAL;
	return statfd(a[0], a[2], putstatfs64);
}

/* Write a struct statfs of the file system of ip to user address uva.  Counts
 * are cut off to 32 bits.  Returns 0 or -errno. */
static int
putstatfs(struct inode *ip, uint uva)
{
	struct statfs64 w;
	struct statfs st;
	int err = makestatfs(ip, &w);

	if (err < 0)
		return err;
	memset(&st, 0, sizeof(st));
	st.f_type = w.f_type;
	st.f_bsize = w.f_bsize;
	st.f_blocks = w.f_blocks;
	st.f_bfree = w.f_bfree;
	st.f_bavail = w.f_bavail;
	st.f_files = w.f_files;
	st.f_ffree = w.f_ffree;
	st.f_fsid[0] = w.f_fsid[0];
	st.f_namelen = w.f_namelen;
	st.f_frsize = w.f_frsize;
	st.f_flags = w.f_flags;
	return copyout(uva, &st, sizeof(st)) ? -EFAULT : 0;
}

/* Write a struct statfs64 of the file system of ip to user address uva.
 * Returns 0 or -errno. */
static int
putstatfs64(struct inode *ip, uint uva)
{
	struct statfs64 st;
	int err = makestatfs(ip, &st);

	if (err < 0)
		return err;
	return copyout(uva, &st, sizeof(st)) ? -EFAULT : 0;
}

/* Fill *st with what the file system of ip tells; sizes are in blocks of
 * st->f_bsize bytes.  Returns 0 or -errno. */
static int
makestatfs(struct inode *ip, struct statfs64 *st)
{
	struct super *s = ip->super;
	struct kstatfs k = {.bsize = PGSIZE};
	int err = s->ops && s->ops->statfs ? s->ops->statfs(s, &k) : 0;

	if (err < 0)
		return err;
	memset(st, 0, sizeof(*st));
	st->f_type = s->magic;
	st->f_bsize = st->f_frsize = k.bsize;
	st->f_blocks = k.blocks;
	st->f_bfree = k.bfree;
	st->f_bavail = k.bavail;
	st->f_files = k.files;
	st->f_ffree = k.ffree;
	st->f_namelen = NAME_MAX;
	st->f_fsid[0] = s->dev;
	st->f_flags = mountflags(s->flags);
	return 0;
}

/* Convert the MS_* flags of a mount to the ST_* flags of statfs. */
static uint
mountflags(uint ms)
{
	static const struct {
		uint ms, st;
	} map[] = {
		{MS_SYNCHRONOUS, 0x10}, {MS_NOATIME, 0x400},
		{MS_NODIRATIME, 0x800}, {MS_RELATIME, 0x1000},
	};
	uint st = 0x20; /* ST_VALID */

	st |= ms & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
	for (uint i = 0; i < NELEM(map); i++)
		if (ms & map[i].ms)
			st |= map[i].st;
	return st;
}

int
sys_access(const uint *a)
{
	return accessat(AT_FDCWD, a[0], a[1], 0);
}

int
sys_faccessat(const uint *a)
{
	return accessat(a[0], a[1], a[2], 0);
}

int
sys_faccessat2(const uint *a)
{
	return accessat(a[0], a[1], a[2], a[3]);
}

/* Return 0 if the process may use the file at the path as mode, of R_OK, W_OK
 * and X_OK, says; else -errno.  The real ids count, or with AT_EACCESS the
 * effective ones; mode 0 asks only whether the file exists. */
static int
accessat(uint dirfd, uint upath, uint mode, uint flags)
{
	struct inode *ip;
	int err;

	if (mode & ~(R_OK | W_OK | X_OK) ||
		flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (!upath)
		return -EFAULT;
	if ((err = inodeat(dirfd, upath, flags, &ip)) < 0)
		return err;
	err = mode ? iaccess(ip, mode, !(flags & AT_EACCESS)) : 0;
	iput(ip);
	return err;
}
