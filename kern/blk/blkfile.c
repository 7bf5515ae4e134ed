/*
 * blkfile.c - open files of block devices.
 *
 * The device is a file of its size, under a page cache of its own, which a file
 * system on it does not use: it writes around it.  So the pages are written,
 * and leave the cache, when the last open file is closed.
 */
#include "kern/blk/blk.h"

#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/blk.h"
#include "kern/abi/fcntl.h"
#include "kern/file.h"
#include "kern/proc.h"

#define READAHEAD 256 /* sectors, as Linux says */
#define MAXSIZE ((uint64_t)64 << 30) /* that a page cache holds */

static int makepages(struct blkdev *dev);
static void devio(struct pcio *io);
static int devreserve(struct pcache *, uint64_t from, uint64_t to);
static int devread(struct file *, struct uio *, int64_t *off);
static int devwrite(struct file *, struct uio *, int64_t *off);
static int64_t devseek(struct file *, int64_t off, int whence);
static int devsync(struct file *, int data);
static int devioctl(struct file *, uint cmd, uint arg);
static int getsize(struct blkdev *dev, uint cmd, uint arg);
static int geometry(struct blkdev *dev, uint arg);
static int setreadonly(struct blkdev *dev, uint arg);
static uint blocksize(struct blkdev *dev);
static int setblocksize(uint arg);
static int putshort(uint uva, uint16_t v);
static int putint(uint uva, uint v);
static void devrelease(struct file *);

static const struct pcacheops pageops = {
	.io = devio, .reserve = devreserve, .charge = chargewrite,
	.buffers = 1};

static const struct fileops devops = {
	.read = devread,
	.write = devwrite,
	.seek = devseek,
	.sync = devsync,
	.ioctl = devioctl,
	.release = devrelease,
};

int
blkopen(struct file *f, uint rdev)
{
	struct blkdev *dev = blkfind(rdev);
	int err;

	if (dev == 0 || blkdisk(dev)->gone)
		return -ENXIO;
	acquiresleep(&dev->lock);
	err = makepages(dev);
	if (err == 0 && f->flags & O_EXCL)
		err = blkclaim(dev, f);
	if (err == 0)
		dev->openers++;
	releasesleep(&dev->lock);
	if (err < 0)
		return err;
	f->ops = &devops;
	f->priv = dev;
	(void)pcacheerror(dev->pages, &f->wberr); /* not of the past */
	return 0;
}

/* Its page cache, if it has none yet: 0 or -ENOMEM.  dev->lock held. */
static int
makepages(struct blkdev *dev)
{
	if (dev->pages)
		return 0;
	dev->pages = pcachenew(dev, &pageops);
	if (dev->pages == 0)
		return -ENOMEM;
	pcachetruncate(dev->pages,
		MIN(dev->sectors, MAXSIZE / SECTOR - 8) * SECTOR);
	return 0;
}

struct pcache *
blkpages(struct file *f)
{
	return f->ops == &devops ? ((struct blkdev *)f->priv)->pages : 0;
}

static void
devio(struct pcio *io)
{
	pageio(io, pcachehost(io->pc), SECTOR, 0);
}

/* Stores to a mapping of a read-only disk: SIGBUS. */
static int
devreserve(struct pcache *pc, uint64_t from, uint64_t to)
{
	struct blkdev *dev = pcachehost(pc);

	(void)from, (void)to;
	return dev->readonly ? -EIO : 0;
}

static int
devread(struct file *f, struct uio *u, int64_t *off)
{
	struct blkdev *dev = f->priv;
	int n = pcacheread(dev->pages, u, (uint64_t)*off, &f->ra);

	if (n > 0)
		*off += n;
	return n;
}

static int
devwrite(struct file *f, struct uio *u, int64_t *off)
{
	struct blkdev *dev = f->priv;
	uint64_t size = pcachesize(dev->pages), from = (uint64_t)*off;
	uint rest = 0;
	int n;

	if (dev->readonly)
		return -EPERM;
	if (u->n == 0)
		return 0;
	if (from >= size)
		return -ENOSPC;
	if (u->n > size - from)
		rest = u->n - (uint)(size - from);
	u->n -= rest;
	acquiresleep(&dev->lock);
	n = pcachewrite(dev->pages, u, from);
	releasesleep(&dev->lock);
	u->n += rest;
	if (n <= 0)
		return n;
	*off += n;
	if (f->flags & O_DSYNC && pcachewriteback(dev->pages, from, from + n, 1))
		return -EIO;
	return n;
}

static int64_t
devseek(struct file *f, int64_t off, int whence)
{
	struct blkdev *dev = f->priv;
	int64_t size = (int64_t)pcachesize(dev->pages);

	if (whence == SEEK_CUR)
		off += f->off;
	else if (whence == SEEK_END)
		off += size;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (off < 0 || off > size)
		return -EINVAL;
	return f->off = off;
}

static int
devsync(struct file *f, int data)
{
	struct blkdev *dev = f->priv;
	int err;

	(void)data;
	pcachewriteback(dev->pages, 0, ~0ull, 1);
	err = pcacheerror(dev->pages, &f->wberr);
	return err < 0 ? err : blkflush(dev);
}

static int
devioctl(struct file *f, uint cmd, uint arg)
{
	struct blkdev *dev = f->priv;

	switch (cmd) {
	case BLKGETSIZE:
	case BLKGETSIZE64:
		return getsize(dev, cmd, arg);
	case BLKSSZGET:
	case BLKPBSZGET:
	case BLKIOMIN:
		return putint(arg, SECTOR);
	case BLKBSZGET:
		return putint(arg, blocksize(dev));
	case BLKBSZSET:
		return setblocksize(arg);
	case BLKIOOPT:
	case BLKALIGNOFF:
	case BLKDISCARDZEROES:
		return putint(arg, 0);
	case BLKSECTGET:
		return putshort(arg, BIOMAX / SECTOR);
	case BLKROTATIONAL:
		return putshort(arg, 1);
	case BLKRAGET:
		return putint(arg, READAHEAD);
	case BLKRASET:
		return myproc()->euid ? -EACCES : 0;
	case BLKROGET:
		return putint(arg, dev->readonly != 0);
	case BLKROSET:
		return setreadonly(dev, arg);
	case BLKRRPART:
		return dev->parent ? -EINVAL : -EBUSY;
	case BLKFLSBUF:
		if (myproc()->euid != 0)
			return -EACCES;
		devsync(f, 0);
		pcachedrop(dev->pages, 0, ~0ull);
		return 0;
	case HDIO_GETGEO:
		return geometry(dev, arg);
	}
	return -ENOTTY;
}

static int
getsize(struct blkdev *dev, uint cmd, uint arg)
{
	uint64_t bytes = dev->sectors * SECTOR;

	if (cmd == BLKGETSIZE64)
		return copyout(arg, &bytes, sizeof(bytes)) ? -EFAULT : 0;
	return dev->sectors >> 32 ? -EFBIG : putint(arg, (uint)dev->sectors);
}

/* Heads, sectors and cylinders, as programs that count in those guess too. */
static int
geometry(struct blkdev *dev, uint arg)
{
	struct {
		uint8_t heads, sectors;
		uint16_t cylinders;
		uint start;
	} g = {255, 63, 0, (uint)dev->start};

	g.cylinders = (uint16_t)(blkdisk(dev)->sectors / (255 * 63));
	return copyout(arg, &g, sizeof(g)) ? -EFAULT : 0;
}

static int
setreadonly(struct blkdev *dev, uint arg)
{
	uint on;

	if (myproc()->euid != 0)
		return -EACCES;
	if (copyin(&on, arg, sizeof(on)))
		return -EFAULT;
	dev->readonly = (dev->readonly & RO_DISK) | (on ? RO_SET : 0);
	return 0;
}

/* The largest up to a page that the size is a multiple of. */
static uint
blocksize(struct blkdev *dev)
{
	uint n = SECTOR;

	while (n < PGSIZE && dev->sectors * SECTOR % (2 * n) == 0)
		n *= 2;
	return n;
}

/* It changes nothing: the pages are the blocks. */
static int
setblocksize(uint arg)
{
	uint n;

	if (myproc()->euid != 0)
		return -EACCES;
	if (copyin(&n, arg, sizeof(n)))
		return -EFAULT;
	return n < SECTOR || n > PGSIZE || n & (n - 1) ? -EINVAL : 0;
}

static int
putshort(uint uva, uint16_t v)
{
	return copyout(uva, &v, sizeof(v)) ? -EFAULT : 0;
}

static int
putint(uint uva, uint v)
{
	return copyout(uva, &v, sizeof(v)) ? -EFAULT : 0;
}

/* The last one writes what was changed, and lets the pages go. */
static void
devrelease(struct file *f)
{
	struct blkdev *dev = f->priv;

	blkunclaim(dev, f);
	acquiresleep(&dev->lock);
	if (--dev->openers == 0) {
		pcachewriteback(dev->pages, 0, ~0ull, 1);
		pcachedrop(dev->pages, 0, ~0ull);
	}
	releasesleep(&dev->lock);
}

struct syncing {
	int wait, err;
};

static int
syncone(struct blkdev *dev, void *arg)
{
	struct syncing *s = arg;
	int err = 0;

	if (dev->pages == 0 || pcachedirty(dev->pages) == 0)
		return 0;
	err = pcachewriteback(dev->pages, 0, ~0ull, s->wait);
	if (s->wait && err == 0)
		err = blkflush(dev);
	if (s->err == 0)
		s->err = err;
	return 0;
}

int
blksync(int wait)
{
	struct syncing s = {wait, 0};

	blkeach(syncone, &s);
	return s.err;
}
