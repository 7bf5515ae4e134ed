/*
 * fstest.c - a file system against another, against nonsense, against the
 * power.
 *
 *   fstest model DIR REF SEED OPS   the same random operations in both
 *                                   directories have the same results
 *   fstest walk DIR                 do everything once to all there is; any
 *                                   error will do, only an end is expected
 *   fstest many DIR N               a directory of N entries: make, find, list
 *                                   while some come and go, remove
 *   fstest full DIR                 fill it; what was acknowledged is there
 *   fstest nomem DIR                what is dirty reaches the disk, and what is
 *                                   on it is found, without any memory
 *   fstest power DIR SEED           write and fsync for ever, saying what must
 *                                   survive
 *   fstest removed DIR              say what works when the disk goes, which it
 *                                   does before a line can be read
 *   fstest unwritten DIR            say who is told that the first block of
 *                                   DIR/old cannot be written
 *   fstest edges DIR DISK EMPTY     say what a read-only disk, an empty one and
 *                                   a full one, on DIR, refuse
 *
 * The last line is "fstest: over" if all was well.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define NDIR   6    /* directories of the model, DIR itself the first */
#define NNAME  12   /* names in each */
#define MAXOFF 600000
#define NUM(a) ((int)(sizeof(a) / sizeof(a)[0]))

static unsigned state;
static char buf[2][200000];

static unsigned
rnd(unsigned n)
{
	state = state * 1664525 + 1013904223;
	return (state >> 8) % n;
}

static void __attribute__((noreturn))
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("fstest: ");
	vprintf(fmt, ap);
	printf(" (errno %d)\n", errno);
	exit(1);
}

/* model: each step does one thing twice; side 1 is the reference. */

static const char *base[2];
static int fd[2][4] = {{-1, -1, -1, -1}, {-1, -1, -1, -1}};

/* The path number i on a side. */
static const char *
path(int side, unsigned i)
{
	static char p[4][300];
	static const char *const dirs[NDIR] = {"", "/d1", "/d2", "/d1/e1",
		"/d1/e2", "/d1/e1/f"};
	static int next;
	char *s = p[next++ % 4];
	unsigned n = i % NNAME;

	snprintf(s, 300, "%s%s/%s%.*u", base[side], dirs[i / NNAME % NDIR],
		n < 6 ? "n" : "a-much-longer-name-than-that-", n < 6 ? 1 :
		(int)n * 10, n);
	if (n == 0 || n == 1) { /* the directories themselves, mostly */
		static const char *const sub[NDIR][2] = {{"d1", "d2"},
			{"e1", "e2"}, {"x", "y"}, {"f", "g"}, {"x", "y"},
			{"x", "y"}};

		snprintf(s, 300, "%s%s/%s", base[side], dirs[i / NNAME % NDIR],
			sub[i / NNAME % NDIR][n]);
	}
	return s;
}

static int
answer(int r)
{
	return r < 0 ? -errno : r;
}

static int
openone(int side, unsigned a, unsigned b, unsigned c)
{
	static const int flags[] = {O_RDWR | O_CREAT, O_RDWR,
		O_RDWR | O_CREAT | O_EXCL, O_RDWR | O_CREAT | O_TRUNC,
		O_RDWR | O_CREAT | O_APPEND, O_WRONLY | O_TRUNC, O_RDONLY};
	int *f = &fd[side][b % 4], r;

	if (*f >= 0)
		close(*f);
	*f = r = open(path(side, a), flags[c % NUM(flags)] | O_NONBLOCK,
		0600 + c % 0200);
	return r < 0 ? -errno : 0;
}

static int
writeone(int side, unsigned a, unsigned b, unsigned c)
{
	int n = c % 3 ? c % 9000 : c % sizeof(buf[0]);

	for (int i = 0; i < n; i++)
		buf[side][i] = (a + i) * 7 >> 3;
	return answer(b % 4 ? pwrite(fd[side][a % 4], buf[side], n, b % MAXOFF)
			    : write(fd[side][a % 4], buf[side], n));
}

/* The data is compared by the sum that comes back. */
static int
readone(int side, unsigned a, unsigned b, unsigned c)
{
	int n = pread(fd[side][a % 4], buf[side], c % sizeof(buf[0]),
		b % MAXOFF), sum = 0;

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++)
		sum = sum * 31 + buf[side][i];
	return (sum ^ n) & INT32_MAX;
}

static int
mapone(int side, unsigned a, unsigned b, unsigned c)
{
	int f = fd[side][a % 4], sum = 0, n;
	struct stat st;
	char *p;

	if (fstat(f, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return 0;
	n = st.st_size;
	p = mmap(0, n, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
	if (p == MAP_FAILED)
		return -errno;
	for (int i = 0; i < 20; i++) {
		int at = (b + i * c) % n;

		sum = sum * 31 + p[at];
		p[at] = i + a;
	}
	if (c % 4 == 0)
		msync(p, n, MS_SYNC);
	munmap(p, n);
	return sum & INT32_MAX;
}

static int
truncone(int side, unsigned a, unsigned b, unsigned c)
{
	return answer(c % 2 ? ftruncate(fd[side][a % 4], b % MAXOFF)
			    : truncate(path(side, a), c % 3 ? b % 20000 :
				b % MAXOFF));
}

static int
syncone(int side, unsigned a, unsigned b, unsigned c)
{
	(void)b;
	if (c % 8 == 0)
		sync();
	return answer(c % 2 ? fsync(fd[side][a % 4]) :
		fdatasync(fd[side][a % 4]));
}

static int
mkdirone(int side, unsigned a, unsigned b, unsigned c)
{
	(void)c;
	return answer(mkdir(path(side, a), 0700 + b % 0100));
}

static int
rmdirone(int side, unsigned a, unsigned b, unsigned c)
{
	(void)b;
	(void)c;
	return answer(rmdir(path(side, a)));
}

static int
unlinkone(int side, unsigned a, unsigned b, unsigned c)
{
	(void)b;
	(void)c;
	return answer(unlink(path(side, a)));
}

static int
renameone(int side, unsigned a, unsigned b, unsigned c)
{
	(void)c;
	return answer(rename(path(side, a), path(side, b)));
}

static int
linkone(int side, unsigned a, unsigned b, unsigned c)
{
	(void)c;
	return answer(link(path(side, a), path(side, b)));
}

static int
symlinkone(int side, unsigned a, unsigned b, unsigned c)
{
	char target[300];

	memset(target, 'a' + b % 26, sizeof(target));
	target[c % 8 ? 1 + c % 70 : 1 + c % 250] = 0;
	return answer(symlink(target, path(side, a)));
}

static int
readlinkone(int side, unsigned a, unsigned b, unsigned c)
{
	int n = readlink(path(side, a), buf[side], 1 + c % 300);

	(void)b;
	return n < 0 ? -errno : n * 256 + buf[side][n - 1];
}

static int
mknodone(int side, unsigned a, unsigned b, unsigned c)
{
	static const int type[] = {S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK,
		S_IFREG};

	return answer(mknod(path(side, a), type[c % 5] | 0640,
		makedev(200 + b % 50, c % 250)));
}

static int
attrone(int side, unsigned a, unsigned b, unsigned c)
{
	struct timespec ts[2] = {{1000000000 + b, c}, {b, b % 1000000000}};

	if (c % 3 == 0)
		return answer(chmod(path(side, a), b % 07777));
	if (c % 3 == 1)
		return answer(lchown(path(side, a), b % 100000, c % 100000));
	return answer(utimensat(AT_FDCWD, path(side, a), ts,
		AT_SYMLINK_NOFOLLOW));
}

static int
statone(int side, unsigned a, unsigned b, unsigned c)
{
	struct stat st;

	(void)b;
	(void)c;
	if (lstat(path(side, a), &st) < 0)
		return -errno;
	return (st.st_mode * 31 + st.st_nlink * (S_ISDIR(st.st_mode) ? 1 : 7) +
		(S_ISREG(st.st_mode) ? st.st_size : 0) + st.st_uid * 3 +
		st.st_gid * 5 + st.st_rdev) & INT32_MAX;
}

static int
closeone(int side, unsigned a, unsigned b, unsigned c)
{
	int *f = &fd[side][a % 4], r = answer(close(*f));

	(void)b;
	(void)c;
	*f = -1;
	return r;
}

static const struct step {
	const char *name;
	int often;
	int (*fn)(int side, unsigned a, unsigned b, unsigned c);
} steps[] = {
	{"open", 14, openone}, {"write", 20, writeone}, {"read", 12, readone},
	{"map", 5, mapone}, {"truncate", 6, truncone}, {"sync", 1, syncone},
	{"mkdir", 8, mkdirone}, {"rmdir", 2, rmdirone},
	{"unlink", 5, unlinkone}, {"rename", 7, renameone},
	{"link", 5, linkone}, {"symlink", 4, symlinkone},
	{"readlink", 3, readlinkone}, {"mknod", 2, mknodone},
	{"attr", 5, attrone}, {"stat", 8, statone}, {"close", 4, closeone},
};

static int tell; /* print what tree() finds */
static unsigned tree(const char *dir, int depth);

/* The bytes of a file to one number. */
static unsigned
content(const char *p, struct stat *st)
{
	int f = open(p, O_RDONLY), r;
	unsigned sum = st->st_size, page = 0, at = 0;

	if (f < 0)
		return 0;
	while ((r = read(f, buf[0], 64 << 10)) > 0)
		for (int j = 0; j < r; j++) {
			page = page * 31 + buf[0][j];
			if (++at % 4096)
				continue;
			if (tell > 1)
				printf("%s: page %u: %x\n", p, at / 4096 - 1,
					page);
			sum = sum * 31 + page;
			page = 0;
		}
	if (r < 0)
		die("cannot read %s", p);
	close(f);
	return sum * 31 + page;
}

/* Tell where two trees differ. */
static void
differ(const char *dir, const char *ref)
{
	tell = getenv("TELL") ? 2 : 1;
	tree(dir, 0);
	tree(ref, 0);
}


/* What is below a directory, names in order, to one number. */
static unsigned
tree(const char *dir, int depth)
{
	struct dirent **list;
	int n = scandir(dir, &list, 0, alphasort);
	unsigned sum = n;
	char p[1000];
	struct stat st;

	if (n < 0)
		die("cannot list %s", dir);
	for (int i = 0; i < n; i++) {
		snprintf(p, sizeof(p), "%s/%s", dir, list[i]->d_name);
		for (char *s = list[i]->d_name; *s; s++)
			sum = sum * 31 + *s;
		if (!strcmp(list[i]->d_name, ".") ||
			!strcmp(list[i]->d_name, "..") ||
			!strcmp(list[i]->d_name, "lost+found"))
			goto next;
		if (lstat(p, &st) < 0)
			die("cannot stat %s", p);
		if (list[i]->d_type != DT_UNKNOWN &&
			list[i]->d_type != (st.st_mode & S_IFMT) >> 12)
			die("%s: type %d, mode %o", p, list[i]->d_type,
				st.st_mode);
		sum = sum * 31 + st.st_mode + st.st_uid * 3 + st.st_gid * 5 +
			st.st_nlink * 7;
		if (S_ISDIR(st.st_mode) && depth < 20)
			sum = sum * 31 + tree(p, depth + 1);
		if (S_ISREG(st.st_mode))
			sum = sum * 31 + content(p, &st);
		if (tell)
			printf("%s: mode %o links %d size %lld sum %x\n", p,
				st.st_mode, (int)st.st_nlink,
				(long long)st.st_size, sum);
next:
		free(list[i]);
	}
	free(list);
	return sum;
}

static void
describe(const char *p)
{
	struct stat st;

	if (lstat(p, &st) == 0)
		printf("%s: mode %o links %d size %lld owner %d:%d dev %llx\n",
			p, st.st_mode, (int)st.st_nlink, (long long)st.st_size,
			st.st_uid, st.st_gid, (long long)st.st_rdev);
}

static void
model(const char *dir, const char *ref, unsigned seed, int ops)
{
	unsigned all = 0, k, a, b, c;
	int every = getenv("EVERY") ? atoi(getenv("EVERY")) : 2000;
	int from = getenv("FROM") ? atoi(getenv("FROM")) : ops;
	const struct step *s;
	int r[2];

	base[0] = dir;
	base[1] = ref;
	state = seed;
	for (int i = 0; i < NUM(steps); i++)
		all += steps[i].often;
	for (int n = 0; n < ops; n++) {
		k = rnd(all);
		for (s = steps; k >= (unsigned)s->often; s++)
			k -= s->often;
		a = rnd(1 << 20);
		b = rnd(1 << 20) << 2 ^ rnd(1 << 20);
		c = rnd(1 << 20);
		for (int side = 0; side < 2; side++)
			r[side] = s->fn(side, a, b, c);
		if (n >= from) /* to find out what has gone wrong */
			printf("%d: %s %u %u %u (%s, fd %u): %d\n", n, s->name,
				a, b, c, path(0, a) + strlen(dir), a % 4, r[0]);
		for (int side = 0; side < 2 && r[0] != r[1]; side++)
			describe(path(side, a));
		if (r[0] != r[1])
			die("seed %u step %d: %s %s (%u %u %u) gives %d, "
				"not %d", seed, n, s->name, path(0, a), a, b, c,
				r[0], r[1]);
		if (n % every == every - 1 && tree(dir, 0) != tree(ref, 0))
			differ(dir, ref),
				die("seed %u, step %d: other trees", seed, n);
	}
	for (int side = 0; side < 2; side++)
		for (int i = 0; i < 4; i++)
			close(fd[side][i]);
	if (tree(dir, 0) != tree(ref, 0))
		differ(dir, ref), die("seed %u: the trees differ", seed);
}

/* walk */

static int budget = 3000; /* files that are looked at */

static void
touchfile(const char *p, struct stat *st)
{
	int f = open(p, O_RDWR | O_NONBLOCK | O_NOCTTY);
	char *m;

	if (f < 0)
		f = open(p, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (f < 0 || !S_ISREG(st->st_mode)) {
		close(f);
		return;
	}
	for (int i = 0; i < 40 && read(f, buf[0], 100000) > 0; i++)
		;
	for (int i = 10; i < 42; i++)
		(void)!pread(f, buf[0], 5000, 1LL << i);
	(void)!pread(f, buf[0], 5000, st->st_size - 5000);
	lseek(f, 0, SEEK_DATA);
	m = mmap(0, 16384, PROT_READ, MAP_SHARED, f, 0);
	if (m != MAP_FAILED)
		munmap(m, 16384);
	(void)!pwrite(f, "hello", 5, st->st_size / 2);
	(void)!pwrite(f, buf[0], 5000, st->st_size);
	(void)!ftruncate(f, st->st_size / 3);
	(void)!fsync(f);
	close(f);
}

static void
walk(const char *dir, int depth)
{
	char p[2000], q[2000];
	struct dirent *e;
	struct stat st;
	DIR *d = opendir(dir);

	for (int i = 0; d && i < 2000 && (e = readdir(d)); i++) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") ||
			budget-- <= 0)
			continue;
		snprintf(p, sizeof(p), "%.900s/%s", dir, e->d_name);
		if (lstat(p, &st) < 0)
			continue;
		(void)!readlink(p, buf[0], 1000);
		touchfile(p, &st);
		if (S_ISDIR(st.st_mode) && depth < 12)
			walk(p, depth + 1);
		chmod(p, 0755);
		snprintf(q, sizeof(q), "%.900s/moved%d", dir, i);
		link(p, q);
		rename(p, q);
		if (i % 2)
			unlink(q);
		if (i % 3)
			rmdir(q);
	}
	if (d)
		closedir(d);
	for (int i = 0; i < 3; i++) {
		snprintf(p, sizeof(p), "%.900s/new%d", dir, i);
		mkdir(p, 0755);
		snprintf(p, sizeof(p), "%.900s/new%d/file", dir, i);
		close(open(p, O_CREAT | O_WRONLY, 0644));
		symlink("nowhere", p);
	}
}

/* many */

static void
countnames(const char *dir, int want)
{
	static char seen[200000];
	struct dirent *e;
	DIR *d = opendir(dir);
	int n = 0, i;

	memset(seen, 0, sizeof(seen));
	while ((e = readdir(d))) {
		if (sscanf(e->d_name, "entry-%d", &i) != 1)
			continue;
		if (seen[i]++)
			die("%s: %s comes twice", dir, e->d_name);
		n++;
	}
	closedir(d);
	if (n != want)
		die("%s: %d entries, not %d", dir, n, want);
}

static void
many(const char *dir, int n)
{
	struct dirent *e;
	struct stat st;
	int there = 0, i;
	char p[500];
	DIR *d;

	mkdir(dir, 0755);
	for (i = 0; i < n; i++) {
		snprintf(p, sizeof(p), "%s/entry-%d", dir, i);
		if (mknod(p, S_IFREG | 0644, 0) < 0)
			die("cannot make %s", p);
	}
	countnames(dir, n);
	d = opendir(dir); /* what stays while others go is seen once */
	while ((e = readdir(d))) {
		if (sscanf(e->d_name, "entry-%d", &i) != 1)
			continue;
		if (i % 3 == 0)
			there++;
		else if (snprintf(p, sizeof(p), "%s/%s", dir, e->d_name),
			unlink(p) < 0)
			die("cannot unlink %s", p);
	}
	closedir(d);
	if (there != (n + 2) / 3)
		die("saw %d that stay, not %d", there, (n + 2) / 3);
	countnames(dir, there);
	for (i = 0; i < n; i++) {
		snprintf(p, sizeof(p), "%s/entry-%d", dir, i);
		if ((stat(p, &st) == 0) != (i % 3 == 0))
			die("%s is there, or not", p);
		if (i % 3 == 0 && unlink(p) < 0)
			die("cannot unlink %s", p);
	}
	countnames(dir, 0);
	if (rmdir(dir) < 0)
		die("cannot remove %s", dir);
}

/* full */

static void
dropcaches(void)
{
	int f = open("/proc/sys/vm/drop_caches", O_WRONLY);

	(void)!write(f, "3", 1);
	close(f);
}

static void
full(const char *dir)
{
	static char data[65536];
	long long total = 0, back = 0;
	struct statfs before, after;
	char p[500];
	int f, n, i;

	sync(); /* what was unlinked a moment ago is free then */
	statfs(dir, &before);
	for (i = 0;; i++) {
		snprintf(p, sizeof(p), "%s/fill%d", dir, i);
		if ((f = open(p, O_CREAT | O_RDWR | O_EXCL, 0644)) < 0)
			break;
		do {
			memset(data, i + 1, sizeof(data));
			n = write(f, data, 1000 + total % 60000);
			total += n > 0 ? n : 0;
		} while (n > 0 && lseek(f, 0, SEEK_CUR) < 5000000);
		if (n < 0 && errno != ENOSPC)
			die("write");
		if (fsync(f) < 0)
			die("fsync of what was acknowledged");
		close(f);
		if (n <= 0)
			break;
	}
	sync();
	dropcaches();
	statfs(dir, &after);
	if (after.f_bfree > 40)
		die("%ld blocks free of a full disk", (long)after.f_bfree);
	for (; i >= 0; i--) {
		snprintf(p, sizeof(p), "%s/fill%d", dir, i);
		if ((f = open(p, O_RDONLY)) < 0)
			continue;
		while ((n = read(f, data, sizeof(data))) > 0) {
			for (int j = 0; j < n; j++)
				if (data[j] != (char)(i + 1))
					die("%s has other bytes", p);
			back += n;
		}
		if (n < 0)
			die("read");
		close(f);
		unlink(p);
	}
	if (back != total)
		die("wrote %lld, read %lld", total, back);
	sync();
	statfs(dir, &after);
	if (after.f_bfree + 30 < before.f_bfree ||
		after.f_ffree != before.f_ffree)
		die("%ld blocks, %ld inodes free; %ld, %ld before",
			(long)after.f_bfree, (long)after.f_ffree,
			(long)before.f_bfree, (long)before.f_ffree);
}

/* nomem */

#define FAR (1 << 20) /* each page has an indirect block of its own */

/* All of the kernel's memory in pipes, which stay open: how many
 * descriptors. */
static int
hog(int *pipes, int n)
{
	int i, failed = 0;

	for (i = 0; i + 1 < n && failed < 8; i += 2) {
		if (pipe2(pipes + i, O_NONBLOCK) < 0)
			break;
		while (write(pipes[i + 1], buf[0], 4096) > 0)
			;
		failed = errno == ENOMEM ? failed + 1 : 0;
	}
	return i;
}

/* The pages of the file at p are stored to and not written, what the kernel
 * knows of the disk is forgotten, then there is no memory. */
static void
nomem(const char *dir)
{
	enum { NPAGE = 48, NFILE = 1000 };
	static int pipes[1000];
	static char p[NFILE][100];
	int f, i, n, found = 0;
	struct stat st;
	char *m;

	for (i = 0; i < NFILE; i++) {
		snprintf(p[i], sizeof(p[i]), "%s/entry-%d", dir, i);
		if (mknod(p[i], S_IFREG | 0644, 0) < 0)
			die("cannot make %s", p[i]);
	}
	memset(buf, 1, sizeof(buf)); /* ours, while there are pages */
	f = open(p[0], O_RDWR);
	for (i = 0; i < NPAGE; i++)
		if (pwrite(f, buf[0], 4096, i * FAR) != 4096)
			die("write");
	sync();
	m = mmap(0, NPAGE * FAR, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
	for (i = 0; i < NPAGE; i++)
		memset(m + i * FAR, i + 2, 4096);
	dropcaches();
	n = hog(pipes, NUM(pipes));
	if (fsync(f) < 0)
		die("fsync without memory");
	for (i = 0; i < NFILE; i++)
		if (stat(p[i], &st) == 0)
			found++;
		else if (errno != ENOMEM)
			die("stat without memory");
	while (n > 0)
		close(pipes[--n]);
	munmap(m, NPAGE * FAR);
	dropcaches();
	for (i = 0; i < NPAGE; i++) {
		memset(buf[1], i + 2, 4096);
		if (pread(f, buf[0], 4096, i * FAR) != 4096 ||
			memcmp(buf[0], buf[1], 4096))
			die("page %d has other bytes", i);
	}
	for (i = 0; i < NFILE; i++)
		if (stat(p[i], &st) < 0)
			die("%s is gone", p[i]);
	printf("found %d without memory\n", found);
}

/* power: each file is written whole, and what was synced last must be there:
 * its number, and how long it is. */
static void
power(const char *dir, unsigned seed)
{
	char p[500];
	int f, n, len, junk;

	state = seed;
	for (n = 1;; n++) {
		snprintf(p, sizeof(p), "%s/%s%d", dir, n % 5 ? "" : "sub/",
			n % 400);
		if (n % 5 == 0 && n < 2000)
			snprintf(buf[0], 500, "%s/sub", dir),
				mkdir(buf[0], 0755);
		len = 16 * (1 + rnd(rnd(8) ? 300 : 8000));
		for (int i = 0; i < len / 16; i++)
			snprintf(buf[0] + i * 16, 17, "%08x%08x", n, i);
		printf("begin %s\n", p + strlen(dir) + 1);
		fflush(stdout);
		unlink(p);
		f = open(p, O_CREAT | O_RDWR | O_TRUNC, 0644);
		if (f < 0 || write(f, buf[0], len) != len)
			die("cannot write %s", p);
		if (rnd(2)) { /* something that need not survive */
			snprintf(buf[1], 500, "%s/junk%d", dir, rnd(60));
			junk = open(buf[1], O_CREAT | O_RDWR, 0644);
			(void)!pwrite(junk, buf[0], len, rnd(500000));
			(void)!ftruncate(junk, rnd(600000));
			close(junk);
			if (rnd(3) == 0)
				unlink(buf[1]);
		}
		if ((rnd(2) ? fsync(f) : fdatasync(f)) < 0)
			die("cannot sync %s", p);
		printf("synced %s %d %d\n", p + strlen(dir) + 1, n, len);
		fflush(stdout);
		close(f);
	}
}

/* removed: files old (read before), cold and cold2 (not), dir (neither). */

static sigjmp_buf nopage;

static void
onsigbus(int sig)
{
	(void)sig;
	siglongjmp(nopage, 1);
}

static int
touchpage(volatile char *p)
{
	return sigsetjmp(nopage, 1) ? -EIO : *p & 0;
}

/* What a call gave; its error, if it did. */
static void
says(const char *what, long r)
{
	printf("says: %s: %s\n", what, r < 0 ? strerror(errno) : "ok");
}

/* All of a file: how much could be read; -1 if a byte was not `x`. */
static long
readsx(int f)
{
	long n = 0;
	int r;

	while ((r = pread(f, buf[0], 65536, n)) > 0) {
		for (int i = 0; i < r; i++)
			if (buf[0][i] != 'x')
				return -1;
		n += r;
	}
	return r < 0 ? r : n;
}

static char *
maps(int f, int prot)
{
	char *m = mmap(0, 65536, prot, MAP_SHARED, f, 0);

	if (m == MAP_FAILED)
		die("mmap");
	return m;
}

static void
afterwards(int old, int cold, int new, char *in, char *out, char *share)
{
	struct stat st;
	DIR *d;
	int f;

	says("read what was read", readsx(old));
	says("touch what was read", (errno = EIO, touchpage(in)));
	says("read what was not", readsx(cold));
	says("touch what was not", (errno = EIO, touchpage(out)));
	says("stat", stat("old", &st));
	says("look in a directory", stat("dir/name", &st));
	d = opendir("dir");
	says("list it", d ? (errno = 0, readdir(d) || !errno ? 0 : -1) : -1);
	says("overwrite", pwrite(new, "yy", 2, 0));
	says("append", pwrite(new, buf[0], 10000, 20000));
	says("fsync", fsync(new));
	says("fsync again", fsync(new));
	says("read it", pread(new, buf[0], 10, 0));
	share[4097] = 'z';
	says("msync", msync(share, 65536, MS_SYNC));
	says("msync again", msync(share, 65536, MS_SYNC));
	says("create", f = open("made", O_CREAT | O_RDWR, 0644));
	says("write that", write(f, buf[0], 5000));
	says("fsync that", fsync(f));
	says("fsync that again", fsync(f));
	says("unlink", unlink("old"));
	says("mkdir", mkdir("d", 0755));
	says("truncate", ftruncate(new, 3));
	sync();
}

static void
removed(const char *dir)
{
	int old, cold, new;
	char *in, *out, *share;

	if (chdir(dir) < 0 || (old = open("old", O_RDWR)) < 0 ||
		(cold = open("cold", O_RDWR)) < 0 ||
		(new = open("new", O_RDWR | O_CREAT, 0644)) < 0)
		die("files");
	memset(buf[0], 'x', sizeof(buf[0]));
	if (readsx(old) != 300000)
		die("read");
	memset(buf[0], 'x', sizeof(buf[0]));
	if (write(new, buf[0], 10000) != 10000 || fsync(new) < 0)
		die("write");
	in = maps(old, PROT_READ);
	out = maps(open("cold2", O_RDONLY), PROT_READ);
	share = maps(old, PROT_READ | PROT_WRITE);
	signal(SIGBUS, onsigbus);
	printf("fstest: ready\n");
	fflush(stdout);
	(void)!read(0, buf[1], 1);
	afterwards(old, cold, new, in, out, share);
}

/* unwritten */

static void
unwritten(const char *dir)
{
	int a, b, c, s;
	char *m;

	if (chdir(dir) < 0 || (a = open("old", O_RDWR)) < 0 ||
		(b = open("old", O_RDONLY)) < 0 ||
		(s = open("old", O_RDWR | O_SYNC)) < 0)
		die("old");
	says("fsync", fsync(a));
	says("write", pwrite(a, "y", 1, 0));
	says("fsync", fsync(a));
	says("fsync again", fsync(a));
	says("another's fsync", fsync(b));
	says("and again", fdatasync(b));
	c = open("old", O_RDWR);
	says("a new one's", fsync(c));
	says("read", pread(c, buf[0], 1, 0));
	m = maps(a, PROT_READ | PROT_WRITE);
	m[1] = 'y';
	says("msync", msync(m, 4096, MS_SYNC));
	says("again", msync(m, 4096, MS_SYNC));
	says("new fsync", fsync(c));
	m[1] = 'z';
	says("start", msync(m, 4096, MS_ASYNC));
	says("range", sync_file_range(a, 0, 4096,
		SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
	says("fsync then", fsync(a));
	says("write through", pwrite(s, "x", 1, 2));
	says("elsewhere", pwrite(s, "x", 1, 8192));
	says("fsync", fsync(c));
	says("fsync", fsync(c));
	says("write", pwrite(a, "y", 1, 0));
	sync();
	says("fsync after sync", fsync(a));
	says("fsync again", fsync(a));
	says("write", pwrite(a, "y", 1, 0));
	says("syncfs", syncfs(a));
	says("syncfs again", syncfs(a));
	says("write", pwrite(a, "y", 1, 0));
	sync();
	says("syncfs after sync", syncfs(a));
	says("and again", syncfs(a));
	says("close", close(a));
}

/* edges */

static void
readonly(const char *disk, const char *empty)
{
	int f;

	says("mount nothing", mount(empty, "m", "ext2", 0, 0));
	says("read-only", mount(empty, "m", "ext2", MS_RDONLY, 0));
	says("mount a read-only disk", mount(disk, "m", "ext2", 0, 0));
	says("read-only", mount(disk, "m", "ext2", MS_RDONLY, 0));
	f = open("m/old", O_RDONLY);
	says("read", read(f, buf[0], 100) == 100 && *buf[0] == 'x' ? 0 : -1);
	says("open to write", open("m/old", O_RDWR));
	says("open or create", close(open("m/old", O_RDONLY | O_CREAT, 0644)));
	says("create", open("m/new", O_RDONLY | O_CREAT, 0644));
	says("map", mmap(0, 4096, PROT_WRITE, MAP_SHARED, f, 0) == MAP_FAILED ?
		-1 : 0);
	says("access", access("m/old", W_OK));
	says("truncate", truncate("m/old", 0));
	says("unlink", unlink("m/old"));
	says("unlink nothing", unlink("m/new"));
	says("mkdir", mkdir("m/new", 0755));
	says("rmdir", rmdir("m/dir"));
	says("rename", rename("m/old", "m/new"));
	says("link", link("m/old", "m/new"));
	says("symlink", symlink("x", "m/new"));
	says("mknod", mknod("m/new", S_IFIFO | 0644, 0));
	says("chmod", chmod("m/old", 0600));
	says("chown", chown("m/old", 1, 1));
	says("touch", utimensat(AT_FDCWD, "m/old", 0, 0));
	says("fsync", fsync(f));
	close(f);
	says("remount", mount(disk, "m", "ext2", MS_REMOUNT, 0));
	says("unmount", umount("m"));
}

/* Makes files as long as it can: the number of the last. */
static int
noinodes(void)
{
	char p[20];
	int n = 0, f;

	for (;; n++) {
		snprintf(p, sizeof(p), "f%d", n);
		if ((f = open(p, O_CREAT | O_EXCL | O_WRONLY, 0644)) < 0)
			break;
		if (write(f, p, sizeof(p)) != sizeof(p) || close(f) < 0)
			die("%s", p);
	}
	says("one more file", -1);
	says("mkdir", mkdir("d", 0755));
	says("symlink", symlink("x", "s"));
	says("mknod", mknod("p", S_IFIFO | 0644, 0));
	says("link", link("f0", "l"));
	says("rename", rename("f0", "l2"));
	says("unlink", unlink("l"));
	says("unlink", unlink("l2"));
	says("create", close(open("f0", O_CREAT | O_EXCL | O_WRONLY, 0644)));
	says("unlink", unlink("f0"));
	unlink("f2");
	return n - 1;
}

/* Block by block: no write is refused, or cut, before the disk is full. */
static void
noblocks(void)
{
	int f = open("hole", O_RDWR | O_CREAT, 0644), g, n = 0;
	char *m;

	if (f < 0 || ftruncate(f, 65536) < 0 || fsync(f) < 0)
		die("hole");
	m = maps(f, PROT_READ | PROT_WRITE);
	g = open("f1", O_RDWR);
	memset(buf[0], 'x', sizeof(buf[0]));
	while (pwrite(g, buf[0], 1024, 1024LL * n) == 1024)
		n++;
	says("write", -1);
	says("fsync", fsync(g));
	says("overwrite", pwrite(g, buf[0], 1024 * 100, 0) - 1024 * 100);
	says("write in a hole", pwrite(f, "x", 1, 30000));
	says("read there", pread(f, buf[1], 10000, 30000) == 10000 &&
		!*buf[1] ? 0 : -1);
	says("store there", (errno = EFAULT, sigsetjmp(nopage, 1) ? -1 :
		(m[40000] = 'x', 0)));
	says("mkdir", mkdir("d", 0755));
	says("short link", symlink("x", "s"));
	says("unlink", unlink("s"));
	memset(buf[0], 'y', 100);
	buf[0][100] = 0;
	says("long link", symlink(buf[0], "s"));
	says("make it longer", ftruncate(g, 1 << 30));
	says("shorter", ftruncate(g, 1024LL * (n - 30)));
	says("write in a hole", pwrite(f, "x", 1, 30000));
	says("fsync", fsync(f));
	dropcaches();
	if (pread(g, buf[0], 1, 1024LL * (n - 30) - 1) != 1 || *buf[0] != 'x')
		die("what was written");
	close(g);
	close(f);
}

static void
toolarge(void)
{
	int f = open("f1", O_RDWR);

	says("write at 4 EiB", pwrite(f, "x", 1, 1LL << 62));
	says("seek there", lseek(f, 1LL << 62, SEEK_SET) < 0 ? -1 : 0);
	says("cut there", ftruncate(f, 1LL << 62));
	says("write up to 4 GiB", pwrite(f, "xy", 2, (1LL << 32) - 2) - 2);
	says("over it", pwrite(f, "abcd", 4, (1LL << 32) - 2) - 4);
	says("read over it", pread(f, buf[0], 100, (1LL << 32) - 1) - 3);
	close(f);
}

static void
edges(const char *dir, const char *disk, const char *empty)
{
	char p[20];
	int n;

	if (chdir(dir) < 0 || mkdir("m", 0755) < 0)
		die("%s", dir);
	signal(SIGBUS, onsigbus);
	readonly(disk, empty);
	n = noinodes();
	noblocks();
	toolarge();
	for (; n > 0; n--) {
		snprintf(p, sizeof(p), "f%d", n);
		if (unlink(p) < 0 && n != 2)
			die("%s", p);
	}
	if (unlink("hole") < 0 || rmdir("m") < 0)
		die("the rest");
}

int
main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[1] : "";

	umask(0);
	if (!strcmp(how, "model") && argc == 6)
		model(argv[2], argv[3], atoi(argv[4]), atoi(argv[5]));
	else if (!strcmp(how, "walk"))
		walk(argv[2], 0);
	else if (!strcmp(how, "many") && argc == 4)
		many(argv[2], atoi(argv[3]));
	else if (!strcmp(how, "full"))
		full(argv[2]);
	else if (!strcmp(how, "nomem"))
		nomem(argv[2]);
	else if (!strcmp(how, "power") && argc == 4)
		power(argv[2], atoi(argv[3]));
	else if (!strcmp(how, "removed"))
		removed(argv[2]);
	else if (!strcmp(how, "unwritten"))
		unwritten(argv[2]);
	else if (!strcmp(how, "edges") && argc == 5)
		edges(argv[2], argv[3], argv[4]);
	else
		die("usage: model, walk, many, full, nomem, power, removed, "
			"unwritten or edges DIR ...");
	printf("fstest: over\n");
	return 0;
}
