/*
 * execargs.c - the stack that a new program finds.
 *
 * From high to low addresses:
 *
 *   the top   0 0 0 0                          USERTOP, or below it by chance
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
 * sp is in, so that they are never all in kernel memory; the rest is written
 * upwards through the same page, and finds the strings by reading them back.
 */
#include "kern/execargs.h"
#include "mm/mm.h"
#include "kern/abi/resource.h"
#include "kern/abi/stat.h"
#include "kern/fs/inode.h"
#include "kern/lib/string.h"

#define ARGMIN     (128 << 10) /* room for arguments whatever the stack limit */
#define ARGMAX     (6 << 20)
#define NAUX       20 /* entries, with AT_NULL */
#define CLOCKTICKS 100

static int countargs(struct exec *e, uint array, int *n);
static int getpointer(struct exec *e, uint array, int i, uint *ptr);
static int pusharray(struct exec *e, uint array, int from, int to);
static int pushscripts(struct exec *e);
static int pushstr(struct exec *e, uint src, int kernel);
static int pushlong(struct exec *e, uint src);
static int push(struct exec *e, const void *src, uint n);
static int flush(struct exec *e);
static int putpointers(struct exec *e, uint va, int n);
static int putaux(struct exec *e);
static uint phdraddr(struct elf *elf);
static int putword(struct exec *e, uint w);
static int putflush(struct exec *e);

int
pushstrings(struct exec *e)
{
	struct uvmargs *args = uvmargs(e->uvm);
	uint64_t room = myproc()->tg->rlimit[RLIMIT_STACK].cur / 4;
	int err;

	e->room = MIN(MAX(room, ARGMIN), ARGMAX);
	e->sp = e->top = USERTOP - e->rnd.stack;
	e->base = PGROUNDDOWN(e->top - 1);
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

/* Count the pointers before the 0 of an array into *n, and take their bytes off
 * e->room.  The address 0 is an empty array.  0 or -EFAULT, -E2BIG. */
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

/* Fetch the pointer with index i of an array, a user's or the kernel's: 0 with
 * it in *ptr, or -EFAULT. */
static int
getpointer(struct exec *e, uint array, int i, uint *ptr)
{
	if (e->kernel)
		*ptr = ((uint *)array)[i];
	else if (copyin(ptr, array + i * sizeof(*ptr), sizeof(*ptr)) != 0)
		return -EFAULT;
	return 0;
}

/* Push the strings of an array with the indices to - 1 down to from.  0 or
 * -errno. */
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

/* Push the first arguments where they are not the user's: a program always has
 * an argv[0], and the argv[0] of a script is replaced by the interpreter, its
 * argument and the path of the script.  0 or -errno. */
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

/* Push the string at src, a user's or the kernel's, with its NUL.  0 or
 * -EFAULT, -E2BIG. */
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

/* Push a user's string that is longer than the scratch page: find its end, then
 * push from there towards its start, a page at a time.  0 or -errno. */
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

/* Put n bytes on the new stack, below sp.  0, or -E2BIG when the stack may not
 * grow so far. */
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

/* Write what the window holds, from sp to the end of its page, to the new
 * stack.  0 or -errno. */
static int
flush(struct exec *e)
{
	int err = uvmwrite(e->uvm, e->sp, e->window + (e->sp - e->base),
		MIN(e->top, e->base + PGSIZE) - e->sp);

	return err == -EFAULT ? -E2BIG : err; /* the stack may not grow */
}

int
pushtable(struct exec *e)
{
	struct uvmargs *args = uvmargs(e->uvm);
	uint words = 1 + e->argc + 1 + e->envc + 1 + 2 * NAUX;
	int err;

	if ((err = push(e, "i686", 5)) < 0)
		return err;
	e->platform = e->sp;
	if ((err = push(e, e->rnd.bytes, sizeof(e->rnd.bytes))) < 0)
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

/* Write the addresses of n strings of the new stack, which lie one behind the
 * other from va on, at sp.  0 or -errno. */
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
				e->ncached = MIN(PGSIZE, e->top - va);
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

/* Write the auxiliary vector at sp (Linux's getauxval(3)).  0 or -errno. */
static int
putaux(struct exec *e)
{
	struct proc *p = myproc();
	uint base = e->interpfile ? e->interp.low + e->interp.bias : 0;
	int i, err;

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
	uvmargs(e->uvm)->auxv = e->sp;
	for (i = 0; i < NAUX; i++) {
		if ((err = putword(e, aux[i][0])) < 0 ||
			(err = putword(e, aux[i][1])) < 0)
			return err;
	}
	return 0;
}

/* The address at which the program finds its own headers, or 0 if no segment
 * has them. */
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

/* Write one word at sp and move sp up; the window begins at base.  0 or
 * -errno. */
static int
putword(struct exec *e, uint w)
{
	uint off = e->sp - e->base;

	*(uint *)(e->window + off) = w;
	e->sp += sizeof(w);
	return off + sizeof(w) == PGSIZE ? putflush(e) : 0;
}

/* Write the words that the window holds, base to sp, to the new stack.  0 or
 * -errno. */
static int
putflush(struct exec *e)
{
	int err = uvmwrite(e->uvm, e->base, e->window, e->sp - e->base);

	e->base = e->sp;
	return err == -EFAULT ? -E2BIG : err;
}
