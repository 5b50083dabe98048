        .text

// long test_region_call(void* fn, long a, long b, long c, long d, long e): fn(a, ..., e) in a region.
        .globl  test_region_call
        .type   test_region_call, @function
test_region_call:
        .cfi_startproc
        movq    %rdi, %r11
        movq    %rsi, %rdi
        movq    %rdx, %rsi
        movq    %rcx, %rdx
        movq    %r8, %rcx
        movq    %r9, %r8
        jmp     heaprake_region_call
        .cfi_endproc

// void test_spin_rbx(volatile int* ready, volatile int* go_on, uintptr_t disguised)
// Holds ~disguised in the register of that name alone until *go_on.
        .macro  SPIN name, save, hold
        .globl  \name
        .type   \name, @function
\name:
        .cfi_startproc
        pushq   \save
        .cfi_adjust_cfa_offset 8
        \hold
        xorl    %edx, %edx
        movl    $1, (%rdi)
1:      pause
        cmpl    $0, (%rsi)
        je      1b
        popq    \save
        .cfi_adjust_cfa_offset -8
        xorl    %eax, %eax
        pxor    %xmm5, %xmm5
        ret
        .cfi_endproc
        .endm

        .macro  HOLD_RBX
        movq    %rdx, %rbx
        notq    %rbx
        .endm
        .macro  HOLD_R12
        movq    %rdx, %r12
        notq    %r12
        .endm
        .macro  HOLD_RAX
        movq    %rdx, %rax
        notq    %rax
        .endm
        .macro  HOLD_XMM5
        notq    %rdx
        movq    %rdx, %xmm5
        .endm
        .macro  HOLD_RED_ZONE
        notq    %rdx
        movq    %rdx, -120(%rsp)
        .endm
        SPIN    test_spin_rbx, %rbx, HOLD_RBX
        SPIN    test_spin_r12, %r12, HOLD_R12
        SPIN    test_spin_rax, %rbx, HOLD_RAX
        SPIN    test_spin_xmm5, %rbx, HOLD_XMM5
        SPIN    test_spin_red_zone, %rbx, HOLD_RED_ZONE

// long test_region_with_rbx(void* fn, long a, uintptr_t disguised): fn(a) in a region while %rbx
// alone holds ~disguised.
        .globl  test_region_with_rbx
        .type   test_region_with_rbx, @function
test_region_with_rbx:
        .cfi_startproc
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbx, 0
        movq    %rdi, %r11
        movq    %rsi, %rdi
        movq    %rdx, %rbx
        notq    %rbx
        xorl    %edx, %edx
        call    heaprake_region_call
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbx
        ret
        .cfi_endproc

// long test_arguments(fn, args[6]): calls fn in a region with six arguments and %al = 5.
        .globl  test_region_six
        .type   test_region_six, @function
test_region_six:
        .cfi_startproc
        movq    %rdi, %r11
        movq    %rsi, %r10
        movq    (%r10), %rdi
        movq    8(%r10), %rsi
        movq    16(%r10), %rdx
        movq    24(%r10), %rcx
        movq    32(%r10), %r8
        movq    40(%r10), %r9
        movl    $5, %eax
        jmp     heaprake_region_call
        .cfi_endproc

// A callee for it: the six arguments and %al as digits of one number.
        .globl  test_digits
        .type   test_digits, @function
test_digits:
        .cfi_startproc
        movzbl  %al, %eax
        imulq   $10, %rdi, %r10
        addq    %rsi, %r10
        imulq   $10, %r10, %r10
        addq    %rdx, %r10
        imulq   $10, %r10, %r10
        addq    %rcx, %r10
        imulq   $10, %r10, %r10
        addq    %r8, %r10
        imulq   $10, %r10, %r10
        addq    %r9, %r10
        imulq   $10, %r10, %r10
        addq    %r10, %rax
        movl    $77, %edx
        ret
        .cfi_endproc

        .section .note.GNU-stack, "", @progbits
