/*
 * slab.c - small objects: pages cut into equal pieces.
 *
 * Each cache serves one size.  Its pages that have a free object are on its
 * partial list; a full page is on no list; an empty one goes back to kalloc.c
 * at once, where other caches and processes can have it.  The free objects of a
 * page are threaded on page->freeobjects.  (xv6's freelist is that of free
 * frames; kalloc.c has these.)
 *
 * Invariants: every object belongs to one cache; a slab page is never mapped
 * to a user; page->inuse counts the objects handed out of it.  Nothing here
 * sleeps.  An allocation may free cached pages, as kalloc() does, but not while
 * the cache is locked.
 */
#include "mm/vm.h"

#define NCACHE  40
#define NCLASS  NELEM(classes)
#define MAXSLAB 2048 /* largest object of a slab */

struct slabcache {
	struct spinlock lock;
	const char *name;
	uint size;            /* bytes of an object, with its padding */
	uint perpage;         /* objects in a page */
	struct page *partial; /* pages with a free object [lock] */
	uint pages, inuse;    /* pages held, objects handed out [lock] */
};

struct object { /* a free object: its first word links it */
	struct object *next;
};

static struct slabcache caches[NCACHE];
static int ncaches;

static const struct {
	const char *name;
	uint size;
} classes[] = {
	{"kmalloc-16", 16},
	{"kmalloc-32", 32},
	{"kmalloc-64", 64},
	{"kmalloc-96", 96},
	{"kmalloc-128", 128},
	{"kmalloc-192", 192},
	{"kmalloc-256", 256},
	{"kmalloc-512", 512},
	{"kmalloc-1024", 1024},
	{"kmalloc-2048", 2048},
};
static struct slabcache *kmcache[NCLASS];

static int newslab(struct slabcache *);
static void partialadd(struct slabcache *, struct page *);
static void partialdel(struct slabcache *, struct page *);
static int orderfor(uint n);

/* Boot: the caches behind kmalloc(). */
void
slabinit(void)
{
	for (uint i = 0; i < NCLASS; i++)
		kmcache[i] = slabcreate(classes[i].name, classes[i].size, 8);
}

/* See mm.h. */
struct slabcache *
slabcreate(const char *name, uint n, uint align)
{
	struct slabcache *c = &caches[ncaches];

	assert(ncaches < NCACHE && n > 0 && n <= MAXSLAB);
	ncaches++;
	initlock(&c->lock, RANK_SLAB);
	c->name = name;
	c->size = ROUNDUP(MAX(n, sizeof(struct object)), MAX(align, 4));
	c->perpage = PGSIZE / c->size;
	return c;
}

/* See mm.h. */
void *
slaballoc(struct slabcache *c)
{
	struct object *o;
	struct page *pg;

	acquire(&c->lock);
	pg = c->partial;
	if (pg == 0) {
		if (newslab(c) < 0) {
			release(&c->lock);
			return (readeflags() & FL_IF) && reclaim(1)
				? slaballoc(c)
				: 0;
		}
		pg = c->partial;
	}
	o = pg->freeobjects;
	pg->freeobjects = o->next;
	c->inuse++;
	if (++pg->inuse == c->perpage)
		partialdel(c, pg);
	release(&c->lock);
	return o;
}

/* Add a new page to the cache, cut into free objects.  0 or -ENOMEM.  Called
 * with c->lock held. */
static int
newslab(struct slabcache *c)
{
	struct page *pg = allocpage(PG_SLAB);
	struct object *o;
	char *kva;

	lockassert(holding(&c->lock));
	if (pg == 0)
		return -ENOMEM;
	kva = pagekva(pg);
	pg->freeobjects = 0;
	for (uint i = c->perpage; i-- > 0;) {
		o = (struct object *)(kva + i * c->size);
		o->next = pg->freeobjects;
		pg->freeobjects = o;
	}
	pg->cache = c;
	c->pages++;
	partialadd(c, pg);
	return 0;
}

/* See mm.h. */
void
slabfree(struct slabcache *c, void *p)
{
	struct page *pg = kvapage(p);
	struct object *o = p;
	int empty;

	assert(pg->state == PG_SLAB && pg->cache == c);
	assert(((uint)p & (PGSIZE - 1)) % c->size == 0);
#ifdef QUIRE_DEBUG
	memset(p, 0x5A, c->size);
#endif
	acquire(&c->lock);
	o->next = pg->freeobjects;
	pg->freeobjects = o;
	c->inuse--;
	if (pg->inuse-- == c->perpage)
		partialadd(c, pg);
	empty = pg->inuse == 0;
	if (empty) {
		partialdel(c, pg);
		c->pages--;
	}
	release(&c->lock);
	if (empty)
		putpage(pg);
}

/* Put a page on the partial list.  Called with c->lock held. */
static void
partialadd(struct slabcache *c, struct page *pg)
{
	lockassert(holding(&c->lock));
	pg->prev = 0;
	pg->next = c->partial;
	if (c->partial)
		c->partial->prev = pg;
	c->partial = pg;
}

/* Take a page off the partial list.  Called with c->lock held. */
static void
partialdel(struct slabcache *c, struct page *pg)
{
	lockassert(holding(&c->lock));
	if (pg->prev)
		pg->prev->next = pg->next;
	else
		c->partial = pg->next;
	if (pg->next)
		pg->next->prev = pg->prev;
}

/* See mm.h. */
void *
kmalloc(uint n)
{
	for (uint i = 0; i < NCLASS; i++)
		if (n <= classes[i].size)
			return slaballoc(kmcache[i]);
	return n <= 1 << 20 ? kallocs(orderfor(n)) : 0;
}

/* See mm.h. */
void *
kzalloc(uint n)
{
	void *p = kmalloc(n);

	return p ? memset(p, 0, n) : 0;
}

/* See mm.h. */
void
kmfree(void *p)
{
	struct page *pg;

	if (p == 0)
		return;
	pg = kvapage(p);
	if (pg->state == PG_SLAB)
		slabfree(pg->cache, p);
	else if (pg->order == 0)
		kfree(p);
	else
		kfrees(p, pg->order);
}

/* The smallest order whose block holds n bytes. */
static int
orderfor(uint n)
{
	int order = 0;

	while ((uint)PGSIZE << order < n)
		order++;
	return order;
}

/* See vm.h.  Checks the partial lists and what each cache counts. */
uint
slabcheck(void)
{
	uint pagesum = 0, used, n;

	for (struct slabcache *c = caches; c < caches + ncaches; c++) {
		acquire(&c->lock);
		used = n = 0;
		for (struct page *pg = c->partial; pg; pg = pg->next) {
			assert(pg->state == PG_SLAB && pg->cache == c);
			assert(pg->inuse > 0 && pg->inuse < c->perpage);
			used += pg->inuse;
			n++;
		}
		/* all pages on no list are full */
		assert(used + (c->pages - n) * c->perpage == c->inuse);
		pagesum += c->pages;
		release(&c->lock);
	}
	return pagesum;
}

/* See mm.h. */
int
slabinfo(int i, struct slabinfo *info)
{
	struct slabcache *c = &caches[i];

	if (i >= ncaches)
		return 0;
	*info = (struct slabinfo){c->name, c->inuse, c->size, c->perpage,
		c->pages};
	return 1;
}

/* See mm.h. */
uint
slabinuse(const char *name)
{
	struct slabinfo info;

	for (int i = 0; slabinfo(i, &info); i++)
		if (strcmp(info.name, name) == 0)
			return info.inuse;
	return 0;
}
