/* param.h - limits and rates of the kernel, each in one place. */
#ifndef KERN_PARAM_H
#define KERN_PARAM_H

#define QUIRE_VERSION "0.1" /* in the banner and uname */

#define NCPU        8      /* CPUs we can run on */
#define HZ          250    /* timer interrupts a second */
#define USER_HZ     100    /* unit of times() and /proc/PID/stat */
#define PIDMAX      32768  /* first pid that is never given out */
#define NOFILE      1024   /* RLIMIT_NOFILE at boot, soft */
#define NOFILEMAX   4096   /* and hard, which nobody raises */
#define PATHLEN     4096   /* PATH_MAX, with the NUL */
#define KSTACKPAGES 2      /* pages of a kernel stack, without its guard */
#define STACKLIMIT  (8 << 20)   /* RLIMIT_STACK, soft, at boot */
#define MEMLOCK     (8 << 20)   /* RLIMIT_MEMLOCK, at boot */
#define ARGLEN      (128 << 10) /* longest argument string, with the NUL */
#define NVMA        65530  /* mappings a process may have */
#define LASTCAP     40     /* capabilities are 0 to this one */

#endif
