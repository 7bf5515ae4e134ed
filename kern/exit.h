/*
 * exit.h - how threads and processes end, and what their parents learn of it.
 */
#ifndef KERN_EXIT_H
#define KERN_EXIT_H

#include "kern/proc.h"

/* Free the processes that have ended and that nobody will wait for.  Called
 * with no spinlock held. */
void reapdead(void);

/* End the running thread, or its process, with a wait status (exit code << 8, or
 * a signal number).  That of the process is the one given to exitgroup(), or
 * that of the last thread. */
void doexit(int status) __attribute__((noreturn));
void exitgroup(int status) __attribute__((noreturn));

/* tg, whose threads have all ended, tells its parent, or nobody ever.  proctree
 * held. */
void tellparent(struct tgroup *tg);

/* execve: end all other threads of the process, and take the leader's place.
 * 0; or -EAGAIN, -EINTR: the process or this thread is to end. */
int endothers(void);

/* What the running process (thread: this thread only) has used, without its
 * children; no spinlock held. */
void procusage(int thread, struct procusage *ru);

/* The same of any process, its maxrss only that of threads and programs that
 * are gone.  proctree held. */
void groupusage(struct tgroup *tg, struct procusage *ru);

/* waitpid(2): id > 0 that child, -1 any, 0 those of our group, < -1 those of
 * the group -id.  options are those of waitid (kern/abi/wait.h): wait4's
 * callers add WEXITED.  Returns the child's pid with its wait status, its user
 * and its usage (with that of the children it has reaped), 0 (WNOHANG, nothing to
 * tell) or -ECHILD, -ERESTARTSYS. */
struct waited {
	int status;
	int trapped; /* it is traced: all of status from bit 8 on is a code */
	uint uid;
	struct procusage ru;
};
int dowait(int id, int options, struct waited *w);

#endif
