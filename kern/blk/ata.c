/*
 * ata.c - IDE disks (ATA/ATAPI-6): hda to hdd on the two channels, by DMA of
 * the PCI bus master (SFF-8038i) where there is one, else by programmed I/O.
 *
 * A channel has up to two disks and does one command at a time; its queue is
 * theirs together.  PIO moves a few sectors at each interrupt.  What is no disk
 * (ATAPI) is left alone.  After a fault or a time-out the channel is reset by
 * the queue's thread, which polls.
 */
#include "kern/blk/disk.h"

#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/dev/dev.h"
#include "kern/lib/printf.h"

/* Registers, from base on. */
#define DATA    0
#define ERROR   1 /* write: FEATURES */
#define COUNT   2
#define LBALOW  3
#define LBAMID  4
#define LBAHIGH 5
#define DRIVE   6
#define STATUS  7 /* write: COMMAND */
#define COMMAND 7

#define ST_ERR  0x01
#define ST_DRQ  0x08
#define ST_DF   0x20 /* device fault */
#define ST_BUSY 0x80

#define CTL_NOINT 2 /* of the control register, which reads as STATUS */
#define CTL_RESET 4

#define DRIVE_LBA 0xE0

/* Bus master. */
#define BM_COMMAND 0
#define BM_STATUS  2
#define BM_TABLE   4
#define BM_START   1
#define BM_READ    8 /* from the disk */
#define BM_ERROR   2
#define BM_INTR    4

#define C_IDENTIFY 0xEC
#define C_MULTIPLE 0xC6

#define BLOCK    8   /* sectors moved by an interrupt, at most */
#define MAXVEC   128 /* a page holds the table, if each is cut in three */
#define LASTPRD  0x80000000u
#define PATIENCE 5000 /* ms until a disk must have answered */
#define MOMENT   1000 /* looks at a disk that answers at once */

struct drive {
	struct blkdev dev;  /* dev.q is 0: there is none */
	uint8_t select;
	int lba48, dma;
	uint block;         /* sectors at each interrupt of PIO */
	int multiple;       /* they are more than one */
};

struct channel {
	struct blkq q;
	struct irqshare irq;
	uint16_t base, ctl, bm; /* ports; bm 0: no DMA */
	struct prd {
		uint pa, n;
	} *prds;
	struct drive drive[2];
	struct blkreq *r;      /* the one that runs, or 0 [q.lock] */
	struct bio *b;         /* PIO: where it is [q.lock] */
	uint vec, off, left;   /* PIO: its vector, the byte there; sectors
	                        * left [q.lock] */
};

static int taken; /* a PCI device has the channels */

static void addchannel(int n, uint base, uint ctl, uint bm, int irq, int pci);
static int startchannel(struct channel *c, int irq, int pci);
static int finddrive(struct channel *c, int n, int unit);
static int identify(struct channel *c, struct drive *d, uint16_t *id);
static int describe(struct channel *c, struct drive *d, const uint16_t *id);
static void setblock(struct channel *c, struct drive *d);
static int selectdrive(struct channel *c, struct drive *d);
static int settled(struct channel *c);
static void wait400(struct channel *c);
static void atastart(struct blkq *q, struct blkreq *r);
static void setaddress(struct channel *c, struct drive *d, struct blkreq *r);
static uint8_t opcode(struct drive *d, int op);
static void fillprds(struct channel *c, struct blkreq *r);
static int dataready(struct channel *c);
static void moveblock(struct channel *c);
static void failed(struct channel *c, uint status);
static void ataintr(void *arg);
static int served(struct channel *c);
static void tellerror(struct channel *c, uint status, uint error);
static void atareset(struct blkq *q);

static const struct blkops ataops = {atastart, 0, atareset};

/* A PCI IDE controller: each channel is at the old ports, or where the base
 * registers say (PCI IDE 1.0). */
void
ataprobe(const struct pcidev *d)
{
	struct pcidev old = *d;
	uint bm;
	int n;

	if (d->class >> 8 != 0x0101 || taken)
		return;
	if ((d->class & 5) == 0)
		old.irq = 14; /* neither needs a line of PCI */
	if (pcienable(&old) < 0)
		return;
	taken = 1;
	bm = d->class & 0x80 ? pciport(d, 4) : 0;
	for (n = 0; n < 2; n++, bm += bm ? 8 : 0) {
		if (!(d->class & (1u << 2 * n)))
			addchannel(n, n ? 0x170 : 0x1F0, n ? 0x376 : 0x3F6, bm,
				14 + n, 0);
		else if (pciport(d, 2 * n) && pciport(d, 2 * n + 1))
			addchannel(n, pciport(d, 2 * n),
				pciport(d, 2 * n + 1) + 2, bm, d->irq, 1);
	}
}

void
atainit(void)
{
	if (taken)
		return;
	addchannel(0, 0x1F0, 0x3F6, 0, 14, 0);
	addchannel(1, 0x170, 0x376, 0, 15, 0);
}

/* Look for disks on channel n. */
static void
addchannel(int n, uint base, uint ctl, uint bm, int irq, int pci)
{
	struct channel *c;
	int found;

	if (inb((uint16_t)ctl) == 0xFF || (c = kzalloc(sizeof(*c))) == 0)
		return; /* an empty bus */
	c->base = (uint16_t)base;
	c->ctl = (uint16_t)ctl;
	c->bm = (uint16_t)bm;
	if (bm && (c->prds = kalloc()) == 0)
		c->bm = 0;
	outb(c->ctl, CTL_NOINT);
	found = finddrive(c, n, 0);
	found |= finddrive(c, n, 1);
	if (found && startchannel(c, irq, pci) == 0)
		return;
	if (c->prds)
		kfree(c->prds);
	kmfree(c);
}

static int
startchannel(struct channel *c, int irq, int pci)
{
	struct blkq *q = &c->q;
	int i, small = 0;

	initlock(&q->lock, RANK_DISK);
	for (i = 0; i < 2; i++)
		small |= c->drive[i].dev.q && !c->drive[i].lba48;
	q->name = c->drive[c->drive[0].dev.q == 0].dev.name;
	q->ops = &ataops;
	q->priv = c;
	q->depth = 1;
	q->maxvec = MAXVEC;
	q->maxsectors = small ? 256 : 1024;
	q->tries = 3;
	if (blkqinit(q) < 0)
		return -ENOMEM;
	c->irq.name = q->name;
	c->irq.handler = ataintr;
	c->irq.arg = c;
	irqshare(irq, &c->irq, pci);
	inb(c->base + STATUS);
	outb(c->ctl, 0);
	for (i = 0; i < 2; i++)
		if (c->drive[i].dev.q)
			diskready(&c->drive[i].dev,
				c->drive[i].dma ? "IDE, DMA" : "IDE, PIO");
	return 0;
}

/* Is there a disk?  1: it is ready to be used. */
static int
finddrive(struct channel *c, int n, int unit)
{
	struct drive *d = &c->drive[unit];
	uint16_t *id = kmalloc(SECTOR);
	int found;

	d->select = (uint8_t)(DRIVE_LBA | unit << 4);
	diskname(&d->dev, "hd", (uint)(2 * n + unit));
	d->dev.rdev = makedev(n ? 22 : 3, 64 * unit);
	d->dev.partitions = 64;
	found = id && identify(c, d, id) && describe(c, d, id);
	if (found) {
		d->dev.q = &c->q;
		setblock(c, d);
	}
	kmfree(id);
	return found;
}

/* The 256 words in which a disk tells what it is: 1, or 0: there is none. */
static int
identify(struct channel *c, struct drive *d, uint16_t *id)
{
	outb(c->base + DRIVE, d->select);
	wait400(c);
	outb(c->base + COUNT, 0x55);
	outb(c->base + LBALOW, 0xAA);
	if (inb(c->base + COUNT) != 0x55 || inb(c->base + LBALOW) != 0xAA ||
		!settled(c))
		return 0;
	outb(c->base + LBAMID, 0);
	outb(c->base + LBAHIGH, 0);
	outb(c->base + COMMAND, C_IDENTIFY);
	wait400(c);
	if (inb(c->base + STATUS) == 0 || !settled(c) ||
		(inb(c->base + STATUS) & (ST_ERR | ST_DRQ)) != ST_DRQ)
		return 0; /* none, or ATAPI, which refuses */
	insw(c->base + DATA, id, SECTOR / 2);
	return 1;
}

/* What the words say (ATA/ATAPI-6, 8.15): 1, or 0: it cannot be used. */
static int
describe(struct channel *c, struct drive *d, const uint16_t *id)
{
	d->lba48 = atasize(id, &d->dev.sectors);
	if (d->lba48 < 0) {
		printf("%s: knows no LBA, left alone\n", d->dev.name);
		return 0;
	}
	d->dma = c->bm && id[49] & 1 << 8 &&
		((id[63] & 0x707) || (id[53] & 4 && (id[88] & 0x7F7F)));
	d->block = MIN(MAX(id[47] & 0xFFu, 1u), BLOCK);
	return 1;
}

int
atasize(const uint16_t *id, uint64_t *sectors)
{
	int lba48 = (id[83] & 0xC400) == 0x4400;

	if (!(id[49] & 1 << 9))
		return -ENXIO;
	*sectors = id[60] | (uint)id[61] << 16;
	if (lba48)
		*sectors = id[100] | (uint)id[101] << 16 |
			(uint64_t)id[102] << 32 | (uint64_t)id[103] << 48;
	return lba48;
}

/* Let PIO move more than one sector at each interrupt. */
static void
setblock(struct channel *c, struct drive *d)
{
	if (d->block < 2 || !selectdrive(c, d))
		return;
	outb(c->base + COUNT, (uint8_t)d->block);
	outb(c->base + COMMAND, C_MULTIPLE);
	wait400(c);
	d->multiple = settled(c) && !(inb(c->base + STATUS) & ST_ERR);
	if (!d->multiple)
		d->block = 1;
}

/* Make it the one that commands go to: 1, or 0: it does not answer. */
static int
selectdrive(struct channel *c, struct drive *d)
{
	uint8_t st;

	outb(c->base + DRIVE, d->select);
	wait400(c);
	if (!settled(c))
		return 0;
	st = inb(c->base + STATUS);
	return st != 0 && st != 0xFF;
}

/* The 400 ns after which the status tells of a drive or command (ATA/ATAPI-6,
 * 9.2): reads of an old bus take 100 each at least. */
static void
wait400(struct channel *c)
{
	for (int i = 0; i < 5; i++)
		inb(c->ctl);
}

/* Wait until the channel is not busy: 1, or 0: that does not come. */
static int
settled(struct channel *c)
{
	int i;

	for (i = 0; i < PATIENCE; i += 5) {
		if (!(inb(c->ctl) & ST_BUSY))
			return 1;
		blkpause(5);
	}
	return 0;
}

static void
atastart(struct blkq *q, struct blkreq *r)
{
	struct channel *c = q->priv;
	struct drive *d = container_of(r->disk, struct drive, dev);
	uint8_t todisk = r->op == BIO_READ ? BM_READ : 0;
	int dma = d->dma && r->op != BIO_FLUSH;

	c->r = r;
	c->left = r->sectors;
	c->b = listitem(r->bios.next, struct bio, link);
	c->vec = c->off = 0;
	if (dma) {
		fillprds(c, r);
		outl(c->bm + BM_TABLE, V2P(c->prds));
		outb(c->bm + BM_COMMAND, todisk);
		outb(c->bm + BM_STATUS,
			inb(c->bm + BM_STATUS) | BM_INTR | BM_ERROR);
	}
	outb(c->base + DRIVE, d->select);
	if (!dataready(c)) { /* it has not been idle */
		failed(c, inb(c->ctl));
		return;
	}
	setaddress(c, d, r);
	outb(c->base + COMMAND, opcode(d, r->op));
	if (dma) {
		outb(c->bm + BM_COMMAND, todisk | BM_START);
	} else if (r->op == BIO_WRITE) {
		if (dataready(c))
			moveblock(c);
		else
			failed(c, inb(c->ctl));
	}
}

/* Which sectors: the registers that are two deep take the high half first. */
static void
setaddress(struct channel *c, struct drive *d, struct blkreq *r)
{
	uint lba = (uint)r->sector, top = (uint)(r->sector >> 32);

	if (r->op == BIO_FLUSH)
		return;
	if (d->lba48) {
		outb(c->base + COUNT, (uint8_t)(r->sectors >> 8));
		outb(c->base + LBALOW, (uint8_t)(lba >> 24));
		outb(c->base + LBAMID, (uint8_t)top);
		outb(c->base + LBAHIGH, (uint8_t)(top >> 8));
	} else {
		outb(c->base + DRIVE, d->select | (lba >> 24 & 0xF));
	}
	outb(c->base + COUNT, (uint8_t)r->sectors);
	outb(c->base + LBALOW, (uint8_t)lba);
	outb(c->base + LBAMID, (uint8_t)(lba >> 8));
	outb(c->base + LBAHIGH, (uint8_t)(lba >> 16));
}

static uint8_t
opcode(struct drive *d, int op)
{
	static const uint8_t codes[3][2][3] = { /* PIO, of several, DMA */
		{{0x20, 0xC4, 0xC8}, {0x24, 0x29, 0x25}}, /* read */
		{{0x30, 0xC5, 0xCA}, {0x34, 0x39, 0x35}}, /* write */
		{{0xE7, 0xE7, 0xE7}, {0xEA, 0xEA, 0xEA}}, /* flush */
	};

	return codes[op][d->lba48][d->dma ? 2 : d->multiple];
}

/* The pieces of memory, none of which crosses a boundary of 64 KiB. */
static void
fillprds(struct channel *c, struct blkreq *r)
{
	struct prd *p = c->prds;
	uint pa, n, some, i;
	struct bio *b;

	listeach(b, &r->bios, link) {
		for (i = 0; i < b->nvec; i++) {
			pa = b->vec[i].pa;
			for (n = b->vec[i].n; n > 0; n -= some, pa += some) {
				some = MIN(n, 0x10000 - pa % 0x10000);
				p->pa = pa;
				p++->n = some & 0xFFFF; /* 0 is 64 KiB */
			}
		}
	}
	p[-1].n |= LASTPRD;
}

/* Wait, for a moment, until the channel is not busy. */
static int
dataready(struct channel *c)
{
	int i;

	for (i = 0; i < MOMENT; i++) /* half a microsecond each, or more */
		if (!(inb(c->ctl) & ST_BUSY) && i > 0)
			return 1;
	return 0;
}

/* PIO: move the sectors that the disk has or wants now. */
static void
moveblock(struct channel *c)
{
	struct drive *d = container_of(c->r->disk, struct drive, dev);
	uint n = MIN(c->left, d->block);
	struct biovec *v;
	char *at;

	for (c->left -= n; n > 0; n--) {
		v = &c->b->vec[c->vec];
		at = (char *)P2V(v->pa) + c->off;
		if (c->r->op == BIO_READ)
			insw(c->base + DATA, at, SECTOR / 2);
		else
			outsw(c->base + DATA, at, SECTOR / 2);
		c->off += SECTOR;
		if (c->off < v->n)
			continue;
		c->off = 0;
		if (++c->vec == c->b->nvec) {
			c->b = listitem(c->b->link.next, struct bio, link);
			c->vec = 0;
		}
	}
}

/* The channel does not do what it should: reset it, then try again. */
static void
failed(struct channel *c, uint status)
{
	if (!blkquiet(1))
		printf("%s: status %x: reset\n", c->r->disk->name, status);
	blkfail(&c->q, c->r, -EIO);
}

static void
ataintr(void *arg)
{
	struct channel *c = arg;
	struct blkreq *r;
	int over;

	acquire(&c->q.lock);
	r = c->r;
	if (r == 0 || c->q.resetting) {
		inb(c->base + STATUS); /* nobody's: let the line go */
	} else if ((over = served(c)) != 0) {
		c->r = 0;
		blkdone(&c->q, r, over < 0 ? over : 0);
	}
	blkrelease(&c->q);
}

/* Look what the disk says and move data: 1: the request is over; -EIO: so it
 * is, with an error. */
static int
served(struct channel *c)
{
	struct drive *d = container_of(c->r->disk, struct drive, dev);
	int dma = d->dma && c->r->op != BIO_FLUSH;
	uint8_t st, bm = 0;

	if (dma) {
		bm = inb(c->bm + BM_STATUS);
		if (!(bm & BM_INTR))
			return 0;
		outb(c->bm + BM_COMMAND, 0);
		outb(c->bm + BM_STATUS, bm | BM_INTR | BM_ERROR);
	}
	if (inb(c->ctl) & ST_BUSY)
		return 0;
	st = inb(c->base + STATUS);
	if (st & ST_ERR) {
		tellerror(c, st, inb(c->base + ERROR));
		return -EIO;
	}
	if (st & ST_DF || bm & BM_ERROR) {
		failed(c, st);
		return 0;
	}
	if (dma || c->r->op == BIO_FLUSH)
		return 1;
	if (c->left > 0 && !(st & ST_DRQ))
		return 0;
	if (c->r->op == BIO_WRITE && c->left == 0)
		return 1;
	moveblock(c);
	return c->r->op == BIO_READ && c->left == 0;
}

/* The bits of the error register (ATA/ATAPI-6, 7.6). */
static void
tellerror(struct channel *c, uint status, uint error)
{
	static const char *const bits[] = {"address mark", "no track 0",
		"aborted", "medium change", "no such sector", "medium changed",
		"uncorrectable", "interface CRC"};

	if (!blkquiet(1))
		printf("%s: status %x, error %x (%s) at sector %llu\n",
			c->r->disk->name, status, error, error ?
			bits[31 - __builtin_clz(error)] : "none", c->r->sector);
}

static void
atareset(struct blkq *q)
{
	struct channel *c = q->priv;
	int i;

	acquire(&q->lock);
	c->r = 0;
	if (c->bm)
		outb(c->bm + BM_COMMAND, 0);
	outb(c->ctl, CTL_RESET | CTL_NOINT);
	release(&q->lock);
	blkpause(1);
	outb(c->ctl, CTL_NOINT);
	blkpause(5);
	for (i = 0; i < 2; i++) {
		if (c->drive[i].dev.q == 0)
			continue;
		if (selectdrive(c, &c->drive[i]))
			setblock(c, &c->drive[i]);
		else
			c->drive[i].dev.gone = 1;
	}
	inb(c->base + STATUS);
	outb(c->ctl, 0);
}
