/* futex.h - wake who waits for a word of memory. */
#ifndef KERN_FUTEX_H
#define KERN_FUTEX_H

#include "kern/types.h"

/* FUTEX_WAKE on the running process's address uva, as other processes that
 * share it see it: how many of at most n were woken, or -errno.  exit does it
 * for set_tid_address. */
int futexwake(uint uva, int n);

#endif
