/*
 * splice.c - splice, tee and vmsplice: bytes between a pipe and another file,
 * through a page of the kernel.  What the other side does not take stays in the
 * pipe (pipetake), and a file's position moves by what the pipe has taken.
 */
#include "kern/sys/syspath.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/poll.h"
#include "kern/proc.h"
#include "kern/signal/signal.h"
#include "kern/sys/syscall.h"

#define SPLICE_NONBLOCK 2
#define SPLICE_FLAGS    0xf
#define MAXCOPY         0x7ffff000 /* bytes of one call */

struct splice { /* one call */
	struct file *in, *out;
	int64_t *from, *to; /* positions of what is no pipe */
	int block;          /* wait for the pipe's first byte, or room */
};

static int splice(struct splice *, uint n);
static int frompipe(struct splice *, char *page, uint n, int block);
static int topipe(struct splice *, char *page, uint n, int block);
static int rightends(struct file *in, struct file *out);
static int offsets(const uint *a, struct splice *s, int64_t off[2]);
static int usertopipe(struct file *, const struct iovec *, uint n, int block);

/* in, offset, out, offset, length, flags. */
int
sys_splice(const uint *a)
{
	struct splice s = {fdgetio(a[0]), fdgetio(a[2]), 0, 0, 0};
	int64_t off[2];
	int r = rightends(s.in, s.out);

	if (r == 0 && (a[5] & ~SPLICE_FLAGS))
		r = -EINVAL;
	if (r < 0 || (r = offsets(a, &s, off)) < 0 || a[4] == 0)
		goto out;
	s.block = !(a[5] & SPLICE_NONBLOCK) &&
		!((ispipe(s.in) ? s.in : s.out)->flags & O_NONBLOCK);
	r = splice(&s, MIN(a[4], MAXCOPY));
	if (r > 0 && ((a[1] && copyout(a[1], &off[0], 8)) ||
		(a[3] && copyout(a[3], &off[1], 8))))
		r = -EFAULT;
out:
	if (s.in)
		fileclose(s.in);
	if (s.out)
		fileclose(s.out);
	return r;
}

/* May bytes go from in (0: none) to out? */
static int
rightends(struct file *in, struct file *out)
{
	if (!in || !out || (in->flags & O_ACCMODE) == O_WRONLY ||
		(out->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	return 0;
}

/* Which of them are pipes, and where the other one is read or written. */
static int
offsets(const uint *a, struct splice *s, int64_t off[2])
{
	if ((a[1] && ispipe(s->in)) || (a[3] && ispipe(s->out)))
		return -ESPIPE;
	if (!ispipe(s->in) && !ispipe(s->out))
		return -EINVAL;
	if (ispipe(s->in) && ispipe(s->out) && s->in->inode == s->out->inode)
		return -EINVAL;
	if (s->out->flags & O_APPEND)
		return -EINVAL;
	if ((a[1] && !s->in->ops->seek) || (a[3] && !s->out->ops->seek))
		return -EINVAL;
	if ((a[1] && copyin(&off[0], a[1], 8)) ||
		(a[3] && copyin(&off[1], a[3], 8)))
		return -EFAULT;
	if ((a[1] && off[0] < 0) || (a[3] && off[1] < 0))
		return -EINVAL;
	s->from = a[1] ? &off[0] : &s->in->off;
	s->to = a[3] ? &off[1] : &s->out->off;
	return 0;
}

/* Bytes moved or -errno.  It waits for the first ones only, and reads a socket
 * or a terminal once. */
static int
splice(struct splice *s, uint n)
{
	char *page = kalloc();
	int more = ispipe(s->in) || s->in->ops->seek; /* never waits */
	uint done = 0, m;
	int r = 0, block = s->block;

	if (!page)
		return -ENOMEM;
	do {
		m = MIN(n - done, PGSIZE);
		r = ispipe(s->in) ? frompipe(s, page, m, block)
				  : topipe(s, page, m, block);
		if (r > 0)
			done += r;
		block = 0;
	} while (r == (int)m && done < n && more && !sigpending());
	kfree(page);
	return done ? (int)done : r;
}

/* What is next in the pipe goes to the file, or to another pipe. */
static int
frompipe(struct splice *s, char *page, uint n, int block)
{
	struct uio u = {(uint)page, 0, 1};
	int r = pipetake(s->in, page, n, block);

	if (r <= 0)
		return r;
	u.n = r;
	r = ispipe(s->out) ? pipeoffer(s->out, page, r, block)
			   : writefile(s->out, &u, s->to);
	pipegive(s->in, MAX(r, 0));
	return r;
}

/* What comes next in the file goes to the pipe.  What was read from a file
 * without a position must all go there. */
static int
topipe(struct splice *s, char *page, uint n, int block)
{
	struct uio u = {(uint)page, n, 1};
	int64_t off = *s->from;
	int seek = s->in->ops->seek != 0, got, r, done;

	if (!block && !(s->out->ops->poll(s->out, 0) & POLLOUT))
		return -EAGAIN;
	if ((got = readfile(s->in, &u, seek ? &off : s->from)) <= 0)
		return got;
	done = pipeoffer(s->out, page, got, block || !seek);
	while (!seek && done > 0 && done < got) {
		r = pipeoffer(s->out, page + done, got - done, 1);
		if (r < 0)
			break;
		done += r;
	}
	if (seek && done > 0)
		*s->from += done;
	return done;
}

/* in, out, length, flags: both pipes; what goes to out stays in in. */
int
sys_tee(const uint *a)
{
	struct file *in = fdgetio(a[0]), *out = fdgetio(a[1]);
	int r = rightends(in, out), block = !(a[3] & SPLICE_NONBLOCK);
	char *page = kalloc();

	if (!page)
		r = -ENOMEM;
	else if (a[3] & ~SPLICE_FLAGS)
		r = -EINVAL;
	else if (r == 0 && (!ispipe(in) || !ispipe(out) ||
		in->inode == out->inode))
		r = -EINVAL;
	if (r == 0 && a[2] > 0 && (r = pipetake(in, page, MIN(a[2], PGSIZE),
		block && !(in->flags & O_NONBLOCK))) > 0) {
		r = pipeoffer(out, page, r, block);
		pipegive(in, 0);
	}
	if (page)
		kfree(page);
	if (in)
		fileclose(in);
	if (out)
		fileclose(out);
	return r;
}

/* fd, iovec, count, flags.  Pages are copied, so what the caller does with them
 * afterwards is not seen. */
int
sys_vmsplice(const uint *a)
{
	struct iovec small[8], *iov;
	struct file *f;
	int r = -EBADF;

	if (a[3] & ~SPLICE_FLAGS)
		return -EINVAL;
	if (!(f = fdgetio(a[0])))
		return r;
	if (ispipe(f) && a[2] == 0)
		r = 0;
	else if (ispipe(f) && (f->flags & O_ACCMODE) == O_RDONLY)
		r = sys_readv(a);
	else if (ispipe(f) && (r = getiov(a[1], a[2], small, &iov)) == 0) {
		r = usertopipe(f, iov, a[2], !(a[3] & SPLICE_NONBLOCK));
		if (iov != small)
			kmfree(iov);
	}
	fileclose(f);
	return r;
}

/* Bytes moved or -errno.  It waits for room for the first one only. */
static int
usertopipe(struct file *f, const struct iovec *iov, uint n, int block)
{
	char *page = kalloc();
	uint done = 0, at, m;
	int r = page ? 0 : -ENOMEM;

	for (uint i = 0; i < n && r >= 0; i++)
		for (at = 0; at < iov[i].len && r >= 0; at += m) {
			m = MIN(iov[i].len - at, PGSIZE);
			r = copyin(page, iov[i].base + at, m) ? -EFAULT
				: pipeoffer(f, page, m, block && done == 0);
			if (r > 0)
				done += r;
			if (r >= 0 && r < (int)m)
				r = -EAGAIN;
		}
	if (page)
		kfree(page);
	return done ? (int)done : r;
}
