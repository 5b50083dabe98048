#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cstring>
#include <thread>
#include <vector>

#include "platform/own_ranges.h"
#include "platform/platform.h"

namespace heaprake::platform {
namespace {

Range own_at(uintptr_t lo, uintptr_t hi) {
  return own_ranges::first_within(lo, hi);
}
uintptr_t address(const void* p) {
  return reinterpret_cast<uintptr_t>(p);
}

TEST(Memory, ReserveIsAlignedAndOurs) {
  for (size_t alignment : {size_t{4096}, size_t{1} << 16, size_t{1} << 21, size_t{1} << 30}) {
    void* p = reserve(3 << 20, alignment, 0);
    ASSERT_NE(p, nullptr);
    EXPECT_EQ(address(p) % alignment, 0u);
    const Range own = own_at(address(p), address(p) + (3 << 20));
    EXPECT_EQ(own.lo, address(p));
    EXPECT_EQ(own.size(), size_t{3} << 20);
    release(p, 3 << 20);
    EXPECT_EQ(own_at(address(p), address(p) + (3 << 20)).size(), 0u);
  }
}

TEST(Memory, ReserveTakesTheHintIfItIsFree) {
  const uintptr_t hint = uintptr_t{0x2a} << 40;
  void* p = reserve(1 << 20, 1 << 16, hint);
  ASSERT_EQ(address(p), hint);
  void* q = reserve(1 << 20, 1 << 16, hint);  // taken now
  ASSERT_NE(q, nullptr);
  EXPECT_NE(q, p);
  release(p, 1 << 20);
  release(q, 1 << 20);
}

TEST(Memory, ImpossibleReservationsFail) {
  EXPECT_EQ(reserve(size_t{1} << 60, 4096, 0), nullptr);
  EXPECT_EQ(reserve(SIZE_MAX - 8192, size_t{1} << 30, 0), nullptr);
  EXPECT_EQ(map(0), nullptr);
}

TEST(Memory, CommitMakesPagesUsableAndIsIdempotent) {
  auto* p = static_cast<char*>(reserve(1 << 20, 4096, 0));
  ASSERT_TRUE(commit(p + 8192, 8192));
  ASSERT_TRUE(commit(p + 8192, 8192));
  p[8192] = 'x';
  ASSERT_TRUE(commit(p + 8192, 8192));
  EXPECT_EQ(p[8192], 'x');
  EXPECT_EQ(p[16383], 0);
  release(p, 1 << 20);
}

TEST(Memory, DiscardedPagesReadAsZero) {
  auto* p = static_cast<char*>(map(1 << 16));
  std::memset(p, 7, 1 << 16);
  discard(p + 4096, 8192);
  EXPECT_EQ(p[4095], 7);
  EXPECT_EQ(p[4096], 0);
  EXPECT_EQ(p[12287], 0);
  EXPECT_EQ(p[12288], 7);
  ASSERT_EQ(mlock(p, 1 << 16), 0);
  discard(p, 1 << 16);
  EXPECT_EQ(p[0], 0);
  EXPECT_EQ(p[65535], 0);
  release(p, 1 << 16);
}

TEST(Memory, PartialReleaseSplitsTheRange) {
  auto* p = static_cast<char*>(map(16 << 12));
  release(p + 4096, 4096);
  const Range first = own_at(address(p), address(p) + (16 << 12));
  EXPECT_EQ(first.lo, address(p));
  EXPECT_EQ(first.hi, address(p) + 4096);
  const Range second = own_at(first.hi, address(p) + (16 << 12));
  EXPECT_EQ(second.lo, address(p) + 8192);
  EXPECT_EQ(second.hi, address(p) + (16 << 12));
  release(p, 16 << 12);
  EXPECT_EQ(own_at(address(p), address(p) + (16 << 12)).size(), 0u);
}

TEST(Memory, AddressSpaceLimitIsTheResourceLimit) {
  EXPECT_EQ(address_space_limit(), SIZE_MAX);
  struct rlimit old;
  getrlimit(RLIMIT_AS, &old);
  const struct rlimit lower = {rlim_t{1} << 42, old.rlim_max};
  setrlimit(RLIMIT_AS, &lower);
  EXPECT_EQ(address_space_limit(), size_t{1} << 42);
  setrlimit(RLIMIT_AS, &old);
}

// The set against a plain array of flags.
TEST(OwnRanges, AgreesWithANaiveModel) {
  constexpr uintptr_t kBase = uintptr_t{1} << 60;  // no mapping ever lies there
  constexpr int kUnits = 200;
  std::vector<bool> model(kUnits);
  unsigned seed = 1;
  auto next = [&] { return (seed = seed * 1664525 + 1013904223) >> 8; };
  for (int step = 0; step < 5000; ++step) {
    const unsigned lo = next() % kUnits, hi = lo + next() % (kUnits - lo + 1);
    const bool add = next() % 2 == 0;
    if (add) {
      ASSERT_TRUE(own_ranges::add({kBase + lo, kBase + hi}));
    } else {
      own_ranges::remove({kBase + lo, kBase + hi});
    }
    for (unsigned i = lo; i < hi; ++i) model[i] = add;
    const unsigned from = next() % kUnits, to = from + next() % (kUnits - from + 1);
    unsigned first = from;
    while (first < to && !model[first]) ++first;
    unsigned last = first;
    while (last < to && model[last]) ++last;
    const Range found = own_at(kBase + from, kBase + to);
    ASSERT_EQ(found.size(), last - first) << "step " << step;
    if (last > first) {
      ASSERT_EQ(found.lo, kBase + first);
    }
  }
  own_ranges::remove({kBase, kBase + kUnits});
}

TEST(OwnRanges, ThreadsMapAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        void* p = map(8192);
        const Range own = own_at(address(p), address(p) + 8192);
        if (own.lo != address(p) || own.size() != 8192) ++wrong;
        release(p, 8192);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
}

}  // namespace
}  // namespace heaprake::platform
