/*
 * trap.c - every exception, interrupt and fault of the CPU comes through here;
 * the one file in arch/ that calls up.
 *
 * From user mode an exception becomes a signal, unless it can be resolved (page
 * faults, the first use of the FPU).  In the kernel the only exceptions that are
 * not our own bugs come from the instructions listed in .extable: those that
 * copy user memory, and those that load the user's segments on the way out.
 */
#include "arch/trap.h"

#include "arch/cpu.h"
#include "arch/lapic.h"
#include "arch/memlayout.h"
#include "arch/x86.h"
#include "arch/xcall.h"
#include "mm/mm.h"
#include "kern/panic.h"
#include "kern/proc.h"
#include "kern/signal/ptrace.h"
#include "kern/sched.h"
#include "kern/sys/syscall.h"

/* What trapentry.asm takes for granted. */
_Static_assert(offsetof(struct trapframe, cs) == 14 * 4, "TF_CS");
_Static_assert(PF_WRITE == PROT_WRITE, "resolve");
_Static_assert(sizeof(struct trapframe) == 18 * 4, "struct trapframe");
_Static_assert(offsetof(struct proc, tf) == 0, "PROC_TF");
_Static_assert(offsetof(struct proc, work) == 4, "PROC_WORK");
_Static_assert(offsetof(struct proc, entry) == 8, "PROC_ENTRY");
_Static_assert(offsetof(struct cpu, proc) == 4, "CPU_PROC");
_Static_assert(offsetof(struct cpu, resched) == 24, "CPU_RESCHED");

#define GATE_INT  0x8E00 /* interrupts go off (SDM 3A 6.11) */
#define GATE_TRAP 0x8F00 /* interrupts stay as they are */
#define GATE_TASK 0x8500
#define GATE_USER 0x6000 /* int n may come here from ring 3 */

#define VECTORSIZE 16

/* si_code of the signals below (linux asm-generic/siginfo.h). */
#define SI_KERNEL  0x80
#define FPE_INTDIV 1
#define ILL_ILLOPN 2
#define ILL_COPROC 7
#define BUS_ADRALN 1

struct gate {
	uint lo, hi;
};

struct extable {
	uint eip;   /* an instruction that may fault */
	uint fixup; /* where to go on if it does */
};

extern char vectors[];
extern void syscallentry(void);
extern const struct extable extable[], eextable[];

void trap(struct trapframe *tf);
void pagefault(struct trapframe *tf);

static struct gate idt[256];

static void setgate(int n, uint entry, uint type);
static void apictrap(struct trapframe *tf);
static void exception(struct trapframe *tf);
static void userexception(struct trapframe *tf, int sig, int code, uint addr);
static void kernelfault(struct trapframe *tf);
static int resolve(struct proc *p, uint va, uint err);
static uint findfixup(uint eip);
static int inuserwords(uint eip);

/* Fill the IDT, once. */
void
trapinit(void)
{
	int i;

	for (i = 0; i < 256; i++)
		setgate(i, (uint)vectors + VECTORSIZE * i, GATE_INT);
	setgate(T_BRKPT, (uint)vectors + VECTORSIZE * T_BRKPT,
		GATE_INT | GATE_USER);
	setgate(T_OFLOW, (uint)vectors + VECTORSIZE * T_OFLOW,
		GATE_INT | GATE_USER);
	setgate(T_SYSCALL, (uint)syscallentry, GATE_TRAP | GATE_USER);
	idt[T_DBLFLT].lo = SEG_DFTSS << 3 << 16;
	idt[T_DBLFLT].hi = GATE_TASK;
}

static void
setgate(int n, uint entry, uint type)
{
	idt[n].lo = KCODE << 16 | (entry & 0xFFFF);
	idt[n].hi = (entry & 0xFFFF0000) | type;
}

/* Use the IDT, per CPU. */
void
idtload(void)
{
	struct {
		uint16_t limit;
		uint base;
	} __attribute__((packed)) idtr = {sizeof(idt) - 1, (uint)idt};

	__asm__ volatile("lidt %0" : : "m"(idtr));
}

/* All but page faults and system calls, from trapentry.asm, with interrupts off.
 * After a trap from user mode it runs userret() if there is work. */
void
trap(struct trapframe *tf)
{
	uint n = tf->trapno;

	if (usermode(tf))
		myproc()->tf = tf;
	if (n - T_IRQ0 < 16)
		irqtrap(tf);
	else if (n >= T_TIMER)
		apictrap(tf);
	else if (usermode(tf))
		exception(tf);
	else
		kernelfault(tf);
	if (!usermode(tf) && (tf->eflags & FL_IF))
		preempt();
}

/* This CPU's timer, or another CPU.  T_RESCHED only ends a halt, or user mode:
 * its sender has set mycpu()->resched. */
static void
apictrap(struct trapframe *tf)
{
	struct cpu *c = mycpu();

	if (tf->trapno != T_SPURIOUS)
		lapiceoi();
	switch (tf->trapno) {
	case T_TIMER:
		if (c->intr[INTR_TIMER]++ % (uint)ncpu)
			pause(); /* QEMU's -icount: the next CPU's turn */
		tick(tf);
		return;
	case T_RESCHED:
		c->intr[INTR_RESCHED]++;
		return;
	case T_XCALL:
		c->intr[INTR_XCALL]++;
		xcallserve();
		return;
	case T_STOP:
		panicstop(tf);
	case T_APICERR:
		c->intr[INTR_ERROR]++;
		return;
	case T_SPURIOUS:
		c->intr[INTR_SPURIOUS]++;
		return;
	}
}

/* An exception of user mode, as the signal and si_code that Linux gives it. */
static void
exception(struct trapframe *tf)
{
	int code;

	switch (tf->trapno) {
	case T_NMI:
	case T_MCHK:
		panictrap(tf, "hardware error: exception %u", tf->trapno);
	case T_DEVICE:
		if (fpuuse(myproc()->fpu) < 0)
			userexception(tf, SIGILL, ILL_COPROC, tf->eip);
		return;
	case T_FPERR:
	case T_SIMDERR:
		code = fpucode(tf->trapno == T_SIMDERR);
		userexception(tf, SIGFPE, code, tf->eip);
		return;
	case T_DIVIDE:
		userexception(tf, SIGFPE, FPE_INTDIV, tf->eip);
		return;
	case T_DEBUG:
		code = tracedebug(tf);
		if (code >= 0)
			userexception(tf, SIGTRAP, code, tf->eip);
		return;
	case T_BRKPT:
		userexception(tf, SIGTRAP, SI_KERNEL, 0);
		return;
	case T_ILLOP:
		userexception(tf, SIGILL, ILL_ILLOPN, tf->eip);
		return;
	case T_ALIGN:
		userexception(tf, SIGBUS, BUS_ADRALN, 0);
		return;
	default:
		userexception(tf, SIGSEGV, SI_KERNEL, 0);
		return;
	}
}

static void
userexception(struct trapframe *tf, int sig, int code, uint addr)
{
	sti();
	sigexception(tf, sig, code, addr);
}

/* An exception of the kernel's own.  Goes on at the fixup if it was a user's
 * segment that could not be loaded. */
static void
kernelfault(struct trapframe *tf)
{
	uint fixup = 0;

	if (tf->trapno == T_DEBUG) { /* a watchpoint of user memory that we use */
		ldr6(0);
		return;
	}
	if (tf->trapno >= T_TSS && tf->trapno <= T_GPFLT)
		fixup = findfixup(tf->eip);
	if (fixup == 0)
		panictrap(tf, "exception %u in the kernel", tf->trapno);
	tf->eip = fixup;
}

/*
 * Page fault, from trapentry.asm with interrupts off: the address in CR2, the
 * cause in the error code.  Resolve it, or turn the error into a signal (user
 * mode) or go on at the fixup (user memory touched by the kernel).  Whatever
 * else faults in the kernel is a bug.
 */
void
pagefault(struct trapframe *tf)
{
	uint va = rcr2(); /* before interrupts: the next fault overwrites it */
	struct proc *p = myproc();
	uint fixup = 0;
	int err;

	if (usermode(tf)) {
		p->tf = tf;
	} else {
		fixup = findfixup(tf->eip);
		if (!(tf->eflags & FL_IF) && inuserwords(tf->eip)) {
			tf->eip = fixup;
			return;
		}
		if (fixup == 0 || va >= KERNBASE || p == 0 || p->uvm == 0)
			panictrap(tf, "page fault in the kernel at %x", va);
		if (mycpu()->ncli != 0)
			panictrap(tf, "user memory used with a spinlock held");
	}
	sti();
	err = resolve(p, va, tf->err);
	if (err == 0)
		return;
	if (fixup) {
		if (err == -ENOMEM && p->pid != 1)
			sigfault(tf, va, err); /* the call ends, then it dies */
		tf->eip = fixup;
		return;
	}
	if (va >= KERNBASE)
		tf->err |= PF_PRESENT; /* as Linux: nothing shows of the kernel */
	sigfault(tf, va, err);
}

/* Is the instruction one that may touch user memory with interrupts off? */
static int
inuserwords(uint eip)
{
	extern const char userwords[], userwordsend[]; /* usercopy.asm */

	return eip - (uint)userwords < (uint)(userwordsend - userwords);
}

/* Let the address space have the page, and count.  0, or what to tell the
 * user. */
static int
resolve(struct proc *p, uint va, uint err)
{
	int r;

	if (va >= KERNBASE || (err & PF_RSVD))
		return -EFAULT;
	r = fault(p->uvm, va, PROT_READ | (err & PF_WRITE)); /* same bit */
	if (r < 0)
		return r;
	if (r == 0) {
		p->minflt++;
		vmcount(VM_MINFLT);
	} else {
		p->majflt++;
		vmcount(VM_MAJFLT);
	}
	return 0;
}

/* Where to go on when the kernel instruction at eip faults, or 0. */
static uint
findfixup(uint eip)
{
	const struct extable *x;

	for (x = extable; x < eextable; x++)
		if (x->eip == eip)
			return x->fixup;
	return 0;
}
