/*
 * kvm.c - the kernel's half of every address space.
 *
 * The kernel's half is built once, from kmap[], in kpgdir; a new page directory
 * copies the entries above KERNBASE and so shares their tables.  Only the vmap
 * window changes afterwards.
 *
 *   FFFFFFFF  +--------------------------+
 *             | device registers         | kmap[3]: va == pa, uncached
 *   FE000000  +--------------------------+ DEVSPACE
 *             | slot: stack, KSTACKPAGES |  \
 *             |       page not mapped    |   | NSTACK slots; an overflow faults
 *             | slot: stack              |   | instead of writing into the next
 *             |       page not mapped    |   | stack
 *             | ...                      |  /
 *   F0400000  +--------------------------+ STACKBASE
 *             | registers of devices     | kmapdev(): those below DEVSPACE
 *   F0200000  +--------------------------+ DEVBASE
 *             | temporary mappings       | kvmtemp(): two pages for each CPU
 *   F0000000  +--------------------------+ VMAPBASE: the vmap window begins
 *             | all RAM below DIRECTMAX  | kmap[2]: va == pa + KERNBASE, rw
 *             | kernel data, bss         |
 *             +--------------------------+ data
 *             | kernel text, rodata      | kmap[1]: read-only
 *   80100000  +--------------------------+ KERNLINK
 *             | low memory, I/O          | kmap[0]: rw
 *   80000000  +--------------------------+ KERNBASE: users' half below
 *
 * Invariants: the kernel's half is equal in all page directories; page 0 and
 * the identity mapping of entrypgdir are in none of them.
 */
#include "mm/vm.h"
#include "arch/multiboot.h"
#include "kern/lib/printf.h"

#define TEMPSLOTS 2
#define SLOTPAGES (KSTACKPAGES + 1) /* a stack, and a page below not mapped */
#define DEVBASE   (VMAPBASE + SUPERSIZE / 2)
#define STACKBASE (VMAPBASE + SUPERSIZE)
#define NSTACK    ((DEVSPACE - STACKBASE) / (SLOTPAGES * PGSIZE)) /* slots */
#define KEEP      8      /* idle stacks that stay mapped */

extern char data[]; /* kernel.ld: text and rodata end here */

/* Like xv6's kmap[], but read once, not for each process, and without a fixed
 * PHYSTOP: kvmalloc() fills in where the kernel's data begins and RAM ends. */
static struct kmap {
	uint virt;        /* from this address on is mapped */
	uint physstart;   /* physical memory [physstart, physend) */
	uint64_t physend;
	uint perm;        /* with these bits of a PTE */
} kmap[] = {
	{KERNBASE, 0, EXTMEM, PTE_W},                     /* I/O space */
	{KERNLINK, V2P(KERNLINK), 0, 0},                  /* text, rodata */
	{0, 0, 0, PTE_W},                                 /* data, all RAM */
	{DEVSPACE, DEVSPACE, 1ull << 32, PTE_W | PTE_PCD | PTE_PWT},
};

pde_t *kpgdir;
uint kpteglobal;

static struct { /* the slots of kernel stacks */
	struct spinlock lock;
	uint used[NSTACK / 32 + 1]; /* bit per slot [lock] */
	uint low;               /* no slot below it is free [lock] */
	char *idle[KEEP];       /* mapped and free [lock] */
	int nidle;
} vmap;

static pde_t *setupkvmfirst(void);
static uint phystop(void);
static pte_t *kernelslot(uint va);
static char *stackslot(void);
static int stackmap(char *kstack);
static void stackunmap(char *kstack);
static void slotfree(char *kstack);

/* See mm.h. */
void
kvmalloc(void)
{
	kmap[1].physend = V2P(data);
	kmap[2].virt = (uint)data;
	kmap[2].physstart = V2P(data);
	kmap[2].physend = phystop();
	if (cpuinfo.features & CPU_PGE)
		kpteglobal = PTE_G;
	initlock(&vmap.lock, RANK_LEAF);
	kpgdir = setupkvmfirst();
	switchkvm();
	assert(!(kpgdir[0] & PTE_P));
}

/* The kernel's page directory, made from kmap[], with the first tables of the
 * vmap window: kvmtemp() and the first stacks cannot make them.  Panics without
 * memory. */
static pde_t *
setupkvmfirst(void)
{
	pde_t *pgdir = kalloc();

	for (uint i = 0; i < NELEM(kmap); i++)
		if (mappages(pgdir, kmap[i].virt,
			    kmap[i].physend - kmap[i].physstart,
			    kmap[i].physstart, kmap[i].perm | kpteglobal) < 0)
			panic("no memory for the kernel's page tables");
	if (!walkpgdir(pgdir, VMAPBASE, 1) || !walkpgdir(pgdir, STACKBASE, 1))
		panic("no memory for the kernel's page tables");
	return pgdir;
}

/* Physical address of the first byte that the direct map does not hold: above
 * all RAM and boot modules, but at most DIRECTMAX. */
static uint
phystop(void)
{
	uint64_t top = SUPERSIZE;

	for (int i = 0; i < bootinfo.nram; i++)
		top = MAX(top, bootinfo.ram[i].end);
	for (int i = 0; i < bootinfo.nmodule; i++)
		top = MAX(top, PGROUNDUP(bootinfo.module[i].end));
	return MIN(top, DIRECTMAX);
}

/* See vm.h. */
pde_t *
setupkvm(void)
{
	struct page *pg = allocpage(PG_DIR);
	pde_t *pgdir;

	if (pg == 0)
		return 0;
	pgdir = pagekva(pg);
	stosl(pgdir, 0, PDX(KERNBASE));
	movsl(pgdir + PDX(KERNBASE), kpgdir + PDX(KERNBASE),
		NPDENTRIES - PDX(KERNBASE));
	return pgdir;
}

/* See mm.h. */
void
switchkvm(void)
{
	pushcli();
	switchuvm(0);
	lcr3(V2P(kpgdir)); /* at boot, when switchuvm() had nothing to do */
	popcli();
}

/* See vm.h. */
void
kvmtables(void)
{
	uint pa = V2P(kpgdir);

	claim(pa, pa + PGSIZE, PG_DIR);
	for (uint i = PDX(KERNBASE); i < NPDENTRIES; i++) {
		pa = PTE_ADDR(kpgdir[i]);
		if ((kpgdir[i] & (PTE_P | PTE_PS)) == PTE_P)
			claim(pa, pa + PGSIZE, PG_TABLE);
	}
}

/* See mm.h.  Nothing takes such a mapping away. */
void *
kmapdev(uint pa, uint n)
{
	static uint next = DEVBASE;
	uint va = next + pa % PGSIZE, end = PGROUNDUP(va + n);
	pte_t *slot;

	if (pa >= DEVSPACE)
		return (void *)pa;
	if (n > STACKBASE - va || pa < V2P(data))
		return 0;
	for (; next < end; next += PGSIZE) {
		slot = kernelslot(next);
		*slot = (PTE_ADDR(pa) + next - PGROUNDDOWN(va)) | PTE_P |
			PTE_W | PTE_PCD | PTE_PWT | kpteglobal;
	}
	return (void *)va;
}

/* The slot of an address in the vmap window; 0: no memory for its table.  A new
 * table is hung into every page directory there is before the lock is released.
 * The lock is taken even when kpgdir has the table: it may be that another CPU
 * is just about to hang it into the others.  Takes uvmlistlock. */
static pte_t *
kernelslot(uint va)
{
	pte_t *slot;
	struct uvm *u;
	int new;

	acquire(&uvmlistlock); /* so nobody adds a page directory, either */
	new = !(kpgdir[PDX(va)] & PTE_P);
	slot = walkpgdir(kpgdir, va, 1);
	if (slot && new)
		listeach(u, &uvmlist, link)
			u->pgdir[PDX(va)] = kpgdir[PDX(va)];
	release(&uvmlistlock);
	return slot;
}

/* See mm.h. */
void *
kstackalloc(void)
{
	char *kstack = 0;

	if (toofew())
		return 0;
	acquire(&vmap.lock);
	if (vmap.nidle > 0)
		kstack = vmap.idle[--vmap.nidle];
	release(&vmap.lock);
	if (kstack)
		return kstack;
	kstack = stackslot();
	if (kstack && stackmap(kstack) < 0) {
		slotfree(kstack);
		return 0;
	}
	return kstack;
}

/* See mm.h. */
void
kstackfree(void *kstack)
{
	int kept = 0;

	acquire(&vmap.lock);
	if (vmap.nidle < KEEP) {
		vmap.idle[vmap.nidle++] = kstack;
		kept = 1;
	}
	release(&vmap.lock);
	if (kept)
		return;
	stackunmap(kstack);
	slotfree(kstack);
}

/* Take the lowest free slot: the lowest address of its stack, above the page
 * that is not mapped; 0: all are taken. */
static char *
stackslot(void)
{
	char *kstack = 0;

	acquire(&vmap.lock);
	for (uint i = vmap.low; i < NSTACK && kstack == 0; i++) {
		vmap.low = i + 1;
		if (vmap.used[i / 32] & 1u << i % 32)
			continue;
		vmap.used[i / 32] |= 1u << i % 32;
		kstack = (char *)STACKBASE + i * SLOTPAGES * PGSIZE + PGSIZE;
	}
	release(&vmap.lock);
	return kstack;
}

/* Give a stack's slot back; nothing is mapped there. */
static void
slotfree(char *kstack)
{
	uint i = ((uint)kstack - STACKBASE) / (SLOTPAGES * PGSIZE);

	acquire(&vmap.lock);
	vmap.used[i / 32] &= ~(1u << i % 32);
	vmap.low = MIN(vmap.low, i);
	release(&vmap.lock);
}

/* Map KSTACKPAGES new pages from kstack on: 0, or -ENOMEM with nothing
 * mapped. */
static int
stackmap(char *kstack)
{
	struct page *pg;
	pte_t *slot;

	for (int i = 0; i < KSTACKPAGES; i++) {
		slot = kernelslot((uint)kstack + i * PGSIZE);
		pg = slot ? allocpage(PG_STACK) : 0;
		if (pg == 0) {
			stackunmap(kstack);
			return -ENOMEM;
		}
		*slot = pagepa(pg) | PTE_P | PTE_W | kpteglobal;
	}
	return 0;
}

/* Free the pages that are mapped from kstack on, after all CPUs have forgotten
 * them. */
static void
stackunmap(char *kstack)
{
	struct page *pg;
	pte_t *slot;
	uint va;

	for (int i = 0; i < KSTACKPAGES; i++) {
		va = (uint)kstack + i * PGSIZE;
		slot = walkpgdir(kpgdir, va, 0);
		if (slot == 0 || !(*slot & PTE_P))
			continue;
		pg = ptepage(*slot);
		*slot = 0;
		tlbshootkernel(va);
		putpage(pg);
	}
}

/* See vm.h.  pushcli() keeps us on this CPU, whose slot it is, until
 * kvmuntemp(). */
void *
kvmtemp(uint pa, int slot)
{
	uint va;
	pte_t *pte;

	pushcli();
	va = VMAPBASE + (mycpu()->id * TEMPSLOTS + slot) * PGSIZE;
	pte = walkpgdir(kpgdir, va, 0);
	assert(*pte == 0);
	*pte = pa | PTE_P | PTE_W;
	return (void *)va;
}

/* See vm.h.  No other CPU uses the slot, so none has to flush. */
void
kvmuntemp(void *kva)
{
	lockassert(!nospinlocks());
	*walkpgdir(kpgdir, (uint)kva, 0) = 0;
	invlpg((uint)kva);
	vmcount(VM_INVLPG);
	popcli();
}

/* See mm.h.  Looks at the page directory in CR3; takes no lock. */
int
kvmreadable(uint va, uint n)
{
	pde_t *pgdir = P2V(PTE_ADDR(rcr3()));
	uint last = va + n - 1, pde;

	if (va < KERNBASE || last < va)
		return 0;
	for (va = PGROUNDDOWN(va);; va += PGSIZE) {
		pde = pgdir[PDX(va)];
		if (!(pde & PTE_P))
			return 0;
		if (!(pde & PTE_PS) &&
			!(((pte_t *)P2V(PTE_ADDR(pde)))[PTX(va)] & PTE_P))
			return 0;
		if (va == PGROUNDDOWN(last))
			return 1;
	}
}

/* See mm.h. */
void
kvmdump(uint va)
{
	pde_t *pgdir = P2V(PTE_ADDR(rcr3()));
	pde_t pde = pgdir[PDX(va)];

	printf("address %08x: pde %08x", va, pde);
	if ((pde & (PTE_P | PTE_PS)) == PTE_P &&
		kvmreadable((uint)P2V(PTE_ADDR(pde)), PGSIZE))
		printf(" pte %08x", ((pte_t *)P2V(PTE_ADDR(pde)))[PTX(va)]);
	printf("\n");
}
