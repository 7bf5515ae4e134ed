/*
 * memlayout.h - where things are in the 4 GiB of an address space.
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
#define EXTMEM    0x00100000 /* start of extended memory, physical */
#define KERNLINK  (KERNBASE + EXTMEM)
#define VMAPBASE  0xF0000000
#define DEVSPACE  0xFE000000
#define DIRECTMAX (VMAPBASE - KERNBASE) /* RAM the direct map can hold */
#define USERBASE  0x00001000
#define USERTOP   KERNBASE

#ifndef __ASSEMBLER__
#define V2P(va) ((uint)(va)-KERNBASE)
#define P2V(pa) ((void *)((uint)(pa) + KERNBASE))
#endif

#endif
