/*
 * spinlock.c - locks held for a few dozen instructions, with interrupts off;
 * and the counts of what locks cost, for /proc/lockstat.
 *
 * lk->owner is the holder's CPU id + 1, so a CPU that finds its own number
 * there would wait for itself.  Debug builds keep a list of the locks that each
 * CPU holds and who took them, and check that a lock is taken only above all of
 * them in rank, so that no two CPUs can each wait for a lock of the other's.
 * Rank 0 is not checked.  A panic prints the list.
 */
#include "kern/lock/lock.h"

#include "arch/cpu.h"
#include "arch/x86.h"
#include "arch/xcall.h"
#include "kern/panic.h"

#define barrier() __asm__ volatile("" : : : "memory")

#define NHELD 16 /* more than there are ranks to nest */

struct held { /* debug builds; only its own CPU uses it, with interrupts off */
	int n;
	struct heldlock {
		struct spinlock *lk;
		uint at[NCALLERS]; /* the functions that took it */
	} lock[NHELD];
};

struct count {
	uint taken, contended;
	uint64_t waited;
};

static struct held helds[NCPU];
static struct count counts[NCPU][2][NRANK]; /* [spinning, sleeping] */

static const char *const names[NRANK] = {
	[RANK_NONE] = "none", [RANK_TREE] = "tree", [RANK_FILES] = "files",
	[RANK_NAMES] = "names", [RANK_INODE] = "inode", [RANK_TTY] = "tty",
	[RANK_PIPE] = "pipe", [RANK_SOCKET] = "socket",
	[RANK_SIGNAL] = "signal", [RANK_PCACHE] = "pcache",
	[RANK_LRU] = "lru",
	[RANK_UVMLIST] = "uvm", [RANK_TABLE] = "table",
	[RANK_DISK] = "disk",
	[RANK_SLEEPQ] = "sleepq", [RANK_WAITQ] = "waitq",
	[RANK_EPOLL] = "epoll", [RANK_EPOLLQ] = "epollq",
	[RANK_TIMER] = "timer", [RANK_SCHED] = "sched", [RANK_SLAB] = "slab",
	[RANK_PAGES] = "pages", [RANK_LEAF] = "leaf",
};

#ifdef QUIRE_DEBUG
static void checkcli(void);
static void checkorder(struct spinlock *lk);
static void notefree(struct spinlock *lk);
#endif
static void noteheld(struct spinlock *lk, uint fp);

void
initlock(struct spinlock *lk, int rank)
{
	lk->owner = 0;
	lk->rank = rank;
}

#ifdef QUIRE_DEBUG
void
acquire(struct spinlock *lk)
{
	checkcli();
	pushcli();
	checkorder(lk);
	if (!cas16(&lk->owner, 0, mycpu()->id + 1))
		acquirebusy(lk);
	noteheld(lk, (uint)__builtin_frame_address(0));
}

void
release(struct spinlock *lk)
{
	if (!holding(lk))
		panic("release: rank %d is not held here", lk->rank);
	checkcli();
	notefree(lk);
	barrier();
	lk->owner = 0;
	popcli();
}
#endif

/* See lock.h.  Called with interrupts off. */
void
acquirebusy(struct spinlock *lk)
{
	struct cpu *c = mycpu();
	struct count *n = &counts[c->id][0][lk->rank];
	uint16_t me = c->id + 1;

	n->contended++;
	while (!cas16(&lk->owner, 0, me)) {
		if (lk->owner == me)
			panic("acquire: rank %d is held here already", lk->rank);
		while (lk->owner != 0) {
			cpurelax();
			n->waited++;
		}
	}
}

/* See lock.h.  The rank is not checked, for a CPU that does not wait cannot
 * take part in a deadlock. */
int
tryacquire(struct spinlock *lk)
{
	pushcli();
	if (!cas16(&lk->owner, 0, mycpu()->id + 1)) {
		popcli();
		return 0;
	}
	noteheld(lk, (uint)__builtin_frame_address(0));
	return 1;
}

/* See lock.h. */
int
holding(struct spinlock *lk)
{
	return lk->owner == mycpu()->id + 1;
}

#ifdef QUIRE_DEBUG
/* Panic if interrupts are on although this CPU is inside a pushcli(). */
static void
checkcli(void)
{
	if (!ncliszero() && readeflags() & FL_IF)
		panic("interrupts are on with a spinlock held");
}

/* Panic if this CPU holds a lock of the rank of lk or above.  Called with
 * interrupts off. */
static void
checkorder(struct spinlock *lk)
{
	struct held *h = &helds[mycpu()->id];
	int i;

	if (lk->rank == 0 || holding(lk)) /* acquirebusy() panics */
		return;
	for (i = 0; i < h->n; i++)
		if (h->lock[i].lk->rank >= lk->rank)
			panic("lock order: %s (rank %d) taken with %s held",
				names[lk->rank], lk->rank,
				names[h->lock[i].lk->rank]);
}

/* Note that this CPU holds lk, and who took it: fp is the frame pointer of
 * acquire() or tryacquire().  Called with lk held. */
static void
noteheld(struct spinlock *lk, uint fp)
{
	int id = mycpu()->id;
	struct held *h = &helds[id];

	assert(h->n < NHELD);
	h->lock[h->n].lk = lk;
	callers(fp, h->lock[h->n].at);
	h->n++;
	counts[id][0][lk->rank].taken++;
}

/* Forget that this CPU holds lk.  Called with lk still held. */
static void
notefree(struct spinlock *lk)
{
	struct held *h = &helds[mycpu()->id];
	int i = h->n - 1;

	while (h->lock[i].lk != lk) /* mostly the last one */
		i--;
	for (h->n--; i < h->n; i++)
		h->lock[i] = h->lock[i + 1];
}
#else
/* Release builds do not note which locks are held. */
static void
noteheld(struct spinlock *lk, uint fp)
{
	(void)lk;
	(void)fp;
}
#endif

/* See lock.h. */
const char *
heldlock(int i, uint at[NCALLERS])
{
	struct held *h = &helds[mycpu()->id];
	int k;

	if (i >= h->n)
		return 0;
	for (k = 0; k < NCALLERS; k++)
		at[k] = h->lock[i].at[k];
	return names[h->lock[i].lk->rank];
}

/* See lock.h. */
const char *
lockname(int rank)
{
	return names[rank];
}

/* See lock.h. */
void
sleepcount(int rank, int64_t ns)
{
	struct count *n;

	pushcli();
	n = &counts[mycpu()->id][1][rank];
	n->taken++;
	n->contended += ns > 0;
	n->waited += ns;
	popcli();
}

/* See lock.h. */
int
lockstat(int i, struct lockstat *s)
{
	struct count *n;
	int c;

	if (i >= 2 * NRANK)
		return 0;
	*s = (struct lockstat){.name = names[i % NRANK], .sleeps = i / NRANK};
	for (c = 0; c < ncpu; c++) {
		n = &counts[c][i / NRANK][i % NRANK];
		s->taken += n->taken;
		s->contended += n->contended;
		s->waited += n->waited;
	}
	return 1;
}
