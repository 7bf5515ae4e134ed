/*
 * signal.c - signals: sending, choosing the next one, default actions, stops.
 *
 * A signal that nobody cares about is dropped when it is sent.  Others set a
 * bit in sig.pending, with what is known of them in sig.queue (one entry for
 * the old signals 1 to 31, any number for those from 32 on); an entry may be
 * missing when memory ran out, the bit never.  On its way back to user mode the
 * process itself takes them off, lowest first, faults before all others.
 *
 * Invariants:
 *   S1  A bit of pending is set if and only if the signal is to be taken; an
 *       entry of the queue has its bit set.
 *   S2  SIGKILL and SIGSTOP are never in a mask.
 *   S3  pending and not blocked implies p->work, so userret comes here.
 *   S4  SIGCONT and stop signals are never pending together.
 *
 * Locks: the sighand's lock for the pending ones and the actions; proctree is
 * taken before it.  Exceptions are in sigfault.c, frames on user stacks in
 * sigframe.c, the system calls in syssignal.c.
 */
#include "kern/signal.h"
#include "kern/sigframe.h"
#include "arch/cpu.h"
#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/abi/wait.h"
#include "kern/panic.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/string.h"
#include "kern/timeval.h"

#define STOPSET                                                                \
	(sigbit(SIGSTOP) | sigbit(SIGTSTP) | sigbit(SIGTTIN) | sigbit(SIGTTOU))
#define IGNORESET                                                              \
	(sigbit(SIGCHLD) | sigbit(SIGCONT) | sigbit(SIGURG) | sigbit(SIGWINCH))
#define SYNCSET                                                                \
	(sigbit(SIGSEGV) | sigbit(SIGBUS) | sigbit(SIGILL) | sigbit(SIGTRAP) | \
		sigbit(SIGFPE) | sigbit(SIGSYS))
#define CORESET                                                                \
	(SYNCSET | sigbit(SIGQUIT) | sigbit(SIGABRT) | sigbit(SIGXCPU) |       \
		sigbit(SIGXFSZ))
#define MAXQUEUE 1024 /* entries a process may have; beyond: -EAGAIN */

static void unstop(struct proc *p);
static void flush(struct proc *p, uint64_t set);
static void drop(struct proc *p, struct sigqueue *q, struct ksiginfo *info);
static int dropped(struct proc *p, int sig);
static void enqueue(struct proc *p, struct sigqueue *q);
static void notice(struct proc *p, int sig);

void
sigsend(struct proc *p, int sig, const struct ksiginfo *info)
{
	(void)sigqueueinfo(p, sig, info);
}

int
sigqueueinfo(struct proc *p, int sig, const struct ksiginfo *info)
{
	struct sighand *sh = p->sighand;
	int err = 0;

	assert(sig >= 1 && sig <= NSIG);
	if (!sh || p->state == ZOMBIE)
		return 0;
	acquire(&sh->lock);
	if (p->sig.gone)
		goto out;
	if (sigbit(sig) & STOPSET)
		flush(p, sigbit(SIGCONT));
	if (sig == SIGCONT)
		flush(p, STOPSET);
	if (sig == SIGCONT || sig == SIGKILL)
		unstop(p);
	if (!dropped(p, sig))
		err = sigpost(p, sig, info);
out:
	release(&sh->lock);
	return err;
}

void
sigsendproc(struct tgroup *tg, int sig, const struct ksiginfo *info)
{
	sigsend(tg->leader, sig, info);
}

/* Would nothing come of sig?  Blocked signals are kept: the action may change
 * before they are unblocked. */
static int
dropped(struct proc *p, int sig)
{
	uint handler = p->sighand->action[sig - 1].handler;

	if ((p->sig.mask | p->sig.waitset) & sigbit(sig))
		return 0;
	if (handler == SIG_DFL)
		return p->tg == initgroup || (sigbit(sig) & IGNORESET) != 0;
	return handler == SIG_IGN;
}

/* Make sig pending and let p notice.  Sighand lock held. */
int
sigpost(struct proc *p, int sig, const struct ksiginfo *info)
{
	struct sigstate *s = &p->sig;
	struct sigqueue *q;

	assert(holding(&p->sighand->lock));
	if (sig < SIGRTMIN && (s->pending & sigbit(sig)))
		return 0;
	q = s->nqueue < MAXQUEUE ? kmalloc(sizeof(*q)) : 0;
	if (!q && sig >= SIGRTMIN && info && info->code < 0)
		return -EAGAIN;
	if (q) {
		memset(q, 0, sizeof(*q));
		q->info.code = SI_KERNEL;
		if (info)
			q->info = *info;
		q->info.signo = sig;
		enqueue(p, q);
	}
	notice(p, sig);
	return 0;
}

static void
enqueue(struct proc *p, struct sigqueue *q)
{
	struct sigqueue **end;

	for (end = &p->sig.queue; *end; end = &(*end)->next)
		;
	q->next = 0;
	*end = q;
	p->sig.nqueue++;
}

/* sig is pending now. */
static void
notice(struct proc *p, int sig)
{
	struct sigstate *s = &p->sig;

	s->pending |= sigbit(sig);
	if ((sigbit(sig) & s->mask) == 0)
		p->work = 1;
	if (sigbit(sig) & (~s->mask | s->waitset))
		interrupt(p);
}

int
sigposttimer(struct tgroup *tg, struct proc *p, struct sigqueue *q)
{
	if (!p)
		p = tg->leader;
	assert(holding(&p->sighand->lock));
	if (p->sig.gone || dropped(p, q->info.signo))
		return 0;
	enqueue(p, q);
	notice(p, q->info.signo);
	return 1;
}

void
sigunpost(struct tgroup *tg, struct sigqueue *q)
{
	struct sigqueue **at, *other;
	uint64_t left = 0;
	struct proc *p;

	eachthread (p, tg) {
		for (at = &p->sig.queue; *at && *at != q; at = &(*at)->next)
			;
		if (!*at)
			continue;
		*at = q->next;
		p->sig.nqueue--;
		for (other = p->sig.queue; other; other = other->next)
			left |= sigbit(other->info.signo);
		if ((left & sigbit(q->info.signo)) == 0)
			p->sig.pending &= ~sigbit(q->info.signo);
	}
}

/* Forget the pending signals of the set.  Sighand lock held. */
static void
flush(struct proc *p, uint64_t set)
{
	struct sigqueue **at = &p->sig.queue, *q;

	if ((p->sig.pending & set) == 0)
		return;
	p->sig.pending &= ~set;
	while ((q = *at) != 0) {
		if ((sigbit(q->info.signo) & set) == 0) {
			at = &q->next;
			continue;
		}
		*at = q->next;
		drop(p, q, 0);
	}
}

/* An entry is out of the queue: free it, or tell its timer, which adds to info
 * (0: nobody wants to know). */
static void
drop(struct proc *p, struct sigqueue *q, struct ksiginfo *info)
{
	p->sig.nqueue--;
	if (q->timer)
		ptimertaken(q->timer, info);
	else
		kmfree(q);
}

static void
unstop(struct proc *p)
{
	if (!p->sig.stopped)
		return;
	p->sig.stopped = 0;
	setrunnable(p);
}

int
sigsendgroup(int pgid, int sig, const struct ksiginfo *info)
{
	struct tgroup *tg;
	int err = -ESRCH;

	acquire(&proctree);
	listeach(tg, &allprocs, alllink) {
		if (tg->pgid != pgid || tg->leader->state == ZOMBIE)
			continue;
		sigsendproc(tg, sig, info);
		err = 0;
	}
	release(&proctree);
	return err;
}

int
sigpermitted(struct proc *p, int sig)
{
	struct proc *me = myproc();

	if (me->euid == 0 || me->euid == p->uid || me->euid == p->suid)
		return 1;
	if (me->uid == p->uid || me->uid == p->suid)
		return 1;
	return sig == SIGCONT && me->tg->session == p->tg->session;
}

int
sigpending(void)
{
	struct sigstate *s = &myproc()->sig;

	return (s->pending & (~s->mask | s->waitset)) != 0;
}

int
sigyield(void)
{
	if (mycpu()->resched)
		yield();
	return sigpending();
}

int
sigignored(struct proc *p, int sig)
{
	uint handler = p->sighand->action[sig - 1].handler;

	if (handler == SIG_DFL)
		return (sigbit(sig) & IGNORESET) != 0;
	return handler == SIG_IGN;
}

void
sigsetmask(uint64_t mask)
{
	struct proc *p = myproc();

	acquire(&p->sighand->lock);
	p->sig.mask = mask & ~SIGNOMASK;
	if (p->sig.pending & ~p->sig.mask)
		p->work = 1;
	release(&p->sighand->lock);
}

void
sigsuspendmask(uint64_t mask)
{
	struct proc *p = myproc();

	p->sig.oldmask = p->sig.mask;
	p->sig.restoremask = 1;
	p->work = 1; /* so that sigdeliver puts the old one back */
	sigsetmask(mask);
}

void
sigsetaction(int sig, const struct ksigaction *act)
{
	struct proc *p = myproc();
	struct sighand *sh = p->sighand;

	acquire(&sh->lock);
	sh->action[sig - 1] = *act;
	sh->action[sig - 1].mask &= ~SIGNOMASK;
	if (sigignored(p, sig))
		flush(p, sigbit(sig));
	release(&sh->lock);
}

void
sigexec(struct proc *p)
{
	int i;

	acquire(&p->sighand->lock);
	for (i = 0; i < NSIG; i++) {
		struct ksigaction *act = &p->sighand->action[i];
		uint keep = act->handler == SIG_IGN ? SIG_IGN : SIG_DFL;

		memset(act, 0, sizeof(*act));
		act->handler = keep;
	}
	release(&p->sighand->lock);
	p->sig.altsp = p->sig.altsize = p->sig.altflags = 0;
	p->restart.fn = 0;
}

void
sigexit(struct proc *p)
{
	ptimerexit(p->tg);
	timerdel(&p->tg->realtimer);
	acquire(&p->sighand->lock);
	p->sig.gone = 1;
	flush(p, ~0ull);
	release(&p->sighand->lock);
}

int
pgorphaned(int pgid, struct tgroup *ignored)
{
	struct tgroup *tg;

	assert(holding(&proctree));
	listeach(tg, &allprocs, alllink) {
		if (tg->pgid != pgid || tg == ignored ||
			tg->leader->state == ZOMBIE)
			continue;
		if (!tg->parent || tg->parent == initgroup)
			continue;
		if (tg->parent->pgid != pgid &&
			tg->parent->session == tg->session)
			return 0;
	}
	return 1;
}

/* Take the next signal of the set off the pending ones: its number, or 0.
 * Sighand lock held. */
int
sigtake(struct proc *p, uint64_t set, struct ksiginfo *info)
{
	struct sigstate *s = &p->sig;
	struct sigqueue **at, *q;
	uint64_t ready = s->pending & set;
	int sig, more = 0;

	assert(holding(&p->sighand->lock));
	if (ready == 0)
		return 0;
	if (ready & SYNCSET)
		ready &= SYNCSET;
	sig = (uint)ready ? __builtin_ctz((uint)ready) + 1
			  : __builtin_ctz((uint)(ready >> 32)) + 33;
	memset(info, 0, sizeof(*info));
	info->signo = sig;
	for (at = &s->queue; (q = *at) && q->info.signo != sig; at = &q->next)
		;
	if (q) {
		*info = q->info;
		*at = q->next;
		drop(p, q, info);
		for (q = *at; q && !more; q = q->next)
			more = q->info.signo == sig;
	}
	if (!more)
		s->pending &= ~sigbit(sig);
	return sig;
}

static int nextsignal(struct proc *p, struct ksigaction *, struct ksiginfo *);
static void stop(struct proc *p, int sig);
static void restart(struct trapframe *tf, const struct ksigaction *act);
static int waited(struct trapframe *tf);

void
sigdeliver(struct trapframe *tf)
{
	struct proc *p = myproc();
	struct ksigaction act;
	struct ksiginfo info;
	int sig;

	p->work = 0; /* first: a signal from now on sets it again */
	sti();       /* frames are written to user memory, stops sleep */
	if (p->sig.restoremask && !waited(tf)) {
		p->sig.restoremask = 0;
		sigsetmask(p->sig.oldmask);
	}
	while ((sig = nextsignal(p, &act, &info)) != 0) {
		if (p->sig.stopped) {
			stop(p, sig);
			continue;
		}
		if (act.handler == SIG_DFL)
			doexit((sigbit(sig) & CORESET) && coredump(tf, &info)
					? sig | WSTATCORE
					: sig);
		restart(tf, &act);
		if (sigpushframe(tf, &act, &info) < 0)
			sigforcesegv(sig);
	}
	restart(tf, 0);
	if (p->sig.restoremask) {
		p->sig.restoremask = 0;
		sigsetmask(p->sig.oldmask);
	}
}

/* Take the next signal that does something: its number, or 0.  act is a copy
 * of its action; for a stop, sig.stopped is set already, so that a SIGCONT from
 * now on undoes it. */
static int
nextsignal(struct proc *p, struct ksigaction *act, struct ksiginfo *info)
{
	struct sighand *sh = p->sighand;
	int sig, forced;

	acquire(&sh->lock);
	while ((sig = sigtake(p, ~p->sig.mask, info)) != 0) {
		forced = (p->sig.forced & sigbit(sig)) != 0;
		p->sig.forced &= ~sigbit(sig);
		*act = sh->action[sig - 1];
		if (act->handler == SIG_IGN)
			continue;
		if (act->handler != SIG_DFL) {
			if (act->flags & SA_RESETHAND)
				sh->action[sig - 1].handler = SIG_DFL;
			break;
		}
		if ((sigbit(sig) & IGNORESET) || (p->tg == initgroup && !forced))
			continue;
		if (sigbit(sig) & STOPSET)
			p->sig.stopped = sig;
		break;
	}
	release(&sh->lock);
	return sig;
}

/* Has the system call of the frame been interrupted? */
static int
waited(struct trapframe *tf)
{
	int r = (int)tf->eax;

	return tf->trapno == T_SYSCALL &&
		(r == -EINTR || r == -ERESTARTNOHAND || r == -ERESTARTSYS ||
			r == -ERESTARTBLOCK);
}

/* Finish an interrupted system call: run it again, or -EINTR.  act is the
 * handler that is about to run, 0: none. */
static void
restart(struct trapframe *tf, const struct ksigaction *act)
{
	int r = (int)tf->eax, again;

	if (tf->trapno != T_SYSCALL || tf->err == SIGNOCALL)
		return;
	if (r != -ERESTARTSYS && r != -ERESTARTNOHAND && r != -ERESTARTBLOCK)
		return;
	again = !act || (r == -ERESTARTSYS && (act->flags & SA_RESTART));
	if (again) {
		tf->eip -= 2; /* int 0x80 */
		tf->eax = r == -ERESTARTBLOCK ? 0 : tf->err;
	} else
		tf->eax = (uint)-EINTR;
	tf->err = SIGNOCALL; /* once */
}

static void childevent(struct proc *p, int code, int status);

/* Sleep until SIGCONT or SIGKILL, unless one came since nextsignal().  Stops
 * from the terminal do nothing to a group that nobody could continue. */
static void
stop(struct proc *p, int sig)
{
	struct spinlock *lk = &p->sighand->lock;
	int killed;

	acquire(&proctree);
	if (sig != SIGSTOP && pgorphaned(p->tg->pgid, 0))
		p->sig.stopped = 0;
	if (!p->sig.stopped) {
		release(&proctree);
		return;
	}
	p->tg->waitevent = sig << 8 | 0x7f;
	childevent(p, CLD_STOPPED, sig);
	release(&proctree);
	acquire(lk);
	while (p->sig.stopped) {
		block(STOPPED, lk);
		acquire(lk);
	}
	killed = (p->sig.pending & sigbit(SIGKILL)) != 0;
	release(lk);
	if (killed)
		return;
	acquire(&proctree);
	p->tg->waitevent = 0xffff;
	childevent(p, CLD_CONTINUED, SIGCONT);
	release(&proctree);
}

/* Tell the parent that p stopped or continued.  proctree held. */
static void
childevent(struct proc *p, int code, int status)
{
	struct tgroup *parent = p->tg->parent;
	struct ksiginfo info;

	if (!parent)
		return;
	memset(&info, 0, sizeof(info));
	info.code = code;
	info.pid = p->tg->tgid;
	info.uid = p->uid;
	info.status = status;
	info.utime = userticks(p->utime);
	info.stime = userticks(p->stime);
	if (!(parent->leader->sighand->action[SIGCHLD - 1].flags &
		    SA_NOCLDSTOP))
		sigsendproc(parent, SIGCHLD, &info);
	wakeup(&parent->childq);
}
