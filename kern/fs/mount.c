/*
 * mount.c - mounting and unmounting file systems.
 *
 * xv6 has one file system, which is always there.  Here each mounted one has a
 * struct super, whose root dentry covers the directory it is mounted on
 * (on->mounted, root->covers; nameslock guards both).  A super is in one of
 * three lists, by its link:
 *
 *   mounts    can be reached by a path; the root is the first
 *   detached  umount -l took it from the paths while it was in use; it ends
 *             when reapmounts() finds that nobody uses it any more
 *   ending    nobody can find or use it; superend() writes what is left.  A new
 *             mount of the disk waits for that (mountdev)
 */
#include "kern/fs/inode.h"
#include "arch/cpu.h"
#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/blk/blk.h"
#include "kern/panic.h"
#include "kern/lib/printf.h"
#include "kern/proc.h"
#include "kern/lib/string.h"

struct list mounts = {&mounts, &mounts};
struct dentry *rootdentry;

static struct fstype *fstypes; /* registered types, in a chain by next */

static struct sleeplock mountlock; /* one mount(2) at a time */
static struct list detached = {&detached, &detached}; /* [nameslock] */
static struct list ending = {&ending, &ending}; /* [nameslock] */
static struct waitq ended;   /* a super has left the list ending */
volatile int ndetached;      /* length of the list detached [nameslock] */
static uint lastdev;         /* st_dev of the last super without a disk
                              * [nameslock] */

static struct super *findmounted(struct list *list, uint rdev);
static int remount(struct super *sb, uint flags, const char *data);
static int nowriters(struct super *sb);
static uint keptflags(uint flags);
static int issingle(struct super *sb, const char *type);
static int mountfs(const char *type, const char *source, uint flags,
	const char *data, struct super **sp);
static int coverwith(struct super *sb, struct dentry *on);
static int mountedbelow(struct dentry *root);
static void superend(struct super *sb);
static struct super *nthmount(int i);
static int treebusy(struct dentry *root, int refs);
static int children(struct dentry *d);

void
vfsinit(void)
{
	struct super *root;

	fsregister(&tmpfstype);
	fsregister(&ramfstype);
	fsregister(&devfstype);
	fsregister(&devptstype);
	dcacheinit();
	inodeinit();
	initsleeplock(&mountlock, RANK_NONE);
	initwaitq(&ended);
	if (mountfs("tmpfs", "tmpfs", 0, "", &root) < 0)
		panic("no memory for the root file system");
	listadd(&mounts, &root->link);
	rootdentry = root->root;
	rootdentry->inode->mode = S_IFDIR | 0755;
}

void
fsregister(struct fstype *t)
{
	struct fstype **end = &fstypes;

	while (*end)
		end = &(*end)->next;
	*end = t;
}

struct super *
supernew(const struct fstype *type, const char *source,
	const struct superops *ops, uint magic)
{
	struct super *s = kzalloc(sizeof(*s));

	if (!s)
		return 0;
	s->ref = 1;
	s->type = type->name;
	s->fstype = type;
	s->ops = ops;
	s->magic = magic;
	strlcpy(s->source, source, sizeof(s->source));
	listinit(&s->link);
	listinit(&s->dirty);
	listinit(&s->flushlink);
	initsleeplock(&s->lock, RANK_NONE);
	initsleeplock(&s->flushlock, RANK_NONE);
	return s;
}

int
superroot(struct super *s, struct inode *ip)
{
	if (ip && (s->root = dentrynew(0, "", 0))) {
		s->root->inode = ip;
		return 0;
	}
	if (ip)
		iput(ip);
	superput(s);
	return -ENOMEM;
}

const struct fstype *
fstypeat(int i)
{
	const struct fstype *t = fstypes;

	while (t && i-- > 0)
		t = t->next;
	return t;
}

int
nextoption(const char **data, char *buf, uint n)
{
	const char *p = *data;
	uint len;

	while (*p == ',')
		p++;
	for (len = 0; p[len] && p[len] != ','; len++)
		;
	if (len >= n)
		return -EINVAL;
	memcpy(buf, p, len);
	buf[len] = 0;
	*data = p + len;
	return len > 0;
}

int
domount(const char *source, const char *path, const char *type, uint flags,
	const char *data)
{
	struct dentry *on;
	struct super *sb;
	int err = walk(0, path, WALK_DIR, &on, 0);

	if (err < 0)
		return err;
	if (flags & MS_REMOUNT)
		err = on->parent != on ? -EINVAL :
			remount(on->inode->super, flags, data);
	else if (flags & (MS_PRIVATE | MS_SLAVE | MS_SHARED | MS_UNBINDABLE))
		err = on->parent == on ? 0 : -EINVAL; /* of namespaces */
	else if (flags & (MS_BIND | MS_MOVE))
		err = -EINVAL;
	else if (on->parent == on && issingle(on->inode->super, type))
		err = -EBUSY;
	else {
		acquiresleep(&mountlock);
		if ((err = mountfs(type, source, flags, data, &sb)) == 0)
			err = coverwith(sb, on);
		releasesleep(&mountlock);
	}
	dput(on);
	return err;
}

int
mountroot(const char *source, const char *types, uint flags, const char *data)
{
	struct fsinfo *fs = myproc()->fs;
	struct dentry *old = rootdentry;
	const struct fstype *t;
	struct super *sb;
	char type[16];
	int err = -ENODEV;

	for (t = fstypes; !*types && t; t = t->next)
		if (t->needsdev &&
			(err = mountfs(t->name, source, flags, data, &sb)) == 0)
			break;
	while (err && nextoption(&types, type, sizeof(type)) > 0)
		err = mountfs(type, source, flags, data, &sb);
	if (err)
		return err;
	acquire(&nameslock);
	listdel(&old->inode->super->link);
	listadd(&ending, &old->inode->super->link);
	listpush(&mounts, &sb->link);
	release(&nameslock);
	rootdentry = sb->root;
	dput(fs->root);
	dput(fs->cwd);
	fs->root = dget(rootdentry);
	fs->cwd = dget(rootdentry);
	superend(old->inode->super);
	return 0;
}

int
mountdev(const char *source, struct blkdev **bd)
{
	struct dentry *d;
	uint rdev;
	int err = 0;

	if (!myproc()->uvm && !strncmp(source, "/dev/", 5)) {
		*bd = blkfindname(source + 5);
		if (!*bd)
			return -ENXIO;
	} else {
		if ((err = walk(0, source, 0, &d, 0)) < 0)
			return err;
		err = !S_ISBLK(d->inode->mode) ? -ENOTBLK :
			d->inode->super->flags & MS_NODEV ? -EACCES : 0;
		rdev = d->inode->rdev;
		dput(d);
		if (err)
			return err;
		if (!(*bd = blkfind(rdev)))
			return -ENXIO;
	}
	reapmounts();
	acquire(&nameslock);
	while (findmounted(&ending, (*bd)->rdev))
		sleep(&ended, &nameslock);
	if (findmounted(&mounts, (*bd)->rdev) ||
		findmounted(&detached, (*bd)->rdev))
		err = -EBUSY;
	release(&nameslock);
	return err;
}

/* Find the super of the disk with that device number in the list; 0 if there is
 * none. Called with nameslock held. */
static struct super *
findmounted(struct list *list, uint rdev)
{
	struct super *s;

	lockassert(holding(&nameslock));
	listeach(s, list, link)
		if (s->fstype->needsdev && s->dev == rdev)
			return s;
	return 0;
}

/* Change the flags and the options of a mounted file system: 0 or -errno. */
static int
remount(struct super *sb, uint flags, const char *data)
{
	uint new = keptflags(flags), old = sb->flags;
	int err = 0;

	acquiresleep(&sb->lock);
	if (new & ~old & MS_RDONLY)
		err = nowriters(sb);
	if (!err && sb->ops && sb->ops->remount)
		err = sb->ops->remount(sb, new, data);
	sb->flags = err ? old : new;
	releasesleep(&sb->lock);
	return err;
}

/* Let nobody begin to write to sb, and write all that is dirty: 0; or -EBUSY if
 * a file is open for writing, or is in use without a name; or an error of the
 * writes. Called with sb->lock held. */
static int
nowriters(struct super *sb)
{
	lockassert(holdingsleep(&sb->lock));
	sb->flags |= MS_CLOSING;
	fence(); /* igetwriter() counts itself, then looks at the flag */
	if (sb->writers > 0 || iorphans(sb))
		return -EBUSY;
	return syncsuper(sb, 1);
}

/* The flags of mount(2) that stay with a mount; relatime is the default. */
static uint
keptflags(uint flags)
{
	flags &= MS_KEPT;
	if (!(flags & (MS_NOATIME | MS_STRICTATIME)))
		flags |= MS_RELATIME;
	return flags;
}

/* Is sb a file system of this type, of which Linux has only one? */
static int
issingle(struct super *sb, const char *type)
{
	return sb->fstype->single && !strcmp(sb->type, type);
}

/* Make a super of the type (by name) that is in no list yet, and store it in
 * *sp: 0 or -errno. */
static int
mountfs(const char *type, const char *source, uint flags, const char *data,
	struct super **sp)
{
	const struct fstype *t;
	struct super *sb;
	int err;

	for (t = fstypes; t && strcmp(t->name, type); t = t->next)
		;
	if (!t)
		return -ENODEV;
	if ((err = t->mount(t, source, keptflags(flags), data, &sb)) < 0)
		return err;
	acquire(&nameslock);
	if (sb->dev == 0)
		sb->dev = ++lastdev;
	release(&nameslock);
	sb->flags |= keptflags(flags);
	if (sb->ops && sb->ops->writeinode)
		flushadd(sb);
	*sp = sb;
	return 0;
}

/* Mount sb on the directory on: 0. If the directory has been removed since the
 * walk (-ENOENT), or something has been mounted there (-EBUSY), sb is unmounted
 * instead. Takes the lock of the names below, so that they do not change
 * meanwhile. */
static int
coverwith(struct super *sb, struct dentry *on)
{
	struct super *below = on->inode->super;
	int err = 0;

	acquiresleep(&below->lock);
	acquire(&nameslock);
	if (on->unlinked || (on->parent != on && on->inode->ops->valid))
		err = -ENOENT; /* a name of /proc may vanish, and hide sb */
	else if (on->mounted)
		err = -EBUSY;
	else {
		on->mounted = sb->root;
		sb->root->covers = dget(on);
		listadd(&mounts, &sb->link);
	}
	if (err)
		listadd(&ending, &sb->link);
	release(&nameslock);
	releasesleep(&below->lock);
	if (err)
		superend(sb);
	return err;
}

int
doumount(const char *path, uint flags)
{
	int how = flags & UMOUNT_NOFOLLOW ? WALK_NOFOLLOW : 0, err, busy = 0;
	struct dentry *root, *on = 0;
	struct super *sb;

	if (flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW) ||
		(flags & MNT_EXPIRE && flags & (MNT_FORCE | MNT_DETACH)))
		return -EINVAL;
	if ((err = walk(0, path, how, &root, 0)) < 0)
		return err;
	sb = root->inode->super;
	if (root->parent == root)
		dprune(root); /* treebusy() has less to look at then */
	acquire(&nameslock);
	if (root->parent != root || !root->covers)
		err = -EINVAL;
	else if ((busy = treebusy(root, 1)) && !(flags & MNT_DETACH))
		err = -EBUSY;
	else if (busy && mountedbelow(root))
		err = -EBUSY;
	else {
		on = root->covers;
		on->mounted = 0;
		root->covers = 0;
		listdel(&sb->link);
		listadd(busy ? &detached : &ending, &sb->link);
		ndetached += busy;
	}
	release(&nameslock);
	dput(on);
	dput(root);
	if (!err && !busy)
		superend(sb);
	return err;
}

/* Is another file system mounted on a directory of the one with this root?
 * Called with nameslock held. */
static int
mountedbelow(struct dentry *root)
{
	struct super *s;
	struct dentry *d;

	lockassert(holding(&nameslock));
	listeach(s, &mounts, link) {
		if (!(d = s->root->covers))
			continue;
		while (d->parent != d)
			d = d->parent;
		if (d == root)
			return 1;
	}
	return 0;
}

void
reapmounts(void)
{
	struct super *s, *idle;

	lockassert(nospinlocks());
	do {
		idle = 0;
		acquire(&nameslock);
		listeach(s, &detached, link)
			if (!idle && !treebusy(s->root, 0))
				idle = s;
		if (idle) {
			listdel(&idle->link);
			listadd(&ending, &idle->link);
			ndetached--;
		}
		release(&nameslock);
		if (idle)
			superend(idle);
	} while (idle);
}

/* Write and free a file system that is in the list ending: no path leads to it.
 * Waits for calls that still refer to one of its inodes; these end by
 * themselves. May sleep: no spinlock held. */
static void
superend(struct super *sb)
{
	int err;

	lockassert(nospinlocks());
	if (!listempty(&sb->flushlink)) {
		if ((err = syncsuper(sb, 1)) < 0)
			printf("umount: %s: error %d\n", sb->source, -err);
		flushdel(sb);
	}
	treefree(sb->root);
	dput(sb->root);
	superwait(sb);
	if (sb->ops && sb->ops->umount)
		sb->ops->umount(sb);
	acquire(&nameslock);
	listdel(&sb->link);
	wakeup(&ended);
	release(&nameslock);
	superput(sb);
}

void
umountall(void)
{
	struct super *s;
	int i = 0;

	syncall(1);
	while ((s = nthmount(i++))) {
		s->flags |= MS_CLOSING;
		if (!listempty(&s->flushlink)) {
			(void)syncsuper(s, 1);
			if (iorphans(s)) /* e2fsck has to free their blocks */
				printf("%s: files without a name are in use\n",
					s->source);
			else if (s->ops->remount)
				(void)s->ops->remount(s,
					s->flags | MS_RDONLY, "");
		}
		s->flags |= MS_RDONLY;
		superput(s);
	}
}

/* Return the i-th super with a reference, counting from the last mount to the
 * first, then those that are detached; 0 if there are fewer. */
static struct super *
nthmount(int i)
{
	struct super *found = 0, *s;

	acquire(&nameslock);
	for (struct list *l = mounts.prev; l != &mounts && !found; l = l->prev)
		if (i-- == 0)
			found = listitem(l, struct super, link);
	listeach(s, &detached, link)
		if (!found && i-- == 0)
			found = s;
	if (found)
		atomicinc(&found->ref);
	release(&nameslock);
	return found;
}

/* Does anybody use a dentry of the tree, besides the tree itself and the
 * caller, who has refs references to the root? Called with nameslock held. */
static int
treebusy(struct dentry *root, int refs)
{
	struct dentry *d = root;
	struct list *next;

	lockassert(holding(&nameslock));
	for (;;) {
		if (d->mounted || d->ref !=
			1 + children(d) + (d == root ? refs : 0))
			return 1;
		next = d->children.next;
		while (next == &d->children) {
			if (d == root)
				return 0;
			next = d->sibling.next;
			d = d->parent;
		}
		d = listitem(next, struct dentry, sibling);
	}
}

/* Count the children of d. Called with nameslock held. */
static int
children(struct dentry *d)
{
	int n = 0;

	lockassert(holding(&nameslock));
	for (struct list *l = d->children.next; l != &d->children; l = l->next)
		n++;
	return n;
}
