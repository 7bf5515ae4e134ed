/* t_memfd.c - memfd_create. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "t.h"

static void
plain(void)
{
	char link[64], buf[64], *m;
	struct stat st;
	int fd, n;

	must((fd = memfd_create("some/name", MFD_CLOEXEC)) >= 0);
	checkeq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	checkeq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	must(fstat(fd, &st) == 0);
	checkeq(st.st_mode, S_IFREG | 0777);
	checkeq(st.st_nlink, 0);
	checkeq(st.st_size, 0);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, buf, sizeof(buf));
	checkeq(n, 26);
	check(!memcmp(buf, "/memfd:some/name (deleted)", 26));
	checkeq(ftruncate(fd, 2 * PG), 0);
	m = mmap(0, 2 * PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(m != MAP_FAILED);
	checkeq(pwrite(fd, "written", 7, PG), 7);
	check(!memcmp(m + PG, "written", 7));
	m[0] = 'x';
	checkeq(pread(fd, buf, 1, 0), 1);
	checkeq(buf[0], 'x');
	close(fd);
	check(m[0] == 'x');
}

static void
twice(void)
{
	int a = memfd_create("same", 0), b = memfd_create("same", 0);
	struct stat s, t;

	must(a >= 0 && b >= 0 && fstat(a, &s) == 0 && fstat(b, &t) == 0);
	checkeq(fcntl(a, F_GETFD), 0);
	check(s.st_ino != t.st_ino);
	checkeq(s.st_dev, t.st_dev);
}

static void
errors(void)
{
	char name[260];

	memset(name, 'n', sizeof(name));
	name[250] = 0;
	checkerr(memfd_create(name, 0), EINVAL);
	name[249] = 0;
	check(memfd_create(name, 0) >= 0);
	checkerr(memfd_create("x", 0x1000), EINVAL);
	checkerr(memfd_create((char *)8, 0), EFAULT);
}

const struct test t_memfd[] = {T(plain), T(twice), T(errors), {0}};
