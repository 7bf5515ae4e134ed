/*
 * t_badaddr.c - no pointer that a program passes can hurt the kernel.
 *
 * Every call number is made with bad pointers in every place, each time in a
 * child that does nothing else; it must come back or die of a signal.  A list
 * of well-known calls must fail with EFAULT exactly.
 */
#include "t.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>

#define LASTCALL 450

/* Not called: those that end, replace or stop the caller for good, end the
 * machine, set its clock or name, signal others, or undo a signal frame. */
static const short excluded[] = {SYS_exit, SYS_fork, SYS_stime, SYS_pause,
	SYS_kill, SYS_sigsuspend, SYS_sethostname, SYS_settimeofday,
	SYS_reboot, SYS_vhangup, SYS_sigreturn, SYS_clone, SYS_setdomainname,
	SYS_adjtimex, SYS_rt_sigreturn, SYS_rt_sigsuspend, SYS_rt_sigqueueinfo,
	SYS_vfork, SYS_tkill, SYS_exit_group, SYS_clock_settime, SYS_tgkill,
	SYS_kexec_load, SYS_rt_tgsigqueueinfo, SYS_clock_adjtime,
	404 /* clock_settime64 */, 405 /* clock_adjtime64 */,
	424 /* pidfd_send_signal */, 435 /* clone3 */};

static char *unmapped, *readonly, *edge; /* edge: 8 bytes are mapped */

static int
isexcluded(int nr)
{
	int i;

	for (i = 0; i < NUM(excluded); i++)
		if (excluded[i] == nr)
			return 1;
	return 0;
}

static void
addresses(void)
{
	char *p = area(8);

	unmapped = p;
	readonly = p + 2 * PG;
	edge = p + 6 * PG - 8;
	must(munmap(unmapped, PG) == 0);
	must(mprotect(readonly, PG, PROT_READ) == 0);
	must(mprotect(p + 5 * PG, PG, PROT_READ | PROT_WRITE) == 0);
}

static long
call6(int nr, const long *a)
{
	long frame[6] = {nr, a[1], a[2], a[3], a[4], a[5]}, r;

	/* every register is an argument: go through memory, by way of ebx */
	__asm__ volatile("push %%ebp\n\t"
			 "push %%ebx\n\t"
			 "mov 4(%%eax), %%ecx\n\t"
			 "mov 8(%%eax), %%edx\n\t"
			 "mov 12(%%eax), %%esi\n\t"
			 "mov 16(%%eax), %%edi\n\t"
			 "mov 20(%%eax), %%ebp\n\t"
			 "mov (%%eax), %%eax\n\t"
			 "int $0x80\n\t"
			 "pop %%ebx\n\t"
			 "pop %%ebp"
			 : "=a"(r)
			 : "0"(frame), "b"(a[0])
			 : "ecx", "edx", "esi", "edi", "memory");
	return r;
}

static void
callonce(int nr, const long *args, int fd)
{
	struct itimerval it = {{0, 20000}, {0, 100000}};
	int st, pid = fork();

	must(pid >= 0);
	if (pid == 0) {
		dup2(fd, 0); /* the call may write there */
		dup2(fd, 1);
		dup2(fd, 2);
		setitimer(ITIMER_REAL, &it, 0);
		call6(nr, args);
		int80(SYS_exit, 0, 0, 0);
	}
	must(waitpid(pid, &st, 0) == pid);
}

/* Every place a bad pointer, then with a descriptor or a size beside it. */
static void
callall(long bad, long fd)
{
	long args[][6] = {
		{bad, bad, bad, bad, bad, bad},
		{fd, bad, bad, bad, bad, bad},
		{fd, bad, 16, bad, 16, bad},
		{bad, 16, bad, 16, bad, 16},
		{-100, bad, 0, bad, 8, bad},
		{1, bad, bad, 8, bad, 8},
	};
	int nr, i;

	for (nr = 1; nr <= LASTCALL; nr++)
		for (i = 0; i < NUM(args) && !isexcluded(nr); i++)
			callonce(nr, args[i], fd);
}

static void
everycall(long bad)
{
	int fd = open("t_badaddr", O_RDWR | O_CREAT | O_TRUNC, 0666);

	must(fd >= 0);
	must(unlink("t_badaddr") == 0);
	if (!quire) /* as a nobody: the host is not ours to harm */
		must(getuid() != 0 ||
			(setgroups(0, 0) == 0 && setgid(65534) == 0 &&
				setuid(65534) == 0));
	signal(SIGTTOU, SIG_IGN);
	callall(bad, fd);
}

static void
badaddr_every_call_kernel(void)
{
	everycall(0x80001000);
}

static void
badaddr_every_call_top(void)
{
	everycall(0xfffff000);
}

static void
badaddr_every_call_wrapping(void)
{
	everycall(0xfffffffc);
}

static void
badaddr_every_call_unmapped(void)
{
	addresses();
	everycall((long)unmapped);
}

static void
badaddr_every_call_readonly(void)
{
	addresses();
	everycall((long)readonly);
}

static void
badaddr_every_call_edge(void)
{
	addresses();
	everycall((long)edge + 4);
}

/* b stands for the bad pointer in these. */
static const struct efault {
	int nr;
	const char *name;
	const char *args; /* b bad, f file, p pipe, d directory, digits */
	int reads;        /* the kernel only reads there */
} efaults[] = {
	{SYS_read, "read", "fb9", 0},
	{SYS_write, "write", "pb9", 1},
	{SYS_open, "open", "b0", 1},
	{SYS_openat, "openat", "db00", 1},
	{SYS_unlink, "unlink", "b", 1},
	{SYS_chdir, "chdir", "b", 1},
	{SYS_mkdir, "mkdir", "b0", 1},
	{SYS_rmdir, "rmdir", "b", 1},
	{SYS_access, "access", "b0", 1},
	{SYS_execve, "execve", "b00", 1},
	{SYS_readlink, "readlink", "b099", 1},
	{SYS_rename, "rename", "bb", 1},
	{SYS_link, "link", "bb", 1},
	{SYS_symlink, "symlink", "bb", 1},
	{SYS_chmod, "chmod", "b0", 1},
	{SYS_stat64, "stat64", "bb", 1},
	{SYS_fstat64, "fstat64", "fb", 0},
	{SYS_statx, "statx", "db0", 1},
	{SYS_getdents64, "getdents64", "Db999", 0},
	{SYS_getcwd, "getcwd", "b999", 0},
	{SYS_pipe, "pipe", "b", 0},
	{SYS_pipe2, "pipe2", "b0", 0},
	{SYS_readv, "readv", "fb1", 1},
	{SYS_writev, "writev", "pb1", 1},
	{SYS_pread64, "pread64", "fb900", 0},
	{SYS__llseek, "_llseek", "f00b0", 0},
	{SYS_uname, "uname", "b", 0},
	{SYS_time, "time", "b", 0},
	{SYS_times, "times", "b", 0},
	{SYS_gettimeofday, "gettimeofday", "b0", 0},
	{SYS_clock_gettime, "clock_gettime", "0b", 0},
	{SYS_clock_gettime64, "clock_gettime64", "1b", 0},
	{SYS_nanosleep, "nanosleep", "b0", 1},
	{SYS_getitimer, "getitimer", "0b", 0},
	{SYS_getrusage, "getrusage", "0b", 0},
	{SYS_ugetrlimit, "getrlimit", "3b", 0},
	{SYS_setrlimit, "setrlimit", "3b", 1},
	{SYS_sysinfo, "sysinfo", "b", 0},
	{SYS_poll, "poll", "b10", 0},
	{SYS__newselect, "select", "9b000", 1},
	{SYS_rt_sigaction, "rt_sigaction", "9b08", 1},
	{SYS_rt_sigaction, "rt_sigaction old", "90b8", 0},
	{SYS_rt_sigprocmask, "rt_sigprocmask", "0b08", 1},
	{SYS_rt_sigprocmask, "rt_sigprocmask old", "00b8", 0},
	{SYS_rt_sigpending, "rt_sigpending", "b8", 0},
	{SYS_sigaltstack, "sigaltstack", "b0", 1},
	{SYS_set_thread_area, "set_thread_area", "b", 1},
	{SYS_getresuid32, "getresuid", "bbb", 0},
	{SYS_sched_getaffinity, "sched_getaffinity", "08b", 0},
	{SYS_mincore, "mincore", "P1b", 0},
};

static char *somepage;
static int file, directory, pipefd[2];

static long
argument(char c, long bad)
{
	switch (c) {
	case 'b':
		return bad;
	case 'f':
		return file;
	case 'p':
		return pipefd[1];
	case 'd':
		return AT_FDCWD;
	case 'D':
		return directory;
	case 'P':
		return (long)somepage;
	default:
		return c - '0';
	}
}

static void
tryefault(const struct efault *e, long bad)
{
	long a[6] = {0}, r;
	const char *p;
	int n = 0;

	for (p = e->args; *p; p++) {
		if (p > e->args && *p == '9' && p[-1] == '9')
			a[n - 1] = a[n - 1] * 10 + 9;
		else
			a[n++] = argument(*p, bad);
	}
	if (lseek(file, 0, SEEK_SET) < 0)
		return;
	r = call6(e->nr, a);
	if (r != -EFAULT)
		failed(__FILE__, __LINE__, "%s at %#lx returned %ld", e->name,
			bad, r);
}

static void
badaddr_efault(void)
{
	int i;

	somepage = mmap(0, PG, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	addresses();
	file = open("t_badaddr2", O_RDWR | O_CREAT | O_TRUNC, 0600);
	directory = open(".", O_RDONLY | O_DIRECTORY);
	must(file >= 0 && directory >= 0 && pipe(pipefd) == 0);
	must(unlink("t_badaddr2") == 0);
	must(write(file, "0123456789", 10) == 10);
	for (i = 0; i < NUM(efaults); i++) {
		tryefault(&efaults[i], (long)unmapped);
		tryefault(&efaults[i], 0xfffff000);
		tryefault(&efaults[i], 0xfffffff8);
		if (quire)
			tryefault(&efaults[i], 0x80001000);
		if (!efaults[i].reads)
			tryefault(&efaults[i], (long)readonly);
	}
}

static void
badaddr_wait_status(void)
{
	int pid;

	addresses();
	pid = fork();
	if (pid == 0)
		_exit(0);
	checkeq(int80(SYS_wait4, pid, (long)unmapped, 0), -EFAULT);
}

/* What could be copied counts; the next call fails. */
static void
badaddr_partial_write(void)
{
	char *p = area(2) + PG - 2048;
	int fd = open("t_badaddr3", O_RDWR | O_CREAT | O_TRUNC, 0600);

	must(fd >= 0);
	must(unlink("t_badaddr3") == 0);
	must(mprotect(p + 2048 - PG, PG, PROT_READ | PROT_WRITE) == 0);
	memset(p, 'w', 2048);
	checkeq(write(fd, p, PG), 2048);
	checkerr(write(fd, p + 2048, 2048), EFAULT);
	checkeq(lseek(fd, 0, SEEK_END), 2048);
	checkeq(lseek(fd, 0, SEEK_SET), 0);
	memset(p, 0, 2048);
	checkeq(read(fd, p + 1024, 2048), 1024);
	checkeq(p[1023], 0);
	checkeq(p[2047], 'w');
}

static void
badaddr_writev_partial(void)
{
	struct iovec v[3] = {{(void *)"abc", 3}, {(void *)8, 3}, {"def", 3}};
	char buf[8];
	int fd[2];

	must(pipe(fd) == 0);
	checkrange(writev(fd[1], v, 3), -1, 3);
	must(write(fd[1], "z", 1) == 1);
	checkrange(read(fd[0], buf, 8), 1, 4);
	v[1].iov_len = 0x80000000;
	checkerr(writev(fd[1], v, 3), EINVAL);
	checkerr(syscall(SYS_writev, fd[1], v, -1), EINVAL);
	checkerr(syscall(SYS_writev, fd[1], v, 5000), EINVAL);
}

/* Sizes that overflow are refused, or cut, before memory is touched. */
static void
badaddr_huge_sizes(void)
{
	char buf[64];
	int fd[2];

	must(pipe2(fd, O_NONBLOCK) == 0);
	checkerr(syscall(SYS_read, fd[0], buf, 0x7fffffff), EAGAIN);
	check(syscall(SYS_read, fd[0], buf, 0xffffffff) < 0);
	check(syscall(SYS_write, fd[1], buf, 0x90000000) != 0);
	check(syscall(SYS_poll, buf, 0x7fffffff, 0) < 0);
	check(syscall(SYS_getgroups, -1, buf) < 0);
	check(syscall(SYS_readlink, "/proc/self/exe", buf, -1) < 0);
}

/* An offset that no entry has is the end, wherever it lies. */
static void
badaddr_directory_offsets(void)
{
	static const char *const dirs[] = {"/proc/self/fd", "/proc",
		"/proc/self/task", "/proc/self", "/"};
	static const long long offsets[] = {0x7fffffff, 0x80000000, 0x80000001,
		0xc0000000, 0xffffffff, 0x100000002, 0x180000000};
	char buf[512];
	int fd, i, j;

	for (i = 0; i < NUM(dirs); i++) {
		fd = open(dirs[i], O_RDONLY | O_DIRECTORY);
		must(fd >= 0);
		for (j = 0; j < NUM(offsets); j++) {
			if (lseek(fd, offsets[j], SEEK_SET) < 0)
				continue;
			check(syscall(SYS_getdents64, fd, buf, sizeof buf) <= 0
				|| !quire);
		}
		close(fd);
	}
}

const struct test t_badaddr[] = {
	T(badaddr_efault),
	T(badaddr_wait_status),
	T(badaddr_partial_write),
	T(badaddr_writev_partial),
	T(badaddr_huge_sizes),
	T(badaddr_directory_offsets),
	T(badaddr_every_call_kernel),
	T(badaddr_every_call_top),
	T(badaddr_every_call_wrapping),
	T(badaddr_every_call_unmapped),
	T(badaddr_every_call_readonly),
	T(badaddr_every_call_edge),
	{0},
};
