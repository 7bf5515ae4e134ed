/*
 * flock.c - locks on files: byte ranges of fcntl, whole files of flock.
 *
 * Each inode has a list of the locks that are held on it.  An owner's ranges
 * do not overlap: a new lock first cuts its range out of the owner's others.
 * One spinlock and one queue of waiters serve all files, since waiting for a
 * lock is rare.  Two owners that wait for each other wait until a signal comes.
 */
#include "kern/flock.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/dev/dev.h"
#include "kern/fs/inode.h"
#include "kern/sched.h"
#include "kern/signal/signal.h"
#include "kern/lib/text.h"

static struct spinlock flocklock; /* the locks of every inode */
static struct waitq flockq;       /* until some lock is given up */
static struct list held = {&held, &held}; /* all locks, newest first [lock] */

static struct filelock *inway(struct inode *ip, const struct filelock *want);
static void apply(struct inode *ip, const struct filelock *want,
	struct filelock *new, struct filelock *tail);
static int cut(struct filelock **lp, const struct filelock *want,
	struct filelock *tail);
static void add(struct inode *ip, struct filelock *l);
static void drop(struct filelock **lp);
static void showlock(struct text *, const char *prefix, int n,
	const struct filelock *);

void
flockinit(void)
{
	initlock(&flocklock, RANK_INODE);
	initwaitq(&flockq);
}

int
flockset(struct inode *ip, const struct filelock *want, int wait)
{
	struct filelock *new = kmalloc(sizeof(*new));
	struct filelock *tail = kmalloc(sizeof(*tail));
	int err = 0;

	if (!new || !tail) {
		kmfree(new);
		kmfree(tail);
		return -ENOLCK;
	}
	tail->owner = 0;
	new->owner = 0;
	acquire(&flocklock);
	while (!err && want->type != F_UNLCK && inway(ip, want))
		if (!wait)
			err = -EAGAIN;
		else if (sleepint(&flockq, &flocklock) < 0)
			err = -ERESTARTSYS;
	if (!err)
		apply(ip, want, new, tail);
	release(&flocklock);
	wakeup(&flockq);
	if (!new->owner || err)
		kmfree(new);
	if (!tail->owner || err)
		kmfree(tail);
	return err;
}

static struct filelock *
inway(struct inode *ip, const struct filelock *want)
{
	struct filelock *l;

	for (l = ip->locks; l; l = l->next)
		if (l->owner != want->owner && l->whole == want->whole &&
			(l->type == F_WRLCK || want->type == F_WRLCK) &&
			l->start <= want->end && want->start <= l->end)
			return l;
	return 0;
}

/* Nothing is in want's way.  new and tail get an owner if they are used. */
static void
apply(struct inode *ip, const struct filelock *want, struct filelock *new,
	struct filelock *tail)
{
	struct filelock **lp = &ip->locks;

	while (*lp)
		if (!cut(lp, want, tail))
			lp = &(*lp)->next;
	if (tail->owner)
		add(ip, tail);
	if (want->type != F_UNLCK) {
		*new = *want;
		add(ip, new);
	}
}

/* Cut want's range out of the lock *lp, if it is of the same owner: 1, it is
 * gone; 0, what is left is in *lp, and in tail if there are two pieces. */
static int
cut(struct filelock **lp, const struct filelock *want, struct filelock *tail)
{
	struct filelock *l = *lp;

	if (l->owner != want->owner || l->whole != want->whole ||
		l->start > want->end || l->end < want->start)
		return 0;
	if (l->start < want->start && l->end > want->end) {
		*tail = *l;
		tail->start = want->end + 1;
		l->end = want->start - 1;
	} else if (l->start < want->start) {
		l->end = want->start - 1;
	} else if (l->end > want->end) {
		l->start = want->end + 1;
	} else {
		drop(lp);
		return 1;
	}
	return 0;
}

static void
add(struct inode *ip, struct filelock *l)
{
	l->next = ip->locks;
	ip->locks = l;
	l->inode = ip;
	listadd(&held, &l->link);
}

static void
drop(struct filelock **lp)
{
	struct filelock *l = *lp;

	*lp = l->next;
	listdel(&l->link);
	kmfree(l);
}

int
flocktest(struct inode *ip, const struct filelock *want,
	struct filelock *found)
{
	struct filelock *l;

	acquire(&flocklock);
	l = inway(ip, want);
	if (l)
		*found = *l;
	release(&flocklock);
	return l != 0;
}

void
flockrelease(struct inode *ip, void *owner)
{
	struct filelock **lp = &ip->locks, *l;

	acquire(&flocklock);
	while ((l = *lp))
		if (l->owner == owner) {
			drop(lp);
		} else {
			lp = &l->next;
		}
	release(&flocklock);
	wakeup(&flockq);
}

void
flockshow(struct text *t, const char *prefix, struct inode *ip, int pid)
{
	struct filelock *l;
	int n = 0;

	acquire(&flocklock);
	listeach (l, &held, link)
		if ((ip == 0 || l->inode == ip) && (pid == 0 || l->pid == pid))
			showlock(t, prefix, ++n, l);
	release(&flocklock);
}

static void
showlock(struct text *t, const char *prefix, int n, const struct filelock *l)
{
	uint dev = l->inode->super->dev;

	putf(t, "%s%d: %s  ADVISORY  %s %d %02x:%02x:%llu %llu ", prefix, n,
		l->whole ? "FLOCK" : "POSIX",
		l->type == F_WRLCK ? "WRITE" : "READ ", l->pid, major(dev),
		minor(dev), (unsigned long long)l->inode->ino,
		(unsigned long long)l->start);
	if (l->whole || l->end >= INT64_MAX)
		putf(t, "EOF\n");
	else
		putf(t, "%llu\n", (unsigned long long)l->end);
}
