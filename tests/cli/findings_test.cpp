// Exact numbers for large and for random graphs: structures, cycles, blocks and bytes as a naive
// search counts them.
#include <gtest/gtest.h>

#include <random>

#include "cli/analysis/analysis.h"
#include "snapshot_builder.h"

namespace heaprake::cli {
namespace {

Findings findings_of(test::SnapshotBuilder& builder) {
  const Snapshot snapshot = builder.snapshot();
  return analyse(snapshot, find_types(snapshot));
}

TEST(Truth, AHundredThousandCyclesOfTwoToFive) {
  test::SnapshotBuilder builder;
  uint64_t blocks = 0;
  for (uint64_t i = 0; i < 100'000; ++i) {
    const uint64_t length = 2 + i % 4;
    for (uint64_t j = 0; j < length; ++j) builder.block(48);
    for (uint64_t j = 0; j < length; ++j) builder.edge(blocks + j, blocks + (j + 1) % length, 8);
    blocks += length;
  }
  const Findings findings = findings_of(builder);
  EXPECT_EQ(findings.cycles, 100'000u);
  EXPECT_EQ(findings.structures, 100'000u);
  EXPECT_EQ(findings.blocks, blocks);
  EXPECT_EQ(findings.bytes, 48 * blocks);
  ASSERT_EQ(findings.lost.size(), 4u);
  for (const Finding& finding : findings.lost) {
    EXPECT_EQ(finding.structures, 25'000u);
    EXPECT_EQ(finding.members.size(), finding.fewest_root);
    EXPECT_EQ(finding.retained, 48u * finding.fewest_root);
  }
}

TEST(Truth, ChainsOfSixteenAndSinglesAndPairs) {
  test::SnapshotBuilder builder;
  for (uint64_t i = 0; i < 1000; ++i) {
    uint64_t before = builder.block(48);
    for (int j = 1; j < 16; ++j) {
      const uint64_t block = builder.block(48);
      builder.edge(before, block, 16);
      before = block;
    }
    builder.block(24);
    const uint64_t pair = builder.block(32);
    builder.edge(pair, builder.block(40), 0);
  }
  const Findings findings = findings_of(builder);
  EXPECT_EQ(findings.structures, 3000u);
  EXPECT_EQ(findings.cycles, 0u);
  EXPECT_EQ(findings.blocks, 19'000u);
  ASSERT_EQ(findings.lost.size(), 3u);
  EXPECT_EQ(findings.lost[0].shape, Shape::kTree);
  EXPECT_EQ(findings.lost[0].most_blocks, 16u);
  EXPECT_EQ(findings.lost[0].bytes, 768'000u);
}

// The definition, word for word, in cubic time.
struct Oracle {
  explicit Oracle(const test::SnapshotBuilder& builder) : size(builder.blocks.size()) {
    reaches.assign(size, std::vector<bool>(size, false));
    for (size_t from = 0; from < size; ++from)
      for (const auto& edge : builder.blocks[from].edges) reaches[from][edge.to] = true;
    for (size_t k = 0; k < size; ++k)
      for (size_t i = 0; i < size; ++i)
        for (size_t j = 0; j < size; ++j)
          if (reaches[i][k] && reaches[k][j]) reaches[i][j] = true;
    for (size_t node = 0; node < size; ++node) {
      bool root = true, lowest = true;
      for (size_t other = 0; other < size; ++other) {
        if (reaches[other][node] && !reaches[node][other]) root = false;
        if (other < node && reaches[other][node] && reaches[node][other]) lowest = false;
      }
      if (!root || !lowest) continue;
      ++structures;
      cycles += reaches[node][node] ? 1 : 0;
    }
  }
  size_t size;
  std::vector<std::vector<bool>> reaches;
  uint64_t structures = 0, cycles = 0;
};

TEST(Title, OfLoneBlocksNamesTheRangeOfTheirSizes) {
  test::SnapshotBuilder builder;
  builder.modules.push_back({0x5000, 0x5000, 0x9000, HEAPRAKE_MODULE_LOADED, "", "/nowhere/prog"});
  builder.stack({{0, 0x1234}});
  for (const uint64_t bytes : {700, 24, 4096}) builder.blocks[builder.block(bytes)].stack = 1;
  for (int i = 0; i < 2; ++i) builder.block(48);
  const Findings findings = findings_of(builder);
  ASSERT_EQ(findings.lost.size(), 2u);
  EXPECT_EQ(findings.lost[0].title, "blocks of 24 to 4,096 bytes");
  EXPECT_EQ(findings.lost[1].title, "block of 48 bytes");
}

TEST(Truth, RandomGraphsAgreeWithTheDefinition) {
  std::mt19937 random(5);
  for (int round = 0; round < 300; ++round) {
    test::SnapshotBuilder builder;
    const uint64_t blocks = 1 + random() % 40;
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < blocks; ++i) {
      const uint64_t size = 64 + random() % 64;
      builder.block(size);
      bytes += size;
    }
    for (uint64_t from = 0; from < blocks; ++from)
      for (uint64_t word = 0; word < 8; ++word)
        if (random() % 8 == 0) builder.edge(from, random() % blocks, word * 8, random() % 64);
    const Findings findings = findings_of(builder);
    const Oracle oracle(builder);
    ASSERT_EQ(findings.structures, oracle.structures) << round;
    ASSERT_EQ(findings.cycles, oracle.cycles) << round;
    ASSERT_EQ(findings.blocks, blocks);
    ASSERT_EQ(findings.bytes, bytes);
    for (const Finding& finding : findings.lost) {
      if (finding.shape != Shape::kCycle) {
        ASSERT_EQ(finding.closing_edge, -1);
        continue;
      }
      ASSERT_GE(finding.closing_edge, 0);
      const FindingEdge& closing = finding.edges[static_cast<size_t>(finding.closing_edge)];
      ASSERT_EQ(closing.to, 0u);
    }
  }
}

}  // namespace
}  // namespace heaprake::cli
