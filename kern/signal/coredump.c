/*
 * coredump.c - what a process that dies of a signal such as SIGSEGV leaves
 * behind: the file `core` in its working directory, for gdb.
 *
 *   ELF header
 *   program headers    a PT_NOTE, and a PT_LOAD for each mapping
 *   notes              registers of each thread, the dying one first; signal,
 *                      arguments, auxiliary vector, mapped files
 *   memory             from a page boundary on, mapping by mapping
 *
 * As on Linux (its filter 0x33) private memory that was written and shared
 * memory without a name are there whole, of a file that was only read no more
 * than the page with its ELF header.  Nothing is made present for the dump:
 * where there is no page the file has a hole.
 *
 * The mappings are looked at once; should another process that shares the
 * memory change them meanwhile, the file may lack pages, but keeps its shape.
 */
#include "mm/mm.h"
#include "kern/abi/core.h"
#include "kern/abi/elf.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/resource.h"
#include "kern/abi/stat.h"
#include "kern/abi/wait.h"
#include "kern/file.h"
#include "kern/fs/inode.h"
#include "kern/proc.h"
#include "kern/signal/ptrace.h"
#include "kern/signal/sigframe.h"
#include "kern/lib/string.h"
#include "kern/tls.h"

#define COREMODE 0600
#define NOTENAME 8 /* bytes of "CORE" and of "LINUX", padded */
#define MAXAUX   64
#define MAXFILES (512 << 10) /* bytes about mapped files; else none */

struct buf { /* grows; err is set when it could not */
	char *p;
	uint n, max;
	int err;
};

struct seg { /* a mapping */
	uint start, end;
	uint size;    /* bytes of it in the file */
	int prot;
	int object;   /* of a file, or shared: pages may be in its cache alone */
	uint offset;  /* in the file it maps, in pages */
	uint name;    /* of that file, in core.names; ~0: none */
};

struct core {
	struct file *f;
	int64_t off;     /* where the next byte goes */
	uint64_t limit;  /* RLIMIT_CORE */
	struct uvm *uvm;
	struct seg *seg; /* nseg of them */
	uint nseg;
	struct buf names, notes;
	char *page;      /* a page of memory on its way */
};

static int maydump(struct proc *p);
static int stopothers(struct proc *p, int sig);
static void letothers(struct proc *p, int done);
static struct file *opencore(void);
static int collect(struct core *c, struct proc *p, struct trapframe *tf,
	const struct ksiginfo *info);
static int getsegs(struct core *c);
static void getseg(struct core *c, struct seg *s, struct vmainfo *v);
static uint dumpsize(struct uvm *u, struct vmainfo *v);
static void getnotes(struct core *c, struct proc *p, struct trapframe *tf,
	const struct ksiginfo *info);
static void status(struct core *c, struct proc *p, struct trapframe *tf,
	const struct ksiginfo *info);
static void registers(struct core *c, struct proc *p);
static void psinfo(struct core *c, struct proc *p);
static void auxv(struct core *c);
static void files(struct core *c);
static void note(struct core *c, uint type, const void *data, uint n);
static void *room(struct buf *b, uint n);
static struct coretime coretime(uint64_t ticks);
static int writecore(struct core *c);
static int writeheads(struct core *c, uint first);
static int writeseg(struct core *c, struct seg *s);
static int emit(struct core *c, const void *data, uint n);

int
coredump(struct trapframe *tf, const struct ksiginfo *info)
{
	struct proc *p = myproc();
	struct core c;
	int done = 0;

	if (!maydump(p) || !stopothers(p, info->signo))
		return 0;
	memset(&c, 0, sizeof(c));
	c.limit = p->tg->rlimit[RLIMIT_CORE].cur;
	c.uvm = p->uvm;
	c.page = kalloc();
	if (c.page && collect(&c, p, tf, info) == 0 && (c.f = opencore()) != 0) {
		(void)writecore(&c); /* as much as there is room for */
		fileclose(c.f);
		done = 1;
	}
	kmfree(c.seg);
	kmfree(c.names.p);
	kmfree(c.notes.p);
	if (c.page)
		kfree(c.page);
	letothers(p, done);
	return done;
}

/* May p, which dies, leave a core file: does it have memory, is it not one
 * whose rights changed, and does RLIMIT_CORE allow a page?  1 or 0. */
static int
maydump(struct proc *p)
{
	return p->uvm && p->tg->dumpable == 1 &&
		p->tg->rlimit[RLIMIT_CORE].cur >= PGSIZE;
}

/* The process dies of sig: wait until its other threads are on their way out
 * and wait in corepark(), or are further.  1, or 0 if it dies otherwise. */
static int
stopothers(struct proc *p, int sig)
{
	struct tgroup *tg = p->tg;
	struct spinlock *lk = &tg->sighand->lock;

	acquire(lk);
	if (tg->exiting || tg->execer || tg == initgroup) {
		release(lk);
		return 0;
	}
	tg->exiting = 1;
	tg->xstatus = sig;
	tg->dumper = p;
	sigkillthreads(tg, p);
	while (tg->parked < tg->live - 1)
		sleep(&tg->childq, lk);
	release(lk);
	return 1;
}

/* The dump of p is over; done: it is whole.  Note that in the wait status, and
 * let the other threads of the process, which wait in corepark(), end. */
static void
letothers(struct proc *p, int done)
{
	struct tgroup *tg = p->tg;

	acquire(&tg->sighand->lock);
	if (done)
		tg->xstatus |= WSTATCORE;
	tg->dumper = 0;
	release(&tg->sighand->lock);
	wakeup(&tg->childq);
}

void
corepark(struct proc *p)
{
	struct tgroup *tg = p->tg;

	pushcli();
	fpusave(p->fpu); /* the dumper may look before we have left the CPU */
	popcli();
	acquire(&tg->sighand->lock);
	if (tg->dumper && tg->dumper != p) {
		tg->parked++;
		wakeup(&tg->childq);
		while (tg->dumper)
			sleep(&tg->childq, &tg->sighand->lock);
	}
	release(&tg->sighand->lock);
}

/* The file, empty, or 0: not one that a link or another user has put there. */
static struct file *
opencore(void)
{
	struct file *f;
	struct inode *ip;
	int err;

	f = openpath(0, "core", O_CREAT | O_RDWR | O_NOFOLLOW | O_NONBLOCK |
		O_LARGEFILE,
		COREMODE, &err);
	if (f == 0)
		return 0;
	ip = f->inode;
	if (ip && S_ISREG(ip->mode) && ip->nlink == 1 &&
		ip->uid == myproc()->fsuid && (ip->mode & 0677) == COREMODE &&
		f->ops->write && f->ops->truncate &&
		filetruncate(f, 0, 0) == 0)
		return f;
	fileclose(f);
	return 0;
}

/* All that goes before the memory: 0 or -ENOMEM. */
static int
collect(struct core *c, struct proc *p, struct trapframe *tf,
	const struct ksiginfo *info)
{
	int err = getsegs(c);

	if (err == 0)
		getnotes(c, p, tf, info);
	return err < 0 ? err : c->notes.err;
}

/* Describe the mappings of c->uvm in c->seg, c->nseg of them.  0 or -ENOMEM. */
static int
getsegs(struct core *c)
{
	struct vmainfo v;
	uint i, max = 0, va;

	for (va = 0; uvmvma(c->uvm, va, &v); va = v.end, max++)
		if (v.file)
			fileclose(v.file);
	if (max >= 0xffff - 1 || !(c->seg = kmalloc(max * sizeof(*c->seg) + 1)))
		return -ENOMEM;
	va = 0;
	for (i = 0; i < max && uvmvma(c->uvm, va, &v); i++, va = v.end) {
		getseg(c, &c->seg[i], &v);
		if (v.file)
			fileclose(v.file);
	}
	c->nseg = i;
	return 0;
}

/* Describe the mapping *v in *s.  The path of its file goes to c->names. */
static void
getseg(struct core *c, struct seg *s, struct vmainfo *v)
{
	char *path;
	int n;

	s->start = v->start;
	s->end = v->end;
	s->size = dumpsize(c->uvm, v);
	s->prot = v->prot;
	s->object = v->file || v->shared;
	s->offset = (uint)(v->offset >> PGSHIFT);
	s->name = ~0u;
	if (!v->file || !v->file->dentry)
		return;
	n = dentrypath(v->file->dentry, c->page, PGSIZE - 1);
	if (n < 0)
		return;
	c->page[n] = 0;
	s->name = c->names.n;
	path = room(&c->names, (uint)n + 1);
	if (path)
		memcpy(path, c->page, (uint)n + 1);
}

/* How much of a mapping is dumped, from its start. */
static uint
dumpsize(struct uvm *u, struct vmainfo *v)
{
	uint all = v->end - v->start;

	if (v->nodump)
		return 0;
	if (v->shared)
		return !v->file || v->file->inode->nlink == 0 ? all : 0;
	if (uvmresident(u, v->start, v->end, v->file != 0) < v->end)
		return all;
	return v->file && v->offset == 0 && (v->prot & PROT_READ) ? PGSIZE : 0;
}

/* Write all notes to c->notes: those of p, which dies of the signal *info with
 * the registers tf, and its process first, then those of the other threads,
 * which wait. */
static void
getnotes(struct core *c, struct proc *p, struct trapframe *tf,
	const struct ksiginfo *info)
{
	struct siginfo si;
	struct proc *t;

	acquire(&proctree);
	status(c, p, tf, info);
	release(&proctree);
	psinfo(c, p);
	siguserinfo(&si, info);
	note(c, NT_SIGINFO, &si, sizeof(si));
	auxv(c);
	files(c);
	registers(c, p);
	acquire(&proctree);
	eachthread (t, p->tg) {
		if (t == p || t->sig.gone)
			continue;
		status(c, t, t->tf, info);
		registers(c, t);
	}
	release(&proctree);
}

/* Write the first note of the thread p, with its general registers from tf.
 * Called with proctree held. */
static void
status(struct core *c, struct proc *p, struct trapframe *tf,
	const struct ksiginfo *info)
{
	struct tgroup *tg = p->tg;
	struct prstatus st;

	lockassert(holding(&proctree));
	memset(&st, 0, sizeof(st));
	st.signo = st.cursig = info->signo;
	st.code = info->code;
	st.errno = info->errno;
	st.sigpend = (uint)p->sig.pend.set;
	st.sighold = (uint)p->sig.mask;
	st.pid = p->pid;
	st.ppid = tg->parent ? tg->parent->tgid : 0;
	st.pgrp = tg->pgid;
	st.sid = tg->session->sid;
	st.utime = coretime(p->utime);
	st.stime = coretime(p->stime);
	st.cutime = coretime(tg->reaped.utime);
	st.cstime = coretime(tg->reaped.stime);
	userregs(tf, &st.reg);
	st.fpvalid = (cpuinfo.features & CPU_FPU) != 0;
	note(c, NT_PRSTATUS, &st, sizeof(st));
}

/* The other registers of a thread. */
static void
registers(struct core *c, struct proc *p)
{
	uint desc[NTLS][4], i, used = 0;
	struct fsave fs;

	if (p == myproc()) {
		pushcli();
		fpusave(p->fpu);
		popcli();
	}
	if (cpuinfo.features & CPU_FPU) {
		fsaveimage(&fs, p->fpu);
		note(c, NT_FPREGSET, &fs, sizeof(fs));
	}
	if (cpuinfo.features & CPU_FXSR)
		note(c, NT_PRXFPREG, p->fpu, sizeof(struct fxsave));
	for (i = 0; i < NTLS; i++) {
		used |= p->tls[i].hi;
		tlsdesc(&p->tls[i], SEG_TLS + i, desc[i]);
	}
	if (used)
		note(c, NT_386_TLS, desc, sizeof(desc));
}

/* Write the note NT_PRPSINFO: the ids, the name and the arguments of the
 * process of p. */
static void
psinfo(struct core *c, struct proc *p)
{
	struct uvmargs *args = uvmargs(c->uvm);
	struct tgroup *tg = p->tg;
	struct prpsinfo ps;
	uint i, n;

	memset(&ps, 0, sizeof(ps));
	ps.sname = 'R';
	ps.nice = (char)p->nice;
	ps.uid = (uint16_t)p->uid;
	ps.gid = (uint16_t)p->gid;
	ps.pid = tg->tgid;
	strlcpy(ps.fname, p->name, sizeof(ps.fname));
	n = MIN(args->argend - args->argstart, sizeof(ps.psargs) - 1);
	if (uvmread(c->uvm, args->argstart, ps.psargs, n) < 0)
		n = 0;
	for (i = 0; i < n; i++)
		if (ps.psargs[i] == 0)
			ps.psargs[i] = ' ';
	ps.psargs[n] = 0;
	acquire(&proctree);
	ps.ppid = tg->parent ? tg->parent->tgid : 0;
	ps.pgrp = tg->pgid;
	ps.sid = tg->session->sid;
	release(&proctree);
	note(c, NT_PRPSINFO, &ps, sizeof(ps));
}

/* Write the note NT_AUXV, the auxiliary vector as the program found it; none if
 * that cannot be read any more. */
static void
auxv(struct core *c)
{
	uint aux[MAXAUX][2], n = 0, at = uvmargs(c->uvm)->auxv;

	do
		if (uvmread(c->uvm, at + n * 8, aux[n], sizeof(aux[n])) < 0)
			return;
	while (aux[n++][0] != AT_NULL && n < MAXAUX);
	note(c, NT_AUXV, aux, n * sizeof(aux[0]));
}

/* Write the note NT_FILE: which addresses show which pages of which file.  It
 * is left out when it would be too long. */
static void
files(struct core *c)
{
	struct buf b = {0};
	uint *w, count = 0;
	struct seg *s;

	w = room(&b, 2 * sizeof(*w));
	for (s = c->seg; s < c->seg + c->nseg; s++) {
		if (s->name == ~0u || !(w = room(&b, 3 * sizeof(*w))))
			continue;
		w[0] = s->start;
		w[1] = s->end;
		w[2] = s->offset;
		count++;
	}
	w = room(&b, c->names.n);
	if (w && c->names.n && !c->names.err && !b.err && b.n < MAXFILES) {
		memcpy(w, c->names.p, c->names.n);
		w = (uint *)b.p;
		w[0] = count;
		w[1] = PGSIZE;
		note(c, NT_FILE, b.p, b.n);
	}
	kmfree(b.p);
}

/* Append a note of this type with n bytes of data to c->notes. */
static void
note(struct core *c, uint type, const void *data, uint n)
{
	const char *name = type < NT_386_TLS || type == NT_FILE ||
			type == NT_SIGINFO ? "CORE" : "LINUX";
	uint size = (n + 3) & ~3u;
	struct notehdr *h = room(&c->notes, sizeof(*h) + NOTENAME + size);

	if (h == 0)
		return;
	memset(h, 0, sizeof(*h) + NOTENAME + size);
	h->namesz = strlen(name) + 1;
	h->descsz = n;
	h->type = type;
	memcpy(h + 1, name, h->namesz);
	memcpy((char *)(h + 1) + NOTENAME, data, n);
}

/* n more bytes of a buffer: where they are until the next call, or 0. */
static void *
room(struct buf *b, uint n)
{
	uint max = MAX(b->max, 1024u);
	char *p;

	while (b->n + n > max && max < 1 << 20)
		max *= 2;
	if (b->err || n > max || b->n + n > max) {
		b->err = -ENOMEM;
		return 0;
	}
	if (max > b->max) {
		if ((p = kmalloc(max)) == 0) {
			b->err = -ENOMEM;
			return 0;
		}
		memcpy(p, b->p, b->n);
		kmfree(b->p);
		b->p = p;
		b->max = max;
	}
	b->n += n;
	return b->p + b->n - n;
}

/* Ticks of 1/HZ s as seconds and microseconds. */
static struct coretime
coretime(uint64_t ticks)
{
	struct coretime t = {(uint)ticks / HZ,
		(uint)ticks % HZ * (1000000 / HZ)};

	return t;
}

/* Write the whole file: headers, notes, memory.  0 or -errno. */
static int
writecore(struct core *c)
{
	uint first = sizeof(struct elfhdr) +
		(c->nseg + 1) * sizeof(struct proghdr) + c->notes.n, i;
	int err;

	first = PGROUNDUP(first);
	err = writeheads(c, first);
	if (err == 0)
		err = emit(c, c->notes.p, c->notes.n);
	c->off = first;
	for (i = 0; err == 0 && i < c->nseg; i++)
		err = writeseg(c, &c->seg[i]);
	if (err == 0 && (uint64_t)c->off <= c->limit)
		err = filetruncate(c->f, c->off, 0); /* holes at the end */
	return err;
}

/* The headers; memory begins at `first`. */
static int
writeheads(struct core *c, uint first)
{
	struct elfhdr hdr = {.magic = ELF_MAGIC, .class = ELFCLASS32,
		.data = ELFDATA2LSB, .identversion = 1, .type = ET_CORE,
		.machine = EM_386, .version = 1, .phoff = sizeof(hdr),
		.ehsize = sizeof(hdr), .phentsize = sizeof(struct proghdr)};
	struct proghdr ph = {.type = PT_NOTE, .filesz = c->notes.n};
	struct seg *s;
	int err;

	hdr.phnum = (uint16_t)(c->nseg + 1);
	ph.offset = sizeof(hdr) + hdr.phnum * sizeof(ph);
	err = emit(c, &hdr, sizeof(hdr));
	if (err == 0)
		err = emit(c, &ph, sizeof(ph));
	memset(&ph, 0, sizeof(ph));
	ph.type = PT_LOAD;
	ph.align = PGSIZE;
	ph.offset = first;
	for (s = c->seg; err == 0 && s < c->seg + c->nseg; s++) {
		ph.vaddr = s->start;
		ph.filesz = s->size;
		ph.memsz = s->end - s->start;
		ph.flags = (s->prot & PROT_READ ? PF_R : 0) |
			(s->prot & PROT_WRITE ? PF_W : 0) |
			(s->prot & PROT_EXEC ? PF_X : 0);
		err = emit(c, &ph, sizeof(ph));
		ph.offset += s->size;
	}
	return err;
}

/* A mapping's memory; a kill ends it. */
static int
writeseg(struct core *c, struct seg *s)
{
	uint va = s->start, end = va + s->size, next;
	int err = 0;

	for (; err == 0 && va < end; va += PGSIZE) {
		if (!s->object) {
			next = uvmresident(c->uvm, va, end, 0);
			c->off += next - va;
			if ((va = next) >= end)
				break;
		}
		if (uvmpeek(c->uvm, va, c->page))
			err = emit(c, c->page, PGSIZE);
		else
			c->off += PGSIZE;
		if (myproc()->sig.pend.set & sigbit(SIGKILL))
			err = -EINTR;
	}
	return err;
}

/* Write n bytes, or nothing when they would go beyond the limit. */
static int
emit(struct core *c, const void *data, uint n)
{
	struct uio u = {(uint)data, n, 1};
	int r;

	if ((uint64_t)c->off + n > c->limit)
		return -EFBIG;
	r = c->f->ops->write(c->f, &u, &c->off);
	if (r < 0)
		return r;
	return (uint)r == n ? 0 : -ENOSPC;
}
