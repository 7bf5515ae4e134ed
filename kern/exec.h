/* exec.h - a process gets another program. */
#ifndef KERN_EXEC_H
#define KERN_EXEC_H

#include "kern/types.h"

struct file;

/* Replace the running process's program.  argv and envp are user
 * arrays, or kernel arrays of kernel strings when kernel is set.  Returns
 * -errno with nothing changed, or 0 with p->tf ready for the new program. */
int doexec(const char *path, uint argv, uint envp, int kernel);

/* The same with a file of execfile(), whose reference is given up.  path is what it
 * is called; lost: but that will not lead to it. */
int doexecfile(struct file *f, int lost, const char *path, uint argv, uint envp,
	int kernel);

/* f (0: nothing), opened with O_EXEC, as one that is run, to which nobody writes;
 * or 0 with *err, and f is closed. */
struct file *execfile(struct file *f, int *err);

extern uint aslr; /* 0: programs find all at its place; 1: but for the heap */

#endif
