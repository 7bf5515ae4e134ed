/*
 * sysinfo.c - the system calls about the machine as a whole: its names, memory,
 * log, random bytes, power; and prctl, a process's odds and ends.
 */
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/dev/dev.h"
#include "kern/param.h"
#include "kern/lib/printf.h"
#include "kern/fs/inode.h"
#include "kern/proc.h"
#include "kern/random.h"
#include "kern/sched.h"
#include "kern/lib/string.h"
#include "kern/sys/syscall.h"
#include "kern/timeval.h"
#include "kern/lib/uname.h"

int
sys_uname(const uint *a)
{
	return copyout(a[0], &uts, sizeof(uts)) ? -EFAULT : 0;
}

/* A new node or domain name of len bytes from the user. */
static int
setname(char name[65], uint uva, uint len)
{
	char new[65];

	if (myproc()->euid != 0)
		return -EPERM;
	if (len > sizeof(new) - 1)
		return -EINVAL;
	memset(new, 0, sizeof(new));
	if (copyin(new, uva, len))
		return -EFAULT;
	memcpy(name, new, sizeof(new));
	return 0;
}

int
sys_sethostname(const uint *a)
{
	return setname(uts.nodename, a[0], a[1]);
}

int
sys_setdomainname(const uint *a)
{
	return setname(uts.domainname, a[0], a[1]);
}

struct sysinfo {
	int uptime;
	uint loads[3]; /* scaled by 2^16 */
	uint totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	uint16_t procs, pad;
	uint totalhigh, freehigh, memunit;
	char rest[8];
};
_Static_assert(sizeof(struct sysinfo) == 64, "sysinfo");

int
sys_sysinfo(const uint *a)
{
	struct sysinfo si;
	struct meminfo m;
	struct procount n;
	uint avg[3], nsec, i;

	memset(&si, 0, sizeof(si));
	meminfo(&m);
	loadavg(avg);
	si.uptime = (int)splitns(nowns(), &nsec);
	for (i = 0; i < 3; i++)
		si.loads[i] = avg[i] << 5;
	si.totalram = m.total * PGSIZE;
	si.freeram = m.free * PGSIZE;
	si.sharedram = m.shmem * PGSIZE;
	procount(&n);
	si.procs = (uint16_t)n.all;
	si.memunit = 1;
	return copyout(a[0], &si, sizeof(si)) ? -EFAULT : 0;
}

enum { /* what prctl is asked */
	PR_SET_PDEATHSIG = 1,
	PR_GET_PDEATHSIG = 2,
	PR_GET_DUMPABLE = 3,
	PR_SET_DUMPABLE = 4,
	PR_GET_KEEPCAPS = 7,
	PR_SET_NAME = 15,
	PR_GET_NAME = 16,
	PR_CAPBSET_READ = 23,
	PR_SET_TIMERSLACK = 29,
	PR_GET_TIMERSLACK = 30,
	PR_SET_NO_NEW_PRIVS = 38,
	PR_GET_NO_NEW_PRIVS = 39,
};

static int prsetname(struct proc *p, uint uva);

int
sys_prctl(const uint *a)
{
	struct proc *p = myproc();
	uint v = a[1];

	switch (a[0]) {
	case PR_SET_PDEATHSIG:
		if (v > NSIG)
			return -EINVAL;
		p->pdeathsig = (int)v;
		return 0;
	case PR_GET_PDEATHSIG:
		return copyout(v, &p->pdeathsig, sizeof(int)) ? -EFAULT : 0;
	case PR_GET_DUMPABLE:
		return p->tg->dumpable;
	case PR_SET_DUMPABLE:
		if (v > 1)
			return -EINVAL;
		p->tg->dumpable = (int)v;
		return 0;
	case PR_GET_KEEPCAPS:
		return 0;
	case PR_SET_NAME:
		return prsetname(p, v);
	case PR_GET_NAME:
		return copyout(v, p->name, sizeof(p->name)) ? -EFAULT : 0;
	case PR_CAPBSET_READ:
		return v <= LASTCAP ? 1 : -EINVAL;
	case PR_SET_TIMERSLACK:
		return 0; /* ticks are coarser than any */
	case PR_GET_TIMERSLACK:
		return NSEC / HZ;
	case PR_SET_NO_NEW_PRIVS:
		if (v != 1 || a[2] || a[3] || a[4])
			return -EINVAL;
		p->nonewprivs = 1;
		return 0;
	case PR_GET_NO_NEW_PRIVS:
		return p->nonewprivs;
	default:
		return -EINVAL;
	}
}

/* At most 15 bytes of the user's string. */
static int
prsetname(struct proc *p, uint uva)
{
	char name[sizeof(p->name)];
	int n;

	memset(name, 0, sizeof(name));
	n = copyinstr(name, uva, sizeof(name));
	if (n < 0 && n != -ENAMETOOLONG)
		return n;
	name[sizeof(name) - 1] = 0;
	memcpy(p->name, name, sizeof(name));
	return 0;
}

int
sys_personality(const uint *a)
{
	struct proc *p = myproc();
	uint old = p->persona;

	if (a[0] != ~0u)
		p->persona = a[0];
	return (int)old;
}

#define LOGMAX 65536 /* of the log for one call */

static int readlog(uint uva, uint n);

/* type, buffer, length */
int
sys_syslog(const uint *a)
{
	enum { CLOSE, OPEN, READ, READALL, READCLEAR, SIZE = 10 };

	if (a[0] > SIZE)
		return -EINVAL;
	if (a[0] != READALL && a[0] != SIZE && myproc()->euid != 0)
		return -EPERM;
	switch (a[0]) {
	case READ:
	case READALL:
	case READCLEAR:
		if (!a[1] || (int)a[2] < 0)
			return -EINVAL;
		return readlog(a[1], MIN(a[2], (uint)LOGMAX));
	case SIZE:
		return LOGMAX;
	default:
		return 0; /* the log is not cleared, levels are not kept */
	}
}

static int
readlog(uint uva, uint n)
{
	char *buf;
	int err;

	if (n == 0)
		return 0;
	buf = kmalloc(n);
	if (!buf)
		return -ENOMEM;
	n = logread(buf, n);
	err = copyout(uva, buf, n) ? -EFAULT : (int)n;
	kmfree(buf);
	return err;
}

#define REBOOT_MAGIC    0xfee1deadu
#define REBOOT_RESTART  0x01234567u
#define REBOOT_RESTART2 0xa1b2c3d4u
#define REBOOT_HALT     0xcdef0123u
#define REBOOT_POWEROFF 0x4321fedcu
#define REBOOT_CADON    0x89abcdefu
#define REBOOT_CADOFF   0

/* magic, magic, command */
int
sys_reboot(const uint *a)
{
	static const uint magic[] = {672274793, 85072278, 369367448, 537993216};
	uint i;

	if (myproc()->euid != 0)
		return -EPERM;
	for (i = 0; i < NELEM(magic) && magic[i] != a[1]; i++)
		;
	if (a[0] != REBOOT_MAGIC || i == NELEM(magic))
		return -EINVAL;
	switch (a[2]) {
	case REBOOT_RESTART:
	case REBOOT_RESTART2:
		umountall();
		reset();
	case REBOOT_HALT:
		umountall();
		printf("halted\n");
		halt();
	case REBOOT_POWEROFF:
		umountall();
		poweroff();
	case REBOOT_CADON: /* ctrl-alt-del always asks init */
	case REBOOT_CADOFF:
		return 0;
	default:
		return -EINVAL;
	}
}

int
sys_getrandom(const uint *a)
{
	char buf[256];
	uint done, n, len = MIN(a[1], (uint)INT32_MAX);

	if (a[2] & ~7u || (a[2] & 6) == 6)
		return -EINVAL;
	for (done = 0; done < len; done += n) {
		n = MIN(len - done, (uint)sizeof(buf));
		randombytes(buf, n);
		if (copyout(a[0] + done, buf, n))
			return done ? (int)done : -EFAULT;
		if (sigpending() && done)
			return (int)(done + n);
	}
	return (int)done;
}
