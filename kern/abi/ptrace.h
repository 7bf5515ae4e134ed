/* ptrace.h - requests, options, events and structures of ptrace(2), as on Linux
 * i386. */
#ifndef ABI_PTRACE_H
#define ABI_PTRACE_H

#include <stdint.h>

#define PTRACE_TRACEME          0
#define PTRACE_PEEKTEXT         1
#define PTRACE_PEEKDATA         2
#define PTRACE_PEEKUSR          3
#define PTRACE_POKETEXT         4
#define PTRACE_POKEDATA         5
#define PTRACE_POKEUSR          6
#define PTRACE_CONT             7
#define PTRACE_KILL             8
#define PTRACE_SINGLESTEP       9
#define PTRACE_GETREGS          12
#define PTRACE_SETREGS          13
#define PTRACE_GETFPREGS        14
#define PTRACE_SETFPREGS        15
#define PTRACE_ATTACH           16
#define PTRACE_DETACH           17
#define PTRACE_GETFPXREGS       18
#define PTRACE_SETFPXREGS       19
#define PTRACE_OLDSETOPTIONS    21
#define PTRACE_SYSCALL          24
#define PTRACE_GET_THREAD_AREA  25
#define PTRACE_SET_THREAD_AREA  26
#define PTRACE_SETOPTIONS       0x4200
#define PTRACE_GETEVENTMSG      0x4201
#define PTRACE_GETSIGINFO       0x4202
#define PTRACE_SETSIGINFO       0x4203
#define PTRACE_GETREGSET        0x4204
#define PTRACE_SETREGSET        0x4205
#define PTRACE_SEIZE            0x4206
#define PTRACE_INTERRUPT        0x4207
#define PTRACE_LISTEN           0x4208
#define PTRACE_GETSIGMASK       0x420a
#define PTRACE_SETSIGMASK       0x420b
#define PTRACE_GET_SYSCALL_INFO 0x420e

#define PTRACE_EVENT_FORK       1
#define PTRACE_EVENT_VFORK      2
#define PTRACE_EVENT_CLONE      3
#define PTRACE_EVENT_EXEC       4
#define PTRACE_EVENT_VFORK_DONE 5
#define PTRACE_EVENT_EXIT       6
#define PTRACE_EVENT_STOP       128

#define PTRACE_O_TRACESYSGOOD 1
#define PTRACE_O_EVENT(event) (1 << (event))
#define PTRACE_O_EXITKILL     (1 << 20)
#define PTRACE_O_ALL          0x10007f /* no seccomp */

#define PTRACE_MSG_ENTRY 1 /* GETEVENTMSG at a system call's stops */
#define PTRACE_MSG_EXIT  2

#define NT_X86_XSTATE 0x202 /* GETREGSET's; others in core.h */

#define AUDIT_ARCH_I386 0x40000003

struct userregs { /* user_regs_struct */
	uint32_t ebx, ecx, edx, esi, edi, ebp, eax;
	uint32_t ds, es, fs, gs, origeax;
	uint32_t eip, cs, eflags, esp, ss;
};

/* struct user, as PEEKUSR and POKEUSR see it. */
#define USER_SIZE  284
#define USER_DEBUG 252 /* eight debug registers */

struct syscallinfo { /* ptrace_syscall_info */
	uint8_t op, pad[3];
	uint32_t arch;
	uint64_t ip, sp;
	union {
		struct {
			uint64_t nr, args[6];
		} entry;
		struct {
			int64_t value;
			uint8_t failed;
		} exit;
	};
};

_Static_assert(sizeof(struct userregs) == 68, "user_regs_struct");

#endif
