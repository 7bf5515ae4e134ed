/* uio.c - move bytes to and from a uio: user memory by copyin and copyout, the
 * kernel's by memcpy. */
#include "kern/uio.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/errno.h"
#include "kern/panic.h"
#include "kern/lib/string.h"

#define IOV_MAX 1024 /* iovecs of one system call, as on Linux */

static int advance(struct uio *u, uint n, uint left);

/* n bytes from src to the uio.  0 or -EFAULT. */
int
uioput(struct uio *u, const void *src, uint n)
{
	assert(n <= u->n);
	if (!u->kernel)
		return advance(u, n, copyout(u->addr, src, n));
	memcpy((void *)u->addr, src, n);
	return advance(u, n, 0);
}

/* n bytes from the uio to dst. */
int
uioget(struct uio *u, void *dst, uint n)
{
	assert(n <= u->n);
	if (!u->kernel)
		return advance(u, n, copyin(dst, u->addr, n));
	memcpy(dst, (void *)u->addr, n);
	return advance(u, n, 0);
}

/* n bytes of zero to the uio. */
int
uiozero(struct uio *u, uint n)
{
	assert(n <= u->n);
	if (!u->kernel)
		return advance(u, n, clearout(u->addr, n));
	memset((void *)u->addr, 0, n);
	return advance(u, n, 0);
}

/* All but left of n bytes were moved. */
static int
advance(struct uio *u, uint n, uint left)
{
	u->addr += n - left;
	u->n -= n - left;
	return left ? -EFAULT : 0;
}

int
getiov(uint uiov, uint n, struct iovec *small, struct iovec **iovp)
{
	struct iovec *iov = small;
	uint total = 0;
	int err = 0;

	if (n > IOV_MAX)
		return -EINVAL;
	if (n > 8 && !(iov = kmalloc(n * sizeof(*iov))))
		return -ENOMEM;
	if (copyin(iov, uiov, n * sizeof(*iov)))
		err = -EFAULT;
	for (uint i = 0; !err && i < n; i++) {
		if (iov[i].len > 0x7fffffff - total)
			err = -EINVAL;
		total += iov[i].len;
	}
	if (err && iov != small)
		kmfree(iov);
	*iovp = iov;
	return err;
}
