/*
 * sysfs.c - /sys: the few files of it that programs read.
 *
 * procfs.c has the tree.  What there may be several of, CPUs and disks, has an id
 * above 0, the same for ever.
 */
#include "kern/fs/procfs.h"
#include "arch/cpu.h"
#include "kern/printf.h"

/* All CPUs there are run. */
static int
showcpus(struct text *t, int id)
{
	(void)id;
	putlist(t, (2u << (ncpu - 1)) - 1);
	putf(t, "\n");
	return 0;
}

static int
showoffline(struct text *t, int id)
{
	(void)id;
	putf(t, "\n");
	return 0;
}

static int
showcpumax(struct text *t, int id)
{
	(void)id;
	putf(t, "%d\n", NCPU - 1);
	return 0;
}

static int
showonline(struct text *t, int id)
{
	(void)id;
	putf(t, "1\n");
	return 0;
}

static int
nextcpu(int of, int from, char name[PROCNAME])
{
	(void)of;
	if (from > ncpu)
		return 0;
	snprintf(name, PROCNAME, "cpu%d", from - 1);
	return from;
}

static const struct procent cpuents[] = {
	PROCFILE("online", showonline),
	{0},
};
static const struct procent cpudir = PROCDIR("", cpuents);

static const struct procent cpusents[] = {
	PROCFILE("kernel_max", showcpumax),
	PROCFILE("offline", showoffline),
	PROCFILE("online", showcpus),
	PROCFILE("possible", showcpus),
	PROCFILE("present", showcpus),
	{0},
};

static const struct procent systements[] = {
	{.name = "cpu", .mode = S_IFDIR | 0555, .sub = cpusents,
		.next = nextcpu, .each = &cpudir},
	{0},
};

static const struct procent devicesents[] = {
	PROCDIR("system", systements),
	{0},
};

const struct procent sysfsents[] = {
	{.name = "block", .mode = S_IFDIR | 0555, .next = sysnextdisk,
		.each = &sysdiskdir},
	PROCDIR("class", sysclassents),
	PROCDIR("dev", sysdevents),
	PROCDIR("devices", devicesents),
	PROCDIR("fs", 0),
	PROCDIR("kernel", 0),
	{0},
};
