/*
 * part.c - the partitions of a disk: from the table in its first sector, with
 * the chain of extended ones, or from a GPT (UEFI 2.10, chapter 5).
 *
 * What is on the disk may be junk: a chain ends after as many steps as there
 * may be partitions, and what reaches beyond the disk is cut.
 */
#include "kern/blk/blkq.h"

#include "mm/mm.h"
#include "kern/blk/disk.h"
#include "kern/lib/printf.h"
#include "kern/lib/string.h"

#define TABLE     446 /* bytes before the four entries */
#define SIGNATURE 0xAA55
#define FIRSTEXT  5   /* number of the first partition of the chain */
#define MAXTABLE  (128u << 10)

struct mbrentry {
	uint8_t active, head[3], type, tail[3];
	uint start, n;
};

struct mbr {
	uint8_t code[TABLE];
	struct mbrentry part[4];
	uint16_t signature;
} __attribute__((packed));

struct gpt { /* header */
	char magic[8];
	uint revision, size, crc, zero;
	uint64_t at, other, first, last;
	uint8_t guid[16];
	uint64_t table;
	uint n, entrysize, tablecrc;
} __attribute__((packed));

struct gptentry {
	uint8_t type[16], guid[16];
	uint64_t first, last;
};

static int isextended(uint type);
static int believable(const struct mbr *m);
static void extended(struct blkdev *disk, struct mbr *m, uint base);
static int gptinit(struct blkdev *disk, void *buf, uint64_t at);
static char *readtable(struct blkdev *disk, const struct gpt *g);
static uint crc32(const void *p, uint n);
static void addpart(struct blkdev *disk, uint n, uint64_t start,
	uint64_t sectors);

void
partinit(struct blkdev *disk)
{
	struct mbr *m = kmalloc(sizeof(*m));
	struct mbrentry e;
	uint i;

	if (m == 0 || blkio(disk, BIO_READ, 0, m, SECTOR) < 0 ||
		m->signature != SIGNATURE || !believable(m))
		goto out;
	for (i = 0; i < 4; i++) {
		if (m->part[i].type != 0xEE)
			continue;
		if (!gptinit(disk, m, 1) && !gptinit(disk, m, disk->sectors - 1))
			printf("%s: both GPTs are damaged\n", disk->name);
		goto out;
	}
	for (i = 0; i < 4; i++) {
		e = m->part[i];
		if (e.n)
			addpart(disk, i + 1, e.start,
				isextended(e.type) ? MIN(e.n, 2) : e.n);
	}
	for (i = 0; i < 4; i++) {
		if (m->part[i].n && isextended(m->part[i].type)) {
			extended(disk, m, m->part[i].start);
			break;
		}
	}
out:
	kmfree(m);
}

static int
isextended(uint type)
{
	return type == 0x05 || type == 0x0F || type == 0x85;
}

/* The boot sector of a file system has the signature too. */
static int
believable(const struct mbr *m)
{
	int i;

	for (i = 0; i < 4; i++)
		if (m->part[i].active & 0x7F)
			return 0;
	return 1;
}

/* Follow the chain: each link has a partition, from the link on, and the next
 * link, from base on. */
static void
extended(struct blkdev *disk, struct mbr *m, uint base)
{
	uint64_t at = base;
	uint n = FIRSTEXT, i, next;

	while (n < (uint)disk->partitions) {
		if (at >= disk->sectors ||
			blkio(disk, BIO_READ, at, m, SECTOR) < 0 ||
			m->signature != SIGNATURE)
			return;
		next = 0;
		for (i = 0; i < 4; i++) {
			if (m->part[i].n == 0)
				continue;
			if (isextended(m->part[i].type))
				next = next ? next : m->part[i].start;
			else if (i < 2)
				addpart(disk, n++, at + m->part[i].start,
					m->part[i].n);
		}
		if (next == 0)
			return;
		at = (uint64_t)base + next;
	}
}

/* Take the partitions from the header in that sector, read to buf: 1, or 0: it
 * is damaged. */
static int
gptinit(struct blkdev *disk, void *buf, uint64_t at)
{
	struct gpt *g = buf;
	struct gptentry *e;
	static const uint8_t unused[16];
	char *table;
	uint i, crc;

	if (at >= disk->sectors || blkio(disk, BIO_READ, at, g, SECTOR) < 0 ||
		memcmp(g->magic, "EFI PART", 8) != 0 ||
		g->size < sizeof(*g) || g->size > SECTOR || g->at != at)
		return 0;
	crc = g->crc;
	g->crc = 0;
	if (crc32(g, g->size) != crc || (table = readtable(disk, g)) == 0)
		return 0;
	for (i = 0; i < g->n && i + 1 < (uint)disk->partitions; i++) {
		e = (struct gptentry *)(table + i * g->entrysize);
		if (memcmp(e->type, unused, 16) != 0 && e->first <= e->last)
			addpart(disk, i + 1, e->first, e->last - e->first + 1);
	}
	kmfree(table);
	return 1;
}

/* The entries, in memory of their own; 0: they are damaged. */
static char *
readtable(struct blkdev *disk, const struct gpt *g)
{
	uint n = g->n * g->entrysize;
	char *table;

	if (g->entrysize < sizeof(struct gptentry) || g->entrysize > SECTOR ||
		g->n == 0 || g->n > MAXTABLE / g->entrysize)
		return 0;
	table = kmalloc(ROUNDUP(n, SECTOR));
	if (table && blkio(disk, BIO_READ, g->table, table,
			ROUNDUP(n, SECTOR)) == 0 &&
		crc32(table, n) == g->tablecrc)
		return table;
	kmfree(table);
	return 0;
}

/* As Ethernet has it, bit by bit. */
static uint
crc32(const void *p, uint n)
{
	const uint8_t *s = p;
	uint crc = ~0u;
	int i;

	while (n-- > 0) {
		crc ^= *s++;
		for (i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
	}
	return ~crc;
}

/* Partition n of the disk. */
static void
addpart(struct blkdev *disk, uint n, uint64_t start, uint64_t sectors)
{
	struct blkdev *dev;

	if (n >= (uint)disk->partitions || start >= disk->sectors) {
		printf("%s%u: begins beyond the disk\n", disk->name, n);
		return;
	}
	if (sectors > disk->sectors - start) {
		printf("%s%u: ends beyond the disk, cut\n", disk->name, n);
		sectors = disk->sectors - start;
	}
	dev = kzalloc(sizeof(*dev));
	if (dev == 0)
		return;
	snprintf(dev->name, sizeof(dev->name), "%s%u", disk->name, n);
	dev->rdev = disk->rdev + n;
	dev->parent = disk;
	dev->start = start;
	dev->sectors = sectors;
	dev->readonly = disk->readonly;
	blkregister(dev);
}
