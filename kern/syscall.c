/* syscall.c - from the number of a system call to its function. */
#include "kern/syscall.h"

#include "arch/multiboot.h"
#include "kern/abi/errno.h"
#include "kern/printf.h"
#include "kern/proc.h"

static int (*const calls[])(const uint *a) = {
#define SYSCALL(number, name) [number] = sys_##name,
#include "kern/syscalls.h"
#undef SYSCALL
};

#ifdef QUIRE_DEBUG
static void trace(uint n, const uint *a, int result);
#endif

void
syscall(struct trapframe *tf)
{
	uint n = tf->err;
	int result = -ENOSYS;
#ifdef QUIRE_DEBUG
	struct trapframe old = *tf; /* the call may change it: sigreturn */
#endif

	if (n < NELEM(calls) && calls[n])
		result = calls[n](&tf->ebx);
	tf->eax = result;
#ifdef QUIRE_DEBUG
	trace(n, &old.ebx, result);
#endif
}

#ifdef QUIRE_DEBUG
static const char *const names[] = {
#define SYSCALL(number, name) [number] = #name,
#include "kern/syscalls.h"
#undef SYSCALL
};

/* With the word strace on the command line: print each call that returns. */
static void
trace(uint n, const uint *a, int result)
{
	static int on = -1; /* not yet known */

	if (on < 0)
		on = bootflag("strace");
	if (!on)
		return;
	printf("[%d %s] %s(%u) %x %x %x %x %x %x = %d\n", myproc()->pid,
		myproc()->name, n < NELEM(names) && names[n] ? names[n] : "?",
		n, a[0], a[1], a[2], a[3], a[4], a[5], result);
}
#endif
