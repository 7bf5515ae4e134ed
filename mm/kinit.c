/*
 * kinit.c - from the boot loader's memory map to frames that can be allocated.
 *
 * Three steps, as RAM becomes reachable.  kinit1() threads the frames below 4
 * MiB, all that entrypgdir maps, on a plain free list (`early`, like xv6's
 * kmem.freelist); kvmalloc() takes its page tables from there.  kinit2(), with
 * everything mapped, makes the page array and gives the frames that nothing
 * uses to kalloc.c.  kfreerange() gives boot memory back later: the initramfs,
 * as it is unpacked.
 *
 * Invariant: a frame that the firmware, the image, the page array or a boot
 * module uses (used[]) is never on a free list.
 */
#include "mm/vm.h"
#include "arch/multiboot.h"

#define MINRAM (3u << 20) /* less than this free at boot: give up clearly */

struct run { /* a free frame before the page array exists */
	struct run *next;
};

static struct run *early; /* kinit1's list; 0 once kinit2 has run */

static struct range { /* RAM in use at boot */
	uint start, end;
} used[NMODULE + 4];
static int nused;

extern char end[]; /* first address behind the kernel image (kernel.ld) */

static void reserve(uint start, uint end);
static struct range *usedat(uint pa);
static uint nextused(uint pa, uint last);
static int inram(uint pa);
static void makepages(void);
static uint findspace(uint n);
static uint topofram(void);
static void addrange(uint start, uint end);

/* See mm.h. */
void
kinit1(void)
{
	struct run *r;

	reserve(0, PGSIZE);
	reserve(APSTART, APSTART + PGSIZE);
	reserve(EXTMEM, V2P(end));
	for (int i = 0; i < bootinfo.nmodule; i++)
		reserve(bootinfo.module[i].start, bootinfo.module[i].end);
	for (uint pa = SUPERSIZE - PGSIZE; pa > 0; pa -= PGSIZE) {
		if (usedat(pa) || !inram(pa))
			continue;
		r = P2V(pa);
		r->next = early;
		early = r;
	}
	if (early == 0)
		panic("no memory below 4 MiB for the first page tables");
}

/* Note physical addresses [start, last), rounded outwards to pages, as in
 * use. */
static void
reserve(uint start, uint last)
{
	used[nused].start = PGROUNDDOWN(start);
	used[nused++].end = PGROUNDUP(last);
}

/* The range in use at boot that pa is in, or 0. */
static struct range *
usedat(uint pa)
{
	for (int i = 0; i < nused; i++)
		if (pa >= used[i].start && pa < used[i].end)
			return &used[i];
	return 0;
}

/* Is there RAM at physical address pa, as the boot loader tells? */
static int
inram(uint pa)
{
	for (int i = 0; i < bootinfo.nram; i++)
		if (pa >= bootinfo.ram[i].start && pa < bootinfo.ram[i].end)
			return 1;
	return 0;
}

/* See vm.h. */
void *
earlypage(void)
{
	struct run *r = early;

	if (r == 0)
		panic("out of memory for the kernel's page tables");
	early = r->next;
	memset(r, 0, PGSIZE);
	return r;
}

/* See mm.h. */
void
kinit2(void)
{
	makepages();
	kallocinit();
	for (int i = 0; i < bootinfo.nram; i++)
		addrange(bootinfo.ram[i].start, bootinfo.ram[i].end);
	for (int i = 0; i < bootinfo.nmodule; i++)
		claim(PGROUNDDOWN(bootinfo.module[i].start),
			PGROUNDUP(bootinfo.module[i].end), PG_MODULE);
	while (early) {
		struct run *r = early;

		early = r->next;
		kfreerange(V2P(r), V2P(r) + PGSIZE);
	}
	if (pagecount(PG_FREE) + pagecount(PG_MODULE) < MINRAM >> PGSHIFT)
		panic("too little RAM: %u KiB free and %u KiB of boot "
		      "modules, Quire needs %u KiB",
			pagecount(PG_FREE) * 4, pagecount(PG_MODULE) * 4,
			MINRAM >> 10);
	kallocreserve();
	zeropage = allocpage(PG_ZERO);
	stosl(pagekva(zeropage), 0, PGSIZE / 4);
}

/* Make the page array, in the first range of direct-mapped RAM that has room,
 * and note the frames that are in use already. */
static void
makepages(void)
{
	uint n, pa;

	npages = topofram() >> PGSHIFT;
	n = PGROUNDUP(npages * sizeof(struct page));
	pa = findspace(n);
	pages = P2V(pa);
	stosl(pages, 0, n / 4);
	countpages(PG_RESERVED, npages);
	reserve(pa, pa + n);
	claim(pa, pa + n, PG_IMAGE);
	claim(EXTMEM, V2P(PGROUNDUP(end)), PG_IMAGE);
	kvmtables();
}

/* Physical address of the first byte above all RAM, or the last page below 4
 * GiB if there is more. */
static uint
topofram(void)
{
	uint64_t top = bootinfo.ram[bootinfo.nram - 1].end;

	return MIN(top, 0xFFFFF000ull);
}

/* Physical address, page aligned, of n contiguous bytes of direct-mapped RAM
 * that nothing uses; not below 4 MiB, where the early list is.  Panics if there
 * are none. */
static uint
findspace(uint n)
{
	uint pa, last;

	for (int i = 0; i < bootinfo.nram; i++) {
		last = MIN(bootinfo.ram[i].end, DIRECTMAX);
		pa = MAX(MIN(bootinfo.ram[i].start, last), SUPERSIZE);
		while (pa < last) {
			if (usedat(pa))
				pa = usedat(pa)->end;
			else if (nextused(pa, last) - pa >= n)
				return pa;
			else
				pa = nextused(pa, last);
		}
	}
	panic("too little RAM: the boot modules leave no %u KiB in one piece "
	      "for the page array",
		n >> 10);
}

/* Physical address where the first range in use at or above pa begins, or last
 * if that is lower. */
static uint
nextused(uint pa, uint last)
{
	for (int i = 0; i < nused; i++)
		if (used[i].start >= pa)
			last = MIN(last, used[i].start);
	return last;
}

/* See vm.h. */
void
claim(uint start, uint last, int state)
{
	for (uint pa = start; pa < last; pa += PGSIZE) {
		countpages(papage(pa)->state, -1);
		countpages(state, 1);
		papage(pa)->state = state;
		papage(pa)->ref = 1;
	}
}

/* Give kalloc.c what is not in use of the RAM at physical addresses [start,
 * last); but not what is below 4 MiB, which the early list has. */
static void
addrange(uint start, uint last)
{
	uint next;

	for (uint pa = MAX(start, SUPERSIZE); pa < last; pa = next) {
		if (usedat(pa)) {
			next = usedat(pa)->end;
			continue;
		}
		next = nextused(pa, last);
		kfreerange(pa, next);
	}
}

/* See mm.h. */
void
kfreerange(uint start, uint last)
{
	struct page *pg;

	start = PGROUNDUP(start);
	last = PGROUNDDOWN(last);
	for (uint pa = start; pa < last; pa += PGSIZE) {
		pg = papage(pa);
		assert(pg->state == PG_RESERVED || pg->state == PG_MODULE);
		countpages(pg->state, -1);
		pg->state = PG_FREE;
		pg->order = NOTHEAD;
		pg->ref = 0;
	}
	if (start < last) {
		countpages(PG_FREE, (last - start) >> PGSHIFT);
		addfree(start, last);
	}
}
