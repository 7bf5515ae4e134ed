/*
 * t_restart.c - calls that wait, and a signal comes: which are interrupted,
 * which begin again after a handler with SA_RESTART, which go on after a stop.
 */
#include "t.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <time.h>

/* The calls that wait: each in a child, with what ends the wait. */
struct waiting {
	const char *name;
	long (*call)(void);
	void (*end)(int pid);
	int restarts; /* with SA_RESTART */
	int again;    /* goes on after a stop */
	long result;
};

static struct shared {
	int futex, handled;
	long result;
	volatile int ended;
} *shared;

static int in[2], out[2]; /* an empty pipe, a full one */

static long
errnoof(long r)
{
	return r < 0 ? -errno : r;
}

static long
callread(void)
{
	char c;

	return errnoof(read(in[0], &c, 1));
}

static void
endread(int pid)
{
	(void)pid;
	must(write(in[1], "x", 1) == 1);
}

static long
callwrite(void)
{
	return errnoof(write(out[1], "x", 1));
}

static void
endwrite(int pid)
{
	static char buf[65536];

	(void)pid;
	must(read(out[0], buf, sizeof buf) > 0);
}

static int waitedfor;

static long
callwait(void)
{
	return errnoof(waitpid(waitedfor, 0, 0)) == waitedfor ? 1 : -errno;
}

static void
endwait(int pid)
{
	(void)pid;
	must(write(in[1], "x", 1) == 1);
}

static long
callnanosleep(void)
{
	struct timespec t = {0, 400000000}, left = {9, 9};
	long r = errnoof(nanosleep(&t, &left));

	if (r < 0)
		checkrange(left.tv_sec * 1000 + left.tv_nsec / 1000000, 0, 400);
	return r;
}

static long
callsleepabs(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += 400000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	return -clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0);
}

static void
endnothing(int pid)
{
	(void)pid;
}

static long
callpoll(void)
{
	struct pollfd p = {.fd = in[0], .events = POLLIN};

	return errnoof(poll(&p, 1, -1));
}

static long
callpolltime(void)
{
	struct pollfd p = {.fd = in[0], .events = POLLIN};

	return errnoof(poll(&p, 1, 100000));
}

static long
callselect(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(in[0], &set);
	return errnoof(select(in[0] + 1, &set, 0, 0, 0));
}

static long
callfutex(void)
{
	return errnoof(syscall(SYS_futex, &shared->futex, FUTEX_WAIT, 0, 0));
}

static long
callfutextime(void)
{
	struct timespec t = {1000, 0};

	return errnoof(syscall(SYS_futex, &shared->futex, FUTEX_WAIT, 0, &t));
}

static void
endfutex(int pid)
{
	(void)pid;
	while (syscall(SYS_futex, &shared->futex, FUTEX_WAKE, 1) == 0 &&
		!shared->ended)
		;
}

static int lockfd;

static long
callflock(void)
{
	int fd = open("t_restart", O_RDWR);

	must(fd >= 0);
	return errnoof(flock(fd, LOCK_EX));
}

static void
endflock(int pid)
{
	(void)pid;
	must(flock(lockfd, LOCK_UN) == 0);
}

static long
callsetlkw(void)
{
	struct flock fl = {.l_type = F_WRLCK};

	return errnoof(fcntl(lockfd, F_SETLKW, &fl));
}

static void
endsetlkw(int pid)
{
	struct flock fl = {.l_type = F_UNLCK};

	(void)pid;
	must(fcntl(lockfd, F_SETLK, &fl) == 0);
}

static long
callopen(void)
{
	return errnoof(open("t_restart.fifo", O_RDONLY)) >= 0 ? 1 : -errno;
}

static void
endopen(int pid)
{
	(void)pid;
	close(open("t_restart.fifo", O_WRONLY));
}

static long
callpause(void)
{
	return errnoof(pause());
}

static long
callsigwait(void)
{
	sigset_t s;

	sigemptyset(&s);
	sigaddset(&s, 40);
	return errnoof(sigwaitinfo(&s, 0));
}

static void
end40(int pid)
{
	kill(pid, 40);
}

static const struct waiting waitings[] = {
	{"read", callread, endread, 1, 1, 1},
	{"write", callwrite, endwrite, 1, 1, 1},
	{"waitpid", callwait, endwait, 1, 1, 1},
	{"nanosleep", callnanosleep, endnothing, 0, 1, 0},
	{"clock_nanosleep", callsleepabs, endnothing, 0, 1, 0},
	{"poll", callpoll, endread, 0, 1, 1},
	{"poll with a time", callpolltime, endread, 0, 1, 1},
	{"select", callselect, endread, 0, 1, 1},
	{"futex", callfutex, endfutex, 1, 1, 0},
	{"futex with a time", callfutextime, endfutex, 0, 1, 0},
	{"flock", callflock, endflock, 1, 1, 0},
	{"F_SETLKW", callsetlkw, endsetlkw, 1, 1, 0},
	{"open", callopen, endopen, 1, 1, 1},
	{"pause", callpause, endnothing, 0, 0, 0},
	{"sigwaitinfo", callsigwait, end40, 0, 0, 40},
};

static void
onhandled(int sig)
{
	(void)sig;
	shared->handled++;
}

/* What the calls need, anew for each. */
static void
prepare(void)
{
	static char page[PG];
	struct flock fl = {.l_type = F_WRLCK};

	memset(shared, 0, sizeof *shared);
	must(pipe(in) == 0 && pipe(out) == 0);
	fcntl(out[1], F_SETFL, O_NONBLOCK);
	while (write(out[1], page, sizeof page) > 0)
		;
	fcntl(out[1], F_SETFL, 0);
	unlink("t_restart");
	unlink("t_restart.fifo");
	lockfd = open("t_restart", O_RDWR | O_CREAT, 0600);
	must(lockfd >= 0 && mkfifo("t_restart.fifo", 0600) == 0);
	must(flock(lockfd, LOCK_EX) == 0);
	must(fcntl(lockfd, F_SETLK, &fl) == 0);
}

static void
unprepare(void)
{
	close(in[0]);
	close(in[1]);
	close(out[0]);
	close(out[1]);
	close(lockfd);
	unlink("t_restart");
	unlink("t_restart.fifo");
}

/* A child that makes the call; callwait's has one of its own. */
static int
start(const struct waiting *w, int flags)
{
	struct sigaction sa = {.sa_handler = onhandled, .sa_flags = flags};
	int pid = fork();
	sigset_t s;
	char c;

	must(pid >= 0);
	if (pid)
		return pid;
	if (w->call == callwait && (waitedfor = fork()) == 0) {
		must(read(in[0], &c, 1) == 1);
		_exit(0);
	}
	if (w->end == end40) {
		sigfillset(&s);
		sigdelset(&s, SIGUSR1);
		sigprocmask(SIG_SETMASK, &s, 0);
	}
	sigfillset(&sa.sa_mask);
	sigaction(SIGUSR1, &sa, 0);
	errno = 0;
	shared->result = w->call();
	shared->ended = 1;
	finish();
}

/* Interrupt it by a handler. */
static void
interrupted(const struct waiting *w, int flags)
{
	int restarts = w->restarts && flags, pid;

	prepare();
	pid = start(w, flags);
	asleep(pid);
	kill(pid, SIGUSR1);
	while (!*(volatile int *)&shared->handled)
		sched_yield();
	if (restarts) {
		asleep(pid);
		check(!shared->ended);
		w->end(pid);
	}
	if (w->call == callwait && !restarts)
		w->end(pid);
	reaped(pid);
	if (shared->result != (restarts ? w->result : -EINTR))
		failed(__FILE__, __LINE__, "%s%s: %ld", w->name,
			flags ? " with SA_RESTART" : "", shared->result);
	unprepare();
}

static void
restart_without_flag(void)
{
	int i;

	shared = mmap(0, PG, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		-1, 0);
	for (i = 0; i < NUM(waitings); i++)
		interrupted(&waitings[i], 0);
}

static void
restart_with_flag(void)
{
	int i;

	shared = mmap(0, PG, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		-1, 0);
	for (i = 0; i < NUM(waitings); i++)
		interrupted(&waitings[i], SA_RESTART);
}

/* A stop, seen by no handler, changes nothing. */
static void
restart_after_stop(void)
{
	const struct waiting *w;
	int pid, st;

	shared = mmap(0, PG, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		-1, 0);
	for (w = waitings; w < waitings + NUM(waitings); w++) {
		if (!w->again)
			continue;
		prepare();
		pid = start(w, 0);
		asleep(pid);
		kill(pid, SIGSTOP);
		must(waitpid(pid, &st, WUNTRACED) == pid);
		checkeq(st, 0x137f);
		kill(pid, SIGCONT);
		must(waitpid(pid, &st, WCONTINUED) == pid);
		checkeq(st, 0xffff);
		w->end(pid);
		reaped(pid);
		if (shared->result != w->result)
			failed(__FILE__, __LINE__, "%s: %ld", w->name,
				shared->result);
		checkeq(shared->handled, 0);
		unprepare();
	}
}

const struct test t_restart[] = {
	T(restart_without_flag),
	T(restart_with_flag),
	T(restart_after_stop),
	{0},
};
