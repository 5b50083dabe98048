// Bad addresses handed to free, realloc and malloc_usable_size: the one place that decides what
// they are, and the one reporter.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heaprake::shim {

// The heap's misuse handler (heap.h says what it owes). In order: a block that the oracle condemned
// is put back; glibc's own blocks go to glibc; everything else is reported, and ends the process
// unless the option abort is 0.
bool on_misuse(const void* p, const char* call);

// What realloc and malloc_usable_size do when the heap has no answer: glibc's own blocks have one
// there; otherwise nullptr and 0.
void* realloc_failed(void* p, size_t size);
size_t usable_size_failed(void* p);

uint64_t misuse_count();

}  // namespace heaprake::shim
