/*
 * ext2file.c - regular files of ext2: open, write, seek, truncate.
 *
 * The bytes are in the page cache (filemap.c).  Here is what a write needs of
 * the disk, and what is given back when it writes less: the next write,
 * truncate or close frees blocks that are beyond the end of the file.
 *
 * A file with the immutable flag cannot be opened to write, one with the
 * append-only flag only with O_APPEND.
 */
#include "kern/fs/ext2/ext2.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/lib/string.h"

static int ext2open(struct inode *, struct file *);
static int writefile(struct file *, struct uio *, int64_t *off);
static int writelocked(struct file *, struct uio *, int64_t *off);
static int64_t seekfile(struct file *, int64_t off, int whence);
static int truncate(struct file *, uint64_t size);
static void releasefile(struct file *);
static int trim(struct inode *);

const struct inodeops ext2fileops = {
	.open = ext2open,
	.setattr = ext2setattr,
};

const struct fileops ext2filefops = {
	.read = fmread,
	.write = writefile,
	.seek = seekfile,
	.truncate = truncate,
	.sync = syncfile,
	.release = releasefile,
};

/* See inodeops: may the file be opened with these flags? f->ops is set
 * already. */
static int
ext2open(struct inode *ip, struct file *f)
{
	uint flags = EXT2I(ip)->flags;

	if ((f->flags & O_ACCMODE) == O_RDONLY && !(f->flags & O_TRUNC))
		return 0;
	if (flags & EXT2_IMMUTABLE_FL || (flags & EXT2_APPEND_FL &&
		(!(f->flags & O_APPEND) || f->flags & O_TRUNC)))
		return -EPERM;
	return 0;
}

/* See fileops. */
static int
writefile(struct file *f, struct uio *u, int64_t *off)
{
	struct inode *ip = f->inode;
	int r, err;

	acquiresleep(&ip->lock);
	r = writelocked(f, u, off);
	releasesleep(&ip->lock);
	if (r > 0 && (f->flags & O_DSYNC || ip->super->flags &
		MS_SYNCHRONOUS) && (err = syncfile(f, 0)) < 0)
		r = err;
	return r;
}

/* Do the write, and give back blocks that were reserved for what was not
 * written.  Bytes or -errno.  Called with the inode's lock held. */
static int
writelocked(struct file *f, struct uio *u, int64_t *off)
{
	struct inode *ip = f->inode;
	struct ext2inode *xi = EXT2I(ip);
	uint64_t end;
	int n = u->n, r;

	lockassert(holdingsleep(&f->inode->lock));
	if (pcachesize(ip->pages) + EXT2(ip)->bsize <= (uint64_t)xi->mapend <<
		EXT2(ip)->bits)
		(void)trim(ip); /* a fault reserved after a truncate */
	memset(xi->fresh, 0, sizeof(xi->fresh)); /* unused while writer is 0 */
	xi->writer = myproc();
	r = fmwritelocked(f, u, off, n);
	if (r < n) { /* a page is written whole or not at all */
		end = r <= 0 && f->flags & O_APPEND ? pcachesize(ip->pages) :
			(uint64_t)*off;
		if (r > 0)
			end += PGSIZE - 1;
		ext2unfresh(ip, end / PGSIZE << (PGSHIFT - EXT2(ip)->bits));
		xi->writer = 0;
		(void)trim(ip);
	}
	xi->writer = 0;
	if (r > 0)
		ext2largefile(ip);
	return r;
}

/* See fileops. */
static int64_t
seekfile(struct file *f, int64_t off, int whence)
{
	int64_t was = f->off;

	if (whence != SEEK_DATA && whence != SEEK_HOLE) {
		off = fmseek(f, off, whence);
		if (off <= (int64_t)EXT2(f->inode)->maxsize)
			return off;
		f->off = was;
		return -EINVAL;
	}
	if (off < 0)
		return -ENXIO;
	off = ext2seek(f->inode, off, whence == SEEK_HOLE);
	if (off >= 0)
		f->off = off;
	return off;
}

/* Free blocks that were reserved beyond the end: 0 or -EIO.  Called with the
 * inode's lock held. */
static int
trim(struct inode *ip)
{
	struct ext2 *fs = EXT2(ip);
	uint end = (pcachesize(ip->pages) + fs->bsize - 1) >> fs->bits;

	lockassert(holdingsleep(&ip->lock));
	if (EXT2I(ip)->mapend > end)
		return ext2cut(ip, end);
	ext2putback(ip);
	return 0;
}

/* Make the file size bytes long: 0 or -errno.  Called with the inode's lock
 * held. */
static int
truncate(struct file *f, uint64_t size)
{
	struct inode *ip = f->inode;
	struct ext2 *fs = EXT2(ip);
	int err, grows;

	lockassert(holdingsleep(&f->inode->lock));
	if (size > fs->maxsize)
		return -EFBIG;
	grows = size > pcachesize(ip->pages);
	if (grows)
		(void)trim(ip);
	if ((err = fmtruncate(f, size)) < 0)
		return err;
	ext2largefile(ip);
	return grows ? 0 : ext2cut(ip, (size + fs->bsize - 1) >> fs->bits);
}

/* The last descriptor is closed: free what was reserved beyond the end. */
static void
releasefile(struct file *f)
{
	struct inode *ip = f->inode;

	if ((f->flags & O_ACCMODE) == O_RDONLY)
		return;
	acquiresleep(&ip->lock);
	if (ip->nlink)
		(void)trim(ip);
	releasesleep(&ip->lock);
}
