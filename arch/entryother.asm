; entryother.asm - from a startup IPI to mpenter().
;
; startothers() in smp.c copies the code between entryother and eentryother to
; APSTART, a page below 1 MiB, where the CPU begins in real mode with cs:ip =
; APSTART >> 4 : 0 (SDM 3A 8.4, "Multiple-Processor (MP) Initialization").  It
; goes the way of entry.asm, with entrypgdir, too.  As soon as it runs above
; KERNBASE it loads the page directory that the first CPU uses, because its
; stack is in the vmap window, which entrypgdir does not map.  That directory
; has nothing below KERNBASE: the copy at APSTART is out of reach from then on.

%include "arch/boot.inc"

APSTART  equ 0x7000             ; memlayout.h

; Where an address of the copied code is.
%define LOW(a) ((a) - entryother + APSTART)

extern entrypgdir
extern apcr3
extern apstack
extern mpenter
global entryother
global eentryother

section .text

; Real mode: no stack, and addresses are 16 bits above a segment's start.  lgdt
; takes 32 bits of the table's address with o32.  The jump loads cs from the
; GDT's entry 1, which makes the code 32-bit (SDM 3A 9.9.1, "Switching to
; Protected Mode").
bits 16
align 16
entryother:
	cli
	cld
	xor ax, ax
	mov ds, ax
	o32 lgdt [gdtr - entryother + APSTART]
	mov eax, cr0
	or eax, CR0_PE
	mov cr0, eax
	jmp dword 8:LOW(protected)

; Protected mode, still in the copy, paging off, no stack: load the data segment
; that is entry 2, then turn paging on.
bits 32
protected:
	mov eax, 16
	mov ds, eax
	mov es, eax
	mov ss, eax
	pagingon high

align 8
gdt:                                    ; flat: none, code, data
	dq 0
	dq 0x00CF9A000000FFFF
	dq 0x00CF92000000FFFF
gdtr:
	dw $ - gdt - 1
	dd LOW(gdt)
eentryother:

; Above KERNBASE, in the kernel's image, not in the copy.  The stack is the one
; that startcpu() in smp.c has allocated, empty.  mpenter() does not return; the
; null ebp and the null return address end its backtrace.
high:
	mov eax, [apcr3]
	mov cr3, eax
	mov esp, [apstack]
	xor ebp, ebp
	push ebp
	jmp mpenter

section .note.GNU-stack noalloc noexec nowrite progbits
