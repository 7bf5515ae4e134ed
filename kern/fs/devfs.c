/*
 * devfs.c - /dev: a ramfs that begins with a file for each registered device
 * and the links that programs expect; users may add to it.
 */
#include "kern/fs/inode.h"
#include "mm/mm.h"
#include "kern/blk/blk.h"
#include "kern/dev/dev.h"
#include "kern/lib/printf.h"
#include "kern/lib/string.h"

static int devmount(const struct fstype *, const char *source, uint flags,
	const char *data, struct super **);
static int devnode(struct device *, void *super);
static int blknode(struct blkdev *, void *super);
static int devname(struct super *, const char *name, uint mode, uint rdev,
	const char *target);

struct fstype devfstype = {
	.name = "devtmpfs", .mount = devmount, .single = 1
};

static const struct {
	const char *name, *target;
} devlinks[] = {
	{"fd", "/proc/self/fd"},
	{"stdin", "/proc/self/fd/0"},
	{"stdout", "/proc/self/fd/1"},
	{"stderr", "/proc/self/fd/2"},
};

/* Mount /dev: a tmpfs with a name for each device.  0 with *sp, or -errno. */
static int
devmount(const struct fstype *type, const char *source, uint flags,
	const char *data, struct super **sp)
{
	int err = tmpfstype.mount(type, source, flags, data, sp);
	struct super *s = *sp;
	uint i;

	if (err < 0)
		return err;
	acquiresleep(&s->lock); /* as all who change names do */
	deveach(devnode, s);
	blkeach(blknode, s);
	for (i = 0; i < NELEM(devlinks); i++)
		devname(s, devlinks[i].name, S_IFLNK, 0, devlinks[i].target);
	devname(s, "shm", S_IFDIR | S_ISVTX | 0777, 0, 0);
	devname(s, "pts", S_IFDIR | 0755, 0, 0);
	releasesleep(&s->lock);
	return 0;
}

/* Make the name of a character device, but for one with d->more set: 0 or
 * -errno. */
static int
devnode(struct device *d, void *super)
{
	return d->more ? 0 : devname(super, d->name, d->mode, d->rdev, 0);
}

/* Make the name of a block device: 0 or -errno. */
static int
blknode(struct blkdev *d, void *super)
{
	return devname(super, d->name, S_IFBLK | 0600, d->rdev, 0);
}

/* Make a name in the root: a link if there is a target, else a file of the
 * type in mode.  Prints a message on failure.  0 or -errno.  Called with
 * s->lock held. */
static int
devname(struct super *s, const char *name, uint mode, uint rdev,
	const char *target)
{
	struct inode *dir = s->root->inode;
	struct dentry *d = dentrynew(s->root, name, strlen(name));
	int err = -ENOMEM;

	lockassert(holdingsleep(&s->lock));
	if (d && target)
		err = dir->ops->symlink(dir, d, target);
	else if (d)
		err = dir->ops->create(dir, d, mode, rdev);
	if (d)
		dput(d);
	if (err < 0)
		printf("devfs: cannot make %s: error %d\n", name, -err);
	return err;
}
