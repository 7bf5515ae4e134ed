/*
 * file.h - open files and descriptor tables.
 *
 * What can be done to an open file is a table of functions, one table a kind
 * (ramfs file, directory, device, pipe, /proc file).  A null entry means that
 * the kind can't: the callers in sysfile.c then return what Linux does.
 */
#ifndef KERN_FILE_H
#define KERN_FILE_H

#include "kern/lock/lock.h"
#include "kern/uio.h"

struct dentry;
struct file;
struct inode;
struct dirsink;
struct kstat;
struct pcache;
struct pollset;
struct text;
struct watch;

struct fileops {
	const char *name; /* "[eventfd]": the kind, of those without an inode of
	                   * their own (anonfile.c) */
	/* Move bytes from or to position *off, and advance it.  Bytes moved (0:
	 * end of file) or -errno; a partial result wins over an error. */
	int (*read)(struct file *, struct uio *, int64_t *off);
	int (*write)(struct file *, struct uio *, int64_t *off);
	/* readv (out 0) and writev of n pieces, for a kind in which they are one
	 * message: bytes or -errno.  Null: read or write, piece by piece. */
	int (*iov)(struct file *, const struct iovec *iov, uint n, int out);
	/* New position or -errno.  Null: -ESPIPE. */
	int64_t (*seek)(struct file *, int64_t off, int whence);
	/* Emit directory entries from f->off on: call emit until it returns
	 * non-zero (full).  Cookies are stable while entries come and go. */
	int (*readdir)(struct file *, struct dirsink *);
	int (*ioctl)(struct file *, uint cmd, uint arg); /* null: -ENOTTY */
	/* POLL* that hold now; registers waiters when ps is not 0, with at most
	 * POLLQUEUES queues, which live as long as the file.  Null: always
	 * readable and writable. */
	int (*poll)(struct file *, struct pollset *ps);
	int (*truncate)(struct file *, uint64_t size); /* inode locked */
	/* fallocate: room for [off, off + n), which a hole may be; keep: the
	 * size stays.  Inode locked.  Null: -EOPNOTSUPP. */
	int (*allocate)(struct file *, uint64_t off, uint64_t n, int keep);
	/* fsync; data: fdatasync. */
	int (*sync)(struct file *, int data);
	/* What /proc/PID/fdinfo tells of this kind; null: nothing. */
	void (*info)(struct file *, struct text *);
	/* The last reference is gone. */
	void (*release)(struct file *);
	/* A descriptor of a file of this kind was closed, and the reference that it
	 * had is dropped.  No lock held.  Null: nothing to do. */
	void (*fdclosed)(void);
};

/* How an open file is read, for mm/readahead.c.  Threads that share it may race
 * for these: they are guesses. */
struct readahead {
	uint next;     /* page behind the one read last */
	uint start, n; /* pages that were read ahead last */
	int mode;      /* RA_* */
};
enum { RA_NORMAL, RA_RANDOM, RA_SEQUENTIAL, RA_TEXT }; /* RA_TEXT: it is a program
                                                       * or a library */

enum { FILE_WRITER = 1, FILE_TEXT };

struct file {
	volatile int ref;
	uint flags;            /* O_* of open, changed by F_SETFL */
	int64_t off;           /* position; [poslock] */
	struct sleeplock poslock; /* taken by read/write/lseek when the file is
	                           * seekable and others may have it, and by
	                           * getdents */
	const struct fileops *ops;
	struct dentry *dentry; /* name it was opened by, referenced; 0: pipes */
	struct inode *inode;   /* dentry's, or a pipe's own; 0 for none */
	struct readahead ra;   /* of a regular file */
	void *priv;            /* the kind's own */
	uint wberr;            /* for pcacheerror() */
	uint supererr;         /* inode->super->nerr, as syncfs knows it */
	uint8_t counted;       /* FILE_WRITER by igetwriter(), FILE_TEXT by
	                        * igettext() */
	struct watch *watches; /* epolls that watch it [epoll.c's watchlock] */
};

/* Directory entries go to a sink; 1: it is full, stop before this entry.
 * next is the cookie that continues behind this entry.  emit may be called with
 * a spinlock held: it does not sleep or touch user memory. */
struct dirsink {
	int (*emit)(struct dirsink *, const char *name, uint len, uint64_t ino,
		int type, uint64_t next);
};

/* file.c */
void fileinit(void);
struct file *filealloc(void);  /* one reference, zero otherwise; or 0 */
struct file *filedup(struct file *);
void fileclose(struct file *); /* drop a reference; may sleep */

/* The pages behind a regular file; 0: it is none.  filepages: of a block device
 * too. */
struct pcache *filepcache(struct file *);
struct pcache *filepages(struct file *);

/* Bytes [off, off + n) become a hole, of a file in memory: 0 or -EOPNOTSUPP. */
int filepunch(struct file *, uint64_t off, uint64_t n);

/* It is written to by way of a mapping: mtime and ctime are now.  May sleep. */
void filemodified(struct file *);

/* Is the file the running process's own, or may it at least write to it? */
int filemine(struct file *);

/* Make the file so many bytes long, or, with grow, at least so many.  It has
 * ops->truncate.  0 or -errno. */
int filetruncate(struct file *, uint64_t size, int grow);

/* Read from a file into kernel memory without moving its position (exec). */
int fileread(struct file *, void *dst, uint n, uint64_t off);

/* The running process's descriptors.  fdget: a new reference, or 0 (the caller
 * returns -EBADF).  fdgetio: 0, too, if it was opened with O_PATH.  fdalloc installs f (taking over the reference) at the lowest
 * free descriptor >= min: it, or -EMFILE with f untouched. */
struct file *fdget(uint fd);
struct file *fdgetio(uint fd);
int fdalloc(struct file *f, int min, int cloexec);
int fdclose(uint fd);          /* 0 or -EBADF */

/* fdalloc(0) reserves a descriptor that is still closed for all others; it becomes
 * that of f, whose reference is taken, or (f 0) is given back. */
void fdinstall(int fd, struct file *f);

/* Descriptors for two new files, whose references are taken, with their numbers
 * at uva: 0; or -errno and they are closed. */
int fdpair(struct file *f[2], int cloexec, uint uva);

/* dup2: put f at fd, which takes over the reference; what was there is closed.
 * fd, or -EBADF (beyond the limit), -EMFILE, -EBUSY (reserved) with f
 * untouched. */
int fdset(struct file *f, uint fd, int cloexec);

/* Set (1) or clear (0) close-on-exec, or (-1) ask: the old bit or -EBADF. */
int fdcloexec(uint fd, int set);

struct files *filesnew(void);               /* empty, one reference; or 0 */
struct files *filescopy(struct files *);    /* fork; or 0 */
void filesput(struct files *);              /* drop; the last closes all */
void filescloexec(struct files *);          /* exec closes what is marked */

/* Path of a file for /proc and getcwd: its length or -errno.  Ends in
 * " (deleted)" when the name is gone. */
int dentrypath(struct dentry *, char *buf, uint n);

/* pipe.c: both ends; flags O_NONBLOCK.  0 or -errno. */
int pipenew(struct file **r, struct file **w, uint flags);
void pipeinit(void); /* called once at boot */

/* open() of a named pipe: sets f->ops and f->priv by f->flags; may wait for the
 * other side.  0 or -errno, with f as it was. */
int fifoopen(struct inode *, struct file *f);

/* For splice.c; f is an end of a pipe, the right one.  pipetake: copy up to n of
 * its next bytes, waiting for the first one if block; until pipegive, which says
 * how many of them are to go, nobody else reads.  Bytes, or 0 or -errno, and
 * nothing is taken: no writer is left, -EAGAIN, -ERESTARTSYS.  pipeoffer: write
 * what there is room for, waiting for that if block: bytes, or -EPIPE (and
 * SIGPIPE), -EAGAIN, -ERESTARTSYS, -ENOMEM. */
int ispipe(struct file *f);
int pipetake(struct file *f, char *buf, uint n, int block);
void pipegive(struct file *f, uint n);
int pipeoffer(struct file *f, char *buf, uint n, int block);

/* F_GETPIPE_SZ and F_SETPIPE_SZ: the capacity in bytes, or -errno (-EBADF: f is
 * no pipe). */
int pipegetsize(struct file *f);
int pipesetsize(struct file *f, uint bytes);

/* ramfs.c: a regular file of tmpfs that has no name but this one, for /proc, open
 * to read and write; or 0.  Permissions are mode's. */
struct file *shmfile(const char *name, uint mode);

/* anonfile.c: files that are neither in a file system nor pipes. */
void anoninit(void); /* at boot, after inodeinit() */

/* A new descriptor, with O_CLOEXEC of flags, for a new file of the kind ops,
 * with the other flags and priv.  When it fails, with -errno, ops->release() has
 * not been called. */
int fdanon(const struct fileops *ops, void *priv, uint flags);

/* The file of a descriptor, referenced, if it is of the kind ops; or 0 and *err
 * is -EBADF or -EINVAL. */
struct file *fdgetkind(uint fd, const struct fileops *ops, int *err);

/* epoll.c: the last reference of f is gone: no epoll watches it any more. */
void epollinit(void); /* at boot */
void epollforget(struct file *f);

/* poll.c: who looks at files is such a set: it is told of each queue that is
 * woken when some of the POLL* events may have come. */
#define POLLQUEUES 3
struct pollset {
	void (*add)(struct pollset *, struct waitq *q, uint events);
};

/* A file's poll() calls this for each queue that will be woken when its answer
 * may change, or that part of it; before it looks.  ps may be 0. */
void pollwaitfor(struct pollset *ps, struct waitq *q, uint events);
static inline void
pollwait(struct pollset *ps, struct waitq *q)
{
	pollwaitfor(ps, q, ~0u);
}

#endif
