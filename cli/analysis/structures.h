// What is lost, as a person thinks of it: structures.
//
// The unreachable blocks and their references are a graph. A *structure* is one root of its
// condensation (a strongly connected component that nothing outside it refers to) with all that is
// reachable from it and not already another structure's; roots take their turn in address order.
// Every unreachable block belongs to exactly one structure, so sums over structures are exact.
#pragma once

#include <cstdint>
#include <vector>

#include "cli/analysis/finding.h"
#include "cli/analysis/graph.h"
#include "cli/analysis/stale_words.h"
#include "cli/progress.h"
#include "cli/snapshot/snapshot.h"

namespace heaprake::cli {

struct Structure {
  uint64_t bytes;  // asked for
  // Its nodes are Structures::order[begin ... end): first the root component in address order, then
  // the rest, nearest first.
  uint32_t begin, end;
  uint32_t root_blocks;  // in the root component
  Shape shape;
  uint32_t blocks() const { return end - begin; }
};

struct Structures {
  std::vector<uint32_t> block_of;  // node -> block of the snapshot, ascending
  StaleWords stale;                // which are no references
  Graph graph;                     // of the nodes; parallel references are parallel edges
  std::vector<uint32_t> order;     // nodes
  std::vector<Structure> all;      // in address order of their roots
  uint64_t bytes = 0, cycles = 0;
};

// Of the blocks that are chosen, as if there were no others.
Structures find_structures(const Snapshot& snapshot, const std::vector<bool>& chosen,
                           const Progress& progress = {});
// Of those that are lost, without what stale words refer to. With types more of these are known.
Structures find_structures(const Snapshot& snapshot, const Progress& progress = {},
                           const Types* types = nullptr);

}  // namespace heaprake::cli
