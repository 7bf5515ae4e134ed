/* machine.h - which processors and interrupt controllers there are. */
#ifndef ARCH_MACHINE_H
#define ARCH_MACHINE_H

#include "kern/param.h"
#include "kern/types.h"

#define NIOAPIC 4
#define NIRQ    16 /* interrupt lines of the ISA bus */

/* Polarity and trigger of a line, as both kinds of tables write them.  0 means
 * as the bus of the line has them (ISA: active high, triggered by edges). */
#define IRQ_LOW   0x2 /* with bit 0: 3 is active low, 1 active high */
#define IRQ_LEVEL 0x8 /* with bit 2: 0xC is level triggered, 4 edges */

/* What the firmware's tables say: filled by acpi.c or mp.c. */
struct machine {
	uint lapic; /* physical address of the local APICs; 0: no tables */
	int ncpu;   /* processors that may be used, at most NCPU */
	uint8_t apicid[NCPU]; /* the numbers of their local APICs */
	int nioapic;
	struct { /* I/O APICs */
		uint addr; /* physical */
		uint gsi;  /* the number of its first input */
	} ioapic[NIOAPIC];
	struct { /* lines of the ISA bus */
		uint gsi;   /* the input that the ISA line is wired to */
		uint flags; /* IRQ_ */
	} irq[NIRQ];
	int imcr; /* has it a switch (IMCR) from the 8259s to the APICs? */
};

extern struct machine machine;

/* Fill machine.  Boot CPU, while entrypgdir is loaded and before any memory is
 * given out: the tables may be anywhere. */
void machineinit(void);

/* Fill machine from ACPI's tables (acpi.c), or from those of the MultiProcessor
 * Specification (mp.c): 1; or 0 if there are no tables that can be believed,
 * and then machine holds junk. */
int acpiinit(void);
int mpinit(void);

/* For acpi.c and mp.c (lookat.c): where the kernel can read the n bytes at
 * physical address pa, until the next call of lookat(); 0 if they are more than
 * 4 MiB or go beyond 4 GiB.  What is there may be any junk. */
const void *lookat(uint pa, uint n);

/* The physical address of a structure that begins with sig, on a 16-byte
 * boundary in [start, end) below 1 MiB, and whose first n bytes sum up to 0; or
 * 0. */
uint findtable(uint start, uint end, const char *sig, uint n);

/* The physical address of the BIOS's extended data area, or 0: there is
 * none. */
uint ebda(void);

/* Do the n bytes at p sum up to 0, modulo 256?  Tables are made so that they
 * do. */
int checksum(const void *p, uint n);

/* Add to machine, if there is room: a processor, by the number of its local
 * APIC; an I/O APIC, by its physical address and the number of its first
 * input. */
void foundcpu(uint apicid);
void foundioapic(uint addr, uint gsi);

#endif
