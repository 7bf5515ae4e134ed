/*
 * cpu.h - what each processor has of its own.
 *
 * In the kernel %fs addresses this CPU's struct cpu (trapentry.asm loads it),
 * so mycpu() and myproc() are one instruction each.  Interrupts must be off
 * between mycpu() and the last use of its result, except for single reads of
 * fields that belong to the running process, as in myproc().
 */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include "arch/mmu.h"
#include "arch/x86.h"
#include "kern/param.h"

struct context;
struct proc;
struct uvm;

enum { /* counters of mm/vmstat.c; each CPU has its own, so that counting takes
        * one instruction without a lock */
	VM_MINFLT,     /* faults resolved without I/O */
	VM_MAJFLT,     /* faults that waited for I/O */
	VM_ZEROMAP,    /* reads that mapped the zero page */
	VM_ZEROFILL,   /* new pages of zeroes */
	VM_COWCOPY,    /* pages copied on write */
	VM_COWREUSE,   /* last owner kept its page */
	VM_TABLESHARE, /* page tables shared by fork */
	VM_TABLECOPY,  /* page tables copied on write */
	VM_TABLEREUSE, /* last owner kept its table */
	VM_CR3,        /* address spaces loaded */
	VM_INVLPG,     /* single translations flushed */
	VM_FLUSH,      /* whole TLBs flushed outside a switch */
	VM_SHOOT,      /* other CPUs asked to flush */
	VM_STACKGROW,  /* stacks extended by a fault */
	VM_OOM,        /* processes killed for lack of memory */
	NVMSTAT
};

enum { /* whose time a tick was, summed by /proc/stat */
	TICK_USER,
	TICK_NICE, /* user, with a nice level above 0 */
	TICK_SYSTEM,
	TICK_IDLE,
	NTICK
};

enum { /* interrupts, counted per CPU for /proc/interrupts: 16 lines, then */
	INTR_TIMER = 16,
	INTR_RESCHED,
	INTR_XCALL,
	INTR_ERROR,
	INTR_SPURIOUS,
	NINTR
};

struct cpu {
	struct cpu *self;  /* %fs:0, for mycpu() */
	struct proc *proc; /* %fs:4, the process that runs here */
	struct uvm *uvm;   /* the address space in CR3; 0: the kernel's own */
	int id;            /* index in cpus[] */
	int ncli;          /* depth of pushcli */
	int intena;        /* were interrupts on before the first pushcli? */
	volatile int resched; /* the running process should yield */
	struct proc *idle; /* runs when nothing else can */
	uint apicid;       /* of its local APIC */
	int64_t tscoff;    /* the boot CPU's TSC minus this one's */
	uint vm[NVMSTAT];  /* counters, summed by vmstat.c */
	uint ticks[NTICK]; /* of 1/HZ */
	uint intr[NINTR];  /* interrupts taken */
	uint nswitch;      /* switches from one process to another */
	struct segdesc gdt[NSEGS];
	struct taskstate ts;
	volatile uint mail; /* a bit for each full slot of box (xcall.c) */
	struct xcall *volatile box[NCPU]; /* what each other CPU asks for */
};

extern struct cpu cpus[NCPU];
extern int ncpu; /* CPUs that run */

/* The CPU that executes this.  Interrupts off while the result is used. */
static inline struct cpu *
mycpu(void)
{
	struct cpu *c;

	__asm__ volatile("movl %%fs:0, %0" : "=r"(c));
	return c;
}

/* The running process, or 0 before the first one. */
static inline struct proc *
myproc(void)
{
	struct proc *p;

	__asm__ volatile("movl %%fs:4, %0" : "=r"(p));
	return p;
}

/* Count an event, a constant of the enum above, on this CPU. */
#define vmcount(event)                                                         \
	__asm__ volatile("incl %%fs:%c0"                                       \
			 :                                                     \
			 : "i"(offsetof(struct cpu, vm) + 4 * (event))         \
			 : "memory", "cc")

/* Is this CPU's ncli 0: does it hold no spinlock, and is it in no pushcli()?
 * It is asked in one instruction, since between two the running process may be
 * moved to another CPU. */
static inline int
ncliszero(void)
{
	int zero;

	__asm__ volatile("cmpl $0, %%fs:%c1"
		: "=@ccz"(zero)
		: "i"(offsetof(struct cpu, ncli))
		: "memory");
	return zero;
}

/* Are interrupts off on this CPU?  For the lockassert() beside a comment that
 * says they are. */
static inline int
interruptsoff(void)
{
	return !(readeflags() & FL_IF);
}

/* Turn interrupts off until the matching popcli(), which turns them on again if
 * they were on before the first pushcli(); pairs nest.  Returns this CPU.
 * While interrupts are on, ncli is 0 on every CPU, so the first look needs no
 * care; which CPU this is can be asked only when they are off. */
static inline struct cpu *
pushcli(void)
{
	struct cpu *c;
	uint flags;

	if (__builtin_expect(ncliszero(), 1)) {
		flags = readeflags();
		cli(); /* before intena is written: a handler writes it, too */
		c = mycpu();
		c->intena = flags & FL_IF;
	} else {
		c = mycpu();
	}
	c->ncli++;
	return c;
}

/* The end of the matching pushcli().  Interrupts are off. */
static inline void
popcli(void)
{
	struct cpu *c = mycpu();

	if (--c->ncli == 0 && c->intena)
		sti();
}

/* seg.c: give the CPU that calls its segments, task states and %fs, as
 * cpus[id].  The first thing a CPU does in C: mycpu() works from then on.
 * Interrupts off. */
void seginit(int id);

/* Let this CPU's double-fault task run in the address space that is loaded now:
 * called once the kernel's own has been loaded. */
void dfinit(void);

/* Let the next trap from user mode on this CPU put its frame below esp0, the
 * top of the running process's kernel stack.  Interrupts off. */
void tssload(uint esp0);

/* Put the running process's thread descriptors into this CPU's GDT, and make
 * %gs null: it must be loaded after that, as the way out to user mode does.
 * Interrupts off. */
void tlsload(const struct segdesc tls[NTLS]);

/* cpu.c: what the boot CPU's CPUID says (SDM 2A, CPUID); the others are taken
 * to be equal. */
struct cpuinfo {
	char vendor[13];
	char brand[49];
	uint family, model, stepping;
	uint features; /* CPUID.1:EDX: the bits CPU_ below, among others */
};

extern struct cpuinfo cpuinfo;

#define CPU_FPU  (1u << 0)
#define CPU_PSE  (1u << 3)
#define CPU_TSC  (1u << 4)
#define CPU_APIC (1u << 9)
#define CPU_PGE  (1u << 13)
#define CPU_CMOV (1u << 15)
#define CPU_FXSR (1u << 24)
#define CPU_SSE  (1u << 25)

/* Fill cpuinfo.  Boot CPU, once. */
void cpuinit(void);

/* Set the bits of CR4 that cpuinfo allows; each CPU calls it once. */
void cpusetup(void);

/* smp.c: 1 if the TSCs of this machine differ; then a time of the TSC is the
 * same on all CPUs only after cpu->tscoff has been added. */
extern int tscskewed;

/* swtch.asm: save the callee-saved registers on this stack, as a struct
 * context, and its address in *old; continue where the context new was saved.
 * Returns when somebody switches back.  Interrupts off. */
struct context {
	uint edi, esi, ebx, ebp, eip;
};
void swtch(struct context **old, struct context *new);

/*
 * fpu.c: x87 and SSE state (SDM 1 10.5).  fpu points to FPUSIZE bytes, aligned
 * to 16, in the running process (p->fpu).  State is loaded at the first use
 * after a switch (CR0.TS, vector 7) and saved when the process that used the
 * FPU is switched out.
 */
#define FPUSIZE 512

/* Set up the FPU of the CPU that calls, if it has one.  Each CPU, once. */
void fpuinit(void);

/* Fill fpu with the state that a new program begins with. */
void fpureset(void *fpu);

/* If the FPU holds the running process's state, store it in fpu; the next use
 * traps, and loads it again.  Interrupts off. */
void fpusave(void *fpu);

/* Forget the running process's state that the FPU holds, if it does (exec,
 * sigreturn, exit); the next use traps, and loads p->fpu. */
void fpudrop(void);

/* Vector 7, the first use: load the state at fpu, and let further uses not
 * trap. 0, or -1: this machine has no FPU. */
int fpuuse(void *fpu);

/* Vectors 16 and 19 (simd): the si_code of SIGFPE that the loaded state asks
 * for.  Interrupts off. */
int fpucode(int simd);

/* usercopy.asm: copy n bytes between the kernel and user memory of the running
 * process, or clear n bytes there.  Faults are resolved on the way, so it may
 * sleep: no spinlock held (pagefault() panics otherwise).  Addresses from
 * KERNBASE on count as unmapped.  Returns how many bytes were NOT copied: 0 is
 * success. */
uint copyin(void *dst, uint uva, uint n);
uint copyout(uint uva, const void *src, uint n);
uint clearout(uint uva, uint n);

/* Copy a string with its NUL from user memory, max bytes at most: its length
 * without the NUL, -EFAULT, or -ENAMETOOLONG when there is no NUL in max bytes.
 * No spinlock held. */
int copyinstr(char *dst, uint uva, uint max);

/* Read one aligned word of user memory into *val: 0 or -EFAULT.  usercas()
 * changes the word to new if it is *old, in one step for all CPUs: 0, or 1 when
 * it was not and *old has become what it is; or -EFAULT.  With interrupts off
 * (under a spinlock) no fault is resolved: then -EFAULT means only that the
 * page tables do not have the page now. */
int userload(uint uva, uint *val);
int usercas(uint uva, uint *old, uint new);

/* Can this CPU read (or with write: write) the word at the user address uva, as
 * its page tables and its TLB are, without a fault?  1 or 0; changes nothing.
 * Interrupts off. */
int probeuser(uint uva, int write);

/* pit.c: measure the TSC (a few ms), and start the timer, which raises IRQ 0 HZ
 * times a second.  Boot CPU, interrupts off. */
void pitinit(void);

extern uint tsckhz; /* TSC ticks per millisecond; 0: there is no TSC */

/* Nanoseconds since pitinit(), for machines without a TSC; never goes back. */
uint64_t pitns(void);

/* Count a tick, for pitns().  From the boot CPU's timer interrupt. */
void pittick(void);

#endif
