// The entries through which the kernel calls the program's handlers: one for each distinct handler,
// made known by signals.cpp. The kernel's own table stays the only one that says which handler a
// signal has, so that its rules (SA_RESETHAND, races, fork, vfork) hold as they are.
//
// A thread outside any safe region goes on to its handler by a jump, arguments, return address and
// stack as the kernel made them. Inside a region the handler is called, outside the region. A signal
// that is deferred returns at once.

        .set    ENTRIES, 1024           // kEntries in signals.cpp
        .set    ENTRY_SIZE, 16

        .text
        .globl  heaprake_signal_entries
        .hidden heaprake_signal_entries
        .type   heaprake_signal_entries, @function
        .p2align 4
heaprake_signal_entries:
        .cfi_startproc
        .set    index, 0
        .rept   ENTRIES
        .p2align 4
        movl    $index, %r11d
        jmp     heaprake_signal_arrived
        .set    index, index + 1
        .endr
        .cfi_endproc
        .p2align 4
        .size   heaprake_signal_entries, . - heaprake_signal_entries

        .type   heaprake_signal_arrived, @function
heaprake_signal_arrived:
        .cfi_startproc
        pushq   %rdi
        .cfi_adjust_cfa_offset 8
        pushq   %rsi
        .cfi_adjust_cfa_offset 8
        pushq   %rdx
        .cfi_adjust_cfa_offset 8
        leaq    heaprake_signal_handlers(%rip), %rax
        pushq   (%rax,%r11,8)
        .cfi_adjust_cfa_offset 8
        // The kernel's frame lies just above its return address. A program that has got hold of an
        // entry may also call it as a function, with less than the three arguments.
        leaq    40(%rsp), %rax
        xorl    %esi, %esi
        cmpq    %rax, %rdx
        cmoveq  %rdx, %rsi
        movq    16(%rsp), %rdx          // siginfo
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        call    heaprake_signal_leave_region
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        popq    %r11
        .cfi_adjust_cfa_offset -8
        testl   $0x10000, %edx          // deferred
        jnz     2f
        testb   %dl, %dl                // inside
        jnz     1f
        popq    %rdx
        .cfi_adjust_cfa_offset -8
        popq    %rsi
        .cfi_adjust_cfa_offset -8
        popq    %rdi
        .cfi_adjust_cfa_offset -8
        jmp     *%r11
        // Inside: %rax and %rdx say how to get back there. The arguments' slots keep it.
        .cfi_adjust_cfa_offset 24
1:      movq    16(%rsp), %rdi
        movq    8(%rsp), %rsi
        movq    %rdx, %r10
        movq    0(%rsp), %rdx
        movq    %rax, 16(%rsp)
        movq    %r10, 8(%rsp)
        call    *%r11
        movq    16(%rsp), %rdi
        movq    8(%rsp), %rsi
        call    heaprake_signal_reenter_region
2:      addq    $24, %rsp
        .cfi_adjust_cfa_offset -24
        ret
        .cfi_endproc
        .size   heaprake_signal_arrived, . - heaprake_signal_arrived

        .section .note.GNU-stack, "", @progbits
