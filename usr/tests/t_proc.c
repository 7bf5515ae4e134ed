/*
 * t_proc.c - files of /proc and /sys: the same names, fields and units as
 * Linux's, and numbers that are right.
 */
#include "t.h"

#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/timerfd.h>
#include <sys/un.h>

#define BIG (1 << 20)

static char text[BIG]; /* of the file that was read last */

/* The whole file, read so many bytes at a time: its length, or -1. */
static int
slurp(const char *path, int chunk)
{
	int fd = open(path, O_RDONLY), n, len = 0;

	if (fd < 0)
		return -1;
	while (len + chunk < BIG && (n = read(fd, text + len, chunk)) > 0)
		len += n;
	close(fd);
	text[len] = 0;
	return len;
}

/* The line that begins with the word, or 0. */
static char *
line(const char *word)
{
	int len = strlen(word);
	char *p = text;

	while (p && *p) {
		if (strncmp(p, word, len) == 0)
			return p;
		p = strchr(p, '\n');
		p += p != 0;
	}
	return 0;
}

/* The number behind it, or -1. */
static long
value(const char *word)
{
	char *p = line(word);

	return p ? strtol(p + strlen(word), 0, 10) : -1;
}

static int
words(const char *s)
{
	int n = 0, in = 0;

	for (; *s && *s != '\n'; s++) {
		if (*s != ' ' && *s != '\t' && !in)
			n++;
		in = *s != ' ' && *s != '\t';
	}
	return n;
}

/* Each of these words begins a line, in this order. */
static void
inorder(const char *path, const char *const *names, int n)
{
	char *last = 0, *at;

	must(slurp(path, 65536) > 0);
	for (int i = 0; i < n; i++) {
		at = line(names[i]);
		if (at == 0 || at <= last)
			failed(__FILE__, __LINE__, "%s: %s is %s", path,
				names[i], at ? "misplaced" : "missing");
		if (at)
			last = at;
	}
}

static void
stat_fields(void)
{
	char *p;
	int pid, ppid;
	char state;

	must(slurp("/proc/self/stat", 4096) > 0);
	checkeq(words(text), 52);
	checkeq(sscanf(text, "%d (t%*[-a-z]) %c %d", &pid, &state, &ppid) == 3 ||
		sscanf(text, "%d (t) %c %d", &pid, &state, &ppid) == 3, 1);
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
	static const char *const names[] = {"Name:\tt", "Umask:\t0", "State:\tR (",
		"Tgid:\t", "Ngid:\t", "Pid:\t", "PPid:\t", "TracerPid:\t0",
		"Uid:\t", "Gid:\t", "FDSize:\t", "Groups:\t", "NStgid:\t",
		"NSpid:\t", "NSpgid:\t", "NSsid:\t", "VmPeak:\t", "VmSize:\t",
		"VmLck:\t", "VmPin:\t", "VmHWM:\t", "VmRSS:\t", "RssAnon:\t",
		"RssFile:\t", "RssShmem:\t", "VmData:\t", "VmStk:\t", "VmExe:\t",
		"VmLib:\t", "VmPTE:\t", "VmSwap:\t", "HugetlbPages:\t",
		"CoreDumping:\t", "THP_enabled:\t", "Threads:\t1", "SigQ:\t",
		"SigPnd:\t0000000000000000", "ShdPnd:\t", "SigBlk:\t",
		"SigIgn:\t", "SigCgt:\t", "CapInh:\t0000000000000000",
		"CapPrm:\t", "CapEff:\t", "CapBnd:\t", "CapAmb:\t",
		"NoNewPrivs:\t0", "Seccomp:\t", "Seccomp_filters:\t",
		"Cpus_allowed:\t", "Cpus_allowed_list:\t0", "Mems_allowed:\t",
		"Mems_allowed_list:\t0", "voluntary_ctxt_switches:\t",
		"nonvoluntary_ctxt_switches:\t"};

	inorder("/proc/self/status", names, NUM(names));
	checkeq(value("VmRSS:"), value("RssAnon:") + value("RssFile:") +
		value("RssShmem:"));
	checkeq(value("Pid:"), getpid());
}

/* A number of the mapping at p in smaps, in kB. */
static long
smap(const void *p, const char *word)
{
	char start[20], *at, *end;
	long v;

	must(slurp("/proc/self/smaps", 65536) > 0);
	snprintf(start, sizeof(start), "%08lx-", (unsigned long)p);
	at = line(start);
	if (at == 0)
		return -1;
	memmove(text, at, strlen(at) + 1);
	end = strstr(text, "VmFlags:");
	end = end ? strchr(end, '\n') : 0;
	must(end);
	end[1] = 0;
	v = value(word);
	return v;
}

static void
smaps_lines(void)
{
	static const char *const names[] = {"Size:  ", "KernelPageSize: ",
		"MMUPageSize: ", "Rss: ", "Pss: ", "Pss_Dirty: ",
		"Shared_Clean: ", "Shared_Dirty: ", "Private_Clean: ",
		"Private_Dirty: ", "Referenced: ", "Anonymous: ", "LazyFree: ",
		"AnonHugePages: ", "ShmemPmdMapped: ", "FilePmdMapped: ",
		"Shared_Hugetlb: ", "Private_Hugetlb: ", "Swap: ", "SwapPss: ",
		"Locked: ", "THPeligible: ", "VmFlags: rd "};
	static const char *const sums[] = {"Rss: ", "Pss: ", "Pss_Dirty: ",
		"Pss_Anon: ", "Pss_File: ", "Pss_Shmem: ", "Shared_Clean: ",
		"Shared_Dirty: ", "Private_Clean: ", "Private_Dirty: ",
		"Referenced: ", "Anonymous: ", "LazyFree: ", "Swap: ",
		"SwapPss: ", "Locked: "};
	long all;

	inorder("/proc/self/smaps", names, NUM(names));
	inorder("/proc/self/smaps_rollup", sums, NUM(sums));
	checkeq(words(text), 6);
	check(strstr(text, " ---p 00000000 00:00 0 ") != 0);
	check(strstr(text, " [rollup]\n") != 0);
	all = value("Rss:");
	checkeq(all, value("Shared_Clean:") + value("Shared_Dirty:") +
		value("Private_Clean:") + value("Private_Dirty:"));
	must(slurp("/proc/self/status", 4096) > 0);
	checkrange(value("VmRSS:"), all - 64, all + 64);
}

/* Pages that are written to, read only, and not touched. */
static void
smaps_private(void)
{
	char *p = mmap(0, 16 * PG, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED);
	must(mprotect(p, PG, PROT_READ) == 0); /* a mapping of its own */
	p += PG;
	checkeq(smap(p, "Size:"), 60);
	checkeq(smap(p, "Rss:"), 0);
	for (int i = 0; i < 6; i++)
		p[i * PG] = 1;
	(void)*(volatile char *)(p + 8 * PG); /* of zeroes: does not count */
	checkeq(smap(p, "Rss:"), 24);
	checkeq(smap(p, "Pss:"), 24);
	checkeq(smap(p, "Anonymous:"), 24);
	checkeq(smap(p, "Private_Dirty:"), 24);
	checkeq(smap(p, "Private_Clean:"), 0);
	checkeq(smap(p, "Shared_Dirty:"), 0);
	checkeq(smap(p, "Referenced:"), 24);
	must(smap(p, "Rss:") >= 0);
	check(strstr(text, "VmFlags: rd wr mr mw me ac ") != 0);
	must(madvise(p, 3 * PG, MADV_DONTNEED) == 0);
	checkeq(smap(p, "Rss:"), 12);
	must(madvise(p, 15 * PG, MADV_DONTFORK) == 0);
	must(mlock(p, 15 * PG) == 0);
	checkeq(smap(p, "Rss:"), 60);
	checkeq(smap(p, "Locked:"), 60);
	must(smap(p, "Rss:") >= 0);
	check(strstr(text, "VmFlags: rd wr mr mw me lo dc ac ") != 0);
	must(slurp("/proc/self/status", 4096) > 0);
	checkeq(value("VmLck:"), 60);
}

/* A page that two or three show counts a part in each. */
static void
smaps_shared(void)
{
	char *p = mmap(0, 16 * PG, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd[2], pid[2];
	char c;

	must(p != MAP_FAILED && pipe(fd) == 0);
	must(mprotect(p, PG, PROT_READ) == 0);
	p += PG;
	memset(p, 1, 12 * PG);
	for (int i = 0; i < 2; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			close(fd[1]);
			(void)!read(fd[0], &c, 1);
			_exit(0);
		}
		must(pid[i] > 0);
		checkeq(smap(p, "Rss:"), 48);
		checkeq(smap(p, "Pss:"), i ? 15 : 24); /* rounded down */
		checkeq(smap(p, "Shared_Dirty:"), 48);
		checkeq(smap(p, "Private_Dirty:"), 0);
	}
	close(fd[1]);
	reaped(pid[0]);
	reaped(pid[1]);
	checkeq(smap(p, "Pss:"), 48);
	checkeq(smap(p, "Private_Dirty:"), 48);
}

static void
smaps_object(void)
{
	char *p = mmap(0, 8 * PG, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	long before = 0;

	must(p != MAP_FAILED);
	for (int i = 0; i < 2; i++) { /* the first time the program comes too */
		must(slurp("/proc/self/status", 4096) > 0);
		before = value("RssShmem:");
	}
	for (int i = 0; i < 4; i++)
		p[i * PG] = 1;
	must(slurp("/proc/self/status", 4096) > 0);
	checkeq(value("RssShmem:") - before, 16);
	checkeq(smap(p, "Rss:"), 16);
	checkeq(smap(p, "Pss:"), 16);
	checkeq(smap(p, "Anonymous:"), 0);
	checkeq(smap(p, "Private_Dirty:"), 16);
	must(smap(p, "Rss:") >= 0);
	check(strstr(text, "/dev/zero (deleted)\n") != 0);
	check(strstr(text, "VmFlags: rd wr sh mr mw me ms ") != 0);
}

/* The entry of a page. */
static uint64_t
pagemap(const void *p)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t e = ~0ull;

	must(fd >= 0);
	checkeq(pread64(fd, &e, 8, (off64_t)((uintptr_t)p / PG * 8)), 8);
	close(fd);
	return e;
}

#define PRESENT   (1ull << 63)
#define FILEPAGE  (1ull << 61)
#define EXCLUSIVE (1ull << 56)
#define STATE(e)  ((e) & (PRESENT | FILEPAGE | EXCLUSIVE))

static void
pagemap_bits(void)
{
	char *p = mmap(0, 4 * PG, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *s = mmap(0, 4 * PG, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED && s != MAP_FAILED);
	checkeq(pagemap(p), 0);
	p[0] = s[0] = 1;
	(void)*(volatile char *)(p + PG);
	checkeq(STATE(pagemap(p)), PRESENT | EXCLUSIVE);
	checkeq(STATE(pagemap(p + PG)), PRESENT);
	checkeq(pagemap(p + 2 * PG), 0);
	checkeq(STATE(pagemap(s)), PRESENT | FILEPAGE | EXCLUSIVE);
	checkeq(STATE(pagemap(pagemap_bits)) & (PRESENT | FILEPAGE),
		PRESENT | FILEPAGE);
	if (geteuid() == 0)
		check((pagemap(p) & ((1ull << 55) - 1)) != 0);
}

static void
pagemap_pieces(void)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	static uint64_t e[512];
	char *p = mmap(0, 512 * PG, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int n = 0;

	must(fd >= 0 && p != MAP_FAILED);
	for (int i = 0; i < 512; i += 3)
		p[i * PG] = 1;
	must(lseek64(fd, (off64_t)((uintptr_t)p / PG * 8), SEEK_SET) > 0);
	checkeq(read(fd, e, sizeof(e)), sizeof(e));
	for (int i = 0; i < 512; i++)
		n += ((e[i] & PRESENT) != 0) == (i % 3 == 0);
	checkeq(n, 512);
	checkerr(read(fd, e, 7), EINVAL);
	checkerr(pread64(fd, e, 8, 4), EINVAL);
	close(fd);
}

/* Many mappings, read in pieces of any size, are the same text. */
static void
maps_pieces(void)
{
	enum { N = 4000 };
	char *p = area(2 * N), *copy, *mid;
	unsigned long start, end, last = 0;
	int fd, len, n = 0;

	for (int i = 0; i < N; i++)
		must(mprotect(p + 2 * i * PG, PG, PROT_READ) == 0);
	copy = mmap(0, BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		-1, 0);
	must(copy != MAP_FAILED);
	len = slurp("/proc/self/maps", 65536);
	check(len > 2 * N * 40);
	memcpy(copy, text, len + 1);
	checkeq(slurp("/proc/self/maps", 100), len);
	check(strcmp(copy, text) == 0);
	for (char *s = copy; *s; s = strchr(s, '\n') + 1, n++) {
		must(sscanf(s, "%lx-%lx", &start, &end) == 2);
		if (start < last || end <= start)
			failed(__FILE__, __LINE__, "%.60s", s);
		last = end;
	}
	check(n >= 2 * N);
	fd = open("/proc/self/maps", O_RDONLY);
	mid = copy + len / 2;
	checkeq(pread(fd, text, 50, mid - copy), 50);
	check(memcmp(text, mid, 50) == 0);
	checkeq(pread(fd, text, 50, 10), 50);
	check(memcmp(text, copy + 10, 50) == 0);
	checkeq(lseek(fd, mid - copy, SEEK_SET), mid - copy);
	checkeq(read(fd, text, 20), 20);
	check(memcmp(text, mid, 20) == 0);
	checkeq(pread(fd, text, 50, len), 0);
	close(fd);
}

static void
faults_exact(void)
{
	char *p = mmap(0, 64 * PG, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct rusage ru;
	long before;
	int st, pid;

	must(p != MAP_FAILED);
	must(madvise(p, 64 * PG, 15 /* MADV_NOHUGEPAGE */) == 0 ||
		errno == EINVAL);
	before = minflt();
	for (int i = 0; i < 40; i++)
		p[i * PG] = 1;
	checkeq(minflt() - before, 40);
	/* what a child has more when it touches 24 more */
	for (int i = 0, base = 0; i < 2; i++) {
		pid = fork();
		if (pid == 0) {
			for (int k = 0; k < 24 * i; k++)
				p[(40 + k) * PG] = 1;
			_exit(0);
		}
		checkeq(wait4(pid, &st, 0, &ru), pid);
		if (i)
			checkcount(ru.ru_minflt - base, 24, 4);
		base = ru.ru_minflt;
		checkeq(ru.ru_majflt, 0);
	}
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
	checkeq(pwrite64(fd, "\xb8\7\0\0\0\xc3", 6, (off64_t)(uintptr_t)code), 6);
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
	check(line("Num       RefCount Protocol Flags    Type St Inode Path\n"));
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
		"Mapped: ", "Shmem: ", "KReclaimable: ", "Slab: ", "SReclaimable: ",
		"SUnreclaim: ", "KernelStack: ", "PageTables: "};

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
sysvipc_shm(void)
{
	int id = shmget(IPC_PRIVATE, 3 * PG, 0640);
	char *p = shmat(id, 0, 0), want[80];

	must(id >= 0 && p != (char *)-1);
	p[0] = 1;
	must(slurp("/proc/sysvipc/shm", 65536) > 0);
	check(line("       key      shmid perms ") != 0);
	checkeq(words(text), 16);
	snprintf(want, sizeof(want), "         0 %10d   640 ", id);
	must(line(want) != 0);
	checkeq(words(line(want)), 16);
	snprintf(want, sizeof(want), " %5d %5d      1 ", getpid(), getpid());
	check(strstr(text, want) != 0);
	must(smap(p, "Rss:") == 4);
	check(strstr(text, "/SYSV00000000 (deleted)\n") != 0);
	must(shmctl(id, IPC_RMID, 0) == 0);
	must(slurp("/proc/sys/kernel/shmmax", 64) > 0);
	check(strtoul(text, 0, 10) > 1 << 20);
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
	if (quire && strcmp(text, "piperead") != 0)
		failed(__FILE__, __LINE__, "it sleeps in %s", text);
	must(slurp("/proc/self/wchan", 64) > 0);
	check(strcmp(text, "0") == 0);
	close(fd[1]);
	reaped(pid);
}

const struct test t_proc[] = {
	T(stat_fields),
	T(status_lines),
	T(smaps_lines),
	T(smaps_private),
	T(smaps_shared),
	T(smaps_object),
	T(pagemap_bits),
	T(pagemap_pieces),
	T(maps_pieces),
	T(faults_exact),
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
	T(net_unix),
	T(system_files),
	T(sysvipc_shm),
	T(waits_where),
	{0},
};
