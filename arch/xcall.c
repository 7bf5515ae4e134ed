/*
 * xcall.c - run a function on other CPUs: TLB flushes, and stopping the world.
 *
 * Each CPU has a letter box (cpu->box) with a slot for each sender, and a word
 * (cpu->mail) with a bit for each slot that is full.  The sender waits with
 * interrupts off and empties its own box meanwhile.  So does a CPU that waits
 * for a spinlock.  Therefore two CPUs that call each other do not wait for
 * ever, nor does a sender that holds a spinlock which the other CPU wants.
 *
 * Invariants: a sender writes to its slot only while the slot's bit is clear,
 * which is so when that sender's last call has been answered.  A receiver does
 * not touch the call after it has decremented `left`: the sender's stack, where
 * the call is, may be used for something else then.
 */
#include "arch/xcall.h"

#include "arch/lapic.h"
#include "arch/trap.h"
#include "arch/x86.h"
#include "kern/panic.h"

/* See xcall.h. */
void
xcall(uint set, void (*fn)(void *), void *arg)
{
	struct xcall x = {fn, arg, 0};
	struct cpu *c = pushcli();

	xcallstart(&x, set);
	if (set & 1u << c->id)
		fn(arg);
	xcallwait(&x);
	popcli();
}

/* See xcall.h.  left begins as the number of all CPUs, and is lowered at once
 * for those that are not asked, so that it cannot reach 0 while some are still
 * to be asked. */
void
xcallstart(struct xcall *x, uint set)
{
	struct cpu *c = mycpu();
	int i;

	set &= ((1u << ncpu) - 1) & ~(1u << c->id);
	x->left = ncpu;
	for (i = 0; i < ncpu; i++) {
		if (!(set & 1u << i)) {
			(void)atomicdectest(&x->left);
			continue;
		}
		cpus[i].box[c->id] = x;
		atomicset(&cpus[i].mail, c->id);
		ipi(i, T_XCALL);
	}
}

/* See xcall.h. */
void
xcallwait(struct xcall *x)
{
	assert(mycpu()->ncli > 0);
	while (x->left > 0)
		cpurelax();
}

/* See xcall.h. */
void
xcallserve(void)
{
	struct cpu *c = mycpu();
	uint from = xchg(&c->mail, 0);
	struct xcall *x;

	for (; from; from &= from - 1) {
		x = c->box[__builtin_ctz(from)];
		x->fn(x->arg);
		(void)atomicdectest(&x->left);
	}
}
