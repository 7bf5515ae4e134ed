/*
 * ext2.h - shared by the files of ext2: ext2.c (mounting), ext2inode.c
 * (inodes), ext2file.c (regular files), ext2map.c (where a file's blocks are),
 * ext2alloc.c (which blocks and inodes are free), ext2dir.c (names).
 *
 * A disk begins with a boot block of 1 KiB and the superblock of 1 KiB.  Then
 * come groups of blocks, each with a bitmap of its blocks, one of its inodes,
 * and its part of the inodes; xv6's disk is like one such group.  All numbers
 * are little-endian, like those of the CPU.
 *
 * Nothing that was read from the disk is trusted: bread() checks block numbers
 * (0 for one beyond the end), ext2iget() inode numbers, and a directory's
 * entries are checked as they are read.  What is wrong gives -EIO, and prints
 * one line.
 */
#ifndef KERN_FS_EXT2_H
#define KERN_FS_EXT2_H

#include "kern/fs/bio.h"
#include "kern/fs/inode.h"

#define EXT2_MAGIC  0xef53
#define EXT2_ROOT   2    /* inode of the root directory */
#define EXT2_NDIR   12   /* direct blocks of an inode, then three indirect */
#define EXT2_NBLOCK 15
#define EXT2_LINKMAX 32000 /* links of an inode */

struct ext2disksuper {
	uint32_t inodes, blocks, reserved, freeblocks, freeinodes, firstblock;
	uint32_t logblock;       /* block size is 1024 << this */
	uint32_t logfrag, blockspergroup, fragspergroup, inodespergroup;
	uint32_t mtime, wtime;
	uint16_t mounts, maxmounts;
	uint16_t magic, state, errors, minorrev;
	uint32_t lastcheck, checkinterval, creator, rev;
	uint16_t resuid, resgid;
	uint32_t firstino;       /* from here on with revision 1 only */
	uint16_t inodesize, groupnr;
	uint32_t compat, incompat, rocompat;
	uint8_t uuid[16];
	char volume[16], lastmounted[64];
	uint32_t algorithms;
	uint8_t prealloc, preallocdir;
	uint16_t gdtblocks;
	uint8_t journaluuid[16];
	uint32_t journalino, journaldev, lastorphan;
	uint32_t hashseed[4];
	uint8_t hashversion, journalbackup;
	uint16_t descsize;
	uint32_t mountopts, firstmeta, mkfstime;
	uint32_t journalblocks[17];
	uint32_t blockshi, reservedhi, freehi;
	uint16_t minextra, wantextra;
	uint8_t pad[672];
};
_Static_assert(sizeof(struct ext2disksuper) == 1024, "superblock");
_Static_assert(offsetof(struct ext2disksuper, journalino) == 224, "journal");
_Static_assert(offsetof(struct ext2disksuper, wantextra) == 350, "wantextra");

enum { /* ext2disksuper.state */
	EXT2_VALID = 1, /* unmounted cleanly */
	EXT2_ERRORS = 2,
};

/* Features.  An unknown compat one does no harm, with an unknown rocompat one a
 * file system may be read, with an unknown incompat one not even that. */
enum {
	EXT2_EXTATTR = 8, EXT2_DIRINDEX = 0x20,                  /* compat */
	EXT2_SPARSE = 1, EXT2_LARGEFILE = 2, EXT2_BTREE = 4,     /* rocompat */
	EXT2_FILETYPE = 2,                                       /* incompat */
};
#define EXT2_ROCOMPAT (EXT2_SPARSE | EXT2_LARGEFILE | EXT2_BTREE)
#define EXT2_INCOMPAT EXT2_FILETYPE

struct ext2group { /* a group descriptor */
	uint32_t blockmap, inodemap, inodetable; /* block numbers */
	uint16_t freeblocks, freeinodes, dirs, pad;
	uint32_t reserved[3];
};
_Static_assert(sizeof(struct ext2group) == 32, "group descriptor");

struct ext2diskinode {
	uint16_t mode, uid;
	uint32_t size, atime, ctime, mtime, dtime;
	uint16_t gid, links;
	uint32_t blocks;         /* units of 512 bytes, with all that is its */
	uint32_t flags, version;
	uint32_t block[EXT2_NBLOCK];
	uint32_t generation, xattr, sizehi, faddr;
	uint16_t blockshi, xattrhi, uidhi, gidhi;
	uint32_t pad;
	uint16_t extra;          /* bytes in use from here on, if any */
	uint16_t checksumhi;
	uint32_t ctimex, mtimex, atimex; /* two bits of seconds, 30 of ns */
	uint32_t crtime, crtimex;
};
_Static_assert(offsetof(struct ext2diskinode, uidhi) == 120, "uid");
_Static_assert(offsetof(struct ext2diskinode, crtimex) == 148, "crtime");
#define EXT2_OLDINODE 128 /* bytes, without those behind pad */

enum { /* ext2diskinode.flags */
	EXT2_SYNC_FL = 8, EXT2_IMMUTABLE_FL = 0x10, EXT2_APPEND_FL = 0x20,
	EXT2_INDEX_FL = 0x1000,
};
#define EXT2_INHERIT_DIR   0x1c6cf /* flags that come from the directory */
#define EXT2_INHERIT_REG   0x0c6cf
#define EXT2_INHERIT_OTHER 0x000c0

struct ext2dirent {
	uint32_t ino;     /* 0: nothing */
	uint16_t reclen;  /* to the next one, a multiple of 4 */
	uint8_t namelen, type; /* type: 0 without EXT2_FILETYPE */
	char name[];
};
_Static_assert(sizeof(struct ext2dirent) == 8, "dirent");
#define EXT2_RECLEN(n) ROUNDUP(8 + (n), 4)

struct ext2xattr { /* a block of extended attributes begins so */
	uint32_t magic, refs, blocks;
};
#define EXT2_XATTR_MAGIC 0xea020000

struct ext2 { /* a mounted file system: super->priv */
	struct super *super;
	struct blkdev *dev;
	struct bufs *bufs;
	struct buf *sb;          /* has the superblock, referenced */
	uint sboff;              /* where in it */
	struct buf **gd;         /* the group descriptors, referenced */
	uint bsize, bits;        /* bytes of a block, their log2 */
	uint perblock;           /* block numbers in an indirect block */
	uint isize;              /* bytes of an inode on disk */
	uint ngroups, blockspergroup, inodespergroup;
	uint firstblock, nblocks, ninodes, firstino;
	uint gdblocks;           /* blocks of descriptors in front of a group */
	uint overhead;           /* blocks of metadata, in all groups */
	int sparse;              /* not all groups have a superblock */
	int filetype;
	int wasvalid;            /* state when it was mounted read-write */
	uint reserved, resuid, resgid;
	uint64_t maxsize;        /* of a file */

	struct spinlock lock;    /* RANK_LEAF */
	uint freeblocks, freeinodes; /* [lock] */
	uint errors;             /* lines printed by ext2bad() [lock] */
	uint oldgroup;           /* of the last new directory in the root */
};

#define EXT2_NFRESH 128 /* blocks that one reserve() is for, at most */

struct ext2inode { /* inode->priv */
	struct inode *ip;
	uint group;              /* the inode's */
	uint flags, xattr, generation;
	uint extra;              /* bytes of extra fields it has room for */

	/* Where its blocks are.  maplock may be taken while a page is busy, and
	 * is held while indirect blocks are read; its holder takes nothing but
	 * buffers. */
	struct sleeplock maplock;
	uint block[EXT2_NBLOCK]; /* [maplock] */
	uint lblock, dblock, run; /* the last answer: run > 0 blocks from lblock
	                           * on are at dblock [maplock] */
	uint lastl, lastd;       /* the last one allocated; lastd 0: none
	                          * [maplock] */
	uint mapend;             /* a write reserved to here at most, since
	                          * the last cut [maplock] */
	uint put, nput;          /* put by: nput blocks from put on are marked
	                          * as used, for the next write [maplock] */

	struct proc *writer;     /* the process in write(), or 0 [inode lock] */
	uint freshbase;          /* the block of the first bit of fresh */
	uint fresh[EXT2_NFRESH / 32]; /* blocks that the writer allocated, a bit
	                          * each [maplock] */

	/* Of directories [inode lock]. */
	uint room;               /* no block before this one has room for */
	uint roomlen;            /* an entry of so many bytes or more */
	uint lastfound;          /* the block of the last name found */
};

#define EXT2(ip)  ((struct ext2 *)(ip)->super->priv)
#define EXT2I(ip) ((struct ext2inode *)(ip)->priv)

/* ext2.c */

/* The disk contradicts itself: print that, unless so many lines have been
 * printed already.  Always -EIO. */
int ext2bad(struct ext2 *, const char *what, uint number);

/* If the file has 2 GiB or more, note in the superblock that there is one: a
 * feature of revision 1. */
void ext2largefile(struct inode *ip);

/* ext2inode.c */

/* Find the inode of that number, as xv6's iget() and ilock() do: referenced,
 * and read from the disk; or 0 with *err. */
struct inode *ext2iget(struct super *, uint ino, int *err);

/* Allocate an inode of the type and mode for a file in dir, without a name yet:
 * with one reference; or 0 with *err.  To undo it set nlink to 0 and iput(). */
struct inode *ext2new(struct inode *dir, uint mode, uint rdev, int *err);

int ext2setattr(struct inode *);

/* Put the inode's fields in the buffer of its block on the disk (xv6's
 * iupdate()); with data only if more than times, owner and mode have changed.
 * Called at once after changes of what must not contradict other metadata:
 * links and blocks. 0 or -EIO.  ext2putlocked() is called with maplock held. */
int ext2put(struct inode *ip, int data);
int ext2putlocked(struct inode *ip, int data);

void ext2drop(struct inode *); /* see struct superops */

/* Operations by type of file. */
extern const struct inodeops ext2fileops; /* ext2file.c */
extern const struct fileops ext2filefops;
extern const struct inodeops ext2dirops; /* ext2dir.c */
extern const struct fileops ext2dirfops;

/* ext2map.c */

extern const struct pcacheops ext2pcops;

/* The buffer of a block of a directory or link, referenced; or 0 with *err:
 * -EIO, also for a hole. */
struct buf *ext2block(struct inode *ip, uint block, int *err);

/* Allocate a block at the end of a directory or link: its buffer, referenced
 * and full of zeroes; or 0 with *err. */
struct buf *ext2extend(struct inode *ip, uint block, int *err);

/* Free the blocks of the file at and beyond that one, and put the inode.  The
 * page cache has nothing of them any more.  0 or -EIO. */
int ext2cut(struct inode *ip, uint block);

/* The write() has not reached the block from, nor those behind it: give back
 * those that it allocated there. */
void ext2unfresh(struct inode *ip, uint from);

/* lseek(): the first offset >= off, in bytes, where there is data or, with
 * hole, a hole; the end of the file is one.  -ENXIO: there is none; -EIO. */
int64_t ext2seek(struct inode *ip, uint64_t off, int hole);

/* Free the blocks that were put by for the next write. */
void ext2putback(struct inode *ip);

/* ext2alloc.c */

/* Allocate up to *n blocks in a row, at or after the block goal if possible;
 * *n is how many.  Returns the first; or 0 with *err: -ENOSPC, -EIO. */
uint ext2balloc(struct ext2 *, uint goal, uint *n, int *err);
int ext2bfree(struct ext2 *, uint block, uint n); /* 0 or -EIO */

/* Allocate the number of an inode for a file or directory in dir; or 0 with
 * *err. */
uint ext2ialloc(struct inode *dir, int isdir, int *err);
void ext2ifree(struct ext2 *, uint ino, int isdir);

/* A copy of a group's descriptor. */
struct ext2group ext2group(struct ext2 *, uint group);

/* Is one of n blocks from that one on a bitmap, an inode table, a superblock
 * or a descriptor? */
int ext2ismeta(struct ext2 *, uint block, uint n);

#endif
