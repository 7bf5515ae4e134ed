/* time.h - what time it is, and what happens when it has passed. */
#ifndef KERN_TIME_H
#define KERN_TIME_H

#include "kern/types.h"

struct trapframe;

void timeinit(void);        /* after pitinit: reads the RTC */
int64_t nowns(void);        /* monotonic ns since boot */
int64_t realns(void);       /* ns since 1970 */
void setreal(int64_t ns);   /* clock_settime */

/* Call fn(arg) in interrupt context at the first tick at or after deadline (ns;
 * of realns() if real is set).  A timer is embedded in its user's struct, zero
 * before its first use. */
struct timer {
	int real;            /* set by the user, before timerset() */
	int on;              /* in a heap, from here on [timer lock] */
	struct timer *child; /* the first one below it */
	struct timer *next;  /* beside it */
	struct timer **at;   /* what points to it */
	int64_t deadline;
	void (*fn)(void *);
	void *arg;
};
void timerset(struct timer *, int64_t deadline, void (*fn)(void *), void *arg);

/* When it returns, fn does not run and is not going to; so the caller holds no
 * lock that fn takes. */
void timerdel(struct timer *);

/* The timer interrupt: time accounting, timers, slices. */
void tick(struct trapframe *);

#endif
