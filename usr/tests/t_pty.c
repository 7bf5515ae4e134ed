/* t_pty.c - pseudo-terminals: both ends, job control, hangups, /dev/pts. */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <termios.h>

#include "t.h"

static int master, slave;

/* Make a pair; the slave is not anybody's controlling terminal. */
static void
openpair(void)
{
	int unlock = 0, n = -1;
	char path[32];

	must((master = open("/dev/ptmx", O_RDWR | O_NOCTTY)) >= 0);
	must(ioctl(master, TIOCGPTN, &n) == 0);
	snprintf(path, sizeof(path), "/dev/pts/%d", n);
	checkerr(open(path, O_RDWR | O_NOCTTY), EIO); /* still locked */
	must(ioctl(master, TIOCSPTLCK, &unlock) == 0);
	must((slave = open(path, O_RDWR | O_NOCTTY)) >= 0);
}

static void
raw(int fd)
{
	struct termios t;

	must(tcgetattr(fd, &t) == 0);
	cfmakeraw(&t);
	must(tcsetattr(fd, TCSANOW, &t) == 0);
}

/* Read what is there: it is exactly this. */
static void
reads(int fd, const char *want)
{
	char buf[256];
	int n, len = strlen(want), done = 0;

	while (done < len && (n = read(fd, buf + done, sizeof(buf) - done)) > 0)
		done += n;
	checkeq(done, len);
	check(memcmp(buf, want, len) == 0);
}

static void
puts_(int fd, const char *s)
{
	checkeq(write(fd, s, strlen(s)), (int)strlen(s));
}

static void
lines(void)
{
	char buf[16];

	openpair();
	puts_(master, "abX\177c\n"); /* edited, echoed */
	reads(slave, "abc\n");
	reads(master, "abX\b \bc\r\n");
	puts_(slave, "out\n");
	reads(master, "out\r\n");
	puts_(master, "part\4");
	reads(slave, "part");
	puts_(master, "\4");
	checkeq(read(slave, buf, sizeof(buf)), 0);
	reads(master, "part");
	raw(slave);
	puts_(master, "\3\4\r");
	reads(slave, "\3\4\r");
	puts_(slave, "a\nb");
	reads(master, "a\nb");
}

static void
settings(void)
{
	struct winsize ws = {24, 80, 0, 0}, got;
	struct termios a, b;
	int n = 0, m = -1;

	openpair();
	must(tcgetattr(master, &a) == 0 && tcgetattr(slave, &b) == 0);
	checkeq(a.c_lflag, b.c_lflag);
	check(memcmp(a.c_cc, b.c_cc, 19) == 0);
	checkeq(a.c_iflag, ICRNL | IXON);
	checkeq(a.c_oflag, OPOST | ONLCR);
	checkeq(a.c_cflag, B38400 | CS8 | CREAD);
	checkeq(a.c_lflag, ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL |
		ECHOKE | IEXTEN);
	checkeq(ioctl(slave, TIOCGWINSZ, &got), 0);
	checkeq(got.ws_row + got.ws_col, 0);
	checkeq(ioctl(master, TIOCSWINSZ, &ws), 0);
	checkeq(ioctl(slave, TIOCGWINSZ, &got), 0);
	check(memcmp(&ws, &got, sizeof(ws)) == 0);
	raw(master);
	must(tcgetattr(slave, &b) == 0);
	checkeq(b.c_lflag & ICANON, 0);
	checkerr(ioctl(slave, TIOCGPTN, &m), ENOTTY);
	checkerr(ioctl(slave, TIOCGPGRP, &m), ENOTTY);
	checkerr(ioctl(master, TIOCNOTTY), ENOTTY);
	puts_(slave, "12345");
	checkeq(poll(&(struct pollfd){master, POLLIN, 0}, 1, -1), 1);
	checkeq(ioctl(master, FIONREAD, &n), 0);
	checkeq(n, 5);
	puts_(master, "123");
	checkeq(poll(&(struct pollfd){slave, POLLIN, 0}, 1, -1), 1);
	checkeq(ioctl(slave, FIONREAD, &n), 0);
	checkeq(n, 3);
}

/* /dev/pts/N is there as long as the master. */
static void
names(void)
{
	char path[32], link[32], name[16];
	struct stat st, st2;
	struct dirent *e;
	int n, found = 0;
	DIR *d;

	openpair();
	must(ioctl(master, TIOCGPTN, &n) == 0);
	snprintf(path, sizeof(path), "/dev/pts/%d", n);
	snprintf(name, sizeof(name), "%d", n);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", slave);
	must(stat(path, &st) == 0 && fstat(slave, &st2) == 0);
	check(S_ISCHR(st.st_mode));
	if (quire)
		checkeq(st.st_mode, S_IFCHR | 0620);
	checkeq(st.st_rdev, 136 << 8 | n);
	checkeq(st.st_ino, n + 3);
	checkeq(st.st_uid, getuid());
	checkeq(st.st_ino, st2.st_ino);
	checkeq(st.st_dev, st2.st_dev);
	checkeq(chmod(path, 0600), 0);
	must(fstat(slave, &st) == 0);
	checkeq(st.st_mode, S_IFCHR | 0600);
	checkeq(readlink(link, name + 8, 8) > 0, 1);
	check(!strcmp(ttyname(slave), path));
	must((d = opendir("/dev/pts")));
	for (int i = 0; i < 2; i++, rewinddir(d))
		while ((e = readdir(d)))
			found += atoi(e->d_name) == n && e->d_name[0] != '.' &&
				e->d_name[0] != 'p' && e->d_type == DT_CHR;
	closedir(d);
	checkeq(found, 2);
	close(master);
	checkerr(stat(path, &st), ENOENT);
	checkerr(open(path, O_RDWR), ENOENT);
	checkerr(open("/dev/pts/00", O_RDWR), ENOENT);
	checkerr(open("/dev/pts/9999", O_RDWR), ENOENT);
}

/* The master learns that the last slave is closed, and that it is back. */
static void
slaveclosed(void)
{
	char path[32], c;
	int n;

	openpair();
	must(ioctl(master, TIOCGPTN, &n) == 0);
	snprintf(path, sizeof(path), "/dev/pts/%d", n);
	puts_(slave, "last");
	checkeq(polled(master, POLLIN | POLLOUT | POLLHUP), POLLIN | POLLOUT);
	close(slave);
	checkeq(polled(master, POLLIN | POLLHUP), POLLIN | POLLHUP);
	reads(master, "last");
	checkeq(polled(master, POLLIN | POLLHUP), POLLHUP);
	checkerr(read(master, &c, 1), EIO);
	must((slave = open(path, O_RDWR | O_NOCTTY)) >= 0);
	checkeq(polled(master, POLLIN | POLLHUP), 0);
	fcntl(master, F_SETFL, O_NONBLOCK);
	checkerr(read(master, &c, 1), EAGAIN);
}

/* The slave learns that the master is closed. */
static void
masterclosed(void)
{
	struct termios t;
	char c;

	signal(SIGHUP, SIG_IGN);
	openpair();
	puts_(master, "unread\n");
	close(master);
	checkeq(read(slave, &c, 1), 0);
	checkerr(write(slave, "x", 1), EIO);
	checkerr(ioctl(slave, TCGETS, &t), EIO);
	checkeq(polled(slave, POLLIN | POLLHUP), POLLIN | POLLHUP | POLLERR);
}

static void
mastercloses(void)
{
	int pid;
	char c;

	openpair();
	must((pid = fork()) >= 0);
	if (pid == 0) {
		close(master);
		_exit(read(slave, &c, 1) > 0);
	}
	asleep(pid);
	close(master);
	reaped(pid);
}

static void
blockedread(void)
{
	int pid;

	openpair();
	must((pid = fork()) >= 0);
	if (pid == 0) {
		reads(master, "hello");
		_exit(0);
	}
	asleep(pid);
	puts_(slave, "hello");
	reaped(pid);
}

/* More than both buffers hold goes through, in both directions. */
static void
bulk(int from, int to)
{
	enum { N = 100000 };
	char buf[1000];
	int pid, i, n, done = 0;

	must((pid = fork()) >= 0);
	if (pid == 0) {
		for (i = 0; i < N / 1000; i++) {
			memset(buf, 'a' + i % 26, sizeof(buf));
			for (n = 0; n < 1000;)
				n += write(from, buf + n, 1000 - n);
		}
		_exit(0);
	}
	while (done < N && (n = read(to, buf, sizeof(buf))) > 0) {
		for (i = 0; i < n; i++, done++)
			if (buf[i] != 'a' + done / 1000 % 26)
				failed(__FILE__, __LINE__, "byte %d is %d",
					done, buf[i]);
	}
	checkeq(done, N);
	reaped(pid);
}

static void
muchout(void)
{
	openpair();
	raw(slave);
	bulk(slave, master);
}

static void
muchin(void)
{
	openpair();
	raw(slave);
	bulk(master, slave);
}

static volatile int ints, hups;

static void
onsig(int sig)
{
	if (sig == SIGINT)
		ints++;
	else
		hups++;
}

/* A session with the slave as its terminal: ^C, groups, /dev/tty. */
static void
session(void)
{
	int pid, tty, sid, pgrp;
	char c;

	openpair();
	must((pid = fork()) >= 0);
	if (pid == 0) {
		struct sigaction sa = {.sa_handler = onsig};

		sigaction(SIGINT, &sa, 0);
		must(setsid() > 0);
		checkerr(open("/dev/tty", O_RDWR), ENXIO);
		checkeq(ioctl(slave, TIOCSCTTY, 0), 0);
		must((tty = open("/dev/tty", O_RDWR)) >= 0);
		checkeq(tcgetpgrp(tty), getpid());
		checkeq(ioctl(master, TIOCGSID, &sid), 0);
		checkeq(sid, getpid());
		checkeq(ioctl(master, TIOCGPGRP, &pgrp), 0);
		checkeq(pgrp, getpid());
		puts_(tty, "r"); /* ready */
		checkerr(read(tty, &c, 1), EINTR);
		checkeq(ints, 1);
		puts_(tty, "i");
		finish();
	}
	reads(master, "r");
	asleep(pid);
	puts_(master, "\3");
	reads(master, "^Ci");
	reaped(pid);
	close(slave);
	checkerr(read(master, &c, 1), EIO);
}

/* The leader's group gets SIGHUP when the master goes. */
static void
hangup(void)
{
	int pid, ready[2];
	char c;

	openpair();
	must(pipe(ready) == 0);
	must((pid = fork()) >= 0);
	if (pid == 0) {
		struct sigaction sa = {.sa_handler = onsig};

		close(master);
		sigaction(SIGHUP, &sa, 0);
		must(setsid() > 0);
		checkeq(ioctl(slave, TIOCSCTTY, 0), 0);
		(void)!write(ready[1], "", 1);
		while (hups == 0)
			pause();
		checkerr(open("/dev/tty", O_RDWR), ENXIO);
		checkerr(write(slave, "x", 1), EIO);
		finish();
	}
	reads(ready[0], "");
	must(read(ready[0], &c, 1) == 1);
	asleep(pid);
	close(master);
	reaped(pid);
}

/* The end of the session's leader leaves the terminal for the next one. */
static void
leaderdies(void)
{
	int pid, i;

	openpair();
	for (i = 0; i < 2; i++) {
		must((pid = fork()) >= 0);
		if (pid == 0) {
			must(setsid() > 0);
			checkeq(ioctl(slave, TIOCSCTTY, 0), 0);
			checkeq(tcgetpgrp(slave), getpid());
			finish();
		}
		reaped(pid);
	}
	puts_(slave, "alive");
	reads(master, "alive");
}

/* Many at once get numbers of their own; one more than there are is refused. */
static void
many(void)
{
	int fd[80], n, i, j, max = 0, num[80];

	for (n = 0; n < 80; n++) {
		fd[n] = open("/dev/ptmx", O_RDWR | O_NOCTTY);
		if (fd[n] < 0)
			break;
		must(ioctl(fd[n], TIOCGPTN, &num[n]) == 0);
	}
	check(n >= 32);
	for (i = 0; i < n; i++) {
		for (j = 0; j < i; j++)
			check(num[i] != num[j]);
		max = num[i] > max ? num[i] : max;
		close(fd[i]);
	}
	if (quire)
		checkeq(max, n - 1);
}

const struct test t_pty[] = {
	T(lines), T(settings), T(names), T(slaveclosed), T(masterclosed),
	T(mastercloses), T(blockedread), T(muchout), T(muchin), T(session),
	T(hangup), T(leaderdies), T(many), {0},
};
