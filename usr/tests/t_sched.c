/* t_sched.c - who runs where, and for how long. */
#include "t.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <time.h>

#define RESET 0x40000000

/* What the children of a test report. */
static struct report {
	volatile unsigned long work;
	volatile int cpu;
	volatile long long ns;
	volatile int turn, stop;
} *shared;

static void
newshared(void)
{
	shared = mmap(0, PG, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		-1, 0);
	must(shared != MAP_FAILED);
}

static int
cpunow(void)
{
	unsigned cpu = ~0u;

	check(syscall(SYS_getcpu, &cpu, 0, 0) == 0);
	return (int)cpu;
}

static long long
nowns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* The CPUs we may run on, lowest first; how many there are, at most 8. */
static int
cpulist(int cpu[8])
{
	unsigned long mask[32] = {0};
	int i, n = 0;

	must(syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask) > 0);
	for (i = 0; i < 32 && n < 8; i++)
		if (mask[0] >> i & 1)
			cpu[n++] = i;
	return n;
}

static int
pin(int pid, int cpu)
{
	unsigned long mask = 1ul << cpu;

	return (int)syscall(SYS_sched_setaffinity, pid, sizeof(mask), &mask);
}

/* Count as fast as we can until we are killed, nicer by so much. */
static int
hog(struct report *r, int by)
{
	int pid = fork();

	must(pid >= 0);
	if (pid)
		return pid;
	errno = 0;
	if (nice(by) == -1 && errno)
		_exit(1);
	for (;;) {
		r->work++;
		if (r->work % 1024 == 0)
			r->cpu = cpunow();
	}
}

static void
end(int pid)
{
	kill(pid, SIGKILL);
	must(waitpid(pid, 0, 0) == pid);
}

static void
sched_affinity_errors(void)
{
	unsigned long mask[32] = {0};
	long len = syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);

	check(len >= 4 && len % 4 == 0);
	check(mask[0] != 0);
	if (quire)
		checkeq(len, 4);
	checkerr(syscall(SYS_sched_getaffinity, 0, 0, mask), EINVAL);
	checkerr(syscall(SYS_sched_getaffinity, 0, 9, mask), EINVAL);
	checkerr(syscall(SYS_sched_getaffinity, 0, 128, 1), EFAULT);
	checkerr(syscall(SYS_sched_getaffinity, -1, 128, mask), ESRCH);
	checkerr(syscall(SYS_sched_getaffinity, 99999, 128, mask), ESRCH);
	checkerr(syscall(SYS_sched_setaffinity, 0, 4, 1), EFAULT);
	checkerr(syscall(SYS_sched_setaffinity, 99999, 4, 1), EFAULT);
	checkerr(syscall(SYS_sched_setaffinity, 99999, 4, mask), ESRCH);
	checkeq(syscall(SYS_sched_setaffinity, 0, sizeof(mask), mask), 0);
	memset(mask, 0, sizeof(mask));
	checkerr(syscall(SYS_sched_setaffinity, 0, 4, mask), EINVAL);
	checkerr(syscall(SYS_sched_setaffinity, 0, 0, mask), EINVAL);
	mask[0] = 1ul << 31;
	checkerr(syscall(SYS_sched_setaffinity, 0, 4, mask), EINVAL);
}

static void
pinned(void)
{
	int cpu[8];

	checkeq(cpulist(cpu), 1);
	checkeq(cpu[0], cpunow());
}

static void
sched_affinity_of_self(void)
{
	int cpu[8], n = cpulist(cpu), i, k, wrong = 0;

	for (k = 0; k < 50; k++) {
		for (i = 0; i < n; i++) {
			must(pin(0, cpu[i]) == 0);
			wrong += cpunow() != cpu[i];
			sched_yield();
			wrong += cpunow() != cpu[i];
		}
	}
	checkeq(wrong, 0);
	child(pinned);
}

/* One that computes, one that sleeps. */
static void
sched_affinity_of_others(void)
{
	int cpu[8], n = cpulist(cpu), fd[2], pid, i, k;
	char c = 0;

	newshared();
	pid = hog(shared, 0);
	for (k = 0; k < 8; k++) {
		must(pin(pid, cpu[k % n]) == 0);
		for (i = 0; i < 2; i++) { /* the first may be an old one */
			shared->cpu = -1;
			while (shared->cpu == -1)
				sched_yield();
		}
		checkeq(shared->cpu, cpu[k % n]);
	}
	end(pid);
	must(pipe(fd) == 0);
	pid = fork();
	if (pid == 0) {
		for (k = 0; k < 8 && read(fd[0], &c, 1) == 1; k++)
			shared->turn = 1 + cpunow();
		_exit(0);
	}
	for (k = 0; k < 8; k++) {
		i = k % n;
		must(pin(pid, cpu[i]) == 0);
		shared->turn = 0;
		must(write(fd[1], &c, 1) == 1);
		while (shared->turn == 0)
			sched_yield();
		checkeq(shared->turn - 1, cpu[i]);
	}
	reaped(pid);
}

/* The time in user mode of a child, in 1/100 s. */
static long
usertime(int pid)
{
	char name[32], buf[256], *p;
	long t = 0;
	int fd, n;

	snprintf(name, sizeof(name), "/proc/%d/stat", pid);
	fd = open(name, O_RDONLY);
	must(fd >= 0);
	n = (int)read(fd, buf, sizeof(buf) - 1);
	close(fd);
	buf[n > 0 ? n : 0] = 0;
	p = strrchr(buf, ')');
	must(p && sscanf(p + 1,
		" %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld",
			&t) == 1);
	return t;
}

static long long
endtime(int pid)
{
	struct rusage ru;

	kill(pid, SIGKILL);
	must(wait4(pid, 0, 0, &ru) == pid);
	return (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000LL +
		ru.ru_utime.tv_usec + ru.ru_stime.tv_usec;
}

/* The times of two hogs on one CPU, the second nicer by so much, after so many
 * 1/100 s: their ratio, in hundredths. */
static int
ratio(int by, long time)
{
	int cpu[8], a, b;
	long long ta, tb;

	newshared();
	cpulist(cpu);
	must(pin(0, cpu[0]) == 0);
	a = hog(&shared[0], 0);
	b = hog(&shared[1], by);
	while (usertime(a) + usertime(b) < time)
		msleep(20);
	ta = endtime(a);
	tb = endtime(b);
	must(tb > 0);
	return (int)(ta * 100 / tb);
}

static void
sched_shares_of_equals(void)
{
	checkrange(ratio(0, 80), 85, 118);
}

static void
sched_shares_by_nice(void)
{
	checkrange(ratio(5, 200), 306 * 85 / 100, 306 * 115 / 100);
}

static void
sched_shares_of_the_nicest(void)
{
	checkrange(ratio(19, 250), 4000, 12000);
}

/* Two on one CPU that hand a turn to each other. */
static void
sched_yield_lets_others_run(void)
{
	enum { TURNS = 1000 };
	int cpu[8], pid, i, me;
	long long start = nowms();

	newshared();
	cpulist(cpu);
	must(pin(0, cpu[0]) == 0);
	pid = fork();
	me = pid == 0;
	for (i = 0; i < TURNS; i++) {
		while (shared->turn != me)
			sched_yield();
		shared->turn = !me;
	}
	if (me)
		_exit(0);
	reaped(pid);
	checkrange(nowms() - start, 0, TURNS * 4);
}

/* As many hogs as CPUs get one each. */
static void
sched_hogs_spread(void)
{
	int cpu[8], n = cpulist(cpu), pid[8], i, same;
	unsigned seen;
	long long start = nowms();

	newshared();
	for (i = 0; i < n; i++) {
		shared[i].cpu = -1;
		pid[i] = hog(&shared[i], 0);
	}
	do {
		msleep(20);
		seen = 0;
		same = 0;
		for (i = 0; i < n; i++) {
			same |= shared[i].cpu < 0 || seen >> shared[i].cpu & 1;
			seen |= 1u << (shared[i].cpu & 31);
		}
	} while (same && nowms() - start < 20000);
	check(!same);
	for (i = 0; i < n; i++)
		end(pid[i]);
}

static int
ascending(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;

	return x < y ? -1 : x > y;
}

enum { ROUNDS = 31 };

/* The lowest of some medians, or one that is low enough.  When several programs
 * share the machine under us, some are of no use. */
static long long
bestmedian(void (*measure)(long long ns[ROUNDS]), long long enough)
{
	long long ns[ROUNDS], best = 0;
	int i;

	for (i = 0; i < 30 && (i == 0 || best > enough); i++) {
		measure(ns);
		qsort(ns, ROUNDS, sizeof(ns[0]), ascending);
		if (i == 0 || ns[ROUNDS / 2] < best)
			best = ns[ROUNDS / 2];
	}
	return best;
}

static int to[2];

/* How long until a reader of the pipe runs, while its writer goes on. */
static void
wakeups(long long ns[ROUNDS])
{
	const char c = 0;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		msleep(2); /* it sleeps by then, or finds the byte: no matter */
		shared->turn = 0;
		ns[i] = nowns();
		must(write(to[1], &c, 1) == 1);
		while (shared->turn == 0)
			__asm__ volatile("pause");
		ns[i] = shared->ns - ns[i];
	}
}

/* Where a CPU is idle, who reads from a pipe runs at once when something is
 * written: not at the next tick, after 2 ms on the average. */
static void
sched_woken_runs_at_once(void)
{
	int cpu[8], pid;
	char c;

	if (cpulist(cpu) < 2)
		skip("one processor");
	newshared();
	must(pipe(to) == 0);
	pid = fork();
	if (pid == 0) {
		close(to[1]);
		while (read(to[0], &c, 1) == 1) {
			shared->ns = nowns();
			shared->turn = 1;
		}
		_exit(0);
	}
	checkrange(bestmedian(wakeups, 1000000), 0, 1000000);
	close(to[1]);
	reaped(pid);
}

#define NIOV 256

/* A system call of a few hundred milliseconds. */
static void
longcall(void)
{
	static char buf[1 << 20];
	struct iovec iov[NIOV];
	int fd = open("/dev/zero", O_RDONLY), i;

	for (i = 0; i < NIOV; i++)
		iov[i] = (struct iovec){buf, sizeof(buf)};
	must(fd >= 0 && readv(fd, iov, NIOV) == NIOV * (long)sizeof(buf));
	close(fd);
}

/* How long a sleep of 1 ms takes. */
static void
naps(long long ns[ROUNDS])
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		ns[i] = nowns();
		msleep(1);
		ns[i] = nowns() - ns[i];
	}
}

/* A long call holds up nobody on the same CPU. */
static void
sched_long_calls_are_preempted(void)
{
	long long t = nowms();
	int cpu[8], pid;

	cpulist(cpu);
	must(pin(0, cpu[0]) == 0);
	longcall();
	if (nowms() - t < 50)
		skip("this processor is too fast");
	pid = fork();
	if (pid == 0)
		for (;;)
			longcall();
	checkrange(bestmedian(naps, 20000000), 0, 20000000);
	end(pid);
}

static void
onlybatch(void)
{
	checkeq(syscall(SYS_sched_getscheduler, 0), SCHED_BATCH);
}

static void
sched_policies(void)
{
	int prio = 0, one = 1, high = 100, low = -1;

	checkeq(syscall(SYS_sched_getscheduler, 0), SCHED_OTHER);
	checkerr(syscall(SYS_sched_getscheduler, -1), EINVAL);
	checkerr(syscall(SYS_sched_getscheduler, 99999), ESRCH);
	checkerr(syscall(SYS_sched_setscheduler, 0, 0, 0), EINVAL);
	checkerr(syscall(SYS_sched_setscheduler, 0, 0, 1), EFAULT);
	checkerr(syscall(SYS_sched_setscheduler, -1, 0, &prio), EINVAL);
	checkerr(syscall(SYS_sched_setscheduler, 99999, 0, &prio), ESRCH);
	checkerr(syscall(SYS_sched_setscheduler, 0, 0, &one), EINVAL);
	checkerr(syscall(SYS_sched_setscheduler, 0, 0, &low), EINVAL);
	checkerr(syscall(SYS_sched_setscheduler, 0, 4, &prio), EINVAL);
	checkerr(syscall(SYS_sched_setscheduler, 0, -1, &prio), EINVAL);
	checkerr(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &prio), EINVAL);
	checkerr(syscall(SYS_sched_setscheduler, 0, SCHED_RR, &high), EINVAL);
	checkeq(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &prio), 0);
	child(onlybatch);
	checkeq(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH | RESET, &prio),
		0);
	checkeq(syscall(SYS_sched_getscheduler, 0), SCHED_BATCH | RESET);
	child(onlybatch);
	checkeq(syscall(SYS_sched_setparam, 0, &prio), 0);
	checkeq(syscall(SYS_sched_getscheduler, 0), SCHED_BATCH | RESET);
	checkeq(syscall(SYS_sched_setscheduler, 0, SCHED_IDLE | RESET, &prio),
		0);
	checkerr(syscall(SYS_sched_setparam, 0, &one), EINVAL);
	checkerr(syscall(SYS_sched_setparam, 0, 0), EINVAL);
	checkerr(syscall(SYS_sched_setparam, -1, &prio), EINVAL);
	prio = 7;
	checkeq(syscall(SYS_sched_getparam, 0, &prio), 0);
	checkeq(prio, 0);
	checkerr(syscall(SYS_sched_getparam, 0, 0), EINVAL);
	checkerr(syscall(SYS_sched_getparam, 0, 1), EFAULT);
	checkerr(syscall(SYS_sched_getparam, 99999, &prio), ESRCH);
}

static void
sched_priority_ranges(void)
{
	struct timespec t = {-1, -1};

	checkeq(syscall(SYS_sched_get_priority_max, SCHED_OTHER), 0);
	checkeq(syscall(SYS_sched_get_priority_max, SCHED_FIFO), 99);
	checkeq(syscall(SYS_sched_get_priority_min, SCHED_RR), 1);
	checkeq(syscall(SYS_sched_get_priority_min, SCHED_IDLE), 0);
	checkerr(syscall(SYS_sched_get_priority_min, 4), EINVAL);
	checkerr(syscall(SYS_sched_get_priority_max, -1), EINVAL);
	checkeq(sched_rr_get_interval(0, &t), 0);
	check(t.tv_sec == 0 && t.tv_nsec >= 0 && t.tv_nsec < 200000000);
	checkerr(sched_rr_get_interval(-1, &t), EINVAL);
	checkerr(sched_rr_get_interval(99999, &t), ESRCH);
}

static void
nicer(void)
{
	checkeq(getpriority(PRIO_PROCESS, 0), 7);
}

static void
sched_nice(void)
{
	if (!quire && getpriority(PRIO_PROCESS, 0) != 0)
		skip("run by somebody nice");
	checkeq(getpriority(PRIO_PROCESS, 0), 0);
	checkeq(syscall(SYS_getpriority, PRIO_PROCESS, 0), 20);
	checkeq(setpriority(PRIO_PROCESS, 0, 3), 0);
	checkeq(getpriority(PRIO_PROCESS, getpid()), 3);
	checkeq(nice(4), 7);
	child(nicer);
	checkeq(setpriority(PRIO_PROCESS, 0, 1000), 0);
	checkeq(getpriority(PRIO_PROCESS, 0), 19);
	checkeq(nice(1000), 19);
	errno = 0;
	checkerr(getpriority(3, 0), EINVAL);
	checkerr(setpriority(-1, 0, 0), EINVAL);
	checkerr(getpriority(PRIO_PROCESS, 99999), ESRCH);
	checkerr(setpriority(PRIO_PROCESS, 99999, 0), ESRCH);
	checkerr(getpriority(PRIO_USER, 54321), ESRCH);
}

/* RLIMIT_NICE is how far a user may go back: 25 stands for -5. */
static void
sched_nice_limit(void)
{
	struct rlimit lim = {25, 25};

	if (setrlimit(RLIMIT_NICE, &lim) < 0 && !quire)
		skip("may not raise limits");
	must(setuid(99) == 0);
	checkeq(setpriority(PRIO_PROCESS, 0, 3), 0);
	checkeq(setpriority(PRIO_PROCESS, 0, -5), 0);
	checkerr(setpriority(PRIO_PROCESS, 0, -6), EACCES);
	checkerr(syscall(SYS_nice, -1), EPERM);
	checkeq(getpriority(PRIO_PROCESS, 0), -5);
}

/* A number of /proc/stat. */
static unsigned long
statline(const char *name)
{
	char line[256], word[64];
	unsigned long n = 0, v;
	FILE *f = fopen("/proc/stat", "r");

	must(f != 0);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %lu", word, &v) == 2 &&
			strcmp(word, name) == 0)
			n = v;
	fclose(f);
	return n;
}

/* Both go on counting those that have ended, also where nobody waits for
 * them. */
static void
sched_stat_counts_the_gone(void)
{
	unsigned long forks = statline("processes"), ctxt = statline("ctxt");
	int i, pid;

	signal(SIGCHLD, SIG_IGN);
	for (i = 0; i < 10; i++) {
		pid = fork();
		must(pid >= 0);
		if (pid == 0)
			_exit(0);
		checkerr(waitpid(pid, 0, 0), ECHILD); /* once it has ended */
	}
	signal(SIGCHLD, SIG_DFL);
	check(statline("processes") - forks >= 10);
	check(statline("ctxt") - ctxt >= 10);
}

const struct test t_sched[] = {
	T(sched_affinity_errors),
	T(sched_affinity_of_self),
	T(sched_affinity_of_others),
	T(sched_shares_of_equals),
	T(sched_shares_by_nice),
	T(sched_shares_of_the_nicest),
	T(sched_yield_lets_others_run),
	T(sched_hogs_spread),
	T(sched_woken_runs_at_once),
	T(sched_long_calls_are_preempted),
	T(sched_policies),
	T(sched_priority_ranges),
	T(sched_nice),
	T(sched_nice_limit),
	T(sched_stat_counts_the_gone),
	{0},
};
