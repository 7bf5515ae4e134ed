/*
 * sysattr.c - system calls that change what a file is: mode, owner, times; and
 * extended attributes (there are none).
 */
#include "kern/sys/syspath.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/time.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/sys/syscall.h"

#define NOTIME INT64_MIN /* leave this time as it is */

static int chmodat(uint dirfd, uint upath, uint mode);
static int changemode(struct inode *ip, uint mode);
static int chownat(uint dirfd, uint upath, uint flags, uint uid, uint gid);
static int chownfd(uint fd, uint uid, uint gid);
static int changeowner(struct inode *ip, uint uid, uint gid);
static int settable(struct inode *ip);
static int setattr(struct inode *ip);
static int owner(struct inode *ip);
static uint wideid(uint id);
static int timesat(uint dirfd, uint upath, uint flags, int64_t t[2], int now);
static int changetimes(struct inode *ip, int64_t t[2], int now);
static int timevals(uint uva, int64_t t[2]);
static int picktime(int64_t sec, uint nsec, int64_t *t);
static int utimens(uint dirfd, uint upath, uint utimes, uint flags, int wide);
static int noxattr(uint upath, uint flags, int err);
static int noxattrfd(uint fd, int err);

int
sys_chmod(const uint *a)
{
	return chmodat(AT_FDCWD, a[0], a[1]);
}

int
sys_fchmodat(const uint *a)
{
	return chmodat(a[0], a[1], a[2]);
}

static int
chmodat(uint dirfd, uint upath, uint mode)
{
	struct inode *ip;
	int err;

	if (!upath)
		return -EFAULT;
	if ((err = inodeat(dirfd, upath, 0, &ip)) < 0)
		return err;
	err = changemode(ip, mode);
	iput(ip);
	return err;
}

int
sys_fchmod(const uint *a)
{
	struct inode *ip;
	int err = inodefd(a[0], &ip);

	if (err < 0)
		return err;
	err = changemode(ip, a[1]);
	iput(ip);
	return err;
}

static int
changemode(struct inode *ip, uint mode)
{
	int err = settable(ip);

	if (err < 0)
		return err;
	if (!owner(ip))
		return -EPERM;
	if (myproc()->fsuid && !igroup(ip->gid))
		mode &= ~S_ISGID;
	ip->mode = (ip->mode & S_IFMT) | (mode & 07777);
	return setattr(ip);
}

/* 0, or why nobody may change its attributes: all anonymous files have one
 * inode (anonfile.c), of no type. */
static int
settable(struct inode *ip)
{
	if (ip->super->flags & MS_RDONLY)
		return -EROFS;
	return ip->mode & S_IFMT ? 0 : -EOPNOTSUPP;
}

/* Tell the file system that an attribute has changed. */
static int
setattr(struct inode *ip)
{
	ip->ctime = realns();
	return ip->ops && ip->ops->setattr ? ip->ops->setattr(ip) : 0;
}

/* May the running process act as the file's owner? */
static int
owner(struct inode *ip)
{
	return myproc()->fsuid == 0 || myproc()->fsuid == ip->uid;
}

int
sys_chown(const uint *a)
{
	return chownat(AT_FDCWD, a[0], 0, wideid(a[1]), wideid(a[2]));
}

int
sys_lchown(const uint *a)
{
	return chownat(AT_FDCWD, a[0], AT_SYMLINK_NOFOLLOW, wideid(a[1]),
		wideid(a[2]));
}

int
sys_fchown(const uint *a)
{
	return chownfd(a[0], wideid(a[1]), wideid(a[2]));
}

/* An id of 16 bits, as the old calls have them; -1 stays -1. */
static uint
wideid(uint id)
{
	return (id & 0xffff) == 0xffff ? ~0u : id & 0xffff;
}

int
sys_chown32(const uint *a)
{
	return chownat(AT_FDCWD, a[0], 0, a[1], a[2]);
}

int
sys_lchown32(const uint *a)
{
	return chownat(AT_FDCWD, a[0], AT_SYMLINK_NOFOLLOW, a[1], a[2]);
}

int
sys_fchown32(const uint *a)
{
	return chownfd(a[0], a[1], a[2]);
}

int
sys_fchownat(const uint *a)
{
	if (a[4] & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return chownat(a[0], a[1], a[4], a[2], a[3]);
}

static int
chownat(uint dirfd, uint upath, uint flags, uint uid, uint gid)
{
	struct inode *ip;
	int err;

	if (!upath)
		return -EFAULT;
	if ((err = inodeat(dirfd, upath, flags, &ip)) < 0)
		return err;
	err = changeowner(ip, uid, gid);
	iput(ip);
	return err;
}

static int
chownfd(uint fd, uint uid, uint gid)
{
	struct inode *ip;
	int err = inodefd(fd, &ip);

	if (err < 0)
		return err;
	err = changeowner(ip, uid, gid);
	iput(ip);
	return err;
}

/* -1 keeps.  The owner may give the file to a group that he is in. */
static int
changeowner(struct inode *ip, uint uid, uint gid)
{
	int root = myproc()->fsuid == 0, err = settable(ip);

	if (err < 0)
		return err;
	if (!root && ((uid != ~0u && (uid != ip->uid || !owner(ip))) ||
		(gid != ~0u && (!owner(ip) || (gid != ip->gid && !igroup(gid))))))
		return -EPERM;
	if (uid != ~0u)
		ip->uid = uid;
	if (gid != ~0u)
		ip->gid = gid;
	if (!S_ISDIR(ip->mode) && (uid != ~0u || gid != ~0u)) {
		ip->mode &= ~S_ISUID;
		if (ip->mode & S_IXGRP)
			ip->mode &= ~S_ISGID;
	}
	return setattr(ip);
}

/* path, {access time, modification time} in seconds or 0. */
int
sys_utime(const uint *a)
{
	int32_t sec[2];
	int64_t t[2] = {0, 0};

	if (a[1]) {
		if (copyin(sec, a[1], sizeof(sec)))
			return -EFAULT;
		t[0] = (int64_t)sec[0] * NSEC;
		t[1] = (int64_t)sec[1] * NSEC;
	}
	return a[0] ? timesat(AT_FDCWD, a[0], 0, t, !a[1]) : -EFAULT;
}

int
sys_utimes(const uint *a)
{
	const uint b[3] = {(uint)AT_FDCWD, a[0], a[1]};

	return a[0] ? sys_futimesat(b) : -EFAULT;
}

int
sys_futimesat(const uint *a)
{
	int64_t t[2] = {0, 0};
	int err = a[2] ? timevals(a[2], t) : 0;

	return err < 0 ? err : timesat(a[0], a[1], 0, t, !a[2]);
}

static int
timevals(uint uva, int64_t t[2])
{
	struct timeval tv[2];

	if (copyin(tv, uva, sizeof(tv)))
		return -EFAULT;
	for (int i = 0; i < 2; i++) {
		if (tv[i].tv_usec < 0 || tv[i].tv_usec >= 1000000)
			return -EINVAL;
		t[i] = (int64_t)tv[i].tv_sec * NSEC + tv[i].tv_usec * 1000;
	}
	return 0;
}

int
sys_utimensat(const uint *a)
{
	return utimens(a[0], a[1], a[2], a[3], 0);
}

int
sys_utimensat_time64(const uint *a)
{
	return utimens(a[0], a[1], a[2], a[3], 1);
}

static int
utimens(uint dirfd, uint upath, uint utimes, uint flags, int wide)
{
	struct timespec ts[2];
	struct timespec64 ts64[2];
	int64_t t[2] = {0, 0};
	int err = 0, now;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (!utimes)
		return timesat(dirfd, upath, flags, t, 1);
	if (copyin(wide ? (void *)ts64 : (void *)ts, utimes,
		wide ? sizeof(ts64) : sizeof(ts)))
		return -EFAULT;
	for (int i = 0; i < 2 && !err; i++)
		err = wide ? picktime(ts64[i].tv_sec, ts64[i].tv_nsec, &t[i]) :
			picktime(ts[i].tv_sec, ts[i].tv_nsec, &t[i]);
	if (err < 0)
		return err;
	if (t[0] == NOTIME && t[1] == NOTIME)
		return 0;
	now = wide ? ts64[0].tv_nsec == UTIME_NOW && ts64[1].tv_nsec == UTIME_NOW :
		ts[0].tv_nsec == UTIME_NOW && ts[1].tv_nsec == UTIME_NOW;
	return timesat(dirfd, upath, flags, t, now);
}

static int
picktime(int64_t sec, uint nsec, int64_t *t)
{
	if (nsec == UTIME_NOW)
		*t = realns();
	else if (nsec == UTIME_OMIT)
		*t = NOTIME;
	else if (nsec >= NSEC)
		return -EINVAL;
	else
		*t = MIN(MAX(sec, -INT64_MAX / NSEC), INT64_MAX / NSEC - 1) *
			NSEC + nsec;
	return 0;
}

/* now: both times are the current one, which writers may set too. */
static int
timesat(uint dirfd, uint upath, uint flags, int64_t t[2], int now)
{
	struct inode *ip;
	int err = -EFAULT;

	if (!upath && dirfd == (uint)AT_FDCWD)
		return err;
	if (!upath && flags)
		return -EINVAL;
	if ((err = inodeat(dirfd, upath, flags, &ip)) < 0)
		return err;
	err = changetimes(ip, t, now);
	iput(ip);
	return err;
}

static int
changetimes(struct inode *ip, int64_t t[2], int now)
{
	int err = settable(ip);

	if (err < 0)
		return err;
	if (!owner(ip) && (!now || iaccess(ip, W_OK, 0) < 0))
		return now ? -EACCES : -EPERM;
	if (now)
		t[0] = t[1] = realns();
	if (t[0] != NOTIME)
		ip->atime = t[0];
	if (t[1] != NOTIME)
		ip->mtime = t[1];
	return setattr(ip);
}

#define XATTRPATH(name, flags, err)                                            \
	int sys_##name(const uint *a)                                          \
	{                                                                      \
		return noxattr(a[0], flags, err);                              \
	}
#define XATTRFD(name, err)                                                     \
	int sys_##name(const uint *a)                                          \
	{                                                                      \
		return noxattrfd(a[0], err);                                   \
	}

/* No file has extended attributes: the list is empty. */
XATTRPATH(setxattr, 0, -EOPNOTSUPP)
XATTRPATH(lsetxattr, AT_SYMLINK_NOFOLLOW, -EOPNOTSUPP)
XATTRFD(fsetxattr, -EOPNOTSUPP)
XATTRPATH(getxattr, 0, -EOPNOTSUPP)
XATTRPATH(lgetxattr, AT_SYMLINK_NOFOLLOW, -EOPNOTSUPP)
XATTRFD(fgetxattr, -EOPNOTSUPP)
XATTRPATH(listxattr, 0, 0)
XATTRPATH(llistxattr, AT_SYMLINK_NOFOLLOW, 0)
XATTRFD(flistxattr, 0)
XATTRPATH(removexattr, 0, -EOPNOTSUPP)
XATTRPATH(lremovexattr, AT_SYMLINK_NOFOLLOW, -EOPNOTSUPP)
XATTRFD(fremovexattr, -EOPNOTSUPP)

/* err, if there is such a file. */
static int
noxattr(uint upath, uint flags, int err)
{
	struct inode *ip;
	int r;

	if (!upath)
		return -EFAULT;
	if ((r = inodeat(AT_FDCWD, upath, flags, &ip)) < 0)
		return r;
	iput(ip);
	return err;
}

static int
noxattrfd(uint fd, int err)
{
	struct inode *ip;
	int r = inodefd(fd, &ip);

	if (r < 0)
		return r;
	iput(ip);
	return err;
}
