// Blocks that the collector took away from the program without giving their memory to anyone else:
// condemned ones (oracle mode) and poisoned ones. The set remembers each one's byte of the block
// map, so that a block can be put back when the program turns out to use it still.
//
// add and take run on any thread. The collector adds a block before it takes it off the map, and
// takes it out again should the program have freed it meanwhile; the program takes it out when it
// hands the block in. Of several takes one gets the byte.
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
  bool contains(const void* p) const;
  // Takes it out of the set; returns its map byte, 0 if it is not in the set.
  uint8_t take(const void* p);

 private:
  heap::GranuleBytes bytes_;
};

}  // namespace heaprake::collector
