/*
 * proc.c - processes: the table of them, and how a new one comes to be.
 *
 * A thread takes one page, struct proc at its start and the FPU's state at
 * its end, and a kernel stack; those of a process share a struct tgroup, which
 * is in the page of the first of them: that page stays as long as the process.
 * The life of a thread:
 *
 *   EMBRYO    newproc() made it; doclone() fills it in; nobody else can find it
 *             until attach() puts it in its group and the pid table
 *   RUNNABLE, RUNNING, SLEEPING    sched.c
 *   ZOMBIE    exit.c: the thread has given back all but this page and its stack
 *
 * xv6 has no threads: its struct proc is a struct proc and a struct tgroup in
 * one.
 *
 * Invariants:
 *   P1  A pid is given out only while it is nobody's pid, group or session.
 *   P2  What clone() shares (uvm, files, fs, sighand, tgroup) counts its
 *       sharers.
 *   P3  A process in allprocs has a session, a sighand and a leader, whose pid
 *   is
 *       the tgid.  A process that has a parent is in its list of children.
 */
#include "kern/proc.h"

#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/abi/resource.h"
#include "kern/abi/sched.h"
#include "kern/cputime.h"
#include "kern/exit.h"
#include "kern/file.h"
#include "kern/fs/inode.h"
#include "kern/panic.h"
#include "kern/signal/ptrace.h"
#include "kern/lib/string.h"
#include "kern/sys/syscall.h"
#include "kern/tls.h"

#define NHASH 256

/* There are no namespaces and no pidfds. */
#define CLONE_REFUSED                                                          \
	(CLONE_PIDFD | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |          \
		CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

_Static_assert(sizeof(struct proc) + sizeof(struct tgroup) + FPUSIZE <= PGSIZE,
	"proc is one page");
_Static_assert(offsetof(struct proc, tf) == 0, "trapentry.asm");
_Static_assert(offsetof(struct proc, work) == 4, "trapentry.asm");

struct spinlock proctree = {.rank = RANK_TREE};
struct list allprocs = {&allprocs, &allprocs};
struct tgroup *initgroup;

static struct list pidhash[NHASH]; /* [proctree] */
static int nprocs;                 /* threads in pidhash [proctree] */
static uint nforks;                /* threads there have been [proctree] */
static int lastpid;                /* the last one given out [proctree] */
static int wrapped;                /* pids are being used again [proctree] */
static struct session kernelsession = {.ref = 1}; /* of kernel threads */

static struct fsinfo *fscopy(struct fsinfo *);
static int tryclone(const struct cloneargs *);
static int checkclone(struct tgroup *tg, uint flags);
static int fillclone(struct proc *np, struct proc *p,
	const struct cloneargs *c);
static void startclone(struct proc *np, struct proc *p,
	const struct cloneargs *c, int pid);
static struct proc *newproc(void);
static void groupput(struct tgroup *tg);
static int inherit(struct proc *np, struct proc *p, uint flags);
static struct tgroup *newgroup(struct proc *p);
static int inheritgroup(struct proc *np, struct proc *p, uint flags);
static int inheritmem(struct proc *np, struct proc *p, uint flags);
static int cloneframe(struct proc *np, struct proc *p,
	const struct cloneargs *c);
static int clonetls(struct proc *np, uint tls);
static int attach(struct proc *np, struct proc *p, uint flags);
static int overlimit(struct proc *p);
static int pidalloc(void);
static int pidused(int pid);
static void linkproc(struct proc *np, int pid);
static void linkgroup(struct tgroup *tg, struct proc *p, int pgid,
	struct session *s);
static void vforkwait(struct proc *p, int pid);

void
procinit(void)
{
	int i;

	for (i = 0; i < NHASH; i++)
		listinit(&pidhash[i]);
	schedinit();
}

/* Make a thread that is in no list and no process, EMBRYO, with a kernel
 * stack; or 0 when there is no memory.  xv6's allocproc, but for the pid.  No
 * spinlock held. */
static struct proc *
newproc(void)
{
	struct proc *p;
	uint *sp;

	reapdead();
	p = kalloc();
	if (p == 0)
		return 0;
	memset(p, 0, sizeof(*p));
	p->kstack = kstackalloc();
	if (p->kstack == 0) {
		kfree(p);
		return 0;
	}
	p->fpu = (char *)p + PGSIZE - FPUSIZE;
	p->state = EMBRYO;
	p->cpu = mycpu()->id;
	p->affinity = ~0u;
	p->starttime = nowns();
	listinit(&p->runlink);
	listinit(&p->hashlink);
	listinit(&p->threadlink);
	listinit(&p->tracees);
	p->entry = syscall;

	/* From the top: the trap frame, trapret for forkret to return to, and
	 * the context whose swtch() goes to forkret. */
	p->tf = (struct trapframe *)(p->kstack + KSTACKPAGES * PGSIZE) - 1;
	memset(p->tf, 0, sizeof(*p->tf));
	sp = (uint *)p->tf;
	*--sp = (uint)trapret;
	p->context = (struct context *)sp - 1;
	memset(p->context, 0, sizeof(*p->context));
	p->context->eip = (uint)forkret;
	return p;
}

void
freeproc(struct proc *p)
{
	struct tgroup *tg = p->tg;

	if (p->files)
		filesput(p->files);
	if (p->uvm)
		freeuvm(p->uvm);
	fsput(p->fs);
	kstackfree(p->kstack);
	kmfree(p->trace);
	if (tg != (struct tgroup *)(p + 1))
		kfree(p);
	if (tg)
		groupput(tg);
}

/* Make the process whose first thread is p, in the page of p.  It has one
 * reference, that of p, and no sighand yet. */
static struct tgroup *
newgroup(struct proc *p)
{
	struct tgroup *tg = (struct tgroup *)(p + 1);

	memset(tg, 0, sizeof(*tg));
	p->tg = tg;
	tg->ref = 1;
	listinit(&tg->threads);
	listinit(&tg->ended);
	listinit(&tg->alllink);
	listinit(&tg->children);
	listinit(&tg->sibling);
	listinit(&tg->timers);
	initwaitq(&tg->childq);
	return tg;
}

/* Drop a thread's reference to its process; the last one frees the page that
 * the process is in.  No spinlock held. */
static void
groupput(struct tgroup *tg)
{
	if (!atomicdectest(&tg->ref))
		return;
	if (tg->exe)
		fileclose(tg->exe);
	sighandput(tg->sighand);
	kfree((void *)PGROUNDDOWN((uint)tg));
}

struct proc *
kthread(const char *name, void (*fn)(void *), void *arg)
{
	struct proc *p = newproc();
	int pid;

	if (p == 0)
		return 0;
	newgroup(p);
	if ((p->tg->sighand = sighandcopy(0)) == 0)
		goto bad;
	strlcpy(p->name, name, sizeof(p->name));
	p->kfn = fn;
	p->karg = arg;
	p->tg->exitsignal = SIGCHLD;
	acquire(&proctree);
	pid = pidalloc();
	if (pid > 0) {
		linkproc(p, pid);
		linkgroup(p->tg, p, 0, &kernelsession);
	}
	release(&proctree);
	if (pid < 0)
		goto bad;
	setrunnable(p);
	return p;
bad:
	freeproc(p);
	return 0;
}

int
doclone(const struct cloneargs *c)
{
	int pid;

	do
		pid = tryclone(c);
	while (pid == -ENOMEM && memwait());
	return pid;
}

/* clone(2), tried once: the child's pid, or -errno with nothing left of it;
 * -ENOMEM may be different when memory has come back. */
static int
tryclone(const struct cloneargs *c)
{
	struct proc *p = myproc(), *np;
	int pid = checkclone(p->tg, c->flags);

	if (pid < 0)
		return pid;
	if ((np = newproc()) == 0)
		return -ENOMEM;
	pid = fillclone(np, p, c);
	if (pid < 0) {
		freeproc(np);
		return pid;
	}
	startclone(np, p, c, pid);
	return pid;
}

/* May a thread of tg call clone with these flags?  0 or -EINVAL. */
static int
checkclone(struct tgroup *tg, uint flags)
{
	if ((flags & CLONE_REFUSED) || (flags & CSIGNAL) > NSIG)
		return -EINVAL;
	if (((flags & CLONE_SIGHAND) && !(flags & CLONE_VM)) ||
		((flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND)))
		return -EINVAL;
	return (flags & CLONE_PARENT) && tg == initgroup ? -EINVAL : 0;
}

/* Make np, which is new, the child of p: what it shares or copies, its
 * registers, its place in the process tree.  Its pid; or -errno, and
 * freeproc() gives back what np has. */
static int
fillclone(struct proc *np, struct proc *p, const struct cloneargs *c)
{
	int pid = inherit(np, p, c->flags);

	if (pid == 0)
		pid = cloneframe(np, p, c);
	if (pid == 0 && p->trace)
		pid = tracealloc(np);
	if (pid == 0 && c->defaults)
		sigdefaults(np->tg->sighand);
	if (pid == 0)
		pid = attach(np, p, c->flags);
	return pid;
}

/* Let np run, tell the tracer of p, and for vfork wait until np executes a
 * program or ends.  np may be gone as soon as it runs. */
static void
startclone(struct proc *np, struct proc *p, const struct cloneargs *c, int pid)
{
	if (c->flags & CLONE_PARENT_SETTID) /* Linux, too, lets this fail */
		copyout(c->ptid, &pid, sizeof(pid));
	setrunnable(np);
	if (p->trace)
		tracecloned(c->flags, pid);
	if (c->flags & CLONE_VFORK) {
		vforkwait(p, pid);
		if (p->trace)
			traceevent(PTRACE_EVENT_VFORK_DONE, (uint)pid);
	}
}

/* Let np share what flags say, and copy the rest of what p has.  0 or -ENOMEM;
 * freeproc(np) gives back what np has by then. */
static int
inherit(struct proc *np, struct proc *p, uint flags)
{
	size_t from = offsetof(struct proc, uid);

	memcpy((char *)np + from, (char *)p + from,
		offsetof(struct proc, pdeathsig) - from);
	np->nice = p->nice;
	np->vtime = p->vtime;
	np->affinity = p->affinity;
	np->policy = p->policy;
	if (p->policy & SCHED_RESET_ON_FORK) {
		np->policy &= ~SCHED_RESET_ON_FORK;
		np->nice = MAX(p->nice, 0);
	}
	np->sig.mask = p->sig.mask;
	if (!(flags & CLONE_VM) || (flags & CLONE_VFORK)) {
		np->sig.altsp = p->sig.altsp;
		np->sig.altsize = p->sig.altsize;
		np->sig.altflags = p->sig.altflags;
	}
	if (inheritgroup(np, p, flags) < 0)
		return -ENOMEM;
	return inheritmem(np, p, flags);
}

/* Make np a thread of the process of p, or the first one of a new process with
 * the limits, the program and, copied or shared, the handlers of that of p.  0
 * or -ENOMEM. */
static int
inheritgroup(struct proc *np, struct proc *p, uint flags)
{
	struct tgroup *from = p->tg, *tg;
	size_t start = offsetof(struct tgroup, rlimit);

	if (flags & CLONE_THREAD) {
		atomicinc(&(np->tg = from)->ref);
		return 0;
	}
	tg = newgroup(np);
	if (flags & CLONE_SIGHAND)
		atomicinc(&(tg->sighand = from->sighand)->ref);
	else if ((tg->sighand = sighandcopy(from->sighand)) == 0)
		return -ENOMEM;
	memcpy((char *)tg + start, (char *)from + start,
		offsetof(struct tgroup, exe) - start);
	cpulimit(tg, 0);
	if (from->exe)
		tg->exe = filedup(from->exe);
	tg->exitsignal = flags & CLONE_PARENT ? from->exitsignal
					      : (int)(flags & CSIGNAL);
	return 0;
}

/* Let np share or have a copy of the directory, the descriptors and the memory
 * of p. 0 or -ENOMEM. */
static int
inheritmem(struct proc *np, struct proc *p, uint flags)
{
	if (flags & CLONE_FS)
		atomicinc(&(np->fs = p->fs)->ref);
	else
		np->fs = fscopy(p->fs);
	if (flags & CLONE_FILES)
		atomicinc(&(np->files = p->files)->ref);
	else
		np->files = filescopy(p->files);
	if (!np->fs || !np->files)
		return -ENOMEM;
	np->uvm = flags & CLONE_VM ? uvmref(p->uvm) : copyuvm(p->uvm);
	return np->uvm ? 0 : -ENOMEM;
}

/* Set the registers of the child np: those of p, but eax, which is what clone
 * returns there, and the stack if c has one.  0; -EFAULT or -EINVAL for its
 * thread descriptor. */
static int
cloneframe(struct proc *np, struct proc *p, const struct cloneargs *c)
{
	*np->tf = *p->tf;
	np->tf->eax = 0;
	if (c->stack)
		np->tf->esp = c->stack;
	pushcli();
	if (p->fpuloaded)
		fpusave(p->fpu);
	popcli();
	memcpy(np->fpu, p->fpu, FPUSIZE);
	memcpy(np->tls, p->tls, sizeof(np->tls));
	if (c->flags & CLONE_CHILD_SETTID)
		np->settid = c->ctid;
	if (c->flags & CLONE_CHILD_CLEARTID)
		np->cleartid = c->ctid;
	return c->flags & CLONE_SETTLS ? clonetls(np, c->tls) : 0;
}

/* CLONE_SETTLS: tls is the user address of a user_desc that has the number of
 * its slot.  0, -EFAULT or -EINVAL. */
static int
clonetls(struct proc *np, uint tls)
{
	uint desc[4];

	if (copyin(desc, tls, sizeof(desc)) != 0)
		return -EFAULT;
	if (desc[0] < SEG_TLS || desc[0] >= SEG_TLS + NTLS)
		return -EINVAL;
	return tlsfill(&np->tls[desc[0] - SEG_TLS], desc);
}

/* Put np in the tree as the child (or sibling) of p or as another thread of
 * its process: its pid, or -EAGAIN when there are too many.  If p has a signal
 * pending, -ERESTARTNOINTR: p takes the signal first and clones after that,
 * because a signal that is sent to the process group, or ends or stops the
 * process, must reach np too.  Takes proctree and the lock of the sighand. */
static int
attach(struct proc *np, struct proc *p, uint flags)
{
	struct tgroup *tg = np->tg, *from = p->tg;
	int pid;

	acquire(&proctree);
	acquire(&from->sighand->lock);
	pid = sigpending() ? -ERESTARTNOINTR
	      : overlimit(p) ? -EAGAIN
			     : pidalloc();
	if (pid > 0) {
		linkproc(np, pid);
		if (flags & CLONE_VFORK)
			np->vforkq = &from->childq;
		if (p->trace)
			traceclone(np, p, flags);
	}
	if (pid > 0 && !(flags & CLONE_THREAD)) {
		linkgroup(tg, np, from->pgid, from->session);
		tg->parent = flags & CLONE_PARENT ? from->parent : from;
		tg->maker = flags & CLONE_PARENT ? from->maker : p;
		tg->parentexecs = tg->parent ? tg->parent->execed : 0;
		if (tg->parent)
			listadd(&tg->parent->children, &tg->sibling);
	}
	release(&from->sighand->lock);
	release(&proctree);
	return pid;
}

/* Has the user of p as many threads as RLIMIT_NPROC allows?  1 or 0.  proctree
 * held. */
static int
overlimit(struct proc *p)
{
	uint64_t limit = p->tg->rlimit[RLIMIT_NPROC].cur;
	struct tgroup *tg;
	struct proc *q;
	uint n = 0;

	lockassert(holding(&proctree));
	if (p->uid == 0 || limit >= PIDMAX)
		return 0;
	listeach (tg, &allprocs, alllink)
		eachthread (q, tg)
			n += q->uid == p->uid;
	return n >= (uint)limit;
}

/* Choose a pid that is not in use, going round: the pid, or -EAGAIN when all
 * are. proctree held. */
static int
pidalloc(void)
{
	int i;

	lockassert(holding(&proctree));
	for (i = 0; i < PIDMAX; i++) {
		if (++lastpid >= PIDMAX) {
			lastpid = 300; /* as Linux: low ones are the boot's */
			wrapped = 1;
		}
		if (!wrapped || !pidused(lastpid))
			return lastpid;
	}
	return -EAGAIN;
}

/* Is pid the number of a thread, a process group or a session?  proctree held.
 */
static int
pidused(int pid)
{
	struct tgroup *tg;

	lockassert(holding(&proctree));
	if (findproc(pid))
		return 1;
	listeach (tg, &allprocs, alllink)
		if (tg->pgid == pid || tg->session->sid == pid)
			return 1;
	return 0;
}

/* Enter p into its process and the pid table, with this pid.  proctree held,
 * and the lock of the sighand unless the process is new. */
static void
linkproc(struct proc *p, int pid)
{
	struct tgroup *tg = p->tg;

	lockassert(holding(&proctree));
	p->pid = pid;
	listadd(&pidhash[pid % NHASH], &p->hashlink);
	listadd(&tg->threads, &p->threadlink);
	tg->nthreads++;
	tg->running++;
	tg->live++;
	nprocs++;
	nforks++;
}

void
unlinkproc(struct proc *p)
{
	lockassert(holding(&proctree));
	listdel(&p->hashlink);
	listdel(&p->threadlink);
	p->tg->nthreads--;
	nprocs--;
}

/* Enter tg, a new process whose first thread is p, into allprocs, as a member
 * of process group pgid (0: of none) and session s.  proctree held. */
static void
linkgroup(struct tgroup *tg, struct proc *p, int pgid, struct session *s)
{
	lockassert(holding(&proctree));
	tg->tgid = p->pid;
	tg->leader = p;
	tg->pgid = pgid;
	tg->session = s;
	s->ref++;
	listadd(&allprocs, &tg->alllink);
}

void
unlinkgroup(struct tgroup *tg)
{
	lockassert(holding(&proctree));
	if (traced(tg->leader))
		untrace(tg->leader->trace);
	unlinkproc(tg->leader);
	listdel(&tg->alllink);
	listdel(&tg->sibling);
	sessionput(tg->session);
	tg->session = 0;
	tg->parent = 0;
}

void
sessionput(struct session *s)
{
	lockassert(holding(&proctree));
	if (--s->ref == 0)
		kmfree(s);
}

void
takelead(struct proc *p)
{
	struct tgroup *tg = p->tg, *c;
	struct proc *old = tg->leader;

	lockassert(holding(&proctree));
	if (traced(old))
		untrace(old->trace);
	acquire(&tg->sighand->lock);
	unlinkproc(old);
	listadd(&tg->ended, &old->threadlink);
	listdel(&p->hashlink);
	p->pid = tg->tgid;
	listadd(&pidhash[p->pid % NHASH], &p->hashlink);
	p->starttime = old->starttime;
	tg->leader = p;
	release(&tg->sighand->lock);
	listeach (c, &tg->children, sibling)
		if (c->maker == old)
			c->maker = p;
}

struct proc *
findproc(int pid)
{
	struct proc *p;

	lockassert(holding(&proctree));
	if (pid <= 0)
		return 0;
	listeach (p, &pidhash[pid % NHASH], hashlink)
		if (p->pid == pid)
			return p;
	return 0;
}

struct tgroup *
findgroup(int pid)
{
	struct proc *p = findproc(pid);

	return p ? p->tg : 0;
}

void
procount(struct procount *n)
{
	acquire(&proctree);
	n->all = nprocs;
	n->forks = nforks;
	n->lastpid = lastpid;
	release(&proctree);
	n->running = nrunnable();
}

/* vfork: let p, which runs, wait until its child with this pid no longer uses
 * the memory of p, or until p is killed.  The child may have ended already,
 * and its pid may be another thread's: only the right child has vforkq set to
 * our queue. */
static void
vforkwait(struct proc *p, int pid)
{
	struct proc *np;
	int err = 0;

	acquire(&proctree);
	for (;;) {
		np = findproc(pid);
		if (np == 0 || np->vforkq != &p->tg->childq)
			break;
		if (err == -EINTR) {
			np->vforkq = 0;
			break;
		}
		err = sleepuntil(&p->tg->childq, &proctree, NEVER, SLEEP_KILL);
	}
	release(&proctree);
}

void
vforkrelease(struct proc *p)
{
	acquire(&proctree);
	if (p->vforkq)
		wakeup(p->vforkq);
	p->vforkq = 0;
	release(&proctree);
}

/* A copy of *old with one reference, or 0. */
static struct fsinfo *
fscopy(struct fsinfo *old)
{
	struct fsinfo *fs = kzalloc(sizeof(*fs));

	if (fs == 0)
		return 0;
	fs->ref = 1;
	initlock(&fs->lock, RANK_FILES);
	acquire(&old->lock);
	fs->root = dget(old->root);
	fs->cwd = dget(old->cwd);
	fs->umask = old->umask;
	release(&old->lock);
	return fs;
}

void
fsput(struct fsinfo *fs)
{
	if (fs == 0 || !atomicdectest(&fs->ref))
		return;
	dput(fs->root);
	dput(fs->cwd);
	if (ndetached)
		reapmounts();
	kmfree(fs);
}

struct sighand *
sighandcopy(struct sighand *old)
{
	struct sighand *sh = kmalloc(sizeof(*sh));

	if (sh == 0)
		return 0;
	sh->ref = 1;
	initlock(&sh->lock, RANK_SIGNAL);
	if (old == 0) {
		memset(sh->action, 0, sizeof(sh->action));
		return sh;
	}
	acquire(&old->lock);
	memcpy(sh->action, old->action, sizeof(sh->action));
	release(&old->lock);
	return sh;
}

void
sighandput(struct sighand *sh)
{
	if (sh && atomicdectest(&sh->ref))
		kmfree(sh);
}

uint
growproc(uint brk)
{
	return growheap(myproc()->uvm, brk);
}
