/*
 * sockmsg.c - sending to sockets and receiving: the calls' arguments, msghdr,
 * control messages.
 *
 * All calls come down to unixsend and unixrecv, with a struct sockio that says
 * where the bytes are and what goes with them.  Rights that come out of either
 * are closed here unless a descriptor was given to them.
 */
#include "kern/socket/socket.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/sys/syscall.h"
#include "kern/sys/syspath.h"
#include "kern/timeval.h"

#define MAXRW      0x7ffff000 /* bytes of one call */
#define MAXCONTROL 20480      /* bytes of control messages in a send */

/* A msghdr of the user's, fetched. */
struct message {
	struct msghdr hdr;
	struct iovec small[8], *iov;
};

static void ioinit(struct sockio *, struct file *, uint addr, uint n,
	uint flags);
static int dosend(struct socket *, struct sockio *);
static int getmsg(struct message *, uint umsg, struct sockio *);
static void putmsg(struct message *);
static int sendmsg(struct file *, struct socket *, uint umsg, uint flags);
static int getcontrol(struct msghdr *, struct sockio *);
static int parsecontrol(char *, uint n, struct sockio *);
static int onecontrol(struct cmsghdr *, char *data, uint n, struct sockio *);
static int getrights(int *fd, uint n, struct sockio *);
static int getcred(struct ucred *, struct sockio *);
static int recvmsg(struct file *, struct socket *, uint umsg, uint flags);
static void putcontrol(struct msghdr *, struct sockio *, int cloexec);
static void putcmsg(struct msghdr *, struct sockio *, int type, void *data,
	uint n);
static void putrights(struct msghdr *, struct sockio *, int cloexec);
static int getaddr(struct sockio *, struct sockaddr_un *, uint uaddr, int len);
static int recvmmsg(const uint *a, int wide);

int
sockread(struct file *f, struct uio *u, int64_t *off)
{
	struct sockio io;
	int r;

	(void)off;
	if (u->n == 0)
		return 0;
	ioinit(&io, f, 0, u->n, 0);
	io.u = *u;
	r = unixrecv(f->priv, &io);
	*u = io.u;
	if (io.rights)
		rightsdrop(io.rights);
	return r;
}

int
sockwrite(struct file *f, struct uio *u, int64_t *off)
{
	struct sockio io;
	int r;

	(void)off;
	ioinit(&io, f, 0, u->n, 0);
	io.u = *u;
	r = unixsend(f->priv, &io);
	*u = io.u;
	return r;
}

int
sockiov(struct file *f, const struct iovec *iov, uint n, int out)
{
	struct sockio io;
	uint i;
	int r;

	ioinit(&io, f, 0, 0, 0);
	io.iov = iov;
	io.niov = n;
	for (i = 0; i < n; i++)
		io.left += iov[i].len;
	if (io.left == 0)
		return 0;
	if (out)
		return unixsend(f->priv, &io);
	r = unixrecv(f->priv, &io);
	if (io.rights)
		rightsdrop(io.rights);
	return r;
}

/* One piece of n bytes at addr; more are the caller's to add. */
static void
ioinit(struct sockio *io, struct file *f, uint addr, uint n, uint flags)
{
	io->u.addr = addr;
	io->u.n = io->left = MIN(n, MAXRW);
	io->u.kernel = 0;
	io->niov = 0;
	io->flags = f->flags & O_NONBLOCK ? flags | MSG_DONTWAIT : flags;
	io->outflags = 0;
	io->rights = 0;
	io->hascred = 0;
	io->addr = 0;
	io->wantname = 0;
	io->name = 0;
}

/* fd, address, length, flags, destination, its length. */
int
sys_sendto(const uint *a)
{
	struct sockaddr_un addr;
	struct sockio io;
	struct file *f;
	int r;
	struct socket *s = getsock(a[0], &f, &r);

	if (s == 0)
		return r;
	ioinit(&io, f, a[1], a[2], a[3]);
	r = a[4] ? getaddr(&io, &addr, a[4], a[5]) : 0;
	if (r == 0)
		r = dosend(s, &io);
	fileclose(f);
	return r;
}

/* Fetch the address to send to: 0, -EINVAL or -EFAULT. */
static int
getaddr(struct sockio *io, struct sockaddr_un *addr, uint uaddr, int len)
{
	int err = sockaddrin(addr, uaddr, len);

	if (err == 0 && len > 0)
		io->addr = addr;
	io->addrlen = len;
	return err;
}

/* unixsend; rights that do not go are closed. */
static int
dosend(struct socket *s, struct sockio *io)
{
	int r = 0;

	if (io->rights)
		r = rightsfly(io->rights);
	if (r == 0)
		r = unixsend(s, io);
	if (io->rights)
		rightsdrop(io->rights);
	return r;
}

/* fd, address, length, flags, where the sender's address and its length go. */
int
sys_recvfrom(const uint *a)
{
	struct sockio io;
	struct file *f;
	int r, err;
	struct socket *s = getsock(a[0], &f, &r);

	if (s == 0)
		return r;
	ioinit(&io, f, a[1], a[2], a[3]);
	io.wantname = a[4] != 0;
	r = unixrecv(s, &io);
	if (io.rights)
		rightsdrop(io.rights);
	err = r >= 0 && a[4] ? sockaddrout(a[4], a[5], io.name, 0) : 0;
	socknameput(io.name);
	fileclose(f);
	return err < 0 ? err : r;
}

/* fd, msghdr, flags. */
int
sys_sendmsg(const uint *a)
{
	struct file *f;
	int r;
	struct socket *s = getsock(a[0], &f, &r);

	if (s == 0)
		return r;
	r = sendmsg(f, s, a[1], a[2]);
	fileclose(f);
	return r;
}

static int
sendmsg(struct file *f, struct socket *s, uint umsg, uint flags)
{
	struct sockaddr_un addr;
	struct message m;
	struct sockio io;
	int r;

	ioinit(&io, f, 0, 0, flags);
	r = getmsg(&m, umsg, &io);
	if (r < 0)
		return r;
	r = getaddr(&io, &addr, m.hdr.name, MIN(m.hdr.namelen, ADDRLEN_MAX));
	if (r == 0)
		r = getcontrol(&m.hdr, &io);
	if (r == 0)
		r = dosend(s, &io);
	else if (io.rights)
		rightsdrop(io.rights);
	putmsg(&m);
	return r;
}

/* Fetch a msghdr and its iovecs, which io then describes; putmsg gives them
 * back.  0 or -errno. */
static int
getmsg(struct message *m, uint umsg, struct sockio *io)
{
	uint i;
	int err;

	if (copyin(&m->hdr, umsg, sizeof(m->hdr)))
		return -EFAULT;
	if (m->hdr.name == 0)
		m->hdr.namelen = 0;
	if (m->hdr.namelen < 0)
		return -EINVAL;
	if (m->hdr.iovlen > UIO_MAXIOV)
		return -EMSGSIZE;
	err = getiov(m->hdr.iov, m->hdr.iovlen, m->small, &m->iov);
	if (err < 0)
		return err;
	io->iov = m->iov;
	io->niov = m->hdr.iovlen;
	for (i = 0; i < m->hdr.iovlen; i++)
		io->left += m->iov[i].len;
	return 0;
}

static void
putmsg(struct message *m)
{
	if (m->iov != m->small)
		kmfree(m->iov);
}

/* Rights and credentials from the control messages of a send.  0 or -errno,
 * with rights in io for the caller to drop. */
static int
getcontrol(struct msghdr *h, struct sockio *io)
{
	char *buf;
	int err;

	if (h->controllen == 0)
		return 0;
	if (h->controllen > MAXCONTROL)
		return -ENOBUFS;
	buf = kmalloc(h->controllen);
	if (buf == 0)
		return -ENOBUFS;
	err = -EFAULT;
	if (copyin(buf, h->control, h->controllen) == 0)
		err = parsecontrol(buf, h->controllen, io);
	kmfree(buf);
	return err;
}

static int
parsecontrol(char *buf, uint n, struct sockio *io)
{
	struct cmsghdr *c;
	uint at = 0;
	int err;

	if (n < sizeof(*c))
		return -EINVAL;
	while (at + sizeof(*c) <= n) {
		c = (struct cmsghdr *)(buf + at);
		if (c->len < sizeof(*c) || c->len > n - at)
			return -EINVAL;
		err = onecontrol(c, (char *)(c + 1), c->len - sizeof(*c), io);
		if (err < 0)
			return err;
		at += CMSG_ALIGN(c->len);
	}
	return 0;
}

static int
onecontrol(struct cmsghdr *c, char *data, uint n, struct sockio *io)
{
	if (c->level != SOL_SOCKET)
		return 0;
	if (c->type == SCM_RIGHTS)
		return getrights((int *)data, n / sizeof(int), io);
	if (c->type == SCM_CREDENTIALS && n == sizeof(struct ucred))
		return getcred((struct ucred *)data, io);
	return -EINVAL;
}

/* Add the files of n descriptors. */
static int
getrights(int *fd, uint n, struct sockio *io)
{
	struct rights *r = io->rights;
	uint i;

	if (n == 0)
		return 0;
	if (n > SCM_MAX_FD)
		return -EINVAL;
	if (r == 0)
		r = io->rights = rightsnew();
	if (r == 0)
		return -ENOMEM;
	if (r->n + n > SCM_MAX_FD)
		return -EINVAL;
	for (i = 0; i < n; i++) {
		r->file[r->n] = fdget(fd[i]);
		if (r->file[r->n] == 0)
			return -EBADF;
		r->n++;
	}
	return 0;
}

/* The sender says who it is: only root may lie. */
static int
getcred(struct ucred *c, struct sockio *io)
{
	struct proc *p = myproc();
	int exists;

	if (p->euid != 0 && (c->pid != p->tg->tgid ||
			(c->uid != p->uid && c->uid != p->euid &&
				c->uid != p->suid) ||
			(c->gid != p->gid && c->gid != p->egid &&
				c->gid != p->sgid)))
		return -EPERM;
	acquire(&proctree);
	exists = findproc(c->pid) != 0;
	release(&proctree);
	if (!exists)
		return -ESRCH;
	if (c->uid == ~0u || c->gid == ~0u)
		return -EINVAL;
	io->cred = *c;
	io->hascred = 1;
	return 0;
}

/* fd, msghdr, flags. */
int
sys_recvmsg(const uint *a)
{
	struct file *f;
	int r;
	struct socket *s = getsock(a[0], &f, &r);

	if (s == 0)
		return r;
	r = recvmsg(f, s, a[1], a[2]);
	fileclose(f);
	return r;
}

static int
recvmsg(struct file *f, struct socket *s, uint umsg, uint flags)
{
	struct message m;
	struct sockio io;
	struct msghdr *h = &m.hdr;
	int r, err;

	ioinit(&io, f, 0, 0, flags & ~MSG_CMSG_CLOEXEC);
	r = getmsg(&m, umsg, &io);
	if (r < 0)
		return r;
	io.wantname = h->name != 0;
	r = unixrecv(s, &io);
	putmsg(&m);
	if (r < 0) {
		socknameput(io.name);
		return r;
	}
	putcontrol(h, &io, flags & MSG_CMSG_CLOEXEC);
	h->flags = io.outflags | (flags & MSG_CMSG_CLOEXEC);
	err = h->name ? sockaddrout(h->name,
		umsg + offsetof(struct msghdr, namelen), io.name, 0) : 0;
	socknameput(io.name);
	if (err < 0)
		return err;
	if (copyout(umsg + offsetof(struct msghdr, controllen), &h->controllen,
			2 * sizeof(uint)))
		return -EFAULT;
	return r;
}

/* Write what came with the bytes to the control buffer; controllen becomes what
 * is used of it. */
static void
putcontrol(struct msghdr *h, struct sockio *io, int cloexec)
{
	uint room = h->controllen;

	if (io->hascred)
		putcmsg(h, io, SCM_CREDENTIALS, &io->cred, sizeof(io->cred));
	if (io->rights) {
		putrights(h, io, cloexec);
		rightsdrop(io->rights);
	}
	h->controllen = room - h->controllen;
}

/* Write a control message, or as much as there is room for, and move the
 * buffer's start behind it. */
static void
putcmsg(struct msghdr *h, struct sockio *io, int type, void *data, uint n)
{
	struct cmsghdr c = {sizeof(c) + n, SOL_SOCKET, type};

	if (h->control == 0 || h->controllen < sizeof(c)) {
		io->outflags |= MSG_CTRUNC;
		return;
	}
	if (h->controllen < c.len) {
		io->outflags |= MSG_CTRUNC;
		c.len = h->controllen;
	}
	if (copyout(h->control, &c, sizeof(c)) ||
		copyout(h->control + sizeof(c), data, c.len - sizeof(c)))
		return;
	n = MIN(CMSG_ALIGN(c.len), h->controllen);
	h->control += n;
	h->controllen -= n;
}

/* Give descriptors to the files that came, as many as there is room for. */
static void
putrights(struct msghdr *h, struct sockio *io, int cloexec)
{
	struct rights *r = io->rights;
	uint i, max = 0, at = h->control + sizeof(struct cmsghdr);
	struct cmsghdr c = {sizeof(c), SOL_SOCKET, SCM_RIGHTS};
	int fd;

	rightsland(r);
	if (h->control && h->controllen > sizeof(c))
		max = (h->controllen - sizeof(c)) / sizeof(fd);
	for (i = 0; i < MIN(r->n, max); i++) {
		if ((fd = fdalloc(0, 0, cloexec != 0)) < 0)
			break;
		if (copyout(at + i * sizeof(fd), &fd, sizeof(fd))) {
			fdinstall(fd, 0);
			break;
		}
		fdinstall(fd, filedup(r->file[i]));
	}
	if (i < r->n)
		io->outflags |= MSG_CTRUNC;
	c.len += i * sizeof(fd);
	if (i == 0 || copyout(h->control, &c, sizeof(c)))
		return;
	h->control += c.len;
	h->controllen -= c.len;
}

/* fd, array of mmsghdr, how many, flags. */
int
sys_sendmmsg(const uint *a)
{
	uint i, umsg = a[1], n = MIN(a[2], UIO_MAXIOV);
	struct file *f;
	int r;
	struct socket *s = getsock(a[0], &f, &r);

	if (s == 0)
		return r;
	r = 0;
	for (i = 0; i < n; i++, umsg += sizeof(struct mmsghdr)) {
		r = sendmsg(f, s, umsg, a[3]);
		if (r >= 0 && copyout(umsg + offsetof(struct mmsghdr, len), &r,
				sizeof(r)))
			r = -EFAULT;
		if (r < 0)
			break;
	}
	fileclose(f);
	return i > 0 ? (int)i : r;
}

/* fd, array of mmsghdr, how many, flags, time limit. */
int
sys_recvmmsg(const uint *a)
{
	return recvmmsg(a, 0);
}

int
sys_recvmmsg_time64(const uint *a)
{
	return recvmmsg(a, 1);
}

/* The time limit is looked at after each message only, as on Linux. */
static int
recvmmsg(const uint *a, int wide)
{
	uint i, umsg = a[1], n = MIN(a[2], UIO_MAXIOV), flags = a[3];
	int64_t ns, deadline = NEVER;
	struct file *f;
	int r;
	struct socket *s;

	if (a[4]) {
		ns = wide ? timespec64in(a[4]) : timespecin(a[4]);
		if (ns < 0)
			return (int)ns;
		deadline = deadlinein(ns);
	}
	s = getsock(a[0], &f, &r);
	if (s == 0)
		return r;
	r = 0;
	for (i = 0; i < n; i++, umsg += sizeof(struct mmsghdr)) {
		r = recvmsg(f, s, umsg, flags & ~MSG_WAITFORONE);
		if (r >= 0 && copyout(umsg + offsetof(struct mmsghdr, len), &r,
				sizeof(r)))
			r = -EFAULT;
		if (r < 0)
			break;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (deadline != NEVER && nowns() >= deadline) {
			i++;
			break;
		}
	}
	fileclose(f);
	return i > 0 ? (int)i : r;
}
