// makecontext: from now on a stack may lie inside another (collector.h). Jumped through, since its
// arguments are as many as the caller says.

        .set    CUSTOM_CONTEXTS, 2

        .text
        .globl  makecontext
        .type   makecontext, @function
        .p2align 4
makecontext:
        .cfi_startproc
        endbr64
        lock orb $CUSTOM_CONTEXTS, heaprake_custom_stacks(%rip)
        jmp     *heaprake_next_makecontext(%rip)
        .cfi_endproc
        .size   makecontext, . - makecontext

        .section .note.GNU-stack, "", @progbits
