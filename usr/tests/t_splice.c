/* t_splice.c - splice, tee, vmsplice. */
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "t.h"

static int p[2], q[2], file;
static char path[] = "/tmp/t_splice.XXXXXX";

static void
setup(const char *contents)
{
	must(pipe(p) == 0 && pipe(q) == 0);
	must((file = mkstemp(path)) >= 0);
	unlink(path);
	must(write(file, contents, strlen(contents)) == (int)strlen(contents));
	lseek(file, 0, SEEK_SET);
}

static void
holds(int fd, const char *want)
{
	char buf[256];
	int n = read(fd, buf, sizeof(buf));

	checkeq(n, (int)strlen(want));
	check(n < 0 || memcmp(buf, want, n) == 0);
}

static void
filetopipe(void)
{
	loff_t off = 3;

	setup("abcdefghij");
	checkeq(splice(file, 0, p[1], 0, 4, 0), 4);
	checkeq(lseek(file, 0, SEEK_CUR), 4);
	holds(p[0], "abcd");
	checkeq(splice(file, &off, p[1], 0, 100, 0), 7);
	checkeq(off, 10);
	checkeq(lseek(file, 0, SEEK_CUR), 4);
	holds(p[0], "defghij");
	off = 20;
	checkeq(splice(file, &off, p[1], 0, 100, 0), 0);
}

static void
pipetofile(void)
{
	char buf[16] = "";
	loff_t off = 2;

	setup("0123456789");
	must(write(p[1], "abcdef", 6) == 6);
	checkeq(splice(p[0], 0, file, &off, 3, 0), 3);
	checkeq(off, 5);
	checkeq(splice(p[0], 0, file, 0, 100, 0), 3);
	checkeq(lseek(file, 0, SEEK_CUR), 3);
	must(pread(file, buf, 15, 0) == 10);
	check(!strcmp(buf, "defbc56789"));
	checkerr(splice(p[0], 0, file, 0, 9, SPLICE_F_NONBLOCK), EAGAIN);
	close(p[1]);
	checkeq(splice(p[0], 0, file, 0, 9, 0), 0);
}

static void
pipetopipe(void)
{
	setup("");
	must(write(p[1], "abcdef", 6) == 6);
	checkeq(splice(p[0], 0, q[1], 0, 4, 0), 4);
	holds(q[0], "abcd");
	checkeq(tee(p[0], q[1], 100, 0), 2);
	holds(q[0], "ef");
	holds(p[0], "ef");
	checkerr(tee(p[0], q[1], 1, SPLICE_F_NONBLOCK), EAGAIN);
	checkerr(tee(p[0], p[1], 1, 0), EINVAL);
	checkerr(splice(p[0], 0, p[1], 0, 1, 0), EINVAL);
}

/* What the other side has no room for stays. */
static void
full(void)
{
	static char buf[65536], want[10] = "abc";

	setup("file");
	memset(buf, 'x', sizeof(buf));
	must(write(q[1], buf, sizeof(buf)) == sizeof(buf));
	must(write(p[1], want, 3) == 3);
	checkerr(splice(p[0], 0, q[1], 0, 3, SPLICE_F_NONBLOCK), EAGAIN);
	checkerr(splice(file, 0, q[1], 0, 3, SPLICE_F_NONBLOCK), EAGAIN);
	checkeq(lseek(file, 0, SEEK_CUR), 0);
	close(q[0]);
	signal(SIGPIPE, SIG_IGN);
	checkerr(splice(p[0], 0, q[1], 0, 3, 0), EPIPE);
	holds(p[0], want);
}

static void
sockets(void)
{
	int s[2];

	setup("");
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	must(write(s[0], "through", 7) == 7);
	checkeq(splice(s[1], 0, p[1], 0, 100, 0), 7);
	checkeq(splice(p[0], 0, s[1], 0, 100, 0), 7);
	holds(s[0], "through");
}

static void
user(void)
{
	char a[] = "one", b[] = "two", buf[8] = "";
	struct iovec v[2] = {{a, 3}, {b, 3}}, to = {buf, 8};

	setup("");
	checkeq(vmsplice(p[1], v, 2, 0), 6);
	checkeq(vmsplice(p[0], &to, 1, 0), 6);
	check(!memcmp(buf, "onetwo", 6));
	checkeq(vmsplice(p[1], v, 0, 0), 0);
	checkerr(vmsplice(file, v, 2, 0), EBADF);
	checkerr(vmsplice(99, v, 2, 0), EBADF);
}

/* It waits for room for the first byte only, and takes what fits. */
static void
vmsplice_fills(void)
{
	char *big = mmap(0, 1 << 20, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec one = {big, 1 << 20},
		two[2] = {{big, 40960}, {big, 40960}};
	int pid;

	setup("");
	must(big != MAP_FAILED);
	big[65535] = 'z';
	checkeq(vmsplice(p[1], &one, 1, 0), 65536);
	checkerr(vmsplice(p[1], &one, 1, SPLICE_F_NONBLOCK), EAGAIN);
	checkeq(read(p[0], big, 1 << 20), 65536);
	checkeq(big[65535], 'z');
	checkeq(vmsplice(p[1], two, 2, 0), 65536);
	must((pid = fork()) >= 0);
	if (pid == 0) {
		while (read(p[0], big, 4096) != 4096)
			;
		_exit(0);
	}
	checkeq(vmsplice(p[1], two, 1, 0), 4096); /* waits for the child */
	reaped(pid);
	two[0].iov_base = (void *)8;
	checkeq(read(p[0], big, 4096), 4096);
	checkerr(vmsplice(p[1], two, 2, 0), EFAULT);
}

static void
errors(void)
{
	loff_t off = 0, bad = -1;
	int app;

	setup("abc");
	must(write(p[1], "x", 1) == 1);
	checkerr(splice(file, 0, file, 0, 1, 0), EINVAL);
	checkerr(splice(p[0], &off, file, 0, 1, 0), ESPIPE);
	checkerr(splice(file, 0, p[1], &off, 1, 0), ESPIPE);
	checkerr(splice(p[1], 0, file, 0, 1, 0), EBADF);
	checkerr(splice(file, 0, p[0], 0, 1, 0), EBADF);
	checkerr(splice(99, 0, p[1], 0, 1, 0), EBADF);
	checkerr(splice(file, &bad, p[1], 0, 1, 0), EINVAL);
	checkerr(splice(file, (void *)8, p[1], 0, 1, 0), EFAULT);
	checkeq(splice(file, 0, p[1], 0, 0, 0), 0);
	must((app = open("/tmp/t_splice.app", O_CREAT | O_WRONLY | O_APPEND,
		0600)) >= 0);
	unlink("/tmp/t_splice.app");
	checkerr(splice(p[0], 0, app, 0, 1, 0), EINVAL);
	checkerr(syscall(SYS_splice, file, 0, p[1], 0, 1, 16), EINVAL);
}

/* 1 MiB through two pipes and back, with a reader on the way. */
static void
much(void)
{
	enum { N = 1 << 20 };
	static unsigned char buf[N];
	int i, n, pid, done = 0;

	setup("");
	for (i = 0; i < N; i++)
		buf[i] = i * 7 + i / 4096;
	must(pwrite(file, buf, N, 0) == N);
	must((pid = fork()) >= 0);
	if (pid == 0) {
		close(p[0]);
		while ((n = splice(file, 0, p[1], 0, 50000, 0)) > 0)
			done += n;
		_exit(done != N || n != 0);
	}
	close(p[1]);
	while (done < N && (n = read(p[0], buf, 30000)) > 0) {
		for (i = 0; i < n; i++, done++) {
			if (buf[i] != (unsigned char)(done * 7 + done / 4096)) {
				failed(__FILE__, __LINE__, "byte %d", done);
				finish();
			}
		}
	}
	checkeq(done, N);
	reaped(pid);
}

const struct test t_splice[] = {
	T(filetopipe), T(pipetofile), T(pipetopipe), T(full), T(sockets),
	T(user), T(vmsplice_fills), T(errors), T(much), {0},
};
