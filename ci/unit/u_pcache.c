/* u_pcache.c - files' pages against plain arrays of bytes. */
#include "unit.h"

#define MAXSIZE (300u * PGSIZE)

static struct model {
	struct disk disk; /* its host */
	struct pcache *pc;
	struct readahead ra;
	uint8_t byte[MAXSIZE];
	uint size;
} *models;

static uint8_t *buf; /* 80 pages of "user" memory */

static int note(struct page *, void *);
static void doread(struct model *);
static void dowrite(struct model *);
static void dotruncate(struct model *);
static void doget(struct model *);
static void doseek(struct model *);
static void dosync(struct model *);
static void dodrop(struct model *);
static void dostep(struct model *);
static void random_memory(void);
static void random_disk(void);
static void randomly(const struct pcacheops *);
static void sparse_far_apart(void);
static void seek_at_and_beyond_end(void);
static void write_fails_size_stays(void);
static void two_make_one_page(void);
static void too_large(void);

const struct test pcachetests[] = {
	{sparse_far_apart, "pcache_sparse_far_apart"},
	{seek_at_and_beyond_end, "pcache_seek_at_and_beyond_end"},
	{write_fails_size_stays, "pcache_write_fails_size_stays"},
	{two_make_one_page, "pcache_two_make_one_page"},
	{too_large, "pcache_too_large"},
	{random_memory, "pcache_random_memory"},
	{random_disk, "pcache_random_disk"},
	{0, 0},
};

static struct uio
user(uint at, uint n)
{
	return (struct uio){.addr = (uint)buf + at, .n = n,
		.kernel = userend == ~0u && oneof(3)};
}

static void
random_memory(void)
{
	randomly(0);
}

static void
random_disk(void)
{
	randomly(&diskops);
}

static void
randomly(const struct pcacheops *ops)
{
	uint before;

	boot(16 << 20);
	buf = hostalloc(80 * PGSIZE);
	models = hostalloc(2 * sizeof(*models));
	before = freeframes();
	for (int i = 0; i < 2; i++) {
		models[i].pc = pcachenew(&models[i], ops);
		check(models[i].pc != 0, "no cache");
		if (ops == 0)
			continue;
		disknew(&models[i].disk, MAXSIZE / PGSIZE);
		models[i].size = 100 * PGSIZE + 99;
		pcachetruncate(models[i].pc, models[i].size);
		for (uint j = 0; j < models[i].size; j++)
			models[i].disk.byte[j] = models[i].byte[j] = rnd(256);
	}
	for (uint s = 0; s < (steps ? steps : 12000); s++) {
		struct model *m = &models[rnd(2)];
		static void (*const op[])(struct model *) = {doread, doread,
			doread, dowrite, dowrite, dowrite, doget, doseek,
			dotruncate, dosync, dodrop, dostep, dostep};

		op[rnd(NELEM(op))](m);
		check(pcachedirty(m->pc) == 0 || m->disk.dirtied, "dirtied()");
		check(pcachesize(m->pc) == m->size, "size %u, not %u",
			(uint)pcachesize(m->pc), m->size);
		if (s % 1000 == 0)
			check_mm();
	}
	for (int i = 0; i < 2; i++)
		pcachefree(models[i].pc);
	check(!diskstep(), "gone with pages on their way");
	check(freeframes() == before, "%u free, not %u", freeframes(), before);
	check_mm();
}

static void
doread(struct model *m)
{
	uint off = rnd(MAXSIZE), n = rnd(oneof(4) ? 30000 : 5000), want, got, end;
	struct uio u;
	int r, injected;

	if (oneof(2))
		off = MIN(m->ra.next * PGSIZE, MAXSIZE - 1);

	if (oneof(6))
		userend = (uint)buf + rnd(n + 1);
	if (oneof(8))
		failnext = 1 + rnd(3);
	if (oneof(8))
		failread = 1 + rnd(2);
	if (oneof(9))
		m->ra.mode = rnd(3);
	injected = failnext || failread;
	u = user(0, n);
	want = off < m->size ? MIN(n, m->size - off) : 0;
	end = MIN(n, userend - (uint)buf);
	memset(buf, 0xEE, n);
	r = pcacheread(m->pc, &u, off, oneof(4) ? 0 : &m->ra);
	got = r < 0 ? 0 : r;
	check(got == n - u.n || r < 0, "%d, moved %u", r, n - u.n);
	check(got <= want && got <= end, "%u of %u", got, want);
	if (r < 0)
		check(want > 0 && u.n == n && (r == -EFAULT || r == -EIO ||
			r == -ENOMEM), "%d", r);
	else if (userend == ~0u && !injected)
		check(got == want, "%u, not %u", got, want);
	for (uint i = 0; i < got; i++)
		check(buf[i] == m->byte[off + i], "byte %x of %x+%x: %x not %x",
			i, off, n, buf[i], m->byte[off + i]);
	for (uint i = MIN(want, end); i < n; i++)
		check(buf[i] == 0xEE, "too much");
	userend = ~0u;
	failnext = failread = 0;
}

static void
dowrite(struct model *m)
{
	uint off = rnd(oneof(3) ? MAXSIZE - 40000 : 200000);
	uint n = rnd(oneof(4) ? 30000 : 5000), fail0 = nfailed, got, old = m->size;
	struct uio u;
	int r, injected;

	if (oneof(6))
		userend = (uint)buf + rnd(n + 1);
	if (oneof(6))
		failnext = 1 + rnd(4);
	if (oneof(6))
		failread = 1 + rnd(2);
	if (oneof(6))
		failroom = 1 + rnd(3);
	injected = failnext || failread || failroom;
	u = user(0, n);
	for (uint i = 0; i < n; i++)
		buf[i] = rnd(256);
	r = pcachewrite(m->pc, &u, off);
	got = r < 0 ? 0 : r;
	check(r < 0 || got == n - u.n, "%d, moved %u", r, n - u.n);
	if (userend == ~0u && !injected)
		check(got == n, "%d of %u", r, n);
	if (r < 0)
		check((r == -EFAULT && userend != ~0u) ||
			(r == -ENOMEM && nfailed != fail0) ||
			((r == -EIO || r == -ENOSPC) && injected), "%d", r);
	if (got && off + got > old)
		m->size = off + got; /* what lies between is zero */
	memcpy(m->byte + off, buf, got);
	userend = ~0u;
	failnext = failread = failroom = 0;
}

/* Half the time near the end, so that pages are cut. */
static void
dotruncate(struct model *m)
{
	uint size = oneof(2) ? rnd(MAXSIZE) : rnd(m->size + 5000);
	int r, injected;

	if (size > MAXSIZE || !oneof(3))
		return;
	if (oneof(3))
		failread = 1;
	r = pcachetruncate(m->pc, size);
	injected = failread == 0; /* it came to that */
	failread = 0;
	check(r == 0 || (r == -EIO && size > m->size && injected), "to %u: %d",
		size, r);
	if (r < 0)
		return;
	if (size < m->size) {
		memset(m->byte + size, 0, m->size - size);
		if (m->pc->ops) /* its blocks are free; half of one is not */
			diskcut(&m->disk, PGROUNDUP(size) / PGSIZE);
	}
	m->size = size;
}

/* All dirty pages to the disk: then it has the bytes. */
static void
dosync(struct model *m)
{
	uint64_t from = rnd(m->size + 1), to = from + rnd(100000);
	int wait = rnd(2);

	if (!oneof(4))
		return;
	if (oneof(2)) {
		from = 0;
		to = ~0ull;
		m->disk.dirtied = 0;
	}
	failnext = rnd(3); /* there is always enough to write */
	check(pcachewriteback(m->pc, from, to, wait) == 0, "error");
	failnext = 0;
	if (!wait || !m->pc->ops)
		return;
	to = MIN(to, m->size);
	for (uint i = from; i < to; i++)
		check(m->disk.byte[i] == m->byte[i], "byte %x of the disk: %x, "
			"not %x", i, m->disk.byte[i], m->byte[i]);
	check(from || m->pc->ndirty + m->pc->nwriteback == 0, "dirty still");
}

/* Cached pages go. */
static void
dodrop(struct model *m)
{
	uint from = rnd(m->size + 1);

	switch (rnd(4)) {
	case 0:
		if (oneof(4))
			dropcaches(1);
		return;
	case 1:
		reclaim(rnd(30));
		return;
	case 2:
		pcachedrop(m->pc, from, from + rnd(200000));
		return;
	default:
		pcacheahead(m->pc, from, from + rnd(200000));
	}
}

static void
dostep(struct model *m)
{
	(void)m;
	diskstep();
}

/* A page as a fault gets it; a mapping may write to it. */
static void
doget(struct model *m)
{
	uint i = rnd(MAXSIZE / PGSIZE), fail0 = nfailed, at, n;
	struct page *pg = 0;
	int r, injected;

	if (oneof(4))
		failnext = 1 + rnd(3);
	if (oneof(4))
		failread = 1 + rnd(3);
	injected = failread;
	r = pcacheget(m->pc, i, oneof(2) ? &m->ra : 0, &pg);
	failnext = failread = 0;
	if (i * PGSIZE >= m->size) {
		check(r == -EIO, "beyond the end: %d", r);
		return;
	}
	if (r < 0) {
		check((r == -ENOMEM && nfailed > fail0) ||
			(r == -EIO && injected && m->pc->ops), "%d", r);
		return;
	}
	check(r == 0 || m->pc->ops, "waited for nothing");
	check(pg->pcache == m->pc && pg->index == i && pg->ref == 2,
		"page %u, %d references", pg->index, pg->ref);
	n = MIN(PGSIZE, m->size - i * PGSIZE);
	check(memcmp(pagekva(pg), m->byte + i * PGSIZE, n) == 0,
		"page %u differs", i);
	if (oneof(2) && pcachemkwrite(m->pc, i, pg) == 0) {
		at = rnd(m->pc->ops ? PGSIZE : n); /* behind the end, too */
		((uint8_t *)pagekva(pg))[at] = r = rnd(256);
		if (at < n)
			m->byte[i * PGSIZE + at] = r;
	}
	putpage(pg);
}

static uint8_t cached[MAXSIZE / PGSIZE];

static int
note(struct page *pg, void *arg)
{
	check(pg->index < NELEM(cached) && !cached[pg->index], "twice");
	cached[pg->index] = 1;
	++*(uint *)arg;
	return 0;
}

/* SEEK_DATA and SEEK_HOLE by looking at every byte's page. */
static void
doseek(struct model *m)
{
	uint off = rnd(m->size + 9000), want, n = 0;
	int hole = rnd(2);
	int64_t r = pcacheseek(m->pc, off, hole);

	memset(cached, 0, sizeof(cached));
	pcacheeach(m->pc, note, &n);
	check(n == pcachepages(m->pc), "%u pages, not %u", pcachepages(m->pc), n);
	if (m->pc->ops)
		return; /* only who knows the disk can tell */
	for (want = off; want < m->size && cached[want / PGSIZE] == hole; want++)
		;
	if (off >= m->size || (want >= m->size && !hole))
		check(r == -ENXIO, "from %u of %u, hole %d: %d", off, m->size,
			hole, (int)r);
	else
		check(r == want, "from %u of %u, hole %d: %d, not %u", off,
			m->size, hole, (int)r, want);
}

static struct pcache *racing;
static struct page *first;

static void
getfirst(void)
{
	allochook = 0;
	check(pcacheget(racing, 7, 0, &first) >= 0, "the faster");
}

/* Two make the same page at once: the second takes the first's. */
static void
two_make_one_page(void)
{
	struct page *pg;

	boot(8 << 20);
	racing = pcachenew(0, 0);
	pcachetruncate(racing, 10 * PGSIZE);
	allochook = getfirst;
	check(pcacheget(racing, 7, 0, &pg) >= 0, "the slower");
	check(pg == first && pg->ref == 3 && pcachepages(racing) == 1,
		"%u pages", pcachepages(racing));
	putpage(pg);
	putpage(pg);
	check_mm();
	pcachefree(racing);
	check_mm();
}

/* Pages at every height of the tree, one at a time and all together. */
static void
sparse_far_apart(void)
{
	static const uint index[] = {0, 1, 15, 16, 255, 256, 4095, 4096, 65535,
		65536, 1048575, 1048576, 16777215};
	struct pcache *pc;
	struct page *pg;
	uint before;

	boot(8 << 20);
	before = freeframes();
	for (uint i = 0; i < NELEM(index); i++)
		for (int n = 1; n < 10; n++) { /* each allocation fails once */
			pc = pcachenew(0, 0);
			check(pcachetruncate(pc, 1ull << 36) == 0, "64 GiB");
			failnext = n;
			pcacheget(pc, index[i], 0, &pg) == 0 ? putpage(pg) : (void)0;
			failnext = 0;
			check_mm();
			check(pcacheget(pc, index[i], 0, &pg) == 0, "%u", index[i]);
			putpage(pg);
			check(pcachepages(pc) == 1, "%u", pcachepages(pc));
			pcachefree(pc);
			check(freeframes() == before, "page %u lost memory when "
				"allocation %d failed", index[i], n);
		}
	pc = pcachenew(0, 0);
	pcachetruncate(pc, 1ull << 36);
	for (uint i = 0; i < NELEM(index); i++) {
		check(pcacheget(pc, index[i], 0, &pg) == 0, "%u", index[i]);
		*(uint *)pagekva(pg) = index[i];
		putpage(pg);
	}
	for (uint i = NELEM(index); i-- > 0;) {
		check(pcacheget(pc, index[i], 0, &pg) == 0 &&
			*(uint *)pagekva(pg) == index[i], "%u", index[i]);
		putpage(pg);
		check(pcachepages(pc) == i + 1, "%u", pcachepages(pc));
		pcachetruncate(pc, (uint64_t)index[i] << PGSHIFT);
	}
	pcachefree(pc);
	check(freeframes() == before, "lost %u", before - freeframes());
}

static void
seek_at_and_beyond_end(void)
{
	struct pcache *pc;

	boot(8 << 20);
	pc = pcachenew(0, 0);
	check(pcacheseek(pc, 0, 1) == -ENXIO, "empty file, hole");
	check(pcacheseek(pc, 0, 0) == -ENXIO, "empty file, data");
	pcachetruncate(pc, 100);
	check(pcacheseek(pc, 0, 1) == 0, "all hole");
	check(pcacheseek(pc, 99, 1) == 99, "all hole");
	check(pcacheseek(pc, 0, 0) == -ENXIO, "no data");
	check(pcacheseek(pc, 100, 1) == -ENXIO, "at the end");
	check(pcacheseek(pc, 200, 1) == -ENXIO, "beyond the end");
	pcachefree(pc);
}

/* A write of which nothing arrives leaves the size, and no page beyond it. */
static void
write_fails_size_stays(void)
{
	struct pcache *pc;
	struct uio u = {.addr = PGSIZE, .n = 100};

	boot(8 << 20);
	buf = hostalloc(PGSIZE);
	pc = pcachenew(0, 0);
	pcachetruncate(pc, 10);
	userend = 0;
	check(pcachewrite(pc, &u, 5 * PGSIZE) == -EFAULT, "no user memory");
	check(pcachesize(pc) == 10 && pcachepages(pc) == 0, "size %u, %u pages",
		(uint)pcachesize(pc), pcachepages(pc));
	userend = (uint)buf + 30; /* 30 of 100 bytes */
	u = (struct uio){.addr = (uint)buf, .n = 100};
	check(pcachewrite(pc, &u, 5 * PGSIZE) == 30, "partly");
	check(pcachesize(pc) == 5 * PGSIZE + 30, "size %u",
		(uint)pcachesize(pc));
	pcachefree(pc);
	check_mm();
}

static void
too_large(void)
{
	struct pcache *pc;
	struct uio u = {.n = 4, .kernel = 1};

	boot(8 << 20);
	pc = pcachenew(0, 0);
	u.addr = (uint)&u;
	check(pcachetruncate(pc, (1ull << 36) + 1) == -EFBIG, "size");
	check(pcachewrite(pc, &u, 1ull << 36) == -EFBIG, "offset");
	check(pcachewrite(pc, &u, 1ull << 62) == -EFBIG, "far");
	check(pcachesize(pc) == 0, "changed");
	pcachefree(pc);
}
