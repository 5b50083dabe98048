// Whole collections: what is reachable stays, what is not goes.

#include <thread>
#include <vector>

#include "tests/collector/heap_fixture.h"

namespace heaprake::test {
namespace {

struct Node {
  Node* left;
  Node* right;
  uint64_t value;
};

Node* volatile global_root;

__attribute__((noinline)) Node* new_node(uint64_t value) {
  auto* node = static_cast<Node*>(heap::allocate(sizeof(Node)));
  *node = {nullptr, nullptr, value};
  return node;
}

__attribute__((noinline)) Node* new_tree(int depth) {
  Node* node = new_node(static_cast<uint64_t>(depth));
  if (depth > 0) {
    node->left = new_tree(depth - 1);
    node->right = new_tree(depth - 1);
  }
  return node;
}

__attribute__((noinline)) size_t count_tree(const Node* node) {
  return node ? 1 + count_tree(node->left) + count_tree(node->right) : 0;
}

class CollectTest : public HeapTest {
 protected:
  void SetUp() override {
    HeapTest::SetUp();
    global_root = nullptr;
    collect_now();
    clear_stack();
  }
};

__attribute__((noinline)) void build_cycle(Hidden* a, Hidden* b) {
  Node* one = new_node(1);
  Node* two = new_node(2);
  one->left = two;
  two->left = one;
  *a = Hidden(one);
  *b = Hidden(two);
}

TEST_F(CollectTest, ReclaimsACycle) {
  Hidden a, b;
  build_cycle(&a, &b);
  collector::Outcome outcome = collect_now();
  EXPECT_TRUE(outcome.completed);
  EXPECT_EQ(outcome.blocks, 2u);
  EXPECT_EQ(outcome.bytes, 64u);
  EXPECT_FALSE(exists(a));
  EXPECT_FALSE(exists(b));
}

__attribute__((noinline)) void root_cycle(const Hidden& a) {
  global_root = a.get<Node>();
}

TEST_F(CollectTest, KeepsWhatAGlobalReaches) {
  Hidden a, b;
  build_cycle(&a, &b);
  root_cycle(a);
  EXPECT_EQ(collect_now().blocks, 0u);
  EXPECT_TRUE(exists(a));
  EXPECT_TRUE(exists(b));
  global_root = nullptr;
  EXPECT_EQ(collect_now().blocks, 2u);
}

TEST_F(CollectTest, KeepsAWholeTreeAndDropsItWhole) {
  global_root = new_tree(15);
  EXPECT_EQ(collect_now().blocks, 0u);
  EXPECT_EQ(count_tree(global_root), (1u << 16) - 1);
  global_root = nullptr;
  EXPECT_EQ(collect_now().blocks, (1u << 16) - 1);
}

__attribute__((noinline)) void root_interior(Hidden* block, size_t size, size_t offset) {
  char* p = static_cast<char*>(heap::allocate(size));
  memset(p, 0, size);
  *block = Hidden(p);
  global_root = reinterpret_cast<Node*>(p + offset);
}

TEST_F(CollectTest, InteriorPointersCount) {
  for (size_t size : {16u, 100u, 4000u, 5000u, 70000u, 300000u, 5000000u}) {
    for (size_t offset : {size_t{0}, size_t{1}, size / 2, size - 1}) {
      Hidden block;
      root_interior(&block, size, offset);
      collect_now();
      EXPECT_TRUE(exists(block)) << size << " + " << offset;
      global_root = nullptr;
      EXPECT_EQ(collect_now().blocks, 1u) << size << " + " << offset;
      EXPECT_FALSE(exists(block)) << size << " + " << offset;
    }
  }
}

__attribute__((noinline)) void chain_through_large(size_t at, Hidden* child) {
  auto* large = static_cast<char*>(heap::allocate_zeroed(1, 8 << 20));
  Node* node = new_node(7);
  memcpy(large + at, &node, sizeof node);
  *child = Hidden(node);
  global_root = reinterpret_cast<Node*>(large);
}

// Every place in a large block is scanned: pieces meet without a gap.
TEST_F(CollectTest, LargeBlocksAreScannedToTheLastWord) {
  for (size_t at : {size_t{0}, size_t{65528}, size_t{65532}, size_t{65536}, size_t{1 << 20},
                    size_t{4194300}, size_t{(8 << 20) - 8}}) {
    Hidden child;
    chain_through_large(at, &child);
    EXPECT_EQ(collect_now().blocks, 0u) << at;
    EXPECT_TRUE(exists(child)) << at;
    global_root = nullptr;
    EXPECT_EQ(collect_now().blocks, 2u) << at;
  }
}

TEST_F(CollectTest, PackedPointersCountByDefaultAndNotAtEight) {
  Hidden child;
  chain_through_large(12, &child);
  EXPECT_EQ(collect_now().blocks, 0u);
  configure({.alignment = 8});
  EXPECT_EQ(collect_now().blocks, 1u);
  EXPECT_FALSE(exists(child));
  global_root = nullptr;
}

TEST_F(CollectTest, EveryByteWhenAsked) {
  configure({.alignment = 1});
  Hidden child;
  chain_through_large(13, &child);
  EXPECT_EQ(collect_now().blocks, 0u);
  EXPECT_TRUE(exists(child));
  global_root = nullptr;
}

__attribute__((noinline)) void leaf_with_child(Hidden* child) {
  auto* leaf = static_cast<Node**>(heap::allocate_leaf(64));
  leaf[0] = new_node(1);
  *child = Hidden(leaf[0]);
  global_root = reinterpret_cast<Node*>(leaf);
}

TEST_F(CollectTest, LeavesAreKeptButNotScanned) {
  Hidden child;
  leaf_with_child(&child);
  EXPECT_EQ(collect_now().blocks, 1u);
  EXPECT_FALSE(exists(child));
  global_root = nullptr;
  EXPECT_EQ(collect_now().blocks, 1u);
}

TEST_F(CollectTest, PinsKeepABlockAndItsChildren) {
  Hidden a, b;
  build_cycle(&a, &b);
  ASSERT_TRUE(pin(a));
  EXPECT_EQ(collect_now().blocks, 0u);
  ASSERT_TRUE(unpin(a));
  EXPECT_EQ(collect_now().blocks, 2u);
  EXPECT_FALSE(unpin(a));
}

TEST_F(CollectTest, HuntFreesNothing) {
  configure({.mode = collector::Mode::kHunt});
  Hidden a, b;
  build_cycle(&a, &b);
  collector::Outcome outcome = collect_now();
  EXPECT_EQ(outcome.blocks, 2u);
  EXPECT_EQ(outcome.bytes, 48u);  // as asked for
  EXPECT_TRUE(exists(a));
  configure({});
  EXPECT_EQ(collect_now().blocks, 2u);
}

TEST_F(CollectTest, PoisonFillsAndKeeps) {
  configure({.poison = true});
  Hidden a, b;
  build_cycle(&a, &b);
  EXPECT_EQ(collect_now().blocks, 2u);
  EXPECT_FALSE(exists(a));
  EXPECT_EQ(a.get<Node>()->value, 0xdbdbdbdbdbdbdbdbu);
  EXPECT_TRUE(collector::was_reclaimed(a.get()));
  EXPECT_FALSE(collector::was_reclaimed(&a));
}

bool oracle_hook(const void* p, const char* call) {
  return collector::was_condemned(p, call);
}

TEST_F(CollectTest, OracleCountsAUseOfACondemnedBlock) {
  configure({.mode = collector::Mode::kOracle});
  heap::set_misuse_handler(oracle_hook);
  Hidden a, b;
  build_cycle(&a, &b);
  EXPECT_EQ(collect_now().blocks, 2u);
  EXPECT_EQ(a.get<Node>()->value, 1u);
  gc_stats before, after;
  collector::get_stats(&before);
  heap::release(a.get());
  collector::get_stats(&after);
  EXPECT_EQ(after.mistakes - before.mistakes, 1u);
  EXPECT_EQ(heap::usable_size(b.get()), sizeof(Node));
  collector::get_stats(&after);
  EXPECT_EQ(after.mistakes - before.mistakes, 2u);
  EXPECT_TRUE(exists(b));
}

TEST_F(CollectTest, BlocksHeldByOtherThreadsSurvive) {
  constexpr int kThreads = 6;
  std::vector<std::thread> threads;
  std::atomic<int> ready{0};
  std::atomic<bool> stop{false};
  std::atomic<size_t> wrong{0};
  for (int t = 0; t < kThreads; t++) {
    threads.emplace_back([&] {
      Node* mine = new_tree(10);  // only this stack or register holds it
      ready++;
      while (!stop) {
        if (count_tree(mine) != 2047) wrong++;
        Node* fresh = new_tree(3);
        if (count_tree(fresh) != 15) wrong++;
      }
      asm volatile("" : : "r"(mine));
    });
  }
  while (ready < kThreads) std::this_thread::yield();
  size_t reclaimed = 0;
  for (int i = 0; i < 50; i++) reclaimed += collect_now().blocks;
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_GT(reclaimed, 0u);
}

}  // namespace
}  // namespace heaprake::test
