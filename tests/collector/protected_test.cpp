// Blocks with pages that cannot be read or written: kept, never touched, and what they hold counts.

#include <sys/mman.h>

#include <algorithm>

#include "tests/collector/heap_fixture.h"

namespace heaprake::test {
namespace {

constexpr size_t kPage = platform::kPageSize;
constexpr size_t kSize = 64 * kPage;

// A block nobody refers to, of whole pages, with an address of another one at `offset`.
__attribute__((noinline)) void build(size_t offset, Hidden* holder, Hidden* child) {
  auto* block = static_cast<char*>(heap::allocate_aligned(kPage, kSize));
  memset(block, 0, kSize);
  void* other = heap::allocate_zeroed(1, 100);
  memcpy(block + offset, &other, sizeof other);
  *holder = Hidden(block);
  *child = Hidden(other);
}

__attribute__((noinline)) bool protect(const Hidden& block, int protection) {
  return mprotect(block.get<char>() + 10 * kPage, kPage, protection) == 0;
}

class ProtectedTest : public HeapTest, public testing::WithParamInterface<int> {};

TEST_P(ProtectedTest, IsKeptUntilItIsReadableAgain) {
  configure({.verify = true});
  for (size_t offset : {size_t{0}, 9 * kPage + 8, 10 * kPage, 11 * kPage, kSize - 8}) {
    Hidden holder, child;
    build(offset, &holder, &child);
    ASSERT_TRUE(protect(holder, GetParam()));
    EXPECT_EQ(collect_now().blocks, 0u) << offset;
    EXPECT_TRUE(exists(holder)) << offset;
    EXPECT_TRUE(exists(child)) << offset;
    ASSERT_TRUE(protect(holder, PROT_READ | PROT_WRITE));
    EXPECT_EQ(collect_now().blocks, 2u) << offset;
    EXPECT_FALSE(exists(child)) << offset;
  }
}

INSTANTIATE_TEST_SUITE_P(As, ProtectedTest, testing::Values(PROT_NONE, PROT_READ, PROT_EXEC));

// A function of its own: its frame holds addresses, which are references too.
__attribute__((noinline)) void expect_one_reference(const Hidden& holder, const Hidden& child) {
  gc_reference found[16];
  size_t count = 0;
  auto list = [&](const platform::StoppedThread& self) {
    collector::list_references(heap::find_block(child.address()), self, found, 16, &count);
  };
  platform::heaprake_with_context(
      [](const platform::CallContext* context, void* arg) {
        (*static_cast<decltype(list)*>(arg))(platform::thread_of_call(*context));
      },
      &list);
  size_t from_blocks = 0;
  for (size_t i = 0; i < std::min<size_t>(count, 16); i++) {
    if (found[i].kind != GC_REFERENCE_BLOCK) continue;
    from_blocks++;
    EXPECT_EQ(found[i].holder, holder.address());
    EXPECT_EQ(found[i].offset, 10 * kPage);
  }
  EXPECT_EQ(from_blocks, 1u);
  uintptr_t target = 0;
  EXPECT_EQ(collector::list_referents(heap::find_block(holder.address()), &target, 1), 1u);
  EXPECT_EQ(target, child.address());
}

TEST_F(ProtectedTest, ReferencesFromItAreCounted) {
  Hidden holder, child;
  build(10 * kPage, &holder, &child);
  ASSERT_TRUE(protect(holder, PROT_NONE));
  expect_one_reference(holder, child);
  ASSERT_TRUE(protect(holder, PROT_READ | PROT_WRITE));
  EXPECT_EQ(collect_now().blocks, 2u);
}

__attribute__((noinline)) bool unmap(const Hidden& block) {
  return munmap(block.get<char>() + 10 * kPage, 2 * kPage) == 0;
}
__attribute__((noinline)) bool map_again(const Hidden& block) {
  return mmap(block.get<char>() + 10 * kPage, 2 * kPage, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
}

TEST_F(ProtectedTest, UnmappedPagesAreNoHarm) {
  Hidden holder, child;
  build(20 * kPage, &holder, &child);
  ASSERT_TRUE(unmap(holder));
  EXPECT_EQ(collect_now().blocks, 0u);
  EXPECT_TRUE(exists(child));
  ASSERT_TRUE(map_again(holder));
  EXPECT_EQ(collect_now().blocks, 2u);
}

}  // namespace
}  // namespace heaprake::test
