/*
 * flight.c - open files on their way through sockets (SCM_RIGHTS).
 *
 * A file in a message is referenced by the message alone, perhaps, and the
 * message by the queue of a socket.  If that socket's own file is in flight
 * through itself, or two are through each other, nobody can ever receive them,
 * and no count gets to 0.  flightcollect() finds such sockets:
 *
 *   1. Candidates are the sockets whose file has no reference but those of
 *      messages.
 *   2. A candidate of which a reference is not found in the queues of
 *      candidates is alive: it can be received, or it is just being sent.  So
 *      is each candidate that is in the queue of one alive.
 *   3. The rest are garbage; their queues are emptied, and so they close.
 *
 * Why that is right while others send and receive: a candidate can get a new
 * reference only by being received, which begins with rightsland() or
 * rightspeek(), and these wait for flightlock.  One whose message is out of
 * the queue but not landed is missing in the count of 2, and alive.
 */
#include "kern/socket/socket.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/resource.h"
#include "kern/panic.h"
#include "kern/proc.h"
#include "kern/lib/string.h"

#define NCOUNT 64 /* users whose ids are equal modulo it share a limit */

static struct sleeplock flightlock; /* no socket's lock held; taken before */
static struct list flying;       /* sockets in flight [flightlock] */
static uint nflying[NCOUNT];     /* files in flight, by user [flightlock] */

static void count(struct rights *, int by);
static void countfile(struct file *, int by);
static void closerights(struct rights *);
static void candidates(struct list *cand);
static void move(struct socket *, struct list *to);
static void findone(struct rights *, void *);
static void keepone(struct rights *, void *live);

void
flightinit(void)
{
	initsleeplock(&flightlock, RANK_SOCKET);
	listinit(&flying);
}

struct rights *
rightsnew(void)
{
	struct rights *r = kmalloc(sizeof(*r));

	if (r) {
		r->n = 0;
		r->flying = 0;
		r->uid = myproc()->uid;
	}
	return r;
}

int
rightsfly(struct rights *r)
{
	struct proc *p = myproc();
	int err = 0;

	acquiresleep(&flightlock);
	if (p->euid != 0 && nflying[r->uid % NCOUNT] >
			p->tg->rlimit[RLIMIT_NOFILE].cur)
		err = -ETOOMANYREFS;
	else
		count(r, 1);
	releasesleep(&flightlock);
	return err;
}

void
rightsland(struct rights *r)
{
	acquiresleep(&flightlock);
	if (r->flying)
		count(r, -1);
	releasesleep(&flightlock);
}

/* flightlock held. */
static void
count(struct rights *r, int by)
{
	uint i;

	r->flying = by > 0;
	nflying[r->uid % NCOUNT] += by * (int)r->n;
	for (i = 0; i < r->n; i++)
		countfile(r->file[i], by);
}

static void
countfile(struct file *f, int by)
{
	struct socket *s = filesocket(f);

	if (s == 0)
		return;
	if (s->inflight == 0)
		listadd(&flying, &s->flylink);
	s->inflight += by;
	if (s->inflight == 0)
		listdel(&s->flylink);
}

struct rights *
rightspeek(struct rights *r)
{
	struct rights *new = rightsnew();
	uint i;

	if (new == 0)
		return 0;
	acquiresleep(&flightlock);
	for (i = 0; i < r->n; i++)
		new->file[i] = filedup(r->file[i]);
	new->n = r->n;
	releasesleep(&flightlock);
	return new;
}

void
rightsdrop(struct rights *r)
{
	struct proc *p = myproc();
	struct rights *head = r;

	if (p->dropping) {
		r->next = *p->dropping;
		*p->dropping = r;
		return;
	}
	r->next = 0;
	p->dropping = &head;
	while ((r = head) != 0) {
		head = r->next;
		closerights(r);
	}
	p->dropping = 0;
}

static void
closerights(struct rights *r)
{
	uint i;

	rightsland(r);
	for (i = 0; i < r->n; i++)
		fileclose(r->file[i]);
	kmfree(r);
}

void
flightcollect(void)
{
	struct list cand, live, messages;
	struct socket *s;

	if (listempty(&flying))
		return;
	listinit(&cand);
	listinit(&live);
	listinit(&messages);
	acquiresleep(&flightlock);
	candidates(&cand);
	listeach (s, &cand, flylink)
		unixeachrights(s, findone, 0);
	listeach (s, &cand, flylink) {
		if (s->found < s->inflight)
			move(s, &live);
	}
	while (!listempty(&live)) {
		s = listitem(live.next, struct socket, flylink);
		move(s, &flying);
		unixeachrights(s, keepone, &live);
	}
	listeach (s, &cand, flylink) {
		move(s, &flying);
		unixtake(s, &messages);
	}
	releasesleep(&flightlock);
	unixdrop(&messages);
}

/* Those that only messages refer to go from flying to cand. */
static void
candidates(struct list *cand)
{
	struct socket *s;

	listeach (s, &flying, flylink) {
		if (s->file->ref != (int)s->inflight)
			continue;
		move(s, cand);
		s->candidate = 1;
		s->found = 0;
	}
}

/* To another list, as no candidate. */
static void
move(struct socket *s, struct list *to)
{
	listdel(&s->flylink);
	listadd(to, &s->flylink);
	s->candidate = 0;
}

/* Count the references that are in a candidate's message. */
static void
findone(struct rights *r, void *arg)
{
	struct socket *s;
	uint i;

	(void)arg;
	for (i = 0; i < r->n; i++) {
		s = filesocket(r->file[i]);
		if (s && s->candidate)
			s->found++;
	}
}

/* What is in the message of a socket alive is alive. */
static void
keepone(struct rights *r, void *live)
{
	struct socket *s;
	uint i;

	for (i = 0; i < r->n; i++) {
		s = filesocket(r->file[i]);
		if (s && s->candidate)
			move(s, live);
	}
}
