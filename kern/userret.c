/*
 * userret.c - the last steps on the way to user mode: the first time, for a new
 * thread, and every time there is something to do before.
 */
#include "kern/sched.h"
#include "arch/cpu.h"
#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/exit.h"
#include "kern/freeze.h"
#include "kern/runq.h"
#include "kern/signal/ptrace.h"

void
forkret(void)
{
	struct proc *p = myproc();

	mycpu()->intena = 1;
	release(&rq[p->cpu].lock);
	if (p->kfn) {
		p->kfn(p->karg);
		if (p->uvm == 0) /* else it has become a program */
			doexit(0);
		return;
	}
	if (p->settid)
		copyout(p->settid, &p->pid, sizeof(p->pid));
}

void
userret(struct trapframe *tf)
{
	struct proc *p = myproc();

	for (;;) {
		if (p->work) {
			p->work = 0; /* what comes from here on sets it again */
			sti();
			sigdeliver(tf);
			if (freezing)
				freezehere();
		} else if (mycpu()->resched) {
			yield();
		} else {
			if (p->trace)
				traceload(p);
			return;
		}
		cli(); /* what comes from here on interrupts user mode */
	}
}
