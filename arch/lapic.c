/*
 * lapic.c - the local APICs (SDM 3A chapter 11, "APIC").
 *
 * Their registers lie at one physical address on every CPU, in the device
 * window, which is mapped 1:1; each CPU sees its own.
 */
#include "arch/lapic.h"

#include "arch/cpu.h"
#include "arch/x86.h"

/* Registers, as indices of words. */
#define EOI    (0xB0 / 4)
#define ICRLO  (0x300 / 4)
#define ICRHI  (0x310 / 4)

#define ICR_ASSERT  0x4000
#define ICR_PENDING 0x1000 /* the last one has not been accepted yet */

static volatile uint *lapic; /* 0: there is none, or it is not used */

void
ipi(int cpu, int vector)
{
	if (lapic == 0)
		return;
	pushcli();
	while (lapic[ICRLO] & ICR_PENDING)
		pause();
	lapic[ICRHI] = cpus[cpu].apicid << 24;
	lapic[ICRLO] = ICR_ASSERT | (uint)vector;
	popcli();
}

void
ipiothers(int vector)
{
	int me = pushcli()->id;
	int i;

	for (i = 0; i < ncpu; i++)
		if (i != me)
			ipi(i, vector);
	popcli();
}

void
lapiceoi(void)
{
	lapic[EOI] = 0;
}
