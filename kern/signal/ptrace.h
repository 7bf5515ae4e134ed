/*
 * ptrace.h - one thread traces another: it stops it, looks and changes.
 *
 * A thread that was ever traced has a struct trace, for as long as it lives.
 * One that ends while it is traced, and is not its process's leader, leaves it
 * with its tracer, who hears of the end through it.
 */
#ifndef KERN_PTRACE_H
#define KERN_PTRACE_H

#include "kern/abi/ptrace.h"
#include "kern/proc.h"

struct waited;

enum { TRACE_CONT, TRACE_SYSCALL, TRACE_STEP }; /* how it goes on */

struct trace {
	struct list link;    /* tracer->tracees [proctree] */
	struct proc *tracer; /* a thread; 0: nobody [proctree, and the sighand
	                      * lock of the traced one] */
	struct proc *p;      /* who is traced; 0: has ended, and was: */
	int pid, tgid, status;
	uint uid;

	int options;         /* PTRACE_O_* [proctree] */
	int seized;          /* not attached with stops [proctree] */
	int stopped;         /* p waits for its tracer [sighand lock]; then p's
	                      * registers and the rest are the tracer's */
	int listening;       /* it waits, but not for requests [sighand lock] */
	int trap;            /* is to stop soon, for no signal [sighand lock] */
	int code;            /* why it stopped: signal, event << 8; 0: the
	                      * tracer has waited for it [proctree] */
	int data;            /* signal to go on with */
	int mode;            /* TRACE_* */
	int forcedtf;        /* FL_TF is the tracer's, not the program's */
	int hasinfo;
	struct ksiginfo info; /* of the stop */
	uint msg;            /* of the event */
	uint dr[8];          /* debug registers; 6 by what has happened */
};

static inline int
traced(const struct proc *p)
{
	return p->trace && p->trace->tracer;
}

/* Is p traced, and not by a thread of its parent?  proctree held. */
int traceforeign(const struct proc *p);

/* Let tracer trace t's thread.  proctree held, t->p's sighand lock not. */
void tracelink(struct trace *t, struct proc *tracer, int seized, int options);

/* The opposite; it goes on, or stops with its process.  proctree held. */
void untrace(struct trace *t);

/* Stop the running thread for its tracer: why is CLD_STOPPED or CLD_TRAPPED, code
 * as in struct trace.  The signal to go on with, or 0; -1: it did not stop, for
 * it has no tracer, or is killed.  No spinlock held. */
int tracestop(int code, int why, const struct ksiginfo *info, uint msg);

/* Stop for an event (PTRACE_EVENT_*) if the tracer wants to hear of it. */
void traceevent(int event, uint msg);

/* The running thread has taken sig: what its tracer makes of it, or 0.  info is
 * changed along. */
int tracesignal(int sig, struct ksiginfo *info);

/* It stops with its process, by sig. */
void tracegroupstop(int sig);

/* Before user mode: stop if the tracer asked for it. */
void tracework(struct proc *p);

/* The frame of a handler is being built, and is: single-stepping has come to its
 * first instruction.  Is p stepping? */
int tracehandler(struct proc *p);
void tracestepped(void);

/* p->entry of traced threads, instead of syscall(). */
void syscalltraced(struct trapframe *tf);

/* np, which p makes by clone(flags), is traced as p is if its tracer wants it.
 * proctree and p's sighand lock held.  Before: memory for that, 0 or -ENOMEM.
 * After, when np runs: tell the tracer. */
int tracealloc(struct proc *np);
void traceclone(struct proc *np, struct proc *p, uint flags);
void tracecloned(uint flags, int pid);

/* execve has succeeded; the thread's id was pid before.  And: may it take
 * the rights of a set-user-id program? */
void traceexec(int pid);
int traceprivileged(struct proc *p);

/* p exits: lets its tracees go.  Then: it ends, not as the leader, with this
 * status.  proctree held. */
void traceexit(struct proc *p);
void traceended(struct proc *p, int status);

/* All of tg has ended, and somebody but its parent traces it: 1, and the parent
 * hears when he has waited.  proctree held. */
int tracezombie(struct tgroup *tg, const struct ksiginfo *info);

/* Threads of tg have ended, but the tracer has not waited for them yet. */
int tracewaits(struct tgroup *tg);

/* dowait: a thread that me traces, or only the running thread, matches, and has
 * something to tell; or 0.  *n counts those that match.  proctree held. */
struct trace *tracelook(struct tgroup *me, int id, int options, int *n);
int tracereport(struct trace *t, int options, struct waited *w);

/* A debug exception of user mode: its si_code, or -1 if it is none. */
int tracedebug(struct trapframe *tf);

/* Load the debug registers of the running thread.  Interrupts off, p->trace is
 * not 0. */
void traceload(struct proc *p);

/* May the running process look into p and change it?  proctree held. */
int traceable(struct proc *p);

/* sysptrace.c: the registers of a frame as programs see them. */
void userregs(const struct trapframe *tf, struct userregs *r);

#endif
