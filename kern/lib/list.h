/* list.h - a circular doubly linked list, embedded in what it links.
 * Invariant: a node is on one list or linked to itself. */
#ifndef KERN_LIST_H
#define KERN_LIST_H

#include "kern/types.h"

struct list {
	struct list *next, *prev;
};

static inline void
listinit(struct list *l)
{
	l->next = l->prev = l;
}

static inline int
listempty(const struct list *l)
{
	return l->next == l;
}

/* Put n in front of where; on a list head that is the end of the list. */
static inline void
listadd(struct list *where, struct list *n)
{
	n->next = where;
	n->prev = where->prev;
	where->prev->next = n;
	where->prev = n;
}

/* Put n behind where; on a list head that is the front of the list. */
static inline void
listpush(struct list *where, struct list *n)
{
	listadd(where->next, n);
}

/* Take n off its list; harmless if it is on none. */
static inline void
listdel(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	listinit(n);
}

/* The struct of the given type whose field is the node n. */
#define listitem(n, type, field) container_of(n, type, field)

/* For each item of the list; the body may remove the item. */
#define listeach(p, head, field)                                               \
	for (struct list *n_ = (head)->next, *t_ = n_->next;                   \
		n_ != (head) &&                                                \
		(p = listitem(n_, __typeof__(*p), field), 1);                  \
		n_ = t_, t_ = t_->next)

#endif
