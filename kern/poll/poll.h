/* poll.h - what poll.c and epoll.c share: the time and the mask of a wait.  The
 * interface to open files is in kern/file.h. */
#ifndef KERN_POLL_H
#define KERN_POLL_H

#include "kern/file.h"

#define NOWAIT 0 /* a deadline that has always passed */

/* The deadline that is ns from now, as a time of nowns(); NOWAIT if ns is 0. */
int64_t polldeadline(int64_t ns);

/* Set *deadline, a time of nowns() or NOWAIT, to what the timespec at the user
 * address uts asks for (a timespec64 if wide is set), or to NEVER if uts is 0.
 * 0, -EFAULT or -EINVAL. */
int polltimein(uint uts, int wide, int64_t *deadline);

/* Until the system call is over, let the running thread block the signals of
 * the set at the user address umask, of size bytes, instead of its own mask; if
 * umask is 0, change nothing.  0, -EINVAL if the size is wrong, or -EFAULT. */
int pollmaskin(uint umask, uint size);

#endif
