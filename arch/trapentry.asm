; trapentry.asm - into the kernel and out of it.
;
; Every way in builds a struct trapframe (arch/trap.h) on the kernel stack:
;
; [ss esp] eflags cs eip  err trapno  ds es fs gs  eax ebp edi esi edx ecx ebx
; pushed by the CPU        pushed by the code below             low address ->
;
; The CPU pushes ss and esp only when it comes from user mode, where it takes
; the kernel stack from the TSS (SDM 3A 6.12.1, "Exception- or Interrupt-Handler
; Procedures").  Then the kernel's ds and es are loaded, and fs for mycpu().  gs
; stays the user's: the kernel does not use it.
;
; A program can leave selectors in its registers that no longer load (it changed
; a thread descriptor, or returned from a signal with junk).  The instructions
; that may fault for that reason are in the table .extable, pairs of an address
; and where to go on instead; trap.c looks there.  usercopy.asm has entries too.

KDATA       equ 13 << 3         ; mmu.h
KCPU        equ 3 << 3
T_GPFLT     equ 13              ; trap.h
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

; Push the rest of a frame: the stack has trapno, err, eip, cs, eflags (from esp
; up), and esp is the address of a struct trapframe afterwards.  eax is lost.
; cld because the C compiler takes for granted that strings go upwards.
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

; An entry of 16 bytes for each vector: vectors + 16 * n.  The stack has eip,
; cs, eflags; exceptions 8, 10 to 14 and 17 have an error code below them (SDM
; 3A 6.13, "Error Code"), the others get a zero in its place.  Then comes
; trapno.
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

; All vectors but page faults and system calls: trap(frame), interrupts off.
; The stack has trapno, err, eip, cs, eflags.  What was interrupted in the
; kernel goes on at once; the way to user mode looks for work first.
align 16
alltraps:
	saveregs
	mov eax, esp
	call trap
	test byte [esp + TF_CS], 3
	jnz userexit
	jmp restore

; Page faults are many, and go straight to their function, pagefault(frame),
; interrupts off.  The stack has trapno, err, eip, cs, eflags.
align 16
faultentry:
	saveregs
	mov eax, esp
	call pagefault
	test byte [esp + TF_CS], 3
	jnz userexit
	jmp restore

; int 0x80 comes through a trap gate: interrupts stay on.  The stack has eip,
; cs, eflags; the number of the system call, in eax, takes the place of err.  An
; interrupt that comes before the kernel's segments are loaded saves and
; restores the user's, so it does no harm.  The frame goes to p->tf, and is the
; argument of p->entry: syscall(), or what a traced thread has in its place.
align 16
syscallentry:
	push eax
	push dword T_SYSCALL
	saveregs
	mov edx, [fs:CPU_PROC]
	mov [edx + PROC_TF], esp
	mov eax, esp
	call [edx + PROC_ENTRY]

; The way to user mode; the stack has the whole frame.  If the running process
; has work to do, or another should run, userret(frame) does it first.
; Interrupts stay off from the test to iretd, so that work which comes later
; finds this CPU in user mode and interrupts it there.
userexit:
	cli
	mov eax, [fs:CPU_PROC]
	mov eax, [eax + PROC_WORK]
	or eax, [fs:CPU_RESCHED]
	jnz work

; Undo saveregs: the stack has the whole frame, and eip, cs, eflags at iretd,
; with esp and ss above them if they are user mode's.  Interrupts are off.
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

; There is work; the stack has the whole frame.  userret() comes back with
; interrupts off and nothing left to do.
work:
	mov eax, esp
	call userret
	jmp restore

; The first return to user mode of a process, from forkret() (its kernel stack
; was made by proc.c): its frame is at p->tf, at the top of that stack.
trapret:
	mov eax, [fs:CPU_PROC]
	mov esp, [eax + PROC_TF]
	jmp userexit

; The selector on top of the stack cannot be loaded by the pop at %1: put a null
; selector there, which can, and pop again.
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

; The program's cs or ss is bad, so iretd has faulted.  Its other registers are
; loaded, and eip, cs, eflags, esp, ss are on the stack: from here on as if the
; program itself had made a general protection fault.  Interrupts are off.
	fixup return, badreturn
badreturn:
	push byte 0
	push dword T_GPFLT
	jmp alltraps

section .note.GNU-stack noalloc noexec nowrite progbits
