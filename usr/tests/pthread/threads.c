/* threads.c - many threads, detached ones, attributes; ends of processes. */
#include "p.h"

#include <semaphore.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#define MANY 200

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int here, go, tids[MANY];
static sem_t done;

static void *
stand(void *arg)
{
	tids[N_(arg)] = (int)syscall(SYS_gettid);
	pthread_mutex_lock(&m);
	here++;
	pthread_cond_broadcast(&c);
	while (!go)
		pthread_cond_wait(&c, &m);
	here--;
	pthread_mutex_unlock(&m);
	return (void *)(intptr_t)(N_(arg) * 2);
}

static void
many(void)
{
	pthread_t t[MANY];
	int i, j, sum = 0, same = 0;

	for (i = 0; i < MANY; i++)
		t[i] = start(stand, (void *)(intptr_t)i);
	pthread_mutex_lock(&m);
	while (here < MANY)
		pthread_cond_wait(&c, &m);
	say("%d at once", here);
	go = 1;
	pthread_cond_broadcast(&c);
	pthread_mutex_unlock(&m);
	for (i = 0; i < MANY; i++)
		sum += N_(join(t[i]));
	for (i = 0; i < MANY; i++)
		for (j = 0; j < i; j++)
			same += tids[i] == tids[j] || tids[i] == getpid();
	say("%d left, sum %d, same ids %d", here, sum, same);
}

static void *
leave(void *arg)
{
	if (N_(arg) % 2)
		pthread_detach(pthread_self());
	sem_post(&done);
	return 0;
}

static void
detached(void)
{
	pthread_attr_t a;
	pthread_t t;
	int i, e = 0;

	pthread_attr_init(&a);
	for (i = 0; i < 100; i++) {
		pthread_attr_setdetachstate(&a, i % 2 ?
			PTHREAD_CREATE_JOINABLE : PTHREAD_CREATE_DETACHED);
		e |= pthread_create(&t, &a, leave, (void *)(intptr_t)i);
	}
	for (i = 0; i < 100; i++)
		sem_wait(&done);
	say("100 detached: %s", err(e));
	for (i = 0; i < 300; i++)
		join(start(leave, 0));
	say("300 one after another");
	pthread_attr_destroy(&a);
}

static int
deep(int n)
{
	volatile char frame[1024];

	frame[0] = frame[1023] = (char)n;
	return n == 0 ? 0 : deep(n - 1) + frame[0] - frame[1023] + 1;
}

static void *
onstack(void *arg)
{
	pthread_attr_t a;
	void *base;
	size_t size = 0, guard = 0;
	char here_;

	pthread_getattr_np(pthread_self(), &a);
	pthread_attr_getstack(&a, &base, &size);
	pthread_attr_getguardsize(&a, &guard);
	say("%s: depth %d, inside %d, guard %d", (char *)arg, deep(100),
		&here_ > (char *)base && &here_ < (char *)base + size,
		guard > 0);
	pthread_attr_destroy(&a);
	return 0;
}

static void *
overflow(void *arg)
{
	return (void *)(intptr_t)deep(N_(arg));
}

static void
overflows(void)
{
	pthread_attr_t a;
	pthread_t t;

	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, 128 << 10);
	pthread_create(&t, &a, overflow, (void *)1000000);
	join(t);
}

static void
stacks(void)
{
	static const int sizes[] = {160 << 10, 1 << 20, 16 << 20};
	pthread_attr_t a;
	pthread_t t;
	void *own;
	int i;

	for (i = 0; i < NUM(sizes); i++) {
		pthread_attr_init(&a);
		pthread_attr_setstacksize(&a, sizes[i]);
		pthread_attr_setguardsize(&a, 4096);
		if (pthread_create(&t, &a, onstack, "stack size") == 0)
			join(t);
		pthread_attr_destroy(&a);
	}
	own = mmap(0, 256 << 10, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_init(&a);
	pthread_attr_setstack(&a, own, 256 << 10);
	pthread_attr_getstacksize(&a, &(size_t){0});
	pthread_create(&t, &a, overflow, (void *)150);
	say("own stack: depth %d", N_(join(t)));
	say("stack size 1: %s", err(pthread_attr_setstacksize(&a, 1)));
	say("overflow: signal %d", process(overflows) & 0x7f);
}

static void *
named(void *arg)
{
	char name[17] = "";

	snprintf(name, sizeof(name), "thread-%d", N_(arg));
	pthread_setname_np(pthread_self(), name);
	sched_yield();
	prctl(PR_GET_NAME, name);
	return (void *)(intptr_t)(strncmp(name, "thread-", 7) == 0 &&
		atoi(name + 7) == N_(arg));
}

static void
names(void)
{
	char name[17] = "";
	pthread_t t[10];
	int i, good = 0;

	prctl(PR_SET_NAME, "main-thread");
	for (i = 0; i < 10; i++)
		t[i] = start(named, (void *)(intptr_t)i);
	for (i = 0; i < 10; i++)
		good += N_(join(t[i]));
	prctl(PR_GET_NAME, name);
	say("%d named, and %s; too long: %d", good, name,
		pthread_setname_np(pthread_self(), "much longer than sixteen"));
}

void
threads(void)
{
	sem_init(&done, 0, 0);
	many();
	detached();
	stacks();
	names();
}

/* How a process with threads ends. */

static void *
forever(void *arg)
{
	for (;;)
		if (arg)
			pause();
	return 0;
}

static void *
exitsall(void *arg)
{
	exit(N_(arg));
}

/* exit() by another thread, while one runs and one sleeps. */
static void
byexit(void)
{
	start(forever, 0);
	start(forever, &done);
	start(exitsall, (void *)7);
	forever(&done);
}

static void *
lastone(void *arg)
{
	nap(30);
	say("the last thread");
	return arg;
}

void
mainfirst(void)
{
	start(lastone, 0);
	pthread_exit((void *)5);
}

/* Not as a mere fork: musl 1.2.3 has no clear_child_tid there, and waits for
 * its own lock. */
static void
execmainfirst(void)
{
	execl(program, program, "--mainfirst", (char *)0);
}

static void
mainreturns(void)
{
	start(forever, 0);
	start(forever, &done);
}

static void *
segv(void *arg)
{
	*(volatile int *)arg = 1;
	return 0;
}

static void
bysignal(void)
{
	start(forever, &done);
	start(segv, 0);
	forever(&done);
}

static void *
execs(void *arg)
{
	execl(program, program, "--execed", (char *)0);
	return arg;
}

static void
byexec(void)
{
	start(forever, 0);
	start(forever, &done);
	start(execs, 0);
	forever(&done);
}

static void
byexecofmain(void)
{
	start(forever, 0);
	start(forever, &done);
	execs(0);
}

static void
bykill(void)
{
	start(forever, 0);
	start(forever, &done);
	kill(getpid(), SIGKILL);
	forever(&done);
}

void
endings(void)
{
	say("exit of a thread: %x", process(byexit));
	say("main first: %x", process(execmainfirst));
	say("main returns: %x", process(mainreturns));
	say("fault of a thread: signal %d", process(bysignal) & 0x7f);
	say("exec of a thread: %x", process(byexec));
	say("exec of main: %x", process(byexecofmain));
	say("killed: %x", process(bykill));
}
