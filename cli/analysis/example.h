// One structure of a finding in detail: its members, the references among them, and what closes
// its cycle.
#pragma once

#include <cstdint>
#include <vector>

#include "cli/analysis/structures.h"

namespace heaprake::cli {

struct Example {
  // A shortest cycle through the oldest block of the root component first, in its order, beginning
  // with that block; then the others, nearest to the root first.
  std::vector<uint32_t> nodes;
  uint32_t cycle_length = 0;
  uint64_t omitted = 0;  // nodes beyond the limit
  struct Edge {
    uint32_t from, to;  // positions in nodes
    BlockEdge word;
  };
  std::vector<Edge> edges;  // among the nodes that are listed
  // Position in edges of the reference from the last node of the cycle to the first, or -1. The
  // oldest block was there before the others, so that it owns them rather than they it: it is the
  // way back to it that had better been weak.
  int64_t closing_edge = -1;
};

Example example_of(const Snapshot& snapshot, const Structures& structures,
                   const Structure& structure, uint32_t limit);

}  // namespace heaprake::cli
