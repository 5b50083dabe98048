// gc.enable, gc.collect, thresholds, figures. Each test quotes the rows of Python 3.11's
// documentation that it mirrors.
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "steps.h"

namespace {

using Collect = Gc;

// "gc.enable(): Enable automatic garbage collection. gc.disable(): Disable automatic garbage
// collection. gc.isenabled(): Return True if automatic collection is enabled."
TEST_F(Collect, EnableDisable) {
  gc_enable();
  gc_enable();
  EXPECT_TRUE(gc_isenabled());
  gc_disable();
  gc_disable();
  EXPECT_FALSE(gc_isenabled());
}

// "gc.collect(generation=2): With no arguments, run a full collection. ... The number of
// unreachable objects found is returned."
TEST_F(Collect, ReturnsHowManyAndWorksWhileDisabled) {
  collect();
  lose_one();
  lose_one();
  const gc_id_t id = lose_one();
  EXPECT_FALSE(gc_isenabled());
  EXPECT_TRUE(gc_object_exists(id));
  EXPECT_EQ(collect(), 3u);
  EXPECT_FALSE(gc_object_exists(id));
  EXPECT_EQ(collect(), 0u);
}

STEP void allocate_and_lose(size_t bytes) {
  for (size_t done = 0; done < bytes; done += 4096) {
    char* volatile p = static_cast<char*>(std::malloc(4096));
    p[0] = 1;
  }
}

// "gc.set_threshold(threshold0[, threshold1[, threshold2]]): Set the garbage collection thresholds
// (the collection frequency). Setting threshold0 to zero disables collection." It leaves
// gc.isenabled() as it is.
TEST_F(Collect, ThresholdZeroStopsAutomaticCollection) {
  gc_enable();
  EXPECT_TRUE(gc_set_threshold(0, 0));
  const uint64_t before = gc::get_stats().automatic;
  allocate_and_lose(8 << 20);
  EXPECT_EQ(gc::get_stats().automatic, before);
  EXPECT_TRUE(gc_isenabled());
  EXPECT_TRUE(gc_set_threshold(1 << 20, 0));
  allocate_and_lose(8 << 20);
  EXPECT_GT(gc::get_stats().automatic, before);
}

// "gc.get_threshold(): Return the current collection thresholds."
TEST_F(Collect, ThresholdIsWhatWasSet) {
  EXPECT_TRUE(gc_set_threshold(12345, 67));
  EXPECT_EQ(gc::get_threshold().bytes, 12345u);
  EXPECT_EQ(gc::get_threshold().growth, 67u);
  errno = 0;
  EXPECT_FALSE(gc_set_threshold(1, 10001));
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(gc::get_threshold().bytes, 12345u);
}

// "gc.get_count(): Return the current collection counts." Bytes here; a collection starts at 0.
TEST_F(Collect, CountGrowsWithAllocationAndStartsAgain) {
  collect();
  const size_t before = gc_get_count();
  allocate_and_lose(4 << 20);
  EXPECT_GT(gc_get_count(), before + (3 << 20));
  collect();
  EXPECT_LT(gc_get_count(), size_t{1} << 20);
}

// "gc.get_stats(): ... collections is the number of times this generation was collected; collected
// is the total number of objects collected inside this generation".
TEST_F(Collect, StatsCount) {
  collect();
  const gc::stats before = gc::get_stats();
  lose_one();
  const size_t reclaimed = collect();
  const gc::stats after = gc::get_stats();
  EXPECT_EQ(reclaimed, 1u);
  EXPECT_EQ(after.collections, before.collections + 1);
  EXPECT_EQ(after.collected, before.collected + 1);
  EXPECT_GE(after.collected_bytes, before.collected_bytes + 48);
}

// "gc.get_objects(generation=None): Returns a list of all objects tracked by the collector,
// excluding the list returned."
TEST_F(Collect, ObjectsAreAll) {
  void* p = std::malloc(100);
  bool found = false;
  for (const gc::object& object : gc::objects()) found |= object.address == p;
  EXPECT_TRUE(found);
  const size_t before = gc_objects(nullptr, 0);
  std::free(p);
  EXPECT_EQ(gc_objects(nullptr, 0), before - 1);
}

Node* volatile root;

STEP void build_three(gc_id_t* first, gc_id_t* last) {
  root = new Node;
  root->other = new Node;
  root->other->other = root;
  *first = gc_id(root);
  *last = gc_id(root->other);
}

TEST_F(Collect, AChildsFiguresAreItsOwn) {
  collect();
  collect();
  const pid_t child = fork();
  if (child == 0) {
    gc_stats before{}, after{};
    gc_get_stats(&before);
    collect();
    gc_get_stats(&after);
    _exit(before.collections == 0 && before.live_blocks > 0 && after.collections == 1 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(Collect, ObjectsHaveTheLengthThatIsOffered) {
  std::vector<void*> blocks;
  for (size_t size : {1, 15, 16, 48, 64, 100, 1000, 5000, 100'000, 3'000'000})
    blocks.push_back(malloc(size));
  blocks.push_back(gc_malloc_leaf(64));
  size_t seen = 0;
  for (const gc_object& object : gc::objects()) {
    if (std::find(blocks.begin(), blocks.end(), object.address) == blocks.end()) continue;
    EXPECT_EQ(object.size, malloc_usable_size(object.address));
    ++seen;
  }
  EXPECT_EQ(seen, blocks.size());
  for (void* block : blocks) free(block);
}

// "gc.get_referrers(*objs): Return the list of objects that directly refer to any of objs."
TEST_F(Collect, ReferrersAreFound) {
  gc_id_t first, last;
  build_three(&first, &last);
  wipe_stack();
  std::vector<gc::reference> found = gc::referrers(last);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, GC_REFERENCE_BLOCK);
  EXPECT_EQ(found[0].holder, first);
  EXPECT_EQ(found[0].offset, offsetof(Node, other));
  EXPECT_EQ(gc_refcount(first), 2u);
  root = nullptr;
  EXPECT_EQ(collect(), 2u);
  EXPECT_EQ(gc_referrers(last, nullptr, 0), 0u);
}

// "gc.get_referents(*objs): Return a list of objects directly referred to by any of the arguments."
// They may repeat.
TEST_F(Collect, ReferentsMayRepeat) {
  void** table = static_cast<void**>(std::calloc(3, sizeof(void*)));
  void* p = std::malloc(10);
  table[0] = table[2] = p;
  EXPECT_EQ(gc::referents(table), (std::vector<gc_id_t>{gc_id(p), gc_id(p)}));
  std::free(table);
  std::free(p);
}

// "gc.is_tracked(obj): Returns True if the object is currently tracked by the garbage collector,
// False otherwise. ... >>> gc.is_tracked("a") False"
TEST_F(Collect, LeavesAreNotTracked) {
  void* p = std::malloc(10);
  void* leaf = gc_malloc_leaf(10);
  EXPECT_TRUE(gc_is_tracked(p));
  EXPECT_FALSE(gc_is_tracked(leaf));
  EXPECT_FALSE(gc_is_tracked(static_cast<char*>(p) + 1));
  std::free(p);
  std::free(leaf);
}

// "id(object): Return the "identity" of an object."
TEST_F(Collect, IdsAreTextAndCompare) {
  char* p = static_cast<char*>(std::malloc(10));
  const gc::id id(p);
  EXPECT_EQ(id, gc::id(p + 9));
  EXPECT_TRUE(id);
  EXPECT_EQ(gc::address(id), p);
  EXPECT_EQ(gc::to_string(gc::id(0x12abu)), "0x00000000000012ab");
  std::free(p);
  EXPECT_FALSE(gc::object_exists(id));
}

// Every row's errors: 0, NULL or false, and errno; a good call leaves errno alone.
TEST_F(Collect, ErrorsSetErrno) {
  int local = 0;
  auto fails_with = [](int expected, auto call) {
    errno = 0;
    const bool result = static_cast<bool>(call());
    EXPECT_FALSE(result);
    EXPECT_EQ(errno, expected);
  };
  fails_with(EINVAL, [&] { return gc_id(&local); });
  fails_with(EINVAL, [&] { return gc_id(nullptr); });
  fails_with(EINVAL, [&] { return gc_is_tracked(&local); });
  fails_with(EINVAL, [&] { return gc_address(0); });
  fails_with(EINVAL, [&] { return gc_address(12345); });
  fails_with(EINVAL, [&] { return gc_refcount(0); });
  fails_with(EINVAL, [&] { return gc_referrers(12345, nullptr, 0); });
  fails_with(EINVAL, [&] { return gc_referents(&local, nullptr, 0); });
  fails_with(EINVAL, [&] { return gc_objects(nullptr, 1); });
  fails_with(EINVAL, [&] { return gc_garbage(nullptr, 1); });
  fails_with(EINVAL, [&] { return gc_pin(&local); });
  fails_with(EINVAL, [&] { return gc_add_root(&local, &local); });
  fails_with(ENOENT, [&] { return gc_remove_root(&local, &local + 1); });
  fails_with(EINVAL, [&] { return gc_set_finalizer(&local, nullptr, nullptr); });
  fails_with(EINVAL, [&] { return gc_is_finalized(&local); });
  fails_with(EINVAL, [&] { return gc_weak_new(&local); });
  fails_with(EINVAL, [&] { return gc_weak_new(nullptr); });
  fails_with(EINVAL, [&] { return gc_weak_get(nullptr); });
  fails_with(EINVAL, [&] { return gc_weak_get(reinterpret_cast<gc_weak*>(&local)); });
  fails_with(EINVAL, [&] { return gc_weak_free(reinterpret_cast<gc_weak*>(&local)); });
  fails_with(EINVAL, [&] { return gc_set_type(&local, "int"); });
  fails_with(EINVAL, [&] { return gc_type(&local); });
  fails_with(EINVAL, [&] { return gc_add_callback(nullptr, nullptr); });
  fails_with(ENOENT,
             [&] { return gc_remove_callback([](gc_phase, const gc_info*, void*) {}, nullptr); });
  fails_with(EINVAL, [&] { return gc_set_debug(64); });
  const gc_id_t gone = lose_one();
  collect();
  errno = EDOM;
  // Answers, not errors.
  EXPECT_EQ(gc_address(gone), nullptr);
  EXPECT_EQ(gc_refcount(gone), 0u);
  EXPECT_EQ(gc_referrers(gone, nullptr, 0), 0u);
  EXPECT_FALSE(gc_object_exists(gone));
  EXPECT_FALSE(gc_object_exists(0));
  void* p = std::malloc(8);
  gc_weak* weak = gc_weak_new(p);
  EXPECT_TRUE(gc_weak_get(weak));
  EXPECT_FALSE(gc_is_finalized(p));
  EXPECT_EQ(gc_type(p), nullptr);
  std::free(p);
  EXPECT_FALSE(gc_weak_get(weak));
  EXPECT_TRUE(gc_weak_free(weak));
  EXPECT_TRUE(gc_freeze());
  gc_unfreeze();
  EXPECT_EQ(gc_run_finalizers(), 0u);
  EXPECT_EQ(errno, EDOM);
}

}  // namespace
