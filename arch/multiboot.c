/*
 * multiboot.c - copy out what the boot loader told us (Multiboot 0.6.96,
 * section 3.3), before the memory it lies in is used for anything else.
 *
 * Every structure is read through entrypgdir, which maps the first 4 MiB; GRUB
 * and QEMU put theirs there.  The modules themselves may lie anywhere.
 */
#include "arch/multiboot.h"

#include "arch/memlayout.h"
#include "arch/mmu.h"
#include "kern/panic.h"
#include "kern/lib/string.h"

#define INFO_CMDLINE (1 << 2) /* bits of mbinfo.flags: which fields count */
#define INFO_MODS    (1 << 3)
#define INFO_MMAP    (1 << 6)
#define INFO_LOADER  (1 << 9)

#define MMAP_RAM 1

struct mbinfo { /* what the loader passes; addresses are physical */
	uint flags;
	uint lower, upper;
	uint bootdevice;
	uint cmdline;
	uint nmods, mods;
	uint syms[4];
	uint mmaplen, mmap;
	uint drives[2];
	uint configtable;
	uint loader;
};

struct mbmodule { /* an element of mods[] */
	uint start, end, string, zero;
};

struct mbmmap { /* an element of the memory map */
	uint size; /* bytes of what follows */
	uint64_t addr, len;
	uint type;
} __attribute__((packed));

struct bootinfo bootinfo;

static const void *low(uint pa, uint n);
static void copystring(char *dst, uint pa, uint n);
static void dropfirst(char *s);
static void copymodules(const struct mbinfo *mi);
static void copymap(const struct mbinfo *mi);
static void eachrange(
	const struct mbinfo *mi, int ram, void (*fn)(uint64_t, uint64_t));
static void addrange(uint64_t start, uint64_t end);
static void insertrange(int i, uint64_t start, uint64_t end);
static void removerange(uint64_t start, uint64_t end);
static uint64_t memlimit(void);
static const char *nextword(const char *s, const char **end);

void
multibootinit(uint magic, uint info)
{
	const struct mbinfo *mi;

	if (magic != MULTIBOOT_MAGIC)
		panic("not loaded by a multiboot loader (eax %x)", magic);
	mi = low(info, sizeof(*mi));
	if (mi->flags & INFO_LOADER)
		copystring(
			bootinfo.loader, mi->loader, sizeof(bootinfo.loader));
	if (mi->flags & INFO_CMDLINE)
		copystring(bootinfo.cmdline, mi->cmdline,
			sizeof(bootinfo.cmdline));
	if (strcmp(bootinfo.loader, "qemu") == 0)
		dropfirst(bootinfo.cmdline); /* the kernel's path */
	if (mi->flags & INFO_MODS)
		copymodules(mi);
	if (!(mi->flags & INFO_MMAP))
		panic("the boot loader gave no memory map");
	copymap(mi);
	if (bootinfo.nram == 0)
		panic("the memory map has no usable memory");
}

/* Where the kernel can read the n bytes at physical address pa.  Panics if they
 * are not below 4 MiB, since entrypgdir maps no more. */
static const void *
low(uint pa, uint n)
{
	if (pa >= SUPERSIZE || n > SUPERSIZE - pa)
		panic("boot information at %x is above 4 MiB", pa);
	return P2V(pa);
}

/* Copy the string at physical address pa to dst, which has n bytes. */
static void
copystring(char *dst, uint pa, uint n)
{
	strlcpy(dst, low(pa, 1), n);
}

/* Remove the first word of s, and the space behind it. */
static void
dropfirst(char *s)
{
	const char *rest = strchr(s, ' ');

	rest = rest ? rest + 1 : s + strlen(s);
	memmove(s, rest, strlen(rest) + 1);
}

/* Note where the first NMODULE modules are, and their names. */
static void
copymodules(const struct mbinfo *mi)
{
	int n = MIN(mi->nmods, NMODULE);
	const struct mbmodule *m = low(mi->mods, n * sizeof(*m));
	struct bootmodule *b;
	int i;

	for (i = 0; i < n; i++) {
		b = &bootinfo.module[i];
		b->start = m[i].start;
		b->end = m[i].end;
		if (m[i].string)
			copystring(b->name, m[i].string, sizeof(b->name));
	}
	bootinfo.nmodule = n;
}

/* Fill bootinfo.ram: what the memory map calls RAM, without what it calls by
 * another name, too, and without what is above mem=. */
static void
copymap(const struct mbinfo *mi)
{
	eachrange(mi, 1, addrange);
	eachrange(mi, 0, removerange);
	removerange(memlimit(), UINT64_MAX);
}

/* Call fn(start, end) for each range of the memory map below 4 GiB that is RAM
 * (ram 1), or that is not (ram 0).  A range of RAM is made smaller to begin and
 * end at pages, another one larger. */
static void
eachrange(const struct mbinfo *mi, int ram, void (*fn)(uint64_t, uint64_t))
{
	const uint64_t max = 1ull << 32;
	const struct mbmmap *m;
	uint64_t start, end;
	uint off;

	for (off = 0; off + sizeof(*m) <= mi->mmaplen; off += m->size + 4) {
		m = low(mi->mmap + off, sizeof(*m));
		start = m->addr;
		end = m->addr + m->len;
		if (end < start || end > max)
			end = max;
		if ((m->type == MMAP_RAM) != ram || start >= end)
			continue;
		if (ram)
			fn((start + PGSIZE - 1) & -PGSIZE, end & -PGSIZE);
		else
			fn(start & -PGSIZE, (end + PGSIZE - 1) & -PGSIZE);
	}
}

/* Add [start, end) to bootinfo.ram, which stays sorted and disjoint: ranges
 * that touch or overlap become one. */
static void
addrange(uint64_t start, uint64_t end)
{
	struct memrange *r = bootinfo.ram;
	int i = 0;

	while (i < bootinfo.nram && r[i].end < start)
		i++;
	while (i < bootinfo.nram && r[i].start <= end) {
		start = MIN(start, r[i].start);
		end = MAX(end, r[i].end);
		bootinfo.nram--;
		memmove(&r[i], &r[i + 1], (bootinfo.nram - i) * sizeof(*r));
	}
	insertrange(i, start, end);
}

/* Insert [start, end) as bootinfo.ram[i]; nothing happens if it is empty or the
 * array is full. */
static void
insertrange(int i, uint64_t start, uint64_t end)
{
	struct memrange *r = bootinfo.ram;

	if (start >= end || bootinfo.nram == NMEMRANGE)
		return;
	memmove(&r[i + 1], &r[i], (bootinfo.nram - i) * sizeof(*r));
	r[i].start = start;
	r[i].end = end;
	bootinfo.nram++;
}

/* Take [start, end) out of bootinfo.ram; where it was the middle of a range,
 * the piece behind it becomes a range of its own. */
static void
removerange(uint64_t start, uint64_t end)
{
	struct memrange *r = bootinfo.ram;
	uint64_t rest;
	int i;

	for (i = 0; i < bootinfo.nram; i++) {
		if (r[i].end <= start || r[i].start >= end)
			continue;
		rest = r[i].end;
		r[i].end = MAX(r[i].start, start);
		insertrange(i + 1, end, rest);
		if (r[i].start < r[i].end)
			continue;
		bootinfo.nram--;
		memmove(&r[i], &r[i + 1], (bootinfo.nram - i) * sizeof(*r));
		i--;
	}
}

/* The physical address where the memory to use ends: what mem= on the command
 * line says, in bytes or with K, M or G behind the number; else 4 GiB. */
static uint64_t
memlimit(void)
{
	char buf[32], *end;
	uint64_t size;

	if (bootarg("mem", buf, sizeof(buf)) < 0)
		return 1ull << 32;
	size = strtoul(buf, &end, 0);
	if (end == buf)
		return 1ull << 32; /* no number: as if it were not there */
	if (*end == 'K' || *end == 'k')
		size <<= 10;
	else if (*end == 'M' || *end == 'm')
		size <<= 20;
	else if (*end == 'G' || *end == 'g')
		size <<= 30;
	return size & -PGSIZE;
}

int
bootarg(const char *key, char *buf, uint n)
{
	const char *s = bootinfo.cmdline, *end;
	uint len = strlen(key), value;
	int found = -1;

	while ((s = nextword(s, &end)) != 0) {
		if (strncmp(s, key, len) == 0 && s[len] == '=') {
			s += len + 1;
			value = MIN((uint)(end - s), n - 1);
			memcpy(buf, s, value);
			buf[value] = 0;
			found = value;
		}
		s = end;
	}
	return found;
}

int
bootflag(const char *word)
{
	const char *s = bootinfo.cmdline, *end;
	uint len = strlen(word);

	while ((s = nextword(s, &end)) != 0) {
		if ((uint)(end - s) == len && strncmp(s, word, len) == 0)
			return 1;
		s = end;
	}
	return 0;
}

/* The first word at or behind s, and in *end where it ends; 0 if there is none,
 * or it is --, behind which words are not the kernel's. */
static const char *
nextword(const char *s, const char **end)
{
	const char *e;

	while (*s == ' ')
		s++;
	for (e = s; *e && *e != ' '; e++)
		;
	if (e == s || (e - s == 2 && s[0] == '-' && s[1] == '-'))
		return 0;
	*end = e;
	return s;
}
