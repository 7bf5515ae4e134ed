/* u_blkq.c - queues of requests over a driver that answers late, in any order,
 * with errors, or not at all. */
#include "unit.h"
#include "arch/multiboot.h"
#include "kern/blk/blkq.h"
#include "kern/proc.h"
#include "kern/lib/string.h"
#include <stdlib.h>
#include <string.h>

static int64_t instant, due; /* the clock; when the timer is set for, or 0 */
static char line[200]; /* the last line printed */

/* What blkq.c calls elsewhere. */
#define nowns()             instant
#define timerset(t, d, f, a) ((void)(t), (void)(f), (void)(a), due = (d))
#define kthread(n, f, a)    ((f) != 0)
#define bootarg(k, b, n)    ((void)(b), -1)
#define printf(...)         ((void)snprintf(line, sizeof(line), __VA_ARGS__))
#include "kern/blk/blkq.c"
#undef printf

#define NSECT 8192
#define NBIO  120
#define SECOND 1000000000ll

static uint disk[NSECT];      /* a word for each sector */
static uint8_t bad[NSECT];    /* it fails */
static uint8_t busy[NSECT];   /* a bio has it */

static struct try {
	struct bio b;
	int on, over;
	uint first; /* of the words written */
} tries[NBIO];

static struct blkq q;
static struct blkdev dev, part;
static uint nrunning, nstarted, nkicked, nreset, lastbios;
static int resetfails, askreset; /* errors are told by blkfail() */
static char *memory; /* 64 sectors for each bio */

static void fakestart(struct blkq *, struct blkreq *r);
static void fakekick(struct blkq *);
static void fakereset(struct blkq *);
static void setup(uint depth, int ntries);
static int submit(struct blkdev *to, int op, uint sector, uint n, uint vecs);
static void biodone(struct bio *b, int err);
static struct blkreq *running(uint n);
static int answer(struct blkreq *r);
static void timeup(void);
static void drain(void);
static void random_requests(void);
static void random_resets(void);
static void randomly(void);
static void neighbours_are_merged(void);
static void one_way_then_over(void);
static void late_goes_first(void);
static void limits_of_a_request(void);
static void bad_sector_costs_no_neighbour(void);
static void no_answer_reset_then_error(void);
static void others_fault_costs_no_try(void);
static void gone_fails_all(void);
static void partition_ends(void);

const struct test blkqtests[] = {
	{random_requests, "blkq_random_requests"},
	{random_resets, "blkq_random_resets"},
	{neighbours_are_merged, "blkq_neighbours_are_merged"},
	{one_way_then_over, "blkq_one_way_then_over"},
	{late_goes_first, "blkq_late_goes_first"},
	{limits_of_a_request, "blkq_limits_of_a_request"},
	{bad_sector_costs_no_neighbour, "blkq_bad_sector_costs_no_neighbour"},
	{no_answer_reset_then_error, "blkq_no_answer_reset_then_error"},
	{others_fault_costs_no_try, "blkq_others_fault_costs_no_try"},
	{gone_fails_all, "blkq_gone_fails_all"},
	{partition_ends, "blkq_partition_ends"},
	{0, 0},
};

static const struct blkops fakeops = {fakestart, fakekick, fakereset};

static void
setup(uint depth, int ntries)
{
	boot(32 << 20);
	memory = kallocs(10);
	assert(memory && NBIO * 64 * SECTOR <= PGSIZE << 10);
	initlock(&q.lock, RANK_DISK);
	q.name = "test";
	q.ops = &fakeops;
	q.depth = depth;
	q.maxvec = 40;
	q.maxsectors = 300;
	q.tries = ntries;
	check(blkqinit(&q) == 0, "blkqinit");
	dev.q = &q;
	dev.sectors = NSECT;
	part.parent = &dev;
	part.start = 1000;
	part.sectors = 500;
	for (uint i = 0; i < NSECT; i++)
		disk[i] = rnd(1u << 30);
}

static void
fakestart(struct blkq *queue, struct blkreq *r)
{
	uint64_t at = r->sector;
	uint n = 0, vecs = 0;
	struct bio *b;

	check(queue == &q && !q.resetting && holding(&q.lock), "when");
	check(++nrunning <= q.depth && r->tag < q.depth, "too many");
	nstarted++;
	listeach(b, &r->bios, link) {
		check(b->op == r->op && b->sector + b->dev->start == at,
			"sector %u of a request at %u", (uint)b->sector,
			(uint)r->sector);
		at += b->bytes / SECTOR;
		vecs += b->nvec;
		n++;
	}
	check(n == r->nbio && vecs == r->nvec && n > 0, "counts");
	check(at - r->sector == r->sectors, "length");
	check(vecs <= q.maxvec && r->sectors <= q.maxsectors, "too large");
	lastbios = n;
}

static void
fakekick(struct blkq *queue)
{
	check(queue == &q, "which");
	nkicked++;
}

static void
fakereset(struct blkq *queue)
{
	check(queue->resetting && !holding(&q.lock), "when");
	nreset++;
	nrunning = 0;
	dev.gone = resetfails;
}

/* A bio of n sectors in so many pieces: its number, or -1: others have those
 * sectors, or there is none left. */
static int
submit(struct blkdev *to, int op, uint sector, uint n, uint vecs)
{
	uint at = sector + (uint)to->start, i, some;
	struct try *t;

	for (t = tries; t < tries + NBIO && t->on; t++)
		;
	for (i = at; i < at + n && i < NSECT; i++)
		if (busy[i])
			return -1;
	if (t == tries + NBIO)
		return -1;
	memset(t, 0, sizeof(*t));
	listinit(&t->b.link);
	listinit(&t->b.fifo);
	t->b.dev = to;
	t->b.op = op;
	t->b.sector = sector;
	t->b.done = biodone;
	t->first = rnd(1u << 30);
	t->on = 1;
	for (i = 0; i < n; i += some) {
		some = vecs > 1 ? (n - i) / vecs : n - i;
		vecs--;
		t->b.vec[t->b.nvec].pa =
			V2P(memory + ((t - tries) * 64 + i) * SECTOR);
		t->b.vec[t->b.nvec++].n = some * SECTOR;
	}
	t->b.bytes = n * SECTOR;
	for (i = 0; i < n; i++)
		*(uint *)(memory + ((t - tries) * 64 + i) * SECTOR) =
			t->first + i;
	for (i = at; i < at + n && i < NSECT; i++)
		busy[i] = 1;
	biosubmit(&t->b);
	return (int)(t - tries);
}

static void
biodone(struct bio *b, int err)
{
	struct try *t = container_of(b, struct try, b);
	uint at = (uint)(b->sector + b->dev->start), n = b->bytes / SECTOR, i;
	int wrong = dev.gone || b->sector + n > b->dev->sectors;
	uint *word;

	check(!holding(&q.lock) && t->on && !t->over, "done twice");
	for (i = 0; i < n && at + i < NSECT; i++) {
		wrong |= bad[at + i];
		busy[at + i] = 0;
	}
	check(wrong == (err < 0), "sector %u: error %d", at, err);
	for (i = 0; i < n && err == 0; i++) {
		word = (uint *)(memory + ((t - tries) * 64 + i) * SECTOR);
		check(*word == disk[at + i] &&
				(b->op == BIO_READ || *word == t->first + i),
			"sector %u", at + i);
	}
	t->on = 0;
	t->over = 1;
}

/* The n-th that runs. */
static struct blkreq *
running(uint n)
{
	struct blkreq *r;

	listeach(r, &q.flight, link) {
		if (n-- == 0)
			return r;
	}
	return 0;
}

/* The driver's interrupt: the request is over.  1: its disk wants a reset. */
static int
answer(struct blkreq *r)
{
	uint at = (uint)r->sector, i, j, wrong = 0;
	struct bio *b;
	uint *word;

	for (i = 0; i < r->sectors; i++)
		wrong |= bad[at + i];
	acquire(&q.lock);
	check(blkrunning(&q, r->tag) == r, "tag %u", r->tag);
	if (wrong && askreset) {
		blkfail(&q, r, -EIO);
		blkrelease(&q);
		return 1;
	}
	listeach(b, &r->bios, link) {
		for (i = 0; i < b->nvec && !wrong; i++) {
			for (j = 0; j < b->vec[i].n; j += SECTOR, at++) {
				word = (uint *)((char *)P2V(b->vec[i].pa) + j);
				if (b->op == BIO_READ)
					*word = disk[at];
				else
					disk[at] = *word;
			}
		}
	}
	nrunning--;
	blkdone(&q, r, wrong ? -EIO : 0);
	check(blkrunning(&q, r->tag) != r || r->since, "tag");
	blkrelease(&q);
	return 0;
}

/* The timer, if it is due. */
static void
timeup(void)
{
	if (due == 0 || instant < due)
		return;
	due = 0;
	pushcli();
	timeout(&q);
	popcli();
}

static void
drain(void)
{
	while (running(0) || q.resetting) {
		if (q.resetting)
			recover(&q);
		else
			answer(running(rnd(q.running)));
	}
	check(q.running == 0 && nrunning == 0, "still running");
	check(listempty(&q.fifo) && listempty(&q.sorted) &&
			listempty(&q.urgent) && listempty(&q.over), "waiting");
	check(q.next == &q.sorted, "next");
	check(dev.stats.inflight == 0 && part.stats.inflight == 0, "in flight");
	for (uint i = 0; i < NBIO; i++)
		check(!tries[i].on, "%u is not over", i);
}

static void
randomly(void)
{
	uint at = 0, n, i, total = 0;
	int got;

	for (i = 0; i < 20; i++)
		bad[rnd(NSECT)] = 1;
	for (i = 0; i < (steps ? steps : 20000); i++) {
		instant += rnd(1000000);
		timeup();
		n = 1 + rnd(oneof(3) ? 64 : 8);
		at = oneof(4) || at + n > NSECT ? rnd(NSECT - 64) : at;
		if (oneof(20))
			got = submit(&dev, BIO_FLUSH, 0, 0, 0);
		else if (oneof(5))
			got = submit(&part, BIO_READ, rnd(500 - n), n, 1);
		else
			got = submit(&dev, oneof(2) ? BIO_READ : BIO_WRITE, at,
				n, 1 + rnd(MIN(n, BIOVECS)));
		total += got >= 0;
		at += n;
		while (!oneof(3) && q.running && !q.resetting)
			answer(running(rnd(q.running)));
		if (q.resetting && oneof(3))
			recover(&q);
	}
	drain();
	n = 0;
	for (i = 0; i < 3; i++)
		n += dev.stats.ios[i];
	check(n == total, "%u of %u counted", n, total);
	check(dev.stats.merges[0] && dev.stats.merges[1], "nothing merged");
}

static void
random_requests(void)
{
	setup(2, 1);
	randomly();
	check(nreset == 0, "reset");
}

static void
random_resets(void)
{
	askreset = 1;
	setup(1 + rnd(8), 3);
	randomly();
	check(nreset > 0, "no reset");
}

static void
neighbours_are_merged(void)
{
	setup(1, 1);
	submit(&dev, BIO_READ, 4000, 1, 1);
	for (uint i = 0; i < 10; i++) /* 0 7 4 1 8 5 2 9 6 3 */
		submit(&dev, BIO_READ, 100 + i * 7 % 10 * 8, 8, 2);
	submit(&dev, BIO_WRITE, 180, 8, 1);
	check(nstarted == 1, "%u started", nstarted);
	answer(running(0));
	check(nstarted == 2 && lastbios == 10, "%u in one", lastbios);
	answer(running(0));
	check(lastbios == 1, "a read and a write in one");
	drain();
	check(dev.stats.merges[BIO_READ] == 9, "merges");
}

static void
one_way_then_over(void)
{
	static const uint at[] = {500, 3000, 200, 2000, 800, 2500};
	static const uint order[] = {1000, 2000, 2500, 3000, 200, 500, 800};
	uint i;

	setup(1, 1);
	submit(&dev, BIO_READ, 1000, 1, 1);
	submit(&dev, BIO_READ, 1500, 1, 1);
	answer(running(0));
	for (i = 0; i < NELEM(at); i++)
		submit(&dev, BIO_READ, at[i], 1, 1);
	for (i = 1; i < NELEM(order); i++) {
		answer(running(0));
		check(running(0)->sector == order[i], "%u-th at %u", i,
			(uint)running(0)->sector);
	}
	drain();
}

static void
late_goes_first(void)
{
	setup(1, 1);
	submit(&dev, BIO_READ, 1000, 1, 1);
	submit(&dev, BIO_READ, 10, 1, 1);
	instant += SECOND;
	submit(&dev, BIO_READ, 2000, 1, 1);
	answer(running(0));
	check(running(0)->sector == 10, "the late one waits on");
	drain();
}

static void
limits_of_a_request(void)
{
	setup(1, 1);
	submit(&dev, BIO_WRITE, 4000, 1, 1);
	for (uint i = 0; i < 10; i++)
		submit(&dev, BIO_WRITE, i * 64, 64, 1);
	answer(running(0));
	check(running(0)->sectors == 256, "%u sectors", running(0)->sectors);
	drain();
	submit(&dev, BIO_WRITE, 4000, 1, 1);
	for (uint i = 0; i < 10; i++)
		submit(&dev, BIO_WRITE, i * 32, 32, 15);
	answer(running(0));
	check(running(0)->nvec == 30, "%u pieces", running(0)->nvec);
	drain();
}

static void
bad_sector_costs_no_neighbour(void)
{
	setup(1, 1);
	bad[105] = 1;
	submit(&dev, BIO_READ, 4000, 1, 1);
	for (uint i = 0; i < 8; i++)
		submit(&dev, BIO_READ, 100 + i, 1, 1);
	answer(running(0));
	check(lastbios == 8, "not merged");
	drain(); /* biodone() knows who may fail */
	check(nstarted == 10, "%u requests", nstarted);
	check(strstr(line, "I/O error: read of 1 sectors at 105"), "%s", line);
}

static void
no_answer_reset_then_error(void)
{
	int hung, other;

	setup(2, 1);
	hung = submit(&dev, BIO_READ, 100, 8, 1);
	instant += SECOND * 5;
	timeup();
	check(!q.resetting && due, "too early");
	other = submit(&dev, BIO_READ, 200, 8, 1);
	for (uint i = 0; i < 2; i++) {
		instant += SECOND * 6;
		timeup();
		instant += SECOND * 5 * (int)i;
		timeup();
		check(q.resetting, "no reset");
		bad[100] = i; /* for biodone(): it is to fail the second time */
		recover(&q);
		check(nreset == i + 1, "resets");
		if (i == 0) {
			check(!tries[hung].over && !tries[other].over, "over");
			check(q.running == 2, "not tried again");
			answer(running(running(0)->sector == 100));
			check(tries[other].over, "the other one hangs too");
		}
	}
	check(tries[hung].over, "it hangs");
	drain();
}

static void
others_fault_costs_no_try(void)
{
	int guilty;

	askreset = 1;
	setup(2, 2);
	bad[100] = 1;
	guilty = submit(&dev, BIO_READ, 100, 8, 1);
	submit(&dev, BIO_READ, 200, 8, 1);
	while (!tries[guilty].over) {
		check(answer(running(running(0)->sector != 100)), "no error");
		recover(&q);
	}
	check(nreset == 2 && running(0)->sector == 200, "%u resets", nreset);
	drain();
}

static void
gone_fails_all(void)
{
	uint i;

	setup(2, 3);
	for (i = 0; i < 20; i++)
		submit(&dev, BIO_READ, i * 100, 8, 1);
	resetfails = 1;
	acquire(&q.lock);
	blkfail(&q, 0, 0);
	release(&q.lock);
	recover(&q);
	for (i = 0; i < 20; i++)
		check(tries[i].over, "%u hangs", i);
	i = (uint)submit(&dev, BIO_READ, 0, 8, 1);
	check(tries[i].over, "a new one hangs");
	check(nstarted == 2, "%u were started", nstarted);
	drain();
}

static void
partition_ends(void)
{
	setup(2, 1);
	check(tries[submit(&part, BIO_READ, 496, 8, 1)].over, "beyond its end");
	check(tries[submit(&dev, BIO_READ, NSECT, 1, 1)].over, "of the disk");
	check(nstarted == 0, "started");
	submit(&part, BIO_READ, 492, 8, 1);
	check(running(0)->sector == 1492, "at %u", (uint)running(0)->sector);
	drain();
	check(dev.stats.ios[0] == 1 && part.stats.ios[0] == 1, "counted");
}
