/*
 * inode.h - files, names and file systems in memory.
 *
 * An inode is a file.  A dentry is a name for it in a directory; xv6 has none,
 * and reads directories instead.  Dentries form a tree from the root, and each
 * refers to its parent.  A path walk follows dentries; only where one is
 * missing does it ask the directory (lookup in struct inodeops).  In ramfs the
 * dentries are the directory: they are pinned while the name exists.  The cache
 * keeps those of a file system on disk while there is room.  A dentry without
 * an inode ("negative") remembers that there is no such name.
 */
#ifndef KERN_FS_INODE_H
#define KERN_FS_INODE_H

#include "kern/abi/stat.h"
#include "kern/file.h"
#include "kern/lock/lock.h"
#include "kern/lib/list.h"

struct inode;
struct super;

struct filelock; /* kern/flock.h */

struct kstatfs { /* what a file system tells of itself */
	uint bsize;
	uint64_t blocks, bfree, bavail, files, ffree;
};

/* What a file system does as a whole; null entries: nothing to do. */
struct superops {
	/* The last reference to the inode is gone, and so are its pages (pages
	 * is 0).  If nlink is 0, free its blocks and the inode on the disk.
	 * Frees priv.  May sleep; no lock is held. */
	void (*drop)(struct inode *);
	/* Put the inode's fields where sync() finds them: 0 or -errno.  With
	 * data only those that are needed to find its bytes. */
	int (*writeinode)(struct inode *, int data);
	/* The dirty inodes have been written; write the metadata.  With wait
	 * all of it is on the medium when this returns 0. */
	int (*sync)(struct super *, int wait);
	int (*statfs)(struct super *, struct kstatfs *);
	/* Change to these flags (MS_*) and options: 0 or -errno.  Before a
	 * file system becomes read-only the caller has synced all of it.
	 * Called with super->lock held, but by umountall().  Null: all flags
	 * are accepted. */
	int (*remount)(struct super *, uint flags, const char *data);
	/* No inode is left: write what is left, mark it clean, let the device
	 * go. */
	void (*umount)(struct super *);
	/* Write the options to buf, of n bytes, as /proc/mounts shows them
	 * behind "ro" or "rw", each with a comma in front; returns the number
	 * of bytes.  Called with nameslock held. */
	int (*options)(struct super *, char *buf, int n);
};

/* A type of file system.  mount() makes a new super with supernew(), gives it a
 * root, and stores it in *sp: 0; or it returns -errno.  data holds the options
 * of mount(2), "a=1,b", maybe none. */
struct fstype {
	const char *name;
	int needsdev;   /* source names a block device */
	int (*mount)(const struct fstype *, const char *source, uint flags,
		const char *data, struct super **sp);
	int single;     /* on Linux all mounts of this type show one tree */
	struct fstype *next; /* the one registered after it */
};
extern struct fstype ramfstype, tmpfstype, devfstype, devptstype;

/* Operations of inodes; those with a dir are for directories.  lookup is
 * called with dir->lock held.  The others that have a dir are called with
 * super->lock held, so that the names of one file system change one at a time.
 * An operation that makes a name gets a dentry d that is not hashed and has no
 * inode, and sets d->inode to a new reference.  File systems in memory pin d
 * with dattach(); those on disk also take dir->lock, and call dname(), dgone()
 * and dmove() with both held.  A null lookup means that all names are in the
 * dcache; another null operation gives -EPERM, but where it says otherwise. */
struct inodeops {
	/* Set d->inode to a reference to the inode that d names, or leave it 0
	 * if there is no such name.  The caller hashes d. */
	int (*lookup)(struct inode *dir, struct dentry *d);
	/* A new inode of any type, by the S_IFMT of mode. */
	int (*create)(struct inode *dir, struct dentry *d, uint mode,
		uint rdev);
	int (*symlink)(struct inode *dir, struct dentry *d, const char *target);
	int (*link)(struct inode *dir, struct dentry *d, struct inode *old);
	int (*unlink)(struct inode *dir, struct dentry *d); /* also rmdir */
	/* old takes the place of new.  If new has an inode, that loses a link.
	 * The caller has checked types, loops and permission. */
	int (*rename)(struct inode *olddir, struct dentry *old,
		struct inode *newdir, struct dentry *new);
	/* d1 and d2 take each other's place.  Null: -EINVAL. */
	int (*exchange)(struct inode *dir1, struct dentry *d1,
		struct inode *dir2, struct dentry *d2);
	/* A new regular file without a name, in unhashed d (a reference).
	 * Null: -EOPNOTSUPP. */
	int (*tmpfile)(struct inode *dir, struct dentry *d, uint mode);
	/* Copy a link's target to buf, without a NUL: its length or -errno. */
	int (*readlink)(struct inode *, char *buf, uint n);
	/* Links of /proc that lead to a dentry and not to a path: that dentry,
	 * referenced; or 0 with *err. */
	struct dentry *(*follow)(struct inode *, int *err);
	int (*open)(struct inode *, struct file *); /* sets f->ops, f->priv */
	int (*setattr)(struct inode *); /* mode, owner, times have changed */
	/* Does the name still exist (/proc)?  Null: a dentry is always right.
	 */
	int (*valid)(struct dentry *);
};

struct inode {
	volatile int ref;
	uint mode;           /* S_IFMT | permissions */
	uint uid, gid;
	uint nlink;
	uint rdev;           /* makedev(major, minor) of device files */
	uint64_t ino;
	int64_t atime, mtime, ctime; /* ns since 1970 */
	struct super *super;
	uint64_t size;       /* of what has no pages: directories, links */
	uint64_t blocks;     /* st_blocks, units of 512 bytes, if blkbits */
	uint blkbits;        /* log2 of st_blksize; 0: counted by the pages */
	struct list hashlink;  /* in the table of inodes [tablelock] */
	struct list dirtylink; /* in super->dirty if dirty [dirtylock] */
	uint dirty;            /* IDIRTY_* [dirtylock] */
	int64_t dirtied;       /* when, nowns() [dirtylock] */
	volatile uint8_t flushing; /* the flusher writes it now [dirtylock] */
	volatile uint8_t filling; /* the caller of inodeget() reads it from the
	                        * disk now [tablelock] */
	struct pcache *pages; /* of regular files */
	const struct inodeops *ops;
	const struct fileops *fops; /* what open() puts in f->ops */
	struct sleeplock lock;      /* of a directory: held for lookups; of a
	                             * file: held to write to it or to set its
	                             * size.  No page fault takes it */
	uint8_t linkable;           /* of nlink 0 (O_TMPFILE): may get a name
	                             * [super->lock] */
	volatile int writers;       /* > 0: open files that may write; < 0:
	                             * minus the programs that run it */
	void *priv;                 /* the file system's own */
	struct pipe *pipe;          /* of a FIFO in use, or 0 [fifolock] */
	uint npages;                /* counted in super->npages [as that] */
	uint64_t cookies;           /* the last dentry->cookie [names lock] */
	struct filelock *locks;     /* fcntl and flock, flock.c's [its lock] */
};

struct dentry {
	volatile int ref;
	struct dentry *parent;      /* referenced; itself for a root */
	struct inode *inode;        /* referenced; 0: negative */
	struct dentry *mounted;     /* root of what is mounted here, or 0 */
	struct dentry *covers;      /* for such a root: where it is mounted */
	struct list hashlink;       /* [names lock] */
	struct list children, sibling; /* [names lock] */
	struct list lru;            /* dentries the cache keeps [names lock] */
	volatile uint8_t used;      /* found since the shrinker last looked */
	uint64_t cookie;            /* order in the directory, for readdir */
	uint hash;
	uint8_t len;
	uint8_t unlinked;
	char *name;                 /* len bytes and a NUL */
	char shortname[20];         /* where name points when it fits */
};

struct super { /* a mounted file system */
	volatile int ref;    /* the mount, and every inode of it */
	const char *type;    /* "ramfs" */
	const struct fstype *fstype;
	const struct superops *ops;
	uint dev;            /* st_dev; 0: domount picks one */
	uint64_t nextino;
	uint magic;          /* statfs f_type */
	struct dentry *root;
	struct list link;    /* mounts [names lock] */
	struct list dirty;   /* inodes, the longest dirty first [dirtylock] */
	struct list flushlink; /* in the flusher's list [dirtylock] */
	struct sleeplock flushlock; /* held to write its dirty inodes */
	int gone;            /* nothing is to be written [flushlock] */
	volatile int writers; /* files open for writing */
	volatile uint nerr;  /* writes of files that failed, for syncfs */
	volatile int err;    /* the last one's error */
	char source[64];
	void *priv;
	uint flags;            /* MS_RDONLY, MS_NOSUID ... */
	uint maxpages, npages; /* ramfs: of all files, limit and use [lock of
	                        * uses, ramfs.c] */
	uint maxnames, nnames; /* likewise [lock] */
	struct sleeplock lock; /* held to change names */
};

#define MS_RDONLY      1
#define MS_NOSUID      2
#define MS_NODEV       4
#define MS_NOEXEC      8
#define MS_SYNCHRONOUS 0x10
#define MS_REMOUNT     0x20
#define MS_NOATIME     0x400
#define MS_NODIRATIME  0x800
#define MS_BIND        0x1000
#define MS_MOVE        0x2000
#define MS_REC         0x4000
#define MS_SILENT      0x8000
#define MS_UNBINDABLE  0x20000
#define MS_PRIVATE     0x40000
#define MS_SLAVE       0x80000
#define MS_SHARED      0x100000
#define MS_RELATIME    0x200000
#define MS_STRICTATIME 0x1000000
#define MS_CLOSING     0x40000000 /* super->flags: about to be read-only */
#define MS_KEPT (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC |                \
	MS_SYNCHRONOUS | MS_NOATIME | MS_NODIRATIME | MS_RELATIME |            \
	MS_STRICTATIME)

#define MNT_FORCE       1
#define MNT_DETACH      2
#define MNT_EXPIRE      4
#define UMOUNT_NOFOLLOW 8

extern struct list mounts;
extern struct spinlock nameslock; /* the tree of dentries and its hash table */
extern struct dentry *rootdentry;

/* Free up to n names that the cache keeps and nobody uses: how many. */
uint dcacheshrink(uint n);

/* Drop names that the cache keeps below a root, leaves first, until one is in
 * use. */
void dprune(struct dentry *root);

/* Drop every name below a root or a directory, leaves first. */
void treefree(struct dentry *root);

/* Describe the i-th mount.  *copy becomes a copy of its super, without
 * references; *parent the device of the file system it is mounted on (for the
 * root: its own device); buf, of n bytes, its path and, behind the NUL, its
 * options, for which n includes MOUNTOPTS bytes.  Returns the length of the
 * path; -ENOENT: there are not so many mounts; -ERANGE: buf is too small. */
#define MOUNTOPTS 256
int mountpath(int i, struct super *copy, uint *parent, char *buf, uint n);

/* inode.c */
void inodeinit(void);

/* A new inode with one reference, owned by the running process; 0: no memory.
 */
struct inode *inodenew(struct super *, uint mode);

/* Unlike xv6's iget(dev, inum), which finds or makes an inode by its number,
 * this takes one more reference to an inode that the caller can already reach
 * (xv6's idup).  What finds one by its number is inodeget(). */
struct inode *iget(struct inode *);

/* As in xv6: drop a reference; the last one of an inode without links frees
 * what the file had.  Unlike xv6's, the last one also frees the struct inode,
 * as there is no table of a fixed size.  May sleep; no spinlock held. */
void iput(struct inode *);

void superput(struct super *); /* drop a reference; the last frees it */

/* Wait until only the caller has a reference to s, so no inode of it is left.
 */
void superwait(struct super *);

/* Find the inode of that number of a file system on disk, and take a reference.
 * Waits while another process reads it from the disk.  If *isnew is set, nobody
 * had it: the caller fills it in (mode and times are 0) and calls inodeready().
 * 0: no memory. */
struct inode *inodeget(struct super *, uint64_t ino, int *isnew);

/* The new inode of inodeget() is filled in, and others may use it.  err < 0:
 * it could not be read; the caller's reference is dropped without
 * superops.drop, and those that waited try to read it themselves.  The caller
 * frees ip->priv then. */
void inodeready(struct inode *ip, int err);

/* Enter an inode of inodenew() in the table under its number on disk, ip->ino.
 * 0; -EEXIST: an inode of that number is in memory, so the disk's bitmap of
 * free inodes is wrong. */
int inodeenter(struct inode *ip);

/* No regular file is written and run as a program at one time.  igetwriter()
 * counts one more open file that may write, igettext() one more program that
 * runs the file: 0; -ETXTBSY: it is used the other way; -EROFS.  The put
 * functions undo that. */
int igetwriter(struct inode *ip);
void iputwriter(struct inode *ip);
int igettext(struct inode *ip);
void iputtext(struct inode *ip);

/* How many inodes of this file system on disk are in use without a name? */
int iorphans(struct super *);

/* The file was read: set its atime, if the flags of the mount say so. */
void iaccessed(struct inode *ip);

/* flush.c: what is dirty, and what writes it. */

#define IDIRTY_FIELDS 1 /* mode, times, size ...: writeinode's */
#define IDIRTY_PAGES  2

void flushinit(void);

/* Note that ip has changed (IDIRTY_*), and keep it in memory until the change
 * is written.  Does nothing for a file system without writeinode.  Never
 * sleeps; the caller may hold spinlocks of lower ranks than RANK_INODE. */
void idirty(struct inode *ip, uint what);

/* ip has no name left, and its last user lets it go: forget what is dirty
 * instead of writing it.  May sleep. */
void iclean(struct inode *ip);

/* Write pages and fields of one file, and wait for the pages: 0 or the first
 * error. */
int iwrite(struct inode *ip);

/* fsync(2), or with data fdatasync(2): 0 or -errno.  Each open file is told
 * each error of a write once.  Nothing to do for files in memory. */
int syncfile(struct file *f, int data);

/* Write all that is dirty of one file system; wait: until it is on the disk. */
int syncsuper(struct super *, int wait);
void superfailed(struct pcache *, int err); /* see struct pcacheops */
void syncall(int wait); /* of all of them; errors are printed */

/* Let the flusher write what is dirty in s from now on; or no longer, and wait
 * until nobody writes it. */
void flushadd(struct super *s);
void flushdel(struct super *s);

/* mount.c */

/* Make the caches and the empty root; register the types that are in memory. */
void vfsinit(void);

/* Make a type known to mount(2), behind those that are known already.  Only at
 * boot, before other CPUs run, so no lock guards the list of types. */
void fsregister(struct fstype *);
void ext2init(void);   /* each registers its own type */
void procfsinit(void);
void sysfsinit(void);

/* A super of the type with one reference and without a root; or 0. */
struct super *supernew(const struct fstype *, const char *source,
	const struct superops *, uint magic);

/* Make ip, whose reference passes on, the root of s: 0.  If ip is 0 or memory
 * runs out, ip and s are dropped: -ENOMEM. */
int superroot(struct super *s, struct inode *ip);

/* Copy the next of the options, which commas separate, to buf (n bytes) and
 * move *data behind it: 1; 0: there is none; -EINVAL: it does not fit. */
int nextoption(const char **data, char *buf, uint n);

/* Mount a new file system of the type ("tmpfs", "ramfs", "proc", "devtmpfs",
 * "devpts", "ext2") on the directory at path, with the options data.  0 or
 * -errno. */
int domount(const char *source, const char *path, const char *type, uint flags,
	const char *data);

/* umount2(2) of the mount whose root is at path: 0 or -errno.  What is in use
 * stays (-EBUSY), also with MNT_FORCE; with MNT_DETACH it leaves the paths at
 * once, and is unmounted when it is no longer in use. */
int doumount(const char *path, uint flags);

/* Make a file system on disk the root in place of the one that the boot
 * filled, and the root and current directory of the running process, the only
 * one so far. types: which to try, in this order; "": any that is for disks.
 * 0, or the -errno of the last try. */
int mountroot(const char *source, const char *types, uint flags,
	const char *data);

/* For fstype.mount: store in *bd the block device that source names, unless
 * another mount has it.  0; -ENOTBLK, -ENXIO, -EBUSY, or an error of the walk.
 * Before the first program runs, /dev/NAME means the disk of that name. */
struct blkdev;
int mountdev(const char *source, struct blkdev **);

/* Unmount file systems that were detached and are no longer in use.  To be
 * called where a dentry that was held for long (by an open file, as a current
 * directory) is given up, if ndetached is not 0.  May sleep; no spinlock held.
 */
void reapmounts(void);
extern volatile int ndetached;

/* The i-th type of file system in the order of registration, or 0. */
const struct fstype *fstypeat(int i);

/* The machine stops: write everything, and make each mount read-only that can
 * be. */
void umountall(void);

/* vfs.c: walking a path. */

/* Walk a path, a string of the kernel, as xv6's namei() does: from the dentry
 * at (0: the current directory), or from the root if the path is absolute.
 * Unlike namei() it follows symbolic links, crosses mounts and checks
 * permissions, and what it finds is a dentry: referenced in *out.  0 or
 * -errno.  flags: WALK_*. May sleep; no spinlock held. */
#define WALK_NOFOLLOW 1 /* do not follow a link in the last place */
#define WALK_PARENT   2 /* stop at the parent; last component in *last, which
                         * points into path (may be ".", ".." or have
                         * trailing slashes) */
#define WALK_DIR      4 /* must be a directory */
int walk(struct dentry *at, const char *path, int flags, struct dentry **out,
	const char **last);

/* Find one name in dir, in the dcache or by asking the file system, and store
 * its dentry, referenced, in *dp: 0 or -errno (-ENOENT).  hash: namehash() of
 * the name. May sleep; no spinlock held. */
int dlookup(struct dentry *dir, const char *name, uint len, uint hash,
	struct dentry **dp);

/* names.c: open, and what changes names.  Paths are the kernel's, from at as
 * in walk; all check the running process's permission; 0 or -errno. */

/* open(2) of a path: the open file, or 0 with *err. */
struct file *openpath(struct dentry *at, const char *path, uint flags,
	uint mode, int *err);

/* Open the file that d names; flags without O_CREAT.  The open file, or 0 with
 * *err. */
struct file *opendentry(struct dentry *d, uint flags, int *err);

/* mkdir and mknod: the type is mode's S_IFMT; umask is applied. */
int fsmake(struct dentry *at, const char *path, uint mode, uint rdev);
int fssymlink(const char *target, struct dentry *at, const char *path);
int fslink(struct dentry *old, struct dentry *at, const char *path);
int fsunlink(struct dentry *at, const char *path, int isdir);
int fsrename(struct dentry *oldat, const char *oldpath, struct dentry *newat,
	const char *newpath, uint flags);

/* Kernel-made names (cpio, devfs): 0 or -errno.  Existing ones are replaced,
 * directories kept. */
int mkpath(const char *path, uint mode, uint rdev, uint uid, uint gid,
	int64_t mtime, struct dentry **out);
int symlinkpath(const char *target, const char *path);
/* One more name for a file; an existing one is replaced. */
int linkpath(struct dentry *old, const char *path);

/* Subtract 1 from a count unless that would make it 0: was it done? */
int decunlesslast(volatile int *ref);

struct dentry *dget(struct dentry *); /* one more reference */

/* Drop a reference; the last frees the dentry and what it refers to.  May
 * sleep; no spinlock held.  0 does nothing. */
void dput(struct dentry *);

/* dcache.c, for vfs.c and file systems. */

/* A new dentry of that name (len bytes) in parent (0: a root, which is its own
 * parent): with one reference, in no list, without an inode.  0: no memory. */
struct dentry *dentrynew(struct dentry *parent, const char *name, uint len);

/* dattach() makes d one of its parent's children, hashes it, and pins it with
 * a reference of its own, so the name exists until ddetach() takes it out,
 * marks it unlinked and drops that reference.  The caller keeps its own.  Both
 * are called with nameslock held. */
void dattach(struct dentry *d);
void ddetach(struct dentry *d);

/* For file systems on disk.  dname() makes d, which is not hashed, a name of
 * ip (whose reference passes to d), or with 0 the memory that there is no such
 * name; the cache keeps it.  dgone(): the name was unlinked; d, and what the
 * cache has below d, is no longer found.  Both are called with the directory's
 * lock held. */
void dname(struct dentry *d, struct inode *ip);
void dgone(struct dentry *d);

/* Give the pinned dentry d the parent and name of at, which is detached if it
 * was pinned too.  Called with nameslock held. */
void dmove(struct dentry *d, struct dentry *at);

/* Exchange the places of two pinned dentries.  Called with nameslock held. */
void dswap(struct dentry *a, struct dentry *b);

void dcacheinit(void);
uint namehash(const char *name, uint len);
#define HASHSTEP(h, c) ((h) * 31 + (uint8_t)(c))

/* Find a name in the dcache: its dentry, without a reference, or 0.  Called
 * with nameslock held. */
struct dentry *dfind(struct dentry *parent, const char *name, uint len,
	uint hash);
void dhash(struct dentry *d);   /* let dfind() find d; nameslock held */
void dunhash(struct dentry *d); /* no longer; nameslock held */

/* Copy a path from user memory; the caller gives it to putpath() and does not
 * change it.  0 with *err: -EFAULT, -ENAMETOOLONG, -ENOMEM.  putpath() also
 * frees a page of kalloc(), and does nothing with 0. */
char *getpath(uint uva, int *err);
void putpath(char *);

/* May the running process do this (R_OK, W_OK, X_OK) to the inode?  0, -EACCES
 * or -EROFS.  real: judge by the real ids, as access(2) does. */
int iaccess(struct inode *, int want, int real);

/* Is p in the group: by its gid (real) or fsgid, or one of its other groups? */
struct proc;
int ingroup(struct proc *p, uint gid, int real);

int igroup(uint gid); /* is the running process in the group? */

void inodestat(struct inode *, struct kstat *); /* the fields of any inode */

/* ramfs.c: count the pages that the file has now against the limit of its file
 * system.  Returns how many more pages the file system may have. */
uint ramfscharge(struct inode *);

/* filemap.c: operations of regular files whose pages are in a page cache.
 * Read and write return bytes or -errno, and move *off on; the offset is in
 * bytes. */
extern const struct fileops fmops;
int fmread(struct file *, struct uio *, int64_t *off);
int fmwrite(struct file *, struct uio *, int64_t *off);

/* Write at most max bytes.  Called with the inode's lock held. */
int fmwritelocked(struct file *, struct uio *, int64_t *off, uint max);
int64_t fmseek(struct file *, int64_t off, int whence);

/* Make the file size bytes long: 0 or -errno.  Called with the inode's lock
 * held. */
int fmtruncate(struct file *, uint64_t size);

/* lseek() of directories, where an offset is a cookie of readdir, and of files
 * whose end is not known: no SEEK_END. */
int64_t dirseek(struct file *, int64_t off, int whence);

/* cpio.c: unpack a newc archive of n bytes at physical address pa into the
 * root, and give its memory to the free lists on the way.  There may be
 * several archives one behind the other, with zeroes between.  0; or -errno
 * after a line that says why (truncated, corrupt, not a cpio, no space). */
int cpiounpack(uint pa, uint n);

#endif
