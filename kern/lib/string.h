/* string.h - the string functions of C that the kernel uses (C11 7.24), plus
 * strlcpy.  memset, memcpy and memmove work by words where they can. */
#ifndef KERN_STRING_H
#define KERN_STRING_H

#include "kern/types.h"

void *memset(void *, int, size_t);
void *memcpy(void *, const void *, size_t);
void *memmove(void *, const void *, size_t);
int memcmp(const void *, const void *, size_t);
size_t strlen(const char *);
int strcmp(const char *, const char *);
int strncmp(const char *, const char *, size_t);
char *strchr(const char *, int);
char *strrchr(const char *, int);

/* Copy at most n - 1 bytes and a NUL; returns strlen(src). */
size_t strlcpy(char *dst, const char *src, size_t n);

/* Decimal, or hexadecimal after 0x; end, when not 0, gets the first byte not
 * used.  Suffixes are the caller's. */
unsigned long strtoul(const char *, char **end, int base);

#endif
