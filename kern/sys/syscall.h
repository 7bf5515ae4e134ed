/* syscall.h - from the trap to the function of a system call. */
#ifndef KERN_SYSCALL_H
#define KERN_SYSCALL_H

#include "kern/types.h"
#include "arch/trap.h"

/* a[0] to a[5] are the arguments (ebx ecx edx esi edi ebp); the result, or
 * -errno, goes to eax.  Called with interrupts on and no lock held. */
#define SYSCALL(number, name) int sys_##name(const uint *a);
#include "kern/sys/syscalls.h"
#undef SYSCALL

/* Run the system call of the frame (number in eax, which the entry has also put
 * in err) and put its result in eax.  Unknown numbers: -ENOSYS. */
void syscall(struct trapframe *);

#endif
