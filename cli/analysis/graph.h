// Directed graphs in compressed rows, and their strongly connected components.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cli/snapshot/columns.h"

namespace heaprake::cli {

// Nodes are 0 ... size() - 1. The targets of node v are targets[first[v] ... first[v + 1]).
struct Graph {
  Rows first;
  std::vector<uint32_t> targets;

  size_t size() const { return first.empty() ? 0 : first.size() - 1; }
  std::span<const uint32_t> row(uint32_t node) const {
    return {targets.data() + first[node], targets.data() + first[node + 1]};
  }
};

struct Components {
  // Of each node. Numbered so that an edge between two components leads to the lower number.
  std::vector<uint32_t> of;
  uint32_t count = 0;
};

// Tarjan's algorithm with a stack of its own: a list of ten million nodes is one deep path.
Components strong_components(const Graph& graph);

}  // namespace heaprake::cli
