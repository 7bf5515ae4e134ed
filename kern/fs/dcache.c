/*
 * dcache.c - dentries: the tree of names and the hash table that finds them.
 *
 *  1. nameslock guards the tree (parent, children, name), the table and the
 *     mount points; whoever holds it may follow dentries without references.
 *  2. A dentry keeps its parent and its inode.  A root is its own parent, and
 *     does not count that as a reference.
 *  3. A dentry nobody refers to is freed at once.  Names of ramfs refer to
 *     their dentries (dattach), which is what makes them stay; to those of file
 *     systems on disk the cache itself refers (dname), until the shrinker finds
 *     that nobody else does and nobody has looked for them.
 *  4. The count reaches 0 only under nameslock: what the table finds, lives.
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
#define NFREE     16  /* names that the shrinker frees at a time */

struct spinlock nameslock;

static struct list hashtab[NHASH];
static struct slabcache *dentrycache, *pathcache;
static struct list lru = {&lru, &lru}; /* what the cache keeps [nameslock] */
static uint ncached, maxcached;        /* its length [nameslock], its bound */

static void forget(struct dentry *d);
static void place(struct dentry *d);
static struct dentry *firstleaf(struct dentry *root);
static void dropabsence(struct dentry *d);
static uint shrinkpages(uint pages);
static uint shrinksome(uint *looked);
static void dfree(struct dentry *d);
static struct list *bucket(struct dentry *parent, uint hash);
static struct dentry *ourroot(void);
static int pathbelow(struct dentry *root, struct dentry *d, char *buf, uint n);
static char *putback(char *end, const char *s, uint n, char *start);
static void setname(struct dentry *d, struct dentry *from);

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

/* Drop a reference; the last frees the dentry and what it kept.  May sleep; 0
 * does nothing. */
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
	assert(holding(&nameslock));
	listpush(bucket(d->parent, d->hash), &d->hashlink);
}

void
dunhash(struct dentry *d)
{
	assert(holding(&nameslock));
	listdel(&d->hashlink);
}

void
dattach(struct dentry *d)
{
	assert(d->inode && d->parent != d);
	place(d);
	dget(d);
}

void
ddetach(struct dentry *d)
{
	int last;

	forget(d);
	d->unlinked = 1;
	last = atomicdectest(&d->ref);
	assert(!last); /* the caller has its own */
}

/* It is no longer found, nor among its parent's children; the reference that
 * kept it is the caller's. */
static void
forget(struct dentry *d)
{
	dunhash(d);
	listdel(&d->sibling);
	ncached -= !listempty(&d->lru);
	listdel(&d->lru);
}

void
dname(struct dentry *d, struct inode *ip)
{
	int full = 0;

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

/* If it is remembered that there is no such name as d's, it no longer is.
 * nameslock held. */
static void
dropabsence(struct dentry *d)
{
	struct dentry *old = dfind(d->parent, d->name, d->len, d->hash);

	if (old == 0 || old->inode)
		return;
	forget(old);
	if (!atomicdectest(&old->ref))
		return; /* a lookup is about to see it and let go */
	atomicdectest(&old->parent->ref); /* d's own remains */
	dfree(old);
}

void
dgone(struct dentry *d)
{
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
			forget(d);
		release(&nameslock);
		if (!busy)
			dput(d);
	} while (!busy);
}

static struct dentry *
firstleaf(struct dentry *root)
{
	struct dentry *d = root;

	while (!listempty(&d->children))
		d = listitem(d->children.next, struct dentry, sibling);
	return d;
}

/* For reclaim: a name with its inode is about a tenth of a page. */
static uint
shrinkpages(uint pages)
{
	return (dcacheshrink(MIN(pages, 1u << 20) * 10) + 9) / 10;
}

/* See inode.h.  Names found since the last time are looked at again. */
uint
dcacheshrink(uint n)
{
	uint done = 0, looked = 0, most = 2 * ncached;

	while (done < n && looked < most)
		done += shrinksome(&looked);
	return done;
}

/* Look at some that the cache keeps, the longest kept first, and free those that
 * nobody uses or has found since the last time: how many. */
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
			forget(d);
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

	if (!listempty(&at->sibling))
		ddetach(at);
	else
		dropabsence(at);
	dunhash(d);
	listdel(&d->sibling);
	setname(d, at);
	at->parent = d->parent; /* each takes the other's reference */
	d->parent = parent;
	place(d);
}

void
dswap(struct dentry *a, struct dentry *b)
{
	struct dentry *parent = a->parent;

	dunhash(a);
	dunhash(b);
	listdel(&a->sibling);
	listdel(&b->sibling);
	setname(a, b);
	a->parent = b->parent;
	b->parent = parent;
	place(a);
	place(b);
}

/* It is found under its name, as the last of its parent's children. */
static void
place(struct dentry *d)
{
	dhash(d);
	d->cookie = ++d->parent->inode->cookies + 1; /* 0 and 1: . and .. */
	listadd(&d->parent->children, &d->sibling);
}

/* Exchange the names of two dentries. */
static void
setname(struct dentry *d, struct dentry *from)
{
	char shortname[sizeof(d->shortname)];
	char *dname = d->name == d->shortname ? from->shortname : d->name;
	char *fname = from->name == from->shortname ? d->shortname : from->name;
	uint hash = d->hash, len = d->len;

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

/* Built from the end of buf towards its start, then moved down. */
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

/* Where the running process's paths begin: to compare with, not to follow. */
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

/* The path of d from root: its length or -ERANGE.  nameslock held. */
static int
pathbelow(struct dentry *root, struct dentry *d, char *buf, uint n)
{
	char *s = buf + n;

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
			break; /* a root's name is empty, a pipe's all there is */
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

/* Put n bytes of s in front of end, not before start: where they begin, or 0
 * if there is no room (or end is 0 already). */
static char *
putback(char *end, const char *s, uint n, char *start)
{
	if (!end || (uint)(end - start) < n)
		return 0;
	return memcpy(end - n, s, n);
}

/* Most paths fit a small buffer, which is not page aligned; others get a page.
 */
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
