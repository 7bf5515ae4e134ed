/*
 * init.c - the first process.
 *
 * With arguments it runs them as a command and exits with its status (the
 * kernel then ends the machine).  Without, it keeps a shell on each console
 * until it is told to stop:
 *
 *   SIGUSR1  halt      SIGUSR2  power off      SIGTERM, SIGINT  reboot
 *
 * which is what BusyBox's halt, poweroff and reboot send, and what the kernel
 * sends for ctrl-alt-del.  It reaps every orphan.
 *
 * All signals that it handles are blocked except inside sigsuspend(), so that
 * none is lost between looking and sleeping.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define NCONSOLE  4
#define QUICK     2 /* a shell that lived less than this many seconds failed */
#define PATIENCE  3 /* failures in a row before we slow down */
#define SLOWDOWN  5 /* seconds between tries then */

struct console {
	char name[16]; /* under /dev */
	int pid;       /* its shell, or 0 */
	time_t since;  /* when that was started */
	int failures;  /* in a row */
};

static struct console consoles[NCONSOLE];
static int nconsole;
static volatile sig_atomic_t asked; /* signal that told us to stop */
static sigset_t handled, before;    /* ours; the mask we were given */

static void mounts(void);
static void environment(void);
static void signals(void);
static int runcommand(char **argv);
static void findconsoles(void);
static void addconsole(const char *name, size_t n);
static void keepshells(void);
static void startshell(struct console *);
static void shell(const char *name, int delay);
static int opentty(const char *name);
static void reap(void);
static void ended(struct console *, int status);
static void stop(int sig);
static time_t now(void);

int
main(int argc, char **argv)
{
	if (getpid() != 1) {
		fprintf(stderr, "init: must be process 1\n");
		return 1;
	}
	mounts();
	environment();
	signals();
	if (argc > 1)
		return runcommand(argv + 1);
	findconsoles();
	keepshells();
	stop(asked);
	return 1;
}

/* The kernel has mounted /proc and /dev on Quire, not on Linux.  Whatever is
 * mounted already or unknown is left as it is. */
static void
mounts(void)
{
	mkdir("/proc", 0555);
	mkdir("/dev", 0755);
	mkdir("/tmp", 01777);
	mount("proc", "/proc", "proc", 0, 0);
	mount("devtmpfs", "/dev", "devtmpfs", 0, 0);
	mount("sysfs", "/sys", "sysfs", 0, 0);
}

static void
environment(void)
{
	setsid();
	umask(022);
	sethostname("quire", 5);
	setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 1);
	setenv("HOME", "/root", 1);
	setenv("USER", "root", 1);
	setenv("LOGNAME", "root", 1);
	setenv("SHELL", "/bin/sh", 1);
	setenv("TERM", "linux", 0);
}

static void
onsignal(int sig)
{
	if (sig != SIGCHLD)
		asked = sig;
}

static void
signals(void)
{
	static const int sigs[] = {SIGCHLD, SIGUSR1, SIGUSR2, SIGTERM, SIGINT};
	struct sigaction sa = {.sa_handler = onsignal};
	size_t i;

	sigemptyset(&handled);
	for (i = 0; i < sizeof sigs / sizeof sigs[0]; i++)
		sigaddset(&handled, sigs[i]);
	sigprocmask(SIG_BLOCK, &handled, &before);
	for (i = 0; i < sizeof sigs / sizeof sigs[0]; i++)
		sigaction(sigs[i], &sa, 0);
	reboot(RB_DISABLE_CAD); /* ctrl-alt-del becomes SIGINT to us */
}

/* Run a command in a session of its own on /dev/console; its status. */
static int
runcommand(char **argv)
{
	int status, pid;

	pid = fork();
	if (pid < 0) {
		perror("init: fork");
		return 126;
	}
	if (pid == 0) {
		setsid();
		opentty("console");
		sigprocmask(SIG_SETMASK, &before, 0);
		execvp(argv[0], argv);
		fprintf(stderr, "init: %s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	while (waitpid(-1, &status, 0) != pid)
		if (asked)
			stop(asked);
	sync();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The consoles that console= names on the kernel's command line, else the
 * serial line and the screen. */
static void
findconsoles(void)
{
	static char line[4096];
	char *word, *save;
	int fd, n = -1;

	fd = open("/proc/cmdline", O_RDONLY);
	if (fd >= 0)
		n = read(fd, line, sizeof line - 1);
	if (fd >= 0)
		close(fd);
	line[n > 0 ? n : 0] = 0;
	for (word = strtok_r(line, " \n", &save); word;
		word = strtok_r(0, " \n", &save)) {
		if (strcmp(word, "--") == 0)
			break;
		if (strncmp(word, "console=", 8) == 0)
			addconsole(word + 8, strcspn(word + 8, ","));
	}
	if (nconsole > 0)
		return;
	addconsole("ttyS0", 5);
	addconsole("tty0", 4);
	if (nconsole == 0)
		addconsole("console", 7);
}

/* Note a console, if it opens and is a terminal. */
static void
addconsole(const char *name, size_t n)
{
	struct console *c = &consoles[nconsole];
	struct termios t;
	char path[32];
	int fd, i, ok;

	if (nconsole == NCONSOLE || n >= sizeof c->name)
		return;
	memcpy(c->name, name, n);
	c->name[n] = 0;
	for (i = 0; i < nconsole; i++)
		if (strcmp(consoles[i].name, c->name) == 0)
			return;
	snprintf(path, sizeof path, "/dev/%s", c->name);
	fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
	ok = fd >= 0 && tcgetattr(fd, &t) == 0;
	if (fd >= 0)
		close(fd);
	nconsole += ok;
}

/* Start what has ended, again and again, until asked to stop. */
static void
keepshells(void)
{
	sigset_t none = handled;
	int i;

	sigemptyset(&none);
	while (!asked) {
		for (i = 0; i < nconsole; i++)
			if (consoles[i].pid == 0)
				startshell(&consoles[i]);
		sigsuspend(&none);
		reap();
	}
}

static void
startshell(struct console *c)
{
	int delay = c->failures >= PATIENCE ? SLOWDOWN : 0;
	int pid = fork();

	if (pid == 0)
		shell(c->name, delay);
	if (pid < 0) {
		sleep(1); /* and the loop tries again, if something ends */
		raise(SIGCHLD);
		return;
	}
	c->pid = pid;
	c->since = now() + delay;
}

/* In the child: the session, the terminal, the program.  Waiting here rather
 * than in init keeps init able to hear its signals. */
static void
shell(const char *name, int delay)
{
	setsid();
	sigprocmask(SIG_SETMASK, &before, 0);
	if (opentty(name) < 0)
		_exit(126);
	sleep(delay);
	if (chdir("/root") < 0)
		chdir("/");
	if (strncmp(name, "ttyS", 4) == 0)
		setenv("TERM", "vt100", 1);
	execl("/bin/sh", "-sh", (char *)0);
	execl("/bin/qsh", "-qsh", (char *)0);
	dprintf(2, "init: no shell: %s\n", strerror(errno));
	_exit(127);
}

/* Make /dev/name the controlling terminal and descriptors 0, 1 and 2. */
static int
opentty(const char *name)
{
	char path[32];
	int fd, i;

	snprintf(path, sizeof path, "/dev/%s", name);
	fd = open(path, O_RDWR);
	if (fd < 0)
		return -1;
	ioctl(fd, TIOCSCTTY, 1);
	tcsetpgrp(fd, getpid());
	for (i = 0; i < 3; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
	return 0;
}

static void
reap(void)
{
	int pid, status, i;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (i = 0; i < nconsole; i++)
			if (consoles[i].pid == pid)
				ended(&consoles[i], status);
}

/* A shell that fails at once, again and again, is started ever more slowly. */
static void
ended(struct console *c, int status)
{
	c->pid = 0;
	c->failures = now() - c->since < QUICK ? c->failures + 1 : 0;
	if (c->failures < PATIENCE)
		return;
	dprintf(2, "init: the shell on %s keeps ending (%s %d); "
		"next try in %d s\n", c->name,
		WIFEXITED(status) ? "status" : "signal",
		WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
		SLOWDOWN);
}

/* End every process, politely then not, and the machine. */
static void
stop(int sig)
{
	struct timespec tick = {0, 50 * 1000 * 1000};
	int i;

	kill(-1, SIGTERM);
	kill(-1, SIGHUP); /* shells ignore the first */
	kill(-1, SIGCONT);
	for (i = 0; i < 20 && waitpid(-1, 0, WNOHANG) >= 0; i++)
		nanosleep(&tick, 0);
	kill(-1, SIGKILL);
	while (waitpid(-1, 0, 0) > 0)
		;
	sync();
	reboot(sig == SIGUSR1   ? RB_HALT_SYSTEM
		: sig == SIGUSR2 ? RB_POWER_OFF
				 : RB_AUTOBOOT);
	perror("init: reboot");
	for (;;)
		pause();
}

static time_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}
