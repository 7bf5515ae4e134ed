/* t_pipe.c - pipes, poll and select. */
#include "t.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>

#define CAPACITY 65536

static char buf[2 * CAPACITY];

static void
pipe_holds_64k(void)
{
	int fd[2], n;

	must(pipe2(fd, O_NONBLOCK) == 0);
	checkeq(write(fd[1], buf, sizeof buf), CAPACITY);
	checkerr(write(fd[1], buf, 1), EAGAIN);
	checkeq(ioctl(fd[0], FIONREAD, &n), 0);
	checkeq(n, CAPACITY);
	checkeq(read(fd[0], buf, PG), PG);
	checkeq(write(fd[1], buf, PG), PG);
	checkeq(read(fd[0], buf, sizeof buf), CAPACITY);
	checkerr(read(fd[0], buf, 1), EAGAIN);
}

static void
pipe_keeps_order(void)
{
	static unsigned char in[70000], out[70000];
	int fd[2], i, n, got = 0, pid;

	must(pipe(fd) == 0);
	for (i = 0; i < NUM(in); i++)
		in[i] = i * 31 + i / 256;
	pid = fork();
	if (pid == 0) {
		for (i = 0; i < NUM(in); i += n) {
			n = 1 + rnd() % 5000;
			if (n > NUM(in) - i)
				n = NUM(in) - i;
			must(write(fd[1], in + i, n) == n);
		}
		finish();
	}
	close(fd[1]);
	while ((n = read(fd[0], out + got, 1 + rnd() % 3000)) > 0)
		if ((got += n) > NUM(out) - 3000)
			break;
	while (got < NUM(out) &&
		(n = read(fd[0], out + got, NUM(out) - got)) > 0)
		got += n;
	checkeq(got, NUM(in));
	checkeq(memcmp(in, out, NUM(in)), 0);
	checkeq(read(fd[0], out, 1), 0);
	reaped(pid);
}

static void
pipe_end_of_file(void)
{
	int fd[2];
	char c;

	must(pipe(fd) == 0);
	must(write(fd[1], "ab", 2) == 2);
	close(fd[1]);
	checkeq(read(fd[0], &c, 1), 1);
	checkeq(read(fd[0], buf, 10), 1);
	checkeq(read(fd[0], buf, 10), 0);
}

static void
writebroken(void)
{
	int fd[2];

	must(pipe(fd) == 0);
	close(fd[0]);
	must(write(fd[1], "x", 1) == 1);
}

static void
pipe_without_reader(void)
{
	int fd[2];

	checkdeath(writebroken, SIGPIPE);
	must(pipe(fd) == 0);
	close(fd[0]);
	signal(SIGPIPE, SIG_IGN);
	checkerr(write(fd[1], "x", 1), EPIPE);
	checkerr(lseek(fd[1], 0, SEEK_CUR), ESPIPE);
	checkerr(read(fd[1], buf, 1), EBADF);
}

/* Writes of up to a page come out whole, whoever else writes. */
static void
pipe_small_writes_are_atomic(void)
{
	int fd[2], i, k, pid[4], bad = 0, total = 0;
	char out[1000];

	must(pipe(fd) == 0);
	for (k = 0; k < 4; k++) {
		pid[k] = fork();
		if (pid[k] == 0) {
			memset(out, 'a' + k, sizeof out);
			for (i = 0; i < 200; i++)
				must(write(fd[1], out, 1000) == 1000);
			finish();
		}
	}
	close(fd[1]);
	while (total < 4 * 200 * 1000) {
		for (i = 0; i < 1000; i += k) {
			k = read(fd[0], out + i, 1000 - i);
			must(k > 0);
		}
		for (i = 1; i < 1000; i++)
			bad += out[i] != out[0];
		total += 1000;
	}
	checkeq(bad, 0);
	for (k = 0; k < 4; k++)
		reaped(pid[k]);
}

static void
pipe_blocked_writer_continues(void)
{
	int fd[2], pid, n, total = 0;

	must(pipe(fd) == 0);
	pid = fork();
	if (pid == 0) {
		checkeq(write(fd[1], buf, sizeof buf), sizeof buf);
		finish();
	}
	close(fd[1]);
	msleep(30);
	while ((n = read(fd[0], buf, 10000)) > 0)
		total += n;
	checkeq(total, sizeof buf);
	reaped(pid);
}

static void
poll_pipe_states(void)
{
	int fd[2];

	must(pipe2(fd, O_NONBLOCK) == 0);
	checkeq(polled(fd[0], POLLIN), 0);
	checkeq(polled(fd[1], POLLOUT), POLLOUT);
	must(write(fd[1], buf, CAPACITY) == CAPACITY);
	checkeq(polled(fd[1], POLLOUT), 0);
	checkeq(polled(fd[0], POLLIN), POLLIN);
	must(read(fd[0], buf, CAPACITY) == CAPACITY);
	must(write(fd[1], "x", 1) == 1);
	close(fd[1]);
	checkeq(polled(fd[0], POLLIN), POLLIN | POLLHUP);
	must(read(fd[0], buf, 1) == 1);
	checkeq(polled(fd[0], POLLIN), POLLHUP);
	checkeq(polled(fd[1], POLLIN), POLLNVAL);
	must(pipe(fd) == 0);
	close(fd[0]);
	checkeq(polled(fd[1], POLLOUT), POLLOUT | POLLERR);
	checkeq(polled(-1, POLLIN), 0);
}

static void
poll_waits_and_times_out(void)
{
	struct pollfd p[2] = {{.events = POLLIN}, {.fd = -1}};
	long long start = nowms();
	int fd[2], pid;

	must(pipe(fd) == 0);
	p[0].fd = fd[0];
	checkeq(poll(p, 2, 100), 0);
	checkrange(nowms() - start, 99, 2000);
	pid = fork();
	if (pid == 0) {
		msleep(50);
		must(write(fd[1], "x", 1) == 1);
		finish();
	}
	checkeq(poll(p, 2, 10000), 1);
	checkeq(p[0].revents, POLLIN);
	reaped(pid);
}

static void
select_pipe(void)
{
	struct timeval tv = {0, 30000};
	fd_set r, w;
	int fd[2];

	must(pipe(fd) == 0);
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(fd[0], &r);
	FD_SET(fd[1], &w);
	checkeq(select(fd[1] + 1, &r, &w, 0, &tv), 1);
	check(!FD_ISSET(fd[0], &r) && FD_ISSET(fd[1], &w));
	FD_SET(fd[0], &r);
	tv.tv_usec = 30000;
	checkeq(select(fd[1] + 1, &r, 0, 0, &tv), 0);
	checkeq(tv.tv_sec + tv.tv_usec, 0); /* written back */
	must(write(fd[1], "x", 1) == 1);
	FD_SET(fd[0], &r);
	checkeq(select(fd[1] + 1, &r, 0, 0, 0), 1);
	FD_SET(20, &r); /* not open */
	checkerr(select(21, &r, 0, 0, 0), EBADF);
	checkerr(select(-1, 0, 0, 0, &tv), EINVAL);
}

static void
pipe_opens_again_by_proc(void)
{
	char name[32], link[2][64] = {"", ""}, c[2];
	int fd[2], r, w;

	must(pipe(fd) == 0);
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd[0]);
	must((r = open(name, O_RDONLY)) >= 0);
	must(readlink(name, link[0], 63) > 0);
	must(write(fd[1], "ab", 2) == 2);
	checkeq(read(r, c, 1), 1);
	checkeq(read(fd[0], c + 1, 1), 1);
	checkeq(memcmp(c, "ab", 2), 0);
	must((w = open(name, O_WRONLY | O_CREAT | O_NONBLOCK, 0600)) >= 0);
	close(fd[0]);
	close(fd[1]);
	snprintf(name, sizeof name, "/proc/self/fd/%d", r);
	must(readlink(name, link[1], 63) > 0);
	checkeq(strcmp(link[0], link[1]), 0);
	checkeq(strncmp(link[1], "pipe:[", 6), 0);
	checkeq(write(w, "c", 1), 1);
	checkeq(read(r, c, 2), 1);
	close(w);
	checkeq(read(r, c, 1), 0);
	must((w = open(name, O_WRONLY)) >= 0);
	close(r);
	signal(SIGPIPE, SIG_IGN);
	checkerr(write(w, "d", 1), EPIPE);
}

static void
pipe_descriptors(void)
{
	int fd[2], d;

	must(pipe2(fd, O_CLOEXEC | O_NONBLOCK) == 0);
	checkeq(fcntl(fd[0], F_GETFD), FD_CLOEXEC);
	checkeq(fcntl(fd[1], F_GETFL) & (O_ACCMODE | O_NONBLOCK),
		O_WRONLY | O_NONBLOCK);
	d = dup(fd[1]);
	checkeq(fcntl(d, F_GETFD), 0);
	close(fd[1]);
	checkerr(read(fd[0], buf, 1), EAGAIN); /* d still writes */
	close(d);
	checkeq(read(fd[0], buf, 1), 0);
	checkeq(dup2(fd[0], fd[0]), fd[0]);
	checkerr(dup2(99, 100), EBADF);
	checkerr(dup2(fd[0], -1), EBADF);
	checkerr(dup3(fd[0], fd[0], 0), EINVAL);
	checkeq(fcntl(fd[0], F_DUPFD, 50), 50);
	checkeq(fcntl(fd[0], F_DUPFD_CLOEXEC, 50), 51);
	checkeq(fcntl(51, F_GETFD), FD_CLOEXEC);
	checkerr(pipe2(fd, 0x12345), EINVAL);
}

/* There is nothing to write, and no file system that could. */
static void
pipe_syncs_nothing(void)
{
	int fd[2];

	must(pipe(fd) == 0);
	checkeq(syncfs(fd[0]), 0);
	checkerr(fsync(fd[0]), EINVAL);
}

const struct test t_pipe[] = {
	T(pipe_syncs_nothing),
	T(pipe_holds_64k),
	T(pipe_keeps_order),
	T(pipe_end_of_file),
	T(pipe_without_reader),
	T(pipe_small_writes_are_atomic),
	T(pipe_blocked_writer_continues),
	T(pipe_opens_again_by_proc),
	T(pipe_descriptors),
	T(poll_pipe_states),
	T(poll_waits_and_times_out),
	T(select_pipe),
	{0},
};
