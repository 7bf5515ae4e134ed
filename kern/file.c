/*
 * file.c - open files, and the tables of descriptors that refer to them.
 *
 *  1. An open file lives while its count is above 0: one for each descriptor,
 *     each mapping and each call that uses it.
 *  2. In a table, bit fd of used is set if file[fd] is not 0, or a call has
 *     reserved fd for a file that nobody is to see before its number; the three
 *     arrays are one allocation, which begins with file[].
 *  3. A table that one thread alone uses is changed by that thread only, which
 *     therefore reads it without the lock.
 */
#include "kern/file.h"
#include "arch/cpu.h"
#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/resource.h"
#include "kern/blk/blk.h"
#include "kern/flock.h"
#include "kern/fs/inode.h"
#include "kern/panic.h"
#include "kern/proc.h"
#include "kern/lib/string.h"

#define FIRSTMAX 32      /* descriptors of a new table */
#define LASTMAX  0x10000 /* a table grows to */

static struct slabcache *filecache;

static int fdlimit(void);
static int freefd(struct files *fs, int min);
static int growtable(struct files *fs, int fd);
static int newtable(struct files *fs, int max);
static void putfd(struct files *fs, int fd, struct file *f, int cloexec);
static struct file *takefd(struct files *fs, int fd);

void
fileinit(void)
{
	filecache = slabcreate("file", sizeof(struct file), 8);
	flockinit();
}

struct file *
filealloc(void)
{
	struct file *f = slaballoc(filecache);

	if (!f)
		return 0;
	memset(f, 0, sizeof(*f));
	f->ref = 1;
	initsleeplock(&f->poslock, RANK_NONE);
	return f;
}

struct file *
filedup(struct file *f)
{
	assert(f->ref > 0);
	atomicinc(&f->ref);
	return f;
}

void
fileclose(struct file *f)
{
	assert(f->ref > 0);
	if (!atomicdectest(&f->ref))
		return;
	if (f->inode && f->inode->locks)
		flockrelease(f->inode, f);
	if (f->watches)
		epollforget(f);
	if (f->ops && f->ops->release)
		f->ops->release(f);
	if (f->counted == FILE_WRITER)
		iputwriter(f->inode);
	else if (f->counted)
		iputtext(f->inode);
	dput(f->dentry);
	if (ndetached)
		reapmounts();
	slabfree(filecache, f);
}

struct pcache *
filepcache(struct file *f)
{
	if (!f->inode || !S_ISREG(f->inode->mode) || f->flags & O_PATH)
		return 0;
	return f->inode->pages;
}

void
filemodified(struct file *f)
{
	f->inode->mtime = f->inode->ctime = realns();
	idirty(f->inode, IDIRTY_FIELDS);
}

int
filemine(struct file *f)
{
	struct inode *ip = f->inode;

	return ip == 0 || myproc()->euid == ip->uid || iaccess(ip, W_OK, 0) == 0;
}

struct pcache *
filepages(struct file *f)
{
	return f->inode && S_ISBLK(f->inode->mode) ? blkpages(f) : filepcache(f);
}

int
filepunch(struct file *f, uint64_t off, uint64_t n)
{
	struct pcache *pc = filepcache(f);

	if (!pc || !f->ops->allocate)
		return -EOPNOTSUPP;
	acquiresleep(&f->inode->lock);
	pcachepunch(pc, off, MIN(off + n,
		(pcachesize(pc) + PGSIZE - 1) / PGSIZE * PGSIZE));
	f->inode->mtime = f->inode->ctime = realns();
	releasesleep(&f->inode->lock);
	return 0;
}

int
filetruncate(struct file *f, uint64_t size, int grow)
{
	int err = 0;

	acquiresleep(&f->inode->lock);
	if (!grow || size > pcachesize(f->inode->pages))
		err = f->ops->truncate(f, size);
	releasesleep(&f->inode->lock);
	return err;
}

int
fileread(struct file *f, void *dst, uint n, uint64_t off)
{
	struct uio u = {(uint)dst, n, 1};
	int64_t pos = off;

	if (!f->ops->read)
		return -EINVAL;
	return f->ops->read(f, &u, &pos);
}

struct file *
fdget(uint fd)
{
	struct files *fs = myproc()->files;
	struct file *f = 0;

	if (fs->ref == 1) {
		if (fd < (uint)fs->max && (f = fs->file[fd]))
			atomicinc(&f->ref);
		return f;
	}
	acquire(&fs->lock);
	if (fd < (uint)fs->max && (f = fs->file[fd]))
		atomicinc(&f->ref);
	release(&fs->lock);
	return f;
}

struct file *
fdgetio(uint fd)
{
	struct file *f = fdget(fd);

	if (f && f->flags & O_PATH) {
		fileclose(f);
		return 0;
	}
	return f;
}

int
fdalloc(struct file *f, int min, int cloexec)
{
	struct files *fs = myproc()->files;
	int limit = fdlimit(), fd, err;

	acquire(&fs->lock);
	fd = freefd(fs, min);
	err = fd >= limit ? -EMFILE : growtable(fs, fd);
	if (!err)
		putfd(fs, fd, f, cloexec);
	release(&fs->lock);
	return err < 0 ? err : fd;
}

void
fdinstall(int fd, struct file *f)
{
	struct files *fs = myproc()->files;

	acquire(&fs->lock);
	assert(!fs->file[fd]);
	if (!(fs->file[fd] = f))
		fs->used[fd / 32] &= ~(1u << fd % 32);
	release(&fs->lock);
}

int
fdpair(struct file *f[2], int cloexec, uint uva)
{
	int fd[2] = {fdalloc(0, 0, cloexec), fdalloc(0, 0, cloexec)}, i;
	int err = MIN(fd[0], fd[1]);

	if (err >= 0)
		err = copyout(uva, fd, sizeof(fd)) ? -EFAULT : 0;
	for (i = 0; i < 2; i++) {
		if (fd[i] >= 0)
			fdinstall(fd[i], err ? 0 : f[i]);
		if (err)
			fileclose(f[i]);
	}
	return err;
}

/* How many descriptors the running process may have. */
static int
fdlimit(void)
{
	uint64_t limit = myproc()->tg->rlimit[RLIMIT_NOFILE].cur;

	return limit < LASTMAX ? (int)limit : LASTMAX;
}

/* The lowest free descriptor >= min, which may be beyond the table.  fs->lock
 * held. */
static int
freefd(struct files *fs, int min)
{
	int w = min / 32;
	uint mask = ~0u << min % 32, free;

	lockassert(holding(&fs->lock));
	for (; w < fs->max / 32; w++, mask = ~0u)
		if ((free = ~fs->used[w] & mask))
			return w * 32 + __builtin_ctz(free);
	return MAX(min, fs->max);
}

/* Make the table large enough for fd: 0, or -EMFILE when there is no memory.
 * fs->lock held. */
static int
growtable(struct files *fs, int fd)
{
	struct files old = *fs;
	int max = fs->max;

	lockassert(holding(&fs->lock));
	if (fd < max)
		return 0;
	while (max <= fd)
		max *= 2;
	if (newtable(fs, max) < 0)
		return -EMFILE;
	memcpy(fs->file, old.file, old.max * sizeof(old.file[0]));
	memcpy(fs->used, old.used, old.max / 8);
	memcpy(fs->cloexec, old.cloexec, old.max / 8);
	kmfree(old.file);
	return 0;
}

/* Give the table empty arrays for max descriptors, a multiple of 32: 0 or
 * -ENOMEM. */
static int
newtable(struct files *fs, int max)
{
	char *mem = kzalloc(max * sizeof(fs->file[0]) + max / 4);

	if (!mem)
		return -ENOMEM;
	fs->file = (struct file **)mem;
	fs->used = (uint *)(mem + max * sizeof(fs->file[0]));
	fs->cloexec = fs->used + max / 32;
	fs->max = max;
	return 0;
}

/* Put f (0: a reservation) at fd, which is within the table.  fs->lock held. */
static void
putfd(struct files *fs, int fd, struct file *f, int cloexec)
{
	lockassert(holding(&fs->lock));
	fs->file[fd] = f;
	fs->used[fd / 32] |= 1u << fd % 32;
	if (cloexec)
		fs->cloexec[fd / 32] |= 1u << fd % 32;
	else
		fs->cloexec[fd / 32] &= ~(1u << fd % 32);
}

/* Take the file at fd, which is within the table, out of it: the file, or 0 if
 * there is none.  fs->lock held. */
static struct file *
takefd(struct files *fs, int fd)
{
	struct file *f = fs->file[fd];

	lockassert(holding(&fs->lock));
	if (f) {
		fs->file[fd] = 0;
		fs->used[fd / 32] &= ~(1u << fd % 32);
	}
	return f;
}

/* f was taken out of the table fs: drop the descriptor's reference, and, as
 * POSIX has it, all locks on the file that processes with this table hold.  No
 * spinlock held. */
static void
closed(struct files *fs, struct file *f)
{
	void (*after)(void) = f->ops ? f->ops->fdclosed : 0;

	if (f->inode && f->inode->locks)
		flockrelease(f->inode, fs);
	fileclose(f);
	if (after)
		after();
}

int
fdclose(uint fd)
{
	struct files *fs = myproc()->files;
	struct file *f = 0;

	acquire(&fs->lock);
	if (fd < (uint)fs->max)
		f = takefd(fs, fd);
	release(&fs->lock);
	if (!f)
		return -EBADF;
	closed(fs, f);
	return 0;
}

int
fdset(struct file *f, uint fd, int cloexec)
{
	struct files *fs = myproc()->files;
	struct file *old = 0;
	int err;

	if (fd >= (uint)fdlimit())
		return -EBADF;
	acquire(&fs->lock);
	if ((err = growtable(fs, fd)) == 0 && !fs->file[fd] &&
		fs->used[fd / 32] >> fd % 32 & 1)
		err = -EBUSY;
	if (err == 0) {
		old = takefd(fs, fd);
		putfd(fs, fd, f, cloexec);
	}
	release(&fs->lock);
	if (old)
		closed(fs, old);
	return err < 0 ? err : (int)fd;
}

int
fdcloexec(uint fd, int set)
{
	struct files *fs = myproc()->files;
	int r = -EBADF;

	acquire(&fs->lock);
	if (fd < (uint)fs->max && fs->file[fd]) {
		r = fs->cloexec[fd / 32] >> fd % 32 & 1;
		if (set >= 0)
			putfd(fs, fd, fs->file[fd], set);
	}
	release(&fs->lock);
	return r;
}

struct files *
filesnew(void)
{
	struct files *fs = kzalloc(sizeof(*fs));

	if (!fs)
		return 0;
	fs->ref = 1;
	initlock(&fs->lock, RANK_FILES);
	if (newtable(fs, FIRSTMAX) == 0)
		return fs;
	kmfree(fs);
	return 0;
}

struct files *
filescopy(struct files *old)
{
	struct files *fs = kzalloc(sizeof(*fs));

	if (!fs)
		return 0;
	fs->ref = 1;
	initlock(&fs->lock, RANK_FILES);
	acquire(&old->lock);
	if (newtable(fs, old->max) < 0) {
		release(&old->lock);
		kmfree(fs);
		return 0;
	}
	for (int w = 0; w < old->max / 32; w++) {
		fs->used[w] = old->used[w];
		fs->cloexec[w] = old->cloexec[w];
		for (uint bits = fs->used[w]; bits; bits &= bits - 1) {
			int fd = w * 32 + __builtin_ctz(bits);

			if (old->file[fd])
				fs->file[fd] = filedup(old->file[fd]);
			else
				fs->used[w] &= ~(1u << fd % 32);
		}
	}
	release(&old->lock);
	return fs;
}

void
filesput(struct files *fs)
{
	assert(fs->ref > 0);
	if (!atomicdectest(&fs->ref))
		return;
	for (int w = 0; w < fs->max / 32; w++)
		for (; fs->used[w]; fs->used[w] &= fs->used[w] - 1)
			closed(fs, fs->file[w * 32 + __builtin_ctz(fs->used[w])]);
	kmfree(fs->file);
	kmfree(fs);
}

void
filescloexec(struct files *fs)
{
	struct file *f;
	int fd;

	for (int w = 0; w < fs->max / 32; w++)
		while (fs->used[w] & fs->cloexec[w]) {
			fd = w * 32 + __builtin_ctz(fs->used[w] & fs->cloexec[w]);
			acquire(&fs->lock);
			f = takefd(fs, fd);
			release(&fs->lock);
			if (f)
				closed(fs, f);
		}
}
