/*
 * panic.c - stop the machine, and print all that helps to find out why.
 *
 * ksyms[] is the table of function names that iso/mksyms makes from the first
 * link and puts into the second, sorted by address.
 *
 * Only the first CPU that panics prints.  Before that it stops the other CPUs,
 * except those that have interrupts off and do not turn them on again.  Those
 * cannot print either, since the first CPU keeps the lock of printf().
 */
#include "kern/panic.h"

#include "arch/cpu.h"
#include "arch/lapic.h"
#include "arch/memlayout.h"
#include "arch/multiboot.h"
#include "arch/trap.h"
#include "arch/x86.h"
#include "arch/xcall.h"
#include "mm/mm.h"
#include "kern/dev/dev.h"
#include "kern/lib/printf.h"
#include "kern/proc.h"
#include "kern/lib/string.h"

#define MAXFRAMES 32
#define PATIENCE  10000000 /* pauses: a fraction of a second */

struct ksym {
	uint addr;
	const char *name;
};

extern const struct ksym ksyms[];
extern const uint nksyms;
extern const char text[], etext[];

volatile uint panicking;

static volatile int nstopped;
static struct trapframe *volatile stoppedat[NCPU];

static const char *symname(uint addr, uint *offset);
static void begin(void);
static void printproc(struct proc *p);
static void printothers(void);
static void die(void) __attribute__((noreturn));
static void printregs(const struct trapframe *tf);
static void printcaller(const struct trapframe *tf);
static void printcause(const struct trapframe *tf);
static void printheld(void);
static void printtaken(const char *kind, const char *name,
	const uint at[NCALLERS]);
static void printaddr(uint addr);

/* See panic.h. */
void
panic(const char *fmt, ...)
{
	va_list ap;

	begin();
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	backtrace((uint)__builtin_frame_address(0));
	printheld();
	printothers();
	die();
}

/* See panic.h.  tf is the state that the exception interrupted. */
void
panictrap(struct trapframe *tf, const char *fmt, ...)
{
	va_list ap;

	begin();
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	printregs(tf);
	if (tf->trapno == T_PGFLT)
		printcause(tf);
	printaddr(tf->eip);
	if (tf->eip < (uint)text || tf->eip >= (uint)etext)
		printcaller(tf); /* of a bad function pointer */
	backtrace(tf->ebp);
	printheld();
	printothers();
	die();
}

/* Turn interrupts off, stop the other CPUs and print which CPU and process
 * panics.  If another CPU panics already, stop this one instead.  If this CPU
 * does, then its panic has panicked, and the machine stops here. */
static void
begin(void)
{
	uint me, i;

	cli();
	me = (uint)mycpu()->id + 1;
	if (!cas(&panicking, 0, me)) {
		if (panicking == me)
			die();
		panicstop(0);
	}
	ipiothers(T_STOP);
	for (i = 0; i < PATIENCE && nstopped < ncpu - 1; i++)
		cpurelax();
	printfseize();
	printf("\npanic on CPU %d", mycpu()->id);
	printproc(myproc());
	printf(": ");
}

/* Print the id and name of p, if p is a mapped address. */
static void
printproc(struct proc *p)
{
	if (p && kvmreadable((uint)p, sizeof(*p)))
		printf(", pid %d (%.16s)", p->pid, p->name);
}

/* See panic.h.  printothers() finds tf in stoppedat[]. */
void
panicstop(struct trapframe *tf)
{
	lockassert(interruptsoff());
	stoppedat[mycpu()->id] = tf;
	atomicinc(&nstopped);
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* Print what each other CPU was doing when it was stopped, unless it was
 * idle. */
static void
printothers(void)
{
	struct trapframe *tf;
	int i;

	for (i = 0; i < ncpu; i++) {
		tf = stoppedat[i];
		if (tf == 0 || cpus[i].proc == cpus[i].idle)
			continue;
		printf("CPU %d", i);
		printproc(cpus[i].proc);
		printf(": eip %08x\n", tf->eip);
		if (usermode(tf))
			continue;
		printaddr(tf->eip);
		backtrace(tf->ebp);
	}
}

/* Leave QEMU if the boot argument panic=exit was given; else halt, with the
 * screen as it is. */
static void
die(void)
{
	char how[8];

	if (bootarg("panic", how, sizeof(how)) == 4 && how[0] == 'e')
		exitqemu(0x7e);
	halt();
}

/* Return esp as it was when tf was pushed.  The CPU pushes esp only when it
 * changes stacks; else the stack went on right above the frame. */
static uint
trapesp(const struct trapframe *tf)
{
	if (usermode(tf) || tf->trapno == T_DBLFLT)
		return tf->esp;
	return (uint)&tf->esp;
}

/* Print the registers of tf and the control registers of this CPU. */
static void
printregs(const struct trapframe *tf)
{
	printf("eip %08x  cs %04x  eflags %08x  trap %u  error %x\n", tf->eip,
		tf->cs & 0xFFFF, tf->eflags, tf->trapno, tf->err);
	printf("eax %08x  ebx %08x  ecx %08x  edx %08x\n", tf->eax, tf->ebx,
		tf->ecx, tf->edx);
	printf("esi %08x  edi %08x  ebp %08x  esp %08x\n", tf->esi, tf->edi,
		tf->ebp, trapesp(tf));
	printf("ds %04x  es %04x  fs %04x  gs %04x\n", tf->ds & 0xFFFF,
		tf->es & 0xFFFF, tf->fs & 0xFFFF, tf->gs & 0xFFFF);
	printf("cr0 %08x  cr2 %08x  cr3 %08x  cr4 %08x\n", rcr0(), rcr2(),
		rcr3(), rcr4());
}

/* Print the return address on top of the stack of tf, if there is one: after a
 * call of a bad address that is where the call came from. */
static void
printcaller(const struct trapframe *tf)
{
	uint esp = trapesp(tf);

	if (esp >= KERNBASE && esp % 4 == 0 && kvmreadable(esp, 4))
		printaddr(*(const uint *)esp);
}

/* Print the error code of a page fault in words, and the directory and table
 * entries for its address. */
static void
printcause(const struct trapframe *tf)
{
	printf("%s of %08x by the %s: %s\n",
		tf->err & PF_WRITE ? "write" : "read", rcr2(),
		tf->err & PF_USER ? "user" : "kernel",
		tf->err & PF_RSVD      ? "reserved bit set"
		: tf->err & PF_PRESENT ? "protected"
				       : "not present");
	kvmdump(rcr2());
}

/* See panic.h.  At fp lies the frame pointer of the caller, and at fp + 4 the
 * return address. */
void
backtrace(uint fp)
{
	const uint *frame;
	int i;

	for (i = 0; i < MAXFRAMES; i++) {
		if (fp < KERNBASE || fp % 4 || !kvmreadable(fp, 8))
			return;
		frame = (const uint *)fp;
		if (frame[1] < (uint)text || frame[1] >= (uint)etext)
			return;
		printaddr(frame[1]);
		if (frame[0] <= fp)
			return; /* callers' frames lie above */
		fp = frame[0];
	}
}

/* See panic.h. */
void
callers(uint fp, uint at[])
{
	struct proc *p = myproc();
	uint stack = p ? (uint)p->kstack : 0, next;
	int i = 0;

	stosl(at, 0, NCALLERS);
	at[0] = ((const uint *)fp)[1];
	while (++i < NCALLERS) {
		next = *(const uint *)fp; /* or ebp of user mode */
		if (next <= fp || next - stack > KSTACKPAGES * PGSIZE - 8)
			break;
		fp = next;
		at[i] = ((const uint *)fp)[1];
	}
}

/* Print where each lock was taken that this CPU or its process holds. */
static void
printheld(void)
{
	struct proc *p = myproc();
	uint at[NCALLERS];
	const char *name;
	int i;

	for (i = 0; (name = heldlock(i, at)) != 0; i++)
		printtaken("spinlock", name, at);
#ifdef QUIRE_DEBUG
	if (p && kvmreadable((uint)p, sizeof(*p)))
		for (struct sleeplock *lk = p->sleeplocks; lk; lk = lk->below)
			printtaken("sleep lock", lockname(lk->rank), lk->at);
#endif
	(void)p;
}

/* Print which lock is held, and the functions that took it: their addresses are
 * in at[], up to the first 0. */
static void
printtaken(const char *kind, const char *name, const uint at[NCALLERS])
{
	int i;

	printf("%s held: %s, taken at\n", kind, name);
	for (i = 0; i < NCALLERS && at[i]; i++)
		printaddr(at[i]);
}

/* Print a line with addr and, if it is in the kernel's text, its function. */
static void
printaddr(uint addr)
{
	uint offset;
	const char *name = symname(addr, &offset);

	if (name)
		printf("  %08x  %s+0x%x\n", addr, name, offset);
	else
		printf("  %08x\n", addr);
}

/* Return the name of the function that contains addr, with the offset of addr
 * in it in *offset (bytes); or 0 if there is none. */
static const char *
symname(uint addr, uint *offset)
{
	uint lo = 0, hi = nksyms, mid;

	if (addr < (uint)text || addr >= (uint)etext)
		return 0;
	while (lo < hi) { /* ksyms[lo - 1].addr <= addr < ksyms[hi].addr */
		mid = (lo + hi) / 2;
		if (ksyms[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0)
		return 0;
	*offset = addr - ksyms[lo - 1].addr;
	return ksyms[lo - 1].name;
}

/* See panic.h. */
int
ksym(uint i, uint *addr, const char **name)
{
	if (i >= nksyms)
		return 0;
	*addr = ksyms[i].addr;
	*name = ksyms[i].name;
	return 1;
}

/* See panic.h.  Walks the stack of p from the innermost function outward, past
 * the functions in way[], by which every thread sleeps.  p may wake up
 * meanwhile and change its stack, so each frame pointer is checked before it is
 * used. */
const char *
sleepsin(struct proc *p)
{
	static const char *const way[] = {"switchto", "sched", "block",
		"dosleep", "sleepuntil", "sleep", "sleepint", "pollsleep",
		"acquiresleep", "acquireread", "acquirewrite"};
	const struct context *c = p->context;
	uint stack = (uint)p->kstack, end = stack + KSTACKPAGES * PGSIZE;
	uint fp, next, offset, addr, i;
	const char *name = 0;

	if (p->state != SLEEPING || (uint)c < stack || (uint)c > end - sizeof(*c))
		return 0;
	fp = c->ebp;
	addr = c->eip;
	for (int depth = 0; depth < MAXFRAMES; depth++, fp = next) {
		name = symname(addr, &offset);
		for (i = 0; name && i < NELEM(way) && strcmp(name, way[i]); i++)
			;
		if (name == 0 || i == NELEM(way))
			break;
		if (fp < stack || fp > end - 8 || fp % 4)
			return 0;
		next = *(const volatile uint *)fp;
		addr = *(const volatile uint *)(fp + 4);
		if (next <= fp)
			return 0;
	}
	return name;
}
