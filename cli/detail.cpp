// One structure in detail: its members, the references among them, and what closes its cycle.
#include <algorithm>
#include <unordered_map>

#include "cli/structures.h"

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

}  // namespace

Detail describe(const Snapshot& snapshot, const Analysis& analysis, const Structure& structure,
                uint32_t limit) {
  Detail detail;
  const uint32_t* blocks = analysis.order.data() + structure.begin;
  if (structure.shape == Shape::kCycle)
    detail.members = shortest_cycle(analysis.graph, {blocks, structure.root_blocks}, blocks[0]);
  detail.cycle_length = static_cast<uint32_t>(detail.members.size());
  if (detail.members.size() > limit) detail.members.resize(limit);
  std::unordered_map<uint32_t, uint32_t> position;
  for (uint32_t i = 0; i < detail.members.size(); ++i) position[detail.members[i]] = i;
  for (uint32_t i = 0; i < structure.blocks() && detail.members.size() < limit; ++i) {
    if (position.try_emplace(blocks[i], static_cast<uint32_t>(detail.members.size())).second)
      detail.members.push_back(blocks[i]);
  }
  detail.omitted = structure.blocks() - detail.members.size();

  for (uint32_t from = 0; from < detail.members.size(); ++from) {
    const uint32_t node = detail.members[from];
    for (uint64_t e = analysis.graph.first[node]; e < analysis.graph.first[node + 1]; ++e) {
      const auto to = position.find(analysis.graph.targets[e]);
      if (to == position.end()) continue;
      if (from + 1 == detail.cycle_length && to->second == 0 && detail.closing_edge < 0)
        detail.closing_edge = static_cast<int64_t>(detail.edges.size());
      detail.edges.push_back({from, to->second, snapshot.edges[e].offset});
    }
  }
  return detail;
}

}  // namespace heaprake::cli
