/*
 * flush.c - what file systems on disk have to write, and who writes it.
 *
 *  1. An inode whose fields or pages have changed is on its super's list of
 *     dirty inodes, which holds a reference, so no inode is freed with something
 *     to be written, unless it has no name left.
 *  2. Whoever writes it takes it off the list first and clears what it is dirty
 *     with: what changes meanwhile puts it there again.  fdatasync leaves it there,
 *     as its times are still to be written.
 *  3. Who takes inodes off the list of a whole super holds its flushlock until
 *     they are on the disk; so who gets the lock and finds the list empty knows
 *     that all has been written.
 *
 * The flusher looks every second: inodes dirty for five seconds are written, all
 * of them when memory is full of dirty pages, and then the metadata.
 */
#include "kern/fs/inode.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/time.h"
#include "kern/blk/blk.h"
#include "kern/panic.h"
#include "kern/lib/printf.h"
#include "kern/proc.h"
#include "kern/sched.h"

#define EVERY  ((int64_t)vmtune.dirtyevery * (NSEC / 100))
#define OLD    ((int64_t)vmtune.dirtyold * (NSEC / 100))
#define NBATCH 32 /* inodes whose pages are on their way together */

static struct spinlock dirtylock = {.rank = RANK_INODE};
static struct list supers = {&supers, &supers}; /* [dirtylock] */
static struct waitq flushed; /* some inode has been written */

static void flusher(void *arg);
static struct super *nextsuper(struct super *s);
static int writeold(struct super *s, int64_t before);
static int takeold(struct super *s, int64_t before, struct inode **batch);
static void done(struct inode *ip);
static void undirty(struct inode *ip);
static int startpages(struct inode *ip);
static void flushold(struct super *s, int64_t before, int metadata);
static int writeinode(struct inode *ip, int data);

void
flushinit(void)
{
	initwaitq(&flushed);
	if (!kthread("flush", flusher, 0))
		panic("no memory for the flusher");
}

static void
flusher(void *arg)
{
	int64_t next = 0, now;
	struct super *s;
	int all;

	(void)arg;
	for (;;) {
		all = dirtysleep(nowns() + EVERY);
		now = nowns();
		for (s = nextsuper(0); s; s = nextsuper(s))
			flushold(s, all ? now : now - OLD, all || now >= next);
		if (all || now >= next)
			blksync(0);
		if (now >= next)
			next = now + OLD;
		reapmounts();
	}
}

static void
flushold(struct super *s, int64_t before, int metadata)
{
	acquiresleep(&s->flushlock);
	if (!s->gone) {
		writeold(s, before);
		if (metadata && s->ops->sync)
			s->ops->sync(s, 0);
	}
	releasesleep(&s->flushlock);
}

void
flushadd(struct super *s)
{
	acquire(&dirtylock);
	listadd(&supers, &s->flushlink);
	release(&dirtylock);
}

void
flushdel(struct super *s)
{
	acquiresleep(&s->flushlock);
	s->gone = 1;
	acquire(&dirtylock);
	listdel(&s->flushlink);
	release(&dirtylock);
	releasesleep(&s->flushlock);
}

/* The super behind s (0: the first one), referenced, s no longer; or 0. */
static struct super *
nextsuper(struct super *s)
{
	struct list *l;
	struct super *next = 0;

	acquire(&dirtylock);
	l = s ? s->flushlink.next : supers.next;
	if (l != &supers && (!s || l != &s->flushlink)) {
		next = listitem(l, struct super, flushlink);
		atomicinc(&next->ref);
	}
	release(&dirtylock);
	if (s)
		superput(s);
	return next;
}

void
idirty(struct inode *ip, uint what)
{
	struct super *s = ip->super;

	if (!s->ops || !s->ops->writeinode || ip->ref == 0)
		return;
	acquire(&dirtylock);
	if (!ip->dirty) {
		iget(ip);
		ip->dirtied = nowns();
		listadd(&s->dirty, &ip->dirtylink);
	}
	ip->dirty |= what;
	release(&dirtylock);
}

/* Who writes it already is waited for, with nothing more to write. */
void
iclean(struct inode *ip)
{
	int busy;

	acquire(&dirtylock);
	if (ip->dirty && ip->ref == 2 + ip->flushing) {
		undirty(ip);
		decunlesslast(&ip->ref);
	}
	busy = ip->flushing && ip->ref == 2;
	release(&dirtylock);
	if (!busy)
		return;
	if (ip->pages)
		pcachetruncate(ip->pages, 0);
	acquire(&dirtylock);
	while (ip->flushing)
		sleep(&flushed, &dirtylock);
	release(&dirtylock);
}

/* dirtylock held; the list's reference is the caller's now. */
static void
undirty(struct inode *ip)
{
	ip->dirty = 0;
	listdel(&ip->dirtylink);
}

/* Write the inodes of s that became dirty before that time: 0 or the first error.
 * flushlock held. */
static int
writeold(struct super *s, int64_t before)
{
	struct inode *batch[NBATCH];
	int i, n, err = 0, e;

	while ((n = takeold(s, before, batch)) > 0) {
		for (i = 0; i < n; i++)
			startpages(batch[i]);
		for (i = 0; i < n; i++) {
			if ((e = writeinode(batch[i], 0)) < 0 && !err)
				err = e;
			done(batch[i]);
		}
	}
	return err;
}

/* Let go of an inode, before who waits for that in iclean(). */
static void
done(struct inode *ip)
{
	int more;

	acquire(&dirtylock);
	ip->flushing = 0;
	more = decunlesslast(&ip->ref);
	wakeup(&flushed);
	release(&dirtylock);
	if (!more)
		iput(ip);
}

/* Take the longest dirty ones off the list: how many. */
static int
takeold(struct super *s, int64_t before, struct inode **batch)
{
	struct inode *ip;
	int n = 0;

	acquire(&dirtylock);
	while (n < NBATCH && !listempty(&s->dirty)) {
		ip = listitem(s->dirty.next, struct inode, dirtylink);
		if (ip->dirtied > before)
			break;
		undirty(ip);
		ip->flushing = 1;
		batch[n++] = ip;
	}
	release(&dirtylock);
	return n;
}

static int
startpages(struct inode *ip)
{
	return ip->pages && ip->nlink ?
		pcachewriteback(ip->pages, 0, UINT64_MAX, 0) : 0;
}

/* Write pages and fields (data: those that find the pages), and wait for the
 * pages. */
static int
writeinode(struct inode *ip, int data)
{
	int err = 0, e;

	if (ip->pages)
		err = pcachewriteback(ip->pages, 0, UINT64_MAX, 1);
	if (ip->pages && pcachedirty(ip->pages))
		idirty(ip, IDIRTY_PAGES); /* it was never clean: see dirtied */
	e = ip->super->ops->writeinode(ip, data);
	return err < 0 ? err : e;
}

int
iwrite(struct inode *ip)
{
	int listed, err;

	acquire(&dirtylock);
	listed = ip->dirty;
	undirty(ip);
	release(&dirtylock);
	err = writeinode(ip, 0);
	if (listed)
		iput(ip);
	return err;
}

int
syncfile(struct file *f, int data)
{
	struct inode *ip = f->inode;
	const struct superops *ops = ip->super->ops;
	int err, e;

	if (!ops || !ops->writeinode)
		return 0;
	err = data ? writeinode(ip, 1) : iwrite(ip);
	if (ops->sync && (e = ops->sync(ip->super, 1)) < 0 && !err)
		err = e;
	e = ip->pages ? pcacheerror(ip->pages, &f->wberr) : 0;
	return e < 0 ? e : err;
}

int
syncsuper(struct super *s, int wait)
{
	int err = 0, e;

	if (!s->ops || listempty(&s->flushlink)) /* none: of pipes and such */
		return 0;
	acquiresleep(&s->flushlock);
	if (!s->gone) {
		err = writeold(s, nowns());
		if (s->ops->sync && (e = s->ops->sync(s, wait)) < 0 && !err)
			err = e;
	}
	releasesleep(&s->flushlock);
	return err;
}

void
superfailed(struct pcache *pc, int err)
{
	struct super *s = ((struct inode *)pcachehost(pc))->super;

	s->err = err;
	xadd(&s->nerr, 1);
}

void
syncall(int wait)
{
	struct super *s;
	int err;

	for (s = nextsuper(0); s; s = nextsuper(s))
		if ((err = syncsuper(s, wait)) < 0)
			printf("sync: %s: error %d\n", s->source, -err);
	blksync(wait);
}
