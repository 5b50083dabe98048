#include <algorithm>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "heap_fixture.h"

namespace {

class Lookup : public Heap {};

void expect_found_everywhere(const void* p, size_t size, bool leaf = false) {
  uintptr_t start = address_of(p);
  size_t step = std::max<size_t>(1, size / 997);
  for (size_t i = 0; i < size; i += step) {
    heap::Block block = heap::find_block(start + i);
    ASSERT_EQ(block.address, start) << "at " << i << " of " << size;
    ASSERT_EQ(block.size, size);
    ASSERT_EQ(block.leaf, leaf);
  }
  ASSERT_EQ(heap::find_block(start + size - 1).address, start);
  ASSERT_NE(heap::find_block(start + size).address, start);
  ASSERT_NE(heap::find_block(start - 1).address, start);
}

TEST_F(Lookup, EverySizeClassFromInside) {
  for (size_t size = 1; size < 100u << 20; size += 1 + size / 7) {
    void* p[3];
    for (void*& each : p) each = heap::allocate(size);
    for (void* each : p) expect_found_everywhere(each, heap::usable_size(each));
    for (void* each : p) heap::release(each);
    for (void* each : p) {
      ASSERT_FALSE(heap::find_block(address_of(each)));
      ASSERT_FALSE(heap::find_block(address_of(each) + size / 2));
    }
  }
}

TEST_F(Lookup, LeavesAndAlignedBlocks) {
  for (size_t size = 1; size < 40u << 20; size += 1 + size / 3) {
    void* leaf = heap::allocate_leaf(size);
    expect_found_everywhere(leaf, heap::usable_size(leaf), true);
    heap::release(leaf);
    for (size_t alignment : {256u, 1u << 16, 128u << 20}) {
      void* p = heap::allocate_aligned(alignment, size);
      expect_found_everywhere(p, heap::usable_size(p));
      heap::release(p);
    }
  }
}

TEST_F(Lookup, NothingWhereNothingIs) {
  EXPECT_FALSE(heap::find_block(0));
  EXPECT_FALSE(heap::find_block(UINTPTR_MAX));
  EXPECT_FALSE(heap::find_block(heap::geometry.base));
  EXPECT_FALSE(heap::find_block(heap::geometry.base - 1));
  EXPECT_FALSE(heap::find_block(heap::geometry.base + heap::geometry.size));
  EXPECT_FALSE(heap::find_block(heap::geometry.base + heap::geometry.size - 1));
  int local;
  EXPECT_FALSE(heap::find_block(address_of(&local)));
  std::mt19937_64 random(3);
  for (int i = 0; i < 100000; ++i) {
    ASSERT_FALSE(heap::find_block(heap::geometry.base + random() % heap::geometry.size));
  }
}

// What the owner table said of a block that is gone must not bring it back.
TEST_F(Lookup, StaleOwnersAreNotBelieved) {
  for (int round = 0; round < 20; ++round) {
    void* large = heap::allocate(10u << 20);
    uintptr_t start = address_of(large);
    heap::release(large);
    std::vector<void*> small;
    for (int i = 0; i < 2000; ++i) small.push_back(heap::allocate(8000));
    for (size_t at = 0; at < 10u << 20; at += 4096) {
      heap::Block block = heap::find_block(start + at);
      if (block) {
        ASSERT_EQ(block.size, 8000u);
      }
    }
    for (void* p : small) heap::release(p);
  }
}

TEST_F(Lookup, UnrecordAndRestore) {
  for (size_t size : {40u, 100000u, 30u << 20}) {
    for (bool leaf : {false, true}) {
      void* p = leaf ? heap::allocate_leaf(size) : heap::allocate(size);
      heap::Block block = heap::find_block(address_of(p));
      uint8_t byte = heap::unrecord(block);
      EXPECT_NE(byte, 0);
      EXPECT_FALSE(heap::find_block(address_of(p) + size / 2));
      heap::restore(block, byte);
      EXPECT_EQ(heap::find_block(address_of(p) + size / 2).address, address_of(p));
      byte = heap::unrecord(block);
      heap::free_unrecorded(block, byte);
      EXPECT_TRUE(all_blocks().empty());
    }
  }
}

// Threads allocate, change and free, also what others allocated; in the end the map holds exactly
// what they still have.
TEST_F(Lookup, TheMapEqualsAShadowAfterChurn) {
  constexpr int kThreads = 4;
  constexpr size_t kSlots = 500;
  constexpr int kOperations = 40000;
  static void* shared[kSlots];
  static std::mutex locks[kSlots];
  auto size_for = [](std::mt19937& random) -> size_t {
    switch (random() % 50) {
      case 0:
        return random() % (4u << 20);
      case 1:
        return (16u << 20) + random() % (8u << 20);
      case 2:
      case 3:
      case 4:
        return random() % 100000;
      default:
        return random() % 2000;
    }
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([=] {
      std::mt19937 random(t + 1);
      for (int i = 0; i < kOperations; ++i) {
        size_t slot = random() % kSlots;
        std::lock_guard guard(locks[slot]);
        void*& p = shared[slot];
        size_t size = size_for(random);
        switch (random() % 8) {
          case 0:
            if (p) {
              p = heap::reallocate(p, size + 1);
              break;
            }
            [[fallthrough]];
          case 1:
            heap::release(p);
            p = heap::allocate_leaf(size);
            break;
          case 2:
            heap::release(p);
            p = heap::allocate_aligned(16u << random() % 12, size);
            break;
          case 3:
            heap::release(p);
            p = heap::allocate_zeroed(size, 1);
            break;
          case 4:
            heap::release(p);
            p = nullptr;
            break;
          default:
            heap::release(p);
            p = heap::allocate(size);
            break;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::map<uintptr_t, size_t> expected;
  for (void* p : shared) {
    if (p) expected[address_of(p)] = heap::usable_size(p);
  }
  std::map<uintptr_t, size_t> found;
  size_t bytes = 0;
  for (const heap::Block& block : all_blocks()) {
    EXPECT_TRUE(found.emplace(block.address, block.size).second);
    bytes += block.size;
  }
  EXPECT_EQ(found, expected);
  uintptr_t end = 0;
  for (auto [address, size] : found) {
    EXPECT_GE(address, end) << "blocks overlap";
    end = address + size;
  }
  heap::Usage usage = heap::usage();
  EXPECT_EQ(usage.blocks, expected.size());
  EXPECT_EQ(usage.used, bytes);
  EXPECT_GE(usage.committed, usage.used);
}

}  // namespace
