/* ioapic.h - the I/O APICs: interrupt lines to the local APICs. */
#ifndef ARCH_IOAPIC_H
#define ARCH_IOAPIC_H

/* Mask every input: 1, or 0 if there is no I/O APIC that answers.  Boot CPU,
 * with the device window mapped. */
int ioapicinit(void);

/* Let the ISA line irq interrupt the boot CPU with this vector.  Boot CPU,
 * before the others run. */
void ioapicroute(int irq, int vector);

#endif
