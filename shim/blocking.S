// The blocking calls inside a safe region: heaprake_region_<name> for every row of
// blocking_calls.def but the ones written in C++. A row's entry points here once the library has
// started (interposed.h).
//
// A call that EINTR may end keeps its arguments in a frame, so that it can be made again:
//     0 args[0..5]   48 row   56 errno before the call   64 start, CLOCK_MONOTONIC_COARSE ns
// (struct Call in blocking.h). Only calls with a finite relative time-out read the clock; a send has
// heaprake_early_receipts there instead.

        .set    FRAME, 72
        .set    FRAME_ROW, 48
        .set    FRAME_ERRNO, 56
        .set    FRAME_STARTED, 64
        .set    ROW_NEXT, 16

// Leaves for `target` in the child of a vfork, which runs on its parent's thread record: there the
// call is made as if we were not here. Changes %r11 only.
.macro unless_vforked target
        movq    heaprake_vfork_depth@gottpoff(%rip), %r11
        cmpl    $0, %fs:(%r11)
        jne     \target
.endm

.macro begin name
        .text
        .globl  heaprake_region_\name
        .hidden heaprake_region_\name
        .type   heaprake_region_\name, @function
        .p2align 4
heaprake_region_\name:
        .cfi_startproc
.endm

.macro finish name
        .cfi_endproc
        .size   heaprake_region_\name, . - heaprake_region_\name
.endm

.macro plain name
        begin   \name
        unless_vforked 1f
        movq    heaprake_next_\name(%rip), %r11
        jmp     heaprake_region_call
1:      jmp     *heaprake_next_\name(%rip)
        finish  \name
.endm

.macro retry name, timeout, arg
        begin   \name
        leaq    heaprake_row_\name(%rip), %r10
        retry_\timeout \arg
        finish  \name
.endm

.macro retry_NONE arg
        jmp     heaprake_retry
.endm
.macro retry_RECEIVE arg
        jmp     heaprake_retry
.endm
.macro retry_SEND arg
        jmp     heaprake_retry
.endm
.macro retry_CONNECT arg
        jmp     heaprake_retry
.endm

// A finite time-out: a positive int, a pointer that is not null.
.macro retry_MILLISECONDS arg
        .if     \arg == 2
        testl   %edx, %edx
        .elseif \arg == 3
        testl   %ecx, %ecx
        .else
        .error  "no such argument"
        .endif
        jg      heaprake_retry_timed
        jmp     heaprake_retry
.endm
.macro retry_TIMESPEC arg
        .if     \arg == 2
        testq   %rdx, %rdx
        .elseif \arg == 3
        testq   %rcx, %rcx
        .elseif \arg == 4
        testq   %r8, %r8
        .else
        .error  "no such argument"
        .endif
        jnz     heaprake_retry_timed
        jmp     heaprake_retry
.endm

.macro transfer name, arg
        begin   \name
        leaq    heaprake_row_\name(%rip), %r10
        .if     \arg == 1
        jmp     heaprake_transfer_1
        .else
        jmp     heaprake_transfer_2
        .endif
        finish  \name
.endm

.macro send name
        begin   \name
        leaq    heaprake_row_\name(%rip), %r10
        jmp     heaprake_send
        finish  \name
.endm

.macro waitall name
        begin   \name
        leaq    heaprake_row_\name(%rip), %r10
        testl   $MSG_WAITALL, %ecx
        jz      heaprake_retry
        jmp     heaprake_transfer_2
        finish  \name
.endm

        .set    MSG_WAITALL, 0x100

#define HEAPRAKE_PLAIN(name, version) plain name ;
#define HEAPRAKE_RETRY(name, version, timeout, arg) retry name, timeout, arg ;
#define HEAPRAKE_TRANSFER(name, version, timeout, arg) transfer name, arg ;
#define HEAPRAKE_SEND(name, version) send name ;
#define HEAPRAKE_RECEIVE(name, version, timeout, arg, carries) retry name, timeout, arg ;
#define HEAPRAKE_WAITALL(name, version) waitall name ;
#define HEAPRAKE_GATHER(name, version)
#define HEAPRAKE_SPECIAL(name, version)
#include "shim/blocking_calls.def"

// The frame for the row in %r10, with everything in it but the start.
.macro open_frame
        subq    $FRAME, %rsp
        .cfi_adjust_cfa_offset FRAME
        movq    %rdi, 0(%rsp)
        movq    %rsi, 8(%rsp)
        movq    %rdx, 16(%rsp)
        movq    %rcx, 24(%rsp)
        movq    %r8, 32(%rsp)
        movq    %r9, 40(%rsp)
        movq    %r10, FRAME_ROW(%rsp)
        movq    heaprake_errno_offset(%rip), %r11
        movl    %fs:(%r11), %r11d
        movl    %r11d, FRAME_ERRNO(%rsp)
.endm
.macro call_next
        movq    ROW_NEXT(%r10), %r11
        call    heaprake_region_call
.endm
.macro return_
        addq    $FRAME, %rsp
        .cfi_adjust_cfa_offset -FRAME
        ret
        .cfi_adjust_cfa_offset FRAME
.endm
// Some calls bring addresses that were under way: blocking_messages.cpp.
.macro return_received
        cmpb    $0, heaprake_words_carried(%rip)
        jne     heaprake_look_for_words
        return_
.endm
// The rest is C++: blocking.cpp.
.macro look_closer
        movq    %rsp, %rdi
        movq    %rax, %rsi
        call    heaprake_blocking_call_ended
        return_received
.endm

        .text
        .p2align 5
heaprake_retry:
        .cfi_startproc
        unless_vforked heaprake_jump_next
        open_frame
        call_next
        cmpl    $-1, %eax
        je      1f
        return_received
1:      look_closer
        .cfi_endproc

        .p2align 5
heaprake_retry_timed:
        .cfi_startproc
        unless_vforked heaprake_jump_next
        open_frame
        call    heaprake_coarse_ns
        movq    %rax, FRAME_STARTED(%rsp)
        movq    0(%rsp), %rdi
        movq    8(%rsp), %rsi
        movq    16(%rsp), %rdx
        movq    24(%rsp), %rcx
        movq    32(%rsp), %r8
        movq    40(%rsp), %r9
        movq    FRAME_ROW(%rsp), %r10
        call_next
        cmpl    $-1, %eax
        je      1f
        return_received
1:      look_closer
        .cfi_endproc

        // A transfer of as many bytes as argument 1 or 2 says may end early; -1 is such a case too.
        .p2align 5
heaprake_transfer_2:
        .cfi_startproc
        unless_vforked heaprake_jump_next
        open_frame
        call_next
        cmpq    16(%rsp), %rax
        jl      1f
        return_received
1:      look_closer
        .cfi_endproc

        .p2align 5
heaprake_transfer_1:
        .cfi_startproc
        unless_vforked heaprake_jump_next
        open_frame
        call_next
        cmpq    8(%rsp), %rax
        jl      1f
        return_received
1:      look_closer
        .cfi_endproc

        // What was sent is looked at for addresses: no word is shorter than eight bytes.
        .p2align 5
heaprake_send:
        .cfi_startproc
        unless_vforked heaprake_jump_next
        open_frame
        movq    heaprake_early_receipts(%rip), %r11
        movq    %r11, FRAME_STARTED(%rsp)
        call_next
        cmpq    16(%rsp), %rax
        jl      2f
1:      cmpq    $8, %rax
        jl      3f
        movq    %rsp, %rdi
        movq    %rax, %rsi
        call    heaprake_message_sent
3:      return_
2:      movq    %rsp, %rdi
        movq    %rax, %rsi
        call    heaprake_blocking_call_ended
        jmp     1b
        .cfi_endproc

heaprake_look_for_words:
        .cfi_startproc
        .cfi_adjust_cfa_offset FRAME
        movq    %rsp, %rdi
        movq    %rax, %rsi
        call    heaprake_message_received
        return_
        .cfi_endproc

heaprake_jump_next:
        .cfi_startproc
        jmp     *ROW_NEXT(%r10)
        .cfi_endproc

// fcntl waits for a lock only when its second argument says so.
.macro locking_fcntl name
        begin   \name
        cmpl    $F_SETLKW, %esi
        je      1f
        cmpl    $F_OFD_SETLKW, %esi
        je      1f
        jmp     *heaprake_next_\name(%rip)
1:      leaq    heaprake_row_\name(%rip), %r10
        jmp     heaprake_retry
        finish  \name
.endm
        .set    F_SETLKW, 7
        .set    F_OFD_SETLKW, 38
        locking_fcntl fcntl
        locking_fcntl fcntl64

// __recv_chk(fd, buffer, n, size, flags), __recvfrom_chk(fd, buffer, n, size, flags, from, length):
// recv and recvfrom once n <= size; libc's own function says what is wrong otherwise.
        begin   __recv_chk
        cmpq    %rcx, %rdx
        ja      1f
        movq    %r8, %rcx
        jmp     heaprake_region_recv
1:      jmp     *heaprake_next___recv_chk(%rip)
        finish  __recv_chk

        begin   __recvfrom_chk
        cmpq    %rcx, %rdx
        ja      1f
        movq    %r8, %rcx
        movq    %r9, %r8
        movq    8(%rsp), %r9
        jmp     heaprake_region_recvfrom
1:      jmp     *heaprake_next___recvfrom_chk(%rip)
        finish  __recvfrom_chk

// syscall(number, ...): the few numbers that wait, or give the kernel an address, go to C++, with their seven arguments where a
// function finds them; those that make processes are looked at; all others, and these, are jumped
// through, since vfork and clone return twice.
        begin   syscall
        cmpq    $NUMBERS, %rdi
        jae     1f
        leaq    heaprake_syscall_kinds(%rip), %r11
        cmpb    $HANDLED, (%r11,%rdi)
        jb      1f
        je      2f
        jmp     heaprake_raw_clone
2:      unless_vforked 1f
        jmp     heaprake_handled_syscall
1:      jmp     *heaprake_next_syscall(%rip)
        finish  syscall
        .set    NUMBERS, 512
        .set    HANDLED, 1

// long heaprake_call_in_region(const void* fn, const long args[6])
        .globl  heaprake_call_in_region
        .hidden heaprake_call_in_region
        .type   heaprake_call_in_region, @function
        .p2align 4
heaprake_call_in_region:
        .cfi_startproc
        movq    %rdi, %r11
        movq    %rsi, %r10
        movq    0(%r10), %rdi
        movq    8(%r10), %rsi
        movq    16(%r10), %rdx
        movq    24(%r10), %rcx
        movq    32(%r10), %r8
        movq    40(%r10), %r9
        jmp     heaprake_region_call
        .cfi_endproc
        .size   heaprake_call_in_region, . - heaprake_call_in_region

        .section .note.GNU-stack, "", @progbits
