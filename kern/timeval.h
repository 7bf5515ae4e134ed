/* timeval.h - times between programs and the kernel's int64_t nanoseconds. */
#ifndef KERN_TIMEVAL_H
#define KERN_TIMEVAL_H

#include "kern/abi/time.h"
#include "kern/param.h"
#include "kern/types.h"

/* A user's timespec, or timespec64: ns (what is beyond 292 years is NEVER), or
 * -EFAULT, -EINVAL for a negative time or a bad fraction. */
int64_t timespecin(uint uva);
int64_t timespec64in(uint uva);

/* The other way: 0 or -EFAULT. */
int timespecout(uint uva, int64_t ns);
int timespec64out(uint uva, int64_t ns);

/* An itimerspec, or that of 64 bits, in ns; in and out as the others. */
struct setting {
	int64_t interval, value;
};
int settingin(uint uva, struct setting *s, int wide);
int settingout(uint uva, const struct setting *s, int wide);

/* ns (>= 0) as seconds, and the rest of it in *nsec. */
uint splitns(int64_t ns, uint *nsec);

/* Ticks of 1/HZ in the units of times(). */
static inline uint
userticks(uint64_t ticks)
{
	uint t = (uint)ticks;

	return t / HZ * USER_HZ + t % HZ * USER_HZ / HZ;
}

#define TICKNS (NSEC / HZ)

/* When ns from now will be, NEVER at most. */
int64_t deadlinein(int64_t ns);

#endif
