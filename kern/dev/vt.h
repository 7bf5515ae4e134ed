/* vt.h - between the decoder of escape sequences (vt.c) and the screen
 * (console.c). */
#ifndef KERN_DEV_VT_H
#define KERN_DEV_VT_H

#include "kern/types.h"

#define ROWS 25
#define COLS 80
#define NVTPARAM 16

struct vt { /* all of it guarded by the screen's lock */
	int row, col;      /* the cursor */
	int wrap;          /* the next character goes to a new line */
	int top, bottom;   /* rows that scroll */
	int nowrap;        /* ?7l */
	int hidden;        /* ?25l */
	int origin;        /* ?6h: rows count from top */
	int insert;        /* 4h */
	int alternate;     /* ?1049h */
	uint8_t attr;      /* of the card: background and foreground */
	uint8_t fg, bg;    /* colours in ANSI's order, 8 more: bright */
	uint8_t bold, reverse, underline;

	struct vtsave { /* by ESC 7, or of the first screen */
		int row, col;
		uint8_t fg, bg, bold, reverse, underline;
	} saved, behind;

	int state;         /* what the next byte belongs to (vt.c) */
	int skip;          /* bytes still to be ignored */
	int question;      /* CSI ? */
	uint param[NVTPARAM];
	int nparam;
	uint rune;         /* UTF-8 so far */
	int runeleft;      /* bytes of it to come */

	char reply[24];    /* answers to be sent as input */
	uint nreply;
};

/* vt.c: one byte of output. */
void vtput(struct vt *, int c);
void vtreset(struct vt *);

/* console.c: what the decoder asks of the screen.  Rows and columns are on it;
 * ranges include their ends. */
void conput(struct vt *, int row, int col, int glyph);
void conerase(struct vt *, int fromrow, int fromcol, int torow, int tocol);
void conscroll(struct vt *, int top, int bottom, int n); /* n > 0: up */
void conshift(struct vt *, int row, int col, int n); /* the rest of a row:
                                                      * n > 0: right */
void conalternate(struct vt *, int on);

#endif
