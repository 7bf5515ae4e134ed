/*
 * t_ptregs.c - what a tracer reads and changes: memory, registers of CPU and
 * FPU, single steps, watchpoints.
 */
#include "tracer.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>

#define DEBUGREG(n) (offsetof(struct user, u_debugreg) + 4 * (n))

static const int constant[2048] = {1, 2, 3};
static int variable = 5;

static int
answer(void)
{
	return 42;
}

static int (*volatile ask)(void) = answer; /* compilers know nothing of it */

static void
poked(void)
{
	checkeq(variable, 6);
	checkeq(((const volatile int *)constant)[1024], 99);
	checkeq(ask(), 43);
	must(fork() >= 0); /* the copies are the process's own */
	checkeq(ask(), 43);
	if (getppid() != 1)
		while (wait(0) > 0)
			;
	*(volatile int *)&constant[1024] = 1; /* still not writable */
}

static void
ptrace_poke_is_private(void)
{
	int pid = traced(poked), st;
	unsigned char *code = (unsigned char *)answer;
	char at = 0;
	long w;

	for (; code < (unsigned char *)answer + 16; code++)
		if (*(int *)code == 42)
			at = 1;
		else if (at)
			break;
	for (code = (unsigned char *)answer; *(int *)code != 42; code++)
		;
	must(at);
	checkeq(peek(pid, &variable), 5);
	checkeq(peek(pid, &constant[0]), 1);
	must(trace(PTRACE_POKEDATA, pid, (long)&variable, 6) == 0);
	must(trace(PTRACE_POKEDATA, pid, (long)&constant[1024], 99) == 0);
	w = peek(pid, code);
	must(trace(PTRACE_POKETEXT, pid, (long)code, w + 1) == 0);
	checkeq(peek(pid, code), w + 1);
	checkeq(variable, 5);
	checkeq(((const volatile int *)constant)[1024], 0);
	checkeq(ask(), 42);
	for (st = STOPPED(0); WIFSTOPPED(st);)
		st = go(PTRACE_CONT, pid, WSTOPSIG(st) == SIGSEGV
			? SIGSEGV : 0);
	checkeq(st & 0x7f, SIGSEGV);
}

static void
regschild(void)
{
	int r, pid = getpid();

	__asm__ volatile("int3" : "=a"(r) : "0"(1), "b"(pid));
	checkeq(r, 77);
}

static void
ptrace_registers(void)
{
	struct user_regs_struct r, s;
	struct user_fpregs_struct fp;
	struct user_fpxregs_struct fx;
	struct iovec iov = {&s, sizeof s};
	int pid = traced(regschild);
	siginfo_t si;

	checkeq(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP));
	must(trace(PTRACE_GETSIGINFO, pid, 0, (long)&si) == 0);
	checkeq(si.si_code, SI_KERNEL);
	must(trace(PTRACE_GETREGS, pid, 0, (long)&r) == 0);
	checkeq(r.eax, 1);
	checkeq(r.ebx, pid);
	checkeq(r.orig_eax, -1);
	checkeq(peek(pid, (void *)(r.eip - 1)) & 0xff, 0xcc);
	must(trace(PTRACE_GETREGSET, pid, NT_PRSTATUS, (long)&iov) == 0);
	checkeq(iov.iov_len, sizeof s);
	checkeq(memcmp(&r, &s, sizeof r), 0);
	iov.iov_len = 8;
	must(trace(PTRACE_GETREGSET, pid, NT_PRSTATUS, (long)&iov) == 0);
	checkeq(iov.iov_len, 8);
	iov.iov_len = 7;
	checkerr(trace(PTRACE_GETREGSET, pid, NT_PRSTATUS, (long)&iov), EINVAL);
	iov.iov_len = 8;
	checkerr(trace(PTRACE_GETREGSET, pid, 0x4242, (long)&iov), EINVAL);
	must(trace(PTRACE_GETFPREGS, pid, 0, (long)&fp) == 0);
	checkeq(fp.cwd & 0xffff, 0x37f);
	must(trace(PTRACE_GETFPXREGS, pid, 0, (long)&fx) == 0);
	checkeq(fx.cwd, 0x37f);
	checkeq(fx.mxcsr & 0xffc0, 0x1f80);
	fx.mxcsr = 0xffff0000;
	/* EIO; under a 64-bit kernel EINVAL */
	check(trace(PTRACE_SETFPXREGS, pid, 0, (long)&fx) < 0);
	checkerr(trace(PTRACE_POKEUSER, pid, OFF(xcs), 0), EIO);
	checkerr(trace(PTRACE_POKEUSER, pid, OFF(xds), 0x10), EIO);
	must(trace(PTRACE_POKEUSER, pid, OFF(eflags), -1) == 0);
	checkeq(peekuser(pid, OFF(eflags)) & 0x203300, 0x200 | 0x100);
	r.eax = 77;
	must(trace(PTRACE_SETREGS, pid, 0, (long)&r) == 0);
	checkeq(peekuser(pid, OFF(eflags)), r.eflags);
	checkeq(go(PTRACE_CONT, pid, 0), 0);
}

static double result;

static void
fpuchild(void)
{
	double d;

	__asm__ volatile("fld1\n\tint3\n\tfstpl %0" : "=m"(d));
	result = d;
	check(d == 2.0);
}

static void
ptrace_fpu_registers(void)
{
	static const unsigned char two[10] = {0, 0, 0, 0, 0, 0, 0, 0x80, 0,
		0x40};
	struct user_fpregs_struct fp;
	int pid = traced(fpuchild);

	checkeq(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP));
	must(trace(PTRACE_GETFPREGS, pid, 0, (long)&fp) == 0);
	checkeq(((unsigned char *)fp.st_space)[9], 0x3f);
	memcpy(fp.st_space, two, sizeof two);
	must(trace(PTRACE_SETFPREGS, pid, 0, (long)&fp) == 0);
	checkeq(go(PTRACE_CONT, pid, 0), 0);
}

/* Five instructions from its int3 on, a system call among them; then another
 * int3. */
static void
steps(void)
{
	int r;

	__asm__ volatile("int3\n\tmov $20, %%eax\n\tint $0x80\n\tnop\n\tnop\n\t"
			 "nop\n\tint3"
			 : "=a"(r));
	checkeq(r, getpid());
}

static void
ptrace_single_step(void)
{
	int pid = traced(steps), i;
	unsigned long eip;
	siginfo_t si;

	checkeq(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP));
	eip = peekuser(pid, OFF(eip));
	checkeq(go(PTRACE_SINGLESTEP, pid, 0), STOPPED(SIGTRAP));
	checkeq(peekuser(pid, OFF(eip)), eip + 5);
	must(trace(PTRACE_GETSIGINFO, pid, 0, (long)&si) == 0);
	checkeq(si.si_code, TRAP_TRACE);
	checkeq(peekuser(pid, OFF(eflags)) & 0x100, 0);
	checkeq(peekuser(pid, DEBUGREG(6)) & 0x4000, 0x4000);
	for (i = 0; i < 4; i++) {
		checkeq(go(PTRACE_SINGLESTEP, pid, 0), STOPPED(SIGTRAP));
		checkeq(peekuser(pid, OFF(eip)), eip + 7 + i);
		if (i == 0)
			checkeq(peekuser(pid, OFF(eax)), pid);
	}
	checkeq(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP));
	checkeq(peekuser(pid, OFF(eip)), eip + 11);
	checkeq(go(PTRACE_CONT, pid, 0), 0);
}

static volatile int watched, before, after;

static void
watches(void)
{
	before = 1;
	watched = 1;
	after = 1;
	ask();
}

static void
ptrace_debug_registers(void)
{
	int pid = traced(watches);
	siginfo_t si;

	if (trace(PTRACE_POKEUSER, pid, DEBUGREG(0), (long)&watched) < 0) {
		killed(pid);
		skip("no debug registers");
	}
	checkerr(trace(PTRACE_POKEUSER, pid, DEBUGREG(4), 1), EIO);
	checkerr(trace(PTRACE_POKEUSER, pid, DEBUGREG(7), 0x2 << 16 | 1),
		EINVAL);
	must(trace(PTRACE_POKEUSER, pid, DEBUGREG(1), (long)answer) == 0);
	/* 4 bytes written; an instruction */
	must(trace(PTRACE_POKEUSER, pid, DEBUGREG(7), 0xd << 16 | 1 | 4) == 0);
	checkeq(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP));
	must(trace(PTRACE_GETSIGINFO, pid, 0, (long)&si) == 0);
	checkeq(si.si_code, TRAP_HWBKPT);
	checkeq(peekuser(pid, DEBUGREG(6)) & 15, 1);
	checkeq(peek(pid, (void *)&before), 1);
	checkeq(peek(pid, (void *)&watched), 1);
	checkeq(peek(pid, (void *)&after), 0);
	checkeq(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP));
	checkeq(peekuser(pid, OFF(eip)), (long)answer);
	checkeq(peekuser(pid, DEBUGREG(6)) & 15, 2);
	watches(); /* nobody else's */
	checkeq(go(PTRACE_CONT, pid, 0), 0);
}

static int there[4 * 1024];

static void
ptrace_memory_by_proc_and_by_vector(void)
{
	struct iovec mine[2], its[2];
	char name[40], a[8], b[8];
	int pid = traced(poked), fd, w = 6, st;
	const void *ro = &constant[1024];

	there[0] = 1;
	sprintf(name, "/proc/%d/mem", pid);
	fd = open(name, O_RDWR);
	must(fd >= 0);
	checkeq(pread(fd, &st, 4, (long)&variable), 4);
	checkeq(st, 5);
	checkeq(pwrite(fd, &w, 4, (long)&variable), 4);
	w = 99;
	checkeq(pwrite(fd, &w, 4, (long)ro), 4); /* as with POKEDATA */
	checkerr(pread(fd, &st, 4, 0), EIO);
	close(fd);
	its[0] = (struct iovec){(void *)&constant[0], 6};
	its[1] = (struct iovec){&variable, 4};
	mine[0] = (struct iovec){a, 4};
	mine[1] = (struct iovec){b, 8};
	checkeq(process_vm_readv(pid, mine, 2, its, 2, 0), 10);
	checkeq(a[0], 1);
	checkeq(b[0], 2);
	checkeq(b[2], 6);
	its[1].iov_base = 0;
	checkeq(process_vm_readv(pid, mine, 2, its, 2, 0), 6);
	checkerr(process_vm_readv(pid, mine, 2, its + 1, 1, 0), EFAULT);
	checkerr(process_vm_readv(pid, mine, 2, its, 2, 1), EINVAL);
	checkerr(process_vm_readv(0x3fffffff, mine, 2, its, 2, 0), ESRCH);
	its[0] = (struct iovec){(void *)ro, 4};
	checkerr(process_vm_writev(pid, mine, 1, its, 1, 0), EFAULT);
	its[0] = (struct iovec){there, sizeof there};
	mine[0] = (struct iovec){there, sizeof there};
	checkeq(process_vm_writev(pid, mine, 1, its, 1, 0), sizeof there);
	checkeq(peek(pid, there), 1);
	killed(pid);
}

const struct test t_ptregs[] = {
	T(ptrace_poke_is_private),
	T(ptrace_registers),
	T(ptrace_fpu_registers),
	T(ptrace_single_step),
	T(ptrace_debug_registers),
	T(ptrace_memory_by_proc_and_by_vector),
	{0},
};
