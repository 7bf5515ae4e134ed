/*
 * futex.c - sleep until another thread changes a word of user memory, and wake
 * the threads that sleep so.
 *
 * A waiter is found by its key, the name of the word it waits for.  A word in a
 * shared mapping is named by the object that is mapped (a file's pages, or
 * anonymous shared memory) and the place in that object, so that all processes
 * that map the object agree on the name, at whatever address each has mapped
 * it.  A word in private memory, and any word with FUTEX_PRIVATE_FLAG, is named
 * by address space and address.  As on Linux, the flag is part of the name: a
 * thread that waits without the flag is not woken by a call with the flag.  A
 * key holds a reference to its object, so the object is not freed, and its
 * address given to another object, while a thread waits under that key.
 *
 * Keys hash to buckets.  Each bucket has a lock and a list of waiters, in the
 * order in which they are woken.
 *
 * Invariants:
 *   U1  w->b is the bucket in whose list w is, or 0 once w has been woken.  It
 *       changes with the lock of that bucket held (of both buckets, when w
 *       moves).  Setting w->b to 0 is the last thing that any thread but the
 *       waiter does to w.
 *   U2  A word is compared, and changed by FUTEX_WAKE_OP, with the bucket of
 *       its key locked.
 *
 * Why no wake is lost: the waiter compares the word and enters the list under
 * one hold of the bucket's lock (U2).  The thread that wakes changes the word
 * first and takes that lock then.  If it has the lock before the waiter, the
 * waiter sees the new value and does not sleep; if after, it finds the waiter
 * in the list.  From there on sleepuntil() loses no wakeup (kern/sleep.c).  Nor
 * does a wake go to a thread that should not have waited: each waiter in the
 * list has seen its value in the word.
 *
 * The holder of a spinlock cannot wait for a page.  So under the bucket's lock
 * a word is touched with userload() and usercas(), which fail if the page
 * tables do not have the page.  Then the lock is released, the page is brought
 * in, and the operation begins again.
 *
 * The operations with priority inheritance return -ENOSYS; libc copes with
 * that.
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
	uint page;   /* page number in the owner */
	uint off;    /* byte in the page, plus KEY_* in the two low bits,
	              * which are 0 in a word's address */
};
#define KEY_SHARED 1 /* private memory, without FUTEX_PRIVATE_FLAG */
#define KEY_OBJECT 2 /* owner is a pcache */

struct futexwaiter {
	struct bucket *volatile b; /* U1 */
	struct list link;  /* [b->lock] */
	struct key key;    /* [b->lock] */
	uint bits;         /* woken if the waker asks for one of these */
	struct waitq q;    /* only the waiting thread sleeps here */
};

static struct bucket {
	struct spinlock lock;
	struct list waiters; /* by link [lock] */
} bucket[NBUCKET];

/* What each arg[] of a struct restart holds for a wait: the word's address, the
 * value to wait for, the bits, and the flags of the call. */
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

/* Do the futex(2) call whose arguments are a: uaddr, op, val, timeout or val2,
 * uaddr2, val3.  timein reads a struct timespec of the caller's kind at a user
 * address: ns, or -errno.  Returns what the call returns. */
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

/* FUTEX_WAIT and FUTEX_WAIT_BITSET: wait for a wake with one of the bits.  The
 * former's timeout counts from now, the latter's is a time of day or since
 * boot, by FUTEX_CLOCK_REALTIME.  Returns what the call returns. */
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

/* Begin to wait, or go on after a stop.  After a signal, a wait without a time
 * limit is simply called again (-ERESTARTSYS).  A wait with one returns
 * -ERESTARTBLOCK: it is not called again after a handler has run, and after a
 * stop it goes on here with the deadline it had. */
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

/* Wait as r says, until woken (0): -EAGAIN if the word has another value,
 * -EINVAL, -EFAULT, -ETIMEDOUT, -ERESTARTSYS. */
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

/* Put w at the end of its bucket's list if the word at uva is val: 0, or
 * -EAGAIN if it is not, or -EFAULT.  Called with no spinlock held. */
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

/* Is the word at uva val?  0, or -EAGAIN: it is not, or -EFAULT: the page
 * tables do not have its page.  Called with the lock of the word's bucket
 * held. */
static int
checkword(uint uva, uint val)
{
	uint now;

	lockassert(!nospinlocks());
	if (userload(uva, &now) < 0)
		return -EFAULT;
	return now == val ? 0 : -EAGAIN;
}

/* Bring the page of the word at uva into memory, for reading or, if write is
 * set, for writing: 0 or -EFAULT.  Called with no spinlock held.  The page may
 * be gone again before the caller has taken its lock: the caller tries until
 * the page is there, or this fails. */
static int
touchword(uint uva, int write)
{
	uint val = 0;

	lockassert(nospinlocks());
	if (!write)
		return userload(uva, &val);
	return usercas(uva, &val, val) < 0 ? -EFAULT : 0;
}

static struct bucket *lockwaiter(struct futexwaiter *w);

/* Sleep until another thread has woken w, which takes w off its list: 0.  At
 * the deadline (ns; of the real-time clock if real is set) or for a signal,
 * take w off the list here: -ETIMEDOUT, -ERESTARTSYS. */
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

/* Lock the bucket that w is in and return it; or return 0, with nothing locked,
 * if w has been woken. */
static struct bucket *
lockwaiter(struct futexwaiter *w)
{
	struct bucket *b;

	while ((b = w->b) != 0) {
		acquire(&b->lock);
		if (w->b == b)
			break;
		release(&b->lock); /* w has been moved, or woken */
	}
	return b;
}

static int wakeall(struct bucket *b, const struct key *key, int n, uint bits);

/* FUTEX_WAKE and FUTEX_WAKE_BITSET: wake at most n threads that wait for the
 * word at uva and for one of the bits.  Returns how many were woken, or
 * -EINVAL, -EFAULT. */
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

/* Wake the first n waiters of b that wait for key and for one of the bits; one
 * if n is less than 1, as Linux does.  Returns how many were woken.  Called
 * with b->lock held. */
static int
wakeall(struct bucket *b, const struct key *key, int n, uint bits)
{
	struct futexwaiter *w;
	int woken = 0;

	lockassert(holding(&b->lock));
	listeach (w, &b->waiters, link) {
		if (!(w->bits & bits) || !samekey(&w->key, key))
			continue;
		wakeone(w);
		if (++woken >= n)
			break;
	}
	return woken;
}

/* Take w off its list and wake its thread.  Called with w->b->lock held.  w is
 * on its thread's stack, and that may be gone as soon as w->b is 0 (U1). */
static void
wakeone(struct futexwaiter *w)
{
	lockassert(holding(&w->b->lock));
	listdel(&w->link);
	wakeup(&w->q);
	w->b = 0;
}

/* The two futexes of one call, and the bucket of each. */
struct pair {
	struct key key1, key2;
	struct bucket *b1, *b2;
};

static int pairget(struct pair *f, const uint *a, int write2);
static void pairput(struct pair *f);
static void lockpair(struct pair *f);
static void unlockpair(struct pair *f);
static int requeueall(struct pair *f, int nwake, int nmove);

/* FUTEX_REQUEUE and, with compare set, FUTEX_CMP_REQUEUE, which first compares
 * the word with a[5]: wake at most a[2] waiters of the first futex and move at
 * most a[3] others to the second.  Returns how many were woken or moved, or
 * -EINVAL, -EFAULT, -EAGAIN: the word has another value. */
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

/* Wake the first nwake waiters of the first futex and move the next nmove to
 * the second.  Returns how many both are together.  Called with the locks of
 * both buckets held. */
static int
requeueall(struct pair *f, int nwake, int nmove)
{
	struct futexwaiter *w;
	int n = 0;

	lockassert(holding(&f->b1->lock) && holding(&f->b2->lock));
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

/* Put w behind the waiters of the second futex.  Called with the locks of both
 * buckets held.  f has a reference to the object that w waited for, so keyput()
 * does not free that object here. */
static void
movewaiter(struct futexwaiter *w, struct pair *f)
{
	lockassert(holding(&f->b1->lock) && holding(&f->b2->lock));
	if (f->key2.off & KEY_OBJECT)
		pcacheref(f->key2.owner);
	keyput(&w->key);
	w->key = f->key2;
	listdel(&w->link);
	listadd(&f->b2->waiters, &w->link);
	w->b = f->b2;
}

static int changeword(uint uva, uint op);

/* FUTEX_WAKE_OP: change the second word as a[5] says, wake waiters of the first
 * futex and, if the word's old value compares as a[5] says, of the second too.
 * Returns how many were woken, or -EINVAL, -EFAULT, -ENOSYS. */
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

/* Change the word at uva as op says (FUTEX_WAKE_OP, kern/abi/futex.h).  Returns
 * 1 if the old value compares as op says, 0 if not; -EFAULT: the page tables do
 * not have the page for writing; -ENOSYS: op is unknown.  Called with the lock
 * of the word's bucket held. */
static int
changeword(uint uva, uint op)
{
	uint arg = (uint)signextend(op >> 12), old, new;
	int err;

	lockassert(!nospinlocks());
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

/* Return the low 12 bits of field as a number with a sign. */
static int
signextend(uint field)
{
	return (int)(field << 20) >> 20;
}

/* Store in *new what the operation FUTEX_OP_* makes of old and arg: 0 or
 * -ENOSYS. */
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

/* Does the comparison FUTEX_OP_CMP_* hold for old and arg?  1, 0 or -ENOSYS. */
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
		return -ENOSYS; /* as on Linux, the word is changed */
	}
}

/* Fill f with the keys and buckets of the words at a[0] and a[4]; pairput()
 * drops the keys' references.  write2: the call changes the second word.
 * Returns 0 or -EINVAL, -EFAULT.  Called with no spinlock held. */
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

/* Drop the references of both keys of f.  Called with no spinlock held. */
static void
pairput(struct pair *f)
{
	lockassert(nospinlocks());
	keyput(&f->key1);
	keyput(&f->key2);
}

/* Lock both buckets of f, or the one that both are.  They have one rank, so
 * every caller takes the lock at the lower address first, and the second one by
 * tryacquire(), which does not check ranks. */
static void
lockpair(struct pair *f)
{
	acquire(&MIN(f->b1, f->b2)->lock);
	if (f->b1 != f->b2)
		while (!tryacquire(&MAX(f->b1, f->b2)->lock))
			cpurelax();
}

/* Release what lockpair() took.  Called with both locks held. */
static void
unlockpair(struct pair *f)
{
	lockassert(holding(&f->b1->lock) && holding(&f->b2->lock));
	if (f->b1 != f->b2)
		release(&MAX(f->b1, f->b2)->lock);
	release(&MIN(f->b1, f->b2)->lock);
}

static int sharedkey(struct uvm *u, uint uva, int write, struct key *key);

/* Store in *key the name of the word at uva, with a reference that keyput()
 * drops: 0 or -EINVAL, -EFAULT.  flags: those of the call.  write: the call
 * changes the word.  Called with no spinlock held. */
static int
futexkey(uint uva, uint flags, int write, struct key *key)
{
	struct uvm *u = myproc()->uvm;

	lockassert(nospinlocks());
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

/* Finish *key for a word without FUTEX_PRIVATE_FLAG: 0 or -EFAULT.  As on
 * Linux, a thread can wait for a word that it may not write only in a shared
 * mapping, where another process may write the word.  Called with no spinlock
 * held. */
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

/* Drop the key's reference to its object, if it has one.  Called with no
 * spinlock held, unless the caller knows of another reference to the object. */
static void
keyput(const struct key *key)
{
	if (key->off & KEY_OBJECT)
		pcachefree(key->owner);
}

/* Do a and b name one word? */
static int
samekey(const struct key *a, const struct key *b)
{
	return a->off == b->off && a->page == b->page && a->owner == b->owner;
}

/* Return the bucket of key: the upper bits of a multiplicative hash choose
 * it. */
static struct bucket *
keybucket(const struct key *key)
{
	uint h = (uint)key->owner + key->page * PGSIZE + key->off;

	return &bucket[(h >> 2) * 2654435769u >> (32 - BUCKETBITS)];
}
