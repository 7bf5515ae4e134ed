/*
 * inode.h - files, names and file systems in memory.
 *
 * An inode is a file; a dentry is a name for it in a directory.  Dentries form
 * a tree from the root, each child holding its parent; a path walk follows
 * dentries (dcache first, then the directory's lookup).  In ramfs the dentries
 * are the directory: they are pinned while the name exists.  A dentry without
 * an inode is a remembered absence ("negative").
 */
#ifndef KERN_FS_INODE_H
#define KERN_FS_INODE_H

#include "kern/abi/stat.h"
#include "kern/file.h"
#include "kern/lock.h"
#include "kern/list.h"

struct inode;
struct super;

struct filelock; /* kern/flock.h */

/* Operations of directories, but for those marked.  lookup is called with the
 * directory's lock held; the others that take a directory with the lock of its
 * super held, so that one file system's names change one at a time.  Those that
 * make a name are given an unhashed d without an inode and set d->inode (a
 * reference); file systems in memory pin it with dattach.  A null lookup: all
 * names are in the dcache; the other nulls: -EPERM. */
struct inodeops {
	int (*lookup)(struct inode *dir, struct dentry *d); /* fills d->inode, or
	                                 * leaves it 0: no such name */
	int (*create)(struct inode *dir, struct dentry *d, uint mode, uint rdev);
	                                /* any type by S_IFMT of mode */
	int (*symlink)(struct inode *dir, struct dentry *d, const char *target);
	int (*link)(struct inode *dir, struct dentry *d, struct inode *old);
	int (*unlink)(struct inode *dir, struct dentry *d); /* also rmdir */
	/* old takes the place of new, which may hold an inode: that loses a
	 * link.  Types, loops and permission have been checked. */
	int (*rename)(struct inode *olddir, struct dentry *old,
		struct inode *newdir, struct dentry *new);
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
	struct pcache *pages; /* of regular files and long links */
	const struct inodeops *ops;
	const struct fileops *fops; /* what open() puts in f->ops */
	struct sleeplock lock;      /* directories: lookups; files: held by who
	                             * writes or sets the size.  No fault
	                             * takes it */
	void *priv;                 /* the file system's own */
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
	uint dev;            /* st_dev */
	uint64_t nextino;
	uint magic;          /* statfs f_type */
	struct dentry *root;
	struct list link;    /* mounts [names lock] */
	char source[32];
	void (*drop)(struct inode *); /* last reference gone: free priv; inode.c
	                               * frees pages and the inode.  Null: none */
	uint (*linksize)(struct inode *); /* st_size of a link; null: 0 */
	void *priv;
	uint flags;            /* MS_RDONLY */
	uint maxpages, npages; /* ramfs: of all files, limit and use [lock of
	                        * uses, ramfs.c] */
	uint maxnames, nnames; /* likewise [lock] */
	struct sleeplock lock; /* held to change names; domount makes it */
};

#define MS_RDONLY  1
#define MS_REMOUNT 0x20
#define MS_BIND    0x1000
#define MS_MOVE    0x2000

extern struct list mounts;
extern struct spinlock nameslock; /* the tree of dentries and its hash table */
extern struct dentry *rootdentry;

/* The i-th mount: a copy of its super, whose root is not referenced, and the
 * length of its path, in buf.  -ENOENT: there are fewer; -ERANGE. */
int mountpath(int i, struct super *copy, char *buf, uint n);

/* inode.c */
void inodeinit(void);
struct inode *inodenew(struct super *, uint mode); /* one ref, or 0 */
struct inode *iget(struct inode *);
void superput(struct super *); /* drop a reference; the last frees it */
void iput(struct inode *); /* the last reference of an inode without links
                            * frees its pages; may sleep */

/* vfs.c */
void vfsinit(void);        /* mount the root */

/* Mount a new file system of the type ("tmpfs", "ramfs", "proc",
 * "devtmpfs", "devpts") on the directory at path.  0 or -errno. */
int domount(const char *source, const char *path, const char *type, uint flags);
int doumount(const char *path, uint flags);

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

/* Give pinned d the parent and name of the unhashed or pinned dentry at, which
 * is detached if it was pinned.  nameslock held. */
void dmove(struct dentry *d, struct dentry *at);

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

int igroup(uint gid); /* is the running process in the group? */

void inodestat(struct inode *, struct kstat *); /* the fields of any inode */

/* ramfs.c, devfs.c, devpts.c, procfs.c: each file system's mount function: a new super
 * with its root, or 0. */
struct super *ramfsmount(const char *type, const char *source);
uint ramfscharge(struct inode *); /* count the pages that the file has now: how
                                   * many more there may be in all */
struct super *devfsmount(const char *source);
struct super *devptsmount(const char *source);
struct super *procfsmount(const char *source);

/* cpio.c: unpack a newc archive of n bytes at physical address pa into the root,
 * giving its memory to the free lists on the way.  Accepts several archives one
 * behind the other, zero padding between.  0; or -errno with the cause printed
 * by name (truncated, corrupt, not a cpio, no space). */
int cpiounpack(uint pa, uint n);

#endif
