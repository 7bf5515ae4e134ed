/*
 * stat.h - what a file is: modes, and the structures that tell of it to
 * programs, laid out as Linux on i386 does; struct kstat is the kernel's own,
 * from which the others are made.
 */
#ifndef KERN_ABI_STAT_H
#define KERN_ABI_STAT_H

#include "kern/types.h"

#define S_IFMT   0170000
#define S_IFSOCK 0140000
#define S_IFLNK  0120000
#define S_IFREG  0100000
#define S_IFBLK  0060000
#define S_IFDIR  0040000
#define S_IFCHR  0020000
#define S_IFIFO  0010000
#define S_ISUID  0004000
#define S_ISGID  0002000
#define S_ISVTX  0001000
#define S_IXGRP  0000010

#define S_ISSOCK(m) (((m)&S_IFMT) == S_IFSOCK)
#define S_ISLNK(m)  (((m)&S_IFMT) == S_IFLNK)
#define S_ISREG(m)  (((m)&S_IFMT) == S_IFREG)
#define S_ISBLK(m)  (((m)&S_IFMT) == S_IFBLK)
#define S_ISDIR(m)  (((m)&S_IFMT) == S_IFDIR)
#define S_ISCHR(m)  (((m)&S_IFMT) == S_IFCHR)
#define S_ISFIFO(m) (((m)&S_IFMT) == S_IFIFO)

#define R_OK 4 /* access */
#define W_OK 2
#define X_OK 1
#define F_OK 0

struct kstat {
	uint dev, rdev;
	uint64_t ino;
	uint mode, nlink, uid, gid;
	uint64_t size, blocks; /* bytes; units of 512 bytes */
	uint blksize;
	int64_t atime, mtime, ctime; /* ns since 1970 */
};

struct stat { /* stat, lstat, fstat: calls 106 to 108 */
	uint32_t st_dev, st_ino;
	uint16_t st_mode, st_nlink, st_uid, st_gid;
	uint32_t st_rdev, st_size, st_blksize, st_blocks;
	uint32_t st_atime, st_atimensec;
	uint32_t st_mtime, st_mtimensec;
	uint32_t st_ctime, st_ctimensec;
	uint32_t unused4, unused5;
};
_Static_assert(sizeof(struct stat) == 64, "stat");

struct stat64 {
	uint64_t st_dev;
	uint32_t pad0, st_ino32;
	uint32_t st_mode, st_nlink, st_uid, st_gid;
	uint64_t st_rdev;
	uint32_t pad3;
	uint32_t st_size[2]; /* low, high */
	uint32_t st_blksize;
	uint64_t st_blocks;
	uint32_t st_atime, st_atimensec;
	uint32_t st_mtime, st_mtimensec;
	uint32_t st_ctime, st_ctimensec;
	uint64_t st_ino;
};
_Static_assert(sizeof(struct stat64) == 96, "stat64");
_Static_assert(offsetof(struct stat64, st_size) == 44, "stat64 size");
_Static_assert(offsetof(struct stat64, st_ino) == 88, "stat64 ino");

struct statxtime {
	int64_t sec;
	uint32_t nsec;
	int32_t pad;
};

struct statx {
	uint32_t stx_mask, stx_blksize;
	uint64_t stx_attributes;
	uint32_t stx_nlink, stx_uid, stx_gid;
	uint16_t stx_mode, pad1;
	uint64_t stx_ino, stx_size, stx_blocks, stx_attributes_mask;
	struct statxtime stx_atime, stx_btime, stx_ctime, stx_mtime;
	uint32_t stx_rdev_major, stx_rdev_minor, stx_dev_major, stx_dev_minor;
	uint64_t stx_mnt_id;
	uint32_t stx_dio_mem_align, stx_dio_offset_align;
	uint64_t spare[12];
};
_Static_assert(sizeof(struct statx) == 256, "statx");
_Static_assert(offsetof(struct statx, stx_rdev_major) == 128, "statx rdev");

#define STATX_BASIC_STATS 0x7ff
#define STATX_MNT_ID      0x1000
#define STATX_RESERVED    0x80000000u

struct statfs { /* calls 99, 100 */
	uint32_t f_type, f_bsize, f_blocks, f_bfree, f_bavail, f_files, f_ffree;
	uint32_t f_fsid[2], f_namelen, f_frsize, f_flags, f_spare[4];
};
_Static_assert(sizeof(struct statfs) == 64, "statfs");

struct statfs64 {
	uint32_t f_type, f_bsize;
	uint64_t f_blocks, f_bfree, f_bavail, f_files, f_ffree;
	uint32_t f_fsid[2], f_namelen, f_frsize, f_flags, f_spare[4];
};
_Static_assert(sizeof(struct statfs64) == 84, "statfs64");

#define RAMFS_MAGIC 0x858458f6
#define TMPFS_MAGIC 0x01021994
#define PROC_MAGIC  0x9fa0

/* Directory entries: a header, the name and its NUL.  The older form has the
 * type in its last byte. */
struct dirent64 {
	uint64_t d_ino;
	int64_t d_off;
	uint16_t d_reclen;
	uint8_t d_type;
	char d_name[];
};
_Static_assert(offsetof(struct dirent64, d_name) == 19, "dirent64");

struct dirent {
	uint32_t d_ino, d_off;
	uint16_t d_reclen;
	char d_name[];
};
_Static_assert(offsetof(struct dirent, d_name) == 10, "dirent");

#define DT_UNKNOWN 0
#define DT_FIFO    1
#define DT_CHR     2
#define DT_DIR     4
#define DT_BLK     6
#define DT_REG     8
#define DT_LNK     10
#define DT_SOCK    12

#define IFTODT(mode) (((mode)&S_IFMT) >> 12)

#endif
