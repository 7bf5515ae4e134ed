/* t_cache.c - files through the page cache: what programs say about how they
 * read, and that bytes stay what they are whatever is said. */
#include "t.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>

#define PAGES 70
#define LEN   (PAGES * PG + 100)

static char want[LEN], got[LEN];

/* A file without a name, with the bytes of want. */
static int
newfile(void)
{
	int fd = open("t_cache", O_RDWR | O_CREAT | O_TRUNC, 0600);

	must(fd >= 0 && unlink("t_cache") == 0);
	for (int i = 0; i < LEN; i++)
		want[i] = i * 7 + i / PG;
	must(write(fd, want, LEN) == LEN);
	return fd;
}

static long
advise(int fd, long long off, long long n, int advice)
{
	return syscall(SYS_fadvise64_64, fd, (long)off, (long)(off >> 32),
		(long)n, (long)(n >> 32), advice);
}

static long
ahead(int fd, long long off, long n)
{
	return syscall(SYS_readahead, fd, (long)off, (long)(off >> 32), n);
}

static long
syncrange(int fd, long long off, long long n, int flags)
{
	return syscall(SYS_sync_file_range, fd, (long)off, (long)(off >> 32),
		(long)n, (long)(n >> 32), flags);
}

static void
advice_results(void)
{
	int fd = newfile(), p[2], path;

	for (int a = 0; a <= 5; a++)
		checkeq(advise(fd, 0, 0, a), 0);
	checkerr(advise(fd, 0, 0, 6), EINVAL);
	checkerr(advise(fd, 0, 0, -1), EINVAL);
	checkerr(advise(fd, 0, -1, 0), EINVAL);
	checkeq(advise(fd, -5, 3, POSIX_FADV_WILLNEED), 0);
	checkeq(advise(fd, 1ll << 40, 1ll << 50, POSIX_FADV_DONTNEED), 0);
	checkeq(advise(fd, INT64_MAX, INT64_MAX, POSIX_FADV_WILLNEED), 0);
	checkerr(advise(-1, 0, 0, 0), EBADF);
	path = open(".", O_PATH);
	must(path >= 0 && pipe(p) == 0);
	checkerr(advise(path, 0, 0, 0), EBADF);
	checkerr(advise(p[0], 0, 0, 0), ESPIPE);
	checkeq(syscall(SYS_fadvise64, fd, 0, 0, PG, 3), 0);
	checkerr(syscall(SYS_fadvise64, fd, 0, 0, PG, 9), EINVAL);
}

static void
readahead_results(void)
{
	int fd = newfile(), p[2], w, dir;

	must(pipe(p) == 0);
	w = open("/dev/null", O_WRONLY);
	dir = open(".", O_RDONLY);
	checkeq(ahead(fd, 0, LEN), 0);
	checkeq(ahead(fd, LEN, LEN), 0);
	checkeq(ahead(fd, 1ll << 40, 0x7fffffff), 0);
	checkerr(ahead(-1, 0, 0), EBADF);
	checkerr(ahead(w, 0, 0), EBADF);
	checkerr(ahead(p[0], 0, 0), EINVAL);
	checkerr(ahead(dir, 0, 0), EINVAL);
}

static void
sync_range_results(void)
{
	int fd = newfile(), p[2], s[2], dir = open(".", O_RDONLY);

	must(pipe(p) == 0 && dir >= 0);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	for (int f = 0; f < 8; f++)
		checkeq(syncrange(fd, 0, 0, f), 0);
	checkeq(syncrange(fd, 5000, 1ll << 40, 7), 0);
	checkeq(syncrange(dir, 0, 0, 7), 0);
	checkerr(syncrange(fd, 0, 0, 8), EINVAL);
	checkerr(syncrange(fd, -1, 0, 0), EINVAL);
	checkerr(syncrange(fd, 10, -11, 0), EINVAL);
	checkerr(syncrange(fd, INT64_MAX, 1, 0), EINVAL);
	checkerr(syncrange(p[0], 0, 0, 0), ESPIPE);
	checkerr(syncrange(s[0], 0, 0, 0), ESPIPE);
	checkerr(syncrange(-1, 0, 0, 0), EBADF);
}

/* Whatever is said, in any order, the bytes are the same. */
static void
advice_keeps_bytes(void)
{
	static const int advice[] = {POSIX_FADV_DONTNEED, POSIX_FADV_RANDOM,
		POSIX_FADV_SEQUENTIAL, POSIX_FADV_WILLNEED, POSIX_FADV_NORMAL};
	int fd = newfile(), off, n;

	srnd(1);
	for (int i = 0; i < 300; i++) {
		off = rnd() % LEN;
		n = rnd() % (LEN - off) % (i % 3 ? 5000 : LEN) + 1;
		checkeq(advise(fd, off, n, advice[rnd() % NUM(advice)]), 0);
		if (i % 5 == 0) {
			memset(want + off, i, n);
			must(pwrite(fd, want + off, n, off) == n);
		}
		if (i % 7 == 0)
			checkeq(syncrange(fd, off, n, rnd() % 8), 0);
		off = rnd() % LEN;
		n = rnd() % (LEN - off) + 1;
		must(pread(fd, got, n, off) == n);
		must(memcmp(got, want + off, n) == 0);
	}
}

/* What lies between the old end and the new is zeroes, however the file became
 * short and long. */
static void
zeroes_behind_the_end(void)
{
	int fd = newfile(), size = LEN, cut, n;

	srnd(2);
	for (int i = 0; i < 100; i++) {
		cut = rnd() % size;
		must(ftruncate(fd, cut) == 0);
		if (i % 3 == 0)
			checkeq(advise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
		memset(want + cut, 0, LEN - cut);
		size = cut + rnd() % (LEN - cut - 100) + 100;
		n = rnd() % 99 + 1;
		memset(want + size - n, 'x', n);
		if (i % 2) {
			must(ftruncate(fd, size) == 0);
			checkeq(advise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
		}
		must(pwrite(fd, want + size - n, n, size - n) == n);
		must(pread(fd, got, LEN, 0) == size);
		must(memcmp(got, want, size) == 0);
	}
}

#define USERS   4
#define STRIPED 128 /* pages: page i is of user i % USERS */

static int striped;
static unsigned char *stripes;

/* One user's: what he has written is there, by read() and in memory, whatever
 * the others do and wherever it is just now. */
static void
useown(int me)
{
	static unsigned char mine[STRIPED / USERS][PG], buf[PG];
	int i, at, n;
	off_t off;

	srnd(me + 1);
	for (int op = 0; op < number("OPS", 1500); op++) {
		i = rnd() % (STRIPED / USERS);
		off = (off_t)(i * USERS + me) * PG;
		at = rnd() % PG;
		n = rnd() % (PG - at) + 1;
		if (rnd() % 4 == 0)
			at = 0, n = PG;
		switch (rnd() % 10) {
		case 0:
		case 1:
		case 2:
			memset(mine[i] + at, op, n);
			must(pwrite(striped, mine[i] + at, n, off + at) == n);
			break;
		case 3:
		case 4:
			memset(mine[i] + at, op, n);
			memset(stripes + off + at, op, n);
			break;
		case 5:
			must(advise(striped, 0, rnd() % 2 ? 0 : off + PG,
				POSIX_FADV_DONTNEED) == 0);
			break;
		case 6:
			must(rnd() % 2 ? fsync(striped) == 0 :
				syncrange(striped, off, PG * USERS,
					rnd() % 8) == 0);
			break;
		case 7:
			must(rnd() % 2 ? msync(stripes + off, PG, MS_SYNC) == 0
				: madvise(stripes, STRIPED * PG,
					MADV_DONTNEED) == 0);
			break;
		case 8: /* the end moves, behind all pages */
			must(ftruncate(striped,
				STRIPED * PG + rnd() % (9 * PG)) == 0);
			break;
		default:
			must(pread(striped, buf, PG, off) == PG);
			must(memcmp(buf, mine[i], PG) == 0);
		}
		must(memcmp(stripes + off, mine[i], PG) == 0);
	}
}

static void
many_use_one_file(void)
{
	int pid[USERS];

	striped = open("t_cache", O_RDWR | O_CREAT | O_TRUNC, 0600);
	must(striped >= 0 && unlink("t_cache") == 0);
	must(ftruncate(striped, STRIPED * PG) == 0);
	stripes = mmap(0, STRIPED * PG, PROT_READ | PROT_WRITE, MAP_SHARED,
		striped, 0);
	must(stripes != MAP_FAILED);
	for (int i = 0; i < USERS; i++) {
		must((pid[i] = fork()) >= 0);
		if (pid[i] == 0) {
			useown(i);
			finish();
		}
	}
	for (int i = 0; i < USERS; i++)
		reaped(pid[i]);
}

/* On a disk, and with little memory: as many pages as need 5/4 of it. */
static unsigned
largefile(int *fd)
{
	struct statfs fs;
	struct sysinfo si;
	unsigned pages;

	must(statfs(".", &fs) == 0 && sysinfo(&si) == 0);
	if (fs.f_type != 0xef53)
		skip("this is no ext2");
	pages = si.totalram / PG * si.mem_unit / 4 * 5;
	if (pages > 160 << 20 >> 12 || fs.f_bavail / (PG / fs.f_bsize) < pages)
		skip("too much memory");
	*fd = open("t_cache", O_RDWR | O_CREAT | O_TRUNC, 0600);
	must(*fd >= 0 && unlink("t_cache") == 0);
	return pages;
}

/* A file that does not fit into memory, written and read through a mapping. */
static void
mapped_larger_than_memory(void)
{
	int fd;
	unsigned pages = largefile(&fd), *at, bad = 0;

	must(ftruncate(fd, (off_t)pages * PG) == 0);
	at = mmap(0, pages * PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(at != MAP_FAILED);
	for (unsigned i = 0; i < pages; i++)
		at[i * (PG / 4) + i % (PG / 4)] = ~i;
	for (unsigned i = 0; i < pages; i++)
		bad += at[i * (PG / 4) + i % (PG / 4)] != ~i;
	checkeq(bad, 0);
	must(munmap(at, pages * PG) == 0);
	for (unsigned i = 0; i < pages; i += 50) {
		unsigned v = 0;

		must(pread(fd, &v, 4, (off_t)i * PG + i % (PG / 4) * 4) == 4);
		checkeq(v, ~i);
	}
}

/* A program that takes nearly all memory goes on while a large file is read. */
static void
memory_and_large_file(void)
{
	static char buf[1 << 16];
	int fd;
	unsigned pages = largefile(&fd), n = pages / 5 * 3, bad = 0, *at;

	at = mmap(0, n * PG, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(at != MAP_FAILED);
	for (unsigned i = 0; i < pages; i += sizeof(buf) / PG) {
		memset(buf, i, sizeof(buf));
		must(write(fd, buf, sizeof(buf)) == sizeof(buf));
		if (i < n)
			for (unsigned k = 0; k < sizeof(buf) / PG && i + k < n;
				k++)
				at[(i + k) * (PG / 4)] = i + k;
	}
	for (unsigned i = 0; i < n; i++)
		bad += at[i * (PG / 4)] != i;
	for (unsigned i = 0; i < pages; i += sizeof(buf) / PG) {
		must(pread(fd, buf, sizeof(buf), (off_t)i * PG) == sizeof(buf));
		bad += buf[i % sizeof(buf)] != (char)i;
	}
	checkeq(bad, 0);
}

/* Memory is short: files are on a disk, in a machine of 16 MiB.  Pages of files
 * are given back before anybody is killed. */

static long freepages; /* at the beginning */

static void
onlysmall(void)
{
	struct sysinfo s;

	must(sysinfo(&s) == 0);
	if (!quire || !getenv("DISK") || s.totalram > 20 << 20)
		skip("it wants a disk and 16 MiB");
	freepages = s.freeram / PG;
}

static void
touch(long pages)
{
	char *m = mmap(0, pages * PG, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(m != MAP_FAILED);
	for (long i = 0; i < pages; i++)
		m[i * PG] = 1;
	must(munmap(m, pages * PG) == 0);
}

static void
touchmost(void)
{
	touch(freepages * 3 / 4);
}

/* All of them have been used lately. */
static void
short_memory_takes_clean_pages(void)
{
	long killed = vmstat("oom_kill");
	int fd;

	onlysmall();
	fd = open("t_cache", O_RDWR | O_CREAT | O_TRUNC, 0600);
	must(fd >= 0 && unlink("t_cache") == 0);
	for (long i = 0; i < freepages * 5 / 8; i++)
		must(write(fd, want, PG) == PG);
	must(fsync(fd) == 0);
	for (int k = 0; k < 3; k++) {
		must(lseek(fd, 0, SEEK_SET) == 0);
		while (read(fd, got, PG) > 0)
			;
	}
	child(touchmost);
	checkeq(vmstat("oom_kill"), killed);
}

/* A file larger than memory, by write() or by stores. */
static void
writefile(int how)
{
	char name[20];
	char *m;
	int fd;

	sprintf(name, "t_cache%d", how);
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	must(fd >= 0 && unlink(name) == 0);
	must(ftruncate(fd, freepages * PG) == 0);
	m = mmap(0, freepages * PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(m != MAP_FAILED);
	for (long i = 0; i < freepages; i++)
		if (how % 2)
			m[i * PG] = how;
		else
			must(write(fd, want, PG) == PG);
	_exit(0);
}

static void
touchsome(void)
{
	touch(freepages / 4);
}

static void
short_memory_waits_for_the_disk(void)
{
	long killed = vmstat("oom_kill");
	int left = 4, st;

	onlysmall();
	for (int i = 0; i < left; i++)
		if (fork() == 0)
			writefile(i);
	while (left > 0) {
		child(touchsome);
		while (left > 0 && waitpid(-1, &st, WNOHANG) > 0) {
			checkeq(st, 0);
			left--;
		}
	}
	checkeq(vmstat("oom_kill"), killed);
}

const struct test t_cache[] = {
	T(advice_results),
	T(readahead_results),
	T(sync_range_results),
	T(advice_keeps_bytes),
	T(zeroes_behind_the_end),
	T(many_use_one_file),
	T(mapped_larger_than_memory),
	T(memory_and_large_file),
	T(short_memory_takes_clean_pages),
	T(short_memory_waits_for_the_disk),
	{0},
};
