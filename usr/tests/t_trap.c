/* t_trap.c - what the processor refuses becomes the right signal. */
#include "t.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/ucontext.h>

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static struct {
	int sig, code, trap;
	uintptr_t addr; /* ~0: not looked at; 1: that of the instruction */
} want;

static char *page; /* what an access test uses */

static void
ontrap(int sig, siginfo_t *si, void *arg)
{
	greg_t *regs = ((ucontext_t *)arg)->uc_mcontext.gregs;

	checkeq(sig, want.sig);
	checkeq(si->si_signo, want.sig);
	checkeq(si->si_code, want.code);
	checkeq(regs[REG_TRAPNO], want.trap);
	if (want.addr == 1)
		checkeq((uintptr_t)si->si_addr, (uintptr_t)regs[REG_EIP]);
	else if (want.addr != ~0u)
		checkeq((uintptr_t)si->si_addr, want.addr);
	if (want.trap == 14) {
		checkeq(((ucontext_t *)arg)->uc_mcontext.cr2, want.addr);
		checkeq(regs[REG_ERR] & 4, 4);
	}
	finish();
}

static void (*body)(void);

static void
handled(void)
{
	static const int sigs[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
	struct sigaction sa = {.sa_sigaction = ontrap, .sa_flags = SA_SIGINFO};
	int i;

	for (i = 0; i < NUM(sigs); i++)
		sigaction(sigs[i], &sa, 0);
	body();
	failed(__FILE__, __LINE__, "no signal came");
}

/* fn must trap with this signal; without a handler it dies of it. */
static void
trap(void (*fn)(void), int sig, int code, int trapno, uintptr_t addr)
{
	want.sig = sig;
	want.code = code;
	want.trap = trapno;
	want.addr = addr;
	body = fn;
	child(handled);
	checkdeath(fn, sig);
}

static void
load(void)
{
	(void)*(volatile char *)page;
}

static void
store(void)
{
	*(volatile char *)page = 1;
}

static void
jump(void)
{
	((void (*)(void))page)();
}

static void
segv(void (*fn)(void), void *addr, int code)
{
	page = addr;
	trap(fn, SIGSEGV, code, 14, (uintptr_t)addr);
}

static void
trap_hole_and_null(void)
{
	char *p = area(1);

	must(munmap(p, PG) == 0);
	segv(load, p + 5, SEGV_MAPERR);
	segv(store, p + 6, SEGV_MAPERR);
	segv(load, 0, SEGV_MAPERR);
	segv(store, 0, SEGV_MAPERR);
	segv(jump, 0, SEGV_MAPERR);
}

static void
trap_read_only(void)
{
	page = mmap(0, PG, PROT_READ, ANON, -1, 0);
	segv(store, page + 100, SEGV_ACCERR);
	load();
	segv(store, page + 100, SEGV_ACCERR);
	segv(store, (void *)ontrap, SEGV_ACCERR); /* our own code */
}

static void
trap_prot_none(void)
{
	char *p = area(1);

	segv(load, p, SEGV_ACCERR);
	segv(store, p + PG - 1, SEGV_ACCERR);
}

static void
trap_kernel_address(void)
{
	static char *const at[] = {(char *)0x80000000, (char *)0x80100000,
		(char *)0xc0000000, (char *)0xfe000000, (char *)0xfffff000,
		(char *)0xffffffff};
	uintptr_t s, e;
	char perms[5];
	int i;

	for (i = 0; i < NUM(at); i++) {
		if (mapline(at[i], &s, &e, perms))
			continue; /* a host's, where it is the user's */
		segv(load, at[i], SEGV_MAPERR);
		segv(store, at[i], SEGV_MAPERR);
		segv(jump, at[i], SEGV_MAPERR);
	}
}

static void
trap_data_page_executes(void)
{
	if (!quire)
		skip("this machine may have no-execute pages");
	page = mmap(0, PG, PROT_READ | PROT_WRITE, ANON, -1, 0);
	*page = (char)0xc3; /* ret */
	child(jump);
}

static void
trap_file_past_end(void)
{
	int fd = open("t_trap", O_RDWR | O_CREAT | O_TRUNC, 0600);

	must(fd >= 0);
	must(unlink("t_trap") == 0);
	must(write(fd, "abc", 3) == 3);
	page = mmap(0, 2 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	must(page != MAP_FAILED);
	checkeq(page[2], 'c');
	checkeq(page[3] | page[PG - 1], 0);
	page += PG;
	trap(load, SIGBUS, BUS_ADRERR, 14, (uintptr_t)page);
	trap(store, SIGBUS, BUS_ADRERR, 14, (uintptr_t)page);
}

static void
divide(void)
{
	__asm__ volatile("xor %%edx, %%edx\n\tmov $1, %%eax\n\t"
			 "xor %%ecx, %%ecx\n\tdivl %%ecx"
			 :
			 :
			 : "eax", "ecx", "edx");
}

static void
divideoverflow(void)
{
	__asm__ volatile("mov $0x80000000, %%eax\n\tcltd\n\t"
			 "mov $-1, %%ecx\n\tidivl %%ecx"
			 :
			 :
			 : "eax", "ecx", "edx");
}

static void
trap_divide(void)
{
	trap(divide, SIGFPE, FPE_INTDIV, 0, 1);
	trap(divideoverflow, SIGFPE, FPE_INTDIV, 0, 1);
}

static void
x87(void)
{
	unsigned short cw = 0x37b; /* zero divide is not masked */

	__asm__ volatile("fninit\n\tfldcw %0\n\tfld1\n\tfldz\n\t"
			 "fdivrp\n\tfwait"
			 :
			 : "m"(cw));
}

static void
sse(void)
{
	unsigned csr = 0x1d80;
	float one = 1, zero = 0;

	__asm__ volatile("ldmxcsr %0\n\tmovss %1, %%xmm0\n\t"
			 "divss %2, %%xmm0"
			 :
			 : "m"(csr), "m"(one), "m"(zero));
}

static void
trap_floating_point(void)
{
	trap(x87, SIGFPE, FPE_FLTDIV, 16, ~0u);
}

static void
trap_sse(void)
{
	if (status(sse) == 0)
		skip("this processor is an emulator's that never traps");
	trap(sse, SIGFPE, FPE_FLTDIV, 19, ~0u);
}

static void
ud2(void)
{
	__asm__ volatile("ud2");
}

static void
int3(void)
{
	__asm__ volatile("int3");
}

static void
trap_opcode_and_breakpoint(void)
{
	trap(ud2, SIGILL, ILL_ILLOPN, 6, 1);
	trap(int3, SIGTRAP, SI_KERNEL, 3, ~0u);
}

static void
singlestep(void)
{
	__asm__ volatile("pushf\n\torl $0x100, (%%esp)\n\tpopf\n\tnop\n\tnop"
			 :
			 :
			 : "cc", "memory");
}

static void
trap_single_step(void)
{
	trap(singlestep, SIGTRAP, TRAP_TRACE, 1, ~0u);
}

static void
hlt(void)
{
	__asm__ volatile("hlt");
}

static void
cli(void)
{
	__asm__ volatile("cli");
}

static void
in(void)
{
	__asm__ volatile("inb $0x60, %%al" : : : "eax");
}

static void
out(void)
{
	__asm__ volatile("outb %%al, $0x80" : : : "memory");
}

static void
int81(void)
{
	__asm__ volatile("int $0x81");
}

static void
int14(void)
{
	__asm__ volatile("int $14");
}

static void
badselector(void)
{
	__asm__ volatile("mov $0x1238, %%eax\n\tmov %%eax, %%ds" : : : "eax");
}

static void
kernelselector(void)
{
	__asm__ volatile("mov $0x10, %%eax\n\tmov %%eax, %%ss" : : : "eax");
}

static void
movcr3(void)
{
	__asm__ volatile("mov %%cr3, %%eax\n\tmov %%eax, %%cr3" : : : "eax");
}

static void
lgdt(void)
{
	static char gdt[6];

	__asm__ volatile("lgdt %0" : : "m"(gdt));
}

static void
farjump(void)
{
	__asm__ volatile("ljmp $0x08, $0x80100000");
}

static void
into(void)
{
	__asm__ volatile("mov $0x7fffffff, %%eax\n\tadd $1, %%eax\n\tinto"
			 :
			 :
			 : "eax");
}

static void
trap_protection(void)
{
	static void (*const fns[])(void) = {hlt, cli, in, out, int81, int14,
		badselector, kernelselector, movcr3, lgdt, farjump};
	int i;

	for (i = 0; i < NUM(fns); i++)
		trap(fns[i], SIGSEGV, SI_KERNEL, 13, 0);
	trap(into, SIGSEGV, SI_KERNEL, 4, 0);
}

static void
badgs(void)
{
	/* null is allowed, until it is used */
	__asm__ volatile("xor %%eax, %%eax\n\tmov %%ax, %%fs\n\t"
			 "mov %%fs:0, %%eax"
			 :
			 :
			 : "eax");
}

static void
trap_null_segment(void)
{
	/* an emulator that checks no limits finds a hole at address 0 */
	checkdeath(badgs, SIGSEGV);
}

/* A signal that is blocked or ignored when the processor raises it kills. */
static void
blockedload(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, 0);
	signal(SIGSEGV, SIG_IGN);
	page = 0;
	load();
}

static void
trap_blocked_kills(void)
{
	checkdeath(blockedload, SIGSEGV);
}

static void
badstack(void)
{
	signal(SIGSEGV, (void (*)(int))(void *)ontrap);
	__asm__ volatile("mov $16, %esp\n\tpush %eax");
}

static void
kernelstack(void)
{
	signal(SIGUSR1, (void (*)(int))(void *)ontrap);
	__asm__ volatile("mov $0xfffff000, %%esp\n\tmov $20, %%eax\n\t"
			 "int $0x80\n\tmov %%eax, %%ebx\n\tmov $10, %%ecx\n\t"
			 "mov $37, %%eax\n\tint $0x80\n\tud2"
			 :
			 :
			 : "memory");
}

static void
trap_handler_without_stack_kills(void)
{
	checkdeath(badstack, SIGSEGV);
	checkdeath(kernelstack, SIGSEGV);
}

/* Flags that a program may set must not disturb the kernel. */
static void
trap_odd_flags(void)
{
	long r;

	__asm__ volatile("std\n\tpushf\n\torl $0x40000, (%%esp)\n\tpopf\n\t"
			 "int $0x80\n\tpushf\n\tandl $~0x40000, (%%esp)\n\t"
			 "popf\n\tcld"
			 : "=a"(r)
			 : "0"(SYS_getpid)
			 : "cc", "memory");
	checkeq(r, getpid());
}

const struct test t_trap[] = {
	T(trap_hole_and_null),
	T(trap_read_only),
	T(trap_prot_none),
	T(trap_kernel_address),
	T(trap_data_page_executes),
	T(trap_file_past_end),
	T(trap_divide),
	T(trap_floating_point),
	T(trap_sse),
	T(trap_opcode_and_breakpoint),
	T(trap_single_step),
	T(trap_protection),
	T(trap_null_segment),
	T(trap_blocked_kills),
	T(trap_handler_without_stack_kills),
	T(trap_odd_flags),
	{0},
};
