/* sigframe.h - shared by signal.c, sigfault.c, sigframe.c, syssignal.c, ptimer.c,
 * coredump.c, ptrace.c, sysptrace.c only. */
#ifndef KERN_SIGFRAME_H
#define KERN_SIGFRAME_H

#include "kern/signal/signal.h"

#define sigbit(sig) (1ull << ((sig)-1))
#define SIGNOMASK   (sigbit(SIGKILL) | sigbit(SIGSTOP)) /* never blocked */
#define SIGNOCALL   (~0u) /* in tf->err: no system call to restart */

/* signal.c */

struct sigqueue { /* what is known of a pending signal */
	struct sigqueue *next;
	struct ksiginfo info;
	struct ptimer *timer; /* whose it is, 0: its own */
};

/* Put a timer's entry among the pending signals of process tg or, if p is not
 * 0, its thread p: 1, or 0 when the signal is ignored.  sigunpost takes it out
 * again if it is still there.  Sighand lock held, and proctree for the first. */
int sigposttimer(struct tgroup *tg, struct proc *p, struct sigqueue *q);
void sigunpost(struct tgroup *tg, struct sigqueue *q);

/* ptimer.c: the entry is taken, so that info should tell of overruns; with info
 * 0 dropped.  Sighand lock held. */
void ptimertaken(struct ptimer *t, struct ksiginfo *info);

/* sigsendproc, or sigsend if p is a thread of it, that tells: 0, or -EAGAIN when
 * too many are queued. */
int sigqueueinfo(struct tgroup *tg, struct proc *p, int sig,
	const struct ksiginfo *info);

/* The process has new signals to take, or a thread that was to take them will
 * not: tell others of those in the set.  Sighand lock held. */
void sigretarget(struct tgroup *tg, uint64_t set);

/* Take the next signal of the set that is pending for p or its process, its
 * information in *info: its number, or 0.  Sighand lock held. */
int sigtake(struct proc *p, uint64_t set, struct ksiginfo *info);

/* Set the action of sig (valid, not SIGKILL or SIGSTOP). */
void sigsetaction(int sig, const struct ksigaction *act);

/* Make sig pending for the thread p, whatever its action, and let it notice:
 * 0 or -EAGAIN.  Sighand lock held. */
int sigpost(struct proc *p, int sig, const struct ksiginfo *info);

/* sigfault.c */

/* Send the running process a SIGSEGV that it cannot escape, for a frame of sig (0:
 * any) that is no good. */
void sigforcesegv(int sig);

/* sigframe.c */

/* Write the frame of act's handler to the user's stack and make tf start it.
 * 0 or -EFAULT with tf unchanged. */
int sigpushframe(struct trapframe *tf, const struct ksigaction *act,
	const struct ksiginfo *info);

/* The FPU's state as struct proc keeps it, in the form of FNSAVE. */
void fsaveimage(struct fsave *to, const void *fpu);

/* The opposite, to an FXSAVE image. */
void fromfsave(struct fxsave *to, const struct fsave *from);

/* The user's form of info. */
void siguserinfo(struct siginfo *to, const struct ksiginfo *info);

/* syssignal.c: set the alternate stack: 0 or -errno. */
int sigsetstack(const struct sigstack *ss, uint esp);

#endif
