/*
 * run.c - t: runs the tests, reports in TAP.
 *
 *   t             every test but the slow and dangerous ones of t_oom.c
 *   t NAME...     those whose name or file is NAME, or begins with it
 *   t -l          list them
 *
 * Each test runs in a child and a process group of its own, with a time limit,
 * so one that crashes or hangs does not end the run.  On Quire each runs twice:
 * the second run must leave as much free memory as it found, and /proc/vmcheck
 * must recount every page without complaint.
 *
 * As the first process it mounts /proc and /dev itself.  The exit status is 0
 * only if all tests passed.
 */
#include "t.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define LIMIT   120 /* seconds for one test; or LIMIT=n in the environment */
#define SKIPPED 77  /* exit status of a test that does not apply */

struct suite {
	const char *name;
	const struct test *tests;
	int ondemand; /* only when asked for by name */
};

static const struct suite suites[] = {
	{"stack", t_stack, 0},
	{"heap", t_heap, 0},
	{"fork", t_fork, 0},
	{"mmap", t_mmap, 0},
	{"cache", t_cache, 0},
	{"mapfile", t_mapfile, 0},
	{"proc", t_proc, 0},
	{"procmem", t_procmem, 0},
	{"mlock", t_mlock, 0},
	{"cred", t_cred, 0},
	{"shm", t_shm, 0},
	{"random", t_random, 0},
	{"trap", t_trap, 0},
	{"signal", t_signal, 0},
	{"sigrt", t_sigrt, 0},
	{"restart", t_restart, 0},
	{"badaddr", t_badaddr, 0},
	{"exec", t_exec, 0},
	{"elf", t_elf, 0},
	{"pipe", t_pipe, 0},
	{"ptrace", t_ptrace, 0},
	{"ptrace", t_ptregs, 0},
	{"pty", t_pty, 0},
	{"splice", t_splice, 0},
	{"memfd", t_memfd, 0},
	{"limit", t_limit, 0},
	{"event", t_event, 0},
	{"socket", t_socket, 0},
	{"sockfd", t_sockfd, 0},
	{"sockname", t_sockname, 0},
	{"file", t_file, 0},
	{"mount", t_mount, 0},
	{"name", t_name, 0},
	{"fpu", t_fpu, 0},
	{"futex", t_futex, 0},
	{"sched", t_sched, 0},
	{"time", t_time, 0},
	{"timer", t_timer, 0},
	{"thread", t_thread, 0},
	{"oom", t_oom, 1},
	{"fuzz", t_fuzz, 1},
	{"attack", t_attack, 1},
	{"race", t_race, 1},
	{"race", t_racefile, 1},
	{"race", t_racefork, 1},
	{"race", t_racemap, 1},
	{"race", t_raceio, 1},
};

int execmain(int argc, char **argv); /* t_exec.c: our own exec'd children */

static volatile int running; /* the test's process, for the time limit */

static int usesdisk; /* the tests' files are on one */

static void ondisk(const char *disk);
static int plan(int argc, char **argv, int run, int list);
static int wanted(const struct suite *, const char *, int argc, char **argv);
static int runtest(const struct test *, int n);
static int runonce(const struct test *);
static int vmcheck(void);
static void cleanup(int pgid);
static void fillkept(void);
static void outoftime(int);
static void failing(void);

int
main(int argc, char **argv)
{
	int list = argc > 1 && strcmp(argv[1], "-l") == 0;
	int n;

	if (argc > 1 && strncmp(argv[1], "--", 2) == 0)
		return execmain(argc, argv);
	if (getpid() == 1) {
		mount("proc", "/proc", "proc", 0, 0);
		mount("devtmpfs", "/dev", "devtmpfs", 0, 0);
		mkdir("/tmp", 01777);
		ondisk(getenv("DISK"));
	}
	setvbuf(stdout, 0, _IOLBF, 0);
	quire = access("/proc/vmcheck", F_OK) == 0;
	if (readlink("/proc/self/exe", exepath, 200) < 0)
		strcpy(exepath, "/bin/t");
	if (list)
		return plan(0, 0, 0, 1);
	if (runonce(&(struct test)T(failing)) != 1) {
		printf("Bail out! a test that fails passes\n");
		return 1;
	}
	n = plan(argc - 1, argv + 1, 0, 0);
	fillkept();
	memfree(); /* touch its buffer before it is used to compare */
	printf("1..%d\n", n);
	if (n == 0)
		printf("# no such test\n");
	n = n == 0 || plan(argc - 1, argv + 1, 1, 0) > 0;
	printf("# %s\n", n ? "FAILED" : "all passed");
	fflush(stdout);
	return n;
}

/* The tests' files shall be on this disk, which has an ext2: DISK=/dev/vda on
 * the kernel's command line. */
static void
ondisk(const char *disk)
{
	usesdisk = disk != 0;
	if (disk && (mount(disk, "/tmp", "ext2", 0, 0) < 0 ||
			    chmod("/tmp", 01777) < 0))
		printf("Bail out! %s: errno %d\n", disk, errno);
}

/* Count, list or run the tests that were asked for.  Returns how many there
 * are, or, having run them, how many failed. */
static int
plan(int argc, char **argv, int run, int list)
{
	const struct test *t;
	int i, n = 0, bad = 0;

	for (i = 0; i < NUM(suites); i++) {
		for (t = suites[i].tests; t->fn; t++) {
			if (!list && !wanted(&suites[i], t->name, argc, argv))
				continue;
			n++;
			if (list)
				printf("%s\t%s\n", suites[i].name, t->name);
			if (run)
				bad += runtest(t, n);
		}
	}
	return run ? bad : list ? 0 : n;
}

static int
wanted(const struct suite *s, const char *name, int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++) {
		if (strcmp(argv[i], s->name) == 0)
			return 1;
		if (strncmp(argv[i], "t_", 2) == 0 &&
			strcmp(argv[i] + 2, s->name) == 0)
			return 1;
		if (strncmp(argv[i], name, strlen(argv[i])) == 0)
			return 1;
	}
	return argc == 0 && !s->ondemand;
}

/* Some kernel stacks stay mapped when those who had them are gone; once there
 * have been so many, it is always the same number. */
static void
fillkept(void)
{
	enum { KEPT = 8 };
	int pid[KEPT], i;

	for (i = 0; i < KEPT; i++)
		if ((pid[i] = fork()) == 0)
			for (;;)
				pause();
	for (i = 0; i < KEPT; i++)
		kill(pid[i], SIGKILL);
	for (i = 0; i < KEPT; i++)
		waitpid(pid[i], 0, 0);
}

/* Free memory, without what the cache keeps of a disk. */
static long
settled(void)
{
	int fd = usesdisk ? open("/proc/sys/vm/drop_caches", O_WRONLY) : -1;

	if (fd >= 0) {
		sync();
		if (write(fd, "3", 1) != 1)
			perror("drop_caches");
		close(fd);
	}
	return memfree();
}

/* MemFree once it is as before, or after a second: who was the last to run on
 * another CPU goes soon after it was waited for. */
static long
memafter(long before)
{
	long now;
	int i;

	for (i = 0; (now = settled()) != before && i < 100; i++)
		msleep(10);
	return now;
}

/* Run and report one test.  Returns 1 if it failed. */
static int
runtest(const struct test *t, int n)
{
	long before = 0, after = 0;
	int tries = quire ? usesdisk ? 5 : 1 : 0, r = runonce(t);

	/* With a disk, slabs of what is cached gain and lose pages between
	 * runs: a leak is what comes each time. */
	while (r == 0 && tries-- > 0) {
		before = settled();
		r = runonce(t);
		after = memafter(before);
		if (after == before)
			break;
	}
	if (r == 0 && after != before) {
		printf("# %ld kB of memory free before, %ld after\n", before,
			after);
		r = 1;
	}
	if (quire && vmcheck() < 0) {
		printf("# /proc/vmcheck: %s\n", strerror(errno));
		r = 1;
	}
	printf("%sok %d - %s%s\n", r && r != SKIPPED ? "not " : "", n, t->name,
		r == SKIPPED ? " # SKIP" : "");
	return r && r != SKIPPED;
}

/* Have all of our code in memory, so that the faults that tests count are those
 * they make. */
static void
touchcode(void)
{
	extern char __executable_start[], etext[];
	volatile char *p;

	for (p = __executable_start; p < etext; p += 4096)
		*p;
}

/* Wait until our parent waits for us: what it does until then would be counted
 * too. */
static void
parentsleeps(void)
{
	char name[32], buf[64], *p = 0;
	int fd;

	snprintf(name, sizeof(name), "/proc/%d/stat", getppid());
	while (!p || strncmp(p, ") S", 3) != 0) {
		fd = open(name, O_RDONLY);
		must(fd >= 0 && read(fd, buf, sizeof(buf)) == sizeof(buf));
		close(fd);
		buf[sizeof(buf) - 1] = 0;
		p = strchr(buf, ')');
	}
}

/* The test's exit status; one that was killed counts as failed. */
static int
runonce(const struct test *t)
{
	int st = 0, pid, got;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		if (chdir("/tmp") < 0)
			failed(__FILE__, __LINE__, "no /tmp");
		touchcode();
		parentsleeps();
		t->fn();
		finish();
	}
	if (pid < 0) {
		printf("# fork: %s\n", strerror(errno));
		return 1;
	}
	setpgid(pid, pid);
	running = pid;
	signal(SIGALRM, outoftime);
	alarm(number("LIMIT", LIMIT));
	do /* as the first process we get the orphans, too */
		got = waitpid(-1, &st, 0);
	while (got != pid && (got > 0 || errno == EINTR));
	alarm(0);
	cleanup(pid);
	if (WIFSIGNALED(st))
		printf("# killed by signal %d\n", WTERMSIG(st));
	return WIFSIGNALED(st) ? 1 : WEXITSTATUS(st);
}

/* End what a test left behind, and wait until it is gone: as orphans they are
 * reaped by the first process, which may be us. */
static void
cleanup(int pgid)
{
	int i;

	for (i = 0; i < 1000 && kill(-pgid, SIGKILL) == 0; i++) {
		while (getpid() == 1 && waitpid(-1, 0, WNOHANG) > 0)
			;
		msleep(5);
	}
	while (getpid() == 1 && waitpid(-1, 0, WNOHANG) > 0)
		;
}

static void
failing(void)
{
	_exit(1);
}

static void
outoftime(int sig)
{
	(void)sig;
	printf("# out of time after %d s\n", number("LIMIT", LIMIT));
	kill(-running, SIGKILL);
}

/* Let the kernel recount its pages: it panics on a difference. */
static int
vmcheck(void)
{
	static char buf[1024];
	int n, fd = open("/proc/vmcheck", O_RDONLY);

	if (fd < 0)
		return -1;
	n = read(fd, buf, sizeof buf);
	close(fd);
	return n;
}
