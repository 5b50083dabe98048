// Addresses that are no block.
#pragma once

#include "allocator/heap.h"

namespace heaprake::heap {

// True if p is the start of a recorded block, perhaps only after the misuse handler has put it
// back.
bool is_block_start(const void* p, const char* call);
// That block, or an empty one. Also where a sweep takes the block between two looks at the map.
Block block_start(const void* p, const char* call);

}  // namespace heaprake::heap
