/*
 * unixname.c - Unix-domain sockets by name: bind, listen, connect, accept.
 *
 * A name is a file of the type socket, or, with a zero as its first byte, any
 * bytes (an abstract name), which only the list of bound sockets knows.  A name
 * of a file is found by its inode, which the bound socket's dentry keeps.
 *
 * connect() of a stream makes the socket at the other end, and puts it in the
 * listening one's list of pending sockets, from which accept() takes it.
 */
#include "kern/socket/socket.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/fs/inode.h"
#include "kern/panic.h"
#include "kern/lib/printf.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/lib/string.h"

#define FAMILYLEN 2 /* bytes of an address in front of its path */

/* Who waits for room in a queue that is not its peer's: datagrams to a socket
 * that is not connected with the sender, connections to be accepted. */
struct waitq unixroomq;

static struct spinlock boundlock; /* list, and the names of sockets in it */
static struct list bound;         /* sockets with a name [boundlock] */

static struct sockname *namenew(const struct sockaddr_un *, int *len, int *err);
static int autoname(struct socket *, struct sockname *);
static int bindpath(struct socket *, struct sockname *);
static int enter(struct socket *, struct sockname *, struct dentry *);
static struct socket *abstract(int type, struct sockname *);
static struct socket *findname(int type, struct sockname *);
static struct socket *findpath(int type, struct sockname *, int *err);
static int setpeer(struct socket *, struct socket *to);
static int connectstream(struct socket *, struct socket *l, int nowait);
static int getroom(struct socket *l, int nowait, int64_t deadline);
static int join(struct socket *, struct socket *child, struct socket *l);
static int putpending(struct socket *l, struct socket *child);

void
unixnameinit(void)
{
	initlock(&boundlock, RANK_SOCKET);
	listinit(&bound);
	initwaitq(&unixroomq);
}

/* A name of len bytes with one reference, with the length it has in the end; or
 * 0 and -EINVAL or -ENOMEM. */
static struct sockname *
namenew(const struct sockaddr_un *addr, int *len, int *err)
{
	struct sockname *n;

	*err = -EINVAL;
	if (*len <= FAMILYLEN || *len > (int)sizeof(*addr) ||
		addr->family != AF_UNIX)
		return 0;
	*err = -ENOMEM;
	n = kzalloc(sizeof(*n));
	if (n == 0)
		return 0;
	n->ref = 1;
	memcpy(&n->addr, addr, *len);
	n->len = *len;
	if (n->addr.path[0]) /* a string, which has its NUL counted */
		n->len = FAMILYLEN + strlen(n->addr.path) + 1;
	return n;
}

struct sockname *
socknameget(struct sockname *n)
{
	if (n)
		atomicinc(&n->ref);
	return n;
}

void
socknameput(struct sockname *n)
{
	if (n && atomicdectest(&n->ref))
		kmfree(n);
}

int
unixbind(struct socket *s, const struct sockaddr_un *addr, int len)
{
	static const struct sockaddr_un any = {.family = AF_UNIX};
	int automatic = len == FAMILYLEN && addr->family == AF_UNIX;
	int minlen = FAMILYLEN + 6, err;
	struct sockname *n = automatic ? namenew(&any, &minlen, &err) :
		namenew(addr, &len, &err);

	if (n == 0)
		return err;
	if (s->name)
		err = automatic ? 0 : -EINVAL;
	else if (automatic)
		err = autoname(s, n);
	else if (n->addr.path[0])
		err = bindpath(s, n);
	else
		err = enter(s, n, 0);
	socknameput(n);
	return err;
}

/* The first free one of a million abstract names. */
static int
autoname(struct socket *s, struct sockname *n)
{
	static volatile uint next;
	char digits[6];
	int err, tries;

	for (tries = 0; tries < 1 << 20; tries++) {
		snprintf(digits, sizeof(digits), "%05x", xadd(&next, 1) & 0xfffff);
		memcpy(n->addr.path + 1, digits, 5);
		err = enter(s, n, 0);
		if (err != -EADDRINUSE)
			return err;
	}
	return -ENOSPC;
}

/* Make the file, and remember it. */
static int
bindpath(struct socket *s, struct sockname *n)
{
	struct dentry *d;
	int err = fsmake(0, n->addr.path, S_IFSOCK | 0777, 0);

	if (err == 0)
		err = walk(0, n->addr.path, WALK_NOFOLLOW, &d, 0);
	if (err < 0)
		return err == -EEXIST ? -EADDRINUSE : err;
	err = enter(s, n, d);
	if (err < 0)
		dput(d);
	return err;
}

/* Give s the name, and put it in the list; d, its file or 0, is taken over.  0,
 * -EADDRINUSE, or -EINVAL: it has got a name meanwhile. */
static int
enter(struct socket *s, struct sockname *n, struct dentry *d)
{
	int err = 0;

	acquire(&boundlock);
	if (d == 0 && abstract(s->type, n))
		err = -EADDRINUSE;
	else if (s->name)
		err = -EINVAL;
	if (err == 0) {
		s->dentry = d;
		s->name = socknameget(n);
		listadd(&bound, &s->boundlink);
	}
	release(&boundlock);
	return err;
}

/* The socket of an abstract name, or 0.  boundlock held. */
static struct socket *
abstract(int type, struct sockname *n)
{
	struct socket *s;

	listeach (s, &bound, boundlink) {
		if (s->type == type && s->name->len == n->len &&
			memcmp(&s->name->addr, &n->addr, n->len) == 0)
			return s;
	}
	return 0;
}

/* The socket of this type that has the name n, referenced, or 0. */
static struct socket *
findname(int type, struct sockname *n)
{
	struct socket *s;

	acquire(&boundlock);
	s = abstract(type, n);
	if (s)
		unixget(s);
	release(&boundlock);
	return s;
}

struct socket *
unixfind(int type, const struct sockaddr_un *addr, int len, int *err)
{
	struct sockname *n = namenew(addr, &len, err);
	struct socket *s;

	if (n == 0)
		return 0;
	*err = -ECONNREFUSED;
	s = n->addr.path[0] ? findpath(type, n, err) : findname(type, n);
	socknameput(n);
	return s;
}

/* The socket whose file the path names, if it may be written. */
static struct socket *
findpath(int type, struct sockname *n, int *err)
{
	struct socket *s, *found = 0;
	struct dentry *d;

	*err = walk(0, n->addr.path, 0, &d, 0);
	if (*err < 0)
		return 0;
	*err = iaccess(d->inode, 2, 0);
	if (*err == 0) {
		*err = -ECONNREFUSED;
		acquire(&boundlock);
		listeach (s, &bound, boundlink) {
			if (s->dentry && s->dentry->inode == d->inode) {
				found = unixget(s);
				break;
			}
		}
		release(&boundlock);
	}
	dput(d);
	if (found && found->type != type) {
		*err = -EPROTOTYPE;
		unixput(found);
		return 0;
	}
	return found;
}

void
unixunbind(struct socket *s)
{
	struct dentry *d;

	acquire(&boundlock);
	listdel(&s->boundlink);
	d = s->dentry;
	s->dentry = 0;
	release(&boundlock);
	if (d)
		dput(d);
}

int
unixlisten(struct socket *s, uint backlog)
{
	struct proc *p = myproc();
	int err = 0;

	if (s->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	acquire(&s->lock);
	if (s->name == 0 || s->state == SOCK_CONNECTED) {
		err = -EINVAL;
	} else {
		s->state = SOCK_LISTENING;
		s->backlog = MIN(backlog, SOMAXCONN);
		s->peercred = (struct ucred){p->tg->tgid, p->euid, p->egid};
	}
	release(&s->lock);
	wakeup(&unixroomq);
	return err;
}

int
unixaccept(struct socket *s, int nowait, struct socket **out)
{
	int64_t deadline = s->rcvtimeo == NEVER ? NEVER : nowns() + s->rcvtimeo;
	int err = 0;

	if (s->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	if (s->state != SOCK_LISTENING)
		return -EINVAL;
	acquire(&s->lock);
	while (err == 0 && listempty(&s->pending)) {
		if (s->shut & SHUT_READ)
			err = -EINVAL;
		else if (nowait)
			err = -EAGAIN;
		else
			err = unixslept(sleepuntil(&s->readq, &s->lock,
				deadline, SLEEP_INT), deadline);
	}
	if (err == 0) {
		*out = listitem(s->pending.next, struct socket, pendlink);
		listdel(&(*out)->pendlink);
		s->npending--;
	}
	release(&s->lock);
	if (err == 0)
		wakeup(&unixroomq);
	return err;
}

int
unixconnect(struct socket *s, const struct sockaddr_un *addr, int len,
	int nowait)
{
	struct socket *to;
	int err;

	if (s->type == SOCK_DGRAM && len >= FAMILYLEN &&
		addr->family == AF_UNSPEC)
		return setpeer(s, 0);
	to = unixfind(s->type, addr, len, &err);
	if (to == 0)
		return err;
	err = s->type == SOCK_DGRAM ? setpeer(s, to) :
		connectstream(s, to, nowait);
	unixput(to);
	return err;
}

/* Datagrams go to it from now on (0: nowhere), and come from nowhere else.  0,
 * or -EPERM: it talks with somebody else.  What the peer before has sent is
 * lost, and it is told. */
static int
setpeer(struct socket *s, struct socket *to)
{
	struct socket *old;
	struct list lost;

	if (to && to->peer && to->peer != s)
		return -EPERM;
	listinit(&lost);
	acquire(&s->lock);
	old = s->peer;
	s->peer = to ? unixget(to) : 0;
	s->state = to ? SOCK_CONNECTED : SOCK_IDLE;
	release(&s->lock);
	if (old && old != to) {
		acquiresleep(&s->readlock);
		unixtake(s, &lost);
		releasesleep(&s->readlock);
		wakeup(&unixroomq);
		unixdrop(&lost);
		acquire(&old->lock);
		if (old->peer == s)
			old->err = ECONNRESET;
		release(&old->lock);
		wakeup(&old->readq);
	}
	if (old)
		unixput(old);
	return 0;
}

static int
connectstream(struct socket *s, struct socket *l, int nowait)
{
	int64_t deadline = s->sndtimeo == NEVER ? NEVER : nowns() + s->sndtimeo;
	struct socket *child = unixnew(s->type);
	int err;

	if (child == 0)
		return -ENOMEM;
	err = getroom(l, nowait, deadline);
	if (err == 0) {
		err = join(s, child, l);
		if (err == 0 && putpending(l, child) == 0)
			return 0;
		if (err < 0) {
			acquire(&l->lock);
			l->npending--;
			release(&l->lock);
			wakeup(&unixroomq);
		}
	}
	unixclose(child); /* a connection that was made is reset */
	return err;
}

/* Wait until a listening socket takes one more, and count it.  0, -EAGAIN,
 * -ECONNREFUSED, -ERESTARTSYS or -EINTR. */
static int
getroom(struct socket *l, int nowait, int64_t deadline)
{
	struct waiter w;
	int err, full;

	for (;;) {
		preparesleep();
		waiteradd(&unixroomq, &w);
		acquire(&l->lock);
		full = l->npending > l->backlog;
		err = l->state != SOCK_LISTENING || l->dead ||
			l->shut & SHUT_READ ? -ECONNREFUSED : 0;
		if (err == 0 && !full)
			l->npending++;
		release(&l->lock);
		if (err == 0 && full)
			err = nowait ? -EAGAIN :
				unixslept(pollsleep(deadline), deadline);
		waiterdel(&w);
		if (err < 0 || !full)
			return err;
	}
}

/* Connect s and child, the new end that l listens for.  0, -EISCONN or
 * -EINVAL. */
static int
join(struct socket *s, struct socket *child, struct socket *l)
{
	struct proc *p = myproc();
	int err = 0;

	child->state = SOCK_CONNECTED;
	child->peercred = (struct ucred){p->tg->tgid, p->euid, p->egid};
	child->name = socknameget(l->name);
	acquire(&s->lock);
	if (s->state == SOCK_IDLE) {
		child->peer = unixget(s);
		s->peer = unixget(child);
		s->peercred = l->peercred;
		s->state = SOCK_CONNECTED;
	} else {
		err = s->state == SOCK_CONNECTED ? -EISCONN : -EINVAL;
	}
	release(&s->lock);
	return err;
}

/* For accept(): 0, or -1: l is closed meanwhile. */
static int
putpending(struct socket *l, struct socket *child)
{
	int dead;

	acquire(&l->lock);
	dead = l->dead;
	if (!dead)
		listadd(&l->pending, &child->pendlink);
	release(&l->lock);
	if (dead)
		return -1;
	wakeup(&l->readq);
	return 0;
}
