#include "cli/analysis/dominators.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/cli/graph_maker.h"

namespace heaprake::cli {
namespace {

// Which nodes the roots reach without passing through `without`.
std::vector<bool> reached(const Graph& graph, const std::vector<uint32_t>& roots,
                          uint32_t without) {
  std::vector<bool> seen(graph.size(), false);
  std::vector<uint32_t> open;
  const auto reach = [&](uint32_t node) {
    if (node == without || seen[node]) return;
    seen[node] = true;
    open.push_back(node);
  };
  for (uint32_t root : roots) reach(root);
  while (!open.empty()) {
    const uint32_t node = open.back();
    open.pop_back();
    for (uint32_t target : graph.row(node)) reach(target);
  }
  return seen;
}

TEST(Dominators, RetainedBytesAreWhatGoesWithANode) {
  std::mt19937 random(17);
  for (int round = 0; round < 400; ++round) {
    const uint32_t nodes = 1 + random() % 40;
    std::vector<std::vector<uint32_t>> rows(nodes);
    for (uint32_t i = 0, n = random() % (nodes * 3); i < n; ++i)
      rows[random() % nodes].push_back(random() % nodes);
    const Graph graph = make(rows);
    std::vector<uint32_t> roots;
    for (uint32_t i = 0; i <= random() % 4; ++i) roots.push_back(random() % nodes);
    std::vector<uint64_t> bytes;
    for (uint32_t node = 0; node < nodes; ++node) bytes.push_back(1 + random() % 100);

    const Dominators dominators = dominators_of(graph, roots);
    const std::vector<uint64_t> retained = retained_bytes(dominators, bytes);
    const std::vector<bool> all = reached(graph, roots, UINT32_MAX);
    for (uint32_t node = 0; node < nodes; ++node) {
      ASSERT_EQ(dominators.parent[node] != Dominators::kUnreached, all[node]);
      const std::vector<bool> rest = reached(graph, roots, node);
      uint64_t gone = 0;
      for (uint32_t other = 0; other < nodes; ++other)
        if (all[other] && !rest[other]) gone += bytes[other];
      ASSERT_EQ(retained[node], gone) << "round " << round << " node " << node;
    }
  }
}

TEST(Dominators, AListOfAMillionNodesNeedsNoStack) {
  constexpr uint32_t kNodes = 1'000'000;
  // Linked both ways.
  Graph graph;
  for (uint32_t node = 0; node < kNodes; ++node) {
    graph.first.push_back(graph.targets.size());
    if (node > 0) graph.targets.push_back(node - 1);
    if (node + 1 < kNodes) graph.targets.push_back(node + 1);
  }
  graph.first.push_back(graph.targets.size());
  const std::vector<uint32_t> roots = {0, 0};
  const Dominators dominators = dominators_of(graph, roots);
  const std::vector<uint64_t> bytes(kNodes, 2);
  const std::vector<uint64_t> retained = retained_bytes(dominators, bytes);
  EXPECT_EQ(dominators.parent[0], Dominators::kRoots);
  EXPECT_EQ(dominators.parent[kNodes - 1], kNodes - 2);
  EXPECT_EQ(retained[0], 2u * kNodes);
  EXPECT_EQ(retained[kNodes - 1], 2u);
}

TEST(Dominators, AreNoneInAnEmptyGraph) {
  EXPECT_TRUE(dominators_of(Graph(), {}).parent.empty());
  EXPECT_EQ(dominators_of(make({{0}}), {}).parent[0], Dominators::kUnreached);
}

}  // namespace
}  // namespace heaprake::cli
