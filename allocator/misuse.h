// Addresses that are no block.
#pragma once

namespace heaprake::heap {

// True if p is the start of a recorded block, perhaps only after the misuse handler has put it
// back.
bool is_block_start(const void* p, const char* call);

}  // namespace heaprake::heap
