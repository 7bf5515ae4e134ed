/* printf.h - formatted output to the console and the kernel log. */
#ifndef KERN_PRINTF_H
#define KERN_PRINTF_H

#include "kern/types.h"

/* To the consoles and the log (dmesg).  Any context, any locks.
 * Conversions: d i u o x X c s p % with l, ll, z, -, 0, +, width, .precision, *. */
int printf(const char *, ...) __attribute__((format(printf, 1, 2)));
int vprintf(const char *, va_list);

/* To a buffer of n bytes, NUL included; returns the length it wanted. */
int snprintf(char *, size_t n, const char *, ...)
	__attribute__((format(printf, 3, 4)));
int vsnprintf(char *, size_t n, const char *, va_list);

/* Where printf's characters go; null until a console registers (at most 4). */
void printfto(void (*putc)(int c));

/* For panic: the log and the consoles are this CPU's for ever, after a moment
 * for who is printing.  Interrupts off. */
void printfseize(void);

/* Copy the newest n bytes at most of the log to buf; returns how many. */
uint logread(char *buf, uint n);

#endif
