#include "cli/structures.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace heaprake::cli {

namespace {

Graph graph_of(const Snapshot& snapshot) {
  Graph graph;
  graph.first.assign(snapshot.blocks.size() + 1, 0);
  graph.targets.reserve(snapshot.edges.size());
  // The edges are in order of `from`, so the rows come one after the other.
  for (const heaprake_snapshot_edge& edge : snapshot.edges) {
    ++graph.first[edge.from + 1];
    graph.targets.push_back(static_cast<uint32_t>(edge.to));
  }
  for (size_t i = 1; i < graph.first.size(); ++i) graph.first[i] += graph.first[i - 1];
  return graph;
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
  for (uint32_t c : components.of) ++m.first[c + 1];
  for (size_t c = 1; c < m.first.size(); ++c) m.first[c] += m.first[c - 1];
  std::vector<uint32_t> next(m.first.begin(), m.first.end() - 1);
  for (uint32_t node = 0; node < components.of.size(); ++node)
    m.nodes[next[components.of[node]]++] = node;
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

void find_structures(const Snapshot& snapshot, Analysis* out) {
  const Components components = strong_components(out->graph);
  const Membership members = membership_of(components);
  const Traits traits = traits_of(out->graph, components);
  std::vector<bool> taken(out->graph.size(), false);
  out->order.reserve(out->graph.size());

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
      structure.bytes += snapshot.blocks[out->order[next]].requested;
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
    out->structures.push_back(structure);
    out->bytes += structure.bytes;
    out->cycles += structure.shape == Shape::kCycle ? 1 : 0;
  }
  out->blocks = out->order.size();
}

std::vector<uint64_t> sizes_of(const Snapshot& snapshot, const Analysis& analysis, uint32_t begin,
                               uint32_t end) {
  std::vector<uint64_t> sizes;
  for (uint32_t i = begin; i < end; ++i)
    sizes.push_back(snapshot.blocks[analysis.order[i]].requested);
  std::sort(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  return sizes;
}

// Rings of up to so many blocks are told apart by their length; longer ones are taken together.
constexpr uint32_t kLongRing = 16;

void find_findings(const Snapshot& snapshot, Analysis* out) {
  using Key = std::tuple<Shape, uint32_t, std::vector<uint64_t>, std::vector<uint64_t>>;
  std::map<Key, size_t> found;
  for (uint32_t i = 0; i < out->structures.size(); ++i) {
    const Structure& structure = out->structures[i];
    const uint32_t middle = structure.begin + structure.root_blocks;
    Key key(structure.shape, std::min(structure.root_blocks, kLongRing + 1),
            sizes_of(snapshot, *out, structure.begin, middle),
            sizes_of(snapshot, *out, middle, structure.end));
    const auto [at, fresh] = found.try_emplace(std::move(key), out->findings.size());
    if (fresh) {
      Finding finding{};
      finding.shape = structure.shape;
      finding.root_sizes = std::get<2>(at->first);
      finding.rest_sizes = std::get<3>(at->first);
      finding.fewest_root = finding.fewest_rest = UINT32_MAX;
      finding.example = i;
      out->findings.push_back(std::move(finding));
    }
    Finding& finding = out->findings[at->second];
    const uint32_t rest = structure.blocks() - structure.root_blocks;
    ++finding.structures;
    finding.blocks += structure.blocks();
    finding.bytes += structure.bytes;
    finding.fewest_root = std::min(finding.fewest_root, structure.root_blocks);
    finding.most_root = std::max(finding.most_root, structure.root_blocks);
    finding.fewest_rest = std::min(finding.fewest_rest, rest);
    finding.most_rest = std::max(finding.most_rest, rest);
  }
  std::stable_sort(out->findings.begin(), out->findings.end(),
                   [](const Finding& a, const Finding& b) {
                     return std::tie(a.bytes, a.blocks) > std::tie(b.bytes, b.blocks);
                   });
}

}  // namespace

const char* name_of(Shape shape) {
  switch (shape) {
    case Shape::kBlock:
      return "block";
    case Shape::kTree:
      return "tree";
    case Shape::kCycle:
      return "cycle";
  }
  return "";
}

Analysis analyse(const Snapshot& snapshot) {
  Analysis analysis;
  analysis.graph = graph_of(snapshot);
  analysis.references.assign(snapshot.blocks.size(), 0);
  for (uint32_t target : analysis.graph.targets) ++analysis.references[target];
  find_structures(snapshot, &analysis);
  find_findings(snapshot, &analysis);
  return analysis;
}

}  // namespace heaprake::cli
