/* disk.c - the disk under a page cache: what it is asked for ends later, in any
 * order, with errors on demand; and tests of what goes to it and comes. */
#include "unit.h"

#define NQUEUE 40
#define ONCE   2 /* there was no room: it may be written once, as it may be a hole */

static struct move {
	struct pcio *io;
	uint8_t *data; /* as it was when it began; 0: as it is when it ends */
} queue[NQUEUE];
static uint nqueued, mostqueued;

int failread, failwrite, failroom;
static uint badpage; /* it cannot be read */
static int lazy;     /* nothing ends before it is waited for */

static void diskio(struct pcio *);
static int diskreserve(struct pcache *, uint64_t from, uint64_t to);
static void diskdirtied(struct pcache *);
static void copy(struct pcio *, uint8_t *data, int tomem);
static int due(int *countdown);

const struct pcacheops diskops = {.io = diskio, .reserve = diskreserve,
	.dirtied = diskdirtied};

void
disknew(struct disk *d, uint n)
{
	memset(d, 0, sizeof(*d));
	d->npages = n;
	d->byte = hostalloc(n * PGSIZE);
	d->room = hostalloc(n);
	nqueued = mostqueued = 0;
}

/* The file has so many pages: what was behind belongs to nobody. */
void
diskcut(struct disk *d, uint n)
{
	memset(d->byte + n * PGSIZE, 0, (d->npages - n) * PGSIZE);
	memset(d->room + n, 0, d->npages - n);
}

static void
diskio(struct pcio *io)
{
	struct disk *d = pcachehost(io->pc);
	struct move m = {io, 0};

	assert(mycpu()->ncli == 0);
	check(io->n > 0 && io->n <= PCIOMAX && io->index + io->n <= d->npages,
		"%u pages from %u", io->n, io->index);
	*(io->write ? &d->writes : &d->reads) += 1;
	*(io->write ? &d->nwrite : &d->nread) += io->n;
	for (uint i = 0; io->write && i < io->n; i++) {
		check(d->room[io->index + i], "page %u was not asked room for",
			io->index + i);
		d->room[io->index + i] &= ~ONCE;
	}
	if (oneof(2)) {
		m.data = hostalloc(io->n * PGSIZE);
		copy(io, m.data, 0);
	}
	while (nqueued == NQUEUE)
		diskstep();
	queue[nqueued++] = m;
	mostqueued = MAX(mostqueued, nqueued);
	if (!lazy && oneof(3))
		diskstep();
}

/* Between the memory or the disk, where the bytes come from, and data; or with
 * data 0 between the two. */
static void
copy(struct pcio *io, uint8_t *data, int end)
{
	struct disk *d = pcachehost(io->pc);
	uint64_t size = pcachesize(io->pc), off;

	for (uint i = 0; i < io->n; i++) {
		off = (uint64_t)(io->index + i) << PGSHIFT;
		uint8_t *mem = ram(io->pa[i]), *disk = d->byte + off;
		uint8_t *from = io->write ? mem : disk;
		uint8_t *to = io->write ? disk : mem;

		if (data && end)
			from = data + i * PGSIZE;
		else if (data)
			to = data + i * PGSIZE;
		memcpy(to, from, PGSIZE);
		if (end && !io->write && off + PGSIZE > size)
			memset(mem + (off < size ? size - off : 0), 0,
				PGSIZE - (off < size ? size - off : 0));
	}
}

static int
due(int *countdown)
{
	return *countdown > 0 && --*countdown == 0;
}

int
diskstep(void)
{
	struct move m;
	uint i;

	if (nqueued == 0)
		return 0;
	i = rnd(nqueued);
	m = queue[i];
	queue[i] = queue[--nqueued];
	if (due(m.io->write ? &failwrite : &failread) ||
		(badpage && badpage - m.io->index < m.io->n))
		m.io->err = -EIO;
	else
		copy(m.io, m.data, 1);
	hostfree(m.data);
	pciodone(m.io);
	return 1;
}

static int
diskreserve(struct pcache *pc, uint64_t from, uint64_t to)
{
	struct disk *d = pcachehost(pc);

	assert(mycpu()->ncli == 0 && from < to);
	if (due(&failroom)) {
		if (d->room[from >> PGSHIFT] == 0)
			d->room[from >> PGSHIFT] = ONCE;
		return -ENOSPC;
	}
	for (uint i = from >> PGSHIFT; i <= (to - 1) >> PGSHIFT; i++)
		d->room[i] = 1;
	return 0;
}

static void
diskdirtied(struct pcache *pc)
{
	struct disk *d = pcachehost(pc);

	assert(mycpu()->ncli == 0);
	d->dirtied = 1;
}

/* The tests. */

static struct disk d;
static struct pcache *pc;
static struct readahead ra;
static uint8_t *buf;

static void
start(uint ramsize, uint n)
{
	boot(ramsize);
	disknew(&d, n);
	for (uint i = 0; i < n * PGSIZE / 4; i++)
		((uint *)d.byte)[i] = i;
	buf = hostalloc(64 * PGSIZE);
	memset(&ra, 0, sizeof(ra));
	pc = pcachenew(&d, &diskops);
	check(pc && pcachetruncate(pc, (uint64_t)n << PGSHIFT) == 0, "no file");
}

static int
readat(uint off, uint n)
{
	struct uio u = {(uint)buf, n, 1};

	return pcacheread(pc, &u, off, &ra);
}

static int
writeat(uint off, uint n)
{
	struct uio u = {(uint)buf, n, 1};

	return pcachewrite(pc, &u, off);
}

static void
finish(void)
{
	while (diskstep())
		;
	check_mm();
	pcachefree(pc);
	check_mm();
}

/* 4 KiB at a time from the front: windows of 4, 8, 16, 32, 32 ... pages, each
 * begun before the one in front is used up. */
static void
sequential(void)
{
	start(16 << 20, 256);
	for (uint i = 0; i < 256; i++) {
		check(readat(i * PGSIZE, PGSIZE) == PGSIZE, "page %u", i);
		check(memcmp(buf, d.byte + i * PGSIZE, PGSIZE) == 0, "bytes");
		check(d.nread > i, "page %u was not read", i);
		if (i > 4 && i < 200)
			check(d.nread > i + 1, "nothing is read ahead at %u", i);
	}
	check(d.nread == 256, "%u pages were read", d.nread);
	check(d.reads <= 12, "%u reads", d.reads);
	finish();
}

/* Who is faster than the disk waits while it has three windows to read; of
 * those behind the one that he is in, two are on their way. */
static void
two_ahead(void)
{
	start(16 << 20, 256);
	lazy = 1;
	for (uint i = 0; i < 256; i += 16) {
		check(readat(i * PGSIZE, 16 * PGSIZE) == 16 * PGSIZE, "%u", i);
		check(i < 32 || i > 160 || d.nread >= i + 16 + 2 * PCIOMAX,
			"%u pages were begun at %u", d.nread, i);
	}
	check(mostqueued == 3, "%u windows at once", mostqueued);
	check(d.nread == 256 && d.reads <= 12, "%u, %u", d.nread, d.reads);
	lazy = 0;
	finish();
}

/* Here and there: what is asked for and nothing else. */
static void
randomly(void)
{
	start(16 << 20, 256);
	check(readat(100 * PGSIZE + 5, 10) == 10 && d.nread == 1, "%u", d.nread);
	check(readat(50 * PGSIZE, 8 * PGSIZE) == 8 * PGSIZE && d.nread == 9 &&
		d.reads == 2, "%u pages, %u reads", d.nread, d.reads);
	ra.mode = RA_RANDOM;
	check(readat(0, PGSIZE) == PGSIZE && d.nread == 10, "%u", d.nread);
	check(readat(PGSIZE, PGSIZE) == PGSIZE && d.nread == 11, "%u", d.nread);
	finish();
}

/* A whole page is never read before it is written, a part of one is once. */
static void
no_needless_reads(void)
{
	start(16 << 20, 64);
	memset(buf, 'x', 64 * PGSIZE);
	check(writeat(0, 10 * PGSIZE) == 10 * PGSIZE && d.nread == 0, "%u",
		d.nread);
	check(writeat(20 * PGSIZE + 1, 10) == 10 && d.nread == 1, "%u", d.nread);
	check(writeat(20 * PGSIZE + 100, 10) == 10 && d.nread == 1, "%u",
		d.nread);
	check(writeat(30 * PGSIZE, 5 * PGSIZE + 1) == 5 * PGSIZE + 1 &&
		d.nread == 2, "%u", d.nread);
	check(pcachedirty(pc) == 17 && ndirty == 17, "%u dirty", ndirty);
	check(pcachewriteback(pc, 0, ~0ull, 1) == 0 && d.nwrite == 17 &&
		d.writes == 3, "%u pages in %u", d.nwrite, d.writes);
	check(d.byte[9 * PGSIZE + 9] == 'x' && d.byte[20 * PGSIZE + 1] == 'x' &&
		d.byte[20 * PGSIZE] != 'x', "bytes");
	finish();
}

/* A copy from the user that fails half way keeps the old bytes. */
static void
fault_keeps_old_bytes(void)
{
	struct uio u;

	start(16 << 20, 8);
	memset(buf, 'x', PGSIZE);
	userend = (uint)buf + 100;
	u = (struct uio){(uint)buf, PGSIZE, 0};
	check(pcachewrite(pc, &u, 2 * PGSIZE) == 100, "not 100");
	userend = ~0u;
	check(readat(2 * PGSIZE, PGSIZE) == PGSIZE && buf[99] == 'x' &&
		memcmp(buf + 100, d.byte + 2 * PGSIZE + 100, PGSIZE - 100) == 0,
		"bytes");
	finish();
}

/* A shared mapping shows the file's own pages, also when it is read first and
 * written then, and again when they have been written back. */
static void
stores_reach_the_file(void)
{
	uint va = 0x10200000, v = 0;
	struct file *f;
	struct uvm *u;

	start(16 << 20, 8);
	f = filenew(pc, O_RDWR);
	u = newuvm();
	check(u && kmmap(u, va, 4 * PGSIZE, 3, MAP_SHARED | MAP_FIXED, f, 0) > 0,
		"mmap");
	for (uint i = 1; i < 4; i++) {
		check(uvmread(u, va + PGSIZE, &v, 4) == 0 && v != i, "read %u",
			v);
		check(uvmwrite(u, va + PGSIZE, &i, 4) == 0, "write");
		check(readat(PGSIZE, 4) == 4 && *(uint *)buf == i, "%u in the file",
			*(uint *)buf);
		check(pcachewriteback(pc, 0, 8 * PGSIZE, 1) == 0, "write back");
		check(((uint *)d.byte)[PGSIZE / 4] == i, "on the disk");
	}
	freeuvm(u);
	fileclose(f);
	finish();
}

/* An error of the disk: the reader gets it, the page is not kept, the others of
 * its run are had all the same. */
static void
read_errors(void)
{
	start(16 << 20, 64);
	failread = 1;
	check(readat(0, PGSIZE) == PGSIZE, "only the run failed");
	ra.mode = RA_RANDOM;
	failread = 1;
	check(readat(40 * PGSIZE, PGSIZE) == PGSIZE, "tried alone");
	badpage = 9;
	check(readat(9 * PGSIZE, PGSIZE) == -EIO, "the bad page");
	check(!pcachecached(pc, 9), "kept");
	ra.mode = RA_NORMAL;
	check(readat(8 * PGSIZE, 4 * PGSIZE) == PGSIZE, "up to the bad page");
	check(readat(10 * PGSIZE, PGSIZE) == PGSIZE, "behind it");
	badpage = 0;
	check(readat(9 * PGSIZE, PGSIZE) == PGSIZE, "good again");
	finish();
}

/* A write that fails is told to everybody once, and then forgotten. */
static void
write_errors(void)
{
	uint one = 0, two = 0, three;

	start(16 << 20, 64);
	check(writeat(0, 4 * PGSIZE) == 4 * PGSIZE, "write");
	failwrite = 1;
	check(pcachewriteback(pc, 0, ~0ull, 1) == -EIO, "no error");
	check(pcachedirty(pc) == 0 && nwriteback == 0, "dirty");
	check(pcacheerror(pc, &one) == -EIO && pcacheerror(pc, &one) == 0, "one");
	check(pcacheerror(pc, &two) == -EIO && pcacheerror(pc, &two) == 0, "two");
	three = one;
	check(pcacheerror(pc, &three) == 0, "three");
	check(pcachewriteback(pc, 0, ~0ull, 1) == 0, "again");
	finish();
}

/* A file larger than memory is read, while a program wants memory. */
static void
larger_than_memory(void)
{
	struct page *pg, *list = 0;
	uint n = 0;

	start(8 << 20, 4096);
	for (uint i = 0; i < 4096; i += 16) {
		check(readat(i * PGSIZE, 16 * PGSIZE) == 16 * PGSIZE, "at %u", i);
		check(memcmp(buf, d.byte + i * PGSIZE, 16 * PGSIZE) == 0, "bytes");
		if (i % 64 == 0 && n < 500 && (pg = allocanon())) {
			pg->next = list;
			list = pg;
			n++;
		}
	}
	check(n == 64, "%u pages for the program", n);
	for (n = 0; (pg = allocanon()); n++) {
		pg->next = list;
		list = pg;
	}
	check(pcachepages(pc) == 0, "%u pages are kept", pcachepages(pc));
	while ((pg = list)) {
		list = pg->next;
		putpage(pg);
	}
	finish();
}

/* So do small objects. */
static void
objects_take_memory(void)
{
	void **list = 0, **o;
	uint n;

	start(8 << 20, 4096);
	for (uint i = 0; i < 4096; i += 16)
		check(readat(i * PGSIZE, 16 * PGSIZE) == 16 * PGSIZE, "at %u", i);
	n = pcachepages(pc) + freeframes();
	for (; (o = kmalloc(2048)); list = o) {
		*o = list;
		n -= n > 0 && (uint)o % PGSIZE == 0;
	}
	check(pcachepages(pc) == 0 && n < 64, "%u pages are kept, %u of %u",
		pcachepages(pc), n, freeframes());
	while ((o = list)) {
		list = *o;
		kmfree(o);
	}
	finish();
}

/* What is read again and again stays, what is read once goes. */
static void
used_pages_stay(void)
{
	start(8 << 20, 4096);
	for (uint i = 16; i < 4096; i += 16) {
		check(readat(0, 16 * PGSIZE) == 16 * PGSIZE, "the first");
		check(readat(i * PGSIZE, 16 * PGSIZE) == 16 * PGSIZE, "at %u", i);
	}
	check(d.nread < 4096 + 1, "%u pages were read", d.nread);
	finish();
}

/* 40 % dirty and no more, without a flusher. */
static void
throttled(void)
{
	start(8 << 20, 4096);
	for (uint i = 0; i < 4096; i += 16) {
		check(writeat(i * PGSIZE, 16 * PGSIZE) == 16 * PGSIZE, "%u", i);
		check(ndirty + nwriteback <= (8 << 20) / PGSIZE / 2, "%u dirty",
			ndirty);
	}
	check(pcachewriteback(pc, 0, ~0ull, 1) == 0 && d.nwrite == 4096, "%u",
		d.nwrite);
	finish();
}

/* The size above 4 GiB; only the last page is read. */
static void
far_end(void)
{
	start(16 << 20, 8);
	check(pcachetruncate(pc, (5ull << 30) + 7) == 0, "size");
	check(pcachesize(pc) == (5ull << 30) + 7, "size");
	check(pcachetruncate(pc, 8 * PGSIZE) == 0, "back");
	finish();
}

/* A page that somebody else has brought meanwhile is there, though the window
 * around it goes beyond the end. */
static void
there_near_end(void)
{
	struct page *pg;
	int err;

	start(8 << 20, 6);
	check(pcacheget(pc, 3, 0, &pg) >= 0, "page 3");
	err = readmissing(pc, 3, &ra, 0, &pg);
	check(err == -EEXIST, "%d", err);
	err = readmissing(pc, 6, &ra, 0, &pg);
	check(err == -EIO, "%d", err);
	pg = 0;
	check(pcacheget(pc, 3, 0, &pg) >= 0, "page 3");
	putpage(pg);
	putpage(pg);
	finish();
}

const struct test disktests[] = {
	{sequential, "disk_sequential"},
	{two_ahead, "disk_two_ahead"},
	{randomly, "disk_randomly"},
	{no_needless_reads, "disk_no_needless_reads"},
	{fault_keeps_old_bytes, "disk_fault_keeps_old_bytes"},
	{stores_reach_the_file, "disk_stores_reach_the_file"},
	{read_errors, "disk_read_errors"},
	{write_errors, "disk_write_errors"},
	{larger_than_memory, "disk_larger_than_memory"},
	{objects_take_memory, "disk_objects_take_memory"},
	{used_pages_stay, "disk_used_pages_stay"},
	{throttled, "disk_throttled"},
	{far_end, "disk_far_end"},
	{there_near_end, "disk_there_near_end"},
	{0, 0},
};
