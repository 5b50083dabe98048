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

// Often one of those that the filter is for, at either alignment, with and without tags.
uint64_t some_word(std::mt19937_64& random) {
  const uint64_t kind = random() % 5;
  const uint64_t high = 0x5a3c + random() % 300 - 20;
  if (kind == 0) return random();
  if (kind == 1) return high << 32 | (random() & 0xffffffff);
  if (kind == 2) return random() << 32 | high;
  return kind == 3 ? 0 : random() << 48 | high << 32 | (random() & 0xffffffff);
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
    for (uint64_t& word : memory) word = some_word(random);
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

// Short pieces give together what they give alone, and no more than enough of them are read.
TEST_P(FilterTest, ReadsShortPiecesTogether) {
  auto [level, alignment, tags] = GetParam();
  ASSERT_TRUE(heap::init({}));
  collector::override_cpu({level >= 1 && machine_.avx2, level >= 2 && machine_.avx512});
  const Filter filter{0x5a3c, 256, {alignment, ~uint64_t{0} >> tags}};
  constexpr size_t kPieces = 32, kBytes = Filter::kShort * heap::kGranule, kEnough = 100;
  auto* memory = static_cast<char*>(heap::allocate(kPieces * kBytes));
  const size_t first = (reinterpret_cast<uintptr_t>(memory) - heap::geometry.base) / heap::kGranule;
  std::mt19937_64 random(7);
  std::vector<uintptr_t> found(kEnough + filter.capacity_for(kBytes));
  for (int round = 0; round < 1000; round++) {
    collector::Piece pieces[kPieces];
    std::vector<uintptr_t> expected;
    size_t needed = 0;
    for (size_t i = 0; i < kPieces; i++) {
      char* lo = memory + i * kBytes;
      for (size_t at = 0; at < kBytes; at += 8) {
        const uint64_t word = some_word(random);
        memcpy(lo + at, &word, 8);
      }
      pieces[i] = {first + i * Filter::kShort, 1 + random() % Filter::kShort};
      if (expected.size() >= kEnough) continue;
      needed = i + 1;
      std::vector<uintptr_t> words = naive(filter, lo, lo + pieces[i].granules * heap::kGranule);
      expected.insert(expected.end(), words.begin(), words.end());
    }
    size_t count = 5;
    EXPECT_EQ(filter.of_short(pieces, kPieces, kEnough, found.data(), &count), needed);
    ASSERT_EQ(count - 5, expected.size()) << "round " << round;
    std::vector<uintptr_t> sorted(found.begin(), found.begin() + static_cast<long>(count - 5));
    std::sort(sorted.begin(), sorted.end());
    std::sort(expected.begin(), expected.end());
    ASSERT_EQ(sorted, expected) << "round " << round;
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

class DigitsTest : public FilterTest {
 protected:
  // Addresses plain and as CPython's digits, and words that are nearly so.
  static uint64_t word(std::mt19937_64& random) {
    constexpr uint64_t kDigit = (uint64_t{1} << collector::kDigitBits) - 1;
    const heap::Geometry& g = heap::geometry;
    const uint64_t address = g.base + random() % (g.size + 65536) - 32768;
    const uint64_t digits = (address & kDigit) | address >> collector::kDigitBits << 32;
    const uint64_t kinds[] = {
        0, random(), address, digits, digits | 1ull << 30, digits | 1ull << 63};
    return kinds[random() % std::size(kinds)];
  }
  static std::vector<uintptr_t> naive(const Filter& filter, const char* lo, size_t bytes) {
    std::vector<uintptr_t> addresses;
    for (size_t at = 0; at + 8 <= bytes; at += filter.rule.alignment) {
      uint64_t word;
      memcpy(&word, lo + at, 8);
      collector::for_each_meaning(filter.rule, word, at, 0, [&](uintptr_t address) {
        if (address - heap::geometry.base < heap::geometry.size) addresses.push_back(address);
      });
    }
    std::sort(addresses.begin(), addresses.end());
    return addresses;
  }
  // The filter's own range is a little larger.
  static std::vector<uintptr_t> exact(const uintptr_t* words, size_t count) {
    std::vector<uintptr_t> addresses;
    std::copy_if(words, words + count, std::back_inserter(addresses),
                 [](uintptr_t word) { return word - heap::geometry.base < heap::geometry.size; });
    std::sort(addresses.begin(), addresses.end());
    return addresses;
  }
};

TEST_P(DigitsTest, AreFoundInOnePieceAndInManyShortOnes) {
  auto [level, alignment, tags] = GetParam();
  ASSERT_TRUE(heap::init({}));
  collector::override_cpu({level >= 1 && machine_.avx2, level >= 2 && machine_.avx512});
  const Filter filter = Filter::for_heap({alignment, ~uint64_t{0} >> tags, collector::kDigits});
  constexpr size_t kPieces = 32, kBytes = Filter::kShort * heap::kGranule;
  auto* memory = static_cast<char*>(heap::allocate(kPieces * kBytes));
  const size_t first = (reinterpret_cast<uintptr_t>(memory) - heap::geometry.base) / heap::kGranule;
  std::mt19937_64 random(11);
  std::vector<uintptr_t> found(filter.capacity_for(kPieces * kBytes) + 100);
  for (int round = 0; round < 200; round++) {
    for (size_t at = 0; at < kPieces * kBytes; at += 8) {
      const uint64_t some = word(random);
      memcpy(memory + at, &some, 8);
    }
    const size_t bytes = random() % 70 * 8;
    size_t count = filter(memory, memory + bytes, found.data());
    ASSERT_EQ(exact(found.data(), count), naive(filter, memory, bytes)) << "round " << round;
    if (!filter.reads_together()) continue;
    collector::Piece pieces[kPieces];
    for (size_t i = 0; i < kPieces; i++) pieces[i] = {first + i * Filter::kShort, Filter::kShort};
    count = 0;
    const size_t read = filter.of_short(pieces, kPieces, 100, found.data(), &count);
    ASSERT_GT(read, 0u);
    std::vector<uintptr_t> expected;
    for (size_t i = 0; i < read; i++) {
      const std::vector<uintptr_t> more = naive(filter, memory + i * kBytes, kBytes);
      expected.insert(expected.end(), more.begin(), more.end());
    }
    std::sort(expected.begin(), expected.end());
    ASSERT_EQ(exact(found.data(), count), expected) << "round " << round;
  }
}

INSTANTIATE_TEST_SUITE_P(Paths, DigitsTest,
                         testing::Combine(testing::Values(0, 1, 2), testing::Values(1u, 4u, 8u),
                                          testing::Values(0u, 16u)));

INSTANTIATE_TEST_SUITE_P(Paths, FilterTest,
                         testing::Combine(testing::Values(0, 1, 2), testing::Values(1u, 4u, 8u),
                                          testing::Values(0u, 16u)));

}  // namespace
}  // namespace heaprake::test
