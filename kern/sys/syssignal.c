/*
 * syssignal.c - the system calls about signals: actions, masks, waiting for
 * them, sending them.  sigreturn is in sigframe.c, beside what it undoes.
 *
 * A process changes its own mask and alternate stack without a lock but for
 * what sigsetmask() takes; an action and what is pending need the sighand's.
 */
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/signal/sigframe.h"
#include "kern/abi/time.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/lib/string.h"
#include "kern/sys/syscall.h"
#include "kern/timeval.h"

static int changeable(int sig);
static void getaction(int sig, struct ksigaction *act);

int
sys_rt_sigaction(const uint *a)
{
	struct ksigaction act, old;

	if (a[3] != sizeof(uint64_t))
		return -EINVAL;
	if (a[1] && copyin(&act, a[1], sizeof(act)))
		return -EFAULT;
	if (a[0] - 1 >= NSIG || (a[1] && !changeable(a[0])))
		return -EINVAL;
	getaction(a[0], &old);
	if (a[1])
		sigsetaction(a[0], &act);
	if (a[2] && copyout(a[2], &old, sizeof(old)))
		return -EFAULT;
	return 0;
}

static int
changeable(int sig)
{
	return sig >= 1 && sig <= NSIG && sig != SIGKILL && sig != SIGSTOP;
}

static void
getaction(int sig, struct ksigaction *act)
{
	struct sighand *sh = myproc()->tg->sighand;

	acquire(&sh->lock);
	*act = sh->action[sig - 1];
	release(&sh->lock);
}

int
sys_sigaction(const uint *a)
{
	struct oldsigaction user;
	struct ksigaction act, old;

	if (a[1] && copyin(&user, a[1], sizeof(user)))
		return -EFAULT;
	if (a[0] - 1 >= NSIG || (a[1] && !changeable(a[0])))
		return -EINVAL;
	getaction(a[0], &old);
	if (a[1]) {
		act.handler = user.handler;
		act.flags = user.flags;
		act.restorer = user.restorer;
		act.mask = user.mask;
		sigsetaction(a[0], &act);
	}
	user.handler = old.handler;
	user.mask = (uint)old.mask;
	user.flags = old.flags;
	user.restorer = old.restorer;
	if (a[2] && copyout(a[2], &user, sizeof(user)))
		return -EFAULT;
	return 0;
}

int
sys_signal(const uint *a)
{
	struct ksigaction act, old;

	if (!changeable(a[0]))
		return -EINVAL;
	memset(&act, 0, sizeof(act));
	act.handler = a[1];
	act.flags = SA_RESETHAND | SA_NODEFER;
	getaction(a[0], &old);
	sigsetaction(a[0], &act);
	return (int)old.handler;
}

static int changemask(uint how, uint64_t set, uint64_t keep);

int
sys_rt_sigprocmask(const uint *a)
{
	uint64_t set, old = myproc()->sig.mask;
	int err;

	if (a[3] != sizeof(set))
		return -EINVAL;
	if (a[1]) {
		if (copyin(&set, a[1], sizeof(set)))
			return -EFAULT;
		if ((err = changemask(a[0], set, 0)) < 0)
			return err;
	}
	if (a[2] && copyout(a[2], &old, sizeof(old)))
		return -EFAULT;
	return 0;
}

/* keep: signals that SIG_SETMASK does not reach. */
static int
changemask(uint how, uint64_t set, uint64_t keep)
{
	uint64_t mask = myproc()->sig.mask;

	if (how == SIG_BLOCK)
		mask |= set;
	else if (how == SIG_UNBLOCK)
		mask &= ~set;
	else if (how == SIG_SETMASK)
		mask = (mask & keep) | set;
	else
		return -EINVAL;
	sigsetmask(mask);
	return 0;
}

int
sys_sigprocmask(const uint *a)
{
	uint set, old = (uint)myproc()->sig.mask;
	int err;

	if (a[1]) {
		if (copyin(&set, a[1], sizeof(set)))
			return -EFAULT;
		if ((err = changemask(a[0], set, ~0ull << 32)) < 0)
			return err;
	}
	if (a[2] && copyout(a[2], &old, sizeof(old)))
		return -EFAULT;
	return 0;
}

int
sys_rt_sigpending(const uint *a)
{
	struct proc *p = myproc();
	uint64_t set = (p->sig.pend.set | p->tg->pend.set) & p->sig.mask;

	if (a[1] > sizeof(set))
		return -EINVAL;
	return copyout(a[0], &set, a[1]) ? -EFAULT : 0;
}

int
sys_sigpending(const uint *a)
{
	struct proc *p = myproc();
	uint set = (uint)((p->sig.pend.set | p->tg->pend.set) & p->sig.mask);

	return copyout(a[0], &set, sizeof(set)) ? -EFAULT : 0;
}

int
sys_pause(const uint *a)
{
	(void)a;
	while (!sigpending())
		sleepsignal(NEVER, 0);
	return -ERESTARTNOHAND;
}

int
sys_rt_sigsuspend(const uint *a)
{
	uint64_t set;

	if (a[1] != sizeof(set))
		return -EINVAL;
	if (copyin(&set, a[0], sizeof(set)))
		return -EFAULT;
	sigsuspendmask(set);
	return sys_pause(a);
}

int
sys_sigsuspend(const uint *a)
{
	sigsuspendmask(a[2]); /* the first two are history */
	return sys_pause(a);
}

static int waitsignal(uint64_t set, struct ksiginfo *info, int64_t timeout);

static int timedwait(const uint *a, int wide);

int
sys_rt_sigtimedwait(const uint *a)
{
	return timedwait(a, 0);
}

int
sys_rt_sigtimedwait_time64(const uint *a)
{
	return timedwait(a, 1);
}

static int
timedwait(const uint *a, int wide)
{
	struct ksiginfo info;
	struct siginfo user;
	int64_t timeout = NEVER;
	uint64_t set;
	int sig;

	if (a[3] != sizeof(set))
		return -EINVAL;
	if (copyin(&set, a[0], sizeof(set)))
		return -EFAULT;
	if (a[2])
		timeout = wide ? timespec64in(a[2]) : timespecin(a[2]);
	if (timeout < 0)
		return (int)timeout;
	sig = waitsignal(set & ~SIGNOMASK, &info, timeout);
	if (sig > 0 && a[1]) {
		siguserinfo(&user, &info);
		if (copyout(a[1], &user, sizeof(user)))
			return -EFAULT;
	}
	return sig;
}

/* Take a signal of the set, waiting for one for timeout ns: its number, or
 * -EAGAIN, -EINTR. */
static int
waitsignal(uint64_t set, struct ksiginfo *info, int64_t timeout)
{
	struct proc *p = myproc();
	struct spinlock *lk = &p->tg->sighand->lock;
	int sig, err = -EAGAIN;

	acquire(lk);
	sig = sigtake(p, set, info);
	if (!sig && timeout > 0) {
		p->sig.waitset = set;
		release(lk);
		err = sleepsignal(deadlinein(timeout), 0);
		acquire(lk);
		p->sig.waitset = 0;
		sig = sigtake(p, set, info);
		sigretarget(p->tg, set);
		if (err == -ETIMEDOUT)
			err = -EAGAIN;
		else
			err = -EINTR;
	}
	release(lk);
	return sig ? sig : err;
}

int
sys_sigaltstack(const uint *a)
{
	struct proc *p = myproc();
	struct sigstate *s = &p->sig;
	struct sigstack ss, old;
	int err;

	if (a[0] && copyin(&ss, a[0], sizeof(ss)))
		return -EFAULT;
	old.ss_sp = s->altsp;
	old.ss_size = s->altsize;
	old.ss_flags = s->altsize ? s->altflags & SS_AUTODISARM : SS_DISABLE;
	if (p->tf->esp - s->altsp - 1 < s->altsize)
		old.ss_flags |= SS_ONSTACK;
	if (a[0] && (err = sigsetstack(&ss, p->tf->esp)) < 0)
		return err;
	if (a[1] && copyout(a[1], &old, sizeof(old)))
		return -EFAULT;
	return 0;
}

static void fromme(struct ksiginfo *info, int code);
static int sendto(struct proc *p, int thread, int sig,
	const struct ksiginfo *info);
static int sendmany(int pid, int sig, const struct ksiginfo *info);

int
sys_kill(const uint *a)
{
	int pid = (int)a[0], sig = (int)a[1], err;
	struct ksiginfo info;

	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	fromme(&info, SI_USER);
	acquire(&proctree);
	if (pid > 0)
		err = sendto(findproc(pid), 0, sig, &info);
	else
		err = sendmany(pid, sig, &info);
	release(&proctree);
	return err;
}

static void
fromme(struct ksiginfo *info, int code)
{
	memset(info, 0, sizeof(*info));
	info->code = code;
	info->pid = myproc()->tg->tgid;
	info->uid = myproc()->uid;
}

/* Send sig (0: only look whether we might) to the process of p, or to it alone.
 * proctree held. */
static int
sendto(struct proc *p, int thread, int sig, const struct ksiginfo *info)
{
	if (!p)
		return -ESRCH;
	if (!sigpermitted(p, sig))
		return -EPERM;
	return sig ? sigqueueinfo(p->tg, thread ? p : 0, sig, info) : 0;
}

/* kill's pid 0 (our group), -1 (all but init and us) and below (a group): 0 if
 * one could be sent it. */
static int
sendmany(int pid, int sig, const struct ksiginfo *info)
{
	struct tgroup *me = myproc()->tg, *tg;
	int pgid = pid == 0 ? me->pgid : -pid, err = -ESRCH, r;

	listeach(tg, &allprocs, alllink) {
		if (pid == -1 ? tg == me || tg == initgroup || !tg->parent
			      : tg->pgid != pgid)
			continue;
		r = sendto(tg->leader, 0, sig, info);
		if (err != 0)
			err = r;
	}
	return err;
}

/* Send sig to the thread tid, if it is one of the process tgid (0: any). */
static int
sendthread(int tgid, int tid, int sig, const struct ksiginfo *info)
{
	struct proc *p;
	int err = -ESRCH;

	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	acquire(&proctree);
	p = findproc(tid);
	if (p && (tgid == 0 || p->tg->tgid == tgid))
		err = sendto(p, 1, sig, info);
	release(&proctree);
	return err;
}

int
sys_tkill(const uint *a)
{
	struct ksiginfo info;

	if ((int)a[0] <= 0)
		return -EINVAL;
	fromme(&info, SI_TKILL);
	return sendthread(0, (int)a[0], (int)a[1], &info);
}

int
sys_tgkill(const uint *a)
{
	struct ksiginfo info;

	if ((int)a[0] <= 0 || (int)a[1] <= 0)
		return -EINVAL;
	fromme(&info, SI_TKILL);
	return sendthread((int)a[0], (int)a[1], (int)a[2], &info);
}

/* What a user says of a signal to the process or thread pid: 0, -EFAULT, or
 * -EPERM if it would look as if from the kernel. */
static int
userinfo(struct ksiginfo *info, uint uva, int pid)
{
	struct siginfo user;

	if (copyin(&user, uva, sizeof(user)))
		return -EFAULT;
	if ((user.si_code >= 0 || user.si_code == SI_TKILL) &&
		pid != myproc()->pid)
		return -EPERM;
	memset(info, 0, sizeof(*info));
	info->code = user.si_code;
	info->errno = user.si_errno;
	info->pid = (int)user.field[0];
	info->uid = user.field[1];
	info->value = user.field[2];
	return 0;
}

int
sys_rt_sigqueueinfo(const uint *a)
{
	int pid = (int)a[0], sig = (int)a[1], err;
	struct ksiginfo info;

	if ((err = userinfo(&info, a[2], pid)) < 0)
		return err;
	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	acquire(&proctree);
	err = sendto(findproc(pid), 0, sig, &info);
	release(&proctree);
	return err;
}

int
sys_rt_tgsigqueueinfo(const uint *a)
{
	struct ksiginfo info;
	int err = userinfo(&info, a[3], (int)a[1]);

	if (err < 0)
		return err;
	if ((int)a[0] <= 0 || (int)a[1] <= 0)
		return -EINVAL;
	return sendthread((int)a[0], (int)a[1], (int)a[2], &info);
}
