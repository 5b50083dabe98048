// What glibc promises of malloc and its relatives.
#include <cerrno>
#include <limits>

#include "heap_fixture.h"

namespace {

class Contract : public Heap {};

const size_t kSizes[] = {
    0,         1,        8,    15,   16,    17,    100,    1023,    1024,     1025,
    4047,      4048,     4049, 8192, 65535, 65536, 131072, 1000000, 5u << 20, (16u << 20) - 64,
    16u << 20, 40u << 20};

TEST_F(Contract, EverySizeIsAlignedDistinctAndUsable) {
  std::set<uintptr_t> starts;
  std::vector<char*> blocks;
  for (size_t size : kSizes) {
    auto* p = static_cast<char*>(heap::allocate(size));
    ASSERT_NE(p, nullptr) << size;
    EXPECT_EQ(address_of(p) % 16, 0u) << size;
    EXPECT_TRUE(starts.insert(address_of(p)).second);
    EXPECT_GE(heap::usable_size(p), size);
    std::memset(p, 0x5a, heap::usable_size(p));
    blocks.push_back(p);
  }
  for (char* p : blocks) {
    for (size_t i = 0, n = heap::usable_size(p); i < n; i += 61) ASSERT_EQ(p[i], 0x5a);
    heap::release(p);
  }
}

TEST_F(Contract, ManyGibibytes) {
  for (size_t gib : {1, 5, 40}) {
    size_t size = gib << 30;
    auto* p = static_cast<char*>(heap::allocate(size));
    ASSERT_NE(p, nullptr) << gib;
    p[0] = p[size - 1] = 1;
    EXPECT_EQ(heap::find_block(address_of(p) + size - 1).address, address_of(p));
    heap::release(p);
  }
}

TEST_F(Contract, TooMuchFailsWithENOMEM) {
  for (size_t size : {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - 4096, size_t{PTRDIFF_MAX} + 1,
                      size_t{PTRDIFF_MAX}, size_t{1} << 50}) {
    errno = 0;
    EXPECT_EQ(heap::allocate(size), nullptr) << size;
    EXPECT_EQ(errno, ENOMEM) << size;
    errno = 0;
    EXPECT_EQ(heap::allocate_zeroed(1, size), nullptr);
    EXPECT_EQ(errno, ENOMEM);
    errno = 0;
    EXPECT_EQ(heap::allocate_aligned(64, size), nullptr);
    EXPECT_EQ(errno, ENOMEM);
    errno = 0;
    EXPECT_EQ(heap::allocate_leaf(size), nullptr);
    EXPECT_EQ(errno, ENOMEM);
  }
  errno = 0;
  EXPECT_EQ(heap::allocate_zeroed(size_t{1} << 33, size_t{1} << 33), nullptr);
  EXPECT_EQ(errno, ENOMEM);
}

TEST_F(Contract, ZeroedMemoryIsZeroAlsoWhenReused) {
  for (int round = 0; round < 3; ++round) {
    std::vector<unsigned char*> blocks;
    for (size_t size : kSizes) {
      auto* p = static_cast<unsigned char*>(heap::allocate_zeroed(1, size));
      ASSERT_NE(p, nullptr);
      for (size_t i = 0; i < size; ++i) ASSERT_EQ(p[i], 0) << size << " at " << i;
      std::memset(p, 0xff, size);
      blocks.push_back(p);
    }
    for (auto* p : blocks) heap::release(p);
  }
}

TEST_F(Contract, AFreshBlockHoldsNoAddressOfAFreeOne) {
  std::vector<void**> blocks;
  for (int i = 0; i < 1000; ++i) blocks.push_back(static_cast<void**>(heap::allocate(64)));
  for (void** p : blocks) heap::release(p);
  for (int i = 0; i < 1000; ++i) {
    auto** p = static_cast<void**>(heap::allocate(64));
    EXPECT_EQ(*p, nullptr);
  }
}

TEST_F(Contract, EveryAlignmentUpToAGibibyte) {
  for (size_t alignment = 1; alignment <= size_t{1} << 30; alignment <<= 1) {
    std::vector<char*> blocks;
    for (size_t size : {size_t{0}, size_t{1}, size_t{24}, alignment / 2, alignment, size_t{256},
                        size_t{300}, size_t{1024}, size_t{70000}}) {
      if (size > 64u << 20) continue;
      auto* p = static_cast<char*>(heap::allocate_aligned(alignment, size));
      ASSERT_NE(p, nullptr) << alignment << " " << size;
      EXPECT_EQ(address_of(p) % alignment, 0u) << alignment << " " << size;
      EXPECT_EQ(address_of(p) % 16, 0u);
      EXPECT_GE(heap::usable_size(p), size);
      std::memset(p, 1, size);
      EXPECT_EQ(heap::find_block(address_of(p) + size / 2).address, address_of(p));
      blocks.push_back(p);
    }
    for (char* p : blocks) heap::release(p);
  }
  EXPECT_TRUE(all_blocks().empty());
}

// mimalloc 2.0.9 misplaces some of these; a few hundred of each are enough to meet every case.
TEST_F(Contract, AlignmentsThatMimallocGetsWrong) {
  std::vector<void*> blocks;
  for (int i = 0; i < 300; ++i) {
    for (size_t alignment : {32, 64, 128, 256, 512, 1024, 4096}) {
      for (size_t size : {1, 100, 256, 512, 1024, 2048}) {
        void* p = heap::allocate_aligned(alignment, size);
        ASSERT_EQ(address_of(p) % alignment, 0u) << alignment << " " << size;
        blocks.push_back(p);
      }
    }
  }
  for (void* p : blocks) heap::release(p);
  EXPECT_TRUE(all_blocks().empty());
}

TEST_F(Contract, ReleaseKeepsErrno) {
  std::vector<void*> blocks;
  for (size_t size : kSizes) {
    for (int i = 0; i < 40; ++i) blocks.push_back(heap::allocate(size));
  }
  for (void* p : blocks) {
    errno = EDOM;
    heap::release(p);
    ASSERT_EQ(errno, EDOM);
  }
  errno = EDOM;
  heap::release(nullptr);
  EXPECT_EQ(errno, EDOM);
}

TEST_F(Contract, SuccessKeepsErrno) {
  for (size_t size : kSizes) {
    errno = EDOM;
    void* p = heap::allocate(size);
    ASSERT_EQ(errno, EDOM) << size;
    p = heap::reallocate(p, size * 3 + 1);
    ASSERT_NE(p, nullptr);
    ASSERT_EQ(errno, EDOM) << size;
    heap::release(p);
  }
}

TEST(BeforeInit, EveryRequestFails) {
  errno = 0;
  EXPECT_EQ(heap::allocate(10), nullptr);
  EXPECT_EQ(errno, ENOMEM);
  EXPECT_EQ(heap::allocate_zeroed(1, 10), nullptr);
  EXPECT_EQ(heap::allocate_aligned(64, 10), nullptr);
  EXPECT_EQ(heap::allocate_leaf(10), nullptr);
  EXPECT_FALSE(heap::ready());
  EXPECT_FALSE(heap::find_block(0x1000));
  EXPECT_EQ(heap::slice_limit(), 0u);
  EXPECT_FALSE(heap::trim());
}

}  // namespace
