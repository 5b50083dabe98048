// Graphs for tests, written as lists of each node's targets.
#pragma once

#include <vector>

#include "cli/analysis/graph.h"

namespace heaprake::cli {

inline Graph make(const std::vector<std::vector<uint32_t>>& rows) {
  Graph graph;
  graph.first.push_back(0);
  for (const auto& row : rows) {
    graph.targets.insert(graph.targets.end(), row.begin(), row.end());
    graph.first.push_back(graph.targets.size());
  }
  return graph;
}

}  // namespace heaprake::cli
