/* t_file.c - files and directories. */
#include "t.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define DIR_ "t_file_dir"

/* A new file that no name leads to. */
static int
nameless(void)
{
	int fd = open("t_file", O_RDWR | O_CREAT | O_TRUNC, 0644);

	must(fd >= 0);
	must(unlink("t_file") == 0);
	return fd;
}

static void
mkfile(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);

	must(fd >= 0);
	must(close(fd) == 0);
}

static void
enter(void)
{
	must(mkdir(DIR_, 0755) == 0);
	must(chdir(DIR_) == 0);
}

static void
leave(void)
{
	must(chdir("..") == 0);
	checkeq(rmdir(DIR_), 0);
}

static void
file_read_write_seek(void)
{
	int fd = nameless();
	char buf[16];

	checkeq(write(fd, "hello, world", 12), 12);
	checkeq(lseek(fd, 7, SEEK_SET), 7);
	checkeq(read(fd, buf, 16), 5);
	checkeq(memcmp(buf, "world", 5), 0);
	checkeq(read(fd, buf, 16), 0);
	checkeq(lseek(fd, -5, SEEK_CUR), 7);
	checkeq(lseek(fd, -2, SEEK_END), 10);
	checkerr(lseek(fd, -20, SEEK_CUR), EINVAL);
	checkerr(lseek(fd, 0, 9), EINVAL);
	checkeq(pread(fd, buf, 5, 0), 5);
	checkeq(memcmp(buf, "hello", 5), 0);
	checkeq(pwrite(fd, "J", 1, 0), 1);
	checkeq(lseek(fd, 0, SEEK_CUR), 10);
	checkerr(pread(fd, buf, 1, -1), EINVAL);
	checkerr(write(99, buf, 1), EBADF);
	checkerr(read(-1, buf, 1), EBADF);
}

static void
file_vectors(void)
{
	char a[4], b[8];
	struct iovec out[3] = {{"abc", 3}, {"", 0}, {"defg", 4}};
	struct iovec in[2] = {{a, 2}, {b, 8}};
	int fd = nameless();

	checkeq(writev(fd, out, 3), 7);
	lseek(fd, 0, SEEK_SET);
	checkeq(readv(fd, in, 2), 7);
	checkeq(memcmp(a, "ab", 2) | memcmp(b, "cdefg", 5), 0);
}

static void
file_append(void)
{
	int fd = nameless();
	char buf[8];

	must(write(fd, "12", 2) == 2);
	must(fcntl(fd, F_SETFL, O_APPEND) == 0);
	lseek(fd, 0, SEEK_SET);
	checkeq(write(fd, "34", 2), 2);
	checkeq(pread(fd, buf, 8, 0), 4);
	checkeq(memcmp(buf, "1234", 4), 0);
	checkeq(lseek(fd, 0, SEEK_CUR), 4);
}

static void
file_truncate_and_holes(void)
{
	int fd = nameless(), i, sum = 0;
	static char buf[3 * PG];
	struct stat st;

	memset(buf, 'f', sizeof buf);
	must(write(fd, buf, sizeof buf) == sizeof buf);
	checkeq(ftruncate(fd, 100), 0);
	checkeq(ftruncate(fd, 2 * PG), 0);
	checkeq(pread(fd, buf, sizeof buf, 0), 2 * PG);
	for (i = 100; i < 2 * PG; i++)
		sum |= buf[i];
	checkeq(sum, 0);
	checkeq(buf[99], 'f');
	checkeq(lseek(fd, 50 << 20, SEEK_SET), 50 << 20);
	checkeq(write(fd, "end", 3), 3);
	must(fstat(fd, &st) == 0);
	checkeq(st.st_size, (50 << 20) + 3);
	checkrange(st.st_blocks, 0, 1000);
	checkeq(pread(fd, buf, PG, 20 << 20), PG);
	for (i = 0; i < PG; i++)
		sum |= buf[i];
	checkeq(sum, 0);
	checkerr(ftruncate(fd, -1), EINVAL);
	checkeq(ftruncate(fd, 0), 0);
}

static void
file_open_flags(void)
{
	int fd;

	enter();
	checkerr(open("x", O_RDONLY), ENOENT);
	fd = open("x", O_WRONLY | O_CREAT | O_EXCL, 0600);
	must(fd >= 0);
	checkerr(read(fd, &fd, 1), EBADF);
	checkerr(open("x", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	checkerr(open("x", O_RDONLY | O_DIRECTORY), ENOTDIR);
	checkerr(open("x/y", O_RDONLY), ENOTDIR);
	checkerr(open(".", O_WRONLY), EISDIR);
	checkerr(open("", O_RDONLY), ENOENT);
	must(symlink("x", "l") == 0);
	checkerr(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
	close(fd);
	must(unlink("x") == 0 && unlink("l") == 0);
	leave();
}

static void
file_unlinked_lives_while_open(void)
{
	int fd = nameless();
	struct stat st;
	char c = 0;

	must(write(fd, "k", 1) == 1);
	must(fstat(fd, &st) == 0);
	checkeq(st.st_nlink, 0);
	checkeq(pread(fd, &c, 1, 0), 1);
	checkeq(c, 'k');
}

static void
file_modes_and_times(void)
{
	struct timespec t[2] = {{1000000000, 5}, {1200000000, 6}};
	struct stat st;
	int fd;

	enter();
	umask(027);
	fd = open("m", O_RDWR | O_CREAT, 0666);
	must(fd >= 0);
	must(fstat(fd, &st) == 0);
	checkeq(st.st_mode, S_IFREG | 0640);
	checkeq(fchmod(fd, 04711), 0);
	checkeq(futimens(fd, t), 0);
	must(stat("m", &st) == 0);
	checkeq(st.st_mode, S_IFREG | 04711);
	checkeq(st.st_atim.tv_sec, 1000000000);
	checkeq(st.st_mtim.tv_sec, 1200000000);
	checkeq(chown("m", 12, 34), getuid() == 0 ? 0 : -1);
	must(write(fd, "x", 1) == 1);
	must(stat("m", &st) == 0);
	check(st.st_mtim.tv_sec > 1600000000);
	close(fd);
	must(unlink("m") == 0);
	leave();
}

static void
file_rename(void)
{
	struct stat a, b;

	enter();
	mkfile("a");
	mkfile("b");
	must(stat("a", &a) == 0);
	checkeq(rename("a", "b"), 0); /* replaces */
	must(stat("b", &b) == 0);
	checkeq(a.st_ino, b.st_ino);
	checkerr(rename("a", "c"), ENOENT);
	checkeq(rename("b", "b"), 0);
	must(mkdir("d", 0755) == 0 && mkdir("e", 0755) == 0);
	checkerr(rename("b", "d"), EISDIR);
	checkerr(rename("d", "b"), ENOTDIR);
	checkerr(rename("d", "d/x"), EINVAL); /* into itself */
	checkeq(rename("b", "d/b"), 0);
	checkerr(rename("e", "d"), ENOTEMPTY);
	checkeq(rename("d", "e"), 0); /* over an empty one */
	checkeq(stat("e/b", &b), 0);
	must(unlink("e/b") == 0 && rmdir("e") == 0);
	leave();
}

static void
file_links(void)
{
	char buf[64];
	struct stat st;

	enter();
	mkfile("a");
	checkeq(link("a", "b"), 0);
	must(stat("b", &st) == 0);
	checkeq(st.st_nlink, 2);
	checkerr(link("a", "b"), EEXIST);
	checkerr(link(".", "c"), EPERM);
	must(unlink("a") == 0);
	must(stat("b", &st) == 0);
	checkeq(st.st_nlink, 1);
	checkeq(symlink("b", "s"), 0);
	checkeq(readlink("s", buf, 64), 1);
	checkerr(readlink("b", buf, 64), EINVAL);
	must(lstat("s", &st) == 0);
	check(S_ISLNK(st.st_mode));
	checkeq(st.st_size, 1);
	must(stat("s", &st) == 0);
	check(S_ISREG(st.st_mode));
	checkeq(symlink("loop2", "loop1") | symlink("loop1", "loop2"), 0);
	checkerr(open("loop1", O_RDONLY), ELOOP);
	checkerr(stat("loop1/x", &st), ELOOP);
	must(unlink("loop1") == 0 && unlink("loop2") == 0);
	must(unlink("s") == 0 && unlink("b") == 0);
	leave();
}

static void
file_directories(void)
{
	static char name[300];
	struct stat st;

	enter();
	must(stat(".", &st) == 0);
	checkerr(mkdir(".", 0755), EEXIST);
	checkerr(rmdir("."), EINVAL);
	checkerr(rmdir("nope"), ENOENT);
	must(mkdir("sub", 0755) == 0);
	mkfile("sub/f");
	checkerr(rmdir("sub"), ENOTEMPTY);
	checkerr(unlink("sub"), EISDIR);
	checkerr(rmdir("sub/f"), ENOTDIR);
	checkerr(mkdir("no/such", 0755), ENOENT);
	checkeq(access("sub/../sub/./f", R_OK | W_OK), 0);
	memset(name, 'n', 256);
	checkerr(mkdir(name, 0755), ENAMETOOLONG);
	name[255] = 0;
	checkeq(mkdir(name, 0755), 0);
	checkeq(rmdir(name), 0);
	must(unlink("sub/f") == 0 && rmdir("sub") == 0);
	leave();
}

static int
entries(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	must(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void
file_directory_of_1000(void)
{
	struct dirent *e;
	char name[32];
	int i, seen = 0;
	DIR *d;

	enter();
	for (i = 0; i < 1000; i++) {
		sprintf(name, "file-number-%d", i);
		mkfile(name);
	}
	checkeq(entries("."), 1002);
	d = opendir(".");
	must(d);
	while ((e = readdir(d))) { /* delete as we go */
		if (e->d_name[0] == '.')
			continue;
		seen++;
		checkeq(e->d_type == DT_REG || e->d_type == DT_UNKNOWN, 1);
		must(unlink(e->d_name) == 0);
	}
	closedir(d);
	checkeq(seen, 1000);
	checkeq(entries("."), 2);
	leave();
}

/* An entry's offset is where the next one begins. */
static void
file_getdents_offsets(void)
{
	struct {
		uint64_t ino;
		int64_t off;
		uint16_t len;
		unsigned char type;
		char name[256];
	} e[6], next;
	int fd, i, n = 0;

	enter();
	mkfile("a");
	mkfile("b");
	fd = open(".", O_RDONLY | O_DIRECTORY);
	must(fd >= 0);
	while (n < 6 && syscall(SYS_getdents64, fd, &e[n], 32) > 0)
		n++; /* one at a time: there is no room for two */
	checkeq(n, 4);
	for (i = n - 1; i >= 0; i--) {
		check(lseek(fd, e[i].off, SEEK_SET) == e[i].off);
		if (syscall(SYS_getdents64, fd, &next, 32) <= 0)
			checkeq(i, n - 1);
		else
			check(i + 1 < n && !strcmp(next.name, e[i + 1].name));
	}
	close(fd);
	must(unlink("a") == 0 && unlink("b") == 0);
	leave();
}

static void
file_getdents_small_buffer(void)
{
	char buf[512];
	int fd;

	enter();
	mkfile("a-rather-long-name-for-a-file");
	fd = open(".", O_RDONLY | O_DIRECTORY);
	must(fd >= 0);
	checkerr(syscall(SYS_getdents64, fd, buf, 8), EINVAL);
	check(syscall(SYS_getdents64, fd, buf, 512) > 0);
	checkeq(syscall(SYS_getdents64, fd, buf, 512), 0);
	checkerr(read(fd, buf, 10), EISDIR);
	close(fd);
	must(unlink("a-rather-long-name-for-a-file") == 0);
	fd = nameless();
	checkerr(syscall(SYS_getdents64, fd, buf, 512), ENOTDIR);
	close(fd);
	leave();
}

/* Names that go while a directory is read: that comes to an end. */
static void
file_getdents_while_names_go(void)
{
	char buf[512], name[8];
	int fd, i, n, calls;

	enter();
	for (n = 32; n < 480; n += 24) {
		for (i = 0; i < 20; i++) {
			snprintf(name, sizeof(name), "f%d", i);
			mkfile(name);
		}
		fd = open(".", O_RDONLY | O_DIRECTORY);
		must(fd >= 0 && syscall(SYS_getdents64, fd, buf, n) > 0);
		for (i = 0; i < 20; i++) {
			snprintf(name, sizeof(name), "f%d", i);
			must(unlink(name) == 0);
		}
		for (calls = 0; syscall(SYS_getdents64, fd, buf, n) > 0;
			calls++)
			must(calls < 40);
		close(fd);
	}
	leave();
}

static void
file_getcwd(void)
{
	char path[256], tiny[4];
	size_t n;

	enter();
	must(mkdir("one", 0755) == 0 && chdir("one") == 0);
	n = syscall(SYS_getcwd, path, sizeof path);
	checkeq(n, strlen(path) + 1);
	check(strstr(path, DIR_ "/one") != 0);
	checkerr(syscall(SYS_getcwd, tiny, sizeof tiny), ERANGE);
	must(chdir("..") == 0);
	must(rmdir("one") == 0);
	must(chdir("/") == 0);
	checkeq(syscall(SYS_getcwd, path, sizeof path), 2);
	checkeq(strcmp(path, "/"), 0);
	must(chdir("/../../tmp/" DIR_) == 0);
	leave();
}

static void
file_statx_fields(void)
{
	struct statx sx;
	int fd = nameless();

	must(write(fd, "12345", 5) == 5);
	memset(&sx, 0xff, sizeof sx);
	checkeq(statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &sx), 0);
	checkeq(sx.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
	checkeq(sx.stx_size, 5);
	checkeq(sx.stx_mode, S_IFREG | 0644);
	checkeq(sx.stx_uid, geteuid());
	check(sx.stx_blksize > 0 && sx.stx_ino != 0);
	checkerr(statx(AT_FDCWD, "", 0, STATX_BASIC_STATS, &sx), ENOENT);
}

static void
file_shared_offset_after_dup_and_fork(void)
{
	int fd = nameless(), d = dup(fd), pid;

	must(write(fd, "0123456789", 10) == 10);
	checkeq(lseek(d, 0, SEEK_CUR), 10);
	pid = fork();
	if (pid == 0) {
		lseek(d, 3, SEEK_SET);
		finish();
	}
	reaped(pid);
	checkeq(lseek(fd, 0, SEEK_CUR), 3);
}

static void
file_descriptors_run_out(void)
{
	int fd = nameless(), i, last = fd;

	for (i = 0; i < 100000; i++) {
		int d = dup(fd);
		if (d < 0)
			break;
		last = d;
	}
	checkerr(dup(fd), EMFILE);
	checkerr(open("/", O_RDONLY), EMFILE);
	checkeq(close(last), 0);
	checkeq(dup(fd), last); /* the lowest that is free */
	checkerr(close(100001), EBADF);
}

/* What is mapped and what is read are the same page. */
static void
file_mapped_private_and_shared(void)
{
	int fd = nameless();
	char *p, *s, c;

	must(ftruncate(fd, 2 * PG) == 0);
	must(pwrite(fd, "file", 4, PG) == 4);
	p = mmap(0, 2 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	must(p != MAP_FAILED);
	checkeq(memcmp(p + PG, "file", 4), 0);
	checkeq(p[0], 0);
	p[PG] = 'P';
	must(pread(fd, &c, 1, PG) == 1);
	checkeq(c, 'f');
	must(pwrite(fd, "z", 1, 5) == 1);
	checkeq(p[5], 'z'); /* untouched by us: the file's own page */
	s = mmap(0, PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (s == MAP_FAILED && errno == ENODEV)
		return;
	must(s != MAP_FAILED);
	s[9] = 'S';
	must(pread(fd, &c, 1, 9) == 1);
	checkeq(c, 'S');
	must(pwrite(fd, "W", 1, 10) == 1);
	checkeq(s[10], 'W');
}

static void
file_mapping_rights(void)
{
	int fd;

	enter();
	mkfile("r");
	fd = open("r", O_RDONLY);
	must(fd >= 0);
	checkerr(mmap(0, PG, PROT_WRITE | PROT_READ, MAP_SHARED, fd, 0),
		EACCES);
	check(mmap(0, PG, PROT_WRITE | PROT_READ, MAP_PRIVATE, fd, 0) !=
		MAP_FAILED);
	close(fd);
	fd = open("r", O_WRONLY);
	checkerr(mmap(0, PG, PROT_READ, MAP_PRIVATE, fd, 0), EACCES);
	close(fd);
	must(unlink("r") == 0);
	leave();
}

static void
file_devices(void)
{
	char buf[64];
	int fd, i, sum = 0;

	fd = open("/dev/zero", O_RDWR);
	must(fd >= 0);
	memset(buf, 1, 64);
	checkeq(read(fd, buf, 64), 64);
	for (i = 0; i < 64; i++)
		sum |= buf[i];
	checkeq(sum, 0);
	close(fd);
	fd = open("/dev/null", O_RDWR);
	must(fd >= 0);
	checkeq(read(fd, buf, 64), 0);
	checkeq(write(fd, buf, 64), 64);
	close(fd);
	fd = open("/dev/full", O_RDWR);
	if (fd >= 0)
		checkerr(write(fd, buf, 1), ENOSPC);
	fd = open("/dev/urandom", O_RDONLY);
	if (fd >= 0)
		checkeq(read(fd, buf, 64), 64);
}

/* A shares our descriptors and waits for B's lock of the file; we close it
 * meanwhile.  A's lock must not outlive the file. */
static void
file_lock_of_a_closed_descriptor(void)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open("t_lock", O_RDWR | O_CREAT, 0600), a, b, end[2];
	char c;

	must(fd >= 0 && unlink("t_lock") == 0 && pipe(end) == 0);
	b = fork();
	if (b == 0) {
		check(fcntl(fd, F_SETLK, &l) == 0);
		check(write(end[1], "L", 1) == 1);
		pause();
	}
	must(read(end[0], &c, 1) == 1);
	a = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (a == 0) {
		checkerr(fcntl(fd, F_SETLKW, &l), EBADF);
		finish();
	}
	asleep(a);
	close(fd);
	must(kill(b, SIGKILL) == 0);
	must(waitpid(b, 0, 0) == b);
	reaped(a);
}

/* What the initramfs of the tests holds: see usr/initramfs-test.list. */
static void
file_initramfs_entries(void)
{
	struct stat a, b;
	char buf[16];

	if (stat("/usr/share/t/linked1", &a) < 0)
		skip("no test initramfs");
	must(stat("/usr/share/t/linked2", &b) == 0);
	checkeq(a.st_ino, b.st_ino);
	checkeq(a.st_nlink, 2);
	checkeq(a.st_size, 6);
	must(stat("/usr/share/t/zeroes", &a) == 0);
	checkeq(a.st_size, 100000);
	checkeq(a.st_mode, S_IFREG | 0600);
	must(stat("/usr/share/t/setuid", &a) == 0);
	checkeq(a.st_mode, S_IFREG | 04755);
	checkeq(readlink("/usr/share/t/symlink", buf, 16), 7);
	must(stat("/tmp", &a) == 0);
	checkeq(a.st_mode, S_IFDIR | 01777);
}

/* What was opened with O_PATH is a place, and has no bytes. */
static void
file_opened_by_o_path(void)
{
	static const char *const names[] = {"/dev/zero", "/", "/tmp"};
	struct iovec v = {(char *)names, 4};
	struct epoll_event e = {.events = EPOLLIN};
	int p[2], ep = epoll_create1(0), n, fd;
	char buf[512];
	struct stat st;

	must(pipe(p) == 0 && ep >= 0);
	for (int i = 0; i < NUM(names); i++) {
		fd = open(names[i], O_PATH);
		must(fd >= 0);
		checkerr(read(fd, buf, 1), EBADF);
		checkerr(pwrite(fd, buf, 1, 0), EBADF);
		checkerr(lseek(fd, 0, SEEK_SET), EBADF);
		checkerr(ioctl(fd, FIONREAD, &n), EBADF);
		checkerr(fsync(fd), EBADF);
		checkerr(syncfs(fd), EBADF);
		checkerr(syscall(SYS_getdents64, fd, buf, 512), EBADF);
		checkerr(ftruncate(fd, 0), EBADF);
		checkerr(fallocate(fd, 0, 0, 1), EBADF);
		checkerr(flock(fd, LOCK_SH), EBADF);
		checkeq(posix_fadvise(fd, 0, 0, POSIX_FADV_NORMAL), EBADF);
		checkerr(readahead(fd, 0, 1), EBADF);
		checkerr(sync_file_range(fd, 0, 1, 0), EBADF);
		checkerr(splice(fd, 0, p[1], 0, 1, 0), EBADF);
		checkerr(tee(fd, p[1], 1, 0), EBADF);
		checkerr(vmsplice(fd, &v, 1, 0), EBADF);
		checkerr(vmsplice(fd, &v, 1, 64), EINVAL);
		checkerr(vmsplice(99, &v, 1, 64), EINVAL);
		checkerr(shutdown(fd, SHUT_RD), EBADF);
		checkerr(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e), EBADF);
		checkerr(epoll_ctl(fd, EPOLL_CTL_ADD, p[0], &e), EBADF);
		check(mmap(0, PG, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED);
		checkeq(errno, EBADF);
		checkeq(fstat(fd, &st), 0);
		must((n = dup(fd)) >= 0);
		checkeq(fcntl(n, F_GETFL) & O_PATH, O_PATH);
		close(n);
		close(fd);
	}
	close(p[0]);
	close(p[1]);
	close(ep);
}

const struct test t_file[] = {
	T(file_read_write_seek),
	T(file_vectors),
	T(file_append),
	T(file_truncate_and_holes),
	T(file_open_flags),
	T(file_opened_by_o_path),
	T(file_unlinked_lives_while_open),
	T(file_modes_and_times),
	T(file_rename),
	T(file_links),
	T(file_directories),
	T(file_directory_of_1000),
	T(file_getdents_offsets),
	T(file_getdents_small_buffer),
	T(file_getdents_while_names_go),
	T(file_getcwd),
	T(file_statx_fields),
	T(file_shared_offset_after_dup_and_fork),
	T(file_descriptors_run_out),
	T(file_mapped_private_and_shared),
	T(file_mapping_rights),
	T(file_devices),
	T(file_lock_of_a_closed_descriptor),
	T(file_initramfs_entries),
	{0},
};
