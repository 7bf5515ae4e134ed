/* t_sockfd.c - descriptors and credentials in the messages of sockets. */
#include "t.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define MAXFD 253

static const int kinds[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
static char buf[70000];

static void
pair(int kind, int fd[2])
{
	must(socketpair(AF_UNIX, kind, 0, fd) == 0);
}

static int
sendfd(int s, int fd)
{
	return sendfds(s, "x", 1, &fd, 1, MSG_DONTWAIT);
}

static int outflags; /* of the last recvfds */

/* Receive: how many descriptors came, at most max; *n is bytes wanted, and
 * got. */
static int
recvfds(int s, void *data, int *n, int *fd, int max, int flags)
{
	char control[CMSG_SPACE(300 * sizeof(int))];
	struct iovec iov = {data, *n};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;
	int got;

	h.msg_control = control;
	h.msg_controllen = max ? CMSG_LEN(max * sizeof(int)) : 0;
	*n = recvmsg(s, &h, flags | MSG_DONTWAIT);
	outflags = h.msg_flags;
	c = CMSG_FIRSTHDR(&h);
	if (*n < 0 || !c)
		return 0;
	must(c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS);
	got = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	must(got <= max);
	memcpy(fd, CMSG_DATA(c), got * sizeof(int));
	return got;
}

/* One byte with one descriptor, which is returned; or -1. */
static int
recvfd(int s)
{
	int fd = -1, n = 1;

	return recvfds(s, buf, &n, &fd, 1, 0) == 1 ? fd : -1;
}

/* Is the other end of this pipe's reading end closed? */
static int
hungup(int fd)
{
	struct pollfd p = {fd, POLLIN, 0};

	must(poll(&p, 1, 0) >= 0);
	return (p.revents & POLLHUP) != 0;
}

static void
rights_pass_an_open_file(void)
{
	int kind, s[2], p[2], fd, st;

	for (kind = 0; kind < 3; kind++) {
		pair(kinds[kind], s);
		must(pipe(p) == 0);
		checkeq(sendfd(s[0], p[1]), 1);
		close(p[1]);
		checkeq(hungup(p[0]), 0);
		must((fd = recvfd(s[1])) >= 0);
		checkeq(outflags, 0);
		checkeq(fcntl(fd, F_GETFD), 0);
		checkeq(write(fd, "hello", 5), 5);
		checkeq(read(p[0], buf, 10), 5);
		checkeq(memcmp(buf, "hello", 5), 0);
		st = 1;
		must(sendfd(s[1], fd) == 1);
		checkeq(recvfds(s[0], buf, &st, &fd, 1, MSG_CMSG_CLOEXEC), 1);
		checkeq(fcntl(fd, F_GETFD), FD_CLOEXEC);
		checkeq(outflags, MSG_CMSG_CLOEXEC);
		close(s[0]);
		close(s[1]);
		close(p[0]);
		close(fd);
	}
}

static void
rights_between_processes(void)
{
	int s[2], fd, pid;

	pair(SOCK_STREAM, s);
	pid = fork();
	if (pid == 0) {
		fd = open("/tmp/sockfd", O_RDWR | O_CREAT | O_TRUNC, 0600);
		must(fd >= 0 && write(fd, "0123456789", 10) == 10);
		lseek(fd, 3, SEEK_SET);
		must(sendfd(s[1], fd) == 1);
		finish();
	}
	reaped(pid);
	must((fd = recvfd(s[0])) >= 0);
	checkeq(read(fd, buf, 2), 2);
	checkeq(buf[0], '3');
	unlink("/tmp/sockfd");
}

static void
rights_end_a_read(void)
{
	int s[2], p[2], fd, n;

	pair(SOCK_STREAM, s);
	must(pipe(p) == 0);
	write(s[0], "abc", 3);
	checkeq(sendfds(s[0], "def", 3, p, 1, MSG_DONTWAIT), 3);
	write(s[0], "ghi", 3);
	n = 5;
	checkeq(recvfds(s[1], buf, &n, &fd, 1, 0), 1);
	checkeq(n, 5);
	close(fd);
	n = 100; /* what is left of a message has no rights any more */
	checkeq(recvfds(s[1], buf, &n, &fd, 1, 0), 0);
	checkeq(n, 4);
	checkeq(sendfds(s[0], "abc", 3, p, 1, MSG_DONTWAIT), 3);
	checkeq(sendfds(s[0], "def", 3, p, 1, MSG_DONTWAIT), 3);
	n = 100;
	checkeq(recvfds(s[1], buf, &n, &fd, 1, 0), 1);
	checkeq(n, 3);
	close(fd);
	n = 100;
	checkeq(recvfds(s[1], buf, &n, &fd, 1, 0), 1);
	checkeq(n, 3);
}

static void
rights_many(void)
{
	int s[2], fd[300], got[300], n, i;

	pair(SOCK_STREAM, s);
	for (i = 0; i < 300; i++)
		fd[i] = s[0];
	checkerr(sendfds(s[0], "x", 1, fd, MAXFD + 1, MSG_DONTWAIT), EINVAL);
	checkeq(sendfds(s[0], "x", 1, fd, MAXFD, MSG_DONTWAIT), 1);
	n = 10;
	checkeq(recvfds(s[1], buf, &n, got, 300, 0), MAXFD);
	checkeq(n, 1);
	checkeq(outflags, 0);
	for (i = 1; i < MAXFD; i++)
		must(got[i] > got[i - 1]);
	for (i = 0; i < MAXFD; i++)
		close(got[i]);
}

static void
rights_without_room_are_closed(void)
{
	int s[2], p[2], q[2], fd[3], n, got[3];

	pair(SOCK_STREAM, s);
	must(pipe(p) == 0 && pipe(q) == 0);
	fd[0] = p[1];
	fd[1] = q[1];
	checkeq(sendfds(s[0], "x", 1, fd, 2, MSG_DONTWAIT), 1);
	close(p[1]);
	close(q[1]);
	n = 1;
	checkeq(recvfds(s[1], buf, &n, got, 1, 0), 1);
	checkeq(outflags, MSG_CTRUNC);
	checkeq(hungup(p[0]), 0);
	checkeq(hungup(q[0]), 1);
	checkeq(sendfd(s[0], got[0]), 1);
	close(got[0]);
	n = 1;
	checkeq(recvfds(s[1], buf, &n, got, 0, 0), 0);
	checkeq(outflags, MSG_CTRUNC);
	checkeq(hungup(p[0]), 1);
	must(pipe(p) == 0); /* read() does not ask for them */
	checkeq(sendfd(s[0], p[1]), 1);
	close(p[1]);
	checkeq(read(s[1], buf, 10), 1);
	checkeq(hungup(p[0]), 1);
}

static void
rights_without_descriptors_left(void)
{
	struct rlimit rl = {12, 12};
	int s[2], p[2], fd[3], got[3], n = 1, last;

	for (last = 3; last < 300; last++)
		close(last);
	pair(SOCK_STREAM, s);
	must(pipe(p) == 0);
	fd[0] = fd[1] = fd[2] = p[0];
	setrlimit(RLIMIT_NOFILE, &rl);
	while ((last = dup(0)) >= 0 && last < 9)
		;
	checkeq(last, 9);
	checkeq(sendfds(s[0], "x", 1, fd, 3, MSG_DONTWAIT), 1);
	checkeq(recvfds(s[1], buf, &n, got, 3, 0), 2);
	checkeq(got[0], 10);
	checkeq(got[1], 11);
	checkeq(outflags, MSG_CTRUNC);
}

static void
rights_peeked_are_copies(void)
{
	int kind, s[2], p[2], a, b, n;

	for (kind = 0; kind < 3; kind++) {
		pair(kinds[kind], s);
		must(pipe(p) == 0);
		checkeq(sendfd(s[0], p[1]), 1);
		close(p[1]);
		n = 1;
		checkeq(recvfds(s[1], buf, &n, &a, 1, MSG_PEEK), 1);
		must((b = recvfd(s[1])) >= 0);
		check(a != b);
		close(a);
		checkeq(hungup(p[0]), 0);
		checkeq(write(b, "x", 1), 1);
		close(b);
		close(p[0]);
		close(s[0]);
		close(s[1]);
	}
}

struct control { /* a struct cmsghdr, which may not be followed by fields */
	size_t cmsg_len;
	int cmsg_level, cmsg_type;
};

static void
rights_wrong_control(void)
{
	struct {
		struct control c;
		int fd[2];
	} m = {{CMSG_LEN(8), SOL_SOCKET, SCM_RIGHTS}, {0, 0}};
	struct iovec iov = {"x", 1};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &m, .msg_controllen = sizeof m};
	int s[2], fd = -1;

	pair(SOCK_STREAM, s);
	checkerr(sendfds(s[0], "x", 1, &fd, 1, MSG_DONTWAIT), EBADF);
	fd = 99;
	checkerr(sendfds(s[0], "x", 1, &fd, 1, MSG_DONTWAIT), EBADF);
	m.c.cmsg_len = 11;
	checkerr(sendmsg(s[0], &h, 0), EINVAL);
	m.c.cmsg_len = sizeof m + 1;
	checkerr(sendmsg(s[0], &h, 0), EINVAL);
	m.c.cmsg_len = CMSG_LEN(8);
	m.c.cmsg_type = 77;
	checkerr(sendmsg(s[0], &h, 0), EINVAL);
	m.c.cmsg_type = SCM_CREDENTIALS;
	checkerr(sendmsg(s[0], &h, 0), EINVAL);
	h.msg_controllen = 11;
	checkerr(sendmsg(s[0], &h, 0), EINVAL);
	h.msg_controllen = sizeof m;
	h.msg_control = (void *)8;
	checkerr(sendmsg(s[0], &h, 0), EFAULT);
	h.msg_control = &m;
	m.c.cmsg_level = 77; /* not for sockets: ignored */
	checkeq(sendmsg(s[0], &h, 0), 1);
	h.msg_controllen = 0;
	h.msg_iovlen = 1025;
	checkerr(sendmsg(s[0], &h, 0), EMSGSIZE);
	checkerr(recvmsg(s[0], &h, 0), EMSGSIZE);
	checkeq(read(s[1], buf, 100), 1);
}

static void
rights_closed_with_the_socket(void)
{
	int kind, how, s[2], p[2];

	for (kind = 0; kind < 3; kind++) {
		for (how = 0; how < 2; how++) {
			pair(kinds[kind], s);
			must(pipe(p) == 0);
			checkeq(sendfd(s[0], p[1]), 1);
			close(p[1]);
			close(s[how]);
			checkeq(hungup(p[0]), how);
			close(s[!how]);
			checkeq(hungup(p[0]), 1);
			close(p[0]);
		}
	}
}

/* A socket goes in a socket that goes in a socket...: the last close closes all
 * of them. */
static void
rights_in_a_chain(void)
{
	int s[2], outer[2], p[2], i;

	must(pipe(p) == 0);
	pair(SOCK_STREAM, s);
	must(sendfd(s[0], p[1]) == 1);
	close(p[1]);
	close(s[0]);
	for (i = 0; i < 2000; i++) { /* s[1] holds what was before */
		pair(SOCK_STREAM, outer);
		must(sendfd(outer[0], s[1]) == 1);
		close(outer[0]);
		close(s[1]);
		s[1] = outer[1];
	}
	checkeq(hungup(p[0]), 0);
	close(s[1]);
	for (i = 0; !hungup(p[0]) && i < 1000; i++)
		msleep(1); /* Linux may take its time */
	checkeq(hungup(p[0]), 1);
	if (quire)
		checkeq(i, 0);
}

/* Wait until the pipe's other end is closed, at once here. */
static void
goes(int p)
{
	int i, s[2];

	for (i = 0; !hungup(p) && !quire && i < 1000; i++) {
		pair(SOCK_STREAM, s); /* Linux collects at such times */
		close(s[0]);
		close(s[1]);
		msleep(1);
	}
	checkeq(hungup(p), 1);
}

/* A socket in its own queue. */
static void
cycle_of_one(void)
{
	int kind, s[2], p[2], i;

	for (i = 0; i < 300; i++) {
		for (kind = 0; kind < 3; kind++) {
			pair(kinds[kind], s);
			must(pipe(p) == 0);
			must(sendfd(s[0], s[1]) == 1);
			must(sendfd(s[0], p[1]) == 1);
			close(p[1]);
			close(s[1]);
			close(s[0]);
			if (i == 0)
				goes(p[0]);
			close(p[0]);
		}
	}
}

/* Both sockets of a pair in each other's queue. */
static void
cycle_of_two(void)
{
	int s[2], p[2], i, order;

	for (i = 0; i < 300; i++) {
		order = i & 1;
		pair(SOCK_STREAM, s);
		must(pipe(p) == 0);
		must(sendfd(s[0], s[0]) == 1);
		must(sendfd(s[1], s[1]) == 1);
		must(sendfd(s[0], p[1]) == 1);
		close(p[1]);
		close(s[order]);
		must(!hungup(p[0]));
		close(s[!order]);
		if (i < 2)
			goes(p[0]);
		close(p[0]);
	}
}

/* An epoll that watches the sockets, and may be in flight through them, keeps
 * none of them. */
static void
cycle_watched(void)
{
	struct epoll_event ev = {.events = EPOLLIN};
	int s[2], p[2], ep, i;

	for (i = 0; i < 100; i++) {
		pair(SOCK_STREAM, s);
		must(pipe(p) == 0);
		ep = epoll_create1(0);
		must(ep >= 0);
		must(epoll_ctl(ep, EPOLL_CTL_ADD, s[0], &ev) == 0);
		must(epoll_ctl(ep, EPOLL_CTL_ADD, s[1], &ev) == 0);
		must(sendfd(s[0], s[1]) == 1);
		must(sendfd(s[0], p[1]) == 1);
		if (i % 2)
			must(sendfd(s[0], ep) == 1);
		must(epoll_wait(ep, &ev, 1, 0) == 1);
		if (i % 2)
			close(ep);
		close(p[1]);
		close(s[1]);
		close(s[0]);
		if (i < 2)
			goes(p[0]);
		if (i == 0)
			checkeq(epoll_wait(ep, &ev, 1, 0), 0);
		if (i % 2 == 0)
			close(ep);
		close(p[0]);
	}
}

/* Ends that pass each other round, with dup2 as the last close. */
static void
cycle_of_many(void)
{
	enum { N = 20 };
	int s[N][2], p[2], i, round;

	for (round = 0; round < 30; round++) {
		must(pipe(p) == 0);
		for (i = 0; i < N; i++)
			pair(kinds[i % 3], s[i]);
		for (i = 0; i < N; i++) /* into s[i][1] goes the next one's */
			must(sendfd(s[i][0], s[(i + 1) % N][1]) == 1);
		must(sendfd(s[7][0], p[1]) == 1);
		close(p[1]);
		for (i = 0; i < N; i++)
			close(s[i][0]);
		for (i = 1; i < N; i++)
			close(s[i][1]);
		must(!hungup(p[0]));
		must(dup2(p[0], s[0][1]) >= 0);
		if (round == 0)
			goes(p[0]);
		close(s[0][1]);
		close(p[0]);
	}
}

/* What can still be received is not collected. */
static void
cycle_still_reachable(void)
{
	int out[2], s[2], t[2], p[2], fd;

	must(pipe(p) == 0);
	pair(SOCK_STREAM, out);
	pair(SOCK_STREAM, s);
	pair(SOCK_STREAM, t);
	must(sendfd(s[0], t[1]) == 1); /* t in s, s in t */
	must(sendfd(t[0], s[1]) == 1);
	must(sendfd(s[0], p[1]) == 1);
	must(sendfd(out[0], s[1]) == 1);
	close(p[1]);
	close(s[0]);
	close(s[1]);
	close(t[0]);
	close(t[1]);
	pair(SOCK_STREAM, t);
	close(t[0]);
	close(t[1]);
	checkeq(hungup(p[0]), 0);
	must((fd = recvfd(out[1])) >= 0); /* s[1] */
	close(out[0]);
	close(out[1]);
	checkeq(hungup(p[0]), 0);
	must((t[1] = recvfd(fd)) >= 0);
	must((p[1] = recvfd(fd)) >= 0);
	checkeq(write(p[1], "x", 1), 1);
	close(p[1]);
	close(fd);
	must((fd = recvfd(t[1])) >= 0); /* s[1] again */
	close(t[1]);
	close(fd);
}

/* The last process that could receive them dies. */
static void
cycle_left_by_exit(void)
{
	int i, pid, s[2], p[2];

	for (i = 0; i < 50; i++) {
		must(pipe(p) == 0);
		pid = fork();
		if (pid == 0) {
			pair(SOCK_DGRAM, s);
			must(sendfd(s[0], s[0]) == 1);
			must(sendfd(s[1], s[1]) == 1);
			must(sendfd(s[1], p[1]) == 1);
			if (i & 1)
				raise(SIGKILL);
			finish();
		}
		close(p[1]);
		must(waitpid(pid, 0, 0) == pid);
		if (i < 2)
			goes(p[0]);
		close(p[0]);
	}
}

static void
toomany(void)
{
	struct rlimit rl = {64, 64};
	int s[2], i, fd[8];

	setrlimit(RLIMIT_NOFILE, &rl);
	must(setuid(12345) == 0);
	pair(SOCK_DGRAM, s);
	for (i = 0; i < 8; i++)
		fd[i] = s[0];
	for (i = 0; i < 20 && sendfds(s[0], "x", 1, fd, 8, MSG_DONTWAIT) == 1;
		i++)
		;
	checkeq(errno, ETOOMANYREFS);
	checkeq(i, 9);
	close(recvfd(s[1]));
	checkeq(sendfd(s[0], s[0]), 1);
	checkerr(sendfd(s[0], s[0]), ETOOMANYREFS);
}

static void
rights_too_many_in_flight(void)
{
	if (getuid() != 0)
		skip("not root");
	child(toomany);
}

/* Receive with SO_PASSCRED: the bytes; what came of credentials. */
static int
recvcred(int s, int n, struct ucred *cred)
{
	char control[100];
	struct iovec iov = {buf, n};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof control};
	struct cmsghdr *c;
	int r = recvmsg(s, &h, MSG_DONTWAIT);

	cred->pid = -1;
	c = CMSG_FIRSTHDR(&h);
	if (r < 0 || !c)
		return r;
	must(c->cmsg_type == SCM_CREDENTIALS);
	must(c->cmsg_len == CMSG_LEN(sizeof *cred));
	memcpy(cred, CMSG_DATA(c), sizeof *cred);
	return r;
}

static void
credentials_of_the_sender(void)
{
	struct {
		struct control c;
		struct ucred cred;
	} m = {{CMSG_LEN(sizeof m.cred), SOL_SOCKET, SCM_CREDENTIALS},
		{getppid(), 5, 6}};
	struct iovec iov = {"x", 1};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &m, .msg_controllen = sizeof m};
	int kind, s[2], one = 1, pid, r;
	struct ucred cred;

	for (kind = 0; kind < 3; kind++) {
		pair(kinds[kind], s);
		must(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &one, 4) == 0);
		must(write(s[0], "ab", 2) == 2);
		pid = fork();
		if (pid == 0) {
			must(write(s[0], "cd", 2) == 2);
			finish();
		}
		reaped(pid);
		checkeq(recvcred(s[1], 10, &cred), 2);
		checkeq(cred.pid, getpid());
		checkeq(cred.uid, getuid());
		checkeq(cred.gid, getgid());
		checkeq(recvcred(s[1], 10, &cred), 2);
		checkeq(cred.pid, pid);
		r = sendmsg(s[0], &h, 0);
		if (getuid() == 0) {
			checkeq(r, 1);
			checkeq(recvcred(s[1], 10, &cred), 1);
			checkeq(cred.pid, getppid());
			checkeq(cred.uid, 5);
			checkeq(cred.gid, 6);
		}
		close(s[0]);
		close(s[1]);
	}
	if (getuid() != 0)
		return;
	pair(SOCK_STREAM, s);
	m.cred.pid = 1 << 30;
	checkerr(sendmsg(s[0], &h, 0), ESRCH);
	must(setuid(12345) == 0);
	m.cred.pid = getpid();
	checkerr(sendmsg(s[0], &h, 0), EPERM);
}

/* Random sends, receives, closes of sockets over sockets; everything is gone
 * at the end, whatever refers to what. */
static void
atrandom(void)
{
	enum { N = 16 };
	int s[N], i, j, n, round, fd[4], got[4], t[2];
	int many = quire ? 6000 : 2000;

	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < N; i++)
		s[i] = -1;
	for (round = 0; round < many; round++) {
		i = rnd() % N;
		j = rnd() % N;
		switch (rnd() % 8) {
		case 0:
		case 1:
			close(s[i]);
			s[i] = -1;
			break;
		case 2:
			if (i == j)
				break;
			close(s[i]);
			close(s[j]);
			pair(kinds[rnd() % 3], t);
			s[i] = t[0];
			s[j] = t[1];
			break;
		case 3:
		case 4:
			n = 1;
			n = recvfds(s[i], buf, &n, got, 4, 0);
			while (n > 0) {
				j = rnd() % N;
				close(s[j]);
				s[j] = got[--n];
			}
			break;
		default:
			for (n = 0; n < 4 && (n == 0 || rnd() % 2); n++)
				fd[n] = s[rnd() % N];
			sendfds(s[i], "x", 1, fd, n, MSG_DONTWAIT);
		}
	}
}

static void
cycles_at_random(void)
{
	srnd(11);
	atrandom();
}

/* Random steps in several processes, which share some of the sockets. */
static void
cycles_in_processes(void)
{
	int i, s[2], pid[4];

	pair(SOCK_DGRAM, s);
	for (i = 0; i < 4; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			for (int k = 0; k < 200; k++) {
				int p[2], fd;

				pair(kinds[k % 3], p);
				sendfd(s[i & 1], p[0]);
				sendfd(s[i & 1], s[k & 1]);
				sendfd(p[0], p[1]);
				close(p[0]);
				close(p[1]);
				if ((fd = recvfd(s[k & 1])) >= 0)
					close(fd);
			}
			srnd(i);
			atrandom();
			finish();
		}
	}
	for (i = 0; i < 4; i++)
		reaped(pid[i]);
}

/* Killed anywhere on the way, with sockets in flight and in each other. */
static void
rights_killed_at_any_time(void)
{
	int i, k, s[2], p[2], fd, pid[2];

	for (i = 0; i < 40; i++) {
		pair(kinds[i % 3], s);
		for (k = 0; k < 2; k++) {
			pid[k] = fork();
			if (pid[k] > 0)
				continue;
			signal(SIGPIPE, SIG_IGN);
			fcntl(s[k], F_SETFL, 0);
			for (;;) {
				pair(SOCK_STREAM, p);
				sendfd(p[0], p[1]);
				sendfd(s[k], p[0]);
				write(s[k], buf, 3000);
				close(p[0]);
				close(p[1]);
				if (rnd() % 2 && (fd = recvfd(s[k])) >= 0)
					close(fd);
			}
		}
		msleep(1 + i % 7);
		for (k = 0; k < 2; k++) {
			kill(pid[k], SIGKILL);
			must(waitpid(pid[k], 0, 0) == pid[k]);
		}
		close(s[0]);
		close(s[1]);
	}
}

const struct test t_sockfd[] = {
	T(rights_pass_an_open_file),
	T(rights_between_processes),
	T(rights_end_a_read),
	T(rights_many),
	T(rights_without_room_are_closed),
	T(rights_without_descriptors_left),
	T(rights_peeked_are_copies),
	T(rights_wrong_control),
	T(rights_closed_with_the_socket),
	T(rights_in_a_chain),
	T(cycle_of_one),
	T(cycle_of_two),
	T(cycle_watched),
	T(cycle_of_many),
	T(cycle_still_reachable),
	T(cycle_left_by_exit),
	T(rights_too_many_in_flight),
	T(credentials_of_the_sender),
	T(cycles_at_random),
	T(cycles_in_processes),
	T(rights_killed_at_any_time),
	{0},
};
