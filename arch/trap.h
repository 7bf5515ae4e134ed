/* trap.h - the frame that trapentry.asm builds, and interrupt lines. */
#ifndef ARCH_TRAP_H
#define ARCH_TRAP_H

#include "kern/types.h"
#include "arch/mmu.h"

/* On the kernel stack after a trap.  The first six words are the arguments of
 * a system call in their order.  Offsets are asserted against the assembly. */
struct trapframe {
	uint ebx, ecx, edx, esi, edi, ebp, eax;
	uint gs, fs, es, ds;
	uint trapno;
	uint err; /* error code, or for a system call its number (orig_eax) */
	uint eip, cs, eflags; /* pushed by the CPU */
	uint esp, ss;         /* likewise, from user mode only */
};

enum { /* SDM 3A table 6-1 */
	T_DIVIDE = 0,
	T_DEBUG = 1,
	T_NMI = 2,
	T_BRKPT = 3,
	T_OFLOW = 4,
	T_BOUND = 5,
	T_ILLOP = 6,
	T_DEVICE = 7,
	T_DBLFLT = 8,
	T_TSS = 10,
	T_SEGNP = 11,
	T_STACK = 12,
	T_GPFLT = 13,
	T_PGFLT = 14,
	T_FPERR = 16,
	T_ALIGN = 17,
	T_MCHK = 18,
	T_SIMDERR = 19,
	T_IRQ0 = 32,
	T_SYSCALL = 0x80,
	/* from local APICs; the high digit is the priority */
	T_TIMER = 0xE0,
	T_RESCHED = 0xE1,  /* cpus[].resched has been set: yield */
	T_XCALL = 0xF0,    /* run a function for another CPU: arch/xcall.h */
	T_STOP = 0xF1,     /* another CPU panics or halts */
	T_APICERR = 0xFE,
	T_SPURIOUS = 0xFF, /* gone before it could be taken: no EOI */
};

static inline int
usermode(const struct trapframe *tf)
{
	return (tf->cs & 3) == 3;
}

void trapinit(void); /* fill the IDT, once */
void idtload(void);  /* use it, per CPU */

/* Return to user mode through the frame at the top of the running process's
 * kernel stack (tail of trapentry.asm).  A new process starts here. */
void trapret(void);

/* Interrupt lines 0-15 of the ISA bus.  The handler runs with interrupts off, on
 * the boot CPU; the line is acknowledged before it is called.  irqset() is for
 * the boot, before other CPUs run. */
void irqset(int irq, const char *name, void (*handler)(struct trapframe *));

/* A line that devices may share: each one's handler is called.  Lines of the PCI
 * bus (pci) are held until all devices on them are served.  In the first
 * process, one caller at a time. */
struct irqshare {
	const char *name;
	void (*handler)(void *arg);
	void *arg;
	struct irqshare *next; /* irq.c's */
};
void irqshare(int irq, struct irqshare *, int pci);

/* The name of the n-th handler of the line; 0: it has not so many. */
const char *irqname(int irq, int n);
void irqtrap(struct trapframe *); /* from trap(): acknowledge, call the handler */

/* What the upper half offers to trap.c (the one upward call of arch/):
 *   mm/mm.h        fault()
 *   kern/sys/syscall.h syscall()
 *   kern/signal/signal.h  sigfault()
 *   kern/sched.h   userret(), preempt() */

#endif
