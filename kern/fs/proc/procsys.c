/*
 * procsys.c - /proc: the files that tell about the machine and the kernel.
 */
#include "kern/fs/proc/procfs.h"
#include "arch/cpu.h"
#include "arch/lapic.h"
#include "arch/multiboot.h"
#include "arch/trap.h"
#include "mm/mm.h"
#include "kern/abi/errno.h"
#include "kern/dev/dev.h"
#include "kern/flock.h"
#include "kern/fs/inode.h"
#include "kern/panic.h"
#include "kern/param.h"
#include "kern/lib/printf.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/sysvshm.h"
#include "kern/lib/string.h"
#include "kern/lib/uname.h"

static void puthandlers(struct text *t, int irq);
static void putcputime(struct text *t, const uint ticks[NTICK]);
static void sumticks(uint ticks[NTICK]);
static uint sumintr(int line);
static uint toclock(uint ticks);

/* /proc/lockstat has one line for each class of locks that somebody has
 * waited for or, in debug builds, taken.  Each show function of this file
 * returns 0. */
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

/* /proc/stat has the times of each CPU in 1/USER_HZ s, and counts of
 * interrupts, switches and processes since boot. */
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
	putf(t, "intr %u", sumintr(NINTR));
	for (int i = 0; i < INTR_TIMER; i++)
		putf(t, " %u", sumintr(i));
	putf(t, "\nctxt %u\n", nswitch);
	putf(t, "btime %u\n", (uint)((realns() - nowns()) / 1000000000));
	putf(t, "processes %u\n", n.forks);
	putf(t, "procs_running %d\nprocs_blocked 0\n", n.running);
	return 0;
}

/* Return how many interrupts all CPUs have had on one line, or with NINTR on
 * all lines. */
static uint
sumintr(int line)
{
	uint n = 0;

	for (int i = 0; i < ncpu; i++)
		for (int k = 0; k < NINTR; k++)
			if (k == line || line == NINTR)
				n += cpus[i].intr[k];
	return n;
}

/* Write the times of a CPU, given in ticks, in 1/USER_HZ s. */
static void
putcputime(struct text *t, const uint ticks[NTICK])
{
	putf(t, " %u %u %u %u 0 0 0 0 0 0\n", toclock(ticks[TICK_USER]),
		toclock(ticks[TICK_NICE]), toclock(ticks[TICK_SYSTEM]),
		toclock(ticks[TICK_IDLE]));
}

/* Set ticks to the sums over all CPUs, in 1/HZ s. */
static void
sumticks(uint ticks[NTICK])
{
	memset(ticks, 0, NTICK * sizeof(*ticks));
	for (int i = 0; i < ncpu; i++)
		for (int k = 0; k < NTICK; k++)
			ticks[k] += cpus[i].ticks[k];
}

/* Convert ticks, of 1/HZ s, to 1/USER_HZ s. */
static uint
toclock(uint ticks)
{
	return (uint)((uint64_t)ticks * USER_HZ / HZ);
}

/* /proc/interrupts has one line for each interrupt line with a handler and for
 * each kind of local interrupt: the counts of all CPUs, then the names. */
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

/* Write which controller the interrupt line is on, and the names of its
 * handlers. */
static void
puthandlers(struct text *t, int irq)
{
	int i;

	putf(t, "  %s  %s", apicused() ? "IO-APIC" : "XT-PIC", irqname(irq, 0));
	for (i = 1; irqname(irq, i); i++)
		putf(t, ", %s", irqname(irq, i));
}

/* /proc/uptime is how long the machine has run and how long its CPUs, added up,
 * have been idle, in seconds. */
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

/* /proc/loadavg is the load over 1, 5 and 15 minutes, the number of running
 * threads and of all threads, and the newest pid. */
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

/* /proc/cpuinfo has a paragraph about each CPU.  All are taken to be like the
 * one the kernel was booted on. */
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

/* /proc/cmdline is the command line that the boot loader gave the kernel. */
static int
showcmdline(struct text *t, int pid)
{
	(void)pid;
	putf(t, "%s\n", bootinfo.cmdline);
	return 0;
}

/* /proc/version is one line: the kernel's name, release and version, and its
 * compiler. */
static int
showversion(struct text *t, int pid)
{
	(void)pid;
	putf(t, "%s version %s (%s) %s\n", uts.sysname, uts.release,
		__VERSION__, uts.version);
	return 0;
}

/* /proc/consoles lists the two devices that the kernel's messages go to. */
static int
showconsoles(struct text *t, int pid)
{
	(void)pid;
	putf(t, "ttyS0                -W- (EC  a)    4:64\n");
	putf(t, "tty0                 -WU (EC  )     4:1\n");
	return 0;
}

/* Write the number and name of the device's major, if d is the first device of
 * that major; t->at is the major before.  Called by deveach(); returns 0 to go
 * on. */
static int
showdevice(struct device *d, void *arg)
{
	struct text *t = arg;

	if (t->at != major(d->rdev))
		putf(t, "%3u %s\n", major(d->rdev), d->name);
	t->at = major(d->rdev);
	return 0;
}

/* /proc/devices lists the majors of character devices, then those of block
 * devices. */
static int
showdevices(struct text *t, int pid)
{
	(void)pid;
	putf(t, "Character devices:\n");
	deveach(showdevice, t);
	putf(t, "\nBlock devices:\n");
	putmajors(t);
	return 0;
}

/* /proc/self is a link to the running process's directory.  Writes the target
 * to buf and returns its length. */
static int
linkself(int pid, int fd, struct dentry **out, char *buf, uint n)
{
	(void)pid, (void)fd, (void)out;
	return snprintf(buf, n, "%d", myproc()->tg->tgid);
}

/* /proc/thread-self is a link to the running thread's directory.  Writes the
 * target to buf and returns its length. */
static int
linkthreadself(int pid, int fd, struct dentry **out, char *buf, uint n)
{
	struct proc *p = myproc();

	(void)pid, (void)fd, (void)out;
	return snprintf(buf, n, "%d/task/%d", p->tg->tgid, p->pid);
}

/* /proc/mounts is a link to self/mounts.  Writes the target to buf and returns
 * its length. */
static int
linkmounts(int pid, int fd, struct dentry **out, char *buf, uint n)
{
	(void)pid, (void)fd, (void)out;
	return snprintf(buf, n, "self/mounts");
}

/* A letter written to /proc/sysrq-trigger asks for an action: c crashes the
 * kernel, b reboots the machine, o turns it off.  In debug builds, a digit from
 * 1 to 9 breaks one of the rules about locks, to show that the checks find
 * this.  Returns 0. */
static int
storesysrq(const struct procent *e, int pid, const char *s, uint n)
{
	(void)e, (void)pid;
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

/* Write the bits that are set in mask as a list of ranges, such as 0-3,5. */
void
putlist(struct text *t, uint mask)
{
	const char *comma = "";

	for (int i = 0, end; i < 32; i = end + 1) {
		for (end = i; end < 32 && (mask >> end & 1);)
			end++;
		if (end > i + 1)
			putf(t, "%s%d-%d", comma, i, end - 1);
		else if (end > i)
			putf(t, "%s%d", comma, i);
		if (end > i)
			comma = ",";
	}
}

/* /proc/kallsyms lists the kernel's functions, part by part from number t->at
 * on.  Only the superuser sees the addresses; others see 0. */
static int
showkallsyms(struct text *t, int pid)
{
	const char *name;
	uint addr;

	(void)pid;
	while (ksym(t->at, &addr, &name) && t->n < TEXTPART) {
		putf(t, "%08x t %s\n", myproc()->euid == 0 ? addr : 0, name);
		t->at++;
	}
	t->more = ksym(t->at, &addr, &name);
	return 0;
}

/* /proc/locks lists the file locks. */
static int
showlocks(struct text *t, int pid)
{
	(void)pid;
	flockshow(t, "", 0, 0);
	return 0;
}

/* The file is empty, since the kernel has nothing of its kind. */
static int
showempty(struct text *t, int pid)
{
	(void)t, (void)pid;
	return 0;
}

/* /proc/swaps has only its heading, since the kernel does not swap. */
static int
showswaps(struct text *t, int pid)
{
	(void)pid;
	putf(t, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	return 0;
}

/* /proc/tty/drivers lists the kinds of terminals with their device numbers. */
static int
showdrivers(struct text *t, int pid)
{
	(void)pid;
	putf(t, "/dev/tty             /dev/tty        5       0 system:/dev/tty\n"
		"/dev/console         /dev/console    5       1 system:console\n"
		"/dev/ptmx            /dev/ptmx       5       2 system\n"
		"serial               /dev/ttyS       4   64-67 serial\n"
		"pty_slave            /dev/pts      136 0-1048575 pty:slave\n"
		"unknown              /dev/tty        4    1-63 console\n");
	return 0;
}

/* /proc/sysvipc/shm lists the segments of System V shared memory. */
static int
showshm(struct text *t, int pid)
{
	(void)pid;
	shmshow(t);
	return 0;
}

static const struct procent ipcents[] = {
	PROCFILE("shm", showshm),
	{0},
};

static const struct procent ttyents[] = {
	PROCFILE("drivers", showdrivers),
	{0},
};

const struct procent procsysents[] = {
	PROCROOT("buddyinfo", showbuddyinfo),
	PROCFILE("cmdline", showcmdline),
	PROCFILE("consoles", showconsoles),
	PROCFILE("cpuinfo", showcpuinfo),
	PROCFILE("devices", showdevices),
	PROCFILE("diskstats", showdiskstats),
	PROCFILE("filesystems", showfilesystems),
	PROCFILE("interrupts", showinterrupts),
	PROCFILE("kallsyms", showkallsyms),
	PROCFILE("loadavg", showloadavg),
	PROCFILE("locks", showlocks),
	PROCROOT("lockstat", showlockstat),
	PROCFILE("meminfo", showmeminfo),
	PROCFILE("modules", showempty),
	PROCLINK("mounts", linkmounts),
	PROCDIR("net", procnetents),
	PROCFILE("partitions", showpartitions),
	PROCLINK("self", linkself),
	PROCROOT("slabinfo", showslabinfo),
	PROCFILE("stat", showstat),
	PROCFILE("swaps", showswaps),
	PROCDIR("sys", procctlents),
	{.name = "sysrq-trigger", .mode = S_IFREG | 0200, .store = storesysrq},
	PROCDIR("sysvipc", ipcents),
	PROCLINK("thread-self", linkthreadself),
	PROCDIR("tty", ttyents),
	PROCFILE("uptime", showuptime),
	PROCFILE("version", showversion),
	PROCROOT("vmcheck", showvmcheck),
	PROCFILE("vmstat", showvmstat),
	PROCROOT("zoneinfo", showzoneinfo),
	{0},
};
