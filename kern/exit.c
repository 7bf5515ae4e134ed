/*
 * exit.c - how a process ends, and how its parent hears of it.
 *
 * Invariants:
 *   E1  A process becomes ZOMBIE with proctree and its run queue lock held:
 *       who sees a zombie sees its status too, and schedgone() returns when it
 *       has left its kernel stack for good.
 *   E2  Every zombie is in its parent's list until dowait() takes it out, or,
 *       if the parent does not want to know, in `dead` until reapdead() does.
 */
#include "kern/proc.h"

#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/abi/wait.h"
#include "kern/dev/dev.h"
#include "kern/file.h"
#include "kern/futex.h"
#include "kern/panic.h"
#include "kern/string.h"

static struct list dead = {&dead, &dead}; /* by sibling [proctree] */

static void exitmem(struct proc *p);
static void exitfiles(struct proc *p);
static void reparent(struct proc *p);
static void orphan(int pgid, struct proc *ignored);
static void tellparent(struct proc *p);
static void childinfo(struct proc *p, struct ksiginfo *info);
static int waitlook(struct proc *p, int id, int options, struct proc **found);
static int matches(struct proc *c, struct proc *p, int id, int options);
static int event(struct proc *c, int options);
static int report(struct proc *p, struct proc *c, int options, int *status,
	struct procusage *ru);
static void reap(struct proc *p, struct proc *c);

void
doexit(int status)
{
	struct proc *p = myproc();
	struct tty *tty;

	if (p == initproc)
		initexit(status);
	sti();
	sigexit(p);
	exitmem(p);
	exitfiles(p);
	tty = p->session->tty;
	if (tty && p->session->sid == p->pid)
		ttyhangup(tty);
	acquire(&proctree);
	p->xstatus = status;
	reparent(p);
	if (p->parent && p->parent->pgid != p->pgid &&
		p->parent->session == p->session)
		orphan(p->pgid, p);
	tellparent(p);
	block(ZOMBIE, &proctree);
	panic("a zombie runs");
}

/* Give back the memory, and let a parent that shares it go on. */
static void
exitmem(struct proc *p)
{
	struct uvm *u = p->uvm;
	struct procusage ru;
	uint zero = 0;

	if (u == 0)
		return;
	if (p->cleartid) {
		copyout(p->cleartid, &zero, sizeof(zero));
		futexwake(p->cleartid, 1);
	}
	procusage(p, &ru);
	acquire(&proctree);
	p->maxrss = ru.maxrss;
	p->uvm = 0;
	release(&proctree);
	pushcli();
	fpudrop();
	switchkvm();
	popcli();
	vforkrelease(p);
	freeuvm(u);
}

static void
exitfiles(struct proc *p)
{
	struct files *files;
	struct fsinfo *fs;
	struct file *exe;

	acquire(&proctree);
	files = p->files;
	fs = p->fs;
	exe = p->exe;
	p->files = 0;
	p->fs = 0;
	p->exe = 0;
	release(&proctree);
	if (files)
		filesput(files);
	if (exe)
		fileclose(exe);
	fsput(fs);
}

/* The children of p become init's.  proctree held. */
static void
reparent(struct proc *p)
{
	struct proc *c;

	listeach (c, &p->children, sibling) {
		listdel(&c->sibling);
		listadd(&initproc->children, &c->sibling);
		c->parent = initproc;
		c->exitsignal = SIGCHLD;
		if (c->state == ZOMBIE) {
			tellparent(c);
			continue;
		}
		if (c->pdeathsig)
			sigsend(c, c->pdeathsig, 0);
		if (c->pgid != p->pgid && c->session == p->session)
			orphan(c->pgid, p);
	}
}

/* If nobody could continue the group any more and some of it is stopped, hang
 * it up (POSIX _exit).  proctree held. */
static void
orphan(int pgid, struct proc *ignored)
{
	struct proc *p;
	int stopped = 0;

	listeach (p, &allprocs, alllink)
		stopped |= p->pgid == pgid && p != ignored && p->sig.stopped;
	if (!stopped || !pgorphaned(pgid, ignored))
		return;
	listeach (p, &allprocs, alllink) {
		if (p->pgid != pgid || p->state == ZOMBIE)
			continue;
		sigsend(p, SIGHUP, 0);
		sigsend(p, SIGCONT, 0);
	}
}

/* p is dead, or about to be: tell its parent; if that does not want to know,
 * or there is none, nobody will wait for p.  proctree held. */
static void
tellparent(struct proc *p)
{
	struct proc *parent = p->parent;
	struct ksigaction *act;
	struct ksiginfo info;
	int unwanted = 1;

	if (parent) {
		act = &parent->sighand->action[SIGCHLD - 1];
		unwanted = p->exitsignal == SIGCHLD &&
			(act->handler == SIG_IGN || (act->flags & SA_NOCLDWAIT));
		childinfo(p, &info);
		if (p->exitsignal)
			sigsend(parent, p->exitsignal, &info);
		wakeup(&parent->childq);
	}
	if (unwanted) {
		unlinkproc(p);
		listadd(&dead, &p->sibling);
	}
}

static void
childinfo(struct proc *p, struct ksiginfo *info)
{
	int sig = p->xstatus & 0x7f;

	memset(info, 0, sizeof(*info));
	info->signo = p->exitsignal;
	info->code = sig == 0 ? CLD_EXITED : CLD_KILLED;
	info->pid = p->pid;
	info->uid = p->uid;
	info->status = sig ? sig : p->xstatus >> 8 & 0xff;
	info->utime = (uint)p->utime * USER_HZ / HZ;
	info->stime = (uint)p->stime * USER_HZ / HZ;
}

void
reapdead(void)
{
	struct proc *p;

	while (!listempty(&dead)) { /* a look without the lock: no hurry */
		acquire(&proctree);
		p = 0;
		if (!listempty(&dead)) {
			p = listitem(dead.next, struct proc, sibling);
			listdel(&p->sibling);
		}
		release(&proctree);
		if (p == 0)
			return;
		schedgone(p);
		freeproc(p);
	}
}

int
dowait(int id, int options, int *status, struct procusage *ru)
{
	struct proc *p = myproc(), *c;
	int n;

	if (id == INT32_MIN)
		return -ESRCH;
	acquire(&proctree);
	for (;;) {
		n = waitlook(p, id, options, &c);
		if (c)
			return report(p, c, options, status, ru);
		if (n == 0)
			n = -ECHILD;
		else if (options & WNOHANG)
			n = 0;
		else if (sleepint(&p->childq, &proctree) < 0)
			n = -ERESTARTSYS;
		else
			continue;
		release(&proctree);
		return n;
	}
}

/* How many children would do, and one of them that has something to tell, or
 * 0.  proctree held. */
static int
waitlook(struct proc *p, int id, int options, struct proc **found)
{
	struct proc *c;
	int n = 0;

	*found = 0;
	listeach (c, &p->children, sibling) {
		if (!matches(c, p, id, options))
			continue;
		n++;
		if (event(c, options)) {
			*found = c;
			break;
		}
	}
	return n;
}

/* Is c one of the children that p asks for? */
static int
matches(struct proc *c, struct proc *p, int id, int options)
{
	int clone = c->exitsignal != SIGCHLD;

	if (!(options & __WALL) && clone != ((options & (int)__WCLONE) != 0))
		return 0;
	if (id > 0)
		return c->pid == id;
	if (id == -1)
		return 1;
	return c->pgid == (id == 0 ? p->pgid : -id);
}

/* Has c something to tell that the options ask for? */
static int
event(struct proc *c, int options)
{
	if (c->state == ZOMBIE)
		return (options & WEXITED) != 0;
	if (c->waitevent == 0)
		return 0;
	if (c->waitevent == WSTATCONT)
		return (options & WCONTINUED) != 0;
	return (options & WSTOPPED) != 0;
}

/* Tell of c, and unless it is to be left as it is, reap it or forget the event.
 * proctree held; released. */
static int
report(struct proc *p, struct proc *c, int options, int *status,
	struct procusage *ru)
{
	int pid = c->pid, zombie = c->state == ZOMBIE;

	*status = zombie ? c->xstatus : c->waitevent;
	memset(ru, 0, sizeof(*ru));
	ru->utime = c->utime + c->cutime;
	ru->stime = c->stime + c->cstime;
	ru->minflt = c->minflt + c->cminflt;
	ru->majflt = c->majflt + c->cmajflt;
	ru->nvcsw = c->nvcsw;
	ru->nivcsw = c->nivcsw;
	ru->maxrss = MAX(c->maxrss, c->cmaxrss);
	if (options & WNOWAIT) {
		release(&proctree);
	} else if (!zombie) {
		c->waitevent = 0;
		release(&proctree);
	} else {
		reap(p, c);
	}
	return pid;
}

/* Add what zombie c used to p's account and free it.  proctree held; released.
 */
static void
reap(struct proc *p, struct proc *c)
{
	p->cutime += c->utime + c->cutime;
	p->cstime += c->stime + c->cstime;
	p->cminflt += c->minflt + c->cminflt;
	p->cmajflt += c->majflt + c->cmajflt;
	p->cmaxrss = MAX(p->cmaxrss, MAX(c->maxrss, c->cmaxrss));
	unlinkproc(c);
	release(&proctree);
	schedgone(c);
	freeproc(c);
}

void
procusage(struct proc *p, struct procusage *ru)
{
	struct uvmstat st;

	memset(ru, 0, sizeof(*ru));
	ru->utime = p->utime;
	ru->stime = p->stime;
	ru->minflt = p->minflt;
	ru->majflt = p->majflt;
	ru->nvcsw = p->nvcsw;
	ru->nivcsw = p->nivcsw;
	ru->maxrss = p->maxrss;
	if (p->uvm) {
		uvmstat(p->uvm, &st);
		ru->maxrss = MAX(p->maxrss, st.peakrss * (PGSIZE / 1024));
	}
}
