/*
 * t_fork.c - fork copies nothing that is not written.
 *
 * The tests that count copies do so between two readings of the kernel's
 * counter `cowcopy`, with nothing in between but instructions that are known to
 * write what is counted: fork, wait and exit are made by hand.
 */
#include "t.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

static volatile int global = 1;

static char *
pages(int n, int flags)
{
	char *p = mmap(0, n * PG, PROT_READ | PROT_WRITE,
		MAP_ANONYMOUS | flags, -1, 0);

	must(p != MAP_FAILED);
	return p;
}

/*
 * fork; the child writes one byte at each address that is not 0, and exits; the
 * parent waits.  Neither writes anything else, not even its stack, which is why
 * this is one piece of assembly.
 */
static void
forkwrite(volatile char *a, volatile char *b)
{
	long pid;

	__asm__ volatile("int $0x80\n\t" /* fork */
			 "test %%eax, %%eax\n\t"
			 "jnz 3f\n\t"
			 "test %%esi, %%esi\n\t"
			 "jz 1f\n\t"
			 "movb $1, (%%esi)\n"
			 "1:\ttest %%edi, %%edi\n\t"
			 "jz 2f\n\t"
			 "movb $1, (%%edi)\n"
			 "2:\tmov $1, %%eax\n\t"
			 "xor %%ebx, %%ebx\n\t"
			 "int $0x80\n" /* exit(0) */
			 "3:\tmov %%eax, %%ebx\n\t"
			 "xor %%ecx, %%ecx\n\t"
			 "xor %%edx, %%edx\n\t"
			 "mov $7, %%eax\n\t"
			 "int $0x80\n" /* waitpid(pid, 0, 0) */
			 : "=a"(pid)
			 : "0"(SYS_fork), "S"(a), "D"(b)
			 : "ebx", "ecx", "edx", "memory");
	check(pid > 0);
}

/* Two pages of code, one of globals, two of heap and one of stack: the child
 * writes one of the heap and the one of the stack, and two are copied. */
static void
fork_copies_what_is_written(void)
{
	volatile char *heap = pages(2, MAP_PRIVATE);
	volatile char stack[2 * PG];
	volatile char *page = (char *)(((uintptr_t)stack + PG - 1) & -PG);
	long copies;

	heap[0] = heap[PG] = page[0] = global = 5;
	vmstat("cowcopy");
	copies = vmstat("cowcopy");
	forkwrite(heap, page);
	copies = vmstat("cowcopy") - copies;
	if (quire)
		checkeq(copies, 2);
	checkeq(heap[0] + heap[PG] + page[0] + global, 20);
}

/* Not a page, and not a page table either. */
static void
fork_without_writes_copies_nothing(void)
{
	volatile char *heap = pages(64, MAP_PRIVATE);
	long copies, tables;
	int i;

	for (i = 0; i < 64; i++)
		heap[i * PG] = i;
	vmstat("cowcopy");
	tables = vmstat("tablecopy");
	copies = vmstat("cowcopy");
	forkwrite(0, 0);
	copies = vmstat("cowcopy") - copies;
	tables = vmstat("tablecopy") - tables;
	if (quire) {
		checkeq(copies, 0);
		checkeq(tables, 0);
	}
}

/* When the child has gone, the parent writes its own pages, not copies. */
static void
cow_sole_owner_keeps_page(void)
{
	volatile char *heap = pages(16, MAP_PRIVATE);
	long copies, i;

	for (i = 0; i < 16; i++)
		heap[i * PG] = i;
	forkwrite(0, 0);
	vmstat("cowcopy");
	copies = vmstat("cowcopy");
	for (i = 0; i < 16; i++)
		heap[i * PG] += 1;
	copies = vmstat("cowcopy") - copies;
	if (quire)
		checkeq(copies, 0);
	for (i = 0; i < 16; i++)
		checkeq(heap[i * PG], i + 1);
}

static volatile char *mem;
static int go[2], done[2]; /* pipes: parent to child and back */

static void
tell(int fd[2])
{
	checkeq(write(fd[1], "x", 1), 1);
}

static void
await(int fd[2])
{
	char c;

	checkeq(read(fd[0], &c, 1), 1);
}

static void
pipes(void)
{
	must(pipe(go) == 0 && pipe(done) == 0);
}

static void
writeown(void)
{
	int i;

	for (i = 0; i < 8; i++)
		checkeq(mem[i * PG], i);
	for (i = 0; i < 8; i++)
		mem[i * PG] = 100 + i;
	for (i = 0; i < 8; i++)
		checkeq(mem[i * PG], 100 + i);
}

static void
cow_child_write(void)
{
	int i;

	mem = pages(8, MAP_PRIVATE);
	for (i = 0; i < 8; i++)
		mem[i * PG] = i;
	child(writeown);
	for (i = 0; i < 8; i++)
		checkeq(mem[i * PG], i);
}

static void
cow_parent_write(void)
{
	int i, pid;

	pipes();
	mem = pages(8, MAP_PRIVATE);
	for (i = 0; i < 8; i++)
		mem[i * PG] = i;
	pid = fork();
	if (pid == 0) {
		await(go);
		writeown();
		finish();
	}
	for (i = 0; i < 8; i++)
		mem[i * PG] = 50 + i;
	tell(go);
	reaped(pid);
	for (i = 0; i < 8; i++)
		checkeq(mem[i * PG], 50 + i);
}

/* Each generation sees what its parent had at the fork, and only that. */
static void
generation(int n)
{
	int pid;

	checkeq(*mem, n);
	if (n == 6)
		finish();
	pid = fork();
	if (pid == 0) {
		*mem += 1;
		generation(n + 1);
	}
	reaped(pid);
	checkeq(*mem, n);
	*mem = 99;
	if (n)
		finish();
}

static void
cow_grandchildren(void)
{
	mem = pages(1, MAP_PRIVATE);
	*mem = 0;
	generation(0);
	checkeq(*mem, 99);
}

/* The parent exits first: the child's page is then the only one. */
static void
cow_orphan_keeps_data(void)
{
	char c = 0;
	int pid;

	pipes();
	mem = pages(4, MAP_PRIVATE);
	memset((void *)mem, 7, 4 * PG);
	pid = fork();
	if (pid == 0) {
		if (fork() == 0) {
			await(go);
			c = mem[0] + mem[3 * PG];
			mem[PG] = c;
			checkeq(write(done[1], (char *)&mem[PG], 1), 1);
			finish();
		}
		finish();
	}
	reaped(pid);
	memset((void *)mem, 1, 4 * PG);
	tell(go);
	checkeq(read(done[0], &c, 1), 1);
	checkeq(c, 14);
}

static void
readinto(void)
{
	checkeq(read(go[0], (void *)(mem + 100), 300), 300);
	checkeq(mem[100], 'q');
	checkeq(mem[99], 3);
	checkeq(mem[400], 3);
}

static void
cow_through_kernel_copyout(void)
{
	static char text[300];

	pipes();
	memset(text, 'q', sizeof text);
	mem = pages(1, MAP_PRIVATE);
	memset((void *)mem, 3, PG);
	must(write(go[1], text, 300) == 300);
	child(readinto);
	checkeq(mem[100], 3);
	checkeq(mem[399], 3);
}

static void
writeshared(void)
{
	await(go);
	checkeq(mem[0], 11);
	mem[0] = 12;
	mem[5 * PG] = 13;
	tell(done);
	await(go);
	checkeq(mem[6 * PG], 14);
}

static void
fork_shared_anon_both_ways(void)
{
	int pid;

	pipes();
	mem = pages(8, MAP_SHARED);
	mem[0] = 10;
	pid = fork();
	if (pid == 0) {
		writeshared();
		finish();
	}
	mem[0] = 11;
	tell(go);
	await(done);
	checkeq(mem[0], 12);
	checkeq(mem[5 * PG], 13);
	mem[6 * PG] = 14;
	tell(go);
	reaped(pid);
}

/* Untouched at the fork: a zero page read by one is not written by the
 * other. */
static void
writezero(void)
{
	checkeq(mem[0], 0);
	mem[0] = 1;
	mem[PG] = 1;
}

static void
cow_zero_page(void)
{
	mem = pages(2, MAP_PRIVATE);
	checkeq(mem[0], 0);
	child(writezero);
	checkeq(mem[0], 0);
	checkeq(mem[PG], 0);
}

static void
execself(void)
{
	char *argv[] = {exepath, "--exit", 0}, *envp[] = {0};

	execve(exepath, argv, envp);
	_exit(1);
}

static void
forkexec(int rounds)
{
	int i, pid, st, bad = 0;

	for (i = 0; i < rounds; i++) {
		pid = fork();
		if (pid == 0)
			execself();
		bad += pid < 0 || waitpid(pid, &st, 0) != pid || st != 0;
	}
	checkeq(bad, 0);
}

static void
fork_exec_1000_rounds(void)
{
	long before;

	forkexec(2);
	memfree();
	before = memfree();
	forkexec(1000);
	if (quire) /* several CPUs may want several of an object at once */
		checkrange(before - memfree(), 0, ncpus() > 1 ? 64 : 0);
}

static void
fork_many_at_once(void)
{
	static int pid[200];
	char c;
	int i;

	pipes();
	mem = pages(4, MAP_PRIVATE);
	for (i = 0; i < 200; i++) {
		mem[0] = i;
		pid[i] = fork();
		must(pid[i] >= 0);
		if (pid[i] == 0) {
			close(go[1]);
			mem[PG] = i;
			read(go[0], &c, 1);
			checkeq((unsigned char)mem[0], i);
			checkeq((unsigned char)mem[PG], i);
			finish();
		}
	}
	close(go[1]);
	for (i = 0; i < 200; i++)
		reaped(pid[i]);
}

/* Children by hand that read a pipe until it is closed: how many came up? */
static int
forkuntil(int max, int *err)
{
	char c;
	long pid;
	int n;

	for (n = 0; n < max; n++) {
		pid = int80(SYS_fork, 0, 0, 0);
		if (pid == 0) {
			int80(SYS_close, go[1], 0, 0);
			int80(SYS_read, go[0], (long)&c, 1);
			int80(SYS_exit, 0, 0, 0);
		}
		if (pid < 0) {
			*err = -pid;
			break;
		}
	}
	return n;
}

static void
forklimited(void)
{
	struct rlimit rl = {40, 40};
	int n, err = 0, got = 0;

	must(setrlimit(RLIMIT_NPROC, &rl) == 0);
	must(setuid(54321) == 0 || getuid() != 0);
	pipes();
	n = forkuntil(100, &err);
	checkeq(err, EAGAIN);
	check(n > 0);
	close(go[1]);
	while (wait(0) > 0)
		got++;
	checkeq(got, n);
	checkrange(fork() == 0 ? (_exit(0), 0) : wait(0) > 0, 1, 1);
}

static void
fork_until_eagain(void)
{
	child(forklimited);
}

static void
fork_pids_differ_and_wait_finds_each(void)
{
	int a = fork(), b, st;

	if (a == 0)
		_exit(3);
	b = fork();
	if (b == 0)
		_exit(4);
	check(a != b);
	checkeq(waitpid(b, &st, 0), b);
	checkeq(st, 4 << 8);
	checkeq(waitpid(a, &st, 0), a);
	checkeq(st, 3 << 8);
	checkerr(waitpid(-1, &st, 0), ECHILD);
}

/* The child of vfork runs in our memory, and we wait for it. */
static void
vfork_shares_memory_until_exit(void)
{
	static volatile int seen;
	int pid = vfork();

	if (pid == 0) {
		seen = 77;
		_exit(0);
	}
	checkeq(seen, 77);
	reaped(pid);
}

static void
vfork_then_exec(void)
{
	char *argv[] = {exepath, "--exit", 0};
	int pid = vfork();

	if (pid == 0) {
		execve(exepath, argv, environ);
		_exit(1);
	}
	reaped(pid);
}

const struct test t_fork[] = {
	T(fork_copies_what_is_written),
	T(fork_without_writes_copies_nothing),
	T(cow_sole_owner_keeps_page),
	T(cow_child_write),
	T(cow_parent_write),
	T(cow_grandchildren),
	T(cow_orphan_keeps_data),
	T(cow_through_kernel_copyout),
	T(cow_zero_page),
	T(fork_shared_anon_both_ways),
	T(fork_pids_differ_and_wait_finds_each),
	T(fork_many_at_once),
	T(fork_until_eagain),
	T(fork_exec_1000_rounds),
	T(vfork_shares_memory_until_exit),
	T(vfork_then_exec),
	{0},
};
