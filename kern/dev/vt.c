/*
 * vt.c - decode what programs send to the screen: UTF-8, control characters,
 * and the escape sequences of ECMA-48 and the VT100 as the Linux console knows
 * them.  What is not known is skipped whole.
 */
#include "kern/dev/vt.h"
#include "kern/lib/printf.h"
#include "kern/lib/string.h"

enum { /* struct vt's state */
	TEXT,
	ESCAPE, /* after ESC */
	CSI,    /* after ESC [ */
	STRING, /* after ESC ] and the like, up to BEL or ESC \ */
	STRINGSTART,
	SKIP,   /* vt->skip bytes mean nothing */
};

/* From U+00A0 to U+00FF, in code page 437. */
static const uint8_t latin[96] =
	"\xff\xad\x9b\x9c?\x9d|\x15\"c\xa6\xae\xaa-r-"
	"\xf8\xf1\xfd" "3'\xe6\x14\xfa,1\xa7\xaf\xac\xab?\xa8"
	"AAAA\x8e\x8f\x92\x80" "E\x90" "EEIIII"
	"D\xa5OOOO\x99xOUUU\x9aY?\xe1"
	"\x85\xa0\x83" "a\x84\x86\x91\x87\x8a\x82\x88\x89\x8d\xa1\x8c\x8b"
	"d\xa4\x95\xa2\x93o\x94\xf6o\x97\xa3\x96\x81y?\x98";

static const struct {
	uint16_t rune;
	uint8_t glyph;
} glyphs[] = {
	{0x2010, '-'}, {0x2011, '-'}, {0x2013, '-'}, {0x2014, '-'},
	{0x2018, '\''}, {0x2019, '\''}, {0x201c, '"'}, {0x201d, '"'},
	{0x2022, 0x07}, {0x2026, '.'}, {0x2190, 0x1b}, {0x2191, 0x18},
	{0x2192, 0x1a}, {0x2193, 0x19}, {0x2212, '-'}, {0x2500, 0xc4},
	{0x2502, 0xb3}, {0x250c, 0xda}, {0x2510, 0xbf}, {0x2514, 0xc0},
	{0x2518, 0xd9}, {0x251c, 0xc3}, {0x2524, 0xb4}, {0x252c, 0xc2},
	{0x2534, 0xc1}, {0x253c, 0xc5}, {0x2550, 0xcd}, {0x2551, 0xba},
	{0x2554, 0xc9}, {0x2557, 0xbb}, {0x255a, 0xc8}, {0x255d, 0xbc},
	{0x2560, 0xcc}, {0x2563, 0xb9}, {0x2566, 0xcb}, {0x2569, 0xca},
	{0x256c, 0xce}, {0x2580, 0xdf}, {0x2584, 0xdc}, {0x2588, 0xdb},
	{0x258c, 0xdd}, {0x2590, 0xde}, {0x2591, 0xb0}, {0x2592, 0xb1},
	{0x2593, 0xb2}, {0x25a0, 0xfe},
};

static void text(struct vt *, int c);
static int glyphof(uint rune);
static void putglyph(struct vt *, int glyph);
static void control(struct vt *, int c);
static void escape(struct vt *, int c);
static void stringstart(struct vt *, int c);
static void csi(struct vt *, int c);
static void command(struct vt *, int c);
static void moveto(struct vt *, int row, int col);
static void newline(struct vt *);
static void upline(struct vt *);
static void erasescreen(struct vt *, int how);
static void eraseline(struct vt *, int how);
static void lines(struct vt *, int n);
static void region(struct vt *, int top, int bottom);
static void mode(struct vt *, int on);
static void report(struct vt *, int what);
static void reply(struct vt *, const char *s);
static void rendition(struct vt *);
static int extended(struct vt *, int i, uint8_t *colour);
static void setattr(struct vt *);
static void save(struct vt *, struct vtsave *);
static void restore(struct vt *, const struct vtsave *);

/* The state at boot and after ESC c: the screen is clear. */
void
vtreset(struct vt *v)
{
	conalternate(v, 0);
	memset(v, 0, sizeof(*v));
	v->bottom = ROWS - 1;
	v->fg = 7;
	setattr(v);
	save(v, &v->saved);
	conerase(v, 0, 0, ROWS - 1, COLS - 1);
}

void
vtput(struct vt *v, int c)
{
	if (v->state == SKIP) {
		if (--v->skip <= 0)
			v->state = TEXT;
	} else if (c == 27) {
		v->state = ESCAPE;
		v->runeleft = 0;
	} else if (v->state == STRING || v->state == STRINGSTART) {
		stringstart(v, c);
	} else if (c < 32 || c == 127) {
		control(v, c);
	} else if (v->state == ESCAPE) {
		escape(v, c);
	} else if (v->state == CSI) {
		csi(v, c);
	} else {
		text(v, c);
	}
}

/* A byte of text: decode UTF-8.  A byte that is not UTF-8 is shown as "?". */
static void
text(struct vt *v, int c)
{
	if (c < 0x80) {
		v->runeleft = 0;
		putglyph(v, c);
	} else if (c < 0xc0) {
		v->rune = v->rune << 6 | (c & 0x3f);
		if (v->runeleft == 0)
			putglyph(v, '?');
		else if (--v->runeleft == 0)
			putglyph(v, glyphof(v->rune));
	} else {
		v->runeleft = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
		v->rune = c & (0x3f >> v->runeleft);
	}
}

/* The glyph of the card for a character; "?" if there is none. */
static int
glyphof(uint rune)
{
	uint i;

	if (rune < 0x80)
		return rune;
	if (rune >= 0xa0 && rune <= 0xff)
		return latin[rune - 0xa0];
	for (i = 0; i < NELEM(glyphs); i++) {
		if (glyphs[i].rune == rune)
			return glyphs[i].glyph;
	}
	return '?';
}

/* Show a glyph at the cursor, and move that on. */
static void
putglyph(struct vt *v, int glyph)
{
	if (v->wrap && !v->nowrap) {
		v->col = 0;
		newline(v);
	}
	if (v->insert)
		conshift(v, v->row, v->col, 1);
	conput(v, v->row, v->col, glyph);
	v->wrap = v->col == COLS - 1;
	v->col += v->col < COLS - 1;
}

/* A control character. */
static void
control(struct vt *v, int c)
{
	switch (c) {
	case '\b':
		v->col -= v->col > 0;
		break;
	case '\t':
		v->col = MIN((v->col | 7) + 1, COLS - 1);
		break;
	case '\n':
	case '\v':
	case '\f':
		newline(v);
		break;
	case '\r':
		v->col = 0;
		break;
	case 24: /* CAN and SUB end a sequence */
	case 26:
		v->state = TEXT;
		return;
	default:
		return;
	}
	v->wrap = 0;
}

/* The byte after ESC. */
static void
escape(struct vt *v, int c)
{
	v->state = TEXT;
	switch (c) {
	case '[':
		v->state = CSI;
		v->question = 0;
		v->nparam = 0;
		memset(v->param, 0, sizeof(v->param));
		break;
	case ']':
		v->state = STRINGSTART;
		break;
	case 'P':
	case '^':
	case '_':
		v->state = STRING;
		break;
	case '(':
	case ')':
	case '%':
	case '#':
		v->state = SKIP;
		v->skip = 1;
		break;
	case '7':
		save(v, &v->saved);
		break;
	case '8':
		restore(v, &v->saved);
		break;
	case 'D':
		newline(v);
		break;
	case 'E':
		v->col = 0;
		newline(v);
		break;
	case 'M':
		upline(v);
		break;
	case 'c':
		vtreset(v);
		break;
	}
}

/* A byte of a string of ESC ] and the like, which is ignored.  Of the two that
 * set the palette, "R" is complete and "P" has seven digits more. */
static void
stringstart(struct vt *v, int c)
{
	int first = v->state == STRINGSTART;

	v->state = STRING;
	if (c == 7 || (first && c == 'R')) {
		v->state = TEXT;
	} else if (first && c == 'P') {
		v->state = SKIP;
		v->skip = 7;
	}
}

/* A byte after ESC [: parameters, then the letter that says what to do. */
static void
csi(struct vt *v, int c)
{
	uint *p = &v->param[v->nparam];

	if (c >= '0' && c <= '9') {
		*p = MIN(*p * 10 + c - '0', 9999u);
	} else if (c == ';' || c == ':') {
		if (v->nparam < NVTPARAM - 1)
			v->nparam++;
	} else if (c == '?') {
		v->question = 1;
	} else if (c < 0x40) {
		v->question = 2; /* > = and others: not for us */
	} else {
		v->state = TEXT;
		if (v->question == 1 && (c == 'h' || c == 'l'))
			mode(v, c == 'h');
		else if (v->question == 0)
			command(v, c);
	}
}

/* Do what ESC [ with this letter means. */
static void
command(struct vt *v, int c)
{
	int p = v->param[0], n = MAX(p, 1), q = MAX(v->param[1], 1u);
	int high = v->row >= v->top ? v->top : 0;
	int low = v->row <= v->bottom ? v->bottom : ROWS - 1;
	int base = v->origin ? v->top : 0;

	switch (c) {
	case '@': conshift(v, v->row, v->col, n); break;
	case 'A': moveto(v, MAX(v->row - n, high), v->col); break;
	case 'B':
	case 'e': moveto(v, MIN(v->row + n, low), v->col); break;
	case 'C':
	case 'a': moveto(v, v->row, v->col + n); break;
	case 'D': moveto(v, v->row, v->col - n); break;
	case 'E': moveto(v, MIN(v->row + n, low), 0); break;
	case 'F': moveto(v, MAX(v->row - n, high), 0); break;
	case 'G':
	case '`': moveto(v, v->row, n - 1); break;
	case 'H':
	case 'f': moveto(v, base + n - 1, q - 1); break;
	case 'J': erasescreen(v, p); break;
	case 'K': eraseline(v, p); break;
	case 'L': lines(v, -n); break;
	case 'M': lines(v, n); break;
	case 'P': conshift(v, v->row, v->col, -n); break;
	case 'S': conscroll(v, v->top, v->bottom, n); break;
	case 'T': conscroll(v, v->top, v->bottom, -n); break;
	case 'X':
		conerase(v, v->row, v->col, v->row,
			MIN(v->col + n, COLS) - 1);
		break;
	case 'c':
		if (p == 0)
			reply(v, "\033[?6c");
		break;
	case 'd': moveto(v, base + n - 1, v->col); break;
	case 'h': v->insert |= p == 4; break;
	case 'l': v->insert &= p != 4; break;
	case 'm': rendition(v); break;
	case 'n': report(v, p); break;
	case 'r': region(v, n - 1, v->param[1]); break;
	case 's': save(v, &v->saved); break;
	case 'u': restore(v, &v->saved); break;
	}
}

/* Move the cursor, within the region or the screen. */
static void
moveto(struct vt *v, int row, int col)
{
	int high = v->origin ? v->top : 0;
	int low = v->origin ? v->bottom : ROWS - 1;

	v->row = MAX(MIN(row, low), high);
	v->col = MAX(MIN(col, COLS - 1), 0);
	v->wrap = 0;
}

/* Move the cursor down one line, scrolling at the end of the region. */
static void
newline(struct vt *v)
{
	if (v->row == v->bottom)
		conscroll(v, v->top, v->bottom, 1);
	else if (v->row < ROWS - 1)
		v->row++;
	v->wrap = 0;
}

/* Move the cursor up one line, scrolling at the beginning of the region. */
static void
upline(struct vt *v)
{
	if (v->row == v->top)
		conscroll(v, v->top, v->bottom, -1);
	else if (v->row > 0)
		v->row--;
	v->wrap = 0;
}

/* Erase from the cursor to the end of the screen (how 0), from the beginning
 * to the cursor (1), or all of it. */
static void
erasescreen(struct vt *v, int how)
{
	if (how == 0)
		conerase(v, v->row, v->col, ROWS - 1, COLS - 1);
	else if (how == 1)
		conerase(v, 0, 0, v->row, v->col);
	else
		conerase(v, 0, 0, ROWS - 1, COLS - 1);
}

/* Erase from the cursor to the end of the line (how 0), from its beginning to
 * the cursor (1), or all of it. */
static void
eraseline(struct vt *v, int how)
{
	int from = how == 0 ? v->col : 0;

	conerase(v, v->row, from, v->row, how == 1 ? v->col : COLS - 1);
}

/* Delete n lines at the cursor, or insert -n. */
static void
lines(struct vt *v, int n)
{
	if (v->row < v->top || v->row > v->bottom)
		return;
	conscroll(v, v->row, v->bottom, n);
	v->col = 0;
	v->wrap = 0;
}

/* Scroll between these rows only; bottom counts from 1, and 0 is the last row.
 */
static void
region(struct vt *v, int top, int bottom)
{
	if (bottom == 0 || bottom > ROWS)
		bottom = ROWS;
	if (top >= bottom - 1)
		return;
	v->top = top;
	v->bottom = bottom - 1;
	moveto(v, v->origin ? top : 0, 0);
}

/* ESC [ ? h and l: switch the modes in the parameters on or off. */
static void
mode(struct vt *v, int on)
{
	int i;

	for (i = 0; i <= v->nparam; i++) {
		switch (v->param[i]) {
		case 6:
			v->origin = on;
			moveto(v, on ? v->top : 0, 0);
			break;
		case 7:
			v->nowrap = !on;
			break;
		case 25:
			v->hidden = !on;
			break;
		case 47:
		case 1047:
			conalternate(v, on);
			break;
		case 1049:
			if (on && !v->alternate)
				save(v, &v->behind);
			else if (!on && v->alternate)
				restore(v, &v->behind);
			conalternate(v, on);
			break;
		}
	}
}

/* Answer a question for the state (5) or the position of the cursor (6). */
static void
report(struct vt *v, int what)
{
	char s[16];

	if (what == 5) {
		reply(v, "\033[0n");
	} else if (what == 6) {
		snprintf(s, sizeof(s), "\033[%d;%dR",
			v->row + 1 - (v->origin ? v->top : 0), v->col + 1);
		reply(v, s);
	}
}

/* Keep an answer for conwrite(); it is lost if it does not fit. */
static void
reply(struct vt *v, const char *s)
{
	uint n = strlen(s);

	if (v->nreply + n > sizeof(v->reply))
		return;
	memcpy(v->reply + v->nreply, s, n);
	v->nreply += n;
}

/* ESC [ m: colours and the like. */
static void
rendition(struct vt *v)
{
	int i;
	uint p;

	for (i = 0; i <= v->nparam; i++) {
		p = v->param[i];
		if (p == 0) {
			v->fg = 7;
			v->bg = v->bold = v->reverse = v->underline = 0;
		} else if (p == 1) {
			v->bold = 1;
		} else if (p == 22) {
			v->bold = 0;
		} else if (p == 4 || p == 24) {
			v->underline = p == 4;
		} else if (p == 7 || p == 27) {
			v->reverse = p == 7;
		} else if (p >= 30 && p <= 37) {
			v->fg = p - 30;
		} else if (p == 38) {
			i = extended(v, i, &v->fg);
		} else if (p == 39) {
			v->fg = 7;
		} else if (p >= 40 && p <= 47) {
			v->bg = p - 40;
		} else if (p == 48) {
			i = extended(v, i, &v->bg);
		} else if (p == 49) {
			v->bg = 0;
		} else if (p >= 90 && p <= 97) {
			v->fg = p - 90 + 8;
		} else if (p >= 100 && p <= 107) {
			v->bg = p - 100 + 8;
		}
	}
	setattr(v);
}

/* 38;5;N and 38;2;R;G;B (48 for the background): set *colour if the card has
 * it.  Returns the index of the last parameter that belongs to it. */
static int
extended(struct vt *v, int i, uint8_t *colour)
{
	if (i + 2 <= v->nparam && v->param[i + 1] == 5) {
		if (v->param[i + 2] < 16)
			*colour = v->param[i + 2];
		return i + 2;
	}
	if (i + 4 <= v->nparam && v->param[i + 1] == 2)
		return i + 4;
	return v->nparam;
}

/* Make the card's attribute of the colours; the card has red and blue
 * exchanged. */
static void
setattr(struct vt *v)
{
	static const uint8_t card[8] = {0, 4, 2, 6, 1, 5, 3, 7};
	uint fg = card[v->fg & 7] | (v->fg & 8);
	uint bg = card[v->bg & 7] | (v->bg & 8);

	if (v->bold)
		fg |= 8;
	else if (v->underline)
		fg = 11; /* as Linux: cyan, since there is no line */
	v->attr = v->reverse ? fg << 4 | bg : bg << 4 | fg;
}

/* Save the position of the cursor and the colours. */
static void
save(struct vt *v, struct vtsave *s)
{
	*s = (struct vtsave){v->row, v->col, v->fg, v->bg, v->bold, v->reverse,
		v->underline};
}

/* Restore what save() saved. */
static void
restore(struct vt *v, const struct vtsave *s)
{
	v->fg = s->fg;
	v->bg = s->bg;
	v->bold = s->bold;
	v->reverse = s->reverse;
	v->underline = s->underline;
	setattr(v);
	v->row = s->row;
	v->col = s->col;
	v->wrap = 0;
}
