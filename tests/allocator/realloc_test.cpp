#include <cerrno>
#include <random>

#include "heap_fixture.h"

namespace {

class Realloc : public Heap {};

unsigned char pattern(size_t i) {
  return static_cast<unsigned char>(i * 31 + (i >> 8));
}

void fill(unsigned char* p, size_t from, size_t to) {
  for (size_t i = from; i < to; ++i) p[i] = pattern(i);
}

void expect_filled(const unsigned char* p, size_t size) {
  for (size_t i = 0; i < size; ++i) ASSERT_EQ(p[i], pattern(i)) << "at " << i << " of " << size;
}

TEST_F(Realloc, GrowingAndShrinkingKeepsContents) {
  std::mt19937 random(1);
  size_t size = 1;
  auto* p = static_cast<unsigned char*>(heap::allocate(size));
  fill(p, 0, size);
  for (int i = 0; i < 600; ++i) {
    size_t bits = random() % 22;
    size_t next = 1 + random() % (size_t{1} << bits);
    p = static_cast<unsigned char*>(heap::reallocate(p, next));
    ASSERT_NE(p, nullptr);
    expect_filled(p, std::min(size, next));
    fill(p, std::min(size, next), next);
    size = next;
    heap::Block block = heap::find_block(address_of(p) + size - 1);
    ASSERT_EQ(block.address, address_of(p));
    ASSERT_GE(block.size, size);
    ASSERT_EQ(heap::usable_size(p), block.size);
  }
  heap::release(p);
  EXPECT_TRUE(all_blocks().empty());
}

TEST_F(Realloc, VeryLargeBlocksGrowWhereTheyAre) {
  size_t size = 20u << 20;
  auto* p = static_cast<unsigned char*>(heap::allocate(size));
  fill(p, 0, 4096);
  auto* first = p;
  for (; size < 39u << 20; size += 3u << 20) {
    p = static_cast<unsigned char*>(heap::reallocate(p, size));
    ASSERT_EQ(p, first);
    p[size - 1] = 1;
  }
  p = static_cast<unsigned char*>(heap::reallocate(p, size_t{3} << 30));
  ASSERT_NE(p, nullptr);
  expect_filled(p, 4096);
  p = static_cast<unsigned char*>(heap::reallocate(p, 100));
  expect_filled(p, 100);
  heap::release(p);
  EXPECT_TRUE(all_blocks().empty());
}

TEST_F(Realloc, ShrinkingInPlaceRecordsTheSmallerLength) {
  for (size_t size : {4000u, 100000u, 3u << 20, 64u << 20}) {
    void* p = heap::allocate(size);
    size_t smaller = size - size / 4;
    void* q = heap::reallocate(p, smaller);
    EXPECT_EQ(heap::usable_size(q), (smaller + 15) / 16 * 16) << size;
    EXPECT_FALSE(heap::find_block(address_of(q) + heap::usable_size(q)));
    heap::release(q);
  }
}

TEST_F(Realloc, AlignedAndLeafBlocks) {
  for (size_t alignment : {64u, 512u, 4096u, 64u << 20}) {
    auto* p = static_cast<unsigned char*>(heap::allocate_aligned(alignment, 1000));
    fill(p, 0, 1000);
    p = static_cast<unsigned char*>(heap::reallocate(p, 50000));
    expect_filled(p, 1000);
    heap::release(p);
  }
  auto* leaf = static_cast<unsigned char*>(heap::allocate_leaf(1000));
  fill(leaf, 0, 1000);
  for (size_t size : {900u, 100u, 5000u, 200000u, 20u << 20}) {
    leaf = static_cast<unsigned char*>(heap::reallocate(leaf, size));
    expect_filled(leaf, 100);
    heap::Block block = heap::find_block(address_of(leaf) + size - 1);
    ASSERT_EQ(block.address, address_of(leaf));
    EXPECT_TRUE(block.leaf);
    EXPECT_GE(block.size, size);
  }
  heap::release(leaf);
  EXPECT_TRUE(all_blocks().empty());
}

TEST_F(Realloc, FailureLeavesTheBlock) {
  auto* p = static_cast<unsigned char*>(heap::allocate(100));
  fill(p, 0, 100);
  for (size_t size : {SIZE_MAX, size_t{PTRDIFF_MAX}, size_t{1} << 50}) {
    errno = 0;
    EXPECT_EQ(heap::reallocate(p, size), nullptr);
    EXPECT_EQ(errno, ENOMEM);
  }
  expect_filled(p, 100);
  EXPECT_EQ(heap::classify(p), heap::Misuse::kNone);
}

}  // namespace
