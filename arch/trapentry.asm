; trapentry.asm - into the kernel and out of it.
;
; Every way in builds a struct trapframe (arch/trap.h) on the kernel stack:
;
;	[ss esp]  eflags cs eip  err trapno  ds es fs gs  eax ebp edi esi edx ecx ebx
;	 pushed by the CPU                                          low address ->
;
; and loads the kernel's ds and es, and fs for mycpu().  gs stays the user's:
; the kernel does not use it.
;
; A program can leave selectors in its registers that no longer load (it changed
; a thread descriptor, or returned from a signal with junk).  The instructions
; that may fault for that reason are in the table .extable, pairs of an address
; and where to go instead; trap.c looks there.  usercopy.asm has entries too.

KDATA       equ 13 << 3
KCPU        equ 3 << 3
T_GPFLT     equ 13
T_PGFLT     equ 14
T_SYSCALL   equ 0x80
TF_CS       equ 14 * 4          ; offsets asserted in trap.c
PROC_TF     equ 0
PROC_WORK   equ 4
PROC_ENTRY  equ 8
CPU_PROC    equ 4
CPU_RESCHED equ 24

extern trap
extern pagefault
extern userret
global vectors
global syscallentry
global trapret

%include "arch/fixup.inc"

; What comes behind eip cs eflags, err and trapno on the stack.
%macro saveregs 0
	push ds
	push es
	push fs
	push gs
	push eax
	push ebp
	push edi
	push esi
	push edx
	push ecx
	push ebx
	mov eax, KDATA
	mov ds, eax
	mov es, eax
	mov eax, KCPU
	mov fs, eax
	cld
%endmacro

section .text

; One entry of 16 bytes a vector: vectors + 16 * n.  Exceptions 8, 10 to 14 and
; 17 come with an error code; the others get a zero in its place.
align 16
vectors:
%assign n 0
%rep 256
	align 16
%if n != 8 && n != 17 && (n < 10 || n > 14)
	push byte 0
%endif
	push dword n
%if n == T_PGFLT
	jmp faultentry
%else
	jmp alltraps
%endif
%assign n n + 1
%endrep

align 16
alltraps:
	saveregs
	mov eax, esp
	call trap
	test byte [esp + TF_CS], 3
	jnz userexit
	jmp restore

; Page faults are many, and go straight to their function.
align 16
faultentry:
	saveregs
	mov eax, esp
	call pagefault
	test byte [esp + TF_CS], 3
	jnz userexit
	jmp restore

; int 0x80 comes through a trap gate: interrupts stay on.  An interrupt before
; the kernel's segments are loaded saves and restores the user's.
align 16
syscallentry:
	push eax
	push dword T_SYSCALL
	saveregs
	mov edx, [fs:CPU_PROC]
	mov [edx + PROC_TF], esp
	mov eax, esp
	call [edx + PROC_ENTRY]

; esp is at the frame.  Interrupts stay off from the test to iret, so that work
; which comes later finds us in user mode and interrupts us there.
userexit:
	cli
	mov eax, [fs:CPU_PROC]
	mov eax, [eax + PROC_WORK]
	or eax, [fs:CPU_RESCHED]
	jnz work
restore:
	pop ebx
	pop ecx
	pop edx
	pop esi
	pop edi
	pop ebp
	pop eax
popgs:
	pop gs
popfs:
	pop fs
popes:
	pop es
popds:
	pop ds
	add esp, 8
return:
	iretd

work:
	mov eax, esp
	call userret
	jmp restore

trapret:
	mov eax, [fs:CPU_PROC]
	mov esp, [eax + PROC_TF]
	jmp userexit

; A selector on top of the stack cannot be loaded: a null one can.
%macro badpop 1
	fixup %1, %%bad
%%bad:
	mov dword [esp], 0
	jmp %1
%endmacro

	badpop popgs
	badpop popfs
	badpop popes
	badpop popds

; The user's cs or ss is bad.  His registers are loaded, and eip cs eflags esp
; ss are on the stack: as if he had made a general protection fault himself.
	fixup return, badreturn
badreturn:
	push byte 0
	push dword T_GPFLT
	jmp alltraps

section .note.GNU-stack noalloc noexec nowrite progbits
