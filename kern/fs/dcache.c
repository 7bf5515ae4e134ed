/*
 * dcache.c - dentries: the tree of names and the hash table that finds them.
 *
 *  1. nameslock guards the tree (parent, children, name), the hash table and
 *     the mount points.  Its holder may follow dentries without references.
 *  2. A dentry has a reference to its parent and one to its inode.  A root is
 *     its own parent, and does not count that as a reference.
 *  3. A dentry without references is freed at once.  In ramfs each name has a
 *     reference to its dentry (dattach), so the dentry stays.  For names on
 *     disk the cache itself has that reference (dname), until the shrinker
 *     finds that it is the only one and that the name was not looked for
 *     lately.
 *  4. The count becomes 0 only under nameslock, so what dfind() finds under the
 *     lock has not been freed.
 */
#include "kern/fs/inode.h"
#include "arch/cpu.h"
#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/panic.h"
#include "kern/proc.h"
#include "kern/lib/printf.h"
#include "kern/lib/string.h"

#define NHASH     1024
#define SHORTPATH 128 /* bytes of a small path buffer */
#define NFREE     16  /* names the shrinker frees per hold of nameslock */

struct spinlock nameslock;

static struct list hashtab[NHASH];
static struct slabcache *dentrycache, *pathcache;
static struct list lru = {&lru, &lru}; /* kept by the cache [nameslock] */
static uint ncached, maxcached;        /* its length [nameslock], its bound */

static void dremove(struct dentry *d);
static void dinsert(struct dentry *d);
static struct dentry *firstleaf(struct dentry *root);
static void dropabsence(struct dentry *d);
static uint shrinkpages(uint pages);
static uint shrinksome(uint *looked);
static void dfree(struct dentry *d);
static struct list *bucket(struct dentry *parent, uint hash);
static struct dentry *ourroot(void);
static int pathbelow(struct dentry *root, struct dentry *d, char *buf, uint n);
static char *putback(char *end, const char *s, uint n, char *start);
static void swapnames(struct dentry *d, struct dentry *from);

void
dcacheinit(void)
{
	struct meminfo m;

	initlock(&nameslock, RANK_NAMES);
	for (uint i = 0; i < NHASH; i++)
		listinit(&hashtab[i]);
	dentrycache = slabcreate("dentry", sizeof(struct dentry), 4);
	pathcache = slabcreate("path", SHORTPATH, 4);
	meminfo(&m);
	maxcached = m.total / 4;
	shrinkregister(shrinkpages);
}

struct dentry *
dentrynew(struct dentry *parent, const char *name, uint len)
{
	struct dentry *d = slaballoc(dentrycache);

	if (!d)
		return 0;
	memset(d, 0, offsetof(struct dentry, shortname));
	d->name = d->shortname;
	if (len >= sizeof(d->shortname) && !(d->name = kmalloc(len + 1))) {
		slabfree(dentrycache, d);
		return 0;
	}
	memcpy(d->name, name, len);
	d->name[len] = 0;
	d->len = len;
	d->hash = namehash(name, len);
	d->ref = 1;
	d->parent = parent ? dget(parent) : d;
	listinit(&d->hashlink);
	listinit(&d->children);
	listinit(&d->sibling);
	listinit(&d->lru);
	return d;
}

struct dentry *
dget(struct dentry *d)
{
	atomicinc(&d->ref);
	return d;
}

void
dput(struct dentry *d)
{
	struct dentry *parent;

	while (d && !decunlesslast(&d->ref)) {
		acquire(&nameslock);
		if (!atomicdectest(&d->ref)) {
			release(&nameslock);
			return;
		}
		assert(listempty(&d->children) && listempty(&d->sibling));
		listdel(&d->hashlink);
		release(&nameslock);
		parent = d->parent == d ? 0 : d->parent;
		dfree(d);
		d = parent;
	}
}

int
decunlesslast(volatile int *ref)
{
	int r;

	while ((r = *ref) > 1)
		if (cas((volatile uint *)ref, r, r - 1))
			return 1;
	assert(r == 1);
	return 0;
}

/* Free a dentry without references, and drop its reference to the inode.  May
 * sleep. */
static void
dfree(struct dentry *d)
{
	if (d->inode)
		iput(d->inode);
	if (d->name != d->shortname)
		kmfree(d->name);
	slabfree(dentrycache, d);
}

uint
namehash(const char *name, uint len)
{
	uint h = 0;

	while (len-- > 0)
		h = HASHSTEP(h, *name++);
	return h;
}

/* The list of the hash table that has names with this hash in this directory.
 */
static struct list *
bucket(struct dentry *parent, uint hash)
{
	uint h = hash ^ (uint)parent >> 5;

	return &hashtab[(h ^ h >> 10) % NHASH];
}

struct dentry *
dfind(struct dentry *parent, const char *name, uint len, uint hash)
{
	struct list *head = bucket(parent, hash);
	struct dentry *d;

	lockassert(holding(&nameslock));
	for (struct list *l = head->next; l != head; l = l->next) {
		d = listitem(l, struct dentry, hashlink);
		if (d->hash == hash && d->parent == parent && d->len == len &&
			!memcmp(d->name, name, len))
			return d;
	}
	return 0;
}

void
dhash(struct dentry *d)
{
	lockassert(holding(&nameslock));
	listpush(bucket(d->parent, d->hash), &d->hashlink);
}

void
dunhash(struct dentry *d)
{
	lockassert(holding(&nameslock));
	listdel(&d->hashlink);
}

void
dattach(struct dentry *d)
{
	lockassert(holding(&nameslock));
	assert(d->inode && d->parent != d);
	dinsert(d);
	dget(d);
}

void
ddetach(struct dentry *d)
{
	int last;

	lockassert(holding(&nameslock));
	dremove(d);
	d->unlinked = 1;
	last = atomicdectest(&d->ref);
	assert(!last); /* the caller has a reference of its own */
}

/* Take d out of the hash table, of its parent's children and of the cache's
 * list.  The reference that the name or the cache had passes to the caller.
 * Called with nameslock held. */
static void
dremove(struct dentry *d)
{
	lockassert(holding(&nameslock));
	dunhash(d);
	listdel(&d->sibling);
	ncached -= !listempty(&d->lru);
	listdel(&d->lru);
}

void
dname(struct dentry *d, struct inode *ip)
{
	int full = 0;

	lockassert(holdingsleep(&d->parent->inode->lock));
	d->inode = ip;
	acquire(&nameslock);
	if (!d->parent->unlinked) {
		dropabsence(d);
		dhash(d);
		listadd(&d->parent->children, &d->sibling);
		listadd(&lru, &d->lru);
		dget(d);
		full = ++ncached > maxcached;
	}
	release(&nameslock);
	if (full)
		dcacheshrink(NFREE);
}

/* If a negative dentry remembers that there is no name like d's, remove it.
 * Called with nameslock held. */
static void
dropabsence(struct dentry *d)
{
	struct dentry *old = dfind(d->parent, d->name, d->len, d->hash);

	lockassert(holding(&nameslock));
	if (old == 0 || old->inode)
		return;
	dremove(old);
	if (!atomicdectest(&old->ref))
		return; /* a lookup has it, and drops the last reference */
	atomicdectest(&old->parent->ref); /* not the last: d has one too */
	dfree(old);
}

void
dgone(struct dentry *d)
{
	lockassert(holdingsleep(&d->parent->inode->lock));
	acquire(&nameslock);
	d->unlinked = 1; /* nothing is remembered below it any more */
	release(&nameslock);
	treefree(d);
	acquire(&nameslock);
	if (!listempty(&d->sibling))
		ddetach(d);
	release(&nameslock);
}

void
treefree(struct dentry *root)
{
	struct dentry *d;

	for (;;) {
		acquire(&nameslock);
		if ((d = firstleaf(root)) != root) {
			dget(d);
			ddetach(d);
		}
		release(&nameslock);
		if (d == root)
			return;
		dput(d);
	}
}

void
dprune(struct dentry *root)
{
	struct dentry *d;
	int busy;

	do {
		acquire(&nameslock);
		d = firstleaf(root);
		busy = d == root || d->ref > 1 || listempty(&d->lru);
		if (!busy)
			dremove(d);
		release(&nameslock);
		if (!busy)
			dput(d);
	} while (!busy);
}

/* The first dentry below root that has no children; root if it has none.
 * Called with nameslock held. */
static struct dentry *
firstleaf(struct dentry *root)
{
	struct dentry *d = root;

	lockassert(holding(&nameslock));
	while (!listempty(&d->children))
		d = listitem(d->children.next, struct dentry, sibling);
	return d;
}

/* For reclaim: free names worth so many pages, a name with its inode being
 * about a tenth of a page.  Returns pages. */
static uint
shrinkpages(uint pages)
{
	return (dcacheshrink(MIN(pages, 1u << 20) * 10) + 9) / 10;
}

uint
dcacheshrink(uint n)
{
	uint done = 0, looked = 0, most = 2 * ncached;

	while (done < n && looked < most)
		done += shrinksome(&looked);
	return done;
}

/* Look at a few dentries that the cache keeps, those kept longest first, and
 * free the ones that nobody uses and nobody has found since the last look.
 * Returns how many were freed; adds to *looked how many were looked at. */
static uint
shrinksome(uint *looked)
{
	struct dentry *d, *unused[NFREE];
	uint n = 0;

	acquire(&nameslock);
	for (uint i = 0; i < 4 * NFREE && n < NFREE; i++, ++*looked) {
		if (listempty(&lru))
			continue;
		d = listitem(lru.next, struct dentry, lru);
		if (d->used || d->ref > 1) {
			d->used = 0;
			listdel(&d->lru);
			listadd(&lru, &d->lru);
		} else {
			dremove(d);
			unused[n++] = d;
		}
	}
	release(&nameslock);
	for (uint i = 0; i < n; i++)
		dput(unused[i]);
	return n;
}

void
dmove(struct dentry *d, struct dentry *at)
{
	struct dentry *parent = at->parent;

	lockassert(holding(&nameslock));
	if (!listempty(&at->sibling))
		ddetach(at);
	else
		dropabsence(at);
	dunhash(d);
	listdel(&d->sibling);
	swapnames(d, at);
	at->parent = d->parent; /* each takes over a reference */
	d->parent = parent;
	dinsert(d);
}

void
dswap(struct dentry *a, struct dentry *b)
{
	struct dentry *parent = a->parent;

	lockassert(holding(&nameslock));
	dunhash(a);
	dunhash(b);
	listdel(&a->sibling);
	listdel(&b->sibling);
	swapnames(a, b);
	a->parent = b->parent;
	b->parent = parent;
	dinsert(a);
	dinsert(b);
}

/* Hash d, and make it the last of its parent's children.  Called with
 * nameslock held. */
static void
dinsert(struct dentry *d)
{
	lockassert(holding(&nameslock));
	dhash(d);
	d->cookie = ++d->parent->inode->cookies + 1; /* 0 and 1: . and .. */
	listadd(&d->parent->children, &d->sibling);
}

/* Exchange the names of two dentries that are not hashed.  Called with
 * nameslock held. */
static void
swapnames(struct dentry *d, struct dentry *from)
{
	char shortname[sizeof(d->shortname)];
	char *dname = d->name == d->shortname ? from->shortname : d->name;
	char *fname = from->name == from->shortname ? d->shortname : from->name;
	uint hash = d->hash, len = d->len;

	lockassert(holding(&nameslock));
	memcpy(shortname, d->shortname, sizeof(shortname));
	memcpy(d->shortname, from->shortname, sizeof(shortname));
	memcpy(from->shortname, shortname, sizeof(shortname));
	d->name = fname;
	d->hash = from->hash;
	d->len = from->len;
	from->name = dname;
	from->hash = hash;
	from->len = len;
}

/* The path is built from the end of buf towards its start, then moved down. */
int
dentrypath(struct dentry *d, char *buf, uint n)
{
	struct dentry *root = ourroot();
	int len;

	acquire(&nameslock);
	len = pathbelow(root, d, buf, n);
	release(&nameslock);
	return len;
}

int
mountpath(int i, struct super *copy, uint *parent, char *buf, uint n)
{
	struct dentry *root = ourroot();
	struct super *s;
	char *options;
	int len = -ENOENT;

	acquire(&nameslock);
	listeach(s, &mounts, link) {
		if (i-- != 0)
			continue;
		*copy = *s;
		*parent = s->root->covers ? s->root->covers->inode->super->dev
					  : s->dev;
		len = pathbelow(root, s->root, buf, n - MOUNTOPTS);
		if (len < 0)
			continue;
		options = buf + len + 1;
		*options = 0;
		if (s->ops && s->ops->options)
			s->ops->options(s, options, MOUNTOPTS);
	}
	release(&nameslock);
	return len;
}

/* Where the running process's paths begin.  No reference: only to be compared
 * with. */
static struct dentry *
ourroot(void)
{
	struct proc *p = myproc();
	struct dentry *root = rootdentry;

	if (p && p->fs) {
		acquire(&p->fs->lock);
		root = p->fs->root;
		release(&p->fs->lock);
	}
	return root;
}

/* Write the path of d from root to buf, of n bytes: its length, or -ERANGE.
 * Called with nameslock held. */
static int
pathbelow(struct dentry *root, struct dentry *d, char *buf, uint n)
{
	char *s = buf + n;

	lockassert(holding(&nameslock));
	if (d->unlinked)
		s = putback(s, " (deleted)", 11, buf);
	else
		s = putback(s, "", 1, buf);
	for (; s && d != root; d = d->parent) {
		while (d->covers && d != root)
			d = d->covers;
		if (d == root)
			break;
		s = putback(s, d->name, d->len, buf);
		if (d->parent == d)
			break; /* a root has no name, a pipe no more */
		s = putback(s, "/", 1, buf);
	}
	if (s && (!*s || *s == ' '))
		s = putback(s, "/", 1, buf);
	if (!s)
		return -ERANGE;
	n = buf + n - s;
	memmove(buf, s, n);
	return n - 1;
}

/* Put n bytes of s in front of end, but not before start.  Returns where they
 * begin; 0 if there is no room, or if end is 0 already. */
static char *
putback(char *end, const char *s, uint n, char *start)
{
	if (!end || (uint)(end - start) < n)
		return 0;
	return memcpy(end - n, s, n);
}

/* Most paths fit a small buffer of pathcache.  It is never page aligned, as
 * path is 4 bytes behind its start; by that putpath() tells it from a page. */
char *
getpath(uint uva, int *err)
{
	char *path = slaballoc(pathcache);

	if (!path) {
		*err = -ENOMEM;
		return 0;
	}
	path += 4;
	*err = copyinstr(path, uva, SHORTPATH - 4);
	if (*err >= 0)
		return path;
	putpath(path);
	if (*err != -ENAMETOOLONG)
		return 0;
	if (!(path = kalloc())) {
		*err = -ENOMEM;
		return 0;
	}
	*err = copyinstr(path, uva, PATHLEN);
	if (*err >= 0)
		return path;
	kfree(path);
	return 0;
}

void
putpath(char *path)
{
	if ((uint)path % PGSIZE)
		slabfree(pathcache, path - 4);
	else if (path)
		kfree(path);
}
