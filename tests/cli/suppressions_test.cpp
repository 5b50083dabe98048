#include "cli/report/suppressions.h"

#include <gtest/gtest.h>

#include "cli/failure.h"
#include "finding_fixture.h"
#include "temporary_files.h"

namespace heaprake::cli::test {
namespace {

TEST(SuppressionPattern, MatchesAsLeakSanitizerDoes) {
  EXPECT_TRUE(matches("make", "family::make(int)"));
  EXPECT_TRUE(matches("fam*make", "family::make(int)"));
  EXPECT_TRUE(matches("^family", "family::make(int)"));
  EXPECT_FALSE(matches("^make", "family::make(int)"));
  EXPECT_TRUE(matches("(int)$", "family::make(int)"));
  EXPECT_FALSE(matches("make$", "family::make(int)"));
  EXPECT_TRUE(matches("make*$", "family::make(int)"));
  EXPECT_TRUE(matches("^*make", "family::make(int)"));
  EXPECT_TRUE(matches("*", "anything"));
  EXPECT_FALSE(matches("*", ""));
  EXPECT_FALSE(matches("x", ""));
  EXPECT_FALSE(matches("make*make", "family::make(int)"));
  EXPECT_TRUE(matches("^a*b$", "axxb"));
  EXPECT_FALSE(matches("^a$", "ab"));
}

TEST(SuppressionFile, IsLeakSanitizers) {
  const std::vector<Suppression> rules =
      parse_suppressions("# comment\n\n  leak:a b \r\nleak:^c$", "f");
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[0].pattern, "a b");
  EXPECT_EQ(rules[1].pattern, "^c$");
  try {
    parse_suppressions("leak:a\nrace:b\n", "my file");
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status, kExitUsage);
    EXPECT_NE(failure.message.find("'my file', line 2"), std::string::npos) << failure.message;
  }
  EXPECT_THROW(parse_suppressions("leak:\n", "f"), Failure);
  EXPECT_THROW(read_suppressions("/nowhere/at/all"), Failure);
}

TEST(Suppression, TakesFindingsAndTheirSums) {
  Report report = family_report();
  suppress(&report, parse_suppressions("leak:nothing_like_it\nleak:family::make\n", "f"));
  ASSERT_EQ(report.findings.lost.size(), 1u);
  EXPECT_EQ(report.findings.lost[0].id, 1u);  // numbered anew
  EXPECT_EQ(report.findings.blocks, 1u);
  EXPECT_EQ(report.findings.bytes, 7u);
  EXPECT_EQ(report.findings.structures, 1u);
  EXPECT_EQ(report.findings.cycles, 0u);
  EXPECT_EQ(report.suppressed_blocks, 9u);
  EXPECT_EQ(report.suppressed_bytes, 450u);
  ASSERT_EQ(report.suppressions.size(), 2u);
  EXPECT_EQ(report.suppressions[0].findings, 0u);
  EXPECT_EQ(report.suppressions[1].findings, 1u);
  EXPECT_EQ(report.suppressions[1].blocks, 9u);
}

TEST(Suppression, LooksAtFilesModulesAndRootsOnly) {
  for (const char* rule : {"leak:names_sample.cpp", "leak:libcli_names_sample.so$"}) {
    Report report = family_report();
    suppress(&report, parse_suppressions(rule, "f"));
    EXPECT_EQ(report.findings.lost.size(), 0u) << rule;
    EXPECT_EQ(report.suppressed_blocks, 10u);
  }
  // The characters of Parent's string have a stack without "hidden": it is the root's that counts.
  Report report = family_report();
  report.findings.lost[0].shares = {{2, true, 6, 300}, {1, false, 3, 150}};
  suppress(&report, parse_suppressions("leak:hidden", "f"));
  EXPECT_EQ(report.findings.lost.size(), 2u);
}

TEST(Suppression, AFileThatCannotBeReadIsTold) {
  EXPECT_THROW(read_suppressions("/nowhere/rules"), Failure);
  EXPECT_THROW(read_suppressions("/"), Failure);
}

TEST(Suppression, GeneratedOnesSilenceEverything) {
  Report report = family_report();
  const std::string text = suppressions_for(report);
  EXPECT_NE(text.find("leak:^family::Parent::adopt(Capture*)$\n"), std::string::npos) << text;
  suppress(&report, parse_suppressions(text, "f"));
  EXPECT_EQ(report.findings.lost.size(), 0u) << text;
  EXPECT_EQ(report.findings.blocks, 0u);
}

TEST(Suppression, GeneratedOnesSilenceNothingElse) {
  const std::string text = suppressions_for(family_report());
  for (const Suppression& rule : parse_suppressions(text, "f")) {
    if (rule.pattern.front() == '/') continue;  // a module, whose functions have no names
    EXPECT_TRUE(matches(rule.pattern, rule.pattern.substr(1, rule.pattern.size() - 2)));
    EXPECT_FALSE(
        matches(rule.pattern, "other::" + rule.pattern.substr(1, rule.pattern.size() - 2)));
    EXPECT_FALSE(matches(rule.pattern, rule.pattern.substr(1, rule.pattern.size() - 2) + "s"));
  }
}

}  // namespace
}  // namespace heaprake::cli::test
