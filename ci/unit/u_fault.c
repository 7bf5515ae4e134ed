/*
 * u_fault.c - whole address spaces on two simulated CPUs, against a model.
 *
 * The model has no page tables, no frames and no copy-on-write: per process a
 * table that says for each page what is mapped there and, if the process has
 * written to private memory, its words; per object its words.  Every value
 * read, every error and every mapping is compared with it.
 *
 * Three words of a page stand for its contents.  Allocations fail at random;
 * an operation that returns -ENOMEM has changed nothing.  Where mm/ may have
 * stopped half-way (mprotect, madvise, a stack that had grown) the model looks
 * at what was done, page by page, and only that.
 */
#include "unit.h"

#define RAM    (24u << 20)
#define NPROC  8
#define NOBJ   400 /* shared objects alive */
#define NFILE  3
#define NSPOT  48  /* ranges worth going to again */
#define NWORD  3
#define LOWMEM 160 /* free frames below which -ENOMEM is no surprise */

#define ARENA   0x10200000u /* MAP_FIXED goes here: four tables, two partly */
#define ARENASZ (12u << 20)
#define HEAP    0x20300000u
#define STACK   (1024 * PGSIZE)

static const uint wordoff[NWORD] = {0, 2044, 4092};

struct obj { /* what shared mappings and files show */
	int ref; /* pages of processes, and the table of files */
	struct file *file;
	struct pcache *pc;
	uint n, max; /* pages that exist; that w has room for */
	uint (*w)[NWORD];
};

struct mpage { /* one page of a process */
	uint8_t mapped, prot, flags, own; /* own: w counts, not the object */
	struct obj *obj;
	struct file *file;
	uint pgoff;
	uint w[NWORD];
};

struct mproc {
	struct uvm *u; /* 0: a free slot */
	struct mpage *dir[512];
	uint npages;
	uint brk;
};

static struct mproc procs[NPROC], *cur;
static struct obj files[NFILE];
static struct file *rofile; /* files[0] again, opened read-only */
static struct {
	uint va, n;
} spots[NSPOT];
static uint fails0; /* nfailed when the operation began */
static struct mproc *halfway; /* mapped something the model knows not yet */
static uint opno, hooked, done[16], refused;

static struct mpage *at(struct mproc *, uint va, int make);
static void setpage(struct mproc *, uint va, const struct mpage *);
static void forgetpages(struct mproc *, uint start, uint end);
static uint *words(struct mpage *);
static int alike(const struct mpage *, const struct mpage *);
static uint runend(struct mproc *, uint va);
static int anymapped(struct mproc *, uint start, uint end);
static int lookup(struct mproc *, uint va, int write);
static int growmodel(struct mproc *, uint va);
static void touch(struct mproc *, uint va, int write);

/* --- the model ------------------------------------------------------- */

/* The page at va; 0: nothing is mapped there (unless make). */
static struct mpage *
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

static void
objput(struct obj *o)
{
	if (o && --o->ref == 0) {
		hostfree(o->w);
		hostfree(o);
	}
}

static void
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

static void
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
static uint *
words(struct mpage *pg)
{
	if (pg->own)
		return pg->w;
	return pg->obj ? pg->obj->w[pg->pgoff] : 0;
}

/* Would two neighbours be one mapping? */
static int
alike(const struct mpage *a, const struct mpage *b)
{
	return a && b && a->prot == b->prot && a->flags == b->flags &&
	       a->obj == b->obj && a->file == b->file &&
	       (!a->obj || a->pgoff + 1 == b->pgoff);
}

/* Where the mapping that covers va ends. */
static uint
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

static int
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
static int
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
static int
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

/* --- comparing ------------------------------------------------------- */

/* Free frames that the direct map reaches: tables and caches live there. */
static uint
lowfree(void)
{
	uint n = 0;

	for (uint i = 0; i < MIN(npages, DIRECTMAX >> PGSHIFT); i++)
		n += pages[i].state == PG_FREE || pages[i].state == PG_CPU;
	return n;
}

/* May the operation have run out of memory?  More than a page of pointers to
 * mappings has to be in one piece, of which there may be none. */
static int
nomem(void)
{
	return nfailed != fails0 || lowfree() < LOWMEM ||
	       (cur && cur->u && cur->u->nvma > 1000);
}

static void
begin(uint op)
{
	done[op]++;
	fails0 = nfailed;
	failnext = oneof(6) ? 1 + rnd(5) : 0;
}

static void
finish(int r)
{
	failnext = 0;
	if (r == -ENOMEM) {
		refused++;
		check(nomem(), "-ENOMEM with %u frames free", lowfree());
	}
}

/* The slot of a page, whatever it says. */
static pte_t
slotof(struct mproc *p, uint va)
{
	pte_t *slot = walkpgdir(p->u->pgdir, va, 0);

	return slot ? *slot : 0;
}

static int
kmapped(struct mproc *p, uint va)
{
	return vmafind(p->u, va) != 0;
}

/* An attempt at va ran out of memory, but a stack may have grown to it. */
static void
stackgrown(struct mproc *p, uint va)
{
	if (!at(p, va, 0) && kmapped(p, va))
		check(growmodel(p, va) == 0, "%x should not be mapped", va);
}

/* The mappings, one by one. */
static void
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
static void
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

/* --- operations ------------------------------------------------------ */

static struct mproc *
someproc(void)
{
	struct mproc *p;

	do
		p = &procs[rnd(NPROC)];
	while (p->u == 0);
	return p;
}

static struct mproc *
freeslot(void)
{
	for (struct mproc *p = procs; p < procs + NPROC; p++)
		if (p->u == 0)
			return p;
	return 0;
}

static void
visit(uint va, uint len)
{
	uint i = rnd(NSPOT);

	spots[i].va = va;
	spots[i].n = MAX(1, len >> PGSHIFT);
}

/* A page where something is or was, or next to it. */
static uint
someva(void)
{
	uint i = rnd(NSPOT), n = spots[i].n, r = rnd(8);
	uint off = r < 4 ? rnd(MIN(n, 12)) : r < 6 ? rnd(n) : r == 6 ? n - 1 : n;

	if (oneof(60))
		return rnd(2) ? rnd(USERTOP >> PGSHIFT) << PGSHIFT
			      : USERTOP - rnd(1200) * PGSIZE;
	return spots[i].va + off * PGSIZE - (oneof(20) ? PGSIZE : 0);
}

static uint
somelen(void)
{
	return PGSIZE * (oneof(40) ? 1 + rnd(2400) : oneof(4) ? 1 + rnd(300)
							    : 1 + rnd(9));
}

/* One load or store of one word, as a user program. */
static void
touch(struct mproc *p, uint va, int write)
{
	uint i = rnd(NWORD), v = rnd(1u << 31), *w;
	int want, r;
	void *kva;
	struct mpage *pg;

	va = PGROUNDDOWN(va);
	r = useraccess(p->u, va + wordoff[i], write, &kva);
	if (r == -ENOMEM) {
		stackgrown(p, va);
		return;
	}
	want = lookup(p, va, write);
	check(r == want, "%s of %x: %d, not %d", write ? "write" : "read", va, r,
		want);
	if (r < 0)
		return;
	pg = at(p, va, 0);
	w = words(pg);
	check(*(uint *)kva == (w ? w[i] : 0), "%x: %x, not %x", va + wordoff[i],
		*(uint *)kva, w ? w[i] : 0);
	if (!write)
		return;
	*(uint *)kva = v;
	if (!(pg->flags & VM_SHARED) && !pg->own) {
		if (w)
			memcpy(pg->w, w, sizeof(pg->w));
		else
			memset(pg->w, 0, sizeof(pg->w));
		pg->own = 1;
	}
	words(pg)[i] = v;
}

static void
opaccess(struct mproc *p)
{
	uint va = someva();
	int write = rnd(2);

	begin(0);
	touch(p, va, write);
	failnext = 0;
	for (int n = oneof(10) ? rnd(40) : rnd(3); n > 0; n--)
		touch(p, va += PGSIZE, write);
}

/* The kernel's hand in the memory of a process, over page ends. */
static void
opcopy(struct mproc *p)
{
	uint va = PGROUNDDOWN(someva()) + 4092, old[2] = {0, 0}, new[2], *w;
	uint was[2] = {0, 0}; /* another may store while we read (hook) */
	int write = rnd(2), r, want = 0;
	struct mpage *pg;

	if (va >= USERTOP - 2 * PGSIZE)
		return;
	new[0] = rnd(1u << 30);
	new[1] = rnd(1u << 30);
	for (int i = 0; i < 2; i++)
		if ((pg = at(p, va + 4 * i, 0)) && (w = words(pg)))
			was[i] = w[i ? 0 : 2];
	begin(1);
	r = write ? uvmwrite(p->u, va, new, 8) : uvmread(p->u, va, old, 8);
	finish(r);
	for (int i = 0; i < 2; i++, va += 4) {
		if (want == 0 && (r != -ENOMEM || kmapped(p, va)))
			want = lookup(p, va, write);
		if (r == -ENOMEM) { /* how far did it come? */
			pg = at(p, va, 0);
			if (!pg || !write || want < 0)
				continue;
			if (!ptefilled(slotof(p, va)) ||
				((uint *)ram(PTE_ADDR(slotof(p, va))))[
					va % PGSIZE / 4] != new[i])
				continue;
		}
		if (want < 0)
			continue;
		pg = at(p, va, 0);
		w = words(pg);
		if (!write) {
			if (r == 0)
				check(old[i] == (w ? w[i ? 0 : 2] : 0) ||
						old[i] == was[i],
					"%x: %x", va, old[i]);
			continue;
		}
		if (!(pg->flags & VM_SHARED) && !pg->own) {
			memset(pg->w, 0, sizeof(pg->w));
			if (w)
				memcpy(pg->w, w, sizeof(pg->w));
			pg->own = 1;
		}
		words(pg)[i ? 0 : 2] = new[i];
	}
	if (r != -ENOMEM)
		check(r == (want ? -EFAULT : 0), "%x: %d, not %d", va, r, want);
}

static struct obj *
objnew(uint n)
{
	struct obj *o = hostalloc(sizeof(*o));

	o->n = o->max = n;
	o->w = hostalloc(n * sizeof(o->w[0]));
	return o;
}

static void
objgrow(struct obj *o, uint n)
{
	if (n > o->max) {
		o->w = hostrealloc(o->w, n * sizeof(o->w[0]));
		memset(o->w + o->max, 0, (n - o->max) * sizeof(o->w[0]));
		o->max = n;
	}
}

/* Private pages of a file that were copied at once, by MAP_POPULATE.  What they
 * were then is what they are, for the file may have changed meanwhile. */
static void
copied(struct mproc *p, uint start, uint end)
{
	struct mpage *pg;
	pte_t pte;

	for (uint va = start; va < end; va += PGSIZE) {
		pg = at(p, va, 0);
		pte = slotof(p, va);
		if (!pg->obj || (pg->flags & VM_SHARED) || !ptefilled(pte) ||
			ptepage(pte)->state != PG_ANON)
			continue;
		for (int i = 0; i < NWORD; i++)
			pg->w[i] = *(uint *)ram(PTE_ADDR(pte) + wordoff[i]);
		pg->own = 1;
	}
}

static void
opmmap(struct mproc *p)
{
	uint len = somelen(), va = ARENA + rnd(ARENASZ >> PGSHIFT) * PGSIZE;
	uint off = 0, prot = "\0\1\3\3\3\3\5\2"[rnd(8)];
	int flags = oneof(3) ? MAP_SHARED : MAP_PRIVATE, r, want = 0;
	struct mpage pg = {.prot = prot};
	struct file *f = 0;

	if (oneof(3))
		va = someva();
	if (oneof(2))
		flags |= MAP_FIXED;
	else if (oneof(3))
		flags |= MAP_FIXED_NOREPLACE;
	if (oneof(3)) {
		uint i = rnd(NFILE);

		f = i == 0 && oneof(2) ? rofile : files[i].file;
		pg.obj = &files[i];
		off = rnd(files[i].n);
		pg.pgoff = off;
	} else if (oneof(10) && !(flags & MAP_SHARED)) {
		flags |= MAP_GROWSDOWN;
		len = MIN(len, 8 * PGSIZE);
	}
	if (oneof(20))
		flags |= MAP_POPULATE;
	if (flags & MAP_SHARED)
		pg.flags |= VM_SHARED;
	else if (prot & PROT_WRITE)
		pg.flags |= VM_ACCOUNT;
	if (flags & MAP_GROWSDOWN)
		pg.flags |= VM_GROWSDOWN;
	if ((f && f != rofile) || (!f && (flags & MAP_SHARED)))
		pg.flags |= VM_MAYWRITE;
	pg.file = f;
	if (f == rofile && f && (flags & MAP_SHARED) && (prot & PROT_WRITE))
		want = -EACCES;
	else if ((flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) &&
		 (va > USERTOP - len))
		want = -ENOMEM;
	else if ((flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) && va < USERBASE)
		want = -EPERM;
	else if ((flags & (MAP_FIXED_NOREPLACE | MAP_FIXED)) ==
			 MAP_FIXED_NOREPLACE &&
		 anymapped(p, va, va + len))
		want = -EEXIST;
	begin(2);
	halfway = p;
	r = kmmap(p->u, va, len - rnd(PGSIZE), prot, flags, f,
		(uint64_t)off << PGSHIFT);
	halfway = 0;
	if (want != -ENOMEM || r != -ENOMEM)
		finish(r);
	failnext = 0;
	if (r == -ENOMEM)
		return;
	check(r < 0 || want == 0, "%d, not %d", r, want);
	check(r >= 0 || r == want, "%d, not %d", r, want);
	if (r < 0)
		return;
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
		check((uint)r == va, "%x, not %x", r, va);
	else
		check(!anymapped(p, r, r + len) && r >= MMAPMIN, "%x is taken", r);
	va = r;
	forgetpages(p, va, va + len);
	if (!f && (flags & MAP_SHARED))
		pg.obj = objnew(len >> PGSHIFT);
	for (uint i = 0; i < len; i += PGSIZE, pg.pgoff += pg.obj != 0)
		setpage(p, va + i, &pg);
	if (pg.obj) /* a file is asked for beyond its end, too */
		objgrow(pg.obj, pg.pgoff);
	if (flags & MAP_POPULATE)
		copied(p, va, va + len);
	visit(va, len);
}

static void
opmunmap(struct mproc *p)
{
	uint va = someva(), len = somelen();
	int r;

	if (va > USERTOP - len)
		return;
	begin(3);
	r = kmunmap(p->u, va, len);
	finish(r);
	check(r == 0 || r == -ENOMEM, "%d", r);
	if (r == 0)
		forgetpages(p, va, va + len);
}

/* Private memory that becomes writable is promised. */
static void
protectmodel(struct mproc *p, uint va, int prot)
{
	struct mpage *pg = at(p, va, 0);

	if ((prot & ~pg->prot & PROT_WRITE) && !(pg->flags & VM_SHARED))
		pg->flags |= VM_ACCOUNT;
	pg->prot = prot;
}

static void
opmprotect(struct mproc *p)
{
	uint va = someva(), len = somelen(), end, stop;
	int prot = "\0\1\3\3\3\5"[rnd(6)], r, want = 0;
	struct mpage *pg;
	struct vma *v;

	if (va > USERTOP - len)
		return;
	end = va + len;
	begin(4);
	r = kmprotect(p->u, va, len, prot);
	failnext = 0;
	for (stop = va; stop < end && want == 0; stop += PGSIZE) {
		pg = at(p, stop, 0);
		if (pg == 0)
			want = -ENOMEM;
		else if ((prot & PROT_WRITE) && (pg->flags & VM_SHARED) &&
			 !(pg->flags & VM_MAYWRITE) && pg->prot != prot)
			want = -EACCES;
		if (want)
			break;
	}
	if (r == -ENOMEM && nomem()) {
		/* up to some mapping's end it has been done */
		for (; va < stop && (v = vmafind(p->u, va)); va += PGSIZE) {
			if (v->prot != prot)
				break;
			protectmodel(p, va, prot);
		}
		return;
	}
	check(r == want || (r == -ENOMEM && nomem()), "%d, not %d", r, want);
	for (; va < stop; va += PGSIZE)
		protectmodel(p, va, prot);
}

static void
opmadvise(struct mproc *p)
{
	uint va = someva(), len = somelen();
	int r, hole = 0, partly;
	struct mpage *pg;

	if (va > USERTOP - len)
		return;
	begin(5);
	r = kmadvise(p->u, va, len, MADV_DONTNEED);
	failnext = 0;
	partly = r == -ENOMEM && nomem();
	for (uint end = va + len; va < end; va += PGSIZE) {
		pg = at(p, va, 0);
		hole |= pg == 0;
		if (pg && (!partly || !ptefilled(slotof(p, va))))
			pg->own = 0;
		if (pg && !partly)
			check(!ptefilled(slotof(p, va)), "%x is still there", va);
	}
	check(r == (hole ? -ENOMEM : 0) || (r == -ENOMEM && nomem()), "%d", r);
}

/* Pages that mremap adds or moves: page i of the new mapping. */
static struct mpage
moved(struct mproc *p, uint addr, uint i, uint oldlen)
{
	struct mpage pg;

	if (i * PGSIZE < oldlen)
		return *at(p, addr + i * PGSIZE, 0);
	pg = *at(p, addr, 0);
	pg.own = 0;
	pg.pgoff += pg.obj ? i : 0;
	return pg;
}

static void
opmremap(struct mproc *p)
{
	uint va = someva(), oldlen = somelen(), newlen = somelen(), to = 0, n;
	int flags = rnd(4), r, want = 0;
	struct mpage *pg = at(p, va, 0), *copy;
	uint end = pg ? runend(p, va) : 0;

	if (pg && oneof(2))
		oldlen = MIN(oldlen, end - va);
	if (oneof(8))
		oldlen = 0;
	if (flags & MREMAP_FIXED) {
		to = oneof(2) ? someva() : ARENA + rnd(ARENASZ >> PGSHIFT) * PGSIZE;
		if (!(flags & MREMAP_MAYMOVE) || to < USERBASE ||
			to > USERTOP - newlen ||
			(va < to + newlen && to < va + oldlen))
			want = -EINVAL;
	}
	if (want == 0) {
		if (pg == 0 || oldlen > end - va)
			want = -EFAULT;
		else if (oldlen == 0 && !(pg->flags & VM_SHARED))
			want = -EINVAL;
	}
	begin(6);
	r = kmremap(p->u, va, oldlen, newlen, flags, to);
	failnext = 0;
	if (r == -ENOMEM && nomem()) {
		/* as on Linux, what MREMAP_FIXED replaces may be gone */
		if ((flags & MREMAP_FIXED) && want == 0) {
			for (n = 0; n < newlen; n += PGSIZE)
				if (at(p, to + n, 0) && !kmapped(p, to + n))
					break;
			if (n < newlen)
				forgetpages(p, to, to + newlen);
		}
		return;
	}
	if (want) {
		check(r == want, "%d, not %d", r, want);
		return;
	}
	if (!(flags & MREMAP_FIXED) && newlen <= oldlen) {
		check((uint)r == va, "shrink: %x", r);
		forgetpages(p, va + newlen, va + oldlen);
		return;
	}
	if (!(flags & MREMAP_FIXED) && oldlen && end == va + oldlen &&
		newlen <= USERTOP - va && !anymapped(p, end, va + newlen)) {
		check((uint)r == va, "grow: %x", r);
		to = va;
		va = end; /* nothing leaves its place */
	} else if (!(flags & MREMAP_MAYMOVE)) {
		check(r == -ENOMEM, "%x, may not move", r);
		return;
	} else if (r == -ENOMEM) {
		check(0, "no room for %x", newlen);
	} else if (flags & MREMAP_FIXED) {
		check((uint)r == to, "%x, not %x", r, to);
	} else {
		check(!anymapped(p, r, r + newlen), "%x is taken", r);
		to = r;
	}
	n = newlen >> PGSHIFT;
	copy = hostalloc(n * sizeof(*copy));
	for (uint i = 0; i < n; i++)
		copy[i] = moved(p, to == va || va == end ? to : va, i, oldlen);
	if (va != end || oldlen == 0) {
		for (uint i = 0; i < n; i++)
			copy[i].flags &= ~(VM_HEAP | VM_STACK);
		if (copy[0].obj)
			copy[0].obj->ref++;
		if (oldlen)
			forgetpages(p, va, va + oldlen);
		forgetpages(p, to, to + newlen);
	} else {
		if (copy[0].obj)
			copy[0].obj->ref++;
		forgetpages(p, to, to + oldlen);
	}
	for (uint i = 0; i < n; i++)
		setpage(p, to + i * PGSIZE, &copy[i]);
	if (copy[0].obj) {
		objgrow(copy[0].obj, copy[n - 1].pgoff + 1);
		if (!copy[0].file)
			copy[0].obj->n = MAX(copy[0].obj->n,
				copy[n - 1].pgoff + 1);
		objput(copy[0].obj);
	}
	hostfree(copy);
	visit(to, newlen);
}

static void
opbrk(struct mproc *p)
{
	uint brk = HEAP + rnd(oneof(10) ? 6 << 20 : 40 * PGSIZE) - rnd(9), r;
	uint oldend = PGROUNDUP(p->brk), newend = PGROUNDUP(brk);
	struct mpage pg = {.prot = PROT_READ | PROT_WRITE, .flags = VM_HEAP |
							VM_ACCOUNT};

	if (oneof(4)) {
		brk = HEAP; /* all of it goes */
		newend = PGROUNDUP(brk);
	}
	begin(7);
	r = growheap(p->u, brk);
	failnext = 0;
	if (r == p->brk && r != brk) {
		check(nomem() || brk < HEAP ||
			(newend > oldend &&
				anymapped(p, oldend, newend + PGSIZE)),
			"brk %x refused", brk);
		return;
	}
	check(r == brk && brk >= HEAP, "brk %x, not %x", r, brk);
	p->brk = brk;
	if (newend < oldend)
		forgetpages(p, newend, oldend);
	for (; oldend < newend; oldend += PGSIZE)
		setpage(p, oldend, &pg);
	visit(HEAP, 40 * PGSIZE);
}

static void
opfork(struct mproc *p)
{
	struct mproc *q = freeslot();

	if (q == 0)
		return;
	begin(8);
	q->u = copyuvm(p->u);
	failnext = 0;
	if (q->u == 0) {
		check(nomem(), "copyuvm of %d mappings, %u frames free",
			p->u->nvma, lowfree());
		return;
	}
	q->npages = p->npages;
	q->brk = p->brk;
	for (int x = 0; x < 512; x++) {
		if (p->dir[x] == 0)
			continue;
		q->dir[x] = hostalloc(NPTENTRIES * sizeof(struct mpage));
		memcpy(q->dir[x], p->dir[x], NPTENTRIES * sizeof(struct mpage));
		for (int i = 0; i < NPTENTRIES; i++)
			if (q->dir[x][i].obj)
				q->dir[x][i].obj->ref++;
	}
}

/* A process as exec makes it. */
static void
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
	visit(USERTOP - (140 << 10), 140 << 10);
}

static void
opexit(struct mproc *p)
{
	comparepages(p);
	done[9]++;
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

static void
oplast(struct mproc *p)
{
	uint n = 0;

	for (int i = 0; i < NPROC; i++)
		n += procs[i].u != 0;
	if (n > 1)
		opexit(p);
}

/* The file ends after n pages: nobody sees more, not even copies of his own. */
static void
cutfile(struct obj *o, uint n)
{
	struct mpage *pg;

	check(pcachetruncate(o->pc, (uint64_t)n << PGSHIFT) == 0, "truncate");
	for (; o->n > n; o->n--)
		memset(o->w[o->n - 1], 0, sizeof(o->w[0]));
	for (struct mproc *p = procs; p < procs + NPROC; p++)
		for (uint x = 0; p->u && x < NELEM(p->dir); x++)
			for (uint i = 0; p->dir[x] && i < NPTENTRIES; i++) {
				pg = &p->dir[x][i];
				if (pg->mapped && pg->obj == o && pg->pgoff >= n)
					pg->own = 0;
			}
}

/* write(2) to a file that may be mapped anywhere; sometimes it gets longer. */
static void
opfile(struct mproc *p)
{
	struct obj *o = &files[rnd(NFILE)];
	uint i = rnd(o->n), k = rnd(NWORD), v = rnd(1u << 31);
	struct uio io = {.addr = (uint)&v, .n = 4, .kernel = 1};
	int r;

	(void)p;
	if (oneof(20) && o->n < 600) {
		check(pcachetruncate(o->pc, (uint64_t)(o->n + 5) << PGSHIFT) == 0,
			"truncate");
		objgrow(o, o->n + 5);
		o->n += 5;
		return;
	}
	if (oneof(15) && o->n > 3) {
		cutfile(o, o->n - 1 - rnd(o->n / 2));
		return;
	}
	if (oneof(10))
		objclean(o->pc, i, i + rnd(50));
	begin(10);
	r = pcachewrite(o->pc, &io, ((uint64_t)i << PGSHIFT) + wordoff[k]);
	finish(r);
	check(r == 4 || r == -ENOMEM, "%d", r);
	if (r == 4)
		o->w[i][k] = v;
}

/* Have threads from now on, or none: the former fault with the lock shared. */
static void
opthreads(struct mproc *p)
{
	p->u->ref = 1 + rnd(2);
}

/* In the middle of one process's fault another one runs, or a sibling thread
 * (opthreads) on the other CPU. */
static void
hook(void)
{
	static void *buf[5];
	static struct mproc *p; /* static: they outlive the long jump */
	static int cpu, fails;
	static uint was;

	if (cur == 0 || rnd(12))
		return;
	cpu = thiscpu;
	fails = failnext;
	was = nfailed;
	p = someproc();
	if (p == halfway || (p->u->lock.state & RW_WRITER))
		return;
	allochook = 0;
	failnext = 0;
	oncpu(!cpu);
	if (__builtin_setjmp(buf) == 0) {
		waits = buf;
		touch(p, someva(), rnd(2));
	}
	waits = 0;
	oncpu(cpu);
	hooked++;
	nfailed = was;
	failnext = fails;
	allochook = hook;
}

static void
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

static void
teardown(uint before)
{
	for (struct mproc *p = procs; p < procs + NPROC; p++)
		if (p->u)
			opexit(p);
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

static void
random_ops(void)
{
	static void (*const op[])(struct mproc *) = {opmmap, opmmap, opmmap,
		opmunmap, opmprotect, opmprotect, opmadvise, opmremap, opmremap,
		opbrk, opfork, opcopy, opcopy, opfile, opfile, opthreads};
	uint before;

	setup();
	before = freeframes();
	for (uint i = 0; i < NSPOT; i++)
		visit(ARENA, ARENASZ);
	start(&procs[0]);
	allochook = hook;
	for (opno = 0; opno < (steps ? steps : 100000); opno++) {
		struct mproc *p = cur = someproc();

		oncpu(rnd(2));
		if (opno % 8 == 0 && lowfree() < 3 * LOWMEM)
			oplast(p);
		else if (oneof(2))
			opaccess(p);
		else if (oneof(60))
			oplast(p);
		else
			op[rnd(NELEM(op))](p);
		tlbcheck();
		if (opno % 64 == 0)
			comparevmas(someproc());
		if (opno % 128 == 0)
			comparepages(someproc());
		if (opno % 2048 == 0)
			check_mm();
	}
	cur = 0;
	allochook = 0;
	teardown(before);
	check(refused > 100 && hooked > 100, "%u refusals, %u hooks", refused,
		hooked);
}

/* --- cases drawn by hand --------------------------------------------- */

static struct page *faster; /* what somebody else installs */

static void
install(void)
{
	pte_t *slot = walkpgdir(cur->u->pgdir, ARENA, 0);

	allochook = 0;
	faster = allocanon();
	*(uint *)ram(pagepa(faster)) = 4711;
	acquire(&tablepage(slot)->lock);
	check(!ptefilled(*slot), "filled");
	setslot(slot, pagepa(faster) | PTE_P | PTE_U | PTE_W | PTE_A | PTE_D);
	release(&tablepage(slot)->lock);
}

/* The slot changes while a fault prepares its page: the other's page stays. */
static void
slot_changed_meanwhile(void)
{
	void *kva;

	setup();
	start(&procs[0]);
	cur = &procs[0];
	check(kmmap(cur->u, ARENA, 2 * PGSIZE, 3, MAP_PRIVATE | MAP_FIXED, 0, 0) ==
		(int)ARENA, "mmap");
	check(useraccess(cur->u, ARENA + PGSIZE, 0, &kva) == 0, "a table");
	allochook = install;
	check(useraccess(cur->u, ARENA, 1, &kva) == 0, "write");
	check(kva == ram(pagepa(faster)) && *(uint *)kva == 4711,
		"the page that was there first is gone");
	check_mm();
}

/* fork; both write: copies are made once, and the last owner keeps its own. */
static void
counts_after_fork(void)
{
	struct uvm *a, *b;
	void *kva;

	setup();
	a = newuvm();
	check(kmmap(a, ARENA, 8 * PGSIZE, 3, MAP_PRIVATE | MAP_FIXED, 0, 0) ==
		(int)ARENA, "mmap");
	for (uint i = 0; i < 8; i++)
		check(useraccess(a, ARENA + i * PGSIZE, 1, &kva) == 0, "write");
	b = copyuvm(a);
	check(vmstat(VM_TABLECOPY) == 0 && vmstat(VM_COWCOPY) == 0, "fork copies");
	check(useraccess(b, ARENA, 0, &kva) == 0, "read");
	check(vmstat(VM_TABLECOPY) == 0, "a read copies the table");
	check(useraccess(b, ARENA, 1, &kva) == 0, "write");
	check(vmstat(VM_TABLECOPY) == 1 && vmstat(VM_COWCOPY) == 1,
		"%u tables, %u pages copied", vmstat(VM_TABLECOPY),
		vmstat(VM_COWCOPY));
	check(useraccess(a, ARENA, 1, &kva) == 0, "write");
	check(vmstat(VM_TABLECOPY) == 1 && vmstat(VM_COWCOPY) == 1 &&
		vmstat(VM_TABLEREUSE) == 1 && vmstat(VM_COWREUSE) == 1,
		"the last owner copied");
	check_mm();
	switchaway(b);
	freeuvm(b);
	for (uint i = 0; i < 8; i++)
		check(useraccess(a, ARENA + i * PGSIZE, 1, &kva) == 0, "write");
	check(vmstat(VM_COWCOPY) == 1, "sole owner copied");
	check_mm();
}

/* A shared table of which all mappings go is let go of whole: the CPU forgets
 * it, and the other process keeps it. */
static void
munmap_after_fork(void)
{
	struct uvm *a, *b;
	void *kva;
	uint v;

	setup();
	a = newuvm();
	check(kmmap(a, ARENA, 8 * PGSIZE, 3, MAP_PRIVATE | MAP_FIXED, 0, 0) > 0,
		"mmap");
	for (uint i = 0; i < 8; i++)
		check(uvmwrite(a, ARENA + i * PGSIZE, &i, 4) == 0, "write");
	b = copyuvm(a);
	for (uint i = 0; i < 8; i++)
		check(useraccess(a, ARENA + i * PGSIZE, 0, &kva) == 0, "read");
	check(kmunmap(a, ARENA, 8 * PGSIZE) == 0, "munmap");
	check(vmstat(VM_TABLECOPY) == 0, "copied a table to empty it");
	tlbcheck();
	check(useraccess(a, ARENA, 0, &kva) == -EFAULT, "still mapped");
	for (uint i = 0; i < 8; i++)
		check(uvmread(b, ARENA + i * PGSIZE, &v, 4) == 0 && v == i,
			"page %u: %u", i, v);
	check_mm();
}

/* Two mappings are replaced by one that moves there: none is forgotten. */
static void
mremap_over_two(void)
{
	struct uvm *u;
	uint before, n;

	setup();
	before = files[1].file->ref;
	u = newuvm();
	for (int i = 0; i < 3; i++)
		check(kmmap(u, ARENA + 2 * i * PGSIZE, PGSIZE, 1,
			MAP_SHARED | MAP_FIXED, files[1].file, 0) > 0, "mmap");
	check(kmmap(u, HEAP, 8 * PGSIZE, 3, MAP_PRIVATE | MAP_FIXED, 0, 0) > 0,
		"mmap");
	check(kmremap(u, HEAP, 8 * PGSIZE, 8 * PGSIZE,
		MREMAP_MAYMOVE | MREMAP_FIXED, ARENA) == (int)ARENA, "mremap");
	freeuvm(u);
	check((uint)files[1].file->ref == before, "%d references to the file",
		files[1].file->ref);
	n = slabinuse("vma");
	check(n == 0, "%u mappings are left", n);
}

/* Running out of memory at any point of mremap's move loses no data. */
static void
mremap_nomem_keeps_data(void)
{
	struct uvm *u;
	uint v;
	int r;

	setup();
	for (int n = 1; n < 12; n++) {
		u = newuvm();
		check(kmmap(u, ARENA, 9 * PGSIZE, 3, MAP_PRIVATE | MAP_FIXED, 0,
			0) > 0, "mmap");
		for (v = 0; v < 9; v++)
			check(uvmwrite(u, ARENA + v * PGSIZE, &v, 4) == 0, "w");
		failnext = n;
		r = kmremap(u, ARENA + 3 * PGSIZE, 3 * PGSIZE, 4 * PGSIZE,
			MREMAP_MAYMOVE, 0);
		failnext = 0;
		check(r > 0 || r == -ENOMEM, "%d", r);
		for (uint i = 0; i < 9; i++) {
			uint va = ARENA + i * PGSIZE;

			if (i >= 3 && i < 6 && r > 0)
				va += r - ARENA - 3 * PGSIZE;
			check(uvmread(u, va, &v, 4) == 0 && v == i,
				"allocation %d fails, mremap %d: page %u has %u",
				n, r, i, v);
		}
		freeuvm(u);
		check_mm();
	}
}

/* A segment's last page: the file's bytes, then zeroes; the next: zeroes. */
static void
loaduvm_bss(void)
{
	struct uvm *u;
	uint v = 0x11223344, w[2];
	struct uio io = {.addr = (uint)&v, .n = 4, .kernel = 1};

	setup();
	check(pcachewrite(files[1].pc, &io, 2 * PGSIZE + 100) == 4, "write");
	io = (struct uio){.addr = (uint)&v, .n = 4, .kernel = 1};
	check(pcachewrite(files[1].pc, &io, 2 * PGSIZE + 104) == 4, "write");
	u = newuvm();
	check(loaduvm(u, ARENA + 50, files[1].file, PGSIZE + 50,
		PGSIZE + 54, 4 * PGSIZE, 3) == 0, "loaduvm");
	check(uvmread(u, ARENA + PGSIZE + 100, w, 8) == 0 && w[0] == v && w[1] == 0,
		"%x %x", w[0], w[1]);
	check(uvmread(u, ARENA + 4 * PGSIZE + 40, w, 8) == 0 && w[0] == 0, "bss");
	check(uvmread(u, ARENA + 5 * PGSIZE, w, 4) == -EFAULT, "beyond");
	check(loaduvm(u, 0, files[1].file, 0, 10, 10, 3) == -ENOEXEC, "page 0");
	check(loaduvm(u, USERTOP - PGSIZE, files[1].file, 0, 10, PGSIZE + 1, 3) ==
		-ENOEXEC, "above");
	check(loaduvm(u, HEAP, files[1].file, 0, 10, ~0u, 3) == -ENOEXEC, "wrap");
	check(loaduvm(u, HEAP + 1, files[1].file, 0, 10, 10, 3) == -ENOEXEC,
		"not congruent");
	freeuvm(u);
	check_mm();
}

/* A shared object that mremap lengthens and munmap shortens, on and on: its
 * page numbers end somewhere, and nothing is lost. */
static void
shared_grows_far(void)
{
	uint before, n = 5000, va = ARENA;
	struct uvm *u;
	int r;

	setup();
	before = freeframes();
	u = newuvm();
	check(kmmap(u, va, PGSIZE, 3, MAP_SHARED | MAP_FIXED, 0, 0) > 0, "mmap");
	for (int i = 0; i < 60000; i++) {
		r = kmremap(u, va, PGSIZE, n * PGSIZE, MREMAP_MAYMOVE, 0);
		if (r < 0)
			break;
		check(kmunmap(u, r, (n - 1) * PGSIZE) == 0, "munmap");
		va = r + (n - 1) * PGSIZE;
		if (i % 1024 == 0 || i > 53600)
			check(uvmwrite(u, va, &i, 4) == 0, "write %d", i);
	}
	freeuvm(u);
	check(freeframes() >= before - 1, "%u frames lost",
		before - freeframes());
	check_mm();
}

const struct test faulttests[] = {
	{shared_grows_far, "fault_shared_grows_far"},
	{slot_changed_meanwhile, "fault_slot_changed_meanwhile"},
	{counts_after_fork, "fault_counts_after_fork"},
	{munmap_after_fork, "fault_munmap_after_fork"},
	{loaduvm_bss, "fault_loaduvm_bss"},
	{mremap_over_two, "fault_mremap_over_two"},
	{mremap_nomem_keeps_data, "fault_mremap_nomem_keeps_data"},
	{random_ops, "fault_random_1"},
	{random_ops, "fault_random_2"},
#ifndef UNIT_HIGH /* where each copy costs the host system calls */
	{random_ops, "fault_random_3"},
	{random_ops, "fault_random_4"},
	{random_ops, "fault_random_5"},
	{random_ops, "fault_random_6"},
#endif
	{0, 0},
};
