/*
 * tlbcheck.c - does any CPU still reach a page that has been taken away?
 *
 * Debug builds with "tlbcheck" on the command line hold a frame that leaves its
 * slot in quarantine until every CPU has shown that it forgot the translation:
 * it tries to use the address, and must fault.  So a flush that is missing, or
 * that a CPU acknowledged without doing it, is a panic at once and not a page of
 * somebody else's that changes a minute later.  And so that a missing flush is
 * found each time, each CPU that has the address space loaded uses the address
 * just before the slot changes.
 *
 * Invariant: between tlbarm() and tlbverify() nobody but the caller changes the
 * slot (u->lock held to write, or the table locked).
 */
#include "mm/vm.h"

#ifdef QUIRE_DEBUG
#include "arch/multiboot.h"
#include "arch/xcall.h"

struct probe {
	struct uvm *uvm;
	uint va;            /* one address, or */
	struct page *table; /* all that the table under va translates */
	uint access;
	volatile uint usable; /* one that some CPU could use, or 0 */
};

static int probe(struct uvm *u, uint va, struct page *table, uint access);
static void probehere(void *);
static void probeone(struct probe *, uint va);
static int checking(void);

/* The slot of va is going to lose what it allows: PROT_READ, everything;
 * PROT_WRITE, writing.  Let the CPUs cache it. */
void
tlbarm(struct uvm *u, uint va, uint access)
{
	tlbarmtable(u, va, 0, access);
}

/* It has lost it, and the TLBs have been flushed. */
void
tlbverify(struct uvm *u, uint va, uint access)
{
	tlbverifytable(u, va, 0, access);
}

/* The same for all that the table under va translates. */
void
tlbarmtable(struct uvm *u, uint va, struct page *table, uint access)
{
	if (checking())
		probe(u, va, table, access);
}

void
tlbverifytable(struct uvm *u, uint va, struct page *table, uint access)
{
	uint usable = checking() ? probe(u, va, table, access) : 0;

	if (usable)
		panic("stale translation: %x can still be %s", usable,
			access == PROT_WRITE ? "written" : "read");
}

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

/* An address that some CPU can use, or 0. */
static int
probe(struct uvm *u, uint va, struct page *table, uint access)
{
	struct probe p = {u, va, table, access, 0};

	xcall(uvmcpus(u), probehere, &p);
	return p.usable;
}

/* On each CPU that has the address space loaded; interrupts off. */
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

static void
probeone(struct probe *p, uint va)
{
	if (probeuser(va, p->access == PROT_WRITE))
		p->usable = va;
}
#endif
