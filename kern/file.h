/*
 * file.h - open files and descriptor tables.
 *
 * What can be done to an open file is a table of functions, one table for each
 * kind (file of ramfs, directory, device, pipe, file of /proc).  A null entry
 * means that the kind cannot do this: the callers in kern/sys then return what
 * Linux does.
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
	/* readv (out 0) and writev of n pieces, for a kind in which they are
	 * one message: bytes or -errno.  Null: read or write, piece by
	 * piece. */
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
	/* A descriptor of a file of this kind was closed, and the reference
	 * that it had is dropped.  No lock held.  Null: nothing to do. */
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

enum { FILE_WRITER = 1, FILE_TEXT }; /* file.counted */

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

void fileinit(void); /* called once at boot */

/* A new open file with one reference and all else 0; or 0 when there is no
 * memory. */
struct file *filealloc(void);

/* One reference more to a file that has one: the file. */
struct file *filedup(struct file *);

/* Drop a reference.  The last one closes the file: no spinlock held, it may
 * sleep. */
void fileclose(struct file *);

/* The page cache of a regular file, or 0 if it is none or was opened with
 * O_PATH. filepages() knows that of a block device, too. */
struct pcache *filepcache(struct file *);
struct pcache *filepages(struct file *);

/* Bytes [off, off + n) become a hole, of a file in memory: 0 or -EOPNOTSUPP. */
int filepunch(struct file *, uint64_t off, uint64_t n);

/* A mapping of the file was written to: its mtime and ctime become now.  May
 * sleep. */
void filemodified(struct file *);

/* Does the file belong to the user of the running process, or may it at least
 * write to it?  1 or 0. */
int filemine(struct file *);

/* Make a file that has ops->truncate size bytes long or, with grow set, at
 * least that long.  Takes the inode's lock.  0 or -errno. */
int filetruncate(struct file *, uint64_t size, int grow);

/* Read n bytes at off into kernel memory at dst, without moving the position
 * of the file: bytes read, fewer at its end, or -errno.  May sleep. */
int fileread(struct file *, void *dst, uint n, uint64_t off);

/* The file of a descriptor of the running process, with a new reference; or 0,
 * and the caller returns -EBADF.  fdgetio() returns 0, too, for a file that
 * was opened with O_PATH. */
struct file *fdget(uint fd);
struct file *fdgetio(uint fd);

/* Install f at the lowest free descriptor >= min.  Returns the descriptor,
 * which takes over the caller's reference; or -EMFILE, and f is untouched.
 * With f 0 the descriptor is reserved: to all others it is closed, until
 * fdinstall(). */
int fdalloc(struct file *f, int min, int cloexec);

/* close(2): 0 or -EBADF. */
int fdclose(uint fd);

/* A descriptor that fdalloc(0) reserved becomes that of f, whose reference it
 * takes over, or with f 0 is free again. */
void fdinstall(int fd, struct file *f);

/* Install two new files, whose references are taken over, and copy their
 * descriptors out to uva: 0; or -errno, and the files are closed. */
int fdpair(struct file *f[2], int cloexec, uint uva);

/* dup2(2): put f at fd, which takes over the caller's reference, and close
 * what was there.  Returns fd; or -EBADF (beyond the limit), -EMFILE, -EBUSY
 * (reserved), and f is untouched. */
int fdset(struct file *f, uint fd, int cloexec);

/* Set (set 1) or clear (0) close-on-exec of fd, or only ask (-1): the old bit,
 * or -EBADF. */
int fdcloexec(uint fd, int set);

/* A descriptor table with one reference, empty or a copy of another's; or 0. */
struct files *filesnew(void);
struct files *filescopy(struct files *);

/* Drop a reference to a table; the last one closes all of its files. */
void filesput(struct files *);

/* exec closes the descriptors that are marked close-on-exec. */
void filescloexec(struct files *);

/* Write the path of a file to buf, which has n bytes: its length, or -errno.
 * The path ends in " (deleted)" when the name is gone. */
int dentrypath(struct dentry *, char *buf, uint n);

/* A new pipe: its reading end in *r, its writing end in *w, both with flags
 * (O_NONBLOCK or 0).  0 or -ENOMEM. */
int pipenew(struct file **r, struct file **w, uint flags);
void pipeinit(void); /* called once at boot */

/* open(2) of the named pipe i, or by /proc/PID/fd of any pipe: f becomes its
 * reading end, its writing end or both, by f->flags.  That of a named pipe
 * waits for the other side, unless O_NONBLOCK is set.  0; or -ENXIO (a writer
 * that may not wait), -ENOMEM, -ERESTARTSYS, with f as it was. */
int fifoopen(struct inode *, struct file *f);

/* For splice.c; f is the end of a pipe that the operation needs.  pipetake()
 * copies up to n of the next bytes to buf and returns how many; with block set
 * it waits for the first one.  Until pipegive(), which says how many of these
 * bytes leave the pipe, nobody else reads.  It returns 0 (no writer is left),
 * -EAGAIN or -ERESTARTSYS, and no pipegive() is to follow.  pipeoffer() writes
 * as many bytes as there is room for, with block set after waiting for some:
 * bytes, or -EPIPE (and SIGPIPE), -EAGAIN, -ERESTARTSYS, -ENOMEM. */
int ispipe(struct file *f);
int pipetake(struct file *f, char *buf, uint n, int block);
void pipegive(struct file *f, uint n);
int pipeoffer(struct file *f, char *buf, uint n, int block);

/* F_GETPIPE_SZ and F_SETPIPE_SZ: the capacity in bytes, for the latter at
 * least what was asked for; or -EBADF when f is no pipe, -EINVAL, -EPERM (too
 * much), -EBUSY (the pipe holds more), -ENOMEM. */
int pipegetsize(struct file *f);
int pipesetsize(struct file *f, uint bytes);

/* ramfs.c: a new regular file of tmpfs, open to read and write, with the
 * permissions mode.  It is in no directory; name is what /proc shows.  0 when
 * there is no memory. */
struct file *shmfile(const char *name, uint mode);

/* anonfile.c: files that are neither in a file system nor pipes.  Called once
 * at boot, after vfsinit(). */
void anoninit(void);

/* Make a file of the kind ops, with priv and flags, and a descriptor for it,
 * which is close-on-exec if flags has O_CLOEXEC.  The descriptor; or -errno,
 * and then ops->release() has not been called. */
int fdanon(const struct fileops *ops, void *priv, uint flags);

/* The file of a descriptor, with a new reference, if it is of the kind ops; or
 * 0, with -EBADF or -EINVAL in *err. */
struct file *fdgetkind(uint fd, const struct fileops *ops, int *err);

/* epoll.c: called once at boot; and when the last reference to f is gone, so
 * that no epoll watches it any more. */
void epollinit(void);
void epollforget(struct file *f);

/* poll.c: whoever asks a file for its events passes such a set, whose add() is
 * told of each queue that is woken when some of the POLL* events may have
 * come. */
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
