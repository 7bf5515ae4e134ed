/* t_sockname.c - Unix-domain sockets with names: bind, listen, accept,
 * connect. */
#include "t.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static const int kinds[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
static char buf[5000];
static struct sockaddr_un un;
static void *volatile bad = (void *)8;

/* The address of a path, or of an abstract name (@name), in un: its length. */
static int
address(const char *name)
{
	int n = strlen(name);

	memset(&un, 0, sizeof un);
	un.sun_family = AF_UNIX;
	memcpy(un.sun_path, name, n);
	if (name[0] == '@') {
		un.sun_path[0] = 0;
		return offsetof(struct sockaddr_un, sun_path) + n;
	}
	return offsetof(struct sockaddr_un, sun_path) + n + 1;
}

static int
sock(int kind)
{
	int s = socket(AF_UNIX, kind, 0);

	must(s >= 0);
	return s;
}

static int
bindto(int s, const char *name)
{
	int len = address(name);

	return bind(s, (void *)&un, len);
}

static int
connectto(int s, const char *name)
{
	int len = address(name);

	return connect(s, (void *)&un, len);
}

static void
bind_makes_a_file(void)
{
	struct stat st;
	socklen_t len = sizeof un;
	int s = sock(SOCK_STREAM), path, again;
	char name[32];

	unlink("t-sock1");
	umask(022);
	checkeq(bindto(s, "t-sock1"), 0);
	checkeq(stat("t-sock1", &st), 0);
	checkeq(st.st_mode, S_IFSOCK | 0755);
	checkerr(open("t-sock1", O_RDWR), ENXIO);
	path = open("t-sock1", O_PATH);
	check(path >= 0);
	snprintf(name, sizeof name, "/proc/self/fd/%d", path);
	checkerr(open(name, O_RDWR), ENXIO);
	again = open(name, O_PATH);
	check(again >= 0);
	close(again);
	close(path);
	checkerr(bindto(s, "t-sock2"), EINVAL);
	checkerr(bindto(sock(SOCK_STREAM), "t-sock1"), EADDRINUSE);
	memset(&un, 0x55, sizeof un);
	checkeq(getsockname(s, (void *)&un, &len), 0);
	checkeq(len, 10);
	checkeq(strcmp(un.sun_path, "t-sock1"), 0);
	close(s);
	checkerr(bindto(sock(SOCK_STREAM), "t-sock1"), EADDRINUSE);
	checkerr(connectto(sock(SOCK_STREAM), "t-sock1"), ECONNREFUSED);
	checkeq(unlink("t-sock1"), 0);
	checkerr(connectto(sock(SOCK_STREAM), "t-sock1"), ENOENT);
	checkerr(bindto(sock(SOCK_STREAM), "none/t-sock1"), ENOENT);
}

static void
bind_arguments(void)
{
	int s = sock(SOCK_STREAM), n = address("@quire-x");
	socklen_t len;

	un.sun_family = 77;
	checkerr(bind(s, (void *)&un, n), EINVAL);
	un.sun_family = AF_UNIX;
	checkerr(bind(s, (void *)&un, 1), EINVAL);
	checkerr(bind(s, (void *)&un, sizeof un + 1), EINVAL);
	checkerr(bind(s, bad, n), EFAULT);
	checkerr(bind(s, (void *)&un, -1), EINVAL);
	checkerr(listen(s, 1), EINVAL);
	checkeq(bind(s, (void *)&un, n), 0);
	checkerr(bindto(sock(SOCK_STREAM), "@quire-x"), EADDRINUSE);
	checkeq(bindto(sock(SOCK_STREAM), "@quire-xy"), 0);
	close(s);
	checkeq(bindto(sock(SOCK_STREAM), "@quire-x"), 0);
	s = sock(SOCK_DGRAM); /* a name of its own choice */
	address("");
	checkeq(bind(s, (void *)&un, 2), 0);
	len = sizeof un;
	checkeq(getsockname(s, (void *)&un, &len), 0);
	checkeq(len, 8);
	checkeq(un.sun_path[0], 0);
	checkerr(listen(s, 1), EOPNOTSUPP);
	checkerr(accept(s, 0, 0), EOPNOTSUPP);
}

static void
accept_and_talk(void)
{
	int kind, l, s, c;
	socklen_t len;
	struct ucred cred;

	for (kind = 0; kind < 3; kind += 2) {
		l = sock(kinds[kind]);
		unlink("t-sock1");
		must(bindto(l, "t-sock1") == 0);
		checkerr(connectto(sock(kinds[kind]), "t-sock1"), ECONNREFUSED);
		checkerr(accept(l, 0, 0), EINVAL);
		checkeq(listen(l, 5), 0);
		checkeq(polled(l, POLLIN | POLLOUT), 0);
		c = sock(kinds[kind]);
		checkerr(connectto(sock(kinds[2 - kind]), "t-sock1"),
			EPROTOTYPE);
		checkeq(connectto(c, "t-sock1"), 0);
		checkerr(connectto(c, "t-sock1"), EISCONN);
		checkeq(polled(l, POLLIN | POLLOUT), POLLIN);
		checkeq(write(c, "early", 5), 5);
		len = sizeof un;
		must((s = accept4(l, (void *)&un, &len, SOCK_CLOEXEC)) >= 0);
		checkeq(len, 2);
		checkeq(fcntl(s, F_GETFD), FD_CLOEXEC);
		checkeq(read(s, buf, 10), 5);
		checkeq(write(s, "back", 4), 4);
		checkeq(read(c, buf, 10), 4);
		len = sizeof un;
		checkeq(getpeername(c, (void *)&un, &len), 0);
		checkeq(len, 10);
		checkeq(strcmp(un.sun_path, "t-sock1"), 0);
		len = sizeof un;
		checkeq(getsockname(s, (void *)&un, &len), 0);
		checkeq(len, 10);
		len = sizeof cred;
		checkeq(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &cred, &len), 0);
		checkeq(cred.pid, getpid());
		fcntl(l, F_SETFL, O_NONBLOCK);
		checkerr(accept(l, 0, 0), EAGAIN);
		checkerr(write(l, "x", 1), ENOTCONN);
		close(l);
		checkeq(write(s, "more", 4), 4);
		checkeq(read(c, buf, 10), 4);
		close(s);
		checkeq(read(c, buf, 10), 0);
		close(c);
		unlink("t-sock1");
	}
}

static void
backlog_is_a_limit(void)
{
	int l = sock(SOCK_STREAM), c[4], i, pid;

	must(bindto(l, "@quire-back") == 0 && listen(l, 1) == 0);
	for (i = 0; i < 3; i++) {
		c[i] = sock(SOCK_STREAM);
		fcntl(c[i], F_SETFL, O_NONBLOCK);
	}
	checkeq(connectto(c[0], "@quire-back"), 0);
	checkeq(connectto(c[1], "@quire-back"), 0);
	checkerr(connectto(c[2], "@quire-back"), EAGAIN);
	pid = fork();
	if (pid == 0) {
		fcntl(c[2], F_SETFL, 0);
		must(connectto(c[2], "@quire-back") == 0);
		must(write(c[2], "x", 1) == 1);
		finish();
	}
	msleep(10);
	for (i = 0; i < 3; i++)
		must(accept(l, 0, 0) >= 0);
	reaped(pid);
	pid = fork(); /* accept waits */
	if (pid == 0) {
		must(accept(l, 0, 0) >= 0);
		finish();
	}
	msleep(10);
	checkeq(connectto(sock(SOCK_STREAM), "@quire-back"), 0);
	reaped(pid);
}

static void
listener_closes(void)
{
	int l = sock(SOCK_STREAM), c = sock(SOCK_STREAM), d, pid;

	signal(SIGPIPE, SIG_IGN);
	must(bindto(l, "@quire-close") == 0 && listen(l, 0) == 0);
	must(connectto(c, "@quire-close") == 0);
	pid = fork();
	if (pid == 0) {
		close(l);
		d = sock(SOCK_STREAM); /* waits for room that never comes */
		checkerr(connectto(d, "@quire-close"), ECONNREFUSED);
		finish();
	}
	msleep(10);
	close(l);
	reaped(pid);
	checkeq(polled(c, POLLIN | POLLRDHUP),
		POLLIN | POLLRDHUP | POLLHUP | POLLERR);
	checkerr(read(c, buf, 1), ECONNRESET);
	checkerr(write(c, "x", 1), EPIPE);
}

static void
dgram_to_a_name(void)
{
	int a = sock(SOCK_DGRAM), b = sock(SOCK_DGRAM), c, i, n, len;
	socklen_t got = sizeof un;
	struct sockaddr_un from;

	must(bindto(a, "@quire-a") == 0 && bindto(b, "@quire-b") == 0);
	len = address("@quire-a");
	checkeq(sendto(b, "hi", 2, 0, (void *)&un, len), 2);
	memset(&from, 0, sizeof from);
	got = sizeof from;
	checkeq(recvfrom(a, buf, 10, 0, (void *)&from, &got), 2);
	checkeq(got, 2 + 8);
	checkeq(memcmp(from.sun_path, "\0quire-b", 8), 0);
	c = sock(SOCK_DGRAM);
	checkeq(sendto(c, "yo", 2, 0, (void *)&un, len), 2);
	got = sizeof from;
	checkeq(recvfrom(a, buf, 10, 0, (void *)&from, &got), 2);
	checkeq(got, 0);
	checkeq(connectto(c, "@quire-a"), 0);
	checkeq(polled(c, POLLOUT), POLLOUT);
	fcntl(c, F_SETFL, O_NONBLOCK);
	for (n = 0; n < 100 && write(c, "x", 1) == 1; n++)
		;
	checkeq(n, 11);
	checkeq(errno, EAGAIN);
	checkeq(polled(c, POLLOUT), 0);
	i = fork();
	if (i == 0) {
		fcntl(c, F_SETFL, 0);
		must(write(c, "last", 4) == 4);
		finish();
	}
	msleep(10);
	while (n-- > 0)
		must(read(a, buf, 10) == 1);
	checkeq(read(a, buf, 10), 4);
	reaped(i);
	checkeq(connectto(a, "@quire-b"), 0);
	checkerr(write(c, "x", 1), EPERM); /* a hears b only */
	un.sun_family = AF_UNSPEC;
	checkeq(connect(c, (void *)&un, 2), 0);
	checkerr(write(c, "x", 1), ENOTCONN);
	len = address("@quire-none");
	checkerr(sendto(c, "x", 1, 0, (void *)&un, len), ECONNREFUSED);
	address("@quire-b");
	checkeq(sendto(c, "x", 1, 0, (void *)&un, 10), 1);
}

static void
stream_takes_no_address(void)
{
	int s[2], len = address("@quire-none");

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	checkerr(sendto(s[0], "x", 1, 0, (void *)&un, len), EISCONN);
	checkerr(sendto(sock(SOCK_STREAM), "x", 1, 0, (void *)&un, len),
		EOPNOTSUPP);
	checkerr(sendto(s[0], "x", 1, 0, (void *)&un, 129), EINVAL);
	checkerr(sendto(s[0], "x", 1, 0, bad, len), EFAULT);
	checkerr(connect(s[0], (void *)&un, 1), EINVAL);
}

static void
path_needs_permission(void)
{
	int l = sock(SOCK_STREAM);

	if (getuid() != 0)
		skip("not root");
	unlink("t-sock3"); /* of the run before */
	must(bindto(l, "t-sock3") == 0 && listen(l, 5) == 0);
	chmod("t-sock3", 0700);
	must(setuid(12345) == 0);
	checkerr(connectto(sock(SOCK_STREAM), "t-sock3"), EACCES);
}

/* A listening socket in the queue of one that waits to be accepted by it. */
static void
listener_in_its_own_queue(void)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {"x", 1};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof control};
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);
	int i, l, s;

	for (i = 0; i < 300; i++) {
		l = sock(SOCK_STREAM);
		s = sock(SOCK_STREAM);
		must(bindto(l, "@quire-self") == 0 && listen(l, 5) == 0);
		must(connectto(s, "@quire-self") == 0);
		c->cmsg_len = CMSG_LEN(sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(c), &l, sizeof(int));
		must(sendmsg(s, &h, 0) == 1);
		close(l);
		close(s);
		if (!quire)
			return; /* Linux collects when it likes */
	}
}

const struct test t_sockname[] = {
	T(bind_makes_a_file),
	T(bind_arguments),
	T(accept_and_talk),
	T(backlog_is_a_limit),
	T(listener_closes),
	T(dgram_to_a_name),
	T(stream_takes_no_address),
	T(path_needs_permission),
	T(listener_in_its_own_queue),
	{0},
};
