/* printf.h - formatted output to the console and the kernel log. */
#ifndef KERN_PRINTF_H
#define KERN_PRINTF_H

#include "kern/types.h"

/* Print to the consoles and the log (dmesg).  Returns how many characters.  May
 * be called anywhere, with any locks held.  Conversions: d i u o x X c s p %
 * with l, ll, z, -, 0, +, width, .precision, *. */
int printf(const char *, ...) __attribute__((format(printf, 1, 2)));
int vprintf(const char *, va_list);

/* Print to a buffer of n bytes, NUL included.  Returns the length of the whole
 * text, which may be more than fits. */
int snprintf(char *, size_t n, const char *, ...)
	__attribute__((format(printf, 3, 4)));
int vsnprintf(char *, size_t n, const char *, va_list);

/* Send all that printf() prints from now on to putc, too.  At most 4 consoles
 * are registered so; a fifth is ignored.  putc is called with the log's lock
 * held. */
void printfto(void (*putc)(int c));

/* For panic(): take the log's lock for good, so that only this CPU prints.  A
 * CPU that is printing gets a fraction of a second to finish; then the lock is
 * taken from it.  Called with interrupts off. */
void printfseize(void);

/* Copy the newest bytes of the log, n at most, to buf.  Returns how many. */
uint logread(char *buf, uint n);

#endif
