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

enum { /* counters of mm/vmstat.c, kept per CPU so that counting is free */
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
	struct uvm *uvm;   /* the address space in CR3, 0: the kernel's only */
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
	uint nswitch;      /* changes from one process to another */
	struct segdesc gdt[NSEGS];
	struct taskstate ts;
	volatile uint mail; /* bit per full slot of box (xcall.c) */
	struct xcall *volatile box[NCPU]; /* what each other CPU asks for */
};

extern struct cpu cpus[NCPU];
extern int ncpu; /* CPUs that run */

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

/* Is this CPU's ncli 0?  One instruction: between two the running process may
 * be moved to another CPU. */
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

/* Are interrupts off on this CPU?  For lockassert(), where a comment says
 * so. */
static inline int
interruptsoff(void)
{
	return !(readeflags() & FL_IF);
}

/* Turn interrupts off, and back on at the matching popcli if they were on
 * before the first pushcli.  They nest.  With interrupts on, ncli is 0 on any
 * CPU, whoever looks; which CPU this is holds only once they are off. */
static inline struct cpu *
pushcli(void)
{
	struct cpu *c;
	uint flags;

	if (__builtin_expect(ncliszero(), 1)) {
		flags = readeflags();
		cli(); /* before intena: a handler has a use for it too */
		c = mycpu();
		c->intena = flags & FL_IF;
	} else {
		c = mycpu();
	}
	c->ncli++;
	return c;
}

static inline void
popcli(void)
{
	struct cpu *c = mycpu();

	if (--c->ncli == 0 && c->intena)
		sti();
}

/* seg.c: give this CPU its GDT, TSS and %fs.  First thing a CPU does. */
void seginit(int id);

/* Let the double-fault task run in the address space that is loaded now; call
 * it once kvmalloc() has loaded the kernel's own. */
void dfinit(void);

/* Where the next trap from user mode puts its frame: the top of p's kernel
 * stack. */
void tssload(uint esp0);

/* Put the running process's thread descriptors into this CPU's GDT.  %gs must
 * be loaded after it.  Interrupts off. */
void tlsload(const struct segdesc tls[NTLS]);

/* cpu.c: what CPUID says (SDM 2A CPUID); zero where there is no CPUID. */
struct cpuinfo {
	char vendor[13];
	char brand[49];
	uint family, model, stepping;
	uint features;  /* CPUID.1:EDX */
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

/* Fill cpuinfo, once. */
void cpuinit(void);

/* Set the bits of CR4 that it allows, per CPU. */
void cpusetup(void);

/* smp.c: the TSCs of this machine differ: use cpu->tscoff. */
extern int tscskewed;

/* swtch.asm: save the callee-saved registers on this stack, its pointer in
 * *old, and continue on the stack new. */
struct context {
	uint edi, esi, ebx, ebp, eip;
};
void swtch(struct context **old, struct context *new);

/* fpu.c: x87 and SSE state (SDM 1 chapter 10.5).  fpu points to FPUSIZE bytes,
 * aligned to 16.  State is loaded at the first use after a switch (CR0.TS,
 * trap 7) and saved when the process that used it is switched out. */
#define FPUSIZE 512
void fpuinit(void);            /* once per CPU */
void fpureset(void *fpu);      /* the state of a new program */
void fpusave(void *fpu);       /* if the running process has it loaded: store it,
                                * and set TS.  Interrupts off. */
void fpudrop(void);            /* forget what is loaded (exec, sigreturn, exit) */
int fpuuse(void *fpu);         /* trap 7: clear TS, load the state; 0, or -1:
                                * this CPU has no FPU */
int fpucode(int simd);         /* traps 16 and 19: the si_code of SIGFPE that the
                                * loaded state asks for.  Interrupts off. */

/* usercopy.asm: copy between the kernel and user memory of the running
 * process, resolving faults on the way; may sleep, so no spinlock held.
 * A range that leaves user memory (below KERNBASE) fails as an unmapped one.
 * copyin and copyout return how many bytes were NOT copied: 0 is success. */
uint copyin(void *dst, uint uva, uint n);
uint copyout(uint uva, const void *src, uint n);
uint clearout(uint uva, uint n); /* zeroes */

/* Copy a string with its NUL, at most max bytes: its length without the NUL,
 * -EFAULT, or -ENAMETOOLONG when there is no NUL in max bytes. */
int copyinstr(char *dst, uint uva, uint max);

/* One aligned word of user memory: 0 or -EFAULT.  usercas changes it to new,
 * against all other CPUs, if it is *old: 0, or 1 with *old what it is instead.
 * With interrupts off (under a spinlock) no fault is resolved: -EFAULT then
 * says no more than that the page tables do not have it. */
int userload(uint uva, uint *val);
int usercas(uint uva, uint *old, uint new);

/* Can this CPU read (write) the word at uva without asking fault()?  Changes
 * nothing.  Interrupts off. */
int probeuser(uint uva, int write);

/* pit.c: the timer at HZ, and the time-stamp counter beside it. */
void pitinit(void);            /* calibrates the TSC (few ms), starts IRQ 0 */
extern uint tsckhz;            /* TSC ticks per millisecond, 0: no TSC */
uint64_t pitns(void);          /* no TSC: ns since pitinit, from ticks and the
                                * counter; monotonic */
void pittick(void);            /* count a tick, for pitns */

#endif
