/*
 * u_fault.c - random operations on address spaces, on two simulated CPUs,
 * against the model (model.h).
 *
 * Every value read, every error and every mapping is compared.  Allocations
 * fail at random; an operation that returns -ENOMEM has changed nothing.  Where
 * mm/ may have stopped half-way (mprotect, madvise, a stack that had grown) the
 * model looks at what was done, page by page, and only that.
 */
#include "model.h"

#define NSPOT  48  /* ranges worth going to again */
#define LOWMEM 160 /* free frames below which -ENOMEM is no surprise */

static struct mproc *cur;
static struct {
	uint va, n;
} spots[NSPOT];
static uint fails0; /* nfailed when the operation began */
static struct mproc *halfway; /* mapped something the model knows not yet */
static uint hooked, done[16], refused;

static void touch(struct mproc *, uint va, int write);

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

/* An attempt at va ran out of memory, but a stack may have grown to it. */
static void
stackgrown(struct mproc *p, uint va)
{
	if (!at(p, va, 0) && kmapped(p, va))
		check(growmodel(p, va) == 0, "%x should not be mapped", va);
}

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
		acquireread(&p->u->lock);
		for (; va < stop && (v = vmafind(p->u, va)); va += PGSIZE) {
			if (v->prot != prot)
				break;
			protectmodel(p, va, prot);
		}
		releaseread(&p->u->lock);
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

static void
oplast(struct mproc *p)
{
	uint n = 0;

	for (int i = 0; i < NPROC; i++)
		n += procs[i].u != 0;
	if (n > 1) {
		done[9]++;
		endproc(p);
	}
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
	visit(USERTOP - (140 << 10), 140 << 10);
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

const struct test faulttests[] = {
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
