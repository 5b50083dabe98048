// Programs that use the API where it is least expected, and under every mode.
#include <gtest/gtest.h>

#include "tests/shim/child.h"

namespace {

using heaprake::test::Ended;
using heaprake::test::run_preloaded;

void expect_success(const std::string& options) {
  const Ended ended = run_preloaded({EVERYWHERE}, options);
  EXPECT_EQ(ended.exit_code, 0) << "signal " << ended.signal << "\n" << ended.err;
  EXPECT_EQ(ended.err, "");
}

TEST(Process, BeforeMainInHandlersThreadsForksAndAtexit) {
  expect_success("");
}
TEST(Process, TheSameWithCollectionsAllTheTime) {
  expect_success("threshold=64k:growth=0:verify=1:poison=1");
}
TEST(Process, TheSameAsOracle) {
  expect_success("mode=oracle:threshold=64k:growth=0");
}
TEST(Process, TheSameSwitchedOff) {
  expect_success("mode=off");
}

std::string output_of(const std::string& options) {
  const Ended ended = run_preloaded({MODES}, options);
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  return ended.out;
}

constexpr const char* kReclaims =
    "first none\ncollected 1\nlost gone, freed gone, finalized 1\n"
    "saveall 1, garbage 1\nfreeze 1, frozen some\n";

TEST(Modes, Collect) {
  EXPECT_EQ(output_of("mode=collect"), kReclaims);
}
TEST(Modes, OracleDoesAllButFree) {
  EXPECT_EQ(output_of("mode=oracle"), kReclaims);
}
TEST(Modes, HuntReclaimsNothing) {
  EXPECT_EQ(output_of("mode=hunt"),
            "first none\ncollected 1\nlost there, freed gone, finalized 0\n"
            "saveall 2, garbage 0\nfreeze 1, frozen some\n");
}
TEST(Modes, OffCollectsNothing) {
  EXPECT_EQ(output_of("mode=off"),
            "first none\ncollected 0\nlost there, freed gone, finalized 0\n"
            "saveall 0, garbage 0\nfreeze 1, frozen some\n");
}

}  // namespace
