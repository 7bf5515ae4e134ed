/*
 * u_machine.c - arch/acpi.c, arch/mp.c and arch/machine.c against tables made
 * here, good and broken.
 *
 * Physical memory is 1 MiB and a bit; lookat() gives a copy of just the bytes
 * asked for, so that AddressSanitizer sees a step beyond.
 */
#include "unit.h"
#include "arch/machine.h"

#define MEMORY 0x110000
#define EBDA   0x9FC00
#define ROOT   0x100000 /* RSDT, XSDT */
#define MADT   0x101000 /* or MP table */
#define XSDT   0x102000

static uint8_t *memory;

static void acpi_madt(void);
static void acpi_xsdt(void);
static void acpi_broken_then_mp(void);
static void mp_table(void);
static void fuzz(void);

const struct test machinetests[] = {
	{acpi_madt, "machine_acpi_madt"},
	{acpi_xsdt, "machine_acpi_xsdt"},
	{acpi_broken_then_mp, "machine_acpi_broken_then_mp"},
	{mp_table, "machine_mp_table"},
	{fuzz, "machine_fuzz"},
	{0, 0},
};

const void *
lookat(uint pa, uint n)
{
	static void *copy;

	if (n > SUPERSIZE || pa + n < pa)
		return 0;
	hostfree(copy);
	copy = hostalloc(n ? n : 1);
	if (pa < MEMORY)
		memcpy(copy, memory + pa, MIN(n, MEMORY - pa));
	return copy;
}

/* Forget the machine and its memory. */
static void
newmachine(void)
{
	if (memory == 0)
		memory = hostalloc(MEMORY);
	memset(memory, 0, MEMORY);
	memory[0x40E] = EBDA >> 4 & 0xFF;
	memory[0x40F] = EBDA >> 12;
	memory[0x413] = (EBDA / 1024) & 0xFF;
	memory[0x414] = EBDA / 1024 >> 8;
}

static void
put32(uint pa, uint v)
{
	memcpy(memory + pa, &v, 4);
}

/* Make the n bytes at pa sum up to 0 by the one at sum. */
static void
seal(uint pa, uint n, uint sum)
{
	uint8_t s = 0;

	memory[pa + sum] = 0;
	for (uint i = 0; i < n && pa + i < MEMORY; i++)
		s += memory[pa + i];
	memory[pa + sum] = (uint8_t)-s;
}

/* A table of n bytes behind its head of 36. */
static void
acpitable(uint pa, const char *sig, const void *body, uint n)
{
	memcpy(memory + pa, sig, 4);
	put32(pa + 4, 36 + n);
	memcpy(memory + pa + 36, body, n);
	seal(pa, 36 + n, 9);
}

static const uint8_t madt[] = {
	0, 0, 0xE0, 0xFE, 1, 0, 0, 0,                 /* LAPICs at FEE00000 */
	0, 8, 0, 5, 1, 0, 0, 0,                       /* CPU, APIC 5 */
	0, 8, 1, 6, 0, 0, 0, 0,                       /* not usable */
	0, 8, 2, 7, 1, 0, 0, 0,                       /* APIC 7 */
	1, 12, 1, 0, 0, 0, 0xC0, 0xFE, 0, 0, 0, 0,    /* I/O APIC, inputs 0.. */
	1, 12, 2, 0, 0, 0x10, 0xC0, 0xFE, 24, 0, 0, 0, /* and 24.. */
	2, 10, 0, 0, 2, 0, 0, 0, 0, 0,                /* IRQ 0 at input 2 */
	99, 3, 0,                                     /* unknown */
	2, 10, 0, 9, 9, 0, 0, 0, 15, 0,               /* IRQ 9 low, level */
	4, 6, 0xFF, 0, 0, 1,                          /* NMI */
};

/* RSDP in the BIOS's ROM, revision 0 or 2. */
static void
makeacpi(int revision)
{
	uint64_t entry[2] = {0xF00000000, MADT}; /* the first beyond 4 GiB */
	uint pa = 0xE5430;

	newmachine();
	memcpy(memory + pa, "RSD PTR ", 8);
	memory[pa + 15] = (uint8_t)revision;
	if (revision >= 2) {
		put32(pa + 20, 36);
		put32(pa + 24, XSDT);
		acpitable(XSDT, "XSDT", entry, sizeof(entry));
	} else {
		put32(pa + 16, ROOT);
		acpitable(ROOT, "RSDT", &entry[1], 4);
	}
	seal(pa, 20, 8);
	acpitable(MADT, "APIC", madt, sizeof(madt));
}

static void
checkmadt(void)
{
	check(machine.lapic == 0xFEE00000, "%x", machine.lapic);
	check(machine.ncpu == 2 && machine.apicid[0] == 5 &&
		machine.apicid[1] == 7, "%d CPUs", machine.ncpu);
	check(machine.nioapic == 2 && machine.ioapic[1].addr == 0xFEC01000 &&
		machine.ioapic[1].gsi == 24, "%d I/O APICs", machine.nioapic);
	check(machine.irq[0].gsi == 2 && machine.irq[0].flags == 0, "IRQ 0");
	check(machine.irq[1].gsi == 1, "IRQ 1");
	check(machine.irq[9].gsi == 9 && (machine.irq[9].flags & IRQ_LOW) &&
		(machine.irq[9].flags & IRQ_LEVEL), "IRQ 9");
}

static void
acpi_madt(void)
{
	makeacpi(0);
	machineinit();
	checkmadt();
}

static void
acpi_xsdt(void)
{
	makeacpi(2);
	machineinit();
	checkmadt();
}

/* An MP table in the last KiB of base memory. */
static void
makemp(void)
{
	static const uint8_t entries[] = {
		0, 0, 0x14, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 3, 0x14, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		1, 0, 'P', 'C', 'I', ' ', ' ', ' ',
		1, 4, 'I', 'S', 'A', ' ', ' ', ' ',
		2, 8, 0x11, 1, 0, 0, 0xC0, 0xFE,
		3, 0, 0, 0, 4, 0, 8, 2,  /* ISA 0 at input 2 */
		3, 0, 15, 0, 0, 5, 8, 5, /* PCI: not ours */
		3, 0, 15, 0, 4, 5, 9, 5, /* an I/O APIC that is not there */
		3, 3, 0, 0, 4, 7, 8, 0,  /* not an interrupt */
	};
	uint pa = EBDA - 1024 + 64;

	memcpy(memory + pa, "_MP_", 4);
	put32(pa + 4, MADT);
	memory[pa + 8] = 1;
	memory[pa + 9] = 4;
	memory[pa + 12] = 0x80;
	seal(pa, 16, 10);
	memset(memory + MADT, 0, 44);
	memcpy(memory + MADT, "PCMP", 4);
	memory[MADT + 4] = 44 + sizeof(entries);
	memory[MADT + 34] = 9;
	put32(MADT + 36, 0xFEE00000);
	memcpy(memory + MADT + 44, entries, sizeof(entries));
	seal(MADT, 44 + sizeof(entries), 7);
}

static void
checkmp(void)
{
	check(machine.lapic == 0xFEE00000 && machine.imcr == 1, "%x",
		machine.lapic);
	check(machine.ncpu == 2 && machine.apicid[0] == 0 &&
		machine.apicid[1] == 3, "%d CPUs", machine.ncpu);
	check(machine.nioapic == 1 && machine.ioapic[0].addr == 0xFEC00000,
		"%d I/O APICs", machine.nioapic);
	check(machine.irq[0].gsi == 2 && machine.irq[5].gsi == 5 &&
		machine.irq[5].flags == 0 && machine.irq[7].gsi == 7, "lines");
}

static void
mp_table(void)
{
	newmachine();
	makemp();
	machineinit();
	checkmp();
}

/* What is not believed of ACPI leaves nothing behind. */
static void
acpi_broken_then_mp(void)
{
	makeacpi(0);
	memory[ROOT + 20] ^= 1;
	makemp();
	machineinit();
	checkmp();
	makeacpi(0);
	memory[0xE5430 + 9] ^= 1;
	machineinit();
	check(machine.lapic == 0, "without tables");
}

/* Tables with any bytes changed, or cut off, and the sums right. */
static void
fuzz(void)
{
	uint n, at;

	for (n = 0; n < (steps ? steps / 10 : 20000); n++) {
		makeacpi(rnd(2) * 2);
		if (oneof(2)) {
			makemp();
			memory[0xE5430] = 0;
		}
		for (uint i = rnd(4); i > 0; i--) {
			at = ROOT + rnd(3) * 0x1000 + rnd(200);
			memory[at] = oneof(3) ? 0xFF : (uint8_t)rnd(256);
		}
		if (oneof(2)) /* cut off */
			memory[MADT + 4] = (uint8_t)rnd(170);
		seal(ROOT, MIN(*(uint *)(memory + ROOT + 4), 0x1000u), 9);
		seal(XSDT, MIN(*(uint *)(memory + XSDT + 4), 0x1000u), 9);
		if (memory[0xE5430])
			seal(MADT, MIN(*(uint *)(memory + MADT + 4), 0x1000u), 9);
		else
			seal(MADT, *(uint16_t *)(memory + MADT + 4), 7);
		machineinit();
		check(machine.ncpu <= NCPU && machine.nioapic <= NIOAPIC,
			"%d %d", machine.ncpu, machine.nioapic);
	}
}
