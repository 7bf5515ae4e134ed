/*
 * tracer.h - what the tests of ptrace begin with: a child that is traced.
 */
#ifndef TRACER_H
#define TRACER_H

#include "t.h"

#include <sys/ptrace.h>
#include <sys/user.h>

#define STOPPED(sig) ((sig) << 8 | 0x7f)
#define OFF(r)       offsetof(struct user, regs.r)

/* The raw call: peeks store their word, and addresses are numbers. */
static inline long
trace(int request, int pid, long addr, long data)
{
	return syscall(SYS_ptrace, request, pid, addr, data);
}

static inline long
peek(int pid, const void *addr)
{
	long w = 0;

	must(trace(PTRACE_PEEKDATA, pid, (long)addr, (long)&w) == 0);
	return w;
}

static inline long
peekuser(int pid, int off)
{
	long w = 0;

	must(trace(PTRACE_PEEKUSER, pid, off, (long)&w) == 0);
	return w;
}

/* What wait says of pid next. */
static inline int
waitfor(int pid)
{
	int st = -1;

	must(waitpid(pid, &st, __WALL) == pid);
	return st;
}

/* Let pid go on in this way, and wait. */
static inline int
go(int request, int pid, int sig)
{
	must(trace(request, pid, 0, sig) == 0);
	return waitfor(pid);
}

/* A child that asks to be traced, stops itself and then runs fn. */
static inline int
traced(void (*fn)(void))
{
	int pid = fork();

	must(pid >= 0);
	if (pid == 0) {
		must(trace(PTRACE_TRACEME, 0, 0, 0) == 0);
		raise(SIGSTOP);
		fn();
		finish();
	}
	checkeq(waitfor(pid), STOPPED(SIGSTOP));
	return pid;
}

static inline void
killed(int pid)
{
	kill(pid, SIGKILL);
	checkeq(waitfor(pid), SIGKILL);
}

static inline void
waiting(void)
{
	for (;;)
		pause();
}

#endif
