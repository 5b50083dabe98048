// What has grown between two snapshots, and what held what is lost.
#include "cli/analysis/growth.h"

#include <gtest/gtest.h>

#include "cli/analysis/analysis.h"
#include "cli/analysis/near_leaks.h"
#include "whole_snapshot.h"

namespace heaprake::cli {
namespace {

using test::reachable;
using test::with_all;

TEST(Growth, SitesAndTypesThatHaveBecomeMore) {
  test::SnapshotBuilder before = with_all(1000);
  reachable(&before, 100, 1, 1);
  reachable(&before, 30, 2, 2);
  test::SnapshotBuilder after = with_all(1000 + 3'600'000 / 2);
  for (uint64_t i = 0; i < 4; ++i) reachable(&after, 100, 1, i);
  const uint64_t typed = reachable(&after, 20, 2, 9);
  after.blocks[typed].flags |= HEAPRAKE_BLOCK_TYPED;
  after.blocks[typed].type = after.string("Kind");
  after.blocks[after.block(8)].time_ms = 5;
  const Snapshot a = before.snapshot(), b = after.snapshot();
  const GrowthReport report = growth_between(a, find_types(a), b, find_types(b));
  EXPECT_TRUE(report.same_process);
  EXPECT_EQ(report.elapsed_ms, 1'800'000u);
  ASSERT_EQ(report.sites.size(), 2u);
  EXPECT_EQ(report.sites[0].stack, 1u);
  EXPECT_EQ(report.sites[0].bytes(), 300);
  EXPECT_EQ(report.sites[0].blocks(), 3);
  EXPECT_EQ(report.sites[0].example, 3u);  // the youngest
  EXPECT_EQ(hourly(report.sites[0].bytes(), report.elapsed_ms), 600);
  EXPECT_EQ(report.sites[1].size, 8u);
  ASSERT_EQ(report.types.size(), 1u);
  EXPECT_EQ(report.types[0].type, "Kind");
  EXPECT_EQ(report.lost_after.blocks, 1u);
  EXPECT_EQ(hourly(5, 0), 0);
}

TEST(Growth, StacksAreComparedByWhatTheyAre) {
  test::SnapshotBuilder before = with_all(), after = with_all(2000);
  reachable(&before, 50, 1);
  std::swap(after.stacks[0], after.stacks[1]);  // other numbers for the same
  reachable(&after, 50, 2);
  const Snapshot a = before.snapshot(), b = after.snapshot();
  EXPECT_TRUE(growth_between(a, find_types(a), b, find_types(b)).sites.empty());
}

TEST(Growth, OnlyWhatIsNewIsANewLeak) {
  test::SnapshotBuilder before = with_all(), after = with_all(2000);
  for (int i = 0; i < 2; ++i) before.blocks[before.block(40)].stack = 1;
  for (int i = 0; i < 5; ++i) after.blocks[after.block(40)].stack = 1;
  after.blocks[after.block(70)].stack = 2;
  const Snapshot a = before.snapshot(), b = after.snapshot();
  const Findings lost_a = analyse(a, find_types(a)), lost_b = analyse(b, find_types(b));
  const std::vector<NewLeak> leaks = new_leaks(a, lost_a, b, lost_b);
  ASSERT_EQ(leaks.size(), 2u);
  EXPECT_EQ(leaks[0].structures, 3u);
  EXPECT_EQ(leaks[1].structures, 1u);
  EXPECT_TRUE(new_leaks(b, lost_b, b, lost_b).empty());
}

// Which block of a cycle is the older one may differ from run to run.
TEST(Growth, WhereACycleBeginsMakesNoNewLeak) {
  const auto cycle = [](uint64_t first, uint64_t second) {
    test::SnapshotBuilder builder = with_all();
    for (const uint64_t stack : {first, second}) builder.blocks[builder.block(40)].stack = stack;
    builder.edge(0, 1).edge(1, 0);
    return builder.snapshot();
  };
  const Snapshot a = cycle(1, 2), b = cycle(2, 1);
  const Findings lost_a = analyse(a, find_types(a)), lost_b = analyse(b, find_types(b));
  ASSERT_EQ(lost_a.lost[0].cycle_length, 2u);
  EXPECT_TRUE(new_leaks(a, lost_a, b, lost_b).empty());
}

TEST(LastHeld, IsToldFromEarlierChecks) {
  test::SnapshotBuilder before = with_all(1000), after = with_all(2000);
  reachable(&before, 40, 1, 7);
  reachable(&before, 40, 1, 8);
  before.edge(0, 1, 16);
  before.root(GC_REFERENCE_GLOBAL, 0, 0, 0x8000);
  after.block(40);
  after.blocks[after.block(40)].stack = 1;
  after.blocks[1].time_ms = 8;
  const Snapshot then = before.snapshot(), now = after.snapshot();
  const Types types = find_types(then);
  Findings findings = analyse(now, find_types(now));
  tell_last_held(now, {{&then, &types}}, &findings);
  ASSERT_EQ(findings.lost.size(), 2u);
  for (const Finding& finding : findings.lost) {
    const bool same = finding.members[0].address == now.address[1];
    ASSERT_EQ(finding.last_held.has_value(), same);
    if (!same) continue;
    EXPECT_EQ(finding.last_held->uptime_ms, 1000u);
    EXPECT_NE(finding.last_held->path.find("block of 40 bytes + 16 -> block of 40 bytes"),
              std::string::npos)
        << finding.last_held->path;
  }
}

TEST(LastHeld, IsToldOfAnotherStructureWhereTheExampleWasLostBefore) {
  test::SnapshotBuilder before = with_all(1000), after = with_all(2000);
  reachable(&before, 40, 1, 7);
  reachable(&before, 40, 1, 8);
  before.root(GC_REFERENCE_GLOBAL, 1, 0, 0x8000);
  for (uint32_t time : {9, 8}) {
    const uint64_t block = after.block(40);
    after.blocks[block].stack = 1;
    after.blocks[block].time_ms = time;
  }
  const Snapshot then = before.snapshot(), now = after.snapshot();
  const Types types = find_types(then);
  Findings findings = analyse(now, find_types(now));
  tell_last_held(now, {{&then, &types}}, &findings);
  ASSERT_EQ(findings.lost.size(), 1u);
  ASSERT_TRUE(findings.lost[0].last_held);
  EXPECT_TRUE(findings.lost[0].last_held->another);
}

TEST(LastHeld, IsToldOfTheFindingsOwnStructures) {
  test::SnapshotBuilder before = with_all(1000), after = with_all(2000);
  reachable(&before, 40, 1, 7);
  reachable(&before, 40, 1, 8);
  before.root(GC_REFERENCE_GLOBAL, 1, 0, 0x8000);
  // Two of one kind, and one of the same size from elsewhere, which has another below it.
  for (uint32_t time : {9, 8, 10}) {
    const uint64_t block = after.block(40);
    after.blocks[block].stack = time == 10 ? 2 : 1;
    after.blocks[block].time_ms = time;
  }
  after.edge(2, after.block(100));
  const Snapshot then = before.snapshot(), now = after.snapshot();
  const Types types = find_types(then);
  Findings findings = analyse(now, find_types(now));
  tell_last_held(now, {{&then, &types}}, &findings);
  ASSERT_EQ(findings.lost.size(), 2u);
  EXPECT_EQ(findings.lost[0].shape, Shape::kTree);
  EXPECT_FALSE(findings.lost[0].last_held);
  EXPECT_TRUE(findings.lost[1].last_held);
}

TEST(NearLeaks, AreHeldByInteriorWordsOfRootsAlone) {
  test::SnapshotBuilder builder = with_all();
  for (int i = 0; i < 5; ++i) reachable(&builder, 40, 1 + static_cast<uint64_t>(i == 3));
  // 0: by its start; 1: by its middle; 2: by 1; 3: by its middle, as 0 refers to 4 of that kind.
  builder.root(GC_REFERENCE_GLOBAL, 0, 0, 0x8000);
  builder.root(GC_REFERENCE_STACK, 1, 1, 0x7ffc0000, 24);
  builder.root(GC_REFERENCE_STACK, 3, 1, 0x7ffc0008, 8);
  builder.blocks[4].stack = 2;
  builder.edge(1, 2, 8).edge(0, 4, 8, 8);
  const Snapshot snapshot = builder.snapshot();
  const Findings findings = analyse(snapshot, find_types(snapshot));
  EXPECT_TRUE(findings.lost.empty());
  ASSERT_EQ(findings.near_leaks.size(), 1u);
  EXPECT_EQ(findings.near_leaks[0].certainty, Certainty::kInteriorOnly);
  EXPECT_EQ(findings.uncertain_blocks, 2u);
}

std::vector<bool> interior_in(const test::SnapshotBuilder& builder) {
  test::SnapshotBuilder copy = builder;
  const Snapshot snapshot = copy.snapshot();
  return near_leaks(snapshot, find_types(snapshot)).interior;
}

TEST(NearLeaks, AreHeldByInteriorWordsOfBlocksToo) {
  test::SnapshotBuilder builder = with_all();
  reachable(&builder, 40, 1);
  reachable(&builder, 48, 2);
  reachable(&builder, 56, 2);
  builder.root(GC_REFERENCE_GLOBAL, 0, 0, 0x8000);
  builder.edge(0, 1, 8, 24).edge(1, 2, 0);
  EXPECT_EQ(interior_in(builder), (std::vector<bool>{false, true, true}));
  // One reference to the start is enough, from wherever.
  EXPECT_EQ(interior_in(builder.edge(0, 2, 16)), (std::vector<bool>{false, true, false}));
}

TEST(NearLeaks, KnowTheIdioms) {
  test::SnapshotBuilder builder = with_all();
  for (uint64_t bytes : {40, 88, 88, 80}) reachable(&builder, bytes, 0);
  // Past the end; behind an array's count; not a count; libc's vector of thread-local storage.
  builder.root(GC_REFERENCE_GLOBAL, 0, 0, 0x8000, 40);
  builder.root(GC_REFERENCE_GLOBAL, 1, 0, 0x8008, 8);
  builder.blocks[1].words = {10};
  builder.blocks[2].stack = 1;
  builder.blocks[2].words = {7};
  builder.root(GC_REFERENCE_GLOBAL, 2, 0, 0x8010, 8);
  builder.root(GC_REFERENCE_TLS, 3, 1, 0x7ffc0000, 16);
  EXPECT_EQ(interior_in(builder), (std::vector<bool>{false, false, true, false}));
}

TEST(NearLeaks, AreHeldByDeadFramesIfNothingBetterHoldsThem) {
  test::SnapshotBuilder builder = with_all();
  for (int i = 0; i < 4; ++i) reachable(&builder, 40 + 8 * static_cast<uint64_t>(i), 0);
  const uint64_t dead = builder.string(HEAPRAKE_SNAPSHOT_DEAD_FRAME);
  for (uint64_t block : {0, 1, 2}) {
    builder.root(GC_REFERENCE_STACK, block, 1, 0x7ffc0000 + 8 * block);
    builder.roots.back().name = dead;
  }
  builder.root(GC_REFERENCE_STACK, 1, 1, 0x7ffc1000);
  builder.root(GC_REFERENCE_STACK, 2, 1, 0x7ffc1008, 16);
  builder.edge(0, 3, 8);
  const Snapshot snapshot = builder.snapshot();
  const NearLeaks near = near_leaks(snapshot, find_types(snapshot));
  EXPECT_EQ(near.dead_frame, (std::vector<bool>{true, false, false, true}));
  EXPECT_EQ(near.interior, (std::vector<bool>{false, false, true, false}));
  const Findings findings = analyse(snapshot, find_types(snapshot));
  ASSERT_EQ(findings.near_leaks.size(), 2u);
  EXPECT_EQ(findings.near_leaks[0].id, 1u);
  EXPECT_EQ(findings.near_leaks[1].id, 2u);
  EXPECT_EQ(findings.near_leaks[1].certainty, Certainty::kDeadFrame);
  EXPECT_EQ(findings.uncertain_blocks, 3u);
}

}  // namespace
}  // namespace heaprake::cli
