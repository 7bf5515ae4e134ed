/* t_mlock.c - locked memory, advice, promises: mlock and its family, madvise,
 * mincore, limits. */
#include "race.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif
#define MADV_POPULATE_READ_   22
#define MADV_POPULATE_WRITE_  23
#define MADV_DONTNEED_LOCKED_ 24

static char *
anon(int pages)
{
	char *at = mmap(0, pages * PG, RW, ANON, -1, 0);

	must(at != MAP_FAILED);
	return at;
}

/* KiB of a line of /proc/self/status, or -1. */
static long
kbstatus(const char *name)
{
	char line[256];
	long n = -1;
	FILE *f = fopen("/proc/self/status", "r");

	must(f != 0);
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, name, strlen(name)) == 0)
			n = atol(line + strlen(name));
	fclose(f);
	return n;
}

/* Is nothing but the given pages in memory? 'x' is, '.' is not. */
static void
checkcore_(int line, void *at, const char *want)
{
	unsigned char vec[64];
	char got[64];
	int i, n = strlen(want);

	must(mincore(at, n * PG, vec) == 0);
	for (i = 0; i < n; i++)
		got[i] = vec[i] & 1 ? 'x' : '.';
	got[n] = 0;
	if (strcmp(got, want) != 0)
		failed(__FILE__, line, "in memory: %s, not %s", got, want);
}
#define checkcore(at, want) checkcore_(__LINE__, at, want)

static void
mlock_brings_in(void)
{
	char *at = anon(8);

	checkcore(at, "........");
	checkeq(mlock(at + PG + 1, PG), 0); /* two pages are touched by it */
	checkcore(at, ".xx.....");
	checkeq(kbstatus("VmLck:"), 8);
	checkeq(mlock(at, 2 * PG), 0);
	checkeq(kbstatus("VmLck:"), 12);
	checkeq(syscall(SYS_mlock2, at + 4 * PG, 2 * PG, MLOCK_ONFAULT), 0);
	checkcore(at, "xxx.....");
	checkeq(kbstatus("VmLck:"), 20);
	checkerr(syscall(SYS_mlock2, at, PG, 2), EINVAL);
	checkeq(mapcount(at, 8), 4);
	checkeq(munlock(at + PG, PG), 0);
	checkeq(kbstatus("VmLck:"), 16);
	checkeq(munmap(at, PG), 0);
	checkeq(kbstatus("VmLck:"), 12);
	checkeq(munlock(at + PG, 7 * PG), 0);
	checkeq(kbstatus("VmLck:"), 0);
	checkeq(mlock(at + PG, 0), 0);
	checkerr(mlock(at, 2 * PG), ENOMEM); /* a hole */
	must(mprotect(at + 3 * PG, PG, PROT_NONE) == 0);
	checkerr(mlock(at + 2 * PG, 2 * PG), ENOMEM);
	checkeq(kbstatus("VmLck:"), 8); /* the flag is set all the same */
}

static void
islocked(void)
{
	checkeq(kbstatus("VmLck:"), 0);
}

static void
mlock_is_not_inherited(void)
{
	char *at = anon(2);

	checkeq(mlock(at, PG), 0);
	child(islocked);
	checkeq(kbstatus("VmLck:"), 4);
	at = mremap(at, PG, 3 * PG, MREMAP_MAYMOVE);
	must(at != MAP_FAILED);
	checkeq(kbstatus("VmLck:"), 12);
	checkcore(at, "xxx");
}

static void
mlock_refuses_dontneed(void)
{
	char *at = anon(4);

	checkeq(mlock(at, 2 * PG), 0);
	checkerr(madvise(at, PG, MADV_DONTNEED), EINVAL);
	checkerr(madvise(at, PG, MADV_FREE), EINVAL);
	checkerr(msync(at, PG, MS_INVALIDATE), EBUSY);
	checkeq(msync(at, PG, MS_SYNC), 0);
	at[0] = 1;
	checkeq(madvise(at, PG, MADV_DONTNEED_LOCKED_), 0);
	checkeq(at[0], 0);
}

static void
mlockall_now_and_later(void)
{
	char *at = anon(4), *b;

	checkerr(mlockall(0), EINVAL);
	checkerr(mlockall(8), EINVAL);
	checkerr(mlockall(MCL_ONFAULT), EINVAL);
	checkeq(mlockall(MCL_CURRENT), 0);
	checkcore(at, "xxxx");
	check(kbstatus("VmLck:") > 16);
	checkeq(munlockall(), 0);
	checkeq(kbstatus("VmLck:"), 0);
	checkeq(mlockall(MCL_FUTURE), 0);
	checkeq(kbstatus("VmLck:"), 0);
	b = anon(4);
	checkcore(b, "xxxx");
	checkeq(kbstatus("VmLck:"), 16);
	checkeq(mlockall(MCL_FUTURE | MCL_ONFAULT), 0);
	b = anon(4);
	checkcore(b, "....");
	checkeq(kbstatus("VmLck:"), 32);
	checkeq(munlockall(), 0);
	b = anon(4);
	checkeq(kbstatus("VmLck:"), 0);
}

/* Limits are those of who is not root. */
static void
limited(void)
{
	struct rlimit r = {8 * PG, 8 * PG};
	char *at = anon(16);

	must(setrlimit(RLIMIT_MEMLOCK, &r) == 0);
	must(setuid(1000) == 0);
	checkeq(mlock(at, 8 * PG), 0);
	checkeq(mlock(at, 8 * PG), 0); /* again: not counted twice */
	checkerr(mlock(at + 8 * PG, PG), ENOMEM);
	checkerr((long)mmap(0, PG, RW, ANON | MAP_LOCKED, -1, 0), EAGAIN);
	checkerr(mlockall(MCL_CURRENT), ENOMEM);
	checkeq(munlock(at, PG), 0);
	checkeq(mlock(at + 8 * PG, PG), 0);
	checkeq(munlock(at, 16 * PG), 0);
	r.rlim_cur = r.rlim_max = 0;
	must(setrlimit(RLIMIT_MEMLOCK, &r) == 0);
	checkerr(mlock(at, PG), EPERM);
	checkerr(mlockall(MCL_FUTURE), EPERM);
	checkerr((long)mmap(0, PG, RW, ANON | MAP_LOCKED, -1, 0), EPERM);
	checkeq(munlock(at, PG), 0);
	checkeq(munlockall(), 0);
}

static void
mlock_limit(void)
{
	if (getuid() != 0)
		skip("only root may become somebody else");
	child(limited);
}

static void
mmap_locked_and_populate(void)
{
	char *at = mmap(0, 2 * PG, RW, ANON | MAP_LOCKED, -1, 0);

	must(at != MAP_FAILED);
	checkcore(at, "xx");
	checkeq(kbstatus("VmLck:"), 8);
	must(munmap(at, 2 * PG) == 0);
	at = mmap(0, 2 * PG, RW, ANON | MAP_POPULATE, -1, 0);
	must(at != MAP_FAILED);
	checkcore(at, "xx");
	at = mmap(0, 2 * PG, RW, ANON | MAP_POPULATE | MAP_NONBLOCK, -1, 0);
	must(at != MAP_FAILED);
	checkcore(at, "..");
	checkeq(kbstatus("VmLck:"), 0);
}

static int
memfile(int pages)
{
	int fd = open("t_mlock", O_RDWR | O_CREAT | O_TRUNC, 0600);

	must(fd >= 0 && unlink("t_mlock") == 0);
	must(ftruncate(fd, pages * PG) == 0);
	return fd;
}

static void
mmap_flags(void)
{
	int fd = memfile(1);

	checkerr((long)mmap(0, PG, RW, MAP_SHARED_VALIDATE | 0x80000, fd, 0),
		EOPNOTSUPP); /* MAP_SYNC */
	check(mmap(0, PG, RW, MAP_SHARED_VALIDATE, fd, 0) != MAP_FAILED);
	checkerr((long)mmap(0, PG, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1,
			 0), EINVAL);
}

static void
mincore_tells(void)
{
	char *at = anon(4), *f;
	volatile char c;
	int fd = memfile(4);

	c = at[0];
	at[1 * PG] = 1;
	checkcore(at, "xx.."); /* a page of zeroes counts */
	must(mprotect(at + PG, PG, PROT_NONE) == 0);
	checkcore(at, "xx..");
	f = mmap(0, 4 * PG, RW, MAP_PRIVATE, fd, 0);
	must(f != MAP_FAILED && pwrite(fd, "x", 1, 2 * PG) == 1);
	checkcore(f, "..x."); /* cached, not mapped */
	f[PG] = 1;
	c = f[PG];
	(void)c;
	checkcore(f + PG, "xx"); /* read-ahead may bring more */
	f = mmap(0, 4 * PG, PROT_READ, MAP_SHARED, fd, PG);
	must(f != MAP_FAILED);
	must(mincore(f, 2 * PG, (unsigned char *)at) == 0);
	checkeq(at[1] & 1, 1 & at[1]);
	checkerr(mincore(f, PG, (unsigned char *)8), EFAULT);
}

static char *forked;

static void
seesit(void)
{
	unsigned v;

	checkeq(load((word *)forked, &v), 1);
	checkeq(v, 7);
	checkeq(load((word *)(forked + PG), &v), 0);
	checkeq(load((word *)(forked + 2 * PG), &v), 1);
	checkeq(v, 0); /* wiped */
	checkeq(load((word *)(forked + 3 * PG), &v), 1);
	checkeq(v, 7);
	forked[2 * PG] = 1;
	forked[0] = 2;
	must((int)(long)mmap(forked + PG, PG, RW, ANON | MAP_FIXED, -1, 0) ==
		(int)(long)(forked + PG));
	checkeq(forked[PG], 0);
}

static void
madvise_for_children(void)
{
	int i;

	begin();
	forked = anon(4);
	for (i = 0; i < 4; i++)
		*(unsigned *)(forked + i * PG) = 7;
	checkeq(madvise(forked + PG, PG, MADV_DONTFORK), 0);
	checkeq(madvise(forked + 2 * PG, PG, MADV_WIPEONFORK), 0);
	checkeq(mapcount(forked, 4), 4);
	child(seesit);
	for (i = 0; i < 4; i++)
		checkeq(*(unsigned *)(forked + i * PG), 7);
	checkeq(madvise(forked + PG, PG, MADV_DOFORK), 0);
	checkeq(madvise(forked + 2 * PG, PG, MADV_KEEPONFORK), 0);
	checkeq(mapcount(forked, 4), 1);
	checkerr(madvise(mmap(0, PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), PG,
			 MADV_WIPEONFORK), EINVAL);
}

static void
wiped(void)
{
	checkeq(forked[0], 0);
	checkeq(forked[8 << 20], 0);
}

/* Whole tables that the child does not get. */
static void
madvise_wipes_much(void)
{
	forked = anon(4096);
	memset(forked, 1, 4096 * PG);
	checkeq(madvise(forked, 4096 * PG, MADV_WIPEONFORK), 0);
	child(wiped);
	checkeq(madvise(forked, 4096 * PG, MADV_DONTFORK), 0);
	checkeq(WTERMSIG(status(wiped)), SIGSEGV);
	checkeq(forked[5 << 20], 1);
}

static void
madvise_rules(void)
{
	char *at = anon(8);
	int fd = memfile(4);
	char *f = mmap(0, 4 * PG, RW, MAP_SHARED, fd, 0);
	char *ro = mmap(0, 4 * PG, PROT_READ, MAP_PRIVATE, fd, 0);
	char *none = mmap(0, PG, PROT_NONE, ANON, -1, 0);

	must(f != MAP_FAILED && ro != MAP_FAILED && none != MAP_FAILED);
	checkerr(madvise(f, PG, MADV_FREE), EINVAL);
	checkeq(madvise(at, PG, MADV_FREE), 0);
	checkeq(madvise(f, 4 * PG, MADV_WILLNEED), 0);
	checkeq(madvise(f, 4 * PG, MADV_RANDOM), 0);
	checkeq(madvise(f, 2 * PG, MADV_SEQUENTIAL), 0);
	checkeq(mapcount(f, 4), 2);
	checkeq(madvise(f, 4 * PG, MADV_NORMAL), 0);
	checkeq(mapcount(f, 4), 1);
	checkeq(madvise(at, PG, MADV_COLD), 0);
	checkeq(madvise(at, PG, MADV_PAGEOUT), 0);
	checkeq(madvise(at, PG, MADV_DONTDUMP), 0);
	checkeq(madvise(at, PG, MADV_DODUMP), 0);
	checkeq(madvise(at + 4 * PG, 2 * PG, MADV_POPULATE_WRITE_), 0);
	checkeq(madvise(at + 6 * PG, PG, MADV_POPULATE_READ_), 0);
	checkcore(at + 3 * PG, ".xxx.");
	checkerr(madvise(ro, PG, MADV_POPULATE_WRITE_), EINVAL);
	checkerr(madvise(none, PG, MADV_POPULATE_READ_), EINVAL);
	checkerr(madvise((char *)(uintptr_t)0x10000, PG, MADV_POPULATE_READ_),
		ENOMEM);
	must(ftruncate(fd, PG) == 0);
	checkerr(madvise(f, 4 * PG, MADV_POPULATE_READ_), EFAULT);
}

static void
toomuchdata(void)
{
	struct rlimit r = {0, 0};
	long data = kbstatus("VmData:");
	char *at;

	r.rlim_cur = r.rlim_max = data * 1024 + 16 * PG;
	must(setrlimit(RLIMIT_DATA, &r) == 0);
	at = mmap(0, 8 * PG, RW, ANON, -1, 0);
	must(at != MAP_FAILED);
	checkerr((long)mmap(0, 32 * PG, RW, ANON, -1, 0), ENOMEM);
	at = mmap(0, 32 * PG, PROT_READ, ANON, -1, 0);
	check(at != MAP_FAILED);
	checkerr(mprotect(at, 32 * PG, RW), ENOMEM);
	check(mmap(0, 32 * PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0) !=
		MAP_FAILED);
}

static void
mremap_dontunmap(void)
{
	char *at = anon(4), *to = area(4), *b;

	memset(at, 5, 4 * PG);
	b = mremap(at, 2 * PG, 2 * PG, MREMAP_MAYMOVE | MREMAP_FIXED | 4, to);
	must(b == to);
	checkeq(b[0] + b[PG], 10);
	checkcore(at, "..xx");
	checkeq(at[0] + at[PG] + at[2 * PG], 5);
	checkerr((long)mremap(at, PG, 2 * PG, MREMAP_MAYMOVE | 4), EINVAL);
	checkerr((long)mremap(at, PG, PG, 4), EINVAL);
	at[0] = 6;
	b = mremap(at, PG, PG, MREMAP_MAYMOVE | 4, 0);
	must(b != MAP_FAILED && b != at);
	checkeq(b[0], 6);
	checkeq(at[0], 0);
}

static void
rlimit_data(void)
{
	child(toomuchdata);
}

static int
setvm(const char *name, const char *value)
{
	char path[64];
	int fd, n;

	snprintf(path, sizeof(path), "/proc/sys/vm/%s", name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return 0;
	n = write(fd, value, strlen(value));
	close(fd);
	return n == (int)strlen(value);
}

/* What is promised is kept, with overcommit_memory 2; with 1 all is
 * promised. */
static void
overcommit_modes(void)
{
	char *at;

	if (!quire || !setvm("overcommit_memory", "1"))
		skip("these are settings of the whole machine");
	at = mmap(0, 1500 << 20, RW, ANON, -1, 0);
	check(at != MAP_FAILED);
	must(munmap(at, 1500 << 20) == 0);
	must(setvm("overcommit_memory", "2"));
	checkerr((long)mmap(0, 200 << 20, RW, ANON, -1, 0), ENOMEM);
	checkerr((long)mmap(0, 200 << 20, RW, ANON | MAP_NORESERVE, -1, 0),
		ENOMEM);
	at = mmap(0, 200 << 20, PROT_READ, ANON, -1, 0);
	check(at != MAP_FAILED);
	checkerr(mprotect(at, 200 << 20, RW), ENOMEM);
	checkeq(mprotect(at, 8 << 20, RW), 0);
	must(setvm("overcommit_ratio", "200"));
	checkeq(mprotect(at, 200 << 20, RW), 0);
	must(munmap(at, 200 << 20) == 0);
	must(setvm("overcommit_ratio", "50") &&
		setvm("overcommit_memory", "0"));
	check(!setvm("overcommit_memory", "3"));
	at = mmap(0, 750 << 20, RW, ANON, -1, 0); /* there is less */
	check(at == MAP_FAILED && errno == ENOMEM);
}

static void
remap_file_pages_moves_the_view(void)
{
	int fd = memfile(4), i;
	char *at;

	for (i = 0; i < 4; i++)
		must(pwrite(fd, &"0123"[i], 1, i * PG) == 1);
	at = mmap(0, 4 * PG, RW, MAP_SHARED, fd, 0);
	must(at != MAP_FAILED);
	checkeq(syscall(SYS_remap_file_pages, at, PG, 0, 3, 0), 0);
	checkeq(at[0], '3');
	checkeq(at[PG], '1');
	checkerr(syscall(SYS_remap_file_pages, at, PG, PROT_READ, 3, 0),
		EINVAL);
	at = anon(1);
	checkerr(syscall(SYS_remap_file_pages, at, PG, 0, 0, 0), EINVAL);
}

const struct test t_mlock[] = {
	T(mlock_brings_in),
	T(mlock_is_not_inherited),
	T(mlock_refuses_dontneed),
	T(mlockall_now_and_later),
	T(mlock_limit),
	T(mmap_locked_and_populate),
	T(mmap_flags),
	T(mincore_tells),
	T(madvise_for_children),
	T(madvise_wipes_much),
	T(madvise_rules),
	T(mremap_dontunmap),
	T(rlimit_data),
	T(overcommit_modes),
	T(remap_file_pages_moves_the_view),
	{0},
};
