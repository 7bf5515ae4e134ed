/* signal.h - signals: send, deliver, return. */
#ifndef KERN_SIGNAL_H
#define KERN_SIGNAL_H

#include "kern/abi/signal.h"
#include "kern/lock.h"

struct proc;
struct trapframe;

struct sighand {
	int ref;
	struct spinlock lock; /* RANK_SIGNAL; also guards pending of its users */
	struct ksigaction action[NSIG]; /* [lock] by signal number - 1 */
};

struct sigstate {
	uint64_t pending;  /* bit n-1: signal n [sighand lock] */
	uint64_t mask;     /* blocked */
	uint64_t oldmask;  /* what sigsuspend, ppoll... restore after delivery */
	int restoremask;   /* oldmask holds one */
	struct ksiginfo info[NSIG]; /* of the pending ones, by number - 1 */
	uint altsp, altsize, altflags; /* sigaltstack */
	int stopped;       /* stopped by this signal, or 0 */
	int interrupted;   /* system call to restart: -ERESTART* was returned */
};

/* Send a signal to p (info 0: from the kernel, SI_KERNEL... or as sender fills
 * in).  proctree held or p otherwise kept alive.  Any context. */
void sigsend(struct proc *p, int sig, const struct ksiginfo *info);

/* To every process of a group: 0, or -ESRCH when it has none.  Takes proctree. */
int sigsendgroup(int pgid, int sig, const struct ksiginfo *info);

/* A signal that will act (not blocked, not ignored) is pending for the running
 * process. */
int sigpending(void);

/* A fault of the running process, in user mode, that fault() could not resolve:
 * the errno becomes a signal (EFAULT, EACCES: SIGSEGV; EIO: SIGBUS; ENOMEM:
 * SIGKILL with a message).  Debug builds print who, where, which access and
 * which mapping. */
void sigfault(struct trapframe *tf, uint va, int err);

/* Another exception of user mode: signal number and si_code.  Blocked or ignored
 * it kills, as on Linux. */
void sigexception(struct trapframe *tf, int sig, int code, uint addr);

/* Deliver what is pending to the frame, called by userret; does not return if
 * the process dies. */
void sigdeliver(struct trapframe *tf);

/* Internal results of interrupted system calls, never seen by users: restart
 * always unless a handler without SA_RESTART runs; restart only if no handler
 * runs at all; and through restart_syscall. */
#define ERESTARTSYS    512
#define ERESTARTNOHAND 514

#endif
