/*
 * procsys.c - /proc: the files that tell about the machine and the kernel.
 */
#include "kern/fs/procfs.h"
#include "arch/cpu.h"
#include "arch/lapic.h"
#include "arch/multiboot.h"
#include "arch/trap.h"
#include "mm/mm.h"
#include "kern/abi/errno.h"
#include "kern/dev/dev.h"
#include "kern/freeze.h"
#include "kern/fs/inode.h"
#include "kern/panic.h"
#include "kern/param.h"
#include "kern/printf.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/string.h"
#include "kern/uname.h"

static void puthandlers(struct text *t, int irq);
static void putcputime(struct text *t, const uint ticks[NTICK]);
static void sumticks(uint ticks[NTICK]);
static uint toclock(uint ticks);
static int kmcopy(struct text *, int (*fn)(char *, int));
static int frozencheck(char *, int);
static uint kb(uint pages);

static int
showmeminfo(struct text *t, int pid)
{
	struct meminfo m;

	(void)pid;
	meminfo(&m);
	putf(t, "MemTotal:       %8u kB\n", kb(m.total));
	putf(t, "MemFree:        %8u kB\n", kb(m.free));
	putf(t, "MemAvailable:   %8u kB\n", kb(m.free));
	putf(t, "Buffers:        %8u kB\n", 0);
	putf(t, "Cached:         %8u kB\n", kb(m.cached));
	putf(t, "SwapCached:     %8u kB\n", 0);
	putf(t, "AnonPages:      %8u kB\n", kb(m.anon));
	putf(t, "Shmem:          %8u kB\n", kb(m.shmem));
	putf(t, "Slab:           %8u kB\n", kb(m.slab));
	putf(t, "SReclaimable:   %8u kB\n", 0);
	putf(t, "SUnreclaim:     %8u kB\n", kb(m.slab));
	putf(t, "KernelStack:    %8u kB\n", kb(m.stacks));
	putf(t, "PageTables:     %8u kB\n", kb(m.tables));
	putf(t, "SwapTotal:      %8u kB\n", 0);
	putf(t, "SwapFree:       %8u kB\n", 0);
	putf(t, "Kernel:         %8u kB\n", kb(m.kernel));
	putf(t, "KernelImage:    %8u kB\n", kb(m.image));
	putf(t, "PageArray:      %8u kB\n", kb(m.pagearray));
	putf(t, "BootModules:    %8u kB\n", kb(m.modules));
	return 0;
}

static uint
kb(uint pages)
{
	return pages * (PGSIZE / 1024);
}

/* Linux's names where programs look for them, then ours as they are. */
static int
showvmstat(struct text *t, int pid)
{
	struct meminfo m;

	(void)pid;
	meminfo(&m);
	putf(t, "nr_free_pages %u\n", m.free);
	putf(t, "nr_anon_pages %u\n", m.anon);
	putf(t, "nr_file_pages %u\n", m.cached);
	putf(t, "nr_page_table_pages %u\n", m.tables);
	putf(t, "pgfault %u\n", vmstat(VM_MINFLT) + vmstat(VM_MAJFLT));
	putf(t, "pgmajfault %u\n", vmstat(VM_MAJFLT));
	putf(t, "pswpin 0\npswpout 0\n");
	for (int i = 0; i < NVMSTAT; i++)
		putf(t, "%s %u\n", vmstatname(i), vmstat(i));
	return 0;
}

/* Classes of locks that somebody has waited for, or, in debug builds, taken. */
static int
showlockstat(struct text *t, int pid)
{
	struct lockstat s;

	(void)pid;
	putf(t, "%-12s%12s%12s%16s\n", "class", "taken", "contended", "waited");
	for (int i = 0; lockstat(i, &s); i++)
		if (s.taken || s.contended)
			putf(t, "%-6s%-6s%12u%12u%16llu\n",
				s.sleeps ? "sleep" : "spin", s.name, s.taken,
				s.contended, (unsigned long long)s.waited);
	return 0;
}

static int
showvmcheck(struct text *t, int pid)
{
	(void)pid;
	return kmcopy(t, frozencheck);
}

/* vmcheck() while nobody changes anything. */
static int
frozencheck(char *buf, int n)
{
	int err = freeze();

	if (err < 0)
		return err;
	n = vmcheck(buf, n);
	thaw();
	return n;
}

static int
showslabinfo(struct text *t, int pid)
{
	(void)pid;
	return kmcopy(t, slabinfo);
}

/* What a function of mm/ writes into a buffer. */
static int
kmcopy(struct text *t, int (*fn)(char *, int))
{
	enum { SIZE = 8192 };
	char *s = textroom(t, SIZE);
	int n = s ? fn(s, SIZE) : 0;

	if (n < 0)
		return n;
	t->n += MIN(n, SIZE - 1);
	return 0;
}

static int
showstat(struct text *t, int pid)
{
	uint ticks[NTICK], nswitch = 0;
	struct procount n;

	(void)pid;
	procount(&n);
	sumticks(ticks);
	for (int i = 0; i < ncpu; i++)
		nswitch += cpus[i].nswitch;
	putf(t, "cpu ");
	putcputime(t, ticks);
	for (int i = 0; i < ncpu; i++) {
		putf(t, "cpu%d", i);
		putcputime(t, cpus[i].ticks);
	}
	putf(t, "ctxt %u\n", nswitch);
	putf(t, "btime %u\n", (uint)((realns() - nowns()) / 1000000000));
	putf(t, "processes %u\n", n.forks);
	putf(t, "procs_running %d\nprocs_blocked 0\n", n.running);
	return 0;
}

static void
putcputime(struct text *t, const uint ticks[NTICK])
{
	putf(t, " %u %u %u %u 0 0 0 0 0 0\n", toclock(ticks[TICK_USER]),
		toclock(ticks[TICK_NICE]), toclock(ticks[TICK_SYSTEM]),
		toclock(ticks[TICK_IDLE]));
}

/* Of all CPUs. */
static void
sumticks(uint ticks[NTICK])
{
	memset(ticks, 0, NTICK * sizeof(*ticks));
	for (int i = 0; i < ncpu; i++)
		for (int k = 0; k < NTICK; k++)
			ticks[k] += cpus[i].ticks[k];
}

/* From 1/HZ to 1/USER_HZ. */
static uint
toclock(uint ticks)
{
	return (uint)((uint64_t)ticks * USER_HZ / HZ);
}

static int
showinterrupts(struct text *t, int pid)
{
	static const char *const names[NINTR - INTR_TIMER][2] = {
		{"LOC", "Local timer interrupts"},
		{"RES", "Rescheduling interrupts"},
		{"CAL", "Function call interrupts"},
		{"ERR", "APIC errors"},
		{"SPU", "Spurious interrupts"},
	};

	(void)pid;
	putf(t, "    ");
	for (int i = 0; i < ncpu; i++)
		putf(t, "       CPU%d", i);
	for (int n = 0; n < NINTR; n++) {
		if (n < INTR_TIMER && irqname(n, 0) == 0)
			continue;
		if (n < INTR_TIMER)
			putf(t, "\n%3d:", n);
		else
			putf(t, "\n%s:", names[n - INTR_TIMER][0]);
		for (int i = 0; i < ncpu; i++)
			putf(t, " %10u", cpus[i].intr[n]);
		if (n < INTR_TIMER)
			puthandlers(t, n);
		else
			putf(t, "  %s", names[n - INTR_TIMER][1]);
	}
	putf(t, "\n");
	return 0;
}

/* Who is interrupted by the line. */
static void
puthandlers(struct text *t, int irq)
{
	int i;

	putf(t, "  %s  %s", apicused() ? "IO-APIC" : "XT-PIC", irqname(irq, 0));
	for (i = 1; irqname(irq, i); i++)
		putf(t, ", %s", irqname(irq, i));
}

static int
showuptime(struct text *t, int pid)
{
	uint now = (uint)(nowns() / (1000000000 / USER_HZ));
	uint ticks[NTICK], idle;

	(void)pid;
	sumticks(ticks);
	idle = toclock(ticks[TICK_IDLE]);
	putf(t, "%u.%02u %u.%02u\n", now / USER_HZ, now % USER_HZ,
		idle / USER_HZ, idle % USER_HZ);
	return 0;
}

static int
showloadavg(struct text *t, int pid)
{
	struct procount n;
	uint avg[3];

	(void)pid;
	loadavg(avg);
	procount(&n);
	for (int i = 0; i < 3; i++)
		putf(t, "%u.%02u ", avg[i] >> 11,
			((avg[i] & 2047) * 100) >> 11);
	putf(t, "%d/%d %d\n", n.running, n.all, n.lastpid);
	return 0;
}

static int
showcpuinfo(struct text *t, int pid)
{
	static const char *const flags[32] = {
		"fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce", "cx8",
		"apic", 0, "sep", "mtrr", "pge", "mca", "cmov", "pat", "pse36",
		"pn", "clflush", 0, "dts", "acpi", "mmx", "fxsr", "sse", "sse2",
		"ss", "ht", "tm", "ia64", "pbe",
	};
	const struct cpuinfo *c = &cpuinfo;

	(void)pid;
	for (int i = 0; i < ncpu; i++) {
		putf(t, "processor\t: %d\n", i);
		putf(t, "vendor_id\t: %s\n", *c->vendor ? c->vendor : "unknown");
		putf(t, "cpu family\t: %u\n", *c->vendor ? c->family : 4);
		putf(t, "model\t\t: %u\n", c->model);
		putf(t, "model name\t: %s\n", *c->brand ? c->brand : "486");
		putf(t, "stepping\t: %u\n", c->stepping);
		putf(t, "cpu MHz\t\t: %u.%03u\n", tsckhz / 1000, tsckhz % 1000);
		putf(t, "fpu\t\t: yes\nflags\t\t:");
		for (int b = 0; b < 32; b++)
			if (flags[b] && (c->features >> b & 1))
				putf(t, " %s", flags[b]);
		putf(t, "\nbogomips\t: %u.%02u\n\n", tsckhz / 500,
			tsckhz / 5 % 100);
	}
	return 0;
}

static int
showcmdline(struct text *t, int pid)
{
	(void)pid;
	putf(t, "%s\n", bootinfo.cmdline);
	return 0;
}

static int
showversion(struct text *t, int pid)
{
	(void)pid;
	putf(t, "%s version %s (%s) %s\n", uts.sysname, uts.release,
		__VERSION__, uts.version);
	return 0;
}

static int
showfilesystems(struct text *t, int pid)
{
	(void)pid;
	putf(t, "nodev\tramfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tdevtmpfs\n"
		"nodev\tdevpts\n");
	return 0;
}

static int
showconsoles(struct text *t, int pid)
{
	(void)pid;
	putf(t, "ttyS0                -W- (EC  a)    4:64\n");
	putf(t, "tty0                 -WU (EC  )     4:1\n");
	return 0;
}

static int
showdevice(struct device *d, void *arg)
{
	putf(arg, "%3u %s\n", major(d->rdev), d->name);
	return 0;
}

static int
showdevices(struct text *t, int pid)
{
	(void)pid;
	putf(t, "Character devices:\n");
	deveach(showdevice, t);
	putf(t, "\nBlock devices:\n");
	return 0;
}

int
showmounts(struct text *t, int pid)
{
	char *path = kmalloc(PATHLEN);
	struct super s;
	int n;

	(void)pid;
	if (path == 0)
		return -ENOMEM;
	for (int i = 0; (n = mountpath(i, &s, path, PATHLEN)) != -ENOENT; i++)
		if (n >= 0)
			putf(t, "%s %s %s %s 0 0\n",
				*s.source ? s.source : s.type, path, s.type,
				s.flags & MS_RDONLY ? "ro" : "rw");
	kmfree(path);
	return 0;
}

static int
linkself(int pid, int fd, struct dentry **out, char *buf, uint n)
{
	(void)pid, (void)fd, (void)out;
	return snprintf(buf, n, "%d", myproc()->tg->tgid);
}

static int
linkthreadself(int pid, int fd, struct dentry **out, char *buf, uint n)
{
	struct proc *p = myproc();

	(void)pid, (void)fd, (void)out;
	return snprintf(buf, n, "%d/task/%d", p->tg->tgid, p->pid);
}

static int
linkmounts(int pid, int fd, struct dentry **out, char *buf, uint n)
{
	(void)pid, (void)fd, (void)out;
	return snprintf(buf, n, "self/mounts");
}

/* One letter asks for: c crash, b boot again, o off; in debug builds 1 to 9:
 * break a rule about locks. */
static int
storesysrq(int pid, const char *s, uint n)
{
	(void)pid;
	if (n > 0 && *s == 'c')
		panic("sysrq: a crash was asked for by process %d",
			myproc()->pid);
	if (n > 0 && *s == 'b')
		reset();
	if (n > 0 && *s == 'o')
		poweroff();
#ifdef QUIRE_DEBUG
	if (n > 0)
		locktest(*s);
#endif
	return 0;
}

static int
showhostname(struct text *t, int pid)
{
	(void)pid;
	putf(t, "%s\n", uts.nodename);
	return 0;
}

static int
storehostname(int pid, const char *s, uint n)
{
	(void)pid;
	if (n > 0 && s[n - 1] == '\n')
		n--;
	if (n >= sizeof(uts.nodename))
		return -EINVAL;
	memset(uts.nodename, 0, sizeof(uts.nodename));
	memmove(uts.nodename, s, n);
	return 0;
}

static int
showosrelease(struct text *t, int pid)
{
	(void)pid;
	putf(t, "%s\n", uts.release);
	return 0;
}

static int
showostype(struct text *t, int pid)
{
	(void)pid;
	putf(t, "%s\n", uts.sysname);
	return 0;
}

static int
showpidmax(struct text *t, int pid)
{
	(void)pid;
	putf(t, "%d\n", PIDMAX);
	return 0;
}

static int
showngroups(struct text *t, int pid)
{
	(void)pid;
	putf(t, "%d\n", (int)NELEM(((struct proc *)0)->groups));
	return 0;
}

/* 1: mmap never refuses for fear of what will be touched later. */
static int
showovercommit(struct text *t, int pid)
{
	(void)pid;
	putf(t, "1\n");
	return 0;
}

static int
showmaxmap(struct text *t, int pid)
{
	(void)pid;
	putf(t, "%d\n", NVMA);
	return 0;
}

#define F(n, show)     { n, S_IFREG | 0444, 0, show, 0, 0, 0 }
#define ROOT(n, show)  { n, S_IFREG | 0400, 0, show, 0, 0, 0 }
#define D(n, sub)      { n, S_IFDIR | 0555, 0, 0, 0, 0, sub }
#define L(n, link)     { n, S_IFLNK | 0777, 0, 0, 0, link, 0 }
#define END            { 0, 0, 0, 0, 0, 0, 0 }

static const struct procent kernelents[] = {
	{ "hostname", S_IFREG | 0644, 0, showhostname, storehostname, 0, 0 },
	F("ngroups_max", showngroups),
	F("osrelease", showosrelease),
	F("ostype", showostype),
	F("pid_max", showpidmax),
	END,
};

static const struct procent vments[] = {
	F("max_map_count", showmaxmap),
	F("overcommit_memory", showovercommit),
	END,
};

static const struct procent sysents[] = {
	D("kernel", kernelents),
	D("vm", vments),
	END,
};

const struct procent procsysents[] = {
	F("cmdline", showcmdline),
	F("consoles", showconsoles),
	F("cpuinfo", showcpuinfo),
	F("devices", showdevices),
	F("filesystems", showfilesystems),
	F("interrupts", showinterrupts),
	F("loadavg", showloadavg),
	F("meminfo", showmeminfo),
	L("mounts", linkmounts),
	L("self", linkself),
	ROOT("slabinfo", showslabinfo),
	F("stat", showstat),
	D("sys", sysents),
	{ "sysrq-trigger", S_IFREG | 0200, 0, 0, storesysrq, 0, 0 },
	L("thread-self", linkthreadself),
	F("uptime", showuptime),
	F("version", showversion),
	ROOT("vmcheck", showvmcheck),
	ROOT("lockstat", showlockstat),
	F("vmstat", showvmstat),
	END,
};
