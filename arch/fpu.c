/*
 * fpu.c - x87 and SSE state (SDM 1 chapter 10.5, 3A chapter 13).
 *
 * CR0.TS is set unless the FPU holds the running process's state.  The first
 * FPU instruction after a switch traps (vector 7) and fpuuse loads the state;
 * when a process that has it loaded is switched out, fpusave stores it.  So no
 * CPU ever holds the only copy of the state of a process that does not run.
 *
 * The state is an FXSAVE image where the CPU has that, else an FSAVE image.
 */
#include "arch/cpu.h"

#include "arch/x86.h"
#include "kern/proc.h"
#include "kern/lib/string.h"

#define FCW_DEFAULT   0x37F  /* all exceptions masked, 64-bit mantissa */
#define MXCSR_DEFAULT 0x1F80 /* all masked, round to nearest */

/* Words of an FXSAVE image (SDM 1 table 10-2). */
#define FX_MXCSR 6
#define FX_MASK  7

static int fxsr, fpu;           /* this machine has FXSAVE; an FPU at all */
static uint mxcsrmask = 0xFFBF; /* other bits of MXCSR fault when loaded */

static void settask(void);

/* Once per CPU. */
void
fpuinit(void)
{
	static uint image[FPUSIZE / 4] __attribute__((aligned(16)));

	fpu = (cpuinfo.features & CPU_FPU) != 0;
	fxsr = (cpuinfo.features & CPU_FXSR) != 0;
	if (!fpu) {
		lcr0(rcr0() | CR0_EM | CR0_TS);
		return;
	}
	lcr0((rcr0() & ~CR0_EM) | CR0_MP | CR0_NE);
	clts();
	__asm__ volatile("fninit");
	if (fxsr) {
		lcr4(rcr4() | CR4_OSFXSR);
		if (cpuinfo.features & CPU_SSE)
			lcr4(rcr4() | CR4_OSXMMEXCPT);
		__asm__ volatile("fxsave %0" : "=m"(image));
		if (image[FX_MASK])
			mxcsrmask = image[FX_MASK];
	}
	settask();
}

static void
settask(void)
{
	lcr0(rcr0() | CR0_TS);
}

/* Make fpu, FPUSIZE bytes aligned to 16, the state of a new program. */
void
fpureset(void *state)
{
	uint *w = state;

	memset(state, 0, FPUSIZE);
	if (fxsr) {
		w[0] = FCW_DEFAULT; /* tag byte 0: all registers empty */
		w[FX_MXCSR] = MXCSR_DEFAULT;
		return;
	}
	w[0] = 0xFFFF0000 | FCW_DEFAULT;
	w[1] = 0xFFFF0000;
	w[2] = 0xFFFFFFFF; /* two tag bits a register: empty */
}

/* If the running process has it loaded: store it, and set TS.  Interrupts
 * off. */
void
fpusave(void *state)
{
	struct proc *p = myproc();

	if (!p->fpuloaded)
		return;
	if (fxsr)
		__asm__ volatile("fxsave (%0)" : : "r"(state) : "memory");
	else
		__asm__ volatile("fnsave (%0)" : : "r"(state) : "memory");
	p->fpuloaded = 0;
	settask();
}

/* Forget what is loaded; the next use loads p->fpu. */
void
fpudrop(void)
{
	struct proc *p = myproc();

	pushcli();
	if (p->fpuloaded) {
		p->fpuloaded = 0;
		settask();
	}
	popcli();
}

/* Trap 7: clear TS, load the state; 0, or -1: this CPU has no FPU.  The state
 * may have come from a user's signal frame: nothing in it may fault here. */
int
fpuuse(void *state)
{
	uint *w = state;

	if (!fpu)
		return -1;
	pushcli();
	clts();
	if (fxsr) {
		w[FX_MXCSR] &= mxcsrmask;
		__asm__ volatile("fxrstor (%0)" : : "r"(state) : "memory");
	} else {
		__asm__ volatile("fnclex; frstor (%0)"
				 :
				 : "r"(state)
				 : "memory");
	}
	myproc()->fpuloaded = 1;
	popcli();
	return 0;
}

/* Traps 16 and 19: the si_code of SIGFPE that the loaded state asks for: an
 * exception that is flagged and not masked, most serious first. */
int
fpucode(int simd)
{
	uint16_t control = 0, status = 0;
	uint mxcsr, e;

	if (simd) {
		__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
		e = mxcsr & ~(mxcsr >> 7);
	} else {
		__asm__ volatile("fnstcw %0" : "=m"(control));
		__asm__ volatile("fnstsw %0" : "=m"(status));
		e = status & ~control;
	}
	if (e & 0x01)
		return FPE_FLTINV;
	if (e & 0x04)
		return FPE_FLTDIV;
	if (e & 0x08)
		return FPE_FLTOVF;
	if (e & 0x12)
		return FPE_FLTUND; /* and denormal operands */
	return FPE_FLTRES;
}
