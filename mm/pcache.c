/*
 * pcache.c - the page cache: the pages of a file, found by their index.
 *
 * One tree per file, of nodes with 16 slots, as high as the largest index
 * needs; a leaf slot points to a struct page.  read() and write() copy from and
 * to the very pages that mappings and exec show.
 *
 * Invariants: at most one cached page per (file, index); the tree holds one
 * reference to each; pages beyond the size are not in the tree; bytes of the
 * last page beyond the size are zero.  A page whose file shrank lives on in the
 * mappings that show it.
 *
 * The lock is a spinlock: a page is made and filled first, then put in the tree
 * unless somebody else was faster.
 *
 * One at a time writes or changes the size (the inode's lock); reads and faults
 * go on meanwhile.  The size is read without a lock: no file reaches 4 GiB, so
 * its upper half is never anything but 0.
 */
#include "mm/vm.h"

#define FANBITS 4
#define FANOUT  (1 << FANBITS)

struct pcnode {
	void *slot[FANOUT]; /* nodes, or on the lowest level pages */
	uint used;          /* slots that are not 0 */
};

struct list pclist;
struct spinlock pclistlock;

static struct slabcache *pccache, *nodecache;

static struct page *lookup(struct pcache *, uint index);
static struct page *find(struct pcache *, uint index);
static int insert(struct pcache *, uint index, struct page *, uint64_t end);
static struct page *blankpage(void);
static int makepage(struct pcache *, uint index, struct page **);
static struct pcnode *grow(struct pcache *, uint index);
static struct page *cut(struct pcache *, struct pcnode *, int level,
	uint base, uint from);
static int writechunk(struct pcache *, struct uio *, uint64_t off, uint n);
static void extend(struct pcache *, uint64_t end);
static uint after(struct pcnode *, int level, uint base, uint from);
static int each(struct pcnode *, int level,
	int (*fn)(struct page *, void *), void *);

void
pcacheinit(void)
{
	listinit(&pclist);
	initlock(&pclistlock, RANK_FILES);
	pccache = slabcreate("pcache", sizeof(struct pcache), 8);
	nodecache = slabcreate("pcnode", sizeof(struct pcnode), 4);
}

struct pcache *
pcachenew(void *host, const struct pcacheops *ops)
{
	struct pcache *pc = slaballoc(pccache);

	if (pc == 0)
		return 0;
	memset(pc, 0, sizeof(*pc));
	pc->ref = 1;
	pc->host = host;
	pc->ops = ops;
	initlock(&pc->lock, RANK_PCACHE);
	initlock(&pc->maplock, RANK_LEAF);
	listinit(&pc->maps);
	acquire(&pclistlock);
	listadd(&pclist, &pc->link);
	release(&pclistlock);
	return pc;
}

struct pcache *
pcacheref(struct pcache *pc)
{
	atomicinc(&pc->ref);
	return pc;
}

/* Drop a reference; the last drops the pages. */
void
pcachefree(struct pcache *pc)
{
	if (!atomicdectest(&pc->ref))
		return;
	acquire(&pclistlock);
	listdel(&pc->link);
	release(&pclistlock);
	pcachetruncate(pc, 0);
	slabfree(pccache, pc);
}

uint64_t
pcachesize(struct pcache *pc)
{
	return pc->size;
}

uint
pcachepages(struct pcache *pc)
{
	return pc->npages;
}

/* The page at index, referenced; made or read if it is not there.  0, or 1 if
 * that waited for I/O; -EIO beyond the end or if it could not be read, -ENOMEM.
 * No spinlock held. */
int
pcacheget(struct pcache *pc, uint index, struct page **pgp)
{
	if ((uint64_t)index << PGSHIFT >= pc->size)
		return -EIO;
	*pgp = find(pc, index);
	return *pgp ? 0 : makepage(pc, index, pgp);
}

/* The cached page at index, referenced, or 0. */
static struct page *
find(struct pcache *pc, uint index)
{
	struct page *pg;

	acquire(&pc->lock);
	pg = lookup(pc, index);
	if (pg)
		getpage(pg);
	release(&pc->lock);
	return pg;
}

/* Make the page at index: read it, or zeroes where memory is all there is. */
static int
makepage(struct pcache *pc, uint index, struct page **pgp)
{
	int err = 0, major = pc->ops && pc->ops->readpage;
	struct page *pg = major ? allocpage(PG_CACHED) : blankpage();

	if (pg == 0)
		return -ENOMEM;
	if (major)
		err = pc->ops->readpage(pc, (uint64_t)index << PGSHIFT,
			pagekva(pg));
	if (err == 0)
		err = insert(pc, index, pg, 0);
	if (err < 0 && err != -EEXIST) {
		putpage(pg);
		return err;
	}
	if (err == -EEXIST) { /* somebody was faster: take theirs */
		putpage(pg);
		return pcacheget(pc, index, pgp);
	}
	*pgp = pg;
	return major;
}

/* A page of zeroes for a file, or 0. */
static struct page *
blankpage(void)
{
	struct page *pg = allocpage(PG_CACHED);

	if (pg)
		stosl(pagekva(pg), 0, PGSIZE / 4);
	return pg;
}

/* Put a page in the tree, which gets a reference of its own, and make the file
 * reach to end at least.  0, -EEXIST if one is there, -EIO if the file ended
 * meanwhile, -ENOMEM. */
static int
insert(struct pcache *pc, uint index, struct page *pg, uint64_t end)
{
	struct pcnode *node;
	int err = 0;

	acquire(&pc->lock);
	end = MAX(end, pc->size);
	if ((uint64_t)index << PGSHIFT >= end)
		err = -EIO;
	else if (lookup(pc, index))
		err = -EEXIST;
	else if ((node = grow(pc, index)) == 0)
		err = -ENOMEM;
	if (err == 0) {
		pg->pcache = pc;
		pg->index = index;
		node->slot[index % FANOUT] = getpage(pg);
		node->used++;
		pc->npages++;
		pc->size = end;
	}
	release(&pc->lock);
	return err;
}

/* The page at index, or 0.  pc is locked. */
static struct page *
lookup(struct pcache *pc, uint index)
{
	void *p = pc->root;
	int shift = (pc->height - 1) * FANBITS;

	if (p == 0 || index >> shift >= FANOUT)
		return 0;
	for (; p && shift >= 0; shift -= FANBITS)
		p = ((struct pcnode *)p)->slot[index >> shift & (FANOUT - 1)];
	return p;
}

/* The leaf node for index, with all above it; 0: no memory (what was made is
 * empty or reached again, and goes with the tree).  pc is locked. */
static struct pcnode *
grow(struct pcache *pc, uint index)
{
	struct pcnode *node, *new;
	void **slot;

	while (pc->root == 0 || index >> pc->height * FANBITS) {
		new = slaballoc(nodecache);
		if (new == 0)
			return 0;
		memset(new, 0, sizeof(*new));
		new->slot[0] = pc->root;
		new->used = pc->root != 0;
		pc->root = new;
		pc->height++;
	}
	node = pc->root;
	for (int level = pc->height - 1; level > 0; level--) {
		slot = &node->slot[index >> level * FANBITS & (FANOUT - 1)];
		if (*slot == 0) {
			new = slaballoc(nodecache);
			if (new == 0)
				return 0;
			memset(new, 0, sizeof(*new));
			*slot = new;
			node->used++;
		}
		node = *slot;
	}
	return node;
}

/* See mm.h. */
int
pcachetruncate(struct pcache *pc, uint64_t size)
{
	uint from = (size + PGSIZE - 1) >> PGSHIFT; /* <= MAXINDEX: no wrap */
	uint tail = size % PGSIZE;
	struct page *pg;

	if (size > (uint64_t)MAXINDEX << PGSHIFT)
		return -EFBIG;
	acquire(&pc->lock);
	if (size < pc->size && tail && (pg = lookup(pc, from - 1)))
		memset((char *)pagekva(pg) + tail, 0, PGSIZE - tail);
	pc->size = size;
	while (pc->root && (pg = cut(pc, pc->root, pc->height - 1, 0, from))) {
		release(&pc->lock); /* one page at a time: the lock is short */
		putpage(pg);
		acquire(&pc->lock);
	}
	if (pc->root && ((struct pcnode *)pc->root)->used == 0) {
		slabfree(nodecache, pc->root);
		pc->root = 0;
		pc->height = 0;
	}
	release(&pc->lock);
	objunmap(pc, from);
	return 0;
}

/* Take the last page at or beyond index from out of the tree, and the nodes
 * that are empty then; 0: there is none.  pc is locked. */
static struct page *
cut(struct pcache *pc, struct pcnode *node, int level, uint base, uint from)
{
	struct page *pg = 0;
	uint first;

	for (int i = FANOUT - 1; i >= 0 && pg == 0; i--) {
		first = base + ((uint)i << level * FANBITS);
		if (node->slot[i] == 0 ||
			first + (1u << level * FANBITS) <= from)
			continue;
		if (level == 0) {
			pg = node->slot[i];
			pc->npages--;
			node->slot[i] = 0;
			node->used--;
			continue;
		}
		pg = cut(pc, node->slot[i], level - 1, first, from);
		if (((struct pcnode *)node->slot[i])->used == 0) {
			slabfree(nodecache, node->slot[i]);
			node->slot[i] = 0;
			node->used--;
		}
	}
	return pg;
}

/* See mm.h.  Each page is pinned, not locked, while it is copied: the copy may
 * fault on a mapping of this very file. */
int
pcacheread(struct pcache *pc, struct uio *u, uint64_t off)
{
	uint64_t size = pc->size;
	uint n, done = 0;
	struct page *pg;
	int err = 0;

	if (off >= size)
		return 0;
	while (u->n > 0 && off < size && err == 0) {
		n = MIN(u->n, PGSIZE - (uint)off % PGSIZE);
		n = MIN(n, size - off);
		pg = find(pc, off >> PGSHIFT);
		if (pg == 0 && pc->ops && pc->ops->readpage) {
			err = makepage(pc, off >> PGSHIFT, &pg);
			if (err < 0)
				break;
		}
		done += u->n;
		if (pg) {
			err = uioput(u, (char *)pagekva(pg) + off % PGSIZE, n);
			putpage(pg);
		} else {
			err = uiozero(u, n);
		}
		done -= u->n;
		off += n;
	}
	return done ? (int)done : err;
}

/* See mm.h. */
int
pcachewrite(struct pcache *pc, struct uio *u, uint64_t off)
{
	uint n, before, done = 0;
	int err = 0;

	while (u->n > 0 && err == 0) {
		n = MIN(u->n, PGSIZE - (uint)off % PGSIZE);
		before = u->n;
		err = writechunk(pc, u, off, n);
		off += before - u->n;
		done += before - u->n;
	}
	return done ? (int)done : err;
}

/* The part in one page.  Beyond the end nobody sees it before it is whole: the
 * size grows afterwards, and a new page goes into the tree with that. */
static int
writechunk(struct pcache *pc, struct uio *u, uint64_t off, uint n)
{
	uint index = off >> PGSHIFT, got;
	int isnew = (uint64_t)index << PGSHIFT >= pc->size, err = 0, bad = 0;
	struct page *pg;

	if (off + n > (uint64_t)MAXINDEX << PGSHIFT)
		return -EFBIG;
	if (!isnew)
		err = pcacheget(pc, index, &pg);
	else if ((pg = blankpage()) == 0)
		err = -ENOMEM;
	if (err < 0)
		return err;
	got = u->n;
	err = uioget(u, (char *)pagekva(pg) + off % PGSIZE, n);
	got -= u->n;
	if (isnew && got > 0)
		bad = insert(pc, index, pg, off + got);
	else if (got > 0)
		extend(pc, off + got);
	putpage(pg);
	if (bad == 0)
		return err;
	u->addr -= got; /* as if it had not been tried */
	u->n += got;
	return bad;
}

/* The file reaches to end at least. */
static void
extend(struct pcache *pc, uint64_t end)
{
	acquire(&pc->lock);
	pc->size = MAX(pc->size, end);
	release(&pc->lock);
}

/* See mm.h. */
int64_t
pcacheseek(struct pcache *pc, uint64_t off, int hole)
{
	uint index = off >> PGSHIFT, found;

	if (off >= pc->size)
		return -ENXIO;
	acquire(&pc->lock);
	if (hole)
		for (found = index; lookup(pc, found); found++)
			;
	else
		found = pc->root ? after(pc->root, pc->height - 1, 0, index)
				 : MAXINDEX;
	release(&pc->lock);
	if (found == index)
		return off;
	off = (uint64_t)found << PGSHIFT;
	if (off < pc->size)
		return off;
	return hole ? (int64_t)pc->size : -ENXIO;
}

/* The first index >= from that has a page, or MAXINDEX.  pc is locked. */
static uint
after(struct pcnode *node, int level, uint base, uint from)
{
	uint first, found = MAXINDEX;

	for (uint i = 0; i < FANOUT && found == MAXINDEX; i++) {
		first = base + (i << level * FANBITS);
		if (node->slot[i] == 0 ||
			first + (1u << level * FANBITS) <= from)
			continue;
		found = level ? after(node->slot[i], level - 1, first, from)
			      : first;
	}
	return found;
}

/* Call fn for each cached page until it returns non-zero, with pc locked; that
 * value or 0. */
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
