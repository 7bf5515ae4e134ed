/*
 * t_racefile.c - one file in the hands of two: its position, its end, its pages
 * and its name.
 */
#include "race.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define NAME   "t_racefile"
#define RECORD 60 /* words a writer appends at once */

static int file;

static void
newfile(int flags)
{
	begin();
	unlink(NAME);
	file = open(NAME, O_RDWR | O_CREAT | O_EXCL | flags, 0600);
	must(file >= 0);
}

/* Two threads read through one descriptor: each word comes once. */
static unsigned char *times;

static void *
readswords(void *seed)
{
	unsigned v;

	state += (uintptr_t)seed;
	while (read(file, &v, sizeof v) == sizeof v) {
		must(v < (unsigned)rounds);
		__sync_fetch_and_add(&times[v], 1);
		jitter();
	}
	return 0;
}

static void
position_shared_by_threads(void)
{
	pthread_t t[2];
	unsigned i;

	newfile(0);
	times = calloc(1, rounds);
	for (i = 0; i < (unsigned)rounds; i++)
		must(write(file, &i, sizeof i) == sizeof i);
	must(lseek(file, 0, SEEK_SET) == 0);
	for (i = 0; i < 2; i++)
		t[i] = thread(readswords, (void *)(i + 1));
	for (i = 0; i < 2; i++)
		join(t[i]);
	for (i = 0; i < (unsigned)rounds; i++)
		must(times[i] == 1);
}

/* Each process has the file open for appending: no record goes, and none is
 * inside another. */
static void
appends(unsigned who, struct meeting *m)
{
	int fd = open(NAME, O_WRONLY | O_APPEND), i, k;
	unsigned rec[RECORD];

	must(fd >= 0);
	state += who;
	meet(m);
	for (i = 0; i < rounds; i++) {
		for (k = 0; k < RECORD; k++)
			rec[k] = who << 24 | i;
		must(write(fd, rec, sizeof rec) == sizeof rec);
		jitter();
	}
}

static void
appends_of_two_processes(void)
{
	struct meeting *m;
	unsigned rec[RECORD], next[3] = {0, 0, 0}, who;
	int pid, i, k;

	newfile(0);
	m = (void *)sharedpages(1);
	pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		appends(2, m);
		finish();
	}
	appends(1, m);
	reaped(pid);
	for (i = 0; i < 2 * rounds; i++) {
		must(read(file, rec, sizeof rec) == sizeof rec);
		who = rec[0] >> 24;
		must(who == 1 || who == 2);
		must(rec[0] == (who << 24 | next[who]++));
		for (k = 1; k < RECORD; k++)
			must(rec[k] == rec[0]);
	}
	must(read(file, rec, 1) == 0);
}

/* Who reads what another appends sees no byte before it is there. */
static void *
readsbehind(void *arg)
{
	unsigned char b[PG];
	int n, k, at = 0, idle = 0;

	(void)arg;
	while (at < rounds * 100) {
		n = pread(file, b, sizeof b, at);
		must(n >= 0);
		for (k = 0; k < n; k++)
			must(b[k] == 0xa5);
		if (n == 0)
			rest(&idle);
		at += n;
	}
	return 0;
}

static void
append_against_read(void)
{
	unsigned char b[100];
	pthread_t t;
	int i;

	newfile(O_APPEND);
	memset(b, 0xa5, sizeof b);
	t = thread(readsbehind, 0);
	for (i = 0; i < rounds; i++)
		must(write(file, b, sizeof b) == sizeof b);
	join(t);
}

/* Both make the file longer: neither takes away what the other has written. */
static void
emptyfile(int i)
{
	(void)i;
	must(ftruncate(file, 0) == 0);
}

static void
writespage(int page, unsigned v)
{
	unsigned b[16];
	int k;

	for (k = 0; k < NUM(b); k++)
		b[k] = v;
	must(pwrite(file, b, sizeof b, page * PG) == sizeof b);
}

static void
haspage(int page, unsigned v)
{
	unsigned b[16];
	int k;

	must(pread(file, b, sizeof b, page * PG) == sizeof b);
	for (k = 0; k < NUM(b); k++)
		must(b[k] == v);
}

static void
writesfirst(int i)
{
	writespage(0, i + 1);
}

static void
writessecond(int i)
{
	writespage(1, i + 2);
}

static void
hasboth(int i)
{
	haspage(0, i + 1);
	haspage(1, i + 2);
}

static void
write_against_write(void)
{
	newfile(0);
	race(&(struct race){emptyfile, writesfirst, writessecond, hasboth});
}

/* A write of which nothing comes takes nothing away. */
static void
writesnothing(int i)
{
	(void)i;
	must(pwrite(file, (void *)p, 100, 0) < 0 && errno == EFAULT);
}

static void
hassecond(int i)
{
	haspage(1, i + 2);
}

static void
writesfirsttoo(int i)
{
	writespage(0, i + 2);
}

static void
hasfirst(int i)
{
	haspage(0, i + 2);
}

static void
write_against_failing_write(void)
{
	newfile(0);
	p = place(1);
	race(&(struct race){emptyfile, writesnothing, writesfirsttoo,
		hasfirst});
}

/* fallocate makes a file longer, never shorter. */
static void
allocates(int i)
{
	(void)i;
	must(posix_fallocate(file, 0, 100) == 0);
}

static void
write_against_fallocate(void)
{
	newfile(0);
	race(&(struct race){emptyfile, allocates, writessecond, hassecond});
}

/* What a cut takes goes at once: what is written behind it stays. */
static void
cuts(int i)
{
	(void)i;
	must(ftruncate(file, 10) == 0);
}

static void
longfile(int i)
{
	int k;

	emptyfile(i);
	for (k = 0; k < 40; k++)
		writespage(k, i);
}

/* All of the file, or what was written after it had been cut. */
static void
writeslater(int i)
{
	struct stat st;
	int n = 0;

	do {
		must(fstat(file, &st) == 0);
		rest(&n);
	} while (st.st_size != 10);
	writespage(1, i + 2);
}

static void
truncate_against_write(void)
{
	newfile(0);
	race(&(struct race){longfile, cuts, writeslater, hassecond});
}

/* Threads that open, duplicate and close: the table grows under them, and each
 * finds its own file where it was put. */
static void *
opensandcloses(void *arg)
{
	int fd[40], i, k, who = (uintptr_t)arg;
	unsigned v;

	state += who;
	for (i = 0; i < rounds / 100; i++) {
		for (k = 0; k < NUM(fd); k++) {
			fd[k] = k % 2 ? open(NAME, O_RDONLY) :
				fcntl(file, F_DUPFD, (int)(dice() % 300));
			must(fd[k] >= 0);
		}
		for (k = 0; k < NUM(fd); k++) {
			must(pread(fd[k], &v, sizeof v, 0) == sizeof v);
			must(v == 1);
			must(dup2(file, fd[k]) == fd[k]);
		}
		for (k = 0; k < NUM(fd); k++)
			must(close(fd[k]) == 0);
	}
	return 0;
}

static void *
forks(void *arg)
{
	int i, pid;

	(void)arg;
	for (i = 0; i < rounds / 100; i++) {
		pid = fork();
		must(pid >= 0);
		if (pid == 0)
			_exit(0);
		must(waitpid(pid, 0, 0) == pid);
	}
	return 0;
}

static void
descriptors_of_threads(void)
{
	pthread_t t[4];
	int i;

	newfile(0);
	writespage(0, 1);
	for (i = 0; i < 3; i++)
		t[i] = thread(opensandcloses, (void *)(i + 1));
	t[3] = thread(forks, 0);
	for (i = 0; i < NUM(t); i++)
		join(t[i]);
	i = open(NAME, O_RDONLY); /* none was left open */
	checkeq(i, file + 1);
}

/* Names come and go: who opens finds one of them, whole, or none. */
static void
hasname(int i)
{
	int fd = open(NAME, O_WRONLY | O_CREAT, 0600);

	must(fd >= 0);
	file = fd;
	writespage(0, i + 1);
	must(close(fd) == 0);
}

static void
renames(int i)
{
	must(rename(NAME, NAME ".new") == 0);
	over = i;
	must(rename(NAME ".new", NAME) == 0 || errno == ENOENT);
	unlink(NAME);
}

static void
opensname(int i)
{
	unsigned v;
	int fd = open(NAME, O_RDONLY);

	must(fd >= 0 || errno == ENOENT);
	must(unlink(NAME ".new") == 0 || errno == ENOENT);
	if (fd < 0)
		return;
	must(pread(fd, &v, sizeof v, 0) == sizeof v && v == (unsigned)i + 1);
	must(close(fd) == 0);
}

static void
rename_against_open_and_unlink(void)
{
	begin();
	unlink(NAME);
	race(&(struct race){hasname, renames, opensname, nothing});
}

/* A directory that is removed has got no file meanwhile. */
static int made, removed;

static void
hasdir(int i)
{
	(void)i;
	must(mkdir(NAME ".d", 0700) == 0);
}

static void
removesdir(int i)
{
	(void)i;
	removed = rmdir(NAME ".d") == 0;
	must(removed || errno == ENOTEMPTY);
}

static void
makesfile(int i)
{
	int fd = open(NAME ".d/f", O_WRONLY | O_CREAT, 0600);

	(void)i;
	made = fd >= 0;
	must(made || errno == ENOENT);
	if (made)
		close(fd);
}

static void
oneofboth(int i)
{
	(void)i;
	must(made != removed);
	if (made)
		must(unlink(NAME ".d/f") == 0 && rmdir(NAME ".d") == 0);
}

static void
rmdir_against_create(void)
{
	begin();
	unlink(NAME ".d/f");
	rmdir(NAME ".d");
	race(&(struct race){hasdir, removesdir, makesfile, oneofboth});
}

/* Nothing is renamed over a directory with something mounted on it. */
static int mounted;

static void
hasdirs(int i)
{
	hasdir(i);
	must(mkdir(NAME ".e", 0700) == 0);
}

static void
renamesdir(int i)
{
	(void)i;
	removed = rename(NAME ".e", NAME ".d") == 0;
	must(removed || errno == EBUSY);
}

static void
mountsthere(int i)
{
	(void)i;
	mounted = mount("t", NAME ".d", "tmpfs", 0, 0) == 0;
	must(mounted || errno == ENOENT);
}

static void
unmounts(int i)
{
	(void)i;
	if (mounted)
		must(umount(NAME ".d") == 0);
	if (!removed)
		must(rmdir(NAME ".e") == 0);
	must(rmdir(NAME ".d") == 0);
}

static void
rename_against_mount(void)
{
	if (!quire)
		skip("mounts");
	begin();
	race(&(struct race){hasdirs, renamesdir, mountsthere, unmounts});
}

/* Who reads the list of mounts does not use any of them. */
static void
hasmount(int i)
{
	if (i == 0)
		hasdir(i);
	must(mount("t", NAME ".d", "tmpfs", 0, 0) == 0);
}

static void
unmountsit(int i)
{
	(void)i;
	must(umount(NAME ".d") == 0);
}

static void
readsmounts(int i)
{
	char b[2000];

	(void)i;
	must(pread(file, b, sizeof b, 0) > 0);
}

static void
umount_against_proc_mounts(void)
{
	if (!quire)
		skip("mounts");
	begin();
	file = open("/proc/mounts", O_RDONLY);
	must(file >= 0);
	race(&(struct race){hasmount, unmountsit, readsmounts, nothing});
	must(rmdir(NAME ".d") == 0);
}

/* A file system goes from under those who use it, or stays if it cannot;
 * nothing of it is left then.  SPARE=/dev/NAME: it is the ext2 there. */
static int umounted;

static void
hasfs(int i)
{
	const char *disk = getenv("SPARE");

	if (i == 0)
		hasdir(i);
	must(mount(disk ? disk : "t", NAME ".d", disk ? "ext2" : "tmpfs", 0,
		0) == 0);
}

static void
umountsfs(int i)
{
	umounted = umount2(NAME ".d", i % 3 ? 0 : MNT_DETACH) == 0;
	must(umounted || (i % 3 && errno == EBUSY));
}

static void
usesfs(int i)
{
	struct stat st;
	char c, *m;
	int fd = open(NAME ".d/f", O_RDWR | O_CREAT, 0600);

	must(fd >= 0);
	must(pwrite(fd, "abc", 3, 8 + i % 5000) == 3);
	m = i % 2 ? mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) :
		MAP_FAILED;
	if (m != MAP_FAILED)
		m[7] = 'x';
	if (i % 4 == 0)
		must(fsync(fd) == 0);
	if (i % 3 == 0)
		must(unlink(NAME ".d/f") == 0 || errno == ENOENT);
	must(pread(fd, &c, 1, 8 + i % 5000) == 1 && c == 'a');
	must(fstat(fd, &st) == 0);
	must(close(fd) == 0);
	if (m != MAP_FAILED) {
		must(m[7] == 'x');
		must(munmap(m, 4096) == 0);
	}
	must(stat(NAME ".d/f", &st) == 0 || errno == ENOENT);
	(void)mkdir(NAME ".d/d", 0700);
	(void)rename(NAME ".d/d", NAME ".d/e");
	(void)rmdir(NAME ".d/e");
}

static void
umountsnow(int i)
{
	(void)i;
	if (!umounted)
		must(umount(NAME ".d") == 0);
	(void)unlink(NAME ".d/f"); /* made below it */
	(void)rmdir(NAME ".d/d");
}

static void
umount_against_users(void)
{
	if (!quire)
		skip("mounts");
	begin();
	race(&(struct race){hasfs, umountsfs, usesfs, umountsnow});
	must(rmdir(NAME ".d") == 0);
}

const struct test t_racefile[] = {
	T(position_shared_by_threads),
	T(appends_of_two_processes),
	T(append_against_read),
	T(write_against_write),
	T(write_against_failing_write),
	T(write_against_fallocate),
	T(truncate_against_write),
	T(descriptors_of_threads),
	T(rename_against_open_and_unlink),
	T(rmdir_against_create),
	T(rename_against_mount),
	T(umount_against_proc_mounts),
	T(umount_against_users),
	{0},
};
