/*
 * vm.h - what the files of mm/ share and the rest of the kernel does not see.
 *
 * A comment "Called with u->lock held." has its lockassert() at the start of
 * the function (kern/lock/lock.h).  "Held" alone means for reading or for
 * writing.
 *
 * Locks, the outermost first.  A tag like [table] at a field of a structure
 * names the lock that its readers and writers hold:
 *   uvm->lock     sleep lock, for many readers or one writer; the vmas and the
 *                 page directory of one address space.  Faults hold it to read:
 *                 they fill slots, and hang a new table where there is none (by
 *                 cas).  All other changes hold it to write.
 *   pcache lock   spinlock; the pages of one file or memory object
 *   lrulock       spinlock; the lists of pages that reclaim may take
 *   uvmlistlock   spinlock; the list of all address spaces
 *   table lock    spinlock in the struct page of a page table; its slots
 *   slab, free-list locks: spinlocks; only maplock is below
 *   maplock       spinlock, a leaf; the list of the vmas that map an object
 */
#ifndef MM_VM_H
#define MM_VM_H

#include "arch/cpu.h"
#include "arch/x86.h"
#include "mm/mm.h"
#include "kern/lib/list.h"
#include "kern/lock/lock.h"
#include "kern/lock/rwlock.h"
#include "kern/panic.h"
#include "kern/lib/string.h"

/* page.c: one struct page for each frame of RAM */

/* The states of a frame:
 *
 *   at boot all frames are RESERVED
 *       |                    | claim() (kinit.c)
 *       | kfreerange()       +----> IMAGE   for ever
 *       |                    +----> MODULE  until its files are unpacked
 *       v                              |
 *     FREE <---------------------------+ kfreerange()
 *      | ^ ^ |
 *      | | | | allocpages(order, KMEM), freepages(): more than one frame
 *      | | | +----------> KMEM
 *      | | +------------- KMEM
 *      | | drain(): a batch of frames goes back
 *      v | refill(): a batch of frames for this CPU
 *     CPU
 *      | ^
 *      | | freepage(), when putpage() drops the last reference
 *      v | allocpage(state)
 *     KMEM SLAB STACK DIR TABLE ANON CACHED       ZERO: one frame, never freed
 *
 * A frame never goes from one state of the last line to another. */
enum pagestate { /* what the frame is used for; exactly one at a time */
	PG_RESERVED, /* not RAM, or firmware's */
	PG_IMAGE,    /* the kernel's image and the page array */
	PG_MODULE,   /* a boot module */
	PG_FREE,     /* in the buddy lists */
	PG_CPU,      /* free, on a CPU's own list */
	PG_KMEM,     /* kalloc's caller */
	PG_SLAB,     /* page->cache */
	PG_STACK,    /* a kernel stack */
	PG_DIR,      /* a page directory */
	PG_TABLE,    /* a page table */
	PG_ANON,     /* private memory of processes */
	PG_CACHED,   /* page->pcache, page->index */
	PG_ZERO,     /* the one page of zeroes */
	NPGSTATE
};

struct page {
	volatile int ref;     /* slots + cache + pins; 0: free */
	union {
		struct spinlock lock; /* of a table: guards its slots */
		volatile uint flags;  /* PG_CACHED: PGF_* [pcache lock] */
	};
	uint8_t state;        /* enum pagestate */
	uint8_t order;        /* block size, in the first page of a block */
	uint16_t inuse;       /* table: slots filled [table]; slab: objects */
	union {
		struct {
			struct page *next, *prev; /* free and slab lists */
		};
		struct {
			struct pcache *pcache; /* PG_CACHED: whose */
			uint index;            /* and which page of it */
		};
		struct {
			uint zeros; /* table: slots that show zeropage
			             * [table] */
			struct page *nexttable; /* on a list of dropped ones */
		};
	};
	union {
		struct {
			void *freeobjects;       /* slab: the first of them */
			struct slabcache *cache; /* slab: whose */
		};
		struct {
			uint low, high; /* table: filled slots are in
			                 * [low, high) [table] */
		};
		struct list lru; /* PG_CACHED with PGF_LRU [lrulock] */
	};
} __attribute__((aligned(32))); /* so that frame numbers are a shift away */
_Static_assert(sizeof(struct page) == 32, "one per frame");

enum { /* flags of a cached page */
	PGF_UPTODATE = 1,   /* its bytes are the file's; else the page is busy,
	                     * or no longer in the tree */
	PGF_BUSY = 2,       /* being read; pagewait() waits for the end */
	PGF_DIRTY = 4,      /* to be written */
	PGF_WRITEBACK = 8,  /* being written; perhaps dirty again */
	PGF_READAHEAD = 16, /* the first that uses it starts the next window */
	PGF_WAITED = 32,    /* somebody waits until it is not busy or written */
	PGF_REFERENCED = 64, /* used since reclaim looked at the page; the very
	                      * first use does not count */
	PGF_LRU = 128,      /* on a list of reclaim.c [and lrulock] */
	PGF_ACTIVE = 256,   /* on the list of those used twice [and lrulock] */
	PGF_TOUCHED = 512,  /* used once */
};

#define NOTHEAD 0xff /* order of a free page inside a block */

extern struct page *pages;   /* by frame number */
extern uint npages;          /* frames in the array */
extern struct page *zeropage; /* one page of zeroes, mapped read-only */

/* The physical address of a frame. */
static inline uint
pagepa(const struct page *pg)
{
	return (uint)(pg - pages) << PGSHIFT;
}

/* The frame of a physical address, which is below npages << PGSHIFT. */
static inline struct page *
papage(uint pa)
{
	return &pages[pa >> PGSHIFT];
}

/* The frame of a direct-mapped kernel address. */
static inline struct page *
kvapage(const void *kva)
{
	return papage(V2P(kva));
}

/* The kernel address of a frame that is direct-mapped: below DIRECTMAX. */
static inline void *
pagekva(const struct page *pg)
{
	return P2V(pagepa(pg));
}

/* The frame that a filled slot or a directory entry names. */
static inline struct page *
ptepage(pte_t pte)
{
	return papage(PTE_ADDR(pte));
}

/* One more reference to a page that has one: the page. */
static inline struct page *
getpage(struct page *pg)
{
	atomicinc(&pg->ref);
	return pg;
}

/* Drop a reference to a page; the last one frees the frame.  Any context where
 * allocpage() may be called; no TLB has the page when the last one goes. */
void putpage(struct page *);

/* kvm.c: tempmap() and tempunmap() of a frame that is not direct-mapped. */
void *kvmtemp(uint pa, int slot);
void kvmuntemp(void *);

/* A kernel address for any frame, for a few instructions.  A frame that is not
 * direct-mapped gets slot 0 or 1 of this CPU's temporary mappings, with
 * interrupts off until tempunmap(); so the caller does not sleep in between. */
static inline void *
tempmap(struct page *pg, int slot)
{
	uint pa = pagepa(pg);

	return pa < DIRECTMAX ? P2V(pa) : kvmtemp(pa, slot);
}

/* The caller has done with an address of tempmap(). */
static inline void
tempunmap(void *kva)
{
	if ((uint)kva >= VMAPBASE)
		kvmuntemp(kva);
}

/* A page of zeroes for a process (PG_ANON) with one reference; 0: no memory. */
struct page *allocanon(void);

/* A page for a process with the contents of the given one; 0: no memory.  Drops
 * the caller's reference to the given page in either case. */
struct page *copypage(struct page *);

/* kinit.c */

/* One zeroed page of kernel memory before kinit2() has made the page array:
 * what kalloc() returns then.  Panics if there is none. */
void *earlypage(void);

/* The frames of physical addresses [start, end) are in use from boot on, in
 * that state (PG_*), with one reference each. */
void claim(uint start, uint end, int state);

/* kalloc.c */
void kallocinit(void);
void kallocreserve(void);
void addfree(uint start, uint end);

/* A frame in the given state (PG_*) with one reference and undefined contents;
 * 0: no memory.  PG_ANON may lie above DIRECTMAX, all others are direct-mapped.
 * Memory of users (PG_ANON, PG_CACHED) leaves a reserve for the kernel.  Never
 * sleeps.  Any context; with interrupts on, no lock that reclaim() takes is
 * held (pcache locks, lrulock). */
struct page *allocpage(int state);

/* Give back a frame that has no reference left; putpage() calls it. */
void freepage(struct page *);

/* Frames that should be freed soon; 0: memory is not scarce. */
uint scarce(void);

/* Is so little left, even after some was freed, that no new thread should
 * begin? It would want memory that users may have.  No spinlock held. */
int toofew(void);

/* n more frames (n < 0: fewer) are in the state.  Interrupts are off, or it is
 * boot. */
void countpages(int state, int n);

/* Frames in the state, over all CPUs.  Exact only while nothing else runs. */
uint pagecount(int state);

/* vmcheck: panic if the lists of free blocks are wrong; returns how many frames
 * are in them. */
uint freecheck(void);

/* slab.c: vmcheck: panic if a cache is wrong; returns how many pages all caches
 * hold. */
uint slabcheck(void);

/* kvm.c */
extern pde_t *kpgdir;    /* the kernel's half, and nothing below it */
extern uint kpteglobal;  /* PTE_G where the CPU has it, else 0 */

/* Unlike xv6's setupkvm(), which maps kmap[] anew, this copies kpgdir's
 * entries: so all address spaces share the kernel's tables, and a new one costs
 * one page.  Returns a page directory that is empty below KERNBASE; 0: no
 * memory. */
pde_t *setupkvm(void);

/* Boot: the page array exists now; note in it which frames hold the kernel's
 * page directory and tables. */
void kvmtables(void);

/* vma.c: the mappings of an address space, without page tables */

enum { /* vma flags */
	VM_SHARED = 1,    /* all that map the object see what is written */
	VM_GROWSDOWN = 2, /* a stack: a fault below it extends it */
	VM_HEAP = 4,      /* made by brk */
	VM_STACK = 8,     /* the stack that exec made */
	VM_MAYWRITE = 16, /* a shared file that was opened for writing */
	VM_LOCKED = 32,   /* its pages count for RLIMIT_MEMLOCK */
	VM_LOCKONFAULT = 64, /* with VM_LOCKED: faults bring it in, not mlock */
	VM_ACCOUNT = 128, /* its pages are promised: they count as committed */
	VM_NORESERVE = 256, /* its pages shall never be promised */
	VM_DONTFORK = 512, /* a child does not get it */
	VM_WIPEONFORK = 1024, /* a child gets it empty */
	VM_DONTDUMP = 2048, /* core dumps leave it out */
	VM_RANDREAD = 4096, /* no read-ahead */
	VM_SEQREAD = 8192, /* MADV_SEQUENTIAL, only noted */
};

struct vma { /* [uvm->lock] */
	uint start, end;     /* addresses [start, end), page aligned */
	uint16_t flags;      /* VM_* */
	uint8_t prot;        /* PROT_* */
	struct pcache *obj;  /* the pages behind it, referenced; 0: private
	                      * memory that starts as zeroes */
	struct file *file;   /* the open file it was mapped from, referenced, or
	                      * 0 */
	uint pgoff;          /* page of obj that is at start */
	struct vma *next;    /* while on a list of dropped ones */
	struct uvm *uvm;     /* its owner, while on obj's list [maplock] */
	struct list maplink; /* on obj's list [maplock] */
};

struct drop { /* what dropall() gives back when u->lock has been released */
	struct vma *vmas;    /* linked by next; in no address space any more */
	struct page *tables; /* linked by nexttable; nobody hangs them, and no
	                      * TLB knows their pages */
};

#define MAXINDEX    (1u << 24) /* pages an object may have: 64 GiB */
#define MAXBYTES    ((uint64_t)MAXINDEX << PGSHIFT)
#define STACKGAP    (256 * PGSIZE) /* bytes kept free below a stack */
#define MANYVMAS    64 /* with more, vmagap() starts at the last gap */
#define MMAPMIN     0x10000 /* mmap chooses no address below */

struct uvm {
	pde_t *pgdir;          /* its page directory; entries: [lock] */
	volatile int ref;      /* processes and others that hold it */
	volatile uint cpus;    /* bit per CPU that has it loaded */
	struct rwlock lock;    /* faults read, changes write */
	struct vma **vmas;     /* sorted by address [lock] */
	int nvma, maxvma;      /* used and allocated slots of vmas [lock] */
	volatile int hint;     /* what vmafind found last; readers race here */
	uint size, peaksize;   /* pages mapped, now and at most [lock] */
	uint locked;           /* pages of VM_LOCKED mappings [lock] */
	uint committed;        /* pages of VM_ACCOUNT mappings [lock] */
	uint lockmode;         /* mlockall: VM_LOCKED, VM_LOCKONFAULT for what
	                        * will be mapped [lock] */
	uint peakrss;          /* most pages present, see notepeak() [lock] */
	uint startbrk, brk;    /* heap: first address, end [lock] */
	uint limit[NUVMLIMIT]; /* bytes, ~0u: none [lock to change] */
	uint gaptop, gaplen;   /* vmagap: between gaptop and gapall no gaplen
	                        * bytes are free, if gapall is not 0 [lock] */
	uint gapall;
	struct uvmargs args;   /* exec's, for /proc */
	struct list link;      /* all address spaces [uvmlist lock] */
	volatile int pins;     /* walkers of objmap.c that look at it */
	uint walk;             /* the last that did [lock] */
};

extern volatile int committed; /* pages promised to all (vmtune.c) */

/* n pages of v's kind are mapped now, or with n < 0 no longer (V4).  Called
 * with u->lock held to write. */
static inline void
vmaaccount(struct uvm *u, const struct vma *v, int n)
{
	lockassert(holdingwrite(&u->lock));
	u->size += n;
	u->peaksize = MAX(u->peaksize, u->size);
	if (v->flags & VM_LOCKED)
		u->locked += n;
	if (v->flags & VM_ACCOUNT) {
		u->committed += n;
		atomicadd(&committed, n);
	}
}

void vmainit(void); /* at boot */

/* Called with u->lock held: the index of the first vma with end > va (u->nvma
 * if there is none); and the vma that covers va, or 0. */
int vmaindex(struct uvm *, uint va);
struct vma *vmafind(struct uvm *, uint va);

/* The vma where vmafind() looked last, if it covers va; else 0.  Called with
 * u->lock held. */
static inline struct vma *
vmahint(struct uvm *u, uint va)
{
	int i = u->hint;
	struct vma *v = i < u->nvma ? u->vmas[i] : 0;

	return v && va >= v->start && va < v->end ? v : 0;
}

/* Which page of v's object is at va, an address of v or its end. */
static inline uint
objindex(const struct vma *v, uint va)
{
	return v->pgoff + ((va - v->start) >> PGSHIFT);
}

/* Which byte of v's object is at va. */
static inline uint64_t
objoffset(const struct vma *v, uint va)
{
	return ((uint64_t)v->pgoff << PGSHIFT) + (va - v->start);
}

/* How many pages v has. */
static inline uint
vmapages(const struct vma *v)
{
	return (v->end - v->start) >> PGSHIFT;
}

/* Are len bytes from addr on, which a program named, all below USERTOP? */
static inline int
inuser(uint addr, uint len)
{
	return addr <= USERTOP && len <= USERTOP - addr;
}

/* A vma in no address space, with no object; 0: no memory. */
struct vma *vmanew(uint start, uint end, int prot, int flags);

/* A copy in no address space, with references of its own; 0: no memory. */
struct vma *vmaclone(const struct vma *);

/* Free a list, linked by next, of vmas that are in no address space, and drop
 * their references.  Closing a file may sleep and take an inode's lock, so
 * u->lock is not held if one may be closed here. */
void vmadrop(struct vma *);

/* Does any vma have a page in [start, end)?  Called with u->lock held, or with
 * the world frozen. */
int vmaoverlap(struct uvm *, uint start, uint end);

/* Called with u->lock held: the highest free range of len bytes where mmap may
 * choose, as its address; 0: there is none. */
uint vmagap(struct uvm *, uint len);

/* May a stack grow down to va?  It may if the next vma above is a stack, the
 * limits allow it, and STACKGAP below stays free: 0 with that vma, unchanged,
 * in *v; else -EFAULT.  Called with u->lock held. */
int vmamaygrow(struct uvm *, uint va, struct vma **v);

/* The rest is called with u->lock held to write. */

/* Make room in u->vmas, so that n inserts cannot fail: 0 or -ENOMEM. */
int vmaroom(struct uvm *, int n);

/* Add a vma, which vmaroom() has made room for and which overlaps none.  It may
 * become part of a neighbour (V2): look it up again. */
void vmainsert(struct uvm *, struct vma *);

/* Cut the vma that crosses va in two there; or so that none crosses start or
 * end: 0, or -ENOMEM with nothing changed. */
int vmasplit(struct uvm *, uint va);
int vmacut(struct uvm *, uint start, uint end);

/* Clear and then set flags of [start, end), which is part of v: 0, or -ENOMEM
 * with nothing changed.  The caller calls vmamerge() when it is done. */
int vmasetflags(struct uvm *, struct vma *v, uint start, uint end, uint clear,
	uint set);

/* Join the neighbours that could be one vma, from just below start to just
 * above end (V2). */
void vmamerge(struct uvm *, uint start, uint end);

/* The vma of which [start, end) is the beginning or the end, but not all of it,
 * or 0; and take that part off it. */
struct vma *vmaedge(struct uvm *, uint start, uint end);
void vmatrim(struct uvm *, struct vma *, uint start, uint end);

/* Take the vmas of [start, end) out, which vmacut() has been called for: a list
 * for vmadrop(). */
struct vma *vmaremove(struct uvm *, uint start, uint end);

/* Let the vma that vmamaygrow() found begin at start.  Returns it, or the one
 * that it has become part of when it met one like it (V2). */
struct vma *vmastretch(struct uvm *, struct vma *, uint start);

/* fork: give to, which is empty, from's vmas: 0, or -ENOMEM with some of them
 * in it.  Called with both locks held to write. */
int vmacopy(struct uvm *to, struct uvm *from);

/* pgtab.c: page tables of users */

/* A bit for software, set with PTE_P off: the slot keeps its page, but no CPU
 * translates through it.  It has two uses: the mapping allows no access
 * (PROT_NONE); or a fault is exchanging the page, with the table locked, and
 * waits until all TLBs have forgotten it (installpage() in fault.c). */
#define PTE_HELD 0x200

/* Does the slot have a page, which it then holds a reference to? */
static inline int
ptefilled(pte_t pte)
{
	return pte & (PTE_P | PTE_HELD);
}

/* The slot that translates va in a user's directory, or 0: no table. */
static inline pte_t *
findslot(pde_t *pgdir, uint va)
{
	pde_t pde = pgdir[PDX(va)];

	return pde & PTE_P ? (pte_t *)P2V(PTE_ADDR(pde)) + PTX(va) : 0;
}

/* Put new into a slot of a user's table and keep the table's counts.  Returns
 * the page that the slot held, with its reference, or 0.  Called with the
 * table's lock held. */
static inline struct page *
setslot(pte_t *slot, pte_t new)
{
	struct page *table = kvapage(slot), *old = 0;

	lockassert(holding(&table->lock));
	if (ptefilled(*slot)) {
		old = ptepage(*slot);
		table->inuse--;
		table->zeros -= old == zeropage;
	}
	if (ptefilled(new)) {
		uint i = (uint)slot % PGSIZE / sizeof(pte_t);

		table->inuse++;
		table->zeros += ptepage(new) == zeropage;
		table->low = MIN(table->low, i);
		table->high = MAX(table->high, i + 1);
	}
	*slot = new;
	return old;
}

/* The table that holds a slot. */
static inline struct page *
tablepage(const pte_t *slot)
{
	return kvapage(slot);
}

pte_t *walkpgdir(pde_t *pgdir, uint va, int alloc); /* slot; 0: no table, or
                                              * no memory for one */
int mappages(pde_t *pgdir, uint va, uint64_t size, uint pa, uint perm);

/* Called with u->lock held: the page in the slot of va, referenced, or 0; how
 * many pages are present, the zero page not counted; the address of the first
 * page in [start, end) that is present (with anon set: and is private memory's
 * own), or end. */
struct page *slotpage(struct uvm *, uint va);
uint uvmrss(struct uvm *);
uint nextpage(struct uvm *, uint start, uint end, int anon);

/* The rest is called with u->lock held to write, but for what says
 * otherwise. */

/* Make the table under va u's alone, which it hangs read-only: the last that
 * hangs the table takes it back, others get a copy.  0 or -ENOMEM. */
int unsharetable(struct uvm *, uint va);

/* Make the table under va, if there is one, u's alone, before it is written
 * through or a vma over it changes (F1, T2): 0 or -ENOMEM. */
static inline int
owntable(struct uvm *u, uint va)
{
	return (u->pgdir[PDX(va)] & (PTE_P | PTE_W)) == PTE_P
		       ? unsharetable(u, va) : 0;
}

/* Own every table under [start, end), whose vmas are going to change: 0, or
 * -ENOMEM with nothing changed that a program could see.  ownedges: before
 * unmappages(), only the tables that serve u outside the range too. */
int owntables(struct uvm *, uint start, uint end);
int ownedges(struct uvm *, uint start, uint end);

/* fork: hang all of from's tables into to as well, without PTE_W in either
 * directory.  Called with both locks held to write.  The caller flushes from's
 * TLB entries. */
void sharetables(struct uvm *to, struct uvm *from);

/* Empty the slots of [start, end), after ownedges() and before the vmas go,
 * flush, and drop the pages.  A table that serves nothing of u's outside the
 * range goes whole; one that nobody else hangs is put on the list *tables for
 * putpgtabs(). With tables 0 tables that u owns stay (mremap has filled them
 * for a vma to come). */
void unmappages(struct uvm *, uint start, uint end, struct page **tables);

/* Free a list of tables and drop the pages in them.  Needs no lock. */
void putpgtabs(struct page *);

/* Let go of each table under [start, end) that has no vma over it any more. */
void trimtables(struct uvm *, uint start, uint end);

/* The vmas over [start, end), whose tables are owned, have got the protection
 * prot: take away from their slots what it no longer allows, and flush.  What
 * it allows anew, faults give. */
void protpages(struct uvm *, uint start, uint end, int prot);

/* Empty the slots of [start, end), in tables that others hang too, since the
 * file behind them has ended or gives up these pages; flush, and drop the
 * pages. */
void clearpages(struct uvm *, uint start, uint end);

/* mremap: move what is in the slots of n bytes from from on to to, where
 * nothing is mapped, and flush.  The tables of from are owned.  0, or -ENOMEM
 * with nothing moved. */
int movepages(struct uvm *, uint from, uint to, uint n);

/* Note in u->peakrss how many pages are present, before they become fewer. */
void notepeak(struct uvm *);

/* Let go of all tables, after the last reference to u has gone: no CPU has u
 * loaded, and nobody takes its lock. */
void freetables(struct uvm *);

/* uvm.c */
extern struct spinlock uvmlistlock;
extern struct list uvmlist;

/* fault.c: resolve one fault; access may have FORCE.  Returns like fault(), but
 * does not wait for memory.  Called with u->lock held to write. */
int faultlocked(struct uvm *, uint va, uint access);
#define FORCE 0x200 /* with PROT_WRITE: write to private memory even if its
                     * mapping does not allow that, as uvmpoke() does */

/* tlb.c: forget translations, on every CPU that may hold them.  The slots have
 * changed before.  These return when no CPU can use the old translations any
 * more.  The caller holds u->lock (for reading if it also holds the table's
 * lock), or nobody else uses u: the last reference is gone, or fork is still
 * making u and no CPU has loaded it.  Any context; they wait for other CPUs,
 * which answer while they wait for a spinlock. */

void tlbshoot(struct uvm *, uint va); /* of the page at va in that one */
void tlbshootmany(struct uvm *, const uint va[], int n); /* of n addresses */
void tlbshootall(struct uvm *);       /* of all its user addresses */
void tlbshootevery(void);      /* of all user addresses of all address spaces:
                                * for a table that several of them hang */
void tlbshootkernel(uint va);  /* of a kernel address; no lock needed */

/* tlbcheck.c: debug builds with "tlbcheck" on the command line.  A slot is
 * about to lose what it allows (access: PROT_READ, everything; PROT_WRITE,
 * writing): tlbarm(), change the slot of va, flush, tlbverify().  Arming lets
 * the CPUs cache the translation, verifying panics if one can still use it.
 * The two with a table do so for all that this table, hung under va,
 * translates.  Called with u->lock held to write, or to read with the table
 * locked. */
#ifdef QUIRE_DEBUG
void tlbarm(struct uvm *, uint va, uint access);
void tlbverify(struct uvm *, uint va, uint access);
void tlbarmtable(struct uvm *, uint va, struct page *table, uint access);
void tlbverifytable(struct uvm *, uint va, struct page *table, uint access);
#else
#define tlbarm(u, va, access)                   ((void)0)
#define tlbverify(u, va, access)                ((void)0)
#define tlbarmtable(u, va, table, access)       ((void)0)
#define tlbverifytable(u, va, table, access)    ((void)0)
#endif

/* mmap.c */

/* May so many bytes more be mapped with this protection and these VM_ flags?
 * 0, -ENOMEM, or -EAGAIN: no more may be locked.  Called with u->lock held to
 * write. */
int vmalimit(struct uvm *, uint bytes, uint prot, uint flags);

/* Unmap [start, end), which is page aligned.  What was there is added to *drop,
 * for dropall().  0, or -ENOMEM with nothing changed.  Called with u->lock held
 * to write. */
int munmaplocked(struct uvm *, uint start, uint end, struct drop *);

/* Give back what munmaplocked() has taken out.  May sleep; called without
 * u->lock if that may close a file. */
void dropall(struct drop *);

/* Put the list more, linked by next, in front of *list. */
void vmachain(struct vma **list, struct vma *more);

/* vmtune.c */

/* May so many pages more be promised, where the sum of all promises is limited?
 * 0 or -ENOMEM.  Called with u->lock held. */
int commitstrict(struct uvm *, uint pages);

/* May n pages more be promised to u?  0 or -ENOMEM, as vmtune.overcommit has
 * it.  Called with u->lock held. */
static inline int
commitlimit(struct uvm *u, uint n)
{
	if (vmtune.overcommit == OVERCOMMIT_NEVER)
		return commitstrict(u, n);
	return vmtune.overcommit == OVERCOMMIT_GUESS && n > npages ? -ENOMEM
								   : 0;
}

/* mlock.c */

/* How many pages of u may be locked for the running process; ~0u: any
 * number. */
uint lockmax(struct uvm *);

/* May so many bytes more be locked?  0 or -EAGAIN.  Called with u->lock
 * held. */
int locklimit(struct uvm *, uint bytes);

/* Fault in what is mapped of [start, end), page aligned, but for mappings with
 * VM_LOCKONFAULT.  Private memory that may be written gets its copies now.  0
 * or the first error of fault()'s.  Called with no lock held; may sleep. */
int populate(struct uvm *, uint start, uint end);

/* pcache.c: a drawing of what follows is at its top. */
enum { TREE_DIRTY, TREE_WRITEBACK, NTREETAG, TREE_ANY = NTREETAG };

struct pcache {
	volatile int ref;      /* inode or vmas */
	struct spinlock lock;
	void *root;            /* tree of struct pcnode, leaves struct page */
	int height;            /* levels of the tree [lock] */
	uint npages;           /* [lock] */
	uint ndirty;           /* of them, PGF_DIRTY [lock] */
	uint nwriteback;       /* PGF_WRITEBACK [lock] */
	volatile uint sizeseq; /* odd: size is changing [lock to change] */
	volatile uint64_t size; /* bytes; read by pcachesize() [lock to
	                         * change] */
	uint nerr;             /* writes that failed [lock] */
	int err;               /* the last one's error [lock] */
	void *host;            /* its inode, 0 for shared memory */
	const struct pcacheops *ops;
	struct list link;      /* all of them [pclistlock] */
	struct spinlock maplock;
	struct list maps;      /* struct vma that show it [maplock] */
};
extern struct list pclist;
extern struct spinlock pclistlock;

/* Has the file a disk, so that its pages may come and go? */
static inline int
backed(const struct pcache *pc)
{
	return pc->ops && pc->ops->io;
}

void pcacheinit(void);

/* *pgp becomes the page at index, referenced and whole; it is made or read if
 * it is not cached, and its neighbours are read along as ra says (0: none).  0,
 * or 1 if that waited for I/O; -EIO (beyond the end, or the read failed),
 * -ENOMEM.  May sleep: called with no spinlock held; uvm->lock may be held to
 * read. */
int pcacheget(struct pcache *, uint index, struct readahead *, struct page **);

/* Before a shared mapping may write to the page at index, which pcacheget()
 * gave: find room for it on the disk and make it dirty.  0, -ENOSPC, -EIO
 * (also: the page was cut off).  May sleep: called with no spinlock held, with
 * u->lock of the address space held, so that objclean() waits until the slot is
 * filled. */
int pcachemkwrite(struct pcache *, uint index, struct page *);

/* out[i] becomes the page at index + i, referenced, for i < n, if it is cached,
 * whole and before the end of the file; else 0.  It is also 0 for a page marked
 * PGF_READAHEAD: the one that uses it first must call pcacheget(), which starts
 * the next window.  No I/O; any context. */
void pcachenear(struct pcache *, uint index, uint n, struct page *out[]);

/* Set the size in bytes, for readers without a lock.  Called with pc->lock
 * held. */
void setsize(struct pcache *, uint64_t size);

/* The cached page at index, referenced, perhaps still being read; or 0.  Notes
 * for reclaim that it is used.  Takes pc->lock. */
struct page *pagefind(struct pcache *, uint index);

/* Put a page in the tree, which takes over the caller's reference, and make the
 * file reach to end (bytes) at least.  0; or with nothing changed -EEXIST (a
 * page is there), -EIO (the page is beyond the end), -ENOMEM.  Takes
 * pc->lock. */
int pageinsert(struct pcache *, uint index, struct page *, uint64_t end);

/* Take a page out of the tree and off reclaim's lists.  The tree's reference is
 * the caller's afterwards.  Called with pc->lock held. */
void pageremove(struct pcache *, struct page *);

/* *pgp becomes the page at index of a backed file, referenced and whole.  If it
 * is not cached it is read, with neighbours as ra says.  want: how many pages
 * from here on the read() is about to copy; 0: a fault asks.  0, or 1 if that
 * waited; -EIO (the page cannot be read, or the file has ended), -ENOMEM.  May
 * sleep. */
int pagebring(struct pcache *, uint index, struct readahead *, uint want,
	struct page **);

/* The file is about to grow to end (bytes): whatever its last page has behind
 * the present end, in memory or on the disk, becomes zeroes.  0 or -errno.
 * Called with the inode locked; may sleep. */
int zerotail(struct pcache *, uint64_t end);

/* pccut.c: drop the cached pages from index from on; those on their way are
 * waited for.  May sleep. */
void cutfrom(struct pcache *, uint from);

/* pctree.c.  All but treeinit() and pcacheeach() are called with pc->lock
 * held. */
void treeinit(void);
struct page *treeget(struct pcache *, uint index); /* the page there, or 0 */
int treeput(struct pcache *, uint index, struct page *); /* takes over the
                              * caller's reference: 0, -EEXIST, -ENOMEM */
void treecut(struct pcache *, uint index); /* take out the page, which is there;
                              * its reference is the caller's */
void treetag(struct pcache *, uint index, int tag, int on); /* give the page,
                              * which is there, the tag TREE_*, or take that */
struct page *treenext(struct pcache *, uint from, int tag); /* the first page at
                              * index from or behind that has the tag; or 0 */

/* Call fn(page, arg) for each cached page until it returns non-zero: that
 * value, or 0.  Holds pc->lock meanwhile. */
int pcacheeach(struct pcache *, int (*fn)(struct page *, void *), void *);

/* pcio.c */
void pcioinit(void);

/* An empty run of pages from index on, to be written, or read if write is 0.
 * 0: no memory, which does not happen for a write: that may sleep instead. */
struct pcio *pcioalloc(struct pcache *, uint index, int write);
void pciofree(struct pcio *);

/* Sleep until the page, which the caller holds a reference to, has none of the
 * flags (of PGF_BUSY and PGF_WRITEBACK).  No spinlock held. */
void pagewait(struct pcache *, struct page *, uint flags);

/* Sleep until the page may have lost PGF_BUSY or PGF_WRITEBACK, or something
 * else has happened.  Called with pc->lock held, which is let go meanwhile:
 * afterwards the caller must find the page again, it may be gone. */
void pagesleep(struct pcache *, struct page *);

/* readahead.c */
#define NEAR 16 /* pages: one read fault maps no more, and reads no more of a
                 * program */

/* The page at index of a backed file is not cached: start reading it, with
 * neighbours as ra says (0: none).  want: how many pages from here on a read()
 * is about to copy; 0: a fault asks.  0: *pgp is the page, busy and referenced;
 * -EEXIST: it is cached now; -EIO: the file ends before it; -ENOMEM.  May
 * sleep, no spinlock held. */
int readmissing(struct pcache *, uint index, struct readahead *, uint want,
	struct page **);

/* A page marked PGF_READAHEAD is being used, the caller has a reference to it:
 * take the mark away and start to read the next window.  May sleep. */
void readnext(struct pcache *, struct page *, struct readahead *);
struct readahead *vmaahead(struct vma *);
void aheadmapped(struct file *, int prot);

/* writeback.c */
extern volatile uint ndirty, nwriteback; /* pages, of all files */
void writebackinit(void);

/* A page of a backed file has become dirty (1: it is the only dirty one of its
 * file; else 0), is clean, is no longer being written.  They set flags, tags
 * and counts, nothing more.  Called with pc->lock held. */
int pagedirty(struct pcache *, struct page *);
void pageclean(struct pcache *, struct page *);
void pagewritten(struct pcache *, struct page *);

/* Some pages have been written: wake the processes that dirtythrottle() holds
 * up.  Any context. */
void dirtywake(void);

/* The caller is about to write to a backed file; or with 0 it has written to
 * one that it maps.  If much is dirty, wake the flusher; if too much is, start
 * to write pages of pc and sleep until less is dirty or on its way.  No
 * uvm->lock, no spinlock held. */
void dirtythrottle(struct pcache *);

/* reclaim.c */
extern struct lrustat { /* pages on the lists; buffers: of them, those of block
                         * devices [lrulock] */
	uint active, inactive, buffers;
} lrustat;
void lruinit(void);

/* The page has come into the tree of a backed file, or leaves a tree (nothing
 * happens if it is on no list).  Called with pc->lock held. */
void lruadd(struct page *);
void lrudel(struct page *);
void lrucheck(void); /* vmcheck: do the counts agree with the lists?  The world
                      * is frozen */

/* Free up to n frames of what nobody uses, without sleeping: how many that
 * were.  Called with no spinlock held, interrupts on. */
uint reclaim(uint n);

/* Little memory is free: wake the thread that frees some.  No spinlock held. */
void reclaimkick(void);

/* An allocation failed: free something, even if it was used lately, and unmap,
 * write or wait for pages if that is needed.  1, or 0: nothing is left to free
 * but what is pinned.  May sleep; no uvm->lock, no spinlock held. */
int reclaimwait(void);

/* objmap.c: which vmas map an object.  v->obj is not 0. */
void objmapinit(void);
void objlink(struct vma *, struct uvm *); /* v has come into u's array: put it
                                           * on its object's list */
void objunlink(struct vma *);    /* v leaves the array, and the list if it is on
                                  * one */
void objlinkall(struct uvm *);   /* all vmas of u that have an object */
void objunlinkall(struct uvm *); /* take these off their lists; then sleep until
                                  * no walker looks at u.  Nobody else uses u */
void objcheck(struct pcache *, uint *n); /* vmcheck: verify the list, and add to
                                          * *n how many vmas are on it */

/* Afterwards no slot in any address space shows a page of pc at or beyond index
 * from, nor a private copy of one, and no TLB has one.  The size was lowered
 * before.  May sleep; no uvm->lock held. */
void objunmap(struct pcache *, uint from);

/* Write-protect every slot of shared mappings that shows one of the pages
 * [from, to), so that the next store faults.  May sleep; no uvm->lock held. */
void objclean(struct pcache *, uint from, uint to);

/* Empty the slots that show pages [from, to), except in mappings that are
 * locked (VM_LOCKED); private copies stay.  May sleep; no uvm->lock held. */
void objevict(struct pcache *, uint from, uint to);

/* Afterwards no slot shows one of the pages [from, to) that were in the cache,
 * not even in mappings that are locked; private copies stay.  The pages have
 * left the cache before.  May sleep; no uvm->lock held. */
void objpunch(struct pcache *, uint from, uint to);

/* shm.c */

/* Memory without a name, of so many pages, none of them allocated; 0: no
 * memory. */
struct pcache *shmnew(uint pages);

/* See to it that pc, if it is memory without a name, has at least so many
 * pages; nothing, if it is a file.  Takes pc->lock. */
void shmgrow(struct pcache *, uint pages);

#endif
