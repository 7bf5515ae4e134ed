/* procdisk.c - /proc and /sys: the files about block devices. */
#include "kern/fs/proc/procfs.h"
#include "kern/abi/errno.h"
#include "kern/blk/blk.h"
#include "kern/dev/dev.h"
#include "kern/lib/printf.h"
#include "kern/lib/string.h"

#define MS 1000000ull

struct nth { /* look for the n-th of some devices */
	struct blkdev *of; /* partitions of this one; 0: disks */
	int any;           /* or both */
	int n, at;
	struct blkdev *found;
};

static int putpartition(struct blkdev *, void *text);
static int putdiskstats(struct blkdev *, void *text);
static void putstats(struct text *, struct blkdev *);
static struct blkdev *disk(int id);
static int lookat(struct blkdev *, void *nth);

/* Numbers, size in KiB, name. */
int
showpartitions(struct text *t, int pid)
{
	(void)pid;
	putf(t, "major minor  #blocks  name\n\n");
	blkeach(putpartition, t);
	return 0;
}

/* A line of /proc/partitions. */
static int
putpartition(struct blkdev *dev, void *text)
{
	putf(text, "%4d  %7d %10llu %s\n", (int)major(dev->rdev),
		(int)minor(dev->rdev), (unsigned long long)dev->sectors / 2,
		dev->name);
	return 0;
}

int
showdiskstats(struct text *t, int pid)
{
	(void)pid;
	blkeach(putdiskstats, t);
	return 0;
}

/* A line of /proc/diskstats. */
static int
putdiskstats(struct blkdev *dev, void *text)
{
	putf(text, "%4d %7d %s ", (int)major(dev->rdev), (int)minor(dev->rdev),
		dev->name);
	putstats(text, dev);
	return 0;
}

/* The 17 numbers of Linux: requests, merges, sectors and milliseconds of reads,
 * and of writes; what is on its way, and how long; discards, of which there are
 * none; flushes. */
static void
putstats(struct text *t, struct blkdev *dev)
{
	struct blkstats st;

	blkstats(dev, &st);
	for (int op = BIO_READ; op <= BIO_WRITE; op++)
		putf(t, "%u %u %llu %u ", st.ios[op], st.merges[op],
			(unsigned long long)st.sectors[op],
			(uint)(st.ns[op] / MS));
	putf(t, "%u %u %u 0 0 0 0 %u %u\n", st.inflight, (uint)(st.busy / MS),
		(uint)(st.queued / MS), st.ios[BIO_FLUSH],
		(uint)(st.ns[BIO_FLUSH] / MS));
}

/* The majors of disks, each once. */
static int
putmajor(struct blkdev *dev, void *text)
{
	static const struct {
		uint major;
		const char *name;
	} names[] = {
		{1, "ramdisk"}, {3, "ide0"}, {8, "sd"}, {22, "ide1"},
		{254, "virtblk"},
	};
	struct text *t = text;

	if (dev->parent || t->at == major(dev->rdev))
		return 0;
	t->at = major(dev->rdev);
	for (uint i = 0; i < NELEM(names); i++)
		if (names[i].major == t->at)
			putf(t, "%3u %s\n", t->at, names[i].name);
	return 0;
}

void
putmajors(struct text *t)
{
	t->at = 0;
	blkeach(putmajor, t);
}

/* For disk() and sysnextdisk(): is this the device that is looked for? -1 ends
 * the search. */
static int
lookat(struct blkdev *dev, void *nth)
{
	struct nth *w = nth;

	if (++w->at < w->n || (!w->any && dev->parent != w->of))
		return 0;
	w->found = dev;
	return -1;
}

/* The device with that id: its place among all devices in /sys, from 1 on; 0:
 * there is none. */
static struct blkdev *
disk(int id)
{
	struct nth w = {.any = 1, .n = id};

	blkeach(lookat, &w);
	return w.found;
}

/* The first id >= from of a disk, or of a partition of disk `of'. */
int
sysnextdisk(int of, int from, char name[PROCNAME])
{
	struct nth w = {.of = of ? disk(of) : 0, .n = from};

	blkeach(lookat, &w);
	if (w.found == 0)
		return 0;
	strlcpy(name, w.found->name, PROCNAME);
	return w.at;
}

/* See procent.next: any device, by its numbers. */
static int
nextnumber(int of, int from, char name[PROCNAME])
{
	struct blkdev *dev = disk(from);

	(void)of;
	if (dev == 0)
		return 0;
	snprintf(name, PROCNAME, "%u:%u", major(dev->rdev), minor(dev->rdev));
	return from;
}

/* See procent.next: any device, by its name. */
static int
nextblock(int of, int from, char name[PROCNAME])
{
	struct blkdev *dev = disk(from);

	(void)of;
	if (dev == 0)
		return 0;
	strlcpy(name, dev->name, PROCNAME);
	return from;
}

/* A link of /sys/dev/block or /sys/class/block to the device's directory. */
static int
linkblock(int id, int fd, struct dentry **out, char *buf, uint n)
{
	struct blkdev *dev = disk(id);

	(void)fd, (void)out;
	if (dev->parent)
		return snprintf(buf, n, "../../block/%s/%s", dev->parent->name,
			dev->name);
	return snprintf(buf, n, "../../block/%s", dev->name);
}

/* In sectors of 512 bytes. */
static int
showsize(struct text *t, int id)
{
	putf(t, "%llu\n", (unsigned long long)disk(id)->sectors);
	return 0;
}

/* Where the partition begins on its disk, in sectors. */
static int
showstart(struct text *t, int id)
{
	putf(t, "%llu\n", (unsigned long long)disk(id)->start);
	return 0;
}

/* The device number. */
static int
showdev(struct text *t, int id)
{
	uint rdev = disk(id)->rdev;

	putf(t, "%u:%u\n", major(rdev), minor(rdev));
	return 0;
}

/* Is it read-only? */
static int
showro(struct text *t, int id)
{
	putf(t, "%d\n", disk(id)->readonly != 0);
	return 0;
}

/* The number of the partition. */
static int
showpartition(struct text *t, int id)
{
	struct blkdev *dev = disk(id);

	putf(t, "%u\n", minor(dev->rdev) - minor(dev->parent->rdev));
	return 0;
}

/* The numbers of /proc/diskstats. */
static int
showstat(struct text *t, int id)
{
	putstats(t, disk(id));
	return 0;
}

/* What udev reads. */
static int
showuevent(struct text *t, int id)
{
	struct blkdev *dev = disk(id);

	putf(t, "MAJOR=%u\nMINOR=%u\nDEVNAME=%s\nDEVTYPE=%s\n",
		major(dev->rdev), minor(dev->rdev), dev->name,
		dev->parent ? "partition" : "disk");
	return 0;
}

/* Bytes of a sector. */
static int
showsector(struct text *t, int id)
{
	(void)id;
	putf(t, "%d\n", SECTOR);
	return 0;
}

/* For what there is none of. */
static int
showzero(struct text *t, int id)
{
	(void)id;
	putf(t, "0\n");
	return 0;
}

/* 1 for all disks but those in memory. */
static int
showrotational(struct text *t, int id)
{
	putf(t, "%d\n", disk(id)->q != 0);
	return 0;
}

static const struct procent partents[] = {
	PROCFILE("dev", showdev),
	PROCFILE("partition", showpartition),
	PROCFILE("ro", showro),
	PROCFILE("size", showsize),
	PROCFILE("start", showstart),
	PROCFILE("stat", showstat),
	PROCFILE("uevent", showuevent),
	{0},
};
static const struct procent partdir = PROCDIR("", partents);

static const struct procent queueents[] = {
	PROCFILE("discard_granularity", showzero),
	PROCFILE("hw_sector_size", showsector),
	PROCFILE("logical_block_size", showsector),
	PROCFILE("minimum_io_size", showsector),
	PROCFILE("optimal_io_size", showzero),
	PROCFILE("physical_block_size", showsector),
	PROCFILE("rotational", showrotational),
	{0},
};

static const struct procent diskents[] = {
	PROCFILE("dev", showdev),
	PROCDIR("queue", queueents),
	PROCFILE("removable", showzero),
	PROCFILE("ro", showro),
	PROCFILE("size", showsize),
	PROCFILE("stat", showstat),
	PROCFILE("uevent", showuevent),
	{0},
};
const struct procent sysdiskdir = {
	.mode = S_IFDIR | 0555, .sub = diskents, .next = sysnextdisk,
	.each = &partdir
};
static const struct procent blocklink = PROCLINK("", linkblock);

/* Links to all of them: by numbers, and by name. */
const struct procent sysdevents[] = {
	{.name = "block", .mode = S_IFDIR | 0555, .next = nextnumber,
		.each = &blocklink},
	{0},
};
const struct procent sysclassents[] = {
	{.name = "block", .mode = S_IFDIR | 0555, .next = nextblock,
		.each = &blocklink},
	{0},
};
