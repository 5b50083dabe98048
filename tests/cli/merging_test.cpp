// What belongs to a lost object does not make another finding of it; what is lost does.
#include "cli/analysis/merging.h"

#include <gtest/gtest.h>

#include "cli/analysis/analysis.h"
#include "snapshot_builder.h"

namespace heaprake::cli {
namespace {

class Merging : public ::testing::Test {
 protected:
  Merging() {
    builder_.modules.push_back({0x5000, 0x5000, 0x9000, HEAPRAKE_MODULE_LOADED, "", "/no/prog"});
    for (uint64_t place = 0; place < 4; ++place) builder_.stack({{0, 0x100 * (place + 1)}});
  }
  // Of 1, 2, ...: where it is allocated.
  uint64_t block(uint64_t place, uint64_t requested = 48) {
    const uint64_t index = builder_.block(requested);
    builder_.blocks[index].stack = place;
    return index;
  }
  Findings findings() {
    const Snapshot snapshot = builder_.snapshot();
    return analyse(snapshot, find_types(snapshot));
  }

  test::SnapshotBuilder builder_;
};

TEST_F(Merging, TakesTogetherWhatDiffersInParts) {
  for (int i = 0; i < 9; ++i) {
    const uint64_t root = block(1);
    if (i % 2 == 0) builder_.edge(root, root, 16, 32);  // a short text
  }
  for (uint64_t i = 0; i < builder_.blocks.size(); ++i) builder_.fill_words(i);
  const Findings all = findings();
  ASSERT_EQ(all.lost.size(), 1u);
  EXPECT_EQ(all.lost[0].structures, 9u);
  EXPECT_EQ(all.lost[0].shape, Shape::kBlock);
  EXPECT_EQ(all.lost[0].cycles, 0u);
  EXPECT_EQ(all.cycles, 0u);
  EXPECT_EQ(all.lost[0].blocks, 9u);
}

TEST_F(Merging, KeepsApartWhatRefersToItself) {
  block(1);
  const uint64_t itself = block(1);
  builder_.edge(itself, itself, 8);
  const Findings all = findings();
  ASSERT_EQ(all.lost.size(), 2u);
  EXPECT_EQ(all.lost[0].cycles + all.lost[1].cycles, 1u);
}

TEST_F(Merging, KeepsApartWhatHasMoreBelow) {
  for (int i = 0; i < 5; ++i) {
    const uint64_t root = block(1);
    if (i < 2) builder_.edge(root, block(2), 8);
  }
  const Findings all = findings();
  ASSERT_EQ(all.lost.size(), 2u);
  EXPECT_EQ(all.lost[0].structures, 2u);
  EXPECT_EQ(all.lost[0].blocks, 4u);
  EXPECT_EQ(all.lost[0].shape, Shape::kTree);
  EXPECT_EQ(all.lost[1].structures, 3u);
  EXPECT_EQ(all.lost[1].shape, Shape::kBlock);
}

// A cycle of A's that hold a B, and one of an A and a B.
TEST_F(Merging, KeepsWhatIsLostApartFromWhatIsBelow) {
  const uint64_t types[] = {builder_.string("A"), builder_.string("B")};
  const auto typed = [&](uint64_t place, size_t type) {
    const uint64_t index = block(place);
    builder_.blocks[index].flags |= HEAPRAKE_BLOCK_TYPED;
    builder_.blocks[index].type = types[type];
    return index;
  };
  const uint64_t first = typed(1, 0), second = typed(1, 0), below = typed(0, 1);
  builder_.edge(first, second, 0).edge(second, first, 0).edge(first, below, 8);
  const uint64_t a = typed(1, 0), b = typed(0, 1);
  builder_.edge(a, b, 0).edge(b, a, 0);
  EXPECT_EQ(findings().lost.size(), 2u);
}

// As a program has them whose blocks all come from one function.
TEST_F(Merging, KeepsSinglesPairsAndCyclesOfOnePlaceApart) {
  for (int i = 0; i < 3; ++i) {
    block(1);
    builder_.edge(block(1), block(1), 0);
    const uint64_t a = block(1), b = block(1);
    builder_.edge(a, b, 0).edge(b, a, 0);
  }
  const Findings all = findings();
  ASSERT_EQ(all.lost.size(), 3u);
  for (const Finding& finding : all.lost) EXPECT_EQ(finding.structures, 3u);
}

TEST_F(Merging, KeepsApartWhatIsAllocatedElsewhere) {
  builder_.edge(block(1), block(2), 0);
  builder_.edge(block(3), block(2), 0);
  EXPECT_EQ(findings().lost.size(), 2u);
}

TEST_F(Merging, KeepsApartWhereNothingIsKnown) {
  block(0);
  builder_.edge(block(0), block(2), 0);
  EXPECT_EQ(findings().lost.size(), 2u);
}

TEST_F(Merging, KeepsCyclesApartByWhatIsInThem) {
  const auto cycle = [&](uint64_t place, uint64_t other) {
    const uint64_t a = block(place), b = block(other);
    builder_.edge(a, b, 0).edge(b, a, 0);
    builder_.edge(a, a, 16, 32);
    return a;
  };
  cycle(1, 2);
  cycle(1, 2);
  builder_.edge(cycle(1, 2), block(4), 8);
  cycle(1, 3);
  for (uint64_t i = 0; i < builder_.blocks.size(); ++i) builder_.fill_words(i);
  const Findings all = findings();
  ASSERT_EQ(all.lost.size(), 3u);
  for (const Finding& finding : all.lost) {
    EXPECT_EQ(finding.cycle_length, 2u);
    EXPECT_EQ(finding.cycles, finding.structures);
  }
}

}  // namespace
}  // namespace heaprake::cli
