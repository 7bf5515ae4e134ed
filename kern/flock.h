/* flock.h - locks on files: byte ranges of fcntl, whole files of flock. */
#ifndef KERN_FLOCK_H
#define KERN_FLOCK_H

#include "kern/lib/list.h"
#include "kern/types.h"

struct file;
struct inode;
struct text;

struct filelock {
	struct filelock *next;
	void *owner;         /* a descriptor table (fcntl) or a file (flock) */
	int whole;           /* flock's: those ignore fcntl's and the reverse */
	int type;            /* F_RDLCK, F_WRLCK; F_UNLCK to unlock */
	int pid;
	uint64_t start, end; /* first and last byte */
	struct inode *inode; /* whose lock it is, once it is held */
	struct list link;    /* all of them */
};

void flockinit(void);

/* Lock or unlock want's range for its owner; wait: until it can be had.
 * 0, -EAGAIN, -ENOLCK, or -ERESTARTSYS when a signal came. */
int flockset(struct inode *, const struct filelock *want, int wait);

/* The lock that is in want's way, copied to *found: 1; or 0. */
int flocktest(struct inode *, const struct filelock *want,
	struct filelock *found);

/* All locks of the owner go. */
void flockrelease(struct inode *, void *owner);

/* For /proc/locks: one line for each lock, of an inode (0: of all) and a
 * process (0: of all), begun with prefix. */
void flockshow(struct text *, const char *prefix, struct inode *, int pid);

#endif
