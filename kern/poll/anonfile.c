/*
 * anonfile.c - files without a name, which programs know by a descriptor only:
 * eventfd, timerfd, signalfd, epoll.  As on Linux all of them have one inode,
 * which is in no directory and so cannot be opened.
 */
#include "mm/mm.h"
#include "kern/file.h"
#include "kern/abi/fcntl.h"
#include "kern/fs/inode.h"
#include "kern/panic.h"

static struct super anonsuper = {.ref = 1, .type = "anon_inodefs", .dev = 10};
static struct inode *anoninode;

void
anoninit(void)
{
	anoninode = inodenew(&anonsuper, 0600);
	if (anoninode == 0)
		panic("anoninit: no memory");
}

int
fdanon(const struct fileops *ops, void *priv, uint flags)
{
	struct file *f = filealloc();
	int fd;

	if (f == 0)
		return -ENOMEM;
	f->ops = ops;
	f->flags = O_RDWR | (flags & ~O_CLOEXEC);
	f->inode = anoninode;
	f->priv = priv;
	fd = fdalloc(f, 0, (flags & O_CLOEXEC) != 0);
	if (fd < 0) {
		f->ops = 0; /* so that nobody releases priv: the caller does */
		fileclose(f);
	}
	return fd;
}

struct file *
fdgetkind(uint fd, const struct fileops *ops, int *err)
{
	struct file *f = fdgetio(fd);

	if (f && f->ops == ops)
		return f;
	*err = f ? -EINVAL : -EBADF;
	if (f)
		fileclose(f);
	return 0;
}
