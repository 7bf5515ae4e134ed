/*
 * lookat.c - look at physical memory before kvmalloc() maps all of it.
 *
 * entrypgdir maps the first 4 MiB only, and the firmware's tables may be
 * anywhere below 4 GiB.  Two spare entries of entrypgdir, at VMAPBASE, are a
 * window on them: 8 MiB, so that any 4 MiB fit, wherever they begin.
 */
#include "arch/machine.h"

#include "arch/memlayout.h"
#include "arch/mmu.h"
#include "arch/x86.h"

#define WINDOW VMAPBASE

extern uint entrypgdir[]; /* entry.asm */

const void *
lookat(uint pa, uint n)
{
	uint first = pa & ~(SUPERSIZE - 1);

	if (n > SUPERSIZE || pa + n < pa)
		return 0;
	entrypgdir[PDX(WINDOW)] = first | PTE_P | PTE_PS;
	entrypgdir[PDX(WINDOW) + 1] = (first + SUPERSIZE) | PTE_P | PTE_PS;
	lcr3(rcr3()); /* forget where the window was before */
	return (const char *)WINDOW + (pa - first);
}
