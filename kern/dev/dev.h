/* dev.h - character devices: drivers register, open() of a device file finds
 * them by number.  The only way between kern/fs and kern/dev. */
#ifndef KERN_DEV_DEV_H
#define KERN_DEV_DEV_H

#include "kern/file.h"

#define makedev(major, minor) ((uint)((major) << 8 | (minor)))
#define major(dev)            ((dev) >> 8 & 0xfff)
#define minor(dev)            ((dev)&0xff)

struct device {
	const char *name; /* in /dev */
	uint rdev;
	uint mode;        /* S_IFCHR | permissions of its file */
	const struct fileops *ops;
	int (*open)(struct file *); /* may refuse; may replace f->ops, f->priv;
	                             * null: nothing to do */
	void *priv;
	struct list link;
};

void devregister(struct device *); /* at boot; appears in /dev */
struct device *devfind(uint rdev); /* 0: none (open returns -ENXIO) */
void deveach(int (*fn)(struct device *, void *), void *);

/* Boot: uart early (printf works from then on), the rest before init. */
void uartearly(void);    /* COM1 at 0x3f8, 115200 8N1; polled output */
void consoleearly(void); /* VGA text at 0xb8000 */
void devinit(void);      /* mem devices, tty, uart and keyboard interrupts */

int64_t rtcread(void);   /* CMOS clock: seconds since 1970, UTC */

/* tty.c, for proc.c and procfs: */
struct tty;
void ttyhangup(struct tty *); /* session leader died: SIGHUP, give it up */
uint ttydev(struct tty *);    /* its device number, for /proc/PID/stat */
int ttypgrp(struct tty *);    /* foreground group */

/* Power: 0 off, 1 reset, 2 halt (kern/dev/power.c); status is init's, for
 * panic=exit.  Do not return. */
void poweroff(void) __attribute__((noreturn));
void reset(void) __attribute__((noreturn));
void halt(void) __attribute__((noreturn));
void exitqemu(uint code); /* isa-debug-exit; returns if there is none */

#endif
