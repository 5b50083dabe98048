#include "collector/pacer.h"

#include <gtest/gtest.h>

namespace heaprake::collector {
namespace {

// Committed memory that leaves the decision to the allocation.
constexpr size_t kAmple = size_t{1} << 50;

TEST(PacerTest, NothingBeforeStart) {
  Pacer pacer;
  pacer.set_threshold(100, 0);
  EXPECT_FALSE(pacer.note_allocated(1000, kAmple));
  pacer.start();
  EXPECT_TRUE(pacer.note_allocated(1, kAmple));
}

TEST(PacerTest, ThresholdCountsFromTheLastCollection) {
  Pacer pacer;
  pacer.set_threshold(100, 0);
  pacer.start();
  EXPECT_FALSE(pacer.note_allocated(99, kAmple));
  EXPECT_TRUE(pacer.note_allocated(1, kAmple));
  pacer.note_collected(0);
  EXPECT_EQ(pacer.allocated(), 0u);
  EXPECT_FALSE(pacer.note_allocated(99, kAmple));
}

TEST(PacerTest, GrowthIsMeasuredAgainstTheLiveHeap) {
  Pacer pacer;
  pacer.set_threshold(100, 50);
  pacer.start();
  pacer.note_collected(1000);
  EXPECT_FALSE(pacer.note_allocated(499, kAmple));
  EXPECT_TRUE(pacer.note_allocated(1, kAmple));
}

TEST(PacerTest, AHeapThatHasNotGrownHasNothingToReclaim) {
  Pacer pacer;
  pacer.set_threshold(100, 50);
  pacer.start();
  pacer.note_collected(1000);
  EXPECT_FALSE(pacer.note_allocated(500, 1499));
  EXPECT_TRUE(pacer.note_allocated(0, 1500));
  EXPECT_FALSE(pacer.note_allocated(31499, 1499));
  EXPECT_TRUE(pacer.note_allocated(1, 1499)) << "patience ends";
}

TEST(PacerTest, AfterACollectionForNothingItWaitsLonger) {
  Pacer pacer;
  pacer.set_threshold(100, 50);
  pacer.start();
  pacer.note_collected(200);
  pacer.note_reclaimed(11);
  EXPECT_FALSE(pacer.note_allocated(399, kAmple));
  EXPECT_TRUE(pacer.note_allocated(1, kAmple));
  pacer.note_collected(200);
  pacer.note_reclaimed(49);
  EXPECT_FALSE(pacer.note_allocated(399, kAmple));
  EXPECT_TRUE(pacer.note_allocated(1, kAmple));
  pacer.note_collected(200);
  pacer.note_reclaimed(50);
  EXPECT_FALSE(pacer.note_allocated(99, kAmple));
  EXPECT_TRUE(pacer.note_allocated(1, kAmple));
}

TEST(PacerTest, AfterACollectionForNothingGrowthCountsIfItIsMore) {
  Pacer pacer;
  pacer.set_threshold(100, 50);
  pacer.start();
  pacer.note_collected(1000);
  pacer.note_reclaimed(0);
  EXPECT_FALSE(pacer.note_allocated(499, kAmple));
  EXPECT_TRUE(pacer.note_allocated(1, kAmple));
}

TEST(PacerTest, WithoutGrowthNothingIsForNothing) {
  Pacer pacer;
  pacer.set_threshold(100, 0);
  pacer.start();
  pacer.note_collected(1000);
  pacer.note_reclaimed(0);
  EXPECT_TRUE(pacer.note_allocated(100, 0));
}

TEST(PacerTest, WithoutGrowthAllocationAloneDecides) {
  Pacer pacer;
  pacer.set_threshold(100, 0);
  pacer.start();
  pacer.note_collected(1000);
  EXPECT_TRUE(pacer.note_allocated(100, 0));
}

TEST(PacerTest, ZeroTurnsItOffAndLeavesEnabledAlone) {
  Pacer pacer;
  pacer.set_threshold(0, 0);
  pacer.start();
  EXPECT_FALSE(pacer.note_allocated(size_t{1} << 40, kAmple));
  EXPECT_TRUE(pacer.enabled());
}

TEST(PacerTest, DisabledNeverStarts) {
  Pacer pacer;
  pacer.set_threshold(1, 0);
  pacer.start();
  pacer.set_enabled(false);
  EXPECT_FALSE(pacer.note_allocated(10, kAmple));
  pacer.set_enabled(true);
  EXPECT_TRUE(pacer.note_allocated(1, kAmple));
}

TEST(PacerTest, AfterGivingUpItWaitsForAsMuchAgain) {
  Pacer pacer;
  pacer.set_threshold(100, 0);
  pacer.start();
  EXPECT_TRUE(pacer.note_allocated(100, kAmple));
  pacer.note_given_up();
  EXPECT_FALSE(pacer.note_allocated(99, kAmple));
  EXPECT_TRUE(pacer.note_allocated(1, kAmple));
  pacer.note_given_up();
  EXPECT_FALSE(pacer.note_allocated(199, kAmple));
  EXPECT_TRUE(pacer.note_allocated(1, kAmple));
}

}  // namespace
}  // namespace heaprake::collector
