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
	uint more;        /* so many numbers behind rdev are it, too; their
	                   * names are not devfs's */
	uint mode;        /* S_IFCHR | permissions of its file */
	const struct fileops *ops;
	int (*open)(struct file *); /* may refuse; may replace f->ops, f->priv;
	                             * f->off: which of its numbers.  Null:
	                             * nothing to do */
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

/* ttydev.c, for exit.c and procfs: */
struct session;
struct tty;
void ttyhangup(struct tty *);
/* s's leader, whose terminal t was, has died: a pseudo-terminal becomes free,
 * others hang up; the foreground group gets SIGHUP. */
void ttyleft(struct tty *t, struct session *s);
uint ttydev(struct tty *);    /* its device number, for /proc/PID/stat */
int ttypgrp(struct tty *);    /* foreground group */

/* pty.c, for the directory of slaves: who owns /dev/pts/N. */
struct ptsattr {
	uint mode, uid, gid;
	int64_t time; /* ns since 1970 */
};
int ptsnext(int n); /* the lowest one >= n that there is, or -1 */
/* Read or change (null: don't).  0, or -ENOENT: there is no such slave. */
int ptsattr(uint n, struct ptsattr *get, const struct ptsattr *set);
uint ptsrdev(uint n);

/* Power: 0 off, 1 reset, 2 halt (kern/dev/power.c); status is init's, for
 * panic=exit.  Do not return. */
void poweroff(void) __attribute__((noreturn));
void reset(void) __attribute__((noreturn));
void halt(void) __attribute__((noreturn));
void exitqemu(uint code); /* isa-debug-exit; returns if there is none */

#endif
