/* t_signal.c - signals: delivery, masks, frames, stops, groups. */
#include "t.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <time.h>

static volatile int count, lastsig;
static siginfo_t lastinfo;
static char order[8];
static char altstack[64 << 10];

static void
note(int sig)
{
	lastsig = sig;
	if (count < NUM(order))
		order[count] = sig;
	count++;
}

static void
noteinfo(int sig, siginfo_t *si, void *uc)
{
	(void)uc;
	note(sig);
	lastinfo = *si;
}

static void
handle(int sig, void (*fn)(int), int flags)
{
	struct sigaction sa = {.sa_handler = fn, .sa_flags = flags};

	must(sigaction(sig, &sa, 0) == 0);
}

static void
mask(int how, int sig)
{
	sigset_t s;

	sigemptyset(&s);
	if (sig)
		sigaddset(&s, sig);
	must(sigprocmask(how, &s, 0) == 0);
}

static int
pending(int sig)
{
	sigset_t s;

	must(sigpending(&s) == 0);
	return sigismember(&s, sig);
}

static void
signal_handler_and_info(void)
{
	handle(SIGUSR1, (void (*)(int))(void *)noteinfo, SA_SIGINFO);
	checkeq(kill(getpid(), SIGUSR1), 0);
	checkeq(count, 1);
	checkeq(lastinfo.si_signo, SIGUSR1);
	checkeq(lastinfo.si_code, SI_USER);
	checkeq(lastinfo.si_pid, getpid());
	checkeq(lastinfo.si_uid, getuid());
	checkeq(raise(SIGUSR1), 0);
	checkeq(count, 2);
	checkeq(lastinfo.si_code, SI_TKILL);
}

static void
signal_bad_arguments(void)
{
	struct sigaction sa = {.sa_handler = SIG_IGN};

	checkerr(sigaction(SIGKILL, &sa, 0), EINVAL);
	checkerr(sigaction(SIGSTOP, &sa, 0), EINVAL);
	checkeq(syscall(SYS_rt_sigaction, SIGKILL, 0, 0, 8), 0);
	checkerr(kill(getpid(), 65), EINVAL);
	checkerr(kill(getpid(), -1), EINVAL);
	checkeq(kill(getpid(), 0), 0);
	checkerr(kill(0x3ffffff, 0), ESRCH);
	checkerr(kill(-0x3ffffff, 0), ESRCH);
	checkerr(syscall(SYS_rt_sigprocmask, 0, 0, 0, 4), EINVAL);
	checkerr(syscall(SYS_rt_sigprocmask, 9, &sa, 0, 8), EINVAL);
}

static void
signal_mask_holds_back(void)
{
	handle(SIGUSR1, note, 0);
	mask(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1);
	raise(SIGUSR1); /* one only: it is not queued */
	checkeq(count, 0);
	check(pending(SIGUSR1));
	mask(SIG_UNBLOCK, SIGUSR1);
	checkeq(count, 1);
	check(!pending(SIGUSR1));
}

static void
signal_ignored_is_dropped(void)
{
	mask(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_IGN);
	check(!pending(SIGUSR1));
	mask(SIG_UNBLOCK, SIGUSR1);
	raise(SIGUSR1);
	signal(SIGCHLD, SIG_DFL);
	raise(SIGCHLD);
	raise(SIGWINCH);
	raise(SIGURG);
	raise(SIGCONT);
}

static void
signal_realtime_queues_in_order(void)
{
	union sigval v;
	int i;

	handle(SIGRTMIN + 1, (void (*)(int))(void *)noteinfo, SA_SIGINFO);
	mask(SIG_BLOCK, SIGRTMIN + 1);
	for (i = 1; i <= 3; i++) {
		v.sival_int = i;
		must(sigqueue(getpid(), SIGRTMIN + 1, v) == 0);
	}
	mask(SIG_UNBLOCK, SIGRTMIN + 1);
	checkeq(count, 3);
	checkeq(lastinfo.si_code, SI_QUEUE);
}

static volatile int depth, deepest;

static void
again(int sig)
{
	if (++depth > deepest)
		deepest = depth;
	if (count++ < 3)
		raise(sig);
	depth--;
}

static void
signal_does_not_nest_unless_asked(void)
{
	handle(SIGUSR1, again, 0);
	raise(SIGUSR1);
	checkeq(count, 4);
	checkeq(deepest, 1);
	count = deepest = 0;
	handle(SIGUSR1, again, SA_NODEFER);
	raise(SIGUSR1);
	checkeq(count, 4);
	checkeq(deepest, 4);
}

static void
raiseother(int sig)
{
	note(sig);
	raise(SIGUSR2);
	note(sig);
}

static void
signal_nested_and_masked_by_action(void)
{
	struct sigaction sa = {.sa_handler = raiseother};
	static const char nested[] = {SIGUSR1, SIGUSR2, SIGUSR1};
	static const char later[] = {SIGUSR1, SIGUSR1, SIGUSR2};

	handle(SIGUSR2, note, 0);
	handle(SIGUSR1, raiseother, 0);
	raise(SIGUSR1);
	check(memcmp(order, nested, 3) == 0);
	count = 0;
	sigaddset(&sa.sa_mask, SIGUSR2);
	sigaction(SIGUSR1, &sa, 0);
	raise(SIGUSR1);
	check(memcmp(order, later, 3) == 0);
}

static void
signal_resethand(void)
{
	struct sigaction sa;

	handle(SIGUSR1, note, SA_RESETHAND);
	raise(SIGUSR1);
	must(sigaction(SIGUSR1, 0, &sa) == 0);
	check(sa.sa_handler == SIG_DFL);
}

/* A signal to the parent when it has gone to sleep, then a byte. */
static int
pesterer(int fd, int sig)
{
	int parent = getpid(), pid = fork();

	must(pid >= 0);
	if (pid == 0) {
		msleep(100);
		kill(parent, sig);
		msleep(100);
		checkeq(write(fd, "x", 1), 1);
		finish();
	}
	return pid;
}

static void
signal_interrupts_or_restarts_read(void)
{
	int fd[2], pid;
	char c;

	must(pipe(fd) == 0);
	handle(SIGUSR1, note, SA_RESTART);
	pid = pesterer(fd[1], SIGUSR1);
	checkeq(read(fd[0], &c, 1), 1);
	checkeq(count, 1);
	reaped(pid);
	handle(SIGUSR1, note, 0);
	pid = pesterer(fd[1], SIGUSR1);
	checkerr(read(fd[0], &c, 1), EINTR);
	checkeq(count, 2);
	checkeq(read(fd[0], &c, 1), 1);
	reaped(pid);
}

static void
signal_interrupts_wait(void)
{
	int fd[2], pid, st;

	must(pipe(fd) == 0);
	handle(SIGUSR1, note, 0);
	pid = pesterer(fd[1], SIGUSR1);
	checkerr(waitpid(pid, &st, 0), EINTR);
	reaped(pid);
	handle(SIGUSR1, note, SA_RESTART);
	pid = pesterer(fd[1], SIGUSR1);
	checkeq(waitpid(pid, &st, 0), pid);
	checkeq(count, 2);
}

/* Until killed: SIGUSR1 for the parent, again and again. */
static int
nagger(void)
{
	int parent = getpid(), pid = fork();

	must(pid >= 0);
	if (pid == 0) {
		while (getppid() == parent) {
			msleep(200);
			kill(parent, SIGUSR1);
		}
		finish();
	}
	return pid;
}

static long long
nanoseconds(const struct timespec *t)
{
	return t->tv_sec * 1000000000ll + t->tv_nsec;
}

/* A sleep never restarts under a handler, and tells what is left: no less than
 * the time around it says, and about that, once nobody else has run in it. */
static void
signal_interrupts_sleep(void)
{
	struct timespec t = {1000, 0}, left, from, to;
	long long took, slept;
	int pid, tries = 100;

	handle(SIGUSR1, note, SA_RESTART);
	pid = nagger();
	do {
		must(clock_gettime(CLOCK_MONOTONIC, &from) == 0);
		left = (struct timespec){0, 0};
		checkerr(nanosleep(&t, &left), EINTR);
		must(clock_gettime(CLOCK_MONOTONIC, &to) == 0);
		took = nanoseconds(&to) - nanoseconds(&from);
		slept = nanoseconds(&t) - nanoseconds(&left);
		must(slept >= 0 && slept <= took + 20000000);
	} while ((slept < 100000000 || took - slept > 50000000) && --tries);
	check(tries > 0);
	check(count > 0);
	kill(pid, SIGKILL);
	must(waitpid(pid, 0, 0) == pid);
}

/* Not static: AROUND knows them by name. */
extern struct around {
	unsigned regs[8]; /* ebx ecx edx esi edi ebp eax flags */
	unsigned char xmm[8][16];
	unsigned char st[10];
} after;
extern unsigned char wantxmm[8][16], wantst[10];
struct around after;
unsigned char wantxmm[8][16], wantst[10];

static void
clobber(int sig)
{
	note(sig);
	__asm__ volatile("pcmpeqd %%xmm0, %%xmm0\n\tmovdqa %%xmm0, %%xmm1\n\t"
			 "movdqa %%xmm0, %%xmm2\n\tmovdqa %%xmm0, %%xmm3\n\t"
			 "movdqa %%xmm0, %%xmm4\n\tmovdqa %%xmm0, %%xmm5\n\t"
			 "movdqa %%xmm0, %%xmm6\n\tmovdqa %%xmm0, %%xmm7\n\t"
			 "fninit\n\tfldz\n\tfldz"
			 :
			 :
			 : "memory");
}

/* Load every register, trap or make a call, store every register. */
#define AROUND(instruction, eax) \
	__asm__ volatile("fninit\n\tfldt wantst\n\t" \
			 "movdqu wantxmm, %%xmm0\n\t" \
			 "movdqu wantxmm+16, %%xmm1\n\t" \
			 "movdqu wantxmm+32, %%xmm2\n\t" \
			 "movdqu wantxmm+48, %%xmm3\n\t" \
			 "movdqu wantxmm+64, %%xmm4\n\t" \
			 "movdqu wantxmm+80, %%xmm5\n\t" \
			 "movdqu wantxmm+96, %%xmm6\n\t" \
			 "movdqu wantxmm+112, %%xmm7\n\t" \
			 "push %%ebp\n\tmov $0x66666666, %%ebp\n\t" \
			 "stc\n\t" instruction "\n\t" \
			 "mov %%ebx, after\n\tmov %%ecx, after+4\n\t" \
			 "mov %%edx, after+8\n\tmov %%esi, after+12\n\t" \
			 "mov %%edi, after+16\n\tmov %%ebp, after+20\n\t" \
			 "mov %%eax, after+24\n\tpushf\n\tpop after+28\n\t" \
			 "pop %%ebp\n\t" \
			 "movdqu %%xmm0, after+32\n\t" \
			 "movdqu %%xmm1, after+48\n\t" \
			 "movdqu %%xmm2, after+64\n\t" \
			 "movdqu %%xmm3, after+80\n\t" \
			 "movdqu %%xmm4, after+96\n\t" \
			 "movdqu %%xmm5, after+112\n\t" \
			 "movdqu %%xmm6, after+128\n\t" \
			 "movdqu %%xmm7, after+144\n\t" \
			 "fstpt after+160" \
			 : "+a"(eax) \
			 : "b"(pid), "c"(SIGUSR1), "d"(0x33333333), \
			 "S"(0x44444444), "D"(0x55555555) \
			 : "memory", "cc")

static void
comparearound(int pid, unsigned eax)
{
	const unsigned want[7] = {pid, SIGUSR1, 0x33333333, 0x44444444,
		0x55555555, 0x66666666, eax};
	int i;

	for (i = 0; i < 7; i++)
		checkeq(after.regs[i], want[i]);
	checkeq(after.regs[7] & 1, 1); /* carry */
	check(memcmp(after.xmm, wantxmm, sizeof wantxmm) == 0);
	check(memcmp(after.st, wantst, sizeof wantst) == 0);
}

static void
signal_return_keeps_registers(void)
{
	long double x = 3.14159265358979323846L;
	unsigned eax;
	int pid = getpid(), i, si;

	memcpy(wantst, &x, sizeof wantst);
	for (i = 0; i < 128; i++)
		wantxmm[i / 16][i % 16] = i * 7 + 1;
	for (si = 0; si < 2; si++) {
		handle(SIGUSR1, clobber, si ? SA_SIGINFO : 0);
		handle(SIGTRAP, clobber, si ? SA_SIGINFO : 0);
		memset(&after, 0, sizeof after);
		eax = 0x77777777;
		AROUND("int3", eax);
		comparearound(pid, 0x77777777);
		memset(&after, 0, sizeof after);
		eax = SYS_kill;
		AROUND("int $0x80", eax);
		comparearound(pid, 0);
	}
	checkeq(count, 4);
}

static sigjmp_buf jump;
static uintptr_t handlersp;

static void
escape(int sig)
{
	char here;

	note(sig);
	handlersp = (uintptr_t)&here;
	siglongjmp(jump, 1);
}

static volatile int bottomless = 1;

static int
recurse(int n)
{
	volatile char frame[4096];

	frame[0] = n;
	return bottomless ? recurse(n + 1) + frame[0] : 0;
}

static void
signal_altstack_on_overflow(void)
{
	stack_t ss = {.ss_sp = altstack, .ss_size = sizeof altstack}, old;
	int i;

	must(sigaltstack(&ss, 0) == 0);
	handle(SIGSEGV, escape, SA_ONSTACK);
	for (i = 0; i < 3; i++)
		if (sigsetjmp(jump, 1) == 0)
			recurse(0);
	checkeq(count, 3);
	checkrange(handlersp - (uintptr_t)altstack, 0, sizeof altstack);
	must(sigaltstack(0, &old) == 0);
	checkeq((uintptr_t)old.ss_sp, (uintptr_t)altstack);
	checkeq(old.ss_flags, 0);
	ss.ss_size = 100;
	checkerr(sigaltstack(&ss, 0), ENOMEM);
	ss.ss_flags = 0x40;
	checkerr(sigaltstack(&ss, 0), EINVAL);
}

static void
changestack(int sig)
{
	stack_t ss = {.ss_sp = altstack, .ss_size = sizeof altstack}, old;

	checkerr(sigaltstack(&ss, 0), EPERM);
	checkeq(sigaltstack(0, &old), 0);
	checkeq(old.ss_flags, SS_ONSTACK);
	note(sig);
}

static void
signal_altstack_in_use(void)
{
	stack_t ss = {.ss_sp = altstack, .ss_size = sizeof altstack};

	must(sigaltstack(&ss, 0) == 0);
	handle(SIGUSR1, changestack, SA_ONSTACK);
	raise(SIGUSR1);
	checkeq(count, 1);
}

static void
signal_child_info(void)
{
	int pid;

	handle(SIGCHLD, (void (*)(int))(void *)noteinfo,
		SA_SIGINFO | SA_RESTART);
	pid = fork();
	if (pid == 0)
		_exit(42);
	waitpid(pid, 0, 0);
	checkeq(count, 1);
	checkeq(lastinfo.si_code, CLD_EXITED);
	checkeq(lastinfo.si_status, 42);
	checkeq(lastinfo.si_pid, pid);
	pid = fork();
	if (pid == 0) {
		raise(SIGKILL);
		_exit(1);
	}
	waitpid(pid, 0, 0);
	checkeq(lastinfo.si_code, CLD_KILLED);
	checkeq(lastinfo.si_status, SIGKILL);
}

static void
signal_stop_and_continue(void)
{
	int pid, st = 0;

	pid = fork();
	if (pid == 0) {
		for (;;)
			pause();
	}
	checkeq(waitpid(pid, &st, WNOHANG | WUNTRACED), 0);
	kill(pid, SIGSTOP);
	checkeq(waitpid(pid, &st, WUNTRACED), pid);
	checkeq(st, 0x137f);
	checkeq(waitpid(pid, &st, WNOHANG | WUNTRACED), 0); /* told once */
	kill(pid, SIGUSR1); /* not while it is stopped */
	msleep(20);
	checkeq(waitpid(pid, &st, WNOHANG), 0);
	kill(pid, SIGKILL); /* but this */
	checkeq(waitpid(pid, &st, 0), pid);
	checkeq(st, SIGKILL);
}

static void
signal_continue_is_reported(void)
{
	int pid, st = 0;

	pid = fork();
	if (pid == 0) {
		raise(SIGSTOP);
		_exit(9);
	}
	checkeq(waitpid(pid, &st, WUNTRACED), pid);
	checkeq(st, 0x137f);
	kill(pid, SIGCONT);
	checkeq(waitpid(pid, &st, WCONTINUED | WUNTRACED), pid);
	if (st == 0xffff)
		checkeq(waitpid(pid, &st, 0), pid);
	checkeq(st, 9 << 8);
}

static void
signal_wait_options(void)
{
	int a, st;

	checkerr(waitpid(-1, &st, WNOHANG), ECHILD);
	checkerr(waitpid(getpid(), &st, 0), ECHILD);
	checkerr(waitpid(-1, &st, 0x100), EINVAL);
	a = fork();
	if (a == 0) {
		setpgid(0, 0);
		_exit(1);
	}
	setpgid(a, a);
	checkeq(waitpid(-a, &st, 0), a);
	signal(SIGCHLD, SIG_IGN); /* children are reaped unseen */
	a = fork();
	if (a == 0)
		_exit(1);
	checkerr(waitpid(-1, &st, 0), ECHILD);
}

/* waitid tells whose the child was. */
static void
signal_wait_tells_user(void)
{
	siginfo_t si;
	int pid;

	if (getuid() != 0)
		skip("not root");
	if ((pid = fork()) == 0)
		_exit(setuid(99));
	must(waitid(P_PID, pid, &si, WEXITED) == 0);
	checkeq(si.si_pid, pid);
	checkeq(si.si_status, 0);
	checkeq(si.si_uid, 99);
}

static void
signal_suspend(void)
{
	int fd[2], pid;
	sigset_t none;

	must(pipe(fd) == 0);
	sigemptyset(&none);
	handle(SIGUSR1, note, 0);
	mask(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1); /* pending already: returns at once */
	checkerr(sigsuspend(&none), EINTR);
	checkeq(count, 1);
	pid = pesterer(fd[1], SIGUSR1);
	checkerr(sigsuspend(&none), EINTR);
	checkeq(count, 2);
	raise(SIGUSR1);
	check(pending(SIGUSR1)); /* the mask is back */
	reaped(pid);
}

static void
signal_alarm_and_pause(void)
{
	long long start = nowms();

	handle(SIGALRM, note, 0);
	checkeq(alarm(100), 0);
	checkrange(alarm(1), 99, 100);
	checkerr(pause(), EINTR);
	checkeq(lastsig, SIGALRM);
	checkrange(nowms() - start, 900, 3000);
	checkeq(alarm(0), 0);
}

static void
signal_timedwait(void)
{
	struct timespec t = {0, 50000000};
	siginfo_t si;
	sigset_t s;

	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	must(sigprocmask(SIG_BLOCK, &s, 0) == 0);
	checkerr(sigtimedwait(&s, &si, &t), EAGAIN);
	raise(SIGUSR1);
	checkeq(sigtimedwait(&s, &si, &t), SIGUSR1);
	checkeq(si.si_pid, getpid());
	check(!pending(SIGUSR1));
}

static void
signal_kills_group(void)
{
	int pid[3], i, st;

	for (i = 0; i < 3; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			setpgid(0, i ? pid[0] : 0);
			for (;;)
				pause();
		}
		setpgid(pid[i], pid[0]);
	}
	checkeq(getpgid(pid[2]), pid[0]);
	checkeq(kill(-pid[0], SIGTERM), 0);
	for (i = 0; i < 3; i++) {
		checkeq(waitpid(-pid[0], &st, 0) > 0, 1);
		checkeq(st, SIGTERM);
	}
	checkerr(kill(-pid[0], 0), ESRCH);
}

static void
abortnow(void)
{
	abort();
}

static void
signal_default_actions(void)
{
	checkdeath(abortnow, SIGABRT);
	handle(SIGABRT, note, 0);
	checkdeath(abortnow, SIGABRT);
}

static void
signal_inherited_by_fork(void)
{
	int pid;

	handle(SIGUSR1, note, 0);
	mask(SIG_BLOCK, SIGUSR2);
	raise(SIGUSR2); /* pending, but not the child's */
	pid = fork();
	if (pid == 0) {
		check(!pending(SIGUSR2));
		raise(SIGUSR1);
		checkeq(count, 1);
		signal(SIGUSR2, SIG_IGN);
		finish();
	}
	reaped(pid);
	checkeq(count, 0);
	check(pending(SIGUSR2));
}

/* From SIGCONT on a stop is no news, though the child has not run yet. */
static void
signal_continued_is_not_stopped(void)
{
	siginfo_t si;
	int st, pid = fork();

	must(pid >= 0);
	if (pid == 0) {
		raise(SIGSTOP);
		pause();
	}
	must(waitid(P_PID, pid, &si, WSTOPPED | WNOWAIT) == 0);
	checkeq(si.si_status, SIGSTOP);
	must(kill(pid, SIGCONT) == 0);
	checkeq(waitpid(pid, &st, WNOHANG | WUNTRACED), 0);
	kill(pid, SIGKILL);
	must(waitpid(pid, &st, 0) == pid);
	checkeq(st, SIGKILL);
}

/* A call that takes long keeps nobody from running, and can be killed. */
static void
signal_long_write(void)
{
	size_t n = 1 << 30;
	volatile int *step = mmap(0, PG, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	void *p = mmap(0, n, PROT_READ,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int st, fd = open("/dev/urandom", O_WRONLY), pid;

	must(step != MAP_FAILED && p != MAP_FAILED && fd >= 0);
	pid = fork();
	if (pid == 0) {
		*step = 1;
		check(write(fd, p, n) > 0);
		*step = 2;
		pause();
	}
	while (*step == 0)
		sched_yield();
	msleep(20); /* it is in the call by now: we run beside it */
	checkeq(*step, 1);
	kill(pid, SIGKILL);
	must(waitpid(pid, &st, 0) == pid);
	checkeq(st, SIGKILL);
	checkeq(*step, 1);
}

const struct test t_signal[] = {
	T(signal_handler_and_info),
	T(signal_bad_arguments),
	T(signal_mask_holds_back),
	T(signal_ignored_is_dropped),
	T(signal_realtime_queues_in_order),
	T(signal_does_not_nest_unless_asked),
	T(signal_nested_and_masked_by_action),
	T(signal_resethand),
	T(signal_interrupts_or_restarts_read),
	T(signal_interrupts_wait),
	T(signal_interrupts_sleep),
	T(signal_return_keeps_registers),
	T(signal_altstack_on_overflow),
	T(signal_altstack_in_use),
	T(signal_child_info),
	T(signal_stop_and_continue),
	T(signal_continue_is_reported),
	T(signal_wait_options),
	T(signal_wait_tells_user),
	T(signal_suspend),
	T(signal_alarm_and_pause),
	T(signal_timedwait),
	T(signal_kills_group),
	T(signal_default_actions),
	T(signal_inherited_by_fork),
	T(signal_continued_is_not_stopped),
	T(signal_long_write),
	{0},
};
