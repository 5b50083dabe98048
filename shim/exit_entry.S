/* exit(): remembers the caller's registers and stack pointer, and goes on to libc's. A program whose
 * main returns does not come here, since libc calls its own exit then: so the final report knows
 * whether frames of the program's are still alive below main's (exit.cpp). */

        .bss
        .balign 8
        .globl  heaprake_exit_context
        .hidden heaprake_exit_context
heaprake_exit_context:          /* platform::CallContext; sp == 0: exit has not been called */
        .zero   56

        .text
        .globl  exit
        .type   exit, @function
        .balign 16
exit:
        .cfi_startproc
        endbr64
        leaq    heaprake_exit_context(%rip), %rax
        movq    %rbx, 0(%rax)
        movq    %rbp, 8(%rax)
        movq    %r12, 16(%rax)
        movq    %r13, 24(%rax)
        movq    %r14, 32(%rax)
        movq    %r15, 40(%rax)
        leaq    8(%rsp), %rcx
        movq    %rcx, 48(%rax)
        jmp     *heaprake_next_exit(%rip)
        .cfi_endproc
        .size   exit, . - exit

        .section .note.GNU-stack, "", @progbits
