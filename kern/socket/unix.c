/*
 * unix.c - Unix-domain sockets: made, paired, shut down, closed.
 *
 * Invariants (U3 to U5 are in unixmsg.c):
 *   U1  No two sockets' locks are held at once.
 *   U2  The peer of a stream or of packets in sequence is set once, and its
 *       struct stays until our file is closed.
 */
#include "kern/socket/socket.h"
#include "mm/mm.h"
#include "kern/panic.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/lib/text.h"

#define DEFBUF 212992 /* what Linux gives a socket */

static void wakeboth(struct socket *);
static void closepending(struct socket *);
static void showsocket(struct text *, struct socket *);

static struct list allsockets = {&allsockets, &allsockets};
static struct spinlock alllock = {.rank = RANK_PCACHE}; /* kmalloc is below */

struct socket *
unixnew(int type)
{
	struct socket *s = kzalloc(sizeof(*s));

	if (s == 0)
		return 0;
	s->ref = 1;
	s->type = type;
	initlock(&s->lock, RANK_SOCKET);
	initsleeplock(&s->readlock, RANK_NONE);
	listinit(&s->queue);
	listinit(&s->flylink);
	listinit(&s->boundlink);
	listinit(&s->pending);
	listinit(&s->pendlink);
	initwaitq(&s->readq);
	initwaitq(&s->writeq);
	s->sndbuf = s->rcvbuf = DEFBUF;
	s->sndtimeo = s->rcvtimeo = NEVER;
	s->rcvlowat = 1;
	s->peercred.uid = s->peercred.gid = ~0u;
	acquire(&alllock);
	listadd(&allsockets, &s->alllink);
	release(&alllock);
	return s;
}

void
unixput(struct socket *s)
{
	assert(s->ref > 0);
	if (!atomicdectest(&s->ref))
		return;
	assert(s->wmem == 0 && listempty(&s->queue) && s->inflight == 0);
	acquire(&alllock);
	listdel(&s->alllink);
	release(&alllock);
	socknameput(s->name);
	kmfree((void *)s->spare);
	kmfree(s);
}

struct socket *
unixget(struct socket *s)
{
	atomicinc(&s->ref);
	return s;
}

void
unixpair(struct socket *a, struct socket *b)
{
	struct proc *p = myproc();
	struct ucred cred = {p->tg->tgid, p->euid, p->egid};

	a->peer = unixget(b);
	b->peer = unixget(a);
	a->state = b->state = SOCK_CONNECTED;
	a->peercred = b->peercred = cred;
}

struct socket *
unixpeer(struct socket *s)
{
	struct socket *to;

	acquire(&s->lock);
	to = s->peer ? unixget(s->peer) : 0;
	release(&s->lock);
	return to;
}

void
unixshutdown(struct socket *s, int how)
{
	struct socket *peer;
	int peerhow = 0;

	acquire(&s->lock);
	s->shut |= how;
	peer = s->peer && s->type != SOCK_DGRAM ? unixget(s->peer) : 0;
	release(&s->lock);
	wakeboth(s);
	wakeup(&unixroomq);
	if (peer == 0)
		return;
	if (how & SHUT_READ)
		peerhow |= SHUT_WRITE;
	if (how & SHUT_WRITE)
		peerhow |= SHUT_READ;
	acquire(&peer->lock);
	peer->shut |= peerhow;
	release(&peer->lock);
	wakeboth(peer);
	unixput(peer);
}

static void
wakeboth(struct socket *s)
{
	wakeup(&s->readq);
	wakeup(&s->writeq);
}

void
unixclose(struct socket *s)
{
	struct socket *peer;
	struct list left;

	listinit(&left);
	acquire(&s->lock);
	s->dead = 1;
	s->shut = SHUT_READ | SHUT_WRITE;
	peer = s->peer;
	s->peer = 0;
	release(&s->lock);
	if (s->name)
		unixunbind(s);
	closepending(s);
	unixtake(s, &left);
	wakeup(&unixroomq);
	if (peer && s->type != SOCK_DGRAM) {
		acquire(&peer->lock);
		peer->shut = SHUT_READ | SHUT_WRITE;
		if (!listempty(&left) || s->file == 0)
			peer->err = ECONNRESET;
		release(&peer->lock);
		wakeboth(peer);
	}
	if (peer)
		unixput(peer);
	unixdrop(&left);
	unixput(s);
}

/* Nobody will accept them. */
static void
closepending(struct socket *s)
{
	struct socket *child;

	while ((child = unixpending(s, 0)) != 0) {
		acquire(&s->lock);
		listdel(&child->pendlink);
		release(&s->lock);
		unixclose(child);
		unixput(child);
	}
}

struct socket *
unixpending(struct socket *s, uint at)
{
	struct socket *child, *found = 0;

	acquire(&s->lock);
	listeach (child, &s->pending, pendlink) {
		if (at-- == 0) {
			found = unixget(child);
			break;
		}
	}
	release(&s->lock);
	return found;
}

void
unixshow(struct text *t)
{
	struct socket *s;

	putf(t, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	acquire(&alllock);
	listeach (s, &allsockets, alllink)
		showsocket(t, s);
	release(&alllock);
}

/* It stays while alllock is held; its name does once it has one. */
static void
showsocket(struct text *t, struct socket *s)
{
	struct sockname *n = s->name;
	uint i, len;

	putf(t, "%08x: %08X %08X %08X %04X %02X %5u", s->ino, (uint)s->ref, 0,
		s->state == SOCK_LISTENING ? 0x10000 : 0, (uint)s->type,
		s->state == SOCK_CONNECTED ? 3 : 1, s->ino);
	if (n) {
		len = (uint)n->len - offsetof(struct sockaddr_un, path);
		putf(t, " ");
		for (i = 0; i < len && (i == 0 || n->addr.path[0] == 0 ||
			n->addr.path[i]); i++)
			putf(t, "%c", n->addr.path[i] ? n->addr.path[i] : '@');
	}
	putf(t, "\n");
}
