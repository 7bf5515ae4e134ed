/*
 * tlb.c - forget translations.
 *
 * A CPU caches page table entries, and directory entries too, until it is told
 * to forget them (SDM 3A 4.10).  One CPU runs today, so "every CPU that may hold
 * them" is this one, and only if the address space is loaded here: loading
 * another has already forgotten everything that is not global.
 *
 * What several CPUs add: after flushing here, send an interrupt to each other
 * CPU whose mycpu()->uvm is u and wait until each has flushed.  Callers need no
 * change: they hold u->lock and no spinlock, so that the others can answer, and
 * free a page only after these functions return.
 */
#include "arch/tlb.h"

#include "arch/cpu.h"
#include "arch/x86.h"

/* Forget the translation of va in u, wherever u is loaded. */
void
tlbshoot(struct uvm *u, uint va)
{
	if (u != mycpu()->uvm)
		return;
	invlpg(va);
	vmcount(VM_INVLPG);
}

/* Forget all of u's translations, likewise. */
void
tlbshootall(struct uvm *u)
{
	if (u != mycpu()->uvm)
		return;
	lcr3(rcr3());
	vmcount(VM_FLUSH);
}

/* Answer what other CPUs have asked of this one's TLB: nothing yet. */
void
tlbserve(void)
{
}

/* Forget a kernel translation on every CPU; global ones too. */
void
tlbshootkernel(uint va)
{
	invlpg(va);
	vmcount(VM_INVLPG);
}
