// A large heap grows by huge pages, and holds hardly more memory for it.
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>

#include "heap_fixture.h"
#include "lists.h"
#include "resident_bytes.h"

namespace platform = heaprake::platform;

namespace {

constexpr size_t kTotal = 256u << 20;

// Of this process, in KiB: "AnonHugePages", "Rss".
size_t memory_in(const char* kind) {
  std::ifstream rollup("/proc/self/smaps_rollup");
  for (std::string line; std::getline(rollup, line);) {
    size_t kib;
    if (std::sscanf(line.c_str(), (std::string(kind) + ": %zu kB").c_str(), &kib) == 1) return kib;
  }
  ADD_FAILURE() << "no " << kind;
  return 0;
}

size_t count_of_fallbacks() {
  std::ifstream counters("/proc/vmstat");
  std::string name;
  for (size_t count; counters >> name >> count;) {
    if (name == "thp_fault_fallback") return count;
  }
  return 0;
}

// How many mappings the heap's range consists of.
size_t mappings_of_heap() {
  std::ifstream maps("/proc/self/maps");
  size_t count = 0;
  for (std::string line; std::getline(maps, line);) {
    const uintptr_t lo = std::stoull(line, nullptr, 16);
    count += lo - heap::geometry.base < heap::geometry.size;
  }
  return count;
}

class HugeGrowth : public ::testing::Test {
 protected:
  void SetUp() override {
    if (platform::huge_pages() != platform::HugePages::kWhoAsks) GTEST_SKIP() << "others get none";
    heap::Config config;
    config.huge_pages = true;
    ASSERT_TRUE(heap::init(config));
  }
};

TEST_F(HugeGrowth, HappensInALargeHeap) {
  const size_t fallbacks = count_of_fallbacks();
  make_list(64, kTotal);
  if (count_of_fallbacks() == fallbacks) {
    EXPECT_GE(memory_in("AnonHugePages"), platform::kHugePage / 1024);
  }
}

TEST_F(HugeGrowth, LeavesASmallHeapAlone) {
  make_list(64, 16u << 20);
  EXPECT_EQ(memory_in("AnonHugePages"), 0u);
}

TEST_F(HugeGrowth, TakesHardlyMoreMemory) {
  const size_t before = resident_bytes();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([] { make_list(1000, kTotal / 8); });
  for (auto& thread : threads) thread.join();
  // Blocks of 1,008 bytes, the map's sixteenth, and a thirty-second for huge pages.
  EXPECT_LT(resident_bytes() - before, kTotal + kTotal / 16 + kTotal / 32 + kTotal / 32);
}

TEST_F(HugeGrowth, LeavesMemoryThatIsNotTouchedAlone) {
  const size_t before = resident_bytes();
  make_list(1000, 64u << 20);
  for (int i = 0; i < 200; ++i) *static_cast<volatile char*>(heap::allocate(3u << 20)) = 1;
  EXPECT_LT(resident_bytes() - before, 100u << 20);
}

// One kind of advice for all of the range, or mappings would be as many as huge pages.
TEST_F(HugeGrowth, MakesFewMappings) {
  for (int i = 0; i < 40; ++i) {
    make_list(1000, 4u << 20);
    make_list(5u << 20, 5u << 20);
  }
  EXPECT_LE(mappings_of_heap(), 24u);
}

TEST_F(HugeGrowth, GivesBackWhatIsFree) {
  const size_t before = resident_bytes();
  for (size_t size : {64u, 1000u, 20000u, 300000u, 3u << 20}) {
    free_list(make_list(size, kTotal));
    EXPECT_TRUE(heap::trim());
    EXPECT_LT(resident_bytes(), before + kTotal / 4) << size;
  }
}

TEST_F(Heap, GrowsBySmallPagesUnlessTold) {
  make_list(64, kTotal);
  if (platform::huge_pages() == platform::HugePages::kEverybody) GTEST_SKIP() << "all are huge";
  EXPECT_EQ(memory_in("AnonHugePages"), 0u);
}

}  // namespace
