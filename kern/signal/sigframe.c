/*
 * sigframe.c - the frame of a signal handler on the user's stack, and the way
 * back through it.
 *
 * From high to low addresses: the FPU state (aligned to 16), then a struct
 * sigframe or, for SA_SIGINFO, a struct rtsigframe, placed so that esp + 4 is a
 * multiple of 16 when the handler starts.  The handler returns to retaddr, code
 * that calls sigreturn or rt_sigreturn, which puts everything back.
 *
 * Nothing that comes back from the user's stack can raise its privilege: cs and
 * ss are ours, the other selectors user segments that exist, flags only those
 * that POPF would change, and MXCSR only bits that the CPU has.
 */
#include "kern/signal/sigframe.h"
#include "arch/cpu.h"
#include "arch/trap.h"
#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/proc.h"
#include "kern/lib/string.h"
#include "kern/sys/syscall.h"

/* CF PF AF ZF SF TF DF OF RF AC */
#define FL_USER 0x00050DD5u

static const uint8_t retcode[8] = {
	0x58, 0xb8, 119, 0, 0, 0, 0xcd, 0x80 /* pop eax; mov eax, 119; int 0x80 */
};
static const uint8_t rtretcode[8] = {
	0xb8, 173, 0, 0, 0, 0xcd, 0x80, 0 /* mov eax, 173; int 0x80 */
};

static int pushframe(struct trapframe *, const struct ksigaction *, int sig,
	uint sp, uint fp, uint64_t mask);
static int pushrtframe(struct trapframe *, const struct ksigaction *,
	const struct ksiginfo *, uint sp, uint fp, uint64_t mask);
static void starthandler(struct trapframe *, uint eip, uint esp);
static int sigsp(struct trapframe *, const struct ksigaction *, uint *sp);
static uint fpsize(void);
static int fppush(struct proc *p, uint fp);

int
sigpushframe(struct trapframe *tf, const struct ksigaction *act,
	const struct ksiginfo *info)
{
	struct proc *p = myproc();
	struct sigstate *s = &p->sig;
	uint64_t mask = s->restoremask ? s->oldmask : s->mask, block = act->mask;
	uint sp, fp = 0;
	int err;

	if (sigsp(tf, act, &sp) < 0)
		return -EFAULT;
	if (fpsize()) {
		sp = fp = (sp - fpsize()) & ~15u;
		if (fppush(p, fp) < 0)
			return -EFAULT;
	}
	if (act->flags & SA_SIGINFO)
		err = pushrtframe(tf, act, info, sp, fp, mask);
	else
		err = pushframe(tf, act, info->signo, sp, fp, mask);
	if (err < 0)
		return err;
	if (fp)
		fpureset(p->fpu);
	if ((act->flags & SA_NODEFER) == 0)
		block |= sigbit(info->signo);
	s->restoremask = 0;
	sigsetmask(s->mask | block);
	return 0;
}

/* Where the frame ends: the user's stack or the alternate one. */
static int
sigsp(struct trapframe *tf, const struct ksigaction *act, uint *sp)
{
	struct sigstate *s = &myproc()->sig;
	int on = tf->esp - s->altsp - 1 < s->altsize;

	*sp = tf->esp;
	if ((act->flags & SA_ONSTACK) && s->altsize &&
		(!on || (s->altflags & SS_AUTODISARM)))
		*sp = s->altsp + s->altsize;
	else if (on && tf->esp - s->altsp < sizeof(struct rtsigframe) + fpsize())
		return -EFAULT; /* it would run over the alternate stack's end */
	return 0;
}

/* Fill in *sc, of a frame that is being made: the registers tf, the user
 * address fp of the FPU's state, the signals mask that sigreturn is to
 * restore. */
static void
sigsave(struct sigcontext *sc, struct trapframe *tf, uint fp, uint64_t mask)
{
	struct sigstate *s = &myproc()->sig;

	sc->gs = tf->gs & 0xffff;
	sc->fs = tf->fs & 0xffff;
	sc->es = tf->es & 0xffff;
	sc->ds = tf->ds & 0xffff;
	sc->edi = tf->edi;
	sc->esi = tf->esi;
	sc->ebp = tf->ebp;
	sc->esp = tf->esp;
	sc->ebx = tf->ebx;
	sc->edx = tf->edx;
	sc->ecx = tf->ecx;
	sc->eax = tf->eax;
	sc->trapno = s->trapno;
	sc->err = s->err;
	sc->eip = tf->eip;
	sc->cs = tf->cs & 0xffff;
	sc->eflags = tf->eflags;
	sc->espatsignal = tf->esp;
	sc->ss = tf->ss & 0xffff;
	sc->fpstate = fp;
	sc->oldmask = (uint)mask;
	sc->cr2 = s->cr2;
}

/* Push the frame of a handler without SA_SIGINFO below sp, and let tf start the
 * handler there.  0 or -EFAULT. */
static int
pushframe(struct trapframe *tf, const struct ksigaction *act, int sig, uint sp,
	uint fp, uint64_t mask)
{
	struct {
		uint retaddr, signo;
		struct sigcontext sc;
	} head;
	struct {
		uint extramask;
		uint8_t code[8];
	} tail;
	uint at = ((sp - sizeof(struct sigframe) + 4) & ~15u) - 4;

	head.retaddr = at + offsetof(struct sigframe, retcode);
	if (act->flags & SA_RESTORER)
		head.retaddr = act->restorer;
	head.signo = sig;
	sigsave(&head.sc, tf, fp, mask);
	tail.extramask = (uint)(mask >> 32);
	memcpy(tail.code, retcode, sizeof(tail.code));
	if (copyout(at, &head, sizeof(head)) ||
		copyout(at + offsetof(struct sigframe, extramask), &tail,
			sizeof(tail)))
		return -EFAULT;
	starthandler(tf, act->handler, at);
	tf->eax = sig;
	tf->edx = tf->ecx = 0;
	return 0;
}

/* Push the frame of a handler with SA_SIGINFO below sp, and let tf start the
 * handler there.  0 or -EFAULT. */
static int
pushrtframe(struct trapframe *tf, const struct ksigaction *act,
	const struct ksiginfo *info, uint sp, uint fp, uint64_t mask)
{
	struct sigstate *s = &myproc()->sig;
	struct rtsigframe f;
	uint at = ((sp - sizeof(f) + 4) & ~15u) - 4;

	memset(&f, 0, sizeof(f));
	f.retaddr = at + offsetof(struct rtsigframe, retcode);
	if (act->flags & SA_RESTORER)
		f.retaddr = act->restorer;
	f.signo = info->signo;
	f.pinfo = at + offsetof(struct rtsigframe, info);
	f.puc = at + offsetof(struct rtsigframe, uc);
	siguserinfo(&f.info, info);
	f.uc.stack.ss_sp = s->altsp;
	f.uc.stack.ss_size = s->altsize;
	f.uc.stack.ss_flags = s->altsize ? s->altflags : SS_DISABLE;
	sigsave(&f.uc.mcontext, tf, fp, mask);
	f.uc.sigmask = mask;
	memcpy(f.retcode, rtretcode, sizeof(f.retcode));
	if (copyout(at, &f, sizeof(f)))
		return -EFAULT;
	if (s->altflags & SS_AUTODISARM)
		s->altsp = s->altsize = s->altflags = 0;
	starthandler(tf, act->handler, at);
	tf->eax = info->signo;
	tf->edx = f.pinfo;
	tf->ecx = f.puc;
	return 0;
}

/* Set tf so that the thread goes on in user mode at eip, with the stack pointer
 * esp and clean flags and segments. */
static void
starthandler(struct trapframe *tf, uint eip, uint esp)
{
	tf->eip = eip;
	tf->esp = esp;
	tf->cs = UCODE;
	tf->ds = tf->es = tf->ss = UDATA;
	tf->eflags &= ~(FL_DF | FL_TF | FL_RF);
}

void
siguserinfo(struct siginfo *to, const struct ksiginfo *info)
{
	memset(to, 0, sizeof(*to));
	to->si_signo = info->signo;
	to->si_errno = info->errno;
	to->si_code = info->code;
	to->field[0] = info->addr; /* or pid, which is in the same place */
	to->field[1] = info->uid;
	to->field[2] = info->value; /* or status, likewise */
	if (info->signo == SIGCHLD) {
		to->field[3] = info->utime;
		to->field[4] = info->stime;
	}
}

/* Bytes of FPU state in a frame. */
static uint
fpsize(void)
{
	if ((cpuinfo.features & CPU_FPU) == 0)
		return 0;
	if (cpuinfo.features & CPU_FXSR)
		return sizeof(struct fpstate);
	return offsetof(struct fpstate, fxsave);
}

/* Write the FPU state of the running process to the user's memory at fp. */
static int
fppush(struct proc *p, uint fp)
{
	int fxsr = (cpuinfo.features & CPU_FXSR) != 0;
	struct {
		struct fsave fsave;
		uint16_t status, magic;
	} head;

	pushcli();
	fpusave(p->fpu);
	popcli();
	fsaveimage(&head.fsave, p->fpu);
	head.status = (uint16_t)head.fsave.swd;
	head.magic = fxsr ? FPSTATE_FXSR : FPSTATE_FSAVE;
	if (copyout(fp, &head, sizeof(head)))
		return -EFAULT;
	if (fxsr && copyout(fp + offsetof(struct fpstate, fxsave), p->fpu,
			    sizeof(struct fxsave)))
		return -EFAULT;
	return 0;
}

/* The state that sigreturn found at fp becomes the running process's; 0: a
 * fresh one. */
static int
fppop(struct proc *p, uint fp)
{
	int fxsr = (cpuinfo.features & CPU_FXSR) != 0;
	struct fpstate st;
	uint mxmask;

	if (fpsize() == 0)
		return 0;
	if (fp && copyin(&st, fp, fpsize()))
		return -EFAULT;
	pushcli();
	fpusave(p->fpu); /* for its mask of MXCSR; and nothing is loaded now */
	fpudrop();
	if (!fp)
		fpureset(p->fpu);
	else if (!fxsr)
		memcpy(p->fpu, &st.fsave, sizeof(st.fsave));
	else {
		mxmask = ((struct fxsave *)p->fpu)->mxcsrmask;
		fromfsave(&st.fxsave, &st.fsave);
		st.fxsave.mxcsr &= mxmask ? mxmask : 0xffbf;
		st.fxsave.mxcsrmask = mxmask;
		memcpy(p->fpu, &st.fxsave, sizeof(st.fxsave));
	}
	popcli();
	return 0;
}

static uint fulltags(const struct fxsave *fx);

/* SDM 1, 10.5.1.1: FXSAVE packs the tags to a bit each and widens the
 * registers to 16 bytes. */
void
fsaveimage(struct fsave *to, const void *fpu)
{
	const struct fxsave *from = fpu;
	int i;

	if ((cpuinfo.features & CPU_FXSR) == 0) {
		memcpy(to, fpu, sizeof(*to));
		return;
	}
	to->cwd = 0xffff0000 | from->cwd;
	to->swd = 0xffff0000 | from->swd;
	to->twd = 0xffff0000 | fulltags(from);
	to->fip = from->fip;
	to->fcs = (from->fcs & 0xffff) | (uint)from->fop << 16;
	to->foo = from->foo;
	to->fos = 0xffff0000 | from->fos;
	for (i = 0; i < 8; i++)
		memcpy(to->st[i], from->st[i], sizeof(to->st[i]));
}

void
fromfsave(struct fxsave *to, const struct fsave *from)
{
	int i;

	to->cwd = (uint16_t)from->cwd;
	to->swd = (uint16_t)from->swd;
	to->twd = 0;
	for (i = 0; i < 8; i++)
		if ((from->twd >> (2 * i) & 3) != 3)
			to->twd |= 1 << i;
	to->fip = from->fip;
	to->fop = (uint16_t)(from->fcs >> 16) & 0x7ff;
	to->fcs = from->fcs & 0xffff;
	to->foo = from->foo;
	to->fos = from->fos & 0xffff;
	for (i = 0; i < 8; i++)
		memcpy(to->st[i], from->st[i], sizeof(from->st[i]));
}

/* Two bits a register: 0 valid, 1 zero, 2 special, 3 empty (SDM 1, 8.1.7).
 * Tags go by physical register, the image by position from the top. */
static uint
fulltags(const struct fxsave *fx)
{
	uint tags = 0, top = fx->swd >> 11 & 7, i, exp, tag, zero;
	const uint8_t *st;

	for (i = 0; i < 8; i++) {
		st = fx->st[(i - top) & 7];
		exp = (st[9] << 8 | st[8]) & 0x7fff;
		zero = *(const uint *)st == 0 && *(const uint *)(st + 4) == 0;
		if ((fx->twd >> i & 1) == 0)
			tag = 3;
		else if (exp == 0)
			tag = zero ? 1 : 2;
		else
			tag = exp == 0x7fff || (st[7] & 0x80) == 0 ? 2 : 0;
		tags |= tag << (2 * i);
	}
	return tags;
}

static int sigrestore(struct trapframe *tf, const struct sigcontext *sc);

int
sys_sigreturn(const uint *a)
{
	struct trapframe *tf = myproc()->tf;
	uint at = tf->esp - 8, extra; /* the return address and eax are popped */
	struct sigcontext sc;

	(void)a;
	if (copyin(&sc, at + offsetof(struct sigframe, sc), sizeof(sc)) ||
		copyin(&extra, at + offsetof(struct sigframe, extramask),
			sizeof(extra)) ||
		sigrestore(tf, &sc) < 0) {
		sigforcesegv(0);
		return 0;
	}
	sigsetmask((uint64_t)extra << 32 | sc.oldmask);
	return (int)tf->eax;
}

int
sys_rt_sigreturn(const uint *a)
{
	struct trapframe *tf = myproc()->tf;
	uint at = tf->esp - 4; /* the return address is popped */
	struct ucontext uc;

	(void)a;
	if (copyin(&uc, at + offsetof(struct rtsigframe, uc), sizeof(uc)) ||
		sigrestore(tf, &uc.mcontext) < 0) {
		sigforcesegv(0);
		return 0;
	}
	sigsetmask(uc.sigmask);
	(void)sigsetstack(&uc.stack, tf->esp); /* what it refuses stays */
	return (int)tf->eax;
}

static uint userseg(uint sel);

/* Registers and FPU as in sc, made safe. */
static int
sigrestore(struct trapframe *tf, const struct sigcontext *sc)
{
	struct proc *p = myproc();

	if (fppop(p, sc->fpstate) < 0)
		return -EFAULT;
	tf->gs = userseg(sc->gs);
	tf->fs = userseg(sc->fs);
	tf->es = userseg(sc->es);
	tf->ds = userseg(sc->ds);
	tf->edi = sc->edi;
	tf->esi = sc->esi;
	tf->ebp = sc->ebp;
	tf->ebx = sc->ebx;
	tf->edx = sc->edx;
	tf->ecx = sc->ecx;
	tf->eax = sc->eax;
	tf->eip = sc->eip;
	tf->esp = sc->esp;
	tf->cs = UCODE;
	tf->ss = UDATA;
	tf->eflags = (tf->eflags & ~FL_USER) | (sc->eflags & FL_USER) | FL_IF;
	tf->err = SIGNOCALL; /* eax is the program's, not a result */
	p->restart.fn = 0;
	return 0;
}

/* The selector, or null if loading it would fault. */
static uint
userseg(uint sel)
{
	uint slot;

	sel &= 0xffff;
	if (sel == UDATA || sel == UCODE)
		return sel;
	slot = (sel >> 3) - SEG_TLS;
	if ((sel & 7) != 3 || slot >= NTLS)
		return 0;
	return myproc()->tls[slot].hi & 0x8000 ? sel : 0; /* present? */
}

int
sigsetstack(const struct sigstack *ss, uint esp)
{
	struct sigstate *s = &myproc()->sig;
	uint mode = ss->ss_flags & ~SS_AUTODISARM;

	if (esp - s->altsp - 1 < s->altsize && !(s->altflags & SS_AUTODISARM))
		return -EPERM;
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode == SS_DISABLE) {
		s->altsp = s->altsize = s->altflags = 0;
		return 0;
	}
	if (ss->ss_size < MINSIGSTKSZ)
		return -ENOMEM;
	s->altsp = ss->ss_sp;
	s->altsize = ss->ss_size;
	s->altflags = ss->ss_flags & SS_AUTODISARM;
	return 0;
}
