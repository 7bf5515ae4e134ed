/* machine.c - find out which processors and interrupt controllers there are. */
#include "arch/machine.h"

#include "arch/mmu.h"
#include "kern/lib/string.h"

#define EBDASEGMENT 0x40E /* BIOS data: paragraph of the extended data */

struct machine machine;

static void machineclear(void);

void
machineinit(void)
{
	machineclear();
	if (acpiinit())
		return;
	machineclear();
	if (!mpinit())
		machineclear();
}

/* Make machine what is true without any tables: no processors and no
 * controllers are known, and each ISA line is wired to the input of its own
 * number. */
static void
machineclear(void)
{
	uint i;

	memset(&machine, 0, sizeof(machine));
	for (i = 0; i < NIRQ; i++)
		machine.irq[i].gsi = i;
}

uint
findtable(uint start, uint end, const char *sig, uint n)
{
	const char *p = lookat(start, end - start);
	uint i;

	for (i = -start & 15; i + n <= end - start; i += 16)
		if (memcmp(p + i, sig, strlen(sig)) == 0 && checksum(p + i, n))
			return start + i;
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
