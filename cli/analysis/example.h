// One structure of a finding in detail: its members, the references among them, and what closes
// its cycle. Parts are folded into what they are parts of.
#pragma once

#include <cstdint>
#include <vector>

#include "cli/analysis/folding.h"
#include "cli/analysis/structures.h"

namespace heaprake::cli {

struct Example {
  struct Shown {
    uint32_t block;
    // It stands for all blocks of this container, which is part of another member; else null.
    const Container* container;
    uint64_t folded_blocks, folded_bytes;
  };
  // A shortest cycle through the oldest block of the root component first, in its order, beginning
  // with that block, or where a shared_ptr leads to if none leads there; then the others, nearest
  // to the root first. A weak_ptr makes no cycle.
  std::vector<Shown> members;
  uint32_t cycle_length = 0;  // 0 also where containers alone make the ring
  bool searched = true;       // for a cycle as far as there might be one
  uint64_t omitted = 0;       // blocks for which no member stands
  struct Edge {
    uint32_t from, to;  // positions in members
    BlockEdge word;
    bool weak;  // of a weak_ptr
  };
  std::vector<Edge> edges;     // of very many the first, and the closing one
  uint64_t edges_omitted = 0;  // the others
  // Position in edges of the reference from the last node of the cycle to the first, or -1. The
  // oldest block was there before the others, so that it owns them rather than they it: it is the
  // way back to it that had better been weak.
  int64_t closing_edge = -1;
};

Example example_of(const Snapshot& snapshot, const Structures& structures,
                   const Structure& structure, const Folding& folding, uint32_t limit);

}  // namespace heaprake::cli
