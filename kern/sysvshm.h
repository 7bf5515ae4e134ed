/* sysvshm.h - System V shared memory, as the boot and /proc see it. */
#ifndef KERN_SYSVSHM_H
#define KERN_SYSVSHM_H

struct text;

/* Called once at boot. */
void shminit(void);

/* Write /proc/sysvipc/shm to t: a line for each segment that the running
 * process may read.  Takes shmlock. */
void shmshow(struct text *t);

#endif
