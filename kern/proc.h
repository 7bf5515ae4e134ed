/*
 * proc.h - processes and their threads.
 *
 * A struct proc is one thread of control.  What several may share (memory,
 * descriptors, directory, signal handlers) hangs off it by reference-counted
 * pointers, so that clone() is a choice of which to share.  The threads that
 * are one process to the outside share a struct tgroup: it has the process's
 * id, family, limits and accounts.  A process with two threads:
 *
 *	struct proc          struct proc          one for each thread: registers,
 *	(the leader)             |                kernel stack, state, credentials
 *	  |  |  |  |_____________|____ fs ------> struct fsinfo: root, directory
 *	  |  |  |________________|____ files ---> struct files: open descriptors
 *	  |  |___________________|____ uvm -----> struct uvm: address space (mm/)
 *	  |______________________|____ tg ------> struct tgroup: pid, parent,
 *	                                            |   children, limits, signals
 *	                                            |   sent to the process
 *	                                            |__ sighand -> struct sighand:
 *	                                                           the handlers
 *
 * fork() makes a struct proc and a struct tgroup and copies all the others;
 * pthread_create() makes a struct proc that shares them all.
 *
 * Lock: proctree (a spinlock, RANK_TREE) guards the family links, the pid
 * table, groups, sessions and exit status.  A field without a tag belongs to
 * the thread or process itself: only that one writes it, while it runs.
 */
#ifndef KERN_PROC_H
#define KERN_PROC_H

#include "arch/cpu.h"
#include "arch/trap.h"
#include "kern/lock/lock.h"
#include "kern/sched.h"
#include "kern/signal/signal.h"

struct dentry;
struct file;
struct rights;
struct trace;
struct tty;
struct uvm;

enum procstate { UNUSED, EMBRYO, SLEEPING, RUNNABLE, RUNNING, STOPPED, ZOMBIE };

struct files { /* a descriptor table; RANK_FILES */
	int ref;
	struct spinlock lock;
	int max;              /* slots in file[] */
	struct file **file;   /* [lock] open files, by descriptor */
	uint *used;           /* [lock] bit per descriptor: file[] is not 0 */
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

/* What it read and wrote: bytes by system calls, how many of them; bytes that
 * it had disks read, and made dirty for them to write. */
struct procio {
	uint64_t rchar, wchar;
	uint syscr, syscw;
	uint64_t diskread, diskwritten;
};

/* What a process or a thread used. */
struct procusage {
	uint64_t utime, stime; /* ticks of 1/HZ */
	uint minflt, majflt;
	uint nvcsw, nivcsw;
	uint maxrss;           /* KiB, the most it had at once */
	struct procio io;
};

/* A process: a group of threads.  Every struct proc of it is a reference; its
 * leader, whose pid is tgid, stays in it until the group is reaped. */
struct tgroup {
	int ref;                 /* struct procs that point here */
	int tgid;                /* the number that getpid() returns */
	struct sighand *sighand; /* handlers, shared by CLONE_SIGHAND; execve may
	                          * change it [proctree and the old one's lock] */
	struct proc *leader;     /* [proctree] */
	struct list threads;     /* by threadlink, the leader first; changed with
	                          * proctree and the sighand's lock held */
	int nthreads;            /* on it [proctree] */
	int running;             /* those that have not ended [proctree] */
	int zombie;              /* all have ended [proctree] */
	struct list ended;       /* those to free, by threadlink [proctree] */
	struct list alllink;     /* allprocs [proctree] */
	struct tgroup *parent;   /* [proctree] */
	struct list children, sibling; /* [proctree] */
	int pgid;                /* process group [proctree] */
	struct session *session; /* [proctree] */
	int execed;              /* calls of execve since fork */
	int parentexecs;         /* its parent's, when it was made [proctree] */
	int exitsignal;          /* what the parent is sent at exit [proctree] */
	struct proc *maker;      /* the parent's thread that made us [proctree] */
	int xstatus;             /* wait status once a zombie [sighand lock] */
	int waitevent;           /* stop or continue not yet reported: its
	                          * status, or 0 [proctree] */
	int ntraced;             /* threads that ours trace [proctree] */
	struct waitq childq;     /* wait4, vfork and execve sleep here */

	struct sigpend pend;     /* signals sent to the process [sighand lock] */
	int live;                /* threads that do not exit yet [sighand lock] */
	int exiting;             /* all shall exit [sighand lock] */
	struct proc *dumper;     /* writes the core file: the others wait in
	                          * corepark(), so many [sighand lock] */
	int parked;
	struct proc *execer;     /* this one executes a program and waits for the
	                          * others to end, or 0 [sighand lock] */
	int stopsig;             /* all stop, or have, by it; or 0 [sighand lock] */
	int nstop;               /* those that have not yet [sighand lock] */
	int continued;           /* parent is to hear of SIGCONT [sighand lock] */

	struct procusage dead;   /* of threads that have ended, and the maxrss
	                          * of programs before execve [proctree] */
	struct procusage reaped; /* of reaped children [proctree] */

	/* From here to exe: copied by fork as one block. */
	struct rlimit64 rlimit[NRLIMIT];
	int dumpable;
	int oomadj;              /* oom_score_adj [proctree] */
	struct file *exe;        /* the program, for /proc/PID/exe [proctree] */

	struct list timers;      /* of timer_create [sighand lock] */
	int ntimers, nexttimer;  /* how many; the next one's number [same] */
	struct timer realtimer;  /* ITIMER_REAL and alarm() */
	int64_t realinterval;    /* ns, 0: once */
	uint itimer[2], itimerval[2]; /* ticks left and interval of
	                          * ITIMER_VIRTUAL, ITIMER_PROF; 0: off */
	uint cpuleft;            /* ticks until the process has used cpusecs
	                          * seconds and RLIMIT_CPU is looked at; 0: off */
	uint cpusecs;
};

struct proc {
	struct trapframe *tf;    /* frame of the entry from user mode */
	volatile int work;       /* userret has something to do before user mode:
	                          * a signal may be pending, or a stop.  Set by
	                          * anyone, cleared by userret.  trapentry.asm
	                          * tests it with mycpu()->resched */
	void (*entry)(struct trapframe *); /* called for a system call: syscall(),
	                          * or syscalltraced() */
	struct uvm *uvm;         /* 0 in kernel threads and zombies */
	struct context *context; /* swtch() here to run it */
	char *kstack;            /* lowest address of the kernel stack */
	void *fpu;               /* FPUSIZE bytes, aligned to 16 */
	int fpuloaded;           /* the FPU holds its state now */
	struct segdesc tls[NTLS]; /* set_thread_area's descriptors */

	volatile int state;      /* enum procstate [run queue lock] */
	struct list runlink;     /* run queue [run queue lock] */
	volatile uint wakeflag;  /* WAKE_*: since it prepared to sleep */
	int sleepflags;          /* SLEEP_* of the sleep it is in [same] */
	int frozen;              /* it waits in freezehere() */
	uint vtime;              /* what it has run, by its niceness [same] */
	volatile int cpu;        /* where it runs or ran last: whose run queue it
	                          * belongs to [same] */
	volatile uint affinity;  /* bit per CPU that it may run on [same] */
	int nice;                /* [proctree] */
	uint policy;             /* SCHED_* of sched_setscheduler [proctree] */
	struct sleeplock *sleeplocks; /* held, newest first [debug builds] */

	int pid;                 /* of the thread */
	struct tgroup *tg;       /* the process; 0 in idle ones */
	struct list hashlink;    /* pid table [proctree] */
	struct list threadlink;  /* tg->threads [proctree] */
	struct waitq *vforkq;    /* parent waits here until exec or exit, which
	                          * make it 0 [proctree] */

	struct trace *trace;     /* it is or was traced, or 0; what is in it says
	                          * how it is guarded */
	struct list tracees;     /* traces of those it traces [proctree] */

	struct files *files;
	struct rights **dropping; /* rightsdrop runs, with these to do; or 0 */
	struct fsinfo *fs;
	struct sigstate sig;     /* pending signals, mask */

	/* From here to name: copied by clone as one block. */
	uint uid, euid, suid, fsuid, gid, egid, sgid, fsgid;
	int ngroups;
	uint groups[32];
	int nonewprivs;          /* PR_SET_NO_NEW_PRIVS; for ever */
	uint persona;            /* personality() */
	char name[16];           /* comm */
	int pdeathsig;

	uint minflt, majflt;     /* faults resolved, this thread */
	uint64_t utime, stime;   /* ticks of 1/HZ */
	uint nvcsw, nivcsw;      /* voluntary and involuntary switches */
	struct procio io;        /* this thread's */
	uint64_t starttime;      /* ns since boot */

	struct restart restart;  /* for restart_syscall */
	uint settid;             /* CLONE_CHILD_SETTID: where, or 0 */
	uint cleartid;           /* set_tid_address: zeroed at exit */
	uint robustlist;         /* set_robust_list */
	void (*kfn)(void *);     /* kernel threads: what they run */
	void *karg;
};

extern struct spinlock proctree;
extern struct list allprocs;   /* the struct tgroups [proctree] */
extern struct tgroup *initgroup; /* process 1 */

/* For each thread of the process.  proctree held; the body removes none. */
#define eachthread(p, tg)                                                      \
	for (struct list *l_ = (tg)->threads.next;                             \
		l_ != &(tg)->threads &&                                        \
		(p = listitem(l_, struct proc, threadlink), 1);                \
		l_ = l_->next)

/* Called once at boot, before kthread(). */
void procinit(void);

/* Give back the thread p and all that it holds.  It is in no list (unlinkproc,
 * unlinkgroup) and does not run.  No spinlock held. */
void freeproc(struct proc *);

/* Take the thread p out of its process and the pid table.  proctree held, and
 * the lock of the sighand unless the process has ended. */
void unlinkproc(struct proc *p);

/* Take the process tg and its leader, a zombie, out of the tree of processes,
 * the pid table and its session.  proctree held. */
void unlinkgroup(struct tgroup *tg);

/* Start a kernel thread that runs fn(arg), without user memory.  Returns it,
 * or 0 when there is no memory.  No spinlock held. */
struct proc *kthread(const char *name, void (*fn)(void *), void *arg);

/* Drop a reference to a session.  proctree held. */
void sessionput(struct session *);

/* clone(2), and so fork and vfork.  flags are those of kern/abi/sched.h, with
 * the signal that tells of the child's end as the low byte; the other fields
 * are clone's arguments.  Returns the child's pid or -errno.  No lock held;
 * waits for memory while some may come back. */
struct cloneargs {
	uint flags, stack, ptid, tls, ctid;
	int defaults; /* handlers are SIG_DFL in the child */
};
int doclone(const struct cloneargs *);

/* The thread p, which runs, takes the place and the pid of the leader of its
 * process, which has ended, as have all other threads.  proctree held. */
void takelead(struct proc *p);

/* Find the thread with this pid, or the process of that thread; 0 if there is
 * none. proctree held: when it is released, the thread may go. */
struct proc *findproc(int pid);
struct tgroup *findgroup(int pid);

/* Unlike xv6's, takes the new end of the running process's heap, an address and
 * not a difference, and returns the end that holds afterwards, not 0 or -1,
 * since that is what brk() returns.  (growheap in mm/mm.h does it.) */
uint growproc(uint brk);

struct procount {
	int all;     /* threads there are */
	int running; /* of those, runnable */
	uint forks;  /* threads there have been */
	int lastpid; /* the pid that was given out last */
};

/* Fill in *n, for /proc.  Takes proctree. */
void procount(struct procount *n);

/* time.c: runnable threads on average over 1, 5 and 15 minutes, times 2^11. */
void loadavg(uint avg[3]);

/* exec and exit: p no longer uses the memory of a parent that waits in vfork,
 * which may go on.  Takes proctree. */
void vforkrelease(struct proc *p);

/* Parts of a process that clone may share, with a count of their sharers in
 * ref. fsput() and sighandput() drop one reference (of 0: nothing);
 * sighandcopy() makes a copy with one reference, or returns 0; of 0 it makes
 * one without handlers. */
void fsput(struct fsinfo *);
struct sighand *sighandcopy(struct sighand *);
void sighandput(struct sighand *);

#endif
