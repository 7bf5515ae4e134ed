/*
 * usage.c - which pages an address space has in memory, for /proc/PID/smaps and
 * pagemap.  Nothing here makes a page present.
 *
 * u->lock is held to read in all static functions here.  Faults of other
 * threads fill slots meanwhile, or put a copy in the place of a page.  So each
 * slot is read once; the struct page that it named may be freed and used for
 * something else, but its memory stays, and a wrong count is the worst that
 * happens.  What a page belongs to is learned from the vma, which holds its
 * object.
 */
#include "mm/vm.h"

enum { KIND_ANON, KIND_FILE, KIND_SHMEM };

static pte_t slotat(struct uvm *, uint va, struct page **table);
static void usevma(struct uvm *, struct vma *, uint va, uint end,
	struct vmusage *);
static int kindof(struct vma *, struct page *);
static void countpage(struct vmusage *, struct vma *, pte_t pte,
	struct page *table);
static uint mappers(struct page *, struct page *table);
static uint64_t pagemapentry(struct uvm *, struct vma *, uint va, int frames);

/* See mm.h. */
void
uvmusage(struct uvm *u, uint start, uint end, struct vmusage *use)
{
	acquireread(&u->lock);
	for (int i = vmaindex(u, start); i < u->nvma; i++) {
		struct vma *v = u->vmas[i];

		if (v->start >= end)
			break;
		usevma(u, v, MAX(start, v->start), MIN(end, v->end), use);
	}
	releaseread(&u->lock);
}

/* Add what is present in [va, end), a part of v, to *use. */
static void
usevma(struct uvm *u, struct vma *v, uint va, uint end, struct vmusage *use)
{
	struct page *table;
	pte_t pte;

	lockassert(holdingread(&u->lock));
	while (va < end) {
		pte = slotat(u, va, &table);
		if (table == 0) {
			va = (va & ~(SUPERSIZE - 1)) + SUPERSIZE;
			continue;
		}
		if (ptefilled(pte) && ptepage(pte) != zeropage)
			countpage(use, v, pte, table);
		va += PGSIZE;
	}
}

/* The contents of va's slot, and in *table the page table that it is in; or 0
 * and *table 0: there is no table. */
static pte_t
slotat(struct uvm *u, uint va, struct page **table)
{
	pde_t pde = u->pgdir[PDX(va)];

	*table = 0;
	if (!(pde & PTE_P))
		return 0;
	*table = ptepage(pde);
	return *(volatile pte_t *)((pte_t *)pagekva(*table) + PTX(va));
}

/* Add the page that pte, a slot of table and of v, shows to *use. */
static void
countpage(struct vmusage *use, struct vma *v, pte_t pte, struct page *table)
{
	struct page *pg = ptepage(pte);
	uint n = mappers(pg, table), share = (PGSIZE << PSSSHIFT) / n;
	int kind = kindof(v, pg), dirty = (pte & PTE_D) ||
		(kind != KIND_ANON && (pg->flags & PGF_DIRTY));

	use->pages[kind]++;
	use->pss[kind] += share;
	use->referenced += (pte & PTE_A) != 0;
	use->dirty[n > 1] += dirty;
	use->clean[n > 1] += !dirty;
	if (dirty)
		use->pssdirty += share;
	if (v->flags & VM_LOCKED)
		use->psslocked += share;
}

/* Which kind of memory (KIND_*) a page is that v shows. */
static int
kindof(struct vma *v, struct page *pg)
{
	if (pg->state == PG_ANON || v->obj == 0)
		return KIND_ANON;
	return backed(v->obj) ? KIND_FILE : KIND_SHMEM;
}

/* How many times the page is mapped, at least 1: the other slots that show it,
 * and this table's slot once for each directory that hangs the table.  (If
 * another table with such a slot hangs in several directories, that slot counts
 * once.) */
static uint
mappers(struct page *pg, struct page *table)
{
	int n = pg->ref + table->ref - 1 - (pg->state == PG_CACHED);

	return n > 0 ? (uint)n : 1;
}

/* See mm.h. */
void
vmawords(const struct vmainfo *v, char words[VMAWORDS])
{
	uint f = v->flags, shared = f & VM_SHARED;
	const struct {
		uint set;
		const char *word;
	} all[] = {
		{v->prot & PROT_READ, "rd "}, {v->prot & PROT_WRITE, "wr "},
		{v->prot & PROT_EXEC, "ex "}, {shared, "sh "}, {1, "mr "},
		{!shared || !v->file || (f & VM_MAYWRITE), "mw "}, {1, "me "},
		{shared, "ms "}, {f & VM_GROWSDOWN, "gd "},
		{f & VM_LOCKED, "lo "}, {f & VM_SEQREAD, "sr "},
		{f & VM_RANDREAD, "rr "}, {f & VM_DONTFORK, "dc "},
		{f & VM_LOCKONFAULT, "lf "}, {f & VM_ACCOUNT, "ac "},
		{f & VM_NORESERVE, "nr "}, {f & VM_WIPEONFORK, "wf "},
		{f & VM_DONTDUMP, "dd "},
	};

	for (uint i = 0; i < NELEM(all); i++) {
		if (!all[i].set)
			continue;
		memcpy(words, all[i].word, 3);
		words += 3;
	}
	*words = 0;
}

/* See mm.h. */
void
uvmpagemap(struct uvm *u, uint va, uint n, uint64_t *entry, int frames)
{
	struct vma *v = 0;

	acquireread(&u->lock);
	for (; n > 0; n--, va += PGSIZE) {
		if (va < USERTOP && (v == 0 || va >= v->end))
			v = vmafind(u, va);
		*entry = 0;
		if (v && va < v->end)
			*entry = pagemapentry(u, v, va, frames);
		entry++;
	}
	releaseread(&u->lock);
}

/* One entry of /proc/PID/pagemap: va, which is in v; 0 if nothing is
 * present. */
static uint64_t
pagemapentry(struct uvm *u, struct vma *v, uint va, int frames)
{
	struct page *table, *pg;
	pte_t pte = slotat(u, va, &table);
	uint64_t e = 0;

	if (table == 0 || !ptefilled(pte))
		return 0;
	pg = ptepage(pte);
	e = PAGEMAP_PRESENT;
	if (frames)
		e |= pagepa(pg) >> PGSHIFT;
	if (pg == zeropage)
		return e;
	if (kindof(v, pg) != KIND_ANON)
		e |= PAGEMAP_FILE;
	if (mappers(pg, table) == 1)
		e |= PAGEMAP_EXCLUSIVE;
	return e;
}

/* See mm.h. */
uint
mappedpages(void)
{
	uint n = 0;

	for (struct page *pg = pages; pg < pages + npages; pg++)
		n += pg->state == PG_CACHED && pg->ref > 1;
	return n;
}
