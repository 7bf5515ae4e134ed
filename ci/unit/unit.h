/*
 * unit.h - what the host tests of mm/ share.
 *
 * The files of mm/ are compiled unchanged for an i386 process.  Its RAM is a
 * mapping at KERNBASE, so that P2V and V2P hold; its CPUs are mmu.c; what mm/
 * calls elsewhere is stub.c.  The memory calls have other names here (mmap is
 * kmmap, by -D), for the C library has its own.
 */
#ifndef UNIT_H
#define UNIT_H

#include "mm/vm.h"
#include "kern/abi/fcntl.h"
#include "kern/file.h"
#include "kern/lib/printf.h"

/* main.c */
extern uint steps;      /* random operations a test should do */
uint rnd(uint n);       /* 0 .. n-1, from the seed */
int oneof(uint n);      /* true once in n */
void fail(const char *fmt, ...)
	__attribute__((noreturn, format(printf, 1, 2)));
#define check(e, ...)                                                          \
	((e) ? (void)0 : (printf("# %s:%d: %s\n", __FILE__, __LINE__, #e),     \
			  fail(__VA_ARGS__)))

/* host.c: n bytes of RAM, filled with a pattern, of which the first are at
 * KERNBASE; kva2pa finds the others when the kernel maps them for a moment.
 * ram() reaches all.  Host memory. */
void ramnew(uint n, uint direct, uint (*kva2pa)(uint va));
void ramforget(uint va);
void *ram(uint pa);
void *hostalloc(uint n); /* zeroed, never 0 */
void *hostrealloc(void *, uint n);
void hostfree(void *);
int hostrun(void (*fn)(void)); /* in a process of its own: did it return? */

/* stub.c */
void boot(uint ram);    /* start mm/ in so many bytes of RAM */
void check_mm(void);    /* vmcheck() */
uint freeframes(void);
struct file *filenew(struct pcache *, uint flags);
extern uint userend;    /* user addresses from here on fault (copyin, ...) */
extern int failnext;    /* n: the n-th allocation from now fails; 0: none */
extern uint nfailed;    /* allocations that did, so far */
extern void (*allochook)(void); /* called where an allocation might sleep */
extern void **waits; /* setjmp buffer: where a writer goes who would wait */

/* disk.c: a file on a disk.  Moves end late and in any order: when somebody
 * sleeps, or diskstep() is called: 0, there was none. */
struct disk { /* the host of a pcache */
	uint8_t *byte;   /* what is on it */
	uint8_t *room;   /* by page: reserve() was asked for it */
	uint npages;
	int dirtied;     /* told so */
	uint nread, nwrite; /* pages moved, and moves */
	uint reads, writes;
};
extern const struct pcacheops diskops;
extern int failread, failwrite, failroom; /* n: the n-th from now fails */
int diskstep(void);
void disknew(struct disk *, uint pages);
void diskcut(struct disk *, uint pages);

/* mmu.c */
int translate(uint va, int write, uint *pa); /* as the CPU does: 1, or 0 */
int useraccess(struct uvm *, uint va, int write, void **kva); /* with faults:
                                              * 0 or what fault() said */
void tlbcheck(void);    /* no CPU may do more than the page tables allow */
void oncpu(int cpu);    /* play that one */
void switchaway(struct uvm *); /* load the kernel's where u is loaded */

/* the tests */
struct test {
	void (*fn)(void);
	const char *name;
};
extern const struct test kalloctests[], kallochightests[], slabtests[],
	vmatests[], pcachetests[], spacetests[], faulttests[], machinetests[],
	disktests[], blkqtests[];

#endif
