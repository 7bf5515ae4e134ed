/*
 * string.c - the string functions of C that the kernel uses (C11 7.24).
 *
 * The compiler calls the first four on its own account, so they must not be
 * written as loops that it would turn into calls of themselves.
 */
#include "kern/lib/string.h"

#include "arch/x86.h"

static int digit(int c);

void *
memset(void *dst, int c, size_t n)
{
	char *p = dst;
	uint words = n / 4;

	stosl(p, (c & 0xFF) * 0x01010101u, words);
	p += words * 4;
	for (n &= 3; n > 0; n--)
		*(volatile char *)p++ = c;
	return dst;
}

void *
memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	char *to = dst;
	const char *from = src;
	uint words = n / 4;

	movsl(to, from, words);
	to += words * 4;
	from += words * 4;
	for (n &= 3; n > 0; n--)
		*(volatile char *)to++ = *from++;
	return dst;
}

/* Upwards where that does not overwrite what is still to be read. */
void *
memmove(void *dst, const void *src, size_t n)
{
	char *to = dst;
	const char *from = src;

	if ((size_t)to - (size_t)from >= n)
		return memcpy(dst, src, n);
	while (n & 3) {
		n--;
		((volatile char *)to)[n] = from[n];
	}
	n /= 4;
#pragma GCC unroll 8
	for (; n > 0; n--)
		((volatile uint *)to)[n - 1] = ((const uint *)from)[n - 1];
	return dst;
}

int
memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *p = a, *q = b;

	while (n >= 4 && *(const uint *)p == *(const uint *)q) {
		p += 4;
		q += 4;
		n -= 4;
	}
	for (; n > 0; n--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}

size_t
strlen(const char *s)
{
	const char *p = s;

	while (*(const volatile char *)p)
		p++;
	return p - s;
}

int
strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (uint8_t)*a - (uint8_t)*b;
}

int
strncmp(const char *a, const char *b, size_t n)
{
	for (; n > 0; n--, a++, b++)
		if (*a == 0 || *a != *b)
			return (uint8_t)*a - (uint8_t)*b;
	return 0;
}

char *
strchr(const char *s, int c)
{
	for (; *s != (char)c; s++)
		if (*s == 0)
			return 0;
	return (char *)s;
}

char *
strrchr(const char *s, int c)
{
	const char *last = 0;

	do
		if (*s == (char)c)
			last = s;
	while (*s++);
	return (char *)last;
}

/* Copy at most n - 1 bytes and a NUL; returns strlen(src). */
size_t
strlcpy(char *dst, const char *src, size_t n)
{
	size_t len = strlen(src), copy;

	if (n == 0)
		return len;
	copy = MIN(len, n - 1);
	memcpy(dst, src, copy);
	dst[copy] = 0;
	return len;
}

/* base 0: decimal, or hexadecimal after 0x.  Wraps around on overflow. */
unsigned long
strtoul(const char *s, char **end, int base)
{
	unsigned long v = 0;
	int d;

	if ((base == 0 || base == 16) && s[0] == '0' && (s[1] | 32) == 'x' &&
		digit(s[2]) < 16) {
		s += 2;
		base = 16;
	}
	if (base == 0)
		base = 10;
	for (; (d = digit(*s)) < base; s++)
		v = v * base + d;
	if (end)
		*end = (char *)s;
	return v;
}

/* Value of a digit in any base up to 36; 36 for what is none. */
static int
digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 10;
	return 36;
}
