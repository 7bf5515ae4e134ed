/*
 * init.c - the first process: from a kernel thread to the first program.
 *
 * Pid 1 fills the root from the boot module, or mounts the disk of root=,
 * mounts /dev, /dev/pts and /proc, opens the console as descriptors 0, 1 and 2
 * and becomes init= of the command line, or else /init, /sbin/init, /etc/init,
 * /bin/init or /bin/sh.  Words of the command line that the kernel does not
 * know are init's: KEY=VALUE its environment, others its arguments, like
 * everything behind a lone --.  When it exits, the machine stops.
 */
#include "kern/init.h"
#include "arch/multiboot.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/resource.h"
#include "kern/abi/stat.h"
#include "kern/blk/blk.h"
#include "kern/blk/disk.h"
#include "kern/dev/dev.h"
#include "kern/exec.h"
#include "kern/file.h"
#include "kern/fs/bio.h"
#include "kern/fs/inode.h"
#include "kern/panic.h"
#include "kern/proc.h"
#include "kern/lib/printf.h"
#include "kern/lib/string.h"
#include "kern/sys/syscall.h"

#define NWORD 31 /* arguments, and as many environment strings, of init */

static char words[sizeof(bootinfo.cmdline)]; /* the command line, cut up */
static char *argv[NWORD + 1];
static char *envp[NWORD + 1] = {"HOME=/", "TERM=linux"};
static int argc = 1, envc = 2; /* argv[0] is the program */

static void initmain(void *arg);
static void ownfiles(struct proc *p);
static void rlimitinit(struct rlimit64 limit[NRLIMIT]);
static void fillroot(void);
static void diskroot(const char *source);
static void mountboot(const char *path, const char *type);
static void openconsole(void);
static void parsewords(void);
static char *cutword(char *w);
static int kernelword(const char *w);
static void addword(char **list, int *n, char *w);
static void runinit(void);
static const char *errname(int err);
static int wantsexit(void);

void
userinit(void)
{
	struct proc *p = kthread("init", initmain, 0);

	if (p == 0)
		panic("no memory for the first process");
	assert(p->pid == 1);
	initgroup = p->tg;
}

static void
initmain(void *arg)
{
	static char word[64];

	(void)arg;
	ownfiles(myproc());
	flushinit();
	reclaiminit();
	if (bootarg("root", word, sizeof(word)) < 0)
		fillroot();
	blkinit();
	disksinit();
	binit();
	if (*word)
		diskroot(word);
	mountboot("/dev", "devtmpfs");
	mountboot("/dev/pts", "devpts");
	mountboot("/proc", "proc");
	mountboot("/sys", "sysfs");
	openconsole();
	parsewords();
	runinit();
}

/* What other processes inherit, the first one makes. */
static void
ownfiles(struct proc *p)
{
	struct fsinfo *fs = kzalloc(sizeof(*fs));

	p->files = filesnew();
	if (fs == 0 || p->files == 0)
		panic("no memory for the first process");
	fs->ref = 1;
	initlock(&fs->lock, RANK_FILES);
	fs->root = dget(rootdentry);
	fs->cwd = dget(rootdentry);
	fs->umask = 022;
	p->fs = fs;
	p->tg->dumpable = 1;
	rlimitinit(p->tg->rlimit);
}

/* The resource limits of the first process, which all others inherit. */
static void
rlimitinit(struct rlimit64 limit[NRLIMIT])
{
	struct meminfo m;
	int i;

	meminfo(&m);
	for (i = 0; i < NRLIMIT; i++)
		limit[i].cur = limit[i].max = RLIM_INFINITY64;
	limit[RLIMIT_STACK].cur = STACKLIMIT;
	limit[RLIMIT_CORE].cur = 0;
	limit[RLIMIT_MEMLOCK].cur = limit[RLIMIT_MEMLOCK].max = MEMLOCK;
	limit[RLIMIT_NOFILE].cur = NOFILE;
	limit[RLIMIT_NOFILE].max = NOFILEMAX;
	/* half of the memory as kernel stacks and tables of processes */
	limit[RLIMIT_NPROC].cur = MAX(m.total / 32, 64u);
	limit[RLIMIT_NPROC].max = limit[RLIMIT_NPROC].cur;
	limit[RLIMIT_NICE].cur = limit[RLIMIT_NICE].max = 0;
	limit[RLIMIT_RTPRIO].cur = limit[RLIMIT_RTPRIO].max = 0;
}

/* Unpack the initramfs; users may fill half of the memory that it leaves. */
static void
fillroot(void)
{
	struct bootmodule *m = &bootinfo.module[0];
	struct super *root = rootdentry->inode->super;
	struct meminfo mem;
	int err;

	if (bootinfo.nmodule == 0)
		panic("no root= and no initramfs: the boot loader passed no "
		      "module, so there is no root file system (QEMU: -initrd "
		      "FILE; GRUB: module FILE)");
	err = cpiounpack(m->start, m->end - m->start);
	if (err < 0)
		panic("initramfs (module 0, %u bytes): %s",
			m->end - m->start, errname(err));
	meminfo(&mem);
	root->maxpages = root->npages + mem.free / 2;
}

/* The root is on the disk that root= names, of the type of rootfstype= or any;
 * read-only unless rw is among the words. */
static void
diskroot(const char *source)
{
	static char types[64], data[128];
	uint flags = bootflag("rw") ? 0 : MS_RDONLY;
	int err;

	bootarg("rootfstype", types, sizeof(types));
	bootarg("rootflags", data, sizeof(data));
	err = mountroot(source, types, flags, data);
	if (err < 0)
		panic("root=%s: %s%s", source, errname(err),
			err == -ENOENT || err == -ENXIO ?
			" (the names of the disks are above)" : "");
}

/* Mount a file system of the kernel's own on path, making the directory. */
static void
mountboot(const char *path, const char *type)
{
	struct dentry *d;
	int err;

	err = mkpath(path, S_IFDIR | 0755, 0, 0, 0, realns(), &d);
	if (err == 0) {
		dput(d);
		err = domount(type, path, type, 0, "");
	}
	if (err < 0)
		printf("init: cannot mount %s on %s: %s\n", type, path,
			errname(err));
}

static void
openconsole(void)
{
	struct file *f;
	int fd, err;

	f = openpath(0, "/dev/console", O_RDWR, 0, &err);
	if (f == 0) {
		printf("init: cannot open /dev/console: %s\n", errname(err));
		return;
	}
	for (fd = 0; fd < 3; fd++)
		if (fdalloc(filedup(f), fd, 0) != fd)
			panic("no memory for init's descriptors");
	fileclose(f);
}

/* Sort the words of the command line into argv and envp. */
static void
parsewords(void)
{
	char *w, *next;
	int rest = 0; /* -- seen */

	strlcpy(words, bootinfo.cmdline, sizeof(words));
	for (w = words; *w; w = next) {
		next = cutword(w);
		if (*w == 0)
			continue;
		if (!rest && strcmp(w, "--") == 0)
			rest = 1;
		else if (rest)
			addword(argv, &argc, w);
		else if (kernelword(w))
			continue;
		else if (strchr(w, '='))
			addword(envp, &envc, w);
		else
			addword(argv, &argc, w);
	}
}

/* End the word w and take off its quotes, in which spaces do not count: the
 * next one. */
static char *
cutword(char *w)
{
	char *to = w, *next;
	int quoted = 0;

	for (; *w && (quoted || *w != ' '); w++) {
		if (*w == '"')
			quoted = !quoted;
		else
			*to++ = *w;
	}
	next = *w ? w + 1 : w;
	*to = 0;
	return next;
}

/* Does the kernel know the word? */
static int
kernelword(const char *w)
{
	static const char *const known[] = {"init=", "console=", "root=",
		"rootfstype=", "rootflags=", "rootwait", "ro", "rw", "maxcpus=",
		"disktimeout=", "noapic", "mem=", "quiet", "panic=",
		"strace", "tlbcheck", "BOOT_IMAGE="};
	uint i, n;

	for (i = 0; i < NELEM(known); i++) {
		n = strlen(known[i]);
		if (known[i][n - 1] == '=' ? strncmp(w, known[i], n) == 0
					   : strcmp(w, known[i]) == 0)
			return 1;
	}
	return 0;
}

/* A later KEY=VALUE takes the place of an earlier one. */
static void
addword(char **list, int *n, char *w)
{
	char *eq = strchr(w, '=');
	int i;

	for (i = 0; list == envp && i < *n; i++) {
		if (strncmp(list[i], w, eq - w + 1) == 0) {
			list[i] = w;
			return;
		}
	}
	if (*n == NWORD)
		printf("init: too many words on the command line: %s\n", w);
	else
		list[(*n)++] = w;
}

/* Become the first program. */
static void
runinit(void)
{
	static char *const paths[] = {"/init", "/sbin/init", "/etc/init",
		"/bin/init", "/bin/sh"};
	static char path[256];
	uint i;
	int err, why[NELEM(paths)];

	if (bootarg("init", path, sizeof(path)) >= 0) {
		argv[0] = path;
		err = doexec(path, (uint)argv, (uint)envp, 1);
		if (err < 0)
			panic("init=%s: %s", path, errname(err));
		return;
	}
	for (i = 0; i < NELEM(paths); i++) {
		argv[0] = paths[i];
		why[i] = doexec(paths[i], (uint)argv, (uint)envp, 1);
		if (why[i] == 0)
			return;
	}
	panic("no init: %s: %s; %s: %s; ...; %s: %s; put one into the root, or "
	      "name the program with init=PATH",
		paths[0], errname(why[0]), paths[1], errname(why[1]), paths[4],
		errname(why[4]));
}

static const char *
errname(int err)
{
	static char number[16];

	switch (-err) {
	case ENOENT: return "no such file or directory";
	case EIO: return "I/O error";
	case E2BIG: return "argument list too long";
	case ENOEXEC: return "not a program for this machine";
	case ENOMEM: return "out of memory";
	case EACCES: return "not a regular file that may be executed";
	case EEXIST: return "file exists";
	case ENODEV: return "no such file system";
	case ENXIO: return "no such device";
	case ENOTDIR: return "not a directory";
	case EINVAL: return "damaged or of an unknown format";
	case ENOSPC: return "no space left";
	case ELOOP: return "too many links or #! lines";
	case ELIBBAD: return "its interpreter is not a program for this machine";
	case EFAULT: return "its headers point outside the file";
	}
	snprintf(number, sizeof(number), "error %d", -err);
	return number;
}

void
initexit(int status)
{
	int sig = status & 0x7f, code = status >> 8 & 0xff;

	if (sig == 0)
		printf("init exited with status %d\n", code);
	else
		printf("init was killed by signal %d%s\n", sig,
			sig == SIGILL && !(cpuinfo.features & CPU_CMOV)
				? ": i686 programs need a CPU with CMOV, which "
				  "this one lacks"
				: "");
	umountall();
	if (wantsexit())
		exitqemu(0x10 + (sig || code > 63 ? 63 : code));
	poweroff();
}

/* panic=exit */
static int
wantsexit(void)
{
	char buf[8];

	return bootarg("panic", buf, sizeof(buf)) >= 0 &&
		strcmp(buf, "exit") == 0;
}
