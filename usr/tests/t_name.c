/* t_name.c - names and sizes at their limits, and whose they are. */
#include "t.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/falloc.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define AT          "t_name_dir"
#define EXCHANGE    2
#define GIB         (1024 * 1024 * 1024LL)
#define LARGE       0100000 /* O_LARGEFILE, which the C library may hide */

static void
enter(void)
{
	must(mkdir(AT, 0755) == 0 || errno == EEXIST);
	must(chmod(AT, 0755) == 0);
	must(chdir(AT) == 0);
}

static void
leave(void)
{
	must(chdir("..") == 0);
	checkeq(rmdir(AT), 0);
}

/* A file with its name for contents. */
static void
make(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);

	must(fd >= 0);
	must(write(fd, path, 1) == 1);
	close(fd);
}

static int
contents(const char *path)
{
	char c = 0;
	int fd = open(path, O_RDONLY);

	if (fd < 0 || read(fd, &c, 1) != 1)
		c = 0;
	close(fd);
	return c;
}

static int
renameflags(const char *from, const char *to, int flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void
asuser(int uid)
{
	if (geteuid() != 0)
		skip("other users");
	must(setgroups(0, 0) == 0);
	must(setegid(uid) == 0 && seteuid(uid) == 0);
}

static void
asroot(void)
{
	must(seteuid(0) == 0 && setegid(0) == 0);
}

static void
rename_exchange_swaps(void)
{
	struct stat st;

	enter();
	make("a");
	make("b");
	if (renameflags("a", "b", EXCHANGE) < 0 && errno == EINVAL) {
		unlink("a"), unlink("b");
		leave();
		skip("the file system exchanges no names");
	}
	checkeq(contents("a"), 'b');
	checkeq(contents("b"), 'a');
	must(mkdir("d", 0755) == 0);
	make("d/x");
	must(mkdir("e", 0755) == 0);
	checkeq(renameflags("d/x", "e", EXCHANGE), 0);
	must(stat("d/x", &st) == 0);
	check(S_ISDIR(st.st_mode));
	checkeq(contents("e"), 'd');
	must(stat("d", &st) == 0);
	checkerr(renameflags("a", "none", EXCHANGE), ENOENT);
	checkerr(renameflags("none", "a", EXCHANGE), ENOENT);
	checkerr(renameflags("a", "b", EXCHANGE | 1), EINVAL);
	checkerr(renameflags("a", "b", 8), EINVAL);
	checkerr(renameflags("d", "d/x", EXCHANGE), EINVAL);
	checkerr(renameflags("d/x", "d", EXCHANGE), EINVAL);
	checkeq(renameflags("a", "a", EXCHANGE), 0);
	checkeq(rmdir("d/x"), 0);
	checkeq(rmdir("d"), 0);
	unlink("a"), unlink("b"), unlink("e");
	leave();
}

static void
rename_over_each_kind(void)
{
	enter();
	make("a");
	make("b");
	must(mkdir("d", 0755) == 0 && mkdir("e", 0755) == 0);
	checkerr(rename("a", "d"), EISDIR);
	checkerr(rename("d", "a"), ENOTDIR);
	checkerr(renameflags("a", "b", 1), EEXIST);
	checkeq(rename("d", "e"), 0);
	make("e/x");
	must(mkdir("d", 0755) == 0);
	checkerr(rename("d", "e"), ENOTEMPTY);
	checkerr(rename("e", "e/d"), EINVAL);
	checkerr(rename("e/x", "e/x/y"), ENOTDIR);
	checkerr(rename("e/x", "e"), ENOTEMPTY);
	must(link("a", "h") == 0);
	checkeq(rename("a", "h"), 0); /* one file: nothing happens */
	checkeq(access("a", F_OK), 0);
	checkeq(rename("a", "b"), 0);
	checkeq(contents("b"), 'a');
	checkerr(rename("b", "b/"), ENOTDIR);
	checkeq(rename("d", "d/"), 0);
	checkerr(rename("d/.", "f"), EBUSY);
	checkerr(rename("d", "d/.."), EBUSY);
	unlink("b"), unlink("h"), unlink("e/x");
	checkeq(rmdir("d"), 0);
	checkeq(rmdir("e"), 0);
	leave();
}

static void
names_of_255_bytes(void)
{
	char name[257], other[257];

	memset(name, 'n', 256);
	memset(other, 'o', 256);
	name[255] = other[255] = 0;
	enter();
	make(name);
	checkeq(rename(name, other), 0);
	checkeq(link(other, name), 0);
	checkeq(unlink(other), 0);
	checkeq(symlink("x", other), 0);
	checkeq(unlink(other), 0);
	checkeq(mkdir(other, 0755), 0);
	checkeq(rmdir(other), 0);
	other[255] = 'o';
	other[256] = 0;
	checkerr(open(other, O_RDONLY), ENAMETOOLONG);
	checkerr(open(other, O_RDWR | O_CREAT, 0644), ENAMETOOLONG);
	checkerr(mkdir(other, 0755), ENAMETOOLONG);
	checkerr(rmdir(other), ENAMETOOLONG);
	checkerr(unlink(other), ENAMETOOLONG);
	checkerr(symlink("x", other), ENAMETOOLONG);
	checkerr(link(name, other), ENAMETOOLONG);
	checkerr(rename(name, other), ENAMETOOLONG);
	checkerr(access(other, F_OK), ENAMETOOLONG);
	checkeq(unlink(name), 0);
	leave();
}

static void
paths_of_4095_bytes(void)
{
	static char path[4200];
	int i;

	for (i = 0; i < 4094; i += 2)
		memcpy(path + i, "./", 2);
	path[4094] = '.';
	checkeq(access(path, F_OK), 0); /* 4095 bytes and the NUL */
	path[4095] = '/';
	checkerr(access(path, F_OK), ENAMETOOLONG);
	checkerr(open(path, O_RDONLY), ENAMETOOLONG);
	checkerr(symlink(path, "t_name_link"), ENAMETOOLONG);
	path[4095] = 0;
	if (symlink(path, "t_name_link") == 0)
		checkeq(readlink("t_name_link", path, sizeof(path)), 4095);
	else
		checkeq(errno, ENAMETOOLONG); /* of a disk's small block */
	unlink("t_name_link");
}

static void
links_are_followed_40_times(void)
{
	char from[8], to[8];
	int i;

	enter();
	make("l0");
	for (i = 1; i <= 41; i++) {
		snprintf(to, sizeof(to), "l%d", i - 1);
		snprintf(from, sizeof(from), "l%d", i);
		must(symlink(to, from) == 0);
	}
	checkeq(contents("l40"), 'l');
	checkerr(open("l41", O_RDONLY), ELOOP);
	checkerr(open("l1", O_RDONLY | O_NOFOLLOW), ELOOP);
	must(symlink("loop", "loop") == 0);
	checkerr(open("loop", O_RDONLY), ELOOP);
	checkerr(open("loop", O_RDWR | O_CREAT, 0644), ELOOP);
	checkerr(mkdir("loop/x", 0755), ELOOP);
	checkeq(unlink("loop"), 0);
	for (i = 0; i <= 41; i++) {
		snprintf(to, sizeof(to), "l%d", i);
		checkeq(unlink(to), 0);
	}
	leave();
}

static void
link_by_descriptor(void)
{
	struct stat st;
	int fd;

	enter();
	make("a");
	fd = open("a", O_RDWR);
	checkeq(linkat(fd, "", AT_FDCWD, "b", AT_EMPTY_PATH), 0);
	must(fstat(fd, &st) == 0);
	checkeq(st.st_nlink, 2);
	checkerr(linkat(fd, "", AT_FDCWD, "b", AT_EMPTY_PATH), EEXIST);
	checkerr(linkat(fd, "", AT_FDCWD, "c", 0), ENOENT);
	checkerr(linkat(AT_FDCWD, "a", AT_FDCWD, "c", 0x10), EINVAL);
	checkerr(link(".", "c"), EPERM);
	must(unlink("a") == 0 && unlink("b") == 0);
	checkerr(linkat(fd, "", AT_FDCWD, "c", AT_EMPTY_PATH), ENOENT);
	close(fd);
	leave();
}

static void
tmpfile_gets_a_name_or_goes(void)
{
	char path[32], c;
	struct stat st;
	int fd, excl;

	enter();
	checkerr(open(".", O_TMPFILE | O_RDONLY, 0600), EINVAL);
	fd = open(".", O_TMPFILE | O_RDWR, 0640);
	if (fd < 0 && errno == EOPNOTSUPP) {
		leave();
		skip("the file system has no O_TMPFILE");
	}
	must(fd >= 0);
	must(fstat(fd, &st) == 0);
	checkeq(st.st_nlink, 0);
	checkeq(st.st_mode, S_IFREG | 0640);
	checkeq(write(fd, "t", 1), 1);
	checkeq(pread(fd, &c, 1, 0), 1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	checkeq(linkat(AT_FDCWD, path, AT_FDCWD, "t", AT_SYMLINK_FOLLOW), 0);
	checkeq(contents("t"), 't');
	must(fstat(fd, &st) == 0);
	checkeq(st.st_nlink, 1);
	excl = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
	must(excl >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", excl);
	checkerr(linkat(AT_FDCWD, path, AT_FDCWD, "u", AT_SYMLINK_FOLLOW),
		ENOENT);
	close(excl);
	close(fd);
	checkerr(open("t", O_TMPFILE | O_RDWR, 0600), ENOTDIR);
	checkeq(unlink("t"), 0);
	leave();
}

static void
sticky_directories(void)
{
	enter();
	must(chmod(".", 01777) == 0);
	asuser(1001);
	make("a");
	must(mkdir("d", 0777) == 0);
	asroot();
	asuser(1002);
	make("b");
	checkerr(unlink("a"), EPERM);
	checkerr(rmdir("d"), EPERM);
	checkerr(rename("a", "c"), EPERM);
	checkerr(rename("b", "a"), EPERM);
	checkerr(renameflags("b", "a", EXCHANGE), EPERM);
	checkeq(rename("b", "c"), 0);
	checkeq(unlink("c"), 0);
	asroot();
	must(chown(".", 1002, 1002) == 0);
	asuser(1002);
	checkeq(unlink("a"), 0);
	checkeq(rmdir("d"), 0);
	asroot();
	leave();
}

static void
setgid_directories(void)
{
	struct stat st;

	enter();
	must(chmod(".", 0777) == 0);
	must(geteuid() != 0 || chown(".", 0, 77) == 0);
	must(chmod(".", 02777) == 0);
	asuser(1001);
	make("a");
	must(stat("a", &st) == 0);
	checkeq(st.st_gid, 77);
	must(mkdir("d", 0755) == 0 && stat("d", &st) == 0);
	checkeq(st.st_gid, 77);
	check(st.st_mode & S_ISGID);
	checkeq(chmod("a", 02775), 0); /* he is not in the group */
	must(stat("a", &st) == 0);
	checkeq(st.st_mode & 07777, 0775);
	must(close(open("e", O_CREAT | O_RDWR, 02775)) == 0);
	must(stat("e", &st) == 0);
	checkeq(st.st_mode & 07777, 0755);
	asroot();
	unlink("a"), unlink("e");
	checkeq(rmdir("d"), 0);
	leave();
}

static void
times_are_the_owners(void)
{
	struct timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}},
			omit[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}},
			mixed[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}},
			set[2] = {{5, 6}, {7, 8}}, bad[2] = {{0, -1}, {0, 0}};
	struct stat st;

	enter();
	make("a");
	make("b");
	must(chmod("a", 0666) == 0);
	asuser(1001);
	checkeq(utimensat(AT_FDCWD, "a", 0, 0), 0);
	checkeq(utimensat(AT_FDCWD, "a", now, 0), 0);
	checkeq(utimensat(AT_FDCWD, "a", omit, 0), 0);
	checkerr(utimensat(AT_FDCWD, "a", mixed, 0), EPERM);
	checkerr(utimensat(AT_FDCWD, "a", set, 0), EPERM);
	checkerr(utimensat(AT_FDCWD, "b", 0, 0), EACCES);
	checkerr(utimensat(AT_FDCWD, "b", now, 0), EACCES);
	checkeq(utimensat(AT_FDCWD, "b", omit, 0), 0);
	checkerr(utimensat(AT_FDCWD, "b", bad, 0), EINVAL);
	asroot();
	checkeq(utimensat(AT_FDCWD, "a", set, 0), 0);
	must(stat("a", &st) == 0);
	checkeq(st.st_atime, 5);
	checkeq(st.st_mtime, 7);
	set[0].tv_nsec = UTIME_OMIT;
	set[1].tv_sec = 9;
	checkeq(utimensat(AT_FDCWD, "a", set, 0), 0);
	must(stat("a", &st) == 0);
	checkeq(st.st_atime, 5);
	checkeq(st.st_mtime, 9);
	unlink("a"), unlink("b");
	leave();
}

static void
files_beyond_2_gib(void)
{
	char st[256], c = 0;
	long long at;
	int fd, small;

	enter();
	must((fd = syscall(SYS_open, "f", O_RDWR | O_CREAT | LARGE, 0644)) >=
		0);
	small = syscall(SYS_open, "f", O_RDWR, 0);
	must(small >= 0);
	checkeq(pwrite64(small, "xy", 2, 2 * GIB - 2), 1); /* up to 2^31 - 1 */
	checkerr(pwrite64(small, "x", 1, 2 * GIB - 1), EFBIG);
	checkeq(syscall(106, "f", st), 0); /* stat */
	checkeq(pwrite64(fd, "z", 1, 2 * GIB - 1), 1);
	checkerr(syscall(106, "f", st), EOVERFLOW);
	checkerr(syscall(SYS_open, "f", O_RDONLY, 0), EOVERFLOW);
	checkeq(pwrite64(fd, "abcd", 4, 4 * GIB - 2), 4);
	checkeq(lseek64(fd, 0, SEEK_END), 4 * GIB + 2);
	checkeq(pread64(fd, &c, 1, 4 * GIB + 1), 1);
	checkeq(c, 'd');
	checkeq(pread64(fd, &c, 1, 2 * GIB - 1), 1);
	checkeq(c, 'z');
	checkeq(pread64(fd, &c, 1, 3 * GIB), 1);
	checkeq(c, 0);
	checkeq(ftruncate64(fd, 4 * GIB), 0);
	checkeq(pread64(fd, &c, 1, 4 * GIB - 1), 1);
	checkeq(c, 'b');
	checkeq(pread64(fd, &c, 1, 4 * GIB), 0);
	checkeq(truncate64("f", 4 * GIB + 5), 0);
	at = 0;
	checkeq(syscall(SYS__llseek, fd, 1, 1, &at, SEEK_SET), 0);
	checkeq(at, 4 * GIB + 1);
	checkeq(read(fd, st, 16), 4);
	checkeq(st[0], 0);
	checkerr(syscall(SYS_truncate, "f", -1), EINVAL);
	checkerr(ftruncate64(fd, -1), EINVAL);
	close(small);
	close(fd);
	checkeq(unlink("f"), 0);
	leave();
}

static void
fallocate_makes_room(void)
{
	struct stat st;
	int fd, r, p[2];

	enter();
	make("f");
	fd = open("f", O_RDWR);
	r = fallocate(fd, 0, 0, 3 * PG);
	if (r < 0 && errno == EOPNOTSUPP) {
		unlink("f");
		leave();
		skip("the file system has no fallocate");
	}
	checkeq(r, 0);
	must(fstat(fd, &st) == 0);
	checkeq(st.st_size, 3 * PG);
	checkeq(st.st_blocks, 3 * PG / 512);
	checkeq(contents("f"), 'f');
	checkeq(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, PG), 0);
	must(fstat(fd, &st) == 0);
	checkeq(st.st_size, 3 * PG);
	checkerr(fallocate(fd, 0, 0, 0), EINVAL);
	checkerr(fallocate(fd, 0, -1, 1), EINVAL);
	checkerr(fallocate(fd, 0x100, 0, 1), EOPNOTSUPP);
	checkerr(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 1), EOPNOTSUPP);
	close(fd);
	fd = open("f", O_RDONLY);
	checkerr(fallocate(fd, 0, 0, 1), EBADF);
	must(pipe(p) == 0);
	checkerr(fallocate(p[1], 0, 0, 1), ESPIPE);
	unlink("f");
	leave();
}

static void
open_files_2000(void)
{
	struct rlimit r = {3000, 3000};
	static int fd[2000];
	int i;

	if (setrlimit(RLIMIT_NOFILE, &r) < 0)
		skip("so many files");
	enter();
	make("a");
	for (i = 0; i < 2000; i++)
		must((fd[i] = open("a", O_RDWR)) >= 0);
	for (i = 0; i < 2000; i++)
		must(pwrite(fd[i], "x", 1, i) == 1);
	for (i = 0; i < 2000; i++)
		close(fd[i]);
	checkeq(unlink("a"), 0);
	leave();
}

/* As many as there may be; each is a file of its own. */
static void
open_files_1024(void)
{
	struct rlimit r;
	static int fd[1024];
	char name[16];
	int i, n, v;

	must(getrlimit(RLIMIT_NOFILE, &r) == 0);
	r.rlim_cur = 1024;
	if (setrlimit(RLIMIT_NOFILE, &r) < 0)
		skip("so many files");
	enter();
	for (n = 0;; n++) {
		snprintf(name, sizeof(name), "f%d", n);
		fd[n] = open(name, O_RDWR | O_CREAT | O_EXCL, 0644);
		if (fd[n] < 0)
			break;
		must(pwrite(fd[n], &n, sizeof(n), n) == sizeof(n));
	}
	checkeq(errno, EMFILE);
	checkeq(fd[n - 1], 1023);
	checkerr(access(name, F_OK), ENOENT);
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		must(pread(fd[i], &v, sizeof(v), i) == sizeof(v) && v == i);
		must(unlink(name) == 0 && close(fd[i]) == 0);
	}
	leave();
}

const struct test t_name[] = {
	T(rename_exchange_swaps),
	T(rename_over_each_kind),
	T(names_of_255_bytes),
	T(paths_of_4095_bytes),
	T(links_are_followed_40_times),
	T(link_by_descriptor),
	T(tmpfile_gets_a_name_or_goes),
	T(sticky_directories),
	T(setgid_directories),
	T(times_are_the_owners),
	T(files_beyond_2_gib),
	T(fallocate_makes_room),
	T(open_files_2000),
	T(open_files_1024),
	{0}
};
