/* host.c - what needs the host's headers, whose names mm/ uses otherwise. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define KERNBASE ((void *)0x80000000u)

void ramnew(unsigned n);
void *hostalloc(unsigned n);
void *hostrealloc(void *, unsigned n);
void hostfree(void *);
int hostrun(void (*fn)(void));

/* RAM, in which nothing is zero by chance. */
void
ramnew(unsigned n)
{
	void *p = mmap(KERNBASE, n, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p != KERNBASE) {
		printf("Bail out! no room for RAM at 0x80000000\n");
		exit(1);
	}
	memset(p, 0xA5, n);
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
