/*
 * sysfile.c - system calls that read, write and move in open files.
 *
 * Calls on descriptors are in sysfd.c, those that copy and truncate in
 * syscopy.c, those on names in sysname.c, on attributes in sysstat.c and
 * sysattr.c.
 */
#include "kern/sys/syspath.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/proc.h"
#include "kern/sys/syscall.h"

#define MAXRW   0x7ffff000 /* bytes of one call */

typedef int iofn(struct file *, struct uio *, int64_t *);

static int prw(const uint *a, iofn *io);
static int rwv(const uint *a, iofn *io);
static int prwv(const uint *a, iofn *io);
static int eachiov(struct file *f, const struct iovec *iov, uint n,
	int64_t *off, iofn *io);
static int lockpos(struct file *f);
static void unlockpos(struct file *f, int locked);
static int64_t seekfd(uint fd, int64_t off, int whence);

int
readfile(struct file *f, struct uio *u, int64_t *off)
{
	if ((f->flags & O_ACCMODE) == O_WRONLY || f->flags & O_PATH)
		return -EBADF;
	if (f->ops->read)
		return f->ops->read(f, u, off);
	return f->inode && S_ISDIR(f->inode->mode) ? -EISDIR : -EINVAL;
}

int
writefile(struct file *f, struct uio *u, int64_t *off)
{
	if ((f->flags & O_ACCMODE) == O_RDONLY || f->flags & O_PATH)
		return -EBADF;
	return f->ops->write ? f->ops->write(f, u, off) : -EINVAL;
}

/* Count a call that moved r bytes, or failed with r negative, in the running
 * thread's account.  io tells reads from writes.  Returns r. */
static inline int
moved(iofn *io, int r)
{
	struct procio *c = &myproc()->io;

	if (io == readfile) {
		c->syscr++;
		if (r > 0)
			c->rchar += (uint)r;
	} else {
		c->syscw++;
		if (r > 0)
			c->wchar += (uint)r;
	}
	return r;
}

/* Do read or write (descriptor, address, length).  sys_read and sys_write each
 * get their own copy, in which io is known to the compiler and inlined.
 * Returns bytes or -errno. */
static inline __attribute__((always_inline)) int
rw(const uint *a, iofn *io)
{
	struct uio u = {a[1], MIN(a[2], MAXRW), 0};
	struct file *f = fdget(a[0]);
	int r, locked;

	if (!f)
		return -EBADF;
	if ((int)a[2] < 0) {
		r = -EINVAL;
	} else {
		locked = lockpos(f);
		r = io(f, &u, &f->off);
		unlockpos(f, locked);
	}
	fileclose(f);
	return moved(io, r);
}

int
sys_read(const uint *a)
{
	return rw(a, readfile);
}

int
sys_write(const uint *a)
{
	return rw(a, writefile);
}

/* Lock the position of f, unless no other thread can use it meanwhile.  Others
 * can if there are references to f besides that of the table and that of this
 * call, or if threads share the table.  Files without a position need no lock.
 * Returns 1 if the lock was taken, else 0, for unlockpos(). */
static int
lockpos(struct file *f)
{
	if (!f->ops->seek || (f->ref <= 2 && myproc()->files->ref == 1))
		return 0;
	acquiresleep(&f->poslock);
	return 1;
}

/* Unlock the position of f if locked, which is what lockpos() returned, is
 * 1. */
static void
unlockpos(struct file *f, int locked)
{
	if (locked)
		releasesleep(&f->poslock);
}

int
sys_pread64(const uint *a)
{
	return prw(a, readfile);
}

int
sys_pwrite64(const uint *a)
{
	return prw(a, writefile);
}

/* Do pread64 or pwrite64 (descriptor, address, length, offset in two words).
 * The file's position stays.  Returns bytes or -errno. */
static int
prw(const uint *a, iofn *io)
{
	struct uio u = {a[1], MIN(a[2], MAXRW), 0};
	int64_t off = ARG64(a[3], a[4]);
	struct file *f;
	int r;

	if (off < 0)
		return -EINVAL;
	if (!(f = fdget(a[0])))
		return -EBADF;
	if (!f->ops->seek)
		r = f->flags & O_PATH ? -EBADF : -ESPIPE;
	else
		r = (int)a[2] < 0 ? -EINVAL : io(f, &u, &off);
	fileclose(f);
	return moved(io, r);
}

int
sys_readv(const uint *a)
{
	return rwv(a, readfile);
}

int
sys_writev(const uint *a)
{
	return rwv(a, writefile);
}

/* Do readv or writev (descriptor, iovecs, how many).  Returns bytes or
 * -errno. */
static int
rwv(const uint *a, iofn *io)
{
	struct iovec small[8], *iov;
	struct file *f = fdget(a[0]);
	int r, locked;

	if (!f)
		return -EBADF;
	if ((r = getiov(a[1], a[2], small, &iov)) == 0) {
		locked = lockpos(f);
		r = f->ops->iov ? f->ops->iov(f, iov, a[2], io == writefile) :
			eachiov(f, iov, a[2], &f->off, io);
		unlockpos(f, locked);
		if (iov != small)
			kmfree(iov);
	}
	fileclose(f);
	return moved(io, r);
}

int
sys_preadv(const uint *a)
{
	return prwv(a, readfile);
}

int
sys_pwritev(const uint *a)
{
	return prwv(a, writefile);
}

/* Do preadv or pwritev (descriptor, iovecs, how many, offset in two words).
 * The file's position stays.  Returns bytes or -errno. */
static int
prwv(const uint *a, iofn *io)
{
	struct iovec small[8], *iov;
	int64_t off = ARG64(a[3], a[4]);
	struct file *f;
	int r;

	if (off < 0)
		return -EINVAL;
	if (!(f = fdget(a[0])))
		return -EBADF;
	if (!f->ops->seek) {
		r = f->flags & O_PATH ? -EBADF : -ESPIPE;
	} else if ((r = getiov(a[1], a[2], small, &iov)) == 0) {
		r = eachiov(f, iov, a[2], &off, io);
		if (iov != small)
			kmfree(iov);
	}
	fileclose(f);
	return moved(io, r);
}

/* Call io for each of the n pieces of memory until one is not moved whole.  A
 * file without a position, such as a pipe, gets only one read that moves
 * something, since a second could wait although bytes are there to return.
 * Returns bytes, or -errno if none was moved. */
static int
eachiov(struct file *f, const struct iovec *iov, uint n, int64_t *off,
	iofn *io)
{
	struct uio u = {0, 0, 0};
	int r, done = 0;

	if (n == 0)
		return io(f, &u, off);
	for (uint i = 0; i < n; i++) {
		if (iov[i].len == 0 && i + 1 < n)
			continue;
		u.addr = iov[i].base;
		u.n = MIN(iov[i].len, (uint)(MAXRW - done));
		r = io(f, &u, off);
		if (r < 0)
			return done ? done : r;
		done += r;
		if ((uint)r < iov[i].len)
			break;
		if (io == readfile && !f->ops->seek && done)
			break;
	}
	return done;
}

int
sys_lseek(const uint *a)
{
	int64_t r = seekfd(a[0], (int)a[1], a[2]);

	return r > INT32_MAX ? -EOVERFLOW : (int)r;
}

int
sys__llseek(const uint *a)
{
	int64_t r = seekfd(a[0], ARG64(a[2], a[1]), a[4]);

	if (r < 0)
		return (int)r;
	return copyout(a[3], &r, sizeof(r)) ? -EFAULT : 0;
}

/* Move the position of descriptor fd to off, in bytes, counted from where
 * whence (SEEK_*) says.  Returns the new position or -errno. */
static int64_t
seekfd(uint fd, int64_t off, int whence)
{
	struct file *f = fdgetio(fd);
	int64_t r;
	int locked;

	if (!f)
		return -EBADF;
	if (!f->ops->seek) {
		r = -ESPIPE;
	} else {
		locked = lockpos(f);
		r = f->ops->seek(f, off, whence);
		unlockpos(f, locked);
	}
	fileclose(f);
	return r;
}
