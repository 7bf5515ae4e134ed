/* smp.h - several processors: how they are started. */
#ifndef ARCH_SMP_H
#define ARCH_SMP_H

/* Start the other CPUs, one after another, so that at most maxcpus= (command
 * line) run in all; nothing to do without APICs.  Prints a line for a CPU that
 * does not come up and goes on without it.  Called once by the boot CPU, with
 * the kernel's own page directory loaded, when everything that scheduler()
 * needs has been initialised: each CPU calls it when it has started. */
void startothers(void);

#endif
