/*
 * readahead.c - which pages of a file to read, and when.
 *
 *   read() from front to back: windows that double from FIRST pages (16 KiB) to
 *       PCIOMAX pages.  One page of each window is marked PGF_READAHEAD; the
 *       reader that reaches this page starts the next window before it waits.
 *       Once windows have PCIOMAX pages, two are always on their way while a
 *       third is copied, so the disk works while the reader copies.
 *   read() here and there: the pages that were asked for.
 *   A fault: PCIOMAX pages around it.
 *   A fault in a file that is mapped to be executed: the aligned block of NEAR
 *       pages that it is in, since a program has much that it does not use.
 *   RA_RANDOM, or no struct readahead: the pages that were asked for.
 *
 * Invariant: struct readahead is a guess, changed without a lock: a wrong guess
 * costs time, nothing else.  All functions here may sleep.
 */
#include "mm/vm.h"
#include "kern/file.h"

#define FIRST 4 /* pages of the first window */

static int readwindow(struct pcache *, uint index, uint n, uint mark,
	uint wanted, struct page **);
static int readrun(struct pcache *, uint index, uint n, uint mark,
	uint wanted, struct page **);
static int growrun(struct pcio *, uint mark, uint wanted, struct page **);

/* The file is being mapped with these rights (PROT_*): if it may be executed,
 * its faults read small blocks from now on. */
void
aheadmapped(struct file *f, int prot)
{
	if ((prot & PROT_EXEC) && f->ra.mode == RA_NORMAL)
		f->ra.mode = RA_TEXT;
}

/* The guess about how v's file is read; 0: read page by page. */
struct readahead *
vmaahead(struct vma *v)
{
	return v->file && !(v->flags & VM_RANDREAD) ? &v->file->ra : 0;
}

/* See vm.h. */
int
readmissing(struct pcache *pc, uint index, struct readahead *ra, uint want,
	struct page **pgp)
{
	uint start = index, n = MAX(want, 1), mark = ~0u;
	int err;

	lockassert(nospinlocks());
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

/* See vm.h.  Starts one window, or two when windows have their full size. */
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
	} while (ra->n == PCIOMAX &&
		ra->start + ra->n - pg->index <= 2 * PCIOMAX);
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

/* Start reading those of n pages from index on that are not cached; the one at
 * index mark, if it is among them, gets PGF_READAHEAD.  0: the page at index
 * wanted is being read now, *pgp, referenced; -EEXIST: that one was cached
 * already, or is outside the window; else -errno, and it is not being read. */
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
	/* an error behind the wanted page is not the caller's */
	return r < 0 && index <= wanted ? r : -EEXIST;
}

/* Start reading one run: n pages from index on, or as many as come before the
 * first that is cached.  Returns how many these are, or -errno if there are
 * none (-EEXIST: the first one is cached). */
static int
readrun(struct pcache *pc, uint index, uint n, uint mark, uint wanted,
	struct page **pgp)
{
	struct pcio *io = pcioalloc(pc, index, 0);
	int err = io ? 0 : -ENOMEM;

	while (err == 0 && io->n < MIN(n, PCIOMAX))
		err = growrun(io, mark, wanted, pgp);
	if (io && io->n > 0) {
		n = io->n;
		pc->ops->io(io); /* io may be freed now */
		return n;
	}
	if (io)
		pciofree(io);
	return err;
}

/* Put a new page, busy, behind the last of the run and in the tree.  If it is
 * the wanted one, *pgp becomes it, with one more reference.  0, or with nothing
 * changed -EEXIST (a page is cached there), -EIO (beyond the end), -ENOMEM. */
static int
growrun(struct pcio *io, uint mark, uint wanted, struct page **pgp)
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
