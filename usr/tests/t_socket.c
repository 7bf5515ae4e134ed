/* t_socket.c - Unix-domain sockets: pairs, messages, descriptors in them. */
#include "t.h"

#include <fcntl.h>
#include <sched.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>

#define SIOCOUTQ 0x5411

static const int kinds[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
static char buf[300000];
static void *volatile bad = (void *)8;

static void
pair(int kind, int fd[2])
{
	must(socketpair(AF_UNIX, kind, 0, fd) == 0);
}

/* Receive: bytes, *nfd descriptors (room for max), the flags that came out. */
static int
recvfds(int s, void *data, int n, int fd[], int max, int *nfd, int flags,
	int *outflags)
{
	char control[CMSG_SPACE(300 * sizeof(int))];
	struct iovec iov = {data, n};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;
	int r;

	h.msg_control = control;
	h.msg_controllen = max ? CMSG_LEN(max * sizeof(int)) : 0;
	r = recvmsg(s, &h, flags);
	*nfd = 0;
	if (outflags)
		*outflags = h.msg_flags;
	c = CMSG_FIRSTHDR(&h);
	if (r < 0 || !c)
		return r;
	checkeq(c->cmsg_level, SOL_SOCKET);
	checkeq(c->cmsg_type, SCM_RIGHTS);
	*nfd = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fd, CMSG_DATA(c), *nfd * sizeof(int));
	return r;
}

static void
socketpair_arguments(void)
{
	int fd[2];

	checkerr(socketpair(AF_UNIX, SOCK_STREAM, 7, fd), EPROTONOSUPPORT);
	checkerr(socketpair(AF_UNIX, SOCK_RDM, 0, fd), ESOCKTNOSUPPORT);
	checkerr(socketpair(AF_UNIX, 11, 0, fd), EINVAL);
	checkerr(socketpair(AF_UNIX, SOCK_STREAM | 0x100, 0, fd), EINVAL);
	checkerr(socketpair(99, SOCK_STREAM, 0, fd), EAFNOSUPPORT);
	checkerr(socketpair(AF_UNIX, SOCK_STREAM, 0, bad), EFAULT);
	checkerr(socket(99, SOCK_STREAM, 0), EAFNOSUPPORT);
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 1,
		fd) == 0);
	checkeq(fcntl(fd[0], F_GETFD), FD_CLOEXEC);
	checkeq(fcntl(fd[1], F_GETFL) & (O_ACCMODE | O_NONBLOCK),
		O_RDWR | O_NONBLOCK);
	checkerr(read(fd[0], buf, 1), EAGAIN);
}

static void
socketpair_no_descriptors_left(void)
{
	struct rlimit rl = {10, 10};
	int fd[2], last, i;

	for (i = 3; i < 300; i++)
		close(i);
	last = dup(0);
	setrlimit(RLIMIT_NOFILE, &rl);
	for (i = last + 1; i < 9; i++)
		must(dup(0) == i);
	checkerr(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), EMFILE);
	checkeq(dup(0), 9);
	checkerr(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), EMFILE);
	checkerr(socket(AF_UNIX, SOCK_STREAM, 0), EMFILE);
}

static void
socket_not_a_socket(void)
{
	int fd[2], n, len = 4;

	must(pipe(fd) == 0);
	checkerr(send(fd[1], buf, 1, 0), ENOTSOCK);
	checkerr(recv(fd[0], buf, 1, 0), ENOTSOCK);
	checkerr(shutdown(fd[0], SHUT_RD), ENOTSOCK);
	checkerr(getsockopt(fd[0], SOL_SOCKET, SO_TYPE, &n, (socklen_t *)&len),
		ENOTSOCK);
	checkerr(send(99, buf, 1, 0), EBADF);
	checkerr(sendfds(99, buf, 1, 0, 0, 0), EBADF);
}

static void
socket_fstat_and_seek(void)
{
	char name[40], link[40], want[40];
	struct stat st, st2;
	int fd[2];

	pair(SOCK_STREAM, fd);
	checkeq(fstat(fd[0], &st), 0);
	checkeq(fstat(fd[1], &st2), 0);
	checkeq(st.st_mode, S_IFSOCK | 0777);
	checkeq(st.st_size, 0);
	check(st.st_ino != st2.st_ino);
	checkerr(lseek(fd[0], 0, SEEK_SET), ESPIPE);
	checkerr(pread(fd[0], buf, 1, 0), ESPIPE);
	checkerr(pwrite(fd[0], buf, 1, 0), ESPIPE);
	sprintf(name, "/proc/self/fd/%d", fd[0]);
	sprintf(want, "socket:[%u]", (unsigned)st.st_ino);
	memset(link, 0, sizeof link);
	checkeq(readlink(name, link, sizeof link), (int)strlen(want));
	checkeq(strcmp(link, want), 0);
	checkerr(open(name, O_RDWR), ENXIO);
	checkerr(ftruncate(fd[0], 0), EINVAL);
	checkerr(fsync(fd[0]), EINVAL);
}

static void
stream_bytes_both_ways(void)
{
	int fd[2], n;

	pair(SOCK_STREAM, fd);
	checkeq(write(fd[0], "hello", 5), 5);
	checkeq(write(fd[0], " world", 6), 6);
	checkeq(write(fd[1], "back", 4), 4);
	checkeq(write(fd[1], "", 0), 0);
	checkeq(ioctl(fd[1], FIONREAD, &n), 0);
	checkeq(n, 11);
	checkeq(read(fd[1], buf, 3), 3);
	checkeq(memcmp(buf, "hel", 3), 0);
	checkeq(read(fd[1], buf, 100), 8);
	checkeq(memcmp(buf, "lo world", 8), 0);
	checkeq(read(fd[0], buf, 100), 4);
	checkeq(read(fd[0], buf, 0), 0);
	checkerr(recv(fd[0], buf, 1, MSG_DONTWAIT), EAGAIN);
	checkerr(recv(fd[0], buf, 0, MSG_DONTWAIT), EAGAIN);
	checkerr(write(fd[0], bad, 1), EFAULT);
	checkeq(write(fd[0], "x", 1), 1);
	checkerr(read(fd[1], bad, 1), EFAULT);
	checkeq(read(fd[1], buf, 10), 1);
}

static void
stream_peek_and_waitall(void)
{
	int fd[2], pid;

	pair(SOCK_STREAM, fd);
	write(fd[0], "abc", 3);
	write(fd[0], "def", 3);
	checkeq(recv(fd[1], buf, 2, MSG_PEEK), 2);
	checkeq(recv(fd[1], buf, 5, MSG_PEEK), 5);
	checkeq(memcmp(buf, "abcde", 5), 0);
	checkeq(recv(fd[1], buf, 100, MSG_PEEK | MSG_WAITALL), 6);
	pid = fork();
	if (pid == 0) {
		while (ioctl(fd[1], FIONREAD, buf) == 0 && *(int *)buf == 6)
			sched_yield();
		write(fd[0], "ghij", 4);
		finish();
	}
	checkeq(recv(fd[1], buf, 10, MSG_WAITALL), 10);
	checkeq(memcmp(buf, "abcdefghij", 10), 0);
	reaped(pid);
	write(fd[0], "123", 3);
	checkeq(recv(fd[1], buf, 10, MSG_WAITALL | MSG_DONTWAIT), 3);
	write(fd[0], "123", 3);
	close(fd[0]);
	checkeq(recv(fd[1], buf, 10, MSG_WAITALL), 3);
	checkeq(recv(fd[1], buf, 10, MSG_WAITALL), 0);
}

static void
stream_readv_writev(void)
{
	int kind, fd[2];
	struct iovec out[4] = {{"ab", 2}, {"", 0}, {"cde", 3}, {"f", 1}};
	struct iovec in[3] = {{buf, 1}, {buf + 10, 0}, {buf + 20, 10}};

	for (kind = 0; kind < 3; kind++) {
		pair(kinds[kind], fd);
		checkeq(writev(fd[0], out, 4), 6);
		checkeq(readv(fd[1], in, 3), 6);
		checkeq(buf[0], 'a');
		checkeq(memcmp(buf + 20, "bcdef", 5), 0);
		checkeq(writev(fd[0], out + 1, 1), 0);
		checkeq(readv(fd[1], in + 1, 1), 0);
		checkerr(recv(fd[1], buf, 1, MSG_DONTWAIT), EAGAIN);
		close(fd[0]);
		close(fd[1]);
	}
}

static void
packets_keep_boundaries(void)
{
	int kind, fd[2], n, nfd, flags;

	for (kind = 1; kind < 3; kind++) {
		pair(kinds[kind], fd);
		checkeq(write(fd[0], "abc", 3), 3);
		checkeq(send(fd[0], "", 0, 0), 0);
		checkeq(send(fd[0], "defgh", 5, MSG_EOR), 5);
		checkeq(ioctl(fd[1], FIONREAD, &n), 0);
		checkeq(n, kinds[kind] == SOCK_DGRAM ? 3 : 8);
		checkeq(recv(fd[1], buf, 10, MSG_PEEK), 3);
		checkeq(recv(fd[1], buf, 2, MSG_PEEK | MSG_TRUNC), 3);
		checkeq(recvfds(fd[1], buf, 2, &n, 0, &nfd, 0, &flags), 2);
		checkeq(flags, MSG_TRUNC);
		checkeq(recv(fd[1], buf, 10, 0), 0);
		checkeq(recvfds(fd[1], buf, 10, &n, 0, &nfd, 0, &flags), 5);
		checkeq(flags, 0);
		checkeq(memcmp(buf, "defgh", 5), 0);
		checkerr(recv(fd[1], buf, 1, MSG_DONTWAIT), EAGAIN);
		/* what could not be copied is gone */
		checkeq(write(fd[0], "ab", 2), 2);
		checkerr(read(fd[1], bad, 2), EFAULT);
		checkerr(recv(fd[1], buf, 1, MSG_DONTWAIT), EAGAIN);
		checkerr(send(fd[0], "x", 1, MSG_OOB), EOPNOTSUPP);
		checkerr(recv(fd[0], buf, 1, MSG_OOB), EOPNOTSUPP);
		close(fd[0]);
		close(fd[1]);
	}
}

static void
packets_size_limit(void)
{
	int kind, fd[2], n;
	socklen_t len = sizeof n;

	for (kind = 1; kind < 3; kind++) {
		pair(kinds[kind], fd);
		checkeq(getsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &n, &len), 0);
		checkeq(n, 212992);
		memset(buf, 'x', sizeof buf);
		buf[212959] = 'y';
		checkerr(send(fd[0], buf, 212961, MSG_DONTWAIT), EMSGSIZE);
		checkeq(send(fd[0], buf, 212960, MSG_DONTWAIT), 212960);
		checkerr(send(fd[0], buf, 1, MSG_DONTWAIT), EAGAIN);
		memset(buf, 0, sizeof buf);
		checkeq(recv(fd[1], buf, sizeof buf, 0), 212960);
		checkeq(buf[0], 'x');
		checkeq(buf[212958], 'x');
		checkeq(buf[212959], 'y');
		checkeq(buf[212960], 0);
		checkeq(send(fd[0], buf, 1, MSG_DONTWAIT), 1);
		close(fd[0]);
		close(fd[1]);
	}
}

/* How many messages of n bytes go before EAGAIN. */
static int
capacity(int kind, int n)
{
	int fd[2], i;

	must(socketpair(AF_UNIX, kind | SOCK_NONBLOCK, 0, fd) == 0);
	for (i = 0; i < 10000 && write(fd[0], buf, n) == n; i++)
		;
	checkeq(errno, EAGAIN);
	checkeq(polled(fd[0], POLLOUT), 0);
	checkeq(polled(fd[1], POLLIN), POLLIN);
	close(fd[0]);
	close(fd[1]);
	return i;
}

static void
socket_buffers_fill_as_on_linux(void)
{
	int kind;

	for (kind = 0; kind < 3; kind++) {
		checkrange(capacity(kinds[kind], 1), 278, 278);
		checkrange(capacity(kinds[kind], 1000), 90, 94);
		checkrange(capacity(kinds[kind], 4096), 24, 45);
	}
}

static void
stream_partial_write(void)
{
	int fd[2], n, left, got = 0;

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0);
	n = write(fd[0], buf, sizeof buf);
	checkrange(n, 150000, 260000);
	checkerr(write(fd[0], buf, 1), EAGAIN);
	checkeq(ioctl(fd[1], FIONREAD, &left), 0);
	checkeq(left, n);
	checkeq(polled(fd[0], POLLOUT), 0);
	checkeq(ioctl(fd[0], SIOCOUTQ, &left), 0);
	check(left >= n);
	while (got < n)
		got += read(fd[1], buf, 10000);
	checkeq(got, n);
	checkeq(ioctl(fd[0], SIOCOUTQ, &left), 0);
	checkeq(left, 0);
	checkeq(polled(fd[0], POLLOUT), POLLOUT);
}

static void
stream_peer_closes(void)
{
	int fd[2], err;
	socklen_t len = sizeof err;

	signal(SIGPIPE, SIG_IGN);
	pair(SOCK_STREAM, fd);
	write(fd[1], "ab", 2);
	close(fd[1]);
	checkeq(polled(fd[0], POLLIN | POLLOUT | POLLRDHUP),
		POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
	checkeq(read(fd[0], buf, 10), 2);
	checkeq(read(fd[0], buf, 10), 0);
	checkerr(write(fd[0], "x", 1), EPIPE);
	checkerr(write(fd[0], "x", 0), EPIPE);
	close(fd[0]);

	pair(SOCK_STREAM, fd); /* with bytes that it has not read */
	write(fd[0], "ab", 2);
	write(fd[1], "cd", 2);
	close(fd[1]);
	checkeq(polled(fd[0], POLLIN | POLLRDHUP),
		POLLIN | POLLHUP | POLLRDHUP | POLLERR);
	checkerr(write(fd[0], "x", 1), EPIPE);
	checkeq(read(fd[0], buf, 10), 2);
	checkerr(read(fd[0], buf, 10), ECONNRESET);
	checkeq(read(fd[0], buf, 10), 0);
	close(fd[0]);

	pair(SOCK_STREAM, fd);
	write(fd[0], "ab", 2);
	close(fd[1]);
	checkeq(getsockopt(fd[0], SOL_SOCKET, SO_ERROR, &err, &len), 0);
	checkeq(err, ECONNRESET);
	checkeq(getsockopt(fd[0], SOL_SOCKET, SO_ERROR, &err, &len), 0);
	checkeq(err, 0);
	checkeq(read(fd[0], buf, 10), 0);
}

static void
writing(int kind, int flags)
{
	int fd[2];

	pair(kind, fd);
	close(fd[1]);
	checkerr(send(fd[0], "x", 1, flags),
		kind == SOCK_DGRAM ? ECONNREFUSED : EPIPE);
}

static void
stream_writes(void)
{
	writing(SOCK_STREAM, 0);
}

static void
seqpacket_writes(void)
{
	writing(SOCK_SEQPACKET, 0);
}

static void
dgram_writes(void)
{
	writing(SOCK_DGRAM, 0);
}

static void
nosignal_writes(void)
{
	writing(SOCK_STREAM, MSG_NOSIGNAL);
}

static void
socket_sigpipe(void)
{
	checkdeath(stream_writes, SIGPIPE);
	child(dgram_writes);
	child(seqpacket_writes);
	child(nosignal_writes);
}

static void
packets_peer_closes(void)
{
	int fd[2];

	pair(SOCK_SEQPACKET, fd);
	write(fd[0], "ab", 2);
	write(fd[1], "cd", 2);
	close(fd[1]);
	checkeq(polled(fd[0], POLLIN | POLLRDHUP),
		POLLIN | POLLHUP | POLLRDHUP | POLLERR);
	checkerr(send(fd[0], "x", 1, 0), ECONNRESET);
	checkerr(send(fd[0], "x", 1, 0), EPIPE);
	checkeq(read(fd[0], buf, 10), 2);
	checkeq(read(fd[0], buf, 10), 0);
	close(fd[0]);

	pair(SOCK_SEQPACKET, fd);
	write(fd[0], "ab", 2);
	write(fd[1], "cd", 2);
	close(fd[1]);
	checkerr(read(fd[0], buf, 10), ECONNRESET);
	checkeq(read(fd[0], buf, 10), 2);
	close(fd[0]);

	pair(SOCK_DGRAM, fd);
	write(fd[1], "cd", 2);
	close(fd[1]);
	checkeq(polled(fd[0], POLLIN | POLLOUT | POLLRDHUP), POLLIN | POLLOUT);
	checkeq(read(fd[0], buf, 10), 2);
	checkerr(recv(fd[0], buf, 10, MSG_DONTWAIT), EAGAIN);
	checkerr(write(fd[0], "x", 1), ECONNREFUSED);
	checkerr(write(fd[0], "x", 1), ENOTCONN);
}

static void
socket_shutdown(void)
{
	int kind, fd[2], dgram;

	signal(SIGPIPE, SIG_IGN);
	for (kind = 0; kind < 3; kind++) {
		dgram = kinds[kind] == SOCK_DGRAM;
		pair(kinds[kind], fd);
		checkerr(shutdown(fd[0], 3), EINVAL);
		checkerr(shutdown(fd[0], -1), EINVAL);
		write(fd[0], "ab", 2);
		checkeq(shutdown(fd[0], SHUT_WR), 0);
		checkerr(write(fd[0], "x", 1), EPIPE);
		checkeq(polled(fd[0], POLLIN | POLLOUT | POLLRDHUP), POLLOUT);
		checkeq(polled(fd[1], POLLIN | POLLOUT | POLLRDHUP),
			POLLIN | POLLOUT | (dgram ? 0 : POLLRDHUP));
		checkeq(read(fd[1], buf, 9), 2);
		if (!dgram)
			checkeq(read(fd[1], buf, 9), 0);
		checkeq(write(fd[1], "back", 4), 4);
		checkeq(read(fd[0], buf, 9), 4);
		checkeq(shutdown(fd[0], SHUT_RD), 0);
		checkeq(polled(fd[0], POLLIN | POLLOUT | POLLRDHUP),
			POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
		checkeq(recv(fd[0], buf, 9, 0), 0);
		if (dgram)
			checkerr(recv(fd[0], buf, 9, MSG_DONTWAIT), EAGAIN);
		else
			checkeq(recv(fd[0], buf, 9, MSG_DONTWAIT), 0);
		checkerr(write(fd[1], "x", 1), EPIPE);
		close(fd[0]);
		close(fd[1]);
	}
}

static void
socket_options(void)
{
	int kind, fd[2], n, i, r;
	socklen_t len;
	static const int want[][2] = {{SO_DOMAIN, AF_UNIX}, {SO_PROTOCOL, 0},
		{SO_ERROR, 0}, {SO_ACCEPTCONN, 0}, {SO_REUSEADDR, 0},
		{SO_SNDBUF, 212992}, {SO_RCVBUF, 212992}, {SO_RCVLOWAT, 1},
		{SO_PASSCRED, 0}, {SO_KEEPALIVE, 0}};
	static const int settable[] = {SO_REUSEADDR, SO_KEEPALIVE, SO_PASSCRED,
		SO_BROADCAST};
	struct ucred cred;
	struct timeval tv;

	for (kind = 0; kind < 3; kind++) {
		pair(kinds[kind], fd);
		len = sizeof n;
		checkeq(getsockopt(fd[0], SOL_SOCKET, SO_TYPE, &n, &len), 0);
		checkeq(n, kinds[kind]);
		for (i = 0; i < NUM(want); i++) {
			n = -1;
			r = getsockopt(fd[0], SOL_SOCKET, want[i][0], &n, &len);
			checkeq(r, 0);
			checkeq(n, want[i][1]);
			checkeq(len, 4);
		}
		for (i = 0; i < NUM(settable); i++) {
			n = 77;
			r = setsockopt(fd[0], SOL_SOCKET, settable[i], &n, 4);
			checkeq(r, 0);
			getsockopt(fd[0], SOL_SOCKET, settable[i], &n, &len);
			checkeq(n, 1);
		}
		close(fd[0]);
		close(fd[1]);
	}
	pair(SOCK_STREAM, fd);
	len = 2;
	n = 0;
	checkeq(getsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &n, &len), 0);
	checkeq(n, 212992 & 0xffff);
	checkeq(len, 2);
	len = sizeof cred;
	checkeq(getsockopt(fd[0], SOL_SOCKET, SO_PEERCRED, &cred, &len), 0);
	checkeq(cred.pid, getpid());
	checkeq(cred.uid, geteuid());
	checkeq(cred.gid, getegid());
	checkeq(len, 12);
	len = -1;
	checkerr(getsockopt(fd[0], SOL_SOCKET, SO_TYPE, &n, &len), EINVAL);
	len = 4;
	checkerr(getsockopt(fd[0], SOL_SOCKET, 999, &n, &len), ENOPROTOOPT);
	checkerr(getsockopt(fd[0], 77, SO_TYPE, &n, &len), EOPNOTSUPP);
	checkerr(getsockopt(fd[0], SOL_SOCKET, SO_TYPE, bad, &len),
		EFAULT);
	checkerr(getsockopt(fd[0], SOL_SOCKET, SO_TYPE, &n, bad), EFAULT);
	checkerr(setsockopt(fd[0], SOL_SOCKET, SO_TYPE, &n, 4), ENOPROTOOPT);
	checkerr(setsockopt(fd[0], SOL_SOCKET, 999, &n, 4), ENOPROTOOPT);
	checkerr(setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &n, 3), EINVAL);
	checkerr(setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, bad, 4),
		EFAULT);
	checkerr(setsockopt(fd[0], 77, SO_SNDBUF, &n, 4), EOPNOTSUPP);
	n = 1;
	checkeq(setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &n, 4), 0);
	getsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &n, &len);
	checkeq(n, 4608);
	n = 100000;
	checkeq(setsockopt(fd[0], SOL_SOCKET, SO_RCVBUF, &n, 4), 0);
	getsockopt(fd[0], SOL_SOCKET, SO_RCVBUF, &n, &len);
	checkeq(n, 200000);
	tv = (struct timeval){3, 20000};
	checkeq(setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv), 0);
	memset(&tv, 0, sizeof tv);
	len = sizeof tv;
	checkeq(getsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &tv, &len), 0);
	checkeq(tv.tv_sec, 3);
	checkeq(tv.tv_usec, 20000);
	tv.tv_usec = 1000000;
	checkerr(setsockopt(fd[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv),
		EDOM);
	checkerr(setsockopt(fd[0], SOL_SOCKET, SO_SNDTIMEO, &tv, 4), EINVAL);
}

static void
socket_names_of_pairs(void)
{
	struct sockaddr_un un;
	socklen_t len = sizeof un;
	int fd[2], s;

	pair(SOCK_STREAM, fd);
	memset(&un, 0x77, sizeof un);
	checkeq(getsockname(fd[0], (void *)&un, &len), 0);
	checkeq(len, 2);
	checkeq(un.sun_family, AF_UNIX);
	len = 1;
	checkeq(getpeername(fd[0], (void *)&un, &len), 0);
	checkeq(len, 2);
	len = -1;
	checkerr(getpeername(fd[0], (void *)&un, &len), EINVAL);
	checkerr(getpeername(fd[0], (void *)&un, bad), EFAULT);
	len = 8;
	checkerr(getpeername(fd[0], bad, &len), EFAULT);
	must((s = socket(AF_UNIX, SOCK_STREAM, 0)) >= 0);
	checkerr(getpeername(s, (void *)&un, &len), ENOTCONN);
	checkeq(polled(s, POLLIN | POLLOUT | POLLRDHUP), POLLOUT | POLLHUP);
	checkerr(write(s, "x", 1), ENOTCONN);
	checkerr(read(s, buf, 1), EINVAL);
	must((s = socket(AF_UNIX, SOCK_SEQPACKET, 0)) >= 0);
	checkerr(write(s, "x", 1), ENOTCONN);
	checkerr(read(s, buf, 1), ENOTCONN);
	must((s = socket(AF_UNIX, SOCK_DGRAM, 0)) >= 0);
	checkeq(polled(s, POLLIN | POLLOUT | POLLRDHUP), POLLOUT);
	checkerr(write(s, "x", 1), ENOTCONN);
	checkerr(recv(s, buf, 1, MSG_DONTWAIT), EAGAIN);
}

static void
socket_timeouts(void)
{
	struct timeval tv = {0, 30000};
	int kind, fd[2];
	long long t;

	for (kind = 0; kind < 3; kind++) {
		pair(kinds[kind], fd);
		setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
		setsockopt(fd[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
		t = nowms();
		checkerr(read(fd[0], buf, 1), EAGAIN);
		check(nowms() - t >= 29);
		while (send(fd[0], buf, 5000, MSG_DONTWAIT) > 0)
			;
		t = nowms();
		checkerr(write(fd[0], buf, 5000), EAGAIN);
		check(nowms() - t >= 29);
		close(fd[0]);
		close(fd[1]);
	}
}

static volatile int handled;

static void
onalarm(int sig)
{
	(void)sig;
	handled++;
}

static void
alarmin(int ms, int flags)
{
	struct itimerval it = {{0, 0}, {0, ms * 1000}};
	struct sigaction sa = {.sa_handler = onalarm, .sa_flags = flags};

	sigaction(SIGALRM, &sa, 0);
	setitimer(ITIMER_REAL, &it, 0);
}

static void
socket_signal_interrupts(void)
{
	struct timeval tv = {5, 0};
	int fd[2];

	pair(SOCK_STREAM, fd);
	alarmin(20, 0);
	checkerr(read(fd[0], buf, 1), EINTR);
	while (send(fd[0], buf, sizeof buf, MSG_DONTWAIT) > 0)
		;
	alarmin(20, 0);
	checkerr(write(fd[0], buf, 1), EINTR);
	checkeq(handled, 2);
	/* not restarted when it has a time limit */
	setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	alarmin(20, SA_RESTART);
	checkerr(read(fd[0], buf, 1), EINTR);
	checkeq(handled, 3);
}

static void
stream_blocks_and_wakes(void)
{
	static unsigned char in[400000], out[400000];
	int fd[2], i, n, got = 0, pid;

	pair(SOCK_STREAM, fd);
	for (i = 0; i < NUM(in); i++)
		in[i] = i * 31 + i / 256;
	pid = fork();
	if (pid == 0) {
		close(fd[1]);
		for (i = 0; i < NUM(in); i += n) {
			n = 1 + rnd() % (rnd() % 2 ? 50 : 90000);
			if (n > NUM(in) - i)
				n = NUM(in) - i;
			must(write(fd[0], in + i, n) == n);
		}
		finish();
	}
	close(fd[0]);
	while ((n = read(fd[1], out + got, rnd() % 2 ? 50 : 70000)) > 0)
		got += n;
	checkeq(n, 0);
	checkeq(got, NUM(in));
	checkeq(memcmp(in, out, NUM(in)), 0);
	reaped(pid);
}

static void
packets_block_and_wake(void)
{
	int kind, fd[2], i, n, pid;

	for (kind = 1; kind < 3; kind++) {
		pair(kinds[kind], fd);
		pid = fork();
		if (pid == 0) {
			for (i = 0; i < 3000; i++) {
				n = i * 37 % 9000;
				memset(buf, i, n);
				must(write(fd[0], buf, n) == n);
			}
			finish();
		}
		for (i = 0; i < 3000; i++) {
			n = read(fd[1], buf, sizeof buf);
			must(n == i * 37 % 9000);
			if (n > 0)
				must(buf[0] == (char)i &&
					buf[n - 1] == (char)i);
		}
		reaped(pid);
		close(fd[0]);
		close(fd[1]);
	}
}

static void
socket_pingpong(void)
{
	int fd[2], i, pid;
	char c;

	pair(SOCK_STREAM, fd);
	pid = fork();
	if (pid == 0) {
		close(fd[0]);
		while (read(fd[1], &c, 1) == 1)
			must(write(fd[1], &c, 1) == 1);
		finish();
	}
	close(fd[1]);
	for (i = 0; i < 3000; i++) {
		c = i;
		must(write(fd[0], &c, 1) == 1 && read(fd[0], &c, 1) == 1);
		must(c == (char)i);
	}
	close(fd[0]);
	reaped(pid);
}

/* Somebody blocked in a read or a write is woken by the other side's end. */
static void
socket_end_wakes(void)
{
	int kind, fd[2], pid, how;

	signal(SIGPIPE, SIG_IGN);
	for (kind = 0; kind < 3; kind += 2) {
		for (how = 0; how < 4; how++) {
			pair(kinds[kind], fd);
			while (how & 1 &&
				send(fd[0], buf, 5000, MSG_DONTWAIT) > 0)
				;
			pid = fork();
			if (pid == 0) {
				close(fd[1]);
				if (how & 1)
					must(write(fd[0], buf, 5000) < 0);
				else
					must(read(fd[0], buf, 10) == 0);
				finish();
			}
			msleep(10);
			if (how & 2)
				shutdown(fd[1], SHUT_RDWR);
			close(fd[1]);
			reaped(pid);
			close(fd[0]);
		}
	}
}

static void
socket_killed_while_blocked(void)
{
	int kind, fd[2], pid, how;

	for (kind = 0; kind < 3; kind++) {
		for (how = 0; how < 2; how++) {
			pair(kinds[kind], fd);
			while (how && send(fd[0], buf, 5000, MSG_DONTWAIT) > 0)
				;
			pid = fork();
			if (pid == 0) {
				if (how)
					write(fd[0], buf, 5000);
				else
					read(fd[0], buf, 5000);
				finish();
			}
			msleep(10);
			kill(pid, SIGKILL);
			must(waitpid(pid, &pid, 0) > 0);
			checkeq(WTERMSIG(pid), SIGKILL);
			close(fd[0]);
			close(fd[1]);
		}
	}
}

static void
socketcall_numbers(void)
{
	int fd[2];
	long pairarg[4] = {AF_UNIX, SOCK_STREAM, 0, (long)fd};
	long sendarg[4], recvarg[4];

	checkeq(int80(102, 0, 0, 0), -EINVAL);
	checkeq(int80(102, 21, 0, 0), -EINVAL);
	checkeq(int80(102, 8, 8, 0), -EFAULT);
	checkeq(int80(102, 8, (long)pairarg, 0), 0);
	sendarg[0] = fd[0];
	sendarg[1] = (long)"abc";
	sendarg[2] = 3;
	sendarg[3] = 0;
	checkeq(int80(102, 9, (long)sendarg, 0), 3);
	recvarg[0] = fd[1];
	recvarg[1] = (long)buf;
	recvarg[2] = 10;
	recvarg[3] = 0;
	checkeq(int80(102, 10, (long)recvarg, 0), 3);
}

static void
mmsg_many_at_once(void)
{
	struct iovec iov[3] = {{"a", 1}, {"bcd", 3}, {"", 0}};
	struct mmsghdr m[4];
	char in[4][10];
	struct iovec inv[4];
	int fd[2], i;

	pair(SOCK_DGRAM, fd);
	memset(m, 0, sizeof m);
	for (i = 0; i < 3; i++) {
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	checkeq(sendmmsg(fd[0], m, 3, 0), 3);
	checkeq(m[1].msg_len, 3);
	memset(m, 0, sizeof m);
	for (i = 0; i < 4; i++) {
		inv[i] = (struct iovec){in[i], 10};
		m[i].msg_hdr.msg_iov = &inv[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	checkeq(recvmmsg(fd[1], m, 4, MSG_WAITFORONE, 0), 3);
	checkeq(m[0].msg_len, 1);
	checkeq(m[1].msg_len, 3);
	checkeq(m[2].msg_len, 0);
	checkeq(memcmp(in[1], "bcd", 3), 0);
	checkerr(recvmmsg(fd[1], m, 4, MSG_DONTWAIT, 0), EAGAIN);
}

/* Random sends and receives against a model of what is in the queue. */
static void
socket_random_operations(void)
{
	static unsigned char model[300000];
	static int sizes[2000];
	int kind, round, fd[2], n, r, want, first, last, head, tail;
	unsigned char seq, c;

	srnd(7);
	for (kind = 0; kind < 3; kind++) {
		must(socketpair(AF_UNIX, kinds[kind] | SOCK_NONBLOCK, 0,
			fd) == 0);
		first = last = head = tail = 0;
		seq = 0;
		for (round = 0; round < 2000; round++) {
			n = rnd() % 4 ? rnd() % 100 : rnd() % 20000;
			if (rnd() % 2 && last < NUM(sizes) &&
				head + n < NUM(model)) {
				for (r = 0; r < n; r++)
					buf[r] = seq + r * 7;
				r = send(fd[0], buf, n, 0);
				if (r < 0) {
					checkeq(errno, EAGAIN);
					continue;
				}
				if (kinds[kind] != SOCK_STREAM)
					must(r == n);
				memcpy(model + head, buf, r);
				seq += r + 1;
				head += r;
				if (r > 0 || kinds[kind] != SOCK_STREAM)
					sizes[last++] = r;
				continue;
			}
			if (n == 0)
				n = 1;
			want = kinds[kind] == SOCK_STREAM ? head - tail :
				first < last ? sizes[first] : -1;
			if (kinds[kind] == SOCK_STREAM && want == 0)
				want = -1;
			if (rnd() % 4 == 0) {
				r = recv(fd[1], buf, 1, MSG_PEEK);
				c = buf[0];
				if (want > 0)
					must(r == 1 && c == model[tail]);
			}
			r = recv(fd[1], buf, n, 0);
			must(r == (want < n ? want : n));
			if (r < 0)
				continue;
			must(memcmp(buf, model + tail, r) == 0);
			tail += kinds[kind] == SOCK_STREAM ? r : want;
			first++;
			if (tail == head) {
				head = tail = 0;
				if (kinds[kind] == SOCK_STREAM)
					first = last = 0;
			}
		}
		close(fd[0]);
		close(fd[1]);
	}
}


/* Three send numbered messages, three receive: each comes once, whole, and
 * those of one sender in order to each receiver. */
static void
packets_many_readers_and_writers(void)
{
	enum { N = 1500 };
	struct { int from, number, pad[200]; } m;
	int fd[2], report[2], i, n, pid[6], last[3], sum, total = 0;

	pair(SOCK_SEQPACKET, fd);
	must(pipe(report) == 0);
	for (i = 0; i < 6; i++) {
		pid[i] = fork();
		if (pid[i] > 0)
			continue;
		if (i < 3) {
			memset(&m, i, sizeof m);
			m.from = i;
			for (m.number = 1; m.number <= N; m.number++)
				must(write(fd[0], &m, sizeof m) == sizeof m);
			finish();
		}
		close(fd[0]);
		memset(last, 0, sizeof last);
		sum = 0;
		while ((n = read(fd[1], &m, sizeof m)) > 0) {
			must(n == sizeof m && m.from >= 0 && m.from < 3);
			must(m.pad[199] == m.from * 0x01010101);
			must(m.number > last[m.from]);
			last[m.from] = m.number;
			sum += m.number;
		}
		must(write(report[1], &sum, sizeof sum) == sizeof sum);
		finish();
	}
	close(fd[0]);
	for (i = 0; i < 3; i++) {
		must(read(report[0], &sum, sizeof sum) == sizeof sum);
		total += sum;
	}
	checkeq(total, 3 * N * (N + 1) / 2);
	for (i = 0; i < 6; i++)
		reaped(pid[i]);
}

/* Three processes write to one end of a stream, three read the other: as many
 * bytes arrive as were sent, and as many of each kind. */
static void
stream_many_readers_and_writers(void)
{
	enum { N = 150000 };
	static int count[3], sum[3];
	int fd[2], report[2], i, k, n, pid[6];

	pair(SOCK_STREAM, fd);
	must(pipe(report) == 0);
	for (i = 0; i < 6; i++) {
		pid[i] = fork();
		if (pid[i] > 0)
			continue;
		if (i < 3) {
			memset(buf, i, 10000);
			for (k = 0; k < N; k += n) {
				n = 1 + rnd() % 9999;
				if (n > N - k)
					n = N - k;
				must(write(fd[0], buf, n) == n);
			}
			finish();
		}
		close(fd[0]);
		while ((n = read(fd[1], buf, 1 + rnd() % 9999)) > 0)
			for (k = 0; k < n; k++) {
				must(buf[k] >= 0 && buf[k] < 3);
				count[(int)buf[k]]++;
			}
		must(write(report[1], count, sizeof count) == sizeof count);
		finish();
	}
	close(fd[0]);
	for (i = 0; i < 3; i++) {
		must(read(report[0], count, sizeof count) == sizeof count);
		for (k = 0; k < 3; k++)
			sum[k] += count[k];
	}
	for (k = 0; k < 3; k++)
		checkeq(sum[k], N);
	for (i = 0; i < 6; i++)
		reaped(pid[i]);
}

const struct test t_socket[] = {
	T(socketpair_arguments),
	T(socketpair_no_descriptors_left),
	T(socket_not_a_socket),
	T(socket_fstat_and_seek),
	T(stream_bytes_both_ways),
	T(stream_peek_and_waitall),
	T(stream_readv_writev),
	T(packets_keep_boundaries),
	T(packets_size_limit),
	T(socket_buffers_fill_as_on_linux),
	T(stream_partial_write),
	T(stream_peer_closes),
	T(socket_sigpipe),
	T(packets_peer_closes),
	T(socket_shutdown),
	T(socket_options),
	T(socket_names_of_pairs),
	T(socket_timeouts),
	T(socket_signal_interrupts),
	T(stream_blocks_and_wakes),
	T(packets_block_and_wake),
	T(socket_pingpong),
	T(socket_end_wakes),
	T(socket_killed_while_blocked),
	T(socketcall_numbers),
	T(mmsg_many_at_once),
	T(socket_random_operations),
	T(packets_many_readers_and_writers),
	T(stream_many_readers_and_writers),
	{0},
};
