; entry.asm - from the boot loader to kmain().
;
; A multiboot-1 loader leaves the CPU in flat 32-bit protected mode, paging off,
; at the physical address of entry, with eax = 0x2BADB002 and ebx = the physical
; address of its information (Multiboot 0.6.96, section 3.2).  The kernel is
; linked at KERNLINK (80100000h) and loaded at 1 MiB, so until paging is on each
; address of the kernel is used minus KERNBASE: V2P().
;
; The address space changes three times until the first program runs:
;
;              1. entrypgdir          2. kvmalloc()'s         3. a process's
;                 (this file)            kpgdir (mm/kvm.c)       (setupkvm())
;
;   FFFFFFFF  +--------------+       +--------------+        +--------------+
;             |              |       | devices, 1:1 |        | devices, 1:1 |
;   FE000000  |   nothing    |       +--------------+ equal  +--------------+
;             |  (lookat.c:  |       | vmap window  | in all | vmap window  |
;   F0000000  |   8 MiB for  |       +--------------+ direc- +--------------+
;             |   a moment)  |       | direct map:  | tories | direct map:  |
;             |              |       | all RAM that | =====> | all RAM that |
;   80400000  +--------------+       | fits below   |        | fits below   |
;             | RAM 0-4 MiB, |       | F0000000     |        | F0000000     |
;             | kernel: eip  |       |              |        |              |
;             | after jmp    |       | kernel: eip  |        | kernel       |
;   80000000  +--------------+       +--------------+        +--------------+
;             |              |       |              |        | stack        |
;             |   nothing    |       |              |        | mmap area    |
;   00400000  +--------------+       |   nothing    |        | heap         |
;             | RAM 0-4 MiB  |       |              |        | program: eip |
;             | again: eip   |       |              |        |              |
;   00001000  | when paging  |       |              |        +--------------+
;             | comes on     |       |              |        | nothing      |
;   00000000  +--------------+       +--------------+        +--------------+
;
; 1. The first 4 MiB twice, with two 4 MiB pages: at 0, where eip is when paging
;    comes on (the next instruction is fetched there), and at KERNBASE, where
;    the kernel is linked and jumps to next.  The whole image must lie in them;
;    kernel.ld asserts it.
; 2. Nothing below KERNBASE: a null pointer of the kernel faults from here on.
; 3. The upper half is copied from kpgdir, whose tables all directories share;
;    the lower half is the process's own (mm/kvm.c, mm/uvm.c).
;
; The other CPUs go from 1 to 2 in entryother.asm.

%include "arch/boot.inc"

KSTACKSIZE equ 8192             ; param.h: KSTACKPAGES

FL_ID      equ 0x00200000
CPU_PSE    equ 1 << 3

PTE_P      equ 0x001
PTE_W      equ 0x002
PTE_PS     equ 0x080

COM1       equ 0x3f8
VGA        equ 0xb8000

extern kmain
global entry
global entrypgdir

; The header: magic, flags (modules page-aligned, memory information), checksum.
section .multiboot progbits alloc noexec nowrite align=4
MB_MAGIC   equ 0x1BADB002
MB_FLAGS   equ 1 << 0 | 1 << 1
	dd MB_MAGIC, MB_FLAGS, -(MB_MAGIC + MB_FLAGS)

section .text

; From the loader: no stack, interrupts as they may be.  The magic number goes
; to ebp, and further down the information's address to edi; neither is touched
; until kmain is called.
entry:
	cli
	cld
	mov esp, V2P(bootstack + KSTACKSIZE)
	mov ebp, eax

; CPUID exists if EFLAGS.ID can be flipped.  The stack is empty again after each
; pair of push and pop.
	pushfd
	pop eax
	mov ecx, eax
	xor eax, FL_ID
	push eax
	popfd
	pushfd
	pop eax
	xor eax, ecx
	mov esi, V2P(nocpuid)
	test eax, FL_ID
	jz unfit

; CPUID overwrites ebx, where the loader put the information's address.
	mov edi, ebx
	mov eax, 1
	cpuid
	mov esi, V2P(nopse)
	test edx, CPU_PSE
	jz unfit

	pagingon high

; Paging is on, and eip above KERNBASE: the stack moves there, too, and is
; empty. kmain(magic, info), with arguments in eax and edx, does not return; the
; null ebp and the null return address end its backtrace.
high:
	mov esp, bootstack + KSTACKSIZE
	mov eax, ebp
	xor ebp, ebp
	mov edx, edi
	push ebp
	jmp kmain

; The CPU cannot run this kernel: print why (the string at physical address esi)
; on COM1 and on the screen, leave QEMU if this is one, and stop.  Paging is
; off.  No stack is used.
unfit:
	mov dx, COM1 + 3                ; 115200 baud, 8N1
	mov al, 0x80
	out dx, al
	mov dx, COM1
	mov al, 1
	out dx, al
	mov dx, COM1 + 1
	xor eax, eax
	out dx, al
	mov dx, COM1 + 3
	mov al, 3
	out dx, al
	mov edi, VGA
.next:
	lodsb
	test al, al
	jz .stop
	mov ah, 0x4f                    ; white on red
	stosw
	mov bl, al
	mov ecx, 100000                 ; looks at most: there may be no UART
.wait:
	mov dx, COM1 + 5
	in al, dx
	test al, 0x20
	loopz .wait
	mov al, bl
	mov dx, COM1
	out dx, al
	jmp .next
.stop:
	mov dx, 0xf4                    ; isa-debug-exit
	mov al, 0x7e
	out dx, al
.halt:
	cli
	hlt
	jmp .halt

section .rodata
nocpuid: db "Quire needs a CPU with the CPUID instruction", 13, 10, 0
nopse:   db "Quire needs a CPU with 4 MiB pages (PSE)", 13, 10, 0

; The page directory of drawing 1: two entries, each a 4 MiB page at physical 0
; (SDM 3A 4.3, "32-Bit Paging").
section .data align=4096
entrypgdir:
	dd 0 | PTE_P | PTE_W | PTE_PS
	times (KERNBASE >> 22) - 1 dd 0
	dd 0 | PTE_P | PTE_W | PTE_PS
	times 1024 - (KERNBASE >> 22) - 1 dd 0

section .bss align=4096
; The first CPU's stack, grows down; later that of its idle process.
bootstack: resb KSTACKSIZE

section .note.GNU-stack noalloc noexec nowrite progbits
