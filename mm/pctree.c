/*
 * pctree.c - the tree of a file's cached pages, found by their index.
 *
 * A node has 16 slots.  The tree is as high as the largest index needs; slots
 * of the nodes on level 0 point to pages, those of other nodes to nodes one
 * level below.  Each node has one bit for each slot and tag, which says whether
 * a page below that slot has the tag.  So the dirty pages of a large file are
 * found without a look at the clean ones.
 *
 *   index 0x25, height 2:   root (level 1)  slot 2, DIRTY bit 2 set
 *                             |
 *                           node (level 0)  slot 5, DIRTY bit 5 set
 *                             |
 *                           struct page     PGF_DIRTY
 *
 * Invariants: the tree holds one reference to each page; no node is empty; a
 * bit is set if and only if a page below the slot was given the tag.
 *
 * All functions here are called with pc->lock held, which treeget() and the
 * others that vm.h declares assert; nothing here sleeps.
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
static struct page *nextbelow(struct pcnode *, int level, uint from, int tag);
static int eachbelow(struct pcnode *, int level,
	int (*fn)(struct page *, void *), void *arg);

/* Which slot of a node on that level leads to index. */
static inline uint
slotof(uint index, int level)
{
	return index >> level * FANBITS & (FANOUT - 1);
}

/* Boot: the cache that nodes come from. */
void
treeinit(void)
{
	nodecache = slabcreate("pcnode", sizeof(struct pcnode), 4);
}

/* See vm.h. */
struct page *
treeget(struct pcache *pc, uint index)
{
	void *p = pc->root;
	int shift = (pc->height - 1) * FANBITS;

	lockassert(holding(&pc->lock));
	if (p == 0 || index >> shift >= FANOUT)
		return 0;
	for (; p && shift >= 0; shift -= FANBITS)
		p = ((struct pcnode *)p)->slot[index >> shift & (FANOUT - 1)];
	return p;
}

/* See vm.h. */
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

/* See vm.h. */
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

/* See vm.h.  A node's bit is cleared only when no other slot below it has the
 * tag. */
void
treetag(struct pcache *pc, uint index, int tag, int on)
{
	struct pcnode *at[LEVELS];
	uint bit;

	lockassert(holding(&pc->lock));
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

/* See vm.h.  With TREE_ANY the tag does not matter. */
struct page *
treenext(struct pcache *pc, uint from, int tag)
{
	lockassert(holding(&pc->lock));
	if (pc->root == 0 || from >> (pc->height - 1) * FANBITS >= FANOUT)
		return 0;
	return nextbelow(pc->root, pc->height - 1, from, tag);
}

/* treenext() below one node: the first page in its slots whose index, in the
 * bits that this level and those below decide, is at least from; or 0. */
static struct page *
nextbelow(struct pcnode *node, int level, uint from, int tag)
{
	uint i = slotof(from, level), first = i;
	struct page *pg = 0;

	for (; i < FANOUT && pg == 0; i++) {
		if (node->slot[i] == 0 ||
			(tag != TREE_ANY && !(node->tag[tag] & 1u << i)))
			continue;
		pg = level ? nextbelow(node->slot[i], level - 1,
				i == first ? from : 0, tag) : node->slot[i];
	}
	return pg;
}

/* Make the nodes that lead to index: 0, or -ENOMEM with some of them made,
 * which prune() frees. */
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

/* A new node, empty if child is 0, else with child in slot 0 and that one's
 * tags; 0: no memory. */
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

/* at[l] becomes the node on level l that leads to index, for each level of the
 * tree; 0 where there is none. */
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

/* Free the nodes that lead to index and are empty, and the tree's root with
 * them if that is empty too. */
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

/* See vm.h. */
int
pcacheeach(struct pcache *pc, int (*fn)(struct page *, void *), void *arg)
{
	int r = 0;

	acquire(&pc->lock);
	if (pc->root)
		r = eachbelow(pc->root, pc->height - 1, fn, arg);
	release(&pc->lock);
	return r;
}

/* pcacheeach() below one node: what the last fn() returned, or 0. */
static int
eachbelow(struct pcnode *node, int level, int (*fn)(struct page *, void *),
	void *arg)
{
	int r = 0;

	for (int i = 0; i < FANOUT && r == 0; i++) {
		if (node->slot[i] == 0)
			continue;
		r = level ? eachbelow(node->slot[i], level - 1, fn, arg)
			  : fn(node->slot[i], arg);
	}
	return r;
}
