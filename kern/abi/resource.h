/* resource.h - numbers and layouts of getrusage, getrlimit and priorities. */
#ifndef ABI_RESOURCE_H
#define ABI_RESOURCE_H

#include "kern/abi/time.h"

#define RLIMIT_CPU        0
#define RLIMIT_FSIZE      1
#define RLIMIT_DATA       2
#define RLIMIT_STACK      3
#define RLIMIT_CORE       4
#define RLIMIT_RSS        5
#define RLIMIT_NPROC      6
#define RLIMIT_NOFILE     7
#define RLIMIT_MEMLOCK    8
#define RLIMIT_AS         9
#define RLIMIT_LOCKS      10
#define RLIMIT_SIGPENDING 11
#define RLIMIT_MSGQUEUE   12
#define RLIMIT_NICE       13
#define RLIMIT_RTPRIO     14
#define RLIMIT_RTTIME     15

#define RLIM_INFINITY   0xffffffffu          /* struct rlimit */
#define RLIM_INFINITY64 (~(uint64_t)0)       /* struct rlimit64 */
#define RLIM_OLDMAX     0x7fffffffu          /* infinity of getrlimit (76) */

struct rlimit {
	uint32_t cur, max;
};

#define RUSAGE_SELF     0
#define RUSAGE_CHILDREN (-1)
#define RUSAGE_THREAD   1

struct rusage {
	struct timeval utime, stime;
	int maxrss; /* KiB */
	int ixrss, idrss, isrss;
	int minflt, majflt, nswap;
	int inblock, oublock;
	int msgsnd, msgrcv, nsignals;
	int nvcsw, nivcsw;
};

#define PRIO_PROCESS 0
#define PRIO_PGRP    1
#define PRIO_USER    2

struct tms {
	int utime, stime, cutime, cstime;
};

_Static_assert(sizeof(struct rusage) == 72, "rusage");

#endif
