/* u_slab.c - small objects of all sizes against a table of what is held. */
#include "unit.h"

#define NOBJ 3000

static struct obj {
	uint8_t *p;
	uint n;
	uint8_t tag;
	struct slabcache *cache; /* 0: kmalloc's */
} objs[NOBJ];

static void get(struct obj *, struct slabcache **caches, const uint *sizes);
static void put(struct obj *);
static void random_objects(void);
static void sizes_and_alignment(void);

const struct test slabtests[] = {
	{sizes_and_alignment, "slab_sizes_and_alignment"},
	{random_objects, "slab_random_objects"},
	{0, 0},
};

static void
sizes_and_alignment(void)
{
	static const uint sizes[] = {1, 16, 17, 96, 2048, 2049, 4096, 4097,
		100000, 1 << 20};
	uint before;
	void *p;

	boot(16 << 20);
	before = freeframes();
	for (uint i = 0; i < NELEM(sizes); i++) {
		p = kzalloc(sizes[i]);
		check(p && (uint)p % 8 == 0, "kzalloc(%u) = %p", sizes[i], p);
		for (uint j = 0; j < sizes[i]; j++)
			check(((char *)p)[j] == 0, "byte %u of %u", j, sizes[i]);
		kmfree(p);
		check(freeframes() == before, "after %u", sizes[i]);
	}
	check(kmalloc((1 << 20) + 1) == 0 && kmalloc(~0u) == 0, "too large");
	kmfree(0);
	check_mm();
}

static void
get(struct obj *o, struct slabcache **caches, const uint *sizes)
{
	uint c = rnd(8);

	o->cache = c < 4 ? caches[c] : 0;
	o->n = c < 4 ? sizes[c] : 1 + rnd(oneof(50) ? 20000 : oneof(4) ? 3000 : 300);
	o->tag = rnd(256);
	o->p = o->cache ? slaballoc(o->cache) : kmalloc(o->n);
	if (o->p == 0)
		return;
	memset(o->p, o->tag, o->n);
}

static void
put(struct obj *o)
{
	for (uint i = 0; i < o->n; i++)
		check(o->p[i] == o->tag, "object %p of %u changed at %u", o->p,
			o->n, i);
	if (o->cache)
		slabfree(o->cache, o->p);
	else
		kmfree(o->p);
	o->p = 0;
}

/* Contents survive, so no two objects overlap; failures are harmless. */
static void
random_objects(void)
{
	static const uint sizes[] = {4, 36, 700, 2048}, align[] = {4, 4, 64, 2048};
	struct slabcache *caches[4];
	uint before, lost = 0;

	boot(8 << 20);
	for (int i = 0; i < 4; i++)
		caches[i] = slabcreate("test", sizes[i], align[i]);
	before = freeframes();
	for (uint s = 0; s < (steps ? steps : 80000); s++) {
		struct obj *o = &objs[rnd(NOBJ)];

		if (oneof(20) && failnext == 0)
			failnext = 1;
		if (o->p)
			put(o);
		else
			get(o, caches, sizes);
		if (o->p && o->cache == caches[2])
			check((uint)o->p % 64 == 0, "%p", o->p);
		lost += o->p == 0;
		if (s % 4000 == 0)
			check_mm();
	}
	check(lost > 0 && slabinuse("test") > 0, "nothing failed");
	for (struct obj *o = objs; o < objs + NOBJ; o++)
		if (o->p)
			put(o);
	failnext = 0;
	check(freeframes() == before, "%u free, not %u", freeframes(), before);
	check_mm();
}
