/*
 * syscopy.c - system calls that copy between files, and that set their size.
 */
#include "kern/sys/syspath.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/proc.h"
#include "kern/signal/signal.h"
#include "kern/sys/syscall.h"

#define MAXCOPY 0x7ffff000 /* bytes of one call */

static int sendfile(const uint *a, int wide);
static int copyrange(struct file *in, struct file *out, const uint *a);
static int moveoff(struct file *f, uint uva, int64_t off);
static int copyfile(struct file *out, int64_t *to, struct file *in,
	int64_t *from, uint n);
static int copypage(struct file *out, int64_t *to, struct file *in,
	int64_t *from, char *page, uint n);
static int getoff(uint uva, int64_t *off, int wide);
static int putoff(uint uva, int64_t off, int wide);
static int maycopy(struct file *in, struct file *out);
static int truncatefd(uint fd, uint64_t size);
static int truncatepath(uint upath, uint64_t size);
static int allocate(struct file *f, uint64_t off, uint64_t n, int keep);

int
sys_sendfile(const uint *a)
{
	return sendfile(a, 0);
}

int
sys_sendfile64(const uint *a)
{
	return sendfile(a, 1);
}

/* out, in, offset (0: in's position), count; wide: the offset has 64 bits. */
static int
sendfile(const uint *a, int wide)
{
	struct file *out = fdget(a[0]), *in = fdget(a[1]);
	int64_t off = 0, *from = &off;
	int r = -EBADF;

	if (!in || !out)
		goto out;
	if (!a[2])
		from = &in->off;
	else if ((r = getoff(a[2], &off, wide)) < 0)
		goto out;
	r = -EINVAL;
	if (filepages(in) && !(out->flags & O_APPEND) && (int)a[3] >= 0)
		r = copyfile(out, &out->off, in, from, a[3]);
	if (r >= 0 && a[2] && putoff(a[2], off, wide) < 0)
		r = -EFAULT;
out:
	if (in)
		fileclose(in);
	if (out)
		fileclose(out);
	return r;
}

/* copy_file_range(in, offset, out, offset, length, flags) */
int
sys_copy_file_range(const uint *a)
{
	struct file *in = fdget(a[0]), *out = fdget(a[2]);
	int r = in && out ? copyrange(in, out, a) : -EBADF;

	if (in)
		fileclose(in);
	if (out)
		fileclose(out);
	return r;
}

/* copy_file_range() from in to out, with the arguments a: bytes copied or
 * -errno. */
static int
copyrange(struct file *in, struct file *out, const uint *a)
{
	int64_t from = in->off, to = out->off;
	int r = maycopy(in, out), err;

	if (r < 0)
		return r;
	if (a[5])
		return -EINVAL;
	if ((a[1] && (r = getoff(a[1], &from, 1)) < 0) ||
		(a[3] && (r = getoff(a[3], &to, 1)) < 0))
		return r;
	if (from > INT64_MAX - a[4] || to > INT64_MAX - a[4])
		return -EOVERFLOW;
	if (in->inode == out->inode && from < to + a[4] && to < from + a[4])
		return -EINVAL;
	if ((r = copyfile(out, &to, in, &from, MIN(a[4], MAXCOPY))) < 0)
		return r;
	err = moveoff(in, a[1], from);
	return moveoff(out, a[3], to) < 0 || err < 0 ? -EFAULT : r;
}

/* The copy ended at off of f: tell the user at uva or, with uva 0, move the
 * file's own position.  0 or -EFAULT. */
static int
moveoff(struct file *f, uint uva, int64_t off)
{
	if (uva)
		return putoff(uva, off, 1);
	f->off = off;
	return 0;
}

/* Do two files allow a copy from in to out: both regular, of one file system,
 * out not in append mode?  0 or -errno. */
static int
maycopy(struct file *in, struct file *out)
{
	if ((in->inode && S_ISDIR(in->inode->mode)) ||
		(out->inode && S_ISDIR(out->inode->mode)))
		return -EISDIR;
	if (!filepcache(in) || !filepcache(out))
		return -EINVAL;
	if (out->flags & O_APPEND)
		return -EBADF;
	return in->inode->super == out->inode->super ? 0 : -EXDEV;
}

static int
getoff(uint uva, int64_t *off, int wide)
{
	int32_t narrow;

	if (copyin(wide ? (void *)off : &narrow, uva, wide ? 8 : 4))
		return -EFAULT;
	if (!wide)
		*off = narrow;
	return *off < 0 ? -EINVAL : 0;
}

static int
putoff(uint uva, int64_t off, int wide)
{
	if (!wide && off > INT32_MAX)
		return -EOVERFLOW;
	return copyout(uva, &off, wide ? 8 : 4) ? -EFAULT : 0;
}

/* Copy n bytes through a page of the kernel: bytes copied or -errno. */
static int
copyfile(struct file *out, int64_t *to, struct file *in, int64_t *from, uint n)
{
	char *page = kalloc();
	int r = 0;
	uint done = 0;

	if (!page)
		return -ENOMEM;
	n = MIN(n, MAXCOPY);
	do {
		r = copypage(out, to, in, from, page, MIN(n - done, PGSIZE));
		if (r > 0)
			done += r;
	} while (r > 0 && done < n && !sigpending());
	kfree(page);
	return done ? (int)done : r;
}

static int
copypage(struct file *out, int64_t *to, struct file *in, int64_t *from,
	char *page, uint n)
{
	struct uio u = {(uint)page, n, 1};
	int64_t off = *from;
	int r = readfile(in, &u, &off);

	if (r < 0)
		return r;
	u.addr = (uint)page;
	u.n = r;
	r = writefile(out, &u, to);
	if (r > 0)
		*from += r;
	return r;
}

int
sys_truncate(const uint *a)
{
	return (int)a[1] < 0 ? -EINVAL : truncatepath(a[0], a[1]);
}

int
sys_truncate64(const uint *a)
{
	return truncatepath(a[0], ARG64(a[1], a[2]));
}

static int
truncatepath(uint upath, uint64_t size)
{
	struct inode *ip;
	struct file *f;
	char *path;
	int err;

	if ((int64_t)size < 0)
		return -EINVAL;
	if ((err = inodeat(AT_FDCWD, upath, 0, &ip)) < 0)
		return err;
	if (!S_ISREG(ip->mode))
		err = S_ISDIR(ip->mode) ? -EISDIR : -EINVAL;
	iput(ip);
	if (err < 0 || !(path = getpath(upath, &err)))
		return err;
	f = openpath(0, path, O_WRONLY | O_NONBLOCK | O_LARGEFILE, 0,
		&err);
	putpath(path);
	if (!f)
		return err;
	err = f->ops->truncate ? filetruncate(f, size, 0) : -EINVAL;
	fileclose(f);
	return err;
}

int
sys_ftruncate(const uint *a)
{
	return (int)a[1] < 0 ? -EINVAL : truncatefd(a[0], a[1]);
}

int
sys_ftruncate64(const uint *a)
{
	return truncatefd(a[0], ARG64(a[1], a[2]));
}

static int
truncatefd(uint fd, uint64_t size)
{
	struct file *f;
	int err = -EINVAL;

	if ((int64_t)size < 0)
		return -EINVAL;
	if (!(f = fdgetio(fd)))
		return -EBADF;
	if ((f->flags & O_ACCMODE) != O_RDONLY && f->ops->truncate)
		err = filetruncate(f, size, 0);
	fileclose(f);
	return err;
}

#define HOLE (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

/* fd, mode, offset, length. */
int
sys_fallocate(const uint *a)
{
	int64_t off = ARG64(a[2], a[3]), len = ARG64(a[4], a[5]);
	struct file *f;
	int err;

	if (!(f = fdgetio(a[0])))
		return -EBADF;
	if (off < 0 || len <= 0)
		err = -EINVAL;
	else if (a[1] & ~FALLOC_FL_KEEP_SIZE && a[1] != HOLE)
		err = -EOPNOTSUPP;
	else if ((f->flags & O_ACCMODE) == O_RDONLY)
		err = -EBADF;
	else if (!f->ops->seek)
		err = -ESPIPE;
	else if (f->inode && S_ISBLK(f->inode->mode))
		err = -EOPNOTSUPP;
	else if (!filepcache(f))
		err = -ENODEV;
	else if (off > INT64_MAX - len)
		err = -EFBIG;
	else
		err = a[1] == HOLE ? filepunch(f, off, len)
				   : allocate(f, off, len, a[1] != 0);
	fileclose(f);
	return err;
}

static int
allocate(struct file *f, uint64_t off, uint64_t n, int keep)
{
	int err;

	if (!f->ops->allocate)
		return -EOPNOTSUPP;
	acquiresleep(&f->inode->lock);
	err = f->ops->allocate(f, off, n, keep);
	releasesleep(&f->inode->lock);
	return err;
}
