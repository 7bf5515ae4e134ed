/*
 * acpi.c - processors and interrupt controllers from ACPI's tables (ACPI 6.5
 * chapter 5): RSDP -> RSDT or XSDT -> MADT.
 *
 *   RSDP  the root pointer; somewhere in the BIOS's memory
 *   RSDT  the root table: physical addresses of all tables, 32 bits each
 *   XSDT  the root table with 64 bits each
 *   MADT  the table of interrupt controllers, whose signature is "APIC"
 *
 * Firmware has bugs: a table that does not sum up to zero, is too long or lies
 * beyond 4 GiB is not believed, and an entry that is too short ends its table.
 */
#include "arch/machine.h"

#include "arch/mmu.h"
#include "kern/lib/string.h"

#define BIOSROM 0xE0000
#define BIOSEND 0x100000

#define MAXTABLE 0x10000 /* bytes; no table that is read here is longer */

struct rsdp {
	char sig[8]; /* "RSD PTR " */
	uint8_t sum, oem[6], revision;
	uint rsdt;
	uint length; /* this and the rest only since revision 2 */
	uint xsdt, xsdthigh;
} __attribute__((packed));

#define RSDP1 20 /* bytes of the RSDP in revision 0 */

struct table { /* how each table begins */
	char sig[4];
	uint length;
	uint8_t revision, sum, oem[26];
} __attribute__((packed));

/* Types of the MADT's entries. */
enum { LAPIC = 0, IOAPIC = 1, OVERRIDE = 2, LAPICADDR = 5 };

struct entry {
	uint8_t type, length;
	union {
		struct {
			uint8_t acpiid, apicid;
			uint flags; /* 1: usable */
		} __attribute__((packed)) lapic;
		struct {
			uint8_t id, reserved;
			uint addr, gsi;
		} __attribute__((packed)) ioapic;
		struct {
			uint8_t bus, irq;
			uint gsi;
			uint16_t flags;
		} __attribute__((packed)) override;
		struct {
			uint16_t reserved;
			uint addr, high;
		} __attribute__((packed)) lapicaddr;
	};
} __attribute__((packed));

struct madt {
	struct table head;
	uint lapic, flags;
	struct entry entries[];
} __attribute__((packed));

/* The length of an entry that has all fields of its kind (what): no shorter one
 * is looked at. */
#define ENTRYSIZE(what) (2 + sizeof(((struct entry *)0)->what))

static int rootinit(uint root, uint entrysize);
static const struct table *tableat(uint pa, const char *sig);
static int madtinit(const struct madt *m);
static void entryinit(const struct entry *e);

int
acpiinit(void)
{
	uint area = ebda(), pa;
	struct rsdp r;

	pa = findtable(area, area + 1024, "RSD PTR ", RSDP1);
	if (pa == 0)
		pa = findtable(BIOSROM, BIOSEND, "RSD PTR ", RSDP1);
	if (pa == 0)
		return 0;
	memcpy(&r, lookat(pa, sizeof(r)), sizeof(r));
	if (r.revision >= 2 && r.xsdt && r.xsdthigh == 0 &&
		rootinit(r.xsdt, 8))
		return 1;
	return r.rsdt && rootinit(r.rsdt, 4);
}

/* Look for the MADT in the RSDT (entrysize 4 bytes) or XSDT (8) at physical
 * address root, and fill machine from it: 1, or 0 if that fails. */
static int
rootinit(uint root, uint entrysize)
{
	const struct table *t;
	uint64_t entry = 0;
	uint i, n;

	t = tableat(root, entrysize == 8 ? "XSDT" : "RSDT");
	n = t ? t->length : 0;
	for (i = sizeof(*t); i + entrysize <= n; i += entrysize) {
		memcpy(&entry, lookat(root + i, entrysize), entrysize);
		t = entry >> 32 ? 0 : tableat((uint)entry, "APIC");
		if (t)
			return madtinit((const void *)t);
	}
	return 0;
}

/* The whole table at physical address pa, until the next lookat(), if it has
 * this signature and can be believed; else 0. */
static const struct table *
tableat(uint pa, const char *sig)
{
	const struct table *t = lookat(pa, sizeof(*t));

	if (t == 0 || memcmp(t->sig, sig, 4) != 0 || t->length < sizeof(*t) ||
		t->length > MAXTABLE)
		return 0;
	t = lookat(pa, t->length);
	return t && checksum(t, t->length) ? t : 0;
}

/* Fill machine from the MADT: 1, or 0 if it is too short or has no
 * processor. */
static int
madtinit(const struct madt *m)
{
	const char *p = (const char *)m->entries;
	const char *end = (const char *)m + m->head.length;
	const struct entry *e;

	if (m->head.length < sizeof(*m))
		return 0;
	machine.lapic = m->lapic;
	for (; p + 2 <= end; p += e->length) {
		e = (const struct entry *)p;
		if (e->length < 2 || p + e->length > end)
			break;
		entryinit(e);
	}
	return machine.ncpu > 0;
}

/* Put what one entry of the MADT says into machine.  An entry that is too short
 * for its type, or of another type, says nothing. */
static void
entryinit(const struct entry *e)
{
	if (e->type == LAPIC && e->length >= ENTRYSIZE(lapic)) {
		if (e->lapic.flags & 1)
			foundcpu(e->lapic.apicid);
	} else if (e->type == IOAPIC && e->length >= ENTRYSIZE(ioapic)) {
		foundioapic(e->ioapic.addr, e->ioapic.gsi);
	} else if (e->type == OVERRIDE && e->length >= ENTRYSIZE(override)) {
		if (e->override.irq >= NIRQ)
			return;
		machine.irq[e->override.irq].gsi = e->override.gsi;
		machine.irq[e->override.irq].flags = e->override.flags;
	} else if (e->type == LAPICADDR && e->length >= ENTRYSIZE(lapicaddr)) {
		machine.lapic = e->lapicaddr.high ? 0 : e->lapicaddr.addr;
	}
}
