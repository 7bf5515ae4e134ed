/* signal.h - signals as programs see them: numbers, flags, and the layouts of
 * what lies on the stack of a handler (Linux i386). */
#ifndef ABI_SIGNAL_H
#define ABI_SIGNAL_H

#include <stddef.h>
#include <stdint.h>

#define NSIG 64

#define SIGHUP    1
#define SIGINT    2
#define SIGQUIT   3
#define SIGILL    4
#define SIGTRAP   5
#define SIGABRT   6
#define SIGBUS    7
#define SIGFPE    8
#define SIGKILL   9
#define SIGUSR1   10
#define SIGSEGV   11
#define SIGUSR2   12
#define SIGPIPE   13
#define SIGALRM   14
#define SIGTERM   15
#define SIGSTKFLT 16
#define SIGCHLD   17
#define SIGCONT   18
#define SIGSTOP   19
#define SIGTSTP   20
#define SIGTTIN   21
#define SIGTTOU   22
#define SIGURG    23
#define SIGXCPU   24
#define SIGXFSZ   25
#define SIGVTALRM 26
#define SIGPROF   27
#define SIGWINCH  28
#define SIGIO     29
#define SIGPWR    30
#define SIGSYS    31
#define SIGRTMIN  32

#define SIG_DFL 0u
#define SIG_IGN 1u
#define SIG_ERR (~0u)

#define SIG_BLOCK   0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

#define SA_NOCLDSTOP 0x00000001u
#define SA_NOCLDWAIT 0x00000002u
#define SA_SIGINFO   0x00000004u
#define SA_RESTORER  0x04000000u
#define SA_ONSTACK   0x08000000u
#define SA_RESTART   0x10000000u
#define SA_NODEFER   0x40000000u
#define SA_RESETHAND 0x80000000u

#define SS_ONSTACK    1
#define SS_DISABLE    2
#define SS_AUTODISARM 0x80000000u
#define MINSIGSTKSZ   2048

/* si_code: where a signal comes from. */
#define SI_USER    0    /* kill */
#define SI_KERNEL  0x80
#define SI_QUEUE   (-1) /* sigqueue */
#define SI_TIMER   (-2)
#define SI_MESGQ   (-3)
#define SI_ASYNCIO (-4)
#define SI_SIGIO   (-5)
#define SI_TKILL   (-6) /* tkill, tgkill */

#define ILL_ILLOPC 1
#define ILL_ILLOPN 2
#define ILL_PRVOPC 5
#define ILL_COPROC 7

#define FPE_INTDIV 1
#define FPE_INTOVF 2
#define FPE_FLTDIV 3
#define FPE_FLTOVF 4
#define FPE_FLTUND 5
#define FPE_FLTRES 6
#define FPE_FLTINV 7
#define FPE_FLTSUB 8

#define SEGV_MAPERR 1
#define SEGV_ACCERR 2

#define BUS_ADRALN 1
#define BUS_ADRERR 2
#define BUS_OBJERR 3

#define TRAP_BRKPT 1
#define TRAP_TRACE 2
#define TRAP_HWBKPT 4

#define CLD_EXITED    1
#define CLD_KILLED    2
#define CLD_DUMPED    3
#define CLD_TRAPPED   4
#define CLD_STOPPED   5
#define CLD_CONTINUED 6

struct ksigaction { /* rt_sigaction's */
	uint32_t handler;
	uint32_t flags;
	uint32_t restorer;
	uint64_t mask;
};

struct oldsigaction { /* sigaction's */
	uint32_t handler;
	uint32_t mask;
	uint32_t flags;
	uint32_t restorer;
};

/* What the kernel keeps of a signal; struct siginfo is the user's. */
struct ksiginfo {
	int signo;
	int code;
	int errno;
	union {
		int pid;       /* who sent it; SIGCHLD: which child */
		uint32_t addr; /* faults */
	};
	uint32_t uid;
	union {
		int status;     /* SIGCHLD: exit code or signal */
		uint32_t value; /* sigqueue's */
	};
	uint32_t utime, stime; /* SIGCHLD: in units of USER_HZ */
};

struct siginfo {
	int si_signo;
	int si_errno;
	int si_code;
	uint32_t field[29]; /* by si_code: pid uid status utime stime; pid uid
	                     * value; addr */
};

struct sigstack { /* stack_t */
	uint32_t ss_sp;
	uint32_t ss_flags;
	uint32_t ss_size;
};

struct sigcontext {
	uint32_t gs, fs, es, ds;
	uint32_t edi, esi, ebp, esp, ebx, edx, ecx, eax;
	uint32_t trapno, err;
	uint32_t eip, cs, eflags;
	uint32_t espatsignal, ss;
	uint32_t fpstate; /* address of a struct fpstate, or 0 */
	uint32_t oldmask; /* blocked signals 1 to 32 */
	uint32_t cr2;
};

struct ucontext {
	uint32_t flags;
	uint32_t link;
	struct sigstack stack;
	struct sigcontext mcontext;
	uint64_t sigmask;
};

struct fxsave { /* Intel SDM 1, table 10-2 */
	uint16_t cwd, swd;
	uint8_t twd, reserved;
	uint16_t fop;
	uint32_t fip, fcs, foo, fos;
	uint32_t mxcsr, mxcsrmask;
	uint8_t st[8][16]; /* 10 bytes each used */
	uint8_t xmm[8][16];
	uint8_t rest[224];
};

struct fsave { /* Intel SDM 1, figure 8-9 */
	uint32_t cwd, swd, twd; /* high halves all ones */
	uint32_t fip, fcs, foo, fos;
	uint8_t st[8][10];
};

struct fpstate { /* what sigcontext.fpstate points to */
	struct fsave fsave;
	uint16_t status;
	uint16_t magic; /* 0: fxsave is valid; 0xffff: no more than fsave */
	struct fxsave fxsave;
};
#define FPSTATE_FXSR  0
#define FPSTATE_FSAVE 0xffff

struct sigframe { /* of a handler without SA_SIGINFO */
	uint32_t retaddr;
	uint32_t signo;
	struct sigcontext sc;
	struct fpstate unused; /* Linux's old place of it; keeps offsets */
	uint32_t extramask;    /* blocked signals 33 to 64 */
	uint8_t retcode[8];
};

struct rtsigframe { /* of a handler with SA_SIGINFO */
	uint32_t retaddr;
	uint32_t signo;
	uint32_t pinfo;
	uint32_t puc;
	struct siginfo info;
	struct ucontext uc;
	uint8_t retcode[8];
};

_Static_assert(sizeof(struct siginfo) == 128, "siginfo");
_Static_assert(sizeof(struct sigcontext) == 88, "sigcontext");
_Static_assert(sizeof(struct fxsave) == 512, "fxsave");
_Static_assert(sizeof(struct fsave) == 108, "fsave");
_Static_assert(sizeof(struct fpstate) == 112 + 512, "fpstate");
_Static_assert(offsetof(struct fpstate, magic) == 110, "fpstate.magic");
_Static_assert(sizeof(struct sigstack) == 12, "stack_t");
#ifdef __i386__
_Static_assert(sizeof(struct ksigaction) == 20, "sigaction");
_Static_assert(offsetof(struct sigframe, extramask) == 96 + 624, "sigframe");
_Static_assert(offsetof(struct rtsigframe, info) == 16, "rtsigframe.info");
_Static_assert(offsetof(struct rtsigframe, uc) == 144, "rtsigframe.uc");
_Static_assert(sizeof(struct ucontext) == 116, "ucontext");
_Static_assert(offsetof(struct rtsigframe, retcode) == 260, "rtsigframe");
#endif

#endif
