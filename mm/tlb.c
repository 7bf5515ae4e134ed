/*
 * tlb.c - forget translations.
 *
 * A CPU caches page table entries, and directory entries too, until it is told
 * to forget them (SDM 3A 4.10); no CPU can be told from outside, so each runs
 * flushhere() (SDM 3A 4.10.5: "propagation of paging-structure changes").
 *
 * Which CPUs: those whose bit in uvmcpus(u) is set.  A CPU sets its bit before it
 * loads u and clears it after it has loaded another; the caller changes the slot,
 * fences, and then looks.  So a CPU whose bit it does not see loads u, and reads
 * the slot, after the change.
 *
 * A CPU that has u loaded and runs nobody of u's (it is idle, or in a thread of
 * the kernel) does not flush but lets go of u: it is asked once, not each time.
 */
#include "arch/tlb.h"

#include "arch/cpu.h"
#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/proc.h"

#define MANY 8 /* more single flushes than this cost more than a whole one */

struct flush {
	struct uvm *uvm; /* 0: the kernel's */
	const uint *va;
	int n;           /* of va[]; 0: all */
};

static void shoot(struct flush *, uint set);
static void flushhere(void *);

void
tlbshoot(struct uvm *u, uint va)
{
	if (ncpu > 1) {
		tlbshootmany(u, &va, 1);
	} else if (mycpu()->uvm == u) {
		invlpg(va);
		vmcount(VM_INVLPG);
	}
}

void
tlbshootmany(struct uvm *u, const uint va[], int n)
{
	struct flush f = {u, va, n > MANY ? 0 : n};

	fence(); /* the change, before the look */
	shoot(&f, uvmcpus(u));
}

void
tlbshootall(struct uvm *u)
{
	tlbshootmany(u, 0, 0);
}

void
tlbshootevery(void)
{
	struct flush f = {0, 0, 0};

	fence();
	shoot(&f, (1u << ncpu) - 1);
}

void
tlbshootkernel(uint va)
{
	struct flush f = {0, &va, 1};

	shoot(&f, (1u << ncpu) - 1);
}

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

/* On each CPU of the set, interrupts off. */
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
