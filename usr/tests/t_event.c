/* t_event.c - descriptors to wait on, and waiting on many: eventfd, poll. */
#include "t.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/resource.h>
#include <sys/stat.h>

static int
polled(int fd, int events)
{
	struct pollfd p = {.fd = fd, .events = events};

	must(poll(&p, 1, 0) >= 0);
	return p.revents;
}

static long
add(int fd, uint64_t n)
{
	return write(fd, &n, sizeof n);
}

static long long
take(int fd)
{
	uint64_t n = 0;

	return read(fd, &n, sizeof n) == sizeof n ? (long long)n : -1;
}

/* Wait until the process sleeps. */
static void
asleep(int pid)
{
	char name[40], line[200], *p;
	int fd, n;

	snprintf(name, sizeof name, "/proc/%d/stat", pid);
	for (;;) {
		must((fd = open(name, O_RDONLY)) >= 0);
		must((n = read(fd, line, sizeof line - 1)) > 0);
		close(fd);
		line[n] = 0;
		p = strrchr(line, ')');
		if (p && p[2] == 'S')
			return;
		sched_yield();
	}
}

static void
eventfd_counts(void)
{
	int fd = eventfd(3, EFD_NONBLOCK);
	char b[24] = "", *volatile bad = (char *)16;

	must(fd >= 0);
	checkeq(polled(fd, -1), POLLIN | POLLOUT);
	checkeq(add(fd, 0), 8);
	checkeq(add(fd, 1ull << 40), 8);
	checkeq(take(fd), (1ll << 40) + 3);
	checkerr(read(fd, b, 8), EAGAIN);
	checkeq(polled(fd, -1), POLLOUT);
	checkerr(read(fd, b, 7), EINVAL);
	checkerr(write(fd, b, 7), EINVAL);
	checkerr(add(fd, -1ull), EINVAL);
	checkeq(add(fd, -2ull), 8);
	checkeq(polled(fd, -1), POLLIN);
	checkerr(add(fd, 1), EAGAIN);
	checkeq(add(fd, 0), 8);
	checkeq(read(fd, b, 24), 8);
	checkeq(b[0], -2);
	checkerr(write(fd, bad, 8), EFAULT);
	checkeq(add(fd, 1), 8);
	checkerr(read(fd, bad, 8), EFAULT);
}

static void
eventfd_semaphore(void)
{
	int fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);

	must(fd >= 0);
	checkeq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	checkeq(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
	checkeq(take(fd), 1);
	checkeq(take(fd), 1);
	checkerr(take(fd), EAGAIN);
	checkerr(eventfd(0, 2), EINVAL);
	checkerr(eventfd(0, ~0), EINVAL);
	checkeq(syscall(323, 7), fd + 1);
	checkeq(take(fd + 1), 7);
}

static void
eventfd_blocks(void)
{
	int fd = eventfd(0, 0), pid;

	if ((pid = fork()) == 0) {
		checkeq(take(fd), 5);
		checkeq(add(fd, -2ull), 8);
		checkeq(add(fd, 9), 8); /* must wait */
		finish();
	}
	asleep(pid);
	checkeq(add(fd, 5), 8);
	while (polled(fd, POLLOUT))
		sched_yield();
	asleep(pid);
	checkeq(take(fd), -2);
	checkeq(take(fd), 9);
	reaped(pid);
}

/* What each of several writers adds is read once. */
static void
eventfd_loses_nothing(void)
{
	int fd = eventfd(0, 0), pid[4], i, k;
	long long sum = 0;

	for (k = 0; k < 4; k++) {
		if ((pid[k] = fork()) == 0) {
			for (i = 1; i <= 500; i++)
				must(add(fd, i) == 8);
			finish();
		}
	}
	while (sum < 4 * 500 * 501 / 2)
		sum += take(fd);
	checkeq(sum, 4 * 500 * 501 / 2);
	for (k = 0; k < 4; k++)
		reaped(pid[k]);
}

static void
anon_files_have_no_path(void)
{
	int fd = eventfd(0, 0);
	char name[40], link[40];
	struct stat st;
	int n;

	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	must((n = readlink(name, link, sizeof link - 1)) > 0);
	link[n] = 0;
	checkeq(strcmp(link, "anon_inode:[eventfd]"), 0);
	checkerr(open(name, O_RDONLY), ENXIO);
	must(fstat(fd, &st) == 0);
	checkeq(st.st_mode, 0600);
	checkeq(st.st_size, 0);
	checkeq(st.st_nlink, 1);
	checkerr(ftruncate(fd, 0), EINVAL);
	checkerr(fsync(fd), EINVAL);
	checkerr(pread(fd, link, 8, 0), ESPIPE);
}

static void
poll_marks_what_is_not_open(void)
{
	struct pollfd p[4] = {{.fd = 0}, {.fd = 99}, {.fd = -99}};
	int fd = open("/", O_PATH);

	p[3].fd = fd;
	p[0].revents = p[1].revents = p[2].revents = 77;
	p[0].fd = eventfd(1, 0);
	p[0].events = 0;
	checkeq(poll(p, 4, 0), 2);
	checkeq(p[0].revents, 0);
	checkeq(p[1].revents, POLLNVAL);
	checkeq(p[2].revents, 0);
	checkeq(p[3].revents, POLLNVAL);
}

static struct pollfd many[4000];

static void
poll_thousand(void)
{
	struct pollfd *volatile bad = (struct pollfd *)16;
	struct rlimit lim;
	int i, fd, pid;

	for (i = 0; i < 1000; i++) {
		many[i].events = POLLIN;
		must((many[i].fd = eventfd(0, 0)) >= 0);
	}
	fd = many[777].fd;
	if ((pid = fork()) == 0) {
		asleep(getppid());
		must(add(fd, 1) == 8);
		finish();
	}
	checkeq(poll(many, 1000, -1), 1);
	checkeq(many[777].revents, POLLIN);
	reaped(pid);
	must(getrlimit(RLIMIT_NOFILE, &lim) == 0);
	lim.rlim_cur = 900;
	must(setrlimit(RLIMIT_NOFILE, &lim) == 0);
	checkeq(poll(many, 900, 0), 1);
	checkerr(poll(many, 901, 0), EINVAL);
	checkerr(poll(bad, 1, 0), EFAULT);
	checkeq(poll(bad, 0, 0), 0);
}

static int usr1;

static void
onusr1(int sig)
{
	(void)sig;
	usr1++;
}

/* The mask is in force during the call only.  A signal ends a call that does not
 * wait too. */
static void
ppoll_mask_and_time(void)
{
	struct pollfd p = {.events = POLLIN, .revents = 77};
	struct timespec t = {1000, 0};
	sigset_t usr, none, now;

	sigemptyset(&none);
	sigemptyset(&usr);
	sigaddset(&usr, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr, 0);
	signal(SIGUSR1, onusr1);
	p.fd = eventfd(0, 0);
	raise(SIGUSR1);
	checkeq(usr1, 0);
	checkerr(syscall(SYS_ppoll, &p, 1, &t, &none, 8), EINTR);
	checkeq(usr1, 1);
	checkeq(p.revents, 0);
	checkrange(t.tv_sec * 1000 + t.tv_nsec / 1000000, 990000, 999999);
	sigprocmask(SIG_BLOCK, 0, &now);
	checkeq(sigismember(&now, SIGUSR1), 1);
	checkerr(syscall(SYS_ppoll, &p, 1, &t, &none, 7), EINVAL);
	t.tv_nsec = 1000000000;
	checkerr(syscall(SYS_ppoll, &p, 1, &t, 0, 8), EINVAL);
	t.tv_nsec = -1;
	checkerr(syscall(SYS_ppoll, &p, 1, &t, 0, 8), EINVAL);
	t.tv_sec = t.tv_nsec = 0;
	raise(SIGUSR1);
	checkerr(syscall(SYS_ppoll, &p, 1, &t, &none, 8), EINTR);
	checkeq(usr1, 2);
	add(p.fd, 1);
	raise(SIGUSR1);
	checkeq(syscall(SYS_ppoll, &p, 1, &t, &none, 8), 1);
	checkeq(usr1, 2); /* nothing was interrupted */
}

static void
pselect_interrupted_keeps_sets(void)
{
	struct timespec t = {1000, 0};
	sigset_t none;
	fd_set r;
	int fd = eventfd(0, 0);

	signal(SIGUSR1, onusr1);
	sigemptyset(&none);
	sigaddset(&none, SIGUSR1);
	sigprocmask(SIG_BLOCK, &none, 0);
	sigemptyset(&none);
	raise(SIGUSR1);
	FD_ZERO(&r);
	FD_SET(fd, &r);
	checkerr(pselect(fd + 1, &r, 0, 0, &t, &none), EINTR);
	checkeq(FD_ISSET(fd, &r), 1);
	checkeq(pselect(fd + 1, 0, &r, 0, &t, &none), 1);
	checkeq(FD_ISSET(fd, &r), 1);
}

/* Sets of more than FD_SETSIZE bits; bits beyond the table do not matter. */
static void
select_large_sets(void)
{
	static unsigned set[128];
	struct timeval t = {0, 0};
	struct rlimit lim;
	int fd;

	must(getrlimit(RLIMIT_NOFILE, &lim) == 0);
	lim.rlim_cur = 3000;
	must(setrlimit(RLIMIT_NOFILE, &lim) == 0);
	must((fd = fcntl(eventfd(1, 0), F_DUPFD, 2500)) == 2500);
	set[2500 / 32] = 1 << 2500 % 32;
	checkeq(syscall(SYS__newselect, 4096, set, 0, 0, &t), 1);
	checkeq(set[2500 / 32], 1 << 2500 % 32);
	take(fd);
	checkeq(syscall(SYS__newselect, 4096, set, 0, 0, &t), 0);
	checkeq(set[2500 / 32], 0);
	set[2500 / 32] = 1 << 2500 % 32;
	checkeq(syscall(SYS__newselect, 2500, set, 0, 0, &t), 0);
	checkeq(set[2500 / 32], 0); /* beyond n, but of the same word */
	set[2500 / 32] = 2 << 2500 % 32;
	checkerr(syscall(SYS__newselect, 4096, set, 0, 0, &t), EBADF);
	checkeq(set[2500 / 32], 2 << 2500 % 32);
}

/* Each of many wakeups is seen, whoever is faster. */
static void
poll_misses_no_wakeup(void)
{
	int a = eventfd(0, 0), b = eventfd(0, 0), i, pid;
	struct pollfd p[2] = {{a, POLLIN, 0}, {b, POLLIN, 0}};

	if ((pid = fork()) == 0) {
		for (i = 0; i < 3000; i++) {
			p[0].fd = b;
			must(poll(p, 1, -1) == 1);
			checkeq(take(b), 1);
			must(add(a, 1) == 8);
		}
		finish();
	}
	for (i = 0; i < 3000; i++) {
		must(add(b, 1) == 8);
		must(poll(p, 1, -1) == 1);
		checkeq(take(a), 1);
	}
	reaped(pid);
}

const struct test t_event[] = {
	T(eventfd_counts),
	T(eventfd_semaphore),
	T(eventfd_blocks),
	T(eventfd_loses_nothing),
	T(anon_files_have_no_path),
	T(poll_marks_what_is_not_open),
	T(poll_thousand),
	T(ppoll_mask_and_time),
	T(pselect_interrupted_keeps_sets),
	T(select_large_sets),
	T(poll_misses_no_wakeup),
	{0},
};
