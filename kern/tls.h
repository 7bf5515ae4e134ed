/* tls.h - the segment descriptors of threads, as programs hand them in. */
#ifndef KERN_TLS_H
#define KERN_TLS_H

#include "kern/types.h"

struct segdesc;

/* Make *d from a user_desc of set_thread_area(2), copied from user memory:
 * {entry, base, limit, flags}.  0; or -EINVAL for one that is not for 32-bit
 * data. */
int tlsfill(struct segdesc *d, const uint desc[4]);

/* Make the user_desc of *d, for the entry of that number. */
void tlsdesc(const struct segdesc *d, uint entry, uint desc[4]);

#endif
