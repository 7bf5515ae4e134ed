/*
 * procmaps.c - /proc/PID: the files about a process's memory.
 *
 * The functions go through the mappings by address and hold no lock from one
 * to the next.  A mapping that comes or goes meanwhile changes nothing in the
 * lines of the others, and a long text can be read in parts.
 */
#include "kern/fs/proc/procfs.h"
#include "mm/mm.h"
#include "kern/abi/errno.h"
#include "kern/dev/dev.h"
#include "kern/fs/inode.h"
#include "kern/param.h"
#include "kern/proc.h"
#include "kern/lib/string.h"

#define NAMECOLUMN 49 /* bytes of a line before the name, as in Linux */

static int eachvma(struct text *, int pid,
	void (*show)(struct text *, struct uvm *, struct vmainfo *));
static void showvma(struct text *, struct uvm *, struct vmainfo *);
static void showname(struct text *, struct vmainfo *, uint column);
static void showvmasize(struct text *, struct uvm *, struct vmainfo *);
static void showusage(struct text *, const struct vmusage *, int rollup);

/* /proc/PID/maps has one line for each mapping: range, rights, offset, device,
 * inode and name.  Returns 0 or -errno. */
int
showmaps(struct text *t, int pid)
{
	return eachvma(t, pid, showvma);
}

/* /proc/PID/smaps has for each mapping its line of maps, and below that line
 * its sizes in kB.  Returns 0 or -errno. */
int
showsmaps(struct text *t, int pid)
{
	return eachvma(t, pid, showvmasize);
}

/* Call show for as many mappings, from address t->at on, as fit whole in one
 * part of the text, but for at least one.  t->more says whether the text goes
 * on, and t->at where.  A process without memory has an empty text.  Returns
 * t->err. */
static int
eachvma(struct text *t, int pid,
	void (*show)(struct text *, struct uvm *, struct vmainfo *))
{
	struct uvm *u = procuvm(pid);
	struct vmainfo v;
	uint n;

	if (u == 0)
		return 0;
	while (t->err == 0 && t->more == 0 && uvmvma(u, t->at, &v)) {
		n = t->n;
		show(t, u, &v);
		if (v.file)
			fileclose(v.file);
		t->more = t->n > TEXTPART;
		if (n && t->more)
			t->n = n;
		else
			t->at = v.end;
	}
	freeuvm(u);
	return t->err;
}

/* Write the line of maps for one mapping. */
static void
showvma(struct text *t, struct uvm *u, struct vmainfo *v)
{
	struct inode *ip = v->file ? v->file->inode : 0;
	uint dev = ip && ip->super ? ip->super->dev : 0;
	uint from = t->n;

	(void)u;
	putf(t, "%08x-%08x %c%c%c%c %08x %02x:%02x %u ", v->start, v->end,
		v->prot & PROT_READ ? 'r' : '-', v->prot & PROT_WRITE ? 'w' : '-',
		v->prot & PROT_EXEC ? 'x' : '-', v->shared ? 's' : 'p',
		(uint)v->offset, major(dev), minor(dev), ip ? (uint)ip->ino : 0);
	showname(t, v, from + NAMECOLUMN);
	putf(t, "\n");
}

/* Write the name of the mapping's file, or what kind of memory the mapping is,
 * padded with blanks so that the name begins at byte `column' of t.  A nameless
 * mapping gets neither. */
static void
showname(struct text *t, struct vmainfo *v, uint column)
{
	const char *name = v->kind == VMAINFO_HEAP    ? "[heap]"
			   : v->kind == VMAINFO_STACK ? "[stack]"
			   : v->shared ? "/dev/zero (deleted)"
				       : "";
	char *path = 0;

	if (v->file && v->file->dentry) {
		path = kmalloc(PATHLEN);
		if (path && dentrypath(v->file->dentry, path, PATHLEN) >= 0)
			name = path;
	}
	if (*name)
		putf(t, "%*s%s", (int)(column - MIN(t->n, column)), "", name);
	kmfree(path);
}

/* Write the line of maps for one mapping, then its sizes in kB and its
 * flags. */
static void
showvmasize(struct text *t, struct uvm *u, struct vmainfo *v)
{
	struct vmusage use = {0};
	char words[VMAWORDS];

	uvmusage(u, v->start, v->end, &use);
	showvma(t, u, v);
	putf(t, "Size:           %8u kB\nKernelPageSize: %8u kB\n"
		"MMUPageSize:    %8u kB\n",
		(v->end - v->start) >> 10, PGSIZE >> 10, PGSIZE >> 10);
	showusage(t, &use, 0);
	putf(t, "THPeligible:    %d\n", 0);
	vmawords(v, words);
	putf(t, "VmFlags: %s\n", words);
}

/* /proc/PID/smaps_rollup has the sums over all mappings, in kB.  Returns 0, or
 * -ESRCH when the process has no memory. */
int
showrollup(struct text *t, int pid)
{
	struct uvm *u = procuvm(pid);
	struct vmusage use = {0};
	struct vmainfo v;
	uint first = 0, end = 0;

	if (u == 0)
		return -ESRCH;
	while (uvmvma(u, end, &v)) {
		if (first == 0)
			first = v.start;
		end = v.end;
		if (v.file)
			fileclose(v.file);
	}
	uvmusage(u, first, end, &use);
	freeuvm(u);
	putf(t, "%08x-%08x ---p 00000000 00:00 0 %*s[rollup]\n", first, end, 9,
		"");
	showusage(t, &use, 1);
	return 0;
}

/* Write one line of smaps: the name, which ends in a colon, and kb
 * kilobytes. */
static void
putkb(struct text *t, const char *name, uint kb)
{
	putf(t, "%-16s%8u kB\n", name, kb);
}

/* Convert pages to kilobytes. */
static uint
pages2kb(uint n)
{
	return n << (PGSHIFT - 10);
}

/* Convert a proportional size, which is in bytes << PSSSHIFT, to kilobytes. */
static uint
pss2kb(uint64_t pss)
{
	return (uint)(pss >> (10 + PSSSHIFT));
}

/* Write the sizes in *use as lines of smaps, in kB.  With rollup set, lines
 * with the proportional size of each kind of memory are added, as smaps_rollup
 * has them. */
static void
showusage(struct text *t, const struct vmusage *use, int rollup)
{
	uint64_t pss = use->pss[0] + use->pss[1] + use->pss[2];

	putkb(t, "Rss:", pages2kb(use->pages[0] + use->pages[1] +
		use->pages[2]));
	putkb(t, "Pss:", pss2kb(pss));
	putkb(t, "Pss_Dirty:", pss2kb(use->pssdirty));
	if (rollup) {
		putkb(t, "Pss_Anon:", pss2kb(use->pss[0]));
		putkb(t, "Pss_File:", pss2kb(use->pss[1]));
		putkb(t, "Pss_Shmem:", pss2kb(use->pss[2]));
	}
	putkb(t, "Shared_Clean:", pages2kb(use->clean[1]));
	putkb(t, "Shared_Dirty:", pages2kb(use->dirty[1]));
	putkb(t, "Private_Clean:", pages2kb(use->clean[0]));
	putkb(t, "Private_Dirty:", pages2kb(use->dirty[0]));
	putkb(t, "Referenced:", pages2kb(use->referenced));
	putkb(t, "Anonymous:", pages2kb(use->pages[0]));
	putkb(t, "LazyFree:", 0);
	putkb(t, "AnonHugePages:", 0);
	putkb(t, "ShmemPmdMapped:", 0);
	putkb(t, "FilePmdMapped:", 0);
	putkb(t, "Shared_Hugetlb:", 0);
	putkb(t, "Private_Hugetlb:", 0);
	putkb(t, "Swap:", 0);
	putkb(t, "SwapPss:", 0);
	putkb(t, "Locked:", pss2kb(use->psslocked));
}

#define CHUNK 64 /* entries of pagemap that are read at a time */

/* /proc/PID/pagemap has an entry of 64 bits for each page of the address
 * space.  Reads entries from byte off on; off and the length must be whole
 * entries.  Returns the bytes moved, 0 at the end, or -errno. */
int
readpagemap(int pid, struct uio *to, int64_t off)
{
	uint64_t entry[CHUNK];
	struct uvm *u;
	uint va, n, done = 0;
	int err = 0;

	if (off % 8 || to->n % 8)
		return -EINVAL;
	if (off >= (USERTOP >> PGSHIFT) * 8 || to->n == 0)
		return 0;
	u = procuvm(pid);
	if (u == 0)
		return 0;
	for (va = (uint)(off / 8) << PGSHIFT; err == 0 && va < USERTOP &&
		to->n > 0; va += n << PGSHIFT) {
		n = MIN(MIN(to->n / 8, (USERTOP - va) >> PGSHIFT), CHUNK);
		uvmpagemap(u, va, n, entry, myproc()->euid == 0);
		err = uioput(to, entry, n * 8);
		if (err == 0)
			done += n * 8;
	}
	freeuvm(u);
	return done ? (int)done : err;
}

/* Move n bytes, which lie in one page, between io and address va of u by way of
 * the kernel's page `page'.  A write reaches private mappings that are not
 * writable too, since debuggers set breakpoints so.  Returns 0 or -errno, which
 * is -EIO where nothing is mapped. */
static int
movepage(struct uvm *u, uint va, struct uio *io, char *page, uint n, int write)
{
	int err;

	if (!write)
		return uvmread(u, va, page, n) ? -EIO : uioput(io, page, n);
	err = uioget(io, page, n);
	if (err == 0)
		err = uvmpoke(u, va, page, n) ? -EIO : 0;
	return err;
}

static int movemem(int pid, struct uio *io, int64_t off, int write);
static int movepage(struct uvm *u, uint va, struct uio *io, char *page, uint n,
	int write);

/* /proc/PID/mem: read the process's memory from address off on.  Returns the
 * bytes moved or -errno. */
int
readmem(int pid, struct uio *to, int64_t off)
{
	return movemem(pid, to, off, 0);
}

/* /proc/PID/mem: write the process's memory from address off on.  Returns the
 * bytes moved or -errno. */
int
writemem(int pid, struct uio *from, int64_t off)
{
	return movemem(pid, from, off, 1);
}

/* Move bytes between io and the process's memory, from address off on.  An
 * address that is not mapped ends the transfer.  Returns the bytes moved, or
 * -errno if there are none; a process without memory gives 0. */
static int
movemem(int pid, struct uio *io, int64_t off, int write)
{
	struct uvm *u = procuvm(pid);
	char *page = kalloc();
	uint n, done = 0;
	int err = page ? 0 : -ENOMEM;

	if (u == 0)
		goto out;
	if (off < 0 || off >= USERTOP)
		err = -EIO;
	while (err == 0 && io->n > 0 && off < USERTOP) {
		n = MIN(io->n, PGSIZE - (uint)off % PGSIZE);
		err = movepage(u, (uint)off, io, page, n, write);
		if (err == 0) {
			done += n;
			off += n;
		}
	}
	freeuvm(u);
out:
	if (page)
		kfree(page);
	return done ? (int)done : err;
}
