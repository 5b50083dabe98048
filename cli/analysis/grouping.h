// Structures that look alike, taken together: same shape, and the same kinds of blocks in the root
// component and below it. A block's kind is its type and its allocation site (sites.h); its size
// only if neither is known. How many there are of each kind does not matter: maps of 999 and of
// 1,000 entries look alike. Rings of up to sixteen blocks are told apart by their length.
#pragma once

#include <cstdint>
#include <vector>

#include "cli/analysis/structures.h"
#include "cli/types/types.h"

namespace heaprake::cli {

struct Group {
  Finding finding;   // shape and all sums; nothing of the example
  uint32_t example;  // index of one of the structures, of those with the fewest blocks
};

// Most bytes first.
std::vector<Group> group(const Snapshot& snapshot, const Types& types, const Structures& structures,
                         SharedFiles files = nullptr);

}  // namespace heaprake::cli
