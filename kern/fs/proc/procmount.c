/* procmount.c - /proc: what is mounted, and what could be. */
#include "kern/fs/proc/procfs.h"
#include "mm/mm.h"
#include "kern/abi/errno.h"
#include "kern/dev/dev.h"
#include "kern/fs/inode.h"
#include "kern/param.h"
#include "kern/lib/string.h"

static int eachmount(struct text *,
	void (*show)(struct text *, struct super *, uint parent, char *path));
static void putoptions(struct text *, struct super *, const char *path);

/* What was mounted: a device, or the type if there is none. */
static const char *
sourceof(struct super *s)
{
	return *s->source ? s->source : s->type;
}

/* A line of /proc/PID/mounts: source, place, type, options, and two columns
 * for dump and fsck. */
static void
mountline(struct text *t, struct super *s, uint parent, char *path)
{
	(void)parent;
	putf(t, "%s %s %s ", sourceof(s), path, s->type);
	putoptions(t, s, path);
	putf(t, " 0 0\n");
}

/* "ro" or "rw". */
static const char *
readwrite(struct super *s)
{
	return s->flags & MS_RDONLY ? "ro" : "rw";
}

/* The flags of the mount, as options. */
static void
putflags(struct text *t, struct super *s)
{
	static const struct {
		uint flag;
		const char *name;
	} names[] = {
		{MS_NOSUID, ",nosuid"}, {MS_NODEV, ",nodev"},
		{MS_NOEXEC, ",noexec"}, {MS_NOATIME, ",noatime"},
		{MS_NODIRATIME, ",nodiratime"}, {MS_RELATIME, ",relatime"},
	};

	putf(t, "%s", readwrite(s));
	for (uint i = 0; i < NELEM(names); i++)
		if (s->flags & names[i].flag)
			putf(t, "%s", names[i].name);
}

/* All options: the flags, and those of the file system, which mountpath() has
 * put behind the path. */
static void
putoptions(struct text *t, struct super *s, const char *path)
{
	putflags(t, s);
	putf(t, "%s%s", s->flags & MS_SYNCHRONOUS ? ",sync" : "",
		path + strlen(path) + 1);
}

int
showmounts(struct text *t, int pid)
{
	(void)pid;
	return eachmount(t, mountline);
}

/* Call show for each mount below the root of the running process. */
static int
eachmount(struct text *t,
	void (*show)(struct text *, struct super *, uint parent, char *path))
{
	enum { SIZE = PATHLEN + MOUNTOPTS };
	char *path = kmalloc(SIZE);
	struct super s;
	uint parent;
	int n;

	if (path == 0)
		return -ENOMEM;
	for (int i = 0; (n = mountpath(i, &s, &parent, path, SIZE)) !=
		-ENOENT; i++)
		if (n >= 0)
			show(t, &s, parent, path);
	kmfree(path);
	return 0;
}

/* A line of mountinfo.  A mount's number is that of its device, of which each
 * mount has its own. */
static void
infoline(struct text *t, struct super *s, uint parent, char *path)
{
	putf(t, "%u %u %u:%u / %s ", s->dev, parent, major(s->dev),
		minor(s->dev), path);
	putflags(t, s);
	putf(t, " - %s %s %s%s\n", s->type, sourceof(s), readwrite(s),
		path + strlen(path) + 1);
}

int
showmountinfo(struct text *t, int pid)
{
	(void)pid;
	return eachmount(t, infoline);
}

/* A line of mountstats. */
static void
statsline(struct text *t, struct super *s, uint parent, char *path)
{
	(void)parent;
	putf(t, "device %s mounted on %s with fstype %s\n", sourceof(s), path,
		s->type);
}

int
showmountstats(struct text *t, int pid)
{
	(void)pid;
	return eachmount(t, statsline);
}

int
showfilesystems(struct text *t, int pid)
{
	const struct fstype *f;

	(void)pid;
	for (int i = 0; (f = fstypeat(i)); i++)
		putf(t, "%s\t%s\n", f->needsdev ? "" : "nodev", f->name);
	return 0;
}
