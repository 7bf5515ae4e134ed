/* time.h - layouts of times, and the numbers of clocks and timers. */
#ifndef ABI_TIME_H
#define ABI_TIME_H

#include <stdint.h>

struct timespec {
	int tv_sec;
	int tv_nsec;
};

struct timespec64 { /* of the calls named ..._time64 */
	int64_t tv_sec;
	int64_t tv_nsec; /* i386 programs leave junk in the high half */
};

struct timeval {
	int tv_sec;
	int tv_usec;
};

struct timezone {
	int tz_minuteswest;
	int tz_dsttime;
};

struct itimerval {
	struct timeval it_interval;
	struct timeval it_value;
};

#define ITIMER_REAL    0
#define ITIMER_VIRTUAL 1
#define ITIMER_PROF    2

#define CLOCK_REALTIME           0
#define CLOCK_MONOTONIC          1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID  3
#define CLOCK_MONOTONIC_RAW      4
#define CLOCK_REALTIME_COARSE    5
#define CLOCK_MONOTONIC_COARSE   6
#define CLOCK_BOOTTIME           7
#define CLOCK_REALTIME_ALARM     8
#define CLOCK_BOOTTIME_ALARM     9
#define CLOCK_TAI                11

/* Negative clocks: the CPU time of a process, or thread, by its pid. */
#define CPUCLOCK(pid, kind) ((int)(~(unsigned)(pid) << 3 | (kind)))
#define CPUCLOCK_VIRT   1 /* in user mode */
#define CPUCLOCK_SCHED  2
#define CPUCLOCK_THREAD 4

#define TIMER_ABSTIME 1

struct sigevent { /* the head of it */
	uint32_t value;
	int signo;
	int notify;
	int tid;
};

#define SIGEV_SIGNAL    0
#define SIGEV_NONE      1
#define SIGEV_THREAD    2 /* libc's; for us as SIGEV_SIGNAL */
#define SIGEV_THREAD_ID 4

#define NSEC 1000000000 /* ns in a second */

#endif
