; swtch.asm - from one kernel stack to another.
;
;	void swtch(struct context **old, struct context *new);   in eax, edx
;
; Save the callee-saved registers on the current stack: with the return address
; they make a struct context (arch/cpu.h), whose address goes to *old.  Then esp
; = new, the registers are popped from that stack, and ret goes on where the
; other process has called swtch(), or at forkret() the first time.
;
; The stack at the switch, from esp up: edi esi ebx ebp, return address.

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
