/* disk.c - which drivers look for disks, and what becomes of those they
 * find. */
#include "kern/blk/disk.h"

#include "arch/multiboot.h"
#include "kern/lib/printf.h"

static void probe(const struct pcidev *d);

void
disksinit(void)
{
	ramdiskinit();
	pciscan(probe);
	atainit();
}

static void
probe(const struct pcidev *d)
{
	virtioprobe(d);
	ahciprobe(d);
	ataprobe(d);
}

void
diskname(struct blkdev *disk, const char *kind, uint n)
{
	snprintf(disk->name, sizeof(disk->name), "%s%c", kind, 'a' + n % 26);
}

void
diskready(struct blkdev *disk, const char *what)
{
	blkregister(disk);
	if (!bootflag("quiet"))
		printf("%s: %u MiB, %s%s\n", disk->name,
			(uint)(disk->sectors >> (20 - SECTORBITS)), what,
			disk->readonly ? ", read-only" : "");
	if (disk->partitions && disk->sectors)
		partinit(disk);
}
