/* u_kalloc.c - frames: no two owners, contents kept, all of them come back. */
#include "unit.h"
#include "arch/multiboot.h"

#define RAM   (16u << 20)
#define NBLOCK 400

static struct block {
	uint *p;
	int order;
	uint tag;
} blocks[NBLOCK];
static uint8_t owned[RAM >> PGSHIFT]; /* by a block of ours */
static uint before;

static void take(struct block *);
static void give(struct block *);
static void boot_counts(void);
static void random_blocks(void);
static void reserve_for_kernel(void);
static void low_reserve(void);
static void exhausted_then_joined(void);
static void module_freed(void);
static void stacks_come_back(void);

const struct test kalloctests[] = {
	{boot_counts, "kalloc_boot_counts"},
	{random_blocks, "kalloc_random_blocks"},
	{reserve_for_kernel, "kalloc_user_leaves_reserve"},
	{exhausted_then_joined, "kalloc_exhausted_then_joined"},
	{module_freed, "kalloc_module_freed"},
	{stacks_come_back, "kalloc_stacks_come_back"},
	{0, 0},
};

const struct test kallochightests[] = {
	{low_reserve, "kalloc_cached_leaves_low_reserve"},
	{0, 0},
};

/* After boot every frame has one state, and vmcheck() agrees. */
static void
boot_counts(void)
{
	struct meminfo m;

	boot(RAM);
	check_mm();
	meminfo(&m);
	check(m.image == 256, "image %u", m.image);
	check(m.free > (RAM >> PGSHIFT) - 450, "only %u free", m.free);
	check(m.free < m.total - m.image, "%u free of %u", m.free, m.total);
	check(pagecount(PG_RESERVED) == 0x100 - 0x9f + 2,
		"%u reserved: the hole at 640 KiB, page 0 and APSTART",
		pagecount(PG_RESERVED));
}

static void
take(struct block *b)
{
	uint n, pfn;

	b->order = oneof(3) ? (int)rnd(6) : 0;
	b->tag = rnd(0);
	b->tag = rnd(1u << 31);
	b->p = b->order == 0 && oneof(2) ? kalloc() : kallocs(b->order);
	if (b->p == 0)
		return;
	n = 1u << b->order;
	pfn = V2P(b->p) >> PGSHIFT;
	check(V2P(b->p) % (PGSIZE << b->order) == 0, "%p, order %d", b->p,
		b->order);
	check(pfn + n <= RAM >> PGSHIFT && pfn > 0, "frame %x", pfn);
	for (uint i = 0; i < n; i++) {
		check(!owned[pfn + i], "frame %x given out twice", pfn + i);
		check(pages[pfn + i].state == PG_KMEM, "frame %x", pfn + i);
		owned[pfn + i] = 1;
	}
	for (uint i = 0; i < n * PGSIZE / 4; i += 61)
		b->p[i] = b->tag + i;
}

static void
give(struct block *b)
{
	uint n = 1u << b->order, pfn = V2P(b->p) >> PGSHIFT;

	for (uint i = 0; i < n * PGSIZE / 4; i += 61)
		check(b->p[i] == b->tag + i, "block %p changed", b->p);
	for (uint i = 0; i < n; i++)
		owned[pfn + i] = 0;
	if (b->order == 0)
		kfree(b->p);
	else
		kfrees(b->p, b->order);
	b->p = 0;
}

static void
random_blocks(void)
{
	uint held = 0;

	boot(RAM);
	before = freeframes();
	for (uint s = 0; s < (steps ? steps : 60000); s++) {
		struct block *b = &blocks[rnd(NBLOCK)];

		oncpu(rnd(2));
		if (b->p) {
			held -= 1u << b->order;
			give(b);
		} else {
			take(b);
			held += b->p ? 1u << b->order : 0;
		}
		check(freeframes() == before - held, "%u free, not %u",
			freeframes(), before - held);
		if (s % 2000 == 0)
			check_mm();
	}
	for (struct block *b = blocks; b < blocks + NBLOCK; b++)
		if (b->p)
			give(b);
	check(freeframes() == before, "%u free, not %u", freeframes(), before);
	check_mm();
}

/* Users are refused while the kernel still gets some. */
static void
reserve_for_kernel(void)
{
	struct page *list = 0, *pg;
	uint n = 0;

	boot(RAM);
	before = freeframes();
	while ((pg = allocpage(oneof(2) ? PG_ANON : PG_CACHED)) != 0) {
		pg->next = list;
		list = pg;
	}
	check(freeframes() >= 32 && freeframes() <= 128, "%u left", freeframes());
	while ((pg = allocpage(PG_KMEM)) != 0) {
		pg->next = list;
		list = pg;
		n++;
	}
	check(n >= 32, "only %u for the kernel", n);
	check(freeframes() == 0, "%u unreachable", freeframes());
	for (; list; list = pg) {
		pg = list->next;
		putpage(list);
	}
	check(freeframes() == before, "%u of %u", freeframes(), before);
	check_mm();
}

/* Files take all the low memory that they get, and there is high memory left:
 * the kernel, which can only use low memory, still gets some. */
static void
low_reserve(void)
{
	uint n = 0;

	boot(24 << 20);
	while (allocpage(PG_CACHED))
		;
	check(freeframes() > 1024, "no high memory left, %u", freeframes());
	while (kalloc())
		n++;
	check(n >= 32, "only %u for the kernel", n);
}

/* Take all, free in random order: large blocks are there again. */
static void
exhausted_then_joined(void)
{
	static void *all[RAM >> PGSHIFT];
	uint n = 0, big = 0;
	void *p, *list = 0;

	boot(RAM);
	while ((p = kalloc()) != 0)
		all[n++] = p;
	check(kallocs(0) == 0 && kallocs(3) == 0 && slaballoc(slabcreate("none",
		64, 8)) == 0, "something from nothing");
	for (uint i = n; i > 1; i--) {
		uint j = rnd(i);

		p = all[i - 1];
		all[i - 1] = all[j];
		all[j] = p;
	}
	for (uint i = 0; i < n; i++)
		kfree(all[i]);
	check_mm();
	while ((p = kallocs(4)) != 0) { /* 64 KiB */
		*(void **)p = list;
		list = p;
		big++;
	}
	/* the CPU's own list keeps up to 32 frames, each in another block */
	check(big >= (n >> 4) - 32 - 8, "%u blocks of 64 KiB", big);
	for (; list; list = p) {
		p = *(void **)list;
		kfrees(list, 4);
	}
	check_mm();
}

/* A boot module is nobody's until kfreerange(). */
static void
module_freed(void)
{
	bootinfo.nmodule = 1;
	bootinfo.module[0].start = 0x500800;
	bootinfo.module[0].end = 0x580900;
	boot(RAM);
	check_mm();
	check(pagecount(PG_MODULE) == 0x81, "%u", pagecount(PG_MODULE));
	before = freeframes();
	kfreerange(0x500800, 0x580900);
	check(freeframes() == before + 0x7f, "%u", freeframes() - before);
	check_mm();
}

/* Kernel stacks: distinct, with a hole below; gone again but for a few. */
static void
stacks_come_back(void)
{
	static char *stack[600];
	uint n = 0, base;

	boot(RAM);
	base = freeframes();
	for (; n < NELEM(stack); n++) {
		stack[n] = kstackalloc();
		check(stack[n] != 0, "stack %u", n);
		check(kvmreadable((uint)stack[n], KSTACKPAGES * PGSIZE) &&
			!kvmreadable((uint)stack[n] - PGSIZE, 1) &&
			!kvmreadable((uint)stack[n] + KSTACKPAGES * PGSIZE, 1),
			"%p has no guard page", stack[n]);
	}
	failnext = 2;
	check(kstackalloc() == 0, "a stack without memory");
	failnext = 0;
	check_mm();
	while (n > 0)
		kstackfree(stack[--n]);
	check(base - freeframes() < 8 * KSTACKPAGES + 4, "%u lost",
		base - freeframes());
	check_mm();
}
