/*
 * sockopt.c - the options of sockets: all are of SOL_SOCKET.
 */
#include "kern/socket/socket.h"
#include "mm/mm.h"
#include "kern/sched.h"
#include "kern/sys/syscall.h"
#include "kern/timeval.h"

#define MINSNDBUF 4608
#define MINRCVBUF 2304
#define MAXBUF    212992 /* what SO_SNDBUF and SO_RCVBUF may ask for */

static int getopt(struct socket *, uint opt, void *val);
static int *flagof(struct socket *, uint opt);
static int setopt(struct socket *, uint opt, int val);
static void setbuf(uint *buf, uint val, uint min);
static int gettimeo(int64_t ns, int wide, void *val);
static int settimeo(int64_t *ns, int wide, uint uval, uint n);

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
	int *flag = flagof(s, opt), n = 0;

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
		if (!flag)
			return -ENOPROTOOPT;
		n = *flag;
	}
	*(int *)val = n;
	return sizeof(n);
}

/* Where an option is that is 0 or 1; or 0. */
static int *
flagof(struct socket *s, uint opt)
{
	switch (opt) {
	case SO_REUSEADDR: return &s->reuse;
	case SO_BROADCAST: return &s->broadcast;
	case SO_KEEPALIVE: return &s->keepalive;
	case SO_PASSCRED: return &s->passcred;
	}
	return 0;
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
	int *flag = flagof(s, opt);

	switch (opt) {
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
	if (!flag)
		return -ENOPROTOOPT;
	*flag = val != 0;
	return 0;
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
