/*
 * sysrlimit.c - the system calls about what processes may use and have used:
 * resource limits, rusage and times, priorities.
 *
 * The limits of struct tgroup are looked at where they matter (fork,
 * descriptors); those of memory are kept by mm/ as well, which hears of each
 * change here.
 */
#include "kern/sys/sysrlimit.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/proc.h"
#include "kern/abi/resource.h"
#include "kern/cputime.h"
#include "kern/exit.h"
#include "kern/sched.h"
#include "kern/lib/string.h"
#include "kern/sys/syscall.h"
#include "kern/timeval.h"

static int dorlimit(int pid, uint which, const struct rlimit64 *new,
	struct rlimit64 *old);

int
sys_prlimit64(const uint *a)
{
	struct rlimit64 new, old;
	int err;

	if (a[2] && copyin(&new, a[2], sizeof(new)))
		return -EFAULT;
	err = dorlimit((int)a[0], a[1], a[2] ? &new : 0, &old);
	if (err < 0)
		return err;
	return a[3] && copyout(a[3], &old, sizeof(old)) ? -EFAULT : 0;
}

int
sys_setrlimit(const uint *a)
{
	struct rlimit user;
	struct rlimit64 new, old;

	if (copyin(&user, a[1], sizeof(user)))
		return -EFAULT;
	new.cur = user.cur == RLIM_INFINITY ? RLIM_INFINITY64 : user.cur;
	new.max = user.max == RLIM_INFINITY ? RLIM_INFINITY64 : user.max;
	return dorlimit(0, a[0], &new, &old);
}

/* The limit in 32 bits, max standing for none. */
static int
getrlimit(const uint *a, uint max)
{
	struct rlimit user;
	struct rlimit64 old;
	int err = dorlimit(0, a[0], 0, &old);

	if (err < 0)
		return err;
	user.cur = (uint)MIN(old.cur, max);
	user.max = (uint)MIN(old.max, max);
	return copyout(a[1], &user, sizeof(user)) ? -EFAULT : 0;
}

int
sys_getrlimit(const uint *a)
{
	return getrlimit(a, RLIM_OLDMAX);
}

int
sys_ugetrlimit(const uint *a)
{
	return getrlimit(a, RLIM_INFINITY);
}

static int changerlimit(struct tgroup *tg, uint which, const struct rlimit64 *new);
static void tellmm(struct uvm *u, uint which, uint64_t cur);

static int
dorlimit(int pid, uint which, const struct rlimit64 *new, struct rlimit64 *old)
{
	struct proc *me = myproc(), *p;
	struct uvm *u = 0;
	int err = 0;

	if (which >= NRLIMIT || (new && new->cur > new->max))
		return -EINVAL;
	acquire(&proctree);
	p = pid ? findproc(pid) : me;
	if (!p)
		err = -ESRCH;
	else if (p->tg != me->tg && me->euid != 0 &&
		(me->uid != p->uid || me->uid != p->euid || me->uid != p->suid))
		err = -EPERM;
	else {
		*old = p->tg->rlimit[which];
		err = new ? changerlimit(p->tg, which, new) : 0;
		/* a child of vfork only borrows its parent's address space;
		 * exec tells the new one */
		if (new && err == 0 && p->uvm && !p->vforkq)
			u = uvmref(p->uvm);
	}
	release(&proctree);
	if (u) {
		tellmm(u, which, new->cur);
		freeuvm(u); /* p has it still, or is gone */
	}
	return err;
}

static int
changerlimit(struct tgroup *tg, uint which, const struct rlimit64 *new)
{
	int root = myproc()->euid == 0;
	struct procusage ru;

	if (new->max > tg->rlimit[which].max && !root)
		return -EPERM;
	if (which == RLIMIT_NOFILE && new->max > NOFILEMAX)
		return -EPERM; /* there are no more */
	tg->rlimit[which] = *new;
	if (which == RLIMIT_CPU) {
		groupusage(tg, &ru);
		cpulimit(tg, ru.utime + ru.stime);
	}
	return 0;
}

/* mm/ keeps the limits that faults, mmap and mlock look at. */
static void
tellmm(struct uvm *u, uint which, uint64_t cur)
{
	uint bytes = (uint)MIN(cur, (uint64_t)~0u);

	if (which == RLIMIT_STACK)
		uvmlimit(u, UVM_STACK, bytes);
	else if (which == RLIMIT_AS)
		uvmlimit(u, UVM_AS, bytes);
	else if (which == RLIMIT_DATA)
		uvmlimit(u, UVM_DATA, bytes);
	else if (which == RLIMIT_MEMLOCK)
		uvmlimit(u, UVM_MEMLOCK, bytes);
}

static void
totimeval(struct timeval *tv, uint64_t ticks)
{
	uint t = (uint)ticks;

	tv->tv_sec = (int)(t / HZ);
	tv->tv_usec = (int)(t % HZ * (1000000 / HZ));
}

static void
torusage(struct rusage *to, const struct procusage *ru)
{
	memset(to, 0, sizeof(*to));
	totimeval(&to->utime, ru->utime);
	totimeval(&to->stime, ru->stime);
	to->maxrss = (int)ru->maxrss;
	to->minflt = (int)ru->minflt;
	to->majflt = (int)ru->majflt;
	to->inblock = (int)(ru->io.diskread >> 9);
	to->oublock = (int)(ru->io.diskwritten >> 9);
	to->nvcsw = (int)ru->nvcsw;
	to->nivcsw = (int)ru->nivcsw;
}

int
rusageout(uint uva, const struct procusage *ru)
{
	struct rusage user;

	torusage(&user, ru);
	return copyout(uva, &user, sizeof(user)) ? -EFAULT : 0;
}

int
sys_getrusage(const uint *a)
{
	struct procusage ru;
	int who = (int)a[0];

	if (who == RUSAGE_SELF || who == RUSAGE_THREAD) {
		procusage(who == RUSAGE_THREAD, &ru);
	} else if (who == RUSAGE_CHILDREN) {
		acquire(&proctree);
		ru = myproc()->tg->reaped;
		release(&proctree);
	} else {
		return -EINVAL;
	}
	return rusageout(a[1], &ru);
}

int
sys_times(const uint *a)
{
	struct tgroup *tg = myproc()->tg;
	struct procusage ru;
	struct tms t;

	acquire(&proctree);
	groupusage(tg, &ru);
	t.cutime = (int)userticks(tg->reaped.utime);
	t.cstime = (int)userticks(tg->reaped.stime);
	release(&proctree);
	t.utime = (int)userticks(ru.utime);
	t.stime = (int)userticks(ru.stime);
	if (a[0] && copyout(a[0], &t, sizeof(t)))
		return -EFAULT;
	return (int)(nowns() / (NSEC / USER_HZ));
}

/* Is p one of those that getpriority's which and who name? */
static int
chosen(struct proc *p, uint which, int who)
{
	struct proc *me = myproc();

	if (!p->uvm)
		return 0;
	if (which == PRIO_PROCESS)
		return p->pid == (who ? who : me->pid);
	if (which == PRIO_PGRP)
		return p->tg->pgid == (who ? who : me->tg->pgid);
	return p->uid == (who ? (uint)who : me->uid);
}

int
sys_getpriority(const uint *a)
{
	struct tgroup *tg;
	struct proc *p;
	int best = -ESRCH;

	if (a[0] > PRIO_USER)
		return -EINVAL;
	acquire(&proctree);
	listeach(tg, &allprocs, alllink)
		eachthread(p, tg)
			if (chosen(p, a[0], (int)a[1]))
				best = MAX(best, 20 - p->nice);
	release(&proctree);
	return best;
}

/* Give p this niceness, one that is less only as far as its limit goes, which
 * counts from 1 for 19 to 40 for -20. */
static int
renice(struct proc *p, int nice)
{
	struct proc *me = myproc();
	uint64_t limit = p->tg->rlimit[RLIMIT_NICE].cur;

	if (me->euid != 0 && me->euid != p->uid && me->euid != p->euid)
		return -EPERM;
	if (nice < p->nice && me->euid != 0 && (uint)(20 - nice) > limit)
		return -EACCES;
	p->nice = nice;
	return 0;
}

int
sys_setpriority(const uint *a)
{
	int nice = MAX(-20, MIN(19, (int)a[2])), err = -ESRCH, r;
	struct tgroup *tg;
	struct proc *p;

	if (a[0] > PRIO_USER)
		return -EINVAL;
	acquire(&proctree);
	listeach(tg, &allprocs, alllink) {
		eachthread(p, tg) {
			if (!chosen(p, a[0], (int)a[1]))
				continue;
			r = renice(p, nice);
			if (r < 0 || err == -ESRCH)
				err = r;
		}
	}
	release(&proctree);
	return err;
}

int
sys_nice(const uint *a)
{
	struct proc *p = myproc();
	int by = MAX(-40, MIN(40, (int)a[0]));
	int nice = MAX(-20, MIN(19, p->nice + by));

	return renice(p, nice) < 0 ? -EPERM : 0;
}
