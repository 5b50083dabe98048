// The account of words under way: counts, bounds, and receipts that come before their senders.
#include "collector/carried.h"

#include <gtest/gtest.h>

#include <memory>

#include "allocator/heap.h"
#include "collector/collector.h"

namespace heaprake::collector {
namespace {

constexpr uint64_t kPipe = 77;

uint64_t early() {
  return heaprake_early_receipts.load();
}

class CarriedTest : public testing::Test {
 protected:
  CarriedTest() : words_(std::make_unique<Carried>()) {}
  Carried& words() { return *words_; }

 private:
  std::unique_ptr<Carried> words_;
};

TEST_F(CarriedTest, CountsEachWordByItself) {
  words().add(0x1000, kPipe, early());
  words().add(0x1000, kPipe, early());
  words().add(0x2000, kPipe, early());
  EXPECT_EQ(words().size(), 2u);
  words().remove(0x1000, kPipe);
  EXPECT_EQ(words().size(), 2u);
  words().remove(0x1000, kPipe);
  EXPECT_EQ(words().size(), 1u);
}

TEST_F(CarriedTest, AnotherChannelTakesNothingOut) {
  words().add(0x1000, kPipe, early());
  words().remove(0x1000, kPipe + 1);
  EXPECT_EQ(words().size(), 1u);
}

TEST_F(CarriedTest, AnEarlyReceiptMeetsItsSenderOnly) {
  words().add(0x1000, kPipe, early());
  const uint64_t before = early();
  words().remove(0x2000, kPipe);  // its sender has not come back yet
  const uint64_t after = early();
  EXPECT_EQ(after, before + 1);
  words().add(0x2000, kPipe, after);  // a later sender of the same
  EXPECT_EQ(words().size(), 2u);
  words().add(0x2000, kPipe, before);  // the early one's
  words().remove(0x2000, kPipe);
  EXPECT_EQ(words().size(), 1u);
}

TEST_F(CarriedTest, TheOldestMakesWay) {
  constexpr uintptr_t kMore = Carried::kMost + 10;
  for (uintptr_t i = 1; i <= kMore; ++i) words().add(i * 16, kPipe, early());
  EXPECT_EQ(words().size(), Carried::kMost);
  const uint64_t before = early();
  words().take_back(10 * 16, kPipe);  // gone already
  EXPECT_EQ(words().size(), Carried::kMost);
  words().take_back(11 * 16, kPipe);
  EXPECT_EQ(words().size(), Carried::kMost - 1);
  EXPECT_EQ(early(), before);
  words().add(7, kPipe, early());
  EXPECT_EQ(words().size(), Carried::kMost);
  for (uintptr_t i = 12; i <= kMore; ++i) words().remove(i * 16, kPipe);
  EXPECT_EQ(words().size(), 1u);
}

TEST_F(CarriedTest, OnlyBlocksAreKept) {
  heap::init({});
  void* block = heap::allocate(100);
  const auto address = reinterpret_cast<uintptr_t>(block);
  words().add(address + 8, kPipe, early());
  words().add(0x1000, kPipe, early());
  MappedArray<uintptr_t> roots;
  ASSERT_TRUE(words().add_words(roots));
  ASSERT_EQ(roots.size(), 1u);
  EXPECT_EQ(roots[0], address + 8);
  EXPECT_EQ(words().size(), 1u);
  heap::release(block);
  roots.clear();
  ASSERT_TRUE(words().add_words(roots));
  EXPECT_EQ(roots.size(), 0u);
  roots.shrink(0);
}

}  // namespace
}  // namespace heaprake::collector
