; entryother.asm - from a startup IPI to mpenter().
;
; startothers() copies the code between entryother and eentryother to APSTART,
; a page below 1 MiB, where the CPU begins in real mode with cs:ip = APSTART
; >> 4 : 0.  It goes the way of entry.asm, with the same entrypgdir, and as soon
; as it runs above KERNBASE it loads kpgdir: its stack is in the vmap window.
; Paging cannot be turned off again, so nothing down here is used any more.

KERNBASE equ 0x80000000
APSTART  equ 0x7000

CR0_PE   equ 0x00000001
CR0_MP   equ 0x00000002
CR0_EM   equ 0x00000004
CR0_TS   equ 0x00000008
CR0_NE   equ 0x00000020
CR0_WP   equ 0x00010000
CR0_AM   equ 0x00040000
CR0_NW   equ 0x20000000
CR0_CD   equ 0x40000000
CR0_PG   equ 0x80000000
CR4_PSE  equ 0x010

%define V2P(a) ((a) - KERNBASE)
%define LOW(a) ((a) - entryother + APSTART)

extern entrypgdir
extern kpgdir
extern apstack
extern mpenter
global entryother
global eentryother

section .text

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

bits 32
protected:
	mov eax, 16
	mov ds, eax
	mov es, eax
	mov ss, eax
	mov eax, cr4
	or eax, CR4_PSE
	mov cr4, eax
	mov eax, V2P(entrypgdir)
	mov cr3, eax
	mov eax, cr0
	and eax, ~(CR0_EM | CR0_TS | CR0_CD | CR0_NW)
	or eax, CR0_PG | CR0_AM | CR0_WP | CR0_NE | CR0_MP
	mov cr0, eax
	mov eax, high
	jmp eax

align 8
gdt:                                    ; flat: none, code, data
	dq 0
	dq 0x00CF9A000000FFFF
	dq 0x00CF92000000FFFF
gdtr:
	dw $ - gdt - 1
	dd LOW(gdt)
eentryother:

; Above KERNBASE, in the kernel's image.  mpenter() does not return; the null
; ebp and return address end its backtrace.
high:
	mov eax, [kpgdir]
	sub eax, KERNBASE
	mov cr3, eax
	mov esp, [apstack]
	xor ebp, ebp
	push ebp
	jmp mpenter

section .note.GNU-stack noalloc noexec nowrite progbits
