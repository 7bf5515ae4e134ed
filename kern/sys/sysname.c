/*
 * sysname.c - system calls that open, make, move and remove names, move the
 * working directory, and mount.
 */
#include "kern/sys/syspath.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/proc.h"
#include "kern/lib/string.h"
#include "kern/sys/syscall.h"

static int openat(uint dirfd, uint upath, uint flags, uint mode);
static int makeat(uint dirfd, uint upath, uint mode, uint rdev);
static int mknodat(uint dirfd, uint upath, uint mode, uint dev);
static int linkat(uint oldfd, uint old, uint newfd, uint new, uint flags);
static int symlinkat(uint target, uint dirfd, uint upath);
static int unlinkat(uint dirfd, uint upath, int isdir);
static int renameat(uint oldfd, uint old, uint newfd, uint new, uint flags);
static int readlinkat(uint dirfd, uint upath, uint ubuf, uint n);
static int changedir(struct dentry *d, int root);
static int superuser(void);
static int copyword(char *buf, uint uva, uint n);

int
sys_open(const uint *a)
{
	return openat(AT_FDCWD, a[0], a[1], a[2]);
}

int
sys_openat(const uint *a)
{
	return openat(a[0], a[1], a[2], a[3]);
}

int
sys_creat(const uint *a)
{
	return openat(AT_FDCWD, a[0], O_CREAT | O_WRONLY | O_TRUNC, a[1]);
}

/* Open the path.  The descriptor is reserved first, so that no file is created
 * or cut off when no descriptor is free.  Returns the descriptor or -errno. */
static int
openat(uint dirfd, uint upath, uint flags, uint mode)
{
	struct pathat pa;
	struct file *f;
	int fd, r = getat(&pa, dirfd, upath);

	if (r < 0)
		return r;
	fd = r = fdalloc(0, 0, (flags & O_CLOEXEC) != 0);
	if (fd >= 0) {
		f = openpath(pa.at, pa.path, flags & ~O_EXEC, mode & 07777, &r);
		fdinstall(fd, f);
		r = f ? fd : r;
	}
	putat(&pa);
	return r;
}

int
sys_mkdir(const uint *a)
{
	return makeat(AT_FDCWD, a[0], S_IFDIR | (a[1] & 01777), 0);
}

int
sys_mkdirat(const uint *a)
{
	return makeat(a[0], a[1], S_IFDIR | (a[2] & 01777), 0);
}

/* Make a file of the type and permissions in mode at the path, with device
 * number rdev if the file is a device.  Returns 0 or -errno. */
static int
makeat(uint dirfd, uint upath, uint mode, uint rdev)
{
	struct pathat pa;
	int err = getat(&pa, dirfd, upath);

	if (err < 0)
		return err;
	err = fsmake(pa.at, pa.path, mode, rdev);
	putat(&pa);
	return err;
}

int
sys_mknod(const uint *a)
{
	return mknodat(AT_FDCWD, a[0], a[1], a[2]);
}

int
sys_mknodat(const uint *a)
{
	return mknodat(a[0], a[1], a[2], a[3]);
}

/* Make a file that is not a directory; mode without a type means a regular
 * file, and only the superuser makes devices.  dev has minor bits in 0-7 and
 * 20-31, major bits in 8-19, which is Linux's form and the kernel's own too.
 * Returns 0 or -errno. */
static int
mknodat(uint dirfd, uint upath, uint mode, uint dev)
{
	if (!(mode & S_IFMT))
		mode |= S_IFREG;
	if (S_ISDIR(mode))
		return -EPERM;
	if ((S_ISCHR(mode) || S_ISBLK(mode)) && !superuser())
		return -EPERM;
	if (!S_ISREG(mode) && !S_ISCHR(mode) && !S_ISBLK(mode) &&
		!S_ISFIFO(mode) && !S_ISSOCK(mode))
		return -EINVAL;
	return makeat(dirfd, upath, mode & (S_IFMT | 07777), dev);
}

/* Return whether the running process is the superuser's. */
static int
superuser(void)
{
	return myproc()->euid == 0;
}

int
sys_link(const uint *a)
{
	return linkat(AT_FDCWD, a[0], AT_FDCWD, a[1], 0);
}

int
sys_linkat(const uint *a)
{
	return linkat(a[0], a[1], a[2], a[3], a[4]);
}

/* Give the file at path old the further name new.  A symbolic link at the end
 * of old is followed only with AT_SYMLINK_FOLLOW.  Returns 0 or -errno. */
static int
linkat(uint oldfd, uint old, uint newfd, uint new, uint flags)
{
	uint how = (flags & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW) |
		(flags & AT_EMPTY_PATH);
	struct dentry *d;
	struct pathat pa;
	int err;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if ((err = walkat(oldfd, old, how, &d)) < 0)
		return err;
	if ((err = getat(&pa, newfd, new)) == 0) {
		err = fslink(d, pa.at, pa.path);
		putat(&pa);
	}
	dput(d);
	return err;
}

int
sys_symlink(const uint *a)
{
	return symlinkat(a[0], AT_FDCWD, a[1]);
}

int
sys_symlinkat(const uint *a)
{
	return symlinkat(a[0], a[1], a[2]);
}

/* Make a symbolic link at upath that holds the string at user address target.
 * Returns 0 or -errno. */
static int
symlinkat(uint target, uint dirfd, uint upath)
{
	struct pathat pa;
	int err;
	char *to = getpath(target, &err);

	if (!to)
		return err;
	if ((err = getat(&pa, dirfd, upath)) == 0) {
		err = fssymlink(to, pa.at, pa.path);
		putat(&pa);
	}
	putpath(to);
	return err;
}

int
sys_unlink(const uint *a)
{
	return unlinkat(AT_FDCWD, a[0], 0);
}

int
sys_rmdir(const uint *a)
{
	return unlinkat(AT_FDCWD, a[0], 1);
}

int
sys_unlinkat(const uint *a)
{
	if (a[2] & ~AT_REMOVEDIR)
		return -EINVAL;
	return unlinkat(a[0], a[1], a[2] != 0);
}

/* Remove the name at the path, which must be that of a directory if isdir is
 * set and must not be otherwise.  Returns 0 or -errno. */
static int
unlinkat(uint dirfd, uint upath, int isdir)
{
	struct pathat pa;
	int err = getat(&pa, dirfd, upath);

	if (err < 0)
		return err;
	err = fsunlink(pa.at, pa.path, isdir);
	putat(&pa);
	return err;
}

int
sys_rename(const uint *a)
{
	return renameat(AT_FDCWD, a[0], AT_FDCWD, a[1], 0);
}

int
sys_renameat(const uint *a)
{
	return renameat(a[0], a[1], a[2], a[3], 0);
}

int
sys_renameat2(const uint *a)
{
	return renameat(a[0], a[1], a[2], a[3], a[4]);
}

/* Move the name old to new; flags are RENAME_*.  Returns 0 or -errno. */
static int
renameat(uint oldfd, uint old, uint newfd, uint new, uint flags)
{
	struct pathat from, to;
	int err = getat(&from, oldfd, old);

	if (err < 0)
		return err;
	if ((err = getat(&to, newfd, new)) == 0) {
		err = fsrename(from.at, from.path, to.at, to.path, flags);
		putat(&to);
	}
	putat(&from);
	return err;
}

int
sys_readlink(const uint *a)
{
	return readlinkat(AT_FDCWD, a[0], a[1], a[2]);
}

int
sys_readlinkat(const uint *a)
{
	return readlinkat(a[0], a[1], a[2], a[3]);
}

/* Copy the target of a symbolic link, without a NUL, to the n bytes at user
 * address ubuf.  A longer target is cut off.  Returns the bytes copied or
 * -errno. */
static int
readlinkat(uint dirfd, uint upath, uint ubuf, uint n)
{
	struct inode *ip;
	char *buf;
	int r;

	if ((int)n <= 0)
		return -EINVAL;
	r = inodeat(dirfd, upath, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &ip);
	if (r < 0)
		return r;
	if (!S_ISLNK(ip->mode) || !ip->ops->readlink)
		r = -EINVAL;
	else if (!(buf = kalloc()))
		r = -ENOMEM;
	else {
		r = ip->ops->readlink(ip, buf, PATH_MAX);
		if (r > 0) {
			r = MIN(r, (int)n);
			r = copyout(ubuf, buf, r) ? -EFAULT : r;
		}
		kfree(buf);
	}
	iput(ip);
	return r;
}

int
sys_getcwd(const uint *a)
{
	struct fsinfo *fs = myproc()->fs;
	struct dentry *cwd;
	char *buf;
	int n;

	acquire(&fs->lock);
	cwd = dget(fs->cwd);
	release(&fs->lock);
	if (cwd->unlinked)
		n = -ENOENT;
	else if (!(buf = kalloc()))
		n = -ENOMEM;
	else {
		n = dentrypath(cwd, buf, PATH_MAX);
		if (n == -ERANGE)
			n = -ENAMETOOLONG;
		else if (n >= 0 && (uint)++n > a[1])
			n = -ERANGE;
		else if (n >= 0 && copyout(a[0], buf, n))
			n = -EFAULT;
		kfree(buf);
	}
	dput(cwd);
	return n;
}

int
sys_chdir(const uint *a)
{
	struct dentry *d;
	int err = walkat(AT_FDCWD, a[0], 0, &d);

	return err < 0 ? err : changedir(d, 0);
}

int
sys_fchdir(const uint *a)
{
	struct file *f = fdget(a[0]);
	int err;

	if (!f)
		return -EBADF;
	err = f->dentry ? changedir(dget(f->dentry), 0) : -ENOTDIR;
	fileclose(f);
	return err;
}

int
sys_chroot(const uint *a)
{
	struct dentry *d;
	int err = walkat(AT_FDCWD, a[0], 0, &d);

	if (err < 0)
		return err;
	if (superuser())
		return changedir(d, 1);
	dput(d);
	return -EPERM;
}

/* Make d the process's root directory if root is set, else its working
 * directory.  The call takes over the caller's reference to d, also when it
 * fails.  Returns 0 or -errno. */
static int
changedir(struct dentry *d, int root)
{
	struct fsinfo *fs = myproc()->fs;
	struct dentry **dp = root ? &fs->root : &fs->cwd, *old = d;
	int err = S_ISDIR(d->inode->mode) ? iaccess(d->inode, X_OK, 0) :
		-ENOTDIR;

	if (!err) {
		acquire(&fs->lock);
		old = *dp;
		*dp = d;
		release(&fs->lock);
	}
	dput(old);
	if (ndetached)
		reapmounts();
	return err;
}

/* mount(source, directory, type, flags, data), where data is a string of
 * options of at most a page. */
int
sys_mount(const uint *a)
{
	char type[32] = "", source[64] = "none", none = 0;
	char *path, *data = &none;
	uint flags = a[3];
	int err;

	if (!superuser())
		return -EPERM;
	if ((flags & 0xffff0000) == 0xc0ed0000) /* the old magic number */
		flags &= 0xffff;
	if ((a[0] && (err = copyword(source, a[0], sizeof(source))) < 0) ||
		(a[2] && (err = copyword(type, a[2], sizeof(type))) < 0))
		return err;
	if (a[4] && (!(data = getpath(a[4], &err))))
		return err;
	if ((path = getpath(a[1], &err))) {
		err = domount(source, path, type, flags, data);
		putpath(path);
	}
	if (a[4])
		putpath(data);
	return err;
}

/* Copy the string at user address uva to buf, which has n bytes.  A longer
 * string is cut off.  Returns 0 or -EFAULT. */
static int
copyword(char *buf, uint uva, uint n)
{
	int r = copyinstr(buf, uva, n);

	buf[n - 1] = 0;
	return r == -EFAULT ? r : 0;
}

int
sys_umount(const uint *a)
{
	const uint b[2] = {a[0], 0};

	return sys_umount2(b);
}

int
sys_umount2(const uint *a)
{
	char *path;
	int err;

	if (!superuser())
		return -EPERM;
	if (!(path = getpath(a[0], &err)))
		return err;
	err = doumount(path, a[1]);
	putpath(path);
	return err;
}
