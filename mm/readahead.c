/*
 * readahead.c - which pages of a file to read, and when.
 *
 * Who reads from front to back gets windows that double from 16 KiB to PCIOMAX
 * pages; one page of each is marked PGF_READAHEAD, and who reaches it starts the
 * next before he waits for it.  Once they are that large, two are always on their
 * way while a third is read, so the disk works while the reader copies.  Who
 * reads here and there gets what he asked for.  A fault gets what is around it; in
 * what is mapped to be executed only the aligned block that it is in, since programs
 * have much that they do not use.
 *
 * Invariant: struct readahead is a guess: wrong ones cost time, nothing else.
 */
#include "mm/vm.h"
#include "kern/file.h"

#define FIRST 4 /* pages of the first window */

static int readwindow(struct pcache *, uint index, uint n, uint mark,
	uint wanted, struct page **);
static int readrun(struct pcache *, uint index, uint n, uint mark,
	uint wanted, struct page **);
static int addpage(struct pcio *, uint mark, uint wanted, struct page **);

/* The file is mapped with these rights. */
void
aheadmapped(struct file *f, int prot)
{
	if ((prot & PROT_EXEC) && f->ra.mode == RA_NORMAL)
		f->ra.mode = RA_TEXT;
}

/* How the mapping's file is read; 0: page by page. */
struct readahead *
vmaahead(struct vma *v)
{
	return v->file && !(v->flags & VM_RANDREAD) ? &v->file->ra : 0;
}

/* The page at index is not there: start reading it, and more; it in *pgp, busy
 * and referenced.  want: how many pages from here on read() will take; 0: a
 * fault.  0; -EEXIST: it is there now; -EIO: the file has ended; -ENOMEM. */
int
readmissing(struct pcache *pc, uint index, struct readahead *ra, uint want,
	struct page **pgp)
{
	uint start = index, n = MAX(want, 1), mark = ~0u;
	int err;

	if (ra == 0 || ra->mode == RA_RANDOM) {
		n = MIN(n, PCIOMAX);
	} else if (want == 0 && ra->mode == RA_TEXT) {
		start = index & ~(NEAR - 1);
		n = NEAR;
	} else if (want == 0 && ra->mode == RA_NORMAL) {
		start = index - MIN(index, PCIOMAX / 2);
		n = PCIOMAX;
		mark = start + n - PCIOMAX / 4;
	} else if (index == 0 || index == ra->next || index + 1 == ra->next ||
		want > PCIOMAX || ra->mode == RA_SEQUENTIAL) {
		n = MAX(2 * n, FIRST);
		if (index == ra->start + ra->n)
			n = MAX(n, 2 * ra->n);
		if (ra->mode == RA_SEQUENTIAL)
			n = PCIOMAX;
		n = MIN(n, PCIOMAX);
		mark = index + MIN(MAX(want, 1), n / 2);
	}
	if (ra && ra->mode != RA_RANDOM) {
		ra->start = start;
		ra->n = n;
	}
	err = readwindow(pc, start, n, mark, index, pgp);
	if (err == -ENOMEM && n > 1)
		err = readwindow(pc, index, 1, ~0u, index, pgp);
	return err;
}

/* Somebody reads the page that is marked: start the next window, or two. */
void
readnext(struct pcache *pc, struct page *pg, struct readahead *ra)
{
	struct page *none;

	acquire(&pc->lock);
	pg->flags &= ~PGF_READAHEAD;
	release(&pc->lock);
	if (ra == 0 || ra->mode == RA_RANDOM || ra->mode == RA_TEXT)
		return;
	if (pg->index + ra->n - ra->start >= 2 * ra->n) /* in neither window */
		ra->start = pg->index, ra->n = 1;
	do {
		ra->start += ra->n;
		ra->n = MIN(MAX(2 * ra->n, FIRST), PCIOMAX);
		readwindow(pc, ra->start, ra->n, ra->start, ~0u, &none);
	} while (ra->n == PCIOMAX && ra->start + ra->n - pg->index <= 2 * PCIOMAX);
}

/* See mm.h. */
void
pcacheahead(struct pcache *pc, uint64_t from, uint64_t to)
{
	uint64_t size = pcachesize(pc);
	uint index = from >> PGSHIFT, end;
	struct page *none;

	if (!backed(pc) || from >= MIN(to, size))
		return;
	end = (MIN(to, size) + PGSIZE - 1) >> PGSHIFT;
	for (; index < end; index += PCIOMAX)
		if (readwindow(pc, index, MIN(end - index, PCIOMAX), ~0u,
			~0u, &none) == -ENOMEM)
			return;
}

/* Start reading what is missing of n pages from index on.  0: the wanted one is
 * among them, in *pgp; -EEXIST: it is not, or is there; or -errno. */
static int
readwindow(struct pcache *pc, uint index, uint n, uint mark, uint wanted,
	struct page **pgp)
{
	uint end = index + n;
	int r = 0;

	*pgp = 0;
	for (; index < end; index += r > 0 ? r : 1) {
		r = readrun(pc, index, end - index, mark, wanted, pgp);
		if (r < 0 && r != -EEXIST)
			break;
	}
	if (*pgp)
		return 0;
	return r < 0 && index <= wanted ? r : -EEXIST; /* not behind it */
}

/* The same up to the first page that is there: how many pages that are, or
 * -errno when there are none. */
static int
readrun(struct pcache *pc, uint index, uint n, uint mark, uint wanted,
	struct page **pgp)
{
	struct pcio *io = pcioalloc(pc, index, 0);
	int err = io ? 0 : -ENOMEM;

	while (err == 0 && io->n < MIN(n, PCIOMAX))
		err = addpage(io, mark, wanted, pgp);
	if (io && io->n > 0) {
		n = io->n;
		pc->ops->io(io); /* it may be freed now */
		return n;
	}
	if (io)
		pciofree(io);
	return err;
}

/* One more page for the run, if there is none yet in the cache. */
static int
addpage(struct pcio *io, uint mark, uint wanted, struct page **pgp)
{
	struct page *pg = allocpage(PG_CACHED);
	uint index = io->index + io->n;
	int err;

	if (pg == 0)
		return -ENOMEM;
	pg->flags = PGF_BUSY | (index == mark ? PGF_READAHEAD : 0);
	err = pageinsert(io->pc, index, getpage(pg), 0);
	if (err == 0)
		io->pa[io->n++] = pagepa(pg);
	else
		putpage(pg);
	if (err == 0 && index == wanted)
		*pgp = pg;
	else
		putpage(pg);
	return err;
}
