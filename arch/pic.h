/* pic.h - the two 8259A interrupt controllers, for machines without APICs. */
#ifndef ARCH_PIC_H
#define ARCH_PIC_H

#define PICCASCADE 2 /* the line of the first on which the second hangs */

/* Set up both with every line masked.  Interrupts off. */
void picinit(void);

/* Let the line interrupt us.  One CPU uses the 8259s: no lock. */
void picunmask(int irq);

/* Acknowledge an interrupt of the line: 1, or 0 if it was none. */
int picack(int irq);

#endif
