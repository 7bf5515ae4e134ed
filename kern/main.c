/* main.c - from entry.asm's page directory to the first process. */
#include "arch/cpu.h"
#include "arch/lapic.h"
#include "arch/machine.h"
#include "arch/multiboot.h"
#include "arch/pic.h"
#include "arch/smp.h"
#include "arch/trap.h"
#include "mm/mm.h"
#include "kern/dev/dev.h"
#include "kern/fs/inode.h"
#include "kern/futex.h"
#include "kern/init.h"
#include "kern/lib/printf.h"
#include "kern/poll/timerfd.h"
#include "kern/proc.h"
#include "kern/sched.h"
#include "kern/socket/socket.h"
#include "kern/sysvshm.h"
#include "kern/timeval.h"

void kmain(uint magic, uint info);

static void banner(void);

/* From entry.asm: interrupts off, the first 4 MiB mapped at 0 and KERNBASE.
 * Each line needs those above it. */
void
kmain(uint magic, uint info)
{
	seginit(0);                 /* %fs: mycpu(), so locks work */
	uartearly();                /* printf speaks: panics are seen */
	consoleearly();
	trapinit();                 /* our bugs panic, not reset */
	idtload();
	cpuinit();
	cpusetup();                 /* CR4.PGE before global pages */
	multibootinit(magic, info); /* copies low memory, before it is given out */
	machineinit();              /* the firmware's tables, likewise */
	kinit1();                   /* pages below 4 MiB, for page tables */
	kvmalloc();                 /* all of RAM mapped, page 0 no more */
	dfinit();                   /* double faults see it too */
	kinit2();                   /* all of RAM to give out */
	slabinit();                 /* small objects: everything below */
	uvminit();                  /* address spaces and the page cache */
	picinit();                  /* lines masked until a driver asks */
	pitinit();                  /* the TSC's speed; IRQ 0 */
	apicinit();                 /* instead of both, where there are APICs */
	timeinit();                 /* time of day, from the RTC */
	fpuinit();
	futexinit();
	procinit();
	fileinit();
	vfsinit();                  /* an empty root */
	procfsinit();               /* more types of file systems */
	ext2init();
	sysfsinit();
	anoninit();
	shminit();
	epollinit();
	timerfdinit();
	signalfdinit();
	pipeinit();
	flightinit();
	unixnameinit();
	devinit();                  /* terminals; their interrupts */
	startothers();              /* up to scheduler() */
	banner();
	userinit();                 /* pid 1, which fills the root and runs init */
	scheduler();
}

/* One line that tells what this machine is. */
static void
banner(void)
{
	struct meminfo mi;

	if (bootflag("quiet"))
		return;
	meminfo(&mi);
	printf("Quire " QUIRE_VERSION ": %u MiB, %d CPU%s, %s\n", mi.total >> 8,
		ncpu, ncpu == 1 ? "" : "s", cpuinfo.brand);
}
