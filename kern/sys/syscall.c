/* syscall.c - from the number of a system call to its function. */
#include "kern/sys/syscall.h"
#include "arch/multiboot.h"
#include "kern/abi/errno.h"
#include "kern/lib/printf.h"
#include "kern/proc.h"
#include "kern/lib/string.h"

static int (*const calls[])(const uint *a) = {
#define SYSCALL(number, name) [number] = sys_##name,
#include "kern/sys/syscalls.h"
#undef SYSCALL
};

/* Call the function of system call n with the arguments a[0] to a[5]: its
 * result, or -ENOSYS if there is no such call. */
static inline int
dispatch(uint n, const uint *a)
{
	if (n >= NELEM(calls) || calls[n] == 0)
		return -ENOSYS;
	return calls[n](a);
}

#ifdef QUIRE_DEBUG
static int tracing = -1; /* strace on the command line; -1: not looked yet */

static const char *const names[] = {
#define SYSCALL(number, name) [number] = #name,
#include "kern/sys/syscalls.h"
#undef SYSCALL
};

/* Do what syscall() does, and print each call that returns. */
static void
trace(struct trapframe *tf)
{
	uint n = tf->err, a[6];
	int result;

	tracing = bootflag("strace");
	memcpy(a, &tf->ebx, sizeof(a)); /* sigreturn changes the frame */
	result = dispatch(n, &tf->ebx);
	tf->eax = result;
	if (tracing)
		printf("[%d %s] %s(%u) %x %x %x %x %x %x = %d\n",
			myproc()->pid, myproc()->name,
			n < NELEM(names) && names[n] ? names[n] : "?", n, a[0],
			a[1], a[2], a[3], a[4], a[5], result);
}
#endif

void
syscall(struct trapframe *tf)
{
#ifdef QUIRE_DEBUG
	if (tracing) {
		trace(tf);
		return;
	}
#endif
	tf->eax = dispatch(tf->err, &tf->ebx);
}
