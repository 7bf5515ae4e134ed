/*
 * u_vma.c - the list of mappings, against pictures and against a table of
 * pages.
 *
 * In a picture each letter is a page of one kind of mapping, '.' is a hole, and
 * '|' stands between two mappings that are not one.
 */
#include "unit.h"

#define BASE  0x40000000u
#define NPG   64 /* pages of the window that the random test uses */
#define NKIND 5

static struct uvm *u;
static struct pcache *obj[2];
static struct file *file;
static uint before;

static void begin(void);
static void finish(void);
static struct vma *kind(char c, uint start, uint end);
static void add(const char *where);
static int removed(uint from, uint to);
static void looks(const char *want);
static void unmap_middle_splits(void);
static void fill_hole_merges(void);
static void objects_merge_when_contiguous(void);
static void split_fails_without_change(void);
static void gap_is_highest(void);
static void gap_among_many(void);
static void stack_grows(void);
static void random_pages(void);

const struct test vmatests[] = {
	{unmap_middle_splits, "vma_unmap_middle_splits"},
	{fill_hole_merges, "vma_fill_hole_merges"},
	{objects_merge_when_contiguous, "vma_objects_merge_when_contiguous"},
	{split_fails_without_change, "vma_split_fails_without_change"},
	{gap_is_highest, "vma_gap_is_highest"},
	{gap_among_many, "vma_gap_among_many"},
	{stack_grows, "vma_stack_grows"},
	{random_pages, "vma_random_pages"},
	{0, 0},
};

static void
begin(void)
{
	boot(8 << 20);
	before = freeframes();
	u = newuvm();
	acquirewrite(&u->lock);
	obj[0] = pcachenew(0, 0);
	obj[1] = pcachenew(0, 0);
	file = filenew(0, O_RDWR);
}

/* Everything that was referenced is free again. */
static void
finish(void)
{
	releasewrite(&u->lock);
	freeuvm(u);
	check(obj[0]->ref == 1 && obj[1]->ref == 1 && file->ref == 1,
		"%d %d %d references", obj[0]->ref, obj[1]->ref, file->ref);
	pcachefree(obj[0]);
	pcachefree(obj[1]);
	check(freeframes() == before, "%u free, not %u", freeframes(), before);
	check_mm();
}

/* A: anonymous, R: read-only, S: shared object, F: private file, G: a stack.
 * An object's page is the page's own number in the window. */
static struct vma *
kind(char c, uint start, uint end)
{
	struct vma *v = vmanew(start, end,
		c == 'R' ? PROT_READ : PROT_READ | PROT_WRITE,
		c == 'S' ? VM_SHARED : c == 'G' ? VM_GROWSDOWN : 0);

	if (v && (c == 'S' || c == 'F')) {
		v->obj = pcacheref(obj[c == 'F']);
		v->pgoff = (start - BASE) >> PGSHIFT;
		if (c == 'F')
			v->file = filedup(file);
	}
	return v;
}

/* Insert each run of equal letters as a mapping. */
static void
add(const char *where)
{
	for (uint i = 0, n; where[i]; i += n) {
		for (n = 1; where[i] == where[i + n]; n++)
			;
		if (where[i] == '.')
			continue;
		check(vmaroom(u, 1) == 0, "no room");
		vmainsert(u, kind(where[i], BASE + i * PGSIZE,
				  BASE + (i + n) * PGSIZE));
	}
}

/* As munmap does, without page tables. */
static int
removed(uint from, uint to)
{
	from = BASE + from * PGSIZE;
	to = BASE + to * PGSIZE;
	if (vmasplit(u, from) < 0 || vmasplit(u, to) < 0) {
		vmamerge(u, from, to);
		return -ENOMEM;
	}
	vmadrop(vmaremove(u, from, to));
	return 0;
}

/* Draw what is mapped and compare. */
static void
looks(const char *want)
{
	char got[2 * NPG + 1];
	uint n = 0, at = 0;
	struct vma *v;
	char c;

	for (int i = 0; i < u->nvma; i++) {
		v = u->vmas[i];
		if (v->start == BASE + at * PGSIZE && n > 0)
			got[n++] = '|';
		for (; BASE + at * PGSIZE < v->start; at++)
			got[n++] = '.';
		c = v->file ? 'F' : v->obj ? 'S' : v->flags ? 'G'
		    : v->prot & PROT_WRITE ? 'A' : 'R';
		for (; BASE + at * PGSIZE < v->end; at++)
			got[n++] = c;
	}
	got[n] = 0;
	check(strcmp(got, want) == 0, "%s, not %s", got, want);
}

static void
unmap_middle_splits(void)
{
	begin();
	add("AAAAAAAAAA");
	removed(4, 8); /* AAAAAAAAAA   unmap the middle ->  AAAA....AA */
	looks("AAAA....AA");
	removed(0, 2); /* AAAA....AA   the beginning    ->  ..AA....AA */
	looks("..AA....AA");
	removed(9, 20); /* ..AA....AA  across the end    ->  ..AA....A */
	looks("..AA....A");
	removed(3, 9); /* ..AA....A    over a hole      ->  ..A */
	looks("..A");
	removed(2, 3);
	looks("");
	add("AAFFFFRR");
	removed(1, 7); /* AA|FFFF|RR   three at once    ->  A......R */
	looks("A......R");
	finish();
}

static void
fill_hole_merges(void)
{
	begin();
	add("AAA...AAA.RR");
	looks("AAA...AAA.RR");
	add("...AAA"); /* AAA...AAA   the hole  ->  AAAAAAAAA */
	looks("AAAAAAAAA.RR");
	check(u->nvma == 2 && u->size == 11, "%d, %u pages", u->nvma, u->size);
	add(".........R"); /* AAAA.RR   unlike below, alike above */
	looks("AAAAAAAAA|RRR");
	u->vmas[1]->prot |= PROT_WRITE; /* mprotect, then merge */
	vmamerge(u, u->vmas[1]->start, u->vmas[1]->end);
	looks("AAAAAAAAAAAA");
	check(u->peaksize == 12, "peak %u", u->peaksize);
	finish();
}

static void
objects_merge_when_contiguous(void)
{
	struct vma *v;

	begin();
	add("SS..SS.FFF");
	add("..SS"); /* one object, pages in sequence */
	looks("SSSSSS.FFF");
	removed(8, 9);
	looks("SSSSSS.F.F");
	check(u->vmas[2]->pgoff == 9, "page %u of the file", u->vmas[2]->pgoff);
	v = kind('F', BASE + 8 * PGSIZE, BASE + 9 * PGSIZE);
	v->pgoff = 100; /* another page of that file */
	vmainsert(u, v);
	looks("SSSSSS.F|F|F");
	finish();
}

static void
split_fails_without_change(void)
{
	begin();
	add("AAAA.FFFF");
	for (int n = 1; n < 3; n++) {
		failnext = n;
		check(removed(2, 7) == -ENOMEM, "allocation %d", n);
		looks("AAAA.FFFF");
	}
	failnext = 0;
	check(removed(2, 7) == 0, "now");
	looks("AA.....FF");
	finish();
}

static void
gap_is_highest(void)
{
	uint top, a, b;

	begin();
	top = vmagap(u, PGSIZE) + PGSIZE;
	check(top == USERTOP - (128 << 20), "top %x", top);
	a = vmagap(u, 10 * PGSIZE);
	vmainsert(u, (vmaroom(u, 4), kind('A', a, a + 10 * PGSIZE)));
	b = vmagap(u, 10 * PGSIZE);
	check(b == a - 10 * PGSIZE, "%x below %x", b, a);
	vmainsert(u, kind('G', a - 300 * PGSIZE, a - 299 * PGSIZE));
	check(vmagap(u, 299 * PGSIZE) == a - 299 * PGSIZE, "the hole fits");
	/* too large for the hole: below the stack, and its gap is kept free */
	b = vmagap(u, 300 * PGSIZE);
	check(b == a - 300 * PGSIZE - STACKGAP - 300 * PGSIZE, "%x", b);
	check(vmagap(u, USERTOP) == 0, "all of it");
	b = vmagap(u, a - 300 * PGSIZE - STACKGAP - MMAPMIN);
	check(b == MMAPMIN, "the last page above MMAPMIN: %x", b);
	check(!vmagap(u, a - 300 * PGSIZE - STACKGAP - MMAPMIN + PGSIZE), "low");
	vmainsert(u, kind('A', PGSIZE, 2 * PGSIZE));
	check(!vmagap(u, a - 300 * PGSIZE - STACKGAP - MMAPMIN + PGSIZE),
		"a page below MMAPMIN does not lower it");
	finish();
}

/* With so many mappings that the search begins where the last one ended. */
static void
gap_among_many(void)
{
	uint top, at[200];

	begin();
	check(vmaroom(u, 210) == 0, "room");
	top = vmagap(u, PGSIZE) + PGSIZE;
	for (int i = 0; i < 200; i++) {
		at[i] = vmagap(u, 2 * PGSIZE);
		check(at[i] == top - (3 * i + 2) * PGSIZE, "place %d: %x", i, at[i]);
		vmainsert(u, kind('A', at[i] - PGSIZE, at[i] + PGSIZE));
	}
	check(vmagap(u, PGSIZE) == top - PGSIZE, "a smaller one");
	check(vmagap(u, 2 * PGSIZE) == at[199] - 3 * PGSIZE, "a larger one");
	vmadrop(vmaremove(u, at[150] - PGSIZE, at[150] + PGSIZE));
	check(vmagap(u, 2 * PGSIZE) == at[150], "what became free");
	vmatrim(u, vmafind(u, at[50]), at[50], at[50] + PGSIZE);
	check(vmagap(u, 2 * PGSIZE) == at[50], "of one a part");
	u->limit[UVM_STACK] = 256 << 20;
	check(vmagap(u, 2 * PGSIZE) < top - (128 << 20), "a lower top");
	finish();
}

/* ....A...GG   what is between may become the stack's, but for STACKGAP */
static void
stack_grows(void)
{
	uint s = BASE + 1000 * PGSIZE;
	struct vma *v;

	begin();
	u->limit[UVM_STACK] = 600 * PGSIZE;
	vmaroom(u, 4);
	vmainsert(u, kind('G', s, s + 100 * PGSIZE));
	check(vmamaygrow(u, s + 100 * PGSIZE, &v) == -EFAULT, "above it");
	check(vmamaygrow(u, s - 501 * PGSIZE, &v) == -EFAULT, "the limit");
	check(vmamaygrow(u, s - 500 * PGSIZE, &v) == 0, "to the limit");
	check(v->start == s, "not changed yet");
	vmastretch(u, v, s - 100 * PGSIZE);
	check(u->size == 200 && v->start == s - 100 * PGSIZE, "stretched");
	vmainsert(u, kind('A', s - 400 * PGSIZE, s - 399 * PGSIZE));
	check(vmamaygrow(u, s - 143 * PGSIZE, &v) == 0, "up to the gap");
	check(vmamaygrow(u, s - 144 * PGSIZE, &v) == -EFAULT, "into the gap");
	u->vmas[0]->prot = PROT_NONE; /* a guard page needs no gap */
	check(vmamaygrow(u, s - 399 * PGSIZE, &v) == 0, "to a guard");
	u->limit[UVM_AS] = u->size << PGSHIFT;
	check(vmamaygrow(u, s - 101 * PGSIZE, &v) == -EFAULT, "RLIMIT_AS");
	finish();
}

static char model[NPG + 1]; /* a letter for each page of the window */

static void
random_pages(void)
{
	static const char kinds[] = "ARSFG";
	uint from, to, n;
	struct vma *v;
	char want[2 * NPG + 1];

	begin();
	memset(model, '.', NPG);
	for (uint s = 0; s < (steps ? steps : 60000); s++) {
		from = rnd(NPG);
		to = from + 1 + rnd(MIN(NPG - from, 12));
		if (oneof(4))
			failnext = 1 + rnd(3);
		if (oneof(2)) { /* a hole, or replaced as by MAP_FIXED */
			if (removed(from, to) == 0)
				memset(model + from, '.', to - from);
		} else if (vmaroom(u, 3) == 0 && removed(from, to) == 0) {
			char c = kinds[rnd(NKIND)];

			memset(model + from, '.', to - from);
			v = kind(c, BASE + from * PGSIZE, BASE + to * PGSIZE);
			if (v) {
				vmainsert(u, v);
				memset(model + from, c, to - from);
			}
		}
		failnext = 0;
		/* what the model looks like, drawn */
		n = 0;
		for (uint i = 0, used = 0; i < NPG; i++) {
			if (i && model[i] != '.' && model[i - 1] != '.' &&
				model[i] != model[i - 1])
				want[n++] = '|';
			want[n++] = model[i];
			if (model[i] != '.')
				used = n;
			want[used] = want[used]; /* trailing holes are not drawn */
			if (i == NPG - 1)
				want[used] = 0;
		}
		looks(want);
		from = rnd(NPG);
		v = vmafind(u, BASE + from * PGSIZE + rnd(PGSIZE));
		check((v != 0) == (model[from] != '.'), "page %u", from);
		to = from + rnd(NPG - from + 1);
		n = 0;
		for (uint i = from; i < to; i++)
			n += model[i] != '.';
		check(vmaoverlap(u, BASE + from * PGSIZE, BASE + to * PGSIZE) ==
				(n > 0), "%u to %u", from, to);
		if (s % 4000 == 0)
			check_mm();
	}
	finish();
}
