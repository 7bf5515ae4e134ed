/*
 * model.h - whole address spaces as a model, for the tests that compare.
 *
 * The model has no page tables, no frames and no copy-on-write: per process a
 * table that says for each page what is mapped there and, if the process has
 * written to private memory, its words; per object its words.  Three words of a
 * page stand for its contents.
 */
#ifndef MODEL_H
#define MODEL_H

#include "unit.h"

#define NPROC  8
#define NFILE  3
#define NWORD  3

#define ARENA   0x10200000u /* MAP_FIXED goes here: four tables, two partly */
#define ARENASZ (12u << 20)
#define HEAP    0x20300000u
#define STACK   (1024 * PGSIZE)

struct obj { /* what shared mappings and files show */
	int ref; /* pages of processes, and the table of files */
	struct file *file;
	struct pcache *pc;
	uint n, max; /* pages that exist; that w has room for */
	uint (*w)[NWORD];
};

struct mpage { /* one page of a process */
	uint8_t mapped, prot, flags, own; /* own: w counts, not the object */
	struct obj *obj;
	struct file *file;
	uint pgoff;
	uint w[NWORD];
};

struct mproc {
	struct uvm *u; /* 0: a free slot */
	struct mpage *dir[512];
	uint npages;
	uint brk;
};

extern const uint wordoff[NWORD]; /* where in a page its words are */
extern struct mproc procs[NPROC];
extern struct obj files[NFILE];
extern struct file *rofile; /* files[0] again, opened read-only */
extern uint opno;           /* the step, for what a failure prints */

/* A kernel with files, nothing mapped; its end: every frame has come back. */
void setup(void);
void teardown(uint before);
void start(struct mproc *);
void endproc(struct mproc *);
struct obj *objnew(uint n);
void objgrow(struct obj *, uint n);
void objput(struct obj *);

/* What should be there. */
struct mpage *at(struct mproc *, uint va, int make);
void setpage(struct mproc *, uint va, const struct mpage *);
void forgetpages(struct mproc *, uint start, uint end);
uint *words(struct mpage *);
uint runend(struct mproc *, uint va);
int anymapped(struct mproc *, uint start, uint end);
int lookup(struct mproc *, uint va, int write);
int growmodel(struct mproc *, uint va);

/* What is there. */
pte_t slotof(struct mproc *, uint va);
int kmapped(struct mproc *, uint va);
void comparevmas(struct mproc *);
void comparepages(struct mproc *);

#endif
