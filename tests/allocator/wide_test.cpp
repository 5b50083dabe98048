#include <map>
#include <random>

#include "allocator/wide.h"
#include "heap_fixture.h"

namespace {

namespace wide = heaprake::heap::wide;

class Wide : public Heap {};

TEST_F(Wide, RandomBlocksNeverOverlapAndStartZeroed) {
  std::mt19937 random(5);
  std::map<uintptr_t, size_t> live;
  for (int i = 0; i < 600; ++i) {
    if (live.size() > 60 || (!live.empty() && random() % 2)) {
      auto it = live.begin();
      std::advance(it, random() % live.size());
      auto* p = reinterpret_cast<void*>(it->first);
      if (random() % 3 == 0) {
        size_t bytes = 1 + random() % (150 * 1024);
        if (wide::resize(p, bytes)) {
          it->second = (bytes + 4095) & ~size_t{4095};
          *reinterpret_cast<char*>(it->first + it->second - 1) = 1;
        }
      } else {
        wide::release(p);
        live.erase(it);
      }
    } else {
      size_t bytes = 1 + random() % (100 * 1024);
      size_t alignment = size_t{4096} << random() % 16;
      auto* p = static_cast<char*>(wide::allocate(bytes, alignment));
      ASSERT_NE(p, nullptr);
      ASSERT_EQ(address_of(p) % alignment, 0u);
      for (size_t at = 0; at < bytes; at += 1000) ASSERT_EQ(p[at], 0);
      std::memset(p, 0xee, bytes);
      live[address_of(p)] = wide::capacity(p);
    }
    uintptr_t end = 0;
    for (auto [start, size] : live) {
      ASSERT_GE(start, end);
      ASSERT_EQ(wide::capacity(reinterpret_cast<void*>(start)), size);
      end = start + size;
    }
  }
}

TEST_F(Wide, MoreThanTheRangeFails) {
  EXPECT_EQ(wide::allocate(heap::geometry.size, 4096), nullptr);
  EXPECT_EQ(wide::allocate(SIZE_MAX, 4096), nullptr);
  void* p = wide::allocate(4096, 4096);
  EXPECT_FALSE(wide::resize(p, SIZE_MAX - 4096));
  wide::release(p);
}

}  // namespace
