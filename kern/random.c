/*
 * random.c - unpredictable bytes from ChaCha20 (RFC 8439, 2.3).
 *
 * The key is secret and changes with each request: of the block it makes, one
 * half becomes the next key and the other the request's own key, so nobody who
 * reads the kernel's memory later learns what was given out before.  The
 * moments of interrupts are mixed in as they come.
 */
#include "kern/random.h"
#include "arch/cpu.h"
#include "arch/rtc.h"
#include "arch/x86.h"
#include "kern/lock/lock.h"
#include "kern/sched.h"
#include "kern/lib/string.h"

static struct spinlock lock = {0, RANK_LEAF};
static uint key[8];   /* [lock], but for randomstir */
static uint stirred;  /* where randomstir goes on */
static int seeded;    /* [lock] */

static void seed(void);
static void chacha(uint out[16], const uint k[8], uint counter);

void
randombytes(void *buf, uint n)
{
	uint block[16], mine[8], i;
	char *to = buf;

	acquire(&lock);
	if (!seeded)
		seed();
	randomstir();
	chacha(block, key, 0);
	memcpy(key, block, sizeof(key));
	release(&lock);
	memcpy(mine, block + 8, sizeof(mine));
	if (n <= sizeof(mine)) {
		memcpy(to, mine, n);
		return;
	}
	for (i = 1; n > 0; i++) {
		uint len = MIN(n, sizeof(block));

		chacha(block, mine, i);
		memcpy(to, block, len);
		to += len;
		n -= len;
	}
}

/* A time-stamp as fine as there is one. */
static uint64_t
stamp(void)
{
	return cpuinfo.features & CPU_TSC ? rdtsc() : pitns();
}

void
randomstir(void)
{
	uint64_t t = stamp();
	uint i = stirred++ & 7;

	key[i] ^= (uint)t;
	key[(i + 3) & 7] += (uint)(t >> 32) ^ (uint)t << 13;
}

/* The first key: the date, and how long small things take. */
static void
seed(void)
{
	uint64_t now = (uint64_t)rtcread();
	uint block[16], i;

	key[0] ^= (uint)now;
	for (i = 0; i < 64; i++) {
		key[i & 7] ^= (uint)stamp();
		inb(0x61); /* the bus takes its time */
		if ((i & 7) == 7) {
			chacha(block, key, i);
			memcpy(key, block, sizeof(key));
		}
	}
	seeded = 1;
}

static inline uint
rotate(uint v, int n)
{
	return v << n | v >> (32 - n);
}

static inline __attribute__((always_inline)) void
quarter(uint *pa, uint *pb, uint *pc, uint *pd)
{
	uint a = *pa, b = *pb, c = *pc, d = *pd;

	d = rotate(d ^ (a += b), 16);
	b = rotate(b ^ (c += d), 12);
	d = rotate(d ^ (a += b), 8);
	b = rotate(b ^ (c += d), 7);
	*pa = a;
	*pb = b;
	*pc = c;
	*pd = d;
}

static void
chacha(uint out[16], const uint k[8], uint counter)
{
	static const uint head[4] = {
		0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
	uint in[16], i;

	memcpy(in, head, sizeof(head));
	memcpy(in + 4, k, 8 * sizeof(uint));
	in[12] = counter;
	in[13] = in[14] = in[15] = 0;
	memcpy(out, in, sizeof(in));
	for (i = 0; i < 10; i++) {
		quarter(&out[0], &out[4], &out[8], &out[12]);
		quarter(&out[1], &out[5], &out[9], &out[13]);
		quarter(&out[2], &out[6], &out[10], &out[14]);
		quarter(&out[3], &out[7], &out[11], &out[15]);
		quarter(&out[0], &out[5], &out[10], &out[15]);
		quarter(&out[1], &out[6], &out[11], &out[12]);
		quarter(&out[2], &out[7], &out[8], &out[13]);
		quarter(&out[3], &out[4], &out[9], &out[14]);
	}
	for (i = 0; i < 16; i++)
		out[i] += in[i];
}
