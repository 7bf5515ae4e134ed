/* smp.h - several processors: how they are started. */
#ifndef ARCH_SMP_H
#define ARCH_SMP_H

/* Start the other CPUs, one after another, so that at most maxcpus= run; say so
 * of one that does not come up, and go on without it.  Boot CPU, once, with all
 * made that they use; each calls scheduler() when it has started. */
void startothers(void);

#endif
