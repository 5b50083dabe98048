#include "cli/analysis/structures.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <set>

#include "cli/analysis/analysis.h"
#include "cli/analysis/example.h"
#include "cli/analysis/folding.h"
#include "snapshot_builder.h"

namespace heaprake::cli {
namespace {

test::SnapshotBuilder blocks_of(std::initializer_list<uint64_t> sizes) {
  test::SnapshotBuilder builder;
  for (uint64_t size : sizes) builder.block(size);
  return builder;
}

Findings analyse(test::SnapshotBuilder& builder) {
  const Snapshot snapshot = builder.snapshot();
  return analyse(snapshot, find_types(snapshot));
}

TEST(Structures, NothingIsNothing) {
  test::SnapshotBuilder builder;
  EXPECT_EQ(find_structures(builder.snapshot()).all.size(), 0u);
  EXPECT_EQ(analyse(builder).lost.size(), 0u);
}

TEST(Structures, ShapesAreToldApart) {
  // 0: alone; 1 -> 2, 3: a tree; 4 <-> 5 -> 6: a cycle that holds one; 7 -> 7: a cycle of one;
  // 8 -> 9 <-> 10: a tree, because its root is no cycle.
  test::SnapshotBuilder builder = blocks_of({16, 32, 32, 32, 48, 48, 16, 80, 96, 96, 96});
  builder.edge(1, 2).edge(1, 3, 8).edge(4, 5).edge(5, 4).edge(5, 6, 8).edge(7, 7);
  builder.edge(8, 9).edge(9, 10).edge(10, 9);
  const Structures structures = find_structures(builder.snapshot());
  std::vector<Shape> shapes;
  std::vector<uint32_t> sizes;
  for (const Structure& structure : structures.all) {
    shapes.push_back(structure.shape);
    sizes.push_back(structure.blocks());
  }
  EXPECT_EQ(shapes, (std::vector<Shape>{Shape::kBlock, Shape::kTree, Shape::kCycle, Shape::kCycle,
                                        Shape::kTree}));
  EXPECT_EQ(sizes, (std::vector<uint32_t>{1, 3, 3, 1, 3}));
  EXPECT_EQ(structures.cycles, 2u);
  EXPECT_EQ(structures.all[2].root_blocks, 2u);
}

TEST(Structures, WhatTwoRootsShareBelongsToTheFirst) {
  test::SnapshotBuilder builder = blocks_of({16, 16, 32});
  builder.edge(0, 2).edge(1, 2);
  const Structures structures = find_structures(builder.snapshot());
  ASSERT_EQ(structures.all.size(), 2u);
  EXPECT_EQ(structures.all[0].bytes, 48u);
  EXPECT_EQ(structures.all[1].bytes, 16u);
  EXPECT_EQ(structures.all[1].shape, Shape::kBlock);
}

TEST(Structures, ReachableBlocksAreNoPartOfThem) {
  test::SnapshotBuilder builder = blocks_of({16, 16, 32, 32});
  builder.edge(0, 1).edge(1, 0).edge(2, 1).edge(3, 2);
  builder.blocks[0].flags = builder.blocks[1].flags = HEAPRAKE_BLOCK_REACHABLE;
  const Structures structures = find_structures(builder.snapshot());
  ASSERT_EQ(structures.all.size(), 1u);
  EXPECT_EQ(structures.all[0].blocks(), 2u);
  EXPECT_EQ(structures.bytes, 64u);
  EXPECT_EQ(structures.block_of[structures.order[structures.all[0].begin]], 3u);
}

void add_random_edges(std::mt19937& random, int edges, test::SnapshotBuilder* builder) {
  std::set<std::pair<uint64_t, uint64_t>> words;
  for (int i = 0; i < edges; ++i) {
    const uint64_t from = random() % builder->blocks.size();
    const uint64_t offset = random() % builder->blocks[from].size / 8 * 8;
    if (words.emplace(from, offset).second)
      builder->edge(from, random() % builder->blocks.size(), offset);
  }
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
    add_random_edges(random, 60, &builder);
    const Snapshot snapshot = builder.snapshot();
    const Structures found = find_structures(snapshot);
    EXPECT_EQ(found.bytes, bytes);
    EXPECT_EQ(std::set<uint32_t>(found.order.begin(), found.order.end()).size(),
              builder.blocks.size());
    const Findings findings = analyse(snapshot, find_types(snapshot));
    EXPECT_EQ(findings.blocks, builder.blocks.size());
    EXPECT_EQ(findings.bytes, bytes);
    uint64_t blocks = 0, finding_bytes = 0, structures = 0;
    for (const Finding& finding : findings.lost) {
      uint64_t shared_blocks = 0, shared_bytes = 0;
      for (const Share& share : finding.shares) {
        shared_blocks += share.blocks;
        shared_bytes += share.bytes;
      }
      EXPECT_EQ(shared_blocks, finding.blocks);
      EXPECT_EQ(shared_bytes, finding.bytes);
      blocks += finding.blocks;
      finding_bytes += finding.bytes;
      structures += finding.structures;
    }
    EXPECT_EQ(blocks, findings.blocks);
    EXPECT_EQ(finding_bytes, bytes);
    EXPECT_EQ(structures, findings.structures);
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
  const Findings findings = analyse(builder);
  ASSERT_EQ(findings.lost.size(), 3u);
  EXPECT_EQ(findings.lost[0].bytes, 1000u);
  EXPECT_EQ(findings.lost[1].structures, 5u);
  EXPECT_EQ(findings.lost[1].blocks, 10u);
  EXPECT_EQ(findings.lost[1].bytes, 320u);
  EXPECT_EQ(findings.lost[1].members.size(), 2u);
  EXPECT_EQ(findings.lost[1].id, 2u);
  EXPECT_EQ(findings.lost[2].structures, 2u);
}

TEST(Findings, RingsOfDifferentLengthAreDifferent) {
  test::SnapshotBuilder builder = blocks_of({16, 16, 16, 16, 16});
  builder.edge(0, 1).edge(1, 0).edge(2, 3).edge(3, 4).edge(4, 2);
  EXPECT_EQ(analyse(builder).lost.size(), 2u);
}

TEST(Findings, StacksAndTypesCountMoreThanSizes) {
  test::SnapshotBuilder builder = blocks_of({10, 20, 30, 40, 50});
  builder.modules.push_back({0x5000, 0x5000, 0x9000, HEAPRAKE_MODULE_LOADED, "", "/a.so"});
  const uint64_t one = builder.stack({{0, 1}}), two = builder.stack({{0, 2}});
  for (int i = 0; i < 3; ++i) builder.blocks[i].stack = one;
  builder.blocks[3].stack = two;
  builder.blocks[4].stack = two;
  builder.blocks[4].flags = HEAPRAKE_BLOCK_TYPED;
  builder.blocks[4].type = builder.string("Kind");
  const Findings findings = analyse(builder);
  ASSERT_EQ(findings.lost.size(), 3u);
  EXPECT_EQ(findings.lost[0].structures, 3u);
  EXPECT_EQ(findings.lost[1].members[0].type, "Kind");
  EXPECT_EQ(findings.lost[1].members[0].type_source, "name");
  EXPECT_EQ(findings.lost[2].structures, 1u);
}

TEST(Findings, TellWhenAndBySharesWhence) {
  test::SnapshotBuilder builder = blocks_of({32, 32, 100, 32, 32, 100});
  builder.modules.push_back({0x5000, 0x5000, 0x9000, HEAPRAKE_MODULE_LOADED, "", "/a.so"});
  const uint64_t one = builder.stack({{0, 1}}), two = builder.stack({{0, 2}});
  for (uint64_t i = 0; i < 6; ++i) {
    builder.blocks[i].stack = i % 3 == 2 ? two : one;
    builder.blocks[i].time_ms = 100 + 10 * i;
  }
  builder.edge(0, 1).edge(1, 0).edge(1, 2, 8).edge(3, 4).edge(4, 3).edge(4, 5, 8);
  const Findings findings = analyse(builder);
  ASSERT_EQ(findings.lost.size(), 1u);
  const Finding& finding = findings.lost[0];
  EXPECT_EQ(finding.first_ms, 100u);
  EXPECT_EQ(finding.last_ms, 140u);
  EXPECT_EQ(finding.fewest_root, 2u);
  EXPECT_EQ(finding.most_blocks, 3u);
  ASSERT_EQ(finding.shares.size(), 2u);
  EXPECT_EQ(finding.shares[0].stack, two);
  EXPECT_FALSE(finding.shares[0].root);
  EXPECT_EQ(finding.shares[0].bytes, 200u);
  EXPECT_TRUE(finding.shares[1].root);
  EXPECT_EQ(finding.shares[1].blocks, 4u);
}

Finding only_finding(test::SnapshotBuilder& builder) {
  const Findings findings = analyse(builder);
  EXPECT_EQ(findings.lost.size(), 1u);
  return findings.lost.at(0);
}

std::vector<uint64_t> addresses_of(const test::SnapshotBuilder& builder,
                                   const std::vector<uint64_t>& blocks) {
  std::vector<uint64_t> addresses;
  for (uint64_t block : blocks) addresses.push_back(builder.blocks[block].address);
  return addresses;
}

std::vector<uint64_t> addresses_of(const Finding& finding) {
  std::vector<uint64_t> addresses;
  for (const Member& member : finding.members) addresses.push_back(member.address);
  return addresses;
}

TEST(Examples, TheCycleComesFirstAndItsClosingEdgeIsNamed) {
  // 0 -> 2 -> 3 -> 0 is the cycle, 1 hangs below 0; 0 -> 2 twice.
  test::SnapshotBuilder builder = blocks_of({32, 32, 32, 32});
  builder.edge(0, 1, 0).edge(0, 2, 8).edge(0, 2, 16).edge(2, 3, 0).edge(3, 0, 24, 16);
  const Finding finding = only_finding(builder);
  EXPECT_EQ(addresses_of(finding), addresses_of(builder, {0, 2, 3, 1}));
  EXPECT_EQ(finding.fewest_root, 3u);
  EXPECT_EQ(finding.edges.size(), 5u);
  ASSERT_GE(finding.closing_edge, 0);
  const FindingEdge& closing = finding.edges[static_cast<size_t>(finding.closing_edge)];
  EXPECT_EQ(closing.from, 2u);
  EXPECT_EQ(closing.to, 0u);
  EXPECT_EQ(closing.offset, 24u);
  EXPECT_EQ(closing.inner, 16u);
  std::vector<uint64_t> references;
  for (const Member& member : finding.members) references.push_back(member.references);
  EXPECT_EQ(references, (std::vector<uint64_t>{1, 2, 1, 1}));
}

TEST(Examples, TheClosingEdgeLeadsToTheOldest) {
  test::SnapshotBuilder builder = blocks_of({32, 32, 32});
  builder.edge(0, 1).edge(1, 2).edge(2, 0);
  for (uint64_t i = 0; i < 3; ++i) builder.blocks[i].time_ms = i == 1 ? 5 : 9;
  const Finding finding = only_finding(builder);
  EXPECT_EQ(addresses_of(finding), addresses_of(builder, {1, 2, 0}));
  EXPECT_EQ(finding.edges[static_cast<size_t>(finding.closing_edge)].from, 2u);
}

TEST(Examples, ASelfReferenceClosesItself) {
  test::SnapshotBuilder builder = blocks_of({32});
  builder.edge(0, 0, 8);
  EXPECT_EQ(only_finding(builder).closing_edge, 0);
}

// Of long objects not all words are known: a std::string there refers to its own third word.
TEST(Examples, WhatLeadsBackIsToldByWordsOfItsName) {
  for (const char* name :
       {"parent", "parent_", "m_parent", "m_pParentNode", "node.owner", "OUTER", "XMLParent",
        "prevSibling", "co_owner", "parents[2]", "mPrev", "previous"})
    EXPECT_TRUE(leads_back_by_name(name)) << name;
  for (const char* name : {"", "router", "preview", "transparent", "apparent_", "coowner",
                           "parent.child", "owner.first", "grouter[1]", "wrapParental", "."})
    EXPECT_FALSE(leads_back_by_name(name)) << name;
}

TEST(Examples, TreesHaveNoClosingEdge) {
  test::SnapshotBuilder builder = blocks_of({32, 32, 32});
  builder.edge(0, 1).edge(1, 2).edge(2, 1);
  EXPECT_EQ(only_finding(builder).closing_edge, -1);
}

TEST(Examples, ASampleOfVeryManyEdgesHasTheOneThatCloses) {
  constexpr uint64_t kEdges = 30'000;
  test::SnapshotBuilder builder = blocks_of({kEdges * 8, 16});
  for (uint64_t i = 0; i < kEdges; ++i) builder.edge(0, 1, 8 * i);
  builder.edge(1, 0, 8);
  const Findings findings = analyse(builder);
  ASSERT_EQ(findings.lost.size(), 1u);
  const Finding& finding = findings.lost[0];
  EXPECT_GT(finding.edges_omitted, 0u);
  EXPECT_EQ(finding.edges.size() + finding.edges_omitted, kEdges + 1);
  ASSERT_GE(finding.closing_edge, 0);
  const FindingEdge& closing = finding.edges[static_cast<size_t>(finding.closing_edge)];
  EXPECT_EQ(closing.from, 1u);
  EXPECT_EQ(closing.to, 0u);
}

TEST(Examples, ALimitOmitsMembersAndTheirEdgesOnly) {
  test::SnapshotBuilder builder;
  for (uint64_t i = 0; i < 50; ++i) builder.block(16);
  for (uint64_t i = 0; i < 50; ++i) builder.edge(i, (i + 1) % 50);
  const Snapshot snapshot = builder.snapshot();
  const Structures structures = find_structures(snapshot);
  const Types types = find_types(snapshot);
  const Folding folding(snapshot, types, nullptr, {}, {});
  const Example example = example_of(snapshot, structures, structures.all.at(0), folding, 10);
  EXPECT_EQ(example.members.size(), 10u);
  EXPECT_EQ(example.omitted, 40u);
  EXPECT_EQ(example.edges.size(), 9u);
  EXPECT_EQ(example.closing_edge, -1);
  EXPECT_EQ(example.cycle_length, 50u);
}

}  // namespace
}  // namespace heaprake::cli
