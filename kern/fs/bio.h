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
	struct buf *next;      /* of one bsync(), then of one bio [the process
	                        * that made the chain] */
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
	int nwait;             /* processes that wait for lru [lock] */
	int flying;            /* writes under way [lock] */
	int err;               /* of a write, until bsync() tells [lock] */
	struct waitq waitq;    /* for a buffer that is busy, or on lru, or
	                        * flying == 0 */
	struct sleeplock synclock; /* one bsync() at a time */
	struct list link;      /* all of them [allbufslock] */
};

void binit(void); /* at boot */

/* Make a buffer cache for a disk of nblocks blocks of size bytes (1, 2 or 4
 * KiB); 0: no memory.  bclose() frees it: no buffer is referenced, and what is
 * dirty is lost. */
struct bufs *bopen(struct blkdev *, uint size, uint nblocks);
void bclose(struct bufs *);

/* Unlike xv6's bread(), which returns a locked buffer, this returns one that
 * others may use too: valid, with one more reference.  0: it cannot be read,
 * or is beyond the end.  Sleeps; without memory until a buffer is free.  No
 * spinlock held. */
struct buf *bread(struct bufs *, uint block);

/* bread(), but if the block must be read from the disk, n blocks are, from
 * that one on. */
struct buf *breadn(struct bufs *, uint block, uint n);

/* Unlike xv6's bget(), which finds a buffer without reading it, this is for a
 * block that has just been allocated: referenced, full of zeroes, dirty.  0:
 * beyond the end.  Sleeps. */
struct buf *bget(struct bufs *, uint block);

/* To change b->data call bhold() before and bdirty() after: in between the
 * buffer is not written to the disk, nor changed by others.  brelax() in place
 * of bdirty(): it has not been changed.  A process holds one buffer at a time,
 * and waits for nothing else meanwhile.  bhold() sleeps. */
void bhold(struct buf *);
void bdirty(struct buf *);
void brelax(struct buf *);

/* Drop a reference; xv6's also unlocks the buffer.  0 does nothing. */
void brelse(struct buf *);

/* The block has been freed: forget its buffer's contents.  When this returns
 * they are not on their way to the disk, and will not be.  Sleeps. */
void bforget(struct bufs *, uint block);

/* Write all dirty buffers, and wait: 0, or -EIO if a write has failed since the
 * last bsync().  The device may still have the data in its own cache. */
int bsync(struct bufs *);

#endif
