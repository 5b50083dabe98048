// dlopen and dlmopen without RTLD_DEEPBIND: a library that binds to libc's free first would be
// given our blocks to free. Jumped through, never called, since the loader takes the caller's
// address to find its RUNPATH and namespace.

        .set    RTLD_DEEPBIND, 8

        .text
        .globl  dlopen
        .type   dlopen, @function
        .p2align 4
dlopen:
        .cfi_startproc
        endbr64
        movb    $1, heaprake_loader_used(%rip)  // see allocator/heap.h
        andl    $~RTLD_DEEPBIND, %esi
        jmp     *heaprake_next_dlopen(%rip)
        .cfi_endproc
        .size   dlopen, . - dlopen

        .globl  dlmopen
        .type   dlmopen, @function
        .p2align 4
dlmopen:
        .cfi_startproc
        endbr64
        movb    $1, heaprake_loader_used(%rip)  // see allocator/heap.h
        andl    $~RTLD_DEEPBIND, %edx
        jmp     *heaprake_next_dlmopen(%rip)
        .cfi_endproc
        .size   dlmopen, . - dlmopen

        .section .note.GNU-stack, "", @progbits
