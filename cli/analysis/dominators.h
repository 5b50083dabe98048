// Who alone keeps whom: node A dominates node B if every way from a root to B goes through A. What
// a node dominates is what goes when it goes; the bytes of all that are its *retained* bytes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cli/analysis/graph.h"

namespace heaprake::cli {

struct Dominators {
  static constexpr uint32_t kRoots = UINT32_MAX;          // no single node: the roots together
  static constexpr uint32_t kUnreached = UINT32_MAX - 1;  // no root leads there

  std::vector<uint32_t> parent;  // of each node: the nearest node that dominates it, or these
  std::vector<uint32_t> order;   // every reached node, after its parent
};

// Semi-NCA (Georgiadis): the semidominators of Lengauer and Tarjan, then nearest common ancestors.
// Roots may repeat.
Dominators dominators_of(const Graph& graph, std::span<const uint32_t> roots);

// Of each node: its own bytes and those of all that it dominates; 0 for what is not reached.
std::vector<uint64_t> retained_bytes(const Dominators& dominators, std::vector<uint64_t> bytes);

}  // namespace heaprake::cli
