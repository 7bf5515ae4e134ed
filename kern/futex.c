/*
 * futex.c - sleep until another thread changes a word, and wake who does.
 *
 * A waiter is found by its key.  A word in a shared mapping is named by the
 * object that is mapped (a file's pages, or memory without a name) and the place
 * in it, so that all who map it meet, wherever they have it; with
 * FUTEX_PRIVATE_FLAG, or in private memory, by address space and address.  As
 * on Linux these two are not the same name: who waits without the flag is not
 * woken with it.  A key holds a reference to its object, so its name is not
 * given to another while somebody waits under it.
 *
 * Keys hash to buckets, each with a lock and the waiters in the order in which
 * they are woken.
 *
 * Invariants:
 *   U1  w->b is the bucket in whose list w is, 0 once it has been woken.  It
 *       changes with the lock of that bucket held (of both, when it moves), to 0
 *       as the last thing that anybody but the waiter does to w.
 *   U2  A word is looked at, and changed by FUTEX_WAKE_OP, with the bucket of
 *       its key locked.
 *
 * Why no wake is lost: the waiter looks at the word and enters the list under
 * one hold of the bucket's lock (U2).  Whoever wakes has changed the word
 * before it takes that lock: before the waiter, which then sees the new value;
 * or after it, and finds it in the list.  From there on sleepuntil() loses
 * nothing (sched.c).  And no wake goes to one who should not have waited: who is
 * in the list has seen its value there.
 *
 * A lock's holder cannot wait for a page.  So the words are touched in a way
 * that fails if that would take more than the page tables have; then the lock
 * is let go, the page is brought in, and all begins again.
 *
 * Priority inheritance: -ENOSYS, which libc takes for an answer.
 */
#include "kern/futex.h"
#include "arch/cpu.h"
#include "arch/xcall.h"
#include "mm/mm.h"
#include "kern/abi/futex.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/sys/syscall.h"
#include "kern/timeval.h"

#define BUCKETBITS 8
#define NBUCKET    (1 << BUCKETBITS)

#define FUTEX_FLAGS (FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)

struct key {
	void *owner; /* struct uvm, or struct pcache with a reference */
	uint page;   /* number in it */
	uint off;    /* in the page, and KEY_*: a word's low bits are 0 */
};
#define KEY_SHARED 1 /* private memory, without FUTEX_PRIVATE_FLAG */
#define KEY_OBJECT 2 /* owner is a pcache */

struct futexwaiter {
	struct bucket *volatile b; /* U1 */
	struct list link;  /* [b->lock] */
	struct key key;    /* [b->lock] */
	uint bits;         /* FUTEX_WAIT_BITSET's: wake if one is asked for */
	struct waitq q;    /* the waiter alone */
};

static struct bucket {
	struct spinlock lock;
	struct list waiters; /* by link [lock] */
} bucket[NBUCKET];

/* A wait in struct restart; flags are those of the call. */
enum { W_UVA, W_VAL, W_BITS, W_FLAGS };

static int dofutex(const uint *a, int64_t (*timein)(uint));
static int startwait(const uint *a, uint bits, int64_t (*timein)(uint));
static int wake(uint uva, uint flags, int n, uint bits);
static int requeue(const uint *a, int compare);
static int wakeop(const uint *a);

void
futexinit(void)
{
	struct bucket *b;

	for (b = bucket; b < bucket + NBUCKET; b++) {
		initlock(&b->lock, RANK_SLEEPQ);
		listinit(&b->waiters);
	}
}

int
futexwake(uint uva, int n)
{
	return wake(uva, 0, n, FUTEX_BITSET_MATCH_ANY);
}

int
sys_futex(const uint *a)
{
	return dofutex(a, timespecin);
}

int
sys_futex_time64(const uint *a)
{
	return dofutex(a, timespec64in);
}

/* uaddr, op, val, timeout or val2, uaddr2, val3 */
static int
dofutex(const uint *a, int64_t (*timein)(uint))
{
	const uint all = FUTEX_BITSET_MATCH_ANY;
	uint op = a[1] & ~FUTEX_FLAGS;

	if (op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET)
		return startwait(a, op == FUTEX_WAIT ? all : a[5], timein);
	if (a[1] & FUTEX_CLOCK_REALTIME)
		return -ENOSYS;
	switch (op) {
	case FUTEX_WAKE:
		return wake(a[0], a[1], (int)a[2], all);
	case FUTEX_WAKE_BITSET:
		return wake(a[0], a[1], (int)a[2], a[5]);
	case FUTEX_REQUEUE:
		return requeue(a, 0);
	case FUTEX_CMP_REQUEUE:
		return requeue(a, 1);
	case FUTEX_WAKE_OP:
		return wakeop(a);
	default:
		return -ENOSYS;
	}
}

static int waitrestart(struct restart *r);
static int futexwait(const struct restart *r);

static int
startwait(const uint *a, uint bits, int64_t (*timein)(uint))
{
	struct restart r = {waitrestart, NEVER, {a[0], a[2], bits, a[1]}};
	int relative = (a[1] & ~FUTEX_FLAGS) == FUTEX_WAIT;

	if (a[3] && (r.deadline = timein(a[3])) < 0)
		return (int)r.deadline;
	if (relative && (a[1] & FUTEX_CLOCK_REALTIME))
		return -ENOSYS;
	if (relative)
		r.deadline = deadlinein(r.deadline);
	return waitrestart(&r);
}

/* Begin to wait, or go on after a stop.  With a time limit it is not begun anew
 * after a handler, and keeps its deadline after a stop. */
static int
waitrestart(struct restart *r)
{
	int err = futexwait(r);

	if (err != -ERESTARTSYS || r->deadline == NEVER)
		return err;
	myproc()->restart = *r;
	return -ERESTARTBLOCK;
}

static int futexkey(uint uva, uint flags, int write, struct key *key);
static void keyput(const struct key *key);
static int enqueue(struct futexwaiter *w, uint uva, uint val);
static int await(struct futexwaiter *w, int64_t deadline, int real);

static int
futexwait(const struct restart *r)
{
	struct futexwaiter w;
	int err;

	if (r->arg[W_BITS] == 0)
		return -EINVAL;
	err = futexkey(r->arg[W_UVA], r->arg[W_FLAGS], 0, &w.key);
	if (err < 0)
		return err;
	w.bits = r->arg[W_BITS];
	initwaitq(&w.q);
	err = enqueue(&w, r->arg[W_UVA], r->arg[W_VAL]);
	if (err == 0)
		err = await(&w, r->deadline,
			(r->arg[W_FLAGS] & FUTEX_CLOCK_REALTIME) != 0);
	keyput(&w.key);
	return err;
}

static struct bucket *keybucket(const struct key *key);
static int checkword(uint uva, uint val);
static int touchword(uint uva, int write);

/* Enter the list if the word is val, else -EAGAIN; -EFAULT. */
static int
enqueue(struct futexwaiter *w, uint uva, uint val)
{
	struct bucket *b = keybucket(&w->key);
	int err;

	do {
		acquire(&b->lock);
		err = checkword(uva, val);
		if (err == 0) {
			w->b = b;
			listadd(&b->waiters, &w->link);
		}
		release(&b->lock);
	} while (err == -EFAULT && touchword(uva, 0) == 0);
	return err;
}

/* Is the word val?  0, -EAGAIN or -EFAULT.  Its bucket's lock held. */
static int
checkword(uint uva, uint val)
{
	uint now;

	if (userload(uva, &now) < 0)
		return -EFAULT;
	return now == val ? 0 : -EAGAIN;
}

/* Have the word in memory, for reading or writing: 0 or -EFAULT.  No spinlock
 * held.  What has been brought in may be gone again before it is used: who calls
 * this tries until it is there or there is nothing. */
static int
touchword(uint uva, int write)
{
	uint val = 0;

	if (!write)
		return userload(uva, &val);
	return usercas(uva, &val, val) < 0 ? -EFAULT : 0;
}

static struct bucket *lockwaiter(struct futexwaiter *w);

/* Sleep until somebody has taken w off its list, or take it off for another
 * reason: 0 or -ETIMEDOUT, -ERESTARTSYS. */
static int
await(struct futexwaiter *w, int64_t deadline, int real)
{
	struct bucket *b;
	int flags = SLEEP_INT | (real ? SLEEP_REAL : 0), err = 0;

	while ((b = lockwaiter(w)) != 0 && err == 0) {
		err = sleepuntil(&w->q, &b->lock, deadline, flags);
		release(&b->lock);
	}
	if (b == 0)
		return 0;
	listdel(&w->link);
	release(&b->lock);
	return err == -EINTR ? -ERESTARTSYS : err;
}

/* Lock the bucket that w is in; 0 when it is in none any more. */
static struct bucket *
lockwaiter(struct futexwaiter *w)
{
	struct bucket *b;

	while ((b = w->b) != 0) {
		acquire(&b->lock);
		if (w->b == b)
			break;
		release(&b->lock); /* it has been moved */
	}
	return b;
}

static int wakeall(struct bucket *b, const struct key *key, int n, uint bits);

static int
wake(uint uva, uint flags, int n, uint bits)
{
	struct bucket *b;
	struct key key;
	int err;

	if (bits == 0)
		return -EINVAL;
	if ((err = futexkey(uva, flags, 0, &key)) < 0)
		return err;
	b = keybucket(&key);
	acquire(&b->lock);
	n = wakeall(b, &key, n, bits);
	release(&b->lock);
	keyput(&key);
	return n;
}

static int samekey(const struct key *a, const struct key *b);
static void wakeone(struct futexwaiter *w);

/* Wake the first n waiters that want one of the bits; one if n is less, as
 * Linux does.  Returns how many.  b->lock held. */
static int
wakeall(struct bucket *b, const struct key *key, int n, uint bits)
{
	struct futexwaiter *w;
	int woken = 0;

	listeach (w, &b->waiters, link) {
		if (!(w->bits & bits) || !samekey(&w->key, key))
			continue;
		wakeone(w);
		if (++woken >= n)
			break;
	}
	return woken;
}

/* w->b->lock held.  w is gone as soon as it finds no bucket in it. */
static void
wakeone(struct futexwaiter *w)
{
	listdel(&w->link);
	wakeup(&w->q);
	w->b = 0;
}

/* Two futexes at once. */
struct pair {
	struct key key1, key2;
	struct bucket *b1, *b2;
};

static int pairget(struct pair *f, const uint *a, int write2);
static void pairput(struct pair *f);
static void lockpair(struct pair *f);
static void unlockpair(struct pair *f);
static int requeueall(struct pair *f, int nwake, int nmove);

/* FUTEX_REQUEUE: wake nwake waiters, move nmove others to the second futex.
 * How many together. */
static int
requeue(const uint *a, int compare)
{
	int nwake = (int)a[2], nmove = (int)a[3], err;
	struct pair f;

	if (nwake < 0 || nmove < 0)
		return -EINVAL;
	if ((err = pairget(&f, a, 0)) < 0)
		return err;
	do {
		lockpair(&f);
		err = compare ? checkword(a[0], a[5]) : 0;
		if (err == 0)
			err = requeueall(&f, nwake, nmove);
		unlockpair(&f);
	} while (err == -EFAULT && touchword(a[0], 0) == 0);
	pairput(&f);
	return err;
}

static void movewaiter(struct futexwaiter *w, struct pair *f);

/* Both buckets locked. */
static int
requeueall(struct pair *f, int nwake, int nmove)
{
	struct futexwaiter *w;
	int n = 0;

	listeach (w, &f->b1->waiters, link) {
		if (n - nwake >= nmove)
			break;
		if (!samekey(&w->key, &f->key1))
			continue;
		if (++n <= nwake)
			wakeone(w);
		else if (!samekey(&f->key1, &f->key2))
			movewaiter(w, f);
	}
	return n;
}

/* Put w behind those who wait for the second futex.  Both buckets locked.  The
 * object that w waited for has another reference, in f. */
static void
movewaiter(struct futexwaiter *w, struct pair *f)
{
	if (f->key2.off & KEY_OBJECT)
		pcacheref(f->key2.owner);
	keyput(&w->key);
	w->key = f->key2;
	listdel(&w->link);
	listadd(&f->b2->waiters, &w->link);
	w->b = f->b2;
}

static int changeword(uint uva, uint op);

/* FUTEX_WAKE_OP: change the second word, wake waiters of the first and, if the
 * old value compares so, of the second.  How many together. */
static int
wakeop(const uint *a)
{
	const uint all = FUTEX_BITSET_MATCH_ANY;
	struct pair f;
	int n, err;

	if ((err = pairget(&f, a, 1)) < 0)
		return err;
	do {
		lockpair(&f);
		n = err = changeword(a[4], a[5]);
		if (err >= 0)
			n = wakeall(f.b1, &f.key1, (int)a[2], all);
		if (err > 0)
			n += wakeall(f.b2, &f.key2, (int)a[3], all);
		unlockpair(&f);
	} while (err == -EFAULT && touchword(a[4], 1) == 0);
	pairput(&f);
	return n;
}

static int signextend(uint field);
static int newvalue(uint op, uint old, uint arg, uint *new);
static int compares(uint cmp, int old, int arg);

/* Do the operation on the word: whether its old value compares, or -EFAULT,
 * -ENOSYS.  Its bucket's lock held. */
static int
changeword(uint uva, uint op)
{
	uint arg = (uint)signextend(op >> 12), old, new;
	int err;

	if (op >> 28 & FUTEX_OP_OPARG_SHIFT)
		arg = 1u << (arg & 31);
	if (userload(uva, &old) < 0)
		return -EFAULT;
	do {
		if (newvalue(op >> 28 & 7, old, arg, &new) < 0)
			return -ENOSYS;
		err = usercas(uva, &old, new);
	} while (err > 0);
	return err < 0 ? err : compares(op >> 24 & 15, (int)old, signextend(op));
}

/* The low 12 bits as a number with a sign. */
static int
signextend(uint field)
{
	return (int)(field << 20) >> 20;
}

static int
newvalue(uint op, uint old, uint arg, uint *new)
{
	switch (op) {
	case FUTEX_OP_SET:
		*new = arg;
		return 0;
	case FUTEX_OP_ADD:
		*new = old + arg;
		return 0;
	case FUTEX_OP_OR:
		*new = old | arg;
		return 0;
	case FUTEX_OP_ANDN:
		*new = old & ~arg;
		return 0;
	case FUTEX_OP_XOR:
		*new = old ^ arg;
		return 0;
	default:
		return -ENOSYS;
	}
}

static int
compares(uint cmp, int old, int arg)
{
	switch (cmp) {
	case FUTEX_OP_CMP_EQ:
		return old == arg;
	case FUTEX_OP_CMP_NE:
		return old != arg;
	case FUTEX_OP_CMP_LT:
		return old < arg;
	case FUTEX_OP_CMP_LE:
		return old <= arg;
	case FUTEX_OP_CMP_GT:
		return old > arg;
	case FUTEX_OP_CMP_GE:
		return old >= arg;
	default:
		return -ENOSYS; /* as Linux, with the word changed */
	}
}

/* Name the futexes a[0] and a[4] of a call; pairput() gives the names back. */
static int
pairget(struct pair *f, const uint *a, int write2)
{
	int err;

	if ((err = futexkey(a[0], a[1], 0, &f->key1)) < 0)
		return err;
	if ((err = futexkey(a[4], a[1], write2, &f->key2)) < 0) {
		keyput(&f->key1);
		return err;
	}
	f->b1 = keybucket(&f->key1);
	f->b2 = keybucket(&f->key2);
	return 0;
}

static void
pairput(struct pair *f)
{
	keyput(&f->key1);
	keyput(&f->key2);
}

/* Two of one rank: everybody takes the one at the lower address first. */
static void
lockpair(struct pair *f)
{
	acquire(&MIN(f->b1, f->b2)->lock);
	if (f->b1 != f->b2)
		while (!tryacquire(&MAX(f->b1, f->b2)->lock))
			cpurelax();
}

static void
unlockpair(struct pair *f)
{
	if (f->b1 != f->b2)
		release(&MAX(f->b1, f->b2)->lock);
	release(&MIN(f->b1, f->b2)->lock);
}

static int sharedkey(struct uvm *u, uint uva, int write, struct key *key);

/* The name of the word at uva, which keyput() gives back: 0 or -EINVAL,
 * -EFAULT.  write: the word will be changed. */
static int
futexkey(uint uva, uint flags, int write, struct key *key)
{
	struct uvm *u = myproc()->uvm;

	if (uva & 3)
		return -EINVAL;
	if (uva >= USERTOP)
		return -EFAULT;
	key->owner = u;
	key->page = uva >> PGSHIFT;
	key->off = uva & (PGSIZE - 1);
	if (flags & FUTEX_PRIVATE_FLAG)
		return 0;
	return sharedkey(u, uva, write, key);
}

/* As Linux: memory that we may not write can be waited for only if it is
 * shared, so that somebody else may. */
static int
sharedkey(struct uvm *u, uint uva, int write, struct key *key)
{
	int readonly = touchword(uva, 1) < 0, shared;
	struct pcache *pc;

	if (readonly && (write || touchword(uva, 0) < 0))
		return -EFAULT;
	shared = uvmobject(u, uva, &pc, &key->page);
	if (shared < 0 || (shared == 0 && readonly))
		return -EFAULT;
	key->off |= shared ? KEY_OBJECT : KEY_SHARED;
	if (shared)
		key->owner = pc;
	return 0;
}

/* Give back a name.  No spinlock held, or another reference to its object is
 * known. */
static void
keyput(const struct key *key)
{
	if (key->off & KEY_OBJECT)
		pcachefree(key->owner);
}

static int
samekey(const struct key *a, const struct key *b)
{
	return a->off == b->off && a->page == b->page && a->owner == b->owner;
}

static struct bucket *
keybucket(const struct key *key)
{
	uint h = (uint)key->owner + key->page * PGSIZE + key->off;

	return &bucket[(h >> 2) * 2654435769u >> (32 - BUCKETBITS)];
}
