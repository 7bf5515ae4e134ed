/*
 * blk.h - block devices: disks and their partitions, found by number or name,
 * and bios, which move sectors between one of them and memory.
 */
#ifndef KERN_BLK_H
#define KERN_BLK_H

#include "kern/lib/list.h"
#include "kern/lock/lock.h"

#define SECTOR     512
#define SECTORBITS 9

struct bio;
struct blkq;
struct file;
struct pcache;
struct pcio;

/* What has been done with a device since boot, for /proc/diskstats.  Reads,
 * writes and flushes each; times in ns. */
struct blkstats {
	uint ios[3], merges[3];
	uint64_t sectors[3], ns[3];
	uint inflight;         /* bios submitted and not over */
	uint64_t busy, queued; /* time with some in flight; summed over all */
	int64_t since;         /* inflight last changed */
};

struct blkdev {
	char name[12];         /* "hda1" */
	uint rdev;             /* makedev(major, minor) */
	uint64_t start;        /* its first sector on the disk */
	uint64_t sectors;
	int readonly;          /* RO_* */
	struct blkdev *parent; /* the disk that it is a partition of, or 0 */
	int partitions;        /* of a disk: how many it may have */
	struct blkq *q;        /* of a disk: its requests; 0: rw() does them */
	int (*rw)(struct blkdev *, struct bio *); /* at once: 0 or -EIO */
	void *priv;            /* the driver's own */
	volatile int gone;     /* of a disk: it answers no more */
	int users;             /* blkget()s [blk.c's lock] */
	struct file *owner;    /* opened with O_EXCL, or 0 [the same] */
	int openers;           /* open files [lock] */
	struct pcache *pages;  /* what open files read and write; 0: never open */
	struct sleeplock lock; /* who writes to them */
	struct blkstats stats; /* [q->lock] */
	struct list link;      /* all of them, disks before their partitions */
};

#define RO_DISK 1 /* the disk is */
#define RO_SET  2 /* by BLKROSET */

/* One piece of memory, direct-mapped, in whole sectors. */
struct biovec {
	uint pa, n;
};

enum { BIO_READ, BIO_WRITE, BIO_FLUSH };

#define BIOVECS 32
#define BIOMAX  (128u << 10) /* bytes of one bio */

struct bio {
	struct blkdev *dev;
	uint64_t sector; /* the first, of dev */
	int op;
	uint nvec, bytes;
	struct biovec vec[BIOVECS];
	void (*done)(struct bio *, int err); /* set before biosubmit() */
	void *priv;                          /* the submitter's own */

	/* From biosubmit() to done(): blkq.c's [q->lock]. */
	struct list link, fifo;
	int64_t since; /* it was submitted */
	int tries, err;
};

/* Find the disks and their partitions, start their drivers.  In the first
 * process, once, before the root is mounted.  May sleep. */
void blkinit(void);

/* A bio from the pool, with no memory in it yet, for the sectors from sector
 * on.  Sleeps until one is free; so nobody takes a second one before the first
 * is submitted.  No spinlock held. */
struct bio *bioalloc(struct blkdev *, int op, uint64_t sector);
void biofree(struct bio *); /* any context */

/* Let the bio move the n bytes at pa too, in whole sectors, behind what it has:
 * 1, or 0: that is too much, submit it and begin another. */
int bioadd(struct bio *, uint pa, uint n);

/* The device's queue takes it.  done(bio, 0 or -EIO) is called exactly once,
 * perhaps before this returns, perhaps in an interrupt, with no lock of the
 * queue held, and then owns the bio.  Any context that may take a lock of
 * RANK_DISK. */
void biosubmit(struct bio *);

/* Read or write (op) n bytes, whole sectors, at kva, an address in the direct
 * map, and wait for the end: 0 or -EIO.  May sleep: no spinlock held. */
int blkio(struct blkdev *, int op, uint64_t sector, void *kva, uint n);

/* The disk that has it, perhaps itself. */
static inline struct blkdev *
blkdisk(struct blkdev *dev)
{
	return dev->parent ? dev->parent : dev;
}

/* What has been written is on the platter when it returns: 0 or -EIO. */
int blkflush(struct blkdev *);

/* Find one; 0: there is none.  They never go away. */
struct blkdev *blkfind(uint rdev);
struct blkdev *blkfindname(const char *name); /* "hda1" */

/* Use it (mount): 0, or -ENXIO if the disk is gone, -EACCES if it is to be
 * written to and is read-only, -EBUSY if it is open with O_EXCL.  blkput() ends
 * that. */
int blkget(struct blkdev *, int write);
void blkput(struct blkdev *);

/* O_EXCL: 0, or -EBUSY if it, its disk or a partition of it has an owner or is
 * used.  blkunclaim(), for any file of it, ends that. */
int blkclaim(struct blkdev *, struct file *);
void blkunclaim(struct blkdev *, struct file *);

/* Call fn for each device, disks before their partitions, until it returns an
 * error. */
void blkeach(int (*fn)(struct blkdev *, void *), void *arg);

/* Its figures as they are now. */
void blkstats(struct blkdev *, struct blkstats *);

/* blkfile.c: f is an open of the device file of that number: 0 with its ops, or
 * -errno.  blksync: write what open files have changed, wait: until it is on
 * the platter: 0 or the first error. */
int blkopen(struct file *f, uint rdev);
struct pcache *blkpages(struct file *f); /* what it reads and writes; 0 with
                                          * O_PATH */
int blksync(int wait);

/* fs/pageio.c: pcacheops.io of a file whose blocks of blksize bytes map()
 * finds:  *disk is the block of dev that has the file's, 0: a hole, and *run
 * how many blocks from there on are contiguous (or holes); 0, or -errno.  A
 * null map:  the file is the device. */
void pageio(struct pcio *io, struct blkdev *, uint blksize,
	int (*map)(struct pcache *, uint block, uint *disk, uint *run));

/* kern/blk/pageio.c: pcacheops.charge of files on disks: so many bytes that the
 * running process has changed will go to a disk. */
void chargewrite(uint bytes);

#endif
