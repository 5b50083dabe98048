// What the filter and the marks say of a long piece when they are asked together is what they say
// one after the other.

#include "collector/unmarked.h"

#include <algorithm>
#include <random>
#include <vector>

#include "tests/collector/heap_fixture.h"

namespace heaprake::test {
namespace {

using collector::Filter;
using collector::MarkBits;
using collector::Piece;
using collector::Unmarked;

size_t granule_of(uintptr_t address) {
  return (address - heap::geometry.base) / heap::kGranule;
}

class UnmarkedTest : public testing::TestWithParam<std::tuple<unsigned, unsigned, unsigned>> {
 protected:
  static constexpr size_t kBytes = 64 * 1024;

  void SetUp() override {
    ASSERT_TRUE(heap::init({}));
    memory_ = static_cast<char*>(heap::allocate(kBytes));
    first_ = granule_of(reinterpret_cast<uintptr_t>(memory_));
    ASSERT_TRUE(bits_.prepare(0));
  }
  void TearDown() override { heap::release(memory_); }

  // `every`: one word in so many leads into the heap, at either alignment, with and without tags.
  void fill(unsigned every, unsigned tags) {
    for (size_t at = 0; at + 8 <= kBytes; at += 8) put(at, random_() % 5 ? 0 : random_());
    for (size_t at = 0; at + 16 <= kBytes; at += 8) {
      if (random_() % every) continue;
      const uint64_t tag = tags ? random_() << (64 - tags) : 0;
      put(at + random_() % 2 * 4, tag | (heap::geometry.base + random_() % (2 * kBytes)));
    }
    // The range's ends, and words that differ from it by less than a vector comparison sees.
    put(0, heap::geometry.base - 1);
    put(8, heap::geometry.base + heap::geometry.size);
    put(16, heap::geometry.base + heap::geometry.size - 1);
  }
  void put(size_t at, uint64_t word) { memcpy(memory_ + at, &word, 8); }

  std::vector<size_t> naive(const Filter& filter, const Piece& piece) {
    const char* lo = memory_ + (piece.granule - first_) * heap::kGranule;
    std::vector<size_t> found;
    for (const char* p = lo; p + 8 <= lo + piece.granules * heap::kGranule;
         p += filter.rule.alignment) {
      uintptr_t word;
      memcpy(&word, p, 8);
      word = (word & filter.rule.keep) - heap::geometry.base;
      if (word < heap::geometry.size && !bits_.test(word / heap::kGranule))
        found.push_back(word / heap::kGranule);
    }
    return found;
  }

  MarkBits bits_;
  char* memory_ = nullptr;
  size_t first_ = 0;
  std::mt19937_64 random_{5};
};

TEST_P(UnmarkedTest, AgreesWithTheFilterAndTheMarks) {
  auto [alignment, tags, every] = GetParam();
  const Filter filter = Filter::for_heap({alignment, ~uint64_t{0} >> tags});
  const Unmarked unmarked(filter, bits_);
  if (!unmarked.usable()) GTEST_SKIP() << "this machine has no AVX-512";
  const size_t near = granule_of(heap::geometry.base);
  for (int round = 0; round < 40; round++) {
    fill(every, tags);
    for (size_t i = 0; i < 2 * kBytes / heap::kGranule; i++) {
      if (random_() % 2) bits_.test_and_set<false>(near + i);
    }
    const size_t skipped = random_() % 8;
    Piece rest{first_ + skipped, Unmarked::kLong + random_() % (kBytes / 16 - 200)};
    std::vector<size_t> expected = naive(filter, rest), found;
    // Little room at a time, as when nothing is marked; other things stand before it.
    size_t out[3 + 64 + 16];
    for (bool whole = false; !whole;) {
      size_t count = 3;
      const size_t read = unmarked(rest, out, 3 + 64, &count);
      ASSERT_GT(read, 0u);
      ASSERT_LE(count, 3u + 64);
      found.insert(found.end(), out + 3, out + count);
      whole = read == rest.granules;
      if (!whole) rest = {rest.granule + read - 1, rest.granules - read + 1};
    }
    // Words of the granule that is read twice are found twice.
    for (auto* list : {&expected, &found}) {
      std::sort(list->begin(), list->end());
      list->erase(std::unique(list->begin(), list->end()), list->end());
    }
    ASSERT_EQ(found, expected) << "round " << round;
    for (size_t i = 0; i < 2 * kBytes / heap::kGranule; i++) bits_.clear(near + i);
  }
}

INSTANTIATE_TEST_SUITE_P(Rules, UnmarkedTest,
                         testing::Combine(testing::Values(4u, 8u), testing::Values(0u, 16u),
                                          testing::Values(1u, 9u, 200u)));

TEST(UnmarkedRules, LeavesOtherRulesToTheSteps) {
  MarkBits bits;
  EXPECT_FALSE(Unmarked(Filter::for_heap({1}), bits).usable());
  const Filter disguised = Filter::for_heap({4, ~uint64_t{0}, collector::kDistance});
  EXPECT_FALSE(Unmarked(disguised, bits).usable());
}

}  // namespace
}  // namespace heaprake::test
