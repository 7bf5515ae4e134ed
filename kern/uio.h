/* uio.h - where the bytes of a read or write come from or go to: the running
 * process's memory, or the kernel's. */
#ifndef KERN_UIO_H
#define KERN_UIO_H

#include "kern/types.h"

struct iovec { /* as programs pass it */
	uint base, len;
};

struct uio {
	uint addr; /* next byte, user address, or kernel's when kernel is set */
	uint n;    /* bytes left */
	int kernel;
};

/* Move n <= u->n bytes from src to the uio, or from the uio to dst, and
 * advance it by what was moved.  Returns 0, or -EFAULT when user memory ran
 * out on the way (u->n then tells how far it came).  May fault and sleep: no
 * spinlock held. */
int uioput(struct uio *u, const void *src, uint n);
int uioget(struct uio *u, void *dst, uint n);
int uiozero(struct uio *u, uint n); /* n bytes of zero to the uio */

/* Fetch n iovecs to small (8 of them) or to memory of their own: 0 with them in
 * *iovp, to be freed if not small; or -errno. */
int getiov(uint uiov, uint n, struct iovec *small, struct iovec **iovp);

#endif
