/*
 * mem.c - devices without hardware: null, zero, full, random, urandom.
 */
#include "kern/dev/dev.h"
#include "kern/dev/tty.h"
#include "kern/abi/errno.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/stat.h"
#include "kern/random.h"
#include "kern/signal/signal.h"

#define ZEROCHUNK 65536 /* bytes between two looks for a signal */

static int nullread(struct file *, struct uio *, int64_t *off);
static int nullwrite(struct file *, struct uio *, int64_t *off);
static int zeroread(struct file *, struct uio *, int64_t *off);
static int fullwrite(struct file *, struct uio *, int64_t *off);
static int randread(struct file *, struct uio *, int64_t *off);
static int randwrite(struct file *, struct uio *, int64_t *off);
static int64_t memseek(struct file *, int64_t off, int whence);

static const struct fileops nullops = {
	.read = nullread,
	.write = nullwrite,
	.seek = memseek,
};
static const struct fileops zeroops = {
	.read = zeroread,
	.write = nullwrite,
	.seek = memseek,
};
static const struct fileops fullops = {
	.read = zeroread,
	.write = fullwrite,
	.seek = memseek,
};
static const struct fileops randops = {
	.read = randread,
	.write = randwrite,
	.seek = memseek,
};

static struct device memdevs[] = {
	{.name = "null", .rdev = makedev(1, 3), .ops = &nullops},
	{.name = "zero", .rdev = makedev(1, 5), .ops = &zeroops},
	{.name = "full", .rdev = makedev(1, 7), .ops = &fullops},
	{.name = "random", .rdev = makedev(1, 8), .ops = &randops},
	{.name = "urandom", .rdev = makedev(1, 9), .ops = &randops},
};

/* Register them. */
void
meminit(void)
{
	uint i;

	for (i = 0; i < NELEM(memdevs); i++) {
		memdevs[i].mode = S_IFCHR | 0666;
		devregister(&memdevs[i]);
	}
}

/* Always at the end. */
static int
nullread(struct file *f, struct uio *u, int64_t *off)
{
	(void)f, (void)u, (void)off;
	return 0;
}

/* Takes all bytes without reading them. */
static int
nullwrite(struct file *f, struct uio *u, int64_t *off)
{
	uint n = u->n;

	(void)f, (void)off;
	u->addr += n;
	u->n = 0;
	return n;
}

/* As many zeroes as are asked for; a signal ends a long read early. */
static int
zeroread(struct file *f, struct uio *u, int64_t *off)
{
	uint want = u->n;

	(void)f, (void)off;
	while (u->n > 0) {
		if (uiozero(u, MIN(u->n, ZEROCHUNK)) < 0)
			return want - u->n ? (int)(want - u->n) : -EFAULT;
		if (u->n > 0 && sigpending())
			break;
	}
	return want - u->n;
}

/* The device is always full. */
static int
fullwrite(struct file *f, struct uio *u, int64_t *off)
{
	(void)f, (void)off;
	return u->n ? -ENOSPC : 0;
}

/* Random bytes; a signal ends a long read early. */
static int
randread(struct file *f, struct uio *u, int64_t *off)
{
	char buf[128];
	uint want = u->n, n;

	(void)f, (void)off;
	while (u->n > 0) {
		n = MIN(u->n, sizeof(buf));
		randombytes(buf, n);
		if (uioput(u, buf, n) < 0)
			return want - u->n ? (int)(want - u->n) : -EFAULT;
		if (u->n > 0 && (want - u->n) % 4096 == 0 && sigpending())
			break;
	}
	return want - u->n;
}

/* The bytes are read and forgotten; the moment of the write is stirred in. */
static int
randwrite(struct file *f, struct uio *u, int64_t *off)
{
	char buf[128];
	uint want = u->n;

	(void)f, (void)off;
	randomstir();
	while (u->n > 0) {
		if (uioget(u, buf, MIN(u->n, sizeof(buf))) < 0)
			return want - u->n ? (int)(want - u->n) : -EFAULT;
		if (u->n > 0 && (want - u->n) % 4096 == 0 && sigpending())
			break;
	}
	return want - u->n;
}

/* Seeking is allowed and does nothing. */
static int64_t
memseek(struct file *f, int64_t off, int whence)
{
	(void)f, (void)off;
	if (whence < SEEK_SET || whence > SEEK_END)
		return -EINVAL;
	return 0;
}
