/*
 * div64.c - 64-bit division, which compilers call by these names on i386.
 *
 * The instruction divl divides 64 bits by 32 if the quotient fits 32 bits;
 * everything is made from that (Knuth, The Art of Computer Programming, volume
 * 2, 4.3.1, algorithm D, with digits of 32 bits).  A divisor of 0 makes divl
 * trap.
 */
#include "kern/types.h"

uint64_t __udivmoddi4(uint64_t n, uint64_t d, uint64_t *rem);
uint64_t __udivdi3(uint64_t n, uint64_t d);
uint64_t __umoddi3(uint64_t n, uint64_t d);
int64_t __divdi3(int64_t n, int64_t d);
int64_t __moddi3(int64_t n, int64_t d);

static uint divl(uint hi, uint lo, uint d, uint *rem);
static uint64_t divlong(uint64_t n, uint64_t d, uint64_t *rem);

/* n / d, and the remainder to *rem. */
uint64_t
__udivmoddi4(uint64_t n, uint64_t d, uint64_t *rem)
{
	uint lo = (uint)d, hi, q1, q0, r;

	if (d >> 32)
		return divlong(n, d, rem);
	hi = (uint)(n >> 32);
	q1 = hi / lo;
	q0 = divl(hi % lo, (uint)n, lo, &r);
	*rem = r;
	return (uint64_t)q1 << 32 | q0;
}

/* The 64 bits hi:lo divided by d, and the remainder to *rem.  hi < d, so that
 * the quotient fits 32 bits. */
static uint
divl(uint hi, uint lo, uint d, uint *rem)
{
	uint q;

	__asm__("divl %4"
		: "=a"(q), "=d"(*rem)
		: "a"(lo), "d"(hi), "rm"(d)
		: "cc");
	return q;
}

/* n / d, and the remainder to *rem, where d needs more than 32 bits; so the
 * quotient fits 32.  The quotient is guessed from the leading 32 bits of d:
 * with d shifted up until its top bit is set, the guess is right or one too
 * large.  One is taken away, and the remainder tells whether that was too
 * much. */
static uint64_t
divlong(uint64_t n, uint64_t d, uint64_t *rem)
{
	int shift = __builtin_clz((uint)(d >> 32));
	uint64_t m = n >> 1;
	uint top = (uint)(d << shift >> 32);
	uint q, r;

	q = divl((uint)(m >> 32), (uint)m, top, &r);
	q = (uint)((uint64_t)q << shift >> 31);
	if (q)
		q--; /* now right, or one too small */
	n -= q * d;
	if (n >= d) {
		q++;
		n -= d;
	}
	*rem = n;
	return q;
}

/* n / d */
uint64_t
__udivdi3(uint64_t n, uint64_t d)
{
	uint64_t rem;

	return __udivmoddi4(n, d, &rem);
}

/* n % d */
uint64_t
__umoddi3(uint64_t n, uint64_t d)
{
	uint64_t rem;

	__udivmoddi4(n, d, &rem);
	return rem;
}

/* n / d, rounded towards zero. */
int64_t
__divdi3(int64_t n, int64_t d)
{
	uint64_t un = n < 0 ? -(uint64_t)n : (uint64_t)n;
	uint64_t ud = d < 0 ? -(uint64_t)d : (uint64_t)d;
	uint64_t q = __udivdi3(un, ud);

	return (n < 0) != (d < 0) ? -q : q;
}

/* n % d; has the sign of n. */
int64_t
__moddi3(int64_t n, int64_t d)
{
	uint64_t un = n < 0 ? -(uint64_t)n : (uint64_t)n;
	uint64_t ud = d < 0 ? -(uint64_t)d : (uint64_t)d;
	uint64_t r = __umoddi3(un, ud);

	return n < 0 ? -r : r;
}
