/*
 * sysadvise.c - system calls that tell how a file is going to be read, or that
 * parts of it should go to the disk.  Nothing here changes what a file holds.
 */
#include "kern/sys/syspath.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/sys/syscall.h"

enum { /* advice of posix_fadvise */
	FADV_NORMAL,
	FADV_RANDOM,
	FADV_SEQUENTIAL,
	FADV_WILLNEED,
	FADV_DONTNEED,
	FADV_NOREUSE,
};

enum { /* flags of sync_file_range */
	SYNC_WAIT_BEFORE = 1,
	SYNC_WRITE = 2,
	SYNC_WAIT_AFTER = 4,
};

static int advise(struct file *f, int64_t from, int64_t n, uint advice);
static int sync(struct file *f, int64_t from, int64_t n, uint flags);

/* fd, offset (two words), length, advice. */
int
sys_fadvise64(const uint *a)
{
	uint b[6] = {a[0], a[1], a[2], a[3], 0, a[4]};

	return sys_fadvise64_64(b);
}

/* fadvise64_64: a descriptor, two words of offset and two of length, advice. */
int
sys_fadvise64_64(const uint *a)
{
	struct file *f = fdgetio(a[0]);
	int err;

	if (!f)
		return -EBADF;
	if (f->inode && S_ISFIFO(f->inode->mode))
		err = -ESPIPE;
	else
		err = advise(f, ARG64(a[1], a[2]), ARG64(a[3], a[4]), a[5]);
	fileclose(f);
	return err;
}

/* n: bytes, 0: to the end. */
static int
advise(struct file *f, int64_t from, int64_t n, uint advice)
{
	struct pcache *pc = filepcache(f);
	uint64_t end = n ? from + n : INT64_MAX;

	if (n < 0 || advice > FADV_NOREUSE)
		return -EINVAL;
	if (!pc)
		return 0;
	if (end < (uint64_t)from || end > INT64_MAX)
		end = INT64_MAX;
	if (advice <= FADV_SEQUENTIAL) {
		f->ra.mode = advice; /* RA_* in the same order */
	} else if (advice == FADV_WILLNEED) {
		pcacheahead(pc, from, end);
	} else if (advice == FADV_DONTNEED) {
		pcachewriteback(pc, from, end, 0);
		if (end >= pcachesize(pc)) /* the last page goes as a whole */
			end = (pcachesize(pc) + PGSIZE - 1) & ~(PGSIZE - 1ull);
		pcachedrop(pc, from, end);
	}
	return 0;
}

/* fd, offset (two words), length. */
int
sys_readahead(const uint *a)
{
	struct file *f = fdgetio(a[0]);
	int64_t from = ARG64(a[1], a[2]);
	int err = 0;

	if (!f)
		return -EBADF;
	if ((f->flags & O_ACCMODE) == O_WRONLY)
		err = -EBADF;
	else if (!f->inode || !(S_ISREG(f->inode->mode) ||
			S_ISBLK(f->inode->mode)))
		err = -EINVAL;
	else if (from >= 0 && filepcache(f))
		pcacheahead(filepcache(f), from, from + a[3]);
	fileclose(f);
	return err;
}

/* fd, offset and length (two words each), flags. */
int
sys_sync_file_range(const uint *a)
{
	struct file *f = fdgetio(a[0]);
	int err;

	if (!f)
		return -EBADF;
	err = sync(f, ARG64(a[1], a[2]), ARG64(a[3], a[4]), a[5]);
	fileclose(f);
	return err;
}

static int
sync(struct file *f, int64_t from, int64_t n, uint flags)
{
	struct pcache *pc = filepcache(f);
	int64_t end = n ? (int64_t)((uint64_t)from + n) : INT64_MAX;
	int err = 0, e = 0;

	if (flags & ~(SYNC_WAIT_BEFORE | SYNC_WRITE | SYNC_WAIT_AFTER))
		return -EINVAL;
	if (from < 0 || end < from)
		return -EINVAL;
	if (!f->inode || !(S_ISREG(f->inode->mode) || S_ISDIR(f->inode->mode) ||
			S_ISBLK(f->inode->mode) || S_ISLNK(f->inode->mode)))
		return -ESPIPE;
	if (!pc)
		return 0;
	if (flags & SYNC_WAIT_BEFORE) /* also writes what is dirty */
		err = pcachewriteback(pc, from, end, 1);
	if (flags & SYNC_WRITE && !err)
		err = pcachewriteback(pc, from, end, 0);
	if (flags & SYNC_WAIT_AFTER && !err)
		err = pcachewriteback(pc, from, end, 1);
	if (flags & (SYNC_WAIT_BEFORE | SYNC_WAIT_AFTER))
		e = pcacheerror(pc, &f->wberr); /* fsync need not tell it */
	return err < 0 ? err : e;
}
