/*
 * crash.c - dies by a store to address 16, with known values in known places,
 * for the debugger to find in its core file.
 *
 *   crash            main() calls one(), that two(), which does it
 *   crash threads    a thread does, while two others wait in waiter()
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define WAITERS 2

int global = 0x1234abcd;
const char text[] = "read only";
char *heap, *shared, *anon;
__thread int own = 7;

static pthread_barrier_t ready;

static void
two(int a, const char *s)
{
	volatile int *bad = (volatile int *)16;
	int local = a * 2;

	global++;
	__asm__ volatile("fninit\n\tfldpi\n\tmov $0x5eed, %%esi\n\t"
			 "movl %1, %0"
			 : "=m"(*bad)
			 : "r"(local)
			 : "esi");
	(void)s;
}

static void
one(int a)
{
	two(a + 1, text);
}

static void *
waiter(void *arg)
{
	own = 100 + (int)(long)arg;
	pthread_barrier_wait(&ready);
	for (;;)
		pause();
	return 0;
}

static void *
crasher(void *arg)
{
	own = 200;
	pthread_barrier_wait(&ready);
	one((int)(long)arg);
	return 0;
}

int
main(int argc, char **argv)
{
	int flags = MAP_ANONYMOUS, i;
	pthread_t t;

	heap = strdup("on the heap");
	shared = mmap(0, 8192, PROT_READ | PROT_WRITE, flags | MAP_SHARED, -1,
		0);
	anon = mmap(0, 64 << 20, PROT_READ | PROT_WRITE,
		flags | MAP_PRIVATE | MAP_NORESERVE, -1, 0);
	strcpy(shared, "shared memory");
	strcpy(anon + (32 << 20), "far away");
	if (argc == 1)
		one(20);
	if (strcmp(argv[1], "threads"))
		return 2;
	pthread_barrier_init(&ready, 0, WAITERS + 1);
	for (i = 0; i < WAITERS; i++)
		pthread_create(&t, 0, waiter, (void *)(long)i);
	pthread_create(&t, 0, crasher, (void *)20L);
	pthread_join(t, 0);
	return 1;
}
