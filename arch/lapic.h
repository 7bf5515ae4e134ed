/* lapic.h - the local APICs: each CPU's timer, and interrupts between CPUs. */
#ifndef ARCH_LAPIC_H
#define ARCH_LAPIC_H

#include "kern/types.h"

/* Use the APICs from now on, if the machine has them and a TSC to measure them
 * by, and the command line does not say noapic: 1, and this CPU's timer ticks
 * HZ times a second once interrupts are on.  Else 0, and nothing has changed.
 * Boot CPU, interrupts off. */
int apicinit(void);

/* Did apicinit() return 1? */
int apicused(void);

/* Set up the local APIC and the timer of the CPU that calls; each CPU but the
 * boot CPU does, after apicinit() returned 1.  Interrupts off. */
void lapicinit(void);

/* Interrupt the CPU cpus[cpu], which runs, with a vector of arch/trap.h;
 * nothing to do where there are no APICs.  Returns when the message is on its
 * way.  A CPU that has interrupts off takes it when they are on again; the same
 * vector sent several times until then is one interrupt.  Any context. */
void ipi(int cpu, int vector);

/* Interrupt every CPU that runs, but not this one, as ipi() does. */
void ipiothers(int vector);

/* Tell this CPU's APIC that its interrupt has been taken: it may send others of
 * the same priority or below (SDM 3A 10.8.5).  Interrupts off. */
void lapiceoi(void);

/* Reset the CPU that has the APIC number apicid, so that it waits. */
void lapicreset(uint apicid);

/* Start that CPU, which has been reset, at physical address pa, a page below
 * 1 MiB (SDM 3A 8.4, "Multiple-Processor (MP) Initialization"). */
void lapicstart(uint apicid, uint pa);

#endif
