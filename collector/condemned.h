// Blocks that the collector took away from the program without giving their memory to anyone else:
// condemned ones (oracle mode) and poisoned ones. The set remembers each one's byte of the block
// map, so that a block can be put back when the program turns out to use it still.
//
// add and take run on any thread; each granule is written by one thread at a time (the collector
// before the block is taken off the map, the program when it hands the block in).
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocator/heap.h"

namespace heaprake::collector {

class CondemnedSet {
 public:
  // false: out of memory; the block must then stay as it is.
  bool add(const heap::Block& block, uint8_t byte);
  // Whether p is the start of a block in the set.
  bool contains(const void* p) const { return byte_at(p) != 0; }
  // Takes it out of the set; returns its map byte, 0 if it is not in the set.
  uint8_t take(const void* p);

 private:
  static constexpr size_t kChunk = 4 << 20;  // granules: 64 MiB of heap
  bool ready(size_t granule);
  uint8_t byte_at(const void* p) const;

  uint8_t* bytes_ = nullptr;        // by granule; reserved for the whole range
  uint8_t* chunk_ready_ = nullptr;  // by chunk
};

}  // namespace heaprake::collector
