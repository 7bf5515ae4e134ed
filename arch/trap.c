/*
 * trap.c - every exception and interrupt of the CPU comes through here, from
 * trapentry.asm, and is handed to the part of the kernel that it concerns (SDM
 * 3A chapter 6, "Interrupt and Exception Handling").  Those parts are above
 * arch/; the calls are listed by name in ci/ties.py.
 *
 * An exception of user mode becomes a signal, unless it can be resolved (a page
 * fault, the first use of the FPU).  An exception of the kernel is a bug of the
 * kernel and a panic, unless the instruction is listed in .extable: those that
 * copy user memory, and those that load the user's segments on the way out.
 *
 *   int 0x80 ---> syscallentry ---> p->entry(tf)           (trapentry.asm)
 *   vector 14 --> pagefault ------> userfault --> fault()  (mm/fault.c)
 *                     |  not resolved: sigfault(), or the fixup
 *   others -----> trap -+-> irqtrap           lines of devices       (irq.c)
 *                       +-> apictrap          timer, other CPUs
 *                       +-> userexception     of user mode: a signal
 *                       +-> kernelexception   of the kernel: fixup or panic
 */
#include "arch/trap.h"

#include "arch/cpu.h"
#include "arch/lapic.h"
#include "arch/memlayout.h"
#include "arch/x86.h"
#include "arch/xcall.h"
#include "mm/mm.h"
#include "kern/lock/lock.h"
#include "kern/panic.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/signal/ptrace.h"

/* What trapentry.asm and usercopy.asm take for granted. */
_Static_assert(KDATA == 13 << 3 && KCPU == 3 << 3, "KDATA, KCPU");
_Static_assert(USERTOP == 0x80000000, "USERTOP");
_Static_assert(EFAULT == 14 && ENAMETOOLONG == 36, "errno");
_Static_assert(offsetof(struct trapframe, cs) == 14 * 4, "TF_CS");
_Static_assert(sizeof(struct trapframe) == 18 * 4, "struct trapframe");
_Static_assert(offsetof(struct proc, tf) == 0, "PROC_TF");
_Static_assert(offsetof(struct proc, work) == 4, "PROC_WORK");
_Static_assert(offsetof(struct proc, entry) == 8, "PROC_ENTRY");
_Static_assert(offsetof(struct cpu, proc) == 4, "CPU_PROC");
_Static_assert(offsetof(struct cpu, resched) == 24, "CPU_RESCHED");

/* What userfault() takes for granted. */
_Static_assert(PF_WRITE == PROT_WRITE, "the error code's bit is fault()'s");

/* Kinds of gates, as in the high word (SDM 3A 6.11, "IDT Descriptors"). */
#define GATE_INT  0x8E00 /* interrupts go off on the way in */
#define GATE_TRAP 0x8F00 /* interrupts stay as they are */
#define GATE_TASK 0x8500 /* the CPU switches to the task of a TSS */
#define GATE_USER 0x6000 /* the instruction int n may come here from ring 3 */

#define VECTORSIZE 16 /* bytes of code for each vector, at vectors[] */

struct gate { /* one vector's entry of the IDT */
	uint lo, hi;
};

struct extable {
	uint eip;   /* an instruction that may fault */
	uint fixup; /* where to go on if it does */
};

extern char vectors[];          /* trapentry.asm: an entry for each vector */
extern void syscallentry(void); /* trapentry.asm */
extern const struct extable extable[], eextable[]; /* kernel.ld: the table */
extern const char userwords[], userwordsend[];     /* usercopy.asm: code */

/* Called by trapentry.asm. */
void trap(struct trapframe *tf);
void pagefault(struct trapframe *tf);

static struct gate idt[256];

static void setgate(int n, uint entry, uint type);
static void apictrap(struct trapframe *tf);
static void userexception(struct trapframe *tf);
static void raise(struct trapframe *tf, int sig, int code, uint addr);
static void kernelexception(struct trapframe *tf);
static int userfault(struct proc *p, uint va, uint err);
static uint findfixup(uint eip);
static int inuserwords(uint eip);

/* int3 and into are for programs, and so is the system call, which comes
 * through a trap gate: with interrupts on.  A double fault gets a task with a
 * stack of its own, since the usual cause is that there is no stack to push
 * to. */
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

/* Let vector n go to the kernel code at entry; type is GATE_ bits. */
static void
setgate(int n, uint entry, uint type)
{
	idt[n].lo = KCODE << 16 | (entry & 0xFFFF);
	idt[n].hi = (entry & 0xFFFF0000) | type;
}

void
idtload(void)
{
	struct {
		uint16_t limit;
		uint base;
	} __attribute__((packed)) idtr = {sizeof(idt) - 1, (uint)idt};

	__asm__ volatile("lidt %0" : : "m"(idtr));
}

/* Every vector but page faults and system calls, from trapentry.asm, with
 * interrupts off.  When this returns to user mode, trapentry.asm looks whether
 * there is work for userret() first; what it interrupted in the kernel, with
 * interrupts on, may lose the CPU to another process here. */
void
trap(struct trapframe *tf)
{
	uint n = tf->trapno;

	lockassert(interruptsoff());
	if (usermode(tf))
		myproc()->tf = tf;
	if (n - T_IRQ0 < 16)
		irqtrap(tf);
	else if (n >= T_TIMER)
		apictrap(tf);
	else if (usermode(tf))
		userexception(tf);
	else
		kernelexception(tf);
	if (!usermode(tf) && (tf->eflags & FL_IF))
		preempt();
}

/* An interrupt of this CPU's local APIC: its timer, or another CPU's message.
 * T_RESCHED has done its work by coming: it ends a halt, or user mode, and what
 * its sender has set (resched, or work of a process) is looked at on the way
 * out. */
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

/* An exception of user mode: the signal and si_code that Linux gives it; or,
 * for the first use of the FPU after a switch, nothing but the FPU's state. */
static void
userexception(struct trapframe *tf)
{
	int code;

	switch (tf->trapno) {
	case T_NMI:
	case T_MCHK:
		panictrap(tf, "hardware error: exception %u", tf->trapno);
	case T_DEVICE:
		if (fpuuse(myproc()->fpu) < 0)
			raise(tf, SIGILL, ILL_COPROC, tf->eip);
		return;
	case T_FPERR:
	case T_SIMDERR:
		code = fpucode(tf->trapno == T_SIMDERR);
		raise(tf, SIGFPE, code, tf->eip);
		return;
	case T_DIVIDE:
		raise(tf, SIGFPE, FPE_INTDIV, tf->eip);
		return;
	case T_DEBUG:
		code = tracedebug(tf);
		if (code >= 0)
			raise(tf, SIGTRAP, code, tf->eip);
		return;
	case T_BRKPT:
		raise(tf, SIGTRAP, SI_KERNEL, 0);
		return;
	case T_ILLOP:
		raise(tf, SIGILL, ILL_ILLOPN, tf->eip);
		return;
	case T_ALIGN:
		raise(tf, SIGBUS, BUS_ADRALN, 0);
		return;
	default:
		raise(tf, SIGSEGV, SI_KERNEL, 0);
		return;
	}
}

/* Send the running process the signal sig with this si_code and si_addr.  Turns
 * interrupts on, and leaves them on. */
static void
raise(struct trapframe *tf, int sig, int code, uint addr)
{
	sti();
	sigexception(tf, sig, code, addr);
}

/* An exception of the kernel, page faults apart: a panic, unless it was a
 * user's segment register that could not be loaded; then the kernel goes on at
 * the instruction's fixup. */
static void
kernelexception(struct trapframe *tf)
{
	uint fixup = 0;

	/* The kernel used memory that a debugger of the process watches. */
	if (tf->trapno == T_DEBUG) {
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
 * A page fault, from trapentry.asm with interrupts off: the address is in CR2,
 * the cause in the error code (SDM 3A 4.7, "Page-Fault Exceptions").
 *
 * If fault() can make the page accessible, the instruction is tried again.  If
 * not, a program gets a signal; the kernel, which has touched user memory for a
 * system call, goes on at the instruction's fixup, and the call fails.  A word
 * of userload() and its like may be touched with interrupts off, where fault()
 * cannot run: the kernel goes on at the fixup at once.  Whatever else faults in
 * the kernel is a bug.
 */
void
pagefault(struct trapframe *tf)
{
	uint va = rcr2(); /* before interrupts: the next fault overwrites it */
	struct proc *p = myproc();
	uint fixup = 0;
	int err;

	lockassert(interruptsoff());
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
	err = userfault(p, va, tf->err);
	if (err == 0)
		return;
	if (fixup) {
		if (err == -ENOMEM && p->pid != 1)
			sigfault(tf, va, err); /* the call ends, then p dies */
		tf->eip = fixup;
		return;
	}
	sigfault(tf, va, err);
}

/* May the kernel's instruction at eip touch user memory with interrupts off?
 * usercopy.asm has these instructions between two labels. */
static int
inuserwords(uint eip)
{
	return eip - (uint)userwords < (uint)(userwordsend - userwords);
}

/* Let p's address space have the page of va that the access with error code err
 * lacked, and count the fault as minor, or as major if it waited for I/O.  0 if
 * the access may be tried again, or fault()'s error; -EFAULT, too, for an
 * address that is no user's. */
static int
userfault(struct proc *p, uint va, uint err)
{
	int r;

	if (va >= KERNBASE || (err & PF_RSVD))
		return -EFAULT;
	r = fault(p->uvm, va, PROT_READ | (err & PF_WRITE));
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

/* Where the kernel goes on when its instruction at eip has faulted: the fixup
 * that .extable has for it, or 0. */
static uint
findfixup(uint eip)
{
	const struct extable *x;

	for (x = extable; x < eextable; x++)
		if (x->eip == eip)
			return x->fixup;
	return 0;
}
