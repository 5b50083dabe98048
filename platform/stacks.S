// Stack switching, raw threads, and the caller's registers.

        .text

// void heaprake_with_context(void (*fn)(const CallContext*, void*), void* arg)
        .globl  heaprake_with_context
        .hidden heaprake_with_context
        .type   heaprake_with_context, @function
heaprake_with_context:
        .cfi_startproc
        endbr64
        leaq    8(%rsp), %rax
        subq    $56, %rsp
        .cfi_adjust_cfa_offset 56
        movq    %rbx, (%rsp)
        movq    %rbp, 8(%rsp)
        movq    %r12, 16(%rsp)
        movq    %r13, 24(%rsp)
        movq    %r14, 32(%rsp)
        movq    %r15, 40(%rsp)
        movq    %rax, 48(%rsp)
        movq    %rdi, %rax
        movq    %rsp, %rdi
        call    *%rax
        addq    $56, %rsp
        .cfi_adjust_cfa_offset -56
        ret
        .cfi_endproc
        .size   heaprake_with_context, . - heaprake_with_context

// void heaprake_on_stack(void (*fn)(void*), void* arg, void* stack_top)
        .globl  heaprake_on_stack
        .hidden heaprake_on_stack
        .type   heaprake_on_stack, @function
heaprake_on_stack:
        .cfi_startproc
        endbr64
        pushq   %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset %rbp, -16
        movq    %rsp, %rbp
        .cfi_def_cfa_register %rbp
        movq    %rdi, %rax
        movq    %rsi, %rdi
        movq    %rdx, %rsp
        call    *%rax
        leave
        .cfi_def_cfa %rsp, 8
        ret
        .cfi_endproc
        .size   heaprake_on_stack, . - heaprake_on_stack

// long heaprake_spawn(unsigned long flags, void* stack_top, int* tid,
//                     void (*fn)(void*, unsigned), void* arg, unsigned index)
// A thread that runs fn(arg, index) and ends; the kernel writes its id to *tid and clears it when
// the thread has left its stack. Returns the id or a negated error number.
        .globl  heaprake_spawn
        .hidden heaprake_spawn
        .type   heaprake_spawn, @function
heaprake_spawn:
        .cfi_startproc
        endbr64
        subq    $32, %rsi
        movq    %rcx, (%rsi)
        movq    %r8, 8(%rsi)
        movq    %r9, 16(%rsi)
        movq    %rdx, %r10
        xorl    %r8d, %r8d
        movl    $56, %eax               // clone
        syscall
        testq   %rax, %rax
        jz      1f
        ret
        .cfi_endproc
1:      // The new thread: no caller to unwind to.
        .cfi_startproc
        .cfi_undefined %rip
        xorl    %ebp, %ebp
        popq    %rax
        popq    %rdi
        popq    %rsi
        andq    $-16, %rsp
        call    *%rax
        movl    $60, %eax               // exit, of this thread alone
        xorl    %edi, %edi
        syscall
        hlt
        .cfi_endproc
        .size   heaprake_spawn, . - heaprake_spawn

// What the stop signal's handler returns to. Unwinders and debuggers know the frame by these very
// bytes, provided that no unwind table covers them nor the byte before.
        nop
        .globl  heaprake_signal_return
        .hidden heaprake_signal_return
        .type   heaprake_signal_return, @function
heaprake_signal_return:
        movq    $15, %rax               // rt_sigreturn
        syscall
        .size   heaprake_signal_return, . - heaprake_signal_return

        .section .note.GNU-stack, "", @progbits
