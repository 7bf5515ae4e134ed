/* host.c - what needs the host's headers, whose names mm/ uses otherwise. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define KERNBASE ((char *)0x80000000u)
#define ALIAS    ((char *)0x90000000u) /* all RAM, for the tests */

void ramnew(unsigned n, unsigned direct, unsigned (*kva2pa)(unsigned));
void ramforget(unsigned va);
void *ram(unsigned pa);
void *hostalloc(unsigned n);
void *hostrealloc(void *, unsigned n);
void hostfree(void *);
int hostrun(void (*fn)(void));

static int ramfd;
static unsigned (*translation)(unsigned va);

static void windowfault(int, siginfo_t *, void *);

/* RAM, in which nothing is zero by chance: the first direct bytes at KERNBASE,
 * all of it at ALIAS. */
void
ramnew(unsigned n, unsigned direct, unsigned (*kva2pa)(unsigned))
{
	int flags = MAP_SHARED | MAP_FIXED_NOREPLACE;
	struct sigaction sa = {.sa_flags = SA_SIGINFO};

	direct = direct < n ? direct : n;
	ramfd = memfd_create("ram", 0);
	if (ramfd < 0 || ftruncate(ramfd, n) < 0 ||
		mmap(KERNBASE, direct, 3, flags, ramfd, 0) != KERNBASE ||
		mmap(ALIAS, n, 3, flags, ramfd, 0) != ALIAS) {
		printf("Bail out! no room for RAM at 0x80000000\n");
		exit(1);
	}
	memset(ALIAS, 0xA5, n);
	if (direct == n)
		return;
	translation = kva2pa;
	sa.sa_sigaction = windowfault;
	sigaction(SIGSEGV, &sa, 0);
}

/* A temporary mapping of the kernel is used for the first time: make it. */
static void
windowfault(int sig, siginfo_t *info, void *context)
{
	unsigned va = (unsigned)info->si_addr & ~4095u, pa = translation(va);

	(void)context;
	if (pa == 0 || mmap((void *)va, 4096, 3, MAP_SHARED | MAP_FIXED, ramfd,
			       pa) == MAP_FAILED)
		signal(sig, SIG_DFL);
}

/* The kernel unmapped it. */
void
ramforget(unsigned va)
{
	munmap((void *)va, 4096);
}

void *
ram(unsigned pa)
{
	return ALIAS + pa;
}

void *
hostalloc(unsigned n)
{
	void *p = calloc(1, n);

	return p ? p : (abort(), p);
}

void *
hostrealloc(void *old, unsigned n)
{
	void *p = realloc(old, n);

	return p ? p : (abort(), p);
}

void
hostfree(void *p)
{
	free(p);
}

/* Call fn in a process of its own: did it return? */
int
hostrun(void (*fn)(void))
{
	int status, pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		fn();
		fflush(stdout);
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}
