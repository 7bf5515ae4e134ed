/*
 * pcache.c - the page cache: the pages of a file, found by their index.
 *
 * read() and write() copy from and to the very pages that mappings and exec
 * show.  A file on a disk (backed()) reads its pages when they are asked for
 * (readahead.c), writes them some time after they were changed (writeback.c)
 * and may lose those that are like the disk's at any time (reclaim.c).  A file
 * that is only in memory keeps its pages here and nowhere else.
 *
 *    process 1               process 2
 *    uvm                     uvm
 *     | vmas[]                | vmas[]
 *    vma --------+           vma --------+     [start, end), pgoff, prot
 *     |      obj |            |      obj |     both are on pcache->maps, which
 *     |          |            |          |     objmap.c walks
 *     |          +--> pcache <-----------+
 *     |           host|  | root (pctree.c)     inode->pages is this pcache
 *     |         inode-+  |
 *     |                  +-- index 0 --> page     ref 2: the tree, one slot
 *     |                  +-- index 1 --> page     ref 1: the tree alone
 *     |                  +-- index 7 --> page     ref 3: the tree, two slots
 *     |                                   ^ ^
 *    slot of va ---- page table 1 --------+ |     index = pgoff of the vma
 *                    slot of va, table 2 ---+           + (va - start) / PGSIZE
 *
 * Invariants: at most one cached page per (file, index).  The tree holds one
 * reference to each.  Pages beyond the size are not in the tree, except those
 * on their way to or from the disk while the file shrinks.  A page in the tree
 * is whole (PGF_UPTODATE) or being read (PGF_BUSY).  A page that is being read
 * or written stays in the tree.  Bytes of the last page beyond the size are
 * zero, except what mappings stored there; before the file grows over these
 * bytes they are zeroed.
 *
 * pcache->lock is a spinlock, so a page is made and filled without it, and put
 * in the tree afterwards unless somebody else was faster.
 *
 * One process at a time writes or changes the size (it holds the inode's lock).
 * Reads and faults go on meanwhile, and read the size without a lock (sizeseq).
 */
#include "mm/vm.h"
#include "kern/file.h"

#define ROOM (64 << 10) /* bytes for which room on the disk is asked at once */

struct list pclist;
struct spinlock pclistlock;

static struct slabcache *pccache;
static struct readahead onepage = {.mode = RA_RANDOM}; /* no read-ahead */

static int bringwait(struct pcache *, uint index, struct readahead *, uint want,
	struct page **);
static struct page *blankpage(void);
static struct page *newpage(void);
static int findroom(struct pcache *, uint64_t off, uint n, uint left,
	uint64_t *room);
static int writechunk(struct pcache *, struct uio *, uint64_t off, uint n);
static int writenew(struct pcache *, struct uio *, uint64_t off, uint n);
static int putbytes(struct pcache *, uint64_t off, const char *from, uint n);
static int pagewrote(struct pcache *, struct page *, uint64_t end);

/* Boot: the caches and locks of all files that deal with page caches. */
void
pcacheinit(void)
{
	listinit(&pclist);
	initlock(&pclistlock, RANK_FILES);
	pccache = slabcreate("pcache", sizeof(struct pcache), 8);
	treeinit();
	pcioinit();
	lruinit();
	writebackinit();
}

/* See mm.h. */
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

/* See mm.h. */
struct pcache *
pcacheref(struct pcache *pc)
{
	atomicinc(&pc->ref);
	return pc;
}

/* See mm.h. */
void
pcachefree(struct pcache *pc)
{
	if (!atomicdectest(&pc->ref))
		return;
	acquire(&pclistlock);
	listdel(&pc->link);
	release(&pclistlock);
	cutfrom(pc, 0);
	slabfree(pccache, pc);
}

/* See mm.h. */
void
pcachegone(struct pcache *pc)
{
	acquire(&pc->lock);
	setsize(pc, 0);
	release(&pc->lock);
	cutfrom(pc, 0);
	pc->ops = 0;
}

/* See mm.h. */
void *
pcachehost(struct pcache *pc)
{
	return pc->host;
}

/* See mm.h.  The size is 64 bits wide and cannot be read in one instruction: an
 * odd sizeseq, or one that differs afterwards, means that somebody changed the
 * size meanwhile.  The writer holds pc->lock with interrupts off, so a reader
 * never waits for a writer that it has itself interrupted. */
uint64_t
pcachesize(struct pcache *pc)
{
	uint64_t size;
	uint seq;

	do {
		while ((seq = pc->sizeseq) & 1)
			pause();
		size = pc->size;
	} while (pc->sizeseq != seq);
	return size;
}

/* See vm.h. */
void
setsize(struct pcache *pc, uint64_t size)
{
	lockassert(holding(&pc->lock));
	pc->sizeseq++;
	pc->size = size;
	pc->sizeseq++;
}

/* See mm.h. */
uint
pcachepages(struct pcache *pc)
{
	return pc->npages;
}

/* See mm.h. */
uint
pcachedirty(struct pcache *pc)
{
	return pc->ndirty;
}

/* See mm.h. */
int
pcachecached(struct pcache *pc, uint index)
{
	struct page *pg;
	int r;

	acquire(&pc->lock);
	pg = treeget(pc, index);
	r = pg && (pg->flags & PGF_UPTODATE);
	release(&pc->lock);
	return r;
}

/* See vm.h.  A page that was put there by read-ahead and is not wanted yet
 * counts as unused. */
struct page *
pagefind(struct pcache *pc, uint index)
{
	struct page *pg;

	acquire(&pc->lock);
	pg = treeget(pc, index);
	if (pg) {
		getpage(pg);
		if ((pg->flags & (PGF_UPTODATE | PGF_READAHEAD)) ==
			PGF_UPTODATE)
			pg->flags |= pg->flags & PGF_TOUCHED ? PGF_REFERENCED
							     : PGF_TOUCHED;
	}
	release(&pc->lock);
	return pg;
}

/* See vm.h. */
void
pcachenear(struct pcache *pc, uint index, uint n, struct page *out[])
{
	uint64_t size = pcachesize(pc);

	acquire(&pc->lock);
	for (uint i = 0; i < n; i++) {
		struct page *pg = treeget(pc, index + i);

		if (pg && ((pg->flags & (PGF_UPTODATE | PGF_READAHEAD)) !=
				PGF_UPTODATE ||
				(uint64_t)(index + i) << PGSHIFT >= size))
			pg = 0;
		out[i] = pg ? getpage(pg) : 0;
	}
	release(&pc->lock);
}

/* See vm.h. */
int
pcacheget(struct pcache *pc, uint index, struct readahead *ra,
	struct page **pgp)
{
	struct page *pg;
	int err;

	lockassert(nospinlocks());
	for (;;) {
		if ((uint64_t)index << PGSHIFT >= pcachesize(pc))
			return -EIO;
		if (backed(pc))
			return pagebring(pc, index, ra, 0, pgp);
		if ((*pgp = pagefind(pc, index)))
			return 0;
		if ((pg = blankpage()) == 0)
			return -ENOMEM;
		getpage(pg); /* the tree's */
		*pgp = pg;
		err = pageinsert(pc, index, pg, 0);
		if (err == 0)
			return 0;
		putpage(pg);
		putpage(pg);
		if (err != -EEXIST) /* else use the other page */
			return err;
	}
}

/* See vm.h.  A page that leaves the tree while we wait belongs to a run that
 * failed, perhaps for another page's sake: so this page is tried once more,
 * alone, and only when that fails the error is the caller's. */
int
pagebring(struct pcache *pc, uint index, struct readahead *ra, uint want,
	struct page **pgp)
{
	int major = 0, alone = 0, mine, err = 0;
	struct page *pg;

	lockassert(nospinlocks());
	for (;;) {
		pg = pagefind(pc, index);
		mine = 0;
		if (pg == 0) {
			err = readmissing(pc, index, alone ? 0 : ra,
				alone ? 1 : want, &pg);
			mine = alone && pg;
			major = pg != 0; /* even if it has arrived by now */
		}
		if (pg == 0 && err == -EEXIST)
			continue;
		if (pg == 0)
			return err;
		if (pg->flags & PGF_READAHEAD) /* while this one is awaited */
			readnext(pc, pg, ra);
		if (!(pg->flags & PGF_UPTODATE)) {
			pagewait(pc, pg, PGF_BUSY);
			major = 1;
		}
		if (pg->flags & PGF_UPTODATE)
			break;
		putpage(pg);
		if (mine)
			return -EIO;
		alone = 1;
	}
	*pgp = pg;
	return major;
}

/* A new page of zeroes for a file, with one reference; 0: no memory. */
static struct page *
blankpage(void)
{
	struct page *pg = allocpage(PG_CACHED);

	if (pg) {
		pg->flags = PGF_UPTODATE;
		stosl(pagekva(pg), 0, PGSIZE / 4);
	}
	return pg;
}

/* See vm.h. */
int
pageinsert(struct pcache *pc, uint index, struct page *pg, uint64_t end)
{
	int err;

	acquire(&pc->lock);
	if ((uint64_t)index << PGSHIFT >= MAX(end, pc->size))
		err = -EIO;
	else
		err = treeput(pc, index, pg);
	if (err == 0) {
		pg->pcache = pc;
		pg->index = index;
		if (end > pc->size)
			setsize(pc, end);
		if (backed(pc))
			lruadd(pg);
	}
	release(&pc->lock);
	return err;
}

/* See vm.h. */
void
pageremove(struct pcache *pc, struct page *pg)
{
	lockassert(holding(&pc->lock));
	pageclean(pc, pg);
	lrudel(pg);
	treecut(pc, pg->index);
	pg->flags &= ~PGF_UPTODATE;
}

/* See vm.h.  Where the disk has no room for the rest of the page (-ENOSPC), the
 * page is written at once: only a page that stays dirty must have room for all
 * its bytes. */
int
zerotail(struct pcache *pc, uint64_t end)
{
	uint64_t size = pcachesize(pc), room;
	uint tail = size % PGSIZE;
	struct page *pg;
	int err;

	if (tail == 0 || !backed(pc))
		return 0;
	err = bringwait(pc, size >> PGSHIFT, &onepage, 1, &pg);
	if (err < 0)
		return err;
	end = MIN(end, size - tail + PGSIZE);
	err = findroom(pc, size, end - size, end - size, &room);
	if (err == 0 || err == -ENOSPC) {
		memset((char *)pagekva(pg) + tail, 0, PGSIZE - tail);
		pagewrote(pc, pg, 0);
	}
	putpage(pg);
	if (err == -ENOSPC)
		err = pcachewriteback(pc, size - tail, end, 1);
	return err;
}

/* pagebring() for system calls, which hold no uvm->lock: when there is no
 * memory and ra is not 0, wait until some has been freed, and try again.
 * Returns what pagebring() does. */
static int
bringwait(struct pcache *pc, uint index, struct readahead *ra, uint want,
	struct page **pgp)
{
	int err;

	do
		err = pagebring(pc, index, ra, want, pgp);
	while (err == -ENOMEM && ra && reclaimwait());
	return err;
}

/* See mm.h.  Each page is pinned, not locked, while it is copied: the copy may
 * fault on a mapping of this very file. */
int
pcacheread(struct pcache *pc, struct uio *u, uint64_t off,
	struct readahead *ra)
{
	uint64_t size = pcachesize(pc);
	uint n, index, before = u->n;
	struct page *pg;
	int err = 0;

	lockassert(nospinlocks());
	while (u->n > 0 && off < size && err >= 0) {
		index = off >> PGSHIFT;
		n = MIN(u->n, PGSIZE - (uint)off % PGSIZE);
		n = MIN(n, size - off);
		pg = pagefind(pc, index);
		if (backed(pc) && (pg == 0 ||
			(pg->flags & (PGF_UPTODATE | PGF_READAHEAD)) !=
				PGF_UPTODATE)) {
			if (pg)
				putpage(pg);
			pg = 0;
			err = bringwait(pc, index, ra, (MIN(u->n, size - off) +
				off % PGSIZE + PGSIZE - 1) >> PGSHIFT, &pg);
			if (err < 0)
				break;
		}
		if (pg) {
			err = uioput(u, (char *)pagekva(pg) + off % PGSIZE, n);
			putpage(pg);
		} else {
			err = uiozero(u, n);
		}
		off += n;
		if (ra)
			ra->next = index + 1;
	}
	return before != u->n ? (int)(before - u->n) : MIN(err, 0);
}

/* See mm.h. */
int
pcachewrite(struct pcache *pc, struct uio *u, uint64_t off)
{
	uint n, before = u->n;
	uint64_t room = 0;
	int err = 0;

	lockassert(nospinlocks());
	if (off > pcachesize(pc) && off < MAXBYTES && u->n > 0)
		err = zerotail(pc, off);
	for (; u->n > 0 && err == 0; off += n) {
		n = MIN(u->n, PGSIZE - (uint)off % PGSIZE);
		if (off + n > room) {
			if (backed(pc))
				dirtythrottle(pc);
			err = findroom(pc, off, n, u->n, &room);
		}
		if (err == 0)
			err = writechunk(pc, u, off, n);
	}
	return before != u->n ? (int)(before - u->n) : err;
}

/* Find room on the disk for n bytes at off, which are in one page, and if there
 * is some for more of the `left` bytes that this call is to write.  *room
 * becomes the offset where the room ends.  0, or -EFBIG (beyond MAXBYTES) and
 * the errors of pcacheops.reserve. */
static int
findroom(struct pcache *pc, uint64_t off, uint n, uint left, uint64_t *room)
{
	uint64_t end = MIN(off + left, (off | (ROOM - 1)) + 1);
	int err;

	if (off + n > MAXBYTES)
		return -EFBIG;
	*room = end;
	if (!backed(pc) || !pc->ops->reserve)
		return 0;
	err = pc->ops->reserve(pc, off, end);
	if (err == -ENOSPC && end > off + n) {
		*room = off + n;
		err = pc->ops->reserve(pc, off, off + n);
	}
	return err;
}

/* Write n bytes from u at off, all in one page.  A page that is not cached is
 * read first only if some of its old bytes stay.  u moves on by what was
 * copied; 0 or -errno. */
static int
writechunk(struct pcache *pc, struct uio *u, uint64_t off, uint n)
{
	uint index = off >> PGSHIFT, start = off % PGSIZE, got;
	uint64_t size = pcachesize(pc);
	struct page *pg = pagefind(pc, index);
	int err = 0;

	if (pg == 0 && (!backed(pc) || off - start >= size ||
			(start == 0 && (n == PGSIZE || off + n >= size))))
		return writenew(pc, u, off, n);
	if (pg == 0 || !(pg->flags & PGF_UPTODATE)) {
		if (pg)
			putpage(pg);
		if ((err = bringwait(pc, index, &onepage, 1, &pg)) < 0)
			return err;
	}
	got = u->n;
	err = uioget(u, (char *)pagekva(pg) + start, n);
	got -= u->n;
	if (got > 0)
		pagewrote(pc, pg, off + got);
	putpage(pg);
	return err;
}

/* Write n bytes from u at off into a new page, where none is cached.  Nobody
 * sees the page before it is whole; the size grows when it enters the tree.  If
 * another page got there first (-EEXIST), or the copy stopped early and the
 * file has old bytes behind it, putbytes() does the rest.  As writechunk(). */
static int
writenew(struct pcache *pc, struct uio *u, uint64_t off, uint n)
{
	uint start = off % PGSIZE, got = u->n;
	struct page *pg = newpage();
	char *kva;
	int err, bad;

	if (pg == 0)
		return -ENOMEM;
	kva = pagekva(pg);
	if (n < PGSIZE)
		stosl(kva, 0, PGSIZE / 4);
	err = uioget(u, kva + start, n);
	got -= u->n;
	bad = got == 0;
	if (bad == 0 && got < n && off < pcachesize(pc))
		bad = -EEXIST;
	if (bad == 0) {
		memset(kva + start + got, 0, n - got);
		bad = pageinsert(pc, off >> PGSHIFT, getpage(pg), off + got);
		if (bad == 0)
			pagewrote(pc, pg, 0);
		else
			putpage(pg);
	}
	if (bad == -EEXIST)
		bad = putbytes(pc, off, kva + start, got);
	putpage(pg);
	if (bad < 0) { /* as if it had not been tried */
		u->addr -= got;
		u->n += got;
		err = bad;
	}
	return err;
}

/* A new page for a file, whole in name but with undefined bytes; 0: no memory.
 * No uvm->lock held: waits for memory as long as some may come. */
static struct page *
newpage(void)
{
	struct page *pg;

	while ((pg = allocpage(PG_CACHED)) == 0 && reclaimwait())
		;
	if (pg)
		pg->flags = PGF_UPTODATE;
	return pg;
}

/* Copy n bytes from kernel memory to off, all in one page, which is made or
 * read if it is not cached.  0, -EIO (the file ends before this page),
 * -ENOMEM. */
static int
putbytes(struct pcache *pc, uint64_t off, const char *from, uint n)
{
	struct page *pg;
	int err;

	if (off - off % PGSIZE >= pcachesize(pc))
		return -EIO;
	err = backed(pc) ? bringwait(pc, off >> PGSHIFT, &onepage, 1, &pg)
			 : pcacheget(pc, off >> PGSHIFT, 0, &pg);
	if (err < 0)
		return err;
	memcpy((char *)pagekva(pg) + off % PGSIZE, from, n);
	pagewrote(pc, pg, off + n);
	putpage(pg);
	return 0;
}

/* Bytes of the page have been changed: it is dirty, if the file has a disk, and
 * the file reaches to end at least (0: no change).  0, or -EIO: the page was
 * cut off meanwhile.  Takes pc->lock, and calls the host without it. */
static int
pagewrote(struct pcache *pc, struct page *pg, uint64_t end)
{
	int clean = 0, first = 0, err = 0;

	acquire(&pc->lock);
	if (end > pc->size)
		setsize(pc, end);
	if (!(pg->flags & PGF_UPTODATE)) {
		err = -EIO;
	} else if (backed(pc)) {
		clean = !(pg->flags & PGF_DIRTY);
		first = pagedirty(pc, pg);
	}
	release(&pc->lock);
	if (clean && pc->ops->charge)
		pc->ops->charge(PGSIZE);
	if (first && pc->ops->dirtied)
		pc->ops->dirtied(pc);
	return err;
}

/* See vm.h.  A page that is dirty has its room already.  If it becomes clean at
 * this moment, because somebody starts to write it, that one waits for our
 * uvm->lock before the page goes to the disk (objclean), so the store is not
 * lost. */
int
pcachemkwrite(struct pcache *pc, uint index, struct page *pg)
{
	uint64_t base = (uint64_t)index << PGSHIFT, size = pcachesize(pc);
	int err = 0;

	lockassert(nospinlocks());
	if (!backed(pc) || (pg->flags & PGF_DIRTY))
		return 0;
	if (base >= size)
		return -EIO;
	if (pc->ops->reserve)
		err = pc->ops->reserve(pc, base, MIN(base + PGSIZE, size));
	return err < 0 ? err : pagewrote(pc, pg, 0);
}

/* See mm.h. */
int64_t
pcacheseek(struct pcache *pc, uint64_t off, int hole)
{
	uint index = off >> PGSHIFT, found;
	uint64_t size = pcachesize(pc);
	struct page *pg;

	if (off >= size)
		return -ENXIO;
	acquire(&pc->lock);
	if (hole) {
		for (found = index; treeget(pc, found); found++)
			;
	} else {
		pg = treenext(pc, index, TREE_ANY);
		found = pg ? pg->index : MAXINDEX;
	}
	release(&pc->lock);
	if (found == index)
		return off;
	off = (uint64_t)found << PGSHIFT;
	if (off < size)
		return off;
	return hole ? (int64_t)size : -ENXIO;
}
