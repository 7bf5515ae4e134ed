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
	uint va, access;
	int usable; /* how many CPUs could */
};

static int probe(struct uvm *u, uint va, uint access);
static void probehere(void *);

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

/* The slot of va is going to lose what it allows: PROT_READ, everything;
 * PROT_WRITE, writing.  Let the CPUs cache it. */
void
tlbarm(struct uvm *u, uint va, uint access)
{
	if (checking())
		probe(u, va, access);
}

/* It has lost it, and the TLBs have been flushed. */
void
tlbverify(struct uvm *u, uint va, uint access)
{
	if (checking() && probe(u, va, access))
		panic("stale translation: %x can still be %s", va,
			access == PROT_WRITE ? "written" : "read");
}

/* The same for all that the table under va translates. */
void
tlbarmtable(struct uvm *u, uint va, struct page *table, uint access)
{
	pte_t *slot = pagekva(table);

	for (uint i = table->low; checking() && i < table->high; i++)
		if (ptefilled(slot[i]))
			tlbarm(u, PGADDR(PDX(va), i, 0), access);
}

void
tlbverifytable(struct uvm *u, uint va, struct page *table, uint access)
{
	pte_t *slot = pagekva(table);

	for (uint i = table->low; checking() && i < table->high; i++)
		if (ptefilled(slot[i]))
			tlbverify(u, PGADDR(PDX(va), i, 0), access);
}

/* On how many CPUs can va of u be used? */
static int
probe(struct uvm *u, uint va, uint access)
{
	struct probe p = {u, va, access, 0};

	xcall(~0u, probehere, &p);
	return p.usable;
}

static void
probehere(void *arg)
{
	struct probe *p = arg;

	if (mycpu()->uvm == p->uvm &&
		probeuser(p->va, p->access == PROT_WRITE))
		atomicinc(&p->usable);
}
#endif
