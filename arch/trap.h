/* trap.h - the frame that trapentry.asm builds, vectors, and interrupt
 * lines. */
#ifndef ARCH_TRAP_H
#define ARCH_TRAP_H

#include "kern/types.h"
#include "arch/mmu.h"

/* What is on the kernel stack after a trap, from esp up.  The first six words
 * are the arguments of a system call in their order.  trap.c asserts the
 * offsets that trapentry.asm uses. */
struct trapframe {
	uint ebx, ecx, edx, esi, edi, ebp, eax;
	uint gs, fs, es, ds;
	uint trapno;
	uint err; /* error code, or for a system call its number (orig_eax) */
	uint eip, cs, eflags; /* pushed by the CPU */
	uint esp, ss;         /* pushed by the CPU, from user mode only */
};

enum { /* vectors; the CPU's own exceptions are below 32 (SDM 3A table 6-1) */
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
	T_IRQ0 = 32, /* to T_IRQ0 + 15: lines of devices */
	T_SYSCALL = 0x80,
	/* from local APICs; the vector's high digit is its priority */
	T_TIMER = 0xE0,
	T_RESCHED = 0xE1,  /* cpus[].resched has been set: yield */
	T_XCALL = 0xF0,    /* run a function for another CPU: arch/xcall.h */
	T_STOP = 0xF1,     /* another CPU panics or halts */
	T_APICERR = 0xFE,
	T_SPURIOUS = 0xFF, /* gone before it could be taken: no EOI */
};

/* Did the trap interrupt user mode (ring 3)?  Else the kernel. */
static inline int
usermode(const struct trapframe *tf)
{
	return (tf->cs & 3) == 3;
}

/* Fill the interrupt descriptor table (IDT), which all CPUs share: once, by the
 * boot CPU. */
void trapinit(void);

/* Let this CPU use the IDT; each CPU calls it once. */
void idtload(void);

/* Return to user mode through the running process's frame, p->tf (the tail of
 * trapentry.asm).  A new process starts here. */
void trapret(void);

/* Give the line irq of the ISA bus (0 to 15, but not PICCASCADE) this handler,
 * and let the line interrupt.  The handler runs with interrupts off, on the
 * boot CPU, after the line has been acknowledged.  Called at boot, before other
 * CPUs run: no lock. */
void irqset(int irq, const char *name, void (*handler)(struct trapframe *));

/* A handler of a line that devices may share.  The driver keeps it for ever. */
struct irqshare {
	const char *name;           /* for /proc/interrupts */
	void (*handler)(void *arg); /* called at each interrupt of the line */
	void *arg;
	struct irqshare *next;      /* of the line; irq.c's own */
};

/* Add a handler to those of the line irq, and let the line interrupt.  pci: the
 * line is one of the PCI bus, which devices hold until they have been served;
 * so the I/O APIC's is acknowledged after all handlers.  Called by the first
 * process while it starts the drivers, one call at a time: no lock.  Handlers
 * as above. */
void irqshare(int irq, struct irqshare *, int pci);

/* The name of the n-th handler of the line irq, from 0; or 0: there are
 * fewer. */
const char *irqname(int irq, int n);

/* Serve the interrupt of a line: acknowledge it and call its handlers.  From
 * trap(), with interrupts off. */
void irqtrap(struct trapframe *);

#endif
