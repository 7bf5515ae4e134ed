/*
 * inode.c - the life of inodes, and what can be asked of any of them.
 *
 * An inode lives while something refers to it: a dentry, an open file without a
 * name, the list of dirty inodes.  In a file system in memory the dentries of
 * names are pinned, so the last reference of a file is dropped when its last
 * name and its last open file are gone.
 *
 * Inodes of file systems on disk are in a hash table, by super and number.  The
 * last reference is dropped with tablelock held, and the inode leaves the table
 * at that moment.  It is clean then, so a process that asks for the number
 * again reads from the disk what was written.
 */
#include "kern/fs/inode.h"
#include "arch/cpu.h"
#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/abi/time.h"
#include "kern/panic.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/lib/string.h"

#define NHASH 1024
#define DAY   (86400 * (int64_t)NSEC)

static struct slabcache *inodecache;
static struct spinlock inolock; /* nextino of every super */
static struct spinlock tablelock = {.rank = RANK_INODE};
static struct list table[NHASH]; /* [tablelock] */
static struct waitq filled;      /* an inode has been read from the disk */
static struct waitq superidle;   /* a super has lost a reference */
static volatile int nsuperwait;  /* processes in superwait() */

static struct list *bucket(struct super *, uint64_t ino);
static struct inode *findinode(struct super *, uint64_t ino);
static struct inode *blankinode(struct super *);
static int droplast(struct inode *);

void
inodeinit(void)
{
	initlock(&inolock, RANK_LEAF);
	initwaitq(&filled);
	initwaitq(&superidle);
	for (uint i = 0; i < NHASH; i++)
		listinit(&table[i]);
	inodecache = slabcreate("inode", sizeof(struct inode), 8);
}

struct inode *
inodenew(struct super *super, uint mode)
{
	struct inode *ip = blankinode(super);
	struct proc *p = myproc();

	if (!ip)
		return 0;
	ip->mode = mode;
	ip->nlink = 1;
	if (p) {
		ip->uid = p->fsuid;
		ip->gid = p->fsgid;
	}
	ip->atime = ip->mtime = ip->ctime = realns();
	acquire(&inolock);
	ip->ino = ++super->nextino;
	release(&inolock);
	return ip;
}

/* A new inode with one reference, all else 0; 0: no memory. */
static struct inode *
blankinode(struct super *super)
{
	struct inode *ip = slaballoc(inodecache);

	if (!ip)
		return 0;
	memset(ip, 0, sizeof(*ip));
	ip->ref = 1;
	ip->super = super;
	atomicinc(&super->ref);
	listinit(&ip->hashlink);
	listinit(&ip->dirtylink);
	initsleeplock(&ip->lock, RANK_INODE);
	return ip;
}

struct inode *
inodeget(struct super *super, uint64_t ino, int *isnew)
{
	struct inode *ip, *new = 0;

	*isnew = 0;
	for (;;) {
		acquire(&tablelock);
		if ((ip = findinode(super, ino))) {
			iget(ip);
			while (ip->filling)
				sleep(&filled, &tablelock);
			if (!listempty(&ip->hashlink))
				break;
		} else if ((ip = new)) {
			new = 0;
			ip->ino = ino;
			ip->filling = *isnew = 1;
			listpush(bucket(super, ino), &ip->hashlink);
			break;
		}
		release(&tablelock);
		if (ip) /* the other process could not read it: try */
			iput(ip);
		else if (!(new = blankinode(super)))
			return 0;
	}
	release(&tablelock);
	if (new)
		iput(new);
	return ip;
}

/* The list of the table for that inode. */
static struct list *
bucket(struct super *super, uint64_t ino)
{
	return &table[((uint)ino ^ (uint)super >> 6) % NHASH];
}

/* The inode in the table, without a reference, or 0.  Called with tablelock
 * held. */
static struct inode *
findinode(struct super *super, uint64_t ino)
{
	struct list *head = bucket(super, ino);
	struct inode *ip;

	lockassert(holding(&tablelock));
	for (struct list *l = head->next; l != head; l = l->next) {
		ip = listitem(l, struct inode, hashlink);
		if (ip->ino == ino && ip->super == super)
			return ip;
	}
	return 0;
}

void
inodeready(struct inode *ip, int err)
{
	acquire(&tablelock);
	ip->filling = 0;
	if (err < 0) {
		listdel(&ip->hashlink);
		ip->mode = 0; /* so iput() does not call drop */
	}
	release(&tablelock);
	wakeup(&filled);
	if (err < 0)
		iput(ip);
}

int
inodeenter(struct inode *ip)
{
	int err = 0;

	acquire(&tablelock);
	if (findinode(ip->super, ip->ino))
		err = -EEXIST;
	else
		listpush(bucket(ip->super, ip->ino), &ip->hashlink);
	release(&tablelock);
	return err;
}

struct inode *
iget(struct inode *ip)
{
	atomicinc(&ip->ref);
	return ip;
}

void
iput(struct inode *ip)
{
	lockassert(nospinlocks());
	assert(ip->ref > 0);
	if (ip->nlink == 0 && (ip->dirty || ip->flushing))
		iclean(ip);
	if (!droplast(ip))
		return;
	assert(!ip->locks && !ip->dirty);
	if (ip->pages) {
		pcachegone(ip->pages);
		pcachefree(ip->pages);
		ip->pages = 0;
	}
	if (ip->mode && ip->super->ops && ip->super->ops->drop)
		ip->super->ops->drop(ip);
	superput(ip->super);
	slabfree(inodecache, ip);
}

/* Drop a reference: was it the last? Then the inode has left the table. */
static int
droplast(struct inode *ip)
{
	int last;

	if (listempty(&ip->hashlink))
		return atomicdectest(&ip->ref);
	if (decunlesslast(&ip->ref))
		return 0;
	acquire(&tablelock);
	if ((last = atomicdectest(&ip->ref)))
		listdel(&ip->hashlink);
	release(&tablelock);
	return last;
}

void
superput(struct super *s)
{
	if (atomicdectest(&s->ref)) {
		kmfree(s);
	} else if (nsuperwait) {
		acquire(&tablelock);
		wakeup(&superidle);
		release(&tablelock);
	}
}

void
superwait(struct super *s)
{
	lockassert(nospinlocks());
	acquire(&tablelock);
	atomicinc(&nsuperwait); /* before s->ref is read: see superput() */
	while (s->ref > 1)
		sleep(&superidle, &tablelock);
	atomicdectest(&nsuperwait);
	release(&tablelock);
}

int
iorphans(struct super *s)
{
	struct inode *ip;
	int n = 0;

	acquire(&tablelock);
	for (uint i = 0; i < NHASH; i++)
		listeach(ip, &table[i], hashlink)
			n += ip->super == s && ip->nlink == 0;
	release(&tablelock);
	return n;
}

int
igetwriter(struct inode *ip)
{
	int n;

	do
		if ((n = ip->writers) < 0)
			return -ETXTBSY;
	while (!cas((volatile uint *)&ip->writers, n, n + 1));
	atomicinc(&ip->super->writers);
	if (ip->super->flags & (MS_RDONLY | MS_CLOSING)) {
		iputwriter(ip);
		return -EROFS;
	}
	return 0;
}

void
iputwriter(struct inode *ip)
{
	atomicdectest(&ip->writers);
	atomicdectest(&ip->super->writers);
}

int
igettext(struct inode *ip)
{
	int n;

	do
		if ((n = ip->writers) > 0)
			return -ETXTBSY;
	while (!cas((volatile uint *)&ip->writers, n, n - 1));
	return 0;
}

void
iputtext(struct inode *ip)
{
	atomicinc(&ip->writers);
}

/* Under relatime a file's access time changes once after each write and once a
 * day. */
void
iaccessed(struct inode *ip)
{
	uint flags = ip->super->flags;
	int64_t now;

	if (flags & (MS_RDONLY | MS_NOATIME) ||
		(flags & MS_NODIRATIME && S_ISDIR(ip->mode)))
		return;
	now = realns();
	if (!(flags & MS_STRICTATIME) && ip->atime > ip->mtime &&
		ip->atime > ip->ctime && now - ip->atime < DAY)
		return;
	ip->atime = now;
	idirty(ip, IDIRTY_FIELDS);
}

/* The superuser may do everything but run a file that nobody may run.  So may
 * the kernel at boot, where there is no process. */
int
iaccess(struct inode *ip, int want, int real)
{
	struct proc *p = myproc();
	uint mode = ip->mode, uid;

	if (want & W_OK && ip->super->flags & MS_RDONLY &&
		(S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode)))
		return -EROFS;
	if (want & X_OK && ip->super->flags & MS_NOEXEC && S_ISREG(mode))
		return -EACCES;
	if (!p)
		return 0;
	uid = real ? p->uid : p->fsuid;
	if (uid == 0)
		return want & X_OK && !S_ISDIR(mode) && !(mode & 0111) ?
			-EACCES : 0;
	if (uid == ip->uid)
		mode >>= 6;
	else if (ingroup(p, ip->gid, real))
		mode >>= 3;
	return (mode & want) == (uint)want ? 0 : -EACCES;
}

int
ingroup(struct proc *p, uint gid, int real)
{
	if ((real ? p->gid : p->fsgid) == gid)
		return 1;
	for (int i = 0; i < p->ngroups; i++)
		if (p->groups[i] == gid)
			return 1;
	return 0;
}

int
igroup(uint gid)
{
	return ingroup(myproc(), gid, 0);
}

void
inodestat(struct inode *ip, struct kstat *st)
{
	st->dev = ip->super ? ip->super->dev : 0;
	st->rdev = ip->rdev;
	st->ino = ip->ino;
	st->mode = ip->mode;
	st->nlink = ip->nlink;
	st->uid = ip->uid;
	st->gid = ip->gid;
	st->size = 0;
	st->blocks = 0;
	st->blksize = PGSIZE;
	if (ip->pages) {
		st->size = pcachesize(ip->pages);
		st->blocks = (uint64_t)pcachepages(ip->pages) * (PGSIZE / 512);
	} else {
		st->size = ip->size;
	}
	if (ip->blkbits) {
		st->blocks = ip->blocks;
		st->blksize = 1 << ip->blkbits;
	}
	st->atime = ip->atime;
	st->mtime = ip->mtime;
	st->ctime = ip->ctime;
}
