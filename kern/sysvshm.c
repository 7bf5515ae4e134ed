/*
 * sysvshm.c - System V shared memory: shmget, shmat, shmdt, shmctl.
 *
 * A segment is a file of tmpfs without a name, found by its key or its id.
 * Each shmat() opens it anew; the mappings hold that open file, and fork's
 * copies of them too.  When the last of them is gone, so is the attachment; a
 * segment that was removed goes with its last attachment.
 *
 * An id is an index in the table and a number that changes when the index is
 * used again, so that an old id is not taken for a new segment.
 */
#include "kern/sysvshm.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/ipc.h"
#include "kern/file.h"
#include "kern/fs/inode.h"
#include "kern/lib/printf.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/lib/string.h"
#include "kern/lib/text.h"
#include "kern/sys/syscall.h"

#define IDBITS 15 /* of an id: the index */

struct segment { /* all fields: [shmlock] */
	int id, key;
	struct file *file;  /* its memory */
	uint uid, gid, cuid, cgid;
	uint mode;          /* permissions, SHM_DEST, SHM_LOCKED */
	uint size;          /* bytes, as asked for */
	int64_t atime, dtime, ctime; /* s since 1970; 0: never */
	uint cpid, lpid;
	uint files;         /* attachments */
};

static struct sleeplock shmlock;
static struct segment **segments; /* SHMMNI of them, or none yet [shmlock] */
static int nextindex, nextseq;    /* [shmlock] */
static uint shmpages;             /* of all segments [shmlock] */

static struct segment *findkey(int key);
static struct segment *findid(int id, int *err);
static int newsegment(int key, uint size, uint flags);
static int enter(struct segment *);
static int allowed(const struct segment *, uint want);
static int mine(const struct segment *);
static int place(struct segment *, struct file *, uint addr, uint flags);
static struct file *openagain(struct segment *, uint flags);
static void shmrelease(struct file *);
static void letgo(struct segment *, int was);
static struct file *unlinkseg(struct segment *);
static int change(struct segment *, uint cmd, uint ubuf, struct file **last);
static int status(int index, uint cmd, uint ubuf);
static int set(struct segment *, uint ubuf);
static int limits(uint cmd, uint ubuf);

static const struct fileops shmops = {
	.release = shmrelease,
};

void
shminit(void)
{
	initsleeplock(&shmlock, RANK_NONE);
}

static int64_t
seconds(void)
{
	return realns() / 1000000000;
}

/* shmget(key, size, flags): the id. */
int
sys_shmget(const uint *a)
{
	struct segment *s;
	int r;

	acquiresleep(&shmlock);
	s = (int)a[0] == IPC_PRIVATE ? 0 : findkey(a[0]);
	if (!s && (int)a[0] != IPC_PRIVATE && !(a[2] & IPC_CREAT))
		r = -ENOENT;
	else if (!s)
		r = newsegment(a[0], a[1], a[2]);
	else if ((a[2] & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
		r = -EEXIST;
	else if (a[1] > s->size)
		r = -EINVAL;
	else
		r = allowed(s, a[2]) ? s->id : -EACCES;
	releasesleep(&shmlock);
	return r;
}

static struct segment *
findkey(int key)
{
	for (int i = 0; segments && i < SHMMNI; i++)
		if (segments[i] && segments[i]->key == key)
			return segments[i];
	return 0;
}

static struct segment *
findid(int id, int *err)
{
	struct segment *s = 0;

	*err = -EINVAL;
	if (id < 0)
		return 0;
	if (segments)
		s = segments[id & ((1 << IDBITS) - 1) & (SHMMNI - 1)];
	if (s && s->id != id) {
		*err = -EIDRM;
		return 0;
	}
	return s;
}

static int
newsegment(int key, uint size, uint flags)
{
	struct segment *s;
	struct proc *p = myproc();
	char name[16];
	int err = -ENOMEM;

	if (size == 0 || size > SHMMAX || (flags & SHM_HUGETLB))
		return -EINVAL;
	if (!segments && !(segments = kzalloc(SHMMNI * sizeof(*segments))))
		return -ENOMEM;
	s = kzalloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->key = key;
	s->size = size;
	s->uid = s->cuid = p->euid;
	s->gid = s->cgid = p->egid;
	s->mode = flags & 0777;
	s->ctime = seconds();
	s->cpid = p->tg->tgid;
	snprintf(name, sizeof(name), "SYSV%08x", (uint)key);
	s->file = shmfile(name, s->mode);
	if (s->file)
		err = filetruncate(s->file, PGROUNDUP((uint64_t)size), 0);
	if (err == 0)
		err = enter(s);
	if (err == 0)
		return s->id;
	if (s->file)
		fileclose(s->file);
	kmfree(s);
	return err;
}

/* Give it an id: 0 or -ENOSPC. */
static int
enter(struct segment *s)
{
	int i = nextindex, n;

	for (n = 0; n < SHMMNI && segments[i]; n++, i = (i + 1) % SHMMNI)
		if (i == SHMMNI - 1)
			nextseq = (nextseq + 1) & 0x7fff;
	if (n == SHMMNI)
		return -ENOSPC;
	s->id = nextseq << IDBITS | i;
	segments[i] = s;
	nextindex = (i + 1) % SHMMNI;
	if (nextindex == 0)
		nextseq = (nextseq + 1) & 0x7fff;
	shmpages += PGROUNDUP((uint64_t)s->size) >> PGSHIFT;
	return 0;
}

/* May we do what the bits of want ask for?  One or more of 0444, 0222, 0111. */
static int
allowed(const struct segment *s, uint want)
{
	struct proc *p = myproc();
	uint mode = s->mode;

	if (p->euid == 0)
		return 1;
	want = (want | want >> 3 | want >> 6) & 7;
	if (p->euid == s->uid || p->euid == s->cuid)
		mode >>= 6;
	else if (ingroup(p, s->gid, 0) || ingroup(p, s->cgid, 0))
		mode >>= 3;
	return (want & ~mode) == 0;
}

static int
mine(const struct segment *s)
{
	uint euid = myproc()->euid;

	return euid == 0 || euid == s->uid || euid == s->cuid;
}

/* shmat(id, addr, flags): where it is. */
static int
attach(int id, uint addr, uint flags)
{
	uint want = 0444 | (flags & SHM_RDONLY ? 0 : 0222) |
		    (flags & SHM_EXEC ? 0111 : 0);
	struct file *f = 0;
	struct segment *s;
	int err;

	if (addr % PGSIZE && !(flags & SHM_RND))
		return -EINVAL;
	addr = PGROUNDDOWN(addr);
	if (addr == 0 && (flags & SHM_REMAP))
		return -EINVAL;
	acquiresleep(&shmlock);
	s = findid(id, &err);
	if (s && !allowed(s, want))
		err = -EACCES;
	else if (s && !(f = openagain(s, flags)))
		err = -ENOMEM;
	else if (s)
		s->files++;
	releasesleep(&shmlock);
	return f ? place(s, f, addr, flags) : err;
}

/* Map the new attachment f.  No lock held: what it takes the place of may be
 * the last of another segment. */
static int
place(struct segment *s, struct file *f, uint addr, uint flags)
{
	int prot = PROT_READ | (flags & SHM_RDONLY ? 0 : PROT_WRITE) |
		   (flags & SHM_EXEC ? PROT_EXEC : 0);
	int how = MAP_SHARED, at;

	if (addr)
		how |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	at = mmap(myproc()->uvm, addr, s->size, prot, how, f, 0);
	if (at < 0) {
		f->ops = 0; /* it never was attached */
		letgo(s, 0);
	} else {
		acquiresleep(&shmlock);
		s->atime = seconds();
		s->lpid = myproc()->tg->tgid;
		releasesleep(&shmlock);
	}
	fileclose(f);
	return at == -EEXIST ? -EINVAL : at;
}

/* Its memory, opened once more. */
static struct file *
openagain(struct segment *s, uint flags)
{
	struct file *f = filealloc();

	if (!f)
		return 0;
	f->ops = &shmops;
	f->flags = flags & SHM_RDONLY ? O_RDONLY : O_RDWR;
	f->dentry = dget(s->file->dentry);
	f->inode = s->file->inode;
	f->priv = s;
	return f;
}

/* Nobody maps this attachment any more. */
static void
shmrelease(struct file *f)
{
	letgo(f->priv, 1);
}

/* One attachment less, which was mapped or never was. */
static void
letgo(struct segment *s, int was)
{
	struct file *last = 0;

	acquiresleep(&shmlock);
	s->files--;
	if (was) {
		s->dtime = seconds();
		s->lpid = myproc()->tg->tgid;
	}
	if (s->files == 0 && (s->mode & SHM_DEST))
		last = unlinkseg(s);
	releasesleep(&shmlock);
	if (last)
		fileclose(last);
}

/* The segment is no more; its memory is for the caller to close. */
static struct file *
unlinkseg(struct segment *s)
{
	struct file *f = s->file;

	segments[s->id & (SHMMNI - 1)] = 0;
	shmpages -= PGROUNDUP((uint64_t)s->size) >> PGSHIFT;
	kmfree(s);
	return f;
}

int
sys_shmat(const uint *a)
{
	return attach(a[0], a[1], a[2]);
}

/* shmdt(addr): the attachment that begins there. */
int
sys_shmdt(const uint *a)
{
	return a[0] % PGSIZE ? -EINVAL
			     : unmapfile(myproc()->uvm, a[0], &shmops);
}

/* shmctl(id, command, buffer) */
int
sys_shmctl(const uint *a)
{
	uint cmd = a[1] & ~IPC_64;
	struct file *last = 0;
	struct segment *s;
	int err;

	if ((int)a[0] < 0 || (int)cmd < 0)
		return -EINVAL;
	if (cmd == IPC_INFO || cmd == SHM_INFO)
		return limits(cmd, a[2]);
	if (cmd == SHM_STAT || cmd == SHM_STAT_ANY || cmd == IPC_STAT)
		return status(a[0], cmd, a[2]);
	acquiresleep(&shmlock);
	s = findid(a[0], &err);
	if (s)
		err = mine(s) ? change(s, cmd, a[2], &last) : -EPERM;
	releasesleep(&shmlock);
	if (last)
		fileclose(last);
	return err;
}

/* The commands of shmctl() that change a segment: 0 or -errno.  *last is a
 * file for the caller to close after it has released shmlock.  shmlock held. */
static int
change(struct segment *s, uint cmd, uint ubuf, struct file **last)
{
	switch (cmd) {
	case IPC_RMID:
		s->key = IPC_PRIVATE;
		s->mode |= SHM_DEST;
		if (s->files == 0)
			*last = unlinkseg(s);
		return 0;
	case IPC_SET:
		return set(s, ubuf);
	case SHM_LOCK:
		s->mode |= SHM_LOCKED;
		return 0;
	case SHM_UNLOCK:
		s->mode &= ~SHM_LOCKED;
		return 0;
	}
	return -EINVAL;
}

/* What a segment is: of an id, or for ipcs of an index, when it returns the
 * id. */
static int
status(int index, uint cmd, uint ubuf)
{
	struct shmidds ds;
	struct segment *s = 0;
	int err = -EINVAL, r = 0;

	memset(&ds, 0, sizeof(ds));
	acquiresleep(&shmlock);
	if (cmd == IPC_STAT)
		s = findid(index, &err);
	else if (segments && index < SHMMNI)
		s = segments[index];
	if (s && cmd != SHM_STAT_ANY && !allowed(s, 0444)) {
		err = -EACCES;
		s = 0;
	}
	if (s) {
		ds.perm = (struct ipcperm){.key = s->key, .uid = s->uid,
			.gid = s->gid, .cuid = s->cuid, .cgid = s->cgid,
			.mode = s->mode, .seq = s->id >> IDBITS};
		ds.segsz = s->size;
		ds.atime = s->atime;
		ds.dtime = s->dtime;
		ds.ctime = s->ctime;
		ds.cpid = s->cpid;
		ds.lpid = s->lpid;
		ds.nattch = pcachemaps(filepcache(s->file));
		r = cmd == IPC_STAT ? 0 : s->id;
	}
	releasesleep(&shmlock);
	if (!s)
		return err;
	return copyout(ubuf, &ds, sizeof(ds)) ? -EFAULT : r;
}

/* For /proc/sysvipc/shm: a line for each segment that the caller may read. */
void
shmshow(struct text *t)
{
	struct segment *s;

	putf(t, "       key      shmid perms       size  cpid  lpid nattch   uid"
		"   gid  cuid  cgid      atime      dtime      ctime        rss"
		"       swap\n");
	acquiresleep(&shmlock);
	for (int i = 0; segments && i < SHMMNI; i++) {
		s = segments[i];
		if (!s || !allowed(s, 0444))
			continue;
		putf(t, "%10d %10d  %4o %10u %5u %5u  %5u %5u %5u %5u %5u", s->key,
			s->id, s->mode, s->size, s->cpid, s->lpid,
			pcachemaps(filepcache(s->file)), s->uid, s->gid, s->cuid,
			s->cgid);
		putf(t, " %10lld %10lld %10lld %10u %10u\n", (long long)s->atime,
			(long long)s->dtime, (long long)s->ctime,
			pcachepages(filepcache(s->file)) * PGSIZE, 0);
	}
	releasesleep(&shmlock);
}

/* IPC_SET: owner and permissions. */
static int
set(struct segment *s, uint ubuf)
{
	struct shmidds ds;

	if (copyin(&ds, ubuf, sizeof(ds)))
		return -EFAULT;
	s->uid = ds.perm.uid;
	s->gid = ds.perm.gid;
	s->mode = (s->mode & ~0777) | (ds.perm.mode & 0777);
	s->ctime = seconds();
	return 0;
}

/* IPC_INFO, SHM_INFO: the highest index in use. */
static int
limits(uint cmd, uint ubuf)
{
	struct shminfo info = {.shmmax = SHMMAX, .shmmin = 1, .shmmni = SHMMNI,
		.shmseg = SHMMNI, .shmall = SHMMAX};
	struct shmusage use = {0};
	int max = 0;

	acquiresleep(&shmlock);
	for (int i = 0; segments && i < SHMMNI; i++) {
		if (!segments[i])
			continue;
		max = i;
		use.ids++;
		use.resident += pcachepages(filepcache(segments[i]->file));
	}
	use.total = shmpages;
	releasesleep(&shmlock);
	if (cmd == IPC_INFO ? copyout(ubuf, &info, sizeof(info))
			    : copyout(ubuf, &use, sizeof(use)))
		return -EFAULT;
	return max;
}

/* ipc(call, first, second, third, pointer): the older way to all of these. */
int
sys_ipc(const uint *a)
{
	uint args[3] = {a[1], a[2], a[3]};
	int at;

	switch (a[0] & 0xffff) {
	case IPC_SHMAT:
		if (a[0] >> 16 == 1)
			return -EINVAL;
		at = attach(a[1], a[4], a[2]);
		if (at < 0)
			return at;
		return copyout(a[3], &at, sizeof(at)) ? -EFAULT : 0;
	case IPC_SHMDT:
		args[0] = a[4];
		return sys_shmdt(args);
	case IPC_SHMGET:
		return sys_shmget(args);
	case IPC_SHMCTL:
		args[2] = a[4];
		return sys_shmctl(args);
	}
	return -ENOSYS;
}
