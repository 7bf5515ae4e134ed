/*
 * vmstat.c - counters, and the check that they and every reference are right.
 *
 * vmcheck() recounts.  It takes away from every frame the references that it
 * finds: those of page directories to tables, of tables to pages, of page
 * caches to pages.  What is left must be zero; then it gives them back.
 * Nothing else may run meanwhile, nor be in the middle of a change: the caller
 * has frozen the world (kern/freeze.c), so no locks are taken for what is
 * looked at here.
 */
#include "mm/vm.h"
#include "kern/lib/printf.h"

extern char end[]; /* kernel.ld */

static const char *const names[NVMSTAT] = {
	[VM_MINFLT] = "minflt",
	[VM_MAJFLT] = "majflt",
	[VM_ZEROMAP] = "zeromap",
	[VM_ZEROFILL] = "zerofill",
	[VM_COWCOPY] = "cowcopy",
	[VM_COWREUSE] = "cowreuse",
	[VM_TABLESHARE] = "tableshare",
	[VM_TABLECOPY] = "tablecopy",
	[VM_TABLEREUSE] = "tablereuse",
	[VM_CR3] = "cr3",
	[VM_INVLPG] = "invlpg",
	[VM_FLUSH] = "flush",
	[VM_SHOOT] = "shoot",
	[VM_STACKGROW] = "stackgrow",
	[VM_OOM] = "oom",
};

static const char *const statenames[NPGSTATE] = {
	[PG_RESERVED] = "reserved",
	[PG_IMAGE] = "image",
	[PG_MODULE] = "module",
	[PG_FREE] = "free",
	[PG_CPU] = "free on CPU list",
	[PG_KMEM] = "kmem",
	[PG_SLAB] = "slab",
	[PG_STACK] = "kernel stack",
	[PG_DIR] = "page directory",
	[PG_TABLE] = "page table",
	[PG_ANON] = "anon",
	[PG_CACHED] = "cached",
	[PG_ZERO] = "zero",
};

static void checkmaps(void);
static void walkall(int give);
static void walkuvm(struct uvm *, int give);
static void walktable(struct page *, int give);
static int walkpage(struct page *, void *give);
static void checkcaches(void);
static int checkcached(struct page *, void *);
static void checkpages(void);
static void checkcounts(void);
static int kerneltable(struct page *);

/* See mm.h. */
uint
vmstat(int event)
{
	uint n = 0;

	for (int i = 0; i < NCPU; i++)
		n += cpus[i].vm[event];
	return n;
}

/* The name of a counter in /proc/vmstat. */
const char *
vmstatname(int event)
{
	return names[event];
}

/* See mm.h. */
void
meminfo(struct meminfo *m)
{
	struct pcache *pc;

	memset(m, 0, sizeof(*m));
	m->total = npages - pagecount(PG_RESERVED);
	m->free = pagecount(PG_FREE) + pagecount(PG_CPU);
	m->cached = pagecount(PG_CACHED);
	m->anon = pagecount(PG_ANON);
	m->slab = pagecount(PG_SLAB);
	m->tables = pagecount(PG_TABLE) + pagecount(PG_DIR);
	m->stacks = pagecount(PG_STACK);
	m->kernel = pagecount(PG_KMEM);
	m->modules = pagecount(PG_MODULE);
	m->image = (PGROUNDUP(end) - KERNLINK) >> PGSHIFT;
	m->pagearray = PGROUNDUP(npages * sizeof(struct page)) >> PGSHIFT;
	acquire(&pclistlock);
	listeach(pc, &pclist, link)
		if (!backed(pc))
			m->shmem += pc->npages;
	release(&pclistlock);
	m->buffers = lrustat.buffers;
	m->active = lrustat.active;
	m->inactive = lrustat.inactive;
	m->dirty = ndirty;
	m->writeback = nwriteback;
	m->available = m->free + m->active + m->inactive;
}

/* See mm.h. */
int
vmcheck(char *buf, int n)
{
	struct meminfo m;

	pushcli();
	checkcounts();
	checkmaps();
	checkcaches();
	walkall(0);
	checkpages();
	walkall(1);
	popcli();
	meminfo(&m);
	return snprintf(buf, n,
		"ok: %u frames: %u free, %u anon, %u cached, %u tables, "
		"%u slab, %u stacks, %u kmem\n",
		m.total, m.free, m.anon, m.cached, m.tables, m.slab, m.stacks,
		m.kernel);
}

/* Each vma that has an object is on the list of that object, and no other vma
 * is on one. */
static void
checkmaps(void)
{
	struct uvm *u;
	struct pcache *pc;
	uint listed = 0, found = 0;

	listeach(pc, &pclist, link)
		objcheck(pc, &listed);
	listeach(u, &uvmlist, link)
		for (int i = 0; i < u->nvma; i++)
			if (u->vmas[i]->obj) {
				assert(u->vmas[i]->uvm == u);
				found++;
			}
	assert(listed == found);
}

/* Take away all references that can be found (give 0), or give them back
 * (1). */
static void
walkall(int give)
{
	struct uvm *u;
	struct pcache *pc;

	listeach(u, &uvmlist, link)
		walkuvm(u, give);
	listeach(pc, &pclist, link)
		pcacheeach(pc, walkpage, &give);
}

/* walkall() for one address space: its references to tables, and theirs to
 * pages.  Checks what it counts and which vmas it has.  A table's `order`,
 * otherwise unused, notes that one directory that hangs it has been visited. */
static void
walkuvm(struct uvm *u, int give)
{
	struct page *table;
	uint size = 0, locked = 0, promised = 0, n;

	for (int i = 0; i < u->nvma; i++) {
		struct vma *v = u->vmas[i];

		assert(v->start < v->end && v->end <= USERTOP);
		assert(i == 0 || u->vmas[i - 1]->end <= v->start);
		n = (v->end - v->start) >> PGSHIFT;
		size += n;
		locked += v->flags & VM_LOCKED ? n : 0;
		promised += v->flags & VM_ACCOUNT ? n : 0;
	}
	assert(size == u->size);
	assert(locked == u->locked && promised == u->committed);
	for (uint x = 0; x < PDX(KERNBASE); x++) {
		if (!(u->pgdir[x] & PTE_P))
			continue;
		assert(vmaoverlap(u, x << 22, (x + 1) << 22));
		table = ptepage(u->pgdir[x]);
		assert(table->state == PG_TABLE);
		if (u->pgdir[x] & PTE_W)
			assert(give || table->ref == 1); /* F2 */
		if (table->order == give) /* the first that hangs it */
			walktable(table, give);
		table->order = !give;
		table->ref += give ? 1 : -1;
	}
}

/* walkall() for one table: each filled slot's reference, and the counts of T3.
 * Called once for a table, however many directories hang it. */
static void
walktable(struct page *table, int give)
{
	pte_t *slot = pagekva(table);
	uint used = 0, zeros = 0;

	for (uint i = 0; i < NPTENTRIES; i++) {
		if (!ptefilled(slot[i])) {
			assert(slot[i] == 0);
			continue;
		}
		assert(i >= table->low && i < table->high);
		used++;
		zeros += ptepage(slot[i]) == zeropage;
		assert(ptepage(slot[i]) != zeropage || !(slot[i] & PTE_W));
		walkpage(ptepage(slot[i]), &give);
	}
	assert(used == table->inuse && zeros == table->zeros); /* T3 */
}

/* Take away one reference to a page, or give one back; *give as in
 * walkall(). */
static int
walkpage(struct page *pg, void *give)
{
	assert(pg->state == PG_ANON || pg->state == PG_CACHED ||
		pg == zeropage);
	pg->ref += *(int *)give ? 1 : -1;
	return 0;
}

struct cachecount {                  /* pages found by checkcaches() */
	struct pcache *pc;
	uint pages, dirty, writeback; /* of this file */
	uint lru, alldirty, allwriteback; /* of all files */
};

/* Check what page caches count, and the flags of each of their pages. */
static void
checkcaches(void)
{
	struct cachecount n = {0};

	listeach(n.pc, &pclist, link) {
		n.pages = n.dirty = n.writeback = 0;
		pcacheeach(n.pc, checkcached, &n);
		assert(n.pages == n.pc->npages && n.dirty == n.pc->ndirty &&
			n.writeback == n.pc->nwriteback);
		n.alldirty += n.dirty;
		n.allwriteback += n.writeback;
	}
	assert(n.alldirty == ndirty && n.allwriteback == nwriteback);
	assert(n.lru == lrustat.active + lrustat.inactive);
	lrucheck();
}

/* Check one page of a cache and count it.  pc->lock is held (pcacheeach). */
static int
checkcached(struct page *pg, void *arg)
{
	struct cachecount *n = arg;
	uint f = pg->flags;

	assert(pg->state == PG_CACHED && pg->pcache == n->pc);
	assert(!(f & PGF_BUSY) == !!(f & PGF_UPTODATE));
	assert(!(f & PGF_BUSY) || !(f & (PGF_DIRTY | PGF_WRITEBACK)));
	assert(!(f & PGF_LRU) == !backed(n->pc));
	assert(treeget(n->pc, pg->index) == pg);
	n->pages++;
	n->dirty += (f & PGF_DIRTY) != 0;
	n->writeback += (f & PGF_WRITEBACK) != 0;
	n->lru += (f & PGF_LRU) != 0;
	return 0;
}

/* All references that were found have been taken away: panic if a frame has
 * some left, or too few. */
static void
checkpages(void)
{
	struct page *pg;
	int want;

	for (pg = pages; pg < pages + npages; pg++) {
		switch (pg->state) {
		case PG_ANON:
		case PG_CACHED:
		case PG_TABLE:
			want = kerneltable(pg);
			break;
		case PG_ZERO:
			want = 1;
			break;
		case PG_FREE:
		case PG_CPU:
			want = 0;
			break;
		default:
			continue;
		}
		if (pg->ref != want)
			panic("vmcheck: frame %x (%s) has %d references "
			      "that nobody holds",
				pagepa(pg), statenames[pg->state],
				pg->ref - want);
	}
}

/* 1 if the frame is a page table of the kernel's half, which has one reference
 * for ever; else 0. */
static int
kerneltable(struct page *pg)
{
	if (pg->state != PG_TABLE)
		return 0;
	for (uint x = PDX(KERNBASE); x < NPDENTRIES; x++)
		if (!(kpgdir[x] & PTE_PS) && PTE_ADDR(kpgdir[x]) == pagepa(pg))
			return 1;
	return 0;
}

/* Compare the counts of frames in each state with the page array, and with what
 * the free lists and the slab caches hold. */
static void
checkcounts(void)
{
	uint n[NPGSTATE] = {0};

	for (struct page *pg = pages; pg < pages + npages; pg++)
		n[pg->state]++;
	for (int i = 0; i < NPGSTATE; i++)
		if (n[i] != pagecount(i))
			panic("vmcheck: %u frames are %s, counted %u", n[i],
				statenames[i], pagecount(i));
	if (freecheck() != n[PG_FREE])
		panic("vmcheck: %u frames are free, the lists have %u",
			n[PG_FREE], freecheck());
	if (slabcheck() != n[PG_SLAB])
		panic("vmcheck: %u slab frames, the caches have %u",
			n[PG_SLAB], slabcheck());
}
