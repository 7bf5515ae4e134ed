/* types.h - the few types that every file of ring 0 shares. */
#ifndef KERN_TYPES_H
#define KERN_TYPES_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef unsigned int uint;
typedef uint pde_t; /* page directory entry, Intel SDM 3A 4.3 */
typedef uint pte_t; /* page table entry */

#define NELEM(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define ROUNDUP(n, to) (((n) + (to)-1) / (to) * (to))
#define container_of(p, type, field)                                           \
	((type *)((char *)(p)-offsetof(type, field)))

#endif
