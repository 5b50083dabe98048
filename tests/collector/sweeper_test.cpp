// Garbage that the program frees, by a pointer that it has hidden, before it is dealt with.
#include "collector/sweeper.h"

#include <string>

#include "tests/collector/heap_fixture.h"

namespace heaprake::collector {
namespace {

using test::Hidden;

class SweeperTest : public test::HeapTest, public testing::WithParamInterface<Fate> {};

TEST_P(SweeperTest, WhatIsGoneIsLeftAlone) {
  const size_t sizes[] = {48, 5000, 40, 200000};
  Hidden kept[4], freed[4];
  for (size_t i = 0; i < 4; ++i) {
    kept[i] = Hidden(heap::allocate(sizes[i]));
    freed[i] = Hidden(heap::allocate(sizes[i]));
  }
  static MarkBits bits;
  static CondemnedSet condemned;
  ASSERT_TRUE(bits.prepare(0));
  bits.turn_into_garbage();  // all there is
  for (const Hidden& block : freed) heap::release(block.get());

  const Swept swept = sweep(bits, GetParam(), condemned);
  EXPECT_EQ(swept.blocks, 4u);
  EXPECT_EQ(swept.gone, 4u);
  for (const Hidden& block : freed) EXPECT_FALSE(condemned.contains(block.get()));
  const bool keeps_memory = GetParam() == Fate::kCondemn || GetParam() == Fate::kPoison;
  for (const Hidden& block : kept) {
    EXPECT_EQ(condemned.contains(block.get()), keeps_memory);
    EXPECT_EQ(test::exists(block), GetParam() == Fate::kCount);
  }
}

std::string name_of(const testing::TestParamInfo<Fate>& info) {
  static const char* const kNames[] = {"Free", "Condemn", "Poison", "Count"};
  return kNames[static_cast<int>(info.param)];
}
INSTANTIATE_TEST_SUITE_P(Fates, SweeperTest,
                         testing::Values(Fate::kFree, Fate::kCondemn, Fate::kPoison, Fate::kCount),
                         name_of);

}  // namespace
}  // namespace heaprake::collector
