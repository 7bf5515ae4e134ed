/*
 * model.c - whole address spaces as a model (model.h), and the kernel's
 * compared with it: every mapping, every word, every slot.
 */
#include "model.h"

#define RAM (24u << 20)

const uint wordoff[NWORD] = {0, 2044, 4092};
struct mproc procs[NPROC];
struct obj files[NFILE];
struct file *rofile;
uint opno;

static int alike(const struct mpage *, const struct mpage *);


void
setup(void)
{
	boot(RAM);
	for (uint i = 0; i < NFILE; i++) {
		struct obj *o = &files[i];

		o->ref = 1;
		o->pc = pcachenew(o, 0);
		objgrow(o, o->n = 10 + i * 400);
		pcachetruncate(o->pc, (uint64_t)o->n << PGSHIFT);
		o->file = filenew(o->pc, O_RDWR);
	}
	rofile = filenew(files[0].pc, O_RDONLY);
}

void
teardown(uint before)
{
	for (struct mproc *p = procs; p < procs + NPROC; p++)
		if (p->u)
			endproc(p);
	check_mm();
	for (uint i = 0; i < NFILE; i++) {
		check(files[i].file->ref == 1 && files[i].ref == 1 &&
			files[i].pc->ref == 1, "file %u: %d references, %d", i,
			files[i].file->ref, files[i].pc->ref);
		pcachefree(files[i].pc);
	}
	check(rofile->ref == 1, "rofile");
	check(listempty(&pclist) && listempty(&uvmlist), "lists");
	check(freeframes() >= before, "%u free frames of %u", freeframes(),
		before);
	check_mm();
}

/* A process as exec makes it. */
void
start(struct mproc *p)
{
	struct mpage pg = {.prot = PROT_READ | PROT_WRITE,
		.flags = VM_GROWSDOWN | VM_STACK | VM_ACCOUNT};

	p->u = newuvm();
	check(p->u != 0, "newuvm");
	check(inituvm(p->u, USERTOP, STACK) == 0, "inituvm");
	for (uint va = USERTOP - (132 << 10); va < USERTOP; va += PGSIZE)
		setpage(p, va, &pg);
	setheap(p->u, HEAP);
	p->brk = HEAP;
}

void
endproc(struct mproc *p)
{
	comparepages(p);
	switchaway(p->u);
	p->u->ref = 1;
	freeuvm(p->u);
	forgetpages(p, 0, USERTOP);
	check(p->npages == 0, "model");
	for (int x = 0; x < 512; x++) {
		hostfree(p->dir[x]);
		p->dir[x] = 0;
	}
	p->u = 0;
}

struct obj *
objnew(uint n)
{
	struct obj *o = hostalloc(sizeof(*o));

	o->n = o->max = n;
	o->w = hostalloc(n * sizeof(o->w[0]));
	return o;
}

void
objgrow(struct obj *o, uint n)
{
	if (n > o->max) {
		o->w = hostrealloc(o->w, n * sizeof(o->w[0]));
		memset(o->w + o->max, 0, (n - o->max) * sizeof(o->w[0]));
		o->max = n;
	}
}

void
objput(struct obj *o)
{
	if (o && --o->ref == 0) {
		hostfree(o->w);
		hostfree(o);
	}
}

/* The page at va; 0: nothing is mapped there (unless make). */
struct mpage *
at(struct mproc *p, uint va, int make)
{
	struct mpage **d = &p->dir[PDX(va) % NELEM(p->dir)];

	if (va >= USERTOP)
		return 0;
	if (*d == 0) {
		if (!make)
			return 0;
		*d = hostalloc(NPTENTRIES * sizeof(**d));
	}
	return make || (*d)[PTX(va)].mapped ? &(*d)[PTX(va)] : 0;
}

void
setpage(struct mproc *p, uint va, const struct mpage *to)
{
	struct mpage *pg = at(p, va, 1);

	check(!pg->mapped, "model: %x is mapped", va);
	*pg = *to;
	pg->mapped = 1;
	p->npages++;
	if (pg->obj)
		pg->obj->ref++;
}

void
forgetpages(struct mproc *p, uint start, uint end)
{
	struct mpage *pg;

	for (uint va = start; va < end; va += PGSIZE) {
		if (p->dir[PDX(va)] == 0) {
			va |= SUPERSIZE - PGSIZE;
			continue;
		}
		pg = at(p, va, 0);
		if (pg == 0)
			continue;
		objput(pg->obj);
		memset(pg, 0, sizeof(*pg));
		p->npages--;
	}
}

/* The words that a load finds, 0: all zero. */
uint *
words(struct mpage *pg)
{
	if (pg->own)
		return pg->w;
	return pg->obj ? pg->obj->w[pg->pgoff] : 0;
}

/* Where the mapping that covers va ends. */
uint
runend(struct mproc *p, uint va)
{
	struct mpage *a = at(p, va, 0), *b;

	for (va = PGROUNDDOWN(va);; a = b) {
		va += PGSIZE;
		b = at(p, va, 0);
		if (!alike(a, b))
			return va;
	}
}

/* Would two neighbours be one mapping? */
static int
alike(const struct mpage *a, const struct mpage *b)
{
	return a && b && a->prot == b->prot && a->flags == b->flags &&
	       a->obj == b->obj && a->file == b->file &&
	       (!a->obj || a->pgoff + 1 == b->pgoff);
}

int
anymapped(struct mproc *p, uint start, uint end)
{
	for (uint va = start; va < end; va += PGSIZE)
		if (p->dir[PDX(va)] == 0)
			va |= SUPERSIZE - PGSIZE;
		else if (at(p, va, 0))
			return 1;
	return 0;
}

/* What a user's access should return. */
int
lookup(struct mproc *p, uint va, int write)
{
	struct mpage *pg = at(p, va, 0);

	if (pg == 0 && growmodel(p, va) == 0)
		pg = at(p, va, 0);
	if (pg == 0)
		return -EFAULT;
	if (pg->prot == PROT_NONE || (write && !(pg->prot & PROT_WRITE)))
		return -EACCES;
	if (pg->obj && !pg->own && pg->pgoff >= pg->obj->n)
		return -EIO;
	return 0;
}

/* A stack above va grows to it, if it may. */
int
growmodel(struct mproc *p, uint va)
{
	uint up, down;
	struct mpage *pg = 0, new;

	va = PGROUNDDOWN(va);
	for (up = va; up < USERTOP && !(pg = at(p, up, 0)); up += PGSIZE)
		if (p->dir[PDX(up)] == 0)
			up |= SUPERSIZE - PGSIZE;
	if (pg == 0 || !(pg->flags & VM_GROWSDOWN) || va < MMAPMIN)
		return -EFAULT;
	if (runend(p, up) - va > STACK)
		return -EFAULT;
	for (down = va - PGSIZE; va - down <= STACKGAP; down -= PGSIZE)
		if (at(p, down, 0) && at(p, down, 0)->prot != PROT_NONE)
			return -EFAULT;
		else if (at(p, down, 0))
			break;
	new = *pg;
	new.own = 0;
	memset(new.w, 0, sizeof(new.w));
	for (; va < up; va += PGSIZE)
		setpage(p, va, &new);
	return 0;
}

/* The slot of a page, whatever it says. */
pte_t
slotof(struct mproc *p, uint va)
{
	pte_t *slot = walkpgdir(p->u->pgdir, va, 0);

	return slot ? *slot : 0;
}

int
kmapped(struct mproc *p, uint va)
{
	return vmaoverlap(p->u, va, va + 1);
}

/* The mappings, one by one. */
void
comparevmas(struct mproc *p)
{
	struct vmainfo v;
	struct mpage *a, *b;
	uint n = 0, last = 0;

	for (uint next = 0; uvmvma(p->u, next, &v); next = v.end) {
		check(v.start >= last && v.start < v.end, "%x-%x", v.start, v.end);
		a = at(p, v.start, 0);
		check(a != 0, "%x-%x: the first page is not mapped", v.start,
			v.end);
		check(a->prot == v.prot && !(a->flags & VM_SHARED) == !v.shared &&
			v.file == a->file,
			"%x: prot %d, not %d, shared %d", v.start, v.prot,
			a->prot, v.shared);
		check(!v.file || v.offset == (uint64_t)a->pgoff << PGSHIFT,
			"%x: page %x of the file, not %x", v.start,
			(uint)(v.offset >> PGSHIFT), a->pgoff);
		check(!alike(at(p, v.start - PGSIZE, 0), a),
			"step %u: %x not merged, flags %x prot %d", opno, v.start,
			a->flags, a->prot);
		for (uint va = v.start + PGSIZE; va < v.end; va += PGSIZE, a = b) {
			b = at(p, va, 0);
			check(alike(a, b), "%x-%x is not one at %x", v.start,
				v.end, va);
		}
		n += (v.end - v.start) >> PGSHIFT;
		last = v.end;
		if (v.file)
			fileclose(v.file);
	}
	check(n == p->npages, "%u pages are mapped, not %u", n, p->npages);
}

/* Each frame that is in a slot holds what it should; no slot is empty whose
 * page had words of its own. */
void
comparepages(struct mproc *p)
{
	uint rss = 0, *w, *kva;
	struct uvmstat st;
	struct mpage *pg;
	pte_t pte;

	for (uint va = 0; va < USERTOP; va += PGSIZE) {
		if (p->dir[PDX(va)] == 0) {
			va |= SUPERSIZE - PGSIZE;
			continue;
		}
		pg = at(p, va, 0);
		pte = slotof(p, va);
		if (pg == 0 || !ptefilled(pte)) {
			check(!ptefilled(pte), "%x: %x outlives its mapping", va,
				pte);
			check(!pg || !pg->own, "%x: contents lost", va);
			continue;
		}
		rss += ptepage(pte) != zeropage;
		check(!(pte & PTE_P) == (pg->prot == PROT_NONE), "%x: pte %x", va,
			pte);
		check(!(pte & PTE_W) || (pg->prot & PROT_WRITE), "%x: pte %x", va,
			pte);
		w = words(pg);
		kva = ram(PTE_ADDR(pte));
		for (int i = 0; i < NWORD; i++)
			check(kva[wordoff[i] / 4] == (w ? w[i] : 0),
				"step %u, %x: pte %x: %x, not %x (flags %x, "
				"page %x of %p, own %d)", opno, va + wordoff[i],
				pte, kva[wordoff[i] / 4], w ? w[i] : 0,
				pg->flags, pg->pgoff, pg->obj, pg->own);
	}
	uvmstat(p->u, &st);
	check(st.rss == rss, "rss %u, not %u", st.rss, rss);
	check(st.size == p->npages, "size %u, not %u", st.size, p->npages);
	check(st.peakrss >= rss && st.peaksize >= st.size, "peaks");
}
