/*
 * procfs.h - shared by the files of /proc and /sys: procfs.c is the tree, the
 * others have its entries.
 *
 * A file of /proc is an entry of a table: a function that writes its text.
 */
#ifndef KERN_FS_PROCFS_H
#define KERN_FS_PROCFS_H

#include "kern/abi/stat.h"
#include "kern/lib/text.h"

struct dentry;
struct file;
struct proc;
struct uio;
struct uvm;

enum { /* struct procent flags */
	PROC_INSPECT = 1, /* only for who may look into the process */
	PROC_FDS = 2,     /* a directory of descriptors */
	PROC_TASKS = 4,   /* a directory of threads */
	PROC_FDINFO = 8,  /* with PROC_FDS: of files that tell about them */
	PROC_CONST = 16,  /* not even the superuser opens it to write */
};

#define PROCNAME 24 /* bytes of a name in /sys */

struct procent {
	const char *name;
	uint mode;   /* S_IFMT | permissions */
	uint flags;
	/* Files: write the text.  0 or -errno. */
	int (*show)(struct text *, int pid);
	/* Writes to it, of at most 127 bytes and a NUL: 0 or -errno; or 0. */
	int (*store)(const struct procent *, int pid, const char *s, uint n);
	/* Or: any piece on its own.  Bytes moved, or -errno. */
	int (*read)(int pid, struct uio *, int64_t off);
	int (*write)(int pid, struct uio *, int64_t off); /* or 0 */
	/* Links, see linkexe in procfd.c. */
	int (*link)(int pid, int fd, struct dentry **, char *buf, uint n);
	const struct procent *sub; /* directories: entries, up to a null name */
	/* Directories of /sys: the lowest id >= from of what has a directory
	 * here, its name in name; or 0. */
	int (*next)(int of, int from, char name[PROCNAME]);
	const struct procent *each; /* that directory */
	const void *arg;           /* show's and store's own */
};

/* Entries of tables. */
#define PROCFILE(n, fn) {.name = n, .mode = S_IFREG | 0444, .show = fn}
#define PROCROOT(n, fn) {.name = n, .mode = S_IFREG | 0400, .show = fn}
#define PROCDIR(n, e)   {.name = n, .mode = S_IFDIR | 0555, .sub = e}
#define PROCLINK(n, fn) {.name = n, .mode = S_IFLNK | 0777, .link = fn}

extern const struct procent procsysents[]; /* of /proc itself */
extern const struct procent procpidents[]; /* of /proc/PID; the first is task,
                                            * which task/PID does without */
extern const struct procent procfdent;     /* any of /proc/PID/fd */
extern const struct procent procfdinfoent; /* of /proc/PID/fdinfo */
extern const struct procent procctlents[]; /* of /proc/sys */
extern const struct procent sysfsents[];   /* of /sys */

/* procpid.c: may the running process look into the process?  0, -EACCES, or
 * -ESRCH when it has gone. */
int procinspect(int pid);

/* The process's memory, referenced; or 0: it has none (any more). */
struct uvm *procuvm(int pid);

/* Owner of the process's files: 0 with the ids in place, or -ESRCH. */
int procowner(int pid, uint *uid, uint *gid);

/* The lowest pid >= pid that has a directory, or -1; the same of the threads of a
 * process. */
int procnextpid(int pid);
int procnexttask(int pid, int tid);

/* procfd.c: the lowest open descriptor >= fd of the process, or -1.  *mode, when
 * not 0, gets the permissions of its link. */
int procnextfd(int pid, int fd, uint *mode);

/* The links of a process, and what is told about a descriptor. */
int linkexe(int pid, int fd, struct dentry **out, char *buf, uint n);
int linkcwd(int pid, int fd, struct dentry **out, char *buf, uint n);
int linkroot(int pid, int fd, struct dentry **out, char *buf, uint n);

/* procmaps.c: the files about a process's memory. */
int showmaps(struct text *, int pid);
int showsmaps(struct text *, int pid);
int showrollup(struct text *, int pid);
int readpagemap(int pid, struct uio *, int64_t off);
int readmem(int pid, struct uio *, int64_t off);
int writemem(int pid, struct uio *, int64_t off);

/* procmount.c: one line for each mounted file system. */
int showmounts(struct text *, int pid);
int showmountinfo(struct text *, int pid);
int showmountstats(struct text *, int pid);
int showfilesystems(struct text *, int pid);

/* procdisk.c: the files about disks. */
int showpartitions(struct text *, int pid);
int showdiskstats(struct text *, int pid);
void putmajors(struct text *); /* for /proc/devices */
int sysnextdisk(int of, int from, char name[PROCNAME]);
extern const struct procent sysdiskdir, sysdevents[], sysclassents[];

/* procnet.c: of /proc/net. */
extern const struct procent procnetents[];

/* procvm.c: the files about the machine's memory. */
int showmeminfo(struct text *, int pid);
int showvmstat(struct text *, int pid);
int showbuddyinfo(struct text *, int pid);
int showzoneinfo(struct text *, int pid);
int showslabinfo(struct text *, int pid);
int showvmcheck(struct text *, int pid);

/* procctl.c: the decimal number that s is, with white space around: 0 or
 * -EINVAL. */
int procnumber(const char *s, int *n);

/* procsys.c: the bits of a mask as a list: 0-3,5 */
void putlist(struct text *, uint mask);

#endif
