/* execargs.h - what exec.c and execargs.c share, and nobody else sees: a
 * program that is being made. */
#ifndef KERN_EXECARGS_H
#define KERN_EXECARGS_H

#include "kern/abi/elf.h"
#include "kern/proc.h"

#define HEADLEN 256 /* of a file, to see what it is */
#define NSCRIPT 5   /* #! lines until one is too many */

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
	int lost;        /* path leads nowhere once it runs */
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
	uint base, sp, top;
	struct {
		uint8_t bytes[16]; /* AT_RANDOM's */
		uint stack, mmap, brk, pie; /* where things go */
	} rnd;
	uint cached, ncached; /* scratch holds these user bytes (putpointers) */
	uint execfn, platform, random; /* addresses */
	struct sighand *sighand; /* to replace a shared one, or 0 */
	struct files *files;     /* likewise */
	uint euid, egid; /* those it will have */
	int secure;      /* AT_SECURE: it has other rights than the user */
	int hidden;      /* the user may not read it */
};

#define ADDR_NO_RANDOMIZE  0x0040000 /* of personality() */
#define PER_CLEAR_ON_SETID 0x0740000 /* and what else a program could be fooled by */

/* pushstrings() copies the arguments and the environment to the stack of
 * e->uvm. pushtable(), called next, builds what is below them and sets e->sp,
 * the first stack pointer.  0 or -errno: -E2BIG when there is too much or the
 * stack may not grow so far.  Both read user memory: no spinlock held. */
int pushstrings(struct exec *e);
int pushtable(struct exec *e);

#endif
