// Hunt mode's sizes asked for, and padding.
#include "heap_fixture.h"

namespace {

TEST(Sizes, RequestedSizesAreKept) {
  ASSERT_TRUE(heap::init({.pad = false, .ledger = true}));
  for (size_t size : {0u, 1u, 15u, 16u, 17u, 1000u, 4048u, 5000u, 100001u, (16u << 20) + 3}) {
    void* p = heap::allocate(size);
    EXPECT_EQ(heap::requested_size(heap::find_block(address_of(p))), size);
    p = heap::reallocate(p, size + 2);
    EXPECT_EQ(heap::requested_size(heap::find_block(address_of(p))), size + 2);
    heap::release(p);
    p = heap::allocate_leaf(size);
    EXPECT_EQ(heap::requested_size(heap::find_block(address_of(p))), size);
    heap::release(p);
    p = heap::allocate_aligned(256, size);
    EXPECT_EQ(heap::requested_size(heap::find_block(address_of(p))), size);
    heap::release(p);
    p = heap::allocate_zeroed(1, size);
    EXPECT_EQ(heap::requested_size(heap::find_block(address_of(p))), size);
    heap::release(p);
  }
}

TEST(Sizes, WithoutRecordingTheLengthIsAllThatIsKnown) {
  ASSERT_TRUE(heap::init({}));
  void* p = heap::allocate(20);
  EXPECT_EQ(heap::requested_size(heap::find_block(address_of(p))), 32u);
}

TEST(Sizes, PaddingKeepsWhatIsPointedToFromJustPastItsEnd) {
  ASSERT_TRUE(heap::init({.pad = true, .ledger = false}));
  for (size_t size : {0u, 1u, 15u, 16u, 32u, 1024u, 4048u, 65536u, 16u << 20}) {
    void* p = heap::allocate(size);
    EXPECT_EQ(heap::find_block(address_of(p) + size).address, address_of(p)) << size;
    p = heap::reallocate(p, size + 16);
    EXPECT_EQ(heap::find_block(address_of(p) + size + 16).address, address_of(p)) << size;
    heap::release(p);
  }
}

TEST(Sizes, BothAtOnce) {
  ASSERT_TRUE(heap::init({.pad = true, .ledger = true}));
  for (size_t size : {0u, 15u, 16u, 4048u, 65536u}) {
    void* p = heap::allocate(size);
    EXPECT_EQ(heap::requested_size(heap::find_block(address_of(p))), size);
  }
}

}  // namespace
