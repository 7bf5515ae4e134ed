/* sched.h - which thread runs, and where. */
#ifndef KERN_SCHED_H
#define KERN_SCHED_H

#include "arch/trap.h"
#include "kern/sleep.h"
#include "kern/time.h"

struct proc;
struct spinlock;

#define SLICE 4 /* ticks that two of equal niceness run in turn */

/* Make the run queues; before the first process. */
void schedinit(void);

/* The thread that a CPU came up with becomes its idle process here and runs
 * others for ever; halts the CPU when there is nothing to run.  Interrupts
 * off. */
void scheduler(void) __attribute__((noreturn));

/* Make p, new, asleep or stopped, run when its turn comes; nothing if it does
 * already.  Any context. */
void setrunnable(struct proc *p);

/* Give up the CPU, staying runnable; before the next one in line, unless
 * somebody wanted it (resched).  No spinlock held. */
void yield(void);

/* At the end of an interrupt of kernel mode that found interrupts on, with them
 * off: yield if somebody wants the CPU and no spinlock is held. */
void preempt(void);

/* p may run on the CPUs of the mask, some of which run: it has left the others
 * before it gets to user mode, or there again.  p does not go away. */
void setaffinity(struct proc *p, uint mask);

/* Give the running process this state (SLEEPING, STOPPED, ZOMBIE), release lk
 * (when not 0), and run others.  Returns after setrunnable(); a setrunnable()
 * by somebody who took lk after us is not lost.  A zombie does not return. */
void block(int state, struct spinlock *lk);

/* Is p stopped, and off its kernel stack?  p does not go away. */
int isstopped(struct proc *p);

/* Return when p, a zombie, is off its kernel stack.  proctree not needed. */
void schedgone(struct proc *p);

/* What every return to user mode does when there is work: deliver signals,
 * yield when the slice is over, stop.  Called by trapentry.asm with interrupts
 * off when userwork(p) is true; returns with them off. */
void userret(struct trapframe *);

/* A new process's first context returns into it; then it returns to trapret. */
void forkret(void);

/* From tick(): the running process's turn may be over.  Interrupts off. */
void schedtick(void);

/* How many processes run or could run now, but for the idle ones. */
int nrunnable(void);

#endif
