// heaprake/gc.h as a program sees it. What a test drops it builds and drops in functions of their
// own that are not inlined: a conservative scan sees dead copies of an address in the frame and in
// the callee-saved registers of a function that is still running.
#include <gtest/gtest.h>

#include <string>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <heaprake/gc.hpp>
#include <thread>

namespace {

struct Node {
  Node* other = nullptr;
  char payload[40] = {};
};

Node* a_global = nullptr;
gc_id_t id_a, id_b;

// Overwrites what earlier calls left on the stack below.
[[gnu::noinline]] void wipe_stack() {
  volatile char rubbish[16384];
  for (size_t i = 0; i < sizeof rubbish; ++i) rubbish[i] = 0;
}

[[gnu::noinline]] void build_cycle() {
  a_global = new Node;
  a_global->other = new Node;
  a_global->other->other = a_global;
  id_a = gc_id(a_global);
  id_b = gc_id(a_global->other);
}

[[gnu::noinline]] void drop_cycle() {
  a_global = nullptr;
}

class Api : public testing::Test {
 protected:
  gc::disabled quiet;
};

TEST_F(Api, ACycleCountsAndGoes) {
  build_cycle();
  wipe_stack();
  EXPECT_EQ(gc_refcount(id_a), 2u);
  EXPECT_EQ(gc_refcount(id_b), 1u);
  EXPECT_TRUE(gc_object_exists(id_a));
  EXPECT_TRUE(gc_object_exists(id_b));
  drop_cycle();
  EXPECT_EQ(gc_refcount(id_a), 1u);
  EXPECT_EQ(gc_refcount(id_b), 1u);
  EXPECT_TRUE(gc_object_exists(id_a));
  EXPECT_GE(gc_collect(), 2u);
  EXPECT_FALSE(gc_object_exists(id_a));
  EXPECT_FALSE(gc_object_exists(id_b));
  EXPECT_EQ(gc_refcount(id_a), 0u);
  EXPECT_EQ(gc_refcount(id_b), 0u);
  EXPECT_EQ(gc_address(id_a), nullptr);
}

[[gnu::noinline]] void count_own_local(size_t* count) {
  Node* volatile local = new Node;
  gc_id_t id = gc_id(local);
  wipe_stack();
  *count = gc_refcount(id);
  delete local;
}

// At least the variable itself; at most copies that the compiler made.
TEST_F(Api, ALocalVariableIsAReference) {
  size_t count = 0;
  count_own_local(&count);
  EXPECT_GE(count, 1u);
  EXPECT_LE(count, 3u);
}

TEST_F(Api, ReferrersAreNamed) {
  build_cycle();
  wipe_stack();
  auto found = gc::referrers(id_a);
  bool block = false, global = false;
  for (const gc::reference& r : found) {
    block |= r.kind == GC_REFERENCE_BLOCK && r.holder == id_b && r.offset == offsetof(Node, other);
    global |= r.kind == GC_REFERENCE_GLOBAL && std::strstr(r.name, "shim_api_test");
  }
  EXPECT_TRUE(block);
  EXPECT_TRUE(global);
  EXPECT_EQ(gc_referrers(id_a, nullptr, 0), found.size());
  drop_cycle();
  gc_collect();
  EXPECT_EQ(gc_referrers(id_a, nullptr, 0), 0u);
}

TEST_F(Api, ReferentsComeInOrder) {
  void** table = static_cast<void**>(std::malloc(4 * sizeof(void*)));
  void* one = std::malloc(10);
  void* two = std::malloc(20);
  table[0] = two;
  table[1] = nullptr;
  table[2] = static_cast<char*>(one) + 3;
  table[3] = two;
  EXPECT_EQ(gc::referents(table), (std::vector<gc_id_t>{gc_id(two), gc_id(one), gc_id(two)}));
  gc_id_t first = 0;
  EXPECT_EQ(gc_referents(table, &first, 1), 3u);
  EXPECT_EQ(first, gc_id(two));
  std::free(table);
  std::free(one);
  std::free(two);
}

TEST_F(Api, IdsAreOfWholeBlocksAndInnerAddressesWillDo) {
  char* p = static_cast<char*>(std::malloc(100));
  EXPECT_EQ(gc_id(p), gc_id(p + 99));
  EXPECT_EQ(gc_address(gc_id(p + 50)), p);
  EXPECT_NE(gc_id(p), reinterpret_cast<uintptr_t>(p));
  EXPECT_TRUE(gc_is_tracked(p));
  EXPECT_FALSE(gc_is_tracked(p + 1));
  gc_id_t id = gc_id(p);
  std::free(p);
  EXPECT_FALSE(gc_object_exists(id));
  EXPECT_EQ(gc_id(&id), 0u);
  EXPECT_EQ(gc_id(nullptr), 0u);
  EXPECT_FALSE(gc_object_exists(0));
  EXPECT_FALSE(gc_object_exists(12345));
}

// Who keeps a block that should be gone.
std::string describe_referrers(gc_id_t id) {
  gc_reference found[8];
  const size_t count = gc_referrers(id, found, 8);
  std::string text;
  for (size_t i = 0; i < count && i < 8; ++i)
    text += "kind " + std::to_string(found[i].kind) + " in " + found[i].name + " at " +
            std::to_string(found[i].offset) + "\n";
  return text;
}

// The child has a size that nothing else here has: in the place of a block that the test framework
// has freed, a dead copy of that one's address would keep it.
[[gnu::noinline]] gc_id_t lose_a_leaf_with_child() {
  void** leaf = static_cast<void**>(gc_malloc_leaf(64));
  leaf[0] = std::malloc(2900);
  gc_pin(leaf);
  return gc_id(leaf[0]);
}

TEST_F(Api, LeavesAreNotScanned) {
  gc_id_t child = lose_a_leaf_with_child();
  wipe_stack();
  gc_collect();
  EXPECT_FALSE(gc_object_exists(child)) << describe_referrers(child);
  void* leaf = gc_malloc_leaf(10);
  EXPECT_FALSE(gc_is_tracked(leaf));
  std::free(leaf);
}

[[gnu::noinline]] gc_id_t lose_one(bool pinned) {
  void* p = std::malloc(48);
  if (pinned) gc_pin(p);
  return gc_id(p);
}

TEST_F(Api, PinsKeep) {
  gc_id_t pinned = lose_one(true), lost = lose_one(false);
  wipe_stack();
  gc_collect();
  EXPECT_TRUE(gc_object_exists(pinned));
  EXPECT_FALSE(gc_object_exists(lost));
  EXPECT_TRUE(gc_unpin(gc_address(pinned)));
  wipe_stack();
  gc_collect();
  EXPECT_FALSE(gc_object_exists(pinned));
}

TEST_F(Api, ObjectsAreAllThere) {
  void* p = std::malloc(1234);
  void* big = std::malloc(5 << 20);
  size_t seen = 0;
  for (const gc::object& o : gc::objects()) {
    seen += o.address == p && o.size >= 1234 && o.size < 1400;
    seen += o.address == big && o.size >= 5 << 20;
  }
  EXPECT_EQ(seen, 2u);
  size_t before = gc_objects(nullptr, 0);
  std::free(p);
  EXPECT_EQ(gc_objects(nullptr, 0), before - 1);
  std::free(big);
}

TEST_F(Api, ThresholdAndSwitch) {
  gc::threshold was = gc::get_threshold();
  EXPECT_TRUE(gc_set_threshold(1 << 20, 50));
  EXPECT_EQ(gc::get_threshold().bytes, 1u << 20);
  EXPECT_EQ(gc::get_threshold().growth, 50u);
  gc_get_threshold(nullptr, nullptr);
  errno = 0;
  EXPECT_FALSE(gc_set_threshold(1, 10001));
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(gc::get_threshold().growth, 50u);
  gc::set_threshold(was);
  EXPECT_FALSE(gc_isenabled());
  gc_enable();
  gc_enable();
  EXPECT_TRUE(gc_isenabled());
  gc_disable();
}

TEST_F(Api, BadArgumentsSetErrnoAndGoodOnesKeepIt) {
  int local = 0;
  auto fails_with = [](int expected, auto call) {
    errno = 0;
    bool failed = !call();
    EXPECT_TRUE(failed);
    EXPECT_EQ(errno, expected);
  };
  fails_with(EINVAL, [] { return gc_objects(nullptr, 1); });
  fails_with(EINVAL, [] { return gc_referrers(1, nullptr, 1); });
  fails_with(EINVAL, [&] { return gc_referents(&local, nullptr, 0); });
  fails_with(EINVAL, [&] { return gc_pin(&local); });
  fails_with(EINVAL, [&] { return gc_add_root(&local, &local); });
  fails_with(ENOENT, [&] { return gc_remove_root(&local, &local + 1); });
  fails_with(ENOMEM, [] { return gc_malloc_leaf(static_cast<size_t>(-1)) != nullptr; });
  errno = EDOM;
  gc_collect();
  gc_object_exists(7);
  (void)gc::get_stats();
  EXPECT_EQ(errno, EDOM);
}

TEST_F(Api, StatsCount) {
  gc::stats before = gc::get_stats();
  lose_one(false);
  wipe_stack();
  size_t reclaimed = gc_collect();
  gc::stats after = gc::get_stats();
  EXPECT_EQ(after.collections, before.collections + 1);
  EXPECT_EQ(after.collected, before.collected + reclaimed);
  EXPECT_GT(after.live_blocks, 0u);
  EXPECT_GT(after.pause_total_ns, before.pause_total_ns);
}

TEST_F(Api, ManyThreadsMayCollectAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int j = 0; j < 20; ++j) {
        void* p = std::malloc(100);
        gc_id_t id = gc_id(p);
        gc_collect();
        EXPECT_GE(gc_refcount(id), 1u);
        EXPECT_TRUE(gc_object_exists(id));
        std::free(p);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
