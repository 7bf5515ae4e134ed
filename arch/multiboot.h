/* multiboot.h - what the boot loader told us (Multiboot 0.6.96, section 3.3),
 * copied out before anything is overwritten. */
#ifndef ARCH_MULTIBOOT_H
#define ARCH_MULTIBOOT_H

#include "kern/types.h"

#define MULTIBOOT_MAGIC 0x2BADB002
#define NMEMRANGE       64
#define NMODULE         8

struct memrange {
	uint64_t start, end; /* [start, end), physical, page aligned inwards */
};

struct bootmodule {
	uint start, end; /* [start, end), physical bytes */
	char name[64];
};

struct bootinfo {
	int nram;
	struct memrange ram[NMEMRANGE]; /* usable, sorted, disjoint, < 4 GiB */
	int nmodule;
	struct bootmodule module[NMODULE];
	char cmdline[1024]; /* without the file name QEMU puts first */
	char loader[64];
};

extern struct bootinfo bootinfo;

/* Copy everything out of low memory (which entrypgdir maps below 4 MiB; the
 * structures of GRUB and QEMU lie there).  Applies mem=SIZE. Panics with a
 * clear message if there is no memory map. */
void multibootinit(uint magic, uint info);

/* The value of KEY=VALUE on the command line, copied to buf: its length, or -1
 * if the key is absent.  Words after a lone -- are not looked at. */
int bootarg(const char *key, char *buf, uint n);

/* Is the word on the command line by itself (quiet, ro)? */
int bootflag(const char *word);

#endif
