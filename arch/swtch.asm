; swtch.asm - from one kernel stack to another.
;
;	void swtch(struct context **old, struct context *new);   in eax, edx
;
; Saves the callee-saved registers on the current stack, as a struct context
; (arch/cpu.h) whose eip is our return address, and its address in *old; then
; takes the same from new.

global swtch

section .text
align 16
swtch:
	push ebp
	push ebx
	push esi
	push edi
	mov [eax], esp
	mov esp, edx
	pop edi
	pop esi
	pop ebx
	pop ebp
	ret

section .note.GNU-stack noalloc noexec nowrite progbits
