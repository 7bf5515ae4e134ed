; usercopy.asm - between the kernel and user memory of the running process.
;
; These are the only kernel instructions that may fault on a user address.
; pagefault() in trap.c resolves the fault as if the program had made it (and
; may sleep), or, if it cannot be resolved, goes on at the fixup that .extable
; has for the instruction.  The instructions between userwords and userwordsend
; may run with interrupts off; then nothing is resolved, and they go on at their
; fixup.
;
; Arguments come in eax, edx, ecx (-mregparm=3), results go back in eax; ebx,
; esi, edi, ebp belong to the caller.  What the functions promise is in cpu.h.
;
; A range that leaves user memory is copied up to the end of user memory; the
; rest counts as not copied.

USERTOP equ 0x80000000          ; memlayout.h
EFAULT  equ 14                  ; kern/abi/errno.h
ENAMETOOLONG equ 36

global copyin
global copyout
global clearout
global copyinstr
global userload
global usercas
global probeuser
global userwords
global userwordsend

%include "arch/fixup.inc"

; From the user address %1 and the count %2 (registers, not ecx or edx): ecx =
; the bytes of the range inside user memory, edx = those beyond it.
%macro range 2                  ; address, count
	mov edx, USERTOP
	sub edx, %1
	jae %%left                      ; edx bytes are left from the address on
	xor edx, edx
%%left:
	mov ecx, %2
	cmp ecx, edx
	jbe %%fits
	mov ecx, edx
%%fits:
	mov edx, %2
	sub edx, ecx
%endmacro

; Move (%1 is movs: from esi to edi) or store (stos: eax, to edi) ecx bytes:
; words, then the rest by bytes.  Then eax = the bytes not done: what is left of
; ecx, and the edx bytes beyond user memory.  ebx is lost.  A fault among the
; words leaves their number in ecx: go on by bytes from there, to come as far as
; the page goes.  A fault among the bytes ends it, with their number in ecx.
%macro transfer 1               ; movs or stos
	mov ebx, ecx
	shr ecx, 2
	and ebx, 3
%%words:
	rep %1d
	mov ecx, ebx
%%bytes:
	rep %1b
%%end:
	lea eax, [ecx + edx]
	fixup %%words, %%partial
	fixup %%bytes, %%end
	jmp %%out
%%partial:
	lea ecx, [ecx * 4 + ebx]
	jmp %%bytes
%%out:
%endmacro

section .text

; uint copyin(void *dst, uint uva, uint n).  The stack: edi, esi, ebx of the
; caller, its return address.
align 16
copyin:
	push ebx
	push esi
	push edi
	mov edi, eax
	mov esi, edx
	mov ebx, ecx
	range esi, ebx
	transfer movs
	pop edi
	pop esi
	pop ebx
	ret

; uint copyout(uint uva, const void *src, uint n).  The stack: edi, esi, ebx of
; the caller, its return address.
align 16
copyout:
	push ebx
	push esi
	push edi
	mov edi, eax
	mov esi, edx
	mov ebx, ecx
	range edi, ebx
	transfer movs
	pop edi
	pop esi
	pop ebx
	ret

; uint clearout(uint uva, uint n).  The stack: edi, ebx of the caller, its
; return address.
align 16
clearout:
	push ebx
	push edi
	mov edi, eax
	mov ebx, edx
	range edi, ebx
	xor eax, eax
	transfer stos
	pop edi
	pop ebx
	ret

; int copyinstr(char *dst, uint uva, uint max): bytes up to a word boundary,
; words while they hold no NUL, bytes again.  ecx counts up to 0 from minus the
; bytes that may be read; esi and edi are the ends of the two ranges.  A byte of
; a word is zero if subtracting one borrows into its top bit, which was clear.
; The stack: dst, edi, esi, ebx, ebp of the caller, its return address.
align 16
copyinstr:
	push ebp
	push ebx
	push esi
	push edi
	push eax
	mov edi, eax
	mov esi, edx
	mov ebx, ecx
	range esi, ebx
	mov ebp, edx                    ; bytes beyond user memory
	add esi, ecx
	add edi, ecx
	neg ecx
	jz .full
.byte:
	mov al, [esi + ecx]
	mov [edi + ecx], al
	test al, al
	jz .done
	inc ecx
	jz .full
	lea eax, [esi + ecx]
	test al, 3
	jnz .byte
.next:
	cmp ecx, -4
	jg .byte
.word:
	mov eax, [esi + ecx]
	lea edx, [eax - 0x01010101]
	mov ebx, eax
	not ebx
	and edx, ebx
	test edx, 0x80808080
	jnz .byte
	mov [edi + ecx], eax
	add ecx, 4
	jnz .next
.full:
	mov eax, -ENAMETOOLONG
	test ebp, ebp
	jz .out
.fault:
	mov eax, -EFAULT
	jmp .out
.done:
	lea eax, [edi + ecx]            ; where the NUL is
	sub eax, [esp]
.out:
	add esp, 4
	pop edi
	pop esi
	pop ebx
	pop ebp
	ret
	fixup .byte, .fault
	fixup .word, .fault

userwords:

; int userload(uint uva, uint *val).  The stack: the return address.
align 16
userload:
	cmp eax, USERTOP - 4
	ja .fault
.word:
	mov ecx, [eax]
	mov [edx], ecx
	xor eax, eax
	ret
.fault:
	mov eax, -EFAULT
	ret
	fixup .word, .fault

; int usercas(uint uva, uint *old, uint new).  The stack: ebx of the caller, its
; return address.  cmpxchg compares with eax, and loads eax with what it found.
align 16
usercas:
	push ebx
	mov ebx, eax
	cmp eax, USERTOP - 4
	ja .fault
	mov eax, [edx]
.word:
	lock cmpxchg [ebx], ecx
	mov [edx], eax
	setne al
	movzx eax, al
	pop ebx
	ret
.fault:
	mov eax, -EFAULT
	pop ebx
	ret
	fixup .word, .fault

; int probeuser(uint uva, int write): 1, or 0 when the access faults.  The write
; leaves the word as it is, whatever other CPUs do to it.  The stack: the return
; address.
align 16
probeuser:
	test edx, edx
	jnz .write
.read:
	mov edx, [eax]
	jmp .done
.write:
	lock or dword [eax], 0
.done:
	mov eax, 1
	ret
.no:
	xor eax, eax
	ret
	fixup .read, .no
	fixup .write, .no

userwordsend:

section .note.GNU-stack noalloc noexec nowrite progbits
