/*
 * unixmsg.c - messages between Unix-domain sockets: send, receive, poll.
 *
 * Streams, datagrams and sequenced packets are all queues of messages at the
 * receiver.  The sender copies its bytes into a new message before it takes a
 * lock, and appends it; a reader of a stream takes bytes from as many messages
 * as it wants, one of packets takes one message.
 *
 * Invariants (U1 and U2 are in unix.c):
 *   U3  Only the holder of the readlock takes messages off the queue of an open
 *       socket, so that the first message stays while it is copied.  (Of one
 *       that only messages refer to, flightcollect() does.)
 *   U4  A message's cost is in its sender's wmem until it is freed.
 *   U5  Whoever makes a condition true wakes the queue afterwards; whoever
 *       waits looks once more when it is on the queue.
 */
#include "kern/socket/socket.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/poll.h"
#include "kern/panic.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/signal/signal.h"
#include "kern/lib/string.h"

#define OVERHEAD 32     /* of a datagram, as sndbuf counts it */
#define CHUNK    36544  /* bytes of a stream in one message, at most */
#define INLINE   (2048 - sizeof(struct msg)) /* bytes without pages */
#define DGRAMS   10     /* waiting ones, when one more may come */
#define SMALL    128    /* size of a message that may be a spare */
#define WRITABLE (POLLOUT | POLLWRNORM | POLLWRBAND)

struct msg {
	struct list link;      /* in the receiver's queue [its lock] */
	struct socket *from;   /* who sent it, referenced, charged with cost */
	uint cost;
	uint off, len;         /* bytes read already, and in all [readlock] */
	struct ucred cred;     /* who sent it */
	struct rights *rights; /* in flight, or 0 [readlock] */
	uint npages;           /* 0: the bytes begin where page[] would */
	char *page[];
};

static int sendstream(struct socket *, struct sockio *);
static int sendpacket(struct socket *, struct sockio *);
static void forget(struct socket *, struct socket *peer);
static int64_t until(int64_t timeo);
static int sendone(struct socket *, struct socket *to, struct sockio *,
	uint n, int64_t deadline);
static uint msgcost(uint n);
static int charge(struct socket *, uint cost, int nowait, int64_t deadline);
static int takeerr(struct socket *);
static void uncharge(struct socket *, uint cost);
static int deliver(struct socket *, struct socket *to, struct msg *);
static int refused(struct socket *s, struct socket *to);
static int waitroom(struct socket *s, struct socket *to, int64_t deadline);
static int recvstream(struct socket *, struct sockio *);
static int samesender(struct socket *, struct sockio *, struct msg *);
static int takebytes(struct socket *, struct sockio *, struct msg *);
static int recvpacket(struct socket *, struct sockio *);
static int takepacket(struct socket *, struct sockio *, struct msg *);
static int nextmsg(struct socket *, struct sockio *, struct msg **m,
	uint enough, int64_t deadline);
static struct msg *behind(struct socket *, struct msg *);
static int waitread(struct socket *, int64_t deadline);
static void takerights(struct sockio *, struct msg *);
static void unlink(struct socket *, struct msg *);
static struct msg *msgnew(struct socket *, uint n);
static void msgfree(struct msg *);
static int msgmove(struct msg *, uint off, uint n, struct sockio *, int out);
static int iomove(struct sockio *, char *buf, uint n, int out);

int
unixsend(struct socket *s, struct sockio *io)
{
	if (io->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (s->type == SOCK_STREAM)
		return sendstream(s, io);
	return sendpacket(s, io);
}

static int
sendstream(struct socket *s, struct sockio *io)
{
	struct socket *to = s->peer;
	int64_t deadline = until(s->sndtimeo);
	uint n, done = 0;
	int err = 0;

	if (io->addr)
		return to ? -EISCONN : -EOPNOTSUPP;
	if (to == 0)
		return -ENOTCONN;
	if (s->shut & SHUT_WRITE)
		err = -EPIPE;
	while (err == 0 && io->left > 0) {
		n = MIN(MIN(io->left, CHUNK), s->sndbuf / 2 - 64);
		err = sendone(s, to, io, n, deadline);
		if (err == 0)
			done += n;
	}
	if (done > 0)
		return done;
	if (err == -EPIPE && !(io->flags & MSG_NOSIGNAL))
		sigsend(myproc(), SIGPIPE, 0);
	return err;
}

static int
sendpacket(struct socket *s, struct sockio *io)
{
	struct socket *to = 0;
	uint n = io->left;
	int err = 0;

	if (s->type == SOCK_SEQPACKET && s->err)
		err = takeerr(s);
	if (s->type == SOCK_DGRAM && io->addr) {
		to = unixfind(SOCK_DGRAM, io->addr, io->addrlen, &err);
		if (to)
			err = 0;
	} else if (err == 0) {
		to = unixpeer(s);
		err = to ? 0 : -ENOTCONN;
	}
	if (err == 0 && n > s->sndbuf - OVERHEAD)
		err = -EMSGSIZE;
	if (err == 0)
		err = sendone(s, to, io, n, until(s->sndtimeo));
	if (to && err == -ECONNREFUSED)
		forget(s, to);
	if (to)
		unixput(to);
	return err ? err : (int)n;
}

/* A datagram socket's peer has gone: it has none any more. */
static void
forget(struct socket *s, struct socket *peer)
{
	int mine;

	acquire(&s->lock);
	mine = s->peer == peer;
	if (mine)
		s->peer = 0;
	release(&s->lock);
	if (mine)
		unixput(peer);
}

/* When a wait that begins now has lasted timeo. */
static int64_t
until(int64_t timeo)
{
	return timeo == NEVER ? NEVER : nowns() + timeo;
}

/* Send the next n bytes as one message, with the rights of io.  0 or -errno. */
static int
sendone(struct socket *s, struct socket *to, struct sockio *io, uint n,
	int64_t deadline)
{
	struct proc *p = myproc();
	uint cost = msgcost(n);
	struct msg *m;
	int err = charge(s, cost, io->flags & MSG_DONTWAIT, deadline);

	if (err < 0)
		return err;
	m = msgnew(s, n);
	if (m == 0) {
		uncharge(s, cost);
		return -ENOBUFS;
	}
	m->from = unixget(s);
	m->cost = cost;
	m->cred = io->hascred ? io->cred :
		(struct ucred){p->tg->tgid, p->uid, p->gid};
	err = msgmove(m, 0, n, io, 0);
	m->rights = io->rights;
	while (err == 0) {
		err = deliver(s, to, m);
		if (err != -EAGAIN || io->flags & MSG_DONTWAIT)
			break;
		err = waitroom(s, to, deadline);
	}
	if (err == 0) {
		io->rights = 0;
		return 0;
	}
	m->rights = 0;
	msgfree(m);
	return err;
}

/* What Linux counts for n bytes: a power of two with its own data, or pages. */
static uint
msgcost(uint n)
{
	uint k = 512;

	if (n > PGSIZE - 320)
		return 768 + PGROUNDUP(n);
	while (k < n + 320)
		k *= 2;
	return 256 + k;
}

/* Wait until less than sndbuf is on its way, and add the cost.  0, an error of
 * the socket, -EPIPE (shut down), -EAGAIN, -ERESTARTSYS or -EINTR. */
static int
charge(struct socket *s, uint cost, int nowait, int64_t deadline)
{
	struct waiter w;
	int err;

	for (;;) {
		if (s->err && s->type != SOCK_STREAM && (err = takeerr(s)))
			return err;
		if (s->shut & SHUT_WRITE)
			return -EPIPE;
		if (s->wmem < s->sndbuf)
			break;
		if (nowait)
			return -EAGAIN;
		preparesleep();
		waiteradd(&s->writeq, &w);
		err = 0;
		if (s->wmem >= s->sndbuf && !s->err && !s->shut)
			err = pollsleep(deadline);
		waiterdel(&w);
		err = unixslept(err, deadline);
		if (err < 0)
			return err;
	}
	xadd(&s->wmem, cost);
	return 0;
}

/* The socket's error, negative, which is told but once. */
static int
takeerr(struct socket *s)
{
	int err;

	acquire(&s->lock);
	err = -s->err;
	s->err = 0;
	release(&s->lock);
	return err;
}

/* Writers are woken when three quarters are free, as on Linux. */
static void
uncharge(struct socket *s, uint cost)
{
	uint before = xadd(&s->wmem, -cost), room = s->sndbuf / 4;

	assert(before >= cost);
	if (before > room && before - cost <= room)
		wakeup(&s->writeq);
}

/* Append a message to a socket's queue: 0, -EAGAIN (a datagram, and it has too
 * many), -EPERM (connected with another), or it cannot be received any more:
 * -EPIPE, -ECONNREFUSED. */
static int
deliver(struct socket *s, struct socket *to, struct msg *m)
{
	int err = 0;

	acquire(&to->lock);
	if (to->dead) {
		err = s->type == SOCK_DGRAM ? -ECONNREFUSED : -EPIPE;
	} else if (to->shut & SHUT_READ) {
		err = -EPIPE;
	} else if (s->type == SOCK_DGRAM && to->peer != s) {
		err = refused(s, to);
	}
	if (err == 0) {
		listadd(&to->queue, &m->link);
		to->nqueue++;
	}
	release(&to->lock);
	if (err == 0)
		wakeup(&to->readq);
	return err;
}

/* Does a datagram socket not take messages now of one that is not its peer?  0,
 * -EPERM, or -EAGAIN: it has many of them. */
static int
refused(struct socket *s, struct socket *to)
{
	if (to->peer)
		return -EPERM;
	return to != s && to->nqueue > DGRAMS ? -EAGAIN : 0;
}

/* Wait until that may be different: 0, -EAGAIN, -ERESTARTSYS or -EINTR. */
static int
waitroom(struct socket *s, struct socket *to, int64_t deadline)
{
	struct waiter w;
	int err = 0;

	preparesleep();
	waiteradd(&unixroomq, &w);
	if (refused(s, to) == -EAGAIN && !to->dead)
		err = unixslept(pollsleep(deadline), deadline);
	waiterdel(&w);
	return err;
}

int
unixrecv(struct socket *s, struct sockio *io)
{
	int r;

	if (io->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (s->state != SOCK_CONNECTED && s->type != SOCK_DGRAM)
		return s->type == SOCK_STREAM ? -EINVAL : -ENOTCONN;
	acquiresleep(&s->readlock);
	r = s->type == SOCK_STREAM ? recvstream(s, io) : recvpacket(s, io);
	releasesleep(&s->readlock);
	return r;
}

/* Take bytes until there are as many as wanted, or no more; but not beyond
 * rights, nor from two senders when the reader is told who they are. */
static int
recvstream(struct socket *s, struct sockio *io)
{
	uint want = io->left, done = 0;
	uint enough = io->flags & MSG_WAITALL ? want :
		MIN(want, (uint)s->rcvlowat);
	int64_t deadline = until(s->rcvtimeo);
	struct msg *m = 0;
	int r;

	if (enough == 0)
		enough = 1;
	do {
		r = nextmsg(s, io, &m, done >= enough, deadline);
		if (r <= 0 || !samesender(s, io, m))
			break;
		r = takebytes(s, io, m);
		if (r < 0)
			break;
		done += r;
		if (!(io->flags & MSG_PEEK))
			m = 0;
	} while (done < want && io->rights == 0);
	return done ? (int)done : r;
}

/* Fill in whose bytes they are; 0: others' than before. */
static int
samesender(struct socket *s, struct sockio *io, struct msg *m)
{
	if (io->wantname) {
		io->name = socknameget(m->from->name);
		io->wantname = 0;
	}
	if (!s->passcred)
		return 1;
	if (io->hascred)
		return memcmp(&io->cred, &m->cred, sizeof(io->cred)) == 0;
	io->cred = m->cred;
	io->hascred = 1;
	return 1;
}

/* Bytes from the message, which is freed after its last: how many or
 * -EFAULT. */
static int
takebytes(struct socket *s, struct sockio *io, struct msg *m)
{
	uint n = MIN(io->left, m->len - m->off);

	if (msgmove(m, m->off, n, io, 1) < 0)
		return -EFAULT;
	takerights(io, m);
	if (io->flags & MSG_PEEK)
		return n;
	m->off += n;
	if (m->off == m->len) {
		unlink(s, m);
		msgfree(m);
	}
	return n;
}

static int
recvpacket(struct socket *s, struct sockio *io)
{
	struct msg *m = 0;
	int r = nextmsg(s, io, &m, 0, until(s->rcvtimeo));

	if (r <= 0)
		return r;
	samesender(s, io, m);
	r = takepacket(s, io, m);
	if (!(io->flags & MSG_PEEK)) {
		unlink(s, m);
		if (s->nqueue == DGRAMS)
			wakeup(&unixroomq);
		msgfree(m);
	}
	return r;
}

/* Its bytes as far as there is room; the rest is lost. */
static int
takepacket(struct socket *s, struct sockio *io, struct msg *m)
{
	uint n = MIN(io->left, m->len);

	(void)s;
	if (n < m->len)
		io->outflags |= MSG_TRUNC;
	if (msgmove(m, 0, n, io, 1) < 0)
		return -EFAULT;
	takerights(io, m);
	return io->flags & MSG_TRUNC ? m->len : n;
}

/* Find the message behind *m (0: the first), or wait for one unless enough has
 * been read: 1; 0 at the end; an error of the socket; -EAGAIN, -ERESTARTSYS,
 * -EINTR.  readlock held. */
static int
nextmsg(struct socket *s, struct sockio *io, struct msg **m, uint enough,
	int64_t deadline)
{
	struct msg *next;
	int shut, err;

	for (;;) {
		shut = s->shut; /* before the look: no message comes after it */
		if (s->err && s->type != SOCK_STREAM && (err = takeerr(s)))
			return err;
		next = behind(s, *m);
		if (next) {
			*m = next;
			return 1;
		}
		if (enough || *m)
			return 0;
		if (s->err && (err = takeerr(s)))
			return err;
		if (shut & SHUT_READ && (s->type != SOCK_DGRAM ||
				!(io->flags & MSG_DONTWAIT)))
			return 0;
		err = io->flags & MSG_DONTWAIT ? -EAGAIN :
			waitread(s, deadline);
		if (err < 0)
			return err;
	}
}

/* Without the lock: nobody takes messages off, and one is whole before it is
 * linked. */
static struct msg *
behind(struct socket *s, struct msg *m)
{
	struct list *volatile *next = m ? &m->link.next : &s->queue.next;
	struct list *l = *next;

	return l == &s->queue ? 0 : listitem(l, struct msg, link);
}

/* Wait for a message without readlock, which is held before and after. */
static int
waitread(struct socket *s, int64_t deadline)
{
	struct waiter w;
	int err = 0;

	preparesleep();
	waiteradd(&s->readq, &w);
	if (behind(s, 0) == 0 && !s->err && !(s->shut & SHUT_READ)) {
		releasesleep(&s->readlock);
		err = pollsleep(deadline);
		acquiresleep(&s->readlock);
	}
	waiterdel(&w);
	return unixslept(err, deadline);
}

/* One with a time limit is not restarted. */
int
unixslept(int err, int64_t deadline)
{
	if (err == -EINTR && deadline == NEVER)
		return -ERESTARTSYS;
	return err == -ETIMEDOUT ? -EAGAIN : err;
}

/* The rights of a message come with its first byte that is read. */
static void
takerights(struct sockio *io, struct msg *m)
{
	if (m->rights == 0)
		return;
	if (io->flags & MSG_PEEK) {
		io->rights = rightspeek(m->rights);
		if (io->rights == 0)
			io->outflags |= MSG_CTRUNC;
		return;
	}
	io->rights = m->rights;
	m->rights = 0;
}

static void
unlink(struct socket *s, struct msg *m)
{
	acquire(&s->lock);
	listdel(&m->link);
	s->nqueue--;
	release(&s->lock);
}

/* A message with room for n bytes, perhaps the sender's spare; or 0. */
static struct msg *
msgnew(struct socket *s, uint n)
{
	uint npages = n > INLINE ? PGROUNDUP(n) / PGSIZE : 0;
	uint size = sizeof(struct msg) + (npages ? npages * sizeof(char *) : n);
	struct msg *m = 0;

	if (npages == 0 && size <= SMALL)
		m = (struct msg *)xchg(&s->spare, 0);
	if (m == 0)
		m = kmalloc(MAX(size, SMALL));
	if (m == 0)
		return 0;
	m->from = 0;
	m->rights = 0;
	m->off = 0;
	m->len = n;
	for (m->npages = 0; m->npages < npages; m->npages++) {
		m->page[m->npages] = kalloc();
		if (m->page[m->npages] == 0) {
			msgfree(m);
			return 0;
		}
	}
	return m;
}

/* No lock held; closes what it holds.  A small one is kept as a spare. */
static void
msgfree(struct msg *m)
{
	struct socket *from = m->from;
	uint cost = m->cost;

	if (m->rights)
		rightsdrop(m->rights);
	if (from && m->npages == 0 && sizeof(*m) + m->len <= SMALL)
		m = (struct msg *)xchg(&from->spare, (uint)m);
	while (m && m->npages > 0)
		kfree(m->page[--m->npages]);
	kmfree(m);
	if (from) {
		uncharge(from, cost);
		unixput(from);
	}
}

/* Copy n bytes of the message from off on: out to io, or in.  0 or -EFAULT. */
static int
msgmove(struct msg *m, uint off, uint n, struct sockio *io, int out)
{
	uint k;

	if (m->npages == 0)
		return iomove(io, (char *)m->page + off, n, out);
	for (; n > 0; n -= k, off += k) {
		k = MIN(n, PGSIZE - off % PGSIZE);
		if (iomove(io, m->page[off / PGSIZE] + off % PGSIZE, k, out))
			return -EFAULT;
	}
	return 0;
}

static int
iomove(struct sockio *io, char *buf, uint n, int out)
{
	uint k;
	int err;

	for (; n > 0; n -= k, buf += k) {
		while (io->u.n == 0) {
			assert(io->niov > 0);
			io->u.addr = io->iov->base;
			io->u.n = io->iov->len;
			io->iov++;
			io->niov--;
		}
		k = MIN(n, io->u.n);
		err = out ? uioput(&io->u, buf, k) : uioget(&io->u, buf, k);
		if (err < 0)
			return err;
		io->left -= k;
	}
	return 0;
}

/* A sender waits for three quarters of its buffer to be free. */
int
unixpoll(struct socket *s, struct pollset *ps)
{
	int events = 0;

	pollwaitfor(ps, &s->readq, ~WRITABLE);
	pollwaitfor(ps, &s->writeq, WRITABLE);
	if (s->type == SOCK_DGRAM)
		pollwaitfor(ps, &unixroomq, WRITABLE);
	acquire(&s->lock);
	if (s->err)
		events |= POLLERR;
	if (s->shut == (SHUT_READ | SHUT_WRITE))
		events |= POLLHUP;
	if (s->shut & SHUT_READ)
		events |= POLLRDHUP | POLLIN | POLLRDNORM;
	if (!listempty(&s->queue) || !listempty(&s->pending))
		events |= POLLIN | POLLRDNORM;
	if (s->type != SOCK_DGRAM && s->state == SOCK_IDLE)
		events |= POLLHUP;
	if (s->state != SOCK_LISTENING && s->wmem <= s->sndbuf / 4 &&
		(s->type != SOCK_DGRAM || s->peer == 0 ||
			s->peer->peer == s ||
			refused(s, s->peer) != -EAGAIN))
		events |= WRITABLE;
	release(&s->lock);
	return events;
}

int
unixunread(struct socket *s)
{
	struct msg *m;
	uint n = 0;

	acquire(&s->lock);
	listeach (m, &s->queue, link) {
		n += m->len - m->off;
		if (s->type == SOCK_DGRAM)
			break;
	}
	release(&s->lock);
	return n;
}

/* With those of the sockets that are not accepted yet. */
void
unixtake(struct socket *s, struct list *to)
{
	struct socket *child;
	struct msg *m;
	uint i;

	for (i = 0; (child = unixpending(s, i)) != 0; i++) {
		unixtake(child, to);
		unixput(child);
	}
	acquire(&s->lock);
	listeach (m, &s->queue, link) {
		listdel(&m->link);
		listadd(to, &m->link);
	}
	s->nqueue = 0;
	release(&s->lock);
}

void
unixdrop(struct list *messages)
{
	struct msg *m;

	while (!listempty(messages)) {
		m = listitem(messages->next, struct msg, link);
		listdel(&m->link);
		msgfree(m);
	}
}

void
unixeachrights(struct socket *s, void (*fn)(struct rights *, void *),
	void *arg)
{
	struct socket *child;
	struct msg *m;
	uint i;

	for (i = 0; (child = unixpending(s, i)) != 0; i++) {
		unixeachrights(child, fn, arg);
		unixput(child);
	}
	acquire(&s->lock);
	listeach (m, &s->queue, link) {
		if (m->rights)
			fn(m->rights, arg);
	}
	release(&s->lock);
}
