/* xcall.h - run a function on other CPUs. */
#ifndef ARCH_XCALL_H
#define ARCH_XCALL_H

#include "arch/cpu.h"
#include "arch/x86.h"

struct xcall { /* one call under way; on its caller's stack */
	void (*fn)(void *);
	void *arg;
	volatile int left; /* CPUs that have not finished */
};

/* Run fn(arg) on each CPU whose bit is set and which runs, this one included
 * when it is among them; return when all have.  fn runs with interrupts off, as
 * in an interrupt handler.  Any context: a CPU that waits for a spinlock or for
 * a call of its own answers too (cpurelax). */
void xcall(uint cpus, void (*fn)(void *), void *arg);

/* Its two halves: ask the CPUs, but for this one, and wait for them.  Interrupts
 * are off from the first to the end of the second. */
void xcallstart(struct xcall *, uint cpus);
void xcallwait(struct xcall *);

/* Do what other CPUs ask of this one.  Interrupts off; from the interrupt
 * T_XCALL and from cpurelax(). */
void xcallserve(void);

/* In a loop that waits for another CPU with interrupts off. */
static inline void
cpurelax(void)
{
	pause();
	if (mycpu()->mail)
		xcallserve();
}

#endif
