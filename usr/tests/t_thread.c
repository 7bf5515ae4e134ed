/*
 * t_thread.c - threads: what they share and what not, how they and their
 * process end, what wait, signals and execve make of them.
 *
 * Most use pthreads; where flags and ids are looked at, clone itself.
 */
#include "t.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

#define THREAD \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | \
		CLONE_SYSVSEM)
#define MANY 200

static char stack[64 << 10];
static volatile int word, other, tid;

static pthread_t
start(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	must(pthread_create(&t, 0, fn, arg) == 0);
	return t;
}

static void
join(pthread_t t)
{
	must(pthread_join(t, 0) == 0);
}

/* Wait until *p is no longer v. */
static void
await(volatile int *p, int v)
{
	while (*p == v)
		syscall(SYS_futex, p, FUTEX_WAIT, v, 0, 0, 0);
}

static void
put(volatile int *p, int v)
{
	*p = v;
	syscall(SYS_futex, p, FUTEX_WAKE, INT_MAX, 0, 0, 0);
}

static volatile int hit;

static void
onhit(int sig)
{
	(void)sig;
	hit = gettid();
	put(&word, 1);
}

static void *
sleeper(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return 0;
}

/* A word that children share. */
static volatile int *
sharedwords(void)
{
	void *p = mmap(0, PG, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED);
	return p;
}

/* Field n (1 is the state) behind the name in /proc/PID/task/TID/stat, or of
 * the process with t 0: a number, or the state's letter; -1: there is no
 * file. */
static long
stat_(int pid, int t, int n)
{
	char name[64], buf[512], *p;
	int fd, r;

	if (t)
		snprintf(name, sizeof(name), "/proc/%d/task/%d/stat", pid, t);
	else
		snprintf(name, sizeof(name), "/proc/%d/stat", pid);
	fd = open(name, O_RDONLY);
	if (fd < 0)
		return -1;
	r = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (r <= 0)
		return -1;
	buf[r] = 0;
	p = strrchr(buf, ')') + 2;
	if (n == 1)
		return *p;
	while (--n > 0)
		p = strchr(p, ' ') + 1;
	return atol(p);
}

#define NTHREADS 18 /* num_threads */

static int
tasks(int pid)
{
	struct dirent *e;
	char name[32];
	int n = 0;
	DIR *d;

	snprintf(name, sizeof(name), "/proc/%d/task", pid);
	d = opendir(name);
	must(d);
	while ((e = readdir(d)) != 0)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

/* Wait until only n threads are left: one that is joined may still be there. */
static void
awaittasks(int n)
{
	while (tasks(getpid()) != n)
		sched_yield();
}

static void *
ids(void *arg)
{
	int *parent = arg;

	checkeq(getpid(), parent[0]);
	checkeq(getppid(), parent[1]);
	checkeq(getpgrp(), parent[2]);
	checkeq(getsid(0), parent[3]);
	check(gettid() != parent[0]);
	checkeq(getpgid(gettid()), parent[2]);
	word++;
	tid = gettid();
	return 0;
}

static void
thread_ids(void)
{
	int parent[4] = {getpid(), getppid(), getpgrp(), getsid(0)}, first;

	checkeq(gettid(), getpid());
	join(start(ids, parent));
	first = tid;
	join(start(ids, parent));
	checkeq(word, 2);
	check(first != tid);
	checkeq(syscall(SYS_set_tid_address, &word), getpid());
}

static int
noop(void *arg)
{
	(void)arg;
	return 0;
}

static int
rawids(void *arg)
{
	(void)arg;
	await(&word, 0);
	other = int80(SYS_gettid, 0, 0, 0) == tid;
	int80(SYS_exit, 0, 0, 0);
	return 0;
}

static void
thread_clone(void)
{
	volatile int ptid = 0, ctid = 1;
	int r;

	r = clone(rawids, stack + sizeof(stack), THREAD | CLONE_PARENT_SETTID |
		CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_DETACHED, 0,
		&ptid, 0, &ctid);
	must(r > 0);
	checkeq(ptid, r);
	while (ctid == 1)
		sched_yield();
	checkeq(ctid, r);
	tid = r;
	checkerr(waitpid(r, 0, __WALL), ECHILD);
	checkerr(syscall(SYS_setpgid, r, 0), EINVAL);
	put(&word, 1);
	await(&ctid, r);
	checkeq(ctid, 0);
	checkeq(other, 1);
	awaittasks(1);
	checkerr(syscall(SYS_tkill, r, 0), ESRCH);
}

static void
thread_clone_flags(void)
{
	char *sp = stack + sizeof(stack);

	checkerr(clone(noop, sp, THREAD & ~CLONE_SIGHAND, 0), EINVAL);
	checkerr(clone(noop, sp, THREAD & ~CLONE_VM, 0), EINVAL);
	checkerr(clone(noop, sp, CLONE_THREAD, 0), EINVAL);
	checkerr(clone(noop, sp, CLONE_SIGHAND | SIGCHLD, 0), EINVAL);
	checkerr(clone(noop, sp, THREAD | CLONE_SETTLS, 0, 0, 1, 0), EFAULT);
	checkeq(tasks(getpid()), 1);
}

struct args { /* struct clone_args with room behind it */
	uint64_t flags, pidfd, ctid, ptid, exitsignal, stack, size, tls;
	uint64_t settid, settidsize, cgroup, more[2];
};

static int
clone3(struct args *a, long size)
{
	int r = syscall(SYS_clone3, a, size);

	if (r == 0)
		_exit(0);
	return r;
}

static void
thread_clone3(void)
{
	static struct args page[PG / sizeof(struct args) + 2];
	struct args a = {.exitsignal = SIGCHLD}, b;

	if (syscall(SYS_clone3, 0, 0) < 0 && errno == ENOSYS)
		skip("no clone3");
	checkerr(clone3(&a, 63), EINVAL);
	checkerr(clone3(page, PG + 1), E2BIG);
	checkerr(clone3((void *)16, 64), EFAULT);
	reaped(clone3(&a, 64));
	reaped(clone3(&a, 88));
	reaped(clone3(&a, sizeof(a)));
	b = a;
	b.more[1] = 1;
	checkerr(clone3(&b, sizeof(b)), E2BIG);
	reaped(clone3(&b, sizeof(b) - 8));
	b = a;
	b.exitsignal = 65;
	checkerr(clone3(&b, 88), EINVAL);
	b = a;
	b.flags = SIGCHLD;
	checkerr(clone3(&b, 88), EINVAL);
	b = a;
	b.flags = CLONE_DETACHED;
	checkerr(clone3(&b, 88), EINVAL);
	b = a;
	b.flags = THREAD;
	checkerr(clone3(&b, 88), EINVAL);
	b = a;
	b.flags = 1ull << 40;
	checkerr(clone3(&b, 88), EINVAL);
	b = a;
	b.stack = (uintptr_t)stack;
	checkerr(clone3(&b, 88), EINVAL);
	b = a;
	b.size = sizeof(stack);
	checkerr(clone3(&b, 88), EINVAL);
	b = a;
	b.stack = 0xfffff000;
	b.size = 0x2000;
	if (quire) /* a kernel of 64 bits has room there */
		checkerr(clone3(&b, 88), EINVAL);
}

/* CLONE_CLEAR_SIGHAND: handlers are gone, what was ignored stays. */
static void
thread_clone3_handlers(void)
{
	struct args a = {.flags = 1ull << 32, .exitsignal = SIGCHLD};
	struct sigaction sa;
	int pid;

	signal(SIGUSR1, onhit);
	signal(SIGUSR2, SIG_IGN);
	pid = syscall(SYS_clone3, &a, sizeof(a));
	if (pid < 0 && errno == ENOSYS)
		skip("no clone3");
	must(pid >= 0);
	if (pid == 0) {
		sigaction(SIGUSR1, 0, &sa);
		check(sa.sa_handler == SIG_DFL);
		sigaction(SIGUSR2, 0, &sa);
		check(sa.sa_handler == SIG_IGN);
		finish();
	}
	reaped(pid);
}

/* Ends when the leader is a zombie, with 5. */
static void *
survivor(void *arg)
{
	(void)arg;
	while (stat_(getpid(), getpid(), 1) != 'Z')
		sched_yield();
	checkeq(tasks(getpid()), 2);
	checkeq(stat_(getpid(), 0, NTHREADS), 2);
	checkeq(getppid(), word);
	syscall(SYS_exit, 5);
	return 0;
}

static void
leaderfirst(void)
{
	start(survivor, 0);
	syscall(SYS_exit, 3);
}

static void
thread_leader_first(void)
{
	word = getpid();
	checkeq(status(leaderfirst), 5 << 8);
}

static void *
exitsgroup(void *arg)
{
	(void)arg;
	while (stat_(getpid(), getpid(), 1) != 'S')
		sched_yield();
	syscall(SYS_exit_group, 7);
	return 0;
}

static void
groupexit(void)
{
	for (int i = 0; i < 5; i++)
		start(sleeper, 0);
	start(exitsgroup, 0);
	pause();
}

static void
thread_exit_group(void)
{
	checkeq(status(groupexit), 7 << 8);
}

static void *
spins(void *arg)
{
	(void)arg;
	for (;;)
		word++;
	return 0;
}

static void *
faults(void *arg)
{
	while (stat_(getpid(), getpid(), 1) != 'S')
		sched_yield();
	*(volatile int *)arg = 1;
	return 0;
}

static void
fatal(void)
{
	start(sleeper, 0);
	start(spins, 0);
	start(faults, (void *)16);
	pause();
}

static void *
killsself(void *arg)
{
	(void)arg;
	syscall(SYS_tgkill, getpid(), gettid(), SIGTERM);
	return sleeper(0);
}

static void
fatalthread(void)
{
	start(spins, 0);
	start(killsself, 0);
	pause();
}

static void
thread_fatal_signal(void)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	checkdeath(fatal, SIGSEGV);
	checkdeath(fatalthread, SIGTERM);
}

static void *
execs(void *arg)
{
	char pid[12];

	snprintf(pid, sizeof(pid), "%d", getpid());
	if (arg)
		pthread_barrier_wait(arg);
	execl(exepath, "t", "--alone", pid, (char *)0);
	return sleeper(0); /* another was faster, or it is an error: alarm */
}

/* The new program has the pid, and no other thread. */
static void
execthread(void)
{
	alarm(30);
	start(sleeper, 0);
	start(spins, 0);
	start(execs, 0);
	pause();
}

static void
execleader(void)
{
	start(sleeper, 0);
	start(spins, 0);
	execs(0);
}

static void *
leaves(void *arg)
{
	execs(arg);
	return 0;
}

static void
execafterleader(void)
{
	pthread_barrier_t b;

	pthread_barrier_init(&b, 0, 2);
	start(leaves, &b);
	pthread_barrier_wait(&b);
	syscall(SYS_exit, 9);
}

static long long
cputime(void)
{
	struct timespec t;

	must(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void
execafterwork(void)
{
	while (cputime() < 150)
		;
	execafterleader();
}

/* What the leader had used stays on the process's account. */
static void
thread_exec_keeps_account(void)
{
	struct rusage ru;
	int st, pid = fork();

	if (pid == 0)
		execafterwork();
	must(wait4(pid, &st, 0, &ru) == pid);
	checkeq(st, 0);
	checkrange((ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000 +
			(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1000,
		140, 60000);
}

static void
exectwice(void)
{
	static pthread_barrier_t b;

	alarm(30);
	pthread_barrier_init(&b, 0, 3);
	start(execs, &b);
	start(execs, &b);
	execs(&b);
}

static void
thread_exec(void)
{
	checkeq(status(execleader), 0);
	checkeq(status(execthread), 0);
	checkeq(status(execafterleader), 0);
	for (int i = 0; i < 10; i++)
		checkeq(status(exectwice), 0);
}

static void *
execfails(void *arg)
{
	(void)arg;
	checkerr(execl("/nowhere", "x", (char *)0), ENOENT);
	checkerr(execl("/", "x", (char *)0), EACCES);
	return 0;
}

/* execve that fails leaves the other threads alone. */
static void
thread_exec_fails(void)
{
	start(sleeper, 0);
	join(start(execfails, 0));
	awaittasks(2);
}

static void *
forks(void *arg)
{
	int pid = fork();

	if (pid == 0) {
		checkeq(gettid(), getpid());
		checkeq(tasks(getpid()), 1);
		check(getppid() == *(int *)arg);
		finish();
	}
	reaped(pid);
	return 0;
}

static void
thread_fork(void)
{
	int pid = getpid();

	start(sleeper, 0);
	start(spins, 0);
	join(start(forks, &pid));
	awaittasks(3);
}

static void *
vforks(void *arg)
{
	int st, pid;

	(void)arg;
	pid = vfork();
	if (pid == 0) {
		execl(exepath, "t", "--exit", (char *)0);
		_exit(9);
	}
	must(pid > 0 && waitpid(pid, &st, 0) == pid);
	checkeq(st, 0);
	return 0;
}

static void
thread_vfork(void)
{
	start(spins, 0);
	join(start(vforks, 0));
}

static void *
waits(void *arg)
{
	int pid = *(int *)arg;

	checkerr(waitpid(pid, 0, WNOHANG | __WNOTHREAD), ECHILD);
	reaped(pid);
	return 0;
}

static void *
makes(void *arg)
{
	volatile int *w = arg;
	int pid = fork();

	if (pid == 0) {
		await(w + 1, 0);
		_exit(0);
	}
	w[0] = pid;
	return 0;
}

/* Children are the process's; those of a thread that has ended become another
 * thread's. */
static void
thread_wait(void)
{
	volatile int *w = sharedwords();
	int pid = fork();

	if (pid == 0)
		_exit(0);
	join(start(waits, &pid));
	join(start(makes, (void *)w));
	must(w[0] > 0);
	awaittasks(1);
	checkeq(waitpid(w[0], 0, WNOHANG | __WNOTHREAD), 0);
	put(w + 1, 1);
	checkeq(waitpid(w[0], 0, __WNOTHREAD), w[0]);
}

static void *
adopts(void *arg)
{
	volatile int *w = arg;
	int pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		put(w, 1);
		for (;;)
			pause();
	}
	await(w, 0);
	w[1] = pid;
	return 0;
}

/* The signal of the parent's death is that of its thread's. */
static void
thread_pdeathsig(void)
{
	volatile int *w = sharedwords();
	int st;

	join(start(adopts, (void *)w));
	must(waitpid(w[1], &st, 0) == w[1]);
	checkeq(st, SIGTERM);
}

static void *
counts(void *arg)
{
	volatile int *p = arg;

	for (;;)
		++*p;
	return 0;
}

static volatile int *counter;

static void
counting(void)
{
	start(counts, (void *)(counter + 1));
	start(counts, (void *)(counter + 2));
	start(sleeper, 0);
	counts((void *)counter);
}

/* All numbers go up. */
static void
awaitcounts(void)
{
	int i, was[3];

	for (i = 0; i < 3; i++)
		was[i] = counter[i];
	for (i = 0; i < 3; i++)
		while (counter[i] == was[i])
			sched_yield();
}

static volatile sig_atomic_t nchld;

static void
onchld(int sig)
{
	(void)sig;
	nchld++;
}

/* A stop stops all threads, and is told once; so is going on. */
static void
thread_stop(void)
{
	int pid, st, i, was[3];

	counter = sharedwords();
	signal(SIGCHLD, onchld);
	if ((pid = fork()) == 0)
		counting();
	awaitcounts();
	kill(pid, SIGSTOP);
	must(waitpid(pid, &st, WUNTRACED) == pid);
	checkeq(st, SIGSTOP << 8 | 0x7f);
	checkeq(nchld, 1);
	checkeq(stat_(pid, pid, 1), 'T');
	for (i = 0; i < 3; i++)
		was[i] = counter[i];
	msleep(50);
	for (i = 0; i < 3; i++)
		checkeq(counter[i], was[i]);
	checkeq(waitpid(pid, &st, WUNTRACED | WCONTINUED | WNOHANG), 0);
	kill(pid, SIGCONT);
	must(waitpid(pid, &st, WCONTINUED) == pid);
	checkeq(st, 0xffff);
	while (nchld != 2)
		sched_yield();
	awaitcounts();
	checkeq(waitpid(pid, &st, WUNTRACED | WCONTINUED | WNOHANG), 0);
	kill(pid, SIGSTOP);
	must(waitpid(pid, &st, WUNTRACED) == pid);
	kill(pid, SIGKILL);
	must(waitpid(pid, &st, 0) == pid);
	checkeq(st, SIGKILL);
}

static void *
waitshit(void *arg)
{
	sigset_t none;

	(void)arg;
	sigemptyset(&none);
	put(&tid, gettid());
	while (!hit)
		sigsuspend(&none);
	return 0;
}

static void
block(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	pthread_sigmask(SIG_BLOCK, &set, 0);
}

static void
thread_tgkill(void)
{
	pthread_t t;

	signal(SIGUSR1, onhit);
	block(SIGUSR1); /* the thread, too, but while it waits */
	t = start(waitshit, 0);
	await(&tid, 0);
	checkerr(syscall(SYS_tgkill, getpid() + 1, tid, SIGUSR1), ESRCH);
	checkerr(syscall(SYS_tgkill, tid, tid, SIGUSR1), ESRCH);
	checkerr(syscall(SYS_tgkill, 0, tid, SIGUSR1), EINVAL);
	checkerr(syscall(SYS_tgkill, getpid(), 0, SIGUSR1), EINVAL);
	checkerr(syscall(SYS_tgkill, getpid(), tid, 65), EINVAL);
	checkeq(syscall(SYS_tgkill, getpid(), tid, 0), 0);
	checkeq(hit, 0);
	checkeq(syscall(SYS_tgkill, getpid(), tid, SIGUSR1), 0);
	join(t);
	checkeq(hit, tid);
}

/* A signal to the process goes to a thread that does not block it, even if its
 * id is that of another; and a thread's own signals are its own. */
static void
thread_process_signal(void)
{
	sigset_t set;
	pthread_t t;

	signal(SIGUSR1, onhit);
	block(SIGUSR1);
	t = start(waitshit, 0);
	await(&tid, 0);
	checkeq(kill(getpid(), SIGUSR1), 0);
	join(t);
	checkeq(hit, tid);
	syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
	checkeq(sigpending(&set), 0);
	checkeq(sigismember(&set, SIGUSR1), 1);
}

static void *
unblocks(void *arg)
{
	sigset_t set;

	(void)arg;
	checkeq(sigpending(&set), 0);
	checkeq(sigismember(&set, SIGUSR1), 1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_UNBLOCK, &set, 0);
	checkeq(hit, gettid());
	return 0;
}

/* Blocked by all, it waits for the one that unblocks it, once. */
static void
thread_shared_pending(void)
{
	sigset_t set;

	signal(SIGUSR1, onhit);
	block(SIGUSR1);
	kill(getpid(), SIGUSR1);
	join(start(unblocks, 0));
	checkeq(sigpending(&set), 0);
	checkeq(sigismember(&set, SIGUSR1), 0);
}

static void *
waitssignal(void *arg)
{
	siginfo_t info;
	sigset_t set;

	(void)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	while (sigwaitinfo(&set, &info) < 0)
		must(errno == EINTR); /* on Linux: the other got it */
	checkeq(info.si_signo, SIGUSR1);
	checkeq(info.si_value.sival_int, 77);
	put(&word, 1);
	return 0;
}

static void
thread_sigwait(void)
{
	pthread_t a, b;

	block(SIGUSR1);
	a = start(waitssignal, 0);
	b = start(waitssignal, 0);
	sigqueue(getpid(), SIGUSR1, (union sigval){77});
	await(&word, 0);
	sigqueue(getpid(), SIGUSR1, (union sigval){77});
	join(a);
	join(b);
}

static void *
quits(void *arg)
{
	sigset_t none;

	(void)arg;
	sigemptyset(&none);
	put(&other, 1);
	pthread_sigmask(SIG_SETMASK, &none, 0);
	syscall(SYS_exit, 0);
	return 0;
}

/* The thread that was to take a signal ends: another takes it. */
static void
thread_signal_exit(void)
{
	pthread_t t;
	int i;

	signal(SIGUSR1, onhit);
	block(SIGUSR1);
	for (i = 0; i < 100; i++) {
		hit = tid = word = other = 0;
		t = start(waitshit, 0);
		await(&tid, 0);
		start(quits, 0);
		await(&other, 0);
		kill(getpid(), SIGUSR1);
		await(&word, 0);
		syscall(SYS_tgkill, getpid(), tid, SIGUSR1);
		join(t);
		awaittasks(1);
	}
}

static void
onhup(int sig)
{
	(void)sig;
	await(&word, 0);
	put(&other, 1);
}

static void *
sendsboth(void *arg)
{
	(void)arg;
	syscall(SYS_tgkill, getpid(), getpid(), SIGHUP);
	kill(getpid(), SIGUSR1);
	return 0;
}

/* A thread that was to take a signal of the process takes another first, whose
 * handler blocks it: a third takes it. */
static void
thread_signal_blocked(void)
{
	struct sigaction sa = {.sa_handler = onhup};
	sigset_t none;
	pthread_t t, s;
	int i;

	sigemptyset(&none);
	sigaddset(&sa.sa_mask, SIGUSR1);
	sigaction(SIGHUP, &sa, 0);
	signal(SIGUSR1, onhit);
	block(SIGUSR1);
	block(SIGHUP);
	for (i = 0; i < 50; i++) {
		hit = tid = word = other = 0;
		t = start(waitshit, 0);
		await(&tid, 0);
		s = start(sendsboth, 0);
		while (!other)
			sigsuspend(&none);
		join(s);
		join(t);
		checkeq(hit, tid);
	}
}

static void
comm(int t, char *buf, int writing)
{
	char name[64];
	int fd, n;

	snprintf(name, sizeof(name), "/proc/self/task/%d/comm", t);
	fd = open(name, writing ? O_WRONLY : O_RDONLY);
	must(fd >= 0);
	n = writing ? write(fd, buf, strlen(buf)) : read(fd, buf, 40);
	must(n > 0);
	if (!writing)
		buf[n] = 0;
	close(fd);
}

static void *
named(void *arg)
{
	char buf[64], *mine = arg;

	prctl(PR_SET_NAME, "a thread of mine");
	comm(gettid(), buf, 0);
	checkeq(strcmp(buf, "a thread of min\n"), 0);
	comm(getpid(), buf, 0);
	checkeq(strcmp(buf, mine), 0);
	strcpy(buf, "main");
	comm(getpid(), buf, 1);
	snprintf(buf, sizeof(buf), "/proc/thread-self/comm");
	checkeq(access(buf, R_OK), 0);
	return 0;
}

static void
thread_names(void)
{
	char buf[64];

	comm(getpid(), buf, 0);
	join(start(named, buf));
	prctl(PR_GET_NAME, buf);
	checkeq(strcmp(buf, "main"), 0);
}

static void
thread_tasks(void)
{
	char name[64], line[256];
	int n = -1, tgid = -1, pid = -1;
	FILE *f;

	join(start(ids, (int[]){getpid(), getppid(), getpgrp(), getsid(0)}));
	awaittasks(1);
	tid = 0;
	start(sleeper, 0);
	start(waitshit, 0);
	await(&tid, 0);
	checkeq(tasks(getpid()), 3);
	checkeq(stat_(getpid(), 0, NTHREADS), 3);
	checkeq(stat_(getpid(), tid + 1000, 1), -1);
	snprintf(name, sizeof(name), "/proc/self/task/%d/status", tid);
	f = fopen(name, "r");
	must(f);
	while (fgets(line, sizeof(line), f)) {
		sscanf(line, "Tgid: %d", &tgid);
		sscanf(line, "Pid: %d", &pid);
		sscanf(line, "Threads: %d", &n);
	}
	fclose(f);
	checkeq(tgid, getpid());
	checkeq(pid, tid);
	checkeq(n, 3);
}

static pthread_barrier_t all;

static void *
meets(void *arg)
{
	int *n = arg;

	pthread_barrier_wait(&all);
	__atomic_add_fetch(n, 1, __ATOMIC_SEQ_CST);
	pthread_barrier_wait(&all);
	return 0;
}

static void
thread_200_at_once(void)
{
	static pthread_t t[MANY];
	pthread_attr_t attr;
	int i, n = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	pthread_barrier_init(&all, 0, MANY + 1);
	for (i = 0; i < MANY; i++)
		must(pthread_create(&t[i], &attr, meets, &n) == 0);
	pthread_barrier_wait(&all);
	checkeq(tasks(getpid()), MANY + 1);
	pthread_barrier_wait(&all);
	for (i = 0; i < MANY; i++)
		join(t[i]);
	checkeq(n, MANY);
	awaittasks(1);
}

static void
fewthreads(void)
{
	struct rlimit rl = {5, 5};
	pthread_t t;
	int i;

	must(setrlimit(RLIMIT_NPROC, &rl) == 0 && setuid(54321) == 0);
	for (i = 0; i < 4; i++)
		start(sleeper, 0);
	checkeq(pthread_create(&t, 0, sleeper, 0), EAGAIN);
	checkerr(fork(), EAGAIN);
	finish();
}

static void
thread_limit(void)
{
	if (getuid() != 0)
		skip("not root");
	child(fewthreads);
}

static void *
touches(void *arg)
{
	struct rusage ru;
	long before;
	char *p = arg;

	getrusage(RUSAGE_THREAD, &ru);
	before = ru.ru_minflt;
	for (int i = 0; i < 100; i++)
		p[i * PG] = 1;
	getrusage(RUSAGE_THREAD, &ru);
	checkcount(ru.ru_minflt - before, 100, 10);
	return 0;
}

/* What a thread has used is the process's, after its end too. */
static void
thread_usage(void)
{
	struct rusage ru;
	long mine, whole;
	char *p = mmap(0, 100 * PG, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED);
	madvise(p, 100 * PG, MADV_NOHUGEPAGE);
	getrusage(RUSAGE_SELF, &ru);
	whole = ru.ru_minflt;
	getrusage(RUSAGE_THREAD, &ru);
	mine = ru.ru_minflt;
	join(start(touches, p));
	awaittasks(1);
	getrusage(RUSAGE_SELF, &ru);
	checkrange(ru.ru_minflt - whole, 100, 200);
	getrusage(RUSAGE_THREAD, &ru);
	checkrange(ru.ru_minflt - mine, 0, 60);
}

static void *
becomes(void *arg)
{
	(void)arg;
	checkeq(syscall(SYS_setresuid32, 1, 2, 3), 0);
	checkeq(syscall(SYS_getuid32), 1);
	return 0;
}

/* What each thread has for itself: the kernel's ids, niceness, the mask. */
static void
thread_own(void)
{
	if (getuid() != 0)
		skip("not root");
	join(start(becomes, 0));
	checkeq(syscall(SYS_getuid32), 0);
	checkeq(syscall(SYS_geteuid32), 0);
}

static __thread int local = 7;

static void *
ownvariable(void *arg)
{
	checkeq(local, 7);
	local = (int)(intptr_t)arg;
	for (int i = 0; i < 1000; i++) {
		sched_yield();
		if (local != (int)(intptr_t)arg)
			break;
	}
	checkeq(local, (intptr_t)arg);
	return 0;
}

/* Each thread's %gs leads to its own. */
static void
thread_tls(void)
{
	pthread_t t[4];
	intptr_t i;

	for (i = 0; i < 4; i++)
		t[i] = start(ownvariable, (void *)(i + 100));
	for (i = 0; i < 4; i++)
		join(t[i]);
	checkeq(local, 7);
}

const struct test t_thread[] = {
	T(thread_ids),
	T(thread_clone),
	T(thread_clone_flags),
	T(thread_clone3),
	T(thread_clone3_handlers),
	T(thread_leader_first),
	T(thread_exit_group),
	T(thread_fatal_signal),
	T(thread_exec),
	T(thread_exec_fails),
	T(thread_exec_keeps_account),
	T(thread_fork),
	T(thread_vfork),
	T(thread_wait),
	T(thread_pdeathsig),
	T(thread_stop),
	T(thread_tgkill),
	T(thread_process_signal),
	T(thread_shared_pending),
	T(thread_sigwait),
	T(thread_signal_exit),
	T(thread_signal_blocked),
	T(thread_names),
	T(thread_tasks),
	T(thread_200_at_once),
	T(thread_limit),
	T(thread_usage),
	T(thread_own),
	T(thread_tls),
	{0},
};
