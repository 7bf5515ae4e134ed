/*
 * futex.c - sleep until another thread changes a word, and wake who does.
 *
 * A waiter is found by its key.  Private futexes and those in private memory
 * are named by address space and address; those in a shared mapping of a file
 * by the file and the offset in it, so that every process that maps it meets
 * there.  Shared memory without a file has no name that we can ask mm/ for: all
 * of it is named by the address alone, which fork leaves as it is; a wake there
 * wakes everybody of that name, since strangers may be among them (a waiter
 * must look at its word again anyhow).  Two processes that have such memory at
 * different addresses (mremap) do not meet.
 *
 * A waiter is in its list before it looks at the word, so a wake after the word
 * changed cannot miss it.  Requeueing and priority inheritance: -ENOSYS.
 */
#include "kern/futex.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/file.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/syscall.h"
#include "kern/timeval.h"

#define FUTEX_WAIT           0
#define FUTEX_WAKE           1
#define FUTEX_WAIT_BITSET    9
#define FUTEX_WAKE_BITSET    10
#define FUTEX_PRIVATE        128
#define FUTEX_CLOCK_REALTIME 256
#define ALLBITS              (~0u)
#define NBUCKET              64

struct key {
	const void *owner; /* address space or inode; 0: the address alone */
	uint64_t off;
};

struct futexwaiter {
	struct list link; /* [bucket lock] */
	struct key key;
	uint bits;
	int woken;        /* taken off the list by a wake [bucket lock] */
	struct waitq q;
};

static struct bucket {
	struct spinlock lock; /* RANK_SLEEPQ */
	struct list waiters;
} bucket[NBUCKET];

static struct spinlock firstuse = {0, RANK_LEAF}; /* of a bucket */

static int futexkey(uint uva, int shared, struct key *key);
static struct bucket *keybucket(const struct key *key);
static int futexwait(uint uva, uint val, int shared, uint bits,
	int64_t deadline);
static int wakebits(uint uva, int shared, int n, uint bits);

int
futexwake(uint uva, int n)
{
	return wakebits(uva, 1, n, ALLBITS);
}

static int dofutex(const uint *a, int64_t (*timein)(uint));

/* uaddr, op, val, timeout, uaddr2, bits */
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

static int waitrestart(struct restart *r);

static int
dofutex(const uint *a, int64_t (*timein)(uint))
{
	uint op = a[1] & ~(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME);
	int shared = !(a[1] & FUTEX_PRIVATE), err;
	uint bits = op == FUTEX_WAIT_BITSET || op == FUTEX_WAKE_BITSET ? a[5]
								      : ALLBITS;
	struct restart *r = &myproc()->restart;
	int64_t t = NEVER;

	if (op == FUTEX_WAKE || op == FUTEX_WAKE_BITSET)
		return wakebits(a[0], shared, (int)a[2], bits);
	if (op != FUTEX_WAIT && op != FUTEX_WAIT_BITSET)
		return -ENOSYS;
	if (a[3] && (t = timein(a[3])) < 0)
		return (int)t;
	if (op == FUTEX_WAIT)
		t = deadlinein(t);
	else if (t != NEVER && (a[1] & FUTEX_CLOCK_REALTIME))
		t -= realns() - nowns();
	err = futexwait(a[0], a[2], shared, bits, t);
	if (err != -ERESTARTSYS || op != FUTEX_WAIT || t == NEVER)
		return err;
	r->fn = waitrestart;
	r->deadline = t;
	r->arg[0] = a[0];
	r->arg[1] = a[2];
	r->arg[2] = shared;
	return -ERESTARTBLOCK;
}

static int
waitrestart(struct restart *r)
{
	int err = futexwait(r->arg[0], r->arg[1], r->arg[2], ALLBITS,
		r->deadline);

	if (err != -ERESTARTSYS)
		return err;
	myproc()->restart = *r;
	return -ERESTARTBLOCK;
}

static void futexsleep(struct bucket *b, struct futexwaiter *w, int64_t deadline,
	int *err);

static int
futexwait(uint uva, uint val, int shared, uint bits, int64_t deadline)
{
	struct futexwaiter w;
	struct bucket *b;
	uint now;
	int err;

	if (bits == 0)
		return -EINVAL;
	if ((err = futexkey(uva, shared, &w.key)) < 0)
		return err;
	b = keybucket(&w.key);
	w.bits = bits;
	w.woken = 0;
	initwaitq(&w.q);
	acquire(&b->lock);
	listadd(&b->waiters, &w.link);
	release(&b->lock);
	if (copyin(&now, uva, sizeof(now)))
		err = -EFAULT;
	else if (now != val)
		err = -EAGAIN;
	futexsleep(b, &w, deadline, &err);
	return err;
}

/* Sleep unless there is an error already; then leave the list.  A wake that
 * came counts for more than any error. */
static void
futexsleep(struct bucket *b, struct futexwaiter *w, int64_t deadline, int *err)
{
	acquire(&b->lock);
	while (!w->woken && *err == 0)
		*err = sleepuntil(&w->q, &b->lock, deadline, SLEEP_INT);
	if (*err == -EINTR)
		*err = -ERESTARTSYS;
	if (w->woken)
		*err = 0;
	else
		listdel(&w->link);
	release(&b->lock);
}

static int
wakebits(uint uva, int shared, int n, uint bits)
{
	struct futexwaiter *w;
	struct bucket *b;
	struct key key;
	int err, woken = 0;

	if (bits == 0)
		return -EINVAL;
	if ((err = futexkey(uva, shared, &key)) < 0)
		return err;
	b = keybucket(&key);
	acquire(&b->lock);
	listeach(w, &b->waiters, link) {
		if (w->key.owner != key.owner || w->key.off != key.off ||
			!(w->bits & bits))
			continue;
		if (woken >= n && key.owner)
			break;
		listdel(&w->link);
		w->woken = 1;
		wakeup(&w->q); /* w is gone once we let go of the lock */
		woken++;
	}
	release(&b->lock);
	return woken;
}

static int sharedkey(struct proc *p, uint uva, struct key *key);

/* The name of the word at uva. */
static int
futexkey(uint uva, int shared, struct key *key)
{
	struct proc *p = myproc();

	if (uva & 3)
		return -EINVAL;
	if (uva >= USERTOP)
		return -EFAULT;
	key->owner = p->uvm;
	key->off = uva;
	return shared ? sharedkey(p, uva, key) : 0;
}

/* Look whether uva is in shared memory, and name it by that. */
static int
sharedkey(struct proc *p, uint uva, struct key *key)
{
	struct vmainfo v;
	int i;

	for (i = 0; uvmvma(p->uvm, i, &v); i++) {
		if (uva >= v.start && uva < v.end && v.shared) {
			key->owner = v.file ? v.file->inode : 0;
			if (v.file)
				key->off = v.offset + (uva - v.start);
		}
		if (v.file)
			fileclose(v.file);
		if (uva < v.end)
			break;
	}
	return 0;
}

static struct bucket *
keybucket(const struct key *key)
{
	uint h = (uint)key->owner >> 4 ^ (uint)key->off >> 2;
	struct bucket *b = &bucket[(h ^ h >> 6 ^ h >> 12) % NBUCKET];

	if (b->waiters.next)
		return b;
	acquire(&firstuse);
	if (!b->waiters.next) {
		initlock(&b->lock, RANK_SLEEPQ);
		listinit(&b->waiters); /* last: it is what others look at */
	}
	release(&firstuse);
	return b;
}
