#include "cli/analysis/structures.h"

#include <algorithm>
#include <utility>

namespace heaprake::cli {

namespace {

constexpr uint32_t kNoNode = UINT32_MAX;

void gather(const Snapshot& snapshot, const std::vector<bool>& chosen, Structures* out) {
  std::vector<uint32_t> node_of(snapshot.blocks(), kNoNode);
  out->block_of.reserve(static_cast<size_t>(std::count(chosen.begin(), chosen.end(), true)));
  for (uint32_t block = 0; block < snapshot.blocks(); ++block) {
    if (!chosen[block]) continue;
    node_of[block] = static_cast<uint32_t>(out->block_of.size());
    out->block_of.push_back(block);
  }
  size_t targets = 0;
  for (uint32_t block : out->block_of)
    for (const BlockEdge& edge : out->stale.live_edges(snapshot, block))
      targets += node_of[edge.to] != kNoNode;
  out->graph.targets.reserve(targets);
  out->graph.first.reserve(out->block_of.size() + 1);
  out->graph.first.push_back(0);
  for (uint32_t block : out->block_of) {
    for (const BlockEdge& edge : out->stale.live_edges(snapshot, block)) {
      if (node_of[edge.to] != kNoNode) out->graph.targets.push_back(node_of[edge.to]);
    }
    out->graph.first.push_back(out->graph.targets.size());
  }
}

// The nodes of each component, in address order: nodes[first[c] ... first[c + 1]).
struct Membership {
  std::vector<uint32_t> first;
  std::vector<uint32_t> nodes;
};

Membership membership_of(const Components& components) {
  Membership m;
  m.first.assign(components.count + 1, 0);
  m.nodes.resize(components.of.size());
  for (uint32_t c : components.of) ++m.first[c];
  // First where each one's end, then, as they are filled from there, where they begin.
  for (size_t c = 1; c < m.first.size(); ++c) m.first[c] += m.first[c - 1];
  for (size_t node = components.of.size(); node-- > 0;)
    m.nodes[--m.first[components.of[node]]] = static_cast<uint32_t>(node);
  return m;
}

// Which components nothing outside them refers to, and which contain a cycle.
struct Traits {
  std::vector<bool> root, cyclic;
};

Traits traits_of(const Graph& graph, const Components& components) {
  Traits traits{std::vector<bool>(components.count, true),
                std::vector<bool>(components.count, false)};
  for (uint32_t node = 0; node < graph.size(); ++node) {
    for (uint32_t target : graph.row(node)) {
      if (components.of[node] == components.of[target])
        traits.cyclic[components.of[node]] = true;
      else
        traits.root[components.of[target]] = false;
    }
  }
  return traits;
}

// A structure for each root of the condensation.
void divide(const Snapshot& snapshot, Structures* out) {
  const Components components = strong_components(out->graph);
  const Membership members = membership_of(components);
  const Traits traits = traits_of(out->graph, components);
  std::vector<bool> taken(out->graph.size(), false);
  out->order.reserve(out->graph.size());
  out->all.reserve(static_cast<size_t>(std::count(traits.root.begin(), traits.root.end(), true)));

  for (uint32_t node = 0; node < out->graph.size(); ++node) {
    const uint32_t root = components.of[node];
    // Once for each root: at its lowest block.
    if (!traits.root[root] || members.nodes[members.first[root]] != node) continue;
    Structure structure{};
    structure.begin = static_cast<uint32_t>(out->order.size());
    structure.root_blocks = members.first[root + 1] - members.first[root];
    for (uint32_t i = members.first[root]; i < members.first[root + 1]; ++i) {
      taken[members.nodes[i]] = true;
      out->order.push_back(members.nodes[i]);
    }
    for (size_t next = structure.begin; next < out->order.size(); ++next) {
      structure.bytes += snapshot.requested[out->block_of[out->order[next]]];
      for (uint32_t target : out->graph.row(out->order[next])) {
        if (taken[target]) continue;
        taken[target] = true;
        out->order.push_back(target);
      }
    }
    structure.end = static_cast<uint32_t>(out->order.size());
    structure.shape = traits.cyclic[root]       ? Shape::kCycle
                      : structure.blocks() == 1 ? Shape::kBlock
                                                : Shape::kTree;
    out->all.push_back(structure);
    out->bytes += structure.bytes;
    out->cycles += structure.shape == Shape::kCycle ? 1 : 0;
  }
}

Structures find_structures(const Snapshot& snapshot, const std::vector<bool>& chosen,
                           StaleWords stale, const Progress& progress) {
  Structures result;
  result.stale = std::move(stale);
  report_progress(progress, "finding structures", 0, 3);
  gather(snapshot, chosen, &result);
  report_progress(progress, "finding structures", 1, 3);
  divide(snapshot, &result);
  report_progress(progress, "finding structures", 3, 3);
  return result;
}

}  // namespace

Structures find_structures(const Snapshot& snapshot, const std::vector<bool>& chosen,
                           const Progress& progress) {
  return find_structures(snapshot, chosen, StaleWords(), progress);
}

Structures find_structures(const Snapshot& snapshot, const Progress& progress, const Types* types) {
  std::vector<bool> lost(snapshot.blocks());
  for (uint32_t block = 0; block < snapshot.blocks(); ++block)
    lost[block] = !snapshot.reachable(block);
  return find_structures(snapshot, lost, StaleWords(snapshot, lost, types), progress);
}

}  // namespace heaprake::cli
