/* uio.c - move bytes to and from a uio: user memory by copyin and copyout, the
 * kernel's by memcpy. */
#include "kern/uio.h"

#include "arch/cpu.h"
#include "kern/abi/errno.h"
#include "kern/panic.h"
#include "kern/lib/string.h"

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
