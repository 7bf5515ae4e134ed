/*
 * procpid.c - /proc/PID: the files that tell about one process, except those
 * about its memory (procmaps.c) and its open files (procfd.c).
 *
 * A process other than the running one may exit at any time.  So each file
 * first takes a copy of what it needs under proctree, with references to the
 * memory and the files it wants to look at, and writes its text from the copy.
 */
#include "kern/fs/proc/procfs.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/errno.h"
#include "kern/abi/resource.h"
#include "kern/dev/dev.h"
#include "kern/exit.h"
#include "kern/fs/inode.h"
#include "kern/panic.h"
#include "kern/param.h"
#include "kern/lib/printf.h"
#include "kern/proc.h"
#include "kern/signal/ptrace.h"
#include "kern/sched.h"
#include "kern/lib/string.h"

struct procinfo { /* a copy of a process's fields */
	int pid, tgid, ppid, pgid, sid, tpgid, nthreads, tracer;
	uint tty;
	char state;
	char name[16];
	uint uid[4], gid[4]; /* real, effective, saved, file system */
	int ngroups;
	uint groups[32];
	int umask, nfile, nice, cpu, exitsignal;
	uint flt[4];         /* minor, of children, major, of children */
	uint time[4];        /* user, system, of children, in 1/USER_HZ */
	uint ownflt[2], owntime[2]; /* of the thread alone */
	uint nvcsw, nivcsw;
	uint64_t start;      /* ns since boot */
	uint64_t pending, shared, blocked, ignored, caught;
	int queued;          /* signals, and how many may be */
	uint maxqueued;
	int kernel;          /* it is a thread of the kernel */
	int nonewprivs;
	uint affinity, policy, persona;
	int xstatus;         /* of a zombie */
	int oomadj;
	struct uvmstat mem;  /* zero without memory */
	struct uvmargs args;
	struct vmusage use;  /* only after getusage() */
	int hasmem;
};

static int getinfo(int pid, struct procinfo *);
static int getusage(int pid, struct procinfo *);
static void statuscaps(struct text *, struct procinfo *);
static void statuscpus(struct text *, struct procinfo *);
static void copyids(struct procinfo *, struct proc *);
static void copyfamily(struct procinfo *, struct proc *);
static void copyusage(struct procinfo *, struct proc *);
static void copysignals(struct procinfo *, struct proc *);
static int mayinspect(struct proc *);
static uint userhz(uint64_t ticks);

static void ownusage(struct procinfo *);
static uint textpages(struct procinfo *);
static void statusids(struct text *, struct procinfo *);
static void statusmem(struct text *, struct procinfo *);
static void statussignals(struct text *, struct procinfo *);
static int showmemory(struct text *, int pid, uint start, uint end);

/* /proc/PID/stat is one line of 52 fields in the order of Linux: pid, name in
 * parentheses, state, and so on.  Returns 0 or -ESRCH. */
static int
showstat(struct text *t, int pid)
{
	struct procinfo i;
	int err = getinfo(pid, &i);

	if (err < 0)
		return err;
	putf(t, "%d (%s) %c %d %d %d %d %d %u", i.pid, i.name, i.state, i.ppid,
		i.pgid, i.sid, (int)i.tty, i.tpgid, i.hasmem ? 0x400000 : 0x200000);
	if (t->thread)
		ownusage(&i);
	putf(t, " %u %u %u %u", i.flt[0], i.flt[1], i.flt[2], i.flt[3]);
	putf(t, " %u %u %u %u", i.time[0], i.time[1], i.time[2], i.time[3]);
	putf(t, " %d %d %d 0 %u", 20 + i.nice, i.nice, i.nthreads,
		(uint)(i.start / (1000000000 / USER_HZ)));
	putf(t, " %u %u 4294967295", i.mem.size * PGSIZE, i.mem.rss);
	putf(t, " %u %u %u 0 0", i.args.startcode, i.args.endcode,
		i.args.startstack);
	putf(t, " %u %u %u %u 0 0 0", (uint)i.pending & 0x7fffffff,
		(uint)i.blocked & 0x7fffffff, (uint)i.ignored & 0x7fffffff,
		(uint)i.caught & 0x7fffffff);
	putf(t, " %d %d 0 %u 0 0 0", i.exitsignal, i.cpu, i.policy);
	putf(t, " 0 0 %u %u %u %u %u %d\n", i.mem.startbrk, i.args.argstart,
		i.args.argend, i.args.envstart, i.args.envend,
		i.state == 'Z' ? i.xstatus : 0);
	return 0;
}

/* Replace the faults and times of the whole process by those of the one thread,
 * for /proc/PID/task/TID/stat. */
static void
ownusage(struct procinfo *i)
{
	i->flt[0] = i->ownflt[0];
	i->flt[2] = i->ownflt[1];
	i->time[0] = i->owntime[0];
	i->time[1] = i->owntime[1];
}

/* /proc/PID/statm is one line of sizes in pages: all, resident, shared, text,
 * 0, data and stack, 0.  Returns 0 or -ESRCH. */
static int
showstatm(struct text *t, int pid)
{
	struct procinfo i;
	int err = getusage(pid, &i);

	if (err < 0)
		return err;
	putf(t, "%u %u %u %u 0 %u 0\n", i.mem.size, i.mem.rss,
		i.use.pages[1] + i.use.pages[2], textpages(&i),
		i.mem.data + i.mem.stack);
	return 0;
}

/* Return how many pages the program's own text has, without its libraries. */
static uint
textpages(struct procinfo *i)
{
	return (PGROUNDUP(i->args.endcode) - PGROUNDDOWN(i->args.startcode)) >>
	       PGSHIFT;
}

/* /proc/PID/status tells about the process in one line for each fact, for
 * people to read.  Returns 0 or -ESRCH. */
static int
showstatus(struct text *t, int pid)
{
	struct procinfo i;
	int err = getusage(pid, &i);

	if (err < 0)
		return err;
	statusids(t, &i);
	statusmem(t, &i);
	putf(t, "Threads:\t%d\n", i.nthreads);
	statussignals(t, &i);
	statuscaps(t, &i);
	statuscpus(t, &i);
	putf(t, "voluntary_ctxt_switches:\t%u\n", i.nvcsw);
	putf(t, "nonvoluntary_ctxt_switches:\t%u\n", i.nivcsw);
	return 0;
}

/* Write the lines of status about the name, the state and the ids. */
static void
statusids(struct text *t, struct procinfo *i)
{
	static const char *states = "RSTZt";
	static const char *const words[] = {
		"running", "sleeping", "stopped", "zombie", "tracing stop"
	};
	const char *w = words[strchr(states, i->state) - states];

	putf(t, "Name:\t%s\nUmask:\t%04o\n", i->name, i->umask);
	putf(t, "State:\t%c (%s)\n", i->state, w);
	putf(t, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t%d\n",
		i->tgid, i->pid, i->ppid, i->tracer);
	putf(t, "Uid:\t%u\t%u\t%u\t%u\n", i->uid[0], i->uid[1], i->uid[2],
		i->uid[3]);
	putf(t, "Gid:\t%u\t%u\t%u\t%u\n", i->gid[0], i->gid[1], i->gid[2],
		i->gid[3]);
	putf(t, "FDSize:\t%d\nGroups:\t", i->nfile);
	for (int g = 0; g < i->ngroups; g++)
		putf(t, g ? " %u" : "%u", i->groups[g]);
	putf(t, " \nNStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n",
		i->tgid, i->pid, i->pgid, i->sid);
}

/* Write the lines of status about the memory, in kB.  A process without memory
 * has none of these lines. */
static void
statusmem(struct text *t, struct procinfo *i)
{
	const uint page = PGSIZE / 1024, *pages = i->use.pages;
	uint text = MIN(textpages(i), i->mem.text);
	const struct {
		const char *name;
		uint n;
	} lines[] = {
		{"VmPeak:", i->mem.peaksize}, {"VmSize:", i->mem.size},
		{"VmLck:", i->mem.locked}, {"VmPin:", 0}, {"VmHWM:", i->mem.peakrss},
		{"VmRSS:", i->mem.rss}, {"RssAnon:", pages[0]},
		{"RssFile:", pages[1]}, {"RssShmem:", pages[2]},
		{"VmData:", i->mem.data}, {"VmStk:", i->mem.stack},
		{"VmExe:", text}, {"VmLib:", i->mem.text - text},
		{"VmPTE:", i->mem.tables}, {"VmSwap:", 0}, {"HugetlbPages:", 0},
	};

	if (!i->hasmem)
		return;
	for (uint k = 0; k < NELEM(lines); k++)
		putf(t, "%s\t%8u kB\n", lines[k].name, lines[k].n * page);
	putf(t, "CoreDumping:\t0\nTHP_enabled:\t0\n");
}

/* Write the lines of status about signals: how many are queued, and the sets as
 * masks whose bit 0 is signal 1. */
static void
statussignals(struct text *t, struct procinfo *i)
{
	putf(t, "SigQ:\t%d/%u\n", i->queued, i->maxqueued);
	putf(t, "SigPnd:\t%016llx\n", (unsigned long long)i->pending);
	putf(t, "ShdPnd:\t%016llx\n", (unsigned long long)i->shared);
	putf(t, "SigBlk:\t%016llx\n", (unsigned long long)i->blocked);
	putf(t, "SigIgn:\t%016llx\n", (unsigned long long)i->ignored);
	putf(t, "SigCgt:\t%016llx\n", (unsigned long long)i->caught);
}

/* Write the lines of status about capabilities.  The superuser has all of them,
 * and any other user has none. */
static void
statuscaps(struct text *t, struct procinfo *i)
{
	const unsigned long long all = (2ull << LASTCAP) - 1;

	putf(t, "CapInh:\t%016x\n", 0);
	putf(t, "CapPrm:\t%016llx\n", i->uid[1] && i->uid[2] ? 0 : all);
	putf(t, "CapEff:\t%016llx\n", i->uid[1] ? 0 : all);
	putf(t, "CapBnd:\t%016llx\n", all);
	putf(t, "CapAmb:\t%016x\n", 0);
	putf(t, "NoNewPrivs:\t%d\nSeccomp:\t0\nSeccomp_filters:\t0\n",
		i->nonewprivs);
}

/* Write the lines of status about the CPUs and the memory nodes that the thread
 * may use. */
static void
statuscpus(struct text *t, struct procinfo *i)
{
	putf(t, "Cpus_allowed:\t%x\nCpus_allowed_list:\t", i->affinity);
	putlist(t, i->affinity);
	putf(t, "\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
}

/* /proc/PID/comm is the name of the thread, in one line.  Returns 0 or
 * -ESRCH. */
static int
showcomm(struct text *t, int pid)
{
	struct procinfo i;
	int err = getinfo(pid, &i);

	if (err == 0)
		putf(t, "%s\n", i.name);
	return err;
}

/* Set the name of a thread to the n bytes at s, cut off where the name has no
 * more room.  Returns 0, -ESRCH, or -EINVAL when the thread is not one of the
 * running process. */
static int
storecomm(const struct procent *e, int pid, const char *s, uint n)
{
	struct proc *p;
	char name[sizeof(p->name)];
	int err = -ESRCH;

	(void)e;
	n = MIN(n, sizeof(name) - 1);
	memset(name, 0, sizeof(name));
	memcpy(name, s, n);
	acquire(&proctree);
	p = findproc(pid);
	if (p)
		err = p->tg == myproc()->tg ? 0 : -EINVAL;
	if (err == 0)
		memcpy(p->name, name, sizeof(name));
	release(&proctree);
	return err;
}

/* /proc/PID/cmdline is the memory of the arguments, each ended by a NUL.
 * Returns 0 or -errno; the text is empty when the process has no memory. */
static int
showcmdline(struct text *t, int pid)
{
	struct procinfo i;
	int err = getinfo(pid, &i);

	if (err == 0 && i.hasmem)
		err = showmemory(t, pid, i.args.argstart, i.args.argend);
	return err;
}

/* /proc/PID/environ is the memory of the environment, each string ended by a
 * NUL.  Returns 0 or -errno; the text is empty when the process has no
 * memory. */
static int
showenviron(struct text *t, int pid)
{
	struct procinfo i;
	int err = getinfo(pid, &i);

	if (err == 0 && i.hasmem)
		err = showmemory(t, pid, i.args.envstart, i.args.envend);
	return err;
}

/* Add the bytes [start, end) of the process's memory to the text, TEXTMAX / 2
 * of them at most.  Nothing is added when the process has no memory any more or
 * the range is not mapped.  Returns 0 or -errno. */
static int
showmemory(struct text *t, int pid, uint start, uint end)
{
	uint n = start < end ? MIN(end - start, TEXTMAX / 2) : 0;
	struct uvm *u = procuvm(pid);
	char *s = 0;
	int err = 0;

	if (u == 0)
		return 0;
	if (n > 0)
		s = textroom(t, n);
	if (s)
		err = uvmread(u, start, s, n);
	if (s && err == 0)
		t->n += n;
	freeuvm(u);
	return err == -EFAULT ? 0 : err;
}

/* /proc/PID/auxv is the auxiliary vector that exec left for the program, up to
 * and with the pair of type 0 that ends the vector.  Returns 0 or -errno. */
static int
showauxv(struct text *t, int pid)
{
	enum { MAXAUX = 64 };
	struct procinfo i;
	uint n = 0, *aux;
	int err = getinfo(pid, &i);

	if (err < 0 || !i.hasmem)
		return err;
	err = showmemory(t, pid, i.args.auxv,
		MIN(i.args.auxv + MAXAUX * 8, i.args.argstart));
	aux = (uint *)t->s;
	while (n + 8 <= t->n && aux[n / 4])
		n += 8;
	t->n = MIN(t->n, n + 8);
	return err;
}

/* /proc/PID/wchan is the name of the kernel's function that the thread sleeps
 * in, or 0 if the thread does not sleep.  Returns 0 or -ESRCH. */
static int
showwchan(struct text *t, int pid)
{
	const char *name = 0;
	struct proc *p;

	acquire(&proctree);
	p = findproc(pid);
	if (p)
		name = sleepsin(p);
	release(&proctree);
	putf(t, "%s", name ? name : "0");
	return p ? 0 : -ESRCH;
}

/* /proc/PID/io tells how many bytes the process, or in /proc/PID/task/TID the
 * thread, has read and written, and in how many calls.  Children are not
 * counted.  Returns 0 or -ESRCH. */
static int
showio(struct text *t, int pid)
{
	struct procusage ru;
	struct proc *p;

	acquire(&proctree);
	p = findproc(pid);
	if (p && t->thread)
		ru.io = p->io;
	else if (p)
		groupusage(p->tg, &ru);
	release(&proctree);
	if (p == 0)
		return -ESRCH;
	putf(t, "rchar: %llu\nwchar: %llu\nsyscr: %u\nsyscw: %u\n",
		(unsigned long long)ru.io.rchar, (unsigned long long)ru.io.wchar,
		ru.io.syscr, ru.io.syscw);
	putf(t, "read_bytes: %llu\nwrite_bytes: %llu\n"
		"cancelled_write_bytes: 0\n",
		(unsigned long long)ru.io.diskread,
		(unsigned long long)ru.io.diskwritten);
	return 0;
}

/* /proc/PID/personality is the argument of personality(2), in hex.  Returns 0
 * or -ESRCH. */
static int
showpersonality(struct text *t, int pid)
{
	struct procinfo i;
	int err = getinfo(pid, &i);

	if (err == 0)
		putf(t, "%08x\n", i.persona);
	return err;
}

/* /proc/PID/oom_score is Linux's score for choosing which process to kill.  The
 * process's resident pages and page tables, in thousandths of the machine's
 * memory, are added to its adjustment; the sum plus 1000, times two thirds, is
 * the score.  A process that may not be killed has 0.  Returns 0 or -ESRCH. */
static int
showoomscore(struct text *t, int pid)
{
	struct procinfo i;
	struct meminfo m;
	int points, err = getinfo(pid, &i);

	if (err < 0)
		return err;
	meminfo(&m);
	points = (int)((uint64_t)(i.mem.rss + i.mem.tables) * 1000 / m.total) +
		 i.oomadj;
	putf(t, "%d\n", i.oomadj == -1000 || !i.hasmem
				? 0
				: MAX(0, (1000 + points) * 2 / 3));
	return 0;
}

/* /proc/PID/oom_score_adj is the adjustment of the score, from -1000 to 1000.
 * Returns 0 or -ESRCH. */
static int
showoomscoreadj(struct text *t, int pid)
{
	struct procinfo i;
	int err = getinfo(pid, &i);

	if (err == 0)
		putf(t, "%d\n", i.oomadj);
	return err;
}

/* /proc/PID/oom_adj is the older form of the adjustment, from -17 to 15.
 * Returns 0 or -ESRCH. */
static int
showoomadj(struct text *t, int pid)
{
	struct procinfo i;
	int err = getinfo(pid, &i);

	if (err == 0)
		putf(t, "%d\n", i.oomadj == 1000 ? 15 : i.oomadj * 17 / 1000);
	return err;
}

/* Set the adjustment of the process, from -1000 to 1000.  Returns 0, -ESRCH, or
 * -EACCES when somebody but the superuser lowers the adjustment. */
static int
setoomadj(int pid, int adj)
{
	struct tgroup *tg;
	int err = -ESRCH;

	acquire(&proctree);
	tg = findgroup(pid);
	if (tg)
		err = adj < tg->oomadj && myproc()->euid != 0 ? -EACCES : 0;
	if (err == 0)
		tg->oomadj = adj;
	release(&proctree);
	return err;
}

/* Set the adjustment to the number s, from -1000 to 1000.  Returns 0 or
 * -errno. */
static int
storeoomscoreadj(const struct procent *e, int pid, const char *s, uint n)
{
	int adj;

	(void)e, (void)n;
	if (procnumber(s, &adj) < 0 || adj < -1000 || adj > 1000)
		return -EINVAL;
	return setoomadj(pid, adj);
}

/* Set the adjustment to the number s in the older form, from -17 to 15, where
 * 15 stands for 1000.  Returns 0 or -errno. */
static int
storeoomadj(const struct procent *e, int pid, const char *s, uint n)
{
	int adj;

	(void)e, (void)n;
	if (procnumber(s, &adj) < 0 || adj < -17 || adj > 15)
		return -EINVAL;
	return setoomadj(pid, adj == 15 ? 1000 : adj * 1000 / 17);
}

/* /proc/PID/limits has one line for each resource with its soft limit, hard
 * limit and unit, in the columns of Linux.  Returns 0 or -ESRCH. */
static int
showlimits(struct text *t, int pid)
{
	static const char *const names[NRLIMIT][2] = {
		{ "Max cpu time", "seconds" }, { "Max file size", "bytes" },
		{ "Max data size", "bytes" }, { "Max stack size", "bytes" },
		{ "Max core file size", "bytes" }, { "Max resident set", "bytes" },
		{ "Max processes", "processes" }, { "Max open files", "files" },
		{ "Max locked memory", "bytes" }, { "Max address space", "bytes" },
		{ "Max file locks", "locks" }, { "Max pending signals", "signals" },
		{ "Max msgqueue size", "bytes" }, { "Max nice priority", "" },
		{ "Max realtime priority", "" }, { "Max realtime timeout", "us" },
	};
	struct rlimit64 lim[NRLIMIT];
	char s[2][24];
	struct proc *p;

	acquire(&proctree);
	p = findproc(pid);
	if (p)
		memmove(lim, p->tg->rlimit, sizeof(lim));
	release(&proctree);
	if (p == 0)
		return -ESRCH;
	putf(t, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit",
		"Hard Limit", "Units");
	for (int i = 0; i < NRLIMIT; i++) {
		for (int j = 0; j < 2; j++) {
			uint64_t v = j ? lim[i].max : lim[i].cur;

			if (v == ~0ull)
				strlcpy(s[j], "unlimited", sizeof(s[j]));
			else
				snprintf(s[j], sizeof(s[j]), "%llu",
					(unsigned long long)v);
		}
		putf(t, "%-25s %-20s %-20s %-10s\n", names[i][0], s[0], s[1],
			names[i][1]);
	}
	return 0;
}

int
procinspect(int pid)
{
	struct proc *p;
	int err = -ESRCH;

	acquire(&proctree);
	p = findproc(pid);
	if (p)
		err = mayinspect(p) ? 0 : -EACCES;
	release(&proctree);
	return err;
}

/* Return 1 if the running process may look into the process of p, else 0.  A
 * process may look into itself, root into any process, and other processes into
 * a dumpable one whose ids are all their own.  Called with proctree held. */
static int
mayinspect(struct proc *p)
{
	struct proc *me = myproc();

	if (p->tg == me->tg || me->euid == 0)
		return 1;
	return p->tg->dumpable && me->fsuid == p->uid && me->fsuid == p->euid &&
		me->fsuid == p->suid && me->fsgid == p->gid &&
		me->fsgid == p->egid && me->fsgid == p->sgid;
}

int
procowner(int pid, uint *uid, uint *gid)
{
	struct proc *p;

	acquire(&proctree);
	p = findproc(pid);
	if (p) {
		*uid = p->tg->dumpable ? p->euid : 0;
		*gid = p->tg->dumpable ? p->egid : 0;
	}
	release(&proctree);
	return p ? 0 : -ESRCH;
}

int
procnextpid(int pid)
{
	int next = -1;
	struct tgroup *tg;

	acquire(&proctree);
	listeach(tg, &allprocs, alllink) {
		if (tg->tgid >= pid && (next < 0 || tg->tgid < next))
			next = tg->tgid;
	}
	release(&proctree);
	return next;
}

int
procnexttask(int pid, int tid)
{
	struct tgroup *tg;
	struct proc *p;
	int next = -1;

	acquire(&proctree);
	tg = findgroup(pid);
	if (tg)
		eachthread(p, tg)
			if (p->pid >= tid && (next < 0 || p->pid < next))
				next = p->pid;
	release(&proctree);
	return next;
}

struct uvm *
procuvm(int pid)
{
	struct uvm *u = 0;
	struct proc *p;

	acquire(&proctree);
	p = findproc(pid);
	if (p && p->uvm)
		u = uvmref(p->uvm);
	release(&proctree);
	return u;
}

/* Fill *i with a copy of what the files tell about thread pid, but for i->use.
 * Returns 0 or -ESRCH. */
static int
getinfo(int pid, struct procinfo *i)
{
	struct proc *p;
	struct uvm *u;

	memset(i, 0, sizeof(*i));
	acquire(&proctree);
	p = findproc(pid);
	if (p) {
		copyids(i, p);
		copyfamily(i, p);
		copyusage(i, p);
		copysignals(i, p);
	}
	release(&proctree);
	if (p == 0)
		return -ESRCH;
	u = procuvm(pid);
	if (u) {
		uvmstat(u, &i->mem); /* may sleep: proctree is not held */
		i->args = *uvmargs(u);
		i->hasmem = 1;
		freeuvm(u);
	}
	return 0;
}

/* Fill *i as getinfo() does, and i->use with what is present of the memory.
 * Returns 0 or -ESRCH. */
static int
getusage(int pid, struct procinfo *i)
{
	struct uvm *u;
	int err = getinfo(pid, i);

	if (err < 0 || (u = procuvm(pid)) == 0)
		return err;
	uvmusage(u, 0, USERTOP, &i->use);
	freeuvm(u);
	return 0;
}

/* Copy the name, the user and group ids, the umask and the size of the
 * descriptor table.  Called with proctree held. */
static void
copyids(struct procinfo *i, struct proc *p)
{
	i->pid = p->pid;
	memmove(i->name, p->name, sizeof(i->name));
	i->name[sizeof(i->name) - 1] = 0;
	i->uid[0] = p->uid;
	i->uid[1] = p->euid;
	i->uid[2] = p->suid;
	i->uid[3] = p->fsuid;
	i->gid[0] = p->gid;
	i->gid[1] = p->egid;
	i->gid[2] = p->sgid;
	i->gid[3] = p->fsgid;
	i->ngroups = MIN(p->ngroups, (int)NELEM(i->groups));
	memmove(i->groups, p->groups, sizeof(i->groups));
	i->umask = p->fs ? p->fs->umask : 0;
	i->nfile = p->files ? p->files->max : 0;
}

/* Copy the ids of the process's relatives, group, session and terminal, the
 * scheduling fields and the state's letter.  Called with proctree held. */
static void
copyfamily(struct procinfo *i, struct proc *p)
{
	struct tgroup *tg = p->tg;
	struct tty *tty = tg->session->tty;

	i->tgid = tg->tgid;
	i->nthreads = tg->nthreads;
	i->ppid = tg->parent ? tg->parent->tgid : 0;
	i->pgid = tg->pgid;
	i->sid = tg->session->sid;
	i->tty = tty ? ttydev(tty) : 0;
	i->tpgid = tty ? ttypgrp(tty) : -1;
	i->exitsignal = tg->exitsignal;
	i->kernel = p->kfn != 0;
	i->nonewprivs = p->nonewprivs;
	i->affinity = p->affinity & ((2u << (ncpu - 1)) - 1);
	i->policy = p->policy;
	i->persona = p->persona;
	i->xstatus = tg->xstatus;
	i->oomadj = tg->oomadj;
	i->nice = p->nice;
	i->cpu = p->cpu;
	switch (p->state) {
	case RUNNING:
	case RUNNABLE:
		i->state = 'R';
		break;
	case STOPPED:
		i->state = 'T';
		break;
	case ZOMBIE:
		i->state = 'Z';
		break;
	default:
		i->state = 'S';
	}
	if (tg->stopsig && p->state != ZOMBIE)
		i->state = 'T';
	if (traced(p)) {
		i->tracer = p->trace->tracer->tg->tgid;
		if (p->state == STOPPED)
			i->state = 't';
	}
}

/* Copy the counts of faults and switches, and the times in 1/USER_HZ s.  Called
 * with proctree held. */
static void
copyusage(struct procinfo *i, struct proc *p)
{
	struct procusage ru, *reaped = &p->tg->reaped;

	groupusage(p->tg, &ru);
	i->flt[0] = ru.minflt;
	i->flt[1] = reaped->minflt;
	i->flt[2] = ru.majflt;
	i->flt[3] = reaped->majflt;
	i->ownflt[0] = p->minflt;
	i->ownflt[1] = p->majflt;
	i->owntime[0] = userhz(p->utime);
	i->owntime[1] = userhz(p->stime);
	i->time[0] = userhz(ru.utime);
	i->time[1] = userhz(ru.stime);
	i->time[2] = userhz(reaped->utime);
	i->time[3] = userhz(reaped->stime);
	i->nvcsw = p->nvcsw;
	i->nivcsw = p->nivcsw;
	i->start = p->starttime;
}

/* Convert clock ticks, of 1/HZ s, to 1/USER_HZ s. */
static uint
userhz(uint64_t ticks)
{
	return (uint)(ticks * USER_HZ / HZ);
}

/* Copy the sets of signals, whose bit 0 is signal 1, and how many are queued.
 * Called with proctree held. */
static void
copysignals(struct procinfo *i, struct proc *p)
{
	i->pending = p->sig.pend.set;
	i->shared = p->tg->pend.set;
	i->queued = p->sig.pend.n + p->tg->pend.n;
	i->maxqueued = (uint)MIN(p->tg->rlimit[RLIMIT_SIGPENDING].cur, ~0u);
	i->blocked = p->sig.mask;
	acquire(&p->tg->sighand->lock);
	for (int s = 0; s < NSIG; s++) {
		uint h = (uint)p->tg->sighand->action[s].handler;

		if (h == SIG_IGN)
			i->ignored |= 1ull << s;
		else if (h != SIG_DFL)
			i->caught |= 1ull << s;
	}
	release(&p->tg->sighand->lock);
}

#define SECRET(n, mode_, fn)                                                   \
	{.name = n, .mode = S_IFREG | (mode_), .flags = PROC_INSPECT, .show = fn}
#define MAGIC(n, fn)                                                           \
	{.name = n, .mode = S_IFLNK | 0777, .flags = PROC_INSPECT, .link = fn}

const struct procent procpidents[] = {
	{.name = "task", .mode = S_IFDIR | 0555, .flags = PROC_TASKS},
	SECRET("auxv", 0400, showauxv),
	PROCFILE("cmdline", showcmdline),
	{.name = "comm", .mode = S_IFREG | 0644, .show = showcomm,
		.store = storecomm},
	MAGIC("cwd", linkcwd),
	SECRET("environ", 0400, showenviron),
	MAGIC("exe", linkexe),
	{.name = "fd", .mode = S_IFDIR | 0500, .flags = PROC_FDS | PROC_INSPECT},
	{.name = "fdinfo", .mode = S_IFDIR | 0555,
		.flags = PROC_FDS | PROC_FDINFO | PROC_INSPECT},
	SECRET("io", 0400, showio),
	PROCFILE("limits", showlimits),
	SECRET("maps", 0444, showmaps),
	{.name = "mem", .mode = S_IFREG | 0600, .flags = PROC_INSPECT,
		.read = readmem, .write = writemem},
	PROCFILE("mountinfo", showmountinfo),
	PROCFILE("mounts", showmounts),
	SECRET("mountstats", 0400, showmountstats),
	{.name = "oom_adj", .mode = S_IFREG | 0644, .show = showoomadj,
		.store = storeoomadj},
	PROCFILE("oom_score", showoomscore),
	{.name = "oom_score_adj", .mode = S_IFREG | 0644, .show = showoomscoreadj,
		.store = storeoomscoreadj},
	{.name = "pagemap", .mode = S_IFREG | 0400, .flags = PROC_INSPECT,
		.read = readpagemap},
	SECRET("personality", 0400, showpersonality),
	MAGIC("root", linkroot),
	SECRET("smaps", 0444, showsmaps),
	SECRET("smaps_rollup", 0444, showrollup),
	PROCFILE("stat", showstat),
	PROCFILE("statm", showstatm),
	PROCFILE("status", showstatus),
	SECRET("wchan", 0444, showwchan),
	{0},
};
