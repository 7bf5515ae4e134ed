/* cpu.h - the kernel's own, but "this CPU" is a variable: there is no %fs. */
#ifndef UNIT_CPU_H
#define UNIT_CPU_H

#define mycpu   fsmycpu
#define myproc  fsmyproc
#define pushcli fspushcli
#define popcli  fspopcli
#define ncliszero fsncliszero
#include_next "arch/cpu.h"
#undef mycpu
#undef myproc
#undef vmcount
#undef pushcli
#undef popcli
#undef ncliszero

extern int thiscpu; /* the CPU that the test plays just now */

static inline struct cpu *
mycpu(void)
{
	return &cpus[thiscpu];
}

static inline struct proc *
myproc(void)
{
	return 0;
}

static inline void
vmcount(int event)
{
	cpus[thiscpu].vm[event]++;
}

/* Interrupts do not go off here, but it is counted that they would. */
static inline int
ncliszero(void)
{
	return mycpu()->ncli == 0;
}

void pushcli(void);
void popcli(void);

#endif
