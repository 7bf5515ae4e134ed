/*
 * t.h - what a test may use.
 *
 * A test is a function in its file's table.  It runs in a child process of its
 * own and passes if it makes no complaint and returns.  Its own children run
 * through child(), which passes their complaints on.
 */
#ifndef T_H
#define T_H

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define PG     4096
#define NUM(a) ((int)(sizeof(a) / sizeof(a)[0]))

struct test {
	void (*fn)(void);
	const char *name;
};
#define T(f) {f, #f}

/* One table per file, each ended by {0}. */
extern const struct test t_cache[];
extern const struct test t_attack[], t_badaddr[], t_elf[], t_event[], t_exec[],
	t_file[], t_fork[], t_fpu[], t_futex[], t_fuzz[], t_heap[], t_mapfile[],
	t_mlock[], t_mmap[], t_mount[], t_name[], t_oom[],
	t_pipe[], t_race[], t_racefork[], t_raceio[], t_random[], t_sched[],
	t_signal[], t_stack[], t_time[], t_trap[];
extern const struct test t_pty[], t_ptrace[], t_ptregs[];
extern const struct test t_sigrt[], t_timer[], t_racefile[], t_restart[];
extern const struct test t_splice[], t_limit[], t_memfd[];
extern const struct test t_sockfd[], t_sockname[], t_socket[], t_thread[];
extern const struct test t_proc[], t_procmem[], t_shm[], t_racemap[], t_cred[];

extern int quire;      /* running on Quire: counts are exact */
extern char exepath[]; /* this program's own file */

/* Complain, and go on. */
void failed(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void checkeq_(const char *file, int line, const char *what, long long got,
	long long want);
void checkrange_(const char *file, int line, const char *what, long long got,
	long long low, long long high);
void checkerr_(const char *file, int line, const char *what, long got, int err,
	int want);

#define check(c) \
	((c) ? (void)0 : failed(__FILE__, __LINE__, "%s is false", #c))
#define checkeq(got, want) checkeq_(__FILE__, __LINE__, #got, got, want)
/* Exactly want on Quire, from want to want + slack elsewhere. */
#define checkcount(got, want, slack) \
	checkrange_(__FILE__, __LINE__, #got, got, want, \
		(want) + (quire ? 0 : (slack)))
#define checkrange(got, low, high) \
	checkrange_(__FILE__, __LINE__, #got, got, low, high)
#define checkerr(call, want) \
	do { \
		long r_; \
		errno = 0; \
		r_ = (long)(call); \
		checkerr_(__FILE__, __LINE__, #call, r_, errno, want); \
	} while (0)

/* Complain, and end the test: what follows would make no sense. */
#define must(c) \
	do { \
		if (!(c)) { \
			failed(__FILE__, __LINE__, "%s is false (errno %d)", \
				#c, errno); \
			finish(); \
		} \
	} while (0)
void finish(void) __attribute__((noreturn));
void skip(const char *why) __attribute__((noreturn));

/* Run fn in a child and wait: its wait status. */
int status(void (*fn)(void));
/* As that, and complain if the child complained or was killed. */
void child(void (*fn)(void));
void reaped(int pid); /* wait for pid, complain unless it exits with 0 */
/* Wait until a thread of the process sleeps, or its only one. */
void threadasleep(int pid, int tid);
void asleep(int pid);
void ended(int pid); /* and is not reaped */
/* Complain unless fn in a child dies by this signal. */
#define checkdeath(fn, sig) checkeq(status(fn) & 0x7f, sig)

long minflt(void);                 /* minor faults of this process */
long vmstat(const char *name);     /* a counter of /proc/vmstat, or -1 */
long memfree(void);                /* kB */
long rss(void);                    /* pages */
int ncpus(void);                   /* that we may run on */
int sigqueued(void);               /* signals that count for the limit */
int polled(int fd, int events);    /* what poll says at once */
/* Send n bytes with nfd descriptors; the result of sendmsg. */
int sendfds(int s, const void *data, int n, const int *fd, int nfd, int flags);
void msleep(int ms);
long long nowms(void);
void *area(int pages);             /* address space with no access */
/* The line of /proc/self/maps that covers addr: 1 if there is one. */
int mapline(const void *addr, uintptr_t *start, uintptr_t *end, char perms[5]);
int mapcount(const void *addr, int pages); /* mappings within the range */
int number(const char *name, int otherwise); /* of the environment */
unsigned rnd(void);                /* pseudo-random; srnd() sets the seed */
void srnd(unsigned seed);

/* System calls as instructions, which touch no memory of ours. */
static inline long
int80(int nr, long a, long b, long c)
{
	long r;

	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "0"(nr), "b"(a), "c"(b), "d"(c)
			 : "memory");
	return r;
}

#endif
