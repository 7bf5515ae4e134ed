/* freeze.h - hold everybody still, for a look at all of memory. */
#ifndef KERN_FREEZE_H
#define KERN_FREEZE_H

/* Stop every other thread on its way to user mode or in an interruptible sleep,
 * and then the other CPUs.  0: until thaw() nothing runs but the caller, with
 * interrupts off, and nobody is in the middle of a change to memory.
 * -ERESTARTSYS: a signal came first.  May sleep; no lock held. */
int freeze(void);
void thaw(void);

/* Is a freeze under way?  Then userret() calls freezehere(), which returns when
 * it is over.  Interrupts on. */
extern volatile int freezing;
void freezehere(void);

#endif
