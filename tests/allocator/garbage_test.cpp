// The garbage of a slice is freed together, whole pages of it at once: nothing else is touched, and
// what is allocated there afterwards is as new.
#include <algorithm>
#include <bit>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "heap_fixture.h"

namespace {

constexpr size_t kWords = heap::kSliceSize / heap::kGranule / 64;

size_t granule_of(const void* p) {
  return (address_of(p) - heap::geometry.base) / heap::kGranule;
}

// As the collector does it: slice by slice. What is left set is counted in `left`.
heap::Freed free_all(const std::vector<void*>& garbage, size_t* left = nullptr) {
  std::set<size_t> slices;
  for (const void* p : garbage) slices.insert(granule_of(p) / (kWords * 64));
  heap::Freed sum;
  for (size_t slice : slices) {
    uint64_t bits[kWords] = {};
    for (const void* p : garbage) {
      const size_t granule = granule_of(p);
      if (granule / (kWords * 64) == slice)
        bits[granule / 64 % kWords] |= uint64_t{1} << granule % 64;
    }
    const heap::Freed freed = heap::free_garbage(slice, bits);
    sum.blocks += freed.blocks;
    sum.bytes += freed.bytes;
    sum.gone += freed.gone;
    if (left)
      for (uint64_t word : bits) *left += static_cast<size_t>(std::popcount(word));
  }
  return sum;
}

std::vector<void*> filled_blocks(size_t count, size_t size) {
  std::vector<void*> blocks(count);
  for (void*& p : blocks) {
    p = heap::allocate(size);
    std::memset(p, 0x5a, size);
  }
  return blocks;
}

bool is_recorded(const void* p) {
  return heap::find_block(address_of(p)).address == address_of(p);
}

bool is_filled_with(const void* p, size_t size, char byte) {
  const auto* chars = static_cast<const char*>(p);
  return std::all_of(chars, chars + size, [=](char c) { return c == byte; });
}

// What the program frees keeps its content: cleared, so that only garbage's could be found later.
void release_cleared(void* p, size_t size) {
  std::memset(p, 0, size);
  heap::release(p);
}

// Nothing of what was there is left to refer to anything, and no two blocks meet.
void expect_fresh_blocks(size_t count, size_t size) {
  std::vector<void*> blocks(count);
  for (void*& p : blocks) p = heap::allocate(size);
  std::set<const void*> distinct(blocks.begin(), blocks.end());
  EXPECT_EQ(distinct.size(), count);
  size_t stale = 0;
  for (const void* p : blocks) stale += !is_filled_with(p, size, 0);
  EXPECT_EQ(stale, 0u);
  for (void* p : blocks) release_cleared(p, size);
}

class Garbage : public Heap, public testing::WithParamInterface<size_t> {};

TEST_P(Garbage, OfWholePagesIsFreed) {
  const size_t size = GetParam();
  const std::vector<void*> blocks = filled_blocks(20'000, size);
  size_t bytes = 0;
  for (const void* p : blocks) bytes += heap::find_block(address_of(p)).size;
  size_t left = 0;
  const heap::Freed freed = free_all(blocks, &left);
  EXPECT_EQ(freed.blocks, blocks.size());
  EXPECT_EQ(freed.bytes, bytes);
  EXPECT_EQ(freed.gone, 0u);
  EXPECT_EQ(left, 0u);
  for (const void* p : blocks) ASSERT_FALSE(is_recorded(p));
  for (int round = 0; round < 3; ++round) expect_fresh_blocks(20'000, size);
}

TEST_P(Garbage, LeavesWhatIsAliveInItsPage) {
  const size_t size = GetParam();
  for (size_t every : {2, 64, 1000, 9000}) {
    const std::vector<void*> blocks = filled_blocks(18'000, size);
    std::vector<void*> garbage, alive;
    for (size_t i = 0; i < blocks.size(); ++i)
      (i % every == every - 1 ? alive : garbage).push_back(blocks[i]);
    EXPECT_EQ(free_all(garbage).blocks, garbage.size());
    for (const void* p : garbage) ASSERT_FALSE(is_recorded(p));
    expect_fresh_blocks(18'000, size);
    for (void* p : alive) {
      ASSERT_TRUE(is_recorded(p));
      ASSERT_TRUE(is_filled_with(p, size, 0x5a));
      release_cleared(p, size);
    }
  }
}

TEST_P(Garbage, OfAnotherThreadsPagesIsFreed) {
  const size_t size = GetParam();
  std::vector<void*> blocks;
  std::thread([&] {
    blocks = filled_blocks(5000, size);
    std::thread([&] { EXPECT_EQ(free_all(blocks).blocks, blocks.size()); }).join();
    expect_fresh_blocks(5000, size);
    blocks = filled_blocks(5000, size);
  }).join();
  // The thread is gone, its pages are nobody's.
  EXPECT_EQ(free_all(blocks).blocks, blocks.size());
  expect_fresh_blocks(5000, size);
}

TEST_P(Garbage, BesideWhatOtherThreadsHaveFreedIsFreed) {
  const size_t size = GetParam();
  const std::vector<void*> blocks = filled_blocks(20'000, size);
  std::vector<void*> garbage, freed;
  for (size_t i = 0; i < blocks.size(); ++i) (i % 3 ? garbage : freed).push_back(blocks[i]);
  std::thread([&] {
    for (void* p : freed) release_cleared(p, size);
  }).join();
  EXPECT_EQ(free_all(garbage).blocks, garbage.size());
  expect_fresh_blocks(40'000, size);
}

TEST_P(Garbage, WhatTheProgramFreedIsLeftAlone) {
  const size_t size = GetParam();
  const std::vector<void*> blocks = filled_blocks(2000, size);
  for (size_t i = 0; i < blocks.size(); i += 2) release_cleared(blocks[i], size);
  size_t left = 0;
  EXPECT_EQ(free_all(blocks, &left).blocks, 1000u);
  EXPECT_EQ(left, 1000u);
  expect_fresh_blocks(4000, size);
}

INSTANTIATE_TEST_SUITE_P(Sizes, Garbage, testing::Values(16, 24, 48, 200, 1000),
                         [](const auto& info) { return "Of" + std::to_string(info.param); });

TEST_F(Heap, LargeTitledAndNotedGarbageIsLeftToOthers) {
  std::vector<void*> blocks = {heap::allocate(100'000), heap::allocate_leaf(48), heap::allocate(48),
                               heap::allocate(48)};
  ASSERT_TRUE(heap::note(address_of(blocks[2])));
  size_t left = 0;
  EXPECT_EQ(free_all(blocks, &left).blocks, 1u);
  EXPECT_EQ(left, 3u);
  EXPECT_FALSE(is_recorded(blocks[3]));
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(is_recorded(blocks[i]));
    heap::release(blocks[i]);
  }
}

}  // namespace
