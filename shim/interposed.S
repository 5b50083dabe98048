// The rows of interposed.h, the stub that each one's `next` begins with, and the exported entries
// of the blocking calls.

// enum Timeout
        .set    NONE, 0
        .set    MILLISECONDS, 1
        .set    TIMESPEC, 2
        .set    RECEIVE, 3
        .set    SEND, 4
        .set    CONNECT, 5

// enum Carries
        .set    NOTHING, 0
        .set    BYTES, 1
        .set    PIECES, 2
        .set    MESSAGE, 3
        .set    MESSAGES, 4
        .set    QUEUE, 5
        .set    SYSTEM_V, 6
        .set    INFO, 7

// One row; `entry` and `region` are 0 for functions that are written in C++ or elsewhere by hand.
.macro row name, version, entry, region, timeout, limit, count, waitall, carries=NOTHING
        .section .rodata.heaprake_names, "a", @progbits
.Lname_\name:
        .asciz  "\name"
        .ifnc   \version,0
.Lversion_\name:
        .asciz  "\version"
        .endif

        .section .data.heaprake_rows, "aw", @progbits
        .globl  heaprake_row_\name, heaprake_next_\name
        .hidden heaprake_row_\name, heaprake_next_\name
heaprake_row_\name:
        .quad   .Lname_\name
        .ifnc   \version,0
        .quad   .Lversion_\name
        .else
        .quad   0
        .endif
heaprake_next_\name:
        .quad   .Llazy_\name
.Lentry_\name:
        .quad   \entry
        .quad   \entry
        .quad   \region
        .byte   \timeout, \limit, \count, \waitall, \carries, 0, 0, 0

        .text
        .p2align 3
.Llazy_\name:
        .cfi_startproc
        leaq    heaprake_row_\name(%rip), %r11
        jmp     heaprake_resolve_and_jump
        .cfi_endproc
.endm

// A blocking call's row, its exported entry and its direct way.
.macro blocking name, version, timeout, limit, count, waitall, carries=NOTHING
        row     \name, \version, .Ldirect_\name, heaprake_region_\name, \timeout, \limit, \count, \waitall, \carries
        .globl  \name
        .type   \name, @function
        .p2align 4
\name:
        .cfi_startproc
        endbr64
        jmp     *.Lentry_\name(%rip)
.Ldirect_\name:
        jmp     *heaprake_next_\name(%rip)
        .cfi_endproc
        .size   \name, . - \name
.endm

        .section .data.heaprake_rows, "aw", @progbits
        .p2align 6
        .globl  heaprake_rows
        .hidden heaprake_rows
heaprake_rows:

#define HEAPRAKE_INTERPOSED(name, version) row name, version, 0, 0, NONE, 0, 0, 0 ;
#include "shim/interposed.def"

#define HEAPRAKE_PLAIN(name, version) blocking name, version, NONE, 0, 0, 0 ;
#define HEAPRAKE_RETRY(name, version, timeout, arg) blocking name, version, timeout, arg, 0, 0 ;
#define HEAPRAKE_TRANSFER(name, version, timeout, arg) blocking name, version, timeout, 0, arg, 0 ;
#define HEAPRAKE_SEND(name, version) blocking name, version, SEND, 0, 2, 0, BYTES ;
#define HEAPRAKE_RECEIVE(name, version, timeout, arg, carries) \
  blocking name, version, timeout, arg, 0, 0, carries ;
#define HEAPRAKE_WAITALL(name, version) blocking name, version, RECEIVE, 0, 2, 1, BYTES ;
#define HEAPRAKE_GATHER(name, version) blocking name, version, SEND, 0, 0, 0 ;
#define HEAPRAKE_SPECIAL(name, version) blocking name, version, NONE, 0, 0, 0 ;
#include "shim/blocking_calls.def"

        .section .data.heaprake_rows, "aw", @progbits
        .globl  heaprake_rows_end
        .hidden heaprake_rows_end
heaprake_rows_end:

// Finds the function of the row in %r11 and jumps to it; every argument register is kept (%al
// counts the vector registers of a variadic call; none of these functions takes one).
        .text
        .p2align 4
heaprake_resolve_and_jump:
        .cfi_startproc
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
        movq    %r11, %rdi
        call    heaprake_resolve
        movq    %rax, %r11
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
        jmp     *%r11
        .cfi_endproc

        .section .note.GNU-stack, "", @progbits
