/* sched.h - which thread runs, and where. */
#ifndef KERN_SCHED_H
#define KERN_SCHED_H

#include "arch/trap.h"
#include "kern/sleep.h"
#include "kern/time.h"

struct proc;
struct spinlock;

#define SLICE 4 /* ticks that two of equal niceness run in turn */

/* Make the run queues.  Called once, before the first process is made. */
void schedinit(void);

/* The thread that a CPU came up with becomes its idle thread here: it halts the
 * CPU while there is nothing to run, and switches to what is ready.  Called
 * once on each CPU, with interrupts off.  What differs from xv6: a thread that
 * gives up the CPU switches straight to the next one, not to scheduler(). */
void scheduler(void) __attribute__((noreturn));

/* Make p, which is new, asleep or stopped, run when its turn comes; does
 * nothing if p runs or is ready.  Any context. */
void setrunnable(struct proc *p);

/* Give up the CPU but stay ready: at least one other thread that is ready runs
 * first, unless the slice was over anyway (cpu->resched).  No spinlock held. */
void yield(void);

/* Called at the end of an interrupt of kernel mode, with interrupts off: yield
 * if the slice is over or a thread that should run has woken, unless the
 * interrupted code holds a spinlock. */
void preempt(void);

/* Let p run on the CPUs of mask only; one of them at least has started.  p has
 * left the others before it next is in user mode.  The caller sees to it that p
 * does not go away. */
void setaffinity(struct proc *p, uint mask);

/* Give the running process this state (SLEEPING, STOPPED, ZOMBIE), release lk
 * (when not 0), and run others.  Returns after setrunnable(); a setrunnable()
 * by somebody who took lk after us is not lost.  A zombie does not return. */
void block(int state, struct spinlock *lk);

/* Is p stopped, and off its kernel stack?  1 or 0.  The caller sees to it that
 * p does not go away. */
int isstopped(struct proc *p);

/* Return when p, a zombie, is off its kernel stack. */
void schedgone(struct proc *p);

/* userret.c: what every return to user mode does when there is work: deliver
 * signals, yield when the slice is over, stop.  Called by trapentry.asm with
 * interrupts off when userwork(p) is true; returns with them off. */
void userret(struct trapframe *);

/* userret.c: where a new thread begins.  The first context of a thread returns
 * into forkret(), which returns to trapret, with the lock of its run queue
 * held. */
void forkret(void);

/* A tick of the thread that runs on this CPU is over: charge it, and set
 * cpu->resched if its turn is over.  Called by tick() with interrupts off. */
void schedtick(void);

/* How many threads run or are ready now, without the idle ones. */
int nrunnable(void);

#endif
