/*
 * exec.c - replace a process's program.
 *
 * All that can fail is done first, into a new address space that nobody else
 * sees: open the file (through `#!` lines), read its headers, map its segments
 * and those of its interpreter, build its stack.  Then commit() changes the
 * process, and cannot fail.
 *
 * The top of the new stack, from high to low addresses:
 *
 *   USERTOP   0 0 0 0
 *             file name                        AT_EXECFN
 *             environment strings              first one lowest
 *             argument strings                 likewise
 *             "i686", 16 random bytes          AT_PLATFORM, AT_RANDOM
 *             auxiliary vector, AT_NULL last
 *             pointers to the environment, 0
 *             pointers to the arguments, 0
 *   esp       argc                             esp is a multiple of 16
 *
 * The strings are pushed downwards through `window`, a copy of the page that
 * sp is in; the rest is written upwards through the same page.
 */
#include "kern/proc.h"

#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/abi/elf.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/resource.h"
#include "kern/abi/stat.h"
#include "kern/file.h"
#include "kern/fs/inode.h"
#include "kern/random.h"
#include "kern/string.h"

#define HEADLEN    256         /* of a file, to see what it is */
#define NSCRIPT    4           /* #! lines that lead to #! files */
#define DYNBASE    0x00400000  /* where a position-independent program goes */
#define PHDRMAX    (64 << 10)  /* bytes of program headers */
#define ARGMIN     (128 << 10) /* room for arguments whatever the stack limit */
#define ARGMAX     (6 << 20)
#define NAUX       20          /* entries, with AT_NULL */
#define CLOCKTICKS 100

struct elf { /* one ELF file: the program or its interpreter */
	struct elfhdr hdr;
	struct proghdr *ph; /* hdr.phnum of them */
	uint low, high;     /* addresses its segments span, without bias */
	uint bias;          /* added to its addresses */
};

struct script {
	char line[HEADLEN];
	char *interp, *arg; /* in line; arg may be 0 */
};

struct exec {
	const char *path;
	uint argv, envp; /* arrays of pointers */
	int kernel;      /* they and their strings are the kernel's */
	int argc, envc;
	uint room;       /* bytes that arguments may still take */
	int nscript;
	struct script script[NSCRIPT];
	char head[HEADLEN];
	struct file *file, *interpfile; /* interpfile: 0 if none */
	struct elf prog, interp;
	struct uvm *uvm;
	char *scratch;   /* a page: the string at hand */
	char *window;    /* a page: what will be at base */
	uint base, sp;
	uint cached, ncached; /* scratch holds these user bytes (putpointers) */
	uint execfn, platform, random; /* addresses */
	struct sighand *sighand; /* to replace a shared one, or 0 */
	struct files *files;     /* likewise */
	uint euid, egid;
	int secure;
};

static int prepare(struct exec *e);
static int openprogram(struct exec *e);
static struct file *openexec(const char *path, int *err);
static int parsescript(struct script *s, const char *head);
static int readelf(struct elf *elf, struct file *f, int bad);
static int checkelf(const struct elfhdr *h);
static int span(struct elf *elf);
static int openinterp(struct exec *e);
static int newspace(struct exec *e);
static int placeinterp(struct exec *e);
static int loadelf(struct uvm *u, struct elf *elf, struct file *f);
static int pushstrings(struct exec *e);
static int countargs(struct exec *e, uint array, int *n);
static int getpointer(struct exec *e, uint array, int i, uint *ptr);
static int pusharray(struct exec *e, uint array, int from, int to);
static int pushscripts(struct exec *e);
static int pushstr(struct exec *e, uint src, int kernel);
static int pushlong(struct exec *e, uint src);
static int push(struct exec *e, const void *src, uint n);
static int flush(struct exec *e);
static int puttable(struct exec *e);
static int putpointers(struct exec *e, uint va, int n);
static int putaux(struct exec *e);
static int putword(struct exec *e, uint w);
static int putflush(struct exec *e);
static int unshare(struct exec *e);
static void commit(struct exec *e);
static void swapspace(struct proc *p, struct exec *e);
static void startregs(struct proc *p, struct exec *e);
static void execfree(struct exec *e);

int
doexec(const char *path, uint argv, uint envp, int kernel)
{
	struct exec *e = kzalloc(sizeof(*e));
	int err = -ENOMEM;

	if (e == 0)
		return -ENOMEM;
	e->path = path;
	e->argv = argv;
	e->envp = envp;
	e->kernel = kernel;
	e->scratch = kalloc();
	e->window = kalloc();
	if (e->scratch && e->window)
		err = prepare(e);
	if (err == 0)
		commit(e);
	execfree(e);
	return err;
}

/* Everything that can fail. */
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
	if ((err = newspace(e)) < 0)
		return err;
	if ((err = pushstrings(e)) < 0)
		return err;
	if ((err = puttable(e)) < 0)
		return err;
	return unshare(e);
}

/* Give back what e still holds: after commit() the old things of the process.
 */
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

/* Open path, or what its #! line names, and so on. */
static int
openprogram(struct exec *e)
{
	const char *path = e->path;
	int err, n;

	for (;;) {
		e->file = openexec(path, &err);
		if (e->file == 0)
			return err;
		memset(e->head, 0, HEADLEN);
		n = fileread(e->file, e->head, HEADLEN, 0);
		if (n < 0)
			return n;
		if (e->head[0] != '#' || e->head[1] != '!')
			return 0;
		if (e->nscript == NSCRIPT)
			return -ELOOP;
		err = parsescript(&e->script[e->nscript], e->head);
		if (err < 0)
			return err;
		path = e->script[e->nscript++].interp;
		fileclose(e->file);
		e->file = 0;
	}
}

/* Open a file that may be executed; or 0 and *err.  O_NONBLOCK: a FIFO must not
 * hold us up. */
static struct file *
openexec(const char *path, int *err)
{
	struct file *f = openpath(0, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
		err);

	if (f == 0)
		return 0;
	*err = -EACCES;
	if (f->inode && S_ISREG(f->inode->mode) && (f->inode->mode & 0111))
		*err = iaccess(f->inode, X_OK, 0);
	if (*err == 0 && filepcache(f) == 0)
		*err = -EACCES;
	if (*err == 0)
		return f;
	fileclose(f);
	return 0;
}

/* Split "#! interpreter [argument]". */
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

/* Read and check the headers of f.  bad: the errno for a file that is none of
 * ours. */
static int
readelf(struct elf *elf, struct file *f, int bad)
{
	uint size;
	int n;

	n = fileread(f, &elf->hdr, sizeof(elf->hdr), 0);
	if (n < 0)
		return n;
	if (n != sizeof(elf->hdr) || checkelf(&elf->hdr) < 0)
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

/* Check the segments and note what they span. */
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

/* If the program names an interpreter, open it and read its headers. */
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

/* Make the address space and map the program into it. */
static int
newspace(struct exec *e)
{
	struct rlimit64 *limit = myproc()->rlimit;
	struct elf *prog = &e->prog;
	struct uvm *u;
	int err;

	e->uvm = u = newuvm();
	if (u == 0)
		return -ENOMEM;
	err = inituvm(u, MIN(limit[RLIMIT_STACK].cur, ~0u));
	if (err < 0)
		return err;
	uvmlimit(u, UVM_AS, MIN(limit[RLIMIT_AS].cur, ~0u));
	uvmlimit(u, UVM_DATA, MIN(limit[RLIMIT_DATA].cur, ~0u));
	if (prog->hdr.type == ET_DYN)
		prog->bias = DYNBASE - prog->low;
	err = loadelf(u, prog, e->file);
	if (err < 0)
		return err;
	setheap(u, prog->high + prog->bias);
	return e->interpfile ? placeinterp(e) : 0;
}

/* The interpreter goes where mmap() would put that many bytes. */
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

/* Copy the strings to the new stack. */
static int
pushstrings(struct exec *e)
{
	struct uvmargs *args = uvmargs(e->uvm);
	uint64_t room = myproc()->rlimit[RLIMIT_STACK].cur / 4;
	int err;

	e->room = MIN(MAX(room, ARGMIN), ARGMAX);
	e->sp = USERTOP;
	e->base = USERTOP - PGSIZE;
	if ((err = countargs(e, e->argv, &e->argc)) < 0 ||
		(err = countargs(e, e->envp, &e->envc)) < 0 ||
		(err = push(e, "\0\0\0", 4)) < 0 ||
		(err = pushstr(e, (uint)e->path, 1)) < 0)
		return err;
	e->execfn = args->envend = e->sp;
	err = pusharray(e, e->envp, 0, e->envc);
	if (err < 0)
		return err;
	args->envstart = args->argend = e->sp;
	err = pusharray(e, e->argv, e->nscript ? 1 : 0, e->argc);
	if (err < 0 || (err = pushscripts(e)) < 0)
		return err;
	args->argstart = e->sp;
	return 0;
}

/* How many pointers before the 0; each takes room.  A null array is empty. */
static int
countargs(struct exec *e, uint array, int *n)
{
	uint ptr;
	int err;

	*n = 0;
	if (array == 0)
		return 0;
	for (;;) {
		err = getpointer(e, array, *n, &ptr);
		if (err < 0)
			return err;
		if (ptr == 0)
			return 0;
		if (e->room < sizeof(ptr))
			return -E2BIG;
		e->room -= sizeof(ptr);
		++*n;
	}
}

static int
getpointer(struct exec *e, uint array, int i, uint *ptr)
{
	if (e->kernel)
		*ptr = ((uint *)array)[i];
	else if (copyin(ptr, array + i * sizeof(*ptr), sizeof(*ptr)) != 0)
		return -EFAULT;
	return 0;
}

/* Push the strings from to-1 down to from. */
static int
pusharray(struct exec *e, uint array, int from, int to)
{
	uint ptr;
	int i, err;

	for (i = to - 1; i >= from; i--) {
		err = getpointer(e, array, i, &ptr);
		if (err == 0)
			err = pushstr(e, ptr, e->kernel);
		if (err < 0)
			return err;
	}
	return 0;
}

/* The first arguments, where they are not the user's: a program always has an
 * argv[0]; a script's is replaced by interpreter, argument, script. */
static int
pushscripts(struct exec *e)
{
	const char *path = e->path;
	struct script *s;
	int err;

	if (e->argc == 0) {
		e->argc = 1;
		if (e->nscript == 0)
			return pushstr(e, (uint)"", 1);
	}
	for (s = e->script; s < e->script + e->nscript; s++) {
		err = pushstr(e, (uint)path, 1);
		if (err == 0 && s->arg)
			err = pushstr(e, (uint)s->arg, 1);
		if (err < 0)
			return err;
		e->argc += s->arg ? 2 : 1;
		path = s->interp;
	}
	return e->nscript ? pushstr(e, (uint)path, 1) : 0;
}

/* Push the string at src with its NUL. */
static int
pushstr(struct exec *e, uint src, int kernel)
{
	int len;

	if (kernel)
		len = strlen((const char *)src);
	else if ((len = copyinstr(e->scratch, src, PGSIZE)) == -ENAMETOOLONG)
		return pushlong(e, src);
	if (len < 0)
		return len;
	if ((uint)len >= e->room)
		return -E2BIG;
	e->room -= len + 1;
	return push(e, kernel ? (const void *)src : e->scratch, len + 1);
}

/* A user's string that is longer than the scratch page: find its end, then
 * push it from there, a page at a time. */
static int
pushlong(struct exec *e, uint src)
{
	uint len = 0, n;
	int err;

	do { /* len bytes are known to have no NUL */
		len += PGSIZE;
		if (len >= ARGLEN)
			return -E2BIG;
		err = copyinstr(e->scratch, src + len, PGSIZE);
	} while (err == -ENAMETOOLONG);
	if (err < 0)
		return err;
	len += err;
	if (len >= ARGLEN || len >= e->room)
		return -E2BIG;
	e->room -= len + 1;
	err = push(e, "", 1);
	for (; err == 0 && len > 0; len -= n) {
		n = MIN(len, PGSIZE);
		if (copyin(e->scratch, src + len - n, n) != 0)
			return -EFAULT;
		err = push(e, e->scratch, n);
	}
	return err;
}

/* Put n bytes on the new stack, below sp. */
static int
push(struct exec *e, const void *src, uint n)
{
	const char *s = src;
	uint take;
	int err;

	while (n > 0) {
		if (e->sp == e->base) {
			if ((err = flush(e)) < 0)
				return err;
			e->base -= PGSIZE;
		}
		take = MIN(n, e->sp - e->base);
		n -= take;
		e->sp -= take;
		memcpy(e->window + (e->sp - e->base), s + n, take);
	}
	return 0;
}

/* Write what the window holds, from sp to the page's end. */
static int
flush(struct exec *e)
{
	int err = uvmwrite(e->uvm, e->sp, e->window + (e->sp - e->base),
		e->base + PGSIZE - e->sp);

	return err == -EFAULT ? -E2BIG : err; /* the stack may not grow */
}

/* Build what is below the strings, and so find the first stack pointer. */
static int
puttable(struct exec *e)
{
	uint8_t bytes[16];
	struct uvmargs *args = uvmargs(e->uvm);
	uint words = 1 + e->argc + 1 + e->envc + 1 + 2 * NAUX;
	int err;

	randombytes(bytes, sizeof(bytes));
	if ((err = push(e, "i686", 5)) < 0)
		return err;
	e->platform = e->sp;
	if ((err = push(e, bytes, sizeof(bytes))) < 0)
		return err;
	e->random = e->sp;
	if ((err = flush(e)) < 0)
		return err;
	e->base = e->sp = args->startstack = (e->sp - words * 4) & ~15;
	if ((err = putword(e, e->argc)) < 0 ||
		(err = putpointers(e, args->argstart, e->argc)) < 0 ||
		(err = putword(e, 0)) < 0 ||
		(err = putpointers(e, args->envstart, e->envc)) < 0 ||
		(err = putword(e, 0)) < 0 || (err = putaux(e)) < 0 ||
		(err = putflush(e)) < 0)
		return err;
	e->sp = args->startstack;
	return 0;
}

/* Put the addresses of n strings that lie one behind the other from va. */
static int
putpointers(struct exec *e, uint va, int n)
{
	int err;

	for (; n > 0; n--) {
		if ((err = putword(e, va)) < 0)
			return err;
		for (;; va++) {
			if (va - e->cached >= e->ncached) {
				e->cached = va;
				e->ncached = MIN(PGSIZE, USERTOP - va);
				err = uvmread(e->uvm, va, e->scratch,
					e->ncached);
				if (err < 0)
					return err;
			}
			if (e->scratch[va - e->cached] == 0)
				break;
		}
		va++;
	}
	return 0;
}

/* The address of the program headers in memory, 0 if they are not there. */
static uint
phdraddr(struct elf *elf)
{
	uint off = elf->hdr.phoff;
	struct proghdr *ph;

	for (ph = elf->ph; ph < elf->ph + elf->hdr.phnum; ph++)
		if (ph->type == PT_LOAD && off - ph->offset < ph->filesz)
			return ph->vaddr + elf->bias + (off - ph->offset);
	return 0;
}

static int
putaux(struct exec *e)
{
	struct proc *p = myproc();
	uint base = e->interpfile ? e->interp.low + e->interp.bias : 0;
	uint mode = e->file->inode->mode;
	int i, err;

	if (p->nonewprivs)
		mode = 0;
	e->euid = mode & S_ISUID ? e->file->inode->uid : p->euid;
	e->egid = p->egid;
	if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		e->egid = e->file->inode->gid;
	e->secure = e->euid != p->uid || e->egid != p->gid;

	const uint aux[][2] = {
		{AT_HWCAP, cpuinfo.features},
		{AT_PAGESZ, PGSIZE},
		{AT_CLKTCK, CLOCKTICKS},
		{AT_PHDR, phdraddr(&e->prog)},
		{AT_PHENT, sizeof(struct proghdr)},
		{AT_PHNUM, e->prog.hdr.phnum},
		{AT_BASE, base},
		{AT_FLAGS, 0},
		{AT_ENTRY, e->prog.hdr.entry + e->prog.bias},
		{AT_UID, p->uid},
		{AT_EUID, e->euid},
		{AT_GID, p->gid},
		{AT_EGID, e->egid},
		{AT_SECURE, e->secure},
		{AT_RANDOM, e->random},
		{AT_HWCAP2, 0},
		{AT_EXECFN, e->execfn},
		{AT_PLATFORM, e->platform},
		{AT_MINSIGSTKSZ, MINSIGSTKSZ},
		{AT_NULL, 0},
	};

	_Static_assert(NELEM(aux) == NAUX, "NAUX");
	for (i = 0; i < NAUX; i++) {
		if ((err = putword(e, aux[i][0])) < 0 ||
			(err = putword(e, aux[i][1])) < 0)
			return err;
	}
	return 0;
}

/* Write one word at sp, upwards; base is where the window begins. */
static int
putword(struct exec *e, uint w)
{
	uint off = e->sp - e->base;

	*(uint *)(e->window + off) = w;
	e->sp += sizeof(w);
	return off + sizeof(w) == PGSIZE ? putflush(e) : 0;
}

static int
putflush(struct exec *e)
{
	int err = uvmwrite(e->uvm, e->base, e->window, e->sp - e->base);

	e->base = e->sp;
	return err == -EFAULT ? -E2BIG : err;
}

/* Have copies at hand of what the new program must not share. */
static int
unshare(struct exec *e)
{
	struct proc *p = myproc();

	if (p->sighand->ref > 1) {
		e->sighand = sighandcopy(p->sighand);
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

/* The point of no return.  What the process had goes to e, for execfree. */
static void
commit(struct exec *e)
{
	struct proc *p = myproc();
	const char *slash = strrchr(e->path, '/');

	swapspace(p, e);
	vforkrelease(p);
	sigexec(p);
	filescloexec(p->files);
	p->euid = p->suid = p->fsuid = e->euid;
	p->egid = p->sgid = p->fsgid = e->egid;
	p->dumpable = !e->secure;
	if (e->secure)
		p->pdeathsig = 0;
	p->cleartid = p->settid = p->robustlist = 0;
	p->exitsignal = SIGCHLD;
	p->execed = 1;
	p->kfn = 0;
	strlcpy(p->name, slash ? slash + 1 : e->path, sizeof(p->name));
	startregs(p, e);
}

/* Exchange address space, program file and what must not be shared.  The
 * process has no user memory to touch in between. */
static void
swapspace(struct proc *p, struct exec *e)
{
	struct uvm *old = p->uvm, *u = e->uvm;
	struct uvmargs *args = uvmargs(u);
	struct file *exe = p->exe;
	struct procusage ru;
	struct sighand *sh;
	struct files *files;

	args->startcode = e->prog.low + e->prog.bias;
	args->endcode = e->prog.high + e->prog.bias;
	procusage(p, &ru);
	acquire(&proctree);
	p->maxrss = ru.maxrss;
	p->uvm = u;
	p->exe = e->file;
	if (e->sighand) {
		sh = p->sighand;
		p->sighand = e->sighand;
		e->sighand = sh;
	}
	if (e->files) {
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

/* Registers as Linux starts a program with (arch: gs is loaded on the way out
 * to user mode). */
static void
startregs(struct proc *p, struct exec *e)
{
	struct elf *start = e->interpfile ? &e->interp : &e->prog;
	struct trapframe *tf = p->tf;

	fpudrop();
	fpureset(p->fpu);
	memset(tf, 0, sizeof(*tf));
	tf->ds = tf->es = tf->ss = UDATA;
	tf->cs = UCODE;
	tf->eflags = FL_IF | 2;
	tf->esp = e->sp;
	tf->eip = start->hdr.entry + start->bias;
	tf->trapno = T_SYSCALL;
	tf->err = ~0u; /* no call to restart */
}
