/* t_event.c - descriptors to wait on, and waiting on many: eventfd, timerfd,
 * signalfd, poll, select, epoll. */
#include "t.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>

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
	checkerr(fchmod(fd, 0777), EOPNOTSUPP);
	checkerr(fchown(fd, 1, 1), EOPNOTSUPP);
	checkerr(futimens(fd, 0), EOPNOTSUPP);
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

/* The mask is in force during the call only.  A signal ends a call that does
 * not wait too. */
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

/* EPOLL_CTL_ADD or MOD with the descriptor as data. */
static int
ctl(int ep, int op, int fd, unsigned events)
{
	struct epoll_event ev = {.events = events, .data.u64 = fd};

	return epoll_ctl(ep, op, fd, &ev);
}

static void
watch(int ep, int fd, unsigned events)
{
	must(ctl(ep, EPOLL_CTL_ADD, fd, events) == 0);
}

static struct epoll_event got[4000];

/* What epoll_wait tells now, as text: "3:IN 5:INOUT". */
static const char *
waited(int ep, int max)
{
	static char text[400];
	int n = epoll_wait(ep, got, max, 0), i, at = 0;

	must(n >= 0);
	text[0] = 0;
	for (i = 0; i < n; i++) {
		unsigned e = got[i].events;

		at += snprintf(text + at, sizeof text - at, "%s%lld:%s%s%s%s",
			i ? " " : "", (long long)got[i].data.u64,
			e & EPOLLIN ? "IN" : "", e & EPOLLOUT ? "OUT" : "",
			e & EPOLLERR ? "ERR" : "", e & EPOLLHUP ? "HUP" : "");
		checkeq(e & ~(EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP), 0);
	}
	return text;
}

/* Complain unless epoll_wait tells that, where %d is for the descriptor. */
static void
tells_(int line, int ep, int max, const char *want, int fd)
{
	char text[100];
	const char *is = waited(ep, max);

	snprintf(text, sizeof text, want, fd, fd, fd);
	if (strcmp(text, is) != 0)
		failed(__FILE__, line, "told \"%s\", not \"%s\"", is, text);
}
#define tells(ep, want, fd) tells_(__LINE__, ep, NUM(got), want, fd)

static void
epoll_level_triggered(void)
{
	int ep = epoll_create1(EPOLL_CLOEXEC), fd = eventfd(0, EFD_NONBLOCK);

	checkeq(fcntl(ep, F_GETFD), FD_CLOEXEC);
	watch(ep, fd, EPOLLIN);
	tells(ep, "", fd);
	add(fd, 1);
	tells(ep, "%d:IN", fd);
	tells(ep, "%d:IN", fd);
	checkeq(ctl(ep, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLOUT), 0);
	tells(ep, "%d:INOUT", fd);
	take(fd);
	tells(ep, "%d:OUT", fd);
	checkeq(ctl(ep, EPOLL_CTL_MOD, fd, 0), 0);
	tells(ep, "", fd);
	checkeq(ctl(ep, EPOLL_CTL_MOD, fd, EPOLLOUT), 0);
	tells(ep, "%d:OUT", fd);
	checkeq(epoll_ctl(ep, EPOLL_CTL_DEL, fd, 0), 0);
	tells(ep, "", fd);
}

static void
epoll_edge_triggered(void)
{
	int ep = epoll_create1(0), fd = eventfd(0, EFD_NONBLOCK);

	watch(ep, fd, EPOLLIN | EPOLLET);
	add(fd, 1);
	tells(ep, "%d:IN", fd);
	tells(ep, "", fd);
	add(fd, 1);
	add(fd, 1);
	tells(ep, "%d:IN", fd);
	tells(ep, "", fd);
	add(fd, 1);
	take(fd); /* gone before anybody looked */
	tells(ep, "", fd);
	add(fd, 1);
	checkeq(ctl(ep, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLET), 0);
	tells(ep, "%d:IN", fd);
	checkeq(ctl(ep, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLET), 0);
	tells(ep, "%d:IN", fd);
	checkeq(ctl(ep, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLOUT | EPOLLET), 0);
	tells(ep, "%d:INOUT", fd);
	add(fd, 1); /* an edge of one tells of all */
	tells(ep, "%d:INOUT", fd);
	take(fd);
	tells(ep, "%d:OUT", fd);
	tells(ep, "", fd);
}

/* Room in a pipe that was not full is no edge for its writer. */
static void
epoll_edges_of_a_pipe(void)
{
	static char buf[65536];
	int ep = epoll_create1(0), p[2];

	must(pipe2(p, O_NONBLOCK) == 0);
	watch(ep, p[0], EPOLLIN | EPOLLET);
	watch(ep, p[1], EPOLLOUT | EPOLLET);
	tells(ep, "%d:OUT", p[1]);
	must(write(p[1], "ab", 2) == 2);
	tells(ep, "%d:IN", p[0]);
	must(write(p[1], "c", 1) == 1);
	tells(ep, "%d:IN", p[0]);
	must(read(p[0], buf, 1) == 1);
	tells(ep, "", 0);
	must(read(p[0], buf, 2) == 2);
	must(write(p[1], buf, 65536) == 65536);
	tells(ep, "%d:IN", p[0]);
	must(read(p[0], buf, 65536) == 65536);
	tells(ep, "%d:OUT", p[1]);
	close(p[1]);
	tells(ep, "%d:HUP", p[0]);
	tells(ep, "", 0);
	must(pipe2(p, O_NONBLOCK) == 0);
	watch(ep, p[1], 0);
	close(p[0]);
	tells(ep, "%d:ERR", p[1]);
	tells(ep, "%d:ERR", p[1]);
}

/* What the other end takes is no edge for who waits to read. */
static void
epoll_edges_of_a_socket(void)
{
	int ep = epoll_create1(0), s[2];
	char c;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	watch(ep, s[0], EPOLLIN | EPOLLET);
	tells(ep, "", 0);
	must(write(s[1], "a", 1) == 1);
	tells(ep, "%d:IN", s[0]);
	must(write(s[0], "b", 1) == 1);
	must(read(s[1], &c, 1) == 1);
	tells(ep, "", 0);
	must(write(s[1], "c", 1) == 1);
	tells(ep, "%d:IN", s[0]);
	checkeq(ctl(ep, EPOLL_CTL_MOD, s[0], EPOLLRDHUP), 0);
	tells(ep, "", 0);
	must(shutdown(s[1], SHUT_WR) == 0);
	checkeq(epoll_wait(ep, got, 4, 0), 1);
	checkeq(got[0].events, EPOLLRDHUP);
	checkeq(polled(s[0], POLLRDHUP), POLLRDHUP);
	close(s[1]);
	checkeq(epoll_wait(ep, got, 4, 0), 1);
	checkeq(got[0].events, EPOLLRDHUP | EPOLLHUP);
}

static void
epoll_oneshot(void)
{
	int ep = epoll_create1(0), fd = eventfd(1, EFD_NONBLOCK);

	watch(ep, fd, EPOLLIN | EPOLLONESHOT);
	tells(ep, "%d:IN", fd);
	tells(ep, "", fd);
	add(fd, 1);
	tells(ep, "", fd);
	checkeq(ctl(ep, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT), 0);
	tells(ep, "%d:IN", fd);
	tells(ep, "", fd);
	checkerr(ctl(ep, EPOLL_CTL_ADD, fd, EPOLLIN), EEXIST);
}

static void
epoll_errors(void)
{
	int ep = epoll_create(1), ep2 = epoll_create1(0), fd = eventfd(1, 0);
	struct epoll_event ev = {0};
	int file = open(exepath, O_RDONLY), path = open("/", O_PATH);
	struct epoll_event *volatile bad = (struct epoll_event *)16;
	volatile int minus = -1;

	checkerr(epoll_create(0), EINVAL);
	checkerr(epoll_create(-1), EINVAL);
	checkerr(epoll_create1(1), EINVAL);
	checkerr(epoll_ctl(99, EPOLL_CTL_ADD, fd, &ev), EBADF);
	checkerr(epoll_ctl(ep, EPOLL_CTL_ADD, 99, &ev), EBADF);
	checkerr(epoll_ctl(ep, EPOLL_CTL_ADD, path, &ev), EBADF);
	checkerr(epoll_ctl(ep, EPOLL_CTL_ADD, file, &ev), EPERM);
	checkerr(epoll_ctl(fd, EPOLL_CTL_ADD, ep, &ev), EINVAL);
	checkerr(epoll_ctl(fd, EPOLL_CTL_ADD, file, &ev), EPERM);
	checkerr(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &ev), EINVAL);
	checkerr(epoll_ctl(ep, 4, fd, &ev), EINVAL);
	checkerr(epoll_ctl(ep, EPOLL_CTL_ADD, fd, bad), EFAULT);
	checkerr(epoll_ctl(99, EPOLL_CTL_ADD, fd, bad), EFAULT);
	checkerr(epoll_ctl(ep, EPOLL_CTL_DEL, fd, bad), ENOENT);
	checkerr(epoll_ctl(ep, EPOLL_CTL_MOD, fd, &ev), ENOENT);
	checkerr(epoll_wait(ep, &ev, 0, 0), EINVAL);
	checkerr(epoll_wait(ep, &ev, minus, 0), EINVAL);
	checkerr(epoll_wait(99, &ev, 1, 0), EBADF);
	checkerr(epoll_wait(fd, &ev, 1, 0), EINVAL);
	watch(ep, fd, EPOLLIN | EPOLLET);
	checkerr(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev), EEXIST);
	checkerr(epoll_wait(ep, bad, 1, 0), EFAULT);
	tells(ep, "%d:IN", fd); /* not lost */
	tells(ep, "", fd);
	ev.events = EPOLLEXCLUSIVE | EPOLLIN;
	checkerr(epoll_ctl(ep, EPOLL_CTL_MOD, fd, &ev), EINVAL);
	checkerr(epoll_ctl(ep, EPOLL_CTL_ADD, ep2, &ev), EINVAL);
	ev.events |= EPOLLONESHOT;
	checkerr(epoll_ctl(ep2, EPOLL_CTL_ADD, fd, &ev), EINVAL);
	watch(ep2, fd, EPOLLIN | EPOLLET | EPOLLEXCLUSIVE | EPOLLWAKEUP);
	checkerr(ctl(ep2, EPOLL_CTL_MOD, fd, EPOLLIN), EINVAL);
	tells(ep2, "%d:IN", fd);
	checkerr(read(ep, &ev, 8), EINVAL);
	checkerr(write(ep, &ev, 8), EINVAL);
}

static void
epoll_data_is_returned(void)
{
	struct epoll_event ev = {EPOLLIN, {.u64 = 0x123456789abcdef0}}, out[3];
	int ep = epoll_create1(0), fd = eventfd(1, 0);

	memset(out, 0xee, sizeof out);
	must(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == 0);
	checkeq(epoll_wait(ep, out, 3, -1), 1);
	checkeq(out[0].data.u64, ev.data.u64);
	checkeq(out[0].events, EPOLLIN);
	checkeq(out[1].events, 0xeeeeeeee);
}

/* With room for one event all that are ready have their turn. */
static void
epoll_is_fair(void)
{
	int ep = epoll_create1(0), fd[4], i, k, count[4] = {0};

	for (i = 0; i < 4; i++) {
		must((fd[i] = eventfd(1, 0)) >= 0);
		watch(ep, fd[i], EPOLLIN);
	}
	for (k = 0; k < 12; k++) {
		checkeq(epoll_wait(ep, got, 1, 0), 1);
		for (i = 0; i < 4; i++)
			count[i] += got[0].data.u64 == (unsigned)fd[i];
		checkeq(got[0].data.u64, fd[k % 4]);
	}
	for (i = 0; i < 4; i++)
		checkeq(count[i], 3);
	take(fd[1]);
	checkeq(epoll_wait(ep, got, 2, 0), 2);
	checkeq(got[0].data.u64, fd[0]);
	checkeq(got[1].data.u64, fd[2]);
}

/* A file leaves when its last descriptor is closed, whichever was added. */
static void
epoll_forgets_closed_files(void)
{
	int ep = epoll_create1(0), fd = eventfd(1, 0), d = dup(fd), i;

	watch(ep, fd, EPOLLIN);
	close(fd);
	tells(ep, "%d:IN", fd);
	checkerr(ctl(ep, EPOLL_CTL_DEL, fd, 0), EBADF);
	must(dup2(d, fd) == fd);
	checkerr(ctl(ep, EPOLL_CTL_ADD, fd, 0), EEXIST);
	watch(ep, d, EPOLLIN);
	checkeq(epoll_wait(ep, got, 4, 0), 2);
	close(d);
	close(fd);
	tells(ep, "", 0);
	checkeq(epoll_wait(ep, got, 4, 10), 0);
	for (i = 0; i < 300; i++) {
		must((fd = eventfd(1, 0)) >= 0);
		watch(ep, fd, EPOLLIN);
		if (i % 3)
			close(fd);
	}
	checkeq(epoll_wait(ep, got, 400, 0), 100);
	must((fd = eventfd(1, 0)) >= 0);
	for (i = 0; i < 300; i++) {
		must((d = epoll_create1(0)) >= 0);
		watch(d, fd, EPOLLOUT);
		if (i % 3)
			close(d);
	}
	close(fd);
	checkeq(epoll_wait(ep, got, 400, 0), 100);
}

static void
epoll_nested(void)
{
	int in = epoll_create1(0), out = epoll_create1(0), fd = eventfd(0, 0);
	int pid;

	watch(in, fd, EPOLLIN);
	watch(out, in, EPOLLIN);
	tells(out, "", in);
	checkeq(polled(in, -1), 0);
	add(fd, 1);
	checkeq(polled(in, -1), EPOLLIN | EPOLLRDNORM);
	checkeq(polled(out, POLLIN), POLLIN);
	tells(out, "%d:IN", in);
	tells(in, "%d:IN", fd);
	tells(out, "%d:IN", in);
	take(fd);
	checkeq(polled(out, POLLIN), 0);
	tells(out, "", in);
	checkeq(ctl(out, EPOLL_CTL_MOD, in, EPOLLIN | EPOLLET), 0);
	add(fd, 1);
	tells(out, "%d:IN", in);
	tells(out, "", in);
	add(fd, 1);
	tells(out, "%d:IN", in);
	take(fd);
	if ((pid = fork()) == 0) {
		asleep(getppid());
		must(add(fd, 1) == 8);
		finish();
	}
	checkeq(epoll_wait(out, got, 4, -1), 1);
	reaped(pid);
	take(fd);
	if ((pid = fork()) == 0) {
		struct pollfd p = {out, POLLIN, 0};

		checkeq(poll(&p, 1, -1), 1);
		finish();
	}
	asleep(pid);
	add(fd, 1);
	reaped(pid);
	close(in);
	tells(out, "", in);
}

/* No circle, and no more than five in a row, however it is built. */
static void
epoll_chains_are_short(void)
{
	int e[8], i;

	for (i = 0; i < 8; i++)
		e[i] = epoll_create1(0);
	for (i = 1; i < 5; i++)
		watch(e[i], e[i - 1], EPOLLIN);
	checkerr(ctl(e[5], EPOLL_CTL_ADD, e[4], EPOLLIN), ELOOP);
	checkerr(ctl(e[0], EPOLL_CTL_ADD, e[4], EPOLLIN), ELOOP);
	checkerr(ctl(e[0], EPOLL_CTL_ADD, e[1], EPOLLIN), ELOOP);
	checkerr(ctl(e[0], EPOLL_CTL_ADD, e[5], EPOLLIN), ELOOP);
	watch(e[1], e[5], EPOLLIN);
	checkerr(ctl(e[5], EPOLL_CTL_ADD, e[6], EPOLLIN), ELOOP);
	watch(e[7], e[6], EPOLLIN);
	checkerr(ctl(e[6], EPOLL_CTL_ADD, e[3], EPOLLIN), ELOOP);
	watch(e[6], e[2], EPOLLIN);
	i = eventfd(1, 0);
	watch(e[0], i, EPOLLIN);
	tells(e[4], "%d:IN", e[3]);
	tells(e[7], "%d:IN", e[6]);
}

static void
epoll_waits(void)
{
	int ep = epoll_create1(0), fd = eventfd(0, 0), pid;
	long long start = nowms();
	sigset_t set;

	watch(ep, fd, EPOLLIN);
	checkeq(epoll_wait(ep, got, 4, 100), 0);
	checkrange(nowms() - start, 99, 2000);
	start = nowms();
	checkeq(syscall(441, ep, got, 4, (long long[]){0, 30000000}, 0, 8), 0);
	checkrange(nowms() - start, 29, 2000);
	checkerr(syscall(441, ep, got, 4, (long long[]){0, 1000000000}, 0, 8),
		EINVAL);
	checkerr(syscall(441, ep, got, 4, (long long[]){-1, 0}, 0, 8), EINVAL);
	if ((pid = fork()) == 0) {
		asleep(getppid());
		must(add(fd, 1) == 8);
		finish();
	}
	checkeq(epoll_wait(ep, got, 4, -1), 1);
	reaped(pid);
	signal(SIGUSR1, onusr1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, 0);
	raise(SIGUSR1);
	sigemptyset(&set);
	/* an event comes first */
	checkeq(epoll_pwait(ep, got, 4, -1, &set), 1);
	checkeq(usr1, 0);
	take(fd);
	checkeq(epoll_pwait(ep, got, 4, 0, &set), 0);
	checkerr(epoll_pwait(ep, got, 4, -1, &set), EINTR);
	checkeq(usr1, 1);
	sigprocmask(SIG_BLOCK, 0, &set);
	checkeq(sigismember(&set, SIGUSR1), 1);
	checkerr(syscall(SYS_epoll_pwait, ep, got, 4, 0, &set, 4), EINVAL);
}

/* A thousand files, one ready: that one is told. */
static void
epoll_thousand(void)
{
	int ep = epoll_create1(0), fd[1000], i;

	for (i = 0; i < 1000; i++) {
		must((fd[i] = eventfd(0, EFD_NONBLOCK)) >= 0);
		watch(ep, fd[i], EPOLLIN);
	}
	for (i = 0; i < 1000; i++) {
		add(fd[i], 1);
		tells(ep, "%d:IN", fd[i]);
		take(fd[i]);
	}
	for (i = 0; i < 1000; i++)
		add(fd[i], 1);
	checkeq(epoll_wait(ep, got, 4000, 0), 1000);
}

/* Several writers; the reader of edges takes all there is at each, and must
 * never wait for what has come already. */
static void
epoll_edges_are_not_lost(void)
{
	int ep = epoll_create1(0), fd[4], pid[4], i, k, n;
	long long sum = 0;

	for (k = 0; k < 4; k++) {
		must((fd[k] = eventfd(0, EFD_NONBLOCK)) >= 0);
		watch(ep, fd[k], EPOLLIN | EPOLLET);
	}
	for (k = 0; k < 4; k++) {
		if ((pid[k] = fork()) == 0) {
			for (i = 0; i < 1000; i++)
				must(add(fd[(i + k) % 4], 1) == 8);
			finish();
		}
	}
	while (sum < 4000) {
		must((n = epoll_wait(ep, got, 2, 20000)) > 0);
		for (i = 0; i < n; i++)
			sum += take((int)got[i].data.u64);
	}
	checkeq(sum, 4000);
	for (k = 0; k < 4; k++)
		reaped(pid[k]);
	tells(ep, "", 0);
}

/* Each event of an edge-triggered or oneshot file goes to one of those who wait
 * for it together. */
static void
epoll_shared_by_processes(void)
{
	int ep = epoll_create1(0),
		fd = eventfd(0, EFD_NONBLOCK | EFD_SEMAPHORE);
	int done = eventfd(0, EFD_SEMAPHORE), pid[3], k, i;

	watch(ep, fd, EPOLLIN | EPOLLONESHOT);
	for (k = 0; k < 3; k++) {
		if ((pid[k] = fork()) == 0) {
			for (i = 0; i < 200; i++) {
				must(epoll_wait(ep, got, 1, 20000) == 1);
				checkeq(take(fd), 1);
				must(add(done, 1) == 8);
			}
			finish();
		}
	}
	for (i = 0; i < 600; i++) {
		must(add(fd, 1) == 8);
		checkeq(take(done), 1);
		checkeq(ctl(ep, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT), 0);
	}
	for (k = 0; k < 3; k++)
		reaped(pid[k]);
}

/* Wakeups while watches come and go, of both kinds of files. */
static void
epoll_wakeup_against_close(void)
{
	int fd = eventfd(0, EFD_NONBLOCK), go = eventfd(0, 0), p[2], pid, i;
	int ep, in;

	must(pipe(p) == 0);
	if ((pid = fork()) == 0) {
		close(p[0]);
		signal(SIGPIPE, SIG_IGN);
		take(go);
		for (;;) {
			must(add(fd, 1) == 8);
			if (write(p[1], "x", 1) < 0)
				finish();
		}
	}
	add(go, 1);
	for (i = 0; i < 1000; i++) {
		char c[100];

		must((ep = epoll_create1(0)) >= 0);
		must((in = epoll_create1(0)) >= 0);
		watch(ep, fd, EPOLLIN | (i % 2 ? EPOLLET : 0));
		watch(in, p[0], EPOLLIN);
		watch(ep, in, EPOLLIN);
		must(epoll_wait(in, got, 1, 20000) == 1);
		must(read(p[0], c, sizeof c) > 0);
		epoll_wait(ep, got, 2, 0);
		if (i % 3 == 0)
			must(epoll_ctl(ep, EPOLL_CTL_DEL, fd, 0) == 0);
		close(i % 5 ? ep : in);
		close(i % 5 ? in : ep);
	}
	close(p[0]);
	reaped(pid);
}

/*
 * Random operations on files and their watches, against what poll() says: a
 * level-triggered watch tells what poll() does, an edge-triggered one that if
 * something has come since it was told last, a oneshot one once.
 */
#define FILES 6

struct model {
	int fd, watched;
	unsigned events; /* and flags, as last set */
	int edge;        /* something has come */
};

static void
edge(struct model *m, unsigned what)
{
	if (m->events & what)
		m->edge = 1;
}

static void
step(int ep, struct model *m)
{
	static const unsigned flags[] = {0, EPOLLET, EPOLLONESHOT,
		EPOLLET | EPOLLONESHOT};
	unsigned events = (rnd() % 4 & 1 ? EPOLLIN : 0) |
		(rnd() % 4 & 1 ? EPOLLOUT : 0) | flags[rnd() % 4];

	switch (rnd() % 6) {
	case 0:
	case 1:
		if (add(m->fd, rnd() % 3 ? 1 : 0xfffffffffffffffdull) == 8)
			edge(m, EPOLLIN);
		break;
	case 2:
		if (take(m->fd) >= -4 && errno != EAGAIN)
			edge(m, EPOLLOUT);
		break;
	case 3:
		checkeq(ctl(ep, m->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
			m->fd, events), 0);
		m->watched = 1;
		m->events = events;
		m->edge = polled(m->fd, events) != 0;
		break;
	case 4:
		if (rnd() % 3)
			break;
		checkeq(ctl(ep, EPOLL_CTL_DEL, m->fd, 0), m->watched ? 0 : -1);
		m->watched = 0;
		m->events = 0;
		m->edge = 0;
		break;
	case 5:
		if (rnd() % 3)
			break;
		close(m->fd);
		must((m->fd = eventfd(rnd() % 2, EFD_NONBLOCK)) >= 0);
		m->watched = 0;
		m->events = 0;
		m->edge = 0;
	}
}

static void
epoll_random_against_poll(void)
{
	struct model m[FILES] = {{0}};
	int ep = epoll_create1(0), i, k, n, j;
	unsigned want, is;

	srnd(15);
	for (k = 0; k < FILES; k++)
		m[k].fd = eventfd(0, EFD_NONBLOCK);
	for (i = 0; i < 4000; i++) {
		errno = 0;
		step(ep, &m[rnd() % FILES]);
		if (rnd() % 2)
			continue;
		must((n = epoll_wait(ep, got, NUM(got), 0)) >= 0);
		for (k = 0; k < FILES; k++) {
			want = polled(m[k].fd, m[k].events);
			if (!m[k].watched || ((m[k].events & EPOLLET) &&
				!m[k].edge))
				want = 0;
			for (is = 0, j = 0; j < n; j++)
				if ((int)got[j].data.u64 == m[k].fd)
					is = got[j].events;
			if (is != want)
				failed(__FILE__, __LINE__, "step %d: file %d "
					"is told 0x%x, not 0x%x", i, k, is,
					want);
			m[k].edge = 0;
			if (is && (m[k].events & EPOLLONESHOT))
				m[k].events = 0;
		}
	}
}

/* Set a timerfd in milliseconds; abs: of its clock. */
static int
settimer(int fd, int flags, long long value, long long interval)
{
	struct itimerspec it;

	it.it_value.tv_sec = value / 1000;
	it.it_value.tv_nsec = value % 1000 * 1000000;
	it.it_interval.tv_sec = interval / 1000;
	it.it_interval.tv_nsec = interval % 1000 * 1000000;
	return timerfd_settime(fd, flags, &it, 0);
}

static long long
clockms(int clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

/* What is left of a timerfd, in ms. */
static long long
timerleft(int fd)
{
	struct itimerspec it;

	must(timerfd_gettime(fd, &it) == 0);
	return it.it_value.tv_sec * 1000ll + it.it_value.tv_nsec / 1000000;
}

static void
timerfd_once(void)
{
	static const int clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC,
		CLOCK_BOOTTIME};
	long long start;
	int i, fd;

	for (i = 0; i < NUM(clocks); i++) {
		must((fd = timerfd_create(clocks[i], 0)) >= 0);
		checkeq(polled(fd, -1), 0);
		checkeq(timerleft(fd), 0);
		start = nowms();
		must(settimer(fd, 0, 50, 0) == 0);
		checkrange(timerleft(fd), 1, 50);
		checkeq(take(fd), 1);
		checkrange(nowms() - start, 49, 2000);
		checkeq(timerleft(fd), 0);
		checkeq(polled(fd, -1), 0);
		start = clockms(clocks[i]);
		must(settimer(fd, TFD_TIMER_ABSTIME, start + 50, 0) == 0);
		checkrange(timerleft(fd), 1, 50);
		while (polled(fd, -1) == 0)
			;
		checkrange(clockms(clocks[i]) - start, 50, 2000);
		checkeq(polled(fd, -1), POLLIN);
		checkeq(take(fd), 1);
		must(settimer(fd, 0, 10, 0) == 0);
		must(settimer(fd, 0, 0, 10) == 0); /* stopped */
		msleep(20);
		checkeq(polled(fd, -1), 0);
		close(fd);
	}
}

/* However many intervals have passed, the read tells how many. */
static void
timerfd_counts_intervals(void)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	struct itimerspec new = {{0, 0}, {0, 0}}, old;
	long long start, sum = 0, n, t1 = 0, t2;
	char b[16];

	must(fd >= 0);
	checkeq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	checkeq(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
	checkerr(take(fd), EAGAIN);
	start = clockms(CLOCK_REALTIME);
	must(settimer(fd, TFD_TIMER_ABSTIME, start - 1050000, 100000) == 0);
	checkeq(polled(fd, -1), POLLIN);
	checkeq(take(fd), 11);
	checkerr(take(fd), EAGAIN);
	checkrange(timerleft(fd), 40000, 50000);
	must(settimer(fd, TFD_TIMER_ABSTIME, start - 1050000, 100000) == 0);
	new.it_value.tv_sec = 1000;
	must(timerfd_settime(fd, 0, &new, &old) == 0);
	checkeq(old.it_interval.tv_sec, 100);
	checkrange(old.it_value.tv_sec, 40, 50);
	checkerr(take(fd), EAGAIN);
	must(fcntl(fd, F_SETFL, 0) == 0);
	start = nowms();
	must(settimer(fd, 0, 10, 10) == 0);
	while (t1 < 300) {
		t1 = nowms() - start;
		n = take(fd);
		t2 = nowms() - start;
		must(n > 0);
		sum += n;
		checkrange(sum, t1 / 10 - 1, t2 / 10 + 1);
	}
	checkerr(read(fd, b, 7), EINVAL);
	checkerr(write(fd, b, 8), EINVAL);
	msleep(20);
	checkeq(read(fd, b, 16), 8);
}

static void
timerfd_errors(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0), e = eventfd(0, 0);
	struct itimerspec it = {{0, 0}, {1, 0}};
	struct itimerspec *volatile bad = (struct itimerspec *)16;
	long long wide[4] = {0, 0, 1000, 0};

	checkerr(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
	checkerr(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL);
	checkerr(timerfd_create(CLOCK_MONOTONIC_COARSE, 0), EINVAL);
	checkerr(timerfd_create(-1, 0), EINVAL);
	checkerr(timerfd_settime(99, 0, &it, 0), EBADF);
	checkerr(timerfd_settime(e, 0, &it, 0), EINVAL);
	checkerr(timerfd_settime(fd, 4, &it, 0), EINVAL);
	checkerr(syscall(325, fd, 0, bad, 0), EFAULT);
	checkerr(syscall(325, fd, 0, &it, bad), EFAULT);
	checkerr(syscall(326, fd, bad), EFAULT);
	checkerr(timerfd_gettime(99, &it), EBADF);
	checkerr(timerfd_gettime(e, &it), EINVAL);
	it.it_value.tv_nsec = 1000000000;
	checkerr(timerfd_settime(fd, 0, &it, 0), EINVAL);
	it.it_value.tv_nsec = 0;
	it.it_interval.tv_sec = -1;
	checkerr(timerfd_settime(fd, 0, &it, 0), EINVAL);
	checkeq(syscall(411, fd, 0, wide, 0), 0);
	checkrange(timerleft(fd), 990000, 1000000);
	wide[2] = 0;
	checkeq(syscall(410, fd, wide), 0);
	checkrange(wide[2], 990, 1000);
	wide[2] = INT64_MAX;
	checkeq(syscall(411, fd, 0, wide, 0), 0);
	checkeq(polled(fd, -1), 0);
}

/* One edge for an expiry, until it is read. */
static void
timerfd_in_epoll(void)
{
	int ep = epoll_create1(0), fd = timerfd_create(CLOCK_MONOTONIC, 0);

	watch(ep, fd, EPOLLIN | EPOLLET);
	must(settimer(fd, 0, 10, 10) == 0);
	checkeq(epoll_wait(ep, got, 4, -1), 1);
	checkeq(epoll_wait(ep, got, 4, 30), 0);
	checkrange(take(fd), 3, 200);
	checkeq(epoll_wait(ep, got, 4, -1), 1);
	must(settimer(fd, 0, 0, 0) == 0);
	checkeq(epoll_wait(ep, got, 4, 30), 0);
}

static void
shiftclock(int seconds)
{
	struct timespec t;

	must(clock_gettime(CLOCK_REALTIME, &t) == 0);
	t.tv_sec += seconds;
	must(clock_settime(CLOCK_REALTIME, &t) == 0);
}

/* Sleeps until a time, and timers of timer_create for one, heed the clock: set
 * on they end, set back they go on. */
static void
clock_set_ends_waits(void)
{
	struct timespec end = {clockms(CLOCK_REALTIME) / 1000 + 500, 0};
	struct itimerspec it = {.it_value = end}, left;
	struct sigevent ev = {.sigev_signo = SIGUSR1};
	int pid, id = -1;
	sigset_t set;

	if (!quire)
		skip("sets the clock");
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	must(sigprocmask(SIG_BLOCK, &set, 0) == 0);
	must(syscall(SYS_timer_create, CLOCK_REALTIME, &ev, &id) == 0);
	must(syscall(SYS_timer_settime, id, TIMER_ABSTIME, &it, 0) == 0);
	if ((pid = fork()) == 0) {
		checkeq(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &end, 0),
			0);
		check(clockms(CLOCK_REALTIME) / 1000 >= end.tv_sec);
		finish();
	}
	asleep(pid);
	shiftclock(-100);
	must(syscall(SYS_timer_gettime, id, &left) == 0);
	checkrange(left.it_value.tv_sec, 590, 601);
	shiftclock(1000);
	checkeq(sigwaitinfo(&set, 0), SIGUSR1);
	reaped(pid);
	shiftclock(-900);
}

/* Setting the clock makes timers of real time due, and tells those that want to
 * know. */
static void
timerfd_clock_set(void)
{
	int abs = timerfd_create(CLOCK_REALTIME, 0), pid[2];
	int rel = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	int set = timerfd_create(CLOCK_REALTIME, 0);
	long long now = clockms(CLOCK_REALTIME);
	int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;

	if (!quire)
		skip("sets the clock");
	must(settimer(abs, TFD_TIMER_ABSTIME, now + 500000, 0) == 0);
	must(settimer(rel, 0, 500000, 0) == 0);
	must(settimer(set, flags, now + 5000000, 0) == 0);
	if ((pid[0] = fork()) == 0) {
		checkeq(take(abs), 1);
		finish();
	}
	if ((pid[1] = fork()) == 0) {
		checkerr(take(set), ECANCELED);
		finish();
	}
	asleep(pid[0]);
	asleep(pid[1]);
	shiftclock(1000);
	reaped(pid[0]);
	reaped(pid[1]);
	checkerr(take(rel), EAGAIN);
	checkrange(timerleft(rel), 490000, 500000);
	checkrange(timerleft(set), 3990000, 4000000); /* it goes on */
	checkeq(polled(set, -1), 0);
	shiftclock(-1000);
	checkeq(polled(set, -1), POLLIN);
	checkerr(settimer(set, flags, now + 500000, 0), ECANCELED);
	checkeq(polled(set, -1), 0);
	shiftclock(0);
	checkeq(polled(set, -1), POLLIN);
	checkerr(take(set), ECANCELED);
}

/* Block these signals (0 ends the list), and a signalfd for them. */
static int
sigfd(int flags, int a, int b, int c)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, a);
	if (b)
		sigaddset(&set, b);
	if (c)
		sigaddset(&set, c);
	must(sigprocmask(SIG_BLOCK, &set, 0) == 0);
	return signalfd(-1, &set, flags);
}

static void
signalfd_reads_what_is_pending(void)
{
	int fd = sigfd(SFD_NONBLOCK | SFD_CLOEXEC, SIGUSR1, SIGUSR2, 40), i;
	struct signalfd_siginfo in[5], none = {0};
	union sigval v = {.sival_int = 77};
	sigset_t set;

	checkeq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	checkeq(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
	checkerr(read(fd, in, sizeof in), EAGAIN);
	checkeq(polled(fd, -1), 0);
	must(sigqueue(getpid(), 40, v) == 0);
	v.sival_int = 78;
	must(sigqueue(getpid(), 40, v) == 0);
	kill(getpid(), SIGUSR2);
	kill(getpid(), SIGUSR2);
	raise(SIGUSR1); /* of the thread */
	checkeq(polled(fd, -1), POLLIN);
	checkeq(read(fd, in, 127), -1);
	checkeq(errno, EINVAL);
	memset(in, 0xee, sizeof in);
	checkeq(read(fd, in, 128 + 127), 128);
	checkeq(in[0].ssi_signo, SIGUSR1);
	checkeq(in[0].ssi_code, SI_TKILL);
	checkeq(in[0].ssi_pid, getpid());
	checkeq(read(fd, in, sizeof in), 3 * 128);
	checkeq(in[0].ssi_signo, SIGUSR2);
	checkeq(in[0].ssi_code, SI_USER);
	checkeq(in[0].ssi_uid, getuid());
	for (i = 1; i < 3; i++) {
		checkeq(in[i].ssi_signo, 40);
		checkeq(in[i].ssi_code, SI_QUEUE);
		checkeq(in[i].ssi_int, 76 + i);
		checkeq(in[i].ssi_ptr, 76 + i);
		checkeq(in[i].ssi_pid, getpid());
	}
	none.ssi_signo = SIGUSR2;
	none.ssi_pid = getpid();
	none.ssi_uid = getuid();
	checkeq(memcmp(&in[0], &none, sizeof none), 0);
	checkerr(read(fd, in, sizeof in), EAGAIN);
	sigpending(&set);
	checkeq(sigismember(&set, SIGUSR1), 0);
}

static void
signalfd_child_and_timer(void)
{
	int fd = sigfd(0, SIGCHLD, SIGALRM, 41), pid;
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 41};
	struct itimerspec it = {{0, 0}, {0, 1000000}};
	struct signalfd_siginfo in;
	timer_t timer;

	if ((pid = fork()) == 0)
		_exit(7);
	checkeq(read(fd, &in, sizeof in), sizeof in); /* waits */
	checkeq(in.ssi_signo, SIGCHLD);
	checkeq(in.ssi_code, CLD_EXITED);
	checkeq(in.ssi_pid, pid);
	checkeq(in.ssi_status, 7);
	checkeq(waitpid(pid, 0, 0), pid);
	ev.sigev_value.sival_int = 55;
	must(timer_create(CLOCK_MONOTONIC, &ev, &timer) == 0);
	must(timer_settime(timer, 0, &it, 0) == 0);
	checkeq(read(fd, &in, sizeof in), sizeof in);
	checkeq(in.ssi_signo, 41);
	checkeq(in.ssi_code, SI_TIMER);
	checkeq(in.ssi_int, 55);
	checkeq(in.ssi_overrun, 0);
	timer_delete(timer);
}

static void
signalfd_errors(void)
{
	int fd = sigfd(0, SIGUSR1, 0, 0), e = eventfd(0, 0), i;
	uint64_t set = ~0ull;
	char b[128];

	checkerr(syscall(327, -1, &set, 4, 0), EINVAL);
	checkerr(syscall(327, -1, &set, 8, 1), EINVAL);
	checkerr(syscall(327, -1, 16, 8, 0), EFAULT);
	checkerr(syscall(327, e, &set, 8, 0), EINVAL);
	checkerr(syscall(327, 99, &set, 8, 0), EBADF);
	checkerr(write(fd, b, 128), EINVAL);
	checkeq(syscall(327, fd, &set, 8, 0), fd);
	checkeq(i = syscall(321, -1, &set, 8), e + 1);
	checkeq(fcntl(i, F_GETFL), O_RDWR);
}

/* What is asked for may change while somebody waits; poll and epoll wake too;
 * what is sent to others does not count. */
static void
signalfd_waits(void)
{
	int fd = sigfd(0, SIGUSR1, SIGUSR2, SIGWINCH), pid, ep, me = getpid();
	struct signalfd_siginfo in;
	sigset_t set;

	if ((pid = fork()) == 0) {
		struct pollfd p = {fd, POLLIN, 0};

		checkeq(poll(&p, 1, -1), 1);
		checkeq(read(fd, &in, sizeof in), sizeof in);
		checkeq(in.ssi_signo, SIGUSR1);
		checkeq(in.ssi_pid, me);
		ep = epoll_create1(0);
		watch(ep, fd, EPOLLIN | EPOLLET);
		checkeq(epoll_wait(ep, got, 1, -1), 1);
		checkeq(read(fd, &in, sizeof in), sizeof in);
		checkeq(in.ssi_signo, SIGUSR2);
		checkeq(read(fd, &in, sizeof in), sizeof in);
		checkeq(in.ssi_signo, SIGWINCH);
		finish();
	}
	asleep(pid);
	kill(pid, SIGUSR1);
	asleep(pid);
	kill(me, SIGUSR1);
	checkeq(polled(fd, POLLIN), POLLIN);
	checkeq(read(fd, &in, sizeof in), sizeof in);
	kill(pid, SIGUSR2);
	asleep(pid);
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	checkeq(signalfd(fd, &set, 0), fd); /* it is the same file */
	kill(pid, SIGUSR1);
	kill(pid, SIGWINCH);
	reaped(pid);
}

/* A thread that waits for one file, by poll or select. */
struct waiting {
	int fd, byselect, result, bits;
	volatile int tid;
};

static void *
waitfor(void *arg)
{
	struct waiting *w = arg;
	struct pollfd p = {w->fd, POLLIN, 0};
	fd_set set;

	FD_ZERO(&set);
	FD_SET(w->fd, &set);
	w->tid = (int)syscall(SYS_gettid);
	if (w->byselect) {
		w->result = select(w->fd + 1, &set, 0, 0, 0);
		w->bits = FD_ISSET(w->fd, &set);
	} else {
		w->result = poll(&p, 1, -1);
		w->bits = p.revents;
	}
	return 0;
}

/* Closing what another thread waits for does not wake it; the file stays until
 * it looks again, and is not open then. */
static void
poll_closed_meanwhile(void)
{
	struct waiting w;
	pthread_t th;
	int d, i;

	for (i = 0; i < 2; i++) {
		memset(&w, 0, sizeof w);
		w.byselect = i;
		must((w.fd = eventfd(0, 0)) >= 0);
		d = dup(w.fd);
		must(pthread_create(&th, 0, waitfor, &w) == 0);
		while (w.tid == 0)
			sched_yield();
		threadasleep(getpid(), w.tid);
		close(w.fd);
		threadasleep(getpid(), w.tid);
		add(d, 1);
		pthread_join(th, 0);
		checkeq(w.result, 1);
		checkeq(w.bits, i ? 1 : POLLNVAL);
		close(d);
	}
}

static int crowdep, crowdfd[4], crowdend;
static volatile int crowdtaken;

/* Take edges until the last file has something. */
static void *
crowd(void *arg)
{
	struct epoll_event ev[2];
	int i, n, taken;

	(void)arg;
	for (;;) {
		if ((n = epoll_wait(crowdep, ev, 2, 20000)) <= 0)
			return (void *)1;
		for (i = 0; i < n; i++) {
			if ((int)ev[i].data.u64 == crowdend)
				return 0;
			if ((taken = take((int)ev[i].data.u64)) > 0)
				__sync_fetch_and_add(&crowdtaken, taken);
		}
	}
}

/* Threads share an epoll while watches change, come and go, and files close. */
static void
epoll_shared_by_threads(void)
{
	pthread_t th[3];
	int i, k, fd;
	void *bad;

	crowdep = epoll_create1(0);
	must((crowdend = eventfd(0, 0)) >= 0);
	watch(crowdep, crowdend, EPOLLIN);
	for (k = 0; k < 4; k++) {
		must((crowdfd[k] = eventfd(0, EFD_NONBLOCK)) >= 0);
		watch(crowdep, crowdfd[k], EPOLLIN | EPOLLET);
	}
	for (k = 0; k < 3; k++)
		must(pthread_create(&th[k], 0, crowd, 0) == 0);
	for (i = 0; i < 2000; i++) {
		k = i % 4;
		add(crowdfd[k], 1);
		must((fd = eventfd(0, EFD_NONBLOCK)) >= 0);
		watch(crowdep, fd, EPOLLOUT | (i & 1 ? EPOLLET : 0));
		if (i % 3 == 0) {
			must(epoll_ctl(crowdep, EPOLL_CTL_DEL, crowdfd[k], 0)
				== 0);
			watch(crowdep, crowdfd[k], EPOLLIN | EPOLLET);
		} else {
			must(ctl(crowdep, EPOLL_CTL_MOD, crowdfd[k],
				EPOLLIN | EPOLLET) == 0);
		}
		close(fd);
	}
	while (crowdtaken < 2000)
		sched_yield();
	add(crowdend, 1);
	for (k = 0; k < 3; k++) {
		pthread_join(th[k], &bad);
		check(bad == 0);
	}
	checkeq(crowdtaken, 2000);
}

static volatile int readertid;

static void *
readsignal(void *arg)
{
	static struct signalfd_siginfo in;

	readertid = (int)syscall(SYS_gettid);
	if (read(*(int *)arg, &in, sizeof in) != sizeof in)
		return (void *)-1;
	return (void *)(long)in.ssi_signo;
}

/* A thread reads what is sent to it or the process, not to another thread. */
static void
signalfd_of_threads(void)
{
	int fd = sigfd(0, SIGUSR1, SIGUSR2, 0);
	struct signalfd_siginfo in;
	pthread_t th;
	void *sig;

	must(pthread_create(&th, 0, readsignal, &fd) == 0);
	while (readertid == 0)
		sched_yield();
	threadasleep(getpid(), readertid);
	raise(SIGUSR2);
	checkeq(polled(fd, POLLIN), POLLIN);
	threadasleep(getpid(), readertid);
	kill(getpid(), SIGUSR1);
	pthread_join(th, &sig);
	checkeq((long)sig, SIGUSR1);
	checkeq(read(fd, &in, sizeof in), sizeof in);
	checkeq(in.ssi_signo, SIGUSR2);
	checkeq(polled(fd, POLLIN), 0);
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
	T(poll_closed_meanwhile),
	T(timerfd_once),
	T(timerfd_counts_intervals),
	T(timerfd_errors),
	T(timerfd_in_epoll),
	T(timerfd_clock_set),
	T(clock_set_ends_waits),
	T(signalfd_reads_what_is_pending),
	T(signalfd_child_and_timer),
	T(signalfd_errors),
	T(signalfd_waits),
	T(signalfd_of_threads),
	T(epoll_level_triggered),
	T(epoll_edge_triggered),
	T(epoll_edges_of_a_pipe),
	T(epoll_edges_of_a_socket),
	T(epoll_oneshot),
	T(epoll_errors),
	T(epoll_data_is_returned),
	T(epoll_is_fair),
	T(epoll_forgets_closed_files),
	T(epoll_nested),
	T(epoll_chains_are_short),
	T(epoll_waits),
	T(epoll_thousand),
	T(epoll_edges_are_not_lost),
	T(epoll_shared_by_processes),
	T(epoll_wakeup_against_close),
	T(epoll_shared_by_threads),
	T(epoll_random_against_poll),
	{0},
};
