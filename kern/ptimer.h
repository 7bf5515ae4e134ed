/* ptimer.h - the timers of timer_create (POSIX). */
#ifndef KERN_PTIMER_H
#define KERN_PTIMER_H

struct tgroup;

/* Delete the timers of the running process, at exec and at exit.  No spinlock
 * held. */
void ptimerexit(struct tgroup *tg);

#endif
