/* xcall.h - run a function on other CPUs. */
#ifndef ARCH_XCALL_H
#define ARCH_XCALL_H

#include "arch/cpu.h"
#include "arch/x86.h"

struct xcall { /* a call under way; on its sender's stack */
	void (*fn)(void *);
	void *arg;
	volatile int left; /* CPUs that have not finished */
};

/* Run fn(arg) on each CPU that has started and whose bit is set in cpus, on
 * this one too if its bit is set; return when all have finished.  fn runs with
 * interrupts off, as in an interrupt handler.  Any context, with spinlocks held
 * or not: a CPU that waits for a spinlock, or for a call of its own, answers
 * meanwhile (cpurelax). */
void xcall(uint cpus, void (*fn)(void *), void *arg);

/* The two halves of xcall(): ask the CPUs, this one excepted, and wait for
 * them.  The caller has set fn and arg, and keeps interrupts off (pushcli) from
 * before the first to after the second. */
void xcallstart(struct xcall *, uint cpus);
void xcallwait(struct xcall *);

/* Do what other CPUs have asked of this one.  Called with interrupts off, from
 * the interrupt T_XCALL and from cpurelax(). */
void xcallserve(void);

/* To be called in a loop that waits for another CPU with interrupts off: pauses
 * for a moment, and answers what other CPUs ask. */
static inline void
cpurelax(void)
{
	pause();
	if (mycpu()->mail)
		xcallserve();
}

#endif
