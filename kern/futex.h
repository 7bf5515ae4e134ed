/* futex.h - wake threads that wait for a word of user memory. */
#ifndef KERN_FUTEX_H
#define KERN_FUTEX_H

#include "kern/types.h"

struct proc;

/* Prepare the hash table of waiters.  Called once at boot, before the first
 * process runs. */
void futexinit(void);

/* Do a FUTEX_WAKE without FUTEX_PRIVATE_FLAG on the running thread's user
 * address uva: wake at most n threads, of any process that shares the word.
 * Returns how many were woken, or -EINVAL, -EFAULT.  Called with no spinlock
 * held. */
int futexwake(uint uva, int n);

/* robust.c: the running thread p leaves its address space, by exit or exec.
 * Mark each lock on its robust list FUTEX_OWNER_DIED and wake one waiter of
 * each; set the word of set_tid_address to 0 and wake one waiter of that.  This
 * touches p's user memory, so the caller still has the address space.  Called
 * with no spinlock held. */
void futexexit(struct proc *p);

#endif
