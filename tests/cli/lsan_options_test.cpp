#include "cli/report/lsan_options.h"

#include <gtest/gtest.h>

namespace heaprake::cli {
namespace {

LsanOptions options_of(std::string_view text) {
  LsanOptions options;
  options.read(text);
  return options;
}

TEST(LsanOptions, AreThoseThatScriptsRelyOn) {
  const LsanOptions options = options_of(
      "exitcode=7:max_leaks=3:print_suppressions=0:report_objects=true:suppressions=a/b.supp");
  EXPECT_EQ(options.exitcode, 7);
  EXPECT_EQ(options.max_leaks, 3u);
  EXPECT_FALSE(options.print_suppressions);
  EXPECT_TRUE(options.report_objects);
  EXPECT_EQ(options.suppressions, std::vector<std::string>{"a/b.supp"});
}

TEST(LsanOptions, AreSeparatedInSeveralWays) {
  const LsanOptions options =
      options_of(" ,exitcode=1 report_objects=1\nmax_leaks=0,suppressions='with: a space':x=");
  EXPECT_EQ(options.exitcode, 1);
  EXPECT_TRUE(options.report_objects);
  EXPECT_EQ(options.max_leaks, 0u);
  EXPECT_EQ(options.suppressions, std::vector<std::string>{"with: a space"});
}

TEST(LsanOptions, LaterOnesCount) {
  LsanOptions options = options_of("exitcode=1:exitcode=2:max_leaks=4");
  EXPECT_EQ(options.exitcode, 2);
  options.read("exitcode=3");
  EXPECT_EQ(options.exitcode, 3);
  EXPECT_EQ(options.max_leaks, 4u);
}

TEST(LsanOptions, OthersAndNonsenseAreNothing) {
  const LsanOptions options = options_of(
      "verbosity=1:exitcode=many:exitcode=256:max_leaks=-1:suppressions=:fast_unwind_on_malloc=0:"
      "alone:suppressions=\"never closed");
  EXPECT_FALSE(options.exitcode);
  EXPECT_FALSE(options.max_leaks);
  EXPECT_TRUE(options.print_suppressions);
  EXPECT_FALSE(options.report_objects);
  EXPECT_EQ(options_of("").suppressions.size(), 0u);
}

}  // namespace
}  // namespace heaprake::cli
