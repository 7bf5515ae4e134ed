/* futex.h - wake who waits for a word of memory. */
#ifndef KERN_FUTEX_H
#define KERN_FUTEX_H

#include "kern/types.h"

struct proc;

/* Boot, before the first process. */
void futexinit(void);

/* FUTEX_WAKE on the running thread's address uva, as processes that share it see
 * it: how many of at most n were woken, or -errno. */
int futexwake(uint uva, int n);

/* robust.c: the running thread p leaves its memory, by exit or exec: the locks
 * on its robust list go to who waits for them, marked FUTEX_OWNER_DIED; the
 * word of set_tid_address becomes 0, and one who waits for that wakes.  Touches
 * p's memory, so that is still there. */
void futexexit(struct proc *p);

#endif
