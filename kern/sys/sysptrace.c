/*
 * sysptrace.c - the system call ptrace: begin and end tracing, and what a
 * tracer may ask of a thread that it has stopped.
 *
 * A request that looks or changes finds its thread with proctree held, asleep
 * in its stop and off its CPU (grab), and lets go of it before user memory is
 * touched; what is written comes from a copy made before.  Memory is reached
 * through a reference to the address space.
 */
#include "arch/cpu.h"
#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/abi/core.h"
#include "kern/sched.h"
#include "kern/signal/ptrace.h"
#include "kern/signal/sigframe.h"
#include "kern/lib/string.h"
#include "kern/sys/syscall.h"
#include "kern/tls.h"

/* What a tracer may change of the flags: CF PF AF ZF SF TF DF OF NT RF AC. */
#define FL_TRACER 0x00054dd5u

#define DR_EXEC 0 /* kinds of a breakpoint in DR7 (SDM 3B 17.2.4) */
#define DR_IO   2
#define DR_LEN8 2 /* its length, of 64-bit CPUs only */

static int traceme(void);
static int attach(int pid, int seize, uint addr, uint options);
static int mayattach(struct proc *p);
static int nudge(int pid, uint request);
static struct proc *grab(int pid);
static int resume(int pid, uint request, uint sig);
static int detach(int pid, uint sig);
static int peek(int pid, uint va, uint data);
static int poke(int pid, uint va, uint data);
static int peekuser(int pid, uint off, uint data);
static int pokeuser(int pid, uint off, uint data);
static int classic(int pid, uint request, uint data);
static int regset(int pid, uint request, uint type, uint iov);
static int setoptions(int pid, uint options);
static int eventmsg(int pid, uint data);
static int siginfo(int pid, uint request, uint data);
static int sigmask(int pid, uint request, uint size, uint data);
static int threadarea(int pid, uint request, uint entry, uint data);
static int syscallinfo(int pid, uint size, uint data);
static int listen(int pid);

/* request, pid, address, data */
int
sys_ptrace(const uint *a)
{
	uint request = a[0], addr = a[2], data = a[3];
	int pid = (int)a[1];

	switch (request) {
	case PTRACE_TRACEME:
		return traceme();
	case PTRACE_ATTACH:
		return attach(pid, 0, 0, 0);
	case PTRACE_SEIZE:
		return attach(pid, 1, addr, data);
	case PTRACE_KILL:
	case PTRACE_INTERRUPT:
		return nudge(pid, request);
	case PTRACE_CONT:
	case PTRACE_SYSCALL:
	case PTRACE_SINGLESTEP:
		return resume(pid, request, data);
	case PTRACE_DETACH:
		return detach(pid, data);
	case PTRACE_LISTEN:
		return listen(pid);
	case PTRACE_PEEKTEXT:
	case PTRACE_PEEKDATA:
		return peek(pid, addr, data);
	case PTRACE_POKETEXT:
	case PTRACE_POKEDATA:
		return poke(pid, addr, data);
	case PTRACE_PEEKUSR:
		return peekuser(pid, addr, data);
	case PTRACE_POKEUSR:
		return pokeuser(pid, addr, data);
	case PTRACE_GETREGSET:
	case PTRACE_SETREGSET:
		return regset(pid, request, addr, data);
	case PTRACE_SETOPTIONS:
	case PTRACE_OLDSETOPTIONS:
		return setoptions(pid, data);
	case PTRACE_GETEVENTMSG:
		return eventmsg(pid, data);
	case PTRACE_GETSIGINFO:
	case PTRACE_SETSIGINFO:
		return siginfo(pid, request, data);
	case PTRACE_GETSIGMASK:
	case PTRACE_SETSIGMASK:
		return sigmask(pid, request, addr, data);
	case PTRACE_GET_THREAD_AREA:
	case PTRACE_SET_THREAD_AREA:
		return threadarea(pid, request, addr, data);
	case PTRACE_GET_SYSCALL_INFO:
		return syscallinfo(pid, addr, data);
	default:
		return classic(pid, request, data);
	}
}

/* A trace for p, which may have one already: 0 or -ENOMEM.  proctree held. */
static int
gettrace(struct proc *p)
{
	return p->trace ? 0 : tracealloc(p);
}

/* The thread that made the process traces us. */
static int
traceme(void)
{
	struct proc *p = myproc();
	int err = -EPERM;

	acquire(&proctree);
	if (!traced(p) && p->tg->maker && p->tg->parent != p->tg)
		err = gettrace(p);
	if (err == 0)
		tracelink(p->trace, p->tg->maker, 0, 0);
	release(&proctree);
	return err;
}

static int
attach(int pid, int seize, uint addr, uint options)
{
	struct proc *p;
	int err = -ESRCH;

	if (seize && (addr || (options & ~(uint)PTRACE_O_ALL)))
		return -EIO;
	acquire(&proctree);
	p = findproc(pid);
	if (p)
		err = mayattach(p) ? gettrace(p) : -EPERM;
	if (err == 0) {
		tracelink(p->trace, myproc(), seize, (int)options);
		acquire(&p->tg->sighand->lock);
		if (p->state == STOPPED) { /* with its process: for us instead */
			p->trace->trap = p->work = 1;
			setrunnable(p);
		}
		release(&p->tg->sighand->lock);
		if (!seize)
			sigsend(p, SIGSTOP, 0);
	}
	release(&proctree);
	return err;
}

/* Another process, of a program; root's, or of our user, who may see it. */
static int
mayattach(struct proc *p)
{
	struct proc *me = myproc();

	if (p->tg == me->tg || !p->uvm || p->sig.gone || traced(p))
		return 0;
	return traceable(p);
}

int
traceable(struct proc *p)
{
	struct proc *me = myproc();

	if (me->euid == 0 || p->tg == me->tg)
		return 1;
	return p->tg->dumpable == 1 && me->uid == p->uid &&
		me->uid == p->euid && me->uid == p->suid && me->gid == p->gid &&
		me->gid == p->egid && me->gid == p->sgid;
}

/* What needs no stop: SIGKILL, or a stop of one that was seized. */
static int
nudge(int pid, uint request)
{
	struct proc *p;
	int err = -ESRCH;

	acquire(&proctree);
	p = findproc(pid);
	if (p && traced(p) && p->trace->tracer == myproc()) {
		err = 0;
		if (request == PTRACE_KILL) {
			sigsend(p, SIGKILL, 0);
		} else if (!p->trace->seized) {
			err = -EIO;
		} else {
			acquire(&p->tg->sighand->lock);
			p->trace->trap = p->work = 1;
			interrupt(p);
			if (p->trace->listening)
				setrunnable(p);
			release(&p->tg->sighand->lock);
		}
	}
	release(&proctree);
	return err;
}

/* The thread, if the running one traces it and it has stopped, with proctree
 * held; or 0.  One that has not left its CPU yet is waited for. */
static struct proc *
grab(int pid)
{
	struct trace *t;
	struct proc *p;

	for (;;) {
		acquire(&proctree);
		p = findproc(pid);
		t = p ? p->trace : 0;
		if (!t || t->tracer != myproc() || !t->stopped || t->listening) {
			release(&proctree);
			return 0;
		}
		if (isstopped(p))
			return p;
		release(&proctree);
		yield();
	}
}

/* Let p go on in this way, with sig.  proctree held. */
static void
letgo(struct proc *p, int mode, int sig)
{
	struct trace *t = p->trace;
	struct spinlock *lk = &p->tg->sighand->lock;

	if (mode == TRACE_STEP && !(p->tf->eflags & FL_TF)) {
		p->tf->eflags |= FL_TF;
		t->forcedtf = 1;
	} else if (mode != TRACE_STEP && t->forcedtf) {
		p->tf->eflags &= ~FL_TF;
		t->forcedtf = 0;
	}
	acquire(lk);
	t->mode = mode;
	t->data = sig;
	t->code = 0;
	t->stopped = 0;
	p->work = 1;
	if (p->state == STOPPED)
		setrunnable(p);
	release(lk);
}

static int
resume(int pid, uint request, uint sig)
{
	struct proc *p = grab(pid);

	if (!p)
		return -ESRCH;
	if (sig <= NSIG)
		letgo(p, request == PTRACE_CONT      ? TRACE_CONT
			 : request == PTRACE_SYSCALL ? TRACE_SYSCALL
						     : TRACE_STEP,
			(int)sig);
	release(&proctree);
	return sig <= NSIG ? 0 : -EIO;
}

static int
detach(int pid, uint sig)
{
	struct proc *p = grab(pid);

	if (!p)
		return -ESRCH;
	if (sig <= NSIG) {
		p->trace->data = (int)sig;
		untrace(p->trace);
	}
	release(&proctree);
	return sig <= NSIG ? 0 : -EIO;
}

/* One that was seized and has stopped with its process: no more requests, until
 * there is news. */
static int
listen(int pid)
{
	struct proc *p = grab(pid);
	int err = -EIO;

	if (!p)
		return -ESRCH;
	acquire(&p->tg->sighand->lock);
	if (p->trace->seized && p->trace->hasinfo &&
		p->trace->info.code >> 8 == PTRACE_EVENT_STOP) {
		p->trace->listening = 1;
		if (p->trace->trap)
			setrunnable(p);
		err = 0;
	}
	release(&p->tg->sighand->lock);
	release(&proctree);
	return err;
}

/* The memory of the thread, referenced, or 0. */
static struct uvm *
memory(int pid)
{
	struct proc *p = grab(pid);
	struct uvm *u = 0;

	if (!p)
		return 0;
	if (p->uvm)
		u = uvmref(p->uvm);
	release(&proctree);
	return u;
}

static int
peek(int pid, uint va, uint data)
{
	struct uvm *u = memory(pid);
	uint w;
	int err;

	if (!u)
		return -ESRCH;
	err = uvmread(u, va, &w, sizeof(w));
	freeuvm(u);
	if (err < 0)
		return -EIO;
	return copyout(data, &w, sizeof(w)) ? -EFAULT : 0;
}

static int
poke(int pid, uint va, uint data)
{
	struct uvm *u = memory(pid);
	int err;

	if (!u)
		return -ESRCH;
	err = uvmpoke(u, va, &data, sizeof(data));
	freeuvm(u);
	return err < 0 ? -EIO : 0;
}

static void
getregs(struct proc *p, struct userregs *r)
{
	userregs(p->tf, r);
	if (p->trace->forcedtf)
		r->eflags &= ~FL_TF;
}

/* Nothing that p could not do itself; what cannot be loaded faults on its way
 * out (trapentry.asm).  0 or -EIO. */
static int
setregs(struct proc *p, const struct userregs *r)
{
	const uint sel[6] = {r->ds, r->es, r->fs, r->gs, r->cs, r->ss};
	struct trapframe *tf = p->tf;
	uint i;

	for (i = 0; i < NELEM(sel); i++)
		if ((sel[i] & 0xffff) ? (sel[i] & 3) != 3 : i > 3)
			return -EIO;
	tf->ebx = r->ebx;
	tf->ecx = r->ecx;
	tf->edx = r->edx;
	tf->esi = r->esi;
	tf->edi = r->edi;
	tf->ebp = r->ebp;
	tf->eax = r->eax;
	tf->ds = r->ds & 0xffff;
	tf->es = r->es & 0xffff;
	tf->fs = r->fs & 0xffff;
	tf->gs = r->gs & 0xffff;
	tf->eip = r->eip;
	tf->cs = r->cs & 0xffff;
	tf->esp = r->esp;
	tf->ss = r->ss & 0xffff;
	if (r->eflags & FL_TF)
		p->trace->forcedtf = 0;
	tf->eflags = (tf->eflags & (~FL_TRACER | (p->trace->forcedtf ? FL_TF : 0))) |
		(r->eflags & FL_TRACER);
	if (r->origeax != ~0u || tf->trapno == T_SYSCALL) {
		tf->trapno = T_SYSCALL;
		tf->err = r->origeax;
	}
	return 0;
}

/* Word off of struct user: a register or a debug register; others are 0. */
static int
peekuser(int pid, uint off, uint data)
{
	struct userregs r;
	struct proc *p;
	uint w = 0;

	p = grab(pid);
	if (!p)
		return -ESRCH;
	if (off % 4 == 0 && off < sizeof(r)) {
		getregs(p, &r);
		w = ((uint *)&r)[off / 4];
	} else if (off % 4 == 0 && off >= USER_DEBUG && off < USER_SIZE) {
		w = p->trace->dr[(off - USER_DEBUG) / 4];
	}
	release(&proctree);
	if (off % 4 || off >= USER_SIZE)
		return -EIO;
	return copyout(data, &w, sizeof(w)) ? -EFAULT : 0;
}

/* Set debug register n of the traced thread: 0, -EIO or -EINVAL. */
static int setdebug(struct trace *t, uint n, uint v);

static int
pokeuser(int pid, uint off, uint data)
{
	struct proc *p = grab(pid);
	struct userregs r;
	int err = -EIO;

	if (!p)
		return -ESRCH;
	if (off % 4 == 0 && off < sizeof(r)) {
		getregs(p, &r);
		((uint *)&r)[off / 4] = data;
		err = setregs(p, &r);
	} else if (off % 4 == 0 && off >= USER_DEBUG && off < USER_SIZE) {
		err = setdebug(p->trace, (off - USER_DEBUG) / 4, data);
	}
	release(&proctree);
	return err;
}

static int
setdebug(struct trace *t, uint n, uint v)
{
	uint i, kind;

	if (n == 4 || n == 5)
		return -EIO;
	if (n < 4 && v >= USERTOP)
		return -EINVAL;
	for (i = 0; n == 7 && i < 4; i++) {
		kind = v >> (16 + 4 * i) & 15;
		if ((v >> 2 * i & 3) && ((kind & 3) == DR_IO ||
			kind >> 2 == DR_LEN8 || ((kind & 3) == DR_EXEC && kind)))
			return -EINVAL;
	}
	t->dr[n] = v;
	return 0;
}

enum { REGS, FPREGS, FPXREGS, TLSREGS, NREGSET };

static const struct {
	uint type; /* of GETREGSET */
	uint size;
} regsets[NREGSET] = {
	{NT_PRSTATUS, sizeof(struct userregs)},
	{NT_FPREGSET, sizeof(struct fsave)},
	{NT_PRXFPREG, sizeof(struct fxsave)},
	{NT_386_TLS, NTLS * 4 * sizeof(uint)},
};

union regs {
	struct userregs regs;
	struct fsave fsave;
	struct fxsave fxsave;
	uint tls[NTLS][4];
};

/* 0 or -ENODEV: the CPU does not have them. */
static int
getset(struct proc *p, int set, union regs *r)
{
	uint i, need = set == FPXREGS ? CPU_FXSR : set == FPREGS ? CPU_FPU : 0;

	if (need & ~cpuinfo.features)
		return -ENODEV;
	if (set == REGS)
		getregs(p, &r->regs);
	else if (set == FPREGS)
		fsaveimage(&r->fsave, p->fpu);
	else if (set == FPXREGS)
		memcpy(&r->fxsave, p->fpu, sizeof(r->fxsave));
	else
		for (i = 0; i < NTLS; i++)
			tlsdesc(&p->tls[i], SEG_TLS + i, r->tls[i]);
	return 0;
}

/* 0, -EIO, -EINVAL. */
static int
putset(struct proc *p, int set, union regs *r)
{
	struct segdesc tls[NTLS];
	uint i, mask;

	if (set == REGS)
		return setregs(p, &r->regs);
	if (set == FPREGS && (cpuinfo.features & CPU_FXSR)) {
		fromfsave((struct fxsave *)p->fpu, &r->fsave);
	} else if (set == FPREGS) {
		memcpy(p->fpu, &r->fsave, sizeof(r->fsave));
	} else if (set == FPXREGS) {
		mask = ((struct fxsave *)p->fpu)->mxcsrmask;
		if (r->fxsave.mxcsr & ~(mask ? mask : 0xffbf))
			return -EINVAL;
		r->fxsave.mxcsrmask = mask;
		memcpy(p->fpu, &r->fxsave, sizeof(r->fxsave));
	} else {
		for (i = 0; i < NTLS; i++)
			if (tlsfill(&tls[i], r->tls[i]) < 0)
				return -EINVAL;
		memcpy(p->tls, tls, sizeof(tls));
	}
	return 0;
}

/* Move n bytes of a set to or from user memory. */
static int
moveset(int pid, int set, int write, uint uva, uint n)
{
	union regs r;
	struct proc *p = grab(pid);
	int err;

	if (!p)
		return -ESRCH;
	err = getset(p, set, &r);
	release(&proctree);
	if (err < 0)
		return err;
	if (!write)
		return copyout(uva, &r, n) ? -EFAULT : 0;
	if (copyin(&r, uva, n))
		return -EFAULT;
	p = grab(pid);
	if (!p)
		return -ESRCH;
	err = putset(p, set, &r);
	release(&proctree);
	return err;
}

static int
classic(int pid, uint request, uint data)
{
	static const struct {
		uint request;
		int set, write;
	} table[] = {
		{PTRACE_GETREGS, REGS, 0}, {PTRACE_SETREGS, REGS, 1},
		{PTRACE_GETFPREGS, FPREGS, 0}, {PTRACE_SETFPREGS, FPREGS, 1},
		{PTRACE_GETFPXREGS, FPXREGS, 0},
		{PTRACE_SETFPXREGS, FPXREGS, 1},
	};
	struct proc *p;
	uint i;
	int err;

	for (i = 0; i < NELEM(table); i++) {
		if (table[i].request != request)
			continue;
		err = moveset(pid, table[i].set, table[i].write, data,
			regsets[table[i].set].size);
		return err < 0 && table[i].set == FPXREGS ? -EIO : err;
	}
	p = grab(pid);
	if (!p)
		return -ESRCH;
	release(&proctree);
	return -EIO;
}

/* By type of note, in an iovec whose length becomes what was moved. */
static int
regset(int pid, uint request, uint type, uint iov)
{
	struct proc *p = grab(pid);
	uint v[2], i;
	int err;

	if (!p)
		return -ESRCH;
	release(&proctree);
	if (copyin(v, iov, sizeof(v)))
		return -EFAULT;
	if (type == NT_X86_XSTATE)
		return v[1] % 8 ? -EINVAL : -ENODEV;
	for (i = 0; i < NREGSET && regsets[i].type != type; i++)
		;
	if (i == NREGSET || v[1] % (i == TLSREGS ? 16 : 4))
		return -EINVAL;
	v[1] = MIN(v[1], regsets[i].size);
	err = moveset(pid, (int)i, request == PTRACE_SETREGSET, v[0], v[1]);
	if (err == 0 && copyout(iov + sizeof(uint), &v[1], sizeof(uint)))
		err = -EFAULT;
	return err;
}

static int
setoptions(int pid, uint options)
{
	struct proc *p = grab(pid);
	int known = (options & ~(uint)PTRACE_O_ALL) == 0;

	if (!p)
		return -ESRCH;
	if (known)
		p->trace->options = (int)options;
	release(&proctree);
	return known ? 0 : -EINVAL;
}

static int
eventmsg(int pid, uint data)
{
	struct proc *p = grab(pid);
	uint msg;

	if (!p)
		return -ESRCH;
	msg = p->trace->msg;
	release(&proctree);
	return copyout(data, &msg, sizeof(msg)) ? -EFAULT : 0;
}

/* Of the signal or event that stopped it. */
static int
siginfo(int pid, uint request, uint data)
{
	int write = request == PTRACE_SETSIGINFO, has;
	struct ksiginfo info;
	struct siginfo si;
	struct proc *p;

	if (write && copyin(&si, data, sizeof(si)))
		return -EFAULT;
	p = grab(pid);
	if (!p)
		return -ESRCH;
	has = p->trace->hasinfo;
	info = p->trace->info;
	if (has && write) {
		info.signo = si.si_signo;
		info.errno = si.si_errno;
		info.code = si.si_code;
		info.addr = si.field[0];
		info.uid = si.field[1];
		info.value = si.field[2];
		info.utime = si.field[3];
		info.stime = si.field[4];
		p->trace->info = info;
	}
	release(&proctree);
	if (!has)
		return -EINVAL;
	if (write)
		return 0;
	siguserinfo(&si, &info);
	return copyout(data, &si, sizeof(si)) ? -EFAULT : 0;
}

static int
sigmask(int pid, uint request, uint size, uint data)
{
	uint64_t mask;
	struct proc *p;

	if (size != sizeof(mask))
		return -EINVAL;
	if (request == PTRACE_SETSIGMASK && copyin(&mask, data, sizeof(mask)))
		return -EFAULT;
	p = grab(pid);
	if (!p)
		return -ESRCH;
	acquire(&p->tg->sighand->lock);
	if (request == PTRACE_SETSIGMASK) {
		p->sig.mask = mask & ~SIGNOMASK;
		sigretarget(p->tg, ~p->sig.mask);
	}
	mask = p->sig.restoremask ? p->sig.oldmask : p->sig.mask;
	release(&p->tg->sighand->lock);
	release(&proctree);
	if (request == PTRACE_SETSIGMASK)
		return 0;
	return copyout(data, &mask, sizeof(mask)) ? -EFAULT : 0;
}

/* One thread descriptor, as get_thread_area. */
static int
threadarea(int pid, uint request, uint entry, uint data)
{
	uint desc[4], slot = entry - SEG_TLS;
	struct segdesc d;
	struct proc *p;
	int err = 0;

	if (request == PTRACE_SET_THREAD_AREA && copyin(desc, data, sizeof(desc)))
		return -EFAULT;
	p = grab(pid);
	if (!p)
		return -ESRCH;
	if (slot >= NTLS)
		err = -EINVAL;
	else if (request == PTRACE_GET_THREAD_AREA)
		tlsdesc(&p->tls[slot], entry, desc);
	else if ((err = tlsfill(&d, desc)) == 0)
		p->tls[slot] = d;
	release(&proctree);
	if (err < 0 || request == PTRACE_SET_THREAD_AREA)
		return err;
	return copyout(data, desc, sizeof(desc)) ? -EFAULT : 0;
}

/* Of the stop at either end of a system call; returns the size of what there
 * is, of which at most size bytes are copied. */
static int
syscallinfo(int pid, uint size, uint data)
{
	uint n = offsetof(struct syscallinfo, entry), i;
	struct syscallinfo s;
	struct trapframe *tf;
	struct proc *p;

	memset(&s, 0, sizeof(s));
	p = grab(pid);
	if (!p)
		return -ESRCH;
	tf = p->tf;
	s.arch = AUDIT_ARCH_I386;
	s.ip = tf->eip;
	s.sp = tf->esp;
	if (p->trace->hasinfo && p->trace->info.code == (SIGTRAP | 0x80))
		s.op = (uint8_t)p->trace->msg;
	if (s.op == PTRACE_MSG_ENTRY) {
		s.entry.nr = tf->err;
		for (i = 0; i < 6; i++)
			s.entry.args[i] = (&tf->ebx)[i];
		n += sizeof(s.entry);
	} else if (s.op == PTRACE_MSG_EXIT) {
		s.exit.value = (int)tf->eax;
		s.exit.failed = tf->eax > (uint)-4096;
		n += offsetof(__typeof__(s.exit), failed) + 1;
	}
	release(&proctree);
	return copyout(data, &s, MIN(n, size)) ? -EFAULT : (int)n;
}
