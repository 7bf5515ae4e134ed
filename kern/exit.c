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
static void reparent(struct tgroup *tg);
static void orphan(int pgid, struct tgroup *ignored);
static void tellparent(struct tgroup *tg);
static void childinfo(struct tgroup *tg, struct ksiginfo *info);
static int waitlook(struct tgroup *me, int id, int options,
	struct tgroup **found);
static int matches(struct tgroup *c, struct tgroup *me, int id, int options);
static int event(struct tgroup *c, int options);
static int report(struct tgroup *me, struct tgroup *c, int options, int *status,
	struct procusage *ru);
static void reap(struct tgroup *me, struct tgroup *c);
static void addusage(struct procusage *to, const struct procusage *ru);

void
doexit(int status)
{
	struct proc *p = myproc();
	struct tgroup *tg = p->tg;
	struct tty *tty;

	if (p->tg == initgroup)
		initexit(status);
	sti();
	sigexit(p);
	exitmem(p);
	exitfiles(p);
	tty = tg->session->tty;
	if (tty && tg->session->sid == tg->tgid)
		ttyhangup(tty);
	acquire(&proctree);
	tg->xstatus = status;
	reparent(tg);
	if (tg->parent && tg->parent->pgid != tg->pgid &&
		tg->parent->session == tg->session)
		orphan(tg->pgid, tg);
	tellparent(tg);
	block(ZOMBIE, &proctree);
	panic("a zombie runs");
}

/* Give back the memory, and let a parent that shares it go on. */
static void
exitmem(struct proc *p)
{
	struct uvm *u = p->uvm;
	struct procusage ru;

	if (u == 0)
		return;
	futexexit(p);
	procusage(0, &ru);
	acquire(&proctree);
	p->tg->dead.maxrss = ru.maxrss;
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
	exe = p->tg->exe;
	p->files = 0;
	p->fs = 0;
	p->tg->exe = 0;
	release(&proctree);
	if (files)
		filesput(files);
	if (exe)
		fileclose(exe);
	fsput(fs);
}

/* The children of tg become init's.  proctree held. */
static void
reparent(struct tgroup *tg)
{
	struct tgroup *c;

	listeach (c, &tg->children, sibling) {
		listdel(&c->sibling);
		listadd(&initgroup->children, &c->sibling);
		c->parent = initgroup;
		c->exitsignal = SIGCHLD;
		if (c->leader->state == ZOMBIE) {
			tellparent(c);
			continue;
		}
		if (c->leader->pdeathsig)
			sigsendproc(c, c->leader->pdeathsig, 0);
		if (c->pgid != tg->pgid && c->session == tg->session)
			orphan(c->pgid, tg);
	}
}

/* If nobody could continue the group any more and some of it is stopped, hang
 * it up (POSIX _exit).  proctree held. */
static void
orphan(int pgid, struct tgroup *ignored)
{
	struct tgroup *tg;
	int stopped = 0;

	listeach (tg, &allprocs, alllink)
		stopped |= tg->pgid == pgid && tg != ignored &&
			tg->leader->sig.stopped;
	if (!stopped || !pgorphaned(pgid, ignored))
		return;
	listeach (tg, &allprocs, alllink) {
		if (tg->pgid != pgid || tg->leader->state == ZOMBIE)
			continue;
		sigsendproc(tg, SIGHUP, 0);
		sigsendproc(tg, SIGCONT, 0);
	}
}

/* tg is dead, or about to be: tell its parent; if that does not want to know,
 * or there is none, nobody will wait for p.  proctree held. */
static void
tellparent(struct tgroup *tg)
{
	struct tgroup *parent = tg->parent;
	struct ksigaction *act;
	struct ksiginfo info;
	int unwanted = 1;

	if (parent) {
		act = &parent->leader->sighand->action[SIGCHLD - 1];
		unwanted = tg->exitsignal == SIGCHLD &&
			(act->handler == SIG_IGN || (act->flags & SA_NOCLDWAIT));
		childinfo(tg, &info);
		if (tg->exitsignal)
			sigsendproc(parent, tg->exitsignal, &info);
		wakeup(&parent->childq);
	}
	if (unwanted) {
		unlinkgroup(tg);
		listadd(&dead, &tg->sibling);
	}
}

static void
childinfo(struct tgroup *tg, struct ksiginfo *info)
{
	struct procusage ru;
	int sig = tg->xstatus & 0x7f;

	groupusage(tg, &ru);

	memset(info, 0, sizeof(*info));
	info->signo = tg->exitsignal;
	info->code = sig == 0                      ? CLD_EXITED
		     : tg->xstatus & WSTATCORE ? CLD_DUMPED
					       : CLD_KILLED;
	info->pid = tg->tgid;
	info->uid = tg->leader->uid;
	info->status = sig ? sig : tg->xstatus >> 8 & 0xff;
	info->utime = (uint)ru.utime * USER_HZ / HZ;
	info->stime = (uint)ru.stime * USER_HZ / HZ;
}

void
reapdead(void)
{
	struct tgroup *tg;
	struct proc *p;

	while (!listempty(&dead)) { /* a look without the lock: no hurry */
		acquire(&proctree);
		p = 0;
		if (!listempty(&dead)) {
			tg = listitem(dead.next, struct tgroup, sibling);
			listdel(&tg->sibling);
			p = tg->leader;
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
	struct tgroup *me = myproc()->tg, *c;
	int n;

	if (id == INT32_MIN)
		return -ESRCH;
	acquire(&proctree);
	for (;;) {
		n = waitlook(me, id, options, &c);
		if (c)
			return report(me, c, options, status, ru);
		if (n == 0)
			n = -ECHILD;
		else if (options & WNOHANG)
			n = 0;
		else if (sleepint(&me->childq, &proctree) < 0)
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
waitlook(struct tgroup *me, int id, int options, struct tgroup **found)
{
	struct tgroup *c;
	int n = 0;

	*found = 0;
	listeach (c, &me->children, sibling) {
		if (!matches(c, me, id, options))
			continue;
		n++;
		if (event(c, options)) {
			*found = c;
			break;
		}
	}
	return n;
}

/* Is c one of the children that we ask for? */
static int
matches(struct tgroup *c, struct tgroup *me, int id, int options)
{
	int clone = c->exitsignal != SIGCHLD;

	if (!(options & __WALL) && clone != ((options & (int)__WCLONE) != 0))
		return 0;
	if (id > 0)
		return c->tgid == id;
	if (id == -1)
		return 1;
	return c->pgid == (id == 0 ? me->pgid : -id);
}

/* Has c something to tell that the options ask for? */
static int
event(struct tgroup *c, int options)
{
	if (c->leader->state == ZOMBIE)
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
report(struct tgroup *me, struct tgroup *c, int options, int *status,
	struct procusage *ru)
{
	int pid = c->tgid, zombie = c->leader->state == ZOMBIE;

	*status = zombie ? c->xstatus : c->waitevent;
	groupusage(c, ru);
	addusage(ru, &c->reaped);
	if (options & WNOWAIT) {
		release(&proctree);
	} else if (!zombie) {
		c->waitevent = 0;
		release(&proctree);
	} else {
		reap(me, c);
	}
	return pid;
}

/* Add what zombie c used to our account and free it.  proctree held; released.
 */
static void
reap(struct tgroup *me, struct tgroup *c)
{
	struct proc *p = c->leader;
	struct procusage ru;

	groupusage(c, &ru);
	addusage(&me->reaped, &ru);
	addusage(&me->reaped, &c->reaped);
	unlinkgroup(c);
	release(&proctree);
	schedgone(p);
	freeproc(p);
}

static void
addusage(struct procusage *to, const struct procusage *ru)
{
	to->utime += ru->utime;
	to->stime += ru->stime;
	to->minflt += ru->minflt;
	to->majflt += ru->majflt;
	to->nvcsw += ru->nvcsw;
	to->nivcsw += ru->nivcsw;
	to->maxrss = MAX(to->maxrss, ru->maxrss);
}

/* Add what p itself has used. */
static void
addthread(struct procusage *to, struct proc *p)
{
	to->utime += p->utime;
	to->stime += p->stime;
	to->minflt += p->minflt;
	to->majflt += p->majflt;
	to->nvcsw += p->nvcsw;
	to->nivcsw += p->nivcsw;
}

void
groupusage(struct tgroup *tg, struct procusage *ru)
{
	struct proc *p;

	*ru = tg->dead;
	eachthread (p, tg)
		addthread(ru, p);
}

void
procusage(int thread, struct procusage *ru)
{
	struct proc *p = myproc();
	struct uvmstat st;

	memset(ru, 0, sizeof(*ru));
	acquire(&proctree);
	if (thread)
		addthread(ru, p);
	else
		groupusage(p->tg, ru);
	ru->maxrss = p->tg->dead.maxrss;
	release(&proctree);
	if (p->uvm) {
		uvmstat(p->uvm, &st);
		ru->maxrss = MAX(ru->maxrss, st.peakrss * (PGSIZE / 1024));
	}
}
