/*
 * socket.c - the system calls of sockets: arguments, descriptors, options.
 *
 * What a socket does is in unix.c; there is no other family.  A socket's file
 * has an inode of a file system of its own, for fstat; its name in /proc/PID/fd
 * is socket:[number].
 */
#include "kern/socket.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/poll.h"
#include "kern/abi/termios.h"
#include "kern/abi/time.h"
#include "kern/fs/inode.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/string.h"
#include "kern/syscall.h"
#include "kern/syspath.h"
#include "kern/timeval.h"

#define SIOCOUTQ    0x5411
#define MAXRW       0x7ffff000 /* bytes of one call */
#define MAXCONTROL  20480      /* bytes of control messages in a send */
#define MINSNDBUF   4608
#define MINRCVBUF   2304
#define MAXBUF      212992     /* what SO_SNDBUF and SO_RCVBUF may ask for */

/* A msghdr of the user's, fetched. */
struct message {
	struct msghdr hdr;
	struct iovec small[8], *iov;
};

static int sockread(struct file *, struct uio *, int64_t *off);
static int sockwrite(struct file *, struct uio *, int64_t *off);
static int sockioctl(struct file *, uint cmd, uint arg);
static int sockpoll(struct file *, struct pollset *);
static void sockrelease(struct file *);
static int newsocket(uint domain, uint type, uint protocol,
	struct socket **sp);
static struct file *sockfile(struct socket *, uint flags);
static int sockfd(struct file *, uint type);
static struct socket *getsock(uint fd, struct file **fp, int *err);
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
static int putname(uint uaddr, uint ulen, struct sockname *, int unnamed);
static int getaddr(struct sockio *, struct sockaddr_un *, uint uaddr, int len);
static int fetchaddr(struct sockaddr_un *, uint uaddr, int len);
static int recvmmsg(const uint *a, int wide);
static int getopt(struct socket *, uint opt, void *val);
static int setopt(struct socket *, uint opt, int val);
static void setbuf(uint *buf, uint val, uint min);
static int gettimeo(int64_t ns, int wide, void *val);
static int settimeo(int64_t *ns, int wide, uint uval, uint n);

/* The inodes of sockets belong to a file system of their own. */
static struct super socksuper = {.ref = 1, .type = "sockfs", .dev = 8};

static const struct fileops sockops = {
	.read = sockread,
	.write = sockwrite,
	.ioctl = sockioctl,
	.poll = sockpoll,
	.release = sockrelease,
};

int
issocket(struct file *f)
{
	return f->ops == &sockops;
}

struct socket *
filesocket(struct file *f)
{
	return f->ops == &sockops ? f->priv : 0;
}

static int
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

static int
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
socketiov(struct file *f, const struct iovec *iov, uint n, int out)
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

static int
sockioctl(struct file *f, uint cmd, uint arg)
{
	struct socket *s = f->priv;
	int n;

	if (cmd == FIONREAD) {
		if (s->state == SOCK_LISTENING)
			return -EINVAL;
		n = unixunread(s);
	} else if (cmd == SIOCOUTQ) {
		n = s->wmem;
	} else {
		return -ENOTTY;
	}
	return copyout(arg, &n, sizeof(n)) ? -EFAULT : 0;
}

static int
sockpoll(struct file *f, struct pollset *ps)
{
	return unixpoll(f->priv, ps);
}

static void
sockrelease(struct file *f)
{
	unixclose(f->priv);
	iput(f->inode);
}

/* domain, type, protocol. */
int
sys_socket(const uint *a)
{
	struct socket *s;
	struct file *f;
	int r = newsocket(a[0], a[1], a[2], &s);

	if (r < 0)
		return r;
	f = sockfile(s, a[1]);
	return f ? sockfd(f, a[1]) : -ENOMEM;
}

/* A socket with one reference in *sp; type with its flags.  0 or -errno. */
static int
newsocket(uint domain, uint type, uint protocol, struct socket **sp)
{
	uint kind = type & SOCK_TYPEMASK;

	if (type & ~(SOCK_TYPEMASK | SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	if (domain != AF_UNIX)
		return -EAFNOSUPPORT;
	if (kind >= SOCK_MAX)
		return -EINVAL;
	if (protocol != 0 && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	if (kind == SOCK_RAW)
		kind = SOCK_DGRAM;
	if (kind != SOCK_STREAM && kind != SOCK_DGRAM && kind != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	*sp = unixnew(kind);
	return *sp ? 0 : -ENOMEM;
}

/* An open file of s, which takes over the reference to it; or 0, and that is
 * dropped. */
static struct file *
sockfile(struct socket *s, uint flags)
{
	struct inode *i = inodenew(&socksuper, S_IFSOCK | 0777);
	struct file *f = i ? filealloc() : 0;

	if (f == 0) {
		if (i)
			iput(i);
		unixclose(s);
		return 0;
	}
	f->flags = O_RDWR | (flags & SOCK_NONBLOCK);
	f->inode = i;
	f->ops = &sockops;
	f->priv = s;
	s->file = f;
	s->ino = (uint)i->ino;
	return f;
}

/* A descriptor for f, whose reference is taken over; or -EMFILE. */
static int
sockfd(struct file *f, uint type)
{
	int fd = fdalloc(f, 0, (type & SOCK_CLOEXEC) != 0);

	if (fd < 0)
		fileclose(f);
	return fd;
}

/* domain, type, protocol, address of two descriptors. */
int
sys_socketpair(const uint *a)
{
	struct socket *s[2];
	struct file *f[2];
	int r = newsocket(a[0], a[1], a[2], &s[0]);

	if (r < 0)
		return r;
	r = newsocket(a[0], a[1], a[2], &s[1]);
	if (r < 0) {
		unixclose(s[0]);
		return r;
	}
	unixpair(s[0], s[1]);
	f[0] = sockfile(s[0], a[1]);
	f[1] = sockfile(s[1], a[1]);
	if (f[0] == 0 || f[1] == 0) {
		if (f[0] || f[1])
			fileclose(f[0] ? f[0] : f[1]);
		return -ENOMEM;
	}
	return fdpair(f, (a[1] & SOCK_CLOEXEC) != 0, a[3]);
}

/* The socket of a descriptor, its file referenced in *fp; or 0 and -EBADF,
 * -ENOTSOCK in *err. */
static struct socket *
getsock(uint fd, struct file **fp, int *err)
{
	struct file *f = fdget(fd);

	*err = -EBADF;
	if (f == 0)
		return 0;
	if (issocket(f)) {
		*fp = f;
		return f->priv;
	}
	if (!(f->flags & O_PATH))
		*err = -ENOTSOCK;
	fileclose(f);
	return 0;
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
	int err = fetchaddr(addr, uaddr, len);

	if (err == 0 && len > 0)
		io->addr = addr;
	io->addrlen = len;
	return err;
}

/* An address of len bytes from user memory; one that is too long counts as
 * given, and is refused where it is used. */
static int
fetchaddr(struct sockaddr_un *addr, uint uaddr, int len)
{
	if (len < 0 || len > ADDRLEN_MAX)
		return -EINVAL;
	return copyin(addr, uaddr, MIN((uint)len, sizeof(*addr))) ? -EFAULT : 0;
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
	err = r >= 0 && a[4] ? putname(a[4], a[5], io.name, 0) : 0;
	socknameput(io.name);
	fileclose(f);
	return err < 0 ? err : r;
}

/* Write a name to user memory, where *ulen is the room.  No name (0) is the
 * first so many bytes of an address.  0, -EFAULT or -EINVAL. */
static int
putname(uint uaddr, uint ulen, struct sockname *n, int unnamed)
{
	static const struct sockaddr_un none = {.family = AF_UNIX};
	int len = n ? n->len : unnamed, room;

	if (copyin(&room, ulen, sizeof(room)))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (copyout(uaddr, n ? &n->addr : &none, MIN(len, room)))
		return -EFAULT;
	return copyout(ulen, &len, sizeof(len)) ? -EFAULT : 0;
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
	err = h->name ? putname(h->name,
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

/* fd, how. */
int
sys_shutdown(const uint *a)
{
	struct file *f;
	int r;
	struct socket *s = getsock(a[0], &f, &r);

	if (s == 0)
		return r;
	r = a[1] > SHUT_RDWR ? -EINVAL : 0;
	if (r == 0)
		unixshutdown(s, a[1] + 1);
	fileclose(f);
	return r;
}

/* fd, where the address and its length go. */
int
sys_getsockname(const uint *a)
{
	struct file *f;
	int r;
	struct socket *s = getsock(a[0], &f, &r);

	if (s == 0)
		return r;
	r = putname(a[1], a[2], s->name, sizeof(uint16_t));
	fileclose(f);
	return r;
}

int
sys_getpeername(const uint *a)
{
	struct file *f;
	int r;
	struct socket *s = getsock(a[0], &f, &r), *peer;

	if (s == 0)
		return r;
	peer = unixpeer(s);
	r = -ENOTCONN;
	if (peer) {
		r = putname(a[1], a[2], peer->name, sizeof(uint16_t));
		unixput(peer);
	}
	fileclose(f);
	return r;
}

/* fd, level, option, where the value and its length go. */
int
sys_getsockopt(const uint *a)
{
	union {
		int n;
		struct ucred cred;
		struct timeval tv;
		int64_t wide[2];
	} val = {0};
	struct file *f;
	int r, len;
	struct socket *s = getsock(a[0], &f, &r);

	if (s == 0)
		return r;
	if (copyin(&len, a[4], sizeof(len)))
		r = -EFAULT;
	else if (len < 0)
		r = -EINVAL;
	else if (a[1] != SOL_SOCKET)
		r = -EOPNOTSUPP;
	else
		r = getopt(s, a[2], &val);
	if (r >= 0) {
		len = MIN(len, r);
		r = copyout(a[3], &val, len) ||
				copyout(a[4], &len, sizeof(len)) ?
			-EFAULT : 0;
	}
	fileclose(f);
	return r;
}

/* The value of an option of SOL_SOCKET: its size or -ENOPROTOOPT. */
static int
getopt(struct socket *s, uint opt, void *val)
{
	int n = 0;

	switch (opt) {
	case SO_PEERCRED:
		*(struct ucred *)val = s->peercred;
		return sizeof(struct ucred);
	case SO_RCVTIMEO:
	case SO_RCVTIMEO_NEW:
		return gettimeo(s->rcvtimeo, opt == SO_RCVTIMEO_NEW, val);
	case SO_SNDTIMEO:
	case SO_SNDTIMEO_NEW:
		return gettimeo(s->sndtimeo, opt == SO_SNDTIMEO_NEW, val);
	case SO_REUSEADDR:
		n = s->reuse;
		break;
	case SO_BROADCAST:
		n = s->broadcast;
		break;
	case SO_KEEPALIVE:
		n = s->keepalive;
		break;
	case SO_PASSCRED:
		n = s->passcred;
		break;
	case SO_TYPE:
		n = s->type;
		break;
	case SO_DOMAIN:
		n = AF_UNIX;
		break;
	case SO_PROTOCOL:
		break;
	case SO_ACCEPTCONN:
		n = s->state == SOCK_LISTENING;
		break;
	case SO_SNDBUF:
		n = s->sndbuf;
		break;
	case SO_RCVBUF:
		n = s->rcvbuf;
		break;
	case SO_RCVLOWAT:
		n = s->rcvlowat;
		break;
	case SO_SNDLOWAT:
		n = 1;
		break;
	case SO_ERROR:
		acquire(&s->lock);
		n = s->err;
		s->err = 0;
		release(&s->lock);
		break;
	default:
		return -ENOPROTOOPT;
	}
	*(int *)val = n;
	return sizeof(n);
}

static int
gettimeo(int64_t ns, int wide, void *val)
{
	struct timeval tv = {0, 0};
	int64_t *pair = val;

	if (ns != NEVER) {
		tv.tv_sec = (uint64_t)ns / NSEC;
		tv.tv_usec = (uint)(ns - (int64_t)tv.tv_sec * NSEC) / 1000;
	}
	if (!wide) {
		*(struct timeval *)val = tv;
		return sizeof(tv);
	}
	pair[0] = tv.tv_sec;
	pair[1] = tv.tv_usec;
	return 2 * sizeof(*pair);
}

/* fd, level, option, value, its length. */
int
sys_setsockopt(const uint *a)
{
	struct file *f;
	int r, val;
	struct socket *s = getsock(a[0], &f, &r);

	if (s == 0)
		return r;
	if ((int)a[4] < 0)
		r = -EINVAL;
	else if (a[1] != SOL_SOCKET)
		r = -EOPNOTSUPP;
	else if (a[4] < sizeof(val))
		r = -EINVAL;
	else if (copyin(&val, a[3], sizeof(val)))
		r = -EFAULT;
	else if (a[2] == SO_RCVTIMEO || a[2] == SO_RCVTIMEO_NEW)
		r = settimeo(&s->rcvtimeo, a[2] != SO_RCVTIMEO, a[3], a[4]);
	else if (a[2] == SO_SNDTIMEO || a[2] == SO_SNDTIMEO_NEW)
		r = settimeo(&s->sndtimeo, a[2] != SO_SNDTIMEO, a[3], a[4]);
	else
		r = setopt(s, a[2], val);
	fileclose(f);
	return r;
}

/* 0, or -ENOPROTOOPT: there is no such option, or it can only be read. */
static int
setopt(struct socket *s, uint opt, int val)
{
	switch (opt) {
	case SO_REUSEADDR:
		s->reuse = val != 0;
		return 0;
	case SO_BROADCAST:
		s->broadcast = val != 0;
		return 0;
	case SO_KEEPALIVE:
		s->keepalive = val != 0;
		return 0;
	case SO_PASSCRED:
		s->passcred = val != 0;
		return 0;
	case SO_RCVLOWAT:
		s->rcvlowat = val < 0 ? INT32_MAX : val ? val : 1;
		return 0;
	case SO_SNDBUF:
		setbuf(&s->sndbuf, val, MINSNDBUF);
		wakeup(&s->writeq); /* there may be room now */
		return 0;
	case SO_RCVBUF:
		setbuf(&s->rcvbuf, val, MINRCVBUF);
		return 0;
	}
	return -ENOPROTOOPT;
}

/* Twice what is asked for, as on Linux: it counts what the kernel adds. */
static void
setbuf(uint *buf, uint val, uint min)
{
	*buf = MAX(2 * MIN(val, MAXBUF), min);
}

/* A time limit from user memory; 0 is none.  0, -EINVAL, -EFAULT, -EDOM. */
static int
settimeo(int64_t *ns, int wide, uint uval, uint n)
{
	int64_t pair[2];
	struct timeval tv;

	if (n < (wide ? sizeof(pair) : sizeof(tv)))
		return -EINVAL;
	if (wide ? copyin(pair, uval, sizeof(pair)) :
			copyin(&tv, uval, sizeof(tv)))
		return -EFAULT;
	if (!wide) {
		pair[0] = tv.tv_sec;
		pair[1] = tv.tv_usec;
	}
	if (pair[1] < 0 || pair[1] >= 1000000)
		return -EDOM;
	if (pair[0] < 0)
		*ns = 0;
	else if ((pair[0] == 0 && pair[1] == 0) || pair[0] > INT32_MAX)
		*ns = NEVER;
	else
		*ns = pair[0] * NSEC + pair[1] * 1000;
	return 0;
}

/* fd, address, its length. */
int
sys_bind(const uint *a)
{
	struct sockaddr_un addr;
	struct file *f;
	int r;
	struct socket *s = getsock(a[0], &f, &r);

	if (s == 0)
		return r;
	r = fetchaddr(&addr, a[1], a[2]);
	if (r == 0)
		r = unixbind(s, &addr, a[2]);
	fileclose(f);
	return r;
}

/* fd, address, its length. */
int
sys_connect(const uint *a)
{
	struct sockaddr_un addr;
	struct file *f;
	int r;
	struct socket *s = getsock(a[0], &f, &r);

	if (s == 0)
		return r;
	r = fetchaddr(&addr, a[1], a[2]);
	if (r == 0)
		r = unixconnect(s, &addr, a[2], f->flags & O_NONBLOCK);
	fileclose(f);
	return r;
}

/* fd, how many connections may wait. */
int
sys_listen(const uint *a)
{
	struct file *f;
	int r;
	struct socket *s = getsock(a[0], &f, &r);

	if (s == 0)
		return r;
	r = unixlisten(s, a[1]);
	fileclose(f);
	return r;
}

/* fd, where the address of the other side and its length go, flags. */
int
sys_accept4(const uint *a)
{
	struct socket *s, *child;
	struct file *f, *new;
	int r;

	if (a[3] & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	s = getsock(a[0], &f, &r);
	if (s == 0)
		return r;
	r = unixaccept(s, f->flags & O_NONBLOCK, &child);
	fileclose(f);
	if (r < 0)
		return r;
	new = sockfile(child, a[3]);
	if (new == 0)
		return -ENOMEM;
	if (a[1])
		r = putname(a[1], a[2], child->peer->name, sizeof(uint16_t));
	if (r < 0) {
		fileclose(new);
		return r;
	}
	return sockfd(new, a[3]);
}

static int
accept(const uint *a)
{
	uint arg[4] = {a[0], a[1], a[2], 0};

	return sys_accept4(arg);
}

static int
send(const uint *a)
{
	uint to[6] = {a[0], a[1], a[2], a[3], 0, 0};

	return sys_sendto(to);
}

static int
recv(const uint *a)
{
	uint from[6] = {a[0], a[1], a[2], a[3], 0, 0};

	return sys_recvfrom(from);
}

/* Which call, and where its arguments are. */
int
sys_socketcall(const uint *a)
{
	static const struct {
		int (*fn)(const uint *);
		uint nargs;
	} call[] = {
		[1] = {sys_socket, 3},
		[2] = {sys_bind, 3},
		[3] = {sys_connect, 3},
		[4] = {sys_listen, 2},
		[5] = {accept, 3},
		[6] = {sys_getsockname, 3},
		[7] = {sys_getpeername, 3},
		[8] = {sys_socketpair, 4},
		[9] = {send, 4},
		[10] = {recv, 4},
		[11] = {sys_sendto, 6},
		[12] = {sys_recvfrom, 6},
		[13] = {sys_shutdown, 2},
		[14] = {sys_setsockopt, 5},
		[15] = {sys_getsockopt, 5},
		[16] = {sys_sendmsg, 3},
		[17] = {sys_recvmsg, 3},
		[18] = {sys_accept4, 4},
		[19] = {sys_recvmmsg, 5},
		[20] = {sys_sendmmsg, 4},
	};
	uint arg[6];

	if (a[0] >= NELEM(call) || call[a[0]].fn == 0)
		return -EINVAL;
	if (copyin(arg, a[1], call[a[0]].nargs * sizeof(uint)))
		return -EFAULT;
	return call[a[0]].fn(arg);
}
