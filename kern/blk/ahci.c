/*
 * ahci.c - SATA disks behind an AHCI controller (AHCI 1.3.1): sda, sdb, ...
 *
 * Each port with a disk has a queue, a command list and an area for what the
 * disk answers.  A few commands are given to the port at once; it does one
 * after the other.  An error stops the port, which the queue's thread starts
 * again; the commands that it has not come to are not to blame.
 */
#include "kern/blk/disk.h"

#include "arch/memlayout.h"
#include "mm/mm.h"
#include "kern/dev/dev.h"
#include "kern/lib/printf.h"
#include "kern/lib/string.h"

/* Registers of the controller, as words. */
#define GHC    1
#define IS     2
#define PORTS  3
#define CAP2   9
#define BOHC   10
#define PORT(n) (0x40 + 0x20 * (n))

#define GHC_INT  2u
#define GHC_AHCI 0x80000000u
#define CAP2_BOH 1u
#define BOHC_BIOS 1u
#define BOHC_OS   2u

/* Registers of a port, as words. */
#define P_LIST   0 /* 1: its high half */
#define P_FIS    2
#define P_IS     4
#define P_IE     5
#define P_CMD    6
#define P_TASK   8 /* the disk's status and error registers */
#define P_SIG    9
#define P_STATUS 10
#define P_CTL    11
#define P_ERROR  12
#define P_ISSUE  14

#define CMD_START 0x0001u
#define CMD_SPIN  0x0002u
#define CMD_POWER 0x0004u
#define CMD_FIS   0x0010u /* take what the disk sends */
#define CMD_FISON 0x4000u /* it does */
#define CMD_RUNS  0x8000u
#define CMD_SLOT(v) ((v) >> 8 & 31) /* the one that it is at */

#define IS_CHANGE 0x00400040u /* a disk came or went */
#define IS_ERRORS 0x78000000u
#define IS_DONE   0x0000002Fu

#define TASK_ERR  0x01u
#define TASK_BUSY 0x88u /* or wants data */
#define SIG_DISK  0x00000101u
#define PRESENT   3 /* of P_STATUS, low four bits */

#define DEPTH   8
#define NPRD    56   /* makes a table of 1 KiB */
#define PATIENCE 1000 /* ms */

struct header { /* of a command, 4.2.2 */
	uint flags; /* words of FIS, HEAD_WRITE, pieces << 16 */
	volatile uint moved;
	uint table, tablehigh, zero[4];
};
#define HEAD_WRITE 0x40

struct table { /* 4.2.3 */
	uint8_t fis[64], atapi[16], zero[48];
	struct {
		uint pa, high, zero, n; /* n: bytes - 1 */
	} prd[NPRD];
};
_Static_assert(sizeof(struct table) == 1024, "struct table");

struct port {
	struct blkq q;
	struct blkdev dev;
	volatile uint *reg;
	struct header *list; /* with the FIS area in the same page */
	struct table *tables;
	int lba48;
	uint issued;         /* bit per slot [q.lock] */
	uint task;           /* at the last error [q.lock] */
};

struct hba {
	struct irqshare irq;
	volatile uint *reg;
	struct port *port[32];
};

static uint ndisk;

static void takeover(struct hba *h);
static struct port *portinit(volatile uint *reg);
static int setport(struct port *p);
static int startport(struct port *p);
static int stopport(struct port *p);
static int waitclear(volatile uint *reg, uint bits);
static int identify(struct port *p);
static void fillcommand(struct port *p, uint slot, uint op, uint64_t sector,
	uint n);
static void ahcistart(struct blkq *q, struct blkreq *r);
static void ahciintr(void *arg);
static void portintr(struct port *p);
static void ahcireset(struct blkq *q);

static const struct blkops ahciops = {ahcistart, 0, ahcireset};

void
ahciprobe(const struct pcidev *d)
{
	struct hba *h;
	int i;

	if (d->class != 0x010601 || pcienable(d) < 0)
		return;
	h = kzalloc(sizeof(*h));
	if (h == 0)
		return;
	h->reg = pcimem(d, 5, 0x1100);
	if (h->reg == 0) {
		printf("ahci: its registers cannot be mapped\n");
		kmfree(h);
		return;
	}
	takeover(h);
	h->irq.name = "ahci";
	h->irq.handler = ahciintr;
	h->irq.arg = h;
	for (i = 0; i < 32; i++)
		if (h->reg[PORTS] & 1u << i)
			h->port[i] = portinit(h->reg + PORT(i));
	h->reg[IS] = ~0u;
	irqshare(d->irq, &h->irq, 1);
	h->reg[GHC] |= GHC_INT;
	for (i = 0; i < 32; i++)
		if (h->port[i])
			diskready(&h->port[i]->dev, "AHCI");
}

/* From the firmware, which may have to be asked (10.6.3). */
static void
takeover(struct hba *h)
{
	h->reg[GHC] |= GHC_AHCI;
	h->reg[GHC] &= ~GHC_INT;
	if (h->reg[CAP2] & CAP2_BOH) {
		h->reg[BOHC] |= BOHC_OS;
		waitclear(&h->reg[BOHC], BOHC_BIOS);
	}
}

/* A port with a disk that is ready, or 0. */
static struct port *
portinit(volatile uint *reg)
{
	struct port *p;

	if ((reg[P_STATUS] & 15) != PRESENT || reg[P_SIG] != SIG_DISK)
		return 0;
	p = kzalloc(sizeof(*p));
	if (p == 0)
		return 0;
	p->reg = reg;
	p->list = kalloc();
	p->tables = kmalloc(DEPTH * sizeof(struct table));
	diskname(&p->dev, "sd", ndisk);
	if (p->list && p->tables && setport(p) == 0) {
		ndisk++;
		return p;
	}
	printf("%s: cannot be used\n", p->dev.name);
	stopport(p);
	if (p->list)
		kfree(p->list);
	kmfree(p->tables);
	kmfree(p);
	return 0;
}

static int
setport(struct port *p)
{
	struct blkq *q = &p->q;

	memset(p->list, 0, PGSIZE);
	memset(p->tables, 0, DEPTH * sizeof(struct table));
	if (stopport(p) < 0 || startport(p) < 0 || identify(p) < 0)
		return -EIO;
	p->dev.rdev = makedev(8, 16 * ndisk);
	p->dev.partitions = 16;
	p->dev.q = q;
	initlock(&q->lock, RANK_DISK);
	q->name = p->dev.name;
	q->ops = &ahciops;
	q->priv = p;
	q->depth = DEPTH;
	q->maxvec = NPRD;
	q->maxsectors = p->lba48 ? 1024 : 256;
	q->tries = 3;
	if (blkqinit(q) < 0)
		return -ENOMEM;
	p->reg[P_IS] = ~0u;
	p->reg[P_IE] = IS_DONE | IS_ERRORS | IS_CHANGE;
	return 0;
}

/* Let it take commands (10.3.1): 0, or -EIO: there is no disk, or it is busy
 * for ever. */
static int
startport(struct port *p)
{
	p->reg[P_LIST] = V2P(p->list);
	p->reg[P_LIST + 1] = 0;
	p->reg[P_FIS] = V2P(p->list) + 1024;
	p->reg[P_FIS + 1] = 0;
	p->reg[P_ERROR] = ~0u;
	p->reg[P_IS] = ~0u;
	p->reg[P_CMD] |= CMD_FIS | CMD_SPIN | CMD_POWER;
	if (waitclear(&p->reg[P_TASK], TASK_BUSY) < 0 ||
		(p->reg[P_STATUS] & 15) != PRESENT)
		return -EIO;
	p->reg[P_CMD] |= CMD_START;
	return 0;
}

/* And no more; nothing in memory is used then. */
static int
stopport(struct port *p)
{
	p->reg[P_CMD] &= ~CMD_START;
	if (waitclear(&p->reg[P_CMD], CMD_RUNS) < 0)
		return -EIO;
	p->reg[P_CMD] &= ~CMD_FIS;
	return waitclear(&p->reg[P_CMD], CMD_FISON);
}

static int
waitclear(volatile uint *reg, uint bits)
{
	int i;

	for (i = 0; i < PATIENCE; i += 2) {
		if ((*reg & bits) == 0)
			return 0;
		blkpause(2);
	}
	return -EIO;
}

/* What the disk is, without interrupts: 0 or -EIO. */
static int
identify(struct port *p)
{
	struct table *t = p->tables;
	uint16_t *id = kmalloc(SECTOR);
	int err = -EIO;

	if (id == 0)
		return -ENOMEM;
	fillcommand(p, 0, 0xEC, 0, 0);
	t->prd[0].pa = V2P(id);
	t->prd[0].n = SECTOR - 1;
	p->list[0].flags = 5 | 1 << 16;
	p->reg[P_ISSUE] = 1;
	if (waitclear(&p->reg[P_ISSUE], 1) == 0 &&
		!(p->reg[P_TASK] & TASK_ERR)) {
		p->lba48 = atasize(id, &p->dev.sectors);
		err = p->lba48 < 0 ? -EIO : 0;
	}
	kmfree(id);
	return err;
}

/* The command for the slot, as registers (Serial ATA, register FIS). */
static void
fillcommand(struct port *p, uint slot, uint op, uint64_t sector, uint n)
{
	struct table *t = &p->tables[slot];
	uint8_t *f = t->fis;
	uint lba = (uint)sector;

	f[0] = 0x27; /* from the host to the disk */
	f[1] = 0x80; /* a command */
	f[2] = (uint8_t)op;
	f[4] = (uint8_t)lba;
	f[5] = (uint8_t)(lba >> 8);
	f[6] = (uint8_t)(lba >> 16);
	f[7] = 0x40; /* LBA */
	f[8] = (uint8_t)(lba >> 24);
	f[9] = (uint8_t)(sector >> 32);
	f[10] = (uint8_t)(sector >> 40);
	f[12] = (uint8_t)n;
	f[13] = (uint8_t)(n >> 8);
	if (p->lba48 == 0) {
		f[7] |= f[8] & 15;
		f[8] = f[9] = f[10] = f[13] = 0;
	}
	p->list[slot].moved = 0;
	p->list[slot].table = V2P(t);
	p->list[slot].tablehigh = 0;
}

static void
ahcistart(struct blkq *q, struct blkreq *r)
{
	static const uint8_t codes[3][2] = {
		{0xC8, 0x25}, {0xCA, 0x35}, {0xE7, 0xEA}};
	struct port *p = q->priv;
	struct table *t = &p->tables[r->tag];
	uint i, n = 0;
	struct bio *b;

	fillcommand(p, r->tag, codes[r->op][p->lba48],
		r->op == BIO_FLUSH ? 0 : r->sector, r->sectors);
	listeach(b, &r->bios, link) {
		for (i = 0; i < b->nvec; i++) {
			t->prd[n].pa = b->vec[i].pa;
			t->prd[n++].n = b->vec[i].n - 1;
		}
	}
	p->list[r->tag].flags = 5 | n << 16 |
		(r->op == BIO_WRITE ? HEAD_WRITE : 0);
	p->issued |= 1u << r->tag;
	__asm__ volatile("" : : : "memory"); /* before the port sees it */
	p->reg[P_ISSUE] = 1u << r->tag;
}

static void
ahciintr(void *arg)
{
	struct hba *h = arg;
	uint which = h->reg[IS], i;

	for (i = 0; which >> i; i++) {
		if (!(which >> i & 1))
			continue;
		if (h->port[i])
			portintr(h->port[i]);
		else
			h->reg[PORT(i) + P_IS] = ~0u;
		h->reg[IS] = 1u << i;
		if (i == 31)
			break;
	}
}

static void
portintr(struct port *p)
{
	uint why, over, i;

	acquire(&p->q.lock);
	why = p->reg[P_IS];
	p->reg[P_IS] = why;
	over = p->q.resetting ? 0 : p->issued & ~p->reg[P_ISSUE];
	if (why & IS_ERRORS && !p->q.resetting) {
		p->task = p->reg[P_TASK];
		i = CMD_SLOT(p->reg[P_CMD]);
		over &= ~(1u << i);
		blkfail(&p->q, blkrunning(&p->q, i), -EIO);
	} else if (why & IS_CHANGE && (p->reg[P_STATUS] & 15) != PRESENT) {
		blkfail(&p->q, 0, 0);
	}
	p->issued &= ~over;
	for (i = 0; over >> i && i < DEPTH; i++)
		if (over >> i & 1)
			blkdone(&p->q, blkrunning(&p->q, i), 0);
	blkrelease(&p->q);
}

static int
severalissued(struct port *p)
{
	uint left = p->reg[P_ISSUE];

	return (left & (left - 1)) != 0;
}

/* Stop the port, and if the disk is stuck reset it (10.4.2); start again.  QEMU
 * goes on with the other commands after an error, and crashes when it is
 * stopped in one: where more is issued than the one that failed, they get a
 * moment, and are done again. */
static void
ahcireset(struct blkq *q)
{
	struct port *p = q->priv;

	if (p->task && !blkquiet(1))
		printf("%s: status %x, error %x\n", p->dev.name, p->task & 0xFF,
			p->task >> 8 & 0xFF);
	p->task = 0;
	for (int i = 0; i < 10 && severalissued(p); i++)
		blkpause(2);
	if (stopport(p) < 0 || p->reg[P_TASK] & TASK_BUSY) {
		p->reg[P_CTL] = (p->reg[P_CTL] & ~15u) | 1;
		blkpause(2);
		p->reg[P_CTL] &= ~15u;
		blkpause(20);
	}
	acquire(&q->lock);
	p->issued = 0;
	release(&q->lock);
	if (startport(p) < 0)
		p->dev.gone = 1;
}
