/*
 * bio.h - buffers of a disk's metadata blocks: bitmaps, inode tables,
 * directories, indirect blocks.  What is in a regular file is never here, but
 * in the page cache.
 */
#ifndef KERN_FS_BIO_H
#define KERN_FS_BIO_H

#include "kern/lock/lock.h"
#include "kern/lib/list.h"

struct blkdev;

enum { /* struct buf flags [bufs lock] */
	B_VALID = 1, /* data is what the disk has, or newer */
	B_DIRTY = 2, /* newer: on the list of what is to be written */
	B_BUSY = 4,  /* being read, written or changed: one at a time may */
	B_KEEP = 8,  /* memory that the disk's buffers keep */
};

struct buf {
	uint block;
	int ref;               /* [bufs lock] */
	uint flags;            /* B_* [bufs lock] */
	char *data;            /* bufs->size bytes; changed between bhold() and
	                        * bdirty() only */
	struct bufs *of;
	struct list hashlink;  /* [bufs lock] */
	struct list link;      /* dirty, or lru if clean and without references
	                        * [bufs lock] */
	struct buf *next;      /* those of one bsync, then of one I/O [who does
	                        * that] */
};

#define NBUFHASH 1024

struct bufs { /* the buffers of one mounted disk */
	struct blkdev *dev;
	uint size, bits;       /* bytes of a block, their log2 */
	uint nblocks;          /* block numbers are below this */
	struct spinlock lock;
	struct list hash[NBUFHASH]; /* [lock] */
	struct list lru;       /* oldest first [lock] */
	struct list dirty;     /* [lock] */
	uint n;                /* buffers [lock] */
	int nwait;             /* who waits for one on lru [lock] */
	int flying;            /* writes under way [lock] */
	int err;               /* of a write, until bsync() tells [lock] */
	struct waitq waitq;    /* for a buffer that is busy, or on lru, or
	                        * flying == 0 */
	struct sleeplock synclock; /* one bsync() at a time */
	struct list link;      /* all of them [allbufslock] */
};

void binit(void); /* at boot */

/* Buffers for blocks of size bytes (1, 2 or 4 KiB) of the device; or 0.
 * bclose: nobody uses any; what is dirty is lost. */
struct bufs *bopen(struct blkdev *, uint size, uint nblocks);
void bclose(struct bufs *);

/* The block, referenced, with what is on the disk; or 0: it could not be read, or
 * is beyond the end.  Sleeps; without memory until a buffer is free. */
struct buf *bread(struct bufs *, uint block);

/* The same; if it must be read, n blocks from there on are, at once. */
struct buf *breadn(struct bufs *, uint block, uint n);

/* The block, referenced, filled with zeroes, dirty: it has just been allocated.
 * Or 0: beyond the end. */
struct buf *bget(struct bufs *, uint block);

/* To change b->data: from bhold() to bdirty() it is not written, nor changed by
 * others.  Whoever holds one buffer holds no other and waits for nothing else.
 * brelax instead of bdirty: it has not been changed. */
void bhold(struct buf *);
void bdirty(struct buf *);
void brelax(struct buf *);

void brelse(struct buf *); /* drop a reference; 0 does nothing */

/* The block has been freed: what the buffer has is not written any more, nor on
 * its way when this returns.  Sleeps. */
void bforget(struct bufs *, uint block);

/* Write all that is dirty, sorted and merged, and wait for it: 0, or -EIO if a
 * write has failed since the last one.  The device may still have it in its
 * cache. */
int bsync(struct bufs *);

#endif
