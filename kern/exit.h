/*
 * exit.h - how threads and processes end, and what their parents learn of it.
 */
#ifndef KERN_EXIT_H
#define KERN_EXIT_H

#include "kern/proc.h"

/* Free the processes that have ended and that nobody will wait for.  Called
 * with no spinlock held. */
void reapdead(void);

/* doexit() ends the running thread, exitgroup() its whole process, with a wait
 * status: exit code << 8, or the number of a signal.  The status of the
 * process is what exitgroup() was given, or else that of its last thread.  No
 * lock held. */
void doexit(int status) __attribute__((noreturn));
void exitgroup(int status) __attribute__((noreturn));

/* All threads of tg have ended: tell its parent, or, if the parent does not
 * want to know, have reapdead() free it.  proctree held. */
void tellparent(struct tgroup *tg);

/* execve: end all other threads of the process and give the running one the
 * place of the leader.  0; or -EAGAIN, -EINTR: the process or this thread is
 * to end.  No lock held. */
int endothers(void);

/* What the running process has used, or with thread set the running thread,
 * without its children.  No spinlock held. */
void procusage(int thread, struct procusage *ru);

/* What the process tg has used, without its children; ru->maxrss is that of
 * threads and programs that are gone.  proctree held. */
void groupusage(struct tgroup *tg, struct procusage *ru);

/* waitpid(2), waitid(2).  id > 0 means that child, -1 any, 0 those of the
 * caller's process group, < -1 those of the group -id.  options are those of
 * waitid (kern/abi/wait.h): wait4 adds WEXITED.  Returns the child's pid, and
 * in *w its wait status, its user and what it and the children that it reaped
 * have used; or 0 when WNOHANG is set and there is nothing to tell; or
 * -ECHILD, -ERESTARTSYS.  No lock held. */
struct waited {
	int status;
	int trapped; /* it is traced: all of status from bit 8 on is a code */
	uint uid;
	struct procusage ru;
};
int dowait(int id, int options, struct waited *w);

#endif
