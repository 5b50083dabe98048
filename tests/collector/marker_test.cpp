// The marker finds everything, with one worker and with several, whatever the shape of the graph.

#include <random>
#include <vector>

#include "collector/grey_stack.h"
#include "tests/collector/heap_fixture.h"

namespace heaprake::test {
namespace {

using collector::Grey;
using collector::GreyStack;

TEST(GreyStackTest, GivesTheOldestAndKeepsTheOrder) {
  GreyStack from, to;
  ASSERT_TRUE(from.reserve(10));
  for (size_t i = 0; i < 10; i++) from.push({i, i + 1});
  ASSERT_TRUE(from.move_oldest(4, to));
  EXPECT_EQ(from.size(), 6u);
  EXPECT_EQ(to.size(), 4u);
  for (size_t i = 10; i-- > 4;) EXPECT_EQ(from.pop().granule(), i);
  EXPECT_TRUE(from.empty());
  for (size_t i = 4; i-- > 0;) {
    Grey grey = to.pop();
    EXPECT_EQ(grey.granule(), i);
    EXPECT_EQ(grey.granules(), i + 1);
  }
  ASSERT_TRUE(from.reserve(1));
  from.push({7, Grey::kMaxGranules});
  ASSERT_TRUE(from.move_oldest(1, to));
  EXPECT_TRUE(from.empty());
  EXPECT_EQ(to.pop().granules(), Grey::kMaxGranules);
  from.release();
  to.release();
}

struct Node {
  Node* next[3];
  uint64_t pad[5];
};

Node** volatile all;  // a large block of pointers, or of one pointer

enum class Shape { kRandom, kTree, kList, kArray };

// Nodes that the first one reaches, or that the array holds.
__attribute__((noinline)) void build(Shape shape, std::vector<Hidden>& nodes) {
  size_t count = nodes.size();
  for (Hidden& node : nodes) node = Hidden(heap::allocate_zeroed(1, sizeof(Node)));
  auto at = [&](size_t i) { return nodes[i].get<Node>(); };
  all = static_cast<Node**>(heap::allocate_zeroed(count, sizeof(Node*)));
  std::mt19937_64 random(1);
  for (size_t i = 0; i < count; i++) {
    if (shape == Shape::kArray) {
      all[i] = at(i);
    } else if (shape == Shape::kTree) {
      for (size_t k = 0; k < 2 && 2 * i + k + 1 < count; k++) at(i)->next[k] = at(2 * i + k + 1);
    } else {
      if (i + 1 < count) at(i)->next[0] = at(i + 1);
      if (shape == Shape::kRandom) {
        for (size_t k = 1; k < 3; k++) at(i)->next[k] = at(random() % count);
      }
    }
  }
  all[0] = at(0);
}

__attribute__((noinline)) size_t count_existing(const std::vector<Hidden>& nodes) {
  size_t count = 0;
  for (const Hidden& node : nodes) count += exists(node);
  return count;
}

// Takes the graph apart, so that a dead copy of one address somewhere keeps one node only.
__attribute__((noinline)) void drop(const std::vector<Hidden>& nodes) {
  for (const Hidden& node : nodes) *node.get<Node>() = {};
  memset(all, 0, sizeof *all * nodes.size());
  all = nullptr;
}

class MarkerTest : public HeapTest, public testing::WithParamInterface<unsigned> {};

TEST_P(MarkerTest, FindsEveryBlockOfEveryShape) {
  configure({.markers = GetParam(), .verify = true});
  collect_now();  // what earlier tests have left
  // The last size is enough for huge pages under the tables.
  for (size_t count : {1u, 40u, 1000u, 50'000u, 1'100'000u}) {
    for (Shape shape : {Shape::kRandom, Shape::kTree, Shape::kList, Shape::kArray}) {
      if (count > 1'000'000 && shape != Shape::kRandom) continue;
      std::vector<Hidden> nodes(count);
      build(shape, nodes);
      collect_now();
      ASSERT_EQ(count_existing(nodes), count);
      drop(nodes);
      collect_now();
      EXPECT_LE(count_existing(nodes), 8u);
    }
  }
  gc_stats stats;
  collector::get_stats(&stats);
  EXPECT_EQ(stats.verifier_misses, 0u);
}

INSTANTIATE_TEST_SUITE_P(Workers, MarkerTest, testing::Values(1u, 2u, 5u));

}  // namespace
}  // namespace heaprake::test
