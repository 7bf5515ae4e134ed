/*
 * mmu.c - the CPUs: each walks page tables as the SDM says (3A 4.3, 4.10) and
 * remembers translations and directory entries until it is told to forget.
 *
 * So a flush that mm/ forgets shows: tlbcheck() finds a CPU that could still
 * do what the tables do not allow any more.
 */
#include "unit.h"

#define NTLB 64
#define NPDC 8

static struct machine {
	uint cr3;
	struct {
		uint va, pa;
		int valid, write, dirty;
	} tlb[NTLB];
	struct {
		uint x, valid;
		pde_t pde;
	} pdc[NPDC]; /* directory entries */
} machine[NCPU];

static pde_t getpde(struct machine *, uint va, int write);
static void forget(struct machine *, uint va);

void
lcr3(uint pa)
{
	struct machine *m = &machine[thiscpu];

	memset(m, 0, sizeof(*m));
	m->cr3 = pa;
}

uint
rcr3(void)
{
	return machine[thiscpu].cr3;
}

/* Forget a page, and every directory entry (SDM 3A 4.10.4.1). */
void
invlpg(uint va)
{
	forget(&machine[thiscpu], va);
	if (va >= VMAPBASE)
		ramforget(va);
}

static void
forget(struct machine *m, uint va)
{
	memset(m->pdc, 0, sizeof(m->pdc));
	if (m->tlb[(va >> PGSHIFT) % NTLB].va == PGROUNDDOWN(va))
		m->tlb[(va >> PGSHIFT) % NTLB].valid = 0;
}

/* mm/tlb.c, for all CPUs that have u loaded. */
void
tlbshoot(struct uvm *u, uint va)
{
	for (int i = 0; i < ncpu; i++)
		if (cpus[i].uvm == u)
			forget(&machine[i], va);
}

void
tlbshootmany(struct uvm *u, const uint va[], int n)
{
	for (int i = 0; i < n; i++)
		tlbshoot(u, va[i]);
}

void
tlbshootevery(void)
{
	int was = thiscpu;

	for (thiscpu = 0; thiscpu < ncpu; thiscpu++)
		lcr3(rcr3());
	thiscpu = was;
}

void
tlbshootall(struct uvm *u)
{
	int was = thiscpu;

	for (thiscpu = 0; thiscpu < ncpu; thiscpu++)
		if (cpus[thiscpu].uvm == u)
			lcr3(rcr3());
	thiscpu = was;
}

void
tlbshootkernel(uint va)
{
	for (int i = 0; i < ncpu; i++)
		forget(&machine[i], va);
}

/* Translate a user's access on this CPU: 1 and the physical address, or 0: a
 * page fault, which makes the CPU forget what it knew (SDM 3A 4.10.4.1). */
int
translate(uint va, int write, uint *pa)
{
	struct machine *m = &machine[thiscpu];
	uint i = (va >> PGSHIFT) % NTLB, need = PTE_P | PTE_U | (write ? PTE_W : 0);
	pde_t pde;
	pte_t *pte;

	if (!m->tlb[i].valid || m->tlb[i].va != PGROUNDDOWN(va) ||
		(write && m->tlb[i].write && !m->tlb[i].dirty)) {
		pde = getpde(m, va, write);
		pte = (pte_t *)P2V(PTE_ADDR(pde)) + PTX(va);
		if ((pde & need) != need || (*pte & need) != need) {
			forget(m, va);
			return 0;
		}
		*pte |= PTE_A | (write ? PTE_D : 0);
		m->tlb[i].valid = 1;
		m->tlb[i].va = PGROUNDDOWN(va);
		m->tlb[i].pa = PTE_ADDR(*pte);
		m->tlb[i].write = (pde & *pte & PTE_W) != 0;
		m->tlb[i].dirty = (*pte & PTE_D) != 0;
	}
	if (write && !m->tlb[i].write) {
		forget(m, va);
		return 0;
	}
	*pa = m->tlb[i].pa + va % PGSIZE;
	return 1;
}

/* The directory entry: what the CPU remembers, else the one in memory. */
static pde_t
getpde(struct machine *m, uint va, int write)
{
	uint i = PDX(va) % NPDC;
	pde_t *pde = (pde_t *)P2V(m->cr3) + PDX(va);

	if (m->pdc[i].valid && m->pdc[i].x == PDX(va))
		return m->pdc[i].pde;
	if (!(*pde & PTE_P) || (write && !(*pde & PTE_W)))
		return *pde;
	*pde |= PTE_A;
	m->pdc[i].valid = 1;
	m->pdc[i].x = PDX(va);
	return m->pdc[i].pde = *pde;
}

/* What an instruction at user level does, the trap handler included: *kva is
 * where the byte is now.  u is loaded if need be. */
int
useraccess(struct uvm *u, uint va, int write, void **kva)
{
	int err;
	uint pa;

	pushcli();
	switchuvm(u);
	popcli();
	for (int tries = 0; !translate(va, write, &pa); tries++) {
		check(tries < 4, "fault at %x does not end", va);
		err = fault(u, va, write ? PROT_WRITE : PROT_READ);
		if (err < 0)
			return err;
	}
	check(papage(pa)->state == PG_ANON || papage(pa)->state == PG_CACHED ||
		(papage(pa) == zeropage && !write),
		"%x translates to %x in state %d", va, pa, papage(pa)->state);
	*kva = ram(pa);
	return 0;
}

/* Every translation that a CPU remembers is one the tables give. */
void
tlbcheck(void)
{
	for (struct machine *m = machine; m < machine + ncpu; m++) {
		pde_t *pgdir = P2V(m->cr3), pde;
		pte_t pte;

		for (int i = 0; i < NPDC; i++) {
			if (!m->pdc[i].valid)
				continue;
			pde = pgdir[m->pdc[i].x];
			check((pde & PTE_P) &&
				PTE_ADDR(pde) == PTE_ADDR(m->pdc[i].pde) &&
				!(m->pdc[i].pde & ~pde & PTE_W),
				"stale directory entry %x, now %x", m->pdc[i].pde,
				pde);
		}
		for (int i = 0; i < NTLB; i++) {
			if (!m->tlb[i].valid)
				continue;
			pde = pgdir[PDX(m->tlb[i].va)];
			pte = pde & PTE_P ? ((pte_t *)P2V(PTE_ADDR(
						    pde)))[PTX(m->tlb[i].va)]
					  : 0;
			check((pte & PTE_P) && PTE_ADDR(pte) == m->tlb[i].pa &&
				(!m->tlb[i].write || (pde & pte & PTE_W)),
				"stale translation of %x to %x, now pde %x pte %x",
				m->tlb[i].va, m->tlb[i].pa, pde, pte);
		}
	}
}

void
oncpu(int cpu)
{
	assert(mycpu()->ncli == 0);
	thiscpu = cpu;
}

void
switchaway(struct uvm *u)
{
	int was = thiscpu;

	for (thiscpu = 0; thiscpu < ncpu; thiscpu++)
		if (mycpu()->uvm == u)
			switchkvm();
	thiscpu = was;
}
