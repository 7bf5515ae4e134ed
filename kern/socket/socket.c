/*
 * socket.c - sockets as files, and the calls that make, name and connect them.
 *
 * What a socket does is in unix.c; there is no other family.  A socket's file
 * has an inode of a file system of its own, for fstat; its name in /proc/PID/fd
 * is socket:[number].
 */
#include "kern/socket/socket.h"
#include "mm/mm.h"
#include "kern/abi/fcntl.h"
#include "kern/abi/termios.h"
#include "kern/fs/inode.h"
#include "kern/sys/syscall.h"

#define SIOCOUTQ 0x5411

static int sockioctl(struct file *, uint cmd, uint arg);
static int sockpoll(struct file *, struct pollset *);
static void sockrelease(struct file *);
static int newsocket(uint domain, uint type, uint protocol,
	struct socket **sp);
static struct file *sockfile(struct socket *, uint flags);
static int sockfd(struct file *, uint type);

/* The inodes of sockets belong to a file system of their own. */
static struct super socksuper = {.ref = 1, .type = "sockfs", .dev = 8};

static const struct fileops sockops = {
	.read = sockread,
	.write = sockwrite,
	.ioctl = sockioctl,
	.poll = sockpoll,
	.iov = sockiov,
	.release = sockrelease,
	.fdclosed = flightcollect, /* it may have been the last way to a socket */
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

struct socket *
getsock(uint fd, struct file **fp, int *err)
{
	struct file *f = fdgetio(fd);

	if (f && issocket(f)) {
		*fp = f;
		return f->priv;
	}
	*err = f ? -ENOTSOCK : -EBADF;
	if (f)
		fileclose(f);
	return 0;
}

int
sockaddrin(struct sockaddr_un *addr, uint uaddr, int len)
{
	if (len < 0 || len > ADDRLEN_MAX)
		return -EINVAL;
	return copyin(addr, uaddr, MIN((uint)len, sizeof(*addr))) ? -EFAULT : 0;
}

int
sockaddrout(uint uaddr, uint ulen, struct sockname *n, int unnamed)
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
	r = sockaddrout(a[1], a[2], s->name, sizeof(uint16_t));
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
		r = sockaddrout(a[1], a[2], peer->name, sizeof(uint16_t));
		unixput(peer);
	}
	fileclose(f);
	return r;
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
	r = sockaddrin(&addr, a[1], a[2]);
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
	r = sockaddrin(&addr, a[1], a[2]);
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
		r = sockaddrout(a[1], a[2], child->peer->name, sizeof(uint16_t));
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
