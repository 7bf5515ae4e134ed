/*
 * flush.c - what file systems on disk have to write, and what writes it.
 *
 *  1. An inode whose fields or pages have changed is on its super's list of
 *     dirty inodes.  The list has a reference, so no inode is freed with
 *     something to be written, unless it has no name left.
 *  2. A process that writes an inode takes it off the list first and clears
 *     ip->dirty: a change meanwhile puts it there again.  fdatasync leaves the
 *     inode on the list, as its times are still to be written.
 *  3. A process that takes inodes off the list of a whole super holds the
 *     super's flushlock until they are on the disk.  So one that gets the lock
 *     and finds the list empty knows that all has been written.
 *
 * The flusher is a kernel thread that looks every dirtyevery hundredths of a
 * second (/proc/sys/vm/dirty_writeback_centisecs).  It writes inodes that have
 * been dirty for dirtyold hundredths, all inodes when memory is full of dirty
 * pages, and then the metadata.
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

#define EVERY  ((int64_t)vmtune.dirtyevery * (NSEC / 100)) /* ns */
#define OLD    ((int64_t)vmtune.dirtyold * (NSEC / 100))   /* ns */
#define NBATCH 32 /* inodes whose pages are on their way together */

static struct spinlock dirtylock = {.rank = RANK_INODE};
static struct list supers = {&supers, &supers}; /* [dirtylock] */
static struct waitq flushed; /* ip->flushing of some inode is 0 now */

static void flusher(void *arg);
static struct super *nexttoflush(struct super *s);
static int writeold(struct super *s, int64_t before);
static int takeold(struct super *s, int64_t before, struct inode **batch);
static void flushdone(struct inode *ip);
static void offlist(struct inode *ip);
static int startpages(struct inode *ip);
static void flushold(struct super *s, int64_t before, int metadata);
static int writeone(struct inode *ip, int data);

void
flushinit(void)
{
	initwaitq(&flushed);
	if (!kthread("flush", flusher, 0))
		panic("no memory for the flusher");
}

/* The flusher thread. */
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
		for (s = nexttoflush(0); s; s = nexttoflush(s))
			flushold(s, all ? now : now - OLD, all || now >= next);
		if (all || now >= next)
			blksync(0);
		if (now >= next)
			next = now + OLD;
		reapmounts();
	}
}

/* Write the inodes of s that became dirty before that time (nowns()), and with
 * metadata the buffers of the disk.  Errors are kept for fsync. */
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

/* The super behind s in the list, referenced; with s 0 the first one; or 0.
 * Drops the reference to s. */
static struct super *
nexttoflush(struct super *s)
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

/* If the flusher writes the inode now, wait for it, after its pages are cut
 * off so that there is little to write. */
void
iclean(struct inode *ip)
{
	int busy;

	acquire(&dirtylock);
	if (ip->dirty && ip->ref == 2 + ip->flushing) {
		offlist(ip);
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

/* Take ip off its super's list; the list's reference passes to the caller.
 * Called with dirtylock held. */
static void
offlist(struct inode *ip)
{
	lockassert(holding(&dirtylock));
	ip->dirty = 0;
	listdel(&ip->dirtylink);
}

/* Write the inodes of s that became dirty before that time (nowns()): 0 or the
 * first error.  Called with s->flushlock held. */
static int
writeold(struct super *s, int64_t before)
{
	struct inode *batch[NBATCH];
	int i, n, err = 0, e;

	lockassert(holdingsleep(&s->flushlock));
	while ((n = takeold(s, before, batch)) > 0) {
		for (i = 0; i < n; i++)
			startpages(batch[i]);
		for (i = 0; i < n; i++) {
			if ((e = writeone(batch[i], 0)) < 0 && !err)
				err = e;
			flushdone(batch[i]);
		}
	}
	return err;
}

/* The flusher has written ip: drop its reference, waking those that wait in
 * iclean().  That happens under dirtylock, so that the process in iclean() has
 * the last one. */
static void
flushdone(struct inode *ip)
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

/* Take up to NBATCH inodes that became dirty before that time off the list,
 * those dirty longest first: how many.  Called with s->flushlock held. */
static int
takeold(struct super *s, int64_t before, struct inode **batch)
{
	struct inode *ip;
	int n = 0;

	lockassert(holdingsleep(&s->flushlock));
	acquire(&dirtylock);
	while (n < NBATCH && !listempty(&s->dirty)) {
		ip = listitem(s->dirty.next, struct inode, dirtylink);
		if (ip->dirtied > before)
			break;
		offlist(ip);
		ip->flushing = 1;
		batch[n++] = ip;
	}
	release(&dirtylock);
	return n;
}

/* Start to write the dirty pages of the file; do not wait.  0 or -errno. */
static int
startpages(struct inode *ip)
{
	return ip->pages && ip->nlink ?
		pcachewriteback(ip->pages, 0, UINT64_MAX, 0) : 0;
}

/* Write the pages and fields of one inode (with data only the fields that find
 * the pages), and wait for the pages: 0 or the first error. */
static int
writeone(struct inode *ip, int data)
{
	int err = 0, e;

	if (ip->pages)
		err = pcachewriteback(ip->pages, 0, UINT64_MAX, 1);
	if (ip->pages && pcachedirty(ip->pages))
		idirty(ip, IDIRTY_PAGES); /* no dirtied(): it was not clean */
	e = ip->super->ops->writeinode(ip, data);
	return err < 0 ? err : e;
}

int
iwrite(struct inode *ip)
{
	int listed, err;

	acquire(&dirtylock);
	listed = ip->dirty;
	offlist(ip);
	release(&dirtylock);
	err = writeone(ip, 0);
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
	err = data ? writeone(ip, 1) : iwrite(ip);
	if (ops->sync && (e = ops->sync(ip->super, 1)) < 0 && !err)
		err = e;
	e = ip->pages ? pcacheerror(ip->pages, &f->wberr) : 0;
	return e < 0 ? e : err;
}

int
syncsuper(struct super *s, int wait)
{
	int err = 0, e;

	if (!s->ops || listempty(&s->flushlink)) /* not on a disk */
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

	for (s = nexttoflush(0); s; s = nexttoflush(s))
		if ((err = syncsuper(s, wait)) < 0)
			printf("sync: %s: error %d\n", s->source, -err);
	blksync(wait);
}
