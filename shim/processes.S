// vfork, clone and syscall(SYS_clone): each may return twice on one stack, so none can be a C++
// function. See processes.h.

        .text

// As libc's: the child returns first, on its parent's stack, and may overwrite the return address
// there, so that it is kept in a register that the kernel keeps.
        .globl  vfork, __vfork
        .type   vfork, @function
        .type   __vfork, @function
        .p2align 4
vfork:
__vfork:
        .cfi_startproc
        endbr64
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        call    heaprake_before_vfork
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        popq    %rdi
        .cfi_adjust_cfa_offset -8
        .cfi_register %rip, %rdi
        movl    $SYS_vfork, %eax
        syscall
        pushq   %rdi
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rip, 0
        testq   %rax, %rax
        jz      1f
        movq    %rax, %rdi
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        call    heaprake_after_vfork
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
1:      ret
        .cfi_endproc
        .size   vfork, . - vfork
        .set    SYS_vfork, 58

.macro save_arguments
        pushq   %rdi
        .cfi_adjust_cfa_offset 8
        pushq   %rsi
        .cfi_adjust_cfa_offset 8
        pushq   %rdx
        .cfi_adjust_cfa_offset 8
        pushq   %rcx
        .cfi_adjust_cfa_offset 8
        pushq   %r8
        .cfi_adjust_cfa_offset 8
        pushq   %r9
        .cfi_adjust_cfa_offset 8
        pushq   %rax
        .cfi_adjust_cfa_offset 8
.endm
.macro restore_arguments
        popq    %rax
        .cfi_adjust_cfa_offset -8
        popq    %r9
        .cfi_adjust_cfa_offset -8
        popq    %r8
        .cfi_adjust_cfa_offset -8
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        popq    %rdx
        .cfi_adjust_cfa_offset -8
        popq    %rsi
        .cfi_adjust_cfa_offset -8
        popq    %rdi
        .cfi_adjust_cfa_offset -8
.endm

// clone(fn, stack, flags, arg, parent_tid, tls, child_tid): the child starts in fn on another
// stack and never returns here. The last argument is on the stack.
.macro cloner name
        .globl  \name
        .type   \name, @function
        .p2align 4
\name:
        .cfi_startproc
        endbr64
        save_arguments
        movl    %edx, %edi
        call    heaprake_before_clone
        testb   %al, %al
        jnz     1f
        restore_arguments
        jmp     *heaprake_next_\name(%rip)
        .cfi_adjust_cfa_offset 56
1:      call    heaprake_before_vfork
        restore_arguments
        pushq   8(%rsp)
        .cfi_adjust_cfa_offset 8
        call    *heaprake_next_\name(%rip)
        movq    %rax, (%rsp)
        xorl    %edi, %edi              // libc has set errno
        call    heaprake_after_vfork
        popq    %rax
        .cfi_adjust_cfa_offset -8
        ret
        .cfi_endproc
        .size   \name, . - \name
.endm
        cloner  clone
        cloner  __clone

        .globl  heaprake_raw_clone
        .hidden heaprake_raw_clone
        .type   heaprake_raw_clone, @function
        .p2align 4
heaprake_raw_clone:
        .cfi_startproc
        save_arguments
        call    heaprake_before_raw_clone
        restore_arguments
        jmp     *heaprake_next_syscall(%rip)
        .cfi_endproc
        .size   heaprake_raw_clone, . - heaprake_raw_clone

        .section .note.GNU-stack, "", @progbits
