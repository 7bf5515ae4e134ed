/* futex.h - operations of futex(2), and the list of robust locks. */
#ifndef ABI_FUTEX_H
#define ABI_FUTEX_H

#include <stdint.h>

#define FUTEX_WAIT        0
#define FUTEX_WAKE        1
#define FUTEX_REQUEUE     3
#define FUTEX_CMP_REQUEUE 4
#define FUTEX_WAKE_OP     5
#define FUTEX_WAIT_BITSET 9
#define FUTEX_WAKE_BITSET 10

#define FUTEX_PRIVATE_FLAG   128
#define FUTEX_CLOCK_REALTIME 256

#define FUTEX_BITSET_MATCH_ANY (~0u)

/* FUTEX_WAKE_OP: op << 28 | cmp << 24 | oparg << 12 | cmparg, both arguments of
 * 12 bits with a sign */
#define FUTEX_OP_SET         0
#define FUTEX_OP_ADD         1
#define FUTEX_OP_OR          2
#define FUTEX_OP_ANDN        3
#define FUTEX_OP_XOR         4
#define FUTEX_OP_OPARG_SHIFT 8 /* or'ed to op: 1 << oparg */

#define FUTEX_OP_CMP_EQ 0
#define FUTEX_OP_CMP_NE 1
#define FUTEX_OP_CMP_LT 2
#define FUTEX_OP_CMP_LE 3
#define FUTEX_OP_CMP_GT 4
#define FUTEX_OP_CMP_GE 5

/* The word of a robust lock: its owner's thread id, and these. */
#define FUTEX_WAITERS    0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_TID_MASK   0x3fffffffu

struct robust_list_head { /* of set_robust_list(2): user addresses */
	uint32_t next;        /* first entry; the last leads back here.  Bit 0
	                       * of each: it inherits priority */
	int32_t futex_offset; /* from an entry to its word */
	uint32_t pending;     /* the entry being added or removed, or 0 */
};
#define ROBUST_LIST_LIMIT 2048

#endif
