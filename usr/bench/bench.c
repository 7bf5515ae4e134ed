/*
 * bench.c - what things cost, in ticks of the time-stamp counter.
 *
 * No libc: fork and exec of this program cost what the kernel makes them cost.
 * Prints `name ticks` lines, ticks per operation with one decimal; the cost of
 * the measuring loop is taken off.  `bench NAME...` runs those whose name
 * begins so.  Under QEMU's -icount a tick is an instruction.
 */
typedef unsigned int u32;
typedef unsigned long long u64;

enum {
	NR_exit = 1, NR_fork = 2, NR_read = 3, NR_write = 4, NR_open = 5,
	NR_close = 6, NR_waitpid = 7, NR_unlink = 10, NR_execve = 11,
	NR_access = 33, NR_lseek = 19, NR_getpid = 20, NR_pipe = 42,
	NR_brk = 45, NR_getppid = 64, NR_munmap = 91, NR_socketcall = 102,
	NR_wait4 = 114, NR_mprotect = 125,
	NR_sched_yield = 158, NR_vfork = 190, NR_mmap2 = 192, NR_stat64 = 195
};

#define PG      4096
#define MIB     (1 << 20)
#define RW      3
#define ANON    0x22 /* MAP_PRIVATE | MAP_ANONYMOUS */
#define SHANON  0x21 /* MAP_SHARED | MAP_ANONYMOUS */
#define TMPFILE "/tmp/bench.tmp"

static char **args;
static u32 ovh; /* ticks of an empty measurement */
static char buf[64 << 10];

/* System calls. */

static inline int
sys6(int nr, u32 a, u32 b, u32 c, u32 d, u32 e, u32 f)
{
	u32 frame[2] = {a, f};
	int r;

	/* ebp and ebx are the compiler's: by way of memory and back */
	__asm__ volatile("push %%ebp\n\tpush %%ebx\n\t"
			 "mov 4(%%ebx), %%ebp\n\tmov (%%ebx), %%ebx\n\t"
			 "int $0x80\n\tpop %%ebx\n\tpop %%ebp"
			 : "=a"(r)
			 : "0"(nr), "b"(frame), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "memory");
	return r;
}

static inline int
sys(int nr, u32 a, u32 b, u32 c)
{
	int r;

	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "0"(nr), "b"(a), "c"(b), "d"(c)
			 : "memory");
	return r;
}

#define P(x) ((u32)(x))

static inline u64
rdtsc(void)
{
	u64 t;

	__asm__ volatile("rdtsc" : "=A"(t) : : "memory");
	return t;
}

/* Output. */

static void
put(const char *s)
{
	int n = 0;

	while (s[n])
		n++;
	sys(NR_write, 1, P(s), n);
}

static void
die(const char *what)
{
	put("bench: ");
	put(what);
	put(" failed\n");
	sys(NR_exit, 1, 0, 0);
}

/* v divided by d, without help from a library. */
static u64
divide(u64 v, u32 d)
{
	u32 hi = v >> 32, lo = v, q, r;

	q = hi / d;
	r = hi % d;
	__asm__("divl %2" : "+a"(lo), "+d"(r) : "r"(d));
	return (u64)q << 32 | lo;
}

static void
putnum(u64 v)
{
	char s[24];
	int i = sizeof s - 1;
	u64 q;

	s[i] = 0;
	do {
		q = divide(v, 10);
		s[--i] = '0' + (u32)(v - q * 10);
		v = q;
	} while (v);
	put(s + i);
}

static void
report(const char *name, u64 ticks, u32 n)
{
	u64 tenths = divide(ticks * 10 + n / 2, n);
	u64 whole = divide(tenths, 10);
	char digit[2] = {'0' + (u32)(tenths - whole * 10), 0};

	put(name);
	put(" ");
	putnum(whole);
	put(".");
	put(digit);
	put("\n");
}

static u64 began;

static inline void
start(void)
{
	began = rdtsc();
}

static inline u64
stop(void)
{
	u64 t = rdtsc() - began;

	return t > ovh ? t - ovh : 0;
}

/* Memory helpers. */

static char *
map(u32 n)
{
	int p = sys6(NR_mmap2, 0, n, RW, ANON, -1, 0);

	if (p < 0 && p > -4096)
		die("mmap");
	return (char *)p;
}

static void
unmap(char *p, u32 n)
{
	sys(NR_munmap, P(p), n, 0);
}

static void
touch(volatile char *p, u32 pages)
{
	u32 i;

	for (i = 0; i < pages; i++)
		p[i * PG] = 1;
}

static void
look(volatile char *p, u32 pages)
{
	u32 i;

	for (i = 0; i < pages; i++)
		(void)p[i * PG];
}

/* The measurements.  Each prints its own lines. */

static void
cpuloop(void)
{
	u32 n = 2000000;

	start();
	__asm__ volatile("shr $1, %0\n1:\tdec %0\n\tjnz 1b" : "+r"(n));
	report("cpu_loop", stop(), 2000000);
}

static void
idlecalls(void)
{
	int i;

	start();
	for (i = 0; i < 20000; i++)
		sys(NR_getpid, 0, 0, 0);
	report("sys_getpid", stop(), 20000);
	start();
	for (i = 0; i < 20000; i++)
		sys(NR_getppid, 0, 0, 0);
	report("sys_getppid", stop(), 20000);
}

static void
write1(void)
{
	int i, fd = sys(NR_open, P("/dev/null"), 1, 0);

	if (fd < 0)
		return;
	start();
	for (i = 0; i < 10000; i++)
		sys(NR_write, fd, P(buf), 1);
	report("sys_write1", stop(), 10000);
	sys(NR_close, fd, 0, 0);
}

static void
openclose(void)
{
	int i, fd;

	start();
	for (i = 0; i < 5000; i++) {
		fd = sys(NR_open, P("/tmp"), 0, 0);
		sys(NR_close, fd, 0, 0);
	}
	report("open_close", stop(), 5000);
}

static void
stat(void)
{
	int i;

	start();
	for (i = 0; i < 5000; i++)
		sys(NR_stat64, P("/tmp"), P(buf), 0);
	report("stat", stop(), 5000);
}

static void
anon(void)
{
	u64 w = 0, r = 0, wr = 0, u = 0;
	char *p;
	int i;

	for (i = 0; i < 8; i++) {
		p = map(4 * MIB);
		start();
		touch(p, 1024);
		w += stop();
		start();
		unmap(p, 4 * MIB);
		u += stop();
		p = map(4 * MIB);
		start();
		look(p, 1024);
		r += stop();
		start();
		touch(p, 1024);
		wr += stop();
		unmap(p, 4 * MIB);
	}
	report("anon_touch", w, 8 * 1024);
	report("anon_read", r, 8 * 1024);
	report("anon_wr_after", wr, 8 * 1024);
	report("anon_unmap", u, 8 * 1024);
}

static void
brktouch(void)
{
	char *p = (char *)sys(NR_brk, 0, 0, 0);
	u64 t = 0;
	int i;

	for (i = 0; i < 8; i++) {
		if (sys(NR_brk, P(p) + 4 * MIB, 0, 0) != (int)(P(p) + 4 * MIB))
			die("brk");
		start();
		touch(p, 1024);
		t += stop();
		sys(NR_brk, P(p), 0, 0);
	}
	report("brk_touch", t, 8 * 1024);
}

static int
newchild(void)
{
	int pid = sys(NR_fork, 0, 0, 0);

	if (pid < 0)
		die("fork");
	return pid;
}

__attribute__((noreturn)) static void
finish(int code)
{
	sys(NR_exit, code, 0, 0);
	__builtin_unreachable();
}

/* Shared with children, who report through it. */
static u64 *shared;

/* The stack keeps what it has grown to, so each time in a new child. */
static void
stacktouch(void)
{
	volatile char *sp;
	u64 t = 0;
	int i, k, pid;

	for (i = 0; i < 8; i++) {
		pid = newchild();
		if (pid == 0) {
			sp = (char *)__builtin_frame_address(0) - 16 * PG;
			start();
			for (k = 0; k < 512; k++)
				sp[-k * PG] = 1;
			*shared = stop();
			finish(0);
		}
		sys(NR_waitpid, pid, 0, 0);
		t += *shared;
	}
	report("stack_touch", t, 8 * 512);
}

static void
cow(void)
{
	u64 broken = 0, reused = 0;
	char *p = map(4 * MIB);
	int i, pid;

	for (i = 0; i < 8; i++) {
		touch(p, 1024);
		pid = newchild();
		if (pid == 0) {
			start();
			touch(p, 1024);
			*shared = stop();
			finish(0);
		}
		sys(NR_waitpid, pid, 0, 0);
		broken += *shared;
		start();
		touch(p, 1024);
		reused += stop();
	}
	unmap(p, 4 * MIB);
	report("cow_break", broken, 8 * 1024);
	report("cow_reuse", reused, 8 * 1024);
}

static u64
forkwait(int rounds)
{
	int i, pid;

	pid = newchild(); /* warm up */
	if (pid == 0)
		finish(0);
	sys(NR_waitpid, pid, 0, 0);
	start();
	for (i = 0; i < rounds; i++) {
		pid = newchild();
		if (pid == 0)
			finish(0);
		sys(NR_waitpid, pid, 0, 0);
	}
	return stop();
}

static void
forks(void)
{
	static const struct {
		const char *name;
		int mib, rounds;
	} sizes[] = {{"fork_0m", 0, 200}, {"fork_1m", 1, 100},
		{"fork_16m", 16, 50}, {"fork_64m", 64, 20},
		{"fork_256m", 256, 8}};
	u32 i;
	char *p;
	int r;

	for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		r = sys6(NR_mmap2, 0, sizes[i].mib * MIB + PG, RW, ANON, -1, 0);
		if (r < 0 && r > -4096)
			continue;
		p = (char *)r;
		touch(p, sizes[i].mib * 256);
		report(sizes[i].name, forkwait(sizes[i].rounds),
			sizes[i].rounds);
		unmap(p, sizes[i].mib * MIB + PG);
	}
}

/* A child's exit with so much memory of its own, until wait returns. */
static u64
exitcost(u32 mib)
{
	u64 t = 0;
	char *p;
	int i, pid;

	for (i = 0; i < 4; i++) {
		pid = newchild();
		if (pid == 0) {
			p = map(mib * MIB + PG);
			touch(p, mib * 256);
			*shared = rdtsc();
			finish(0);
		}
		sys(NR_waitpid, pid, 0, 0);
		t += rdtsc() - *shared;
	}
	return t;
}

static void
exits(void)
{
	u64 small = exitcost(0), large = exitcost(64);

	report("exit_0m", small, 4);
	report("exit_64m", large, 4);
	report("exit_slope", large - small, 4 * 16384);
}

static void
execs(int nr, const char *name, const char *path)
{
	char *argv[] = {(char *)path, "--exit", 0}, *envp[] = {0};
	int i, pid;

	if (sys(NR_access, P(path), 1, 0) < 0)
		return;

	for (i = -2; i < 50; i++) {
		if (i == 0)
			start();
		pid = nr == NR_fork ? sys(NR_fork, 0, 0, 0)
				    : sys(NR_vfork, 0, 0, 0);
		if (pid == 0) {
			sys(NR_execve, P(path), P(argv), P(envp));
			finish(1);
		}
		sys(NR_waitpid, pid, 0, 0);
	}
	report(name, stop(), 50);
}

static void
forkexec(void)
{
	execs(NR_fork, "fork_exec", args[0]);
	execs(NR_fork, "exec_static", "/bin/true-static");
	execs(NR_fork, "exec_shared", "/bin/true-shared");
}

static void
vforkexec(void)
{
	execs(NR_vfork, "vfork_exec", args[0]);
}

static void
mmaps(void)
{
	char *p;
	int i;

	start();
	for (i = 0; i < 2000; i++)
		unmap(map(PG), PG);
	report("mmap_1p", stop(), 2000);
	start();
	for (i = 0; i < 2000; i++)
		unmap(map(16 * MIB), 16 * MIB);
	report("mmap_16m", stop(), 2000);
	start();
	for (i = 0; i < 2000; i++) {
		p = map(PG);
		touch(p, 1);
		unmap(p, PG);
	}
	report("mmap_1p_t", stop(), 2000);
}

static void
mprotects(void)
{
	char *p = map(PG);
	int i;

	touch(p, 1);
	start();
	for (i = 0; i < 1000; i++) {
		sys(NR_mprotect, P(p), PG, 1);
		sys(NR_mprotect, P(p), PG, 3);
	}
	report("mprotect_1p", stop(), 2000);
	unmap(p, PG);
}

/* A byte to a child by to, and back by from, and close both. */
static void
bounce(const char *name, int to[2], int from[2])
{
	int i, pid = newchild();

	if (pid == 0) {
		sys(NR_close, to[1], 0, 0);
		while (sys(NR_read, to[0], P(buf), 1) == 1)
			sys(NR_write, from[1], P(buf), 1);
		finish(0);
	}
	for (i = -10; i < 2000; i++) {
		if (i == 0)
			start();
		sys(NR_write, to[1], P(buf), 1);
		sys(NR_read, from[0], P(buf), 1);
	}
	report(name, stop(), 2000);
	for (i = 0; i < 2; i++) {
		sys(NR_close, to[i], 0, 0);
		sys(NR_close, from[i], 0, 0);
	}
	sys(NR_waitpid, pid, 0, 0);
}

static void
pingpong(void)
{
	int to[2], from[2];

	if (sys(NR_pipe, P(to), 0, 0) < 0 || sys(NR_pipe, P(from), 0, 0) < 0)
		die("pipe");
	bounce("pipe_pingpong", to, from);
}

static void
sockpingpong(void)
{
	enum { SOCKETPAIR = 8, AF_UNIX = 1, SOCK_STREAM = 1 };
	int pair[2], to[2], from[2];
	int arg[4] = {AF_UNIX, SOCK_STREAM, 0, P(pair)};

	if (sys(NR_socketcall, SOCKETPAIR, P(arg), 0) < 0)
		die("socketpair");
	from[0] = to[1] = pair[0];
	to[0] = from[1] = pair[1];
	bounce("socket_pingpong", to, from);
}

static void
bandwidth(void)
{
	int fd[2], i, n, pid;

	if (sys(NR_pipe, P(fd), 0, 0) < 0)
		die("pipe");
	pid = newchild();
	if (pid == 0) {
		for (i = 0; i < 64; i++)
			sys(NR_write, fd[1], P(buf), sizeof buf);
		finish(0);
	}
	sys(NR_close, fd[1], 0, 0);
	start();
	for (n = 0; n < 64 * (int)sizeof buf; n += i) {
		i = sys(NR_read, fd[0], P(buf), sizeof buf);
		if (i <= 0)
			die("pipe_bw");
	}
	report("pipe_bw", stop(), 4096);
	sys(NR_close, fd[0], 0, 0);
	sys(NR_waitpid, pid, 0, 0);
}

/* Four times over a file of 1 MiB in pieces of n bytes: ticks. */
static u64
passes(int nr, int fd, u32 n)
{
	u64 t = 0;
	u32 i, k;

	for (k = 0; k < 4; k++) {
		sys(NR_lseek, fd, 0, 0);
		start();
		for (i = 0; i < MIB; i += n)
			if (sys(nr, fd, P(buf), n) != (int)n)
				die("file");
		t += stop();
	}
	return t;
}

/* A page of the file mapped, first touches only. */
static void
filemaps(int fd)
{
	static const struct {
		const char *name;
		int flags, write;
	} kinds[] = {{"map_read", 2, 0}, {"map_write", 2, 1},
		{"map_shared", 1, 1}};
	int i, p;
	u32 k;

	for (k = 0; k < 3; k++) {
		u64 t = 0;

		for (i = 0; i < 8; i++) {
			p = sys6(NR_mmap2, 0, MIB, RW, kinds[k].flags, fd, 0);
			if (p < 0 && p > -4096)
				return;
			start();
			if (kinds[k].write)
				touch((char *)p, 256);
			else
				look((char *)p, 256);
			t += stop();
			unmap((char *)p, MIB);
		}
		report(kinds[k].name, t, 8 * 256);
	}
}

static void
files(void)
{
	int fd = sys(NR_open, P(TMPFILE), 01102 /* RDWR CREAT TRUNC */, 0600);

	if (fd < 0)
		die("open " TMPFILE);
	sys(NR_unlink, P(TMPFILE), 0, 0);
	passes(NR_write, fd, sizeof buf);
	report("file_write_64k", passes(NR_write, fd, 64 << 10), 4096);
	report("file_read_64k", passes(NR_read, fd, 64 << 10), 4096);
	report("file_read_4k", passes(NR_read, fd, 4 << 10), 4096);
	filemaps(fd);
	sys(NR_close, fd, 0, 0);
}

static const struct {
	const char *name;
	void (*fn)(void);
} benches[] = {
	{"cpu_loop", cpuloop},
	{"sys_getpid", idlecalls},
	{"sys_write1", write1},
	{"open_close", openclose},
	{"stat", stat},
	{"anon_touch", anon},
	{"brk_touch", brktouch},
	{"stack_touch", stacktouch},
	{"cow_break", cow},
	{"fork_0m", forks},
	{"exit_0m", exits},
	{"fork_exec", forkexec},
	{"vfork_exec", vforkexec},
	{"mmap_1p", mmaps},
	{"mprotect_1p", mprotects},
	{"file_write_64k", files},
	{"pipe_pingpong", pingpong},
	{"socket_pingpong", sockpingpong},
	{"pipe_bw", bandwidth},
};

/* Does name begin with, or is it wanted by, one of the arguments? */
static int
wanted(const char *name)
{
	char **a;
	int i;

	if (args[1] == 0)
		return 1;
	for (a = args + 1; *a; a++) {
		for (i = 0; (*a)[i] && (*a)[i] == name[i]; i++)
			;
		if ((*a)[i] == 0)
			return 1;
	}
	return 0;
}

/* Is there a time-stamp counter?  A 486 may not even have cpuid. */
static int
hastsc(void)
{
	u32 a, b, c, d, changed;

	__asm__ volatile("pushf\n\tpop %0\n\tmov %0, %1\n\t"
			 "xor $0x200000, %0\n\tpush %0\n\tpopf\n\t"
			 "pushf\n\tpop %0\n\txor %1, %0"
			 : "=&r"(changed), "=&r"(a));
	if (!(changed & 0x200000))
		return 0;
	__asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "0"(1));
	return d >> 4 & 1;
}

static void
calibrate(void)
{
	u64 t, least = ~0ull;
	int i;

	for (i = 0; i < 50; i++) {
		ovh = 0;
		start();
		t = stop();
		if (t < least)
			least = t;
	}
	ovh = least;
}

/* sp is where the kernel left argc. */
__attribute__((used, noreturn)) static void
begin(u32 *sp)
{
	u64 t;
	u32 i;

	args = (char **)sp + 1;
	if (sp[0] > 1 && args[1][0] == '-' && args[1][2] == 'e')
		finish(0); /* --exit */
	if (!hastsc()) {
		put("bench: this processor has no time-stamp counter\n");
		finish(1);
	}
	t = rdtsc();
	put("tsc_at_start ");
	putnum(t);
	put("\n");
	shared = (u64 *)sys6(NR_mmap2, 0, PG, RW, SHANON, -1, 0);
	*shared = 0;
	calibrate();
	for (i = 0; i < sizeof benches / sizeof benches[0]; i++)
		if (wanted(benches[i].name))
			benches[i].fn();
	finish(0);
}

__asm__(".globl _start\n_start:\n\t"
	"xor %ebp, %ebp\n\tmov %esp, %eax\n\tand $-16, %esp\n\t"
	"sub $12, %esp\n\tpush %eax\n\tcall begin");
