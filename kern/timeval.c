/*
 * timeval.c - times as programs have them, in structures of seconds and a part
 * of one, made from and to the kernel's int64_t nanoseconds.
 */
#include "kern/timeval.h"
#include "mm/mm.h"
#include "kern/sched.h"

uint
splitns(int64_t ns, uint *nsec)
{
	uint hi = (uint)((uint64_t)ns >> 32), sec;

	if (hi >= NSEC) { /* would not fit the quotient: some 136 years */
		*nsec = 0;
		return ~0u;
	}
	__asm__("divl %4"
		: "=a"(sec), "=d"(*nsec)
		: "a"((uint)ns), "d"(hi), "rm"((uint)NSEC)
		: "cc");
	return sec;
}

int64_t
timespecin(uint uva)
{
	struct timespec ts;

	if (copyin(&ts, uva, sizeof(ts)))
		return -EFAULT;
	if (ts.tv_sec < 0 || (uint)ts.tv_nsec >= NSEC)
		return -EINVAL;
	return (int64_t)ts.tv_sec * NSEC + ts.tv_nsec;
}

int64_t
timespec64in(uint uva)
{
	struct timespec64 ts;

	if (copyin(&ts, uva, sizeof(ts)))
		return -EFAULT;
	if (ts.tv_sec < 0 || (uint)ts.tv_nsec >= NSEC)
		return -EINVAL;
	if (ts.tv_sec >= (int64_t)(NEVER / NSEC))
		return NEVER;
	return ts.tv_sec * NSEC + (uint)ts.tv_nsec;
}

int
timespecout(uint uva, int64_t ns)
{
	struct timespec ts;
	uint nsec;

	ts.tv_sec = (int)splitns(ns, &nsec);
	ts.tv_nsec = (int)nsec;
	return copyout(uva, &ts, sizeof(ts)) ? -EFAULT : 0;
}

int
timespec64out(uint uva, int64_t ns)
{
	struct timespec64 ts;
	uint nsec;

	ts.tv_sec = splitns(ns, &nsec);
	ts.tv_nsec = nsec;
	return copyout(uva, &ts, sizeof(ts)) ? -EFAULT : 0;
}

int
settingin(uint uva, struct setting *s, int wide)
{
	s->interval = wide ? timespec64in(uva) : timespecin(uva);
	if (s->interval < 0)
		return (int)s->interval;
	s->value = wide ? timespec64in(uva + 16) : timespecin(uva + 8);
	return s->value < 0 ? (int)s->value : 0;
}

int
settingout(uint uva, const struct setting *s, int wide)
{
	int err;

	if (wide) {
		err = timespec64out(uva, s->interval);
		return err < 0 ? err : timespec64out(uva + 16, s->value);
	}
	err = timespecout(uva, s->interval);
	return err < 0 ? err : timespecout(uva + 8, s->value);
}

int64_t
deadlinein(int64_t ns)
{
	int64_t now = nowns();

	return ns < NEVER - now ? now + ns : NEVER;
}
