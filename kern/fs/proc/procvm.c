/* procvm.c - /proc: the files about the machine's memory. */
#include "kern/fs/proc/procfs.h"
#include "arch/cpu.h"
#include "mm/mm.h"
#include "kern/abi/errno.h"
#include "kern/blk/blk.h"
#include "kern/freeze.h"

/* KiB of so many pages. */
static uint
kb(uint pages)
{
	return pages * (PGSIZE / 1024);
}

/* A line of /proc/meminfo. */
static void
putkb(struct text *t, const char *name, uint pages)
{
	putf(t, "%-15s %8u kB\n", name, kb(pages));
}

int
showmeminfo(struct text *t, int pid)
{
	struct meminfo m;

	(void)pid;
	meminfo(&m);
	putkb(t, "MemTotal:", m.total);
	putkb(t, "MemFree:", m.free);
	putkb(t, "MemAvailable:", m.available);
	putkb(t, "Buffers:", m.buffers);
	putkb(t, "Cached:", m.cached - MIN(m.buffers, m.cached));
	putkb(t, "SwapCached:", 0);
	putkb(t, "Active:", m.active + m.anon + m.shmem);
	putkb(t, "Inactive:", m.inactive);
	putkb(t, "Active(anon):", m.anon + m.shmem);
	putkb(t, "Inactive(anon):", 0);
	putkb(t, "Active(file):", m.active);
	putkb(t, "Inactive(file):", m.inactive);
	putkb(t, "SwapTotal:", 0);
	putkb(t, "SwapFree:", 0);
	putkb(t, "Dirty:", m.dirty);
	putkb(t, "Writeback:", m.writeback);
	putkb(t, "AnonPages:", m.anon);
	putkb(t, "Mapped:", mappedpages());
	putkb(t, "Shmem:", m.shmem);
	putkb(t, "KReclaimable:", 0);
	putkb(t, "Slab:", m.slab);
	putkb(t, "SReclaimable:", 0);
	putkb(t, "SUnreclaim:", m.slab);
	putkb(t, "CommitLimit:", vmcommitlimit());
	putkb(t, "Committed_AS:", vmcommitted());
	putkb(t, "KernelStack:", m.stacks);
	putkb(t, "PageTables:", m.tables);
	putkb(t, "Kernel:", m.kernel);
	putkb(t, "KernelImage:", m.image);
	putkb(t, "PageArray:", m.pagearray);
	putkb(t, "BootModules:", m.modules);
	return 0;
}

/* Add the sectors that a disk has read and written. */
static int
addsectors(struct blkdev *dev, void *arg)
{
	uint64_t *sectors = arg;
	struct blkstats st;

	if (dev->parent)
		return 0;
	blkstats(dev, &st);
	for (int op = BIO_READ; op <= BIO_WRITE; op++)
		sectors[op] += st.sectors[op];
	return 0;
}

/* Linux's names where programs look for them, then ours as they are. */
int
showvmstat(struct text *t, int pid)
{
	uint64_t sectors[3] = {0};
	struct meminfo m;

	(void)pid;
	meminfo(&m);
	putf(t, "nr_free_pages %u\n", m.free);
	putf(t, "nr_anon_pages %u\n", m.anon);
	putf(t, "nr_mapped %u\n", mappedpages());
	putf(t, "nr_file_pages %u\n", m.cached);
	putf(t, "nr_inactive_anon 0\nnr_active_anon %u\n", m.anon + m.shmem);
	putf(t, "nr_inactive_file %u\nnr_active_file %u\n", m.inactive,
		m.active);
	putf(t, "nr_dirty %u\nnr_writeback %u\n", m.dirty, m.writeback);
	putf(t, "nr_shmem %u\n", m.shmem);
	putf(t, "nr_page_table_pages %u\n", m.tables);
	putf(t, "nr_kernel_stack %u\n", kb(m.stacks));
	putf(t, "nr_slab_reclaimable 0\nnr_slab_unreclaimable %u\n", m.slab);
	blkeach(addsectors, sectors);
	putf(t, "pgpgin %llu\npgpgout %llu\n",
		(unsigned long long)sectors[BIO_READ] / 2,
		(unsigned long long)sectors[BIO_WRITE] / 2);
	putf(t, "pswpin 0\npswpout 0\n");
	putf(t, "pgfault %u\n", vmstat(VM_MINFLT) + vmstat(VM_MAJFLT));
	putf(t, "pgmajfault %u\n", vmstat(VM_MAJFLT));
	putf(t, "oom_kill %u\n", vmstat(VM_OOM));
	for (int i = 0; i < NVMSTAT; i++)
		putf(t, "%s %u\n", vmstatname(i), vmstat(i));
	return 0;
}

static const char *const zones[] = {"Normal", "HighMem"};

/* Of each zone that has pages: free blocks by size, from one page on. */
int
showbuddyinfo(struct text *t, int pid)
{
	struct zoneinfo z;

	(void)pid;
	for (int i = 0; zoneinfo(i, &z); i++) {
		if (z.present == 0)
			continue;
		putf(t, "Node 0, zone %8s ", zones[i]);
		for (int k = 0; k < NORDER; k++)
			putf(t, "%6u ", z.blocks[k]);
		putf(t, "\n");
	}
	return 0;
}

/* For each zone that has pages: how many, in pages. */
int
showzoneinfo(struct text *t, int pid)
{
	struct zoneinfo z;

	(void)pid;
	for (int i = 0; zoneinfo(i, &z); i++) {
		if (z.present == 0)
			continue;
		putf(t, "Node 0, zone %8s\n", zones[i]);
		putf(t, "  pages free     %u\n", z.free);
		putf(t, "        boost    0\n        min      %u\n", z.min);
		putf(t, "        low      %u\n        high     %u\n", z.min, z.min);
		putf(t, "        spanned  %u\n", z.present);
		putf(t, "        present  %u\n        managed  %u\n", z.present,
			z.present);
	}
	return 0;
}

int
showslabinfo(struct text *t, int pid)
{
	struct slabinfo s;

	(void)pid;
	putf(t, "slabinfo - version: 2.1\n"
		"# name            <active_objs> <num_objs> <objsize> "
		"<objperslab> <pagesperslab> : tunables <limit> <batchcount> "
		"<sharedfactor> : slabdata <active_slabs> <num_slabs> "
		"<sharedavail>\n");
	for (int i = 0; slabinfo(i, &s); i++)
		putf(t, "%-17s %6u %6u %6u %4u %4u : tunables %4u %4u %4u : "
			"slabdata %6u %6u %6u\n",
			s.name, s.inuse, s.pages * s.perpage, s.size, s.perpage,
			1, 0, 0, 0, s.pages, s.pages, 0);
	return 0;
}

/* vmcheck(), with everything else stopped. */
int
showvmcheck(struct text *t, int pid)
{
	char *s = textroom(t, PGSIZE);
	int n;

	(void)pid;
	if (s == 0)
		return 0;
	n = freeze();
	if (n < 0)
		return n;
	n = vmcheck(s, PGSIZE);
	thaw();
	t->n += MIN(n, PGSIZE - 1);
	return 0;
}
