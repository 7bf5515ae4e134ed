/* memlayout.h - the kernel's own; for the tests of RAM that the direct map does
 * not reach (unit-high), with a direct map of 16 MiB. */
#ifndef UNIT_MEMLAYOUT_H
#define UNIT_MEMLAYOUT_H

#include_next "arch/memlayout.h"

#ifdef UNIT_HIGH
#undef VMAPBASE
#define VMAPBASE 0x81000000
#endif

#endif
