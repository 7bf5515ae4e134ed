/* tls.c - __thread variables, keys and their destructors. */
#include "p.h"

#define THREADS 50

static __thread int zero, seven = 7, array[1000];
static __thread char text[8] = "tls";
static pthread_key_t key, again, silent;
static int wrong, destroyed, rounds, sum;
static pthread_barrier_t b;

static void
destroy(void *v)
{
	__sync_fetch_and_add(&destroyed, 1);
	__sync_fetch_and_add(&sum, N_(v));
}

/* Does not let go. */
static void
destroyagain(void *v)
{
	__sync_fetch_and_add(&rounds, 1);
	pthread_setspecific(again, v);
}

static void *
use(void *arg)
{
	int i, me = N_(arg) + 1;

	if (zero != 0 || seven != 7 || array[999] != 0 || strcmp(text, "tls") ||
		pthread_getspecific(key))
		__sync_fetch_and_add(&wrong, 1);
	zero = seven = me;
	for (i = 0; i < NUM(array); i++)
		array[i] = me;
	text[0] = (char)me;
	pthread_setspecific(key, (void *)(intptr_t)me);
	pthread_setspecific(silent, (void *)(intptr_t)me);
	if (me <= 10)
		pthread_setspecific(again, arg ? arg : &b);
	pthread_barrier_wait(&b);
	for (i = 0; i < NUM(array); i++)
		if (array[i] != me)
			__sync_fetch_and_add(&wrong, 1);
	if (zero != me || seven != me || text[0] != (char)me ||
		N_(pthread_getspecific(key)) != me ||
		N_(pthread_getspecific(silent)) != me)
		__sync_fetch_and_add(&wrong, 1);
	if (me % 2)
		pthread_exit(0);
	return 0;
}

void
tlsdata(void)
{
	pthread_key_t k[2000];
	int n, e;

	pthread_key_create(&key, destroy);
	pthread_key_create(&again, destroyagain);
	pthread_key_create(&silent, 0);
	pthread_barrier_init(&b, 0, THREADS);
	pthread_setspecific(key, &b);
	zero = 1000;
	crowd(THREADS, use);
	say("wrong %d, destroyed %d, sum %d, rounds %d", wrong, destroyed, sum,
		rounds);
	say("main: %d %d %d %s, key %s", zero, seven, array[5], text,
		pthread_getspecific(key) == &b ? "kept" : "lost");
	for (n = 0; n < NUM(k) && (e = pthread_key_create(&k[n], 0)) == 0; n++)
		;
	say("%d more keys, then %s", n, err(e));
	pthread_key_delete(k[0]);
	e = pthread_key_create(&k[0], 0);
	say("one back: %s, its value %s", err(e),
		pthread_getspecific(k[0]) ? "old" : "none");
}
