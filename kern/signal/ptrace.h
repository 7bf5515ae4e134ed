/*
 * ptrace.h - one thread traces another: the tracer stops it, reads its
 * registers and memory, and changes them.
 *
 * A thread that was ever traced has a struct trace, for as long as it lives.
 * If it ends while it is traced, and is not its process's leader, the struct
 * trace stays on the tracer's list, and the tracer hears of the end through it.
 */
#ifndef KERN_PTRACE_H
#define KERN_PTRACE_H

#include "kern/abi/ptrace.h"
#include "kern/proc.h"

struct waited;

enum { /* how far a traced thread runs after a stop: to the next */
	TRACE_CONT,    /* signal or event */
	TRACE_SYSCALL, /* of these, or beginning or end of a system call */
	TRACE_STEP     /* of these, or end of an instruction */
};

struct trace {
	struct list link;    /* tracer->tracees [proctree] */
	struct proc *tracer; /* a thread; 0: nobody [proctree, and to make it 0
	                      * also the traced thread's sighand lock] */
	struct proc *p;      /* the traced thread; 0: it has ended [proctree] */
	int pid, tgid;       /* of a thread that has ended */
	int status;          /* its wait status */
	uint uid;            /* and its user */

	int options;         /* PTRACE_O_* [proctree] */
	int seized;          /* by PTRACE_SEIZE, without a stop [proctree] */
	int stopped;         /* p waits for its tracer, which then owns p's
	                      * registers and those members below that name
	                      * no lock [sighand lock] */
	int listening;       /* PTRACE_LISTEN: p waits, but takes no requests
	                      * [sighand lock] */
	int trap;            /* p is to stop soon, without a signal
	                      * [sighand lock] */
	int code;            /* why p stopped: signal, event << 8; 0: the tracer
	                      * has waited for the stop [proctree] */
	int data;            /* the signal that p goes on with, or 0 */
	int mode;            /* TRACE_*: how p goes on */
	int forcedtf;        /* the tracer set FL_TF, not the program */
	int hasinfo;         /* the stop has an info */
	struct ksiginfo info; /* of the stop */
	uint msg;            /* of the event, for PTRACE_GETEVENTMSG */
	uint dr[8];          /* p's debug registers; dr[6] tells what trapped */
};

/* Has p a tracer?  1 or 0.  The answer does not change while proctree is
 * held. */
static inline int
traced(const struct proc *p)
{
	return p->trace && p->trace->tracer;
}

/* Is p traced, and not by a thread of its parent?  1 or 0.  Called with
 * proctree held. */
int traceforeign(const struct proc *p);

/* Let tracer trace the thread of t, which nobody traces, with the PTRACE_O_*
 * options.  Called with proctree held. */
void tracelink(struct trace *t, struct proc *tracer, int seized, int options);

/* End the tracing of t: its thread, if it waits for its tracer, goes on, or
 * stops with its process; t is freed if its thread has ended.  Takes the
 * sighand's lock of the thread.  Called with proctree held. */
void untrace(struct trace *t);

/* Stop the running thread for its tracer, until that lets it go on or SIGKILL
 * comes.  code, info (0: none) and msg become those of struct trace; why is
 * CLD_STOPPED or CLD_TRAPPED, for the tracer's SIGCHLD.  The signal to go on
 * with, or 0; -1 if it did not stop, for it has no tracer or has been killed.
 * Called with no spinlock held. */
int tracestop(int code, int why, const struct ksiginfo *info, uint msg);

/* Stop the running thread for event, a PTRACE_EVENT_*, if it has a tracer that
 * asked for such stops.  msg is for PTRACE_GETEVENTMSG.  Called with no
 * spinlock held. */
void traceevent(int event, uint msg);

/* The running thread has taken sig: stop it, so that its tracer may replace the
 * signal.  The signal to deliver, with *info to match, or 0 for none.  Called
 * with no spinlock held. */
int tracesignal(int sig, struct ksiginfo *info);

/* The running thread, which has a struct trace, is to stop with its process, by
 * sig: stop it for its tracer.  Called with no spinlock held. */
void tracegroupstop(int sig);

/* The running thread p, which has a struct trace, is about to return to user
 * mode: stop it if its tracer has asked for that.  Called with no spinlock
 * held. */
void tracework(struct proc *p);

/* The frame of a handler is about to be built for p: does the tracer step p?  1
 * or 0.  If so, FL_TF is kept out of the frame unless the program set it. */
int tracehandler(struct proc *p);

/* That frame is built: a single step ends at the handler's first instruction.
 * Stop the running thread.  Called with no spinlock held. */
void tracestepped(void);

/* Run the system call of tf for a traced thread, whose p->entry this is in
 * place of syscall(). */
void syscalltraced(struct trapframe *tf);

/* Give np a struct trace without a tracer: 0 or -ENOMEM. */
int tracealloc(struct proc *np);

/* p, which has a struct trace, makes np by clone(flags): if p is traced and its
 * tracer or the flags ask for it, that tracer traces np, too.  Called with
 * proctree and p's sighand lock held. */
void traceclone(struct proc *np, struct proc *p, uint flags);

/* The running thread has made the thread pid by clone(flags), and that runs:
 * stop for the event if the tracer has asked for it, unless flags have
 * CLONE_UNTRACED.  Called with no spinlock
 * held. */
void tracecloned(uint flags, int pid);

/* The running thread, which has a struct trace, has executed a program; its id
 * was pid before.  Clear its debug registers.  If it is traced, stop it for the
 * event or, if the tracer has not asked for that and has not seized it, send it
 * a SIGTRAP.  Called with no spinlock held. */
void traceexec(int pid);

/* May p get the rights of a set-user-id program?  1 if nobody traces it or its
 * tracer is root, or else 0.  Takes proctree. */
int traceprivileged(struct proc *p);

/* p exits: let go of the threads that it traces; those with PTRACE_O_EXITKILL
 * are killed.  Called with proctree held. */
void traceexit(struct proc *p);

/* p, which has a struct trace and is not its process's leader, ends with this
 * wait status: leave that to its tracer, if it has one.  Called with proctree
 * held. */
void traceended(struct proc *p, int status);

/* All threads of tg have ended, and its leader has a struct trace.  If a
 * process other than the parent traces the leader, send that *info by SIGCHLD:
 * 1, and the parent hears of the end when the tracer has waited.  0 if the
 * parent is to hear at once.  Called with proctree held. */
int tracezombie(struct tgroup *tg, const struct ksiginfo *info);

/* Has a thread of tg ended that the tracer of tg's leader traced, too, and has
 * not waited for yet?  1 or 0.  Called with proctree held. */
int tracewaits(struct tgroup *tg);

/* For dowait(): find a thread that the process me traces (with __WNOTHREAD,
 * that the running thread traces), that id means as in waitpid(), and that has
 * something to tell: its struct trace, or 0.  The threads that id means and
 * that were looked at are added to *n.  Called with proctree held. */
struct trace *tracelook(struct tgroup *me, int id, int options, int *n);

/* Write to *w what t, found by tracelook(), has to tell, and forget it unless
 * the options have WNOWAIT.  Returns the thread's id.  Called with proctree
 * held. */
int tracereport(struct trace *t, int options, struct waited *w);

/* A debug exception of user mode: the si_code of its SIGTRAP, or -1 if it is
 * none of the running thread's, which then goes on. */
int tracedebug(struct trapframe *tf);

/* Load the debug registers of the running thread p, which has a struct trace,
 * into the CPU.  Called with interrupts off. */
void traceload(struct proc *p);

/* May the running process read p's memory and change it?  1 or 0.  Called with
 * proctree held. */
int traceable(struct proc *p);

/* Copy the registers of the frame tf to *r, as programs see them. */
void userregs(const struct trapframe *tf, struct userregs *r);

#endif
