// Memory for blocks, not yet recorded: from mimalloc or from the wide area.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/heap.h"

namespace heaprake::heap {

struct Memory {
  uintptr_t p = 0;
  bool wide = false;
};

// nullptr in p when out of memory. `bytes` is at least 16.
Memory obtain(size_t bytes, bool zeroed);
Memory obtain_aligned(size_t bytes, size_t alignment);
// p as obtain returned it, or a block of mimalloc's that is not titled.
void give_back(void* p);
// Bytes that may be used at p, which is not wide.
size_t mimalloc_capacity(const void* p);

// Sets errno; returns nullptr.
void* no_memory();
// Asks the collector for memory. true: try again.
bool rescue();

// Lets the collector run if it wants to. Only where the heap is in a consistent state.
void poll();
void start_polling();
// From now on the thread is ending: it polls no more, and leaves its count to a later thread.
void stop_polling();
// The thread begins with what ended ones left: else short threads, none of which allocates enough
// to poll, would never be heard of.
void take_over_count();
// mimalloc must not be asked to give memory back any more.
void stop_tidying();
bool tidying();

}  // namespace heaprake::heap
