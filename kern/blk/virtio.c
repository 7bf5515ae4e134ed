/*
 * virtio.c - virtio-blk disks, by the legacy interface of virtio 1.1 (4.1.4.8,
 * 2.6, 5.2): registers are ports, the ring's size is the device's choice, and
 * one PCI interrupt line serves all.
 *
 * Each request has a table of its own for the descriptors: what the request is,
 * its pieces of memory, and where the device puts the status.  If the device
 * can, the ring's descriptor points to the table (indirect); else the tables
 * are parts of the ring, which then holds fewer requests.
 */
#include "kern/blk/disk.h"

#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/dev/dev.h"
#include "kern/lib/printf.h"

/* Ports, from base register 0 (4.1.4.8). */
#define FEATURES 0
#define WANTED   4
#define RINGPAGE 8
#define RINGSIZE 12
#define SELECT   14
#define NOTIFY   16
#define STATUS   18
#define ISR      19
#define CONFIG   20 /* struct virtio_blk_config, 5.2.4 */

#define CAPACITY  (CONFIG + 0)
#define MAXPIECES (CONFIG + 12)

#define ST_FOUND  1
#define ST_DRIVER 2
#define ST_OK     4
#define ST_FAILED 128

#define F_MAXPIECES (1u << 2)
#define F_READONLY  (1u << 5)
#define F_FLUSH     (1u << 9)
#define F_INDIRECT  (1u << 28)

#define DESC_NEXT     1
#define DESC_WRITE    2 /* by the device */
#define DESC_INDIRECT 4

#define NTABLE 64 /* descriptors of a table: 1 KiB */
#define DEPTH  32
#define MAXRING 1024

struct desc {
	uint64_t pa;
	uint n;
	uint16_t flags, next;
};

struct avail {
	uint16_t flags, index, ring[];
};

struct used {
	uint16_t flags, index;
	struct {
		uint id, n;
	} ring[];
};

struct head { /* of a request: 5.2.6 */
	uint type, zero;
	uint64_t sector;
	volatile uint8_t status; /* the device writes this */
	uint8_t pad[7];
};

enum { T_IN, T_OUT, T_FLUSH = 4 };

struct vdisk {
	struct blkq q;
	struct blkdev dev;
	struct irqshare irq;
	uint16_t port;
	uint features;       /* that both sides have */
	uint nring;          /* a power of two */
	struct desc *desc;
	volatile struct avail *avail;
	volatile struct used *used;
	uint16_t seen;       /* of used->index [q.lock] */
	struct desc *tables; /* depth of them */
	struct head *heads;
};

static uint ndisk;

static int ready(struct vdisk *v);
static int begin(struct vdisk *v);
static int makering(struct vdisk *v);
static void setring(struct vdisk *v);
static void vstart(struct blkq *q, struct blkreq *r);
static uint filltable(struct vdisk *v, struct blkreq *r, uint base);
static void vkick(struct blkq *q);
static void vreset(struct blkq *q);
static void vintr(void *arg);

static const struct blkops vops = {vstart, vkick, vreset};

void
virtioprobe(const struct pcidev *d)
{
	struct vdisk *v;

	if (d->vendor != 0x1AF4 || d->device != 0x1001 ||
		pciport(d, 0) == 0 || pcienable(d) < 0)
		return;
	v = kzalloc(sizeof(*v));
	if (v == 0)
		return;
	v->port = (uint16_t)pciport(d, 0);
	v->dev.partitions = 16;
	v->dev.rdev = makedev(254, 16 * ndisk);
	diskname(&v->dev, "vd", ndisk);
	v->irq.name = v->q.name = v->dev.name;
	v->irq.handler = vintr;
	v->irq.arg = v;
	if (ready(v) < 0) {
		printf("%s: cannot be used\n", v->dev.name);
		outb(v->port + STATUS, ST_FAILED);
		kmfree(v);
		return;
	}
	ndisk++;
	irqshare(d->irq, &v->irq, 1);
	diskready(&v->dev, "virtio");
}

static int
ready(struct vdisk *v)
{
	struct blkq *q = &v->q;
	int err = begin(v);

	if (err == 0)
		err = makering(v);
	if (err < 0)
		return err;
	setring(v);
	initlock(&q->lock, RANK_DISK);
	q->ops = &vops;
	q->priv = v;
	q->maxvec = NTABLE - 2;
	if (v->features & F_MAXPIECES)
		q->maxvec = MIN(q->maxvec, inl(v->port + MAXPIECES));
	q->maxsectors = 4 * BIOMAX / SECTOR;
	q->tries = 1;
	v->dev.q = q;
	v->dev.readonly = v->features & F_READONLY ? RO_DISK : 0;
	v->dev.sectors = inl(v->port + CAPACITY) |
		(uint64_t)inl(v->port + CAPACITY + 4) << 32;
	if (q->maxvec < BIOVECS)
		return -ENXIO;
	return blkqinit(q);
}

/* Reset the device and agree on features (3.1.1). */
static int
begin(struct vdisk *v)
{
	outb(v->port + STATUS, 0);
	outb(v->port + STATUS, ST_FOUND);
	outb(v->port + STATUS, ST_FOUND | ST_DRIVER);
	v->features = inl(v->port + FEATURES) &
		(F_MAXPIECES | F_READONLY | F_FLUSH | F_INDIRECT);
	outl(v->port + WANTED, v->features);
	return inb(v->port + STATUS) == (ST_FOUND | ST_DRIVER) ? 0 : -ENXIO;
}

/* Memory for the ring, as 2.6.2 lays it out, and for the tables. */
static int
makering(struct vdisk *v)
{
	uint n, first, size;
	int order = 0;
	char *ring;

	outw(v->port + SELECT, 0);
	n = v->nring = inw(v->port + RINGSIZE);
	if (n < NTABLE || n > MAXRING || (n & (n - 1)))
		return -ENXIO;
	first = PGROUNDUP(n * sizeof(struct desc) + 6 + 2 * n);
	size = first + PGROUNDUP(6 + 8 * n);
	while ((uint)PGSIZE << order < size)
		order++;
	v->q.depth = v->features & F_INDIRECT ? DEPTH : n / NTABLE;
	ring = kallocs(order);
	v->heads = kmalloc(v->q.depth * sizeof(*v->heads));
	v->desc = v->tables = (struct desc *)ring;
	if (v->features & F_INDIRECT)
		v->tables = kmalloc(v->q.depth * NTABLE * sizeof(struct desc));
	if (ring && v->heads && v->tables) {
		v->avail = (void *)(ring + n * sizeof(struct desc));
		v->used = (void *)(ring + first);
		return 0;
	}
	if (v->tables != v->desc)
		kmfree(v->tables);
	kmfree(v->heads);
	if (ring)
		kfrees(ring, order);
	return -ENOMEM;
}

/* Empty the ring and let the device go. */
static void
setring(struct vdisk *v)
{
	uint bytes = (char *)v->used - (char *)v->desc;

	stosl(v->desc, 0, bytes / 4);
	stosl((void *)v->used, 0, (6 + 8 * v->nring) / 4);
	v->seen = 0;
	outw(v->port + SELECT, 0);
	outl(v->port + RINGPAGE, V2P(v->desc) >> PGSHIFT);
	outb(v->port + STATUS, ST_FOUND | ST_DRIVER | ST_OK);
}

static void
vstart(struct blkq *q, struct blkreq *r)
{
	static const uint types[] = {T_IN, T_OUT, T_FLUSH};
	struct vdisk *v = q->priv;
	struct head *h = &v->heads[r->tag];
	uint i = r->tag, n;

	if (r->op == BIO_FLUSH && !(v->features & F_FLUSH)) {
		blkdone(q, r, 0); /* it has no cache */
		return;
	}
	h->type = types[r->op];
	h->zero = 0;
	h->sector = r->op == BIO_FLUSH ? 0 : r->sector;
	h->status = 0xFF;
	if (v->features & F_INDIRECT) {
		n = filltable(v, r, 0);
		v->desc[i].pa = V2P(v->tables + i * NTABLE);
		v->desc[i].n = n * sizeof(struct desc);
		v->desc[i].flags = DESC_INDIRECT;
	} else {
		i *= NTABLE;
		filltable(v, r, i);
	}
	v->avail->ring[v->avail->index % v->nring] = (uint16_t)i;
	__asm__ volatile("" : : : "memory"); /* the entry before the index */
	v->avail->index++;
}

/* Describe the request in its table, whose descriptors have numbers from base
 * on: how many. */
static uint
filltable(struct vdisk *v, struct blkreq *r, uint base)
{
	uint to = r->op == BIO_READ ? DESC_WRITE | DESC_NEXT : DESC_NEXT;
	struct desc *t = v->tables + r->tag * NTABLE;
	uint head = V2P(&v->heads[r->tag]), n = 0, i;
	struct bio *b;

	t[n++] = (struct desc){head, 16, DESC_NEXT, 0};
	listeach(b, &r->bios, link) {
		for (i = 0; i < b->nvec; i++)
			t[n++] = (struct desc){b->vec[i].pa, b->vec[i].n,
				(uint16_t)to, 0};
	}
	t[n++] = (struct desc){head + 16, 1, DESC_WRITE, 0};
	for (i = 0; i + 1 < n; i++)
		t[i].next = (uint16_t)(base + i + 1);
	return n;
}

/* Tell the device that there is something in the ring. */
static void
vkick(struct blkq *q)
{
	struct vdisk *v = q->priv;

	outw(v->port + NOTIFY, 0);
}

/* A time-out: begin again with an empty ring. */
static void
vreset(struct blkq *q)
{
	struct vdisk *v = q->priv;

	acquire(&q->lock);
	if (begin(v) < 0)
		v->dev.gone = 1;
	else
		setring(v);
	release(&q->lock);
}

static void
vintr(void *arg)
{
	struct vdisk *v = arg;
	struct blkq *q = &v->q;
	struct blkreq *r;
	uint tag;

	if (!(inb(v->port + ISR) & 1))
		return;
	acquire(&q->lock);
	while (v->seen != v->used->index) {
		__asm__ volatile("" : : : "memory");
		tag = v->used->ring[v->seen++ % v->nring].id;
		if (!(v->features & F_INDIRECT))
			tag /= NTABLE;
		r = blkrunning(q, tag);
		if (r)
			blkdone(q, r, v->heads[tag].status ? -EIO : 0);
	}
	blkrelease(q);
}
