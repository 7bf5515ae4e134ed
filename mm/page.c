/*
 * page.c - references to frames, and looking into them.
 *
 * Invariants: a frame is in exactly one state; ref counts slots, cache and
 * pins; the last putpage frees.  The zero page is never freed and never
 * written.
 */
#include "mm/vm.h"

struct page *pages;
uint npages;
struct page *zeropage;

/* Drop a reference to a frame; the last one frees it.  Any context where
 * kfree is allowed. */
void
putpage(struct page *pg)
{
	assert(pg->ref > 0);
	if (atomicdectest(&pg->ref))
		freepage(pg);
}

/* A frame of zeroes for a process, or 0. */
struct page *
allocanon(void)
{
	struct page *pg = allocpage(PG_ANON);
	void *to;

	if (pg == 0)
		return 0;
	to = tempmap(pg, 0);
	stosl(to, 0, PGSIZE / 4);
	tempunmap(to);
	vmcount(VM_ZEROFILL);
	return pg;
}

/* A copy of src for a process, or 0.  The caller's reference to src is
 * dropped either way. */
struct page *
copypage(struct page *src)
{
	struct page *pg = allocpage(PG_ANON);
	void *from, *to;

	if (pg) {
		from = tempmap(src, 0);
		to = tempmap(pg, 1);
		movsl(to, from, PGSIZE / 4);
		tempunmap(to);
		tempunmap(from);
		vmcount(VM_COWCOPY);
	}
	putpage(src);
	return pg;
}
