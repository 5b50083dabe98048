// Where blocks may lie: the reserved range, its side tables, and which parts of both are usable.
//
//   base [ mimalloc's arenas | given to neither yet | wide blocks ) base + size
//                     arena_end ->             (placed from the top down)
//
// arena_end only moves up, under the wide lock, and never over a wide block.
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/heap.h"

namespace heaprake::heap::space {

// The range is a multiple of this and aligned to it. At least mimalloc's segment size.
inline constexpr size_t kChunk = 64u << 20;

// Reserves the range and the tables and fills in `geometry`, its map last. Once.
bool reserve();

// Makes [lo, lo + bytes) readable and writable, and recordable: the tables' parts for it too.
// Rounded out to slices. Callers never share a slice, unless under one lock. false: out of memory.
bool make_usable(uintptr_t lo, size_t bytes);
// Accounting only: [lo, lo + bytes) holds no block any more; some may appear there again after the
// next make_usable.
void note_unused(uintptr_t lo, size_t bytes);
// Gives the memory of [lo, lo + bytes), which holds no block, and of the map for it back to the
// system. It reads as zero afterwards.
void discard(uintptr_t lo, size_t bytes);
size_t committed_bytes();

// The end of mimalloc's part. What lies at or above it in the range is a wide block.
uintptr_t arena_end();
// Gives mimalloc another piece of what is below `limit`, the lowest wide block. false: none left.
bool extend_arena(uintptr_t limit);

inline bool in_range(uintptr_t p) {
  return p - geometry.base < geometry.size;
}
inline bool is_wide(uintptr_t p) {
  return p >= arena_end();
}

void reset_after_fork();

}  // namespace heaprake::heap::space
