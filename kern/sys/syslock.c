/*
 * syslock.c - system calls that lock files: the lock commands of fcntl, flock.
 */
#include "kern/sys/syspath.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/flock.h"
#include "kern/proc.h"
#include "kern/sys/syscall.h"

static int getflock(struct file *f, int wide, uint uva, struct filelock *l);
static int lockrange(struct file *f, int whence, int64_t start, int64_t len,
	struct filelock *l);
static int putflock(int wide, uint uva, const struct filelock *l);

/* F_GETLK and F_GETLK64. */
int
fcntlgetlock(struct file *f, uint cmd, uint uva)
{
	int wide = cmd == F_GETLK64, err;
	struct filelock want, found;

	if ((err = getflock(f, wide, uva, &want)) < 0)
		return err;
	if (want.type == F_UNLCK)
		return -EINVAL;
	if (!flocktest(f->inode, &want, &found)) {
		found = want;
		found.type = F_UNLCK;
	}
	return putflock(wide, uva, &found);
}

/* F_SETLK, F_SETLKW and their 64-bit forms. */
int
fcntlsetlock(struct file *f, uint cmd, uint uva)
{
	int wide = cmd >= F_GETLK64, err;
	uint mode = f->flags & O_ACCMODE;
	struct filelock want;

	if ((err = getflock(f, wide, uva, &want)) < 0)
		return err;
	if ((want.type == F_RDLCK && mode == O_WRONLY) ||
		(want.type == F_WRLCK && mode == O_RDONLY))
		return -EBADF;
	return flockset(f->inode, &want, cmd == F_SETLKW || cmd == F_SETLKW64);
}

/* Fetch a struct flock or flock64 as a lock of the running process. */
static int
getflock(struct file *f, int wide, uint uva, struct filelock *l)
{
	struct flock k;
	struct flock64 k64;

	if (copyin(wide ? (void *)&k64 : (void *)&k, uva,
		wide ? sizeof(k64) : sizeof(k)))
		return -EFAULT;
	if (!f->inode)
		return -EINVAL;
	l->owner = myproc()->files;
	l->whole = 0;
	l->pid = myproc()->tg->tgid;
	l->type = wide ? k64.l_type : k.l_type;
	if (l->type != F_RDLCK && l->type != F_WRLCK && l->type != F_UNLCK)
		return -EINVAL;
	if (!wide)
		return lockrange(f, k.l_whence, k.l_start, k.l_len, l);
	return lockrange(f, k64.l_whence,
		ARG64((uint)k64.l_start[0], (uint)k64.l_start[1]),
		ARG64((uint)k64.l_len[0], (uint)k64.l_len[1]), l);
}

/* A length of 0 reaches to the end of all files, a negative one backwards. */
static int
lockrange(struct file *f, int whence, int64_t start, int64_t len,
	struct filelock *l)
{
	int64_t base = 0;

	if (whence == SEEK_CUR)
		base = f->off;
	else if (whence == SEEK_END && filepcache(f))
		base = pcachesize(filepcache(f));
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (start > INT64_MAX - base)
		return -EOVERFLOW;
	start += base;
	if (start < 0 || (len < 0 && (len == INT64_MIN || start < -len)))
		return -EINVAL;
	if (len > 0 && start > INT64_MAX - (len - 1))
		return -EOVERFLOW;
	l->start = len < 0 ? start + len : start;
	l->end = len < 0 ? start - 1 : len ? start + len - 1 : INT64_MAX;
	return 0;
}

static int
putflock(int wide, uint uva, const struct filelock *l)
{
	int64_t len = l->end == INT64_MAX ? 0 : (int64_t)(l->end - l->start + 1);
	struct flock k = {l->type, SEEK_SET, l->start, len, l->pid};
	struct flock64 k64 = {l->type, SEEK_SET,
		{(uint)l->start, (uint)(l->start >> 32)},
		{(uint)len, (uint)((uint64_t)len >> 32)}, l->pid};

	if (!wide && (l->start > INT32_MAX || len > INT32_MAX))
		return -EOVERFLOW;
	if (copyout(uva, wide ? (void *)&k64 : (void *)&k,
		wide ? sizeof(k64) : sizeof(k)))
		return -EFAULT;
	return 0;
}

int
sys_flock(const uint *a)
{
	struct filelock want = {.whole = 1, .end = INT64_MAX};
	uint op = a[1] & ~LOCK_NB;
	struct file *f;
	int err;

	if (op != LOCK_SH && op != LOCK_EX && op != LOCK_UN)
		return -EINVAL;
	if (!(f = fdgetio(a[0])))
		return -EBADF;
	want.owner = f;
	want.pid = myproc()->tg->tgid;
	want.type = op == LOCK_SH ? F_RDLCK : op == LOCK_EX ? F_WRLCK : F_UNLCK;
	err = f->inode ? flockset(f->inode, &want, !(a[1] & LOCK_NB)) : -EBADF;
	fileclose(f);
	return err;
}
