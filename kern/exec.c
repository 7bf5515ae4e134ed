/*
 * exec.c - replace a process's program.
 *
 * All that can fail is done first, into a new address space that nobody else
 * sees: open the file (through `#!` lines), read its headers, map its segments
 * and those of its interpreter, build its stack.  Then takeprogram() changes
 * the process, and cannot fail.
 *
 * Nothing of the program is read into memory here: its pages come from the page
 * cache when they are touched (loaduvm in mm/uvm.c maps, xv6's reads).  The
 * stack is built in execargs.c.
 */
#include "kern/exec.h"
#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/resource.h"
#include "kern/abi/stat.h"
#include "kern/execargs.h"
#include "kern/exit.h"
#include "kern/file.h"
#include "kern/fs/inode.h"
#include "kern/futex.h"
#include "kern/signal/ptrace.h"
#include "kern/random.h"
#include "kern/lib/string.h"
#include "kern/ptimer.h"

#define DYNBASE   0x00400000 /* where a position-independent program goes */
#define TABLESIZE (4u << 20) /* what a page table maps */
#define ROOM      (1u << 20)  /* bytes, for what lies at a random address */
#define PHDRMAX   (64 << 10)  /* bytes of program headers, at most */

static int prepare(struct exec *e);
static int openprogram(struct exec *e);
static void rights(struct exec *e);
static int shared(struct proc *p);
static void randomize(struct exec *e);
static struct file *openexec(const char *path, int *err);
static int parsescript(struct script *s, const char *head);
static int readelf(struct elf *elf, struct file *f, int bad);
static int checkelf(const struct elfhdr *h);
static int span(struct elf *elf);
static int openinterp(struct exec *e);
static int newspace(struct exec *e);
static int placeinterp(struct exec *e);
static int loadelf(struct uvm *u, struct elf *elf, struct file *f);
static int copyshared(struct exec *e);
static void takeprogram(struct exec *e);
static void swapspace(struct proc *p, struct exec *e);
static void startregs(struct proc *p, struct exec *e);
static void execfree(struct exec *e);

int
doexec(const char *path, uint argv, uint envp, int kernel)
{
	struct file *f;
	int err;

	do
		if ((f = openexec(path, &err)))
			err = doexecfile(f, 0, path, argv, envp, kernel);
	while (err == -ENOMEM && memwait());
	return err;
}

int
doexecfile(struct file *f, int lost, const char *path, uint argv, uint envp,
	int kernel)
{
	struct exec *e = kzalloc(sizeof(*e));
	int err = -ENOMEM, pid;

	if (e == 0) {
		fileclose(f);
		return -ENOMEM;
	}
	e->file = f;
	e->lost = lost;
	e->path = path;
	e->argv = argv;
	e->envp = envp;
	e->kernel = kernel;
	e->scratch = kalloc();
	e->window = kalloc();
	if (e->scratch && e->window)
		err = prepare(e);
	pid = myproc()->pid;
	if (err == 0)
		err = endothers();
	if (err == 0)
		takeprogram(e);
	execfree(e);
	if (err == 0 && myproc()->trace)
		traceexec(pid);
	return err;
}

/* Do everything that can fail, all of it into *e: 0 or -errno, and execfree()
 * gives back what *e has by then. */
static int
prepare(struct exec *e)
{
	int err;

	if ((err = openprogram(e)) < 0)
		return err;
	if ((err = readelf(&e->prog, e->file, -ENOEXEC)) < 0)
		return err;
	if ((err = openinterp(e)) < 0)
		return err;
	rights(e);
	randomize(e);
	e->hidden = iaccess(e->file->inode, R_OK, 0) < 0 ||
		(e->interpfile && iaccess(e->interpfile->inode, R_OK, 0) < 0);
	if ((err = newspace(e)) < 0)
		return err;
	if ((err = pushstrings(e)) < 0)
		return err;
	if ((err = pushtable(e)) < 0)
		return err;
	return copyshared(e);
}

/* Give back what *e holds: after takeprogram() that is what the process had
 * before. */
static void
execfree(struct exec *e)
{
	if (e->file)
		fileclose(e->file);
	if (e->interpfile)
		fileclose(e->interpfile);
	if (e->uvm)
		freeuvm(e->uvm);
	if (e->files)
		filesput(e->files);
	sighandput(e->sighand);
	kmfree(e->prog.ph);
	kmfree(e->interp.ph);
	if (e->scratch)
		kfree(e->scratch);
	if (e->window)
		kfree(e->window);
	kmfree(e);
}

/* If e->file begins with #!, put the interpreter that this line names in its
 * place, and so on, at most NSCRIPT times.  0 or -errno; -ELOOP: there are
 * more. */
static int
openprogram(struct exec *e)
{
	const char *path;
	int err, n;

	for (;;) {
		memset(e->head, 0, HEADLEN);
		n = fileread(e->file, e->head, HEADLEN, 0);
		if (n < 0)
			return n;
		if (e->head[0] != '#' || e->head[1] != '!')
			return 0;
		if (e->nscript == NSCRIPT)
			return -ELOOP;
		if (e->lost) /* the interpreter could not open it */
			return -ENOENT;
		err = parsescript(&e->script[e->nscript], e->head);
		if (err < 0)
			return err;
		path = e->script[e->nscript++].interp;
		fileclose(e->file);
		e->file = openexec(path, &err);
		if (e->file == 0)
			return err;
	}
}

/* Open the file at path, which must be one that may be executed: the file, to
 * which nobody can write until it is closed, or 0 and -errno in *err. */
static struct file *
openexec(const char *path, int *err)
{
	return execfile(openpath(0, path, O_EXEC, 0, err), err);
}

struct file *
execfile(struct file *f, int *err)
{
	if (f == 0)
		return 0;
	*err = filepcache(f) ? igettext(f->inode) : -EACCES;
	if (*err == 0) {
		f->counted = FILE_TEXT;
		return f;
	}
	fileclose(f);
	return 0;
}

/* Split head, the first HEADLEN bytes of a file: "#! interpreter [argument]".
 * 0 with s filled in, or -ENOEXEC. */
static int
parsescript(struct script *s, const char *head)
{
	char *p, *end;

	memcpy(s->line, head + 2, HEADLEN - 2);
	s->line[HEADLEN - 2] = 0;
	for (end = s->line; *end && *end != '\n'; end++)
		;
	if (end == s->line + HEADLEN - 2) /* cut off: only in the argument */
		if (!strchr(s->line, ' ') && !strchr(s->line, '\t'))
			return -ENOEXEC;
	while (end > s->line && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = 0;
	for (p = s->line; *p == ' ' || *p == '\t'; p++)
		;
	if (*p == 0)
		return -ENOEXEC;
	s->interp = p;
	while (*p && *p != ' ' && *p != '\t')
		p++;
	while (*p == ' ' || *p == '\t')
		*p++ = 0;
	s->arg = *p ? p : 0;
	return 0;
}

/* Read the headers of the ELF file f into *elf and check them: 0 or -errno,
 * which is bad for a file that is no i386 program. */
static int
readelf(struct elf *elf, struct file *f, int bad)
{
	uint size;
	int n;

	n = fileread(f, &elf->hdr, sizeof(elf->hdr), 0);
	if (n < 0)
		return n;
	if (n != sizeof(elf->hdr))
		return bad == -ENOEXEC ? bad : -EIO;
	if (checkelf(&elf->hdr) < 0)
		return bad;
	size = elf->hdr.phnum * sizeof(struct proghdr);
	elf->ph = kmalloc(size);
	if (elf->ph == 0)
		return -ENOMEM;
	n = fileread(f, elf->ph, size, elf->hdr.phoff);
	if (n < 0)
		return n;
	if (n != (int)size || span(elf) < 0)
		return bad;
	return 0;
}

/* Is *h the header of an i386 program or library?  0 or -ENOEXEC. */
static int
checkelf(const struct elfhdr *h)
{
	if (h->magic != ELF_MAGIC || h->class != ELFCLASS32 ||
		h->data != ELFDATA2LSB || h->machine != EM_386)
		return -ENOEXEC;
	if (h->type != ET_EXEC && h->type != ET_DYN)
		return -ENOEXEC;
	if (h->phentsize != sizeof(struct proghdr) || h->phnum == 0 ||
		h->phnum > PHDRMAX / sizeof(struct proghdr))
		return -ENOEXEC;
	return 0;
}

/* Check that the segments lie in the user half, and set elf->low and elf->high
 * to the addresses that they span.  0 or -ENOEXEC. */
static int
span(struct elf *elf)
{
	struct proghdr *ph;

	elf->low = USERTOP;
	elf->high = 0;
	for (ph = elf->ph; ph < elf->ph + elf->hdr.phnum; ph++) {
		if (ph->type != PT_LOAD || ph->memsz == 0)
			continue;
		if (ph->filesz > ph->memsz || ph->memsz > USERTOP ||
			ph->vaddr > USERTOP - ph->memsz)
			return -ENOEXEC;
		elf->low = MIN(elf->low, PGROUNDDOWN(ph->vaddr));
		elf->high = MAX(elf->high, ph->vaddr + ph->memsz);
	}
	return elf->high ? 0 : -ENOEXEC;
}

/* If the program names an interpreter (the dynamic linker), open that as
 * e->interpfile and read its headers.  0, also without one, or -errno. */
static int
openinterp(struct exec *e)
{
	struct proghdr *ph, *end = e->prog.ph + e->prog.hdr.phnum;
	int n, err;

	for (ph = e->prog.ph; ph < end && ph->type != PT_INTERP; ph++)
		;
	if (ph == end)
		return 0;
	if (ph->filesz < 2 || ph->filesz > PATHLEN)
		return -ENOEXEC;
	n = fileread(e->file, e->scratch, ph->filesz, ph->offset);
	if (n < 0)
		return n;
	if (n != (int)ph->filesz || e->scratch[n - 1] != 0)
		return -ENOEXEC;
	e->interpfile = openexec(e->scratch, &err);
	if (e->interpfile == 0)
		return err;
	return readelf(&e->interp, e->interpfile, -ELIBBAD);
}

/* Set e->euid and e->egid, the effective ids that the program will have.  They
 * are those of the file if it is a set-user-id or set-group-id program, unless
 * the process or the file system does not want that, another process shares
 * the working directory, or a tracer without root's rights watches. */
static void
rights(struct exec *e)
{
	struct inode *ip = e->file->inode;
	struct proc *p = myproc();
	uint mode = ip->mode;

	if (p->nonewprivs || (ip->super->flags & MS_NOSUID))
		mode = 0;
	e->euid = mode & S_ISUID ? ip->uid : p->euid;
	e->egid = p->egid;
	if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		e->egid = ip->gid;
	e->secure = e->euid != p->uid || e->egid != p->gid;
	if (e->secure && p->euid != 0 && (shared(p) || !traceprivileged(p))) {
		e->euid = p->uid;
		e->egid = p->gid;
	}
}

/* Does another process share the root and working directory of p?  1 or 0. */
static int
shared(struct proc *p)
{
	struct proc *t;
	int n = 0;

	acquire(&proctree);
	eachthread (t, p->tg)
		n += t->fs == p->fs;
	n = p->fs->ref > n;
	release(&proctree);
	return n;
}

/* /proc/sys/kernel/randomize_va_space; root writes it, without a lock. */
uint aslr = 2;

/* Choose by how many bytes the stack, the mappings, the heap and a
 * position-independent program are moved.  Each stays within the page table
 * that it would be in otherwise, with ROOM to grow there, because each further
 * table costs 3,000 instructions at every fork. */
static void
randomize(struct exec *e)
{
	randombytes(&e->rnd, sizeof(e->rnd));
	if (!aslr || (!e->secure && (myproc()->persona & ADDR_NO_RANDOMIZE))) {
		e->rnd.stack = e->rnd.mmap = e->rnd.brk = e->rnd.pie = 0;
		return;
	}
	e->rnd.stack = e->rnd.stack % (TABLESIZE - ROOM) & ~15u;
	e->rnd.mmap = PGROUNDDOWN(e->rnd.mmap % ROOM);
	e->rnd.pie = PGROUNDDOWN(e->rnd.pie % ROOM);
	e->rnd.brk = aslr < 2 ? 0 : PGROUNDDOWN(e->rnd.brk % ROOM);
}

/* Make the address space e->uvm, with a stack that has no page yet, and map the
 * program and its interpreter into it.  0 or -errno. */
static int
newspace(struct exec *e)
{
	struct rlimit64 *limit = myproc()->tg->rlimit;
	struct elf *prog = &e->prog;
	struct uvm *u;
	uint stack, end, left;
	int err;

	e->uvm = u = newuvm();
	if (u == 0)
		return -ENOMEM;
	stack = MIN(limit[RLIMIT_STACK].cur, ~0u);
	if (e->secure)
		stack = MIN(stack, STACKLIMIT);
	err = inituvm(u, USERTOP - PGROUNDDOWN(e->rnd.stack), stack);
	if (err < 0)
		return err;
	uvmargs(u)->mmapgap = e->rnd.mmap;
	uvmlimit(u, UVM_AS, MIN(limit[RLIMIT_AS].cur, ~0u));
	uvmlimit(u, UVM_DATA, MIN(limit[RLIMIT_DATA].cur, ~0u));
	uvmlimit(u, UVM_MEMLOCK, MIN(limit[RLIMIT_MEMLOCK].cur, ~0u));
	if (prog->hdr.type == ET_DYN)
		prog->bias = DYNBASE + e->rnd.pie - prog->low;
	err = loadelf(u, prog, e->file);
	if (err < 0)
		return err;
	end = prog->high + prog->bias;
	left = TABLESIZE - end % TABLESIZE;
	setheap(u, end + e->rnd.brk % (left > ROOM ? left - ROOM + 1 : ROOM));
	return e->interpfile ? placeinterp(e) : 0;
}

/* Map the interpreter.  One that is position independent goes where mmap()
 * would put a mapping of its length.  0 or -errno. */
static int
placeinterp(struct exec *e)
{
	struct elf *in = &e->interp;
	uint len = PGROUNDUP(in->high - in->low);
	int va;

	if (in->hdr.type == ET_DYN) {
		va = mmap(e->uvm, 0, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			0, 0);
		if (va < 0)
			return va;
		munmap(e->uvm, va, len);
		in->bias = va - in->low;
	}
	return loadelf(e->uvm, in, e->interpfile);
}

/* Map the segments of elf, whose file is f, at its bias into u.  0 or -errno.
 */
static int
loadelf(struct uvm *u, struct elf *elf, struct file *f)
{
	struct proghdr *ph;
	int err, prot;

	for (ph = elf->ph; ph < elf->ph + elf->hdr.phnum; ph++) {
		if (ph->type != PT_LOAD || ph->memsz == 0)
			continue;
		prot = (ph->flags & PF_R ? PROT_READ : 0) |
			(ph->flags & PF_W ? PROT_WRITE : 0) |
			(ph->flags & PF_X ? PROT_EXEC : 0);
		err = loaduvm(u, ph->vaddr + elf->bias, f, ph->offset,
			ph->filesz, ph->memsz, prot);
		if (err < 0)
			return err;
	}
	return 0;
}

/* Make copies, in *e, of what the new program must not share: the handlers of
 * signals and the descriptors.  0 or -ENOMEM.  The handlers are copied for
 * other threads of this process, too: until these have ended they may share
 * them with a new process. */
static int
copyshared(struct exec *e)
{
	struct proc *p = myproc();

	if (p->tg->sighand->ref > 1 || p->tg->nthreads > 1) {
		e->sighand = sighandcopy(p->tg->sighand);
		if (e->sighand == 0)
			return -ENOMEM;
	}
	if (p->files->ref > 1) {
		e->files = filescopy(p->files);
		if (e->files == 0)
			return -ENOMEM;
	}
	return 0;
}

/* The point of no return: the running thread, by now the only one of its
 * process, gets the program *e.  What the process had before goes to *e, for
 * execfree(). */
static void
takeprogram(struct exec *e)
{
	struct proc *p = myproc();
	const char *slash = strrchr(e->path, '/');

	futexexit(p);
	ptimerexit(p->tg);
	/* First, for the new memory may be a secret. */
	p->tg->dumpable = !e->hidden && e->euid == p->euid &&
		p->euid == p->uid && e->egid == p->egid && p->egid == p->gid;
	p->euid = p->suid = p->fsuid = e->euid;
	p->egid = p->sgid = p->fsgid = e->egid;
	if (e->secure) {
		p->pdeathsig = 0;
		p->persona &= ~(uint)PER_CLEAR_ON_SETID;
	}
	swapspace(p, e);
	vforkrelease(p);
	sigexec(p);
	filescloexec(p->files);
	p->settid = 0;
	p->tg->exitsignal = SIGCHLD;
	p->tg->execed++;
	p->kfn = 0;
	strlcpy(p->name, slash ? slash + 1 : e->path, sizeof(p->name));
	startregs(p, e);
}

/* Exchange the address space, the program's file, and the handlers and
 * descriptors that must not be shared between p, which runs, and *e.  Nobody
 * may touch user memory in between. */
static void
swapspace(struct proc *p, struct exec *e)
{
	struct uvm *old = p->uvm, *u = e->uvm;
	struct uvmargs *args = uvmargs(u);
	struct tgroup *tg = p->tg;
	struct file *exe = tg->exe;
	struct procusage ru;
	struct sighand *sh;
	struct files *files;

	args->startcode = e->prog.low + e->prog.bias;
	args->endcode = e->prog.high + e->prog.bias;
	procusage(0, &ru);
	acquire(&proctree);
	tg->dead.maxrss = ru.maxrss;
	p->uvm = u;
	tg->exe = e->file;
	if (e->sighand) {
		sh = tg->sighand;
		acquire(&sh->lock);
		tg->sighand = e->sighand;
		release(&sh->lock);
		e->sighand = sh;
	}
	if (e->files && p->files->ref > 1) {
		files = p->files;
		p->files = e->files;
		e->files = files;
	}
	release(&proctree);
	e->file = exe;
	pushcli();
	memset(p->tls, 0, sizeof(p->tls));
	tlsload(p->tls);
	tssload((uint)p->kstack + KSTACKPAGES * PGSIZE);
	switchuvm(u);
	popcli();
	e->uvm = old;
}

/* Set the registers of p to what Linux starts a program with.  %gs is loaded
 * on the way to user mode (arch/trapentry.asm). */
static void
startregs(struct proc *p, struct exec *e)
{
	struct elf *start = e->interpfile ? &e->interp : &e->prog;
	struct trapframe *tf = p->tf;
	uint number = tf->err;

	fpudrop();
	fpureset(p->fpu);
	memset(tf, 0, sizeof(*tf));
	tf->ds = tf->es = tf->ss = UDATA;
	tf->cs = UCODE;
	tf->eflags = FL_IF | 2;
	tf->esp = e->sp;
	tf->eip = start->hdr.entry + start->bias;
	tf->trapno = T_SYSCALL;
	tf->err = number; /* of this call: a tracer may ask for it */
}
