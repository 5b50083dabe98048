// The heap is one for the process, and every test runs in a process of its own (ctest).
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <set>
#include <vector>

#include "allocator/heap.h"

namespace heap = heaprake::heap;

inline uintptr_t address_of(const void* p) {
  return reinterpret_cast<uintptr_t>(p);
}

// Every recorded block, by going over the map as the collector does.
inline std::vector<heap::Block> all_blocks() {
  std::vector<heap::Block> blocks;
  constexpr size_t kPerSlice = heap::kSliceSize / heap::kGranule;
  for (size_t slice = heap::next_used_slice(0); slice < heap::slice_limit();
       slice = heap::next_used_slice(slice + 1)) {
    for (size_t g = slice * kPerSlice; g < (slice + 1) * kPerSlice; ++g) {
      if (heap::geometry.map[g]) blocks.push_back(heap::block_at(g));
    }
  }
  return blocks;
}

class Heap : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(heap::init({})); }
};
