/*
 * printf.c - formatted output to buffers, the consoles and the kernel log.
 *
 * The log is a ring of the newest LOGSIZE bytes; it also holds what was printed
 * before there was a console.  loglock keeps the output of one printf()
 * together.  A CPU that holds the lock already (for a console's own output may
 * panic) prints without taking it.
 */
#include "kern/lib/printf.h"

#include "arch/cpu.h"
#include "arch/x86.h"
#include "kern/lock/lock.h"
#include "kern/lib/string.h"

#define LOGSIZE (16 << 10) /* a power of two */
#define NSINK   4
#define PATIENCE 10000000 /* pauses: a fraction of a second */

#define LEFT  1 /* flags of a conversion */
#define ZERO  2
#define PLUS  4
#define UPPER 8
#define NEG   16

struct out { /* where formatted characters go */
	void (*put)(struct out *, int c);
	uint n;     /* how many so far */
	char *buf;  /* vsnprintf: the buffer */
	size_t max; /* its size */
};

struct spec { /* one conversion */
	int flags;
	int width;
	int precision; /* -1: none given */
	int length;    /* l's seen; size_t counts as one */
};

static struct spinlock loglock = {0, RANK_LEAF};
static char logbuf[LOGSIZE];
static uint logend; /* bytes ever logged [loglock] */
static void (*sinks[NSINK])(int c);

static void consoleput(struct out *o, int c);
static void bufput(struct out *o, int c);
static void format(struct out *o, const char *fmt, va_list ap);
static const char *parse(const char *fmt, struct spec *s, va_list *ap);
static const char *parseflags(const char *fmt, struct spec *s);
static const char *number(const char *fmt, int *n, va_list *ap);
static void put(struct out *o, int c);
static void pad(struct out *o, int c, int n);
static uint64_t argument(struct spec *s, va_list *ap, int isigned);
static void putnumber(struct out *o, struct spec *s, uint64_t v, uint base);
static int digits(char *end, uint64_t v, uint base, int upper);
static void putstring(struct out *o, struct spec *s, const char *str);

/* See printf.h. */
int
printf(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vprintf(fmt, ap);
	va_end(ap);
	return n;
}

/* See printf.h. */
int
vprintf(const char *fmt, va_list ap)
{
	struct out o = {.put = consoleput};
	int locked;

	pushcli();
	locked = !holding(&loglock);
	if (locked)
		acquire(&loglock);
	format(&o, fmt, ap);
	if (locked)
		release(&loglock);
	popcli();
	return o.n;
}

/* Append c to the log and send it to each console.  Called with loglock held,
 * unless a CPU that panics has taken the lock from this one (printfseize). */
static void
consoleput(struct out *o, int c)
{
	int i;

	(void)o;
	logbuf[logend++ % LOGSIZE] = c;
	for (i = 0; i < NSINK; i++)
		if (sinks[i])
			sinks[i](c);
}

/* See printf.h. */
void
printfseize(void)
{
	uint i;

	for (i = 0; i < PATIENCE && !holding(&loglock) && !tryacquire(&loglock);
		i++)
		pause();
	/* Take the lock even from a CPU that still holds it. */
	loglock.owner = (uint16_t)(mycpu()->id + 1);
}

/* See printf.h. */
void
printfto(void (*putc)(int c))
{
	int i;

	acquire(&loglock);
	for (i = 0; i < NSINK; i++) {
		if (sinks[i] == 0) {
			sinks[i] = putc;
			break;
		}
	}
	release(&loglock);
}

/* See printf.h. */
uint
logread(char *buf, uint n)
{
	uint i;

	acquire(&loglock);
	n = MIN(n, MIN(logend, LOGSIZE));
	for (i = 0; i < n; i++)
		buf[i] = logbuf[(logend - n + i) % LOGSIZE];
	release(&loglock);
	return n;
}

/* See printf.h. */
int
snprintf(char *buf, size_t n, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vsnprintf(buf, n, fmt, ap);
	va_end(ap);
	return r;
}

/* See printf.h. */
int
vsnprintf(char *buf, size_t n, const char *fmt, va_list ap)
{
	struct out o = {.put = bufput, .buf = buf, .max = n};

	format(&o, fmt, ap);
	if (n > 0)
		buf[MIN(o.n, n - 1)] = 0;
	return o.n;
}

/* Put c in the buffer, unless only the place of the NUL is left. */
static void
bufput(struct out *o, int c)
{
	if (o->n + 1 < o->max)
		o->buf[o->n] = c;
}

/* Send the text that fmt and the arguments make to o, one character at a
 * time. */
static void
format(struct out *o, const char *fmt, va_list ap)
{
	struct spec s;
	va_list args;

	va_copy(args, ap);
	for (; *fmt; fmt++) {
		if (*fmt != '%') {
			put(o, *fmt);
			continue;
		}
		fmt = parse(fmt + 1, &s, &args);
		switch (*fmt) {
		case 'd':
		case 'i':
			putnumber(o, &s, argument(&s, &args, 1), 10);
			break;
		case 'u':
			putnumber(o, &s, argument(&s, &args, 0), 10);
			break;
		case 'o':
			putnumber(o, &s, argument(&s, &args, 0), 8);
			break;
		case 'X':
			s.flags |= UPPER;
			putnumber(o, &s, argument(&s, &args, 0), 16);
			break;
		case 'x':
			putnumber(o, &s, argument(&s, &args, 0), 16);
			break;
		case 'p':
			put(o, '0');
			put(o, 'x');
			s.precision = 8;
			putnumber(o, &s, va_arg(args, uint), 16);
			break;
		case 'c':
			pad(o, ' ', s.flags & LEFT ? 0 : s.width - 1);
			put(o, va_arg(args, int));
			pad(o, ' ', s.flags & LEFT ? s.width - 1 : 0);
			break;
		case 's':
			putstring(o, &s, va_arg(args, const char *));
			break;
		case 0:
			va_end(args);
			return;
		default: /* %% and unknown letters */
			put(o, *fmt);
		}
	}
	va_end(args);
}

/* Read the flags, width, precision and length at fmt into *s.  Returns where
 * the conversion letter is. */
static const char *
parse(const char *fmt, struct spec *s, va_list *ap)
{
	*s = (struct spec){.precision = -1};
	fmt = parseflags(fmt, s);
	fmt = number(fmt, &s->width, ap);
	if (s->width < 0) {
		s->flags |= LEFT;
		s->width = -s->width;
	}
	if (*fmt == '.') {
		s->precision = 0;
		fmt = number(fmt + 1, &s->precision, ap);
	}
	for (; *fmt == 'l' || *fmt == 'z'; fmt++)
		s->length++;
	return fmt;
}

/* Read the flags at fmt into s->flags.  Returns the first character after
 * them. */
static const char *
parseflags(const char *fmt, struct spec *s)
{
	for (;; fmt++) {
		if (*fmt == '-')
			s->flags |= LEFT;
		else if (*fmt == '0')
			s->flags |= ZERO;
		else if (*fmt == '+')
			s->flags |= PLUS;
		else
			return fmt;
	}
}

/* Read the decimal number at fmt into *n, or the next argument if a * stands
 * there.  Returns the first character after it.  *n is 0 before. */
static const char *
number(const char *fmt, int *n, va_list *ap)
{
	if (*fmt == '*') {
		*n = va_arg(*ap, int);
		return fmt + 1;
	}
	for (; *fmt >= '0' && *fmt <= '9'; fmt++)
		*n = *n * 10 + *fmt - '0';
	return fmt;
}

/* Send c to o and count it. */
static void
put(struct out *o, int c)
{
	o->put(o, c);
	o->n++;
}

/* Send c to o, n times. */
static void
pad(struct out *o, int c, int n)
{
	while (n-- > 0)
		put(o, c);
}

/* Return the next integer argument of the length in *s.  If isigned is set and
 * the argument is below 0, return its magnitude and set NEG in s->flags. */
static uint64_t
argument(struct spec *s, va_list *ap, int isigned)
{
	int64_t v;

	if (s->length < 2 && !isigned)
		return va_arg(*ap, uint);
	v = s->length < 2 ? va_arg(*ap, int) : va_arg(*ap, int64_t);
	if (!isigned || v >= 0)
		return v;
	s->flags |= NEG;
	return -(uint64_t)v;
}

/* Send v in the given base, with the sign that s->flags say: spaces, sign,
 * zeroes, digits, spaces. */
static void
putnumber(struct out *o, struct spec *s, uint64_t v, uint base)
{
	char buf[24], *end = buf + sizeof(buf);
	int n = digits(end, v, base, s->flags & UPPER);
	int sign = (s->flags & (NEG | PLUS)) != 0;
	int zeroes = MAX(s->precision - n, 0);
	int space;

	if ((s->flags & (ZERO | LEFT)) == ZERO && s->precision < 0)
		zeroes = MAX(s->width - sign - n, 0);
	space = s->width - sign - zeroes - n;
	if (!(s->flags & LEFT))
		pad(o, ' ', space);
	if (sign)
		put(o, s->flags & NEG ? '-' : '+');
	pad(o, '0', zeroes);
	for (end -= n; n > 0; n--)
		put(o, *end++);
	if (s->flags & LEFT)
		pad(o, ' ', space);
}

/* Write the digits of v, so that the last one stands right before end.  Returns
 * how many there are. */
static int
digits(char *end, uint64_t v, uint base, int upper)
{
	const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char *p = end;
	uint w;

	for (; v >> 32; v /= base)
		*--p = set[v % base];
	w = v;
	do
		*--p = set[w % base];
	while ((w /= base) != 0);
	return end - p;
}

/* Send str to o, s->precision characters at most, padded to s->width. */
static void
putstring(struct out *o, struct spec *s, const char *str)
{
	int n = 0;

	if (str == 0)
		str = "(null)";
	while ((s->precision < 0 || n < s->precision) && str[n])
		n++;
	if (!(s->flags & LEFT))
		pad(o, ' ', s->width - n);
	s->width -= n;
	while (n-- > 0)
		put(o, *str++);
	if (s->flags & LEFT)
		pad(o, ' ', s->width);
}
