/*
 * mp.c - processors and interrupt controllers from the tables of Intel's
 * MultiProcessor Specification 1.4, for machines older than ACPI.
 *
 * The floating pointer, somewhere in the BIOS's memory, leads to the
 * configuration table.  Machines that have one of the specification's default
 * configurations (chapter 5) instead of a table are not supported.
 */
#include "arch/machine.h"

#include "arch/mmu.h"
#include "kern/lib/string.h"

#define BASEMEM  0x413 /* BIOS data: KiB of memory below the extended data */
#define BIOSROM  0xF0000
#define BIOSEND  0x100000
#define GSISTEP  256 /* these tables do not number all inputs of the machine in
                      * a row: the n-th I/O APIC's begin at n * GSISTEP here */

struct mpfloat { /* the floating pointer */
	char sig[4]; /* "_MP_" */
	uint table;
	uint8_t length, revision, sum, type; /* 0: there is a table */
	uint8_t imcr;                        /* bit 7: machine.imcr */
	uint8_t reserved[3];
};

struct mptable { /* how the configuration table begins */
	char sig[4]; /* "PCMP" */
	uint16_t length;
	uint8_t revision, sum, oem[20];
	uint oemtable;
	uint16_t oemlength, nentry;
	uint lapic;
	uint extended;
};

enum { CPU, BUS, IOAPIC, INTERRUPT }; /* types of its entries */

struct mpentry {
	uint8_t type;
	union {
		struct {
			uint8_t apicid, version, flags; /* 1: usable */
			uint8_t rest[16];
		} cpu;
		struct {
			uint8_t id;
			char name[6];
		} bus;
		struct {
			uint8_t id, version, flags; /* 1: usable */
			uint addr;
		} __attribute__((packed)) ioapic;
		struct {
			uint8_t kind; /* 0: an ordinary interrupt */
			uint16_t flags;
			uint8_t bus, irq, ioapic, input;
		} __attribute__((packed)) intr;
	};
} __attribute__((packed));
_Static_assert(sizeof(struct mpentry) == 20, "struct mpentry");

static uint isa[256 / 32];   /* a bit for each bus: is it ISA or EISA? */
static uint8_t ids[NIOAPIC]; /* the number of each of machine.ioapic[] */

static uint findfloat(void);
static int tableinit(const struct mptable *t);
static void entryinit(const struct mpentry *e);
static void intrinit(const struct mpentry *e);

int
mpinit(void)
{
	const struct mptable *t;
	struct mpfloat f;
	uint pa = findfloat();

	if (pa == 0)
		return 0;
	memcpy(&f, lookat(pa, sizeof(f)), sizeof(f));
	t = lookat(f.table, sizeof(*t));
	if (f.table == 0 || f.type != 0 || t == 0 ||
		memcmp(t->sig, "PCMP", 4) != 0 || t->length < sizeof(*t))
		return 0;
	t = lookat(f.table, t->length);
	if (t == 0 || !checksum(t, t->length))
		return 0;
	machine.imcr = f.imcr >> 7;
	return tableinit(t);
}

/* Look for the floating pointer where it may be (MultiProcessor Specification
 * 4.1): its physical address, or 0. */
static uint
findfloat(void)
{
	uint area = ebda(), top, pa;

	top = *(const uint16_t *)lookat(BASEMEM, 2) * 1024;
	pa = findtable(area, area + 1024, "_MP_", sizeof(struct mpfloat));
	if (pa == 0 && top >= 1024)
		pa = findtable(top - 1024, top, "_MP_", sizeof(struct mpfloat));
	if (pa == 0)
		pa = findtable(BIOSROM, BIOSEND, "_MP_",
			sizeof(struct mpfloat));
	return pa;
}

/* Fill machine from the configuration table t: 1, or 0 if it has no
 * processor. */
static int
tableinit(const struct mptable *t)
{
	const char *p = (const char *)(t + 1);
	const char *end = (const char *)t + t->length;
	const struct mpentry *e;
	uint size, n;

	machine.lapic = t->lapic;
	for (n = 0; n < t->nentry && p < end; n++, p += size) {
		e = (const struct mpentry *)p;
		size = e->type == CPU ? 20 : 8;
		if (p + size > end)
			break;
		entryinit(e);
	}
	return machine.ncpu > 0;
}

/* Put what one entry of the table says into machine. */
static void
entryinit(const struct mpentry *e)
{
	int n = machine.nioapic;

	if (e->type == CPU && (e->cpu.flags & 1)) {
		foundcpu(e->cpu.apicid);
	} else if (e->type == BUS && (memcmp(e->bus.name, "ISA", 3) == 0 ||
			memcmp(e->bus.name, "EISA", 4) == 0)) {
		isa[e->bus.id / 32] |= 1u << e->bus.id % 32;
	} else if (e->type == IOAPIC && (e->ioapic.flags & 1) && n < NIOAPIC) {
		ids[n] = e->ioapic.id;
		foundioapic(e->ioapic.addr, (uint)n * GSISTEP);
	} else if (e->type == INTERRUPT && e->intr.kind == 0) {
		intrinit(e);
	}
}

/* Put where an ISA line is wired to into machine.irq[].  Buses and I/O APICs
 * come before the interrupts in the table, so they are known. */
static void
intrinit(const struct mpentry *e)
{
	int i;

	if (!(isa[e->intr.bus / 32] >> e->intr.bus % 32 & 1) ||
		e->intr.irq >= NIRQ)
		return;
	for (i = 0; i < machine.nioapic && ids[i] != e->intr.ioapic; i++)
		;
	if (i == machine.nioapic)
		return;
	machine.irq[e->intr.irq].gsi = (uint)i * GSISTEP + e->intr.input;
	machine.irq[e->intr.irq].flags = e->intr.flags;
}
