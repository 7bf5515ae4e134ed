/*
 * inode.c - the life of inodes, and what can be asked of any of them.
 *
 * An inode lives while somebody refers to it: dentries, open files without a
 * name.  A file system that keeps its files in memory keeps them by their
 * dentries, so the last reference of a file is dropped when its last name and
 * its last open file are gone.
 */
#include "kern/fs/inode.h"
#include "arch/cpu.h"
#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/panic.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/string.h"

static struct slabcache *inodecache;
static struct spinlock inolock; /* nextino of every super */

static int ingroup(struct proc *p, uint gid, int real);

void
inodeinit(void)
{
	initlock(&inolock, RANK_LEAF);
	inodecache = slabcreate("inode", sizeof(struct inode), 8);
}

struct inode *
inodenew(struct super *super, uint mode)
{
	struct inode *ip = slaballoc(inodecache);
	struct proc *p = myproc();

	if (!ip)
		return 0;
	memset(ip, 0, sizeof(*ip));
	ip->ref = 1;
	ip->mode = mode;
	ip->nlink = 1;
	ip->super = super;
	if (super)
		atomicinc(&super->ref);
	if (p) {
		ip->uid = p->fsuid;
		ip->gid = p->fsgid;
	}
	ip->atime = ip->mtime = ip->ctime = realns();
	initsleeplock(&ip->lock, RANK_INODE);
	acquire(&inolock);
	ip->ino = ++super->nextino;
	release(&inolock);
	return ip;
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
	assert(ip->ref > 0);
	if (!atomicdectest(&ip->ref))
		return;
	assert(!ip->locks);
	if (ip->super && ip->super->drop)
		ip->super->drop(ip);
	if (ip->pages)
		pcachefree(ip->pages);
	if (ip->super)
		superput(ip->super);
	slabfree(inodecache, ip);
}

void
superput(struct super *s)
{
	if (atomicdectest(&s->ref))
		kmfree(s);
}

/* The superuser may do all but run what nobody may run; boot is one. */
int
iaccess(struct inode *ip, int want, int real)
{
	struct proc *p = myproc();
	uint mode = ip->mode, uid;

	if (want & W_OK && ip->super->flags & MS_RDONLY &&
		(S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode)))
		return -EROFS;
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

static int
ingroup(struct proc *p, uint gid, int real)
{
	if ((real ? p->gid : p->fsgid) == gid)
		return 1;
	for (int i = 0; i < p->ngroups; i++)
		if (p->groups[i] == gid)
			return 1;
	return 0;
}

/* Is the running process in this group (for setgid bits and chown)? */
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
	} else if (S_ISLNK(ip->mode) && ip->super && ip->super->linksize) {
		st->size = ip->super->linksize(ip);
	}
	st->atime = ip->atime;
	st->mtime = ip->mtime;
	st->ctime = ip->ctime;
}
