/*
 * mount.c - mounting and unmounting file systems.
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

static struct fstype *fstypes; /* all that are registered, the first one first */

static struct sleeplock mountlock; /* one mounts at a time; below it all others */
static struct list detached = {&detached, &detached}; /* [nameslock] */
static struct list ending = {&ending, &ending}; /* superend()s [nameslock] */
static struct waitq ended;   /* one has */
volatile int ndetached;      /* its length [nameslock] */
static uint lastdev;

static struct super *mountof(struct list *list, uint rdev);
static int remount(struct super *sb, uint flags, const char *data);
static int nowriters(struct super *sb);
static uint keptflags(uint flags);
static int ismounted(struct super *sb, const char *type);
static int mountfs(const char *type, const char *source, uint flags,
	const char *data, struct super **sp);
static int attachfs(struct super *sb, struct dentry *on);
static int mountedbelow(struct dentry *root);
static void superend(struct super *sb);
static struct super *mountat(int i);
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
		err = on->parent == on ? remount(on->inode->super, flags, data) :
			-EINVAL;
	else if (flags & (MS_PRIVATE | MS_SLAVE | MS_SHARED | MS_UNBINDABLE))
		err = on->parent == on ? 0 : -EINVAL; /* nobody to tell */
	else if (flags & (MS_BIND | MS_MOVE))
		err = -EINVAL;
	else if (on->parent == on && ismounted(on->inode->super, type))
		err = -EBUSY;
	else {
		acquiresleep(&mountlock);
		if ((err = mountfs(type, source, flags, data, &sb)) == 0)
			err = attachfs(sb, on);
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
	while (mountof(&ending, (*bd)->rdev))
		sleep(&ended, &nameslock);
	if (mountof(&mounts, (*bd)->rdev) || mountof(&detached, (*bd)->rdev))
		err = -EBUSY;
	release(&nameslock);
	return err;
}

/* The one in the list that is of a disk of that number, or 0.  nameslock held. */
static struct super *
mountof(struct list *list, uint rdev)
{
	struct super *s;

	listeach(s, list, link)
		if (s->fstype->needsdev && s->dev == rdev)
			return s;
	return 0;
}

/* Change the flags of what is mounted, and its options. */
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

/* Nobody begins to write from now on: 0, and all is written, or -EBUSY: somebody
 * has a file open for writing, or an unlinked one. */
static int
nowriters(struct super *sb)
{
	sb->flags |= MS_CLOSING;
	fence(); /* igetwriter() does it the other way round */
	if (sb->writers > 0 || iorphans(sb))
		return -EBUSY;
	return syncsuper(sb, 1);
}

/* The flags that stay with a mount. */
static uint
keptflags(uint flags)
{
	flags &= MS_KEPT;
	if (!(flags & (MS_NOATIME | MS_STRICTATIME)))
		flags |= MS_RELATIME;
	return flags;
}

/* Is there but one of that type on Linux, and this is it? */
static int
ismounted(struct super *sb, const char *type)
{
	return sb->fstype->single && !strcmp(sb->type, type);
}

/* A new file system of the type, not in the list of mounts yet. */
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

/* Cover a directory with sb, unless it has gone or something is mounted there
 * since the walk: then sb is given back.  Names do not change meanwhile. */
static int
attachfs(struct super *sb, struct dentry *on)
{
	struct super *below = on->inode->super;
	int err = 0;

	acquiresleep(&below->lock);
	acquire(&nameslock);
	if (on->unlinked || (on->parent != on && on->inode->ops->valid))
		err = -ENOENT; /* or its name may go any time, and hide sb */
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

/* What is busy stays, forced or not, but for MNT_DETACH: that hides it at once,
 * and it is unmounted when it is busy no longer. */
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
		dprune(root); /* then there is little to look at */
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

/* Is something mounted in what root is the root of?  nameslock held. */
static int
mountedbelow(struct dentry *root)
{
	struct super *s;
	struct dentry *d;

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

/* Write and free a file system, in the list of those that end, that nobody can find
 * and nobody uses, but for calls that end by themselves and refer to one of its
 * inodes. */
static void
superend(struct super *sb)
{
	int err;

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

/* The system stops: nobody writes any more, and what can be made read-only is. */
void
umountall(void)
{
	struct super *s;
	int i = 0;

	syncall(1);
	while ((s = mountat(i++))) {
		s->flags |= MS_CLOSING;
		if (!listempty(&s->flushlink)) {
			(void)syncsuper(s, 1);
			if (iorphans(s)) /* their blocks are e2fsck's */
				printf("%s: files without a name are in use\n",
					s->source);
			else if (s->ops->remount)
				(void)s->ops->remount(s, s->flags | MS_RDONLY, "");
		}
		s->flags |= MS_RDONLY;
		superput(s);
	}
}

/* The i-th mount, the last one first, then what is detached; referenced; or 0. */
static struct super *
mountat(int i)
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

/* Does anybody but the names themselves and the caller, who has so many
 * references to the root, use a dentry of the tree?  nameslock held. */
static int
treebusy(struct dentry *root, int refs)
{
	struct dentry *d = root;
	struct list *next;

	for (;;) {
		if (d->mounted || d->ref != 1 + children(d) + (d == root ? refs : 0))
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

static int
children(struct dentry *d)
{
	int n = 0;

	for (struct list *l = d->children.next; l != &d->children; l = l->next)
		n++;
	return n;
}
