/* x86.h - single instructions as C functions. */
#ifndef ARCH_X86_H
#define ARCH_X86_H

#include "kern/types.h"

/* Read a byte from a port. */
static inline uint8_t
inb(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

/* Write a byte to a port. */
static inline void
outb(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

/* Write 16 bits to a port. */
static inline void
outw(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}

/* Read 16 bits from a port. */
static inline uint16_t
inw(uint16_t port)
{
	uint16_t v;

	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

/* Read 32 bits from a port. */
static inline uint
inl(uint16_t port)
{
	uint v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

/* Write 32 bits to a port. */
static inline void
outl(uint16_t port, uint v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

/* Read n 16-bit words from a port to memory. */
static inline void
insw(uint16_t port, void *to, uint n)
{
	__asm__ volatile("cld; rep insw"
		: "+D"(to), "+c"(n)
		: "d"(port)
		: "memory", "cc");
}

/* Write n 16-bit words from memory to a port. */
static inline void
outsw(uint16_t port, const void *from, uint n)
{
	__asm__ volatile("cld; rep outsw"
		: "+S"(from), "+c"(n)
		: "d"(port)
		: "memory", "cc");
}

/* Read (r...) or load (l...) a control register (SDM 3A 2.5); CR2 has the
 * address of the last page fault, CR3 the physical address of the page
 * directory.  A load of CR3 forgets all translations but global ones (SDM 3A
 * 4.10.4.1). */
static inline uint
rcr0(void)
{
	uint v;

	__asm__ volatile("movl %%cr0, %0" : "=r"(v));
	return v;
}

/* Load CR0. */
static inline void
lcr0(uint v)
{
	__asm__ volatile("movl %0, %%cr0" : : "r"(v) : "memory");
}

/* Debug registers (SDM 3B chapter 17). */
#define LDR(n)                                                                 \
	static inline void ldr##n(uint v)                                      \
	{                                                                      \
		__asm__ volatile("movl %0, %%db" #n : : "r"(v));               \
	}
LDR(0)
LDR(1)
LDR(2)
LDR(3)
LDR(6)
LDR(7)

/* Debug register 6: what has happened. */
static inline uint
rdr6(void)
{
	uint v;

	__asm__ volatile("movl %%db6, %0" : "=r"(v));
	return v;
}

/* CR2: the address of the last page fault. */
static inline uint
rcr2(void)
{
	uint v;

	__asm__ volatile("movl %%cr2, %0" : "=r"(v));
	return v;
}

/* CR3: the physical address of the page directory. */
static inline uint
rcr3(void)
{
	uint v;

	__asm__ volatile("movl %%cr3, %0" : "=r"(v));
	return v;
}

/* Load CR3; this CPU forgets all translations but global ones. */
static inline void
lcr3(uint v)
{
	__asm__ volatile("movl %0, %%cr3" : : "r"(v) : "memory");
}

/* Read CR4. */
static inline uint
rcr4(void)
{
	uint v;

	__asm__ volatile("movl %%cr4, %0" : "=r"(v));
	return v;
}

/* Load CR4. */
static inline void
lcr4(uint v)
{
	__asm__ volatile("movl %0, %%cr4" : : "r"(v) : "memory");
}

/* Clear CR0.TS: the FPU may be used without a trap. */
static inline void
clts(void)
{
	__asm__ volatile("clts");
}

/* Forget this CPU's translation of the page of va (SDM 3A 4.10.4.1). */
static inline void
invlpg(uint va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

/* EFLAGS: bits FL_ of mmu.h. */
static inline uint
readeflags(void)
{
	uint v;

	__asm__ volatile("pushfl; popl %0" : "=r"(v));
	return v;
}

/* Turn interrupts off.  (pushcli() and popcli() of cpu.h nest.) */
static inline void
cli(void)
{
	__asm__ volatile("cli" : : : "memory");
}

/* Turn interrupts on. */
static inline void
sti(void)
{
	__asm__ volatile("sti" : : : "memory");
}

/* Enable interrupts and halt until one comes, with no gap between the two. */
static inline void
stihlt(void)
{
	__asm__ volatile("sti; hlt" : : : "memory");
}

/* Tell the CPU that this is a loop which waits for another. */
static inline void
pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

/* The functions from here to testandclear() are one step for all CPUs: no CPU
 * sees or makes a change in between; and no load or store passes them. */

/* Store v: what *addr was before. */
static inline uint
xchg(volatile uint *addr, uint v)
{
	__asm__ volatile("xchgl %0, %1" : "+m"(*addr), "+r"(v) : : "memory");
	return v;
}

/* If *addr is old, store new: 1; else 0. */
static inline int
cas16(volatile uint16_t *addr, uint16_t old, uint16_t new)
{
	int stored;

	__asm__ volatile("lock cmpxchgw %3, %1"
		: "=@ccz"(stored), "+m"(*addr), "+a"(old)
		: "r"(new)
		: "memory");
	return stored;
}

/* If *addr is old, store new: 1; else 0. */
static inline int
cas(volatile uint *addr, uint old, uint new)
{
	int stored;

	__asm__ volatile("lock cmpxchgl %3, %1"
		: "=@ccz"(stored), "+m"(*addr), "+a"(old)
		: "r"(new)
		: "memory");
	return stored;
}

/* Add 1 to *addr. */
static inline void
atomicinc(volatile int *addr)
{
	__asm__ volatile("lock incl %0" : "+m"(*addr) : : "memory");
}

/* Decrement *addr: 1 if that made it zero, else 0. */
static inline int
atomicdectest(volatile int *addr)
{
	uint8_t zero;

	__asm__ volatile("lock decl %0; sete %1"
		: "+m"(*addr), "=q"(zero)
		:
		: "memory");
	return zero;
}

/* Add n to *addr. */
static inline void
atomicadd(volatile int *addr, int n)
{
	__asm__ volatile("lock addl %1, %0"
		: "+m"(*addr)
		: "ir"(n)
		: "memory");
}

/* Add to *addr: what it was before. */
static inline uint
xadd(volatile uint *addr, uint v)
{
	__asm__ volatile("lock xaddl %0, %1"
		: "+r"(v), "+m"(*addr)
		:
		: "memory");
	return v;
}

/* Set these bits of *addr. */
static inline void
atomicor(volatile uint *addr, uint bits)
{
	__asm__ volatile("lock orl %1, %0"
		: "+m"(*addr)
		: "ir"(bits)
		: "memory");
}

/* Set one bit of *addr, by its number. */
static inline void
atomicset(volatile uint *addr, int bit)
{
	__asm__ volatile("lock btsl %1, %0"
		: "+m"(*addr)
		: "r"(bit)
		: "memory", "cc");
}

/* Clear one bit of *addr, by its number. */
static inline void
atomicclear(volatile uint *addr, int bit)
{
	__asm__ volatile("lock btrl %1, %0"
		: "+m"(*addr)
		: "r"(bit)
		: "memory", "cc");
}

/* Clear bit n of *addr: was it set before? */
static inline int
testandclear(volatile uint *addr, int n)
{
	int set;

	__asm__ volatile("lock btrl %2, %1"
		: "=@ccc"(set), "+m"(*addr)
		: "r"(n)
		: "memory");
	return set;
}

/* Let all stores before it be seen by other CPUs before any load after it is
 * made: the one order that the 386 family does not keep (SDM 3A 8.2.3.4, "Loads
 * May Be Reordered with Earlier Stores to Different Locations").  A locked
 * instruction does it; MFENCE came only with SSE2. */
static inline void
fence(void)
{
	__asm__ volatile("lock addl $0, (%%esp)" : : : "memory", "cc");
}

/* This CPU's time-stamp counter. */
static inline uint64_t
rdtsc(void)
{
	uint64_t v;

	__asm__ volatile("rdtsc" : "=A"(v));
	return v;
}

/* Store v in so many 32-bit words. */
static inline void
stosl(void *to, uint v, uint words)
{
	__asm__ volatile("cld; rep stosl"
		: "+D"(to), "+c"(words)
		: "a"(v)
		: "memory", "cc");
}

/* Copy so many 32-bit words. */
static inline void
movsl(void *to, const void *from, uint words)
{
	__asm__ volatile("cld; rep movsl"
		: "+D"(to), "+S"(from), "+c"(words)
		:
		: "memory", "cc");
}

#endif
