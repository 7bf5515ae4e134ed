/*
 * tlbcheck.c - does any CPU still reach a page that has been taken away?
 *
 * Debug builds with "tlbcheck" on the command line hold a frame that leaves its
 * slot in quarantine until every CPU has shown that it forgot the translation:
 * the CPU tries to use the address, and must fault.  So a flush that is
 * missing, or that a CPU acknowledged without doing it, is a panic at once.
 * Without this check it would be another process's page that changes a minute
 * later.
 *
 * A missing flush does harm only if a CPU had the translation cached.  To make
 * sure of that, each CPU that has the address space loaded uses the address
 * just before the slot changes (tlbarm).
 *
 * Invariant: between tlbarm() and tlbverify() nobody but the caller changes the
 * slot: u->lock is held to write; or to read, with the table locked.
 */
#include "mm/vm.h"

#ifdef QUIRE_DEBUG
#include "arch/multiboot.h"
#include "arch/xcall.h"

struct probe {           /* what the CPUs shall try to use */
	struct uvm *uvm;
	uint va;            /* this address, if table is 0 */
	struct page *table; /* else all addresses that this table, which is or
	                     * was hung under va, translates */
	uint access;        /* PROT_READ or PROT_WRITE */
	volatile uint usable; /* an address that some CPU could use, or 0 */
};

static int probe(struct uvm *u, uint va, struct page *table, uint access);
static void probehere(void *);
static void probeone(struct probe *, uint va);
static int checking(void);

/* See vm.h. */
void
tlbarm(struct uvm *u, uint va, uint access)
{
	tlbarmtable(u, va, 0, access);
}

/* See vm.h. */
void
tlbverify(struct uvm *u, uint va, uint access)
{
	tlbverifytable(u, va, 0, access);
}

/* See vm.h. */
void
tlbarmtable(struct uvm *u, uint va, struct page *table, uint access)
{
	lockassert(holdingeither(&u->lock));
	if (checking())
		probe(u, va, table, access);
}

/* See vm.h. */
void
tlbverifytable(struct uvm *u, uint va, struct page *table, uint access)
{
	uint usable = checking() ? probe(u, va, table, access) : 0;

	lockassert(holdingeither(&u->lock));
	if (usable)
		panic("stale translation: %x can still be %s", usable,
			access == PROT_WRITE ? "written" : "read");
}

/* Is "tlbcheck" on the kernel's command line? */
static int
checking(void)
{
	static int asked, on;

	if (!asked) {
		on = bootflag("tlbcheck");
		asked = 1;
	}
	return on;
}

/* Let each CPU that has u loaded try: an address that some CPU can use, or
 * 0. */
static int
probe(struct uvm *u, uint va, struct page *table, uint access)
{
	struct probe p = {u, va, table, access, 0};

	xcall(uvmcpus(u), probehere, &p);
	return p.usable;
}

/* Try the addresses of a struct probe on this CPU.  Interrupts are off. */
static void
probehere(void *arg)
{
	struct probe *p = arg;
	pte_t *slot;

	if (mycpu()->uvm != p->uvm)
		return;
	if (p->table == 0) {
		probeone(p, p->va);
		return;
	}
	slot = pagekva(p->table);
	for (uint i = p->table->low; i < p->table->high; i++)
		if (ptefilled(slot[i]))
			probeone(p, PGADDR(PDX(p->va), i, 0));
}

/* Try one address, and note it if this CPU can use it. */
static void
probeone(struct probe *p, uint va)
{
	if (probeuser(va, p->access == PROT_WRITE))
		p->usable = va;
}
#endif
