/*
 * kvm.c - the kernel's half of every address space.
 *
 * It is built once, from kmap[], in kpgdir; a new page directory copies the
 * entries above KERNBASE and so shares their tables.  Only the vmap window
 * changes afterwards: kernel stacks (each with an unmapped page below it, so
 * that an overflow faults instead of corrupting), and the two temporary
 * mappings each CPU has for frames that the direct map does not reach.
 *
 * Invariants: the kernel half is equal in all page directories; page 0 and the
 * identity mapping of entrypgdir are in none of them.
 *
 *   VMAPBASE  temporary mappings, two pages a CPU
 *   DEVBASE   registers of devices that are not in DEVSPACE
 *   STACKBASE kernel stacks, one slot of 1 + KSTACKPAGES pages each
 */
#include "mm/vm.h"
#include "arch/multiboot.h"
#include "kern/lib/printf.h"

#define TEMPSLOTS 2
#define SLOTPAGES (KSTACKPAGES + 1)
#define DEVBASE   (VMAPBASE + SUPERSIZE / 2)
#define STACKBASE (VMAPBASE + SUPERSIZE)
#define NSTACK    ((DEVSPACE - STACKBASE) / (SLOTPAGES * PGSIZE)) /* slots */
#define KEEP      8      /* idle stacks that stay mapped */

extern char data[]; /* kernel.ld: text and rodata end here */

/* What the kernel maps, and how.  phystop is computed by kvmalloc. */
static struct kmap {
	uint virt;
	uint physstart;
	uint64_t physend;
	uint perm;
} kmap[] = {
	{KERNBASE, 0, EXTMEM, PTE_W},                     /* I/O space */
	{KERNLINK, V2P(KERNLINK), 0, 0},                  /* text, rodata */
	{0, 0, 0, PTE_W},                                 /* data, all RAM */
	{DEVSPACE, DEVSPACE, 1ull << 32, PTE_W | PTE_PCD | PTE_PWT},
};

pde_t *kpgdir;
uint kpteglobal;

static struct {
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

/* Build the kernel's address space and leave entrypgdir.  Boot CPU, after
 * kinit1(). */
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

static pde_t *
setupkvmfirst(void)
{
	pde_t *pgdir = kalloc();

	for (uint i = 0; i < NELEM(kmap); i++)
		if (mappages(pgdir, kmap[i].virt,
			    kmap[i].physend - kmap[i].physstart,
			    kmap[i].physstart, kmap[i].perm | kpteglobal) < 0)
			panic("no memory for the kernel's page tables");
	/* tables that must be there when kernelslot() can't make one */
	if (!walkpgdir(pgdir, VMAPBASE, 1) || !walkpgdir(pgdir, STACKBASE, 1))
		panic("no memory for the kernel's page tables");
	return pgdir;
}

/* First byte above the RAM that the direct map holds. */
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

/* A new page directory: the kernel's half, nothing below.  0: no memory. */
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

/* Load the kernel's own page directory. */
void
switchkvm(void)
{
	pushcli();
	switchuvm(0);
	lcr3(V2P(kpgdir)); /* at boot, no other was loaded */
	popcli();
}

/* The page array exists now: tables made before it are accounted for. */
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

/* See mm.h.  At boot; nothing takes such a mapping away. */
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

/* The slot of an address in the vmap window, or 0.  A new table is hung into
 * every page directory there is before anybody else is told of it: the lock is
 * taken even when it is in kpgdir, for it may not be in all the others yet. */
static pte_t *
kernelslot(uint va)
{
	pte_t *slot;
	struct uvm *u;
	int new;

	acquire(&uvmlistlock); /* one at a time, and no new directory */
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

/* Take the lowest free slot: the address behind its guard page, or 0. */
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

static void
slotfree(char *kstack)
{
	uint i = ((uint)kstack - STACKBASE) / (SLOTPAGES * PGSIZE);

	acquire(&vmap.lock);
	vmap.used[i / 32] &= ~(1u << i % 32);
	vmap.low = MIN(vmap.low, i);
	release(&vmap.lock);
}

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
		tlbshootkernel(va); /* before the page can be used again */
		putpage(pg);
	}
}

/* tempmap() of a frame that the direct map does not reach. */
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

void
kvmuntemp(void *kva)
{
	*walkpgdir(kpgdir, (uint)kva, 0) = 0;
	invlpg((uint)kva); /* no other CPU uses this slot */
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
