/* timerfd.h - what the rest of the kernel calls of timerfd.c. */
#ifndef KERN_POLL_TIMERFD_H
#define KERN_POLL_TIMERFD_H

/* The real time has been set: cancel the timers that were set with
 * TFD_TIMER_CANCEL_ON_SET, and let the readers of all timers of that clock look
 * again.  Called with no spinlock held, since it may sleep. */
void timerfdclockset(void);

/* Called once at boot, before the first timerfd is made. */
void timerfdinit(void);

#endif
