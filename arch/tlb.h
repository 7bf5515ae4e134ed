/* tlb.h - forget translations, on every CPU that may hold them. */
#ifndef ARCH_TLB_H
#define ARCH_TLB_H

#include "arch/xcall.h"
#include "kern/types.h"

struct uvm;

/* Forget the translation of va in u, or those of n addresses, or all of u's,
 * wherever u is loaded.  The slots have changed before.  Return when no CPU can
 * use the old ones.  Callers hold u->lock, or the lock of the table. */
void tlbshoot(struct uvm *u, uint va);
void tlbshootmany(struct uvm *u, const uint va[], int n);
void tlbshootall(struct uvm *u);

/* Forget all user translations on every CPU: those of a table that several
 * address spaces hang.  As above. */
void tlbshootevery(void);

/* Forget a kernel translation on every CPU, likewise. */
void tlbshootkernel(uint va);

#endif
