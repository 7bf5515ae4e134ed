/* help.c - what the tests share: complaints, children, counters. */
#include "t.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

int quire;
char exepath[256];

static int failures; /* complaints of this process */
static unsigned seed = 1;

void
failed(const char *file, int line, const char *fmt, ...)
{
	const char *base = strrchr(file, '/');
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	dprintf(1, "# %s:%d: %s\n", base ? base + 1 : file, line, text);
	failures++;
}

void
checkeq_(const char *file, int line, const char *what, long long got,
	long long want)
{
	if (got != want)
		failed(file, line, "%s is %lld (%#llx), not %lld (%#llx)", what,
			got, got, want, want);
}

void
checkrange_(const char *file, int line, const char *what, long long got,
	long long low, long long high)
{
	if (got < low || got > high)
		failed(file, line, "%s is %lld, not in %lld..%lld", what, got,
			low, high);
}

void
checkerr_(const char *file, int line, const char *what, long got, int err,
	int want)
{
	if (got != -1)
		failed(file, line, "%s returned %ld (%#lx), not %s", what, got,
			got, strerrorname_np(want));
	else if (err != want)
		failed(file, line, "%s failed with %d (%s), not %s", what, err,
			strerror(err), strerrorname_np(want));
}

void
finish(void)
{
	fflush(stdout);
	_exit(failures != 0);
}

void
skip(const char *why)
{
	dprintf(1, "# skipped: %s\n", why);
	_exit(77);
}

int
status(void (*fn)(void))
{
	int st = 0, pid = fork();

	must(pid >= 0);
	if (pid == 0) {
		failures = 0;
		fn();
		finish();
	}
	while (waitpid(pid, &st, 0) < 0 && errno == EINTR)
		;
	return st;
}

void
child(void (*fn)(void))
{
	checkeq(status(fn), 0);
}

void
reaped(int pid)
{
	int st = -1;

	while (waitpid(pid, &st, 0) < 0 && errno == EINTR)
		;
	checkeq(st, 0);
}

/* Wait until the thread is in a state of /proc/PID/stat. */
static void
instate(int pid, int tid, char state)
{
	char name[60], line[200], *p;
	int fd, n;

	snprintf(name, sizeof name, "/proc/%d/task/%d/stat", pid, tid);
	for (;;) {
		must((fd = open(name, O_RDONLY)) >= 0);
		must((n = read(fd, line, sizeof line - 1)) > 0);
		close(fd);
		line[n] = 0;
		p = strrchr(line, ')');
		if (p && p[2] == state)
			return;
		sched_yield();
	}
}

void
threadasleep(int pid, int tid)
{
	instate(pid, tid, 'S');
}

void
asleep(int pid)
{
	instate(pid, pid, 'S');
}

void
ended(int pid)
{
	instate(pid, pid, 'Z');
}

int
number(const char *name, int otherwise)
{
	const char *s = getenv(name);

	return s ? atoi(s) : otherwise;
}

long
minflt(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return ru.ru_minflt;
}

/* The number after a word in a file of /proc, or -1. */
static long
procnum(const char *path, const char *word)
{
	static char buf[16384];
	int n, len = strlen(word), fd = open(path, O_RDONLY);
	char *p;

	if (fd < 0)
		return -1;
	n = read(fd, buf, sizeof buf - 1);
	close(fd);
	buf[n > 0 ? n : 0] = 0;
	for (p = buf; p && *p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, word, len) == 0)
			return strtol(p + len, 0, 10);
	}
	return -1;
}

long
vmstat(const char *name)
{
	char word[64];

	snprintf(word, sizeof word, "%s ", name);
	return procnum("/proc/vmstat", word);
}

int
sigqueued(void)
{
	return procnum("/proc/self/status", "SigQ:");
}

long
memfree(void)
{
	return procnum("/proc/meminfo", "MemFree:");
}

long
rss(void)
{
	char buf[128], *p;
	int n, fd = open("/proc/self/statm", O_RDONLY);

	if (fd < 0)
		return -1;
	n = read(fd, buf, sizeof buf - 1);
	close(fd);
	buf[n > 0 ? n : 0] = 0;
	p = strchr(buf, ' ');
	return p ? strtol(p, 0, 10) : -1;
}

int
ncpus(void)
{
	unsigned long mask[32];
	int i, n = 0, len;

	len = (int)syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);
	for (i = 0; i < len * 8; i++)
		n += mask[i / (8 * sizeof(*mask))] >> i % (8 * sizeof(*mask)) &
			1;
	return n;
}

void
msleep(int ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

long long
nowms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

void *
area(int pages)
{
	void *p = mmap(0, pages * PG, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		-1, 0);

	must(p != MAP_FAILED);
	return p;
}

/* Call fn for each mapping until it returns non-zero. */
static int
eachmap(int (*fn)(uintptr_t, uintptr_t, const char *, void *), void *arg)
{
	static char buf[256 << 10];
	unsigned long s, e;
	char perms[5], *p = buf;
	int n, len = 0, fd = open("/proc/self/maps", O_RDONLY);

	must(fd >= 0);
	while ((n = read(fd, buf + len, sizeof buf - 1 - len)) > 0)
		len += n;
	close(fd);
	buf[len] = 0;
	for (; p && *p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (sscanf(p, "%lx-%lx %4s", &s, &e, perms) == 3 &&
			fn(s, e, perms, arg))
			return 1;
	}
	return 0;
}

struct mapquery {
	uintptr_t addr, end;
	uintptr_t *start, *stop;
	char *perms;
	int count;
};

static int
covers(uintptr_t s, uintptr_t e, const char *perms, void *arg)
{
	struct mapquery *q = arg;

	if (q->addr < s || q->addr >= e)
		return 0;
	*q->start = s;
	*q->stop = e;
	strcpy(q->perms, perms);
	return 1;
}

int
mapline(const void *addr, uintptr_t *start, uintptr_t *end, char perms[5])
{
	struct mapquery q = {.addr = (uintptr_t)addr, .start = start,
		.stop = end, .perms = perms};

	return eachmap(covers, &q);
}

static int
within(uintptr_t s, uintptr_t e, const char *perms, void *arg)
{
	struct mapquery *q = arg;

	(void)perms;
	q->count += s < q->end && e > q->addr;
	return 0;
}

int
mapcount(const void *addr, int pages)
{
	struct mapquery q = {.addr = (uintptr_t)addr,
		.end = (uintptr_t)addr + pages * PG};

	eachmap(within, &q);
	return q.count;
}

void
srnd(unsigned s)
{
	seed = s;
}

unsigned
rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

int
polled(int fd, int events)
{
	struct pollfd p = {fd, events, 0};

	must(poll(&p, 1, 0) >= 0);
	return p.revents;
}

int
sendfds(int s, const void *data, int n, const int *fd, int nfd, int flags)
{
	char control[CMSG_SPACE(300 * sizeof(int))];
	struct iovec iov = {(void *)data, n};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;

	if (nfd > 0) {
		h.msg_control = control;
		h.msg_controllen = CMSG_SPACE(nfd * sizeof(int));
		c = CMSG_FIRSTHDR(&h);
		c->cmsg_len = CMSG_LEN(nfd * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(c), fd, nfd * sizeof(int));
	}
	return sendmsg(s, &h, flags);
}
