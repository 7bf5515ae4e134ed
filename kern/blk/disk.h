/* disk.h - the drivers of disks, and the PCI bus on which they find them. */
#ifndef KERN_DEV_DISK_H
#define KERN_DEV_DISK_H

#include "kern/blk/blkq.h"
#include "arch/trap.h"

/* Look for disks with every driver, then for partitions. */
void disksinit(void);

/* A function of a PCI device (PCI 3.0, chapter 6). */
struct pcidev {
	uint8_t bus, slot, fn;
	uint8_t irq;           /* line of the ISA bus, as the firmware has it */
	uint16_t vendor, device;
	uint class;            /* class, subclass, interface: 24 bits */
};

/* Call probe() for each function of each bus. */
void pciscan(void (*probe)(const struct pcidev *));

/* Its configuration space; off is a multiple of the size. */
uint pciread(const struct pcidev *, uint off);
void pciwrite(const struct pcidev *, uint off, uint v);

/* Let it answer at its addresses, use memory by itself, and interrupt: 0; or
 * -ENXIO, with a message: the firmware gave it no line. */
int pcienable(const struct pcidev *);

/* The address in base register n: of ports, or of memory as the kernel sees it;
 * 0: there is none that can be used. */
uint pciport(const struct pcidev *, int n);
volatile void *pcimem(const struct pcidev *, int n, uint size);

/* Each takes the device if it is one of its kind. */
void virtioprobe(const struct pcidev *);
void ahciprobe(const struct pcidev *);
void ataprobe(const struct pcidev *);

void atainit(void);     /* the two channels of the ISA bus; after the others */
void ramdiskinit(void); /* boot modules but the first */

/* From the words of IDENTIFY DEVICE: 1: commands have 48 bits of address; 0:
 * 28; or -ENXIO: it knows no sector numbers at all. */
int atasize(const uint16_t *id, uint64_t *sectors);

/* part.c: find the partitions of a disk and register them. */
void partinit(struct blkdev *disk);

/* A name for the n-th disk of its kind ("vd", 0: "vda"). */
void diskname(struct blkdev *disk, const char *kind, uint n);

/* Tell that it is there, by a name from the driver, and look for partitions. */
void diskready(struct blkdev *disk, const char *what);

#endif
