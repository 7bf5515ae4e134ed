/* signal.c - signals to threads. */
#include "p.h"

#include <semaphore.h>
#include <setjmp.h>

#define THREADS 5

static sem_t ready, handled, go;
static volatile int hits[THREADS], strangers, total;
static __thread int me = -1;

static void
hit(int sig)
{
	(void)sig;
	if (me < 0)
		strangers++;
	else
		hits[me]++;
	sem_post(&handled);
}

static void *
target(void *arg)
{
	me = N_(arg);
	sem_post(&ready);
	while (sem_wait(&go) < 0)
		;
	return 0;
}

static void
directed(void)
{
	struct sigaction sa = {.sa_handler = hit};
	pthread_t t[THREADS];
	int i, j;

	sigaction(SIGUSR1, &sa, 0);
	for (i = 0; i < THREADS; i++)
		t[i] = start(target, (void *)(intptr_t)i);
	for (i = 0; i < THREADS; i++)
		sem_wait(&ready);
	for (i = 0; i < THREADS; i++)
		for (j = 0; j <= i; j++) {
			pthread_kill(t[i], SIGUSR1);
			sem_wait(&handled);
		}
	say("kill 0: %s", err(pthread_kill(t[0], 0)));
	for (i = 0; i < THREADS; i++)
		sem_post(&go);
	for (i = 0; i < THREADS; i++)
		join(t[i]);
	say("hits %d %d %d %d %d, strangers %d", hits[0], hits[1], hits[2],
		hits[3], hits[4], strangers);
}

static void *
waiter(void *arg)
{
	sigset_t *set = arg;
	int sig, n = 0;

	for (;;) {
		if (sigwait(set, &sig) != 0)
			continue;
		if (sig == SIGTERM)
			return (void *)(intptr_t)n;
		n++;
		sem_post(&handled);
	}
}

/* All threads block it; one waits for it. */
static void
waited(void)
{
	struct timespec t = {0, 20000000};
	sigset_t set, old;
	pthread_t id;
	int i;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	id = start(waiter, &set);
	for (i = 0; i < 100; i++) {
		if (i % 2)
			kill(getpid(), SIGUSR2);
		else
			pthread_kill(id, SIGUSR2);
		sem_wait(&handled);
	}
	kill(getpid(), SIGTERM);
	say("sigwait got %d", N_(join(id)));
	i = sigtimedwait(&set, 0, &t);
	say("sigtimedwait %s", i < 0 ? err(errno) : "a signal");
	pthread_sigmask(SIG_SETMASK, &old, 0);
}

static void *
masked(void *arg)
{
	sigset_t mine, pend;

	pthread_sigmask(SIG_SETMASK, 0, &mine);
	raise(SIGHUP);
	sigpending(&pend);
	say("%s: blocked %d, pending %d", (char *)arg,
		sigismember(&mine, SIGHUP), sigismember(&pend, SIGHUP));
	return 0;
}

/* Masks are inherited, and each thread's own; so is what it is sent. */
static void
masks(void)
{
	sigset_t set, old, pend;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	join(start(masked, "thread"));
	sigpending(&pend);
	say("main: pending %d", sigismember(&pend, SIGHUP));
	pthread_sigmask(SIG_SETMASK, &old, 0);
}

static __thread sigjmp_buf env;
static __thread volatile int onalt;
static int recovered;
static volatile int *volatile badaddr = (volatile int *)16;

static void
fault(int sig, siginfo_t *si, void *uc)
{
	char here;
	stack_t ss;

	(void)sig;
	(void)uc;
	sigaltstack(0, &ss);
	onalt = &here > (char *)ss.ss_sp &&
		&here < (char *)ss.ss_sp + ss.ss_size &&
		si->si_addr == (void *)badaddr;
	siglongjmp(env, 1);
}

static void *
faulty(void *arg)
{
	stack_t ss = {.ss_sp = malloc(32 << 10), .ss_size = 32 << 10};
	int i;

	sigaltstack(&ss, 0);
	for (i = 0; i < 20; i++) {
		if (sigsetjmp(env, 1) == 0)
			*badaddr = 1;
		__sync_fetch_and_add(&recovered, onalt);
	}
	ss.ss_flags = SS_DISABLE;
	sigaltstack(&ss, 0);
	return arg;
}

static void
faults(void)
{
	struct sigaction sa = {.sa_sigaction = fault,
		.sa_flags = SA_SIGINFO | SA_ONSTACK};

	sigaction(SIGSEGV, &sa, 0);
	crowd(THREADS, faulty);
	say("recovered %d times", recovered);
	signal(SIGSEGV, SIG_DFL);
}

/* The process is signalled: some thread that does not block it runs the
 * handler, once for each. */
static void
any(int sig)
{
	(void)sig;
	__sync_fetch_and_add(&total, 1);
	sem_post(&handled);
}

static void
undirected(void)
{
	struct sigaction sa = {.sa_handler = any};
	pthread_t t[THREADS];
	int i;

	sigaction(SIGUSR1, &sa, 0);
	for (i = 0; i < THREADS; i++)
		t[i] = start(target, (void *)(intptr_t)i);
	for (i = 0; i < THREADS; i++)
		sem_wait(&ready);
	for (i = 0; i < 50; i++) {
		kill(getpid(), SIGUSR1);
		while (sem_wait(&handled) < 0)
			;
	}
	for (i = 0; i < THREADS; i++)
		sem_post(&go);
	for (i = 0; i < THREADS; i++)
		join(t[i]);
	say("process: %d handled", total);
}

static void *
waitsgo(void *arg)
{
	sem_post(&ready);
	while (sem_wait(&go) < 0)
		;
	return arg;
}

/* libc tells all threads, by a signal of its own. */
static void
identity(void)
{
	pthread_t t[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		t[i] = start(waitsgo, 0);
	for (i = 0; i < THREADS; i++)
		sem_wait(&ready);
	say("setgid %s", setgid(getgid()) < 0 ? err(errno) : "0");
	say("setuid %s", setuid(getuid()) < 0 ? err(errno) : "0");
	for (i = 0; i < THREADS; i++)
		sem_post(&go);
	for (i = 0; i < THREADS; i++)
		join(t[i]);
}

void
signals(void)
{
	sem_init(&ready, 0, 0);
	sem_init(&handled, 0, 0);
	sem_init(&go, 0, 0);
	directed();
	waited();
	masks();
	faults();
	undirected();
	identity();
}
