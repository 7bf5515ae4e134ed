/*
 * soak.c - everything at once, for as long as is wanted, each result checked.
 *
 *   soak [SECONDS [SEED [KIND...]]]
 *
 * A round: one worker process of each kind (or of those named) does its work
 * over and over for ROUND seconds, then all end.  After a round every page must
 * be accounted for (/proc/vmcheck) and the same memory be free as after the
 * first.  Before each step that may block a worker says which it is; who is
 * HANGS seconds at one step is reported by that name.  The seed is printed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PG    4096
#define NUM(a) ((int)(sizeof(a) / sizeof(a)[0]))
#define RW    (PROT_READ | PROT_WRITE)
#define ANON  (MAP_PRIVATE | MAP_ANONYMOUS)
#define ROUND 10 /* seconds */
#define HANGS 60 /* seconds */

struct worker {
	const char *volatile step; /* what it is about to do */
	volatile unsigned beats;   /* steps so far */
	int pid;                   /* 0 when it has ended */
	unsigned seen;             /* beats at the last look */
	time_t since;              /* when they were fewer */
};

static struct board {
	volatile int stop;
	struct worker worker[16];
} *board; /* shared by all */

static char **argvec;
static unsigned seed = 1;
static struct worker *me; /* this worker, and its children and threads */
static const char *mykind = "main";
static __thread unsigned state = 1;

static void forks(void), execs(void), threads(void), maps(void), cow(void),
	futexes(void), signals(void), pipes(void), files(void), kills(void);

static const struct kind {
	const char *name;
	void (*work)(void);
} kinds[] = {
	{"forks", forks}, {"execs", execs}, {"threads", threads},
	{"maps", maps}, {"cow", cow}, {"futexes", futexes},
	{"signals", signals}, {"pipes", pipes}, {"files", files},
	{"kills", kills},
};

#define must(c) ((c) ? (void)0 : wrong(__LINE__, #c))

__attribute__((noreturn)) static void
wrong(int line, const char *what)
{
	dprintf(1, "soak: seed %u, %s, step %s: line %d: %s is false "
		"(errno %d)\n", seed, mykind, me ? me->step : "-", line, what,
		errno);
	if (!me && getpid() != 1)
		kill(0, SIGKILL); /* all workers, too */
	_exit(1);
}

static void
step(const char *name)
{
	me->step = name;
	me->beats++;
}

static unsigned
dice(unsigned n)
{
	state = state * 1664525 + 1013904223;
	return (state >> 10) % n;
}

static int
newchild(void)
{
	int pid;

	step("fork");
	pid = fork();
	must(pid >= 0);
	if (pid == 0)
		state ^= 0x2545f491;
	return pid;
}

/* Wait for a child: its wait status. */
static int
ended(int pid)
{
	int st, got;

	step("wait");
	while ((got = waitpid(pid, &st, 0)) < 0 && errno == EINTR)
		;
	must(got == pid);
	return st;
}

static unsigned *
pages(int n, int flags)
{
	void *m = mmap(0, n * PG, RW, flags | MAP_ANONYMOUS, -1, 0);

	must(m != MAP_FAILED);
	return m;
}

static void
unmap(void *m, int n)
{
	must(munmap(m, n * PG) == 0);
}

static void
stamp(unsigned *m, int n, unsigned v)
{
	int k;

	for (k = 0; k < n; k++)
		m[k * PG / 4] = m[(k + 1) * PG / 4 - 1] = v + k;
}

static void
stamped(volatile unsigned *m, int n, unsigned v)
{
	int k;

	for (k = 0; k < n; k++)
		must(m[k * PG / 4] == v + k &&
			m[(k + 1) * PG / 4 - 1] == v + k);
}

/* Children and grandchildren with pages that they share until they write. */
static int
family(unsigned *m, int n, int depth)
{
	int pid[3], k, children = 1 + dice(NUM(pid));

	stamped(m, n, depth);
	stamp(m, n, depth + 1);
	for (k = 0; k < children; k++) {
		pid[k] = newchild();
		if (pid[k] == 0)
			_exit(depth < 2 ? family(m, n, depth + 1) : 7);
	}
	while (k-- > 0)
		must(ended(pid[k]) == (depth < 2 ? depth + 1 : 7) << 8);
	stamped(m, n, depth + 1);
	return depth;
}

static void
forks(void)
{
	int n = 1 + dice(32);
	unsigned *m = pages(n, MAP_PRIVATE);

	stamp(m, n, 0);
	family(m, n, 0);
	unmap(m, n);
}

/* Programs: this one, with an argument that it answers by its status. */
static void
execs(void)
{
	char word[16], *argv[] = {argvec[0], "--answer", word, 0};
	char *envp[] = {"A=1", 0};
	int pid, answer = dice(100);

	snprintf(word, sizeof word, "%d", answer);
	step("exec");
	if (dice(2)) {
		pid = newchild();
		if (pid == 0) {
			execve("/proc/self/exe", argv, envp);
			_exit(101);
		}
	} else {
		must(posix_spawn(&pid, "/proc/self/exe", 0, 0, argv, envp) ==
			0);
	}
	must(ended(pid) == answer << 8);
}

/* Threads: a counter under a lock, turns by a condition variable, a heap. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int nthreads, turn, counted; /* [mutex] */
static __thread int own;

static void
useheap(unsigned v)
{
	int n = 8 + dice(20000);
	unsigned char *b = malloc(n);

	must(b);
	memset(b, v, n);
	sched_yield();
	must(b[0] == (unsigned char)v && b[n - 1] == (unsigned char)v);
	free(b);
}

static void *
onethread(void *arg)
{
	int i, mine = (intptr_t)arg;

	state += mine * 77;
	for (i = 0; i < 20; i++) {
		pthread_mutex_lock(&mutex);
		while (turn % nthreads != mine)
			pthread_cond_wait(&changed, &mutex);
		turn++;
		counted++;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&mutex);
		own += mine;
		useheap(mine + i);
	}
	must(own == 20 * mine);
	if (dice(2))
		pthread_exit(arg);
	return arg;
}

static void
together(int n, void *(*fn)(void *))
{
	pthread_t t[8];
	void *result;
	intptr_t k;

	step("thread create");
	for (k = 0; k < n; k++)
		must(pthread_create(&t[k], 0, fn, (void *)k) == 0);
	step("thread join");
	while (k-- > 0) {
		must(pthread_join(t[k], &result) == 0);
		must(result == (void *)k);
	}
}

static void
threads(void)
{
	nthreads = 1 + dice(8);
	turn = counted = 0;
	together(nthreads, onethread);
	must(counted == 20 * nthreads);
}

/* Mappings that come, change and go in several threads. */
static void *
onemapper(void *arg)
{
	unsigned v = (uintptr_t)arg << 24, *m;
	int i, n;

	state += v;
	for (i = 0; i < 50; i++) {
		n = 3 + dice(24);
		m = pages(n, MAP_PRIVATE);
		stamp(m, n, v + i);
		must(mprotect(m, PG, PROT_READ) == 0);
		stamped(m, n, v + i);
		must(munmap(m + (n - 1) * PG / 4, PG) == 0);
		must(mprotect(m, PG, RW) == 0);
		stamp(m, 1, v + i);
		must(madvise(m + PG / 4, PG, MADV_DONTNEED) == 0);
		must(m[PG / 4] == 0);
		m = mremap(m, (n - 1) * PG, (n + 3) * PG, MREMAP_MAYMOVE);
		must(m != MAP_FAILED);
		stamped(m, 1, v + i);
		must(m[(n + 2) * PG / 4] == 0);
		unmap(m, n + 3);
	}
	return arg;
}

static void
maps(void)
{
	together(1 + dice(4), onemapper);
}

/* Forks while a sibling thread writes, which no child may see. */
static volatile unsigned *counters;
static volatile int enough;

static void *
writer(void *arg)
{
	unsigned n = 0;

	while (!enough) {
		n++;
		counters[0] = n;
		counters[1] = n;
		must(counters[0] == n && counters[1] == n);
	}
	return arg;
}

static void
stillchild(int n)
{
	unsigned a = counters[0], b = counters[1];
	int i;

	for (i = 0; i < n; i++)
		sched_yield();
	must(a == b || a == b + 1);
	must(counters[0] == a && counters[1] == b);
	counters[0] = counters[1] = 0;
	_exit(0);
}

static void
cow(void)
{
	pthread_t t;
	int i, pid;

	counters = pages(1, MAP_PRIVATE);
	enough = 0;
	step("thread create");
	must(pthread_create(&t, 0, writer, 0) == 0);
	for (i = 0; i < 5; i++) {
		pid = newchild();
		if (pid == 0)
			stillchild(dice(50));
		must(ended(pid) == 0);
	}
	enough = 1;
	step("thread join");
	must(pthread_join(t, 0) == 0);
	unmap((void *)counters, 1);
}

/* Locks, semaphores and barriers of several processes. */
struct common {
	pthread_mutex_t mutex;
	pthread_barrier_t barrier;
	sem_t empty, full;
	int count, slot;
};

static void
onecustomer(struct common *c, int n)
{
	int i;

	for (i = 0; i < 20; i++) {
		step("mutex");
		pthread_mutex_lock(&c->mutex);
		c->count++;
		pthread_mutex_unlock(&c->mutex);
		step("barrier");
		pthread_barrier_wait(&c->barrier);
		must(c->count >= (i + 1) * n);
		step("semaphore");
		must(sem_wait(&c->full) == 0);
		c->count += 0 * c->slot;
		must(sem_post(&c->empty) == 0);
	}
	_exit(0);
}

static void
futexes(void)
{
	struct common *c = (void *)pages(1, MAP_SHARED);
	pthread_mutexattr_t ma;
	pthread_barrierattr_t ba;
	int pid[4], i, n = 2 + dice(3);

	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	must(pthread_mutex_init(&c->mutex, &ma) == 0);
	pthread_barrierattr_init(&ba);
	pthread_barrierattr_setpshared(&ba, PTHREAD_PROCESS_SHARED);
	must(pthread_barrier_init(&c->barrier, &ba, n) == 0);
	must(sem_init(&c->empty, 1, 1) == 0 && sem_init(&c->full, 1, 0) == 0);
	for (i = 0; i < n; i++) {
		pid[i] = newchild();
		if (pid[i] == 0)
			onecustomer(c, n);
	}
	for (i = 0; i < 20 * n; i++) {
		step("semaphore to feed");
		must(sem_wait(&c->empty) == 0);
		c->slot = i;
		must(sem_post(&c->full) == 0);
	}
	while (n-- > 0)
		must(ended(pid[n]) == 0);
	must(c->count % 20 == 0);
	unmap(c, 1);
}

/* Signals: queued ones in their order, caught ones in their number. */
static volatile int caught;

static void
oncaught(int sig)
{
	(void)sig;
	caught++;
}

static void
queuechild(const sigset_t *set, int n)
{
	siginfo_t si;
	int i;

	for (i = 0; i < n; i++) {
		step("sigwaitinfo");
		while (sigwaitinfo(set, &si) < 0)
			must(errno == EINTR);
		must(si.si_signo == SIGRTMIN + 1 && si.si_code == SI_QUEUE);
		must(si.si_value.sival_int == i && si.si_pid == getppid());
	}
	_exit(0);
}

static void
queued(void)
{
	sigset_t set, old;
	union sigval v;
	int i, n = 1 + dice(40), pid;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	must(sigprocmask(SIG_BLOCK, &set, &old) == 0);
	pid = newchild();
	if (pid == 0)
		queuechild(&set, n);
	for (i = 0; i < n; i++) {
		v.sival_int = i;
		step("sigqueue");
		must(sigqueue(pid, SIGRTMIN + 1, v) == 0);
	}
	must(ended(pid) == 0);
	must(sigprocmask(SIG_SETMASK, &old, 0) == 0);
}

/* Wait for a signal that may have come already. */
static void
suspended(int n, const sigset_t *open)
{
	while (caught < n) {
		step("sigsuspend");
		must(sigsuspend(open) < 0 && errno == EINTR);
	}
	must(caught == n);
}

static void
answered(void)
{
	int i, pid, n = 1 + dice(50), parent = getpid();
	sigset_t usr1, open;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	must(sigprocmask(SIG_BLOCK, &usr1, &open) == 0);
	must(signal(SIGUSR1, oncaught) != SIG_ERR);
	caught = 0;
	pid = newchild();
	for (i = 1; i <= n; i++) {
		if (pid == 0)
			suspended(i, &open);
		step("kill");
		must(kill(pid ? pid : parent, SIGUSR1) == 0);
		if (pid)
			suspended(i, &open);
	}
	if (pid == 0)
		_exit(0);
	must(ended(pid) == 0);
	must(sigprocmask(SIG_SETMASK, &open, 0) == 0);
}

/* A timer's signal ends a read; with SA_RESTART it does not. */
static void
interrupted(void)
{
	struct sigaction sa = {.sa_handler = oncaught};
	struct itimerval t = {{0, 0}, {0, 1000 + dice(3000)}};
	int fds[2];
	char c;

	must(pipe(fds) == 0 && sigaction(SIGALRM, &sa, 0) == 0);
	caught = 0;
	t.it_interval.tv_usec = 1000; /* the first may come before the read */
	must(setitimer(ITIMER_REAL, &t, 0) == 0);
	step("read until SIGALRM");
	must(read(fds[0], &c, 1) < 0 && errno == EINTR && caught > 0);
	memset(&t, 0, sizeof t);
	must(setitimer(ITIMER_REAL, &t, 0) == 0);
	close(fds[0]);
	close(fds[1]);
}

static void
signals(void)
{
	queued();
	answered();
	interrupted();
}

/* Pipes: a source, a filter, and what arrives here. */
static unsigned char
byteof(unsigned i)
{
	return (i * 2654435761u) >> 24;
}

static void
source(int to, int total)
{
	static unsigned char b[9000];
	int i, k, n;

	for (i = 0; i < total; i += n) {
		n = 1 + dice(sizeof b - 1);
		n = n > total - i ? total - i : n;
		for (k = 0; k < n; k++)
			b[k] = byteof(i + k);
		step("write to the filter");
		must(write(to, b, n) == n);
	}
	_exit(0);
}

static void
filter(int from, int to)
{
	static unsigned char b[9000];
	int k, n;

	do {
		step("read from the source");
		n = read(from, b, 1 + dice(sizeof b - 1));
		must(n >= 0);
		for (k = 0; k < n; k++)
			b[k] ^= 0x55;
		step("write from the filter");
		must(write(to, b, n) == n);
	} while (n > 0);
	_exit(0);
}

static void
pipes(void)
{
	static unsigned char b[9000];
	int a[2], c[2], pid[2], i = 0, k, n, total = 1 + dice(300000);

	must(pipe(a) == 0 && pipe(c) == 0);
	pid[0] = newchild();
	if (pid[0] == 0)
		source(a[1], total);
	close(a[1]);
	pid[1] = newchild();
	if (pid[1] == 0) {
		close(c[0]);
		filter(a[0], c[1]);
	}
	close(a[0]);
	close(c[1]);
	for (;; i += n) {
		step("read from the filter");
		n = read(c[0], b, 1 + dice(sizeof b - 1));
		if (n <= 0)
			break;
		for (k = 0; k < n; k++)
			must((b[k] ^ 0x55) == byteof(i + k));
	}
	must(n == 0 && i == total);
	close(c[0]);
	must(ended(pid[0]) == 0 && ended(pid[1]) == 0);
}

/* Files: written, read, mapped, renamed, counted, removed. */
static void
onefile(const char *path, unsigned v)
{
	int k, n = 1 + dice(16), fd;
	unsigned *m, b[PG / 4];

	step("file");
	fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	must(fd >= 0);
	for (k = 0; k < n; k++) {
		stamp(b, 1, v + k);
		must(write(fd, b, PG) == PG);
	}
	m = mmap(0, n * PG, RW, MAP_SHARED, fd, 0);
	must(m != MAP_FAILED);
	stamped(m, n, v);
	stamp(m, n, ~v);
	must(pread(fd, b, PG, (n - 1) * PG) == PG);
	must(b[0] == ~v + n - 1);
	unmap(m, n);
	must(ftruncate(fd, 10) == 0 && ftruncate(fd, PG) == 0);
	must(pread(fd, b, PG, 0) == PG);
	must(b[0] == ~v && b[3] == 0 && b[PG / 4 - 1] == 0);
	close(fd);
}

static int
entries(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	must(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void
files(void)
{
	char dir[32], one[64], two[64];
	int i, n = 1 + dice(8);

	snprintf(dir, sizeof dir, "/tmp/soak.%d", getpid());
	must(mkdir(dir, 0700) == 0);
	for (i = 0; i < n; i++) {
		snprintf(one, sizeof one, "%s/a%d", dir, i);
		snprintf(two, sizeof two, "%s/b%d", dir, i);
		onefile(one, dice(1 << 20));
		must(rename(one, two) == 0);
		must(access(one, F_OK) < 0 && errno == ENOENT);
	}
	must(entries(dir) == n);
	while (i-- > 0) {
		snprintf(two, sizeof two, "%s/b%d", dir, i);
		must(unlink(two) == 0);
	}
	must(rmdir(dir) == 0);
}

/* Processes that are stopped, continued and killed wherever they are. */
static void *
busy(void *arg)
{
	unsigned *m;
	int fds[2], n = 8 + dice(8);

	for (;;) {
		m = pages(n, MAP_PRIVATE);
		must(pipe(fds) == 0);
		must(write(fds[1], m, 8 * PG) == 8 * PG);
		must(read(fds[0], m, 8 * PG) == 8 * PG);
		stamp(m, n, n);
		close(fds[0]);
		close(fds[1]);
		unmap(m, n);
	}
	return arg;
}

static void
kills(void)
{
	pthread_t t;
	int st, pid = newchild();

	if (pid == 0) {
		if (dice(2))
			must(pthread_create(&t, 0, busy, 0) == 0);
		busy(0);
	}
	for (st = dice(20); st > 0; st--)
		sched_yield();
	if (dice(2)) {
		step("stop");
		must(kill(pid, SIGSTOP) == 0);
		must(waitpid(pid, &st, WUNTRACED) == pid && WIFSTOPPED(st));
		must(kill(pid, SIGCONT) == 0);
	}
	must(kill(pid, SIGKILL) == 0);
	must(ended(pid) == SIGKILL);
}

/* The rounds. */

static time_t
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static int
wanted(const char *name)
{
	char **a;

	if (!argvec[1] || !argvec[2] || !argvec[3])
		return 1;
	for (a = argvec + 3; *a; a++)
		if (strcmp(*a, name) == 0)
			return 1;
	return 0;
}

static void
startworker(int i, unsigned round)
{
	struct worker *w = &board->worker[i];
	int pid, parent = getpid();

	memset(w, 0, sizeof *w);
	w->step = "begin";
	w->since = seconds();
	pid = fork();
	must(pid >= 0);
	if (pid > 0) {
		w->pid = pid;
		return;
	}
	me = w;
	mykind = kinds[i].name;
	state = seed * 2654435761u + round * 40503 + i;
	while (!board->stop && getppid() == parent) {
		kinds[i].work();
		step("next");
	}
	_exit(0);
}

/* Every child that has ended; a worker must have ended well.  Orphans come to
 * the first process. */
static void
reap(void)
{
	int i, st, pid;

	while ((pid = waitpid(-1, &st, WNOHANG)) > 0) {
		for (i = 0; i < NUM(kinds); i++) {
			if (board->worker[i].pid != pid)
				continue;
			board->worker[i].pid = 0;
			if (st != 0)
				dprintf(1, "soak: seed %u, %s: status %#x\n",
					seed, kinds[i].name, st);
			must(st == 0);
		}
	}
}

/* How many workers there are; nobody hangs. */
static int
working(void)
{
	struct worker *w;
	int i, n = 0;

	for (i = 0; i < NUM(kinds); i++) {
		w = &board->worker[i];
		if (w->pid == 0)
			continue;
		n++;
		if (w->beats != w->seen) {
			w->seen = w->beats;
			w->since = seconds();
		}
		if (seconds() - w->since < HANGS)
			continue;
		dprintf(1, "soak: seed %u, %s hangs: %s\n", seed,
			kinds[i].name, w->step);
		must(!"hangs");
	}
	return n;
}

static unsigned
oneround(unsigned round, int length)
{
	struct timespec second = {1, 0};
	time_t end = seconds() + (length < ROUND ? length : ROUND);
	unsigned i, beats = 0;
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	board->stop = 0;
	for (i = 0; i < (unsigned)NUM(kinds); i++)
		if (wanted(kinds[i].name))
			startworker(i, round);
	sigprocmask(SIG_BLOCK, &chld, 0);
	while (working()) {
		sigtimedwait(&chld, 0, &second);
		reap();
		board->stop = seconds() >= end;
	}
	sigprocmask(SIG_UNBLOCK, &chld, 0);
	while (getpid() == 1 && waitpid(-1, 0, 0) > 0)
		;
	for (i = 0; i < (unsigned)NUM(kinds); i++) {
		must(!wanted(kinds[i].name) || board->worker[i].beats > 0);
		beats += board->worker[i].beats;
	}
	return beats;
}

/* The first number of a file of /proc behind a word, or -1. */
static long
procnumber(const char *path, const char *word)
{
	static char b[8192];
	int n, fd = open(path, O_RDONLY);
	char *s;

	if (fd < 0)
		return -1;
	n = read(fd, b, sizeof b - 1);
	close(fd);
	must(n >= 0);
	b[n] = 0;
	s = strstr(b, word);
	return s ? strtol(s + strlen(word), 0, 10) : 0;
}

/* MemFree once it is as before, or after a second: who was the last to run on
 * another CPU goes soon after it was waited for. */
static long
memafter(long before)
{
	struct timespec t = {0, 10000000};
	long now;
	int i;

	for (i = 0; i < 100; i++) {
		now = procnumber("/proc/meminfo", "MemFree:");
		if (before < 0 || now == before)
			break;
		nanosleep(&t, 0);
	}
	return now;
}

int
main(int argc, char **argv)
{
	time_t end;
	long length, free = -1, now;
	unsigned round, beats;
	int quire;

	if (argc == 3 && strcmp(argv[1], "--answer") == 0)
		return atoi(argv[2]);
	if (getpid() == 1) {
		mount("proc", "/proc", "proc", 0, 0);
		mount("devtmpfs", "/dev", "devtmpfs", 0, 0);
		mkdir("/tmp", 01777);
	}
	argvec = argv;
	setpgid(0, 0);
	length = argc > 1 ? atoi(argv[1]) : 120;
	seed = argc > 2 ? atoi(argv[2]) : 1;
	quire = access("/proc/vmcheck", F_OK) == 0;
	board = (void *)pages((sizeof *board + PG - 1) / PG, MAP_SHARED);
	dprintf(1, "soak: %ld s, seed %u\n", length, seed);
	end = seconds() + length;
	for (round = 0; seconds() < end; round++) {
		beats = oneround(round, end - seconds());
		must(!quire || procnumber("/proc/vmcheck", "") >= 0);
		now = memafter(free);
		dprintf(1, "soak: round %u, %u steps, %ld kB free\n", round,
			beats, now);
		must(!quire || round == 0 || now == free);
		free = now;
	}
	dprintf(1, "soak: passed, seed %u\n", seed);
	return 0;
}
