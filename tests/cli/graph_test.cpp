#include "cli/analysis/graph.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#ifdef HEAPRAKE_HAVE_BOOST_GRAPH
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/strong_components.hpp>
#endif

#include "tests/cli/graph_maker.h"

namespace heaprake::cli {
namespace {

std::vector<std::vector<uint32_t>> random_rows(std::mt19937& random, uint32_t nodes,
                                               uint32_t edges) {
  std::vector<std::vector<uint32_t>> rows(nodes);
  for (uint32_t i = 0; i < edges; ++i) rows[random() % nodes].push_back(random() % nodes);
  return rows;
}

// What another algorithm says: components in any numbering.
std::vector<uint32_t> oracle(const std::vector<std::vector<uint32_t>>& rows) {
  std::vector<uint32_t> component(rows.size());
#ifdef HEAPRAKE_HAVE_BOOST_GRAPH
  boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS> graph(rows.size());
  for (uint32_t from = 0; from < rows.size(); ++from)
    for (uint32_t to : rows[from]) boost::add_edge(from, to, graph);
  boost::strong_components(graph, boost::make_iterator_property_map(
                                      component.begin(), boost::get(boost::vertex_index, graph)));
#else
  // Two nodes are in one component if each reaches the other.
  std::vector<std::vector<bool>> reaches(rows.size(), std::vector<bool>(rows.size(), false));
  for (uint32_t from = 0; from < rows.size(); ++from) {
    std::vector<uint32_t> queue = {from};
    reaches[from][from] = true;
    for (size_t i = 0; i < queue.size(); ++i)
      for (uint32_t to : rows[queue[i]])
        if (!reaches[from][to]) reaches[from][to] = true, queue.push_back(to);
  }
  for (uint32_t node = 0; node < rows.size(); ++node) {
    component[node] = node;
    for (uint32_t other = 0; other < node; ++other)
      if (reaches[node][other] && reaches[other][node]) component[node] = component[other];
  }
#endif
  return component;
}

TEST(Components, AgreeWithTheOracleOnRandomGraphs) {
  std::mt19937 random(20240607);
  for (int round = 0; round < 300; ++round) {
    const uint32_t nodes = 1 + random() % 60;
    const auto rows = random_rows(random, nodes, random() % (nodes * 3));
    const Components ours = strong_components(make(rows));
    const std::vector<uint32_t> theirs = oracle(rows);
    ASSERT_EQ(ours.of.size(), nodes);
    std::map<uint32_t, uint32_t> there, back;
    for (uint32_t node = 0; node < nodes; ++node) {
      ASSERT_EQ(there.try_emplace(ours.of[node], theirs[node]).first->second, theirs[node]);
      ASSERT_EQ(back.try_emplace(theirs[node], ours.of[node]).first->second, ours.of[node]);
    }
    ASSERT_EQ(there.size(), ours.count);
  }
}

TEST(Components, AreNumberedAgainstTheEdges) {
  std::mt19937 random(7);
  for (int round = 0; round < 100; ++round) {
    const auto rows = random_rows(random, 50, 70);
    const Components components = strong_components(make(rows));
    for (uint32_t from = 0; from < rows.size(); ++from)
      for (uint32_t to : rows[from]) ASSERT_GE(components.of[from], components.of[to]);
  }
}

TEST(Components, AreNoneInAnEmptyGraph) {
  EXPECT_EQ(strong_components(Graph()).count, 0u);
  EXPECT_EQ(strong_components(make({})).count, 0u);
}

TEST(Components, APathOfAMillionNodesNeedsNoStack) {
  constexpr uint32_t kNodes = 1'000'000;
  Graph graph;
  for (uint32_t node = 0; node <= kNodes; ++node) graph.first.push_back(node);
  for (uint32_t node = 0; node < kNodes; ++node) graph.targets.push_back((node + 1) % kNodes);
  EXPECT_EQ(strong_components(graph).count, 1u);
  graph.targets.back() = kNodes - 1;
  EXPECT_EQ(strong_components(graph).count, kNodes);
}

}  // namespace
}  // namespace heaprake::cli
