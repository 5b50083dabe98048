#include "cli/analysis/graph.h"

#include <algorithm>

namespace heaprake::cli {

namespace {

constexpr uint32_t kNone = UINT32_MAX;

// Edge: what counts all edges.
template <class Edge>
class Tarjan {
 public:
  explicit Tarjan(const Graph& graph) : graph_(graph), low_(graph.size(), 0) {
    result_.of.assign(graph.size(), kNone);
  }

  Components run() {
    for (uint32_t node = 0; node < graph_.size(); ++node) {
      if (low_[node] == 0) visit_from(node);
    }
    return std::move(result_);
  }

 private:
  // A node on the current path and the next of its edges to look at.
  struct Step {
    uint32_t node;
    uint32_t number;  // order of discovery, from 1
    Edge edge;
  };

  void enter(uint32_t node) {
    low_[node] = ++discovered_;
    path_.push_back({node, discovered_, static_cast<Edge>(graph_.first[node])});
    open_.push_back(node);
  }

  // The node at the end of the path is done: its component is complete if it is the first of it.
  void leave() {
    const Step done = path_.back();
    path_.pop_back();
    if (low_[done.node] == done.number) {
      uint32_t node;
      do {
        node = open_.back();
        open_.pop_back();
        result_.of[node] = result_.count;
      } while (node != done.node);
      ++result_.count;
    }
    if (!path_.empty()) {
      uint32_t& low = low_[path_.back().node];
      low = std::min(low, low_[done.node]);
    }
  }

  void visit_from(uint32_t root) {
    enter(root);
    while (!path_.empty()) {
      Step& step = path_.back();
      if (step.edge == graph_.first[step.node + 1]) {
        leave();
        continue;
      }
      const uint32_t target = graph_.targets[step.edge++];
      if (low_[target] == 0) {
        enter(target);  // invalidates `step`
      } else if (result_.of[target] == kNone) {
        low_[step.node] = std::min(low_[step.node], low_[target]);
      }
    }
  }

  const Graph& graph_;
  Components result_;
  // 0: not discovered; else the lowest discovery number known to be in reach through open nodes.
  std::vector<uint32_t> low_;
  std::vector<Step> path_;
  std::vector<uint32_t> open_;  // discovered, component not complete yet
  uint32_t discovered_ = 0;
};

}  // namespace

Components strong_components(const Graph& graph) {
  return graph.targets.size() < UINT32_MAX ? Tarjan<uint32_t>(graph).run()
                                           : Tarjan<uint64_t>(graph).run();
}

}  // namespace heaprake::cli
