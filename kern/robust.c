/*
 * robust.c - locks that outlive their owner, and what a thread leaves behind.
 *
 * A thread keeps the robust locks it holds on a list in its own memory; the
 * word of each lock has the thread's id.  When the thread ends, or becomes
 * another program, the kernel walks the list, marks each lock FUTEX_OWNER_DIED
 * and wakes one thread that waits for the lock.
 *
 * The user wrote the list, so nothing on it can be trusted: a bad address ends
 * the walk, and so does ROBUST_LIST_LIMIT, since the list may be a circle.
 * Only words that have the thread's id are changed.
 */
#include "kern/futex.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/futex.h"
#include "kern/proc.h"
#include "kern/sys/syscall.h"

#define PI 1 /* bit 0 of an entry's address: the lock inherits priority */

static void robustexit(uint uhead);
static int unlock(uint uentry, int offset, int pending);

/* See futex.h. */
void
futexexit(struct proc *p)
{
	const uint zero = 0;

	lockassert(nospinlocks());
	if (p->robustlist)
		robustexit(p->robustlist);
	p->robustlist = 0;
	if (p->cleartid && copyout(p->cleartid, &zero, sizeof(zero)) == 0)
		futexwake(p->cleartid, 1);
	p->cleartid = 0;
}

/* Free the locks on the list whose head is at uhead.  The address of the next
 * entry is read before the entry's lock is freed: after that another thread may
 * use the memory of the entry for something else. */
static void
robustexit(uint uhead)
{
	struct robust_list_head head;
	uint entry, next, last, n = 0;

	if (copyin(&head, uhead, sizeof(head)))
		return;
	for (entry = head.next; (entry & ~PI) != uhead; entry = next) {
		last = copyin(&next, entry & ~PI, sizeof(next));
		if ((entry & ~PI) != (head.pending & ~PI) &&
			unlock(entry, head.futex_offset, 0) < 0)
			return;
		if (last)
			return;
		if (++n == ROBUST_LIST_LIMIT)
			break;
	}
	if (head.pending & ~PI)
		unlock(head.pending, head.futex_offset, 1);
}

/* Free the lock of the entry at uentry, whose word is offset bytes from there,
 * if the running thread owns the lock: 0 or -EFAULT.  pending: the thread was
 * taking or releasing this lock.  A pending lock without an owner may have been
 * released and its next waiter not yet woken, so one waiter is woken here. */
static int
unlock(uint uentry, int offset, int pending)
{
	uint uva = (uentry & ~PI) + (uint)offset, val, owner;
	int err;

	if ((uva & 3) || userload(uva, &val) < 0)
		return -EFAULT;
	do {
		owner = val & FUTEX_TID_MASK;
		if (pending && !(uentry & PI) && owner == 0) {
			futexwake(uva, 1);
			return 0;
		}
		if (owner != (uint)myproc()->pid)
			return 0;
		err = usercas(uva, &val,
			(val & FUTEX_WAITERS) | FUTEX_OWNER_DIED);
	} while (err > 0);
	if (err == 0 && (val & FUTEX_WAITERS) && !(uentry & PI))
		futexwake(uva, 1);
	return err;
}

int
sys_set_robust_list(const uint *a)
{
	if (a[1] != sizeof(struct robust_list_head))
		return -EINVAL;
	myproc()->robustlist = a[0];
	return 0;
}

int
sys_get_robust_list(const uint *a)
{
	const uint len = sizeof(struct robust_list_head);
	struct proc *me = myproc(), *p;
	uint head = 0;
	int err = 0;

	acquire(&proctree);
	p = a[0] ? findproc((int)a[0]) : me;
	if (!p)
		err = -ESRCH;
	else if (me->euid != 0 && me->euid != p->uid)
		err = -EPERM;
	else
		head = p->robustlist;
	release(&proctree);
	if (err < 0)
		return err;
	if (copyout(a[2], &len, sizeof(len)) ||
		copyout(a[1], &head, sizeof(head)))
		return -EFAULT;
	return 0;
}
