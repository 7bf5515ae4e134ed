/*
 * procfile.h - files of words and numbers, read whole: for the tests of /proc.
 */
#ifndef PROCFILE_H
#define PROCFILE_H

#include "t.h"

#define PROCMAX (1 << 20)

extern char text[PROCMAX]; /* of the file that was read last */

/* The whole file, read so many bytes at a time: its length, or -1. */
int slurp(const char *path, int chunk);

char *line(const char *word); /* that begins with the word, or 0 */
long value(const char *word); /* the number behind it, or -1 */
int words(const char *s);     /* up to the end of the line */

/* Complain unless each of these words begins a line, in this order. */
void inorder(const char *path, const char *const *names, int n);

#endif
