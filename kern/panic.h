/* panic.h - stop the machine when one of the kernel's invariants is broken. */
#ifndef KERN_PANIC_H
#define KERN_PANIC_H

#include "kern/types.h"

struct proc;
struct trapframe;

/* Print what broke and a backtrace with function names, and which locks this
 * CPU holds.  Then leave QEMU by isa-debug-exit with 0x7e if the boot
 * argument panic=exit was given, or halt.  May be called anywhere, with any
 * locks held. */
void panic(const char *fmt, ...)
	__attribute__((noreturn, format(printf, 1, 2)));

/* Panic for an exception that interrupted tf: prints also the registers of tf
 * and, for a page fault, the PDE and PTE of its address. */
void panictrap(struct trapframe *, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/* Stop this CPU for good, since another one panics or halts.  tf is what this
 * CPU was doing, or 0 if that is not to be printed.  Called with interrupts
 * off. */
void panicstop(struct trapframe *) __attribute__((noreturn));

extern volatile uint panicking; /* id + 1 of the CPU that panics, or 0 */

/* Print the functions that called each other, innermost first, from the frame
 * pointer fp on. */
void backtrace(uint fp);

/* Fill at[NCALLERS] with the return addresses from the frame pointer fp on,
 * innermost first, as far as they lie on the running thread's kernel stack; the
 * rest of at[] is 0. */
void callers(uint fp, uint at[]);

/* Store the address and name of the i-th function of the kernel, by rising
 * address:  1, or 0 if there are fewer. */
int ksym(uint i, uint *addr, const char **name);

/* Return the name of the function in which p sleeps, or 0 if p is not asleep or
 * its stack does not tell.  The caller sees to it that p is not freed
 * meanwhile. */
const char *sleepsin(struct proc *p);

/* Panic if e is false, in release builds too.  Never used to check what came
 * from a user. */
#define assert(e)                                                              \
	((e) ? (void)0 : panic("%s:%d: assert %s", __FILE__, __LINE__, #e))

#endif
