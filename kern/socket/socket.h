/*
 * socket.h - sockets: system calls in socket.c, sockmsg.c (send and receive)
 * and sockopt.c (options); Unix-domain sockets in unix.c, unixmsg.c (messages)
 * and unixname.c (names); descriptors on their way through one in flight.c.
 */
#ifndef KERN_SOCKET_H
#define KERN_SOCKET_H

#include "kern/abi/socket.h"
#include "kern/file.h"
#include "kern/lib/list.h"
#include "kern/lock/lock.h"
#include "kern/uio.h"

/* Open files that a message carries, or that are about to go into one. */
struct rights {
	struct rights *next; /* of those that rightsdrop is to close */
	uint n;              /* files */
	uint uid;            /* who sent them */
	int flying;          /* counted as in flight */
	struct file *file[SCM_MAX_FD]; /* each with a reference */
};

/* The address of a socket; never changed. */
struct sockname {
	volatile int ref;
	int len;                 /* bytes of addr */
	struct sockaddr_un addr;
	char nul;                /* ends a path of full length */
};

enum { SOCK_IDLE, SOCK_CONNECTED, SOCK_LISTENING }; /* states */

#define SHUT_READ  1 /* bits of shut */
#define SHUT_WRITE 2

struct socket {
	volatile int ref;       /* its file, its peer, messages it sent */
	int type;               /* SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET */
	struct file *file;      /* its open file; 0: not accepted yet */
	uint ino;               /* and that one's inode number */
	struct spinlock lock;   /* taken with no other socket's */
	int state;              /* SOCK_* [lock] */
	volatile int shut;      /* SHUT_READ, SHUT_WRITE [lock] */
	int dead;               /* its file is closed [lock] */
	volatile int err;       /* what the next call returns, or 0 [lock] */
	struct socket *peer;    /* referenced; of a stream or seqpacket constant
	                         * until the close [lock] */
	struct list queue;      /* of messages to read [lock] */
	uint nqueue;            /* how many [lock] */
	struct sleeplock readlock; /* held by who takes messages off */
	volatile uint wmem;     /* cost of messages sent, not yet read [atomic] */
	volatile uint spare;    /* a small message to use next, or 0 [atomic] */
	uint sndbuf, rcvbuf;    /* no more is sent once wmem is sndbuf */
	int64_t sndtimeo, rcvtimeo; /* ns that a call may wait, or NEVER */
	int rcvlowat;
	int reuse, keepalive, broadcast, passcred; /* options, 0 or 1 */
	struct ucred peercred;  /* who made, or connected, the peer */
	struct waitq readq;     /* for a message, or the end */
	struct waitq writeq;    /* for room */
	struct sockname *name;  /* set once; 0: none [boundlock] */
	struct dentry *dentry;  /* the name's file, or 0 [boundlock] */
	struct list boundlink;  /* in the list of those with names [boundlock] */
	struct list pending;    /* listening: those to accept [lock] */
	struct list pendlink;   /* in that list [the listening one's lock] */
	uint npending, backlog; /* how many, being made too; one less than
	                         * there may be [lock] */
	uint inflight;          /* of file's references [flightlock] */
	struct list alllink;    /* all sockets [alllock] */
	struct list flylink;    /* in the list of those in flight [flightlock] */
	uint found;             /* the collector's: those in messages of */
	int candidate;          /* candidates, and is it one? [flightlock] */
};

/* One send or receive: where the bytes are, and what goes with them. */
struct sockio {
	struct uio u;            /* the piece being moved */
	const struct iovec *iov; /* the pieces behind it */
	uint niov;
	uint left;               /* bytes in all of them */
	uint flags;              /* MSG_* asked for */
	uint outflags;           /* MSG_TRUNC, MSG_CTRUNC that came out */
	struct rights *rights;   /* to send, taken over; or received; or 0 */
	struct ucred cred;       /* of the sender */
	int hascred;             /* received: cred is filled in */
	const struct sockaddr_un *addr; /* where to send to, or 0: the peer */
	int addrlen;
	int wantname;            /* receive: who sent it? */
	struct sockname *name;   /* that, referenced; or 0 */
};

/* socket.c */
int issocket(struct file *);
struct socket *filesocket(struct file *); /* or 0: it is none */

/* The socket of a descriptor, its file referenced in *fp; or 0 and -EBADF,
 * -ENOTSOCK in *err. */
struct socket *getsock(uint fd, struct file **fp, int *err);

/* An address of len bytes from user memory; one that is too long counts as
 * given, and is refused where it is used.  0, -EINVAL or -EFAULT. */
int sockaddrin(struct sockaddr_un *, uint uaddr, int len);

/* Write a name to user memory, where *ulen is the room.  No name (0) is the
 * first so many bytes of an address.  0, -EFAULT or -EINVAL. */
int sockaddrout(uint uaddr, uint ulen, struct sockname *, int unnamed);

/* sockmsg.c */
int sockread(struct file *, struct uio *, int64_t *off);
int sockwrite(struct file *, struct uio *, int64_t *off);

/* readv and writev: all pieces are one message.  Bytes or -errno. */
int sockiov(struct file *, const struct iovec *iov, uint n, int out);

/* unix.c.  Calls on a socket are made with a reference to its file. */

/* A socket with one reference, or 0; unixput drops one. */
struct socket *unixnew(int type);
struct socket *unixget(struct socket *);
void unixput(struct socket *);

/* Its peer, referenced; or 0. */
struct socket *unixpeer(struct socket *);

/* Connect two new ones with each other. */
void unixpair(struct socket *, struct socket *);

/* The one with so many before it that waits to be accepted, referenced; or
 * 0. */
struct socket *unixpending(struct socket *, uint at);

void unixshutdown(struct socket *, int how); /* SHUT_READ | SHUT_WRITE */

/* The file is gone: so is the file's reference. */
void unixclose(struct socket *);

/* For /proc/net/unix: a line for each socket. */
struct text;
void unixshow(struct text *);

/* unixmsg.c */

/* Send all that io describes, receive what there is: bytes, or -errno if there
 * was an error before the first.  Rights that were not sent stay in io.  May
 * sleep; -EPIPE has sent SIGPIPE where it is due. */
int unixsend(struct socket *, struct sockio *io);
int unixrecv(struct socket *, struct sockio *io);

int unixpoll(struct socket *, struct pollset *); /* POLL* that hold */
int unixunread(struct socket *); /* FIONREAD: bytes, or of the next message */

/* Call fn(r, arg) for the rights of each message to read. */
void unixeachrights(struct socket *, void (*fn)(struct rights *, void *),
	void *arg);

/* Take all messages to read off, to the end of a list; free a list of them. */
void unixtake(struct socket *, struct list *to);
void unixdrop(struct list *messages);

/* The result of a sleep as a call returns it. */
int unixslept(int err, int64_t deadline);

/* unixname.c.  Addresses are in kernel memory; len bytes of them are given. */
extern struct waitq unixroomq;
void unixnameinit(void); /* at boot */
struct sockname *socknameget(struct sockname *);
void socknameput(struct sockname *); /* 0: nothing */
int unixbind(struct socket *, const struct sockaddr_un *, int len);
int unixlisten(struct socket *, uint backlog);
int unixconnect(struct socket *, const struct sockaddr_un *, int len,
	int nowait);

/* A connected socket in *out, its reference for a file to take over. */
int unixaccept(struct socket *, int nowait, struct socket **out);

/* The socket of that address and type, referenced; or 0 and *err. */
struct socket *unixfind(int type, const struct sockaddr_un *, int len, int *err);

/* It closes: its name is free, but for the file. */
void unixunbind(struct socket *);

/* flight.c */
void flightinit(void); /* at boot */

/* Nothing in it yet; or 0. */
struct rights *rightsnew(void);

/* Count them as in flight: 0 or -ETOOMANYREFS. */
int rightsfly(struct rights *);

/* They are back: their references are the caller's again. */
void rightsland(struct rights *);

/* A copy with references of its own, not in flight; or 0. */
struct rights *rightspeek(struct rights *);

/* Close the files that are left and free it.  Closing a socket drops what is on
 * its way to it: that is put off until the outermost rightsdrop of this process
 * gets to it, so that a chain of sockets does not take stack. */
void rightsdrop(struct rights *);

/* Close those sockets that can only be reached from each other's messages.  No
 * lock held; may sleep. */
void flightcollect(void);

#endif
