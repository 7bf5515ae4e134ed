/*
 * tls.c - the segment descriptors that a thread has for itself, by which it
 * finds its own variables (%gs): from and to the form that programs hand in,
 * struct user_desc of set_thread_area(2).
 *
 * Invariant: tlsfill() alone makes descriptors, and each is for data, present
 * and of user privilege, or all zero for none.
 */
#include "kern/tls.h"
#include "arch/cpu.h"
#include "kern/abi/errno.h"

int
tlsfill(struct segdesc *d, const uint desc[4])
{
	uint base = desc[1], limit = desc[2], flags = desc[3];
	uint readonly = flags >> 3 & 1;

	if (base == 0 && limit == 0 && (flags == 0x28 || flags == 0)) {
		d->lo = d->hi = 0; /* Linux's ways to say: empty */
		return 0;
	}
	/* 32 bits, data and not code, present */
	if (!(flags & 1) || (flags >> 1 & 3) > 1 || (flags & 0x20))
		return -EINVAL;
	d->lo = (base & 0xffff) << 16 | (limit & 0xffff);
	d->hi = (base & 0xff000000) | (base >> 16 & 0xff) | (limit & 0xf0000) |
		(flags >> 1 & 3) << 10 | (readonly ^ 1) << 9 |
		(flags & 1) << 22 | (flags >> 4 & 1) << 23 |
		(flags >> 6 & 1) << 20 | 0xf000; /* present, DPL 3, code/data */
	return 0;
}

void
tlsdesc(const struct segdesc *d, uint entry, uint desc[4])
{
	desc[0] = entry;
	desc[1] = d->lo >> 16 | (d->hi & 0xff) << 16 | (d->hi & 0xff000000);
	desc[2] = (d->lo & 0xffff) | (d->hi & 0xf0000);
	desc[3] = (d->hi >> 22 & 1) | (d->hi >> 10 & 3) << 1 |
		(~d->hi >> 9 & 1) << 3 | (d->hi >> 23 & 1) << 4 |
		(~d->hi >> 15 & 1) << 5 | (d->hi >> 20 & 1) << 6;
}
