/*
 * machine.c - find out which processors and interrupt controllers there are.
 *
 * This runs before memory is given out, when entrypgdir maps 4 MiB only; the
 * firmware's tables may be anywhere below 4 GiB.  Two spare entries of entrypgdir
 * are a window to look at them.
 */
#include "arch/machine.h"

#include "arch/cpu.h"
#include "arch/memlayout.h"
#include "kern/string.h"

#define EBDASEGMENT 0x40E /* BIOS data: paragraph of the extended data */
#define LOOKBASE    VMAPBASE

extern uint entrypgdir[];

struct machine machine;

void
machineinit(void)
{
	int i;

	for (i = 0; i < NIRQ; i++)
		machine.irq[i].gsi = (uint)i;
	if (!acpiinit() && !mpinit())
		machine.lapic = 0;
	entrypgdir[PDX(LOOKBASE)] = entrypgdir[PDX(LOOKBASE) + 1] = 0;
}

const void *
lookat(uint pa, uint n)
{
	uint first = pa & ~(SUPERSIZE - 1);

	if (n > SUPERSIZE || pa + n < pa)
		return 0;
	entrypgdir[PDX(LOOKBASE)] = first | PTE_P | PTE_PS;
	entrypgdir[PDX(LOOKBASE) + 1] = (first + SUPERSIZE) | PTE_P | PTE_PS;
	lcr3(rcr3());
	return (const char *)LOOKBASE + (pa - first);
}

uint
findtable(uint start, uint end, const char *sig, uint n)
{
	const char *p;
	uint pa;

	for (pa = (start + 15) & ~15u; pa + n <= end; pa += 16) {
		p = lookat(pa, n);
		if (memcmp(p, sig, strlen(sig)) == 0 && checksum(p, n))
			return pa;
	}
	return 0;
}

uint
ebda(void)
{
	return (uint)*(const uint16_t *)lookat(EBDASEGMENT, 2) << 4;
}

int
checksum(const void *p, uint n)
{
	const uint8_t *b = p;
	uint8_t sum = 0;

	while (n-- > 0)
		sum += *b++;
	return sum == 0;
}

void
foundcpu(uint apicid)
{
	if (machine.ncpu < NCPU)
		machine.apicid[machine.ncpu++] = (uint8_t)apicid;
}

void
foundioapic(uint addr, uint gsi)
{
	int n = machine.nioapic;

	if (n == NIOAPIC)
		return;
	machine.ioapic[n].addr = addr;
	machine.ioapic[n].gsi = gsi;
	machine.nioapic++;
}
