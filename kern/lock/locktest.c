/*
 * locktest.c - break each rule about locks once, to see that debug builds catch
 * it: the suite `panic` writes a digit to /proc/sysrq-trigger.
 */
#include "kern/lock/lock.h"

#include "arch/x86.h"
#include "kern/panic.h"
#include "kern/lib/printf.h"
#include "kern/sched.h"
#include "kern/lib/string.h"

#ifdef QUIRE_DEBUG
static struct spinlock low = {.rank = RANK_TREE}, high = {.rank = RANK_NAMES};
static struct sleeplock inner, outer;

/* Break rule c, '1' to '9', which panics; do nothing for any other c. */
void
locktest(int c)
{
	if (c < '1' || c > '9')
		return;
	initsleeplock(&outer, RANK_INODE);
	initsleeplock(&inner, RANK_PIPE);
	if (strchr("12348", c))
		acquire(&high);
	if (c == '6' || c == '7')
		acquiresleep(&inner);
	if (c == '4')
		sti();
	switch (c) {
	case '1': /* the wrong order */
	case '4': /* interrupts came on */
		acquire(&low);
		break;
	case '2': /* twice */
		acquire(&high);
		break;
	case '3': /* asleep with a spinlock */
		yield();
		break;
	case '5': /* release of a lock that is not held */
		release(&high);
		break;
	case '6': /* the wrong order */
	case '8': /* with a spinlock */
		acquiresleep(&outer);
		break;
	case '7': /* twice */
		acquiresleep(&inner);
		break;
	case '9': /* release of a lock that is not held */
		releasesleep(&outer);
		break;
	}
	printf("broken rule %c passed\n", c);
}
#endif
