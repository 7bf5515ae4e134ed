/*
 * sysproc.c - the system calls about processes: making, ending and waiting for
 * them; groups and sessions; the address that threads leave for their end.
 *
 * Each call checks its arguments and leaves the work to proc.c, exec.c or
 * exit.c.  The lock proctree guards groups, sessions and the fields of other
 * processes.
 */
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/proc.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/sched.h"
#include "kern/abi/wait.h"
#include "kern/exec.h"
#include "kern/exit.h"
#include "kern/file.h"
#include "kern/lib/printf.h"
#include "kern/lib/string.h"
#include "kern/sys/syscall.h"
#include "kern/sys/syspath.h"
#include "kern/sys/sysrlimit.h"

int
sys_exit(const uint *a)
{
	doexit((int)(a[0] & 0xff) << 8);
}

int
sys_exit_group(const uint *a)
{
	exitgroup((int)(a[0] & 0xff) << 8);
}

int
sys_fork(const uint *a)
{
	static const struct cloneargs c = {.flags = SIGCHLD};

	(void)a;
	return doclone(&c);
}

int
sys_vfork(const uint *a)
{
	static const struct cloneargs c = {
		.flags = CLONE_VFORK | CLONE_VM | SIGCHLD
	};

	(void)a;
	return doclone(&c);
}

int
sys_clone(const uint *a)
{
	const struct cloneargs c = {a[0], a[1], a[2], a[3], a[4], 0};

	return doclone(&c);
}

struct clone3args { /* struct clone_args of linux/sched.h */
	uint64_t flags, pidfd, ctid, ptid, exitsignal, stack, size, tls;
	uint64_t settid, settidsize, cgroup;
};
#define CLONE3MIN 64 /* bytes of its first version */

static int clone3in(struct clone3args *u, uint uva, uint size);
static int clone3check(const struct clone3args *u);

/* clone3(struct, size of the struct in bytes) */
int
sys_clone3(const uint *a)
{
	struct clone3args u;
	int err = clone3in(&u, a[0], a[1]);
	struct cloneargs c;

	if (err == 0)
		err = clone3check(&u);
	if (err < 0)
		return err;
	c.flags = (uint)u.flags | (uint)u.exitsignal;
	c.stack = (uint)(u.stack + u.size);
	c.ptid = (uint)u.ptid;
	c.tls = (uint)u.tls;
	c.ctid = (uint)u.ctid;
	c.defaults = (u.flags & CLONE_CLEAR_SIGHAND) != 0;
	return doclone(&c);
}

/* Fetch the struct of clone3, which has size bytes at user address uva.  A
 * shorter struct, of an older version, is filled up with zeros; what a longer
 * one has beyond must be zero, or -E2BIG is returned.  Returns 0 or -errno. */
static int
clone3in(struct clone3args *u, uint uva, uint size)
{
	uint i;
	char c;

	if (size > PGSIZE)
		return -E2BIG;
	if (size < CLONE3MIN)
		return -EINVAL;
	memset(u, 0, sizeof(*u));
	if (copyin(u, uva, MIN(size, sizeof(*u))))
		return -EFAULT;
	for (i = sizeof(*u); i < size; i++) {
		if (copyin(&c, uva + i, 1))
			return -EFAULT;
		if (c)
			return -E2BIG;
	}
	return 0;
}

/* Return 0 if the arguments of clone3 are valid together, else -EINVAL. */
static int
clone3check(const struct clone3args *u)
{
	uint64_t known = 0xffffffffull | CLONE_CLEAR_SIGHAND;

	if ((u->flags & ~known) || (u->flags & (CLONE_DETACHED | CSIGNAL)) ||
		u->exitsignal > NSIG || u->settid || u->settidsize)
		return -EINVAL;
	if ((u->flags & CLONE_SIGHAND) && (u->flags & CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	if ((u->flags & (CLONE_THREAD | CLONE_PARENT)) && u->exitsignal)
		return -EINVAL;
	if ((u->stack == 0) != (u->size == 0))
		return -EINVAL;
	return u->stack > USERTOP || u->size > USERTOP - u->stack ? -EINVAL : 0;
}

#define FDNAME 24 /* room for "/dev/fd/N/" */

static int fdname(char *path, int fd);

int
sys_execve(const uint *a)
{
	char *path = kalloc();
	int err;

	if (!path)
		return -ENOMEM;
	err = copyinstr(path, a[0], PATHLEN);
	if (err >= 0)
		err = doexec(path, a[1], a[2], 0);
	kfree(path);
	return err;
}

/* execveat(dirfd, path, argv, envp, flags).  A program found from descriptor N
 * is told that it is called /dev/fd/N, which its interpreter cannot open if the
 * descriptor is closed by the exec. */
int
sys_execveat(const uint *a)
{
	char *path = kalloc();
	struct file *f = 0;
	struct dentry *d;
	int n = -EINVAL, fd = (int)a[0], lost = 0;

	if (!path)
		return -ENOMEM;
	if (!(a[4] & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		n = walkat(a[0], a[1], a[4], &d);
	if (n == 0) {
		f = execfile(opendentry(d, O_EXEC, &n), &n);
		dput(d);
	}
	if (f && (n = copyinstr(path + FDNAME, a[1],
			 PGSIZE - FDNAME)) >= 0) {
		if (fd != (int)AT_FDCWD && path[FDNAME] != '/')
			lost = fdname(path, fd);
		else
			memmove(path, path + FDNAME, (uint)n + 1);
		n = doexecfile(f, lost, path, a[2], a[3], 0);
	} else if (f) {
		fileclose(f);
	}
	kfree(path);
	return n;
}

/* Put "/dev/fd/N" in path, followed by a slash and the name at path + FDNAME
 * unless that is empty.  Returns whether execve will close descriptor fd. */
static int
fdname(char *path, int fd)
{
	char name[FDNAME];
	uint n;

	snprintf(name, sizeof(name), "/dev/fd/%d%s", fd, path[FDNAME] ? "/" : "");
	n = strlen(name);
	memcpy(path, name, n);
	memmove(path + n, path + FDNAME, strlen(path + FDNAME) + 1);
	return fdcloexec((uint)fd, -1) > 0;
}

int
sys_wait4(const uint *a)
{
	const uint known = WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD |
		__WALL | __WCLONE;
	struct waited w;
	int pid;

	if (a[2] & ~known)
		return -EINVAL;
	pid = dowait((int)a[0], (int)(a[2] | WEXITED), &w);
	if (pid <= 0)
		return pid;
	if (a[1] && copyout(a[1], &w.status, sizeof(w.status)))
		return -EFAULT;
	if (a[3] && rusageout(a[3], &w.ru) < 0)
		return -EFAULT;
	return pid;
}

int
sys_waitpid(const uint *a)
{
	const uint w[4] = {a[0], a[1], a[2], 0};

	return sys_wait4(w);
}

static int waitwhom(uint type, int id, int *whom);
static void waitinfo(struct siginfo *info, int pid, const struct waited *w);

/* waitid(type, id, siginfo, options, rusage) */
int
sys_waitid(const uint *a)
{
	const uint events = WEXITED | WSTOPPED | WCONTINUED;
	const uint known = events | WNOHANG | WNOWAIT | __WNOTHREAD | __WALL |
		__WCLONE;
	struct siginfo info;
	struct waited w;
	int whom, pid;

	if ((a[3] & ~known) || !(a[3] & events) ||
		waitwhom(a[0], (int)a[1], &whom) < 0)
		return -EINVAL;
	pid = dowait(whom, (int)a[3], &w);
	if (pid < 0)
		return pid;
	memset(&info, 0, sizeof(info));
	if (pid > 0)
		waitinfo(&info, pid, &w);
	if (a[2] && copyout(a[2], &info, sizeof(info)))
		return -EFAULT;
	return pid > 0 && a[4] ? rusageout(a[4], &w.ru) : 0;
}

/* Convert waitid's type and id to the one number by which waitpid says which
 * children are meant, in *whom.  Returns 0 or -EINVAL. */
static int
waitwhom(uint type, int id, int *whom)
{
	if (type > P_PGID || (type == P_PID && id <= 0) ||
		(type == P_PGID && id < 0))
		return -EINVAL;
	*whom = type == P_ALL ? -1 : type == P_PID ? id : -id;
	return 0;
}

/* Fill in what waitid tells about child pid, from its wait status in *w.  *info
 * is zero before. */
static void
waitinfo(struct siginfo *info, int pid, const struct waited *w)
{
	int status = w->status;

	info->si_signo = SIGCHLD;
	info->field[0] = (uint)pid;
	info->field[1] = w->uid;
	info->field[2] = (uint)status >> 8 & 0xff;
	if (status == WSTATCONT) {
		info->si_code = CLD_CONTINUED;
		info->field[2] = SIGCONT;
	} else if (w->trapped) {
		info->si_code = CLD_TRAPPED;
		info->field[2] = (uint)status >> 8;
	} else if ((status & 0xff) == WSTATSTOPPED) {
		info->si_code = CLD_STOPPED;
	} else if ((status & 0x7f) == 0) {
		info->si_code = CLD_EXITED;
	} else {
		info->si_code = status & WSTATCORE ? CLD_DUMPED : CLD_KILLED;
		info->field[2] = status & 0x7f;
	}
}

int
sys_getpid(const uint *a)
{
	(void)a;
	return myproc()->tg->tgid;
}

int
sys_gettid(const uint *a)
{
	(void)a;
	return myproc()->pid;
}

int
sys_getppid(const uint *a)
{
	int pid;

	(void)a;
	acquire(&proctree);
	pid = myproc()->tg->parent ? myproc()->tg->parent->tgid : 0;
	release(&proctree);
	return pid;
}

static int dosetpgid(struct tgroup *tg, int pgid);

int
sys_setpgid(const uint *a)
{
	struct tgroup *me = myproc()->tg, *tg;
	int pid = a[0] ? (int)a[0] : me->tgid, err = -ESRCH;
	int pgid = a[1] ? (int)a[1] : pid;

	if (pgid < 0)
		return -EINVAL;
	acquire(&proctree);
	tg = findgroup(pid);
	if (tg && tg->tgid != pid)
		err = -EINVAL;
	else if (tg && (tg == me || tg->parent == me))
		err = dosetpgid(tg, pgid);
	release(&proctree);
	return err;
}

static int groupin(int pgid, struct session *s);

/* Move tg, which is the running process or its child, to process group pgid.
 * Called with proctree held.  Returns 0 or -errno. */
static int
dosetpgid(struct tgroup *tg, int pgid)
{
	struct tgroup *me = myproc()->tg;

	if (tg != me && tg->session != me->session)
		return -EPERM;
	if (tg != me && tg->execed)
		return -EACCES;
	if (tg->session->sid == tg->tgid) /* a session's leader stays */
		return -EPERM;
	if (pgid != tg->tgid && !groupin(pgid, me->session))
		return -EPERM;
	tg->pgid = pgid;
	return 0;
}

/* Return whether session s, or any session if s is 0, has a process group
 * pgid.  Called with proctree held. */
static int
groupin(int pgid, struct session *s)
{
	struct tgroup *tg;

	listeach(tg, &allprocs, alllink)
		if (tg->pgid == pgid && (!s || tg->session == s))
			return 1;
	return 0;
}

/* Return the process group of pid, or with session set its session id; pid 0 is
 * the running process.  Returns -ESRCH when there is no such process. */
static int
idof(int pid, int session)
{
	struct tgroup *tg;
	int id = -ESRCH;

	acquire(&proctree);
	tg = pid ? findgroup(pid) : myproc()->tg;
	if (tg)
		id = session ? tg->session->sid : tg->pgid;
	release(&proctree);
	return id;
}

int
sys_getpgid(const uint *a)
{
	return idof((int)a[0], 0);
}

int
sys_getpgrp(const uint *a)
{
	(void)a;
	return myproc()->tg->pgid;
}

int
sys_getsid(const uint *a)
{
	return idof((int)a[0], 1);
}

int
sys_setsid(const uint *a)
{
	struct session *s = kzalloc(sizeof(*s));
	struct tgroup *tg = myproc()->tg;
	int sid = tg->tgid;

	(void)a;
	if (!s)
		return -ENOMEM;
	s->ref = 1;
	s->sid = sid;
	acquire(&proctree);
	if (tg->session->sid == sid || groupin(sid, 0)) {
		release(&proctree);
		kmfree(s);
		return -EPERM;
	}
	sessionput(tg->session);
	tg->session = s;
	tg->pgid = sid;
	release(&proctree);
	return sid;
}

int
sys_set_tid_address(const uint *a)
{
	myproc()->cleartid = a[0];
	return myproc()->pid;
}
