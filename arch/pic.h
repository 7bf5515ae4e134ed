/* pic.h - the two 8259A interrupt controllers, for machines without APICs. */
#ifndef ARCH_PIC_H
#define ARCH_PIC_H

#define PICCASCADE 2 /* the line of the first on which the second hangs */

/* Set up both chips, with every line masked.  Boot CPU, interrupts off. */
void picinit(void);

/* Let the line irq (0 to 15) interrupt the boot CPU.  No lock: only one CPU
 * runs where the 8259s are used. */
void picunmask(int irq);

/* Acknowledge an interrupt of the line irq: 1, or 0 if it was a spurious one,
 * which is to be ignored.  Interrupts off. */
int picack(int irq);

#endif
