/*
 * systls.c - the system calls about the three segment descriptors that a thread
 * has for itself, by which it finds its own variables (%gs).
 *
 * Only tlsfill() makes descriptors: present, of user privilege, for data; or
 * all zero, for none.  So loading a selector of a slot that is not zero never
 * faults, and none may be left in the frame that names a slot which is.
 */
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/proc.h"
#include "kern/sys/syscall.h"
#include "kern/tls.h"

static int tlsslot(uint entry);
static void dropselectors(struct proc *p);

int
sys_set_thread_area(const uint *a)
{
	struct proc *p = myproc();
	struct segdesc d;
	uint desc[4]; /* entry, base, limit, flags */
	int slot, err;

	if (copyin(desc, a[0], sizeof(desc)))
		return -EFAULT;
	slot = tlsslot(desc[0]);
	if (slot < 0)
		return slot;
	if ((err = tlsfill(&d, desc)) < 0)
		return err;
	if (desc[0] == ~0u) {
		desc[0] = SEG_TLS + slot;
		if (copyout(a[0], desc, sizeof(desc[0])))
			return -EFAULT;
	}
	pushcli();
	p->tls[slot] = d;
	tlsload(p->tls);
	popcli();
	dropselectors(p);
	return 0;
}

/* The slot of an entry number, a free one for -1: or -ESRCH, -EINVAL. */
static int
tlsslot(uint entry)
{
	struct proc *p = myproc();
	int i;

	if (entry != ~0u)
		return entry - SEG_TLS < NTLS ? (int)(entry - SEG_TLS) : -EINVAL;
	for (i = 0; i < NTLS; i++)
		if (p->tls[i].hi == 0)
			return i;
	return -ESRCH;
}

/* A selector whose descriptor is gone would fault on the way to user mode. */
static void
dropselectors(struct proc *p)
{
	uint *sel[4] = {&p->tf->gs, &p->tf->fs, &p->tf->es, &p->tf->ds};
	uint i, slot;

	for (i = 0; i < NELEM(sel); i++) {
		slot = ((*sel[i] & 0xffff) >> 3) - SEG_TLS;
		if (slot < NTLS && p->tls[slot].hi == 0)
			*sel[i] = 0;
	}
}

int
sys_get_thread_area(const uint *a)
{
	uint desc[4];

	if (copyin(desc, a[0], sizeof(desc[0])))
		return -EFAULT;
	if (desc[0] - SEG_TLS >= NTLS)
		return -EINVAL;
	tlsdesc(&myproc()->tls[desc[0] - SEG_TLS], desc[0], desc);
	return copyout(a[0], desc, sizeof(desc)) ? -EFAULT : 0;
}

