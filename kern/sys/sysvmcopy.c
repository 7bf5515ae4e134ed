/*
 * sysvmcopy.c - process_vm_readv and process_vm_writev: bytes from the memory
 * of one process to that of another.
 *
 * They go by way of a page of the kernel's, piece by piece; nothing is promised
 * about what other threads do meanwhile.
 */
#include "mm/mm.h"
#include "kern/proc.h"
#include "kern/signal/ptrace.h"
#include "kern/sys/syscall.h"
#include "kern/sys/syspath.h"

#define MAXVEC 1024
#define SMALL  8 /* iovecs that getiov() puts on the stack */

struct side { /* where it goes on */
	struct iovec small[SMALL], *iov;
	uint n;  /* iovecs left, iov the next */
	uint at; /* bytes of it that are done */
};

static int vmcopy(const uint *a, int write);
static struct uvm *othermem(int pid, int *err);
static int copyall(struct uvm *u, struct side *mine, struct side *theirs,
	char *page, int write);
static uint piece(struct side *s, uint *va);

/* pid, our iovecs, how many, its iovecs, how many, flags */
int
sys_process_vm_readv(const uint *a)
{
	return vmcopy(a, 0);
}

int
sys_process_vm_writev(const uint *a)
{
	return vmcopy(a, 1);
}

static int
vmcopy(const uint *a, int write)
{
	struct side mine = {.iov = mine.small, .n = a[2]};
	struct side theirs = {.iov = theirs.small, .n = a[4]};
	struct iovec *ours, *its = theirs.small;
	struct uvm *u = 0;
	char *page = 0;
	int r;

	if (a[5] || a[2] > MAXVEC || a[4] > MAXVEC)
		return -EINVAL;
	if ((r = getiov(a[1], a[2], mine.small, &mine.iov)) < 0)
		return r;
	ours = mine.iov;
	if ((r = getiov(a[3], a[4], theirs.small, &theirs.iov)) < 0)
		goto out;
	its = theirs.iov;
	if ((u = othermem((int)a[0], &r)) == 0)
		goto out;
	r = -ENOMEM;
	if ((page = kalloc()) != 0)
		r = copyall(u, &mine, &theirs, page, write);
	if (page)
		kfree(page);
	freeuvm(u);
out:
	if (ours != mine.small)
		kmfree(ours);
	if (its != theirs.small)
		kmfree(its);
	return r;
}

/* The memory of the process, referenced, if we may trace it; or 0 and *err. */
static struct uvm *
othermem(int pid, int *err)
{
	struct uvm *u = 0;
	struct proc *p;

	acquire(&proctree);
	p = findproc(pid);
	*err = p && !traceable(p) ? -EPERM : -ESRCH;
	if (p && p->uvm && *err == -ESRCH)
		u = uvmref(p->uvm);
	release(&proctree);
	return u;
}

/* Bytes copied, or -EFAULT if none could be. */
static int
copyall(struct uvm *u, struct side *mine, struct side *theirs, char *page,
	int write)
{
	uint va, to, n, done = 0;
	int err = 0;

	for (;;) {
		n = MIN(piece(mine, &to), piece(theirs, &va));
		if (n == 0)
			return (int)done;
		if (write)
			err = copyin(page, to, n) ? -EFAULT
						  : uvmwrite(u, va, page, n);
		else
			err = uvmread(u, va, page, n);
		if (err == 0 && !write)
			err = copyout(to, page, n) ? -EFAULT : 0;
		if (err < 0)
			return done ? (int)done : err;
		mine->at += n;
		theirs->at += n;
		done += n;
	}
}

/* How many bytes there are to the end of a page or of an iovec, from *va; 0: no
 * more. */
static uint
piece(struct side *s, uint *va)
{
	while (s->n > 0 && s->at == s->iov->len) {
		s->iov++;
		s->n--;
		s->at = 0;
	}
	if (s->n == 0)
		return 0;
	*va = s->iov->base + s->at;
	return MIN(s->iov->len - s->at, PGSIZE - *va % PGSIZE);
}
