/* multiboot.h - what the boot loader told us (Multiboot 0.6.96, section 3.3),
 * copied out before anything is overwritten. */
#ifndef ARCH_MULTIBOOT_H
#define ARCH_MULTIBOOT_H

#include "kern/types.h"

#define MULTIBOOT_MAGIC 0x2BADB002
#define NMEMRANGE       64
#define NMODULE         8

struct memrange {
	uint64_t start, end; /* [start, end), physical, multiples of PGSIZE */
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
	char cmdline[1024]; /* without the file name that QEMU puts first */
	char loader[64];
};

extern struct bootinfo bootinfo;

/* Fill bootinfo from what the loader has left in low memory: magic is the
 * number that it passes in eax, info the physical address that it passes in
 * ebx.  Panics with a clear message if it was no multiboot loader or gave no
 * memory map.  Boot CPU, entrypgdir loaded, before any memory is given out. */
void multibootinit(uint magic, uint info);

/* Copy the VALUE of KEY=VALUE on the command line to buf, which has n bytes,
 * cut short if need be, with a NUL: its length in buf, or -1 if there is no
 * such key.  The last one counts; words behind a lone -- are not looked at. */
int bootarg(const char *key, char *buf, uint n);

/* Is this word on the command line (quiet, ro), before a lone --? */
int bootflag(const char *word);

#endif
