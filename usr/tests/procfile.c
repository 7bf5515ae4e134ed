/* procfile.c - files of words and numbers, read whole: see procfile.h. */
#include "procfile.h"

#include <fcntl.h>

char text[PROCMAX];

int
slurp(const char *path, int chunk)
{
	int fd = open(path, O_RDONLY), n, len = 0;

	if (fd < 0)
		return -1;
	while (len + chunk < PROCMAX && (n = read(fd, text + len, chunk)) > 0)
		len += n;
	close(fd);
	text[len] = 0;
	return len;
}

char *
line(const char *word)
{
	int len = strlen(word);
	char *p = text;

	while (p && *p) {
		if (strncmp(p, word, len) == 0)
			return p;
		p = strchr(p, '\n');
		p += p != 0;
	}
	return 0;
}

long
value(const char *word)
{
	char *p = line(word);

	return p ? strtol(p + strlen(word), 0, 10) : -1;
}

int
words(const char *s)
{
	int n = 0, in = 0;

	for (; *s && *s != '\n'; s++) {
		if (*s != ' ' && *s != '\t' && !in)
			n++;
		in = *s != ' ' && *s != '\t';
	}
	return n;
}

void
inorder(const char *path, const char *const *names, int n)
{
	char *last = 0, *at;

	must(slurp(path, 65536) > 0);
	for (int i = 0; i < n; i++) {
		at = line(names[i]);
		if (at == 0 || at <= last)
			failed(__FILE__, __LINE__, "%s: %s is %s", path,
				names[i], at ? "misplaced" : "missing");
		if (at)
			last = at;
	}
}
