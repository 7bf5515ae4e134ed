/* t_sigrt.c - signals in detail: queues, frames, stops. */
#include "t.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/ucontext.h>

#define NORDER 64

static volatile int count;
static int order[NORDER], values[NORDER];
static siginfo_t last;

static void
oninfo(int sig, siginfo_t *si, void *uc)
{
	(void)uc;
	if (count < NORDER) {
		order[count] = sig;
		values[count] = si->si_value.sival_int;
	}
	last = *si;
	count++;
}

/* Handle sig by fn, with all signals blocked meanwhile. */
static void
handle(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = {.sa_sigaction = fn,
		.sa_flags = SA_SIGINFO | flags};

	sigfillset(&sa.sa_mask);
	must(sigaction(sig, &sa, 0) == 0);
}

static void
blockall(void)
{
	sigset_t s;

	sigfillset(&s);
	must(sigprocmask(SIG_SETMASK, &s, 0) == 0);
}

static void
unblockall(void)
{
	sigset_t s;

	sigemptyset(&s);
	must(sigprocmask(SIG_SETMASK, &s, 0) == 0);
}

static int
queue(int sig, int value)
{
	union sigval v = {.sival_int = value};

	return sigqueue(getpid(), sig, v);
}

/* Lower numbers first, each in the order it was sent; 1 to 31 once only. */
static void
sigrt_order(void)
{
	static const int sent[][2] = {{40, 1}, {SIGUSR2, 2}, {34, 3}, {64, 4},
		{40, 5}, {34, 6}, {SIGUSR1, 7}, {SIGUSR2, 8}, {64, 9}};
	static const int want[][2] = {{SIGUSR1, 7}, {SIGUSR2, 2}, {34, 3},
		{34, 6}, {40, 1}, {40, 5}, {64, 4}, {64, 9}};
	siginfo_t si;
	sigset_t s;
	int i;

	blockall();
	sigfillset(&s);
	for (i = 0; i < NUM(sent); i++)
		checkeq(queue(sent[i][0], sent[i][1]), 0);
	for (i = 0; i < NUM(want); i++) {
		checkeq(sigwaitinfo(&s, &si), want[i][0]);
		checkeq(si.si_signo, want[i][0]);
		checkeq(si.si_value.sival_int, want[i][1]);
		checkeq(si.si_code, SI_QUEUE);
		checkeq(si.si_pid, getpid());
		checkeq(si.si_uid, getuid());
		checkeq(si.si_errno, 0);
	}
	for (i = 0; i < NUM(sent); i++) {
		handle(sent[i][0], oninfo, 0);
		checkeq(queue(sent[i][0], sent[i][1]), 0);
	}
	unblockall();
	checkeq(count, NUM(want));
	for (i = 0; i < NUM(want); i++) {
		checkeq(order[i], want[i][0]);
		checkeq(values[i], want[i][1]);
	}
}

/* Frames are pushed for all that is pending: the last one's handler is
 * first. */
static void
sigrt_frames_stack(void)
{
	struct sigaction sa = {.sa_sigaction = oninfo, .sa_flags = SA_SIGINFO};
	int i;

	blockall();
	for (i = 0; i < 3; i++) {
		must(sigaction(40 + i, &sa, 0) == 0);
		checkeq(queue(40 + i, i), 0);
	}
	unblockall();
	checkeq(count, 3);
	for (i = 0; i < 3; i++)
		checkeq(order[i], 42 - i);
}

/* The next pending signal, or -1. */
static int
taken(siginfo_t *si)
{
	struct timespec t = {0, 0};
	sigset_t s;

	sigfillset(&s);
	return sigtimedwait(&s, si, &t);
}

static void
sigrt_limit(void)
{
	struct rlimit lim = {sigqueued() + 10, sigqueued() + 10};
	siginfo_t si;
	int n;

	must(setrlimit(RLIMIT_SIGPENDING, &lim) == 0);
	blockall();
	for (n = 0; n <= 10 && queue(40, n) == 0; n++)
		;
	checkeq(errno, EAGAIN);
	checkrange(n, quire ? 10 : 1, 10); /* a host's are the user's */
	checkeq(kill(getpid(), 41), 0); /* comes, if with no more said */
	checkeq(kill(getpid(), SIGUSR1), 0);
	checkeq(taken(&si), SIGUSR1);
	checkeq(taken(&si), 40);
	checkeq(si.si_value.sival_int, 0);
	checkeq(queue(40, n), 0);
	while (n-- > 0)
		checkeq(taken(&si), 40);
	checkeq(taken(&si), 41);
	checkeq(si.si_code, SI_USER);
}

static void
sigrt_queueinfo_rules(void)
{
	siginfo_t si = {.si_code = SI_QUEUE};
	int pid = getpid(), child;
	sigset_t s;

	blockall();
	sigfillset(&s);
	si.si_errno = 5;
	checkeq(syscall(SYS_rt_tgsigqueueinfo, pid, pid, 40, &si), 0);
	checkeq(sigwaitinfo(&s, &si), 40);
	checkeq(si.si_errno, 5);
	checkerr(syscall(SYS_rt_tgsigqueueinfo, pid, 1, 40, &si), ESRCH);
	checkerr(syscall(SYS_rt_tgsigqueueinfo, pid, 0, 40, &si), EINVAL);
	checkerr(syscall(SYS_rt_tgsigqueueinfo, pid, pid, 40, 16), EFAULT);
	checkerr(syscall(SYS_rt_sigqueueinfo, pid, 65, &si), EINVAL);
	child = fork();
	if (child == 0) {
		pause();
		finish();
	}
	si.si_code = SI_USER; /* only to oneself may one lie */
	checkerr(syscall(SYS_rt_sigqueueinfo, child, 40, &si), EPERM);
	checkerr(syscall(SYS_rt_tgsigqueueinfo, child, child, 40, &si), EPERM);
	checkeq(syscall(SYS_rt_sigqueueinfo, pid, 40, &si), 0);
	checkeq(sigwaitinfo(&s, &si), 40);
	kill(child, SIGKILL);
	waitpid(child, 0, 0);
}

static void
sigrt_pending_sizes(void)
{
	unsigned set[2] = {~0u, ~0u};

	blockall();
	raise(SIGUSR1);
	raise(40);
	checkeq(syscall(SYS_rt_sigpending, set, 4), 0);
	checkeq(set[0], 1u << (SIGUSR1 - 1));
	checkeq(set[1], ~0u);
	checkeq(syscall(SYS_rt_sigpending, set, 8), 0);
	checkeq(set[1], 1u << (40 - 33));
	checkerr(syscall(SYS_rt_sigpending, set, 16), EINVAL);
	checkerr(syscall(SYS_rt_sigpending, 16, 8), EFAULT);
}

static void
sigrt_timedwait(void)
{
	struct timespec t = {0, 0};
	long long wide[2] = {0, (long long)0xffffffff000f4240}, start;
	sigset_t s;
	int pid;

	blockall();
	sigemptyset(&s);
	sigaddset(&s, 40);
	sigaddset(&s, SIGKILL); /* has no meaning */
	checkerr(syscall(SYS_rt_sigtimedwait, &s, 0, &t, 8), EAGAIN);
	checkerr(syscall(SYS_rt_sigtimedwait, &s, 0, &t, 4), EINVAL);
	checkerr(syscall(SYS_rt_sigtimedwait, 16, 0, &t, 8), EFAULT);
	checkerr(syscall(SYS_rt_sigtimedwait, &s, 0, 16, 8), EFAULT);
	t.tv_nsec = 1000000000;
	checkerr(syscall(SYS_rt_sigtimedwait, &s, 0, &t, 8), EINVAL);
	start = nowms();
	checkerr(syscall(421, &s, 0, wide, 8), EAGAIN);
	checkrange(nowms() - start, 1, 2000);
	raise(40);
	checkeq(syscall(421, &s, 0, wide, 8), 40);
	pid = fork();
	if (pid == 0) {
		queue(SIGUSR1, 0); /* not of the set */
		checkeq(sigwaitinfo(&s, &last), 40);
		checkeq(last.si_pid, getppid());
		finish();
	}
	kill(pid, 40);
	reaped(pid);
	raise(40);
	checkerr(syscall(SYS_rt_sigtimedwait, &s, 16, 0, 8), EFAULT);
	checkerr(syscall(421, &s, 0, wide, 8), EAGAIN); /* it was taken */
}

/* The first handler, which blocks all, returns to the old mask. */
static void
sigrt_suspend_many(void)
{
	sigset_t s;

	blockall();
	handle(SIGUSR1, oninfo, 0);
	handle(40, oninfo, 0);
	queue(40, 1);
	queue(SIGUSR1, 2);
	queue(40, 3);
	sigemptyset(&s);
	checkerr(sigsuspend(&s), EINTR);
	checkeq(count, 1);
	checkeq(order[0], SIGUSR1);
	must(sigprocmask(SIG_BLOCK, 0, &s) == 0);
	check(sigismember(&s, SIGUSR1) && sigismember(&s, 40));
	sigemptyset(&s);
	checkerr(sigsuspend(&s), EINTR);
	checkeq(count, 2);
}

static char stack[16384];

static void
onautodisarm(int sig, siginfo_t *si, void *arg)
{
	ucontext_t *uc = arg;
	stack_t old, mine = {.ss_sp = stack + 8192, .ss_size = 8192};
	char here;

	(void)sig, (void)si;
	checkrange(&here - stack, 0, sizeof stack);
	checkeq(sigaltstack(0, &old), 0);
	checkeq(old.ss_flags, SS_DISABLE);
	checkeq((uintptr_t)uc->uc_stack.ss_sp, (uintptr_t)stack);
	checkeq(uc->uc_stack.ss_size, 8192);
	checkeq(uc->uc_stack.ss_flags, (int)(1u << 31));
	checkeq(sigaltstack(&mine, 0), 0); /* the return undoes it */
	count++;
}

static void
sigrt_altstack_autodisarm(void)
{
	stack_t ss = {.ss_sp = stack, .ss_size = 8192, .ss_flags = 1 << 31},
		old;
	int i;

	handle(SIGUSR1, onautodisarm, SA_ONSTACK);
	checkeq(sigaltstack(&ss, 0), 0);
	for (i = 0; i < 2; i++) {
		raise(SIGUSR1);
		checkeq(sigaltstack(0, &old), 0);
		checkeq((uintptr_t)old.ss_sp, (uintptr_t)stack);
		checkeq(old.ss_flags, (int)(1u << 31));
	}
	checkeq(count, 2);
	ss.ss_flags = SS_ONSTACK; /* means the same as 0 */
	checkeq(sigaltstack(&ss, 0), 0);
	checkeq(sigaltstack(0, &old), 0);
	checkeq(old.ss_flags, 0);
	ss.ss_size = 2047;
	checkerr(sigaltstack(&ss, 0), ENOMEM);
	ss.ss_size = 2048;
	checkeq(sigaltstack(&ss, 0), 0);
	ss.ss_flags = SS_DISABLE;
	checkeq(sigaltstack(&ss, 0), 0);
	checkeq(sigaltstack(0, &old), 0);
	checkeq(old.ss_flags, SS_DISABLE);
	checkerr(sigaltstack((stack_t *)16, 0), EFAULT);
	checkerr(sigaltstack(0, (stack_t *)16), EFAULT);
}

/* The old sigaction and its frame: (int, struct sigcontext by value). */
static struct sigcontext oldframe;

static void
onold(int sig, struct sigcontext sc)
{
	oldframe = sc;
	order[count++] = sig;
}

static void
sigrt_old_frame(void)
{
	struct {
		void *handler;
		unsigned mask, flags;
		void *restorer;
	} act = {(void *)onold, 1 << (SIGUSR2 - 1), 0, 0}, old;
	sigset_t s;

	must(int80(67, SIGUSR1, (long)&act, 0) == 0);
	must(int80(67, SIGUSR1, 0, (long)&old) == 0);
	checkeq((uintptr_t)old.handler, (uintptr_t)act.handler);
	checkeq(old.mask, act.mask);
	checkeq(old.flags & ~0x04000000, 0);
	checkeq(int80(SYS_kill, getpid(), SIGUSR1, 0), 0);
	checkeq(count, 1);
	checkeq(order[0], SIGUSR1);
	checkeq(oldframe.cs & 3, 3);
	checkeq(oldframe.eax, 0); /* what kill returned */
	checkeq(oldframe.ecx, SIGUSR1);
	sigemptyset(&s);
	must(sigprocmask(SIG_BLOCK, 0, &s) == 0);
	check(!sigismember(&s, SIGUSR2));
	checkerr((errno = -int80(67, SIGKILL, (long)&act, 0), -1), EINVAL);
}

/* The handler changes registers of the frame: they hold after it. */
static double newst = 2.5;

static void
onchange(int sig, siginfo_t *si, void *arg)
{
	ucontext_t *uc = arg;
	struct _fpstate *fp = (void *)uc->uc_mcontext.fpregs;
	unsigned char *fx = (unsigned char *)fp + 112;
	long double x = newst;

	(void)sig, (void)si;
	count++;
	must(fp);
	checkeq(fp->magic, 0); /* FXSAVE's image follows */
	checkeq(((unsigned *)fx)[6], 0x1f80); /* MXCSR */
	memcpy(&fp->_st[0], &x, 10);
	memset(fx + 160, 0x5a, 16); /* xmm0 */
	uc->uc_mcontext.gregs[REG_ESI] = 0x1234;
	uc->uc_mcontext.gregs[REG_EIP] += 2; /* over ud2 */
	sigaddset(&uc->uc_sigmask, SIGUSR2);
}

static void
sigrt_handler_changes_frame(void)
{
	unsigned char xmm[16];
	double st = 0;
	unsigned esi;
	sigset_t s;

	handle(SIGILL, onchange, 0);
	__asm__ volatile("fninit\n\tfld1\n\tpxor %%xmm0, %%xmm0\n\t"
			 "xor %%esi, %%esi\n\tud2\n\t"
			 "movdqu %%xmm0, %1\n\tfstpl %2"
			 : "=S"(esi), "=m"(xmm), "=m"(st)
			 :
			 : "memory", "cc");
	checkeq(count, 1);
	checkeq(esi, 0x1234);
	check(st == newst);
	checkeq(xmm[0], 0x5a);
	checkeq(xmm[15], 0x5a);
	must(sigprocmask(SIG_BLOCK, 0, &s) == 0);
	check(sigismember(&s, SIGUSR2));
}

/* A frame of junk ends the process at worst. */
static void
onjunk(int sig, siginfo_t *si, void *arg)
{
	ucontext_t *uc = arg;
	unsigned char *fp = (void *)uc->uc_mcontext.fpregs;
	unsigned i;

	(void)sig, (void)si;
	switch (rnd() % 4) {
	case 0: /* selectors and flags */
		uc->uc_mcontext.gregs[rnd() % 4] = rnd();
		uc->uc_mcontext.gregs[REG_EFL] = rnd();
		uc->uc_mcontext.gregs[REG_CS] = rnd();
		uc->uc_mcontext.gregs[REG_SS] = rnd();
		break;
	case 1: /* FPU */
		for (i = 0; i < 64; i++)
			fp[rnd() % 624] = rnd();
		break;
	case 2:
		uc->uc_mcontext.fpregs = (void *)(uintptr_t)rnd();
		break;
	default:
		for (i = 0; i < 4; i++)
			((unsigned *)uc)[rnd() % (sizeof *uc / 4)] = rnd();
	}
}

static void
junk(void)
{
	handle(SIGUSR1, onjunk, 0);
	alarm(2);
	int80(SYS_kill, int80(SYS_getpid, 0, 0, 0), SIGUSR1, 0);
	__asm__ volatile("fld1\n\tfstp %%st(0)\n\tpaddd %%xmm0, %%xmm0" : :);
	int80(SYS_exit, 0, 0, 0);
}

static void
sigrt_junk_frames(void)
{
	int i, st;

	for (i = 0; i < 300; i++) {
		srnd(i + 1);
		st = status(junk);
		check(WIFEXITED(st) || WIFSIGNALED(st));
	}
}

/* Single steps: a trap after each instruction, until the flag is cleared. */
static void
onstep(int sig, siginfo_t *si, void *arg)
{
	ucontext_t *uc = arg;

	checkeq(sig, SIGTRAP);
	checkeq(si->si_code, TRAP_TRACE);
	checkeq((uintptr_t)si->si_addr,
		(uintptr_t)uc->uc_mcontext.gregs[REG_EIP]);
	count++;
}

static void
sigrt_single_steps(void)
{
	handle(SIGTRAP, onstep, 0);
	__asm__ volatile("pushf\n\torl $0x100, (%%esp)\n\tpopf\n\t"
			 "nop\n\tnop\n\tnop\n\t"
			 "pushf\n\tandl $~0x100, (%%esp)\n\tpopf"
			 :
			 :
			 : "cc", "memory");
	checkeq(count, 6);
}

static int fpcode;
static sigjmp_buf jump;

static void
onfpe(int sig, siginfo_t *si, void *uc)
{
	(void)sig, (void)uc;
	fpcode = si->si_code;
	siglongjmp(jump, 1);
}

/* Unmask one exception, let it happen: si_code. */
#define X87(bit, code) \
	do { \
		unsigned short cw = 0x37f & ~(bit); \
		fpcode = -1; \
		if (sigsetjmp(jump, 1) == 0) \
			__asm__ volatile("fninit\n\tfldcw %0\n\t" code \
					 "\n\tfwait" \
					 : \
					 : "m"(cw), "m"(big), "m"(tiny)); \
		__asm__ volatile("fninit"); \
	} while (0)

static void
sigrt_x87_causes(void)
{
	long double big = 1.1e4932L, tiny = 3.4e-4932L;

	handle(SIGFPE, onfpe, 0);
	X87(1, "fldz\n\tfldz\n\tfdivrp");
	checkeq(fpcode, FPE_FLTINV);
	X87(4, "fld1\n\tfldz\n\tfdivrp");
	checkeq(fpcode, FPE_FLTDIV);
	X87(8, "fldt %1\n\tfmul %%st(0)");
	checkeq(fpcode, FPE_FLTOVF);
	X87(16, "fldt %2\n\tfmul %%st(0)");
	checkeq(fpcode, FPE_FLTUND);
	X87(32, "fld1\n\tfldpi\n\tfdivrp");
	checkeq(fpcode, FPE_FLTRES);
}

static void
sigrt_nocldwait_and_nocldstop(void)
{
	int pid, st;

	handle(SIGCHLD, oninfo, SA_NOCLDWAIT | SA_RESTART);
	pid = fork();
	if (pid == 0)
		_exit(3);
	checkerr(waitpid(pid, &st, 0), ECHILD);
	checkeq(count, 1); /* told, but nothing is left to wait for */
	checkeq(last.si_code, CLD_EXITED);
	checkeq(last.si_status, 3);
	handle(SIGCHLD, oninfo, SA_RESTART);
	count = 0;
	pid = fork();
	if (pid == 0) {
		raise(SIGSTOP);
		_exit(0);
	}
	must(waitpid(pid, &st, WUNTRACED) == pid);
	checkeq(count, 1);
	checkeq(last.si_code, CLD_STOPPED);
	checkeq(last.si_status, SIGSTOP);
	checkeq(last.si_pid, pid);
	handle(SIGCHLD, oninfo, SA_RESTART | SA_NOCLDSTOP);
	kill(pid, SIGCONT);
	must(waitpid(pid, &st, 0) == pid);
	checkeq(count, 2);
	checkeq(last.si_code, CLD_EXITED);
	handle(SIGCHLD, oninfo, SA_RESTART);
	pid = fork();
	if (pid == 0) {
		raise(SIGSTOP);
		for (;;)
			pause();
	}
	must(waitpid(pid, &st, WUNTRACED) == pid);
	count = 0;
	kill(pid, SIGCONT);
	must(waitpid(pid, &st, WCONTINUED) == pid);
	while (!count) /* it comes when the child runs */
		sched_yield();
	checkeq(count, 1);
	checkeq(last.si_code, CLD_CONTINUED);
	checkeq(last.si_status, SIGCONT);
	kill(pid, SIGKILL);
	must(waitpid(pid, &st, 0) == pid);
	checkeq(last.si_code, CLD_KILLED);
}

/* A stop drops a pending SIGCONT and the other way round; SIGCONT continues
 * even when it is blocked. */
static void
sigrt_stop_and_cont_cancel(void)
{
	int pid, st;
	sigset_t s;

	pid = fork();
	if (pid == 0) {
		blockall();
		raise(SIGTSTP);
		raise(SIGTTIN);
		sigpending(&s);
		check(sigismember(&s, SIGTSTP) && sigismember(&s, SIGTTIN));
		raise(SIGCONT);
		sigpending(&s);
		check(!sigismember(&s, SIGTSTP) && !sigismember(&s, SIGTTIN));
		check(sigismember(&s, SIGCONT));
		raise(SIGTTOU);
		sigpending(&s);
		check(sigismember(&s, SIGTTOU) && !sigismember(&s, SIGCONT));
		raise(SIGSTOP);
		sigpending(&s);
		check(!sigismember(&s, SIGTTOU) && sigismember(&s, SIGCONT));
		finish();
	}
	must(waitpid(pid, &st, WUNTRACED) == pid);
	checkeq(st, 0x137f);
	kill(pid, SIGCONT);
	reaped(pid);
}

/* An ignored or handled stop signal stops nothing; one that acts does. */
static void
sigrt_terminal_stops(void)
{
	int pid, st;

	pid = fork();
	if (pid == 0) {
		setpgid(0, 0); /* a group of its own, with a parent outside */
		signal(SIGTSTP, SIG_IGN);
		raise(SIGTSTP);
		handle(SIGTSTP, oninfo, 0);
		raise(SIGTSTP);
		checkeq(count, 1);
		signal(SIGTSTP, SIG_DFL);
		raise(SIGTSTP);
		finish();
	}
	setpgid(pid, pid);
	must(waitpid(pid, &st, WUNTRACED) == pid);
	checkeq(st, SIGTSTP << 8 | 0x7f);
	kill(pid, SIGCONT);
	reaped(pid);
}

static void
onjump(int sig, siginfo_t *si, void *uc)
{
	(void)sig, (void)si, (void)uc;
	count++;
	siglongjmp(jump, 1);
}

/* Out of the handler of a call's interruption, 1000 times. */
static void
sigrt_longjmp_out(void)
{
	volatile int i;
	sigset_t s;

	handle(SIGALRM, onjump, SA_RESTART);
	for (i = 0; i < 20; i++) {
		if (sigsetjmp(jump, 1) == 0) {
			ualarm(2000, 0);
			pause();
			failed(__FILE__, __LINE__, "pause returned");
		}
	}
	checkeq(count, 20);
	must(sigprocmask(SIG_BLOCK, 0, &s) == 0);
	check(!sigismember(&s, SIGALRM));
}

static void
dumpcore(void)
{
	struct rlimit lim = {RLIM_INFINITY, RLIM_INFINITY};

	setrlimit(RLIMIT_CORE, &lim);
	mkdir("t_sigrt.d", 0700);
	must(chdir("t_sigrt.d") == 0);
	raise(SIGQUIT);
}

static void
nodump(void)
{
	struct rlimit lim = {0, RLIM_INFINITY};

	setrlimit(RLIMIT_CORE, &lim);
	raise(SIGQUIT);
}

static void
sigrt_core_flag(void)
{
	struct stat st;

	checkeq(status(nodump), SIGQUIT);
	if (!quire)
		return; /* a host may send cores elsewhere */
	handle(SIGCHLD, oninfo, SA_RESTART);
	checkeq(status(dumpcore), SIGQUIT | 0x80);
	checkeq(last.si_code, CLD_DUMPED);
	checkeq(last.si_status, SIGQUIT);
	must(stat("t_sigrt.d/core", &st) == 0);
	checkeq(st.st_mode, S_IFREG | 0600);
	unlink("t_sigrt.d/core");
	rmdir("t_sigrt.d");
}

/* Who changes rights leaves no core file; execve makes that good again. */
static void
changed(void)
{
	int sig = -1;

	checkeq(prctl(PR_GET_DUMPABLE), 1);
	checkeq(prctl(PR_SET_PDEATHSIG, SIGTERM), 0);
	must(setresuid(-1, 99, 0) == 0);
	check(prctl(PR_GET_DUMPABLE) != 1);
	checkeq(prctl(PR_GET_PDEATHSIG, &sig), 0);
	checkeq(sig, 0);
}

static void
sigrt_no_core_of_changed_ids(void)
{
	if (getuid() != 0)
		skip("not root");
	child(changed);
}

/* A child's end is told by the signal that clone was given, but not to another
 * program, which may have other rights: that gets SIGCHLD. */
static void
sigrt_exit_signal_and_exec(void)
{
	int go[2], tell[2], pid, child, st;

	must(pipe2(go, O_CLOEXEC) == 0 && pipe2(tell, O_CLOEXEC) == 0);
	if ((pid = fork()) == 0) {
		child = syscall(SYS_clone, SIGTERM, 0, 0, 0, 0);
		if (child == 0) {
			close(go[1]);
			_exit(read(go[0], &st, 1)); /* ends with execve */
		}
		must(write(tell[1], &child, sizeof child) == sizeof child);
		execl(exepath, "t", "--sleep", (char *)0);
		_exit(1);
	}
	close(go[1]);
	must(read(tell[0], &child, sizeof child) == sizeof child);
	ended(child);
	kill(pid, SIGUSR1);
	must(waitpid(pid, &st, 0) == pid);
	checkeq(st, SIGUSR1);
}

const struct test t_sigrt[] = {
	T(sigrt_order),
	T(sigrt_frames_stack),
	T(sigrt_limit),
	T(sigrt_queueinfo_rules),
	T(sigrt_pending_sizes),
	T(sigrt_timedwait),
	T(sigrt_suspend_many),
	T(sigrt_altstack_autodisarm),
	T(sigrt_old_frame),
	T(sigrt_handler_changes_frame),
	T(sigrt_junk_frames),
	T(sigrt_single_steps),
	T(sigrt_x87_causes),
	T(sigrt_nocldwait_and_nocldstop),
	T(sigrt_stop_and_cont_cancel),
	T(sigrt_terminal_stops),
	T(sigrt_longjmp_out),
	T(sigrt_core_flag),
	T(sigrt_no_core_of_changed_ids),
	T(sigrt_exit_signal_and_exec),
	{0},
};
