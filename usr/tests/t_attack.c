/*
 * t_attack.c - one process does its worst, another wants to sleep a
 * millisecond.  Only for Quire, only when asked for: `t attack`.
 *
 * Each attack runs as a user without rights for SPAN ms, in as many processes
 * as it likes, while a sleeper notes how late it woke; then all are killed and
 * must be gone within PATIENCE.  The kernel must live, nobody may be kept from
 * running for long, and all memory must come back (run.c compares).  How late
 * the sleeper was is printed; the bound is loose, for the host may be busy.
 */
#include "t.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>

#define SPAN     1500  /* ms of one attack */
#define PATIENCE 20000 /* ms until all are gone */
#define LATE     20000 /* ms that the sleeper may be late */
#define THREAD   (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | \
		  CLONE_THREAD | CLONE_SYSVSEM)

static volatile int *alive; /* attackers look, and end */

static void
sleeper(volatile int *worst)
{
	struct timespec ms = {0, 1000000}, t0, t1;
	int late;

	for (;;) {
		clock_gettime(CLOCK_MONOTONIC, &t0);
		nanosleep(&ms, 0);
		clock_gettime(CLOCK_MONOTONIC, &t1);
		late = (t1.tv_sec - t0.tv_sec) * 1000000 +
			(t1.tv_nsec - t0.tv_nsec) / 1000 - 1000;
		if (late > *worst)
			*worst = late;
	}
}

/* Processes after pid that are left, having killed them. */
static int
left(int from, int but)
{
	int pid, n = 0;

	for (pid = from + 1; pid < 32768; pid++)
		if (pid != but && kill(pid, SIGKILL) == 0)
			n++;
	while (waitpid(-1, 0, WNOHANG) > 0)
		;
	return n;
}

static void
attack(const char *name, void (*fn)(void), int uid)
{
	volatile int *shared;
	int slp, pg, me = getpid(), n;
	long long end;

	if (!quire)
		skip("the host is not ours to harm");
	shared = mmap(0, PG, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(shared != MAP_FAILED);
	alive = shared + 1;
	*alive = 1;
	slp = fork();
	if (slp == 0)
		sleeper(shared);
	pg = fork();
	if (pg == 0) {
		setpgid(0, 0);
		if (uid && (setgid(uid) < 0 || setuid(uid) < 0))
			_exit(1);
		fn();
		_exit(0);
	}
	msleep(SPAN);
	*alive = 0;
	end = nowms() + PATIENCE;
	n = *shared;
	kill(-pg, SIGKILL);
	dprintf(1, "# %s: late %d us, killed after %lld ms\n", name, n,
		nowms() - end + PATIENCE);
	while ((n = left(me, slp)) > 0 && nowms() < end)
		msleep(5);
	checkeq(n, 0);
	dprintf(1, "# %s: late %d us, gone after %lld ms\n", name, *shared,
		nowms() - end + PATIENCE);
	checkrange(*shared, 0, LATE * 1000);
	kill(slp, SIGKILL);
	while (waitpid(-1, 0, 0) > 0)
		;
	munmap((void *)shared, PG);
}
#define ATTACK(fn) static void attack_##fn(void) { attack(#fn, fn, 1000); }

static void
forever(void)
{
	for (;;)
		pause();
}

/* n threads that run fn; how many came. */
static int
threads(int n, int (*fn)(void *))
{
	char *s;
	int i;

	for (i = 0; i < n; i++) {
		s = mmap(0, 2 * PG, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (s == MAP_FAILED)
			break;
		if (clone(fn, s + 2 * PG, THREAD, (void *)i) < 0)
			break;
	}
	return i;
}

static void
forkbomb(void)
{
	for (;;)
		if (int80(SYS_fork, 0, 0, 0) < 0)
			int80(SYS_sched_yield, 0, 0, 0);
}
ATTACK(forkbomb)

static void
vforkbomb(void)
{
	int80(SYS_fork, 0, 0, 0);
	int80(SYS_fork, 0, 0, 0);
	for (;;)
		int80(SYS_clone, CLONE_VFORK | SIGCHLD, 0, 0);
}
ATTACK(vforkbomb)

static int __attribute__((noreturn))
sleeps(void *arg)
{
	(void)arg;
	for (;;)
		int80(SYS_pause, 0, 0, 0);
}

static void
threadbomb(void)
{
	threads(100000, sleeps);
	forever();
}
ATTACK(threadbomb)

static int
ends(void *arg)
{
	(void)arg;
	int80(SYS_exit, 0, 0, 0);
	return 0;
}

static void
threadstorm(void)
{
	fork();
	fork();
	for (;;) {
		char *s = mmap(0, 2 * PG, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (s == MAP_FAILED)
			execl("/proc/self/exe", "t", "--exit", (char *)0);
		else
			clone(ends, s + 2 * PG, THREAD, 0);
	}
}
ATTACK(threadstorm)

static void
nothing(int sig)
{
	(void)sig;
}

static void
timers(void)
{
	struct itimerspec it = {{0, 1}, {0, 1}};
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL};
	timer_t id;
	int i;

	for (i = 0; i < 7; i++)
		fork();
	for (i = SIGRTMIN; i <= SIGRTMAX; i++)
		signal(i, i % 4 ? SIG_IGN : nothing);
	for (i = 0; i < 2000; i++) {
		ev.sigev_signo = SIGRTMIN + i % 20;
		if (timer_create(CLOCK_MONOTONIC, &ev, &id) == 0)
			timer_settime(id, 0, &it, 0);
	}
	forever();
}
ATTACK(timers)

static void
timerfds(void)
{
	struct itimerspec it = {{0, 1}, {0, 1}};
	int i, fd;
	struct rlimit r;

	getrlimit(RLIMIT_NOFILE, &r);
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
	for (i = 0; i < 3; i++)
		fork();
	while ((fd = timerfd_create(CLOCK_MONOTONIC, 0)) >= 0)
		timerfd_settime(fd, 0, &it, 0);
	for (;;)
		for (i = 3; i < 1000; i++)
			timerfd_settime(i, 0, &it, 0);
}
ATTACK(timerfds)

static void
watches(void)
{
	struct epoll_event e = {.events = EPOLLIN};
	int i, ep, ev = eventfd(0, EFD_NONBLOCK);
	uint64_t v = 1;
	struct rlimit r;

	getrlimit(RLIMIT_NOFILE, &r);
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
	for (i = 0; i < 5; i++)
		fork();
	while ((ep = epoll_create1(0)) >= 0)
		epoll_ctl(ep, EPOLL_CTL_ADD, ev, &e);
	for (;;)
		if (write(ev, &v, 8) < 0)
			(void)!read(ev, &v, 8);
}
ATTACK(watches)

static int
sendfd(int s, int fd)
{
	char c = 0, buf[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {&c, 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = buf, .msg_controllen = sizeof buf};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(h), &fd, sizeof fd);
	return sendmsg(s, &m, MSG_DONTWAIT);
}

/* Each pair of sockets in a message of the next; then let go of the last. */
static void
nest(void)
{
	int i, s[2], prev = -1;

	for (i = 0; i < 20000 && *alive; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0)
			break;
		if (prev >= 0 && sendfd(s[0], prev) < 0)
			break;
		if (prev >= 0)
			close(prev);
		if (i % 3)
			sendfd(s[1], s[1]); /* a circle */
		close(s[0]);
		prev = s[1];
	}
	close(prev);
	close(s[0]);
	close(s[1]);
}

static void
nested(void)
{
	fork();
	fork();
	for (;;)
		nest();
}
ATTACK(nested)

static void
signals(void)
{
	union sigval v = {0};
	sigset_t all;
	int i;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, 0);
	for (i = 0; i < 6; i++)
		fork();
	for (;;) {
		for (i = 0; i < 30; i++)
			sigqueue(getpid(), SIGRTMIN + i, v);
		kill(-1, SIGUSR1);
	}
}
ATTACK(signals)

static int word;

static int __attribute__((noreturn))
waits(void *arg)
{
	(void)arg;
	for (;;)
		int80(SYS_futex, (long)&word, FUTEX_WAIT_PRIVATE, 0);
}

static void
futexes(void)
{
	fork();
	threads(1500, waits);
	for (;;) {
		syscall(SYS_futex, &word, FUTEX_REQUEUE_PRIVATE, 0, INT_MAX,
			&word + 1, 0);
		int80(SYS_futex, (long)(&word + 1), FUTEX_WAKE_PRIVATE,
			INT_MAX);
	}
}
ATTACK(futexes)

static int pfd[2];

static int __attribute__((noreturn))
reads(void *arg)
{
	(void)arg;
	for (;;)
		int80(SYS_read, pfd[0], (long)&word, 1);
}

static void
herd(void)
{
	(void)!pipe(pfd);
	threads(1500, reads);
	for (;;)
		int80(SYS_write, pfd[1], (long)&word, 1);
}
ATTACK(herd)

static void
bigmaps(void)
{
	char *p;
	long i, n = 24 << 20;

	fork();
	for (;;) {
		p = mmap(0, 1 << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		for (i = 0; i < n; i += PG)
			p[i] = 1;
		mprotect(p, 1 << 30, PROT_READ);
		if (int80(SYS_fork, 0, 0, 0) == 0)
			int80(SYS_exit, 0, 0, 0);
		while (waitpid(-1, 0, WNOHANG) > 0)
			;
		mremap(p, 1 << 30, (1 << 30) + PG, MREMAP_MAYMOVE);
		madvise(p, 1 << 30, MADV_DONTNEED);
		munmap(p, 1 << 30);
	}
}
ATTACK(bigmaps)

static void
manymaps(void)
{
	char *p = mmap(0, 1 << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		MAP_NORESERVE, -1, 0), buf[PG];
	long i;
	int fd;

	for (i = 0; i < 1 << 30; i += 2 * PG)
		if (mprotect(p + i, PG, PROT_READ) < 0)
			break;
	for (;;) {
		if (int80(SYS_fork, 0, 0, 0) == 0)
			int80(SYS_exit, 0, 0, 0);
		fd = open("/proc/self/maps", O_RDONLY);
		while (fd >= 0 && read(fd, buf, sizeof buf) > 0)
			;
		close(fd);
		while (waitpid(-1, 0, WNOHANG) > 0)
			;
	}
}
ATTACK(manymaps)

static void
longcalls(void)
{
	char *p = mmap(0, 1 << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int zero = open("/dev/zero", O_RDWR), null = open("/dev/null", O_RDWR);
	int fd = open("/tmp/attack", O_RDWR | O_CREAT | O_TRUNC, 0666), i;
	static struct iovec v[1024];

	unlink("/tmp/attack");
	for (i = 0; i < 1024; i++)
		v[i] = (struct iovec){p, 1 << 20};
	fork();
	fork();
	for (;;) {
		int80(SYS_getrandom, (long)p, 4 << 20, 0);
		readv(zero, v, 1024);
		writev(null, v, 1024);
		(void)!ftruncate(fd, 0x7fffffff);
		sendfile(null, fd, 0, 0x7fffffff);
		(void)!ftruncate(fd, 0);
		(void)!pwrite(fd, p, 1 << 20, 0x10000000);
	}
}
ATTACK(longcalls)

static char *bigargs[2000];

static int __attribute__((noreturn))
execs(void *arg)
{
	(void)arg;
	for (;;)
		int80(SYS_execve, (long)"/proc/self/nothing", (long)bigargs, 0),
		int80(SYS_execve, (long)exepath, (long)bigargs, 0);
}

static void
bigexec(void)
{
	static char big[100000];
	int i, n;

	memset(big, 'x', sizeof big - 1);
	for (n = 0; n < 20; n++)
		bigargs[n] = big;
	bigargs[0] = "t";
	bigargs[1] = "--exit";
	while (*alive) {
		if (fork() == 0) {
			for (i = 0; i < 8; i++)
				threads(1, execs);
			execs(0);
		}
		while (waitpid(-1, 0, WNOHANG) > 0)
			;
	}
}
ATTACK(bigexec)

static void
sparsecore(void)
{
	struct rlimit r = {RLIM_INFINITY, RLIM_INFINITY};
	char *p;
	int i;

	(void)!mkdir("/tmp/cores", 0777);
	(void)!chdir("/tmp/cores");
	setrlimit(RLIMIT_CORE, &r);
	while (*alive) {
		if (fork() == 0) {
			p = mmap(0, 1u << 30, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
				-1, 0);
			for (i = 0; i < 1 << 30; i += 64 << 20)
				p[i] = 1;
			threads(20, sleeps);
			abort();
		}
		wait(0);
		unlink("core");
	}
	unlink("core");
}
ATTACK(sparsecore)

static void
zombies(void)
{
	int i;

	for (i = 0; i < 3000; i++)
		if (int80(SYS_fork, 0, 0, 0) == 0)
			int80(SYS_exit, 0, 0, 0);
	for (;;) {
		waitid(P_PGID, 99999, 0, WEXITED | WNOHANG);
		waitid(P_ALL, 0, 0, WSTOPPED | WNOHANG);
		kill(-1, 0);
		setpgid(0, 0);
	}
}
ATTACK(zombies)

static void
procfiles(void)
{
	static const char *const names[] = {"/proc/vmcheck", "/proc/lockstat",
		"/proc/meminfo", "/proc/vmstat", "/proc/buddyinfo",
		"/proc/slabinfo", "/proc/self/smaps", "/proc/1/stat",
		"/proc/stat", "/proc/mounts", "/proc/self/pagemap"};
	char buf[PG];
	int i, fd;

	for (i = 0; i < 3; i++)
		fork();
	for (i = 0;; i = (i + 1) % NUM(names)) {
		fd = open(names[i], O_RDWR);
		if (fd < 0)
			fd = open(names[i], O_RDONLY);
		while (fd >= 0 && read(fd, buf, sizeof buf) > 0)
			;
		(void)!write(fd, buf, 64);
		close(fd);
	}
}
ATTACK(procfiles)

const struct test t_attack[] = {
	T(attack_forkbomb),
	T(attack_vforkbomb),
	T(attack_threadbomb),
	T(attack_threadstorm),
	T(attack_timers),
	T(attack_timerfds),
	T(attack_watches),
	T(attack_nested),
	T(attack_signals),
	T(attack_futexes),
	T(attack_herd),
	T(attack_bigmaps),
	T(attack_manymaps),
	T(attack_longcalls),
	T(attack_bigexec),
	T(attack_sparsecore),
	T(attack_zombies),
	T(attack_procfiles),
	{0},
};
