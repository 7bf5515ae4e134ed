/* sysmem.c - the memory system calls: fetch arguments, call mm/. */
#include "kern/sys/syscall.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/dev/dev.h"
#include "kern/file.h"
#include "kern/fs/inode.h"
#include "kern/proc.h"

static int iszero(struct file *);
static int mapzero(uint addr, uint len, int prot, int flags, struct file *);
static int mapfd(uint addr, uint len, int prot, int flags, uint fd,
	uint64_t off);

/* brk(end) returns the end of the heap afterwards, which is the old end if the
 * heap cannot be resized. */
int
sys_brk(const uint *a)
{
	return growproc(a[0]);
}

/* mmap2(addr, len, prot, flags, fd, offset in pages) */
int
sys_mmap2(const uint *a)
{
	return mapfd(a[0], a[1], a[2], a[3], a[4], (uint64_t)a[5] << PGSHIFT);
}

/* mmap(pointer to the six arguments, the offset in bytes) */
int
sys_mmap(const uint *a)
{
	uint b[6];

	if (copyin(b, a[0], sizeof(b)))
		return -EFAULT;
	return mapfd(b[0], b[1], b[2], b[3], b[4], b[5]);
}

/* Map len bytes of descriptor fd from byte off on, or with MAP_ANONYMOUS memory
 * of no file.  Returns the address or -errno. */
static int
mapfd(uint addr, uint len, int prot, int flags, uint fd, uint64_t off)
{
	struct file *f = 0;
	int r;

	if (!(flags & MAP_ANONYMOUS)) {
		f = fdgetio(fd);
		if (f == 0)
			return -EBADF;
	}
	if (f && iszero(f))
		r = mapzero(addr, len, prot, flags, f);
	else if (f && prot & PROT_EXEC && f->inode &&
		f->inode->super->flags & MS_NOEXEC)
		r = -EPERM;
	else
		r = mmap(myproc()->uvm, addr, len, prot, flags, f, f ? off : 0);
	if (f)
		fileclose(f);
	return r;
}

/* Return whether f is /dev/zero. */
static int
iszero(struct file *f)
{
	return f->inode && S_ISCHR(f->inode->mode) &&
	       f->inode->rdev == makedev(1, 5);
}

/* Map /dev/zero, which f is.  Private or shared, the mapping is one of
 * anonymous memory.  Returns the address or -errno, which is -EACCES when f was
 * opened in a mode that does not allow the mapping. */
static int
mapzero(uint addr, uint len, int prot, int flags, struct file *f)
{
	int mode = f->flags & O_ACCMODE;

	if (mode == O_WRONLY || ((flags & MAP_TYPE) != MAP_PRIVATE &&
					mode != O_RDWR && (prot & PROT_WRITE)))
		return -EACCES;
	return mmap(myproc()->uvm, addr, len, prot, flags | MAP_ANONYMOUS, 0, 0);
}

int
sys_munmap(const uint *a)
{
	return munmap(myproc()->uvm, a[0], a[1]);
}

int
sys_mprotect(const uint *a)
{
	return mprotect(myproc()->uvm, a[0], a[1], a[2]);
}

int
sys_mremap(const uint *a)
{
	return mremap(myproc()->uvm, a[0], a[1], a[2], a[3], a[4]);
}

int
sys_madvise(const uint *a)
{
	return madvise(myproc()->uvm, a[0], a[1], a[2]);
}

int
sys_msync(const uint *a)
{
	return msync(myproc()->uvm, a[0], a[1], a[2]);
}

int
sys_mlock(const uint *a)
{
	return mlock(myproc()->uvm, a[0], a[1], 0);
}

int
sys_mlock2(const uint *a)
{
	if (a[2] & ~MLOCK_ONFAULT)
		return -EINVAL;
	return mlock(myproc()->uvm, a[0], a[1], a[2]);
}

int
sys_munlock(const uint *a)
{
	return munlock(myproc()->uvm, a[0], a[1]);
}

int
sys_mlockall(const uint *a)
{
	if (a[0] == 0 || a[0] == MCL_ONFAULT ||
		(a[0] & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)))
		return -EINVAL;
	return mlockall(myproc()->uvm, a[0]);
}

int
sys_munlockall(const uint *a)
{
	(void)a;
	return mlockall(myproc()->uvm, 0);
}

/* remap_file_pages(addr, size, prot, offset in pages, flags) */
int
sys_remap_file_pages(const uint *a)
{
	return remapfilepages(myproc()->uvm, a[0], a[1], a[2], a[3], a[4]);
}

int
sys_mincore(const uint *a)
{
	return mincore(myproc()->uvm, a[0], a[1], a[2]);
}
