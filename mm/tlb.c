/*
 * tlb.c - forget translations, on every CPU that may hold them.
 *
 * A CPU caches page table entries, and directory entries too, until it is told
 * to forget them (SDM 3A 4.10).  No CPU can be told from outside, so each of
 * them runs flushhere(), in an interrupt that arch/xcall.c sends (SDM 3A
 * 4.10.5: "propagation of paging-structure changes").
 *
 * Which CPUs: those whose bit in uvmcpus(u) is set.  A CPU sets its bit before
 * it loads u and clears the bit after it has loaded another address space.  The
 * caller changes the slot, fences, and then reads the bits.  So a CPU whose bit
 * is not set then loads u, and reads the slot, after the change.
 *
 * A CPU that has u loaded but runs no thread of u's (the CPU is idle, or in a
 * thread of the kernel) does not flush.  It loads the kernel's own directory
 * instead, so that it is asked once and not at each change that follows.
 */
#include "mm/vm.h"
#include "arch/xcall.h"
#include "kern/proc.h"

#define MANY 8 /* more single flushes than this cost more than a whole one */

struct flush {           /* what each CPU shall forget */
	struct uvm *uvm; /* translations of this one; 0: not of one alone */
	const uint *va;  /* n virtual addresses */
	int n;           /* 0: all user addresses */
};

static void shoot(struct flush *, uint set);
static void flushhere(void *);

/* See vm.h.  With one CPU there is nobody to ask. */
void
tlbshoot(struct uvm *u, uint va)
{
	lockassert(holdingeither(&u->lock) || u->ref == 0 || u->cpus == 0);
	if (ncpu > 1) {
		tlbshootmany(u, &va, 1);
	} else if (mycpu()->uvm == u) {
		invlpg(va);
		vmcount(VM_INVLPG);
	}
}

/* See vm.h.  The fence puts the change of the slots before the look at the bits
 * of the CPUs. */
void
tlbshootmany(struct uvm *u, const uint va[], int n)
{
	struct flush f = {u, va, n > MANY ? 0 : n};

	lockassert(holdingeither(&u->lock) || u->ref == 0 || u->cpus == 0);
	fence();
	shoot(&f, uvmcpus(u));
}

/* See vm.h. */
void
tlbshootall(struct uvm *u)
{
	tlbshootmany(u, 0, 0);
}

/* See vm.h. */
void
tlbshootevery(void)
{
	struct flush f = {0, 0, 0};

	fence();
	shoot(&f, (1u << ncpu) - 1);
}

/* See vm.h. */
void
tlbshootkernel(uint va)
{
	struct flush f = {0, &va, 1};

	shoot(&f, (1u << ncpu) - 1);
}

/* Run flushhere(f) on each CPU whose bit is in set, this one perhaps among
 * them, and wait until all have done so. */
static void
shoot(struct flush *f, uint set)
{
	struct cpu *c = pushcli();
	uint here = 1u << c->id;

	if (set & ~here) {
		vmcount(VM_SHOOT);
		xcall(set, flushhere, f);
	} else if (set & here) {
		flushhere(f);
	}
	popcli();
}

/* Do what a struct flush says on this CPU.  Interrupts are off. */
static void
flushhere(void *arg)
{
	struct flush *f = arg;
	struct cpu *c = mycpu();
	int i;

	if (f->uvm && c->uvm != f->uvm)
		return; /* it has loaded another meanwhile */
	if (f->uvm && (c->proc == 0 || c->proc->uvm != f->uvm)) {
		switchuvm(0);
		return;
	}
	if (f->n == 0) {
		lcr3(rcr3());
		vmcount(VM_FLUSH);
		return;
	}
	for (i = 0; i < f->n; i++) {
		invlpg(f->va[i]);
		vmcount(VM_INVLPG);
	}
}
