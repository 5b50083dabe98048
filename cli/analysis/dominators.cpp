#include "cli/analysis/dominators.h"

#include <algorithm>

namespace heaprake::cli {

namespace {

// Works on numbers by discovery, from 1; 0 is the root of all roots, so that a smaller number is
// never below a larger one in the tree of the search. Edge: what counts all edges, and roots.
// Whatever is not needed any more is given back at once: there is most memory in use here.
template <class Edge>
class SemiNca {
 public:
  SemiNca(const Graph& graph, std::span<const uint32_t> roots)
      : graph_(graph), number_(graph.size(), 0) {
    node_.reserve(graph.size() + 1);
    up_.reserve(graph.size() + 1);
    node_.push_back(0);
    up_.push_back(0);
    for (uint32_t root : roots) discover_from(root);
    path_ = {};
    gather_predecessors(roots);
    number_ = {};
  }

  Dominators run() {
    const auto count = static_cast<uint32_t>(node_.size());
    dominator_ = up_;
    semi_.resize(count);
    best_.resize(count);
    for (uint32_t v = 0; v < count; ++v) semi_[v] = best_[v] = v;
    for (uint32_t v = count; v-- > 1;) {
      uint32_t semi = up_of_tree(v);
      for (Edge i = first_[v]; i < first_[v + 1]; ++i)
        semi = std::min(semi, semi_[best_below(predecessors_[i], v + 1)]);
      semi_[v] = semi;
    }
    first_ = {};
    predecessors_ = up_ = best_ = {};
    for (uint32_t v = 1; v < count; ++v) {
      uint32_t candidate = dominator_[v];
      while (candidate > semi_[v]) candidate = dominator_[candidate];
      dominator_[v] = candidate;
    }
    return result();
  }

 private:
  struct Step {
    uint32_t number;
    Edge edge;
  };

  void discover(uint32_t node, uint32_t parent) {
    number_[node] = static_cast<uint32_t>(node_.size());
    path_.push_back({number_[node], static_cast<Edge>(graph_.first[node])});
    node_.push_back(node);
    up_.push_back(parent);
  }

  void discover_from(uint32_t root) {
    if (number_[root] != 0) return;
    discover(root, 0);
    while (!path_.empty()) {
      Step& step = path_.back();
      if (step.edge == graph_.first[node_[step.number] + 1]) {
        path_.pop_back();
        continue;
      }
      const uint32_t target = graph_.targets[step.edge++];
      if (number_[target] == 0) discover(target, step.number);  // invalidates `step`
    }
  }

  void gather_predecessors(std::span<const uint32_t> roots) {
    const size_t count = node_.size();
    // First where each one's end, then, as they are filled from there, where they begin.
    first_.assign(count + 1, 0);
    each_edge(roots, [this](uint32_t, uint32_t to) { ++first_[to]; });
    for (size_t v = 1; v <= count; ++v) first_[v] += first_[v - 1];
    predecessors_.resize(first_.back());
    each_edge(roots, [this](uint32_t from, uint32_t to) { predecessors_[--first_[to]] = from; });
  }

  template <class Visit>
  void each_edge(std::span<const uint32_t> roots, Visit visit) const {
    for (uint32_t root : roots) visit(0, number_[root]);
    for (uint32_t v = 1; v < node_.size(); ++v)
      for (uint32_t target : graph_.row(node_[v])) visit(v, number_[target]);
  }

  // The parent in the tree of the search: `dominator_` holds these until the second pass.
  uint32_t up_of_tree(uint32_t v) const { return dominator_[v]; }

  // Of v and those above it that are done (their numbers are `done` and more), the one with the
  // smallest semidominator. Shortens the way up for the next time.
  uint32_t best_below(uint32_t v, uint32_t done) {
    if (up_[v] < done) return best_[v];
    do {
      way_.push_back(v);
      v = up_[v];
    } while (up_[v] >= done);
    uint32_t above = v;
    while (!way_.empty()) {
      v = way_.back();
      way_.pop_back();
      up_[v] = up_[above];
      if (semi_[best_[above]] < semi_[best_[v]]) best_[v] = best_[above];
      above = v;
    }
    return best_[v];
  }

  Dominators result() {
    semi_ = {};
    Dominators result;
    result.parent.assign(graph_.size(), Dominators::kUnreached);
    for (uint32_t v = 1; v < node_.size(); ++v)
      result.parent[node_[v]] = dominator_[v] == 0 ? Dominators::kRoots : node_[dominator_[v]];
    node_.erase(node_.begin());
    result.order = std::move(node_);
    return result;
  }

  const Graph& graph_;
  std::vector<uint32_t> number_;  // of each node, 0: not reached
  std::vector<uint32_t> node_;    // of each number
  std::vector<uint32_t> up_;      // a number above in the tree, the nearer ones left out in time
  std::vector<Step> path_;
  std::vector<Edge> first_;  // of each number, in predecessors_
  std::vector<uint32_t> predecessors_;
  std::vector<uint32_t> dominator_, semi_;
  std::vector<uint32_t> best_;  // on the way left out: the one with the smallest semidominator
  std::vector<uint32_t> way_;
};

}  // namespace

Dominators dominators_of(const Graph& graph, std::span<const uint32_t> roots) {
  return graph.targets.size() + roots.size() < UINT32_MAX ? SemiNca<uint32_t>(graph, roots).run()
                                                          : SemiNca<uint64_t>(graph, roots).run();
}

std::vector<uint64_t> retained_bytes(const Dominators& dominators, std::vector<uint64_t> bytes) {
  for (size_t node = 0; node < bytes.size(); ++node)
    if (dominators.parent[node] == Dominators::kUnreached) bytes[node] = 0;
  for (auto node = dominators.order.rbegin(); node != dominators.order.rend(); ++node) {
    const uint32_t parent = dominators.parent[*node];
    if (parent != Dominators::kRoots) bytes[parent] += bytes[*node];
  }
  return bytes;
}

}  // namespace heaprake::cli
