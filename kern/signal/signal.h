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
	struct spinlock lock; /* RANK_SIGNAL; guards the pending signals of the
	                       * processes that use this, too */
	struct ksigaction action[NSIG]; /* [lock] by signal number - 1 */
};

struct sigqueue; /* what is known of a pending signal (sigframe.h) */

struct sigpend { /* pending signals [sighand lock] */
	uint64_t set;           /* bit n-1: signal n */
	struct sigqueue *queue; /* oldest first */
	int n;                  /* how many are queued */
};

struct sigstate { /* of a thread; a new thread's may be all zero */
	struct sigpend pend; /* sent to the thread; those sent to its process
	                      * are in tg->pend */
	uint64_t mask;     /* the signals that are blocked */
	uint64_t oldmask;  /* the mask that sigsuspend, ppoll and others have
	                    * replaced for the time of the call */
	int restoremask;   /* oldmask is to come back */
	uint64_t waitset;  /* what sigtimedwait waits for [sighand lock] */
	uint64_t forced;   /* faults: act even on init [sighand lock] */
	uint altsp, altsize, altflags; /* sigaltstack; none if altsize is 0 */
	int stopping;      /* the thread has taken a stop signal, which a
	                    * SIGCONT undoes until the process stops
	                    * [sighand lock] */
	int tostop;        /* counted in tg->nstop [sighand lock] */
	int gone;          /* the thread exits: nothing is sent to it any more
	                    * [sighand lock] */
	uint trapno, err, cr2; /* the last fault, for sigcontext */
};

/* A wait with a time limit that can be restarted: after a stop, if no handler
 * has run, restart_syscall calls fn again, with the deadline it had. */
struct restart {
	int (*fn)(struct restart *); /* 0: nothing to restart */
	int64_t deadline;            /* ns */
	uint arg[4];                 /* fn's own */
};

/* Send a signal to the thread p.  *info tells the program where the signal
 * comes from; if info is 0, it comes from the kernel (SI_KERNEL).  Called with
 * proctree held, or for a thread of the process that runs on this CPU.  Any
 * context. */
void sigsend(struct proc *p, int sig, const struct ksiginfo *info);

/* Send a signal to a process.  Any of its threads may take the signal; one that
 * does not block it is interrupted.  info as for sigsend().  Called with
 * proctree held, or for the process that runs on this CPU.  Any context. */
void sigsendproc(struct tgroup *tg, int sig, const struct ksiginfo *info);

/* Send a signal to every process of the group pgid: 0, or -ESRCH when it has
 * none that has not ended.  Takes proctree. */
int sigsendgroup(int pgid, int sig, const struct ksiginfo *info);

/* May the running process send sig to p?  1 or 0.  Called with proctree
 * held. */
int sigpermitted(struct proc *p, int sig);

/* Let the running thread block the signals of mask, but not SIGKILL and
 * SIGSTOP.  Takes the sighand's lock. */
void sigsetmask(uint64_t mask);

/* sigsetmask() for the time of a system call such as ppoll: the previous mask
 * comes back when a signal has been delivered or, with nothing to deliver,
 * before the return to user mode. */
void sigsuspendmask(uint64_t mask);

/* p executes a program: its handlers become SIG_DFL, and it has no alternate
 * stack any more.  No other process uses p's sighand.  Takes the sighand's
 * lock. */
void sigexec(struct proc *p);

/* Let every action of sh be SIG_DFL, or SIG_IGN where it is, without flags and
 * mask.  Takes sh's lock. */
void sigdefaults(struct sighand *sh);

/* The running thread p exits: from now on no signal is sent to it, and other
 * threads of its process are told of the signals that it would have taken.
 * status becomes the process's wait status, unless exit_group or a signal has
 * set that.  1 if p is the last thread of its process, or else 0.  Takes the
 * sighand's lock. */
int sigexit(struct proc *p, int status);

/* The thread p exits and cannot stop any more.  If a stop of its process waited
 * for p alone, tell the parent of the stop.  Called with proctree held. */
void sigexitstop(struct proc *p);

/* Send SIGKILL to all threads of tg except but (0: to all), and end every stop.
 * Called with the sighand's lock held. */
void sigkillthreads(struct tgroup *tg, struct proc *but);

/* Would sig do nothing to p now, by its action or by default?  1 or 0.  Any
 * context. */
int sigignored(struct proc *p, int sig);

/* Is the process group orphaned, when the process ignored (0: none) does not
 * count?  1 or 0.  Called with proctree held. */
int pgorphaned(int pgid, struct tgroup *ignored);

/* Must the running thread end a wait: is a signal pending for it or its process
 * that it does not block, is it to stop, or does its tracer want it?  1 or
 * 0. */
int sigpending(void);

/* Send the running process a signal for its fault at the address va, which
 * fault() could not resolve.  err is -EFAULT or -EACCES (SIGSEGV), -EIO
 * (SIGBUS), or -ENOMEM (SIGKILL, with a message).  The fault was in user mode;
 * with -ENOMEM it may have been in a system call.  If the program has no
 * handler, debug builds print which process, instruction, access and mapping it
 * was, unless the boot flag quiet is set. */
void sigfault(struct trapframe *tf, uint va, int err);

/* Send the running process the signal sig for another exception of user mode,
 * with code for si_code and addr for si_addr.  If the process blocks or ignores
 * the signal, it dies, as on Linux. */
void sigexception(struct trapframe *tf, int sig, int code, uint addr);

/* coredump.c: write the core file of the running process, which dies by the
 * signal in info: 1, or 0 when it may have none, or there is no memory or no
 * file. */
int coredump(struct trapframe *tf, const struct ksiginfo *info);

/* If another thread of its process writes the core file, the exiting thread p
 * waits here until that is done, since its registers belong into the file. */
void corepark(struct proc *p);

/* Deliver the pending signals of the running thread to its frame tf, before it
 * returns to user mode.  Does not return if the process dies.  userret() calls
 * it. */
void sigdeliver(struct trapframe *tf);

/* signalfd.c */
void signalfdinit(void);        /* called once at boot */
extern volatile int nsignalfds; /* how many signalfds there are */

/* A signal is pending for the process tg or one of its threads: wake those that
 * read or poll signalfds.  Called with the sighand's lock held, which a reader
 * holds from its look until it sleeps, so that no wakeup is lost. */
void signalfdwake(struct tgroup *tg);

/* Results of interrupted system calls, which programs never see: they tell when
 * the call runs again.  Where it does not, the program gets EINTR. */
#define ERESTARTSYS     512 /* unless a handler without SA_RESTART runs */
#define ERESTARTNOINTR  513 /* always */
#define ERESTARTNOHAND  514 /* if no handler runs */
#define ERESTARTBLOCK   516 /* if no handler runs, as p->restart says */

/* Sleep until a signal comes (-EINTR) or until the deadline (-ETIMEDOUT), a
 * time in ns of nowns(), or of realns() if real is SLEEP_REAL and not 0.
 * Called with no spinlock held. */
int sleepsignal(int64_t deadline, int real);

#endif
