/*
 * procpid.c - /proc/PID: the files that tell about one process.
 *
 * A process other than the running one may exit at any time.  So each file
 * first takes a copy of what it needs under proctree, with references to the
 * memory and the files it wants to look at, and writes its text from the copy.
 */
#include "kern/fs/procfs.h"
#include "mm/mm.h"
#include "kern/abi/errno.h"
#include "kern/abi/resource.h"
#include "kern/dev/dev.h"
#include "kern/fs/inode.h"
#include "kern/param.h"
#include "kern/printf.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/string.h"

struct procinfo { /* a copy of what proctree guards, and some more */
	int pid, tgid, ppid, pgid, sid, tpgid, nthreads;
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
	struct uvmstat mem;  /* zero without memory */
	struct uvmargs args;
	int hasmem;
};

static int getinfo(int pid, struct procinfo *);
static void copyids(struct procinfo *, struct proc *);
static void copyfamily(struct procinfo *, struct proc *);
static void copyusage(struct procinfo *, struct proc *);
static void copysignals(struct procinfo *, struct proc *);
static struct uvm *getuvm(int pid);
static int mayinspect(struct proc *);
static uint userhz(uint64_t ticks);

static void ownusage(struct procinfo *);
static void statusids(struct text *, struct procinfo *);
static void statusmem(struct text *, struct procinfo *);
static void statussignals(struct text *, struct procinfo *);
static int showmemory(struct text *, int pid, uint start, uint end);
static int eachvma(struct text *, int pid,
	void (*show)(struct text *, struct vmainfo *, char *path));
static void showvma(struct text *, struct vmainfo *, char *path);
static void showvmasize(struct text *, struct vmainfo *, char *path);
static const char *vmaname(struct vmainfo *, char *path);
static struct file *getfd(int pid, int fd);
static int filelink(struct file *, struct dentry **, char *buf, uint n);
static int kindtext(struct file *, char *buf, uint n);
static struct dentry *kindname(struct file *);

/* pid (name) state ...: one line of 52 fields, in the order of Linux. */
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
	putf(t, " %d %d 0 0 0 0 0", i.exitsignal, i.cpu);
	putf(t, " 0 0 %u %u %u %u %u 0\n", i.mem.startbrk, i.args.argstart,
		i.args.argend, i.args.envstart, i.args.envend);
	return 0;
}

/* What the thread alone has used. */
static void
ownusage(struct procinfo *i)
{
	i->flt[0] = i->ownflt[0];
	i->flt[2] = i->ownflt[1];
	i->time[0] = i->owntime[0];
	i->time[1] = i->owntime[1];
}

/* Pages: size, resident, shared, text, 0, data and stack, 0. */
static int
showstatm(struct text *t, int pid)
{
	struct procinfo i;
	int err = getinfo(pid, &i);

	if (err < 0)
		return err;
	putf(t, "%u %u %u %u 0 %u 0\n", i.mem.size, i.mem.rss,
		MIN(i.mem.rss, i.mem.text), i.mem.text,
		i.mem.data + i.mem.stack);
	return 0;
}

static int
showstatus(struct text *t, int pid)
{
	struct procinfo i;
	int err = getinfo(pid, &i);

	if (err < 0)
		return err;
	statusids(t, &i);
	statusmem(t, &i);
	putf(t, "Threads:\t%d\n", i.nthreads);
	statussignals(t, &i);
	putf(t, "voluntary_ctxt_switches:\t%u\n", i.nvcsw);
	putf(t, "nonvoluntary_ctxt_switches:\t%u\n", i.nivcsw);
	return 0;
}

static void
statusids(struct text *t, struct procinfo *i)
{
	static const char *states = "RSTZ";
	static const char *const words[] = {
		"running", "sleeping", "stopped", "zombie"
	};
	const char *w = words[strchr(states, i->state) - states];

	putf(t, "Name:\t%s\nUmask:\t%04x\n", i->name,
		(i->umask & 7) | (i->umask >> 3 & 7) << 4 |
			(i->umask >> 6 & 7) << 8);
	putf(t, "State:\t%c (%s)\n", i->state, w);
	putf(t, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n",
		i->tgid, i->pid, i->ppid);
	putf(t, "Uid:\t%u\t%u\t%u\t%u\n", i->uid[0], i->uid[1], i->uid[2],
		i->uid[3]);
	putf(t, "Gid:\t%u\t%u\t%u\t%u\n", i->gid[0], i->gid[1], i->gid[2],
		i->gid[3]);
	putf(t, "FDSize:\t%d\nGroups:\t", i->nfile);
	for (int g = 0; g < i->ngroups; g++)
		putf(t, "%u ", i->groups[g]);
	putf(t, "\n");
}

static void
statusmem(struct text *t, struct procinfo *i)
{
	const uint kb = PGSIZE / 1024;

	if (!i->hasmem)
		return;
	putf(t, "VmPeak:\t%8u kB\n", i->mem.peaksize * kb);
	putf(t, "VmSize:\t%8u kB\n", i->mem.size * kb);
	putf(t, "VmLck:\t%8u kB\n", 0);
	putf(t, "VmHWM:\t%8u kB\n", i->mem.peakrss * kb);
	putf(t, "VmRSS:\t%8u kB\n", i->mem.rss * kb);
	putf(t, "VmData:\t%8u kB\n", i->mem.data * kb);
	putf(t, "VmStk:\t%8u kB\n", i->mem.stack * kb);
	putf(t, "VmExe:\t%8u kB\n", i->mem.text * kb);
	putf(t, "VmLib:\t%8u kB\n", 0);
	putf(t, "VmPTE:\t%8u kB\n", i->mem.tables * kb);
	putf(t, "VmSwap:\t%8u kB\n", 0);
}

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

static int
showcomm(struct text *t, int pid)
{
	struct procinfo i;
	int err = getinfo(pid, &i);

	if (err == 0)
		putf(t, "%s\n", i.name);
	return err;
}

/* A name for a thread of the running process. */
static int
storecomm(int pid, const char *s, uint n)
{
	struct proc *p;
	char name[sizeof(p->name)];
	int err = -ESRCH;

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

static int
showcmdline(struct text *t, int pid)
{
	struct procinfo i;
	int err = getinfo(pid, &i);

	if (err == 0 && i.hasmem)
		err = showmemory(t, pid, i.args.argstart, i.args.argend);
	return err;
}

static int
showenviron(struct text *t, int pid)
{
	struct procinfo i;
	int err = getinfo(pid, &i);

	if (err == 0 && i.hasmem)
		err = showmemory(t, pid, i.args.envstart, i.args.envend);
	return err;
}

/* The bytes [start, end) of the process's memory; none if it has none now. */
static int
showmemory(struct text *t, int pid, uint start, uint end)
{
	uint n = start < end ? MIN(end - start, TEXTMAX / 2) : 0;
	struct uvm *u = getuvm(pid);
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

/* One line a mapping: range, rights, offset, device, inode, name. */
static int
showmaps(struct text *t, int pid)
{
	return eachvma(t, pid, showvma);
}

/* As maps, and behind each line its sizes. */
static int
showsmaps(struct text *t, int pid)
{
	return eachvma(t, pid, showvmasize);
}

static int
eachvma(struct text *t, int pid,
	void (*show)(struct text *, struct vmainfo *, char *path))
{
	struct uvm *u = getuvm(pid);
	struct vmainfo v;
	char *path;

	if (u == 0)
		return 0;
	path = kmalloc(PATHLEN);
	if (path == 0)
		t->err = -ENOMEM;
	for (int i = 0; t->err == 0 && uvmvma(u, i, &v); i++) {
		show(t, &v, path);
		if (v.file)
			fileclose(v.file);
	}
	kmfree(path);
	freeuvm(u);
	return t->err;
}

static void
showvma(struct text *t, struct vmainfo *v, char *path)
{
	struct inode *ip = v->file ? v->file->inode : 0;
	uint dev = ip && ip->super ? ip->super->dev : 0;
	const char *name = vmaname(v, path);
	uint from = t->n;

	putf(t, "%08x-%08x %c%c%c%c %08x %02x:%02x %u ", v->start, v->end,
		v->prot & PROT_READ ? 'r' : '-', v->prot & PROT_WRITE ? 'w' : '-',
		v->prot & PROT_EXEC ? 'x' : '-', v->shared ? 's' : 'p',
		(uint)v->offset, major(dev), minor(dev), ip ? (uint)ip->ino : 0);
	if (*name)
		putf(t, "%*s%s", (int)(from + 49 - MIN(t->n, from + 49)), "",
			name);
	putf(t, "\n");
}

static void
showvmasize(struct text *t, struct vmainfo *v, char *path)
{
	showvma(t, v, path);
	putf(t, "Size:           %8u kB\nKernelPageSize: %8u kB\n",
		(v->end - v->start) >> 10, PGSIZE >> 10);
	putf(t, "Rss:            %8u kB\n", v->rss << (PGSHIFT - 10));
}

static const char *
vmaname(struct vmainfo *v, char *path)
{
	if (v->file && v->file->dentry &&
		dentrypath(v->file->dentry, path, PATHLEN) >= 0)
		return path;
	if (v->kind == VMAINFO_HEAP)
		return "[heap]";
	if (v->kind == VMAINFO_STACK)
		return "[stack]";
	return v->shared ? "/dev/zero (deleted)" : "";
}

/* Soft and hard limits in the columns of Linux. */
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

/*
 * The links.  With out: the dentry it leads to, referenced, in *out; else its
 * text in buf: the length.  Or -errno; -ENOENT if there is nothing to lead to.
 */
static int
linkexe(int pid, int fd, struct dentry **out, char *buf, uint n)
{
	struct file *f = 0;
	struct proc *p;
	int err;

	(void)fd;
	acquire(&proctree);
	p = findproc(pid);
	if (p && p->tg->exe)
		f = filedup(p->tg->exe);
	release(&proctree);
	if (f == 0)
		return -ENOENT;
	err = filelink(f, out, buf, n);
	fileclose(f);
	return err;
}

static int
linkfd(int pid, int fd, struct dentry **out, char *buf, uint n)
{
	struct file *f = getfd(pid, fd);
	int err;

	if (f == 0)
		return -ENOENT;
	err = filelink(f, out, buf, n);
	fileclose(f);
	return err;
}

static int
filelink(struct file *f, struct dentry **out, char *buf, uint n)
{
	if (out) {
		*out = f->dentry ? dget(f->dentry) : kindname(f);
		return *out ? 0 : -ENOMEM;
	}
	if (f->dentry)
		return dentrypath(f->dentry, buf, n);
	return kindtext(f, buf, n);
}

/* The name of a file without a path: its length. */
static int
kindtext(struct file *f, char *buf, uint n)
{
	if (f->ops->name)
		return snprintf(buf, n, "anon_inode:%s", f->ops->name);
	return snprintf(buf, n, "%s:[%u]",
		S_ISSOCK(f->inode->mode) ? "socket" : "pipe",
		(uint)f->inode->ino);
}

/* A dentry outside the tree for what has none, so that open finds it; or 0. */
static struct dentry *
kindname(struct file *f)
{
	struct dentry *d;
	char name[40];
	int n = kindtext(f, name, sizeof(name));

	d = dentrynew(0, name, (uint)n);
	if (d)
		d->inode = iget(f->inode);
	return d;
}

static int
linkdir(int pid, int root, struct dentry **out, char *buf, uint n)
{
	struct dentry *d = 0;
	struct proc *p;
	int err;

	acquire(&proctree);
	p = findproc(pid);
	if (p && p->fs) {
		acquire(&p->fs->lock);
		d = dget(root ? p->fs->root : p->fs->cwd);
		release(&p->fs->lock);
	}
	release(&proctree);
	if (d == 0)
		return -ENOENT;
	if (out) {
		*out = d;
		return 0;
	}
	err = dentrypath(d, buf, n);
	dput(d);
	return err;
}

static int
linkcwd(int pid, int fd, struct dentry **out, char *buf, uint n)
{
	(void)fd;
	return linkdir(pid, 0, out, buf, n);
}

static int
linkroot(int pid, int fd, struct dentry **out, char *buf, uint n)
{
	(void)fd;
	return linkdir(pid, 1, out, buf, n);
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

/* Root may, and so may a process with all the ids of the other. */
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

int
procnextfd(int pid, int fd, uint *mode)
{
	struct proc *p;
	int next = -1;

	acquire(&proctree);
	p = findproc(pid);
	if (p && p->files) {
		struct files *t = p->files;

		acquire(&t->lock);
		while (fd < t->max && t->file[fd] == 0)
			fd++;
		if (fd < t->max) {
			next = fd;
			if (mode)
				*mode = t->file[fd]->flags & 3;
		}
		release(&t->lock);
	}
	release(&proctree);
	if (next >= 0 && mode) /* O_RDONLY, O_WRONLY, O_RDWR */
		*mode = *mode == 0 ? 0500 : *mode == 1 ? 0300 : 0700;
	return next;
}

/* The process's open file, referenced, or 0. */
static struct file *
getfd(int pid, int fd)
{
	struct file *f = 0;
	struct proc *p;

	acquire(&proctree);
	p = findproc(pid);
	if (p && p->files) {
		acquire(&p->files->lock);
		if (fd < p->files->max && p->files->file[fd])
			f = filedup(p->files->file[fd]);
		release(&p->files->lock);
	}
	release(&proctree);
	return f;
}

/* The process's memory, referenced, or 0. */
static struct uvm *
getuvm(int pid)
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

/* Copy what the files tell about a process: 0, or -ESRCH. */
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
	u = getuvm(pid);
	if (u) {
		uvmstat(u, &i->mem); /* sleeps: so not under proctree */
		i->args = *uvmargs(u);
		i->hasmem = 1;
		freeuvm(u);
	}
	return 0;
}

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
}

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

static uint
userhz(uint64_t ticks)
{
	return (uint)(ticks * USER_HZ / HZ);
}

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

#define F(n, show)    { n, S_IFREG | 0444, 0, show, 0, 0, 0 }
#define SECRET(n, show) { n, S_IFREG | 0400, PROC_INSPECT, show, 0, 0, 0 }
#define L(n, link)    { n, S_IFLNK | 0777, PROC_INSPECT, 0, 0, link, 0 }

const struct procent procfdent = {
	"", S_IFLNK | 0700, PROC_INSPECT, 0, 0, linkfd, 0
};

const struct procent procpidents[] = {
	{ "task", S_IFDIR | 0555, PROC_TASKS, 0, 0, 0, 0 },
	F("cmdline", showcmdline),
	{ "comm", S_IFREG | 0644, 0, showcomm, storecomm, 0, 0 },
	L("cwd", linkcwd),
	SECRET("environ", showenviron),
	L("exe", linkexe),
	{ "fd", S_IFDIR | 0500, PROC_FDS | PROC_INSPECT, 0, 0, 0, 0 },
	F("limits", showlimits),
	{ "maps", S_IFREG | 0444, PROC_INSPECT, showmaps, 0, 0, 0 },
	{ "smaps", S_IFREG | 0444, PROC_INSPECT, showsmaps, 0, 0, 0 },
	F("mounts", showmounts),
	L("root", linkroot),
	F("stat", showstat),
	F("statm", showstatm),
	F("status", showstatus),
	{ 0, 0, 0, 0, 0, 0, 0 },
};
