/* freeze.h - hold all threads and CPUs still, for a look at all of memory. */
#ifndef KERN_FREEZE_H
#define KERN_FREEZE_H

/* Stop every other thread on its way to user mode or in an interruptible sleep,
 * and then the other CPUs.  0: until thaw() nothing runs but the caller, with
 * interrupts off, and no thread is in the middle of a change to memory.
 * -ERESTARTSYS: a signal came first.  May sleep; called with no lock held. */
int freeze(void);

/* Let everything run on after a freeze() that returned 0.  Called by the thread
 * that froze, with interrupts off. */
void thaw(void);

/* Is a freeze under way?  Then userret() calls freezehere(), which sleeps until
 * the freeze is over.  Called with interrupts on and no spinlock held. */
extern volatile int freezing;
void freezehere(void);

#endif
