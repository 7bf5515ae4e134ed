/* lapic.h - the local APICs: each CPU's timer, and interrupts between CPUs. */
#ifndef ARCH_LAPIC_H
#define ARCH_LAPIC_H

#include "kern/types.h"

/* Use the APICs from now on, if the machine has them and a TSC to measure them
 * by, and the command line does not say noapic: 1, and this CPU's timer ticks
 * at HZ once interrupts are on.  Else 0, and nothing has changed.  Boot CPU. */
int apicinit(void);

/* Did apicinit() say 1? */
int apicused(void);

/* The same for another CPU, when apicinit() said 1. */
void lapicinit(void);

/* Interrupt CPU cpus[cpu], which runs, with a vector of arch/trap.h; nothing to
 * do where there are no APICs.  Returns when it is on its way; a CPU that has
 * interrupts off gets it when they are on again, and once however often it was
 * sent.  Any context. */
void ipi(int cpu, int vector);

/* The same to every CPU that runs but this one. */
void ipiothers(int vector);

/* The interrupt of a local APIC has been taken: it may send others of the same
 * class.  Interrupts off. */
void lapiceoi(void);

/* Reset the CPU that has this APIC, so that it waits; start it at the physical
 * address pa, a page below 1 MiB (SDM 3A 9.4, MP initialization). */
void lapicreset(uint apicid);
void lapicstart(uint apicid, uint pa);

#endif
