; entry.asm - from the boot loader to kmain().
;
; A multiboot-1 loader leaves us in flat 32-bit protected mode, paging off, at
; the physical address of entry, with eax = 0x2BADB002 and ebx = the physical
; address of its information.  The kernel is linked at KERNLINK, so until
; paging is on every address of ours is used minus KERNBASE.
;
; entrypgdir maps the first 4 MiB twice, at 0 (where eip is when paging comes
; on) and at KERNBASE (where it goes next).  The whole image must lie in them;
; kernel.ld asserts it.  kvmalloc() replaces the directory.

KERNBASE   equ 0x80000000
KSTACKSIZE equ 8192

CR0_MP     equ 0x00000002
CR0_EM     equ 0x00000004
CR0_TS     equ 0x00000008
CR0_NE     equ 0x00000020
CR0_WP     equ 0x00010000
CR0_AM     equ 0x00040000
CR0_NW     equ 0x20000000
CR0_CD     equ 0x40000000
CR0_PG     equ 0x80000000
CR4_PSE    equ 0x010
FL_ID      equ 0x00200000
CPU_PSE    equ 1 << 3

PTE_P      equ 0x001
PTE_W      equ 0x002
PTE_PS     equ 0x080

COM1       equ 0x3f8
VGA        equ 0xb8000

%define V2P(a) ((a) - KERNBASE)

extern kmain
global entry
global entrypgdir

; The header: magic, flags (modules page-aligned, memory information), checksum.
section .multiboot progbits alloc noexec nowrite align=4
MB_MAGIC   equ 0x1BADB002
MB_FLAGS   equ 1 << 0 | 1 << 1
	dd MB_MAGIC, MB_FLAGS, -(MB_MAGIC + MB_FLAGS)

section .text
entry:
	cli
	cld
	mov esp, V2P(bootstack + KSTACKSIZE)
	mov ebp, eax                    ; keep the magic

; CPUID exists if EFLAGS.ID can be flipped.
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

; CPUID clobbers ebx: the loader's information waits in edi.
	mov edi, ebx
	mov eax, 1
	cpuid
	mov esi, V2P(nopse)
	test edx, CPU_PSE
	jz unfit

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

; Paging is on, eip above KERNBASE.  kmain(magic, info) does not return; the
; null ebp and return address end its backtrace.
high:
	mov esp, bootstack + KSTACKSIZE
	mov eax, ebp
	xor ebp, ebp
	mov edx, edi
	push ebp
	jmp kmain

; The CPU cannot run us: say why (the string at esi) on COM1 and on the screen,
; leave QEMU if it is there, and stop.  Paging is off.
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
	mov ecx, 100000                 ; no UART: do not wait for ever
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

section .data align=4096
entrypgdir:
	dd 0 | PTE_P | PTE_W | PTE_PS
	times (KERNBASE >> 22) - 1 dd 0
	dd 0 | PTE_P | PTE_W | PTE_PS
	times 1024 - (KERNBASE >> 22) - 1 dd 0

section .bss align=4096
bootstack: resb KSTACKSIZE              ; later the idle process's

section .note.GNU-stack noalloc noexec nowrite progbits
