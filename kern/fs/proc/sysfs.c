/*
 * sysfs.c - /sys: the few files of it that programs read.
 *
 * procfs.c has the tree.  CPUs and disks, of which there may be several, have
 * an id above 0 that never changes; a CPU's is its number plus 1.
 */
#include "kern/fs/proc/procfs.h"
#include "arch/cpu.h"
#include "kern/lib/printf.h"

/* The CPUs, as a list: all that there are run. */
static int
showcpus(struct text *t, int id)
{
	(void)id;
	putlist(t, (2u << (ncpu - 1)) - 1);
	putf(t, "\n");
	return 0;
}

/* No CPU is switched off. */
static int
showoffline(struct text *t, int id)
{
	(void)id;
	putf(t, "\n");
	return 0;
}

/* The highest number that a CPU can have. */
static int
showcpumax(struct text *t, int id)
{
	(void)id;
	putf(t, "%d\n", NCPU - 1);
	return 0;
}

/* A CPU is always on. */
static int
showonline(struct text *t, int id)
{
	(void)id;
	putf(t, "1\n");
	return 0;
}

/* See procent.next. */
static int
nextcpu(int of, int from, char name[PROCNAME])
{
	(void)of;
	if (from > ncpu)
		return 0;
	snprintf(name, PROCNAME, "cpu%d", from - 1);
	return from;
}

/* The number of the CPU's core.  All CPUs are in one package, each of them a
 * core with one thread, as far as this kernel knows. */
static int
showcore(struct text *t, int id)
{
	putf(t, "%d\n", id - 1);
	return 0;
}

/* The number of the package. */
static int
showpackage(struct text *t, int id)
{
	(void)id;
	putf(t, "0\n");
	return 0;
}

/* A mask with the CPU alone. */
static int
showself(struct text *t, int id)
{
	putf(t, "%x\n", 1u << (id - 1));
	return 0;
}

/* A mask with all CPUs. */
static int
showall(struct text *t, int id)
{
	(void)id;
	putf(t, "%x\n", (2u << (ncpu - 1)) - 1);
	return 0;
}

static const struct procent topologyents[] = {
	PROCFILE("core_cpus", showself),
	PROCFILE("core_cpus_list", showcore),
	PROCFILE("core_id", showcore),
	PROCFILE("core_siblings", showall),
	PROCFILE("core_siblings_list", showcpus),
	PROCFILE("package_cpus", showall),
	PROCFILE("package_cpus_list", showcpus),
	PROCFILE("physical_package_id", showpackage),
	PROCFILE("thread_siblings", showself),
	PROCFILE("thread_siblings_list", showcore),
	{0},
};

static const struct procent cpuents[] = {
	PROCFILE("online", showonline),
	PROCDIR("topology", topologyents),
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
