/* sysrlimit.h - what a process has used, told to programs. */
#ifndef KERN_SYS_SYSRLIMIT_H
#define KERN_SYS_SYSRLIMIT_H

#include "kern/types.h"

struct procusage;

/* Copy ru out as a struct rusage to user address uva: 0 or -EFAULT.  No
 * spinlock held. */
int rusageout(uint uva, const struct procusage *ru);

#endif
