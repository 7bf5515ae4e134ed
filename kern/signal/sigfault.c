/*
 * sigfault.c - exceptions of user mode become signals of the process that runs.
 *
 * Such a signal cannot be put off: if it is blocked or ignored the process dies
 * (the instruction would fault again, for ever).  This is the one place where
 * an error of fault() becomes a signal.
 */
#include "kern/signal/sigframe.h"
#include "arch/cpu.h"
#include "arch/multiboot.h"
#include "arch/trap.h"
#include "mm/mm.h"
#include "kern/file.h"
#include "kern/lib/printf.h"
#include "kern/proc.h"
#include "kern/lib/string.h"

static void sigforce(int sig, const struct ksiginfo *info);
static void describe(struct proc *p, struct trapframe *tf, uint va, int sig);

void
sigfault(struct trapframe *tf, uint va, int err)
{
	struct proc *p = myproc();

	p->sig.cr2 = va;
	if (va >= USERTOP)
		tf->err |= PF_PRESENT; /* as Linux: say nothing of our tables */
	if (err == -ENOMEM) {
		if (p->sig.gone || (p->sig.pend.set & sigbit(SIGKILL)))
			return; /* it dies already */
		vmcount(VM_OOM);
		printf("out of memory: killed %d (%s)\n", p->pid, p->name);
		sigforce(SIGKILL, 0);
		return;
	}
	describe(p, tf, va, err == -EIO ? SIGBUS : SIGSEGV);
	if (err == -EIO)
		sigexception(tf, SIGBUS, BUS_ADRERR, va);
	else
		sigexception(tf, SIGSEGV,
			err == -EACCES ? SEGV_ACCERR : SEGV_MAPERR, va);
}

#ifdef QUIRE_DEBUG
/* One line about a fault that the program has no handler for, unless
 * "quiet". */
static void
describe(struct proc *p, struct trapframe *tf, uint va, int sig)
{
	uint handler = p->tg->sighand->action[sig - 1].handler;
	const char *what = "read";
	struct vmainfo v;
	int found;

	if (bootflag("quiet") || (handler != SIG_DFL && handler != SIG_IGN &&
		!(p->sig.mask & sigbit(sig))))
		return;
	if (tf->err & PF_WRITE)
		what = "write";
	else if (va == tf->eip)
		what = "exec";
	found = uvmvma(p->uvm, va, &v);
	if (found && v.file)
		fileclose(v.file);
	found = found && va >= v.start;
	printf("%s[%d]: %s at %x, eip %x, ", p->name, p->pid, what, va, tf->eip);
	if (found)
		printf("mapping %x-%x %c%c%c%c\n", v.start, v.end,
			v.prot & PROT_READ ? 'r' : '-',
			v.prot & PROT_WRITE ? 'w' : '-',
			v.prot & PROT_EXEC ? 'x' : '-', v.shared ? 's' : 'p');
	else
		printf("no mapping\n");
}
#else
/* Release builds print nothing about a program that crashes. */
static void
describe(struct proc *p, struct trapframe *tf, uint va, int sig)
{
	(void)p, (void)tf, (void)va, (void)sig;
}
#endif

void
sigexception(struct trapframe *tf, int sig, int code, uint addr)
{
	struct ksiginfo info;

	memset(&info, 0, sizeof(info));
	info.code = code;
	info.addr = addr;
	myproc()->sig.trapno = tf->trapno;
	myproc()->sig.err = tf->err;
	sigforce(sig, &info);
}

/* Send the running process a signal that it cannot escape: if it blocks or
 * ignores it, it dies. */
static void
sigforce(int sig, const struct ksiginfo *info)
{
	struct proc *p = myproc();
	struct ksigaction *act = &p->tg->sighand->action[sig - 1];

	acquire(&p->tg->sighand->lock);
	if (act->handler == SIG_IGN || (p->sig.mask & sigbit(sig))) {
		act->handler = SIG_DFL;
		p->sig.mask &= ~sigbit(sig);
	}
	p->sig.forced |= sigbit(sig);
	(void)sigpost(p, sig, info);
	p->work = 1;
	release(&p->tg->sighand->lock);
}

/* The frame for sig could not be written or read back. */
void
sigforcesegv(int sig)
{
	struct proc *p = myproc();

	if (sig == SIGSEGV) { /* its handler cannot run either */
		acquire(&p->tg->sighand->lock);
		p->tg->sighand->action[SIGSEGV - 1].handler = SIG_DFL;
		release(&p->tg->sighand->lock);
	}
	sigforce(SIGSEGV, 0);
}
