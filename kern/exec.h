/* exec.h - a process gets another program. */
#ifndef KERN_EXEC_H
#define KERN_EXEC_H

#include "kern/types.h"

struct file;

/* execve(2): replace the running process's program by that of the file at
 * path, a kernel string.  argv and envp are user arrays, or, with kernel set,
 * kernel arrays of kernel strings.  Returns -errno with nothing changed, or 0
 * with p->tf ready for the new program.  No lock held; waits for memory while
 * some may come back.  What differs from xv6's exec(): programs are not read
 * but mapped, and appear page by page as they are touched; #! lines,
 * interpreters and set-user-id programs. */
int doexec(const char *path, uint argv, uint envp, int kernel);

/* doexec() of an open file, made by execfile(), whose reference this call
 * takes. path is what the program is told that it is called; lost: no file
 * will be found at path once the program runs. */
int doexecfile(struct file *f, int lost, const char *path, uint argv, uint envp,
	int kernel);

/* Mark f, which was opened with O_EXEC, as a program that runs, so that nobody
 * can write to it until it is closed.  Returns f; or 0 with f closed and
 * -errno in *err (-EACCES, -ETXTBSY).  For f 0 it returns 0 and leaves *err. */
struct file *execfile(struct file *f, int *err);

/* Are addresses of new programs random?  0: no; 1: all but the heap's; 2: all.
 */
extern uint aslr;

#endif
