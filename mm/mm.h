/*
 * mm.h - all that the rest of the kernel may call in mm/, grouped by file.
 *
 * A caller outside mm/ never sees a struct page, a PTE or a slot.  Errors are
 * negative numbers of kern/abi/errno.h; where a pointer is returned, 0 means
 * that there is no memory.
 */
#ifndef MM_MM_H
#define MM_MM_H

#include "arch/memlayout.h"
#include "arch/mmu.h"
#include "kern/abi/errno.h"
#include "kern/abi/mman.h"
#include "kern/uio.h"

struct file;
struct fileops;
struct inode;
struct pcache;
struct proc;
struct uvm;
struct vma;

/* kinit.c */

/* Unlike xv6's kinit1(vstart, vend), this takes no range: which frames are free
 * the boot loader's memory map says.  Makes those below 4 MiB available to
 * kalloc(), but for the kernel image's and the boot modules'.  Called first, on
 * the boot CPU with entrypgdir loaded.  Panics if there are none. */
void kinit1(void);

/* Unlike xv6's kinit2(vstart, vend), this also makes the array of struct page,
 * and takes all RAM that there is.  Gives the frames that nothing uses to
 * kalloc.c.  Called once, on the boot CPU, after kvmalloc() has mapped RAM.
 * Panics with the cause if there is too little. */
void kinit2(void);

/* Physical memory that a boot module occupied goes to the free lists.  Bytes
 * [start, end), rounded inwards to pages. */
void kfreerange(uint start, uint end);

/* kalloc.c */

/* Unlike xv6's kalloc(), this is for the kernel's own pages only: those of
 * users may have no kernel address, so mm/ takes them as struct page
 * (allocpage()).  One page, contents undefined; 0: no memory.  Never sleeps;
 * may be called in any context that holds none of the locks of free frames. */
void *kalloc(void);

/* Unlike xv6's kfree(), this drops a reference, the only one that a page of
 * kalloc() has; panics if it is given any other page. */
void kfree(void *);

#define NORDER 11 /* blocks have 1 to 1024 pages */

/* 2^order contiguous pages of kernel memory, contents undefined; 0: no memory.
 * As kalloc().  kfrees() takes them back, with the order they were allocated
 * with. */
void *kallocs(int order);
void kfrees(void *, int order);

/* slab.c */

struct slabcache;

void slabinit(void); /* boot, after kinit2(): kmalloc() may be called then */

/* A cache of objects of n bytes (<= 2048), aligned to align, a power of two.
 * Boot only; panics if there is no memory. */
struct slabcache *slabcreate(const char *name, uint n, uint align);

/* An object, contents undefined, or 0.  Never sleeps. */
void *slaballoc(struct slabcache *);
void slabfree(struct slabcache *, void *);

/* n bytes from the smallest fitting size class, or whole pages above 2048 (at
 * most 1 MiB), 8-byte aligned, contents undefined; 0: out of memory.  kzalloc:
 * all zero.  kmfree(0) does nothing. */
void *kmalloc(uint n);
void *kzalloc(uint n);
void kmfree(void *);

struct slabinfo {
	const char *name;
	uint inuse, size, perpage, pages; /* objects; bytes; objects; pages */
};

/* The i-th cache: 1, or 0: there are fewer. */
int slabinfo(int i, struct slabinfo *);

/* Objects in use in the cache of that name. */
uint slabinuse(const char *name);

/* kvm.c */

/* Unlike xv6's kvmalloc(), whose kpgdir serves the scheduler only, this makes
 * the tables that the kernel's half of all address spaces shares.  Builds them
 * from kmap[] and loads kpgdir in place of entrypgdir.  Boot CPU, after
 * kinit1(). */
void kvmalloc(void);

/* Load kpgdir, the address space without a user half, on this CPU. */
void switchkvm(void);

/* A kernel stack of KSTACKPAGES pages with an unmapped page below it.  Returns
 * its lowest address; 0: no memory, or so little that no thread should begin.
 * No spinlock held. */
void *kstackalloc(void);
void kstackfree(void *); /* no spinlock held */

/* Registers of a device, n bytes at physical address pa, uncached: where they
 * are mapped for ever, or 0: no room.  At boot. */
void *kmapdev(uint pa, uint n);

/* Is [va, va+n) mapped kernel memory?  For backtraces and panics: no locks. */
int kvmreadable(uint va, uint n);

/* Print PDE and PTE of va in the page directory in CR3 (panic only). */
void kvmdump(uint va);

/* uvm.c: the user half of address spaces.  Each function takes u->lock itself,
 * so the caller holds neither that nor a spinlock, but where something else is
 * said. */

/* Boot, after slabinit(): the caches of this file, vma.c and pcache.c. */
void uvminit(void);

/* An empty address space with one reference, or 0. */
struct uvm *newuvm(void);

/* One more reference to u (vfork, CLONE_VM), which is returned.  Takes no
 * lock. */
struct uvm *uvmref(struct uvm *u);

/* Drop a reference to u; the last one frees everything.  No process may run in
 * u then.  May sleep. */
void freeuvm(struct uvm *u);

/* fork: a copy of u, or 0.  Unlike xv6's it copies no page: both address spaces
 * hang the same page tables, and a write makes a copy of one (pgtab.c). */
struct uvm *copyuvm(struct uvm *u);

/* Load the page directory of u on this CPU, or with 0 the kernel's own.  Unlike
 * xv6's it takes no process and sets no kernel stack (that is in kern/sched.c),
 * and it notes which CPUs have u loaded.  Called with interrupts off. */
void switchuvm(struct uvm *u);

/* A bit for each CPU that has u loaded.  Takes no lock. */
uint uvmcpus(struct uvm *u);

/* Give an empty u the stack of a program.  Unlike xv6's it loads no program: it
 * maps a stack below top, which may grow to stacklimit bytes.  0 or -ENOMEM. */
int inituvm(struct uvm *u, uint top, uint stacklimit);

/* Map one PT_LOAD segment of f: filesz bytes of it from off at va, then zeroes
 * to memsz.  Unlike xv6's it needs no memory there and reads nothing: faults
 * read the pages; but the page at the end of filesz is copied when bss begins
 * in it and prot has PROT_WRITE.  va and off are congruent modulo PGSIZE, and
 * the range is in user memory, which is checked here, against overflow too
 * (-ENOEXEC).  0 or -errno. */
int loaduvm(struct uvm *u, uint va, struct file *f, uint off, uint filesz,
	uint memsz, int prot);

/* The heap begins, and so far ends, at va rounded up to a page.  exec calls
 * this while nobody else sees u; takes no lock. */
void setheap(struct uvm *u, uint va);

/* Move the end of the heap to brk.  Returns the end that holds afterwards,
 * which is the old one on failure.  The caller holds no lock of u's. */
uint growheap(struct uvm *u, uint brk);

/* Write to or read from an address space that need not be the running one:
 * exec's arguments, /proc/PID/cmdline.  Faults pages in as a user access
 * would.  0 or -EFAULT, -ENOMEM (nothing is promised about how much was copied
 * then). */
int uvmwrite(struct uvm *u, uint va, const void *src, uint n);
int uvmread(struct uvm *u, uint va, void *dst, uint n);

/* uvmwrite for a debugger: it writes also where the mapping is private and not
 * writable, which gets a page of its own; the program may still not write
 * there. */
int uvmpoke(struct uvm *u, uint va, const void *src, uint n);

/* Set a limit of u in bytes, ~0u for none: RLIMIT_STACK of its stack, RLIMIT_AS
 * of all that is mapped, RLIMIT_DATA of private memory that may be written,
 * RLIMIT_MEMLOCK of what may be locked.  The caller holds no lock of u's. */
enum { UVM_STACK, UVM_AS, UVM_DATA, UVM_MEMLOCK, NUVMLIMIT };
void uvmlimit(struct uvm *u, int which, uint bytes);

/* What /proc and getrusage tell about u. */
struct uvmstat {
	uint size;     /* pages mapped */
	uint peaksize; /* the most pages that ever were mapped */
	uint locked;   /* pages locked, for VmLck */
	uint rss;      /* pages present, in tables shared or not */
	uint peakrss;  /* the most pages that ever were present */
	uint text, data, stack; /* pages mapped, by kind of mapping */
	uint tables;   /* page tables hung */
	uint startcode, endcode, startbrk, brk, startstack; /* addresses */
};
void uvmstat(struct uvm *u, struct uvmstat *st);
uint uvmpeak(struct uvm *u); /* peakrss alone */

/* Addresses that exec notes, for /proc/PID/{stat,cmdline,environ}.  Written by
 * exec while nobody else sees u; read without a lock. */
struct uvmargs {
	uint argstart, argend, envstart, envend;
	uint startcode, endcode, startstack;
	uint auxv; /* the auxiliary vector */
	uint mmapgap; /* bytes, a random number, that mmap() leaves free above
	               * what it maps */
};
struct uvmargs *uvmargs(struct uvm *u);

/* Describe the first mapping that ends above va, for /proc/PID/maps: 1, or 0 if
 * there is none.  info->file is referenced (filedup), or 0. */
struct vmainfo {
	uint start, end;
	int prot, shared;
	uint flags;  /* for vmawords() */
	int nodump;  /* MADV_DONTDUMP */
	int kind;    /* VMAINFO_* */
	uint64_t offset;   /* byte of the file that is at start */
	struct file *file; /* the file mapped, or 0 */
};
enum { VMAINFO_MAP, VMAINFO_HEAP, VMAINFO_STACK };
int uvmvma(struct uvm *u, uint va, struct vmainfo *);

/* For core dumps, which make nothing present: the address of the first page in
 * [va, end), both page aligned, that is present, or with anon set that is
 * present and private memory's own; end if there is none. */
uint uvmresident(struct uvm *u, uint va, uint end, int anon);

/* Copy the page at va, as a read would find it, to the PGSIZE bytes at page: 1;
 * or 0: nothing was copied, since a read would find zeroes or fail. */
int uvmpeek(struct uvm *u, uint va, void *page);

/* Is va in a shared mapping?  1: then *obj, referenced (pcachefree() drops it),
 * and *index, which page of it is at va, name the memory for all that map it;
 * 0: private memory; -EFAULT: nothing is mapped. */
int uvmobject(struct uvm *u, uint va, struct pcache **obj, uint *index);

/* usage.c: what of an address space is in memory. */

#define PSSSHIFT 12 /* shares are counted in bytes << PSSSHIFT */

/* Pages that are present, but for that of zeroes: private memory's own, of
 * files, of shared memory.  A page's share is its size by the number of slots
 * that show it. */
struct vmusage {
	uint pages[3];
	uint64_t pss[3];
	uint64_t pssdirty;
	uint64_t psslocked;
	uint clean[2], dirty[2]; /* [1]: those that several slots show */
	uint referenced;
};

/* Add what is present in [start, end), page aligned, to *use. */
void uvmusage(struct uvm *u, uint start, uint end, struct vmusage *use);

/* What the mapping is and may become, in Linux's words of two letters, each
 * with a blank behind it. */
#define VMAWORDS 64
void vmawords(const struct vmainfo *, char words[VMAWORDS]);

/* Pages of files and shared memory that some slot shows.  Looks at all there
 * are, with no lock. */
uint mappedpages(void);

/* The entries of /proc/PID/pagemap for n pages from va on, with frame numbers
 * or without. */
#define PAGEMAP_PRESENT   (1ull << 63)
#define PAGEMAP_FILE      (1ull << 61) /* a file's, or shared memory */
#define PAGEMAP_EXCLUSIVE (1ull << 56) /* no other slot shows it */
void uvmpagemap(struct uvm *u, uint va, uint n, uint64_t *entry, int frames);

/* fault.c */

/* Make va accessible in u for access (PROT_READ, PROT_WRITE).  Returns 0, or 1
 * if it waited for I/O (a major fault), when the access may be tried again:
 *   -EFAULT  nothing is mapped there
 *   -EACCES  it is mapped, but not for this access
 *   -EIO     the backing store cannot supply the page, or va is beyond its end
 *   -ENOMEM  no memory
 * Called with neither u->lock nor a spinlock held and interrupts on; may
 * sleep. */
int fault(struct uvm *u, uint va, uint access);

/* mmap.c, mremap.c, madvise.c: what the system calls of the same names do, on
 * the given uvm.  They return an address or 0, or -errno (addresses are below
 * USERTOP = 0x80000000, so an int tells them apart).  Addresses and lengths are
 * bytes, and are checked here.  They take u->lock and may sleep: the caller
 * holds no lock that a fault or the last close of a file may take. */
int mmap(struct uvm *, uint addr, uint len, int prot, int flags, struct file *,
	uint64_t off);
int munmap(struct uvm *, uint addr, uint len);
int mprotect(struct uvm *, uint addr, uint len, int prot);
int mremap(struct uvm *, uint addr, uint oldlen, uint newlen, int flags,
	uint newaddr);
int madvise(struct uvm *, uint addr, uint len, int advice);
int msync(struct uvm *, uint addr, uint len, int flags);

/* Tell the program at uvec, one byte for each page, which pages of addr to addr
 * + len are in memory: 1, else 0. */
int mincore(struct uvm *, uint addr, uint len, uint uvec);

/* remap_file_pages: let the part of a shared mapping show its file from page
 * pgoff on. */
int remapfilepages(struct uvm *, uint addr, uint len, int prot, uint pgoff,
	int flags);

/* shmdt: unmap the mappings of one file of the kind that has these operations,
 * which was mapped so that its first byte was at addr.  0, -EINVAL if there is
 * none, or -ENOMEM. */
int unmapfile(struct uvm *, uint addr, const struct fileops *);

/* mlock.c: likewise.  mlock's flags: MLOCK_ONFAULT; mlockall's: MCL_*, valid,
 * or 0 for munlockall.  uvmlimit() says how many bytes may be locked; the
 * running process may exceed that if it is root. */
int mlock(struct uvm *, uint addr, uint len, int flags);
int munlock(struct uvm *, uint addr, uint len);
int mlockall(struct uvm *, int flags);

/* vmtune.c: what /proc/sys/vm sets, in the units of its files.  Whole words,
 * which need no lock. */
extern struct vmtune {
	uint overcommit;  /* overcommit_memory: OVERCOMMIT_* */
	uint ratio;       /* overcommit_ratio, % of RAM that may be promised */
	uint kbytes;      /* overcommit_kbytes, KiB that may be promised; 0: the
	                   * ratio holds */
	uint maxmaps;     /* max_map_count, mappings of one address space */
	uint adminreserve, userreserve; /* {admin,user}_reserve_kbytes, KiB */
	uint dirtybackground; /* dirty_background_ratio, % of the memory that
	                   * files could have: if more is dirty, the flusher
	                   * starts to write at once */
	uint dirtyratio;  /* dirty_ratio, %: if more is dirty, writers wait */
	uint dirtyevery;  /* dirty_writeback_centisecs, 1/100 s: how often the
	                   * flusher looks */
	uint dirtyold;    /* dirty_expire_centisecs, 1/100 s: the flusher writes
	                   * what has been dirty for so long */
} vmtune;

/* /proc/meminfo's CommitLimit and Committed_AS, in pages. */
uint vmcommitlimit(void);
uint vmcommitted(void);

/* The page cache: the pages of a file, found by index.  A file keeps them in a
 * struct pcache, which its inode and the vmas that map it hold. */

#define PCIOMAX 32 /* pages that move in one piece: 128 KiB */

struct pcio { /* a run of pages [index, index + n) on its way */
	struct pcache *pc;
	uint index, n;
	int write;          /* to the disk; else from it */
	volatile int parts; /* for the host: requests it still waits for */
	volatile int err;   /* how it went, for pciodone(): 0 or -errno */
	void *priv;         /* for the host */
	uint pa[PCIOMAX];   /* the frames, all direct-mapped */
};

struct pcacheops { /* how a file reaches its disk.  The host is the inode or
                    * block device; a null pointer: nothing to do */
	/* Move the pages of the run.  A read fills every byte, with zeroes for
	 * holes and beyond the end.  Ends with one call of pciodone(), in any
	 * context, maybe before this returns; afterwards the host may be gone.
	 * May sleep.  Null: the file is only in memory, new pages are zero. */
	void (*io)(struct pcio *);
	/* Bytes [from, to) are about to be written: find room on the disk.  0,
	 * -ENOSPC, -EIO.  Bytes that are not written after all read as before.
	 * Called by write(), with the inode locked, and by faults, with a
	 * uvm->lock held; no page is busy for the caller. */
	int (*reserve)(struct pcache *, uint64_t from, uint64_t to);
	/* The file was clean and has a dirty page now; or pcachewriteback() has
	 * left some dirty.  No spinlock held. */
	void (*dirtied)(struct pcache *);
	/* The running process has made so many bytes dirty that were clean: for
	 * the account of what it writes.  No spinlock held. */
	void (*charge)(uint bytes);
	/* A write has failed.  Any context, pc->lock held. */
	void (*failed)(struct pcache *, int err);
	int buffers; /* its pages count as Buffers: a block device's own */
};

/* pcache.c */

/* An empty page cache of size 0 with one reference; 0: no memory. */
struct pcache *pcachenew(void *host, const struct pcacheops *);
struct pcache *pcacheref(struct pcache *); /* one more reference; any context */

/* Drop a reference.  The last one frees all pages, and may sleep until those on
 * their way have arrived; so no spinlock is held. */
void pcachefree(struct pcache *);

/* The host goes away, while others may still hold a reference: drop all pages,
 * dirty or not, after those on their way have arrived.  The host's operations
 * are not called any more.  May sleep. */
void pcachegone(struct pcache *);

void *pcachehost(struct pcache *); /* as given to pcachenew() */

/* The file's size in bytes lives here, so that faults see it.  Any context. */
uint64_t pcachesize(struct pcache *);

/* Change the size to so many bytes; called with the inode locked, may sleep.
 * If the file becomes shorter, pages beyond the end leave the cache, dirty or
 * not, and all mappings; those on their way to or from the disk are waited for.
 * If it becomes longer, the new bytes read as zeroes.  0, -EFBIG, or an error
 * of reading or writing the last page. */
int pcachetruncate(struct pcache *, uint64_t size);

/* read(2): copy min(u->n, size - off) bytes to u.  Holes of files that are only
 * in memory read as zeroes and allocate nothing.  Returns the number of bytes
 * moved, 0 at the end, or -errno if none was.  ra: the reader's guess for
 * read-ahead, or 0: none, and do not wait for memory.  May sleep. */
struct readahead;
int pcacheread(struct pcache *, struct uio *u, uint64_t off,
	struct readahead *);

/* write(2), with the inode locked: copy u->n bytes from u, extending the size
 * when past it.  Returns the number of bytes moved or, if none was, -ENOMEM
 * (the callers make it -ENOSPC where that is right), -EFAULT, -EIO, -ENOSPC.
 * May wait until less is dirty. */
int pcachewrite(struct pcache *, struct uio *u, uint64_t off);

/* How many vmas map the file. */
uint pcachemaps(struct pcache *);

/* Pages that are cached (st_blocks of files in memory), and how many of them
 * are dirty.  Read without a lock. */
uint pcachepages(struct pcache *);
uint pcachedirty(struct pcache *);

/* Make bytes [from, to) of a file that is only in memory read as zeroes, and
 * give whole pages among them back.  to is not beyond the last page.  May
 * sleep. */
void pcachepunch(struct pcache *, uint64_t from, uint64_t to);

/* Is the page at index cached, and not still being read? */
int pcachecached(struct pcache *, uint index);

/* Drop the clean pages wholly in bytes [from, to) that nobody uses.  Does not
 * wait for the others. */
void pcachedrop(struct pcache *, uint64_t from, uint64_t to);

/* First offset >= off that has data (hole = 0) or is in a hole (hole = 1), as
 * lseek SEEK_DATA and SEEK_HOLE, of a file that is only in memory; the size
 * counts as a hole.  -ENXIO if off is at or beyond the end, or no data
 * follows. */
int64_t pcacheseek(struct pcache *, uint64_t off, int hole);

/* readahead.c */

/* Start reading the pages of bytes [from, to) that are not cached, without
 * waiting until they have arrived.  May sleep. */
void pcacheahead(struct pcache *, uint64_t from, uint64_t to);

/* pcio.c: the host has moved the run, or io->err says why not.  Frees io.  Any
 * context that may take pc->lock (RANK_PCACHE). */
void pciodone(struct pcio *io);

/* writeback.c */

/* Start writing the dirty pages that overlap bytes [from, to), in order, as few
 * runs as possible.  wait: sleep until these pages and those already on their
 * way have arrived.  0, or the error of a write that failed since the call.  No
 * uvm->lock, no spinlock held. */
int pcachewriteback(struct pcache *, uint64_t from, uint64_t to, int wait);

/* Has a write failed since *seen was set?  0, or -EIO, -ENOSPC, -ENOMEM; *seen
 * is brought up to date.  A caller ignores what its first call returns. */
int pcacheerror(struct pcache *, uint *seen);

/* For the flusher: sleep until the deadline (ns of nowns()): 0; or until more
 * than vmtune.dirtybackground percent of memory are dirty: 1. */
int dirtysleep(int64_t deadline);

/* reclaim.c */

void reclaiminit(void); /* starts kswapd0; called by the first process */

/* A system call that has changed nothing yet found no memory.  1: try again,
 * some was freed; 0: memory is not scarce (so another limit was met), or
 * nothing could be freed.  May sleep; no lock held. */
int memwait(void);

/* Register a function of another cache whose contents can be read or made
 * again: fn frees about so many pages' worth of it, and returns how many.  It
 * may be called with any sleep lock held, so it only tries to take locks.  At
 * boot. */
void shrinkregister(uint (*fn)(uint pages));

/* For /proc/sys/vm/drop_caches.  Bits of what: 1, drop clean pages of files; 2,
 * what the functions of shrinkregister() can free. */
void dropcaches(int what);

/* vmstat.c */

/* How many pages are used for what; see proc.md.  shmem: of cached, those of
 * files that are only in memory. */
struct meminfo {
	uint total, free, cached, anon, slab, tables, stacks, shmem, kernel;
	uint image, pagearray; /* the kernel's image and the page array */
	uint modules;          /* boot modules not yet freed */
	uint buffers;          /* of cached: block devices' own */
	uint dirty, writeback; /* of cached: to be written; on their way */
	uint active, inactive; /* of cached: those that reclaim may free */
	uint available;        /* that programs could get */
};
void meminfo(struct meminfo *);

uint vmstat(int event); /* a counter of arch/cpu.h, all CPUs */
const char *vmstatname(int event);

/* Recount every reference from scratch; panics on a difference.  Writes a line
 * or two of totals to buf (n bytes), returns its length.  The world is frozen
 * (kern/freeze.h). */
int vmcheck(char *buf, int n);

struct zoneinfo { /* pages */
	uint present, free, min;
	uint blocks[NORDER]; /* free ones of 1 << n pages */
};

/* The i-th zone (0: direct-mapped frames, 1: the others), counted without a
 * lock: 1, or 0: there is none. */
int zoneinfo(int i, struct zoneinfo *);

#endif
