/*
 * ramdisk.c - boot modules but the first as disks: ram0, ram1, ...
 *
 * The module's memory stays where the boot loader put it; a bio is copied at
 * once.  What is left of the last sector is not reached.
 */
#include "kern/blk/disk.h"

#include "arch/memlayout.h"
#include "arch/multiboot.h"
#include "mm/mm.h"
#include "kern/dev/dev.h"
#include "kern/lib/printf.h"
#include "kern/lib/string.h"

static void addmodule(struct bootmodule *m, uint n);
static int ramrw(struct blkdev *, struct bio *);

void
ramdiskinit(void)
{
	int i;

	for (i = 1; i < bootinfo.nmodule; i++)
		addmodule(&bootinfo.module[i], (uint)i - 1);
}

static void
addmodule(struct bootmodule *m, uint n)
{
	struct blkdev *dev = kzalloc(sizeof(*dev));

	if (dev == 0)
		return;
	snprintf(dev->name, sizeof(dev->name), "ram%u", n);
	dev->rdev = makedev(1, n);
	dev->rw = ramrw;
	dev->priv = P2V(m->start);
	dev->sectors = (m->end - m->start) / SECTOR;
	if (m->end > DIRECTMAX) {
		printf("%s: module %u is beyond the memory that is used\n",
			dev->name, n + 1);
		kmfree(dev);
		return;
	}
	diskready(dev, "ramdisk");
}

static int
ramrw(struct blkdev *disk, struct bio *b)
{
	char *at = (char *)disk->priv + (uint)b->sector * SECTOR;
	uint i;

	for (i = 0; i < b->nvec; i++) {
		if (b->op == BIO_READ)
			memmove(P2V(b->vec[i].pa), at, b->vec[i].n);
		else
			memmove(at, P2V(b->vec[i].pa), b->vec[i].n);
		at += b->vec[i].n;
	}
	return 0;
}
