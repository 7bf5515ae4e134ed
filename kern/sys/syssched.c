/*
 * syssched.c - the system calls about who runs where: sched_* and getcpu.
 *
 * There is one way to schedule, by shares.  Of Linux's policies those that mean
 * nothing else (OTHER, BATCH and IDLE) are taken and told again, and IDLE runs
 * as nice as can be; nobody gets a fixed priority.
 */
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/sched.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/sys/syscall.h"
#include "kern/timeval.h"

static int find(int pid, struct proc **p);
static int paramin(uint uva);
static int setpolicy(uint pid, uint policy, int prio);
static int mayset(struct proc *p);
static int priority(uint policy, int fixed);

int
sys_getcpu(const uint *a)
{
	const uint node = 0;
	uint cpu = (uint)myproc()->cpu;

	if (a[0] && copyout(a[0], &cpu, sizeof(cpu)))
		return -EFAULT;
	return a[1] && copyout(a[1], &node, sizeof(node)) ? -EFAULT : 0;
}

int
sys_sched_yield(const uint *a)
{
	(void)a;
	yield();
	return 0;
}

/* pid, length, mask */
int
sys_sched_getaffinity(const uint *a)
{
	struct proc *p;
	uint mask = 0;
	int err;

	if (a[1] < sizeof(mask) || a[1] % sizeof(mask))
		return -EINVAL;
	if ((err = find((int)a[0], &p)) < 0)
		return err;
	mask = p->affinity & ((1u << ncpu) - 1);
	release(&proctree);
	return copyout(a[2], &mask, sizeof(mask)) ? -EFAULT : (int)sizeof(mask);
}

int
sys_sched_setaffinity(const uint *a)
{
	struct proc *p;
	uint mask = 0;
	int err;

	if (copyin(&mask, a[2], MIN(a[1], (uint)sizeof(mask))))
		return -EFAULT;
	if ((err = find((int)a[0], &p)) < 0)
		return err;
	mask &= (1u << ncpu) - 1;
	if (!mayset(p))
		err = -EPERM;
	else if (mask == 0)
		err = -EINVAL;
	else
		setaffinity(p, mask);
	release(&proctree);
	return err;
}

/* The thread, 0 being ours, with proctree taken; or -ESRCH, and it is not. */
static int
find(int pid, struct proc **p)
{
	acquire(&proctree);
	*p = pid ? findproc(pid) : myproc();
	if (*p)
		return 0;
	release(&proctree);
	return -ESRCH;
}

/* May we change how p is scheduled? */
static int
mayset(struct proc *p)
{
	struct proc *me = myproc();

	return me->euid == 0 || me->euid == p->euid || me->euid == p->uid;
}

/* The fixed priority of the user's struct sched_param, or -errno. */
static int
paramin(uint uva)
{
	int prio;

	if (!uva)
		return -EINVAL;
	if (copyin(&prio, uva, sizeof(prio)))
		return -EFAULT;
	return prio < 0 ? -EINVAL : prio;
}

int
sys_sched_setscheduler(const uint *a)
{
	int prio = paramin(a[2]);

	if ((int)a[0] < 0 || (int)a[1] < 0)
		return -EINVAL;
	return prio < 0 ? prio : setpolicy(a[0], a[1], prio);
}

int
sys_sched_setparam(const uint *a)
{
	int prio = paramin(a[1]);

	if ((int)a[0] < 0)
		return -EINVAL;
	return prio < 0 ? prio : setpolicy(a[0], ~0u, prio);
}

/* policy ~0: the one it has. */
static int
setpolicy(uint pid, uint policy, int prio)
{
	struct proc *p;
	uint kind;
	int err = find((int)pid, &p);

	if (err < 0)
		return err;
	if (policy == ~0u)
		policy = p->policy;
	kind = policy & ~SCHED_RESET_ON_FORK;
	if (priority(kind, 0) < 0 || prio > 99 ||
		(prio != 0) != (priority(kind, 1) != 0))
		err = -EINVAL;
	else if (prio != 0 || !mayset(p))
		err = -EPERM;
	else if (myproc()->euid && p->policy & ~policy & SCHED_RESET_ON_FORK)
		err = -EPERM;
	else if (myproc()->euid && kind != SCHED_IDLE &&
		(p->policy & ~SCHED_RESET_ON_FORK) == SCHED_IDLE)
		err = -EPERM;
	else
		p->policy = policy;
	release(&proctree);
	return err;
}

int
sys_sched_getscheduler(const uint *a)
{
	struct proc *p;
	int err;

	if ((int)a[0] < 0)
		return -EINVAL;
	if ((err = find((int)a[0], &p)) < 0)
		return err;
	err = (int)p->policy;
	release(&proctree);
	return err;
}

int
sys_sched_getparam(const uint *a)
{
	const int prio = 0;
	struct proc *p;
	int err;

	if (!a[1] || (int)a[0] < 0)
		return -EINVAL;
	if ((err = find((int)a[0], &p)) < 0)
		return err;
	release(&proctree);
	return copyout(a[1], &prio, sizeof(prio)) ? -EFAULT : 0;
}

/* The highest or lowest fixed priority of a policy: as given if it has them. */
static int
priority(uint policy, int fixed)
{
	switch (policy) {
	case SCHED_FIFO:
	case SCHED_RR:
		return fixed;
	case SCHED_OTHER:
	case SCHED_BATCH:
	case SCHED_IDLE:
		return 0;
	default:
		return -EINVAL;
	}
}

int
sys_sched_get_priority_max(const uint *a)
{
	return priority(a[0], 99);
}

int
sys_sched_get_priority_min(const uint *a)
{
	return priority(a[0], 1);
}

/* How long those of equal niceness run in turn. */
static int
interval(uint pid, int (*out)(uint, int64_t), uint uva)
{
	struct proc *p;
	int err;

	if ((int)pid < 0)
		return -EINVAL;
	if ((err = find((int)pid, &p)) < 0)
		return err;
	release(&proctree);
	return out(uva, SLICE * (NSEC / HZ));
}

int
sys_sched_rr_get_interval(const uint *a)
{
	return interval(a[0], timespecout, a[1]);
}

int
sys_sched_rr_get_interval_time64(const uint *a)
{
	return interval(a[0], timespec64out, a[1]);
}
