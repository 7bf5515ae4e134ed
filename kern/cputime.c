/*
 * cputime.c - the CPU time of processes and threads: clocks that show it,
 * ITIMER_VIRTUAL, ITIMER_PROF and RLIMIT_CPU, which end when it is used up.
 *
 * All of it goes in steps of a tick, 1/HZ s: the thread that runs when the
 * timer interrupts has used one.
 */
#include "kern/cputime.h"
#include "arch/cpu.h"
#include "arch/x86.h"
#include "kern/exit.h"
#include "kern/timeval.h"
#include "kern/abi/resource.h"

int
cpuclockid(int clock)
{
	struct proc *me = myproc(), *p;
	int thread = clock & CPUCLOCK_THREAD, pid = ~(clock >> 3);

	if (clock == CLOCK_PROCESS_CPUTIME_ID)
		return CPUCLOCK(me->tg->tgid, CPUCLOCK_SCHED);
	if (clock == CLOCK_THREAD_CPUTIME_ID)
		return CPUCLOCK(me->pid, CPUCLOCK_SCHED | CPUCLOCK_THREAD);
	if (clock >= 0 || (clock & 3) > CPUCLOCK_SCHED)
		return 0;
	if (pid == 0)
		pid = thread ? me->pid : me->tg->tgid;
	p = findproc(pid);
	if (!p || (thread ? p->tg != me->tg : p != p->tg->leader))
		return 0;
	return CPUCLOCK(pid, clock & 7);
}

int64_t
cpuclock(int id)
{
	struct proc *p = id ? findproc(~(id >> 3)) : 0;
	struct procusage ru;

	if (!p)
		return -1;
	if (id & CPUCLOCK_THREAD) {
		ru.utime = p->utime;
		ru.stime = p->stime;
	} else {
		groupusage(p->tg, &ru);
	}
	if ((id & 3) == CPUCLOCK_VIRT)
		ru.stime = 0;
	return (int64_t)(ru.utime + ru.stime) * TICKNS;
}

void
cpulimit(struct tgroup *tg, uint64_t used)
{
	uint64_t secs = MAX(tg->rlimit[RLIMIT_CPU].cur, 1u);
	uint ticks = (uint)used;

	tg->cpuleft = 0;
	if (secs >= ~0u / HZ)
		return;
	tg->cpusecs = MAX((uint)secs, ticks / HZ);
	tg->cpuleft = secs * HZ > used ? (uint)secs * HZ - ticks : 1;
}

static int countdown(uint *left, uint again);
static void overcpu(struct tgroup *tg);

void
itimertick(struct tgroup *tg, int user)
{
	if (user && countdown(&tg->itimer[0], tg->itimerval[0]))
		sigsendproc(tg, SIGVTALRM, 0);
	if (countdown(&tg->itimer[1], tg->itimerval[1]))
		sigsendproc(tg, SIGPROF, 0);
	if (countdown(&tg->cpuleft, HZ))
		overcpu(tg);
}

/* tg has used another second beyond its limit of CPU time: send SIGXCPU, or at
 * the hard limit SIGKILL. */
static void
overcpu(struct tgroup *tg)
{
	if (tg->cpusecs++ >= tg->rlimit[RLIMIT_CPU].max)
		sigsendproc(tg, SIGKILL, 0);
	else
		sigsendproc(tg, SIGXCPU, 0);
}

/* Take a tick from *left; when that was the last one, set *left to again and
 * return 1, else return 0.  Other threads of the process may count down the
 * same *left on other CPUs. */
static int
countdown(uint *left, uint again)
{
	uint old;

	do
		if ((old = *(volatile uint *)left) == 0)
			return 0;
	while (!cas(left, old, old == 1 ? again : old - 1));
	return old == 1;
}
