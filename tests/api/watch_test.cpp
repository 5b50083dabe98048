// gc.callbacks, gc.set_debug, gc.garbage, gc.freeze: each test quotes the rows of Python 3.11's
// documentation that it mirrors.
#include <csetjmp>
#include <string>

#include "steps.h"

namespace {

using Watch = Gc;

struct Call {
  gc_phase phase;
  gc_info info;
};
struct Seen {
  Call calls[16];
  size_t count = 0;
  size_t nested = 99;
};
Seen seen;

void record(gc_phase phase, const gc_info* info, void* arg) {
  auto* to = static_cast<Seen*>(arg);
  if (to->count < 16) to->calls[to->count++] = {phase, *info};
}

// "gc.callbacks: A list of callbacks that will be invoked by the garbage collector before and after
// collection. ... phase can be one of two values: "start": The garbage collection is about to
// start. "stop": The garbage collection has finished. info ... "collected": When phase is "stop",
// the number of objects successfully collected."
TEST_F(Watch, CallbacksGetPhaseAndFigures) {
  collect();
  ASSERT_TRUE(gc_add_callback(record, &seen));
  lose_one();
  lose_one();
  EXPECT_EQ(collect(), 2u);
  ASSERT_EQ(seen.count, 2u);
  EXPECT_EQ(seen.calls[0].phase, GC_PHASE_START);
  EXPECT_EQ(seen.calls[0].info.collected, 0u);
  EXPECT_EQ(seen.calls[0].info.collected_bytes, 0u);
  EXPECT_EQ(seen.calls[1].phase, GC_PHASE_STOP);
  EXPECT_EQ(seen.calls[1].info.collected, 2u);
  EXPECT_GE(seen.calls[1].info.collected_bytes, 96u);
  EXPECT_EQ(seen.calls[1].info.automatic, 0u);
  EXPECT_TRUE(gc_remove_callback(record, &seen));
  EXPECT_FALSE(gc_remove_callback(record, &seen));
  collect();
  EXPECT_EQ(seen.count, 2u);
}

STEP void allocate_and_lose(size_t bytes) {
  for (size_t done = 0; done < bytes; done += 4096) {
    char* volatile p = static_cast<char*>(std::malloc(4096));
    p[0] = 1;
  }
}

TEST_F(Watch, CallbacksSeeAutomaticCollections) {
  ASSERT_TRUE(gc_add_callback(record, &seen));
  gc_set_threshold(1 << 20, 0);
  gc_enable();
  allocate_and_lose(4 << 20);
  gc_disable();
  ASSERT_GE(seen.count, 2u);
  EXPECT_EQ(seen.calls[1].phase, GC_PHASE_STOP);
  EXPECT_EQ(seen.calls[1].info.automatic, 1u);
  EXPECT_GT(seen.calls[1].info.collected, 100u);
}

jmp_buf before_callback;
void leave(gc_phase phase, const gc_info*, void* arg) {
  if (phase != *static_cast<gc_phase*>(arg)) return;
  gc_remove_callback(leave, arg);
  longjmp(before_callback, 1);
}

uint64_t automatic() {
  gc_stats now{};
  gc_get_stats(&now);
  return now.automatic;
}

STEP void be_left_in(gc_phase phase) {
  ASSERT_TRUE(gc_add_callback(leave, &phase));
  if (setjmp(before_callback) == 0) allocate_and_lose(4 << 20);
}

class LeftIn : public Gc, public testing::WithParamInterface<gc_phase> {};

TEST_P(LeftIn, AnAutomaticCollectionIsNotTheLast) {
  gc_set_threshold(1 << 20, 0);
  gc_enable();
  be_left_in(GetParam());
  const uint64_t before = automatic();
  testing::internal::CaptureStderr();
  allocate_and_lose(8 << 20);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("left by longjmp"), std::string::npos);
  gc_disable();
  EXPECT_GT(automatic(), before);
}

INSTANTIATE_TEST_SUITE_P(Watch, LeftIn, testing::Values(GC_PHASE_START, GC_PHASE_STOP));

void collect_again(gc_phase, const gc_info*, void* arg) {
  static_cast<Seen*>(arg)->nested = gc_collect();
}

// A collect from within a running collection returns 0.
TEST_F(Watch, ANestedCollectReturnsZero) {
  ASSERT_TRUE(gc_add_callback(collect_again, &seen));
  lose_one();
  EXPECT_GE(collect(), 1u);
  EXPECT_EQ(seen.nested, 0u);
  EXPECT_TRUE(gc_remove_callback(collect_again, &seen));
  lose_one();
  EXPECT_EQ(collect(), 1u);
}

void allocate_in_callback(gc_phase, const gc_info*, void*) {
  allocate_and_lose(256 << 10);
}

TEST_F(Watch, ExceptionsOutOfCallbacksAreReportedAndIgnored) {
  const gc_callback throwing = [](gc_phase, const gc_info*, void*) { throw 1; };
  ASSERT_TRUE(gc_add_callback(throwing, nullptr));
  testing::internal::CaptureStderr();
  collect();
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("ignored: an exception of type i"), std::string::npos) << text;
  EXPECT_EQ(gc::get_stats().errors_reported, 2u);  // phases start and stop
  EXPECT_TRUE(gc_remove_callback(throwing, nullptr));
}

TEST_F(Watch, CallbacksMayAllocate) {
  gc_set_threshold(64 << 10, 0);
  ASSERT_TRUE(gc_add_callback(allocate_in_callback, nullptr));
  gc_enable();
  allocate_and_lose(4 << 20);
  EXPECT_GT(collect(), 0u);
  gc_disable();
  EXPECT_TRUE(gc_remove_callback(allocate_in_callback, nullptr));
}

// The argument is a reference.
STEP gc_id_t add_with_block() {
  void* volatile p = std::malloc(48);
  gc_add_callback([](gc_phase, const gc_info*, void*) {}, p);
  return gc_id(p);
}

TEST_F(Watch, TheArgumentOfACallbackIsKept) {
  const gc_id_t id = add_with_block();
  collect();
  EXPECT_TRUE(gc_object_exists(id));
}

// "gc.set_debug(flags): Set the garbage collection debugging flags. Debugging information will be
// written to sys.stderr. gc.get_debug(): Return the debugging flags currently set."
TEST_F(Watch, DebugFlagsAreWhatWasSet) {
  EXPECT_EQ(gc_get_debug(), 0u);
  EXPECT_TRUE(gc_set_debug(GC_DEBUG_LEAK));
  EXPECT_EQ(gc_get_debug(), unsigned{GC_DEBUG_COLLECTABLE | GC_DEBUG_SAVEALL});
  EXPECT_TRUE(gc_set_debug(0));
  EXPECT_EQ(gc_get_debug(), 0u);
}

STEP void lose_named() {
  void* volatile p = std::malloc(48);
  gc_set_type(p, "Lost");
  p = nullptr;
}

// "gc.DEBUG_STATS: Print statistics during collection. gc.DEBUG_COLLECTABLE: Print information on
// collectable objects found."
TEST_F(Watch, DebugPrints) {
  collect();
  lose_named();
  lose_one();
  gc_set_debug(GC_DEBUG_STATS | GC_DEBUG_COLLECTABLE);
  testing::internal::CaptureStderr();
  EXPECT_EQ(collect(), 2u);
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("2 blocks"), std::string::npos) << text;
  EXPECT_NE(text.find("collectable 0x"), std::string::npos) << text;
  EXPECT_NE(text.find(" Lost\n"), std::string::npos) << text;
  gc_set_debug(0);
  testing::internal::CaptureStderr();
  collect();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

// "gc.DEBUG_SAVEALL: When set, all unreachable objects found will be appended to garbage rather
// than being freed." The number returned is the same.
TEST_F(Watch, SaveallKeepsAndCounts) {
  collect();
  const gc_id_t one = lose_one(), two = lose_one();
  gc_set_debug(GC_DEBUG_SAVEALL);
  EXPECT_EQ(collect(), 2u);
  EXPECT_EQ(gc_garbage(nullptr, 0), 2u);
  EXPECT_TRUE(gc_object_exists(one));
  EXPECT_TRUE(gc_object_exists(two));
  gc_object object = {};
  EXPECT_EQ(gc_garbage(&object, 1), 2u);
  EXPECT_TRUE(gc_id(object.address) == one || gc_id(object.address) == two);
  object = {};
  gc_set_debug(0);
  // They are alive now.
  EXPECT_EQ(collect(), 0u);
  EXPECT_EQ(gc_garbage(nullptr, 0), 2u);
  gc_clear_garbage();
  EXPECT_EQ(gc_garbage(nullptr, 0), 0u);
  EXPECT_EQ(collect(), 2u);
  EXPECT_FALSE(gc_object_exists(one));
}

STEP void free_first_garbage() {
  gc_object object = {};
  gc_garbage(&object, 1);
  std::free(object.address);
}

TEST_F(Watch, WhatTheProgramFreesLeavesGarbage) {
  collect();
  lose_one();
  gc_set_debug(GC_DEBUG_SAVEALL);
  EXPECT_EQ(collect(), 1u);
  free_first_garbage();
  EXPECT_EQ(gc_garbage(nullptr, 0), 0u);
  gc_set_debug(0);
}

// "gc.freeze(): Freeze all the objects tracked by the garbage collector; move them to a permanent
// generation and ignore them in all the future collections. gc.unfreeze(): Unfreeze the objects in
// the permanent generation, put them back into the oldest generation. gc.get_freeze_count(): Return
// the number of objects in the permanent generation."
TEST_F(Watch, FreezeKeepsUntilUnfreeze) {
  collect();
  EXPECT_EQ(gc_get_freeze_count(), 0u);
  const gc_id_t before = lose_one();
  EXPECT_TRUE(gc_freeze());
  EXPECT_EQ(gc_get_freeze_count(), gc_objects(nullptr, 0));
  const gc_id_t after = lose_one();
  EXPECT_EQ(collect(), 1u);
  EXPECT_TRUE(gc_object_exists(before));
  EXPECT_FALSE(gc_object_exists(after));
  gc_unfreeze();
  EXPECT_EQ(gc_get_freeze_count(), 0u);
  EXPECT_EQ(collect(), 1u);
  EXPECT_FALSE(gc_object_exists(before));
}

Node* volatile root;

STEP gc_id_t put_child_into_frozen() {
  root->other = new Node;
  gc_id_t id = gc_id(root->other);
  root = nullptr;
  return id;
}

// Frozen blocks are scanned.
TEST_F(Watch, FrozenBlocksRefer) {
  root = new Node;
  EXPECT_TRUE(gc_freeze());
  const gc_id_t child = put_child_into_frozen();
  collect();
  EXPECT_TRUE(gc_object_exists(child));
  gc_unfreeze();
  EXPECT_EQ(collect(), 2u);
  EXPECT_FALSE(gc_object_exists(child));
}

STEP void* volatile_alloc(size_t size) {
  return std::malloc(size);
}

TEST_F(Watch, WhatTheProgramFreesIsFrozenNoMore) {
  void* p = volatile_alloc(48);
  void* big = volatile_alloc(40 << 20);
  EXPECT_TRUE(gc_freeze());
  const size_t count = gc_get_freeze_count();
  std::free(p);
  std::free(big);
  EXPECT_EQ(gc_get_freeze_count(), count - 2);
  gc_unfreeze();
}

// No row of Python's, where every object has a type: gc_set_type says what a block is.
TEST_F(Watch, TypesAreKept) {
  void* p = volatile_alloc(48);
  char name[] = "Cat";
  EXPECT_TRUE(gc_set_type(p, name));
  name[0] = 'R';
  EXPECT_STREQ(gc_type(static_cast<char*>(p) + 20), "Cat");
  EXPECT_TRUE(gc_set_type(p, "Dog"));
  EXPECT_STREQ(gc_type(p), "Dog");
  p = std::realloc(p, 100'000);
  EXPECT_STREQ(gc_type(p), "Dog");
  EXPECT_TRUE(gc_set_type(p, nullptr));
  EXPECT_EQ(gc_type(p), nullptr);
  std::free(p);
}

}  // namespace
