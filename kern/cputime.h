/* cputime.h - the CPU time of processes and threads: clocks that show it, and
 * what is due when it is used up. */
#ifndef KERN_CPUTIME_H
#define KERN_CPUTIME_H

#include "kern/proc.h"

/* The number of the CPU clock (CPUCLOCK of kern/abi/time.h) that clock, a
 * user's number for one, means now: with the id of its process or thread in
 * it, or 0 if there is no such clock or the running process may not read it.
 * proctree held. */
int cpuclockid(int clock);

/* What the clock cpuclockid() returned shows, in ns, in steps of a tick; -1
 * for 0, and when the process or thread has gone.  proctree held. */
int64_t cpuclock(int id);

/* RLIMIT_CPU of tg, which has used that many ticks so far, has changed: have it
 * looked at when that many seconds are used.  Called for a new process, or with
 * proctree held. */
void cpulimit(struct tgroup *tg, uint64_t used);

/* A tick of the running process tg is over, in user mode or in the kernel:
 * count down ITIMER_VIRTUAL, ITIMER_PROF and RLIMIT_CPU, and send the signals
 * that are due.  tick() calls this only if one of itimer[0], itimer[1],
 * cpuleft is not 0. Called with interrupts off. */
void itimertick(struct tgroup *tg, int user);

#endif
