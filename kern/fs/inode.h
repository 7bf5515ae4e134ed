/*
 * inode.h - files, names and file systems in memory.
 *
 * An inode is a file; a dentry is a name for it in a directory.  Dentries form
 * a tree from the root, each child holding its parent; a path walk follows
 * dentries (dcache first, then the directory's lookup).  In ramfs the dentries
 * are the directory: they are pinned while the name exists.  Those of a file
 * system on disk are kept by the cache while there is room.  A dentry without an
 * inode is a remembered absence ("negative").
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
	/* The last reference of the inode is gone, its pages are gone (pages is
	 * 0) and none is on its way.  nlink 0: its blocks go, and the inode
	 * itself.  Frees priv.  May sleep, no lock held. */
	void (*drop)(struct inode *);
	/* Put its fields where sync() finds them: 0 or -errno.  data: only what
	 * is needed to find its bytes. */
	int (*writeinode)(struct inode *, int data);
	/* All its dirty inodes were written: metadata too.  wait: all is on the
	 * platter when it returns 0. */
	int (*sync)(struct super *, int wait);
	int (*statfs)(struct super *, struct kstatfs *);
	/* Change to these flags (MS_*) and options: 0 or -errno.  When it
	 * becomes read-only all has been synced.  Null: any flags will do. */
	int (*remount)(struct super *, uint flags, const char *data);
	/* No inode is left: write what is left, mark it clean, let the device
	 * go. */
	void (*umount)(struct super *);
	/* Its options as /proc/mounts has them behind ro and the like, each with
	 * a comma in front: what it took of n bytes.  nameslock held. */
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

/* Operations of directories, but for those marked.  lookup is called with the
 * directory's lock held; the others that take a directory with the lock of its
 * super held, so that one file system's names change one at a time.  Those that
 * make a name are given an unhashed d without an inode and set d->inode (a
 * reference): file systems in memory pin it with dattach; those on disk take the
 * directory's lock too and call dname, dgone and dmove with it held.  A null
 * lookup: all names are in the dcache; the other nulls: -EPERM. */
struct inodeops {
	int (*lookup)(struct inode *dir, struct dentry *d); /* fills d->inode with
	                                 * a reference, or leaves it 0: no
	                                 * such name.  The caller enters d */
	int (*create)(struct inode *dir, struct dentry *d, uint mode, uint rdev);
	                                /* any type by S_IFMT of mode */
	int (*symlink)(struct inode *dir, struct dentry *d, const char *target);
	int (*link)(struct inode *dir, struct dentry *d, struct inode *old);
	int (*unlink)(struct inode *dir, struct dentry *d); /* also rmdir */
	/* old takes the place of new, which may hold an inode: that loses a
	 * link.  Types, loops and permission have been checked. */
	int (*rename)(struct inode *olddir, struct dentry *old,
		struct inode *newdir, struct dentry *new);
	/* Each takes the other's place.  Null: -EINVAL. */
	int (*exchange)(struct inode *dir1, struct dentry *d1,
		struct inode *dir2, struct dentry *d2);
	/* A new regular file without a name, in unhashed d (a reference).
	 * Null: -EOPNOTSUPP. */
	int (*tmpfile)(struct inode *dir, struct dentry *d, uint mode);
	/* of any inode; a link's target to buf: its length or -errno */
	int (*readlink)(struct inode *, char *buf, uint n);
	/* /proc's magic links: the dentry itself, referenced, or -errno by
	 * pointer 0 and *err */
	struct dentry *(*follow)(struct inode *, int *err);
	int (*open)(struct inode *, struct file *); /* sets f->ops, f->priv */
	int (*setattr)(struct inode *); /* mode, owner, times have changed */
	/* Is a cached dentry still right? (/proc) null: always */
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
	struct list hashlink;  /* table of inodes [inolock] */
	struct list dirtylink; /* super->dirty; in it if dirty [dirtylock] */
	uint dirty;            /* IDIRTY_* [dirtylock] */
	int64_t dirtied;       /* when, nowns() [dirtylock] */
	volatile uint8_t flushing; /* a super's inodes are written, and it is
	                        * among them [dirtylock] */
	volatile uint8_t filling; /* inodeget's caller is about it [inolock] */
	struct pcache *pages; /* of regular files */
	const struct inodeops *ops;
	const struct fileops *fops; /* what open() puts in f->ops */
	struct sleeplock lock;      /* directories: lookups; files: held by who
	                             * writes or sets the size.  No fault
	                             * takes it */
	uint8_t linkable;           /* of nlink 0 (O_TMPFILE): may get a name
	                             * [super->lock] */
	volatile int writers;       /* files open for writing; below 0: programs
	                             * that run it */
	void *priv;                 /* the file system's own */
	struct pipe *pipe;          /* of a FIFO in use, or 0 [fifolock] */
	uint npages;                /* counted in super->npages [as that] */
	uint64_t cookies;           /* the last one given out [names lock] */
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
	struct list lru;            /* of those the cache keeps [names lock] */
	volatile uint8_t used;      /* found since the shrinker came by */
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
	struct list flushlink; /* all that have something to write [dirtylock] */
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
#define MS_KEPT (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_SYNCHRONOUS | \
	MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME)

#define MNT_FORCE       1
#define MNT_DETACH      2
#define MNT_EXPIRE      4
#define UMOUNT_NOFOLLOW 8

extern struct list mounts;
extern struct spinlock nameslock; /* the tree of dentries and its hash table */
extern struct dentry *rootdentry;

/* Free up to n names that the cache keeps and nobody uses: how many. */
uint dcacheshrink(uint n);

/* Drop what the cache keeps below a root, up to the first name in use. */
void dprune(struct dentry *root);

/* Drop every name below a root or a directory, leaves first. */
void treefree(struct dentry *root);

/* The i-th mount: a copy of its super, whose root is not referenced, the device
 * of the one it is mounted on (the root: its own), and the length of its path, in
 * buf, with the options of superops behind its NUL.  n counts MOUNTOPTS bytes for
 * these.  -ENOENT: there are fewer; -ERANGE. */
#define MOUNTOPTS 256
int mountpath(int i, struct super *copy, uint *parent, char *buf, uint n);

/* inode.c */
void inodeinit(void);
struct inode *inodenew(struct super *, uint mode); /* one ref, or 0 */
struct inode *iget(struct inode *);
void superput(struct super *); /* drop a reference; the last frees it */
void superwait(struct super *);
void iput(struct inode *); /* the last reference of an inode without links
                            * frees its pages; may sleep */

/* The inode of that number of a file system on disk, referenced, whole: maybe
 * after a wait for who fills it.  *isnew: nobody had it; the caller fills it in
 * (mode is 0, times are 0) and calls inodeready().  0: no memory. */
struct inode *inodeget(struct super *, uint64_t ino, int *isnew);

/* It can be used.  err < 0: it cannot, and the reference is dropped without
 * superops.drop; whoever waits tries himself.  priv is the caller's to free. */
void inodeready(struct inode *ip, int err);

/* A new inode of inodenew() has got its number, ip->ino: inodeget() finds it.
 * 0; -EEXIST: there is one of that number in memory, so the disk lies. */
int inodeenter(struct inode *ip);

/* Nobody both writes to a regular file and runs it: one more who writes, or who
 * runs it; -ETXTBSY: there are some of the other kind; -EROFS.  The put undoes
 * it. */
int igetwriter(struct inode *ip);
void iputwriter(struct inode *ip);
int igettext(struct inode *ip);
void iputtext(struct inode *ip);

/* Has the file system on disk an inode without a name that is in use? */
int iorphans(struct super *);

/* atime as the mount's flags have it: it was read.  May sleep. */
void iaccessed(struct inode *ip);

/* flush.c: what is dirty, and who writes it. */

#define IDIRTY_FIELDS 1 /* mode, times, size ...: writeinode's */
#define IDIRTY_PAGES  2

void flushinit(void);

/* ip of a file system with writeinode has changed so: it is kept in memory until
 * that is written.  Any context where no lock above dirtylock is held; file
 * systems without writeinode need none of it. */
void idirty(struct inode *ip, uint what);

/* Nothing that is dirty will be needed: ip, of nlink 0, has its last user. */
void iclean(struct inode *ip);

/* Write pages and fields of one file, and wait for the pages: 0 or the first
 * error. */
int iwrite(struct inode *ip);

/* fsync(2), or with data fdatasync(2), of an open file of a file system on disk,
 * and what O_SYNC means.  0 or -errno; each open file is told each error once. */
int syncfile(struct file *f, int data);

/* Write all that is dirty of one file system; wait: until it is on the disk. */
int syncsuper(struct super *, int wait);
void superfailed(struct pcache *, int err); /* see struct pcacheops */
void syncall(int wait); /* of all of them; errors are printed */

/* s has something to write from now on; or no longer, and nobody writes. */
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

/* Its root becomes ip, whose reference is taken over: 0; or -ENOMEM, also where ip
 * is 0, and both are dropped. */
int superroot(struct super *s, struct inode *ip);

/* Copy the next of the options, which have commas between them, to buf and move
 * *data on: 1; 0: there is none; -EINVAL: it is too long. */
int nextoption(const char **data, char *buf, uint n);

/* Mount a new file system of the type ("tmpfs", "ramfs", "proc", "devtmpfs",
 * "devpts", "ext2") on the directory at path, with the options data.  0 or -errno. */
int domount(const char *source, const char *path, const char *type, uint flags,
	const char *data);
int doumount(const char *path, uint flags);

/* Make a file system on disk the root instead of what the boot filled, with the
 * first process's directories.  types: which to try, in this order, "": any.  0
 * or -errno of the last one.  Nobody else runs yet. */
int mountroot(const char *source, const char *types, uint flags,
	const char *data);

/* For fstype.mount: the block device that source names, not used by any other
 * mount.  0; -ENOTBLK, -ENXIO, -EBUSY, or of the walk.  Before the root is
 * mounted the names are those of the disks, behind /dev/. */
struct blkdev;
int mountdev(const char *source, struct blkdev **);

/* Unmount what was detached and is in use no more.  Who gives up a dentry that he
 * had for long (a file, a current directory) looks whether there is any. */
void reapmounts(void);
extern volatile int ndetached;

/* The i-th type of file system in the order of registration, or 0. */
const struct fstype *fstypeat(int i);

/* The machine stops: all is written and, as far as it goes, unmounted. */
void umountall(void);

/* vfs.c: walking a path. */

/* Walk a path (kernel string) from at (0: the cwd; an absolute path from the
 * root).  The dentry referenced in *out: 0 or -errno.  flags: WALK_*. */
#define WALK_NOFOLLOW 1 /* do not follow a link in the last place */
#define WALK_PARENT   2 /* stop at the parent; last component in *last, which
                         * points into path (may be ".", ".." or have
                         * trailing slashes) */
#define WALK_DIR      4 /* must be a directory */
int walk(struct dentry *at, const char *path, int flags, struct dentry **out,
	const char **last);

/* The name's dentry, referenced, in *dp, from the table or the file system; or
 * -errno (-ENOENT).  No spinlock held; may sleep. */
int dlookup(struct dentry *dir, const char *name, uint len, uint hash,
	struct dentry **dp);

/* names.c: open, and what changes names.  Paths are the kernel's, from at as
 * in walk; all check the running process's permission; 0 or -errno. */

/* open(2) on a kernel path: the file or 0 with *err. */
struct file *openpath(struct dentry *at, const char *path, uint flags,
	uint mode, int *err);

/* Open d, whatever its name, with flags that do not make anything; or 0 and *err.
 */
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

/* Take one off a count unless that would make it 0: was it done? */
int decunlesslast(volatile int *ref);

struct dentry *dget(struct dentry *);
void dput(struct dentry *);

/* dcache.c, for vfs.c and file systems. */

/* A dentry of that name (len bytes) below parent (0: a root, its own parent),
 * with one reference, in no list and without an inode.  0: no memory. */
struct dentry *dentrynew(struct dentry *parent, const char *name, uint len);

/* Enter d among its parent's children and in the hash table and pin it there:
 * its name exists until ddetach, which takes it out, marks it unlinked and
 * drops the pin.  nameslock held; of the caller's reference nothing is taken.
 */
void dattach(struct dentry *d);
void ddetach(struct dentry *d);

/* For file systems on disk: unhashed d is now a name of ip (whose reference is
 * taken), or of nothing (0), hashed, and kept by the cache.  The name is
 * unlinked: d is no longer found, nor what was remembered below it.  The
 * directory's lock is held. */
void dname(struct dentry *d, struct inode *ip);
void dgone(struct dentry *d);

/* Give pinned d the parent and name of the unhashed or pinned dentry at, which
 * is detached if it was pinned.  nameslock held. */
void dmove(struct dentry *d, struct dentry *at);
void dswap(struct dentry *a, struct dentry *b); /* both pinned; the same lock */

void dcacheinit(void);
uint namehash(const char *name, uint len);
#define HASHSTEP(h, c) ((h) * 31 + (uint8_t)(c))

/* Find, nameslock held: no reference; or 0. */
struct dentry *dfind(struct dentry *parent, const char *name, uint len,
	uint hash);
void dhash(struct dentry *d);   /* nameslock held */
void dunhash(struct dentry *d); /* same */

/* A path from user memory, to be read only and given to putpath(); or 0 and *err
 * (-EFAULT, -ENAMETOOLONG, -ENOMEM).  putpath also takes a page, or 0. */
char *getpath(uint uva, int *err);
void putpath(char *);

/* May the running process do this (R_OK, W_OK, X_OK) to the inode? 0, -EACCES.
 * real: judge by the real ids (access). */
int iaccess(struct inode *, int want, int real);

/* Is gid, or for who opens a file fsgid, this group, or one of the others? */
struct proc;
int ingroup(struct proc *p, uint gid, int real);

int igroup(uint gid); /* is the running process in the group? */

void inodestat(struct inode *, struct kstat *); /* the fields of any inode */

uint ramfscharge(struct inode *); /* ramfs.c: count the pages that the file has
                                   * now: how many more there may be in all */

/* filemap.c: operations of regular files that live in a pcache.  fmwritelocked:
 * with the inode locked, and n bytes that may be fewer than u->n. */
extern const struct fileops fmops;
int fmread(struct file *, struct uio *, int64_t *off);
int fmwrite(struct file *, struct uio *, int64_t *off);
int fmwritelocked(struct file *, struct uio *, int64_t *off, uint max);
int64_t fmseek(struct file *, int64_t off, int whence);
int fmtruncate(struct file *, uint64_t size);
/* To a cookie of readdir, or where a file has no end. */
int64_t dirseek(struct file *, int64_t off, int whence);

/* cpio.c: unpack a newc archive of n bytes at physical address pa into the root,
 * giving its memory to the free lists on the way.  Accepts several archives one
 * behind the other, zero padding between.  0; or -errno with the cause printed
 * by name (truncated, corrupt, not a cpio, no space). */
int cpiounpack(uint pa, uint n);

#endif
