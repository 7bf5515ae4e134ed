/* signal.h - signals: send, deliver, return. */
#ifndef KERN_SIGNAL_H
#define KERN_SIGNAL_H

#include "kern/abi/signal.h"
#include "kern/lock/lock.h"

struct proc;
struct tgroup;
struct trapframe;

struct sighand {
	int ref;
	struct spinlock lock; /* RANK_SIGNAL; also guards pending of its users */
	struct ksigaction action[NSIG]; /* [lock] by signal number - 1 */
};

struct sigqueue; /* what is known of a pending signal (sigframe.h) */

struct sigpend { /* pending signals [sighand lock] */
	uint64_t set;           /* bit n-1: signal n */
	struct sigqueue *queue; /* oldest first */
	int n;                  /* how many are queued */
};

struct sigstate { /* of a thread; all zero is a good start */
	struct sigpend pend; /* sent to it; tg->pend: to its process */
	uint64_t mask;     /* blocked */
	uint64_t oldmask;  /* what sigsuspend, ppoll... restore after delivery */
	int restoremask;   /* oldmask holds one */
	uint64_t waitset;  /* what sigtimedwait waits for [sighand lock] */
	uint64_t forced;   /* faults: act even on init [sighand lock] */
	uint altsp, altsize, altflags; /* sigaltstack; none if altsize is 0 */
	int stopping;      /* has taken a stop signal, which a SIGCONT undoes
	                    * until the process stops [sighand lock] */
	int tostop;        /* counted in tg->nstop [sighand lock] */
	int gone;          /* it exits: nothing is sent any more [same] */
	uint trapno, err, cr2; /* the last fault, for sigcontext */
};

/* A restartable wait with a time limit: fn is called again (with the deadline
 * it had) by restart_syscall after a stop that no handler saw. */
struct restart {
	int (*fn)(struct restart *); /* 0: nothing to restart */
	int64_t deadline;            /* ns */
	uint arg[4];                 /* fn's own */
};

/* Send a signal to the thread p (info 0: from the kernel, SI_KERNEL... or as
 * sender fills in).  proctree held, or p is of the process that runs on this
 * CPU.  Any context. */
void sigsend(struct proc *p, int sig, const struct ksiginfo *info);

/* Send a signal to a process: any thread of it may take the signal; one that
 * does not block it is told.  proctree held, or tg is the process that runs on
 * this CPU.  Any context. */
void sigsendproc(struct tgroup *tg, int sig, const struct ksiginfo *info);

/* To every process of a group: 0, or -ESRCH when it has none.  Takes
 * proctree. */
int sigsendgroup(int pgid, int sig, const struct ksiginfo *info);

/* May the running process send sig to p?  proctree held. */
int sigpermitted(struct proc *p, int sig);

/* Change the mask of the running process (SIGKILL and SIGSTOP stay out), as
 * ppoll does; sigsuspendmask() also keeps the old one until a signal has been
 * delivered or, with nothing to deliver, until the return to user mode. */
void sigsetmask(uint64_t mask);
void sigsuspendmask(uint64_t mask);

/* At exec handlers become SIG_DFL (the caller has made the sighand its own) and
 * the alternate stack is gone. */
void sigexec(struct proc *p);
void sigdefaults(struct sighand *sh);

/* The running thread exits, and so its process if it is the last, with this
 * wait status unless one is set: nothing is sent to the thread any more, and
 * others see to what it would have taken.  Is it the last? */
int sigexit(struct proc *p, int status);

/* The thread exits and cannot stop any more: it may be the one that a stop of
 * its process waits for.  proctree held. */
void sigexitstop(struct proc *p);

/* SIGKILL to all threads but one, and nothing stops them.  Sighand lock
 * held. */
void sigkillthreads(struct tgroup *tg, struct proc *but);

/* Would sig do nothing to p now, by its action or by default?  Any context. */
int sigignored(struct proc *p, int sig);

/* Is the process group orphaned, not counting the process ignored (0: none)?
 * proctree held. */
int pgorphaned(int pgid, struct tgroup *ignored);

/* A signal that will act (not blocked, not ignored) is pending for the running
 * process. */
int sigpending(void);

/* A fault of the running process, in user mode (ENOMEM: or in a system call),
 * that fault() could not resolve:
 * the errno becomes a signal (EFAULT, EACCES: SIGSEGV; EIO: SIGBUS; ENOMEM:
 * SIGKILL with a message).  Debug builds print who, where, which access and
 * which mapping. */
void sigfault(struct trapframe *tf, uint va, int err);

/* Another exception of user mode: signal number and si_code.  Blocked or
 * ignored it kills, as on Linux. */
void sigexception(struct trapframe *tf, int sig, int code, uint addr);

/* coredump.c: write the core file of the running process, which dies by the
 * signal in info: 1, or 0 when it may have none or there is no room. */
int coredump(struct trapframe *tf, const struct ksiginfo *info);

/* An exiting thread waits here, with its registers, while another dumps. */
void corepark(struct proc *p);

/* Deliver what is pending to the frame, called by userret; does not return if
 * the process dies. */
void sigdeliver(struct trapframe *tf);

/* signalfd.c */
void signalfdinit(void);       /* at boot */
extern volatile int nsignalfds; /* how many there are */

/* A signal is pending for the process or one of its threads.  Sighand lock
 * held, as whoever takes signals holds it. */
void signalfdwake(struct tgroup *tg);

/* Internal results of interrupted system calls, never seen by users: restart
 * always unless a handler without SA_RESTART runs; restart only if no handler
 * runs at all; and through restart_syscall. */
#define ERESTARTSYS     512
#define ERESTARTNOINTR  513 /* always */
#define ERESTARTNOHAND  514
#define ERESTARTBLOCK   516 /* p->restart is filled */

/* Sleep until a signal comes (-EINTR) or until the deadline (-ETIMEDOUT): a
 * time of nowns(), or with real set to SLEEP_REAL one of realns(), in ns.  No
 * spinlock held. */
int sleepsignal(int64_t deadline, int real);

#endif
