/* x86.h - the kernel's own; what needs ring 0 goes to the machine of mmu.c. */
#ifndef UNIT_X86_H
#define UNIT_X86_H

#define lcr3   cpulcr3
#define rcr3   cpurcr3
#define invlpg cpuinvlpg
#define cli    cpucli
#define sti    cpusti
#define readeflags cpureadeflags
#include_next "arch/x86.h"
#undef lcr3
#undef rcr3
#undef invlpg
#undef cli
#undef sti
#undef readeflags

void lcr3(uint);
uint readeflags(void); /* interrupts are off with a spinlock held */
uint rcr3(void);
void invlpg(uint va);

static inline void
cli(void)
{
}

static inline void
sti(void)
{
}

#endif
