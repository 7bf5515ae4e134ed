/* ioapic.h - the I/O APICs: interrupt lines to the local APICs. */
#ifndef ARCH_IOAPIC_H
#define ARCH_IOAPIC_H

/* Mask every input of all I/O APICs: 1, or 0 if there are none, or one that
 * does not answer.  Boot CPU, with the device window (DEVSPACE) mapped. */
int ioapicinit(void);

/* Let the ISA line irq interrupt the boot CPU with this vector.  Called by one
 * CPU at a time: at boot, and by the first process as it starts the drivers. */
void ioapicroute(int irq, int vector);

#endif
