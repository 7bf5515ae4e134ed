/*
 * memfd.c - memfd_create: a file that has no name.  There are no seals:
 * MFD_ALLOW_SEALING is refused with EINVAL, as fcntl refuses F_ADD_SEALS.
 */
#include "mm/mm.h"
#include "kern/file.h"
#include "kern/abi/fcntl.h"
#include "kern/lib/string.h"
#include "kern/sys/syscall.h"

#define MFD_CLOEXEC 1
#define PREFIX      "memfd:" /* of its name in /proc */

/* name, flags */
int
sys_memfd_create(const uint *a)
{
	char name[NAME_MAX + 1] = PREFIX;
	uint n = sizeof(PREFIX) - 1;
	struct file *f;
	int r;

	if (a[1] & ~MFD_CLOEXEC)
		return -EINVAL;
	r = copyinstr(name + n, a[0], sizeof(name) - n);
	if (r < 0)
		return r == -ENAMETOOLONG ? -EINVAL : r;
	if (!(f = shmfile(name, 0777)))
		return -ENOMEM;
	f->flags |= O_LARGEFILE;
	if ((r = fdalloc(f, 0, a[1] & MFD_CLOEXEC)) < 0)
		fileclose(f);
	return r;
}
