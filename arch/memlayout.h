/*
 * memlayout.h - where things are in the 4 GiB of an address space.  The upper
 * half is the kernel's and equal in all; the lower half is the process's own.
 * (The address spaces of the boot are drawn in entry.asm.)
 *
 *   FFFFFFFF  +------------------------+
 *             | device registers       | mapped 1:1, uncached
 *   FE000000  +------------------------+ DEVSPACE
 *             | vmap window            | kernel stacks with guard pages,
 *             |                        | temporary mappings
 *   F0000000  +------------------------+ VMAPBASE
 *             | direct map: all RAM    | P2V(pa) = pa + KERNBASE, up to
 *             | below DIRECTMAX, rw    | 1,792 MiB; 4 MiB global pages
 *             +------------------------+ kernel's end, rounded up
 *             | kernel data, bss   rw  |
 *             | kernel rodata      r-  |
 *             | kernel text        r-  |
 *   80100000  +------------------------+ KERNLINK
 *             | low memory, I/O        | rw
 *   80000000  +------------------------+ KERNBASE == USERTOP
 *             | stack, grows down      |
 *             | mmap area, top down    |
 *             | heap, grows up         |
 *             | program                |
 *   00001000  +------------------------+ USERBASE
 *             | page 0, never mapped   |
 *   00000000  +------------------------+
 */
#ifndef ARCH_MEMLAYOUT_H
#define ARCH_MEMLAYOUT_H

#define KERNBASE  0x80000000 /* first kernel virtual address */
#define APSTART   0x00007000 /* where other CPUs start, physical: one page */
#define EXTMEM    0x00100000 /* 1 MiB: the kernel is loaded here, physical */
#define KERNLINK  (KERNBASE + EXTMEM) /* and linked here */
#define VMAPBASE  0xF0000000 /* first address of the vmap window */
#define DEVSPACE  0xFE000000 /* first device register; virtual = physical */
#define DIRECTMAX (VMAPBASE - KERNBASE) /* RAM in the direct map, at most */
#define USERBASE  0x00001000 /* first user address */
#define USERTOP   KERNBASE   /* user addresses end here */

/* From an address in the direct map to the physical one, and back. */
#ifndef __ASSEMBLER__
#define V2P(va) ((uint)(va)-KERNBASE)
#define P2V(pa) ((void *)((uint)(pa) + KERNBASE))
#endif

#endif
