/*
 * signal.c - signals: sending, choosing the next one, default actions, stops.
 *
 * A signal that nobody cares about is dropped when it is sent.  Others set a
 * bit in a struct sigpend, that of one thread or that of the process, with what
 * is known of them in its queue (one entry for the old signals 1 to 31, any
 * number for those from 32 on); an entry may be missing when memory ran out,
 * the bit never.  On its way back to user mode a thread takes them off, lowest
 * first, faults before all others, its own before those of the process, which
 * any thread may take that does not block them.
 *
 * Invariants:
 *   S1  A bit of a sigpend is set if and only if the signal is to be taken; an
 *       entry of its queue has its bit set.
 *   S2  SIGKILL and SIGSTOP are never in a mask.
 *   S3  A thread's own signal that it does not block implies its p->work, so
 *       that userret comes here.  One of the process that some threads do not
 *       block implies that of one of these (sigretarget).
 *   S4  SIGCONT and stop signals are never pending together in one process.
 *   S5  tg->stopsig implies the p->work of all threads with sig.tostop, which
 *       tg->nstop counts; the others are STOPPED, or about to be.
 *   S6  tg->exiting implies that all threads have SIGKILL pending or are gone.
 *
 * Locks: the sighand's lock for the pending ones, the actions, and who takes
 * part (the list of threads changes with proctree and this lock held, so either
 * is enough to look at it); proctree is taken before it.
 *
 * Exceptions are in sigfault.c, frames on user stacks in sigframe.c, the system
 * calls in syssignal.c.
 */
#include "kern/signal/signal.h"
#include "kern/signal/sigframe.h"
#include "arch/cpu.h"
#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/abi/resource.h"
#include "kern/abi/wait.h"
#include "kern/exit.h"
#include "kern/panic.h"
#include "kern/proc.h"
#include "kern/signal/ptrace.h"
#include "kern/sched.h"
#include "kern/lib/string.h"
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
#define MAXQUEUE 1024 /* of a queue, whatever RLIMIT_SIGPENDING says */

static int post(struct tgroup *tg, struct proc *p, int sig,
	const struct ksiginfo *info);
static uint queuelimit(struct tgroup *tg);
static void enqueue(struct sigpend *pend, struct sigqueue *q);
static int dequeue(struct sigpend *pend, struct sigqueue *q);
static void drop(struct sigpend *pend, struct sigqueue *q,
	struct ksiginfo *info);
static void tell(struct tgroup *tg, struct proc *p, int sig);
static void notice(struct proc *p, int sig);
static void killgroup(struct tgroup *tg);
static void cont(struct tgroup *tg);
static void flushgroup(struct tgroup *tg, uint64_t set);
static void flush(struct sigpend *pend, uint64_t set);
static int dropped(struct proc *p, int sig);
static int pendingfor(struct proc *p);
static int stopwanted(struct proc *p);

void
sigsend(struct proc *p, int sig, const struct ksiginfo *info)
{
	(void)sigqueueinfo(p->tg, p, sig, info);
}

void
sigsendproc(struct tgroup *tg, int sig, const struct ksiginfo *info)
{
	(void)sigqueueinfo(tg, 0, sig, info);
}

int
sigqueueinfo(struct tgroup *tg, struct proc *p, int sig,
	const struct ksiginfo *info)
{
	struct sighand *sh = tg->sighand;
	int err = 0;

	assert(sig >= 1 && sig <= NSIG);
	acquire(&sh->lock);
	if (tg->dumper && sig == SIGKILL)
		tg->dumper->sig.pend.set |= sigbit(SIGKILL); /* it gives up */
	if (tg->exiting || tg->live == 0 || (p && p->sig.gone))
		goto out;
	if (sigbit(sig) & STOPSET)
		flushgroup(tg, sigbit(SIGCONT));
	if (sig == SIGCONT)
		cont(tg);
	if (dropped(p ? p : tg->leader, sig))
		goto out;
	if (sig == SIGKILL)
		killgroup(tg);
	else
		err = post(tg, p, sig, info);
out:
	release(&sh->lock);
	return err;
}

/* Would sig do nothing to p?  1 or 0.  A signal that is blocked is kept, since
 * its action may change before it is unblocked.  Init and kernel threads have
 * no parent; what would end them is dropped.  Called with the sighand's lock
 * held. */
static int
dropped(struct proc *p, int sig)
{
	uint handler = p->tg->sighand->action[sig - 1].handler;

	lockassert(holding(&p->tg->sighand->lock));
	if ((p->sig.mask | p->sig.waitset) & sigbit(sig))
		return 0;
	if (handler == SIG_DFL && p->tg->parent && !(sigbit(sig) & IGNORESET))
		return 0;
	return handler <= SIG_IGN && (!traced(p) || sig == SIGKILL);
}

int
sigpost(struct proc *p, int sig, const struct ksiginfo *info)
{
	return post(p->tg, p, sig, info);
}

/* Make sig pending for the thread p, or with p 0 for the process, and let a
 * thread notice.  0, or -EAGAIN if a real-time signal that a program has
 * queued finds no room or no memory.  Called with the sighand's lock held. */
static int
post(struct tgroup *tg, struct proc *p, int sig, const struct ksiginfo *info)
{
	struct sigpend *pend = p ? &p->sig.pend : &tg->pend;
	struct sigqueue *q;

	lockassert(holding(&tg->sighand->lock));
	if (sig < SIGRTMIN && (pend->set & sigbit(sig)))
		return 0;
	q = (uint)pend->n < queuelimit(tg) ? kmalloc(sizeof(*q)) : 0;
	if (!q && sig >= SIGRTMIN && info && info->code < 0)
		return -EAGAIN;
	if (q) {
		memset(q, 0, sizeof(*q));
		q->info.code = SI_KERNEL;
		if (info)
			q->info = *info;
		q->info.signo = sig;
		enqueue(pend, q);
	}
	pend->set |= sigbit(sig);
	tell(tg, p, sig);
	return 0;
}

/* How many entries a queue of the process tg may have. */
static uint
queuelimit(struct tgroup *tg)
{
	return (uint)MIN(tg->rlimit[RLIMIT_SIGPENDING].cur, MAXQUEUE);
}

int
sigposttimer(struct tgroup *tg, struct proc *p, struct sigqueue *q)
{
	struct sigpend *pend = p ? &p->sig.pend : &tg->pend;
	int sig = q->info.signo;

	lockassert(holding(&tg->sighand->lock));
	if (tg->exiting || tg->live == 0 || (p && p->sig.gone) ||
		dropped(p ? p : tg->leader, sig))
		return 0;
	enqueue(pend, q);
	pend->set |= sigbit(sig);
	tell(tg, p, sig);
	return 1;
}

void
sigunpost(struct tgroup *tg, struct sigqueue *q)
{
	struct proc *p;

	lockassert(holding(&tg->sighand->lock));
	if (dequeue(&tg->pend, q))
		return;
	eachthread (p, tg)
		if (dequeue(&p->sig.pend, q))
			return;
}

/* Put q at the end of the queue of pend.  Called with the lock of the sighand
 * that pend belongs to held. */
static void
enqueue(struct sigpend *pend, struct sigqueue *q)
{
	struct sigqueue **end;

	for (end = &pend->queue; *end; end = &(*end)->next)
		;
	q->next = 0;
	*end = q;
	pend->n++;
}

/* Take q off the queue of pend, and clear the signal's bit if no other entry
 * has that number: 1, or 0 if q was not there.  Called with the lock of the
 * sighand that pend belongs to held. */
static int
dequeue(struct sigpend *pend, struct sigqueue *q)
{
	struct sigqueue **at, *other;
	int more = 0;

	for (at = &pend->queue; *at && *at != q; at = &(*at)->next)
		;
	if (!*at)
		return 0;
	*at = q->next;
	pend->n--;
	for (other = pend->queue; other; other = other->next)
		more |= other->info.signo == q->info.signo;
	if (!more)
		pend->set &= ~sigbit(q->info.signo);
	return 1;
}

/* The entry q has left the queue of pend: free it, or tell its timer, which
 * adds to *info (0: the signal is not taken but dropped). */
static void
drop(struct sigpend *pend, struct sigqueue *q, struct ksiginfo *info)
{
	pend->n--;
	if (q->timer)
		ptimertaken(q->timer, info);
	else
		kmfree(q);
}

/* sig is pending for the thread p, or with p 0 for the process: wake a thread
 * that can take it, and the readers of signalfds.  Called with the sighand's
 * lock held. */
static void
tell(struct tgroup *tg, struct proc *p, int sig)
{
	lockassert(holding(&tg->sighand->lock));
	if (p)
		notice(p, sig);
	else
		sigretarget(tg, sigbit(sig));
	if (nsignalfds)
		signalfdwake(tg);
}

/* sig is pending for p: unless p blocks it, p takes it soon.  Called with the
 * sighand's lock held. */
static void
notice(struct proc *p, int sig)
{
	lockassert(holding(&p->tg->sighand->lock));
	if ((sigbit(sig) & p->sig.mask) == 0)
		p->work = 1;
	if (sigbit(sig) & (~p->sig.mask | p->sig.waitset))
		interrupt(p);
}

void
sigretarget(struct tgroup *tg, uint64_t set)
{
	struct proc *p;
	int sig;

	lockassert(holding(&tg->sighand->lock));
	set &= tg->pend.set;
	for (sig = 1; set; sig++, set >>= 1) {
		if ((set & 1) == 0)
			continue;
		eachthread (p, tg) {
			if (p->sig.gone || (p->sig.mask & ~p->sig.waitset &
						   sigbit(sig)))
				continue;
			notice(p, sig);
			break;
		}
	}
}

/* SIGKILL: the whole process ends.  Called with the sighand's lock held. */
static void
killgroup(struct tgroup *tg)
{
	lockassert(holding(&tg->sighand->lock));
	tg->exiting = 1;
	tg->xstatus = SIGKILL;
	sigkillthreads(tg, 0);
}

void
sigkillthreads(struct tgroup *tg, struct proc *but)
{
	struct proc *p;

	lockassert(holding(&tg->sighand->lock));
	tg->stopsig = tg->nstop = 0;
	eachthread (p, tg) {
		p->sig.stopping = p->sig.tostop = 0;
		if (p == but || p->sig.gone)
			continue;
		p->sig.pend.set |= sigbit(SIGKILL);
		p->work = 1;
		if (p->state == STOPPED)
			setrunnable(p);
		else
			interrupt(p);
	}
}

/* SIGCONT has been sent: end a stop, and undo one that is coming, whatever
 * becomes of the signal itself.  Called with the sighand's lock held. */
static void
cont(struct tgroup *tg)
{
	struct proc *p;

	lockassert(holding(&tg->sighand->lock));
	flushgroup(tg, STOPSET);
	if (tg->stopsig && tg->nstop == 0)
		tg->continued = 1;
	tg->stopsig = tg->nstop = 0;
	eachthread (p, tg) {
		p->sig.stopping = p->sig.tostop = 0;
		if (traced(p) && p->trace->seized) {
			p->trace->trap = p->work = 1; /* tell of it */
			interrupt(p);
		}
		if (p->state == STOPPED)
			setrunnable(p);
	}
}

/* Drop the pending signals of the set: those of the process and those of its
 * threads.  Called with the sighand's lock held. */
static void
flushgroup(struct tgroup *tg, uint64_t set)
{
	struct proc *p;

	lockassert(holding(&tg->sighand->lock));
	flush(&tg->pend, set);
	eachthread (p, tg)
		flush(&p->sig.pend, set);
}

/* Drop the signals of the set that are pending in pend.  Called with the lock
 * of the sighand that pend belongs to held. */
static void
flush(struct sigpend *pend, uint64_t set)
{
	struct sigqueue **at = &pend->queue, *q;

	if ((pend->set & set) == 0)
		return;
	pend->set &= ~set;
	while ((q = *at) != 0) {
		if ((sigbit(q->info.signo) & set) == 0) {
			at = &q->next;
			continue;
		}
		*at = q->next;
		drop(pend, q, 0);
	}
}

int
sigsendgroup(int pgid, int sig, const struct ksiginfo *info)
{
	struct tgroup *tg;
	int err = -ESRCH;

	acquire(&proctree);
	listeach(tg, &allprocs, alllink) {
		if (tg->pgid != pgid || tg->zombie)
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

	lockassert(holding(&proctree));
	if (me->euid == 0 || me->euid == p->uid || me->euid == p->suid)
		return 1;
	if (me->uid == p->uid || me->uid == p->suid)
		return 1;
	return sig == SIGCONT && me->tg->session == p->tg->session;
}

int
sigpending(void)
{
	struct proc *p = myproc();

	if (p->sig.pend.set == 0 && p->tg->pend.set == 0 && !p->tg->stopsig &&
		!p->trace)
		return 0;
	return pendingfor(p);
}

/* The slow half of sigpending(), when any signal, stop or tracer might want p:
 * 1 if there is something that p does not block, or else 0. */
static __attribute__((noinline)) int
pendingfor(struct proc *p)
{
	struct sigstate *s = &p->sig;
	uint64_t set = s->pend.set | p->tg->pend.set;

	set &= ~s->mask | s->waitset;
	if (set == 0 && !stopwanted(p) && !(p->trace && p->trace->trap))
		return 0;
	p->work = 1; /* another thread may have been told of it: S3 */
	return 1;
}

/* Is p to stop with its process, or to stay stopped?  1 or 0.  A traced thread
 * stops once for its tracer, which may let it go on while the process is
 * stopped. */
static int
stopwanted(struct proc *p)
{
	return p->tg->stopsig && (p->sig.tostop || !traced(p));
}

int
sigignored(struct proc *p, int sig)
{
	uint handler = p->tg->sighand->action[sig - 1].handler;

	if (handler == SIG_DFL)
		return (sigbit(sig) & IGNORESET) != 0;
	return handler == SIG_IGN;
}

void
sigsetmask(uint64_t mask)
{
	struct proc *p = myproc();
	struct tgroup *tg = p->tg;
	uint64_t old = p->sig.mask;

	acquire(&tg->sighand->lock);
	p->sig.mask = mask &= ~SIGNOMASK;
	if ((p->sig.pend.set | tg->pend.set) & ~mask)
		p->work = 1;
	sigretarget(tg, mask & ~old); /* we shall not take them */
	release(&tg->sighand->lock);
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
	struct sighand *sh = p->tg->sighand;

	acquire(&sh->lock);
	sh->action[sig - 1] = *act;
	sh->action[sig - 1].mask &= ~SIGNOMASK;
	if (sigignored(p, sig))
		flushgroup(p->tg, sigbit(sig));
	release(&sh->lock);
}

void
sigexec(struct proc *p)
{
	sigdefaults(p->tg->sighand);
	p->sig.altsp = p->sig.altsize = p->sig.altflags = 0;
	p->restart.fn = 0;
}

void
sigdefaults(struct sighand *sh)
{
	int i;

	acquire(&sh->lock);
	for (i = 0; i < NSIG; i++) {
		struct ksigaction *act = &sh->action[i];

		if (act->handler != SIG_IGN)
			act->handler = SIG_DFL;
		act->flags = act->restorer = 0;
		act->mask = 0;
	}
	release(&sh->lock);
}

int
sigexit(struct proc *p, int status)
{
	struct tgroup *tg = p->tg;
	int last;

	acquire(&tg->sighand->lock);
	p->sig.gone = 1;
	flush(&p->sig.pend, ~0ull);
	last = --tg->live == 0;
	if (tg->dumper)
		wakeup(&tg->childq); /* it counts us */
	if (!tg->exiting)
		tg->xstatus = status;
	if (last)
		flush(&tg->pend, ~0ull);
	else
		sigretarget(tg, ~p->sig.mask);
	release(&tg->sighand->lock);
	return last;
}

int
pgorphaned(int pgid, struct tgroup *ignored)
{
	struct tgroup *tg;

	lockassert(holding(&proctree));
	listeach(tg, &allprocs, alllink) {
		if (tg->pgid != pgid || tg == ignored || tg->zombie)
			continue;
		if (!tg->parent || tg->parent == initgroup)
			continue;
		if (tg->parent->pgid != pgid &&
			tg->parent->session == tg->session)
			return 0;
	}
	return 1;
}

static int takefrom(struct sigpend *pend, uint64_t set,
	struct ksiginfo *info);

int
sigtake(struct proc *p, uint64_t set, struct ksiginfo *info)
{
	int sig;

	lockassert(holding(&p->tg->sighand->lock));
	sig = takefrom(&p->sig.pend, set, info);
	return sig ? sig : takefrom(&p->tg->pend, set, info);
}

/* Take the first signal of the set that is pending in *pend: one that the
 * thread itself has caused before others, then the lowest number.  Its number,
 * with *info filled in, or 0.  Called with the lock of the sighand that pend
 * belongs to held. */
static int
takefrom(struct sigpend *pend, uint64_t set, struct ksiginfo *info)
{
	struct sigqueue **at, *q;
	uint64_t ready = pend->set & set;
	int sig, more = 0;

	if (ready == 0)
		return 0;
	if (ready & SYNCSET)
		ready &= SYNCSET;
	sig = (uint)ready ? __builtin_ctz((uint)ready) + 1
			  : __builtin_ctz((uint)(ready >> 32)) + 33;
	memset(info, 0, sizeof(*info));
	info->signo = sig;
	for (at = &pend->queue; (q = *at) && q->info.signo != sig;
		at = &q->next)
		;
	if (q) {
		*info = q->info;
		*at = q->next;
		drop(pend, q, info);
		for (q = *at; q && !more; q = q->next)
			more = q->info.signo == sig;
	}
	if (!more)
		pend->set &= ~sigbit(sig);
	return sig;
}

static int nextsignal(struct proc *p, struct ksigaction *, struct ksiginfo *);
static int picksignal(struct proc *p, struct ksigaction *, struct ksiginfo *);
static int asktracer(struct proc *p, int sig, struct ksiginfo *info);
static int takeaction(struct proc *p, int sig, struct ksigaction *act);
static void die(struct trapframe *tf, int sig, const struct ksiginfo *info)
	__attribute__((noreturn));
static void stop(struct proc *p, int sig);
static void tellcontinued(struct tgroup *tg);
static void restart(struct trapframe *tf, const struct ksigaction *act);
static int waited(struct trapframe *tf);

void
sigdeliver(struct trapframe *tf)
{
	struct proc *p = myproc();
	struct ksigaction act;
	struct ksiginfo info;
	int sig, stepping;

	p->work = 0; /* first: a signal from now on sets it again */
	sti();       /* frames are written to user memory, stops sleep */
	if (p->sig.restoremask && !waited(tf)) {
		p->sig.restoremask = 0;
		sigsetmask(p->sig.oldmask);
	}
	while ((sig = nextsignal(p, &act, &info)) != 0) {
		if (act.handler == SIG_DFL && (sigbit(sig) & STOPSET)) {
			stop(p, sig);
			continue;
		}
		if (act.handler == SIG_DFL)
			die(tf, sig, &info);
		restart(tf, &act);
		stepping = p->trace && tracehandler(p);
		if (sigpushframe(tf, &act, &info) < 0)
			sigforcesegv(sig);
		else if (stepping)
			tracestepped();
	}
	restart(tf, 0);
	if (p->sig.restoremask) {
		p->sig.restoremask = 0;
		sigsetmask(p->sig.oldmask);
	}
}

/* Take the next signal that does something: its number, with a copy of its
 * action in *act, or 0.  A stop of the process counts as one, too; for a
 * stop that p begins sig.stopping is set, so that a SIGCONT from now on
 * undoes it. */
static int
nextsignal(struct proc *p, struct ksigaction *act, struct ksiginfo *info)
{
	struct sighand *sh = p->tg->sighand;
	int sig;

	do {
		if (p->trace) {
			tracework(p);
			tellcontinued(p->tg);
		}
		acquire(&sh->lock);
		sig = picksignal(p, act, info);
		release(&sh->lock);
	} while (sig < 0);
	return sig;
}

/* Do what nextsignal() does, but return -1 if the tracer took the signal, so
 * that the caller starts over.  Called with the sighand's lock held.  The lock
 * is released while a tracer is asked. */
static int
picksignal(struct proc *p, struct ksigaction *act, struct ksiginfo *info)
{
	int sig = sigtake(p, sigbit(SIGKILL), info);

	act->handler = SIG_DFL;
	if (sig == 0 && stopwanted(p))
		sig = p->tg->stopsig;
	if (sig)
		return sig;
	while ((sig = sigtake(p, ~p->sig.mask, info)) != 0) {
		if (sig == SIGKILL) { /* it came while a tracer was asked */
			act->handler = SIG_DFL;
			break;
		}
		if (traced(p)) {
			if ((sig = asktracer(p, sig, info)) == 0)
				return -1;
		} else if (sigbit(sig) & STOPSET) {
			p->sig.stopping = 1;
		}
		if (takeaction(p, sig, act))
			break;
	}
	return sig;
}

/* Stop p for its tracer, which may change the signal: the signal that p gets,
 * or 0.  Called with the sighand's lock held, which is released while p
 * waits. */
static int
asktracer(struct proc *p, int sig, struct ksiginfo *info)
{
	struct sighand *sh = p->tg->sighand;

	lockassert(holding(&sh->lock));
	p->sig.stopping = 1; /* whatever comes of it */
	release(&sh->lock);
	sig = tracesignal(sig, info);
	if (p->sig.pend.set & sigbit(SIGKILL))
		sig = 0;
	acquire(&sh->lock);
	return sig;
}

/* Copy the action of sig to *act, and reset it if it is for once only.  Does
 * the signal do anything to p?  1 or 0.  Called with the sighand's lock
 * held. */
static int
takeaction(struct proc *p, int sig, struct ksigaction *act)
{
	struct ksigaction *a = &p->tg->sighand->action[sig - 1];
	int forced = (p->sig.forced & sigbit(sig)) != 0;

	lockassert(holding(&p->tg->sighand->lock));
	p->sig.forced &= ~sigbit(sig);
	*act = *a;
	if (act->handler == SIG_IGN)
		return 0;
	if (act->handler == SIG_DFL)
		return !(sigbit(sig) & IGNORESET) &&
			(p->tg != initgroup || forced);
	if (act->flags & SA_RESETHAND)
		a->handler = SIG_DFL;
	return 1;
}

/* End the process by the signal sig, with a core file if the signal makes one.
 * Does not return. */
static void
die(struct trapframe *tf, int sig, const struct ksiginfo *info)
{
	int core = (sigbit(sig) & CORESET) && coredump(tf, info);

	exitgroup(core ? sig | WSTATCORE : sig);
}

/* Has a signal interrupted the system call whose frame is tf?  1 or 0. */
static int
waited(struct trapframe *tf)
{
	int r = (int)tf->eax;

	return tf->trapno == T_SYSCALL &&
		(r == -EINTR || r == -ERESTARTNOHAND || r == -ERESTARTSYS ||
			r == -ERESTARTBLOCK);
}

/* Finish an interrupted system call: have it run again, or return -EINTR.  act
 * is the action whose handler is about to run, or 0 if none is. */
static void
restart(struct trapframe *tf, const struct ksigaction *act)
{
	int r = (int)tf->eax, again;

	if (tf->trapno != T_SYSCALL || tf->err == SIGNOCALL)
		return;
	if (r != -ERESTARTSYS && r != -ERESTARTNOHAND && r != -ERESTARTBLOCK &&
		r != -ERESTARTNOINTR)
		return;
	again = !act || r == -ERESTARTNOINTR ||
		(r == -ERESTARTSYS && (act->flags & SA_RESTART));
	if (again) {
		tf->eip -= 2; /* int 0x80 */
		tf->eax = r == -ERESTARTBLOCK ? 0 : tf->err;
	} else
		tf->eax = (uint)-EINTR;
	tf->err = SIGNOCALL; /* once */
}

static int joinstop(struct proc *p, int sig);
static void childevent(struct tgroup *tg, int code, int status);

/* Stop with the process, which sig begins unless it is stopping already, until
 * SIGCONT or SIGKILL.  The last thread to stop tells the parent, the first to
 * go on tells it of that. */
static void
stop(struct proc *p, int sig)
{
	struct tgroup *tg = p->tg;
	struct spinlock *lk = &tg->sighand->lock;

	acquire(&proctree);
	if (joinstop(p, sig) && (!traced(tg->leader) || traceforeign(tg->leader)))
		childevent(tg, CLD_STOPPED, tg->stopsig);
	sig = tg->stopsig;
	if (p->trace)
		p->trace->trap = 0; /* before a SIGCONT sets it again */
	release(&proctree);
	if (sig && traced(p))
		tracegroupstop(sig);
	acquire(lk);
	while (stopwanted(p) && (p->sig.pend.set & sigbit(SIGKILL)) == 0) {
		block(STOPPED, lk);
		acquire(lk);
	}
	release(lk);
	tellcontinued(tg);
}

/* If SIGCONT has ended a stop and the parent does not know of it yet, tell the
 * parent.  Takes proctree; called with no spinlock held. */
static void
tellcontinued(struct tgroup *tg)
{
	int told;

	lockassert(nospinlocks());
	acquire(&tg->sighand->lock);
	told = !tg->continued;
	tg->continued = 0;
	release(&tg->sighand->lock);
	if (told)
		return;
	acquire(&proctree);
	childevent(tg, CLD_CONTINUED, SIGCONT);
	release(&proctree);
}

/* p joins the stop of its process.  It begins the stop if there is none and
 * sig still counts: a stop from the terminal does nothing to a process group
 * that nobody could continue.  1 if p is the last thread to stop, or else 0.
 * Called with proctree held. */
static int
joinstop(struct proc *p, int sig)
{
	struct tgroup *tg = p->tg;
	int last = 0, orphaned = sig != SIGSTOP && pgorphaned(tg->pgid, 0);
	struct proc *t;

	lockassert(holding(&proctree));
	acquire(&tg->sighand->lock);
	if (p->sig.stopping && !tg->stopsig && !orphaned) {
		tg->stopsig = sig;
		tg->continued = 0;
		eachthread (t, tg) {
			if (t->sig.gone)
				continue;
			t->sig.tostop = 1;
			tg->nstop++;
			t->work = 1;
			interrupt(t);
		}
	}
	p->sig.stopping = 0;
	if (p->sig.tostop)
		last = --tg->nstop == 0;
	p->sig.tostop = 0;
	release(&tg->sighand->lock);
	return last;
}

void
sigexitstop(struct proc *p)
{
	lockassert(holding(&proctree));
	if (p->sig.tostop && joinstop(p, 0))
		childevent(p->tg, CLD_STOPPED, p->tg->stopsig);
}

/* Tell the parent of tg that tg has stopped or continued (code is CLD_STOPPED
 * or CLD_CONTINUED, status the signal).  Called with proctree held. */
static void
childevent(struct tgroup *tg, int code, int status)
{
	struct tgroup *parent = tg->parent;
	struct procusage ru;
	struct ksiginfo info;

	lockassert(holding(&proctree));
	tg->waitevent = code == CLD_STOPPED ? status << 8 | WSTATSTOPPED
					    : WSTATCONT;
	if (!parent)
		return;
	groupusage(tg, &ru);
	memset(&info, 0, sizeof(info));
	info.code = code;
	info.pid = tg->tgid;
	info.uid = tg->leader->uid;
	info.status = status;
	info.utime = userticks(ru.utime);
	info.stime = userticks(ru.stime);
	if (!(parent->sighand->action[SIGCHLD - 1].flags & SA_NOCLDSTOP))
		sigsendproc(parent, SIGCHLD, &info);
	wakeup(&parent->childq);
}

/* No wakeup() names this queue: its sleepers wait for a signal or a time. */
static struct waitq nobody = {
	{0, RANK_WAITQ},
	{&nobody.waiters, &nobody.waiters},
};

int
sleepsignal(int64_t deadline, int real)
{
	int err = sleepuntil(&nobody, 0, deadline, SLEEP_INT | real);

	/* woken by a stop that a SIGCONT has undone: as if it had stopped */
	return err == 0 ? -EINTR : err;
}
