/* Entry points of the API that scan the stack of their caller. Each builds a platform::CallContext
 * (platform.h) with the registers as the caller left them and the stack pointer as it will be after
 * the return, and hands its address on as one more argument. What lies below that stack pointer, and
 * the registers that a call clobbers, is not the caller's and is not scanned. */

        .text

/* \name(arguments...) calls \target(arguments..., const CallContext*): \register is the argument
 * register that follows the last argument. */
.macro entry name, target, register
        .globl  \name
        .type   \name, @function
        .hidden \target
        .balign 16
\name:
        .cfi_startproc
        endbr64
        leaq    8(%rsp), %rax
        pushq   %rax
        .cfi_adjust_cfa_offset 8
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        movq    %rsp, %\register
        call    \target
        addq    $56, %rsp
        .cfi_adjust_cfa_offset -56
        ret
        .cfi_endproc
        .size   \name, . - \name
.endm

        entry heaprake_collect,   heaprake_collect_from,   rdi
        entry heaprake_refcount,  heaprake_refcount_from,  rsi
        entry heaprake_referrers, heaprake_referrers_from, rcx

        .section .note.GNU-stack, "", @progbits
