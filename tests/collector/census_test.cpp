// Reference counts and referrers are found by scanning alone.

#include "tests/collector/heap_fixture.h"

namespace heaprake::test {
namespace {

void** volatile root_slot;

size_t count_now(const Hidden& block) {
  size_t count = SIZE_MAX;
  struct Arg {
    const Hidden* block;
    size_t* count;
  } arg{&block, &count};
  clear_stack();
  platform::heaprake_with_context(
      [](const platform::CallContext* context, void* p) {
        auto* a = static_cast<Arg*>(p);
        collector::count_references(heap::find_block(a->block->address()),
                                    platform::thread_of_call(*context), a->count);
      },
      &arg);
  return count;
}

size_t list_now(const Hidden& block, gc_reference* out, size_t capacity) {
  size_t count = SIZE_MAX;
  struct Arg {
    const Hidden* block;
    gc_reference* out;
    size_t capacity;
    size_t* count;
  } arg{&block, out, capacity, &count};
  clear_stack();
  platform::heaprake_with_context(
      [](const platform::CallContext* context, void* p) {
        auto* a = static_cast<Arg*>(p);
        collector::list_references(heap::find_block(a->block->address()),
                                   platform::thread_of_call(*context), a->out, a->capacity,
                                   a->count);
      },
      &arg);
  return count;
}

__attribute__((noinline)) void build(Hidden* a, Hidden* b) {
  auto** one = static_cast<void**>(heap::allocate_zeroed(1, 64));
  auto** two = static_cast<void**>(heap::allocate_zeroed(1, 64));
  one[0] = two;
  one[5] = reinterpret_cast<char*>(two) + 63;
  two[2] = one;
  two[3] = two;
  root_slot = one;
  *a = Hidden(one);
  *b = Hidden(two);
}

class CensusTest : public HeapTest {};

TEST_F(CensusTest, CountsEachWordOnce) {
  Hidden a, b;
  build(&a, &b);
  EXPECT_EQ(count_now(a), 2u);  // root_slot, two[2]
  EXPECT_EQ(count_now(b), 3u);  // one[0], one[5] (interior), two[3] (itself)
  root_slot = nullptr;
  EXPECT_EQ(count_now(a), 1u);
  EXPECT_EQ(collect_now().blocks, 2u);
}

TEST_F(CensusTest, NamesReferrers) {
  Hidden a, b;
  build(&a, &b);
  gc_reference found[4];
  ASSERT_EQ(list_now(a, found, 4), 2u);
  EXPECT_EQ(found[0].kind, GC_REFERENCE_GLOBAL);
  EXPECT_NE(strstr(found[0].name, "collector_test"), nullptr) << found[0].name;
  EXPECT_EQ(found[1].kind, GC_REFERENCE_BLOCK);
  EXPECT_EQ(found[1].holder, b.address());
  EXPECT_EQ(found[1].offset, 16u);
  memset(found, 0, sizeof found);
  root_slot = nullptr;
  collect_now();
}

TEST_F(CensusTest, APinIsAReference) {
  Hidden a, b;
  build(&a, &b);
  ASSERT_TRUE(pin(a));
  EXPECT_EQ(count_now(a), 3u);
  unpin(a);
  root_slot = nullptr;
  collect_now();
}

TEST_F(CensusTest, ReferentsComeInTheOrderOfTheWords) {
  Hidden a, b;
  build(&a, &b);
  uintptr_t out[4] = {};
  EXPECT_EQ(collector::list_referents(heap::find_block(a.address()), out, 4), 2u);
  EXPECT_EQ(out[0], b.address());
  EXPECT_EQ(out[1], b.address());
  EXPECT_EQ(collector::list_referents(heap::find_block(b.address()), out, 1), 2u);
  EXPECT_EQ(out[0], a.address());
  memset(out, 0, sizeof out);
  root_slot = nullptr;
  collect_now();
}

}  // namespace
}  // namespace heaprake::test
