// From what a program hands to the functions of gc.h to the block that it means.
#pragma once

#include "allocator/heap.h"
#include "collector/collector.h"
#include "shim/ids.h"

namespace heaprake::shim {

inline heap::Block block_of(const void* p) {
  return heap::find_block(reinterpret_cast<uintptr_t>(p));
}

// An empty block if there is none that starts there (any more). Whoever is given the address keeps
// the block alive from here on; garbage that is about to be freed no longer exists.
inline heap::Block block_of(gc_id_t id) {
  uintptr_t address = address_of_id(id);
  heap::Block block = heap::find_block(address);
  const bool exists = block && block.address == address && !collector::is_garbage(block);
  asm volatile("" : : "r"(address));
  return exists ? block : heap::Block{};
}

// The caller may hold the block by the argument alone, until the call is over.
inline void keep_until_here(const void* p) {
  asm volatile("" : : "r"(p) : "memory");
}

}  // namespace heaprake::shim
