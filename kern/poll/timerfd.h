/* timerfd.h - what the kernel tells timers that are files. */
#ifndef KERN_POLL_TIMERFD_H
#define KERN_POLL_TIMERFD_H

/* The real time has been set: timers of that clock are looked at again.  May
 * sleep. */
void timerfdclockset(void);

/* Called once at boot. */
void timerfdinit(void);

#endif
