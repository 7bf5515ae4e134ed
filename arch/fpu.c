/*
 * fpu.c - x87 and SSE state (SDM 1 10.5, "FXSAVE and FXRSTOR Instructions"; 3A
 * 2.5, "Control Registers", on CR0.TS).
 *
 * CR0.TS is set unless the FPU holds the running process's state.  The first
 * FPU instruction after a switch traps (vector 7), and fpuuse() loads the
 * state; when a process that has its state loaded is switched out, fpusave()
 * stores it.  So no CPU ever holds the only copy of the state of a process that
 * does not run.
 *
 * The state is an FXSAVE image where the CPU has that instruction, else an
 * FSAVE image.  p->fpuloaded says whether the FPU of this CPU holds p's state;
 * p, which runs here, is the only one that reads and writes it.
 */
#include "arch/cpu.h"

#include "arch/x86.h"
#include "kern/lib/string.h"
#include "kern/lock/lock.h"
#include "kern/proc.h"

#define FCW_DEFAULT   0x37F  /* all exceptions masked, 64-bit mantissa */
#define MXCSR_DEFAULT 0x1F80 /* all masked, round to nearest */

/* Words of an FXSAVE image (SDM 1 table 10-2). */
#define FX_MXCSR 6
#define FX_MASK  7

static int fxsr, fpu; /* does this machine have FXSAVE; an FPU at all? */
static uint mxcsrmask = 0xFFBF; /* the bits of MXCSR that the CPU has; to load
                                 * another one would be a fault */

static void settask(void);

/* The mask of MXCSR is in an FXSAVE image; 0 there means the default above (SDM
 * 1 11.6.6, "Guidelines for Writing to the MXCSR Register"). */
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

/* Let the next FPU instruction on this CPU trap. */
static void
settask(void)
{
	lcr0(rcr0() | CR0_TS);
}

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
	w[2] = 0xFFFFFFFF; /* two tag bits for each register: empty */
}

void
fpusave(void *state)
{
	struct proc *p = myproc();

	lockassert(interruptsoff());
	if (!p->fpuloaded)
		return;
	if (fxsr)
		__asm__ volatile("fxsave (%0)" : : "r"(state) : "memory");
	else
		__asm__ volatile("fnsave (%0)" : : "r"(state) : "memory");
	p->fpuloaded = 0;
	settask();
}

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

/* The state may have come from a user's signal frame, and nothing in it may
 * fault here: bits of MXCSR that the CPU does not have are cleared. */
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

/* Among the exceptions that are flagged and not masked, the most serious
 * counts. MXCSR has the masks 7 bits above the flags (SDM 1 10.2.3, "MXCSR
 * Control and Status Register"); the x87 FPU has them in a register of their
 * own. */
int
fpucode(int simd)
{
	uint16_t control = 0, status = 0;
	uint mxcsr, e;

	lockassert(interruptsoff());
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
