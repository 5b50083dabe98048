// heaprake_region_call: makes the call whose function is in %r11 and whose (at most six integer)
// arguments are in their registers, inside a safe region. See platform.h.
//
// The frame, upwards from the published stack pointer:
//     0 record's former sp     8 r9  16 r8  24 rcx  32 rdx  40 rsi  48 rdi
//    56 r15  64 r14  72 r13  80 r12  88 rbx  96 rbp  104 return address
// so that all that the caller holds is at or above it: a thread in a region needs no register scan.
// The former sp is put back on leaving, because this may run in a signal handler that interrupted
// another heaprake_region_call between its publishing sp and its publishing kSafe.

#define STATE 0
#define SP 8

        .text
        .globl  heaprake_region_call
        .hidden heaprake_region_call
        .type   heaprake_region_call, @function
        .p2align 5
heaprake_region_call:
        .cfi_startproc
        // Forced unwinding (pthread_cancel) must leave the region; 0x1b: pc-relative, signed 4 bytes.
        .cfi_personality 0x1b, heaprake_region_personality
        endbr64
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r15, 0
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
        movq    heaprake_thread_record@gottpoff(%rip), %rbx
        movq    %fs:(%rbx), %rbx
        testq   %rbx, %rbx
        jz      .Lfirst_use
.Lenter:
        pushq   SP(%rbx)
        .cfi_adjust_cfa_offset 8
        movq    %rsp, SP(%rbx)
        movq    $1, STATE(%rbx)         // kSafe, and no events yet
        cmpl    $0, heaprake_region_flags(%rip)
        jne     .Lslow_enter
.Lcall:
        call    *%r11
        movl    $0, STATE(%rbx)         // kRunning
        cmpl    $0, heaprake_region_flags(%rip)
        jne     .Lslow_leave
.Lleave:
        .cfi_remember_state
        popq    SP(%rbx)
        .cfi_adjust_cfa_offset -8
.Lreturn:
        addq    $48, %rsp
        .cfi_adjust_cfa_offset -48
        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbp
        ret

        // The world is being stopped, or regions have to fence for themselves. %al is kept: a
        // variadic callee reads it.
.Lslow_enter:
        .cfi_restore_state
        pushq   %rax
        .cfi_adjust_cfa_offset 8
        pushq   %r11
        .cfi_adjust_cfa_offset 8
        movq    %rbx, %rdi
        call    heaprake_region_entering
        popq    %r11
        .cfi_adjust_cfa_offset -8
        popq    %rax
        .cfi_adjust_cfa_offset -8
        movq    8(%rsp), %r9
        movq    16(%rsp), %r8
        movq    24(%rsp), %rcx
        movq    32(%rsp), %rdx
        movq    40(%rsp), %rsi
        movq    48(%rsp), %rdi
        jmp     .Lcall

        // The arguments are dead now: their slots show the scanner what the call returned.
.Lslow_leave:
        movq    %rax, 48(%rsp)
        movq    %rdx, 32(%rsp)
        movq    %rbx, %rdi
        call    heaprake_region_leaving
        movq    48(%rsp), %rax
        movq    32(%rsp), %rdx
        jmp     .Lleave

        // This thread has no record yet. One slot less is on the stack here.
.Lfirst_use:
        .cfi_adjust_cfa_offset -8
        pushq   %rax
        .cfi_adjust_cfa_offset 8
        pushq   %r11
        .cfi_adjust_cfa_offset 8
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        call    heaprake_region_first_use
        movq    %rax, %rbx
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        popq    %r11
        .cfi_adjust_cfa_offset -8
        popq    %rax
        .cfi_adjust_cfa_offset -8
        movq    (%rsp), %r9
        movq    8(%rsp), %r8
        movq    16(%rsp), %rcx
        movq    24(%rsp), %rdx
        movq    32(%rsp), %rsi
        movq    40(%rsp), %rdi
        testq   %rbx, %rbx
        jnz     .Lenter
        // No memory for a record: the call is made outside any region.
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        call    *%r11
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        jmp     .Lreturn
        .cfi_endproc
        .size   heaprake_region_call, . - heaprake_region_call

        .section .note.GNU-stack, "", @progbits
