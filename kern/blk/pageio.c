/*
 * pageio.c - pages of a file to and from the blocks that it has on a disk.
 *
 * A run of pages becomes one bio for each run of blocks; what has no block
 * reads as zeroes.  The last bio to end, or pageio() itself, tells the page
 * cache.
 */
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/blk/blk.h"
#include "kern/lib/string.h"
#include "kern/proc.h"

struct mover { /* the bio that is being filled */
	struct pcio *io;
	struct blkdev *dev;
	struct bio *b; /* or 0 */
};

static int device(struct blkdev *dev, uint block, uint blksize, uint *run);
static void zero(struct pcio *io, uint from, uint to);
static void move(struct mover *m, uint from, uint to, uint64_t sector);
static void submit(struct mover *m);
static void partdone(struct bio *b, int err);

void
pageio(struct pcio *io, struct blkdev *dev, uint blksize,
	int (*map)(struct pcache *, uint block, uint *disk, uint *run))
{
	uint per = PGSIZE / blksize, n = io->n * per, first = io->index * per;
	struct mover m = {io, dev, 0};
	uint i, run, disk;
	int some, err = 0;

	io->parts = 1;
	for (i = 0; i < n; i += run) {
		run = 1;
		disk = first + i;
		if (map == 0)
			some = device(dev, disk, blksize, &run);
		else if ((err = map(io->pc, first + i, &disk, &run)) < 0)
			break;
		else
			some = disk != 0;
		run = MIN(run, n - i);
		if (some)
			move(&m, i * blksize, (i + run) * blksize,
				(uint64_t)disk * (blksize / SECTOR));
		else if (!io->write)
			zero(io, i * blksize, (i + run) * blksize);
	}
	submit(&m);
	if (err < 0)
		io->err = err;
	if (atomicdectest(&io->parts))
		pciodone(io);
}

/* Is there such a block on the device, and how many more from there on? */
static int
device(struct blkdev *dev, uint block, uint blksize, uint *run)
{
	uint64_t n = dev->sectors / (blksize / SECTOR);

	*run = block < n ? (uint)MIN(n - block, 1u << 20) : 1u << 20;
	return block < n;
}

/* Bytes [from, to) of the run. */
static void
zero(struct pcio *io, uint from, uint to)
{
	uint n;

	for (; from < to; from += n) {
		n = MIN(PGSIZE - from % PGSIZE, to - from);
		memset((char *)P2V(io->pa[from >> PGSHIFT]) + from % PGSIZE, 0,
			n);
	}
}

/* Bytes [from, to) of the run are on the disk from that sector on. */
static void
move(struct mover *m, uint from, uint to, uint64_t sector)
{
	uint n, pa;

	if (m->b && m->b->sector + (m->b->bytes >> SECTORBITS) != sector)
		submit(m);
	for (; from < to; from += n) {
		n = MIN(PGSIZE - from % PGSIZE, to - from);
		pa = m->io->pa[from >> PGSHIFT] + from % PGSIZE;
		if (m->b && !bioadd(m->b, pa, n))
			submit(m);
		if (m->b == 0) {
			m->b = bioalloc(m->dev,
				m->io->write ? BIO_WRITE : BIO_READ, sector);
			bioadd(m->b, pa, n);
		}
		sector += n >> SECTORBITS;
	}
}

static void
submit(struct mover *m)
{
	if (m->b == 0)
		return;
	m->b->done = partdone;
	m->b->priv = m->io;
	atomicinc(&m->io->parts);
	biosubmit(m->b);
	m->b = 0;
}

/* One of them is over; any context. */
static void
partdone(struct bio *b, int err)
{
	struct pcio *io = b->priv;

	biofree(b);
	if (err < 0)
		io->err = err;
	if (atomicdectest(&io->parts))
		pciodone(io);
}

/* See blk.h.  At boot nobody runs. */
void
chargewrite(uint bytes)
{
	if (myproc())
		myproc()->io.diskwritten += bytes;
}
