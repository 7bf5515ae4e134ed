/*
 * vmmap.c - the mappings of a process, with their sizes.
 *
 *   vmmap PID
 *
 * From /proc/PID/maps; sizes in KiB.  Where the kernel has /proc/PID/smaps,
 * what is resident of each; the sums at the end are those of /proc/PID/statm.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIB 1024

static FILE *openproc(const char *pid, const char *file);
static long mappings(FILE *maps, FILE *smaps);
static long resident(FILE *smaps, unsigned long start);

int
main(int argc, char **argv)
{
	const char *pid = argc > 1 ? argv[1] : "self";
	long size, rss, total;
	FILE *maps, *statm;

	maps = openproc(pid, "maps");
	if (maps == 0) {
		perror(pid);
		return 1;
	}
	printf("%-17s %9s %8s  %s\n", "ADDRESS", "KIB", "RESIDENT",
		"MODE NAME");
	total = mappings(maps, openproc(pid, "smaps"));
	statm = openproc(pid, "statm");
	if (statm && fscanf(statm, "%ld %ld", &size, &rss) == 2)
		printf("%-17s %9ld %8ld\n", "total", total, rss * 4);
	return 0;
}

static FILE *
openproc(const char *pid, const char *file)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%.16s/%s", pid, file);
	return fopen(path, "r");
}

/* Print each; the sum of their sizes. */
static long
mappings(FILE *maps, FILE *smaps)
{
	unsigned long start, end;
	char line[512], mode[8], *name;
	long total = 0, kib, rss;
	int at;

	while (fgets(line, sizeof line, maps)) {
		at = 0;
		if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %n", &start, &end,
			    mode, &at) < 3)
			continue;
		name = line + at;
		name[strcspn(name, "\n")] = 0;
		kib = (end - start) / KIB;
		total += kib;
		rss = smaps ? resident(smaps, start) : -1;
		printf("%08lx-%08lx %9ld ", start, end, kib);
		if (rss >= 0)
			printf("%8ld", rss);
		else
			printf("%8s", "");
		printf("  %-4s %s\n", mode, *name ? name : "(anonymous)");
	}
	return total;
}

/* The Rss: line of the mapping that begins at start, or -1. */
static long
resident(FILE *smaps, unsigned long start)
{
	unsigned long s, e;
	char line[512];
	int found = 0;
	long kib;

	rewind(smaps);
	while (fgets(line, sizeof line, smaps)) {
		if (sscanf(line, "%lx-%lx ", &s, &e) == 2)
			found = s == start;
		else if (found && sscanf(line, "Rss: %ld", &kib) == 1)
			return kib;
	}
	return -1;
}
