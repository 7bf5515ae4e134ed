/*
 * procfs.c - /proc: a file system whose files are made up when they are read.
 *
 * The tree comes from tables of struct procent.  An inode says which entry it
 * is (priv), of which process and descriptor (both in its number), and nothing
 * else: so nothing in the tree has to be told when a process goes away.  Each
 * use looks the process up again, and valid() lets the names of dead ones drop.
 *
 * Reading at offset 0 writes the whole text of the file into a buffer of the
 * open file; reads at other offsets copy from that text, so that a reader with
 * a small buffer sees one consistent state.
 *
 * Invariants:
 *   P1  An inode's number is pid << 16 | entry << 10 | fd for a process, and
 *       1 + the place in the tables for the rest; it fits 32 bits.
 *   P2  struct procfile.text is touched only under its lock.
 *   P3  Nothing here holds a spinlock while it copies to a user.
 */
#include "kern/fs/inode.h"
#include "kern/fs/procfs.h"
#include "mm/mm.h"
#include "kern/abi/errno.h"
#include "kern/abi/fcntl.h"
#include "kern/panic.h"
#include "kern/printf.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/string.h"

#define PIDCOOKIE 4096 /* directory offsets of pids begin behind the entries */

struct procfile { /* an open file of /proc */
	struct sleeplock lock;
	struct text text; /* what the file said at the last read at 0 [lock] */
};

static int proclookup(struct inode *, struct dentry *);
static int procvalid(struct dentry *);
static int procopen(struct inode *, struct file *);
static int procreadlink(struct inode *, char *, uint);
static struct dentry *procfollow(struct inode *, int *);
static int procread(struct file *, struct uio *, int64_t *);
static int procwrite(struct file *, struct uio *, int64_t *);
static int64_t procseek(struct file *, int64_t, int);
static int procreaddir(struct file *, struct dirsink *);
static void procrelease(struct file *);

static const struct inodeops procops = {
	.lookup = proclookup,
	.readlink = procreadlink,
	.valid = procvalid,
	.open = procopen,
};

/* Links that lead somewhere even where their text does not: exe, fd/N. */
static const struct inodeops procmagicops = {
	.readlink = procreadlink,
	.follow = procfollow,
	.valid = procvalid,
};

static const struct fileops procfileops = {
	.read = procread,
	.write = procwrite,
	.seek = procseek,
	.release = procrelease,
};

static const struct fileops procdirops = {
	.seek = procseek,
	.readdir = procreaddir,
};

static const struct procent piddir = {
	.mode = S_IFDIR | 0555, .sub = procpidents
};
static const struct procent taskdir = {
	.mode = S_IFDIR | 0555, .sub = procpidents + 1
};
static const struct procent rootent = {
	.mode = S_IFDIR | 0555, .sub = procsysents
};

static struct inode *procinode(struct super *, const struct procent *, int pid,
	uint n);

/* Mount /proc: a new super with its root, or 0. */
struct super *
procfsmount(const char *source)
{
	struct super *s = kzalloc(sizeof(*s));

	if (s == 0)
		return 0;
	s->type = "proc";
	s->magic = 0x9fa0; /* PROC_SUPER_MAGIC, for statfs */
	strlcpy(s->source, source, sizeof(s->source));
	s->priv = procinode(s, &rootent, 0, 0);
	if (s->priv == 0) {
		kmfree(s);
		return 0;
	}
	return s;
}
