/*
 * u_space.c - address spaces, cases drawn by hand: one thing goes on or goes
 * wrong in each, and how often mm/ copied or allocated for it is counted.
 */
#include "model.h"

static struct mproc *cur;
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

/* Shared memory is taken out of the one, whose tables another shares: it is
 * gone there, too. */
static void
punched_after_fork(void)
{
	struct uvm *u[2];
	uint v;

	setup();
	u[0] = newuvm();
	check(kmmap(u[0], ARENA, 8 * PGSIZE, 3, MAP_SHARED | MAP_FIXED, 0, 0) > 0,
		"mmap");
	for (uint i = 1; i <= 8; i++)
		check(uvmwrite(u[0], ARENA + (i - 1) * PGSIZE, &i, 4) == 0,
			"write");
	u[1] = copyuvm(u[0]);
	check(kmadvise(u[1], ARENA + PGSIZE, 3 * PGSIZE, MADV_REMOVE) == 0,
		"madvise");
	tlbcheck();
	for (uint i = 1; i <= 8; i++)
		for (uint k = 0; k < 2; k++)
			check(uvmread(u[k], ARENA + (i - 1) * PGSIZE, &v, 4) ==
				0 && v == (i >= 2 && i <= 4 ? 0 : i),
				"page %u: %u", i, v);
	check_mm();
}

/* A file becomes shorter, and two show it with one table: no CPU has any of
 * what is cut off. */
static void
truncated_after_fork(void)
{
	struct pcache *pc;
	struct uvm *a, *b;
	struct file *f;
	void *kva;

	setup();
	pc = shmnew(8);
	f = filenew(pc, O_RDWR);
	a = newuvm();
	check(kmmap(a, ARENA, 8 * PGSIZE, 3, MAP_SHARED | MAP_FIXED, f, 0) > 0,
		"mmap");
	for (uint i = 0; i < 8; i++)
		check(uvmwrite(a, ARENA + i * PGSIZE, &i, 4) == 0, "write");
	b = copyuvm(a);
	for (uint i = 0; i < 8; i++)
		check(useraccess(a, ARENA + i * PGSIZE, 0, &kva) == 0 &&
			useraccess(b, ARENA + i * PGSIZE, 0, &kva) == 0, "read");
	check(pcachetruncate(pc, 3 * PGSIZE) == 0, "truncate");
	tlbcheck();
	check(useraccess(b, ARENA + 2 * PGSIZE, 0, &kva) == 0 &&
		useraccess(b, ARENA + 3 * PGSIZE, 0, &kva) == -EIO &&
		useraccess(a, ARENA + 7 * PGSIZE, 0, &kva) == -EIO, "cut off");
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

const struct test spacetests[] = {
	{shared_grows_far, "space_shared_grows_far"},
	{slot_changed_meanwhile, "space_slot_changed_meanwhile"},
	{counts_after_fork, "space_counts_after_fork"},
	{munmap_after_fork, "space_munmap_after_fork"},
	{punched_after_fork, "space_punched_after_fork"},
	{truncated_after_fork, "space_truncated_after_fork"},
	{loaduvm_bss, "space_loaduvm_bss"},
	{mremap_over_two, "space_mremap_over_two"},
	{mremap_nomem_keeps_data, "space_mremap_nomem_keeps_data"},
	{0, 0},
};
