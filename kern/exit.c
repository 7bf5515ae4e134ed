/*
 * exit.c - how a process ends, and how its parent hears of it.
 *
 * Invariants:
 *   E1  A thread ends with proctree and its run queue lock held: who sees
 *       tg->running lower or tg->zombie set sees the status too, and
 *       schedgone() returns when it has left its kernel stack for good.
 *   E2  A thread that has ended is on tg->ended until freethreads() frees it,
 *       but for the leader, which goes when its process is reaped.
 *   E3  Every zombie is in its parent's list until dowait() takes it out, or,
 *       if the parent does not want to know, in `dead` until reapdead() does.
 */
#include "kern/exit.h"
#include "kern/proc.h"

#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/abi/wait.h"
#include "kern/dev/dev.h"
#include "kern/file.h"
#include "kern/futex.h"
#include "kern/init.h"
#include "kern/panic.h"
#include "kern/signal/ptrace.h"
#include "kern/lib/string.h"
#include "kern/ptimer.h"

static struct list dead = {&dead, &dead}; /* by sibling [proctree] */

static void freethreads(struct tgroup *tg);
static void exitmem(struct proc *p, int last);
static void exitfiles(struct proc *p, int last);
static void exitsession(struct tgroup *tg);
static void exitthread(struct proc *p);
static void endthread(struct proc *p);
static void endgroup(struct tgroup *tg);
static uint peakrss(struct proc *p);
static void addthread(struct procusage *to, struct proc *p);
static void reparent(struct tgroup *tg);
static void orphaned(struct tgroup *c);
static void orphan(int pgid, struct tgroup *ignored);
static void childinfo(struct tgroup *tg, struct ksiginfo *info);
static void freegroup(struct tgroup *tg);
static int waitlook(struct tgroup *me, int id, int options,
	struct tgroup **found);
static int matches(struct tgroup *c, struct tgroup *me, int id, int options);
static int event(struct tgroup *c, int options);
static int report(struct tgroup *me, struct tgroup *c, int options,
	struct waited *w);
static void reap(struct tgroup *me, struct tgroup *c,
	const struct procusage *ru);
static void addusage(struct procusage *to, const struct procusage *ru);
static void addio(struct procio *to, const struct procio *io);

void
exitgroup(int status)
{
	struct proc *p = myproc();
	struct tgroup *tg = p->tg;

	if (tg == initgroup)
		initexit(status);
	acquire(&tg->sighand->lock);
	if (!tg->exiting && (!tg->execer || tg->execer == p)) {
		tg->exiting = 1;
		tg->xstatus = status;
		sigkillthreads(tg, p);
	}
	release(&tg->sighand->lock);
	doexit(status);
}

void
doexit(int status)
{
	struct proc *p = myproc();
	struct tgroup *tg = p->tg;
	int last;

	sti();
	if (tg->dumper)
		corepark(p);
	if (tg->exiting)
		status = tg->xstatus;
	else if (tg->execer)
		status = 0;
	if (p->trace)
		traceevent(PTRACE_EVENT_EXIT, (uint)status);
	freethreads(tg);
	last = sigexit(p, status);
	if (last && tg == initgroup)
		initexit(tg->xstatus);
	if (last) {
		timerdel(&tg->realtimer);
		ptimerexit(tg);
	}
	exitmem(p, last);
	exitfiles(p, last);
	if (last)
		exitsession(tg);
	acquire(&proctree);
	traceexit(p);
	sigexitstop(p);
	if (p->trace && p != tg->leader)
		traceended(p, status);
	if (--tg->running > 0)
		exitthread(p);
	if (p != tg->leader)
		endthread(p);
	if (tg->running == 0)
		endgroup(tg);
	block(ZOMBIE, &proctree);
	panic("a zombie runs");
}

/* If tg leads its session, take the session's terminal away. */
static void
exitsession(struct tgroup *tg)
{
	struct session *s = tg->session; /* no thread is left to change it */
	struct tty *t;

	if (s->sid != tg->tgid)
		return;
	acquire(&proctree);
	t = s->tty;
	release(&proctree);
	if (t)
		ttyleft(t, s);
}

/* p has ended and other threads of its process have not: one of them gets p's
 * children, and an execve() that waits for the last but one is woken.  Called
 * with proctree held. */
static void
exitthread(struct proc *p)
{
	struct tgroup *c;
	struct proc *heir = 0, *t;

	lockassert(holding(&proctree));
	eachthread (t, p->tg) {
		if (t != p && (!t->sig.gone || !heir))
			heir = t;
		if (heir && !heir->sig.gone)
			break;
	}
	listeach (c, &p->tg->children, sibling) {
		if (c->maker != p)
			continue;
		c->maker = heir;
		orphaned(c);
	}
	if (p->tg->running == 1)
		wakeup(&p->tg->childq);
}

/* p, which is not the leader, leaves its process and waits on tg->ended to be
 * freed.  Called with proctree held. */
static void
endthread(struct proc *p)
{
	struct tgroup *tg = p->tg;

	lockassert(holding(&proctree));
	addthread(&tg->dead, p);
	acquire(&tg->sighand->lock);
	unlinkproc(p);
	release(&tg->sighand->lock);
	listadd(&tg->ended, &p->threadlink);
}

/* All threads of tg have ended: it is a zombie now, its children become
 * init's, and its parent is told.  Called with proctree held. */
static void
endgroup(struct tgroup *tg)
{
	lockassert(holding(&proctree));
	tg->zombie = 1;
	reparent(tg);
	if (tg->parent && tg->parent->pgid != tg->pgid &&
		tg->parent->session == tg->session)
		orphan(tg->pgid, tg);
	tellparent(tg);
}

/* Give back the memory of p, the running thread, and let a parent that shares
 * it after vfork() go on.  last: p is the last thread of its process.  Called
 * with no spinlock held. */
static void
exitmem(struct proc *p, int last)
{
	struct uvm *u = p->uvm;
	uint rss;

	lockassert(nospinlocks());
	if (u == 0)
		return;
	futexexit(p);
	rss = last ? peakrss(p) : 0;
	acquire(&proctree);
	p->tg->dead.maxrss = MAX(p->tg->dead.maxrss, rss);
	p->uvm = 0;
	release(&proctree);
	pushcli();
	fpudrop();
	switchkvm();
	popcli();
	vforkrelease(p);
	freeuvm(u);
}

/* The most memory that p's address space has had at once, in KiB. */
static uint
peakrss(struct proc *p)
{
	return uvmpeak(p->uvm) * (PGSIZE / 1024);
}

/* Give back the descriptors and directories of p, the running thread, and the
 * program's file if p is the last thread of its process.  Called with no
 * spinlock held. */
static void
exitfiles(struct proc *p, int last)
{
	struct files *files;
	struct fsinfo *fs;
	struct file *exe = 0;

	lockassert(nospinlocks());
	acquire(&proctree);
	files = p->files;
	fs = p->fs;
	p->files = 0;
	p->fs = 0;
	if (last) {
		exe = p->tg->exe;
		p->tg->exe = 0;
	}
	release(&proctree);
	if (files)
		filesput(files);
	if (exe)
		fileclose(exe);
	fsput(fs);
}

/* The children of tg become init's.  Called with proctree held. */
static void
reparent(struct tgroup *tg)
{
	struct tgroup *c;

	lockassert(holding(&proctree));
	listeach (c, &tg->children, sibling) {
		listdel(&c->sibling);
		listadd(&initgroup->children, &c->sibling);
		c->parent = initgroup;
		c->maker = initgroup->leader;
		c->exitsignal = SIGCHLD;
		if (c->zombie) {
			tellparent(c);
			continue;
		}
		orphaned(c);
		if (c->pgid != tg->pgid && c->session == tg->session)
			orphan(c->pgid, tg);
	}
}

/* The thread that made c has ended: send c the signals that its threads have
 * asked for in that case (PR_SET_PDEATHSIG).  Called with proctree held. */
static void
orphaned(struct tgroup *c)
{
	struct proc *p;

	lockassert(holding(&proctree));
	eachthread (p, c)
		if (p->pdeathsig)
			sigsendproc(c, p->pdeathsig, 0);
}

/* If nobody is left who could continue the process group pgid (not counting
 * `ignored') and one of its processes is stopped, send the group SIGHUP and
 * SIGCONT (POSIX, _exit).  Called with proctree held. */
static void
orphan(int pgid, struct tgroup *ignored)
{
	struct tgroup *tg;
	int stopped = 0;

	lockassert(holding(&proctree));
	listeach (tg, &allprocs, alllink)
		stopped |= tg->pgid == pgid && tg != ignored && tg->stopsig;
	if (!stopped || !pgorphaned(pgid, ignored))
		return;
	listeach (tg, &allprocs, alllink) {
		if (tg->pgid != pgid || tg->zombie)
			continue;
		sigsendproc(tg, SIGHUP, 0);
		sigsendproc(tg, SIGCONT, 0);
	}
}

void
tellparent(struct tgroup *tg)
{
	struct tgroup *parent = tg->parent;
	struct ksigaction *act;
	struct ksiginfo info;
	int unwanted = 1, sig = tg->exitsignal;

	lockassert(holding(&proctree));
	if (parent) {
		if (parent->execed != tg->parentexecs)
			sig = SIGCHLD; /* its program has not asked for another */
		act = &parent->sighand->action[SIGCHLD - 1];
		unwanted = sig == SIGCHLD &&
			(act->handler == SIG_IGN || (act->flags & SA_NOCLDWAIT));
		childinfo(tg, &info);
		if (tg->leader->trace && tracezombie(tg, &info))
			return;
		if (sig)
			sigsendproc(parent, sig, &info);
		wakeup(&parent->childq);
	}
	if (unwanted) {
		unlinkgroup(tg);
		listadd(&dead, &tg->sibling);
	}
}

/* Fill in *info for the signal that tells of the end of tg.  Called with
 * proctree held. */
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

	while (!listempty(&dead)) { /* a look without the lock: no hurry */
		acquire(&proctree);
		tg = 0;
		if (!listempty(&dead)) {
			tg = listitem(dead.next, struct tgroup, sibling);
			listdel(&tg->sibling);
		}
		release(&proctree);
		if (tg)
			freegroup(tg);
	}
}

/* Free the process tg, which is in no list any more, and its threads.  Called
 * with no spinlock held. */
static void
freegroup(struct tgroup *tg)
{
	lockassert(nospinlocks());
	freethreads(tg);
	schedgone(tg->leader);
	freeproc(tg->leader);
}

/* Free the threads of tg that have ended.  Called with no spinlock held. */
static void
freethreads(struct tgroup *tg)
{
	struct proc *p;

	lockassert(nospinlocks());
	while (!listempty(&tg->ended)) { /* as in reapdead */
		acquire(&proctree);
		p = 0;
		if (!listempty(&tg->ended)) {
			p = listitem(tg->ended.next, struct proc, threadlink);
			listdel(&p->threadlink);
		}
		release(&proctree);
		if (p) {
			schedgone(p);
			freeproc(p);
		}
	}
}

int
endothers(void)
{
	struct proc *p = myproc();
	struct tgroup *tg = p->tg;
	struct spinlock *lk = &tg->sighand->lock;
	int err = 0;

	lockassert(nospinlocks());
	acquire(&proctree);
	acquire(lk);
	if (tg->exiting || tg->execer) {
		err = -EAGAIN;
	} else {
		tg->execer = p;
		sigkillthreads(tg, p);
	}
	release(lk);
	while (err == 0 && tg->running > 1)
		err = sleepuntil(&tg->childq, &proctree, NEVER, SLEEP_KILL);
	acquire(lk);
	if (tg->execer == p)
		tg->execer = 0;
	release(lk);
	if (err == 0 && tg->leader != p) {
		addthread(&tg->dead, tg->leader);
		takelead(p);
	}
	release(&proctree);
	freethreads(tg);
	return err;
}

int
dowait(int id, int options, struct waited *w)
{
	struct tgroup *me = myproc()->tg, *c;
	struct trace *t = 0;
	int n;

	if (id == INT32_MIN)
		return -ESRCH;
	acquire(&proctree);
	for (;;) {
		n = waitlook(me, id, options, &c);
		if (c)
			return report(me, c, options, w);
		if (me->ntraced)
			t = tracelook(me, id, options, &n);
		if (t)
			n = tracereport(t, options, w);
		else if (n == 0)
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

/* Look for a child of me that has something to tell: *found, or 0.  Returns
 * how many of those looked at match id and options.  Called with proctree
 * held. */
static int
waitlook(struct tgroup *me, int id, int options, struct tgroup **found)
{
	struct tgroup *c;
	int n = 0;

	lockassert(holding(&proctree));
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

/* Is c one of the children of me that a wait with id and options asks for?  1
 * or 0. */
static int
matches(struct tgroup *c, struct tgroup *me, int id, int options)
{
	int clone = c->exitsignal != SIGCHLD;

	if ((options & __WNOTHREAD) && c->maker != myproc())
		return 0;
	if (!(options & __WALL) && clone != ((options & (int)__WCLONE) != 0))
		return 0;
	if (id > 0)
		return c->tgid == id;
	if (id == -1)
		return 1;
	return c->pgid == (id == 0 ? me->pgid : -id);
}

/* Has c something to tell that the options ask for?  1 or 0.  Called with
 * proctree held. */
static int
event(struct tgroup *c, int options)
{
	if (c->zombie)
		return (options & WEXITED) && !traceforeign(c->leader) &&
			!tracewaits(c);
	if (c->waitevent == 0)
		return 0;
	if (c->waitevent == WSTATCONT)
		return (options & WCONTINUED) != 0;
	return (options & WSTOPPED) != 0 && c->stopsig; /* not continued yet */
}

/* Write to *w what c has to tell.  Unless the options have WNOWAIT, reap c if
 * it is a zombie, or forget the event.  Returns c's id.  Called with proctree
 * held, and returns with it released. */
static int
report(struct tgroup *me, struct tgroup *c, int options, struct waited *w)
{
	int pid = c->tgid, zombie = c->zombie;

	lockassert(holding(&proctree));
	w->status = zombie ? c->xstatus : c->waitevent;
	w->uid = c->leader->uid;
	w->trapped = 0;
	groupusage(c, &w->ru);
	addusage(&w->ru, &c->reaped);
	if (options & WNOWAIT) {
		release(&proctree);
	} else if (!zombie) {
		c->waitevent = 0;
		release(&proctree);
	} else {
		reap(me, c, &w->ru);
	}
	return pid;
}

/* Add what the zombie c has used (ru) to what the children of me have used,
 * and free c.  Called with proctree held, and returns with it released. */
static void
reap(struct tgroup *me, struct tgroup *c, const struct procusage *ru)
{
	lockassert(holding(&proctree));
	addusage(&me->reaped, ru);
	unlinkgroup(c);
	release(&proctree);
	freegroup(c);
}

/* Add *ru to *to; of maxrss keep the larger one. */
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
	addio(&to->io, &ru->io);
}

/* Add the counts of *io to those of *to. */
static void
addio(struct procio *to, const struct procio *io)
{
	to->rchar += io->rchar;
	to->wchar += io->wchar;
	to->syscr += io->syscr;
	to->syscw += io->syscw;
	to->diskread += io->diskread;
	to->diskwritten += io->diskwritten;
}

/* Add to *to what the thread p itself has used. */
static void
addthread(struct procusage *to, struct proc *p)
{
	to->utime += p->utime;
	to->stime += p->stime;
	to->minflt += p->minflt;
	to->majflt += p->majflt;
	to->nvcsw += p->nvcsw;
	to->nivcsw += p->nivcsw;
	addio(&to->io, &p->io);
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
	uint rss;

	memset(ru, 0, sizeof(*ru));
	acquire(&proctree);
	if (thread)
		addthread(ru, p);
	else
		groupusage(p->tg, ru);
	ru->maxrss = p->tg->dead.maxrss;
	release(&proctree);
	if (p->uvm) {
		rss = peakrss(p);
		ru->maxrss = MAX(ru->maxrss, rss);
	}
}
