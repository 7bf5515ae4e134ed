/*
 * dev.c - the devices there are, by number, and the order in which they start.
 *
 * Invariant: the list only grows, and only at boot, before anybody looks.
 */
#include "kern/dev/dev.h"
#include "kern/dev/tty.h"
#include "arch/multiboot.h"
#include "kern/lib/list.h"
#include "kern/lib/string.h"

static struct list devices = {&devices, &devices};

enum { CONSOLE_VGA, CONSOLE_SERIAL };

static int consolewanted(int kind);

/* Add a device; drivers call this at boot. */
void
devregister(struct device *d)
{
	listadd(&devices, &d->link);
}

/* The device with that number, or 0. */
struct device *
devfind(uint rdev)
{
	struct device *d;

	listeach(d, &devices, link) {
		if (rdev - d->rdev <= d->more)
			return d;
	}
	return 0;
}

/* Call fn for each device, until it returns an error. */
void
deveach(int (*fn)(struct device *, void *), void *arg)
{
	struct device *d;

	listeach(d, &devices, link) {
		if (fn(d, arg) < 0)
			return;
	}
}

/* Find the hardware and let it interrupt.  printf's output goes to the consoles
 * that console= names, or to all of them; /dev/console is the last named. */
void
devinit(void)
{
	int named = consolewanted(CONSOLE_VGA) || consolewanted(CONSOLE_SERIAL);
	struct tty *serial, *vga;

	meminit();
	serial = uartinit(named && !consolewanted(CONSOLE_SERIAL));
	vga = consoleinit(named && !consolewanted(CONSOLE_VGA));
	kbdinit(vga);
	ptyinit();
	ttydevices(vga, serial, consolewanted(CONSOLE_VGA) >
		consolewanted(CONSOLE_SERIAL) ? vga : serial);
}

/* Where on the command line a console= last names the kind of console: greater
 * is later, 0 is nowhere. */
static int
consolewanted(int kind)
{
	const char *s = bootinfo.cmdline;
	int at = 0;

	while (*s && strncmp(s, "-- ", 3) != 0) {
		if (strncmp(s, "console=tty", 11) == 0 &&
			(s[11] == 'S') == (kind == CONSOLE_SERIAL))
			at = s - bootinfo.cmdline + 1;
		while (*s && *s != ' ')
			s++;
		while (*s == ' ')
			s++;
	}
	return at;
}
