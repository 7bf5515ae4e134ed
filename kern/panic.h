/* panic.h - stop the machine when one of our own invariants is broken. */
#ifndef KERN_PANIC_H
#define KERN_PANIC_H

#include "kern/types.h"

struct proc;
struct trapframe;

/* Print what broke, registers (of tf, when not 0), a backtrace with function
 * names and, for a page fault, its PDE and PTE; leave QEMU by isa-debug-exit
 * with 0x7e when panic=exit; halt.  Any context, any locks. */
void panic(const char *fmt, ...)
	__attribute__((noreturn, format(printf, 1, 2)));
void panictrap(struct trapframe *, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/* Stop this CPU, which was at tf: another one panics or halts.  Interrupts
 * off. */
void panicstop(struct trapframe *) __attribute__((noreturn));

extern volatile uint panicking; /* id + 1 of the CPU that panics, or 0 */

/* Backtrace from the frame pointer fp, names from the symbols in the image. */
void backtrace(uint fp);

/* Who called the function whose frame pointer is fp, innermost first, as far as
 * the kernel stack tells; the rest is 0. */
void callers(uint fp, uint at[]);

/* The i-th function of the kernel, by address: 1, or 0: there are fewer. */
int ksym(uint i, uint *addr, const char **name);

/* The function that p, asleep, called the scheduler from; 0: it cannot be told.
 * p does not go away. */
const char *sleepsin(struct proc *p);

/* Always on.  Never for an argument that came from a user. */
#define assert(e)                                                              \
	((e) ? (void)0 : panic("%s:%d: assert %s", __FILE__, __LINE__, #e))

#endif
