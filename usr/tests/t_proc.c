/*
 * t_proc.c - files of /proc and /sys: the same names, fields and units as
 * Linux's, and numbers that are right.  Those about memory: t_procmem.c.
 */
#include "procfile.h"

#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/timerfd.h>
#include <sys/un.h>

static void
stat_fields(void)
{
	char *p;
	int pid, ppid;
	char state;

	must(slurp("/proc/self/stat", 4096) > 0);
	checkeq(words(text), 52);
	check(sscanf(text, "%d (t%*[-a-z]) %c %d", &pid, &state, &ppid) == 3 ||
		sscanf(text, "%d (t) %c %d", &pid, &state, &ppid) == 3);
	checkeq(pid, getpid());
	checkeq(ppid, getppid());
	checkeq(state, 'R');
	p = strchr(text, '\n');
	check(p && p[1] == 0);
	must(slurp("/proc/self/statm", 4096) > 0);
	checkeq(words(text), 7);
}

static void
status_lines(void)
{
	static const char *const names[] = {"Name:\tt", "Umask:\t0",
		"State:\tR (", "Tgid:\t", "Ngid:\t", "Pid:\t", "PPid:\t",
		"TracerPid:\t0", "Uid:\t", "Gid:\t", "FDSize:\t", "Groups:\t",
		"NStgid:\t", "NSpid:\t", "NSpgid:\t", "NSsid:\t", "VmPeak:\t",
		"VmSize:\t", "VmLck:\t", "VmPin:\t", "VmHWM:\t", "VmRSS:\t",
		"RssAnon:\t", "RssFile:\t", "RssShmem:\t", "VmData:\t",
		"VmStk:\t", "VmExe:\t", "VmLib:\t", "VmPTE:\t", "VmSwap:\t",
		"HugetlbPages:\t", "CoreDumping:\t", "THP_enabled:\t",
		"Threads:\t1", "SigQ:\t", "SigPnd:\t0000000000000000",
		"ShdPnd:\t", "SigBlk:\t", "SigIgn:\t", "SigCgt:\t",
		"CapInh:\t0000000000000000", "CapPrm:\t", "CapEff:\t",
		"CapBnd:\t", "CapAmb:\t", "NoNewPrivs:\t0", "Seccomp:\t",
		"Seccomp_filters:\t", "Cpus_allowed:\t",
		"Cpus_allowed_list:\t0", "Mems_allowed:\t",
		"Mems_allowed_list:\t0", "voluntary_ctxt_switches:\t",
		"nonvoluntary_ctxt_switches:\t"};

	inorder("/proc/self/status", names, NUM(names));
	checkeq(value("VmRSS:"), value("RssAnon:") + value("RssFile:") +
		value("RssShmem:"));
	checkeq(value("Pid:"), getpid());
}

/* Each wait is one voluntary switch; on one CPU, or a reader may have to wait
 * once more, for the pipe that its writer has yet. */
static void
switches_exact(void)
{
	enum { N = 5 };
	cpu_set_t one;
	int to[2], back[2], pid;
	struct rusage a, b;
	long n;
	char c = 0;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	must(sched_setaffinity(0, sizeof(one), &one) == 0);
	must(pipe(to) == 0 && pipe(back) == 0);
	pid = fork();
	if (pid == 0) {
		(void)!read(to[0], &c, 1);
		getrusage(RUSAGE_SELF, &a);
		for (int i = 0; i < N; i++)
			(void)!read(to[0], &c, 1);
		getrusage(RUSAGE_SELF, &b);
		n = b.ru_nvcsw - a.ru_nvcsw;
		_exit(write(back[1], &n, sizeof(n)) != sizeof(n));
	}
	for (int i = 0; i <= N; i++) {
		asleep(pid);
		must(write(to[1], &c, 1) == 1);
	}
	must(read(back[0], &n, sizeof(n)) == sizeof(n));
	checkcount(n, N, 5);
	reaped(pid);
}

/* The files that tell of an open one. */
static void
fdinfo_file(void)
{
	char name[64];
	int fd = open("/tmp/t_fdinfo", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC,
		0600);
	struct stat st;

	must(fd >= 0 && fstat(fd, &st) == 0);
	must(write(fd, "hello", 5) == 5);
	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
	must(slurp(name, 4096) > 0);
	checkeq(value("pos:\t"), 5);
	check(line("flags:\t02102002\n") != 0);
	check(value("mnt_id:\t") > 0);
	checkeq(value("ino:\t"), (long)st.st_ino);
	check(line("lock:") == 0);
	must(flock(fd, LOCK_EX) == 0);
	must(slurp(name, 4096) > 0);
	check(line("lock:\t1: FLOCK  ADVISORY  WRITE ") != 0);
	must(slurp("/proc/locks", 4096) > 0);
	check(strstr(text, ": FLOCK  ADVISORY  WRITE ") != 0);
	unlink("/tmp/t_fdinfo");
	close(fd);
	checkeq(access(name, F_OK), -1);
}

/* Files of the system: the form that programs parse. */
static void
system_forms(void)
{
	unsigned n[12];
	char zone[16];

	must(slurp("/proc/slabinfo", 4096) > 0 || geteuid() != 0);
	check(line("slabinfo - version: 2.1\n# name ") != 0);
	must(slurp("/proc/buddyinfo", 4096) > 0);
	checkeq(sscanf(text,
		"Node 0, zone %15s %u %u %u %u %u %u %u %u %u %u %u", zone,
		n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7, n + 8,
		n + 9, n + 10), 12);
	must(slurp("/proc/swaps", 4096) > 0);
	check(line("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n") != 0);
	must(slurp("/proc/self/mountinfo", 65536) > 0);
	check(strstr(text, " - proc ") != 0);
	checkrange(words(text), 10, 12);
	must(slurp("/proc/self/mounts", 65536) > 0);
	checkeq(words(text), 6);
	must(slurp("/proc/kallsyms", 65536) >= 0);
	check(slurp("/proc/modules", 65536) >= 0 || !quire);
	must(slurp("/proc/loadavg", 4096) > 0);
	checkeq(words(text), 5);
	must(slurp("/proc/uptime", 4096) > 0);
	checkeq(words(text), 2);
}

static void
settings(void)
{
	static const char *const names[] = {"vm/overcommit_memory",
		"vm/overcommit_ratio", "vm/max_map_count", "vm/swappiness",
		"kernel/pid_max", "kernel/threads-max", "kernel/ngroups_max",
		"kernel/cap_last_cap", "kernel/randomize_va_space",
		"fs/file-max", "fs/file-nr", "fs/nr_open", "fs/inode-nr",
		"fs/pipe-max-size", "kernel/random/entropy_avail"};
	char path[64], id[64];

	for (int i = 0; i < NUM(names); i++) {
		snprintf(path, sizeof(path), "/proc/sys/%s", names[i]);
		if (slurp(path, 4096) <= 0 || *text < '0' || *text > '9')
			failed(__FILE__, __LINE__, "%s: %s", path, text);
	}
	checkerr(open("/proc/sys/kernel/cap_last_cap", O_WRONLY), EACCES);
	checkeq(slurp("/proc/sys/kernel/random/boot_id", 4096), 37);
	strcpy(id, text);
	checkeq(slurp("/proc/sys/kernel/random/boot_id", 4096), 37);
	check(strcmp(id, text) == 0);
	checkeq(slurp("/proc/sys/kernel/random/uuid", 4096), 37);
	check(strcmp(id, text) != 0);
	check(text[14] == '4' && text[36] == '\n');
}

/* What can be set holds the number; what is none is refused. */
static void
settings_written(void)
{
	static const char path[] = "/proc/sys/vm/dirty_expire_centisecs";
	int fd = open(path, O_RDWR), n;
	char old[32];

	if (fd < 0 && errno == EROFS)
		skip("/proc/sys is read-only");
	must(fd >= 0 && (n = slurp(path, 30)) > 0);
	strcpy(old, text);
	checkeq(write(fd, "4321\n", 5), 5);
	must(slurp(path, 30) > 0);
	check(strcmp(text, "4321\n") == 0);
	checkerr(pwrite(fd, "x", 1, 0), EINVAL);
	checkerr(pwrite(fd, "99999999999", 11, 0), EINVAL);
	must(slurp(path, 30) > 0);
	check(strcmp(text, "4321\n") == 0);
	checkeq(pwrite(fd, old, n, 0), n);
	close(fd);
	fd = open("/proc/sys/vm/dirty_ratio", O_WRONLY);
	must(fd >= 0);
	checkerr(write(fd, "101", 3), EINVAL);
	checkerr(write(fd, "-1", 2), EINVAL);
	close(fd);
	if (!quire)
		return; /* leave the host its caches */
	fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	must(fd >= 0);
	checkerr(write(fd, "0", 1), EINVAL);
	checkeq(write(fd, "1", 1), 1);
	close(fd);
}

/* Every file there is can be read, while processes come and go. */
static int
readone(const char *path, const struct stat *st, int type, struct FTW *at)
{
	char buf[512];
	int fd;

	(void)st, (void)at;
	if (type == FTW_SL)
		(void)!readlink(path, buf, sizeof(buf));
	if (type != FTW_F || strstr(path, "vmcheck") || strstr(path, "/mem") ||
		strstr(path, "pagemap"))
		return 0;
	fd = open(path, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return 0;
	for (int i = 0; i < 40 && read(fd, buf, sizeof(buf)) > 0; i++)
		;
	close(fd);
	return 0;
}

static void
all_readable(void)
{
	int pid;

	if (!quire)
		skip("the host has too many files");
	pid = fork();
	if (pid == 0)
		for (;;) {
			int c = fork();

			if (c == 0) {
				char *p = area(64);

				for (int i = 0; i < 64; i += 2)
					mprotect(p + i * PG, PG, PROT_READ);
				_exit(0);
			}
			waitpid(c, 0, 0);
		}
	for (int i = 0; i < 3; i++)
		nftw("/proc", readone, 8, FTW_PHYS);
	if (access("/sys/block", F_OK) == 0)
		nftw("/sys", readone, 8, FTW_PHYS);
	kill(pid, SIGKILL);
	waitpid(pid, 0, 0);
}

static void
oom_adjustment(void)
{
	int fd = open("/proc/self/oom_score_adj", O_RDWR), st;

	must(fd >= 0);
	checkeq(write(fd, "500\n", 4), 4);
	must(slurp("/proc/self/oom_score_adj", 64) > 0);
	check(strcmp(text, "500\n") == 0);
	must(slurp("/proc/self/oom_adj", 64) > 0);
	check(strcmp(text, "8\n") == 0);
	checkrange((slurp("/proc/self/oom_score", 64), atoi(text)), 1000, 1333);
	checkerr(write(fd, "1001", 4), EINVAL);
	checkerr(write(fd, "x", 1), EINVAL);
	if (fork() == 0) /* a child has it too */
		_exit(slurp("/proc/self/oom_score_adj", 64) != 4 ||
			strcmp(text, "500\n") != 0);
	wait(&st);
	checkeq(st, 0);
	close(fd);
}

static void
auxv_has_end(void)
{
	unsigned long *a = (unsigned long *)text;
	int n = slurp("/proc/self/auxv", 4096) / (2 * (int)sizeof(*a));

	check(n > 10);
	checkeq(a[2 * n - 2], 0);
	for (int i = 0; a[2 * i]; i++) {
		if (a[2 * i] == 6) /* AT_PAGESZ */
			checkeq(a[2 * i + 1], PG);
	}
}

static int
answer(void)
{
	return 42;
}

static void
mem_moves(void)
{
	int fd = open("/proc/self/mem", O_RDWR);
	int (*volatile fn)(void) = answer;
	char buf[16], *p = area(2), *code = (char *)(uintptr_t)answer, old[8];

	must(fd >= 0);
	checkeq(pread64(fd, buf, 16, (off64_t)(uintptr_t)exepath), 16);
	check(memcmp(buf, exepath, 16) == 0);
	checkeq(pwrite64(fd, "hello", 6, (off64_t)(uintptr_t)buf), 6);
	check(strcmp(buf, "hello") == 0);
	checkeq(fn(), 42);
	memcpy(old, code, 6); /* mov $7, %eax; ret: where we may not write */
	checkeq(pwrite64(fd, "\xb8\7\0\0\0\xc3", 6, (off64_t)(uintptr_t)code),
		6);
	checkeq(fn(), 7);
	checkeq(pwrite64(fd, old, 6, (off64_t)(uintptr_t)code), 6);
	checkeq(fn(), 42);
	must(munmap(p, 2 * PG) == 0);
	checkerr(pwrite64(fd, buf, 16, (off64_t)(uintptr_t)p), EIO);
	checkerr(pread64(fd, buf, 16, (off64_t)(uintptr_t)p), EIO);
	close(fd);
}

static void
sys_cpus(void)
{
	if (access("/sys/devices", F_OK) < 0)
		mount("sysfs", "/sys", "sysfs", 0, 0);
	must(slurp("/sys/devices/system/cpu/online", 64) > 0);
	check(text[0] == '0');
	must(slurp("/sys/devices/system/cpu/possible", 64) > 0);
	check(text[0] == '0');
	checkeq(access("/sys/devices/system/cpu/cpu0", F_OK), 0);
	checkeq(access("/sys/devices/system/cpu/cpu99", F_OK), -1);
}

/* Each kind of descriptor tells of itself. */
static void
fdinfo_kinds(void)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = 0x1234};
	struct itimerspec it = {{1, 5}, {1000, 0}};
	int ev1 = eventfd(7, 0), ep = epoll_create1(0), sfd, tfd;
	sigset_t set;
	char name[80];

	must(ev1 >= 0 && ep >= 0);
	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", ev1);
	must(slurp(name, 4096) > 0);
	check(line("eventfd-count:                7\n") != 0);
	must(epoll_ctl(ep, EPOLL_CTL_ADD, ev1, &ev) == 0);
	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", ep);
	must(slurp(name, 4096) > 0);
	snprintf(name, sizeof(name), "tfd: %8d events:       19 data: "
		"            1234  pos:0 ino:", ev1);
	check(line(name) != 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	must((sfd = signalfd(-1, &set, 0)) >= 0);
	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", sfd);
	must(slurp(name, 4096) > 0);
	check(line("sigmask:\t0000000000000200\n") != 0);
	must((tfd = timerfd_create(CLOCK_MONOTONIC, 0)) >= 0);
	must(timerfd_settime(tfd, 0, &it, 0) == 0);
	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", tfd);
	must(slurp(name, 4096) > 0);
	check(line("clockid: 1\nticks: 0\nsettime flags: 0") != 0);
	check(line("it_value: (999, ") != 0);
	check(line("it_interval: (1, 5)\n") != 0);
}

/* Bytes of read and write, and how many calls. */
static void
io_counts(void)
{
	long rchar, wchar, syscr, syscw;
	int fd[2];
	char c[100];

	must(pipe(fd) == 0);
	must(slurp("/proc/self/io", 4096) > 0);
	rchar = value("rchar: ");
	wchar = value("wchar: ");
	syscr = value("syscr: ");
	syscw = value("syscw: ");
	check(line("read_bytes: ") && line("write_bytes: ") &&
		line("cancelled_write_bytes: 0\n"));
	rchar += strlen(text); /* of the last time */
	syscr += 2;
	must(write(fd[1], c, 100) == 100);
	must(write(fd[1], c, 3) == 3);
	must(read(fd[0], c, 50) == 50);
	must(slurp("/proc/self/io", 4096) > 0);
	checkeq(value("rchar: ") - rchar, 50);
	checkeq(value("wchar: ") - wchar, 103);
	checkeq(value("syscr: ") - syscr, 1);
	checkeq(value("syscw: ") - syscw, 2);
}

/* Sectors that a disk has read and written, of /proc/diskstats. */
static void
sectors(const char *disk, long *r, long *w)
{
	char word[32], *p;

	must(slurp("/proc/diskstats", 65536) > 0);
	snprintf(word, sizeof(word), " %s ", disk);
	must((p = strstr(text, word)) != 0);
	must(sscanf(p, " %*s %*d %*d %ld %*d %*d %*d %ld", r, w) == 2);
}

/* What a process has a disk read and write is in its account to the sector, and
 * in the disk's. */
static void
disk_counts(void)
{
	enum { N = 64 };
	static char buf[N * PG];
	int fd = open("/tmp/t_disk", O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct rusage a, b;
	long r[2], w[2];
	struct statfs s;

	must(fd >= 0 && unlink("/tmp/t_disk") == 0 && fstatfs(fd, &s) == 0);
	if (!quire || s.f_type != 0xef53)
		skip("/tmp is on no disk");
	must(fsync(fd) == 0);
	getrusage(RUSAGE_SELF, &a);
	must(write(fd, buf, sizeof(buf)) == sizeof(buf));
	getrusage(RUSAGE_SELF, &b);
	checkeq(b.ru_oublock - a.ru_oublock, N * PG / 512);
	sectors("vda", &r[0], &w[0]);
	must(fsync(fd) == 0);
	sectors("vda", &r[1], &w[1]);
	check(w[1] - w[0] >= N * PG / 512);
	must(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
	getrusage(RUSAGE_SELF, &a);
	must(pread(fd, buf, sizeof(buf), 0) == sizeof(buf));
	getrusage(RUSAGE_SELF, &b);
	checkeq(b.ru_inblock - a.ru_inblock, N * PG / 512);
	checkeq(b.ru_oublock - a.ru_oublock, 0);
	sectors("vda", &r[0], &w[0]);
	checkeq(r[0] - r[1], N * PG / 512);
}

/* Sectors that the disk writes when the page at off has been written to. */
static long
datasync(int fd, off_t off)
{
	static char buf[PG];
	long r, w[2];

	must(pwrite(fd, buf, PG, off) == PG);
	sectors("vda", &r, &w[0]);
	must(fdatasync(fd) == 0);
	sectors("vda", &r, &w[1]);
	return w[1] - w[0];
}

/* fdatasync writes the inode if it has a new size or block, not for its
 * times. */
static void
disk_fdatasync(void)
{
	int fd = open("/tmp/t_disk", O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct statfs s;

	must(fd >= 0 && unlink("/tmp/t_disk") == 0 && fstatfs(fd, &s) == 0);
	if (!quire || s.f_type != 0xef53)
		skip("/tmp is on no disk");
	must(ftruncate(fd, 4 * PG) == 0);
	sync();
	check(datasync(fd, PG) > PG / 512);
	checkeq(datasync(fd, PG), PG / 512);
	check(datasync(fd, 4 * PG) > PG / 512);
	checkeq(datasync(fd, 4 * PG), PG / 512);
	check(datasync(fd, 0) > PG / 512);
	must(close(fd) == 0);
}

static void
net_unix(void)
{
	struct sockaddr_un a = {AF_UNIX, "\0t_proc_socket"};
	int s = socket(AF_UNIX, SOCK_STREAM, 0), pair[2];
	char want[64];
	struct stat st;

	must(s >= 0 && bind(s, (void *)&a, 2 + 14) == 0 && listen(s, 1) == 0);
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	must(slurp("/proc/net/unix", 65536) > 0);
	check(line("Num       RefCount Protocol Flags    Type St "
		   "Inode Path\n"));
	must(fstat(s, &st) == 0);
	snprintf(want, sizeof(want), " 00000000 00010000 0001 01 %5lu "
		"@t_proc_socket\n", (unsigned long)st.st_ino);
	check(strstr(text, want) != 0);
	must(fstat(pair[0], &st) == 0);
	snprintf(want, sizeof(want), " 00000000 00000000 0002 03 %5lu\n",
		(unsigned long)st.st_ino);
	check(strstr(text, want) != 0);
	close(s);
	must(slurp("/proc/net/unix", 65536) > 0);
	check(strstr(text, "t_proc_socket") == 0);
}

/* Files that programs open, whatever there is in them. */
static void
system_files(void)
{
	static const char *const names[] = {"/proc/diskstats",
		"/proc/partitions", "/proc/net/dev", "/proc/net/tcp",
		"/proc/net/udp", "/proc/net/raw", "/proc/net/route",
		"/proc/net/arp", "/proc/tty/drivers", "/proc/devices",
		"/proc/filesystems", "/proc/interrupts", "/proc/cpuinfo",
		"/proc/version", "/proc/consoles", "/proc/zoneinfo",
		"/proc/cmdline", "/proc/self/limits", "/proc/self/cmdline",
		"/proc/self/environ", "/proc/self/mountstats"};
	static const char *const stats[] = {"cpu  ", "cpu0 ", "intr ", "ctxt ",
		"btime ", "processes ", "procs_running ", "procs_blocked "};
	static const char *const mem[] = {"MemTotal: ", "MemFree: ",
		"MemAvailable: ", "Buffers: ", "Cached: ", "SwapCached: ",
		"Active: ", "Inactive: ", "Active(anon): ", "Inactive(anon): ",
		"Active(file): ", "Inactive(file): ", "SwapTotal: ",
		"SwapFree: ", "Dirty: ", "Writeback: ", "AnonPages: ",
		"Mapped: ", "Shmem: ", "KReclaimable: ", "Slab: ",
		"SReclaimable: ", "SUnreclaim: ", "KernelStack: ",
		"PageTables: "};

	for (int i = 0; i < NUM(names); i++)
		if (slurp(names[i], 65536) < 0)
			failed(__FILE__, __LINE__, "%s: %s", names[i],
				strerror(errno));
	inorder("/proc/stat", stats, NUM(stats));
	inorder("/proc/meminfo", mem, NUM(mem));
	check(value("MemFree:") <= value("MemAvailable:") || !quire);
	check(value("Active:") == value("Active(anon):") +
		value("Active(file):"));
	must(slurp("/proc/vmstat", 65536) > 0);
	check(value("nr_free_pages ") > 0 && value("pgfault ") > 0);
	check(value("nr_dirty ") >= 0 && value("nr_writeback ") >= 0);
	check(value("pgpgin ") >= 0 && value("pgmajfault ") >= 0);
	check(value("pswpin ") >= 0);
}

static void
waits_where(void)
{
	char name[64];
	int fd[2], pid;
	char c;

	must(pipe(fd) == 0);
	if ((pid = fork()) == 0) {
		close(fd[1]);
		(void)!read(fd[0], &c, 1);
		_exit(0);
	}
	asleep(pid);
	snprintf(name, sizeof(name), "/proc/%d/wchan", pid);
	must(slurp(name, 60) > 0);
	/* piperead, or pipereadable if the compiler makes that a function */
	if (quire && strncmp(text, "piperead", 8) != 0)
		failed(__FILE__, __LINE__, "it sleeps in %s", text);
	must(slurp("/proc/self/wchan", 64) > 0);
	check(strcmp(text, "0") == 0);
	close(fd[1]);
	reaped(pid);
}

const struct test t_proc[] = {
	T(stat_fields),
	T(status_lines),
	T(switches_exact),
	T(fdinfo_file),
	T(system_forms),
	T(settings),
	T(settings_written),
	T(all_readable),
	T(oom_adjustment),
	T(auxv_has_end),
	T(mem_moves),
	T(sys_cpus),
	T(fdinfo_kinds),
	T(io_counts),
	T(disk_counts),
	T(disk_fdatasync),
	T(net_unix),
	T(system_files),
	T(waits_where),
	{0},
};
