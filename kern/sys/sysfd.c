/*
 * sysfd.c - system calls on descriptors: close, dup, fcntl, ioctl, pipes,
 * directories.
 */
#include "kern/sys/syspath.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/resource.h"
#include "kern/flock.h"
#include "kern/proc.h"
#include "kern/lib/string.h"
#include "kern/sys/syscall.h"

#define FIONREAD 0x541b
#define FIONBIO  0x5421
#define FIONCLEX 0x5450
#define FIOCLEX  0x5451

#define SETTABLE (O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME)

struct dents { /* entries in the form of getdents or getdents64 */
	struct dirsink sink;
	char *buf;
	uint used, n;
	int old;
	int err; /* -EINVAL: the first one has no room */
};

static int dupfd(uint fd, uint min, int cloexec);
static int setlock(const uint *a, struct file *f);
static int setflags(struct file *f, uint flags);
static int fcntl(const uint *a, struct file *f);
static int ioctlfile(struct file *f, const uint *a);
static int setnonblock(struct file *f, uint uva);
static int bytesleft(struct file *f, uint uva);
static int syncfd(uint fd, int data);
static int newpipe(uint uva, uint flags);
static int getdents(const uint *a, int old);
static int emitdent(struct dirsink *s, const char *name, uint len,
	uint64_t ino, int type, uint64_t next);

int
sys_close(const uint *a)
{
	return fdclose(a[0]);
}

/* close_range(first, last, flags) closes the descriptors from first to last, or
 * marks them close-on-exec. */
int
sys_close_range(const uint *a)
{
	uint fd, last = a[1];

	if (a[2] & ~(CLOSE_RANGE_CLOEXEC | CLOSE_RANGE_UNSHARE) || a[0] > last)
		return -EINVAL;
	if (a[2] & CLOSE_RANGE_UNSHARE && myproc()->files->ref > 1) {
		struct files *old = myproc()->files, *fs = filescopy(old);

		if (!fs)
			return -ENOMEM;
		acquire(&proctree); /* /proc reads p->files under it */
		myproc()->files = fs;
		release(&proctree);
		filesput(old);
	}
	for (fd = a[0]; fd <= last && fd < (uint)myproc()->files->max; fd++)
		if (a[2] & CLOSE_RANGE_CLOEXEC)
			fdcloexec(fd, 1);
		else
			fdclose(fd);
	return 0;
}

int
sys_dup(const uint *a)
{
	return dupfd(a[0], 0, 0);
}

/* Give the file of descriptor fd a further descriptor, the lowest free one that
 * is at least min.  Returns that descriptor or -errno. */
static int
dupfd(uint fd, uint min, int cloexec)
{
	struct file *f = fdget(fd);
	int r = -EINVAL;

	if (!f)
		return -EBADF;
	if (min < myproc()->tg->rlimit[RLIMIT_NOFILE].cur && (int)min >= 0)
		r = fdalloc(f, min, cloexec);
	if (r < 0)
		fileclose(f);
	return r;
}

int
sys_dup2(const uint *a)
{
	struct file *f;
	int r;

	if (!(f = fdget(a[0])))
		return -EBADF;
	r = a[0] == a[1] ? -EINVAL : fdset(f, a[1], 0);
	if (r < 0)
		fileclose(f);
	return a[0] == a[1] ? (int)a[1] : r;
}

int
sys_dup3(const uint *a)
{
	struct file *f;
	int r;

	if (a[2] & ~O_CLOEXEC || a[0] == a[1])
		return -EINVAL;
	if (!(f = fdget(a[0])))
		return -EBADF;
	r = fdset(f, a[1], a[2] != 0);
	if (r < 0)
		fileclose(f);
	return r;
}

int
sys_fcntl(const uint *a)
{
	if (a[1] >= F_GETLK64 && a[1] <= F_SETLKW64)
		return -EINVAL;
	return sys_fcntl64(a);
}

int
sys_fcntl64(const uint *a)
{
	struct file *f = fdget(a[0]);
	int r;

	if (!f)
		return -EBADF;
	if (f->flags & O_PATH && a[1] > F_GETFL && a[1] != F_DUPFD_CLOEXEC)
		r = -EBADF;
	else
		r = fcntl(a, f);
	fileclose(f);
	return r;
}

/* Do command a[1] of fcntl with argument a[2] on f, the file of descriptor
 * a[0].  Returns what the command returns, or -errno. */
static int
fcntl(const uint *a, struct file *f)
{
	switch (a[1]) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return dupfd(a[0], a[2], a[1] == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return fdcloexec(a[0], -1);
	case F_SETFD:
		return fdcloexec(a[0], a[2] & FD_CLOEXEC) < 0 ? -EBADF : 0;
	case F_GETFL:
		return f->flags;
	case F_SETFL:
		return setflags(f, a[2]);
	case F_GETLK:
	case F_GETLK64:
		return fcntlgetlock(f, a[1], a[2]);
	case F_SETLK:
	case F_SETLKW:
	case F_SETLK64:
	case F_SETLKW64:
		return setlock(a, f);
	case F_SETOWN:
	case F_GETOWN:
	case F_SETSIG:
	case F_GETSIG:
		return 0; /* no file sends SIGIO */
	case F_GETPIPE_SZ:
		return pipegetsize(f);
	case F_SETPIPE_SZ:
		return pipesetsize(f, a[2]);
	}
	return -EINVAL;
}

/* Set or remove a lock on f.  Another thread may have closed the descriptor
 * a[0] before the lock was set; nothing would remove the lock then, so all
 * locks of the process on the file are removed here, as the close did.  Returns
 * 0, -EBADF in that case, or another -errno. */
static int
setlock(const uint *a, struct file *f)
{
	int r = fcntlsetlock(f, a[1], a[2]);
	struct file *now = fdget(a[0]);

	if (now)
		fileclose(now);
	if (r < 0 || now == f)
		return r;
	flockrelease(f->inode, myproc()->files);
	return -EBADF;
}

/* Set those flags of f that F_SETFL can change.  Returns 0. */
static int
setflags(struct file *f, uint flags)
{
	f->flags = (f->flags & ~SETTABLE) | (flags & SETTABLE);
	return 0;
}

int
sys_ioctl(const uint *a)
{
	struct file *f = fdgetio(a[0]);
	int r;

	if (!f)
		return -EBADF;
	r = ioctlfile(f, a);
	fileclose(f);
	return r;
}

/* Do request a[1] of ioctl with argument a[2] on f, the file of descriptor
 * a[0].  Returns what the request returns, or -errno. */
static int
ioctlfile(struct file *f, const uint *a)
{
	switch (a[1]) {
	case FIOCLEX:
	case FIONCLEX:
		return fdcloexec(a[0], a[1] == FIOCLEX) < 0 ? -EBADF : 0;
	case FIONBIO:
		return setnonblock(f, a[2]);
	case FIONREAD:
		if (filepcache(f))
			return bytesleft(f, a[2]);
	}
	return f->ops->ioctl ? f->ops->ioctl(f, a[1], a[2]) : -ENOTTY;
}

/* Set O_NONBLOCK of f if the int at user address uva is not 0, else clear it.
 * Returns 0 or -EFAULT. */
static int
setnonblock(struct file *f, uint uva)
{
	int on;

	if (copyin(&on, uva, sizeof(on)))
		return -EFAULT;
	if (on)
		f->flags |= O_NONBLOCK;
	else
		f->flags &= ~O_NONBLOCK;
	return 0;
}

/* Write how many bytes lie between the position of f and its end, as an int, to
 * user address uva.  The file has a page cache.  Returns 0 or -EFAULT. */
static int
bytesleft(struct file *f, uint uva)
{
	int64_t left = pcachesize(filepcache(f)) - f->off;
	int n = left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : left;

	return copyout(uva, &n, sizeof(n)) ? -EFAULT : 0;
}

int
sys_fsync(const uint *a)
{
	return syncfd(a[0], 0);
}

int
sys_fdatasync(const uint *a)
{
	return syncfd(a[0], 1);
}

/* Write what is dirty of the file of descriptor fd to its disk, as fsync does,
 * or with data set as fdatasync does.  Returns 0 or -errno. */
static int
syncfd(uint fd, int data)
{
	struct file *f = fdgetio(fd);
	int err;

	if (!f)
		return -EBADF;
	err = f->ops->sync ? f->ops->sync(f, data) : -EINVAL;
	fileclose(f);
	return err;
}

int
sys_sync(const uint *a)
{
	(void)a;
	syncall(1);
	return 0;
}

int
sys_syncfs(const uint *a)
{
	struct file *f = fdgetio(a[0]);
	struct super *s;
	uint n;
	int err;

	if (!f)
		return -EBADF;
	s = f->inode->super;
	err = syncsuper(s, 1);
	n = s->nerr; /* each error of the flusher is told once */
	if (!err && n != f->supererr)
		err = s->err;
	f->supererr = n;
	fileclose(f);
	return err;
}

int
sys_pipe(const uint *a)
{
	return newpipe(a[0], 0);
}

int
sys_pipe2(const uint *a)
{
	return newpipe(a[0], a[1]);
}

/* Make a pipe and write its two descriptors, reading end first, to user address
 * uva.  Returns 0 or -errno. */
static int
newpipe(uint uva, uint flags)
{
	struct file *f[2];
	int err;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	if ((err = pipenew(&f[0], &f[1], flags & ~O_CLOEXEC)) < 0)
		return err;
	return fdpair(f, (flags & O_CLOEXEC) != 0, uva);
}

int
sys_getdents(const uint *a)
{
	return getdents(a, 1);
}

int
sys_getdents64(const uint *a)
{
	return getdents(a, 0);
}

/* Do getdents, or with old 0 getdents64 (descriptor, buffer, size in bytes).
 * The entries are gathered in a page first, so one call gives at most a page of
 * them.  Returns bytes, 0 at the end, or -errno. */
static int
getdents(const uint *a, int old)
{
	struct dents d = {{emitdent}, 0, 0, MIN(a[2], PGSIZE), old, 0};
	struct file *f = fdgetio(a[0]);
	int64_t off;
	int r;

	if (!f)
		return -EBADF;
	if (!f->ops->readdir)
		r = -ENOTDIR;
	else if (f->dentry && f->dentry->unlinked)
		r = -ENOENT;
	else if (!(d.buf = kalloc()))
		r = -ENOMEM;
	else {
		acquiresleep(&f->poslock);
		off = f->off;
		r = f->ops->readdir(f, &d.sink);
		if (!d.used)
			r = r < 0 ? r : d.err;
		else if (copyout(a[1], d.buf, r = d.used)) {
			r = -EFAULT;
			f->off = off;
		}
		releasesleep(&f->poslock);
		kfree(d.buf);
	}
	fileclose(f);
	return r;
}

/* Add one entry behind those in the buffer of struct dents.  Returns 0, or 1
 * when the buffer has no room for the entry. */
static int
emitdent(struct dirsink *s, const char *name, uint len, uint64_t ino,
	int type, uint64_t next)
{
	struct dents *d = container_of(s, struct dents, sink);
	uint head = d->old ? offsetof(struct dirent, d_name) :
		offsetof(struct dirent64, d_name);
	uint n = ROUNDUP(head + len + 1 + (d->old ? 1 : 0), d->old ? 4 : 8);
	struct dirent64 *e = (struct dirent64 *)(d->buf + d->used);
	struct dirent *o = (struct dirent *)e;

	if (n > d->n - d->used) {
		d->err = d->used ? 0 : -EINVAL;
		return 1;
	}
	memset((char *)e + n - 8, 0, 8); /* what follows the name */
	if (d->old) {
		o->d_ino = ino;
		o->d_off = next;
		o->d_reclen = n;
		((char *)o)[n - 1] = type;
	} else {
		e->d_ino = ino;
		e->d_off = next;
		e->d_reclen = n;
		e->d_type = type;
	}
	memcpy((char *)e + head, name, len);
	d->used += n;
	return 0;
}
