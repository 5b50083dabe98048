#include <gtest/gtest.h>
#include <signal.h>

#include <regex>

#include "tests/shim/child.h"

namespace heaprake::test {
namespace {

struct Case {
  const char* program;
  const char* call;
  const char* message;  // a regular expression, after the call and the address
};

constexpr const char* kNoBlock = "is no block: double free";

const Case kCases[] = {
    {"double_free", "free", kNoBlock},
    {"double_free_large", "free", kNoBlock},
    {"free_in_thread_twice", "free", kNoBlock},
    {"delete_twice", "free", kNoBlock},
    {"free_after_realloc", "free", kNoBlock},
    {"interior_free", "free", "lies 32 bytes inside the block 0x[0-9a-f]+ of 112 bytes"},
    {"unaligned_free", "free", "lies 1 bytes inside the block"},
    {"stack_free", "free", "it lies in \\[stack\\]"},
    {"global_free", "free", "it lies in .*misuse_global_free"},
    {"wild_free", "free", "it lies in memory that is not the program's"},
    {"mapped_free", "free", "it lies in a mapping without a name"},
    {"realloc_freed", "realloc", kNoBlock},
    {"realloc_interior", "realloc", "lies 16 bytes inside the block"},
    {"usable_size_freed", "malloc_usable_size", kNoBlock},
};

class Misuse : public testing::TestWithParam<Case> {
 protected:
  static Ended run(const std::string& options) {
    return run_preloaded({std::string(MISUSE_PREFIX) + GetParam().program}, options);
  }
  // Exactly one sentence.
  static void expect_report(const std::string& text) {
    std::string pattern = std::string("heaprake: ") + GetParam().call + "\\(\\): 0x[0-9a-f]+ ?.*" +
                          GetParam().message + ".*\\.\n";
    EXPECT_TRUE(std::regex_match(text, std::regex(pattern))) << text;
  }
};

TEST_P(Misuse, IsReportedAndEndsTheProcess) {
  Ended ended = run("");
  EXPECT_EQ(ended.signal, SIGABRT) << "exit code " << ended.exit_code;
  expect_report(ended.err);
}

TEST_P(Misuse, IsReportedAndIgnoredWithAbortOff) {
  Ended ended = run("abort=0");
  EXPECT_EQ(ended.exit_code, 7) << ended.err;
  expect_report(ended.err);
}

TEST_P(Misuse, IsNoOracleMistake) {
  Ended ended = run("mode=oracle:abort=0:threshold=64k:growth=0");
  EXPECT_EQ(ended.exit_code, 7) << ended.err;
  expect_report(ended.err);
}

INSTANTIATE_TEST_SUITE_P(Programs, Misuse, testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.program); });

TEST(GlibcBlocks, GoBackToGlibc) {
  Ended ended = run_preloaded({std::string(MISUSE_PREFIX) + "glibc_block"});
  EXPECT_EQ(ended.exit_code, 0) << ended.signal;
  EXPECT_EQ(ended.err, "");
}

}  // namespace
}  // namespace heaprake::test
