// Blocks that the program can reach, but maybe only because a number looks like an address.
#pragma once

#include <vector>

#include "cli/snapshot/snapshot.h"

namespace heaprake::cli {

// Those to which every way begins with a word outside the blocks that leads into the middle of one,
// where no block's word leads into the middle of a block of that kind (allocation stack, or size
// where that is not known) in the same way. Objects that all the program refers to by an address
// inside them (behind a header, or by a base class) are therefore none. Empty unless the snapshot
// has all blocks.
std::vector<bool> near_leaks(const Snapshot& snapshot);

}  // namespace heaprake::cli
