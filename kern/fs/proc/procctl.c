/*
 * procctl.c - /proc/sys: the kernel's settings.
 *
 * Most are numbers: an entry's arg is a struct ctl.  Those that nothing here
 * obeys, or that are fixed, cannot be written.
 */
#include "kern/fs/proc/procfs.h"
#include "mm/mm.h"
#include "kern/abi/errno.h"
#include "kern/abi/ipc.h"
#include "kern/exec.h"
#include "kern/param.h"
#include "kern/lib/printf.h"
#include "kern/proc.h"
#include "kern/random.h"
#include "kern/lib/string.h"
#include "kern/lib/uname.h"

struct ctl {
	int val;            /* or what get() returns, where there is one */
	int (*get)(void);
	uint *var;          /* or where it is; it may be set if max is not 0 */
	void (*set)(int);   /* for those with a number from min to max */
	int min, max;
};

int
procnumber(const char *s, int *n)
{
	char *end;
	int minus;

	while (*s == ' ' || *s == '\t' || *s == '\n')
		s++;
	minus = *s == '-';
	s += minus;
	if (*s < '0' || *s > '9')
		return -EINVAL;
	*n = (int)strtoul(s, &end, 10);
	if (*n < 0 || end - s > 10)
		return -EINVAL;
	if (minus)
		*n = -*n;
	while (*end == ' ' || *end == '\t' || *end == '\n')
		end++;
	return *end ? -EINVAL : 0;
}

/* A number that can be tuned, or a fixed one. */
static int
shownumber(struct text *t, int pid)
{
	const struct ctl *c = t->ent->arg;

	(void)pid;
	putf(t, "%d\n",
		c->get ? c->get() : c->var ? (int)*c->var : c->val);
	return 0;
}

/* A fixed unsigned number. */
static int
showunsigned(struct text *t, int pid)
{
	const struct ctl *c = t->ent->arg;

	(void)pid;
	putf(t, "%u\n", (uint)c->val);
	return 0;
}

/* Set a number that can be tuned: 0 or -EINVAL. */
static int
storenumber(const struct procent *e, int pid, const char *s, uint n)
{
	const struct ctl *c = e->arg;
	int v;

	(void)pid, (void)n;
	if (procnumber(s, &v) < 0 || v < c->min || v > c->max)
		return -EINVAL;
	if (c->var)
		*c->var = v;
	else
		c->set(v);
	return 0;
}

/* A fixed string. */
static int
showstring(struct text *t, int pid)
{
	(void)pid;
	putf(t, "%s\n", (const char *)t->ent->arg);
	return 0;
}

/* Set one of the names of struct utsname, which is the arg: 0 or -EINVAL. */
static int
storename(const struct procent *e, int pid, const char *s, uint n)
{
	char *name = (char *)e->arg;

	(void)pid;
	if (n > 0 && s[n - 1] == '\n')
		n--;
	if (n >= sizeof(uts.nodename))
		return -EINVAL;
	memset(name, 0, sizeof(uts.nodename));
	memcpy(name, s, n);
	return 0;
}

/* 16 random bytes as a UUID of version 4. */
static void
putuuid(struct text *t, uint8_t id[16])
{
	static const uint8_t ends[] = {4, 6, 8, 10, 16};

	id[6] = (id[6] & 0x0f) | 0x40;
	id[8] = (id[8] & 0x3f) | 0x80;
	for (uint i = 0, part = 0; i < 16; i++) {
		if (i == ends[part]) {
			putf(t, "-");
			part++;
		}
		putf(t, "%02x", id[i]);
	}
	putf(t, "\n");
}

/* random/uuid: a new UUID at each read. */
static int
showuuid(struct text *t, int pid)
{
	uint8_t id[16];

	(void)pid;
	randombytes(id, sizeof(id));
	putuuid(t, id);
	return 0;
}

/* random/boot_id: a UUID that stays until the next boot, made at the first
 * read. */
static int
showbootid(struct text *t, int pid)
{
	static uint8_t bootid[16];
	static int made;
	uint8_t id[16];

	(void)pid;
	randombytes(id, sizeof(id));
	acquire(&proctree);
	if (!made)
		memcpy(bootid, id, sizeof(id));
	made = 1;
	memcpy(id, bootid, sizeof(id));
	release(&proctree);
	putuuid(t, id);
	return 0;
}

/* file-nr: open files, free ones that are kept (none), the limit. */
static int
showfilenr(struct text *t, int pid)
{
	(void)pid;
	putf(t, "%u\t0\t%d\n", slabinuse("file"), INT32_MAX);
	return 0;
}

/* inode-nr. */
static int
showinodenr(struct text *t, int pid)
{
	(void)pid;
	putf(t, "%u\t0\n", slabinuse("inode"));
	return 0;
}

/* inode-state. */
static int
showinodestate(struct text *t, int pid)
{
	(void)pid;
	putf(t, "%u\t0\t0\t0\t0\t0\t0\n", slabinuse("inode"));
	return 0;
}

/* dentry-state. */
static int
showdentrystate(struct text *t, int pid)
{
	(void)pid;
	putf(t, "%u\t0\t45\t0\t0\t0\n", slabinuse("dentry"));
	return 0;
}

#define TUNE(n, v, least, most)                                                \
	{.name = n, .mode = S_IFREG | 0644, .show = shownumber,                \
		.store = storenumber,                                          \
		.arg = &(const struct ctl){                                    \
			.var = &(v), .min = least, .max = most}}

#define FIXED(n, v)                                                            \
	{.name = n, .mode = S_IFREG | 0444, .flags = PROC_CONST,               \
		.show = shownumber, .arg = &(const struct ctl){.val = v}}
#define BIG(n, v)                                                              \
	{.name = n, .mode = S_IFREG | 0444, .flags = PROC_CONST,               \
		.show = showunsigned, .arg = &(const struct ctl){.val = (int)(v)}}
#define STRING(n, s)                                                           \
	{.name = n, .mode = S_IFREG | 0444, .flags = PROC_CONST,               \
		.show = showstring, .arg = s}
#define NAME(n, s)                                                             \
	{.name = n, .mode = S_IFREG | 0644, .show = showstring,                \
		.store = storename, .arg = s}

static const struct procent randoments[] = {
	PROCFILE("boot_id", showbootid),
	FIXED("entropy_avail", 256),
	FIXED("poolsize", 256),
	PROCFILE("uuid", showuuid),
	{0},
};

static const struct procent kernelents[] = {
	FIXED("cap_last_cap", LASTCAP),
	STRING("core_pattern", "core"),
	FIXED("core_uses_pid", 0),
	NAME("domainname", uts.domainname),
	NAME("hostname", uts.nodename),
	FIXED("ngroups_max", (int)NELEM(((struct proc *)0)->groups)),
	STRING("osrelease", uts.release),
	STRING("ostype", uts.sysname),
	FIXED("overflowgid", 65534),
	FIXED("overflowuid", 65534),
	FIXED("panic", 0),
	FIXED("pid_max", PIDMAX),
	STRING("printk", "7\t4\t1\t7"),
	PROCDIR("random", randoments),
	TUNE("randomize_va_space", aslr, 0, 2),
	BIG("shmall", SHMMAX),
	BIG("shmmax", SHMMAX),
	FIXED("shmmni", SHMMNI),
	FIXED("tainted", 0),
	FIXED("threads-max", PIDMAX),
	STRING("version", uts.version),
	{0},
};

/* What the kernel keeps of low memory, in KiB. */
static int
minfree(void)
{
	struct zoneinfo z;

	return zoneinfo(0, &z) ? (int)z.min * (PGSIZE / 1024) : 0;
}

static const struct procent vments[] = {
	TUNE("admin_reserve_kbytes", vmtune.adminreserve, 0, INT32_MAX),
	TUNE("dirty_background_ratio", vmtune.dirtybackground, 0, 100),
	TUNE("dirty_expire_centisecs", vmtune.dirtyold, 0, INT32_MAX),
	TUNE("dirty_ratio", vmtune.dirtyratio, 0, 100),
	TUNE("dirty_writeback_centisecs", vmtune.dirtyevery, 1, INT32_MAX),
	{.name = "drop_caches", .mode = S_IFREG | 0200, .store = storenumber,
		.arg = &(const struct ctl){.set = dropcaches, .min = 1, .max = 4}},
	TUNE("max_map_count", vmtune.maxmaps, 0, INT32_MAX),
	{.name = "min_free_kbytes", .mode = S_IFREG | 0444, .flags = PROC_CONST,
		.show = shownumber, .arg = &(const struct ctl){.get = minfree}},
	FIXED("mmap_min_addr", USERBASE),
	TUNE("overcommit_kbytes", vmtune.kbytes, 0, INT32_MAX),
	TUNE("overcommit_memory", vmtune.overcommit, 0, OVERCOMMIT_NEVER),
	TUNE("overcommit_ratio", vmtune.ratio, 0, INT32_MAX),
	FIXED("page-cluster", 0),
	FIXED("panic_on_oom", 0),
	FIXED("swappiness", 0),
	TUNE("user_reserve_kbytes", vmtune.userreserve, 0, INT32_MAX),
	FIXED("vfs_cache_pressure", 100),
	{0},
};

static const struct procent fsents[] = {
	PROCFILE("dentry-state", showdentrystate),
	FIXED("file-max", INT32_MAX),
	PROCFILE("file-nr", showfilenr),
	PROCFILE("inode-nr", showinodenr),
	PROCFILE("inode-state", showinodestate),
	FIXED("nr_open", NOFILEMAX),
	FIXED("overflowgid", 65534),
	FIXED("overflowuid", 65534),
	FIXED("pipe-max-size", 1 << 20),
	FIXED("suid_dumpable", 0),
	{0},
};

const struct procent procctlents[] = {
	PROCDIR("fs", fsents),
	PROCDIR("kernel", kernelents),
	PROCDIR("vm", vments),
	{0},
};
