/*
 * text.h - text that grows as it is written: what a file of /proc says.
 *
 * A long file is written in parts: its function stops at about TEXTPART
 * bytes, notes in `at' where it was, and sets `more' to be called again.
 */
#ifndef KERN_TEXT_H
#define KERN_TEXT_H

#include "kern/types.h"

struct procent;

struct text {
	char *s;       /* kmalloc'd, or 0 while empty */
	uint n, cap;   /* bytes written, bytes of s */
	int err;       /* 0, or the first -errno; later output is dropped */
	int thread;    /* of /proc/PID/task/TID: about that thread alone */
	int fd;        /* of /proc/PID/fdinfo/FD: which */
	uint at;       /* where the next part begins; 0: the first one */
	int more;      /* there is a next part */
	const struct procent *ent; /* the entry that is shown */
};

#define TEXTMAX  (256 << 10) /* no part is longer */
#define TEXTPART 4096        /* where a part had better end */

/* Append.  textroom: n bytes to fill, or 0 (and err). */
void putf(struct text *, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
char *textroom(struct text *, uint n);

#endif
