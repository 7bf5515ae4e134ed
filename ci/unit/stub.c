/*
 * stub.c - what mm/ calls in the rest of the kernel, as small as it can be,
 * and the allocations that fail on purpose.
 *
 * Sleep locks check that they are taken once and with no spinlock held; the
 * spinlocks are the kernel's own (kern/lock/spinlock.c with its rank checks).
 */
#include "unit.h"
#include "arch/multiboot.h"
#include "kern/sched.h"
#include <stdio.h>
#include <stdlib.h>

struct cpu cpus[NCPU];
int ncpu = 2;
int thiscpu;
struct cpuinfo cpuinfo = {.features = CPU_PGE | CPU_PSE};
struct bootinfo bootinfo;

uint userend = ~0u;
void **waits;
int failnext;
uint nfailed;
void (*allochook)(void);

static int failnow(void);

struct page *__real_allocpage(int);
struct page *__wrap_allocpage(int);
void *__real_slaballoc(struct slabcache *);
void *__wrap_slaballoc(struct slabcache *);
void *__real_kmalloc(uint);
void *__wrap_kmalloc(uint);

/* What the kernel's tables say of a page in the vmap window; 0: nothing. */
static uint
windowpa(uint va)
{
	pte_t *slot = va >= VMAPBASE && va < DEVSPACE ? walkpgdir(kpgdir, va, 0)
						      : 0;

	return slot && (*slot & PTE_P) ? PTE_ADDR(*slot) : 0;
}

/* Boot as kmain() does. */
void
boot(uint n)
{
	ramnew(n, DIRECTMAX, windowpa);
	for (int i = 0; i < NCPU; i++) {
		cpus[i].self = &cpus[i];
		cpus[i].id = i;
	}
	bootinfo.nram = 2;
	bootinfo.ram[0] = (struct memrange){0, 0x9f000};
	bootinfo.ram[1] = (struct memrange){EXTMEM, n};
	kinit1();
	kvmalloc();
	kinit2();
	slabinit();
	uvminit();
}

void
check_mm(void)
{
	char buf[256];

	vmcheck(buf, sizeof(buf));
}

uint
freeframes(void)
{
	return pagecount(PG_FREE) + pagecount(PG_CPU);
}

void
panic(const char *fmt, ...)
{
	va_list ap;

	printf("# panic: ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	abort(); /* the sanitizer prints where */
}

void
callers(uint fp, uint at[])
{
	(void)fp;
	memset(at, 0, NCALLERS * sizeof(at[0]));
}

void
pushcli(void)
{
	mycpu()->ncli++;
}

void
popcli(void)
{
	assert(mycpu()->ncli > 0);
	mycpu()->ncli--;
}

void
initsleeplock(struct sleeplock *l, int rank)
{
	l->state = 0;
	l->rank = rank;
}

void
acquiresleep(struct sleeplock *l)
{
	assert(mycpu()->ncli == 0);
	assert(l->state == 0); /* nobody else runs: this would be for ever */
	l->state = 1;
}

void
releasesleep(struct sleeplock *l)
{
	assert(l->state == 1);
	l->state = 0;
}

int
holdingsleep(struct sleeplock *l)
{
	return l->state;
}

void
initrwlock(struct rwlock *l, int rank)
{
	l->rank = rank;
	l->state = 0;
}

void
acquirewrite(struct rwlock *l)
{
	assert(mycpu()->ncli == 0);
	if (l->state && waits)
		__builtin_longjmp(waits, 1); /* it would wait for its sibling */
	assert(l->state == 0);
	l->state = RW_WRITER;
}

void
releasewrite(struct rwlock *l)
{
	assert(l->state == RW_WRITER);
	l->state = 0;
}

int
holdingwrite(struct rwlock *l)
{
	return l->state & RW_WRITER;
}

void
acquirereadbusy(struct rwlock *l)
{
	assert(!l); /* one writes, and nobody else runs */
}

void
releasereadbusy(struct rwlock *l)
{
	assert(!l);
}

void
initwaitq(struct waitq *q)
{
	listinit(&q->waiters);
}

/* Nobody else runs, but a disk may have something to tell (disk.c). */
void
sleep(struct waitq *q, struct spinlock *lk)
{
	assert(q);
	release(lk);
	assert(mycpu()->ncli == 0);
	if (!diskstep())
		fail("sleeps for ever");
	acquire(lk);
}

int
sleepuntil(struct waitq *q, struct spinlock *lk, int64_t deadline, int flags)
{
	(void)deadline, (void)flags;
	sleep(q, lk);
	return 0;
}

struct proc *
kthread(const char *name, void (*fn)(void *), void *arg)
{
	(void)name, (void)fn, (void)arg;
	return 0;
}

void
wakeup(struct waitq *q)
{
	(void)q;
}

/* "tlbcheck" is not on the command line: mmu.c looks closer. */
int
bootflag(const char *name)
{
	(void)name;
	return 0;
}

void
xcall(uint set, void (*fn)(void *), void *arg)
{
	(void)set;
	fn(arg);
}

int
probeuser(uint uva, int write)
{
	(void)uva, (void)write;
	return 0;
}

void
xcallserve(void)
{
}

/* A file that nobody but the test and mappings hold. */
struct file *
filenew(struct pcache *pc, uint flags)
{
	struct file *f = hostalloc(sizeof(*f));

	f->ref = 1;
	f->flags = flags;
	f->priv = pc;
	return f;
}

struct file *
filedup(struct file *f)
{
	assert(f->ref > 0);
	f->ref++;
	return f;
}

void
fileclose(struct file *f)
{
	assert(mycpu()->ncli == 0);
	assert(f->ref > 0);
	if (--f->ref == 0)
		hostfree(f);
}

struct pcache *
filepcache(struct file *f)
{
	return f->priv;
}

int
filepunch(struct file *f, uint64_t off, uint64_t n)
{
	pcachepunch(f->priv, off, off + n);
	return 0;
}

void
filemodified(struct file *f)
{
	assert(f->ref > 0);
}

int
filemine(struct file *f)
{
	return f != 0;
}

struct pcache *
filepages(struct file *f)
{
	return f->priv;
}

uint
strlcpy(char *dst, const char *src, uint n)
{
	return snprintf(dst, n, "%s", src);
}

/* User memory is the host's; from userend on there is none. */
static uint
left(uint uva, uint n)
{
	assert(mycpu()->ncli == 0);
	if (uva >= userend)
		return n;
	return n > userend - uva ? n - (userend - uva) : 0;
}

uint
copyin(void *dst, uint uva, uint n)
{
	uint bad = left(uva, n);

	memcpy(dst, (void *)uva, n - bad);
	return bad;
}

uint
copyout(uint uva, const void *src, uint n)
{
	uint bad = left(uva, n);

	memcpy((void *)uva, src, n - bad);
	return bad;
}

uint
clearout(uint uva, uint n)
{
	uint bad = left(uva, n);

	memset((void *)uva, 0, n - bad);
	return bad;
}

/* Is it this allocation's turn to fail? */
static int
failnow(void)
{
	if (allochook && mycpu()->ncli == 0)
		allochook();
	if (failnext == 0 || --failnext > 0)
		return 0;
	nfailed++;
	return 1;
}

struct page *
__wrap_allocpage(int state)
{
	return failnow() ? 0 : __real_allocpage(state);
}

void *
__wrap_slaballoc(struct slabcache *c)
{
	return failnow() ? 0 : __real_slaballoc(c);
}

void *
__wrap_kmalloc(uint n)
{
	return failnow() ? 0 : __real_kmalloc(n);
}

uint
readeflags(void)
{
	return mycpu()->ncli ? 0 : FL_IF;
}
