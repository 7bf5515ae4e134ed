/*
 * xcall.c - run a function on other CPUs: TLB flushes, and stopping the world.
 *
 * Each CPU has a letter box with a slot for each sender, and a word with a bit
 * for each full slot.  The sender waits with interrupts off and empties its own
 * box meanwhile, as does who waits for a spinlock; so two CPUs that call each
 * other, or a caller that holds a lock which the other wants, do not wait for
 * ever.
 *
 * Invariants: a slot is written by its sender only while its bit is clear, which
 * it is when the last call of that sender has been answered; the call is not
 * touched by a receiver after it has decremented `left`.
 */
#include "arch/xcall.h"

#include "arch/lapic.h"
#include "arch/trap.h"
#include "arch/x86.h"
#include "kern/panic.h"

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

void
xcallwait(struct xcall *x)
{
	assert(mycpu()->ncli > 0);
	while (x->left > 0)
		cpurelax();
}

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
