/*
 * procfs.h - shared by the files of /proc: procfs.c (the tree), procpid.c (the
 * files of a process) and procsys.c (those of the machine).
 *
 * A file of /proc is an entry of a table: a function that writes its text.
 */
#ifndef KERN_FS_PROCFS_H
#define KERN_FS_PROCFS_H

#include "kern/types.h"

struct dentry;

/* Text that grows as it is written; err is sticky. */
struct text {
	char *s;       /* kmalloc'd, or 0 while empty */
	uint n, cap;   /* bytes written, bytes of s */
	int err;       /* 0, or the first -errno; later output is dropped */
	int thread;    /* of /proc/PID/task/TID: about that thread alone */
};

#define TEXTMAX (256 << 10) /* no file of /proc is longer */

enum { /* struct procent flags */
	PROC_INSPECT = 1, /* only for who may look into the process */
	PROC_FDS = 2,     /* a directory of descriptors */
	PROC_TASKS = 4,   /* a directory of threads */
};

struct procent {
	const char *name;
	uint mode;   /* S_IFMT | permissions */
	uint flags;
	int (*show)(struct text *, int pid);    /* files: 0 or -errno */
	int (*store)(int pid, const char *s, uint n); /* writes: 0 or -errno; or
	                            * 0 */
	int (*link)(int pid, int fd, struct dentry **, char *buf, uint n);
	                            /* links, see proclink in procpid.c */
	const struct procent *sub;  /* directories: entries, up to a null name */
};

extern const struct procent procsysents[]; /* of /proc itself */
extern const struct procent procpidents[]; /* of /proc/PID; the first is task,
                                            * which task/PID does without */
extern const struct procent procfdent;     /* any of /proc/PID/fd */

/* procfs.c: append to the text.  textroom: n bytes to fill, or 0 (and err). */
void putf(struct text *, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
char *textroom(struct text *, uint n);

/* procpid.c: may the running process look into the process?  0, -EACCES, or
 * -ESRCH when it has gone. */
int procinspect(int pid);

/* The lowest open descriptor >= fd of the process, or -1.  *mode, when not 0,
 * gets the permissions of its link. */
int procnextfd(int pid, int fd, uint *mode);

/* Owner of the process's files: 0 with the ids in place, or -ESRCH. */
int procowner(int pid, uint *uid, uint *gid);

/* The lowest pid >= pid that has a directory, or -1; the same of the threads of a
 * process. */
int procnextpid(int pid);
int procnexttask(int pid, int tid);

/* procsys.c: one line for each mounted file system. */
int showmounts(struct text *, int pid);

#endif
