/* mmu.h - bits of page tables, control registers and segments, and the task
 * state (Intel SDM 3A 2.5, chapters 3, "Protected-Mode Memory Management", 4,
 * "Paging", and 7, "Task Management"); nothing else. */
#ifndef ARCH_MMU_H
#define ARCH_MMU_H

#include "kern/types.h"

#define PGSIZE     4096
#define PGSHIFT    12
#define SUPERSIZE  (4u << 20) /* what one page directory entry maps */
#define NPDENTRIES 1024
#define NPTENTRIES 1024

#define PGROUNDUP(a)   (((uint)(a) + PGSIZE - 1) & ~(PGSIZE - 1))
#define PGROUNDDOWN(a) ((uint)(a) & ~(PGSIZE - 1))

/*
 * A virtual address (SDM 3A 4.3, "32-Bit Paging"):
 *
 *   +------------------+--------------+------------+
 *   |  directory index |  table index |   offset   |
 *   |      10 bits     |    10 bits   |   12 bits  |
 *   +------------------+--------------+------------+
 *         PDX(va)           PTX(va)
 */
#define PDX(va)         ((uint)(va) >> 22)
#define PTX(va)         (((uint)(va) >> PGSHIFT) & 0x3FF)
#define PGADDR(d, t, o) ((uint)((d) << 22 | (t) << PGSHIFT | (o)))

/* Bits of an entry, of a directory and of a table alike (SDM 3A 4.3, tables 4-4
 * to 4-6).  The others are the physical address of a table or page. */
#define PTE_P   0x001 /* present */
#define PTE_W   0x002 /* writable */
#define PTE_U   0x004 /* user may access */
#define PTE_PWT 0x008 /* write-through */
#define PTE_PCD 0x010 /* uncached */
#define PTE_A   0x020 /* accessed */
#define PTE_D   0x040 /* dirty */
#define PTE_PS  0x080 /* 4 MiB page (directory only) */
#define PTE_G   0x100 /* global: survives a CR3 load */

#define PTE_ADDR(pte)  ((uint)(pte) & ~0xFFF)
#define PTE_FLAGS(pte) ((uint)(pte)&0xFFF)

/* Page-fault error code (SDM 3A 4.7). */
#define PF_PRESENT 0x1 /* a protection fault, else not present */
#define PF_WRITE   0x2
#define PF_USER    0x4
#define PF_RSVD    0x8

#define CR0_PE 0x00000001 /* protected mode */
#define CR0_MP 0x00000002 /* WAIT traps, too, if TS is set */
#define CR0_EM 0x00000004 /* there is no FPU */
#define CR0_TS 0x00000008 /* the next FPU instruction traps (vector 7) */
#define CR0_NE 0x00000020 /* errors of the FPU trap (vector 16) */
#define CR0_WP 0x00010000 /* read-only pages are read-only to the kernel, too */
#define CR0_AM 0x00040000 /* EFLAGS.AC has an effect */
#define CR0_NW 0x20000000 /* not write-through: with CD, caches are off */
#define CR0_CD 0x40000000 /* caches disabled */
#define CR0_PG 0x80000000 /* paging */

#define CR4_PSE        0x010 /* 4 MiB pages */
#define CR4_PGE        0x080 /* global pages */
#define CR4_OSFXSR     0x200 /* the kernel saves SSE state: SSE may be used */
#define CR4_OSXMMEXCPT 0x400 /* errors of SSE trap (vector 19) */

#define FL_CF   0x00000001 /* carry */
#define FL_TF   0x00000100 /* trap after each instruction */
#define FL_IF   0x00000200 /* interrupts are on */
#define FL_DF   0x00000400 /* string instructions go downwards */
#define FL_IOPL 0x00003000 /* two bits: the outermost ring that may use ports */
#define FL_NT   0x00004000 /* nested task */
#define FL_RF   0x00010000 /* no breakpoint at the next instruction */
#define FL_AC   0x00040000 /* check alignment, in user mode */
#define FL_ID   0x00200000 /* can be changed: there is CPUID */

/* GDT slots.  The three thread slots have the numbers that Linux uses, since
 * programs see them through set_thread_area. */
#define SEG_KCPU  3  /* %fs in the kernel: this CPU's struct cpu */
#define SEG_TSS   4
#define SEG_DFTSS 5  /* double faults run on a task of their own */
#define SEG_TLS   6  /* three: 6, 7, 8 */
#define SEG_KCODE 12
#define SEG_KDATA 13
#define SEG_UCODE 14 /* selector 0x73, as Linux */
#define SEG_UDATA 15 /* selector 0x7b, as Linux */
#define NSEGS     16
#define NTLS      3

#define KCODE (SEG_KCODE << 3)
#define KDATA (SEG_KDATA << 3)
#define KCPU  (SEG_KCPU << 3)
#define UCODE (SEG_UCODE << 3 | 3)
#define UDATA (SEG_UDATA << 3 | 3)

#ifndef __ASSEMBLER__
struct segdesc { /* SDM 3A 3.4.5, "Segment Descriptors" */
	uint lo, hi;
};

struct taskstate { /* SDM 3A 7.2.1, "Task-State Segment (TSS)" */
	uint link;
	uint esp0; /* stack for interrupts from user mode */
	uint ss0;
	uint esp1, ss1, esp2, ss2;
	uint cr3, eip, eflags;
	uint eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint es, cs, ss, ds, fs, gs, ldt;
	uint16_t trap;
	uint16_t iomap; /* past the limit: no port is open to users */
};
#endif

#endif
