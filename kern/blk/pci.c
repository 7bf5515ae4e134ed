/*
 * pci.c - the PCI bus: what is on it, by configuration mechanism 1 (PCI 3.0,
 * 3.2.2.3.2), with the addresses and interrupt lines that the firmware chose.
 *
 * Invariant: used at boot by one thread, so the two ports need no lock.
 */
#include "kern/blk/disk.h"

#include "arch/machine.h"
#include "arch/memlayout.h"
#include "arch/pic.h"
#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/lib/printf.h"

#define CONFADDR 0xCF8
#define CONFDATA 0xCFC
#define ENABLE   0x80000000u

/* Configuration registers, as words. */
#define ID      0x00
#define COMMAND 0x04
#define CLASS   0x08
#define HEADER  0x0C
#define BAR0    0x10
#define BUSES   0x18 /* of a bridge */
#define LINE    0x3C

#define CMD_IO     0x001
#define CMD_MEMORY 0x002
#define CMD_MASTER 0x004
#define CMD_NOINTX 0x400

#define BRIDGE 0x060400
#define MULTI  0x800000 /* in HEADER: more functions than 0 */

static int present(void);
static void scanbus(uint bus, void (*probe)(const struct pcidev *));
static int scanfn(struct pcidev *d, void (*probe)(const struct pcidev *));

void
pciscan(void (*probe)(const struct pcidev *))
{
	if (present())
		scanbus(0, probe);
}

/* Does the mechanism answer? */
static int
present(void)
{
	uint old = inl(CONFADDR), got;

	outl(CONFADDR, ENABLE);
	got = inl(CONFADDR);
	outl(CONFADDR, old);
	return got == ENABLE;
}

static void
scanbus(uint bus, void (*probe)(const struct pcidev *))
{
	struct pcidev d = {.bus = (uint8_t)bus};
	uint slot, fn, nfn;

	for (slot = 0; slot < 32; slot++) {
		nfn = 1;
		for (fn = 0; fn < nfn; fn++) {
			d.slot = (uint8_t)slot;
			d.fn = (uint8_t)fn;
			if (scanfn(&d, probe))
				nfn = 8;
		}
	}
}

/* Look at one function: 1 if the device has more.  One without a driver shall
 * not hold a line that others share. */
static int
scanfn(struct pcidev *d, void (*probe)(const struct pcidev *))
{
	uint id = pciread(d, ID), below;

	if ((id & 0xFFFF) == 0xFFFF || id == 0)
		return 0;
	d->vendor = (uint16_t)id;
	d->device = (uint16_t)(id >> 16);
	d->class = pciread(d, CLASS) >> 8;
	d->irq = (uint8_t)pciread(d, LINE);
	below = pciread(d, BUSES) >> 8 & 0xFF;
	if (d->class == BRIDGE && below > d->bus) {
		scanbus(below, probe);
	} else if (d->class >> 16 != BRIDGE >> 16) {
		pciwrite(d, COMMAND,
			(pciread(d, COMMAND) & 0xFFFF) | CMD_NOINTX);
		probe(d);
	}
	return d->fn == 0 && (pciread(d, HEADER) & MULTI);
}

uint
pciread(const struct pcidev *d, uint off)
{
	outl(CONFADDR, ENABLE | (uint)d->bus << 16 | (uint)d->slot << 11 |
		(uint)d->fn << 8 | off);
	return inl(CONFDATA);
}

void
pciwrite(const struct pcidev *d, uint off, uint v)
{
	outl(CONFADDR, ENABLE | (uint)d->bus << 16 | (uint)d->slot << 11 |
		(uint)d->fn << 8 | off);
	outl(CONFDATA, v);
}

int
pcienable(const struct pcidev *d)
{
	uint cmd = pciread(d, COMMAND) & 0xFFFF; /* no status bit is cleared */

	if (d->irq == 0 || d->irq >= NIRQ || d->irq == PICCASCADE) {
		printf("pci: %02x:%02x.%u has no interrupt line\n", d->bus,
			d->slot, d->fn);
		return -ENXIO;
	}
	pciwrite(d, COMMAND,
		(cmd & ~CMD_NOINTX) | CMD_IO | CMD_MEMORY | CMD_MASTER);
	return 0;
}

uint
pciport(const struct pcidev *d, int n)
{
	uint bar = pciread(d, BAR0 + 4 * (uint)n);

	return bar & 1 ? bar & 0xFFFC : 0;
}

volatile void *
pcimem(const struct pcidev *d, int n, uint size)
{
	uint bar = pciread(d, BAR0 + 4 * (uint)n);

	if (bar & 1 || (bar & ~15u) == 0)
		return 0;
	if ((bar & 6) == 4 && pciread(d, BAR0 + 4 * (uint)n + 4) != 0)
		return 0; /* beyond 4 GiB */
	return kmapdev(bar & ~15u, size);
}
