/* heaprake_call_contained(function, a, b, c, about): a frame whose personality (contained_call.cpp)
 * stops every exception and goes on at the landing below, where the exception is in rax. */

        .text
        .globl  heaprake_call_contained
        .hidden heaprake_call_contained
        .type   heaprake_call_contained, @function
        .globl  heaprake_contained_landing
        .hidden heaprake_contained_landing
        .hidden heaprake_contain
        .hidden heaprake_end_contained
        .balign 16
heaprake_call_contained:
        .cfi_startproc
        .cfi_personality 0x1b, heaprake_contain         /* relative to here, four bytes */
        endbr64
        pushq   %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset %rbp, -16
        movq    %rsp, %rbp
        .cfi_def_cfa_register %rbp
        subq    $16, %rsp
        movq    %r8, -8(%rbp)
        movq    %rdi, %rax
        movq    %rsi, %rdi
        movq    %rdx, %rsi
        movq    %rcx, %rdx
        call    *%rax
        jmp     .Ldone
heaprake_contained_landing:
        endbr64
        movq    %rax, %rdi
        movq    -8(%rbp), %rsi
        call    heaprake_end_contained
.Ldone:
        movq    $0, -8(%rbp)            /* dead frames keep nothing */
        leave
        .cfi_def_cfa %rsp, 8
        ret
        .cfi_endproc
        .size   heaprake_call_contained, . - heaprake_call_contained

        .section .note.GNU-stack, "", @progbits
