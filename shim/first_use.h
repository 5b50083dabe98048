// The heap starts with the first request for memory, which comes from the dynamic loader, long
// before any constructor. The fast path pays for it only when an allocation fails. Where there is
// no address space for a heap, libc's own serves the program, and nothing is collected.
#pragma once

#include "allocator/heap.h"

namespace heaprake::shim {

// Reads the options and initialises the heap if nobody has. True if there is a heap, so that a
// failed request deserves another try (one that failed for want of memory fails once more, at no
// harm). Any thread, any time.
bool start_heap();

// Out of line, so that the caller keeps no registers for it.
template <class Allocate, class Otherwise>
[[gnu::noinline, gnu::cold]] void* try_again(Allocate allocate, Otherwise without_heap) {
  return start_heap() ? allocate() : without_heap();
}

template <class Allocate, class Otherwise>
inline void* with_heap(Allocate allocate, Otherwise without_heap) {
  void* p = allocate();
  if (p) [[likely]]
    return p;
  return try_again(allocate, without_heap);
}

// When nothing is at hand: the heap's slow path, started first if need be.
[[gnu::noinline]] void* allocate_further(size_t size);

// malloc's way. What is at hand needs neither a start nor a stack frame.
inline void* allocate(size_t size) {
  void* p = heap::allocate_at_hand(size);
  return p ? p : allocate_further(size);
}

}  // namespace heaprake::shim
