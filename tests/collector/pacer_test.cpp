#include "collector/pacer.h"

#include <gtest/gtest.h>

namespace heaprake::collector {
namespace {

TEST(PacerTest, NothingBeforeStart) {
  Pacer pacer;
  pacer.set_threshold(100, 0);
  EXPECT_FALSE(pacer.note_allocated(1000));
  pacer.start();
  EXPECT_TRUE(pacer.note_allocated(1));
}

TEST(PacerTest, ThresholdCountsFromTheLastCollection) {
  Pacer pacer;
  pacer.set_threshold(100, 0);
  pacer.start();
  EXPECT_FALSE(pacer.note_allocated(99));
  EXPECT_TRUE(pacer.note_allocated(1));
  pacer.note_collected(0);
  EXPECT_EQ(pacer.allocated(), 0u);
  EXPECT_FALSE(pacer.note_allocated(99));
}

TEST(PacerTest, GrowthIsMeasuredAgainstTheLiveHeap) {
  Pacer pacer;
  pacer.set_threshold(100, 50);
  pacer.start();
  pacer.note_collected(1000);
  EXPECT_FALSE(pacer.note_allocated(499));
  EXPECT_TRUE(pacer.note_allocated(1));
}

TEST(PacerTest, ZeroTurnsItOffAndLeavesEnabledAlone) {
  Pacer pacer;
  pacer.set_threshold(0, 0);
  pacer.start();
  EXPECT_FALSE(pacer.note_allocated(size_t{1} << 40));
  EXPECT_TRUE(pacer.enabled());
}

TEST(PacerTest, DisabledNeverStarts) {
  Pacer pacer;
  pacer.set_threshold(1, 0);
  pacer.start();
  pacer.set_enabled(false);
  EXPECT_FALSE(pacer.note_allocated(10));
  pacer.set_enabled(true);
  EXPECT_TRUE(pacer.note_allocated(1));
}

TEST(PacerTest, AfterGivingUpItWaitsForAsMuchAgain) {
  Pacer pacer;
  pacer.set_threshold(100, 0);
  pacer.start();
  EXPECT_TRUE(pacer.note_allocated(100));
  pacer.note_given_up();
  EXPECT_FALSE(pacer.note_allocated(99));
  EXPECT_TRUE(pacer.note_allocated(1));
}

}  // namespace
}  // namespace heaprake::collector
