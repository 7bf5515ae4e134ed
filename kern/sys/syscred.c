/*
 * syscred.c - the system calls about who a process is: user and group ids,
 * supplementary groups, capabilities, and the mask of new files' modes.
 *
 * User and group ids follow the same rules, so each call works on four ids in
 * a row {real, effective, saved, file system} of struct proc.  Privilege is
 * euid 0; capabilities are what that implies: all, or none.
 */
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/proc.h"
#include "kern/lib/string.h"
#include "kern/sys/syscall.h"

enum { REAL, EFF, SAVED, FS, NIDS };

#define KEEP    (~0u) /* -1: leave it as it is */
#define NOBODY  65534 /* what 16-bit calls show of an id above 65535 */
#define NGROUPS NELEM(((struct proc *)0)->groups)

_Static_assert(offsetof(struct proc, fsuid) - offsetof(struct proc, uid) ==
		FS * sizeof(uint), "uids in a row");
_Static_assert(offsetof(struct proc, fsgid) - offsetof(struct proc, gid) ==
		FS * sizeof(uint), "gids in a row");

static void seteff(uint *id, uint eff, uint fs);

static int
root(void)
{
	return myproc()->euid == 0;
}

/* Is v one of the first n ids? */
static int
among(const uint *id, int n, uint v)
{
	while (n-- > 0)
		if (id[n] == v)
			return 1;
	return 0;
}

/* A 16-bit id as an argument, and as a result. */
static uint
wide(uint v)
{
	return (v & 0xffff) == 0xffff ? KEEP : v & 0xffff;
}

static uint
narrow(uint v)
{
	return v > 0xffff ? NOBODY : v;
}

static int
setid(uint *id, uint v)
{
	if (v == KEEP)
		return -EINVAL;
	if (root())
		id[REAL] = id[SAVED] = v;
	else if (v != id[REAL] && v != id[SAVED])
		return -EPERM;
	seteff(id, v, v);
	return 0;
}

/* New effective and file system ids: a process whose rights change may hold in
 * memory what others must not see. */
static void
seteff(uint *id, uint eff, uint fs)
{
	if (id[EFF] != eff || id[FS] != fs)
		myproc()->tg->dumpable = myproc()->pdeathsig = 0;
	id[EFF] = eff;
	id[FS] = fs;
}

static int
setreid(uint *id, uint real, uint eff)
{
	uint old = id[REAL], new = eff != KEEP ? eff : id[EFF];

	if (real != KEEP && !root() && !among(id, SAVED, real))
		return -EPERM;
	if (eff != KEEP && !root() && !among(id, FS, eff))
		return -EPERM;
	if (real != KEEP)
		id[REAL] = real;
	if (real != KEEP || (eff != KEEP && eff != old))
		id[SAVED] = new;
	seteff(id, new, new);
	return 0;
}

static int
setresid(uint *id, uint real, uint eff, uint saved)
{
	const uint want[3] = {real, eff, saved};
	int i;

	for (i = REAL; i <= SAVED; i++)
		if (want[i] != KEEP && !root() && !among(id, FS, want[i]))
			return -EPERM;
	eff = eff != KEEP ? eff : id[EFF];
	seteff(id, eff, eff);
	for (i = REAL; i <= SAVED; i++)
		if (want[i] != KEEP)
			id[i] = want[i];
	return 0;
}

/* Returns the old one, whether or not it changes. */
static int
setfsid(uint *id, uint v)
{
	uint old = id[FS];

	if (v != KEEP && (root() || among(id, NIDS, v)))
		seteff(id, id[EFF], v);
	return (int)old;
}

static int
getresid(const uint *id, const uint *a)
{
	int i;

	for (i = REAL; i <= SAVED; i++)
		if (copyout(a[i], &id[i], sizeof(uint)))
			return -EFAULT;
	return 0;
}

static int
getresid16(const uint *id, const uint *a)
{
	uint16_t v;
	int i;

	for (i = REAL; i <= SAVED; i++) {
		v = narrow(id[i]);
		if (copyout(a[i], &v, sizeof(v)))
			return -EFAULT;
	}
	return 0;
}

#define UIDS (&myproc()->uid)
#define GIDS (&myproc()->gid)

/* One line a call: most of them are there twice, for users and groups, and
 * twice again, for ids of 32 and of 16 bits. */
#define CALL(name, result)                                                     \
	int sys_##name(const uint *a)                                          \
	{                                                                      \
		(void)a;                                                       \
		return result;                                                 \
	}

CALL(getuid32, (int)myproc()->uid)
CALL(getgid32, (int)myproc()->gid)
CALL(geteuid32, (int)myproc()->euid)
CALL(getegid32, (int)myproc()->egid)
CALL(getuid, (int)narrow(myproc()->uid))
CALL(getgid, (int)narrow(myproc()->gid))
CALL(geteuid, (int)narrow(myproc()->euid))
CALL(getegid, (int)narrow(myproc()->egid))
CALL(setuid32, setid(UIDS, a[0]))
CALL(setgid32, setid(GIDS, a[0]))
CALL(setuid, setid(UIDS, wide(a[0])))
CALL(setgid, setid(GIDS, wide(a[0])))
CALL(setreuid32, setreid(UIDS, a[0], a[1]))
CALL(setregid32, setreid(GIDS, a[0], a[1]))
CALL(setreuid, setreid(UIDS, wide(a[0]), wide(a[1])))
CALL(setregid, setreid(GIDS, wide(a[0]), wide(a[1])))
CALL(setresuid32, setresid(UIDS, a[0], a[1], a[2]))
CALL(setresgid32, setresid(GIDS, a[0], a[1], a[2]))
CALL(setresuid, setresid(UIDS, wide(a[0]), wide(a[1]), wide(a[2])))
CALL(setresgid, setresid(GIDS, wide(a[0]), wide(a[1]), wide(a[2])))
CALL(getresuid32, getresid(UIDS, a))
CALL(getresgid32, getresid(GIDS, a))
CALL(getresuid, getresid16(UIDS, a))
CALL(getresgid, getresid16(GIDS, a))
CALL(setfsuid32, setfsid(UIDS, a[0]))
CALL(setfsgid32, setfsid(GIDS, a[0]))
CALL(setfsuid, setfsid(UIDS, wide(a[0])))
CALL(setfsgid, setfsid(GIDS, wide(a[0])))

int
sys_getgroups32(const uint *a)
{
	struct proc *p = myproc();
	int n = p->ngroups;

	if ((int)a[0] < 0 || (a[0] && (int)a[0] < n))
		return -EINVAL;
	if (a[0] && copyout(a[1], p->groups, n * sizeof(uint)))
		return -EFAULT;
	return n;
}

int
sys_getgroups(const uint *a)
{
	struct proc *p = myproc();
	uint16_t list[NGROUPS];
	int i, n = p->ngroups;

	if ((int)a[0] < 0 || (a[0] && (int)a[0] < n))
		return -EINVAL;
	for (i = 0; i < n; i++)
		list[i] = narrow(p->groups[i]);
	if (a[0] && copyout(a[1], list, n * sizeof(list[0])))
		return -EFAULT;
	return n;
}

int
sys_setgroups32(const uint *a)
{
	struct proc *p = myproc();
	uint list[NGROUPS];

	if (!root())
		return -EPERM;
	if (a[0] > NGROUPS)
		return -EINVAL;
	if (copyin(list, a[1], a[0] * sizeof(list[0])))
		return -EFAULT;
	memcpy(p->groups, list, a[0] * sizeof(list[0]));
	p->ngroups = (int)a[0];
	return 0;
}

int
sys_setgroups(const uint *a)
{
	struct proc *p = myproc();
	uint16_t list[NGROUPS];
	uint i;

	if (!root())
		return -EPERM;
	if (a[0] > NGROUPS)
		return -EINVAL;
	if (copyin(list, a[1], a[0] * sizeof(list[0])))
		return -EFAULT;
	for (i = 0; i < a[0]; i++)
		p->groups[i] = list[i];
	p->ngroups = (int)a[0];
	return 0;
}

/* The capability calls: a header {version, pid}, then one or two words each of
 * effective, permitted and inheritable capabilities. */
#define CAPVERSION1 0x19980330u /* one word */
#define CAPVERSION2 0x20071026u /* two */
#define CAPVERSION3 0x20080522u
#define CAPLOW      0xffffffffu /* all that there are: 0 to 40 */
#define CAPHIGH     0x000001ffu

struct capset {
	uint effective, permitted, inheritable;
};

/* How many struct capset belong to the user's header, or -errno; a version
 * unknown is answered with ours. */
static int
capwords(uint header, uint *pid)
{
	const uint ours = CAPVERSION3;
	uint h[2];

	if (copyin(h, header, sizeof(h)))
		return -EFAULT;
	*pid = h[1];
	if (h[0] == CAPVERSION1)
		return 1;
	if (h[0] == CAPVERSION2 || h[0] == CAPVERSION3)
		return 2;
	return copyout(header, &ours, sizeof(ours)) ? -EFAULT : -EINVAL;
}

int
sys_capget(const uint *a)
{
	struct capset set[2];
	struct proc *p;
	uint pid;
	int n = capwords(a[0], &pid), privileged = 0;

	if (n < 0)
		return n == -EINVAL && !a[1] ? 0 : n;
	if ((int)pid < 0)
		return -EINVAL;
	acquire(&proctree);
	p = pid ? findproc((int)pid) : myproc();
	if (p)
		privileged = p->euid == 0;
	release(&proctree);
	if (!p)
		return -ESRCH;
	memset(set, 0, sizeof(set));
	if (privileged) {
		set[0].effective = set[0].permitted = CAPLOW;
		set[1].effective = set[1].permitted = CAPHIGH;
	}
	return a[1] && copyout(a[1], set, n * sizeof(set[0])) ? -EFAULT : 0;
}

int
sys_capset(const uint *a)
{
	struct capset set[2];
	uint pid, any = 0;
	int i, n = capwords(a[0], &pid);

	if (n < 0)
		return n;
	if (pid && (int)pid != myproc()->pid)
		return -EPERM;
	if (copyin(set, a[1], n * sizeof(set[0])))
		return -EFAULT;
	for (i = 0; i < n; i++)
		any |= set[i].effective | set[i].permitted;
	return any && !root() ? -EPERM : 0;
}

int
sys_umask(const uint *a)
{
	struct fsinfo *fs = myproc()->fs;
	int old;

	acquire(&fs->lock);
	old = fs->umask;
	fs->umask = (int)(a[0] & 0777);
	release(&fs->lock);
	return old;
}
