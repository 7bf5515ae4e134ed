/*
 * t_ptrace.c - one process traces another: who may, its stops, events, calls.
 *
 * Most tests begin with traced(fn), of tracer.h.
 */
#include "tracer.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>

#define EVENT(event)   (STOPPED(SIGTRAP) | (event) << 16)
#define SYSSTOP        STOPPED(SIGTRAP | 0x80)
#define STOPEVENT(sig) (STOPPED(sig) | PTRACE_EVENT_STOP << 16)

static void
nothing(void)
{
}

static void
ptrace_traceme_and_continue(void)
{
	struct user_regs_struct r;
	int pid = traced(nothing), st;

	checkeq(waitpid(pid, &st, WNOHANG), 0); /* told once */
	must(trace(PTRACE_GETREGS, pid, 0, (long)&r) == 0);
	check(r.esp != 0 && r.eip != 0);
	checkeq(peekuser(pid, OFF(eip)), r.eip);
	checkeq(peekuser(pid, OFF(esp)), r.esp);
	checkerr(trace(PTRACE_ATTACH, pid, 0, 0), EPERM);
	checkerr(trace(PTRACE_CONT, pid, 0, 99), EIO);
	checkeq(go(PTRACE_CONT, pid, 0), 0);
	checkerr(trace(PTRACE_CONT, pid, 0, 0), ESRCH);
}

static void
ptrace_refusals(void)
{
	int pid = traced(waiting);
	long w;

	checkerr(trace(PTRACE_ATTACH, getpid(), 0, 0), EPERM);
	checkerr(trace(PTRACE_ATTACH, 0x3fffffff, 0, 0), ESRCH);
	checkerr(trace(PTRACE_PEEKDATA, getppid(), 0, (long)&w), ESRCH);
	checkerr(trace(0x1234, pid, 0, 0), EIO);
	checkerr(trace(PTRACE_PEEKDATA, pid, 0, (long)&w), EIO);
	checkerr(trace(PTRACE_POKEDATA, pid, 0, 1), EIO);
	checkerr(trace(PTRACE_PEEKDATA, pid, 0xfffffffc, (long)&w), EIO);
	checkerr(trace(PTRACE_PEEKUSER, pid, 1, (long)&w), EIO);
	checkerr(trace(PTRACE_PEEKUSER, pid, 4096, (long)&w), EIO);
	checkerr(trace(PTRACE_GETREGS, pid, 0, 4), EFAULT);
	checkerr(trace(PTRACE_SETOPTIONS, pid, 0, 0x40000000), EINVAL);
	checkerr(trace(PTRACE_LISTEN, pid, 0, 0), EIO);
	checkerr(trace(PTRACE_INTERRUPT, pid, 0, 0), EIO);
	checkerr(trace(PTRACE_GETSIGMASK, pid, 4, (long)&w), EINVAL);
	must(trace(PTRACE_CONT, pid, 0, 0) == 0);
	checkerr(trace(PTRACE_PEEKDATA, pid, (long)&w, (long)&w), ESRCH);
	checkerr(trace(PTRACE_GETREGS, pid, 0, (long)&w), ESRCH);
	killed(pid);
}

static volatile int hits, last;

static void
onsignal(int sig)
{
	hits++;
	last = sig;
}

static void
raises(void)
{
	signal(SIGUSR1, onsignal);
	signal(SIGUSR2, onsignal);
	raise(SIGUSR1); /* suppressed */
	checkeq(hits, 0);
	raise(SIGUSR1); /* delivered */
	checkeq(hits, 1);
	raise(SIGUSR1); /* becomes another */
	checkeq(hits, 2);
	checkeq(last, SIGUSR2);
	signal(SIGUSR1, SIG_IGN);
	raise(SIGUSR1); /* seen though ignored */
	raise(SIGTERM); /* delivered: the end */
}

static void
ptrace_signals_pass_the_tracer(void)
{
	int pid = traced(raises);
	siginfo_t si;

	checkeq(go(PTRACE_CONT, pid, 0), STOPPED(SIGUSR1));
	must(trace(PTRACE_GETSIGINFO, pid, 0, (long)&si) == 0);
	checkeq(si.si_signo, SIGUSR1);
	checkeq(si.si_code, SI_TKILL);
	checkeq(si.si_pid, pid);
	checkeq(go(PTRACE_CONT, pid, 0), STOPPED(SIGUSR1));
	checkeq(go(PTRACE_CONT, pid, SIGUSR1), STOPPED(SIGUSR1));
	checkeq(go(PTRACE_CONT, pid, SIGUSR2), STOPPED(SIGUSR1));
	checkeq(go(PTRACE_CONT, pid, SIGUSR1), STOPPED(SIGTERM));
	checkeq(go(PTRACE_CONT, pid, SIGTERM), SIGTERM);
}

static siginfo_t seen;

static void
oninfo(int sig, siginfo_t *si, void *u)
{
	(void)sig, (void)u;
	seen = *si;
}

static void
raisesinfo(void)
{
	struct sigaction sa = {.sa_sigaction = oninfo, .sa_flags = SA_SIGINFO};

	sigaction(SIGUSR1, &sa, 0);
	sigaction(SIGUSR2, &sa, 0);
	raise(SIGUSR1);
	checkeq(seen.si_code, SI_QUEUE);
	checkeq(seen.si_value.sival_int, 4711);
	raise(SIGUSR1); /* becomes SIGUSR2, from the tracer */
	checkeq(seen.si_signo, SIGUSR2);
	checkeq(seen.si_code, SI_USER);
	checkeq(seen.si_pid, getppid());
}

static void
ptrace_siginfo(void)
{
	int pid = traced(raisesinfo);
	siginfo_t si;

	checkeq(go(PTRACE_CONT, pid, 0), STOPPED(SIGUSR1));
	memset(&si, 0, sizeof si);
	si.si_signo = SIGUSR1;
	si.si_code = SI_QUEUE;
	si.si_value.sival_int = 4711;
	must(trace(PTRACE_SETSIGINFO, pid, 0, (long)&si) == 0);
	checkeq(go(PTRACE_CONT, pid, SIGUSR1), STOPPED(SIGUSR1));
	checkeq(go(PTRACE_CONT, pid, SIGUSR2), 0);
}

static void
ptrace_single_step_into_handler(void)
{
	int pid = traced(raises);

	checkeq(go(PTRACE_CONT, pid, 0), STOPPED(SIGUSR1));
	checkeq(go(PTRACE_CONT, pid, 0), STOPPED(SIGUSR1));
	checkeq(go(PTRACE_SINGLESTEP, pid, SIGUSR1), STOPPED(SIGTRAP));
	checkeq(peekuser(pid, OFF(eip)), (long)onsignal);
	checkeq(go(PTRACE_CONT, pid, 0), STOPPED(SIGUSR1));
	checkeq(go(PTRACE_CONT, pid, SIGUSR2), STOPPED(SIGUSR1));
	killed(pid);
}

struct info { /* ptrace_syscall_info, not in every libc */
	unsigned char op, pad[3];
	unsigned arch;
	unsigned long long ip, sp, nr;
	unsigned long long args[6];
};

static void
calls(void)
{
	checkeq(int80(SYS_getppid, 1, 2, 3), 4711); /* result changed */
	checkeq(int80(SYS_getppid, 1, 2, 3), getpid()); /* another call */
	checkeq(int80(SYS_getppid, 1, 2, 3), 99); /* none */
	checkeq(int80(12345, 0, 0, 0), -ENOSYS);
}

/* Single calls between the stops of other functions: go on to the next one that
 * asks for nr. */
static void
nextcall(int pid, int nr)
{
	int i;

	for (i = 0; i < 100; i++) {
		checkeq(go(PTRACE_SYSCALL, pid, 0), SYSSTOP);
		if (peekuser(pid, OFF(orig_eax)) == nr)
			return;
		checkeq(go(PTRACE_SYSCALL, pid, 0), SYSSTOP);
	}
	check(!"the call is made");
}

static void
ptrace_system_calls(void)
{
	int pid = traced(calls);
	struct info info;
	long msg;

	must(trace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD) == 0);
	nextcall(pid, SYS_getppid);
	checkeq(peekuser(pid, OFF(eax)), -ENOSYS);
	must(trace(PTRACE_GETEVENTMSG, pid, 0, (long)&msg) == 0);
	checkeq(msg, 1);
	checkeq(trace(0x420e, pid, sizeof info, (long)&info), 80);
	checkeq(info.op, 1);
	checkeq(info.arch, 0x40000003);
	checkeq(info.nr, SYS_getppid);
	checkeq(info.args[0], 1);
	checkeq(info.args[2], 3);
	checkeq(go(PTRACE_SYSCALL, pid, 0), SYSSTOP);
	checkeq(peekuser(pid, OFF(eax)), getpid());
	must(trace(PTRACE_GETEVENTMSG, pid, 0, (long)&msg) == 0);
	checkeq(msg, 2);
	checkeq(trace(0x420e, pid, sizeof info, (long)&info), 33);
	checkeq(info.op, 2);
	checkeq(info.nr, getpid());
	must(trace(PTRACE_POKEUSER, pid, OFF(eax), 4711) == 0);
	nextcall(pid, SYS_getppid);
	must(trace(PTRACE_POKEUSER, pid, OFF(orig_eax), SYS_getpid) == 0);
	checkeq(go(PTRACE_SYSCALL, pid, 0), SYSSTOP);
	nextcall(pid, SYS_getppid);
	must(trace(PTRACE_POKEUSER, pid, OFF(orig_eax), -1) == 0);
	checkeq(go(PTRACE_SYSCALL, pid, 0), SYSSTOP);
	must(trace(PTRACE_POKEUSER, pid, OFF(eax), 99) == 0);
	nextcall(pid, 12345);
	checkeq(go(PTRACE_CONT, pid, 0), 0);
}

static void
restarts(void)
{
	char c;
	int fd[2];
	struct sigaction sa = {.sa_handler = onsignal, .sa_flags = SA_RESTART};

	sigaction(SIGUSR1, &sa, 0);
	must(pipe(fd) == 0);
	if (fork() == 0) {
		asleep(getppid());
		kill(getppid(), SIGUSR1);
		kill(getppid(), SIGCONT); /* nothing to it */
		msleep(1);
		must(write(fd[1], "x", 1) == 1);
		_exit(0);
	}
	checkeq(read(fd[0], &c, 1), 1);
	wait(0);
}

/* A call that a suppressed signal interrupts goes on. */
static void
ptrace_restarts_calls(void)
{
	int pid = traced(restarts), st = 0, n = 0;

	while (!WIFEXITED(st = go(PTRACE_CONT, pid, 0)))
		n += WSTOPSIG(st) == SIGUSR1;
	checkeq(st, 0);
	checkeq(n, 1);
}

static void
forks(void)
{
	int st, pid = fork();

	if (pid == 0)
		_exit(7);
	must(waitpid(pid, &st, 0) == pid);
	checkeq(st, 7 << 8);
	pid = vfork();
	if (pid == 0)
		_exit(8);
	must(waitpid(pid, &st, 0) == pid);
	checkeq(st, 8 << 8);
	_exit(9);
}

static long
message(int pid)
{
	long msg = -1;

	must(trace(PTRACE_GETEVENTMSG, pid, 0, (long)&msg) == 0);
	return msg;
}

/* Go on until something else than a SIGCHLD comes. */
static int
past(int pid)
{
	int st;

	while ((st = go(PTRACE_CONT, pid, 0)) == STOPPED(SIGCHLD))
		;
	return st;
}

static void
ptrace_fork_events(void)
{
	int pid = traced(forks), kid;

	must(trace(PTRACE_SETOPTIONS, pid, 0,
		     PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACEEXIT) == 0);
	checkeq(past(pid), EVENT(PTRACE_EVENT_FORK));
	kid = message(pid);
	checkeq(waitfor(kid), STOPPED(SIGSTOP)); /* traced from the start */
	checkeq(go(PTRACE_CONT, kid, 0), EVENT(PTRACE_EVENT_EXIT));
	checkeq(message(kid), 7 << 8);
	checkeq(go(PTRACE_CONT, kid, 0), 7 << 8);
	checkeq(past(pid), EVENT(PTRACE_EVENT_VFORK));
	kid = message(pid);
	checkeq(waitfor(kid), STOPPED(SIGSTOP));
	must(trace(PTRACE_CONT, pid, 0, 0) == 0);
	checkeq(go(PTRACE_CONT, kid, 0), EVENT(PTRACE_EVENT_EXIT));
	checkeq(go(PTRACE_CONT, kid, 0), 8 << 8);
	checkeq(waitfor(pid), EVENT(PTRACE_EVENT_VFORK_DONE));
	checkeq(message(pid), kid);
	checkeq(past(pid), EVENT(PTRACE_EVENT_EXIT));
	checkeq(message(pid), 9 << 8);
	checkeq(go(PTRACE_CONT, pid, 0), 9 << 8);
}

static void
execs(void)
{
	execl(exepath, "t", "--exit", (char *)0);
}

static void
ptrace_exec_traps(void)
{
	int pid = traced(execs);

	checkeq(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP));
	checkeq(go(PTRACE_CONT, pid, 0), 0);
	pid = traced(execs);
	must(trace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXEC |
			PTRACE_O_TRACESYSGOOD) == 0);
	checkeq(go(PTRACE_CONT, pid, 0), EVENT(PTRACE_EVENT_EXEC));
	checkeq(message(pid), pid);
	checkeq(go(PTRACE_SYSCALL, pid, 0), SYSSTOP); /* the exit of execve */
	checkeq(peekuser(pid, OFF(eax)), 0);
	checkeq(peekuser(pid, OFF(orig_eax)), SYS_execve);
	checkeq(go(PTRACE_CONT, pid, 0), 0);
}

static volatile int threadtid;

static void *
thread(void *arg)
{
	threadtid = gettid();
	if (arg)
		execs();
	return 0;
}

static void
threads(void)
{
	pthread_t t;

	must(pthread_create(&t, 0, thread, 0) == 0);
	pthread_join(t, 0);
	_exit(3);
}

static void
ptrace_threads(void)
{
	int pid = traced(threads), tid, st;

	must(trace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACECLONE) == 0);
	checkeq(go(PTRACE_CONT, pid, 0), EVENT(PTRACE_EVENT_CLONE));
	tid = message(pid);
	checkeq(waitfor(tid), STOPPED(SIGSTOP));
	check(peekuser(tid, OFF(esp)) != peekuser(pid, OFF(esp)));
	must(trace(PTRACE_CONT, pid, 0, 0) == 0);
	st = go(PTRACE_CONT, tid, 0);
	check(st == 0 || st == 3 << 8); /* its own end, or its process's */
	checkerr(waitpid(tid, &st, __WALL), ECHILD);
	checkeq(waitfor(pid), 3 << 8);
}

static void
threadexecs(void)
{
	pthread_t t;

	must(pthread_create(&t, 0, thread, (void *)1) == 0);
	waiting();
}

static void
ptrace_thread_execs(void)
{
	int pid = traced(threadexecs), tid;

	must(trace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACECLONE |
			PTRACE_O_TRACEEXEC) == 0);
	checkeq(go(PTRACE_CONT, pid, 0), EVENT(PTRACE_EVENT_CLONE));
	tid = message(pid);
	checkeq(waitfor(tid), STOPPED(SIGSTOP));
	must(trace(PTRACE_CONT, pid, 0, 0) == 0);
	must(trace(PTRACE_CONT, tid, 0, 0) == 0);
	checkeq(waitfor(pid), EVENT(PTRACE_EVENT_EXEC));
	checkeq(message(pid), tid);
	checkeq(go(PTRACE_CONT, pid, 0), 0);
}

static int
tracerpid(int pid)
{
	char name[40], line[100];
	int r = -1;
	FILE *f;

	sprintf(name, "/proc/%d/status", pid);
	f = fopen(name, "r");
	must(f);
	while (fgets(line, sizeof line, f))
		sscanf(line, "TracerPid: %d", &r);
	fclose(f);
	return r;
}

static void
ptrace_attach_and_detach(void)
{
	int pid = fork(), st;

	if (pid == 0)
		waiting();
	checkeq(tracerpid(pid), 0);
	must(trace(PTRACE_ATTACH, pid, 0, 0) == 0);
	checkeq(waitfor(pid), STOPPED(SIGSTOP));
	checkeq(tracerpid(pid), getpid());
	must(trace(PTRACE_DETACH, pid, 0, 0) == 0);
	checkeq(tracerpid(pid), 0);
	checkeq(waitpid(pid, &st, WNOHANG | WUNTRACED), 0);
	must(trace(PTRACE_ATTACH, pid, 0, 0) == 0);
	checkeq(waitfor(pid), STOPPED(SIGSTOP));
	must(trace(PTRACE_DETACH, pid, 0, SIGTERM) == 0);
	checkeq(waitfor(pid), SIGTERM);
}

static void
ptrace_attach_to_a_stopped_one(void)
{
	int pid = fork(), st;

	if (pid == 0)
		waiting();
	kill(pid, SIGSTOP);
	must(waitpid(pid, &st, WUNTRACED) == pid);
	must(trace(PTRACE_ATTACH, pid, 0, 0) == 0);
	checkeq(waitfor(pid), STOPPED(SIGSTOP));
	must(trace(PTRACE_DETACH, pid, 0, 0) == 0);
	/* it is still stopped with its process */
	kill(pid, SIGCONT);
	must(waitpid(pid, &st, WCONTINUED) == pid);
	checkeq(st, 0xffff);
	killed(pid);
}

static void
ptrace_seize_and_interrupt(void)
{
	int pid = fork(), st;
	siginfo_t si;

	if (pid == 0)
		waiting();
	checkerr(trace(PTRACE_SEIZE, pid, 1, 0), EIO);
	checkerr(trace(PTRACE_SEIZE, pid, 0, 0x40000000), EIO);
	must(trace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD) == 0);
	checkeq(waitpid(pid, &st, WNOHANG | __WALL), 0);
	checkerr(trace(PTRACE_CONT, pid, 0, 0), ESRCH);
	must(trace(PTRACE_INTERRUPT, pid, 0, 0) == 0);
	checkeq(waitfor(pid), STOPEVENT(SIGTRAP));
	must(trace(PTRACE_GETSIGINFO, pid, 0, (long)&si) == 0);
	checkeq(si.si_code, SIGTRAP | PTRACE_EVENT_STOP << 8);
	/* a stop of the process, and its end */
	kill(pid, SIGSTOP);
	checkeq(go(PTRACE_CONT, pid, 0), STOPPED(SIGSTOP));
	checkeq(go(PTRACE_CONT, pid, SIGSTOP), STOPEVENT(SIGSTOP));
	must(trace(PTRACE_LISTEN, pid, 0, 0) == 0);
	checkerr(trace(PTRACE_GETSIGINFO, pid, 0, (long)&si), ESRCH);
	checkeq(waitpid(pid, &st, WNOHANG | __WALL), 0);
	kill(pid, SIGCONT);
	checkeq(waitfor(pid), STOPEVENT(SIGTRAP));
	checkeq(go(PTRACE_CONT, pid, 0), STOPPED(SIGCONT));
	must(trace(PTRACE_CONT, pid, 0, 0) == 0);
	killed(pid);
}

static void
ptrace_group_stop(void)
{
	int pid = traced(waiting), st;
	siginfo_t si;

	must(trace(PTRACE_CONT, pid, 0, 0) == 0);
	kill(pid, SIGSTOP);
	checkeq(waitfor(pid), STOPPED(SIGSTOP));
	must(trace(PTRACE_GETSIGINFO, pid, 0, (long)&si) == 0);
	checkeq(go(PTRACE_CONT, pid, SIGSTOP), STOPPED(SIGSTOP));
	checkerr(trace(PTRACE_GETSIGINFO, pid, 0, (long)&si), EINVAL);
	must(trace(PTRACE_CONT, pid, 0, 0) == 0); /* it runs, for us */
	checkeq(waitpid(pid, &st, WNOHANG | __WALL), 0);
	kill(pid, SIGCONT);
	checkeq(waitfor(pid), STOPPED(SIGCONT));
	must(trace(PTRACE_CONT, pid, 0, SIGCONT) == 0);
	killed(pid);
}

/* The tracer's end lets go of its tracees, or kills them. */
static void
ptrace_tracer_dies(void)
{
	int i, pid, other, st;

	for (i = 0; i < 2; i++) {
		pid = fork();
		if (pid == 0)
			waiting();
		other = fork();
		if (other == 0) {
			must(trace(PTRACE_SEIZE, pid, 0,
				     i ? PTRACE_O_EXITKILL : 0) == 0);
			must(trace(PTRACE_INTERRUPT, pid, 0, 0) == 0);
			checkeq(waitfor(pid), STOPEVENT(SIGTRAP));
			finish();
		}
		reaped(other);
		if (i) {
			checkeq(waitfor(pid), SIGKILL);
			continue;
		}
		checkeq(tracerpid(pid), 0);
		checkeq(waitpid(pid, &st, WNOHANG), 0);
		killed(pid);
	}
}

/* A tracer that is not the parent hears of the end first. */
static void
ptrace_two_hear_of_the_end(void)
{
	int pid = fork(), other, fd[2], st;
	char c;

	if (pid == 0)
		waiting();
	must(pipe(fd) == 0);
	other = fork();
	if (other == 0) {
		must(trace(PTRACE_SEIZE, pid, 0, 0) == 0);
		must(write(fd[1], "x", 1) == 1);
		checkeq(waitfor(pid), SIGKILL);
		checkerr(waitpid(pid, &st, __WALL), ECHILD);
		finish();
	}
	must(read(fd[0], &c, 1) == 1);
	must(trace(PTRACE_ATTACH, pid, 0, 0) < 0);
	kill(pid, SIGKILL);
	checkeq(waitfor(pid), SIGKILL);
	reaped(other);
}

static void
usersends(void)
{
	if (setregid(65534, 65534) || setreuid(65534, 65534))
		skip("needs root");
	checkerr(trace(PTRACE_ATTACH, getppid(), 0, 0), EPERM);
	checkerr(trace(PTRACE_SEIZE, getppid(), 0, 0), EPERM);
}

static void
ptrace_permission(void)
{
	if (getuid())
		skip("needs root");
	child(usersends);
}

static void
ptrace_kill(void)
{
	int pid = traced(waiting);

	must(trace(PTRACE_KILL, pid, 0, 0) == 0);
	checkeq(waitfor(pid), SIGKILL);
}

static void
masked(void)
{
	sigset_t s;

	raise(SIGUSR1); /* the tracer blocks it meanwhile */
	sigpending(&s);
	check(sigismember(&s, SIGUSR1));
}

static void
ptrace_signal_mask(void)
{
	int pid = traced(masked);
	unsigned long long mask = ~0ull;

	must(trace(PTRACE_GETSIGMASK, pid, 8, (long)&mask) == 0);
	checkeq(mask, 0);
	mask = 1 << (SIGUSR1 - 1) | 1 << (SIGKILL - 1);
	must(trace(PTRACE_SETSIGMASK, pid, 8, (long)&mask) == 0);
	must(trace(PTRACE_GETSIGMASK, pid, 8, (long)&mask) == 0);
	checkeq(mask, 1 << (SIGUSR1 - 1));
	checkeq(go(PTRACE_CONT, pid, 0), 0);
}

static volatile sig_atomic_t nchld;
static siginfo_t chld;

static void
onchild(int sig, siginfo_t *si, void *u)
{
	(void)sig, (void)u;
	nchld++;
	chld = *si;
}

static void
ptrace_tells_by_sigchld(void)
{
	struct sigaction sa = {.sa_sigaction = onchild, .sa_flags = SA_SIGINFO};
	siginfo_t si;
	int pid;

	sigaction(SIGCHLD, &sa, 0);
	pid = traced(waiting);
	checkeq(nchld, 1);
	checkeq(chld.si_code, CLD_TRAPPED);
	checkeq(chld.si_status, SIGSTOP);
	checkeq(chld.si_pid, pid);
	must(trace(PTRACE_CONT, pid, 0, 0) == 0);
	kill(pid, SIGUSR1);
	memset(&si, 0, sizeof si);
	must(waitid(P_PID, pid, &si, WSTOPPED | WNOWAIT) == 0);
	checkeq(si.si_code, CLD_TRAPPED);
	checkeq(si.si_status, SIGUSR1);
	must(waitid(P_PID, pid, &si, WEXITED | __WALL) == 0);
	checkeq(si.si_code, CLD_TRAPPED);
	killed(pid);
}

/* As strace begins: the SIGCONT must not get lost on the way into the stop. */
static void
ptrace_seize_stopped_and_continue(void)
{
	int i, pid, st;

	for (i = 0; i < 200; i++) {
		pid = fork();
		if (pid == 0) {
			raise(SIGSTOP);
			_exit(0);
		}
		must(waitpid(pid, &st, WUNTRACED) == pid);
		must(trace(PTRACE_SEIZE, pid, 0, 0) == 0);
		kill(pid, SIGCONT);
		while (WIFSTOPPED(st = waitfor(pid)))
			must(trace(st == STOPEVENT(SIGSTOP) ? PTRACE_LISTEN
							    : PTRACE_CONT,
				     pid, 0,
			     st == STOPPED(SIGCONT) ? SIGCONT : 0) == 0);
		checkeq(st, 0);
	}
}

static void
ptrace_killed_at_any_time(void)
{
	int i, n, pid, st;

	for (i = 0; i < 200; i++) {
		pid = fork();
		if (pid == 0)
			for (;;)
				getppid();
		must(trace(PTRACE_SEIZE, pid, 0,
			     PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXIT) == 0);
		must(trace(PTRACE_INTERRUPT, pid, 0, 0) == 0);
		checkeq(waitfor(pid), STOPEVENT(SIGTRAP));
		for (n = i % 7; n > 0; n--)
			checkeq(go(PTRACE_SYSCALL, pid, 0), SYSSTOP);
		if (i % 3)
			trace(PTRACE_SYSCALL, pid, 0, 0);
		kill(pid, SIGKILL);
		trace(i % 2 ? PTRACE_DETACH : PTRACE_CONT, pid, 0, 0);
		while (WIFSTOPPED(st = waitfor(pid)))
			trace(PTRACE_CONT, pid, 0, 0);
		checkeq(st, SIGKILL);
	}
}

const struct test t_ptrace[] = {
	T(ptrace_seize_stopped_and_continue),
	T(ptrace_killed_at_any_time),
	T(ptrace_traceme_and_continue),
	T(ptrace_refusals),
	T(ptrace_signals_pass_the_tracer),
	T(ptrace_siginfo),
	T(ptrace_single_step_into_handler),
	T(ptrace_system_calls),
	T(ptrace_restarts_calls),
	T(ptrace_fork_events),
	T(ptrace_exec_traps),
	T(ptrace_threads),
	T(ptrace_thread_execs),
	T(ptrace_attach_and_detach),
	T(ptrace_attach_to_a_stopped_one),
	T(ptrace_seize_and_interrupt),
	T(ptrace_group_stop),
	T(ptrace_tracer_dies),
	T(ptrace_two_hear_of_the_end),
	T(ptrace_permission),
	T(ptrace_kill),
	T(ptrace_signal_mask),
	T(ptrace_tells_by_sigchld),
	{0},
};
