/* text.c - text that grows as it is written. */
#include "kern/lib/text.h"
#include "mm/mm.h"
#include "kern/abi/errno.h"
#include "kern/lib/printf.h"
#include "kern/lib/string.h"

void
putf(struct text *t, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	if (textroom(t, 80) == 0)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->s + t->n, t->cap - t->n, fmt, ap);
	va_end(ap);
	if ((uint)n >= t->cap - t->n) {
		s = textroom(t, (uint)n + 1);
		if (s == 0)
			return;
		va_start(ap, fmt);
		n = vsnprintf(s, (uint)n + 1, fmt, ap);
		va_end(ap);
	}
	t->n += (uint)n;
}

/* Doubling keeps what is copied below what is written. */
char *
textroom(struct text *t, uint n)
{
	uint cap = t->cap ? t->cap : 512;
	char *s;

	if (t->err < 0)
		return 0;
	while (cap - t->n < n && cap < TEXTMAX)
		cap *= 2;
	if (cap - t->n < n) {
		t->err = -EFBIG;
		return 0;
	}
	if (cap == t->cap)
		return t->s + t->n;
	s = kmalloc(cap);
	if (s == 0) {
		t->err = -ENOMEM;
		return 0;
	}
	if (t->n)
		memmove(s, t->s, t->n);
	kmfree(t->s);
	t->s = s;
	t->cap = cap;
	return s + t->n;
}
