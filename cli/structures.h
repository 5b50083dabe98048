// What is lost, as a person thinks of it: structures, and findings that group those that look
// alike.
//
// The unreachable blocks and their references are a graph. A *structure* is one root of its
// condensation (a strongly connected component that nothing outside it refers to) with all that is
// reachable from it and not already another structure's; roots take their turn in address order.
// Every unreachable block belongs to exactly one structure, so sums over structures are exact.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/graph.h"
#include "cli/snapshot_file.h"

namespace heaprake::cli {

enum class Shape {
  kBlock,  // one block, without a reference to itself
  kTree,   // several blocks; the root is a single block and no cycle (there may be one below it)
  kCycle,  // the root component is a cycle, a block that refers to itself included
};

const char* name_of(Shape shape);

struct Structure {
  Shape shape;
  // Its blocks are Analysis::order[begin ... end): first the root component in address order, then
  // the rest, nearest first.
  uint32_t begin, end;
  uint32_t root_blocks;  // in the root component
  uint64_t bytes;        // asked for
  uint32_t blocks() const { return end - begin; }
};

// Structures of the same shape whose blocks have the same sizes.
struct Finding {
  Shape shape;
  std::vector<uint64_t> root_sizes;  // that occur in root components, ascending, each once
  std::vector<uint64_t> rest_sizes;  // that occur below them
  uint64_t structures = 0, blocks = 0, bytes = 0;
  uint32_t fewest_root = UINT32_MAX, most_root = 0;  // blocks in a root component
  uint32_t fewest_rest = UINT32_MAX, most_rest = 0;  // blocks below it
  uint32_t example = 0;                              // index of its first structure
};

struct Analysis {
  Graph graph;  // of the snapshot's blocks; its edges stand in the order of the snapshot's
  std::vector<uint64_t> references;  // to each block, from unreachable blocks
  std::vector<uint32_t> order;
  std::vector<Structure> structures;  // in address order of their roots
  std::vector<Finding> findings;      // most bytes first
  uint64_t blocks = 0, bytes = 0, cycles = 0;
};

Analysis analyse(const Snapshot& snapshot);

// One structure in detail, for people and for JSON.
struct Detail {
  // Indices of blocks: the cycle first, in its order, then the others of the structure.
  std::vector<uint32_t> members;
  struct Edge {
    uint32_t from, to;  // positions in `members`
    uint64_t offset;
  };
  std::vector<Edge> edges;    // among the members
  int64_t closing_edge = -1;  // position in `edges` of the one that closes the cycle, or -1
  uint32_t cycle_length = 0;  // blocks in the shortest cycle through the first member
  uint64_t omitted = 0;       // members beyond the limit
};

Detail describe(const Snapshot& snapshot, const Analysis& analysis, const Structure& structure,
                uint32_t limit);

}  // namespace heaprake::cli
