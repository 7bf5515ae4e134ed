/*
 * t_procmem.c - what /proc tells of memory: maps, smaps, pagemap, faults, shm.
 */
#include "procfile.h"

#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>

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

/* A read of many mappings ends where one ends, unless it is short of room. */
static void
smaps_whole(void)
{
	static const char *const names[] = {"/proc/self/maps",
		"/proc/self/smaps"};
	char *p = mmap(0, 400 * PG, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		0);
	int fd;
	long n;

	must(p != MAP_FAILED);
	for (int i = 0; i < 400; i += 2)
		must(mprotect(p + i * PG, PG, PROT_NONE) == 0);
	for (int i = 0; i < 2; i++) {
		fd = open(names[i], O_RDONLY);
		must(fd >= 0);
		for (int part = 0; part < 2; part++) {
			n = read(fd, text, 65536);
			checkrange(n, 3000, 4096);
			check(n > 0 && text[n - 1] == '\n');
		}
		checkeq(read(fd, text, 1000), 1000);
		n = read(fd, text, 65536);
		checkrange(n, 3000, 7200); /* the rest, and more */
		check(n > 0 && text[n - 1] == '\n');
		close(fd);
	}
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

/* What is resident in far more mappings than there are page tables. */
static void
rss_of_holes(void)
{
	enum { N = 4096 };
	char *p = mmap(0, N * PG, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long before;

	must(p != MAP_FAILED && slurp("/proc/self/status", 4096) > 0);
	before = value("VmRSS:");
	memset(p, 1, N * PG);
	for (int i = 0; i < N; i += 2)
		must(munmap(p + i * PG, PG) == 0);
	must(slurp("/proc/self/status", 4096) > 0);
	checkrange(value("VmRSS:"), before + 2 * N - 256, before + 2 * N + 256);
	checkrange(value("VmHWM:"), before + 4 * N - 256, before + 4 * N + 256);
	must(munmap(p, N * PG) == 0 && slurp("/proc/self/status", 4096) > 0);
	checkrange(value("VmRSS:"), before - 256, before + 256);
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
	copy = mmap(0, PROCMAX, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
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

const struct test t_procmem[] = {
	T(smaps_lines),
	T(smaps_whole),
	T(smaps_private),
	T(rss_of_holes),
	T(smaps_shared),
	T(smaps_object),
	T(pagemap_bits),
	T(pagemap_pieces),
	T(maps_pieces),
	T(faults_exact),
	T(sysvipc_shm),
	{0},
};
