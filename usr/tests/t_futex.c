/*
 * t_futex.c - futexes and robust lists.
 *
 * Waiters are processes that share one page; how many wait for a word is what
 * requeueing it to itself returns, so that nothing here sleeps in hope.
 */
#include "t.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>

#define PRIV  FUTEX_PRIVATE_FLAG
#define MANY  INT_MAX
#define NWAIT 8

struct time64 {
	int64_t sec, nsec;
};

static struct shared {
	int a, b, c;      /* futexes */
	int n;            /* waiters that have returned */
	int order[NWAIT]; /* which, in their order */
	int result[NWAIT];
	int ready;
	struct robust_list_head head;
	struct {
		struct robust_list link;
		int word;
	} lock[8];
} *sh;
static int pids[NWAIT], npids;

static long
futex(const void *uaddr, int op, int val, const void *timeout,
	const void *uaddr2, unsigned val3)
{
	return syscall(SYS_futex, uaddr, op, val, timeout, uaddr2, val3);
}

static long
futex64(const void *uaddr, int op, int val, const void *timeout)
{
	return syscall(422, uaddr, op, val, timeout, 0, ~0u);
}

static void
share(void)
{
	sh = mmap(0, PG, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		0);
	must(sh != MAP_FAILED);
	npids = 0;
}

static long
wakeup(const int *word, int n)
{
	return futex(word, FUTEX_WAKE, n, 0, 0, 0);
}

/* How many wait for the word. */
static int
waiters(const int *word)
{
	return futex(word, FUTEX_REQUEUE, 0, (void *)MANY, word, 0);
}

static void
untilwaiters(const int *word, int n)
{
	while (waiters(word) < n)
		sched_yield();
}

/* A process that waits for the word once, noting the result. */
static void
waiter(const int *word, unsigned bits)
{
	int i = npids++, before = waiters(word);
	long r;

	if ((pids[i] = fork()) == 0) {
		r = futex(word, FUTEX_WAIT_BITSET, *word, 0, 0, bits);
		sh->result[i] = r < 0 ? -errno : r;
		sh->order[__sync_fetch_and_add(&sh->n, 1)] = i;
		_exit(0);
	}
	untilwaiters(word, before + 1);
}

/* Wait until n have returned, in all. */
static void
untilreturned(int n)
{
	while (*(volatile int *)&sh->n < n)
		sched_yield();
}

static void
reapwaiters(void)
{
	int i;

	for (i = 0; i < npids; i++) {
		reaped(pids[i]);
		checkeq(sh->result[i], 0);
	}
	npids = 0;
	sh->n = 0;
}

static void
futex_errors(void)
{
	static struct timespec bad = {0, 1000000000}, neg = {-1, 0}, zero;
	int word[2] = {5, 5};
	char *odd = (char *)word + 1;
	void *top = (void *)0xfffff000, *hole = area(1);

	checkerr(futex(word, FUTEX_WAIT, 4, 0, 0, 0), EAGAIN);
	checkerr(futex(word, FUTEX_WAIT_BITSET, 4, 0, 0, 1), EAGAIN);
	checkerr(futex(odd, FUTEX_WAIT, 4, 0, 0, 0), EINVAL);
	checkerr(futex(odd, FUTEX_WAKE, 1, 0, 0, 0), EINVAL);
	checkerr(futex(odd, FUTEX_REQUEUE, 1, 0, word, 0), EINVAL);
	checkerr(futex(word, FUTEX_REQUEUE, 1, 0, odd, 0), EINVAL);
	checkerr(futex(word, FUTEX_WAKE_OP, 1, 0, odd, 0), EINVAL);
	checkerr(futex(word, FUTEX_WAIT_BITSET, 4, 0, 0, 0), EINVAL);
	checkerr(futex(word, FUTEX_WAKE_BITSET, 1, 0, 0, 0), EINVAL);
	checkerr(futex(word, FUTEX_REQUEUE, -1, (void *)1, word, 0), EINVAL);
	checkerr(futex(word, FUTEX_REQUEUE, 1, (void *)-1, word, 0), EINVAL);
	checkerr(futex(word, FUTEX_CMP_REQUEUE, 1, (void *)1, word + 1, 4),
		EAGAIN);
	checkerr(futex(word, FUTEX_FD, 1, 0, 0, 0), ENOSYS);
	checkerr(futex(word, 100, 1, 0, 0, 0), ENOSYS);
	checkerr(futex(word, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, 0, 0, 0),
		ENOSYS);
	checkerr(futex(word, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 4, 0, 0, 0),
		ENOSYS);
	if (quire)
		checkerr(futex(word, FUTEX_LOCK_PI, 0, 0, 0, 0), ENOSYS);
	/* the time comes first */
	checkerr(futex(odd, FUTEX_WAIT, 4, &bad, 0, 0), EINVAL);
	checkerr(futex(top, FUTEX_WAIT | PRIV, 4, &neg, 0, 0), EINVAL);
	checkerr(futex(odd, FUTEX_WAIT, 4, (void *)8, 0, 0), EFAULT);
	checkerr(futex(word, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 4, &bad, 0, 0),
		EINVAL);
	checkerr(futex(word, FUTEX_WAIT, 4, &zero, 0, 0), EAGAIN);
	checkerr(futex(word, FUTEX_WAIT, 5, &zero, 0, 0), ETIMEDOUT);
	/* and then the address */
	if (quire) /* Linux on 64 bits finds no fault with the address alone */
		checkerr(futex(top, FUTEX_WAKE | PRIV, 1, 0, 0, 0), EFAULT);
	checkerr(futex(top, FUTEX_WAKE, 1, 0, 0, 0), EFAULT);
	checkeq(futex(hole, FUTEX_WAKE | PRIV, 1, 0, 0, 0), 0);
	checkerr(futex(hole, FUTEX_WAKE, 1, 0, 0, 0), EFAULT);
	checkerr(futex(hole, FUTEX_WAIT | PRIV, 0, 0, 0, 0), EFAULT);
	checkerr(futex(hole, FUTEX_CMP_REQUEUE | PRIV, 1, 0, word, 0), EFAULT);
	checkeq(futex(hole, FUTEX_REQUEUE | PRIV, 1, 0, word, 0), 0);
	checkerr(futex(word, FUTEX_REQUEUE, 1, 0, hole, 0), EFAULT);
	checkerr(futex(word, FUTEX_WAKE_OP | PRIV, 1, 0, hole, 0), EFAULT);
}

/* Memory that cannot be written can be waited for if it is shared, or named as
 * private. */
static void
futex_read_only_memory(void)
{
	struct timespec ms = {0, 1000000};
	int *p = mmap(0, PG, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int *s = mmap(0, PG, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	checkerr(futex(p, FUTEX_WAIT | PRIV, 0, &ms, 0, 0), ETIMEDOUT);
	checkerr(futex(p, FUTEX_WAIT, 0, &ms, 0, 0), EFAULT);
	checkerr(futex(p, FUTEX_WAKE, 1, 0, 0, 0), EFAULT);
	checkerr(futex(s, FUTEX_WAIT, 0, &ms, 0, 0), ETIMEDOUT);
	checkeq(futex(s, FUTEX_WAKE, 1, 0, 0, 0), 0);
	checkerr(futex(s, FUTEX_WAKE_OP, 1, 0, s, 0), EFAULT);
	checkerr(futex(p, FUTEX_WAKE_OP | PRIV, 1, 0, p, 0), EFAULT);
}

static void
futex_wake_counts(void)
{
	int i;

	share();
	for (i = 0; i < 6; i++)
		waiter(&sh->a, ~0u);
	checkeq(waiters(&sh->a), 6);
	checkeq(wakeup(&sh->b, 1), 0);
	checkeq(wakeup(&sh->a, 0), 1); /* at least one, as ever */
	checkeq(wakeup(&sh->a, -1), 1);
	checkeq(wakeup(&sh->a, 2), 2);
	checkeq(waiters(&sh->a), 2);
	checkeq(wakeup(&sh->a, MANY), 2);
	checkeq(wakeup(&sh->a, MANY), 0);
	reapwaiters();
}

static void
futex_wake_is_fifo(void)
{
	int i;

	share();
	for (i = 0; i < NWAIT; i++)
		waiter(&sh->a, ~0u);
	for (i = 0; i < NWAIT; i++) {
		checkeq(wakeup(&sh->a, 1), 1);
		untilreturned(i + 1);
		checkeq(sh->order[i], i);
	}
	reapwaiters();
}

static void
futex_bitset(void)
{
	share();
	waiter(&sh->a, 1);
	waiter(&sh->a, 2);
	waiter(&sh->a, 6);
	waiter(&sh->a, 0x80000000);
	checkeq(futex(&sh->a, FUTEX_WAKE_BITSET, MANY, 0, 0, 8), 0);
	checkeq(futex(&sh->a, FUTEX_WAKE_BITSET, 1, 0, 0, 2), 1);
	untilreturned(1);
	checkeq(sh->order[0], 1);
	checkeq(futex(&sh->a, FUTEX_WAKE_BITSET, MANY, 0, 0, 2), 1);
	untilreturned(2);
	checkeq(sh->order[1], 2);
	checkeq(futex(&sh->a, FUTEX_WAKE_BITSET, MANY, 0, 0, 0x80000002), 1);
	checkeq(wakeup(&sh->a, MANY), 1);
	reapwaiters();
}

static void
futex_requeue_counts(void)
{
	int i;

	share();
	for (i = 0; i < 6; i++)
		waiter(&sh->a, ~0u);
	waiter(&sh->b, ~0u);
	/* a: 0 1 2 3 4 5   b: 6   ->   a: 4 5   b: 6 1 2 3   woken: 0 */
	checkeq(futex(&sh->a, FUTEX_REQUEUE, 1, (void *)3, &sh->b, 0), 4);
	untilreturned(1);
	checkeq(sh->order[0], 0);
	checkeq(waiters(&sh->a), 2);
	checkeq(waiters(&sh->b), 4);
	/* nothing happens to a word of another value */
	sh->a = 1;
	checkerr(futex(&sh->a, FUTEX_CMP_REQUEUE, 1, (void *)3, &sh->b, 0),
		EAGAIN);
	checkeq(waiters(&sh->a), 2);
	checkeq(futex(&sh->a, FUTEX_CMP_REQUEUE, 0, (void *)1, &sh->c, 1), 1);
	checkeq(wakeup(&sh->c, MANY), 1);
	untilreturned(2);
	checkeq(sh->order[1], 4);
	checkeq(wakeup(&sh->b, 2), 2);
	untilreturned(4);
	checkeq(sh->order[2] + sh->order[3], 6 + 1);
	checkeq(futex(&sh->b, FUTEX_REQUEUE, 0, (void *)MANY, &sh->a, 0), 2);
	checkeq(wakeup(&sh->a, MANY), 3);
	reapwaiters();
}

/* A waiter that has been moved still hears signals and its time-out. */
static void
futex_requeued_times_out(void)
{
	struct timespec t = {0, 200000000};
	int pid;

	share();
	pid = fork();
	if (pid == 0)
		_exit(futex(&sh->a, FUTEX_WAIT, 0, &t, 0, 0) < 0 ? errno : 0);
	untilwaiters(&sh->a, 1);
	checkeq(futex(&sh->a, FUTEX_REQUEUE, 0, (void *)1, &sh->b, 0), 1);
	checkeq(waiters(&sh->a), 0);
	int st;
	must(waitpid(pid, &st, 0) == pid);
	checkeq(WEXITSTATUS(st), ETIMEDOUT);
	checkeq(waiters(&sh->b), 0);
}

static int
opresult(int op, int old, int arg)
{
	switch (op) {
	case FUTEX_OP_SET:
		return arg;
	case FUTEX_OP_ADD:
		return (unsigned)old + arg;
	case FUTEX_OP_OR:
		return old | arg;
	case FUTEX_OP_ANDN:
		return old & ~arg;
	default:
		return old ^ arg;
	}
}

static int
cmpresult(int cmp, int old, int arg)
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
	default:
		return old >= arg;
	}
}

static void
futex_wake_op_words(void)
{
	static const int vals[] = {0, 1, -1, 5, 0x7ff, -0x800, INT_MAX,
		INT_MIN};
	static const int args[] = {0, 1, -1, 5, 31, 0x7ff, -0x800};
	int op, i, j, shift, word;

	for (op = 0; op < 5; op++)
		for (i = 0; i < NUM(vals); i++)
			for (j = 0; j < NUM(args); j++)
				for (shift = 0; shift < 2; shift++) {
					int arg = args[j];

					if (shift && (arg < 0 || arg > 31))
						continue; /* Linux complains */
					word = vals[i];
					checkeq(futex(&word,
						FUTEX_WAKE_OP | PRIV, 1,
						(void *)1, &word,
						FUTEX_OP(op | shift << 3,
							arg, 0, 0)), 0);
					checkeq(word, opresult(op, vals[i],
						shift ? (int)(1u << arg) :
							arg));
				}
	word = 7;
	checkerr(futex(&word, FUTEX_WAKE_OP, 1, 0, &word, FUTEX_OP(5, 1, 0, 0)),
		ENOSYS);
	checkeq(word, 7);
	checkerr(futex(&word, FUTEX_WAKE_OP, 1, 0, &word, FUTEX_OP(1, 1, 6, 0)),
		ENOSYS);
	checkeq(word, 8);
}

static void
futex_wake_op_compares(void)
{
	static const int vals[] = {0, 1, -1, 0x7ff, -0x800, INT_MAX, INT_MIN};
	static const int args[] = {0, 1, -1, 0x7ff, -0x800};
	int cmp, i, j, want;

	share();
	waiter(&sh->b, ~0u);
	for (cmp = 0; cmp < 6; cmp++)
		for (i = 0; i < NUM(vals); i++)
			for (j = 0; j < NUM(args); j++) {
				sh->b = vals[i];
				want = cmpresult(cmp, vals[i], args[j]);
				checkeq(futex(&sh->a, FUTEX_WAKE_OP, 1,
					(void *)1, &sh->b,
					FUTEX_OP(FUTEX_OP_OR, 0, cmp, args[j])),
					want);
				if (want) {
					reapwaiters();
					waiter(&sh->b, ~0u);
				}
			}
	wakeup(&sh->b, 1);
	reapwaiters();
}

static void
futex_wake_op_counts(void)
{
	int i;

	share();
	for (i = 0; i < 3; i++)
		waiter(&sh->a, ~0u);
	for (i = 0; i < 4; i++)
		waiter(&sh->b, ~0u);
	checkeq(futex(&sh->a, FUTEX_WAKE_OP, 2, (void *)3, &sh->b,
		FUTEX_OP(FUTEX_OP_SET, 9, FUTEX_OP_CMP_EQ, 1)), 2);
	checkeq(sh->b, 9);
	checkeq(futex(&sh->a, FUTEX_WAKE_OP, 2, (void *)3, &sh->b,
		FUTEX_OP(FUTEX_OP_SET, 9, FUTEX_OP_CMP_EQ, 9)), 1 + 3);
	checkeq(wakeup(&sh->b, MANY), 1);
	reapwaiters();
}

/* Two processes change one word at the same time. */
#define OPS 20000
static void
futex_wake_op_is_atomic(void)
{
	int i, j, pid[2];

	share();
	for (i = 0; i < 2; i++)
		if ((pid[i] = fork()) == 0) {
			for (j = 0; j < OPS; j++)
				futex(&sh->a, FUTEX_WAKE_OP, 1, (void *)1,
					&sh->b,
					FUTEX_OP(FUTEX_OP_ADD, 1, 0, -1));
			_exit(0);
		}
	reaped(pid[0]);
	reaped(pid[1]);
	checkeq(sh->b, 2 * OPS);
}

/* A page that is not there, or shared with a parent, is brought in. */
static void
futex_faults_pages_in(void)
{
	int *p = mmap(0, 4 * PG, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct timespec ms = {0, 1000000};
	int pid;

	checkerr(futex(p, FUTEX_WAIT | PRIV, 1, 0, 0, 0), EAGAIN);
	checkerr(futex(p + 1024, FUTEX_CMP_REQUEUE | PRIV, 1, 0, p, 1), EAGAIN);
	checkeq(futex(p, FUTEX_WAKE_OP | PRIV, 1, 0, p + 2048,
		FUTEX_OP(FUTEX_OP_SET, 3, 0, 0)), 0);
	checkeq(p[2048], 3);
	if ((pid = fork()) == 0) {
		futex(p, FUTEX_WAKE_OP, 1, 0, p + 2048,
			FUTEX_OP(FUTEX_OP_ADD, 3, 0, 0));
		checkeq(p[2048], 6);
		checkerr(futex(p + 3072, FUTEX_WAIT, 0, &ms, 0, 0), ETIMEDOUT);
		finish();
	}
	reaped(pid);
	checkeq(p[2048], 3);
}

static long long
nowns(int clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void
futex_timeouts(void)
{
	static const int ms[] = {0, 1, 7, 50};
	int i, wide, word = 0;
	long long t;

	for (i = 0; i < 2 * NUM(ms); i++) {
		struct timespec ts = {0, ms[i / 2] * 1000000};
		struct time64 t64 = {0, ts.tv_nsec};

		wide = i & 1;
		t = nowns(CLOCK_MONOTONIC);
		if (wide)
			checkerr(futex64(&word, FUTEX_WAIT, 0, &t64),
				ETIMEDOUT);
		else
			checkerr(futex(&word, FUTEX_WAIT, 0, &ts, 0, 0),
				ETIMEDOUT);
		t = nowns(CLOCK_MONOTONIC) - t;
		checkrange(t, ts.tv_nsec, ts.tv_nsec + 2000000000);
	}
}

static void
futex_absolute_timeouts(void)
{
	static const int clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME};
	int i, j, flag, word = 0;
	long long t, end;

	for (i = 0; i < 2; i++)
		for (j = -1; j < 4; j++) {
			flag = clocks[i] ? 0 : FUTEX_CLOCK_REALTIME;
			end = nowns(clocks[i]) + j * 20000000LL;
			struct timespec ts = {end / 1000000000,
				end % 1000000000};
			struct time64 t64 = {ts.tv_sec, ts.tv_nsec};

			if (j & 1)
				checkerr(futex(&word,
					FUTEX_WAIT_BITSET | flag | PRIV, 0, &ts,
					0, 1), ETIMEDOUT);
			else
				checkerr(futex64(&word,
					FUTEX_WAIT_BITSET | flag, 0, &t64),
					ETIMEDOUT);
			t = nowns(clocks[i]);
			checkrange(t - end, 0, 2000000000);
		}
}

/* A time of the real time clock comes when the clock is set beyond it, and goes
 * away again when it is set back. */
static void
futex_clock_is_set(void)
{
	struct timespec now, end;
	int pid, st;

	if (!quire)
		skip("it would set the host's clock");
	share();
	clock_gettime(CLOCK_REALTIME, &now);
	end = (struct timespec){now.tv_sec + 1000, 0};
	if ((pid = fork()) == 0)
		_exit(futex(&sh->a, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0,
			&end, 0, 1) < 0 ? errno : 0);
	untilwaiters(&sh->a, 1);
	now.tv_sec += 2000;
	must(clock_settime(CLOCK_REALTIME, &now) == 0);
	must(waitpid(pid, &st, 0) == pid);
	checkeq(st, ETIMEDOUT << 8);
	now.tv_sec -= 2000;
	must(clock_settime(CLOCK_REALTIME, &now) == 0);
}

/* Shared memory is known by what it is, private memory by where it is. */
static void
futex_shared_at_other_addresses(void)
{
	char name[] = "/tmp/futexXXXXXX";
	int fd = mkstemp(name), *p, *q, i;

	share();
	unlink(name);
	must(fd >= 0 && ftruncate(fd, 3 * PG) == 0);
	p = mmap(0, 3 * PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	waiter(p + 1024, ~0u);
	waiter(p + 1025, ~0u);
	waiter(p + 2048, ~0u);
	q = mmap(0, PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PG);
	munmap(p, 3 * PG);
	checkeq(wakeup(q + 1, MANY), 1);
	untilreturned(1);
	checkeq(sh->order[0], 1);
	checkeq(wakeup(q, MANY), 1);
	mmap(q, PG, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 2 * PG);
	checkeq(wakeup(q, MANY), 1);
	reapwaiters();
	/* without a file: moved, the address it had is another's */
	p = mmap(0, PG, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		0);
	waiter(p, ~0u);
	q = mremap(p, PG, PG, MREMAP_MAYMOVE | MREMAP_FIXED, area(1));
	must(q != MAP_FAILED && q != p);
	p = mmap(p, PG, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	checkeq(wakeup(p, MANY), 0);
	checkeq(wakeup(q, MANY), 1);
	reapwaiters();
	/* a shared word is not a private one, but by its address */
	for (i = 0; i < 2; i++) {
		waiter(&sh->a, ~0u);
		checkeq(futex(&sh->a, FUTEX_WAKE | PRIV, 1, 0, 0, 0), 0);
		checkeq(wakeup(&sh->a, 1), 1);
		reapwaiters();
	}
	close(fd);
}

static int privateword[2];
static char stack[64 << 10];

static int
vmwaiter(void *arg)
{
	int op = FUTEX_WAIT | (int)(intptr_t)arg;

	return futex(privateword, op, 0, 0, 0, 0) == 0 ? 0 : errno;
}

/* In private memory a wake with the flag is not for waits without, on Linux
 * either. */
static void
futex_private_flag(void)
{
	int i, pid, other;

	for (i = 0; i < 2; i++) {
		int flag = i ? PRIV : 0;

		other = i ? 0 : PRIV;
		pid = clone(vmwaiter, stack + sizeof(stack), CLONE_VM | SIGCHLD,
			(void *)(intptr_t)flag);
		must(pid > 0);
		while (futex(privateword, FUTEX_REQUEUE | flag, 0, (void *)1,
			privateword, 0) == 0)
			sched_yield();
		checkeq(futex(privateword, FUTEX_WAKE | other, 1, 0, 0, 0), 0);
		checkeq(futex(privateword + 1, FUTEX_WAKE | flag, 1, 0, 0, 0),
			0);
		checkeq(futex(privateword, FUTEX_WAKE | flag, 1, 0, 0, 0), 1);
		reaped(pid);
	}
	/* a fork's memory is its own */
	if ((pid = fork()) == 0)
		_exit(futex(privateword, FUTEX_WAIT, 0,
			&(struct timespec){0, 100000000}, 0, 0) < 0
			? errno : 0);
	checkeq(futex(privateword, FUTEX_WAKE, 1, 0, 0, 0), 0);
	must(waitpid(pid, &i, 0) == pid);
	checkeq(WEXITSTATUS(i), ETIMEDOUT);
}

static void
onsignal(int sig)
{
	(void)sig;
	sh->c++;
}

/* A child that waits for sh->a as told, with a handler of these flags for
 * SIGUSR1; leaves its errno, or 0, as its status. */
static int
signalled(int op, int saflags, const void *timeout)
{
	struct sigaction sa = {.sa_handler = onsignal, .sa_flags = saflags};
	int pid = fork();

	if (pid == 0) {
		sigaction(SIGUSR1, &sa, 0);
		_exit(futex(&sh->a, op, 0, timeout, 0, ~0u) < 0 ? errno : 0);
	}
	untilwaiters(&sh->a, 1);
	return pid;
}

static void
untilhandled(int n)
{
	while (*(volatile int *)&sh->c < n)
		sched_yield();
}

static void
futex_signals(void)
{
	struct timespec far = {100, 0},
		abs = {nowns(CLOCK_MONOTONIC) / 1000000000 + 100, 0};
	static const struct {
		int op, flags, timed, end;
	} rows[] = {
		{FUTEX_WAIT, 0, 0, EINTR},
		{FUTEX_WAIT, 0, 1, EINTR},
		{FUTEX_WAIT, SA_RESTART, 1, EINTR},
		{FUTEX_WAIT, SA_RESTART, 0, 0},
		{FUTEX_WAIT_BITSET, 0, 0, EINTR},
		{FUTEX_WAIT_BITSET, SA_RESTART, 1, EINTR},
		{FUTEX_WAIT_BITSET, SA_RESTART, 0, 0},
	};
	int i, pid, st;

	share();
	for (i = 0; i < NUM(rows); i++) {
		const void *t = rows[i].op == FUTEX_WAIT ? &far : &abs;

		sh->c = 0;
		pid = signalled(rows[i].op, rows[i].flags,
			rows[i].timed ? t : 0);
		kill(pid, SIGUSR1);
		untilhandled(1);
		if (rows[i].end == 0) {
			untilwaiters(&sh->a, 1);
			checkeq(wakeup(&sh->a, 1), 1);
		}
		must(waitpid(pid, &st, 0) == pid);
		checkeq(st, rows[i].end << 8);
	}
}

/* A stop ends no wait, and the deadline stays what it was. */
static void
futex_stop_and_continue(void)
{
	struct timespec t = {0, 300000000};
	long long start;
	int pid, st;

	share();
	start = nowns(CLOCK_MONOTONIC);
	pid = signalled(FUTEX_WAIT, 0, &t);
	kill(pid, SIGSTOP);
	must(waitpid(pid, &st, WUNTRACED) == pid && WIFSTOPPED(st));
	msleep(200);
	kill(pid, SIGCONT);
	must(waitpid(pid, &st, 0) == pid);
	checkeq(st, ETIMEDOUT << 8);
	checkrange(nowns(CLOCK_MONOTONIC) - start, 300000000,
		480000000 + !quire * 2000000000LL);
	pid = signalled(FUTEX_WAIT, 0, 0);
	kill(pid, SIGSTOP);
	must(waitpid(pid, &st, WUNTRACED) == pid && WIFSTOPPED(st));
	kill(pid, SIGCONT);
	untilwaiters(&sh->a, 1);
	checkeq(wakeup(&sh->a, 1), 1);
	must(waitpid(pid, &st, 0) == pid);
	checkeq(st, 0);
}

/* A killed waiter is no waiter. */
static void
futex_killed_waiter(void)
{
	int pid, st;

	share();
	pid = signalled(FUTEX_WAIT, 0, 0);
	kill(pid, SIGKILL);
	must(waitpid(pid, &st, 0) == pid);
	checkeq(st, SIGKILL);
	checkeq(wakeup(&sh->a, MANY), 0);
}

/* Two processes hand a word to and fro: no wake may be lost. */
#define ROUNDS 5000
static void
handover(int me)
{
	int i, v;

	for (i = me; i < 2 * ROUNDS; i += 2) {
		while ((v = *(volatile int *)&sh->a) != i)
			futex(&sh->a, FUTEX_WAIT, v, 0, 0, 0);
		*(volatile int *)&sh->a = i + 1;
		wakeup(&sh->a, 1);
	}
}

static void
futex_handover(void)
{
	int pid;

	share();
	if ((pid = fork()) == 0) {
		handover(1);
		_exit(0);
	}
	handover(0);
	reaped(pid);
	checkeq(sh->a, 2 * ROUNDS);
}

/* The lock of "Futexes are tricky": 0 free, 1 held, 2 held and waited for. */
static void
lock(int *l)
{
	int v = __sync_val_compare_and_swap(l, 0, 1);

	while (v != 0) {
		if (v == 2 || __sync_val_compare_and_swap(l, 1, 2) != 0)
			futex(l, FUTEX_WAIT, 2, 0, 0, 0);
		v = __sync_val_compare_and_swap(l, 0, 2);
	}
}

static void
unlock(int *l)
{
	if (__sync_fetch_and_sub(l, 1) != 1) {
		*(volatile int *)l = 0;
		wakeup(l, 1);
	}
}

static void
futex_mutex(void)
{
	int i, j;

	share();
	for (i = 0; i < 4; i++)
		if ((pids[i] = fork()) == 0) {
			for (j = 0; j < 3000; j++) {
				lock(&sh->a);
				*(volatile int *)&sh->b += 1;
				if (j % 64 == 0)
					sched_yield();
				unlock(&sh->a);
			}
			_exit(0);
		}
	for (i = 0; i < 4; i++)
		reaped(pids[i]);
	checkeq(sh->b, 12000);
}

/* Waiters moved to and fro between two words, while others do the opposite:
 * nobody is lost. */
static void
futex_requeue_storm(void)
{
	int i, left, mover[2];

	share();
	for (i = 0; i < NWAIT; i++)
		waiter(i & 1 ? &sh->a : &sh->b, ~0u);
	for (i = 0; i < 2; i++)
		if ((mover[i] = fork()) == 0)
			for (;;)
				futex(i ? &sh->a : &sh->b, FUTEX_REQUEUE, 0,
					(void *)3, i ? &sh->b : &sh->a, 0);
	for (left = NWAIT; left > 0;)
		left -= wakeup(left & 1 ? &sh->a : &sh->b, 1);
	for (i = 0; i < 2; i++) {
		kill(mover[i], SIGKILL);
		waitpid(mover[i], 0, 0);
	}
	checkeq(left, 0);
	reapwaiters();
}

/*
 * Random calls against a model: for each word, who waits for it in which order.
 */
#define WORDS 3
#define STEPS 300

static struct {
	int slot;
	unsigned bits;
} queue[WORDS][NWAIT];
static int nqueue[WORDS];

static int *
word(int k)
{
	return k == 0 ? &sh->a : k == 1 ? &sh->b : &sh->c;
}

/* Take the i-th waiter out of the model. */
static void
dequeue(int k, int i)
{
	for (nqueue[k]--; i < nqueue[k]; i++)
		queue[k][i] = queue[k][i + 1];
}

/* The i-th waiter of the word must have returned, or been killed. */
static void
gone(int k, int i, int want)
{
	int slot = queue[k][i].slot, st;

	must(waitpid(pids[slot], &st, 0) == pids[slot]);
	checkeq(st, want);
	pids[slot] = 0;
	dequeue(k, i);
}

static void
fuzzstart(int k)
{
	unsigned bits = rnd() % 7 + 1;
	int i;

	for (i = 0; i < NWAIT && pids[i]; i++)
		;
	if (i == NWAIT)
		return;
	if ((pids[i] = fork()) == 0)
		_exit(futex(word(k), FUTEX_WAIT_BITSET, *word(k), 0, 0,
			bits) < 0);
	untilwaiters(word(k), nqueue[k] + 1);
	queue[k][nqueue[k]].slot = i;
	queue[k][nqueue[k]++].bits = bits;
}

/* Those that a wake of n must have woken: how many. */
static int
modelwake(int k, int n, unsigned bits)
{
	int i, woken = 0;

	for (i = 0; i < nqueue[k];) {
		if (!(queue[k][i].bits & bits)) {
			i++;
			continue;
		}
		gone(k, i, 0);
		if (++woken >= n)
			break;
	}
	return woken;
}

static void
fuzzwake(int k)
{
	unsigned bits = rnd() % 7 + 1;
	int n = rnd() % 3, r;

	r = futex(word(k), FUTEX_WAKE_BITSET, n, 0, 0, bits);
	checkeq(r, modelwake(k, n, bits));
}

static void
fuzzrequeue(int k, int to)
{
	int nwake = rnd() % 2, nmove = rnd() % 4, right = rnd() % 4 != 0, n = 0,
		r;

	if (!quire && nqueue[to])
		return; /* where Linux puts them depends on its hash */
	r = futex(word(k), FUTEX_CMP_REQUEUE, nwake, (void *)nmove, word(to),
		*word(k) + !right);
	if (!right) {
		checkeq(r, -1);
		return;
	}
	if (k == to) /* they stay where they are */
		checkeq(r, nwake + nmove < nqueue[k]
			? nwake + nmove : nqueue[k]);
	for (; n < nwake && nqueue[k]; n++)
		gone(k, 0, 0);
	for (; n < nwake + nmove && k != to && nqueue[k]; n++) {
		queue[to][nqueue[to]++] = queue[k][0];
		dequeue(k, 0);
	}
	if (k != to)
		checkeq(r, n);
}

static void
fuzzwakeop(int k, int other)
{
	int n1 = rnd() % 3, n2 = rnd() % 3, old = rnd() % 4, r, want;

	*word(other) = old;
	r = futex(word(k), FUTEX_WAKE_OP, n1, (void *)n2, word(other),
		FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_GT, 1));
	checkeq(*word(other), old + 1);
	want = modelwake(k, n1, ~0u);
	if (old > 1)
		want += modelwake(other, n2, ~0u);
	checkeq(r, want);
}

static void
fuzzkill(int k)
{
	int i;

	if (nqueue[k] == 0)
		return;
	i = rnd() % nqueue[k];
	kill(pids[queue[k][i].slot], SIGKILL);
	gone(k, i, SIGKILL);
}

static void
futex_against_a_model(void)
{
	int step, k, other;

	share();
	memset(pids, 0, sizeof(pids));
	srnd(getpid());
	for (step = 0; step < STEPS; step++) {
		k = rnd() % WORDS;
		other = rnd() % WORDS;
		switch (rnd() % 8) {
		case 0:
			fuzzwake(k);
			break;
		case 1:
			fuzzrequeue(k, other);
			break;
		case 2:
			fuzzwakeop(k, other);
			break;
		case 3:
			fuzzkill(k);
			break;
		default:
			fuzzstart(k);
		}
		for (k = 0; k < WORDS; k++)
			checkeq(waiters(word(k)), nqueue[k]);
	}
	for (k = 0; k < WORDS; k++) {
		checkeq(wakeup(word(k), MANY), nqueue[k]);
		while (nqueue[k])
			gone(k, 0, 0);
	}
}

/* Robust lists. */

#define LOCK(i) (&sh->lock[i].link)
static const long offset = offsetof(struct shared, lock[0].word) -
	offsetof(struct shared, lock[0].link);

static void
makelist(int n)
{
	int i;

	sh->head.list.next = n ? LOCK(0) : &sh->head.list;
	sh->head.futex_offset = offset;
	sh->head.list_op_pending = 0;
	for (i = 0; i < n; i++)
		LOCK(i)->next = i + 1 < n ? LOCK(i + 1) : &sh->head.list;
}

static int
setlist(void *head)
{
	return syscall(SYS_set_robust_list, head, sizeof(sh->head));
}

static void
own(int i, unsigned bits)
{
	sh->lock[i].word = (int)((unsigned)getpid() | bits);
}

#define DIED ((int)FUTEX_OWNER_DIED)

static void
owner(void)
{
	makelist(4);
	own(0, 0);
	own(1, FUTEX_WAITERS);
	sh->lock[2].word = 1; /* another's */
	own(3, FUTEX_OWNER_DIED); /* taken from a dead one */
	own(4, 0);
	sh->head.list_op_pending = LOCK(4);
	own(5, 0); /* not on the list */
	setlist(&sh->head);
}

static void
robust_owner_died(void)
{
	share();
	child(owner);
	checkeq(sh->lock[0].word, DIED);
	checkeq(sh->lock[1].word, (int)(FUTEX_OWNER_DIED | FUTEX_WAITERS));
	checkeq(sh->lock[2].word, 1);
	checkeq(sh->lock[3].word, DIED);
	checkeq(sh->lock[4].word, DIED);
	check(sh->lock[5].word > 1 && sh->lock[5].word < DIED);
}

static void
ownerexecs(void)
{
	owner();
	execl(exepath, exepath, "--exit", "0", (char *)0);
	_exit(0);
}

static void
robust_exec(void)
{
	share();
	status(ownerexecs);
	checkeq(sh->lock[0].word, DIED);
	checkeq(sh->lock[4].word, DIED);
}

static void
owneriskilled(void)
{
	owner();
	kill(getpid(), SIGKILL);
}

static void
robust_killed(void)
{
	share();
	checkdeath(owneriskilled, SIGKILL);
	checkeq(sh->lock[0].word, DIED);
	checkeq(sh->lock[1].word, (int)(FUTEX_OWNER_DIED | FUTEX_WAITERS));
}

/* A dead owner wakes one, if the word says that there may be some. */
static void
robust_wakes_one(void)
{
	int pid, i;

	share();
	if ((pid = fork()) == 0) {
		while (*(volatile int *)&sh->ready == 0)
			sched_yield();
		makelist(2);
		setlist(&sh->head);
		_exit(0);
	}
	sh->lock[0].word = pid | (int)FUTEX_WAITERS;
	sh->lock[1].word = pid;
	for (i = 0; i < 4; i++)
		waiter(&sh->lock[i & 1].word, ~0u);
	sh->ready = 1;
	reaped(pid);
	untilreturned(1);
	checkeq(waiters(&sh->lock[0].word), 1);
	checkeq(waiters(&sh->lock[1].word), 2);
	wakeup(&sh->lock[0].word, MANY);
	wakeup(&sh->lock[1].word, MANY);
	reapwaiters();
}

/* Pending and free already: it may have died before it woke the next. */
static void
pendingowner(void)
{
	makelist(0);
	sh->head.list_op_pending = LOCK(0);
	setlist(&sh->head);
}

static void
robust_pending_wakes(void)
{
	share();
	waiter(&sh->lock[0].word, ~0u);
	child(pendingowner);
	untilreturned(1);
	checkeq(sh->lock[0].word, 0);
	reapwaiters();
}

/* Whatever a list holds, the thread ends; before the bad entry all is done. */
static void *badlink;

static void
badowner(void)
{
	makelist(2);
	own(0, 0);
	own(1, 0);
	LOCK(0)->next = badlink;
	setlist(&sh->head);
}

static void
robust_junk(void)
{
	static void *const links[] = {0, (void *)8, (void *)0x7ffffff8,
		(void *)0x80000000, (void *)0xc0000000, (void *)0xfffffffc};
	unsigned i;

	share();
	for (i = 0; i < NUM(links); i++) {
		badlink = links[i];
		child(badowner);
		checkeq(sh->lock[0].word, DIED);
		check(sh->lock[1].word != DIED);
	}
	badlink = (char *)LOCK(1) + 2; /* a word that is not aligned */
	child(badowner);
	checkeq(sh->lock[0].word, DIED);
	badlink = LOCK(0); /* round and round */
	child(badowner);
	checkeq(sh->lock[0].word, DIED);
}

static void
badhead(void)
{
	checkeq(setlist(badlink), 0);
}

static void
robust_bad_head(void)
{
	static void *const heads[] = {0, (void *)4, (void *)0x7ffffffc,
		(void *)0x80000000, (void *)0xfffffff8};
	unsigned i;

	for (i = 0; i < NUM(heads); i++) {
		badlink = heads[i];
		child(badhead);
	}
	badlink = area(1);
	child(badhead);
}

/* No more than so many entries. */
#define LONG 2050
static int *longlist; /* pairs: next, word */

static void
longowner(void)
{
	int i;

	for (i = 0; i < LONG; i++) {
		longlist[2 * i] = (int)(intptr_t)&longlist[2 * i + 2];
		longlist[2 * i + 1] = getpid();
	}
	sh->head.list.next = (void *)longlist;
	sh->head.futex_offset = 4;
	setlist(&sh->head);
}

static void
robust_limit(void)
{
	share();
	longlist = mmap(0, 8 * PG, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	child(longowner);
	checkeq(longlist[1], DIED);
	checkeq(longlist[2 * 2047 + 1], DIED);
	check(longlist[2 * 2048 + 1] != DIED);
}

static void
robust_get_and_set(void)
{
	struct robust_list_head *head, mine;
	size_t len;

	checkerr(syscall(SYS_set_robust_list, &mine, 8), EINVAL);
	checkerr(syscall(SYS_set_robust_list, &mine, 16), EINVAL);
	checkeq(setlist(&mine), 0);
	checkeq(syscall(SYS_get_robust_list, 0, &head, &len), 0);
	check(head == &mine);
	checkeq(len, 12);
	checkeq(syscall(SYS_get_robust_list, getpid(), &head, &len), 0);
	checkerr(syscall(SYS_get_robust_list, 999999, &head, &len), ESRCH);
	checkerr(syscall(SYS_get_robust_list, 0, 8, &len), EFAULT);
	checkerr(syscall(SYS_get_robust_list, 0, &head, 8), EFAULT);
	setlist(0);
}

static int
vmexit(void *arg)
{
	(void)arg;
	return 0;
}

static void
robust_cleartid_wakes(void)
{
	int pid;

	privateword[0] = 77;
	pid = clone(vmexit, stack + sizeof(stack), CLONE_VM | SIGCHLD |
		CLONE_CHILD_CLEARTID, 0, 0, 0, privateword);
	must(pid > 0);
	while (*(volatile int *)privateword == 77)
		futex(privateword, FUTEX_WAIT, 77, 0, 0, 0);
	checkeq(privateword[0], 0);
	reaped(pid);
}

const struct test t_futex[] = {
	T(futex_errors),
	T(futex_read_only_memory),
	T(futex_wake_counts),
	T(futex_wake_is_fifo),
	T(futex_bitset),
	T(futex_requeue_counts),
	T(futex_requeued_times_out),
	T(futex_wake_op_words),
	T(futex_wake_op_compares),
	T(futex_wake_op_counts),
	T(futex_wake_op_is_atomic),
	T(futex_faults_pages_in),
	T(futex_timeouts),
	T(futex_absolute_timeouts),
	T(futex_clock_is_set),
	T(futex_shared_at_other_addresses),
	T(futex_private_flag),
	T(futex_signals),
	T(futex_stop_and_continue),
	T(futex_killed_waiter),
	T(futex_handover),
	T(futex_mutex),
	T(futex_requeue_storm),
	T(futex_against_a_model),
	T(robust_owner_died),
	T(robust_exec),
	T(robust_killed),
	T(robust_wakes_one),
	T(robust_pending_wakes),
	T(robust_junk),
	T(robust_bad_head),
	T(robust_limit),
	T(robust_get_and_set),
	T(robust_cleartid_wakes),
	{0},
};
