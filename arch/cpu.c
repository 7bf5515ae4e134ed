/* cpu.c - what kind of CPU this is (SDM 2A, CPUID). */
#include "arch/cpu.h"

#include "kern/lib/string.h"

struct cpuinfo cpuinfo;

static uint cpuid(uint leaf, uint regs[4]);

/* entry.asm has stopped already on a CPU without CPUID or PSE.  Family and
 * model are two fields each, of which the second counts for some values of the
 * first. */
void
cpuinit(void)
{
	struct cpuinfo *ci = &cpuinfo;
	uint r[4], max, i;

	max = cpuid(0, r);
	memcpy(ci->vendor, &r[1], 4);
	memcpy(ci->vendor + 4, &r[3], 4);
	memcpy(ci->vendor + 8, &r[2], 4);
	if (max >= 1) {
		cpuid(1, r);
		ci->stepping = r[0] & 0xF;
		ci->model = r[0] >> 4 & 0xF;
		ci->family = r[0] >> 8 & 0xF;
		if (ci->family == 6 || ci->family == 15)
			ci->model |= r[0] >> 12 & 0xF0;
		if (ci->family == 15)
			ci->family += r[0] >> 20 & 0xFF;
		ci->features = r[3];
	}
	strlcpy(ci->brand, ci->vendor, sizeof(ci->brand));
	if (cpuid(0x80000000, r) >= 0x80000004) {
		for (i = 0; i < 3; i++) {
			cpuid(0x80000002 + i, r);
			memcpy(ci->brand + 16 * i, r, 16);
		}
	}
}

/* Global pages only: fpuinit() sets the bits of CR4 that are about the FPU. */
void
cpusetup(void)
{
	if (cpuinfo.features & CPU_PGE)
		lcr4(rcr4() | CR4_PGE);
}

/* Fill regs with eax, ebx, ecx, edx as CPUID gives them for this leaf (subleaf
 * 0); returns eax. */
static uint
cpuid(uint leaf, uint regs[4])
{
	__asm__ volatile(
		"cpuid"
		: "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3])
		: "a"(leaf), "c"(0));
	return regs[0];
}
