/* machine.h - which processors and interrupt controllers there are. */
#ifndef ARCH_MACHINE_H
#define ARCH_MACHINE_H

#include "kern/param.h"
#include "kern/types.h"

#define NIOAPIC 4
#define NIRQ    16 /* interrupt lines of the ISA bus */

/* Polarity and trigger of a line, as both kinds of tables have it: 0 as the bus
 * has it (ISA: active high, edges). */
#define IRQ_LOW   0x2 /* with bit 0: 3 is active low, 1 active high */
#define IRQ_LEVEL 0x8 /* with bit 2: 0xC is level triggered, 4 edges */

/* What the firmware's tables say: filled by acpi.c or mp.c. */
struct machine {
	uint lapic; /* physical address of the local APICs; 0: no tables */
	int ncpu;   /* processors that may be used */
	uint8_t apicid[NCPU]; /* of the first NCPU of them */
	int nioapic;
	struct {
		uint addr; /* physical */
		uint gsi;  /* the number of its first input */
	} ioapic[NIOAPIC];
	struct {
		uint gsi;   /* the input that the ISA line is wired to */
		uint flags; /* IRQ_ */
	} irq[NIRQ];
	int imcr; /* a switch puts the 8259s in front of the boot CPU */
};

extern struct machine machine;

/* Fill machine.  Boot CPU, entrypgdir loaded, before memory is given out: the
 * tables may be anywhere. */
void machineinit(void);

/* Fill machine from ACPI's tables (acpi.c) or from those of the
 * MultiProcessor Specification (mp.c): 1, or 0 if there are none that can be
 * believed (machine is junk then). */
int acpiinit(void);
int mpinit(void);

/* For the two.  The n bytes at physical address pa, until the next call; 0 if
 * they are more than 4 MiB or go beyond 4 GiB.  They may be any junk. */
const void *lookat(uint pa, uint n);

/* The address of a structure that begins with sig, on a 16-byte boundary in
 * [start, end), below 1 MiB, whose first n bytes sum up to 0; or 0. */
uint findtable(uint start, uint end, const char *sig, uint n);

/* First bytes of the BIOS's extended data area; 0: there is none. */
uint ebda(void);

/* Do the n bytes sum up to 0? */
int checksum(const void *p, uint n);

/* Put one more into machine, if there is room. */
void foundcpu(uint apicid);
void foundioapic(uint addr, uint gsi);

#endif
