/* flock.h - locks on files: byte ranges of fcntl, whole files of flock. */
#ifndef KERN_FLOCK_H
#define KERN_FLOCK_H

#include "kern/types.h"

struct file;
struct inode;

struct filelock {
	struct filelock *next;
	void *owner;         /* a descriptor table (fcntl) or a file (flock) */
	int whole;           /* flock's: those ignore fcntl's and the reverse */
	int type;            /* F_RDLCK, F_WRLCK; F_UNLCK to unlock */
	int pid;
	uint64_t start, end; /* first and last byte */
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

#endif
