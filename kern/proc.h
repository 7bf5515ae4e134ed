/*
 * proc.h - processes.
 *
 * A struct proc is one thread of control.  What several may share (memory,
 * descriptors, directory, signal handlers) hangs off it by reference-counted
 * pointers, so that clone() is a choice of which to share.
 *
 * Lock: proctree (a spinlock, RANK_TREE) guards the family links, the pid
 * table, groups, sessions and exit status.  Fields without a tag belong to the
 * process itself: only it writes them, while it runs.
 */
#ifndef KERN_PROC_H
#define KERN_PROC_H

#include "arch/cpu.h"
#include "arch/trap.h"
#include "kern/lock.h"
#include "kern/signal.h"

struct dentry;
struct file;
struct tty;
struct uvm;

enum procstate { UNUSED, EMBRYO, SLEEPING, RUNNABLE, RUNNING, STOPPED, ZOMBIE };

struct files { /* a descriptor table; RANK_FILES */
	int ref;
	struct spinlock lock;
	int max;              /* slots in file[] */
	struct file **file;   /* [lock] open files, by descriptor */
	uint *cloexec;        /* [lock] bit per descriptor */
};

struct fsinfo { /* where path walks start; changed only by its sharers */
	int ref;
	struct spinlock lock;
	struct dentry *root, *cwd; /* [lock] referenced */
	int umask;
};

struct rlimit64 {
	uint64_t cur, max; /* ~0: none */
};
#define NRLIMIT 16 /* RLIMIT_* of Linux */

struct session {
	int ref;         /* processes in it [proctree] */
	int sid;
	struct tty *tty; /* controlling terminal [proctree] */
};

struct proc {
	struct trapframe *tf;    /* frame of the entry from user mode */
	struct uvm *uvm;         /* 0 in kernel threads and zombies */
	struct context *context; /* swtch() here to run it */
	char *kstack;            /* lowest address of the kernel stack */
	void *fpu;               /* FPUSIZE bytes, aligned to 16 */
	int fpuloaded;           /* the FPU holds its state now */
	struct segdesc tls[NTLS]; /* set_thread_area's descriptors */
	uint gs;                 /* user's %gs while switched out */

	volatile int state;      /* enum procstate [run queue lock] */
	struct list runlink;     /* run queue [run queue lock] */
	int wakeflag;            /* woken since it prepared to sleep [same] */
	int slice;               /* ticks left */
	int cpu;                 /* where it runs or ran last */
	int nice;

	int pid, tgid;
	struct list hashlink;    /* pid table [proctree] */
	struct list alllink;     /* allprocs [proctree] */
	struct proc *parent;     /* [proctree] */
	struct list children, sibling; /* [proctree] */
	int pgid;                /* process group [proctree] */
	struct session *session; /* [proctree] */
	int execed;              /* has called execve since fork (setpgid) */
	int exitsignal;          /* what the parent is sent at exit */
	int xstatus;             /* wait status once ZOMBIE [proctree] */
	int waitevent;           /* stop or continue not yet reported: its
	                          * status, or 0 [proctree] */
	struct waitq childq;     /* wait4 sleeps here */
	struct waitq *vforkq;    /* parent waits here until exec or exit */
	int vforkdone;

	struct files *files;
	struct fsinfo *fs;
	struct sighand *sighand; /* handlers, shared by CLONE_SIGHAND */
	struct sigstate sig;     /* pending signals, mask */

	uint uid, euid, suid, fsuid, gid, egid, sgid, fsgid;
	int ngroups;
	uint groups[32];
	struct rlimit64 rlimit[NRLIMIT];
	char name[16];           /* comm */
	struct file *exe;        /* the program, for /proc/PID/exe */
	int dumpable;
	int pdeathsig;

	uint minflt, majflt;     /* faults resolved, this process */
	uint cminflt, cmajflt;   /* those of reaped children [proctree] */
	uint64_t utime, stime;   /* ticks of 1/HZ */
	uint64_t cutime, cstime; /* [proctree] */
	uint maxrss, cmaxrss;    /* KiB, kept over exec; of reaped children */
	uint nvcsw, nivcsw;      /* voluntary and involuntary switches */
	uint64_t starttime;      /* ns since boot */

	uint cleartid;           /* set_tid_address: zeroed at exit */
	uint robustlist;         /* set_robust_list */
	void (*kfn)(void *);     /* kernel threads: what they run */
	void *karg;
};

extern struct spinlock proctree;
extern struct list allprocs;   /* all of them but the idle ones [proctree] */
extern struct proc *initproc;  /* pid 1 */

/* proc.c */
void procinit(void);

/* A kernel thread that runs fn(arg) with no user memory; 0: no memory. */
struct proc *kthread(const char *name, void (*fn)(void *), void *arg);

/* clone(2): flags of kern/abi/sched.h; 0 for plain fork with SIGCHLD as the low
 * byte.  Returns the child's pid or -errno. */
int doclone(uint flags, uint stack, uint ptid, uint tls, uint ctid);

/* End the running process with a wait status (exit code << 8, or a signal
 * number).  Does not return. */
void doexit(int status) __attribute__((noreturn));

/* Find by pid; proctree held; 0 if none. */
struct proc *findproc(int pid);

/* xv6's name: move the heap's end of the running process by n bytes. */
int growproc(int n);

/* Number of processes, and of those runnable (/proc/loadavg). */
int procount(int *running);
void loadavg(uint avg[3]); /* scaled by 2^11 */

/* exec.c: replace the running process's program.  argv and envp are user
 * arrays, or kernel arrays of kernel strings when kernel is set.  Returns
 * -errno with nothing changed, or 0 with p->tf ready for the new program. */
int doexec(const char *path, uint argv, uint envp, int kernel);

/* init.c: the first process: fills the root, opens the console, runs init. */
void userinit(void);

#endif
