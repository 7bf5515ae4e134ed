/* tlb.h - forget translations, on every CPU that may hold them. */
#ifndef ARCH_TLB_H
#define ARCH_TLB_H

#include "arch/x86.h"
#include "kern/types.h"

struct uvm;

/* Forget the translation of va in u, wherever u is loaded.  Returns when no
 * CPU can use the old one.  Callers hold u->lock; no spinlock held. */
void tlbshoot(struct uvm *u, uint va);

/* Forget all of u's translations, likewise. */
void tlbshootall(struct uvm *u);

/* Forget a kernel translation on every CPU. */
void tlbshootkernel(uint va);

/* Answer what other CPUs have asked of this one's TLB.  Interrupts off. */
void tlbserve(void);

/* In every loop that waits for another CPU with interrupts off: that one may be
 * waiting for this one's TLB. */
static inline void
cpurelax(void)
{
	pause();
}

#endif
