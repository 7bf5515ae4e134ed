/* lapic.h - the local APICs: each CPU's timer, and interrupts between CPUs. */
#ifndef ARCH_LAPIC_H
#define ARCH_LAPIC_H

#include "kern/types.h"

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

#endif
