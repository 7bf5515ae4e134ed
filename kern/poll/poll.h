/* poll.h - what poll.c and epoll.c share: the time and the mask of a wait.  The
 * interface to open files is in file.h. */
#ifndef KERN_POLL_H
#define KERN_POLL_H

#include "kern/file.h"

#define NOWAIT 0 /* a deadline that has always passed */

/* The deadline so many ns ahead; NOWAIT for 0. */
int64_t polldeadline(int64_t ns);

/* A timespec (wide: of 64 bits) of the user, 0 for none, as a deadline.  0,
 * -EFAULT or -EINVAL. */
int polltimein(uint uts, int wide, int64_t *deadline);

/* Until the call is over, block the signals of the user's set instead (0: leave
 * it).  0, -EINVAL or -EFAULT. */
int pollmaskin(uint umask, uint size);

#endif
