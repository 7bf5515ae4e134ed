/*
 * page.c - references to frames, and looking into them.
 *
 * Invariants: a frame is in exactly one state (enum pagestate, with a drawing,
 * in vm.h).  ref counts the slots that show the page, the page cache if it
 * holds it, and the pins of those that use it for a while; the last putpage()
 * frees it.  The page of zeroes is never freed and never written.
 */
#include "mm/vm.h"

struct page *pages;
uint npages;
struct page *zeropage;

/* See vm.h. */
void
putpage(struct page *pg)
{
	assert(pg->ref > 0);
	if (atomicdectest(&pg->ref))
		freepage(pg);
}

/* See vm.h. */
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

/* See vm.h. */
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
