// Each vector path of the filter gives the naive answer.

#include "collector/filter.h"

#include <algorithm>
#include <random>
#include <vector>

#include "collector/cpu.h"
#include "tests/collector/heap_fixture.h"

namespace heaprake::test {
namespace {

using collector::Cpu;
using collector::Filter;

std::vector<uintptr_t> naive(const Filter& filter, const char* lo, const char* hi) {
  std::vector<uintptr_t> words;
  for (const char* p = lo; p + 8 <= hi; p += filter.rule.alignment) {
    uintptr_t word;
    memcpy(&word, p, 8);
    word &= filter.rule.keep;
    if (static_cast<uint32_t>(word >> 32) - filter.first_high < filter.high_count) {
      words.push_back(word);
    }
  }
  return words;
}

class FilterTest : public testing::TestWithParam<std::tuple<int, unsigned, unsigned>> {
 protected:
  void SetUp() override { machine_ = collector::cpu(); }
  void TearDown() override { collector::override_cpu(machine_); }
  Cpu machine_;
};

TEST_P(FilterTest, AgreesWithTheNaiveOne) {
  auto [level, alignment, tags] = GetParam();
  Cpu limited{level >= 1 && machine_.avx2, level >= 2 && machine_.avx512};
  collector::override_cpu(limited);
  Filter filter{0x5a3c, 256, {alignment, ~uint64_t{0} >> tags}};
  std::mt19937_64 random(42);
  for (int round = 0; round < 2000; round++) {
    size_t words = random() % 70;
    std::vector<uint64_t> memory(words + 1);
    for (uint64_t& word : memory) {
      uint64_t kind = random() % 5;
      word = kind == 0   ? random()
             : kind == 1 ? (0x5a3cull + random() % 300 - 20) << 32 | (random() & 0xffffffff)
             : kind == 4
                 ? random() << 48 | (0x5a3cull + random() % 300) << 32 | (random() & 0xffffffff)
             : kind == 2 ? (random() << 32) | (0x5a3c + random() % 300 - 20)
                         : 0;
    }
    const char* lo = reinterpret_cast<const char*>(memory.data());
    const char* hi = lo + words * 8;
    std::vector<uintptr_t> found(filter.capacity_for(words * 8) + 8);
    found.resize(filter(lo, hi, found.data()));
    std::vector<uintptr_t> expected = naive(filter, lo, hi);
    std::sort(found.begin(), found.end());
    std::sort(expected.begin(), expected.end());
    ASSERT_EQ(found, expected) << "round " << round;
  }
}

// Not a byte beside the range is read.
TEST_P(FilterTest, StaysWithinItsPage) {
  auto [level, alignment, tags] = GetParam();
  collector::override_cpu({level >= 1 && machine_.avx2, level >= 2 && machine_.avx512});
  constexpr size_t kPage = platform::kPageSize;
  char* pages = static_cast<char*>(platform::reserve(3 * kPage, kPage, 0));
  ASSERT_TRUE(pages && platform::commit(pages + kPage, kPage));
  char* const page = pages + kPage;
  Filter filter{0x5a3c, 256, {alignment, ~uint64_t{0} >> tags}};
  for (size_t i = 0; i < kPage; i += 8) {
    const uint64_t word = 0x5a3c'0000'0000 + i;
    memcpy(page + i, &word, 8);
  }
  std::vector<uintptr_t> found(filter.capacity_for(kPage) + 8);
  for (size_t bytes = 0; bytes <= 20 * 8; bytes += 8) {
    for (const char* lo : {page, page + kPage - bytes}) {
      const size_t count = filter(lo, lo + bytes, found.data());
      EXPECT_EQ(count, naive(filter, lo, lo + bytes).size()) << bytes;
    }
  }
  platform::release(pages, 3 * kPage);
}

INSTANTIATE_TEST_SUITE_P(Paths, FilterTest,
                         testing::Combine(testing::Values(0, 1, 2), testing::Values(1u, 4u, 8u),
                                          testing::Values(0u, 16u)));

}  // namespace
}  // namespace heaprake::test
