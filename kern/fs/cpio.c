/*
 * cpio.c - unpack the initramfs: "newc" cpio archives, as Linux takes them.
 *
 * An archive is a row of entries, each a header of 110 characters (the magic
 * 070701, or 070702 with a checksum, and 13 numbers of 8 hexadecimal digits),
 * the name, and the data; name and data are padded to 4 bytes.  An entry named
 * TRAILER!!! ends it; another archive may follow, zeroes between.  Of several
 * names of one file (same ino) all but one have no data.
 *
 * The archive's pages are given away as they are consumed, so that it and the
 * files need not both fit in memory; names are copied out first.
 */
#include "kern/fs/inode.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/dev/dev.h"
#include "kern/lib/printf.h"
#include "kern/sched.h"
#include "kern/lib/string.h"

#define HEADER  110
#define PAD4(n) (((n) + 3) & ~3u)

enum {
	INO,
	MODE,
	UID,
	GID,
	NLINK,
	MTIME,
	SIZE,
	DEVMAJOR,
	DEVMINOR,
	RDEVMAJOR,
	RDEVMINOR,
	NAMESIZE,
	CHECK,
	NFIELD
};

struct entry { /* remembered: a file with more names, a directory's time */
	struct entry *next;
	struct dentry *d;
	uint ino, major, minor;
	int64_t mtime;
};

struct cpio {
	const uint8_t *base; /* of all archives */
	uint n, off;         /* their bytes; the next header */
	uint freed;          /* physical: pages below are given away */
	uint field[NFIELD];  /* of the entry at hand */
	uint data;           /* offset of its data */
	int check;           /* it has a checksum */
	char *path;          /* its path: a page, begins with '/' */
	char *target;        /* a page for links' targets */
	struct entry *links; /* of this archive */
	struct entry *dirs;  /* of all: times are set when all is unpacked */
};

static int checkwhole(struct cpio *c, uint pa);
static const char *packing(const uint8_t *p, uint n);
static int unpack(struct cpio *c);
static int readheader(struct cpio *c);
static int readhex(const uint8_t *p, uint *out);
static int getname(struct cpio *c);
static int makeentry(struct cpio *c);
static int makelink(struct cpio *c);
static int makefile(struct cpio *c);
static int makenode(struct cpio *c, struct dentry **dp);
static int makeparents(char *path);
static struct entry *remember(struct entry **list, struct dentry *d);
static struct entry *findlink(struct cpio *c);
static int writedata(struct cpio *c, struct inode *ip);
static int writepage(struct inode *ip, const uint8_t *p, uint n, uint off);
static uint checksum(const uint8_t *p, uint n);
static int iszero(const uint8_t *p, uint n);
static void giveaway(struct cpio *c, uint off);
static void freeentries(struct entry **list, int settime);

int
cpiounpack(uint pa, uint n)
{
	struct cpio c;
	int err;

	memset(&c, 0, sizeof(c));
	c.n = n;
	if ((err = checkwhole(&c, pa)) < 0)
		return err;
	c.base = P2V(pa);
	c.freed = ROUNDUP(pa, PGSIZE);
	c.path = kalloc();
	c.target = kalloc();
	err = c.path && c.target ? unpack(&c) : -ENOMEM;
	if (err == -ENOMEM || err == -ENOSPC)
		printf("initramfs: no memory for %s (offset %u of %u)\n",
			c.path ? c.path : "it", c.off, c.n);
	else if (err < 0)
		printf("initramfs: error %d at offset %u of %u\n", -err, c.off,
			c.n);
	freeentries(&c.links, 0);
	freeentries(&c.dirs, 1);
	putpath(c.path);
	putpath(c.target);
	giveaway(&c, c.n);
	return err;
}

/* Can the archive be read where it is, and is it not compressed? 0 or -EINVAL,
 * with a message. */
static int
checkwhole(struct cpio *c, uint pa)
{
	const char *how;

	if (pa >= DIRECTMAX || c->n > DIRECTMAX - pa) {
		printf("initramfs: at %#x, beyond the %u MiB the kernel maps\n",
			pa, (uint)DIRECTMAX >> 20);
		return -EINVAL;
	}
	if ((how = packing(P2V(pa), c->n))) {
		printf("initramfs: compressed with %s; it must be an "
		       "uncompressed newc cpio archive\n", how);
		return -EINVAL;
	}
	return 0;
}

/* The name of the compression whose data begins so, or 0. */
static const char *
packing(const uint8_t *p, uint n)
{
	static const struct {
		uint8_t first, second;
		const char *name;
	} known[] = {
		{0x1f, 0x8b, "gzip"}, {0xfd, 0x37, "xz"}, {0x42, 0x5a, "bzip2"},
		{0x28, 0xb5, "zstd"}, {0x5d, 0x00, "lzma"}, {0x89, 0x4c, "lzo"},
		{0x02, 0x21, "lz4"}, {0x04, 0x22, "lz4"},
	};

	for (uint i = 0; n > 2 && i < NELEM(known); i++)
		if (p[0] == known[i].first && p[1] == known[i].second)
			return known[i].name;
	return 0;
}

/* Make all entries of all archives: 0 or -errno. */
static int
unpack(struct cpio *c)
{
	uint end;
	int err;

	while (c->off < c->n) {
		if (c->base[c->off] == 0) { /* between archives */
			c->off++;
			continue;
		}
		if ((err = readheader(c)) < 0)
			return err;
		end = c->data + PAD4(c->field[SIZE]);
		if (!strcmp(c->path, "/TRAILER!!!"))
			freeentries(&c->links, 0);
		else if ((err = makeentry(c)) < 0)
			return err;
		c->off = MIN(end, c->n);
		giveaway(c, c->off);
	}
	return 0;
}

/* Read the header and the name at c->off, and check that all of the entry is
 * there: 0 or -EINVAL, with a message. */
static int
readheader(struct cpio *c)
{
	const uint8_t *p = c->base + c->off;
	uint left = c->n - c->off, data;

	if (left < HEADER) {
		printf("initramfs: truncated in a header\n");
		return -EINVAL;
	}
	if (memcmp(p, "07070", 5) || (p[5] != '1' && p[5] != '2')) {
		printf("initramfs: not a newc cpio header\n");
		return -EINVAL;
	}
	c->check = p[5] == '2';
	for (int i = 0; i < NFIELD; i++)
		if (readhex(p + 6 + 8 * i, &c->field[i]) < 0) {
			printf("initramfs: corrupt header\n");
			return -EINVAL;
		}
	if (c->field[NAMESIZE] == 0 || c->field[NAMESIZE] > PATH_MAX - 2) {
		printf("initramfs: name of %u bytes\n", c->field[NAMESIZE]);
		return -EINVAL;
	}
	data = PAD4(HEADER + c->field[NAMESIZE]);
	if (HEADER + c->field[NAMESIZE] > left ||
		(c->field[SIZE] &&
			(data > left || c->field[SIZE] > left - data))) {
		printf("initramfs: truncated\n");
		return -EINVAL;
	}
	c->data = c->off + data;
	return getname(c);
}

/* Read 8 hexadecimal digits: 0 or -EINVAL. */
static int
readhex(const uint8_t *p, uint *out)
{
	uint v = 0;

	for (int i = 0; i < 8; i++) {
		uint d = p[i] - '0';

		if (d > 9) {
			d = (p[i] | 0x20) - 'a';
			if (d > 5)
				return -EINVAL;
			d += 10;
		}
		v = v << 4 | d;
	}
	*out = v;
	return 0;
}

/* Make c->path from the entry's name, as a path from the root: 0 or -EINVAL. */
static int
getname(struct cpio *c)
{
	const char *name = (const char *)c->base + c->off + HEADER;
	uint n = c->field[NAMESIZE];

	if (name[n - 1] != 0) {
		printf("initramfs: name without an end\n");
		return -EINVAL;
	}
	while (*name == '/' || (name[0] == '.' && name[1] == '/'))
		name++;
	c->path[0] = '/';
	strlcpy(c->path + 1, name, PATH_MAX - 1);
	return 0;
}

/* Make the file that the entry describes: 0 or -errno. */
static int
makeentry(struct cpio *c)
{
	struct entry *e;
	struct dentry *d;
	int err;

	if (S_ISLNK(c->field[MODE]))
		return makelink(c);
	if (S_ISREG(c->field[MODE]))
		return makefile(c);
	if ((e = findlink(c)))
		return linkpath(e->d, c->path);
	if ((err = makenode(c, &d)) < 0)
		return err;
	e = S_ISDIR(c->field[MODE]) ? remember(&c->dirs, d) : 0;
	if (e)
		e->mtime = d->inode->mtime;
	dput(d);
	return 0;
}

/* Make a symbolic link: 0 or -errno. */
static int
makelink(struct cpio *c)
{
	uint n = c->field[SIZE];
	struct dentry *d;
	int err;

	if (n == 0 || n >= PATH_MAX) {
		printf("initramfs: %s: a link to %u bytes\n", c->path, n);
		return -EINVAL;
	}
	memcpy(c->target, c->base + c->data, n);
	c->target[n] = 0;
	err = symlinkpath(c->target, c->path);
	if (err == -ENOENT && (err = makeparents(c->path)) == 0)
		err = symlinkpath(c->target, c->path);
	if (err < 0 || (err = walk(0, c->path, WALK_NOFOLLOW, &d, 0)) < 0)
		return err;
	d->inode->uid = c->field[UID];
	d->inode->gid = c->field[GID];
	d->inode->mtime = (int64_t)c->field[MTIME] * 1000000000;
	dput(d);
	return 0;
}

/* Make a regular file, or one more name for it: 0 or -errno. */
static int
makefile(struct cpio *c)
{
	struct entry *e = findlink(c);
	struct dentry *d = 0;
	int err;

	if (e) {
		d = dget(e->d);
		err = linkpath(d, c->path);
	} else if ((err = makenode(c, &d)) == 0 && c->field[NLINK] > 1) {
		if (!(e = remember(&c->links, d))) {
			dput(d);
			return -ENOMEM;
		}
		e->ino = c->field[INO];
		e->major = c->field[DEVMAJOR];
		e->minor = c->field[DEVMINOR];
	}
	if (!err && c->field[SIZE])
		err = writedata(c, d->inode);
	if (!err)
		d->inode->mtime = (int64_t)c->field[MTIME] * 1000000000;
	dput(d);
	return err;
}

/* Make an inode and its name, and the directories above that are missing: 0
 * with *dp referenced, or -errno. */
static int
makenode(struct cpio *c, struct dentry **dp)
{
	uint *f = c->field, minor = f[RDEVMINOR];
	uint rdev = makedev(f[RDEVMAJOR] & 0xfff, minor & 0xff) |
		(minor & 0xfff00) << 12;
	int64_t mtime = (int64_t)f[MTIME] * 1000000000;
	int err = mkpath(c->path, f[MODE], rdev, f[UID], f[GID], mtime, dp);

	if (err == -ENOENT && (err = makeparents(c->path)) == 0)
		err = mkpath(c->path, f[MODE], rdev, f[UID], f[GID], mtime, dp);
	return err;
}

/* Make the directories above path that are missing: 0 or -errno. path is
 * changed meanwhile. */
static int
makeparents(char *path)
{
	struct dentry *d;
	int err;

	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		err = walk(0, path, WALK_DIR, &d, 0);
		if (err == 0)
			dput(d);
		else if (err == -ENOENT)
			err = mkpath(path, S_IFDIR | 0755, 0, 0, 0, realns(),
				0);
		*p = '/';
		if (err < 0)
			return err;
	}
	return 0;
}

/* Add an entry for d to the list: it; 0: no memory. */
static struct entry *
remember(struct entry **list, struct dentry *d)
{
	struct entry *e = kzalloc(sizeof(*e));

	if (!e)
		return 0;
	e->d = dget(d);
	e->next = *list;
	*list = e;
	return e;
}

/* The file that this entry is one more name of, if an entry before was one; or
 * 0. */
static struct entry *
findlink(struct cpio *c)
{
	struct entry *e;

	if (c->field[NLINK] < 2)
		return 0;
	for (e = c->links; e; e = e->next)
		if (e->ino == c->field[INO] && e->major == c->field[DEVMAJOR] &&
			e->minor == c->field[DEVMINOR])
			break;
	return e;
}

/* Write the data of the entry to the file; pages of zeroes stay holes.  0 or
 * -errno. */
static int
writedata(struct cpio *c, struct inode *ip)
{
	uint size = c->field[SIZE], total = 0, n;
	const uint8_t *p = c->base + c->data;
	int err = pcachetruncate(ip->pages, size);

	for (uint off = 0; !err && off < size; off += n) {
		n = MIN(size - off, PGSIZE);
		if (c->check)
			total += checksum(p + off, n);
		if (!iszero(p + off, n))
			err = writepage(ip, p + off, n, off);
		giveaway(c, c->data + off + n);
	}
	ramfscharge(ip);
	if (!err && c->check && total != c->field[CHECK]) {
		printf("initramfs: %s: wrong checksum\n", c->path);
		err = -EINVAL;
	}
	return err;
}

/* Write n bytes at off, in one page: 0 or -errno. */
static int
writepage(struct inode *ip, const uint8_t *p, uint n, uint off)
{
	struct uio u = {(uint)p, n, 1};
	int r = pcachewrite(ip->pages, &u, off);

	return r < 0 ? r : (uint)r < n ? -ENOSPC : 0;
}

/* The sum of n bytes, as CHECK has it. */
static uint
checksum(const uint8_t *p, uint n)
{
	uint total = 0;

	while (n-- > 0)
		total += *p++;
	return total;
}

/* Are n bytes 0? */
static int
iszero(const uint8_t *p, uint n)
{
	for (; n >= 4; p += 4, n -= 4)
		if (*(const uint *)p)
			return 0;
	for (; n > 0; p++, n--)
		if (*p)
			return 0;
	return 1;
}

/* All before off has been read: give its pages to the free lists. */
static void
giveaway(struct cpio *c, uint off)
{
	uint end = c->base ? V2P(c->base + off) / PGSIZE * PGSIZE : 0;

	if (end <= c->freed)
		return;
	kfreerange(c->freed, end);
	c->freed = end;
}

/* Free a list; with settime set the times of its directories first. */
static void
freeentries(struct entry **list, int settime)
{
	struct entry *e;

	while ((e = *list)) {
		*list = e->next;
		if (settime)
			e->d->inode->mtime = e->mtime;
		dput(e->d);
		kmfree(e);
	}
}
