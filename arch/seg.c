/*
 * seg.c - the segments and task states of each CPU (SDM 3A chapters 3,
 * "Protected-Mode Memory Management", and 7, "Task Management").
 *
 * All segments are flat (base 0, limit 4 GiB) but two kinds: KCPU begins at the
 * CPU's own struct cpu, and the three thread slots are what the running process
 * asked for.  Each CPU has two tasks, each described by a task state segment
 * (TSS): the one that it always runs in, whose TSS names the kernel stack for
 * traps from user mode, and one for double faults, with a stack of its own, so
 * that a kernel stack that ran into its guard page is reported.
 */
#include "arch/cpu.h"

#include "arch/trap.h"
#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/lock/lock.h"
#include "kern/panic.h"
#include "kern/proc.h"

/* Type and privilege of a descriptor (SDM 3A 3.4.5), as in its high word. */
#define DESC_CODE  0x9A00     /* present, ring 0, readable code */
#define DESC_DATA  0x9200     /* present, ring 0, writable data */
#define DESC_TSS   0x8900     /* present, ring 0, available 32-bit TSS */
#define DESC_USER  0x6000     /* ring 3 */
#define DESC_BIG   0x00400000 /* 32-bit */
#define DESC_PAGES 0x00800000 /* the limit counts pages */

#define DFSTACK 4096 /* bytes of a double-fault task: its TSS and its stack */

struct cpu cpus[NCPU];
int ncpu = 1;

static struct {
	struct taskstate ts;
	char stack[DFSTACK - sizeof(struct taskstate)];
} dftask[NCPU] __attribute__((aligned(16)));

static struct segdesc segment(const void *base, uint limit, uint type);
static void dftaskinit(struct cpu *c);
static void doublefault(void) __attribute__((noreturn));

/* The jump loads %cs from the new GDT.  %gs and the LDT are null: the kernel
 * uses neither. */
void
seginit(int id)
{
	struct cpu *c = &cpus[id];
	struct segdesc *g = c->gdt;
	struct {
		uint16_t limit;
		uint base;
	} __attribute__((packed)) gdtr = {sizeof(c->gdt) - 1, (uint)g};

	c->self = c;
	c->id = id;
	g[SEG_KCODE] = segment(0, 0xFFFFF, DESC_CODE | DESC_BIG | DESC_PAGES);
	g[SEG_KDATA] = segment(0, 0xFFFFF, DESC_DATA | DESC_BIG | DESC_PAGES);
	g[SEG_UCODE] = g[SEG_KCODE];
	g[SEG_UCODE].hi |= DESC_USER;
	g[SEG_UDATA] = g[SEG_KDATA];
	g[SEG_UDATA].hi |= DESC_USER;
	g[SEG_KCPU] = segment(c, sizeof(*c) - 1, DESC_DATA | DESC_BIG);
	g[SEG_TSS] = segment(&c->ts, sizeof(c->ts) - 1, DESC_TSS);
	c->ts.ss0 = KDATA;
	c->ts.iomap = sizeof(c->ts);
	dftaskinit(c);

	__asm__ volatile("lgdt %0\n\t"
			 "ljmpl %1, $1f\n"
			 "1:\tmovl %2, %%ds\n\t"
			 "movl %2, %%es\n\t"
			 "movl %2, %%ss\n\t"
			 "movl %3, %%fs\n\t"
			 "movl %4, %%gs\n\t"
			 "lldt %w4\n\t"
			 "ltr %w5"
		:
		: "m"(gdtr), "i"(KCODE), "r"(KDATA), "r"(KCPU), "r"(0),
		"r"(SEG_TSS << 3)
		: "memory");
}

/* The descriptor of a segment from base on.  limit is the last offset in it, in
 * bytes, or in pages with DESC_PAGES; type is DESC_ bits. */
static struct segdesc
segment(const void *base, uint limit, uint type)
{
	uint b = (uint)base;

	return (struct segdesc){
		.lo = b << 16 | (limit & 0xFFFF),
		.hi = (b & 0xFF000000) | (limit & 0xF0000) | type |
			(b >> 16 & 0xFF),
	};
}

/* Fill the TSS of the task that vector 8 switches c to: doublefault(),
 * interrupts off, at the top of the task's own stack. */
static void
dftaskinit(struct cpu *c)
{
	struct taskstate *ts = &dftask[c->id].ts;

	c->gdt[SEG_DFTSS] = segment(ts, sizeof(*ts) - 1, DESC_TSS);
	ts->eip = (uint)doublefault;
	ts->esp = (uint)(dftask[c->id].stack + sizeof(dftask[0].stack));
	ts->ss0 = ts->ss = ts->ds = ts->es = KDATA;
	ts->cs = KCODE;
	ts->fs = KCPU;
	ts->eflags = 2; /* always one; interrupts off */
	ts->cr3 = rcr3();
	ts->iomap = sizeof(*ts);
}

void
dfinit(void)
{
	dftask[mycpu()->id].ts.cr3 = rcr3();
}

/*
 * Where the double-fault task begins: a fault could not be delivered, so the
 * CPU switched to this task, and left the registers of the kernel in the other
 * task's TSS (SDM 3A 6.15, "Interrupt 8").  Panics with these registers.  The
 * usual cause is that the stack has run into its guard page: then nothing can
 * be pushed at its esp.
 */
static void
doublefault(void)
{
	struct cpu *c = mycpu();
	struct taskstate *t = &c->ts;
	struct trapframe tf = {
		t->ebx, t->ecx, t->edx, t->esi, t->edi, t->ebp, t->eax,
		t->gs, t->fs, t->es, t->ds, T_DBLFLT, 0,
		t->eip, t->cs, t->eflags, t->esp, t->ss,
	};

	if (!kvmreadable(t->esp - 32, 4) && c->proc)
		panictrap(&tf, "kernel stack overflow in %s (pid %d)",
			c->proc->name, c->proc->pid);
	if (!kvmreadable(t->esp - 32, 4))
		panictrap(&tf, "kernel stack overflow");
	panictrap(&tf, "double fault");
}

void
tssload(uint esp0)
{
	lockassert(interruptsoff());
	mycpu()->ts.esp0 = esp0;
}

/* %gs, which stays the user's in the kernel, may name a descriptor that is
 * gone: an interrupt from here on would fault when it restores %gs, and so
 * would the fault's own return.  So %gs is made null; the way out to user mode
 * loads it from the frame. */
void
tlsload(const struct segdesc tls[NTLS])
{
	struct segdesc *g = &mycpu()->gdt[SEG_TLS];

	lockassert(interruptsoff());
	g[0] = tls[0];
	g[1] = tls[1];
	g[2] = tls[2];
	__asm__ volatile("movw %w0, %%gs" : : "r"(0));
}
