/* power.c - off, reset, halt; and out of QEMU with an exit status. */
#include "kern/dev/dev.h"

#include "arch/lapic.h"
#include "arch/trap.h"
#include "arch/x86.h"
#include "kern/lib/printf.h"

#define SLEEP_EN 0x2000 /* ACPI PM1 control: enter the sleep state, S5 here */

/* The PM1 control register, where firmware we know puts it: QEMU with SeaBIOS
 * or OVMF; Bochs and QEMU before 2.0; VirtualBox. */
#define PM1_QEMU   0x604
#define PM1_BOCHS  0xB004
#define PM1_VBOX   0x4004
#define SLEEP_VBOX 0x3400

#define KBD       0x64 /* the keyboard controller drives the reset line */
#define KBD_BUSY  0x02
#define KBD_RESET 0xFE
#define DEBUGEXIT 0xF4 /* QEMU's isa-debug-exit */
#define POST      0x80 /* codes of the self test; reading does nothing */

static void delay(void);

/* Power the machine off; halt if it does not listen. */
void
poweroff(void)
{
	cli();
	outw(PM1_QEMU, SLEEP_EN);
	outw(PM1_BOCHS, SLEEP_EN);
	outw(PM1_VBOX, SLEEP_VBOX);
	delay(); /* QEMU takes a moment */
	printf("power off: no answer; it is safe to switch off now\n");
	halt();
}

/* Start the machine again: by the keyboard controller, or by a triple fault. */
void
reset(void)
{
	struct {
		uint16_t limit;
		uint base;
	} __attribute__((packed)) noidt = {0, 0};
	int i;

	cli();
	for (i = 0; i < 100000 && (inb(KBD) & KBD_BUSY); i++)
		pause();
	outb(KBD, KBD_RESET);
	delay();
	__asm__ volatile("lidt %0; int3" : : "m"(noidt));
	halt();
}

/* About a tenth of a second: an access to the old bus takes a microsecond. */
static void
delay(void)
{
	int i;

	for (i = 0; i < 100000; i++)
		inb(POST);
}

/* Stop for ever, and the other CPUs with us. */
void
halt(void)
{
	cli();
	ipiothers(T_STOP);
	for (;;)
		__asm__ volatile("hlt");
}

/* QEMU leaves with 2 * code + 1; returns if isa-debug-exit is not there. */
void
exitqemu(uint code)
{
	outb(DEBUGEXIT, code);
}
