#include "cli/structures.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <set>

#include "snapshot_builder.h"

namespace heaprake::cli {
namespace {

test::SnapshotBuilder blocks_of(std::initializer_list<uint64_t> sizes) {
  test::SnapshotBuilder builder;
  for (uint64_t size : sizes) builder.block(size);
  return builder;
}

TEST(Structures, NothingIsNothing) {
  const Analysis analysis = analyse(test::SnapshotBuilder().snapshot());
  EXPECT_EQ(analysis.structures.size(), 0u);
  EXPECT_EQ(analysis.findings.size(), 0u);
}

TEST(Structures, ShapesAreToldApart) {
  // 0: alone; 1 -> 2, 3: a tree; 4 <-> 5 -> 6: a cycle that holds one; 7 -> 7: a cycle of one;
  // 8 -> 9 <-> 10: a tree, because its root is no cycle.
  test::SnapshotBuilder builder = blocks_of({16, 32, 32, 32, 48, 48, 16, 80, 96, 96, 96});
  builder.edge(1, 2).edge(1, 3, 8).edge(4, 5).edge(5, 4).edge(5, 6, 8).edge(7, 7);
  builder.edge(8, 9).edge(9, 10).edge(10, 9);
  const Analysis analysis = analyse(builder.snapshot());
  std::vector<Shape> shapes;
  std::vector<uint32_t> sizes;
  for (const Structure& structure : analysis.structures) {
    shapes.push_back(structure.shape);
    sizes.push_back(structure.blocks());
  }
  EXPECT_EQ(shapes, (std::vector<Shape>{Shape::kBlock, Shape::kTree, Shape::kCycle, Shape::kCycle,
                                        Shape::kTree}));
  EXPECT_EQ(sizes, (std::vector<uint32_t>{1, 3, 3, 1, 3}));
  EXPECT_EQ(analysis.cycles, 2u);
  EXPECT_EQ(analysis.structures[2].root_blocks, 2u);
}

TEST(Structures, WhatTwoRootsShareBelongsToTheFirst) {
  test::SnapshotBuilder builder = blocks_of({16, 16, 32});
  builder.edge(0, 2).edge(1, 2);
  const Analysis analysis = analyse(builder.snapshot());
  ASSERT_EQ(analysis.structures.size(), 2u);
  EXPECT_EQ(analysis.structures[0].bytes, 48u);
  EXPECT_EQ(analysis.structures[1].bytes, 16u);
  EXPECT_EQ(analysis.structures[1].shape, Shape::kBlock);
}

TEST(Structures, EveryBlockIsInExactlyOne) {
  std::mt19937 random(1);
  for (int round = 0; round < 100; ++round) {
    test::SnapshotBuilder builder;
    uint64_t bytes = 0;
    for (unsigned i = 0, n = 1 + random() % 80; i < n; ++i) {
      const uint64_t size = 1 + random() % 64;
      bytes += size;
      builder.block(size);
    }
    std::set<std::pair<uint64_t, uint64_t>> words;
    for (unsigned i = 0; i < 60; ++i) {
      const uint64_t from = random() % builder.blocks.size();
      const uint64_t offset = random() % builder.blocks[from].size / 8 * 8;
      if (words.emplace(from, offset).second)
        builder.edge(from, random() % builder.blocks.size(), offset);
    }
    builder.sort_edges();
    const Analysis analysis = analyse(builder.snapshot());
    EXPECT_EQ(analysis.blocks, builder.blocks.size());
    EXPECT_EQ(analysis.bytes, bytes);
    EXPECT_EQ(std::set<uint32_t>(analysis.order.begin(), analysis.order.end()).size(),
              builder.blocks.size());
    uint64_t blocks = 0, finding_bytes = 0, structures = 0;
    for (const Finding& finding : analysis.findings) {
      blocks += finding.blocks;
      finding_bytes += finding.bytes;
      structures += finding.structures;
    }
    EXPECT_EQ(blocks, analysis.blocks);
    EXPECT_EQ(finding_bytes, bytes);
    EXPECT_EQ(structures, analysis.structures.size());
  }
}

TEST(Findings, GroupShapesAndSizesLargestFirst) {
  test::SnapshotBuilder builder;
  for (int i = 0; i < 5; ++i) {
    const uint64_t a = builder.block(40), b = builder.block(24);
    builder.edge(a, b, 8).edge(b, a);
  }
  builder.block(1000);
  builder.block(8);
  builder.block(8);
  const Analysis analysis = analyse(builder.snapshot());
  ASSERT_EQ(analysis.findings.size(), 3u);
  EXPECT_EQ(analysis.findings[0].bytes, 1000u);
  EXPECT_EQ(analysis.findings[1].structures, 5u);
  EXPECT_EQ(analysis.findings[1].blocks, 10u);
  EXPECT_EQ(analysis.findings[1].bytes, 320u);
  EXPECT_EQ(analysis.findings[1].root_sizes, (std::vector<uint64_t>{24, 40}));
  EXPECT_EQ(analysis.findings[2].structures, 2u);
}

TEST(Findings, RingsOfDifferentLengthAreDifferent) {
  test::SnapshotBuilder builder = blocks_of({16, 16, 16, 16, 16});
  builder.edge(0, 1).edge(1, 0).edge(2, 3).edge(3, 4).edge(4, 2);
  EXPECT_EQ(analyse(builder.snapshot()).findings.size(), 2u);
}

Detail describe_only(const Snapshot& snapshot, const Analysis& analysis, uint32_t limit = 100) {
  EXPECT_EQ(analysis.structures.size(), 1u);
  return describe(snapshot, analysis, analysis.structures[0], limit);
}

TEST(Details, TheCycleComesFirstAndItsClosingEdgeIsNamed) {
  // 0 -> 2 -> 3 -> 0 is the cycle, 1 hangs below 0; 0 -> 2 twice.
  test::SnapshotBuilder builder = blocks_of({32, 32, 32, 32});
  builder.edge(0, 1, 0).edge(0, 2, 8).edge(0, 2, 16).edge(2, 3, 0).edge(3, 0, 24);
  const Snapshot snapshot = builder.snapshot();
  const Analysis analysis = analyse(snapshot);
  const Detail detail = describe_only(snapshot, analysis);
  EXPECT_EQ(detail.members, (std::vector<uint32_t>{0, 2, 3, 1}));
  EXPECT_EQ(detail.cycle_length, 3u);
  EXPECT_EQ(detail.edges.size(), 5u);
  ASSERT_GE(detail.closing_edge, 0);
  const Detail::Edge& closing = detail.edges[static_cast<size_t>(detail.closing_edge)];
  EXPECT_EQ(closing.from, 2u);
  EXPECT_EQ(closing.to, 0u);
  EXPECT_EQ(closing.offset, 24u);
  EXPECT_EQ(analysis.references, (std::vector<uint64_t>{1, 1, 2, 1}));
}

TEST(Details, ASelfReferenceClosesItself) {
  test::SnapshotBuilder builder = blocks_of({32});
  builder.edge(0, 0, 8);
  const Snapshot snapshot = builder.snapshot();
  const Detail detail = describe_only(snapshot, analyse(snapshot));
  EXPECT_EQ(detail.members, std::vector<uint32_t>{0});
  EXPECT_EQ(detail.closing_edge, 0);
}

TEST(Details, TreesHaveNoClosingEdge) {
  test::SnapshotBuilder builder = blocks_of({32, 32, 32});
  builder.edge(0, 1).edge(1, 2).edge(2, 1);
  const Snapshot snapshot = builder.snapshot();
  EXPECT_EQ(describe_only(snapshot, analyse(snapshot)).closing_edge, -1);
}

TEST(Details, ALimitOmitsMembersAndTheirEdgesOnly) {
  test::SnapshotBuilder builder;
  for (uint64_t i = 0; i < 50; ++i) builder.block(16);
  for (uint64_t i = 0; i < 50; ++i) builder.edge(i, (i + 1) % 50);
  const Snapshot snapshot = builder.snapshot();
  const Detail detail = describe_only(snapshot, analyse(snapshot), 10);
  EXPECT_EQ(detail.members.size(), 10u);
  EXPECT_EQ(detail.omitted, 40u);
  EXPECT_EQ(detail.edges.size(), 9u);
  EXPECT_EQ(detail.closing_edge, -1);
  EXPECT_EQ(detail.cycle_length, 50u);
}

}  // namespace
}  // namespace heaprake::cli
