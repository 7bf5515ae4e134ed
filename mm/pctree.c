/*
 * pctree.c - the tree of a file's cached pages, found by their index.
 *
 * Nodes with 16 slots, as high as the largest index needs; a leaf's slots point
 * to pages.  Each node has a bit for each slot and tag: is something below that
 * has it?  So the dirty pages of a large file are found without a look at the
 * others.
 *
 * Invariants: the tree holds one reference to each page; no node is empty; a
 * bit is set if and only if a page below the slot was given the tag.  The
 * pcache is locked in all of this; nothing here sleeps.
 */
#include "mm/vm.h"

#define FANBITS 4
#define FANOUT  (1 << FANBITS)
#define LEVELS  (24 / FANBITS) /* for MAXINDEX pages */

struct pcnode {
	void *slot[FANOUT];      /* nodes, or on the lowest level pages */
	uint16_t used;           /* slots that are not 0 */
	uint16_t tag[NTREETAG];  /* a bit per slot */
};

static struct slabcache *nodecache;

static struct pcnode *nodenew(void *child);
static int grow(struct pcache *, uint index);
static void path(struct pcache *, uint index, struct pcnode *at[]);
static void prune(struct pcache *, uint index);
static struct page *next(struct pcnode *, int level, uint from, int tag);
static int each(struct pcnode *, int level,
	int (*fn)(struct page *, void *), void *arg);

static inline uint
slotof(uint index, int level)
{
	return index >> level * FANBITS & (FANOUT - 1);
}

void
treeinit(void)
{
	nodecache = slabcreate("pcnode", sizeof(struct pcnode), 4);
}

/* The page at index, or 0. */
struct page *
treeget(struct pcache *pc, uint index)
{
	void *p = pc->root;
	int shift = (pc->height - 1) * FANBITS;

	if (p == 0 || index >> shift >= FANOUT)
		return 0;
	for (; p && shift >= 0; shift -= FANBITS)
		p = ((struct pcnode *)p)->slot[index >> shift & (FANOUT - 1)];
	return p;
}

/* Enter a page, with the caller's reference: 0, -EEXIST (one is there),
 * -ENOMEM. */
int
treeput(struct pcache *pc, uint index, struct page *pg)
{
	struct pcnode *at[LEVELS];

	if (treeget(pc, index))
		return -EEXIST;
	if (grow(pc, index) < 0) {
		prune(pc, index);
		return -ENOMEM;
	}
	path(pc, index, at);
	at[0]->slot[slotof(index, 0)] = pg;
	at[0]->used++;
	pc->npages++;
	return 0;
}

/* Take the page at index, which is there, out; its reference is the caller's. */
void
treecut(struct pcache *pc, uint index)
{
	struct pcnode *at[LEVELS];

	for (int tag = 0; tag < NTREETAG; tag++)
		treetag(pc, index, tag, 0);
	path(pc, index, at);
	at[0]->slot[slotof(index, 0)] = 0;
	at[0]->used--;
	pc->npages--;
	prune(pc, index);
}

/* Give the page at index, which is there, the tag, or take it away. */
void
treetag(struct pcache *pc, uint index, int tag, int on)
{
	struct pcnode *at[LEVELS];
	uint bit;

	path(pc, index, at);
	for (int l = 0; l < pc->height; l++) {
		bit = 1u << slotof(index, l);
		if (on) {
			at[l]->tag[tag] |= bit;
		} else {
			at[l]->tag[tag] &= ~bit;
			if (at[l]->tag[tag])
				return;
		}
	}
}

/* The first page at or behind index from that has the tag (TREE_ANY: the first
 * page), or 0. */
struct page *
treenext(struct pcache *pc, uint from, int tag)
{
	if (pc->root == 0 || from >> (pc->height - 1) * FANBITS >= FANOUT)
		return 0;
	return next(pc->root, pc->height - 1, from, tag);
}

static struct page *
next(struct pcnode *node, int level, uint from, int tag)
{
	uint i = slotof(from, level), first = i;
	struct page *pg = 0;

	for (; i < FANOUT && pg == 0; i++) {
		if (node->slot[i] == 0 ||
			(tag != TREE_ANY && !(node->tag[tag] & 1u << i)))
			continue;
		pg = level ? next(node->slot[i], level - 1,
				i == first ? from : 0, tag) : node->slot[i];
	}
	return pg;
}

/* Make the nodes that index needs: 0, or -ENOMEM with some of them made. */
static int
grow(struct pcache *pc, uint index)
{
	struct pcnode *node, *new;
	void **slot;

	while (pc->root == 0 || index >> pc->height * FANBITS) {
		if ((new = nodenew(pc->root)) == 0)
			return -ENOMEM;
		do
			pc->height++;
		while (pc->root == 0 && index >> pc->height * FANBITS);
		pc->root = new;
	}
	node = pc->root;
	for (int level = pc->height - 1; level > 0; level--) {
		slot = &node->slot[slotof(index, level)];
		if (*slot == 0) {
			if ((*slot = nodenew(0)) == 0)
				return -ENOMEM;
			node->used++;
		}
		node = *slot;
	}
	return 0;
}

/* A node with one child, or none; 0: no memory. */
static struct pcnode *
nodenew(void *child)
{
	struct pcnode *new = slaballoc(nodecache);

	if (new == 0)
		return 0;
	memset(new, 0, sizeof(*new));
	new->slot[0] = child;
	new->used = child != 0;
	for (int tag = 0; child && tag < NTREETAG; tag++)
		new->tag[tag] = ((struct pcnode *)child)->tag[tag] != 0;
	return new;
}

/* The nodes above index, by level; 0 where there is none. */
static void
path(struct pcache *pc, uint index, struct pcnode *at[])
{
	struct pcnode *node = pc->root;

	for (int l = pc->height - 1; l >= 0; l--) {
		at[l] = node;
		if (node && l > 0)
			node = node->slot[slotof(index, l)];
	}
}

/* Free the nodes above index that are empty. */
static void
prune(struct pcache *pc, uint index)
{
	struct pcnode *at[LEVELS];

	path(pc, index, at);
	for (int l = 0; l < pc->height; l++) {
		if (at[l] == 0)
			continue;
		if (at[l]->used)
			return;
		slabfree(nodecache, at[l]);
		if (l + 1 < pc->height) {
			at[l + 1]->slot[slotof(index, l + 1)] = 0;
			at[l + 1]->used--;
		} else {
			pc->root = 0;
			pc->height = 0;
		}
	}
}

/* Call fn for each cached page until it returns non-zero, with pc locked here;
 * that value or 0. */
int
pcacheeach(struct pcache *pc, int (*fn)(struct page *, void *), void *arg)
{
	int r = 0;

	acquire(&pc->lock);
	if (pc->root)
		r = each(pc->root, pc->height - 1, fn, arg);
	release(&pc->lock);
	return r;
}

static int
each(struct pcnode *node, int level, int (*fn)(struct page *, void *),
	void *arg)
{
	int r = 0;

	for (int i = 0; i < FANOUT && r == 0; i++) {
		if (node->slot[i] == 0)
			continue;
		r = level ? each(node->slot[i], level - 1, fn, arg)
			  : fn(node->slot[i], arg);
	}
	return r;
}
