/*
 * t_racefork.c - fork, exit, exec and kill against what another thread does.
 */
#include "race.h"
#include "tracer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>

static word *shared; /* one page, of parent and children */

/* Fork against a sibling. */

/* Until `over` is rounds: count in p's page, where a fork may find it. */
static void *
counts(void *arg)
{
	unsigned n = 0;

	(void)arg;
	while (!isover(rounds)) {
		n++;
		p[0] = n;
		p[1] = n;
		must(p[0] == n);
		shared[0] = n;
	}
	return 0;
}

/* In the child: nothing that the sibling writes from now on is seen. */
static int
standsstill(void)
{
	unsigned a = p[0], b = p[1], now = shared[0];
	int n = 0;

	while (shared[0] - now < 3)
		rest(&n);
	return (a == b || a == b + 1) && p[0] == a && p[1] == b;
}

static void
forks(void *(*sibling)(void *), int (*ok)(void))
{
	pthread_t t;
	int i, pid, st;

	shared = sharedpages(1);
	t = thread(sibling, 0);
	for (i = 0; i < rounds; i++) {
		jitter();
		pid = fork();
		must(pid >= 0);
		if (pid == 0)
			_exit(!ok());
		must(waitpid(pid, &st, 0) == pid);
		must(st == 0);
	}
	over = rounds;
	join(t);
}

static void
sibling_writes_against_fork(void)
{
	begin();
	p = place(2);
	newpage(0);
	forks(counts, standsstill);
}

static void *
mapsandunmaps(void *arg)
{
	(void)arg;
	while (!isover(rounds)) {
		newpage(0);
		p[0] = p[PG / 4] = OLD;
		must(munmap((void *)p, 2 * PG) == 0);
	}
	return 0;
}

/* In the child the pages are there or not, and it stays so. */
static int
whollythereornot(void)
{
	unsigned a = OLD, b = OLD, again = 0;
	int first = load(p, &a), second = load(p + PG / 4, &b);

	if (first != second || (a != 0 && a != OLD) || (b != 0 && b != OLD))
		return 0;
	sched_yield();
	return load(p, &again) == first && (!first || again == a);
}

static void
sibling_mmap_against_fork(void)
{
	begin();
	p = place(2);
	forks(mapsandunmaps, whollythereornot);
}

/* Signals come to the parent; the child inherits neither them nor any wish to
 * have the handler run. */
static volatile int came, sent;

static void
oncome(int sig)
{
	(void)sig;
	came++;
}

static void *
sends(void *arg)
{
	int n, idle = 0;

	(void)arg;
	for (n = 0; over != rounds; n++) {
		must(kill(getpid(), SIGUSR1) == 0);
		while (came == n)
			rest(&idle);
	}
	sent = n;
	return 0;
}

static int
nosignal(void)
{
	int was = came;
	sigset_t set;

	sched_yield();
	return sigpending(&set) == 0 && !sigismember(&set, SIGUSR1) &&
		came == was;
}

static void
sibling_signals_against_fork(void)
{
	begin();
	must(signal(SIGUSR1, oncome) != SIG_ERR);
	came = 0;
	forks(sends, nosignal);
	checkeq(came, sent);
}

/* Ends of threads and processes. */

#define AREA 16 /* pages */

static volatile int flag; /* faults have begun */

static void
touchpages(int from, unsigned v)
{
	int k;

	for (k = from; k < AREA; k += 2)
		p[k * PG / 4] = v + k;
}

static void *
touchesandends(void *arg)
{
	touchpages(1, (uintptr_t)arg);
	return 0;
}

static void
fault_against_exit_of_thread(void)
{
	pthread_t t;
	int i, k;

	begin();
	p = mmap(0, AREA * PG, RW, ANON, -1, 0);
	must(p != MAP_FAILED);
	for (i = 0; i < rounds; i++) {
		must(madvise((void *)p, AREA * PG, MADV_DONTNEED) == 0);
		t = thread(touchesandends, (void *)i);
		jitter();
		touchpages(0, i);
		join(t);
		for (k = 0; k < AREA; k++)
			must(p[k * PG / 4] == (unsigned)(i + k));
	}
}

/* Until the process ends: map, touch, unmap. */
__attribute__((noreturn)) static void *
faultsforever(void *arg)
{
	(void)arg;
	for (;;) {
		touchpages(0, 1);
		flag = 1;
		madvise((void *)p, AREA * PG, MADV_DONTNEED);
	}
}

/* A child in which one thread faults while the other does fn; fn's thread is
 * the first one in even rounds. */
static int
mixed(int i, void *(*fn)(void *))
{
	int idle = 0, pid = fork();

	must(pid >= 0);
	if (pid > 0)
		return pid;
	flag = 0;
	state += i;
	thread(i & 1 ? fn : faultsforever, (void *)i);
	if (i & 1)
		faultsforever(0);
	while (!flag)
		rest(&idle);
	fn((void *)i);
	_exit(99);
}

static void
endsmixed(void *(*fn)(void *), int mask)
{
	int i, pid, st;

	p = mmap(0, AREA * PG, RW, ANON, -1, 0);
	must(p != MAP_FAILED);
	for (i = 0; i < rounds; i++) {
		pid = mixed(i, fn);
		must(waitpid(pid, &st, 0) == pid);
		checkeq(st, (i & mask) << 8);
		must(st == (i & mask) << 8);
	}
}

static void *
endsall(void *i)
{
	jitter();
	_exit((uintptr_t)i & 0x7f);
}

static void
fault_against_exit_of_process(void)
{
	begin();
	endsmixed(endsall, 0x7f);
}

/* A program of 84 bytes and these instructions: its status is whether the
 * thread's id and the process's differ. */
static const unsigned char program[] = {
	0xb8, 20, 0, 0, 0, 0xcd, 0x80,  /* getpid */
	0x89, 0xc3,                     /* ebx */
	0xb8, 224, 0, 0, 0, 0xcd, 0x80, /* gettid */
	0x29, 0xc3,                     /* ebx -= eax */
	0xb8, 1, 0, 0, 0, 0xcd, 0x80,   /* exit */
};

static void
makeprogram(const char *path)
{
	const unsigned base = 0x8048000, size = 84 + sizeof program;
	const unsigned head[21] = {0x464c457f, 0x10101, 0, 0, 0x30002, 1,
		base + 84, 52, 0, 0, 0x200034, 1, 0,
		1, 0, base, base, size, size, 5, PG};
	int f = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0700);

	must(f >= 0);
	must(write(f, head, 84) == 84);
	must(write(f, program, sizeof program) == sizeof program);
	close(f);
}

static void *
execs(void *i)
{
	char *argv[] = {"t_race", 0}, *envp[] = {0};

	(void)i;
	jitter();
	execve("t_race", argv, envp);
	_exit(98);
}

static void
fault_against_exec(void)
{
	begin();
	makeprogram("t_race");
	endsmixed(execs, 0);
	unlink("t_race");
}

/* Each way of copying to and from pages that are not there yet. */
static void
copiesforever(void)
{
	int fds[2], in = open("/dev/zero", O_RDONLY), n = AREA * PG;
	char *m;

	must(in >= 0 && pipe(fds) == 0);
	for (;;) {
		m = mmap(0, n, RW, ANON, -1, 0);
		must(m != MAP_FAILED);
		must(write(fds[1], m, n) == n);
		must(read(fds[0], m, n) == n);
		must(munmap(m, n) == 0);
		m = mmap(0, n, RW, ANON, -1, 0);
		must(read(in, m, n) == n);
		must(munmap(m, n) == 0);
		shared[0] = 1;
	}
}

static void
kill_during_copy(void)
{
	int i, pid, st, idle = 0;

	begin();
	shared = sharedpages(1);
	for (i = 0; i < rounds; i++) {
		shared[0] = 0;
		pid = fork();
		must(pid >= 0);
		if (pid == 0)
			copiesforever();
		while (!shared[0] && dice() % 1024)
			rest(&idle);
		jitter();
		must(kill(pid, SIGKILL) == 0);
		must(waitpid(pid, &st, 0) == pid);
		must(st == SIGKILL);
	}
}

/* Stops that are undone, most before they have stopped anybody. */
static void
stop_and_continue_against_sleep(void)
{
	struct timespec t = {1000, 0};
	int i, pid, st, idle = 0;

	begin();
	shared = sharedpages(1);
	pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		shared[0] = 1;
		nanosleep(&t, 0);
		_exit(1);
	}
	while (!shared[0])
		rest(&idle);
	for (i = 0; i < rounds; i++) {
		must(kill(pid, SIGSTOP) == 0);
		jitter();
		must(kill(pid, SIGCONT) == 0);
		jitter();
	}
	must(waitpid(pid, &st, WNOHANG) == 0);
	must(kill(pid, SIGTERM) == 0 && waitpid(pid, &st, 0) == pid);
	checkeq(st, SIGTERM);
}

/* The end of a process against all that its threads may be at. */

static volatile int watched; /* a pid, 0: none, -1: no more */

static void *
nothread(void *arg)
{
	return arg;
}

static void *
startsthreads(void *arg)
{
	pthread_t t;

	while (watched != -1)
		if (pthread_create(&t, 0, nothread, arg) == 0)
			pthread_join(t, 0);
	return arg;
}

static void *
forksandwaits(void *arg)
{
	int pid;

	(void)arg;
	for (;;) {
		pid = dice() & 1 ? fork() : vfork();
		if (pid == 0)
			_exit(0);
		waitpid(pid, 0, 0);
	}
}

static void *
ends(void *arg)
{
	(void)arg;
	jitter();
	_exit(7);
}

static void *
becomesanother(void *arg)
{
	char pid[12];

	snprintf(pid, sizeof pid, "%d", getpid());
	jitter();
	execl(exepath, "t", "--alone", pid, (char *)0);
	for (;;)
		pause(); /* another was first: we are to end */
	return arg;
}

static void *(*const deeds[])(void *) = {
	startsthreads, forksandwaits, ends, becomesanother,
};

/* In a child. */
static void
manydeeds(void)
{
	pthread_t t;
	int i;

	for (i = 0; i < 3; i++)
		pthread_create(&t, 0, deeds[dice() % NUM(deeds)], 0);
	deeds[dice() % NUM(deeds)](0);
}

static void *
looksatproc(void *arg)
{
	static const char *const names[] = {"stat", "status", "maps", "environ",
		"cmdline", "limits", "task/%d/stat", "exe", "cwd"};
	char path[64], name[32], buf[512];
	int pid, i, fd, n = 0;

	while ((pid = watched) >= 0) {
		rest(&n);
		for (i = 0; pid && i < NUM(names); i++) {
			snprintf(name, sizeof name, names[i], pid);
			snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
			if ((fd = open(path, O_RDONLY)) < 0)
				continue;
			while (read(fd, buf, sizeof buf) > 0)
				;
			close(fd);
		}
	}
	return arg;
}

static void
end_against_threads(void)
{
	int i, pid, st;
	pthread_t t;

	begin();
	t = thread(looksatproc, 0);
	for (i = 0; i < rounds / 20; i++) {
		state = state * 69069 + 1;
		if ((pid = fork()) == 0)
			manydeeds();
		must(pid > 0);
		watched = pid;
		jitter();
		if (dice() & 1) {
			kill(pid, SIGSTOP);
			jitter();
			kill(pid, SIGCONT);
		}
		jitter();
		kill(pid, SIGKILL);
		must(waitpid(pid, &st, 0) == pid);
		must(st == SIGKILL || st == 7 << 8 || st == 0);
	}
	watched = -1;
	join(t);
	checkerr(waitpid(-1, &st, 0), ECHILD);
}

/* Each child is reaped once, whoever waits. */

static volatile int reaps;

static void *
reapsall(void *arg)
{
	int st;

	while (waitpid(-1, &st, 0) > 0) {
		must(st == 3 << 8);
		__sync_add_and_fetch(&reaps, 1);
	}
	must(errno == ECHILD);
	return arg;
}

static void
exit_against_two_waits(void)
{
	int i, j, pid;
	pthread_t t;

	begin();
	for (i = 0; i < rounds / 20; i++) {
		for (j = 0; j < 3; j++) {
			must((pid = fork()) >= 0);
			if (pid == 0) {
				jitter();
				_exit(3);
			}
		}
		t = thread(reapsall, 0);
		reapsall(0);
		join(t);
		must(reaps == 3 * (i + 1));
	}
}

/* A stop is told once, and no more from SIGCONT on, which the child may reach
 * before, in or after the stop; its end is told whatever came before. */
static void
continue_against_stop(void)
{
	int i, pid, st, told;

	begin();
	for (i = 0; i < rounds; i++) {
		pid = fork();
		must(pid >= 0);
		if (pid == 0)
			for (;;)
				jitter();
		jitter();
		must(kill(pid, SIGSTOP) == 0);
		jitter();
		told = i % 2 ? waitpid(pid, &st, WNOHANG | WUNTRACED) : 0;
		must(told == 0 || (told == pid && st == (SIGSTOP << 8 | 0x7f)));
		must(!told || waitpid(pid, &st, WNOHANG | WUNTRACED) == 0);
		must(kill(pid, SIGCONT) == 0);
		must(waitpid(pid, &st, WNOHANG | WUNTRACED) == 0);
		jitter();
		must(waitpid(pid, &st, WNOHANG | WUNTRACED) == 0);
		must(kill(pid, SIGTERM) == 0);
		must(waitpid(pid, &st, WUNTRACED) == pid);
		must(st == SIGTERM);
		must(waitpid(pid, &st, WNOHANG | WUNTRACED) == -1);
	}
}

/* A traced child goes on with a signal that does nothing, and is killed just
 * then: its tracer is not asked about SIGKILL. */
static void
kill_against_traced_signal(void)
{
	int i, pid;

	begin();
	for (i = 0; i < rounds; i++) {
		pid = traced(waiting);
		must(trace(PTRACE_CONT, pid, 0, 0) == 0);
		must(kill(pid, SIGCONT) == 0);
		must(waitfor(pid) == STOPPED(SIGCONT));
		must(trace(PTRACE_CONT, pid, 0, SIGCONT) == 0);
		jitter();
		must(kill(pid, SIGKILL) == 0);
		must(waitfor(pid) == SIGKILL);
	}
}

const struct test t_racefork[] = {
	T(sibling_writes_against_fork),
	T(sibling_mmap_against_fork),
	T(sibling_signals_against_fork),
	T(fault_against_exit_of_thread),
	T(fault_against_exit_of_process),
	T(fault_against_exec),
	T(kill_during_copy),
	T(stop_and_continue_against_sleep),
	T(continue_against_stop),
	T(kill_against_traced_signal),
	T(end_against_threads),
	T(exit_against_two_waits),
	{0},
};
