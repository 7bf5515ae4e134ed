/* random.h - unpredictable bytes, for getrandom, /dev/urandom and AT_RANDOM. */
#ifndef KERN_RANDOM_H
#define KERN_RANDOM_H

#include "kern/types.h"

/* Fill buf with n random bytes.  Any context but an NMI. */
void randombytes(void *buf, uint n);

/* Mix the current time-stamp into the pool: called for interrupts of devices,
 * whose moments nobody can predict.  Any context. */
void randomstir(void);

#endif
