#include "cli/analysis/example.h"

#include <algorithm>
#include <span>
#include <unordered_map>
#include <unordered_set>

namespace heaprake::cli {

namespace {

// A shortest cycle through `start` among the nodes of its component, by breadth-first search from
// it until an edge leads back. Empty if there is none.
std::vector<uint32_t> shortest_cycle(const Graph& graph, std::span<const uint32_t> component,
                                     uint32_t start) {
  std::unordered_map<uint32_t, uint32_t> parent;  // UINT32_MAX: not reached yet
  for (uint32_t node : component) parent[node] = UINT32_MAX;
  std::vector<uint32_t> queue = {start};
  parent[start] = start;
  for (size_t next = 0; next < queue.size(); ++next) {
    const uint32_t node = queue[next];
    for (uint32_t target : graph.row(node)) {
      if (target == start) {
        std::vector<uint32_t> cycle;
        for (uint32_t at = node; at != start; at = parent[at]) cycle.push_back(at);
        cycle.push_back(start);
        std::reverse(cycle.begin(), cycle.end());
        return cycle;
      }
      const auto inside = parent.find(target);
      if (inside == parent.end() || inside->second != UINT32_MAX) continue;
      inside->second = node;
      queue.push_back(target);
    }
  }
  return {};
}

uint32_t oldest(const Snapshot& snapshot, const Structures& structures,
                std::span<const uint32_t> component) {
  return *std::min_element(component.begin(), component.end(), [&](uint32_t a, uint32_t b) {
    return snapshot.time_ms[structures.block_of[a]] < snapshot.time_ms[structures.block_of[b]];
  });
}

void list_nodes(const Snapshot& snapshot, const Structures& structures, const Structure& structure,
                uint32_t limit, Example* out) {
  const uint32_t* nodes = structures.order.data() + structure.begin;
  const std::span<const uint32_t> root = {nodes, structure.root_blocks};
  if (structure.shape == Shape::kCycle)
    out->nodes = shortest_cycle(structures.graph, root, oldest(snapshot, structures, root));
  out->cycle_length = static_cast<uint32_t>(out->nodes.size());
  if (out->nodes.size() > limit) out->nodes.resize(limit);
  std::unordered_set<uint32_t> listed(out->nodes.begin(), out->nodes.end());
  for (uint32_t i = 0; i < structure.blocks() && out->nodes.size() < limit; ++i) {
    if (listed.insert(nodes[i]).second) out->nodes.push_back(nodes[i]);
  }
  out->omitted = structure.blocks() - out->nodes.size();
}

}  // namespace

Example example_of(const Snapshot& snapshot, const Structures& structures,
                   const Structure& structure, uint32_t limit) {
  Example example;
  list_nodes(snapshot, structures, structure, limit, &example);
  std::unordered_map<uint32_t, uint32_t> position;  // by block
  for (uint32_t i = 0; i < example.nodes.size(); ++i)
    position[structures.block_of[example.nodes[i]]] = i;
  for (uint32_t from = 0; from < example.nodes.size(); ++from) {
    for (const BlockEdge& edge : snapshot.edges_of(structures.block_of[example.nodes[from]])) {
      const auto to = position.find(edge.to);
      if (to == position.end()) continue;
      if (from + 1 == example.cycle_length && to->second == 0 && example.closing_edge < 0)
        example.closing_edge = static_cast<int64_t>(example.edges.size());
      example.edges.push_back({from, to->second, edge});
    }
  }
  return example;
}

}  // namespace heaprake::cli
