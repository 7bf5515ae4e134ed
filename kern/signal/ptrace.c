/*
 * ptrace.c - tracing: who traces whom, and the stops of those who are traced.
 *
 * A traced thread stops by itself, in the kernel: before it takes a signal, at
 * both ends of a system call, at events such as fork, with its process, or when
 * asked to.  It tells its tracer, which waits as for a child, and sleeps; the
 * tracer changes it as it pleases (sysptrace.c) and lets it go on, maybe with a
 * signal.
 *
 * Invariants:
 *   X1  A trace with a tracer is on its list, and counted in its process's
 *       ntraced.
 *   X2  stopped is set with proctree and the sighand lock held, and both are
 *   not
 *       released before the thread is about to leave the CPU.  So who sees it
 *       with proctree held, finds p->state STOPPED soon.
 *   X3  SIGKILL ends every stop; nothing else does but the tracer.
 *   X4  What is to happen before user mode has set p->work; p->entry is
 *       syscall() unless it has a tracer, who may ask in the middle of a call
 *       to hear of its end.
 *
 * Locks: proctree, and inside it the sighand's lock of the traced thread.
 */
#include "kern/signal/ptrace.h"

#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/abi/sched.h"
#include "kern/abi/wait.h"
#include "kern/exit.h"
#include "kern/panic.h"
#include "kern/signal/sigframe.h"
#include "kern/lib/string.h"
#include "kern/sys/syscall.h"
#include "kern/timeval.h"

#define DR6_CLEAR   0xffff0ff0u /* nothing has happened (SDM 3B 17.2) */
#define DR6_STEP    0x4000u
#define DR7_ENABLED 0xffu
#define DR7_USER    0xffff03ffu
#define DR7_ONE     0x400u

static void drop(struct trace *t);
static void tell(struct trace *t, const struct ksiginfo *info);
static void wait(struct proc *p, struct trace *t);
static void syscallstop(struct proc *p, uint msg);
static int wants(struct trace *t, struct tgroup *me, int id, int options);
static int ready(struct trace *t, int options);

int
traceforeign(const struct proc *p)
{
	lockassert(holding(&proctree));
	return traced(p) && p->trace->tracer->tg != p->tg->parent;
}

void
tracelink(struct trace *t, struct proc *tracer, int seized, int options)
{
	lockassert(holding(&proctree));
	t->options = options;
	t->seized = seized;
	t->code = t->data = t->trap = t->hasinfo = 0;
	t->mode = TRACE_CONT;
	memset(t->dr, 0, sizeof(t->dr));
	t->dr[6] = DR6_CLEAR;
	t->tracer = tracer;
	t->p->entry = syscalltraced;
	tracer->tg->ntraced++;
	listadd(&tracer->tracees, &t->link);
}

void
untrace(struct trace *t)
{
	struct proc *p = t->p;
	struct spinlock *lk;

	lockassert(holding(&proctree));
	listdel(&t->link);
	t->tracer->tg->ntraced--;
	if (p == 0) {
		kmfree(t);
		return;
	}
	lk = &p->tg->sighand->lock;
	acquire(lk);
	t->tracer = 0;
	t->mode = TRACE_CONT;
	t->trap = t->listening = t->code = 0;
	t->dr[7] = 0;
	p->entry = syscall;
	p->work = 1; /* a stop of its process; the trap flag */
	if (t->stopped) {
		t->stopped = 0;
		if (p->state == STOPPED)
			setrunnable(p);
	}
	release(lk);
}

int
tracestop(int code, int why, const struct ksiginfo *info, uint msg)
{
	struct proc *p = myproc();
	struct trace *t = p->trace;
	struct ksiginfo tellinfo;

	lockassert(nospinlocks());
	acquire(&proctree);
	if (info)
		t->info = *info;
	if (!traced(p) || (p->sig.pend.set & sigbit(SIGKILL))) {
		release(&proctree);
		return -1;
	}
	t->code = code;
	t->data = 0;
	t->msg = msg;
	t->hasinfo = info != 0;
	memset(&tellinfo, 0, sizeof(tellinfo));
	tellinfo.code = why;
	tellinfo.pid = p->pid;
	tellinfo.uid = p->uid;
	tellinfo.status = code & 0x7f;
	tellinfo.utime = userticks(p->utime);
	tellinfo.stime = userticks(p->stime);
	tell(t, &tellinfo);
	wait(p, t);
	return t->data;
}

/* Send the tracer of t a SIGCHLD with *info, if it wants one, and end its
 * wait.  Called with proctree held. */
static void
tell(struct trace *t, const struct ksiginfo *info)
{
	struct tgroup *tg = t->tracer->tg;
	struct ksigaction *act = &tg->sighand->action[SIGCHLD - 1];

	lockassert(holding(&proctree));
	if (act->handler != SIG_IGN && !(act->flags & SA_NOCLDSTOP))
		sigsendproc(tg, SIGCHLD, info);
	wakeup(&tg->childq);
}

/* Sleep until the tracer or SIGKILL ends the stop of p, the running thread.
 * Called with proctree held, and returns with it released. */
static void
wait(struct proc *p, struct trace *t)
{
	struct spinlock *lk = &p->tg->sighand->lock;

	lockassert(holding(&proctree));
	acquire(lk);
	t->stopped = 1;
	release(&proctree);
	while (t->stopped && !(p->sig.pend.set & sigbit(SIGKILL)) &&
		!(t->listening && t->trap)) {
		block(STOPPED, lk);
		acquire(lk);
	}
	t->stopped = t->listening = 0;
	release(lk);
}

void
traceevent(int event, uint msg)
{
	struct proc *p = myproc();
	struct ksiginfo info;

	if (!traced(p) || !(p->trace->options & PTRACE_O_EVENT(event)))
		return;
	memset(&info, 0, sizeof(info));
	info.signo = SIGTRAP;
	info.code = SIGTRAP | event << 8;
	info.pid = p->pid;
	info.uid = p->uid;
	tracestop(info.code, CLD_TRAPPED, &info, msg);
}

int
tracesignal(int sig, struct ksiginfo *info)
{
	struct proc *p = myproc();
	struct trace *t = p->trace;
	int r = tracestop(sig, CLD_TRAPPED, info, 0);

	if (r < 0)
		return sig;
	if (r == 0)
		return 0;
	*info = t->info;
	if (r != info->signo) {
		memset(info, 0, sizeof(*info));
		info->signo = r;
		info->code = SI_USER;
		acquire(&proctree);
		if (t->tracer) {
			info->pid = t->tracer->tg->tgid;
			info->uid = t->tracer->uid;
		}
		release(&proctree);
	}
	if ((p->sig.mask & sigbit(r)) == 0)
		return r;
	acquire(&p->tg->sighand->lock);
	(void)sigpost(p, r, info);
	release(&p->tg->sighand->lock);
	return 0;
}

void
tracegroupstop(int sig)
{
	struct proc *p = myproc();
	struct ksiginfo info;

	if (!p->trace->seized) {
		tracestop(sig, CLD_STOPPED, 0, 0);
		return;
	}
	memset(&info, 0, sizeof(info));
	info.signo = sig;
	info.code = sig | PTRACE_EVENT_STOP << 8;
	info.pid = p->pid;
	info.uid = p->uid;
	tracestop(info.code, CLD_STOPPED, &info, 0);
}

void
tracework(struct proc *p)
{
	struct trace *t = p->trace;
	int trap, sig;

	if (t->forcedtf && t->mode != TRACE_STEP) {
		t->forcedtf = 0;
		p->tf->eflags &= ~FL_TF;
	}
	acquire(&p->tg->sighand->lock);
	trap = t->trap && t->tracer && !p->sig.tostop;
	sig = p->tg->stopsig;
	if (trap)
		t->trap = 0;
	release(&p->tg->sighand->lock);
	if (!trap)
		return;
	if (t->seized)
		tracegroupstop(sig ? sig : SIGTRAP);
	else
		tracestop(sig ? sig : SIGSTOP, CLD_STOPPED, 0, 0);
}

int
tracehandler(struct proc *p)
{
	struct trace *t = p->trace;

	if (t->mode != TRACE_STEP || !t->tracer)
		return 0;
	if (t->forcedtf)
		p->tf->eflags &= ~FL_TF;
	t->forcedtf = 0;
	return 1;
}

void
tracestepped(void)
{
	struct proc *p = myproc();
	struct ksiginfo info;

	memset(&info, 0, sizeof(info));
	info.signo = info.code = SIGTRAP;
	info.pid = p->pid;
	info.uid = p->uid;
	tracestop(SIGTRAP, CLD_TRAPPED, &info, 0);
}

/* The tracer stops it at both ends of the call; a single step ends with the
 * call, not with the instruction behind it. */
void
syscalltraced(struct trapframe *tf)
{
	struct proc *p = myproc();
	struct trace *t = p->trace;
	uint number = tf->err;

	if (t->mode == TRACE_SYSCALL) {
		tf->eax = (uint)-ENOSYS;
		syscallstop(p, PTRACE_MSG_ENTRY);
		if (p->sig.pend.set & sigbit(SIGKILL))
			return;
		number = tf->err;
	}
	if (number != SIGNOCALL)
		syscall(tf);
	if (t->mode == TRACE_SYSCALL)
		syscallstop(p, PTRACE_MSG_EXIT);
	else if (t->mode == TRACE_STEP && t->tracer)
		sigexception(tf, SIGTRAP, TRAP_BRKPT, tf->eip);
}

/* Stop p, the running thread, at one end of a system call; msg (PTRACE_MSG_*)
 * tells the tracer which end.  If the tracer names a signal, send it to p. */
static void
syscallstop(struct proc *p, uint msg)
{
	struct trace *t = p->trace;
	struct ksiginfo info;
	int sig;

	memset(&info, 0, sizeof(info));
	info.signo = SIGTRAP;
	info.code = SIGTRAP | (t->options & PTRACE_O_TRACESYSGOOD ? 0x80 : 0);
	info.pid = p->pid;
	info.uid = p->uid;
	sig = tracestop(info.code, CLD_TRAPPED, &info, msg);
	if (sig > 0)
		sigsend(p, sig, 0);
}

int
tracealloc(struct proc *np)
{
	np->trace = kzalloc(sizeof(*np->trace));
	if (np->trace == 0)
		return -ENOMEM;
	np->trace->p = np;
	return 0;
}

/* The PTRACE_EVENT_* of a clone(flags). */
static int
cloneevent(uint flags)
{
	if (flags & CLONE_VFORK)
		return PTRACE_EVENT_VFORK;
	return (flags & CSIGNAL) == SIGCHLD ? PTRACE_EVENT_FORK
					    : PTRACE_EVENT_CLONE;
}

void
traceclone(struct proc *np, struct proc *p, uint flags)
{
	struct trace *t = p->trace;

	lockassert(holding(&proctree));
	lockassert(holding(&p->tg->sighand->lock));
	if (!traced(p) || !np->trace)
		return;
	if (!(flags & CLONE_PTRACE) && ((flags & CLONE_UNTRACED) ||
		!(t->options & PTRACE_O_EVENT(cloneevent(flags)))))
		return;
	tracelink(np->trace, t->tracer, t->seized, t->options);
	if (t->seized)
		np->trace->trap = 1;
	else
		np->sig.pend.set |= sigbit(SIGSTOP);
	np->work = 1;
}

void
tracecloned(uint flags, int pid)
{
	if (!(flags & CLONE_UNTRACED))
		traceevent(cloneevent(flags), (uint)pid);
}

void
traceexec(int pid)
{
	struct proc *p = myproc();
	struct ksiginfo info;

	memset(p->trace->dr, 0, sizeof(p->trace->dr));
	p->trace->dr[6] = DR6_CLEAR;
	if (!traced(p))
		return;
	if (p->trace->options & PTRACE_O_EVENT(PTRACE_EVENT_EXEC)) {
		traceevent(PTRACE_EVENT_EXEC, (uint)pid);
		return;
	}
	if (p->trace->seized)
		return;
	memset(&info, 0, sizeof(info));
	info.code = SI_USER;
	info.pid = p->tg->tgid;
	info.uid = p->uid;
	sigsend(p, SIGTRAP, &info);
}

int
traceprivileged(struct proc *p)
{
	int r = 1;

	acquire(&proctree);
	if (traced(p))
		r = p->trace->tracer->euid == 0;
	release(&proctree);
	return r;
}

void
traceexit(struct proc *p)
{
	struct trace *t;

	lockassert(holding(&proctree));
	listeach (t, &p->tracees, link) {
		if (t->p && (t->options & PTRACE_O_EXITKILL))
			sigsend(t->p, SIGKILL, 0);
		drop(t);
	}
}

/* The tracer has done with t: untrace it, and tell the parent of a zombie,
 * which may be waiting for that.  Called with proctree held. */
static void
drop(struct trace *t)
{
	struct proc *p = t->p;
	int foreign = p && traceforeign(p);

	untrace(t);
	if (foreign && p->tg->zombie)
		tellparent(p->tg);
}

void
traceended(struct proc *p, int status)
{
	struct trace *t = p->trace;
	struct ksiginfo info;
	int sig = status & 0x7f;

	lockassert(holding(&proctree));
	if (!traced(p))
		return;
	t->p = 0;
	p->trace = 0;
	t->pid = p->pid;
	t->tgid = p->tg->tgid;
	t->uid = p->uid;
	t->status = status;
	memset(&info, 0, sizeof(info));
	info.code = sig ? CLD_KILLED : CLD_EXITED;
	info.pid = p->pid;
	info.uid = p->uid;
	info.status = sig ? sig : status >> 8 & 0xff;
	if (t->tracer->tg->sighand->action[SIGCHLD - 1].handler == SIG_IGN ||
		t->tracer->tg->sighand->action[SIGCHLD - 1].flags & SA_NOCLDWAIT) {
		wakeup(&t->tracer->tg->childq);
		untrace(t);
		return;
	}
	sigsendproc(t->tracer->tg, SIGCHLD, &info);
	wakeup(&t->tracer->tg->childq);
}

int
tracezombie(struct tgroup *tg, const struct ksiginfo *info)
{
	struct proc *p = tg->leader;
	struct tgroup *tracer;

	lockassert(holding(&proctree));
	if (!traceforeign(p))
		return 0;
	tracer = p->trace->tracer->tg;
	if (tracer->sighand->action[SIGCHLD - 1].handler == SIG_IGN ||
		tracer->sighand->action[SIGCHLD - 1].flags & SA_NOCLDWAIT) {
		untrace(p->trace);
		wakeup(&tracer->childq);
		return 0;
	}
	sigsendproc(tracer, SIGCHLD, info);
	wakeup(&tracer->childq);
	return 1;
}

int
tracewaits(struct tgroup *tg)
{
	struct trace *t;

	lockassert(holding(&proctree));
	if (!traced(tg->leader))
		return 0;
	listeach (t, &tg->leader->trace->tracer->tracees, link)
		if (t->p == 0 && t->tgid == tg->tgid)
			return 1;
	return 0;
}

struct trace *
tracelook(struct tgroup *me, int id, int options, int *n)
{
	struct trace *t;
	struct proc *p;

	lockassert(holding(&proctree));
	eachthread (p, me) {
		if ((options & __WNOTHREAD) && p != myproc())
			continue;
		listeach (t, &p->tracees, link) {
			if (!wants(t, me, id, options))
				continue;
			++*n;
			if (ready(t, options))
				return t;
		}
	}
	return 0;
}

/* Does a wait of the process me for id (as in waitpid) mean the traced thread
 * of t?  1 or 0. */
static int
wants(struct trace *t, struct tgroup *me, int id, int options)
{
	struct tgroup *tg = t->p ? t->p->tg : 0;

	(void)options;
	if (id > 0)
		return (t->p ? t->p->pid : t->pid) == id;
	if (id == -1)
		return 1;
	return tg && tg->pgid == (id == 0 ? me->pgid : -id);
}

/* Has the traced thread of t something to tell to a wait with these options?
 * 1 or 0.  A process that its own parent traces tells of its end as a child.
 * Called with proctree held. */
static int
ready(struct trace *t, int options)
{
	if (t->p == 0)
		return (options & WEXITED) != 0;
	if (t->p->tg->zombie)
		return (options & WEXITED) && traceforeign(t->p) &&
			!tracewaits(t->p->tg);
	return t->stopped && t->code;
}

/* Write to *w what t, found by tracelook(), has to tell, and forget it unless
 * the options have WNOWAIT.  Returns the thread's id.  Called with proctree
 * held. */
int
tracereport(struct trace *t, int options, struct waited *w)
{
	struct proc *p = t->p;
	int pid = p ? p->pid : t->pid;

	lockassert(holding(&proctree));
	memset(w, 0, sizeof(*w));
	w->uid = p ? p->uid : t->uid;
	if (p == 0) {
		w->status = t->status;
	} else if (p->tg->zombie) {
		w->status = p->tg->xstatus;
		groupusage(p->tg, &w->ru);
	} else {
		w->status = t->code << 8 | WSTATSTOPPED;
		w->trapped = 1;
		w->ru.utime = p->utime;
		w->ru.stime = p->stime;
		if (!(options & WNOWAIT))
			t->code = 0;
		return pid;
	}
	if (!(options & WNOWAIT))
		drop(t);
	return pid;
}

/* Data breakpoints and single steps trap behind their instruction, breakpoints
 * of instructions before it (SDM 3B 17.3).  The registers of this CPU may still
 * be those of another thread. */
int
tracedebug(struct trapframe *tf)
{
	struct proc *p = myproc();
	struct trace *t = p->trace;
	uint dr6 = rdr6(), hit = dr6 & 0xf, i;

	ldr6(DR6_CLEAR);
	if (hit && (t == 0 || (t->dr[7] & DR7_ENABLED) == 0)) {
		ldr7(DR7_ONE);
		if ((dr6 & DR6_STEP) == 0)
			return -1;
		hit = 0;
	}
	if (t && t->forcedtf && t->mode != TRACE_STEP) {
		t->forcedtf = 0; /* the tracer has gone */
		tf->eflags &= ~FL_TF;
		return -1;
	}
	if (t)
		t->dr[6] = DR6_CLEAR | hit | (dr6 & DR6_STEP);
	for (i = 0; i < 4; i++)
		if ((hit & 1 << i) && (t->dr[7] >> (16 + 4 * i) & 3) == 0)
			tf->eflags |= FL_RF;
	if (dr6 & DR6_STEP)
		return TRAP_TRACE;
	return hit ? TRAP_HWBKPT : TRAP_BRKPT;
}

void
traceload(struct proc *p)
{
	struct trace *t = p->trace;

	if ((t->dr[7] & DR7_ENABLED) == 0)
		return;
	ldr0(t->dr[0]);
	ldr1(t->dr[1]);
	ldr2(t->dr[2]);
	ldr3(t->dr[3]);
	ldr7((t->dr[7] & DR7_USER) | DR7_ONE);
	p->work = 1; /* again, whenever it comes by: the CPU may be another's */
}

void
userregs(const struct trapframe *tf, struct userregs *r)
{
	r->ebx = tf->ebx;
	r->ecx = tf->ecx;
	r->edx = tf->edx;
	r->esi = tf->esi;
	r->edi = tf->edi;
	r->ebp = tf->ebp;
	r->eax = tf->eax;
	r->ds = tf->ds & 0xffff;
	r->es = tf->es & 0xffff;
	r->fs = tf->fs & 0xffff;
	r->gs = tf->gs & 0xffff;
	r->origeax = tf->trapno == T_SYSCALL ? tf->err : ~0u;
	r->eip = tf->eip;
	r->cs = tf->cs & 0xffff;
	r->eflags = tf->eflags;
	r->esp = tf->esp;
	r->ss = tf->ss & 0xffff;
}
